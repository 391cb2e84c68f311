//! Bytes to text, and the one place where characters go that no feed may carry.
//!
//! In: the bytes of a seed. Out: text in which lines end with `\n` and every
//! character is one that a feed may carry: a title of others alone is no title, and all
//! formats agree on it. Whatever decodes character references later passes through
//! [`allowed`] again. No bytes are refused: what no
//! encoding explains becomes U+FFFD.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use crate::characters;
pub use crate::characters::allowed;

/// The text that `bytes` spell: by their byte order mark, as UTF-8 where they are, by
/// `declared` (a charset label of the document), else by what they look like.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    let (text, _) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => encoding.decode_without_bom_handling(&bytes[length..]),
        None => match utf16_without_mark(bytes) {
            Some(encoding) => encoding.decode_without_bom_handling(bytes),
            None => return characters::lines(decode_unmarked(bytes, declared)).into_owned(),
        },
    };
    characters::lines(text).into_owned()
}

fn decode_unmarked<'b>(bytes: &'b [u8], declared: Option<&str>) -> Cow<'b, str> {
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let utf8 = std::str::from_utf8(bytes);
    // Japanese mail and old texts: ASCII with escapes, which nothing else begins so.
    let has_escapes =
        bytes.contains(&0x1b) && bytes.windows(3).any(|it| matches!(it, b"\x1b$B" | b"\x1b$@"));
    if has_escapes
        && let Some(text) = ISO_2022_JP.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return text;
    }
    // Pages saved by browsers keep a charset that is no longer true. Text that happens
    // to be valid UTF-8 beyond ASCII is UTF-8; a declaration decides about the rest,
    // also about the encodings that look like ASCII (ISO-2022-JP).
    if let (Ok(text), false) = (utf8, bytes.is_ascii() && declared.is_some()) {
        return Cow::Borrowed(text);
    }
    if let Some(encoding) = declared.filter(|&it| it != UTF_8)
        && let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return text;
    }
    if let Ok(text) = utf8 {
        return Cow::Borrowed(text);
    }
    if is_damaged_utf8(bytes) {
        return String::from_utf8_lossy(bytes);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(DETECTED)], bytes.len() <= DETECTED);
    detector.guess(None, Utf8Detection::Deny).decode_without_bom_handling(bytes).0
}

/// How much the detector looks at. Legacy text shows its encoding soon, and a guess
/// must not depend on how long a document is.
const DETECTED: usize = 256 * 1024;

/// Whether `bytes` are UTF-8 with a few bytes broken, as after a cut or a bad paste:
/// far more whole multi-byte characters than invalid stretches.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|it| !it.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    whole >= broken.saturating_mul(4)
}

/// UTF-16 that has no byte order mark shows itself by the zero bytes of its ASCII
/// characters: nearly all at even places, or nearly all at odd ones.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(1024) & !1];
    if sample.len() < 4 || bytes.len() % 2 == 1 {
        return None;
    }
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|&&it| it == 0).count();
    let (high_first, low_first) = (zeros(0), zeros(1));
    let many = sample.len() / 2 * 2 / 3;
    match (high_first > many, low_first > many) {
        (true, false) if low_first * 10 <= high_first => Some(UTF_16BE),
        (false, true) if high_first * 10 <= low_first => Some(UTF_16LE),
        _ => None,
    }
}

/// `text` as one line: white space folded, ends trimmed, nothing that XML forbids.
pub fn one_line(text: &str) -> String {
    let text = text.trim_matches(is_blank);
    if is_one_line(text.as_bytes()) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(1024));
    let mut is_apart = false;
    for character in text.chars() {
        if is_blank(character) {
            is_apart = true;
        } else if characters::is_allowed(character) {
            if is_apart && !out.is_empty() {
                out.push(' ');
            }
            is_apart = false;
            out.push(character);
        }
    }
    out
}

/// Whether nothing is to be done: single blanks, no other white space, no control.
/// What begins like a character that would have to go counts as one, but for the
/// quotation marks and dashes that texts are full of.
fn is_one_line(bytes: &[u8]) -> bool {
    let mut before = 0;
    bytes.iter().enumerate().all(|(at, &byte)| {
        let is_fine = match byte {
            b' ' => before != b' ',
            0x21..=0x7E | 0x80..=0xC1 | 0xC3..=0xE0 | 0xE4..=0xEE | 0xF0.. => true,
            // U+2010 to U+2027.
            0xE2 => matches!(bytes[at + 1..], [0x80, 0x90..=0xA7, ..]),
            _ => false,
        };
        before = byte;
        is_fine
    })
}

