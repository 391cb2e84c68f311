//! The line: what happens to a change between the folder and a reader.
//!
//! [`take`] brings changes into the catalog, [`show`] brings what became stale onto
//! the shelf, [`make`] makes one rendition. An event, the first import, the repair
//! after lost events and a request for an old page all come through here; there is
//! no second way from a seed to a reader.
//!
//! A failure between [`take`] and [`show`] leaves a shelf that is behind the
//! catalog: the stale keys are kept by whoever calls, and the next [`show`] makes
//! them.

use std::collections::{BTreeMap, BTreeSet};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use jiff::tz::Offset;

use crate::catalog::entry::{Calendar, Delta, Entry, Part, Period, Place};
use crate::catalog::rows::Origin;
use crate::catalog::scope::{Kind, Scope};
use crate::catalog::store::Result;
use crate::catalog::{Catalog, Reader, Sighting, Touched};
use crate::convert;
use crate::convert::article::Article;
use crate::cores;
use crate::feed;
use crate::feed::page::{Feed, Site};
use crate::problem::Problem;
use crate::render;
use crate::render::rendition::{Format, Key, Made, Payload, Rendition};
use crate::render::theme::{Subject, Theme};
use crate::shelf::Shelf;
use crate::watch::seed::{Change, Seed, SeedPath};

/// What the site says of itself, and how its pages look, which may change any time.
#[derive(Debug)]
pub struct Look {
    pub site: Site,
    pub theme: ArcSwap<Theme>,
}

impl Look {
    pub fn new(site: Site, theme: Theme) -> Look {
        Look { site, theme: ArcSwap::from_pointee(theme) }
    }

    /// `page` in the look of now. After the catalog was read, never before: a look that
    /// changes meanwhile is told by a revision, and the page is made again.
    fn dress(&self, page: Rendition, subject: Subject<'_>) -> Made {
        Made::Rendition(self.theme.load().dress(page, subject))
    }
}

/// Takes a batch of changes into the catalog: all of it or, if the store fails,
/// none.
pub fn take(
    catalog: &mut Catalog,
    changes: &[Change],
    options: &convert::Options,
    now: Timestamp,
) -> Result<Touched> {
    catalog.apply(sight(changes, options), now)
}

/// The part of [`take`] that needs no catalog: each seed of a batch is converted. A long
/// import does it for one batch while the one before is written.
///
/// A seed that cannot be converted holds nobody up: its problem goes into the
/// catalog with it, and its last good version stays published.
pub fn sight(changes: &[Change], options: &convert::Options) -> Vec<Sighting> {
    // Conversion is pure.
    cores::share(changes.iter().collect(), |it| sighting(it, options))
}

fn sighting(change: &Change, options: &convert::Options) -> Sighting {
    match change {
        Change::Gone(path) => Sighting::Nothing(path.clone()),
        Change::File(file) => Sighting::File(file.clone()),
        Change::Unreadable { path, reason } => {
            Sighting::Unreadable { path: path.clone(), reason: reason.clone() }
        }
        Change::Written(seed) => {
            let origin = origin(seed);
            match std::panic::catch_unwind(|| convert::convert(seed, options)) {
                Ok(Ok(article)) => Sighting::Article(origin, Box::new(article)),
                Ok(Err(convert::Error::Empty)) => Sighting::Empty(origin),
                Ok(Err(error)) => Sighting::Broken(origin, error.at(seed)),
                // A fault of ours in one seed must not take the others down.
                Err(_) => Sighting::Broken(origin, faulty(seed)),
            }
        }
    }
}

fn faulty(seed: &Seed) -> Problem {
    Problem {
        path: seed.path.clone(),
        line: None,
        reason:
            "expected a text that Sower can convert, found one that it fails on; please report it"
                .into(),
        consequence: String::new(),
    }
}

/// What the author wrote and where; the configuration is not the author's, so that a
/// pattern or time zone that changes there revises nothing.
fn origin(seed: &Seed) -> Origin {
    let bytes = blake3::hash(&seed.bytes);
    let mut inputs = blake3::Hasher::new();
    inputs.update(bytes.as_bytes());
    if let Some(sidecar) = &seed.surroundings.sidecar {
        inputs.update(blake3::hash(sidecar).as_bytes());
    }
    // By their bytes alone: a folder that is renamed changes nothing.
    for (_, defaults) in &seed.surroundings.folders {
        inputs.update(blake3::hash(defaults).as_bytes());
    }
    Origin {
        path: seed.path.clone(),
        stat: seed.stat,
        bytes: *bytes.as_bytes(),
        inputs: *inputs.finalize().as_bytes(),
    }
}

