//! Paths on the site: which one a seed asks for, and which one it may not have.
//! Pure.
//!
//! A path mirrors the folder: the seed's path without its extension, NFC, blanks as
//! `-`, case kept, all else percent-encoded.

use crate::catalog::scope::encoded_segment;
use crate::convert::article::Stated;
use crate::watch::seed::SeedPath;

/// First segments that the site itself uses.
const RESERVED_FIRST: &[&str] = &[
    "tags",
    "authors",
    "languages",
    "hub",
    "events",
    "search",
    "metrics",
    "healthz",
    "readyz",
    "rsscloud",
    "micropub",
    ".well-known",
    "opml.xml",
    "robots.txt",
    "rss.xml",
    "index.xml",
    "atom.xml",
];

/// The path that a seed asks for: as the document states it, else its place in the
/// folder. Segments that are reserved get `-2`.
pub fn wanted(path: &SeedPath, stated: &Stated) -> String {
    let mut segments: Vec<String> = match &stated.permalink {
        Some(permalink) => {
            permalink.split('/').filter(|it| !it.is_empty()).map(encoded_segment).collect()
        }
        None => mirrored(path, stated.slug.as_deref()),
    };
    if segments.is_empty() {
        segments.push("index".into());
    }
    for (place, segment) in segments.iter_mut().enumerate() {
        if is_reserved(segment, place == 0) {
            segment.push_str("-2");
        }
    }
    format!("/{}", segments.join("/"))
}

fn mirrored(path: &SeedPath, slug: Option<&str>) -> Vec<String> {
    let mut segments: Vec<String> = match path.folder() {
        Some(folder) => folder.segments().map(encoded_bytes).collect(),
        None => Vec::new(),
    };
    match slug {
        Some(slug) => segments.push(encoded_segment(slug)),
        // A folder's index stands for the folder.
        None if path.stem() == b"index" && !segments.is_empty() => {}
        None => segments.push(encoded_bytes(path.stem())),
    }
    segments
}

fn is_reserved(segment: &str, is_first: bool) -> bool {
    segment == "feed"
        || segment == "archives"
        || segment.starts_with("feed.")
        || (is_first && (RESERVED_FIRST.contains(&segment) || segment.starts_with("sitemap")))
}

/// The folder of the site that people write as `best/korea`, percent-encoded; `None`
/// where it is the root, or the site itself uses it.
pub fn of_folder(text: &str) -> Option<String> {
    let text = text.trim().trim_matches('/');
    let segments: Vec<String> = text.split('/').map(encoded_segment).collect();
    let is_free = |(place, segment): (usize, &String)| {
        !segment.is_empty() && !is_reserved(segment, place == 0)
    };
    segments.iter().enumerate().all(is_free).then(|| segments.join("/"))
}

/// `path` as it stands in a URL, every segment kept whole: the path of a file.
pub fn of_file(path: &SeedPath) -> String {
    path.segments().fold(String::new(), |mut url, segment| {
        url.push('/');
        url.push_str(&encoded_file_name(segment));
        url
    })
}

/// A file keeps its name to the letter: it is found again by decoding its URL.
fn encoded_file_name(segment: &[u8]) -> String {
    percent_encoding::percent_encode(segment, crate::catalog::scope::SEGMENT).to_string()
}

fn encoded_bytes(segment: &[u8]) -> String {
    let mut encoded = String::new();
    for chunk in segment.utf8_chunks() {
        encoded.push_str(&encoded_segment(chunk.valid()));
        for byte in chunk.invalid() {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// `wanted`, or the first of `wanted-2`, `wanted-3`, ... that is free.
pub fn free<E>(
    wanted: &str,
    mut is_taken: impl FnMut(&str) -> Result<bool, E>,
) -> Result<String, E> {
    let mut path = wanted.to_owned();
    let mut number = 2;
    while is_taken(&path)? {
        path = format!("{wanted}-{number}");
        number += 1;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_mirror_the_folder() {
        let table: &[(&[u8], &str, &str)] = &[
            (b"news/kim.txt", "/news/kim", "without its extension"),
            (b"My First Post.md", "/My-First-Post", "blanks as -, case kept"),
            ("Cafe\u{301}.md".as_bytes(), "/Caf%C3%A9", "NFC, encoded"),
            (b"caf\xe9.md", "/caf%E9", "no UTF-8"),
            (b"v1.2.md", "/v1.2", "only the last extension goes"),
            (b"tags/x.md", "/tags-2/x", "reserved as first segment"),
            (b"news/tags/x.md", "/news/tags/x", "not reserved further down"),
            (b"news/feed.md", "/news/feed-2", "reserved in every folder"),
            (b"feed.atom.md", "/feed.atom-2", "reserved with any extension"),
            (b"a/archives/7.md", "/a/archives-2/7", "reserved in every folder"),
            (b"sitemap-2024.md", "/sitemap-2024-2", "all sitemaps"),
            (b"trip/index.md", "/trip", "a folder's index"),
            (b"index.md", "/index", "the root is never a bundle"),
            (b"a&b?c#d.md", "/a%26b%3Fc%23d", "no delimiter survives"),
        ];
        for (path, expected, why) in table {
            let path = SeedPath::new(path).unwrap();
            assert_eq!(wanted(&path, &Stated::default()), *expected, "{path}: {why}");
        }
    }

    #[test]
    fn statements_win() {
        let path = SeedPath::new("news/kim.txt").unwrap();
        let slug = Stated { slug: Some("talks with kim".into()), ..Stated::default() };
        assert_eq!(wanted(&path, &slug), "/news/talks-with-kim");
        let permalink = Stated { permalink: Some("/2024/kim/".into()), ..Stated::default() };
        assert_eq!(wanted(&path, &permalink), "/2024/kim");
        let hostile = Stated { permalink: Some("/../../healthz".into()), ..Stated::default() };
        assert_eq!(wanted(&path, &hostile), "/%2E%2E/%2E%2E/healthz");
    }

    #[test]
    fn taken_paths_count_on() {
        let taken = ["/a", "/a-2"];
        let path = free::<()>("/a", |it| Ok(taken.contains(&it)));
        assert_eq!(path, Ok("/a-3".into()));
    }
}
