//! The page of one article.

use crate::feed::page::{Attachment, Feed, Item};
use crate::render::html::{self, Head, Html};
use crate::render::linked_data;
use crate::render::xml;

pub fn document(feed: &Feed, item: &Item) -> String {
    let language = item.language.as_deref().or(feed.language.as_deref());
    let description = match (xml::line(&item.summary).is_empty(), &item.subtitle) {
        (true, Some(subtitle)) => subtitle,
        _ => &item.summary,
    };
    let head = Head { title: &item.title, description, canonical: &item.url, language };
    let mut html = html::open(feed, &head, item.html.len());
    properties(&mut html, feed, item);
    for translation in &item.translations {
        html.raw("<link rel=\"alternate\"").attribute("hreflang", &translation.language);
        html.attribute("href", &translation.url).raw(">\n");
    }
    if let (false, Some(own)) = (item.translations.is_empty(), &item.language) {
        // Each of them names all, itself among them.
        html.raw("<link rel=\"alternate\"").attribute("hreflang", own);
        html.attribute("href", &item.url).raw(">\n");
    }
    linked_data::article(&mut html, feed, item);
    html::body(&mut html);
    html::site(&mut html, feed, language);
    html.raw("<main>\n<article class=\"h-entry\">\n<header>\n<h1 class=\"p-name\">");
    html.text(&item.title).raw("</h1>\n");
    if let Some(subtitle) = &item.subtitle {
        html.raw("<p class=\"subtitle\" role=\"doc-subtitle\">").text(subtitle).raw("</p>\n");
    }
    byline(&mut html, item, language);
    html.raw("</header>\n<div class=\"e-content\">\n").raw(&reachable(&xml::text(&item.html)));
    html.raw("\n</div>\n");
    attachments(&mut html, item);
    translations(&mut html, item, language);
    about(&mut html, item, language);
    tags(&mut html, item);
    html.raw("</article>\n</main>\n");
    html::close(html, feed, language, false)
}

/// OpenGraph (ogp.me) of an article.
fn properties(html: &mut Html, feed: &Feed, item: &Item) {
    html.meta("property", "og:type", "article");
    html.meta("property", "article:published_time", &item.published.to_string());
    if item.updated > item.published {
        html.meta("property", "article:modified_time", &item.updated.to_string());
    }
    for author in &item.authors {
        html.meta("name", "author", &author.name);
    }
    for tag in &item.tags {
        html.meta("property", "article:tag", &tag.label);
    }
    let Some(image) = &item.image else {
        if let Some(image) = &feed.image {
            html.meta("property", "og:image", image);
        }
        return;
    };
    html.meta("property", "og:image", &image.url);
    if let Some((width, height)) = image.size {
        html.meta("property", "og:image:width", &width.to_string());
        html.meta("property", "og:image:height", &height.to_string());
    }
    html.meta("property", "og:image:alt", image.title.as_deref().unwrap_or_default());
    html.meta("name", "twitter:card", "summary_large_image");
}

fn byline(html: &mut Html, item: &Item, language: Option<&str>) {
    html.raw("<p class=\"byline\"><a class=\"u-url\"").attribute("href", &item.url).raw(">");
    html.time("dt-published", item.published, language).raw("</a>");
    for author in &item.authors {
        html.raw(" \u{b7} <span class=\"p-author h-card\">");
        match &author.uri {
            Some(uri) => {
                html.raw("<a class=\"p-name u-url\" rel=\"author\"").attribute("href", uri);
                html.raw(">").text(&author.name).raw("</a>");
            }
            None => {
                html.raw("<span class=\"p-name\">").text(&author.name).raw("</span>");
            }
        }
        html.raw("</span>");
    }
    if let Some(minutes) = item.reading_minutes() {
        html.raw(" \u{b7} <span class=\"length\"").language(Some("en"), language);
        html.raw(">").raw(&minutes.to_string()).raw(" min</span>");
    }
    if item.updated > item.published {
        html.raw(" \u{b7} <span class=\"updated\"").language(Some("en"), language).raw(">updated ");
        html.time("dt-updated", item.updated, language).raw("</span>");
    }
    html.raw("</p>\n");
}

/// A body for those who have no mouse or no eyes: what may be wider than the page can be
/// scrolled by keys, and the boxes of a list of tasks have a name.
///
/// Without quotation marks, since a value of an attribute may hold what looks like a tag:
/// there it stays harmless.
fn reachable(body: &str) -> String {
    let mut reachable = String::with_capacity(body.len() + body.len() / 32);
    let mut done = 0;
    for (at, _) in body.match_indices('<') {
        let rest = &body[at + 1..];
        let end = rest.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let attribute = match &rest[..end] {
            "pre" | "table" => " tabindex=0",
            "input" => " aria-label=\u{2610}",
            _ => continue,
        };
        reachable.push_str(&body[done..at + 1 + end]);
        reachable.push_str(attribute);
        done = at + 1 + end;
    }
    reachable.push_str(&body[done..]);
    reachable
}

