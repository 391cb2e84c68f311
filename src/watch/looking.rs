//! One path at a time: what stands there now, as a change.
//!
//! In: a path that is due, the open root. Out: changes, in a [`Batch`]; paths that
//! have to be looked at next; folders that have to be listed. Keeps what was said
//! of the folder so far, so that a folder that is gone is gone with all that was
//! below it.
//!
//! Nothing is ever guessed from a hint here: only from what is at the path.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::time::Duration;

use crate::watch::Options;
use crate::watch::ignore;
use crate::watch::ignore::Ignore;
use crate::watch::media;
use crate::watch::read::Kind;
use crate::watch::read::Refused;
use crate::watch::read::Root;
use crate::watch::seed::Change;
use crate::watch::seed::File;
use crate::watch::seed::Seed;
use crate::watch::seed::SeedPath;
use crate::watch::seed::Stat;
use crate::watch::seed::Surroundings;
use crate::watch::settle::Found;
use crate::watch::settle::Glance;
use crate::watch::settle::Hint;
use crate::watch::settle::Settle;
use crate::watch::surroundings;

/// Now, by the clock that only goes forward and by the clock that files have.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Since the watcher began.
    pub since: Duration,
    /// Nanoseconds since 1970.
    pub wall: i64,
}

/// Why a path is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its writer is done.
    Due,
    /// A listing found it, or did not find it.
    Listed,
    /// A file that decides how it reads changed.
    Around,
}

/// What was said of the folder, and what is to be looked at.
#[derive(Debug)]
pub struct Looking {
    pub options: Options,
    pub ignore: Ignore,
    pub settle: Settle,
    /// Every seed and file that was given out, with the stat it was given out with.
    pub present: BTreeMap<SeedPath, Stat>,
    /// Every path that cannot be read, with the reason.
    pub problems: BTreeMap<SeedPath, String>,
    pub next: VecDeque<(SeedPath, Why)>,
    /// Folders to list, with all that is below.
    pub folders: BTreeSet<SeedPath>,
    /// Files that a listing found and somebody may be writing to.
    pub young: BTreeSet<SeedPath>,
    /// Rules of what is ignored changed.
    pub is_ruled_anew: bool,
}

/// Changes that are ready to be sent; of a path the last.
#[derive(Debug, Default)]
pub struct Batch {
    changes: Vec<Change>,
    by_path: HashMap<SeedPath, usize>,
    bytes: usize,
    /// Folder defaults that were read for this batch.
    defaults: HashMap<SeedPath, Option<(Vec<u8>, Stat)>>,
}

impl Looking {
    pub fn new(options: Options) -> Looking {
        Looking {
            settle: Settle::new(options.settle),
            options,
            ignore: Ignore::default(),
            present: BTreeMap::new(),
            problems: BTreeMap::new(),
            next: VecDeque::new(),
            folders: BTreeSet::new(),
            young: BTreeSet::new(),
            is_ruled_anew: false,
        }
    }

