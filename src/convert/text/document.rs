//! What only the whole text tells: which labels are speakers, which numbers are
//! notes, how words at line ends are spelled elsewhere, which way it runs.

use std::collections::{HashMap, HashSet};

use crate::convert::text::lines::Line;
use crate::convert::text::marks;
use crate::convert::text::phrases;

#[derive(Debug, Default)]
pub struct Document<'a> {
    speakers: HashSet<&'a str>,
    notes: HashSet<&'a str>,
    /// Words broken by a hyphen at a line's end, in small letters, and how the text
    /// spells them elsewhere.
    broken: HashMap<String, Spelling>,
    /// Chinese or Japanese with a blank before and after Latin words.
    pub spaces_latin: bool,
    /// Dashes and stars begin lines throughout: each makes an item.
    pub has_dashes: bool,
    /// Right-to-left letters occur.
    pub has_right_to_left: bool,
    /// They are the majority.
    pub right_to_left: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Spelling {
    joined: bool,
    hyphenated: bool,
}

impl<'a> Document<'a> {
    pub fn of(text: &'a str, lines: &[Line<'a>]) -> Document<'a> {
        let mut document = Document {
            speakers: speakers(lines),
            notes: lines.iter().filter_map(|it| note_label(it.text())).map(|it| it.label).collect(),
            broken: broken_words(text, lines),
            has_dashes: has_dashes(lines),
            ..Document::default()
        };
        if !text.is_ascii() {
            document.take_direction(text);
            // No Chinese and no kana without these.
            let has_wide = text.bytes().fold(false, |found, it| found | (it >= 0xE3));
            document.spaces_latin = has_wide && spaces_latin(text);
        }
        document
    }

    fn take_direction(&mut self, text: &str) {
        // The lead bytes of U+0580 to U+08FF, of the presentation forms (but not of
        // a byte order mark), and of the planes above.
        let bytes = text.as_bytes();
        let may = |(at, it): (usize, &u8)| match it {
            0xD6..=0xDF => true,
            0xE0 => bytes[at + 1] < 0xA4,
            0xEF => matches!(bytes[at + 1], 0xAC..=0xBB) && bytes[at + 2] != 0xBF,
            0xF0 => matches!(bytes[at + 1], 0x90 | 0x9E),
            _ => false,
        };
        // Without a branch first: most texts hold none of these bytes.
        let is_suspect = bytes.iter().fold(false, |found, &it| {
            let is_two = matches!(it, 0xD6..=0xE0);
            found | is_two | (it == 0xEF) | (it == 0xF0)
        });
        if !is_suspect || !bytes.iter().enumerate().any(may) {
            return;
        }
        let (right, left) = directions(text);
        self.has_right_to_left = right > 0;
        self.right_to_left = right > left;
    }

    /// The value of `dir` for a text that runs the other way than most.
    pub fn other_direction(&self, text: &str) -> Option<&'static str> {
        if !self.has_right_to_left || (text.is_ascii() && !self.right_to_left) {
            return None;
        }
        let (right, left) = directions(text);
        match self.right_to_left {
            true if left > right => Some("ltr"),
            false if right > left => Some("rtl"),
            _ => None,
        }
    }

    pub fn has_note(&self, label: &str) -> bool {
        self.notes.contains(label)
    }

    /// Whether somebody begins to speak in this line: of a chat log, an interview.
    pub fn is_turn(&self, line: &Line) -> bool {
        let text = line.text();
        is_stamped(text)
            || is_nicked(text)
            || (!self.speakers.is_empty()
                && speaker(text).is_some_and(|it| self.speakers.contains(it)))
    }

    /// The word that a hyphen at the end of a line breaks, joined as the text
    /// spells it elsewhere: `Some(true)` without the hyphen, `Some(false)` with it.
    pub fn joins_without_hyphen(&self, line: &str, next: &str) -> Option<bool> {
        let (head, tail) = broken_word(line, next)?;
        let spelling = self.broken.get(&joined(head, tail))?;
        match (spelling.joined, spelling.hyphenated) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    }
}

/// Letters that run from right to left, and others.
fn directions(text: &str) -> (usize, usize) {
    let (mut right, mut left) = (0, 0);
    for character in text.chars() {
        if character.is_ascii() {
            left += usize::from(character.is_ascii_alphabetic());
        } else if marks::is_right_to_left(character) {
            right += 1;
        } else {
            // All that is no letter in between: punctuation and signs.
            let is_sign =
                matches!(u32::from(character), 0x80..=0xBF | 0x2000..=0x2BFF | 0x600..=0x61F);
            left += usize::from(!is_sign && marks::columns(character) > 0);
        }
    }
    (right, left)
}

