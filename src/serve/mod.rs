//! The shelf behind hyper.

mod accept;
mod address;
mod condition;
mod range;
mod refusal;
pub mod respond;
