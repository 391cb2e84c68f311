//! Feeds that the configuration chooses entries for, beside those that come of folders,
//! tags, authors and languages. Each stands where a folder's would, and takes the place
//! of that folder's where there is one.

use crate::catalog::order::Limits;
use crate::catalog::scope::{Scope, folded};
use crate::convert::article::{Article, Media};
use crate::convert::body::Filled;

/// A feed of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Where it stands, as a folder does: `best/of`, percent-encoded.
    pub folder: String,
    /// What people read.
    pub label: String,
    /// Entries of a document, where it differs from other feeds.
    pub limit: Option<u32>,
    pub filter: Filter,
}

/// What an entry must have: of each list that is not empty, one. Case and accents count
/// for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Folders of the site, with those below.
    pub folders: Vec<String>,
    pub tags: Vec<String>,
    pub authors: Vec<String>,
    /// `en` takes `en-GB`, too.
    pub languages: Vec<String>,
    /// See [`kind`].
    pub kinds: Vec<String>,
    /// Words or phrases in the title, the summary or the text.
    pub texts: Vec<String>,
}

/// The feeds of a site: how much a document of each holds, and who is in it.
#[derive(Debug, Clone)]
pub struct Feeds {
    pub limits: Limits,
    pub chosen: Vec<Chosen>,
}

impl Feeds {
    pub fn chosen(&self, scope: &Scope) -> Option<&Chosen> {
        let Scope::Folder(folder) = scope else { return None };
        self.chosen.iter().find(|it| it.folder == *folder)
    }

    /// How much the documents of `scope` hold.
    pub fn limits(&self, scope: &Scope) -> Limits {
        match self.chosen(scope).and_then(|it| it.limit) {
            Some(limit) => Limits { limit, max: self.limits.max.max(limit) },
            None => self.limits,
        }
    }

    /// The scopes that hold an entry at `permalink` with this article, each with the
    /// label that people read.
    pub fn of(&self, permalink: &str, article: &Article) -> Vec<(Scope, String)> {
        let mut scopes = Scope::of(permalink, article);
        if self.chosen.is_empty() {
            return scopes;
        }
        scopes.retain(|(scope, _)| self.chosen(scope).is_none());
        let taken = self.chosen.iter().filter(|it| it.filter.takes(permalink, article));
        scopes.extend(taken.map(|it| (Scope::Folder(it.folder.clone()), it.label.clone())));
        scopes
    }
}

impl Filter {
    /// Whether the entry at `permalink` with this article is one of those meant.
    pub fn takes(&self, permalink: &str, article: &Article) -> bool {
        let any = |wanted: &[String], is: &dyn Fn(&str) -> bool| {
            wanted.is_empty() || wanted.iter().any(|it| is(it))
        };
        any(&self.folders, &|it| is_below(permalink, it))
            && any(&self.tags, &|it| article.tags.iter().any(|tag| folded(tag) == folded(it)))
            && any(&self.authors, &|it| {
                article.authors.iter().any(|author| folded(&author.name) == folded(it))
            })
            && any(&self.languages, &|it| {
                article.language.as_deref().is_some_and(|language| is_language(language, it))
            })
            && any(&self.kinds, &|it| kind(article) == it.trim().to_lowercase())
            && (self.texts.is_empty() || {
                let text = text(article);
                self.texts.iter().any(|it| text.contains(&plain(it)))
            })
    }
}

/// `folder` as people write it: `news/korea`, with or without slashes at its ends.
fn is_below(permalink: &str, folder: &str) -> bool {
    let folder = folder.trim_matches('/');
    if folder.is_empty() {
        return true;
    }
    let segments = folder.split('/').map(crate::catalog::scope::encoded_segment);
    let start = format!("/{}/", segments.collect::<Vec<_>>().join("/"));
    permalink.starts_with(&start)
}

/// RFC 4647, section 3.3.1: the range itself, or a tag that begins with it.
fn is_language(tag: &str, range: &str) -> bool {
    let (tag, range) = (tag.to_lowercase(), range.trim().to_lowercase());
    tag.strip_prefix(&range).is_some_and(|it| it.is_empty() || it.starts_with('-'))
}

/// What an article is, in a word: what it states as `kind`; else `audio`, `video` or
/// `file` by its first enclosure; `link` where it is about a page elsewhere; `picture`
/// where there is a picture and hardly a word; else `text`.
pub fn kind(article: &Article) -> String {
    let stated = article.extra.iter().find(|it| it.0.eq_ignore_ascii_case("kind"));
    if let Some(stated) = stated.and_then(|it| serde_json::from_str::<String>(it.1).ok()) {
        return stated.trim().to_lowercase();
    }
    /// A caption has fewer words.
    const CAPTION: u32 = 50;
    match (article.enclosures.first(), &article.link) {
        (Some(enclosure), _) => sort_of(enclosure),
        (None, Some(_)) => "link",
        (None, None) if article.image.is_some() && article.words < CAPTION => "picture",
        (None, None) => "text",
    }
    .into()
}

