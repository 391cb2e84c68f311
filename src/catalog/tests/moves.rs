//! Identity and permalinks through whatever programs do to files: whole folders that
//! move, copies that become the original, names that clash.

use super::*;
use crate::catalog::rows::Standing;

fn text(title: &str) -> String {
    format!("# {title}\n\nThe text of {title}.\n")
}

/// What a reader holds against a publisher, by title: id, dates, place in the order.
type Kept = BTreeMap<String, (String, Timestamp, Timestamp, i64)>;

impl Site {
    /// Of all documents of the site.
    fn kept(&self) -> Kept {
        let mut kept = Kept::new();
        let mut part = Some(Part::Current);
        while let Some(this) = part {
            let document = self.document(&Scope::Site, this);
            for it in document.entries {
                let facts = (it.id, it.published, it.updated, it.number);
                let twice = kept.insert(it.article.title, facts.clone());
                assert!(twice.is_none_or(|it| it == facts));
            }
            part = document.older.map(Part::Archive);
        }
        kept
    }

    /// Articles of a folder that were written one after the other and edited since.
    fn with_folder(folder: &str) -> (Site, Vec<String>) {
        let mut site = Site::new();
        let names: Vec<String> = (10..22).map(|it| format!("{folder}/{it}.md")).collect();
        for name in &names {
            site.write(name, &text("A draft of it"));
            site.edit(name, &text(name));
            site.look(&[name.as_str()]);
            site.pass(5);
        }
        site.pass(3600);
        (site, names)
    }

    /// The daemon starts again and compares the folder with what it knows.
    fn start_again(&mut self) {
        self.restart();
        let known = self.catalog.reader().unwrap().known().unwrap();
        let mut names: Vec<String> = self.files.keys().cloned().collect();
        names.extend(known.into_iter().map(|(path, _)| path.to_string()));
        names.sort();
        names.dedup();
        self.look(&names.iter().map(String::as_str).collect::<Vec<_>>());
        self.catalog.compared(1, 1, self.now).unwrap();
    }

    /// The same bytes as another file, on another device, as `cp` makes it.
    fn copy(&mut self, from: &str, to: &str) {
        let text = self.texts[from].clone();
        self.put(to, &text);
        self.files.get_mut(to).unwrap().device = 2;
    }

