//! What becomes of what was sighted: which entry a seed is, whether readers see
//! it, since when, and where. DESIGN's rules of identity, dates and withdrawal live
//! here and nowhere else.
//!
//! Sightings, rows and `now` in; changed rows and what became stale out. No clock, no
//! file, no SQL: rows come and go through [`Rows`], inside one transaction, and
//! only those that a batch can touch are asked for.

mod choose;
mod place;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::catalog::identity;
use crate::catalog::permalink;
use crate::catalog::references;
use crate::catalog::rows::{
    Converted, EntryRow, Micros, Origin, SECOND, SeedRow, Standing, Status,
};
use crate::catalog::store::{Result, Rows};
use crate::catalog::touched::Toucher;
use crate::catalog::{Options, Sighting, Touched};
use crate::convert::article::{Article, Cut};
use crate::problem::Problem;
use crate::watch::seed::SeedPath;

const DAY: Micros = 24 * 3600 * SECOND;
/// Newcomers less than this apart are one drop; a removal waits so long.
const QUIET: Micros = 2 * SECOND;
/// A drop, or the wait for further removals, lasts no longer.
const LONGEST: Micros = 60 * SECOND;
/// So many old or undated newcomers make a drop an archive.
const MANY: i64 = 20;

/// One batch, under way.
pub(super) struct Decider<'d, 'c> {
    rows: &'d Rows<'c>,
    options: &'d Options,
    key: &'d str,
    now: Micros,
    /// `now`, but after that of every batch before: what changes are known by.
    moment: Micros,
    touch: Toucher<'d, 'c>,
    /// Articles of this batch, by their number in the cache.
    fresh: HashMap<i64, Converted>,
    /// Entries that a seed was found to be, in this batch.
    claimed: HashMap<i64, SeedPath>,
    /// Entries whose seed is no longer theirs.
    left: BTreeSet<i64>,
    /// Entries that are about to leave their permalink for another one.
    moving: HashSet<i64>,
    /// Entries that keep their permalink until the one that has the path they ask for
    /// is gone: by number, that one's.
    waiting: HashMap<i64, i64>,
    /// Whether the seed of an entry that was about to be withdrawn has come back.
    has_returned: bool,
    notes: Vec<Problem>,
}

/// How a newcomer comes to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// By itself.
    Alone,
    /// With others: their announcement or date may follow from it.
    Import,
    Drop {
        many_old: bool,
        many_undated: bool,
    },
}

impl<'d, 'c> Decider<'d, 'c> {
    pub fn new(
        rows: &'d Rows<'c>,
        options: &'d Options,
        key: &'d str,
        (now, moment): (Micros, Micros),
    ) -> Self {
        Decider {
            rows,
            options,
            key,
            now,
            moment,
            touch: Toucher::new(rows, &options.feeds, (now, moment)),
            fresh: HashMap::new(),
            claimed: HashMap::new(),
            left: BTreeSet::new(),
            moving: HashSet::new(),
            waiting: HashMap::new(),
            has_returned: false,
            notes: Vec::new(),
        }
    }

    /// Everything that this batch made stale.
    pub fn finish(self) -> Result<Touched> {
        let mut touched = self.touch.finish()?;
        touched.notes = self.notes;
        Ok(touched)
    }

