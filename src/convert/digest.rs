//! What a body says as plain text: its summary, first heading, number of words, and
//! enough prose to tell its language.
//!
//! In: sanitised HTML in which [`MORE`] may stand where the author ended the summary.
//! Out: plain values. Read once, in one pass.

use crate::convert::clean;
use crate::convert::tags::{Scanner, Token, unescape};

/// Stands where the author's mark for the end of the summary (`<!--more-->`) stood.
pub const MORE: char = '\u{4}';

/// The longest summary that is made from a text, in characters.
const SUMMARY: usize = 300;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digest {
    /// The text of the first heading.
    pub heading: Option<String>,
    /// What stands before the author's mark.
    pub before_more: Option<String>,
    /// The first paragraphs, without code, tables, headings, notes.
    pub lead: String,
    /// Prose from the start, for telling the language.
    pub sample: String,
    pub words: u32,
    /// A picture, video or sound.
    pub has_media: bool,
    pub has_text: bool,
}

impl Digest {
    pub fn summary(&self) -> String {
        match &self.before_more {
            Some(text) if !text.is_empty() => cut(text, SUMMARY),
            _ => cut(&self.lead, SUMMARY),
        }
    }

    /// The first sentence, for articles without a heading.
    pub fn first_sentence(&self) -> Option<String> {
        let text = self.lead.as_str();
        let end = sentence_ends(text).next().unwrap_or(text.len());
        let sentence = cut(text[..end].trim(), 100);
        (!sentence.is_empty()).then_some(sentence)
    }
}

/// More prose than a summary and the language need.
const ENOUGH: usize = 2_000;

#[derive(Default)]
struct Reading {
    digest: Digest,
    paragraphs: String,
    others: String,
    heading: Option<String>,
    /// Elements whose text is no prose, by how many are open.
    apart: u32,
    in_paragraph: u32,
    paragraph_from: usize,
    in_heading: bool,
    in_raised: bool,
    /// A note's mark, until its `</sup>`.
    in_mark: bool,
    words: Words,
}

/// Reads `html`.
pub fn digest(html: &str) -> Digest {
    let mut reading = Reading::default();
    for token in Scanner::new(html) {
        match token {
            Token::Text(text) => reading.text(text),
            Token::Start(tag) => {
                let class = || tag.get("class").unwrap_or_default();
                match tag.name {
                    "pre" | "table" | "figure" | "audio" | "video" => reading.apart += 1,
                    "section" if class() == "footnotes" => reading.apart += 1,
                    "p" => {
                        // Alerts name their kind in a paragraph of its own.
                        reading.in_paragraph += 1;
                        reading.paragraph_from = reading.paragraphs.len();
                        reading.in_mark = class() == "markdown-alert-title";
                    }
                    "sup" => reading.in_raised = true,
                    "a" => {
                        let is_note = tag.get("href").is_some_and(|it| it.starts_with('#'));
                        if is_note && (reading.in_raised || class() == "footnote-backref") {
                            reading.in_mark = true;
                        }
                    }
                    _ => {}
                }
                reading.digest.has_media |= matches!(tag.name, "img" | "video" | "audio");
                if is_heading(tag.name) {
                    reading.in_heading = true;
                    reading.heading.get_or_insert_default();
                }
                reading.boundary(tag.name);
            }
            Token::End(name) => {
                match name {
                    "pre" | "table" | "figure" | "audio" | "video" => {
                        reading.apart = reading.apart.saturating_sub(1);
                    }
                    "section" => reading.apart = 0,
                    "p" => {
                        reading.without_bare_link();
                        reading.in_paragraph = reading.in_paragraph.saturating_sub(1);
                        reading.in_mark = false;
                    }
                    "sup" => (reading.in_raised, reading.in_mark) = (false, false),
                    "a" => {
                        reading.in_mark &= reading.in_raised;
                    }
                    _ => {}
                }
                if is_heading(name) {
                    reading.in_heading = false;
                    let heading = reading.heading.as_deref().unwrap_or_default();
                    if reading.digest.heading.is_none() && !heading.trim().is_empty() {
                        reading.digest.heading = Some(clean::one_line(heading));
                    }
                }
                reading.boundary(name);
            }
            Token::Comment(_) | Token::Other => {}
        }
    }
    reading.finish()
}

