//! What the client likes: `Accept` and `Accept-Encoding` (RFC 9110, section 12.5).
//!
//! Pure, and without allocation, since every request comes through here. Elements
//! that are no correct list members are ignored.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

use crate::render::rendition::Format;
use crate::shelf::snapshot::{Coding, Codings, Stock, Variant};

/// A quality value in thousandths (RFC 9110, section 12.4.2). 0 is "not
/// acceptable".
type Quality = u16;

/// How much the client likes each coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codes {
    brotli: Quality,
    zstd: Quality,
    gzip: Quality,
    /// `None` where the client does not speak of it: then it will do, but anything
    /// that the client names is better.
    identity: Option<Quality>,
}

/// What to send: a coding, and one that would be better but is not made yet.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    pub coding: Coding,
    pub variant: &'a Variant,
    pub wish: Option<Coding>,
}

impl Codes {
    /// RFC 9110, section 12.5.3. Without the field any coding will do; then we send
    /// none, since a client that knows codings says so.
    ///
    /// `*` stands for gzip and identity alone: whoever sends it knows no brotli.
    pub fn of(headers: &HeaderMap) -> Codes {
        let mut codes = Codes { brotli: 0, zstd: 0, gzip: 0, identity: None };
        let mut gzip = None;
        let mut others = None;
        for (token, quality) in members(headers, ACCEPT_ENCODING) {
            // Names ignore case; `x-gzip` is gzip (RFC 9110, section 8.4.1.3).
            let is = |name: &str| token.eq_ignore_ascii_case(name.as_bytes());
            if is("gzip") || is("x-gzip") {
                gzip = gzip.max(Some(quality));
            } else if is("br") {
                codes.brotli = quality;
            } else if is("zstd") {
                codes.zstd = quality;
            } else if is("identity") {
                codes.identity = Some(quality);
            } else if token == b"*" {
                others = Some(quality);
            }
        }
        codes.gzip = gzip.or(others).unwrap_or(0);
        if others == Some(0) {
            codes.identity = codes.identity.or(others);
        }
        codes
    }

    fn quality(&self, coding: Coding) -> Quality {
        match coding {
            Coding::Brotli => self.brotli,
            Coding::Zstd => self.zstd,
            Coding::Gzip => self.gzip,
            Coding::Identity => self.identity.unwrap_or(1),
        }
    }

    /// The best there is; of equals ours. `None` where nothing is acceptable.
    pub fn choose<'a>(&self, codings: &'a Codings) -> Option<Choice<'a>> {
        let mut best: Option<(Quality, Coding, &Variant)> = None;
        let mut wish: Option<(Quality, Coding)> = None;
        for coding in Coding::ALL {
            let quality = self.quality(coding);
            match codings.stock(coding) {
                Stock::Ready(variant) if quality > best.map_or(0, |it| it.0) => {
                    best = Some((quality, coding, variant));
                }
                Stock::Unmade if quality > wish.map_or(0, |it| it.0) => {
                    wish = Some((quality, coding));
                }
                _ => {}
            }
        }
        let (quality, coding, variant) = best?;
        let is_better = |it: &(Quality, Coding)| {
            it.0 > quality || it.0 == quality && (it.1 as u8) < coding as u8
        };
        Some(Choice { coding, variant, wish: wish.filter(is_better).map(|it| it.1) })
    }

    /// Whether something without a coding will do.
    pub fn allow_identity(&self) -> bool {
        self.identity != Some(0)
    }
}

/// The format of a feed that the client prefers; of equals Atom, then RSS. Where it
/// likes none, Atom all the same: a feed it did not ask for is more than nothing.
pub fn format(headers: &HeaderMap) -> Format {
    let mut best = (0, Format::Atom);
    for format in Format::ALL {
        let types: &[&str] = match format {
            Format::Atom => &["application/atom+xml", "application/xml", "text/xml"],
            Format::Rss => &["application/rss+xml", "application/xml", "text/xml"],
            Format::Json => &["application/feed+json", "application/json"],
        };
        // A format that is named counts as it is named; else any of its types will do.
        let quality = match fit(headers, types[0]) {
            Some((2, quality)) => quality,
            _ => types.iter().filter_map(|it| quality(headers, it)).max().unwrap_or(0),
        };
        if quality > best.0 {
            best = (quality, format);
        }
    }
    best.1
}

