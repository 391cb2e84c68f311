//! Neighbouring lines to paragraphs: which are joined, which begin a new one, and
//! where line breaks are meant and stay.

use std::borrow::Cow;

use crate::convert::text::blocks::Block;
use crate::convert::text::document::{self, Document};
use crate::convert::text::lines::Line;
use crate::convert::text::marks::{self, Ending};
use crate::convert::text::phrases;
use crate::convert::text::shape::{self, SHORT, Shape};

/// Appends the paragraphs of the lines from `from` to `to`, between which there is
/// no blank line.
pub fn split<'a>(
    lines: &[Line<'a>],
    (from, to): (usize, usize),
    shape: &Shape,
    document: &Document,
    out: &mut Vec<Block<'a>>,
) {
    if to - from == 1 {
        out.push(Block::Flow(from, to));
        return;
    }
    let run = &lines[from..to];
    let are_meant = !shape.wrapped || are_breaks_meant(run, shape);
    let goes_on = |at: usize| {
        let (line, next) = (&lines[at - 1], &lines[at]);
        !are_meant && !begins_paragraph(next, document) && joins(line, next, shape)
    };
    let may_group = |first: usize, last: usize| {
        last - first == 1
            && lines[first].width <= SHORT
            && !begins_paragraph(&lines[first], document)
            && (!shape.wrapped || are_meant || lines[first].end() * 4 < shape.width * 3)
    };
    let is_stanza = is_stanza(run, shape);
    let mut at = from;
    // First line of the group of short lines that is being gathered.
    let mut group = None;
    while at < to {
        let mut end = at + 1;
        while end < to && goes_on(end) {
            end += 1;
        }
        if may_group(at, end) && (is_stanza || lines[at].ending() != Ending::Sentence) {
            group.get_or_insert(at);
        } else {
            push_group(group.take(), at, out);
            out.push(Block::Flow(at, end));
        }
        at = end;
    }
    push_group(group, to, out);
}

fn push_group(group: Option<usize>, to: usize, out: &mut Vec<Block>) {
    match group {
        Some(from) if to - from > 1 => out.push(Block::Verse(from, to)),
        Some(from) => out.push(Block::Flow(from, to)),
        None => {}
    }
}

/// Whether a line begins a paragraph wherever it stands.
fn begins_paragraph(line: &Line, document: &Document) -> bool {
    document.is_turn(line)
        || document::note_label(line.text()).is_some()
        || marks::is_raised_digit(line.first_char())
        || line.begins_with_ideographic_blank()
        || is_attribution(line.text())
}

/// Whether all lines but the last had room for more, in a text that is broken at a
/// width: verse, an address, a signature.
fn are_breaks_meant(run: &[Line], shape: &Shape) -> bool {
    let full = run.array_windows().filter(|[line, next]| shape::is_full(line, next, shape.width));
    let longest = run.iter().map(Line::end).max().unwrap_or(0);
    full.count() * 4 < run.len() && longest * 4 < shape.width * 3
}

/// Whether short lines belong together though sentences end in them.
fn is_stanza(run: &[Line], shape: &Shape) -> bool {
    let sentences = run.iter().filter(|it| it.ending() == Ending::Sentence).count();
    let are_short = run.iter().all(|it| it.width <= SHORT);
    let has_blanks = shape.by_blank || shape.wrapped;
    are_short && (has_blanks || (!shape.by_line && sentences * 5 < run.len() * 4))
}

/// Whether `next` goes on with the paragraph of `line`, in a text that is broken at
/// a width.
pub fn joins(line: &Line, next: &Line, shape: &Shape) -> bool {
    if next.indent > line.indent + 1 && line.ending() == Ending::Sentence {
        return false;
    }
    if shape::is_full(line, next, shape.width) {
        return true;
    }
    let ending = line.ending();
    let small = next.begins_small();
    let reaches = |percent: u32| u64::from(line.end()) * 100 >= u64::from(shape.width * percent);
    (ending != Ending::Sentence && small == Some(true) && reaches(30))
        || (shape.by_blank && reaches(if ending == Ending::Nothing { 50 } else { 75 }))
        || (ending == Ending::Nothing && small != Some(false) && reaches(50))
}

