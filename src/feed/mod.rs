//! Entries to a feed: references filled, URLs absolute.
//!
//! In: what the catalog has for one document of a scope, and what the
//! configuration says of the site. Out: a [`Feed`] that says everything a format
//! can say, in no format.
//!
//! Pure: no clock, no file, no socket. The same selection and site give the same
//! feed, on every machine.
//!
//! Invariants
//! - Every URL in a [`Feed`] is absolute; [`fill`] alone knows where the site is.
//! - No two items of a feed have one id (RFC 4287, section 4.1.1).
//! - Mail addresses, URLs, media types and language tags that are none are left
//!   out here, so that all formats agree on what is there.
//!
//! A fact that formats need is a field of [`Item`], filled in [`item`].

mod extra;
pub mod fill;
mod item;
pub mod lists;
mod media;
pub mod page;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::catalog::entry::{Delta, Entry, Leads, Part, Selection};
use crate::catalog::identity::NAMESPACE;
use crate::catalog::scope::Scope;
use crate::convert::article::Person;
use crate::feed::fill::Places;
use crate::feed::page::{Feed, Item, Site};

/// The feed that shows `selection`.
pub fn build(site: &Site, selection: Selection) -> Feed {
    let Selection { scope, label, part, entries, tombstones, leads, older, newer, changed } =
        selection;
    // A summary stands for a text that is too long, whatever its length.
    let own = site.own_feed(&scope);
    let max_body = if own.is_some_and(|it| !it.has_full_text) { 0 } else { site.max_body };
    let items = items(site, entries, &leads, max_body);
    let mut feed = channel(site, scope, &label, &items, changed);
    feed.part = part;
    feed.items = items;
    feed.tombstones = tombstones;
    feed.older = older;
    feed.newer = newer;
    feed
}

/// The document of now, and of it what changed since an earlier version.
pub fn delta(site: &Site, delta: Delta) -> (Feed, Feed) {
    let Delta { whole, fresh, withdrawn } = delta;
    let whole = build(site, whole);
    // The same channel, its language among it, whatever the items are.
    let mut changed = whole.clone();
    changed.items.retain(|it| fresh.contains(&it.id));
    changed.tombstones = withdrawn;
    (whole, changed)
}

/// The site's channel with this one entry, for the entry's page.
pub fn single(site: &Site, entry: Entry, leads: &Leads) -> Feed {
    let changed = entry.updated;
    let items = items(site, vec![entry], leads, site.max_body);
    let mut feed = channel(site, Scope::Site, "", &items, changed);
    feed.items = items;
    feed
}

/// The id of a scope's feed: `urn:uuid:` of the version 5 UUID (RFC 9562, section
/// 5.5) of the site's key, a NUL and the scope's name. Paths hold no NUL, so no
/// seed's id is minted from the same name.
pub fn feed_id(key: &str, scope: &Scope) -> String {
    let name = format!("{key}\0{}", scope.name());
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).urn().to_string()
}

fn items(site: &Site, entries: Vec<Entry>, leads: &Leads, max_body: usize) -> Vec<Item> {
    let places = Places { base_url: &site.base_url, leads };
    let mut seen = HashSet::new();
    let fresh = entries.into_iter().filter(|entry| seen.insert(entry.id.clone()));
    fresh.map(|entry| item::item(&places, entry, max_body)).collect()
}

/// A feed of `scope` without items.
fn channel(site: &Site, scope: Scope, label: &str, items: &[Item], changed: Timestamp) -> Feed {
    let site_title = match is_blank(&site.title) {
        true => host(&site.base_url),
        false => &site.title,
    };
    let own_title = site.own_feed(&scope).and_then(|it| it.title.clone());
    let title = match is_blank(label) {
        _ if let Some(title) = own_title.filter(|it| !is_blank(it)) => title,
        true => site_title.to_owned(),
        false => format!("{label} \u{2013} {site_title}"),
    };
    let description = match is_blank(&site.description) {
        true => title.clone(),
        false => site.description.clone(),
    };
    let language = match &scope {
        Scope::Language(_) => language(label),
        _ => None,
    };
    let author = site.author.clone().and_then(person);
    let places = Places { base_url: &site.base_url, leads: &Leads::default() };
    let folder = places.scope(&scope);
    Feed {
        part: Part::Current,
        id: feed_id(&site.key, &scope),
        description,
        language: language
            .or_else(|| site.language.as_deref().and_then(self::language))
            .or_else(|| most_common_language(items)),
        author: author.unwrap_or_else(|| Person {
            name: site_title.to_owned(),
            uri: None,
            email: None,
        }),
        copyright: site.copyright.clone().filter(|it| !is_blank(it)),
        icon: site.icon.clone(),
        logo: site.logo.clone(),
        image: site.image.clone(),
        ttl: site.ttl,
        hubs: site.hubs.clone(),
        site: places.page("/"),
        site_title: site_title.to_owned(),
        home: folder.clone(),
        folder,
        updated: changed,
        modified: changed.max(site.since),
        items: Vec::new(),
        tombstones: Vec::new(),
        older: None,
        newer: None,
        sections: Vec::new(),
        title,
        scope,
    }
}

