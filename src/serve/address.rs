//! URL path to what it stands for.
//!
//! Pure. In: the path of a request, the base URL's path taken off. Out: an
//! [`Address`]. Nothing is looked up here.
//!
//! Spellings that RFC 3986, section 6.2.2, calls equivalent (`%7e` and `~`), and
//! those that lead to the same name here (`+` and `%2B`, a letter and its accent
//! apart and composed) are one address. They are answered and not redirected,
//! since some proxies rewrite escapes on their way, and would send the reader of a
//! redirect in circles.

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::catalog::entry::{Part, Period};
use crate::catalog::scope::{Kind, SEGMENT, Scope};
use crate::render::rendition::{Format, Key};

/// What a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Key(Key),
    /// `/feed` of a scope: the format that the reader prefers. Holds the path of
    /// the scope's folder.
    Choice(String),
    /// Another name of the document at this path of the site.
    Alias(String),
    /// `/healthz`.
    Health,
    /// `/readyz`.
    Readiness,
    /// `/metrics`.
    Metrics,
    /// Nothing can ever stand there.
    Nothing,
    /// No path that a correct client sends. Holds what is wrong with it.
    Bad(&'static str),
}

/// What `path` stands for. It begins with `/` and has no query.
pub fn address(path: &str) -> Address {
    let segments = match normal(path) {
        Ok(segments) => segments,
        Err(problem) => return Address::Bad(problem),
    };
    let Some((leaf, folders)) = segments.split_last() else { return Address::Nothing };
    let leaf = leaf.as_ref();
    if folders.iter().any(|it| it.is_empty()) {
        return Address::Nothing;
    }
    match (folders, leaf) {
        ([], "healthz") => return Address::Health,
        ([], "readyz") => return Address::Readiness,
        ([], "metrics") => return Address::Metrics,
        ([], "rss.xml" | "index.xml") => return alias(&Scope::Site, Format::Rss),
        ([], "atom.xml") => return alias(&Scope::Site, Format::Atom),
        ([], "opml.xml") => return Address::Key(Key::Opml),
        ([], "robots.txt") => return Address::Key(Key::Robots),
        ([], leaf) if leaf.starts_with("sitemap") => {
            return sitemap(leaf).map_or_else(|| page(&segments), Address::Key);
        }
        ([kind], "") => {
            if let Some(kind) =
                Kind::ALL.into_iter().find(|it| it.folder()[1..] == format!("{kind}/"))
            {
                return Address::Key(Key::Names(kind));
            }
        }
        _ => {}
    }
    if let ([first, times @ ..], "") = (folders, leaf)
        && first == "archives"
    {
        return period(times).map_or(Address::Nothing, |it| Address::Key(Key::Period(it)));
    }
    if let ([folders @ .., last], "") = (folders, leaf)
        && last == "feed"
    {
        return scope(folders).map_or(Address::Nothing, |it| alias(&it, Format::Rss));
    }
    if let [folders @ .., last] = folders
        && last == "archives"
    {
        return archive(folders, leaf).map_or(Address::Nothing, Address::Key);
    }
    if leaf == "feed" || leaf.starts_with("feed.") {
        return scope(folders).and_then(|it| feed(it, leaf)).unwrap_or(Address::Nothing);
    }
    match scope(folders) {
        Some(scope) if leaf.is_empty() => Address::Key(Key::Index(scope)),
        Some(Scope::Site | Scope::Folder(_)) => page(&segments),
        // A tag has a feed and a page, and nothing else below it.
        Some(_) => Address::Nothing,
        None => page(&segments),
    }
}

fn page(segments: &[Cow<'_, str>]) -> Address {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(segment);
    }
    Address::Key(Key::Page(path))
}

fn alias(scope: &Scope, format: Format) -> Address {
    Address::Alias(format!("{}feed.{}", scope.folder(), format.extension()))
}

