//! Identity, permalinks, dates and the schedule, where real programs move real files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use crate::support::{Entry, Rig};

const COUNT: usize = 12;
/// In seconds.
const YEAR: u64 = 31_557_600;

/// Old enough that their loss counts.
fn article(number: usize) -> String {
    format!("---\ndate: 2024-01-02\n---\n# Story {number}\n\nThe text of story {number}.\n")
}

/// A folder of articles beside one that stays where it is.
fn with_folder(folder: &str) -> Rig {
    let rig = Rig::with(&[("stays.md", "# Stays\n\nIt stays where it is.\n")]);
    for number in 0..COUNT {
        rig.write(&format!("{folder}/{number}.md"), &article(number));
    }
    let mut rig = rig;
    rig.start();
    rig
}

/// What stays of each entry wherever it moves: by id, title and dates.
fn kept(rig: &Rig) -> BTreeMap<String, (String, Option<String>, Option<String>)> {
    let all = rig.all().into_iter();
    let facts = |it: Entry| (it.title, it.published, it.updated);
    all.map(|(id, entry)| (id, facts(entry))).collect()
}

fn until_moved(rig: &Rig, from: &str, to: &str) {
    rig.until(&format!("the move of {from} to {to}"), |rig| {
        (0..COUNT).all(|it| {
            let answer = rig.get(&format!("/{from}/{it}"));
            let location = answer.headers.get("location");
            answer.status == 301 && location == Some(&format!("/{to}/{it}"))
        })
    });
    for number in 0..COUNT {
        let page = rig.get(&format!("/{to}/{number}"));
        assert_eq!(page.status, 200);
        assert!(page.text().contains(&format!("Story {number}")));
    }
}

fn assert_nothing_withdrawn(rig: &Rig) {
    assert!(!rig.get("/feed.atom").text().contains("deleted-entry"));
    assert!(rig.get("/healthz").text().contains("\"ok\""), "{}", rig.get("/healthz").text());
}

#[test]
fn identity_a_whole_folder_that_moves_while_it_runs_and_while_it_is_down_keeps_everything() {
    let mut rig = with_folder("n");
    let before = kept(&rig);
    assert_eq!(before.len(), COUNT + 1);
    rig.rename("n", "m");
    until_moved(&rig, "n", "m");
    assert_eq!(kept(&rig), before);
    rig.stop();
    rig.rename("m", "deep/er/k");
    rig.start();
    until_moved(&rig, "m", "deep/er/k");
    until_moved(&rig, "n", "deep/er/k");
    assert_eq!(kept(&rig), before);
    rig.kill();
    rig.rename("deep", "n2");
    rig.rename("n2/er/k", "n");
    rig.start();
    until_moved(&rig, "m", "n");
    assert_eq!(kept(&rig), before);
    assert_nothing_withdrawn(&rig);
}

/// Writes as rsync and Syncthing do: under a hidden name, piece by piece, with the
/// times of the original, then into place.
fn receive(from: &Path, to: &Path, hidden: &str) {
    let bytes = fs::read(from).unwrap();
    let times = fs::metadata(from).unwrap().modified().unwrap();
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let name = to.file_name().unwrap().to_str().unwrap();
    let beside = to.with_file_name(hidden.replace("NAME", name));
    let mut file = fs::File::create(&beside).unwrap();
    for piece in bytes.chunks(64) {
        file.write_all(piece).unwrap();
    }
    file.set_modified(times).unwrap();
    drop(file);
    fs::rename(beside, to).unwrap();
}