/// Of equals the one that is met first, hence the newest entry's.
fn most_common_language(items: &[Item]) -> Option<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for language in items.iter().filter_map(|it| it.language.as_deref()) {
        *counts.entry(language).or_default() += 1;
    }
    let most = *counts.values().max()?;
    let mut languages = items.iter().filter_map(|it| it.language.as_deref());
    languages.find(|it| counts[it] == most).map(str::to_owned)
}

/// `tag` where it has the shape of a language tag (RFC 5646, section 2.1).
fn language(tag: &str) -> Option<String> {
    let mut subtags = tag.split('-');
    let primary = subtags.next()?;
    let is_primary =
        (2..=8).contains(&primary.len()) && primary.bytes().all(|it| it.is_ascii_alphabetic());
    let is_rest = subtags.all(|subtag| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|it| it.is_ascii_alphanumeric())
    });
    (is_primary && is_rest).then(|| tag.to_owned())
}

/// `None` for a person without a name; without what is no mail address or URL.
fn person(person: Person) -> Option<Person> {
    let Person { name, uri, email } = person;
    (!is_blank(&name)).then(|| Person {
        name,
        uri: uri.and_then(|it| fill::web_url(&it)),
        email: email.filter(|it| is_mail_address(it)),
    })
}

/// Whether this is an address as everybody writes them: a dot-atom of RFC 5322,
/// section 3.2.3, at a host name with a dot. Quoted local parts and address
/// literals are none.
fn is_mail_address(text: &str) -> bool {
    let is_atom = |atom: &str, others: &str| {
        !atom.is_empty() && atom.chars().all(|it| it.is_ascii_alphanumeric() || others.contains(it))
    };
    let Some((local, host)) = text.split_once('@') else { return false };
    local.split('.').all(|it| is_atom(it, "!#$%&'*+-/=?^_`{|}~"))
        && host.contains('.')
        && host.split('.').all(|it| is_atom(it, "-"))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|it| it.is_whitespace() || it.is_control())
}

