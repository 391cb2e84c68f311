//! Hints to paths that are due: decides when the writer of a file is done.
//!
//! In: hints, each with the time it came. Out: the paths to look at now, and when
//! to ask again. A hint is never an order to read; whoever asks looks at the
//! folder itself.
//!
//! Pure: the time comes in as a duration since some start, what stands in the
//! folder through a closure. No clock, no file, no timer.
//!
//! Rules
//! - Closed after writing, or moved into place: due at once. From the second
//!   close within the settle time on: when nothing came for the settle time, since
//!   a writer that closes and opens again cannot be told from one that is done.
//! - Written and not yet closed: due at the close, or after [`OPEN_LIMIT`] without
//!   a write, for programs that keep a file open for ever.
//! - Moved while it was open: as open under its new name.
//! - Gone: due at once, unless something is there again.
//! - All else (created, attributes, found by a listing): due when it stood
//!   unchanged for the settle time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use crate::watch::seed::{SeedPath, Stat};

/// How long a file that is open for writing may stay quiet before it is read all
/// the same.
pub const OPEN_LIMIT: Duration = Duration::from_secs(60);

/// Why a path may have to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Something new has this name: a file that was made, a hard link.
    Created,
    /// Somebody has the file open and wrote to it.
    Modified,
    /// Somebody who could write closed the file.
    Closed,
    /// Its times, permissions or number of links changed.
    Touched,
    /// It was moved here. The cookie is that of the [`Hint::Left`] it belongs to.
    Arrived { cookie: Option<usize> },
    /// It was moved away.
    Left { cookie: Option<usize> },
    /// It was removed.
    Removed,
    /// It changed while it was read.
    Busy,
}

/// What is to be done about a file that a listing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It stood unchanged for long enough: it can be read now.
    Now,
    /// Somebody may be writing: it will be due.
    Later,
}

/// What a look at a file says of its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    pub stat: Stat,
    /// How long ago it last changed; `None` where its times lie in the future.
    pub age: Option<Duration>,
}

/// The paths that somebody hinted at, each until it is due and a little longer.
#[derive(Debug)]
pub struct Settle {
    settle: Duration,
    paths: HashMap<SeedPath, Waiting>,
    /// When to look at which path again. An item that is not its path's `alarm`
    /// is stale.
    alarms: BinaryHeap<Reverse<(Duration, SeedPath)>>,
    /// Files that were open when they were moved away, by cookie.
    moved_open: HashMap<usize, Duration>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// `None` while nothing is to be done: kept for `last_close`.
    due: Option<Due>,
    is_open: bool,
    last_close: Option<Duration>,
    alarm: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Due {
    at: Duration,
    /// How long it must have stood unchanged by then; nothing where it is done.
    quiet: Duration,
    /// As it was last seen, and when it was first seen so.
    seen: Option<(Stat, Duration)>,
}

impl Settle {
    pub fn new(settle: Duration) -> Settle {
        Settle {
            settle,
            paths: HashMap::new(),
            alarms: BinaryHeap::new(),
            moved_open: HashMap::new(),
        }
    }

    /// Takes in a hint that came at `now`.
    pub fn hint(&mut self, path: &SeedPath, hint: Hint, now: Duration) {
        let settle = self.settle;
        let arrived_open = match hint {
            Hint::Arrived { cookie: Some(cookie) } => self.moved_open.remove(&cookie).is_some(),
            _ => false,
        };
        let waiting = self.paths.entry(path.clone()).or_default();
        let is_due = waiting.due.is_some_and(|due| due.at <= now);
        let at_once = Due { at: now, quiet: Duration::ZERO, seen: None };
        let quiet = |quiet| Due { at: now.saturating_add(quiet), quiet, seen: None };
        let due = match hint {
            Hint::Modified => {
                waiting.is_open = true;
                quiet(OPEN_LIMIT)
            }
            Hint::Closed => {
                let is_second =
                    waiting.last_close.is_some_and(|last| now.saturating_sub(last) < settle);
                waiting.is_open = false;
                waiting.last_close = Some(now);
                if is_second { quiet(settle) } else { at_once }
            }
            Hint::Arrived { .. } => {
                *waiting =
                    Waiting { is_open: arrived_open, alarm: waiting.alarm, ..Waiting::default() };
                if arrived_open { quiet(OPEN_LIMIT) } else { at_once }
            }
            Hint::Left { .. } | Hint::Removed => {
                if let (Hint::Left { cookie: Some(cookie) }, true) = (hint, waiting.is_open) {
                    self.moved_open.insert(cookie, now);
                }
                *waiting = Waiting { alarm: waiting.alarm, ..Waiting::default() };
                // At once where nothing is there. What is there is another file,
                // and nobody said that its writer is done.
                Due { at: now, quiet: settle, seen: None }
            }
            Hint::Created => {
                *waiting = Waiting { alarm: waiting.alarm, ..Waiting::default() };
                quiet(settle)
            }
            Hint::Touched | Hint::Busy if is_due => return,
            Hint::Touched | Hint::Busy if waiting.is_open => quiet(OPEN_LIMIT),
            Hint::Touched | Hint::Busy => quiet(settle),
        };
        self.wait(path, due);
    }

