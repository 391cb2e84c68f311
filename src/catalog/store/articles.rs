//! Rows of the cache: articles, and what they refer to.

use std::cell::RefCell;

use rusqlite::params;
use rusqlite::types::ValueRef;

use crate::catalog::rows::{Converted, Hash};
use crate::catalog::store::{Error, Result, Rows};
use crate::convert::article::Article;

/// Articles, and what they refer to.
impl Rows<'_> {
    pub fn article(&self, article: i64) -> Result<Option<Converted>> {
        let sql = "SELECT bytes, inputs, data FROM articles WHERE article = ?";
        let found = self.one(sql, [article], |row| {
            Ok((row.get::<_, Hash>(0)?, row.get::<_, Hash>(1)?, unpacked(row.get_ref(2)?)))
        })?;
        let Some((bytes, inputs, article)) = found else { return Ok(None) };
        Ok(Some(Converted { article: article?, bytes, inputs }))
    }

    /// The number under which it is kept.
    pub fn put_article(&self, converted: &Converted, version: u32) -> Result<i64> {
        let text =
            serde_json::to_vec(&converted.article).map_err(|it| Error::Packing(it.to_string()))?;
        let data = COMPRESSOR
            .with_borrow_mut(|it| it.compress(&text))
            .map_err(|it| Error::Packing(it.to_string()))?;
        self.run(
            "INSERT INTO articles (bytes, inputs, version, data) VALUES (?, ?, ?, ?)",
            params![converted.bytes, converted.inputs, version, data],
        )?;
        Ok(self.last_row())
    }

    pub fn remove_article(&self, article: i64) -> Result<()> {
        self.run("DELETE FROM articles WHERE article = ?", [article])?;
        Ok(())
    }

    /// Replaces what an entry refers to.
    pub fn put_uses(&self, entry: i64, targets: &[Vec<u8>]) -> Result<()> {
        self.run("DELETE FROM uses WHERE entry = ?", [entry])?;
        for target in targets {
            self.run("INSERT OR IGNORE INTO uses VALUES (?, ?)", params![target, entry])?;
        }
        Ok(())
    }

    /// Whether anything refers to anything.
    pub fn has_uses(&self) -> Result<bool> {
        Ok(self.one("SELECT 1 FROM uses LIMIT 1", [], |_| Ok(()))?.is_some())
    }

    /// The live entries that refer to this.
    pub fn users(&self, target: &[u8]) -> Result<Vec<i64>> {
        let sql = "SELECT entry FROM uses JOIN entries ON number = entry WHERE target = ? \
                   AND status IN ('live', 'leaving', 'held')";
        self.all(sql, [target], |row| row.get(0))
    }
}

thread_local! {
    // Level 1 halves text at some hundred MB/s; the database is mostly bodies. Making
    // a context costs more than an article of usual length, so each thread keeps one.
    static COMPRESSOR: RefCell<zstd::bulk::Compressor<'static>> = RefCell::new(
        zstd::bulk::Compressor::new(1).expect("level 1 is a level of zstd"));
    static DECOMPRESSOR: RefCell<zstd::bulk::Decompressor<'static>> = RefCell::new(
        zstd::bulk::Decompressor::new().expect("a decompressor without dictionary needs memory alone"));
}

fn unpacked(data: ValueRef<'_>) -> Result<Article> {
    let data = data.as_blob().map_err(|it| Error::Article(it.to_string()))?;
    let length = zstd::zstd_safe::get_frame_content_size(data).ok().flatten().unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(0);
    let text = DECOMPRESSOR
        .with_borrow_mut(|it| it.decompress(data, length))
        .map_err(|it| Error::Article(it.to_string()))?;
    serde_json::from_slice(&text).map_err(|it| Error::Article(it.to_string()))
}