#[test]
fn identity_a_folder_that_rsync_or_syncthing_moves_keeps_everything() {
    for hidden in [".NAME.x8Kd2f", ".syncthing.NAME.tmp", "~syncthing~NAME.tmp"] {
        let rig = with_folder("n");
        let before = kept(&rig);
        for number in 0..COUNT {
            let [from, to] = ["n", "m"].map(|it| rig.seeds().join(it).join(format!("{number}.md")));
            receive(&from, &to, hidden);
        }
        rig.write("last.md", "# Last\n\nIt was copied after the others.\n");
        rig.until("the last copy", |it| it.get("/last").status == 200);
        fs::remove_dir_all(rig.seeds().join("n")).unwrap();
        until_moved(&rig, "n", "m");
        let mut after = kept(&rig);
        after.retain(|_, it| it.0 != "Last");
        assert_eq!(after, before, "{hidden}");
        assert_nothing_withdrawn(&rig);
    }
}

#[test]
fn identity_a_folder_that_leaves_for_another_place_and_comes_back_keeps_everything() {
    let rig = with_folder("n");
    let before = kept(&rig);
    // Deleted first, as `rsync --delete-before` does it; held here until the others come.
    let elsewhere = tempfile::tempdir().unwrap();
    for number in 0..COUNT {
        let name = format!("{number}.md");
        fs::copy(rig.seeds().join("n").join(&name), elsewhere.path().join(&name)).unwrap();
    }
    fs::remove_dir_all(rig.seeds().join("n")).unwrap();
    rig.until("degraded", |it| it.get("/healthz").text().contains("\"degraded\""));
    for number in 0..COUNT {
        let name = format!("{number}.md");
        receive(&elsewhere.path().join(&name), &rig.seeds().join("m").join(&name), ".NAME.aaaaaa");
    }
    until_moved(&rig, "n", "m");
    assert_eq!(kept(&rig), before);
    rig.until("ok", |it| it.get("/healthz").text().contains("\"ok\""));
    assert_nothing_withdrawn(&rig);
}

#[test]
fn urls_of_names_that_are_no_utf_8_are_served_and_every_document_stays_valid() {
    let mut rig = Rig::with(&[("a.md", "# A\n\nText of A.\n")]);
    let folder = rig.seeds().join(OsStr::from_bytes(b"\xff\xfe"));
    fs::create_dir(&folder).unwrap();
    let old = folder.join(OsStr::from_bytes(b"caf\xe9 1.md"));
    fs::write(&old, "# B\n\nText of B, see [A](../a.md).\n").unwrap();
    rig.start();
    rig.until_titles(&["A", "B"]);
    let page = "/%FF%FE/caf%E9-1";
    let before = kept(&rig);
    assert!(before.keys().all(|it| it.starts_with("urn:uuid:")), "{before:?}");
    let link = |rig: &Rig| rig.feed("atom").into_values().find(|it| it.title == "B").unwrap().link;
    assert_eq!(link(&rig), format!("http://sower.test{page}"));
    assert_eq!(rig.get(page).status, 200);
    for document in ["/feed.atom", "/feed.rss", "/%FF%FE/feed.atom", "/opml.xml", "/sitemap.xml"] {
        let answer = rig.get(document);
        assert_eq!(answer.status, 200, "{document}");
        let text = answer.text();
        roxmltree::Document::parse(&text).unwrap_or_else(|it| panic!("{document}: {it}"));
    }
    let json: serde_json::Value = serde_json::from_str(&rig.get("/feed.json").text()).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 2);
    rig.kill();
    rig.start();
    rig.until("the page", |it| it.get(page).status == 200);
    assert_eq!(kept(&rig), before);
    fs::rename(old, rig.seeds().join("café.md")).unwrap();
    rig.until("the redirect", |it| it.get(page).status == 301);
    assert_eq!(rig.get(page).headers["location"], "/caf%C3%A9");
    rig.until("the page", |it| it.get("/caf%C3%A9").status == 200);
    assert_eq!(kept(&rig), before);
}

