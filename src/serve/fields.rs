//! Which of the fields that matter here a request has.
//!
//! Pure. One look at each name, so that nobody searches for what nearly no request
//! has.

use http::HeaderMap;

/// A set of kinds of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields(u8);

impl Fields {
    /// What the client demands of how its request is read.
    pub const DEMANDS: Fields = Fields(1);
    /// What the client has already: `If-None-Match`, `If-Modified-Since`.
    pub const VALIDATORS: Fields = Fields(2);
    /// The other conditions.
    pub const CONDITIONS: Fields = Fields(4);
    /// `A-IM`.
    pub const DELTA: Fields = Fields(8);
    /// By which a browser shows that it navigates.
    pub const NAVIGATION: Fields = Fields(16);

    pub fn of(headers: &HeaderMap) -> Fields {
        let bits = headers.keys().map(|it| match it.as_str() {
            "transfer-encoding" | "expect" => Fields::DEMANDS.0,
            "if-none-match" | "if-modified-since" => Fields::VALIDATORS.0,
            "if-match" | "if-unmodified-since" => Fields::CONDITIONS.0,
            "a-im" => Fields::DELTA.0,
            "sec-fetch-dest" | "upgrade-insecure-requests" => Fields::NAVIGATION.0,
            _ => 0,
        });
        Fields(bits.fold(0, |all, it| all | it))
    }

    /// Whether there is one of these kinds.
    pub fn has(self, kind: Fields) -> bool {
        self.0 & kind.0 != 0
    }
}
