//! Lists as people type them: what marks an item, which marks go together.

use crate::convert::text::marks;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    pub kind: Kind,
    /// The number of the item, counted from 1; 0 for bullets.
    pub number: u32,
    /// Whether the item is done, where it has a box: `[ ]`, `[x]`.
    pub done: Option<bool>,
    /// Bytes of the marker, its box and the blanks behind it.
    pub length: usize,
    /// Columns of the same.
    pub columns: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sign that is nothing but a bullet, such as `•`.
    Bullet(char),
    /// A sign that also does other work in a text: `-`, `*`, `+`, `–`.
    Dash(char),
    /// `1.`, `1)`, `(1)`, `1、`, by what stands behind the number.
    Number(char),
    /// `①`.
    Circled,
    /// `a)`, `(a)`.
    SmallLetter(char),
    LargeLetter(char),
    /// `ii.`
    SmallRoman(char),
    LargeRoman(char),
}

impl Kind {
    pub fn is_ordered(self) -> bool {
        !matches!(self, Kind::Bullet(_) | Kind::Dash(_))
    }

    /// The `type` of an `ol`.
    pub fn html_type(self) -> Option<&'static str> {
        match self {
            Kind::SmallLetter(_) => Some("a"),
            Kind::LargeLetter(_) => Some("A"),
            Kind::SmallRoman(_) => Some("i"),
            Kind::LargeRoman(_) => Some("I"),
            _ => None,
        }
    }
}

/// The item that `text` begins, if any: a mark and something behind it.
pub fn marker(text: &str) -> Option<Marker> {
    let first = text.chars().next()?;
    let (kind, number, mark) = match first {
        '-' | '*' | '+' | '–' | '—' | '―' => (Kind::Dash(first), 0, first.len_utf8()),
        '•' | '●' | '▪' | '■' | '◦' | '‣' | '⁃' | '∙' | '○' | '◆' | '◇' | '□' | '►' | '▸' | '➤'
        | '✓' | '✔' | '✗' | '✘' | '☐' | '☑' | '☒' | '・' | '·' | '\u{F0B7}' => {
            (Kind::Bullet(first), 0, first.len_utf8())
        }
        // As RFCs type a bullet.
        'o' if text.starts_with("o  ") => (Kind::Bullet('o'), 0, 1),
        '[' if checkbox(text).is_some() => (Kind::Bullet('☐'), 0, 0),
        '①'..='⑳' => (Kind::Circled, first as u32 - '①' as u32 + 1, first.len_utf8()),
        '(' | '（' => bracketed(&text[first.len_utf8()..])
            .map(|(kind, number, length)| (kind, number, length + first.len_utf8()))?,
        _ if first.is_alphanumeric() => counted(text)?,
        _ => return None,
    };
    let rest = &text[mark..];
    let blanks = rest.len() - rest.trim_start_matches(marks::is_edge).len();
    let needs_blank = match kind {
        Kind::Bullet(sign) => matches!(sign, '·' | '☐' if mark > 0),
        Kind::Circled => false,
        Kind::Number(sign) => !matches!(sign, '、' | '．' | '）'),
        _ => true,
    };
    if rest.len() == blanks || (needs_blank && blanks == 0) {
        return None;
    }
    let length = mark + blanks;
    let done = checkbox(&text[length..]);
    let length = if done.is_some() { length + BOX } else { length };
    Some(Marker { kind, number, done, length, columns: marks::width(&text[..length]) })
}

/// Bytes of `[x] `.
const BOX: usize = 4;

/// The item that `text` begins in a list of `kind`: there `v.` may be a number.
pub fn marker_in(text: &str, kind: Kind) -> Option<Marker> {
    let marker = marker(text)?;
    let roman = match (kind, marker.kind) {
        (Kind::SmallRoman(_), Kind::SmallLetter(sign)) => Kind::SmallRoman(sign),
        (Kind::LargeRoman(_), Kind::LargeLetter(sign)) => Kind::LargeRoman(sign),
        _ => return Some(marker),
    };
    let number = match marker.number {
        22 => 5,
        24 => 10,
        _ => return Some(marker),
    };
    Some(Marker { kind: roman, number, ..marker })
}

/// `[ ]` or `[x]` and a blank: something to do, or done.
fn checkbox(text: &str) -> Option<bool> {
    let state = text.get(..BOX)?.strip_prefix('[')?.strip_suffix("] ")?;
    match state {
        " " => Some(false),
        "x" | "X" => Some(true),
        _ => None,
    }
}

/// `1)`, `a)`, past an opening bracket.
fn bracketed(text: &str) -> Option<(Kind, u32, usize)> {
    let (kind, number, length) = counted(text)?;
    let closing = match kind {
        Kind::Number(it) | Kind::SmallLetter(it) | Kind::LargeLetter(it) => it,
        Kind::SmallRoman(it) | Kind::LargeRoman(it) => it,
        _ => return None,
    };
    let inside = match closing {
        ')' => '(',
        '）' => '（',
        _ => return None,
    };
    let kind = match kind {
        Kind::Number(_) => Kind::Number(inside),
        Kind::SmallLetter(_) => Kind::SmallLetter(inside),
        Kind::LargeLetter(_) => Kind::LargeLetter(inside),
        Kind::SmallRoman(_) => Kind::SmallRoman(inside),
        _ => Kind::LargeRoman(inside),
    };
    Some((kind, number, length))
}

