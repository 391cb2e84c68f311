//! RSS 2.0 (RSS 2.0.11), by the RSS Advisory Board's Best Practices Profile.
//!
//! - Titles and names are plain text and escaped once, `&` and `<` as `&#x26;` and
//!   `&#x3C;` (profile, "character data"): the same as `&amp;` and `&lt;` to every
//!   XML parser, and left alone by readers that look for entities a second time.
//!   Escaping twice would show `&lt;` in readers that follow the specification.
//! - `description` is parsed as HTML by readers, so the plain summary is escaped
//!   as HTML and stands in CDATA. It is always there, since `content:encoded`
//!   comes second to it (profile, "content:encoded").
//! - An author with a mail address stands in `author` (`managingEditor` of the
//!   channel). Names alone, and several authors (`author` stands once), are
//!   `dc:creator`; both together would say it twice.
//! - There is one `enclosure` (profile, "enclosure"); further ones are
//!   `media:content`.
//! - `ttl` only where it is configured: how long a feed stays true is said by HTTP.
//! - Where an article was published first is its `source`; the address is that of a
//!   feed by the specification, and of the article where no feed is known.

use rss::extension::Extension;
use rss::extension::dublincore::DublinCoreExtension;
use rss::{Category, Channel, Enclosure, Guid, Image, Source};

use crate::catalog::entry::Part;
use crate::convert::article::Person;
use crate::feed::page::{Attachment, Feed, Item};
use crate::render::content;
use crate::render::html::Escaped;
use crate::render::rendition::Format;
use crate::render::xml::{self, Element, Extensions};

pub fn document(feed: &Feed) -> Vec<u8> {
    let mut extensions = Extensions::<Extension>::default();
    links(feed, &mut extensions);
    let items: Vec<rss::Item> = feed.items.iter().map(item).collect();
    let prefixes = items.iter().flat_map(|it| it.extensions.keys());
    let namespaces = xml::namespaces(prefixes.chain(extensions.map.keys()));
    let size: usize = items.iter().filter_map(|it| it.content.as_ref()).map(String::len).sum();
    let creator = feed.author.email.is_none().then(|| plain(&feed.author.name));
    let channel = Channel {
        title: plain(&feed.title),
        link: xml::line(&feed.home).into(),
        description: plain(&feed.description),
        language: feed.language.clone(),
        copyright: feed.copyright.as_deref().map(plain),
        managing_editor: contact(&feed.author),
        last_build_date: xml::rfc822(feed.updated),
        generator: Some("Sower".into()),
        ttl: feed.ttl.map(|it| it.to_string()),
        image: feed.image.as_ref().or(feed.logo.as_ref()).or(feed.icon.as_ref()).map(|url| Image {
            url: xml::line(url).into(),
            title: plain(&feed.title),
            link: xml::line(&feed.home).into(),
            ..Image::default()
        }),
        docs: Some("https://www.rssboard.org/rss-specification".into()),
        dublin_core_ext: creator
            .map(|it| DublinCoreExtension { creators: vec![it], ..DublinCoreExtension::default() }),
        extensions: extensions.map,
        namespaces,
        items,
        ..Channel::default()
    };
    let capacity = size + size / 8 + 1024 * (channel.items.len() + 1);
    let document = channel.write_to(Vec::with_capacity(capacity));
    hexadecimal(document.expect("memory takes every write"))
}

/// Stand for `&` and `<` in plain text while the crate writes, which would escape
/// them by name. XML forbids both, so [`xml::text`] lets neither through.
const AMPERSAND: &str = "\u{FFFE}";
const LESS: &str = "\u{FFFF}";

/// `text` on one line, for an element of plain text.
fn plain(text: &str) -> String {
    let line = xml::line(text);
    match line.contains(['&', '<']) {
        true => line.replace('&', AMPERSAND).replace('<', LESS),
        false => line.into_owned(),
    }
}

/// `document` with what [`plain`] left in it as hexadecimal references.
fn hexadecimal(document: Vec<u8>) -> Vec<u8> {
    let reference = |at: usize| match document[at..].get(..3) {
        Some(it) if it == AMPERSAND.as_bytes() => Some("&#x26;"),
        Some(it) if it == LESS.as_bytes() => Some("&#x3C;"),
        _ => None,
    };
    let (mut whole, mut start, mut from) = (Vec::new(), 0, 0);
    while let Some(offset) = document[from..].iter().position(|&it| it == AMPERSAND.as_bytes()[0]) {
        let at = from + offset;
        from = at + 1;
        if let Some(reference) = reference(at) {
            if whole.is_empty() {
                whole.reserve(document.len() + 1024);
            }
            whole.extend_from_slice(&document[start..at]);
            whole.extend_from_slice(reference.as_bytes());
            start = at + 3;
        }
    }
    if start == 0 {
        return document;
    }
    whole.extend_from_slice(&document[start..]);
    whole
}

/// `atom:link` of the channel: itself (profile, "atom:link"), the page for people,
/// and RFC 5005, section 4.
fn links(feed: &Feed, extensions: &mut Extensions<Extension>) {
    let own_type = xml::bare_type(Format::Rss);
    let mut push = |rel: &str, url: String, media_type: &str| {
        let link = Element::new("atom:link").with("rel", rel).with("href", url);
        extensions.push(link.with("type", media_type));
    };
    let url = |part| feed.url(part, Format::Rss.extension());
    push("self", url(feed.part), own_type);
    push("alternate", feed.page_url(feed.part), "text/html");
    if let Some(older) = feed.older {
        push("prev-archive", url(Part::Archive(older)), own_type);
    }
    if let Some(newer) = feed.newer {
        push("next-archive", url(Part::Archive(newer)), own_type);
    }
    for hub in &feed.hubs {
        extensions.push(Element::new("atom:link").with("rel", "hub").with("href", hub));
    }
    let mut push = |rel: &str, url: String, media_type: &str| {
        let link = Element::new("atom:link").with("rel", rel).with("href", url);
        extensions.push(link.with("type", media_type));
    };
    if feed.part != Part::Current {
        push("current", url(Part::Current), own_type);
        extensions.push(Element::new("fh:archive"));
    }
}

