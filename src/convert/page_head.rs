//! What an HTML page says of itself: `<title>`, `<meta>`, OpenGraph, JSON-LD,
//! `<link rel=canonical>`, `<time>`.
//!
//! In: a page cut into tokens. Out: metadata, weaker than what a person states beside
//! it. A value that cannot be read is left out: it was written by a program, and says
//! nothing of drafts.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::convert::article::{Cut, Media, Person, Source};
use crate::convert::clean;
use crate::convert::dates;
use crate::convert::links::{self, Link};
use crate::convert::metadata::{Context, Metadata, language_tag, plain};
use crate::convert::page::Page;
use crate::convert::people;
use crate::convert::tags::Token;

/// Values of `<meta>`, by name in lower case, in their order.
struct Metas(Vec<(String, String)>);

impl Metas {
    fn first<'m>(&'m self, names: &[&'m str]) -> Option<&'m str> {
        names.iter().find_map(|name| self.all(name).next())
    }

    fn all<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        self.0
            .iter()
            .filter(move |it| it.0 == name && !it.1.trim().is_empty())
            .map(|it| it.1.as_str())
    }
}

/// More than any page has of one kind.
const MOST: usize = 100;

/// The longest value of a `<meta>`, in characters.
const LONGEST: usize = 100_000;

/// What `page` says of itself.
pub fn read(page: &Page<'_>, context: Context<'_>) -> Metadata {
    let mut metas = Metas(Vec::new());
    let mut metadata = Metadata::default();
    let mut title = None;
    let mut heading = None;
    let mut time = None;
    let mut linked = None;
    for (at, tag) in page.starts() {
        if tag.is("meta") {
            let name =
                ["name", "property", "itemprop", "http-equiv"].iter().find_map(|it| tag.get(it));
            if let (Some(name), Some(content)) = (name, tag.get("content"))
                && metas.0.len() < 10 * MOST
            {
                let content = content.chars().take(LONGEST).collect();
                metas.0.push((name.trim().to_ascii_lowercase(), content));
            }
        } else if tag.is("html") {
            metadata.language =
                tag.get("lang").or_else(|| tag.get("xml:lang")).and_then(|it| language_tag(&it));
        } else if tag.is("title") && title.is_none() {
            title = Some(page.text_of(at));
        } else if tag.is("h1") && heading.is_none() {
            heading = Some(page.text_of(at)).filter(|it| !it.is_empty());
        } else if tag.is("link")
            && tag.get("rel").is_some_and(|it| it.eq_ignore_ascii_case("canonical"))
        {
            metadata.link = tag.get("href").and_then(|it| links::absolute(&it));
        } else if tag.is("time") && time.is_none() {
            time = tag.get("datetime").and_then(|it| dates::parse(&it, context.timezone));
        } else if tag.is("script")
            && tag
                .get("type")
                .is_some_and(|it| it.trim().eq_ignore_ascii_case("application/ld+json"))
            && let Some((Token::Text(script), _)) = page.tokens.get(at + 1)
        {
            linked = linked.or_else(|| linked_article(script));
        } else if metadata.authors.is_empty()
            && (tag.get("rel").is_some_and(|it| it == "author")
                || tag
                    .get("class")
                    .is_some_and(|it| it.split_whitespace().any(|it| it == "p-author")))
        {
            metadata.authors.extend(people::from_text(&page.text_of(at)));
        }
    }
    let linked = linked.unwrap_or_default();
    let date = |text: &str| dates::parse(text, context.timezone);
    let text = |text: &str| Some(plain(text)).filter(|it| !it.is_empty());

    let named = metas.first(&["og:title", "dc.title", "twitter:title"]).and_then(text);
    metadata.title = named
        .or(linked.headline.as_deref().and_then(text))
        .or_else(|| title.map(|it| without_site_name(&plain(&it), heading.as_deref())))
        .filter(|it| !it.is_empty());
    let described =
        metas.first(&["description", "og:description", "dc.description", "twitter:description"]);
    metadata.summary = described.map(str::to_owned).or(linked.description.clone());
    let published = [
        "article:published_time",
        "datepublished",
        "date",
        "dc.date",
        "dcterms.date",
        "dcterms.created",
        "dc.date.issued",
        "pubdate",
        "publishdate",
        "parsely-pub-date",
        "og:published_time",
        "citation_publication_date",
        "sailthru.date",
    ];
    metadata.stated.published = metas
        .first(&published)
        .and_then(date)
        .or_else(|| linked.published.as_deref().and_then(date))
        .or(time);
    let updated = [
        "article:modified_time",
        "datemodified",
        "og:updated_time",
        "dcterms.modified",
        "last-modified",
        "lastmod",
    ];
    metadata.stated.updated = metas
        .first(&updated)
        .and_then(date)
        .or_else(|| linked.updated.as_deref().and_then(date))
        .filter(|it: &Timestamp| metadata.stated.published.is_none_or(|first| *it >= first));
    let language = metas.first(&["content-language", "language", "dc.language", "og:locale"]);
    metadata.language = metadata.language.take().or_else(|| language.and_then(language_tag));
    let stated: Vec<Person> = [
        "author",
        "dc.creator",
        "parsely-author",
        "article:author",
        "sailthru.author",
        "citation_author",
    ]
    .iter()
    .find_map(|name| {
        let people: Vec<Person> = metas
            .all(name)
            .filter(|it| !it.contains("://"))
            .filter_map(people::from_text)
            .take(MOST)
            .collect();
        (!people.is_empty()).then_some(people)
    })
    .unwrap_or_default();
    for people in [stated, linked.authors] {
        if !people.is_empty() && metadata.authors.is_empty() {
            metadata.authors = people;
        }
    }
    metadata.tags = tags(&metas, &linked.keywords);
    if metadata.tags.len() > MOST {
        metadata.cuts.push(Cut {
            reason: format!(
                "expected at most {MOST} keywords in the page's head, found {}",
                metadata.tags.len()
            ),
            consequence: "the others are left out".into(),
        });
        metadata.tags.truncate(MOST);
    }
    metadata.image = metas
        .first(&[
            "og:image",
            "og:image:url",
            "og:image:secure_url",
            "twitter:image",
            "image",
            "thumbnail",
        ])
        .or(linked.image.as_deref())
        .and_then(|it| picture(it, metas.first(&["og:image:alt", "twitter:image:alt"]), context));
    metadata
}

