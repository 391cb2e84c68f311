//! How a text was typed, decided from the whole of it: lines broken at a width or
//! one line a paragraph, blank lines between paragraphs or none.
//!
//! The test behind all of it: a break that was not needed is a break that somebody
//! meant. A line is *full* where the next line's first word had no room on it.

use crate::convert::text::lines::Line;
use crate::convert::text::marks::Ending;

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

pub fn of(lines: &[Line]) -> Shape {
    let (gaps, long) = (
        lines.iter().skip(1).filter(|it| it.blanks > 0).count(),
        lines.iter().filter(|it| it.width > LONG).count(),
    );
    let width = usual_width(lines);
    let pairs = Pairs::count(lines, width);
    let wrapped = pairs.are_wrapped(width);
    Shape {
        wrapped,
        width,
        by_blank: gaps > 0 && (wrapped || gaps * 2 >= lines.len().saturating_sub(1)),
        by_line: !wrapped && long * 5 >= lines.len(),
        base: base_indent(lines),
        pairs: pairs.all,
    }
}

/// The 90th percentile of where lines with a neighbour end, so that one long URL
/// hides nothing.
fn usual_width(lines: &[Line]) -> u32 {
    let mut histogram = [0u32; 512];
    let mut all = 0;
    for [line, next] in pairs(lines) {
        if is_running(line, next) {
            histogram[line.end().min(511) as usize] += 1;
            all += 1;
        }
    }
    let mut rest = all / 10;
    for (width, count) in histogram.iter().enumerate().rev() {
        if *count > rest {
            return width as u32;
        }
        rest -= count;
    }
    0
}

fn pairs<'l, 'a>(lines: &'l [Line<'a>]) -> impl Iterator<Item = &'l [Line<'a>; 2]> {
    lines.array_windows()
}

/// Whether two lines may be parts of one paragraph: nothing between them, nothing
/// drawn in them.
fn is_running(line: &Line, next: &Line) -> bool {
    next.blanks == 0 && is_plain(line) && is_plain(next)
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
    !line.text().contains("   ") && !line.text().contains('\t')
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
    fn count(lines: &[Line], width: u32) -> Pairs {
        let mut it = Pairs::default();
        for [line, next] in pairs(lines) {
            if !is_running(line, next) {
                continue;
            }
            it.all += 1;
            it.full += u32::from(is_full(line, next, width));
            let ending = line.ending();
            it.sentence += u32::from(ending == Ending::Sentence);
            it.clause += u32::from(ending == Ending::Clause);
            match next.begins_small() {
                Some(true) => {
                    it.small += 1;
                    it.goes_on += u32::from(ending == Ending::Nothing);
                }
                Some(false) => it.large += 1,
                None => {}
            }
        }
        it
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
        let verse = self.all >= 3
            && width <= WIDEST_VERSE
            && (marked >= 0.5 || (cased * 2 >= self.all && large >= 0.85));
        match width {
            0..=29 => false,
            30..=49 => self.all >= 6 && full >= 0.8 && marked < 0.35 && large < 0.6,
            50..=WIDEST_WRAP => {
                !verse
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
    pub fn within(&self, lines: &[Line], columns: u32) -> Shape {
        let own = of(lines);
        if own.pairs >= 4 || (own.pairs > 0 && !self.wrapped) {
            return own;
        }
        Shape {
            wrapped: self.wrapped,
            width: self.width.saturating_sub(columns).max(1),
            by_blank: own.by_blank,
            by_line: self.by_line,
            base: own.base,
            pairs: own.pairs,
        }
    }
}
