//! What the catalog keeps, row by row: plain data between the decider and the
//! store. Times are microseconds since 1970.

use crate::convert::article::Article;
use crate::watch::seed::{SeedPath, Stat};

pub type Micros = i64;
pub const SECOND: Micros = 1_000_000;

/// BLAKE3 of something.
pub type Hash = [u8; 32];

/// A seed that stands in the folder now.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedRow {
    pub path: SeedPath,
    pub stat: Stat,
    /// Of its bytes. `None` for an empty seed: those are never compared.
    pub bytes: Option<Hash>,
    pub standing: Standing,
    /// Which entry it is, if any.
    pub entry: Option<i64>,
    /// Its article in the cache, where the bytes that stand there gave one.
    pub article: Option<i64>,
    /// When it was first sighted at this path.
    pub seen: Micros,
    /// The date that the document states.
    pub dated: Option<Micros>,
    /// When somebody must look at it again without any event.
    pub due: Option<Micros>,
}

impl SeedRow {
    /// How it stands where it gave no article.
    pub fn without_article(&self) -> Standing {
        if self.bytes.is_none() { Standing::Empty } else { Standing::Broken }
    }
}

/// How a seed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Published,
    /// The document, its name or its folder says draft.
    Draft,
    /// Its date is yet to come.
    Future,
    Expired,
    /// A byte-identical copy of a published seed, or another name of its inode.
    Copy,
    /// A newcomer older than a day, until its drop ends.
    Drop,
    /// A newcomer of the first import, until that closes.
    Import,
    /// A newcomer at the path of an entry that is leaving.
    Queue,
    Empty,
    /// It could not be converted; its entry, if any, keeps its last version.
    Broken,
}

impl Standing {
    pub const ALL: [Standing; 10] = [
        Standing::Published,
        Standing::Draft,
        Standing::Future,
        Standing::Expired,
        Standing::Copy,
        Standing::Drop,
        Standing::Import,
        Standing::Queue,
        Standing::Empty,
        Standing::Broken,
    ];

    /// The word in the database and in `sower status`.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Published => "published",
            Standing::Draft => "draft",
            Standing::Future => "future",
            Standing::Expired => "expired",
            Standing::Copy => "copy",
            Standing::Drop => "drop",
            Standing::Import => "import",
            Standing::Queue => "queue",
            Standing::Empty => "empty",
            Standing::Broken => "broken",
        }
    }
}

/// An entry, live or withdrawn.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryRow {
    pub number: i64,
    pub id: String,
    pub guid: String,
    /// Where its seed stands, or stood last.
    pub path: SeedPath,
    /// Of its seed.
    pub device: u64,
    pub inode: u64,
    pub birth: Option<i64>,
    /// Of the bytes that its last good version was made of.
    pub bytes: Hash,
    /// Of these bytes and what the author laid around them: what the author stated.
    pub inputs: Hash,
    pub title: String,
    /// The permalink it asked for; the one it got may end in `-2`.
    pub wanted: String,
    pub permalink: String,
    pub published: Micros,
    pub updated: Micros,
    pub announced: Micros,
    /// Its last good version in the cache.
    pub article: i64,
    pub status: Status,
    /// When its status began.
    pub since: Micros,
    /// When it was last published, revised, moved or withdrawn, or what it refers to
    /// changed: of two batches the later one's is always greater.
    pub changed: Micros,
    /// Whether an author or a person withdrew it before its seed was gone: it does not
    /// return with others that vanished.
    pub judged: bool,
    /// Whether it is the article of a page bundle: files in its folder are served.
    pub is_bundle: bool,
}

impl EntryRow {
    /// Whether readers see it.
    pub fn is_live(&self) -> bool {
        matches!(self.status, Status::Live | Status::Leaving | Status::Held)
    }

    /// What is known of its seed's file: device, inode and birth time alone.
    pub fn file(&self) -> Stat {
        let (device, inode, birth) = (self.device, self.inode, self.birth);
        Stat { device, inode, birth, length: 0, modified: 0, changed: 0 }
    }

    /// Whether this seed is the very file that the entry was last made of. An inode
    /// proves that only together with its birth time, since file systems reuse
    /// inodes at once.
    pub fn is_file(&self, stat: &Stat) -> bool {
        self.birth.is_some()
            && (self.device, self.inode, self.birth) == (stat.device, stat.inode, stat.birth)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Live,
    /// Its seed is gone, the withdrawal waits; readers still see it.
    Leaving,
    /// Its seed is gone with too many others; readers see it until a person
    /// confirms.
    Held,
    /// Its seed is gone.
    Gone,
    /// Its seed is there and says draft.
    Draft,
    /// Its seed is there and says a later date.
    Future,
    Expired,
}

impl Status {
    pub const ALL: [Status; 7] = [
        Status::Live,
        Status::Leaving,
        Status::Held,
        Status::Gone,
        Status::Draft,
        Status::Future,
        Status::Expired,
    ];

    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Status::Live => "live",
            Status::Leaving => "leaving",
            Status::Held => "held",
            Status::Gone => "gone",
            Status::Draft => "draft",
            Status::Future => "future",
            Status::Expired => "expired",
        }
    }
}

/// Where a seed was read, and hashes of what was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    pub path: SeedPath,
    pub stat: Stat,
    pub bytes: Hash,
    /// Of bytes, sidecar and folder defaults; path, configuration and the converter's
    /// version are left out: equal inputs never count as a revision.
    pub inputs: Hash,
}

/// An article in the cache, with what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    pub article: Article,
    pub bytes: Hash,
    pub inputs: Hash,
}
