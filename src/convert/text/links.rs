//! Web and mail addresses in running text: where one begins, where it ends, where
//! it leads. Punctuation that belongs to the sentence stays outside (RFC 3986,
//! appendix C, and what people type in spite of it).

use std::borrow::Cow;

use url::Url;

use crate::convert::text::marks;

/// An address found in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// As typed, from `start` to `end` of the text.
    pub text: &'a str,
    pub start: usize,
    pub end: usize,
    /// Absolute; `http`, `https` or `mailto`. `None` where it looked like an
    /// address and is none: it stays text.
    pub href: Option<Cow<'a, str>>,
}

/// Longer addresses stay text.
const LONGEST: usize = 4096;

/// The address whose scheme ends at the colon at `colon`; it begins at `from` or
/// later.
pub fn at_colon(text: &str, from: usize, colon: usize) -> Option<Link<'_>> {
    let after = &text[colon + 1..];
    let before = &text.as_bytes()[from..colon];
    let scheme = [&b"https"[..], b"http", b"mailto"].into_iter().find(|it| {
        before.len() >= it.len() && before[before.len() - it.len()..].eq_ignore_ascii_case(it)
    })?;
    let start = colon - scheme.len();
    if !begins_word(text, start) {
        return None;
    }
    if scheme == b"mailto" {
        let local = after.bytes().take(65).take_while(|it| is_local(*it)).count();
        let domain = after.get(local + 1..).map_or("", mail_domain);
        let is_mail = (1..=64).contains(&local)
            && after.as_bytes().get(local) == Some(&b'@')
            && is_domain(domain);
        return is_mail.then(|| link(text, start, colon + 1 + extent(after), ""));
    }
    if !after.starts_with("//")
        || !after[2..].starts_with(|it: char| it.is_alphanumeric() || it == '[')
    {
        return None;
    }
    Some(link(text, start, colon + 1 + extent(after), ""))
}

/// The address that begins with `www.` at `start`.
pub fn at_www(text: &str, start: usize) -> Option<Link<'_>> {
    let head = text.as_bytes().get(start..start + 4)?;
    if !head.eq_ignore_ascii_case(b"www.") || !begins_word(text, start) {
        return None;
    }
    let is_host = |it: &char| it.is_alphanumeric() || matches!(it, '.' | '-' | '_');
    let host: usize =
        text[start + 4..].chars().take(254).take_while(is_host).map(char::len_utf8).sum();
    let host = text[start + 4..start + 4 + host].trim_end_matches('.');
    if !is_domain(
        host.split(|it| marks::is_cjk(it) || marks::is_unspaced(it)).next().unwrap_or(host),
    ) {
        return None;
    }
    Some(link(text, start, start + extent(&text[start..]), "https://"))
}

/// The mail address around the `@` at `at`; it begins at `from` or later.
pub fn at_mail(text: &str, from: usize, at: usize) -> Option<Link<'_>> {
    let bytes = text.as_bytes();
    let local = bytes[from..at].iter().rev().take(65).take_while(|it| is_local(**it)).count();
    let start = at - local;
    let start =
        start + bytes[start..at].iter().take_while(|it| !it.is_ascii_alphanumeric()).count();
    let end = at + 1 + mail_domain(&text[at + 1..]).len();
    let is_mail = local <= 64
        && start < at
        && begins_word(text, start)
        && is_domain(&text[at + 1..end])
        && !matches!(bytes.get(end), Some(b'@' | b'_'));
    is_mail.then(|| link(text, start, end, "mailto:"))
}

/// The domain that `text` begins with.
fn mail_domain(text: &str) -> &str {
    let is_part = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-');
    text[..text.bytes().take(255).take_while(is_part).count()].trim_end_matches(['.', '-'])
}

fn link<'a>(text: &'a str, start: usize, end: usize, scheme: &str) -> Link<'a> {
    let typed = &text[start..end];
    Link { text: typed, start, end, href: target(typed, scheme) }
}

/// Where an address leads. What was typed stands as it is where it is a URL
/// already; the rest is encoded as the URL standard says.
fn target<'a>(typed: &'a str, scheme: &str) -> Option<Cow<'a, str>> {
    if typed.len() > LONGEST {
        return None;
    }
    let absolute = if scheme.is_empty() {
        Cow::Borrowed(typed)
    } else {
        Cow::Owned(format!("{scheme}{typed}"))
    };
    let url = Url::parse(&absolute).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|it| !matches!(it, "" | "http" | "https"));
    if !is_web && url.scheme() != "mailto" {
        return None;
    }
    let is_plain = absolute
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&it))
        && is_escaped(&absolute)
        && absolute.starts_with(url.scheme());
    Some(if is_plain { absolute } else { Cow::Owned(String::from(url)) })
}

/// Whether each `%` begins an encoded byte and at most one `#` begins a fragment.
fn is_escaped(url: &str) -> bool {
    let bytes = url.as_bytes();
    let mut percents = bytes.iter().enumerate().filter(|(_, it)| **it == b'%');
    percents.all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
    }) && bytes.iter().filter(|it| **it == b'#').count() <= 1
}

