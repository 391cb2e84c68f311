//! The catalog's second noun: whose entries a feed holds.

use crate::convert::article::Article;

/// Whose entries a feed holds. Names are as they stand in URL paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Site,
    /// A folder with those below: `news/korea`, percent-encoded, no slash at the
    /// ends.
    Folder(String),
    /// A folder without those below; empty for the root.
    FolderOnly(String),
    /// A tag, folded: `korea`.
    Tag(String),
    /// An author, folded: `ann-lee`.
    Author(String),
    /// A language: `ko`.
    Language(String),
}

/// Scopes that are listed on a page of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Tags,
    Authors,
    Languages,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Tags, Kind::Authors, Kind::Languages];

    /// The path of the page.
    pub fn folder(self) -> &'static str {
        match self {
            Kind::Tags => "/tags/",
            Kind::Authors => "/authors/",
            Kind::Languages => "/languages/",
        }
    }

    /// The kind that a scope is listed with.
    pub fn of(scope: &Scope) -> Option<Kind> {
        match scope {
            Scope::Tag(_) => Some(Kind::Tags),
            Scope::Author(_) => Some(Kind::Authors),
            Scope::Language(_) => Some(Kind::Languages),
            Scope::Site | Scope::Folder(_) | Scope::FolderOnly(_) => None,
        }
    }
}

impl Scope {
    /// The path of the scope's folder on the site, beginning and ending with `/`:
    /// `/`, `/news/`, `/tags/korea/`.
    pub fn folder(&self) -> String {
        match self {
            Scope::Site => "/".into(),
            Scope::FolderOnly(name) if name.is_empty() => "/".into(),
            Scope::Folder(name) | Scope::FolderOnly(name) => format!("/{name}/"),
            Scope::Tag(name) => format!("/tags/{name}/"),
            Scope::Author(name) => format!("/authors/{name}/"),
            Scope::Language(name) => format!("/languages/{name}/"),
        }
    }

    /// The scope whose folder this path names, with or without its last slash.
    pub fn at(path: &str) -> Option<Scope> {
        let path = path.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Some(Scope::Site);
        }
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let named: fn(String) -> Scope = match first {
            "tags" => Scope::Tag,
            "authors" => Scope::Author,
            "languages" => Scope::Language,
            _ => return Some(Scope::Folder(path.to_owned())),
        };
        (!rest.is_empty() && !rest.contains('/')).then(|| named(rest.to_owned()))
    }

    /// The name under which the feed's own id is minted; never shown.
    pub fn name(&self) -> String {
        match self {
            Scope::FolderOnly(_) => format!("{}only", self.folder()),
            _ => self.folder(),
        }
    }

    /// The scopes that hold an entry at `permalink` with this article, each with the
    /// label that people read.
    pub fn of(permalink: &str, article: &Article) -> Vec<(Scope, String)> {
        let mut scopes = vec![(Scope::Site, String::new())];
        let segments: Vec<&str> = permalink.trim_matches('/').split('/').collect();
        let folders = &segments[..segments.len() - 1];
        for depth in 1..=folders.len() {
            let label = decoded(folders[depth - 1]);
            scopes.push((Scope::Folder(folders[..depth].join("/")), label));
        }
        let own_label = folders.last().map(|it| decoded(it)).unwrap_or_default();
        scopes.push((Scope::FolderOnly(folders.join("/")), own_label));
        for tag in &article.tags {
            scopes.push((Scope::Tag(folded(tag)), tag.clone()));
        }
        for author in &article.authors {
            scopes.push((Scope::Author(folded(&author.name)), author.name.clone()));
        }
        if let Some(language) = &article.language {
            scopes.push((Scope::Language(folded(language)), language.clone()));
        }
        let mut seen = std::collections::HashSet::new();
        scopes.retain(|(scope, _)| scope.folder() != "//" && seen.insert(scope.clone()));
        scopes
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The name of a tag, author or language in a path: case and accents folded,
/// blanks as `-`, everything else kept and percent-encoded, so that `C`, `C++` and
/// `C#` stay three.
pub fn folded(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::is_combining_mark;
    let plain: String = name
        .nfd()
        .filter(|it| !is_combining_mark(*it))
        .nfc()
        .flat_map(char::to_lowercase)
        .collect();
    encoded_segment(&plain.split_whitespace().collect::<Vec<_>>().join("-"))
}

/// `segment` as it stands in a URL path: NFC, blanks as `-`, bytes that RFC 3986
/// does not allow there percent-encoded. Letters beyond ASCII are encoded.
pub fn encoded_segment(segment: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let plain: String = segment.nfc().map(|it| if it.is_whitespace() { '-' } else { it }).collect();
    let encoded = percent_encoding::utf8_percent_encode(&plain, SEGMENT).to_string();
    match encoded.as_str() {
        "." => "%2E".into(),
        ".." => "%2E%2E".into(),
        _ => encoded,
    }
}

/// What RFC 3986, section 3.3, does not allow in a segment, and what programs are
/// known to trip over there.
pub const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
