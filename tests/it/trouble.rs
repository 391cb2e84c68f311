//! What fails around the daemon: another daemon, disks, permissions, kills, and events
//! that are lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, geteuid, prlimit};

use crate::support::{Rig, story};

fn health(rig: &Rig) -> String {
    rig.get("/healthz").text()
}

/// Of every entry: title, date of publication and of the last revision, by id.
fn kept(rig: &Rig) -> BTreeMap<String, (String, Option<String>, Option<String>)> {
    rig.all().into_iter().map(|(id, it)| (id, (it.title, it.published, it.updated))).collect()
}

/// Old enough that their loss counts.
fn article(number: usize) -> String {
    format!("---\ndate: 2024-01-02\n---\n# Story {number}\n\nThe text of story {number}.\n")
}

fn stories(count: usize) -> Rig {
    let rig = Rig::with(&[]);
    for number in 0..count {
        rig.write(&format!("{}/{number}.md", number % 3), &article(number));
    }
    let mut rig = rig;
    rig.start();
    rig
}

/// The same command, after a shell did `preparation`.
fn prepared(command: &Command, preparation: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{preparation}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(command.get_current_dir().unwrap());
    shell
}

// Two writers

#[test]
fn two_writers_the_second_ends_and_names_the_process_of_the_first() {
    let mut rig = Rig::serving(&[("one.txt", &story("One"))]);
    for _ in 0..2 {
        let second = rig.command().output().unwrap();
        let message = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(1), "{message}");
        let first = format!("found process {} at work", rig.process().as_raw_nonzero());
        assert!(message.contains(&first), "{message}");
        rig.until_titles(&["One"]);
        // However the first ends, the next one has the folder.
        rig.kill();
        rig.start();
    }
}

// What cannot be read is not gone

