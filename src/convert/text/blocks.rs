//! Lines to blocks: what kind of thing stands where. Each rule looks at a bounded
//! number of lines ahead or remembers what it found, so that the work is linear.

use crate::convert::text::compose;
use crate::convert::text::document::{self, Document};
use crate::convert::text::lines::Line;
use crate::convert::text::lists;
use crate::convert::text::marks;
use crate::convert::text::paragraphs;
use crate::convert::text::shape::Shape;
use crate::convert::text::strokes;
use crate::convert::text::verbatim;

/// A part of the text; numbers are lines, from the first to before the last.
#[derive(Debug)]
pub enum Block<'a> {
    /// A paragraph.
    Flow(usize, usize),
    /// A paragraph that keeps its line breaks.
    Verse(usize, usize),
    /// A lower rank stands higher.
    Heading {
        rank: u8,
        text: &'a str,
    },
    Rule,
    /// Finished HTML: a list, a quoted passage, code, a table.
    Made(String),
}

/// Containers within containers; deeper ones are set as paragraphs.
pub const DEEPEST: u8 = 8;

/// How far a rule looks ahead.
pub const AHEAD: usize = 16;

/// The rank of a heading that nothing but its shape shows.
pub const PLAIN_RANK: u8 = 8;

pub fn blocks<'a>(
    lines: &[Line<'a>],
    shape: &Shape,
    document: &Document<'a>,
    depth: u8,
) -> Vec<Block<'a>> {
    let mut scan = Scan {
        lines,
        shape,
        document,
        depth,
        blocks: Vec::new(),
        table: (0, 0),
        no_table_before: 0,
        no_code_before: 0,
        unclosed: [usize::MAX; 2],
    };
    let mut at = 0;
    while at < lines.len() {
        at = scan.next(at);
    }
    scan.blocks
}

pub struct Scan<'l, 'a> {
    pub lines: &'l [Line<'a>],
    pub shape: &'l Shape,
    pub document: &'l Document<'a>,
    pub depth: u8,
    pub blocks: Vec<Block<'a>>,
    /// The last table found.
    table: (usize, usize),
    no_table_before: usize,
    no_code_before: usize,
    /// Fences of backticks and of tildes that are as long or longer are never closed.
    unclosed: [usize; 2],
}