    /// Looks at `path`, and puts what changed there into `batch`.
    pub fn look(&mut self, root: &Root, path: &SeedPath, why: Why, now: Moment, batch: &mut Batch) {
        if why == Why::Due {
            self.young.remove(path);
        }
        let found = root.glance(path);
        let is_folder = matches!(found, Ok((Kind::Folder, _)));
        let is_hidden = path.folder().is_some_and(|it| self.ignore.is_ignored(&it, true));
        let is_there =
            !matches!(found, Err(error) if Refused::of("file", error) == Refused::NotFound);
        if !is_hidden && self.ignore.is_news(path, is_there) {
            self.is_ruled_anew = true;
        }
        if path.file_name() == ignore::RULES && !is_hidden {
            self.is_ruled_anew = true;
            return;
        }
        if is_hidden || self.ignore.is_named(path, is_folder) {
            self.gone(root, path, batch);
            return;
        }
        if path.file_name() == surroundings::DEFAULTS && !is_folder {
            let folder = path.folder();
            let read = surroundings::below(&self.present, folder.as_ref()).map(|it| it.0);
            let refused = surroundings::below(&self.problems, folder.as_ref()).map(|it| it.0);
            let concerned: Vec<SeedPath> = read.chain(refused).cloned().collect();
            self.look_around(concerned);
            self.drop_one(path, batch);
            return;
        }
        if surroundings::may_be_sidecar(path) && !is_folder {
            let read = surroundings::beside(&self.present, path);
            let refused = surroundings::beside(&self.problems, path);
            let concerned: Vec<SeedPath> = read.chain(refused).cloned().collect();
            if self.look_around(concerned) {
                self.drop_one(path, batch);
                return;
            }
        }
        match found.map_err(|error| Refused::of("file", error)) {
            Ok((Kind::File, stat)) => self.look_at_file(root, path, stat, why, now, batch),
            Ok((Kind::Folder, _)) => {
                if why == Why::Due || self.problems.contains_key(path) {
                    // Whether it can be looked into shows when it is listed.
                    self.folders.insert(path.clone());
                } else {
                    self.drop_one(path, batch);
                }
            }
            Ok((Kind::Other(found), _)) => {
                self.refuse(path, format!("expected a file or folder, found {found}"), why, batch);
            }
            Err(Refused::NotFound) => self.gone(root, path, batch),
            Err(Refused::Unreadable(reason)) => self.refuse(path, reason, why, batch),
            Err(Refused::Busy) => self.settle.hint(path, Hint::Busy, now.since),
        }
    }

    fn look_at_file(
        &mut self,
        root: &Root,
        path: &SeedPath,
        stat: Stat,
        why: Why,
        now: Moment,
        batch: &mut Batch,
    ) {
        let found = match why {
            Why::Due => Found::Now,
            Why::Listed => self.settle.found(path, Glance::at(stat, now.wall), now.since),
            Why::Around if self.settle.is_waiting(path) => Found::Later,
            Why::Around => Found::Now,
        };
        match found {
            Found::Now => {}
            Found::Later => {
                self.young.insert(path.clone());
                return;
            }
        }
        let made = match (self.options.is_seed)(path) {
            true => self.seed(root, path, stat, batch),
            false => file(root, path, stat),
        };
        match made {
            Ok(change) => {
                if let Change::Written(Seed { stat, .. }) | Change::File(File { stat, .. }) =
                    &change
                {
                    self.present.insert(path.clone(), *stat);
                }
                if let Change::Written(Seed {
                    surroundings: Surroundings { sidecar: Some(_), .. },
                    ..
                }) = &change
                    && let Some(sidecar) = surroundings::sidecar(path)
                {
                    self.drop_one(&sidecar, batch);
                }
                self.problems.remove(path);
                batch.push(change);
            }
            Err(Refused::Busy) => {
                self.settle.hint(path, Hint::Busy, now.since);
                self.young.insert(path.clone());
            }
            Err(Refused::NotFound) => self.gone(root, path, batch),
            Err(Refused::Unreadable(reason)) => self.refuse(path, reason, why, batch),
        }
    }

    /// A seed with its surroundings.
    fn seed(
        &self,
        root: &Root,
        path: &SeedPath,
        seen: Stat,
        batch: &mut Batch,
    ) -> Result<Change, Refused> {
        let mut around = Surroundings::default();
        let mut stats = Vec::new();
        if let Some(sidecar) = surroundings::sidecar(path).filter(|it| it != path)
            && let Some((bytes, stat)) = self.surrounding(root, &sidecar)?
        {
            around.sidecar = Some(bytes);
            stats.push(stat);
        }
        for defaults in surroundings::defaults(path) {
            let read = match batch.defaults.get(&defaults) {
                Some(read) => read.clone(),
                None => {
                    let read = self.surrounding(root, &defaults)?;
                    batch.defaults.insert(defaults.clone(), read.clone());
                    read
                }
            };
            if let Some((bytes, stat)) = read {
                around.folders.push((defaults, bytes));
                stats.push(stat);
            }
        }
        let (bytes, stat) = root.read_as_seen(path, seen, self.options.max_bytes)?;
        let stat = surroundings::stamped(stat, stats);
        let seed = Seed { path: path.clone(), stat, bytes, surroundings: around };
        Ok(Change::Written(seed))
    }

