//! Renditions by URL path, ready to send.
//!
//! In: what was made of a key, with the revision of the catalog it was read at,
//! and word of keys that have changed since. Out: a [`View`] of an immutable
//! [`Snapshot`], swapped as one.
//!
//! Invariants
//! - Nothing that was read before the last change of its key comes onto the shelf,
//!   so no race shows a page that was withdrawn.
//! - Readers wait for nobody. Whoever changes the shelf waits only for others who
//!   do, and for no compression.
//! - What stands here, the pinned keys aside, costs at most [`Options::memory`].
//!
//! What never happens here: making, reading files, HTTP.

pub mod snapshot;

mod encode;
mod squeeze;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::cores;
use crate::render::rendition::{Key, Made};
use crate::shelf::snapshot::{
    Body, Coding, Document, Item, Shelved, Snapshot, Variant, View, is_pinned,
};

#[derive(Debug, Clone)]
pub struct Options {
    /// In bytes, over all codings. What was not used for longest goes first.
    pub memory: usize,
}

/// Touched keys that are remembered; older ones are covered by a floor.
const TOUCHED: usize = 20_000;

/// Wishes for codings that may wait.
const WISHES: usize = 256;

/// The shelf. See the head of this module.
pub struct Shelf {
    inner: Arc<Inner>,
}

struct Inner {
    view: View,
    memory: AtomicUsize,
    books: Mutex<Books>,
}

/// What whoever changes the shelf must know.
#[derive(Debug, Default)]
struct Books {
    /// What stands on the shelf costs, in bytes.
    cost: usize,
    touched: HashMap<Key, Touch>,
    /// What was read before this revision is refused, whatever its key.
    floor: u64,
}

#[derive(Debug, Clone, Copy)]
struct Touch {
    revision: u64,
    /// It stood on the shelf and was asked for.
    missed: bool,
}

impl Shelf {
    /// An empty shelf, and a thread that compresses for it until it is dropped.
    pub fn new(options: Options) -> Shelf {
        let (wishes, wished) = mpsc::sync_channel(WISHES);
        let view = View {
            current: Arc::new(ArcSwap::from_pointee(Snapshot::empty())),
            tick: Arc::new(AtomicU64::new(1)),
            wishes,
        };
        let memory = AtomicUsize::new(options.memory);
        let inner = Arc::new(Inner { view, memory, books: Mutex::default() });
        squeeze::start(wished, Arc::downgrade(&inner));
        Shelf { inner }
    }

    /// Where readers look; cheap to clone.
    pub fn view(&self) -> View {
        self.inner.view.clone()
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.view.current.load_full()
    }

    /// Puts what was made at `key` on the shelf and gives it back, ready to send.
    /// `revision` is the catalog's when it was read. `None` where the key has
    /// changed since: make it again.
    ///
    /// What is missing, or too large to share the shelf with others, is only given
    /// back.
    pub fn put(&self, key: Key, made: Made, revision: u64) -> Option<Arc<Shelved>> {
        let shelved = self.inner.shelved(key, made, revision);
        // Whoever makes one thing does it for a reader who waits.
        self.inner.view.note_use(&shelved);
        let is_refused = !self.inner.place(vec![Arc::clone(&shelved)]).is_empty();
        (!is_refused).then_some(shelved)
    }

    /// Puts all of `made` on the shelf at one instant, so that the formats of a feed
    /// change together. Gives back the keys that have changed since `revision`:
    /// make them again.
    pub fn put_all(&self, made: Vec<(Key, Made)>, revision: u64) -> Vec<Key> {
        // Compression is most of the work.
        let shelved = cores::share(made, |(key, made)| self.inner.shelved(key, made, revision));
        self.inner.place(shelved)
    }

    /// Says that `keys` changed at `revision` of the catalog. Pinned ones stay until
    /// they are replaced, the others vanish at once.
    pub fn touch(&self, keys: &[Key], revision: u64) {
        self.inner.touch(keys, revision);
    }

    /// Says that at `revision` of the catalog all keys changed that are such. Those that
    /// are pinned are given back, and stay until they are replaced.
    pub fn touch_all(&self, is_such: fn(&Key) -> bool, revision: u64) -> Vec<Key> {
        self.inner.touch_all(is_such, revision)
    }

    /// Whether `key` should be made before anybody asks: pinned, on the shelf now, or
    /// on it and asked for until it was touched.
    pub fn wants(&self, key: &Key) -> bool {
        is_pinned(key)
            || self.inner.view.now().get(&key.path()).is_some()
            || self.inner.books().touched.get(key).is_some_and(|it| it.missed)
    }

    /// Lets what stands here, the pinned keys aside, cost at most `memory` bytes from the
    /// next change on.
    pub fn limit(&self, memory: usize) {
        self.inner.memory.store(memory, Ordering::Relaxed);
    }

    /// What stands on the shelf costs, in bytes.
    pub fn cost(&self) -> usize {
        self.inner.books().cost
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("cost", &self.cost()).finish_non_exhaustive()
    }
}

