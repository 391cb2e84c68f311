//! Promise 6 where the disk fails: whatever page of the database is damaged, what can be
//! read of it stays, and the rest comes again from the folder under the same ids.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags};

use super::*;

const PAGE: usize = 4096;
const ARTICLES: usize = 60;

fn text(number: usize) -> String {
    format!(
        "---\ntags: [t{}]\ndate: 2024-01-{:02}T00:00:{number:02}Z\n---\n# Title {number}\n\n{}\n",
        number % 3,
        number % 28 + 1,
        "Some words that say something. ".repeat(30)
    )
}

/// Articles with a history: moves, withdrawals, a draft, one without a date.
fn lived() -> Site {
    let mut site = Site::new();
    for number in 0..ARTICLES {
        site.write(&format!("n{}/a{number}.md", number % 7), &text(number));
    }
    site.pass(60);
    site.write("undated.md", "# Undated\n\nText.\n");
    site.write("draft.md", "---\ndraft: true\n---\n# Draft\n\nText.\n");
    for number in 0..5 {
        let (from, to) = (format!("n{number}/a{number}.md"), format!("moved/a{number}.md"));
        site.rename(&from, &to);
        site.look(&[&from, &to]);
    }
    for number in 10..15 {
        let name = format!("n{}/a{number}.md", number % 7);
        site.remove(&name);
        site.look(&[&name]);
        site.pass(700);
    }
    site.pass(3600);
    site
}

/// Everything that readers hold against a publisher.
#[derive(Debug, Clone, PartialEq)]
struct Facts {
    /// By title: id, date of publication and of the last revision.
    entries: BTreeMap<String, (String, Timestamp, Timestamp)>,
    moved: Vec<Place>,
    gone: Vec<Place>,
    tombstones: BTreeSet<String>,
}

fn facts(site: &Site) -> Result<Facts> {
    let mut reader = site.catalog.reader()?;
    let mut entries = BTreeMap::new();
    let mut tombstones = BTreeSet::new();
    let mut part = Some(Part::Current);
    while let Some(this) = part {
        let selection = reader.select(&Scope::Site, this)?.0.unwrap();
        for it in selection.entries {
            entries.insert(it.article.title.clone(), (it.id, it.published, it.updated));
        }
        tombstones.extend(selection.tombstones.into_iter().map(|it| it.id));
        part = selection.older.map(Part::Archive);
    }
    let mut at = |path: String| Ok::<_, crate::catalog::store::Error>(reader.at(&path)?.0);
    let moved = (0..5).map(|it| at(format!("/n{it}/a{it}"))).collect::<Result<_>>()?;
    let gone = (10..15).map(|it| at(format!("/n{}/a{it}", it % 7))).collect::<Result<_>>()?;
    Ok(Facts { entries, moved, gone, tombstones })
}

impl Site {
    fn database(&self) -> PathBuf {
        self.state.path().join("catalog.sqlite")
    }

    /// Starts on whatever stands in the state folder, as the daemon does. Whether the
    /// catalog was salvaged.
    fn start(&mut self) -> bool {
        let open = || Catalog::open(self.state.path(), "key".into(), options(), self.now);
        let (catalog, is_salvaged) = match open() {
            Ok(catalog) => (catalog, false),
            Err(damage) => {
                assert!(damage.is_corrupt(), "{damage}");
                let key = String::from("key");
                (Catalog::salvage(self.state.path(), key, options(), self.now).unwrap().0, true)
            }
        };
        self.catalog = catalog;
        is_salvaged
    }

