//! The catalog's rows in SQLite: one writer, one transaction for each batch.
//!
//! Rows in, rows out; no decision is made here. [`Rows`] is the small interface
//! that the decider works through: a transaction of the writer, or a snapshot of a
//! reader, with the rows of each subject in a file of `store/`. Only the catalog names
//! SQL.

mod articles;
mod entries;
mod seeds;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row, TransactionBehavior};

#[cfg(test)]
use crate::catalog::faults;
use crate::catalog::migrate;

/// What SQLite said, and of which operation where that is known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the catalog's database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the catalog's database: {0}")]
    Schema(#[from] migrate::Error),
    #[error("expected an article in the catalog's cache, found {0}")]
    Article(String),
    #[error("an article cannot be packed for the catalog's cache: {0}")]
    Packing(String),
    #[error("the catalog's files: {0}")]
    Files(#[from] std::io::Error),
}

impl Error {
    /// Whether the database itself is damaged, so that trying again is no use.
    pub fn is_corrupt(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Error::Sqlite(error) | Error::Schema(migrate::Error::Sqlite(error)) => match error {
                // A value that no Sower wrote there.
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..) => true,
                _ => matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
            },
            Error::Article(_) => true,
            Error::Schema(migrate::Error::TooNew { .. }) | Error::Packing(_) | Error::Files(_) => {
                false
            }
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// The writer's connection.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens or makes the database and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Store> {
        let mut store = Store::connect(path)?;
        store.migrate()?;
        Ok(store)
    }

    /// Makes a database of an earlier version, to be filled with what is left of a
    /// damaged one: rows may refer to what is not there until all are mended.
    pub fn open_new(path: &Path, version: u32) -> Result<Store> {
        let mut store = Store::connect(path)?;
        store.connection.pragma_update(None, "foreign_keys", false)?;
        migrate::bring_to(&mut store.connection, version as usize)?;
        Ok(store)
    }

    fn connect(path: &Path) -> Result<Store> {
        let connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: an entry that readers have seen keeps its id and dates through a
        // power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        // In KiB, as it is negative: a first import is one large transaction.
        connection.pragma_update(None, "cache_size", -32_000)?;
        Ok(Store { connection })
    }

    /// Brings the schema up to date.
    pub fn migrate(&mut self) -> Result<()> {
        Ok(migrate::migrate(&mut self.connection)?)
    }

    /// Runs `work` in one transaction below the interface of [`Rows`].
    pub fn fill(
        &mut self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let transaction = self.connection.transaction()?;
        work(&transaction)?;
        Ok(transaction.commit()?)
    }

    /// Closes the database, all of it in its one file.
    pub fn close(self) -> Result<()> {
        self.checkpoint()?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// The file may be another one at its path when this is dropped: SQLite is not to
    /// tidy up beside it.
    pub fn let_go(&self) -> Result<()> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(())
    }

    /// Runs `work` in one transaction: all of it is kept, or none where it fails.
    pub fn write<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&Rows<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::from)?;
        let outcome = work(&Rows { connection: &transaction })?;
        #[cfg(test)]
        faults::strike().map_err(Error::from)?;
        transaction.commit().map_err(Error::from)?;
        Ok(outcome)
    }

    /// Outside a transaction, for reading what only the writer asks.
    pub fn rows(&self) -> Rows<'_> {
        Rows { connection: &self.connection }
    }

    /// Moves what the write-ahead log holds into the database, when idle.
    pub fn checkpoint(&self) -> Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// For tests that write often and are never cut off.
    #[cfg(test)]
    pub fn without_sync(&self) -> Result<()> {
        self.connection.pragma_update(None, "synchronous", "OFF")?;
        Ok(())
    }

    /// For tests of a state folder that cannot be written.
    #[cfg(test)]
    pub fn refuse_writes(&self, refuse: bool) -> Result<()> {
        self.connection.pragma_update(None, "query_only", refuse)?;
        Ok(())
    }

    /// For tests of a full disk: the database may not grow beyond this.
    #[cfg(test)]
    pub fn limit_pages(&self, pages: u32) -> Result<()> {
        self.connection.pragma_update(None, "max_page_count", pages)?;
        Ok(())
    }
}

/// A reader's connection: sees whole batches only, never waits for the writer.
#[derive(Debug)]
pub struct ReadStore {
    connection: Connection,
    file: DatabaseFile,
    /// Which of the databases that stood at the path this one is.
    opened: u64,
}

/// Where the database is, and how often another one took the place of a damaged one
/// there. Clones tell each other.
#[derive(Debug, Clone)]
pub struct DatabaseFile {
    path: PathBuf,
    replaced: Arc<AtomicU64>,
}

impl DatabaseFile {
    pub fn new(path: PathBuf) -> DatabaseFile {
        DatabaseFile { path, replaced: Arc::default() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another database stands at the path: readers open it before they read again.
    pub fn note_replaced(&self) {
        self.replaced.fetch_add(1, Ordering::Release);
    }
}

impl ReadStore {
    pub fn open(file: DatabaseFile) -> Result<ReadStore> {
        let opened = file.replaced.load(Ordering::Acquire);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file.path, flags)?;
        prepare(&connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(ReadStore { connection, file, opened })
    }

    /// Runs `work` on one snapshot of the catalog.
    pub fn read<T>(&mut self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        if self.opened != self.file.replaced.load(Ordering::Acquire) {
            *self = ReadStore::open(self.file.clone())?;
        }
        let transaction = self.connection.transaction()?;
        work(&Rows { connection: &transaction })
    }
}

fn prepare(connection: &Connection) -> Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    // A plan depends on the text alone: without it each new `LIMIT ?` is prepared again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The references between tables are checked where tests run; the decider is the
    // only writer.
    connection.pragma_update(None, "foreign_keys", cfg!(debug_assertions))?;
    Ok(())
}

/// The rows of the catalog, inside one transaction.
#[derive(Debug)]
pub struct Rows<'c> {
    connection: &'c Connection,
}

/// Small queries that every group of rows uses.
impl Rows<'_> {
    pub(super) fn run(&self, sql: &str, values: impl Params) -> Result<usize> {
        #[cfg(test)]
        faults::strike()?;
        Ok(self.connection.prepare_cached(sql)?.execute(values)?)
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        #[cfg(test)]
        faults::strike()?;
        Ok(self.connection.prepare_cached(sql)?.query_row(values, read).optional()?)
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        #[cfg(test)]
        faults::strike()?;
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn last_row(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    pub(super) fn count(&self, sql: &str, values: impl Params) -> Result<i64> {
        Ok(self.one(sql, values, |row| row.get(0))?.unwrap_or(0))
    }
}

/// Facts: single values under a name.
impl Rows<'_> {
    pub fn fact(&self, name: &str) -> Result<Option<String>> {
        self.one("SELECT value FROM facts WHERE name = ?", [name], |row| row.get(0))
    }

    pub fn put_fact(&self, name: &str, value: &str) -> Result<()> {
        self.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, value])?;
        Ok(())
    }

    pub fn remove_fact(&self, name: &str) -> Result<()> {
        self.run("DELETE FROM facts WHERE name = ?", [name])?;
        Ok(())
    }

    /// A fact that is a number.
    pub fn number(&self, name: &str) -> Result<Option<i64>> {
        Ok(self.fact(name)?.and_then(|it| it.parse().ok()))
    }
}
