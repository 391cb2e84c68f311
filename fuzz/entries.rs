//! What any bytes are put into, and what must hold of whatever comes out.
//!
//! The fuzz targets call these functions, and so does `tests/convert.rs`, which runs the
//! corpora on stable Rust. A new target is a function here, a file in `fuzz_targets/`, a
//! folder in `corpus/` and a row in [`ENTRIES`].

use jiff::tz::{Offset, TimeZone};
use sower::convert::article::Article;
use sower::convert::body::{Body, Filled, Target};
use sower::convert::{Options, clean, convert, dates, front_matter, text};
use sower::watch::seed::{Seed, SeedPath, Stat, Surroundings};

/// Takes any bytes; panics where a promise is broken.
pub type Entry = fn(&[u8]);

/// The targets by the names of their corpora.
pub const ENTRIES: &[(&str, Entry)] = &[
    ("text", plain_text),
    ("markdown", markdown),
    ("html", html),
    ("front_matter", fields),
    ("dates", date),
    ("encodings", encoding),
];

pub fn options() -> Options {
    Options {
        timezone: TimeZone::fixed(Offset::constant(9)),
        max_bytes: 8 << 20,
        published_folders: vec!["_posts".into()],
        strip: Vec::new(),
    }
}

pub fn seed(path: &str, bytes: impl Into<Vec<u8>>) -> Seed {
    let stat = Stat { device: 0, inode: 0, birth: None, length: 0, modified: 0, changed: 0 };
    Seed {
        path: SeedPath::new(path).unwrap(),
        stat,
        bytes: bytes.into(),
        surroundings: Surroundings::default(),
    }
}

pub fn plain_text(bytes: &[u8]) {
    let decoded = clean::decode(bytes, None);
    let set = text::set(&decoded);
    check_balanced(&set.html);
    assert!(set.html.len() <= decoded.len() * 24 + 100, "{} bytes", set.html.len());
    any_article("notes/kim.txt", bytes);
}

pub fn markdown(bytes: &[u8]) {
    any_article("_posts/2024-01-02-kim.md", bytes);
}

pub fn html(bytes: &[u8]) {
    any_article("pages/kim.html", bytes);
}

pub fn fields(bytes: &[u8]) {
    let decoded = clean::decode(bytes, None);
    if let Ok((fields, rest)) = front_matter::split(&decoded) {
        assert!(decoded.ends_with(rest), "the text below is a part of the whole");
        assert!(!fields.is_empty() || rest.len() <= decoded.len());
    }
    let _ = front_matter::whole_toml(bytes);
    any_article("kim.md", bytes);
}

pub fn date(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(moment) = dates::parse(&text, &TimeZone::UTC) {
        let again = dates::parse(&moment.to_string(), &TimeZone::UTC);
        assert_eq!(again, Some(moment), "{text:?}: a moment as written is that moment");
    }
    if let Some((_, rest)) = dates::at_start_of_name(&text, &TimeZone::UTC) {
        assert!(text.ends_with(rest), "{text:?}");
    }
    let _ = dates::of_path(&text, &TimeZone::UTC);
}

/// The first byte chooses the charset that is declared.
pub fn encoding(bytes: &[u8]) {
    const LABELS: &[Option<&str>] = &[
        None,
        Some("utf-8"),
        Some("utf-16le"),
        Some("windows-1252"),
        Some("shift_jis"),
        Some("euc-kr"),
        Some("gb18030"),
        Some("big5"),
        Some("iso-2022-jp"),
        Some("koi8-r"),
        Some("no-such-charset"),
    ];
    let (&first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let label = LABELS[usize::from(first) % LABELS.len()];
    for (bytes, label) in [(bytes, None), (rest, label)] {
        let text = clean::decode(bytes, label);
        assert_eq!(forbidden(&text), None, "{text:?}");
        assert!(!text.contains(['\r', '\u{85}']), "line ends are one sign");
    }
}

/// Converts `bytes` as a seed at `path`: an article or an error, the same again.
pub fn any_article(path: &str, bytes: &[u8]) {
    let seed = seed(path, bytes);
    let first = convert(&seed, &options());
    assert_eq!(first, convert(&seed, &options()), "the same bytes, the same article");
    match first {
        Ok(article) => check_article(&article),
        Err(error) => assert!(!error.at(&seed).to_string().contains('\n')),
    }
}

/// XML 1.0, section 2.2: the first character that is no `Char`.
fn forbidden(text: &str) -> Option<char> {
    text.chars().find(|it| {
        matches!(it, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
    })
}

/// What any article must be, whatever it was made of.
pub fn check_article(article: &Article) {
    let all = serde_json::to_value(article).unwrap();
    let body = article.body.fill("unique-", |reference| match reference.target {
        Target::Path(_) => {
            Filled::Url { url: "https://example.org/&<>\"x".into(), size: Some((1, 2)) }
        }
        _ => Filled::Text,
    });
    let mut texts = vec![body.clone()];
    let mut open = vec![&all];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::String(text) => texts.push(text.clone()),
            serde_json::Value::Array(values) => open.extend(values),
            serde_json::Value::Object(fields) => {
                texts.extend(fields.keys().cloned());
                // The body's own marks are allowed in it alone.
                open.extend(fields.iter().filter(|it| it.0 != "body").map(|it| it.1));
            }
            _ => {}
        }
    }
    for text in &texts {
        assert_eq!(forbidden(text), None, "{text:?}");
    }
    assert!(!article.title.trim().is_empty());
    assert!(!article.title.contains('\n') && !article.summary.contains('\n'));
    check_balanced(&body);
    assert!(!body.contains("<script") && !body.contains("javascript:"), "{body}");
    let again =
        serde_json::from_value::<Body>(serde_json::to_value(&article.body).unwrap()).unwrap();
    assert_eq!(again, article.body);
}

/// Every start has its end, in order; values are quoted.
fn check_balanced(html: &str) {
    const VOID: &[&str] = &["img", "br", "hr", "input", "wbr", "col", "source", "track"];
    let mut open = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').unwrap_or_else(|| panic!("a tag that never ends: {html}"));
        let tag = &rest[at + 1..at + end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag:?} in {html}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match tag.starts_with('/') {
            true => assert_eq!(open.pop(), Some(name), "in {html}"),
            false if !VOID.contains(&name) => open.push(name),
            false => {}
        }
        rest = &rest[at + end + 1..];
    }
    assert!(open.is_empty(), "{open:?} in {html}");
}
