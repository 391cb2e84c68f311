//! Seed to article: reads what a person wrote, whatever the format.
//!
//! Pure: bytes in, values out. No clock, no file, no socket, no async. A date that
//! nobody states is not guessed here; the catalog does that.
//!
//! Invariants
//! - Any bytes give an [`Article`] or an [`Error`]; nothing panics.
//! - The same seed and options give the same article, always.
//! - [`Article::body`] is sanitised and balanced; no later stage looks at it again.
//! - No text of an article holds a character that XML 1.0 forbids.
//!
//! A new format is one file in this folder and one row in [`READERS`].
//!
//! | step | file |
//! |---|---|
//! | bytes to text | `clean` |
//! | what a reader gets and makes | `document` |
//! | fields at the top and beside | `front_matter`, `metadata` (over `layer`, `keys`, `people`, `dates`), `name` |
//! | text to HTML | `text` by `plain`; `markdown` and `html`, both after `templates` (with `shortcodes`, `dialects`) |
//! | an article out of its page | `page`, `page_head` |
//! | HTML made harmless | `sanitize` |
//! | HTML read for what it says | `digest`, over `tags` |
//! | HTML to a body with open references | `holes`, `links` |

pub mod article;
pub mod body;

pub mod clean;
pub mod dates;
pub mod front_matter;
pub mod text;

mod dialects;
mod digest;
mod document;
mod holes;
mod html;
mod keys;
mod layer;
mod links;
mod markdown;
mod metadata;
mod name;
mod page;
mod page_head;
mod people;
mod plain;
mod sanitize;
mod shortcodes;
mod tags;
mod templates;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::convert::article::{Article, Cut};
use crate::convert::digest::Digest;
use crate::convert::document::{Document, Source};
use crate::convert::metadata::{Context, Metadata};
use crate::convert::tags::{Scanner, Token};
use crate::problem::Problem;
use crate::watch::seed::{Seed, SeedPath};

/// Counts up whenever the same bytes convert differently; the catalog then converts
/// again without revising anything.
pub const VERSION: u32 = 3;

/// What decides beside the seed how it reads. Made by `config`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where a date states no zone.
    pub timezone: TimeZone,
    /// A longer seed is a problem.
    pub max_bytes: u64,
    /// Names with a leading `_` that are no folders of drafts, such as `_posts`.
    pub published_folders: Vec<String>,
    /// Last lines of plain text that are no part of it; `*` stands for anything.
    pub strip: Vec<String>,
}

