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
mod page;
pub mod rendition;
mod rss;
mod xml;

use bytes::Bytes;

use crate::catalog::entry::Part;
use crate::feed::page::Feed;
use crate::render::rendition::{Format, Payload, Rendition};

/// `feed` as a document of `format`.
pub fn feed(feed: &Feed, format: Format) -> Rendition {
    let document = match format {
        Format::Atom => atom::document(feed),
        Format::Rss => rss::document(feed),
        Format::Json => json::document(feed),
    };
    let mut links = Vec::new();
    push_link(&mut links, &feed.url(feed.part, format.extension()), "rel=\"self\"");
    rendition(feed, format.media_type(), document, links)
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