impl<'a> Scan<'_, 'a> {
    /// Takes the block at line `at`; gives the line after it.
    fn next(&mut self, at: usize) -> usize {
        let line = &self.lines[at];
        let text = line.text();
        if let Some(end) = self.fenced(at) {
            return end;
        }
        if let Some((rank, title)) = self.overlined(at) {
            self.blocks.push(Block::Heading { rank, text: title });
            return at + 3;
        }
        if strokes::is_rule(text) {
            self.blocks.push(Block::Rule);
            return at + 1;
        }
        if self.is_quoted(at) {
            return self.quotation(at);
        }
        if let Some(end) = self.table_end(at) {
            let mut out = String::new();
            verbatim::write(&self.lines[at..end], false, &mut out);
            self.blocks.push(Block::Made(out));
            return end;
        }
        if let Some((rank, title)) = strokes::marked_heading(text) {
            let end = self.comment_end(at, rank);
            if end - at > 1 {
                let mut out = String::new();
                verbatim::write(&self.lines[at..end], true, &mut out);
                self.blocks.push(Block::Made(out));
            } else {
                self.blocks.push(Block::Heading { rank, text: title });
            }
            return end;
        }
        if let Some(rank) = self.underlined(at) {
            self.blocks.push(Block::Heading { rank, text });
            return at + 2;
        }
        if let Some(marker) = self.list_begins(at, false) {
            return self.list(at, marker);
        }
        if let Some(end) = self.set_off(at) {
            return end;
        }
        self.paragraph(at)
    }

    fn paragraph(&mut self, from: usize) -> usize {
        let mut to = from + 1;
        while to < self.lines.len() && self.lines[to].blanks == 0 && !self.interrupts(to) {
            to += 1;
        }
        paragraphs::split(self.lines, (from, to), self.shape, self.document, &mut self.blocks);
        to
    }

    /// Whether something else begins at a line that no blank line parts from a
    /// paragraph.
    fn interrupts(&mut self, at: usize) -> bool {
        let line = &self.lines[at];
        let text = line.text();
        let first = line.first_char();
        if first.is_alphabetic()
            && line.indent < self.shape.base + 4
            && !first.is_ascii_alphabetic()
        {
            return self.table_end(at).is_some() || self.underlined(at).is_some();
        }
        strokes::is_rule(text)
            || self.is_quoted(at)
            || self.fence_end(at).is_some()
            || strokes::marked_heading(text).is_some()
            || self.table_end(at).is_some()
            || self.underlined(at).is_some()
            || self.list_begins(at, true).is_some()
            || self.is_attached_code(at)
    }

    // Code and tables

    fn fence_end(&mut self, at: usize) -> Option<usize> {
        let fence = verbatim::fence(self.lines[at].text())?;
        let unclosed = &mut self.unclosed[usize::from(fence.sign == b'~')];
        if fence.length >= *unclosed {
            return None;
        }
        let end = (at + 1..self.lines.len()).find(|it| fence.is_closed_by(self.lines[*it].text()));
        if end.is_none() {
            *unclosed = fence.length;
        }
        end
    }

    fn fenced(&mut self, at: usize) -> Option<usize> {
        let end = self.fence_end(at)?;
        let fence = verbatim::fence(self.lines[at].text())?;
        let mut out = String::new();
        verbatim::write_fenced(&fence, self.lines[at].indent, &self.lines[at + 1..end], &mut out);
        self.blocks.push(Block::Made(out));
        Some(end + 1)
    }

    /// Where the table that begins at `at` ends.
    fn table_end(&mut self, at: usize) -> Option<usize> {
        if self.table.0 == at && self.table.1 > at {
            return Some(self.table.1);
        }
        if at < self.no_table_before || !verbatim::is_row(&self.lines[at]) {
            return None;
        }
        let mut end = at + 1;
        while let Some(line) = self.lines.get(end)
            && line.blanks == 0
            && (verbatim::is_row(line) || strokes::is_rule(line.text()))
        {
            end += 1;
        }
        if strokes::is_rule(self.lines[end - 1].text()) && !verbatim::is_row(&self.lines[end - 1]) {
            end -= 1;
        }
        if verbatim::is_table(&self.lines[at..end]) {
            self.table = (at, end);
            Some(end)
        } else {
            self.no_table_before = end;
            None
        }
    }

    /// A passage that stands further right than the text: code, or a quotation.
    fn set_off(&mut self, at: usize) -> Option<usize> {
        let end = self.set_off_end(at)?;
        let run = &self.lines[at..end];
        let is_attached = self.lines.get(end).is_some_and(|it| it.blanks == 0);
        let is_code = verbatim::is_code(run, self.shape);
        if is_code && !(is_attached && run.len() == 1 && run[0].width > 24) {
            let mut out = String::new();
            verbatim::write(run, true, &mut out);
            self.blocks.push(Block::Made(out));
            return Some(end);
        }
        let least = run.iter().map(|it| it.indent).min().unwrap_or(0);
        let is_quotation = !is_code
            && !is_attached
            && self.depth < DEEPEST
            && least < self.shape.base + 12
            && !self.shape.is_verse
            && (self.shape.by_blank || run.len() > 1)
            && (at > 0 || self.depth > 0);
        if !is_quotation {
            self.no_code_before = end;
            return None;
        }
        let inner: Vec<Line> = run.iter().map(|it| it.outdented(least)).collect();
        self.push_quotation(&inner, least);
        Some(end)
    }

    /// Where the passage that begins at `at` ends: chunks with blank lines between
    /// them belong together where they are of one kind.
    fn set_off_end(&self, at: usize) -> Option<usize> {
        if at < self.no_code_before || !self.is_set_off(at) {
            return None;
        }
        let mut end = self.chunk_end(at);
        let is_code = verbatim::is_code(&self.lines[at..end], self.shape);
        while end < self.lines.len() && self.is_set_off(end) {
            let next = self.chunk_end(end);
            let is_attached = self.lines.get(next).is_some_and(|it| it.blanks == 0);
            if is_attached || verbatim::is_code(&self.lines[end..next], self.shape) != is_code {
                break;
            }
            end = next;
        }
        Some(end)
    }

    fn is_set_off(&self, at: usize) -> bool {
        let line = &self.lines[at];
        line.indent >= self.shape.base + 4 && !line.begins_with_ideographic_blank()
    }

    /// Where the lines end that are set off like the one at `at`, with no blank line
    /// between.
    fn chunk_end(&self, at: usize) -> usize {
        let is_inside = |it: &usize| self.lines[*it].blanks == 0 && self.is_set_off(*it);
        at + 1 + (at + 1..self.lines.len()).take_while(is_inside).count()
    }

    /// Code right below the sentence that announces it.
    fn is_attached_code(&mut self, at: usize) -> bool {
        let before = &self.lines[at - 1];
        if before.indent + 4 > self.lines[at].indent {
            return false;
        }
        let Some(end) = self.set_off_end(at) else {
            return false;
        };
        let is_announced = before.text().ends_with(marks::is_colon);
        let is_code = is_announced && verbatim::is_code(&self.lines[at..end], self.shape);
        if !is_code {
            self.no_code_before = end;
        }
        is_code
    }

    /// Where the lines end that are marked alike with nothing between them: as
    /// programs mark comments, not as people mark headings.
    fn comment_end(&self, at: usize, rank: u8) -> usize {
        let is_alike = |it: &&Line| {
            it.blanks == 0 && strokes::marked_heading(it.text()).is_some_and(|it| it.0 == rank)
        };
        at + 1 + self.lines[at + 1..].iter().take_while(is_alike).count()
    }

    // Headings

    /// `=====`, a title, `=====`.
    fn overlined(&self, at: usize) -> Option<(u8, &'a str)> {
        let [over, title, under] = self.lines.get(at..at + 3)? else {
            return None;
        };
        let (sign, length) = strokes::underline(over.text())?;
        let is_box = title.blanks == 0
            && under.blanks == 0
            && strokes::underline(under.text()) == Some((sign, length))
            && strokes::underline(title.text()).is_none()
            && title.width <= length.max(8);
        is_box.then(|| (strokes::rank_of(sign).saturating_sub(1), title.text()))
    }

    /// The rank of the heading at `at` that a line of strokes below it makes one.
    fn underlined(&self, at: usize) -> Option<u8> {
        let (line, under) = (&self.lines[at], self.lines.get(at + 1)?);
        if under.blanks > 0 {
            return None;
        }
        let (sign, length) = strokes::underline(under.text())?;
        if line.width > 120
            || strokes::is_rule(line.text())
            || lists::marker(line.text()).is_some_and(|it| !it.kind.is_ordered())
        {
            return None;
        }
        let begins = at == 0 || line.blanks > 0 || !self.ends_in_paragraph(at);
        let fits = length.abs_diff(line.width) <= 3;
        let covers = (length * 2 >= line.width || (sign == '=' && line.width <= 60))
            && length <= line.width.saturating_mul(2).max(12);
        let has_letters = line.text().contains(char::is_alphanumeric);
        (has_letters && (fits || (begins && covers))).then(|| strokes::rank_of(sign))
    }

    /// Whether the line before `at` belongs to a paragraph still open.
    fn ends_in_paragraph(&self, at: usize) -> bool {
        match self.blocks.last() {
            Some(Block::Flow(_, to) | Block::Verse(_, to)) => {
                *to < at || self.lines[at].blanks == 0
            }
            Some(_) => false,
            None => at > 0,
        }
    }

    // Quotations by sign

    /// `> text`; a single `>` before a word needs a neighbour.
    fn is_quoted(&self, at: usize) -> bool {
        let is_marked = |it: &Line| it.text().starts_with('>');
        let line = &self.lines[at];
        is_marked(line)
            && (matches!(line.text().as_bytes().get(1), None | Some(b' ' | b'>' | b'\t'))
                || self.lines.get(at + 1).is_some_and(|it| it.blanks == 0 && is_marked(it))
                || (line.blanks == 0 && at > 0 && is_marked(&self.lines[at - 1])))
    }

    fn quotation(&mut self, from: usize) -> usize {
        let is_deepest = self.depth + 1 >= DEEPEST;
        let mut inner = Vec::new();
        let mut blanks = 0u32;
        let mut to = from;
        while to < self.lines.len() && self.lines[to].text().starts_with('>') {
            let line = &self.lines[to];
            let text = line.text();
            let rest = if is_deepest {
                text.trim_start_matches(['>', ' ', '\t'])
            } else {
                text[1..].strip_prefix(' ').unwrap_or(&text[1..])
            };
            blanks = blanks.saturating_add(line.blanks);
            match Line::new(rest, blanks) {
                Some(line) => {
                    inner.push(line);
                    blanks = 0;
                }
                None => blanks = blanks.saturating_add(1),
            }
            to += 1;
        }
        if !inner.is_empty() {
            self.push_quotation(&inner, 2);
        }
        to
    }

    fn push_quotation(&mut self, inner: &[Line<'a>], columns: u32) {
        let shape = self.shape.within(inner, columns, self.document);
        let mut out = String::from("<blockquote>");
        compose::html(inner, &shape, self.document, self.depth + 1, &mut out);
        out.push_str("</blockquote>");
        self.blocks.push(Block::Made(out));
    }
}

/// Whether a note begins at a line.
pub fn is_note(line: &Line) -> bool {
    document::note_label(line.text()).is_some() || marks::is_raised_digit(line.first_char())
}
