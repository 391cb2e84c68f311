//! Characters: how wide they are, what they end, what they open and close. All
//! scripts in one place, so that no rule elsewhere knows Latin punctuation.

/// How many columns of a monospaced screen a character takes: two for East Asian
/// wide ones, none for marks that stand on another (Unicode Standard Annex 11,
/// with the marks of the scripts that people write here).
pub fn columns(character: char) -> u32 {
    let code = u32::from(character);
    match code {
        0xAD => 0,
        0..=0x2FF | 0x370..=0x482 | 0x48A..=0x590 | 0x2010..=0x2027 => 1,
        0x620..=0x64A | 0xE00..=0xE30 | 0xE32..=0xE33 | 0xE3F..=0xE46 => 1,
        0x3041..=0x9FFF | 0xAC00..=0xD7A3 => 2,
        _ => {
            let range = &WIDTHS[..WIDTHS.partition_point(|it| it.0 <= code)];
            range.last().filter(|it| code <= it.1).map_or(1, |it| it.2)
        }
    }
}

/// First and last character of each range, and its columns where that is not one.
const WIDTHS: &[(u32, u32, u32)] = &[
    (0x300, 0x36F, 0),
    (0x483, 0x489, 0),
    (0x591, 0x5BD, 0),
    (0x5BF, 0x5BF, 0),
    (0x5C1, 0x5C2, 0),
    (0x5C4, 0x5C5, 0),
    (0x5C7, 0x5C7, 0),
    (0x610, 0x61A, 0),
    (0x64B, 0x65F, 0),
    (0x670, 0x670, 0),
    (0x6D6, 0x6DC, 0),
    (0x6DF, 0x6E4, 0),
    (0x6E7, 0x6E8, 0),
    (0x6EA, 0x6ED, 0),
    (0x900, 0x902, 0),
    (0x93A, 0x93A, 0),
    (0x93C, 0x93C, 0),
    (0x941, 0x948, 0),
    (0x94D, 0x94D, 0),
    (0x951, 0x957, 0),
    (0xE31, 0xE31, 0),
    (0xE34, 0xE3A, 0),
    (0xE47, 0xE4E, 0),
    (0xEB1, 0xEB1, 0),
    (0xEB4, 0xEBC, 0),
    (0xEC8, 0xECE, 0),
    (0x1100, 0x115F, 2),
    (0x1AB0, 0x1AFF, 0),
    (0x1DC0, 0x1DFF, 0),
    (0x200B, 0x200F, 0),
    (0x202A, 0x202E, 0),
    (0x2060, 0x2064, 0),
    (0x2066, 0x2069, 0),
    (0x20D0, 0x20FF, 0),
    (0x2E80, 0x303E, 2),
    (0x3041, 0xA4CF, 2),
    (0xA960, 0xA97F, 2),
    (0xAC00, 0xD7A3, 2),
    (0xF900, 0xFAFF, 2),
    (0xFE00, 0xFE0F, 0),
    (0xFE20, 0xFE2F, 0),
    (0xFE30, 0xFE6F, 2),
    (0xFEFF, 0xFEFF, 0),
    (0xFF01, 0xFF60, 2),
    (0xFFE0, 0xFFE6, 2),
    (0x1F300, 0x1F64F, 2),
    (0x1F900, 0x1F9FF, 2),
    (0x20000, 0x3FFFD, 2),
    (0xE0100, 0xE01EF, 0),
];

/// The columns of a whole text, never more than `u32` holds.
pub fn width(text: &str) -> u32 {
    if text.is_ascii() {
        return u32::try_from(text.len()).unwrap_or(u32::MAX);
    }
    let bytes = text.as_bytes();
    let mut sum = 0u32;
    let mut at = 0;
    while at < bytes.len() {
        // Stretches of ASCII, as between the quotation marks of a line.
        let stretch = &bytes[at..bytes.len().min(at + 16)];
        if stretch.is_ascii() {
            sum = sum.saturating_add(stretch.len() as u32);
            at += stretch.len();
            continue;
        }
        // What the first byte of a character tells without decoding it.
        let (length, columns) = match bytes[at] {
            0..=0x7F => (1, 1),
            // Latin, Greek, Cyrillic.
            0xC3..=0xCB | 0xCE..=0xD1 => (2, 1),
            // Most of Chinese and Korean.
            0xE4..=0xE9 | 0xEB..=0xEC => (3, 2),
            _ => {
                let character = text[at..].chars().next().unwrap_or(' ');
                (character.len_utf8(), columns(character))
            }
        };
        sum = sum.saturating_add(columns);
        at += length;
    }
    sum
}

