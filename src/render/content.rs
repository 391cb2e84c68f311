//! What an article's body is in a feed, the same in every format.

use std::borrow::Cow;

use crate::feed::page::Item;
use crate::render::html::Escaped;
use crate::render::xml;

/// The item's text as HTML, never empty: its subtitle, which has no element of its
/// own in any format, and its body. Of a body that is too long for feeds the
/// summary stands there, with a link to the whole.
pub fn body(item: &Item) -> Cow<'_, str> {
    let subtitle = item.subtitle.as_deref().map(xml::line).filter(|it| !it.is_empty());
    let mut opening = match &subtitle {
        Some(subtitle) => format!("<p><strong>{}</strong></p>\n", Escaped(subtitle)),
        None => String::new(),
    };
    let html = xml::text(&item.html);
    if !item.is_too_long && !html.trim().is_empty() {
        return match opening.is_empty() {
            true => html,
            false => Cow::Owned(opening + &html),
        };
    }
    let summary = summary(item).filter(|it| subtitle.as_ref() != Some(it));
    if let Some(summary) = summary {
        opening += &format!("<p>{}</p>\n", Escaped(&summary));
    }
    let (url, title) = (xml::line(&item.url), xml::line(&item.title));
    opening += &format!("<p><a href=\"{}\">{}</a></p>\n", Escaped(&url), Escaped(&title));
    Cow::Owned(opening)
}

/// Plain text on one line; `None` where the item has none.
pub fn summary(item: &Item) -> Option<Cow<'_, str>> {
    Some(xml::line(&item.summary)).filter(|it| !it.is_empty())
}
