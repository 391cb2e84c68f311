//! What every page for people has in common: escaping, the head, the footer that
//! says how to subscribe, dates, directions of writing.
//!
//! Semantic HTML with microformats (`h-feed`, `h-entry`), one small stylesheet
//! inside, no script. The program's own words are English and marked so where the
//! page's language is another.

use std::fmt::{self, Write};

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::catalog::entry::Part;
use crate::feed::page::Feed;
use crate::render::rendition::Format;
use crate::render::xml;

pub const STYLE: &str = include_str!("style.css");

/// Text as it stands in HTML, in elements and in quoted attribute values.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                _ => "&quot;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// A document that is being written. Text that people wrote enters by
/// [`Html::text`] and in attributes, escaped; markup by [`Html::raw`].
#[derive(Debug)]
pub struct Html(String);

impl Html {
    pub fn raw(&mut self, markup: &str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    /// `text` on one line.
    pub fn text(&mut self, text: &str) -> &mut Html {
        write!(self.0, "{}", Escaped(&xml::line(text))).expect("a string takes every write");
        self
    }

    /// An attribute, with the blank before it.
    pub fn attribute(&mut self, name: &str, value: &str) -> &mut Html {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    pub fn attribute_of(&mut self, name: &str, value: Option<impl fmt::Display>) -> &mut Html {
        match value {
            Some(value) => self.attribute(name, &value.to_string()),
            None => self,
        }
    }

    /// `lang` and `dir`, for an element whose language is or may be another than
    /// that of what is around it.
    pub fn language(&mut self, language: Option<&str>, around: Option<&str>) -> &mut Html {
        match language {
            Some(language) if Some(language) == around => self,
            Some(language) => {
                self.attribute("lang", language).attribute("dir", direction(language))
            }
            None => self.attribute("dir", "auto"),
        }
    }

    /// A day that people can read, with the time that programs can.
    pub fn time(&mut self, class: &str, time: Timestamp, language: Option<&str>) -> &mut Html {
        let (datetime, day) = (time.to_string(), day(time, language));
        self.raw("<time").attribute("class", class).attribute("datetime", &datetime);
        self.raw(">").text(&day).raw("</time>")
    }

    /// `meta` of a head; nothing where `content` is empty.
    pub fn meta(&mut self, kind: &str, name: &str, content: &str) -> &mut Html {
        if xml::line(content).is_empty() {
            return self;
        }
        self.raw("<meta").attribute(kind, name).attribute("content", content).raw(">\n")
    }
}

/// What the head of a page says.
#[derive(Debug)]
pub struct Head<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub canonical: &'a str,
    pub language: Option<&'a str>,
}

/// A document up to the inside of its head, for what only this page says there;
/// [`body`] goes on.
pub fn open(feed: &Feed, head: &Head<'_>, capacity: usize) -> Html {
    let mut html = Html(String::with_capacity(capacity + STYLE.len() + 4096));
    html.raw("<!DOCTYPE html>\n<html");
    match head.language {
        Some(_) => html.language(head.language, None),
        // Programs that read aloud want a word: undetermined (ISO 639-2).
        None => html.raw(" lang=\"und\" dir=\"auto\""),
    };
    html.raw(">\n<head>\n");
    html.raw("<meta charset=\"utf-8\">\n<title>").text(head.title).raw("</title>\n");
    html.meta("name", "viewport", "width=device-width, initial-scale=1");
    html.meta("name", "color-scheme", "light dark");
    html.meta("name", "description", head.description);
    html.raw("<link rel=\"canonical\"").attribute("href", head.canonical).raw(">\n");
    for format in Format::ALL {
        let url = feed.url(Part::Current, format.extension());
        discover(&mut html, format, &feed.title, &url);
    }
    if feed.folder != feed.site {
        // Of the site, after those of the page's own scope.
        for format in Format::ALL {
            let url = format!("{}feed.{}", feed.site, format.extension());
            discover(&mut html, format, &feed.site_title, &url);
        }
    }
    match &feed.icon {
        Some(icon) => html.raw("<link rel=\"icon\"").attribute("href", icon),
        None => {
            let icon = format!("{}favicon.svg", feed.site);
            html.raw("<link rel=\"icon\" type=\"image/svg+xml\"").attribute("href", &icon)
        }
    };
    html.raw(">\n");
    html.meta("property", "og:title", head.title);
    html.meta("property", "og:description", head.description);
    html.meta("property", "og:url", head.canonical);
    html.meta("property", "og:site_name", &feed.site_title);
    let locale = head.language.map(|it| it.replace('-', "_"));
    html.meta("property", "og:locale", locale.as_deref().unwrap_or_default());
    html
}

/// Autodiscovery of a feed (HTML, section 4.6.7.2).
fn discover(html: &mut Html, format: Format, title: &str, url: &str) {
    html.raw("<link rel=\"alternate\"").attribute("type", xml::bare_type(format));
    html.attribute("title", &format!("{title} ({})", name(format)));
    html.attribute("href", url).raw(">\n");
}

/// The site's name, and ways to its lists.
pub fn site(html: &mut Html, feed: &Feed, language: Option<&str>) {
    html.raw("<header class=\"site\"").language(feed.language.as_deref(), language);
    html.raw("><a rel=\"home\"").attribute("href", &feed.site).raw(">").text(&feed.site_title);
    html.raw("</a>\n");
    ways(html, feed, feed.language.as_deref());
    html.raw("</header>\n");
}

/// Ways to the site's lists.
pub fn ways(html: &mut Html, feed: &Feed, language: Option<&str>) {
    let root = feed.site.trim_end_matches('/');
    html.raw("<nav class=\"ways\" aria-label=\"Site\"").language(Some("en"), language).raw(">");
    for (name, path) in [("Archive", "/archives/"), ("Tags", "/tags/"), ("Authors", "/authors/")] {
        html.raw(" <a").attribute("href", &format!("{root}{path}")).raw(">").raw(name).raw("</a>");
    }
    html.raw("</nav>\n");
}

/// From the head into the body.
pub fn body(html: &mut Html) {
    html.raw("<style>\n").raw(STYLE).raw("</style>\n</head>\n<body>\n");
}

/// The footer and the end. `is_whole` says it at length, for the page of a scope.
pub fn close(mut html: Html, feed: &Feed, language: Option<&str>, is_whole: bool) -> String {
    html.raw("<footer>\n<section id=\"subscribe\"").attribute("aria-labelledby", "subscribe-title");
    html.language(Some("en"), language.filter(|it| primary(it) == "en").map(|_| "en"));
    html.raw(">\n<h2 id=\"subscribe-title\">Subscribe</h2>\n");
    if is_whole {
        html.raw(
            "<p>Add one of these addresses to a feed reader, and it shows you each new article \
             as it appears. Nobody asks for your name or your mail address.</p>\n",
        );
    }
    html.raw("<ul class=\"feeds\">\n");
    for format in Format::ALL {
        let url = feed.url(Part::Current, format.extension());
        html.raw("<li><a").attribute("href", &url).attribute("type", xml::bare_type(format));
        html.raw("><strong>").raw(name(format)).raw("</strong> <span>").text(&url);
        html.raw("</span></a></li>\n");
    }
    html.raw("</ul>\n");
    if is_whole {
        html.raw(FORMATS);
    }
    html.raw("</section>\n");
    if let Some(copyright) = &feed.copyright {
        html.raw("<p class=\"copyright\"").language(feed.language.as_deref(), language);
        html.raw(">").text(copyright).raw("</p>\n");
    }
    html.raw("</footer>\n</body>\n</html>\n");
    html.0
}

const FORMATS: &str = "\
<details id=\"formats\">
<summary>Which one, and what is in it</summary>
<p>All three hold the same articles, whole. Take Atom; take RSS if your reader asks for it. \
JSON Feed is the easiest for programs.</p>
<p>For programs: older articles stand in archive pages behind <code>prev-archive</code> \
(RFC 5005), in JSON Feed behind <code>next_url</code>; withdrawn ones are named by \
<code>at:deleted-entry</code> (RFC 6721) in Atom. The object <code>_sower</code> of the JSON \
Feed holds, in the feed, <code>archive</code>, <code>current</code>, <code>prev_archive</code>, \
<code>next_archive</code> and <code>deleted</code> (the <code>id</code> of a withdrawn article \
and <code>when</code> it was); in an item, <code>subtitle</code>, <code>words</code> (their \
number), <code>reading_minutes</code>, <code>image_alt</code> (the picture in words), <code>rights</code>, <code>via</code>, \
<code>source</code>, <code>in_reply_to</code>, <code>translations</code> (addresses) and \
<code>atom_id</code> (the id in the \
Atom feed, where it differs).</p>
</details>
";

/// What people call a format.
pub fn name(format: Format) -> &'static str {
    match format {
        Format::Atom => "Atom",
        Format::Rss => "RSS",
        Format::Json => "JSON Feed",
    }
}

