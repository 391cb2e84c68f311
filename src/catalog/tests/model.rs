//! Random lives of a folder against what must hold whatever happens.
//!
//! Each seed of the generator is one life: files are made, edited, moved, swapped,
//! copied, lost and found; what the watcher tells of it is complete, late, doubled, out
//! of order or lost; the daemon restarts and time jumps. After each batch the catalog is
//! read as readers and the shelf do, and held against what it said before. A file knows
//! which article it is; see [`Id`].
//!
//! `SOWER_MODEL_SEED=N` lives one life again and prints it; `SOWER_MODEL_LIVES=N` lives
//! more of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::catalog::entry::Entry;
use crate::catalog::order::State;
use crate::catalog::rows::{EntryRow, Standing as SeedStanding, Status};
use crate::catalog::{Reader, permalink};
use crate::convert::article::Article;
use crate::feed;
use crate::render;
use crate::render::rendition::{Format, Payload};
use crate::watch::seed::File;

const STEPS: usize = 60;
const LIVES: u64 = 170;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.below(all.len())].clone())
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Empty,
    Broken,
}

/// What a person wrote.
#[derive(Debug, Clone, PartialEq)]
struct Doc {
    title: u32,
    body: u32,
    kind: Kind,
    date: Option<Timestamp>,
    updated: Option<Timestamp>,
    expires: Option<Timestamp>,
    guid: Option<u64>,
    slug: Option<u64>,
    alias: Option<u64>,
    tags: BTreeSet<u64>,
    draft: bool,
    minor: bool,
    link: Option<String>,
}

impl Doc {
    fn guid(number: u64) -> String {
        if number.is_multiple_of(2) {
            format!("tag:example.org,2024:{number}")
        } else {
            number.to_string()
        }
    }

    fn text(&self) -> String {
        let mut text = String::from("---\n");
        let mut key = |name: &str, value: String| writeln!(text, "{name}: {value}").unwrap();
        if let Some(date) = self.date {
            key("date", date.to_string());
        }
        if let Some(date) = self.updated {
            key("updated", date.to_string());
        }
        if let Some(date) = self.expires {
            key("expires", date.to_string());
        }
        if let Some(guid) = self.guid {
            key("guid", format!("{:?}", Doc::guid(guid)));
        }
        if let Some(slug) = self.slug {
            key("slug", format!("s{slug}"));
        }
        if let Some(alias) = self.alias {
            key("aliases", format!("[/old/{alias}, /a]"));
        }
        if !self.tags.is_empty() {
            key(
                "tags",
                format!("{:?}", self.tags.iter().map(|it| format!("t{it}")).collect::<Vec<_>>()),
            );
        }
        if self.draft {
            key("draft", "true".into());
        }
        if self.minor {
            key("minor", "true".into());
        }
        match self.kind {
            Kind::Plain => {}
            Kind::Empty => return String::new(),
            Kind::Broken => return format!("{text}broken {}", self.body),
        }
        write!(text, "---\n# Title {}\n\nThe text {} of it.\n", self.title, self.body).unwrap();
        if let Some(link) = &self.link {
            write!(text, "\nSee {link}.\n").unwrap();
        }
        text
    }
}

/// Which article a file is, as far as DESIGN's rules leave no choice.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Id {
    Known(String),
    /// One that never was before.
    New,
    /// The rules leave a choice, or the catalog was not told enough.
    Any,
}

#[derive(Debug, Clone)]
struct Standing {
    stat: Stat,
    doc: Doc,
    is_readable: bool,
    id: Id,
}

/// Everything that readers can see.
#[derive(Debug, Clone, Default)]
struct View {
    documents: BTreeMap<(Scope, Part), Option<Selection>>,
    pages: BTreeMap<String, Place>,
}

struct Life {
    state: tempfile::TempDir,
    catalog: Catalog,
    reader: Reader,
    chance: Chance,
    now: Timestamp,
    latest: Timestamp,
    files: BTreeMap<String, Standing>,
    /// Of which the catalog was not told, or not all.
    dirty: BTreeSet<String>,
    /// Of which the catalog is being told, one by one.
    pending: BTreeSet<String>,
    bin: Vec<(String, Doc, Id)>,
    trees: Vec<BTreeMap<String, Doc>>,
    picture: Option<Stat>,
    counter: u32,
    has_births: bool,
    goes_back: bool,
    loses_events: bool,
    freed: Vec<u64>,
    /// What readers saw when it was last looked at, and what was said to be stale since.
    view: View,
    touched: Touched,
    batches: u64,
    /// All that readers see is looked at after so many batches.
    every: u64,
    /// Of every entry that ever was: number, id and guid.
    ids: BTreeMap<i64, (String, String)>,
    /// Of every entry that was live: as it was then.
    shown: BTreeMap<i64, (EntryRow, Article)>,
    live: BTreeSet<i64>,
    /// Of every entry that is withdrawn: since when.
    gone: BTreeMap<i64, i64>,
    log: Vec<String>,
}

const FOLDERS: &[&str] = &["", "", "n/", "n/k/", "drafts/", "m/"];
const NAMES: &[&str] = &["a", "b", "c", "d"];
const EXTENSIONS: &[&str] = &[".md", ".md", ".markdown"];

fn open(state: &std::path::Path, now: Timestamp) -> Catalog {
    let catalog = Catalog::open(state, "key".into(), options(), now).unwrap();
    catalog.store.without_sync().unwrap();
    catalog
}

