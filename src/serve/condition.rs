//! Conditional requests (RFC 9110, section 13).
//!
//! Pure, and without allocation where the client's tag is the one we would send.

use std::time::{Duration, SystemTime};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderValue};

use crate::shelf::snapshot::Coding;

/// What tells one state of a resource from another.
#[derive(Debug, Clone, Copy)]
pub struct Validators<'a> {
    /// Of what would be sent.
    pub etag: &'a HeaderValue,
    /// Seconds since 1970; `None` where we cannot say.
    pub modified: Option<i64>,
}

/// What follows from the preconditions of a GET or HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Proceed,
    /// 304, with the tag of what the client has.
    NotModified(HeaderValue),
    /// 412.
    Failed,
}

/// The preconditions in the order of RFC 9110, section 13.2.2; `If-Range` is left to
/// [`may_resume`].
pub fn evaluate(headers: &HeaderMap, now: Validators<'_>) -> Outcome {
    // Step 1 and 2: nobody sends them with GET, but they have their meaning.
    if headers.contains_key(IF_MATCH) {
        if matching(headers, &IF_MATCH, now.etag, Comparison::Strong).is_none() {
            return Outcome::Failed;
        }
    } else if let (Some(date), Some(modified)) = (date(headers, &IF_UNMODIFIED_SINCE), now.modified)
        && modified > date
    {
        return Outcome::Failed;
    }
    // Step 3 and 4.
    if headers.contains_key(IF_NONE_MATCH) {
        match matching(headers, &IF_NONE_MATCH, now.etag, Comparison::Weak) {
            Some(tag) => Outcome::NotModified(tag),
            None => Outcome::Proceed,
        }
    } else if let (Some(date), Some(modified)) = (date(headers, &IF_MODIFIED_SINCE), now.modified)
        && modified <= date
    {
        Outcome::NotModified(now.etag.clone())
    } else {
        Outcome::Proceed
    }
}

/// Whether `Range` counts (RFC 9110, section 13.1.5): without `If-Range`, or where
/// it names exactly what we would send. A date counts where `is_settled`: nothing
/// can have changed twice in that second (section 8.8.2.2).
pub fn may_resume(headers: &HeaderMap, now: Validators<'_>, is_settled: bool) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    match value.as_bytes() {
        [b'"', ..] => value == now.etag,
        [b'W', b'/', ..] => false,
        _ => {
            let date = date(headers, &IF_RANGE);
            is_settled && date.is_some() && date == now.modified
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// The first tag of the field that names any coding of what `etag` names.
fn matching(
    headers: &HeaderMap,
    name: &http::HeaderName,
    etag: &HeaderValue,
    comparison: Comparison,
) -> Option<HeaderValue> {
    let is_weak = etag.as_bytes().starts_with(b"W/");
    if comparison == Comparison::Strong && is_weak {
        let is_any = headers.get_all(name).iter().any(|it| it.as_bytes().trim_ascii() == b"*");
        return is_any.then(|| etag.clone());
    }
    let ours = content(unweakened(etag.as_bytes()));
    let mut found = None;
    for value in headers.get_all(name) {
        if value == etag || value.as_bytes().trim_ascii() == b"*" {
            return Some(etag.clone());
        }
        for (tag, is_weak) in Tags(value.as_bytes()) {
            if is_weak && comparison == Comparison::Strong || content(tag) != ours {
                continue;
            }
            if tag == unweakened(etag.as_bytes()) {
                return Some(etag.clone());
            }
            found = found.or_else(|| HeaderValue::from_bytes(tag).ok());
        }
    }
    found
}

fn unweakened(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// A tag without its quotation marks and the suffix of its coding: what names the
/// content, however it is coded.
pub(super) fn content(tag: &[u8]) -> &[u8] {
    let tag = tag.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\"")).unwrap_or(tag);
    Coding::ALL
        .iter()
        .filter(|it| !it.suffix().is_empty())
        .find_map(|it| tag.strip_suffix(it.suffix().as_bytes()))
        .unwrap_or(tag)
}

/// The entity tags of a list, with their quotation marks.
pub(super) fn tags(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    Tags(value).map(|(tag, _)| tag)
}

/// The entity tags of a list (RFC 9110, section 8.8.3), with their quotation marks,
/// and whether each is weak. Commas may stand in a tag. Ends at the first thing that
/// is no tag.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = (&'a [u8], bool);

    fn next(&mut self) -> Option<(&'a [u8], bool)> {
        let start = self.0.iter().position(|it| !matches!(it, b' ' | b'\t' | b','))?;
        let rest = &self.0[start..];
        let tag = unweakened(rest);
        let is_weak = tag.len() < rest.len();
        let inner = tag.strip_prefix(b"\"")?;
        let end = inner.iter().position(|&it| it == b'"')?;
        self.0 = &inner[end + 1..];
        Some((&tag[..end + 2], is_weak))
    }
}

