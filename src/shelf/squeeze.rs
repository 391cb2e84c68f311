//! Compresses what readers wished for, once for each version and coding, on a
//! thread of its own. One is enough: a wish that waits costs its reader a few
//! kilobytes, since gzip is the answer meanwhile.

use std::sync::Weak;
use std::sync::mpsc::Receiver;
use std::thread;

use crate::shelf::Inner;
use crate::shelf::encode;
use crate::shelf::snapshot::{Body, Document, Item, Wish};

/// Ends when the shelf and all views of it are gone.
pub(super) fn start(wishes: Receiver<Wish>, shelf: Weak<Inner>) {
    let work = move || {
        for Wish { shelved, coding } in wishes {
            let Item::Document(Document { body: Body::Bytes(codings), .. }) = &shelved.item else {
                continue;
            };
            let made = encode::squeezed(&codings.identity, coding);
            let Some(shelf) = shelf.upgrade() else { return };
            shelf.add(&shelved, coding, made);
        }
    };
    if let Err(error) = thread::Builder::new().name("squeeze".into()).spawn(work) {
        tracing::warn!("no thread for br and zstd: {error}; gzip is served instead");
    }
}
