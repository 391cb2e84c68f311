//! HTML, as fragments below front matter or as whole pages, to harmless HTML.

use std::borrow::Cow;

use crate::convert::Error;
use crate::convert::clean;
use crate::convert::digest::MORE;
use crate::convert::document::{Document, Source};
use crate::convert::front_matter;
use crate::convert::markdown;
use crate::convert::metadata::Metadata;
use crate::convert::page::{self, Page};
use crate::convert::page_head;
use crate::convert::sanitize;
use crate::convert::tags::{self, Scanner, Tag, Token};
use crate::convert::templates::{self, Dialect};

/// Elements in one another. Pages reach thirty.
const DEEPEST: usize = 100;

/// What one tag may hold. Only pictures written into the page need more.
const LONGEST_TAG: usize = 4 * 1024;

/// Elements whose end HTML implies, so that counting them would count paragraphs.
const IMPLIED: &[&str] = &[
    "p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "option", "optgroup",
    "colgroup", "rb", "rt", "rp", "rtc", "a", "html", "head", "body", "caption",
];

/// Tags in one document, about 200 bytes of memory each while it is read. An 8 MB page
/// of prose has a third as many.
const MOST_TAGS: usize = 600_000;

/// Reads HTML: a page, or a fragment below front matter.
///
/// # Errors
/// Where the front matter cannot be read, or it has more tags than memory is meant for.
pub fn read(source: &Source<'_>) -> Result<Document, Error> {
    let text = clean::decode(source.bytes, declared_charset(source.bytes).as_deref());
    let (fields, rest) = front_matter::split(&text)?;
    within(rest)?;
    let stated = Metadata::read(&fields, source.context)?;
    let mut properties = Metadata::default();
    let rendered = templates::rendered(rest, Dialect::Html, &fields);
    let html = match page::is_page(&rendered) {
        true => {
            let page = Page::new(&rendered);
            properties = page_head::read(&page, source.context);
            Cow::Owned(page.without_furniture(page.article()))
        }
        false => rendered,
    };
    let html = harmless(&with_more_marks(&html))?;
    Ok(Document { stated, properties, html, ..Document::default() })
}

/// Balanced, harmless HTML of what `html` says.
///
/// # Errors
/// Where it has more tags than memory is meant for.
pub fn harmless(html: &str) -> Result<String, Error> {
    within(html)?;
    Ok(sanitize::sanitized(&tidied(html)))
}

/// Whether `html` has at most as many tags as memory is meant for.
pub fn within(html: &str) -> Result<(), Error> {
    let found = html.bytes().filter(|&it| it == b'<').count();
    match found > MOST_TAGS {
        true => Err(Error::TooManyMarks { what: "tags", limit: MOST_TAGS, found }),
        false => Ok(()),
    }
}

/// Links that are never closed; more make the parser quadratic where tables are near.
const MOST_OPEN_LINKS: u32 = 500;

/// Text of an element beyond which its writer becomes quadratic in `&`.
const LONGEST_TEXT: usize = 32 * 1024;

/// `html` without what costs the parser more than its length (tags that stand in one
/// another too deep, tags of thousands of attributes; their text stays), and with the
/// two things that would be lost though they say something: what an `<iframe>` shows,
/// as a link, and pictures that a script would have loaded.
pub fn tidied(html: &str) -> Cow<'_, str> {
    let mut open: Vec<&str> = Vec::new();
    let mut open_links = 0_u32;
    let mut out: Option<String> = None;
    let mut scanner = Scanner::new(html);
    let mut from = 0;
    while let Some(token) = scanner.next() {
        let (start, end) = (from, scanner.at());
        from = end;
        let change = match token {
            Token::Start(tag) if tag.is("iframe") => Some(framed(&tag)),
            Token::Start(tag) if tag.is("img") => lazy_picture(&tag),
            Token::Start(tag) if tag.is("a") => {
                open_links += 1;
                (open_links > MOST_OPEN_LINKS || !is_sane(&tag)).then(String::new)
            }
            Token::Start(tag) => {
                let is_counted = is_counted(&tag);
                let is_kept = is_sane(&tag) && (!is_counted || open.len() < DEEPEST);
                if is_kept && is_counted {
                    open.push(tag.name);
                }
                (!is_kept).then(String::new)
            }
            Token::End(name) => {
                if name.eq_ignore_ascii_case("a") {
                    open_links = open_links.saturating_sub(1);
                }
                if let Some(at) = open.iter().rposition(|it| it.eq_ignore_ascii_case(name)) {
                    open.truncate(at);
                }
                None
            }
            Token::Text(text) if text.len() > LONGEST_TEXT => Some(parted(text)),
            _ => None,
        };
        match (change, &mut out) {
            (None, Some(out)) => out.push_str(&html[start..end]),
            (None, None) => {}
            (Some(change), Some(out)) => out.push_str(&change),
            (Some(change), none) => *none = Some(format!("{}{change}", &html[..start])),
        }
    }
    out.map_or(Cow::Borrowed(html), Cow::Owned)
}

/// The charset that an HTML or XHTML file declares in its first 1024 bytes (HTML
/// standard, 13.2.3.2).
pub fn declared_charset(bytes: &[u8]) -> Option<String> {
    let start: String =
        bytes.iter().take(1024).map(|&it| char::from(it).to_ascii_lowercase()).collect();
    let after = ["charset", "encoding"].iter().find_map(|it| start.split_once(it))?.1;
    let value = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end =
        value.find(|it: char| !(it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | ':' | '.')));
    let label = &value[..end.unwrap_or(value.len())];
    (!label.is_empty()).then(|| label.to_owned())
}

