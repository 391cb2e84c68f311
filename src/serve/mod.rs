//! The shelf behind hyper.
