//! Where things are: references, permalinks and scopes to absolute URLs. The only
//! file that knows the base URL.

use percent_encoding::percent_encode;
use url::Url;

use crate::catalog::entry::{Lead, Leads};
use crate::catalog::scope::{SEGMENT, Scope};
use crate::convert::body::{Filled, Reference, Target};
use crate::watch::seed::SeedPath;

/// What references of the entries of one document lead to, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// Without a slash at its end.
    pub base_url: &'a str,
    pub leads: &'a Leads,
}

impl Places<'_> {
    /// The URL of a page at `path`, which begins with `/` and is percent-encoded.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// The URL of the scope's folder, with its last slash.
    pub fn scope(&self, scope: &Scope) -> String {
        self.page(&scope.folder())
    }

    /// The URL of a file of the folder, at its own path.
    pub fn file(&self, path: &SeedPath) -> String {
        let mut url = self.base_url.to_owned();
        for segment in path.segments() {
            url.push('/');
            url.extend(percent_encode(segment, SEGMENT));
        }
        url
    }

    /// What `reference` turned out to be, in the body of the entry with this
    /// permalink and unique prefix.
    ///
    /// A path where nothing stands yet keeps its URL, as written: a picture often
    /// arrives after the article that shows it.
    pub fn fill(&self, reference: &Reference, permalink: &str, unique: &str) -> Filled {
        let suffix = reference.suffix.as_str();
        let url = match &reference.target {
            Target::Itself => self.page(permalink) + &suffix.replace('\u{3}', unique),
            Target::Root => self.page("/") + suffix,
            Target::Path(_) | Target::Name(_) => {
                match (self.leads.of(reference), &reference.target) {
                    (Lead::Entry { permalink, id }, _) => {
                        self.page(permalink) + &with_prefix(suffix, id)
                    }
                    (Lead::File { path, size, .. }, _) => {
                        return Filled::Url { url: self.file(path) + suffix, size: *size };
                    }
                    (Lead::Nothing, Target::Path(path)) => self.file(path) + suffix,
                    (Lead::Nothing | Lead::Unpublished, _) => return Filled::Text,
                }
            }
        };
        Filled::Url { url, size: None }
    }
}

/// What stands before each id in the body of the entry with this id, so that ids
/// of several entries never meet on one page: a letter first, as CSS selectors
/// and old HTML want it.
pub fn unique_prefix(id: &str) -> String {
    let hash = blake3::hash(id.as_bytes());
    format!("s{}-", &hash.to_hex().as_str()[..8])
}

/// `suffix` of a link to the entry with this id: its fragment names an id there.
/// The empty fragment (the top of the page) and text fragments (`#:~:text=`) name
/// none.
fn with_prefix(suffix: &str, id: &str) -> String {
    match suffix.split_once('#') {
        Some((query, fragment)) if !fragment.is_empty() && !fragment.starts_with(":~:") => {
            format!("{query}#{}{fragment}", unique_prefix(id))
        }
        _ => suffix.to_owned(),
    }
}

/// `url` as a URL of the web that every reader takes: `http` or `https`, in ASCII,
/// with no character that RFC 3986 forbids there (browsers let `[`, `|` and others
/// stand). `None` where it is none.
pub fn web_url(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let url = String::from(url);
    let path = url.find("://").map_or(0, |it| it + 3);
    let path = url[path..].find('/').map_or(url.len(), |it| path + it);
    let (host, rest) = url.split_at(path);
    let mut checked = host.to_owned();
    for (at, byte) in rest.bytes().enumerate() {
        let is_escape = || {
            let digits = rest.as_bytes().get(at + 1..at + 3);
            digits.is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
        };
        match byte {
            b'%' if is_escape() => checked.push('%'),
            byte if byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte) => {
                checked.push(char::from(byte));
            }
            byte => checked.push_str(percent_encoding::percent_encode_byte(byte)),
        }
    }
    Some(checked)
}
