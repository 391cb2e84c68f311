//! Who wrote it: names with mail addresses and URLs, in the ways people put them.

use crate::convert::article::Person;
use crate::convert::front_matter::Value;
use crate::convert::links;
use crate::convert::metadata::plain;

/// `Ann Lee`, `Ann Lee <ann@example.org>`, `Ann Lee <https://example.org/ann>`,
/// `ann@example.org (Ann Lee)`.
pub fn from_text(text: &str) -> Option<Person> {
    let text = text.trim();
    let named = |name: &str, inside: &str| -> Option<Person> {
        let inside = inside.trim();
        let name = plain(name.trim().trim_matches('"'));
        let email = is_email(inside).then(|| inside.to_owned());
        let uri = links::absolute(inside);
        if email.is_none() && uri.is_none() {
            return None;
        }
        let name = if name.is_empty() { inside.to_owned() } else { name };
        Some(Person { name, uri, email })
    };
    let in_brackets = text.strip_suffix('>').and_then(|it| it.split_once('<'));
    if let Some(person) = in_brackets.and_then(|(name, inside)| named(name, inside)) {
        return Some(person);
    }
    let in_parentheses = text.strip_suffix(')').and_then(|it| it.split_once('('));
    if let Some(person) = in_parentheses.and_then(|(inside, name)| named(name, inside)) {
        return Some(person);
    }
    let name = plain(text);
    let email = is_email(&name).then(|| name.clone());
    (!name.is_empty() && name.chars().count() <= 200).then_some(Person { name, uri: None, email })
}

/// A text as above, or a table with a name.
pub fn from_value(value: &Value) -> Option<Person> {
    let scalar = |names: &[&str]| names.iter().find_map(|it| value.get(it)?.scalar());
    match value {
        Value::Text(text) => from_text(text),
        Value::Map(entries) => {
            let stated = scalar(&["name", "title", "fullname", "full_name", "display_name", "id"]);
            let mut person = match stated {
                Some(name) => from_text(&name)?,
                // `- ann: {url: ...}` names her by the key.
                None => match entries.as_slice() {
                    [(name, inner @ Value::Map(_))] => {
                        let inner = from_value(inner);
                        let named = from_text(name)?;
                        return Some(inner.unwrap_or(named));
                    }
                    _ => {
                        let email = scalar(&["email", "mail"]).filter(|it| is_email(it))?;
                        from_text(&email)?
                    }
                },
            };
            let email = scalar(&["email", "mail", "e-mail"]).filter(|it| is_email(it));
            let uri = scalar(&["url", "uri", "link", "homepage", "website", "web", "site", "href"]);
            person.email = email.or(person.email);
            person.uri = uri.and_then(|it| links::absolute(&it)).or(person.uri);
            Some(person)
        }
        Value::Number(number) => from_text(number),
        Value::Nothing | Value::Flag(_) | Value::List(_) => None,
    }
}

/// What a feed may carry as an address: one `@`, a dot behind it, no blanks.
pub fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !text.contains(|it: char| {
                it.is_whitespace() || it.is_control() || "<>()[],;:\"\\/".contains(it)
            })
            && !domain.contains('@')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people() {
        let table = [
            ("Ann Lee", "Ann Lee", None, None),
            ("Ann Lee <ann@example.org>", "Ann Lee", Some("ann@example.org"), None),
            ("Ann <https://example.org/a>", "Ann", None, Some("https://example.org/a")),
            ("ann@example.org (Ann Lee)", "Ann Lee", Some("ann@example.org"), None),
            ("<ann@example.org>", "ann@example.org", Some("ann@example.org"), None),
            ("ann@example.org", "ann@example.org", Some("ann@example.org"), None),
            ("Ann (editor)", "Ann (editor)", None, None),
            ("  김 철수 ", "김 철수", None, None),
        ];
        for (text, name, email, uri) in table {
            let person = from_text(text).unwrap();
            assert_eq!(
                (person.name.as_str(), person.email.as_deref(), person.uri.as_deref()),
                (name, email, uri),
                "{text}"
            );
        }
        assert_eq!(from_text("  "), None);
    }

    #[test]
    fn addresses() {
        for good in ["a@b.co", "ann.lee+x@mail.example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["a@b", "a b@c.de", "@c.de", "a@b@c.de", "a@.de", "mailto:a@b.de"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
