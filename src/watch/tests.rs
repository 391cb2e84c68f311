//! Real folders, real events: what is written is told, once it is whole.
//!
//! Each test waits for what it expects, never for a time.

use std::collections::BTreeMap;
use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use rustix::io::Errno;
use tempfile::TempDir;

use super::*;
use crate::watch::read::Faults;
use crate::watch::seed::File;
use crate::watch::seed::Seed;

/// So long a test waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that is watched, and what was told of it.
struct Watched {
    _home: TempDir,
    root: PathBuf,
    watcher: Option<Watcher>,
    news: Receiver<News>,
    catalog: Arc<Mutex<BTreeMap<SeedPath, Stat>>>,
    /// By path, in their order: the text of a seed, the type of a file, what else
    /// was told.
    told: BTreeMap<String, Vec<String>>,
    compared: usize,
    lost: Vec<bool>,
    notices: Vec<String>,
}

fn options(mode: Mode) -> Options {
    Options {
        root: PathBuf::new(),
        settle: Duration::from_millis(300),
        mode,
        compare_every: Duration::from_secs(600),
        max_bytes: 1_000_000,
        follow_links: false,
        is_seed: |path| matches!(path.extension().as_deref(), Some("md" | "txt")),
    }
}

impl Watched {
    fn new(options: Options) -> Watched {
        Watched::with(options, Edges::default(), |_| {})
    }

    /// `prepare` is called with the folder before it is watched.
    fn with(mut options: Options, edges: Edges, prepare: impl FnOnce(&Path)) -> Watched {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("seeds");
        fs::create_dir(&root).unwrap();
        prepare(&root);
        options.root = root.clone();
        let (sink, news) = sync_channel(4);
        let catalog = Arc::new(Mutex::new(BTreeMap::new()));
        let known = Arc::clone(&catalog);
        let known = move || Ok(known.lock().unwrap().clone().into_iter().collect());
        let watcher = start_at(options, Box::new(known), sink, edges).unwrap();
        let mut watched = Watched {
            _home: home,
            root,
            watcher: Some(watcher),
            news,
            catalog,
            told: BTreeMap::new(),
            compared: 0,
            lost: Vec::new(),
            notices: Vec::new(),
        };
        watched.until("the first comparison", |it| it.compared == 1 || !it.lost.is_empty());
        watched
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn watcher(&self) -> &Watcher {
        self.watcher.as_ref().unwrap()
    }

    /// What was told last of `path`.
    fn last(&self, path: &str) -> Option<&str> {
        self.told.get(path).and_then(|it| it.last()).map(String::as_str)
    }

    /// Takes news in until `is_met`.
    fn until(&mut self, what: &str, mut is_met: impl FnMut(&Watched) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_met(self) {
            match self.news.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(news) => self.take_in(news),
                Err(RecvTimeoutError::Timeout) => panic!(
                    "{what}: waited in vain; compared {} times, lost {:?}, {:?}, told {:#?}",
                    self.compared, self.lost, self.notices, self.told
                ),
                Err(RecvTimeoutError::Disconnected) => panic!("{what}: the watcher ended"),
            }
        }
    }

    fn until_last(&mut self, path: &str, expected: &str) {
        self.until(&format!("`{expected}` at {path}"), |it| it.last(path) == Some(expected));
    }

    /// Writes a seed and waits until it is told: whatever was told of what happened
    /// before it has come then.
    fn pass(&mut self) {
        let text = format!("pass {}", self.told.get("pass.md").map_or(0, Vec::len));
        self.write("pass.md", &text);
        self.until_last("pass.md", &text);
    }

    /// Compares the folder and waits for the end of it.
    fn compare(&mut self) {
        let before = self.compared;
        self.watcher().compare_now();
        self.until("a comparison", |it| it.compared > before);
    }