    /// Compares the folder with the catalog as the watcher does, and does some work.
    fn compare(&mut self) -> Result<()> {
        let known = self.catalog.reader()?.known()?;
        let mut names: BTreeSet<String> = self.files.keys().cloned().collect();
        names.extend(known.into_iter().map(|(path, _)| path.to_string()));
        self.try_look(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        self.catalog.compared(1, 1, self.now)?;
        self.now += SignedDuration::from_secs(60);
        self.catalog.tick(self.now).map(|_| ())
    }

    /// The same; a catalog that turns out to be damaged is salvaged. Whether it was.
    fn compare_and_salvage(&mut self) -> bool {
        for is_salvaged in [false, true] {
            match self.compare().and_then(|()| facts(self)) {
                Ok(_) => return is_salvaged,
                Err(damage) if damage.is_corrupt() && !is_salvaged => {
                    self.catalog.salvage_now(self.now).unwrap();
                }
                Err(other) => panic!("{other}"),
            }
        }
        false
    }
}

/// The pages that hold rows of a table or of its indexes.
fn pages_of(site: &Site, tables: &[&str]) -> BTreeSet<usize> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(site.database(), flags).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT pageno, coalesce(tbl_name, dbstat.name) FROM dbstat LEFT JOIN sqlite_schema ON sqlite_schema.name = dbstat.name",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).unwrap();
    rows.map(|it| it.unwrap())
        .filter(|(_, table): &(i64, String)| tables.contains(&table.as_str()))
        .map(|(page, _)| page as usize)
        .collect()
}

