//! The last step of every reader: our own serialised HTML becomes a [`Body`], each
//! place that points into the seeds folder a hole.
//!
//! In: sanitised, balanced HTML with quoted and escaped attribute values, as `comrak`
//! in safe mode and `ammonia` write it. Out: the same with open references, headings
//! from `<h2>` on, ids marked as this entry's, pictures that load when they are seen.
//! A link that leads nowhere becomes its text, a picture from nowhere goes.

use std::collections::HashMap;

use crate::convert::body::{Body, Reference};
use crate::convert::links::{self, Link};
use crate::convert::sanitize;
use crate::convert::tags::{Scanner, Tag, Token, push_escaped, unescape};
use crate::watch::seed::SeedPath;

/// The body that `html`, which was made of the seed at `base`, says.
pub fn open(html: &str, base: &SeedPath) -> Body {
    let mut holes = Holes {
        base,
        out: String::with_capacity(html.len() + html.len() / 8),
        references: Vec::new(),
        numbers: HashMap::new(),
        links: Vec::new(),
        // An article's own title is the page's `<h1>`.
        shift: u8::from(memchr::memmem::find(html.as_bytes(), b"<h1").is_some()),
    };
    let mut scanner = Scanner::new(html);
    let mut from = 0;
    while let Some(token) = scanner.next() {
        let raw = &html[from..scanner.at()];
        from = scanner.at();
        match token {
            Token::Text(text) => holes.out.push_str(text),
            Token::Start(tag) => holes.start(tag, raw),
            Token::End(name) => holes.end(name, raw),
            Token::Comment(_) | Token::Other => {}
        }
    }
    Body::new(holes.out, holes.references)
}

/// How an open `<a>` was written, for its end.
enum OpenLink {
    Plain,
    Hole,
    Dropped,
}

struct Holes<'b> {
    base: &'b SeedPath,
    out: String,
    references: Vec<Reference>,
    numbers: HashMap<Reference, usize>,
    links: Vec<OpenLink>,
    shift: u8,
}

