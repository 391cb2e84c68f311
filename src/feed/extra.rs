//! Facts of keys that only feeds and pages know: rights, where an article came
//! from, what it answers.

use serde_json::Value;

use crate::convert::article::Article;
use crate::feed::fill;
use crate::feed::is_blank;
use crate::feed::page::Origin;

/// The value of the first of `names`, which are folded, that is there.
fn value(article: &Article, names: &[&str]) -> Option<Value> {
    let folded = |key: &str| -> String {
        key.chars().filter(|it| !"-_ ".contains(*it)).flat_map(char::to_lowercase).collect()
    };
    names.iter().find_map(|name| {
        let (_, value) = article.extra.iter().find(|(key, _)| folded(key) == *name)?;
        serde_json::from_str(value).ok()
    })
}

fn urls(value: Option<Value>) -> Vec<String> {
    let one = |it: &Value| it.as_str().and_then(fill::web_url);
    match value {
        Some(Value::Array(many)) => many.iter().filter_map(one).collect(),
        Some(value) => one(&value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A text, or the address of a licence.
pub fn rights(article: &Article) -> Option<String> {
    let value = value(article, &["rights", "copyright", "license", "licence"])?;
    value.as_str().filter(|it| !is_blank(it)).map(str::to_owned)
}

/// Where the author found it.
pub fn via(article: &Article) -> Vec<String> {
    urls(value(article, &["via"]))
}

/// What it answers.
pub fn replies_to(article: &Article) -> Vec<String> {
    urls(value(article, &["inreplyto", "replyto", "repliesto"]))
}

/// Where it was published first: `source: URL`, or with `url` and `title`.
pub fn source(article: &Article) -> Option<Origin> {
    let value = value(article, &["source", "republishedfrom"])?;
    let text = |it: &Value| it.as_str().map(str::to_owned);
    let (url, title) = match &value {
        Value::Object(map) => (text(map.get("url")?)?, map.get("title").and_then(text)),
        other => (text(other)?, None),
    };
    Some(Origin { url: fill::web_url(&url)?, title: title.filter(|it| !is_blank(it)) })
}
