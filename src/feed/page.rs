//! The noun of the feed stage: a scope's channel and one page of entries, all
//! references filled, ready for any format. Every URL is absolute.

use jiff::Timestamp;

use crate::catalog::entry::{Part, Tombstone};
use crate::catalog::scope::Scope;
use crate::convert::article::Person;

/// What the configuration says of the site. No URL in it ends with a slash.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Scheme, host and, where the site lives below one, a path:
    /// `https://example.org/blog`.
    pub base_url: String,
    /// What ids are minted from; see the catalog.
    pub key: String,
    pub title: String,
    pub description: String,
    /// Where none is stated, the language that most entries have.
    pub language: Option<String>,
    pub author: Option<Person>,
    pub copyright: Option<String>,
    /// Bodies longer than this stand in feeds as summary and link, in bytes.
    pub max_body: usize,
    /// When the title or anything else above last changed, for `Last-Modified`.
    pub since: Timestamp,
}

/// One document of a scope, in no format yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    pub scope: Scope,
    pub part: Part,
    /// `urn:uuid:` of site key and scope; never changes.
    pub id: String,
    /// Never empty.
    pub title: String,
    /// Never empty.
    pub description: String,
    pub language: Option<String>,
    /// The site's author, else its title: Atom needs one for entries that have
    /// none (RFC 4287, section 4.1.1).
    pub author: Person,
    pub copyright: Option<String>,
    /// The page for people that stands for the same scope.
    pub home: String,
    /// The absolute URL of the scope's folder with its last slash; documents are
    /// named below it, see [`Feed::url`].
    pub folder: String,
    /// When an entry was last published, revised or withdrawn.
    pub updated: Timestamp,
    /// For `Last-Modified`: `updated`, or when the site's own words changed.
    pub modified: Timestamp,
    pub items: Vec<Item>,
    pub tombstones: Vec<Tombstone>,
    /// Numbers of the archive pages before and after this document.
    pub older: Option<u32>,
    pub newer: Option<u32>,
}

impl Feed {
    /// The absolute URL of `part` of this scope in the format with this extension.
    pub fn url(&self, part: Part, extension: &str) -> String {
        let only = if matches!(self.scope, Scope::FolderOnly(_)) { ".only" } else { "" };
        match part {
            Part::Current => format!("{}feed{only}.{extension}", self.folder),
            Part::Archive(number) => format!("{}archives/{number}{only}.{extension}", self.folder),
        }
    }
}

/// An entry as a feed shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// An absolute IRI.
    pub id: String,
    /// As stated; the same as `id` where nothing was.
    pub guid: String,
    /// The absolute permalink.
    pub url: String,
    pub title: String,
    pub subtitle: Option<String>,
    /// Plain text; may be empty.
    pub summary: String,
    /// The whole text, references filled, a lead image that the body does not show
    /// set before it.
    pub html: String,
    /// Set where `html` is longer than feeds carry: feeds show summary and link.
    pub is_too_long: bool,
    pub authors: Vec<Person>,
    pub tags: Vec<Tag>,
    pub language: Option<String>,
    pub published: Timestamp,
    pub updated: Timestamp,
    pub image: Option<Attachment>,
    pub enclosures: Vec<Attachment>,
    /// What the article is about, elsewhere.
    pub link: Option<String>,
    pub words: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// As spelled.
    pub label: String,
    /// The absolute URL of the tag's page.
    pub url: String,
}

impl Tag {
    /// What all tags of the site stand below: the scheme of a category.
    pub fn scheme(&self) -> &str {
        let name = self.url.trim_end_matches('/');
        name.rfind('/').map_or(name, |slash| &name[..=slash])
    }
}

/// A picture or file with its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub url: String,
    pub title: Option<String>,
    pub media_type: String,
    /// In bytes; `None` for files elsewhere whose length nobody stated.
    pub length: Option<u64>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// In seconds.
    pub duration: Option<u64>,
}
