//! Template tags out of a text: what their generator would have made of them where
//! that is plain, else nothing. Never printed raw.
//!
//! In: Markdown or HTML as sites of Jekyll, Hugo, Zola, Eleventy and Obsidian hold it.
//! Out: the same without Liquid, Nunjucks, Tera and Hugo tags, attribute lists and
//! wikilinks. Code is no template: fenced, indented and inline code, `<pre>` and
//! `<code>` keep every character; so do mathematics and comments.
//!
//! What a shortcode becomes is a row in `shortcodes`.

mod hugo;
mod liquid;

use std::borrow::Cow;
use std::collections::HashMap;

use crate::convert::dialects::{
    Lines, asks_for_markdown, attribute_list, blank_address, callout, code_span, contents_mark,
    is_text_behind, kramdown_extension, mathematics, start, wikilink,
};
use crate::convert::front_matter::Fields;
use crate::convert::shortcodes::{self, Call};

/// Which text surrounds the tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Markdown,
    Html,
}

/// `text` with its tags carried out or taken out. `page` is what tags such as
/// `{{ page.title }}` name.
pub fn rendered<'t>(text: &'t str, dialect: Dialect, page: &Fields) -> Cow<'t, str> {
    if !may_have_tags(text, dialect) {
        return Cow::Borrowed(text);
    }
    let mut renderer = Renderer { dialect, page, variables: HashMap::new(), depth: 0, work: 0 };
    Cow::Owned(renderer.render(text))
}

/// Whether anything may have to be done; most texts hold none of these signs.
fn may_have_tags(text: &str, dialect: Dialect) -> bool {
    let bytes = text.as_bytes();
    let is_markdown = dialect == Dialect::Markdown;
    let by_sign = memchr::memchr3_iter(b'{', b'[', b'#', bytes).any(|at| {
        let (before, after) = (&bytes[..at], &bytes[at + 1..]);
        match (bytes[at], after.first()) {
            (b'{', Some(b'{' | b'%' | b':' | b'.' | b'#')) => true,
            (b'{', _) => matches!(before.last(), Some(b')' | b']' | b'`' | b'*' | b'_' | b'\n')),
            (b'[', Some(b'[' | b'!')) => is_markdown,
            (b'[', _) => is_markdown && (after.starts_with(b"TOC]") || after.starts_with(b"toc]")),
            // A heading right below HTML.
            (_, _) => is_markdown && before.ends_with(b">\n"),
        }
    });
    by_sign
        || (is_markdown
            && (memchr::memmem::find(bytes, b"markdown").is_some()
                || memchr::memmem::find_iter(bytes, b"](")
                    .any(|at| blank_address(&text[at + 1..], &mut String::new()) > 0)))
}

/// Blocks in blocks; deeper ones are taken out whole.
const DEEPEST: u32 = 20;

/// The longest tag, in bytes; whatever opens and goes on longer is text.
const LONGEST_TAG: usize = 4 * 1024;

/// How far all searches for the ends of tags and blocks may look together, in bytes:
/// what is never closed must not make reading quadratic. What follows is text.
const MOST_WORK: usize = 32 << 20;

/// The longest value of a variable, in bytes: values that are made of values double.
const LONGEST_VALUE: usize = 16 * 1024;

struct Renderer<'p> {
    dialect: Dialect,
    page: &'p Fields,
    variables: HashMap<String, String>,
    depth: u32,
    work: usize,
}

