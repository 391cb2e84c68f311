//! Articles to entries: identity, order, history.

pub mod entry;
pub mod identity;
pub mod scope;
