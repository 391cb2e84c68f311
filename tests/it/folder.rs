//! What a writer does in the folder, and what subscribers see of it.

use std::fs;
use std::io::Write;

use crate::support::{Rig, copy_folder, entries, story};

#[test]
fn whatever_happens_in_the_folder_shows_in_all_feeds() {
    let rig = Rig::serving(&[("one.txt", &story("One"))]);
    rig.until_titles(&["One"]);
    rig.write("two.md", "# Two\n\nA *Markdown* post.\n");
    rig.until_titles(&["One", "Two"]);
    rig.write("new/folder/three.html", "<title>Three</title><p>A page.</p>");
    rig.until_titles(&["One", "Three", "Two"]);
    rig.write("one.txt", &story("One, edited"));
    rig.until_titles(&["One, edited", "Three", "Two"]);
    fs::rename(rig.seeds().join("two.md"), rig.seeds().join("new/second.md")).unwrap();
    rig.until("the redirect", |it| it.get("/two").status == 301);
    assert_eq!(rig.get("/two").headers["location"], "/new/second");
    rig.until("the page", |it| it.get("/new/second").status == 200);
    fs::remove_file(rig.seeds().join("new/folder/three.html")).unwrap();
    rig.until("the 410", |it| it.get("/new/folder/three").status == 410);
    rig.until_titles(&["One, edited", "Two"]);
    assert!(rig.get("/feed.atom").text().contains("deleted-entry"));
}

#[test]
fn the_three_formats_say_the_same() {
    let rig = Rig::serving(&[
        ("one.txt", &story("One & <two>")),
        (
            "two.md",
            "---\ndate: 2024-02-03T04:05:06Z\ntags: [a, b]\n---\n# Two\n\nSee [one](one.txt).",
        ),
    ]);
    let [rss, atom, json] = ["rss", "atom", "json"].map(|it| rig.feed(it));
    assert_eq!(atom.len(), 2);
    assert_eq!(rss.keys().collect::<Vec<_>>(), atom.keys().collect::<Vec<_>>());
    assert_eq!(json.keys().collect::<Vec<_>>(), atom.keys().collect::<Vec<_>>());
    for (id, entry) in &atom {
        assert_eq!(json[id].body, entry.body);
        assert_eq!(rss[id].body, entry.body);
        assert_eq!(rss[id].published, entry.published);
        assert_eq!(json[id].title, entry.title);
    }
    let two = atom.values().find(|it| it.title == "Two").unwrap();
    assert!(two.body.contains("href=\"http://sower.test/one\""), "{}", two.body);
    assert_eq!(two.published.as_deref(), Some("2024-02-03T04:05:06+00:00"));
}

#[test]
fn a_plain_text_story_is_set_as_an_editor_would() {
    let story = "The Harbour Opens Again After Nine Years of Works\n\
        Ferries Return to the Old Quay on Monday\n\
        The harbour of the old town opens again on Monday, nine years after a storm took its eastern wall and the city closed the quay to everything but fishing boats.\n\
        “We had almost forgotten what it sounds like,”\n\
        said the harbour master, who has watched over the empty basin since the storm and kept its books.\n\
        A Wall of Granite\n\
        The new wall stands four metres above the highest tide that was ever measured here, and it was built of the same granite as the old one, from the same quarry.\n";
    let rig = Rig::serving(&[("harbour.txt", story)]);
    let page = rig.feed("atom").into_values().next().unwrap();
    assert_eq!(page.title, "The Harbour Opens Again After Nine Years of Works");
    assert!(page.body.contains("<h2>A Wall of Granite</h2>"), "{}", page.body);
    assert!(page.body.contains("<blockquote>"), "{}", page.body);
    assert!(page.body.contains("Ferries Return to the Old Quay on Monday"), "{}", page.body);
}

