//! What a first import, a warm start and one edit cost, beside Hugo where it is
//! installed, in one run on the same folder: CPU time from the processes' own
//! accounting, since wall time on shared machines lies.
//!
//! `cargo bench --bench import` takes 10,000 Markdown seeds of 5 KB;
//! `cargo bench --bench import -- 100000` as many as it is told. Prints figures,
//! asserts nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Words as often as people write them: those of our own prose. Their order in a post
/// is chance.
fn words() -> Vec<&'static str> {
    let prose = [include_str!("../README.md"), include_str!("../docs/decisions.md")];
    let is_word = |it: &&str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_lowercase());
    prose.iter().flat_map(|it| it.split([' ', '\n', ',', '.'])).filter(is_word).collect()
}

fn main() {
    let count = std::env::args().skip(1).find_map(|it| it.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().unwrap();
    let seeds = folder.path().join("content");
    fs::create_dir(&seeds).unwrap();
    for number in 0..count {
        fs::write(seeds.join(format!("post-{number:06}.md")), post(number, 0)).unwrap();
    }
    let state = folder.path().join("state");

    let started = Instant::now();
    let daemon = Daemon::start(&seeds, &state);
    let import = daemon.cpu();
    println!(
        "first import of {count} seeds: {:.2} s of CPU, {:.2} s until it listens, at most {} MB",
        import.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        daemon.peak() / 1000
    );
    edits(&daemon, &seeds, count);
    drop(daemon);

    let started = Instant::now();
    let daemon = Daemon::start(&seeds, &state);
    let listens = started.elapsed();
    daemon.get("/feed.atom", "");
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

/// One edit at a time of the newest article, until the feed shows it.
fn edits(daemon: &Daemon, seeds: &Path, count: usize) {
    let mut waits = Vec::new();
    let before = daemon.cpu();
    let newest = newest(count);
    for version in 1..=100 {
        let mark = format!("version {version} of it");
        fs::write(seeds.join(format!("post-{newest:06}.md")), post(newest, version)).unwrap();
        let closed = Instant::now();
        daemon.until_feed_holds(&mark);
        waits.push(closed.elapsed());
        std::thread::sleep(Duration::from_millis(350));
    }
    waits.sort();
    println!(
        "one edit among {count}, from close to served: p50 {:.1} ms, p99 {:.1} ms; {:.1} ms of CPU, \
         reading the feed included",
        waits[50].as_secs_f64() * 1e3,
        waits[98].as_secs_f64() * 1e3,
        (daemon.cpu() - before).as_secs_f64() * 1e3 / 100.0
    );
}

/// Dates go round through fifteen years; this one has the last.
fn newest(count: usize) -> usize {
    (0..count).max_by_key(|it| date(*it)).unwrap()
}

fn date(number: usize) -> String {
    let (year, month, day) = (2010 + number % 15, 1 + number % 12, 1 + number % 28);
    format!("{year}-{month:02}-{day:02}T10:{:02}:{:02}Z", number / 60 % 60, number % 60)
}

fn post(number: usize, version: usize) -> String {
    let mut text = format!(
        "---\ntitle: Post {number}\ndate: {}\ntags: [tag{}, tag{}]\n---\n\n## Heading {number}\n\n",
        date(number),
        number % 50,
        number % 7
    );
    // Once for all posts.
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(words);
    let mut random = number;
    for _ in 0..10 {
        let end = text.len() + 480;
        while text.len() < end {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(WORDS[(random >> 33) % WORDS.len()]);
            text.push(' ');
        }
        text.push_str("and so on.\n\n");
    }
    text + &format!(
        "This is version {version} of it, with *emphasis* and [a link](https://example.org/).\n"
    )
}

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

    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// The most memory that it had, in kilobytes.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let process = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap();
    }
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

/// CPU time of all children that ended.
fn children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