/// A date in any of the three forms of RFC 9110, section 5.6.7; `None` where it is
/// none, or stands there twice.
fn date(headers: &HeaderMap, name: &http::HeaderName) -> Option<i64> {
    let mut values = headers.get_all(name).iter();
    let text = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let time = httpdate::parse_http_date(text.trim_ascii()).ok()?;
    let since: Duration = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc-gzip\"";
    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const MODIFIED: i64 = 784_111_777;
    const AT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| {
                (name.parse::<http::HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    fn outcome(fields: &[(&str, &str)], etag: &'static str) -> String {
        let etag = HeaderValue::from_static(etag);
        let now = Validators { etag: &etag, modified: Some(MODIFIED) };
        match evaluate(&headers(fields), now) {
            Outcome::Proceed => "200".into(),
            Outcome::NotModified(tag) => format!("304 {}", tag.to_str().unwrap()),
            Outcome::Failed => "412".into(),
        }
    }

    #[test]
    fn preconditions() {
        let none = "if-none-match";
        let since = "if-modified-since";
        let until = "if-unmodified-since";
        let same = "304 \"abc-gzip\"";
        type Fields<'a> = &'a [(&'a str, &'a str)];
        let table: &[(Fields<'_>, &str, &str)] = &[
            (&[], "200", "no condition"),
            (&[(none, "\"abc-gzip\"")], same, "13.1.2"),
            (&[(none, "W/\"abc-gzip\"")], same, "13.1.2: compares weakly"),
            (&[(none, "\"abc\"")], "304 \"abc\"", "the same content in another coding"),
            (&[(none, "\"abc-br\"")], "304 \"abc-br\"", "in another coding, with that tag"),
            (&[(none, "\"abc-br\", \"abc-gzip\"")], same, "ours where it is named"),
            (&[(none, "\"x\", \"abc-zstd\"")], "304 \"abc-zstd\"", "13.1.2: any of a list"),
            (&[(none, "\"x\""), (none, "\"abc-gzip\"")], same, "5.3: two fields are a list"),
            (&[(none, "*")], same, "13.1.2"),
            (&[(none, " * ")], same, "blanks around"),
            (&[(none, "\"xyz\"")], "200", ""),
            (&[(none, "\"ab\"")], "200", "no part of a tag"),
            (&[(none, "\"a,b\", \"abc-gzip\"")], same, "8.8.3: a comma in a tag"),
            (&[(none, "\"*\"")], "200", "a tag of a star is no star"),
            (&[(none, "abc-gzip")], "200", "8.8.3: no quotation marks, no tag"),
            (&[(none, "w/\"abc-gzip\"")], "200", "8.8.3: W is a capital"),
            (&[(none, "\"abc-gzip")], "200", "8.8.3: not closed"),
            (&[(none, "")], "200", ""),
            (&[(since, AT)], same, "13.1.3: not after"),
            (&[(since, AFTER)], same, "13.1.3"),
            (&[(since, BEFORE)], "200", "13.1.3"),
            (&[(since, "Sunday, 06-Nov-94 08:49:37 GMT")], same, "5.6.7: RFC 850"),
            (&[(since, "Sun Nov  6 08:49:37 1994")], same, "5.6.7: asctime"),
            (&[(since, "yesterday")], "200", "13.1.3: no date is ignored"),
            (&[(since, AT), (since, AT)], "200", "13.1.3: a list is no date"),
            (&[(none, "\"x\""), (since, AT)], "200", "13.1.3: ignored beside If-None-Match"),
            (&[(none, "\"abc\""), (since, BEFORE)], "304 \"abc\"", "13.1.3: ignored"),
            (&[("if-match", "\"abc-gzip\"")], "200", "13.1.1"),
            (&[("if-match", "\"abc\"")], "200", "13.1.1: another coding of the content"),
            (&[("if-match", "W/\"abc-gzip\"")], "412", "13.1.1: compares strongly"),
            (&[("if-match", "\"x\"")], "412", "13.1.1"),
            (&[("if-match", "*")], "200", "13.1.1"),
            (&[(until, AT)], "200", "13.1.4"),
            (&[(until, BEFORE)], "412", "13.1.4"),
            (&[(until, "yesterday")], "200", "13.1.4: no date is ignored"),
            (&[("if-match", "*"), (until, BEFORE)], "200", "13.1.4: ignored beside If-Match"),
            (&[("if-match", "\"x\""), (none, "*")], "412", "13.2.2: If-Match comes first"),
            (&[(until, BEFORE), (none, "*")], "412", "13.2.2: step 2 before step 3"),
        ];
        for (fields, expected, why) in table {
            assert_eq!(outcome(fields, TAG), *expected, "{fields:?}: {why}");
        }
    }

    #[test]
    fn weak_tags_match_weakly_only() {
        let weak = "W/\"abc\"";
        assert_eq!(outcome(&[("if-none-match", "\"abc\"")], weak), "304 W/\"abc\"");
        assert_eq!(outcome(&[("if-none-match", "W/\"abc\"")], weak), "304 W/\"abc\"");
        assert_eq!(outcome(&[("if-match", "W/\"abc\"")], weak), "412", "RFC 9110, 8.8.3.2");
        assert_eq!(outcome(&[("if-match", "\"abc\"")], weak), "412", "RFC 9110, 8.8.3.2");
        assert_eq!(outcome(&[("if-match", "*")], weak), "200");
    }

    #[test]
    fn resuming() {
        let table = [
            (None, true, true, "no If-Range"),
            (Some("\"abc\""), true, true, "13.1.5: the same tag"),
            (Some("\"abc-gzip\""), true, false, "other bytes"),
            (Some("W/\"abc\""), true, false, "13.1.5: compares strongly"),
            (Some(AT), true, true, "13.1.5: exactly the date"),
            (Some(AFTER), true, false, "13.1.5: exactly, not later"),
            (Some(AT), false, false, "8.8.2.2: it may have changed twice in that second"),
            (Some("nonsense"), true, false, ""),
        ];
        for (value, is_settled, expected, why) in table {
            let fields: Vec<_> = value.iter().map(|it| ("if-range", *it)).collect();
            let etag = HeaderValue::from_static("\"abc\"");
            let now = Validators { etag: &etag, modified: Some(MODIFIED) };
            assert_eq!(
                may_resume(&headers(&fields), now, is_settled),
                expected,
                "{value:?}: {why}"
            );
        }
    }
}
