//! What is kept as typed: fenced and indented code, and tables drawn with blanks,
//! tabs or strokes.

use std::collections::HashMap;

use crate::convert::text::inline;
use crate::convert::text::lines::Line;
use crate::convert::text::marks::{self, Ending};
use crate::convert::text::shape::{self, Shape};

/// A fence: three or more backticks or tildes, and what stands behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence<'a> {
    pub sign: u8,
    pub length: usize,
    pub info: &'a str,
}

pub fn fence(text: &str) -> Option<Fence<'_>> {
    let sign = *text.as_bytes().first()?;
    if !matches!(sign, b'`' | b'~') {
        return None;
    }
    let length = text.bytes().take_while(|it| *it == sign).count();
    let info = text[length..].trim();
    (length >= 3 && is_language(info)).then_some(Fence { sign, length, info })
}

/// Whether what stands behind a fence is nothing or the name of a language. With
/// anything else it is no fence, or words would be lost.
fn is_language(info: &str) -> bool {
    info.len() <= 32 && info.bytes().all(|it| it.is_ascii_alphanumeric() || b"+-#_.".contains(&it))
}

impl Fence<'_> {
    pub fn is_closed_by(&self, text: &str) -> bool {
        // Shorter lines need no look, and a look is as long as the line.
        text.len() >= self.length
            && fence(text).is_some_and(|it| {
                it.sign == self.sign && it.length >= self.length && it.info.is_empty()
            })
    }
}

/// Appends fenced code; `indent` is the fence's own.
pub fn write_fenced(fence: &Fence, indent: u32, lines: &[Line], out: &mut String) {
    out.push_str("<pre><code");
    if !fence.info.is_empty() {
        out.push_str(" class=\"language-");
        out.push_str(fence.info);
        out.push('"');
    }
    out.push('>');
    let lead =
        |line: &Line| line.raw().bytes().take(indent as usize).take_while(|it| *it == b' ').count();
    for (position, line) in lines.iter().enumerate() {
        if position == 0 && line.blanks > 0 {
            // HTML drops the first line break of a `pre`.
            out.push('\n');
        }
        push_breaks(line, position > 0, out);
        inline::escape_text(&line.raw()[lead(line)..], out);
    }
    out.push_str("</code></pre>");
}

/// Appends indented code or a drawn table, its common indentation taken away.
pub fn write(lines: &[Line], is_code: bool, out: &mut String) {
    out.push_str(if is_code { "<pre><code>" } else { "<pre>" });
    let common = common_indent(lines);
    for (position, line) in lines.iter().enumerate() {
        if position > 0 {
            push_breaks(line, true, out);
        }
        inline::escape_text(&line.raw()[common..], out);
    }
    out.push_str(if is_code { "</code></pre>" } else { "</pre>" });
}

fn push_breaks(line: &Line, has_line_before: bool, out: &mut String) {
    for _ in 0..u64::from(line.blanks) + u64::from(has_line_before) {
        out.push('\n');
    }
}

/// Bytes of white space that all lines begin with.
fn common_indent(lines: &[Line]) -> usize {
    let Some(first) = lines.first() else {
        return 0;
    };
    let lead = |it: &Line| it.raw().len() - it.text().len();
    let mut common = &first.raw()[..lead(first)];
    for line in lines {
        let same = line.raw().bytes().zip(common.bytes()).take_while(|(one, other)| one == other);
        let mut length = same.count().min(lead(line));
        while !common.is_char_boundary(length) {
            length -= 1;
        }
        common = &common[..length];
    }
    common.len()
}

/// Signs that prose seldom has.
fn is_code_sign(byte: u8) -> bool {
    b"{}[]<>=;$\\|~^&%#@_+*`".contains(&byte)
}

/// Whether lines that stand further right than the text are code, and not a
/// passage that somebody set off.
pub fn is_code(lines: &[Line], shape: &Shape) -> bool {
    let (mut signs, mut other, mut foreign) = (0usize, 0usize, 0usize);
    let (mut marked, mut full) = (0usize, 0usize);
    for (position, line) in lines.iter().enumerate() {
        for byte in line.text().bytes() {
            signs += usize::from(is_code_sign(byte));
            other += usize::from(!byte.is_ascii_whitespace());
            foreign += usize::from(!byte.is_ascii());
        }
        let is_prose = !line.text().bytes().any(is_code_sign) && line.text().contains(", ");
        marked +=
            usize::from(is_prose || (line.ending() != Ending::Nothing && line.last_char() != ';'));
        let is_full = |it: &Line| it.blanks == 0 && shape::is_full(line, it, shape.width);
        full += usize::from(shape.wrapped && lines.get(position + 1).is_some_and(is_full));
    }
    let is_comment = |it: &Line| it.text().starts_with("//") || it.text().starts_with("# ");
    if lines.iter().any(is_comment) {
        return true;
    }
    let stands_alone = lines.len() <= 3 && lines.iter().all(|it| it.indent >= shape.base + 12);
    if signs * 100 >= other * 6 {
        return true;
    }
    let is_prose = marked * 3 >= lines.len()
        || (full > 0 && full * 2 >= lines.len().saturating_sub(1))
        || foreign * 3 >= other
        || lines.iter().any(|it| it.width > shape::LONG)
        || stands_alone;
    !is_prose
}

