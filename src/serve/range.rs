//! `Range` of bytes (RFC 9110, section 14).
//!
//! Pure.

use http::HeaderMap;
use http::header::RANGE;

/// Bytes of a file, the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: u64,
    pub last: u64,
}

impl Span {
    /// Never 0.
    pub fn length(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// What a request asks of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ranges {
    /// All of it: no range, one we do not understand, or more than is sensible.
    All,
    One(Span),
    /// At least two, in the order asked.
    Many(Vec<Span>),
    /// 416.
    Unsatisfiable,
}

/// Ranges that one request may ask for. More than these, or ranges that together
/// are longer than the file, are likely an attack (RFC 9110, section 17.15), and are
/// answered with all of it.
const MOST: usize = 8;

/// The ranges that `headers` ask of a file of `length` bytes.
pub fn ranges(headers: &HeaderMap, length: u64) -> Ranges {
    if length == 0 {
        // No `Content-Range` can say which bytes of nothing these are.
        return Ranges::All;
    }
    let mut values = headers.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Ranges::All };
    let Ok(value) = value.to_str() else { return Ranges::All };
    let Some((unit, set)) = value.split_once('=') else { return Ranges::All };
    if !unit.trim_ascii().eq_ignore_ascii_case("bytes") {
        return Ranges::All;
    }
    let mut spans = Vec::new();
    let mut count = 0;
    for spec in set.split(',').map(str::trim_ascii).filter(|it| !it.is_empty()) {
        count += 1;
        match span(spec, length) {
            None => return Ranges::All,
            Some(_) if count > MOST => return Ranges::All,
            Some(span) => spans.extend(span),
        }
    }
    let total = spans.iter().fold(0u64, |sum, it| sum.saturating_add(it.length()));
    match spans.as_slice() {
        [] if count == 0 => Ranges::All,
        [] => Ranges::Unsatisfiable,
        [only] => Ranges::One(*only),
        _ if total > length => Ranges::All,
        _ => Ranges::Many(spans),
    }
}

/// Section 14.1.2. `None` where it is no range, `Some(None)` where nothing of the
/// file lies in it.
fn span(spec: &str, length: u64) -> Option<Option<Span>> {
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim_ascii(), last.trim_ascii());
    if first.is_empty() {
        let from_end = number(last)?.min(length);
        let span = Span { first: length - from_end, last: length - 1 };
        return Some((from_end > 0).then_some(span));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some((first < length).then(|| Span { first, last: last.min(length - 1) }))
}

/// Numbers too large for us are larger than any file.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn asked(value: &str, length: u64) -> Ranges {
        let value = HeaderValue::from_str(value).unwrap();
        ranges(&[(RANGE, value)].into_iter().collect(), length)
    }

    fn span(first: u64, last: u64) -> Span {
        Span { first, last }
    }

    #[test]
    fn ranges_of_a_thousand_bytes() {
        use Ranges::{All, Many, One, Unsatisfiable};
        let table = [
            ("bytes=0-499", One(span(0, 499)), "14.1.2: the first 500"),
            ("bytes=500-999", One(span(500, 999)), ""),
            ("bytes=0-0", One(span(0, 0)), "one byte"),
            ("bytes=-500", One(span(500, 999)), "the last 500"),
            ("bytes=-5000", One(span(0, 999)), "14.1.2: more than there is: all"),
            ("bytes=500-", One(span(500, 999)), "from there on"),
            ("bytes=500-5000", One(span(500, 999)), "14.1.2: the end is cut"),
            ("bytes=999-18446744073709551616", One(span(999, 999)), "larger than any number"),
            ("Bytes = 0-1", One(span(0, 1)), "14.1: units ignore case"),
            ("bytes=1000-", Unsatisfiable, "14.1.2: behind the end"),
            ("bytes=-0", Unsatisfiable, "14.1.2: nothing"),
            ("bytes=1000-,2000-", Unsatisfiable, ""),
            ("bytes=0-1, 4-5", Many(vec![span(0, 1), span(4, 5)]), ""),
            ("bytes=4-5,0-1", Many(vec![span(4, 5), span(0, 1)]), "in the order asked"),
            ("bytes=0-1,2000-", One(span(0, 1)), "15.3.7: what can be satisfied is"),
            ("bytes=,0-1,,", One(span(0, 1)), "5.6.1.2: empty members"),
            ("bytes=0-,0-", All, "17.15: together longer than the file"),
            ("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8", All, "17.15: too many"),
            ("bytes=5-4", All, "14.1.1: invalid, ignored"),
            ("bytes=a-b", All, ""),
            ("bytes=0-1,x", All, "one invalid, all invalid"),
            ("bytes=+1-2", All, "digits only"),
            ("bytes=", All, ""),
            ("bytes=-", All, ""),
            ("lines=1-2", All, "14.2: another unit is ignored"),
            ("bytes", All, ""),
        ];
        for (value, expected, why) in table {
            assert_eq!(asked(value, 1000), expected, "{value}: {why}");
        }
        assert_eq!(asked("bytes=0-", 0), All, "14.2: a range may be ignored");
        assert_eq!(asked("bytes=-5", 0), All);
        assert_eq!(ranges(&HeaderMap::new(), 1000), All);
    }

    proptest! {
        #[test]
        fn spans_lie_in_the_file(value in "bytes=[0-9,-]{0,30}|[ -~]{0,30}", length in 0u64..2000) {
            let spans = match asked(&value, length) {
                Ranges::One(span) => vec![span],
                Ranges::Many(spans) => spans,
                Ranges::All | Ranges::Unsatisfiable => vec![],
            };
            for span in spans {
                prop_assert!(span.first <= span.last && span.last < length);
            }
        }
    }
}
