//! Atom 1.0 (RFC 4287), with tombstones (RFC 6721) and archives (RFC 5005,
//! section 4).
//!
//! - The feed has an author, so that entries without one are valid (4.1.1).
//! - `title` and `summary` are plain text, `content` is HTML (3.1.1): `xhtml`
//!   would have to be well-formed XML, which bodies need not be.
//! - The crate writes the feed's own extension elements after the entries, where the
//!   schema of RFC 4287 (appendix B) has none: they are moved before the entries.

use atom_syndication::extension::Extension;
use atom_syndication::{
    Category, Content, Entry, FixedDateTime, Generator, Link, Person, Text, TextType,
};
use jiff::Timestamp;

use crate::catalog::entry::{Part, Tombstone};
use crate::convert::article;
use crate::feed::page::{Attachment, Feed, Item};
use crate::render::content;
use crate::render::html::Escaped;
use crate::render::rendition::Format;
use crate::render::xml::{self, Element, Extensions};

pub fn document(feed: &Feed) -> Vec<u8> {
    let mut extensions = Extensions::<Extension>::default();
    if feed.part != Part::Current {
        extensions.push(Element::new("fh:archive"));
    }
    for Tombstone { id, when } in &feed.tombstones {
        let when = Some(when);
        extensions.push(Element::new("at:deleted-entry").with("ref", id).with_any("when", when));
    }
    let entries: Vec<Entry> = feed.items.iter().map(entry).collect();
    let prefixes = entries.iter().flat_map(|it| it.extensions.keys());
    let namespaces = xml::namespaces(prefixes.chain(extensions.map.keys()));
    let contents = entries.iter().filter_map(|it| it.content.as_ref()?.value.as_ref());
    let size: usize = contents.map(String::len).sum();
    let mut document = atom_syndication::Feed {
        title: plain(&feed.title, None),
        id: xml::line(&feed.id).into(),
        updated: date(feed.updated),
        authors: vec![person(&feed.author)],
        generator: Some(Generator { value: "Sower".into(), uri: None, version: None }),
        links: links(feed),
        icon: feed.icon.as_deref().map(|it| xml::line(it).into()),
        logo: feed.logo.as_deref().map(|it| xml::line(it).into()),
        rights: feed.copyright.as_deref().map(|it| plain(it, None)),
        subtitle: Some(plain(&feed.description, None)),
        lang: feed.language.clone(),
        entries,
        extensions: extensions.map,
        namespaces,
        ..atom_syndication::Feed::default()
    };
    // Escaping makes HTML longer by a quarter or so.
    let capacity = size + size / 3 + 1024 * (document.entries.len() + 1);
    if document.extensions.is_empty() || document.entries.is_empty() {
        return written(&document, capacity);
    }
    let entries = std::mem::take(&mut document.entries);
    let mut head = written(&document, capacity);
    document.extensions.clear();
    document.entries = entries;
    let whole = written(&document, capacity);
    // `<` of a text is escaped, so this is the first entry.
    let start = whole.windows(ENTRY.len()).position(|it| it == ENTRY).unwrap_or(whole.len());
    head.truncate(head.len() - END.len());
    head.extend_from_slice(&whole[start..]);
    head
}

const ENTRY: &[u8] = b"<entry>";
const END: &[u8] = b"</feed>";

fn written(document: &atom_syndication::Feed, capacity: usize) -> Vec<u8> {
    document.write_to(Vec::with_capacity(capacity)).expect("memory takes every write")
}

fn links(feed: &Feed) -> Vec<Link> {
    let own_type = Some(xml::bare_type(Format::Atom).to_owned());
    let to = |rel: &str, part| Link {
        href: xml::line(&feed.url(part, Format::Atom.extension())).into(),
        rel: rel.into(),
        mime_type: own_type.clone(),
        ..Link::default()
    };
    let mut links = vec![to("self", feed.part), page_link(&feed.page_url(feed.part))];
    links.extend(feed.hubs.iter().map(|it| link("hub", it)));
    links.extend(feed.older.map(|it| to("prev-archive", Part::Archive(it))));
    links.extend(feed.newer.map(|it| to("next-archive", Part::Archive(it))));
    if feed.part != Part::Current {
        links.push(to("current", Part::Current));
    }
    links
}

