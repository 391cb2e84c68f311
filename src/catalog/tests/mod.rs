//! DESIGN's rules of identity, dates, order and withdrawal, one by one, on a folder
//! that is made up: the catalog is real, files are rows of a map, and time is set by
//! hand.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::catalog::chosen::Feeds;
use crate::catalog::entry::{Part, Place, Selection};
use crate::catalog::order::Limits;
use crate::catalog::rows::{Origin, SECOND};
use crate::catalog::scope::Scope;
use crate::catalog::store::Result;
use crate::catalog::{Catalog, Options, Sighting, Touched};
use crate::convert;
use crate::watch::seed::{Seed, SeedPath, Stat, Surroundings};

mod bundles;
mod chosen;
mod faults;
mod migrations;
mod model;
mod moves;
mod rules;
mod salvage;
mod schedule;

/// A folder, a clock and a catalog.
struct Site {
    state: tempfile::TempDir,
    catalog: Catalog,
    now: Timestamp,
    files: BTreeMap<String, Stat>,
    texts: BTreeMap<String, String>,
    inodes: u64,
}

fn options() -> Options {
    Options {
        feeds: Feeds { limits: Limits { limit: 5, max: 20 }, chosen: Vec::new() },
        copy_wait: 3600 * SECOND,
        tombstones: 90 * 24 * 3600 * SECOND,
        backdate: 30 * 24 * 3600 * SECOND,
        vanished_share: 0.5,
        converter: 1,
        convert_options: [0; 32],
    }
}

fn convert_options() -> convert::Options {
    convert::Options {
        timezone: jiff::tz::TimeZone::UTC,
        max_bytes: 1_000_000,
        published_folders: vec!["_posts".into()],
        strip: Vec::new(),
    }
}

fn path(text: &str) -> SeedPath {
    SeedPath::new(text).unwrap()
}

impl Site {
    /// A site whose first import found an empty folder, some time ago.
    fn new() -> Site {
        let mut site = Site::unimported();
        site.catalog.compared(1, 1, site.now).unwrap();
        site.pass(100);
        site
    }

    fn unimported() -> Site {
        let state = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let catalog = Catalog::open(state.path(), "key".into(), options(), now).unwrap();
        Site { state, catalog, now, files: BTreeMap::new(), texts: BTreeMap::new(), inodes: 100 }
    }

    fn restart(&mut self) {
        self.catalog = Catalog::open(self.state.path(), "key".into(), options(), self.now).unwrap();
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.catalog.tick(self.now).unwrap();
    }

    /// A new file, made now.
    fn put(&mut self, name: &str, text: &str) {
        self.inodes += 1;
        let stat = Stat {
            device: 1,
            inode: self.inodes,
            birth: Some(self.now.as_nanosecond() as i64 + self.inodes as i64),
            length: text.len() as u64,
            modified: self.now.as_nanosecond() as i64,
            changed: self.now.as_nanosecond() as i64,
        };
        self.files.insert(name.into(), stat);
        self.texts.insert(name.into(), text.into());
    }

    fn edit(&mut self, name: &str, text: &str) {
        let stat = self.files.get_mut(name).unwrap();
        stat.modified = self.now.as_nanosecond() as i64;
        stat.length = text.len() as u64;
        self.texts.insert(name.into(), text.into());
    }

    fn rename(&mut self, from: &str, to: &str) {
        let stat = self.files.remove(from).unwrap();
        let text = self.texts.remove(from).unwrap();
        self.files.insert(to.into(), stat);
        self.texts.insert(to.into(), text);
    }

    fn remove(&mut self, name: &str) {
        self.files.remove(name).unwrap();
        self.texts.remove(name).unwrap();
    }

    /// The watcher looked at these paths.
    fn look(&mut self, names: &[&str]) -> Touched {
        self.try_look(names).unwrap()
    }

    fn try_look(&mut self, names: &[&str]) -> Result<Touched> {
        let seen = names.iter().map(|it| self.sighting(it)).collect();
        self.catalog.apply(seen, self.now)
    }

    fn sighting(&self, name: &str) -> Sighting {
        let Some(stat) = self.files.get(name) else { return Sighting::Nothing(path(name)) };
        let bytes = self.texts[name].clone().into_bytes();
        let hash = *blake3::hash(&bytes).as_bytes();
        let seed =
            Seed { path: path(name), stat: *stat, bytes, surroundings: Surroundings::default() };
        let origin = Origin { path: path(name), stat: *stat, bytes: hash, inputs: hash };
        match convert::convert(&seed, &convert_options()) {
            Ok(article) => Sighting::Article(origin, Box::new(article)),
            Err(convert::Error::Empty) => Sighting::Empty(origin),
            Err(error) => Sighting::Broken(origin, error.at(&seed)),
        }
    }

