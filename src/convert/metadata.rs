//! What the fields of a document mean: the names that people and generators use.
//!
//! In: fields in layers, the strongest first: front matter or headers, sidecar, the
//! document's own properties, the folders' defaults. Out: one [`Metadata`], each item
//! from the first layer that states it; only a draft is one whoever says so. A new
//! name is a word in one of the lists below.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::convert::Error;
use crate::convert::article::{Media, Person, Source, Stated};
use crate::convert::clean;
use crate::convert::dates;
use crate::convert::front_matter::{Fields, Value};
use crate::convert::links::{self, Link};
use crate::convert::people;
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
}

/// What else decides how fields read.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// The file that the fields stand in; their links start there.
    pub path: &'c SeedPath,
    pub timezone: &'c TimeZone,
}

/// Names are compared in lower case without `-`, `_` and blanks; the first that is
/// stated wins. `a.b` is the key `b` of the table `a`.
const TITLE: &[&str] = &["title", "headline", "extra.title", "params.title"];
const SUBTITLE: &[&str] =
    &["subtitle", "subheading", "subhead", "tagline", "deck", "extra.subtitle", "params.subtitle"];
const SUMMARY: &[&str] = &[
    "summary",
    "description",
    "excerpt",
    "abstract",
    "teaser",
    "lede",
    "standfirst",
    "extra.summary",
    "extra.description",
    "params.summary",
    "params.description",
];
const DATE: &[&str] = &[
    "date",
    "pubdate",
    "published",
    "publishdate",
    "publishedat",
    "publishedon",
    "datepublished",
    "publicationdate",
    "posted",
    "postedon",
    "created",
    "createdat",
    "createdon",
    "datecreated",
    "creationdate",
    "issued",
];
const RELEASE: &[&str] = &["publishdate", "pubdate", "publishedat"];
const UPDATED: &[&str] = &[
    "updated",
    "lastmod",
    "lastmodifiedat",
    "lastmodified",
    "modified",
    "updatedat",
    "updatedon",
    "update",
    "updatedate",
    "dateupdated",
    "datemodified",
    "modifiedat",
    "modifieddate",
    "modificationdate",
    "lastupdated",
    "lastupdate",
    "extra.updated",
];
const EXPIRES: &[&str] = &[
    "expires",
    "expirydate",
    "expiredate",
    "expirationdate",
    "expiration",
    "expiry",
    "expire",
    "expiresat",
    "expireson",
    "unpublishdate",
    "unpublished",
];
const TAGS: &[&str] =
    &["tags", "tag", "taxonomies.tags", "extra.tags", "params.tags", "topics", "labels"];
const CATEGORIES: &[&str] = &[
    "categories",
    "category",
    "taxonomies.categories",
    "taxonomies.category",
    "extra.categories",
    "params.categories",
];
const KEYWORDS: &[&str] = &["keywords", "keyword", "extra.keywords", "params.keywords"];
const AUTHORS: &[&str] = &[
    "authors",
    "author",
    "taxonomies.authors",
    "taxonomies.author",
    "extra.authors",
    "extra.author",
    "params.authors",
    "params.author",
    "by",
    "byline",
    "creator",
    "writer",
    "from",
];
const AUTHOR_EMAIL: &[&str] = &["authoremail", "email", "extra.authoremail", "extra.email"];
const AUTHOR_URL: &[&str] =
    &["authorurl", "authoruri", "authorlink", "extra.authorurl", "extra.authorlink"];
