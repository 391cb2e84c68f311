//! The page that a person sees who opens the address of a feed in a browser.
//!
//! Readers get the feed itself at the same address; `?raw` gives it to people.

use crate::catalog::entry::Part;
use crate::feed::page::Feed;
use crate::render::html::{self, Head};
use crate::render::index;
use crate::render::rendition::Format;

/// So many of the newest articles it shows.
const SHOWN: usize = 20;

pub fn document(feed: &Feed, format: Format) -> String {
    let language = feed.language.as_deref();
    let url = feed.url(feed.part, format.extension());
    let title = format!("{} ({})", feed.title, html::name(format));
    let head = Head { title: &title, description: &feed.description, canonical: &url, language };
    let mut html = html::open(feed, &head, 1024 * feed.items.len().min(SHOWN));
    // Search engines show the page of the scope, not this one.
    html.meta("name", "robots", "noindex");
    html::body(&mut html);
    html::site(&mut html, feed, language);
    html.raw("<main class=\"h-feed\">\n<header>\n<h1 class=\"p-name\">").text(&feed.title);
    html.raw("</h1>\n<section class=\"notice\"").language(Some("en"), language).raw(">\n");
    html.raw("<p>This is a <strong>feed</strong>: an address for a feed reader, the program ");
    html.raw("that shows you each new article as it appears. To subscribe, copy the address ");
    html.raw("into your reader:</p>\n<p><input type=\"text\" readonly=\"readonly\" ");
    html.raw("aria-label=\"Address of the feed\"").attribute("value", &subscription(feed, format));
    html.raw("></p>\n<p>A reader is a program such as NetNewsWire, Feeder or Thunderbird, or a ");
    html.raw("web site such as Feedly or Inoreader; most are free. You can also <a href=\"");
    html.raw("?raw\">see what programs see</a> at this address.</p>\n</section>\n");
    html.raw("</header>\n<div class=\"entries\">\n<h2").language(Some("en"), language).raw(">");
    html.raw(if feed.part == Part::Current { "Newest articles" } else { "Articles" });
    html.raw("</h2>\n");
    for item in feed.items.iter().take(SHOWN) {
        index::article(&mut html, feed, item);
    }
    html.raw("<p class=\"to-page\"><a").attribute("href", &feed.home).raw(">");
    html.text(&feed.title).raw("</a></p>\n</div>\n</main>\n");
    html::close(html, feed, language, true)
}

/// What to subscribe to: never an archive page.
fn subscription(feed: &Feed, format: Format) -> String {
    feed.url(Part::Current, format.extension())
}
