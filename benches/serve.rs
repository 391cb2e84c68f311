//! What a request costs beside nginx: CPU time per request of both processes, from
//! the kernel's own accounting (`/proc/PID/task/*/schedstat`), for the same bytes on
//! the same core in one run, the rounds of both taking turns.
//!
//! Needs `nginx` (with gzip_static), `h2load` and `taskset`, which Debian has in the
//! packages nginx-light, nghttp2-client and util-linux, and two cores: one for
//! whoever serves, one for whoever asks.
//!
//! Then what 10,000 idle connections take of memory, and how long readers wait at a
//! steady rate of requests, alone and while 10,000 seeds are taken in. Those who ask
//! stand for other machines, which have cores of their own: here they go before all
//! else (nice -10, which takes root), so that what is measured is how long the server
//! lets them wait, and not how late they wake up.
//!
//! `cargo bench --bench serve` prints the tables and asserts nothing of its figures.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Rounds of each server for each row; the median counts.
const ROUNDS: usize = 7;
const SERVER_CORE: &str = "0";
const CLIENT_CORE: &str = "1";

/// One row of the table.
struct Work {
    name: &'static str,
    path: &'static str,
    /// What h2load is told beside the address.
    flags: &'static [&'static str],
    /// In a round.
    requests: u32,
    /// Whether the tag of the document is sent along.
    has_tag: bool,
    /// Sower's cost over nginx's that is aimed at.
    goal: f64,
}

/// Over TLS 1.3 with the same certificate.
const TLS: &str = "TLS 1.3, keep-alive, gzip 200";

const HTTP1: &[&str] = &["--h1", "-c32"];
const GZIP1: &[&str] = &["--h1", "-c32", "-HAccept-Encoding: gzip"];
const GZIP2: &[&str] = &["-c4", "-m100", "-HAccept-Encoding: gzip"];

#[rustfmt::skip]
const TABLE: &[Work] = &[
    Work { name: "304", path: "/feed.atom", flags: GZIP1, requests: 60_000, has_tag: true, goal: 1.0 },
    Work { name: "gzip 200 of a 50-entry feed", path: "/feed.atom", flags: GZIP1, requests: 60_000, has_tag: false, goal: 0.7 },
    Work { name: "identity 200 of 50 KB", path: "/long", flags: HTTP1, requests: 40_000, has_tag: false, goal: 1.0 },
    Work { name: "h2, 100 streams, gzip 200", path: "/feed.atom", flags: GZIP2, requests: 40_000, has_tag: false, goal: 1.0 },
    Work { name: TLS, path: "/feed.atom", flags: GZIP1, requests: 60_000, has_tag: false, goal: 1.0 },
];

/// A server under test.
struct Server {
    process: Child,
    /// For HTTP/1, for HTTP/2, which is another at nginx, and for TLS.
    addresses: [String; 3],
}

impl Server {
    /// CPU time of the process and its children so far.
    fn cost(&self) -> Duration {
        let nanoseconds = |process: u32| -> u64 {
            let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
            let of_task = |it: std::io::Result<fs::DirEntry>| {
                // A thread may end meanwhile.
                let text = fs::read_to_string(it.unwrap().path().join("schedstat"));
                text.map_or(0, |it| it.split(' ').next().unwrap().parse().unwrap())
            };
            tasks.map(of_task).sum()
        };
        Duration::from_nanos(self.processes().map(nanoseconds).sum())
    }

    fn url(&self, work: &Work) -> String {
        let [http1, http2, https] = &self.addresses;
        match (work.name, work.flags.contains(&"--h1")) {
            (TLS, _) => format!("https://{https}{}", work.path),
            (_, true) => format!("http://{http1}{}", work.path),
            (_, false) => format!("http://{http2}{}", work.path),
        }
    }

    /// Of the process and its children, in KB.
    fn memory(&self) -> u64 {
        self.processes()
            .map(|it| {
                let status = fs::read_to_string(format!("/proc/{it}/status")).unwrap();
                let line = status.lines().find(|it| it.starts_with("VmRSS:")).unwrap();
                line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
            })
            .sum()
    }

    fn processes(&self) -> impl Iterator<Item = u32> {
        let main = self.process.id();
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap();
        let children: Vec<u32> =
            children.split_whitespace().map(|it| it.parse().unwrap()).collect();
        children.into_iter().chain([main])
    }

    /// Head and body of what stands at a path.
    fn get(&self, path: &str, fields: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.addresses[0]).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: b\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let body = bytes.split_off(end + 4);
        (String::from_utf8(bytes).unwrap(), body)
    }

    /// One round; CPU time per request.
    fn round(&self, work: &Work) -> Duration {
        let mut command = pinned(CLIENT_CORE, "h2load");
        command.args(work.flags).args(["-t1", "-n", &work.requests.to_string()]);
        if work.has_tag {
            let (head, _) = self.get(work.path, "Accept-Encoding: gzip\r\n");
            let is_tag = |it: &&str| it.to_ascii_lowercase().starts_with("etag: ");
            let tag = &head.lines().find(is_tag).unwrap()[6..];
            command.arg(format!("-HIf-None-Match: {tag}"));
        }
        command.arg(self.url(work));
        let before = self.cost();
        let output = command.output().unwrap();
        let cost = self.cost() - before;
        let said = String::from_utf8(output.stdout).unwrap();
        let class = if work.has_tag { "3xx" } else { "2xx" };
        let expected = format!("{} {class}", work.requests);
        assert!(said.contains(&expected), "{}: {said}", work.name);
        cost / work.requests
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // With SIGTERM, so that nginx takes its worker along.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

fn pinned(core: &str, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core, program]);
    command
}

