//! RFC 3229 with `feed`: the version that a reader has, with what changed since, is
//! the present version.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::test_runner::{Config, TestRunner};
use sower::catalog::entry::Part;
use sower::catalog::scope::Scope;
use sower::render::rendition::{Format, Key, Made, Payload};

use crate::folder::Folder;
use crate::{Step, act, steps};

/// So many pairs of an old version and the present one are compared at the least.
const PAIRS: usize = 10_000;

fn scopes() -> [Scope; 4] {
    [
        Scope::Site,
        Scope::Folder("news".into()),
        Scope::FolderOnly(String::new()),
        Scope::Tag("bridges".into()),
    ]
}

/// A document taken apart, without the help of the code that wrote it.
#[derive(Debug, Clone, PartialEq)]
struct Parts {
    /// All that is not an entry or a tombstone.
    channel: Vec<String>,
    /// By id, as they stand in the document.
    entries: BTreeMap<String, String>,
    gone: BTreeSet<String>,
}

fn parts(text: &str, format: Format) -> Parts {
    if format == Format::Json {
        return json_parts(text);
    }
    let document = roxmltree::Document::parse(text).unwrap();
    let (entry, id) = match format {
        Format::Rss => ("item", "guid"),
        _ => ("entry", "id"),
    };
    let root = document.root_element();
    let feed = if format == Format::Rss { root.first_element_child().unwrap() } else { root };
    let mut parts = Parts { channel: Vec::new(), entries: BTreeMap::new(), gone: BTreeSet::new() };
    for node in feed.children().filter(|it| it.is_element()) {
        let raw = text[node.range()].to_owned();
        match node.tag_name().name() {
            name if name == entry => {
                let id = node.children().find(|it| it.tag_name().name() == id).unwrap();
                parts.entries.insert(id.text().unwrap().to_owned(), raw);
            }
            "deleted-entry" => {
                parts.gone.insert(node.attribute("ref").unwrap().to_owned());
            }
            _ => parts.channel.push(raw),
        }
    }
    parts
}

fn json_parts(text: &str) -> Parts {
    let mut feed: serde_json::Value = serde_json::from_str(text).unwrap();
    let items = feed.as_object_mut().unwrap().remove("items").unwrap();
    let entries = items.as_array().unwrap().iter();
    let entries =
        entries.map(|it| (it["id"].as_str().unwrap().to_owned(), it.to_string())).collect();
    let own = feed["_sower"].as_object_mut().unwrap();
    let gone = own.remove("deleted").unwrap_or_default();
    let gone = gone.as_array().into_iter().flatten();
    let gone = gone.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    Parts { channel: vec![feed.to_string()], entries, gone }
}

/// One version of a document.
struct Version {
    moment: i64,
    parts: Parts,
}

#[derive(Default)]
struct Told {
    /// How many pairs were compared; and how often the whole document is the answer.
    pairs: Cell<usize>,
    whole: Cell<usize>,
    /// Entries that were sent though the reader had them.
    needless: Cell<usize>,
}

/// Lets the steps happen, and after each of them asks for what changed since each of
/// the last versions, up to a hundred back.
fn check(steps: &[Step], told: &Told) {
    let mut folder = Folder::new();
    let mut versions: HashMap<(Scope, Format), Vec<Version>> = HashMap::new();
    for (number, step) in steps.iter().enumerate() {
        act(&mut folder, step);
        for scope in scopes() {
            for format in Format::ALL {
                let known = versions.entry((scope.clone(), format)).or_default();
                compare(&mut folder, (&scope, format), known, number, told);
            }
        }
    }
}

fn compare(
    folder: &mut Folder,
    (scope, format): (&Scope, Format),
    versions: &mut Vec<Version>,
    number: usize,
    told: &Told,
) {
    let key = Key::Feed { scope: scope.clone(), part: Part::Current, format };
    let Some((text, moment)) = folder.document(&key) else { return };
    let now = parts(&text, format);
    match versions.last() {
        Some(last) if last.moment == moment => {
            assert!(last.parts == now, "{}: two versions of one moment", key.path());
        }
        _ => versions.push(Version { moment, parts: now.clone() }),
    }
    // The last ones, and some far back; other ones at each step.
    let behind = versions.len() - 1;
    let chosen =
        (1..=behind.min(100)).filter(|back| *back <= 3 || (back + number).is_multiple_of(17));
    for back in chosen {
        let old = &versions[behind - back];
        let key = Key::Delta { scope: scope.clone(), format, since: old.moment };
        told.pairs.set(told.pairs.get() + 1);
        let Made::Rendition(made) = folder.make(&key) else {
            told.whole.set(told.whole.get() + 1);
            may_be_whole(&old.parts, &now, (scope, format), back);
            continue;
        };
        let Payload::Delta { changed, whole } = made.payload else { panic!("{}", key.path()) };
        assert_eq!(*whole, *text.as_bytes(), "its tag is that of the whole");
        let delta = parts(std::str::from_utf8(&changed).unwrap(), format);
        assert_eq!(delta.channel, now.channel, "{}", key.path());
        let mut merged = old.parts.entries.clone();
        merged.retain(|id, _| !delta.gone.contains(id));
        let needless =
            delta.entries.iter().filter(|(id, raw)| merged.get(*id) == Some(raw)).count();
        told.needless.set(told.needless.get() + needless);
        merged.extend(delta.entries);
        for (id, raw) in &now.entries {
            assert_eq!(merged.get(id), Some(raw), "{} of {back} before: {id}", key.path());
        }
        // What stands in the old version alone must be out of it for newer ones only.
        for id in merged.keys().filter(|it| !now.entries.contains_key(*it)) {
            assert!(is_live(folder, id), "{} of {back} before: {id} is withdrawn", key.path());
        }
    }
}

/// Only where an entry left the scope or was withdrawn may nothing be told.
fn may_be_whole(old: &Parts, now: &Parts, (scope, format): (&Scope, Format), back: usize) {
    let may_leave = *scope != Scope::Site;
    let has_withdrawn = format != Format::Atom || now.gone.len() >= now.entries.len().min(5);
    assert!(
        may_leave || has_withdrawn,
        "{scope:?} {format:?} of {back} before is not told: {:?}, {:?}",
        old.entries.keys(),
        now.gone
    );
}

/// Whether any document of the site still has it.
fn is_live(folder: &mut Folder, id: &str) -> bool {
    let mut part = Part::Current;
    loop {
        let (selection, _) = folder.reader.select(&Scope::Site, part).unwrap();
        let Some(selection) = selection else { return false };
        if selection.entries.iter().any(|it| it.id == id) {
            return true;
        }
        let Some(older) = selection.older else { return false };
        part = Part::Archive(older);
    }
}

#[test]
fn a_version_with_what_changed_since_is_the_present_version() {
    let told = Told::default();
    let mut runs = 0;
    while told.pairs.get() < PAIRS {
        runs += 1;
        let config = Config {
            cases: 8,
            max_shrink_iters: 300,
            failure_persistence: None,
            ..Config::default()
        };
        TestRunner::new(config)
            .run(&steps(120), |steps| {
                check(&steps, &told);
                Ok(())
            })
            .unwrap();
        assert!(runs < 1000, "{} pairs", told.pairs.get());
    }
    let [pairs, whole, needless] = [&told.pairs, &told.whole, &told.needless].map(Cell::get);
    assert!(needless < pairs / 5, "{needless} entries were sent needlessly in {pairs} answers");
    assert!(whole < pairs / 2, "{whole} of {pairs} are no deltas");
}
