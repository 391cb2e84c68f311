//! HTML, as fragments below front matter or as whole pages, to harmless HTML.

use std::borrow::Cow;

use crate::convert::tags::{Scanner, Tag, Token};

/// Elements in one another. Pages reach thirty.
const DEEPEST: usize = 100;

/// What one tag may hold. Only pictures written into the page need more.
const LONGEST_TAG: usize = 4 * 1024;

/// Elements whose end HTML implies, so that counting them would count paragraphs.
const IMPLIED: &[&str] = &[
    "p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "option", "optgroup",
    "colgroup", "rb", "rt", "rp", "rtc", "a", "html", "head", "body", "caption",
];

/// `html` without what costs the parser more than its length: tags that stand in one
/// another too deep, and tags of thousands of attributes. Their text stays.
pub fn tidied(html: &str) -> Cow<'_, str> {
    let mut open: Vec<&str> = Vec::new();
    let mut out: Option<String> = None;
    let mut scanner = Scanner::new(html);
    let mut from = 0;
    while let Some(token) = scanner.next() {
        let (start, end) = (from, scanner.at());
        from = end;
        let keeps = match token {
            Token::Start(tag) if is_counted(&tag) => match open.len() < DEEPEST {
                true => {
                    open.push(tag.name);
                    is_sane(&tag)
                }
                false => false,
            },
            Token::Start(tag) => is_sane(&tag),
            Token::End(name) => {
                if let Some(at) = open.iter().rposition(|it| it.eq_ignore_ascii_case(name)) {
                    open.truncate(at);
                }
                true
            }
            _ => true,
        };
        match (keeps, &mut out) {
            (true, Some(out)) => out.push_str(&html[start..end]),
            (true, None) | (false, Some(_)) => {}
            (false, none) => *none = Some(html[..start].to_owned()),
        }
    }
    out.map_or(Cow::Borrowed(html), Cow::Owned)
}

fn is_counted(tag: &Tag<'_>) -> bool {
    !tag.is_void() && !IMPLIED.iter().any(|it| tag.is(it))
}

fn is_sane(tag: &Tag<'_>) -> bool {
    tag.inside.len() < LONGEST_TAG || (tag.is("img") && tag.attributes().count() < 100)
}
