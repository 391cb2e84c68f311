//! The noun of the shelf: what stands at each path of the site at one instant,
//! ready to send.
//!
//! In: nothing; [`Shelf`](crate::shelf::Shelf) writes here. Out: [`View`], which
//! gives the present [`Snapshot`] without a lock. A snapshot never changes, but
//! for three notes that readers leave on it: when something was last used, which
//! codings were wished for, and the codings that came of it.
//!
//! A snapshot is swapped as one and not copied as one: it is 256 shards, each
//! behind an `Arc`, and a change copies the shards it touches and one array.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use crate::catalog::entry::Part;
use crate::catalog::scope::Scope;
use crate::render::rendition::{Format, Key};
use crate::watch::seed::SeedPath;

/// Content codings (RFC 9110, section 8.4.1), the one we like best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    Brotli,
    Zstd,
    Gzip,
    Identity,
}

impl Coding {
    pub const ALL: [Coding; 4] = [Coding::Brotli, Coding::Zstd, Coding::Gzip, Coding::Identity];

    /// As `Content-Encoding` names it; `None` for identity, which is never named
    /// there.
    pub fn token(self) -> Option<&'static str> {
        match self {
            Coding::Brotli => Some("br"),
            Coding::Zstd => Some("zstd"),
            Coding::Gzip => Some("gzip"),
            Coding::Identity => None,
        }
    }

    /// What sets the tag of this coding apart from that of the content.
    pub fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => "-br",
            Coding::Zstd => "-zstd",
            Coding::Gzip => "-gzip",
            Coding::Identity => "",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A document in one coding.
#[derive(Debug, Clone)]
pub struct Variant {
    pub bytes: Bytes,
    /// Strong, with its quotation marks.
    pub etag: HeaderValue,
    /// The number of bytes.
    pub length: HeaderValue,
    /// The heads of answers with it, whole and for those who have it: whoever serves it
    /// leaves them here.
    pub head: OnceLock<HeaderMap>,
    pub unchanged: OnceLock<HeaderMap>,
}

/// A document in all its codings.
#[derive(Debug)]
pub struct Codings {
    pub identity: Variant,
    /// `None` where it would not be shorter.
    pub gzip: Option<Variant>,
    /// Made when first asked for; `None` where it would not be shorter.
    pub brotli: OnceLock<Option<Variant>>,
    pub zstd: OnceLock<Option<Variant>>,
}

/// Whether a document stands on the shelf in a coding.
#[derive(Debug, Clone, Copy)]
pub enum Stock<'a> {
    Ready(&'a Variant),
    /// Nobody has asked for it yet, or it is being made.
    Unmade,
    /// It would not be shorter.
    Useless,
}

impl Codings {
    pub fn stock(&self, coding: Coding) -> Stock<'_> {
        let made = match coding {
            Coding::Identity => return Stock::Ready(&self.identity),
            Coding::Gzip => Some(&self.gzip),
            Coding::Brotli => self.brotli.get(),
            Coding::Zstd => self.zstd.get(),
        };
        match made {
            Some(Some(variant)) => Stock::Ready(variant),
            Some(None) => Stock::Useless,
            None => Stock::Unmade,
        }
    }

    /// What there is now.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        Coding::ALL.into_iter().filter_map(|it| match self.stock(it) {
            Stock::Ready(variant) => Some(variant),
            Stock::Unmade | Stock::Useless => None,
        })
    }
}

/// `tag` of a document that readers subscribe to, with the moment of its last change
/// behind it, and a check that it is this document's: `TAG.MOMENT.CHECK`.
pub(super) fn with_moment(tag: &str, path: &str, moment: i64) -> String {
    format!("{tag}.{moment:x}.{}", check(tag, path, moment))
}

fn check(tag: &str, path: &str, moment: i64) -> String {
    let hash = blake3::hash(format!("{tag}.{moment:x}.{path}").as_bytes());
    hash.to_hex()[..6].to_owned()
}

