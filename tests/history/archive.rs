//! RFC 5005, section 4: a reader that follows `prev-archive` from the subscription
//! document has the whole catalog, while entries are added, edited and withdrawn.
//!
//! The reader is a program of its own: it knows documents by their addresses and reads
//! them with parsers that are not ours.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use sower::catalog::entry::Part;
use sower::catalog::scope::Scope;
use sower::render::rendition::{Format, Key};

use crate::folder::Folder;
use crate::{Step, act, step, steps};

/// A document as a reader sees it.
#[derive(Debug, Default)]
struct Document {
    /// Title and `updated` by id; the date is empty in RSS, which has none.
    entries: BTreeMap<String, (String, String)>,
    withdrawn: BTreeSet<String>,
    /// Where relations lead.
    links: BTreeMap<String, String>,
    is_archive: bool,
}

fn read(text: &str, format: Format) -> Document {
    if format == Format::Json {
        return read_json(text);
    }
    let xml = roxmltree::Document::parse(text).unwrap();
    let (entry, id) = match format {
        Format::Rss => ("item", "guid"),
        _ => ("entry", "id"),
    };
    let root = xml.root_element();
    let feed = if format == Format::Rss { root.first_element_child().unwrap() } else { root };
    let mut document = Document::default();
    for node in feed.children().filter(|it| it.is_element()) {
        let value = |name: &str| {
            let found = node.children().find(|it| it.tag_name().name() == name);
            found.and_then(|it| it.text()).unwrap_or_default().to_owned()
        };
        match node.tag_name().name() {
            name if name == entry => {
                let told = (value("title"), value("updated"));
                let twice = document.entries.insert(value(id), told);
                assert!(twice.is_none(), "RFC 4287, 4.1.1: one id once");
            }
            "deleted-entry" => {
                document.withdrawn.insert(node.attribute("ref").unwrap().to_owned());
            }
            "link" if node.has_attribute("rel") => {
                let (rel, href) = (node.attribute("rel").unwrap(), node.attribute("href").unwrap());
                document.links.insert(rel.to_owned(), href.to_owned());
            }
            "archive" => document.is_archive = true,
            _ => {}
        }
    }
    document
}

fn read_json(text: &str) -> Document {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_owned();
    let mut document = Document::default();
    for item in json["items"].as_array().unwrap() {
        document.entries.insert(text(&item["id"]), (text(&item["title"]), String::new()));
    }
    if let Some(url) = json["next_url"].as_str() {
        document.links.insert("prev-archive".into(), url.to_owned());
    }
    document.links.insert("self".into(), text(&json["feed_url"]));
    document
}

/// A reader: all that it has seen, and which archive pages it has read.
#[derive(Debug)]
struct Reader {
    format: Format,
    entries: BTreeMap<String, (String, String)>,
    read: BTreeSet<String>,
}

impl Reader {
    /// Reads the document at `url`; gives back where the older entries are, unless it
    /// has been there.
    fn fetch(&mut self, folder: &mut Folder, url: &str) -> Option<String> {
        let text = folder.document(&key(url, self.format)).unwrap_or_else(|| panic!("{url}")).0;
        let document = read(&text, self.format);
        assert_eq!(document.links["self"], url);
        let is_archive = url.contains("/archives/");
        if self.format != Format::Json {
            assert_eq!(document.is_archive, is_archive, "{url}");
            assert_eq!(document.links.contains_key("current"), is_archive, "{url}");
            assert!(is_archive || !document.links.contains_key("next-archive"), "{url}");
        }
        for (id, told) in document.entries {
            let known = self.entries.entry(id).or_insert_with(|| told.clone());
            // Of two the one that was updated later (RFC 5005, section 4.1).
            if self.format != Format::Atom || known.1 <= told.1 {
                *known = told;
            }
        }
        for id in document.withdrawn {
            self.entries.remove(&id);
        }
        if is_archive {
            self.read.insert(url.to_owned());
        }
        document.links.get("prev-archive").filter(|it| !self.read.contains(*it)).cloned()
    }
}

/// What the address stands for.
fn key(url: &str, format: Format) -> Key {
    let path = url.strip_prefix("https://example.org").unwrap();
    let (folder, name) = path.rsplit_once('/').unwrap();
    let (folder, part) = match folder.strip_suffix("/archives") {
        Some(folder) => {
            let number = name.split('.').next().unwrap().parse().unwrap();
            (folder, Part::Archive(number))
        }
        None => (folder, Part::Current),
    };
    let scope = Scope::at(&format!("{folder}/")).unwrap();
    let key = Key::Feed { scope, part, format };
    assert_eq!(key.path(), path, "an address that leads to another document");
    key
}