impl Reading {
    fn boundary(&mut self, name: &str) {
        if is_inline(name) {
            return;
        }
        self.words.boundary();
        for text in [&mut self.paragraphs, &mut self.others] {
            if !text.is_empty() && !text.ends_with(' ') && text.len() < ENOUGH {
                text.push(' ');
            }
        }
    }

    fn text(&mut self, raw: &str) {
        let text = unescape(raw);
        let mut text = text.as_ref();
        if let Some(at) = raw.find(MORE).and(text.find(MORE)) {
            self.prose(&text[..at]);
            if self.digest.before_more.is_none() {
                self.digest.before_more = Some(clean::one_line(self.so_far()));
            }
            text = &text[at + 1..];
        }
        self.prose(text);
    }

    /// A paragraph that is nothing but an address says nothing in a summary.
    fn without_bare_link(&mut self) {
        let paragraph = self.paragraphs.get(self.paragraph_from..).unwrap_or_default().trim();
        let is_link = paragraph.starts_with("http://") || paragraph.starts_with("https://");
        if is_link && !paragraph.contains(char::is_whitespace) {
            self.paragraphs.truncate(self.paragraph_from);
        }
    }

    fn so_far(&self) -> &str {
        if self.paragraphs.trim().is_empty() { &self.others } else { &self.paragraphs }
    }

    fn prose(&mut self, text: &str) {
        if self.in_mark {
            return;
        }
        self.words.count(text);
        self.digest.has_text |= self.words.total > 0
            || text.contains(|it: char| !it.is_whitespace() && !it.is_control());
        if self.in_heading {
            if let Some(heading) = self.heading.as_mut().filter(|_| self.digest.heading.is_none())
                && heading.len() < ENOUGH
            {
                heading.push_str(text);
            }
            return;
        }
        if self.apart > 0 {
            return;
        }
        let into = if self.in_paragraph > 0 { &mut self.paragraphs } else { &mut self.others };
        if into.len() < ENOUGH {
            let end = text.char_indices().nth(ENOUGH).map_or(text.len(), |it| it.0);
            into.push_str(&text[..end]);
        }
    }

    fn finish(mut self) -> Digest {
        self.digest.words = self.words.total();
        self.digest.lead = clean::one_line(self.so_far());
        self.digest.sample = match self.digest.lead.len() < 200 {
            true => clean::one_line(&format!("{} {}", self.paragraphs, self.others)),
            false => self.digest.lead.clone(),
        };
        self.digest
    }
}

/// Whether an element parts no words.
fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "i"
            | "em"
            | "strong"
            | "code"
            | "span"
            | "sup"
            | "sub"
            | "mark"
            | "del"
            | "ins"
            | "s"
            | "u"
            | "small"
            | "q"
            | "cite"
            | "abbr"
            | "kbd"
            | "var"
            | "samp"
            | "time"
            | "wbr"
            | "bdo"
            | "bdi"
            | "data"
            | "dfn"
            | "ruby"
            | "tt"
            | "big"
            | "strike"
            | "acronym"
    )
}

fn is_heading(name: &str) -> bool {
    matches!(name.as_bytes(), [b'h', b'1'..=b'6'])
}

/// Counts words; characters of scripts without blanks count half a word each.
#[derive(Default)]
struct Words {
    total: u64,
    halves: u64,
    in_word: bool,
}

impl Words {
    fn boundary(&mut self) {
        self.in_word = false;
    }

