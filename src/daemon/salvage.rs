//! Opens the catalog; of one that is damaged, what can be read.

use std::path::Path;
use std::sync::mpsc::Sender;

use jiff::Timestamp;
use tracing::error;

use crate::catalog::store::Error;
use crate::catalog::{Catalog, Options, Reader, Salvaged};
use crate::daemon::control::Command;
use crate::watch::Known;

/// Opens the catalog of a state folder. A damaged one is set aside, and the daemon goes
/// on with what can be read of it; ids of what cannot are minted again as they were,
/// since the site key stands outside it.
///
/// # Errors
/// A sentence for the person who started Sower, where it cannot be opened.
pub fn open(state: &Path, key: &str, options: Options, now: Timestamp) -> Result<Catalog, String> {
    match Catalog::open(state, key.to_owned(), options.clone(), now) {
        Err(damage) if damage.is_corrupt() => {
            let salvaged = Catalog::salvage(state, key.to_owned(), options, now);
            salvaged.map(|(catalog, salvaged)| {
                tell(&damage.to_string(), &salvaged);
                catalog
            })
        }
        other => other,
    }
    .map_err(|it| format!("cannot open the catalog in `{}`: {it}", state.display()))
}

/// What the watcher compares the folder with. Where that cannot be read since the catalog
/// is damaged, the line is told.
pub fn known(mut reader: Reader, commands: Sender<Command>) -> Box<dyn Known> {
    Box::new(move || {
        reader.known().map_err(|error| {
            report(&error, &commands);
            error.to_string()
        })
    })
}

/// Tells the line of an error that a reader met, if it means that the catalog is damaged.
pub fn report(error: &Error, commands: &Sender<Command>) {
    if error.is_corrupt() {
        // The line may have ended already.
        let _ = commands.send(Command::Salvage(error.to_string()));
    }
}

/// The one line of the log that says what became of a damaged catalog.
pub fn tell(damage: &str, salvaged: &Salvaged) {
    let Salvaged { aside, entries, is_whole } = salvaged;
    let aside = aside.file_name().map(|it| it.to_string_lossy()).unwrap_or_default();
    let rest = match is_whole {
        true => "with all its entries",
        false => "the rest is made again from the seeds, with the same ids",
    };
    error!(
        %damage,
        "set the damaged catalog aside as `{aside}` and goes on with the {entries} entries that could be read; {rest}"
    );
}