impl Holes<'_> {
    fn start(&mut self, tag: Tag<'_>, raw: &str) {
        match tag.name {
            "a" => self.link(tag),
            "img" => self.picture(tag),
            "input" if tag.get("type").as_deref() != Some("checkbox") => {}
            "source" if !self.leads_somewhere(tag) => {}
            name if self.shift > 0 && heading_level(name).is_some() => {
                self.out.push_str("<h");
                self.out.push(self.shifted(name));
                self.attributes(tag, &[]);
                self.out.push('>');
            }
            _ if tag.inside.trim_matches([' ', '/']).is_empty() => self.out.push_str(raw),
            name => {
                self.out.push('<');
                self.out.push_str(name);
                self.attributes(tag, &[]);
                self.out.push_str(if tag.closes_itself() { " />" } else { ">" });
            }
        }
    }

    fn end(&mut self, name: &str, raw: &str) {
        match name {
            "a" => match self.links.pop() {
                Some(OpenLink::Plain) => self.out.push_str("</a>"),
                Some(OpenLink::Hole) => self.out.push_str("\u{1}e\u{2}"),
                Some(OpenLink::Dropped) | None => {}
            },
            _ if self.shift > 0 && heading_level(name).is_some() => {
                self.out.push_str("</h");
                self.out.push(self.shifted(name));
                self.out.push('>');
            }
            _ => self.out.push_str(raw),
        }
    }

    fn shifted(&self, name: &str) -> char {
        let level = heading_level(name).unwrap_or(6);
        char::from(b'0' + (level + self.shift).min(6))
    }

    /// The number of `reference` among this body's; equal ones share it.
    fn number(&mut self, reference: Reference) -> usize {
        if let Some(&number) = self.numbers.get(&reference) {
            return number;
        }
        let number = self.references.len();
        self.references.push(reference.clone());
        self.numbers.insert(reference, number);
        number
    }

    fn hole(&mut self, kind: char, reference: Reference) {
        let number = self.number(reference);
        self.out.push('\u{1}');
        self.out.push(kind);
        self.out.push_str(&number.to_string());
        self.out.push('\u{2}');
    }

    fn link(&mut self, tag: Tag<'_>) {
        // The parser of HTML nests no links, but for a few odd places; readers do not
        // understand them there either.
        let is_inside = self.links.iter().any(|it| !matches!(it, OpenLink::Dropped));
        let place = match tag.get("href") {
            Some(href) => links::resolve(self.base, &href),
            // A place to link to, as HTML 4 wrote it.
            None if tag.get("id").is_some() || tag.get("name").is_some() => {
                self.out.push_str("<a");
                self.attributes(tag, &[]);
                self.out.push('>');
                self.links.push(OpenLink::Plain);
                return;
            }
            None => Link::Nowhere,
        };
        let opened = match place {
            _ if is_inside => OpenLink::Dropped,
            Link::Nowhere => OpenLink::Dropped,
            Link::Elsewhere(url) => {
                self.out.push_str("<a href=\"");
                push_escaped(&mut self.out, &url);
                self.out.push('"');
                OpenLink::Plain
            }
            Link::Here(reference) => {
                self.hole('l', reference);
                OpenLink::Hole
            }
        };
        if !matches!(opened, OpenLink::Dropped) {
            self.attributes(tag, &["href"]);
            self.out.push('>');
        }
        self.links.push(opened);
    }

    fn picture(&mut self, tag: Tag<'_>) {
        let Some(source) = tag.get("src") else { return };
        let has_size = tag.get("width").is_some() || tag.get("height").is_some();
        let place = match sanitize::is_picture_data(&source) {
            true => Link::Elsewhere(source.into_owned()),
            false => links::resolve(self.base, &source),
        };
        match place {
            Link::Nowhere => return,
            Link::Elsewhere(url) => {
                self.out.push_str("<img src=\"");
                push_escaped(&mut self.out, &url);
                self.out.push('"');
            }
            Link::Here(reference) if has_size => {
                self.out.push_str("<img src=\"");
                self.hole('u', reference);
                self.out.push('"');
            }
            Link::Here(reference) => {
                self.out.push_str("<img ");
                self.hole('i', reference);
            }
        }
        if tag.get("alt").is_none() {
            self.out.push_str(" alt=\"\"");
        }
        self.attributes(tag, &["src", "loading"]);
        self.out.push_str(" loading=\"lazy\" />");
    }

    fn leads_somewhere(&self, tag: Tag<'_>) -> bool {
        let one = |url: &str| links::resolve(self.base, url) != Link::Nowhere;
        tag.get("src").is_some_and(|it| one(&it))
            || tag.get("srcset").is_some_and(|it| candidates(&it).any(|(url, _)| one(url)))
    }

    /// Writes what stands in the tag but for `without`, references as holes.
    fn attributes(&mut self, tag: Tag<'_>, without: &[&str]) {
        let has_id = tag.get("id").is_some();
        for (name, value) in tag.attributes() {
            match name {
                _ if without.contains(&name) => {}
                // `headers` names cells by ids that are no longer theirs.
                "headers" | "loading" => {}
                // Ours or comrak's: for scripts and styles that no feed has.
                _ if name.starts_with("data-") => {}
                "id" => self.id(value),
                "name" if tag.name == "a" => {
                    if !has_id {
                        self.id(value);
                    }
                }
                "src" | "poster" | "cite" => self.reference(name, value),
                "srcset" => self.source_set(value),
                _ => self.attribute(name, value),
            }
        }
    }

    /// `value` is escaped already.
    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.out.push_str(value);
        self.out.push('"');
    }

    fn id(&mut self, value: &str) {
        self.out.push_str(" id=\"\u{3}");
        self.out.push_str(value.trim());
        self.out.push('"');
    }

    fn reference(&mut self, name: &str, value: &str) {
        match links::resolve(self.base, &unescape(value)) {
            Link::Nowhere => {}
            Link::Elsewhere(url) => {
                self.out.push(' ');
                self.out.push_str(name);
                self.out.push_str("=\"");
                push_escaped(&mut self.out, &url);
                self.out.push('"');
            }
            Link::Here(reference) => {
                self.out.push(' ');
                self.out.push_str(name);
                self.out.push_str("=\"");
                self.hole('u', reference);
                self.out.push('"');
            }
        }
    }

    fn source_set(&mut self, value: &str) {
        let value = unescape(value).into_owned();
        let start = self.out.len();
        self.out.push_str(" srcset=\"");
        let mut is_first = true;
        for (url, descriptor) in candidates(&value) {
            let place = links::resolve(self.base, url);
            if place == Link::Nowhere {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                self.out.push_str(", ");
            }
            match place {
                Link::Elsewhere(url) => push_escaped(&mut self.out, &url),
                Link::Here(reference) => self.hole('u', reference),
                Link::Nowhere => {}
            }
            if !descriptor.is_empty() {
                self.out.push(' ');
                push_escaped(&mut self.out, descriptor);
            }
        }
        match is_first {
            true => self.out.truncate(start),
            false => self.out.push('"'),
        }
    }
}

