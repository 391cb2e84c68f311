//! Newcomers that come together: drops and the first import, numbered by date, then
//! path. Pure, as the rest of the decider.

use crate::catalog::decide::{Decider, LONGEST, QUIET};
use crate::catalog::rows::{Micros, SeedRow, Standing};
use crate::catalog::store::Result;

/// So many old or undated newcomers make a drop an archive.
const MANY: i64 = 20;

/// How a newcomer comes to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// By itself.
    Alone,
    /// With others: their announcement or date may follow from it.
    Import,
    Drop {
        many_old: bool,
        many_undated: bool,
    },
}

impl Decider<'_, '_> {
    /// A newcomer begins a drop, or keeps it open.
    pub(super) fn renew_drop(&mut self) -> Result<()> {
        if self.rows.fact("drop_start")?.is_none() {
            self.rows.put_fact("drop_start", &self.now.to_string())?;
        }
        self.rows.put_fact("drop_last", &self.now.to_string())
    }

    pub(super) fn count_newcomer(&mut self, date: Micros, is_undated: bool) -> Result<()> {
        let count = |name: &str, counts: bool| -> Result<()> {
            if counts {
                let number = self.rows.number(name)?.unwrap_or(0) + 1;
                self.rows.put_fact(name, &number.to_string())?;
            }
            Ok(())
        };
        count("drop_old", date < self.now - self.options.backdate)?;
        count("drop_undated", is_undated)
    }

    pub(super) fn drop_due(&self) -> Result<Option<Micros>> {
        let (Some(start), Some(last)) =
            (self.rows.number("drop_start")?, self.rows.number("drop_last")?)
        else {
            return Ok(None);
        };
        Ok(Some((last + QUIET).min(start + LONGEST)))
    }

    pub(super) fn end_drop_if_due(&mut self) -> Result<()> {
        match self.drop_due()? {
            Some(due) if due <= self.now => self.end_drop(),
            _ => Ok(()),
        }
    }

    fn end_drop(&mut self) -> Result<()> {
        let many_old = self.rows.number("drop_old")?.unwrap_or(0) >= MANY;
        let many_undated = self.rows.number("drop_undated")?.unwrap_or(0) >= MANY;
        for fact in ["drop_start", "drop_last", "drop_old", "drop_undated"] {
            self.rows.remove_fact(fact)?;
        }
        let held = self.rows.seeds_standing(Standing::Drop)?;
        if !held.is_empty() {
            self.publish_all(held, Arrival::Drop { many_old, many_undated }, many_old)?;
        }
        Ok(())
    }

    /// Numbers what was held back by date, then path, in this one transaction.
    pub(super) fn publish_all(
        &mut self,
        held: Vec<SeedRow>,
        arrival: Arrival,
        closes: bool,
    ) -> Result<()> {
        let mut dated = Vec::with_capacity(held.len());
        for seed in held {
            let date = seed.dated.unwrap_or((seed.stat.modified / 1000).min(self.now));
            dated.push((date, seed));
        }
        dated.sort_by(|a, b| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)));
        for (_, seed) in dated {
            if let Some(converted) =
                seed.article.map(|it| self.rows.article(it)).transpose()?.flatten()
            {
                self.publish(seed, &converted, arrival)?;
            }
        }
        if closes {
            self.touch.close_pages()?;
        }
        Ok(())
    }
}
