//! Lines drawn with signs: rules, underlines, marked headings.

use crate::convert::text::marks;

/// `***`, `* * *`, `———`: three or more of one sign and nothing else.
pub fn is_rule(text: &str) -> bool {
    let mut characters = text.chars().filter(|it| !it.is_whitespace());
    let Some(sign) = characters.next() else {
        return false;
    };
    if matches!(sign, '⁂' | '❦' | '☙' | '❧') {
        return characters.next().is_none();
    }
    if !matches!(
        sign,
        '-' | '*'
            | '_'
            | '='
            | '~'
            | '#'
            | '—'
            | '–'
            | '―'
            | '─'
            | '━'
            | '═'
            | '＊'
            | '※'
            | '◇'
            | '◆'
            | '☆'
            | '★'
            | '•'
            | '·'
            | '＝'
            | '－'
            | '＿'
            | '∗'
            | '○'
            | '●'
    ) {
        return false;
    }
    let mut count = 1;
    for character in characters {
        if character != sign {
            return false;
        }
        count += 1;
    }
    count >= 3 || (count == 2 && text == "--")
}

/// The sign of a line of strokes without blanks, and its columns.
pub fn underline(text: &str) -> Option<(char, u32)> {
    let sign = text.chars().next()?;
    let is_stroke = matches!(
        sign,
        '=' | '-'
            | '~'
            | '^'
            | '*'
            | '_'
            | '#'
            | '─'
            | '━'
            | '═'
            | '—'
            | '–'
            | '―'
            | '‾'
            | '¯'
            | '＝'
            | '－'
    );
    let is_line = is_stroke && text.chars().all(|it| it == sign);
    let columns = marks::width(text);
    (is_line && (columns >= 3 || text == "==")).then_some((sign, columns))
}

pub fn rank_of(sign: char) -> u8 {
    match sign {
        '=' | '═' | '＝' | '#' | '*' => 2,
        '-' | '─' | '━' | '—' | '–' | '―' | '－' | '_' => 4,
        _ => 6,
    }
}

/// `## Title`, `## Title ##`, `== Title ==`.
pub fn marked_heading(text: &str) -> Option<(u8, &str)> {
    let sign = *text.as_bytes().first()?;
    if !matches!(sign, b'#' | b'=') || text.len() > 400 {
        return None;
    }
    let length = text.bytes().take_while(|it| *it == sign).count();
    let rest = &text[length..];
    let closing = rest.bytes().rev().take_while(|it| *it == sign).count();
    let inner = &rest[..rest.len() - closing];
    if !inner.contains(char::is_alphanumeric) || length > 6 || !rest.starts_with(marks::is_edge) {
        return None;
    }
    let rank = u8::try_from(length).unwrap_or(6);
    match sign {
        // `# About C#`: what closes has a blank before it.
        b'#' if inner.ends_with(marks::is_edge) => Some((rank, inner.trim())),
        b'#' => Some((rank, rest.trim())),
        _ => (length == closing).then(|| (rank, inner.trim())),
    }
}