impl<'p> Renderer<'p> {
    fn render(&mut self, text: &str) -> String {
        let surroundings = self.dialect;
        let is_markdown = surroundings == Dialect::Markdown;
        let mut out = String::with_capacity(text.len());
        let mut lines = Lines::new();
        let mut rest = text;
        let mut at_line_start = true;
        // The line that opens an element with Markdown in it.
        let mut boxed = None;
        while !rest.is_empty() {
            if at_line_start && is_markdown {
                let end = rest.find('\n').map_or(rest.len(), |it| it + 1);
                let line = &rest[..end];
                if lines.is_code(line) {
                    out.push_str(line);
                    rest = &rest[end..];
                    continue;
                }
                if let Some(length) = contents_mark(rest) {
                    rest = &rest[length..];
                    continue;
                }
                // Kramdown ends a block of HTML with its element; a heading below it is one.
                if lines.in_html
                    && line.trim_start_matches('#').starts_with(' ')
                    && line.starts_with('#')
                {
                    lines.in_html = false;
                    out.push('\n');
                }
                if let Some(alert) = callout(line) {
                    out.push_str(&alert);
                    rest = &rest[end..];
                    continue;
                }
                // Markdown within HTML begins after a blank line.
                if line.trim_start().starts_with('<')
                    && (asks_for_markdown(line) || is_text_behind(&mut boxed, line, &rest[end..]))
                {
                    if boxed.is_none() && asks_for_markdown(line) {
                        boxed = Some(line);
                    }
                    out.push_str(line);
                    out.push('\n');
                    rest = &rest[end..];
                    continue;
                }
            }
            at_line_start = false;
            let special = rest.bytes().position(|it| b"\n`<\\${[!]".contains(&it));
            let Some(special) = special else {
                out.push_str(rest);
                break;
            };
            out.push_str(&rest[..special]);
            rest = &rest[special..];
            let kept = match rest.as_bytes()[0] {
                b'\n' => {
                    at_line_start = true;
                    1
                }
                b'`' if is_markdown => code_span(rest),
                b'<' => verbatim_html(rest, &mut self.work),
                b'\\' if is_markdown => {
                    1 + rest[1..].chars().next().filter(char::is_ascii_punctuation).map_or(0, |_| 1)
                }
                b'$' => mathematics(rest),
                _ => 0,
            };
            if kept > 0 {
                out.push_str(&rest[..kept]);
                rest = &rest[kept..];
                continue;
            }
            if lines.in_html {
                self.dialect = Dialect::Html;
            }
            let length = self.tag(rest, &mut out);
            self.dialect = surroundings;
            match length {
                0 => {
                    out.push_str(&rest[..1]);
                    rest = &rest[1..];
                }
                _ => {
                    rest = &rest[length..];
                    // What a block left behind may end inside a line.
                    at_line_start = out.ends_with('\n') && rest.starts_with('\n');
                }
            }
        }
        out
    }

    /// Reads the tag that `rest` begins with and writes what it becomes. The length
    /// of what it covers; 0 where it is no tag.
    fn tag(&mut self, rest: &str, out: &mut String) -> usize {
        if self.work > MOST_WORK {
            return 0;
        }
        let is_markdown = self.dialect == Dialect::Markdown;
        if rest.starts_with("{%") {
            return self.liquid(rest, out);
        }
        if rest.starts_with("{{<") || rest.starts_with("{{%") {
            return self.hugo(rest, out);
        }
        if rest.starts_with("{{") {
            return self.output(rest, out);
        }
        if rest.starts_with("{# ") || rest.starts_with("{#-") || rest.starts_with("{#\n") {
            return comment(rest);
        }
        if is_markdown && rest.starts_with("](") {
            let mut address = String::new();
            let length = blank_address(&rest[1..], &mut address);
            if length > 0 {
                out.push(']');
                out.push_str(&address);
                return 1 + length;
            }
            return 0;
        }
        if is_markdown && rest.starts_with("{::") {
            return kramdown_extension(rest);
        }
        if is_markdown && rest.starts_with('{') {
            return attribute_list(rest, out);
        }
        if is_markdown && (rest.starts_with("[[") || rest.starts_with("![[")) {
            return wikilink(rest, out);
        }
        0
    }

    /// What never closes is text; its end was looked for all the same.
    fn no_tag(&mut self) -> usize {
        self.work += LONGEST_TAG;
        0
    }

    /// `{{ ... }}`: a value, or Zola's call of a shortcode.
    fn output(&mut self, rest: &str, out: &mut String) -> usize {
        let Some((inside, length)) = between(rest, "{{", "}}") else { return self.no_tag() };
        let inside = trimmed(inside);
        // `{{{a}}}` is no template but somebody's braces.
        let begins = inside.chars().next().unwrap_or('_');
        if !(begins.is_alphabetic()
            || matches!(begins, '"' | '\'' | '_' | '.' | '$' | '/' | '#' | '-' | '>'))
        {
            return 0;
        }
        if let Some(call) = Call::zola(inside) {
            out.push_str(&shortcodes::become_text(&call, None, self.dialect, &|it| self.value(it)));
            return length;
        }
        let value = self.expression(inside).filter(|_| self.work < MOST_WORK);
        // Eleventy: code that was captured first.
        if let (Some(code), Some(language)) = (&value, highlighted(inside)) {
            self.work += code.len();
            out.push_str(&self.code(language, code));
            return length;
        }
        self.work += value.as_ref().map_or(0, String::len);
        let is_site = value.as_deref() == Some("");
        out.push_str(value.as_deref().unwrap_or_default());
        // The site's address alone is its front page.
        if is_site && is_site_address(inside) && !rest[length..].starts_with('/') {
            out.push('/');
        }
        length
    }

    /// The value of `name | filter: x | ...`, where it is known.
    fn expression(&self, inside: &str) -> Option<String> {
        let (head, filters) = inside.split_once('|').unwrap_or((inside, ""));
        let head = head.trim();
        if let Some(literal) = quoted(head) {
            return Some(literal.to_owned());
        }
        if is_site_address(head) {
            let appended = filters.split('|').find_map(|it| it.trim().strip_prefix("append:"));
            return Some(appended.and_then(|it| quoted(it.trim())).unwrap_or_default().to_owned());
        }
        self.value(head)
    }

