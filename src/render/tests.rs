//! Every format of one feed that has everything, and what no text may break.

use proptest::prelude::*;

use super::*;
use crate::catalog::entry::Tombstone;
use crate::catalog::scope::Scope;
use crate::convert::article::Person;
use crate::feed::page::{Attachment, Item, Origin, Tag, Translation};

/// A feed in which every field of every noun is used.
fn sample() -> Feed {
    let person = |name: &str, uri: Option<&str>, email: Option<&str>| Person {
        name: name.into(),
        uri: uri.map(Into::into),
        email: email.map(Into::into),
    };
    let tag = |label: &str, name: &str| Tag {
        label: label.into(),
        url: format!("https://example.org/blog/tags/{name}/"),
    };
    let news = Item {
        id: "urn:uuid:6b1f2d7e-8c43-5b6f-9d18-2a3c4e5f6071".into(),
        guid: "urn:uuid:6b1f2d7e-8c43-5b6f-9d18-2a3c4e5f6071".into(),
        url: "https://example.org/blog/news/bridge".into(),
        title: "Q&A: why is the <old> bridge closed?".into(),
        subtitle: Some("Engineers found cracks & called it a day".into()),
        summary: "The bridge has been closed since Monday. If a < b, take the ferry.".into(),
        html: "<figure><img src=\"https://example.org/blog/news/bridge.jpg\" alt=\"The bridge at \
               dawn\" width=\"1600\" height=\"900\"></figure>\n<p>The bridge has been closed since \
               Monday. If a &lt; b, take the ferry.</p>\n<h2 id=\"s1234abcd-why\">Why?</h2>\n\
               <blockquote><p>\u{201c}We saw it coming.\u{201d}</p></blockquote>\n<p>See \
               <a href=\"#s1234abcd-why\">above</a>. <code>]]&gt;</code> is no end.</p>\n"
            .into(),
        is_too_long: false,
        authors: vec![
            person("Ann Lee", Some("https://ann.example.org/"), Some("ann@example.org")),
            person("Bo (B.) Kim", None, None),
        ],
        tags: vec![tag("Korea", "korea"), tag("C++ & co", "c%2B%2B-%26-co")],
        language: Some("en".into()),
        published: "2026-11-24T09:00:00Z".parse().unwrap(),
        updated: "2026-11-24T11:30:00.25Z".parse().unwrap(),
        image: Some(Attachment {
            url: "https://example.org/blog/news/bridge.jpg".into(),
            title: Some("The bridge at dawn".into()),
            media_type: "image/jpeg".into(),
            length: Some(212_345),
            size: Some((1600, 900)),
            duration: None,
        }),
        enclosures: vec![
            Attachment {
                url: "https://example.org/blog/news/bridge.mp3".into(),
                title: Some("The story, read aloud".into()),
                media_type: "audio/mpeg".into(),
                length: Some(12_345_678),
                size: None,
                duration: Some(2467),
            },
            Attachment {
                url: "https://files.example.net/report.pdf?v=2&lang=en".into(),
                title: None,
                media_type: "application/pdf".into(),
                length: None,
                size: None,
                duration: None,
            },
        ],
        link: Some("https://example.com/original?a=1&b=2".into()),
        words: 29,
        rights: Some("https://creativecommons.org/licenses/by/4.0/".into()),
        via: vec!["https://example.net/found".into()],
        source: Some(Origin {
            url: "https://example.net/feed.rss".into(),
            title: Some("The Example & Co".into()),
        }),
        replies_to: vec!["https://example.net/claim".into()],
        translations: vec![Translation {
            language: "ko".into(),
            url: "https://example.org/blog/news/bridge.ko".into(),
        }],
    };
    let arabic = Item {
        id: "urn:uuid:0a6f8a52-7d0a-5c7e-8f57-3f0a8f4e2b10".into(),
        guid: "post-17".into(),
        url: "https://example.org/blog/%D8%AC%D8%B3%D8%B1".into(),
        title: "لماذا أُغلق الجسر القديم؟".into(),
        subtitle: None,
        summary: "أُغلق الجسر منذ يوم الاثنين.".into(),
        html: "<p>أُغلق الجسر منذ يوم الاثنين.</p>\n".into(),
        is_too_long: false,
        authors: vec![person("ليلى", None, Some("layla@example.org"))],
        tags: Vec::new(),
        language: Some("ar".into()),
        published: "2026-11-20T18:05:09Z".parse().unwrap(),
        updated: "2026-11-20T18:05:09Z".parse().unwrap(),
        image: None,
        enclosures: Vec::new(),
        link: None,
        words: 5,
        rights: Some("\u{a9} ليلى".into()),
        via: Vec::new(),
        source: None,
        replies_to: Vec::new(),
        translations: Vec::new(),
    };
    let long = Item {
        id: "https://example.org/blog/long".into(),
        guid: "https://example.org/blog/long".into(),
        url: "https://example.org/blog/long".into(),
        title: "A very long one".into(),
        subtitle: None,
        summary: "Too long for a feed.".into(),
        html: "<p>Imagine a megabyte here.</p>".into(),
        is_too_long: true,
        authors: Vec::new(),
        language: None,
        words: 180_000,
        ..arabic.clone()
    };
    Feed {
        scope: Scope::Site,
        part: Part::Archive(7),
        id: "urn:uuid:b4f6a5c3-2f0e-5e56-9d3b-7c1d2e3f4a5b".into(),
        title: "Bridges & Ferries".into(),
        description: "All that crosses a river".into(),
        language: Some("en".into()),
        author: person("The Editors", None, Some("editors@example.org")),
        copyright: Some("\u{a9} 2026 Bridges & Ferries".into()),
        icon: Some("https://example.org/blog/icon.png".into()),
        logo: Some("https://example.org/blog/logo.png".into()),
        image: Some("https://example.org/blog/preview.jpg".into()),
        ttl: Some(60),
        hubs: vec!["https://hub.example.org/".into()],
        site_title: "Bridges & Ferries".into(),
        site: "https://example.org/blog/".into(),
        home: "https://example.org/blog/".into(),
        folder: "https://example.org/blog/".into(),
        updated: "2026-11-24T11:30:00.25Z".parse().unwrap(),
        modified: "2026-11-24T12:00:00Z".parse().unwrap(),
        items: vec![news, arabic, long],
        tombstones: vec![Tombstone {
            id: "urn:uuid:77777777-7777-5777-8777-777777777777".into(),
            when: "2026-11-23T08:00:00Z".parse().unwrap(),
        }],
        older: Some(6),
        newer: Some(8),
        sections: Vec::new(),
    }
}

