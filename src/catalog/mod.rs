//! Articles to entries: what is published, under which id, since when, in which
//! order. The only durable state.
//!
//! In: sightings of what stands in the folder, and the time. Out: what became stale
//! ([`Touched`]), and entries for feeds and pages ([`Reader`]).
//!
//! Invariants
//! - A batch is taken whole or not at all; a reader sees whole batches only.
//! - An id, a number, a redirect and a 410 are never given twice and never taken back.
//! - Nothing here opens a seed, knows the base URL or reads a clock.

mod bundles;
pub mod chosen;
mod decide;
mod delta;
pub mod entry;
#[cfg(test)]
mod faults;
pub mod identity;
pub mod lists;
pub mod migrate;
pub mod order;
pub mod permalink;
mod read;
pub mod references;
pub mod rows;
mod salvage;
pub mod scope;
pub mod site_key;
pub mod store;
mod touched;
mod translations;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use crate::catalog::chosen::Feeds;
use crate::catalog::decide::Decider;
use crate::catalog::entry::Part;
pub use crate::catalog::read::{Reader, Readers, Status};
use crate::catalog::rows::{Hash, Micros, Origin};
pub use crate::catalog::salvage::Salvaged;
use crate::catalog::scope::Scope;
use crate::catalog::store::{DatabaseFile, Result, Rows, Store};
use crate::convert::article::Article;
use crate::problem::Problem;
use crate::watch::seed::{File, SeedPath};

/// What the configuration says of the catalog. Durations are microseconds.
#[derive(Debug, Clone)]
pub struct Options {
    pub feeds: Feeds,
    /// How long a byte-identical copy waits.
    pub copy_wait: Micros,
    /// How long feeds carry tombstones.
    pub tombstones: Micros,
    /// Entries older than this, many of them at once, are announced at their date.
    pub backdate: Micros,
    /// The share of ten or more entries that may vanish at once.
    pub vanished_share: f64,
    /// The converter's version.
    pub converter: u32,
    /// Of the converter's options: where it changes, seeds are read again.
    pub convert_options: Hash,
}

/// What was sighted at a path of the folder.
#[derive(Debug, Clone)]
pub enum Sighting {
    Article(Origin, Box<Article>),
    /// A seed without text, picture or enclosure: no article yet.
    Empty(Origin),
    /// A seed whose bytes could not be converted. It stands there all the same.
    Broken(Origin, Problem),
    /// Something stands there that could not be read.
    Unreadable {
        path: SeedPath,
        reason: String,
    },
    File(File),
    /// Nothing stands there any more.
    Nothing(SeedPath),
}

/// What a batch made stale.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Touched {
    /// Of the catalog, with this batch in it.
    pub revision: u64,
    pub documents: BTreeSet<(Scope, Part)>,
    /// Paths of pages, files, redirects; percent-encoded.
    pub pages: BTreeSet<String>,
    /// Numbers and dates of publication, in microseconds, of entries that lists show
    /// otherwise now.
    pub listed: BTreeSet<(i64, Micros)>,
    /// What a person should know: news only, each once.
    pub notes: Vec<Problem>,
}

impl Touched {
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.pages.is_empty()
    }
}

/// What documents and pages hold beside entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    Words,
    Look,
}

/// How the catalog stands, for `/healthz` and `sower status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Live entries.
    pub entries: u64,
    pub problems: u64,
    /// Why the site is degraded; empty where it is not.
    pub reasons: Vec<String>,
}

/// The database's name in the state folder.
const DATABASE: &str = "catalog.sqlite";

/// The writer's side of the catalog. One for each state folder.
#[derive(Debug)]
pub struct Catalog {
    store: Store,
    file: DatabaseFile,
    options: Options,
    key: String,
    due: Option<Micros>,
    /// That of the last batch.
    revision: u64,
}

impl Catalog {
    /// Opens the catalog in `folder`, or begins a new one there. `key` is what ids
    /// are minted from; see [`site_key`].
    pub fn open(folder: &Path, key: String, options: Options, now: Timestamp) -> Result<Catalog> {
        let file = DatabaseFile::new(folder.join(DATABASE));
        salvage::finish(file.path())?;
        let store = Store::open(file.path())?;
        Catalog::begin(store, file, key, options, now)
    }

    fn begin(
        store: Store,
        file: DatabaseFile,
        key: String,
        options: Options,
        now: Timestamp,
    ) -> Result<Catalog> {
        let mut catalog = Catalog { store, file, options, key, due: None, revision: 0 };
        catalog.follow_options(now)?;
        Ok(catalog)
    }

    /// Goes on with other options, or as it was where that fails. Readers of before keep
    /// theirs; whoever calls compares the whole folder.
    pub fn renew(&mut self, options: Options, now: Timestamp) -> Result<Touched> {
        let old = std::mem::replace(&mut self.options, options);
        let followed = self.follow_options(now);
        if followed.is_err() {
            self.options = old;
        }
        followed
    }

    fn follow_options(&mut self, now: Timestamp) -> Result<Touched> {
        let Options { converter, convert_options, .. } = &self.options;
        let digest = format!("{converter}:{}", blake3::Hash::from(*convert_options));
        self.store.write(|rows| {
            if rows.fact("born")?.is_none() {
                rows.put_fact("born", &now.as_microsecond().to_string())?;
                rows.put_fact("import", "open")?;
            }
            if rows.fact("revision")?.is_none() {
                rows.put_fact("revision", "1")?;
            }
            if rows.fact("converter")?.is_some_and(|it| it != digest) {
                rows.forget_stats()?;
            }
            rows.put_fact("converter", &digest)
        })?;
        self.decide(now, |decider| decider.choose())
    }

