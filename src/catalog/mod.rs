//! Articles to entries: identity, order, history.

pub mod entry;
pub mod scope;
