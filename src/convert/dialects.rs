//! Signs of Markdown's dialects that no parser of ours reads: attribute lists and
//! extensions of kramdown, marks for a table of contents, wikilinks; and where in
//! Markdown code and mathematics stand, which `templates` must leave alone.
//!
//! Pure text in, lengths and text out; `templates` asks at each place.

use crate::convert::markdown;
use crate::convert::shortcodes;

/// At most `length` bytes of `text`: how far a sign may be from its end, so that signs
/// without an end cost no look through the whole text.
pub fn start(text: &str, length: usize) -> &str {
    &text[..text.floor_char_boundary(length)]
}

/// Where in Markdown's block structure a line stands.
#[derive(Default)]
pub struct Lines {
    /// The sign and length of an open fence.
    fence: Option<(u8, usize)>,
    after_blank: bool,
    in_list: bool,
    in_code: bool,
    /// Within a block of HTML, where Markdown is not read (CommonMark, 4.6).
    pub in_html: bool,
}

impl Lines {
    /// At the start of a text.
    pub fn new() -> Lines {
        Lines { after_blank: true, ..Lines::default() }
    }

    /// Whether `line` is code; keeps track of what it opens and closes.
    pub fn is_code(&mut self, line: &str) -> bool {
        let content = line.trim_start_matches([' ', '\t', '>']);
        if let Some((sign, length)) = self.fence {
            let run = content.bytes().take_while(|&it| it == sign).count();
            if run >= length && content[run..].trim().is_empty() {
                self.fence = None;
            }
            return true;
        }
        let item = content.trim_start_matches(['-', '*', '+', ' ']);
        let sign = item.bytes().next().unwrap_or(b' ');
        if matches!(sign, b'`' | b'~') {
            let run = item.bytes().take_while(|&it| it == sign).count();
            if run >= 3 && (sign == b'~' || !item[run..].contains('`')) {
                self.fence = Some((sign, run));
                return true;
            }
        }
        let is_blank = line.trim().is_empty();
        self.in_html = !is_blank && (self.in_html || opens_html(content, self.after_blank));
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        if !is_blank && !is_indented {
            self.in_list = is_list_item(line) || (self.in_list && line.starts_with(' '));
        }
        self.in_code =
            is_indented && !is_blank && !self.in_list && (self.after_blank || self.in_code);
        self.after_blank = is_blank;
        self.in_code
    }
}

/// Whether a line opens a block of HTML: with a tag of a block, or with a tag that stands
/// alone on it and amid no paragraph (CommonMark, 4.6, kinds 1, 6 and 7).
fn opens_html(line: &str, after_blank: bool) -> bool {
    const BLOCKS: &[&str] = &[
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "col",
        "colgroup",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frame",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "iframe",
        "legend",
        "li",
        "link",
        "main",
        "menu",
        "nav",
        "noframes",
        "ol",
        "optgroup",
        "option",
        "p",
        "param",
        "pre",
        "script",
        "search",
        "section",
        "style",
        "summary",
        "table",
        "tbody",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "track",
        "ul",
    ];
    let Some(inside) = line.strip_prefix('<') else { return false };
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let name_to = inside.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(inside.len());
    let name = &inside[..name_to];
    if !name.starts_with(|it: char| it.is_ascii_alphabetic()) {
        return false;
    }
    let is_alone = || inside.find('>').is_some_and(|at| inside[at + 1..].trim().is_empty());
    BLOCKS.iter().any(|it| it.eq_ignore_ascii_case(name)) || (after_blank && is_alone())
}

fn is_list_item(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '>']);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        0 => line.starts_with(['-', '*', '+']) && line[1..].starts_with([' ', '\t']),
        _ => line[digits..].starts_with(['.', ')']),
    }
}

/// The length of a code span with its signs; of the signs alone where it never ends.
pub fn code_span(rest: &str) -> usize {
    let run = rest.bytes().take_while(|&it| it == b'`').count();
    let near = start(rest, 16 * 1024);
    let paragraph = near.find("\n\n").unwrap_or(near.len());
    let bytes = &rest.as_bytes()[..paragraph.max(run)];
    let mut at = run;
    while at < bytes.len() {
        if bytes[at] != b'`' {
            // Blocks come before spans: a fence ends the paragraph.
            let opens_fence =
                bytes[at] == b'\n' && bytes[at + 1..].trim_ascii_start().starts_with(b"```");
            if opens_fence {
                return run;
            }
            at += 1;
            continue;
        }
        let closing = bytes[at..].iter().take_while(|&&it| it == b'`').count();
        at += closing;
        if closing == run {
            return at;
        }
    }
    run
}

/// The length of `$$...$$`, or of `$...$` in one line without a blank inside its
/// signs; 0 where it is none.
pub fn mathematics(rest: &str) -> usize {
    if let Some(after) = rest.strip_prefix("$$") {
        return start(after, 4000).find("$$").map_or(0, |it| it + 4);
    }
    let near = start(rest, 1000);
    let line = &near[1..near.find('\n').unwrap_or(near.len())];
    let Some(end) = line.find('$') else { return 0 };
    let inside = &line[..end];
    let is_tight = !inside.is_empty() && inside.trim().len() == inside.len();
    let is_price = line[end + 1..].starts_with(|it: char| it.is_ascii_digit());
    if is_tight && !is_price { end + 2 } else { 0 }
}

