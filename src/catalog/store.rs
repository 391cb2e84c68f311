//! The catalog's rows in SQLite: one writer, one transaction for each batch.
//!
//! Rows in, rows out; no decision is made here. [`Rows`] is the small interface
//! that the decider works through: a transaction of the writer, or a snapshot of a
//! reader. Nothing else in the program names SQL.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Params, Row, TransactionBehavior, params,
};

#[cfg(test)]
use crate::catalog::faults;
use crate::catalog::migrate;
use crate::catalog::rows::{Converted, EntryRow, Hash, Micros, SeedRow, Standing, Status};
use crate::convert::article::Article;
use crate::problem::Problem;
use crate::watch::seed::{File, SeedPath, Stat};

/// What SQLite said, and of which operation where that is known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the catalog's database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the catalog's database: {0}")]
    Schema(#[from] migrate::Error),
    #[error("an article in the catalog's cache: {0}")]
    Article(String),
}

impl Error {
    /// Whether the database itself is damaged, so that trying again is no use.
    pub fn is_corrupt(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let code = match self {
            Error::Sqlite(error) | Error::Schema(migrate::Error::Sqlite(error)) => {
                error.sqlite_error_code()
            }
            _ => None,
        };
        matches!(code, Some(DatabaseCorrupt | NotADatabase))
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// The writer's connection.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens or makes the database and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Store> {
        let mut connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: an entry that readers have seen keeps its id and dates through a
        // power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        // In KiB, as it is negative: a first import is one large transaction.
        connection.pragma_update(None, "cache_size", -32_000)?;
        migrate::migrate(&mut connection)?;
        Ok(Store { connection })
    }

    /// Runs `work` in one transaction: all of it is kept, or none where it fails.
    pub fn write<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&Rows<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::from)?;
        let outcome = work(&Rows { connection: &transaction })?;
        #[cfg(test)]
        faults::strike().map_err(Error::from)?;
        transaction.commit().map_err(Error::from)?;
        Ok(outcome)
    }

    /// Outside a transaction, for reading what only the writer asks.
    pub fn rows(&self) -> Rows<'_> {
        Rows { connection: &self.connection }
    }

    /// Moves what the write-ahead log holds into the database, when idle.
    pub fn checkpoint(&self) -> Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// For tests that write often and are never cut off.
    #[cfg(test)]
    pub fn without_sync(&self) -> Result<()> {
        self.connection.pragma_update(None, "synchronous", "OFF")?;
        Ok(())
    }

    /// For tests of a state folder that cannot be written.
    #[cfg(test)]
    pub fn refuse_writes(&self, refuse: bool) -> Result<()> {
        self.connection.pragma_update(None, "query_only", refuse)?;
        Ok(())
    }

    /// For tests of a full disk: the database may not grow beyond this.
    #[cfg(test)]
    pub fn limit_pages(&self, pages: u32) -> Result<()> {
        self.connection.pragma_update(None, "max_page_count", pages)?;
        Ok(())
    }
}

/// A reader's connection: sees whole batches only, never waits for the writer.
#[derive(Debug)]
pub struct ReadStore {
    connection: Connection,
}

impl ReadStore {
    pub fn open(path: &Path) -> Result<ReadStore> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection)?;
        Ok(ReadStore { connection })
    }

    /// Runs `work` on one snapshot of the catalog.
    pub fn read<T>(&mut self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        let transaction = self.connection.transaction()?;
        work(&Rows { connection: &transaction })
    }
}

fn prepare(connection: &Connection) -> Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    // A plan depends on the text alone: without it each new `LIMIT ?` is prepared again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The references between tables are checked where tests run; the decider is the
    // only writer.
    connection.pragma_update(None, "foreign_keys", cfg!(debug_assertions))?;
    Ok(())
}

/// The rows of the catalog, inside one transaction.
#[derive(Debug)]
pub struct Rows<'c> {
    connection: &'c Connection,
}

