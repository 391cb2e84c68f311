//! How long a subscriber waits: from the moment a writer closes a file to the moment
//! the new bytes of the feed are served, with 1,000 seeds in the folder.
//!
//! `cargo bench --bench latency` prints the figures and asserts nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod daemon;

use std::fs;
use std::time::{Duration, Instant};

use daemon::{Daemon, percentile};

const SEEDS: usize = 1000;
const EDITS: usize = 300;
const BURST: usize = 1000;

fn story(title: &str) -> String {
    format!(
        "{title}\nWhat it is about\n{}\n",
        "A sentence that says what happened and to whom. ".repeat(40)
    )
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let seeds = folder.path().join("seeds");
    fs::create_dir(&seeds).unwrap();
    for number in 0..SEEDS {
        fs::write(seeds.join(format!("{number}.txt")), story(&format!("Story {number}"))).unwrap();
    }
    let started = Instant::now();
    let daemon = Daemon::start(&seeds, &folder.path().join("state"));
    println!("first import of {SEEDS} seeds until it listens: {:?}", started.elapsed());

    let mut waits = Vec::new();
    let mut reader = daemon.reader();
    let before = daemon.cpu();
    for number in 0..EDITS {
        let title = format!("Edited for the {number}th time");
        // The newest: the feed holds the last 200 of a day.
        fs::write(seeds.join("999.txt"), story(&title)).unwrap();
        let closed = Instant::now();
        reader.until_feed_holds(&title);
        waits.push(closed.elapsed());
        // Apart from each other, as writers save: quicker saves are waited out.
        std::thread::sleep(Duration::from_millis(350));
    }
    println!(
        "from close to served, {EDITS} edits among {SEEDS} seeds: p50 {:.1} ms, p99 {:.1} ms, most \
         {:.1} ms; {} ms of CPU an edit, reading the feed included",
        percentile(&mut waits, 0.5),
        percentile(&mut waits, 0.99),
        percentile(&mut waits, 1.0),
        ((daemon.cpu() - before) / EDITS as u32).as_millis()
    );

    let before = daemon.cpu();
    for number in 0..BURST {
        fs::write(seeds.join(format!("burst-{number}.txt")), story(&format!("Burst {number}")))
            .unwrap();
    }
    let copied = Instant::now();
    let all = format!("\"entries\":{}", SEEDS + BURST);
    while !String::from_utf8_lossy(&reader.get("/healthz", "").body).contains(&all) {
        std::thread::sleep(Duration::from_millis(2));
    }
    println!(
        "{BURST} seeds copied in at once: all published {:?} after the last was closed, {} ms of CPU",
        copied.elapsed(),
        (daemon.cpu() - before).as_millis()
    );
}