/// A hash of what the configuration says of conversion.
pub fn options_digest(options: &convert::Options) -> [u8; 32] {
    *blake3::hash(format!("{options:?}").as_bytes()).as_bytes()
}

/// The keys that a batch made stale.
pub fn stale(touched: &Touched) -> BTreeSet<Key> {
    let mut keys: BTreeSet<Key> = touched.pages.iter().cloned().map(Key::Page).collect();
    for (scope, part) in &touched.documents {
        for format in Format::ALL {
            keys.insert(Key::Feed { scope: scope.clone(), part: *part, format });
            keys.insert(Key::Visit { scope: scope.clone(), part: *part, format });
        }
        match part {
            Part::Current => {
                keys.insert(Key::Index(scope.clone()));
                keys.extend(Kind::of(scope).map(Key::Names));
                keys.insert(Key::Opml);
            }
            Part::Archive(number) => {
                keys.insert(Key::Older(scope.clone(), *number));
            }
        }
    }
    for (number, published) in &touched.listed {
        keys.insert(Key::Sitemap(None));
        keys.insert(Key::Sitemap(Some(sitemap_part(*number))));
        let date = Timestamp::from_microsecond(*published).unwrap_or_default();
        let date = Offset::UTC.to_datetime(date).date();
        let mut period = Some(Period::Day(date.year(), date.month(), date.day()));
        while let Some(time) = period {
            keys.insert(Key::Period(time));
            period = time.around();
        }
    }
    keys
}

/// So many addresses a sitemap may list (sitemaps.org), that of the site among them.
const SITEMAP: i64 = 49_999;
/// So many entries a part lists where there are more: a part is soon made.
const SITEMAP_PART: i64 = 10_000;

fn sitemap_part(number: i64) -> u32 {
    u32::try_from((number - 1) / SITEMAP_PART + 1).unwrap_or(u32::MAX)
}

/// Whether a key is made before anybody asks. Lists of everything are not: they
/// change with each article, and are rarely read.
fn is_shown(key: &Key) -> bool {
    matches!(key, Key::Feed { .. } | Key::Index(_) | Key::Older(..) | Key::Page(_))
}

/// Whether a theme decides what stands at a key.
pub fn has_look(key: &Key) -> bool {
    match key {
        Key::Visit { .. } | Key::Index(_) | Key::Older(..) | Key::Names(_) => true,
        // Some are files, which is no harm.
        Key::Period(_) | Key::Page(_) => true,
        Key::Feed { .. } | Key::Delta { .. } => false,
        Key::Opml | Key::Sitemap(_) | Key::Robots => false,
    }
}

/// Makes anew what is stale and wanted on the shelf; what is not is made when a
/// reader asks. What could not be made stays stale.
pub fn show(
    reader: &mut Reader,
    look: &Look,
    shelf: &Shelf,
    stale: &mut BTreeSet<Key>,
) -> Result<()> {
    stale.retain(|key| is_shown(key) && shelf.wants(key));
    // The formats of a document and its page for people are one reading of the catalog.
    let mut documents: BTreeMap<(&Scope, Part), Vec<&Key>> = BTreeMap::new();
    let mut fresh: BTreeMap<u64, Vec<(Key, Made)>> = BTreeMap::new();
    for key in stale.iter() {
        match document(key) {
            Some(document) => documents.entry(document).or_default().push(key),
            None => {
                let (made, revision) = make(reader, look, key)?;
                fresh.entry(revision).or_default().push((key.clone(), made));
            }
        }
    }
    for ((scope, part), keys) in documents {
        let (selection, revision) = reader.select(scope, part)?;
        let mut feed = selection.map(|it| feed::build(&look.site, it));
        if keys.iter().any(|it| matches!(it, Key::Index(_))) {
            sections(reader, &look.site, scope, feed.as_mut())?;
        }
        let none = nothing(reader, scope, feed.is_none())?;
        let made =
            keys.into_iter().map(|it| (it.clone(), rendered(look, feed.as_ref(), it, &none)));
        fresh.entry(revision).or_default().extend(made);
    }
    stale.clear();
    for (revision, made) in fresh {
        stale.extend(shelf.put_all(made, revision));
    }
    Ok(())
}