const LANGUAGE: &[&str] = &[
    "lang",
    "language",
    "locale",
    "languagecode",
    "inlanguage",
    "extra.lang",
    "extra.language",
    "params.lang",
    "params.language",
];
const IMAGE: &[&str] = &[
    "image",
    "cover",
    "banner",
    "coverimage",
    "featuredimage",
    "featureimage",
    "featureimg",
    "featuredimg",
    "leadimage",
    "heroimage",
    "headerimage",
    "bannerimage",
    "ogimage",
    "socialimage",
    "postimage",
    "images",
    "thumbnail",
    "hero",
    "img",
    "header.image",
    "header.ogimage",
    "header.teaser",
    "og.image",
    "opengraph.image",
    "extra.image",
    "extra.cover",
    "extra.banner",
    "extra.thumbnail",
    "extra.ogimage",
    "extra.images",
    "params.image",
    "params.cover",
    "params.images",
    "params.featuredimage",
];
const IMAGE_ALT: &[&str] = &[
    "imagealt",
    "coveralt",
    "banneralt",
    "imgalt",
    "featuredimagealt",
    "thumbnailalt",
    "alt",
    "extra.imagealt",
];
const LINK: &[&str] = &[
    "link",
    "externalurl",
    "externallink",
    "linkurl",
    "externaluri",
    "extra.externalurl",
    "extra.externallink",
    "extra.link",
    "extra.linkto",
    "params.externalurl",
    "params.externallink",
    "params.link",
];
const ENCLOSURES: &[&str] = &[
    "enclosure",
    "enclosures",
    "attachment",
    "attachments",
    "audio",
    "audiofile",
    "audiourl",
    "podcast",
    "podcastfile",
    "podcasturl",
    "extra.enclosure",
    "params.enclosure",
];
const SLUG: &[&str] = &["slug", "basename"];
const PERMALINK: &[&str] = &["permalink", "url", "path"];
const ALIASES: &[&str] = &["aliases", "alias", "redirectfrom", "redirectsfrom", "oldurls"];
const GUID: &[&str] = &["guid"];
const ID: &[&str] = &["id"];
const DRAFT: &[&str] = &["draft", "isdraft", "drafts"];
const PUBLISH: &[&str] = &["publish", "ispublished"];
const STATUS: &[&str] = &["status", "visibility", "poststatus"];
const MINOR: &[&str] = &["minor"];
const SEPARATOR: &[&str] = &["excerptseparator", "moremarker"];

/// Every list; a key in none of them is kept as an extra.
const KNOWN: &[&[&str]] = &[
    TITLE,
    SUBTITLE,
    SUMMARY,
    DATE,
    UPDATED,
    EXPIRES,
    TAGS,
    CATEGORIES,
    KEYWORDS,
    AUTHORS,
    AUTHOR_EMAIL,
    AUTHOR_URL,
    LANGUAGE,
    IMAGE,
    IMAGE_ALT,
    LINK,
    ENCLOSURES,
    SLUG,
    PERMALINK,
    ALIASES,
    GUID,
    ID,
    DRAFT,
    PUBLISH,
    STATUS,
    MINOR,
    SEPARATOR,
];

/// The names that headers of plain text go by. Fewer than front matter knows, since a
/// line with a colon may be anything.
pub fn is_header(key: &str) -> bool {
    const LISTS: &[&[&str]] = &[
        TITLE, SUBTITLE, DATE, UPDATED, TAGS, CATEGORIES, KEYWORDS, AUTHORS, LANGUAGE, SLUG,
        STATUS, DRAFT,
    ];
    let name = folded(key);
    let is_other = matches!(
        name.as_str(),
        "summary" | "description" | "subject" | "translation" | "lang" | "guid"
    );
    is_other || LISTS.iter().any(|list| list.contains(&name.as_str()))
}

