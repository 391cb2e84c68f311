//! One making for all who ask for the same key at once.
//!
//! A making goes on when those who asked for it leave, since the next one to ask
//! will want it from the shelf. It is given up after a time-out, and there are never
//! more than a fixed number at once, so that a flood of such requests only harms
//! itself.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::render::rendition::Key;
use crate::shelf::snapshot::Shelved;

/// Why something was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmade {
    /// Too many wait already, or it took too long: 503.
    Busy,
    /// The catalog could not be read: 500. Whoever made it has logged why.
    Failed,
}

pub type Outcome = Result<Arc<Shelved>, Unmade>;

/// Makes what stands at a key. The daemon hands it in; it may be asked for the same
/// key again only after it has answered.
pub type Make = Arc<dyn Fn(Key) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// The makings under way.
pub(super) struct Flights {
    make: Make,
    making: Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>,
}

impl Flights {
    pub(super) fn new(make: Make) -> Flights {
        Flights { make, making: Mutex::default() }
    }

    /// Joins the making of `key` that is under way, or begins one where fewer than
    /// `most` are; it is given up after `limit`.
    pub(super) async fn join(self: &Arc<Self>, key: Key, most: usize, limit: Duration) -> Outcome {
        let mut outcome = {
            let mut making = self.making();
            if let Some(outcome) = making.get(&key) {
                outcome.clone()
            } else if making.len() >= most {
                return Err(Unmade::Busy);
            } else {
                let (sender, receiver) = watch::channel(None);
                making.insert(key.clone(), receiver.clone());
                let flight = Flight { flights: Arc::clone(self), key };
                tokio::spawn(flight.fly(sender, limit));
                receiver
            }
        };
        // No sender without an outcome: whoever made it panicked.
        let landed = outcome.wait_for(Option::is_some).await.map_err(|_| Unmade::Failed)?;
        landed.clone().unwrap_or(Err(Unmade::Failed))
    }

    fn making(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Option<Outcome>>>> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One making; when it ends, however it ends, the next may begin.
struct Flight {
    flights: Arc<Flights>,
    key: Key,
}

impl Flight {
    async fn fly(self, sender: watch::Sender<Option<Outcome>>, limit: Duration) {
        let making = (self.flights.make)(self.key.clone());
        let outcome = tokio::time::timeout(limit, making).await;
        // The next to ask begins anew, and finds on the shelf what was put there.
        drop(self);
        sender.send_replace(Some(outcome.unwrap_or(Err(Unmade::Busy))));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.making().remove(&self.key);
    }
}
