//! Promise 1, over the whole of the pure stages: whatever bytes are dropped, what comes
//! out is read by parsers that are not the ones that wrote it, and all formats say the
//! same.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sower::catalog::entry::{Entry, Part, Selection, Tombstone};
use sower::catalog::scope::Scope;
use sower::convert;
use sower::feed;
use sower::feed::page::Site;
use sower::render;
use sower::render::rendition::{Format, Payload, Rendition};
use sower::watch::seed::{Seed, SeedPath, Stat, Surroundings};

fn article(name: &str, bytes: Vec<u8>) -> Option<convert::article::Article> {
    let length = bytes.len() as u64;
    let stat = Stat { device: 1, inode: 1, birth: None, length, modified: 0, changed: 0 };
    let path = SeedPath::new(name).unwrap();
    let seed = Seed { path, stat, bytes, surroundings: Surroundings::default() };
    let options = convert::Options {
        timezone: jiff::tz::TimeZone::UTC,
        max_bytes: 8_000_000,
        published_folders: vec!["_posts".into()],
        strip: Vec::new(),
    };
    convert::convert(&seed, &options).ok()
}

fn text(rendition: &Rendition) -> String {
    match &rendition.payload {
        Payload::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Payload::Delta { .. } | Payload::File { .. } => panic!("a feed is no file"),
    }
}

/// Id, title and body of each entry, by a parser of feeds.
fn read(text: &str) -> Vec<(String, String, String)> {
    let feed = feed_rs::parser::parse(text.as_bytes()).unwrap();
    feed.entries
        .into_iter()
        .map(|it| {
            let body = it.content.and_then(|it| it.body).unwrap_or_default();
            (
                it.id,
                it.title
                    .unwrap_or_else(|| panic!("no title in:\n{text}"))
                    .content
                    .trim()
                    .to_owned(),
                body.trim().to_owned(),
            )
        })
        .collect()
}

