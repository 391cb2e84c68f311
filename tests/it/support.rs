//! A daemon on a folder of its own, and what a reader does with it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Long enough for a loaded machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    pub folder: tempfile::TempDir,
    daemon: Option<Child>,
    pub address: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// The program, without anything of the environment that would change it.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sower"));
    for (name, _) in std::env::vars() {
        if name.starts_with("SOWER_") || name == "STATE_DIRECTORY" || name == "NOTIFY_SOCKET" {
            command.env_remove(name);
        }
    }
    command
}

impl Rig {
    /// A folder with these files, not served yet.
    pub fn with(files: &[(&str, &str)]) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("seeds")).unwrap();
        let rig = Rig { folder, daemon: None, address: String::new() };
        for (name, text) in files {
            rig.write(name, text);
        }
        rig
    }

    pub fn serving(files: &[(&str, &str)]) -> Rig {
        let mut rig = Rig::with(files);
        rig.start();
        rig
    }

    pub fn seeds(&self) -> PathBuf {
        self.folder.path().join("seeds")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn command(&self) -> Command {
        let mut command = program();
        command.arg("serve").arg("--seeds").arg(self.seeds()).arg("--state").arg(self.state());
        // Ids and links must not depend on the free port.
        command.args(["--listen", "127.0.0.1:0", "--base-url", "http://sower.test"]);
        command.current_dir(self.folder.path());
        command
    }

    pub fn start(&mut self) {
        self.start_as(self.command());
    }

    /// The process of the daemon.
    pub fn process(&self) -> Pid {
        Pid::from_child(self.daemon.as_ref().unwrap())
    }

    /// Asks it to read its configuration again.
    pub fn hang_up(&self) {
        kill_process(self.process(), Signal::HUP).unwrap();
    }

    /// The process stands still, as on a machine that sleeps, until it is told to go on.
    pub fn freeze(&self) {
        kill_process(self.process(), Signal::STOP).unwrap();
        let stat = format!("/proc/{}/stat", self.process().as_raw_nonzero());
        self.until("its standstill", |_| {
            let stat = fs::read_to_string(&stat).unwrap();
            stat.rsplit_once(") ").is_some_and(|(_, it)| it.starts_with('T'))
        });
    }

    pub fn thaw(&self) {
        kill_process(self.process(), Signal::CONT).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        let to = self.seeds().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.seeds().join(from), to).unwrap();
    }

    pub fn start_as(&mut self, mut command: Command) {
        let log = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut daemon = command.stdout(Stdio::piped()).stderr(Stdio::from(log)).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("found {line:?}; log:\n{}", self.log()));
        self.address = address.to_owned();
        self.daemon = Some(daemon);
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        let mut daemon = self.daemon.take().unwrap();
        kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
        daemon.wait().unwrap()
    }

    /// Written beside and moved into place, as careful programs do.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.seeds().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = path.with_file_name(".written");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &path).unwrap();
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: sower.test\r\nConnection: close\r\n\r\n"))
    }

    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        assert!(read.is_ok(), "{read:?} after {} bytes; log:\n{}", bytes.len(), self.log());
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|it| it.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer { status, headers, body: bytes[end + 4..].to_vec() }
    }

    /// The entries of one format, read by a parser that is not ours: id to title.
    pub fn feed(&self, format: &str) -> BTreeMap<String, Entry> {
        let answer = self.get(&format!("/feed.{format}"));
        assert_eq!(answer.status, 200);
        entries(&answer.body)
    }

    /// Every entry of the site: the subscription document and all archives.
    pub fn all(&self) -> BTreeMap<String, Entry> {
        let mut all = self.feed("atom");
        for page in 1.. {
            let answer = self.get(&format!("/archives/{page}.atom"));
            if answer.status != 200 {
                return all;
            }
            all.extend(entries(&answer.body));
        }
        all
    }

    pub fn titles(&self, format: &str) -> Vec<String> {
        let mut titles: Vec<_> = self.feed(format).into_values().map(|it| it.title).collect();
        titles.sort();
        titles
    }

    /// Waits until `is_so`.
    pub fn until(&self, what: &str, mut is_so: impl FnMut(&Rig) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            assert!(started.elapsed() < PATIENCE, "waited for {what}; log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until all three formats hold these titles and no others.
    pub fn until_titles(&self, titles: &[&str]) {
        let mut sorted: Vec<String> = titles.iter().map(|it| (*it).to_owned()).collect();
        sorted.sort();
        self.until(&format!("{sorted:?}"), |rig| {
            ["rss", "atom", "json"].iter().all(|it| rig.titles(it) == sorted)
        });
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // Already gone is as good.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub title: String,
    pub published: Option<String>,
    pub updated: Option<String>,
    pub link: String,
    pub body: String,
}

pub fn entries(document: &[u8]) -> BTreeMap<String, Entry> {
    let feed = feed_rs::parser::parse(document).unwrap();
    let mut entries = BTreeMap::new();
    for entry in feed.entries {
        let found = Entry {
            title: entry.title.map(|it| it.content).unwrap_or_default(),
            published: entry.published.map(|it| it.to_rfc3339()),
            updated: entry.updated.map(|it| it.to_rfc3339()),
            link: entry.links.first().map(|it| it.href.clone()).unwrap_or_default(),
            body: entry.content.and_then(|it| it.body).unwrap_or_default(),
        };
        let twice = entries.insert(entry.id.clone(), found);
        assert_eq!(twice, None, "{} stands twice in one document", entry.id);
    }
    entries
}

pub fn story(title: &str) -> String {
    format!(
        "{title}\nWhat it is about\nThe first paragraph of {title} says what happened, to whom, and when it \
         happened, so that nobody has to read on.\nThe second one says why.\n"
    )
}

pub fn copy_folder(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