    fn remember(&mut self, variable: String, value: String) {
        if self.variables.len() < 1000 && value.len() <= LONGEST_VALUE {
            self.variables.insert(variable, value);
        }
    }

    /// What a variable holds: set in the text, or a field of the page.
    fn value(&self, name: &str) -> Option<String> {
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        let name = ["page.", "this.", ".Params.", "post.", "$.Params.", ".Page."]
            .iter()
            .find_map(|it| name.strip_prefix(it))
            .unwrap_or(name.strip_prefix('.').unwrap_or(name));
        let (_, value) =
            self.page.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.scalar()
    }

    fn inner(&mut self, text: &str) -> String {
        self.depth += 1;
        let out = self.render(text);
        self.depth -= 1;
        out
    }

    /// Code with its language, every character as typed.
    fn code(&self, language: &str, inner: &str) -> String {
        let code = inner.trim_matches('\n').trim_end();
        if self.dialect == Dialect::Html {
            return format!(
                "<pre><code class=\"language-{language}\">{}</code></pre>",
                crate::convert::tags::escaped(code)
            );
        }
        let longest = code.split(|it| it != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat((longest + 1).max(3));
        format!("\n{fence}{language}\n{code}\n{fence}\n")
    }
}

/// The language of `code | highlight("css") | safe` and of Liquid's `highlight: "css"`.
fn highlighted(expression: &str) -> Option<&str> {
    let filters = expression.split('|').skip(1);
    let rest = filters.filter_map(|it| it.trim().strip_prefix("highlight")).next()?;
    let language = rest.trim_start_matches(['(', ':', ' ', '"', '\'']);
    let end = language.find(|it: char| !(it.is_alphanumeric() || it == '-'));
    Some(&language[..end.unwrap_or(language.len())])
}

/// The length of a comment of Jinja's kin, `{# ... #}`; 0 where it never ends.
fn comment(rest: &str) -> usize {
    start(rest, LONGEST_TAG).find("#}").map_or(0, |it| it + 2)
}

fn is_site_address(name: &str) -> bool {
    let name = name.split('|').next().unwrap_or_default().trim();
    matches!(
        name,
        "site.url"
            | "site.baseurl"
            | "site.base_url"
            | "site.github.url"
            | "base_path"
            | "root_url"
            | "site.root"
            | ".Site.BaseURL"
            | "SITEURL"
            | "config.base_url"
            | "baseurl"
            | "base_url"
    )
}

/// What stands between `opening`, which `rest` begins with, and `closing`, quoted
/// text passed over, and the length of all.
fn between<'t>(rest: &'t str, opening: &str, closing: &str) -> Option<(&'t str, usize)> {
    let near = start(rest, LONGEST_TAG);
    if !near.contains(closing) {
        return None;
    }
    let bytes = near.as_bytes();
    let limit = bytes.len();
    let find = |minds_quotes: bool| {
        let mut quote = None;
        (opening.len()..limit).find(|&at| match (quote, bytes[at]) {
            (Some(open), it) if open == it => {
                quote = None;
                false
            }
            (Some(_), _) => false,
            (None, it @ (b'"' | b'`')) if minds_quotes => {
                quote = Some(it);
                false
            }
            _ => bytes[at..].starts_with(closing.as_bytes()),
        })
    };
    let end = find(true).or_else(|| find(false))?;
    Some((&rest[opening.len()..end], end + closing.len()))
}

/// Without the signs that trim white space.
fn trimmed(inside: &str) -> &str {
    let inside = inside.strip_prefix('-').unwrap_or(inside);
    inside.strip_suffix('-').unwrap_or(inside).trim()
}

fn quoted(text: &str) -> Option<&str> {
    let sign = text.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    text[1..].split_once(sign).map(|it| it.0)
}

/// The length of an element whose content is no template, or of a comment; 0 for
/// other tags.
fn verbatim_html(rest: &str, work: &mut usize) -> usize {
    let mut end_of = |text: &str, end: &str| {
        let found = if *work < MOST_WORK { text.find(end) } else { None };
        *work += found.unwrap_or(text.len());
        found.map(|it| rest.len() - text.len() + it + end.len())
    };
    if rest.starts_with("<!--") {
        return end_of(rest, "-->").unwrap_or(0);
    }
    for name in ["pre", "code", "script", "style", "textarea", "samp", "kbd"] {
        let Some(after) = rest[1..].strip_prefix(name) else { continue };
        if !after.starts_with(['>', ' ', '\n']) {
            continue;
        }
        let end = format!("</{name}>");
        return end_of(after, &end).unwrap_or(0);
    }
    0
}
