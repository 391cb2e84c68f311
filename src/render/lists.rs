//! Pages that list: all tags, authors or languages, and what was published in a
//! time.

use jiff::civil::Date;

use crate::catalog::entry::Period;
use crate::catalog::scope::Kind;
use crate::feed::page::{Calendar, Directory, Section};
use crate::render::html::{self, Head, Html};

/// So many names a page lists; of more it lists those with the most entries.
const NAMES: usize = 1000;

/// The page of all scopes of a kind.
pub fn names(directory: &Directory, kind: Kind) -> String {
    let channel = &directory.channel;
    let mut sections: Vec<&Section> =
        directory.sections.iter().filter(|it| Kind::of(&it.scope) == Some(kind)).collect();
    if sections.len() > NAMES {
        sections.sort_by_key(|it| std::cmp::Reverse(it.entries));
        sections.truncate(NAMES);
    }
    sections.sort_by_cached_key(|it| it.label.to_lowercase());
    let heading = match kind {
        Kind::Tags => "Tags",
        Kind::Authors => "Authors",
        Kind::Languages => "Languages",
    };
    let url = format!("{}{}", channel.folder.trim_end_matches('/'), kind.folder());
    let mut html = open(channel, heading, &url);
    html.raw("<ul class=\"names\">\n");
    for section in sections {
        html.raw("<li><a").attribute("href", &section.url).raw(" dir=\"auto\">");
        html.text(&section.label).raw("</a> <span>").text(&section.entries.to_string());
        html.raw("</span></li>\n");
    }
    html.raw("</ul>\n</main>\n");
    html::close(html, channel, channel.language.as_deref(), false)
}

/// The page of what was published in a time.
pub fn calendar(calendar: &Calendar) -> String {
    let channel = &calendar.channel;
    let heading = match calendar.own.period {
        Period::All => "Archive".to_owned(),
        period => format!("Archive of {}", words(period)),
    };
    let mut html = open(channel, &heading, &calendar.own.url);
    if let Some(around) = &calendar.around {
        let words = match around.period {
            Period::All => "all years".to_owned(),
            period => words(period),
        };
        html.raw("<p class=\"around\" lang=\"en\" dir=\"ltr\"><a").attribute("href", &around.url);
        html.raw(">").text(&format!("Archive of {words}")).raw("</a></p>\n");
    }
    if !calendar.parts.is_empty() {
        html.raw("<ul class=\"names\" lang=\"en\" dir=\"ltr\">\n");
        for part in &calendar.parts {
            html.raw("<li><a").attribute("href", &part.url).raw(">").text(&words(part.period));
            html.raw("</a></li>\n");
        }
        html.raw("</ul>\n");
    }
    if !calendar.headlines.is_empty() {
        html.raw("<ul class=\"headlines\">\n");
        for headline in &calendar.headlines {
            html.raw("<li>").time("", headline.published, channel.language.as_deref());
            html.raw(" <a dir=\"auto\"").attribute("href", &headline.url).raw(">");
            html.text(&headline.title).raw("</a></li>\n");
        }
        html.raw("</ul>\n");
    }
    html.raw("</main>\n");
    html::close(html, channel, channel.language.as_deref(), false)
}

fn open(channel: &crate::feed::page::Feed, heading: &str, url: &str) -> Html {
    // What stands on it beside names is ours.
    let language = channel.language.as_deref().or(Some("en"));
    let title = format!("{heading} \u{2013} {}", channel.title);
    let head = Head { title: &title, description: "", canonical: url, language };
    let mut html = html::open(channel, &head, 32 * 1024);
    html.meta("property", "og:type", "website");
    html::body(&mut html);
    html::site(&mut html, channel, language);
    html.raw("<main class=\"list\">\n<h1").language(Some("en"), language).raw(">").text(heading);
    html.raw("</h1>\n");
    html
}

/// `2026`, `November 2026`, `25 November 2026`.
fn words(period: Period) -> String {
    let date = |year, month, day| Date::new(year, month, day).unwrap_or(Date::ZERO);
    match period {
        Period::All => String::new(),
        Period::Year(year) => year.to_string(),
        Period::Month(year, month) => date(year, month, 1).strftime("%B %Y").to_string(),
        Period::Day(year, month, day) => date(year, month, day).strftime("%-d %B %Y").to_string(),
    }
}