/// `html` with [`MORE`] where a comment marks the end of the summary.
pub fn with_more_marks(html: &str) -> Cow<'_, str> {
    let mut marked = None;
    let mut from = 0;
    while let Some(start) = html[from..].find("<!--").map(|it| it + from)
        && let Some(length) = html[start..].find("-->")
    {
        from = start + length + 3;
        if markdown::is_more(&html[start..from], None) {
            marked = Some((start, from));
            break;
        }
    }
    match marked {
        Some((start, end)) => Cow::Owned(format!("{}{MORE}{}", &html[..start], &html[end..])),
        None => Cow::Borrowed(html),
    }
}

/// A link to what a frame shows; its start tag stays, so that its content goes with it.
fn framed(tag: &Tag<'_>) -> String {
    let source = ["src", "data-src"].iter().find_map(|it| tag.get(it).filter(|it| !it.is_empty()));
    let Some(source) = source.filter(|it| it.len() < LONGEST_TAG) else { return "<iframe>".into() };
    let source =
        if source.starts_with("//") { format!("https:{source}") } else { source.into_owned() };
    if !source.starts_with("http://") && !source.starts_with("https://") {
        return "<iframe>".into();
    }
    let url = [
        ("youtube.com/embed/", "https://www.youtube.com/watch?v="),
        ("youtube-nocookie.com/embed/", "https://www.youtube.com/watch?v="),
        ("player.vimeo.com/video/", "https://vimeo.com/"),
    ]
    .iter()
    .find_map(|(embedded, page)| {
        let id = source.split_once(embedded)?.1;
        let id = id.split(['?', '&', '/', '#']).next().unwrap_or_default();
        Some(format!("{page}{id}"))
    });
    let url = tags::escaped(&url.unwrap_or(source));
    format!("<p><a href=\"{url}\">{url}</a></p><iframe>")
}

/// A picture whose address waits for a script in `data-src`.
fn lazy_picture(tag: &Tag<'_>) -> Option<String> {
    if !is_sane(tag) {
        return Some(String::new());
    }
    if !tag.inside.contains("data-") {
        return None;
    }
    let names = ["data-src", "data-original", "data-lazy-src", "data-orig-file"];
    let source = names.iter().find_map(|it| tag.get(it).filter(|it| !it.is_empty()))?;
    let placeholder = tag.get("src").unwrap_or_default();
    let waits = placeholder.is_empty()
        || placeholder.starts_with("data:")
        || ["blank.", "placeholder", "lazy", "spacer", "loading", "1x1"]
            .iter()
            .any(|it| placeholder.contains(it));
    let alt = tag.get("alt").unwrap_or_default();
    waits.then(|| {
        format!("<img src=\"{}\" alt=\"{}\">", tags::escaped(&source), tags::escaped(&alt))
    })
}

/// `text` with empty comments in it, which the sanitiser takes out again: they part the
/// text into pieces that are written one by one.
fn parted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / LONGEST_TEXT * 8);
    let mut rest = text;
    while rest.len() > LONGEST_TEXT {
        let near = rest.floor_char_boundary(LONGEST_TEXT);
        // Not within a character reference; none is that long.
        let from = rest.floor_char_boundary(near.saturating_sub(40));
        let to = rest[from..near].rfind('&').map_or(near, |it| from + it);
        let (piece, after) = rest.split_at(if to > 0 { to } else { near });
        out.push_str(piece);
        out.push_str("<!---->");
        rest = after;
    }
    out.push_str(rest);
    out
}

fn is_counted(tag: &Tag<'_>) -> bool {
    !tag.is_void() && !IMPLIED.iter().any(|it| tag.is(it))
}

fn is_sane(tag: &Tag<'_>) -> bool {
    tag.inside.len() < LONGEST_TAG || (tag.is("img") && tag.attributes().count() < 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidying() {
        let table = [
            ("<p>a<p>b", "<p>a<p>b", "as it is"),
            (
                "<iframe src=\"https://www.youtube.com/embed/x1?a=b\"></iframe>",
                "<p><a href=\"https://www.youtube.com/watch?v=x1\">https://www.youtube.com/watch?v=x1</a></p><iframe></iframe>",
                "a video in a frame is a link to it",
            ),
            ("<iframe src=\"javascript:x\"></iframe>", "<iframe></iframe>", "other frames go"),
            (
                "<img src=\"data:x\" data-src=\"a.png\" alt=\"b\">",
                "<img src=\"a.png\" alt=\"b\">",
                "a picture that waits for a script",
            ),
            (
                "<img src=\"a.png\" data-src=\"b.png\">",
                "<img src=\"a.png\" data-src=\"b.png\">",
                "one that does not",
            ),
        ];
        for (html, expected, why) in table {
            assert_eq!(tidied(html), expected, "{why}");
        }
    }

    #[test]
    fn what_would_be_quadratic_is_cut() {
        let deep = "<div>".repeat(5_000) + "x";
        assert_eq!(tidied(&deep), "<div>".repeat(DEEPEST) + "x");
        let wide = format!("<b {}>x", "a=1 ".repeat(5_000));
        assert_eq!(tidied(&wide), "x");
        let text = "&amp;".repeat(20_000);
        assert_eq!(tidied(&text).replace("<!---->", ""), text, "parted, nothing lost");
        assert_eq!(tidied(&text).matches("&amp;<!---->&amp;").count(), 3, "between references");
        let paragraphs = "<p><li>".repeat(5_000);
        assert_eq!(tidied(&paragraphs), paragraphs, "ends that are implied do not nest");
    }
}
