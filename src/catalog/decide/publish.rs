//! What becomes of a seed that is an entry, or is to be one: published, revised, kept at
//! its last good version. Pure, as the rest of the decider.

use crate::catalog::decide::drops::Arrival;
use crate::catalog::decide::{Decider, QUIET};
use crate::catalog::identity;
use crate::catalog::permalink;
use crate::catalog::references;
use crate::catalog::rows::{Converted, EntryRow, Micros, SECOND, SeedRow, Standing, Status};
use crate::catalog::store::Result;
use crate::convert::article::Article;
use crate::problem::Problem;
use crate::watch::seed::SeedPath;

/// A newcomer older than this waits for the end of its drop.
const DAY: Micros = 24 * 3600 * SECOND;

impl Decider<'_, '_> {
    /// Whether an article may be seen now, and until or from when. `shown`: the date
    /// under which readers see it already, if they do; a clock that is set back behind it
    /// withdraws nothing.
    fn standing_of(&self, article: &Article, shown: Option<Micros>) -> (Standing, Option<Micros>) {
        let stated = &article.stated;
        let published = stated.published.map(|it| it.as_microsecond());
        let expires = stated.expires.map(|it| it.as_microsecond());
        if stated.draft {
            (Standing::Draft, None)
        } else if expires.is_some_and(|it| it <= self.now) {
            (Standing::Expired, None)
        } else if published.is_some_and(|it| it > self.now && Some(it) != shown) {
            (Standing::Future, published)
        } else {
            (Standing::Published, expires)
        }
    }

    /// A seed that is an entry already: moved, revised, withdrawn or back.
    pub(super) fn revise(
        &mut self,
        mut entry: EntryRow,
        mut seed: SeedRow,
        converted: Option<&Converted>,
    ) -> Result<()> {
        let old = entry.clone();
        entry.path = seed.path.clone();
        (entry.device, entry.inode, entry.birth) =
            (seed.stat.device, seed.stat.inode, seed.stat.birth);
        entry.judged = false;
        seed.entry = Some(entry.number);
        seed.due = None;
        if old.path != entry.path {
            self.touch.led_elsewhere(&old);
            self.touch.led_elsewhere(&entry);
            // What waits at its old path waits as nobody's.
            if let Some(mut here) = self.rows.seed(&old.path)?
                && here.entry == Some(entry.number)
            {
                here.entry = None;
                self.rows.put_standing(&here)?;
            }
        }
        if matches!(entry.status, Status::Leaving | Status::Held) {
            (entry.status, entry.since) = (Status::Live, self.now);
            self.has_returned = true;
        }
        let Some(new) = converted else {
            seed.standing = seed.without_article();
            return self.keep(entry, &old, seed);
        };
        let shown = entry.is_live().then_some(entry.published);
        let (standing, due) = self.standing_of(&new.article, shown);
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
            entry.updated = self.back_since(old);
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

    /// What `updated` says of a withdrawn entry that comes back: readers undelete only
    /// what is newer than its tombstone (RFC 6721), also where the clock was
    /// set back.
    pub(super) fn back_since(&self, withdrawn: &EntryRow) -> Micros {
        self.now.max(withdrawn.since + 1)
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
    pub(super) fn newcomer(
        &mut self,
        mut seed: SeedRow,
        converted: &Converted,
        is_due: bool,
    ) -> Result<()> {
        let before = (seed.standing, seed.due);
        let was_held = seed.standing == Standing::Drop;
        let (standing, due) = self.standing_of(&converted.article, None);
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

    pub(super) fn publish(
        &mut self,
        mut seed: SeedRow,
        new: &Converted,
        arrival: Arrival,
    ) -> Result<()> {
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
            judged: false,
            is_bundle: self.rows.is_alone_in_folder(&seed.path)?,
        };
        // In a first import the whole folder is known before anything is published.
        if arrival != Arrival::Import {
            self.share_folder(&seed.path)?;
        }
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

    /// A newcomer in a folder that a moment ago held an index alone: it is no bundle.
    fn share_folder(&mut self, newcomer: &SeedPath) -> Result<()> {
        let Some(folder) = newcomer.folder() else { return Ok(()) };
        if let Some(mut index) = self.rows.bundle_at(&folder)?
            && index.since >= self.now - QUIET
            && index.path != *newcomer
            && !self.rows.is_alone_in_folder(&index.path)?
        {
            self.touch.led_elsewhere(&index);
            index.is_bundle = false;
            self.rows.put_entry(&index)?;
        }
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
}
