//! Plain text: headers at its top, then what [`text`](crate::convert::text) sets.

use crate::convert::Error;
use crate::convert::clean;
use crate::convert::document::{Document, Source, Top, top};
use crate::convert::text::{self, Set};

/// Reads a plain text.
///
/// # Errors
/// Where the fields above it cannot be read.
pub fn read(source: &Source<'_>) -> Result<Document, Error> {
    let text = clean::decode(source.bytes, None);
    let Top { stated, headers, rest, .. } = top(&text, source.context)?;
    let title = stated.title.as_deref().or(source.title).or(headers.title.as_deref());
    let set = set(rest, title, &source.options.strip);
    Ok(Document {
        stated,
        headers,
        title: set.title,
        subtitle: set.subtitle,
        html: set.html,
        ..Document::default()
    })
}

/// The text below the headers, set. Where they state a title, the text has no headline
/// but one that says the same.
pub fn set(text: &str, stated: Option<&str>, strip: &[String]) -> Set {
    let text = without_last_lines(text, strip);
    let first = text.trim_start().lines().next().map(str::trim);
    match stated {
        Some(title) if first != Some(title) => Set { html: text::body(text), ..Set::default() },
        _ => text::set(text),
    }
}

/// `text` without the lines at its end that a pattern names; `*` stands for anything.
pub fn without_last_lines<'t>(text: &'t str, patterns: &[String]) -> &'t str {
    let mut text = text.trim_end();
    if patterns.is_empty() {
        return text;
    }
    loop {
        let from = text.rfind('\n').map_or(0, |it| it + 1);
        let last = text[from..].trim();
        let is_named = !last.is_empty() && patterns.iter().any(|it| matches(it, last));
        if !is_named {
            return text;
        }
        text = text[..from].trim_end();
    }
}

/// Whether all of `line` is what `pattern` says, in any case.
fn matches(pattern: &str, line: &str) -> bool {
    let (pattern, line) = (pattern.trim().to_lowercase(), line.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|it| line.strip_prefix(it)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_that_patterns_name() {
        let patterns = vec!["Join our channel*".to_owned(), "*subscribe*now*".to_owned()];
        let table = [
            ("Text.\n\nJoin our channel at X\n", "Text.", "named"),
            ("Text.\nPlease subscribe right NOW!\nJoin our channel", "Text.", "two of them"),
            ("Join our channel\nText.", "Join our channel\nText.", "not at the end"),
            ("Text.\nWe join our channel", "Text.\nWe join our channel", "not the whole line"),
        ];
        for (text, expected, why) in table {
            assert_eq!(without_last_lines(text, &patterns), expected, "{why}");
        }
    }
}