/// The moment in a tag of the document at `path`, without quotation marks and the
/// suffix of a coding; `None` where it is not one that [`with_moment`] made for it.
pub fn moment(tag: &str, path: &str) -> Option<i64> {
    let (tag, rest) = tag.split_once('.')?;
    let (moment, found) = rest.split_once('.')?;
    let moment = i64::from_str_radix(moment, 16).ok()?;
    (check(tag, path, moment) == found).then_some(moment)
}

/// What a document is, as far as caching and safety go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The document of a scope that readers subscribe to.
    Feed,
    /// An archive page of a feed (RFC 5005, section 4).
    Archive,
    /// What changed in such a document since an earlier version (RFC 3229).
    Delta,
    /// A list for programs.
    List,
    /// A page for people.
    Page,
    /// The page for people at the address of a feed.
    Visit,
    /// A file of the seeds folder that can only be looked at or listened to.
    Media,
    /// A file of the seeds folder that a browser might run: SVG, HTML, XML, and
    /// whatever we do not know.
    Active,
}

/// A feed, page or file with its header values.
#[derive(Debug)]
pub struct Document {
    pub kind: Kind,
    pub media_type: HeaderValue,
    pub language: Option<HeaderValue>,
    /// Values of `Link` header fields.
    pub links: Vec<HeaderValue>,
    /// Seconds since 1970.
    pub modified: i64,
    /// The same as an HTTP date.
    pub last_modified: HeaderValue,
    pub body: Body,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are bytes, and one jump less to them")]
pub enum Body {
    Bytes(Codings),
    /// Opened and looked at again for each request.
    File(SeedPath),
}

/// What stands at a path.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are documents, one jump less to them")]
pub enum Item {
    Document(Document),
    /// 301 to this path of the site.
    Moved(String),
    /// 410.
    Gone,
    /// 404. Never on the shelf itself, since anybody can think of paths.
    Missing,
}

/// One thing on the shelf.
#[derive(Debug)]
pub struct Shelved {
    pub key: Key,
    /// The path of `key`.
    pub path: Box<str>,
    /// The revision of the catalog it was read at.
    pub revision: u64,
    pub item: Item,
    /// The tick of the last use; ticks count the changes of the shelf.
    used: AtomicU64,
    /// Whether a reader has asked for it since it was put here.
    asked: AtomicBool,
    /// The codings that were wished for, by their bits.
    wished: AtomicU8,
}

impl Shelved {
    pub(super) fn new(key: Key, revision: u64, item: Item, tick: u64) -> Shelved {
        Shelved {
            path: key.path().into(),
            key,
            revision,
            item,
            used: AtomicU64::new(tick),
            asked: AtomicBool::new(false),
            wished: AtomicU8::new(0),
        }
    }

    /// About how many bytes of memory it takes.
    pub fn cost(&self) -> usize {
        const FIXED: usize = 3000;
        let item = match &self.item {
            Item::Document(document) => {
                let links: usize = document.links.iter().map(|it| it.len() + 40).sum();
                let bytes: usize = match &document.body {
                    Body::Bytes(codings) => codings.variants().map(|it| it.bytes.len()).sum(),
                    Body::File(path) => path.as_bytes().len(),
                };
                links + bytes
            }
            Item::Moved(to) => to.len(),
            Item::Gone | Item::Missing => 0,
        };
        FIXED + self.path.len() * 2 + item
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Notes that a reader was given it. Writes at most once between two changes of
    /// the shelf, so that readers on several cores do not fight for the memory.
    pub(super) fn note_use(&self, tick: u64) {
        if self.used.load(Ordering::Relaxed) != tick {
            self.used.store(tick, Ordering::Relaxed);
        }
        if !self.asked.load(Ordering::Relaxed) {
            self.asked.store(true, Ordering::Relaxed);
        }
    }
}

/// The keys that are always kept: the site's feeds and its index.
pub fn pinned() -> Vec<Key> {
    let feeds =
        Format::ALL.map(|format| Key::Feed { scope: Scope::Site, part: Part::Current, format });
    feeds.into_iter().chain([Key::Index(Scope::Site)]).collect()
}

/// Whether `key` is always kept.
pub fn is_pinned(key: &Key) -> bool {
    matches!(
        key,
        Key::Feed { scope: Scope::Site, part: Part::Current, .. } | Key::Index(Scope::Site)
    )
}

/// A shelved thing in a set by its path.
#[derive(Debug, Clone)]
struct Slot(Arc<Shelved>);

impl Borrow<str> for Slot {
    fn borrow(&self) -> &str {
        &self.0.path
    }
}

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (*self.0.path).hash(state);
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Slot) -> bool {
        self.0.path == other.0.path
    }
}

