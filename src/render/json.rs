//! JSON Feed 1.1.
//!
//! `_sower` is an extension by the specification's rules; the page of each scope
//! says what it holds, at the address in `about`:
//!
//! | in | key | holds |
//! |---|---|---|
//! | the feed | `archive` | `true` on archive pages (RFC 5005, section 4) |
//! | | `current`, `prev_archive`, `next_archive` | their addresses, on archive pages; `prev_archive` also on the feed itself |
//! | | `deleted` | entries that were withdrawn: `id`, `when` (RFC 6721) |
//! | an item | `subtitle` | plain text; also the first paragraph of `content_html` |
//! | | `words` | of the whole article |
//! | | `image_alt` | alternative text of `image` |
//! | | `rights` | a text, or the address of a licence |
//! | | `via`, `source`, `in_reply_to` | addresses: where the author found it, where it was first published, what it answers |
//! | | `translations` | by language, the address of the same article in it |
//! | | `atom_id` | the id in the Atom feed, where the article states one that Atom cannot carry |

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::catalog::entry::Part;
use crate::convert::article::Person;
use crate::feed::page::{self, Feed};
use crate::render::content;
use crate::render::rendition::Format;
use crate::render::xml;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: Cow<'a, str>,
    home_page_url: Cow<'a, str>,
    feed_url: String,
    description: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favicon: Option<&'a str>,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    _sower: FeedExtension<'a>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Hub<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct FeedExtension<'a> {
    about: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_archive: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_archive: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<Deleted<'a>>,
}

#[derive(Serialize)]
struct Deleted<'a> {
    id: &'a str,
    when: Timestamp,
}

#[derive(Serialize)]
struct Author<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: Cow<'a, str>,
    url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_url: Option<Cow<'a, str>>,
    title: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Cow<'a, str>>,
    content_html: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Cow<'a, str>>,
    date_published: Timestamp,
    date_modified: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    _sower: ItemExtension<'a>,
}

#[derive(Serialize)]
struct ItemExtension<'a> {
    about: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle: Option<Cow<'a, str>>,
    words: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reading_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_alt: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    atom_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    via: &'a Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_reply_to: &'a Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    translations: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: Cow<'a, str>,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_in_seconds: Option<u64>,
}

pub fn document(feed: &Feed) -> Vec<u8> {
    let about = format!("{}#formats", xml::line(&feed.home));
    let url = |part| xml::line(&feed.url(part, Format::Json.extension())).into_owned();
    let older = feed.older.map(|it| url(Part::Archive(it)));
    let is_archive = feed.part != Part::Current;
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: xml::line(&feed.title),
        home_page_url: xml::line(&feed.home),
        feed_url: url(feed.part),
        description: xml::line(&feed.description),
        next_url: older.clone(),
        icon: feed.icon.as_deref(),
        favicon: feed.icon.as_deref(),
        hubs: feed.hubs.iter().map(|url| Hub { kind: "WebSub", url }).collect(),
        authors: vec![author(&feed.author)],
        language: feed.language.as_deref(),
        _sower: FeedExtension {
            about: &about,
            archive: is_archive.then_some(true),
            current: is_archive.then(|| url(Part::Current)),
            prev_archive: older,
            next_archive: feed.newer.map(|it| url(Part::Archive(it))),
            deleted: feed
                .tombstones
                .iter()
                .map(|it| Deleted { id: &it.id, when: it.when })
                .collect(),
        },
        items: feed.items.iter().map(|it| item(it, &about)).collect(),
    };
    let size: usize = document.items.iter().map(|it| it.content_html.len() + 1024).sum();
    let mut bytes = Vec::with_capacity(size + size / 16 + 1024);
    serde_json::to_writer(&mut bytes, &document).expect("memory takes every write");
    bytes
}

fn item<'a>(item: &'a page::Item, about: &'a str) -> Item<'a> {
    Item {
        id: xml::line(&item.guid),
        url: xml::line(&item.url),
        external_url: item.link.as_deref().map(xml::line),
        title: xml::line(&item.title),
        summary: content::summary(item),
        content_html: content::body(item),
        image: item.image.as_ref().map(|it| xml::line(&it.url)),
        date_published: item.published,
        date_modified: item.updated,
        authors: item.authors.iter().map(author).collect(),
        tags: item.tags.iter().map(|it| xml::line(&it.label)).collect(),
        language: item.language.as_deref(),
        attachments: item.enclosures.iter().map(attachment).collect(),
        _sower: ItemExtension {
            about,
            subtitle: said(item.subtitle.as_ref()),
            words: item.words,
            reading_minutes: item.reading_minutes(),
            image_alt: said(item.image.as_ref().and_then(|it| it.title.as_ref())),
            rights: said(item.rights.as_ref()),
            via: &item.via,
            source: item.source.as_ref().map(|it| it.url.as_str()),
            in_reply_to: &item.replies_to,
            translations: item
                .translations
                .iter()
                .map(|it| (it.language.as_str(), it.url.as_str()))
                .collect(),
            atom_id: (item.id != item.guid).then(|| xml::line(&item.id)),
        },
    }
}

fn attachment(attachment: &page::Attachment) -> Attachment<'_> {
    Attachment {
        url: xml::line(&attachment.url),
        mime_type: &attachment.media_type,
        title: said(attachment.title.as_ref()),
        size_in_bytes: attachment.length,
        duration_in_seconds: attachment.duration,
    }
}

/// A mail address is the one thing that JSON Feed has no key for; `mailto:` in
/// `url` is allowed, but the person's page says more.
fn author(person: &Person) -> Author<'_> {
    let url = match (&person.uri, &person.email) {
        (Some(uri), _) => Some(xml::line(uri)),
        (None, Some(mail)) => Some(Cow::Owned(format!("mailto:{}", xml::line(mail)))),
        (None, None) => None,
    };
    Author { name: xml::line(&person.name), url }
}

fn said(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|it| xml::line(it)).filter(|it| !it.is_empty())
}