    fn write(&mut self, name: &str, text: &str) {
        self.put(name, text);
        self.look(&[name]);
    }

    fn feed(&self) -> Selection {
        self.document(&Scope::Site, Part::Current)
    }

    fn document(&self, scope: &Scope, part: Part) -> Selection {
        self.catalog.reader().unwrap().select(scope, part).unwrap().0.unwrap()
    }

    /// Titles in shown order.
    fn titles(&self) -> Vec<String> {
        self.feed().entries.into_iter().map(|it| it.article.title).collect()
    }

    fn id(&self, permalink: &str) -> String {
        match self.at(permalink) {
            Place::Entry(entry, _) => entry.id,
            other => panic!("expected a page at {permalink}, found {other:?}"),
        }
    }

    fn dates(&self, permalink: &str) -> (Timestamp, Timestamp) {
        match self.at(permalink) {
            Place::Entry(entry, _) => (entry.published, entry.updated),
            other => panic!("expected a page at {permalink}, found {other:?}"),
        }
    }

    fn at(&self, permalink: &str) -> Place {
        self.catalog.reader().unwrap().at(permalink).unwrap().0
    }
}

#[test]
fn promise_3_a_rename_keeps_id_dates_and_answers_301() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    let (id, dates) = (site.id("/a"), site.dates("/a"));
    site.pass(60);
    site.rename("a.txt", "news/b.txt");
    site.look(&["a.txt", "news/b.txt"]);
    assert_eq!((site.id("/news/b"), site.dates("/news/b")), (id.clone(), dates));
    assert_eq!(site.at("/a"), Place::Moved("/news/b".into()));
    site.pass(60);
    site.restart();
    assert_eq!(site.id("/news/b"), id);
    assert_eq!(site.titles().len(), 1);
}

#[test]
fn promise_3_a_rename_seen_in_two_batches_is_one() {
    for order in [["a.txt", "b.txt"], ["b.txt", "a.txt"]] {
        let mut site = Site::new();
        site.write("a.txt", "One\nA text that says something.");
        let id = site.id("/a");
        site.rename("a.txt", "b.txt");
        site.edit("b.txt", "One\nA text that was edited in the same breath.");
        for name in order {
            site.look(&[name]);
        }
        site.pass(5);
        assert_eq!(site.id("/b"), id, "{order:?}");
        assert_eq!(site.titles().len(), 1, "{order:?}");
    }
}

#[test]
fn promise_3_a_copy_then_delete_is_a_move() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    let id = site.id("/a");
    site.write("b.txt", "One\nA text that says something.");
    assert_eq!(site.titles().len(), 1, "the copy waits");
    site.pass(600);
    site.remove("a.txt");
    site.look(&["a.txt"]);
    assert_eq!(site.id("/b"), id);
    assert_eq!(site.at("/a"), Place::Moved("/b".into()));
}

#[test]
fn promise_3_a_copy_that_stays_is_new_after_its_wait() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    site.write("b.txt", "One\nA text that says something.");
    site.pass(3599);
    assert_eq!(site.titles().len(), 1);
    site.pass(2);
    assert_eq!(site.titles().len(), 2);
    assert_ne!(site.id("/a"), site.id("/b"));
}

#[test]
fn promise_3_a_template_that_is_copied_and_edited_is_an_article_of_its_own() {
    let mut site = Site::new();
    site.write("template.txt", "One\nA text that says something.");
    let id = site.id("/template");
    site.write("new.txt", "One\nA text that says something.");
    site.edit("new.txt", "Two\nA text that says something else.");
    site.look(&["new.txt"]);
    assert_eq!(site.titles(), ["Two", "One"]);
    assert_eq!(site.id("/template"), id);
}

#[test]
fn promise_3_a_backup_takes_nothing_over_when_the_original_is_edited() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    let id = site.id("/a");
    site.write("a-old.txt", "One\nA text that says something.");
    site.pass(10);
    site.edit("a.txt", "One\nA better text.");
    site.look(&["a.txt"]);
    assert_eq!(site.id("/a"), id);
    assert_ne!(site.id("/a-old"), id);
}

#[test]
fn promise_3_a_swap_of_names_swaps_paths_alone() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    site.write("b.txt", "Two\nA text that says something else.");
    let (one, two) = (site.id("/a"), site.id("/b"));
    let dates = site.dates("/a");
    site.pass(10);
    site.rename("a.txt", "t");
    site.rename("b.txt", "a.txt");
    site.rename("t", "b.txt");
    site.look(&["a.txt", "b.txt"]);
    assert_eq!((site.id("/b"), site.id("/a")), (one, two));
    assert_eq!(site.dates("/b"), dates);
}