/// A number or letter and what divides it from the text.
fn counted(text: &str) -> Option<(Kind, u32, usize)> {
    let mut number = 0u32;
    let mut length = 0;
    let mut digits = 0;
    let mut rest = text.chars();
    let mut next = rest.next();
    while let Some(value) = next.and_then(digit) {
        number = number * 10 + value;
        digits += 1;
        length += next.map_or(0, char::len_utf8);
        if digits > 3 {
            return None;
        }
        next = rest.next();
    }
    if digits > 0 {
        let sign = next?;
        let is_sign = matches!(sign, '.' | ')' | '、' | '．' | '）' | '-' | '۔');
        return is_sign.then(|| (Kind::Number(sign), number, length + sign.len_utf8()));
    }
    lettered(text)
}

fn lettered(text: &str) -> Option<(Kind, u32, usize)> {
    let letters = text.bytes().take(8).take_while(u8::is_ascii_alphabetic).count();
    let sign = text[letters..].chars().next().filter(|it| matches!(it, ')' | '.' | '）'))?;
    let word = &text[..letters];
    let length = letters + sign.len_utf8();
    let is_small = word.bytes().all(|it| it.is_ascii_lowercase());
    let is_large = word.bytes().all(|it| it.is_ascii_uppercase());
    if !is_small && !is_large {
        return None;
    }
    // A single `i` begins a Roman list; `v` and `x` alone are letters.
    if letters == 1 && !word.eq_ignore_ascii_case("i") {
        let letter = word.as_bytes()[0];
        return Some(if is_small {
            (Kind::SmallLetter(sign), u32::from(letter - b'a') + 1, length)
        } else {
            (Kind::LargeLetter(sign), u32::from(letter - b'A') + 1, length)
        });
    }
    let number = roman(word)?;
    Some((if is_small { Kind::SmallRoman(sign) } else { Kind::LargeRoman(sign) }, number, length))
}

/// A Roman number up to 39, in the usual spelling.
fn roman(word: &str) -> Option<u32> {
    const ONES: [&str; 10] = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"];
    let word = word.to_ascii_lowercase();
    let tens = word.bytes().take_while(|it| *it == b'x').count();
    let ones = ONES.iter().position(|it| *it == &word[tens..])?;
    let number = tens * 10 + ones;
    (tens <= 3 && number > 0).then_some(number as u32)
}

/// The value of a digit of the scripts that number lists with their own.
fn digit(character: char) -> Option<u32> {
    let zero = match u32::from(character) {
        it @ 0x30..=0x39 => it - 0x30,
        it @ 0x660..=0x669 => it - 0x660,
        it @ 0x6F0..=0x6F9 => it - 0x6F0,
        it @ 0x966..=0x96F => it - 0x966,
        it @ 0xE50..=0xE59 => it - 0xE50,
        it @ 0xFF10..=0xFF19 => it - 0xFF10,
        _ => return None,
    };
    Some(zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        let table = [
            ("- a", Some((Kind::Dash('-'), 0, 2)), ""),
            ("-a", None, "no blank"),
            ("• a", Some((Kind::Bullet('•'), 0, 4)), ""),
            ("・あ", Some((Kind::Bullet('・'), 0, 3)), "no blank needed"),
            ("1. a", Some((Kind::Number('.'), 1, 3)), ""),
            ("1.5 a", None, "a decimal"),
            ("12) a", Some((Kind::Number(')'), 12, 4)), ""),
            ("(3) a", Some((Kind::Number('('), 3, 4)), ""),
            ("1984. It", None, "a year"),
            ("1、甲", Some((Kind::Number('、'), 1, 4)), "Chinese"),
            ("١. أ", Some((Kind::Number('.'), 1, 4)), "Arabic digits"),
            ("๑. ก", Some((Kind::Number('.'), 1, 5)), "Thai digits"),
            ("①甲", Some((Kind::Circled, 1, 3)), ""),
            ("a) b", Some((Kind::SmallLetter(')'), 1, 3)), ""),
            ("(b) c", Some((Kind::SmallLetter('('), 2, 4)), ""),
            ("ii. b", Some((Kind::SmallRoman('.'), 2, 4)), ""),
            ("IV) b", Some((Kind::LargeRoman(')'), 4, 4)), ""),
            ("Mr. Lee", None, "a title"),
            ("[ ] milk", Some((Kind::Bullet('☐'), 0, 4)), "a box"),
            ("- [x] milk", Some((Kind::Dash('-'), 0, 6)), "a bullet and a box"),
            ("-", None, "nothing behind it"),
            ("1.", None, "nothing behind it"),
        ];
        for (text, expected, why) in table {
            let found = marker(text).map(|it| (it.kind, it.number, it.length));
            assert_eq!(found, expected, "{text:?}: {why}");
        }
    }
}
