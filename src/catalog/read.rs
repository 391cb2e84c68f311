//! The catalog as readers see it: documents of scopes, and what stands at a path.
//! Each answer comes from one snapshot and says at which revision it was read.

use jiff::Timestamp;

use crate::catalog::Health;
use crate::catalog::chosen::Feeds;
use crate::catalog::entry::{Entry, Part, Place, Selection, Tombstone};
use crate::catalog::references;
use crate::catalog::rows::{self, EntryRow, Micros, SeedRow, Standing};
use crate::catalog::scope::Scope;
use crate::catalog::store::{DatabaseFile, ReadStore, Result, Rows};
use crate::catalog::translations;
use crate::problem::Problem;
use crate::watch::seed::{SeedPath, Stat};

/// A reader's side of the catalog. It never waits for the writer.
#[derive(Debug)]
pub struct Reader {
    pub(super) store: ReadStore,
    pub(super) feeds: Feeds,
    pub(super) tombstones: Micros,
}

/// Opens readers, on any thread.
#[derive(Debug, Clone)]
pub struct Readers {
    pub(super) file: DatabaseFile,
    pub(super) feeds: Feeds,
    pub(super) tombstones: Micros,
}

impl Readers {
    /// A reader with a connection of its own.
    pub fn open(&self) -> Result<Reader> {
        let Readers { file, feeds, tombstones } = self.clone();
        Ok(Reader { store: ReadStore::open(file)?, feeds, tombstones })
    }
}

impl Reader {
    /// One document of a scope, and the revision it was read at. `None` where the
    /// scope or page never was, or has ended.
    pub fn select(&mut self, scope: &Scope, part: Part) -> Result<(Option<Selection>, u64)> {
        let Reader { store, feeds, tombstones } = self;
        store.read(|rows| Ok((select(rows, scope, part, feeds, *tombstones)?, revision(rows)?)))
    }

    /// Whether a scope has documents.
    pub fn has(&mut self, scope: &Scope) -> Result<bool> {
        let is_chosen = self.feeds.chosen(scope).is_some();
        self.store
            .read(|rows| Ok(is_chosen || rows.scope(scope)?.is_some_and(|it| it.ended.is_none())))
    }

    /// Whether a scope had documents and has none any more, since it was empty for
    /// [`EMPTY_FOR`](crate::catalog::order::EMPTY_FOR).
    pub fn has_ended(&mut self, scope: &Scope) -> Result<bool> {
        self.store.read(|rows| Ok(rows.scope(scope)?.is_some_and(|it| it.ended.is_some())))
    }

    /// What stands at a path that is no feed's, and the revision it was read at.
    pub fn at(&mut self, path: &str) -> Result<(Place, u64)> {
        self.store.read(|rows| Ok((place(rows, path)?, revision(rows)?)))
    }

    /// The file at a path, whoever uses it: for those that the configuration names.
    pub fn file(&mut self, path: &str) -> Result<Option<Place>> {
        self.store.read(|rows| file(rows, path, false))
    }

    /// Whatever stands in the folder, as last read, by path.
    pub fn known(&mut self) -> Result<Vec<(SeedPath, Stat)>> {
        self.store.read(|rows| rows.known())
    }

    pub fn status(&mut self) -> Result<Status> {
        self.store.read(status)
    }

    pub fn health(&mut self) -> Result<Health> {
        self.store.read(health)
    }
}

/// What is not as it should be, or not published, for `sower status`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    pub problems: Vec<Problem>,
    /// Seeds that are not published, by how they stand, then path.
    pub waiting: Vec<SeedRow>,
    /// How many files are no seeds.
    pub files: u64,
}

fn status(rows: &Rows<'_>) -> Result<Status> {
    let mut waiting = Vec::new();
    for standing in Standing::ALL.into_iter().filter(|it| *it != Standing::Published) {
        waiting.extend(rows.seeds_standing(standing)?);
    }
    // Broken and empty ones of a published entry are its next versions, not waiting.
    waiting.retain(|it| it.entry.is_none() || it.standing == Standing::Draft);
    Ok(Status { problems: rows.problems()?, waiting, files: rows.count_files()? })
}

pub(super) fn revision(rows: &Rows<'_>) -> Result<u64> {
    Ok(rows.number("revision")?.unwrap_or(0) as u64)
}

pub(super) fn health(rows: &Rows<'_>) -> Result<Health> {
    let mut reasons = Vec::new();
    if let Some(reason) = rows.fact("lost")? {
        reasons.push(format!("the seeds folder cannot be read: {reason}; nothing is withdrawn"));
    }
    let missing = rows.entries_of_status(rows::Status::Held)?.len();
    if missing > 0 {
        reasons.push(format!(
            "{missing} published articles are missing from the seeds folder at once; they stay \
             published until they return or `sower confirm` withdraws them"
        ));
    }
    let entries = rows.count_live()?.max(0) as u64;
    Ok(Health { entries, problems: rows.problems()?.len() as u64, reasons })
}