#[test]
fn promise_3_a_reused_inode_makes_no_move() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    let (id, inode) = (site.id("/a"), site.files["a.txt"].inode);
    site.pass(10);
    site.remove("a.txt");
    site.put("b.txt", "Two\nA text that says something else.");
    site.files.get_mut("b.txt").unwrap().inode = inode;
    site.look(&["a.txt", "b.txt"]);
    assert_ne!(site.id("/b"), id);
    site.pass(10);
    assert_eq!(site.at("/a"), Place::Gone);
}

#[test]
fn promise_3_a_path_used_again_gets_another_id() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    let id = site.id("/a");
    site.rename("a.txt", "b.txt");
    site.look(&["a.txt", "b.txt"]);
    site.write("a.txt", "Two\nA text that says something else.");
    assert_eq!(site.id("/b"), id);
    assert_ne!(site.id("/a"), id, "a live page beats a redirect");
}

#[test]
fn promise_3_updated_moves_with_the_text_alone() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    let (published, updated) = site.dates("/a");
    assert_eq!(published, updated);
    site.pass(60);
    let touched = site.look(&["a.txt"]);
    assert!(touched.is_empty(), "a touch changes nothing: {touched:?}");
    site.edit("a.txt", "One\nA text that says something.\n\n");
    site.look(&["a.txt"]);
    assert_eq!(site.dates("/a"), (published, updated), "blank lines say nothing");
    site.edit("a.txt", "One\nA text that says more.");
    site.look(&["a.txt"]);
    assert_eq!(site.dates("/a"), (published, site.now));
}

#[test]
fn promise_3_minor_keeps_updated() {
    let mut site = Site::new();
    site.write("a.md", "---\ntitle: One\n---\nA text.");
    let dates = site.dates("/a");
    site.pass(60);
    site.edit("a.md", "---\ntitle: One\nminor: true\n---\nA text, corrected.");
    site.look(&["a.md"]);
    assert_eq!(site.dates("/a"), dates);
}

#[test]
fn promise_3_an_editor_that_renames_the_old_file_away_removes_nothing() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    let id = site.id("/a");
    site.remove("a.txt");
    site.look(&["a.txt"]);
    site.pass(1);
    site.write("a.txt", "One\nA text that says more.");
    site.pass(10);
    assert_eq!(site.id("/a"), id);
    assert!(site.feed().tombstones.is_empty());
}

#[test]
fn promise_4_drafts_stay_in_and_withdraw() {
    let mut site = Site::new();
    site.write("a.md", "---\ndraft: true\n---\n# One\n\nA text.");
    site.write("drafts/b.txt", "Two\nA text that says something.");
    site.write("_c.txt", "Three\nA text that says something.");
    assert!(site.titles().is_empty());
    site.edit("a.md", "# One\n\nA text.");
    site.look(&["a.md"]);
    let id = site.id("/a");
    site.pass(10);
    site.edit("a.md", "---\ndraft: true\n---\n# One\n\nA text.");
    site.look(&["a.md"]);
    assert_eq!(site.at("/a"), Place::Gone);
    assert_eq!(site.feed().tombstones[0].id, id);
    site.pass(10);
    site.edit("a.md", "# One\n\nA text.");
    site.look(&["a.md"]);
    assert_eq!(site.id("/a"), id, "it comes back as itself");
    assert_eq!(site.dates("/a").1, site.now, "and later than its tombstone");
}

#[test]
fn promise_4_a_future_date_is_published_at_its_time() {
    let mut site = Site::new();
    site.write("a.md", "---\ndate: 2026-11-25T13:00:00Z\n---\n# One\n\nA text.");
    assert!(site.titles().is_empty());
    let due = site.catalog.due().unwrap();
    assert_eq!(due, "2026-11-25T13:00:00Z".parse().unwrap());
    site.now = due;
    site.catalog.tick(due).unwrap();
    assert_eq!(site.dates("/a"), (due, due));
}

#[test]
fn promise_4_expires_withdraws_at_its_time() {
    let mut site = Site::new();
    site.write("a.md", "---\nexpires: 2026-11-25T13:00:00Z\n---\n# One\n\nA text.");
    assert_eq!(site.titles(), ["One"]);
    site.pass(10);
    site.now = site.catalog.due().unwrap();
    assert_eq!(site.now, "2026-11-25T13:00:00Z".parse().unwrap());
    site.catalog.tick(site.now).unwrap();
    assert_eq!(site.at("/a"), Place::Gone);
}

