//! What a batch makes stale: documents of scopes, pages, and whatever refers to what
//! changed. Keeps the scopes' members in step with their entries on the way.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::catalog::Touched;
use crate::catalog::bundles;
use crate::catalog::chosen::Feeds;
use crate::catalog::entry::Part;
use crate::catalog::order::{Member, State};
use crate::catalog::permalink;
use crate::catalog::references;
use crate::catalog::rows::{EntryRow, Micros};
use crate::catalog::scope::Scope;
use crate::catalog::store::{Result, Rows};
use crate::catalog::translations;
use crate::convert::article::Article;
use crate::watch::seed::SeedPath;

/// Collects what became stale.
pub(super) struct Toucher<'d, 'c> {
    rows: &'d Rows<'c>,
    feeds: &'d Feeds,
    now: Micros,
    /// What changes are known by.
    moment: Micros,
    touched: Touched,
    /// Keys of what leads elsewhere now.
    targets: BTreeSet<Vec<u8>>,
    /// Entries to which references lead elsewhere now.
    led: BTreeSet<i64>,
    joined: BTreeSet<Scope>,
    /// Entries that are the same article in other languages.
    siblings: HashSet<i64>,
    /// Folders of bundles whose files are served now, or no more.
    bundles: BTreeSet<SeedPath>,
    /// Scopes whose subscription document changed.
    stamped: BTreeSet<Scope>,
    /// The rows of scopes that were joined.
    scopes: HashMap<Scope, i64>,
    /// Since when what is announced is sure to be in a scope's subscription document,
    /// by the scope's row.
    recent: HashMap<i64, Micros>,
}

impl<'d, 'c> Toucher<'d, 'c> {
    pub fn new(rows: &'d Rows<'c>, feeds: &'d Feeds, (now, moment): (Micros, Micros)) -> Self {
        Toucher {
            rows,
            feeds,
            now,
            moment,
            touched: Touched::default(),
            targets: BTreeSet::new(),
            led: BTreeSet::new(),
            joined: BTreeSet::new(),
            siblings: HashSet::new(),
            bundles: BTreeSet::new(),
            stamped: BTreeSet::new(),
            scopes: HashMap::new(),
            recent: HashMap::new(),
        }
    }

    /// Closes the pages that the scopes which were joined in this batch are filling.
    pub fn close_pages(&mut self) -> Result<()> {
        for scope in self.joined.clone() {
            if let Some(page) = self.rows.close_page(&scope)? {
                self.closed(&scope, page);
            }
        }
        Ok(())
    }

    /// An archive page of a scope is there now: the one before it leads to it, and the
    /// subscription document begins after it.
    fn closed(&mut self, scope: &Scope, page: u32) {
        self.touched.documents.insert((scope.clone(), Part::Archive(page)));
        if page > 1 {
            self.touched.documents.insert((scope.clone(), Part::Archive(page - 1)));
        }
        self.current(scope);
    }

    /// Whoever refers to this key is stale.
    pub fn target_changed(&mut self, key: &[u8]) {
        self.targets.insert(key.to_vec());
        if let Some(path) = key.strip_prefix(b"p:").and_then(SeedPath::new) {
            self.page(permalink::of_file(&path));
        }
    }

    /// A seed appeared or went at this path.
    pub fn seed_changed(&mut self, path: &SeedPath) {
        self.targets.insert(references::key_of_path(path));
        self.targets.insert(references::key_of_name(&references::stem_of(path)));
    }

    /// References to this entry lead elsewhere now.
    pub fn led_elsewhere(&mut self, entry: &EntryRow) {
        self.bundles.extend(bundles::folder_of(&entry.path).filter(|_| entry.is_bundle));
        self.seed_changed(&entry.path);
        self.led.insert(entry.number);
    }

    pub fn page(&mut self, path: String) {
        self.touched.pages.insert(path);
    }

    /// Lists show the entry at its date of publication, or showed it there.
    pub fn listed(&mut self, entry: &EntryRow) {
        self.touched.listed.insert((entry.number, entry.published));
    }

    /// The entry's page, its old paths, and each document that holds it.
    pub fn entry(&mut self, entry: &EntryRow) -> Result<()> {
        self.touched.pages.insert(entry.permalink.clone());
        self.listed(entry);
        self.touched.pages.extend(self.rows.places_of(entry.number)?);
        for member in self.rows.members_of(entry.number)? {
            if member.state == State::Left {
                continue;
            }
            self.member(&member)?;
        }
        Ok(())
    }

