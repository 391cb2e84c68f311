//! A scanner of HTML: where tags begin and end, what attributes they have.
//!
//! In: any text. Out: tokens that cover it without a gap. It reads what the
//! tokenizer of the HTML standard (section 13.2.5) reads where documents are sane, and
//! guesses where they are not, so nothing that needs to be safe may rest on it for
//! foreign text; the sanitiser has a parser of its own. On serialised output, where
//! attributes are quoted and `<` is escaped, it is exact.

use std::borrow::Cow;

use crate::convert::clean;
use crate::convert::sanitize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'t> {
    Text(&'t str),
    Start(Tag<'t>),
    /// The name as written.
    End(&'t str),
    /// What stands between `<!--` and `-->`.
    Comment(&'t str),
    /// A doctype or processing instruction.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'t> {
    /// As written.
    pub name: &'t str,
    /// What stands between the name and `>`.
    pub inside: &'t str,
}

impl<'t> Tag<'t> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Names as written, values with their character references.
    pub fn attributes(&self) -> Attributes<'t> {
        Attributes { rest: self.inside }
    }

    /// The decoded value of the first attribute with this name.
    pub fn get(&self, name: &str) -> Option<Cow<'t, str>> {
        let (_, value) = self.attributes().find(|(it, _)| it.eq_ignore_ascii_case(name))?;
        Some(unescape(value))
    }

    pub fn closes_itself(&self) -> bool {
        self.inside.ends_with('/')
    }

    /// Whether HTML gives this element no content and no end tag.
    pub fn is_void(&self) -> bool {
        VOID.iter().any(|it| self.is(it))
    }
}

const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Elements whose content is text whatever it looks like.
const RAW: &[&str] =
    &["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];

#[derive(Debug, Clone)]
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
    raw: Option<&'t str>,
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0, raw: None }
    }

    /// Where the next token begins.
    pub fn at(&self) -> usize {
        self.at
    }

    fn raw_text(&mut self, name: &str) -> Option<Token<'t>> {
        let rest = &self.text[self.at..];
        let end = rest.match_indices("</").map(|(at, _)| at).find(|at| {
            let after = &rest.as_bytes()[at + 2..];
            after.len() >= name.len()
                && after[..name.len()].eq_ignore_ascii_case(name.as_bytes())
                && after.get(name.len()).is_none_or(|it| !it.is_ascii_alphanumeric())
        });
        let end = end.unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| Token::Text(&rest[..end]))
    }
}

impl<'t> Iterator for Scanner<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        if let Some(name) = self.raw.take()
            && let Some(token) = self.raw_text(name)
        {
            return Some(token);
        }
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        loop {
            let Some(open) = memchr::memchr(b'<', &rest.as_bytes()[from..]).map(|it| it + from)
            else {
                self.at = self.text.len();
                return Some(Token::Text(rest));
            };
            let after = rest.as_bytes().get(open + 1).copied().unwrap_or(b' ');
            let is_markup = after.is_ascii_alphabetic()
                || matches!(after, b'!' | b'?')
                || (after == b'/'
                    && rest.as_bytes().get(open + 2).is_some_and(u8::is_ascii_alphabetic));
            match (is_markup, open) {
                (false, _) => from = open + 1,
                (true, 0) => break,
                (true, _) => {
                    self.at += open;
                    return Some(Token::Text(&rest[..open]));
                }
            }
        }
        let (token, length) = markup(rest);
        self.at += length;
        if let Token::Start(tag) = token
            && RAW.iter().any(|it| tag.is(it))
        {
            self.raw = Some(tag.name);
        }
        Some(token)
    }
}

/// The token at the start of `rest`, which begins with markup, and its length.
fn markup(rest: &str) -> (Token<'_>, usize) {
    if let Some(comment) = rest.strip_prefix("<!--") {
        let end = comment.find("-->");
        let inside = &comment[..end.unwrap_or(comment.len())];
        return (Token::Comment(inside), end.map_or(rest.len(), |it| it + 7));
    }
    let bytes = rest.as_bytes();
    if matches!(bytes[1], b'!' | b'?') {
        let end = rest.find('>').map_or(rest.len(), |it| it + 1);
        return (Token::Other, end);
    }
    let is_end = bytes[1] == b'/';
    let name_from = 1 + usize::from(is_end);
    let name_to = bytes[name_from..]
        .iter()
        .position(|it| it.is_ascii_whitespace() || matches!(it, b'/' | b'>'))
        .map_or(rest.len(), |it| it + name_from);
    let end = tag_end(bytes, name_to);
    let name = &rest[name_from..name_to];
    let length = (end + 1).min(rest.len());
    match is_end {
        true => (Token::End(name), length),
        false => (Token::Start(Tag { name, inside: &rest[name_to..end] }), length),
    }
}

/// Where the `>` of a tag stands, quoted values passed over.
fn tag_end(bytes: &[u8], from: usize) -> usize {
    let mut quote = None;
    let mut is_value = false;
    for (at, &byte) in bytes.iter().enumerate().skip(from) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return at,
            (None, b'"' | b'\'') if is_value => quote = Some(byte),
            (None, b'=') => is_value = true,
            (None, it) if it.is_ascii_whitespace() => {}
            (None, _) => is_value = false,
        }
    }
    // A quote that nobody closed: the tag ends at its first `>`.
    bytes[from..].iter().position(|&it| it == b'>').map_or(bytes.len(), |it| it + from)
}