/// Whether an address may begin at `start`: not within a Latin word.
fn begins_word(text: &str, start: usize) -> bool {
    match text[..start].chars().next_back() {
        Some(before) => {
            !before.is_alphanumeric() && before != '_'
                || marks::is_cjk(before)
                || marks::is_unspaced(before)
        }
        None => true,
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

/// A name with a dot whose last part is a top-level domain by its looks.
fn is_domain(name: &str) -> bool {
    let Some((head, last)) = name.rsplit_once('.') else {
        return false;
    };
    !head.is_empty()
        && name.len() <= 253
        && last.len() >= 2
        && (last.bytes().all(|it| it.is_ascii_alphabetic())
            || last.starts_with("xn--")
            || last.chars().all(char::is_alphabetic))
        && head.split('.').all(|it| {
            !it.is_empty() && it.chars().all(|it| it.is_alphanumeric() || it == '-' || it == '_')
        })
}

/// How many bytes of `text` belong to the address that it begins with.
fn extent(text: &str) -> usize {
    let mut end = 0;
    let mut before = '/';
    // Open round, square and curly brackets within the address.
    let mut open = [0u32; 3];
    for (at, character) in text.char_indices() {
        if character.is_whitespace() || character.is_control() {
            break;
        }
        match character {
            '<' | '>' | '"' | '`' | '|' | '\\' | '^' => break,
            '(' => open[0] += 1,
            '[' => open[1] += 1,
            '{' => open[2] += 1,
            ')' | ']' | '}' => {
                let kind = match character {
                    ')' => 0,
                    ']' => 1,
                    _ => 2,
                };
                if open[kind] == 0 {
                    break;
                }
                open[kind] -= 1;
            }
            _ if character.is_ascii() => {}
            _ if marks::is_closer(character) || marks::is_opener(character) => break,
            _ if marks::is_cjk_punctuation(character)
                || marks::is_shared_punctuation(character) =>
            {
                break;
            }
            // In scripts without blanks the sentence goes on right behind an
            // address; within a path such a letter belongs to it.
            _ if (marks::is_cjk(character) || marks::is_unspaced(character))
                && before.is_ascii_alphanumeric() =>
            {
                break;
            }
            _ if !character.is_alphanumeric() && marks::columns(character) > 0 => break,
            _ => {}
        }
        before = character;
        end = at + character.len_utf8();
    }
    without_punctuation(&text[..end], open).len()
}

/// An address without the punctuation at its end; `open` brackets were left open.
fn without_punctuation(mut address: &str, mut open: [u32; 3]) -> &str {
    while let Some(last) = address.chars().next_back() {
        let kind = match last {
            '(' => 0,
            '[' => 1,
            '{' => 2,
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '_' | '~' | '؟' | '،' | '؛' | '۔'
            | '।' => 3,
            _ => return address,
        };
        if kind < 3 {
            if open[kind] == 0 {
                return address;
            }
            open[kind] -= 1;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, String)> {
        let found = text.match_indices([':', '@', 'w', 'W']).find_map(|(at, sign)| match sign {
            ":" => at_colon(text, 0, at),
            "@" => at_mail(text, 0, at),
            _ => at_www(text, at),
        })?;
        Some((found.text, found.href?.into_owned()))
    }

    #[test]
    fn addresses() {
        let table = [
            ("see https://example.org.", "https://example.org", "the stop is the sentence's"),
            ("(https://example.org/a)", "https://example.org/a", "the bracket is the sentence's"),
            (
                "https://en.wikipedia.org/wiki/Rust_(game)!",
                "https://en.wikipedia.org/wiki/Rust_(game)",
                "balanced",
            ),
            ("(see https://a.org/b_(c))", "https://a.org/b_(c)", "balanced within brackets"),
            ("HTTP://EXAMPLE.ORG/A", "HTTP://EXAMPLE.ORG/A", "large letters"),
            ("“https://example.org/”", "https://example.org/", "quotation marks"),
            ("<https://example.org/?a=1&b=2>", "https://example.org/?a=1&b=2", "angle brackets"),
            ("请看https://example.org/页面。谢谢", "https://example.org/页面", "Chinese around it"),
            ("请看https://example.org谢谢", "https://example.org", "no Chinese host"),
            ("www.example.org/x,", "www.example.org/x", "without a scheme"),
            ("ask ann@example.org.", "ann@example.org", "mail"),
            ("ask ann.lee+x@mail.example.org", "ann.lee+x@mail.example.org", "mail with dots"),
            ("mailto:ann@example.org", "mailto:ann@example.org", "mail with scheme"),
            ("https://example.org/#a,b;", "https://example.org/#a,b", "fragment"),
            (
                "https://example.org/*so*",
                "https://example.org/*so",
                "a star at the end is emphasis",
            ),
            ("انظر https://example.org/أ؟", "https://example.org/أ", "Arabic question mark"),
            ("[https://example.org/a[1]]", "https://example.org/a[1]", "square brackets"),
        ];
        for (text, typed, why) in table {
            assert_eq!(found(text).map(|it| it.0), Some(typed), "{text:?}: {why}");
        }
    }

    #[test]
    fn targets() {
        let table = [
            ("https://example.org", "https://example.org", "as typed"),
            ("www.example.org", "https://www.example.org", ""),
            ("ann@example.org", "mailto:ann@example.org", ""),
            ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4", "encoded"),
            ("https://example.org/100%", "https://example.org/100%", "the URL standard's way"),
            ("HTTPS://Example.org/A", "https://example.org/A", "a scheme in small letters"),
        ];
        for (text, target, why) in table {
            assert_eq!(found(text).map(|it| it.1), Some(target.to_owned()), "{text:?}: {why}");
        }
    }

    #[test]
    fn no_addresses() {
        let table = [
            ("javascript:alert(1)", "no web address"),
            ("http://", "no host"),
            ("http:// example.org", "a blank"),
            ("xhttps://example.org", "within a word"),
            ("www.", "no name"),
            ("www...", "no name"),
            ("awww.example.org", "within a word"),
            ("a@b", "no domain"),
            ("@ann", "a handle"),
            ("ann@", "no domain"),
            ("1@2.3", "no top-level domain"),
            ("mailto:nobody", "no address"),
            ("ftp://example.org", "no web address"),
        ];
        for (text, why) in table {
            assert_eq!(found(text), None, "{text:?}: {why}");
        }
    }
}