    fn take_in(&mut self, news: News) {
        let changes = match news {
            News::Changes(changes) => changes,
            News::Compared { device, inode } => {
                use std::os::unix::fs::MetadataExt;
                if let Ok(root) = fs::metadata(&self.root) {
                    assert_eq!((root.dev(), root.ino()), (device, inode), "the root's own");
                }
                self.compared += 1;
                return;
            }
            News::Lost { is_missing, .. } => return self.lost.push(is_missing),
            News::Notice(text) => return self.notices.push(text),
        };
        assert!(!changes.is_empty() && changes.len() <= 256, "a batch of {}", changes.len());
        let mut catalog = self.catalog.lock().unwrap();
        for change in changes {
            let (path, told) = match change {
                Change::Written(Seed { path, stat, bytes, surroundings }) => {
                    catalog.insert(path.clone(), stat);
                    let mut told = String::from_utf8(bytes).unwrap();
                    for around in surroundings.folders.iter().map(|it| &it.1) {
                        told += &format!(" <{}>", String::from_utf8_lossy(around));
                    }
                    if let Some(around) = surroundings.sidecar {
                        told += &format!(" +{}", String::from_utf8_lossy(&around));
                    }
                    (path, told)
                }
                Change::File(File { path, stat, media_type, size }) => {
                    catalog.insert(path.clone(), stat);
                    let size = size.map(|(x, y)| format!(" {x}x{y}")).unwrap_or_default();
                    (path, media_type + &size)
                }
                Change::Gone(path) => {
                    catalog.remove(&path);
                    (path, "gone".into())
                }
                Change::Unreadable { path, reason } => (path, reason),
            };
            self.told.entry(path.to_string()).or_default().push(told);
        }
    }
}

#[test]
fn what_is_written_is_told_once() {
    let mut it = Watched::new(options(Mode::Events));
    it.write("a.md", "one");
    it.until_last("a.md", "one");
    it.write("a.md", "two");
    it.until_last("a.md", "two");
    fs::remove_file(it.path("a.md")).unwrap();
    it.until_last("a.md", "gone");
    it.pass();
    assert_eq!(it.told["a.md"], ["one", "two", "gone"]);
    assert_eq!(it.told.len(), 2, "{:?}", it.told);
}

#[test]
fn what_stands_there_at_the_start_is_compared_with_what_is_known() {
    let mut it = Watched::with(options(Mode::Events), Edges::default(), |root| {
        fs::create_dir_all(root.join("a/b")).unwrap();
        for path in ["x.md", "a/x.md", "a/b/x.md", "a/b/photo.png"] {
            fs::write(root.join(path), "text").unwrap();
        }
    });
    let told = [
        ("a/b/photo.png", "image/png"),
        ("a/b/x.md", "text"),
        ("a/x.md", "text"),
        ("x.md", "text"),
    ];
    let told: Vec<_> = told.map(|(path, told)| (path.to_owned(), vec![told.to_owned()])).into();
    assert_eq!(
        it.told.clone().into_iter().collect::<Vec<_>>(),
        told,
        "before the comparison ended"
    );
    let gone = SeedPath::new("long/gone.md").unwrap();
    let stat = it.catalog.lock().unwrap()[&SeedPath::new("x.md").unwrap()];
    it.catalog.lock().unwrap().insert(gone, stat);
    it.catalog.lock().unwrap().remove(&SeedPath::new("a/x.md").unwrap());
    it.compare();
    assert_eq!(it.told["a/x.md"], ["text", "text"], "what the catalog does not know is told again");
    assert_eq!(it.told["x.md"], ["text"], "what it knows is not read again");
    assert_eq!(it.told["long/gone.md"], ["gone"]);
}

#[test]
fn new_folders_with_all_that_is_in_them() {
    let mut it = Watched::new(options(Mode::Events));
    for round in 0..5 {
        let mut paths = Vec::new();
        for branch in 0..50 {
            let folder = format!("round{round}/{branch}/x/y");
            fs::create_dir_all(it.path(&folder)).unwrap();
            for name in 0..4 {
                let path = format!("{folder}/{name}.md");
                it.write(&path, &path);
                paths.push(path);
            }
        }
        it.until("200 files", |it| paths.iter().all(|path| it.last(path) == Some(path)));
        // Every one of the new folders is watched.
        for path in &paths {
            it.write(path, "again");
        }
        it.until("200 edits", |it| paths.iter().all(|path| it.last(path) == Some("again")));
    }
    assert_eq!(it.compared, 1, "without a comparison");
}