/// A format: text to what it says.
type Reader = fn(&Source<'_>) -> Result<Document, Error>;

/// Which reader takes files with which extension.
const READERS: &[(&str, Reader)] = &[
    ("txt", plain::read),
    ("text", plain::read),
    ("md", markdown::read),
    ("markdown", markdown::read),
    ("mdown", markdown::read),
    ("mkd", markdown::read),
    ("mkdn", markdown::read),
    ("html", html::read),
    ("htm", html::read),
    ("xhtml", html::read),
];

fn reader_of(path: &SeedPath) -> Option<Reader> {
    let extension = path.extension()?;
    READERS.iter().find(|(name, _)| *name == extension).map(|it| it.1)
}

/// Whether an article can be made of files with this name.
pub fn is_seed(path: &SeedPath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    reader_of(path).is_some() && !FOR_PROGRAMS.contains(&&*name)
}

/// Text files that are written for programs, whoever publishes them.
const FOR_PROGRAMS: &[&[u8]] = &[
    b"robots.txt",
    b"humans.txt",
    b"ads.txt",
    b"app-ads.txt",
    b"security.txt",
    b"llms.txt",
    b"requirements.txt",
];

/// Why a seed did not become an article.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("expected an article, found no text, picture, enclosure or link")]
    Empty,

    #[error("expected a text, Markdown or HTML file, found `.{extension}`")]
    UnknownFormat { extension: String },

    #[error("expected at most {limit} bytes, found {found}")]
    TooLarge { limit: u64, found: u64 },

    #[error("expected a text that grows to at most {limit} bytes of HTML, found more")]
    TooMuchOutput { limit: usize },

    #[error("expected a text with at most {limit} {what}, found {found}")]
    TooManyMarks { what: &'static str, limit: usize, found: usize },

    #[error("expected at most {limit} {what} in `{key}`, found {found}")]
    TooMuch { line: u32, key: String, what: &'static str, limit: usize, found: usize },

    #[error("expected at most 100 quotations, lists and marks in one another, found more")]
    TooDeep { line: u32 },

    #[error(
        "expected a date such as `2026-11-24` or `2026-11-24T09:00:00Z` in `{key}`, found `{found}`"
    )]
    BadDate { line: u32, key: String, found: String },

    #[error("expected {expected} in `{key}`, found {found}")]
    WrongKind { line: u32, key: String, expected: &'static str, found: &'static str },

    #[error("front matter opens with `{fence}` and is never closed")]
    OpenFrontMatter { line: u32, fence: String },

    #[error("expected front matter in {format}, found what cannot be read as such: {reason}")]
    BadFrontMatter { line: u32, format: &'static str, reason: String },

    /// The fault lies in the sidecar or in a folder's defaults.
    #[error("{error} (in `{file}`{})", error.line().map(|it| format!(", line {it}")).unwrap_or_default())]
    Beside { file: String, error: Box<Error> },
}

impl Error {
    /// The same error as a person sees it: with the seed and the line to blame.
    pub fn at(&self, seed: &Seed) -> Problem {
        let line = match self {
            Error::Beside { .. } => None,
            other => other.line(),
        };
        Problem {
            path: seed.path.clone(),
            line,
            reason: self.to_string(),
            consequence: "this version is not published".into(),
        }
    }

    /// The line to blame in the file to blame, counted from 1.
    fn line(&self) -> Option<u32> {
        match self {
            Error::TooMuch { line, .. }
            | Error::TooDeep { line }
            | Error::BadDate { line, .. }
            | Error::WrongKind { line, .. }
            | Error::OpenFrontMatter { line, .. }
            | Error::BadFrontMatter { line, .. } => Some(*line),
            Error::Empty
            | Error::UnknownFormat { .. }
            | Error::TooLarge { .. }
            | Error::TooMuchOutput { .. }
            | Error::TooManyMarks { .. }
            | Error::Beside { .. } => None,
        }
    }
}

/// What the person who wrote `seed` meant.
///
/// # Errors
/// Where the seed is no article (yet), or states something that cannot be read; it
/// might say that it must not be published.
pub fn convert(seed: &Seed, options: &Options) -> Result<Article, Error> {
    let reader = reader_of(&seed.path).ok_or_else(|| Error::UnknownFormat {
        extension: seed.path.extension().unwrap_or_default(),
    })?;
    let found = seed.bytes.len() as u64;
    if found > options.max_bytes {
        return Err(Error::TooLarge { limit: options.max_bytes, found });
    }
    let context = Context { path: &seed.path, timezone: &options.timezone };
    let sidecar = sidecar(seed, context)?;
    let folders = folder_defaults(seed, context)?;
    let title = sidecar.title.as_deref();
    let mut document = reader(&Source { bytes: &seed.bytes, context, options, title })?;
    let metadata = std::mem::take(&mut document.stated)
        .or(sidecar)
        .or(std::mem::take(&mut document.properties))
        .or(folders)
        .or(std::mem::take(&mut document.headers));
    article(document, metadata, &seed.path, options)
}

fn sidecar(seed: &Seed, context: Context<'_>) -> Result<Metadata, Error> {
    let Some(bytes) = &seed.surroundings.sidecar else { return Ok(Metadata::default()) };
    front_matter::whole_toml(bytes)
        .and_then(|fields| Metadata::read(&fields, context))
        .map_err(|error| Error::Beside { file: sidecar_name(&seed.path), error: Box::new(error) })
}

/// `news/kim.toml` of `news/kim.txt`.
fn sidecar_name(path: &SeedPath) -> String {
    let name = format!("{}.toml", String::from_utf8_lossy(path.stem()));
    match path.folder() {
        Some(folder) => format!("{folder}/{name}"),
        None => name,
    }
}

/// What the folders above state for all that lies in them, the nearest first. Only
/// what can hold for many articles: a folder's title is not each article's.
fn folder_defaults(seed: &Seed, context: Context<'_>) -> Result<Metadata, Error> {
    let mut defaults = Metadata::default();
    for (path, bytes) in seed.surroundings.folders.iter().rev() {
        let stated = front_matter::whole_toml(bytes)
            .and_then(|fields| Metadata::read(&fields, Context { path, ..context }))
            .map_err(|error| Error::Beside { file: path.to_string(), error: Box::new(error) })?;
        let mut common = Metadata {
            authors: stated.authors,
            tags: stated.tags,
            language: stated.language,
            image: stated.image,
            ..Metadata::default()
        };
        common.stated.draft = stated.stated.draft;
        common.stated.expires = stated.stated.expires;
        defaults = defaults.or(common);
    }
    Ok(defaults)
}

/// The article that `document` and what is stated of it make.
fn article(
    document: Document,
    metadata: Metadata,
    path: &SeedPath,
    options: &Options,
) -> Result<Article, Error> {
    let name = name::read(path, options);
    let whole = digest::digest(&document.html);
    let is_empty = !whole.has_text
        && !whole.has_media
        && document.title.is_none()
        && metadata.enclosures.is_empty()
        && metadata.image.is_none()
        && metadata.link.is_none();
    if is_empty {
        return Err(Error::Empty);
    }
    let (html, leading) = split_leading_title(&document.html, metadata.title.as_deref());
    let digest = if leading.is_some() { digest::digest(&html) } else { whole };
    // A heading may be a picture and nothing else, which makes no title.
    let some = |title: String| Some(title).filter(|it| !clean::one_line(it).is_empty());
    let title = (metadata.title.and_then(some))
        .or_else(|| document.title.and_then(some))
        .or(leading)
        .or_else(|| digest.heading.clone().and_then(some))
        .or_else(|| digest.first_sentence().and_then(some))
        .unwrap_or(name.title);
    let summary = match &metadata.summary {
        Some(stated) => clean::one_line(&markdown::plain(stated)),
        None => digest.summary(),
    };
    let language = metadata
        .language
        .or_else(|| name.language.as_deref().and_then(metadata::language_tag))
        .or_else(|| digest::language(&digest.sample));
    let mut stated = metadata.stated;
    // An address that begins with a date states it, too, if nothing better does.
    let by_address = || dates::of_path(stated.permalink.as_deref()?, &options.timezone);
    stated.published = stated.published.or(name.published).or_else(by_address);
    stated.draft |= name.is_draft;
    let Digest { words, .. } = digest;
    let mut cuts = metadata.cuts;
    let found = title.chars().count();
    if found > LONGEST_TITLE {
        cuts.push(Cut {
            reason: format!(
                "expected a title of at most {LONGEST_TITLE} characters, found {found}"
            ),
            consequence: "it is cut".into(),
        });
    }
    Ok(Article {
        title: digest::cut(&title, LONGEST_TITLE),
        subtitle: metadata.subtitle.or(document.subtitle),
        summary,
        body: holes::open(clean::allowed(html.into_owned()).trim(), path),
        authors: metadata.authors,
        tags: metadata.tags,
        language,
        image: metadata.image,
        enclosures: metadata.enclosures,
        link: metadata.link,
        words,
        stated,
        extra: metadata.extra,
        cuts,
    })
}

/// A heading or first line may be a whole paragraph; a title is not.
const LONGEST_TITLE: usize = 500;

/// An `<h1>` before all other text of the body is the article's title and leaves the
/// body; where a title is stated, only if it says the same.
fn split_leading_title<'h>(html: &'h str, stated: Option<&str>) -> (Cow<'h, str>, Option<String>) {
    let none = (Cow::Borrowed(html), None);
    let Some(start) = memchr::memmem::find(html.as_bytes(), b"<h1") else { return none };
    let Some(end) = html[start..].find("</h1>").map(|it| start + it + "</h1>".len()) else {
        return none;
    };
    let (before, heading, after) = (&html[..start], &html[start..end], &html[end..]);
    // Boxes around it may open before; anything to read or see may not.
    let is_first = Scanner::new(before).all(|token| match token {
        Token::Text(text) => text.trim().is_empty(),
        Token::Start(tag) => matches!(tag.name, "div" | "section" | "span" | "center" | "header"),
        _ => true,
    });
    // A heading within the heading: the end found is not its own.
    if heading["<h1".len()..].contains("<h1") {
        return none;
    }
    let text = clean::one_line(&sanitize::text_of(heading));
    let says_same = stated.is_none_or(|it| it.to_lowercase() == text.to_lowercase());
    if !is_first || text.is_empty() || !says_same || heading.contains("<img") {
        return none;
    }
    let rest = match before.trim().is_empty() {
        true => Cow::Borrowed(after.trim_start()),
        false => Cow::Owned(format!("{before}{}", after.trim_start())),
    };
    (rest, Some(text))
}