/// White space, and what looks like nothing at the ends of a line.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{FEFF}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        let utf16 = |text: &str, little: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|it| if little { it.to_le_bytes() } else { it.to_be_bytes() })
                .collect()
        };
        let with_mark = |mark: [u8; 2], rest: Vec<u8>| [mark.to_vec(), rest].concat();
        let russian = encoding_rs::WINDOWS_1251.encode("Сегодня в городе открылся новый театр").0;
        let koi8 =
            encoding_rs::KOI8_R.encode("Сегодня в городе открылся новый театр, и все пришли").0;
        let korean = encoding_rs::EUC_KR.encode("오늘 서울에서 새로운 극장이 문을 열었다").0;
        let japanese = encoding_rs::SHIFT_JIS.encode("今日、東京で新しい劇場が開きました。").0;
        let chinese = encoding_rs::GBK.encode("今天北京有一座新的剧院开放了，很多人都来了。").0;
        let table: Vec<(Vec<u8>, Option<&str>, &str, &str)> = vec![
            (b"plain".to_vec(), None, "plain", "ASCII"),
            ("\u{FEFF}Grüße".as_bytes().to_vec(), None, "Grüße", "UTF-8 with its mark"),
            (with_mark([0xFF, 0xFE], utf16("Grüße", true)), None, "Grüße", "UTF-16LE by mark"),
            (with_mark([0xFE, 0xFF], utf16("한국어", false)), None, "한국어", "UTF-16BE by mark"),
            (utf16("no mark here", true), None, "no mark here", "UTF-16LE by its zeros"),
            (utf16("no mark here", false), None, "no mark here", "UTF-16BE by its zeros"),
            (b"caf\xe9 \x96 na\xefve".to_vec(), None, "café – naïve", "windows-1252"),
            (russian.to_vec(), None, "Сегодня в городе открылся новый театр", "windows-1251"),
            (koi8.to_vec(), None, "Сегодня в городе открылся новый театр, и все пришли", "KOI8-R"),
            (korean.to_vec(), None, "오늘 서울에서 새로운 극장이 문을 열었다", "EUC-KR"),
            (japanese.to_vec(), None, "今日、東京で新しい劇場が開きました。", "Shift_JIS"),
            (chinese.to_vec(), None, "今天北京有一座新的剧院开放了，很多人都来了。", "GBK"),
            (b"\xe9".to_vec(), Some("iso-8859-2"), "é", "declared"),
            (b"\xb9".to_vec(), Some("iso-8859-2"), "š", "declared, not what it looks like"),
            ("é".as_bytes().to_vec(), Some("iso-8859-1"), "é", "UTF-8 in spite of an old label"),
            (b"\x1b$B%F\x1b(B".to_vec(), Some("iso-2022-jp"), "テ", "ASCII bytes, declared"),
            (b"\x1b$B%F\x1b(B".to_vec(), None, "テ", "the same, by its escapes"),
            (b"abc".to_vec(), Some("nonsense"), "abc", "a label that nobody knows"),
            (
                "äöü äöü äöü\u{20AC}".bytes().chain([0xFF]).collect(),
                None,
                "äöü äöü äöü€\u{FFFD}",
                "UTF-8 with one bad byte",
            ),
            (b"".to_vec(), None, "", "nothing"),
        ];
        for (bytes, declared, text, why) in table {
            assert_eq!(decode(&bytes, declared), text, "{why}");
        }
    }

    #[test]
    fn line_ends_and_forbidden_characters() {
        let table = [
            ("a\r\nb\rc\nd\u{85}e", "a\nb\nc\nd\ne", "every line end is one"),
            ("a\r\r\nb", "a\n\nb", "CR CR LF is two"),
            ("a\0b\u{1}\u{2}\u{3}\u{1f}c", "abc", "controls, the marks of holes among them"),
            ("a\u{FFFE}b\u{FFFF}c\u{FFFD}", "abc\u{FFFD}", "the two that are no characters"),
            ("tab\there", "tab\there", "a tab is allowed"),
            ("\u{7f}a\u{80}\u{9f}b\u{a0}", "ab\u{a0}", "controls that XML discourages"),
            ("\u{1FFFE}", "\u{1FFFE}", "allowed, though no character"),
        ];
        for (text, clean, why) in table {
            assert_eq!(decode(text.as_bytes(), None), clean, "{why}");
        }
    }

    #[test]
    fn one_line_folds_every_kind_of_blank() {
        assert_eq!(one_line("  a \n\t b\u{a0}c\u{3000}d\u{FEFF} "), "a b c d");
        assert_eq!(one_line("\u{1}a \u{FFFE} b"), "a b");
    }
}