/// Whether a line names whom the words before it are from: `— Ann Lee`.
pub fn is_attribution(text: &str) -> bool {
    let Some(name) = after_dash(text) else {
        return false;
    };
    let first = name.chars().next();
    let initials = marks::ends_in_initials(name) || name.ends_with("Jr.") || name.ends_with("Sr.");
    marks::width(name) <= 60
        && (marks::ending(name) == Ending::Nothing || initials)
        && first.is_some_and(|it| it.is_alphabetic() && !it.is_lowercase())
}

/// What stands behind the dash that a text begins with.
fn after_dash(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("--")
        .or_else(|| text.strip_prefix(['—', '―', '〜', '～']))
        .or_else(|| text.strip_prefix("– "))
        .or_else(|| text.strip_prefix("- "))
        .or_else(|| text.strip_prefix("~ "))?;
    let rest = rest.trim_start_matches(['—', '―', '-']).trim_start();
    (!rest.is_empty()).then_some(rest)
}

/// The text of lines that are one paragraph.
pub fn join<'a>(lines: &[Line<'a>], shape: &Shape, document: &Document) -> Cow<'a, str> {
    if let [line] = lines {
        return Cow::Borrowed(line.text());
    }
    let mut text = String::with_capacity(lines.iter().map(|it| it.text().len() + 1).sum());
    for (position, line) in lines.iter().enumerate() {
        if let Some(before) = position.checked_sub(1).and_then(|it| lines.get(it)) {
            push_seam(before, line, shape, document, &mut text);
        }
        text.push_str(line.text());
    }
    Cow::Owned(text)
}

/// What stands between two joined lines: a blank, nothing, or nothing in the place
/// of a hyphen.
fn push_seam(line: &Line, next: &Line, shape: &Shape, document: &Document, text: &mut String) {
    let (last, first) = (line.last_char(), next.first_char());
    match last {
        '\u{AD}' => {
            text.pop();
            return;
        }
        '-' | '‐' if text[..text.len() - last.len_utf8()].ends_with(char::is_alphanumeric) => {
            if document.joins_without_hyphen(line.text(), next.text()) == Some(true) {
                text.pop();
                return;
            }
            let word = next.text().split(|it: char| !it.is_alphanumeric()).next().unwrap_or("");
            if !first.is_alphanumeric() || phrases::joins_words(word) {
                text.push(' ');
            }
            return;
        }
        '—' if text[..text.len() - last.len_utf8()].ends_with(char::is_alphanumeric) => return,
        _ => {}
    }
    if !is_closed_up(last, first, line, shape, document) {
        text.push(' ');
    }
}

/// Whether no blank stands between two characters that a line break parted (CSS
/// Text, section 4.1.3, and what it leaves to the language).
fn is_closed_up(last: char, first: char, line: &Line, shape: &Shape, document: &Document) -> bool {
    let (before, after) = (marks::is_cjk(last), marks::is_cjk(first));
    if before && after {
        return true;
    }
    if before || after {
        let other = if before { first } else { last };
        return marks::is_cjk_punctuation(last)
            || marks::is_cjk_punctuation(first)
            || marks::is_shared_punctuation(other)
            || (!document.spaces_latin && !is_hangul(other));
    }
    marks::is_unspaced(last)
        && marks::is_unspaced(first)
        && shape.breaks_words
        && line.end().saturating_add(12) > shape.width
}

fn is_hangul(character: char) -> bool {
    matches!(u32::from(character), 0x1100..=0x11FF | 0x3130..=0x318F | 0xAC00..=0xD7AF)
}
