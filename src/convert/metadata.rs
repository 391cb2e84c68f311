//! What the fields of a document mean: the names that people and generators use.
//!
//! In: fields in layers, the strongest first: front matter, sidecar, the document's own
//! properties, the folders' defaults, headers. Out: one [`Metadata`], each item
//! from the first layer that states it; only a draft is one whoever says so. A new
//! name is a word in one of the lists below.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::convert::Error;
use crate::convert::article::{Cut, Media, Person, Stated};
use crate::convert::clean;
use crate::convert::front_matter::{Fields, Value};
use crate::convert::keys::*;
use crate::convert::layer::Layer;
use crate::convert::links;
use crate::convert::sanitize;
use crate::convert::tags;
use crate::watch::seed::SeedPath;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub summary: Option<String>,
    pub authors: Vec<Person>,
    pub tags: Vec<String>,
    pub language: Option<String>,
    pub image: Option<Media>,
    pub enclosures: Vec<Media>,
    pub link: Option<String>,
    pub stated: Stated,
    pub extra: BTreeMap<String, String>,
    /// What ends the summary in the body, where the document names its own mark.
    pub separator: Option<String>,
    /// What a program wrote and nobody means.
    pub cuts: Vec<Cut>,
}

/// What else decides how fields read.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// The file that the fields stand in; their links start there.
    pub path: &'c SeedPath,
    pub timezone: &'c TimeZone,
}

impl Metadata {
    /// What one layer states.
    ///
    /// # Errors
    /// A value of the wrong kind, a date that is none, more text than anybody means.
    pub fn read(fields: &Fields, context: Context<'_>) -> Result<Metadata, Error> {
        if fields.is_empty() {
            return Ok(Metadata::default());
        }
        let layer = Layer::new(fields, context);
        let published = layer.published()?;
        let mut metadata = Metadata {
            title: layer.text(TITLE)?.map(|it| plain(&it)).filter(|it| !it.is_empty()),
            subtitle: layer.text(SUBTITLE)?.map(|it| plain(&it)).filter(|it| !it.is_empty()),
            summary: layer.text(SUMMARY)?,
            authors: layer.authors()?,
            tags: layer.tags()?,
            language: layer.text(LANGUAGE)?.and_then(|it| language_tag(&it)),
            image: layer.image()?,
            enclosures: layer.enclosures()?,
            link: layer.text(LINK)?.and_then(|it| links::absolute(&it)),
            stated: Stated {
                id: layer.id()?,
                permalink: layer.permalink()?,
                slug: layer
                    .text(SLUG)?
                    .map(|it| clean::one_line(it.trim_matches('/')))
                    .filter(|it| !it.is_empty()),
                aliases: layer.aliases()?,
                published,
                updated: layer.date(UPDATED)?,
                expires: layer.date(EXPIRES)?,
                draft: layer.draft()?,
                minor: layer.flag(MINOR)?.unwrap_or(false),
            },
            extra: layer.extra(),
            separator: layer.text(SEPARATOR)?,
            cuts: Vec::new(),
        };
        // A title that is a link, as link blogs write it.
        if metadata.link.is_none()
            && let Some(Value::Text(url)) = layer.find(&["url"]).map(|it| it.1)
        {
            metadata.link = links::absolute(url);
        }
        Ok(metadata)
    }

    /// What this layer does not state, from a weaker one.
    pub fn or(mut self, weaker: Metadata) -> Metadata {
        let stated = &mut self.stated;
        stated.id = stated.id.take().or(weaker.stated.id);
        stated.permalink = stated.permalink.take().or(weaker.stated.permalink);
        stated.slug = stated.slug.take().or(weaker.stated.slug);
        stated.published = stated.published.or(weaker.stated.published);
        stated.updated = stated.updated.or(weaker.stated.updated);
        stated.expires = stated.expires.or(weaker.stated.expires);
        stated.draft |= weaker.stated.draft;
        stated.minor |= weaker.stated.minor;
        fill(&mut stated.aliases, weaker.stated.aliases);
        fill(&mut self.authors, weaker.authors);
        fill(&mut self.tags, weaker.tags);
        fill(&mut self.enclosures, weaker.enclosures);
        self.title = self.title.or(weaker.title);
        self.subtitle = self.subtitle.or(weaker.subtitle);
        self.summary = self.summary.or(weaker.summary);
        self.language = self.language.or(weaker.language);
        self.image = self.image.or(weaker.image);
        self.link = self.link.or(weaker.link);
        self.separator = self.separator.or(weaker.separator);
        self.cuts.extend(weaker.cuts);
        for (key, value) in weaker.extra {
            self.extra.entry(key).or_insert(value);
        }
        self
    }
}