/// Whose documents stand in these folders; `None` for a tag's subfolders and for
/// the folder of all tags.
fn scope(folders: &[Cow<'_, str>]) -> Option<Scope> {
    let named: fn(String) -> Scope = match folders.first().map(|it| it.as_ref()) {
        None => return Some(Scope::Site),
        Some("tags") => Scope::Tag,
        Some("authors") => Scope::Author,
        Some("languages") => Scope::Language,
        Some(_) => return Some(Scope::Folder(folders.join("/"))),
    };
    match folders {
        [_, name] => Some(named(name.to_string())),
        _ => None,
    }
}

/// The same folder without those below; tags and the like have none below.
fn only(scope: Scope) -> Option<Scope> {
    match scope {
        Scope::Site => Some(Scope::FolderOnly(String::new())),
        Scope::Folder(name) => Some(Scope::FolderOnly(name)),
        _ => None,
    }
}

fn format(extension: &str) -> Option<Format> {
    Format::ALL.into_iter().find(|it| it.extension() == extension)
}

/// `feed`, `feed.atom`, `feed.only.atom`, `feed.xml`.
fn feed(scope: Scope, leaf: &str) -> Option<Address> {
    match leaf.strip_prefix("feed.") {
        None => Some(Address::Choice(scope.folder())),
        Some("xml") => Some(alias(&scope, Format::Rss)),
        Some(rest) => {
            let (scope, extension) = match rest.strip_prefix("only.") {
                Some(extension) => (only(scope)?, extension),
                None => (scope, rest),
            };
            let format = format(extension)?;
            Some(Address::Key(Key::Feed { scope, part: Part::Current, format }))
        }
    }
}

/// `sitemap.xml`, `sitemap-2.xml`.
fn sitemap(leaf: &str) -> Option<Key> {
    let part = leaf.strip_prefix("sitemap")?.strip_suffix(".xml")?;
    if part.is_empty() {
        return Some(Key::Sitemap(None));
    }
    Some(Key::Sitemap(Some(number(part.strip_prefix('-')?)?)))
}

/// A number has one spelling.
fn number(digits: &str) -> Option<u32> {
    let is_canonical = digits.bytes().all(|it| it.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| is_canonical)
}

/// The years, a year, a month, a day.
fn period(times: &[Cow<'_, str>]) -> Option<Period> {
    let part = |digits: &str, length: usize| -> Option<i16> {
        let is_right = digits.len() == length && digits.bytes().all(|it| it.is_ascii_digit());
        digits.parse().ok().filter(|_| is_right)
    };
    let small = |digits: &str, most: i8| -> Option<i8> {
        let number = part(digits, 2).and_then(|it| i8::try_from(it).ok());
        number.filter(|it| (1..=most).contains(it))
    };
    Some(match times {
        [] => Period::All,
        [year] => Period::Year(part(year, 4)?),
        [year, month] => Period::Month(part(year, 4)?, small(month, 12)?),
        [year, month, day] => Period::Day(part(year, 4)?, small(month, 12)?, small(day, 31)?),
        _ => return None,
    })
}

/// `7.atom`, `7.only.atom`, and `7.html` for people.
fn archive(folders: &[Cow<'_, str>], leaf: &str) -> Option<Key> {
    let (digits, rest) = leaf.split_once('.')?;
    let number = number(digits)?;
    let scope = scope(folders)?;
    let (scope, extension) = match rest.strip_prefix("only.") {
        Some(extension) => (only(scope)?, extension),
        None => (scope, rest),
    };
    if extension == "html" {
        return Some(Key::Older(scope, number));
    }
    Some(Key::Feed { scope, part: Part::Archive(number), format: format(extension)? })
}

/// The segments of `path`, spelled as keys spell them; or what is wrong with it.
fn normal(path: &str) -> Result<Vec<Cow<'_, str>>, &'static str> {
    let rest = path.strip_prefix('/').ok_or("a path begins with `/`")?;
    let mut segments: Vec<Cow<'_, str>> = Vec::new();
    for segment in rest.split('/') {
        // The name of a tag may have a slash in it, the name of a file cannot.
        let may_have_slash = matches!(
            segments.as_slice(),
            [only] if matches!(only.as_ref(), "tags" | "authors" | "languages")
        );
        segments.push(normal_segment(segment, may_have_slash)?);
    }
    Ok(segments)
}

fn normal_segment(segment: &str, may_have_slash: bool) -> Result<Cow<'_, str>, &'static str> {
    let is_plain = segment
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_' | b'~'));
    if is_plain {
        return match segment {
            // RFC 3986, section 5.2.4: clients take these out.
            "." | ".." => Err("a path has no `.` or `..`"),
            _ => Ok(segment.into()),
        };
    }
    let bytes = segment.as_bytes();
    let is_escape = |at: usize| {
        bytes.get(at + 1..at + 3).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
    };
    // RFC 3986, section 2.1.
    if (0..bytes.len()).any(|at| bytes[at] == b'%' && !is_escape(at)) {
        return Err("`%` begins an escape of two hexadecimal digits");
    }
    let name: Cow<'_, [u8]> = percent_decode_str(segment).into();
    if name.contains(&0) {
        return Err("a path has no NUL");
    }
    if name.contains(&b'/') && !may_have_slash {
        return Err("a slash in a name cannot be escaped");
    }
    if matches!(name.as_ref(), b"." | b"..") {
        return Err("a path has no `.` or `..`");
    }
    match std::str::from_utf8(&name) {
        Ok(text) if !is_nfc(text) => {
            let composed: String = text.nfc().collect();
            Ok(percent_encode(composed.as_bytes(), SEGMENT).to_string().into())
        }
        _ => Ok(percent_encode(&name, SEGMENT).to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn feed_at(scope: Scope, part: Part, format: Format) -> Address {
        Address::Key(Key::Feed { scope, part, format })
    }

    fn page_at(path: &str) -> Address {
        Address::Key(Key::Page(path.into()))
    }

    fn bad(path: &str) -> bool {
        matches!(address(path), Address::Bad(_))
    }

    #[test]
    fn addresses() {
        use Format::{Atom, Json, Rss};
        use Part::{Archive, Current};
        let folder = |it: &str| Scope::Folder(it.into());
        let only = |it: &str| Scope::FolderOnly(it.into());
        let tag = |it: &str| Scope::Tag(it.into());
        let alias = |it: &str| Address::Alias(it.into());
        let choice = |it: &str| Address::Choice(it.into());
        let index = |it: Scope| Address::Key(Key::Index(it));
        let table = [
            ("/", index(Scope::Site), "the page of the site"),
            ("/feed.atom", feed_at(Scope::Site, Current, Atom), ""),
            ("/feed.rss", feed_at(Scope::Site, Current, Rss), ""),
            ("/feed.json", feed_at(Scope::Site, Current, Json), ""),
            ("/feed.only.atom", feed_at(only(""), Current, Atom), "the root without folders"),
            ("/news/feed.atom", feed_at(folder("news"), Current, Atom), ""),
            ("/a/b/feed.rss", feed_at(folder("a/b"), Current, Rss), ""),
            ("/a/b/feed.only.rss", feed_at(only("a/b"), Current, Rss), ""),
            ("/tags/korea/feed.atom", feed_at(tag("korea"), Current, Atom), ""),
            ("/tags/c%2b%2B/feed.atom", feed_at(tag("c%2B%2B"), Current, Atom), "hex digits"),
            ("/tags/c++/feed.atom", feed_at(tag("c%2B%2B"), Current, Atom), "`+` unescaped"),
            ("/tags/tcp%2fip/feed.rss", feed_at(tag("tcp%2Fip"), Current, Rss), "a slash in it"),
            ("/tags/korea/feed.only.atom", Address::Nothing, "tags have no folders"),
            ("/tags/korea/", index(tag("korea")), ""),
            ("/tags/korea/x", Address::Nothing, "only its feed stands below a tag"),
            ("/tags/a/b/feed.atom", Address::Nothing, ""),
            ("/tags/feed.atom", Address::Nothing, "all tags are no scope"),
            ("/tags/", Address::Key(Key::Names(Kind::Tags)), "all tags"),
            ("/authors/ann/feed.json", feed_at(Scope::Author("ann".into()), Current, Json), ""),
            ("/languages/ko/feed.rss", feed_at(Scope::Language("ko".into()), Current, Rss), ""),
            ("/archives/7.atom", feed_at(Scope::Site, Archive(7), Atom), ""),
            ("/tags/korea/archives/2.rss", feed_at(tag("korea"), Archive(2), Rss), ""),
            ("/news/archives/2.only.rss", feed_at(only("news"), Archive(2), Rss), ""),
            ("/archives/07.atom", Address::Nothing, "a number has one spelling"),
            ("/archives/0.atom", Address::Nothing, "pages count from 1"),
            ("/archives/+7.atom", Address::Nothing, ""),
            ("/archives/4294967296.atom", Address::Nothing, "more than any catalog has"),
            ("/archives/7.xml", Address::Nothing, ""),
            ("/archives/7", Address::Nothing, ""),
            ("/archives/", Address::Key(Key::Period(Period::All)), "all years"),
            ("/archives/2026/", Address::Key(Key::Period(Period::Year(2026))), "a year"),
            ("/archives/2026/11/", Address::Key(Key::Period(Period::Month(2026, 11))), "a month"),
            ("/archives/2026/13/", Address::Nothing, "no month"),
            ("/archives/26/", Address::Nothing, "a year has four digits"),
            ("/archives/2026/11/05/", Address::Key(Key::Period(Period::Day(2026, 11, 5))), "a day"),
            ("/archives/7.html", Address::Key(Key::Older(Scope::Site, 7)), "for people"),
            ("/tags/a/archives/7.html", Address::Key(Key::Older(tag("a"), 7)), "for people"),
            ("/opml.xml", Address::Key(Key::Opml), ""),
            ("/robots.txt", Address::Key(Key::Robots), ""),
            ("/sitemap.xml", Address::Key(Key::Sitemap(None)), ""),
            ("/sitemap-2.xml", Address::Key(Key::Sitemap(Some(2))), "a part"),
            ("/sitemap-02.xml", page_at("/sitemap-02.xml"), "a number has one spelling"),
            ("/archives", page_at("/archives"), "a folder is asked for with its slash"),
            ("/feed", choice("/"), ""),
            ("/news/feed", choice("/news/"), ""),
            ("/tags/korea/feed", choice("/tags/korea/"), ""),
            ("/feed/", alias("/feed.rss"), "leads to RSS"),
            ("/news/feed/", alias("/news/feed.rss"), ""),
            ("/rss.xml", alias("/feed.rss"), ""),
            ("/feed.xml", alias("/feed.rss"), ""),
            ("/index.xml", alias("/feed.rss"), ""),
            ("/atom.xml", alias("/feed.atom"), ""),
            ("/news/feed.xml", alias("/news/feed.rss"), "`feed.*` is reserved in every folder"),
            ("/news/rss.xml", page_at("/news/rss.xml"), "may be a file of a folder"),
            ("/feed.html", Address::Nothing, "reserved and not used"),
            ("/feed.ATOM", Address::Nothing, "paths keep their case"),
            ("/healthz", Address::Health, ""),
            ("/readyz", Address::Readiness, ""),
            ("/news/", index(folder("news")), ""),
            ("/news/kim", page_at("/news/kim"), ""),
            ("/feeding", page_at("/feeding"), "only `feed` and `feed.` are reserved"),
            ("/a%7eb", page_at("/a~b"), "RFC 3986, 6.2.2.2: unreserved is decoded"),
            ("/%41", page_at("/A"), "RFC 3986, 6.2.2.2"),
            ("/a%c3%a9", page_at("/a%C3%A9"), "RFC 3986, 6.2.2.1: hex digits in capitals"),
            ("/ae%CC%81", page_at("/a%C3%A9"), "composed, as permalinks are"),
            ("/a\u{e9}", page_at("/a%C3%A9"), "letters that somebody forgot to escape"),
            ("/a%ff", page_at("/a%FF"), "file names need not be UTF-8"),
            ("/a(b)", page_at("/a%28b%29"), "spelled as permalinks are"),
            ("/a%0ab", page_at("/a%0Ab"), "file names may have line ends"),
            ("/a%5Cb", page_at("/a%5Cb"), "a backslash is a letter like others"),
            ("//feed.atom", Address::Nothing, "no folder has an empty name"),
            ("/a//b", Address::Nothing, ""),
            ("/...", page_at("/..."), "a name of three dots is a name"),
        ];
        for (path, expected, why) in table {
            assert_eq!(address(path), expected, "{path}: {why}");
        }
    }

    #[test]
    fn bad_paths() {
        let table = [
            ("", "empty"),
            ("feed.atom", "not absolute"),
            ("*", "of OPTIONS only"),
            ("/.", "RFC 3986, 5.2.4"),
            ("/..", "RFC 3986, 5.2.4"),
            ("/a/../b", "RFC 3986, 5.2.4"),
            ("/%2e%2E/etc/passwd", "an escaped `..` is the same"),
            ("/.%2e/", "half escaped"),
            ("/a%00b", "NUL"),
            ("/a%2Fb", "an escaped slash"),
            ("/tags/a/%2f", "an escaped slash beyond a name"),
            ("/a%", "RFC 3986, 2.1: no digits"),
            ("/a%4", "RFC 3986, 2.1: one digit"),
            ("/a%zz", "RFC 3986, 2.1: no hexadecimal digits"),
            ("/a%%41", "RFC 3986, 2.1"),
        ];
        for (path, why) in table {
            assert!(bad(path), "{path}: {why}, but {:?}", address(path));
        }
    }

    proptest! {
        #[test]
        fn any_path_has_an_address_and_keys_lead_to_themselves(path in "/\\PC{0,40}|/([a-z.%/0-9A-F~+-]|tags/|feed|archives/){0,30}") {
            if let Address::Key(key) = address(&path) {
                prop_assert_eq!(address(&key.path()), Address::Key(key), "{}", path);
            }
        }
    }
}
