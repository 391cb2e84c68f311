//! What changed in a subscription document since an earlier version of it, which is
//! known by the moment of its last change.
//!
//! No version is kept: each entry knows when it last changed, and moments of batches
//! only grow. So an earlier version is told however old it is, and after a restart.
//!
//! What cannot be told is `None`, and the reader gets the whole document: an entry
//! left the scope and lives on, more was withdrawn than a document names, or the
//! earlier version is older than tombstones are kept.

use std::collections::HashSet;

use rusqlite::params;

use crate::catalog::chosen::Feeds;
use crate::catalog::entry::{Delta, Part, Tombstone};
use crate::catalog::order::{DAY, Limits, ScopeRow};
use crate::catalog::read::{Reader, revision, select, timestamp};
use crate::catalog::rows::Micros;
use crate::catalog::scope::Scope;
use crate::catalog::store::{Result, Rows};

impl Reader {
    /// What became of the subscription document of a scope since its version of
    /// `moment`, in microseconds; and the revision it was read at.
    pub fn delta(&mut self, scope: &Scope, moment: i64) -> Result<(Option<Delta>, u64)> {
        let Reader { store, feeds, tombstones } = self;
        store.read(|rows| Ok((delta(rows, scope, moment, feeds, *tombstones)?, revision(rows)?)))
    }
}

fn delta(
    rows: &Rows<'_>,
    scope: &Scope,
    moment: Micros,
    feeds: &Feeds,
    tombstones: Micros,
) -> Result<Option<Delta>> {
    let Some(row) = rows.scope(scope)?.filter(|it| it.ended.is_none()) else { return Ok(None) };
    let limits = feeds.limits(scope);
    if moment < row.changed - tombstones || rows.has_left_since(&row, moment)? {
        return Ok(None);
    }
    let withdrawn = rows.withdrawn_since(&row, moment, limits.limit as usize + 1)?;
    if withdrawn.len() > limits.limit as usize {
        return Ok(None);
    }
    let Some(whole) = select(rows, scope, Part::Current, feeds, tombstones)? else {
        return Ok(None);
    };
    let known = rows.surely_shown(&row, &limits, withdrawn.len())?;
    let mut fresh = HashSet::new();
    for entry in &whole.entries {
        let changed = rows.entry(entry.number)?.map_or(Micros::MAX, |it| it.changed);
        if changed > moment || !known.contains(&entry.number) {
            fresh.insert(entry.id.clone());
        }
    }
    let withdrawn =
        withdrawn.into_iter().map(|(id, when)| Tombstone { id, when: timestamp(when) }).collect();
    Ok(Some(Delta { whole, fresh, withdrawn }))
}

impl Rows<'_> {
    /// Notes that readers see an entry otherwise.
    pub fn put_changed(&self, number: i64, changed: Micros) -> Result<()> {
        self.run("UPDATE entries SET changed = ? WHERE number = ?", [changed, number])?;
        Ok(())
    }

    /// Whether an entry that lives on is no longer in this scope since then.
    fn has_left_since(&self, scope: &ScopeRow, moment: Micros) -> Result<bool> {
        let sql = "SELECT 1 FROM members INDEXED BY members_left \
                   WHERE scope = ? AND state = 'left' AND parted > ? LIMIT 1";
        Ok(self.one(sql, [scope.scope, moment], |_| Ok(()))?.is_some())
    }

    /// Id and time of what was withdrawn since then, the last first.
    fn withdrawn_since(
        &self,
        scope: &ScopeRow,
        moment: Micros,
        most: usize,
    ) -> Result<Vec<(String, Micros)>> {
        let sql = "SELECT id, since FROM members INDEXED BY members_withdrawn \
                   JOIN entries ON entries.number = members.entry \
                   WHERE members.scope = ? AND state = 'withdrawn' AND changed > ? \
                   ORDER BY since DESC, entries.number DESC LIMIT ?";
        self.all(sql, params![scope.scope, moment, most as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// The entries that an earlier document held if they were as they are: whatever
    /// `withdrawn` entries before them may have kept out is not among them.
    ///
    /// What was announced since then came before them, and can only have pushed them
    /// out. The time of the earlier document was earlier, so whatever is within a day
    /// of the present one was within a day of it.
    fn surely_shown(
        &self,
        scope: &ScopeRow,
        limits: &Limits,
        withdrawn: usize,
    ) -> Result<HashSet<i64>> {
        let sql = "SELECT entry, announced FROM members WHERE scope = ? AND state = 'live' \
                   ORDER BY announced DESC, number DESC LIMIT ?";
        let most = limits.max.max(limits.limit);
        let announced = self.all(sql, params![scope.scope, most], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Micros>(1)?))
        })?;
        let mut known = HashSet::new();
        for (place, (entry, announced)) in announced.into_iter().enumerate() {
            let before = place + withdrawn;
            let is_of_day = announced > scope.changed - DAY && before < limits.max as usize;
            if before < limits.limit as usize || is_of_day {
                known.insert(entry);
            }
        }
        let sql = "SELECT entry FROM members INDEXED BY members_by_page \
                   WHERE scope = ? AND page = ? AND state = 'live'";
        known.extend(self.all(sql, params![scope.scope, scope.page], |row| row.get::<_, i64>(0))?);
        Ok(known)
    }
}