const SENTENCE: &str = "A sentence that says what happened at the harbour, to whom, and when. ";

fn sower(folder: &Path) -> Server {
    start(folder, &mut pinned(SERVER_CORE, env!("CARGO_BIN_EXE_sower")))
}

/// Sower on fifty articles, by this command.
fn start(folder: &Path, command: &mut Command) -> Server {
    let seeds = folder.join("seeds");
    fs::create_dir(&seeds).unwrap();
    for number in 0..49 {
        let text = format!("Story {number}\nWhat it is about\n{}\n", SENTENCE.repeat(12));
        fs::write(seeds.join(format!("{number}.txt")), text).unwrap();
    }
    let text = format!("A long story\nWhat it is about\n{}\n", SENTENCE.repeat(700));
    fs::write(seeds.join("long.txt"), text).unwrap();
    let certificates = certificates();
    let text = format!(
        "[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"{c}/one.pem\"\nkey = \"{c}/one.key\"\n",
        c = certificates.display()
    );
    let config = folder.join("sower.toml");
    fs::write(&config, text).unwrap();
    let mut process = command
        .args(["serve", "--listen", "127.0.0.1:0", "--base-url", "http://bench.example", "--seeds"])
        .arg(&seeds)
        .arg("--config")
        .arg(config)
        .arg("--state")
        .arg(folder.join("state"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut address = |scheme: &str| {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        line.trim().strip_prefix(&format!("listening on {scheme}://")).unwrap().to_owned()
    };
    let http = address("http");
    let https = address("https");
    Server { process, addresses: [http.clone(), http, https] }
}

fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/serve/tls")
}

/// nginx with the bytes that `sower` serves, as files.
fn nginx(folder: &Path, sower: &Server) -> Server {
    let root = folder.join("nginx");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("feed.atom"), sower.get("/feed.atom", "").1).unwrap();
    let gzip = sower.get("/feed.atom", "Accept-Encoding: gzip\r\n").1;
    fs::write(root.join("feed.atom.gz"), gzip).unwrap();
    fs::write(root.join("long"), sower.get("/long", "").1).unwrap();
    let addresses = [(); 3].map(|()| {
        // Free now, and in a moment still.
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    });
    let configuration = format!(
        "user root; worker_processes 1; daemon off; pid {root}/pid; error_log {root}/errors;
         worker_rlimit_nofile 20000; events {{ worker_connections 15000; }}
         http {{
           access_log off; sendfile on; tcp_nopush on; gzip_static on; etag on;
           keepalive_requests 1000000000; open_file_cache max=100;
           types {{ application/atom+xml atom; }} default_type 'text/html; charset=utf-8';
           client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;
           fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi;
           scgi_temp_path {root}/scgi;
           server {{
             listen {http1}; listen {http2} http2; listen {https} ssl; root {root};
             ssl_certificate {certificates}/one.pem; ssl_certificate_key {certificates}/one.key;
             ssl_protocols TLSv1.3;
             add_header Cache-Control 'public, max-age=60';
           }}
         }}",
        root = root.display(),
        http1 = addresses[0],
        http2 = addresses[1],
        https = addresses[2],
        certificates = certificates().display(),
    );
    fs::write(root.join("nginx.conf"), configuration).unwrap();
    let process = pinned(SERVER_CORE, "nginx")
        .arg("-c")
        .arg(root.join("nginx.conf"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while TcpStream::connect(&addresses[1]).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    Server { process, addresses }
}

/// Connections that are open and ask nothing more.
const IDLE: usize = 10_000;

/// What that many connections take, in KB.
fn idle(server: &Server) -> u64 {
    let before = server.memory();
    let connections: Vec<TcpStream> = (0..IDLE)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.addresses[0]).unwrap();
            stream.write_all(b"HEAD /feed.atom HTTP/1.1\r\nHost: b\r\n\r\n").unwrap();
            let mut bytes = [0; 1000];
            assert!(stream.read(&mut bytes).unwrap() > 0);
            stream
        })
        .collect();
    // They are idle when nobody asks for a while.
    std::thread::sleep(Duration::from_secs(3));
    let after = server.memory();
    drop(connections);
    after.saturating_sub(before)
}

/// Requests a second, about half of what a connection without pauses gets through on
/// these cores while other work is done on them.
const RATE: u32 = 4000;
const ASKERS: u32 = 8;

