//! For tests: a statement that fails, as it would on a disk that does. Nothing of this is
//! in the program.

use std::cell::Cell;

use rusqlite::ffi;

thread_local! {
    static BEFORE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Lets so many statements of this thread pass, and the next one fail.
pub fn fail_after(statements: Option<u32>) {
    BEFORE.set(statements);
}

/// Before each statement, and before a transaction is committed.
pub fn strike() -> rusqlite::Result<()> {
    let before = BEFORE.get();
    BEFORE.set(before.map(|it| it.wrapping_sub(1)));
    match before {
        Some(0) => {
            BEFORE.set(None);
            Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), None))
        }
        _ => Ok(()),
    }
}
