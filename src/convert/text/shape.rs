//! How a text was typed, decided from the whole of it: lines broken at a width or
//! one line a paragraph, blank lines between paragraphs or none.
//!
//! The test behind all of it: a break that was not needed is a break that somebody
//! meant. A line is *full* where the next line's first word had no room on it.

use crate::convert::text::document::Document;
use crate::convert::text::lines::Line;
use crate::convert::text::marks::{self, Ending};

#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Lines are broken at `width`; neighbours are joined.
    pub wrapped: bool,
    /// The column where lines usually end.
    pub width: u32,
    /// Blank lines separate paragraphs.
    pub by_blank: bool,
    /// One paragraph a line, many of them long.
    pub by_line: bool,
    /// Short lines throughout: a poem, a list of things.
    pub is_verse: bool,
    /// Thai and its kin, broken between words and not only at blanks.
    pub breaks_words: bool,
    /// The indentation of common text.
    pub base: u32,
    /// Pairs of lines that `wrapped` was judged from.
    pub pairs: u32,
}

/// Wider lines than this are seldom broken by hand or program.
const WIDEST_WRAP: u32 = 132;

/// Lines up to here may be verse.
const WIDEST_VERSE: u32 = 72;

/// From here on a line of its own is prose.
pub const LONG: u32 = 80;

/// Up to here lines beside each other may be verse, an address or a list of things.
pub const SHORT: u32 = 64;

pub fn of(lines: &[Line], document: &Document) -> Shape {
    let (gaps, long) = (
        lines.iter().skip(1).filter(|it| it.blanks > 0).count(),
        lines.iter().filter(|it| it.width > LONG).count(),
    );
    let width = usual_width(lines, document);
    let pairs = Pairs::count(lines, width, document);
    let wrapped = pairs.are_wrapped(width);
    let longish = lines.iter().filter(|it| it.width > SHORT).count();
    Shape {
        wrapped,
        width,
        by_blank: gaps > 0 && (wrapped || gaps * 2 >= lines.len().saturating_sub(1)),
        by_line: !wrapped && long * 5 >= lines.len(),
        is_verse: !wrapped && longish * 10 <= lines.len(),
        breaks_words: breaks_words(lines, width),
        base: base_indent(lines),
        pairs: pairs.all,
    }
}

/// Where lines with a neighbour end: a tenth of their text stands on wider ones, so
/// that one long URL hides nothing.
fn usual_width(lines: &[Line], document: &Document) -> u32 {
    let mut histogram = [0u64; 512];
    for [line, next] in lines.array_windows() {
        if is_running(line, next, document) {
            histogram[line.end().min(511) as usize] += u64::from(line.width);
        }
    }
    let mut rest = histogram.iter().sum::<u64>() / 10;
    for (width, weight) in histogram.iter().enumerate().rev() {
        if *weight > rest {
            return width as u32;
        }
        rest -= weight;
    }
    0
}

/// Whether two lines may be parts of one paragraph: nothing between them, nothing
/// drawn in them, nobody else who speaks.
fn is_running(line: &Line, next: &Line, document: &Document) -> bool {
    next.blanks == 0 && is_plain(line) && is_plain(next) && !document.is_turn(next)
}

fn is_plain(line: &Line) -> bool {
    let first = line.first_char();
    if first.is_ascii() && !first.is_ascii_alphanumeric() {
        if !matches!(first, '"' | '\'' | '(' | '*' | '_' | '$') {
            return false;
        }
        if first == '*' && line.text().as_bytes().get(1).is_none_or(|it| it.is_ascii_whitespace()) {
            return false;
        }
    }
    !line.has_gap()
}

/// Lines of Thai and its kin that end where a word more would have had no room:
/// these were broken between words. The others were broken at a blank.
fn breaks_words(lines: &[Line], width: u32) -> bool {
    let (mut tight, mut loose) = (0, 0);
    for [line, next] in lines.array_windows() {
        if next.blanks == 0
            && marks::is_unspaced(line.last_char())
            && marks::is_unspaced(next.first_char())
        {
            if line.end().saturating_add(12) > width {
                tight += 1;
            } else {
                loose += 1;
            }
        }
    }
    tight > loose * 3
}

