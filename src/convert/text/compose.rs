//! Blocks to HTML: which short lines are headings, which paragraphs quotations,
//! and how all of it is written.

use std::borrow::Cow;

use crate::convert::text::blocks::{self, Block, PLAIN_RANK};
use crate::convert::text::document::{self, Document};
use crate::convert::text::inline;
use crate::convert::text::lines::Line;
use crate::convert::text::lists::{self, Kind};
use crate::convert::text::marks::{self, Ending, Quoted};
use crate::convert::text::paragraphs;
use crate::convert::text::phrases;
use crate::convert::text::shape::{LONG, Shape};

/// Wider lines are no headings unless they are marked as such.
const WIDEST_HEADING: u32 = 80;

/// Paragraphs that one quotation may span.
const LONGEST_QUOTATION: usize = 8;

/// Appends the HTML of `lines`, blocks separated by line breaks.
pub fn html<'a>(
    lines: &[Line<'a>],
    shape: &Shape,
    document: &Document<'a>,
    depth: u8,
    out: &mut String,
) {
    let mut blocks = blocks::blocks(lines, shape, document, depth);
    if depth == 0 {
        mark_headings(&mut blocks, lines, shape, document);
    }
    Writer { blocks: &blocks, lines, shape, document, depth, ranks: ranks(&blocks), out }.run();
}

/// Appends what an item of a list holds, behind the open `<li`: without paragraphs
/// where it is one.
pub fn item<'a>(
    lines: &[Line<'a>],
    mark: &str,
    shape: &Shape,
    document: &Document<'a>,
    depth: u8,
    out: &mut String,
) {
    let blocks = blocks::blocks(lines, shape, document, depth);
    let is_text = |it: &Block| !matches!(it, Block::Made(_) | Block::Rule);
    let mut writer =
        Writer { blocks: &blocks, lines, shape, document, depth, ranks: ranks(&blocks), out };
    let is_tight = blocks.iter().skip(1).all(|it| !is_text(it));
    match blocks.first() {
        Some(Block::Flow(from, to)) if is_tight => {
            let text = paragraphs::join(&lines[*from..*to], shape, document);
            writer.open("", &text);
            writer.out.push_str(mark);
            inline::write(&text, document, writer.out);
            for block in 1..blocks.len() {
                writer.out.push('\n');
                writer.block(block);
            }
        }
        _ => {
            writer.out.push('>');
            writer.out.push_str(mark);
            writer.run();
        }
    }
}

// Headings

fn mark_headings<'a>(
    blocks: &mut [Block<'a>],
    lines: &[Line<'a>],
    shape: &Shape,
    document: &Document<'a>,
) {
    let sizes: Vec<u32> = blocks.iter().map(|it| size(it, lines)).collect();
    let Some(last_long) = sizes.iter().rposition(|it| *it >= LONG) else {
        return mark_parts(blocks, lines, document);
    };
    let outline = Outline { blocks, lines, shape, document, sizes: &sizes };
    let found: Vec<usize> = (0..last_long).filter(|it| outline.is_heading(*it)).collect();
    for at in found {
        set_heading(&mut blocks[at], lines);
    }
}

/// In verse the lines between stanzas name the parts.
fn mark_parts<'a>(blocks: &mut [Block<'a>], lines: &[Line<'a>], document: &Document) {
    let is_stanza =
        |it: Option<&Block>| matches!(it, Some(Block::Verse(from, to)) if to - from >= 3);
    for at in 0..blocks.len() {
        let parts = (at == 0 || is_stanza(blocks.get(at - 1))) && is_stanza(blocks.get(at + 1));
        if parts
            && let Block::Flow(from, to) = blocks[at]
            && to - from == 1
            && lines[from].width <= 40
            && may_be_heading(&lines[from], document)
            && !phrases::is_byline(lines[from].text())
            && !phrases::is_dateline(lines[from].text())
            && at > 0
        {
            set_heading(&mut blocks[at], lines);
        }
    }
}

fn set_heading<'a>(block: &mut Block<'a>, lines: &[Line<'a>]) {
    if let Block::Flow(from, _) = *block {
        let text = lines[from].text();
        *block =
            Block::Heading { rank: PLAIN_RANK + numbered_depth(text), text: unemphasised(text) };
    }
}

/// Columns of text; a finished block counts as long.
fn size(block: &Block, lines: &[Line]) -> u32 {
    match block {
        Block::Flow(from, to) | Block::Verse(from, to) => {
            lines[*from..*to].iter().fold(0, |sum, it| sum.saturating_add(it.width))
        }
        Block::Made(_) => u32::MAX,
        Block::Heading { .. } | Block::Rule => 0,
    }
}