/// The length of a line that asks for a table of contents, with what belongs to it.
pub fn contents_mark(rest: &str) -> Option<usize> {
    let end = rest.find('\n').map_or(rest.len(), |it| it + 1);
    let line = rest[..end].trim();
    if matches!(
        line,
        "[TOC]" | "[toc]" | "[[_TOC_]]" | "[[toc]]" | "[[TOC]]" | "${toc}" | "{:toc}" | "{{toc}}"
    ) {
        return Some(end);
    }
    let after = rest[end..].trim_start_matches(' ');
    let is_list = line.starts_with(['*', '-', '+', '1']) && line.len() < 40;
    (is_list
        && after.starts_with("{:")
        && after.lines().next().is_some_and(|it| it.contains("toc")))
    .then(|| end + rest[end..].find('\n').map_or(rest.len() - end, |it| it + 1))
}

/// Obsidian's callout of a kind that GitHub does not know, as an alert of the kind that
/// is nearest, its title kept: `> [!info]- Title`. Other lines as `None`.
pub fn callout(line: &str) -> Option<String> {
    let content = line.trim_start_matches([' ', '>']);
    if content.len() == line.trim_start().len() {
        return None;
    }
    let (kind, title) = content.strip_prefix("[!")?.split_once(']')?;
    let kind = kind.split('|').next().unwrap_or_default().trim();
    let alert = match kind.to_lowercase().as_str() {
        "note" | "tip" | "important" | "warning" | "caution" => kind,
        "hint" | "success" | "check" | "done" => "tip",
        "question" | "help" | "faq" | "attention" => "warning",
        "failure" | "fail" | "missing" | "danger" | "error" | "bug" => "caution",
        "abstract" | "summary" | "tldr" => "important",
        it if !it.is_empty() && it.chars().all(|it| it.is_alphanumeric() || it == '-') => "note",
        _ => return None,
    };
    let title = markdown::plain(&without_wikilinks(title.trim_start_matches(['-', '+']).trim()));
    let mut name = kind.to_lowercase();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let title = match title.is_empty() {
        true if alert == kind => "",
        true => &name,
        false => &title,
    };
    let before = &line[..line.len() - content.len()];
    Some(format!("{before}[!{alert}] {title}\n"))
}

