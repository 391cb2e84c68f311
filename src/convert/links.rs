//! Where a link in an article leads: elsewhere, into the seeds folder, or nowhere.
//!
//! In: what stands in a `href`, a `src` or front matter, and the path of the file it
//! stands in. Out: an absolute URL or a [`Reference`]. URLs of this site do not occur
//! here: an article does not know where it is published.

use percent_encoding::{AsciiSet, CONTROLS};

use crate::convert::body::{Reference, Target};
use crate::convert::sanitize;
use crate::watch::seed::SeedPath;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// An absolute URL.
    Elsewhere(String),
    Here(Reference),
    /// It leaves the folder, has a scheme that we do not follow, or says nothing.
    Nowhere,
}

/// What a URL may not hold as it is; what it may is left as the author wrote it.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// Where `link`, which stands in the file at `base`, leads (RFC 3986, section 5, with
/// the seeds folder as the root).
pub fn resolve(base: &SeedPath, link: &str) -> Link {
    let link = link.trim_matches(|it: char| it.is_ascii_whitespace() || it.is_control());
    // Browsers take line ends out of URLs (URL standard, basic parser, step 3).
    let joined;
    let link = match link.contains(['\n', '\t']) {
        true => {
            joined = link.replace(['\n', '\t'], "");
            joined.as_str()
        }
        false => link,
    };
    if link.starts_with("//") {
        return elsewhere(&format!("https:{link}"));
    }
    if let Some(scheme) = scheme(link) {
        if scheme == sanitize::NAME {
            return by_name(&link[scheme.len() + 1..]);
        }
        return match sanitize::SCHEMES.iter().any(|it| scheme.eq_ignore_ascii_case(it)) {
            true => elsewhere(link),
            false => Link::Nowhere,
        };
    }
    let path_to = link.find(['?', '#']).unwrap_or(link.len());
    let (path, suffix) = link.split_at(path_to);
    in_folder(base, path, suffix)
}