impl Life {
    fn new(seed: u64) -> Life {
        let state = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let mut catalog = open(state.path(), now);
        let mut chance = Chance(seed);
        let is_imported = chance.one_in(2);
        if is_imported {
            catalog.compared(1, 1, now).unwrap();
        }
        let (has_births, goes_back) = (!chance.one_in(4), chance.one_in(8));
        let loses_events = chance.one_in(2);
        let mut life = Life {
            reader: catalog.reader().unwrap(),
            state,
            catalog,
            chance,
            now,
            latest: now,
            files: BTreeMap::new(),
            dirty: BTreeSet::new(),
            pending: BTreeSet::new(),
            bin: Vec::new(),
            trees: Vec::new(),
            picture: None,
            counter: 0,
            has_births,
            goes_back,
            loses_events,
            freed: Vec::new(),
            view: View::default(),
            touched: Touched::default(),
            batches: 0,
            every: if variable("SOWER_MODEL_SEED").is_some() { 1 } else { 5 },
            ids: BTreeMap::new(),
            shown: BTreeMap::new(),
            live: BTreeSet::new(),
            gone: BTreeMap::new(),
            log: vec![format!(
                "births {has_births}, goes back {goes_back}, loses events {loses_events}"
            )],
        };
        life.view = life.read();
        if !is_imported {
            for _ in 0..life.chance.below(12) {
                let (path, doc) = (life.path(), life.doc());
                life.put(&path, doc, true);
                life.files.get_mut(&path).unwrap().id = Id::Any;
                life.dirty.insert(path);
            }
            life.note("first import".into());
            life.compare();
        }
        life
    }

    fn note(&mut self, what: String) {
        self.log.push(format!("{} {what}", self.now));
    }

    // What a person does.

    fn path(&mut self) -> String {
        let parts = [FOLDERS, NAMES, EXTENSIONS].map(|it| self.chance.of(it).unwrap());
        parts.concat()
    }

    fn doc(&mut self) -> Doc {
        self.counter += 1;
        let mut doc = Doc {
            title: self.counter,
            body: self.counter,
            kind: Kind::Plain,
            date: None,
            updated: None,
            expires: None,
            guid: None,
            slug: None,
            alias: None,
            tags: BTreeSet::new(),
            draft: false,
            minor: false,
            link: None,
        };
        for _ in 0..self.chance.below(3) {
            self.change(&mut doc);
        }
        doc
    }

    /// One thing in it reads differently afterwards, or is the same by chance.
    fn change(&mut self, doc: &mut Doc) {
        self.counter += 1;
        let now = Timestamp::from_second(self.now.as_second()).unwrap();
        let time = |chance: &mut Chance| {
            let seconds = [-3600, -2 * 86_400, -40 * 86_400, -400 * 86_400, 4, 3600];
            now + SignedDuration::from_secs(chance.of(&seconds).unwrap())
        };
        match self.chance.below(16) {
            0 => doc.title = self.counter,
            1..=3 => doc.body = self.counter,
            4 => doc.date = (!self.chance.one_in(4)).then(|| time(&mut self.chance)),
            5 => doc.updated = (!self.chance.one_in(3)).then(|| time(&mut self.chance)),
            6 => doc.expires = self.chance.one_in(2).then(|| now + SignedDuration::from_secs(30)),
            7 => doc.guid = (!self.chance.one_in(3)).then(|| self.chance.next() % 5),
            8 => doc.slug = (!self.chance.one_in(3)).then(|| self.chance.next() % 3),
            9 => doc.alias = (!self.chance.one_in(3)).then(|| self.chance.next() % 3),
            10 | 11 => {
                let tag = self.chance.next() % 3;
                if !doc.tags.remove(&tag) {
                    doc.tags.insert(tag);
                }
            }
            12 => doc.draft = !doc.draft,
            13 => doc.minor = !doc.minor,
            14 => {
                let path = self.path();
                let name = self.chance.of(NAMES).unwrap();
                let links =
                    [format!("[it](/{path})"), format!("[[{name}]]"), "![p](/pic.png)".into()];
                doc.link = self.chance.of(&links);
            }
            _ => {
                let kinds = [Kind::Plain, Kind::Plain, Kind::Empty, Kind::Broken];
                doc.kind = self.chance.of(&kinds).unwrap();
            }
        }
    }

    /// Writes a file: in place, or a new one that takes its place.
    fn put(&mut self, path: &str, doc: Doc, is_new: bool) {
        self.counter += 1;
        let now = self.now.as_nanosecond() as i64;
        let old = self.files.get(path);
        let (inode, birth) = match old {
            Some(old) if !is_new => (old.stat.inode, old.stat.birth),
            old => {
                self.freed.extend(old.map(|it| it.stat.inode));
                let again = self.freed.pop().filter(|_| self.counter.is_multiple_of(2));
                let birth = now + i64::from(self.counter);
                (again.unwrap_or(1000 + u64::from(self.counter)), self.has_births.then_some(birth))
            }
        };
        let modified = match self.chance.below(8) {
            0 => now - 3 * 86_400_000_000_000,
            1 => now + 86_400_000_000_000,
            _ => now,
        };
        let stat = Stat {
            device: 1,
            inode,
            birth,
            length: doc.text().len() as u64,
            modified,
            changed: i64::from(self.counter),
        };
        let id = self.files.get(path).map_or(Id::New, |it| it.id.clone());
        self.files.insert(path.into(), Standing { stat, doc, is_readable: true, id });
    }

    fn remove(&mut self, path: &str) -> Standing {
        let file = self.files.remove(path).unwrap();
        self.freed.push(file.stat.inode);
        // Copies that wait may now be this one.
        for other in self.files.values_mut() {
            if other.doc == file.doc {
                other.id = Id::Any;
            }
        }
        if file.doc.kind != Kind::Plain {
            // Its entry keeps an older version, of which there may be copies, too.
            self.files.values_mut().for_each(|it| it.id = Id::Any);
        }
        self.bin.push((path.into(), file.doc.clone(), file.id.clone()));
        file
    }