#[derive(Debug, Clone)]
pub struct Attributes<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Attributes<'t> {
    type Item = (&'t str, &'t str);

    fn next(&mut self) -> Option<(&'t str, &'t str)> {
        let is_blank = |it: char| it.is_ascii_whitespace();
        let rest = self.rest.trim_start_matches(|it| is_blank(it) || it == '/');
        if rest.is_empty() {
            return None;
        }
        let name_to = rest
            .bytes()
            .enumerate()
            .skip(1)
            .find(|&(_, it)| it.is_ascii_whitespace() || matches!(it, b'/' | b'='))
            .map_or(rest.len(), |(at, _)| at);
        let name = &rest[..name_to];
        let after = rest[name_to..].trim_start_matches(is_blank);
        let Some(value) = after.strip_prefix('=') else {
            self.rest = after;
            return Some((name, ""));
        };
        let value = value.trim_start_matches(is_blank);
        let (value, after) = match value.bytes().next() {
            Some(quote @ (b'"' | b'\'')) => {
                let inside = &value[1..];
                match memchr::memchr(quote, inside.as_bytes()) {
                    Some(end) => (&inside[..end], &inside[end + 1..]),
                    None => (inside, ""),
                }
            }
            _ => value.split_at(value.find(is_blank).unwrap_or(value.len())),
        };
        self.rest = after;
        Some((name, value))
    }
}

/// Character references decoded, as in text and attribute values.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // The five that serialisers write; the other two thousand are the parser's.
        let known = [
            ("&amp;", '&'),
            ("&lt;", '<'),
            ("&gt;", '>'),
            ("&quot;", '"'),
            ("&nbsp;", '\u{a0}'),
            ("&#39;", '\''),
        ]
        .into_iter()
        .find(|(name, _)| rest.starts_with(name));
        match known {
            Some((name, character)) => {
                out.push(character);
                rest = &rest[name.len()..];
            }
            None if rest[1..].starts_with(|it: char| it == '#' || it.is_ascii_alphabetic()) => {
                let end = rest[1..]
                    .find(|it: char| !(it.is_ascii_alphanumeric() || it == '#'))
                    .map_or(rest.len(), |it| it + 1);
                let end = end + usize::from(rest[end..].starts_with(';'));
                out.push_str(&sanitize::reference(&rest[..end]));
                rest = &rest[end..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(clean::allowed(out))
}

/// `text` as it stands in HTML, in text and in quoted attribute values alike.
pub fn push_escaped(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let reference = match byte {
            b'&' => "&amp;",
            b'"' => "&quot;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(reference);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    push_escaped(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let shown = |html: &str| -> Vec<String> {
            Scanner::new(html)
                .map(|token| match token {
                    Token::Text(text) => format!("T {text}"),
                    Token::Start(tag) => format!("S {}|{}", tag.name, tag.inside),
                    Token::End(name) => format!("E {name}"),
                    Token::Comment(text) => format!("C {text}"),
                    Token::Other => "O".into(),
                })
                .collect()
        };
        let table: [(&str, &[&str], &str); 9] = [
            ("a<b>c</b>", &["T a", "S b|", "T c", "E b"], "plain"),
            ("<a title=\"x > y\">z", &["S a| title=\"x > y\"", "T z"], "`>` in a quoted value"),
            ("1 < 2 <3 </ 4", &["T 1 < 2 <3 </ 4"], "`<` that opens nothing"),
            ("<!doctype html><?xml?>x", &["O", "O", "T x"], "declarations"),
            ("<!-- <p> -->x<!--y", &["C  <p> ", "T x", "C y"], "comments"),
            ("<script>a<b</script>c", &["S script|", "T a<b", "E script", "T c"], "raw text"),
            ("<TITLE>x</title>", &["S TITLE|", "T x", "E title"], "names in any case"),
            ("<p it's>x</p>", &["S p| it's", "T x", "E p"], "an apostrophe opens no value"),
            ("<a href=\"x>y", &["S a| href=\"x", "T y"], "a quote that is never closed"),
        ];
        for (html, tokens, why) in table {
            assert_eq!(shown(html), tokens, "{why}");
        }
    }

    #[test]
    fn attributes() {
        let Some(Token::Start(tag)) =
            Scanner::new("<img src=a.png ALT = 'x &amp; y' hidden title=\"&eacute;&#1;\" />")
                .next()
        else {
            panic!("a tag")
        };
        assert_eq!(tag.get("src").as_deref(), Some("a.png"));
        assert_eq!(tag.get("alt").as_deref(), Some("x & y"));
        assert_eq!(tag.get("hidden").as_deref(), Some(""));
        assert_eq!(tag.get("title").as_deref(), Some("é"), "a forbidden character is gone");
        assert_eq!(tag.get("class"), None);
        assert!(tag.closes_itself());
    }

    #[test]
    fn references() {
        let table = [
            ("a &amp; b", "a & b"),
            ("&lt;p&gt; &quot;", "<p> \""),
            ("&mdash;&#8217;&#x41;", "—’A"),
            ("AT&T & co", "AT&T & co"),
            ("&nosuch; &", "&nosuch; &"),
            ("&#0;&#xFFFE;", "\u{FFFD}"),
        ];
        for (text, decoded) in table {
            assert_eq!(unescape(text), decoded, "{text}");
        }
    }
}