    /// Takes what was sighted: records what stands where, finds out whose it is, and
    /// lets it be seen or not.
    pub fn take(&mut self, seen: Vec<Sighting>) -> Result<()> {
        // Before anything is looked at: what a drop holds back may be looked at again.
        self.end_drop_if_due()?;
        let mut standing: BTreeMap<SeedPath, SeedRow> = BTreeMap::new();
        for sighting in seen {
            match sighting {
                Sighting::Nothing(path) => {
                    standing.remove(&path);
                    self.nothing_at(&path)?;
                }
                Sighting::Unreadable { path, reason } => {
                    let consequence = self.consequence(&path)?;
                    self.problem(Problem { path, line: None, reason, consequence })?;
                }
                Sighting::File(file) => {
                    standing.remove(&file.path);
                    let old = self.rows.file(&file.path)?;
                    if old.is_none() {
                        self.nothing_at(&file.path)?;
                    }
                    self.rows.remove_problem(&file.path)?;
                    self.rows.put_file(&file)?;
                    let facts =
                        |it: &crate::watch::seed::File| (it.stat, it.media_type.clone(), it.size);
                    if old.as_ref().map(facts) != Some(facts(&file)) {
                        self.touch.target_changed(&references::key_of_path(&file.path));
                    }
                }
                Sighting::Article(origin, article) => {
                    self.rows.remove_problem(&origin.path)?;
                    if let Some(cut) = article.cuts.first().cloned() {
                        let (path, Cut { reason, consequence }) = (origin.path.clone(), cut);
                        self.problem(Problem { path, line: None, reason, consequence })?;
                    }
                    let row = self.stands(&origin, Some(*article))?;
                    standing.insert(row.path.clone(), row);
                }
                Sighting::Empty(origin) => {
                    self.rows.remove_problem(&origin.path)?;
                    let mut row = self.stands(&origin, None)?;
                    row.bytes = None;
                    row.standing = Standing::Empty;
                    self.put_seed(&row)?;
                    standing.insert(row.path.clone(), row);
                }
                Sighting::Broken(origin, mut problem) => {
                    let mut row = self.stands(&origin, None)?;
                    row.standing = Standing::Broken;
                    self.put_seed(&row)?;
                    problem.consequence = self.consequence(&origin.path)?;
                    self.problem(problem)?;
                    standing.insert(row.path.clone(), row);
                }
            }
        }
        self.settle(standing.into_values().collect(), false)?;
        self.end_queue_if_returned()
    }

    /// What time alone brings: a date that has come, a copy that stayed a copy, the
    /// end of a drop, a removal that nobody took back.
    pub fn tick(&mut self) -> Result<()> {
        self.end_drop_if_due()?;
        let due = self.rows.seeds_due(self.now)?;
        if !due.is_empty() {
            self.settle(due, true)?;
            self.end_queue_if_returned()?;
        }
        if self.judgement_due()?.is_some_and(|it| it <= self.now) {
            self.judge()?;
        }
        for (scope, pages) in self.rows.end_scopes(self.now)? {
            self.touch.ended(scope, pages);
        }
        Ok(())
    }

    /// When [`Decider::tick`] has something to do.
    pub fn due(&self) -> Result<Option<Micros>> {
        let times = [
            self.rows.next_seed_due()?,
            self.drop_due()?,
            self.judgement_due()?,
            self.rows.next_scope_due()?,
        ];
        Ok(times.into_iter().flatten().min())
    }

    fn consequence(&self, path: &SeedPath) -> Result<String> {
        let is_published = match self.rows.seed(path)?.and_then(|it| it.entry) {
            Some(entry) => self.rows.entry(entry)?.is_some_and(|it| it.is_live()),
            None => false,
        };
        Ok(match is_published {
            true => "the last good version stays published".into(),
            false => "it is not published".into(),
        })
    }

    fn problem(&mut self, problem: Problem) -> Result<()> {
        if self.rows.put_problem(&problem)? {
            self.notes.push(problem);
        }
        Ok(())
    }

    fn put_seed(&self, row: &SeedRow) -> Result<()> {
        self.rows.put_seed(row, &references::stem_of(&row.path))
    }

    // What stands where.

    fn nothing_at(&mut self, path: &SeedPath) -> Result<()> {
        self.rows.remove_problem(path)?;
        if self.rows.remove_file(path)? {
            self.touch.target_changed(&references::key_of_path(path));
        }
        if let Some(seed) = self.rows.seed(path)? {
            self.rows.remove_seed(path)?;
            self.touch.seed_changed(path);
            self.left.extend(seed.entry);
            self.forget_article(seed.article, seed.entry)?;
        }
        Ok(())
    }

    /// Drops an article from the cache that no entry shows.
    fn forget_article(&self, article: Option<i64>, entry: Option<i64>) -> Result<()> {
        let Some(article) = article else { return Ok(()) };
        let is_shown = match entry {
            Some(entry) => self.rows.entry(entry)?.is_some_and(|it| it.article == article),
            None => false,
        };
        if !is_shown {
            self.rows.remove_article(article)?;
        }
        Ok(())
    }

