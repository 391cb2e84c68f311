//! A comparison: the whole folder listed, against what is known of it.
//!
//! In: the open root. Out: paths to look at, which the watching thread takes batch
//! by batch; the comparison ends when all of them were looked at.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::watch::News;
use crate::watch::compare;
use crate::watch::looking::Looking;
use crate::watch::looking::Why;
use crate::watch::read::Refused;
use crate::watch::read::Root;
use crate::watch::seed::SeedPath;
use crate::watch::seed::Stat;
use crate::watch::surroundings;
use crate::watch::walk;
use crate::watch::watching::Stopped;
use crate::watch::watching::Watching;

/// How long after all else the end of a comparison waits for files that are being
/// written.
const YOUNG_LIMIT: Duration = Duration::from_secs(2);

/// How soon what failed is tried again.
const RETRY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Comparison {
    /// With what the catalog knows, not only with what was said so far.
    pub is_full: bool,
    pub identity: (u64, u64),
    /// When it ends whatever is being written.
    pub ends: Option<Duration>,
}

impl Watching {
    /// Lists the whole folder, and finds what is to be looked at.
    pub(super) fn compare(&mut self, is_full: bool) -> Result<(), Stopped> {
        let began = self.start.elapsed();
        let Some(root) = self.open_root()? else { return Ok(()) };
        if is_full {
            self.next_compare = began.saturating_add(self.looking.options.compare_every);
            let notice = self.telling.start();
            self.notice(notice)?;
            // What was said to be unreadable is said again.
            self.looking.problems.values_mut().for_each(String::clear);
        }
        let Some(listing) = self.list(&root, None)? else { return Ok(()) };
        self.lost = None;
        self.folders = listing.folders;
        let notice = self.telling.walked(listing.folders, true);
        self.notice(notice)?;
        let known = if is_full { self.ask_known()? } else { Some(Vec::new()) };
        let Some(known) = known else { return Ok(()) };
        for (path, stat) in &known {
            self.looking.present.entry(path.clone()).or_insert(*stat);
        }
        self.has_known = true;
        self.sift(&listing, None, is_full.then_some(known));
        let took = self.start.elapsed() - began;
        // Listing the folder takes a tenth of the time at most.
        let poll = self.telling.poll.unwrap_or_default().max(took * 10);
        self.next_poll = self.start.elapsed().saturating_add(poll);
        self.comparison = Some(Comparison { is_full, identity: root.identity, ends: None });
        Ok(())
    }

    /// What is known, or nothing where it cannot be had now.
    fn ask_known(&mut self) -> Result<Option<Vec<(SeedPath, Stat)>>, Stopped> {
        match self.known.known() {
            Ok(known) => {
                self.is_known_failing = false;
                Ok(Some(known))
            }
            Err(reason) => {
                self.next_compare = self.next_compare.min(self.start.elapsed() + RETRY);
                if !std::mem::replace(&mut self.is_known_failing, true) {
                    self.send(News::Notice(format!(
                        "expected to learn what is known of the folder, found {reason}; it is \
                         compared again in {} s",
                        RETRY.as_secs()
                    )))?;
                }
                Ok(None)
            }
        }
    }

    /// Lists `folder` and what is below it; watches all of it first. Nothing where
    /// it cannot be listed.
    pub(super) fn list(
        &mut self,
        root: &Root,
        folder: Option<&SeedPath>,
    ) -> Result<Option<compare::Listing>, Stopped> {
        let Looking { ignore, settle, .. } = &mut self.looking;
        let (telling, inbox) = (&mut self.telling, &self.inbox);
        let watch = |folder: Option<&SeedPath>| {
            telling.watch(folder);
            !inbox.is_stopping()
        };
        let walked = walk::walk(root, folder, ignore, |it| settle.is_open(it), watch);
        if self.inbox.is_stopping() {
            return Err(Stopped);
        }
        let walked = match (walked, folder) {
            (Ok(walked), _) => walked,
            (Err(refused), None) => {
                self.lose(refused)?;
                return Ok(None);
            }
            (Err(Refused::Unreadable(reason)), Some(folder)) => {
                self.looking.refuse(folder, reason, Why::Listed, &mut self.batch);
                return Ok(None);
            }
            // Whoever removed it has told so.
            (Err(Refused::NotFound | Refused::Busy), Some(_)) => return Ok(None),
        };
        let notices: BTreeSet<String> = walked.notices.into_iter().collect();
        for notice in notices.difference(&self.notices) {
            self.send(News::Notice(notice.clone()))?;
        }
        match folder {
            Some(_) => self.notices.extend(notices),
            None => self.notices = notices,
        }
        if let Some(folder) = folder {
            // It is no file, and no problem any more.
            self.looking.drop_one(folder, &mut self.batch);
        }
        let mut listing = walked.listing;
        listing.take_surroundings(self.looking.options.is_seed);
        let healed = surroundings::below(&self.looking.problems, folder)
            .map(|it| it.0)
            .filter(|it| !walked.problems.contains_key(it));
        let healed: Vec<_> = healed.cloned().map(|it| (it, Why::Listed)).collect();
        self.looking.next.extend(healed);
        for (path, reason) in walked.problems {
            self.looking.refuse(&path, reason, Why::Listed, &mut self.batch);
        }
        Ok(Some(listing))
    }

    /// Finds what differs below `folder` between a listing and what was said, and
    /// what the catalog knows.
    pub(super) fn sift(
        &mut self,
        listing: &compare::Listing,
        folder: Option<&SeedPath>,
        known: Option<Vec<(SeedPath, Stat)>>,
    ) {
        let said = surroundings::below(&self.looking.present, folder);
        let said =
            compare::compare(listing, said.map(|(path, stat)| (path.clone(), *stat)).collect());
        let changed = match known {
            // What was said may not have been taken in: what the catalog knows
            // counts.
            Some(known) => compare::compare(listing, known).changed,
            None => said.changed,
        };
        let changed = changed.into_iter().map(|(path, _)| path);
        let all = changed.chain(said.missing);
        self.looking.next.extend(all.map(|it| (it, Why::Listed)));
    }

    /// Says that the comparison is over, when it is.
    pub(super) fn end_comparison(&mut self) -> Result<(), Stopped> {
        let Looking { next, folders, young, .. } = &self.looking;
        let Some(comparison) = &mut self.comparison else { return Ok(()) };
        if !next.is_empty() || !folders.is_empty() {
            return Ok(());
        }
        let now = self.start.elapsed();
        let ends = *comparison.ends.get_or_insert(now + YOUNG_LIMIT);
        if !young.is_empty() && now < ends {
            return Ok(());
        }
        self.looking.young.clear();
        let Some(Comparison { is_full: true, identity: (device, inode), .. }) =
            self.comparison.take()
        else {
            return Ok(());
        };
        self.send(News::Compared { device, inode })
    }
}
