//! What benchmarks have in common: the daemon as others see it, and posts to feed it.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

pub struct Daemon {
    process: Child,
    pub address: String,
}

impl Daemon {
    /// Until it listens.
    pub fn start(seeds: &Path, state: &Path) -> Daemon {
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

    pub fn reader(&self) -> Reader {
        let stream = connect(&self.address);
        let (address, condition) = (self.address.clone(), String::new());
        Reader { address, stream, condition, every: Duration::from_micros(500) }
    }

    /// User and system time so far, to the hundredth of a second.
    pub fn cpu(&self) -> Duration {
        cpu(&self.process.id().to_string(), 11)
    }

    /// The most memory that it had, in megabytes.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The memory that it has, in megabytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1000
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let process = rustix::process::Pid::from_child(&self.process);
        // Already gone is as good.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}

/// CPU time of all children of this process that ended.
pub fn children() -> Duration {
    cpu("self", 13)
}

/// User and system time of a process (proc_pid_stat(5)), the field of the first counted
/// from behind the name.
fn cpu(process: &str, field: usize) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(field).take(2);
    let ticks: u64 = fields.map(|it| it.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

fn connect(address: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::new(stream)
}

/// One connection that is kept for as long as the server keeps it.
pub struct Reader {
    address: String,
    stream: BufReader<TcpStream>,
    condition: String,
    /// How often it asks for what it waits for.
    pub every: Duration,
}

pub struct Answer {
    pub status: u16,
    pub fields: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Reader {
    pub fn get(&mut self, path: &str, fields: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{fields}\r\n");
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut fields = HashMap::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            fields.insert(name.to_owned(), value.to_owned());
        }
        let length = if status == 304 { 0 } else { fields["content-length"].parse().unwrap() };
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        if fields.get("connection").is_some_and(|it| it == "close") {
            self.stream = connect(&self.address);
        }
        Answer { status, fields, body }
    }

    /// Waits until the feed holds `text`, as a reader that asks for news alone.
    pub fn until_feed_holds(&mut self, text: &str) {
        let started = Instant::now();
        loop {
            let condition = std::mem::take(&mut self.condition);
            let answer = self.get("/feed.atom", &condition);
            if let Some(tag) = answer.fields.get("etag") {
                self.condition = format!("If-None-Match: {tag}\r\n");
            }
            if answer.body.windows(text.len()).any(|it| it == text.as_bytes()) {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it never came");
            std::thread::sleep(self.every);
        }
    }
}

/// Words as often as people write them: those of our own prose. Their order in a post
/// is chance.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let prose = [include_str!("../../README.md"), include_str!("../../docs/decisions.md")];
    let is_word = |it: &&str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_lowercase());
    prose.iter().flat_map(|it| it.split([' ', '\n', ',', '.'])).filter(is_word).collect()
});

/// Markdown of so many paragraphs of some 500 bytes; tags are `tag0` to `tag499` and
/// `kind0` to `kind6`.
pub fn post(number: usize, version: usize, paragraphs: usize, date: &str) -> String {
    let mut text = format!(
        "---\ntitle: Post {number}\ndate: {date}\ntags: [tag{}, kind{}]\n---\n\n## Heading {number}\n\n",
        number % 500,
        number % 7
    );
    let mut random = number;
    for _ in 0..paragraphs {
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

/// Dates go round through fifteen years.
pub fn date(number: usize) -> String {
    let (year, month, day) = (2010 + number % 15, 1 + number % 12, 1 + number % 28);
    format!("{year}-{month:02}-{day:02}T10:{:02}:{:02}Z", number / 60 % 60, number % 60)
}

/// The value below which this share of them lies, in milliseconds.
pub fn percentile(waits: &mut [Duration], share: f64) -> f64 {
    waits.sort();
    waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
}