    fn rename(&mut self, from: &str, to: &str) {
        if !self.files[from].is_readable {
            self.unsure_copies(from);
        }
        let mut file = self.files.remove(from).unwrap();
        self.counter += 1;
        file.stat.changed = i64::from(self.counter);
        let is_unpublished = file.id == Id::New;
        if let Some(over) = self.files.insert(to.into(), file) {
            self.freed.push(over.stat.inode);
            if is_unpublished {
                // What no entry ever was becomes a revision of the one at its new path.
                self.files.get_mut(to).unwrap().id = over.id;
            }
            for other in self.files.values_mut() {
                if other.doc == over.doc {
                    other.id = Id::Any;
                }
            }
        }
    }

    fn any_file(&mut self) -> Option<String> {
        let all: Vec<String> = self.files.keys().cloned().collect();
        self.chance.of(&all)
    }

    /// The entry that is about to be withdrawn from a path, if any.
    fn ghost(&self, path: &str) -> Option<String> {
        let rows = self.catalog.store.rows();
        let here = rows.entries_at(&super::path(path)).unwrap();
        here.into_iter()
            .find(|it| matches!(it.status, Status::Leaving | Status::Held))
            .map(|it| it.id)
    }

    /// Whether an entry without a seed has this text, or stood there with this title.
    fn was_entry(&self, doc: &Doc, to: &str) -> bool {
        let bytes = *blake3::hash(doc.text().as_bytes()).as_bytes();
        let rows = self.catalog.store.rows();
        let mut entries = rows.entries_of_bytes(&bytes).unwrap();
        entries.extend(rows.entries_at(&path(to)).unwrap());
        let is_left = |it| matches!(it, Status::Leaving | Status::Held | Status::Gone);
        entries.iter().any(|it| is_left(it.status))
    }

    /// Whether what stands at a path is an entry that a move in two batches does not lose.
    fn is_entry(&self, name: &str) -> bool {
        let rows = self.catalog.store.rows();
        let entry = rows.seed(&path(name)).unwrap().and_then(|it| it.entry);
        let says = self.has_births && self.files[name].doc.kind == Kind::Plain;
        let proves = |it: i64| says || rows.entry(it).unwrap().unwrap().is_live();
        entry.is_some_and(proves)
    }

    /// Whether no other file, and nothing that is about to be withdrawn, has this text.
    fn is_unique(&self, path: &str, doc: &Doc) -> bool {
        let bytes = *blake3::hash(doc.text().as_bytes()).as_bytes();
        let rows = self.catalog.store.rows();
        let entries = rows.entries_of_bytes(&bytes).unwrap();
        doc.kind == Kind::Plain
            && self.files.iter().all(|(other, it)| other == path || it.doc != *doc)
            && entries.iter().all(|it| it.path == super::path(path))
    }

