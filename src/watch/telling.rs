//! How changes are noticed: by events, by listing the folder often, or both.
//!
//! Takes what goes wrong with events in, and gives what an administrator should
//! read of it out, each trouble once. Sends nothing itself.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::watch::Mode;
use crate::watch::events::Events;
use crate::watch::events::Unwatched;
use crate::watch::inbox::Inbox;
use crate::watch::read::Root;
use crate::watch::seed::SeedPath;

/// How often the folder is listed where events cannot be had.
const POLL: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Telling {
    mode: Mode,
    root: PathBuf,
    inbox: Arc<Inbox>,
    /// How many folders can be watched, if the kernel allows so many.
    most: usize,
    events: Option<Events>,
    /// How often the folder is listed between comparisons.
    pub poll: Option<Duration>,
    is_remote: bool,
    /// The kernel watches no more folders.
    is_full: bool,
    /// Events were wanted and could not be had.
    is_troubled: bool,
}

impl Telling {
    pub fn new(mode: Mode, root: &Path, inbox: &Arc<Inbox>, most: usize) -> Telling {
        Telling {
            mode,
            root: root.to_path_buf(),
            inbox: Arc::clone(inbox),
            most,
            events: None,
            poll: None,
            is_remote: false,
            is_full: false,
            is_troubled: false,
        }
    }

    /// Forgets the folder that was watched; the next one may lie on a file system
    /// that tells little.
    pub fn renew(&mut self, is_remote: bool) {
        self.events = None;
        self.is_remote = is_remote;
        self.poll = self.poll_beside_events();
    }

    /// Begins with events, where they are wanted and not yet there.
    pub fn start(&mut self) -> Option<String> {
        if self.events.is_some() || matches!(self.mode, Mode::Poll(_)) {
            return None;
        }
        match Events::start(&self.root, &self.inbox, self.most) {
            Ok(events) => {
                self.events = Some(events);
                None
            }
            Err(reason) => self.give_up(&reason),
        }
    }

    /// Watches a folder (the root: `None`), if events are to be had.
    pub fn watch(&mut self, folder: Option<&SeedPath>) {
        if let (Some(events), false) = (self.events.as_mut(), self.is_full) {
            self.is_full = events.watch(folder) == Err(Unwatched::TooMany);
        }
    }

    /// Returns when whatever happened before is in the inbox, as far as events tell.
    pub fn catch_up(&mut self, root: &Root) {
        if let Some(events) = &mut self.events {
            events.catch_up(|| root.open_for_reading().is_ok());
        }
    }

    /// After a walk, the whole folder having so many folders: whether all of them
    /// are watched.
    pub fn walked(&mut self, folders: usize, is_whole: bool) -> Option<String> {
        if std::mem::take(&mut self.is_full) {
            let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches");
            let limit: usize = limit.ok().and_then(|it| it.trim().parse().ok()).unwrap_or_default();
            return self.give_up(&format!(
                "no room for {folders} more folders below the kernel's limit of {limit}; `sysctl \
                 fs.inotify.max_user_watches={}` makes room",
                limit + folders
            ));
        }
        if !is_whole || self.events.is_none() || !std::mem::take(&mut self.is_troubled) {
            return None;
        }
        self.poll = self.poll_beside_events();
        Some(format!("changes in `{}` are told by events again", self.root.display()))
    }

    /// Lists the folder often, until a comparison finds that events can be had.
    pub fn give_up(&mut self, reason: &str) -> Option<String> {
        self.events = None;
        let every = *self.poll.get_or_insert(POLL);
        if std::mem::replace(&mut self.is_troubled, true) {
            return None;
        }
        Some(format!(
            "expected to be told of changes in `{}`, found {reason}; the folder is listed every \
             {} s instead",
            self.root.display(),
            every.as_secs_f32()
        ))
    }

    fn poll_beside_events(&self) -> Option<Duration> {
        match self.mode {
            Mode::Poll(every) => Some(every),
            Mode::Auto if self.is_remote => Some(POLL),
            Mode::Auto | Mode::Events => None,
        }
    }
}
