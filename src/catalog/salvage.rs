//! A damaged database: everything in it that can still be read goes into a new one, and
//! the damaged one is set aside with its time in the name.
//!
//! In: the path of the database. Out: a whole database at that path, and what is known
//! of the loss. Each table is read from its beginning and, where that ends early, from
//! its end, and between them row by row where rows are numbered: a damaged page costs
//! what stands on it. What the folder can tell again (seeds, files, problems) and what
//! follows from the rest (minted names, uses) is made again by whoever calls.
//!
//! What never happens: the damaged file is written to or removed; a crash in between
//! leaves a state from which the next start does not go on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Transaction, params_from_iter};

use crate::catalog::references;
use crate::catalog::rows::{EntryRow, SeedRow, Standing, Status};
use crate::catalog::store::{Result, Rows, Store};
use crate::watch::seed::{SeedPath, Stat};

/// What was saved of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the damaged one is now.
    pub aside: PathBuf,
    pub entries: usize,
    /// Whether all entries could be read; else the folder is taken in as for the first
    /// time, so that those which are missing take their dates from it.
    pub is_whole: bool,
}

/// A table, and the columns of its key; a single one is a number.
const TABLES: &[(&str, &[&str])] = &[
    ("facts", &["name"]),
    ("entries", &["number"]),
    ("places", &["path", "entry"]),
    ("scopes", &["scope"]),
    ("members", &["scope", "number"]),
    ("seeds", &["path"]),
    ("articles", &["article"]),
];

/// Facts of what was under way; it begins anew.
const PASSING: &str = "'converter', 'drop_start', 'drop_last', 'drop_old', 'drop_undated', 'words'";

/// Brings what can be read of the database at `path` into a new one there, and sets the
/// damaged one aside.
pub fn salvage(path: &Path, now: Timestamp) -> Result<Salvaged> {
    let new = beside(path, ".salvaged");
    remove(&new)?;
    let unfinished = beside(path, ".unfinished");
    for suffix in ["", "-wal", "-shm", "-journal"] {
        remove(&beside(&unfinished, suffix))?;
    }
    let (entries, is_whole) = fill(path, &unfinished, now)?;
    // From here on a crash loses nothing: the next start finishes what is left.
    fs::rename(&unfinished, &new)?;
    let aside = set_aside(path, now)?;
    finish(path)?;
    Ok(Salvaged { aside, entries, is_whole })
}

/// Ends a salvage that was cut off: the damaged database is set aside already, or it is
/// still there and the salvage begins anew.
pub fn finish(path: &Path) -> Result<()> {
    let new = beside(path, ".salvaged");
    if path.exists() || !new.exists() {
        return Ok(remove(&new)?);
    }
    // What is left of the damaged one's log is not the new one's.
    for suffix in ["-wal", "-shm"] {
        remove(&beside(path, suffix))?;
    }
    fs::rename(&new, path)?;
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Renames the database and its log; under their new names they belong together, too.
fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf> {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let mut aside = beside(path, &format!(".damaged-{stamp}"));
    for number in 2.. {
        if !aside.exists() {
            break;
        }
        aside = beside(path, &format!(".damaged-{stamp}-{number}"));
    }
    fs::rename(path, &aside)?;
    if beside(path, "-wal").exists() {
        fs::rename(beside(path, "-wal"), beside(&aside, "-wal"))?;
    }
    remove(&beside(path, "-shm"))?;
    Ok(aside)
}

/// Makes a new database of what can be read: how many entries, and whether those are all.
fn fill(path: &Path, new: &Path, now: Timestamp) -> Result<(usize, bool)> {
    let damaged = open_damaged(path);
    let version: u32 = damaged
        .as_ref()
        .and_then(|it| it.pragma_query_value(None, "user_version", |row| row.get(0)).ok())
        .unwrap_or(0);
    let mut store = Store::open_new(new, version)?;
    let mut is_whole = true;
    if let Some(damaged) = damaged {
        store.fill(|to| {
            for (table, key) in TABLES {
                let is_read = copy(&damaged, to, table, key)?;
                is_whole &= is_read || *table != "entries";
            }
            Ok(())
        })?;
    }
    store.migrate()?;
    let entries = store.write(|rows| mend(rows, now))?;
    is_whole &= entries > 0;
    if !is_whole {
        store.write(|rows| rows.put_fact("import", "open"))?;
    }
    store.close()?;
    fs::File::open(new)?.sync_all()?;
    Ok((entries, is_whole))
}

/// Opened so that SQLite reads on where it finds that pages are missing. `None` where
/// there is nothing that it could read.
fn open_damaged(path: &Path) -> Option<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let damaged = Connection::open_with_flags(path, flags).ok()?;
    damaged.pragma_update(None, "writable_schema", true).ok()?;
    damaged.pragma_update(None, "cell_size_check", true).ok()?;
    Some(damaged)
}