#[test]
fn editors_that_save_by_renaming() {
    let mut it = Watched::new(options(Mode::Events));
    it.write("a.md", "one");
    it.until_last("a.md", "one");
    for round in 0..20 {
        let text = format!("round {round}");
        // GNOME, rsync and most others: write beside it, then rename.
        it.write(".goutputstream-X", &text);
        fs::rename(it.path(".goutputstream-X"), it.path("a.md")).unwrap();
        it.until_last("a.md", &text);
        // Vim: the old file becomes the backup.
        fs::write(it.path("4913"), "").unwrap();
        fs::remove_file(it.path("4913")).unwrap();
        fs::rename(it.path("a.md"), it.path("a.md~")).unwrap();
        it.write("a.md", &format!("vim {text}"));
        it.until_last("a.md", &format!("vim {text}"));
        fs::remove_file(it.path("a.md~")).unwrap();
    }
    it.pass();
    let names: Vec<_> = it.told.keys().map(String::as_str).collect();
    assert_eq!(names, ["a.md", "pass.md"], "nothing of what lies beside it");
    // On a loaded machine a writer may rest for the settle time between making, filling
    // and closing: the file is told empty or twice then, which is true and revises
    // nothing. No text comes late, none is skipped.
    let mut told = it.told["a.md"].clone();
    told.retain(|it| it != "gone" && !it.is_empty());
    told.dedup();
    assert_eq!(told.len(), 41, "each save, in its order: {told:?}");
}

#[test]
fn folders_that_are_renamed_and_moved_away() {
    let mut it = Watched::new(options(Mode::Events));
    fs::create_dir_all(it.path("a/deep")).unwrap();
    let names = ["1.md", "2.md", "deep/3.md", "deep/photo.gif"];
    for name in names {
        it.write(&format!("a/{name}"), name);
    }
    it.until("all", |it| names.iter().all(|name| it.last(&format!("a/{name}")).is_some()));
    let (mut from, mut to) = ("a", "b");
    for _ in 0..10 {
        fs::rename(it.path(from), it.path(to)).unwrap();
        it.until("the move", |it| {
            names.iter().all(|name| {
                it.last(&format!("{from}/{name}")) == Some("gone")
                    && it.last(&format!("{to}/{name}")).is_some_and(|told| told != "gone")
            })
        });
        it.write(&format!("{to}/deep/3.md"), to);
        it.until_last(&format!("{to}/deep/3.md"), to);
        std::mem::swap(&mut from, &mut to);
    }
    let elsewhere = it._home.path().join("elsewhere");
    fs::rename(it.path(from), &elsewhere).unwrap();
    it.until("all gone", |it| {
        names.iter().all(|name| it.last(&format!("{from}/{name}")) == Some("gone"))
    });
    fs::write(elsewhere.join("1.md"), "not ours").unwrap();
    it.pass();
    assert!(!it.told.values().flatten().any(|told| told == "not ours"));
    fs::rename(&elsewhere, it.path("back")).unwrap();
    it.until_last("back/1.md", "not ours");
    assert_eq!(it.compared, 1, "without a comparison");
}