fn check(seeds: &[(&str, Vec<u8>)]) {
    let now: jiff::Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
    let articles = seeds.iter().filter_map(|(name, bytes)| article(name, bytes.clone()));
    let entries: Vec<Entry> = articles
        .enumerate()
        .map(|(number, article)| Entry {
            number: number as i64 + 1,
            id: format!("urn:uuid:{number}"),
            guid: format!("urn:uuid:{number}"),
            path: SeedPath::new(format!("{number}")).unwrap(),
            permalink: format!("/{number}"),
            translations: Vec::new(),
            published: now,
            updated: now,
            article,
        })
        .collect();
    let count = entries.len();
    let selection = Selection {
        scope: Scope::Site,
        label: String::new(),
        part: Part::Current,
        entries,
        tombstones: vec![Tombstone { id: "urn:uuid:gone".into(), when: now }],
        leads: Default::default(),
        older: Some(1),
        newer: None,
        changed: now,
    };
    let site = Site {
        base_url: "https://example.org/blog".into(),
        key: "key".into(),
        title: "Site".into(),
        description: "About".into(),
        max_body: 1_000_000,
        since: now,
        ..Site::default()
    };
    let feed = feed::build(&site, selection);
    let [atom, rss, json] = Format::ALL.map(|it| text(&render::feed(&feed, it)));
    for xml in [&atom, &rss] {
        roxmltree::Document::parse(xml).unwrap_or_else(|error| panic!("{error}:\n{xml}"));
    }
    let read_json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read_json["items"].as_array().unwrap().len(), count);
    let from_atom = read(&atom);
    assert_eq!(from_atom.len(), count);
    assert_eq!(from_atom, read(&rss));
    for (item, (id, title, body)) in read_json["items"].as_array().unwrap().iter().zip(&from_atom) {
        assert_eq!(item["id"], **id);
        assert_eq!(item["title"].as_str().unwrap().trim(), title);
        assert_eq!(item["content_html"].as_str().unwrap().trim(), body);
        assert!(!body.contains(['\u{1}', '\u{2}', '\u{3}']), "a hole was left open: {body}");
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        ".{0,200}".prop_map(String::into_bytes),
        // What people and programs really write, in any order.
        proptest::collection::vec(
            prop_oneof![
                Just("---\n"),
                Just("title: x\n"),
                Just("# A\n"),
                Just("]]>"),
                Just("<![CDATA["),
                Just("\0"),
                Just("\u{b}"),
                Just("\u{fffe}"),
                Just("&#1;"),
                Just("&#xFFFE;"),
                Just("<p>"),
                Just("</div>"),
                Just("[a](b.md)"),
                Just("![p](p.png)"),
                Just("[[Note]]"),
                Just("<a href='/x'>"),
                Just("[^1]"),
                Just("\n[^1]: note\n"),
                Just("\n\n"),
                Just("<script>x</script>"),
                Just("“q”\n"),
                Just("text "),
                Just("\r\n"),
                Just("<svg><title>x"),
                Just("{{< x >}}"),
                Just("`code`"),
                Just("| a | b |\n|---|---|\n| 1 | 2 |\n"),
                Just("<img srcset='a.png 1x, b.png 2x'>"),
                Just("\u{1}l0\u{2}"),
                Just("\u{3}"),
                Just("&lt;b&gt;"),
                Just("مرحبا\n"),
                Just("你好。\n"),
            ],
            0..40
        )
        .prop_map(|it| it.concat().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_1_any_bytes_in_a_valid_feed_out(
        plain in bytes(), markdown in bytes(), html in bytes(),
    ) {
        check(&[("a.txt", plain), ("b.md", markdown), ("c.html", html)]);
    }
}

#[test]
fn promise_1_known_troublemakers() {
    let long = "x".repeat(1_000_000);
    for text in [
        "]]>",
        "<title>&amp;lt;b&gt;</title>",
        "\u{feff}x",
        "&#0;&#x1F;x",
        "\u{7f}\u{9f}",
        "&#127;",
        "\u{1}l0\u{2}x\u{1}e\u{2}",
        &long,
    ] {
        let seed = text.as_bytes().to_vec();
        check(&[("a.txt", seed.clone()), ("b.md", seed.clone()), ("c.html", seed)]);
    }
}

#[test]
fn promise_3_another_configuration_reads_otherwise_and_revises_nothing() {
    let state = tempfile::tempdir().unwrap();
    let now: jiff::Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
    let convert = |strip: &[&str]| convert::Options {
        timezone: jiff::tz::TimeZone::UTC,
        max_bytes: 8_000_000,
        published_folders: Vec::new(),
        strip: strip.iter().map(|it| (*it).to_owned()).collect(),
    };
    let options = |convert: &convert::Options| sower::catalog::Options {
        feeds: sower::catalog::chosen::Feeds {
            limits: sower::catalog::order::Limits { limit: 50, max: 200 },
            chosen: Vec::new(),
        },
        copy_wait: 3_600_000_000,
        tombstones: 3_600_000_000,
        backdate: 3_600_000_000,
        vanished_share: 0.5,
        converter: convert::VERSION,
        convert_options: sower::line::options_digest(convert),
    };
    let bytes = b"A title\n\nA text that says something.\n\nJoin our channel!\n".to_vec();
    let stat = Stat {
        device: 1,
        inode: 1,
        birth: Some(1),
        length: 1,
        modified: now.as_nanosecond() as i64,
        changed: 1,
    };
    let path = SeedPath::new("a.txt").unwrap();
    let seed = Seed { path, stat, bytes, surroundings: Surroundings::default() };
    let changes = [sower::watch::seed::Change::Written(seed)];
    let plain = convert(&[]);
    let mut catalog =
        sower::catalog::Catalog::open(state.path(), "key".into(), options(&plain), now).unwrap();
    catalog.compared(1, 1, now).unwrap();
    sower::line::take(&mut catalog, &changes, &plain, now).unwrap();
    let page =
        |catalog: &sower::catalog::Catalog| match catalog.reader().unwrap().at("/a").unwrap().0 {
            sower::catalog::entry::Place::Entry(entry, _) => *entry,
            other => panic!("{other:?}"),
        };
    let before = page(&catalog);
    assert!(before.article.body.open_html().contains("channel"));
    let stripping = convert(&["Join our channel*"]);
    let later = now + jiff::SignedDuration::from_hours(1);
    catalog.renew(options(&stripping), later).unwrap();
    sower::line::take(&mut catalog, &changes, &stripping, later).unwrap();
    let after = page(&catalog);
    assert!(!after.article.body.open_html().contains("channel"), "it reads otherwise");
    assert_eq!((after.published, after.updated), (before.published, before.updated));
}
