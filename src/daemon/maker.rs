//! Makes what is not on the shelf when a reader asks for it, on blocking threads,
//! each making with a reader's connection of its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tracing::error;

use crate::catalog::{Options, Reader};
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
    catalog: PathBuf,
    shelf: Arc<Shelf>,
    now: ArcSwap<Now>,
}

/// What a reload puts another in the place of.
#[derive(Debug)]
struct Now {
    look: Arc<Look>,
    options: Options,
    idle: Mutex<Vec<Reader>>,
}

impl Maker {
    pub fn new(
        reader: Reader,
        catalog: PathBuf,
        options: Options,
        look: Arc<Look>,
        shelf: Arc<Shelf>,
    ) -> Maker {
        let now = Now { look, options, idle: Mutex::new(vec![reader]) };
        Maker { catalog, shelf, now: ArcSwap::from_pointee(now) }
    }

    /// How things look now.
    pub fn look(&self) -> Arc<Look> {
        Arc::clone(&self.now.load().look)
    }

    /// From now on things look like this. What is on the shelf already stays there.
    pub fn renew(&self, options: Options, look: Arc<Look>) {
        self.now.store(Arc::new(Now { look, options, idle: Mutex::default() }));
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
            let mut reader = self.reader(&now).map_err(|it| failed(key, &it))?;
            let (made, revision) =
                line::make(&mut reader, &now.look, key).map_err(|it| failed(key, &it))?;
            theme::tell(&now.look.theme);
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

    fn reader(&self, now: &Now) -> crate::catalog::store::Result<Reader> {
        let idle = now.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Reader::open(&self.catalog, &now.options), Ok)
    }
}

fn failed(key: &Key, error: &crate::catalog::store::Error) -> Unmade {
    error!(path = key.path(), %error, "cannot make what a reader asked for; answered 500");
    Unmade::Failed
}