impl Inner {
    fn books(&self) -> MutexGuard<'_, Books> {
        // The books are only written where nothing can panic in between.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self) -> usize {
        self.memory.load(Ordering::Relaxed)
    }

    fn shelved(&self, key: Key, made: Made, revision: u64) -> Arc<Shelved> {
        let item = encode::item(&key, made);
        Arc::new(Shelved::new(key, revision, item, self.view.tick.load(Ordering::Relaxed)))
    }

    /// Gives back the keys that were refused.
    fn place(&self, all: Vec<Arc<Shelved>>) -> Vec<Key> {
        let mut books = self.books();
        let mut snapshot = Snapshot::clone(&self.view.now());
        let mut refused = Vec::new();
        for shelved in all {
            let key = &shelved.key;
            let is_older = books.touched.get(key).is_some_and(|it| it.revision > shelved.revision)
                || snapshot.get(&shelved.path).is_some_and(|it| it.revision > shelved.revision);
            if shelved.revision < books.floor || is_older {
                refused.push(key.clone());
                continue;
            }
            if let Some(touch) = books.touched.get_mut(key) {
                touch.missed = false;
            }
            let cost = shelved.cost();
            let is_kept = is_pinned(key) || cost <= self.memory() / 4;
            let before = match is_kept && !matches!(shelved.item, Item::Missing) {
                true => {
                    books.cost += cost;
                    snapshot.insert(shelved)
                }
                false => snapshot.remove(&shelved.path),
            };
            books.cost -= before.map_or(0, |it| it.cost());
        }
        self.make_room(&mut books, &mut snapshot);
        self.show(snapshot);
        refused
    }

    fn touch(&self, keys: &[Key], revision: u64) {
        let mut books = self.books();
        let mut snapshot = Snapshot::clone(&self.view.now());
        if books.touched.len() + keys.len() > TOUCHED {
            // Everything that was touched so far was touched at or before the highest
            // revision, so refusing all that was read before it forgets nothing.
            let highest = books.touched.values().map(|it| it.revision).max().unwrap_or(0);
            books.floor = books.floor.max(highest);
            books.touched.clear();
        }
        for key in keys {
            let gone = match is_pinned(key) {
                true => None,
                false => snapshot.remove(&key.path()),
            };
            let was_asked = gone.as_ref().is_some_and(|it| it.asked());
            books.cost -= gone.map_or(0, |it| it.cost());
            let touch =
                books.touched.entry(key.clone()).or_insert(Touch { revision, missed: false });
            touch.revision = touch.revision.max(revision);
            touch.missed |= was_asked;
        }
        self.show(snapshot);
    }

    fn touch_all(&self, is_such: fn(&Key) -> bool, revision: u64) -> Vec<Key> {
        let mut books = self.books();
        let mut snapshot = Snapshot::clone(&self.view.now());
        let such: Vec<Key> = snapshot.iter().map(|it| it.key.clone()).filter(is_such).collect();
        let (pinned, others): (Vec<Key>, Vec<Key>) = such.into_iter().partition(is_pinned);
        for key in others {
            books.cost -= snapshot.remove(&key.path()).map_or(0, |it| it.cost());
        }
        // Others that are being made now are made again, too: that is seldom and cheap.
        books.floor = books.floor.max(revision);
        self.show(snapshot);
        pinned
    }

    /// Takes down what was not used for longest, more than needed, so that the search
    /// is not made again for each newcomer.
    fn make_room(&self, books: &mut Books, snapshot: &mut Snapshot) {
        if books.cost <= self.memory() {
            return;
        }
        let mut all: Vec<_> = snapshot
            .iter()
            .filter(|it| !is_pinned(&it.key))
            .map(|it| (it.used(), it.cost(), it.path.clone()))
            .collect();
        all.sort_unstable_by_key(|(used, _, _)| *used);
        let aim = self.memory() / 8 * 7;
        for (_, _, path) in all {
            if books.cost <= aim {
                break;
            }
            books.cost -= snapshot.remove(&path).map_or(0, |it| it.cost());
        }
    }

    /// Adds a coding to a document, if that still stands here.
    fn add(&self, shelved: &Arc<Shelved>, coding: Coding, made: Option<Variant>) {
        let mut books = self.books();
        if !self.view.now().get(&shelved.path).is_some_and(|it| Arc::ptr_eq(it, shelved)) {
            return;
        }
        let Item::Document(Document { body: Body::Bytes(codings), .. }) = &shelved.item else {
            return;
        };
        let place = match coding {
            Coding::Brotli => &codings.brotli,
            Coding::Zstd => &codings.zstd,
            Coding::Gzip | Coding::Identity => return,
        };
        let cost = made.as_ref().map_or(0, |it| it.bytes.len());
        if place.set(made).is_ok() {
            books.cost += cost;
        }
        if books.cost > self.memory() {
            let mut snapshot = Snapshot::clone(&self.view.now());
            self.make_room(&mut books, &mut snapshot);
            self.show(snapshot);
        }
    }

    fn show(&self, snapshot: Snapshot) {
        self.view.current.store(Arc::new(snapshot));
        self.view.tick.fetch_add(1, Ordering::Relaxed);
    }
}