#[test]
fn promise_2_a_slow_writer_is_never_read_half_way() {
    let rig = Rig::serving(&[("one.txt", &story("One"))]);
    let mut file = fs::File::create(rig.seeds().join("long.txt")).unwrap();
    writeln!(file, "Long").unwrap();
    let piece = format!("{}\n", "A sentence of a long text. ".repeat(340));
    for _ in 0..100 {
        file.write_all(piece.as_bytes()).unwrap();
        file.flush().unwrap();
        let feed = rig.get("/feed.atom").text();
        assert!(!feed.contains("sentence of a long text"), "a part of it was shown");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    writeln!(file, "The very end.").unwrap();
    drop(file);
    rig.until_titles(&["Long", "One"]);
    assert!(rig.get("/long").text().contains("The very end."));
}

#[test]
fn promise_6_a_thousand_seeds_survive_a_kill_with_their_ids_and_dates() {
    let mut rig = Rig::serving(&[("one.txt", &story("One"))]);
    let source = tempfile::tempdir().unwrap();
    for number in 0..1000 {
        fs::write(source.path().join(format!("{number}.txt")), story(&format!("Story {number}")))
            .unwrap();
    }
    let seeds = rig.seeds();
    std::thread::scope(|scope| {
        let copying = scope.spawn(|| copy_folder(source.path(), &seeds));
        while !copying.is_finished() {
            // Each document parses, and holds nothing twice.
            entries(&rig.get("/feed.rss").body);
        }
    });
    rig.until("some of them", |it| it.all().len() > 20);
    let before = rig.all();
    rig.kill();
    rig.start();
    rig.until("all of them", |it| it.all().len() == 1001);
    let after = rig.all();
    for (id, entry) in &before {
        assert_eq!(after.get(id), Some(entry), "{id}");
    }
    let mut titles: Vec<_> = after.values().map(|it| it.title.clone()).collect();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 1001, "each once");
}

#[test]
fn promise_6_kills_in_the_middle_of_a_copy_change_no_id_and_no_date() {
    let mut rig = Rig::serving(&[]);
    let seeds = rig.seeds();
    let (go_on, told) = std::sync::mpsc::channel();
    let before = std::thread::scope(|scope| {
        // Dropped with a failed assertion, so that the copy ends with it.
        let go_on = go_on;
        scope.spawn(move || {
            for number in 0..400 {
                // The copy stands still until a kill has come between.
                if number % 80 == 40 && told.recv().is_err() {
                    return;
                }
                let text = story(&format!("Story {number}"));
                fs::write(seeds.join(format!("{number}.txt")), text).unwrap();
            }
        });
        let mut before = rig.all();
        for _ in 0..5 {
            let count = before.len();
            rig.until("more of them", |it| it.all().len() > count);
            let now = rig.all();
            for (id, entry) in &before {
                assert_eq!(now.get(id), Some(entry), "{id}");
            }
            before = now;
            rig.kill();
            go_on.send(()).unwrap();
            rig.start();
        }
        before
    });
    rig.until("all of them", |it| it.all().len() == 400);
    let after = rig.all();
    for (id, entry) in &before {
        assert_eq!(after.get(id), Some(entry), "{id}");
    }
    let mut titles: Vec<_> = after.into_values().map(|it| it.title).collect();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 400, "each once");
}

#[test]
fn promise_8_only_files_that_are_used_are_served() {
    let rig = Rig::with(&[("one.md", "# One\n\n![A map](map.png)\n")]);
    rig.write("map.png", "not really a picture");
    rig.write("other.png", "nobody shows it");
    rig.write(".hidden.png", "hidden");
    let mut rig = rig;
    rig.start();
    rig.until("the picture", |it| it.get("/map.png").status == 200);
    assert_eq!(rig.get("/map.png").text(), "not really a picture");
    for path in ["/other.png", "/.hidden.png", "/one.md", "/../state/site.key", "/%2e%2e/log"] {
        assert!(matches!(rig.get(path).status, 400 | 404), "{path}");
    }
}

#[test]
fn readers_are_answered_as_http_asks() {
    let rig = Rig::serving(&[("one.txt", &story("One"))]);
    let full = rig.get("/feed.atom");
    assert_eq!(full.headers["content-type"], "application/atom+xml; charset=utf-8");
    let again = rig.ask(&format!(
        "GET /feed.atom HTTP/1.1\r\nHost: sower.test\r\nIf-None-Match: {}\r\nConnection: close\r\n\r\n",
        full.headers["etag"]
    ));
    assert_eq!((again.status, again.body.len()), (304, 0));
    let zipped = rig.ask(
        "GET /feed.atom HTTP/1.1\r\nHost: sower.test\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(zipped.headers["content-encoding"], "gzip");
    assert_ne!(zipped.headers["etag"], full.headers["etag"]);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*zipped.body), &mut text)
        .unwrap();
    assert_eq!(text, full.text());
    let head = rig.ask("HEAD /feed.atom HTTP/1.1\r\nHost: sower.test\r\nConnection: close\r\n\r\n");
    assert_eq!((head.status, head.body.len()), (200, 0));
    let post = rig.ask(
        "POST /feed.atom HTTP/1.1\r\nHost: sower.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(post.status, 405);
    assert!(post.headers["allow"].contains("GET"));
    assert_eq!(rig.get("/nothing").status, 404);
    let index = rig.get("/").text();
    assert!(index.contains("rel=\"alternate\"") && index.contains("feed.atom"), "{index}");
}

