//! What ids are minted from.

use uuid::{Uuid, uuid};

/// The namespace of every version 5 UUID that Sower mints (RFC 9562, section
/// 5.5). Drawn once at random; another one would give every article a new id.
pub const NAMESPACE: Uuid = uuid!("4955d4e4-cb94-4af1-8980-b55063c914df");
