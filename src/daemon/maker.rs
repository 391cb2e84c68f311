//! Makes what is not on the shelf when a reader asks for it, on blocking threads,
//! each making with a reader's connection of its own.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tracing::error;

use crate::catalog::store::Error;
use crate::catalog::{Reader, Readers};
use crate::daemon::control::Command;
use crate::daemon::{salvage, theme};
use crate::line::{self, Look};
use crate::render::rendition::Key;
use crate::serve::{Make, Unmade};
use crate::shelf::Shelf;
use crate::shelf::snapshot::Shelved;

/// A key that changes each time it is made is given up after so many.
const TRIES: usize = 5;

#[derive(Debug)]
pub struct Maker {
    shelf: Arc<Shelf>,
    now: ArcSwap<Now>,
    /// Told where the catalog is found to be damaged.
    commands: Sender<Command>,
}

/// What a reload puts another in the place of.
#[derive(Debug)]
struct Now {
    look: Arc<Look>,
    readers: Readers,
    idle: Mutex<Vec<Reader>>,
}

impl Maker {
    pub fn new(
        readers: Readers,
        look: Arc<Look>,
        shelf: Arc<Shelf>,
        commands: Sender<Command>,
    ) -> Maker {
        let now = Now { look, readers, idle: Mutex::default() };
        Maker { shelf, now: ArcSwap::from_pointee(now), commands }
    }

    /// How things look now.
    pub fn look(&self) -> Arc<Look> {
        Arc::clone(&self.now.load().look)
    }

    /// From now on things look like this. What is on the shelf already stays there.
    pub fn renew(&self, readers: Readers, look: Arc<Look>) {
        self.now.store(Arc::new(Now { look, readers, idle: Mutex::default() }));
    }

    /// For the server.
    pub fn make(self: &Arc<Maker>) -> Make {
        let maker = Arc::clone(self);
        Arc::new(move |key| {
            let maker = Arc::clone(&maker);
            Box::pin(async move {
                let making = tokio::task::spawn_blocking(move || maker.make_now(&key));
                making.await.unwrap_or(Err(Unmade::Failed))
            })
        })
    }

    fn make_now(&self, key: &Key) -> Result<Arc<Shelved>, Unmade> {
        for _ in 0..TRIES {
            let now = self.now.load_full();
            let mut reader = now.reader().map_err(|it| self.failed(key, &it))?;
            let (made, revision) =
                line::make(&mut reader, &now.look, key).map_err(|it| self.failed(key, &it))?;
            theme::tell(&now.look.theme.load());
            let shelved = self.shelf.put(key.clone(), made, revision);
            now.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            // What was renewed meanwhile is made again in its new form.
            if let Some(shelved) = shelved
                && Arc::ptr_eq(&now, &self.now.load())
            {
                return Ok(shelved);
            }
        }
        Err(Unmade::Busy)
    }

    fn failed(&self, key: &Key, error: &Error) -> Unmade {
        error!(path = key.path(), %error, "cannot make what a reader asked for; answered 500");
        salvage::report(error, &self.commands);
        Unmade::Failed
    }
}

impl Now {
    fn reader(&self) -> Result<Reader, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.readers.open(), Ok)
    }
}
