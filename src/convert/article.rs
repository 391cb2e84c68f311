//! The noun of the convert stage: what a person wrote, whatever the format.
//!
//! An article knows nothing of where it is published: no identity, no history,
//! no URL of this site. All its text is free of characters that XML 1.0 forbids.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::convert::body::{Body, Reference};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// Plain text, one line, never empty.
    pub title: String,
    /// Plain text, one line.
    pub subtitle: Option<String>,
    /// Plain text, one line; stated or made from the body. Empty only where the
    /// body has no text.
    pub summary: String,
    pub body: Body,
    pub authors: Vec<Person>,
    /// As spelled, in the order stated, each once.
    pub tags: Vec<String>,
    /// A language tag of RFC 5646.
    pub language: Option<String>,
    /// The lead image, with its alternative text.
    pub image: Option<Media>,
    pub enclosures: Vec<Media>,
    /// What the article is about, elsewhere: an absolute URL.
    pub link: Option<String>,
    /// Words of the body; characters where the script has no blanks count half.
    pub words: u32,
    pub stated: Stated,
    /// Front matter keys that Sower does not know, each value as JSON.
    pub extra: BTreeMap<String, String>,
    /// What was left out because nobody means as much.
    #[serde(default)]
    pub cuts: Vec<Cut>,
}

/// A part that was left out of an article that is published all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// "expected X, found Y", as of a problem.
    pub reason: String,
    pub consequence: String,
}

/// What the document states of its publication. The catalog decides what follows
/// from it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stated {
    /// `guid`, verbatim; or `id` where that is an absolute IRI.
    pub id: Option<String>,
    /// The whole path on the site, beginning with `/`, as stated (not encoded).
    pub permalink: Option<String>,
    /// The last segment of the path, as stated.
    pub slug: Option<String>,
    /// Old paths on the site that lead here, each beginning with `/`.
    pub aliases: Vec<String>,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    /// Stated in the document, or by the name of the file or a folder.
    pub draft: bool,
    /// A revision that says so moves no `updated`.
    pub minor: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    /// An absolute URL.
    pub uri: Option<String>,
    pub email: Option<String>,
}

/// A picture or file that an article names beside its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub source: Source,
    /// Alternative text of a picture, title of another file.
    pub title: Option<String>,
    /// As stated; files of the folder have their own facts.
    pub media_type: Option<String>,
    /// In bytes, as stated.
    pub length: Option<u64>,
    /// In seconds.
    pub duration: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A file of the folder.
    Folder(Reference),
    /// An absolute URL elsewhere.
    Elsewhere(String),
}

impl Article {
    /// Every place in the seeds folder that this article points to: in the body,
    /// as lead image, as enclosure.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let beside = self.image.iter().chain(&self.enclosures).filter_map(|it| match &it.source {
            Source::Folder(reference) => Some(reference),
            Source::Elsewhere(_) => None,
        });
        self.body.references().iter().chain(beside)
    }
}
