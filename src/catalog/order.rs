//! Order: which entries a scope holds, how it numbers them, where its archive pages
//! end, and which of them its subscription document shows.
//!
//! Numbers and page borders are stored when an entry joins and never change, so
//! that archive pages never shift (RFC 5005, section 4).

use rusqlite::params;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

use crate::catalog::entry::Part;
use crate::catalog::rows::{EntryRow, Micros, SECOND};
use crate::catalog::scope::Scope;
use crate::catalog::store::{Result, Rows};

/// How many entries a document holds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries of an archive page, and the last announced that a subscription
    /// document holds.
    pub limit: u32,
    /// The most that a subscription document holds of what was announced in the 24
    /// hours before its last change.
    pub max: u32,
}

pub(super) const DAY: Micros = 24 * 3600 * SECOND;

/// So long a scope without entries keeps its documents, empty; then they are gone.
pub const EMPTY_FOR: Micros = 30 * DAY;

/// The scopes that wait for that; as the index says it.
const EMPTIED: &str = "emptied IS NOT NULL AND ended IS NULL AND kind <> 'site'";

/// A scope as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRow {
    pub scope: i64,
    pub label: String,
    /// The archive page that is being filled; those below it are closed.
    pub page: u32,
    pub live: i64,
    pub changed: Micros,
    /// Since when it holds no live entry.
    pub emptied: Option<Micros>,
    /// Since when it has been empty for so long that its documents are gone.
    pub ended: Option<Micros>,
}