/// The document of a scope that a key shows, if it shows one.
fn document(key: &Key) -> Option<(&Scope, Part)> {
    match key {
        Key::Feed { scope, part, .. } => Some((scope, *part)),
        Key::Index(scope) => Some((scope, Part::Current)),
        Key::Visit { scope, part, .. } => Some((scope, *part)),
        Key::Older(scope, number) => Some((scope, Part::Archive(*number))),
        _ => None,
    }
}

/// What stands for the documents of a scope that has none: 410 where it had some.
fn nothing(reader: &mut Reader, scope: &Scope, is_asked: bool) -> Result<Made> {
    Ok(match is_asked && reader.has_ended(scope)? {
        true => Made::Gone,
        false => Made::Missing,
    })
}

/// A document in the format of a key, or `none`.
fn rendered(look: &Look, feed: Option<&Feed>, key: &Key, none: &Made) -> Made {
    match (feed, key) {
        (None, _) => none.clone(),
        (Some(feed), Key::Feed { format, .. }) => Made::Rendition(render::feed(feed, *format)),
        (Some(feed), Key::Visit { format, .. }) => {
            look.dress(render::visit(feed, *format), Subject::Visit(feed, *format))
        }
        (Some(feed), _) => look.dress(render::index(feed), Subject::Scope(feed)),
    }
}

/// Makes what stands at `key` now: a rendition, a redirect, a 410 or nothing; with
/// the revision that it was read at, since the shelf refuses what is older than the
/// last change of its key.
pub fn make(reader: &mut Reader, look: &Look, key: &Key) -> Result<(Made, u64)> {
    let site = &look.site;
    if let Some((scope, part)) = document(key) {
        let (selection, revision) = reader.select(scope, part)?;
        let mut feed = selection.map(|it| feed::build(site, it));
        if matches!(key, Key::Index(_)) {
            sections(reader, site, scope, feed.as_mut())?;
        }
        let mut none = nothing(reader, scope, feed.is_none())?;
        // A bundle's article stands for its folder.
        if let (Made::Missing, Key::Index(Scope::Folder(folder))) = (&none, key)
            && let Place::Entry(entry, _) = reader.at(&format!("/{folder}"))?.0
        {
            none = Made::Moved(entry.permalink);
        }
        return Ok((rendered(look, feed.as_ref(), key, &none), revision));
    }
    if let Key::Delta { scope, format, since } = key {
        return delta(reader, site, (scope, *format), *since);
    }
    if let Some(list) = list(reader, look, key)? {
        return Ok(list);
    }
    let (place, revision) = reader.at(&key.path())?;
    let made = match place {
        Place::Entry(entry, leads) => {
            let feed = feed::single(site, *entry, &leads);
            look.dress(render::page(&feed), Subject::Article(&feed))
        }
        file @ Place::File { .. } => file_at(file),
        Place::Moved(to) => Made::Moved(to),
        Place::Gone => Made::Gone,
        Place::Nothing => beside(reader, site, &key.path())?,
    };
    Ok((made, revision))
}

/// Makes a page of each kind, so that what is wrong with a theme's templates is known
/// before anybody asks.
pub fn try_on(site: &Site, theme: &Theme) {
    let sample = Entry {
        number: 1,
        id: "urn:uuid:00000000-0000-0000-0000-000000000001".into(),
        guid: String::new(),
        path: SeedPath::new("sample.txt").expect("a name"),
        permalink: "/sample".into(),
        published: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        article: Article {
            title: "Sample".into(),
            summary: "A sample.".into(),
            tags: vec!["sample".into()],
            words: 2,
            ..Article::default()
        },
        translations: Vec::new(),
    };
    let feed = feed::single(site, sample, &Default::default());
    let directory = feed::lists::directory(site, Vec::new(), Timestamp::UNIX_EPOCH);
    let listed = Calendar { period: Period::All, headlines: Vec::new(), parts: Vec::new() };
    let calendar = feed::lists::calendar(site, listed, Timestamp::UNIX_EPOCH);
    theme.dress(render::index(&feed), Subject::Scope(&feed));
    theme.dress(render::page(&feed), Subject::Article(&feed));
    theme.dress(render::visit(&feed, Format::Atom), Subject::Visit(&feed, Format::Atom));
    theme.dress(render::names(&directory, Kind::Tags), Subject::Names(&directory, Kind::Tags));
    theme.dress(render::calendar(&calendar), Subject::Calendar(&calendar));
}

