//! Whether a client asks too often for a feed without saying what it has already.
//!
//! A bucket of tokens for each client and path (as the generic cell rate algorithm
//! keeps it: one moment a bucket), in a table of fixed size without locks. Two buckets
//! that fall on one place push each other out, and start full: then somebody is let
//! off, never punished for another.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Buckets: half a megabyte.
const PLACES: usize = 1 << 16;
/// Of a place: the name of its bucket above, milliseconds below.
const TIME_BITS: u32 = 44;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Requests at once; 0: no limit.
    pub burst: u32,
    /// For one more request.
    pub every: Duration,
}

#[derive(Debug)]
pub(super) struct Polls {
    places: Box<[AtomicU64]>,
    hasher: RandomState,
    began: Instant,
}

impl Polls {
    pub(super) fn new() -> Polls {
        let places = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        Polls { places, hasher: RandomState::new(), began: Instant::now() }
    }

    /// Takes a token of `client`'s for `path`; where none is left, how long until there
    /// is one.
    pub(super) fn take(
        &self,
        client: IpAddr,
        path: &str,
        pace: Pace,
        now: Instant,
    ) -> Result<(), Duration> {
        if pace.burst == 0 {
            return Ok(());
        }
        let hash = self.hasher.hash_one((client, path));
        let place = &self.places[hash as usize % PLACES];
        let name = hash >> TIME_BITS;
        let every = pace.every.as_millis() as u64;
        // One ahead, so that no moment is 0, which is an empty place.
        let now = now.duration_since(self.began).as_millis() as u64 + 1;
        let allowed = every.saturating_mul(u64::from(pace.burst));
        let mut wait = 0;
        let step = |before: u64| {
            let full =
                if before >> TIME_BITS == name { before & ((1 << TIME_BITS) - 1) } else { 0 };
            let after = full.max(now) + every;
            wait = after.saturating_sub(now + allowed);
            (wait == 0).then_some(name << TIME_BITS | after & ((1 << TIME_BITS) - 1))
        };
        match place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) {
            Ok(_) => Ok(()),
            Err(_) => Err(Duration::from_millis(wait)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_empty_and_fill() {
        let polls = Polls::new();
        let pace = Pace { burst: 3, every: Duration::from_secs(10) };
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let ask = |path: &str, second: u64| {
            let now = polls.began + Duration::from_secs(second);
            polls.take(client, path, pace, now).map_err(|it| it.as_secs())
        };
        let table = [
            ("/feed.atom", 0, Ok(()), "full at first"),
            ("/feed.atom", 0, Ok(()), ""),
            ("/feed.atom", 0, Ok(()), ""),
            ("/feed.atom", 0, Err(10), "empty"),
            ("/feed.rss", 0, Ok(()), "another feed"),
            ("/feed.atom", 4, Err(6), "who asks too early loses nothing"),
            ("/feed.atom", 10, Ok(()), "one more"),
            ("/feed.atom", 10, Err(10), ""),
            ("/feed.atom", 100, Ok(()), "full again, and no fuller"),
            ("/feed.atom", 100, Ok(()), ""),
            ("/feed.atom", 100, Ok(()), ""),
            ("/feed.atom", 100, Err(10), ""),
        ];
        for (path, second, expected, why) in table {
            assert_eq!(ask(path, second), expected, "{path} at {second}: {why}");
        }
        let other = "192.0.2.2".parse().unwrap();
        assert_eq!(polls.take(other, "/feed.atom", pace, polls.began), Ok(()), "another client");
        let free = Pace { burst: 0, ..pace };
        assert_eq!(polls.take(client, "/feed.atom", free, polls.began), Ok(()), "no limit");
    }
}
