//! How many are connected: in all, and of each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::serve::networks;

/// Counts connections.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    total: AtomicUsize,
    of_clients: Mutex<HashMap<IpAddr, u32>>,
}

impl Crowd {
    /// A place, if fewer than `most` are taken.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let before = self.total.fetch_add(1, Ordering::Relaxed);
        let place = Place { crowd: Arc::clone(self), client: None };
        (before < most).then_some(place)
    }

    /// Places taken.
    pub(super) fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    fn of_clients(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        // Counts are only written where nothing can panic in between.
        self.of_clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    client: Option<IpAddr>,
}

impl Place {
    /// Counts it as one of `address`; `false` where that has `most` already.
    pub(super) fn count(&mut self, address: IpAddr, most: u32) -> bool {
        let client = networks::client(address);
        let mut counts = self.crowd.of_clients();
        let count = counts.entry(client).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        self.client = Some(client);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.total.fetch_sub(1, Ordering::Relaxed);
        let Some(client) = self.client else { return };
        let mut counts = self.crowd.of_clients();
        if let Some(count) = counts.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let crowd = Arc::<Crowd>::default();
        let address = |it: &str| it.parse().unwrap();
        let mut one = crowd.enter(2).unwrap();
        let mut two = crowd.enter(2).unwrap();
        assert!(crowd.enter(2).is_none(), "as many as are allowed");
        assert!(one.count(address("2001:db8::1"), 1));
        assert!(!two.count(address("2001:db8::2"), 1), "the same household");
        drop(one);
        assert!(two.count(address("2001:db8::2"), 1), "free again");
        drop(two);
        assert_eq!((crowd.total(), crowd.of_clients().len()), (0, 0));
    }
}