/// The scheme of an absolute URL (RFC 3986, section 3.1), in any case.
fn scheme(link: &str) -> Option<&str> {
    let end =
        link.find(|it: char| !(it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.')))?;
    let is_scheme = link.as_bytes()[end] == b':' && link.as_bytes()[0].is_ascii_alphabetic();
    is_scheme.then(|| &link[..end])
}

/// `link` is absolute; characters that no URL holds are percent-encoded.
fn elsewhere(link: &str) -> Link {
    Link::Elsewhere(encoded(link))
}

/// As a feed's own elements need it: a URL that parses.
pub fn absolute(link: &str) -> Option<String> {
    let link = link.trim();
    let link = if link.starts_with("//") { format!("https:{link}") } else { link.to_owned() };
    scheme(&link)?;
    let parsed = url::Url::parse(&link).ok()?;
    let is_web = matches!(parsed.scheme(), "http" | "https");
    (is_web && parsed.has_host()).then(|| encoded(&link))
}

fn encoded(link: &str) -> String {
    percent_encoding::utf8_percent_encode(link, UNSAFE).to_string()
}

/// A note by its name, perhaps with a heading: `Name#Heading`.
fn by_name(link: &str) -> Link {
    let decoded = percent_encoding::percent_decode_str(link).decode_utf8_lossy().into_owned();
    let (name, heading) = match decoded.split_once('#') {
        Some((name, heading)) => (name, Some(heading)),
        None => (decoded.as_str(), None),
    };
    let fragment = heading.map(|it| comrak::Anchorizer::new().anchorize(it));
    let (target, suffix) = match (name.trim(), fragment) {
        ("", Some(fragment)) => (Target::Itself, format!("#\u{3}{}", encoded(&fragment))),
        ("", None) => return Link::Nowhere,
        (name, Some(fragment)) => {
            (Target::Name(name.to_owned()), format!("#{}", encoded(&fragment)))
        }
        (name, None) => (Target::Name(name.to_owned()), String::new()),
    };
    Link::Here(Reference { target, suffix })
}

fn in_folder(base: &SeedPath, path: &str, suffix: &str) -> Link {
    let itself = |suffix: &str| match suffix.strip_prefix('#') {
        Some("") => Link::Nowhere,
        Some(fragment) => {
            let suffix = format!("#\u{3}{}", encoded(fragment));
            Link::Here(Reference { target: Target::Itself, suffix })
        }
        None => Link::Here(Reference { target: Target::Itself, suffix: encoded(suffix) }),
    };
    if path.is_empty() {
        return if suffix.is_empty() { Link::Nowhere } else { itself(suffix) };
    }
    let pelican = pelicans(path);
    if pelican.as_deref().is_some_and(str::is_empty) {
        return Link::Nowhere;
    }
    // Zola's `@/` is its content folder, and so is Pelican's `/` behind its word.
    let from_content = match &pelican {
        Some(path) => Some(path.as_str()).filter(|it| it.starts_with('/')),
        None => path.strip_prefix('@').filter(|it| it.starts_with('/')),
    };
    let path = pelican.as_deref().unwrap_or(path);
    let decoded: Vec<u8> =
        percent_encoding::percent_decode_str(from_content.unwrap_or(path)).collect();
    let decoded = match from_content.and_then(|_| content_folder(base)) {
        Some(folder) => [b"/", folder.as_bytes(), &decoded].concat(),
        None => decoded,
    };
    let target = match base.resolve(&decoded) {
        Some(path) if path == *base => return itself(suffix),
        Some(path) => Target::Path(path),
        None if is_root(base, &decoded) => Target::Root,
        None => return Link::Nowhere,
    };
    Link::Here(Reference { target, suffix: encoded(suffix) })
}

/// The path behind Pelican's `{filename}` and its kin; empty for those that lead to a
/// list of its own making (`{tag}a`); `None` where it has none of them.
fn pelicans(path: &str) -> Option<String> {
    let first = path.get(..3).unwrap_or(path);
    if !first.starts_with(['{', '|']) && !first.eq_ignore_ascii_case("%7b") {
        return None;
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let (word, rest) = match decoded.strip_prefix('|') {
        Some(after) => after.split_once('|')?,
        None => decoded.strip_prefix('{')?.split_once('}')?,
    };
    match word {
        "filename" | "static" | "attach" => Some(rest.to_owned()),
        "tag" | "category" | "author" | "index" => Some(String::new()),
        _ => None,
    }
}

/// The folder named `content` that `base` lies in.
fn content_folder(base: &SeedPath) -> Option<SeedPath> {
    let mut folder = base.folder();
    while let Some(it) = folder {
        if it.file_name() == b"content" {
            return Some(it);
        }
        folder = it.folder();
    }
    None
}

/// Whether `path` names the seeds folder itself and never left it.
fn is_root(base: &SeedPath, path: &[u8]) -> bool {
    let above = match path.first() {
        Some(b'/') => 0,
        _ => base.segments().count() as i64 - 1,
    };
    let mut depth = above;
    for segment in path.split(|&it| it == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && !path.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links() {
        let base = SeedPath::new("content/news/kim.md").unwrap();
        let here = |path: &str, suffix: &str| {
            Link::Here(Reference {
                target: Target::Path(SeedPath::new(path).unwrap()),
                suffix: suffix.into(),
            })
        };
        let to =
            |target: Target, suffix: &str| Link::Here(Reference { target, suffix: suffix.into() });
        let elsewhere = |url: &str| Link::Elsewhere(url.into());
        let table = [
            ("https://example.org/a?b=c#d", elsewhere("https://example.org/a?b=c#d"), "absolute"),
            ("HTTP://example.org", elsewhere("HTTP://example.org"), "schemes in any case"),
            ("//example.org/a", elsewhere("https://example.org/a"), "no scheme: https"),
            ("mailto:ann@example.org", elsewhere("mailto:ann@example.org"), "mail"),
            (
                "https://example.org/ü ö",
                elsewhere("https://example.org/%C3%BC%20%C3%B6"),
                "encoded",
            ),
            ("javascript:alert(1)", Link::Nowhere, "a scheme that runs"),
            ("file:///etc/passwd", Link::Nowhere, "a scheme of this machine"),
            ("other.md", here("content/news/other.md", ""), "beside it"),
            ("../b/other.md#notes", here("content/b/other.md", "#notes"), "beside its folder"),
            ("/pic.png", here("pic.png", ""), "`/` is the seeds folder"),
            ("a%20b.png?x=1", here("content/news/a b.png", "?x=1"), "percent-decoded"),
            ("@/blog/post.md", here("content/blog/post.md", ""), "Zola's content folder"),
            ("{filename}../b/my%20notes.md", here("content/b/my notes.md", ""), "Pelican"),
            ("%7Bstatic%7D/a.png", here("content/a.png", ""), "Pelican's content folder"),
            ("|filename|other.md#a", here("content/news/other.md", "#a"), "Pelican before 3.5"),
            ("{tag}cats", Link::Nowhere, "a list of Pelican's own"),
            ("{x}.md", here("content/news/{x}.md", ""), "a file with braces"),
            ("../../../etc/passwd", Link::Nowhere, "leaves the folder"),
            ("..%2f..%2f..%2fetc", Link::Nowhere, "the same, encoded"),
            ("a%00b", Link::Nowhere, "no file has such a name"),
            ("/", to(Target::Root, ""), "the front page"),
            ("../..", to(Target::Root, ""), "the front page"),
            ("../../..", Link::Nowhere, "above it"),
            ("#notes", to(Target::Itself, "#\u{3}notes"), "in the page"),
            ("kim.md#notes", to(Target::Itself, "#\u{3}notes"), "the same, by its name"),
            ("?page=2", to(Target::Itself, "?page=2"), "a query alone"),
            ("#", Link::Nowhere, "nothing"),
            ("", Link::Nowhere, "nothing"),
            ("sower-name:Other%20Note", to(Target::Name("Other Note".into()), ""), "a note"),
            ("sower-name:Note#A%20Part", to(Target::Name("Note".into()), "#a-part"), "its heading"),
            ("x y.md", here("content/news/x y.md", ""), "a blank as typed"),
        ];
        for (link, expected, why) in table {
            assert_eq!(resolve(&base, link), expected, "{link}: {why}");
        }
    }

    #[test]
    fn absolute_urls() {
        assert_eq!(absolute(" https://example.org/é "), Some("https://example.org/%C3%A9".into()));
        for link in ["/a", "a.html", "javascript:x", "https://", "http://[", "mailto:a@b", ""] {
            assert_eq!(absolute(link), None, "{link}");
        }
    }
}
