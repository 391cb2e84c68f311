//! Plain text to HTML, set as an editor would set it.
//!
//! In: text as a person typed it, decoded, line ends `\n`, without characters that
//! XML forbids, without metadata at the top. Out: a headline, a subtitle, and
//! balanced HTML in which all that was typed is escaped. Only absolute `http`,
//! `https` and `mailto` links occur; there are no ids, and no markup of the text's
//! own passes.
//!
//! Nothing is lost and nothing invented: every word of the text is in the title,
//! the subtitle or the HTML. What the text does not show by its shape is not
//! guessed. Any text is set in linear time; nesting is capped.
//!
//! The steps, one file each:
//!
//! | step | file |
//! |---|---|
//! | text to measured lines | `lines` |
//! | how it was typed: broken at a width or not, blank lines or not | `shape` |
//! | what only the whole tells: speakers, notes, direction | `document` |
//! | headline and subtitle | `head` |
//! | lines to blocks | `blocks`, with `strokes`, `verbatim`, `items`, `lists` |
//! | neighbouring lines to paragraphs | `paragraphs` |
//! | short lines to headings | `headings` |
//! | quotations, then HTML | `compose` |
//! | running text to HTML | `inline`, with `links` |
//! | characters and words of the world's scripts | `marks`, `phrases` |
//!
//! A new rule of what a block is goes into `blocks`; a script that it does not know
//! yet, into `marks`. A case is a pair of files in `tests/cases/text/`.

mod blocks;
mod compose;
mod document;
mod head;
mod headings;
mod inline;
mod items;
mod lines;
mod links;
mod lists;
mod marks;
mod paragraphs;
mod phrases;
mod shape;
mod strokes;
mod verbatim;

/// What plain text says once it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// The headline, plain text in one line, where the text has one.
    pub title: Option<String>,
    /// Only beside a title.
    pub subtitle: Option<String>,
    /// Balanced and escaped; what is in the title and subtitle is not in it.
    pub html: String,
}

/// Sets a whole text.
///
/// ```
/// let set = sower::convert::text::set("News\n\nThis happened.\nIt did.\n");
/// assert_eq!(set.title.as_deref(), Some("News"));
/// assert_eq!(set.html, "<p>This happened.<br>\nIt did.</p>");
/// ```
pub fn set(text: &str) -> Set {
    let mut lines = lines::split(text);
    let document = document::Document::of(text, &lines);
    let shape = shape::of(&lines, &document);
    let head = head::find(&lines, &shape, &document);
    lines.drain(head.lines);
    Set {
        title: head.title,
        subtitle: head.subtitle,
        html: composed(text, &lines, &shape, &document),
    }
}

/// The HTML of a text whose headline stands elsewhere: all of it is body.
pub fn body(text: &str) -> String {
    let lines = lines::split(text);
    let document = document::Document::of(text, &lines);
    let shape = shape::of(&lines, &document);
    composed(text, &lines, &shape, &document)
}

fn composed(
    text: &str,
    lines: &[lines::Line<'_>],
    shape: &shape::Shape,
    document: &document::Document<'_>,
) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    if document.right_to_left {
        html.push_str("<div dir=\"rtl\">\n");
    }
    compose::html(lines, shape, document, 0, &mut html);
    if document.right_to_left {
        html.push_str("\n</div>");
    }
    html
}