/// Whether a line may be the row of a table: cells with room or strokes between
/// them, or a border.
pub fn is_row(line: &Line) -> bool {
    if !line.may_be_row() {
        return false;
    }
    let text = line.text();
    let bytes = text.as_bytes();
    if is_border(text) {
        return true;
    }
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\t' => return true,
            b'|' => return true,
            b' ' if bytes.get(at + 1) == Some(&b' ') => {
                // Two blanks after a full stop are a typist's habit.
                if bytes.get(at + 2) == Some(&b' ')
                    || !matches!(bytes[at - 1], b'.' | b'!' | b'?' | b':' | b'"' | b')')
                {
                    return true;
                }
                at += 2;
            }
            b'.' if bytes[at..].starts_with(b".....") || bytes[at..].starts_with(b". . . ") => {
                return true;
            }
            0xE2 if matches!(bytes.get(at + 1), Some(0x94 | 0x95)) => return true,
            _ => at += 1,
        }
    }
    false
}

fn is_border(text: &str) -> bool {
    let is_stroke =
        |it: char| matches!(it, '-' | '=' | '+' | '|' | ':' | ' ' | '\u{2500}'..='\u{257F}');
    let mut characters = text.chars();
    characters.next().is_some_and(|it| is_stroke(it) && it != ':')
        && text.len() >= 3
        && (text.contains(['+', '|', '\u{253C}', '\u{252C}', '\u{2534}'])
            || text.contains("- -")
            || text.contains("= =")
            || text.contains("-  -")
            || text.contains("=  ="))
        && characters.all(is_stroke)
}

/// Whether rows make a table: as many strokes or tabs in each, or cells that begin
/// or end at one column in most.
pub fn is_table(lines: &[Line]) -> bool {
    let rows = lines.iter().filter(|it| !is_border(it.text())).count();
    let has_border = rows < lines.len();
    if lines.len() < 2 || rows == 0 {
        return false;
    }
    let most = |count: usize| count >= 2.max(rows.div_ceil(2)) || (has_border && count == rows);
    let separated = |sign: char| {
        let counts = lines.iter().map(|it| it.text().matches(sign).count());
        counts.filter(|it| *it > 0).count()
    };
    let drawn = lines
        .iter()
        .filter(|it| it.text().contains(|it| matches!(it, '\u{2500}'..='\u{257F}')))
        .count();
    if most(separated('\t')) || most(drawn) {
        return true;
    }
    let strokes = separated('|');
    if most(strokes) && (has_border || same_count(lines, '|')) {
        return true;
    }
    let leaders =
        lines.iter().filter(|it| it.text().contains("....") || it.text().contains(". . .")).count();
    if most(leaders) && lines.iter().all(|it| it.text().ends_with(char::is_numeric)) {
        return true;
    }
    let mut columns: HashMap<(bool, u32), usize> = HashMap::new();
    // Justified text has gaps of two blanks all over: where none is wider, all rows
    // must agree, and a row is a few cells.
    let is_narrow = lines.iter().all(|it| !it.has_gap());
    for line in lines {
        let cells = cells(line);
        if is_narrow && cells.len() > 3 {
            return false;
        }
        for (starts, ends) in cells {
            *columns.entry((true, starts)).or_default() += 1;
            *columns.entry((false, ends)).or_default() += 1;
        }
    }
    columns.values().any(|it| if is_narrow { *it == rows } else { most(*it) })
}

fn same_count(lines: &[Line], sign: char) -> bool {
    let counts: Vec<usize> = lines.iter().map(|it| it.text().matches(sign).count()).collect();
    counts.iter().all(|it| *it > 0 && *it == counts[0])
}

/// Columns where each cell but the first begins and ends; two blanks or more lie
/// between cells, but not behind a full stop.
fn cells(line: &Line) -> Vec<(u32, u32)> {
    let mut cells = Vec::new();
    let (mut column, mut blanks) = (line.indent, 0);
    let mut start = None;
    let mut last = ' ';
    for character in line.text().chars().take(400) {
        if character == ' ' {
            blanks += 1;
        } else {
            let is_gap = blanks >= 3 || (blanks == 2 && !marks::ends_sentence(last));
            if is_gap && let Some(start) = start.replace(column) {
                cells.push((start, column - blanks));
            }
            blanks = 0;
            last = character;
        }
        column += marks::columns(character);
    }
    cells.extend(start.map(|it| (it, column)));
    cells
}
