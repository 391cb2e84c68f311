//! The kernel's events as hints. The only file that names `notify`.
//!
//! Each folder is watched by itself, never recursively: notify adds the watch of a
//! new folder after it told of it, so that what is made in between tells nothing
//! (notify-rs/notify#727). Here whoever hears of a folder watches it, then lists
//! it.
//!
//! The kernel also tells that files are opened and closed by readers, Sower among
//! them: such events are dropped, or each look would cause the next.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use notify::ErrorKind;
use notify::EventKind;
use notify::RecommendedWatcher;
use notify::RecursiveMode;
use notify::Watcher;
use notify::event::AccessKind;
use notify::event::AccessMode;
use notify::event::CreateKind;
use notify::event::ModifyKind;
use notify::event::RenameMode;

use crate::watch::inbox::Event;
use crate::watch::inbox::Inbox;
use crate::watch::seed::SeedPath;
use crate::watch::settle::Hint;

/// Events of some folders. Dropped, they end.
#[derive(Debug)]
pub struct Events {
    watcher: RecommendedWatcher,
    root: PathBuf,
    opened: Arc<Opened>,
    /// The root is watched, and tells when it is opened.
    has_root: bool,
    watched: usize,
    most: usize,
}

/// Why a folder is not watched.
#[derive(Debug, PartialEq, Eq)]
pub enum Unwatched {
    /// The kernel watches no more folders for this user.
    TooMany,
    /// It is gone, or may not be read; listing it says more.
    Folder,
}

impl Events {
    /// Begins with no folder; events go to `inbox`. `most` folders are watched at
    /// most, if the kernel allows so many. Fails with the reason.
    pub fn start(root: &Path, inbox: &Arc<Inbox>, most: usize) -> Result<Events, String> {
        let base = root.to_path_buf();
        let inbox = Arc::clone(inbox);
        let opened = Arc::new(Opened::default());
        let told_opened = Arc::clone(&opened);
        let handler = move |result: notify::Result<notify::Event>| match result {
            Ok(event) if is_opening(&event, &base) => told_opened.add(),
            Ok(event) => hints(&base, &event, |it| inbox.push(it)),
            Err(error) => inbox.push(Event::Broken(error.to_string())),
        };
        let config = notify::Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(handler, config).map_err(|error| {
            match error.kind {
            ErrorKind::MaxFilesWatch => {
                "no more inotify instances; `sysctl fs.inotify.max_user_instances` sets how many a \
                 user may have"
                    .into()
            }
            ErrorKind::Io(error) if error.raw_os_error() == Some(TOO_MANY_FILES) => format!(
                "{error}; `sysctl fs.inotify.max_user_instances` sets how many inotify instances a \
                 user may have"
            ),
            _ => error.to_string(),
        }
        })?;
        let root = root.to_path_buf();
        Ok(Events { watcher, root, opened, has_root: false, watched: 0, most })
    }

    /// Watches a folder (the root: `None`), not those below it. Again is allowed,
    /// and needed where another folder took its place.
    pub fn watch(&mut self, folder: Option<&SeedPath>) -> Result<(), Unwatched> {
        if self.watched >= self.most {
            return Err(Unwatched::TooMany);
        }
        let path = match folder {
            Some(folder) => self.root.join(folder.to_path_buf()),
            None => self.root.clone(),
        };
        match self.watcher.watch(&path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched += 1;
                self.has_root |= folder.is_none();
                Ok(())
            }
            Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => Err(Unwatched::TooMany),
            Err(_) => Err(Unwatched::Folder),
        }
    }

    /// Returns when whatever happened before is in the inbox. `open_root` opens the
    /// root for reading: the kernel tells of that, too, after all that came before.
    pub fn catch_up(&mut self, open_root: impl FnOnce() -> bool) {
        let Some(before) = self.has_root.then(|| self.opened.count()) else { return };
        if open_root() && !self.opened.wait_beyond(before, CATCH_UP_LIMIT) {
            self.has_root = false;
        }
    }
}

/// So long the kernel's word is waited for; where it does not come it is never
/// waited for again.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(1);

/// How often the root was opened, as far as events tell.
#[derive(Debug, Default)]
struct Opened {
    count: Mutex<u64>,
    grown: Condvar,
}

impl Opened {
    fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.grown.notify_all();
    }

    fn wait_beyond(&self, before: u64, limit: Duration) -> bool {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.grown.wait_timeout_while(count, limit, |it| *it <= before);
        *waited.unwrap_or_else(PoisonError::into_inner).0 > before
    }
}