/// Bytes before the first character that is not ASCII.
pub fn ascii_prefix(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.bytes().position(|it| !it.is_ascii()).unwrap_or(text.len())
}

/// Chinese and Japanese characters and their punctuation: no blank stands between
/// two of them, and a line may break at any of them. Korean puts blanks between
/// words and is not among them.
pub fn is_cjk(character: char) -> bool {
    matches!(u32::from(character),
        0x2E80..=0x312F | 0x31A0..=0xA4CF | 0xF900..=0xFAFF | 0xFE30..=0xFE4F
        | 0xFF01..=0xFF9F | 0x20000..=0x3FFFD)
}

/// Full-width punctuation: it brings its own space.
pub fn is_cjk_punctuation(character: char) -> bool {
    matches!(u32::from(character),
        0x3000..=0x3004 | 0x3008..=0x3020 | 0x30FB | 0xFE30..=0xFE4F | 0xFF01..=0xFF0F
        | 0xFF1A..=0xFF20 | 0xFF3B..=0xFF40 | 0xFF5B..=0xFF65)
}

/// Punctuation that Chinese shares with Latin; which it is, the neighbour tells.
pub fn is_shared_punctuation(character: char) -> bool {
    matches!(character, '“' | '”' | '‘' | '’' | '…' | '—' | '·')
}

/// Thai, Lao, Khmer, Burmese: letters whose words have no blanks between them,
/// only phrases have.
pub fn is_unspaced(character: char) -> bool {
    matches!(u32::from(character), 0xE00..=0xEFF | 0x1000..=0x109F | 0x1780..=0x17FF)
}

/// A letter of a script that is written from right to left.
pub fn is_right_to_left(character: char) -> bool {
    matches!(u32::from(character),
        0x5D0..=0x5F4 | 0x620..=0x64A | 0x66E..=0x6D5 | 0x6FA..=0x8C7 | 0xFB1D..=0xFDFB
        | 0xFE70..=0xFEFC | 0x10800..=0x10FFF | 0x1E800..=0x1EEFF)
}

/// Characters that show nothing and stand at the edges of a line by accident.
pub fn is_edge(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
}

/// What stands at the end of a text, closing quotation marks, brackets and note
/// marks aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A full stop of any script, a question or exclamation mark, an ellipsis.
    Sentence,
    /// A comma, colon, semicolon or dash: something follows.
    Clause,
    /// A word.
    Nothing,
}

pub fn ending(text: &str) -> Ending {
    match last_mark(text) {
        Some(it) if ends_sentence(it) => Ending::Sentence,
        Some(it) if ends_clause(it) => Ending::Clause,
        _ => Ending::Nothing,
    }
}

/// The last character that is no closing quotation mark, bracket, emphasis or note
/// mark.
pub fn last_mark(text: &str) -> Option<char> {
    let text = without_note_mark(text);
    text.chars().rev().find(|it| {
        !(is_closer(*it) || is_edge(*it) || is_raised_digit(*it) || matches!(it, '*' | '_'))
    })
}

/// `text` without a note mark such as `[12]` at its end.
pub fn without_note_mark(text: &str) -> &str {
    let Some(open) = text.strip_suffix(']') else {
        return text;
    };
    let before = open.trim_end_matches(|it: char| it.is_ascii_digit());
    match before.strip_suffix('[') {
        Some(rest) if before.len() < open.len() => rest,
        _ => text,
    }
}

pub fn is_raised_digit(character: char) -> bool {
    matches!(character, '¹' | '²' | '³' | '⁰' | '⁴'..='⁹' | '†' | '‡')
}

pub fn ends_sentence(character: char) -> bool {
    matches!(
        character,
        '.' | '!'
            | '?'
            | '…'
            | '‥'
            | '。'
            | '｡'
            | '．'
            | '！'
            | '？'
            | '؟'
            | '۔'
            | '।'
            | '॥'
            | '።'
            | '፧'
            | '։'
            | '՞'
            | '។'
            | '။'
            | '།'
            | '༎'
            | '‼'
            | '⁇'
            | '⁈'
            | '⁉'
            | '‽'
            | '᙮'
            | '᠃'
    )
}

/// A question or an exclamation: headlines may end so.
pub fn is_loud(character: char) -> bool {
    matches!(character, '!' | '?' | '！' | '？' | '؟' | '՞' | '፧' | '‼' | '⁇' | '⁈' | '⁉' | '‽')
}

pub fn is_question(character: char) -> bool {
    matches!(character, '?' | '？' | '؟' | '՞' | '፧' | '⁇')
}

pub fn ends_clause(character: char) -> bool {
    matches!(
        character,
        ',' | ';'
            | ':'
            | '，'
            | '、'
            | '；'
            | '：'
            | '､'
            | '،'
            | '؛'
            | '՝'
            | '፣'
            | '፤'
            | '፥'
            | '—'
            | '–'
            | '―'
            | '-'
            | '\u{37E}'
    )
}

