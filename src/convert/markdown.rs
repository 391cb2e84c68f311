//! Markdown in its dialects to harmless HTML.
//!
//! In: text below the front matter, template tags taken out. Out: balanced HTML that
//! `holes` finishes. Where the text holds no HTML of its own, `comrak` writes only what
//! is safe, and the sanitiser, three times as dear, is not asked.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use comrak::adapters::{HeadingAdapter, HeadingMeta};
use comrak::nodes::{NodeValue, Sourcepos};
use comrak::options::Plugins;
use comrak::{Anchorizer, Arena, Node, Options, parse_document};

use crate::convert::Error;
use crate::convert::clean;
use crate::convert::digest::MORE;
use crate::convert::document::{Document, Source, Top, line_of, top};
use crate::convert::html;
use crate::convert::plain;
use crate::convert::sanitize;
use crate::convert::tags::unescape;
use crate::convert::templates::{self, Dialect};

/// Blocks and inlines in one another. People reach ten.
const DEEPEST: usize = 100;

/// Signs that may begin something, up to 350 bytes of memory each while a text is read.
const MOST_MARKS: usize = 700_000;

const IS_MARK: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"\n*_[]<>&`!|~=$\\";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// Reads a text in Markdown.
///
/// # Errors
/// Where the fields above it cannot be read, or it holds more than anybody means.
pub fn read(source: &Source<'_>) -> Result<Document, Error> {
    let text = clean::decode(source.bytes, None);
    let Top { fields, stated, headers, rest } = top(&text, source.context)?;
    let first_line = line_of(&text, rest);
    let rest = plain::without_last_lines(rest, &source.options.strip);
    let rendered = templates::rendered(rest, Dialect::Markdown, &fields);
    let separator = stated.separator.as_deref().or(headers.separator.as_deref());
    let html = to_html(&rendered, first_line, separator)?;
    Ok(Document { stated, headers, html, ..Document::default() })
}

/// The HTML of `text`. `first_line` is where it begins in its file, for messages;
/// `separator` ends the summary beside the common marks.
///
/// # Errors
/// Where quotations or lists stand in one another deeper than anybody means.
pub fn to_html(text: &str, first_line: u32, separator: Option<&str>) -> Result<String, Error> {
    if let Some(line) = text.lines().position(is_too_deep) {
        return Err(Error::TooDeep { line: first_line + u32::try_from(line).unwrap_or(0) });
    }
    let marks = text.bytes().filter(|&it| IS_MARK[usize::from(it)]).count();
    if marks > MOST_MARKS {
        return Err(Error::TooManyMarks { what: "marks", limit: MOST_MARKS, found: marks });
    }
    let arena = Arena::new();
    let mut options = options();
    // Looking for the ends of inline notes is quadratic in their signs.
    options.extension.inline_footnotes =
        memchr::memmem::find_iter(text.as_bytes(), "^[").take(1000).count() < 1000;
    let root = parse_document(&arena, text, &options);

    let mut has_html = false;
    let mut dropped = Vec::new();
    let mut anchors = Anchorizer::new();
    let mut ids = VecDeque::new();
    let mut depth = 0_usize;
    for edge in root.traverse() {
        let node = match edge {
            comrak::arena_tree::NodeEdge::Start(node) => node,
            comrak::arena_tree::NodeEdge::End(_) => {
                depth -= 1;
                continue;
            }
        };
        depth += 1;
        if depth > DEEPEST {
            let line = u32::try_from(node.data().sourcepos.start.line).unwrap_or(1);
            return Err(Error::TooDeep { line: first_line + line.saturating_sub(1) });
        }
        let heading = matches!(node.data().value, NodeValue::Heading(_));
        if heading {
            let stated = node.last_child().and_then(take_heading_id);
            ids.push_back(stated.unwrap_or_else(|| anchors.anchorize(&node.collect_text())));
            continue;
        }
        decode_address(node);
        let is_alone = is_alone(node);
        let value = &mut node.data_mut().value;
        let literal = match value {
            NodeValue::HtmlBlock(block) => &block.literal,
            NodeValue::HtmlInline(literal) => literal,
            // Math is text for whoever reads it: as typed, signs and all.
            NodeValue::Math(math) => {
                let sign = match (math.dollar_math, math.display_math) {
                    (true, true) => "$$",
                    (true, false) => "$",
                    (false, _) => "`",
                };
                *value = NodeValue::Text(format!("{sign}{}{sign}", math.literal).into());
                continue;
            }
            _ => continue,
        };
        match is_comment(literal) {
            false if is_alone => dropped.push(node),
            false => has_html = true,
            true if is_more(literal, separator) => *value = NodeValue::Raw(MORE.to_string()),
            true => dropped.push(node),
        }
    }
    for node in dropped {
        node.detach();
    }

    options.render.r#unsafe = has_html;
    let headings = Headings { ids: Mutex::new(ids) };
    let mut plugins = Plugins::default();
    plugins.render.heading_adapter = Some(&headings);
    let mut html = String::with_capacity(text.len() * 3 / 2);
    // Writing to a string cannot fail; a formatter that gives up has written what it could.
    let _ = comrak::format_html_with_plugins(root, &options, &mut html, &plugins);
    if html.len() > most_output(text.len()) {
        return Err(Error::TooMuchOutput { limit: most_output(text.len()) });
    }
    Ok(match has_html {
        true => html::harmless(&html)?,
        false => html,
    })
}