/// Whether Chinese or Japanese mostly has a blank before Latin words and numbers.
fn spaces_latin(text: &str) -> bool {
    let (mut spaced, mut tight) = (0usize, 0usize);
    let mut rest = text;
    let mut last = ' ';
    loop {
        let ascii = marks::ascii_prefix(rest);
        if marks::is_cjk(last) && !marks::is_cjk_punctuation(last) {
            match rest.as_bytes() {
                [b' ', next, ..] if next.is_ascii_alphanumeric() => spaced += 1,
                [next, ..] if next.is_ascii_alphanumeric() => tight += 1,
                _ => {}
            }
        }
        let mut characters = rest[ascii..].chars();
        let Some(character) = characters.next() else {
            return spaced > tight;
        };
        last = character;
        rest = characters.as_str();
    }
}

/// A note at the start of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteLabel<'a> {
    pub label: &'a str,
    /// Bytes of the label with its brackets, and of a colon after it.
    pub length: usize,
}

/// The label of `[3] text`, `[3]: text`, `[^3]: text`.
pub fn note_label(text: &str) -> Option<NoteLabel<'_>> {
    let (label, length) = note_mark(text)?;
    let rest = &text[length..];
    let length = length + usize::from(rest.starts_with(':'));
    text[length..].starts_with([' ', '\t']).then_some(NoteLabel { label, length })
}

/// The mark `[3]` or `[^3]` that `text` begins with, and its length in bytes.
pub fn note_mark(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix('[')?;
    let inner = inner.strip_prefix('^').unwrap_or(inner);
    let digits = inner.bytes().take(5).take_while(u8::is_ascii_digit).count();
    if !(1..=4).contains(&digits) || inner.as_bytes().get(digits) != Some(&b']') {
        return None;
    }
    Some((&inner[..digits], text.len() - inner.len() + digits + 1))
}

/// Labels before a colon that come at least twice, in a text with at least three
/// such turns.
fn speakers<'a>(lines: &[Line<'a>]) -> HashSet<&'a str> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for label in lines.iter().filter_map(|it| speaker(it.text())) {
        *counts.entry(label).or_default() += 1;
    }
    counts.retain(|_, count| *count >= 2);
    if counts.values().sum::<u32>() < 3 {
        return HashSet::new();
    }
    counts.into_keys().collect()
}

/// What stands before the colon of `Name: text`, where it may be a name: one to
/// four words, nothing that ends or divides a sentence.
fn speaker(text: &str) -> Option<&str> {
    // An ASCII colon, or the lead byte of another; most lines have none.
    let head = &text.as_bytes()[..text.len().min(56)];
    if !head.iter().fold(false, |sum, it| sum | (*it == b':') | (*it == 0xE1) | (*it == 0xEF)) {
        return None;
    }
    let mut words = 1;
    for (at, character) in text.char_indices() {
        if at > 48 {
            return None;
        }
        if marks::is_colon(character) {
            let rest = &text[at + character.len_utf8()..];
            let is_label = at > 0
                && (character != ':' || rest.is_empty() || rest.starts_with(char::is_whitespace));
            let first = text.chars().next().filter(|it| it.is_alphabetic());
            return (is_label && first.is_some()).then(|| text[..at].trim_end());
        }
        if character.is_whitespace() {
            words += 1;
        }
        let is_stop = marks::ends_sentence(character) && character != '.';
        if words > 4 || is_stop || marks::is_comma(character) || matches!(character, '/' | '|') {
            return None;
        }
    }
    None
}

/// `10:32 `, `[10:32:11] `, `2024-05-03 10:32 `, `[03.05.24, 10:32] `.
fn is_stamped(text: &str) -> bool {
    let inner = text.trim_start_matches(['[', '(', '<']);
    if !inner.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let stamp = inner.bytes().take(32).take_while(|it| {
        it.is_ascii_digit() || matches!(it, b':' | b'.' | b'-' | b'/' | b',' | b' ' | b'T')
    });
    let mut time = [0u8; 3];
    for byte in stamp {
        time = [time[1], time[2], byte];
        if time[0].is_ascii_digit() && time[1] == b':' && time[2].is_ascii_digit() {
            return has_time_to_itself(inner);
        }
    }
    false
}

/// Whether a blank, a bracket or a dash follows the time at the start of `text`: a
/// score or a ratio is none.
fn has_time_to_itself(text: &str) -> bool {
    let colon = text.find(':').unwrap_or(0);
    let hour = text[..colon].bytes().rev().take_while(u8::is_ascii_digit).count();
    let rest = text[colon + 1..].trim_start_matches(|it: char| it.is_ascii_digit() || it == ':');
    let minute = text[colon + 1..].bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&hour) && minute == 2 && rest.starts_with([' ', ']', ')', '>', '\t'])
}

/// `<anna> text`.
fn is_nicked(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('<') else {
        return false;
    };
    let name =
        inner.bytes().take(33).take_while(|it| !matches!(it, b'>' | b' ' | b'/' | b':')).count();
    (1..=32).contains(&name) && inner[name..].starts_with("> ")
}