fn tags(metas: &Metas, keywords: &[String]) -> Vec<String> {
    let articles: Vec<&str> = metas.all("article:tag").collect();
    let stated = match articles.is_empty() {
        false => articles,
        true => metas
            .first(&["keywords", "news_keywords"])
            .map(|it| it.split([',', ';', '，', '、']).collect())
            .unwrap_or_default(),
    };
    let (mut tags, mut known) = (Vec::new(), HashSet::new());
    for tag in stated.into_iter().chain(keywords.iter().map(String::as_str)) {
        let tag = plain(tag);
        if !tag.is_empty() && tag.chars().count() < 100 && known.insert(tag.clone()) {
            tags.push(tag);
        }
    }
    tags
}

fn picture(link: &str, alt: Option<&str>, context: Context<'_>) -> Option<Media> {
    let source = match links::resolve(context.path, link) {
        Link::Elsewhere(url) => Source::Elsewhere(links::absolute(&url)?),
        Link::Here(reference) => Source::Folder(reference),
        Link::Nowhere => return None,
    };
    let title = alt.map(plain).filter(|it| !it.is_empty());
    Some(Media { source, title, media_type: None, length: None, duration: None })
}

/// `Title | Site` and `Site - Title` without the site: where the article's heading
/// stands in it beside a sign that parts, the heading.
fn without_site_name(title: &str, heading: Option<&str>) -> String {
    if let Some(heading) = heading
        && let Some(at) = title.find(heading)
        && title.len() > heading.len()
    {
        let (before, after) = (title[..at].trim_end(), title[at + heading.len()..].trim_start());
        let parts = |it: char| {
            matches!(
                it,
                '|' | '-' | '–' | '—' | '·' | ':' | '«' | '»' | '•' | '_' | '/' | '<' | '>'
            )
        };
        if (before.is_empty() || before.ends_with(parts))
            && (after.is_empty() || after.starts_with(parts))
        {
            return heading.to_owned();
        }
    }
    title.to_owned()
}

/// What JSON-LD says of an article (schema.org).
#[derive(Debug, Default)]
struct Linked {
    headline: Option<String>,
    description: Option<String>,
    published: Option<String>,
    updated: Option<String>,
    authors: Vec<Person>,
    keywords: Vec<String>,
    image: Option<String>,
}

