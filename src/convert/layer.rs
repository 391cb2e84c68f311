//! One layer of fields, each read as what it means: text, date, people, media.
//!
//! In: fields with their lines. Out: values, or an error that names key and line. Where
//! generators disagree about a shape (a name, a list of names, a table), all are taken.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::convert::Error;
use crate::convert::article::{Media, Person, Source};
use crate::convert::clean;
use crate::convert::dates;
use crate::convert::front_matter::{Fields, Value};
use crate::convert::keys::*;
use crate::convert::links::{self, Link};
use crate::convert::metadata::{Context, plain};
use crate::convert::people;

/// More of one than anybody writes by hand.
const MOST_VALUES: usize = 500;
const MOST_CHARACTERS: usize = 2_000;

/// The fields of one layer, found by what they mean.
pub struct Layer<'l> {
    fields: &'l Fields,
    context: Context<'l>,
    /// Folded name, name as written, value; tables one level deep as `table.key`.
    named: Vec<(String, &'l str, &'l Value)>,
}

impl<'l> Layer<'l> {
    pub fn new(fields: &'l Fields, context: Context<'l>) -> Layer<'l> {
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
    pub fn find(&self, names: &[&str]) -> Option<(&'l str, &'l Value)> {
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

    pub fn text(&self, names: &[&str]) -> Result<Option<String>, Error> {
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

    pub fn date(&self, names: &[&str]) -> Result<Option<Timestamp>, Error> {
        let Some((key, value)) = self.find(names) else { return Ok(None) };
        let text = match value {
            Value::Flag(_) => return Ok(None),
            Value::List(values) if values.len() == 1 => values[0].scalar(),
            other => other.scalar(),
        };
        let text = text.ok_or_else(|| self.wrong(key, "a date", value))?;
        // What a template would have filled in says nothing here, nor do Eleventy's
        // words for the times of the file.
        let is_elsewhere = ["last modified", "created", "git last modified", "git created"];
        if text.contains("{{")
            || text.contains("{%")
            || is_elsewhere.contains(&text.trim().to_lowercase().as_str())
        {
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
    pub fn published(&self) -> Result<Option<Timestamp>, Error> {
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

    pub fn flag(&self, names: &[&str]) -> Result<Option<bool>, Error> {
        let Some((key, value)) = self.find(names) else { return Ok(None) };
        match flag_of(value) {
            Some(flag) => Ok(Some(flag)),
            None => Err(self.wrong(key, "`true` or `false`", value)),
        }
    }

    pub fn draft(&self) -> Result<bool, Error> {
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
    pub fn id(&self) -> Result<Option<String>, Error> {
        let guid = self.text(GUID)?.map(|it| clean::one_line(&it)).filter(|it| !it.is_empty());
        let id = match self.find(ID) {
            Some((_, Value::Text(id))) => Some(id.trim()).filter(|it| is_absolute_iri(it)),
            _ => None,
        };
        Ok(guid.or(id.map(str::to_owned)))
    }

    pub fn tags(&self) -> Result<Vec<String>, Error> {
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

    pub fn authors(&self) -> Result<Vec<Person>, Error> {
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

    /// The first name that leads to a picture. A theme's switch (`image: false`) and a
    /// word alone, which some theme knows, say nothing.
    pub fn image(&self) -> Result<Option<Media>, Error> {
        for name in IMAGE {
            let Some((key, value)) = self.find(&[name]) else { continue };
            let value = match value {
                Value::List(values) => &values[0],
                other => other,
            };
            if let Value::Number(_) | Value::List(_) = value {
                return Err(self.wrong(key, "a path or URL", value));
            }
            if let Some(picture) = self.picture(value) {
                return Ok(Some(picture));
            }
        }
        Ok(None)
    }

    fn picture(&self, value: &Value) -> Option<Media> {
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
    }

    pub fn enclosures(&self) -> Result<Vec<Media>, Error> {
        let mut found: Vec<Media> = Vec::new();
        for (key, value) in ENCLOSURES.iter().filter_map(|it| self.find(&[*it])) {
            let values = match value {
                Value::List(values) => values.as_slice(),
                other => std::slice::from_ref(other),
            };
            self.within(key, "values", found.len() + values.len(), MOST_VALUES)?;
            if let Some(wrong) =
                values.iter().find(|it| matches!(it, Value::Number(_) | Value::List(_)))
            {
                return Err(self.wrong(key, "a path, a URL, or a table with one", wrong));
            }
            for media in values.iter().filter_map(|it| self.enclosure(it)) {
                if found.iter().all(|it| it.source != media.source) {
                    found.push(media);
                }
            }
        }
        Ok(found)
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

    /// A path of the site. Patterns, templates and Eleventy's tables are for their
    /// generator.
    pub fn permalink(&self) -> Result<Option<String>, Error> {
        let mut path = None;
        for (key, value) in PERMALINK.iter().filter_map(|name| self.find(&[name])) {
            match value {
                Value::Text(text) => path = path.or(Some(text.trim())),
                Value::List(_) => return Err(self.wrong(key, "a path", value)),
                Value::Number(_) | Value::Flag(_) | Value::Map(_) | Value::Nothing => {}
            }
        }
        let Some(path) = path else { return Ok(None) };
        let is_pattern = path.contains([':', '{', '}', '<', '>']) || path.contains("..");
        let is_path = path.starts_with('/') || path.contains(['/', '.']);
        Ok((is_path && !is_pattern && !path.starts_with("//"))
            .then(|| clean::one_line(&format!("/{}", path.trim_start_matches('/'))))
            .filter(|it| it != "/"))
    }

    /// Obsidian's aliases are names of a note, not paths.
    pub fn aliases(&self) -> Result<Vec<String>, Error> {
        let split = |text: &str| text.split(',').map(|it| it.trim().to_owned()).collect();
        let mut texts = Vec::new();
        for name in ALIASES {
            texts.extend(self.texts(&[*name], split)?);
        }
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

    pub fn extra(&self) -> BTreeMap<String, String> {
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