    fn look_at(&mut self, names: &[String]) {
        self.look(&names.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn title_at(&self, permalink: &str) -> Option<String> {
        match self.at(permalink) {
            Place::Entry(entry, _) => Some(entry.article.title),
            _ => None,
        }
    }
}

fn moved(names: &[String], to: &str) -> Vec<String> {
    names.iter().map(|it| format!("{to}/{}", it.split_once('/').unwrap().1)).collect()
}

fn page(name: &str) -> String {
    format!("/{}", name.strip_suffix(".md").unwrap())
}

/// All that was in the one folder is in the other: nothing else shows of it.
fn assert_moved(site: &Site, before: &Kept, from: &[String], to: &[String], how: &str) {
    assert_eq!(site.kept(), *before, "{how}");
    for (old, new) in from.iter().zip(to) {
        assert_eq!(site.at(&page(old)), Place::Moved(page(new)), "{how}");
        assert_eq!(site.title_at(&page(new)).as_ref(), Some(old), "{how}");
    }
    assert!(site.feed().tombstones.is_empty(), "{how}");
    assert!(site.catalog.health().unwrap().reasons.is_empty(), "{how}");
}

#[test]
fn identity_a_whole_folder_that_moves_keeps_ids_dates_order_and_leads_from_the_old_paths() {
    type Tell = fn(&mut Site, &[String], &[String]);
    let ways: [(&str, Tell); 6] = [
        ("all at once", |site, old, new| site.look_at(&[old, new].concat())),
        ("first that they are gone", |site, old, new| {
            site.look_at(old);
            site.look_at(new);
        }),
        ("first that they are there", |site, old, new| {
            site.look_at(new);
            site.look_at(old);
        }),
        ("in small pieces, first the old paths", |site, old, new| {
            for pair in old.chunks(5).zip(new.chunks(5)) {
                site.look_at(pair.0);
                site.now += SignedDuration::from_millis(700);
                site.look_at(pair.1);
            }
        }),
        ("one by one, from opposite ends", |site, old, new| {
            for pair in old.iter().zip(new.iter().rev()) {
                site.look(&[pair.0]);
                site.look(&[pair.1]);
            }
        }),
        ("while the daemon was down", |site, _, _| {
            site.now += SignedDuration::from_hours(50);
            site.start_again();
        }),
    ];
    for has_births in [true, false] {
        for (how, tell) in &ways {
            let (mut site, old) = Site::with_folder("n");
            if !has_births {
                site.files.values_mut().for_each(|it| it.birth = None);
                site.look_at(&old);
            }
            let before = site.kept();
            let new = moved(&old, "deep/m");
            for (from, to) in old.iter().zip(&new) {
                site.rename(from, to);
            }
            tell(&mut site, &old, &new);
            site.pass(60);
            assert_moved(&site, &before, &old, &new, &format!("{how}, births: {has_births}"));
        }
    }
}

#[test]
fn identity_two_folders_that_swap_their_names_swap_paths_alone() {
    for order in ["together", "one", "other"] {
        let (mut site, one) = Site::with_folder("n");
        let other = moved(&one, "m");
        for name in &other {
            site.write(name, &text(name));
        }
        site.pass(3600);
        let before = site.kept();
        for (from, to) in one.iter().zip(&other) {
            site.rename(from, "t");
            site.rename(to, from);
            site.rename("t", to);
        }
        match order {
            "together" => site.look_at(&[&one[..], &other[..]].concat()),
            "one" => {
                site.look_at(&one);
                site.look_at(&other);
            }
            _ => {
                site.look_at(&other);
                site.look_at(&one);
            }
        }
        site.pass(60);
        assert_eq!(site.kept(), before, "{order}");
        for (from, to) in one.iter().zip(&other) {
            assert_eq!(site.title_at(&page(to)).as_ref(), Some(from), "{order}");
            assert_eq!(site.title_at(&page(from)).as_ref(), Some(to), "{order}");
        }
    }
}

#[test]
fn identity_a_move_across_file_systems_copies_first_and_deletes_later() {
    // As `mv`, rsync and Syncthing do it: all at once, or piece by piece; soon, or
    // almost an hour later.
    for (pieces, wait) in [(12, 1), (12, 3500), (5, 1), (1, 40)] {
        let (mut site, old) = Site::with_folder("n");
        let before = site.kept();
        let new = moved(&old, "m");
        for (from, to) in old.iter().zip(&new) {
            site.copy(from, to);
            site.look(&[to.as_str()]);
        }
        assert_eq!(site.kept(), before, "the copies wait");
        let waiting = site.catalog.reader().unwrap().status().unwrap().waiting;
        assert!(waiting.iter().all(|it| it.standing == Standing::Copy));
        assert_eq!(waiting.len(), 12, "and `sower status` says so");
        site.pass(wait);
        for some in old.chunks(pieces) {
            some.iter().for_each(|it| site.remove(it));
            site.look_at(some);
            site.now += SignedDuration::from_secs(3);
            site.catalog.tick(site.now).unwrap();
        }
        site.pass(60);
        assert_moved(&site, &before, &old, &new, &format!("{pieces} at a time after {wait} s"));
    }
}

#[test]
fn identity_a_move_across_file_systems_deletes_first_and_copies_within_the_wait() {
    // As `rsync --delete-before` does it. Of so many at once the folder has vanished
    // when the wait is over, and they are found again later, too.
    for wait in [0, 1, 30, 3600] {
        let (mut site, old) = Site::with_folder("n");
        let before = site.kept();
        let new = moved(&old, "m");
        let away: Vec<String> = old.iter().map(|it| site.texts[it].clone()).collect();
        old.iter().for_each(|it| site.remove(it));
        site.look_at(&old);
        site.pass(wait);
        assert_eq!(site.titles().len(), 12, "after {wait} s");
        for (text, to) in away.iter().zip(&new) {
            site.put(to, text);
            site.files.get_mut(to).unwrap().device = 2;
            site.look(&[to.as_str()]);
        }
        site.catalog.compared(1, 1, site.now).unwrap();
        site.pass(60);
        assert_moved(&site, &before, &old, &new, &format!("after {wait} s"));
    }
}

#[test]
fn identity_what_was_withdrawn_meanwhile_comes_back_under_its_id_and_date() {
    let (mut site, old) = Site::with_folder("n");
    let before = site.kept();
    let away = site.texts[&old[0]].clone();
    site.remove(&old[0]);
    site.look(&[&old[0]]);
    site.pass(60);
    assert_eq!(site.at(&page(&old[0])), Place::Gone);
    site.pass(60);
    site.put("m/10.md", &away);
    site.look(&["m/10.md"]);
    let (id, published, _, number) = before[&old[0]].clone();
    let now = site.kept()[&old[0]].clone();
    assert_eq!(now, (id, published, site.now, number));
    assert_eq!(site.at(&page(&old[0])), Place::Moved("/m/10".into()));
}

#[test]
fn identity_a_rename_that_readers_hardly_see_in_the_path() {
    let table = [
        ("a.md", "A.md", "/a", "/A", "case alone"),
        ("Caf\u{e9}.md", "Cafe\u{301}.md", "/Caf%C3%A9", "/Caf%C3%A9", "normalisation alone"),
        ("a.md", "a.markdown", "/a", "/a", "the extension alone"),
        ("a b.md", "a-b.md", "/a-b", "/a-b", "a blank alone"),
    ];
    for (from, to, old, new, why) in table {
        for order in [&[from, to][..], &[to, from]] {
            for together in [true, false] {
                let mut site = Site::new();
                site.write(from, &text("A"));
                let before = (site.id(old), site.dates(old));
                site.pass(60);
                site.rename(from, to);
                match together {
                    true => drop(site.look(order)),
                    false => order.iter().for_each(|it| drop(site.look(&[it]))),
                }
                site.pass(60);
                assert_eq!((site.id(new), site.dates(new)), before, "{why}, {order:?}");
                if old != new {
                    assert_eq!(site.at(old), Place::Moved(new.into()), "{why}, {order:?}");
                }
                assert_eq!(site.titles().len(), 1, "{why}, {order:?}");
            }
        }
    }
}

#[test]
fn identity_each_use_of_a_path_has_an_id_of_its_own() {
    let mut site = Site::new();
    let mut ids = Vec::new();
    for round in 0..4 {
        site.write("a.md", &text(&format!("Round {round}")));
        ids.push(site.id("/a"));
        site.pass(60);
        let to = format!("{round}.md");
        site.rename("a.md", &to);
        site.look(&["a.md", to.as_str()]);
        site.pass(60);
    }
    let mut different = ids.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 4, "{ids:?}");
    let now: Vec<String> = (0..4).map(|it| site.id(&format!("/{it}"))).collect();
    assert_eq!(now, ids, "and keeps it");
    assert_eq!(site.at("/a"), Place::Moved("/3".into()), "to the last that was there");
}

#[test]
fn identity_empty_seeds_are_never_taken_for_copies() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    let id = site.id("/a");
    site.pass(60);
    site.edit("a.md", "");
    site.write("b.md", "");
    site.look(&["a.md"]);
    site.remove("a.md");
    site.look(&["a.md"]);
    site.pass(60);
    site.edit("b.md", &text("B"));
    site.look(&["b.md"]);
    assert_ne!(site.id("/b"), id, "two empty files are not one article");
    assert_eq!(site.at("/a"), Place::Gone);
}