/// What changed in a document since its version of a moment; [`Made::Missing`] where
/// that cannot be told.
fn delta(
    reader: &mut Reader,
    site: &Site,
    (scope, format): (&Scope, Format),
    since: i64,
) -> Result<(Made, u64)> {
    let (delta, revision) = reader.delta(scope, since)?;
    // Other words of the site are in every entry's bytes; only Atom names what was
    // withdrawn.
    let is_told = |it: &Delta| {
        since >= site.since.as_microsecond() && (format == Format::Atom || it.withdrawn.is_empty())
    };
    let made = delta.filter(is_told).map_or(Made::Missing, |it| {
        let (whole, changed) = feed::delta(site, it);
        Made::Rendition(render::delta(&whole, &changed, format))
    });
    Ok((made, revision))
}

/// What stands at a path that no entry has or had.
fn beside(reader: &mut Reader, site: &Site, path: &str) -> Result<Made> {
    let url = format!("{}{path}", site.base_url);
    let is_favicon = matches!(path, "/favicon.ico" | "/favicon.svg");
    let is_named = [&site.icon, &site.logo, &site.image].into_iter().flatten().any(|it| *it == url);
    if (is_favicon || is_named)
        && let Some(file) = reader.file(path)?
    {
        return Ok(file_at(file));
    }
    if is_favicon {
        return Ok(Made::Rendition(render::favicon(path == "/favicon.svg")));
    }
    // The page of a folder, without its last slash.
    Ok(match Scope::at(path).filter(|_| !path.ends_with('/')) {
        Some(scope) if reader.has(&scope)? => Made::Moved(scope.folder()),
        _ => Made::Missing,
    })
}

fn file_at(file: Place) -> Made {
    let Place::File { path, media_type, length, modified } = file else { return Made::Missing };
    Made::Rendition(Rendition {
        media_type,
        payload: Payload::File { path, length },
        language: None,
        modified,
        links: Vec::new(),
    })
}

/// The folders below a scope's own, for its page.
fn sections(
    reader: &mut Reader,
    site: &Site,
    scope: &Scope,
    feed: Option<&mut Feed>,
) -> Result<()> {
    if let Some(feed) = feed {
        feed.sections = feed::lists::sections(site, &reader.below(scope)?);
    }
    Ok(())
}

/// A list, with the revision that it was read at, if `key` is one.
fn list(reader: &mut Reader, look: &Look, key: &Key) -> Result<Option<(Made, u64)>> {
    let site = &look.site;
    let (made, revision) = match key {
        Key::Opml | Key::Names(_) => {
            let (scopes, changed, revision) = reader.scopes()?;
            let directory = feed::lists::directory(site, scopes, changed);
            let made = match key {
                Key::Names(kind) => {
                    let page = render::names(&directory, *kind);
                    look.dress(page, Subject::Names(&directory, *kind))
                }
                _ => Made::Rendition(render::opml(&directory)),
            };
            (made, revision)
        }
        Key::Period(period) => {
            let (calendar, changed, revision) = reader.calendar(*period)?;
            let calendar = calendar.map(|it| feed::lists::calendar(site, it, changed));
            let page = |it| look.dress(render::calendar(&it), Subject::Calendar(&it));
            (calendar.map_or(Made::Missing, page), revision)
        }
        Key::Sitemap(None) => {
            let (last, changed, revision) = reader.last_number()?;
            let channel = feed::lists::site(site, changed);
            let rendition = if last > SITEMAP {
                render::sitemap_index(&channel, sitemap_part(last))
            } else {
                let (headlines, _, _) = reader.numbered(1, last)?;
                let headlines = feed::lists::headlines(site, headlines);
                render::sitemap(&channel, &headlines, true)
            };
            (Made::Rendition(rendition), revision)
        }
        Key::Sitemap(Some(part)) => {
            let from = i64::from(*part - 1) * SITEMAP_PART + 1;
            let (headlines, changed, revision) = reader.numbered(from, from + SITEMAP_PART - 1)?;
            let channel = feed::lists::site(site, changed);
            let headlines = feed::lists::headlines(site, headlines);
            let made = match headlines.is_empty() {
                true => Made::Missing,
                false => Made::Rendition(render::sitemap(&channel, &headlines, *part == 1)),
            };
            (made, revision)
        }
        Key::Robots => {
            let (_, changed, revision) = reader.last_number()?;
            (Made::Rendition(render::robots(&feed::lists::site(site, changed))), revision)
        }
        _ => return Ok(None),
    };
    Ok(Some((made, revision)))
}