fn item(item: &Item) -> rss::Item {
    let mut extensions = Extensions::<Extension>::default();
    if let Some(link) = &item.link {
        extensions.push(Element::new("atom:link").with("rel", "related").with("href", link));
    }
    for url in &item.via {
        extensions.push(Element::new("atom:link").with("rel", "via").with("href", url));
    }
    for element in item.image.iter().flat_map(xml::picture) {
        extensions.push(element);
    }
    for attachment in item.enclosures.iter().skip(1) {
        extensions.push(media_content(attachment));
    }
    if item.updated > item.published {
        // RSS has no element of its own for it; readers know Atom's.
        extensions.push(Element::new("atom:updated").saying(&item.updated.to_string()));
    }
    let guid = xml::line(&item.guid).into_owned();
    let (author, creators) = match item.authors.as_slice() {
        [one] if one.email.is_some() => (contact(one), Vec::new()),
        many => (None, many.iter().map(|it| plain(&it.name)).collect()),
    };
    let languages: Vec<String> = item.language.iter().cloned().collect();
    let rights: Vec<String> = item.rights.iter().map(|it| plain(it)).collect();
    let has_dublin_core = !creators.is_empty() || !languages.is_empty() || !rights.is_empty();
    rss::Item {
        title: Some(plain(&item.title)),
        link: Some(xml::line(&item.url).into()),
        description: Some(description(item)),
        author,
        categories: item
            .tags
            .iter()
            .map(|tag| Category {
                name: plain(&tag.label),
                domain: Some(xml::line(tag.scheme()).into()),
            })
            .collect(),
        enclosure: item.enclosures.first().map(|it| Enclosure {
            url: xml::line(&it.url).into(),
            length: it.length.unwrap_or(0).to_string(),
            mime_type: xml::line(&it.media_type).into(),
        }),
        guid: Some(Guid { permalink: guid == item.url, value: guid }),
        pub_date: xml::rfc822(item.published),
        source: item.source.as_ref().map(|it| Source {
            url: xml::line(&it.url).into(),
            title: Some(plain(it.title.as_deref().unwrap_or(&it.url))),
        }),
        content: Some(content::body(item).into_owned()),
        extensions: extensions.map,
        dublin_core_ext: has_dublin_core.then(|| DublinCoreExtension {
            creators,
            languages,
            rights,
            ..DublinCoreExtension::default()
        }),
        ..rss::Item::default()
    }
}

/// The summary, else what is nearest to one.
fn description(item: &Item) -> String {
    let subtitle = || item.subtitle.as_deref().map(xml::line).filter(|it| !it.is_empty());
    let said = content::summary(item).or_else(subtitle);
    Escaped(&said.unwrap_or_else(|| xml::line(&item.title))).to_string()
}

/// `mail (Name)`, as RSS wants it. A name's parentheses would end the comment that
/// it is in.
fn contact(person: &Person) -> Option<String> {
    let mail = person.email.as_ref()?;
    let name = xml::line(&person.name).replace(['(', ')', '\\'], " ");
    Some(xml::line(&format!("{mail} ({})", xml::line(&name))).into_owned())
}

/// An enclosure after the first.
fn media_content(attachment: &Attachment) -> Element {
    let (width, height) = attachment.size.unzip();
    let title = attachment.title.as_deref().map(xml::line).filter(|it| !it.is_empty());
    Element::new("media:content")
        .with("url", &attachment.url)
        .with("type", &attachment.media_type)
        .with_any("fileSize", attachment.length)
        .with_any("duration", attachment.duration)
        .with_any("width", width)
        .with_any("height", height)
        .around(title.map(|it| Element::new("media:title").with("type", "plain").saying(&it)))
}

impl From<Element> for Extension {
    fn from(element: Element) -> Extension {
        let mut children = Extensions::<Extension>::default();
        for child in element.children {
            children.push(child);
        }
        Extension {
            name: element.name.into(),
            value: element.text,
            attrs: element.attributes,
            children: children.map.into_values().flatten().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_hexadecimal_references() {
        let table = [
            ("plain", "plain", "nothing to do"),
            ("<&>", "&#x3C;&#x26;>", "at both ends"),
            ("a &amp; b", "a &#x26;amp; b", "escaped once, never read"),
            (
                "\u{ff0c}<\u{fffd}",
                "\u{ff0c}&#x3C;\u{fffd}",
                "neighbours that begin as the marks do",
            ),
            ("\u{fffe}a\u{ffff}", "a", "what XML forbids is no mark"),
        ];
        for (text, expected, why) in table {
            let document = hexadecimal(plain(text).into_bytes());
            assert_eq!(String::from_utf8(document).unwrap(), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn mail_with_a_name() {
        let table = [
            ("Ann Lee", "ann@example.org (Ann Lee)", "as RSS wants it"),
            ("Bo (B.) \\Kim", "ann@example.org (Bo B. Kim)", "no comment in the comment"),
            ("A &\nB", "ann@example.org (A & B)", "one line"),
        ];
        for (name, expected, why) in table {
            let email = Some("ann@example.org".into());
            let person = Person { name: name.into(), uri: None, email };
            assert_eq!(contact(&person).as_deref(), Some(expected), "{why}");
        }
    }
}
