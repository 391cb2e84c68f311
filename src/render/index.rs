//! The page for people of a scope: its newest articles, and how to subscribe; and
//! the pages of its older ones, which are its archive pages (RFC 5005, section 4).

use crate::catalog::entry::Part;
use crate::catalog::scope::Scope;
use crate::feed::page::{Feed, Item};
use crate::render::html::{self, Head, Html};
use crate::render::linked_data;
use crate::render::xml;

/// So many characters of a summary it shows, and then up to the end of the word.
const SUMMARY: usize = 280;

pub fn document(feed: &Feed) -> String {
    let language = feed.language.as_deref();
    let is_current = feed.part == Part::Current;
    let url = feed.page_url(feed.part);
    let title = match feed.part {
        Part::Current => feed.title.clone(),
        Part::Archive(number) => format!("{} ({number})", feed.title),
    };
    let head = Head { title: &title, description: &feed.description, canonical: &url, language };
    let mut html = html::open(feed, &head, 1024 * feed.items.len());
    html.meta("property", "og:type", "website");
    if let Some(image) = &feed.image {
        html.meta("property", "og:image", image);
    }
    for (rel, part) in [("prev", newer(feed)), ("next", feed.older.map(Part::Archive))] {
        if let Some(part) = part {
            html.raw("<link").attribute("rel", rel).attribute("href", &feed.page_url(part));
            html.raw(">\n");
        }
    }
    linked_data::scope(&mut html, feed, &url);
    html::body(&mut html);
    if feed.scope != Scope::Site || !is_current {
        html::site(&mut html, feed, language);
    }
    html.raw("<main class=\"h-feed\">\n<header>\n<h1 class=\"p-name\">").text(&title);
    html.raw("</h1>\n<a class=\"u-url\" hidden=\"hidden\"").attribute("href", &url).raw("></a>\n");
    if xml::line(&feed.description) != xml::line(&feed.title) {
        html.raw("<p class=\"subtitle\">").text(&feed.description).raw("</p>\n");
    }
    html.raw("<p class=\"to-subscribe\"><a href=\"#subscribe\"").language(Some("en"), language);
    html.raw(">Subscribe</a></p>\n");
    if feed.scope == Scope::Site && is_current {
        html::ways(&mut html, feed, language);
    }
    sections(&mut html, feed, language);
    html.raw("</header>\n<div class=\"entries\">\n");
    for item in &feed.items {
        article(&mut html, feed, item);
    }
    if feed.items.is_empty() {
        html.raw("<p class=\"empty\"").language(Some("en"), language);
        html.raw(">Nothing has been published here yet.</p>\n");
    }
    turns(&mut html, feed, language);
    html.raw("</div>\n</main>\n");
    html::close(html, feed, language, true)
}

/// The folders below.
fn sections(html: &mut Html, feed: &Feed, language: Option<&str>) {
    if feed.sections.is_empty() {
        return;
    }
    html.raw("<nav aria-label=\"Folders\"").language(Some("en"), language);
    html.raw(">\n<ul class=\"names\">\n");
    for section in &feed.sections {
        html.raw("<li><a dir=\"auto\"").attribute("href", &section.url).raw(">");
        html.text(&section.label).raw("</a> <span>").text(&section.entries.to_string());
        html.raw("</span></li>\n");
    }
    html.raw("</ul>\n</nav>\n");
}

fn newer(feed: &Feed) -> Option<Part> {
    match (feed.part, feed.newer) {
        (Part::Current, _) => None,
        (Part::Archive(_), Some(newer)) => Some(Part::Archive(newer)),
        (Part::Archive(_), None) => Some(Part::Current),
    }
}

/// Ways to the pages of newer and older articles.
fn turns(html: &mut Html, feed: &Feed, language: Option<&str>) {
    let (newer, older) = (newer(feed), feed.older.map(Part::Archive));
    if newer.is_none() && older.is_none() {
        return;
    }
    html.raw("<nav class=\"turns\" aria-label=\"Pages\"").language(Some("en"), language).raw(">\n");
    for (rel, part, text) in [("prev", newer, "Newer articles"), ("next", older, "Older articles")]
    {
        if let Some(part) = part {
            html.raw("<a").attribute("rel", rel).attribute("href", &feed.page_url(part));
            html.raw(">").raw(text).raw("</a>\n");
        }
    }
    html.raw("</nav>\n");
}

pub fn article(html: &mut Html, feed: &Feed, item: &Item) {
    let around = feed.language.as_deref();
    let language = item.language.as_deref();
    html.raw("<article class=\"h-entry\"").language(language, around).raw(">\n");
    if let Some(image) = item.image.as_ref().filter(|it| it.media_type.starts_with("image/")) {
        let (width, height) = image.size.unzip();
        html.raw("<img class=\"thumbnail\"").attribute("src", &image.url).raw(" alt=\"\"");
        html.attribute_of("width", width).attribute_of("height", height);
        html.raw(" loading=\"lazy\">\n");
    }
    html.raw("<h2><a class=\"u-url p-name\"").attribute("href", &item.url).raw(">");
    html.text(&item.title).raw("</a></h2>\n<p class=\"byline\">");
    html.time("dt-published", item.published, language.or(around));
    for author in &item.authors {
        html.raw(" \u{b7} <span class=\"p-author\">").text(&author.name).raw("</span>");
    }
    html.raw("</p>\n");
    let (text, is_cut) = match &item.subtitle {
        Some(subtitle) => (subtitle.as_str(), false),
        None => shortened(&item.summary),
    };
    if !xml::line(text).is_empty() {
        html.raw("<p class=\"p-summary\">").text(text).raw(if is_cut { "\u{2026}" } else { "" });
        html.raw("</p>\n");
    }
    html.raw("</article>\n");
}

/// The beginning of `text`, and whether that is not all of it.
fn shortened(text: &str) -> (&str, bool) {
    let Some((at, _)) = text.char_indices().nth(SUMMARY) else { return (text, false) };
    // Scripts without blanks have no end of a word near.
    let end = text[at..].char_indices().take(30).find(|(_, it)| it.is_whitespace());
    let end = end.map_or(at, |(offset, _)| at + offset);
    (text[..end].trim_end_matches(|it: char| it.is_whitespace() || ".,;:".contains(it)), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_end_with_a_word() {
        let words = "word ".repeat(100);
        let (text, is_cut) = shortened(&words);
        assert!(is_cut && text.ends_with("word") && text.len() <= SUMMARY + 30);
        let unbroken = "\u{d55c}".repeat(1000);
        let (text, is_cut) = shortened(&unbroken);
        assert!(is_cut);
        assert_eq!(text.chars().count(), SUMMARY, "no blank is near");
        assert_eq!(shortened("short."), ("short.", false));
        assert!(!shortened(&"a".repeat(SUMMARY)).1, "just fits");
    }
}