/// Of each item of a JSON feed: its id and its date of publication.
fn ids(feed: &str) -> Vec<(String, String)> {
    let feed: serde_json::Value = serde_json::from_str(feed).unwrap();
    let items = feed["items"].as_array().unwrap().iter();
    items.map(|it| (it["id"].to_string(), it["date_published"].to_string())).collect()
}

/// Overwrites the first page of a table or index.
fn damage_page_of(rig: &Rig, name: &str) {
    let file = rig.state().join("catalog.sqlite");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
    let page: i64 = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row(sql, [name], |row| row.get(0))
        .unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let end = page as usize * 4096;
    bytes[end - 4096..end].fill(0xA5);
    std::fs::write(&file, bytes).unwrap();
}

#[test]
fn promise_6_a_damaged_catalog_is_set_aside_and_made_again_with_the_same_ids() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("no database", |bytes| *bytes = b"not a database at all, but some text".repeat(200)),
        ("cut off", |bytes| bytes.truncate(bytes.len() / 2)),
        ("its first page overwritten", |bytes| bytes[100..4000].fill(0xA5)),
    ];
    for (name, damage) in damages {
        let mut rig = Rig::serving(&[
            ("a.md", "---\ndate: 2024-01-02\n---\n# A\n\nText.\n"),
            ("news/b.md", "---\ndate: 2024-01-03\n---\n# B\n\nText.\n"),
        ]);
        let before = ids(&rig.get("/feed.json").text());
        assert_eq!(before.len(), 2);
        rig.stop();
        let file = rig.state().join("catalog.sqlite");
        let mut bytes = std::fs::read(&file).unwrap();
        damage(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
        // From a log that is whole SQLite mends what the file lacks.
        for beside in ["catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let _ = std::fs::remove_file(rig.state().join(beside));
        }
        rig.start();
        assert_eq!(ids(&rig.get("/feed.json").text()), before, "{name}");
        let is_aside = std::fs::read_dir(rig.state())
            .unwrap()
            .any(|it| it.unwrap().file_name().to_string_lossy().contains(".damaged-20"));
        assert!(is_aside, "{name}: it is kept, with its time");
        assert!(rig.log().contains("set the damaged catalog aside"), "{name}: {}", rig.log());
    }
}

#[test]
fn promise_6_damage_that_shows_while_it_runs_loses_nothing_and_is_served_through() {
    let mut rig = Rig::serving(&[
        ("a.md", "# A\n\nText of A.\n"),
        ("news/b.md", "---\ndate: 2024-01-03\n---\n# B\n\nText of B.\n"),
        ("news/c.md", "# C\n\nText of C.\n"),
        ("news/d.md", "# D\n\nText of D.\n"),
    ]);
    std::fs::rename(rig.seeds().join("a.md"), rig.seeds().join("moved.md")).unwrap();
    rig.until("the old path leads to the new one", |rig| rig.get("/a").status == 301);
    std::fs::remove_file(rig.seeds().join("news/b.md")).unwrap();
    rig.until("the feed says so", |rig| rig.get("/feed.json").text().contains("deleted"));
    let before = rig.get("/feed.json").text();
    rig.stop();
    // The index by which copies are found: nothing looks into it before a new article.
    damage_page_of(&rig, "entries_by_bytes");
    rig.start();
    assert_eq!(rig.get("/feed.json").text(), before, "nobody notices");
    std::fs::write(rig.seeds().join("e.md"), "# E\n\nText of E.\n").unwrap();
    rig.until("the new one is published", |rig| rig.get("/feed.json").text().contains("Text of E"));
    assert!(rig.log().contains("set the damaged catalog aside"), "{}", rig.log());
    let after = ids(&rig.get("/feed.json").text());
    assert_eq!(after.len(), 4);
    for old in ids(&before) {
        assert!(after.contains(&old), "{old:?} in {after:?}");
    }
    assert_eq!(rig.get("/a").status, 301);
    assert_eq!(rig.get("/news/b").status, 410);
}

#[test]
fn promise_6_damage_that_the_comparison_finds_is_salvaged() {
    let mut rig = Rig::serving(&[("a.md", "# A\n\nText of A.\n"), ("b.md", "# B\n\nText of B.\n")]);
    let before = ids(&rig.get("/feed.json").text());
    rig.stop();
    damage_page_of(&rig, "seeds");
    rig.start();
    rig.until("it is set aside", |rig| rig.log().contains("set the damaged catalog aside"));
    std::fs::write(rig.seeds().join("c.md"), "# C\n\nText of C.\n").unwrap();
    rig.until("the new one is published", |rig| rig.get("/feed.json").text().contains("Text of C"));
    let after = ids(&rig.get("/feed.json").text());
    assert_eq!(after.len(), 3);
    for old in before {
        assert!(after.contains(&old), "{old:?} in {after:?}");
    }
}