    /// Says whether a file that a listing found can be read now, and waits for it
    /// where it cannot.
    pub fn found(&mut self, path: &SeedPath, glance: Glance, now: Duration) -> Found {
        let is_old = glance.age.is_some_and(|age| age >= self.settle);
        let due = self.paths.get(path).and_then(|it| it.due);
        if self.is_open(path) {
            return Found::Later;
        }
        match due {
            Some(due) if due.at <= now => return Found::Later,
            Some(due) if due.seen.is_some_and(|(stat, _)| stat == glance.stat) => {
                return Found::Later;
            }
            None if is_old => return Found::Now,
            _ => {}
        }
        let rest = self.settle.saturating_sub(glance.age.unwrap_or_default());
        let seen = Some((glance.stat, now));
        self.wait(path, Due { at: now.saturating_add(rest), quiet: self.settle, seen });
        Found::Later
    }

    fn wait(&mut self, path: &SeedPath, due: Due) {
        let waiting = self.paths.entry(path.clone()).or_default();
        waiting.due = Some(due);
        if waiting.alarm.is_none_or(|alarm| due.at < alarm) {
            waiting.alarm = Some(due.at);
            self.alarms.push(Reverse((due.at, path.clone())));
        }
    }

    /// The paths that are due at `now`, in the order in which they became due.
    /// `glance` says how a path stands; `None` where nothing can be said, which
    /// makes it due, so that somebody looks at it.
    pub fn due(
        &mut self,
        now: Duration,
        mut glance: impl FnMut(&SeedPath) -> Option<Glance>,
    ) -> Vec<SeedPath> {
        let mut found = Vec::new();
        while self.wake().is_some_and(|at| at <= now) {
            let Some(Reverse((at, path))) = self.alarms.pop() else { break };
            let Some(waiting) = self.paths.get_mut(&path) else { continue };
            if waiting.alarm != Some(at) {
                continue;
            }
            let again = match waiting.due {
                None => None,
                Some(due) if due.at > now => Some(due),
                Some(due) if due.quiet.is_zero() => None,
                Some(due) => glance(&path).and_then(|glance| due.not_before(glance, now)),
            };
            let next = match again {
                Some(due) => due.at,
                None if waiting.due.is_none() => {
                    self.paths.remove(&path);
                    continue;
                }
                None => {
                    found.push(path.clone());
                    waiting.is_open = false;
                    // At least a moment later than now: an alarm that is over is
                    // never put back, so that this loop ends.
                    now.saturating_add(self.settle.max(Duration::from_nanos(1)))
                }
            };
            waiting.due = again;
            waiting.alarm = Some(next);
            self.alarms.push(Reverse((next, path)));
        }
        let settle = self.settle;
        self.moved_open.retain(|_, since| now.saturating_sub(*since) < settle);
        found
    }

    /// When [`Settle::due`] has something to do next.
    pub fn wake(&self) -> Option<Duration> {
        self.alarms.peek().map(|Reverse((at, _))| *at)
    }

    /// Whether somebody is writing to `path`, as far as hints tell.
    pub fn is_open(&self, path: &SeedPath) -> bool {
        self.paths.get(path).is_some_and(|it| it.is_open)
    }