/// `1.` and `1` are depth 0, `1.2` is 1; so is a number in brackets.
fn numbered_depth(text: &str) -> u8 {
    if text.starts_with(['(', '（']) {
        return 1;
    }
    let number = text.split(char::is_whitespace).next().unwrap_or("").trim_end_matches('.');
    let parts: Vec<&str> = number.split('.').collect();
    let is_number = parts.iter().all(|it| !it.is_empty() && it.chars().all(char::is_numeric));
    if is_number { parts.len().saturating_sub(1).min(3) as u8 } else { 0 }
}

/// A heading that is emphasised as a whole needs no marks of it.
fn unemphasised(text: &str) -> &str {
    for mark in ["**", "__", "*", "_"] {
        if let Some(inner) = text.strip_prefix(mark).and_then(|it| it.strip_suffix(mark))
            && !inner.contains(['*', '_'])
            && !inner.trim().is_empty()
        {
            return inner.trim();
        }
    }
    text
}

/// Whether a line alone looks like a heading: words, and nothing at the end that
/// closes or goes on.
fn may_be_heading(line: &Line, document: &Document) -> bool {
    let text = line.text();
    line.width <= WIDEST_HEADING
        && (marks::ending(text) == Ending::Nothing || marks::ends_in_initials(text))
        && text.contains(char::is_alphanumeric)
        && line.begins_small() != Some(true)
        && !matches!(lists::marker(text).map(|it| it.kind), Some(Kind::Dash(_) | Kind::Bullet(_)))
        && !(text.starts_with(['(', '（']) && text.ends_with([')', '）']))
        && (text.contains(char::is_whitespace) || !text.contains(['@', '/']))
        && marks::quoted(text) == Quoted::No
        && !blocks::is_note(line)
        && !document.is_turn(line)
        && !paragraphs::is_attribution(text)
        && !phrases::is_salutation(text)
        && !phrases::is_caption(text)
        && !phrases::is_kicker(text)
        && !holds_sentence(text)
}

/// Whether a sentence ends within a text: a stop and a blank behind a common word,
/// which is no number, title or initial.
fn holds_sentence(text: &str) -> bool {
    text.match_indices(". ").any(|(at, _)| {
        let letters = text[..at].chars().rev().take_while(|it| it.is_alphabetic());
        let (mut count, mut is_common) = (0, true);
        for letter in letters.take(3) {
            count += 1;
            is_common &= !letter.is_uppercase();
        }
        count == 3 && is_common && text[..at].contains(' ')
    }) || text.trim_end_matches(marks::ends_sentence).contains(|it| {
        marks::ends_sentence(it) && marks::is_cjk_punctuation(it) && !marks::is_loud(it)
    })
}

struct Outline<'l, 'a> {
    blocks: &'l [Block<'a>],
    lines: &'l [Line<'a>],
    shape: &'l Shape,
    document: &'l Document<'a>,
    sizes: &'l [u32],
}

impl Outline<'_, '_> {
    /// Whether the paragraph at `at` is a heading: a short line between longer
    /// paragraphs.
    fn is_heading(&self, at: usize) -> bool {
        self.may_be(at) && self.follows(at) && self.leads(at)
    }

    fn may_be(&self, at: usize) -> bool {
        let Some(Block::Flow(from, to)) = self.blocks.get(at) else {
            return false;
        };
        let line = &self.lines[*from];
        let is_opening =
            at == 0 && (phrases::is_dateline(line.text()) || phrases::is_byline(line.text()));
        // Where the text is indented, what is indented with it is text.
        let stands_out = self.shape.base < 2
            || line.indent < self.shape.base
            || line.indent >= self.shape.base + 8;
        to - from == 1
            && stands_out
            && !is_opening
            && may_be_heading(line, self.document)
            && (at == 0 || line.blanks > 0 || !self.shape.by_blank)
    }