fn linked_article(script: &str) -> Option<Linked> {
    let script = script.trim().trim_start_matches("<!--").trim_end_matches("-->");
    let value: serde_json::Value = serde_json::from_str(script.trim()).ok()?;
    let article = find_article(&value, 0)?;
    let text = |name: &str| article.get(name)?.as_str().map(str::to_owned);
    let image = article.get("image").or_else(|| article.get("thumbnailUrl")).and_then(first_url);
    Some(Linked {
        headline: text("headline").or_else(|| text("name")),
        description: text("description"),
        published: text("datePublished").or_else(|| text("dateCreated")),
        updated: text("dateModified"),
        authors: article.get("author").map(authors).unwrap_or_default(),
        keywords: match article.get("keywords") {
            Some(serde_json::Value::String(text)) => {
                text.split(',').take(100 * MOST).map(str::to_owned).collect()
            }
            Some(serde_json::Value::Array(values)) => values
                .iter()
                .filter_map(|it| it.as_str())
                .take(100 * MOST)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        },
        image,
    })
}

fn find_article(value: &serde_json::Value, depth: u32) -> Option<&serde_json::Value> {
    if depth > 8 {
        return None;
    }
    match value {
        serde_json::Value::Array(values) => {
            values.iter().find_map(|it| find_article(it, depth + 1))
        }
        serde_json::Value::Object(object) => {
            let is_article = |it: &serde_json::Value| {
                it.as_str().is_some_and(|it| {
                    it.ends_with("Article")
                        || it.ends_with("Posting")
                        || it == "Report"
                        || it == "Recipe"
                })
            };
            let types = match object.get("@type") {
                Some(serde_json::Value::Array(types)) => types.iter().any(is_article),
                Some(one) => is_article(one),
                None => false,
            };
            if types {
                return Some(value);
            }
            ["@graph", "mainEntity", "mainEntityOfPage"]
                .iter()
                .find_map(|it| find_article(object.get(*it)?, depth + 1))
        }
        _ => None,
    }
}

fn first_url(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(url) => Some(url.clone()),
        serde_json::Value::Array(values) => values.first().and_then(first_url),
        serde_json::Value::Object(object) => {
            object.get("url").or_else(|| object.get("contentUrl")).and_then(first_url)
        }
        _ => None,
    }
}

fn authors(value: &serde_json::Value) -> Vec<Person> {
    match value {
        serde_json::Value::String(name) => people::from_text(name).into_iter().collect(),
        serde_json::Value::Array(values) => values.iter().take(MOST).flat_map(authors).collect(),
        serde_json::Value::Object(object) => {
            let name = object.get("name").and_then(first_url);
            let mut person = name.as_deref().and_then(people::from_text);
            if let Some(person) = &mut person {
                person.uri =
                    object.get("url").and_then(first_url).and_then(|it| links::absolute(&it));
                person.name = clean::one_line(&person.name);
            }
            person.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_without_their_sites() {
        let table = [
            ("Cats | The Site", Some("Cats"), "Cats"),
            ("The Site – Cats", Some("Cats"), "Cats"),
            ("Cats and dogs", Some("Cats"), "Cats and dogs"),
            ("Cats | The Site", None, "Cats | The Site"),
            ("Cats", Some("Welcome"), "Cats"),
        ];
        for (title, heading, expected) in table {
            assert_eq!(without_site_name(title, heading), expected, "{title}");
        }
    }

    #[test]
    fn linked_data() {
        let script = r#"{"@graph": [{"@type": "WebSite", "name": "S"}, {"@type": ["NewsArticle"],
            "headline": "H", "datePublished": "2024-01-02", "author": [{"name": "Ann", "url": "https://e.org/a"}],
            "image": {"url": "https://e.org/p.png"}, "keywords": "a, b"}]}"#;
        let linked = linked_article(script).unwrap();
        assert_eq!(linked.headline.as_deref(), Some("H"));
        assert_eq!(linked.authors[0].uri.as_deref(), Some("https://e.org/a"));
        assert_eq!(linked.image.as_deref(), Some("https://e.org/p.png"));
        assert!(linked_article("{broken").is_none());
        assert!(linked_article(r#"{"@type": "WebSite"}"#).is_none());
    }
}
