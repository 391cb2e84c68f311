//! The noun of the catalog: an article that has been published.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::catalog::scope::Scope;
use crate::convert::article::Article;
use crate::convert::body::{Reference, Target};
use crate::watch::seed::SeedPath;

/// Article, id, permalink, dates and place in the catalog's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// In the order of first publication, from 1; never given twice.
    pub number: i64,
    /// An absolute IRI that never changes (RFC 4287, section 4.2.6).
    pub id: String,
    /// The id as the document stated it, else the same as `id`. RSS and JSON Feed
    /// carry it verbatim.
    pub guid: String,
    /// Where its seed stands, or stood last.
    pub path: SeedPath,
    /// The path of its page, percent-encoded, beginning with `/`; the path of the
    /// base URL is not in it.
    pub permalink: String,
    pub published: Timestamp,
    /// Never before `published`.
    pub updated: Timestamp,
    pub article: Article,
    /// The same article in other languages: each language and permalink.
    pub translations: Vec<(String, String)>,
}

/// What an entry that was withdrawn leaves behind (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The entry's `id`.
    pub id: String,
    pub when: Timestamp,
}

/// Which document of a scope: the one that readers subscribe to, or an archive
/// page (RFC 5005, section 4), numbered from 1, the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Current,
    Archive(u32),
}

/// What the catalog has for one document of a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    pub scope: Scope,
    /// The scope's name as people spell it: `Korea` of `/tags/korea`. Empty for
    /// the site.
    pub label: String,
    pub part: Part,
    /// Newest `published` first, of equals the higher number first.
    pub entries: Vec<Entry>,
    /// Newest first, at most as many as entries of an archive page.
    pub tombstones: Vec<Tombstone>,
    /// Where the references of the entries lead.
    pub leads: Leads,
    /// The archive page that holds what is older, for `prev-archive`.
    pub older: Option<u32>,
    /// The archive page that holds what is newer, for `next-archive`; of archive
    /// pages only.
    pub newer: Option<u32>,
    /// The last time an entry of this document was published, revised, moved or
    /// withdrawn; where it never held one, when the site began.
    pub changed: Timestamp,
}

/// What became of the document that readers of a scope subscribe to since an earlier
/// version of it (RFC 3229).
#[derive(Debug, Clone, PartialEq)]
pub struct Delta {
    /// The document as it is now.
    pub whole: Selection,
    /// Ids of its entries that the earlier version held otherwise, or may not have
    /// held.
    pub fresh: HashSet<String>,
    /// What was withdrawn since, the last first.
    pub withdrawn: Vec<Tombstone>,
}

/// What the references of some articles lead to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Leads(pub HashMap<Target, Lead>);

impl Leads {
    /// What `reference` leads to; `Target::Itself` and `Target::Root` are not asked
    /// here.
    pub fn of(&self, reference: &Reference) -> &Lead {
        self.0.get(&reference.target).unwrap_or(&Lead::Nothing)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// A published entry.
    Entry { permalink: String, id: String },
    /// A file that is no seed.
    File { path: SeedPath, media_type: String, length: u64, size: Option<(u32, u32)> },
    /// A seed that is not published: a draft, a problem, one that was withdrawn.
    Unpublished,
    /// Nothing stands there.
    Nothing,
}

/// A scope with its name as people spell it, and how many entries it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub scope: Scope,
    pub label: String,
    pub live: u64,
}

/// An entry in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    pub title: String,
    pub permalink: String,
    pub published: Timestamp,
    pub updated: Timestamp,
}

/// A time that entries were published in, by UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    All,
    Year(i16),
    Month(i16, i8),
    Day(i16, i8, i8),
}

impl Period {
    /// The time that this one is part of.
    pub fn around(self) -> Option<Period> {
        match self {
            Period::All => None,
            Period::Year(_) => Some(Period::All),
            Period::Month(year, _) => Some(Period::Year(year)),
            Period::Day(year, month, _) => Some(Period::Month(year, month)),
        }
    }

    /// The path of its page on the site.
    pub fn path(self) -> String {
        match self {
            Period::All => "/archives/".into(),
            Period::Year(year) => format!("/archives/{year:04}/"),
            Period::Month(year, month) => format!("/archives/{year:04}/{month:02}/"),
            Period::Day(year, month, day) => format!("/archives/{year:04}/{month:02}/{day:02}/"),
        }
    }
}

/// The entries that were published in a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub period: Period,
    /// The last published first; empty where there are too many to list.
    pub headlines: Vec<Headline>,
    /// The times within this one that hold entries, the last first; empty where the
    /// entries are listed.
    pub parts: Vec<Period>,
}

/// What stands at a path of the site that is no feed.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// The page of an entry.
    Entry(Box<Entry>, Leads),
    /// A file that a published entry uses.
    File {
        path: SeedPath,
        media_type: String,
        length: u64,
        modified: Timestamp,
    },
    /// An old permalink: the path of the page that is there now.
    Moved(String),
    /// Withdrawn.
    Gone,
    Nothing,
}