fn is_opening(event: &notify::Event, root: &Path) -> bool {
    matches!(event.kind, EventKind::Access(AccessKind::Open(_)))
        && event.paths.iter().any(|it| it == root)
}

/// EMFILE.
const TOO_MANY_FILES: i32 = rustix::io::Errno::MFILE.raw_os_error();

/// What an event of notify says of paths below `root`, told one by one.
fn hints(root: &Path, event: &notify::Event, mut tell: impl FnMut(Event)) {
    // An overflow names no path.
    if event.need_rescan() {
        tell(Event::Everything);
        return;
    }
    let cookie = event.tracker();
    let hint = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Hint::Closed,
        EventKind::Access(_) => return,
        // A folder has no writer that could be done or not.
        EventKind::Create(CreateKind::Folder) => Hint::Arrived { cookie: None },
        EventKind::Create(_) => Hint::Created,
        EventKind::Modify(ModifyKind::Data(_)) => Hint::Modified,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Hint::Left { cookie },
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Hint::Arrived { cookie },
        // Says the same as the two before it.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return,
        EventKind::Remove(_) => Hint::Removed,
        EventKind::Modify(_) | EventKind::Any | EventKind::Other => Hint::Touched,
    };
    for path in &event.paths {
        match path.strip_prefix(root) {
            Ok(relative) if relative.as_os_str().is_empty() => tell(Event::Root),
            Ok(relative) => {
                if let Some(path) = SeedPath::from_relative(relative) {
                    tell(Event::Path(path, hint));
                }
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use notify::event::DataChange;
    use notify::event::Flag;
    use notify::event::MetadataKind;
    use notify::event::RemoveKind;

    use super::*;

    #[test]
    fn events_as_hints() {
        let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
        let cookie = Some(7);
        let table = [
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), None, "our own reads, too"),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), None, "a reader is done"),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), Some(Hint::Closed), "done"),
            (EventKind::Create(CreateKind::File), Some(Hint::Created), "a file or a hard link"),
            (
                EventKind::Create(CreateKind::Folder),
                Some(Hint::Arrived { cookie: None }),
                "to be looked into at once",
            ),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(Hint::Modified), "written"),
            (
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
                Some(Hint::Touched),
                "times, permissions",
            ),
            (name(RenameMode::From), Some(Hint::Left { cookie }), "moved away"),
            (name(RenameMode::To), Some(Hint::Arrived { cookie }), "moved here"),
            (name(RenameMode::Both), None, "said already"),
            (EventKind::Remove(RemoveKind::File), Some(Hint::Removed), "removed"),
            (EventKind::Remove(RemoveKind::Folder), Some(Hint::Removed), "removed"),
            (EventKind::Any, Some(Hint::Touched), "whatever it was, look"),
        ];
        for (kind, expected, why) in table {
            let event = notify::Event::new(kind).set_tracker(7).add_path("/seeds/a/b.md".into());
            let mut told = Vec::new();
            hints(Path::new("/seeds"), &event, |it| told.push(it));
            let path = SeedPath::new("a/b.md").unwrap();
            let expected: Vec<_> =
                expected.map(|it| Event::Path(path.clone(), it)).into_iter().collect();
            assert_eq!(told, expected, "{kind:?}: {why}");
        }
    }

    #[test]
    fn caught_up_means_that_nothing_is_on_its_way() {
        let home = tempfile::tempdir().unwrap();
        let inbox = Arc::new(Inbox::default());
        let mut events = Events::start(home.path(), &inbox, 1).unwrap();
        events.watch(None).unwrap();
        for number in 0..500 {
            let name = format!("{number}.md");
            std::fs::write(home.path().join(&name), "text").unwrap();
            events.catch_up(|| std::fs::read_dir(home.path()).is_ok());
            let path = SeedPath::new(&name).unwrap();
            let told = inbox.take(Duration::ZERO).unwrap();
            assert_eq!(told.last(), Some(&Event::Path(path, Hint::Closed)), "{number}");
        }
    }

    #[test]
    fn overflow_means_everything() {
        let event = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        let mut told = Vec::new();
        hints(Path::new("/seeds"), &event, |it| told.push(it));
        assert_eq!(told, [Event::Everything]);
    }

    #[test]
    fn the_root_is_no_path_in_it() {
        let event = notify::Event::new(EventKind::Remove(RemoveKind::Folder))
            .add_path("/seeds".into())
            .add_path("/elsewhere".into());
        let mut told = Vec::new();
        hints(Path::new("/seeds"), &event, |it| told.push(it));
        assert_eq!(told, [Event::Root], "what lies elsewhere is nothing to us");
    }
}
