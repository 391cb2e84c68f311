//! Feed to bytes.

pub mod rendition;
