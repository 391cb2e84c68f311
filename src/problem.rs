//! What is wrong with a seed, as a person reads it in the log, in `sower status`
//! and on the health page.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::watch::seed::SeedPath;

/// What is wrong with a seed: where, why, and what Sower did about it.
///
/// Displayed as `path:line: reason; consequence`, one line, control characters
/// of the path escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub path: SeedPath,
    /// Counted from 1, where a line is to blame.
    pub line: Option<u32>,
    /// "expected X, found Y", no full stop.
    pub reason: String,
    /// What Sower did about it, such as "the last good version stays published".
    pub consequence: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.reason, self.consequence)
    }
}
