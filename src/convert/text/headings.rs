//! Headings that nothing but their shape shows: short lines between longer
//! paragraphs.

use crate::convert::text::blocks::{self, Block, PLAIN_RANK};
use crate::convert::text::document::Document;
use crate::convert::text::lines::Line;
use crate::convert::text::lists::{self, Kind};
use crate::convert::text::marks::{self, Ending, Quoted};
use crate::convert::text::paragraphs;
use crate::convert::text::phrases;
use crate::convert::text::shape::{LONG, Shape};

/// Wider lines are no headings unless they are marked as such.
const WIDEST_HEADING: u32 = 80;
const WIDEST_UNSPACED: u32 = 44;

/// Makes headings of the short lines between longer paragraphs.
pub fn mark<'a>(
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
    let mut found: Vec<usize> = (0..last_long).filter(|it| outline.is_heading(*it)).collect();
    found.extend(outline.questions());
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

/// Columns of text as Latin takes them, which says half as much again in Chinese and
/// Japanese; a finished block counts as long.
fn size(block: &Block, lines: &[Line]) -> u32 {
    match block {
        Block::Flow(from, to) | Block::Verse(from, to) => {
            let columns =
                lines[*from..*to].iter().fold(0, |sum: u32, it| sum.saturating_add(it.width));
            match marks::is_cjk(lines[*from].first_char()) {
                true => columns.saturating_add(columns / 2),
                false => columns,
            }
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
    if is_number(text) {
        return 1;
    }
    let number = text.split(char::is_whitespace).next().unwrap_or("").trim_end_matches('.');
    let parts: Vec<&str> = number.split('.').collect();
    let is_number = parts.iter().all(|it| !it.is_empty() && it.chars().all(char::is_numeric));
    if is_number { parts.len().saturating_sub(1).min(3) as u8 } else { 0 }
}

/// `III.`, `4`: a number alone.
fn is_number(text: &str) -> bool {
    let number = text.trim_end_matches('.');
    (1..=6).contains(&number.len())
        && (number.bytes().all(|it| b"IVXLC".contains(&it))
            || number.bytes().all(|it| it.is_ascii_digit()))
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
        && (marks::ending(text) == Ending::Nothing
            || marks::ends_in_initials(text)
            || is_number(text))
        && text.contains(char::is_alphanumeric)
        && line.begins_small() != Some(true)
        && !matches!(lists::marker(text).map(|it| it.kind), Some(Kind::Dash(_) | Kind::Bullet(_)))
        && !(text.starts_with(['(', '（']) && text.ends_with([')', '）']))
        && !text.contains('@')
        && !text.contains("://")
        && (text.contains(char::is_whitespace) || !text.contains('/'))
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
        let begins = |at: usize| match self.blocks.get(at) {
            Some(Block::Flow(from, _) | Block::Verse(from, _)) => self.lines[*from].text(),
            _ => "",
        };
        // A letter has its date above the salutation, and its sender above that.
        let is_of_letter = phrases::is_salutation(begins(at + 1));
        let is_opening = (at == 0 || is_of_letter)
            && (phrases::is_dateline(line.text()) || phrases::is_byline(line.text()));
        // Where the text is indented, what is indented with it is text.
        let stands_out = self.shape.base < 2
            || line.indent < self.shape.base
            || line.indent >= self.shape.base + 8;
        to - from == 1
            && (line.width <= WIDEST_UNSPACED || !self.is_unspaced(at))
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
        // Thai and its kin end sentences with nothing: only length tells.
        let factor = if self.is_unspaced(at) { 6 } else { 3 };
        let long = LONG.max(self.sizes[at].saturating_mul(factor) / 2);
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

    fn is_unspaced(&self, at: usize) -> bool {
        match self.blocks[at] {
            Block::Flow(from, _) => marks::is_unspaced(self.lines[from].last_char()),
            _ => false,
        }
    }

    /// Questions that are answered one after the other, each on a line of its own.
    fn questions(&self) -> Vec<usize> {
        let asks = |at: usize| match self.blocks.get(at) {
            Some(Block::Flow(_, to)) => {
                marks::last_mark(self.lines[to - 1].text()).is_some_and(marks::is_question)
            }
            _ => false,
        };
        let mut found = Vec::new();
        for at in (0..self.blocks.len()).filter(|it| asks(*it)) {
            let Block::Flow(from, to) = self.blocks[at] else {
                continue;
            };
            let line = &self.lines[from];
            let is_question = to - from == 1
                && line.width <= WIDEST_HEADING
                && (at == 0 || line.blanks > 0)
                && line.begins_small() != Some(true)
                && !marks::is_opener(line.first_char())
                && line.first_char().is_alphanumeric()
                && !self.document.is_turn(line)
                && at + 1 < self.blocks.len()
                && !asks(at + 1)
                && self.is_apart(at);
            if !is_question {
                return Vec::new();
            }
            found.push(at);
        }
        if found.len() >= 3 { found } else { Vec::new() }
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