/// `text` with `&`, `<`, `>` and `"` escaped: fit for HTML text and for quoted
/// attribute values.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    inline::escape(text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes_that_have_no_headline() {
        let table = [
            ("", "nothing at all"),
            ("Just one line", "a single line"),
            ("Dear Ann,\nthank you.\nYours,\nEd", "a letter"),
            ("Milk\nEggs\nBread", "a list"),
            ("- Milk\n- Eggs", "a marked list"),
            ("The fog comes\non little cat feet.", "two lines of verse"),
            ("A sentence that ends.\n\nAnother sentence that ends.", "paragraphs only"),
            ("> quoted\n\nSaid who?", "a quotation first"),
            ("[10:32] Ann: hi\n[10:33] Ed: ho", "a chat log"),
        ];
        for (text, why) in table {
            assert_eq!(set(text).title, None, "{text:?}: {why}");
        }
    }

    #[test]
    fn headlines() {
        let long = "This is a paragraph that is long enough to be one, whatever stands above it.";
        let table = [
            ("News\n\nBelow the news", "News", None, "blank line"),
            (
                "News at last\nIt happened today in the morning.",
                "News at last",
                None,
                "no blank line",
            ),
            ("Shopping:\n- milk\n- eggs", "Shopping", None, "above a list"),
            ("# News\n\nText.", "News", None, "marked"),
            ("News\n====\nText.", "News", None, "underlined"),
            ("====\nNews\n====\nText.", "News", None, "boxed"),
            ("**News**\n\nText.", "News", None, "emphasised"),
            ("What now?\n\nText.", "What now?", None, "a question"),
            ("大事件\n\n这是一个段落。", "大事件", None, "Chinese"),
            ("News\n\nBy Ann Lee\n\n@", "News", None, "author, no subtitle"),
            ("News\n\nA closer look at it\n\n@", "News", Some("A closer look at it"), "subtitle"),
            ("News\nA closer look at it\n@\n@", "News", Some("A closer look at it"), "by line"),
            ("News\nA closer look at it\n\n@", "News", Some("A closer look at it"), "a pair"),
            ("News\n\n1. Introduction\n\n@", "News", None, "a section, no subtitle"),
            ("News\n\nFor sale\n\n- a boat\n- a car", "News", None, "a heading, no subtitle"),
        ];
        for (text, title, subtitle, why) in table {
            let set = set(&text.replace('@', long));
            let found = (set.title.as_deref(), set.subtitle.as_deref());
            assert_eq!(found, (Some(title), subtitle), "{text:?}: {why}");
        }
    }

    #[test]
    fn hostile_texts_end() {
        let table = [
            (">".repeat(200_000), "one line of marks"),
            (format!("{}x", "> ".repeat(50_000)), "deep quotation"),
            ((0..2_000).map(|it| format!("{}- x\n", " ".repeat(it))).collect(), "deep list"),
            ("- a\n1. b\n".repeat(50_000), "lists that alternate"),
            ("*a _b ".repeat(100_000), "emphasis that never closes"),
            ("`a ``b ".repeat(100_000), "code that never closes"),
            ("http://".repeat(100_000), "schemes"),
            ("mailto:".repeat(100_000), "mail schemes"),
            ("mailto:a@".repeat(100_000), "mail addresses"),
            ("www.a/www.".repeat(100_000), "hosts"),
            ("a@b.".repeat(100_000), "mail signs"),
            ("[1] ".repeat(100_000), "note marks"),
            ("“a\n".repeat(100_000), "quotations that never close"),
            ("```a\n".repeat(100_000), "fences that never close"),
            ((3..2_000).rev().map(|it| format!("{}\n", "`".repeat(it))).collect(), "longer fences first"),
            ("a  b|c\n".repeat(100_000), "rows"),
            ("    x\n\n".repeat(100_000), "set off"),
            ("    x.\n\n    {}\n\n".repeat(50_000), "set off in turns"),
            ("x\n---\n".repeat(100_000), "underlines"),
            ("# x\n".repeat(100_000), "marked headings"),
            ("Short\n\nA line that is long enough to be a paragraph, and then some more of it to be sure.\n\n".repeat(20_000), "headings"),
            ("x".repeat(3_000_000), "one long word"),
            ("\n".repeat(3_000_000), "blank lines"),
            ("a\n".repeat(500_000), "short lines"),
            ("exam-\nple\n".repeat(50_000), "hyphens"),
            (")".repeat(1_000_000), "brackets"),
            ("(".repeat(1_000_000), "opening brackets"),
            (format!("https://a.example/{}", "(".repeat(1_000_000)), "brackets in an address"),
        ];
        for (text, why) in table {
            let html = set(&text).html;
            assert!(html.len() <= text.len() * 24 + 100, "{why}: {} bytes", html.len());
        }
    }

    /// Lines as people and adversaries type them.
    fn line() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[A-Za-zäßéñ]{1,12}",
            "[а-яА-Я]{2,9}",
            "[一-龥。，]{1,30}",
            "[א-ת]{2,8}",
            "[ก-ฮ]{2,20}",
            "[*_`~<>&\"'“”„‘’«»「」(){}\\[\\]|=#+.,:;!?—–/@\\\\-]{1,4}",
            Just("https://example.org/a_(b)?c=d&e".to_owned()),
            Just("ann@example.org".to_owned()),
            Just("[1]".to_owned()),
            "[0-9]{1,4}",
        ];
        let start = prop_oneof![
            3 => Just(""),
            1 => prop::sample::select(vec![
                "- ", "* ", "1. ", "2. ", "a) ", "> ", ">> ", "    ", "\t", "# ", "```", "~~~", "---",
                "===", "| ", "[1] ", "“", "— ", "Ann: ", "　　", "  - ", "[x] ", "+--+", "① ", "①", "...",
                "www.", "(", "\u{200F}", "\u{AD}",
            ]),
        ];
        let gap = prop::sample::select(vec![" ", " ", " ", "  ", "   ", "\t", "", "-"]);
        (start, prop::collection::vec((piece, gap), 0..18)).prop_map(|(start, pieces)| {
            pieces.into_iter().fold(start.to_owned(), |line, (piece, gap)| line + &piece + gap)
        })
    }

    fn text() -> impl Strategy<Value = String> {
        let end = prop::sample::select(vec!["\n", "\n", "\n\n", "-\n"]);
        prop::collection::vec((line(), end), 0..30).prop_map(|lines| {
            lines.into_iter().fold(String::new(), |text, (line, end)| text + &line + end)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        #[test]
        fn typed_text_is_set_balanced_and_whole(text in text()) {
            check(&text)?;
        }

        #[test]
        fn any_text_is_set_balanced_and_whole(text in "[^\\x00-\\x08\\x0B-\\x1F\\x7F-\\x9F\\uFFFE\\uFFFF]{0,300}") {
            check(&text)?;
        }
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        let set = set(text);
        let shown = shown(&set.html).map_err(TestCaseError::fail)?;
        let all = format!(
            "{} {} {shown}",
            set.title.clone().unwrap_or_default(),
            set.subtitle.clone().unwrap_or_default()
        );
        prop_assert_eq!(words(text), words(&all), "{}", set.html);
        let cleaned = ammonia::clean(&set.html);
        let parsed = self::shown(&cleaned).map_err(TestCaseError::fail)?;
        prop_assert_eq!(
            words(&shown),
            words(&parsed),
            "an HTML parser reads it otherwise: {}",
            set.html
        );
        Ok(())
    }

    /// Long words in any order: a kicker stays below the headline it stood above.
    /// Short ones may mark items and become markup. In scripts without blanks each
    /// letter is a word.
    fn words(text: &str) -> Vec<&str> {
        let is_alone = |it: char| marks::is_cjk(it) || marks::is_unspaced(it);
        let words = text.split(|it: char| !it.is_alphabetic() || is_alone(it));
        let letters = text.matches(|it: char| it.is_alphabetic() && is_alone(it));
        let mut words: Vec<&str> = words.filter(|it| it.len() >= 8).chain(letters).collect();
        words.sort_unstable();
        words
    }

    /// The text that HTML shows, or why it is not balanced.
    fn shown(html: &str) -> Result<String, String> {
        let mut open = Vec::new();
        let mut text = String::new();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            text.push_str(&rest[..at]);
            let end = rest[at..].find('>').ok_or("a tag without end")? + at;
            let tag = &rest[at + 1..end];
            // What a fence names as its language is no text, but it is not lost.
            text.push_str(tag.strip_prefix("code class=\"language-").unwrap_or(""));
            let name = tag.trim_start_matches('/').split(' ').next().unwrap_or("");
            let is_inline = matches!(name, "a" | "em" | "strong" | "code" | "sup");
            text.push_str(if is_inline { "" } else { " " });
            rest = &rest[end + 1..];
            let name = tag.split(' ').next().unwrap_or("");
            if let Some(name) = name.strip_prefix('/') {
                if open.pop() != Some(name) {
                    return Err(format!("</{name}> closes what is not open: {html}"));
                }
            } else if !matches!(name, "br" | "hr") {
                open.push(name);
            }
        }
        if !open.is_empty() {
            return Err(format!("left open: {open:?} in {html}"));
        }
        text.push_str(rest);
        if text.contains('>') {
            return Err(format!("a bare > in {html}"));
        }
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        Ok(text.replace("&nbsp;", "\u{A0}").replace("&amp;", "&"))
    }
}
