//! Rows of what stands in the folder: seeds, files, and what is wrong with them.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Row, params};

use crate::catalog::rows::{Hash, Micros, SeedRow, Standing};
use crate::catalog::store::{Result, Rows};
use crate::problem::Problem;
use crate::watch::seed::{File, SeedPath, Stat};

const SEED: &str = "path, device, inode, birth, length, modified, changed, bytes, standing, entry, \
                    article, seen, due, dated";

/// Seeds.
impl Rows<'_> {
    pub fn seed(&self, path: &SeedPath) -> Result<Option<SeedRow>> {
        self.one(&format!("SELECT {SEED} FROM seeds WHERE path = ?"), [path], seed_row)
    }

    /// The seeds that are names of this very file, by device and inode.
    pub fn seeds_of_file(&self, stat: &Stat) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE inode = ? AND device = ? ORDER BY path");
        self.all(&sql, [stat.inode as i64, stat.device as i64], seed_row)
    }

    pub fn seeds_of_bytes(&self, bytes: &Hash) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE bytes = ? ORDER BY path");
        self.all(&sql, [bytes], seed_row)
    }

    pub fn seeds_standing(&self, standing: Standing) -> Result<Vec<SeedRow>> {
        debug_assert!(standing != Standing::Published, "the index leaves these out");
        // The word stands in the text, not in a binding: SQLite prepares a statement
        // again for each binding that decides whether a partial index serves.
        let sql = format!(
            "SELECT {SEED} FROM seeds WHERE standing <> 'published' AND standing = '{}' ORDER BY path",
            standing.word()
        );
        self.all(&sql, [], seed_row)
    }

    /// The seeds whose time has come, the earliest first.
    pub fn seeds_due(&self, now: Micros) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE due <= ? ORDER BY due, path");
        self.all(&sql, [now], seed_row)
    }

    pub fn next_seed_due(&self) -> Result<Option<Micros>> {
        Ok(self
            .one("SELECT min(due) FROM seeds WHERE due IS NOT NULL", [], |row| row.get(0))?
            .flatten())
    }

    /// The seeds whose name without extension is this, folded.
    pub fn seeds_of_stem(&self, stem: &str) -> Result<Vec<SeedRow>> {
        let sql = format!("SELECT {SEED} FROM seeds WHERE stem = ? ORDER BY path");
        self.all(&sql, [stem], seed_row)
    }

    pub fn put_seed(&self, row: &SeedRow, stem: &str) -> Result<()> {
        let stat = &row.stat;
        self.run(
            "INSERT OR REPLACE INTO seeds (path, device, inode, birth, length, modified, changed, \
             bytes, standing, entry, article, seen, due, dated, stem) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                row.path,
                stat.device as i64,
                stat.inode as i64,
                stat.birth,
                stat.length as i64,
                stat.modified,
                stat.changed,
                row.bytes,
                row.standing.word(),
                row.entry,
                row.article,
                row.seen,
                row.due,
                row.dated,
                stem,
            ],
        )?;
        Ok(())
    }

    /// Of a seed that is there: how it stands, which entry it is, when it is due.
    pub fn put_standing(&self, row: &SeedRow) -> Result<()> {
        self.run(
            "UPDATE seeds SET standing = ?, entry = ?, due = ? WHERE path = ?",
            params![row.standing.word(), row.entry, row.due, row.path],
        )?;
        Ok(())
    }

    pub fn remove_seed(&self, path: &SeedPath) -> Result<()> {
        self.run("DELETE FROM seeds WHERE path = ?", [path])?;
        Ok(())
    }

    /// The paths of the seeds in a folder and below it.
    pub fn seeds_below(&self, folder: &SeedPath) -> Result<Vec<SeedPath>> {
        let (from, to) = below(folder);
        self.all("SELECT path FROM seeds WHERE path >= ? AND path < ?", [from, to], |row| {
            row.get(0)
        })
    }

    /// Whether a folder, or one below it, holds a seed.
    pub fn has_seeds_below(&self, folder: &SeedPath) -> Result<bool> {
        let (from, to) = below(folder);
        let sql = "SELECT 1 FROM seeds WHERE path >= ? AND path < ? LIMIT 1";
        Ok(self.one(sql, [from, to], |_| Ok(()))?.is_some())
    }

    /// Whatever stands in the folder, seeds and files, by path.
    pub fn known(&self) -> Result<Vec<(SeedPath, Stat)>> {
        let columns = "path, device, inode, birth, length, modified, changed";
        let sql = format!(
            "SELECT {columns} FROM seeds UNION ALL SELECT {columns} FROM files ORDER BY path"
        );
        self.all(&sql, [], |row| Ok((row.get(0)?, stat(row, 1)?)))
    }

    /// Makes every seed look changed, so that the next comparison reads it again.
    pub fn forget_stats(&self) -> Result<()> {
        self.run("UPDATE seeds SET changed = -1", [])?;
        Ok(())
    }
}