    fn count(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if let Some(stretch) = bytes[at..].first_chunk::<STRETCH>()
                && stretch.is_ascii()
                && self.stretch(stretch)
            {
                at += STRETCH;
                continue;
            }
            let byte = bytes[at];
            if byte < 0x80 {
                let is_word = byte.is_ascii_alphanumeric() | ((byte == b'\'') & self.in_word);
                self.total += u64::from(is_word & !self.in_word);
                self.in_word = is_word;
                at += 1;
                continue;
            }
            let Some(character) = text[at..].chars().next() else { return };
            at += character.len_utf8();
            let is_word = match character {
                // Latin, Greek and Cyrillic letters, nearly all of what stands there.
                '\u{C0}'..='\u{24F}' | '\u{400}'..='\u{481}' => !matches!(character, '×' | '÷'),
                '’' => self.in_word,
                _ if is_unspaced(character) => {
                    self.halves += 1;
                    false
                }
                // A mark on a letter belongs to its word.
                _ => {
                    character.is_alphanumeric()
                        || (self.in_word && !character.is_whitespace() && !is_sign(character))
                }
            };
            self.total += u64::from(is_word && !self.in_word);
            self.in_word = is_word;
        }
    }

    /// Counts a stretch of ASCII: a word begins where a letter follows neither a letter
    /// nor an apostrophe behind one. Without a branch, so that the compiler counts many
    /// bytes at once. `false` where apostrophes follow one another: which of them belong
    /// to a word takes more than a look at two neighbours.
    fn stretch(&mut self, stretch: &[u8; STRETCH]) -> bool {
        let letters = stretch.map(|it| u8::from(is_letter(it)));
        let joins = stretch.map(|it| u8::from(it == b'\''));
        let (mut starts, mut pairs) = (0, joins[0] & joins[1]);
        for at in 2..STRETCH {
            let is_joined = letters[at - 1] | (joins[at - 1] & letters[at - 2]);
            starts += letters[at] & (is_joined ^ 1);
            pairs |= joins[at] & joins[at - 1];
        }
        if pairs != 0 {
            return false;
        }
        let before = u8::from(self.in_word);
        starts += letters[0] & (before ^ 1);
        starts += letters[1] & ((letters[0] | (joins[0] & before)) ^ 1);
        self.total += u64::from(starts);
        self.in_word = (letters[STRETCH - 1] | (joins[STRETCH - 1] & letters[STRETCH - 2])) != 0;
        true
    }

    fn total(&self) -> u32 {
        u32::try_from(self.total + self.halves.div_ceil(2)).unwrap_or(u32::MAX)
    }
}

/// Bytes that are counted at once.
const STRETCH: usize = 32;

fn is_letter(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10)
}

/// Dashes, quotation marks, full stops and other signs beyond ASCII.
fn is_sign(character: char) -> bool {
    matches!(character, '\u{A1}'..='\u{BF}' | '\u{2010}'..='\u{206F}' | '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FF0F}' | '،' | '؛' | '؟' | '۔')
}

/// Han, kana, Thai, Lao, Khmer, Myanmar, Tibetan: scripts that put no blanks between
/// words.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0E00}'..='\u{0EFF}' | '\u{0F00}'..='\u{0FFF}' | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}'
        | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9D}' | '\u{20000}'..='\u{3FFFF}')
        && character.is_alphanumeric()
}

/// Where sentences end in `text`, as byte offsets behind their last sign.
fn sentence_ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().filter_map(move |(at, character)| {
        let after = at + character.len_utf8();
        let rest = &text[after..];
        match character {
            '。' | '！' | '？' | '．' | '｡' => {
                let closing =
                    rest.len() - rest.trim_start_matches(['」', '』', '”', '’', '）']).len();
                Some(after + closing)
            }
            '.' | '!' | '?' | '…' | '؟' | '۔' | '।' | '။' => {
                let closed =
                    rest.trim_start_matches(['"', '\'', '”', '’', '»', ')', '!', '?', '.']);
                let is_end = closed.is_empty() || closed.starts_with(' ');
                let before =
                    text[..at].rsplit(|it: char| !it.is_alphanumeric()).next().unwrap_or_default();
                let is_short = character == '.' && is_abbreviation(before);
                (is_end && !is_short).then(|| text.len() - closed.len())
            }
            _ => None,
        }
    })
}