/// A short text may come out many times as long (80 KB of `[^a]` make 5 MB).
fn most_output(length: usize) -> usize {
    (length * 20).max(64 * 1024).min(length * 4 + (8 << 20))
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.strikethrough = true;
    extension.table = true;
    extension.autolink = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.description_lists = true;
    extension.alerts = true;
    extension.math_dollars = true;
    extension.highlight = true;
    extension.ofm_comments = true;
    extension.cjk_friendly_emphasis = true;
    options
}

/// Containers that one line opens: `> > > >`, `- - - -`.
fn is_too_deep(line: &str) -> bool {
    let bytes = line.as_bytes();
    let mut opened = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'>' => opened += 1,
            b'-' | b'+' | b'*' if matches!(bytes.get(at + 1), Some(b' ' | b'\t')) => opened += 1,
            b' ' | b'\t' => {}
            _ => break,
        }
    }
    opened > DEEPEST && !line.trim().bytes().all(|it| matches!(it, b'-' | b'*' | b' '))
}

/// Elements that show their content elsewhere, or not at all, and so hide all that
/// follows where nothing ends them: `a Map<Object> is read` means no element.
const HIDING: &[&str] = &[
    "object", "applet", "select", "button", "template", "datalist", "canvas", "title", "textarea",
    "noembed", "noframes", "xmp", "iframe", "svg",
];

/// Whether a tag in running text opens such an element, and the text does not end it.
fn is_alone<'a>(node: Node<'a>) -> bool {
    let data = node.data();
    let NodeValue::HtmlInline(literal) = &data.value else { return false };
    let tag = literal.to_ascii_lowercase();
    let name = tag.trim_start_matches('<');
    let Some(name) = HIDING.iter().find(|it| {
        name.strip_prefix(**it)
            .is_some_and(|rest| !rest.starts_with(|it: char| it.is_alphanumeric()))
    }) else {
        return false;
    };
    let ends = |it: Node<'a>| match &it.data().value {
        NodeValue::HtmlInline(other) => {
            other.strip_prefix("</").is_some_and(|it| it.to_ascii_lowercase().starts_with(name))
        }
        _ => false,
    };
    !tag.ends_with("/>") && !node.following_siblings().skip(1).take(FAR).any(ends)
}

/// Pieces of a paragraph that an element in it may span.
const FAR: usize = 64;

/// `comrak` links addresses in running text as they are typed, `&amp;` and all. The last
/// reference is the sentence's, with the semicolon that stands behind the link.
fn decode_address<'a>(node: Node<'a>) {
    let Some(shown) = node.first_child().filter(|it| it.next_sibling().is_none()) else { return };
    let mut data = node.data_mut();
    let mut child = shown.data_mut();
    let (NodeValue::Link(link), NodeValue::Text(text)) = (&mut data.value, &mut child.value) else {
        return;
    };
    if !text.contains('&')
        || link.url.trim_start_matches("http://") != text.trim_start_matches("http://")
    {
        return;
    }
    let last = text.rfind('&').unwrap_or(text.len());
    if let Some(next) = node.next_sibling()
        && let NodeValue::Text(after) = &mut next.data_mut().value
        && after.starts_with(';')
        && text[last..].bytes().skip(1).all(|it| it == b'#' || it.is_ascii_alphanumeric())
    {
        *after = unescape(&format!("{}{after}", &text[last..])).into_owned().into();
        link.url.truncate(link.url.len() - (text.len() - last));
        *text = text[..last].to_owned().into();
    }
    // Names without a semicolon, such as `&copy=1`, are the address's own.
    let decoded = |it: &str| match it.replace("&amp;", "&") {
        it if it.contains("&#") => unescape(&it).into_owned(),
        it => it,
    };
    link.url = decoded(&link.url);
    *text = decoded(text).into();
}