fn host(base_url: &str) -> &str {
    base_url.split_once("://").map_or(base_url, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::entry::{Lead, Tombstone};
    use crate::convert::article::{Article, Media, Source};
    use crate::convert::body::{Body, Reference, Target};
    use crate::watch::seed::SeedPath;

    fn path(text: &str) -> SeedPath {
        SeedPath::new(text).unwrap()
    }

    fn to(target: Target, suffix: &str) -> Reference {
        Reference { target, suffix: suffix.into() }
    }

    fn to_path(text: &str, suffix: &str) -> Reference {
        to(Target::Path(path(text)), suffix)
    }

    /// Only the convert stage makes bodies; stored ones come from the catalog so.
    fn body(html: &str, references: &[Reference]) -> Body {
        serde_json::from_value(json!({ "html": html, "references": references })).unwrap()
    }

    fn site() -> Site {
        Site {
            base_url: "https://example.org/blog".into(),
            key: "example.org/blog".into(),
            title: "Bridges".into(),
            description: "All that crosses a river".into(),
            max_body: 1_000_000,
            since: "2026-11-01T00:00:00Z".parse().unwrap(),
            ..Site::default()
        }
    }

    fn article() -> Article {
        Article {
            title: "Title".into(),
            summary: "Summary".into(),
            body: body("<p>Text.</p>", &[]),
            words: 1,
            ..Article::default()
        }
    }

    fn entry(number: i64, article: Article) -> Entry {
        Entry {
            number,
            id: format!("urn:uuid:00000000-0000-5000-8000-{number:012}"),
            guid: format!("urn:uuid:00000000-0000-5000-8000-{number:012}"),
            path: path("news/kim.txt"),
            permalink: "/news/kim".into(),
            published: "2026-11-24T09:00:00Z".parse().unwrap(),
            updated: "2026-11-24T09:00:00Z".parse().unwrap(),
            article,
            translations: Vec::new(),
        }
    }

    fn selection(entries: Vec<Entry>) -> Selection {
        Selection {
            scope: Scope::Site,
            label: String::new(),
            part: Part::Current,
            entries,
            tombstones: Vec::new(),
            leads: Leads::default(),
            older: None,
            newer: None,
            changed: "2026-11-24T10:00:00Z".parse().unwrap(),
        }
    }

    fn item_of(article: Article, leads: &Leads) -> Item {
        single(&site(), entry(1, article), leads).items.remove(0)
    }

    const OTHER: &str = "tag:example.org,2026:other";

    fn leads() -> Leads {
        let file = |name: &str, media_type: &str, size| Lead::File {
            path: path(name),
            media_type: media_type.into(),
            length: 1234,
            size,
        };
        Leads(HashMap::from([
            (
                Target::Path(path("news/lee.md")),
                Lead::Entry { permalink: "/news/lee".into(), id: OTHER.into() },
            ),
            (
                Target::Name("Lee".into()),
                Lead::Entry { permalink: "/news/lee".into(), id: OTHER.into() },
            ),
            (Target::Path(path("news/draft.md")), Lead::Unpublished),
            (
                Target::Path(path("news/a b.jpg")),
                file("news/a b.jpg", "image/jpeg", Some((640, 480))),
            ),
            (Target::Path(path("talk.mp3")), file("talk.mp3", "audio/mpeg", None)),
            (Target::Path(path("data.bin")), file("data.bin", "application/octet-stream", None)),
        ]))
    }

    #[test]
    fn references_become_absolute_urls() {
        let other = fill::unique_prefix(OTHER);
        let own = fill::unique_prefix(&entry(1, article()).id);
        let url = |it: &str| Some(format!("https://example.org/blog{it}"));
        let table = [
            (to_path("news/lee.md", ""), url("/news/lee"), "an entry"),
            (to_path("news/lee.md", "?a=1"), url("/news/lee?a=1"), "its query"),
            (
                to_path("news/lee.md", "#notes"),
                url(&format!("/news/lee#{other}notes")),
                "ids there have the target's prefix",
            ),
            (
                to_path("news/lee.md", "?a=1#notes"),
                url(&format!("/news/lee?a=1#{other}notes")),
                "both",
            ),
            (to_path("news/lee.md", "#"), url("/news/lee#"), "the top of the page is no id"),
            (to_path("news/lee.md", "#:~:text=x"), url("/news/lee#:~:text=x"), "nor is a text"),
            (to(Target::Name("Lee".into()), ""), url("/news/lee"), "a note by its name"),
            (to(Target::Name("Nobody".into()), ""), None, "a name has no path to wait at"),
            (to_path("news/draft.md", "#x"), None, "not published"),
            (to_path("news/a b.jpg", ""), url("/news/a%20b.jpg"), "a file, encoded"),
            (to_path("talk.mp3", "#t=10"), url("/talk.mp3#t=10"), "a file's fragment is its own"),
            (to_path("late/ü.md", ""), url("/late/%C3%BC.md"), "nothing there yet: as written"),
            (to(Target::Root, ""), url("/"), "the front page"),
            (to(Target::Root, "#news"), url("/#news"), "a place on it"),
            (
                to(Target::Itself, "#\u{3}notes"),
                url(&format!("/news/kim#{own}notes")),
                "its own heading, absolute for readers that show many articles on one page",
            ),
            (to(Target::Itself, ""), url("/news/kim"), "itself"),
        ];
        for (reference, expected, why) in table {
            let body = body(
                "<p>\u{1}l0\u{2} class=\"x\">t\u{1}e\u{2}</p>",
                std::slice::from_ref(&reference),
            );
            let html = item_of(Article { body, ..article() }, &leads()).html;
            let expected = match expected {
                Some(url) => format!("<p><a href=\"{url}\" class=\"x\">t</a></p>"),
                None => "<p>t</p>".into(),
            };
            assert_eq!(html, expected, "{reference:?}: {why}");
        }
    }

    #[test]
    fn ids_of_two_entries_never_meet() {
        let with_id = || Article { body: body("<h2 id=\"\u{3}a\">A</h2>", &[]), ..article() };
        let feed = build(&site(), selection(vec![entry(1, with_id()), entry(2, with_id())]));
        let [first, second] = [&feed.items[0].html, &feed.items[1].html];
        assert_ne!(first, second);
        let prefix = fill::unique_prefix(&feed.items[0].id);
        assert_eq!(*first, format!("<h2 id=\"{prefix}a\">A</h2>"));
        assert_eq!(prefix, "s4b6f0891-", "links from elsewhere hold on to it");
    }

    fn picture(source: Source) -> Option<Media> {
        Some(Media {
            source,
            title: Some("A \"bridge\"".into()),
            media_type: None,
            length: None,
            duration: None,
        })
    }

    #[test]
    fn a_lead_image_stands_before_a_body_that_does_not_show_it() {
        let own = || Source::Folder(to_path("news/a b.jpg", ""));
        let elsewhere = || Source::Elsewhere("https://example.net/a.png?x=1&y=2".into());
        let holes = [to_path("news/a b.jpg", "")];
        let figure = "<figure><img src=\"https://example.org/blog/news/a%20b.jpg\" \
                      alt=\"A &quot;bridge&quot;\" width=\"640\" height=\"480\"></figure>\n";
        let table = [
            (own(), "<p>Text.</p>", true, "not shown"),
            (own(), "<img \u{1}i0\u{2} alt=\"\">", false, "shown"),
            (own(), "\u{1}l0\u{2}>t\u{1}e\u{2}", true, "a link shows nothing"),
            (
                own(),
                "<img src=\"https://example.org/blog/news/a%20b.jpg2\">",
                true,
                "another picture whose address begins so",
            ),
            (elsewhere(), "<img src=\"https://example.net/a.png?x=1&amp;y=2\">", false, "shown"),
            (elsewhere(), "<p>Text.</p>", true, "not shown"),
            (Source::Folder(to_path("late.png", "")), "<p>Text.</p>", false, "not there yet"),
        ];
        for (source, html, is_added, why) in table {
            let image = picture(source.clone());
            let open = article();
            let plain = item_of(Article { body: body(html, &holes), ..open.clone() }, &leads());
            let shown = item_of(Article { body: body(html, &holes), image, ..open }, &leads());
            assert_eq!(shown.html != plain.html, is_added, "{source:?}: {why}");
            assert!(shown.html.ends_with(&plain.html));
            if is_added && source == own() {
                assert_eq!(shown.html, format!("{figure}{}", plain.html));
            }
        }
    }

    #[test]
    fn facts_of_enclosures() {
        let media = |source, media_type: Option<&str>| Media {
            source,
            title: None,
            media_type: media_type.map(Into::into),
            length: Some(7),
            duration: Some(60),
        };
        let folder = |name: &str| Source::Folder(to_path(name, ""));
        let web = |url: &str| Source::Elsewhere(url.into());
        let own = "https://example.org/blog/";
        let table = [
            (
                media(folder("talk.mp3"), Some("audio/x-odd")),
                Some((format!("{own}talk.mp3"), "audio/mpeg", Some(1234))),
                "a file's own facts win",
            ),
            (
                media(folder("data.bin"), Some("audio/ogg")),
                Some((format!("{own}data.bin"), "audio/ogg", Some(1234))),
                "but a type that says nothing",
            ),
            (media(folder("late.mp3"), None), None, "nothing is announced that is not there"),
            (media(folder("news/draft.md"), None), None, "nor a draft"),
            (
                media(web("https://example.net/a.m4a?x=1"), None),
                Some(("https://example.net/a.m4a?x=1".into(), "audio/mp4", Some(7))),
                "a type by the name",
            ),
            (
                media(web("https://example.net/[a|b].mp3"), Some("audio/mpeg; q=1")),
                Some(("https://example.net/%5Ba%7Cb%5D.mp3".into(), "audio/mpeg", Some(7))),
                "no such characters in a URI; a type is a type alone",
            ),
            (
                media(web("https://bücher.example/ü%zz"), Some("x")),
                Some((
                    "https://xn--bcher-kva.example/%C3%BC%25zz".into(),
                    "application/octet-stream",
                    Some(7),
                )),
                "an IRI as a URI; a type that is none",
            ),
            (media(web("javascript:alert(1)"), None), None, "not a file of the web"),
            (media(web("a.mp3"), None), None, "not absolute"),
        ];
        for (enclosure, expected, why) in table {
            let enclosures = vec![enclosure.clone()];
            let item = item_of(Article { enclosures, ..article() }, &leads());
            let found = item.enclosures.first();
            let found = found.map(|it| (it.url.clone(), it.media_type.as_str(), it.length));
            assert_eq!(found, expected, "{enclosure:?}: {why}");
        }
    }

    #[test]
    fn channels_of_scopes() {
        let table = [
            (Scope::Site, "", "Bridges", "https://example.org/blog/"),
            (
                Scope::Folder("news/korea".into()),
                "korea",
                "korea \u{2013} Bridges",
                "https://example.org/blog/news/korea/",
            ),
            (Scope::FolderOnly(String::new()), "", "Bridges", "https://example.org/blog/"),
            (
                Scope::Tag("c%2B%2B".into()),
                "C++",
                "C++ \u{2013} Bridges",
                "https://example.org/blog/tags/c%2B%2B/",
            ),
            (
                Scope::Author("ann-lee".into()),
                "Ann Lee",
                "Ann Lee \u{2013} Bridges",
                "https://example.org/blog/authors/ann-lee/",
            ),
        ];
        let mut ids = HashSet::new();
        for (scope, label, title, home) in table {
            let selection = Selection { scope, label: label.into(), ..selection(Vec::new()) };
            let feed = build(&site(), selection);
            assert_eq!(feed.title, title);
            assert_eq!(feed.home, home);
            assert_eq!(feed.folder, home);
            assert!(feed.id.starts_with("urn:uuid:") && ids.insert(feed.id));
        }
        assert_eq!(
            feed_id("example.org/blog", &Scope::Site),
            "urn:uuid:9e3b1c21-ddad-5a8c-9181-ca591fd014aa",
            "the id of a feed never changes"
        );
    }

    #[test]
    fn a_site_that_says_nothing_of_itself_has_a_valid_channel() {
        let site = Site {
            title: " \u{1}".into(),
            description: String::new(),
            copyright: Some(" ".into()),
            author: Some(Person { name: "".into(), uri: None, email: Some("a@b.example".into()) }),
            language: Some("not a language".into()),
            ..site()
        };
        let feed = build(&site, selection(Vec::new()));
        assert_eq!(feed.title, "example.org/blog");
        assert_eq!(feed.description, "example.org/blog");
        assert_eq!(feed.author.name, "example.org/blog");
        assert_eq!((feed.copyright, feed.language), (None, None));
    }

    #[test]
    fn the_language_of_a_channel() {
        let entries = |languages: &str| -> Vec<Entry> {
            let written = languages.split(' ').map(|it| (it != "-").then(|| it.to_owned()));
            let numbered = (1..).zip(written);
            numbered.map(|(at, language)| entry(at, Article { language, ..article() })).collect()
        };
        let tag = || (Scope::Tag("ko".into()), "ko");
        let language = || (Scope::Language("ko".into()), "ko");
        let all = || (Scope::Site, "");
        let table = [
            (all(), Some("de"), "ko ko", Some("de"), "the site's own word"),
            (all(), None, "en ko ko", Some("ko"), "what most entries have"),
            (all(), None, "en ko", Some("en"), "of equals the newest entry's"),
            (all(), None, "- x_y", None, "unknown"),
            (language(), Some("de"), "ko", Some("ko"), "a language's feed is in that language"),
            (tag(), Some("de"), "ko", Some("de"), "a tag says nothing"),
        ];
        for ((scope, label), stated, languages, expected, why) in table {
            let site = Site { language: stated.map(Into::into), ..site() };
            let selection =
                Selection { scope, label: label.into(), ..selection(entries(languages)) };
            assert_eq!(build(&site, selection).language.as_deref(), expected, "{why}");
        }
    }

    #[test]
    fn mail_addresses() {
        let table = [
            ("ann@example.org", true, "plain"),
            ("a.b+c@mail.example.org", true, "dots and a plus"),
            ("ann@localhost", false, "a name without a dot is nobody's address elsewhere"),
            ("ann", false, "no host"),
            ("@example.org", false, "nobody"),
            ("a..b@example.org", false, "an empty atom"),
            ("a b@example.org", false, "a blank"),
            ("a@b@example.org", false, "two hosts"),
            ("Ann <ann@example.org>", false, "a name with its address"),
            ("ann@exämple.org", false, "mail of RFC 6531, which feeds cannot say"),
            ("ann@example.org\n", false, "a line end"),
        ];
        for (text, expected, why) in table {
            assert_eq!(is_mail_address(text), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn dates_that_every_format_can_say() {
        let at = |published: &str, updated: &str| {
            let entry = Entry {
                published: published.parse().unwrap(),
                updated: updated.parse().unwrap(),
                ..entry(1, article())
            };
            let feed = build(&site(), selection(vec![entry]));
            (feed.items[0].published.to_string(), feed.items[0].updated.to_string())
        };
        let table = [
            (
                "2026-11-24T09:00:00.7Z",
                "2026-11-24T09:00:00.7Z",
                "2026-11-24T09:00:00Z",
                "2026-11-24T09:00:00Z",
                "whole seconds",
            ),
            (
                "2026-11-24T09:00:00.7Z",
                "2026-11-24T09:00:00.9Z",
                "2026-11-24T09:00:00Z",
                "2026-11-24T09:00:00.9Z",
                "a revision at once is one",
            ),
            (
                "2026-11-24T09:00:00Z",
                "2026-11-23T09:00:00Z",
                "2026-11-24T09:00:00Z",
                "2026-11-24T09:00:00Z",
                "never before",
            ),
            (
                "-000044-03-15T12:00:00Z",
                "-000044-03-15T12:00:00Z",
                "0001-01-01T00:00:00Z",
                "0001-01-01T00:00:00Z",
                "no year before 1",
            ),
            (
                "1969-12-31T23:59:59.5Z",
                "1969-12-31T23:59:59.5Z",
                "1969-12-31T23:59:59Z",
                "1969-12-31T23:59:59Z",
                "down, not towards 1970",
            ),
        ];
        for (published, updated, expected, expected_updated, why) in table {
            let expected = (expected.to_owned(), expected_updated.to_owned());
            assert_eq!(at(published, updated), expected, "{why}");
        }
    }

    #[test]
    fn what_a_selection_says_is_in_its_feed() {
        let tombstone = Tombstone { id: OTHER.into(), when: site().since };
        let mut twice = vec![entry(1, article()), entry(1, article()), entry(2, article())];
        twice[2].article.tags = vec!["Korea".into(), "KOREA".into(), " ".into(), "C#".into()];
        let selection = Selection {
            part: Part::Archive(7),
            tombstones: vec![tombstone.clone()],
            older: Some(6),
            newer: Some(8),
            ..selection(twice)
        };
        let feed = build(&Site { max_body: 11, ..site() }, selection);
        assert_eq!((feed.part, feed.older, feed.newer), (Part::Archive(7), Some(6), Some(8)));
        assert_eq!(feed.tombstones, [tombstone]);
        assert_eq!(feed.items.len(), 2, "RFC 4287, 4.1.1: no id and date twice");
        assert!(feed.items[0].is_too_long, "12 bytes of 11");
        let tags: Vec<_> = feed.items[1].tags.iter().map(|it| (&*it.label, it.scheme())).collect();
        assert_eq!(
            tags,
            [("Korea", "https://example.org/blog/tags/"), ("C#", "https://example.org/blog/tags/")],
            "one tag for each page"
        );
        assert_eq!(feed.updated.to_string(), "2026-11-24T10:00:00Z");
        assert_eq!(feed.modified, feed.updated);
        let later = Site { since: "2026-12-01T00:00:00Z".parse().unwrap(), ..site() };
        let feed = build(&later, self::selection(Vec::new()));
        assert_eq!(feed.modified, later.since, "other words of the site are another document");
        assert_ne!(feed.updated, later.since, "but nothing that subscribers are told");
    }

    proptest::proptest! {
        /// Whatever stands in an article, what comes out is a URL by RFC 3986 or nothing.
        #[test]
        fn web_urls_have_no_forbidden_character(rest in "\\PC{0,24}", is_bare in proptest::bool::ANY) {
            let given = if is_bare { rest } else { format!("https://example.org/{rest}") };
            if let Some(url) = fill::web_url(&given) {
                let (scheme, rest) = url.split_once("://").unwrap();
                assert!(matches!(scheme, "http" | "https"));
                let path = rest.find('/').map_or("", |at| &rest[at..]);
                let allowed = |it: u8| it.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&it);
                assert!(path.bytes().all(allowed), "{url}");
                assert_eq!(fill::web_url(&url), Some(url.clone()), "a URL stays as it is");
            }
        }
    }
}