#[test]
fn promise_2_a_slow_writer_is_told_once_and_whole() {
    let mut slow = options(Mode::Events);
    slow.settle = Duration::from_millis(5);
    let mut it = Watched::new(slow);
    let piece = "x".repeat(9_000);
    let mut file = fs::File::create(it.path("slow.md")).unwrap();
    for round in 0..100 {
        file.write_all(piece.as_bytes()).unwrap();
        // Far longer than the settle time, without a guess: others come and go.
        if round % 10 == 0 {
            it.pass();
            if round == 50 {
                it.compare();
            }
        }
    }
    // An empty file may be told: where the writer begins late, nobody can tell.
    let told = |it: &Watched| {
        let told = it.told.get("slow.md").cloned().unwrap_or_default();
        told.into_iter().filter(|told| !told.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(told(&it), [""; 0], "nothing before it is closed");
    drop(file);
    it.until("the whole file", |it| !told(it).is_empty());
    it.pass();
    assert_eq!(told(&it), [piece.repeat(100)]);
}

#[test]
fn a_writer_that_opens_again_and_again_waits() {
    let mut it = Watched::new(options(Mode::Events));
    let mut text = String::new();
    for _ in 0..200 {
        let mut file =
            OpenOptions::new().append(true).create(true).open(it.path("log.md")).unwrap();
        file.write_all(b"line\n").unwrap();
        text += "line\n";
    }
    it.until_last("log.md", &text);
    assert!(it.told["log.md"].len() <= 3, "told {} times", it.told["log.md"].len());
}

#[test]
fn files_are_told_with_type_and_size() {
    let mut it = Watched::new(options(Mode::Events));
    let gif = b"GIF89a\x20\x03\x58\x02\x80\0\0";
    fs::write(it.path("photo.jpg"), gif).unwrap();
    // A preview of 200 KB stands before the size.
    let mut jpeg = vec![0xff, 0xd8];
    for _ in 0..4 {
        jpeg.extend([0xff, 0xe2, 0xc3, 0x50]);
        jpeg.resize(jpeg.len() + 0xc34e, 0);
    }
    jpeg.extend(b"\xff\xc0\0\x11\x08\x01\0\x02\0\x03\x01\x11\0\x02\x11\0\x03\x11\0");
    jpeg.resize(jpeg.len() + 50_000, 0);
    fs::write(it.path("large.jpg"), jpeg).unwrap();
    fs::write(it.path("film.mp4"), "").unwrap();
    fs::write(it.path("LICENSE"), "words").unwrap();
    it.until_last("photo.jpg", "image/gif 800x600");
    it.until_last("large.jpg", "image/jpeg 512x256");
    it.until_last("film.mp4", "video/mp4");
    it.until_last("LICENSE", "application/octet-stream");
}

#[test]
fn surroundings_are_told_with_their_seeds() {
    let mut it = Watched::new(options(Mode::Events));
    fs::create_dir(it.path("news")).unwrap();
    it.write("news/kim.md", "kim");
    it.until_last("news/kim.md", "kim");
    it.write("news/kim.toml", "side");
    it.until_last("news/kim.md", "kim +side");
    it.write("folder.toml", "root");
    it.until_last("news/kim.md", "kim <root> +side");
    it.write("news/folder.toml", "news");
    it.until_last("news/kim.md", "kim <root> <news> +side");
    it.compare();
    assert_eq!(it.last("folder.toml"), None, "they are no files themselves");
    assert_eq!(it.told["news/kim.md"].len(), 4, "{:?}", it.told);

    fs::remove_file(it.path("folder.toml")).unwrap();
    it.until_last("news/kim.md", "kim <news> +side");
    fs::remove_file(it.path("news/kim.md")).unwrap();
    it.until_last("news/kim.toml", "application/toml");
    it.write("news/kim.md", "kim again");
    it.until_last("news/kim.md", "kim again <news> +side");
    it.until_last("news/kim.toml", "gone");
    let told = it.told["news/kim.md"].len();
    it.compare();
    assert_eq!(it.told["news/kim.md"].len(), told, "nothing changed: {:?}", it.told);
}

#[test]
fn surroundings_that_changed_while_nobody_watched() {
    let mut it =
        Watched::with(options(Mode::Poll(Duration::from_secs(600))), Edges::default(), |root| {
            fs::write(root.join("a.md"), "a").unwrap();
            fs::write(root.join("a.toml"), "side").unwrap();
        });
    it.compare();
    assert_eq!(it.told["a.md"], ["a +side"]);
    it.write("a.toml", "new");
    it.compare();
    fs::remove_file(it.path("a.toml")).unwrap();
    it.compare();
    assert_eq!(it.told["a.md"], ["a +side", "a +new", "a"]);
}

#[test]
fn rules_of_what_is_ignored() {
    let mut it = Watched::new(options(Mode::Events));
    fs::create_dir(it.path("private")).unwrap();
    for path in ["private/a.md", "b.md", "c.md"] {
        it.write(path, "text");
    }
    it.until("all", |it| it.told.len() == 3);
    it.write(".sowerignore", "private/\nc.md\n");
    it.until_last("private/a.md", "gone");
    it.until_last("c.md", "gone");
    it.write("private/d.md", "hidden");
    it.pass();
    assert_eq!(it.last("private/d.md"), None);
    fs::remove_file(it.path(".sowerignore")).unwrap();
    it.until_last("private/d.md", "hidden");
    it.until_last("c.md", "text");
    it.write(".sowerignore", "ok\n{a\n");
    it.until("a broken line", |it| !it.notices.is_empty());
    it.compare();
    assert_eq!(it.notices.len(), 1, "said once");
    assert!(it.notices[0].starts_with(".sowerignore: line 2: "), "{:?}", it.notices);
    assert_eq!(it.told["b.md"], ["text"], "what no rule names is left alone");
}

#[test]
fn a_site_generator_comes_and_goes() {
    let mut it = Watched::new(options(Mode::Events));
    for folder in ["_layouts", "_posts", "_site"] {
        fs::create_dir(it.path(folder)).unwrap();
    }
    for path in ["_layouts/a.md", "_posts/b.md", "_site/b.md"] {
        it.write(path, "text");
    }
    it.until("all", |it| it.told.len() == 3);
    it.write("_config.yml", "title: x");
    it.until_last("_layouts/a.md", "gone");
    it.until_last("_site/b.md", "gone");
    fs::remove_file(it.path("_config.yml")).unwrap();
    it.until_last("_site/b.md", "text");
    assert_eq!(it.told["_posts/b.md"], ["text"], "the seeds are left alone");
}

#[test]
fn promise_4_what_cannot_be_read_is_not_gone() {
    let is_broken = Arc::new(Mutex::new(false));
    let broken = Arc::clone(&is_broken);
    let at = move |path: &SeedPath| {
        let is_broken = *broken.lock().unwrap();
        match path.as_bytes() {
            b"file.md" => is_broken.then_some(Errno::ACCESS),
            b"folder" => is_broken.then_some(Errno::IO),
            b"stale.md" => is_broken.then_some(Errno::STALE),
            _ => None,
        }
    };
    let faults = Faults { at: Some(Arc::new(at)), old_kernel: false };
    let edges = Edges { faults, ..Edges::default() };
    let mut it = Watched::with(options(Mode::Events), edges, |root| {
        fs::create_dir(root.join("folder")).unwrap();
        for path in ["file.md", "stale.md", "folder/a.md"] {
            fs::write(root.join(path), "text").unwrap();
        }
    });
    *is_broken.lock().unwrap() = true;
    it.catalog.lock().unwrap().clear();
    let known = ["file.md", "stale.md", "folder/a.md", "truly-gone.md"];
    let stat = Stat { device: 0, inode: 0, birth: None, length: 0, modified: 0, changed: 0 };
    for path in known {
        it.catalog.lock().unwrap().insert(SeedPath::new(path).unwrap(), stat);
    }
    it.compare();
    let [access, io, stale] = [Errno::ACCESS, Errno::IO, Errno::STALE].map(|it| it.raw_os_error());
    let expected = [
        (
            "file.md",
            format!("expected a readable file, found permission denied (os error {access})"),
        ),
        ("folder", format!("expected a readable folder, found input/output error (os error {io})")),
        (
            "stale.md",
            format!("expected a readable file, found stale file handle (os error {stale})"),
        ),
        ("folder/a.md", "text".into()),
        ("truly-gone.md", "gone".into()),
    ];
    for (path, told) in expected {
        assert_eq!(it.last(path), Some(told.as_str()), "{path}");
    }
    // Also where an event says that something happened there.
    fs::remove_file(it.path("file.md")).unwrap();
    it.pass();
    assert_ne!(it.last("file.md"), Some("gone"), "nobody knows");

    *is_broken.lock().unwrap() = false;
    it.compare();
    assert_eq!(it.last("file.md"), Some("gone"));
    assert_eq!(it.last("folder"), Some("gone"), "the problem is over");
    assert_eq!(it.last("stale.md"), Some("text"));
    assert_eq!(it.last("folder/a.md"), Some("text"));
}

#[test]
fn what_is_no_plain_file_is_never_opened() {
    for old_kernel in [false, true] {
        let faults = Faults { at: None, old_kernel };
        let mut it =
            Watched::with(options(Mode::Events), Edges { faults, ..Edges::default() }, |root| {
                fs::write(root.parent().unwrap().join("secret.md"), "secret").unwrap();
                fs::create_dir(root.join("folder")).unwrap();
                fs::write(root.join("folder/in.md"), "in").unwrap();
            });
        symlink("../secret.md", it.path("out.md")).unwrap();
        symlink("/etc", it.path("etc")).unwrap();
        symlink("folder/in.md", it.path("link.md")).unwrap();
        symlink("loop.md", it.path("loop.md")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, it.path("pipe.md"), fifo, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(it.path("socket.md")).unwrap();
        let link = "expected a file or folder, found a symbolic link";
        for path in ["out.md", "etc", "link.md", "loop.md"] {
            it.until_last(path, link);
        }
        it.until_last("pipe.md", "expected a file or folder, found a named pipe");
        it.until_last("socket.md", "expected a file or folder, found a socket");
        it.compare();
        it.pass();
        assert!(!it.told.values().flatten().any(|told| told == "secret"), "{:?}", it.told);
        assert_eq!(it.told.keys().filter(|path| path.starts_with("etc/")).count(), 0);

        // A folder becomes a link: what was in it is not gone, and not read through it.
        fs::rename(it.path("folder"), it._home.path().join("away")).unwrap();
        symlink("../away", it.path("folder")).unwrap();
        it.until_last("folder", link);
        it.write("pipe2.md", "x");
        it.until_last("pipe2.md", "x");
        fs::remove_file(it.path("pipe.md")).unwrap();
        it.until_last("pipe.md", "gone");
    }
}

#[test]
fn links_are_followed_where_they_are_allowed_and_stay_inside() {
    let mut allowed = options(Mode::Events);
    allowed.follow_links = true;
    let mut it = Watched::with(allowed, Edges::default(), |root| {
        fs::write(root.parent().unwrap().join("secret.md"), "secret").unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        fs::write(root.join("folder/in.md"), "in").unwrap();
        symlink("folder/in.md", root.join("link.md")).unwrap();
        symlink("../secret.md", root.join("out.md")).unwrap();
        symlink("/etc/hostname", root.join("absolute.md")).unwrap();
        symlink("loop.md", root.join("loop.md")).unwrap();
        symlink("nowhere.md", root.join("broken.md")).unwrap();
        symlink(".", root.join("self")).unwrap();
    });
    let expected = [
        ("link.md", "in"),
        ("out.md", "expected a file or folder, found a symbolic link that leaves the folder"),
        ("absolute.md", "expected a file or folder, found a symbolic link that leaves the folder"),
        ("loop.md", "expected a file or folder, found a symbolic link that leads to itself"),
        ("broken.md", "expected a file or folder, found a symbolic link to nothing"),
        ("self", "expected a file or folder, found a symbolic link to a folder"),
    ];
    for (path, told) in expected {
        assert_eq!(it.last(path), Some(told), "{path}");
    }
    it.write("link.md", "through the link");
    it.compare();
    assert_eq!(it.last("link.md"), Some("through the link"));
}

#[test]
fn a_seed_that_is_too_large_is_not_read() {
    let mut small = options(Mode::Events);
    small.max_bytes = 10;
    let mut it = Watched::new(small);
    it.write("a.md", "0123456789");
    it.until_last("a.md", "0123456789");
    it.write("a.md", "0123456789a");
    it.until_last("a.md", "expected at most 10 bytes, found 11");
    it.write("a.md", "short");
    it.until_last("a.md", "short");
    it.write("folder.toml", &"x".repeat(70_000));
    it.until_last("a.md", "expected at most 65536 bytes, found 70000 at `folder.toml`");
    it.write("folder.toml", "x");
    it.until_last("a.md", "short <x>");
}

#[test]
fn the_folder_goes_and_comes() {
    let mut it = Watched::new(options(Mode::Events));
    it.write("a.md", "one");
    it.until_last("a.md", "one");
    let away = it._home.path().join("away");
    fs::rename(&it.root, &away).unwrap();
    it.until("the loss", |it| it.lost == [true]);
    assert_eq!(it.told["a.md"], ["one"], "nothing is gone because the folder is");
    fs::write(away.join("b.md"), "while it was away").unwrap();
    fs::rename(&away, &it.root).unwrap();
    it.until("its return", |it| it.compared == 2);
    assert_eq!(it.last("b.md"), Some("while it was away"), "before the comparison ended");
    it.write("c.md", "watched");
    it.until_last("c.md", "watched");

    fs::remove_dir_all(&it.root).unwrap();
    it.until("the second loss", |it| it.lost == [true, true]);
    fs::write(&it.root, "a file in its place").unwrap();
    fs::remove_file(&it.root).unwrap();
    fs::create_dir(&it.root).unwrap();
    it.write("d.md", "another folder");
    it.until_last("d.md", "another folder");
    it.until("all that was there is gone", |it| {
        ["a.md", "b.md", "c.md"].iter().all(|path| it.last(path) == Some("gone"))
    });
    // The new folder is watched as the old one was.
    let compared = it.compared;
    fs::create_dir(it.path("sub")).unwrap();
    it.write("sub/e.md", "new");
    it.until_last("sub/e.md", "new");
    assert_eq!(it.compared, compared.max(3));
}

#[test]
fn another_folder_takes_its_place_at_a_stroke() {
    let mut it = Watched::new(options(Mode::Events));
    it.write("a.md", "one");
    it.until_last("a.md", "one");
    let other = it._home.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("b.md"), "other").unwrap();
    let cwd = rustix::fs::CWD;
    let exchange = rustix::fs::RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(cwd, &other, cwd, &it.root, exchange).unwrap();
    it.until("the comparison", |it| it.compared == 2);
    assert_eq!(it.last("b.md"), Some("other"));
    assert_eq!(it.last("a.md"), Some("gone"));
    fs::write(other.join("a.md"), "the old folder").unwrap();
    it.pass();
    assert_eq!(it.last("a.md"), Some("gone"), "what happens there is not ours any more");
}

#[test]
fn a_folder_that_is_missing_at_the_start() {
    let mut it = Watched::with(options(Mode::Auto), Edges::default(), |root| {
        fs::remove_dir(root).unwrap();
    });
    assert_eq!((it.compared, it.lost.as_slice()), (0, &[true][..]));
    fs::create_dir(&it.root).unwrap();
    it.write("a.md", "one");
    it.until_last("a.md", "one");
    it.until("the comparison", |it| it.compared == 1);
}

#[test]
fn by_listing_alone() {
    let mut it = Watched::new(options(Mode::Poll(Duration::from_millis(20))));
    fs::create_dir_all(it.path("a/b")).unwrap();
    it.write("a/b/x.md", "one");
    it.until_last("a/b/x.md", "one");
    it.write("a/b/x.md", "two");
    it.until_last("a/b/x.md", "two");
    fs::rename(it.path("a"), it.path("c")).unwrap();
    it.until_last("a/b/x.md", "gone");
    it.until_last("c/b/x.md", "two");
    symlink("x.md", it.path("link.md")).unwrap();
    it.until_last("link.md", "expected a file or folder, found a symbolic link");
    it.pass();
    it.pass();
    assert_eq!(it.told["link.md"].len(), 1, "a problem is told once");
    fs::remove_file(it.path("link.md")).unwrap();
    it.until_last("link.md", "gone");
    assert_eq!(it.compared, 1, "what is only listed is no comparison");
}

#[test]
fn promise_6_lost_events_are_made_up_for() {
    let mut it = Watched::new(options(Mode::Poll(Duration::from_secs(600))));
    for number in 0..1_000 {
        it.write(&format!("{number}.md"), "one");
    }
    it.watcher().inbox.push(Event::Everything);
    it.until("the comparison", |it| it.compared == 2);
    assert_eq!(it.told.len(), 1_000, "all of them before it ended");
    assert!(it.told.values().all(|told| *told == ["one"]));
}

#[test]
fn too_many_folders_for_the_kernel() {
    let edges = Edges { most_watched: 3, ..Edges::default() };
    let mut it = Watched::with(options(Mode::Events), edges, |root| {
        fs::create_dir_all(root.join("a/b/c/d")).unwrap();
    });
    it.until("a notice", |it| !it.notices.is_empty());
    assert!(it.notices[0].contains("5 more folders"), "{:?}", it.notices);
    assert!(it.notices[0].contains("`sysctl fs.inotify.max_user_watches="), "{:?}", it.notices);
    it.write("a/b/c/d/x.md", "deep");
    it.until_last("a/b/c/d/x.md", "deep");
    it.compare();
    assert_eq!(it.notices.len(), 1, "said once: {:?}", it.notices);
}

#[test]
fn from_time_to_time_the_folder_is_compared() {
    let mut often = options(Mode::Poll(Duration::from_secs(600)));
    often.compare_every = Duration::from_millis(10);
    let mut it = Watched::new(often);
    it.write("a.md", "one");
    it.until_last("a.md", "one");
    let before = it.compared;
    it.until("two more", |it| it.compared >= before + 2);
}

#[test]
fn nobody_takes_the_news() {
    let mut it = Watched::new(options(Mode::Events));
    for number in 0..3_000 {
        it.write(&format!("{number}.md"), "one");
    }
    it.until("some of it", |it| !it.told.is_empty());
    // The channel is full; the thread ends all the same.
    it.watcher.take().unwrap().stop();
}

#[test]
fn rules_that_cannot_be_read_publish_nothing() {
    let mut it = Watched::with(options(Mode::Events), Edges::default(), |root| {
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/x.md"), "text").unwrap();
        fs::write(root.join("b.md"), "text").unwrap();
        symlink("/etc/hostname", root.join("a/.sowerignore")).unwrap();
    });
    let reason = "expected a file, found a symbolic link at `a/.sowerignore`";
    assert_eq!(it.last("a"), Some(reason));
    assert_eq!(it.last("a/x.md"), None);
    fs::remove_file(it.path("a/.sowerignore")).unwrap();
    it.until_last("a/x.md", "text");
    it.until_last("a", "gone");
    symlink("/etc/hostname", it.path(".sowerignore")).unwrap();
    it.until("the loss", |it| it.lost == [false]);
    assert_eq!(it.told["b.md"], ["text"]);
    fs::remove_file(it.path(".sowerignore")).unwrap();
    let compared = it.compared;
    it.until("its return", |it| it.compared > compared);
}

#[test]
fn a_seed_waits_for_surroundings_that_are_being_written() {
    let mut it = Watched::new(options(Mode::Events));
    let mut defaults = fs::File::create(it.path("folder.toml")).unwrap();
    defaults.write_all(b"draft = tr").unwrap();
    it.write("other.toml", "");
    it.until_last("other.toml", "application/toml");
    it.write("a.md", "a");
    it.write("photo.gif", "");
    it.until_last("photo.gif", "image/gif");
    assert_eq!(it.last("a.md"), None, "half a default might publish a draft");
    defaults.write_all(b"ue").unwrap();
    drop(defaults);
    it.until_last("a.md", "a <draft = true>");
    assert_eq!(it.told["a.md"].len(), 1);
}

#[test]
fn names_of_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let mut it = Watched::new(options(Mode::Events));
    let name = std::ffi::OsStr::from_bytes(b"\xff\n \xc3\xa9.md");
    fs::write(it.root.join(name), "text").unwrap();
    it.until_last("\\xff\\n é.md", "text");
}

#[test]
fn the_catalog_cannot_say_what_it_knows() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a.md"), "text").unwrap();
    let (sink, news) = sync_channel(4);
    let known = || Err("a broken disk".to_owned());
    let options = Options { root: home.path().into(), ..options(Mode::Events) };
    let _watcher = start(options, Box::new(known), sink).unwrap();
    let News::Notice(text) = news.recv_timeout(PATIENCE).unwrap() else { panic!("no notice") };
    assert!(text.contains("a broken disk"), "{text}");
}