fn entry(item: &Item) -> Entry {
    // Always, so that no entry changes where the feed's own language does.
    let language = item.language.as_ref();
    let mut extensions = Extensions::<Extension>::default();
    for element in item.image.iter().flat_map(xml::picture) {
        extensions.push(element);
    }
    let mut links = vec![page_link(&item.url)];
    links.extend(
        item.translations
            .iter()
            .map(|it| Link { hreflang: Some(it.language.clone()), ..page_link(&it.url) }),
    );
    links.extend(item.link.iter().map(|it| link("related", it)));
    let origin = item.source.iter().map(|it| &it.url);
    links.extend(item.via.iter().chain(origin).map(|it| link("via", it)));
    links.extend(item.rights_url().map(|it| link("license", it)));
    for url in &item.replies_to {
        // RFC 4685, section 3: the id of what is answered, which may be its address.
        extensions.push(Element::new("thr:in-reply-to").with("ref", url).with("href", url));
    }
    links.extend(item.enclosures.iter().map(enclosure));
    Entry {
        title: plain(&item.title, language),
        id: xml::line(&item.id).into(),
        updated: date(item.updated),
        authors: item.authors.iter().map(person).collect(),
        categories: item
            .tags
            .iter()
            .map(|tag| Category {
                term: xml::line(&tag.label).into(),
                scheme: Some(xml::line(tag.scheme()).into()),
                label: Some(xml::line(&tag.label).into()),
            })
            .collect(),
        links,
        published: Some(date(item.published)),
        summary: content::summary(item).map(|it| summary(&it, language)),
        content: Some(Content {
            lang: language.cloned(),
            value: Some(content::body(item).into_owned()),
            content_type: Some("html".into()),
            ..Content::default()
        }),
        rights: item.rights.as_deref().map(|it| plain(it, None)),
        extensions: extensions.map,
        ..Entry::default()
    }
}

fn link(rel: &str, url: &str) -> Link {
    Link { href: xml::line(url).into(), rel: rel.into(), ..Link::default() }
}

fn page_link(url: &str) -> Link {
    Link {
        href: xml::line(url).into(),
        rel: "alternate".into(),
        mime_type: Some("text/html".into()),
        ..Link::default()
    }
}

fn enclosure(attachment: &Attachment) -> Link {
    let title = attachment.title.as_deref().map(xml::line).filter(|it| !it.is_empty());
    Link {
        href: xml::line(&attachment.url).into(),
        rel: "enclosure".into(),
        mime_type: Some(xml::line(&attachment.media_type).into()),
        title: title.map(Into::into),
        length: attachment.length.map(|it| it.to_string()),
        ..Link::default()
    }
}

fn person(person: &article::Person) -> Person {
    Person {
        name: xml::line(&person.name).into(),
        email: person.email.as_deref().map(|it| xml::line(it).into()),
        uri: person.uri.as_deref().map(|it| xml::line(it).into()),
        ..Person::default()
    }
}

fn plain(text: &str, language: Option<&String>) -> Text {
    Text { value: xml::line(text).into(), lang: language.cloned(), ..Text::default() }
}

/// Plain text. What could be taken for markup is said to be HTML and escaped in it: the
/// same to readers that heed the type, and right in those that do not. Titles stay as
/// they are, since programs compare them.
fn summary(text: &str, language: Option<&String>) -> Text {
    if !text.contains(['&', '<']) {
        return plain(text, language);
    }
    let value = Escaped(&xml::line(text)).to_string();
    Text { value, lang: language.cloned(), r#type: TextType::Html, ..Text::default() }
}

/// RFC 3339, section 5.6; the crate prints it by way of chrono.
fn date(time: Timestamp) -> FixedDateTime {
    let nanoseconds = u32::try_from(time.subsec_nanosecond()).unwrap_or(0);
    chrono::DateTime::from_timestamp(time.as_second(), nanoseconds)
        .unwrap_or_default()
        .fixed_offset()
}

impl From<Element> for Extension {
    fn from(element: Element) -> Extension {
        let mut children = Extensions::<Extension>::default();
        for child in element.children {
            children.push(child);
        }
        Extension {
            name: element.name.into(),
            value: element.text,
            attrs: element.attributes,
            children: children.map.into_values().flatten().collect(),
        }
    }
}
