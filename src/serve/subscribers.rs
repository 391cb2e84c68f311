//! For how many subscribers a reading service fetches a feed, as its `User-Agent`
//! says it: "Feedly/1.0 (...; 16 subscribers; ...)".
//!
//! Kept in memory only, and only for as long as the service goes on asking.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one service says of one feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscribers {
    /// The path of the feed.
    pub feed: String,
    /// The name of the service.
    pub agent: String,
    pub count: u64,
}

/// Services and feeds that are remembered; anybody can think of names.
const MOST: usize = 1000;
/// Who has not asked for so long has nobody left to ask for.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);
/// Of a name, in bytes.
const LONGEST: usize = 40;

#[derive(Debug, Default)]
pub(super) struct Readership(Mutex<HashMap<(String, String), (u64, Instant)>>);

impl Readership {
    /// Notes what `agent` says when it asks for `feed`, if it says something.
    pub(super) fn note(&self, feed: &str, agent: &str, now: Instant) {
        let Some((name, count)) = told(agent) else { return };
        let key = (feed.to_owned(), name.to_owned());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(&key) {
            all.retain(|_, it| now.duration_since(it.1) < FORGOTTEN);
            if all.len() >= MOST {
                return;
            }
        }
        all.insert(key, (count, now));
    }

    /// By feed and service.
    pub(super) fn list(&self, now: Instant) -> Vec<Subscribers> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = all.iter().filter(|(_, it)| now.duration_since(it.1) < FORGOTTEN);
        let mut list: Vec<_> = fresh
            .map(|((feed, agent), (count, _))| Subscribers {
                feed: feed.clone(),
                agent: agent.clone(),
                count: *count,
            })
            .collect();
        list.sort();
        list
    }
}

/// The name and the number of subscribers in a `User-Agent`.
fn told(agent: &str) -> Option<(&str, u64)> {
    let (before, _) = agent.split_once(" subscriber")?;
    let start = before.rfind(|it: char| !it.is_ascii_digit()).map_or(0, |it| it + 1);
    let count = before[start..].parse().ok()?;
    // Some begin as browsers do, and name themselves behind that.
    let named = match agent.split_once("compatible;") {
        Some((_, rest)) if agent.starts_with("Mozilla/") => rest.trim_start(),
        _ => agent,
    };
    let end = named.find(['/', ' ', ';', '(', ',']).unwrap_or(named.len());
    let name = &named[..end];
    (!name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control))
        .then_some((name, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agents_tell() {
        let table = [
            (
                "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers; like X)",
                Some(("Feedly", 16)),
                "",
            ),
            ("NewsBlur Feed Fetcher - 5 subscribers - http://x", Some(("NewsBlur", 5)), ""),
            ("Inoreader/1.0 (+http://x; 1 subscribers; )", Some(("Inoreader", 1)), ""),
            ("X/2 (1 subscriber)", Some(("X", 1)), "the singular"),
            (
                "Mozilla/5.0 (compatible; BazQux/2.4; +http://x; 2 subscribers)",
                Some(("BazQux", 2)),
                "no browser",
            ),
            ("Mozilla/5.0 (X11; Linux)", None, "says nothing"),
            ("X (many subscribers)", None, "no number"),
            ("X (99999999999999999999 subscribers)", None, "no number that can be"),
            (" 5 subscribers", None, "no name"),
        ];
        for (agent, expected, why) in table {
            assert_eq!(told(agent), expected, "{agent}: {why}");
        }
    }

    #[test]
    fn the_last_word_counts_and_is_forgotten() {
        let readership = Readership::default();
        let now = Instant::now();
        readership.note("/feed.atom", "B/1 (3 subscribers)", now);
        readership.note("/feed.atom", "A/1 (4 subscribers)", now);
        readership.note("/feed.atom", "A/1 (5 subscribers)", now);
        let list = readership.list(now);
        let told: Vec<_> = list.iter().map(|it| (it.agent.as_str(), it.count)).collect();
        assert_eq!(told, [("A", 5), ("B", 3)]);
        assert_eq!(readership.list(now + FORGOTTEN), []);
        for number in 0..2 * MOST {
            readership.note(&number.to_string(), "A/1 (5 subscribers)", now);
        }
        assert_eq!(readership.list(now).len(), MOST);
    }
}