/// Small queries that every group of rows uses.
impl Rows<'_> {
    pub(super) fn run(&self, sql: &str, values: impl Params) -> Result<usize> {
        #[cfg(test)]
        faults::strike()?;
        Ok(self.connection.prepare_cached(sql)?.execute(values)?)
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        #[cfg(test)]
        faults::strike()?;
        Ok(self.connection.prepare_cached(sql)?.query_row(values, read).optional()?)
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        #[cfg(test)]
        faults::strike()?;
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn last_row(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    pub(super) fn count(&self, sql: &str, values: impl Params) -> Result<i64> {
        Ok(self.one(sql, values, |row| row.get(0))?.unwrap_or(0))
    }
}

/// Facts: single values under a name.
impl Rows<'_> {
    pub fn fact(&self, name: &str) -> Result<Option<String>> {
        self.one("SELECT value FROM facts WHERE name = ?", [name], |row| row.get(0))
    }

    pub fn put_fact(&self, name: &str, value: &str) -> Result<()> {
        self.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, value])?;
        Ok(())
    }

    pub fn remove_fact(&self, name: &str) -> Result<()> {
        self.run("DELETE FROM facts WHERE name = ?", [name])?;
        Ok(())
    }

    /// A fact that is a number.
    pub fn number(&self, name: &str) -> Result<Option<i64>> {
        Ok(self.fact(name)?.and_then(|it| it.parse().ok()))
    }
}

const SEED: &str = "path, device, inode, birth, length, modified, changed, bytes, standing, entry, \
                    article, seen, due, dated";

/// Seeds.
impl Rows<'_> {
    pub fn seed(&self, path: &SeedPath) -> Result<Option<SeedRow>> {
        self.one(&format!("SELECT {SEED} FROM seeds WHERE path = ?"), [path], seed_row)
    }

    /// The seeds that are names of this very file, by device and inode.
    pub fn seeds_of_file(&self, stat: &Stat) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE inode = ? AND device = ? ORDER BY path");
        self.all(&sql, [stat.inode as i64, stat.device as i64], seed_row)
    }

    pub fn seeds_of_bytes(&self, bytes: &Hash) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE bytes = ? ORDER BY path");
        self.all(&sql, [bytes], seed_row)
    }

    pub fn seeds_standing(&self, standing: Standing) -> Result<Vec<SeedRow>> {
        debug_assert!(standing != Standing::Published, "the index leaves these out");
        // The word stands in the text, not in a binding: SQLite prepares a statement
        // again for each binding that decides whether a partial index serves.
        let sql = format!(
            "SELECT {SEED} FROM seeds WHERE standing <> 'published' AND standing = '{}' ORDER BY path",
            standing.word()
        );
        self.all(&sql, [], seed_row)
    }

    /// The seeds whose time has come, the earliest first.
    pub fn seeds_due(&self, now: Micros) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE due <= ? ORDER BY due, path");
        self.all(&sql, [now], seed_row)
    }

    pub fn next_seed_due(&self) -> Result<Option<Micros>> {
        Ok(self
            .one("SELECT min(due) FROM seeds WHERE due IS NOT NULL", [], |row| row.get(0))?
            .flatten())
    }

    /// The seeds whose name without extension is this, folded.
    pub fn seeds_of_stem(&self, stem: &str) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE stem = ? ORDER BY path");
        self.all(&sql, [stem], seed_row)
    }

    pub fn put_seed(&self, row: &SeedRow, stem: &str) -> Result<()> {
        let stat = &row.stat;
        self.run(
            "INSERT OR REPLACE INTO seeds (path, device, inode, birth, length, modified, changed, \
             bytes, standing, entry, article, seen, due, dated, stem) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                row.path,
                stat.device as i64,
                stat.inode as i64,
                stat.birth,
                stat.length as i64,
                stat.modified,
                stat.changed,
                row.bytes,
                row.standing.word(),
                row.entry,
                row.article,
                row.seen,
                row.due,
                row.dated,
                stem,
            ],
        )?;
        Ok(())
    }

    /// Of a seed that is there: how it stands, which entry it is, when it is due.
    pub fn put_standing(&self, row: &SeedRow) -> Result<()> {
        self.run(
            "UPDATE seeds SET standing = ?, entry = ?, due = ? WHERE path = ?",
            params![row.standing.word(), row.entry, row.due, row.path],
        )?;
        Ok(())
    }

    pub fn remove_seed(&self, path: &SeedPath) -> Result<()> {
        self.run("DELETE FROM seeds WHERE path = ?", [path])?;
        Ok(())
    }

    /// Whatever stands in the folder, seeds and files, by path.
    pub fn known(&self) -> Result<Vec<(SeedPath, Stat)>> {
        let columns = "path, device, inode, birth, length, modified, changed";
        let sql = format!(
            "SELECT {columns} FROM seeds UNION ALL SELECT {columns} FROM files ORDER BY path"
        );
        self.all(&sql, [], |row| Ok((row.get(0)?, stat(row, 1)?)))
    }

    /// Makes every seed look changed, so that the next comparison reads it again.
    pub fn forget_stats(&self) -> Result<()> {
        self.run("UPDATE seeds SET changed = -1", [])?;
        Ok(())
    }
}

