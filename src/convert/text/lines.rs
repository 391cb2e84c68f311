//! The lines of a text, measured. Blank lines are no lines: each line knows how
//! many stand before it.

use crate::convert::text::marks;

#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    raw: &'a str,
    lead: u32,
    /// Columns of ASCII blanks before the text; a tab goes to the next eighth.
    /// Ideographic blanks begin a paragraph and count nothing.
    pub indent: u32,
    /// Columns of the text.
    pub width: u32,
    /// Blank lines before this one.
    pub blanks: u32,
    signs: u8,
}

/// What a line holds that may be the drawing of a table.
mod sign {
    pub const TAB: u8 = 1;
    /// Three blanks together.
    pub const GAP: u8 = 2;
    /// Anything that may stand between cells.
    pub const ROW: u8 = 4;
}

/// Looks once for all signs, so that no rule has to search the line again.
fn signs(text: &str) -> u8 {
    let bytes = text.as_bytes();
    let mut signs = if matches!(bytes.first(), Some(b'-' | b'=')) { sign::ROW } else { 0 };
    if !may_draw(bytes) {
        return signs;
    }
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|it| MAY_DRAW[usize::from(*it)]) {
        at += next + 1;
        let rest = &bytes[at..];
        signs |= match bytes[at - 1] {
            b' ' => match rest {
                [b' ', b' ', ..] => sign::ROW | sign::GAP,
                [b' ', ..] => sign::ROW,
                _ => 0,
            },
            b'\t' => sign::TAB | sign::ROW,
            b'.' if !matches!(rest, [b'.', ..] | [b' ', b'.', ..]) => 0,
            // U+2500 to U+257F: box drawing.
            0xE2 if !matches!(rest, [0x94 | 0x95, ..]) => 0,
            _ => sign::ROW,
        };
    }
    signs
}

/// Whether any sign may be there. Three slices side by side, and no branch, so that the
/// compiler looks at many bytes at once: most lines hold none.
fn may_draw(bytes: &[u8]) -> bool {
    let single = bytes.iter().fold(false, |found, it| found | matches!(it, b'\t' | b'|' | b'+'));
    let second = bytes.get(1..).unwrap_or_default();
    let third = bytes.get(2..).unwrap_or_default();
    let pair = bytes.iter().zip(second).fold(false, |found, (&one, &two)| {
        let is_gap = (one == b' ') & (two == b' ');
        let is_dots = (one == b'.') & (two == b'.');
        let is_box = (one == 0xE2) & ((two == 0x94) | (two == 0x95));
        found | is_gap | is_dots | is_box
    });
    let spaced = bytes
        .iter()
        .zip(third)
        .fold(false, |found, (&one, &three)| found | ((one == b'.') & (three == b'.')));
    single | pair | spaced
}

const MAY_DRAW: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b" \t|+.\xE2";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

/// The lines of `text` that show something.
pub fn split(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::with_capacity(text.len() / 64);
    let mut blanks = 0u32;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    let mut from = 0;
    for end in ends {
        let raw = &text[from..end];
        from = end + 1;
        match Line::new(raw, blanks) {
            Some(line) => {
                lines.push(line);
                blanks = 0;
            }
            None => blanks = blanks.saturating_add(1),
        }
    }
    lines
}

impl<'a> Line<'a> {
    /// The line `raw` holds, unless it shows nothing.
    pub fn new(raw: &'a str, blanks: u32) -> Option<Line<'a>> {
        let raw = raw.trim_end_matches(marks::is_edge);
        let text = raw.trim_start_matches(marks::is_edge);
        if text.is_empty() {
            return None;
        }
        let width = marks::width(text);
        let signs = signs(text);
        let mut indent = 0u32;
        for character in raw[..raw.len() - text.len()].chars() {
            match character {
                ' ' => indent = indent.saturating_add(1),
                '\t' => indent = (indent / 8 + 1).saturating_mul(8),
                _ => {}
            }
        }
        Some(match u32::try_from(raw.len() - text.len()) {
            Ok(lead) => Line { raw, lead, indent, width, blanks, signs },
            Err(_) => Line { raw: text, lead: 0, indent: 0, width, blanks, signs },
        })
    }

    /// Without the blanks around it.
    pub fn text(&self) -> &'a str {
        &self.raw[self.lead as usize..]
    }

    /// As typed, without the blanks at its end.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The column where it ends.
    pub fn end(&self) -> u32 {
        self.indent.saturating_add(self.width)
    }

    /// Whether it holds a tab or three blanks together.
    pub fn has_gap(&self) -> bool {
        self.signs & (sign::TAB | sign::GAP) != 0
    }

    /// Whether it holds anything that may stand between the cells of a table.
    pub fn may_be_row(&self) -> bool {
        self.signs & sign::ROW != 0
    }

    /// Whether an ideographic blank begins a paragraph here.
    pub fn begins_with_ideographic_blank(&self) -> bool {
        self.raw.starts_with('\u{3000}')
    }

    /// The rest of this line after its first `bytes` of text, as a line of its own
    /// that keeps the blank lines before it.
    pub fn after(&self, bytes: usize) -> Option<Line<'a>> {
        Line::new(&self.text()[bytes..], self.blanks)
    }

    /// The same line, `columns` further left.
    pub fn outdented(&self, columns: u32) -> Line<'a> {
        Line { indent: self.indent.saturating_sub(columns), ..*self }
    }

    /// Columns of the first word, or of what may stand alone at the end of a line
    /// in scripts without blanks.
    pub fn first_word(&self) -> u32 {
        let text = self.text();
        let head = &text.as_bytes()[..text.len().min(64)];
        let word = head.iter().position(|it| !it.is_ascii_graphic());
        if let Some(end) = word.filter(|it| head[*it] == b' ') {
            return end as u32;
        }
        let mut sum = 0;
        for (position, character) in text.chars().take(200).enumerate() {
            if character.is_whitespace() || (position > 0 && marks::is_cjk(character)) {
                break;
            }
            sum += marks::columns(character);
            if marks::is_cjk(character) {
                return sum + 2;
            }
            if sum >= 12 && marks::is_unspaced(character) {
                break;
            }
        }
        sum
    }

    pub fn first_char(&self) -> char {
        self.text().chars().next().unwrap_or(' ')
    }

    pub fn last_char(&self) -> char {
        self.text().chars().next_back().unwrap_or(' ')
    }

    pub fn ending(&self) -> marks::Ending {
        marks::ending(self.text())
    }

    /// Whether the first letter, past quotation marks and brackets, is a small one:
    /// such a line goes on with what stands before it. `None` where the script
    /// knows no case.
    pub fn begins_small(&self) -> Option<bool> {
        let letter = self.text().chars().take(4).find(|it| !marks::is_opener(*it))?;
        if letter.is_lowercase() {
            Some(true)
        } else if letter.is_uppercase() {
            Some(false)
        } else {
            None
        }
    }
}