impl Eq for Slot {}

type Shard = HashSet<Slot, RandomState>;

const SHARDS: usize = 256;

/// The shelf at one instant.
#[derive(Clone)]
pub struct Snapshot {
    shards: Box<[Arc<Shard>]>,
}

impl Snapshot {
    pub(super) fn empty() -> Snapshot {
        let shard = Arc::new(Shard::default());
        Snapshot { shards: vec![shard; SHARDS].into() }
    }

    /// What stands at `path` of the site, spelled as [`Key::path`] spells it.
    pub fn get(&self, path: &str) -> Option<&Arc<Shelved>> {
        self.shards[shard(path)].get(path).map(|it| &it.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Shelved>> {
        self.shards.iter().flat_map(|it| it.iter()).map(|it| &it.0)
    }

    /// Gives back what stood there before.
    pub(super) fn insert(&mut self, shelved: Arc<Shelved>) -> Option<Arc<Shelved>> {
        let shard = shard(&shelved.path);
        Arc::make_mut(&mut self.shards[shard]).replace(Slot(shelved)).map(|it| it.0)
    }

    pub(super) fn remove(&mut self, path: &str) -> Option<Arc<Shelved>> {
        let shard = shard(path);
        if !self.shards[shard].contains(path) {
            return None;
        }
        Arc::make_mut(&mut self.shards[shard]).take(path).map(|it| it.0)
    }
}

fn shard(path: &str) -> usize {
    // Cheaper than the hash of the set, and another (FNV-1a): a shard that has more
    // than its share costs a little more to change.
    let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as usize % SHARDS
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|it| &it.path)).finish()
    }
}

/// A wish for a document in a coding that is not made yet.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) shelved: Arc<Shelved>,
    pub(super) coding: Coding,
}

/// Where readers look at the shelf. They change nothing on it and wait for nobody.
#[derive(Debug, Clone)]
pub struct View {
    pub(super) current: Arc<ArcSwap<Snapshot>>,
    /// How often the shelf has changed.
    pub(super) tick: Arc<AtomicU64>,
    pub(super) wishes: SyncSender<Wish>,
}

impl View {
    /// The shelf as it is now. Not to be kept across a wait: it holds up the
    /// memory of what leaves the shelf meanwhile.
    pub fn now(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Notes that a reader was given `shelved`, so that it stays.
    pub fn note_use(&self, shelved: &Shelved) {
        shelved.note_use(self.tick.load(Ordering::Relaxed));
    }

    /// Asks for `shelved` in `coding`, once for each version; later readers will
    /// find it there. Asks for nothing where too many wishes wait already.
    pub fn wish(&self, shelved: &Arc<Shelved>, coding: Coding) {
        if shelved.wished.load(Ordering::Relaxed) & coding.bit() != 0
            || shelved.wished.fetch_or(coding.bit(), Ordering::Relaxed) & coding.bit() != 0
        {
            return;
        }
        let wish = Wish { shelved: Arc::clone(shelved), coding };
        if self.wishes.try_send(wish).is_err() {
            shelved.wished.fetch_and(!coding.bit(), Ordering::Relaxed);
        }
    }
}
