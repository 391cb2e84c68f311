//! JSON-LD by schema.org, for search engines: what a page is, in its head.

use serde_json::{Map, Value, json};

use crate::feed::page::{Feed, Item};
use crate::render::html::Html;
use crate::render::xml;

/// A page that lists articles.
pub fn scope(html: &mut Html, feed: &Feed, url: &str) {
    let mut data = Map::new();
    put(&mut data, "@context", "https://schema.org");
    put(&mut data, "@type", "CollectionPage");
    put(&mut data, "name", &feed.title);
    put(&mut data, "description", &feed.description);
    put(&mut data, "url", url);
    put(&mut data, "inLanguage", feed.language.as_deref().unwrap_or_default());
    write(html, data);
}

/// The page of one article.
pub fn article(html: &mut Html, feed: &Feed, item: &Item) {
    let mut data = Map::new();
    put(&mut data, "@context", "https://schema.org");
    put(&mut data, "@type", "BlogPosting");
    put(&mut data, "headline", &item.title);
    put(&mut data, "alternativeHeadline", item.subtitle.as_deref().unwrap_or_default());
    put(&mut data, "description", &item.summary);
    put(&mut data, "url", &item.url);
    put(&mut data, "mainEntityOfPage", &item.url);
    put(&mut data, "datePublished", &item.published.to_string());
    put(&mut data, "dateModified", &item.updated.to_string());
    let language = item.language.as_deref().or(feed.language.as_deref());
    put(&mut data, "inLanguage", language.unwrap_or_default());
    let image = item.image.as_ref().map(|it| it.url.as_str()).or(feed.image.as_deref());
    put(&mut data, "image", image.unwrap_or_default());
    let own = std::slice::from_ref(&feed.author);
    let authors = if item.authors.is_empty() { own } else { &item.authors };
    let authors = authors.iter().map(|it| {
        let mut person = Map::new();
        put(&mut person, "@type", "Person");
        put(&mut person, "name", &it.name);
        put(&mut person, "url", it.uri.as_deref().unwrap_or_default());
        Value::Object(person)
    });
    data.insert("author".into(), authors.collect());
    data.insert("wordCount".into(), json!(item.words));
    let tags: Vec<_> = item.tags.iter().map(|it| xml::line(&it.label)).collect();
    put(&mut data, "keywords", &tags.join(", "));
    put(&mut data, "license", item.rights_url().unwrap_or_default());
    let whole = json!({
        "@type": "WebSite",
        "name": xml::line(&feed.site_title),
        "url": xml::line(&feed.site),
    });
    data.insert("isPartOf".into(), whole);
    write(html, data);
}

/// Nothing where there is nothing to say.
fn put(data: &mut Map<String, Value>, key: &str, text: &str) {
    let text = xml::line(text);
    if !text.is_empty() {
        data.insert(key.into(), text.into_owned().into());
    }
}

/// Without `<`, so that no text ends the element (HTML, section 4.12.1.3), and
/// without `>` and `&`, so that it reads the same to parsers of XML.
fn write(html: &mut Html, data: Map<String, Value>) {
    let text = Value::Object(data).to_string();
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e");
    let text = text.replace('&', "\\u0026");
    html.raw("<script type=\"application/ld+json\">").raw(&text).raw("</script>\n");
}
