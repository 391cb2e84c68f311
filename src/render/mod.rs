//! Feed to bytes.
//!
//! In: a [`Feed`]. Out: a [`Rendition`] in one format, or a page for people.
//!
//! Pure: the same feed gives the same bytes on every machine, so ETags agree.
//!
//! Invariants
//! - Any text in, a well-formed document out: whatever enters one goes through
//!   [`xml::text`] or [`xml::line`] first.
//! - All formats say the same: id, title, dates, body, enclosures. What a body is
//!   in a feed stands in [`content`], for all of them.
//! - No version of Sower is in a document, so that a new one that writes the same
//!   bytes keeps every ETag.
//!
//! A new format is one file in this folder, one row in [`Format`] and one in
//! [`feed`].

mod atom;
mod content;
mod html;
mod index;
mod json;
mod linked_data;
mod lists;
mod opml;
mod page;
pub mod rendition;
mod rss;
mod sitemap;
mod visit;
mod xml;

use bytes::Bytes;

use crate::catalog::entry::Part;
use crate::catalog::scope::Kind;
use crate::feed::page::{Calendar, Directory, Feed, Headline};
use crate::render::rendition::{Format, Payload, Rendition};

/// `feed` as a document of `format`.
pub fn feed(feed: &Feed, format: Format) -> Rendition {
    rendition(feed, format.media_type(), document(feed, format), feed_links(feed, format))
}

fn feed_links(feed: &Feed, format: Format) -> Vec<String> {
    let mut links = Vec::new();
    let url = |part| feed.url(part, format.extension());
    push_link(&mut links, &url(feed.part), "rel=\"self\"");
    for hub in &feed.hubs {
        push_link(&mut links, hub, "rel=\"hub\"");
    }
    let page = feed.page_url(feed.part);
    push_link(&mut links, &page, "rel=\"alternate\"; type=\"text/html\"");
    if let Some(older) = feed.older {
        push_link(&mut links, &url(Part::Archive(older)), "rel=\"prev-archive\"");
    }
    if let Some(newer) = feed.newer {
        push_link(&mut links, &url(Part::Archive(newer)), "rel=\"next-archive\"");
    }
    if feed.part != Part::Current {
        push_link(&mut links, &url(Part::Current), "rel=\"current\"");
    }
    links
}

fn document(feed: &Feed, format: Format) -> Vec<u8> {
    match format {
        Format::Atom => atom::document(feed),
        Format::Rss => rss::document(feed),
        Format::Json => json::document(feed),
    }
}

/// What changed of a document of `format`: `changed` is `whole` with fewer items.
pub fn delta(whole: &Feed, changed: &Feed, format: Format) -> Rendition {
    let payload = Payload::Delta {
        changed: document(changed, format).into(),
        whole: document(whole, format).into(),
    };
    let links = self::feed_links(whole, format);
    Rendition { payload, ..rendition(whole, format.media_type(), Vec::new(), links) }
}

/// The page that a person sees who opens the address of a feed: what a feed is, the
/// newest articles, how to subscribe.
pub fn visit(feed: &Feed, format: Format) -> Rendition {
    let document = visit::document(feed, format);
    rendition(feed, HTML, document.into(), Vec::new())
}

/// The page for people of the feed's scope: its newest articles and how to
/// subscribe.
pub fn index(feed: &Feed) -> Rendition {
    rendition(feed, HTML, index::document(feed).into(), alternates(feed))
}

/// The page of the feed's first item; its other items do not matter. Where it has
/// none, the page of its scope.
pub fn page(feed: &Feed) -> Rendition {
    let Some(item) = feed.items.first() else { return index(feed) };
    let mut page = rendition(feed, HTML, page::document(feed, item).into(), alternates(feed));
    if item.language.is_some() {
        page.language.clone_from(&item.language);
    }
    page
}

/// The page of all tags, authors or languages.
pub fn names(directory: &Directory, kind: Kind) -> Rendition {
    let channel = &directory.channel;
    rendition(channel, HTML, lists::names(directory, kind).into(), alternates(channel))
}

/// The page of what was published in a time.
pub fn calendar(calendar: &Calendar) -> Rendition {
    let channel = &calendar.channel;
    rendition(channel, HTML, lists::calendar(calendar).into(), alternates(channel))
}

/// The list of all feeds.
pub fn opml(directory: &Directory) -> Rendition {
    let document = opml::document(directory).into();
    rendition(&directory.channel, "text/x-opml; charset=utf-8", document, Vec::new())
}

/// A list of pages; `is_first` with that of the site.
pub fn sitemap(channel: &Feed, headlines: &[Headline], is_first: bool) -> Rendition {
    list(channel, XML, sitemap::pages(channel, headlines, is_first))
}

/// The list of so many parts of the list of pages.
pub fn sitemap_index(channel: &Feed, parts: u32) -> Rendition {
    list(channel, XML, sitemap::index(channel, parts))
}

pub fn robots(channel: &Feed) -> Rendition {
    list(channel, "text/plain; charset=utf-8", sitemap::robots(channel))
}

/// Sower's own mark, for sites that have none: SVG or ICO.
pub fn favicon(is_svg: bool) -> Rendition {
    let (media_type, bytes): (&str, &[u8]) = match is_svg {
        true => ("image/svg+xml", include_bytes!("favicon.svg")),
        false => ("image/x-icon", include_bytes!("favicon.ico")),
    };
    Rendition {
        media_type: media_type.into(),
        payload: Payload::Bytes(Bytes::from_static(bytes)),
        language: None,
        modified: jiff::Timestamp::UNIX_EPOCH,
        links: Vec::new(),
    }
}

fn list(channel: &Feed, media_type: &str, document: String) -> Rendition {
    let list = rendition(channel, media_type, document.into(), Vec::new());
    Rendition { language: None, ..list }
}

const XML: &str = "application/xml; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

fn rendition(feed: &Feed, media_type: &str, document: Vec<u8>, links: Vec<String>) -> Rendition {
    Rendition {
        media_type: media_type.into(),
        payload: Payload::Bytes(Bytes::from(document)),
        language: feed.language.clone(),
        modified: feed.modified,
        links,
    }
}

fn alternates(feed: &Feed) -> Vec<String> {
    let mut links = Vec::new();
    for format in Format::ALL {
        let url = feed.url(Part::Current, format.extension());
        let parameters = format!("rel=\"alternate\"; type=\"{}\"", xml::bare_type(format));
        push_link(&mut links, &url, &parameters);
    }
    links
}

/// A `Link` header's value (RFC 8288, section 3). A URL that is not plain ASCII
/// cannot stand in a header and is left out.
fn push_link(links: &mut Vec<String>, url: &str, parameters: &str) {
    if url.bytes().all(|it| it.is_ascii_graphic() && it != b'<' && it != b'>') {
        links.push(format!("<{url}>; {parameters}"));
    }
}

#[cfg(test)]
mod tests;
