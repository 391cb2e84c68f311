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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_given_up_once_and_taken_up_again() {
        let home = tempfile::tempdir().unwrap();
        let inbox = Arc::new(Inbox::default());
        let mut telling = Telling::new(Mode::Events, home.path(), &inbox, 0);
        for round in 0..3 {
            assert_eq!(telling.start(), None, "there is nothing wrong before the first folder");
            telling.watch(None);
            let notice = telling.walked(12, true);
            assert_eq!(notice.is_some(), round == 0, "said once: {notice:?}");
            assert_eq!(telling.poll, Some(POLL));
        }
        telling.most = 12;
        assert_eq!(telling.start(), None);
        telling.watch(None);
        assert_eq!(telling.walked(1, false), None, "a part is not the whole");
        let notice = telling.walked(12, true);
        assert!(notice.is_some_and(|it| it.ends_with("are told by events again")));
        assert_eq!((telling.poll, telling.walked(12, true)), (None, None));
    }

    #[test]
    fn how_often_the_folder_is_listed() {
        let every = Duration::from_secs(7);
        let table = [
            (Mode::Events, false, None, "events tell"),
            (Mode::Events, true, None, "as was asked for"),
            (Mode::Auto, false, None, "events tell"),
            (Mode::Auto, true, Some(POLL), "others may write where no event tells"),
            (Mode::Poll(every), false, Some(every), "as was asked for"),
        ];
        for (mode, is_remote, expected, why) in table {
            let inbox = Arc::new(Inbox::default());
            let mut telling = Telling::new(mode, Path::new("/nowhere"), &inbox, 1);
            telling.renew(is_remote);
            assert_eq!(telling.poll, expected, "{mode:?}, remote {is_remote}: {why}");
        }
    }
}
