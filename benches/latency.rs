//! How long a subscriber waits: from the moment a writer closes a file to the moment
//! the new bytes of the feed are served, with 1,000 seeds in the folder.
//!
//! `cargo bench --bench latency` prints the figures and asserts nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SEEDS: usize = 1000;
const EDITS: usize = 300;
const BURST: usize = 1000;

struct Daemon {
    process: Child,
    address: String,
}

impl Daemon {
    fn start(seeds: &Path, state: &Path) -> Daemon {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sower"))
            .args(["serve", "--listen", "127.0.0.1:0", "--seeds"])
            .arg(seeds)
            .arg("--state")
            .arg(state)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Daemon { process, address }
    }

    fn get(&self, path: &str, condition: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n{condition}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Waits until the feed holds `text`, as a reader that asks for news alone.
    fn until_feed_holds(&self, text: &str) {
        let mut condition = String::new();
        let started = Instant::now();
        loop {
            let answer = self.get("/feed.atom", &condition);
            if answer.windows(text.len()).any(|it| it == text.as_bytes()) {
                return;
            }
            if let Some(tag) =
                String::from_utf8_lossy(&answer).lines().find_map(|it| it.strip_prefix("etag: "))
            {
                condition = format!("If-None-Match: {tag}\r\n");
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it never came");
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// User and system time so far, in clock ticks of a hundredth of a second.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

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
    let before = daemon.ticks();
    for number in 0..EDITS {
        let title = format!("Edited for the {number}th time");
        // The newest: the feed holds the last 200 of a day.
        fs::write(seeds.join("999.txt"), story(&title)).unwrap();
        let closed = Instant::now();
        daemon.until_feed_holds(&title);
        waits.push(closed.elapsed());
        // Apart from each other, as writers save: quicker saves are waited out.
        std::thread::sleep(Duration::from_millis(350));
    }
    waits.sort();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    println!(
        "from close to served, {EDITS} edits among {SEEDS} seeds: p50 {:?}, p99 {:?}, most {:?}; \
         {} ms of CPU an edit, reading the feed included",
        at(0.5),
        at(0.99),
        at(1.0),
        (daemon.ticks() - before) * 10 / EDITS as u64
    );

    let before = daemon.ticks();
    for number in 0..BURST {
        fs::write(seeds.join(format!("burst-{number}.txt")), story(&format!("Burst {number}")))
            .unwrap();
    }
    let copied = Instant::now();
    let all = format!("\"entries\":{}", SEEDS + BURST);
    while !String::from_utf8_lossy(&daemon.get("/healthz", "")).contains(&all) {
        std::thread::sleep(Duration::from_millis(2));
    }
    println!(
        "{BURST} seeds copied in at once: all published {:?} after the last was closed, {} ms of CPU",
        copied.elapsed(),
        (daemon.ticks() - before) * 10
    );
}