    /// What stands at `path` and decides how a seed reads. Where it cannot be read
    /// the seed cannot: it might say that it is a draft.
    fn surrounding(
        &self,
        root: &Root,
        path: &SeedPath,
    ) -> Result<Option<(Vec<u8>, Stat)>, Refused> {
        if self.ignore.is_named(path, false) {
            return Ok(None);
        }
        if self.settle.is_open(path) {
            return Err(Refused::Busy);
        }
        match root.read(path, surroundings::MAX_BYTES) {
            Ok(read) => Ok(Some(read)),
            Err(Refused::NotFound) => Ok(None),
            Err(Refused::Busy) => Err(Refused::Busy),
            Err(Refused::Unreadable(reason)) => {
                Err(Refused::Unreadable(format!("{reason} at `{path}`")))
            }
        }
    }

    /// Looks again at the seeds among `paths`; whether there are any.
    fn look_around(&mut self, paths: Vec<SeedPath>) -> bool {
        let before = self.next.len();
        let seeds = paths.into_iter().filter(|it| (self.options.is_seed)(it));
        self.next.extend(seeds.map(|it| (it, Why::Around)));
        self.next.len() > before
    }

    /// Says that nothing is at `path` or below it, of whatever was said to be.
    fn gone(&mut self, root: &Root, path: &SeedPath, batch: &mut Batch) {
        let below = surroundings::below(&self.present, Some(path)).map(|it| it.0);
        let refused = surroundings::below(&self.problems, Some(path)).map(|it| it.0);
        let mut all: Vec<SeedPath> = below.chain(refused).cloned().collect();
        let is_folder = !all.is_empty();
        all.push(path.clone());
        for path in &all {
            let was_there = self.drop_one(path, batch);
            // A sidecar that is left alone is a file like any other.
            if was_there
                && !is_folder
                && (self.options.is_seed)(path)
                && let Some(sidecar) = surroundings::sidecar(path).filter(|it| it != path)
                && matches!(root.glance(&sidecar), Ok((Kind::File, _)))
            {
                self.next.push_back((sidecar, Why::Around));
            }
        }
    }

    /// Says that `path` is no seed and no file any more, if it was said to be one.
    pub fn drop_one(&mut self, path: &SeedPath, batch: &mut Batch) -> bool {
        let was_read = self.present.remove(path).is_some();
        let was_refused = self.problems.remove(path).is_some();
        if was_read || was_refused {
            batch.push(Change::Gone(path.clone()));
        }
        was_read || was_refused
    }

    /// Says that `path` cannot be read; the same again only where somebody did
    /// something to it.
    pub fn refuse(&mut self, path: &SeedPath, reason: String, why: Why, batch: &mut Batch) {
        let before = self.problems.insert(path.clone(), reason.clone());
        if why != Why::Listed || before.as_ref() != Some(&reason) {
            batch.push(Change::Unreadable { path: path.clone(), reason });
        }
    }
}

/// A file that is no seed.
fn file(root: &Root, path: &SeedPath, seen: Stat) -> Result<Change, Refused> {
    let mut length = media::head_bytes(path);
    loop {
        let (head, stat) = root.head_as_seen(path, seen, length)?;
        let size = media::picture_size(&head);
        let is_picture = length > 64;
        let has_more = stat.length > length as u64 && length < media::MOST_HEAD_BYTES;
        if is_picture && size.is_none() && has_more {
            length = media::MOST_HEAD_BYTES;
            continue;
        }
        let media_type = media::media_type(path, &head).into();
        return Ok(Change::File(File { path: path.clone(), stat, media_type, size }));
    }
}

impl Glance {
    pub fn at(stat: Stat, wall: i64) -> Glance {
        let age = wall.checked_sub(stat.changed.max(stat.modified));
        let age = age.and_then(|it| u64::try_from(it).ok()).map(Duration::from_nanos);
        Glance { stat, age }
    }
}

