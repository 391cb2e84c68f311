//! Where hints wait for the watching thread.
//!
//! Whoever puts something in never waits, so that the kernel's queue is always
//! emptied. Too many hints become one: look at everything.

use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::watch::seed::SeedPath;
use crate::watch::settle::Hint;

/// More hints than this at once cost more than to compare the folder.
const MOST: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something happened at a path.
    Path(SeedPath, Hint),
    /// Something happened to the seeds folder itself.
    Root,
    /// Something happened, and nobody knows where.
    Everything,
    /// Events cannot be had any more.
    Broken(String),
}

#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<Event>,
    is_stopping: bool,
}

impl Inbox {
    pub fn push(&self, event: Event) {
        let mut state = self.state();
        // A file that is written piece by piece says so with every piece.
        if state.events.last() == Some(&event) {
            return;
        }
        if state.events.len() >= MOST {
            state.events.clear();
            state.events.push(Event::Everything);
        }
        state.events.push(event);
        self.filled.notify_one();
    }

    /// What came, in its order, after waiting for at most `wait`; nothing where
    /// nothing came, `None` where the thread is to end.
    pub fn take(&self, wait: Duration) -> Option<Vec<Event>> {
        let is_empty = |it: &mut State| it.events.is_empty() && !it.is_stopping;
        let waited = self.filled.wait_timeout_while(self.state(), wait, is_empty);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!state.is_stopping).then(|| std::mem::take(&mut state.events))
    }

    pub fn stop(&self) {
        self.state().is_stopping = true;
        self.filled.notify_all();
    }

    pub fn is_stopping(&self) -> bool {
        self.state().is_stopping
    }

    /// Whether the thread is to end, after waiting for that for at most `wait`.
    pub fn is_stopping_within(&self, wait: Duration) -> bool {
        let is_going_on = |it: &mut State| !it.is_stopping;
        let waited = self.filled.wait_timeout_while(self.state(), wait, is_going_on);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_stopping
    }

    /// A poisoned lock guards a list of hints, which cannot be half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: String) -> Event {
        Event::Path(SeedPath::new(name).unwrap(), Hint::Modified)
    }

    #[test]
    fn events_come_out_in_their_order() {
        let inbox = Inbox::default();
        assert_eq!(inbox.take(Duration::ZERO), Some(vec![]), "nothing came");
        for name in ["b", "b", "a", "b"] {
            inbox.push(event(name.into()));
        }
        let came = ["b", "a", "b"].map(|it| event(it.into()));
        assert_eq!(inbox.take(Duration::MAX), Some(came.into()), "the same twice in a row is one");
    }

    #[test]
    fn too_many_become_everything() {
        let inbox = Inbox::default();
        for number in 0..MOST + 3 {
            inbox.push(event(number.to_string()));
        }
        let came = inbox.take(Duration::MAX).unwrap();
        assert_eq!(came.len(), 4);
        assert_eq!(came[0], Event::Everything);
        assert_eq!(came[3], event((MOST + 2).to_string()), "what comes later is kept");
    }

    #[test]
    fn stopping_ends_the_wait() {
        let inbox = Inbox::default();
        inbox.push(Event::Root);
        inbox.stop();
        assert_eq!(inbox.take(Duration::MAX), None);
        assert!(inbox.is_stopping());
    }
}