    /// Whether `path` will be due by itself.
    pub fn is_waiting(&self, path: &SeedPath) -> bool {
        self.paths.get(path).is_some_and(|it| it.due.is_some())
    }
}

impl Due {
    /// The wait that is left, or `None` where the file stood unchanged for long
    /// enough: by its own times, or where these cannot be trusted by what was seen
    /// of it.
    fn not_before(self, glance: Glance, now: Duration) -> Option<Due> {
        let since = match self.seen {
            Some((stat, since)) if stat == glance.stat => since,
            _ => now,
        };
        let rest_seen = since.saturating_add(self.quiet).saturating_sub(now);
        let rest_aged = self.quiet.saturating_sub(glance.age.unwrap_or_default());
        let rest = rest_seen.min(rest_aged);
        let seen = Some((glance.stat, since));
        (!rest.is_zero()).then_some(Due { at: now.saturating_add(rest), quiet: self.quiet, seen })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SETTLE: u64 = 300;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    fn at(path: &str) -> SeedPath {
        SeedPath::new(path).unwrap()
    }

    fn stat(changed: u64) -> Stat {
        let changed = i64::try_from(changed).unwrap();
        Stat { device: 1, inode: 1, birth: None, length: 1, modified: changed, changed }
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Hint(Hint),
        /// The file changes and nobody tells.
        Change,
        /// A listing finds it.
        List,
    }
    use Step::Change;
    use Step::List;

    const CREATED: Step = Step::Hint(Hint::Created);
    const MODIFIED: Step = Step::Hint(Hint::Modified);
    const CLOSED: Step = Step::Hint(Hint::Closed);
    const TOUCHED: Step = Step::Hint(Hint::Touched);
    const ARRIVED: Step = Step::Hint(Hint::Arrived { cookie: None });
    const LEFT: Step = Step::Hint(Hint::Left { cookie: None });
    const REMOVED: Step = Step::Hint(Hint::Removed);
    const BUSY: Step = Step::Hint(Hint::Busy);

    /// A file, and the clock that it has, which may be another than ours.
    struct World {
        settle: Settle,
        path: SeedPath,
        changed: u64,
        exists: bool,
        /// How far the file's clock is ahead, in milliseconds.
        skew: u64,
    }

    impl World {
        fn new(skew: u64) -> World {
            let settle = Settle::new(ms(SETTLE));
            World { settle, path: at("a.md"), changed: 0, exists: true, skew }
        }

        fn glance(&self, now: u64) -> Glance {
            let age = now.checked_sub(self.changed + self.skew).map(ms);
            Glance { stat: stat(self.changed), age }
        }

        /// Takes a step; whether the path can be read at once.
        fn step(&mut self, now: u64, step: Step) -> bool {
            match step {
                Step::Hint(hint) => {
                    self.exists = !matches!(hint, Hint::Left { .. } | Hint::Removed);
                    self.changed = now;
                    self.settle.hint(&self.path, hint, ms(now));
                    false
                }
                Change => {
                    self.exists = true;
                    self.changed = now;
                    false
                }
                List if !self.exists => false,
                List => {
                    let glance = self.glance(now);
                    self.settle.found(&self.path, glance, ms(now)) == Found::Now
                }
            }
        }

        /// Whether the path is due; it is read then.
        fn is_due(&mut self, now: u64) -> bool {
            let glance = self.exists.then(|| self.glance(now));
            let due = self.settle.due(ms(now), |_| glance);
            !due.is_empty()
        }
    }

    /// Steps by the millisecond they are taken at, when the path is due, why.
    type Row = (&'static [(u64, Step)], &'static [u64], &'static str);

    #[test]
    fn when_a_file_is_due() {
        let quiet: &[Row] = &[
            (&[(5, CREATED), (6, MODIFIED), (9, CLOSED)], &[9], "closed: at once"),
            (&[(5, ARRIVED)], &[5], "moved into place: at once"),
            (&[(5, REMOVED)], &[5], "gone: at once"),
            (&[(5, LEFT)], &[5], "moved away: at once"),
            (&[(5, REMOVED), (5, Change)], &[305], "gone, but something is there: quiet"),
            (&[(5, CREATED)], &[305], "a hard link: nobody closes it"),
            (&[(5, TOUCHED), (200, TOUCHED)], &[500], "quiet after the last hint"),
            (&[(5, BUSY)], &[305], "changed while it was read: quiet"),
            (
                &[(0, CREATED), (10, MODIFIED), (9_000, MODIFIED), (9_100, CLOSED)],
                &[9_100],
                "a slow writer: only its close counts",
            ),
            (
                &[(0, CREATED), (400, MODIFIED), (9_000, MODIFIED), (9_100, CLOSED)],
                &[300, 9_100],
                "one that begins late: the file is empty until then",
            ),
            (
                &[(0, CREATED), (10, MODIFIED), (5_000, MODIFIED), (65_500, CLOSED)],
                &[65_000, 65_500],
                "open for ever: after a minute without a write",
            ),
            (&[(0, CLOSED), (100, CLOSED)], &[0, 400], "the second close waits for quiet"),
            (
                &[(0, CLOSED), (200, CLOSED), (400, CLOSED), (600, CLOSED)],
                &[0, 900],
                "and every further one",
            ),
            (&[(0, CLOSED), (300, CLOSED)], &[0, 300], "a close after the settle time is a first"),
            (&[(0, CLOSED), (50, MODIFIED), (500, CLOSED)], &[0, 500], "a second writer, slow"),
            (&[(0, CLOSED), (50, CLOSED), (60, ARRIVED)], &[0, 60], "an atomic save ends the wait"),
            (&[(0, CLOSED), (50, CLOSED), (60, REMOVED)], &[0, 60], "so does a removal"),
            (&[(0, REMOVED), (1, CREATED), (2, MODIFIED), (3, CLOSED)], &[0, 3], "made anew"),
            (&[(0, CLOSED), (10, TOUCHED)], &[0, 310], "permissions change after the close"),
            (&[(0, Change), (400, List)], &[400], "found, old enough: now"),
            (&[(0, Change), (100, List)], &[300], "found, young: when it is old enough"),
            (
                &[(0, Change), (100, List), (250, Change)],
                &[550],
                "found, and changed since: quiet is measured anew",
            ),
            (&[(0, MODIFIED), (1_000, List), (2_000, CLOSED)], &[2_000], "found, but open"),
            (
                &[(0, CLOSED), (10, Change), (20, List)],
                &[0, 310],
                "found, changed since it was read",
            ),
        ];
        for (steps, expected, why) in quiet {
            assert_eq!(due_times(&mut World::new(0), steps), *expected, "{why}");
        }
        let skewed: &[Row] = &[
            (&[(0, CLOSED)], &[0], "a close needs no clock"),
            (&[(0, Change), (400, List)], &[700], "found: unchanged for the settle time"),
            (&[(0, Change), (400, List), (500, Change)], &[1_000], "found, and changed since"),
            (&[(0, CREATED)], &[600], "seen twice, a settle time apart"),
        ];
        for (steps, expected, why) in skewed {
            let found = due_times(&mut World::new(10_000_000), steps);
            assert_eq!(found, *expected, "times in the future: {why}");
        }
    }

    fn due_times(world: &mut World, steps: &[(u64, Step)]) -> Vec<u64> {
        let mut due = Vec::new();
        let mut steps = steps.iter().peekable();
        for now in 0..130_000 {
            let mut is_read = false;
            while let Some((_, step)) = steps.next_if(|(when, _)| *when == now) {
                is_read |= world.step(now, *step);
            }
            if world.settle.wake().is_some_and(|it| it <= ms(now)) {
                is_read |= world.is_due(now);
            }
            if is_read {
                due.push(now);
            }
        }
        assert_eq!(world.settle.wake(), None, "nothing is kept for ever");
        assert!(world.settle.paths.is_empty());
        due
    }

    #[test]
    fn hints_of_one_moment_count_in_their_order() {
        let table: &[(&[Step], bool, &str)] = &[
            (&[CLOSED, TOUCHED], true, "closed, then its times were set"),
            (&[CLOSED, MODIFIED], false, "closed, and somebody writes again"),
            (&[REMOVED, CREATED], false, "removed, and made anew: empty as yet"),
            (&[MODIFIED, CLOSED], true, "written and closed"),
            (&[MODIFIED, ARRIVED], true, "another file took its place"),
            (&[ARRIVED, MODIFIED], false, "moved here while it is written to"),
        ];
        for (steps, expected, why) in table {
            let mut world = World::new(0);
            for step in *steps {
                world.step(0, *step);
            }
            assert_eq!(world.is_due(0), *expected, "{why}");
        }
    }

    #[test]
    fn a_file_that_is_moved_while_open_stays_open() {
        let mut settle = Settle::new(ms(SETTLE));
        let (from, to) = (at("a.tmp"), at("a.md"));
        let cookie = Some(7);
        settle.hint(&from, Hint::Modified, ms(0));
        settle.hint(&from, Hint::Left { cookie }, ms(1));
        settle.hint(&to, Hint::Arrived { cookie }, ms(1));
        assert_eq!(settle.due(ms(1), |_| None), [from], "the old name can be looked at");
        assert!(settle.is_open(&to));
        assert_eq!(settle.due(ms(1_000), |_| None), []);
        settle.hint(&to, Hint::Closed, ms(2_000));
        assert_eq!(settle.due(ms(2_000), |_| None), [to]);
    }

    #[test]
    fn what_became_due_first_comes_first() {
        let mut settle = Settle::new(ms(SETTLE));
        for (name, when) in [("b", 0), ("a", 10), ("c", 5)] {
            settle.hint(&at(name), Hint::Closed, ms(when));
        }
        assert_eq!(settle.due(ms(20), |_| None), ["b", "c", "a"].map(at));
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop::sample::select(vec![
            CREATED, MODIFIED, MODIFIED, CLOSED, CLOSED, TOUCHED, ARRIVED, LEFT, REMOVED, BUSY,
            Change, List,
        ])
    }

    proptest! {
        /// Against the rules told in another way: by what happened since the last
        /// time it was due.
        #[test]
        fn never_too_early_always_in_the_end(
            steps in prop::collection::vec((0u64..500, any_step()), 1..40),
            skew in prop::sample::select(vec![0u64, 10_000_000]),
        ) {
            let mut world = World::new(skew);
            let mut now = 0;
            let mut is_open = false;
            let mut needs_look = false;
            let mut changed = 0;
            let mut done = None;
            let mut steps = steps.into_iter().scan(0, |at, (gap, step)| {
                *at += gap;
                Some((*at, step))
            }).peekable();
            while steps.peek().is_some() || world.settle.wake().is_some() {
                let mut is_read = false;
                while let Some((_, step)) = steps.next_if(|(when, _)| *when == now) {
                    let is_now = world.step(now, step);
                    match step {
                        Step::Hint(Hint::Modified) => (is_open, done) = (true, None),
                        Step::Hint(Hint::Created) => (is_open, done) = (false, None),
                        Step::Hint(Hint::Touched | Hint::Busy) | Change | List => {}
                        Step::Hint(Hint::Left { .. } | Hint::Removed) => (is_open, done) = (false, None),
                        Step::Hint(_) => (is_open, done) = (false, Some(now)),
                    }
                    if !matches!(step, List) {
                        changed = now;
                    }
                    needs_look |= matches!(step, Step::Hint(_));
                    if is_now {
                        prop_assert!(!is_open, "a listing never overrules a writer");
                        prop_assert!(now - changed >= SETTLE, "found at {now}, changed at {changed}");
                        is_read = true;
                    }
                }
                if world.is_due(now) {
                    if is_open {
                        prop_assert!(now - changed >= 60_000, "open, at {now}");
                    } else if world.exists && done != Some(now) {
                        prop_assert!(now - changed >= SETTLE, "at {now}, changed at {changed}");
                    }
                    is_open = false;
                    is_read = true;
                }
                if is_read {
                    needs_look = false;
                }
                now += 1;
                prop_assert!(now < 1_000_000, "waits for ever");
            }
            prop_assert!(!needs_look, "a hint was lost");
        }
    }
}
