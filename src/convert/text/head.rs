//! The headline and the subtitle: the first lines, where they are no part of what
//! follows. A letter, a poem, a list, a note of one line have none.

use std::ops::Range;

use crate::convert::text::blocks;
use crate::convert::text::document::Document;
use crate::convert::text::headings;
use crate::convert::text::lines::Line;
use crate::convert::text::lists;
use crate::convert::text::marks::{self, Ending, Quoted};
use crate::convert::text::paragraphs;
use crate::convert::text::phrases;
use crate::convert::text::shape::{self, LONG, SHORT, Shape};
use crate::convert::text::strokes;
use crate::convert::text::verbatim;

#[derive(Debug, Default)]
pub struct Head {
    pub title: Option<String>,
    pub subtitle: Option<String>,
    /// The lines that said so; the rest is the body.
    pub lines: Range<usize>,
}

/// Wider lines are paragraphs.
const WIDEST_TITLE: u32 = 200;
const WIDEST_SUBTITLE: u32 = 160;

/// How many lines the decision looks at.
const AHEAD: usize = 40;

pub fn find(lines: &[Line], shape: &Shape, document: &Document) -> Head {
    let top = Top { lines: &lines[..lines.len().min(AHEAD)], all: lines.len(), shape, document };
    let mut start = top.after_letterhead();
    let is_kicker = |it: &Line| phrases::is_kicker(it.text());
    while start < 3 && top.lines.get(start).is_some_and(is_kicker) && start + 2 < lines.len() {
        start += 1;
    }
    let Some((title, end)) = top.title(start) else {
        return Head::default();
    };
    let subtitle = top.subtitle(end).map(|it| (plain(it.text()), end + 1));
    let (subtitle, end) = subtitle.map_or((None, end), |(text, end)| (Some(text), end));
    Head { title: Some(title), subtitle, lines: start..end }
}

struct Top<'l, 'a> {
    lines: &'l [Line<'a>],
    all: usize,
    shape: &'l Shape,
    document: &'l Document<'a>,
}

impl Top<'_, '_> {
    /// Past the columns that open an RFC, where a centred title follows them.
    fn after_letterhead(&self) -> usize {
        let rows = 1 + self
            .lines
            .iter()
            .skip(1)
            .take_while(|it| it.blanks == 0 && verbatim::is_row(it))
            .count();
        let is_letterhead = self.lines.first().is_some_and(verbatim::is_row)
            && rows >= 2
            && verbatim::is_table(&self.lines[..rows.min(self.lines.len())]);
        match self.lines.get(rows) {
            Some(line) if is_letterhead && line.indent >= 8 && line.blanks > 0 => rows,
            _ => 0,
        }
    }

    /// The headline that begins at line `at`, and the line after it.
    fn title(&self, at: usize) -> Option<(String, usize)> {
        let line = self.lines.get(at)?;
        if let Some((title, end)) = self.drawn(at) {
            return (end < self.all).then(|| (plain(title), end));
        }
        if self.all - at < 2 || !self.may_be_title(line) {
            return None;
        }
        let next = self.lines.get(at + 1)?;
        if self.is_question(at)
            && (at + 1..self.lines.len()).filter(|it| self.is_question(*it)).count() >= 2
        {
            return None;
        }
        let is_letter = phrases::is_salutation(next.text()) && phrases::is_dateline(line.text());
        if next.blanks > 0 {
            let is_announcement = line.text().ends_with(marks::is_colon);
            if is_letter || (is_announcement && !self.is_listed(at + 1)) || !self.is_apart(at) {
                return None;
            }
            return Some((plain(line.text()), at + 1));
        }
        if phrases::is_salutation(next.text()) {
            return None;
        }
        self.wrapped_title(at).or_else(|| {
            let stands_out = self.is_listed(at + 1)
                || (!line.text().ends_with(marks::is_colon) && self.stands_out(at));
            stands_out.then(|| (plain(line.text()), at + 1))
        })
    }

