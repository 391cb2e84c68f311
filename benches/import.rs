//! What a first import, a warm start and one edit cost, beside Hugo where it is
//! installed, in one run on the same folder: CPU time from the processes' own
//! accounting, since wall time on shared machines lies.
//!
//! `cargo bench --bench import` takes 10,000 Markdown seeds of 5 KB;
//! `cargo bench --bench import -- 100000` as many as it is told. Prints figures,
//! asserts nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod daemon;

use daemon::{Daemon, children, date, percentile, post};

fn main() {
    let count = std::env::args().skip(1).find_map(|it| it.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().unwrap();
    let seeds = folder.path().join("content");
    fs::create_dir(&seeds).unwrap();
    for number in 0..count {
        fs::write(seeds.join(format!("post-{number:06}.md")), post(number, 0, 10, &date(number)))
            .unwrap();
    }
    let state = folder.path().join("state");

    let started = Instant::now();
    let daemon = Daemon::start(&seeds, &state);
    let import = daemon.cpu();
    println!(
        "first import of {count} seeds: {:.2} s of CPU, {:.2} s until it listens, at most {} MB",
        import.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        daemon.peak()
    );
    edits(&daemon, &seeds, count);
    drop(daemon);

    let started = Instant::now();
    let daemon = Daemon::start(&seeds, &state);
    let listens = started.elapsed();
    daemon.reader().get("/feed.atom", "");
    println!("warm start: {:.3} s until it listens", listens.as_secs_f64());
    drop(daemon);

    match hugo(folder.path()) {
        Some((cpu, wall)) => println!(
            "Hugo on the same folder: {:.2} s of CPU, {:.2} s of wall time; Sower / Hugo: {:.2} of \
             the CPU time",
            cpu.as_secs_f64(),
            wall.as_secs_f64(),
            import.as_secs_f64() / cpu.as_secs_f64()
        ),
        None => println!("Hugo is not installed: no comparison"),
    }
}

/// So many that the slowest hundredth is more than a single one.
const EDITS: usize = 400;

/// One edit at a time of the newest article, until the feed shows it.
fn edits(daemon: &Daemon, seeds: &Path, count: usize) {
    let mut waits = Vec::new();
    let mut reader = daemon.reader();
    let before = daemon.cpu();
    let newest = newest(count);
    for version in 1..=EDITS {
        let mark = format!("version {version} of it");
        fs::write(
            seeds.join(format!("post-{newest:06}.md")),
            post(newest, version, 10, &date(newest)),
        )
        .unwrap();
        let closed = Instant::now();
        reader.until_feed_holds(&mark);
        waits.push(closed.elapsed());
        std::thread::sleep(Duration::from_millis(350));
    }
    println!(
        "one edit among {count}, from close to served: p50 {:.1} ms, p99 {:.1} ms; {:.1} ms of CPU, \
         reading the feed included",
        percentile(&mut waits, 0.5),
        percentile(&mut waits, 0.99),
        (daemon.cpu() - before).as_secs_f64() * 1e3 / EDITS as f64
    );
}

/// The post that has the last date.
fn newest(count: usize) -> usize {
    (0..count).max_by_key(|it| date(*it)).unwrap()
}

/// CPU and wall time of Hugo with the plainest of sites: a page for each article, a
/// list, a feed.
fn hugo(site: &Path) -> Option<(Duration, Duration)> {
    Command::new("hugo").arg("version").output().ok()?;
    fs::write(
        site.join("config.toml"),
        "baseURL = \"http://localhost/\"\ntitle = \"Site\"\n[outputs]\nhome = [\"HTML\", \"RSS\"]\n\
         section = []\ntaxonomy = []\nterm = [\"RSS\"]\n",
    )
    .unwrap();
    let layouts = site.join("layouts/_default");
    fs::create_dir_all(&layouts).unwrap();
    fs::write(layouts.join("single.html"), "<h1>{{ .Title }}</h1>{{ .Content }}").unwrap();
    fs::write(
        layouts.join("list.html"),
        "{{ range first 50 .Pages }}<a href=\"{{ .Permalink }}\">{{ .Title }}</a>{{ end }}",
    )
    .unwrap();
    let before = children();
    let started = Instant::now();
    let status = Command::new("hugo")
        .arg("--quiet")
        .current_dir(site)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    status.success().then(|| (children() - before, started.elapsed()))
}
