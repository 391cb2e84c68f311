//! Which entry a seed is, by DESIGN's five rules, and which ones have left. Pure, as the
//! rest of the decider.

use std::collections::{BTreeMap, HashMap};

use crate::catalog::decide::Decider;
use crate::catalog::permalink;
use crate::catalog::rows::{Converted, EntryRow, Micros, SeedRow, Standing, Status};
use crate::catalog::store::Result;
use crate::watch::seed::Stat;

impl Decider<'_, '_> {
    /// Finds out which entry each seed is and lets it be seen or not; then looks again
    /// at the copies that waited for what happened here.
    pub(super) fn settle(&mut self, mut seeds: Vec<SeedRow>, is_due: bool) -> Result<()> {
        loop {
            self.add_moved(&mut seeds)?;
            if seeds.is_empty() {
                break;
            }
            let mut articles = HashMap::new();
            for seed in &seeds {
                if let Some(article) = seed.article {
                    let fresh = self.fresh.remove(&article);
                    let kept = match fresh {
                        Some(fresh) => Some(fresh),
                        None => self.rows.article(article)?,
                    };
                    articles.extend(kept.map(|it| (article, it)));
                }
            }
            let article_of = |seed: &SeedRow| seed.article.and_then(|it| articles.get(&it));
            self.claimed.clear();
            let mut changed = Vec::new();
            let mut open: Vec<&SeedRow> = seeds.iter().collect();
            let mut found: Vec<(&SeedRow, i64)> = Vec::new();
            // In a first import there is nothing that a seed could be.
            let rules = if self.rows.last_number()? == 0 { 0 } else { 5 };
            for rule in 1..=rules {
                let mut still_open = Vec::new();
                for seed in open {
                    match self.whose(rule, seed, article_of(seed))? {
                        Some(entry)
                            if rule == 4 && !is_due && self.is_anothers_file(seed, entry)? =>
                        {
                            self.claimed.insert(entry, seed.path.clone());
                            self.wait_as_copy(seed.clone(), (seed.standing, seed.due))?;
                        }
                        Some(entry) => {
                            self.claimed.insert(entry, seed.path.clone());
                            found.push((seed, entry));
                        }
                        None => still_open.push(seed),
                    }
                }
                open = still_open;
            }
            self.left.extend(open.iter().filter_map(|it| it.entry));
            for &(seed, entry) in &found {
                self.left.extend(seed.entry.filter(|&it| it != entry));
                if let (Some(row), Some(new)) = (self.rows.entry(entry)?, article_of(seed))
                    && permalink::wanted(&seed.path, &new.article.stated) != row.wanted
                {
                    self.moving.insert(entry);
                }
            }
            for &(seed, entry) in &found {
                if let Some(row) = self.rows.entry(entry)? {
                    if seed.bytes != Some(row.bytes) {
                        changed.push(row.clone());
                    }
                    self.moving.remove(&entry);
                    self.revise(row, seed.clone(), article_of(seed))?;
                }
            }
            for seed in open {
                let mut seed = seed.clone();
                seed.entry = None;
                match article_of(&seed) {
                    Some(converted) => self.newcomer(seed, converted, is_due)?,
                    None => {
                        (seed.standing, seed.due) = (seed.without_article(), None);
                        self.rows.put_standing(&seed)?;
                    }
                }
            }
            changed.extend(self.leave_all()?);
            seeds = self.copies_of(&changed)?;
        }
        // A batch of removals alone has no seed to settle.
        let left = self.leave_all()?;
        let copies = self.copies_of(&left)?;
        if copies.is_empty() { Ok(()) } else { self.settle(copies, false) }
    }

    /// Adds the seeds that wait and are the file of an entry whose path has no seed any
    /// more, or another: half of a move or swap that was looked at before.
    fn add_moved(&self, seeds: &mut Vec<SeedRow>) -> Result<()> {
        let mut left = Vec::new();
        for &entry in &self.left {
            left.extend(self.rows.entry(entry)?);
        }
        for seed in &*seeds {
            let here = self.rows.entries_at(&seed.path)?;
            left.extend(here.into_iter().filter(|it| it.inode != seed.stat.inode));
        }
        let mut moved = BTreeMap::new();
        for entry in left.iter().filter(|it| it.status != Status::Gone) {
            let others = self.rows.seeds_of_file(&entry.file())?.into_iter();
            let others = others.filter(|it| it.entry.is_none() || it.standing == Standing::Copy);
            moved.extend(others.map(|it| (it.path.clone(), it)));
        }
        moved.retain(|path, _| !seeds.iter().any(|it| it.path == *path));
        seeds.extend(moved.into_values());
        Ok(())
    }