/// A full stop behind these ends no sentence: initials, titles, `e.g.`
fn is_abbreviation(word: &str) -> bool {
    const SHORT: &[&str] = &[
        "mr", "mrs", "ms", "dr", "prof", "st", "vs", "no", "jr", "sr", "inc", "gen", "sen", "rep",
        "eg", "ie", "ca", "bzw", "nr",
    ];
    let mut characters = word.chars();
    let is_initial =
        characters.next().is_some_and(char::is_alphabetic) && characters.next().is_none();
    is_initial || SHORT.contains(&word.to_lowercase().as_str())
}

/// `text` in at most `limit` characters: whole sentences where they fill a third of
/// it, else whole words and an ellipsis.
pub fn cut(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.to_owned() };
    let fits = &text[..end];
    let least = text.char_indices().nth(limit / 3).map_or(0, |it| it.0);
    if let Some(sentence) = sentence_ends(text).take_while(|&it| it <= end).last()
        && sentence >= least
    {
        return text[..sentence].trim_end().to_owned();
    }
    let room = fits.char_indices().next_back().map_or(0, |it| it.0);
    let fits = &fits[..room];
    let words = match fits.rfind(' ') {
        Some(blank) if blank >= least => &fits[..blank],
        _ => fits,
    };
    let words =
        words.trim_end_matches(|it: char| it.is_whitespace() || ",;:–—-(（、，；：".contains(it));
    format!("{words}…")
}

/// The language of `sample`, where it is long enough and leaves no doubt.
pub fn language(sample: &str) -> Option<String> {
    // More tells no more, and costs the more.
    let end = sample.char_indices().nth(300).map_or(sample.len(), |it| it.0);
    let sample = &sample[..end];
    if is_plainly_english(sample) {
        return Some("en".into());
    }
    let found = whatlang::detect(sample)?;
    let has_script_of_its_own = !matches!(
        found.script(),
        whatlang::Script::Latin
            | whatlang::Script::Cyrillic
            | whatlang::Script::Arabic
            | whatlang::Script::Devanagari
    );
    let least = if has_script_of_its_own { 10 } else { 120 };
    if sample.chars().count() < least || !found.is_reliable() {
        return None;
    }
    LANGUAGES.iter().find(|it| it.0 == found.lang().code()).map(|it| it.1.to_owned())
}

/// Whether the words that English alone has are a sixth of `sample`. It spares most
/// archives the detector, which costs a quarter of a short post's conversion.
fn is_plainly_english(sample: &str) -> bool {
    const ENGLISH: &[&str] =
        &["the", "and", "of", "that", "with", "this", "was", "are", "which", "from", "you", "have"];
    let (mut words, mut english) = (0, [0_u32; 12]);
    for word in sample.split(|it: char| !it.is_alphabetic()).filter(|it| !it.is_empty()) {
        words += 1;
        if let Some(at) = ENGLISH.iter().position(|it| word.eq_ignore_ascii_case(it)) {
            english[at] += 1;
        }
    }
    let several = english.iter().filter(|&&it| it > 0).count() >= 3;
    words >= 20 && several && english.iter().sum::<u32>() * 6 >= words
}

