//! The whole of Sower from outside: a real folder, the real program, a real socket.
//! Every test waits for a condition, never for a guessed time.

#![allow(clippy::unwrap_used)]

mod cli;
mod discovery;
mod folder;
mod moves;
mod serving;
mod support;
mod theme;
mod trouble;