fn attachments(html: &mut Html, item: &Item) {
    if item.enclosures.is_empty() {
        return;
    }
    html.raw("<ul class=\"attachments\">\n");
    for attachment in &item.enclosures {
        html.raw("<li>");
        let kind = attachment.media_type.split('/').next().unwrap_or_default();
        if matches!(kind, "audio" | "video") {
            html.raw("<").raw(kind).raw(" controls preload=\"none\"");
            html.attribute("src", &attachment.url).attribute("aria-label", label(attachment));
            html.raw("></").raw(kind).raw(">\n");
        }
        html.raw("<a class=\"u-enclosure\"").attribute("href", &attachment.url);
        html.attribute("type", &attachment.media_type).raw(">").text(label(attachment));
        html.raw("</a> <span>").text(&facts(attachment)).raw("</span></li>\n");
    }
    html.raw("</ul>\n");
}

/// The title, else the file's name.
fn label(attachment: &Attachment) -> &str {
    let title = attachment.title.as_deref().filter(|it| !xml::line(it).is_empty());
    title.unwrap_or_else(|| {
        let path = attachment.url.split(['?', '#']).next().unwrap_or(&attachment.url);
        path.rsplit('/').find(|it| !it.is_empty()).unwrap_or(path)
    })
}

/// `audio/mpeg, 12.3 MB, 41:07`, as far as they are known.
fn facts(attachment: &Attachment) -> String {
    let mut facts = attachment.media_type.clone();
    if let Some(length) = attachment.length {
        facts += &match length {
            0..1000 => format!(", {length} B"),
            1000..1_000_000 => format!(", {} KB", length / 1000),
            _ => format!(", {}.{} MB", length / 1_000_000, length / 100_000 % 10),
        };
    }
    if let Some(duration) = attachment.duration {
        let (hours, minutes, seconds) = (duration / 3600, duration / 60 % 60, duration % 60);
        facts += &match hours {
            0 => format!(", {minutes}:{seconds:02}"),
            _ => format!(", {hours}:{minutes:02}:{seconds:02}"),
        };
    }
    facts
}

fn about(html: &mut Html, item: &Item, language: Option<&str>) {
    for url in &item.replies_to {
        relation(html, ("In reply to", "u-in-reply-to"), url, language);
    }
    for url in item.link.iter() {
        relation(html, ("About", "u-bookmark-of"), url, language);
    }
    for url in item.source.iter().map(|it| &it.url) {
        relation(html, ("First published at", "u-repost-of"), url, language);
    }
    for url in &item.via {
        relation(html, ("Found by way of", "u-via"), url, language);
    }
    let Some(rights) = &item.rights else { return };
    match item.rights_url() {
        Some(url) => {
            html.raw("<p class=\"about\"").language(Some("en"), language);
            html.raw(">Licence: <a rel=\"license\"").attribute("href", url).raw(">").text(url);
            html.raw("</a></p>\n");
        }
        None => {
            html.raw("<p class=\"about\" dir=\"auto\">").text(rights).raw("</p>\n");
        }
    }
}

fn translations(html: &mut Html, item: &Item, language: Option<&str>) {
    if item.translations.is_empty() {
        return;
    }
    html.raw("<p class=\"about\"").language(Some("en"), language).raw(">Also in:");
    for translation in &item.translations {
        html.raw(" <a class=\"u-translation\" rel=\"alternate\"");
        html.attribute("hreflang", &translation.language).attribute("href", &translation.url);
        html.raw(">").text(&translation.language).raw("</a>");
    }
    html.raw("</p>\n");
}

/// A line that says how the article stands to pages elsewhere.
fn relation(html: &mut Html, (words, class): (&str, &str), url: &str, language: Option<&str>) {
    html.raw("<p class=\"about\"").language(Some("en"), language).raw(">").raw(words);
    html.raw(": <a").attribute("class", class).attribute("href", url).raw(">").text(url);
    html.raw("</a></p>\n");
}

fn tags(html: &mut Html, item: &Item) {
    if item.tags.is_empty() {
        return;
    }
    html.raw("<ul class=\"tags\">\n");
    for tag in &item.tags {
        html.raw("<li><a class=\"p-category\" rel=\"tag\"").attribute("href", &tag.url).raw(">");
        html.text(&tag.label).raw("</a></li>\n");
    }
    html.raw("</ul>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_for_keys_and_readers_aloud() {
        let table = [
            ("<pre>a</pre>", "<pre tabindex=0>a</pre>", "code may be wide"),
            ("<pre lang=\"c\">a</pre>", "<pre tabindex=0 lang=\"c\">a</pre>", ""),
            ("<table><tr></tr></table>", "<table tabindex=0><tr></tr></table>", "tables may"),
            (
                "<input type=\"checkbox\">",
                "<input aria-label=\u{2610} type=\"checkbox\">",
                "fields need a name",
            ),
            ("<p>&lt;pre&gt; a &lt; b</p>", "<p>&lt;pre&gt; a &lt; b</p>", "text is no tag"),
            ("<prefix><b>a</b>", "<prefix><b>a</b>", "another name"),
            ("</pre></table>", "</pre></table>", "ends"),
            (
                "<b title=\"<pre><b>\">a</b>",
                "<b title=\"<pre tabindex=0><b>\">a</b>",
                "in a value: no quotation mark may end it",
            ),
            ("<pre", "<pre tabindex=0", "the end of the text"),
        ];
        for (body, expected, why) in table {
            assert_eq!(reachable(body), expected, "{why}");
        }
    }
}