/// `text` with the labels of its wikilinks alone.
fn without_wikilinks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[[")
        && let Some((inside, behind)) = after.split_once("]]")
    {
        let label = inside.rsplit('|').next().unwrap_or(inside);
        out.push_str(before);
        out.push_str(label.trim_start_matches('#'));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Whether a line of HTML says that Markdown stands within.
pub fn asks_for_markdown(line: &str) -> bool {
    let line = line.trim_end();
    [
        "markdown=\"1\"",
        "markdown=1",
        "markdown='1'",
        "markdown=\"block\"",
        "markdown=\"span\"",
        " markdown>",
    ]
    .iter()
    .any(|it| line.contains(it))
        && line.ends_with('>')
        && !line.contains("</")
}

/// Whether a `line` of tags stands within the element that the line `boxed` opens, and
/// text follows, which is Markdown there. Ends the box with its element.
pub fn is_text_behind(boxed: &mut Option<&str>, line: &str, after: &str) -> bool {
    let Some(opening) = boxed else { return false };
    let name = |it: &str| {
        let it = it.trim_start().trim_start_matches(['<', '/']);
        it.chars().take_while(char::is_ascii_alphanumeric).collect::<String>()
    };
    let line = line.trim();
    if line.starts_with("</") && name(line) == name(opening) {
        *boxed = None;
        return false;
    }
    line.ends_with('>') && !after.starts_with([' ', '\t', '\n', '<']) && !after.is_empty()
}

/// `{::comment} ... {:/comment}` and `{::options ... /}` of kramdown; the length.
pub fn kramdown_extension(rest: &str) -> usize {
    let Some(close) = start(rest, 500).find('}') else { return 0 };
    let name = rest[3..close].split_whitespace().next().unwrap_or_default().trim_end_matches('/');
    if name == "comment"
        && let Some(at) = start(rest, 2000).find("{:/")
    {
        return start(&rest[at..], 100).find('}').map_or(close + 1, |it| at + it + 1);
    }
    match matches!(name, "comment" | "nomarkdown" | "options") {
        true => close + 1,
        false => 0,
    }
}

/// The length of `{: .class #id key="value"}` (kramdown) or `{.class width=30%}` behind
/// a picture, link or span, or alone on its line; 0 where it is none.
pub fn attribute_list(rest: &str, out: &str) -> usize {
    let Some(close) = start(rest, 500).find('}') else { return 0 };
    let inside = &rest[1..close];
    let is_kramdown = inside.starts_with(':');
    if is_kramdown && inside.starts_with(":/") {
        return close + 1;
    }
    let line = out.rsplit('\n').next().unwrap_or_default();
    let is_alone = line.trim_matches([' ', '>', '*', '-']).is_empty();
    let is_behind = line.ends_with([')', ']', '`', '*', '_', '>']);
    let ends_line = rest[close + 1..].trim_start_matches(' ').starts_with('\n')
        || rest[close + 1..].trim().is_empty();
    // Behind a paragraph's last word, as markdown-it has it.
    let ends_paragraph =
        ends_line && line.ends_with(' ') && inside.starts_with('.') && !line.starts_with('#');
    let is_place = is_behind
        || ends_paragraph
        || (is_alone && rest[close + 1..].trim_start_matches(' ').starts_with(['\n', ' ']))
        || (is_alone && rest.len() == close + 1);
    if !is_kramdown && !is_place {
        return 0;
    }
    let mut words = 0;
    let all = split_words(inside.trim_start_matches(':')).all(|word| {
        words += 1;
        let is_name =
            |it: &str| it.chars().next().is_some_and(|it| it.is_alphabetic() || it == '_');
        word.strip_prefix(['.', '#']).is_some_and(is_name)
            || word.split_once('=').is_some_and(|(key, value)| {
                is_name(key) && !value.is_empty() && !value.starts_with('>')
            })
            || (is_kramdown && matches!(word, "toc" | "footnotes" | "no_toc"))
    });
    if all && words > 0 { close + 1 } else { 0 }
}

/// Words at blanks, quoted text kept together.
fn split_words(text: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |it: char| {
        is_quoted ^= it == '"';
        it.is_whitespace() && !is_quoted
    })
    .filter(|it| !it.is_empty())
}

/// Whether what stands behind `](` is an address, not words in parentheses.
fn is_address(text: &str) -> bool {
    let inside = start(text, 2000).split([')', '\n']).next().unwrap_or_default();
    inside.is_empty() || !inside.trim().contains(' ') || inside.contains(['/', '"'])
}

/// Markdown's link whose address has blanks, as Obsidian, Pelican and kramdown read it:
/// `](../My Notes/a.md)`, and the same behind a bare `]`. Its length from `(` on; what
/// CommonMark reads in its stead goes to `out`.
pub fn blank_address(rest: &str, out: &mut String) -> usize {
    let Some(inside) = rest.strip_prefix('(') else { return 0 };
    let line = start(inside, 1000).split('\n').next().unwrap_or_default();
    if !line.contains(')') || !line.contains(' ') {
        return 0;
    }
    let mut open = 0;
    let end = line.char_indices().find(|&(_, it)| {
        open += i32::from(it == '(') - i32::from(it == ')');
        open < 0
    });
    let Some((end, _)) = end else { return 0 };
    let address = &line[..end];
    let is_template = address.contains("{{") || address.contains("{%");
    let is_plain = !is_template
        && !address.contains(['"', '\'', '<', '>', '\\', '`', '(', ')'])
        && address.trim() == address
        && address.contains(' ');
    // Words in parentheses are no address; a path or a file's name is one.
    let is_path = address.contains('/')
        || address.contains(':')
        || address.starts_with('#')
        || address.rsplit_once('.').is_some_and(|(_, extension)| {
            (1..=5).contains(&extension.len())
                && extension.bytes().all(|it| it.is_ascii_alphanumeric())
        });
    if !is_plain || !is_path {
        return 0;
    }
    out.push_str("(<");
    out.push_str(address);
    out.push_str(">)");
    end + 2
}

/// `[[Name]]`, `[[Name#Part|label]]`, `![[picture.png]]` as ordinary links; the length,
/// 0 where it is none.
pub fn wikilink(rest: &str, out: &mut String) -> usize {
    let is_embedded = rest.starts_with('!');
    let inside_from = 2 + usize::from(is_embedded);
    let Some(close) = start(rest, 400).find("]]").filter(|&it| it > inside_from) else { return 0 };
    let inside = &rest[inside_from..close];
    let after = &rest[close + 2..];
    // A definition of a reference, whose label has brackets.
    if after.starts_with(':') && out.rsplit('\n').next().is_none_or(|it| it.trim().is_empty()) {
        return 0;
    }
    // An index of an index, as programs write it; a name with its label is none.
    let is_labelled = inside.contains('|');
    if out.ends_with(|it: char| it.is_ascii_alphanumeric()) && !is_embedded && !is_labelled {
        return 0;
    }
    let is_link = after.starts_with('[') || after.strip_prefix('(').is_some_and(is_address);
    let is_other = inside.contains(['[', ']', '\n', '<', '>', '{', '}'])
        || inside.starts_with([' ', '"', '\'', '^'])
        || (is_link && !is_labelled);
    if is_other {
        return 0;
    }
    let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
    let (target, label) = (target.trim_end_matches('\\').trim(), label.trim());
    if target.is_empty() {
        return 0;
    }
    out.push_str(&shortcodes::wikilink(target, label, is_embedded));
    close + 2
}
