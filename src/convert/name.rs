//! What the path of a seed says: its date, whether it is a draft, a title where the
//! document has none, the language of a translation.

use jiff::Timestamp;

use crate::convert::Options;
use crate::convert::clean;
use crate::convert::dates;
use crate::watch::seed::SeedPath;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// From the file's name, else the folder's where the file is its index; never
    /// empty.
    pub title: String,
    pub published: Option<Timestamp>,
    pub is_draft: bool,
    pub language: Option<String>,
}

/// What `path` says.
pub fn read(path: &SeedPath, options: &Options) -> Name {
    let stem = String::from_utf8_lossy(path.stem()).into_owned();
    let (stem, language) = match stem.rsplit_once('.') {
        Some((stem, code)) if is_language(code) && !stem.is_empty() => {
            (stem.to_owned(), Some(code.to_owned()))
        }
        _ => (stem, None),
    };
    let folder = path.folder();
    let is_index = matches!(stem.to_ascii_lowercase().as_str(), "index" | "_index" | "readme");
    let named = match (&folder, is_index) {
        (Some(folder), true) => String::from_utf8_lossy(folder.file_name()).into_owned(),
        _ => stem.clone(),
    };
    let dated = dates::at_start_of_name(&named, &options.timezone);
    let title = match dated {
        Some((_, "")) => clean::one_line(&named),
        Some((_, rest)) => clean::one_line(&as_title(rest)),
        None => clean::one_line(&as_title(&named)),
    };
    Name {
        title: if title.is_empty() { "Untitled".into() } else { title },
        published: dated.map(|it| it.0),
        is_draft: is_draft(path, &options.published_folders),
        language,
    }
}

/// `kim-jong-un_visits` as people would write it: `Kim jong un visits`. A name that
/// has blanks or capitals is a title already.
fn as_title(name: &str) -> String {
    if name.contains(' ') {
        return name.to_owned();
    }
    let spaced = name.replace(['-', '_'], " ");
    let mut characters = spaced.trim().chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => name.to_owned(),
    }
}

/// Names that start with `_`, folders named `drafts`, folders with a leading `_` but
/// for the published ones.
fn is_draft(path: &SeedPath, published_folders: &[String]) -> bool {
    let mut segments = path.segments();
    let file = segments.next_back().unwrap_or_default();
    // `_index.md`, Hugo's and Zola's page of a section, is no article there either.
    file.starts_with(b"_")
        || segments.any(|folder| {
            folder.eq_ignore_ascii_case(b"drafts")
                || (folder.starts_with(b"_")
                    && !published_folders.iter().any(|it| it.as_bytes() == folder))
        })
}

/// A two-letter code as translations of a page carry it: `index.fr.md`.
fn is_language(code: &str) -> bool {
    const CODES: &str = "ar be bg bn ca cs da de el en eo es et eu fa fi fr ga gl he hi hr hu hy id \
        is it ja ka kk km ko lt lv mk ml mn mr ms my nb ne nl nn no pa pl pt ro ru sk sl sq sr sv \
        ta te th tr uk ur uz vi zh";
    let (language, region) = code.split_once(['-', '_']).unwrap_or((code, ""));
    let is_region = region.is_empty()
        || (region.len() == 2 && region.bytes().all(|it| it.is_ascii_alphabetic()));
    is_region && CODES.split_whitespace().any(|it| it == language)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn names() {
        let options = Options {
            timezone: TimeZone::UTC,
            max_bytes: 1,
            published_folders: vec!["_posts".into()],
            strip: Vec::new(),
        };
        let table = [
            ("kim.txt", "Kim", None, false, "a name alone"),
            ("_posts/2024-01-02-on-cats.md", "On cats", Some("2024-01-02"), false, "Jekyll"),
            ("2024-01-02 On Cats.txt", "On Cats", Some("2024-01-02"), false, "people"),
            ("2024-01-02.md", "2024-01-02", Some("2024-01-02"), false, "a day's note"),
            ("on-cats/index.md", "On cats", None, false, "a bundle has its folder's name"),
            ("2024-01-02-cats/index.md", "Cats", Some("2024-01-02"), false, "and its date"),
            ("index.md", "Index", None, false, "the root has none"),
            ("_kim.md", "Kim", None, true, "a leading `_`"),
            ("drafts/kim.md", "Kim", None, true, "a folder of drafts"),
            ("a/Drafts/b/kim.md", "Kim", None, true, "at any depth"),
            ("_old/kim.md", "Kim", None, true, "a folder with a leading `_`"),
            ("blog/_index.md", "Blog", None, true, "a section's page, which lists others"),
            ("kim.fr.md", "Kim", None, false, "a translation"),
            ("...md", "..", None, false, "signs alone"),
        ];
        for (path, title, date, is_draft, why) in table {
            let name = read(&SeedPath::new(path).unwrap(), &options);
            let published = name.published.map(|it| it.to_string()[..10].to_owned());
            assert_eq!(
                (name.title.as_str(), published.as_deref(), name.is_draft),
                (title, date, is_draft),
                "{path}: {why}"
            );
        }
        assert_eq!(
            read(&SeedPath::new("kim.pt-br.md").unwrap(), &options).language.as_deref(),
            Some("pt-br")
        );
        assert_eq!(read(&SeedPath::new("v1.2.md").unwrap(), &options).title, "V1.2");
    }
}