fn seed_row(row: &Row<'_>) -> rusqlite::Result<SeedRow> {
    Ok(SeedRow {
        path: row.get(0)?,
        stat: stat(row, 1)?,
        bytes: row.get(7)?,
        standing: row.get(8)?,
        entry: row.get(9)?,
        article: row.get(10)?,
        seen: row.get(11)?,
        due: row.get(12)?,
        dated: row.get(13)?,
    })
}

fn stat(row: &Row<'_>, first: usize) -> rusqlite::Result<Stat> {
    Ok(Stat {
        device: row.get::<_, i64>(first)? as u64,
        inode: row.get::<_, i64>(first + 1)? as u64,
        birth: row.get(first + 2)?,
        length: row.get::<_, i64>(first + 3)? as u64,
        modified: row.get(first + 4)?,
        changed: row.get(first + 5)?,
    })
}

/// Files that are no seeds.
impl Rows<'_> {
    pub fn file(&self, path: &SeedPath) -> Result<Option<File>> {
        let sql = "SELECT path, device, inode, birth, length, modified, changed, media_type, width, \
                   height FROM files WHERE path = ?";
        self.one(sql, [path], |row| {
            let (width, height): (Option<u32>, Option<u32>) = (row.get(8)?, row.get(9)?);
            Ok(File {
                path: row.get(0)?,
                stat: stat(row, 1)?,
                media_type: row.get(7)?,
                size: width.zip(height),
            })
        })
    }

    pub fn put_file(&self, file: &File) -> Result<()> {
        let stat = &file.stat;
        self.run(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                file.path,
                stat.device as i64,
                stat.inode as i64,
                stat.birth,
                stat.length as i64,
                stat.modified,
                stat.changed,
                file.media_type,
                file.size.map(|it| it.0),
                file.size.map(|it| it.1),
            ],
        )?;
        Ok(())
    }

    pub fn count_files(&self) -> Result<u64> {
        Ok(self.count("SELECT count(*) FROM files", [])?.unsigned_abs())
    }

    /// Whether there was one.
    pub fn remove_file(&self, path: &SeedPath) -> Result<bool> {
        Ok(self.run("DELETE FROM files WHERE path = ?", [path])? > 0)
    }
}

/// Problems, one for each path.
impl Rows<'_> {
    pub fn problems(&self) -> Result<Vec<Problem>> {
        self.all("SELECT path, line, reason, consequence FROM problems ORDER BY path", [], |row| {
            Ok(Problem {
                path: row.get(0)?,
                line: row.get(1)?,
                reason: row.get(2)?,
                consequence: row.get(3)?,
            })
        })
    }

    /// Whether it is news.
    pub fn put_problem(&self, problem: &Problem) -> Result<bool> {
        let Problem { path, line, reason, consequence } = problem;
        let changed = self.run(
            "INSERT INTO problems VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE \
             SET line = ?2, reason = ?3, consequence = ?4 \
             WHERE line IS NOT ?2 OR reason <> ?3 OR consequence <> ?4",
            params![path, line, reason, consequence],
        )?;
        Ok(changed > 0)
    }

    pub fn remove_problem(&self, path: &SeedPath) -> Result<()> {
        self.run("DELETE FROM problems WHERE path = ?", [path])?;
        Ok(())
    }
}

const ENTRY: &str = "number, id, guid, path, device, inode, birth, bytes, inputs, title, wanted, \
                     permalink, published, updated, announced, article, status, since, changed";