    /// Whether what stands before it lets it be one.
    fn follows(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return true;
        };
        match &self.blocks[before] {
            Block::Flow(..) => {
                self.sizes[before] >= self.sizes[at].saturating_mul(6) / 5
                    || (self.is_apart(at) && (self.may_be(before) || before == 0))
                    || self.is_quotation(before)
            }
            Block::Verse(..) => self.is_apart(at),
            Block::Heading { .. } | Block::Rule | Block::Made(_) => true,
        }
    }

    /// Whether what stands below it needs one.
    fn leads(&self, at: usize) -> bool {
        let next = at + 1;
        let long = LONG.max(self.sizes[at].saturating_mul(3) / 2);
        let is_long = |it: usize| self.sizes.get(it).is_some_and(|size| *size >= long);
        match self.blocks.get(next) {
            Some(Block::Made(_)) => true,
            Some(Block::Flow(from, _)) => {
                is_long(next)
                    || (self.is_apart(at) && self.is_numbered(at))
                    || (self.is_apart(at)
                        && self.lines[*from].ending() == Ending::Sentence
                        && self.sizes[next] >= self.sizes[at].max(20).saturating_mul(3) / 2)
                    || (self.is_apart(at)
                        && self.may_be(next)
                        && self.is_apart(next)
                        && is_long(next + 1))
            }
            // Ingredients, an address: lines that some text goes on after.
            Some(Block::Verse(from, to)) => self.is_apart(at) && (is_long(next) || to - from >= 3),
            Some(Block::Heading { .. } | Block::Rule) | None => false,
        }
    }

    /// Whether blank lines stand before and after it.
    fn is_apart(&self, at: usize) -> bool {
        let first = |it: usize| match self.blocks.get(it) {
            Some(Block::Flow(from, _) | Block::Verse(from, _)) => self.lines.get(*from),
            _ => None,
        };
        (at == 0 || first(at).is_some_and(|it| it.blanks > 0))
            && first(at + 1).is_none_or(|it| it.blanks > 0)
    }

    /// Whether it begins with the number of a section.
    fn is_numbered(&self, at: usize) -> bool {
        match self.blocks[at] {
            Block::Flow(from, _) => starts_with_number(self.lines[from].text()),
            _ => false,
        }
    }

    fn is_quotation(&self, at: usize) -> bool {
        match self.blocks[at] {
            Block::Flow(from, to) if to - from == 1 => {
                marks::quoted(self.lines[from].text()) == Quoted::Whole
            }
            _ => false,
        }
    }
}

/// `1 Title`, `2.3. Title`.
pub fn starts_with_number(text: &str) -> bool {
    let number = text.split(char::is_whitespace).next().unwrap_or("");
    number.len() < text.len()
        && number.len() <= 8
        && number.starts_with(char::is_numeric)
        && number.chars().all(|it| it.is_numeric() || it == '.')
}

// Writing

struct Writer<'l, 'a, 'o> {
    blocks: &'l [Block<'a>],
    lines: &'l [Line<'a>],
    shape: &'l Shape,
    document: &'l Document<'a>,
    depth: u8,
    /// The ranks of headings that the blocks use, a bit each.
    ranks: u64,
    out: &'o mut String,
}

fn ranks(blocks: &[Block]) -> u64 {
    blocks.iter().fold(0, |sum, it| match it {
        Block::Heading { rank, .. } => sum | 1 << rank,
        _ => sum,
    })
}

impl<'a> Writer<'_, 'a, '_> {
    fn run(&mut self) {
        let mut at = 0;
        while at < self.blocks.len() {
            if at > 0 {
                self.out.push('\n');
            }
            at = match self.quotation(at) {
                Some(end) => end,
                None => {
                    self.block(at);
                    at + 1
                }
            };
        }
    }

    fn block(&mut self, at: usize) {
        match &self.blocks[at] {
            Block::Flow(from, to) => {
                let text = self.join(*from, *to);
                self.element("p", &text);
            }
            Block::Verse(from, to) => self.verse(*from, *to),
            Block::Heading { rank, text } => {
                const TAGS: [&str; 5] = ["h2", "h3", "h4", "h5", "h6"];
                let level = self.level(*rank) + usize::from(self.depth > 0);
                self.element(TAGS[level.min(4)], text);
            }
            Block::Rule => self.out.push_str("<hr>"),
            Block::Made(html) => self.out.push_str(html),
        }
    }

    /// How many higher ranks the text uses.
    fn level(&self, rank: u8) -> usize {
        (self.ranks & ((1 << rank) - 1)).count_ones() as usize
    }