/// Copies the rows of a table that can be read; whether all could.
fn copy(from: &Connection, to: &Transaction<'_>, table: &str, key: &[&str]) -> Result<bool> {
    // A damaged schema may lack it, an earlier one has fewer columns.
    let Ok(found) = columns_of(from, table) else { return Ok(false) };
    let known = columns_of(to, table)?;
    let columns: Vec<String> = found.into_iter().filter(|it| known.contains(it)).collect();
    if columns.is_empty() {
        return Ok(false);
    }
    let list = columns.join(", ");
    let marks = vec!["?"; columns.len()].join(", ");
    let mut insert =
        to.prepare(&format!("INSERT OR IGNORE INTO {table} ({list}) VALUES ({marks})"))?;
    let mut take = |filter: &str, values: &[Value]| -> Result<(bool, Option<Value>)> {
        let mut last = None;
        let Ok(mut select) = from.prepare(&format!("SELECT {list} FROM {table} {filter}")) else {
            return Ok((false, last));
        };
        let Ok(mut rows) = select.query(params_from_iter(values)) else {
            return Ok((false, last));
        };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok((true, last)),
                Err(_) => return Ok((false, last)),
            };
            let values: rusqlite::Result<Vec<Value>> =
                (0..columns.len()).map(|column| row.get(column)).collect();
            let Ok(values) = values else { return Ok((false, last)) };
            let number = columns.iter().position(|it| it == key[0]).map(|it| values[it].clone());
            // One that is not as the table demands is no row.
            match insert.execute(params_from_iter(&values)) {
                Ok(_) => last = number,
                Err(error) if is_of_the_row(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    let (is_whole, first) = take(&format!("ORDER BY {}", key.join(", ")), &[])?;
    if is_whole {
        return Ok(true);
    }
    let (_, last) = take(&format!("ORDER BY {} DESC", key.join(" DESC, ")), &[])?;
    if let (Some(Value::Integer(first)), Some(Value::Integer(last))) = (first, last)
        && key.len() == 1
    {
        let one = format!("WHERE {} = ?", key[0]);
        for number in first + 1..last {
            take(&one, &[Value::Integer(number)])?;
        }
    }
    Ok(false)
}

fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

fn is_of_the_row(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TypeMismatch))
}

/// Makes the rows agree with each other again; how many entries there are.
fn mend(rows: &Rows<'_>, now: Timestamp) -> Result<usize> {
    drop_what_cannot_be_read(rows)?;
    for sql in [
        "DELETE FROM places WHERE entry NOT IN (SELECT number FROM entries)",
        "DELETE FROM members WHERE entry NOT IN (SELECT number FROM entries) \
         OR scope NOT IN (SELECT scope FROM scopes)",
        "UPDATE seeds SET entry = NULL WHERE entry NOT IN (SELECT number FROM entries)",
        "UPDATE seeds SET article = NULL WHERE article NOT IN (SELECT article FROM articles)",
        // No article has this number, whatever is added.
        "UPDATE entries SET article = 0 WHERE article NOT IN (SELECT article FROM articles)",
        "UPDATE scopes SET live = (SELECT count(*) FROM members \
         WHERE members.scope = scopes.scope AND state = 'live')",
        "UPDATE scopes SET emptied = NULL, ended = NULL WHERE live > 0",
    ] {
        rows.run(sql, [])?;
    }
    rows.run(&format!("DELETE FROM facts WHERE name IN ({PASSING})"), [])?;
    rows.run(
        "UPDATE scopes SET emptied = ? WHERE live = 0 AND emptied IS NULL",
        [now.as_microsecond()],
    )?;
    let last = rows.count("SELECT coalesce(max(changed), 0) FROM entries", [])?;
    if rows.number("moment")?.unwrap_or(0) < last {
        rows.put_fact("moment", &last.to_string())?;
    }
    rows.forget_stats()?;
    let mut entries = 0;
    for number in 1..=rows.last_number()? {
        if let Some(mut entry) = rows.entry(number)? {
            entries += 1;
            let permalink = entry.permalink.clone();
            rows.put_place(&permalink, number)?;
            seat(rows, &mut entry, now)?;
        }
    }
    Ok(entries)
}

/// Rows whose words, paths or texts make no sense are no rows.
fn drop_what_cannot_be_read(rows: &Rows<'_>) -> Result<()> {
    for (table, key) in [("entries", "number"), ("articles", "article")] {
        let numbers: Vec<i64> =
            rows.all(&format!("SELECT {key} FROM {table}"), [], |row| row.get(0))?;
        for number in numbers {
            let is_read = match table {
                "entries" => rows.entry(number).is_ok(),
                _ => rows.article(number).is_ok(),
            };
            if !is_read {
                rows.run(&format!("DELETE FROM {table} WHERE {key} = ?"), [number])?;
            }
        }
    }
    let paths: Vec<Vec<u8>> = rows.all("SELECT path FROM seeds", [], |row| row.get(0))?;
    for path in paths {
        let is_read = SeedPath::new(path.clone()).is_some_and(|it| rows.seed(&it).is_ok());
        if !is_read {
            rows.run("DELETE FROM seeds WHERE path = ?", [path])?;
        }
    }
    Ok(())
}

/// An entry that has a seed has its seed's row, so that the next comparison finds out
/// whether it is there still.
fn seat(rows: &Rows<'_>, entry: &mut EntryRow, now: Timestamp) -> Result<()> {
    let standing = match entry.status {
        Status::Live => Standing::Published,
        Status::Draft => Standing::Draft,
        Status::Future => Standing::Future,
        Status::Expired => Standing::Expired,
        Status::Leaving | Status::Held | Status::Gone => return Ok(()),
    };
    let seed = match rows.seed(&entry.path)? {
        Some(seed) if seed.entry == Some(entry.number) => return Ok(()),
        Some(seed) if seed.entry.is_some() => {
            // Another one has its place.
            entry.status =
                if entry.status == Status::Live { Status::Leaving } else { Status::Gone };
            entry.since = now.as_microsecond();
            return rows.put_entry(entry);
        }
        Some(seed) => SeedRow { entry: Some(entry.number), standing, ..seed },
        None => SeedRow {
            path: entry.path.clone(),
            stat: Stat { changed: -1, ..entry.file() },
            bytes: Some(entry.bytes),
            standing,
            entry: Some(entry.number),
            article: Some(entry.article).filter(|it| *it > 0),
            seen: entry.published,
            dated: None,
            due: None,
        },
    };
    rows.put_seed(&seed, &references::stem_of(&seed.path))
}
