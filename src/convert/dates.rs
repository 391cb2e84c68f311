//! Dates in the forms that people write them.
//!
//! In: what stands in a document, and the zone that counts where none is written.
//! Out: a moment, or nothing where no reading is certain. No clock: `yesterday` is no
//! date.
//!
//! A form is read by its parts (year, month by number or name, day, time, zone), not
//! by a list of patterns, so that each combination works. A new language is a row in
//! `MONTHS`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// The moment that `text` states; a date alone is midnight in `timezone`.
///
/// - RFC 3339 and ISO 8601: `2024-01-02`, `2024-01-02T03:04:05.678+09:00`,
///   `2024-01-02 03:04`, `20240102T030405Z`; also with `/` or `.` between, single
///   digits, a blank before the zone.
/// - RFC 5322: `Tue, 2 Jan 2024 03:04:05 +0900`.
/// - As people write it: `January 2, 2024`, `2nd Jan. 2024, 3:04 pm`, `2. Januar 2024`,
///   `2024年1月2日`, `2024년 1월 2일`, `2.1.2024`.
/// - Seconds or milliseconds since 1970, as ten or thirteen digits.
///
/// `3/4/2024` is two different days, so it is none; `13/4/2024` is one.
pub fn parse(text: &str, timezone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim().trim_matches(['"', '\'']).trim();
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    if let Some(moment) = since_1970(text) {
        return Some(moment);
    }
    let folded = folded(text);
    let mut parts = Parts { rest: &folded };
    let date = parts.date()?;
    parts.skip(&[' ', ',', 't', '_']);
    let mut time = Time::midnight();
    if !parts.rest.is_empty() && !parts.is_at_zone() {
        time = parts.time().or_else(|| parts.compact_time())?;
        // Ruby's and C's way to say the year, by those who said it already.
        let year = format!("{:04}", date.year());
        parts.rest = parts.rest.trim_start().strip_prefix(&*year).unwrap_or(parts.rest);
    }
    let offset = parts.zone()?;
    parts.skip(&[' ', ')', '.']);
    if !parts.rest.is_empty() {
        return None;
    }
    let civil = DateTime::from_parts(date, time);
    match offset {
        Some(offset) => offset.to_timestamp(civil).ok(),
        None => timezone.to_timestamp(civil).ok(),
    }
}

/// The date at the start of a file name, and what follows it without the sign
/// between: `2024-01-02-title`, `2024-01-02 Title`, `2024_01_02_title`, `20240102-title`.
/// The date alone is one, too.
pub fn at_start_of_name<'n>(name: &'n str, timezone: &TimeZone) -> Option<(Timestamp, &'n str)> {
    let bytes = name.as_bytes();
    let digits = |from: usize, to: usize| {
        bytes.get(from..to).filter(|it| it.iter().all(u8::is_ascii_digit))?;
        name[from..to].parse::<i16>().ok()
    };
    let sign = bytes.get(4).copied();
    let (date, after) = match sign {
        Some(b'-' | b'_' | b'.') if bytes.get(7).copied() == sign => {
            (new_date(digits(0, 4)?, digits(5, 7)?, digits(8, 10)?)?, 10)
        }
        _ => (new_date(digits(0, 4)?, digits(4, 6)?, digits(6, 8)?)?, 8),
    };
    let rest = &name[after..];
    let title = rest.trim_start_matches(['-', '_', ' ', '.']);
    if title.len() == rest.len() && !rest.is_empty() {
        return None;
    }
    let moment = timezone.to_timestamp(DateTime::from_parts(date, Time::midnight())).ok()?;
    Some((moment, title))
}

/// The date of a path that has year, month and day as folders, as generators build
/// addresses: `/2024/01/02/title`, `/blog/2024/01/02/title`.
pub fn of_path(path: &str, timezone: &TimeZone) -> Option<Timestamp> {
    let parts: Vec<&str> = path.split('/').collect();
    let number = |part: &str, digits: usize| {
        let is_number = part.len() == digits && part.bytes().all(|it| it.is_ascii_digit());
        is_number.then(|| part.parse::<i16>().ok())?
    };
    let date = parts
        .windows(3)
        .find_map(|it| new_date(number(it[0], 4)?, number(it[1], 2)?, number(it[2], 2)?))?;
    timezone.to_timestamp(DateTime::from_parts(date, Time::midnight())).ok()
}

fn since_1970(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => Timestamp::from_second(number).ok(),
        13 => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}