/// More of one than anybody writes by hand.
const MOST_VALUES: usize = 500;
const MOST_CHARACTERS: usize = 2_000;

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
            image: layer.image(),
            enclosures: layer.enclosures()?,
            link: layer.text(LINK)?.and_then(|it| links::absolute(&it)),
            stated: Stated {
                id: layer.id()?,
                permalink: layer.permalink(),
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

/// Lower case, without the signs that generators disagree about.
fn folded(key: &str) -> String {
    key.chars().filter(|it| !matches!(it, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
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

struct Layer<'l> {
    fields: &'l Fields,
    context: Context<'l>,
    /// Folded name, name as written, value; tables one level deep as `table.key`.
    named: Vec<(String, &'l str, &'l Value)>,
}

impl<'l> Layer<'l> {
    fn new(fields: &'l Fields, context: Context<'l>) -> Layer<'l> {
        let mut named = Vec::with_capacity(fields.entries.len());
        for (key, value) in &fields.entries {
            let name = folded(key);
            if let Value::Map(entries) = value {
                for (inner, value) in entries {
                    named.push((format!("{name}.{}", folded(inner)), key.as_str(), value));
                }
            }
            named.push((name, key.as_str(), value));
        }
        Layer { fields, context, named }
    }

    /// The first of `names` that says something, as written.
    fn find(&self, names: &[&str]) -> Option<(&'l str, &'l Value)> {
        let says_something = |value: &Value| match value {
            Value::Nothing => false,
            Value::Text(text) => !text.trim().is_empty(),
            Value::List(values) => !values.is_empty(),
            _ => true,
        };
        names.iter().find_map(|name| {
            let (_, key, value) =
                self.named.iter().find(|(it, _, value)| it == name && says_something(value))?;
            Some((*key, *value))
        })
    }

    fn wrong(&self, key: &str, expected: &'static str, found: &Value) -> Error {
        Error::WrongKind {
            line: self.fields.line(key),
            key: key.to_owned(),
            expected,
            found: found.kind(),
        }
    }

    fn text(&self, names: &[&str]) -> Result<Option<String>, Error> {
        let Some((key, value)) = self.find(names) else { return Ok(None) };
        let text = match value {
            // A list of one, as some editors write every value.
            Value::List(values) if values.len() == 1 => values[0].scalar(),
            Value::Flag(_) if !names.contains(&"title") => return Ok(None),
            other => other.scalar(),
        };
        let text = text.ok_or_else(|| self.wrong(key, "text", value))?;
        self.within(key, "characters", text.chars().count(), MOST_CHARACTERS)?;
        Ok(Some(clean::allowed(text)))
    }

    fn within(
        &self,
        key: &str,
        what: &'static str,
        found: usize,
        limit: usize,
    ) -> Result<(), Error> {
        match found > limit {
            true => Err(Error::TooMuch {
                line: self.fields.line(key),
                key: key.to_owned(),
                what,
                limit,
                found,
            }),
            false => Ok(()),
        }
    }

    /// One or many texts, each as one line.
    fn texts(
        &self,
        names: &[&str],
        split: impl Fn(&str) -> Vec<String>,
    ) -> Result<Vec<String>, Error> {
        let Some((key, value)) = self.find(names) else { return Ok(Vec::new()) };
        let texts = match value {
            Value::Text(text) => split(text),
            Value::Number(number) => vec![number.clone()],
            Value::Flag(_) | Value::Nothing => Vec::new(),
            Value::List(values) => {
                let mut texts = Vec::with_capacity(values.len());
                for value in values {
                    match value {
                        Value::Nothing => {}
                        Value::Map(_) => {
                            let name = ["name", "title", "label", "slug"]
                                .iter()
                                .find_map(|it| value.get(it)?.scalar());
                            texts.push(
                                name.ok_or_else(|| self.wrong(key, "a list of texts", value))?,
                            );
                        }
                        Value::List(inner) => texts.extend(inner.iter().filter_map(Value::scalar)),
                        other => texts.extend(other.scalar()),
                    }
                }
                texts
            }
            // `tags: {a: , b: }`, as a set in YAML looks.
            Value::Map(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
        };
        self.within(key, "values", texts.len(), MOST_VALUES)?;
        for text in &texts {
            self.within(key, "characters", text.len(), MOST_CHARACTERS)?;
        }
        Ok(texts.iter().map(|it| plain(it)).filter(|it| !it.is_empty()).collect())
    }

    fn date(&self, names: &[&str]) -> Result<Option<Timestamp>, Error> {
        let Some((key, value)) = self.find(names) else { return Ok(None) };
        let text = match value {
            Value::Flag(_) => return Ok(None),
            Value::List(values) if values.len() == 1 => values[0].scalar(),
            other => other.scalar(),
        };
        let text = text.ok_or_else(|| self.wrong(key, "a date", value))?;
        // What a template would have filled in says nothing here.
        if text.contains("{{") || text.contains("{%") {
            return Ok(None);
        }
        match dates::parse(&text, self.context.timezone) {
            Some(moment) => Ok(Some(moment)),
            None => Err(Error::BadDate {
                line: self.fields.line(key),
                key: key.to_owned(),
                found: shortened(&text),
            }),
        }
    }

    /// The date that the document shows; where a later one says when it may be
    /// published, that one, or it would be out too early.
    fn published(&self) -> Result<Option<Timestamp>, Error> {
        let dated: Vec<&str> = DATE
            .iter()
            .copied()
            .filter(|name| !matches!(self.find(&[name]), Some((_, Value::Flag(_)))))
            .filter(|name| !(*name == "published" && self.says_no(&[name])))
            .collect();
        let shown = self.date(&dated)?;
        let released = self.date(RELEASE)?;
        Ok(shown.max(released))
    }

    fn says_no(&self, names: &[&str]) -> bool {
        self.find(names).is_some_and(|(_, value)| flag_of(value) == Some(false))
    }

    fn flag(&self, names: &[&str]) -> Result<Option<bool>, Error> {
        let Some((key, value)) = self.find(names) else { return Ok(None) };
        match flag_of(value) {
            Some(flag) => Ok(Some(flag)),
            None => Err(self.wrong(key, "`true` or `false`", value)),
        }
    }

    fn draft(&self) -> Result<bool, Error> {
        let by_status = match self.find(STATUS) {
            Some((_, Value::Text(status))) => matches!(
                status.trim().to_lowercase().as_str(),
                "draft" | "private" | "hidden" | "trash" | "pending" | "skip"
            ),
            _ => false,
        };
        Ok(self.flag(DRAFT)?.unwrap_or(false)
            || self.says_no(&["published"])
            || self.says_no(PUBLISH)
            || by_status)
    }

    /// `guid` always; `id` only where it is an absolute IRI, since note-taking
    /// programs use it for other things.
    fn id(&self) -> Result<Option<String>, Error> {
        let guid = self.text(GUID)?.map(|it| clean::one_line(&it)).filter(|it| !it.is_empty());
        let id = match self.find(ID) {
            Some((_, Value::Text(id))) => Some(id.trim()).filter(|it| is_absolute_iri(it)),
            _ => None,
        };
        Ok(guid.or(id.map(str::to_owned)))
    }

    fn tags(&self) -> Result<Vec<String>, Error> {
        // Jekyll reads a text as a list of words; everybody else as one tag.
        let is_jekyll = self.context.path.segments().any(|it| it == b"_posts" || it == b"_drafts")
            || self.named.iter().any(|(name, ..)| name == "layout");
        let separated = |text: &str| -> Vec<String> {
            match text.contains([',', ';']) {
                true => text.split([',', ';']).map(str::to_owned).collect(),
                false if text.split_whitespace().all(|it| it.starts_with('#')) => {
                    text.split_whitespace().map(str::to_owned).collect()
                }
                false => vec![text.to_owned()],
            }
        };
        let words = |text: &str| match is_jekyll && !text.contains([',', ';']) {
            true => text.split_whitespace().map(str::to_owned).collect(),
            false => separated(text),
        };
        let mut tags = self.texts(TAGS, words)?;
        let one_category = self.find(CATEGORIES).is_some_and(|(key, _)| key == "category");
        tags.extend(match one_category {
            true => self.texts(CATEGORIES, separated)?,
            false => self.texts(CATEGORIES, words)?,
        });
        if tags.is_empty() {
            tags = self.texts(KEYWORDS, separated)?;
        }
        let mut once: Vec<String> = Vec::with_capacity(tags.len());
        for tag in tags {
            let tag = tag.trim_start_matches('#').trim().to_owned();
            if !tag.is_empty() && !once.contains(&tag) {
                once.push(tag);
            }
        }
        Ok(once)
    }

    fn authors(&self) -> Result<Vec<Person>, Error> {
        let Some((key, value)) = self.find(AUTHORS) else { return Ok(Vec::new()) };
        let mut authors = match value {
            Value::Text(text) if folded(key) == "authors" => {
                let sign = if text.contains(';') { ';' } else { ',' };
                text.split(sign).filter_map(people::from_text).collect()
            }
            Value::Text(text) => people::from_text(text).into_iter().collect(),
            Value::Map(_) => people::from_value(value).into_iter().collect(),
            Value::List(values) => {
                self.within(key, "values", values.len(), MOST_VALUES)?;
                values.iter().filter_map(people::from_value).collect()
            }
            Value::Number(_) => return Err(self.wrong(key, "a name, or a list of names", value)),
            Value::Flag(_) | Value::Nothing => Vec::<Person>::new(),
        };
        if let [only] = authors.as_mut_slice() {
            let email = self.text(AUTHOR_EMAIL)?.filter(|it| people::is_email(it));
            only.email = only.email.take().or(email);
            only.uri =
                only.uri.take().or(self.text(AUTHOR_URL)?.and_then(|it| links::absolute(&it)));
        }
        Ok(authors)
    }

    fn source(&self, link: &str) -> Option<Source> {
        if link.contains("{{") || link.contains("{%") {
            return None;
        }
        match links::resolve(self.context.path, link) {
            Link::Elsewhere(url) => links::absolute(&url).map(Source::Elsewhere),
            Link::Here(reference) => Some(Source::Folder(reference)),
            Link::Nowhere => None,
        }
    }

    fn image(&self) -> Option<Media> {
        IMAGE.iter().find_map(|name| {
            let (_, value) = self.find(&[name])?;
            let value = match value {
                Value::List(values) => values.first()?,
                other => other,
            };
            let (link, title) = match value {
                Value::Text(link) => (link.trim().to_owned(), None),
                Value::Map(_) => {
                    let names =
                        ["src", "url", "image", "path", "file", "filename", "feature", "teaser"];
                    let link = names.iter().find_map(|it| value.get(it)?.scalar())?;
                    let alt = ["alt", "alttext", "image_alt", "title"];
                    (link, alt.iter().find_map(|it| value.get(it)?.scalar()))
                }
                _ => return None,
            };
            // A word alone is a name that some theme knows.
            if !link.contains(['.', '/']) {
                return None;
            }
            let title = title.or_else(|| self.find(IMAGE_ALT).and_then(|it| it.1.scalar()));
            Some(Media {
                source: self.source(&wikilink_target(&link))?,
                title: title.map(|it| plain(&it)).filter(|it| !it.is_empty()),
                media_type: None,
                length: None,
                duration: None,
            })
        })
    }

    fn enclosures(&self) -> Result<Vec<Media>, Error> {
        let Some((key, value)) = self.find(ENCLOSURES) else { return Ok(Vec::new()) };
        let values = match value {
            Value::List(values) => values.as_slice(),
            other => std::slice::from_ref(other),
        };
        self.within(key, "values", values.len(), MOST_VALUES)?;
        Ok(values.iter().filter_map(|it| self.enclosure(it)).collect())
    }

    fn enclosure(&self, value: &Value) -> Option<Media> {
        let scalar = |names: &[&str]| names.iter().find_map(|it| value.get(it)?.scalar());
        match value {
            // WordPress keeps URL, length and type on three lines.
            Value::Text(text) => {
                let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
                let link = lines.next()?;
                if !link.contains(['.', '/']) {
                    return None;
                }
                let length = lines.next().and_then(|it| it.parse().ok());
                let media_type = lines.next().and_then(media_type);
                let source = self.source(&wikilink_target(link))?;
                Some(Media { source, title: None, media_type, length, duration: None })
            }
            Value::Map(_) => Some(Media {
                source: self
                    .source(&scalar(&["url", "src", "href", "file", "path", "link", "audio"])?)?,
                title: scalar(&["title", "name", "label"])
                    .map(|it| plain(&it))
                    .filter(|it| !it.is_empty()),
                media_type: scalar(&["type", "mime_type", "mimetype", "media_type", "mime"])
                    .and_then(|it| media_type(&it)),
                length: scalar(&["length", "size", "size_in_bytes", "bytes", "filesize"])
                    .and_then(|it| it.parse().ok()),
                duration: scalar(&["duration", "duration_in_seconds"]).and_then(|it| seconds(&it)),
            }),
            _ => None,
        }
    }

    /// A path of the site. Patterns and templates are for their generator.
    fn permalink(&self) -> Option<String> {
        let path = PERMALINK.iter().find_map(|name| match self.find(&[name])?.1 {
            Value::Text(path) => Some(path.trim()),
            _ => None,
        })?;
        let is_pattern = path.contains([':', '{', '}', '<', '>']) || path.contains("..");
        let is_path = path.starts_with('/') || path.contains(['/', '.']);
        (is_path && !is_pattern && !path.starts_with("//"))
            .then(|| clean::one_line(&format!("/{}", path.trim_start_matches('/'))))
            .filter(|it| it != "/")
    }

    /// Obsidian's aliases are names of a note, not paths.
    fn aliases(&self) -> Result<Vec<String>, Error> {
        let texts =
            self.texts(ALIASES, |text| text.split(',').map(|it| it.trim().to_owned()).collect())?;
        let is_path = |it: &String| {
            it.contains('/')
                && !it.contains(':')
                && !it.starts_with("//")
                && !it.contains("..")
                && (it.starts_with('/') || !it.contains(' '))
        };
        let mut paths: Vec<String> = Vec::new();
        for path in texts.into_iter().filter(is_path) {
            let path = format!("/{}", path.trim_start_matches('/'));
            if path != "/" && !paths.contains(&path) {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    fn extra(&self) -> BTreeMap<String, String> {
        let mut extra = BTreeMap::new();
        for (key, value) in &self.fields.entries {
            let name = folded(key);
            if !KNOWN.iter().any(|list| list.contains(&name.as_str())) {
                let key = clean::one_line(key);
                extra.insert(key, clean::allowed(value.to_json().to_string()));
            }
        }
        extra
    }
}

fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Flag(flag) => Some(*flag),
        Value::Number(number) => match number.as_str() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        },
        // YAML 1.1 had more words than 1.2 for them.
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "1" => Some(true),
            "false" | "no" | "off" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// An absolute IRI (RFC 3987): a scheme and something behind it, no blanks.
fn is_absolute_iri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.len() > 1
            && scheme.starts_with(|it: char| it.is_ascii_alphabetic())
            && scheme.bytes().all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it))
            && !rest.is_empty()
            && !text.contains(|it: char| {
                it.is_whitespace() || it.is_control() || "<>\"{}|\\^`".contains(it)
            })
    })
}

/// `[[picture.png]]` in front matter is the file alone.
fn wikilink_target(link: &str) -> String {
    let inner = link.trim().trim_start_matches('!');
    match inner.strip_prefix("[[").and_then(|it| it.strip_suffix("]]")) {
        Some(name) => name.split('|').next().unwrap_or_default().to_owned(),
        None => link.to_owned(),
    }
}

fn media_type(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let is_token = |it: &str| {
        !it.is_empty()
            && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/')
        .is_some_and(|(kind, name)| is_token(kind) && is_token(name))
        .then_some(text)
}

/// `754`, `12:34`, `1:02:03`.
fn seconds(text: &str) -> Option<u64> {
    text.trim().split(':').try_fold(0_u64, |sum, part| {
        let part: f64 = part.parse().ok()?;
        (0.0..1e9).contains(&part).then(|| sum.checked_mul(60)?.checked_add(part as u64))?
    })
}

/// As much of a wrong value as a message needs.
fn shortened(text: &str) -> String {
    let line = clean::one_line(text);
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
