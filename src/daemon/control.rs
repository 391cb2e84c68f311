//! What `sower status` and `sower confirm` say to the running daemon: a line over a
//! Unix socket in the state folder, a text back.
//!
//! The socket is as private as the state folder. It is reached through the folder's
//! own descriptor, since the path of a socket may only have some hundred bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tracing::warn;

use crate::catalog::Reader;
use crate::catalog::rows::{Micros, SeedRow, Standing};
use crate::config::Config;
use crate::daemon::line_thread::Pulse;
use crate::daemon::maker::Maker;
use crate::serve::Subscribers;

const SOCKET: &str = "control";
/// A daemon that answers nothing for so long is not well.
const PATIENCE: Duration = Duration::from_secs(60);

/// What only the line's thread can do, and where its answer goes.
#[derive(Debug)]
pub enum Command {
    /// Withdraw what is missing; the answer is how many entries.
    Confirm(mpsc::Sender<usize>),
    /// A reader found the catalog damaged, and how.
    Salvage(String),
    /// Go on with another configuration and base URL, and compare the folder with the
    /// catalog; the answer is whether that can be done.
    Renew(Box<(Config, String)>, tokio::sync::oneshot::Sender<bool>),
    /// Compare the folder with the catalog.
    Compare,
}

/// Asks the daemon of a state folder.
///
/// # Errors
/// A sentence for the person who asked, where no daemon answers.
pub fn ask(state: &Path, question: &str) -> Result<String, String> {
    let failed = |error: io::Error| {
        format!(
            "expected a running daemon for the state folder `{}`, found none that answers ({error}); \
             start it with `sower serve`, or name its folder with `--seeds` or `--state`",
            state.display()
        )
    };
    let folder = File::open(state).map_err(failed)?;
    let mut stream = UnixStream::connect(through(&folder)).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    writeln!(stream, "{question}").map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    Ok(answer)
}

fn through(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))
}

/// Answers until the process ends, on a thread of its own.
pub(super) fn start(state: &Path, mut answering: Answering) -> io::Result<()> {
    // A socket that a killed daemon left; the lock says that it is nobody's.
    match std::fs::remove_file(state.join(SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let folder = File::open(state)?;
    let listener = UnixListener::bind(through(&folder))?;
    std::thread::Builder::new().name("control".into()).spawn(move || {
        for stream in listener.incoming() {
            if let Err(error) = stream.and_then(|it| answering.answer(it)) {
                warn!(%error, "cannot answer `sower status` or `sower confirm`");
            }
        }
    })?;
    Ok(())
}

/// What answers are made of.
pub(super) struct Answering {
    pub(super) reader: Reader,
    pub(super) maker: std::sync::Arc<Maker>,
    pub(super) pulse: std::sync::Arc<Pulse>,
    pub(super) subscribers: Box<dyn Fn() -> Vec<Subscribers> + Send>,
    pub(super) commands: mpsc::Sender<Command>,
}

impl Answering {
    fn answer(&mut self, stream: UnixStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        let mut question = String::new();
        BufReader::new((&stream).take(100)).read_line(&mut question)?;
        let answer = match question.trim() {
            "status" => self.status(),
            "confirm" => self.confirm(),
            other => format!("expected `status` or `confirm`, found `{}`\n", other.escape_debug()),
        };
        (&stream).write_all(answer.as_bytes())
    }

    fn confirm(&self) -> String {
        let (sender, answer) = mpsc::channel();
        let asked = self.commands.send(Command::Confirm(sender));
        match asked.ok().and_then(|()| answer.recv_timeout(PATIENCE).ok()) {
            Some(0) => "nothing was missing; nothing was withdrawn\n".into(),
            Some(count) => format!("withdrew {count} articles\n"),
            None => "the daemon is being stopped, or cannot write; nothing was confirmed\n".into(),
        }
    }

    fn status(&mut self) -> String {
        let health = self.pulse.health();
        let mut text = String::new();
        let mut line = |it: &str| {
            text.push_str(it);
            text.push('\n');
        };
        line(if health.reasons.is_empty() { "status: ok" } else { "status: degraded" });
        for reason in &health.reasons {
            line(&format!("  {reason}"));
        }
        line(&format!("entries: {}", health.entries));
        match self.reader.status() {
            Ok(status) => {
                let of_theme = self.maker.look().theme.load().problems();
                line(&format!("problems: {}", status.problems.len() + of_theme.len()));
                for problem in status.problems.iter().chain(&of_theme) {
                    line(&format!("  {problem}"));
                }
                line(&format!("not published: {}", status.waiting.len()));
                for seed in &status.waiting {
                    line(&format!("  {}: {}", seed.path, waiting(seed)));
                }
                line(&format!("files of other kinds: {}", status.files));
            }
            Err(error) => line(&format!("the catalog cannot be read: {error}")),
        }
        let subscribers = (self.subscribers)();
        if !subscribers.is_empty() {
            line("subscribers, as reading services say:");
        }
        for it in &subscribers {
            line(&format!("  {}: {} by {}", it.feed, it.count, it.agent));
        }
        text
    }
}

/// Why a seed is not published, and until when.
fn waiting(seed: &SeedRow) -> String {
    let until = |due: Option<Micros>| {
        let due = due.and_then(|it| jiff::Timestamp::from_microsecond(it).ok());
        due.map_or("later".into(), |it| it.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    match seed.standing {
        Standing::Published => "published".into(),
        Standing::Draft => "a draft".into(),
        Standing::Future => format!("dated {}, published then", until(seed.due)),
        Standing::Expired => "expired".into(),
        Standing::Copy => format!(
            "a copy of a published seed; an article of its own from {} on, unless it differs before",
            until(seed.due)
        ),
        Standing::Drop => "an older article, published when no more arrive with it".into(),
        Standing::Import => "waits for the end of the first import".into(),
        Standing::Queue => "waits until its path is free".into(),
        Standing::Empty => "empty".into(),
        Standing::Broken => "a problem, see above".into(),
    }
}