fn sort_of(media: &Media) -> &'static str {
    use crate::convert::article::Source;
    use crate::convert::body::Target;
    let name = match &media.source {
        Source::Elsewhere(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        Source::Folder(reference) => match &reference.target {
            Target::Path(path) => path.to_string(),
            _ => String::new(),
        },
    };
    let name = name.to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |it| it.1);
    let stated = media.media_type.as_deref().unwrap_or_default();
    let is = |kind: &str, extensions: &[&str]| {
        stated.starts_with(kind) || extensions.contains(&extension)
    };
    if is("audio/", &["mp3", "m4a", "ogg", "oga", "opus", "flac", "wav", "aac"]) {
        "audio"
    } else if is("video/", &["mp4", "m4v", "mov", "webm", "ogv", "mkv"]) {
        "video"
    } else {
        "file"
    }
}

/// What can be read of an article, without its markup.
fn text(article: &Article) -> String {
    let html = article.body.fill("", |_| Filled::Text);
    let mut text = format!("{} ", article.title);
    for other in article.subtitle.iter().chain([&article.summary]) {
        text.push_str(other);
        text.push(' ');
    }
    let mut rest = html.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        // A tag of a block parts words; so do the others, which hardly ever stand in one.
        text.push(' ');
        rest = after.split_once('>').map_or("", |it| it.1);
    }
    text.push_str(rest);
    for (entity, letter) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
        text = text.replace(entity, letter);
    }
    plain(&text)
}

/// Without case and accents, one blank between words.
fn plain(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::is_combining_mark;
    let letters = text.nfd().filter(|it| !is_combining_mark(*it)).flat_map(char::to_lowercase);
    let letters: String = letters.collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn article() -> Article {
        serde_json::from_value(json!({
            "title": "A Bridge", "subtitle": null, "summary": "It crosses.",
            "body": { "html": "<p>Über dem <em>Fluß</em> &amp; weiter</p>", "references": [] },
            "authors": [{ "name": "Ann Lee", "uri": null, "email": null }],
            "tags": ["Rivers"], "language": "de-AT", "image": null, "enclosures": [],
            "link": null, "words": 5, "extra": {},
            "stated": {
                "id": null, "permalink": null, "slug": null, "aliases": [], "published": null,
                "updated": null, "expires": null, "draft": false, "minor": false
            }
        }))
        .unwrap()
    }

    #[test]
    fn who_is_taken() {
        let filter = Filter::default;
        let list = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let table = [
            (filter(), true, "nothing is asked for"),
            (Filter { folders: list(&["news"]), ..filter() }, true, "a folder above"),
            (Filter { folders: list(&["/news/korea/"]), ..filter() }, true, "with slashes"),
            (Filter { folders: list(&["new"]), ..filter() }, false, "a name that begins so"),
            (Filter { folders: list(&["/"]), ..filter() }, true, "the root"),
            (Filter { tags: list(&["x", "rivers"]), ..filter() }, true, "one of several"),
            (Filter { tags: list(&["river"]), ..filter() }, false, "another tag"),
            (Filter { authors: list(&["ann lee"]), ..filter() }, true, "case is nothing"),
            (Filter { languages: list(&["de"]), ..filter() }, true, "RFC 4647: a range"),
            (Filter { languages: list(&["d"]), ..filter() }, false, "no subtag"),
            (Filter { kinds: list(&["Text"]), ..filter() }, true, ""),
            (Filter { kinds: list(&["audio", "video"]), ..filter() }, false, ""),
            (Filter { texts: list(&["uber dem flu\u{df} & weiter"]), ..filter() }, true, "markup"),
            (Filter { texts: list(&["bridge"]), ..filter() }, true, "the title"),
            (Filter { texts: list(&["tunnel"]), ..filter() }, false, ""),
            (
                Filter { tags: list(&["rivers"]), languages: list(&["en"]), ..filter() },
                false,
                "every list",
            ),
        ];
        for (filter, expected, why) in table {
            let found = filter.takes("/news/korea/a", &article());
            assert_eq!(found, expected, "{filter:?}: {why}");
        }
    }

    #[test]
    fn kinds_of_articles() {
        let enclosure = |url: &str, media_type: Option<&str>| Media {
            source: crate::convert::article::Source::Elsewhere(url.into()),
            title: None,
            media_type: media_type.map(Into::into),
            length: None,
            duration: None,
        };
        let open = article;
        let table = [
            (open(), "text"),
            (Article { link: Some("https://example.net/".into()), ..open() }, "link"),
            (
                Article {
                    enclosures: vec![enclosure("https://a.example/x.MP3?1", None)],
                    ..open()
                },
                "audio",
            ),
            (
                Article {
                    enclosures: vec![enclosure("https://a.example/x", Some("video/x"))],
                    ..open()
                },
                "video",
            ),
            (
                Article { enclosures: vec![enclosure("https://a.example/x.pdf", None)], ..open() },
                "file",
            ),
            (
                Article { image: Some(enclosure("https://a.example/x.png", None)), ..open() },
                "picture",
            ),
            (Article { extra: [("kind".into(), "\"Review\"".into())].into(), ..open() }, "review"),
        ];
        for (article, expected) in table {
            assert_eq!(kind(&article), expected);
        }
    }
}