    /// Whether a question stands alone at a line.
    fn is_question(&self, at: usize) -> bool {
        let line = &self.lines[at];
        (at == 0 || line.blanks > 0)
            && self.lines.get(at + 1).is_some_and(|it| it.blanks > 0)
            && marks::last_mark(line.text()).is_some_and(marks::is_question)
    }

    /// A heading drawn with signs.
    fn drawn(&self, at: usize) -> Option<(&str, usize)> {
        let line = &self.lines[at];
        if let Some((rank, title)) = strokes::marked_heading(line.text()) {
            let is_comment = self.lines.get(at + 1).is_some_and(|it| {
                it.blanks == 0 && strokes::marked_heading(it.text()).is_some_and(|it| it.0 == rank)
            });
            return (!is_comment && line.width <= WIDEST_TITLE).then_some((title, at + 1));
        }
        let is_stroke = |it: usize| {
            self.lines.get(it).is_some_and(|it| it.blanks == 0 && is_underline(it.text()))
        };
        let title = self.lines.get(at + 1);
        if is_underline(line.text())
            && is_stroke(at + 2)
            && let Some(title) = title.filter(|it| it.blanks == 0 && !is_underline(it.text()))
        {
            return (title.width <= WIDEST_TITLE).then(|| (title.text(), at + 3));
        }
        let is_underlined = is_stroke(at + 1)
            && !is_underline(line.text())
            && line.text().contains(char::is_alphanumeric)
            && line.width <= 120
            && self.lines[at + 1].width * 2 >= line.width
            && lists::marker(line.text()).is_none_or(|it| it.kind.is_ordered());
        is_underlined.then(|| (line.text(), at + 2))
    }

    /// Whether a line can be a headline, whatever stands around it.
    fn may_be_title(&self, line: &Line) -> bool {
        let text = line.text();
        let ends = match marks::last_mark(text) {
            Some(it) if marks::is_loud(it) || it == '…' || text.ends_with("...") => true,
            Some(it) if marks::is_colon(it) => true,
            _ => marks::ending(text) == Ending::Nothing || marks::ends_in_initials(text),
        };
        line.width <= WIDEST_TITLE
            && ends
            && strokes::marked_heading(text).is_none()
            && self.is_common(line)
            && !phrases::is_salutation(text)
    }

    /// Whether a line is words, and no item, quotation, code, row or turn.
    fn is_common(&self, line: &Line) -> bool {
        let text = line.text();
        text.contains(char::is_alphanumeric)
            && !matches!(line.first_char(), '>' | '|')
            && lists::marker(text).is_none_or(|it| it.kind.is_ordered() && !self.is_item(line))
            && verbatim::fence(text).is_none()
            && !blocks::is_note(line)
            && !text.contains('\t')
            && !self.document.is_turn(line)
            && !paragraphs::is_attribution(text)
            && !(line.indent >= self.shape.base + 4
                && line.indent < 12
                && verbatim::is_code(std::slice::from_ref(line), self.shape)
                && line.indent != self.lines[0].indent)
            && (text.contains(char::is_whitespace) || !(text.contains('@') || text.contains("://")))
    }

    /// Whether a numbered line has the next number below it.
    fn is_item(&self, line: &Line) -> bool {
        let Some(first) = lists::marker(line.text()) else {
            return false;
        };
        self.lines
            .iter()
            .skip(1)
            .take(8)
            .filter_map(|it| lists::marker(it.text()))
            .any(|it| it.kind == first.kind && it.number == first.number + 1)
    }

    fn is_listed(&self, at: usize) -> bool {
        let is_item =
            |it: usize| self.lines.get(it).is_some_and(|it| lists::marker(it.text()).is_some());
        is_item(at) && (is_item(at + 1) || self.all == at + 1)
    }