pub fn is_colon(character: char) -> bool {
    matches!(character, ':' | '：' | '፡' | '︓')
}

pub fn is_comma(character: char) -> bool {
    matches!(character, ',' | '，' | '、' | '،' | '､' | '፣')
}

/// Whether a text ends in an initialism such as `U.S.`, whose stop ends no
/// sentence.
pub fn ends_in_initials(text: &str) -> bool {
    let mut back = text.chars().rev().skip_while(|it| is_closer(*it));
    back.next() == Some('.')
        && back.next().is_some_and(char::is_uppercase)
        && back.next() == Some('.')
        && back.next().is_some_and(char::is_uppercase)
}

/// What closes the quotation that a character opens; empty for all others. Book
/// titles (`《》`) are no quotations.
pub fn quotation_closers(open: char) -> &'static [char] {
    match open {
        '"' => &['"'],
        '＂' => &['＂'],
        '\'' => &['\''],
        '“' => &['”'],
        '„' | '‟' => &['“', '”'],
        '”' => &['”'],
        '«' => &['»'],
        '»' => &['«', '»'],
        '‹' => &['›'],
        '›' => &['‹', '›'],
        '‘' | '‛' => &['’'],
        '‚' => &['‘', '’'],
        '「' => &['」'],
        '『' => &['』'],
        '｢' => &['｣'],
        '〝' => &['〞', '〟'],
        _ => &[],
    }
}

pub fn is_opener(character: char) -> bool {
    !quotation_closers(character).is_empty()
        || matches!(
            character,
            '(' | '[' | '{' | '（' | '［' | '【' | '〔' | '《' | '〈' | '〖' | '¿' | '¡'
        )
}

pub fn is_closer(character: char) -> bool {
    matches!(
        character,
        '"' | '\''
            | '”'
            | '“'
            | '’'
            | '‘'
            | '»'
            | '«'
            | '›'
            | '‹'
            | '」'
            | '』'
            | '｣'
            | '〞'
            | '〟'
            | '＂'
            | ')'
            | ']'
            | '}'
            | '）'
            | '］'
            | '】'
            | '〕'
            | '》'
            | '〉'
            | '〗'
    )
}

/// Whether a paragraph stands wholly in quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// What opens at the start closes at the end, and not before.
    Whole,
    /// What opens at the start never closes: the quotation goes on in the next
    /// paragraph.
    Open,
    No,
}

pub fn quoted(text: &str) -> Quoted {
    let text = without_note_mark(text.trim()).trim_end_matches(is_raised_digit);
    let Some(open) = text.chars().next() else {
        return Quoted::No;
    };
    let closers = quotation_closers(open);
    if closers.is_empty() {
        return Quoted::No;
    }
    let body = &text[open.len_utf8()..];
    let end = body.trim_end_matches(['.', ',', '。', '，', '!', '?']);
    let mut depth = 1u32;
    let mut before = open;
    let mut characters = body.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let after = characters.peek().map(|it| it.1);
        let is_apostrophe = matches!(character, '\'' | '’')
            && before.is_alphanumeric()
            && after.is_some_and(char::is_alphanumeric);
        if closers.contains(&character) && !is_apostrophe {
            depth -= 1;
            if depth == 0 {
                let rest = at + character.len_utf8();
                let is_end = rest >= end.len() && body[..at].chars().any(char::is_alphanumeric);
                return if is_end { Quoted::Whole } else { Quoted::No };
            }
        } else if character == open && !closers.contains(&open) {
            depth += 1;
        }
        before = character;
    }
    if closers.contains(&open) { Quoted::No } else { Quoted::Open }
}

/// Bytes of a name behind a quotation.
const LONGEST_NAME: usize = 320;

/// The quotation and what follows it in `“Words.” — Name` or `“Words.” (Name)`.
pub fn split_quotation(text: &str) -> Option<(&str, &str)> {
    // A name is short: the rest need not be searched.
    let start = text.floor_char_boundary(text.len().saturating_sub(LONGEST_NAME));
    let tail = &text[start..];
    let at = start
        + match tail.strip_suffix([')', '）']) {
            Some(inner) => inner.rfind(['(', '（'])?,
            None => [" — ", " – ", " -- ", " - ", "—", "――"].iter().find_map(|it| {
                tail.rfind(it).filter(|at| tail[..*at].trim_end().ends_with(is_closer))
            })?,
        };
    let words = text[..at].trim_end();
    (quoted(words) == Quoted::Whole).then(|| (words, text[at..].trim_start()))
}