#[test]
fn identity_in_a_first_import_no_copy_waits() {
    let mut site = Site::unimported();
    for name in ["a.md", "b.md", "n/a.md"] {
        site.put(name, &text("A"));
    }
    site.look(&["a.md", "b.md", "n/a.md"]);
    site.catalog.compared(1, 1, site.now).unwrap();
    let mut ids = ["/a", "/b", "/n/a"].map(|it| site.id(it));
    ids.sort();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

#[test]
fn identity_an_id_that_is_added_or_changed_later_is_reported_and_not_followed() {
    let stating = |it: &str| format!("---\nguid: {it}\n---\n{}", text("A"));
    for first in [text("A"), stating("tag:example.org,2024:one")] {
        let mut site = Site::new();
        site.write("a.md", &first);
        let id = site.id("/a");
        site.pass(60);
        site.edit("a.md", &stating("tag:example.org,2024:two"));
        let notes = site.look(&["a.md"]).notes;
        assert_eq!(site.id("/a"), id);
        assert_eq!(notes.len(), 1);
        let told = "found `tag:example.org,2024:two`; it keeps its first id";
        assert!(notes[0].to_string().ends_with(told), "{}", notes[0]);
        site.pass(60);
        site.restart();
        assert_eq!(site.id("/a"), id);
    }
}

#[test]
fn identity_of_two_that_state_one_id_in_one_batch_the_lesser_path_has_it() {
    let mut site = Site::new();
    for name in ["b.md", "a.md", "c.md"] {
        site.put(name, &format!("---\nguid: tag:example.org,2024:one\n---\n{}", text(name)));
    }
    let notes = site.look(&["b.md", "c.md", "a.md"]).notes;
    assert_eq!(site.id("/a"), "tag:example.org,2024:one");
    assert!(site.id("/b") != site.id("/a") && site.id("/c") != site.id("/a"));
    assert_ne!(site.id("/b"), site.id("/c"));
    assert_eq!(notes.len(), 2, "{notes:?}");
}

// URLs

/// Articles that ask for the same few paths.
const CLASHING: &[(&str, &str)] = &[
    ("a.txt", ""),
    ("a.md", ""),
    ("a-2.md", ""),
    ("b.md", "slug: a"),
    ("n/c.md", "permalink: /a"),
    ("d.md", "aliases: [/a, /a-2, /a-3]"),
    ("A.md", "aliases: [/d]"),
];

fn clashing(name: &str, keys: &str) -> String {
    let title = format!("title: \"{name}\"");
    format!("---\n{title}\n{keys}\n---\nThe text of `{name}`.\n")
}

/// Each article has a page of its own, and no path leads to one that never asked for it.
fn assert_own_pages(site: &Site, live: &[&str], paths: &mut BTreeMap<String, Vec<String>>) {
    let entries = site.feed().entries;
    assert_eq!(entries.len(), live.len());
    for entry in &entries {
        let title = &entry.article.title;
        assert!(live.contains(&title.as_str()), "{title} is not live");
        assert_eq!(site.title_at(&entry.permalink).as_ref(), Some(title));
        let holders = paths.entry(entry.permalink.clone()).or_default();
        holders.push(title.clone());
        for alias in &entry.article.stated.aliases {
            paths.entry(alias.clone()).or_default().push(title.clone());
        }
    }
    for (path, holders) in paths {
        match site.at(path) {
            Place::Entry(entry, _) => assert!(holders.contains(&entry.article.title), "{path}"),
            Place::Moved(to) => {
                let title = site.title_at(&to).unwrap_or_else(|| panic!("{path} leads to {to}"));
                assert!(holders.contains(&title), "{path} leads to {title}");
            }
            Place::Gone => {
                let is_gone = |it: &String| !live.contains(&it.as_str());
                assert!(holders.iter().all(is_gone), "{path} of {holders:?} is gone");
            }
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn urls_that_clash_in_any_order_never_answer_with_another_articles_page() {
    let count = CLASHING.len();
    for first in 0..count {
        for step in [1, 2, count - 1] {
            let order: Vec<usize> = (0..count).map(|it| (first + it * step) % count).collect();
            let mut site = Site::new();
            let (mut live, mut paths) = (Vec::new(), BTreeMap::new());
            for &at in &order {
                let (name, keys) = CLASHING[at];
                site.write(name, &clashing(name, keys));
                live.push(name);
                assert_own_pages(&site, &live, &mut paths);
                site.pass(700);
            }
            // They go again, one by one, and the last comes back.
            for &at in order.iter().skip(1) {
                let name = CLASHING[at].0;
                site.remove(name);
                site.look(&[name]);
                site.pass(700);
                live.retain(|it| *it != name);
                assert_own_pages(&site, &live, &mut paths);
            }
            let (name, keys) = CLASHING[order[count - 1]];
            site.write(name, &clashing(name, keys));
            live.push(name);
            assert_own_pages(&site, &live, &mut paths);
        }
    }
}

#[test]
fn urls_that_clash_in_one_batch_are_given_in_the_order_of_paths() {
    let mut site = Site::new();
    for (name, keys) in CLASHING {
        site.put(name, &clashing(name, keys));
    }
    let names: Vec<&str> = CLASHING.iter().map(|it| it.0).rev().collect();
    let notes = site.look(&names).notes;
    let given: BTreeMap<String, String> =
        site.feed().entries.into_iter().map(|it| (it.path.to_string(), it.permalink)).collect();
    let expected = [
        ("A.md", "/A"),
        ("a-2.md", "/a-2"),
        ("a.md", "/a"),
        ("a.txt", "/a-3"),
        ("b.md", "/a-4"),
        ("d.md", "/d"),
        ("n/c.md", "/a-5"),
    ];
    assert_eq!(given, expected.map(|(name, path)| (name.into(), path.into())).into());
    assert_eq!(notes.len(), 3, "each that got another path is told: {notes:?}");
}

#[test]
fn urls_of_names_that_are_no_utf_8_last_through_moves_and_restarts() {
    let mut site = Site::new();
    let put = |site: &mut Site, name: &[u8], inode: u64| {
        let text = text("A").into_bytes();
        let stat = Stat {
            device: 1,
            inode,
            birth: Some(1),
            length: text.len() as u64,
            modified: 1,
            changed: 1,
        };
        let bytes = *blake3::hash(&text).as_bytes();
        let path = SeedPath::new(name).unwrap();
        let surroundings = Surroundings::default();
        let seed = Seed { path: path.clone(), stat, bytes: text, surroundings };
        let article = convert::convert(&seed, &convert_options()).unwrap();
        let origin = Origin { path, stat, bytes, inputs: bytes };
        site.catalog.apply(vec![Sighting::Article(origin, Box::new(article))], site.now).unwrap();
    };
    put(&mut site, b"\xff/caf\xe9 1.md", 7);
    site.catalog.tick(site.now + SignedDuration::from_secs(60)).unwrap();
    let id = site.id("/%FF/caf%E9-1");
    assert!(id.starts_with("urn:uuid:"), "{id}");
    assert_eq!(site.feed().entries[0].permalink, "/%FF/caf%E9-1");
    let folder = site.document(&Scope::Folder("%FF".into()), Part::Current);
    assert_eq!(folder.entries.len(), 1, "the folder has its feed");
    // It gets a name that others can read.
    put(&mut site, b"caf\xc3\xa9.md", 7);
    let gone = SeedPath::new(b"\xff/caf\xe9 1.md").unwrap();
    site.catalog.apply(vec![Sighting::Nothing(gone)], site.now).unwrap();
    site.restart();
    assert_eq!(site.id("/caf%C3%A9"), id);
    assert_eq!(site.at("/%FF/caf%E9-1"), Place::Moved("/caf%C3%A9".into()));
}
