//! Folder to changes.

pub mod seed;