/// A site that has published nothing yet and says nothing of itself.
fn empty() -> Feed {
    Feed {
        part: Part::Current,
        title: "seeds".into(),
        description: "seeds".into(),
        language: None,
        author: Person { name: "seeds".into(), uri: None, email: None },
        copyright: None,
        icon: None,
        logo: None,
        image: None,
        ttl: None,
        hubs: Vec::new(),
        items: Vec::new(),
        tombstones: Vec::new(),
        older: None,
        newer: None,
        ..sample()
    }
}

fn text(rendition: Rendition) -> String {
    match rendition.payload {
        Payload::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Payload::Delta { .. } | Payload::File { .. } => unreachable!("a document is bytes"),
    }
}

#[test]
fn a_feed_with_everything_in_each_format() {
    insta::assert_snapshot!("atom", text(feed(&sample(), Format::Atom)));
    insta::assert_snapshot!("rss", text(feed(&sample(), Format::Rss)));
    insta::assert_snapshot!("json", text(feed(&sample(), Format::Json)));
    // The stylesheet is judged by eye, in a browser.
    insta::assert_snapshot!("index", text(index(&sample())).replacen(html::STYLE, "", 1));
    insta::assert_snapshot!("page", text(page(&sample())).replacen(html::STYLE, "", 1));
}

#[test]
fn a_feed_of_nothing_in_each_format() {
    insta::assert_snapshot!("empty_atom", text(feed(&empty(), Format::Atom)));
    insta::assert_snapshot!("empty_rss", text(feed(&empty(), Format::Rss)));
    insta::assert_snapshot!("empty_json", text(feed(&empty(), Format::Json)));
    assert!(text(index(&empty())).contains("Nothing has been published here yet."));
    assert_eq!(page(&empty()), index(&empty()), "a page without an article is the index");
}