/// ISO 639-3, which the detector speaks, and the shortest tag (RFC 5646, 2.2.1).
const LANGUAGES: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading() {
        let html = "<h2>A <em>head</em></h2>\n<pre><code>code</code></pre><p>First &amp; <b>bo</b>ld\
            <sup class=\"footnote-ref\"><a href=\"#fn-1\">1</a></sup>.</p><table><tr><td>cell</td></tr></table>\
            <p>See <a href=\"https://e.org\">https://e.org</a>.</p>";
        let digest = digest(html);
        assert_eq!(digest.heading.as_deref(), Some("A head"));
        assert_eq!(digest.lead, "First & bold. See https://e.org.");
        assert_eq!(digest.words, 10);
        assert!(digest.has_text && !digest.has_media);
    }

    #[test]
    fn summaries_end_where_the_author_says() {
        assert_eq!(digest("<p>One.</p>\u{4}<p>Two.</p>").summary(), "One.");
        assert_eq!(digest("<p>One \u{4}and two.</p>").summary(), "One");
        assert_eq!(digest("\u{4}<p>One.</p>").summary(), "One.", "nothing before it");
    }

    #[test]
    fn cutting() {
        let table = [
            ("Short.", "Short.", "as it is"),
            ("A sentence. Another one that is long", "A sentence.", "at a sentence"),
            ("words without any end of a sentence", "words without any end…", "at a word"),
            (
                "今天天气很好。我们去公园吧。然后回家吃饭睡觉，明天再来。",
                "今天天气很好。我们去公园吧。",
                "without blanks",
            ),
            (
                "Mr. Smith went to Washington and saw",
                "Mr. Smith went to…",
                "an abbreviation ends nothing",
            ),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaa…", "one long word"),
        ];
        for (text, expected, why) in table {
            let found = cut(text, 24);
            assert_eq!(found, expected, "{why}");
            assert!(found.chars().count() <= 24, "{why}");
        }
    }

    #[test]
    fn words_of_all_scripts() {
        let table = [
            ("one two three", 3, "English"),
            ("don't stop – now", 3, "an apostrophe joins, a dash does not"),
            ("안녕하세요 여러분", 2, "Korean has blanks"),
            ("今天天气很好", 3, "six characters, three words"),
            ("สวัสดี", 3, "Thai"),
            ("مرحبا بالعالم", 2, "Arabic"),
            ("a sentence that is longer than one stretch, isn't it, and don't ends it", 14, "long"),
            ("one1 two2 three3 four4 five5 six6 x", 7, "a word at the stretch's end"),
            ("abcdefghijklmnopqrstuvwxyzabcdefghij", 1, "a word across its end"),
            ("abcdefghijklmnopqrstuvwxyzabcdef'ghij", 1, "an apostrophe right behind it"),
            ("a''b is within a stretch of its own", 8, "apostrophes one after the other"),
            ("", 0, "nothing"),
        ];
        for (text, count, why) in table {
            let mut words = Words::default();
            words.count(text);
            assert_eq!(words.total(), count, "{why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn words_are_counted_alike_however_many_at_once(
            words in proptest::collection::vec("[a-z0-9]{1,12}('{1,2}[a-z]{1,2})?|'{0,3}[a-z]{1,3}'{0,2}|é[a-z]{2}", 0..60),
            sign in proptest::sample::select(vec![" ", ", ", " – ", ". ", ""]),
        ) {
            let text = words.join(sign);
            let (mut whole, mut single) = (Words::default(), Words::default());
            whole.count(&text);
            for at in text.char_indices().map(|it| it.0) {
                let end = text[at..].chars().next().map_or(at, |it| at + it.len_utf8());
                single.count(&text[at..end]);
            }
            proptest::prop_assert_eq!(whole.total(), single.total(), "{}", text);
        }
    }

    #[test]
    fn languages() {
        let table = [
            (
                "The quick brown fox jumps over the lazy dog, and then it goes home to sleep because it is tired of all the jumping.",
                Some("en"),
                "English",
            ),
            (
                "Der schnelle braune Fuchs springt über den faulen Hund, und danach geht er nach Hause, weil er sehr müde ist und schlafen will.",
                Some("de"),
                "German",
            ),
            (
                "오늘 서울에서 새로운 극장이 문을 열었다",
                Some("ko"),
                "a script of its own needs less",
            ),
            ("今日、東京で新しい劇場が開きました。", Some("ja"), "Japanese"),
            ("今天北京有一座新的剧院开放了", Some("zh"), "Chinese"),
            ("Hello", None, "too short"),
            ("", None, "nothing"),
        ];
        for (text, expected, why) in table {
            assert_eq!(language(text).as_deref(), expected, "{why}");
        }
    }
}
