//! What becomes of what was sighted: which entry a seed is, whether readers see
//! it, since when, and where. DESIGN's rules of identity, dates and withdrawal live
//! here and nowhere else.
//!
//! Sightings, rows and `now` in; changed rows and what became stale out. No clock, no
//! file, no SQL: rows come and go through [`Rows`], inside one transaction, and
//! only those that a batch can touch are asked for.
//!
//! | part | decides |
//! |---|---|
//! | `whose` | which entry a seed is, and which entries have left |
//! | `publish` | what becomes of an entry's seed: published, revised, kept |
//! | `place` | the permalink |
//! | `drops` | what comes together: drops, the first import |
//! | `withdraw` | what is gone, or only vanished |
//! | `choose` | what a changed configuration chooses |

mod choose;
mod drops;
mod place;
mod publish;
mod whose;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::catalog::decide::drops::Arrival;
use crate::catalog::references;
use crate::catalog::rows::{Converted, Micros, Origin, SECOND, SeedRow, Standing};
use crate::catalog::store::{Result, Rows};
use crate::catalog::touched::Toucher;
use crate::catalog::{Options, Sighting, Touched};
use crate::convert::article::{Article, Cut};
use crate::problem::Problem;
use crate::watch::seed::{SeedPath, Stat};

/// Newcomers less than this apart are one drop; a removal waits so long.
const QUIET: Micros = 2 * SECOND;
/// A drop, or the wait for further removals, lasts no longer.
const LONGEST: Micros = 60 * SECOND;

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
                    self.lose_sight_of(&path)?;
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

    /// Something stands there, but which file it is now nobody knows: what was seen there
    /// proves nothing any more.
    fn lose_sight_of(&self, path: &SeedPath) -> Result<()> {
        if let Some(mut seed) = self.rows.seed(path)? {
            seed.stat = Stat::UNKNOWN;
            self.put_seed(&seed)?;
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
