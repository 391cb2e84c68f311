//! Rows of entries, of the names that their ids were minted from, and of their paths on
//! the site.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Row, params};

use crate::catalog::rows::{EntryRow, Hash, Micros, Status};
use crate::catalog::store::{Result, Rows};
use crate::watch::seed::{SeedPath, Stat};

const ENTRY: &str = "number, id, guid, path, device, inode, birth, bytes, inputs, title, wanted, \
                     permalink, published, updated, announced, article, status, since, changed, judged, \
                     bundle";

/// Entries.
impl Rows<'_> {
    pub fn entry(&self, number: i64) -> Result<Option<EntryRow>> {
        self.one(&format!("SELECT {ENTRY} FROM entries WHERE number = ?"), [number], entry_row)
    }

    pub fn entry_of_guid(&self, guid: &str) -> Result<Option<EntryRow>> {
        self.one(&format!("SELECT {ENTRY} FROM entries WHERE guid = ?"), [guid], entry_row)
    }

    pub fn entry_of_id(&self, id: &str) -> Result<Option<EntryRow>> {
        self.one(&format!("SELECT {ENTRY} FROM entries WHERE id = ?"), [id], entry_row)
    }

    /// The entries whose seed stands here or stood here last, the newest first.
    pub fn entries_at(&self, path: &SeedPath) -> Result<Vec<EntryRow>> {
        let sql = format!("SELECT {ENTRY} FROM entries WHERE path = ? ORDER BY number DESC");
        self.all(&sql, [path], entry_row)
    }

    /// The entries whose seeds' paths stand from `from` up to `to`, this one left out.
    pub fn entries_between(&self, from: &[u8], to: &[u8]) -> Result<Vec<EntryRow>> {
        let sql = format!("SELECT {ENTRY} FROM entries WHERE path >= ? AND path < ?");
        self.all(&sql, [from, to], entry_row)
    }

    pub fn entries_of_file(&self, stat: &Stat) -> Result<Vec<EntryRow>> {
        let sql = format!("SELECT {ENTRY} FROM entries WHERE inode = ? AND device = ?");
        self.all(&sql, [stat.inode as i64, stat.device as i64], entry_row)
    }

    pub fn entries_of_bytes(&self, bytes: &Hash) -> Result<Vec<EntryRow>> {
        self.all(&format!("SELECT {ENTRY} FROM entries WHERE bytes = ?"), [bytes], entry_row)
    }

    pub fn entries_of_status(&self, status: Status) -> Result<Vec<EntryRow>> {
        debug_assert!(status != Status::Live, "the index leaves these out");
        let sql = format!(
            "SELECT {ENTRY} FROM entries WHERE status <> 'live' AND status = '{}' ORDER BY number",
            status.word()
        );
        self.all(&sql, [], entry_row)
    }

    /// The entries that were withdrawn at or after `since` because their seed was gone.
    pub fn entries_gone_since(&self, since: Micros) -> Result<Vec<EntryRow>> {
        let sql = format!(
            "SELECT {ENTRY} FROM entries WHERE status <> 'live' AND status = 'gone' AND since >= ? \
             AND judged = 0"
        );
        self.all(&sql, [since], entry_row)
    }

    pub fn count_live(&self) -> Result<i64> {
        self.count("SELECT coalesce(sum(live), 0) FROM scopes WHERE kind = 'site'", [])
    }

    pub fn last_number(&self) -> Result<i64> {
        self.count("SELECT coalesce(max(number), 0) FROM entries", [])
    }

    pub fn put_entry(&self, row: &EntryRow) -> Result<()> {
        self.run(
            "INSERT INTO entries VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) \
             ON CONFLICT (number) DO UPDATE SET path = ?4, device = ?5, inode = ?6, birth = ?7, \
             bytes = ?8, inputs = ?9, title = ?10, wanted = ?11, permalink = ?12, published = ?13, \
             updated = ?14, announced = ?15, article = ?16, status = ?17, since = ?18, changed = ?19, \
             judged = ?20, bundle = ?21",
            params![
                row.number,
                row.id,
                row.guid,
                row.path,
                row.device as i64,
                row.inode as i64,
                row.birth,
                row.bytes,
                row.inputs,
                row.title,
                row.wanted,
                row.permalink,
                row.published,
                row.updated,
                row.announced,
                row.article,
                row.status.word(),
                row.since,
                row.changed,
                row.judged,
                row.is_bundle,
            ],
        )?;
        Ok(())
    }
}

fn entry_row(row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        number: row.get(0)?,
        id: row.get(1)?,
        guid: row.get(2)?,
        path: row.get(3)?,
        device: row.get::<_, i64>(4)? as u64,
        inode: row.get::<_, i64>(5)? as u64,
        birth: row.get(6)?,
        bytes: row.get(7)?,
        inputs: row.get(8)?,
        title: row.get(9)?,
        wanted: row.get(10)?,
        permalink: row.get(11)?,
        published: row.get(12)?,
        updated: row.get(13)?,
        announced: row.get(14)?,
        article: row.get(15)?,
        status: row.get(16)?,
        since: row.get(17)?,
        changed: row.get(18)?,
        judged: row.get(19)?,
        is_bundle: row.get(20)?,
    })
}

/// Names that ids were minted from, and paths on the site.
impl Rows<'_> {
    /// Whether it was new.
    pub fn mint(&self, name: &str) -> Result<bool> {
        Ok(self.run("INSERT OR IGNORE INTO minted VALUES (?)", [name])? > 0)
    }

    /// The entries that have or had this path, the latest first.
    pub fn holders(&self, path: &str) -> Result<Vec<i64>> {
        self.all("SELECT entry FROM places WHERE path = ? ORDER BY entry DESC", [path], |row| {
            row.get(0)
        })
    }

    /// Whether the entry did not have it before.
    pub fn put_place(&self, path: &str, entry: i64) -> Result<bool> {
        let sql = "INSERT OR IGNORE INTO places VALUES (?, ?)";
        Ok(self.run(sql, params![path, entry])? > 0)
    }

    /// Every path that this entry has or had.
    pub fn places_of(&self, entry: i64) -> Result<Vec<String>> {
        self.all("SELECT path FROM places WHERE entry = ?", [entry], |row| row.get(0))
    }
}

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Status::ALL.into_iter().find(|it| it.word() == word).ok_or(FromSqlError::InvalidType)
    }
}