    fn step(&mut self) {
        let mut touched: Vec<String> = Vec::new();
        let mut may_split = false;
        // The catalog knows what stands at these paths, as far as anything does.
        let was_clean = |life: &Life, paths: &[&str]| {
            let is_read = |it: &&str| life.files.get(*it).is_none_or(|it| it.is_readable);
            life.dirty.is_empty() && paths.iter().all(is_read)
        };
        match self.chance.below(40) {
            0..=5 => {
                let (path, doc) = (self.path(), self.doc());
                if self.files.contains_key(&path) {
                    return;
                }
                let id = match self.ghost(&path) {
                    _ if !was_clean(self, &[&path]) || doc.guid.is_some() => Id::Any,
                    Some(id) => Id::Known(id),
                    None => Id::New,
                };
                self.note(format!("create {path} {doc:?} {id:?}"));
                self.put(&path, doc, true);
                self.files.get_mut(&path).unwrap().id = id;
                touched.push(path);
            }
            6..=13 => {
                let Some(path) = self.any_file() else { return };
                let mut doc = self.files[&path].doc.clone();
                let guid = doc.guid;
                for _ in 0..=self.chance.below(2) {
                    self.change(&mut doc);
                }
                let is_new = self.chance.one_in(3);
                self.note(format!("edit {path} {doc:?}, a new file: {is_new}"));
                let states = doc.guid.is_some() && doc.guid != guid;
                let unique = self.is_unique(&path, &doc) || doc.kind != Kind::Plain;
                let clean = was_clean(self, &[&path]);
                self.put(&path, doc, is_new);
                if states || !unique || !clean {
                    self.files.get_mut(&path).unwrap().id = Id::Any;
                }
                touched.push(path);
            }
            14 => {
                let Some(path) = self.any_file() else { return };
                let doc = self.files[&path].doc.clone();
                let is_new = self.chance.one_in(3);
                let clean = was_clean(self, &[&path]);
                self.note(format!("save {path} again, a new file: {is_new}"));
                self.put(&path, doc, is_new);
                if !clean {
                    self.files.get_mut(&path).unwrap().id = Id::Any;
                }
                touched.push(path);
            }
            15..=18 => {
                let Some(from) = self.any_file() else { return };
                let to = self.path();
                if from == to {
                    return;
                }
                let is_over = self.files.contains_key(&to);
                let is_entry = self.is_entry(&from);
                let ghost = self.ghost(&to);
                // A copy would be taken for the file that was moved.
                let is_alone = self.is_unique(&from, &self.files[&from].doc.clone());
                let clean = was_clean(self, &[&from, &to]);
                let proves =
                    self.has_births || self.is_unique(&from, &self.files[&from].doc.clone());
                self.note(format!("rename {from} {to}, over: {is_over}"));
                self.rename(&from, &to);
                let file = self.files.get_mut(&to).unwrap();
                if let Some(ghost) = ghost.filter(|_| file.id == Id::New) {
                    file.id = Id::Known(ghost);
                }
                if !clean || !proves {
                    self.files.get_mut(&to).unwrap().id = Id::Any;
                }
                may_split = is_alone && is_entry && (self.has_births || !is_over);
                touched.extend([from, to]);
            }
            19 => {
                let (Some(one), Some(two)) = (self.any_file(), self.any_file()) else { return };
                if one == two {
                    return;
                }
                let clean = was_clean(self, &[&one, &two]);
                let docs = [&one, &two].map(|it| (it.clone(), self.files[it].doc.clone()));
                let proves =
                    self.has_births || docs.iter().all(|(path, doc)| self.is_unique(path, doc));
                self.note(format!("swap {one} {two}"));
                let alone = docs.iter().all(|(path, doc)| self.is_unique(path, doc));
                let there = self.files.remove(&two).unwrap();
                self.rename(&one, &two);
                self.files.insert(one.clone(), there);
                let states = docs.iter().any(|(_, it)| it.guid.is_some());
                if !clean || !proves || states {
                    for path in [&one, &two] {
                        self.files.get_mut(path).unwrap().id = Id::Any;
                    }
                }
                // Half of a swap with what was never published is a revision.
                let were_entries = [&one, &two].map(|it| matches!(self.files[it].id, Id::Known(_)));
                may_split = self.has_births && alone && were_entries == [true; 2];
                touched.extend([one, two]);
            }
            20..=22 => {
                let Some(from) = self.any_file() else { return };
                let to = self.path();
                if self.files.contains_key(&to) {
                    return;
                }
                let doc = self.files[&from].doc.clone();
                self.note(format!("copy {from} {to}"));
                let again =
                    self.bin.iter().any(|(_, it, _)| *it == doc) || self.was_entry(&doc, &to);
                let plain = was_clean(self, &[&from, &to])
                    && doc.guid.is_none()
                    && self.ghost(&to).is_none();
                self.put(&to, doc.clone(), true);
                let id = if plain && !again { Id::New } else { Id::Any };
                self.files.get_mut(&to).unwrap().id = id;
                touched.push(to);
            }
            23..=25 => {
                let Some(path) = self.any_file() else { return };
                self.note(format!("delete {path}"));
                self.remove(&path);
                touched.push(path);
            }
            26 | 27 => {
                let Some((mut path, doc, _)) = self.chance.of(&self.bin.clone()) else { return };
                if self.chance.one_in(3) {
                    path = self.path();
                }
                self.note(format!("restore {path} {doc:?}"));
                self.put(&path, doc, true);
                self.files.get_mut(&path).unwrap().id = Id::Any;
                touched.push(path);
            }
            28 => {
                let folders = ["n/", "n/k/", "m/", "drafts/", "x/"];
                let (from, to) =
                    (self.chance.of(&folders).unwrap(), self.chance.of(&folders).unwrap());
                let moved: Vec<String> =
                    self.files.keys().filter(|it| it.starts_with(from)).cloned().collect();
                if from == to
                    || to.starts_with(from)
                    || self.files.keys().any(|it| it.starts_with(to))
                {
                    return;
                }
                self.note(format!("rename folder {from} {to}"));
                let moved_alone = moved
                    .iter()
                    .all(|it| self.is_entry(it) && self.is_unique(it, &self.files[it].doc.clone()));
                for path in moved {
                    let new = format!("{to}{}", &path[from.len()..]);
                    let clean = was_clean(self, &[&path, &new]);
                    let proves =
                        self.has_births || self.is_unique(&path, &self.files[&path].doc.clone());
                    self.rename(&path, &new);
                    if !clean || !proves {
                        self.files.get_mut(&new).unwrap().id = Id::Any;
                    }
                    touched.extend([path, new]);
                }
                may_split = moved_alone;
            }
            29 => {
                let Some(path) = self.any_file() else { return };
                let file = self.files.get_mut(&path).unwrap();
                file.is_readable = !file.is_readable;
                self.note(format!("permissions of {path}"));
                touched.push(path);
            }
            30 => {
                let tree =
                    self.files.iter().map(|(path, it)| (path.clone(), it.doc.clone())).collect();
                if self.chance.one_in(2) {
                    return self.trees.push(tree);
                }
                let Some(other) = self.chance.of(&self.trees.clone()) else { return };
                self.note("check out another tree".into());
                let paths: BTreeSet<String> = tree.keys().chain(other.keys()).cloned().collect();
                for path in paths {
                    match (tree.get(&path), other.get(&path)) {
                        (one, two) if one == two => continue,
                        (_, Some(doc)) => self.put(&path, doc.clone(), true),
                        (_, None) => drop(self.remove(&path)),
                    }
                    touched.push(path);
                }
                for path in &touched {
                    if let Some(file) = self.files.get_mut(path) {
                        file.id = Id::Any;
                    }
                }
            }
            31 => {
                self.note("restart".into());
                self.catalog = open(self.state.path(), self.now);
                self.reader = self.catalog.reader().unwrap();
            }
            32 => {
                let is_there = self.picture.is_none() || self.chance.one_in(2);
                self.counter += 1;
                let changed = i64::from(self.counter);
                self.picture = is_there.then_some(Stat {
                    device: 1,
                    inode: 1,
                    birth: None,
                    length: 7,
                    modified: 0,
                    changed,
                });
                self.note(format!("picture {is_there}"));
                touched.push("pic.png".into());
            }
            33 => {
                // Told twice, and of paths where nothing happened.
                let paths = [self.path(), self.path()];
                let known = self.any_file();
                let told: Vec<String> = paths.into_iter().chain(known).collect();
                self.note(format!("look for nothing at {told:?}"));
                let told: Vec<String> =
                    told.into_iter().filter(|it| !self.dirty.contains(it)).collect();
                self.look(&told);
            }
            34 => self.compare(),
            35 => {
                if !self.catalog.health().unwrap().reasons.is_empty() {
                    self.note("confirm".into());
                    let (_, touched) = self.catalog.confirm(self.now).unwrap();
                    self.check(touched);
                }
            }
            _ => self.pass(),
        }
        self.tell(touched, may_split);
    }

    // What the catalog is told.

