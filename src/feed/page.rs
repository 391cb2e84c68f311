//! The noun of the feed stage: a scope's channel and one page of entries, all
//! references filled, ready for any format. Every URL is absolute.

use jiff::Timestamp;

use crate::catalog::entry::{Part, Period, Tombstone};
use crate::catalog::scope::Scope;
use crate::convert::article::Person;

/// What the configuration says of the site. No URL in it ends with a slash.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// Absolute URLs of pictures: a square one, one twice as wide as high, and one
    /// for previews of pages.
    pub icon: Option<String>,
    pub logo: Option<String>,
    pub image: Option<String>,
    /// For so many minutes readers need not ask again; `None`: HTTP says it.
    pub ttl: Option<u32>,
    /// WebSub hubs that hear of each change.
    pub hubs: Vec<String>,
    /// Bodies longer than this stand in feeds as summary and link, in bytes.
    pub max_body: usize,
    /// Feeds that the configuration chooses entries for.
    pub feeds: Vec<OwnFeed>,
    /// When the title or anything else above last changed, for `Last-Modified`.
    pub since: Timestamp,
}

/// A feed of the configuration, where it differs from that of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFeed {
    /// The name of its scope, which is that of a folder.
    pub folder: String,
    pub title: Option<String>,
    /// Else it shows summaries.
    pub has_full_text: bool,
}

impl Site {
    /// The feed of the configuration that stands for `scope`.
    pub fn own_feed(&self, scope: &Scope) -> Option<&OwnFeed> {
        let Scope::Folder(folder) = scope else { return None };
        self.feeds.iter().find(|it| it.folder == *folder)
    }
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
    /// Absolute URLs of pictures, see [`Site`].
    pub icon: Option<String>,
    pub logo: Option<String>,
    pub image: Option<String>,
    /// In minutes.
    pub ttl: Option<u32>,
    pub hubs: Vec<String>,
    /// The site's title, and the address of its front page.
    pub site_title: String,
    pub site: String,
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
    /// The folders right below, for the page of a folder; feeds do not show them.
    pub sections: Vec<Section>,
}

impl Feed {
    /// The absolute URL of the page for people of `part` of this scope.
    pub fn page_url(&self, part: Part) -> String {
        match part {
            Part::Current => self.home.clone(),
            Part::Archive(_) => self.url(part, "html"),
        }
    }

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
    /// A text, or the address of a licence.
    pub rights: Option<String>,
    /// Where the author found it: absolute URLs.
    pub via: Vec<String>,
    /// Where it was published first.
    pub source: Option<Origin>,
    /// What it answers: absolute URLs.
    pub replies_to: Vec<String>,
    /// The same article in other languages.
    pub translations: Vec<Translation>,
}

impl Item {
    /// How long reading takes at 200 words a minute, begun minutes counted; `None` where
    /// there is nothing to read.
    pub fn reading_minutes(&self) -> Option<u32> {
        (self.words > 0).then(|| self.words.div_ceil(200))
    }

    /// The address of its licence, where its rights are one.
    pub fn rights_url(&self) -> Option<&str> {
        self.rights.as_deref().filter(|it| it.starts_with("https://") || it.starts_with("http://"))
    }
}

/// Where an article was published first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Of a feed, or of a page.
    pub url: String,
    pub title: Option<String>,
}

/// An article in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    pub language: String,
    pub url: String,
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

/// A scope as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub scope: Scope,
    pub label: String,
    /// The absolute URL of its page, with the last slash.
    pub url: String,
    /// How many entries it holds.
    pub entries: u64,
    /// Whether the configuration chooses them.
    pub is_own: bool,
}

impl Section {
    /// The absolute URL of the feed that readers subscribe to, in the format with
    /// this extension.
    pub fn feed(&self, extension: &str) -> String {
        let only = if matches!(self.scope, Scope::FolderOnly(_)) { ".only" } else { "" };
        format!("{}feed{only}.{extension}", self.url)
    }
}

/// An entry as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    pub title: String,
    /// The absolute permalink.
    pub url: String,
    pub published: Timestamp,
    pub updated: Timestamp,
}

/// The site with all its scopes.
#[derive(Debug, Clone, PartialEq)]
pub struct Directory {
    /// The site, without items.
    pub channel: Feed,
    /// Of each kind by name.
    pub sections: Vec<Section>,
}

/// A time with its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    pub period: Period,
    /// Absolute.
    pub url: String,
}

/// The entries of a time: listed, or the shorter times that they stand in.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// The site, without items.
    pub channel: Feed,
    pub own: Times,
    pub around: Option<Times>,
    /// The last published first.
    pub headlines: Vec<Headline>,
    /// The last first.
    pub parts: Vec<Times>,
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