    fn stands(&mut self, origin: &Origin, article: Option<Article>) -> Result<SeedRow> {
        let old = self.rows.seed(&origin.path)?;
        if old.is_none() {
            if self.rows.remove_file(&origin.path)? {
                self.touch.target_changed(&references::key_of_path(&origin.path));
            }
            self.touch.seed_changed(&origin.path);
        }
        let (entry, old_article) = old.as_ref().map_or((None, None), |it| (it.entry, it.article));
        let dated = article.as_ref().and_then(|it| it.stated.published);
        let dated = dated.map(|it| it.as_microsecond());
        let article = match article {
            Some(article) => {
                let converted = Converted { article, bytes: origin.bytes, inputs: origin.inputs };
                let number = self.rows.put_article(&converted, self.options.converter)?;
                self.fresh.insert(number, converted);
                Some(number)
            }
            None => None,
        };
        self.forget_article(old_article, entry)?;
        let row = SeedRow {
            path: origin.path.clone(),
            stat: origin.stat,
            bytes: Some(origin.bytes),
            standing: old.as_ref().map_or(Standing::Queue, |it| it.standing),
            entry,
            article,
            seen: old.as_ref().map_or(self.now, |it| it.seen),
            dated,
            due: old.as_ref().filter(|it| it.bytes == Some(origin.bytes)).and_then(|it| it.due),
        };
        self.put_seed(&row)?;
        Ok(row)
    }

    // Whose it is.

