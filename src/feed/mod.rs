//! Entries to a feed: references filled, URLs absolute.

pub mod page;