fn fill<T>(stated: &mut Vec<T>, weaker: Vec<T>) {
    if stated.is_empty() {
        *stated = weaker;
    }
}

/// A title or name as plain text: the inline tags and character references that
/// generators let pass are taken out, other `<` stay as typed.
pub fn plain(text: &str) -> String {
    const INLINE: &[&str] = &[
        "em", "i", "b", "strong", "code", "br", "span", "sup", "sub", "small", "mark", "cite", "a",
        "q", "tt", "u", "s", "del", "ins", "wbr", "abbr", "kbd",
    ];
    let has_tag = text.contains('<')
        && tags::Scanner::new(text).any(|token| match token {
            tags::Token::Start(tag) => INLINE.iter().any(|it| tag.is(it)),
            tags::Token::End(name) => INLINE.iter().any(|it| name.eq_ignore_ascii_case(it)),
            _ => false,
        });
    match has_tag {
        true => clean::one_line(&sanitize::text_of(text)),
        false => clean::one_line(&tags::unescape(text)),
    }
}

/// `en_us.UTF-8` as `en-US`; `None` where it is no language tag (RFC 5646, 2.1).
pub fn language_tag(text: &str) -> Option<String> {
    let text = text.trim().split(['.', '@', ',']).next().unwrap_or_default().replace('_', "-");
    let mut parts = text.split('-');
    let first = parts.next()?.to_ascii_lowercase();
    let is_alphabetic = |it: &str| it.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !(2..=3).contains(&first.len()) || !is_alphabetic(&first) {
        return None;
    }
    let mut tag = first;
    for part in parts {
        if !(1..=8).contains(&part.len()) || !part.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return None;
        }
        tag.push('-');
        match part.len() {
            2 if is_alphabetic(part) => tag.push_str(&part.to_ascii_uppercase()),
            4 if is_alphabetic(part) => {
                tag.push_str(&part[..1].to_ascii_uppercase());
                tag.push_str(&part[1..].to_ascii_lowercase());
            }
            _ => tag.push_str(&part.to_ascii_lowercase()),
        }
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::convert::front_matter;

    fn read(path: &str, yaml: &str) -> Result<Metadata, Error> {
        let path = SeedPath::new(path).unwrap();
        let text = format!("---\n{yaml}\n---\n");
        let (fields, _) = front_matter::split(&text)?;
        Metadata::read(&fields, Context { path: &path, timezone: &TimeZone::UTC })
    }

    #[test]
    fn tags_of_all_generators() {
        let table: [(&str, &str, &[&str], &str); 12] = [
            ("a.md", "tags: [a, b, a]", &["a", "b"], "a list, each once"),
            ("a.md", "tags: a, b", &["a", "b"], "commas"),
            ("a.md", "tags: machine learning", &["machine learning"], "one tag of two words"),
            ("_posts/a.md", "tags: a b", &["a", "b"], "Jekyll: words"),
            ("a.md", "layout: post\ncategories: a b", &["a", "b"], "Jekyll by its layout"),
            ("_posts/a.md", "category: a b", &["a b"], "Jekyll: one category"),
            ("a.md", "tags: [a]\ncategories: [b]", &["a", "b"], "both"),
            ("a.md", "keywords: a, b", &["a", "b"], "keywords, where nothing else"),
            ("a.md", "tags: a\nkeywords: b", &["a"], "else not"),
            ("a.md", "tags: \"#a #b\"", &["a", "b"], "as notes write them"),
            ("a.md", "tags:\n- 2024\n- true\n- ~", &["2024", "true"], "numbers and words of YAML"),
            ("a.md", "taxonomies:\n  tags: [a]", &["a"], "Zola"),
        ];
        for (path, yaml, tags, why) in table {
            assert_eq!(read(path, yaml).unwrap().tags, tags, "{why}");
        }
    }

    #[test]
    fn authors_in_all_shapes() {
        let table: [(&str, &[&str], &str); 8] = [
            ("author: Ann Lee", &["Ann Lee"], "a name"),
            ("author: Lee, Ann", &["Lee, Ann"], "a comma in one name"),
            ("authors: Ann, Bob", &["Ann", "Bob"], "names"),
            ("authors: [Ann, Bob]", &["Ann", "Bob"], "a list"),
            ("author: {name: Ann, email: a@e.org}", &["Ann"], "a table"),
            ("authors: [{name: Ann}, Bob]", &["Ann", "Bob"], "both"),
            ("authors:\n- ann:\n    name: Ann Lee", &["Ann Lee"], "named tables"),
            ("author: \"\"", &[], "nothing"),
        ];
        for (yaml, names, why) in table {
            let authors = read("a.md", yaml).unwrap().authors;
            let found: Vec<&str> = authors.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(found, names, "{why}");
        }
        let one =
            read("a.md", "author: Ann\nauthor_email: a@e.org\nauthor_url: https://e.org").unwrap();
        assert_eq!(one.authors[0].email.as_deref(), Some("a@e.org"));
        assert_eq!(one.authors[0].uri.as_deref(), Some("https://e.org"));
    }

    #[test]
    fn ids_paths_and_dates() {
        let stated = |yaml: &str| read("a.md", yaml).unwrap().stated;
        assert_eq!(stated("id: 202401021530").id, None, "a note's number is no id");
        assert_eq!(stated("id: note").id, None, "nor is a word");
        assert_eq!(stated("id: urn:uuid:1").id.as_deref(), Some("urn:uuid:1"));
        assert_eq!(stated("id: tag:e.org,2024:a\nguid: x").id.as_deref(), Some("x"), "guid wins");
        assert_eq!(stated("permalink: /a/b/").permalink.as_deref(), Some("/a/b/"));
        assert_eq!(stated("permalink: /:year/:title/").permalink, None, "Jekyll's pattern");
        assert_eq!(stated("permalink: pretty").permalink, None, "Jekyll's name of one");
        assert_eq!(stated("permalink: false").permalink, None, "Eleventy");
        assert_eq!(stated("url: https://e.org/a").permalink, None, "an address elsewhere");
        assert_eq!(
            stated("aliases: [Another Name, /old/, a/b.html]").aliases,
            ["/old/", "/a/b.html"]
        );
        assert_eq!(stated("redirect_from: /old").aliases, ["/old"]);
        assert_eq!(stated("aliases: /a\nredirect_from: [/b, /a]").aliases, ["/a", "/b"], "both");
        let published = |yaml: &str| stated(yaml).published.map(|it| it.to_string());
        assert_eq!(published("published: 2024-01-02").as_deref(), Some("2024-01-02T00:00:00Z"));
        assert_eq!(published("published: true"), None);
        let later = published("date: 2024-01-02\npublishDate: 2024-02-03");
        assert_eq!(later.as_deref(), Some("2024-02-03T00:00:00Z"), "not before it may be out");
        let shown = published("date: 2024-01-02\npublishDate: 2023-01-01");
        assert_eq!(shown.as_deref(), Some("2024-01-02T00:00:00Z"));
        assert_eq!(published("date: \"{{ page.date }}\""), None, "a template says nothing");
    }

    #[test]
    fn language_tags() {
        let table = [
            ("en", Some("en")),
            ("en_us", Some("en-US")),
            ("zh-hant-tw", Some("zh-Hant-TW")),
            ("pt_BR.UTF-8", Some("pt-BR")),
            ("english", None),
            ("", None),
            ("e", None),
            ("en-", None),
        ];
        for (text, tag) in table {
            assert_eq!(language_tag(text).as_deref(), tag, "{text:?}");
        }
    }

    #[test]
    fn more_than_anybody_means_is_an_error() {
        let many = format!("tags: [{}]", "a,".repeat(MOST + 1));
        assert!(matches!(read("a.md", &many), Err(Error::TooMuch { what: "values", .. })));
        let long = format!("title: {}", "a".repeat(2_001));
        assert!(matches!(read("a.md", &long), Err(Error::TooMuch { what: "characters", .. })));
    }

    /// One above what a list may hold.
    const MOST: usize = 500;
}
