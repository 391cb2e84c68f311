//! What one new article costs a catalog of 1,000, 10,000 and 100,000 entries with 507
//! tags, in CPU time of the process; what asking for everything once costs in memory,
//! and how long a document takes that is not on the shelf.
//!
//! `cargo bench --bench feeds`, or with numbers of entries: `cargo bench --bench feeds --
//! 1000`. Prints figures, asserts nothing of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod daemon;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use daemon::{Daemon, Reader, date, percentile, post};

/// New articles for each figure.
const ARTICLES: usize = 30;
/// Of a post: about 2.5 KB.
const PARAGRAPHS: usize = 5;

fn main() {
    let mut counts: Vec<usize> =
        std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![1_000, 10_000, 100_000];
    }
    for count in counts {
        measure(count);
    }
}

fn measure(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let seeds = folder.path().join("seeds");
    fs::create_dir(&seeds).unwrap();
    for number in 0..count {
        let text = post(number, 0, PARAGRAPHS, &date(number));
        fs::write(seeds.join(format!("post-{number:06}.md")), text).unwrap();
    }
    let daemon = Daemon::start(&seeds, &folder.path().join("state"));
    let mut reader = daemon.reader();
    // What the asking costs is not what is measured.
    reader.every = Duration::from_millis(10);
    println!("{count} entries:");
    let cost = new_articles(&daemon, &mut reader, &seeds, count);
    println!("  a new article, the site's feeds and index on the shelf: {cost:.1} ms of CPU");

    let mut waits = everything(&mut reader);
    println!(
        "  {} feeds, archive pages and pages asked for once: p50 {:.2} ms, p99 {:.2} ms; then {} MB",
        waits.len(),
        percentile(&mut waits, 0.5),
        percentile(&mut waits, 0.99),
        daemon.resident()
    );
    let cost = new_articles(&daemon, &mut reader, &seeds, count + ARTICLES);
    println!("  a new article, the shelf full of what was asked for: {cost:.1} ms of CPU");
}

/// Milliseconds of CPU time for each, from the file to the three feeds that hold it, both
/// plain and in gzip; all else that is made of it included, the front page among it.
fn new_articles(daemon: &Daemon, reader: &mut Reader, seeds: &Path, from: usize) -> f64 {
    let before = daemon.cpu();
    for number in from..from + ARTICLES {
        // Of now: what is dated older than a day waits for others to come with it.
        let text = post(number, 1, PARAGRAPHS, &jiff::Timestamp::now().to_string());
        fs::write(seeds.join(format!("post-{number:06}.md")), text).unwrap();
        reader.until_feed_holds(&format!(">Post {number}</title>"));
        for format in ["atom", "rss", "json"] {
            for fields in ["", "Accept-Encoding: gzip\r\n"] {
                reader.get(&format!("/feed.{format}"), fields);
            }
        }
        std::thread::sleep(Duration::from_millis(350));
    }
    (daemon.cpu() - before).as_secs_f64() * 1e3 / ARTICLES as f64
}

/// Asks for all feeds in all formats with their archives, and for all pages, and tells
/// how long each took.
fn everything(reader: &mut Reader) -> Vec<Duration> {
    let mut waits = Vec::new();
    for feed in between(&text(reader, "/opml.xml"), "xmlUrl=\"", "\"") {
        let mut next = Some(feed);
        while let Some(rss) = next {
            let mut document = String::new();
            for format in ["atom", "json", "rss"] {
                let path = rss.trim_end_matches("rss").to_owned() + format;
                let started = Instant::now();
                document = text(reader, &path);
                waits.push(started.elapsed());
            }
            let older = document.split("\" rel=\"prev-archive\"").next();
            let older = older.filter(|it| it.len() < document.len());
            next = older.and_then(|it| Some(path_of(it.rsplit_once("href=\"")?.1)));
        }
    }
    let mut parts = between(&text(reader, "/sitemap.xml"), "<sitemap><loc>", "</loc>");
    if parts.is_empty() {
        parts.push("/sitemap.xml".into());
    }
    for part in parts {
        for page in between(&text(reader, &part), "<loc>", "</loc>") {
            let started = Instant::now();
            text(reader, &page);
            waits.push(started.elapsed());
        }
    }
    waits
}

fn text(reader: &mut Reader, path: &str) -> String {
    let answer = reader.get(path, "");
    assert_eq!(answer.status, 200, "{path}");
    String::from_utf8(answer.body).unwrap()
}

/// The paths of all addresses that stand between these.
fn between(text: &str, before: &str, after: &str) -> Vec<String> {
    text.split(before).skip(1).map(|it| path_of(it.split_once(after).unwrap().0)).collect()
}

fn path_of(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    rest[rest.find('/').unwrap()..].to_owned()
}