    /// All at once; or in pieces, in any order, twice, late or never.
    fn tell(&mut self, mut paths: Vec<String>, may_split: bool) {
        if paths.is_empty() {
            return;
        }
        paths.sort();
        paths.dedup();
        self.chance.shuffle(&mut paths);
        match self.chance.below(10) {
            0 if self.loses_events => {
                let known = self.chance.below(paths.len() + 1);
                self.note(format!("told of {:?} alone", &paths[..known]));
                self.unsure(&paths);
                let told = paths[..known].to_vec();
                self.look(&told);
            }
            1 | 2 => {
                if !may_split {
                    self.unsure(&paths);
                    // Copies may be taken for what is looked at later.
                    self.files.values_mut().for_each(|it| it.id = Id::Any);
                    self.dirty.retain(|it| !paths.contains(it));
                }
                self.note(format!("told one by one of {paths:?}"));
                self.pending.extend(paths.iter().cloned());
                for (at, path) in paths.iter().enumerate() {
                    if at + 1 == paths.len() {
                        self.pending.clear();
                    }
                    self.look(std::slice::from_ref(path));
                }
            }
            3 => {
                let twice: Vec<String> = paths.iter().chain(&paths).cloned().collect();
                self.look(&twice);
                self.look(&paths);
            }
            _ => self.look(&paths),
        }
    }

    /// Whatever has the text of the file at `path` may be taken for it.
    fn unsure_copies(&mut self, path: &str) {
        let Some(doc) = self.files.get(path).map(|it| it.doc.clone()) else { return };
        for other in self.files.values_mut().filter(|it| it.doc == doc) {
            other.id = Id::Any;
        }
    }

    fn unsure(&mut self, paths: &[String]) {
        for path in paths {
            let Some(file) = self.files.get_mut(path) else {
                self.dirty.insert(path.clone());
                continue;
            };
            file.id = Id::Any;
            self.dirty.insert(path.clone());
        }
    }

    fn look(&mut self, paths: &[String]) {
        let seen: Vec<Sighting> = paths.iter().map(|it| self.sighting(it)).collect();
        for path in paths {
            self.dirty.remove(path);
        }
        let touched = self.catalog.apply(seen, self.now).unwrap();
        self.check(touched);
    }

    fn sighting(&self, name: &str) -> Sighting {
        if name == "pic.png" {
            return match self.picture {
                Some(stat) => Sighting::File(File {
                    path: path(name),
                    stat,
                    media_type: "image/png".into(),
                    size: None,
                }),
                None => Sighting::Nothing(path(name)),
            };
        }
        let Some(file) = self.files.get(name) else { return Sighting::Nothing(path(name)) };
        if !file.is_readable {
            return Sighting::Unreadable { path: path(name), reason: "permission denied".into() };
        }
        let bytes = file.doc.text().into_bytes();
        let hash = *blake3::hash(&bytes).as_bytes();
        let surroundings = Surroundings::default();
        let seed = Seed { path: path(name), stat: file.stat, bytes, surroundings };
        let origin = Origin { path: path(name), stat: file.stat, bytes: hash, inputs: hash };
        match convert::convert(&seed, &convert_options()) {
            Ok(article) => Sighting::Article(origin, Box::new(article)),
            Err(convert::Error::Empty) => Sighting::Empty(origin),
            Err(error) => Sighting::Broken(origin, error.at(&seed)),
        }
    }

    fn pass(&mut self) {
        let seconds = [0.4, 1.0, 1.9, 2.5, 10.0, 59.0, 70.0, 700.0, 3700.0, 90_000.0, 9e6];
        let mut nanos = (self.chance.of(&seconds).unwrap() * 1e9) as i64;
        if self.goes_back && self.chance.one_in(4) {
            nanos = -nanos.min(7_200_000_000_000);
        }
        self.note(format!("{} s pass", nanos as f64 / 1e9));
        let end = self.now + SignedDuration::from_nanos(nanos);
        if self.chance.one_in(4) {
            // The machine slept.
            self.now = end;
            return self.tick();
        }
        self.pass_until(end);
    }

