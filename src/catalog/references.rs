//! Where references lead, and whether two versions of an article say the same.

use crate::catalog::entry::{Entry, Lead, Leads};
use crate::catalog::permalink;
use crate::catalog::rows::EntryRow;
use crate::catalog::store::{Result, Rows};
use crate::convert::article::{Article, Media, Source, Stated};
use crate::convert::body::{Reference, Target};
use crate::watch::seed::SeedPath;

/// The key in `uses` of whatever stands at a path.
pub fn key_of_path(path: &SeedPath) -> Vec<u8> {
    [b"p:", path.as_bytes()].concat()
}

/// The key in `uses` of a note's name.
pub fn key_of_name(stem: &str) -> Vec<u8> {
    [b"n:", stem.as_bytes()].concat()
}

/// The keys in `uses` of what leads to a permalink.
pub fn key_of_permalink(permalink: &str) -> Vec<u8> {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(&permalink[1..]).collect();
    [b"p:", &*decoded].concat()
}

/// A seed's name without extension, folded as links by name are.
pub fn stem_of(path: &SeedPath) -> String {
    folded(&String::from_utf8_lossy(path.stem()))
}

fn folded(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    name.trim().nfc().flat_map(char::to_lowercase).collect()
}

/// The keys in `uses` of an article's references.
pub fn keys(article: &Article) -> Vec<Vec<u8>> {
    let keys = |it: &Reference| match &it.target {
        Target::Path(path) => vec![key_of_path(path), key_of_permalink(&mirrored(path))],
        Target::Name(name) => vec![key_of_name(&folded(name))],
        Target::Itself | Target::Root => Vec::new(),
    };
    article.references().flat_map(keys).collect()
}

/// The files of the folder that an article may use.
pub fn paths(article: &Article) -> impl Iterator<Item = &SeedPath> {
    article.references().filter_map(|it| match &it.target {
        Target::Path(path) => Some(path),
        _ => None,
    })
}

/// What the references of `entries` lead to now.
pub fn leads(rows: &Rows<'_>, entries: &[Entry]) -> Result<Leads> {
    let mut leads = Leads::default();
    for reference in entries.iter().flat_map(|it| it.article.references()) {
        if !leads.0.contains_key(&reference.target) {
            leads.0.insert(reference.target.clone(), lead(rows, &reference.target)?);
        }
    }
    Ok(leads)
}

/// The entry that a target leads to, live or not.
pub fn entry_of(rows: &Rows<'_>, target: &Target) -> Result<Option<i64>> {
    match target {
        Target::Path(path) => {
            if let Some(seed) = rows.seed(path)? {
                return Ok(seed.entry);
            }
            if let Some(entry) = rows.entries_at(path)?.first() {
                return Ok(Some(entry.number));
            }
            if let Some(entry) = holder(rows, &permalink::of_file(path), |_| true)? {
                return Ok(Some(entry));
            }
            // A seed that moved away: the page that was there leads on.
            holder(rows, &mirrored(path), |it| it.path.extension() == path.extension())
        }
        Target::Name(name) => {
            let seeds = rows.seeds_of_stem(&folded(name))?;
            Ok(seeds.into_iter().find_map(|it| it.entry))
        }
        Target::Itself | Target::Root => Ok(None),
    }
}

/// The entry that has or had a path of the site, one that readers see if any.
fn holder(rows: &Rows<'_>, path: &str, may_be: impl Fn(&EntryRow) -> bool) -> Result<Option<i64>> {
    let mut found = None;
    for number in rows.holders(path)? {
        if let Some(entry) = rows.entry(number)?.filter(&may_be) {
            if entry.is_live() {
                return Ok(Some(number));
            }
            found = found.or(Some(number));
        }
    }
    Ok(found)
}

/// The path of the page of a seed that states none.
fn mirrored(path: &SeedPath) -> String {
    permalink::wanted(path, &Stated::default())
}

fn lead(rows: &Rows<'_>, target: &Target) -> Result<Lead> {
    if let Target::Path(path) = target
        && let Some(file) = rows.file(path)?
    {
        let (media_type, length) = (file.media_type, file.stat.length);
        return Ok(Lead::File { path: path.clone(), media_type, length, size: file.size });
    }
    if let Some(number) = entry_of(rows, target)? {
        return Ok(match rows.entry(number)?.filter(|it| it.is_live()) {
            Some(entry) => Lead::Entry { permalink: entry.permalink, id: entry.id },
            None => Lead::Unpublished,
        });
    }
    Ok(match target {
        Target::Path(path) if rows.seed(path)?.is_some() => Lead::Unpublished,
        Target::Name(_) => Lead::Unpublished,
        _ => Lead::Nothing,
    })
}

/// Whether the author states the same in both: title, subtitle, body, summary,
/// authors, tags, link, lead image, enclosures. References are the same where `lead`
/// says that they lead to the same entry.
pub fn says_the_same(old: &Article, new: &Article, lead: impl Fn(&Target) -> Option<i64>) -> bool {
    let same_reference = |a: &Reference, b: &Reference| {
        a.suffix == b.suffix
            && (a.target == b.target
                || lead(&a.target).is_some_and(|it| lead(&b.target) == Some(it)))
    };
    let same_media = |a: &Media, b: &Media| {
        let same_source = match (&a.source, &b.source) {
            (Source::Folder(a), Source::Folder(b)) => same_reference(a, b),
            (a, b) => a == b,
        };
        same_source && (&a.title, a.duration) == (&b.title, b.duration)
    };
    let (one, other) = (old.body.references(), new.body.references());
    (&old.title, &old.subtitle, &old.summary, &old.authors, &old.tags, &old.link)
        == (&new.title, &new.subtitle, &new.summary, &new.authors, &new.tags, &new.link)
        && old.body.open_html() == new.body.open_html()
        && one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| same_reference(a, b))
        && match (&old.image, &new.image) {
            (Some(a), Some(b)) => same_media(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
        && old.enclosures.len() == new.enclosures.len()
        && old.enclosures.iter().zip(&new.enclosures).all(|(a, b)| same_media(a, b))
}
