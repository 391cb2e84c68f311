//! What a request costs beside nginx: CPU time per request of both processes, from
//! the kernel's own accounting (`/proc/PID/task/*/schedstat`), for the same bytes on
//! the same core in one run, the rounds of both taking turns.
//!
//! Needs `nginx` (with gzip_static), `h2load` and `taskset`, which Debian has in the
//! packages nginx-light, nghttp2-client and util-linux, and two cores: one for
//! whoever serves, one for whoever asks.
//!
//! `cargo bench --bench serve` prints the table and asserts nothing of its figures.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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

const HTTP1: &[&str] = &["--h1", "-c32"];
const GZIP1: &[&str] = &["--h1", "-c32", "-HAccept-Encoding: gzip"];
const GZIP2: &[&str] = &["-c4", "-m100", "-HAccept-Encoding: gzip"];

#[rustfmt::skip]
const TABLE: &[Work] = &[
    Work { name: "304", path: "/feed.atom", flags: GZIP1, requests: 60_000, has_tag: true, goal: 1.0 },
    Work { name: "gzip 200 of a 50-entry feed", path: "/feed.atom", flags: GZIP1, requests: 60_000, has_tag: false, goal: 0.7 },
    Work { name: "identity 200 of 50 KB", path: "/long", flags: HTTP1, requests: 40_000, has_tag: false, goal: 1.0 },
    Work { name: "h2, 100 streams, gzip 200", path: "/feed.atom", flags: GZIP2, requests: 40_000, has_tag: false, goal: 1.0 },
];

/// A server under test.
struct Server {
    process: Child,
    /// For HTTP/1 and, at nginx, another for HTTP/2.
    addresses: [String; 2],
}

impl Server {
    /// CPU time of the process and its children so far.
    fn cost(&self) -> Duration {
        let main = self.process.id();
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap();
        let processes = children.split_whitespace().map(|it| it.parse().unwrap());
        let nanoseconds = |process: u32| -> u64 {
            let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
            let of_task = |it: std::io::Result<fs::DirEntry>| {
                // A thread may end meanwhile.
                let text = fs::read_to_string(it.unwrap().path().join("schedstat"));
                text.map_or(0, |it| it.split(' ').next().unwrap().parse().unwrap())
            };
            tasks.map(of_task).sum()
        };
        Duration::from_nanos(processes.chain([main]).map(nanoseconds).sum())
    }

    fn address(&self, work: &Work) -> &str {
        &self.addresses[usize::from(!work.flags.contains(&"--h1"))]
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
        command.arg(format!("http://{}{}", self.address(work), work.path));
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

fn sower(folder: &Path) -> Server {
    let seeds = folder.join("seeds");
    fs::create_dir(&seeds).unwrap();
    let sentence = "A sentence that says what happened at the harbour, to whom, and when. ";
    for number in 0..49 {
        let text = format!("Story {number}\nWhat it is about\n{}\n", sentence.repeat(12));
        fs::write(seeds.join(format!("{number}.txt")), text).unwrap();
    }
    let text = format!("A long story\nWhat it is about\n{}\n", sentence.repeat(700));
    fs::write(seeds.join("long.txt"), text).unwrap();
    let mut process = pinned(SERVER_CORE, env!("CARGO_BIN_EXE_sower"))
        .args(["serve", "--listen", "127.0.0.1:0", "--seeds"])
        .arg(&seeds)
        .arg("--state")
        .arg(folder.join("state"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    Server { process, addresses: [address.clone(), address] }
}

/// nginx with the bytes that `sower` serves, as files.
fn nginx(folder: &Path, sower: &Server) -> Server {
    let root = folder.join("nginx");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("feed.atom"), sower.get("/feed.atom", "").1).unwrap();
    let gzip = sower.get("/feed.atom", "Accept-Encoding: gzip\r\n").1;
    fs::write(root.join("feed.atom.gz"), gzip).unwrap();
    fs::write(root.join("long"), sower.get("/long", "").1).unwrap();
    let addresses = [(); 2].map(|()| {
        // Free now, and in a moment still.
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    });
    let configuration = format!(
        "user root; worker_processes 1; daemon off; pid {root}/pid; error_log {root}/errors;
         events {{ worker_connections 1024; }}
         http {{
           access_log off; sendfile on; tcp_nopush on; gzip_static on; etag on;
           keepalive_requests 1000000000; open_file_cache max=100;
           types {{ application/atom+xml atom; }} default_type 'text/html; charset=utf-8';
           client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;
           fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi;
           scgi_temp_path {root}/scgi;
           server {{
             listen {http1}; listen {http2} http2; root {root};
             add_header Cache-Control 'public, max-age=60';
           }}
         }}",
        root = root.display(),
        http1 = addresses[0],
        http2 = addresses[1],
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
}
