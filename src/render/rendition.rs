//! The noun of the render stage: a feed, page or file as bytes in one format.

use bytes::Bytes;
use jiff::Timestamp;

use crate::catalog::entry::{Part, Period};
use crate::catalog::scope::{Kind, Scope};
use crate::watch::seed::SeedPath;

/// The formats of feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    Rss,
    Atom,
    Json,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Atom, Format::Rss, Format::Json];

    /// `feed.EXTENSION` on the site.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Rss => "rss",
            Format::Atom => "atom",
            Format::Json => "json",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Format::Rss => "application/rss+xml; charset=utf-8",
            Format::Atom => "application/atom+xml; charset=utf-8",
            Format::Json => "application/feed+json; charset=utf-8",
        }
    }
}

/// What a URL stands for. The shelf holds renditions by their key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Feed {
        scope: Scope,
        part: Part,
        format: Format,
    },
    /// The page that a person sees who opens the address of a feed. No request names
    /// it; its path is that of the feed with something behind it that no path has.
    Visit {
        scope: Scope,
        part: Part,
        format: Format,
    },
    /// What changed in the document that readers subscribe to since its version of
    /// this moment (RFC 3229); microseconds since 1970. No request names it.
    Delta {
        scope: Scope,
        format: Format,
        since: i64,
    },
    /// The page for people of a scope: `/` of the site.
    Index(Scope),
    /// The page for people of an archive page of a scope.
    Older(Scope, u32),
    /// The page of all tags, authors or languages.
    Names(Kind),
    /// The page of what was published in a time.
    Period(Period),
    /// The list of all feeds.
    Opml,
    /// The list of all pages, or one of its parts, numbered from 1.
    Sitemap(Option<u32>),
    Robots,
    /// Whatever else stands at a path of the site: an entry's page, a file, a
    /// redirect, a 410. Percent-encoded as permalinks are, beginning with `/`.
    Page(String),
}

impl Key {
    /// The path on the site, beginning with `/`, the base URL's path not in it.
    pub fn path(&self) -> String {
        match self {
            Key::Visit { scope, part, format } => {
                let feed = Key::Feed { scope: scope.clone(), part: *part, format: *format };
                feed.path() + "?page"
            }
            Key::Delta { scope, format, since } => {
                let (scope, format) = (scope.clone(), *format);
                let feed = Key::Feed { scope, part: Part::Current, format };
                format!("{}?since={since:x}", feed.path())
            }
            Key::Feed { scope, part, format } => {
                let only = if matches!(scope, Scope::FolderOnly(_)) { ".only" } else { "" };
                let (folder, extension) = (scope.folder(), format.extension());
                match part {
                    Part::Current => format!("{folder}feed{only}.{extension}"),
                    Part::Archive(number) => format!("{folder}archives/{number}{only}.{extension}"),
                }
            }
            Key::Index(scope) => scope.folder(),
            Key::Older(scope, number) => {
                let only = if matches!(scope, Scope::FolderOnly(_)) { ".only" } else { "" };
                format!("{}archives/{number}{only}.html", scope.folder())
            }
            Key::Names(kind) => kind.folder().into(),
            Key::Period(period) => period.path(),
            Key::Opml => "/opml.xml".into(),
            Key::Sitemap(None) => "/sitemap.xml".into(),
            Key::Sitemap(Some(part)) => format!("/sitemap-{part}.xml"),
            Key::Robots => "/robots.txt".into(),
            Key::Page(path) => path.clone(),
        }
    }
}

/// A feed, page or file in one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// With its charset, where it has one.
    pub media_type: String,
    pub payload: Payload,
    pub language: Option<String>,
    pub modified: Timestamp,
    /// Values of `Link` header fields (RFC 8288): self, hub, alternate feeds.
    pub links: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Bytes(Bytes),
    /// What changed of a document; its tag is that of the whole.
    Delta {
        changed: Bytes,
        whole: Bytes,
    },
    /// A file of the seeds folder; opened beneath its root for each request and
    /// streamed.
    File {
        path: SeedPath,
        length: u64,
    },
}

/// What stands at a key now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    Rendition(Rendition),
    /// 301 to this path of the site.
    Moved(String),
    /// 410.
    Gone,
    /// 404.
    Missing,
}