/// Entries.
impl Rows<'_> {
    pub fn entry(&self, number: i64) -> Result<Option<EntryRow>> {
        self.one(&format!("SELECT {ENTRY} FROM entries WHERE number = ?"), [number], entry_row)
    }

    pub fn entry_of_guid(&self, guid: &str) -> Result<Option<EntryRow>> {
        self.one(&format!("SELECT {ENTRY} FROM entries WHERE guid = ?"), [guid], entry_row)
    }

    pub fn entry_of_id(&self, id: &str) -> Result<Option<EntryRow>> {
        self.one(&format!("SELECT {ENTRY} FROM entries WHERE id = ?"), [id], entry_row)
    }

    /// The entries whose seed stands here or stood here last, the newest first.
    pub fn entries_at(&self, path: &SeedPath) -> Result<Vec<EntryRow>> {
        let sql = format!("SELECT {ENTRY} FROM entries WHERE path = ? ORDER BY number DESC");
        self.all(&sql, [path], entry_row)
    }

    /// The entries whose seeds' paths stand from `from` up to `to`, this one left out.
    pub fn entries_between(&self, from: &[u8], to: &[u8]) -> Result<Vec<EntryRow>> {
        let sql = format!("SELECT {ENTRY} FROM entries WHERE path >= ? AND path < ?");
        self.all(&sql, [from, to], entry_row)
    }

    pub fn entries_of_file(&self, stat: &Stat) -> Result<Vec<EntryRow>> {
        let sql = format!("SELECT {ENTRY} FROM entries WHERE inode = ? AND device = ?");
        self.all(&sql, [stat.inode as i64, stat.device as i64], entry_row)
    }

    pub fn entries_of_bytes(&self, bytes: &Hash) -> Result<Vec<EntryRow>> {
        self.all(&format!("SELECT {ENTRY} FROM entries WHERE bytes = ?"), [bytes], entry_row)
    }

    pub fn entries_of_status(&self, status: Status) -> Result<Vec<EntryRow>> {
        debug_assert!(status != Status::Live, "the index leaves these out");
        let sql = format!(
            "SELECT {ENTRY} FROM entries WHERE status <> 'live' AND status = '{}' ORDER BY number",
            status.word()
        );
        self.all(&sql, [], entry_row)
    }

    /// The entries that were withdrawn at or after `since` because their seed was gone.
    pub fn entries_gone_since(&self, since: Micros) -> Result<Vec<EntryRow>> {
        let sql = format!(
            "SELECT {ENTRY} FROM entries WHERE status <> 'live' AND status = 'gone' AND since >= ? \
             AND inode <> 0"
        );
        self.all(&sql, [since], entry_row)
    }

    pub fn count_live(&self) -> Result<i64> {
        self.count("SELECT coalesce(sum(live), 0) FROM scopes WHERE kind = 'site'", [])
    }

    pub fn last_number(&self) -> Result<i64> {
        self.count("SELECT coalesce(max(number), 0) FROM entries", [])
    }

    pub fn put_entry(&self, row: &EntryRow) -> Result<()> {
        self.run(
            "INSERT INTO entries VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
             ON CONFLICT (number) DO UPDATE SET path = ?4, device = ?5, inode = ?6, birth = ?7, \
             bytes = ?8, inputs = ?9, title = ?10, wanted = ?11, permalink = ?12, published = ?13, \
             updated = ?14, announced = ?15, article = ?16, status = ?17, since = ?18, changed = ?19",
            params![
                row.number,
                row.id,
                row.guid,
                row.path,
                row.device as i64,
                row.inode as i64,
                row.birth,
                row.bytes,
                row.inputs,
                row.title,
                row.wanted,
                row.permalink,
                row.published,
                row.updated,
                row.announced,
                row.article,
                row.status.word(),
                row.since,
                row.changed,
            ],
        )?;
        Ok(())
    }
}

fn entry_row(row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        number: row.get(0)?,
        id: row.get(1)?,
        guid: row.get(2)?,
        path: row.get(3)?,
        device: row.get::<_, i64>(4)? as u64,
        inode: row.get::<_, i64>(5)? as u64,
        birth: row.get(6)?,
        bytes: row.get(7)?,
        inputs: row.get(8)?,
        title: row.get(9)?,
        wanted: row.get(10)?,
        permalink: row.get(11)?,
        published: row.get(12)?,
        updated: row.get(13)?,
        announced: row.get(14)?,
        article: row.get(15)?,
        status: row.get(16)?,
        since: row.get(17)?,
        changed: row.get(18)?,
    })
}