/// Whatever happens in whatever order, the end is what stands in the folder,
/// without a comparison.
#[test]
fn promise_6_any_disorder_ends_equal_to_the_folder() {
    for seed in 1..=6u64 {
        let mut it = Watched::new(options(Mode::Events));
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let names = ["a", "b", "c", "a/a", "a/b", "b/a", "b/b", "c/a/b", "a/b/c/d"];
        for step in 0..1_500 {
            let mut name = || names[usize::try_from(next(9)).unwrap()].to_owned();
            let (one, other) = (it.path(&name()), it.path(&name()));
            let file = format!("{}.md", next(3));
            // What cannot be done is not done: that is part of the disorder.
            let _ = match next(9) {
                0 | 1 => fs::create_dir_all(&one),
                2..=4 => fs::write(one.join(file), format!("{seed} {step}")),
                5 => fs::rename(one.join(&file), other.join(&file)),
                6 => fs::rename(one, other),
                7 => fs::remove_file(one.join(file)),
                _ => fs::remove_dir_all(one),
            };
        }
        let expected = texts(&it.root);
        it.until(&format!("seed {seed}"), |it| {
            let told = it
                .told
                .iter()
                .filter_map(|(path, told)| Some((path.clone(), told.last()?.clone())));
            told.filter(|(_, told)| told != "gone").collect::<BTreeMap<_, _>>() == expected
        });
        it.pass();
        assert_eq!((it.compared, it.notices.len()), (1, 0), "seed {seed}: {:?}", it.notices);
    }
}

/// The text of every file below `folder`.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let relative = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(relative, fs::read_to_string(path).unwrap());
        }
    }
    found
}