/// In lower case, the signs of East Asian dates as `-`, other digits as ASCII.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '年' | '月' | '년' | '월' => out.push('-'),
            '日' | '일' | '\u{a0}' | '\u{202f}' | '\u{3000}' => out.push(' '),
            '时' | '時' | '点' | '시' | '：' => out.push(':'),
            '٠'..='٩' => out.push(char::from(b'0' + (character as u32 - 0x660) as u8)),
            '۰'..='۹' => out.push(char::from(b'0' + (character as u32 - 0x6F0) as u8)),
            '０'..='９' => out.push(char::from(b'0' + (character as u32 - 0xFF10) as u8)),
            '\u{2212}' | '\u{2013}' => out.push('-'),
            '\u{200e}' | '\u{200f}' => {}
            other => out.extend(other.to_lowercase()),
        }
    }
    let joined = out.replace("- ", "-");
    joined.trim().to_owned()
}

fn new_date(year: i16, month: i16, day: i16) -> Option<Date> {
    let is_year = (1..=9999).contains(&year);
    is_year.then(|| Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok())?
}

struct Parts<'t> {
    rest: &'t str,
}

impl<'t> Parts<'t> {
    fn skip(&mut self, signs: &[char]) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches(signs);
        self.rest.len() < before
    }

    fn take(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Digits, and how many of them.
    fn number(&mut self) -> Option<(i16, usize)> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest[..length].parse().ok()?;
        self.rest = &self.rest[length..];
        Some((number, length))
    }

    fn word(&mut self) -> &'t str {
        let end = self.rest.find(|it: char| !it.is_alphabetic() && it != '\u{301}');
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn date(&mut self) -> Option<Date> {
        if self.rest.bytes().take_while(u8::is_ascii_digit).count() == 8 {
            let number: i32 = self.rest[..8].parse().ok()?;
            self.rest = &self.rest[8..];
            let part = |it: i32| i16::try_from(it).ok();
            return new_date(
                part(number / 10_000)?,
                part(number / 100 % 100)?,
                part(number % 100)?,
            );
        }
        match self.rest.chars().next()?.is_ascii_digit() {
            true => self.date_from_number(),
            false => self.date_from_word(),
        }
    }

    fn date_from_number(&mut self) -> Option<Date> {
        let (first, length) = self.number()?;
        let sign = self.rest.chars().next()?;
        if length == 4 {
            if !self.skip(&['-', '/', '.', ' ']) {
                return None;
            }
            let month = self.month()?;
            self.skip(&['-', '/', '.', ' ']);
            let (day, _) = self.number()?;
            return new_date(first, month, day);
        }
        if length > 2 {
            return None;
        }
        for ordinal in ["st", "nd", "rd", "th", "er", "º", "ª"] {
            self.rest = self.rest.strip_prefix(ordinal).unwrap_or(self.rest);
        }
        self.skip(&[' ', '.', '-', '/', ',']);
        for word in ["of ", "de ", "di "] {
            self.rest = self.rest.strip_prefix(word).unwrap_or(self.rest);
        }
        if !self.rest.starts_with(|it: char| it.is_ascii_digit()) {
            let month = self.month()?;
            return self.year_after(first, month);
        }
        let (second, _) = self.number()?;
        if !self.skip(&[sign]) {
            return None;
        }
        self.skip(&[' ']);
        let (year, digits) = self.number()?;
        if digits != 4 {
            return None;
        }
        match sign {
            '.' => new_date(year, second, first),
            '/' | '-' if first > 12 || first == second => new_date(year, second, first),
            '/' | '-' if second > 12 => new_date(year, first, second),
            _ => None,
        }
    }

    /// `Tue, 2 Jan 2024`, `January 2nd, 2024`.
    fn date_from_word(&mut self) -> Option<Date> {
        let start = self.rest;
        if let Some(month) = self.month() {
            self.skip(&[' ', '.', ',', '-']);
            let (day, digits) = self.number()?;
            if digits > 2 {
                return None;
            }
            for ordinal in ["st", "nd", "rd", "th"] {
                self.rest = self.rest.strip_prefix(ordinal).unwrap_or(self.rest);
            }
            return self.year_after(day, month);
        }
        self.rest = start;
        let is_weekday = !self.word().is_empty() && self.skip(&[' ', ',', '.']);
        if is_weekday && self.rest.starts_with(|it: char| it.is_alphabetic()) {
            return match self.month() {
                Some(_) => {
                    self.rest = &start[start.len() - self.rest.len()..];
                    let from = start.find([' ', ',', '.'])?;
                    self.rest = start[from..].trim_start_matches([' ', ',', '.']);
                    self.date_from_word_once()
                }
                None => None,
            };
        }
        is_weekday.then(|| self.date_from_number())?
    }

    fn date_from_word_once(&mut self) -> Option<Date> {
        let month = self.month()?;
        self.skip(&[' ', '.', ',']);
        let (day, _) = self.number()?;
        // `Tue Jan  2 03:04:05 2024`, as C programs write it.
        self.year_after(day, month)
    }

    fn year_after(&mut self, day: i16, month: i16) -> Option<Date> {
        self.skip(&[' ', '.', ',', '-', '/']);
        for word in ["de ", "del ", "г. "] {
            self.rest = self.rest.strip_prefix(word).unwrap_or(self.rest);
        }
        let (year, digits) = self.number()?;
        (digits == 4).then(|| new_date(year, month, day))?
    }

    /// A month by number or name.
    fn month(&mut self) -> Option<i16> {
        if self.rest.starts_with(|it: char| it.is_ascii_digit()) {
            return self.number().filter(|&(_, digits)| digits <= 2).map(|(number, _)| number);
        }
        let word = self.word();
        if word.chars().count() < 3 {
            return None;
        }
        let index = MONTHS.iter().find_map(|names| {
            names.split(' ').position(|name| {
                name == word || (word.chars().count() >= 3 && name.starts_with(word))
            })
        })?;
        self.skip(&['.']);
        i16::try_from(index + 1).ok()
    }

    /// `15:04`, `15:04:05.123`, `3 pm`, `3:04pm`.
    fn time(&mut self) -> Option<Time> {
        for word in ["at ", "um ", "à ", "kl. "] {
            self.rest = self.rest.strip_prefix(word).unwrap_or(self.rest);
        }
        let start = self.rest;
        let read = self.clock();
        if read.is_none() {
            self.rest = start;
        }
        read
    }

    fn clock(&mut self) -> Option<Time> {
        let (hour, digits) = self.number()?;
        if digits > 2 {
            return None;
        }
        let (mut minute, mut second, mut nano) = (0, 0, 0);
        let has_minutes = self.take(':') || self.take('h');
        if has_minutes {
            minute = self.number()?.0;
            if self.take(':') {
                second = self.number()?.0;
                if self.take('.') || self.take(',') {
                    let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
                    let digits: String = self.rest.chars().take(length.min(9)).collect();
                    nano = format!("{digits:0<9}").parse().ok()?;
                    self.rest = &self.rest[length..];
                }
            }
        }
        self.skip(&[' ']);
        let half = ["am", "a.m.", "pm", "p.m."].iter().position(|it| self.rest.starts_with(it));
        let hour = match half {
            Some(at) if (1..=12).contains(&hour) => {
                self.rest = self.rest.trim_start_matches(['a', 'p', 'm', '.']);
                hour % 12 + if at >= 2 { 12 } else { 0 }
            }
            Some(_) => return None,
            None if has_minutes => hour,
            None => return None,
        };
        // A leap second is told as the one before it.
        let second = if second == 60 { 59 } else { second };
        Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nano)
            .ok()
    }

    /// `030405` and `0304`, after a date without signs.
    fn compact_time(&mut self) -> Option<Time> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = &self.rest[..length];
        let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |it| it.parse::<i8>().ok());
        let time = Time::new(part(0)?, part(2)?, part(4)?, 0).ok()?;
        self.rest = &self.rest[length..];
        matches!(length, 4 | 6).then_some(time)
    }

    /// Whether a zone follows, as behind a date that has no time.
    fn is_at_zone(&self) -> bool {
        let word = Parts { rest: self.rest }.word();
        self.rest.starts_with(['+', '-'])
            || matches!(word, "z" | "utc" | "gmt" | "ut")
            || ZONES.iter().any(|(name, _)| *name == word)
    }

    /// `Some(None)` where no zone is written, `None` where it is no zone.
    fn zone(&mut self) -> Option<Option<Offset>> {
        self.skip(&[' ', '(']);
        let name = self.word();
        let named = match name {
            "" => None,
            "z" | "utc" | "gmt" | "ut" => Some(0),
            _ => Some(ZONES.iter().find(|(it, _)| *it == name)?.1),
        };
        let negative = self.rest.starts_with('-');
        if !negative && !self.rest.starts_with('+') {
            let offset =
                named.map(|minutes| Offset::from_seconds(minutes * 60)).transpose().ok()?;
            return Some(offset);
        }
        self.rest = &self.rest[1..];
        let (number, digits) = self.number()?;
        let (hours, minutes) = match digits {
            1 | 2 if self.take(':') => (number, self.number()?.0),
            1 | 2 => (number, 0),
            4 => (number / 100, number % 100),
            _ => return None,
        };
        if minutes > 59 || hours > 25 {
            return None;
        }
        self.skip(&[' ']);
        // A name of the zone behind its offset: `[Europe/Paris]`, `(CET)`.
        if self.rest.starts_with(['[', '(']) {
            self.rest = "";
        }
        let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
        Offset::from_seconds(if negative { -seconds } else { seconds }).ok().map(Some)
    }
}

