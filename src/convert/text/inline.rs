//! Running text to HTML: escaped, with emphasis as people type it, addresses as
//! links, code between backticks, and note marks raised.
//!
//! One pass finds the pieces, a second writes them; both are linear whatever the
//! text holds.

use crate::convert::text::document::{self, Document};
use crate::convert::text::links::{self, Link};
use crate::convert::text::marks;

/// Appends `text` with `&`, `<`, `>` and `"` escaped: fit for text and for quoted
/// attribute values.
pub fn escape(text: &str, out: &mut String) {
    escape_all::<true>(text, out);
}

/// Appends `text` with `&`, `<` and `>` escaped: fit for text only, where quotation
/// marks stay readable.
pub fn escape_text(text: &str, out: &mut String) {
    escape_all::<false>(text, out);
}

fn escape_all<const QUOTES: bool>(text: &str, out: &mut String) {
    // Most texts hold none.
    let bytes = text.as_bytes();
    let has_any = memchr::memchr3(b'&', b'<', b'>', bytes).is_some()
        || (QUOTES && memchr::memchr(b'"', bytes).is_some());
    if !has_any {
        out.push_str(text);
        return;
    }
    let mut rest = text;
    let is_special = |it: u8| matches!(it, b'&' | b'<' | b'>') || (QUOTES && it == b'"');
    while let Some(at) = rest.bytes().position(is_special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// A farther mark closes no emphasis: by then it is another matter.
const LONGEST_EMPHASIS: usize = 2000;

/// Bytes that may begin a piece, or stand within a link that the text before begins.
const MAY_BEGIN: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"*_:wW@`[";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

#[derive(Debug)]
enum Piece<'a> {
    Text(&'a str),
    Link(Link<'a>),
    Code(&'a str),
    Note(&'a str),
    /// A run of one to three stars or underscores.
    Mark {
        run: &'a str,
        role: Role,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Literal,
    Opens,
    Closes,
}

/// Appends one paragraph, heading or line of verse.
pub fn write(text: &str, document: &Document, out: &mut String) {
    let mut scan =
        Scan { text, flushed: 0, pieces: Vec::new(), open: [None; 6], last_backtick: None };
    scan.run(document);
    if scan.pieces.is_empty() {
        return escape_text(text, out);
    }
    scan.pieces.push(Piece::Text(&text[scan.flushed..]));
    for piece in &scan.pieces {
        match piece {
            Piece::Text(text) => escape_text(text, out),
            Piece::Link(Link { text, href: Some(href), .. }) => {
                out.push_str("<a href=\"");
                escape(href, out);
                out.push_str("\">");
                escape_text(text, out);
                out.push_str("</a>");
            }
            Piece::Link(link) => escape_text(link.text, out),
            Piece::Code(code) => {
                out.push_str("<code>");
                escape_text(code, out);
                out.push_str("</code>");
            }
            Piece::Note(label) => {
                out.push_str("<sup>[");
                out.push_str(label);
                out.push_str("]</sup>");
            }
            Piece::Mark { run, role: Role::Literal } => out.push_str(run),
            Piece::Mark { run, role } => out.push_str(tags(run.len(), *role == Role::Opens)),
        }
    }
}

fn tags(length: usize, opens: bool) -> &'static str {
    match (length, opens) {
        (1, true) => "<em>",
        (1, false) => "</em>",
        (2, true) => "<strong>",
        (2, false) => "</strong>",
        (_, true) => "<strong><em>",
        (_, false) => "</em></strong>",
    }
}

struct Scan<'a> {
    text: &'a str,
    /// Where the text begins that no piece holds yet.
    flushed: usize,
    pieces: Vec<Piece<'a>>,
    /// The last run of each kind that may open emphasis: its piece and its place.
    open: [Option<(usize, usize)>; 6],
    /// The last backtick of the text, once looked for.
    last_backtick: Option<usize>,
}

impl<'a> Scan<'a> {
    fn run(&mut self, document: &Document) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(next) = bytes[at..].iter().position(|it| MAY_BEGIN[usize::from(*it)]) {
            at += next;
            at = match bytes[at] {
                b'*' | b'_' => self.mark(at),
                b':' => self.link(links::at_colon(self.text, self.flushed, at), at),
                b'w' | b'W' => self.link(links::at_www(self.text, at), at),
                b'@' => self.link(links::at_mail(self.text, self.flushed, at), at),
                b'`' => self.code(at),
                b'[' => self.note(at, document),
                _ => at + 1,
            };
        }
    }

    fn flush(&mut self, to: usize) {
        if self.flushed < to {
            self.pieces.push(Piece::Text(&self.text[self.flushed..to]));
        }
        self.flushed = to;
    }

    fn link(&mut self, found: Option<Link<'a>>, at: usize) -> usize {
        let Some(mut link) = found else {
            return at + 1;
        };
        let (mut start, mut end) = (link.start, link.end);
        // RFC 3986, appendix C: angle brackets around a URL belong to neither it
        // nor the sentence. Around a mail address they follow a name and stay.
        if link.href.is_some()
            && !link.href.as_ref().is_some_and(|it| it.starts_with("mailto:"))
            && start > self.flushed
            && self.text[..start].ends_with('<')
            && self.text[end..].starts_with('>')
        {
            start -= 1;
            end += 1;
        }
        self.flush(start);
        self.flushed = end;
        link.end = end;
        self.pieces.push(Piece::Link(link));
        end
    }

    fn code(&mut self, at: usize) -> usize {
        let last = *self.last_backtick.get_or_insert_with(|| self.text.rfind('`').unwrap_or(at));
        let length = self.text[at..].bytes().take_while(|it| *it == b'`').count();
        let start = at + length;
        if length > 2 || start > last || !self.opens(at, start) {
            return start;
        }
        let Some(inner) = self.text[start..].find('`') else {
            return start;
        };
        let run = self.text[start + inner..].bytes().take_while(|it| *it == b'`').count();
        let (inner_end, end) = (start + inner, start + inner + run);
        let code = &self.text[start..inner_end];
        let is_code = run == length && !code.trim().is_empty() && self.closes(inner_end, end);
        if !is_code {
            return start;
        }
        self.flush(at);
        self.flushed = end;
        self.pieces.push(Piece::Code(code));
        end
    }

    fn note(&mut self, at: usize, document: &Document) -> usize {
        match document::note_mark(&self.text[at..]) {
            Some((label, length)) if document.has_note(label) => {
                self.flush(at);
                self.flushed = at + length;
                self.pieces.push(Piece::Note(label));
                at + length
            }
            _ => at + 1,
        }
    }

    fn mark(&mut self, at: usize) -> usize {
        let byte = self.text.as_bytes()[at];
        let length = self.text.as_bytes()[at..].iter().take_while(|it| **it == byte).count();
        let end = at + length;
        if length > 3 {
            return end;
        }
        let kind = length - 1 + if byte == b'*' { 0 } else { 3 };
        if let Some((piece, start)) = self.open[kind]
            && self.closes(at, end)
            && end - start <= LONGEST_EMPHASIS
            && !is_identifier(&self.text[start..at], byte, length)
        {
            self.flush(at);
            if let Piece::Mark { role, .. } = &mut self.pieces[piece] {
                *role = Role::Opens;
            }
            self.push_mark(at, end, Role::Closes);
            for open in &mut self.open {
                *open = open.filter(|it| it.0 < piece);
            }
        } else if self.opens(at, end) {
            self.flush(at);
            self.open[kind] = Some((self.pieces.len(), end));
            self.push_mark(at, end, Role::Literal);
        }
        end
    }

    fn push_mark(&mut self, at: usize, end: usize, role: Role) {
        self.pieces.push(Piece::Mark { run: &self.text[at..end], role });
        self.flushed = end;
    }

    /// Whether a run of marks stands at the start of a word.
    fn opens(&self, at: usize, end: usize) -> bool {
        let before = self.text[..at].chars().next_back();
        let mut after = self.text[end..].chars();
        let is_edge = before.is_none_or(|it| !it.is_alphanumeric() || has_no_edges(it));
        is_edge
            && after.next().is_some_and(|it| {
                it.is_alphanumeric()
                    || marks::is_opener(it)
                    || matches!(it, '*' | '_' | '#' | '$' | '/' | '-' | '~')
                        && after.next().is_some_and(char::is_alphanumeric)
            })
    }

    /// Whether a run of marks stands at the end of a word.
    fn closes(&self, at: usize, end: usize) -> bool {
        let before = self.text[..at].chars().next_back();
        let mut after = self.text[end..].chars();
        if before.is_none_or(char::is_whitespace) {
            return false;
        }
        match after.next() {
            None => true,
            Some(it) if has_no_edges(it) => true,
            // `__init__.py` is a name.
            Some('.' | '/' | '-' | '_' | '=' | '@') => {
                after.next().is_none_or(|it| !it.is_alphanumeric() || has_no_edges(it))
            }
            Some(it) => !it.is_alphanumeric(),
        }
    }
}

/// Letters of scripts that put no blank between words.
fn has_no_edges(character: char) -> bool {
    marks::is_cjk(character) || marks::is_unspaced(character)
}

/// `__init__` and its like: two underscores on each side of a small word.
fn is_identifier(inner: &str, byte: u8, length: usize) -> bool {
    byte == b'_'
        && length == 2
        && inner.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::text::lines;

    fn written(text: &str) -> String {
        let notes = format!("{text}\n[1] one\n[23] other");
        let document = Document::of(&notes, &lines::split(&notes));
        let mut out = String::new();
        write(text, &document, &mut out);
        out
    }

    #[test]
    fn emphasis() {
        let table = [
            ("*so*", "<em>so</em>", ""),
            ("_so_", "<em>so</em>", ""),
            ("**so**", "<strong>so</strong>", ""),
            ("__So it is__", "<strong>So it is</strong>", ""),
            ("***so***", "<strong><em>so</em></strong>", ""),
            ("(*so*), “_so_”!", "(<em>so</em>), “<em>so</em>”!", "punctuation at the edges"),
            ("*so it is*.", "<em>so it is</em>.", "several words"),
            ("**a _b_ c**", "<strong>a <em>b</em> c</strong>", "nested"),
            ("*a **b* c**", "<em>a **b</em> c**", "crossed: the first that closes wins"),
            ("snake_case_name", "snake_case_name", "within a word"),
            ("_foo_bar_", "<em>foo_bar</em>", "underscore within"),
            ("__init__ and __init__.py", "__init__ and __init__.py", "names"),
            ("2*3*4 and 2 * 3 * 4", "2*3*4 and 2 * 3 * 4", "sums"),
            ("*args and **kwargs", "*args and **kwargs", "never closed"),
            ("*.txt and *.rs", "*.txt and *.rs", "patterns"),
            ("price* and cost*", "price* and cost*", "never opened"),
            ("这是*重点*内容", "这是<em>重点</em>内容", "no blanks around words"),
            ("**** you ****", "**** you ****", "four are none"),
            ("f**k it**", "f**k it**", "within a word"),
            ("*a\u{a0}*", "*a\u{a0}*", "a blank before the end"),
            ("_", "_", "alone"),
            ("*«так»*", "<em>«так»</em>", "quotation marks within"),
        ];
        for (text, expected, why) in table {
            assert_eq!(written(text), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn pieces() {
        let table = [
            ("a < b && c > d \"e\"", "a &lt; b &amp;&amp; c &gt; d \"e\"", "escaped"),
            (
                "so [1], and [2], [23].",
                "so <sup>[1]</sup>, and [2], <sup>[23]</sup>.",
                "known notes",
            ),
            ("so[^1]", "so<sup>[1]</sup>", "Markdown's notes"),
            ("run `ls <dir>` now", "run <code>ls &lt;dir&gt;</code> now", "code"),
            ("`a * b * c_d_e`", "<code>a * b * c_d_e</code>", "code keeps its marks"),
            ("the `foo' and `bar' things", "the `foo' and `bar' things", "old quotation marks"),
            ("a ` b", "a ` b", "one backtick"),
            ("`` a`b", "`` a`b", "never closed"),
            (
                "see <https://example.org/?a&b>",
                "see <a href=\"https://example.org/?a&amp;b\">https://example.org/?a&amp;b</a>",
                "angle brackets vanish",
            ),
            (
                "Ann <ann@example.org>",
                "Ann &lt;<a href=\"mailto:ann@example.org\">ann@example.org</a>&gt;",
                "but after a name",
            ),
            (
                "*https://example.org/a_b_c*",
                "<em><a href=\"https://example.org/a_b_c\">https://example.org/a_b_c</a></em>",
                "emphasis around a link, none within",
            ),
            (
                "john_doe_x@example.org",
                "<a href=\"mailto:john_doe_x@example.org\">john_doe_x@example.org</a>",
                "underscores in a mail address",
            ),
            ("http://http://http://", "http://http://http://", "no address"),
        ];
        for (text, expected, why) in table {
            assert_eq!(written(text), expected, "{text:?}: {why}");
        }
    }
}