    /// Lets go of the entries whose seed nobody took; those that begin to leave come
    /// back.
    pub(super) fn leave_all(&mut self) -> Result<Vec<EntryRow>> {
        let mut left = Vec::new();
        for entry in std::mem::take(&mut self.left) {
            if !self.has_seed(entry)? {
                left.extend(self.leave(entry)?);
            }
        }
        Ok(left)
    }

    fn has_seed(&self, entry: i64) -> Result<bool> {
        let Some(row) = self.rows.entry(entry)? else { return Ok(false) };
        Ok(self.rows.seed(&row.path)?.is_some_and(|it| it.entry == Some(entry)))
    }

    /// The seeds of no entry that are copies, or other names, of what these entries
    /// were until now.
    fn copies_of(&self, entries: &[EntryRow]) -> Result<Vec<SeedRow>> {
        let mut copies = BTreeMap::new();
        for entry in entries {
            let mut others = self.rows.seeds_of_bytes(&entry.bytes)?;
            others.extend(self.rows.seeds_of_file(&entry.file())?);
            others.retain(|it| it.entry.is_none() || it.standing == Standing::Copy);
            copies.extend(others.into_iter().map(|it| (it.path.clone(), it)));
        }
        Ok(copies.into_values().collect())
    }

    /// The entry that a seed is by one of DESIGN's five rules.
    fn whose(&self, rule: u8, seed: &SeedRow, article: Option<&Converted>) -> Result<Option<i64>> {
        let own = match seed.entry {
            Some(entry) => self.rows.entry(entry)?.filter(|it| it.path == seed.path),
            None => None,
        };
        let is_free = |it: &EntryRow| !self.claimed.contains_key(&it.number);
        let by_name = |it: &EntryRow| {
            (it.path.file_name() != seed.path.file_name(), it.path.clone(), it.number)
        };
        Ok(match rule {
            // The stated id's, if that entry's seed is this one or has left its path.
            1 => match article.and_then(|it| it.article.stated.id.as_deref()) {
                Some(id) => match self.rows.entry_of_guid(id)?.filter(is_free) {
                    Some(entry) if entry.path == seed.path && own.is_some() => Some(entry.number),
                    Some(entry) if self.has_left(&entry)? => Some(entry.number),
                    _ => None,
                },
                None => None,
            },
            // A move: the same file, its path left.
            2 if own.as_ref().is_some_and(|it| it.is_file(&seed.stat)) => None,
            2 => {
                let mut candidates = self.rows.entries_of_file(&seed.stat)?;
                candidates.retain(|it| it.is_file(&seed.stat));
                // A withdrawn one comes back, unless the file is another's by now, or says
                // nothing.
                let is_gone = |it: &EntryRow| it.status == Status::Gone;
                if article.is_none() || !candidates.iter().all(is_gone) {
                    candidates.retain(|it| !is_gone(it));
                }
                let moved = self.moved(candidates, seed)?;
                // One whose file was lost sight of before has less of a claim.
                let by_claim = |it: &EntryRow| (it.status != Status::Live, by_name(it));
                moved.into_iter().min_by_key(by_claim).map(|it| it.number)
            }
            // A move: the same bytes, its path left.
            3 => match seed.bytes {
                Some(bytes) if own.as_ref().is_none_or(|it| it.bytes != bytes) => {
                    let mut candidates = self.rows.entries_of_bytes(&bytes)?;
                    candidates.retain(|it| it.status != Status::Gone);
                    let moved = self.moved(candidates, seed)?;
                    // Without a birth time, the inode with the bytes proves it.
                    let is_other_file = |it: &EntryRow| {
                        it.birth.is_some()
                            || (it.device, it.inode) != (seed.stat.device, seed.stat.inode)
                    };
                    let by_claim = |it: &EntryRow| (is_other_file(it), by_name(it));
                    moved.into_iter().min_by_key(by_claim).map(|it| it.number)
                }
                _ => None,
            },
            // The entry at this path.
            4 => {
                let here = self.rows.entries_at(&seed.path)?;
                let is_here = |it: &&EntryRow| it.status != Status::Gone && is_free(it);
                let own = own.filter(|it| is_here(&it)).map(|it| it.number);
                own.or_else(|| match seed.entry {
                    Some(_) => None,
                    None => here.iter().find(is_here).map(|it| it.number),
                })
            }
            // A withdrawn one comes back; not as another name of what is there.
            _ if self.is_another_name(seed)? => None,
            _ => {
                let is_gone = |it: &EntryRow| it.status == Status::Gone && is_free(it);
                let same_bytes = match seed.bytes {
                    Some(bytes) => self.rows.entries_of_bytes(&bytes)?,
                    None => Vec::new(),
                };
                let by_bytes =
                    same_bytes.into_iter().filter(is_gone).min_by_key(by_name).map(|it| it.number);
                let title = article.map(|it| it.article.title.as_str());
                let here = self.rows.entries_at(&seed.path)?;
                by_bytes.or_else(|| {
                    let same_title =
                        |it: &&EntryRow| is_gone(it) && Some(it.title.as_str()) == title;
                    here.iter().find(same_title).map(|it| it.number)
                })
            }
        })
    }

