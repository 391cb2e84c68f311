use std::collections::BTreeMap;
use std::slice;
use std::thread;

use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::catalog::entry::Part;
use crate::catalog::scope::Scope;
use crate::render::rendition::Format;
use crate::render::rendition::{Payload, Rendition};
use crate::shelf::snapshot::Stock;
use crate::shelf::snapshot::pinned;

fn shelf(memory: usize) -> Shelf {
    Shelf::new(Options { memory })
}

fn page(path: &str) -> Key {
    Key::Page(path.into())
}

fn feed(format: Format) -> Key {
    Key::Feed { scope: Scope::Site, part: Part::Current, format }
}

fn text(text: impl Into<Vec<u8>>) -> Made {
    Made::Rendition(Rendition {
        media_type: "text/html; charset=utf-8".into(),
        payload: Payload::Bytes(Bytes::from(text.into())),
        language: None,
        modified: Timestamp::UNIX_EPOCH,
        links: Vec::new(),
    })
}

fn noise(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

/// The text at `path`; what is no document is named in angle brackets.
fn at(snapshot: &Snapshot, path: &str) -> String {
    match snapshot.get(path).map(|it| &it.item) {
        None => "<nothing>".into(),
        Some(Item::Gone) => "<gone>".into(),
        Some(Item::Missing) => "<missing>".into(),
        Some(Item::Moved(to)) => format!("<moved {to}>"),
        Some(Item::Document(document)) => match &document.body {
            Body::Bytes(codings) => String::from_utf8_lossy(&codings.identity.bytes).into_owned(),
            Body::File(path) => format!("<file {path}>"),
        },
    }
}

#[test]
fn what_was_read_before_the_last_change_is_refused() {
    let table = [
        (None, 5, true, "never touched"),
        (Some(4), 5, true, "read after the change"),
        (Some(5), 5, true, "read at the revision that the change made"),
        (Some(6), 5, false, "read before the change: it may be withdrawn"),
    ];
    for (touched, read, is_taken, why) in table {
        let shelf = shelf(1 << 20);
        if let Some(revision) = touched {
            shelf.touch(&[page("/a")], revision);
        }
        assert_eq!(shelf.put(page("/a"), text("a"), read).is_some(), is_taken, "{why}");
        assert_eq!(at(&shelf.snapshot(), "/a") == "a", is_taken, "{why}");
        let refused = shelf.put_all(vec![(page("/a"), text("b")), (page("/c"), text("c"))], read);
        assert_eq!(refused.is_empty(), is_taken, "{why}");
        assert_eq!(at(&shelf.snapshot(), "/c"), "c", "others of the batch are not held up");
    }
}

#[test]
fn an_older_reading_does_not_replace_a_newer_one() {
    let shelf = shelf(1 << 20);
    shelf.put(feed(Format::Atom), text("new"), 7);
    assert!(shelf.put(feed(Format::Atom), text("old"), 6).is_none());
    assert_eq!(at(&shelf.snapshot(), "/feed.atom"), "new");
}

#[test]
fn touched_pages_vanish_and_pinned_ones_stay() {
    let shelf = shelf(1 << 20);
    shelf.put_all(pinned().into_iter().map(|it| (it, text("1"))).collect(), 1);
    shelf.put(page("/a"), text("1"), 1);
    let all: Vec<Key> = pinned().into_iter().chain([page("/a")]).collect();
    shelf.touch(&all, 2);
    let snapshot = shelf.snapshot();
    for key in pinned() {
        assert_eq!(at(&snapshot, &key.path()), "1", "{key:?}");
        assert!(shelf.wants(&key));
    }
    assert_eq!(at(&snapshot, "/a"), "<nothing>");
}

#[test]
fn what_was_asked_for_is_wanted_again() {
    let shelf = shelf(1 << 20);
    shelf.put_all(vec![(page("/read"), text("1")), (page("/unread"), text("1"))], 1);
    let view = shelf.view();
    view.note_use(view.now().get("/read").unwrap());
    let both = [page("/read"), page("/unread")];
    assert!(both.iter().all(|it| shelf.wants(it)), "on the shelf");
    shelf.touch(&both, 2);
    shelf.touch(&both, 3);
    assert!(shelf.wants(&page("/read")), "asked for until it was touched");
    assert!(!shelf.wants(&page("/unread")));
    shelf.put_all(vec![(page("/read"), text("3"))], 3);
    shelf.touch(&both, 4);
    assert!(!shelf.wants(&page("/read")), "nobody asked since");
}

#[test]
fn a_snapshot_never_changes() {
    let shelf = shelf(1 << 20);
    shelf.put(page("/a"), text("1"), 1);
    let before = shelf.snapshot();
    shelf.touch(&[page("/a")], 2);
    shelf.put(page("/a"), text("2"), 2);
    shelf.put(page("/b"), Made::Gone, 2);
    assert_eq!((at(&before, "/a"), at(&before, "/b")), ("1".into(), "<nothing>".into()));
    let now = shelf.snapshot();
    assert_eq!((at(&now, "/a"), at(&now, "/b")), ("2".into(), "<gone>".into()));
}

#[test]
fn the_formats_of_a_feed_change_together() {
    let shelf = Arc::new(shelf(1 << 20));
    let put = |shelf: &Shelf, round: u64| {
        let all = Format::ALL.map(|it| (feed(it), text(round.to_string())));
        assert!(shelf.put_all(all.into(), round).is_empty());
    };
    put(&shelf, 0);
    let writer = Arc::clone(&shelf);
    let writing = thread::spawn(move || (1..300).for_each(|round| put(&writer, round)));
    let view = shelf.view();
    while !writing.is_finished() {
        let now = view.now();
        let texts = Format::ALL.map(|it| at(&now, &feed(it).path()));
        assert!(texts.iter().all(|it| *it == texts[0]), "{texts:?}");
    }
    writing.join().unwrap();
}

#[test]
fn redirects_and_absences() {
    let shelf = shelf(1 << 20);
    shelf.put(page("/old"), Made::Moved("/new".into()), 1);
    assert_eq!(at(&shelf.snapshot(), "/old"), "<moved /new>");
    let missing = shelf.put(page("/no"), Made::Missing, 1).unwrap();
    assert!(matches!(missing.item, Item::Missing));
    assert_eq!(at(&shelf.snapshot(), "/no"), "<nothing>", "anybody can think of paths");
    shelf.put(page("/old"), Made::Missing, 2);
    assert_eq!(at(&shelf.snapshot(), "/old"), "<nothing>", "what is missing replaces what was");
    assert_eq!(shelf.cost(), 0);
}

#[test]
fn memory_is_kept_and_the_least_recently_used_goes() {
    let memory = 200_000;
    let shelf = shelf(memory);
    let view = shelf.view();
    shelf.put_all(pinned().into_iter().map(|it| (it, text(noise(20_000, 0)))).collect(), 1);
    for number in 0..100 {
        shelf.put(page(&format!("/{number}")), text(noise(10_000, number)), 1).unwrap();
        assert!(shelf.cost() <= memory, "after {number}");
        if let Some(first) = view.now().get("/0") {
            view.note_use(first);
        }
    }
    let snapshot = shelf.snapshot();
    assert_ne!(at(&snapshot, "/0"), "<nothing>", "it was used all the time");
    assert_ne!(at(&snapshot, "/99"), "<nothing>", "the newest");
    assert_eq!(at(&snapshot, "/1"), "<nothing>", "nobody asked for it again");
    assert!(pinned().iter().all(|it| at(&snapshot, &it.path()) != "<nothing>"));
    let truth: usize = snapshot.iter().map(|it| it.cost()).sum();
    assert_eq!(shelf.cost(), truth);
}

#[test]
fn pinned_ones_stay_even_beyond_memory() {
    let shelf = shelf(1_000);
    shelf.put(feed(Format::Rss), text(noise(10_000, 1)), 1);
    shelf.put(page("/a"), text("a"), 1);
    assert_ne!(at(&shelf.snapshot(), "/feed.rss"), "<nothing>");
    assert_eq!(at(&shelf.snapshot(), "/a"), "<nothing>");
}

#[test]
fn what_is_too_large_to_share_the_shelf_is_only_given_back() {
    let shelf = shelf(100_000);
    let given = shelf.put(page("/large"), text(noise(30_000, 1)), 1);
    assert!(matches!(given.unwrap().item, Item::Document(_)));
    assert_eq!(at(&shelf.snapshot(), "/large"), "<nothing>");
}

#[test]
fn forgotten_touches_are_covered_by_the_floor() {
    let shelf = shelf(1 << 20);
    shelf.touch(&[page("/a")], 10);
    let many: Vec<Key> = (0..TOUCHED).map(|it| page(&format!("/{it}"))).collect();
    shelf.touch(&many, 11);
    assert!(shelf.put(page("/a"), text("old"), 9).is_none());
    assert!(shelf.put(page("/a"), text("new"), 10).is_some());
}

#[test]
fn a_wish_is_made_once_and_counted() {
    let shelf = shelf(1 << 20);
    let view = shelf.view();
    shelf.put(page("/a"), text("again and ".repeat(1000)), 1);
    let before = shelf.cost();
    let shelved = Arc::clone(view.now().get("/a").unwrap());
    let Item::Document(Document { body: Body::Bytes(codings), .. }) = &shelved.item else {
        panic!("a document");
    };
    assert!(matches!(codings.stock(Coding::Brotli), Stock::Unmade));
    for _ in 0..1000 {
        view.wish(&shelved, Coding::Brotli);
        view.wish(&shelved, Coding::Zstd);
    }
    let mut lengths = BTreeMap::new();
    while lengths.len() < 2 {
        for coding in [Coding::Brotli, Coding::Zstd] {
            if let Stock::Ready(variant) = codings.stock(coding) {
                lengths.insert(coding.token(), variant.bytes.len());
            }
        }
        thread::yield_now();
    }
    // The books are closed after the coding shows.
    let _closed = shelf.inner.books();
    drop(_closed);
    assert_eq!(shelf.cost(), before + lengths.values().sum::<usize>());
}

#[test]
fn nobody_sees_an_old_reading_whatever_the_interleaving() {
    // Makers read the present revision and put it late; a toucher raises it.
    let shelf = Arc::new(shelf(1 << 20));
    let truth = Arc::new(AtomicU64::new(0));
    let makers: Vec<_> = (0..3)
        .map(|_| {
            let (shelf, truth) = (Arc::clone(&shelf), Arc::clone(&truth));
            thread::spawn(move || {
                for _ in 0..2_000 {
                    let revision = truth.load(Ordering::SeqCst);
                    thread::yield_now();
                    shelf.put(page("/a"), text(revision.to_string()), revision);
                }
            })
        })
        .collect();
    for revision in 1..2_000 {
        truth.store(revision, Ordering::SeqCst);
        shelf.touch(&[page("/a")], revision);
        let shown = at(&shelf.snapshot(), "/a");
        assert!(
            shown == "<nothing>" || shown.parse::<u64>().unwrap() >= revision,
            "{shown} was shown after the change to {revision}"
        );
    }
    for maker in makers {
        maker.join().unwrap();
    }
}

proptest! {
    /// Against a plain map: whatever is put and touched, the shelf never shows what
    /// the map would not, and counts what it holds.
    #[test]
    fn the_shelf_agrees_with_a_map(
        steps in prop::collection::vec((0..6u8, 0..3u8, 0..8u64, 0..400usize), 1..80),
    ) {
        let shelf = shelf(6_000);
        let mut touched: BTreeMap<u8, u64> = BTreeMap::new();
        let mut last: BTreeMap<u8, String> = BTreeMap::new();
        for (key, what, revision, length) in steps {
            let path = format!("/{key}");
            if what == 0 {
                shelf.touch(&[page(&path)], revision);
                touched.entry(key).and_modify(|it| *it = revision.max(*it)).or_insert(revision);
                prop_assert_eq!(at(&shelf.snapshot(), &path), "<nothing>");
            } else {
                let content = "x".repeat(length);
                let is_taken = shelf.put(page(&path), text(content.clone()), revision).is_some();
                prop_assert!(!is_taken || touched.get(&key).is_none_or(|it| *it <= revision));
                if is_taken {
                    last.insert(key, content);
                }
            }
            let snapshot = shelf.snapshot();
            let truth: usize = snapshot.iter().map(|it| it.cost()).sum();
            prop_assert_eq!(shelf.cost(), truth);
            prop_assert!(truth <= 6_000);
            for key in 0..6u8 {
                let shown = at(&snapshot, &format!("/{key}"));
                prop_assert!(shown == "<nothing>" || Some(&shown) == last.get(&key));
            }
        }
    }
}

#[test]
fn all_of_a_kind_change_at_once() {
    let shelf = shelf(1 << 20);
    let (index, feed) = (Key::Index(Scope::Site), feed(Format::Atom));
    for key in [&index, &feed, &page("/a"), &page("/b")] {
        shelf.put(key.clone(), text("old"), 3).unwrap();
    }
    let before = shelf.cost();
    let is_page = |key: &Key| matches!(key, Key::Page(_) | Key::Index(_));
    assert_eq!(shelf.touch_all(is_page, 4), slice::from_ref(&index), "what must be made");
    let snapshot = shelf.snapshot();
    for (path, text) in [("/", "old"), ("/feed.atom", "old"), ("/a", "<nothing>")] {
        assert_eq!(at(&snapshot, path), text, "{path}");
    }
    assert!(shelf.cost() < before);
    for key in [&index, &page("/a"), &page("/never-seen")] {
        assert!(shelf.put(key.clone(), text("late"), 3).is_none(), "{key:?} was read before");
        assert!(shelf.put(key.clone(), text("new"), 4).is_some(), "{key:?}");
    }
}