/// URLs with their descriptors (HTML standard, 4.8.4.2.1): split at commas that a
/// blank follows, since URLs may hold commas.
fn candidates(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\n', ',']);
        if rest.is_empty() {
            return None;
        }
        let url_to = rest.find([' ', '\t', '\n']).unwrap_or(rest.len());
        let url = &rest[..url_to];
        if let Some(whole) = url.strip_suffix(',') {
            rest = &rest[url_to..];
            return Some((whole.trim_end_matches(','), ""));
        }
        let after = &rest[url_to..];
        let to = after.find(',').unwrap_or(after.len());
        rest = &after[to..];
        Some((url, after[..to].trim()))
    })
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::body::Filled;

    fn shown(html: &str) -> String {
        let base = SeedPath::new("news/kim.md").unwrap();
        let body = open(html, &base);
        body.fill("kim-", |reference| match reference.suffix.contains("gone") {
            true => Filled::Text,
            false => Filled::Url {
                url: format!("[{:?}]{}", reference.target, reference.suffix),
                size: Some((4, 3)),
            },
        })
    }

    #[test]
    fn references_become_holes() {
        let table = [
            ("<p>a</p>", "<p>a</p>", "nothing to do"),
            (
                "<a href=\"other.md\" title=\"t\">b</a>",
                "<a href=\"[Path(`news/other.md`)]\" title=\"t\">b</a>",
                "a link into the folder",
            ),
            ("<a href=\"o.md#gone\" title=\"a&gt;b\">b</a>", "b", "unpublished: its text"),
            ("<a href=\"../../x\">b</a>", "b", "leaves the folder: its text"),
            ("<a href=\"\">b</a>", "b", "leads nowhere"),
            (
                "<a href=\"https://e.org/?a=1&amp;b=2\">b</a>",
                "<a href=\"https://e.org/?a=1&amp;b=2\">b</a>",
                "elsewhere",
            ),
            (
                "<img src=\"p.png\" alt=\"x\">",
                "<img src=\"[Path(`news/p.png`)]\" width=\"4\" height=\"3\" alt=\"x\" loading=\"lazy\" />",
                "a picture with the file's size",
            ),
            (
                "<img src=\"p.png\" width=\"9\">",
                "<img src=\"[Path(`news/p.png`)]\" alt=\"\" width=\"9\" loading=\"lazy\" />",
                "a picture with the author's size; no alt is invented",
            ),
            ("<p><img src=\"../../p.png\" alt=\"x\"></p>", "<p></p>", "a picture from nowhere"),
            (
                "<video src=\"v.mp4\" poster=\"/p.png\"></video>",
                "<video src=\"[Path(`news/v.mp4`)]\" poster=\"[Path(`p.png`)]\"></video>",
                "media",
            ),
            (
                "<source srcset=\"a.png 1x, https://e.org/b,c.png 2x, ../../d.png 3x\">",
                "<source srcset=\"[Path(`news/a.png`)] 1x, https://e.org/b,c.png 2x\">",
                "sets of sources",
            ),
            (
                "<picture><source srcset=\"../../d.png\"></picture>",
                "<picture></picture>",
                "a source from nowhere",
            ),
            (
                "<blockquote cite=\"o.md\">a</blockquote>",
                "<blockquote cite=\"[Path(`news/o.md`)]\">a</blockquote>",
                "citations",
            ),
            (
                "<a href=\"#n\">1</a><p id=\"n\">x</p>",
                "<a href=\"[Itself]#\u{3}n\">1</a><p id=\"kim-n\">x</p>",
                "in the page",
            ),
            ("<a name=\"n\">x</a>", "<a id=\"kim-n\">x</a>", "as HTML 4 named places"),
            (
                "<h1>a</h1><h2>b</h2><h6>c</h6>",
                "<h2>a</h2><h3>b</h3><h6>c</h6>",
                "headings from h2 on",
            ),
            ("<h2>a</h2><h3>b</h3>", "<h2>a</h2><h3>b</h3>", "as they are"),
            (
                "<input type=\"checkbox\" disabled=\"\" /> a",
                "<input type=\"checkbox\" disabled=\"\" /> a",
                "task lists",
            ),
            ("<input>a", "a", "other fields"),
        ];
        for (html, expected, why) in table {
            assert_eq!(shown(html), expected, "{why}");
        }
    }

    #[test]
    fn equal_references_are_one() {
        let base = SeedPath::new("kim.md").unwrap();
        let body = open("<a href=\"a.md\">1</a><a href=\"./a.md\">2</a><img src=\"a.md\">", &base);
        assert_eq!(body.references().len(), 1);
    }
}
