-- What cannot be made again: facts, entries, minted, places, scopes, members.
-- What the folder says: seeds, files, problems. A cache: articles, uses.
-- Times are microseconds since 1970; paths and hashes are bytes.

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each seed that stands in the folder.
CREATE TABLE seeds (
    path     BLOB PRIMARY KEY,
    stem     TEXT NOT NULL,               -- folded, for links by name
    device   INTEGER NOT NULL,
    inode    INTEGER NOT NULL,
    birth    INTEGER,
    length   INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    bytes    BLOB,
    standing TEXT NOT NULL,
    entry    INTEGER REFERENCES entries,
    article  INTEGER,
    seen     INTEGER NOT NULL,
    due      INTEGER,
    dated    INTEGER                      -- as the document states it
) STRICT, WITHOUT ROWID;
CREATE INDEX seeds_by_file  ON seeds (inode, device);
CREATE INDEX seeds_by_bytes ON seeds (bytes) WHERE bytes IS NOT NULL;
CREATE INDEX seeds_by_due   ON seeds (due) WHERE due IS NOT NULL;
CREATE INDEX seeds_by_stem  ON seeds (stem);
CREATE INDEX seeds_waiting  ON seeds (standing) WHERE standing <> 'published';

-- One row for each file that is no seed.
CREATE TABLE files (
    path       BLOB PRIMARY KEY,
    device     INTEGER NOT NULL,
    inode      INTEGER NOT NULL,
    birth      INTEGER,
    length     INTEGER NOT NULL,
    modified   INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    width      INTEGER,
    height     INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE problems (
    path        BLOB PRIMARY KEY,
    line        INTEGER,
    reason      TEXT NOT NULL,
    consequence TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each entry that ever was, in the order of first publication.
CREATE TABLE entries (
    number    INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    guid      TEXT NOT NULL UNIQUE,
    path      BLOB NOT NULL,
    device    INTEGER NOT NULL,
    inode     INTEGER NOT NULL,
    birth     INTEGER,
    bytes     BLOB NOT NULL,
    inputs    BLOB NOT NULL,
    title     TEXT NOT NULL,
    wanted    TEXT NOT NULL,
    permalink TEXT NOT NULL,
    published INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    announced INTEGER NOT NULL,
    article   INTEGER NOT NULL,
    status    TEXT NOT NULL,
    since     INTEGER NOT NULL,
    changed   INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_by_path   ON entries (path);
CREATE INDEX entries_by_file   ON entries (inode, device);
CREATE INDEX entries_by_bytes  ON entries (bytes);
CREATE INDEX entries_by_published ON entries (published)
    WHERE status IN ('live', 'leaving', 'held');
CREATE INDEX entries_by_status ON entries (status, since) WHERE status <> 'live';

-- Every name that an id was minted from: none is used twice.
CREATE TABLE minted (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Every path that an entry has or had on the site.
CREATE TABLE places (
    path  TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries,
    PRIMARY KEY (path, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_by_entry ON places (entry);

CREATE TABLE scopes (
    scope   INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    label   TEXT NOT NULL,
    next    INTEGER NOT NULL,             -- the number that joins next
    page    INTEGER NOT NULL,             -- the archive page that is being filled
    filled  INTEGER NOT NULL,             -- how many have joined it
    live    INTEGER NOT NULL,             -- how many of all are live
    changed INTEGER NOT NULL,
    emptied INTEGER,                      -- since when none is live
    ended   INTEGER,                      -- since when its documents are gone
    UNIQUE (kind, name)
) STRICT;
CREATE INDEX scopes_emptied ON scopes (emptied)
    WHERE emptied IS NOT NULL AND ended IS NULL AND kind <> 'site';

-- Which entries a scope holds, in the order in which they joined it.
CREATE TABLE members (
    scope     INTEGER NOT NULL REFERENCES scopes,
    number    INTEGER NOT NULL,
    entry     INTEGER NOT NULL REFERENCES entries,
    announced INTEGER NOT NULL,
    page      INTEGER NOT NULL,
    state     TEXT NOT NULL,              -- live, withdrawn, left
    PRIMARY KEY (scope, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_entry     ON members (entry);
CREATE INDEX members_by_announced ON members (scope, announced, number) WHERE state = 'live';
CREATE INDEX members_by_page      ON members (scope, page);
CREATE INDEX members_withdrawn    ON members (scope, entry) WHERE state = 'withdrawn';
CREATE INDEX members_left         ON members (scope, entry) WHERE state = 'left';

-- Articles by number; `version` is the converter's.
CREATE TABLE articles (
    article INTEGER PRIMARY KEY,
    bytes   BLOB NOT NULL,
    inputs  BLOB NOT NULL,
    version INTEGER NOT NULL,
    data    BLOB NOT NULL
) STRICT;

-- Which entries refer to what.
CREATE TABLE uses (
    target BLOB NOT NULL,
    entry  INTEGER NOT NULL,
    PRIMARY KEY (target, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX uses_by_entry ON uses (entry);
