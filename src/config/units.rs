//! Durations and sizes as people write them: `300ms`, `10m`, `90d`; `8 MB`, `64 MiB`.
//! Bare numbers are seconds and bytes.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

const SPANS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("", 1000)];

const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("", 1),
];

/// Digits, perhaps blanks, one of `units`; in the smallest unit.
fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let digits: u64 = text[..end].parse().ok()?;
    let unit = text[end..].trim_start();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits.checked_mul(*factor)
}

impl Span {
    pub fn parse(text: &str) -> Option<Span> {
        number(text, SPANS).map(|it| Span(Duration::from_millis(it)))
    }
}

impl Size {
    pub fn parse(text: &str) -> Option<Size> {
        number(text, SIZES).map(Size)
    }
}

struct Measure<T> {
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for Measure<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        (self.parse)(&number.to_string())
            .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a duration such as \"300ms\", \"10m\" or \"90d\"";
        deserializer.deserialize_any(Measure { expected, parse: Span::parse })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a size such as \"8 MB\" or \"64 MiB\"";
        deserializer.deserialize_any(Measure { expected, parse: Size::parse })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let table = [
            ("300ms", Some(300)),
            ("10 m", Some(600_000)),
            ("90d", Some(7_776_000_000)),
            ("5", Some(5000)),
            ("1.5h", None),
            ("h", None),
            ("-1s", None),
            ("1w", None),
            ("99999999999999999999d", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|it| Span(Duration::from_millis(it)));
            assert_eq!(Span::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        let table = [
            ("8 MB", Some(8_000_000)),
            ("64MiB", Some(64 << 20)),
            ("12", Some(12)),
            ("16 KB", Some(16_000)),
            ("MB", None),
            ("8 mb", None),
        ];
        for (text, expected) in table {
            assert_eq!(Size::parse(text), expected.map(Size), "{text}");
        }
    }
}
