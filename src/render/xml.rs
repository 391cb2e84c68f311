//! What every document has in common: text that XML allows, dates, extension
//! elements and their namespaces.
//!
//! The writers of the `rss` and `atom_syndication` crates escape, but write
//! characters that XML forbids as they come, and line ends raw into attributes.
//! Whatever enters a document goes through [`text`] or [`line`] first. JSON and
//! HTML could carry more, but then the formats would not say the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::characters;
use crate::feed::page::Attachment;
use crate::render::rendition::Format;

/// `text` without what no feed may carry, line ends as `\n`.
pub fn text(text: &str) -> Cow<'_, str> {
    characters::lines(Cow::Borrowed(text))
}

/// The same on one line: white space collapsed, none at the ends. For titles,
/// names and attribute values, in which parsers turn line ends into blanks (XML
/// 1.0, section 3.3.3).
pub fn line(text: &str) -> Cow<'_, str> {
    let clean = self::text(text);
    let is_space = |it: char| matches!(it, ' ' | '\t' | '\n' | '\u{2028}' | '\u{2029}');
    let is_tidy = !clean.contains(['\t', '\n', '\u{2028}', '\u{2029}'])
        && !clean.contains("  ")
        && !clean.starts_with(' ')
        && !clean.ends_with(' ');
    if is_tidy {
        return clean;
    }
    let words: Vec<&str> = clean.split(is_space).filter(|it| !it.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

/// As RSS writes it: RFC 822 with a year of four digits, in GMT.
pub fn rfc822(time: Timestamp) -> Option<String> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()
}

/// The format's media type without parameters.
pub fn bare_type(format: Format) -> &'static str {
    let media_type = format.media_type();
    media_type.split_once(';').map_or(media_type, |(it, _)| it)
}

/// Namespaces of the elements that neither crate declares by itself.
pub const NAMESPACES: &[(&str, &str)] = &[
    ("at", "http://purl.org/atompub/tombstones/1.0"),
    ("atom", "http://www.w3.org/2005/Atom"),
    ("fh", "http://purl.org/syndication/history/1.0"),
    ("media", "http://search.yahoo.com/mrss/"),
    ("thr", "http://purl.org/syndication/thread/1.0"),
];

/// An element of another namespace than the document's, for both crates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// With its prefix, one of [`NAMESPACES`].
    pub name: &'static str,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Element>,
    pub text: Option<String>,
}

impl Element {
    pub fn new(name: &'static str) -> Element {
        Element { name, attributes: BTreeMap::new(), children: Vec::new(), text: None }
    }

    pub fn with(mut self, attribute: &str, value: impl AsRef<str>) -> Element {
        self.attributes.insert(attribute.into(), line(value.as_ref()).into_owned());
        self
    }

    pub fn with_any(self, attribute: &str, value: Option<impl ToString>) -> Element {
        match value {
            Some(value) => self.with(attribute, value.to_string()),
            None => self,
        }
    }

    pub fn saying(mut self, text: &str) -> Element {
        self.text = Some(line(text).into_owned());
        self
    }

    pub fn around(mut self, child: Option<Element>) -> Element {
        self.children.extend(child);
        self
    }
}

/// By prefix and local name, as both crates want them, and the namespaces of their
/// prefixes.
#[derive(Debug)]
pub struct Extensions<E> {
    pub map: BTreeMap<String, BTreeMap<String, Vec<E>>>,
}

impl<E> Default for Extensions<E> {
    fn default() -> Self {
        Extensions { map: BTreeMap::new() }
    }
}

impl<E: From<Element>> Extensions<E> {
    pub fn push(&mut self, element: Element) {
        let (prefix, local) = element.name.split_once(':').unwrap_or(("", element.name));
        let of_prefix = self.map.entry(prefix.into()).or_default();
        of_prefix.entry(local.into()).or_default().push(element.into());
    }
}

/// The namespaces of all `prefixes`.
pub fn namespaces<'a>(prefixes: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let mut declared = BTreeMap::new();
    for prefix in prefixes {
        if let Some((_, uri)) = NAMESPACES.iter().find(|(it, _)| it == prefix) {
            declared.insert(prefix.clone(), (*uri).to_owned());
        }
    }
    declared
}

/// The lead image by Media RSS 1.5.1: for readers that show it beside a title, and
/// with its alternative text for those that show it large.
pub fn picture(image: &Attachment) -> [Element; 2] {
    let (width, height) = image.size.unzip();
    let media_type = Some(&image.media_type).filter(|it| it.starts_with("image/"));
    let alternative = image.title.as_deref().map(line).filter(|it| !it.is_empty());
    [
        Element::new("media:content")
            .with("url", &image.url)
            .with("medium", "image")
            .with_any("type", media_type)
            .with_any("fileSize", image.length)
            .with_any("width", width)
            .with_any("height", height)
            .around(
                alternative
                    .map(|it| Element::new("media:description").with("type", "plain").saying(&it)),
            ),
        Element::new("media:thumbnail")
            .with("url", &image.url)
            .with_any("width", width)
            .with_any("height", height),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_xml_allows() {
        let table = [
            ("a\tb\nc", "a\tb\nc", "white space"),
            ("a\0\u{8}\u{b}\u{c}\u{1f}b", "ab", "2.2: forbidden"),
            ("a\u{fffe}\u{ffff}b", "ab", "2.2: forbidden"),
            ("a\u{7f}\u{80}\u{9f}b", "ab", "2.2: discouraged; the feed validator warns"),
            ("a\u{1fffe}\u{e000}\u{10ffff}", "a\u{1fffe}\u{e000}\u{10ffff}", "2.2: allowed"),
            ("a\r\nb\rc\r", "a\nb\nc\n", "2.11: line ends"),
            ("a\u{85}b", "a\nb", "a line end of old"),
            ("\u{a3}\u{ff0c}\u{feff}\u{fffd}", "\u{a3}\u{ff0c}\u{feff}\u{fffd}", "suspects"),
            ("", "", "nothing"),
        ];
        for (given, expected, why) in table {
            assert_eq!(text(given), expected, "{given:?}: {why}");
        }
        assert!(matches!(text("\u{a3}5, \u{ff0c}"), Cow::Borrowed(_)), "no copy without need");
    }

    #[test]
    fn text_on_one_line() {
        let table = [
            ("  a \t b\r\n", "a b", "collapsed"),
            ("a\u{2028}b\u{2029}", "a b", "line ends of Unicode"),
            ("a\u{a0}b\u{3000}c", "a\u{a0}b\u{3000}c", "blanks that mean something"),
            ("a\0 \0b", "a b", "what is forbidden goes first"),
            ("\n", "", "nothing is left"),
        ];
        for (given, expected, why) in table {
            assert_eq!(line(given), expected, "{given:?}: {why}");
        }
    }

    #[test]
    fn dates_of_rss() {
        let table = [
            ("2026-11-03T09:00:00.9Z", Some("Tue, 03 Nov 2026 09:00:00 GMT"), "two digits a day"),
            ("0001-01-01T00:00:00Z", Some("Mon, 01 Jan 0001 00:00:00 GMT"), "four digits a year"),
            ("-000001-01-01T00:00:00Z", None, "no date is better than a wrong one"),
        ];
        for (time, expected, why) in table {
            assert_eq!(rfc822(time.parse().unwrap()).as_deref(), expected, "{why}");
        }
    }
}
