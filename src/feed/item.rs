//! One entry as a feed shows it.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::catalog::entry::Entry;
use crate::catalog::scope::{Scope, folded};
use crate::convert::article::Article;
use crate::feed::fill::{self, Places};
use crate::feed::page::{Attachment, Item, Tag, Translation};
use crate::feed::{extra, is_blank, language, media, person};

/// `entry` with every reference filled. A body longer than `max_body` bytes is
/// marked so.
pub fn item(places: &Places<'_>, entry: Entry, max_body: usize) -> Item {
    let Entry { id, guid, permalink, published, updated, article, translations, .. } = entry;
    let (rights, via) = (extra::rights(&article), extra::via(&article));
    let (source, replies_to) = (extra::source(&article), extra::replies_to(&article));
    let Article { title, subtitle, summary, body, .. } = article;
    let unique = fill::unique_prefix(&id);
    let mut html = body.fill(&unique, |reference| places.fill(reference, &permalink, &unique));
    let image = article.image.and_then(|it| media::attachment(places, it));
    if let Some(image) = image.as_ref().filter(|it| !shows(&html, &it.url)) {
        html.insert_str(0, &figure(image));
    }
    let (published, updated) = dates(published, updated);
    Item {
        guid,
        url: places.page(&permalink),
        title,
        subtitle: subtitle.filter(|it| !is_blank(it)),
        summary,
        is_too_long: html.len() > max_body,
        html,
        authors: article.authors.into_iter().filter_map(person).collect(),
        tags: tags(places, article.tags),
        language: article.language.as_deref().and_then(language),
        published,
        updated,
        image,
        enclosures: article
            .enclosures
            .into_iter()
            .filter_map(|it| media::attachment(places, it))
            .collect(),
        link: article.link.and_then(|it| fill::web_url(&it)),
        words: article.words,
        rights,
        via,
        source,
        replies_to,
        translations: translations
            .into_iter()
            .filter_map(|(tag, permalink)| {
                let url = places.page(&permalink);
                language(&tag).map(|language| Translation { language, url })
            })
            .collect(),
        id,
    }
}

/// Each tag's first spelling; spellings that lead to one page are one tag.
fn tags(places: &Places<'_>, labels: Vec<String>) -> Vec<Tag> {
    let mut seen = HashSet::new();
    let mut tags = Vec::with_capacity(labels.len());
    for label in labels {
        let name = folded(&label);
        if !name.is_empty() && !is_blank(&label) && seen.insert(name.clone()) {
            tags.push(Tag { label, url: places.scope(&Scope::Tag(name)) });
        }
    }
    tags
}

/// Both dates as all formats can say them.
///
/// RSS has whole seconds and years of four digits (RFC 822 and RFC 3339 have no
/// others), so `published` has them everywhere. An `updated` that is later keeps
/// its fraction, since two revisions within a second are two.
fn dates(published: Timestamp, updated: Timestamp) -> (Timestamp, Timestamp) {
    /// 0001-01-01T00:00:00Z; the last year that jiff knows is 9999.
    const FIRST: i64 = -62_135_596_800;
    let whole = |time: Timestamp| {
        let second = time.as_nanosecond().div_euclid(1_000_000_000);
        let second = i64::try_from(second).unwrap_or(FIRST).max(FIRST);
        Timestamp::from_second(second).unwrap_or(time)
    };
    let start = whole(published);
    (start, if updated > published { updated.max(start) } else { start })
}

/// Whether `html` shows the picture at `url`, whoever else links to it.
fn shows(html: &str, url: &str) -> bool {
    let url = escaped(url);
    ["src=\"", "poster=\"", "srcset=\""].iter().any(|attribute| {
        let shown = format!("{attribute}{url}");
        html.match_indices(&shown).any(|(at, _)| {
            matches!(html.as_bytes().get(at + shown.len()), Some(b'"' | b' ' | b','))
        })
    })
}

fn figure(image: &Attachment) -> String {
    let url = escaped(&image.url);
    let alternative = escaped(image.title.as_deref().unwrap_or_default());
    let size = image
        .size
        .map_or(String::new(), |(width, height)| format!(" width=\"{width}\" height=\"{height}\""));
    format!("<figure><img src=\"{url}\" alt=\"{alternative}\"{size}></figure>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