    /// Finds out which entry each seed is and lets it be seen or not; then looks again
    /// at the copies that waited for what happened here.
    fn settle(&mut self, mut seeds: Vec<SeedRow>, is_due: bool) -> Result<()> {
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
    fn leave_all(&mut self) -> Result<Vec<EntryRow>> {
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
                let moved = self.moved(self.rows.entries_of_file(&seed.stat)?, seed, |it| {
                    it.is_file(&seed.stat)
                })?;
                // One whose file was lost sight of before has less of a claim.
                let by_claim = |it: &EntryRow| (it.status != Status::Live, by_name(it));
                moved.into_iter().min_by_key(by_claim).map(|it| it.number)
            }
            // A move: the same bytes, its path left.
            3 => match seed.bytes {
                Some(bytes) if own.as_ref().is_none_or(|it| it.bytes != bytes) => {
                    let moved = self.moved(self.rows.entries_of_bytes(&bytes)?, seed, |_| true)?;
                    moved.into_iter().min_by_key(by_name).map(|it| it.number)
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
            // A withdrawn one comes back.
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

    fn moved(
        &self,
        candidates: Vec<EntryRow>,
        seed: &SeedRow,
        is_same: impl Fn(&EntryRow) -> bool,
    ) -> Result<Vec<EntryRow>> {
        let mut moved = Vec::new();
        for entry in candidates {
            if entry.status != Status::Gone
                && entry.path != seed.path
                && !self.claimed.contains_key(&entry.number)
                && is_same(&entry)
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

    /// `since`: how it stood before, and until when.
    fn wait_as_copy(&self, mut seed: SeedRow, since: (Standing, Option<Micros>)) -> Result<()> {
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

    // What becomes of it.

    /// Whether an article may be seen now, and until or from when.
    fn standing_of(&self, article: &Article) -> (Standing, Option<Micros>) {
        let stated = &article.stated;
        let published = stated.published.map(|it| it.as_microsecond());
        let expires = stated.expires.map(|it| it.as_microsecond());
        if stated.draft {
            (Standing::Draft, None)
        } else if expires.is_some_and(|it| it <= self.now) {
            (Standing::Expired, None)
        } else if published.is_some_and(|it| it > self.now) {
            (Standing::Future, published)
        } else {
            (Standing::Published, expires)
        }
    }

    /// A seed that is an entry already: moved, revised, withdrawn or back.
    fn revise(
        &mut self,
        mut entry: EntryRow,
        mut seed: SeedRow,
        converted: Option<&Converted>,
    ) -> Result<()> {
        let old = entry.clone();
        entry.path = seed.path.clone();
        (entry.device, entry.inode, entry.birth) =
            (seed.stat.device, seed.stat.inode, seed.stat.birth);
        seed.entry = Some(entry.number);
        seed.due = None;
        if old.path != entry.path {
            self.touch.led_elsewhere(&old);
            self.touch.led_elsewhere(&entry);
        }
        if matches!(entry.status, Status::Leaving | Status::Held) {
            (entry.status, entry.since) = (Status::Live, self.now);
            self.has_returned = true;
        }
        let Some(new) = converted else {
            seed.standing = seed.without_article();
            return self.keep(entry, &old, seed);
        };
        let (standing, due) = self.standing_of(&new.article);
        (seed.standing, seed.due) = (standing, due);
        let withdrawn = match standing {
            Standing::Draft => Some(Status::Draft),
            Standing::Future => Some(Status::Future),
            Standing::Expired => Some(Status::Expired),
            _ => None,
        };
        if let Some(status) = withdrawn {
            entry.bytes = new.bytes;
            self.rows.put_standing(&seed)?;
            return self.withdraw(entry, status);
        }
        self.publish_again(entry, &old, &seed, new)?;
        if self.waiting.contains_key(&old.number) {
            seed.standing = Standing::Queue;
        }
        self.rows.put_standing(&seed)
    }

    /// The seed is empty or broken: the entry's last good version stays, at the seed's
    /// new place, until that version says that it expires.
    fn keep(&mut self, mut entry: EntryRow, old: &EntryRow, mut seed: SeedRow) -> Result<()> {
        let kept = self.rows.article(entry.article)?.filter(|_| entry.is_live());
        let Some(kept) = kept else {
            self.rows.put_entry(&entry)?;
            return self.rows.put_standing(&seed);
        };
        seed.due = kept.article.stated.expires.map(|it| it.as_microsecond());
        if seed.due.is_some_and(|it| it <= self.now) {
            seed.due = None;
            self.rows.put_standing(&seed)?;
            return self.withdraw(entry, Status::Expired);
        }
        self.place(&mut entry, &kept.article)?;
        if self.waiting.contains_key(&entry.number) {
            seed.standing = Standing::Queue;
        }
        if old.permalink != entry.permalink {
            entry.changed = self.moment;
        }
        self.rows.put_entry(&entry)?;
        self.rows.put_standing(&seed)?;
        if old.path != entry.path || old.permalink != entry.permalink {
            self.touch.scopes_of(&entry, &kept.article, self.now)?;
            self.touch.entry(&entry)?;
            self.touch.led_elsewhere(old);
            self.touch.led_elsewhere(&entry);
        }
        Ok(())
    }

    /// Brings an entry up to what its document says now.
    fn publish_again(
        &mut self,
        mut entry: EntryRow,
        old: &EntryRow,
        seed: &SeedRow,
        new: &Converted,
    ) -> Result<()> {
        let was_live = old.is_live();
        let article = &new.article;
        let before = self.rows.article(entry.article)?;
        let is_same_article = before.as_ref().is_some_and(|it| it.article == *article);
        let is_revised = !is_same_article
            && new.inputs != entry.inputs
            && !before.as_ref().is_some_and(|it| self.says_the_same(&it.article, article));
        if let Some(published) = article.stated.published.map(|it| it.as_microsecond()) {
            if published > entry.published {
                entry.announced = entry.announced.max(published);
            }
            entry.published = published;
        }
        let stated = article.stated.updated.map(|it| it.as_microsecond());
        let stated_before =
            before.as_ref().and_then(|it| it.article.stated.updated).map(|it| it.as_microsecond());
        let stated = stated.filter(|&it| Some(it) != stated_before && it <= self.now);
        if !was_live {
            entry.updated = self.now;
        } else if is_revised && !article.stated.minor {
            entry.updated = stated.unwrap_or(self.now);
        } else if new.inputs != entry.inputs
            && let Some(stated) = stated
        {
            entry.updated = entry.updated.max(stated);
        }
        entry.updated = entry.updated.max(entry.published);
        (entry.status, entry.bytes, entry.inputs) = (Status::Live, new.bytes, new.inputs);
        if !was_live {
            entry.since = self.now;
        }
        entry.title.clone_from(&article.title);
        if let Some(now) = seed.article
            && now != entry.article
        {
            self.rows.remove_article(entry.article)?;
            entry.article = now;
        }
        self.place_again(&mut entry, article, was_live)?;
        let is_changed = !was_live
            || !is_same_article
            || old.permalink != entry.permalink
            || (old.published, old.updated, old.announced)
                != (entry.published, entry.updated, entry.announced);
        if is_changed {
            entry.changed = self.moment;
        }
        self.rows.put_entry(&entry)?;
        if !is_changed {
            return Ok(());
        }
        self.report_id(&entry, article)?;
        if old.announced != entry.announced {
            self.rows.announce(entry.number, entry.announced)?;
        }
        self.touch.scopes_of(&entry, article, self.now)?;
        if let Some(before) = before {
            self.touch.files_of(&before.article);
        }
        self.touch.uses_of(&entry, article)?;
        self.touch.listed(old);
        if old.path != entry.path {
            self.touch.siblings_of(old, article)?;
        }
        self.touch.entry(&entry)?;
        if !was_live || old.permalink != entry.permalink || old.path != entry.path {
            self.touch.led_elsewhere(old);
            self.touch.led_elsewhere(&entry);
        }
        Ok(())
    }

    /// An id that is added or changed after publication is reported, not followed.
    fn report_id(&mut self, entry: &EntryRow, article: &Article) -> Result<()> {
        if let Some(id) = article.stated.id.as_deref().filter(|it| *it != entry.guid) {
            self.problem(Problem {
                path: entry.path.clone(),
                line: None,
                reason: format!(
                    "expected the id `{}` of its first publication, found `{id}`",
                    entry.guid
                ),
                consequence: "it keeps its first id".into(),
            })?;
        }
        Ok(())
    }

    /// Whether two versions state the same; references compare by the entry that they
    /// lead to.
    fn says_the_same(&self, old: &Article, new: &Article) -> bool {
        let lead = |target: &_| references::entry_of(self.rows, target).ok().flatten();
        references::says_the_same(old, new, lead)
    }

    /// A seed that is no entry yet.
    fn newcomer(&mut self, mut seed: SeedRow, converted: &Converted, is_due: bool) -> Result<()> {
        let before = (seed.standing, seed.due);
        let was_held = seed.standing == Standing::Drop;
        let (standing, due) = self.standing_of(&converted.article);
        (seed.standing, seed.due) = (standing, due);
        if standing != Standing::Published {
            return self.rows.put_standing(&seed);
        }
        if self.rows.fact("import")?.is_some() {
            seed.standing = Standing::Import;
            return self.rows.put_standing(&seed);
        }
        if !is_due && self.is_copy(&seed)? {
            return self.wait_as_copy(seed, before);
        }
        let wanted = permalink::wanted(&seed.path, &converted.article.stated);
        if self.leaving_at(&wanted)?.is_some() {
            seed.standing = Standing::Queue;
            return self.rows.put_standing(&seed);
        }
        let stated = converted.article.stated.published.map(|it| it.as_microsecond());
        let date = stated.unwrap_or(seed.stat.modified / 1000);
        self.renew_drop()?;
        if !was_held {
            self.count_newcomer(date, stated.is_none())?;
        }
        if date < self.now - DAY {
            seed.standing = Standing::Drop;
            return self.rows.put_standing(&seed);
        }
        self.publish(seed, converted, Arrival::Alone)
    }

    /// Whether a live entry has the same bytes, or the seed of an entry is the same
    /// file under another name.
    fn is_copy(&self, seed: &SeedRow) -> Result<bool> {
        let same_file = self.rows.seeds_of_file(&seed.stat)?.into_iter().any(|it| {
            seed.stat.birth.is_some()
                && it.stat.birth == seed.stat.birth
                && it.path != seed.path
                && it.entry.is_some()
        });
        let same_bytes = match seed.bytes {
            Some(bytes) => self.rows.entries_of_bytes(&bytes)?,
            None => Vec::new(),
        };
        Ok(same_file || same_bytes.iter().any(|it| it.is_live() && it.path != seed.path))
    }

    fn publish(&mut self, mut seed: SeedRow, new: &Converted, arrival: Arrival) -> Result<()> {
        let article = &new.article;
        let (guid, id) = self.mint(&seed.path, article)?;
        let stated = article.stated.published.map(|it| it.as_microsecond());
        let file_time =
            Some(seed.stat.modified / 1000).filter(|&it| it > 0).map(|it| it.min(self.now));
        let by_file = matches!(arrival, Arrival::Import | Arrival::Drop { many_undated: true, .. });
        let sighted = if by_file { file_time.unwrap_or(seed.seen) } else { seed.seen };
        let published = stated.unwrap_or(sighted).min(self.now);
        let is_old = published < self.now - self.options.backdate;
        let announced = match arrival {
            Arrival::Import => published,
            Arrival::Drop { many_old: true, .. } if is_old => published,
            _ => self.now,
        };
        let updated = article.stated.updated.map(|it| it.as_microsecond());
        let updated = updated.filter(|&it| it <= self.now).unwrap_or(published).max(published);
        let Some(number) = seed.article else { return Ok(()) };
        let mut entry = EntryRow {
            number: self.rows.last_number()? + 1,
            id,
            guid,
            path: seed.path.clone(),
            device: seed.stat.device,
            inode: seed.stat.inode,
            birth: seed.stat.birth,
            bytes: new.bytes,
            inputs: new.inputs,
            title: article.title.clone(),
            wanted: String::new(),
            permalink: String::new(),
            published,
            updated,
            announced,
            article: number,
            status: Status::Live,
            since: self.now,
            changed: self.moment,
        };
        self.rows.put_entry(&entry)?;
        self.place(&mut entry, article)?;
        self.rows.put_entry(&entry)?;
        (seed.standing, seed.entry) = (Standing::Published, Some(entry.number));
        seed.due = article.stated.expires.map(|it| it.as_microsecond());
        self.rows.put_standing(&seed)?;
        self.touch.scopes_of(&entry, article, announced)?;
        self.touch.uses_of(&entry, article)?;
        self.touch.entry(&entry)?;
        self.touch.led_elsewhere(&entry);
        Ok(())
    }

    /// The guid and id of a new entry: as stated, unless another entry has it; else
    /// minted from a name that was never used.
    fn mint(&mut self, path: &SeedPath, article: &Article) -> Result<(String, String)> {
        if let Some(stated) = &article.stated.id {
            let iri = identity::iri_of(stated);
            let other = match self.rows.entry_of_guid(stated)? {
                Some(other) => Some(other),
                None => self.rows.entry_of_id(&iri)?,
            };
            match other {
                None => return Ok((stated.clone(), iri)),
                Some(other) => self.problem(Problem {
                    path: path.clone(),
                    line: None,
                    reason: format!(
                        "expected an id of its own, found `{stated}`, which is {:?}'s",
                        other.path
                    ),
                    consequence: "it is published under another id".into(),
                })?,
            }
        }
        for number in 1.. {
            let name = identity::name(self.key, path, number);
            let id = identity::urn(&name);
            // A document may state what would have been minted here.
            if self.rows.mint(&name)?
                && self.rows.entry_of_id(&id)?.is_none()
                && self.rows.entry_of_guid(&id)?.is_none()
            {
                return Ok((id.clone(), id));
            }
        }
        Ok((String::new(), String::new()))
    }

    // Drops and the first import.

    /// A newcomer begins a drop, or keeps it open.
    fn renew_drop(&mut self) -> Result<()> {
        if self.rows.fact("drop_start")?.is_none() {
            self.rows.put_fact("drop_start", &self.now.to_string())?;
        }
        self.rows.put_fact("drop_last", &self.now.to_string())
    }

    fn count_newcomer(&mut self, date: Micros, is_undated: bool) -> Result<()> {
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

    fn drop_due(&self) -> Result<Option<Micros>> {
        let (Some(start), Some(last)) =
            (self.rows.number("drop_start")?, self.rows.number("drop_last")?)
        else {
            return Ok(None);
        };
        Ok(Some((last + QUIET).min(start + LONGEST)))
    }

    fn end_drop_if_due(&mut self) -> Result<()> {
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
    fn publish_all(&mut self, held: Vec<SeedRow>, arrival: Arrival, closes: bool) -> Result<()> {
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

    /// A comparison of the whole folder has ended.
    pub fn compared(&mut self, device: u64, inode: u64) -> Result<()> {
        if self.rows.fact("import")?.is_some() {
            let held = self.rows.seeds_standing(Standing::Import)?;
            self.rows.remove_fact("import")?;
            self.publish_all(held, Arrival::Import, true)?;
        }
        self.rows.remove_fact("lost")?;
        let root = format!("{device}:{inode}");
        let known = self.rows.fact("root")?;
        let is_known = known.is_none_or(|it| it == root);
        if is_known || !self.is_any_missing()? {
            self.rows.put_fact("root", &root)?;
            self.rows.remove_fact("foreign")?;
        } else {
            self.rows.put_fact("foreign", &root)?;
            // A long comparison may have withdrawn already what this one lacks.
            return self.judge();
        }
        if self.rows.fact("vanished")?.is_some() {
            self.judge()?;
        }
        Ok(())
    }
}
