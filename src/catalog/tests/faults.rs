//! Promise 6 at the store's edge: whatever statement of a batch fails, the catalog is as
//! it was before; tried again, it is as if nothing had failed.

use std::fmt::Write;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::catalog::faults;
use crate::catalog::store::Result;

/// Every row of every table, as text.
fn dump(site: &Site) -> String {
    let connection = Connection::open(site.state.path().join("catalog.sqlite")).unwrap();
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(|it| it.unwrap()).collect();
    let mut all = String::new();
    for name in names {
        let mut statement = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = statement.column_count();
        let mut rows: Vec<String> = statement
            .query_map([], |row| {
                let values: rusqlite::Result<Vec<Value>> =
                    (0..columns).map(|column| row.get(column)).collect();
                Ok(format!("{:?}", values?))
            })
            .unwrap()
            .map(|it| it.unwrap())
            .collect();
        rows.sort();
        writeln!(all, "{name}\n{}", rows.join("\n")).unwrap();
    }
    all
}

fn text(title: &str) -> String {
    format!("---\ntags: [x, {title}]\n---\n# {title}\n\nSee [the other](b.md) and ![](p.png).\n")
}

/// What has happened, then what happens to the files, then the batch that may fail.
struct Batch {
    name: &'static str,
    before: fn(&mut Site),
    act: fn(&mut Site) -> Result<()>,
}

fn look(site: &mut Site, names: &[&str]) -> Result<()> {
    site.try_look(names).map(|_| ())
}

/// Two articles; after an hour the file of one is gone.
fn one_of_two_is_gone(site: &mut Site) {
    site.write("a.md", &text("A"));
    site.write("b.md", &text("B"));
    site.pass(3600);
    site.remove("b.md");
    site.look(&["b.md"]);
}

const BATCHES: &[Batch] = &[
    Batch {
        name: "new articles",
        before: |site| {
            site.put("a.md", &text("A"));
            site.put("b.md", &text("B"));
        },
        act: |site| look(site, &["a.md", "b.md"]),
    },
    Batch {
        name: "an edit",
        before: |site| {
            site.write("a.md", &text("A"));
            site.pass(60);
            site.edit("a.md", &text("Another"));
        },
        act: |site| look(site, &["a.md"]),
    },
    Batch {
        name: "a move that others link to",
        before: |site| {
            site.write("a.md", &text("A"));
            site.write("b.md", &text("B"));
            site.pass(60);
            site.rename("b.md", "news/c.md");
        },
        act: |site| look(site, &["b.md", "news/c.md"]),
    },
    Batch {
        name: "a withdrawal",
        before: |site| {
            one_of_two_is_gone(site);
            site.now += SignedDuration::from_secs(5);
        },
        act: |site| site.catalog.tick(site.now).map(|_| ()),
    },
    Batch {
        name: "a return",
        before: |site| {
            one_of_two_is_gone(site);
            site.pass(5);
            site.pass(3600);
            site.put("b.md", &text("B"));
        },
        act: |site| look(site, &["b.md"]),
    },
    Batch {
        name: "many at once, which close archive pages",
        before: |site| {
            for number in 0..12 {
                site.put(&format!("{number}.md"), &text(&format!("Number {number}")));
            }
        },
        act: |site| {
            let names: Vec<String> = (0..12).map(|it| format!("{it}.md")).collect();
            look(site, &names.iter().map(String::as_str).collect::<Vec<_>>())
        },
    },
    Batch {
        name: "a person's confirmation that all are gone",
        before: |site| {
            for name in ["a.md", "b.md", "c.md"] {
                site.write(name, &text(name));
            }
            site.pass(3600);
            for name in ["a.md", "b.md", "c.md"] {
                site.remove(name);
            }
            site.look(&["a.md", "b.md", "c.md"]);
            site.pass(5);
        },
        act: |site| site.catalog.confirm(site.now).map(|_| ()),
    },
];

fn check(name: &str, mut site: Site, mut twin: Site, batch: &Batch) {
    (batch.before)(&mut site);
    (batch.before)(&mut twin);
    (batch.act)(&mut twin).unwrap();
    let before = dump(&site);
    assert_ne!(before, dump(&twin), "{name}: the batch changes something");
    let mut statements = 0;
    loop {
        faults::fail_after(Some(statements));
        let outcome = (batch.act)(&mut site);
        faults::fail_after(None);
        if outcome.is_ok() {
            break;
        }
        assert_eq!(dump(&site), before, "{name}: failed at statement {statements}");
        if statements % 10 == 0 {
            site.restart();
            assert_eq!(dump(&site), before, "{name}: opened again after statement {statements}");
        }
        statements += 1;
    }
    assert!(statements > 5, "{name}: {statements} statements could fail");
    assert_eq!(dump(&site), dump(&twin), "{name}: as if nothing had failed");
}

#[test]
fn promise_6_a_statement_that_fails_leaves_the_catalog_as_it_was() {
    for batch in BATCHES {
        check(batch.name, Site::new(), Site::new(), batch);
    }
    let import = Batch {
        name: "the end of a first import",
        before: |site| {
            for name in ["a.md", "b.md", "news/c.md"] {
                site.put(name, &text(name));
            }
            site.look(&["a.md", "b.md", "news/c.md"]);
        },
        act: |site| site.catalog.compared(1, 1, site.now).map(|_| ()),
    };
    check(import.name, Site::unimported(), Site::unimported(), &import);
}

#[test]
fn promise_6_a_full_disk_stops_writing_and_nothing_else() {
    let (mut site, mut twin) = (Site::new(), Site::new());
    for it in [&mut site, &mut twin] {
        it.write("a.md", &text("A"));
        it.pass(60);
        // What does not compress.
        let noise: String = (0..100_000_u32)
            .map(|it| blake3::hash(&it.to_le_bytes()).to_hex()[..6].to_owned() + " ")
            .collect();
        it.put("b.md", &noise);
    }
    look(&mut twin, &["b.md"]).unwrap();
    let before = dump(&site);
    site.catalog.store.limit_pages(1).unwrap();
    for _ in 0..3 {
        assert!(look(&mut site, &["b.md"]).is_err());
        assert_eq!(dump(&site), before);
        assert_eq!(site.titles(), ["A"], "what was published is read on");
    }
    site.catalog.store.limit_pages(u32::MAX - 1).unwrap();
    look(&mut site, &["b.md"]).unwrap();
    assert_eq!(dump(&site), dump(&twin), "there is room again");
}

#[test]
fn promise_6_a_state_folder_that_cannot_be_written_is_read_on() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    site.put("b.md", &text("B"));
    site.catalog.store.refuse_writes(true).unwrap();
    assert!(look(&mut site, &["b.md"]).is_err());
    assert_eq!(site.titles(), ["A"]);
    site.catalog.store.refuse_writes(false).unwrap();
    look(&mut site, &["b.md"]).unwrap();
    assert_eq!(site.titles().len(), 2);
}
