//! Plain text to HTML.

use crate::convert::tags::escaped;

/// What plain text says once it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub html: String,
}

/// Sets a whole text.
pub fn set(text: &str) -> Set {
    let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    let title = lines.next().map(str::to_owned);
    let subtitle = lines.next().map(str::to_owned);
    let html = lines.map(|it| format!("<p>{}</p>\n", escaped(it))).collect();
    Set { title, subtitle, html }
}