#[test]
fn promise_4_a_folder_that_empties_at_a_stroke_withdraws_nothing() {
    let mut site = Site::new();
    let names: Vec<String> = (0..12).map(|it| format!("{it}.txt")).collect();
    for name in &names {
        site.write(name, &format!("Title {name}\nA text that says something."));
        site.pass(3);
    }
    site.pass(1000);
    // Slowly, in many batches.
    for name in &names {
        site.remove(name);
        site.look(&[name.as_str()]);
        site.pass(3);
    }
    site.pass(100);
    assert_eq!(site.catalog.health().unwrap().entries, 12);
    assert_eq!(site.catalog.health().unwrap().reasons.len(), 1);
    for name in &names {
        site.write(name, &format!("Title {name}\nA text that says something."));
    }
    site.catalog.compared(1, 1, site.now).unwrap();
    site.pass(100);
    assert!(site.catalog.health().unwrap().reasons.is_empty(), "it heals");
    assert!(site.feed().tombstones.is_empty());
    for name in &names {
        site.remove(name);
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    site.pass(1000);
    site.look(&all);
    site.pass(10);
    assert_eq!(site.catalog.health().unwrap().entries, 12);
    let (count, _) = site.catalog.confirm(site.now).unwrap();
    assert_eq!(count, 12);
    assert_eq!(site.catalog.health().unwrap().entries, 0);
    assert!(site.catalog.health().unwrap().reasons.is_empty());
}

#[test]
fn promise_5_a_removed_seed_leaves_a_tombstone_and_410() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    site.write("b.txt", "Two\nA text that says something else.");
    let id = site.id("/a");
    site.pass(100);
    site.remove("a.txt");
    site.look(&["a.txt"]);
    assert_eq!(site.titles().len(), 2, "it waits");
    site.pass(3);
    assert_eq!(site.titles(), ["Two"]);
    assert_eq!(site.at("/a"), Place::Gone);
    assert_eq!(site.feed().tombstones[0].id, id);
    site.write("a.txt", "One\nA text that says something.");
    assert_eq!(site.id("/a"), id, "it has its old id");
    assert!(site.feed().tombstones.is_empty());
}

#[test]
fn promise_6_a_killed_import_goes_on_with_the_same_ids_and_dates() {
    let mut site = Site::unimported();
    for number in 0..12 {
        site.put(&format!("{number}.txt"), &format!("Title {number}\nA text that says it."));
    }
    site.look(&["0.txt", "1.txt", "2.txt"]);
    assert!(site.titles().is_empty(), "nothing before the import closes");
    site.restart();
    let names: Vec<String> = site.files.keys().cloned().collect();
    site.look(&names.iter().map(String::as_str).collect::<Vec<_>>());
    site.catalog.compared(1, 1, site.now).unwrap();
    assert_eq!(site.catalog.health().unwrap().entries, 12);
    let archive = site.document(&Scope::Site, Part::Archive(3));
    assert_eq!(archive.entries.len(), 2, "the import closes its last page early");
    assert_eq!((archive.older, archive.newer), (Some(2), None));
}

#[test]
fn order_archives_hold_every_entry_and_never_shift() {
    let mut site = Site::new();
    for number in 0..13 {
        site.write(&format!("{number}.txt"), &format!("Title {number}\nA text that says it."));
        site.pass(3);
    }
    let first = site.document(&Scope::Site, Part::Archive(1));
    let current = site.feed();
    assert_eq!(current.older, Some(2));
    assert_eq!(current.entries.len(), 13, "all of the last 24 hours");
    site.pass(10 * 24 * 3600);
    site.write("last.txt", "Last\nA text that says it.");
    assert_eq!(site.feed().entries.len(), 5, "five last announced; four in no archive yet");
    assert_eq!(site.document(&Scope::Site, Part::Archive(1)), first);
}

#[test]
fn identity_a_stated_id_is_kept_and_a_second_claim_is_reported() {
    let mut site = Site::new();
    site.write("a.md", "---\nguid: tag:example.org,2024:one\n---\n# One\n\nA text.");
    assert_eq!(site.id("/a"), "tag:example.org,2024:one");
    site.put("b.md", "---\nguid: tag:example.org,2024:one\n---\n# Two\n\nAnother text.");
    let touched = site.look(&["b.md"]);
    assert_ne!(site.id("/b"), "tag:example.org,2024:one");
    assert_eq!(
        touched.notes[0].to_string(),
        "b.md: expected an id of its own, found `tag:example.org,2024:one`, which is `a.md`'s; it \
         is published under another id"
    );
    site.remove("a.md");
    site.look(&["a.md"]);
    site.write("c.md", "---\nguid: tag:example.org,2024:one\n---\n# Three\n\nA third text.");
    assert_eq!(site.id("/c"), "tag:example.org,2024:one", "its seed had left its path");
}