/// Whether an error should be problem JSON (RFC 9457) rather than a page.
pub fn prefers_json(headers: &HeaderMap) -> bool {
    let best = |types: &[&str]| types.iter().filter_map(|it| quality(headers, it)).max();
    let json = best(&["application/problem+json", "application/json", "application/feed+json"]);
    let page = best(&["text/html", "application/xhtml+xml"]);
    json > page
}

/// Whether the client names HTML, and likes nothing that a feed is more.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let named = |it: &str| fit(headers, it).filter(|fit| fit.0 == 2).map_or(0, |fit| fit.1);
    let feeds = ["application/atom+xml", "application/rss+xml", "application/feed+json"];
    let html = named("text/html");
    html > 0
        && feeds.into_iter().all(|it| named(it) == 0)
        && ["application/xml", "text/xml"].into_iter().all(|it| named(it) < html)
}

/// How much the client likes `media_type`, by the range that fits it most closely
/// (RFC 9110, section 12.5.1); `None` without the field.
fn quality(headers: &HeaderMap, media_type: &str) -> Option<Quality> {
    match fit(headers, media_type) {
        Some((_, quality)) => Some(quality),
        None => headers.contains_key(ACCEPT).then_some(0),
    }
}

/// The range that fits `media_type` most closely: 2 for its name, 1 for its tree,
/// 0 for all; with its weight.
fn fit(headers: &HeaderMap, media_type: &str) -> Option<(u8, Quality)> {
    let tree = &media_type.as_bytes()[..=media_type.find('/')?];
    let mut closest: Option<(u8, Quality)> = None;
    for (range, quality) in members(headers, ACCEPT) {
        let closeness = if range.eq_ignore_ascii_case(media_type.as_bytes()) {
            2
        } else if range.strip_suffix(b"*").is_some_and(|it| it.eq_ignore_ascii_case(tree)) {
            1
        } else if range == b"*/*" {
            0
        } else {
            continue;
        };
        if closest.is_none_or(|it| closeness > it.0) {
            closest = Some((closeness, quality));
        }
    }
    closest
}

/// The members of a list with weights, over all fields of that name.
fn members(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&[u8], Quality)> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|it| it.as_bytes().split(|&byte| byte == b','))
        .filter_map(member)
}

fn member(text: &[u8]) -> Option<(&[u8], Quality)> {
    let mut parts = text.split(|&byte| byte == b';');
    let token = parts.next()?.trim_ascii();
    if token.is_empty() {
        return None;
    }
    for parameter in parts {
        if let [b'q' | b'Q', b'=', value @ ..] = parameter.trim_ascii() {
            return Some((token, weight(value)?));
        }
    }
    Some((token, 1000))
}

