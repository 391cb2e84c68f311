//! Sitemaps 0.9, and `robots.txt` (RFC 9309), which leads to them.

use crate::feed::page::{Feed, Headline};
use crate::render::html::Escaped;
use crate::render::xml;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// Pages, `is_first` with that of the site before them.
pub fn pages(channel: &Feed, headlines: &[Headline], is_first: bool) -> String {
    let mut text = String::with_capacity(256 + 160 * headlines.len());
    text.push_str(HEAD);
    text.push_str(&format!("<urlset xmlns=\"{NAMESPACE}\">\n"));
    if is_first {
        text.push_str(&format!("<url><loc>{}</loc></url>\n", escaped(&channel.home)));
    }
    for Headline { url, updated, .. } in headlines {
        // W3C datetime (sitemaps.org, "lastmod"): whole seconds are enough.
        let seconds = updated.strftime("%Y-%m-%dT%H:%M:%SZ");
        let url = escaped(url);
        text.push_str(&format!("<url><loc>{url}</loc><lastmod>{seconds}</lastmod></url>\n"));
    }
    text.push_str("</urlset>\n");
    text
}

/// The parts of a list that is too long for one document.
pub fn index(channel: &Feed, parts: u32) -> String {
    let mut text = format!("{HEAD}<sitemapindex xmlns=\"{NAMESPACE}\">\n");
    for part in 1..=parts {
        let url = format!("{}sitemap-{part}.xml", channel.folder);
        text.push_str(&format!("<sitemap><loc>{}</loc></sitemap>\n", escaped(&url)));
    }
    text.push_str("</sitemapindex>\n");
    text
}

pub fn robots(channel: &Feed) -> String {
    format!("User-agent: *\nAllow: /\n\nSitemap: {}sitemap.xml\n", xml::line(&channel.folder))
}

fn escaped(text: &str) -> String {
    Escaped(&xml::line(text)).to_string()
}