/// The least path in a folder, and the least after all that are in it.
fn below(folder: &SeedPath) -> (Vec<u8>, Vec<u8>) {
    ([folder.as_bytes(), b"/"].concat(), [folder.as_bytes(), b"0"].concat())
}

fn seed_row(row: &Row<'_>) -> rusqlite::Result<SeedRow> {
    Ok(SeedRow {
        path: row.get(0)?,
        stat: stat(row, 1)?,
        bytes: row.get(7)?,
        standing: row.get(8)?,
        entry: row.get(9)?,
        article: row.get(10)?,
        seen: row.get(11)?,
        due: row.get(12)?,
        dated: row.get(13)?,
    })
}

fn stat(row: &Row<'_>, first: usize) -> rusqlite::Result<Stat> {
    Ok(Stat {
        device: row.get::<_, i64>(first)? as u64,
        inode: row.get::<_, i64>(first + 1)? as u64,
        birth: row.get(first + 2)?,
        length: row.get::<_, i64>(first + 3)? as u64,
        modified: row.get(first + 4)?,
        changed: row.get(first + 5)?,
    })
}

/// Files that are no seeds.
impl Rows<'_> {
    pub fn file(&self, path: &SeedPath) -> Result<Option<File>> {
        let sql = "SELECT path, device, inode, birth, length, modified, changed, media_type, width, \
                   height FROM files WHERE path = ?";
        self.one(sql, [path], |row| {
            let (width, height): (Option<u32>, Option<u32>) = (row.get(8)?, row.get(9)?);
            Ok(File {
                path: row.get(0)?,
                stat: stat(row, 1)?,
                media_type: row.get(7)?,
                size: width.zip(height),
            })
        })
    }

    pub fn put_file(&self, file: &File) -> Result<()> {
        let stat = &file.stat;
        self.run(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                file.path,
                stat.device as i64,
                stat.inode as i64,
                stat.birth,
                stat.length as i64,
                stat.modified,
                stat.changed,
                file.media_type,
                file.size.map(|it| it.0),
                file.size.map(|it| it.1),
            ],
        )?;
        Ok(())
    }

    /// The paths of the files in a folder and below it.
    pub fn files_below(&self, folder: &SeedPath) -> Result<Vec<SeedPath>> {
        let (from, to) = below(folder);
        self.all("SELECT path FROM files WHERE path >= ? AND path < ?", [from, to], |row| {
            row.get(0)
        })
    }

    pub fn count_files(&self) -> Result<u64> {
        Ok(self.count("SELECT count(*) FROM files", [])?.unsigned_abs())
    }

    /// Whether there was one.
    pub fn remove_file(&self, path: &SeedPath) -> Result<bool> {
        Ok(self.run("DELETE FROM files WHERE path = ?", [path])? > 0)
    }
}

/// Problems, one for each path.
impl Rows<'_> {
    pub fn problems(&self) -> Result<Vec<Problem>> {
        self.all("SELECT path, line, reason, consequence FROM problems ORDER BY path", [], |row| {
            Ok(Problem {
                path: row.get(0)?,
                line: row.get(1)?,
                reason: row.get(2)?,
                consequence: row.get(3)?,
            })
        })
    }

    /// Whether it is news.
    pub fn put_problem(&self, problem: &Problem) -> Result<bool> {
        let Problem { path, line, reason, consequence } = problem;
        let changed = self.run(
            "INSERT INTO problems VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE \
             SET line = ?2, reason = ?3, consequence = ?4 \
             WHERE line IS NOT ?2 OR reason <> ?3 OR consequence <> ?4",
            params![path, line, reason, consequence],
        )?;
        Ok(changed > 0)
    }

    pub fn remove_problem(&self, path: &SeedPath) -> Result<()> {
        self.run("DELETE FROM problems WHERE path = ?", [path])?;
        Ok(())
    }
}

impl ToSql for SeedPath {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

impl FromSql for SeedPath {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        SeedPath::new(value.as_blob()?).ok_or(FromSqlError::InvalidType)
    }
}

impl FromSql for Standing {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Standing::ALL.into_iter().find(|it| it.word() == word).ok_or(FromSqlError::InvalidType)
    }
}