/// How long readers wait who ask at a steady rate, whatever the server does; from when
/// they wanted to ask. Asks until told, and gives the 50th and 99th in a hundred.
fn waits(server: &Server, is_over: impl Fn() -> bool + Sync) -> [Duration; 2] {
    let pause = Duration::from_secs(1) / RATE * ASKERS;
    let start = Instant::now() + Duration::from_millis(10);
    let is_over = &is_over;
    let mut all: Vec<Duration> = std::thread::scope(|scope| {
        let ask = |asker: u32| {
            // Of this thread; without the right to it they ask as equals.
            let _ = rustix::process::setpriority_process(None, -10);
            let mut stream = TcpStream::connect(&server.addresses[0]).unwrap();
            stream.set_nodelay(true).unwrap();
            let request = b"GET /feed.atom HTTP/1.1\r\nHost: b\r\nAccept-Encoding: gzip\r\n\r\n";
            let mut due = start + pause / ASKERS * asker;
            let mut waited = Vec::new();
            let mut bytes = vec![0; 1 << 16];
            while !is_over() {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                stream.write_all(request).unwrap();
                let mut got = 0;
                let whole = loop {
                    got += stream.read(&mut bytes[got..]).unwrap();
                    let Some(end) = bytes[..got].windows(4).position(|it| it == b"\r\n\r\n") else {
                        continue;
                    };
                    let head = std::str::from_utf8(&bytes[..end]).unwrap();
                    let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
                    break end + 4 + length.unwrap().parse::<usize>().unwrap();
                };
                while got < whole {
                    got += stream.read(&mut bytes[got..]).unwrap();
                }
                waited.push(due.elapsed());
                due += pause;
            }
            waited
        };
        let askers: Vec<_> = (0..ASKERS).map(|it| scope.spawn(move || ask(it))).collect();
        askers.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    all.sort();
    [all[all.len() / 2], all[all.len() / 100 * 99]]
}

/// Seeds that arrive while readers ask.
const ARRIVING: usize = 10_000;

fn print_waits(folder: &Path) {
    // On all cores, as it is in earnest.
    let server = start(folder, &mut Command::new(env!("CARGO_BIN_EXE_sower")));
    let begun = Instant::now();
    let [_, alone] = waits(&server, || begun.elapsed() > Duration::from_secs(10));
    let beside = folder.join("arriving");
    fs::create_dir(&beside).unwrap();
    for number in 0..ARRIVING {
        let text = format!("Arrival {number}\nWhat it is about\n{}\n", SENTENCE.repeat(30));
        fs::write(beside.join(format!("{number}.txt")), text).unwrap();
    }
    fs::rename(&beside, folder.join("seeds/arriving")).unwrap();
    let is_in = || {
        let health = String::from_utf8(server.get("/healthz", "").1).unwrap();
        health.contains(&format!("\"entries\":{}", ARRIVING + 50))
    };
    let began = Instant::now();
    let done = std::sync::atomic::AtomicBool::new(false);
    let [_, importing] = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_in() {
                std::thread::sleep(Duration::from_millis(200));
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        waits(&server, || done.load(std::sync::atomic::Ordering::Relaxed))
    });
    println!(
        "99 of 100 readers wait at most {} us alone, {} us while {ARRIVING} seeds are taken in for \
         {:.1} s: {:.2} (goal: 1.5)",
        alone.as_micros(),
        importing.as_micros(),
        began.elapsed().as_secs_f64(),
        importing.as_secs_f64() / alone.as_secs_f64()
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let sower = sower(folder.path());
    let nginx = nginx(folder.path(), &sower);
    for path in ["/feed.atom", "/long"] {
        for fields in ["", "Accept-Encoding: gzip\r\n"] {
            let (ours, theirs) = (sower.get(path, fields).1, nginx.get(path, fields).1);
            let is_same = ours == theirs || path == "/long" && !fields.is_empty();
            assert!(is_same, "{path}: other bytes");
            println!("{path} {fields:?}: {} bytes", ours.len());
        }
    }
    println!("| work | nginx, us | Sower, us | Sower / nginx | goal |");
    println!("|---|---|---|---|---|");
    for work in TABLE {
        let mut costs = [Vec::new(), Vec::new()];
        for round in 0..=ROUNDS {
            for (server, costs) in [&nginx, &sower].into_iter().zip(&mut costs) {
                let cost = server.round(work);
                // The first is for warming up.
                if round > 0 {
                    costs.push(cost);
                }
            }
        }
        let [theirs, ours] = costs.map(|mut costs| {
            costs.sort();
            costs[costs.len() / 2].as_secs_f64() * 1e6
        });
        println!(
            "| {} | {theirs:.1} | {ours:.1} | {:.2} | {:.1} |",
            work.name,
            ours / theirs,
            work.goal
        );
    }
    let (theirs, ours) = (idle(&nginx), idle(&sower));
    println!("{IDLE} idle connections: nginx {theirs} KB, Sower {ours} KB (goal: 150,000)");
    drop((nginx, sower));
    let folder = tempfile::tempdir().unwrap();
    print_waits(folder.path());
}