/// RFC 9110, section 12.4.2: 0 to 1 with at most three digits.
fn weight(text: &[u8]) -> Option<Quality> {
    let (whole, digits) = match text {
        [whole] | [whole, b'.'] => (whole, &[][..]),
        [whole, b'.', digits @ ..] if digits.len() <= 3 => (whole, digits),
        _ => return None,
    };
    let mut thousandths = 0;
    for at in 0..3 {
        let digit = digits.get(at).unwrap_or(&b'0');
        thousandths =
            thousandths * 10 + Quality::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    match (whole, thousandths) {
        (b'0', _) => Some(thousandths),
        (b'1', 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use bytes::Bytes;
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|it| (name.clone(), HeaderValue::from_bytes(it.as_bytes()).unwrap()))
            .collect()
    }

    fn variant() -> Variant {
        let value = HeaderValue::from_static("x");
        let (head, unchanged) = Default::default();
        Variant { bytes: Bytes::new(), etag: value.clone(), length: value, head, unchanged }
    }

    fn codings(gzip: bool, brotli: Option<bool>, zstd: Option<bool>) -> Codings {
        let lock = |it: Option<bool>| {
            let lock = OnceLock::new();
            if let Some(it) = it {
                lock.set(it.then(variant)).unwrap();
            }
            lock
        };
        Codings {
            identity: variant(),
            gzip: gzip.then(variant),
            brotli: lock(brotli),
            zstd: lock(zstd),
        }
    }

    #[test]
    fn codings_by_accept_encoding() {
        use Coding::{Brotli, Gzip, Identity, Zstd};
        let at_first = codings(true, None, None);
        let all = codings(true, Some(true), Some(true));
        let none = codings(false, Some(false), Some(false));
        let no_wish = None::<Coding>;
        type Expected = Option<(Coding, Option<Coding>)>;
        let table: &[(&[&str], &Codings, Expected, &str)] = &[
            (&[], &all, Some((Identity, no_wish)), "no field: whoever knows codings says so"),
            (&[""], &all, Some((Identity, no_wish)), "12.5.3: empty asks for identity"),
            (&["gzip"], &at_first, Some((Gzip, no_wish)), ""),
            (&["x-gzip"], &at_first, Some((Gzip, no_wish)), "8.4.1.3"),
            (&["GZip"], &at_first, Some((Gzip, no_wish)), "8.4.1: names ignore case"),
            (&["gzip, deflate, br, zstd"], &all, Some((Brotli, no_wish)), "of equals the smallest"),
            (&["gzip, deflate, br, zstd"], &at_first, Some((Gzip, Some(Brotli))), "not made yet"),
            (&["zstd, gzip"], &at_first, Some((Gzip, Some(Zstd))), ""),
            (&["br"], &at_first, Some((Identity, Some(Brotli))), "identity until it is made"),
            (&["br;q=0.5, gzip"], &at_first, Some((Gzip, no_wish)), "liked less: no wish"),
            (&["br;q=0.5, gzip"], &all, Some((Gzip, no_wish)), "liked less"),
            (&["gzip;q=0.5, zstd;q=0.9, br;q=0.8"], &all, Some((Zstd, no_wish)), "by weight"),
            (&["gzip, br, zstd"], &none, Some((Identity, no_wish)), "none is shorter"),
            (&["gzip;q=0"], &all, Some((Identity, no_wish)), "12.5.3: 0 is not acceptable"),
            (&["gzip;q=0.001"], &all, Some((Gzip, no_wish)), "better than what is not named"),
            (&["identity, gzip;q=0.5"], &all, Some((Identity, no_wish)), "identity is named"),
            (&["identity;q=0.5, gzip;q=0.5"], &all, Some((Gzip, no_wish)), "of equals ours"),
            (&["*"], &all, Some((Gzip, no_wish)), "whoever sends it knows no brotli"),
            (&["*;q=0"], &all, None, "12.5.3: identity, too"),
            (&["identity;q=0"], &all, None, "and nothing else is named"),
            (&["identity;q=0, gzip"], &all, Some((Gzip, no_wish)), ""),
            (&["identity;q=0, gzip"], &none, None, "no gzip of this"),
            (&["identity;q=0, *"], &all, Some((Gzip, no_wish)), ""),
            (&["*;q=0, identity;q=0.1"], &all, Some((Identity, no_wish)), "the exact one counts"),
            (&["*;q=0, gzip"], &all, Some((Gzip, no_wish)), ""),
            (&["gzip;q=0, *"], &all, Some((Identity, no_wish)), "the exact one counts"),
            (&["br", "gzip"], &at_first, Some((Gzip, Some(Brotli))), "5.3: two fields are a list"),
            (&["gzip ; q=0.5 , br;q=0.4"], &all, Some((Gzip, no_wish)), "blanks around"),
            (&["gzip;Q=0"], &all, Some((Identity, no_wish)), "5.6.6: names ignore case"),
            (&["gzip;q=2"], &all, Some((Identity, no_wish)), "12.4.2: no weight, no member"),
            (&["gzip;q=0.1234"], &all, Some((Identity, no_wish)), "12.4.2: four digits"),
            (&[",,gzip,"], &all, Some((Gzip, no_wish)), "5.6.1.2: empty members"),
            (&["deflate, compress"], &all, Some((Identity, no_wish)), "codings we do not make"),
        ];
        for (lines, codings, expected, why) in table {
            let found = Codes::of(&headers(ACCEPT_ENCODING, lines)).choose(codings);
            assert_eq!(found.map(|it| (it.coding, it.wish)), *expected, "{lines:?}: {why}");
        }
    }

    #[test]
    fn weights() {
        let table: &[(&str, Option<Quality>, &str)] = &[
            ("1", Some(1000), ""),
            ("1.", Some(1000), "12.4.2: no digits are some"),
            ("1.000", Some(1000), ""),
            ("1.001", None, "more than 1"),
            ("0", Some(0), ""),
            ("0.5", Some(500), ""),
            ("0.05", Some(50), ""),
            ("0.005", Some(5), ""),
            ("0.0005", None, "four digits"),
            (".5", None, "no whole"),
            ("-1", None, ""),
            ("0.x", None, ""),
            ("", None, ""),
        ];
        for (text, expected, why) in table {
            assert_eq!(weight(text.as_bytes()), *expected, "{text}: {why}");
        }
    }

    #[test]
    fn formats_by_accept() {
        use Format::{Atom, Json, Rss};
        let table: &[(&[&str], Format, &str)] = &[
            (&[], Atom, "no field"),
            (&["*/*"], Atom, "of equals Atom"),
            (&["application/rss+xml"], Rss, ""),
            (&["application/feed+json"], Json, ""),
            (&["application/json"], Json, "the general type"),
            (&["application/rss+xml, application/atom+xml;q=0.9"], Rss, "by weight"),
            (&["application/rss+xml;q=0.8, application/atom+xml;q=0.9"], Atom, "by weight"),
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
                Atom,
                "browsers",
            ),
            (&["*/*;q=0.1, APPLICATION/RSS+XML"], Rss, "12.5.1: types ignore case"),
            (&["application/*;q=0.5, application/atom+xml;q=0.1"], Rss, "the closest range counts"),
            (&["application/atom+xml;q=0, */*"], Rss, "Atom is refused by name"),
            (&["image/png"], Atom, "something is better than nothing"),
        ];
        for (lines, expected, why) in table {
            assert_eq!(format(&headers(ACCEPT, lines)), *expected, "{lines:?}: {why}");
        }
    }

    #[test]
    fn errors_by_accept() {
        let table: &[(&[&str], bool, &str)] = &[
            (&[], false, "no field: a page"),
            (&["*/*"], false, "of equals a page"),
            (&["text/html"], false, ""),
            (&["application/json"], true, ""),
            (&["application/problem+json"], true, "RFC 9457"),
            (&["application/feed+json, */*;q=0.1"], true, "a reader of JSON Feed"),
            (&["text/html, application/json;q=0.9"], false, ""),
        ];
        for (lines, expected, why) in table {
            assert_eq!(prefers_json(&headers(ACCEPT, lines)), *expected, "{lines:?}: {why}");
        }
    }

    proptest! {
        #[test]
        fn any_field_is_understood_or_ignored(
            lines in prop::collection::vec(prop::collection::vec(b' '..=b'~', 0..60), 0..3),
        ) {
            let lines: Vec<&str> = lines.iter().map(|it| std::str::from_utf8(it).unwrap()).collect();
            let all = codings(true, Some(true), Some(true));
            let codes = Codes::of(&headers(ACCEPT_ENCODING, &lines));
            if let Some(choice) = codes.choose(&all) {
                prop_assert!(codes.quality(choice.coding) > 0);
            }
            format(&headers(ACCEPT, &lines));
            prefers_json(&headers(ACCEPT, &lines));
        }
    }
}