/// Minutes east of UTC; RFC 5322, section 4.3, and those that people write most. The
/// names that mean several zones (`IST`) are not here.
const ZONES: &[(&str, i32)] = &[
    ("edt", -240),
    ("est", -300),
    ("cdt", -300),
    ("cst", -360),
    ("mdt", -360),
    ("mst", -420),
    ("pdt", -420),
    ("pst", -480),
    ("wet", 0),
    ("west", 60),
    ("cet", 60),
    ("cest", 120),
    ("bst", 60),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("jst", 540),
    ("kst", 540),
    ("aest", 600),
    ("aedt", 660),
];

/// Names of the twelve months; a beginning of at least three letters stands for each.
const MONTHS: &[&str] = &[
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn seoul() -> TimeZone {
        TimeZone::fixed(Offset::constant(9))
    }

    #[test]
    fn forms() {
        let table = [
            ("2024-01-02", "2024-01-01T15:00:00Z", "a date alone is midnight in the site's zone"),
            ("2024-1-2", "2024-01-01T15:00:00Z", "single digits"),
            ("2024/01/02", "2024-01-01T15:00:00Z", "slashes, year first"),
            ("2024.01.02", "2024-01-01T15:00:00Z", "dots"),
            ("20240102", "2024-01-01T15:00:00Z", "eight digits"),
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z", "RFC 3339"),
            ("2024-01-02t03:04:05z", "2024-01-02T03:04:05Z", "RFC 3339, 5.6: in either case"),
            ("2024-01-02T03:04:05.678+09:00", "2024-01-01T18:04:05.678Z", "fractions and offset"),
            ("2024-01-02 03:04", "2024-01-01T18:04:00Z", "no zone: the site's"),
            ("2024-01-02 03:04:05 +0100", "2024-01-02T02:04:05Z", "as Jekyll writes it"),
            ("2024-01-02 03:04:05 +01:00", "2024-01-02T02:04:05Z", "blank before the zone"),
            ("2024-01-02 +0800", "2024-01-01T16:00:00Z", "a zone and no time"),
            ("2024-01-02 UTC", "2024-01-02T00:00:00Z", "the same, by name"),
            ("2024-01-02 03:04:05 2024 +0100", "2024-01-02T02:04:05Z", "the year twice"),
            ("2024-01-02 03:04:05 -08", "2024-01-02T11:04:05Z", "hours alone"),
            ("2024-01-02 03:04:05 UTC", "2024-01-02T03:04:05Z", "zone by name"),
            ("2024-01-02 03:04:05.000000000 Z", "2024-01-02T03:04:05Z", "as Ruby writes it"),
            ("2024-01-02T03:04:05+01:00[Europe/Paris]", "2024-01-02T02:04:05Z", "RFC 9557"),
            ("20240102T030405Z", "2024-01-02T03:04:05Z", "ISO 8601, basic"),
            ("2024-06-30T23:59:60Z", "2024-06-30T23:59:59Z", "a leap second"),
            ("Tue, 2 Jan 2024 03:04:05 +0900", "2024-01-01T18:04:05Z", "RFC 5322"),
            ("Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02T03:04:05Z", "RFC 9110"),
            ("2 Jan 2024 03:04 EST", "2024-01-02T08:04:00Z", "RFC 5322, 4.3"),
            ("January 2, 2024", "2024-01-01T15:00:00Z", "American"),
            ("Jan. 2nd, 2024 3:04 pm", "2024-01-02T06:04:00Z", "American, afternoon"),
            ("January 2, 2024 at 12:04 AM", "2024-01-01T15:04:00Z", "midnight is 12 am"),
            ("Tuesday, January 2, 2024", "2024-01-01T15:00:00Z", "with its weekday"),
            ("2nd of January 2024", "2024-01-01T15:00:00Z", "English"),
            ("2. Januar 2024", "2024-01-01T15:00:00Z", "German"),
            ("1er février 2024", "2024-01-31T15:00:00Z", "French"),
            ("2 de enero de 2024", "2024-01-01T15:00:00Z", "Spanish"),
            ("2 января 2024", "2024-01-01T15:00:00Z", "Russian"),
            ("2024年1月2日", "2024-01-01T15:00:00Z", "Chinese and Japanese"),
            ("2024년 1월 2일", "2024-01-01T15:00:00Z", "Korean"),
            ("٢٠٢٤-٠١-٠٢", "2024-01-01T15:00:00Z", "Arabic digits"),
            ("2.1.2024", "2024-01-01T15:00:00Z", "dots: the day first"),
            ("13/4/2024", "2024-04-12T15:00:00Z", "only one reading"),
            ("4/13/2024", "2024-04-12T15:00:00Z", "only one reading"),
            ("2-Jan-2024", "2024-01-01T15:00:00Z", "hyphens around a name"),
            ("1704164645", "2024-01-02T03:04:05Z", "seconds since 1970"),
            ("1704164645000", "2024-01-02T03:04:05Z", "milliseconds since 1970"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "the first day there is"),
            ("\"2024-01-02\"", "2024-01-01T15:00:00Z", "in quotes"),
        ];
        for (text, moment, why) in table {
            let found = parse(text, &seoul()).map(|it| it.to_string());
            assert_eq!(found.as_deref(), Some(moment), "{text:?}: {why}");
        }
    }

    #[test]
    fn what_is_no_date() {
        let table = [
            ("", "nothing"),
            ("yesterday", "no clock here"),
            ("3/4/2024", "two readings"),
            ("2024-13-01", "no such month"),
            ("2024-02-30", "no such day"),
            ("2024-01-02 25:00", "no such hour"),
            ("2024-01-02 10:00 Atlantis", "no such zone"),
            ("2024", "a year is no date"),
            ("2024-01", "nor is a month"),
            ("0000-01-01", "no such year"),
            ("2024-01-02 and more", "a rest"),
            ("2024-01-02 03:04:05 2023", "two years"),
            ("2024-01-02:00:00Z", "half a time"),
            ("123456", "no length of ours"),
            ("9999999999999999999999", "a long number"),
            ("١", "one digit"),
        ];
        for (text, why) in table {
            assert_eq!(parse(text, &seoul()), None, "{text:?}: {why}");
        }
    }

    #[test]
    fn dates_in_file_names() {
        let table = [
            ("2024-01-02-title", Some("title"), "Jekyll"),
            ("2024-01-02 Title", Some("Title"), "people"),
            ("2024_01_02_title", Some("title"), "people"),
            ("20240102-title", Some("title"), "programs"),
            ("2024-01-02", Some(""), "a day's note"),
            ("2024-01-02title", None, "nothing between"),
            ("2024-13-02-title", None, "no such month"),
            ("title-2024-01-02", None, "not at the start"),
            ("12345678901", None, "a number"),
            ("한글", None, "no digits"),
            ("2024-한글", None, "cut inside a character"),
        ];
        for (name, rest, why) in table {
            let found = at_start_of_name(name, &seoul());
            assert_eq!(found.map(|it| it.1), rest, "{name:?}: {why}");
        }
    }

    #[test]
    fn dates_in_paths() {
        let table = [
            ("/2024/01/02/title", true),
            ("2024/01/02/title.html", true),
            ("/2024/1/2/title", false),
            ("/2024/13/02/title", false),
            ("/blog/2024/01/02/title", true),
            ("/2024", false),
        ];
        for (path, is_dated) in table {
            assert_eq!(of_path(path, &seoul()).is_some(), is_dated, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in "\\PC{0,40}", dates in "[0-9TZ:+./ -]{0,40}") {
            let _ = parse(&text, &TimeZone::UTC);
            let _ = parse(&dates, &TimeZone::UTC);
            let _ = at_start_of_name(&dates, &TimeZone::UTC);
            let _ = at_start_of_name(&text, &TimeZone::UTC);
        }
    }
}