/// Names that ids were minted from, and paths on the site.
impl Rows<'_> {
    /// Whether it was new.
    pub fn mint(&self, name: &str) -> Result<bool> {
        Ok(self.run("INSERT OR IGNORE INTO minted VALUES (?)", [name])? > 0)
    }

    /// The entries that have or had this path, the latest first.
    pub fn holders(&self, path: &str) -> Result<Vec<i64>> {
        self.all("SELECT entry FROM places WHERE path = ? ORDER BY entry DESC", [path], |row| {
            row.get(0)
        })
    }

    /// Whether the entry did not have it before.
    pub fn put_place(&self, path: &str, entry: i64) -> Result<bool> {
        let sql = "INSERT OR IGNORE INTO places VALUES (?, ?)";
        Ok(self.run(sql, params![path, entry])? > 0)
    }

    /// Every path that this entry has or had.
    pub fn places_of(&self, entry: i64) -> Result<Vec<String>> {
        self.all("SELECT path FROM places WHERE entry = ?", [entry], |row| row.get(0))
    }
}

/// Articles, and what they refer to.
impl Rows<'_> {
    pub fn article(&self, article: i64) -> Result<Option<Converted>> {
        let sql = "SELECT bytes, inputs, data FROM articles WHERE article = ?";
        let found = self.one(sql, [article], |row| {
            Ok((row.get::<_, Hash>(0)?, row.get::<_, Hash>(1)?, unpacked(row.get_ref(2)?)))
        })?;
        let Some((bytes, inputs, article)) = found else { return Ok(None) };
        Ok(Some(Converted { article: article?, bytes, inputs }))
    }

    /// The number under which it is kept.
    pub fn put_article(&self, converted: &Converted, version: u32) -> Result<i64> {
        let text =
            serde_json::to_vec(&converted.article).map_err(|it| Error::Article(it.to_string()))?;
        let data = COMPRESSOR
            .with_borrow_mut(|it| it.compress(&text))
            .map_err(|it| Error::Article(it.to_string()))?;
        self.run(
            "INSERT INTO articles (bytes, inputs, version, data) VALUES (?, ?, ?, ?)",
            params![converted.bytes, converted.inputs, version, data],
        )?;
        Ok(self.last_row())
    }

    pub fn remove_article(&self, article: i64) -> Result<()> {
        self.run("DELETE FROM articles WHERE article = ?", [article])?;
        Ok(())
    }

    /// Replaces what an entry refers to.
    pub fn put_uses(&self, entry: i64, targets: &[Vec<u8>]) -> Result<()> {
        self.run("DELETE FROM uses WHERE entry = ?", [entry])?;
        for target in targets {
            self.run("INSERT OR IGNORE INTO uses VALUES (?, ?)", params![target, entry])?;
        }
        Ok(())
    }

    /// Whether anything refers to anything.
    pub fn has_uses(&self) -> Result<bool> {
        Ok(self.one("SELECT 1 FROM uses LIMIT 1", [], |_| Ok(()))?.is_some())
    }

    /// The live entries that refer to this.
    pub fn users(&self, target: &[u8]) -> Result<Vec<i64>> {
        let sql = "SELECT entry FROM uses JOIN entries ON number = entry WHERE target = ? \
                   AND status IN ('live', 'leaving', 'held')";
        self.all(sql, [target], |row| row.get(0))
    }
}

thread_local! {
    // Level 1 halves text at some hundred MB/s; the database is mostly bodies. Making
    // a context costs more than an article of usual length, so each thread keeps one.
    static COMPRESSOR: RefCell<zstd::bulk::Compressor<'static>> = RefCell::new(
        zstd::bulk::Compressor::new(1).expect("level 1 is a level of zstd"));
    static DECOMPRESSOR: RefCell<zstd::bulk::Decompressor<'static>> = RefCell::new(
        zstd::bulk::Decompressor::new().expect("a decompressor without dictionary needs memory alone"));
}

fn unpacked(data: ValueRef<'_>) -> Result<Article> {
    let data = data.as_blob().map_err(|it| Error::Article(it.to_string()))?;
    let length = zstd::zstd_safe::get_frame_content_size(data).ok().flatten().unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(0);
    let text = DECOMPRESSOR
        .with_borrow_mut(|it| it.decompress(data, length))
        .map_err(|it| Error::Article(it.to_string()))?;
    serde_json::from_slice(&text).map_err(|it| Error::Article(it.to_string()))
}

impl ToSql for SeedPath {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

impl FromSql for SeedPath {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        SeedPath::new(value.as_blob()?).ok_or(FromSqlError::InvalidType)
    }
}

impl FromSql for Standing {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Standing::ALL.into_iter().find(|it| it.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Status::ALL.into_iter().find(|it| it.word() == word).ok_or(FromSqlError::InvalidType)
    }
}