    /// Opens what can be read of the damaged catalog in `folder`; the damaged one is set
    /// aside. Whoever calls compares the whole folder with it.
    pub fn salvage(
        folder: &Path,
        key: String,
        options: Options,
        now: Timestamp,
    ) -> Result<(Catalog, Salvaged)> {
        let salvaged = salvage::salvage(&folder.join(DATABASE), now)?;
        let mut catalog = Catalog::open(folder, key, options, now)?;
        catalog.decide(now, |decider| decider.join_again())?;
        Ok((catalog, salvaged))
    }

    /// The same for a catalog that is open, whose damage showed only now; its readers
    /// read the new one.
    pub fn salvage_now(&mut self, now: Timestamp) -> Result<(Salvaged, Touched)> {
        self.store.let_go()?;
        let salvaged = salvage::salvage(self.file.path(), now)?;
        let store = Store::open(self.file.path())?;
        let (key, options) = (self.key.clone(), self.options.clone());
        let revision = self.revision;
        *self = Catalog::begin(store, self.file.clone(), key, options, now)?;
        // Readers' answers are compared by it.
        self.store.write(|rows| {
            let known = rows.number("revision")?.unwrap_or(0).max(revision as i64);
            rows.put_fact("revision", &known.to_string())
        })?;
        self.file.note_replaced();
        let touched = self.decide(now, |decider| decider.join_again())?;
        Ok((salvaged, touched))
    }

    /// Takes a batch: all of it or, if the store fails, none.
    pub fn apply(&mut self, seen: Vec<Sighting>, now: Timestamp) -> Result<Touched> {
        self.decide(now, |decider| decider.take(seen))
    }

    /// Does what time alone brings; see [`Catalog::due`].
    pub fn tick(&mut self, now: Timestamp) -> Result<Touched> {
        self.decide(now, |decider| decider.tick())
    }

    /// A comparison of the whole folder, the one with this device and inode, has
    /// ended, and all that it found was applied.
    pub fn compared(&mut self, device: u64, inode: u64, now: Timestamp) -> Result<Touched> {
        self.decide(now, |decider| decider.compared(device, inode))
    }

    /// The folder is missing or cannot be looked at. Nothing is withdrawn.
    pub fn lost(&mut self, reason: &str) -> Result<()> {
        self.store.write(|rows| rows.put_fact("lost", reason))
    }

    /// A person says that what is missing is meant to be gone; returns how many
    /// entries were withdrawn.
    pub fn confirm(&mut self, now: Timestamp) -> Result<(usize, Touched)> {
        let mut count = 0;
        let touched = self.decide(now, |decider| {
            count = decider.confirm()?;
            Ok(())
        })?;
        Ok((count, touched))
    }

    /// When [`Catalog::tick`] has something to do without any event.
    pub fn due(&self) -> Option<Timestamp> {
        self.due.and_then(|it| Timestamp::from_microsecond(it).ok())
    }

    /// Whether the first import is under way, and nothing is published yet.
    pub fn is_importing(&self) -> Result<bool> {
        Ok(self.store.rows().fact("import")?.is_some())
    }

    pub fn health(&self) -> Result<Health> {
        read::health(&self.store.rows())
    }

    /// Everything that is wrong with a seed now, by path.
    pub fn problems(&self) -> Result<Vec<Problem>> {
        self.store.rows().problems()
    }

    /// What opens readers of this catalog.
    pub fn readers(&self) -> Readers {
        let Options { feeds, tombstones, .. } = self.options.clone();
        Readers { file: self.file.clone(), feeds, tombstones }
    }

    /// A reader's side, with a connection of its own.
    pub fn reader(&self) -> Result<Reader> {
        self.readers().open()
    }

    /// Since when the site's own words, or its look, are what `digest` stands for: `now`
    /// where they have changed. With the revision, a new one where they have.
    pub fn since(&mut self, what: Own, digest: &str, now: Timestamp) -> Result<(Timestamp, u64)> {
        let (name, since) = match what {
            Own::Words => ("words", "words_since"),
            Own::Look => ("look", "look_since"),
        };
        let (micros, revision) = self.store.write(|rows| {
            let mut revision = rows.number("revision")?.unwrap_or(0);
            if rows.fact(name)?.as_deref() != Some(digest) {
                revision += 1;
                rows.put_fact(name, digest)?;
                rows.put_fact(since, &now.as_microsecond().to_string())?;
                rows.put_fact("revision", &revision.to_string())?;
            }
            Ok::<_, store::Error>((rows.number(since)?, revision as u64))
        })?;
        let since = micros.and_then(|it| Timestamp::from_microsecond(it).ok());
        Ok((since.unwrap_or(now), revision))
    }

    /// Tidies the database while nothing else is to do.
    pub fn rest(&self) -> Result<()> {
        self.store.checkpoint()
    }

    fn decide(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&mut Decider<'_, '_>) -> Result<()>,
    ) -> Result<Touched> {
        let Catalog { store, options, key, .. } = self;
        let (touched, due) = store.write(|rows: &Rows<'_>| {
            let now = now.as_microsecond();
            // Clocks may be set back.
            let moment = rows.number("moment")?.map_or(now, |last| now.max(last + 1));
            let mut decider = Decider::new(rows, options, key, (now, moment));
            work(&mut decider)?;
            let due = decider.due()?;
            let mut touched = decider.finish()?;
            let mut revision = rows.number("revision")?.unwrap_or(0);
            if !touched.is_empty() {
                revision += 1;
                rows.put_fact("moment", &moment.to_string())?;
                rows.put_fact("revision", &revision.to_string())?;
            }
            touched.revision = revision as u64;
            Ok::<_, store::Error>((touched, due))
        })?;
        (self.due, self.revision) = (due, touched.revision);
        Ok(touched)
    }
}