/// In words where they are understood, else as ISO 8601 has it. In UTC, since
/// nobody knows where the reader is.
fn day(time: Timestamp, language: Option<&str>) -> String {
    let date = Offset::UTC.to_datetime(time).date();
    match language.is_none_or(|it| primary(it) == "en") {
        true => date.strftime("%-d %B %Y").to_string(),
        false => date.to_string(),
    }
}

/// The language without script and region, in lower case.
fn primary(language: &str) -> String {
    language.split('-').next().unwrap_or(language).to_ascii_lowercase()
}

/// `rtl` for languages that are written from the right, unless the tag names a
/// script that is not, and for scripts that are.
pub fn direction(language: &str) -> &'static str {
    const LANGUAGES: &[&str] = &[
        "ar", "arc", "arz", "ckb", "dv", "fa", "glk", "he", "iw", "khw", "ks", "lrc", "mzn", "nqo",
        "pnb", "ps", "sd", "syr", "ug", "ur", "yi",
    ];
    const SCRIPTS: &[&str] =
        &["adlm", "arab", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"];
    let mut subtags = language.split('-').skip(1).map(str::to_ascii_lowercase);
    // RFC 5646, section 2.2.3: four letters are a script.
    let script = subtags.find(|it| it.len() == 4 && it.bytes().all(|it| it.is_ascii_alphabetic()));
    let is_rtl = match &script {
        Some(script) => SCRIPTS.contains(&script.as_str()),
        None => LANGUAGES.contains(&primary(language).as_str()),
    };
    if is_rtl { "rtl" } else { "ltr" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_of_writing() {
        let table = [
            ("ar", "rtl", "Arabic"),
            ("he-IL", "rtl", "with a region"),
            ("FA", "rtl", "tags have no case (RFC 5646, 2.1.1)"),
            ("en", "ltr", "English"),
            ("ar-Latn", "ltr", "in another script"),
            ("az-Arab-IR", "rtl", "a script from the right"),
            ("uz-Cyrl", "ltr", "a script from the left"),
            ("arn", "ltr", "Mapudungun only begins like Arabic"),
        ];
        for (language, expected, why) in table {
            assert_eq!(direction(language), expected, "{language}: {why}");
        }
    }

    #[test]
    fn days_for_people() {
        let time = "2026-11-03T23:59:59Z".parse().unwrap();
        assert_eq!(day(time, Some("en-GB")), "3 November 2026");
        assert_eq!(day(time, None), "3 November 2026");
        assert_eq!(day(time, Some("ko")), "2026-11-03", "ISO 8601 is read everywhere");
    }

    #[test]
    fn escaping() {
        let escaped = Escaped("\"<a href='x'>&amp;</a>\"").to_string();
        assert_eq!(escaped, "&quot;&lt;a href='x'&gt;&amp;amp;&lt;/a&gt;&quot;");
    }
}
