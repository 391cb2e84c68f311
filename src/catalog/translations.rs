//! Which entries are one article in several languages: `NAME.md` and `NAME.ko.md`
//! in one folder, or those that state one `translation_key`.

use std::collections::BTreeMap;

use crate::catalog::rows::EntryRow;
use crate::catalog::store::{Result, Rows};
use crate::convert::article::Article;
use crate::watch::seed::SeedPath;

/// The key in `uses` of a translation key that the article states.
pub(super) fn key(article: &Article) -> Option<Vec<u8>> {
    let is_key = |key: &str| {
        let folded: String = key.chars().filter(|it| !"-_ ".contains(*it)).collect();
        folded.eq_ignore_ascii_case("translationkey")
    };
    let (_, value) = article.extra.iter().find(|(key, _)| is_key(key))?;
    let key = value.trim().trim_matches('"');
    (!key.is_empty()).then(|| [b"t:", key.as_bytes()].concat())
}

/// The live entries that may be the same article in other languages.
pub(super) fn siblings(rows: &Rows<'_>, entry: &EntryRow, article: &Article) -> Result<Vec<i64>> {
    let mut numbers = match key(article) {
        Some(key) => rows.users(&key)?,
        None => Vec::new(),
    };
    for other in beside(rows, &entry.path)? {
        numbers.push(other.number);
    }
    numbers.retain(|it| *it != entry.number);
    Ok(numbers)
}

/// The live entries whose seeds stand beside the one at `path`, with another
/// language or none in their name.
fn beside(rows: &Rows<'_>, path: &SeedPath) -> Result<Vec<EntryRow>> {
    let (stem, bytes) = (path.stem(), path.as_bytes());
    let name = path.file_name().len();
    let base = without_language(stem);
    let mut start = bytes[..bytes.len() - name].to_vec();
    start.extend_from_slice(base);
    // `/` comes right after `.`: whatever is named `BASE.` and more.
    let (mut from, mut to) = (start.clone(), start);
    from.push(b'.');
    to.push(b'/');
    let mut found = rows.entries_between(&from, &to)?;
    found.retain(|it| it.is_live() && it.path != *path && without_language(it.path.stem()) == base);
    Ok(found)
}

/// `NAME` of `NAME.ko` and `NAME.pt-br`.
fn without_language(stem: &[u8]) -> &[u8] {
    let Some(dot) = stem.iter().rposition(|it| *it == b'.').filter(|it| *it > 0) else {
        return stem;
    };
    let code = &stem[dot + 1..];
    let mut parts = code.split(|it| matches!(it, b'-' | b'_'));
    let is_language = parts
        .next()
        .is_some_and(|it| matches!(it.len(), 2 | 3) && it.iter().all(u8::is_ascii_lowercase));
    let is_rest =
        parts.all(|it| (2..=4).contains(&it.len()) && it.iter().all(u8::is_ascii_alphanumeric));
    if is_language && is_rest { &stem[..dot] } else { stem }
}

/// Language and permalink of the same article in other languages, by language.
pub(super) fn of(
    rows: &Rows<'_>,
    entry: &EntryRow,
    article: &Article,
) -> Result<Vec<(String, String)>> {
    let Some(own) = &article.language else { return Ok(Vec::new()) };
    let mut found = BTreeMap::new();
    for number in siblings(rows, entry, article)? {
        let Some(other) = rows.entry(number)? else { continue };
        let language = rows.article(other.article)?.and_then(|it| it.article.language);
        if let Some(language) = language.filter(|it| it != own) {
            found.entry(language).or_insert(other.permalink);
        }
    }
    Ok(found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_their_language() {
        let table = [
            ("kim.ko", "kim", "a language"),
            ("kim.pt-br", "kim", "with a region"),
            ("kim.zh-Hant", "kim", "with a script"),
            ("kim", "kim", "none"),
            ("v1.2", "v1.2", "a number"),
            ("kim.final", "kim.final", "a word"),
            (".ko", ".ko", "nothing would be left"),
        ];
        for (stem, expected, why) in table {
            assert_eq!(without_language(stem.as_bytes()), expected.as_bytes(), "{stem}: {why}");
        }
    }
}
