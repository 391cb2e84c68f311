//! Blocks to HTML: which paragraphs are quotations and of whom, and how all of it is
//! written.

use std::borrow::Cow;

use crate::convert::text::blocks::{self, Block};
use crate::convert::text::document::{self, Document};
use crate::convert::text::headings;
use crate::convert::text::inline;
use crate::convert::text::lines::Line;
use crate::convert::text::marks::{self, Quoted};
use crate::convert::text::paragraphs;
use crate::convert::text::shape::Shape;

/// Paragraphs in quotation marks that tell enough of a text.
const SAMPLE: usize = 500;

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
        headings::mark(&mut blocks, lines, shape, document);
    }
    let mut writer = Writer::new(&blocks, lines, shape, document, depth, out);
    writer.is_dialogue = depth == 0 && writer.is_dialogue();
    writer.run();
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
    let mut writer = Writer::new(&blocks, lines, shape, document, depth, out);
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

struct Writer<'l, 'a, 'o> {
    blocks: &'l [Block<'a>],
    lines: &'l [Line<'a>],
    shape: &'l Shape,
    document: &'l Document<'a>,
    depth: u8,
    /// The ranks of headings that the blocks use, a bit each.
    ranks: u64,
    /// Speech is told: quotation marks make no quotations.
    is_dialogue: bool,
    out: &'o mut String,
}

fn ranks(blocks: &[Block]) -> u64 {
    blocks.iter().fold(0, |sum, it| match it {
        Block::Heading { rank, .. } => sum | 1 << rank,
        _ => sum,
    })
}

impl<'l, 'a, 'o> Writer<'l, 'a, 'o> {
    fn new(
        blocks: &'l [Block<'a>],
        lines: &'l [Line<'a>],
        shape: &'l Shape,
        document: &'l Document<'a>,
        depth: u8,
        out: &'o mut String,
    ) -> Writer<'l, 'a, 'o> {
        let ranks = ranks(blocks);
        Writer { blocks, lines, shape, document, depth, ranks, is_dialogue: false, out }
    }

    /// Whether speech is told: paragraphs that begin in quotation marks and go on
    /// outside, or one after the other wholly in them. Quotations with a name are
    /// none.
    fn is_dialogue(&self) -> bool {
        let (mut all, mut told, mut in_turn) = (0, 0, 0);
        let mut paragraphs = 0;
        let mut was_whole = false;
        for block in self.blocks {
            if all >= SAMPLE {
                break;
            }
            let Block::Flow(from, to) = block else {
                was_whole = false;
                continue;
            };
            paragraphs += 1;
            if marks::quotation_closers(self.lines[*from].first_char()).is_empty() {
                was_whole = false;
                continue;
            }
            all += 1;
            let text = self.join(*from, *to);
            in_turn += usize::from(was_whole);
            was_whole = false;
            match marks::quoted(&text) {
                Quoted::No => told += usize::from(marks::split_quotation(&text).is_none()),
                Quoted::Whole => was_whole = true,
                Quoted::Open => {}
            }
        }
        all >= 4 && all * 5 >= paragraphs && (told * 3 >= all || in_turn >= 2)
    }

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
        let has_name = self.attribution(at + 1, "").is_some();
        if self.is_dialogue && !has_name {
            return None;
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
        if self.is_dialogue {
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
            && !self.is_dialogue;
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
            && !self.is_dialogue
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