/// Whether an HTML block or inline says nothing but comments.
fn is_comment(literal: &str) -> bool {
    let mut rest = literal.trim();
    while let Some(comment) = rest.strip_prefix("<!--") {
        match comment.split_once("-->") {
            Some((_, after)) => rest = after.trim_start(),
            None => return true,
        }
    }
    rest.is_empty()
}

/// The marks that generators end a summary with.
pub fn is_more(comment: &str, separator: Option<&str>) -> bool {
    if separator.is_some_and(|it| it.trim() == comment.trim()) {
        return true;
    }
    let inside = comment.trim().trim_start_matches("<!--").trim_end_matches("-->");
    let name = inside.trim().trim_matches('-').trim().to_ascii_lowercase();
    matches!(
        name.as_str(),
        "more"
            | "excerpt"
            | "excerpt-end"
            | "endexcerpt"
            | "end-excerpt"
            | "end excerpt"
            | "truncate"
            | "pelican_end_summary"
            | "readmore"
            | "read more"
            | "summary-end"
            | "break"
    )
}

/// `{#id}` or `{#id .class}` at the end of a heading, taken out of its text.
fn take_heading_id<'a>(last: comrak::Node<'a>) -> Option<String> {
    let mut data = last.data_mut();
    let NodeValue::Text(text) = &mut data.value else { return None };
    let inside_to = text.trim_end().strip_suffix('}')?.len();
    let open = text[..inside_to].rfind('{')?;
    let inside = text[open + 1..inside_to].trim().trim_start_matches(':').trim();
    let words: Vec<&str> = inside.split_whitespace().collect();
    if words.is_empty() || !words.iter().all(|it| it.starts_with(['#', '.']) || it.contains('=')) {
        return None;
    }
    let id = words.iter().find_map(|it| it.strip_prefix('#')).map(str::to_owned);
    let kept = text[..open].trim_end().to_owned();
    *text = kept.into();
    id.filter(|it| !it.is_empty())
}

/// Writes headings with the ids that were made in the order of the document.
struct Headings {
    ids: Mutex<VecDeque<String>>,
}

impl HeadingAdapter for Headings {
    fn enter(
        &self,
        output: &mut dyn fmt::Write,
        heading: &HeadingMeta,
        _: Option<Sourcepos>,
    ) -> fmt::Result {
        let id = self.ids.lock().ok().and_then(|mut ids| ids.pop_front()).unwrap_or_default();
        write!(output, "<h{}", heading.level)?;
        if !id.is_empty() {
            output.write_str(" id=\"")?;
            comrak::html::escape(output, &id)?;
            output.write_str("\"")?;
        }
        output.write_str(">")
    }

    fn exit(&self, output: &mut dyn fmt::Write, heading: &HeadingMeta) -> fmt::Result {
        writeln!(output, "</h{}>", heading.level)
    }
}

/// A line of Markdown, such as a stated summary, as plain text.
pub fn plain(text: &str) -> String {
    if !text.contains(['*', '_', '`', '[', '<', '&', '\\', '#', '>', '~']) {
        return text.to_owned();
    }
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.strikethrough = true;
    let root = parse_document(&arena, text, &options);
    let mut out = String::with_capacity(text.len());
    for node in root.descendants() {
        match &node.data().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::CodeBlock(block) => out.push_str(&block.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push(' '),
            NodeValue::HtmlBlock(block) => out.push_str(&sanitize::text_of(&block.literal)),
            value if value.block() && !out.is_empty() => out.push(' '),
            _ => {}
        }
    }
    out
}