pub(super) fn select(
    rows: &Rows<'_>,
    scope: &Scope,
    part: Part,
    feeds: &Feeds,
    tombstones: Micros,
) -> Result<Option<Selection>> {
    let (limits, chosen) = (feeds.limits(scope), feeds.chosen(scope));
    let born = rows.number("born")?.unwrap_or(0);
    let Some(row) = rows.scope(scope)? else {
        // The site has its feeds from the first moment, and so have those of the
        // configuration; other scopes do not exist yet.
        let is_there = *scope == Scope::Site || chosen.is_some();
        return Ok((is_there && part == Part::Current).then(|| Selection {
            scope: scope.clone(),
            label: chosen.map_or(String::new(), |it| it.label.clone()),
            part,
            entries: Vec::new(),
            tombstones: Vec::new(),
            leads: Default::default(),
            older: None,
            newer: None,
            changed: timestamp(born),
        }));
    };
    if row.ended.is_some() && chosen.is_none() {
        return Ok(None);
    }
    let closed = row.page - 1;
    let (older, newer, changed) = match part {
        Part::Current => (Some(closed), None, row.changed),
        Part::Archive(page) if page >= 1 && page <= closed => {
            let changed = rows.page_changed(&row, page)?.unwrap_or(born);
            (Some(page - 1), (page < closed).then_some(page + 1), changed)
        }
        Part::Archive(_) => return Ok(None),
    };
    let mut entries = Vec::new();
    for shown in rows.shown(&row, part, &limits)? {
        entries.extend(entry(rows, shown)?);
    }
    let since = changed - tombstones;
    let most = match part {
        // As many as entries; the last article that goes says so all the same.
        Part::Current => entries.len().max(1),
        Part::Archive(_) => limits.limit as usize,
    };
    let withdrawn = rows.withdrawn(&row, part, since, most)?;
    let tombstones =
        withdrawn.into_iter().map(|(id, when)| Tombstone { id, when: timestamp(when) }).collect();
    let leads = references::leads(rows, &entries)?;
    Ok(Some(Selection {
        scope: scope.clone(),
        label: chosen.map_or(row.label, |it| it.label.clone()),
        part,
        entries,
        tombstones,
        leads,
        older: older.filter(|&it| it > 0),
        newer,
        changed: timestamp(changed.max(born)),
    }))
}

fn place(rows: &Rows<'_>, path: &str) -> Result<Place> {
    let mut moved = None;
    let mut is_gone = false;
    for number in rows.holders(path)? {
        let Some(row) = rows.entry(number)? else { continue };
        if !row.is_live() {
            is_gone = true;
        } else if row.permalink == path {
            if let Some(entry) = entry(rows, row)? {
                let leads = references::leads(rows, std::slice::from_ref(&entry))?;
                return Ok(Place::Entry(Box::new(entry), leads));
            }
        } else {
            moved.get_or_insert(row.permalink);
        }
    }
    if let Some(file) = file(rows, path, true)? {
        return Ok(file);
    }
    Ok(match moved {
        Some(permalink) => Place::Moved(permalink),
        None if is_gone => Place::Gone,
        None => Place::Nothing,
    })
}

/// The file at a path, if an entry that readers see uses it, or has it in its bundle, or
/// none need to, and nothing in its name
/// says that it is not to be served.
fn file(rows: &Rows<'_>, path: &str, must_be_used: bool) -> Result<Option<Place>> {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(&path[1..]).collect();
    let Some(path) = SeedPath::new(decoded) else { return Ok(None) };
    if path.segments().any(|it| matches!(it.first(), Some(b'.' | b'_'))) {
        return Ok(None);
    }
    let Some(file) = rows.file(&path)? else { return Ok(None) };
    if must_be_used
        && rows.users(&references::key_of_path(&path))?.is_empty()
        && !rows.is_in_bundle(&path)?
    {
        return Ok(None);
    }
    let modified = timestamp((file.stat.modified / 1000).max(0));
    Ok(Some(Place::File { path, media_type: file.media_type, length: file.stat.length, modified }))
}

fn entry(rows: &Rows<'_>, row: EntryRow) -> Result<Option<Entry>> {
    let Some(kept) = rows.article(row.article)? else { return Ok(None) };
    let translations = translations::of(rows, &row, &kept.article)?;
    Ok(Some(Entry {
        number: row.number,
        id: row.id,
        guid: row.guid,
        path: row.path,
        permalink: row.permalink,
        published: timestamp(row.published),
        updated: timestamp(row.updated),
        translations,
        article: kept.article,
    }))
}

pub(super) fn timestamp(micros: Micros) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}