    fn pass_until(&mut self, end: Timestamp) {
        for _ in 0..1000 {
            match self.catalog.due() {
                Some(due) if due <= end => {
                    self.now = self.now.max(due);
                    self.tick();
                }
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("time stands still: due at {:?}", self.catalog.due());
    }

    fn tick(&mut self) {
        self.latest = self.latest.max(self.now);
        let touched = self.catalog.tick(self.now).unwrap();
        self.check(touched);
        let due = self.catalog.due();
        assert!(due.is_none_or(|it| it > self.now), "due at {due:?} after a tick at {}", self.now);
    }

    /// The watcher compares the folder with what the catalog knows.
    fn compare(&mut self) {
        let known: BTreeMap<SeedPath, Stat> = self.reader.known().unwrap().into_iter().collect();
        let mut found: Vec<String> = Vec::new();
        for (name, file) in &self.files {
            if known.get(&path(name)) != Some(&file.stat) || self.dirty.contains(name) {
                found.push(name.clone());
            }
        }
        for known in known.keys() {
            let name = known.to_string();
            if name != "pic.png" && !self.files.contains_key(&name) {
                found.push(name);
            }
        }
        found.push("pic.png".into());
        self.note(format!("compare, look at {found:?}"));
        self.chance.shuffle(&mut found);
        let batches = 1 + self.chance.below(3);
        if batches > 1 {
            self.unsure(&found.clone());
        }
        for part in found.chunks(found.len().div_ceil(batches)) {
            self.look(part);
        }
        let touched = self.catalog.compared(1, 1, self.now).unwrap();
        self.check(touched);
    }

    // What must hold.

    fn read(&mut self) -> View {
        let mut view = View::default();
        let (scopes, places) = {
            let rows = self.catalog.store.rows();
            let scopes: Vec<(String, String, u32)> = rows
                .all("SELECT kind, name, page FROM scopes", [], |it| {
                    Ok((it.get(0)?, it.get(1)?, it.get(2)?))
                })
                .unwrap();
            let places: Vec<String> =
                rows.all("SELECT DISTINCT path FROM places", [], |it| it.get(0)).unwrap();
            (scopes, places)
        };
        for (kind, name, page) in scopes {
            let scope = match kind.as_str() {
                "site" => Scope::Site,
                "folder" => Scope::Folder(name),
                "only" => Scope::FolderOnly(name),
                "tag" => Scope::Tag(name),
                other => panic!("{other}"),
            };
            for part in (1..=page).map(Part::Archive).chain([Part::Current]) {
                let mut selection = self.reader.select(&scope, part).unwrap().0;
                for entry in selection.iter_mut().flat_map(|it| &mut it.entries) {
                    // Readers do not see it.
                    entry.path = path("seed");
                }
                view.documents.insert((scope.clone(), part), selection);
            }
        }
        for place in places.into_iter().chain(["/pic.png".into()]) {
            let mut at = self.reader.at(&place).unwrap().0;
            if let Place::Entry(entry, _) = &mut at {
                entry.path = path("seed");
            }
            view.pages.insert(place, at);
        }
        view
    }

    /// Reads all that readers see, and holds it against the folder, the rows, and what
    /// it was before the batch that touched this.
    fn check(&mut self, touched: Touched) {
        self.latest = self.latest.max(self.now);
        self.touched.documents.extend(touched.documents);
        self.touched.pages.extend(touched.pages);
        self.batches += 1;
        let rows: Vec<EntryRow> = {
            let rows = self.catalog.store.rows();
            (1..=rows.last_number().unwrap()).map(|it| rows.entry(it).unwrap().unwrap()).collect()
        };
        self.check_history(&rows);
        self.check_identity();
        if self.batches.is_multiple_of(self.every) {
            let after = self.read();
            self.check_touched(&after);
            self.view = after;
            self.touched = Touched::default();
            self.check_rows(&rows);
            self.check_documents(&rows);
            self.check_pages(&rows);
        }
    }

    /// Whatever reads differently was said to be stale.
    fn check_touched(&self, after: &View) {
        let (before, touched) = (&self.view, &self.touched);
        for key in before.documents.keys().chain(after.documents.keys()) {
            let [one, two] = [before, after].map(|it| it.documents.get(key).cloned().flatten());
            if one != two && !touched.documents.contains(key) {
                panic!("{key:?} was not said to be stale:\n{}", difference(&one, &two));
            }
        }
        for key in before.pages.keys().chain(after.pages.keys()) {
            let [one, two] =
                [before, after].map(|it| it.pages.get(key).cloned().unwrap_or(Place::Nothing));
            if one != two && !touched.pages.contains(key) {
                panic!("{key} was not said to be stale:\n{}", difference(&one, &two));
            }
        }
    }

    /// Seeds and entries name each other, and a scope holds what it should.
    fn check_rows(&self, rows: &[EntryRow]) {
        let store = self.catalog.store.rows();
        let mut owners = BTreeMap::new();
        for (at, _) in store.known().unwrap() {
            let Some(seed) = store.seed(&at).unwrap() else { continue };
            if let Some(entry) = seed.entry {
                let twice = owners.insert(entry, at.clone());
                assert_eq!(twice, None, "two seeds are entry {entry}: {at}");
                let row = &rows[entry as usize - 1];
                assert_eq!(row.path, at, "the seed's entry is elsewhere");
            }
        }
        for row in rows {
            let has_seed = owners.contains_key(&row.number);
            match row.status {
                Status::Live | Status::Draft | Status::Future | Status::Expired => {
                    assert!(has_seed, "no seed is {row:?}");
                }
                Status::Leaving | Status::Held | Status::Gone => {
                    assert!(!has_seed, "{row:?} has a seed");
                }
            }
            let kept = store.article(row.article).unwrap();
            let kept = kept.unwrap_or_else(|| panic!("the article of {row:?} is lost"));
            let wanted: BTreeSet<Scope> = match row.is_live() {
                true => {
                    Scope::of(&row.permalink, &kept.article).into_iter().map(|it| it.0).collect()
                }
                false => BTreeSet::new(),
            };
            let members = store.members_of(row.number).unwrap();
            let live = members.iter().filter(|it| it.state == State::Live);
            let found: BTreeSet<Scope> = live.map(|it| it.scope.clone()).collect();
            assert_eq!(found, wanted, "scopes of {row:?}");
            if row.is_live() {
                for member in members.iter().filter(|it| it.state == State::Live) {
                    // Those that were joined later take it for announced then.
                    assert!(member.announced >= row.announced || member.scope != Scope::Site);
                }
            }
        }
        let live = rows.iter().filter(|it| it.is_live()).count() as u64;
        assert_eq!(self.catalog.health().unwrap().entries, live);
        let articles: i64 = store.count("SELECT count(*) FROM articles", []).unwrap();
        let seeds: i64 = store.count("SELECT count(*) FROM seeds", []).unwrap();
        assert!(articles <= rows.len() as i64 + seeds, "the cache grows without end");
    }

    fn check_documents(&self, rows: &[EntryRow]) {
        let mut held: BTreeMap<&Scope, BTreeSet<i64>> = BTreeMap::new();
        for ((scope, part), selection) in &self.view.documents {
            let Some(selection) = selection else { continue };
            let mut last: Option<(Timestamp, i64)> = None;
            for entry in &selection.entries {
                let place = (entry.published, entry.number);
                assert!(last.is_none_or(|it| it > place), "order of {scope:?} {part:?}");
                last = Some(place);
                held.entry(scope).or_default().insert(entry.number);
                let row = &rows[entry.number as usize - 1];
                assert!(row.is_live(), "{row:?} is not live and shown");
                assert!(entry.updated >= entry.published, "{entry:?}");
            }
            if *part == Part::Current {
                assert!(
                    selection.tombstones.len() <= selection.entries.len().max(1),
                    "more tombstones than entries"
                );
            }
            for tombstone in &selection.tombstones {
                let row = rows.iter().find(|it| it.id == tombstone.id).unwrap();
                assert!(!row.is_live(), "a tombstone of a live entry");
                assert!(tombstone.when <= self.latest);
            }
            let limits = options().feeds.limits;
            if let Part::Archive(_) = part {
                assert!(selection.entries.len() <= limits.limit as usize);
            }
        }
        for row in rows.iter().filter(|it| it.is_live()) {
            let is_held = held.get(&Scope::Site).is_some_and(|it| it.contains(&row.number));
            assert!(is_held, "no document of the site holds {row:?}");
        }
    }

    fn check_pages(&self, rows: &[EntryRow]) {
        let mut pages = BTreeMap::new();
        for row in rows {
            if row.is_live() {
                let twice = pages.insert(&row.permalink, row.number);
                assert_eq!(twice, None, "two entries at {}", row.permalink);
            }
            let is_mine = matches!(
                &self.view.pages[&row.permalink],
                Place::Entry(it, _) if it.number == row.number
            );
            let place = &self.view.pages[&row.permalink];
            assert_eq!(row.is_live(), is_mine, "{place:?}\nis no page of {row:?}");
        }
        let store = self.catalog.store.rows();
        for (path, place) in &self.view.pages {
            if path == "/pic.png" {
                continue;
            }
            let holders = store.holders(path).unwrap();
            let live: Vec<_> = holders
                .iter()
                .map(|it| &rows[*it as usize - 1])
                .filter(|it| it.is_live())
                .collect();
            match place {
                Place::Entry(entry, _) => assert_eq!(entry.permalink, *path),
                Place::Moved(to) => {
                    assert!(live.iter().any(|it| it.permalink == *to), "{path} leads astray: {to}");
                }
                Place::Gone => assert!(live.is_empty(), "{path} is not gone"),
                other => panic!("{path}: {other:?}"),
            }
        }
    }

    /// Ids, numbers and dates hold against what they were.
    fn check_history(&mut self, rows: &[EntryRow]) {
        let mut live = BTreeSet::new();
        for row in rows {
            let now = (row.id.clone(), row.guid.clone());
            let known = self.ids.get(&row.number);
            assert!(known.is_none_or(|it| *it == now), "{known:?} became {now:?}");
            if !row.is_live() {
                self.gone.insert(row.number, row.since);
                continue;
            }
            live.insert(row.number);
            let was_live = self.live.contains(&row.number);
            if was_live && self.shown.get(&row.number).is_some_and(|(old, _)| old == row) {
                continue;
            }
            let article = self.catalog.store.rows().article(row.article).unwrap().unwrap().article;
            let time = |it: Timestamp| it.as_microsecond();
            assert!(row.published <= time(self.latest), "published in the future: {row:?}");
            // What was withdrawn at this very moment comes back later than that.
            let back = self.gone.get(&row.number).map_or(i64::MIN, |it| it + 1);
            let latest = time(self.latest).max(back);
            assert!(row.updated <= latest, "updated in the future: {row:?}");
            assert!(!article.stated.draft, "a draft is live: {row:?}");
            let stated = article.stated.published.map(time);
            assert!(stated.is_none_or(|it| it == row.published), "not as stated: {row:?}");
            if let Some((old, before)) = self.shown.get(&row.number) {
                self.check_dates(row, &article, old, before);
            }
            self.shown.insert(row.number, (row.clone(), article));
        }
        self.live = live;
    }

    fn check_dates(&self, row: &EntryRow, article: &Article, old: &EntryRow, before: &Article) {
        let now = self.now.as_microsecond();
        if article.stated.published.is_none() {
            assert_eq!(row.published, old.published, "nobody states another date: {row:?}");
        }
        if !self.live.contains(&row.number) {
            let after = now.max(self.gone[&row.number] + 1);
            assert_eq!(row.updated, after.max(row.published), "it came back: {row:?}");
            return;
        }
        let says = |it: &Article| {
            (it.title.clone(), it.body.open_html().to_owned(), it.summary.clone(), it.tags.clone())
        };
        let is_restated = article.stated.updated != before.stated.updated;
        let led = article.body.references() != before.body.references();
        if says(article) == says(before) {
            if !is_restated && !led {
                let moved = old.updated.max(row.published);
                assert_eq!(row.updated, moved, "updated for nothing: {old:?}\n{row:?}");
            }
        } else if !article.stated.minor && !is_restated && !led {
            assert_eq!(row.updated, now.max(row.published), "not updated: {old:?}\n{row:?}");
        }
    }

    /// Each file is the article that it must be.
    fn check_identity(&mut self) {
        let rows = self.catalog.store.rows();
        let mut known = Vec::new();
        for (name, file) in &mut self.files {
            if !self.dirty.is_empty() {
                // What was not told may change what the rest looks like.
                file.id = Id::Any;
            }
            let is_certain = self.dirty.is_empty() && self.pending.is_empty();
            if !is_certain || !file.is_readable {
                continue;
            }
            let Some(seed) = rows.seed(&path(name)).unwrap() else { continue };
            let entry = seed.entry.map(|it| rows.entry(it).unwrap().unwrap());
            let stated = file.doc.guid.map(Doc::guid);
            if stated.is_some_and(|it| entry.as_ref().is_none_or(|entry| entry.guid != it)) {
                // It becomes the one that it states as soon as that one is free.
                file.id = Id::Any;
                continue;
            }
            let is_half = seed.standing == SeedStanding::Copy;
            match (&file.id, entry) {
                (Id::Known(id), Some(entry)) => assert_eq!(entry.id, *id, "{name} is another"),
                (Id::Known(id), None) => panic!("{name} lost its entry {id}: {seed:?}"),
                (Id::New, Some(entry)) => {
                    let is_new = !self.ids.contains_key(&entry.number);
                    assert!(is_new, "{name} took over {entry:?}");
                    known.push((name.clone(), entry.id));
                }
                (Id::Any, Some(entry)) if !is_half => known.push((name.clone(), entry.id)),
                (Id::Any, _) | (_, None) => {}
            }
        }
        for (name, id) in known {
            self.files.get_mut(&name).unwrap().id = Id::Known(id);
        }
        for number in 1..=rows.last_number().unwrap() {
            if !self.pending.is_empty() {
                break;
            }
            let entry = rows.entry(number).unwrap().unwrap();
            self.ids.insert(number, (entry.id, entry.guid));
        }
    }

    /// Once all waits are over, the catalog is the folder.
    fn check_rest(&mut self) {
        if self.goes_back {
            self.now = self.latest;
        }
        self.compare();
        self.pass_until(self.now + SignedDuration::from_secs(4000));
        if self.chance.one_in(2) {
            let (_, touched) = self.catalog.confirm(self.now).unwrap();
            self.check(touched);
        }
        self.compare();
        self.pass_until(self.now + SignedDuration::from_secs(4000));
        let rows = self.catalog.store.rows();
        let is_held = !rows.entries_of_status(Status::Held).unwrap().is_empty();
        let mut wrong = String::new();
        for (name, file) in &self.files {
            if !file.is_readable || file.doc.kind != Kind::Plain {
                continue;
            }
            let Sighting::Article(_, article) = self.sighting(name) else { panic!("{name}") };
            let stated = &article.stated;
            let hidden = stated.draft
                || stated.published.is_some_and(|it| it > self.now)
                || stated.expires.is_some_and(|it| it <= self.now);
            let seed = rows.seed(&path(name)).unwrap();
            let entry =
                seed.as_ref().and_then(|it| it.entry).map(|it| rows.entry(it).unwrap().unwrap());
            let kept = entry.as_ref().map(|it| rows.article(it.article).unwrap().unwrap().article);
            let is_live = entry.as_ref().is_some_and(|it| it.is_live());
            if is_live == hidden && (hidden || !is_held) {
                writeln!(wrong, "{name}: live {is_live}, hidden {hidden}: {seed:?}").unwrap();
            } else if is_live && kept.as_ref() != Some(&article) {
                writeln!(wrong, "{name}: shown otherwise than it stands").unwrap();
            } else if let Some(entry) = entry.filter(|it| it.is_live())
                && !is_held
            {
                let wanted = permalink::wanted(&entry.path, &article.stated);
                assert!(entry.permalink.starts_with(&wanted), "{entry:?} waits for ever");
            }
        }
        assert!(wrong.is_empty(), "the catalog is not the folder:\n{wrong}");
        self.check_formats();
    }

    /// The three formats say the same.
    fn check_formats(&mut self) {
        let (selection, _) = self.reader.select(&Scope::Site, Part::Current).unwrap();
        let selection = selection.unwrap();
        let entries: Vec<Entry> = selection.entries.clone();
        let site = feed::page::Site {
            base_url: "https://example.org".into(),
            key: "key".into(),
            title: "Site".into(),
            description: "A site".into(),
            max_body: 1_000_000,
            ..feed::page::Site::default()
        };
        let feed = feed::build(&site, selection);
        for format in Format::ALL {
            let Payload::Bytes(bytes) = render::feed(&feed, format).payload else { panic!() };
            let parsed = feed_rs::parser::parse(&bytes[..]).unwrap();
            assert_eq!(parsed.entries.len(), entries.len());
            for (found, entry) in parsed.entries.iter().zip(&entries) {
                let id = if format == Format::Atom { &entry.id } else { &entry.guid };
                assert_eq!(found.id, *id, "{format:?}");
                let published = found.published.unwrap().timestamp();
                assert_eq!(published, entry.published.as_second(), "{format:?}");
                let title = found.title.as_ref().unwrap();
                assert_eq!(title.content, entry.article.title, "{format:?}");
            }
        }
    }
}

/// The lines of the one that the other has not, and the other way round.
fn difference(one: &impl std::fmt::Debug, two: &impl std::fmt::Debug) -> String {
    let texts = [format!("{one:#?}"), format!("{two:#?}")];
    let [one, two] = texts.each_ref().map(|it| it.lines().collect::<Vec<_>>());
    let less = one.iter().filter(|it| !two.contains(it)).map(|it| format!("- {it}\n"));
    let more = two.iter().filter(|it| !one.contains(it)).map(|it| format!("+ {it}\n"));
    less.chain(more).collect()
}

/// How a life ended before its time.
struct Failure {
    seed: u64,
    steps: usize,
    reason: String,
    log: Vec<String>,
}

fn live(seed: u64, steps: usize) -> Option<Failure> {
    let mut life = Life::new(seed);
    let mut taken = 0;
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        while taken < steps {
            taken += 1;
            life.step();
            if taken % 30 == 0 {
                life.note("rest".into());
                life.check_rest();
            }
        }
    }));
    let panic = outcome.err()?;
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| it.to_string()));
    Some(Failure { seed, steps: taken, reason: text.unwrap_or_default(), log: life.log })
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|it| it.parse().unwrap())
}

#[test]
fn promise_3_whatever_happens_in_the_folder_the_catalog_holds() {
    let one = variable("SOWER_MODEL_SEED");
    let first = one.or(variable("SOWER_MODEL_FIRST")).unwrap_or(0);
    let lives = one.map(|_| 1).or(variable("SOWER_MODEL_LIVES")).unwrap_or(LIVES);
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + lives {
                        break;
                    }
                    failures.lock().unwrap().extend(live(seed, STEPS));
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort_by_key(|it| it.steps);
    let Some(shortest) = failures.first() else { return };
    let mut all = String::new();
    for Failure { seed, steps, reason, .. } in &failures {
        let reason: String = reason.chars().take(200).collect();
        writeln!(all, "SOWER_MODEL_SEED={seed}, after {steps} steps: {reason}").unwrap();
    }
    panic!(
        "{} of {lives} lives fail:\n{all}\nthe shortest of them:\n{}\n{}",
        failures.len(),
        shortest.log.join("\n"),
        shortest.reason
    );
}
