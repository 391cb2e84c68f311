//! Which characters a feed may carry: those that XML 1.0 allows (section 2.2) and does
//! not discourage there as controls.
//!
//! Conversion removes the others once, from what a person wrote; rendering does again,
//! for what comes from elsewhere, such as the configuration.

use std::borrow::Cow;

/// Whether a feed may carry it. A carriage return may stay within a text; [`lines`]
/// makes a line end of it.
pub fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => !other.is_control(),
    }
}

/// `text` without what no feed may carry; CRLF, CR and NEL as `\n`, as XML parsers read
/// the first two (section 2.11).
pub fn lines(text: Cow<'_, str>) -> Cow<'_, str> {
    if !holds_any(text.as_bytes(), |byte| byte == b'\r') {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\u{85}' => clean.push('\n'),
            other if is_allowed(other) => clean.push(other),
            _ => {}
        }
    }
    Cow::Owned(clean)
}

/// `text` without what no feed may carry, its lines as they end: for text in which
/// character references were decoded.
pub fn allowed(text: String) -> String {
    match holds_any(text.as_bytes(), |_| false) {
        false => text,
        true => text.chars().filter(|&it| is_allowed(it)).collect(),
    }
}

/// Whether some character of a text is not allowed, or `is_one` besides. Only stretches
/// with a byte that may begin such are read byte by byte; the compiler makes the first
/// look at many bytes at once.
fn holds_any(bytes: &[u8], is_one: impl Fn(u8) -> bool) -> bool {
    const STRETCH: usize = 64;
    let is_found = |at: usize| match bytes[at] {
        0..=8 | 11 | 12 | 14..=31 | 0x7F => true,
        // U+0080 to U+009F.
        0xC2 => matches!(bytes.get(at + 1), Some(0x80..=0x9F)),
        // U+FFFE and U+FFFF.
        0xEF => matches!(bytes[at + 1..], [0xBF, 0xBE | 0xBF, ..]),
        other => is_one(other),
    };
    bytes.chunks(STRETCH).enumerate().any(|(number, chunk)| {
        let is_suspect = chunk.iter().fold(false, |found, &it| {
            let is_control = ((it < 32) & (it != b'\n') & (it != b'\t')) | (it == 0x7F);
            found | is_control | (it == 0xC2) | (it == 0xEF)
        });
        let from = number * STRETCH;
        is_suspect && (from..from + chunk.len()).any(is_found)
    })
}
