//! The thread that watches: takes hints in, looks at what is due, compares the
//! folder from time to time, and notices when the folder itself goes and comes.
//!
//! Everything happens here in turn, on one thread, so that nothing is looked at
//! while something else decides what is known of it. What a comparison found is
//! read batch by batch, and what somebody writes meanwhile comes first.

mod comparing;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::TrySendError;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use rustix::io::Errno;

use crate::watch::Known;
use crate::watch::News;
use crate::watch::Options;
use crate::watch::inbox::Event;
use crate::watch::inbox::Inbox;
use crate::watch::looking::Batch;
use crate::watch::looking::Looking;
use crate::watch::looking::Moment;
use crate::watch::looking::Why;
use crate::watch::read::Faults;
use crate::watch::read::Kind;
use crate::watch::read::Refused;
use crate::watch::read::Root;
use crate::watch::settle::Glance;
use crate::watch::telling::Telling;
use crate::watch::watching::comparing::Comparison;

/// How often it is looked whether the folder is still the same one.
const ROOT_CHECK: Duration = Duration::from_secs(2);

/// How often, while it is lost.
const LOST_CHECK: Duration = Duration::from_millis(500);

/// How often what cannot be read is looked at again.
const RETRY_PROBLEMS: Duration = Duration::from_secs(30);

/// How soon a full channel is tried again.
const FULL: Duration = Duration::from_millis(2);

/// How many paths are looked at before hints are taken in again.
const LOOKS: usize = 1024;

/// What lies beyond this stage and can fail: tests put faults here.
#[derive(Debug, Clone)]
pub struct Edges {
    pub faults: Faults,
    /// How many folders can be watched, if the kernel allows so many.
    pub most_watched: usize,
}

impl Default for Edges {
    fn default() -> Edges {
        Edges { faults: Faults::default(), most_watched: usize::MAX }
    }
}

pub struct Watching {
    known: Box<dyn Known>,
    sink: SyncSender<News>,
    inbox: Arc<Inbox>,
    edges: Edges,
    start: Instant,
    looking: Looking,
    batch: Batch,
    telling: Telling,
    /// Of the folder that is being watched; `None` while it is lost.
    identity: Option<(u64, u64)>,
    /// What was said last of a folder that is lost: whether it is missing.
    lost: Option<bool>,
    comparison: Option<Comparison>,
    /// Whether what is known was ever asked for: before that nobody can tell what
    /// is gone.
    has_known: bool,
    is_known_failing: bool,
    folders: usize,
    /// What was said of rules that are wrong.
    notices: BTreeSet<String>,
    next_root: Duration,
    next_compare: Duration,
    next_poll: Duration,
    next_retry: Duration,
}

/// Nobody listens any more.
struct Stopped;

impl Watching {
    pub fn new(
        options: Options,
        known: Box<dyn Known>,
        sink: SyncSender<News>,
        inbox: Arc<Inbox>,
        edges: Edges,
    ) -> Watching {
        let telling = Telling::new(options.mode, &options.root, &inbox, edges.most_watched);
        Watching {
            telling,
            known,
            sink,
            inbox,
            edges,
            start: Instant::now(),
            looking: Looking::new(options),
            batch: Batch::default(),
            identity: None,
            lost: None,
            comparison: None,
            has_known: false,
            is_known_failing: false,
            folders: 0,
            notices: BTreeSet::new(),
            next_root: Duration::ZERO,
            next_compare: Duration::ZERO,
            next_poll: Duration::ZERO,
            next_retry: Duration::ZERO,
        }
    }

    pub fn run(mut self) {
        while let Some(events) = self.inbox.take(self.rest()) {
            if self.take_in(events).and_then(|()| self.round()).is_err() {
                return;
            }
        }
    }

    /// How long there is nothing to do but to wait for hints.
    fn rest(&self) -> Duration {
        let mut next = self.next_root;
        if self.identity.is_some() {
            next = match (&self.comparison, self.telling.poll) {
                (Some(comparison), _) => comparison.ends.map_or(next, |ends| next.min(ends)),
                (None, Some(_)) => next.min(self.next_compare).min(self.next_poll),
                (None, None) => next.min(self.next_compare),
            };
        }
        if self.is_watching() {
            if !self.looking.next.is_empty() || !self.looking.folders.is_empty() {
                return Duration::ZERO;
            }
            next = next.min(self.looking.settle.wake().unwrap_or(next));
            if !self.looking.problems.is_empty() {
                next = next.min(self.next_retry);
            }
        }
        next.saturating_sub(self.start.elapsed())
    }

    fn is_watching(&self) -> bool {
        self.identity.is_some() && self.has_known
    }

    fn now(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Moment { since: self.start.elapsed(), wall: i64::try_from(wall).unwrap_or(i64::MAX) }
    }

    fn take_in(&mut self, events: Vec<Event>) -> Result<(), Stopped> {
        let now = self.start.elapsed();
        for event in events {
            match event {
                Event::Path(path, hint) => self.looking.settle.hint(&path, hint, now),
                Event::Root => self.next_root = now,
                Event::Everything => self.next_compare = now,
                Event::Broken(reason) => {
                    self.next_poll = now;
                    let notice = self.telling.give_up(&reason);
                    self.notice(notice)?;
                }
            }
        }
        Ok(())
    }