/// A scope that an entry is or was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub scope_row: i64,
    pub scope: Scope,
    pub number: i64,
    pub announced: Micros,
    pub page: u32,
    pub state: State,
    /// The archive page that the scope is filling.
    pub open_page: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Live,
    /// The entry was withdrawn: a tombstone stands in its place.
    Withdrawn,
    /// The entry lives on, but not in this scope.
    Left,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Live => "live",
            State::Withdrawn => "withdrawn",
            State::Left => "left",
        }
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        let all = [State::Live, State::Withdrawn, State::Left];
        all.into_iter().find(|it| it.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

fn kind_and_name(scope: &Scope) -> (&'static str, &str) {
    match scope {
        Scope::Site => ("site", ""),
        Scope::Folder(name) => ("folder", name),
        Scope::FolderOnly(name) => ("only", name),
        Scope::Tag(name) => ("tag", name),
        Scope::Author(name) => ("author", name),
        Scope::Language(name) => ("language", name),
    }
}

pub(super) fn scope_of(kind: &str, name: String) -> Option<Scope> {
    Some(match kind {
        "site" => Scope::Site,
        "folder" => Scope::Folder(name),
        "only" => Scope::FolderOnly(name),
        "tag" => Scope::Tag(name),
        "author" => Scope::Author(name),
        "language" => Scope::Language(name),
        _ => return None,
    })
}

/// Scopes and their members.
///
/// Queries name the index that they go by: by itself SQLite, which keeps no statistics here,
/// takes the primary key for as good and reads every member of the scope.
impl Rows<'_> {
    pub fn scope(&self, scope: &Scope) -> Result<Option<ScopeRow>> {
        let (kind, name) = kind_and_name(scope);
        let sql = "SELECT scope, label, page, live, changed, emptied, ended FROM scopes \
                   WHERE kind = ? AND name = ?";
        self.one(sql, [kind, name], |row| {
            Ok(ScopeRow {
                scope: row.get(0)?,
                label: row.get(1)?,
                page: row.get(2)?,
                live: row.get(3)?,
                changed: row.get(4)?,
                emptied: row.get(5)?,
                ended: row.get(6)?,
            })
        })
    }

    /// The scopes that an entry is or was in.
    pub fn members_of(&self, entry: i64) -> Result<Vec<Member>> {
        let sql = "SELECT members.scope, number, members.page, state, kind, name, announced, \
                   scopes.page FROM members JOIN scopes ON scopes.scope = members.scope \
                   WHERE entry = ?";
        self.all(sql, [entry], |row| {
            let kind: String = row.get(4)?;
            Ok(Member {
                scope_row: row.get(0)?,
                scope: scope_of(&kind, row.get(5)?).ok_or(FromSqlError::InvalidType)?,
                number: row.get(1)?,
                announced: row.get(6)?,
                page: row.get(2)?,
                state: row.get(3)?,
                open_page: row.get(7)?,
            })
        })
    }

    /// The row of a scope, made where it is not there yet.
    pub fn scope_made(&self, scope: &Scope, label: &str) -> Result<ScopeRow> {
        if let Some(row) = self.scope(scope)? {
            return Ok(row);
        }
        let (kind, name) = kind_and_name(scope);
        self.run(
            "INSERT INTO scopes (kind, name, label, next, page, filled, live, changed) \
             VALUES (?, ?, ?, 1, 1, 0, 0, 0)",
            [kind, name, label],
        )?;
        Ok(ScopeRow {
            scope: self.last_row(),
            label: label.to_owned(),
            page: 1,
            live: 0,
            changed: 0,
            emptied: None,
            ended: None,
        })
    }

    /// Takes `entry` into the scope of this row at the end of its order, or back to
    /// the place that it had; one that `is_new` never had any. The archive page that it
    /// filled, if it did.
    pub fn join(
        &self,
        row: i64,
        (entry, is_new): (i64, bool),
        announced: Micros,
        limits: &Limits,
    ) -> Result<Option<u32>> {
        let back = !is_new
            && self.run(
                "UPDATE members INDEXED BY members_by_entry SET state = 'live' \
                 WHERE scope = ? AND entry = ? AND state <> 'live'",
                [row, entry],
            )? > 0;
        if back {
            self.run(
                "UPDATE scopes SET live = live + 1, emptied = NULL, ended = NULL WHERE scope = ?",
                [row],
            )?;
            return Ok(None);
        }
        let place: Option<(i64, u32, u32)> =
            self.one("SELECT next, page, filled FROM scopes WHERE scope = ?", [row], |it| {
                Ok((it.get(0)?, it.get(1)?, it.get(2)?))
            })?;
        let Some((number, page, filled)) = place else { return Ok(None) };
        self.run(
            "INSERT INTO members (scope, number, entry, announced, page, state) \
             VALUES (?, ?, ?, ?, ?, 'live')",
            params![row, number, entry, announced, page],
        )?;
        let is_full = filled + 1 >= limits.limit;
        self.run(
            "UPDATE scopes SET next = next + 1, filled = ?2, page = page + ?3, live = live + 1, \
             emptied = NULL, ended = NULL WHERE scope = ?1",
            params![row, if is_full { 0 } else { filled + 1 }, is_full],
        )?;
        Ok(is_full.then_some(page))
    }

    /// Takes a member out of what readers see of its scope.
    pub fn part(
        &self,
        member: &Member,
        state: State,
        (now, moment): (Micros, Micros),
    ) -> Result<()> {
        if member.state == State::Live {
            self.run(
                "UPDATE scopes SET live = live - 1, emptied = CASE WHEN live = 1 THEN ?2 END \
                 WHERE scope = ?1",
                [member.scope_row, now],
            )?;
        }
        self.run(
            "UPDATE members SET state = ?, parted = ? WHERE scope = ? AND number = ?",
            params![state.word(), moment, member.scope_row, member.number],
        )?;
        Ok(())
    }

    /// How many live entries of the site were announced after `since`.
    pub fn count_announced(&self, since: Micros) -> Result<i64> {
        let sql = "SELECT count(*) FROM members JOIN scopes ON scopes.scope = members.scope \
                   WHERE kind = 'site' AND state = 'live' AND announced > ?";
        self.count(sql, [since])
    }

    /// The next time at which a scope will have been empty for [`EMPTY_FOR`].
    pub fn next_scope_due(&self) -> Result<Option<Micros>> {
        let sql = format!("SELECT min(emptied) FROM scopes WHERE {EMPTIED}");
        let emptied: Option<Micros> = self.one(&sql, [], |row| row.get(0))?.flatten();
        Ok(emptied.map(|it| it.saturating_add(EMPTY_FOR)))
    }

    /// Ends the scopes that have been empty for [`EMPTY_FOR`]; gives back each with
    /// the number of its closed archive pages.
    pub fn end_scopes(&self, now: Micros) -> Result<Vec<(Scope, u32)>> {
        let until = now - EMPTY_FOR;
        let sql =
            format!("SELECT kind, name, page - 1 FROM scopes WHERE {EMPTIED} AND emptied <= ?");
        let ended = self.all(&sql, [until], |row| {
            let kind: String = row.get(0)?;
            let scope = scope_of(&kind, row.get(1)?).ok_or(FromSqlError::InvalidType)?;
            Ok((scope, row.get(2)?))
        })?;
        if !ended.is_empty() {
            let sql = format!("UPDATE scopes SET ended = ? WHERE {EMPTIED} AND emptied <= ?");
            self.run(&sql, [now, until])?;
        }
        Ok(ended)
    }

    /// Makes every scope of an entry take it for announced at `announced`.
    pub fn announce(&self, entry: i64, announced: Micros) -> Result<()> {
        self.run("UPDATE members SET announced = ? WHERE entry = ?", [announced, entry])?;
        Ok(())
    }

    /// Closes the page that a scope is filling, if it holds anything, so that what
    /// joins later begins a new one: the page. For the end of a first import and of a
    /// drop of old articles.
    pub fn close_page(&self, scope: &Scope) -> Result<Option<u32>> {
        let (kind, name) = kind_and_name(scope);
        let sql = "UPDATE scopes SET page = page + 1, filled = 0 \
                   WHERE kind = ? AND name = ? AND filled > 0 RETURNING page - 1";
        self.one(sql, [kind, name], |row| row.get(0))
    }

    /// What is announced before this may be missing in the subscription document of a
    /// scope. Never later than the truth.
    pub fn recent_since(&self, scope: i64, limits: &Limits) -> Result<Micros> {
        let found = self.one(
            "SELECT announced FROM members WHERE scope = ? AND state = 'live' \
             ORDER BY announced DESC, number DESC LIMIT 1 OFFSET ?",
            params![scope, limits.max.max(limits.limit)],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(Micros::MIN))
    }

    /// Notes that a scope's subscription document changed.
    pub fn stamp(&self, scope: &Scope, now: Micros) -> Result<()> {
        let (kind, name) = kind_and_name(scope);
        self.run(
            "UPDATE scopes SET changed = max(changed, ?) WHERE kind = ? AND name = ?",
            params![now, kind, name],
        )?;
        Ok(())
    }

    /// The entries that one document of a scope shows, newest `published` first, of
    /// equals the higher number first.
    pub fn shown(&self, scope: &ScopeRow, part: Part, limits: &Limits) -> Result<Vec<EntryRow>> {
        let numbers: Vec<i64> = match part {
            Part::Archive(page) => self.all(
                "SELECT entry FROM members INDEXED BY members_by_page \
                 WHERE scope = ? AND page = ? AND state = 'live'",
                params![scope.scope, page],
                |row| row.get(0),
            )?,
            Part::Current => self.all(
                "SELECT entry FROM (SELECT entry FROM members WHERE scope = ?1 AND state = 'live' \
                   ORDER BY announced DESC, number DESC LIMIT ?2) \
                 UNION SELECT entry FROM (SELECT entry FROM members \
                   WHERE scope = ?1 AND state = 'live' AND announced > ?3 \
                   ORDER BY announced DESC, number DESC LIMIT ?4) \
                 UNION SELECT entry FROM members INDEXED BY members_by_page \
                   WHERE scope = ?1 AND page = ?5 AND state = 'live'",
                params![scope.scope, limits.limit, scope.changed - DAY, limits.max, scope.page],
                |row| row.get(0),
            )?,
        };
        let mut entries = Vec::with_capacity(numbers.len());
        for number in numbers {
            entries.extend(self.entry(number)?);
        }
        entries.sort_by_key(|it| std::cmp::Reverse((it.published, it.number)));
        Ok(entries)
    }

    /// The entries that were withdrawn at or after `since` and that one document of a
    /// scope held, the last withdrawn first: id and when.
    pub fn withdrawn(
        &self,
        scope: &ScopeRow,
        part: Part,
        since: Micros,
        most: usize,
    ) -> Result<Vec<(String, Micros)>> {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let sql = |and: &str| {
            format!(
                "SELECT id, since FROM members INDEXED BY members_withdrawn \
                 JOIN entries ON entries.number = members.entry \
                 WHERE members.scope = ?1 AND state = 'withdrawn' AND since >= ?2 {and} \
                 ORDER BY since DESC, entries.number DESC LIMIT ?3"
            )
        };
        let most = most as i64;
        match part {
            Part::Current => self.all(&sql(""), params![scope.scope, since, most], read),
            Part::Archive(page) => {
                self.all(&sql("AND page = ?4"), params![scope.scope, since, most, page], read)
            }
        }
    }

    /// The last change of an entry that an archive page holds, or held at that time.
    pub fn page_changed(&self, scope: &ScopeRow, page: u32) -> Result<Option<Micros>> {
        let sql = "SELECT max(CASE state WHEN 'left' THEN parted ELSE changed END) \
                   FROM members INDEXED BY members_by_page \
                   JOIN entries ON entries.number = members.entry \
                   WHERE members.scope = ? AND page = ?";
        Ok(self.one(sql, params![scope.scope, page], |row| row.get(0))?.flatten())
    }
}