    fn join(&self, from: usize, to: usize) -> Cow<'a, str> {
        paragraphs::join(&self.lines[from..to], self.shape, self.document)
    }

    /// Writes the start tag for `text`, `<name` at least; says which way it runs
    /// where that is not the text's way.
    fn open(&mut self, name: &str, text: &str) {
        if !name.is_empty() {
            self.out.push('<');
            self.out.push_str(name);
        }
        if let Some(direction) = self.document.other_direction(text) {
            self.out.push_str(" dir=\"");
            self.out.push_str(direction);
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn element(&mut self, name: &str, text: &str) {
        self.open(name, text);
        match document::note_label(text) {
            // The label of a note is no mark that refers to it.
            Some(note) => {
                self.out.push('[');
                self.out.push_str(note.label);
                self.out.push(']');
                inline::write(&text[note.length..], self.document, self.out);
            }
            None => inline::write(text, self.document, self.out),
        }
        self.close(name);
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn verse(&mut self, from: usize, to: usize) {
        self.open("p", self.lines[from].text());
        for at in from..to {
            if at > from {
                self.out.push_str("<br>\n");
            }
            inline::write(self.lines[at].text(), self.document, self.out);
        }
        self.close("p");
    }

    /// Writes the quotation that begins at `at`, with who is quoted; gives the block
    /// after it.
    fn quotation(&mut self, at: usize) -> Option<usize> {
        let (from, to) = match self.blocks[at] {
            Block::Flow(from, to) | Block::Verse(from, to) => (from, to),
            _ => return None,
        };
        let opens = !marks::quotation_closers(self.lines[from].first_char()).is_empty();
        if self.depth > 0 || self.document.is_turn(&self.lines[from]) {
            return None;
        }
        if !opens {
            let is_signed = self.is_signed(at, to);
            return is_signed.then(|| {
                self.figure(at, at + 1, self.lines[to].text());
                at + 2
            });
        }
        let text = self.join(from, to);
        let split = marks::split_quotation(&text).filter(|(_, name)| is_name(name));
        if let Some((words, name)) = split {
            self.out.push_str("<figure><blockquote>");
            self.element("p", words);
            self.out.push_str("</blockquote><figcaption>");
            inline::write(name, self.document, self.out);
            self.out.push_str("</figcaption></figure>");
            return Some(at + 1);
        }
        let end = self.quotation_end(at, &text)?;
        if let Some(name) = self.attribution(end, &text) {
            self.figure(at, end, name);
            return Some(end + 1);
        }
        if self.document.dialogue {
            return None;
        }
        self.out.push_str("<blockquote>");
        self.paragraphs(at, end);
        self.out.push_str("</blockquote>");
        Some(end)
    }

    /// Where the quotation that begins with the paragraph at `at` ends: each but
    /// the last paragraph of it opens and does not close.
    fn quotation_end(&self, at: usize, text: &str) -> Option<usize> {
        let mut state = marks::quoted(text);
        let open = text.chars().next();
        let mut end = at + 1;
        while state == Quoted::Open && end - at < LONGEST_QUOTATION {
            let Some(Block::Flow(from, to)) = self.blocks.get(end) else {
                return None;
            };
            if Some(self.lines[*from].first_char()) != open {
                return None;
            }
            state = marks::quoted(&self.join(*from, *to));
            end += 1;
        }
        (state == Quoted::Whole).then_some(end)
    }

    /// Who is quoted, as the block at `at` says: `— Ann Lee`, or `said the mayor.`
    /// where the quotation ends in a comma.
    fn attribution(&self, at: usize, quotation: &str) -> Option<&'a str> {
        let Some(Block::Flow(from, to)) = self.blocks.get(at) else {
            return None;
        };
        let line = &self.lines[*from];
        let text = line.text();
        if to - from > 1 || line.width > 80 {
            return None;
        }
        let is_bracketed = text.starts_with('(') && text.ends_with(')') && line.blanks == 0;
        if paragraphs::is_attribution(text) || is_bracketed {
            return Some(text);
        }
        let goes_on = marks::last_mark(quotation).is_some_and(marks::is_comma);
        let is_said = line.blanks == 0
            && line.width <= 60
            && (goes_on || line.begins_small() == Some(true))
            && !text.trim_end_matches(marks::ends_sentence).contains(marks::ends_sentence)
            && !self.document.dialogue;
        is_said.then_some(text)
    }

    /// Whether the paragraph before line `to` is quoted only by the name below it.
    fn is_signed(&self, at: usize, to: usize) -> bool {
        let is_paragraph = matches!(self.blocks[at], Block::Flow(..));
        let Some(Block::Flow(from, end)) = self.blocks.get(at + 1) else {
            return false;
        };
        let line = &self.lines[*from];
        let is_name = *from == to && end - from == 1 && line.blanks == 0;
        is_paragraph
            && is_name
            && line.text().starts_with(['—', '―', '–'])
            && paragraphs::is_attribution(line.text())
            && (at == 0 || self.lines[to - 1].width > 40)
            && !self.document.dialogue
    }

    fn figure(&mut self, from: usize, to: usize, name: &str) {
        self.out.push_str("<figure><blockquote>");
        self.paragraphs(from, to);
        self.out.push_str("</blockquote><figcaption>");
        inline::write(name, self.document, self.out);
        self.out.push_str("</figcaption></figure>");
    }

    fn paragraphs(&mut self, from: usize, to: usize) {
        for at in from..to {
            if at > from {
                self.out.push('\n');
            }
            self.block(at);
        }
    }
}

/// Whether a text behind a quotation says whose it is.
fn is_name(text: &str) -> bool {
    marks::width(text) <= 80
        && text.contains(char::is_alphabetic)
        && (text.starts_with('(') || paragraphs::is_attribution(text))
}
