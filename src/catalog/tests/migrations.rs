//! Databases of earlier versions are brought up to date with all that they hold; one of a
//! later Sower is left alone.

use rusqlite::Connection;

use super::*;
use crate::catalog::migrate::MIGRATIONS;

/// What takes each change but the first back: the row of a new one is written with it.
const BACK: &[&str] = &[
    "ALTER TABLE members DROP COLUMN parted",
    "ALTER TABLE entries DROP COLUMN judged; ALTER TABLE entries DROP COLUMN bundle",
];

fn text(title: &str) -> String {
    format!("---\ntags: [x]\ndate: 2024-01-02\n---\n# {title}\n\nText.\n")
}

fn lived() -> Site {
    let mut site = Site::new();
    for name in ["a.md", "b.md", "c.md"] {
        site.write(name, &text(name));
    }
    site.pass(60);
    site.rename("a.md", "news/a.md");
    site.look(&["a.md", "news/a.md"]);
    site.remove("b.md");
    site.look(&["b.md"]);
    site.pass(5);
    site
}

fn database(site: &Site) -> Connection {
    Connection::open(site.state.path().join("catalog.sqlite")).unwrap()
}

#[test]
fn promise_6_every_earlier_version_keeps_ids_dates_moves_and_withdrawals() {
    assert_eq!(BACK.len() + 1, MIGRATIONS.len(), "each change has its row");
    for version in 1..MIGRATIONS.len() {
        let mut site = lived();
        let facts = |site: &Site| {
            let moved = format!("{:?}", site.at("/a"));
            let gone = format!("{:?}", site.at("/b"));
            let feed = site.feed();
            let tombstones = format!("{:?}", feed.tombstones);
            let entries: Vec<_> =
                feed.entries.into_iter().map(|it| (it.id, it.published, it.updated)).collect();
            (moved, gone, tombstones, entries)
        };
        let before = facts(&site);
        assert_eq!(before.3.len(), 2);
        let connection = database(&site);
        for back in BACK[version - 1..].iter().rev() {
            connection.execute_batch(back).unwrap();
        }
        connection.pragma_update(None, "user_version", version as u32).unwrap();
        drop(connection);
        site.restart();
        assert_eq!(facts(&site), before, "version {version}");
        site.write("d.md", "# D\n\nText.\n");
        assert_eq!(site.feed().entries.len(), 3, "version {version} goes on");
    }
}

#[test]
fn promise_6_a_catalog_of_a_later_sower_is_left_alone() {
    let site = lived();
    let later = MIGRATIONS.len() + 1;
    database(&site).pragma_update(None, "user_version", later as u32).unwrap();
    let error = Catalog::open(site.state.path(), "key".into(), options(), site.now).unwrap_err();
    assert!(!error.is_corrupt(), "it is not set aside as damaged");
    let expected = format!(
        "expected a catalog of version {} or older, found version {later}",
        MIGRATIONS.len()
    );
    assert!(error.to_string().contains(&expected), "{error}");
}
