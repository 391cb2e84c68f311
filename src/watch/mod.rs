//! The seeds folder to changes: what was written, what is gone, what cannot be
//! read.
//!
//! In: a folder. Out: [`News`], in bounded batches, through a bounded channel; when
//! nobody takes them, hints collect and become "look at everything".
//!
//! Invariants
//! - Events are hints; the folder is the truth. Nothing is said of a path that was
//!   not looked at, and missed events are made up for by comparing the folder with
//!   what is known of it: at the start, when events are lost, and from time to time.
//! - A seed is given out whole, when its writer is done (`settle`).
//! - Only "not found" is [`Gone`](seed::Change::Gone).
//! - Nothing outside the folder is opened (`read`).
//!
//! No rule about articles stands here: which names are seeds comes in as an option.

pub mod seed;

mod events;

mod inbox;

mod settle;

mod generators;

mod ignore;

mod surroundings;

mod media;

mod compare;

mod read;

mod walk;

mod looking;

mod telling;

mod watching;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::watch::inbox::Event;
use crate::watch::inbox::Inbox;
use crate::watch::seed::Change;
use crate::watch::seed::SeedPath;
use crate::watch::seed::Stat;
use crate::watch::watching::Edges;
use crate::watch::watching::Watching;

/// How changes are noticed between comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By the kernel's events.
    Events,
    /// By listing the folder this often.
    Poll(Duration),
    /// By events; also by listing it every two seconds where the file system is a
    /// network's or in user space.
    Auto,
}

#[derive(Debug, Clone)]
pub struct Options {
    /// The seeds folder. It need not be there yet.
    pub root: PathBuf,
    /// How long a file must be unchanged where nothing tells that its writer is
    /// done.
    pub settle: Duration,
    pub mode: Mode,
    /// How often the whole folder is compared with what is known of it.
    pub compare_every: Duration,
    /// Larger seeds are [`Change::Unreadable`] and never read.
    pub max_bytes: u64,
    /// Whether symbolic links to files within the folder are followed. Links to
    /// folders never are: what they lead to stands in the folder already.
    pub follow_links: bool,
    /// Which names are seeds; all others are files.
    pub is_seed: fn(&SeedPath) -> bool,
}

/// What the watcher has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// What is gone comes first in each batch.
    Changes(Vec<Change>),
    /// A comparison of the whole folder has ended, and all that it found was sent
    /// before; but for files that somebody is writing to, which follow when they
    /// are done. With the root's device and inode.
    Compared { device: u64, inode: u64 },
    /// The folder is missing, or cannot be looked at. Sent once; [`News::Compared`]
    /// follows when it is back.
    Lost { is_missing: bool, reason: String },
    /// Something that the administrator should read.
    Notice(String),
}

/// What is known to stand in the folder.
pub trait Known: Send {
    /// Every seed and file that was taken in, with the stat it was reported with.
    /// Asked for at the beginning of each comparison; what is on its way may be
    /// missing. Where it fails, with the reason, the comparison is made later.
    fn known(&mut self) -> Result<Vec<(SeedPath, Stat)>, String>;
}

impl<F: FnMut() -> Result<Vec<(SeedPath, Stat)>, String> + Send> Known for F {
    fn known(&mut self) -> Result<Vec<(SeedPath, Stat)>, String> {
        self()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("expected the absolute path of `{}`, found {source}", root.display())]
    NoPath { root: PathBuf, source: std::io::Error },

    #[error("expected a thread that watches `{}`, found {source}", root.display())]
    NoThread { root: PathBuf, source: std::io::Error },
}

/// A thread that watches the folder. Dropped, it ends by itself.
pub struct Watcher {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

/// Starts to watch. The folder is compared with what is known at once; news come
/// through `sink` until the watcher is dropped or the receiver is.
pub fn start(
    options: Options,
    known: Box<dyn Known>,
    sink: SyncSender<News>,
) -> Result<Watcher, Error> {
    start_at(options, known, sink, Edges::default())
}

fn start_at(
    mut options: Options,
    known: Box<dyn Known>,
    sink: SyncSender<News>,
    edges: Edges,
) -> Result<Watcher, Error> {
    options.root = std::path::absolute(&options.root)
        .map_err(|source| Error::NoPath { root: options.root.clone(), source })?;
    let root = options.root.clone();
    let inbox = Arc::new(Inbox::default());
    let watching = Watching::new(options, known, sink, Arc::clone(&inbox), edges);
    let thread = std::thread::Builder::new()
        .name("watch".into())
        .spawn(move || watching.run())
        .map_err(|source| Error::NoThread { root, source })?;
    Ok(Watcher { inbox, thread: Some(thread) })
}

impl Watcher {
    /// Compares the whole folder soon, as if events had been lost.
    pub fn compare_now(&self) {
        self.inbox.push(Event::Everything);
    }

    /// Ends the thread and waits for it.
    pub fn stop(mut self) {
        self.inbox.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.inbox.stop();
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}
