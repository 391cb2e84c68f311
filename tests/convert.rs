//! Seed to article, through the one public verb: each `NAME.md` and `NAME.html` under
//! `tests/cases` beside `NAME.expected`, and what must hold for any bytes.
//!
//! After a change that is meant, `BLESS=1 cargo test --test convert` writes the
//! expected files anew; read the difference before committing it.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;
use sower::convert::article::{Article, Media, Source};
use sower::convert::body::{Filled, Reference};
use sower::convert::{Error, Options, convert, is_seed};
use sower::watch::seed::{Seed, SeedPath, Stat, Surroundings};

fn options() -> Options {
    Options {
        timezone: TimeZone::fixed(Offset::constant(9)),
        max_bytes: 8 << 20,
        published_folders: vec!["_posts".into()],
        strip: Vec::new(),
    }
}

fn seed(path: &str, bytes: impl Into<Vec<u8>>) -> Seed {
    let stat = Stat { device: 0, inode: 0, birth: None, length: 0, modified: 0, changed: 0 };
    Seed {
        path: SeedPath::new(path).unwrap(),
        stat,
        bytes: bytes.into(),
        surroundings: Surroundings::default(),
    }
}

fn article(path: &str, text: impl Into<Vec<u8>>) -> Article {
    convert(&seed(path, text), &options()).unwrap()
}

fn shown(reference: &Reference) -> Filled {
    Filled::Url { url: format!("{{{:?}{}}}", reference.target, reference.suffix), size: None }
}

fn html(article: &Article) -> String {
    article.body.fill("x-", shown).replace("\u{3}", "x-")
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it != "expected"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{}: no cases", folder.display());
    cases
}

fn check(folder: &str) {
    let mut failures = String::new();
    for case in cases(folder) {
        let name = case.file_name().unwrap().to_str().unwrap();
        let seed = seed(&format!("blog/{name}"), fs::read(&case).unwrap());
        let found = match convert(&seed, &options()) {
            Ok(article) => written(&article),
            Err(error) => format!("{}\n", error.at(&seed)),
        };
        let expected = case.with_extension("expected");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        if found != fs::read_to_string(&expected).unwrap_or_default() {
            write!(failures, "{folder}/{name}:\n{found}\n").unwrap();
        }
    }
    assert!(failures.is_empty(), "converted otherwise than expected:\n{failures}");
}

fn written(article: &Article) -> String {
    let mut out = format!("title: {}\n", article.title);
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            writeln!(out, "{name}: {value}").unwrap();
        }
    };
    let media = |it: &Media| {
        let place = match &it.source {
            Source::Folder(reference) => format!("{:?}{}", reference.target, reference.suffix),
            Source::Elsewhere(url) => url.clone(),
        };
        format!("{place} {:?} {:?} {:?} {:?}", it.title, it.media_type, it.length, it.duration)
    };
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(" | "));
    let stated = &article.stated;
    line("subtitle", article.subtitle.clone());
    line("summary", Some(article.summary.clone()).filter(|it| !it.is_empty()));
    for person in &article.authors {
        line("author", Some(format!("{} {:?} {:?}", person.name, person.uri, person.email)));
    }
    line("tags", list(&article.tags));
    line("language", article.language.clone());
    line("image", article.image.as_ref().map(media));
    for enclosure in &article.enclosures {
        line("enclosure", Some(media(enclosure)));
    }
    line("link", article.link.clone());
    line("words", Some(article.words.to_string()));
    line("id", stated.id.clone());
    line("permalink", stated.permalink.clone());
    line("slug", stated.slug.clone());
    line("aliases", list(&stated.aliases));
    line("published", stated.published.map(|it| it.to_string()));
    line("updated", stated.updated.map(|it| it.to_string()));
    line("expires", stated.expires.map(|it| it.to_string()));
    line("draft", stated.draft.then(|| "yes".into()));
    line("minor", stated.minor.then(|| "yes".into()));
    for (key, value) in &article.extra {
        line("extra", Some(format!("{key} = {value}")));
    }
    format!("{out}\n{}\n", html(article).trim_end())
}

#[test]
fn markdown() {
    check("markdown");
}

#[test]
fn html_pages() {
    check("html");
}

#[test]
fn front_matter() {
    check("front_matter");
}
