//! What a reader gets and what it makes; and what readers of text have in common: the
//! fields above it.

use crate::convert::Error;
use crate::convert::Options;
use crate::convert::front_matter::{self, Fields};
use crate::convert::keys;
use crate::convert::metadata::{Context, Metadata};

/// What a reader gets.
pub struct Source<'s> {
    pub bytes: &'s [u8],
    pub context: Context<'s>,
    pub options: &'s Options,
    /// What the sidecar calls the article, where there is one.
    pub title: Option<&'s str>,
}

/// What a reader makes.
#[derive(Default)]
pub struct Document {
    /// What the author states in front matter.
    pub stated: Metadata,
    /// What lines at the top of the text state, as mail has them. A text may begin so
    /// by chance, so all else that is stated is stronger.
    pub headers: Metadata,
    /// What the document says of itself in its format's own way, such as `<meta>`.
    pub properties: Metadata,
    /// A headline that is told apart from the body by its place.
    pub title: Option<String>,
    pub subtitle: Option<String>,
    /// Sanitised, balanced; `holes` has not seen it.
    pub html: String,
}

/// What stands above a text, and the text.
pub struct Top<'t> {
    pub fields: Fields,
    pub stated: Metadata,
    pub headers: Metadata,
    pub rest: &'t str,
}

pub fn top<'t>(text: &'t str, context: Context<'_>) -> Result<Top<'t>, Error> {
    let (fields, rest) = front_matter::split(text)?;
    if !fields.is_empty() {
        let stated = Metadata::read(&fields, context)?;
        return Ok(Top { fields, stated, headers: Metadata::default(), rest });
    }
    let (fields, rest) = front_matter::split_headers(rest, keys::is_header);
    let headers = Metadata::read(&fields, context)?;
    Ok(Top { fields, stated: Metadata::default(), headers, rest })
}

/// The line of `text` that its end `rest` begins on, counted from 1.
pub fn line_of(text: &str, rest: &str) -> u32 {
    let above = &text[..text.len() - rest.len()];
    u32::try_from(above.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}
