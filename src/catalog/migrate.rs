//! Numbered schema changes: brings a database of any earlier version to this one,
//! all of it in one transaction or nothing.
//!
//! A new version is one more file and one more row; a row that was released is
//! never edited.

use rusqlite::{Connection, TransactionBehavior};

/// The changes in order; the database's `user_version` says how many it has.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
];

/// Brings the schema up to date. Fails with [`Error::TooNew`] where a later Sower
/// wrote this database.
pub fn migrate(connection: &mut Connection) -> Result<(), Error> {
    bring_to(connection, MIGRATIONS.len())
}

/// Brings the schema up to a version, if it is not there yet.
pub fn bring_to(connection: &mut Connection, wanted: usize) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = version as usize;
    if version.max(wanted) > MIGRATIONS.len() {
        return Err(Error::TooNew { found: version.max(wanted), known: MIGRATIONS.len() });
    }
    for (number, change) in MIGRATIONS.iter().enumerate().take(wanted).skip(version) {
        transaction.execute_batch(change)?;
        transaction.pragma_update(None, "user_version", number as u32 + 1)?;
    }
    Ok(transaction.commit()?)
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("expected a catalog of version {known} or older, found version {found}")]
    TooNew { found: usize, known: usize },
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}