/// Id, title and `updated` of all that a scope holds.
fn all(folder: &mut Folder, scope: &Scope) -> BTreeMap<String, (String, Timestamp)> {
    let mut all = BTreeMap::new();
    let mut part = Some(Part::Current);
    while let Some(now) = part {
        let Some(selection) = folder.reader.select(scope, now).unwrap().0 else { break };
        for entry in selection.entries {
            all.insert(entry.id, (entry.article.title, entry.updated));
        }
        part = selection.older.map(Part::Archive);
    }
    all
}

/// Follows the archive to its end; before each further document one of `meanwhile`
/// happens.
fn follow(folder: &mut Folder, reader: &mut Reader, url: &str, meanwhile: &[Step]) {
    let mut next = reader.fetch(folder, url);
    let mut meanwhile = meanwhile.iter();
    while let Some(url) = next {
        if let Some(step) = meanwhile.next() {
            folder.pass(1);
            act(folder, step);
        }
        next = reader.fetch(folder, &url);
    }
}

fn check(before: &[Step], meanwhile: &[Step], scope: &Scope, format: Format) {
    let mut folder = Folder::new();
    // Enough for several archive pages.
    for number in 0..23 {
        act(&mut folder, &Step::Write(number, 2 * number as u32));
    }
    for step in before {
        act(&mut folder, step);
    }
    let current = Key::Feed { scope: scope.clone(), part: Part::Current, format };
    if folder.document(&current).is_none() {
        return;
    }
    let url = format!("https://example.org{}", current.path());
    let mut reader = Reader { format, entries: BTreeMap::new(), read: BTreeSet::new() };
    let at_start = all(&mut folder, scope);
    follow(&mut folder, &mut reader, &url, meanwhile);
    // What was there all the time was met, whatever else happened.
    let at_end = all(&mut folder, scope);
    for id in at_start.keys().filter(|it| at_end.contains_key(*it)) {
        let is_met = reader.entries.contains_key(id) || is_back(&at_start, &at_end, id);
        assert!(is_met, "{format:?} {scope:?}: {id} is missing");
    }
    // The next poll brings what was published meanwhile.
    follow(&mut folder, &mut reader, &url, &[]);
    for (id, (title, _)) in at_end.iter().filter(|it| !at_start.contains_key(it.0)) {
        let is_met = reader.entries.contains_key(id) || is_back_of_old(&mut folder, scope, id);
        assert!(is_met, "{format:?} {scope:?}: {title} came meanwhile");
    }
    // A reader that begins now has the catalog, and nothing else.
    let mut fresh = Reader { format, entries: BTreeMap::new(), read: BTreeSet::new() };
    follow(&mut folder, &mut fresh, &url, &[]);
    let titles = |it: &BTreeMap<String, (String, Timestamp)>| -> Vec<(String, String)> {
        it.iter().map(|(id, (title, _))| (id.clone(), title.clone())).collect()
    };
    let read: Vec<_> =
        fresh.entries.iter().map(|(id, (title, _))| (id.clone(), title.clone())).collect();
    assert_eq!(read, titles(&at_end), "{format:?} {scope:?}");
}

/// Whether an entry was withdrawn meanwhile and came back, which sets its date.
fn is_back(
    at_start: &BTreeMap<String, (String, Timestamp)>,
    at_end: &BTreeMap<String, (String, Timestamp)>,
    id: &str,
) -> bool {
    at_start[id].1 != at_end[id].1
}

/// Whether an entry stands on a page that is closed: it was withdrawn before the reader
/// came and took its old place again behind its back.
fn is_back_of_old(folder: &mut Folder, scope: &Scope, id: &str) -> bool {
    let (current, _) = folder.reader.select(scope, Part::Current).unwrap();
    current.is_some_and(|it| it.entries.iter().all(|it| it.id != id))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_reader_that_follows_the_archive_has_the_whole_catalog(
        before in steps(40),
        meanwhile in proptest::collection::vec(step(), 0..12),
        scope in prop_oneof![
            Just(Scope::Site), Just(Scope::Folder("news".into())), Just(Scope::Tag("bridges".into())),
        ],
        format in prop_oneof![Just(Format::Atom), Just(Format::Rss), Just(Format::Json)],
    ) {
        check(&before, &meanwhile, &scope, format);
    }
}