    /// The documents that hold a member now.
    fn member(&mut self, member: &Member) -> Result<()> {
        let is_archived = member.page < member.open_page;
        if is_archived {
            self.touched.documents.insert((member.scope.clone(), Part::Archive(member.page)));
        }
        let recent = match self.recent.get(&member.scope_row) {
            Some(&recent) => recent,
            None => {
                let recent =
                    self.rows.recent_since(member.scope_row, &self.feeds.limits(&member.scope))?;
                self.recent.insert(member.scope_row, recent);
                recent
            }
        };
        // Withdrawn ones stand as tombstones in the subscription document.
        if !is_archived || member.state != State::Live || member.announced >= recent {
            self.current(&member.scope);
        }
        Ok(())
    }

    /// The subscription document of a scope.
    fn current(&mut self, scope: &Scope) {
        if self.stamped.insert(scope.clone()) {
            self.touched.documents.insert((scope.clone(), Part::Current));
        }
    }

    /// Brings the entry's scopes in step with what it says now; those that it joins
    /// take it for announced at `announced`.
    pub fn scopes_of(
        &mut self,
        entry: &EntryRow,
        article: &Article,
        announced: Micros,
    ) -> Result<()> {
        let wanted = self.feeds.of(&entry.permalink, article);
        let members = self.rows.members_of(entry.number)?;
        for member in &members {
            let is_wanted = wanted.iter().any(|(scope, _)| *scope == member.scope);
            // One that is withdrawn there comes back elsewhere: it needs no tombstone.
            if !is_wanted && member.state != State::Left {
                self.member(member)?;
                self.current(&member.scope);
                self.rows.part(member, State::Left, (self.now, self.moment))?;
            }
        }
        for (scope, label) in wanted {
            let is_in = members.iter().any(|it| it.scope == scope && it.state == State::Live);
            if !is_in {
                let joiner = (entry.number, members.is_empty());
                let row = match self.scopes.get(&scope) {
                    Some(&row) => row,
                    None => {
                        let row = self.rows.scope_made(&scope, &label)?;
                        if row.ended.is_some() {
                            // Its documents return with the first entry.
                            self.ended(scope.clone(), row.page - 1);
                        }
                        self.scopes.insert(scope.clone(), row.scope);
                        row.scope
                    }
                };
                let limits = self.feeds.limits(&scope);
                if let Some(page) = self.rows.join(row, joiner, announced, &limits)? {
                    self.closed(&scope, page);
                }
                // Newcomers stand in it, and the tombstone of what is back no longer.
                self.current(&scope);
                self.joined.insert(scope);
            }
        }
        Ok(())
    }

    /// A scope's documents are gone, with so many archive pages.
    pub fn ended(&mut self, scope: Scope, pages: u32) {
        for page in 1..=pages {
            self.touched.documents.insert((scope.clone(), Part::Archive(page)));
        }
        self.touched.documents.insert((scope, Part::Current));
    }

    /// Records what the entry refers to; files that it uses are served from now on.
    pub fn uses_of(&mut self, entry: &EntryRow, article: &Article) -> Result<()> {
        let mut keys = references::keys(article);
        keys.extend(translations::key(article));
        self.rows.put_uses(entry.number, &keys)?;
        self.siblings_of(entry, article)?;
        self.files_of(article);
        Ok(())
    }

    /// Files that an article uses, or used, may be served from now on, or no more.
    pub fn files_of(&mut self, article: &Article) {
        for path in references::paths(article) {
            self.page(permalink::of_file(path));
        }
    }

    /// The same article in other languages links to this one.
    pub fn siblings_of(&mut self, entry: &EntryRow, article: &Article) -> Result<()> {
        self.siblings.extend(translations::siblings(self.rows, entry, article)?);
        Ok(())
    }

    /// Takes a withdrawn entry out of what its scopes show.
    pub fn withdrawn(&mut self, entry: &EntryRow) -> Result<()> {
        for member in self.rows.members_of(entry.number)? {
            if member.state == State::Live {
                self.rows.part(&member, State::Withdrawn, (self.now, self.moment))?;
            }
        }
        if let Some(kept) = self.rows.article(entry.article)? {
            self.files_of(&kept.article);
            self.siblings_of(entry, &kept.article)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<Touched> {
        let mut users = std::mem::take(&mut self.siblings);
        if self.rows.has_uses()? {
            for entry in std::mem::take(&mut self.led) {
                let places = self.rows.places_of(entry)?;
                self.targets.extend(places.iter().map(|it| references::key_of_permalink(it)));
            }
            for target in std::mem::take(&mut self.targets) {
                users.extend(self.rows.users(&target)?);
            }
        }
        for number in users {
            if let Some(entry) = self.rows.entry(number)? {
                // Readers see it otherwise now, whatever its author did.
                self.rows.put_changed(number, self.moment)?;
                self.entry(&entry)?;
            }
        }
        for folder in std::mem::take(&mut self.bundles) {
            for file in self.rows.files_below(&folder)? {
                self.page(permalink::of_file(&file));
            }
        }
        for scope in &self.stamped {
            self.rows.stamp(scope, self.moment)?;
        }
        Ok(self.touched)
    }
}
