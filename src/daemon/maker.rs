//! Makes what is not on the shelf when a reader asks for it, on blocking threads,
//! each making with a reader's connection of its own.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;

use crate::catalog::store::Error;
use crate::catalog::{Reader, Readers};
use crate::daemon::control::Command;
use crate::daemon::theme;
use crate::line::{self, Look};
use crate::render::rendition::Key;
use crate::serve::{Make, Unmade};
use crate::shelf::Shelf;
use crate::shelf::snapshot::Shelved;

/// A key that changes each time it is made is given up after so many.
const TRIES: usize = 5;

#[derive(Debug)]
pub struct Maker {
    idle: Mutex<Vec<Reader>>,
    readers: Readers,
    look: Arc<Look>,
    shelf: Arc<Shelf>,
    /// Told where the catalog is found to be damaged.
    commands: Sender<Command>,
}

impl Maker {
    pub fn new(
        readers: Readers,
        look: Arc<Look>,
        shelf: Arc<Shelf>,
        commands: Sender<Command>,
    ) -> Maker {
        Maker { idle: Mutex::default(), readers, look, shelf, commands }
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
        let mut reader = self.reader().map_err(|it| self.failed(key, &it))?;
        for _ in 0..TRIES {
            let (made, revision) =
                line::make(&mut reader, &self.look, key).map_err(|it| self.failed(key, &it))?;
            theme::tell(&self.look.theme.load());
            if let Some(shelved) = self.shelf.put(key.clone(), made, revision) {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
                return Ok(shelved);
            }
        }
        Err(Unmade::Busy)
    }

    fn reader(&self) -> Result<Reader, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.readers.open(), Ok)
    }

    fn failed(&self, key: &Key, error: &Error) -> Unmade {
        error!(path = key.path(), %error, "cannot make what a reader asked for; answered 500");
        if error.is_corrupt() {
            // The line may have ended already.
            let _ = self.commands.send(Command::Salvage(error.to_string()));
        }
        Unmade::Failed
    }
}