#[test]
fn promise_6_whatever_page_is_damaged_ids_and_dates_stay() {
    let mut site = lived();
    let before = facts(&site).unwrap();
    assert_eq!(before.entries.len(), ARTICLES - 5 + 1);
    site.catalog.rest().unwrap();
    let whole = fs::read(site.database()).unwrap();
    let cannot_be_made_again =
        pages_of(&site, &["entries", "places", "members", "scopes", "sqlite_schema"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let aside = std::mem::replace(&mut site.state, elsewhere);
    let now = site.now;
    let mut salvaged = 0;
    for page in 1..=whole.len() / PAGE {
        site.state = tempfile::tempdir().unwrap();
        site.now = now + SignedDuration::from_secs(3600);
        let mut bytes = whole.clone();
        // The first page begins with what makes it a database at all.
        let from = (page - 1) * PAGE + if page == 1 { 100 } else { 0 };
        bytes[from..page * PAGE].fill(0xA5);
        fs::write(site.database(), bytes).unwrap();
        let at_start = site.start();
        let is_salvaged = site.compare_and_salvage() || at_start;
        let after = facts(&site).unwrap();
        let stated = |facts: &Facts| {
            let mut entries = facts.entries.clone();
            // What a moved entry was called first stands in its lost row alone.
            entries.retain(|title, _| {
                let number = title.strip_prefix("Title ").and_then(|it| it.parse().ok());
                number.is_some_and(|it: usize| it >= 5)
            });
            entries.into_iter().map(|(title, (id, published, _))| (title, id, published)).collect()
        };
        let (one, two): (Vec<_>, Vec<_>) = (stated(&before), stated(&after));
        assert_eq!(one, two, "page {page}");
        assert_eq!(after.entries.len(), before.entries.len(), "page {page}");
        if !cannot_be_made_again.contains(&page) {
            assert_eq!(after, before, "page {page}");
        }
        // It goes on, and is whole.
        site.restart();
        site.put("new.md", "# New\n\nText.\n");
        let is_salvaged = site.compare_and_salvage() || is_salvaged;
        salvaged += usize::from(is_salvaged);
        assert_eq!(site.catalog.health().unwrap().entries as usize, before.entries.len() + 1);
        site.remove("new.md");
        let damaged = fs::read_dir(site.state.path())
            .unwrap()
            .filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().contains(".damaged-"));
        assert_eq!(damaged.count() > 0, is_salvaged, "page {page}");
        let check: String = Connection::open(site.database())
            .unwrap()
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        if is_salvaged {
            assert_eq!(check, "ok", "page {page}");
        }
    }
    drop(aside);
    assert!(salvaged > 10, "damage was found {salvaged} times");
}

#[test]
fn promise_6_a_lost_page_of_entries_loses_no_other_entry() {
    let mut site = lived();
    site.catalog.rest().unwrap();
    let before = facts(&site).unwrap();
    let whole = fs::read(site.database()).unwrap();
    // Leaves of the table of entries alone.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let leaves: Vec<i64> = Connection::open_with_flags(site.database(), flags)
        .unwrap()
        .prepare("SELECT pageno FROM dbstat WHERE name = 'entries' AND pagetype = 'leaf'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(|it| it.unwrap())
        .collect();
    assert!(leaves.len() >= 4, "{leaves:?}");
    // Two of them, and whatever is between stays.
    let mut bytes = whole;
    for leaf in [leaves[1], leaves[leaves.len() - 2]] {
        let end = leaf as usize * PAGE;
        bytes[end - PAGE..end].fill(0);
    }
    site.state = tempfile::tempdir().unwrap();
    fs::write(site.database(), bytes).unwrap();
    let (_, salvaged) =
        Catalog::salvage(site.state.path(), "key".into(), options(), site.now).unwrap();
    assert!(!salvaged.is_whole);
    let all = ARTICLES + 1;
    let per_page = all.div_ceil(leaves.len());
    assert!(salvaged.entries >= all - 3 * per_page, "{} of {all}", salvaged.entries);
    assert!(salvaged.entries < all);
    site.restart();
    site.compare().unwrap();
    let after = facts(&site).unwrap();
    assert_eq!(after.entries.keys().collect::<Vec<_>>(), before.entries.keys().collect::<Vec<_>>());
}

#[test]
fn promise_6_a_rebuilt_catalog_takes_dates_from_documents_and_file_times() {
    let mut site = Site::new();
    site.write("dated.md", "---\ndate: 2024-01-02\n---\n# Dated\n\nText.\n");
    site.put("undated.md", "# Undated\n\nText.\n");
    let written = site.now - SignedDuration::from_hours(100);
    site.files.get_mut("undated.md").unwrap().modified = written.as_nanosecond() as i64;
    site.look(&["undated.md"]);
    site.pass(60);
    let ids = (site.id("/dated"), site.id("/undated"));
    site.state = tempfile::tempdir().unwrap();
    fs::write(site.database(), b"not a database, but some text".repeat(300)).unwrap();
    site.now += SignedDuration::from_hours(24);
    assert!(site.start());
    assert!(site.catalog.is_importing().unwrap(), "it is as at the first start");
    site.compare().unwrap();
    assert_eq!((site.id("/dated"), site.id("/undated")), ids);
    assert_eq!(site.dates("/undated").0, written);
    assert_eq!(site.dates("/dated").0.to_string(), "2024-01-02T00:00:00Z");
}

#[test]
fn promise_6_a_salvage_that_was_cut_off_is_finished_at_the_next_start() {
    let mut site = lived();
    site.catalog.rest().unwrap();
    let before = facts(&site).unwrap();
    // The damaged one is set aside, the new one is whole and not yet in its place.
    let whole = fs::read(site.database()).unwrap();
    site.state = tempfile::tempdir().unwrap();
    fs::write(site.state.path().join("catalog.sqlite.salvaged"), whole).unwrap();
    fs::write(site.state.path().join("catalog.sqlite-wal"), b"of the damaged one").unwrap();
    assert!(!site.start());
    site.compare().unwrap();
    assert_eq!(facts(&site).unwrap(), before);
}

#[test]
fn promise_6_damage_that_shows_while_it_runs_is_salvaged_and_readers_go_on() {
    let mut site = lived();
    site.catalog.rest().unwrap();
    let before = facts(&site).unwrap();
    let mut reader = site.catalog.reader().unwrap();
    assert!(reader.at("/undated").is_ok());
    // A text in the cache that is none.
    let connection = Connection::open(site.database()).unwrap();
    connection.execute("UPDATE articles SET data = x'00' WHERE article % 5 = 0", []).unwrap();
    drop(connection);
    let damage = facts(&site).unwrap_err();
    assert!(damage.is_corrupt(), "{damage}");
    let (salvaged, _) = site.catalog.salvage_now(site.now).unwrap();
    assert!(salvaged.is_whole);
    site.compare().unwrap();
    assert_eq!(facts(&site).unwrap(), before);
    assert!(matches!(reader.at("/undated").unwrap().0, Place::Entry(..)), "it reads the new one");
}