    /// Whether a line with a blank line below it is no verse of the poem that
    /// follows: nothing longer stands below, only lines like it.
    fn is_apart(&self, at: usize) -> bool {
        let line = &self.lines[at];
        let mut rest = self.lines[at + 1..].iter();
        !marks::quotation_closers(line.first_char())
            .iter()
            .any(|_| marks::quoted(line.text()) == Quoted::Whole)
            || rest.any(|it| it.width > line.width)
    }

    /// A headline of two or three lines, broken at the width of the text.
    fn wrapped_title(&self, at: usize) -> Option<(String, usize)> {
        let rest = &self.lines[at..];
        let length = 1 + rest.iter().skip(1).take_while(|it| it.blanks == 0).count();
        let lines = rest.get(..length)?;
        if !(2..=3).contains(&length) || at + length >= self.all || !self.shape.wrapped {
            return None;
        }
        let last = lines.last()?;
        let is_one = lines.array_windows().all(|[line, next]| {
            shape::is_full(line, next, self.shape.width) && line.ending() != Ending::Sentence
        });
        let text = paragraphs::join(lines, self.shape, self.document);
        let is_title = is_one
            && marks::width(&text) <= WIDEST_TITLE
            && (last.ending() == Ending::Nothing
                || marks::last_mark(last.text()).is_some_and(marks::is_loud))
            && lines.iter().all(|it| self.is_common(it));
        is_title.then(|| (plain(&text), at + length))
    }

    /// Whether a line with no blank line below it is a headline: the text below is
    /// longer, or ends its sentences where this line does not.
    fn stands_out(&self, at: usize) -> bool {
        let line = &self.lines[at];
        let rest = &self.lines[at + 1..];
        if line.ending() == Ending::Sentence
            && !marks::last_mark(line.text()).is_some_and(marks::is_loud)
        {
            return false;
        }
        let next = &rest[0];
        if next.begins_small() == Some(true)
            && line.ending() == Ending::Nothing
            && next.width <= LONG
        {
            return false;
        }
        let block = 1 + rest.iter().skip(1).take_while(|it| it.blanks == 0).count();
        let block = &rest[..block];
        if self.shape.wrapped {
            let room = line.end() + 1 + next.first_word() <= self.shape.width;
            let is_prose = next.width > line.width
                && block.len() > 1
                && shape::is_full(next, &block[1], self.shape.width);
            return room && line.ending() == Ending::Nothing && (is_prose || self.is_pair(at));
        }
        let long = LONG.max(line.width.saturating_mul(5) / 4);
        if block.iter().chain(rest).take(8).any(|it| it.width >= long) {
            return self.shape.by_line || block[0].width >= long || self.is_pair(at);
        }
        if self.shape.by_blank && rest.len() > block.len() {
            return self.is_pair(at);
        }
        // One line may be a subtitle; the others are sentences.
        let body = if rest.len() > 2 { &rest[1..] } else { rest };
        let ends = body.iter().filter(|it| it.ending() == Ending::Sentence).count();
        ends * 5 >= body.len() * 4 && body[0].width > line.width
    }

    /// Whether two lines stand above the text: headline and subtitle or author.
    fn is_pair(&self, at: usize) -> bool {
        let (Some(second), Some(third)) = (self.lines.get(at + 1), self.lines.get(at + 2)) else {
            return false;
        };
        let ends = |it: &Line| it.ending() == Ending::Nothing;
        if second.blanks > 0 || third.blanks == 0 || !ends(&self.lines[at]) {
            return false;
        }
        let body = self.paragraph_width(at + 2);
        let is_prose = body >= LONG || (third.ending() == Ending::Sentence && body > second.width);
        let is_author = self.lines[at].width <= SHORT && second.width <= 24;
        (ends(second) && is_prose && !phrases::is_salutation(third.text()))
            || (is_author && self.is_verse(at + 2))
    }

    /// Whether three lines or more without a blank line between them stand at `at`,
    /// all short.
    fn is_verse(&self, at: usize) -> bool {
        let stanza: Vec<&Line> = self
            .lines
            .iter()
            .skip(at)
            .enumerate()
            .take_while(|(position, it)| *position == 0 || it.blanks == 0)
            .map(|it| it.1)
            .collect();
        stanza.len() >= 3 && stanza.iter().all(|it| it.width <= SHORT)
    }