/// Whether at least three lines begin with a dash or star, and not one in two of
/// them asks or exclaims as speech does.
fn has_dashes(lines: &[Line]) -> bool {
    let (mut all, mut loud) = (0, 0);
    for line in lines.iter().filter(|it| starts_with_dash(it.text())) {
        all += 1;
        loud += u32::from(marks::last_mark(line.text()).is_some_and(marks::is_loud));
    }
    all >= 3 && loud * 3 < all
}

fn starts_with_dash(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-' | b'*' | b'+', b' ', ..])
}

/// The two parts of a word that the end of `line` breaks.
fn broken_word<'t>(line: &'t str, next: &'t str) -> Option<(&'t str, &'t str)> {
    let head = line.strip_suffix(['-', '‐'])?;
    let start = head.trim_end_matches(char::is_alphanumeric).len();
    let tail = next.len() - next.trim_start_matches(char::is_alphanumeric).len();
    // Parts of an address are no word.
    let begins = head[..start].chars().next_back();
    let ends = next[tail..].chars().next();
    let is_word = start < head.len()
        && begins.is_none_or(|it| it.is_whitespace() || marks::is_opener(it))
        && !matches!(ends, Some('@' | '/' | '_' | ':'))
        && next.starts_with(char::is_lowercase)
        && !phrases::joins_words(&next[..tail]);
    (is_word && head.len() - start + tail < 128).then(|| (&head[start..], &next[..tail]))
}

fn joined(head: &str, tail: &str) -> String {
    format!("{head}{tail}").to_lowercase()
}

fn broken_words(text: &str, lines: &[Line]) -> HashMap<String, Spelling> {
    let mut broken: HashMap<String, Spelling> = HashMap::new();
    for [line, next] in lines.array_windows() {
        if matches!(line.last_char(), '-' | '‐')
            && next.blanks == 0
            && let Some((head, tail)) = broken_word(line.text(), next.text())
        {
            broken.insert(joined(head, tail), Spelling::default());
        }
    }
    if broken.is_empty() {
        return broken;
    }
    let longest = broken.keys().map(String::len).max().unwrap_or(0) * 2 + 8;
    let shortest = broken.keys().map(String::len).min().unwrap_or(0);
    // Most words begin like none of them.
    let bit = |word: &str| 1u64 << (word.as_bytes().first().map_or(0, |it| it | 0x20) & 63);
    let first = broken.keys().fold(0, |sum, it| sum | bit(it));
    let mut small = String::new();
    for word in text.split(|it: char| !(it.is_alphanumeric() || it == '-')) {
        if word.len() < shortest || word.len() > longest || bit(word) & first == 0 {
            continue;
        }
        small.clear();
        small.extend(word.chars().flat_map(char::to_lowercase));
        if let Some(spelling) = broken.get_mut(small.as_str()) {
            spelling.joined = true;
        } else if small.contains('-') {
            small.retain(|it| it != '-');
            if let Some(spelling) = broken.get_mut(small.as_str()) {
                spelling.hyphenated = true;
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps() {
        let table = [
            ("10:32 Anna: hi", true, "a time"),
            ("[10:32:11] hi", true, "in brackets"),
            ("[03.05.24, 10:32] Anna: hi", true, "with a date"),
            ("2024-05-03 10:32 hi", true, "ISO date"),
            ("2024-05-03T10:32:01 hi", true, "ISO date and time"),
            ("3:2 for Bayern", false, "a score"),
            ("16:9-Format", false, "a ratio"),
            ("1984 was a year: cold", false, "no time"),
            ("2:1", false, "nothing follows"),
        ];
        for (text, expected, why) in table {
            assert_eq!(is_stamped(text), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn speakers_have_short_labels() {
        let table = [
            ("Anna: hello", Some("Anna"), ""),
            ("记者：您好", Some("记者"), "full-width colon"),
            ("Dr. Anna Weiß: ja", Some("Dr. Anna Weiß"), "a title"),
            ("https://example.org", None, "a scheme"),
            ("He said: yes", Some("He said"), "counted before it is believed"),
            ("Five words before the colon: no", None, "too long"),
            ("Wait, Anna: no", None, "a comma"),
            ("10:32", None, "no letter"),
        ];
        for (text, expected, why) in table {
            assert_eq!(speaker(text), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn notes() {
        let table = [
            ("[1] See there.", Some(("1", 3)), ""),
            ("[^12]: See there.", Some(("12", 6)), "Markdown"),
            ("[1]", None, "nothing noted"),
            ("[12345] text", None, "too long"),
            ("[ ] buy milk", None, "a box"),
            ("[1", None, "not closed"),
        ];
        for (text, expected, why) in table {
            assert_eq!(
                note_label(text).map(|it| (it.label, it.length)),
                expected,
                "{text:?}: {why}"
            );
        }
    }
}
