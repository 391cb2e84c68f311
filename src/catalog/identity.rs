//! Ids: how they are minted, once and for all. Pure.

use unicode_normalization::UnicodeNormalization;
use uuid::{Uuid, uuid};

use crate::watch::seed::SeedPath;

/// The namespace of every id that Sower mints (RFC 9562, section 5.5). Never
/// changes: it is part of the id of every entry that was ever published.
pub const NAMESPACE: Uuid = uuid!("4955d4e4-cb94-4af1-8980-b55063c914df");

/// The name that an entry's id is minted from: `KEY/PATH`, the path in NFC, bytes
/// that are no UTF-8 percent-encoded; from the second use of a path on with `#2`,
/// `#3` and so on.
pub fn name(key: &str, path: &SeedPath, use_of_path: u32) -> String {
    let mut name = format!("{key}/{}", nfc(path));
    if use_of_path > 1 {
        name.push_str(&format!("#{use_of_path}"));
    }
    name
}

/// `path` as text in NFC, bytes that are no UTF-8 percent-encoded.
pub fn nfc(path: &SeedPath) -> String {
    let mut text = String::new();
    for chunk in path.as_bytes().utf8_chunks() {
        text.extend(chunk.valid().nfc());
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// `urn:uuid:` of a name, in lower case (RFC 9562, section 4).
pub fn urn(name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).urn().to_string()
}

/// The Atom id that stands for a stated one: itself where it is an absolute IRI,
/// else a UUID made from it.
pub fn iri_of(guid: &str) -> String {
    if is_iri(guid) { guid.to_owned() } else { urn(&format!("guid:{guid}")) }
}

/// Whether `text` is an absolute IRI (RFC 3987), as far as an Atom id needs it: a
/// scheme, something behind it, and no character that IRIs exclude.
pub fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|it| it.is_ascii_alphabetic())
        && letters.all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it))
        && !rest.is_empty()
        && !text
            .chars()
            .any(|it| it.is_whitespace() || it.is_control() || "<>\"{}|\\^`".contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ids() {
        let path = |it: &[u8]| SeedPath::new(it).unwrap();
        let table: &[(&[u8], u32, &str, &str)] = &[
            (b"news/kim.txt", 1, "k/news/kim.txt", "key, slash, path"),
            (b"news/kim.txt", 2, "k/news/kim.txt#2", "the path was used before"),
            ("Cafe\u{301}.md".as_bytes(), 1, "k/Caf\u{e9}.md", "NFC"),
            (b"caf\xe9.md", 1, "k/caf%E9.md", "no UTF-8"),
        ];
        for (bytes, number, expected, why) in table {
            assert_eq!(name("k", &path(bytes), *number), *expected, "{why}");
        }
    }

    #[test]
    fn the_namespace_and_the_way_of_minting_never_change() {
        let id = urn("example.org/news/kim.txt");
        assert_eq!(id, "urn:uuid:e3f0f65e-1086-5221-af8a-9cea4bee4664");
    }

    #[test]
    fn iris() {
        let table = [
            ("tag:example.org,2024:kim", true, "RFC 4151"),
            ("https://example.org/?p=1", true, ""),
            ("urn:uuid:1", true, ""),
            ("1234", false, "no scheme"),
            ("20240102:1", false, "a scheme begins with a letter"),
            ("a b:c", false, "a blank"),
            ("x:", false, "nothing behind the scheme"),
            ("http://a/<b>", false, "excluded"),
        ];
        for (text, expected, why) in table {
            assert_eq!(is_iri(text), expected, "{text}: {why}");
        }
        assert_eq!(iri_of("tag:a,2024:b"), "tag:a,2024:b");
        assert!(iri_of("1234").starts_with("urn:uuid:"));
    }
}
