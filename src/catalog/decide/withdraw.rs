//! Entries whose seed is gone: how they wait, are judged together, and are withdrawn;
//! or held, where a folder vanished. Pure, as the rest of the decider.

use crate::catalog::decide::{Decider, LONGEST, QUIET};
use crate::catalog::rows::{EntryRow, Micros, SECOND, Standing, Status};
use crate::catalog::store::Result;

/// Removals of this long ago are judged together.
const JUDGED: Micros = 600 * SECOND;

impl Decider<'_, '_> {
    /// An entry without its seed begins to leave, if readers saw it.
    pub(super) fn leave(&mut self, number: i64) -> Result<Option<EntryRow>> {
        let Some(mut entry) = self.rows.entry(number)? else { return Ok(None) };
        match entry.status {
            Status::Live => {
                (entry.status, entry.since) = (Status::Leaving, self.now);
                self.rows.put_entry(&entry)?;
                Ok(Some(entry))
            }
            Status::Draft | Status::Future | Status::Expired => {
                entry.status = Status::Gone;
                entry.judged = true;
                self.rows.put_entry(&entry)?;
                Ok(Some(entry))
            }
            Status::Leaving | Status::Held | Status::Gone => Ok(None),
        }
    }

    pub(super) fn judgement_due(&self) -> Result<Option<Micros>> {
        let leaving = self.rows.entries_of_status(Status::Leaving)?;
        let first = leaving.iter().map(|it| it.since).min();
        let last = leaving.iter().map(|it| it.since).max();
        Ok(first.zip(last).map(|(first, last)| (last + QUIET).min(first + LONGEST)))
    }

    /// Withdraws what is gone; or nothing, where too much is gone at once.
    pub(super) fn judge(&mut self) -> Result<()> {
        let leaving = self.rows.entries_of_status(Status::Leaving)?;
        let held = self.rows.entries_of_status(Status::Held)?;
        let gone = self.rows.entries_gone_since(self.now - JUDGED)?;
        if !self.has_vanished(&[&leaving, &held, &gone], gone.len())? {
            self.rows.remove_fact("vanished")?;
            for entry in leaving.into_iter().chain(held) {
                self.withdraw(entry, Status::Gone)?;
            }
            return self.end_queue();
        }
        if self.rows.fact("vanished")?.is_none() {
            self.rows.put_fact("vanished", &self.now.to_string())?;
        }
        for mut entry in leaving {
            entry.status = Status::Held;
            self.rows.put_entry(&entry)?;
        }
        for mut entry in gone {
            let Some(kept) = self.rows.article(entry.article)? else { continue };
            self.place_again(&mut entry, &kept.article, false)?;
            entry.updated = self.back_since(&entry).max(entry.published);
            (entry.status, entry.since, entry.changed) = (Status::Held, self.now, self.moment);
            self.rows.put_entry(&entry)?;
            self.touch.scopes_of(&entry, &kept.article, self.now)?;
            self.touch.files_of(&kept.article);
            self.touch.siblings_of(&entry, &kept.article)?;
            self.touch.entry(&entry)?;
            self.touch.led_elsewhere(&entry);
        }
        Ok(())
    }

    /// Whether the seed of an entry is gone that readers see, or saw ten minutes ago.
    pub(super) fn is_any_missing(&self) -> Result<bool> {
        Ok(!self.rows.entries_of_status(Status::Leaving)?.is_empty()
            || !self.rows.entries_of_status(Status::Held)?.is_empty()
            || !self.rows.entries_gone_since(self.now - JUDGED)?.is_empty())
    }

    /// Whether too much is gone at once: all of three or more, or a share of ten or
    /// more. `missing` are the entries whose seed is gone; the last `gone` of them were
    /// withdrawn in the last ten minutes.
    fn has_vanished(&self, missing: &[&Vec<EntryRow>], gone: usize) -> Result<bool> {
        if self.rows.fact("foreign")?.is_some() {
            return Ok(true);
        }
        let missing: Vec<&EntryRow> = missing.iter().copied().flatten().collect();
        let all = self.rows.count_live()? + gone as i64;
        if all >= 3 && missing.len() as i64 == all {
            return Ok(true);
        }
        // Of the entries of ten minutes ago alone: what came since cannot make up for
        // them, as where another folder stands in this one's place.
        let then = self.now - JUDGED;
        let old = |it: &[&EntryRow]| it.iter().filter(|it| it.announced <= then).count() as i64;
        let gone = &missing[missing.len() - gone..];
        let all = self.rows.count_live()? - self.rows.count_announced(then)? + old(gone);
        let missing = old(&missing);
        let share = missing as f64 / all.max(1) as f64;
        Ok((all >= 3 && missing == all) || (all >= 10 && share >= self.options.vanished_share))
    }

    /// A person says that what is missing is meant to be gone. Returns how many were
    /// withdrawn.
    pub fn confirm(&mut self) -> Result<usize> {
        if self.rows.fact("lost")?.is_some() {
            // Nothing is where the folder was: what stands there later is looked at anew.
            for (path, _) in self.rows.known()? {
                self.nothing_at(&path)?;
            }
            self.leave_all()?;
        }
        let mut missing = self.rows.entries_of_status(Status::Leaving)?;
        missing.extend(self.rows.entries_of_status(Status::Held)?);
        let count = missing.len();
        for mut entry in missing {
            entry.judged = true;
            self.withdraw(entry, Status::Gone)?;
        }
        for fact in ["vanished", "foreign", "root"] {
            self.rows.remove_fact(fact)?;
        }
        self.end_queue()?;
        Ok(count)
    }

    pub(super) fn end_queue_if_returned(&mut self) -> Result<()> {
        while std::mem::take(&mut self.has_returned) {
            self.end_queue()?;
        }
        Ok(())
    }

    /// Newcomers that waited for a path are looked at again.
    fn end_queue(&mut self) -> Result<()> {
        let queue = self.rows.seeds_standing(Standing::Queue)?;
        self.settle(queue, false)
    }

    pub(super) fn withdraw(&mut self, mut entry: EntryRow, status: Status) -> Result<()> {
        let was_live = entry.is_live();
        entry.status = status;
        if !was_live {
            // Its tombstone says since when it is withdrawn, not why.
            return self.rows.put_entry(&entry);
        }
        entry.since = self.now;
        entry.changed = self.moment;
        self.touch.entry(&entry)?;
        self.rows.put_entry(&entry)?;
        self.touch.withdrawn(&entry)?;
        self.touch.entry(&entry)?;
        self.touch.led_elsewhere(&entry);
        Ok(())
    }
}
