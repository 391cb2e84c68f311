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
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    if document.right_to_left {
        html.push_str("<div dir=\"rtl\">\n");
    }
    compose::html(&lines, &shape, &document, 0, &mut html);
    if document.right_to_left {
        html.push_str("\n</div>");
    }
    Set { title: head.title, subtitle: head.subtitle, html }
}

/// `text` with `&`, `<`, `>` and `"` escaped: fit for HTML text and for quoted
/// attribute values.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    inline::escape(text, &mut out);
    out
}