impl Batch {
    /// At most so many changes are sent together, or so many bytes of seeds but for
    /// the last.
    const MOST: usize = 256;
    const MOST_BYTES: usize = 4 * 1024 * 1024;

    pub fn push(&mut self, change: Change) {
        if let Change::Written(seed) = &change {
            let around = &seed.surroundings;
            let folders = around.folders.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
            self.bytes += seed.bytes.len() + around.sidecar.as_ref().map_or(0, Vec::len) + folders;
        }
        let path = path_of(&change).clone();
        match self.by_path.get(&path) {
            Some(index) => self.changes[*index] = change,
            None => {
                self.by_path.insert(path, self.changes.len());
                self.changes.push(change);
            }
        }
    }

    pub fn is_full(&self) -> bool {
        self.changes.len() >= Batch::MOST || self.bytes >= Batch::MOST_BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Empties the batch: what is to be sent, what is gone first, without the files
    /// that somebody has begun to write to since they were read.
    pub fn take(&mut self, settle: &Settle) -> Vec<Vec<Change>> {
        let mut batch = std::mem::take(self);
        batch.changes.retain(|it| matches!(it, Change::Gone(_)) || !settle.is_open(path_of(it)));
        batch.changes.sort_by_key(|it| !matches!(it, Change::Gone(_)));
        let mut chunks = Vec::new();
        while !batch.changes.is_empty() {
            let rest = batch.changes.split_off(batch.changes.len().min(Batch::MOST));
            chunks.push(std::mem::replace(&mut batch.changes, rest));
        }
        chunks
    }
}

fn path_of(change: &Change) -> &SeedPath {
    match change {
        Change::Written(seed) => &seed.path,
        Change::File(file) => &file.path,
        Change::Gone(path) | Change::Unreadable { path, .. } => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> SeedPath {
        SeedPath::new(path).unwrap()
    }

    fn refused(path: &str, reason: &str) -> Change {
        Change::Unreadable { path: at(path), reason: reason.into() }
    }

    #[test]
    fn a_batch_says_of_each_path_what_is_true_last_and_what_is_gone_first() {
        let mut batch = Batch::default();
        batch.push(refused("a", "one"));
        batch.push(Change::Gone(at("b")));
        batch.push(refused("b", "back"));
        batch.push(refused("c", "one"));
        batch.push(Change::Gone(at("c")));
        batch.push(refused("a", "two"));
        let sent = batch.take(&Settle::new(Duration::ZERO));
        assert_eq!(sent, [vec![Change::Gone(at("c")), refused("a", "two"), refused("b", "back")]]);
        assert!(batch.is_empty());
    }

    #[test]
    fn a_batch_leaves_out_what_is_being_written_to() {
        let mut settle = Settle::new(Duration::ZERO);
        let mut batch = Batch::default();
        for path in ["a", "b"] {
            batch.push(refused(path, "one"));
        }
        batch.push(Change::Gone(at("c")));
        for path in ["b", "c"] {
            settle.hint(&at(path), Hint::Modified, Duration::ZERO);
        }
        let sent = batch.take(&settle);
        assert_eq!(sent, [vec![Change::Gone(at("c")), refused("a", "one")]]);
    }

    #[test]
    fn a_batch_is_bounded() {
        let mut batch = Batch::default();
        for number in 0..600 {
            assert_eq!(batch.is_full(), number >= 256);
            batch.push(Change::Gone(at(&number.to_string())));
        }
        let sizes =
            batch.take(&Settle::new(Duration::ZERO)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes, [256, 256, 88]);
        let stat = Stat { device: 0, inode: 0, birth: None, length: 0, modified: 0, changed: 0 };
        let bytes = vec![0; Batch::MOST_BYTES];
        let surroundings = Surroundings::default();
        batch.push(Change::Written(Seed { path: at("a"), stat, bytes, surroundings }));
        assert!(batch.is_full(), "by its bytes");
        batch.take(&Settle::new(Duration::ZERO));
        assert!(!batch.is_full());
    }
}