    /// Columns of the paragraph that begins at `at`.
    fn paragraph_width(&self, at: usize) -> u32 {
        let Some(first) = self.lines.get(at) else {
            return 0;
        };
        let rest = self.lines[at + 1..].iter();
        let rest = rest.take_while(|it| it.blanks == 0 && self.shape.wrapped);
        rest.fold(first.width, |sum, it| sum.saturating_add(it.width))
    }

    /// The subtitle, if the line at `at` is one: a line of its own that is no
    /// sentence, above a longer paragraph.
    fn subtitle(&self, at: usize) -> Option<&Line<'_>> {
        let line = self.lines.get(at)?;
        let text = line.text();
        let next = self.lines.get(at + 1)?;
        let ends = marks::ending(text) == Ending::Nothing
            || marks::ends_in_initials(text)
            || marks::last_mark(text).is_some_and(marks::is_loud);
        let is_candidate = ends
            && line.width <= WIDEST_SUBTITLE
            && self.is_common(line)
            && strokes::marked_heading(text).is_none()
            && lists::marker(text).is_none()
            && !verbatim::is_row(line)
            && marks::quoted(text) == Quoted::No
            && !phrases::is_salutation(text)
            && !text.contains("://")
            && !text.contains('@')
            && !phrases::is_byline(text)
            && !phrases::is_dateline(text)
            && !phrases::is_caption(text)
            && !headings::starts_with_number(text);
        // One line: not the first of a wrapped paragraph, not above strokes.
        let is_alone = next.blanks > 0 || (line.blanks == 0 && !self.shape.wrapped);
        if !is_candidate || !is_alone || (next.blanks == 0 && is_underline(next.text())) {
            return None;
        }
        let below = self.past_credits(at + 1);
        let next = self.lines.get(below)?;
        let body = self.paragraph_width(below);
        let needed = if text.ends_with(marks::is_unspaced) {
            line.width.saturating_mul(2)
        } else if next.ending() == Ending::Sentence {
            line.width
        } else {
            line.width.saturating_mul(13) / 10
        };
        let is_above_prose = body >= needed
            && (body >= LONG || next.ending() == Ending::Sentence)
            && !self.is_verse(below)
            && !phrases::is_salutation(next.text())
            && !self.document.is_turn(next);
        // A word or two are a heading where the text has others like it.
        let is_heading = line.width <= 24 && self.has_other_headings(below);
        (is_above_prose && !is_heading).then_some(line)
    }

    /// Past the lines that say who wrote the text, where and when.
    fn past_credits(&self, at: usize) -> usize {
        let is_credit = |it: &&Line| {
            phrases::is_byline(it.text())
                || phrases::is_dateline(it.text())
                || phrases::is_caption(it.text())
        };
        at + self.lines[at.min(self.lines.len())..].iter().take(3).take_while(is_credit).count()
    }

    fn has_other_headings(&self, from: usize) -> bool {
        let mut lines = self.lines[from..].iter().skip(1).peekable();
        while let Some(line) = lines.next() {
            if line.width <= 40
                && line.ending() == Ending::Nothing
                && line.blanks > 0
                && lines.peek().is_some_and(|it| it.blanks > 0 && it.width > line.width)
            {
                return true;
            }
        }
        false
    }
}

fn is_underline(text: &str) -> bool {
    strokes::underline(text).is_some()
}

/// A title is plain text in one line: without emphasis around the whole, without a
/// colon at its end.
fn plain(text: &str) -> String {
    let text = ["**", "__", "*", "_"].iter().fold(text, |text, mark| {
        let inner = text.strip_prefix(mark).and_then(|it| it.strip_suffix(mark));
        inner.filter(|it| it.contains(char::is_alphanumeric) && !it.contains(*mark)).unwrap_or(text)
    });
    let text = text.trim_end_matches(marks::is_colon);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
