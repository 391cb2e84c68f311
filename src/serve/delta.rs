//! RFC 3229 with the instance manipulation `feed`: who asks for what changed in a
//! feed, since which version.
//!
//! Pure. A version is named by its tag, which tells the moment of its last change.

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::catalog::entry::Part;
use crate::render::rendition::Key;
use crate::serve::condition;
use crate::shelf::snapshot::{Body, Document, Item, Shelved, moment};

pub const A_IM: HeaderName = HeaderName::from_static("a-im");

/// What changed in the feed on `shelved`, where the client asks for that and names a
/// version that we know, older than the present one.
pub fn wanted(headers: &HeaderMap, shelved: &Shelved) -> Option<Key> {
    if !headers.contains_key(A_IM) || !accepts(headers, "feed") {
        return None;
    }
    let Key::Feed { scope, part: Part::Current, format } = &shelved.key else { return None };
    let since = base(headers, &shelved.path)?.1;
    let current = moment(identity_tag(shelved)?, &shelved.path)?;
    (since < current).then(|| Key::Delta { scope: scope.clone(), format: *format, since })
}

/// The tag of the version that the client has, and its moment: the newest that it
/// names.
pub fn base<'h>(headers: &'h HeaderMap, path: &str) -> Option<(&'h [u8], i64)> {
    let tags = headers.get_all(IF_NONE_MATCH).iter();
    let tags = tags.flat_map(|it| condition::tags(it.as_bytes()));
    let known = tags.filter_map(|tag| {
        let content = std::str::from_utf8(condition::content(tag)).ok()?;
        Some((tag, moment(content, path)?))
    });
    known.max_by_key(|it| it.1)
}

/// Whether `shelved` tells what led to the present version of the feed.
pub fn is_of(delta: &Shelved, feed: &Shelved) -> bool {
    let tag = identity_tag(delta);
    tag.is_some() && tag == identity_tag(feed)
}

/// Without quotation marks.
fn identity_tag(shelved: &Shelved) -> Option<&str> {
    match &shelved.item {
        Item::Document(Document { body: Body::Bytes(codings), .. }) => {
            Some(codings.identity.etag.to_str().ok()?.trim_matches('"'))
        }
        _ => None,
    }
}

/// Whether `A-IM` names a manipulation (RFC 3229, section 10.5.3), not with `q=0`.
pub fn accepts(headers: &HeaderMap, name: &str) -> bool {
    let values = headers.get_all(A_IM).iter();
    values.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(',')).any(|member| {
        let mut parts = member.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(name));
        is_named && !parts.any(|it| matches!(it, "q=0" | "q=0." | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// The value of `IM`: what was done to the feed, in this order.
pub fn manipulations(is_compressed: bool) -> HeaderValue {
    HeaderValue::from_static(if is_compressed { "feed, gzip" } else { "feed" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manipulations_that_are_accepted() {
        let table = [
            ("feed", true, "as readers send it"),
            ("vcdiff, Feed;q=0.5", true, "one of several, with a weight"),
            ("feed;q=0", false, "RFC 3229, 10.5.3: not accepted"),
            ("feeds", false, "another name"),
            ("", false, "nothing"),
        ];
        for (value, expected, why) in table {
            let mut headers = HeaderMap::new();
            headers.insert(A_IM, HeaderValue::from_str(value).unwrap());
            assert_eq!(accepts(&headers, "feed"), expected, "{value}: {why}");
        }
    }
}
