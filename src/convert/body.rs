//! The body of an article: sanitised, balanced HTML with holes where it points
//! into the seeds folder. The feed stage fills the holes; nothing else in the
//! program looks at the markup again.
//!
//! Holes are marked by control characters, which XML 1.0 forbids and the convert
//! stage therefore removes from every text before it comes here:
//!
//! | in the text | stands for |
//! |---|---|
//! | `U+0001 u N U+0002` | the URL of reference N, inside a quoted attribute value |
//! | `U+0001 l N U+0002` | `<a href="URL of N"`; where N leads to nothing that is published, the tag (up to its `>`) and its end vanish and the link becomes its text |
//! | `U+0001 e U+0002` | the `</a>` of the `l` hole before it |
//! | `U+0001 i N U+0002` | `src="URL of N"` of a picture, with its width and height where the file tells them |
//! | `U+0003` | what makes ids of this entry unique across entries: stands before each `id` value |

use serde::{Deserialize, Serialize};

use crate::watch::seed::SeedPath;

/// A place in an article that points into the seeds folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    pub target: Target,
    /// The query and fragment of the link, such as `#notes`; percent-encoded.
    pub suffix: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Target {
    /// The article itself: a link to one of its own headings or notes.
    Itself,
    /// A place in the folder: a seed or file, or the permalink path of an entry
    /// without its leading slash.
    Path(SeedPath),
    /// The root of the folder: the site's front page.
    Root,
    /// A note by its name alone, as in `[[Name]]`.
    Name(String),
}

/// HTML with holes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    html: String,
    references: Vec<Reference>,
}

/// What a reference turned out to be, at the time a feed is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// An absolute URL, with the picture's width and height where they are known.
    Url { url: String, size: Option<(u32, u32)> },
    /// A seed that is not published: the link becomes its text.
    Text,
}

impl Body {
    /// The body made of `html` with holes for `references`. `html` is trusted to be
    /// sanitised and balanced; only the convert stage calls this.
    pub(in crate::convert) fn new(html: String, references: Vec<Reference>) -> Body {
        Body { html, references }
    }

    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The HTML with its holes; two bodies that say the same have the same.
    pub fn open_html(&self) -> &str {
        &self.html
    }

    /// The HTML with every hole filled. `unique` stands before each id.
    pub fn fill(&self, unique: &str, fill: impl Fn(&Reference) -> Filled) -> String {
        let mut out = String::with_capacity(self.html.len() + self.references.len() * 64);
        let mut rest = self.html.as_str();
        let mut link_is_open = false;
        while let Some(at) = rest.find(['\u{1}', '\u{3}']) {
            out.push_str(&rest[..at]);
            if rest.as_bytes()[at] == 3 {
                out.push_str(unique);
                rest = &rest[at + 1..];
                continue;
            }
            let (hole, after) = rest[at + 1..].split_once('\u{2}').unwrap_or((&rest[at + 1..], ""));
            rest = after;
            let reference = hole
                .get(1..)
                .and_then(|it| it.parse().ok())
                .and_then(|it: usize| self.references.get(it));
            match (hole.as_bytes().first(), reference.map(&fill)) {
                (Some(b'l'), Some(Filled::Url { url, .. })) => {
                    link_is_open = true;
                    push_attribute(&mut out, "<a href", &url);
                }
                (Some(b'l'), _) => rest = rest.split_once('>').map_or("", |(_, after)| after),
                (Some(b'e'), _) if std::mem::take(&mut link_is_open) => out.push_str("</a>"),
                (Some(b'i'), Some(Filled::Url { url, size })) => {
                    push_attribute(&mut out, "src", &url);
                    if let Some((width, height)) = size {
                        out.push_str(&format!(" width=\"{width}\" height=\"{height}\""));
                    }
                }
                (Some(b'u'), Some(Filled::Url { url, .. })) => push_escaped(&mut out, &url),
                _ => {}
            }
        }
        out.push_str(rest);
        out
    }
}

fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    push_escaped(out, value);
    out.push('"');
}

fn push_escaped(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}