#[test]
fn permalinks_are_never_shared() {
    let mut site = Site::new();
    site.write("a.txt", "One\nA text that says something.");
    site.write("a.md", "# Two\n\nA text that says something else.");
    assert_ne!(site.id("/a"), site.id("/a-2"));
    site.pass(10);
    site.remove("a.txt");
    site.look(&["a.txt"]);
    site.pass(10);
    assert_eq!(site.at("/a"), Place::Gone);
    assert!(matches!(site.at("/a-2"), Place::Entry(..)), "a permalink stays");
}

#[test]
fn an_empty_or_broken_save_keeps_the_last_version() {
    let mut site = Site::new();
    site.write("a.md", "# One\n\nA text.");
    let id = site.id("/a");
    for text in ["", "---\ntitle: One\nnever closed"] {
        site.edit("a.md", text);
        site.look(&["a.md"]);
        site.pass(10);
        assert_eq!((site.id("/a"), site.titles()), (id.clone(), vec!["One".into()]), "{text:?}");
    }
    assert_eq!(site.catalog.health().unwrap().problems, 1);
    site.edit("a.md", "# One\n\nA text.");
    site.look(&["a.md"]);
    assert_eq!(site.catalog.health().unwrap().problems, 0);
}

#[test]
fn an_archive_of_old_articles_that_is_copied_in_floods_nobody() {
    let mut site = Site::new();
    site.write("new.txt", "New\nA text that says something.");
    site.pass(10);
    let names: Vec<String> = (10..40).map(|it| format!("old/{it}.md")).collect();
    for (day, name) in names.iter().enumerate() {
        let text = format!("---\ndate: 2015-01-{:02}\n---\n# {name}\n\nA text.", day % 28 + 1);
        site.put(name, &text);
        site.look(&[name.as_str()]);
    }
    assert_eq!(site.titles(), ["New"], "they wait for the end of their drop");
    site.pass(3);
    assert_eq!(site.catalog.health().unwrap().entries, 31);
    let feed = site.feed();
    assert_eq!(feed.entries.len(), 5, "as many as ever");
    assert_eq!(feed.entries[0].article.title, "New");
    site.write("y.md", "---\ndate: 2026-11-23\n---\n# Yesterday\n\nA text.");
    site.pass(3);
    assert!(site.titles().contains(&"Yesterday".into()), "one old date alone reaches everybody");
}

#[test]
fn a_scope_that_lost_its_last_entry_is_empty_for_30_days_and_then_gone() {
    let day = 24 * 3600;
    let mut site = Site::new();
    let text = |tags: &str| format!("---\ntags: {tags}\n---\n# One\n\nA text.");
    site.write("news/a.md", &text("[Korea]"));
    let korea = Scope::Tag("korea".into());
    let selected = |site: &Site| site.catalog.reader().unwrap().select(&korea, Part::Current);
    let has_ended = |site: &Site| site.catalog.reader().unwrap().has_ended(&korea).unwrap();
    assert_eq!(site.document(&korea, Part::Current).entries.len(), 1);
    site.pass(10);
    site.edit("news/a.md", &text("[Seoul]"));
    site.look(&["news/a.md"]);
    assert_eq!(site.document(&korea, Part::Current).entries.len(), 0, "empty, and valid");
    site.pass(30 * day - 1);
    assert!(selected(&site).unwrap().0.is_some() && !has_ended(&site));
    assert_eq!(site.catalog.due(), Some(site.now + SignedDuration::from_secs(1)));
    site.now += SignedDuration::from_secs(1);
    let touched = site.catalog.tick(site.now).unwrap();
    assert!(touched.documents.contains(&(korea.clone(), Part::Current)), "off the shelf");
    assert!(selected(&site).unwrap().0.is_none() && has_ended(&site));
    assert_eq!(site.catalog.due(), None, "once");
    site.edit("news/a.md", &text("[korea]"));
    site.look(&["news/a.md"]);
    assert_eq!(site.document(&korea, Part::Current).entries.len(), 1, "it can come back");
    assert_eq!(site.document(&korea, Part::Current).label, "Korea", "as first spelled");
    site.remove("news/a.md");
    site.look(&["news/a.md"]);
    site.pass(100);
    site.pass(31 * day);
    assert!(has_ended(&site));
    assert_eq!(site.feed().entries.len(), 0, "the site's own feed never ends");
}