#[test]
fn vanished_permissions_of_files_folders_and_the_root_withdraw_nothing() {
    let rig = Rig::with(&[("keeps.md", "# Keeps\n\nText.\n"), ("a.md", "# A\n\nText.\n")]);
    for number in 0..12 {
        rig.write(&format!("n/{number}.md"), &format!("# Number {number}\n\nText.\n"));
    }
    let mut rig = rig;
    let mut command = rig.command();
    if geteuid().is_root() {
        // Root may read everything; nobody may not.
        fs::set_permissions(rig.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        command.uid(65534).gid(65534);
    }
    rig.start_as(command);
    rig.until("all", |it| it.all().len() == 14);
    let before = kept(&rig);
    let allow = |path: &str, mode: u32| {
        fs::set_permissions(rig.seeds().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, mode) in [("a.md", 0o644), ("n", 0o755), ("", 0o755)] {
        allow(path, 0);
        rig.until("the problem", |it| {
            health(it).contains("\"problems\":1") || health(it).contains("\"degraded\"")
        });
        rig.until("that it is told", |it| it.log().contains("permission denied"));
        // Longer than a removal waits: others are withdrawn meanwhile, as they should.
        if !path.is_empty() {
            rig.write("gone.md", "# Gone\n\nText.\n");
            rig.until("another", |it| it.get("/gone").status == 200);
            fs::remove_file(rig.seeds().join("gone.md")).unwrap();
            rig.until("its removal", |it| it.get("/gone").status == 410);
            rig.until("that of its entry", |it| it.all().values().all(|it| it.title != "Gone"));
        }
        assert_eq!(kept(&rig), before, "{path:?}");
        allow(path, mode);
        rig.until("that all is well", |it| {
            health(it).contains("\"problems\":0") && health(it).contains("\"ok\"")
        });
        assert_eq!(kept(&rig), before, "{path:?}");
    }
    rig.write("a.md", "# A, edited\n\nText.\n");
    rig.until("an edit", |it| it.get("/a").text().contains("A, edited"));
}

#[test]
fn vanished_a_removal_file_by_file_is_held_and_heals() {
    let rig = stories(12);
    let before = kept(&rig);
    let mut away = Vec::new();
    for number in 0..12 {
        let path = rig.seeds().join(format!("{}/{number}.md", number % 3));
        away.push((path.clone(), fs::read(&path).unwrap()));
        fs::remove_file(path).unwrap();
        // One batch for each of them, at least.
        let pass = format!("pass-{number}.md");
        rig.write(&pass, &format!("# Pass {number}\n\nText.\n"));
        rig.until("the batch", |it| it.get(&format!("/pass-{number}")).status == 200);
    }
    rig.until("degraded", |it| health(it).contains("\"degraded\""));
    let stays = |rig: &Rig| {
        let mut after = kept(rig);
        after.retain(|_, it| !it.0.starts_with("Pass"));
        after
    };
    assert_eq!(stays(&rig).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (path, bytes) in away {
        fs::write(path, bytes).unwrap();
    }
    rig.until("ok", |it| health(it).contains("\"ok\""));
    assert_eq!(stays(&rig).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(!rig.get("/feed.atom").text().contains("deleted-entry"));
}

#[test]
fn withdrawal_an_editor_that_renames_the_old_file_away_removes_nothing() {
    let rig = Rig::serving(&[("a.md", "# A\n\nText.\n"), ("b.md", "# B\n\nText.\n")]);
    let ids = |rig: &Rig| rig.feed("atom").into_keys().collect::<Vec<_>>();
    let before = ids(&rig);
    for round in 0..8 {
        let title = format!("Round {round}");
        fs::rename(rig.seeds().join("a.md"), rig.seeds().join("a.md~")).unwrap();
        fs::write(rig.seeds().join("a.md"), format!("# {title}\n\nText.\n")).unwrap();
        if round % 2 == 0 {
            fs::remove_file(rig.seeds().join("a.md~")).unwrap();
        }
        rig.until_titles(&["B", title.as_str()]);
        assert_eq!(ids(&rig), before, "{title}");
        assert!(!rig.get("/feed.atom").text().contains("deleted-entry"));
    }
}

// Missed events

#[test]
fn missed_events_a_queue_that_overflows_ends_equal_to_the_folder() {
    let rig = stories(12);
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    rig.freeze();
    // Nobody takes events out; each name is another than the last, so that none is merged.
    let (one, two) = (rig.seeds().join(".one"), rig.seeds().join(".two"));
    fs::write(&one, "x").unwrap();
    for _ in 0..limit {
        fs::rename(&one, &two).unwrap();
        fs::rename(&two, &one).unwrap();
    }
    // Of all this the kernel tells nothing any more.
    rig.write("new.md", "# New\n\nText.\n");
    rig.write("new/folder/deep.md", "# Deep\n\nText.\n");
    fs::rename(rig.seeds().join("0/0.md"), rig.seeds().join("moved.md")).unwrap();
    fs::remove_file(rig.seeds().join("1/1.md")).unwrap();
    fs::write(rig.seeds().join("2/2.md"), "# Edited\n\nText.\n").unwrap();
    rig.thaw();
    let mut titles: Vec<String> = (3..12).map(|it| format!("Story {it}")).collect();
    titles.extend(["New", "Deep", "Story 0", "Edited"].map(str::to_owned));
    rig.until_titles(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(rig.get("/0/0").headers["location"], "/moved");
    assert_eq!(rig.get("/1/1").status, 410);
    // What was made meanwhile is watched as all else.
    fs::write(rig.seeds().join("new/folder/deep.md"), "# Deeper\n\nText.\n").unwrap();
    rig.until("an edit", |it| it.get("/new/folder/deep").text().contains("Deeper"));
}

#[test]
fn missed_events_more_folders_than_the_kernel_watches_are_told_and_listed() {
    // Only a namespace of one's own has a limit of its own.
    let limit = "echo 6 > /proc/sys/user/max_inotify_watches";
    let namespace = ["--user", "--map-root-user", "sh", "-c"];
    let probe = Command::new("unshare").args(namespace).arg(limit).output();
    if !probe.is_ok_and(|it| it.status.success()) {
        eprintln!("not tried: no user namespace may be made here");
        return;
    }
    let rig = Rig::with(&[("a.md", "# A\n\nText.\n")]);
    for number in 0..9 {
        rig.write(&format!("{number}/deep/a.md"), &format!("# Number {number}\n\nText.\n"));
    }
    let mut rig = rig;
    let inner = prepared(&rig.command(), limit);
    let mut command = Command::new("unshare");
    command.args(&namespace[..2]).arg(inner.get_program()).args(inner.get_args());
    for (name, _) in inner.get_envs() {
        command.env_remove(name);
    }
    command.current_dir(rig.folder.path());
    rig.start_as(command);
    rig.until("all", |it| it.all().len() == 10);
    let log = rig.log();
    assert!(log.contains("no room for 19 more folders below the kernel's limit"), "{log}");
    assert!(log.contains("`sysctl fs.inotify.max_user_watches="), "{log}");
    assert!(log.contains("the folder is listed every 2 s instead"), "{log}");
    fs::write(rig.seeds().join("8/deep/a.md"), "# Edited\n\nText.\n").unwrap();
    rig.until("an edit", |it| it.get("/8/deep/a").text().contains("Edited"));
    fs::rename(rig.seeds().join("7"), rig.seeds().join("moved")).unwrap();
    rig.until("a move", |it| it.get("/7/deep/a").status == 301);
}

// Durability

/// What does not compress.
fn noise(length: usize) -> String {
    let words = (0_u32..).map(|it| blake3::hash(&it.to_le_bytes()).to_hex()[..8].to_owned() + " ");
    let mut text = String::from("# Noise\n\n");
    words.take(length / 9).for_each(|it| text.push_str(&it));
    text
}

/// Nothing new is written while nothing can be; what was published is served, all is
/// told, and taken in once there is room.
fn goes_on_and_recovers(rig: &Rig, stop: impl FnOnce(), allow: impl FnOnce()) {
    rig.until_titles(&["One", "Two"]);
    let before = kept(rig);
    let page = rig.get("/feed.atom");
    stop();
    rig.write("noise.md", &noise(3_000_000));
    rig.write("one.txt", &story("One, edited"));
    rig.until("that it is told", |it| health(it).contains("the catalog cannot be written"));
    assert!(health(rig).contains("\"degraded\""), "{}", health(rig));
    for _ in 0..50 {
        let now = rig.get("/feed.atom");
        assert_eq!((now.status, &now.headers["etag"]), (200, &page.headers["etag"]));
        assert_eq!(rig.get("/two").status, 200);
        assert_eq!(rig.get("/feed.json").status, 200);
    }
    assert!(rig.log().contains("what was published is served"), "{}", rig.log());
    allow();
    rig.until_titles(&["Noise", "One, edited", "Two"]);
    rig.until("ok", |it| health(it).contains("\"ok\""));
    assert!(rig.log().contains("the catalog can be written again"));
    let after = kept(rig);
    for (id, (_, published, _)) in &before {
        assert_eq!(&after[id].1, published, "nothing is lost, nothing is doubled");
    }
}

fn one_and_two() -> Rig {
    Rig::with(&[("one.txt", &story("One")), ("two.txt", &story("Two"))])
}

#[test]
fn durability_a_state_folder_that_takes_no_more_bytes_is_served_from_and_recovers() {
    let mut rig = one_and_two();
    let log = rig.folder.path().join("log");
    // Files may grow no more, its own log excepted, which is short.
    let command = prepared(&rig.command(), "trap '' XFSZ");
    rig.start_as(command);
    let limit = |bytes: Option<u64>| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(rig.process()), Resource::Fsize, limit).unwrap();
    };
    let stop = || limit(Some(fs::metadata(&log).unwrap().len().max(60_000)));
    goes_on_and_recovers(&rig, stop, || limit(None));
}

/// A disk of one's own, gone with this.
struct Disk(PathBuf);

impl Disk {
    /// `None` where nobody may mount one.
    fn of(size: &str, at: &Path) -> Option<Disk> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "sower-test"]).arg(at);
        mount.output().is_ok_and(|it| it.status.success()).then(|| Disk(at.to_owned()))
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        let error = loop {
            if let Err(error) = file.write_all(&[1; 1024]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also while something on it is open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn durability_a_full_disk_is_served_from_and_recovers() {
    let mut rig = one_and_two();
    let Some(disk) = Disk::of("24m", &rig.state()) else {
        eprintln!("not tried: nothing may be mounted here");
        return;
    };
    rig.start();
    goes_on_and_recovers(&rig, || disk.fill(), || disk.make_room());
    // Killed while it is full, nothing is lost either.
    let before = kept(&rig);
    disk.fill();
    rig.write("three.txt", &story("Three"));
    rig.kill();
    disk.make_room();
    rig.start();
    rig.until_titles(&["Noise", "One, edited", "Three", "Two"]);
    let mut after = kept(&rig);
    after.retain(|_, it| it.0 != "Three");
    assert_eq!(after, before);
}

#[test]
fn durability_kills_at_any_moment_lose_nothing_and_double_nothing() {
    let mut rig = stories(12);
    let before = kept(&rig);
    let ids = |it: &BTreeMap<String, _>| it.keys().cloned().collect::<Vec<_>>();
    let mut folders = ["0", "1", "2"].map(str::to_owned);
    for round in 0..8 {
        // A folder moves, another one is edited, a copy comes and its original goes.
        let to = format!("m{round}");
        rig.rename(&folders[round % 3], &to);
        folders[round % 3] = to;
        let (edited, copied) = (&folders[(round + 1) % 3], &folders[(round + 2) % 3]);
        for file in fs::read_dir(rig.seeds().join(edited)).unwrap() {
            let mut file = fs::File::options().append(true).open(file.unwrap().path()).unwrap();
            writeln!(file, "\nWhat is new in round {round}.").unwrap();
        }
        let copy = format!("c{round}");
        fs::create_dir(rig.seeds().join(&copy)).unwrap();
        for file in fs::read_dir(rig.seeds().join(copied)).unwrap() {
            let file = file.unwrap();
            let to = rig.seeds().join(&copy).join(file.file_name());
            fs::copy(file.path(), to).unwrap();
        }
        fs::remove_dir_all(rig.seeds().join(copied)).unwrap();
        folders[(round + 2) % 3] = copy;
        // At once, or after some of it was seen.
        for _ in 0..round * 3 {
            rig.get("/healthz");
        }
        rig.kill();
        rig.start();
        let newest = format!("What is new in round {round}.");
        let is_whole = |rig: &Rig| {
            let all = rig.all();
            let edited = all.values().filter(|it| it.body.contains(&newest)).count();
            let is_there = |it: &str| folders.iter().any(|at| it.contains(&format!("/{at}/")));
            edited == 4 && all.values().all(|it| is_there(&it.link))
        };
        rig.until("the folder as it is", is_whole);
        let after = kept(&rig);
        assert_eq!(ids(&after), ids(&before), "round {round}");
        for (id, (title, published, _)) in &before {
            assert_eq!((&after[id].0, &after[id].1), (title, published), "round {round}");
        }
        assert!(!rig.get("/feed.atom").text().contains("deleted-entry"), "round {round}");
    }
}