#[test]
fn dates_stay_where_the_same_bytes_are_saved_or_restored_while_it_runs_and_while_it_is_down() {
    let mut rig = with_folder("n");
    let before = kept(&rig);
    for is_running in [true, false] {
        if !is_running {
            rig.stop();
        }
        for number in 0..COUNT {
            let path = rig.seeds().join(format!("n/{number}.md"));
            let text = article(number);
            match number % 3 {
                0 => fs::write(&path, text).unwrap(),
                1 => rig.write(&format!("n/{number}.md"), &text),
                _ => {
                    fs::remove_file(&path).unwrap();
                    fs::write(&path, text).unwrap();
                }
            }
            // As a backup has it, or a copy without times, or a clock that was wrong.
            let now = SystemTime::now();
            let time = match number % 4 {
                0 => now - Duration::from_secs(20 * YEAR),
                1 => SystemTime::UNIX_EPOCH,
                2 => SystemTime::UNIX_EPOCH - Duration::from_secs(YEAR),
                _ => now + Duration::from_secs(3 * YEAR),
            };
            let file = fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
        }
        if !is_running {
            rig.start();
        }
        // What comes after them in the folder comes after them here.
        let last = format!("last {is_running}.md");
        rig.write(&last, &format!("# Last {is_running}\n\nText.\n"));
        let page = format!("/last-{is_running}");
        rig.until("the last", |it| it.get(&page).status == 200);
        rig.hang_up();
        let mut after = kept(&rig);
        after.retain(|_, it| !it.0.starts_with("Last"));
        assert_eq!(after, before, "running: {is_running}");
    }
    assert_nothing_withdrawn(&rig);
}

/// A date so near that nobody waits for it long, to the second as people write it.
fn soon(seconds: i64) -> Timestamp {
    let time = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(time.as_second()).unwrap()
}

fn scheduled(title: &str, keys: &str) -> String {
    format!("---\n{keys}\n---\n# {title}\n\nText of {title}.\n")
}

#[test]
fn schedule_a_future_date_comes_by_itself_and_never_early() {
    let rig = Rig::serving(&[("a.md", "# A\n\nText of A.\n")]);
    let (comes, goes) = (soon(4), soon(6));
    rig.write("b.md", &scheduled("B", &format!("date: {comes}")));
    rig.write("c.md", &scheduled("C", &format!("expires: {goes}")));
    rig.until("the one that expires", |it| it.get("/c").status == 200);
    rig.until("its date", |it| {
        let [status, expired] = ["/b", "/c"].map(|page| it.get(page).status);
        let now = Timestamp::now();
        assert!(status != 200 || now >= comes, "published at {now}, before {comes}");
        assert!(expired == 200 || now >= goes, "withdrawn at {now}, before {goes}");
        status == 200 && expired == 410
    });
    rig.until_titles(&["A", "B"]);
    let b = rig.feed("atom").into_values().find(|it| it.title == "B").unwrap();
    assert_eq!(b.published.unwrap().parse::<Timestamp>().unwrap(), comes);
}

#[test]
fn schedule_what_was_due_while_the_machine_slept_or_the_daemon_was_down_comes_at_once() {
    for sleeps in [true, false] {
        let mut rig = Rig::serving(&[("a.md", "# A\n\nText of A.\n")]);
        let comes = soon(3);
        rig.write("b.md", &scheduled("B", &format!("date: {comes}")));
        let passed = scheduled("C", &format!("date: {comes}\nexpires: {}", soon(4)));
        rig.write("c.md", &passed);
        rig.write("d.md", "# D\n\nText of D.\n");
        rig.until("what was written last", |it| it.get("/d").status == 200);
        if sleeps {
            rig.freeze()
        } else {
            rig.kill()
        }
        rig.until("the time", |_| Timestamp::now() > comes + SignedDuration::from_secs(2));
        if sleeps {
            rig.thaw()
        } else {
            rig.start()
        }
        rig.until_titles(&["A", "B", "D"]);
        let b = rig.feed("atom").into_values().find(|it| it.title == "B").unwrap();
        assert_eq!(b.published.unwrap().parse::<Timestamp>().unwrap(), comes, "sleeps: {sleeps}");
        assert!(matches!(rig.get("/c").status, 404 | 410), "its time is over");
    }
}
