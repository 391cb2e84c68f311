//! The page for people of a scope: its newest articles, and how to subscribe.

use crate::feed::page::{Feed, Item};
use crate::render::html::{self, Head, Html};
use crate::render::xml;

/// So many articles the page shows; all others are in the archives.
const SHOWN: usize = 50;

/// So many characters of a summary it shows, and then up to the end of the word.
const SUMMARY: usize = 280;

pub fn document(feed: &Feed) -> String {
    let language = feed.language.as_deref();
    let head = Head {
        title: &feed.title,
        description: &feed.description,
        canonical: &feed.home,
        language,
    };
    let mut html = html::open(feed, &head, 1024 * feed.items.len().min(SHOWN));
    html.meta("property", "og:type", "website");
    html::body(&mut html);
    html.raw("<div class=\"h-feed\">\n<header>\n<h1 class=\"p-name\">").text(&feed.title);
    html.raw("</h1>\n");
    if xml::line(&feed.description) != xml::line(&feed.title) {
        html.raw("<p class=\"subtitle\">").text(&feed.description).raw("</p>\n");
    }
    html.raw("<p class=\"to-subscribe\"><a href=\"#subscribe\"").language(Some("en"), language);
    html.raw(">Subscribe</a></p>\n</header>\n<main>\n");
    for item in feed.items.iter().take(SHOWN) {
        article(&mut html, feed, item);
    }
    if feed.items.is_empty() {
        html.raw("<p class=\"empty\"").language(Some("en"), language);
        html.raw(">Nothing has been published here yet.</p>\n");
    }
    html.raw("</main>\n</div>\n");
    html::close(html, feed, language, true)
}

fn article(html: &mut Html, feed: &Feed, item: &Item) {
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