    fn moved(&self, candidates: Vec<EntryRow>, seed: &SeedRow) -> Result<Vec<EntryRow>> {
        let mut moved = Vec::new();
        for entry in candidates {
            if entry.path != seed.path
                && !self.claimed.contains_key(&entry.number)
                && self.has_left(&entry)?
            {
                moved.push(entry);
            }
        }
        Ok(moved)
    }

    /// Whether the file at an entry's path was last seen as another's that has not left
    /// its path: two names were swapped, or one moved onto the other, and only half of it
    /// was looked at.
    fn is_anothers_file(&self, seed: &SeedRow, own: i64) -> Result<bool> {
        for other in self.rows.entries_of_file(&seed.stat)? {
            let is_other = other.number != own && other.is_file(&seed.stat);
            if is_other && other.path != seed.path && !self.has_left(&other)? {
                let own = self.rows.entry(own)?;
                return Ok(own.is_some_and(|it| it.birth.is_some() && !it.is_file(&seed.stat)));
            }
        }
        Ok(false)
    }

    /// Whether a live entry has the same bytes, or the seed of an entry is the same
    /// file under another name.
    pub(super) fn is_copy(&self, seed: &SeedRow) -> Result<bool> {
        let same_bytes = match seed.bytes {
            Some(bytes) => self.rows.entries_of_bytes(&bytes)?,
            None => Vec::new(),
        };
        let is_copied = same_bytes.iter().any(|it| it.is_live() && it.path != seed.path);
        Ok(is_copied || self.is_another_name(seed)?)
    }

    /// Whether the seed of an entry is the same file under another name.
    fn is_another_name(&self, seed: &SeedRow) -> Result<bool> {
        Ok(self.rows.seeds_of_file(&seed.stat)?.into_iter().any(|it| {
            seed.stat.birth.is_some()
                && it.stat.birth == seed.stat.birth
                && it.path != seed.path
                && it.entry.is_some()
        }))
    }

    /// `since`: how it stood before, and until when.
    pub(super) fn wait_as_copy(
        &self,
        mut seed: SeedRow,
        since: (Standing, Option<Micros>),
    ) -> Result<()> {
        let until = self.now + self.options.copy_wait;
        seed.due = match since {
            (Standing::Copy, Some(due)) => Some(due.min(until)),
            _ => Some(until),
        };
        seed.standing = Standing::Copy;
        self.rows.put_standing(&seed)
    }

    /// Whether nothing is at the entry's path, or its file stands at another seed's
    /// path and no longer there.
    fn has_left(&self, entry: &EntryRow) -> Result<bool> {
        if entry.status == Status::Gone {
            return Ok(true);
        }
        let Some(here) = self.rows.seed(&entry.path)? else { return Ok(true) };
        if here.entry.is_some_and(|it| it != entry.number) {
            return Ok(true);
        }
        if here.stat == Stat::UNKNOWN {
            return Ok(false);
        }
        let (file, here) = (entry.file(), here.stat);
        if (file.device, file.inode, file.birth) == (here.device, here.inode, here.birth) {
            return Ok(false);
        }
        // Without a birth time, the inode with the bytes proves it.
        let is_it = |it: &SeedRow| match entry.birth {
            Some(_) => entry.is_file(&it.stat),
            None => it.bytes == Some(entry.bytes),
        };
        let elsewhere = self.rows.seeds_of_file(&file)?;
        Ok(elsewhere.iter().any(|it| it.path != entry.path && is_it(it)))
    }
}