#[derive(Debug, Default)]
struct Pairs {
    all: u32,
    full: u32,
    sentence: u32,
    clause: u32,
    small: u32,
    large: u32,
    goes_on: u32,
}

impl Pairs {
    /// Counts what pairs of lines show; runs of lines that are all much shorter than
    /// `width` show nothing, their breaks are meant either way.
    fn count(lines: &[Line], width: u32, document: &Document) -> Pairs {
        let mut it = Pairs::default();
        for run in lines.chunk_by(|_, next| next.blanks == 0) {
            if run.iter().all(|it| u64::from(it.end()) * 4 < u64::from(width) * 3) {
                continue;
            }
            for [line, next] in run.array_windows() {
                if is_running(line, next, document) {
                    it.add(line, next, width);
                }
            }
        }
        it
    }

    fn add(&mut self, line: &Line, next: &Line, width: u32) {
        self.all += 1;
        self.full += u32::from(is_full(line, next, width));
        let ending = line.ending();
        self.sentence += u32::from(ending == Ending::Sentence);
        self.clause += u32::from(ending == Ending::Clause);
        match next.begins_small() {
            Some(true) => {
                self.small += 1;
                self.goes_on += u32::from(ending == Ending::Nothing);
            }
            Some(false) => self.large += 1,
            None => {}
        }
    }

    fn are_wrapped(&self, width: u32) -> bool {
        if self.all == 0 {
            return false;
        }
        let share = |part: u32| f64::from(part) / f64::from(self.all);
        let full = share(self.full);
        let marked = share(self.sentence + self.clause);
        let cased = self.small + self.large;
        let large = if cased == 0 { 0.0 } else { f64::from(self.large) / f64::from(cased) };
        let is_verse = self.all >= 3
            && width <= WIDEST_VERSE
            && (marked >= 0.5 || (cased * 2 >= self.all && large >= 0.85));
        match width {
            0..=29 => false,
            30..=49 => self.all >= 6 && full >= 0.8 && marked < 0.35 && large < 0.6,
            50..=WIDEST_WRAP => {
                !is_verse
                    && ((full >= 0.6 && share(self.sentence) < 0.6)
                        || (share(self.goes_on) >= 0.4 && width >= 60))
            }
            _ => self.all >= 5 && full >= 0.9 && share(self.sentence) < 0.3,
        }
    }
}

/// Whether the first word of `next` had no room at the end of `line`.
pub fn is_full(line: &Line, next: &Line, width: u32) -> bool {
    line.end().saturating_add(1).saturating_add(next.first_word()) > width
}

/// The least indentation that a quarter of the text stands at.
fn base_indent(lines: &[Line]) -> u32 {
    let mut weights = [0u64; 41];
    for line in lines {
        weights[line.indent.min(40) as usize] += u64::from(line.width);
    }
    let all: u64 = weights.iter().sum();
    weights.iter().position(|it| *it > 0 && it * 4 >= all).unwrap_or(0) as u32
}

impl Shape {
    /// The shape of a part of the text that stood `columns` from the left: its own
    /// where it is long enough to show one.
    pub fn within(&self, lines: &[Line], columns: u32, document: &Document) -> Shape {
        let own = of(lines, document);
        if own.pairs >= 4 || (own.pairs > 0 && !self.wrapped) {
            return own;
        }
        Shape {
            wrapped: self.wrapped,
            width: self.width.saturating_sub(columns).max(1),
            by_line: self.by_line,
            is_verse: self.is_verse,
            breaks_words: self.breaks_words,
            ..own
        }
    }

    /// The shape of an item of a list: its lines are one paragraph, whatever their
    /// length.
    pub fn of_item(&self, lines: &[Line], document: &Document) -> Shape {
        let own = of(lines, document);
        Shape { wrapped: true, width: 1, breaks_words: self.breaks_words, ..own }
    }
}