    fn round(&mut self) -> Result<(), Stopped> {
        if self.start.elapsed() >= self.next_root {
            self.check_root()?;
        }
        let now = self.start.elapsed();
        if self.identity.is_some() && self.comparison.is_none() {
            if now >= self.next_compare {
                self.compare(true)?;
            } else if self.telling.poll.is_some() && now >= self.next_poll && self.has_known {
                self.compare(false)?;
            }
        }
        if !self.is_watching() {
            return Ok(());
        }
        if now >= self.next_retry {
            self.retry();
        }
        self.look()?;
        self.end_comparison()
    }

    /// Looks again at what could not be read: not every cure tells by an event.
    fn retry(&mut self) {
        self.next_retry = self.start.elapsed() + RETRY_PROBLEMS;
        let problems = self.looking.problems.keys().cloned().map(|it| (it, Why::Listed));
        self.looking.next.extend(problems);
    }

    /// Opens the folder, unless it is gone or another one.
    fn open_root(&mut self) -> Result<Option<Root>, Stopped> {
        let options = &self.looking.options;
        match Root::open(&options.root, options.follow_links, &self.edges.faults) {
            Ok(root) if self.identity == Some(root.identity) => Ok(Some(root)),
            Ok(root) => {
                self.adopt(&root);
                Ok(None)
            }
            Err(Errno::NOTDIR) => {
                let reason = "expected a folder, found something else";
                self.lose(Refused::Unreadable(reason.into()))?;
                Ok(None)
            }
            Err(error) => {
                self.lose(Refused::of("folder", error))?;
                Ok(None)
            }
        }
    }

    fn check_root(&mut self) -> Result<(), Stopped> {
        self.next_root = self.start.elapsed() + ROOT_CHECK;
        if let Some(root) = self.open_root()?
            && let Err(error) = root.open_for_reading()
        {
            // It is still the same one, but nobody can look into it.
            self.lose(Refused::of("folder", error))?;
        }
        Ok(())
    }

    /// Watches a folder that was not there before, or that took another's place.
    fn adopt(&mut self, root: &Root) {
        self.identity = Some(root.identity);
        self.comparison = None;
        self.telling.renew(root.is_remote());
        self.next_compare = self.start.elapsed();
    }

    fn lose(&mut self, refused: Refused) -> Result<(), Stopped> {
        self.next_root = self.start.elapsed() + LOST_CHECK;
        self.identity = None;
        self.comparison = None;
        self.telling.renew(false);
        self.looking.next.clear();
        self.looking.folders.clear();
        let (is_missing, reason) = match refused {
            Refused::NotFound => (true, "expected a folder, found nothing".into()),
            Refused::Busy => (false, "expected a folder, found one that changes".into()),
            Refused::Unreadable(reason) => (false, reason),
        };
        if self.lost.replace(is_missing) == Some(is_missing) {
            return Ok(());
        }
        let root = self.looking.options.root.display();
        let reason = format!("{reason} at `{root}`");
        self.send(News::Lost { is_missing, reason })
    }

    /// Looks at what is due, then at what is next, until a batch is full.
    fn look(&mut self) -> Result<(), Stopped> {
        let Some(root) = self.open_root()? else { return Ok(()) };
        let now = self.now();
        let due = self.looking.settle.due(now.since, |path| match root.glance(path) {
            Ok((Kind::File, stat)) => Some(Glance::at(stat, now.wall)),
            _ => None,
        });
        for path in due {
            let now = self.now();
            self.looking.look(&root, &path, Why::Due, now, &mut self.batch);
            if self.batch.is_full() {
                self.flush(&root)?;
            }
        }
        while let Some(folder) = self.looking.folders.pop_first() {
            if let Some(listing) = self.list(&root, Some(&folder))? {
                self.folders += listing.folders;
                let notice = self.telling.walked(self.folders, false);
                self.notice(notice)?;
                self.sift(&listing, Some(&folder), None);
            }
        }
        for _ in 0..LOOKS {
            if self.batch.is_full() {
                break;
            }
            let Some((path, why)) = self.looking.next.pop_front() else { break };
            let now = self.now();
            self.looking.look(&root, &path, why, now, &mut self.batch);
        }
        if std::mem::take(&mut self.looking.is_ruled_anew) {
            self.next_compare = self.start.elapsed();
        }
        self.flush(&root)
    }

    fn flush(&mut self, root: &Root) -> Result<(), Stopped> {
        if self.batch.is_empty() {
            return Ok(());
        }
        // Somebody may have begun to write to what was read before it was read.
        self.telling.catch_up(root);
        let events = self.inbox.take(Duration::ZERO).ok_or(Stopped)?;
        self.take_in(events)?;
        for changes in self.batch.take(&self.looking.settle) {
            self.send(News::Changes(changes))?;
        }
        Ok(())
    }

    fn notice(&self, text: Option<String>) -> Result<(), Stopped> {
        text.map_or(Ok(()), |text| self.send(News::Notice(text)))
    }

    /// Waits while nobody takes the news, unless nobody ever will.
    fn send(&self, news: News) -> Result<(), Stopped> {
        let mut news = news;
        loop {
            news = match self.sink.try_send(news) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(news)) => news,
                Err(TrySendError::Disconnected(_)) => return Err(Stopped),
            };
            if self.inbox.is_stopping_within(FULL) {
                return Err(Stopped);
            }
        }
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching").field("looking", &self.looking).finish_non_exhaustive()
    }
}