#[test]
fn a_page_is_in_the_language_of_its_article() {
    let mut arabic = sample();
    arabic.items.remove(0);
    let rendition = page(&arabic);
    assert_eq!(rendition.language.as_deref(), Some("ar"));
    let document = text(rendition);
    assert!(document.contains("<html lang=\"ar\" dir=\"rtl\">"), "the article's language");
    assert!(
        document.contains("<header class=\"site\" lang=\"en\" dir=\"ltr\">"),
        "the site's title is in the site's language"
    );
    assert!(document.contains(">2026-11-20</time>"), "no English month in an Arabic text");
}

#[test]
fn links_in_header_fields() {
    let sample = sample();
    let atom = feed(&sample, Format::Atom);
    assert_eq!(
        atom.links,
        [
            "<https://example.org/blog/archives/7.atom>; rel=\"self\"",
            "<https://hub.example.org/>; rel=\"hub\"",
            "<https://example.org/blog/archives/7.html>; rel=\"alternate\"; type=\"text/html\"",
            "<https://example.org/blog/archives/6.atom>; rel=\"prev-archive\"",
            "<https://example.org/blog/archives/8.atom>; rel=\"next-archive\"",
            "<https://example.org/blog/feed.atom>; rel=\"current\"",
        ]
    );
    assert_eq!(
        page(&sample).links,
        [
            "<https://example.org/blog/feed.atom>; rel=\"alternate\"; type=\"application/atom+xml\"",
            "<https://example.org/blog/feed.rss>; rel=\"alternate\"; type=\"application/rss+xml\"",
            "<https://example.org/blog/feed.json>; rel=\"alternate\"; type=\"application/feed+json\"",
        ]
    );
    let mut odd = sample;
    odd.folder = "https://example.org/a>b/\n".into();
    odd.hubs.clear();
    assert!(feed(&odd, Format::Atom).links.is_empty(), "nothing may break out of a header");
}

/// What the three documents of `sample` say, by a parser that wrote none of them.
fn read(document: &[u8]) -> feed_rs::model::Feed {
    feed_rs::parser::parse(document).unwrap()
}

fn document(sample: &Feed, format: Format) -> Vec<u8> {
    text(feed(sample, format)).into_bytes()
}

#[test]
fn formats_agree_on_dates_and_enclosures() {
    let sample = sample();
    let [atom, rss, json] = Format::ALL.map(|it| read(&document(&sample, it)));
    for at in 0..sample.items.len() {
        let item = &sample.items[at];
        let published =
            |it: &feed_rs::model::Feed| it.entries[at].published.map(|it| it.timestamp()).unwrap();
        assert_eq!(published(&atom), item.published.as_second());
        assert_eq!(published(&rss), item.published.as_second());
        assert_eq!(published(&json), item.published.as_second());
        assert_eq!(atom.entries[at].updated, json.entries[at].updated, "RSS has no updated");
        let tags = |it: &feed_rs::model::Feed| {
            it.entries[at].categories.iter().map(|it| it.term.clone()).collect::<Vec<_>>()
        };
        assert_eq!(tags(&atom), tags(&rss));
        assert_eq!(tags(&atom), tags(&json));
        let links = |it: &feed_rs::model::Feed| {
            let links = it.entries[at].links.iter();
            links
                .filter(|it| it.length.is_some() || it.href.contains("report.pdf"))
                .map(|it| (it.href.clone(), it.media_type.clone(), it.length))
                .collect::<Vec<_>>()
        };
        assert_eq!(links(&atom), links(&json));
        assert_eq!(links(&atom).len(), item.enclosures.len());
    }
    let rss = ::rss::Channel::read_from(&document(&sample, Format::Rss)[..]).unwrap();
    let enclosure = rss.items[0].enclosure.as_ref().unwrap();
    let expected = &sample.items[0].enclosures[0];
    assert_eq!(enclosure.url, expected.url);
    assert_eq!(enclosure.length, expected.length.unwrap().to_string());
    assert_eq!(enclosure.mime_type, expected.media_type);
    let others = &rss.items[0].extensions["media"]["content"];
    assert_eq!(others[1].attrs["url"], sample.items[0].enclosures[1].url, "after the lead image");
}

