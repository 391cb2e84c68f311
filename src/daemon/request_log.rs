//! Lines of the request log to a file or standard output, on a thread of its own:
//! serving never waits for a disk. Lines that find no room are dropped, and counted in
//! the log.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};

use tracing::warn;

use crate::serve::Sink;

/// Lines that may wait.
const LINES: usize = 16_384;

#[derive(Debug)]
enum Message {
    Line(String),
    Open(Option<PathBuf>),
}

/// Where lines go. The thread ends when all of these are gone.
#[derive(Debug, Clone)]
pub(super) struct RequestLog {
    sender: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl RequestLog {
    /// To the file at `path`, or standard output.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn start(path: Option<&Path>) -> Result<RequestLog, String> {
        let output = open(path)?;
        let (sender, messages) = mpsc::sync_channel(LINES);
        let dropped = Arc::<AtomicU64>::default();
        let lost = Arc::clone(&dropped);
        std::thread::Builder::new()
            .name("requests".into())
            .spawn(move || write(&messages, output, &lost))
            .map_err(|it| format!("cannot start the request log's thread: {it}"))?;
        Ok(RequestLog { sender, dropped })
    }

    /// Opens the file anew, which may have been moved away.
    pub(super) fn reopen(&self, path: Option<PathBuf>) {
        // Only a thread that died does not take it, and that is in the log.
        let _ = self.sender.send(Message::Open(path));
    }

    pub(super) fn sink(&self) -> Sink {
        let log = self.clone();
        Arc::new(move |line| {
            if log.sender.try_send(Message::Line(line)).is_err() {
                log.dropped.fetch_add(1, Ordering::Relaxed);
            }
        })
    }
}

type Output = BufWriter<Box<dyn Write + Send>>;

fn open(path: Option<&Path>) -> Result<Output, String> {
    let output: Box<dyn Write + Send> = match path {
        None => Box::new(io::stdout()),
        Some(path) => Box::new(
            append(path)
                .map_err(|it| format!("cannot write the request log `{}`: {it}", path.display()))?,
        ),
    };
    Ok(BufWriter::new(output))
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write(messages: &Receiver<Message>, mut output: Output, dropped: &AtomicU64) {
    let mut is_failing = false;
    let mut next = messages.recv().ok();
    while let Some(message) = next {
        let written = match message {
            Message::Line(line) => output.write_all(line.as_bytes()),
            Message::Open(path) => match open(path.as_deref()) {
                Ok(fresh) => {
                    let flushed = output.flush();
                    output = fresh;
                    flushed
                }
                Err(error) => {
                    warn!("{error}; the old one is written on");
                    Ok(())
                }
            },
        };
        next = match messages.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                let flushed = written.and_then(|()| output.flush());
                if let Err(error) = &flushed
                    && !is_failing
                {
                    warn!("cannot write the request log: {error}; its lines are lost");
                }
                is_failing = flushed.is_err();
                match dropped.swap(0, Ordering::Relaxed) {
                    0 => {}
                    lines => warn!(lines, "the request log was too slow; lines were dropped"),
                }
                messages.recv().ok()
            }
        };
    }
    let _ = output.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_reach_the_file_and_the_one_that_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
        let log = RequestLog::start(Some(&path)).unwrap();
        let sink = log.sink();
        sink("one\n".into());
        std::fs::rename(&path, &moved).unwrap();
        log.reopen(Some(path.clone()));
        sink("two\n".into());
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        while read(&path) != "two\n" {
            std::thread::yield_now();
        }
        assert_eq!(read(&moved), "one\n");
        assert!(RequestLog::start(Some(&folder.path().join("no/log"))).is_err());
    }
}