/// What people and programs put into texts, and what breaks documents.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<char>().prop_map(String::from),
        2 => "[ a-z]{0,8}",
        3 => prop::sample::select(&[
            "]]>", "<![CDATA[", "<b>", "</div>", "&", "&amp;", "&lt;", "&#0;", "<!--", "-->", "\"",
            "'", "\r\n", "\r", "\n", "\t", "\0", "\u{8}", "\u{b}", "\u{1f}", "\u{7f}", "\u{85}",
            "\u{9f}", "\u{feff}", "\u{fffd}", "\u{fffe}", "\u{ffff}", "\u{1fffe}", "\u{2028}",
            "\u{202e}", "\u{1}u0\u{2}", "<?xml", "]]", "\u{d7ff}", "\u{10ffff}", "\u{a0}",
        ][..])
        .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|it| it.concat())
}

/// The sample with other words in every place that holds words.
fn any_feed() -> impl Strategy<Value = Feed> {
    prop::collection::vec(any_text(), 16).prop_map(|words| {
        let mut words = words.into_iter();
        let mut next = || words.next().unwrap();
        let mut feed = sample();
        feed.title = next();
        feed.description = next();
        feed.copyright = Some(next());
        feed.author.name = next();
        let item = &mut feed.items[0];
        item.guid = format!("g{}", next());
        item.title = format!("t{}", next());
        item.subtitle = Some(next());
        item.summary = next();
        item.html = next();
        item.authors[0].name = next();
        item.tags[0].label = format!("l{}", next());
        item.image.as_mut().unwrap().title = Some(next());
        item.enclosures[0].title = Some(next());
        item.enclosures[1].title = Some(next());
        let item = &mut feed.items[2];
        item.title = format!("t{}", next());
        item.summary = next();
        feed
    })
}

proptest! {
    /// Promise 1: any text in, a well-formed feed out, and the same in each format.
    #[test]
    fn promise_1_any_text_in_a_valid_feed_out(any in any_feed()) {
        for format in [Format::Atom, Format::Rss] {
            let document = text(feed(&any, format));
            let tree = roxmltree::Document::parse(&document);
            prop_assert!(tree.is_ok(), "{format:?}: {tree:?}\n{document}");
        }
        let [atom, rss, json] = Format::ALL.map(|it| read(&document(&any, it)));
        for (at, item) in any.items.iter().enumerate() {
            let of = |it: &feed_rs::model::Feed| {
                let entry = &it.entries[at];
                let title = entry.title.as_ref().unwrap().content.trim().to_owned();
                let body = entry.content.as_ref().unwrap().body.as_ref().unwrap();
                (title, body.trim().to_owned())
            };
            let expected =
                (xml::line(&item.title).trim().to_owned(), content::body(item).trim().to_owned());
            prop_assert_eq!(&of(&atom), &expected);
            prop_assert_eq!(&of(&rss), &expected);
            prop_assert_eq!(&of(&json), &expected);
            prop_assert_eq!(&atom.entries[at].id, &item.id);
            let guid = xml::line(&item.guid);
            prop_assert_eq!(rss.entries[at].id.trim(), guid.trim());
            prop_assert_eq!(json.entries[at].id.trim(), guid.trim());
        }
    }

    /// Text can end no element and no attribute of a page.
    #[test]
    fn any_text_in_a_whole_page_out(any in any_feed()) {
        // Markup of the body is the convert stage's promise, not this one's.
        let mut any = any;
        any.items[0].html = "<p>Text.</p>".into();
        let clean = |it: &str| xml::line(it).trim().to_owned();
        for document in [text(index(&any)), text(page(&any))] {
            prop_assert!(document.chars().all(|it| it == '\n' || !it.is_control()));
            // The pages close every element and quote every attribute, so that an XML
            // parser reads them once the void elements are closed, too.
            let xml = document
                .replacen("<!DOCTYPE html>", "", 1)
                .split_inclusive('>')
                .map(|it| match it.rfind('<') {
                    Some(at) if ["<meta ", "<link ", "<img "].iter().any(|tag| it[at..].starts_with(tag)) => {
                        format!("{}/>", &it[..it.len() - 1])
                    }
                    _ => it.replace(" controls ", " "),
                })
                .collect::<String>();
            let tree = roxmltree::Document::parse(&xml);
            prop_assert!(tree.is_ok(), "{tree:?}\n{xml}");
            let tree = tree.unwrap();
            let heading = tree.descendants().find(|it| it.has_tag_name("title")).unwrap();
            let title = clean(heading.text().unwrap_or_default());
            let of_list = clean(&[any.title.as_str(), " (7)"].concat());
            prop_assert!(title == clean(&any.items[0].title) || title == of_list);
        }
    }
}
