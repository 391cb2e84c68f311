//! A seeds folder that is made up: the catalog and the line are real, files are rows
//! of a map, and time is set by hand.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sower::catalog::chosen::Feeds;
use sower::catalog::order::Limits;
use sower::catalog::rows::SECOND;
use sower::catalog::{Catalog, Options, Reader, Sighting, Touched};
use sower::convert;
use sower::feed::page::Site;
use sower::line::{self, Look};
use sower::render::rendition::{Key, Made, Payload};
use sower::render::theme::Theme;
use sower::watch::seed::{Change, File, Seed, SeedPath, Stat, Surroundings};

const DAY: i64 = 24 * 3600 * SECOND;

/// A folder, a clock and a catalog.
#[derive(Debug)]
pub struct Folder {
    catalog: Catalog,
    pub reader: Reader,
    pub now: Timestamp,
    files: BTreeMap<String, (Stat, String)>,
    inodes: u64,
    look: Look,
    _state: tempfile::TempDir,
}

impl Folder {
    /// Whose first import found nothing, some time ago. A document holds few entries,
    /// so that what happens at its borders happens often.
    pub fn new() -> Folder {
        let state = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let options = Options {
            feeds: Feeds { limits: Limits { limit: 5, max: 12 }, chosen: Vec::new() },
            copy_wait: 3600 * SECOND,
            tombstones: 90 * DAY,
            backdate: 30 * DAY,
            vanished_share: 0.5,
            converter: 1,
            convert_options: [0; 32],
        };
        let mut catalog = Catalog::open(state.path(), "key".into(), options, now).unwrap();
        catalog.compared(1, 1, now).unwrap();
        let reader = catalog.reader().unwrap();
        let files = BTreeMap::new();
        let mut folder =
            Folder { catalog, reader, now, files, inodes: 100, look: look(), _state: state };
        folder.pass(100);
        folder
    }

    pub fn pass(&mut self, seconds: i64) -> Touched {
        self.now += SignedDuration::from_secs(seconds);
        self.catalog.tick(self.now).unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(|it| it.1.as_str())
    }

    /// Writes a file, new or not, and has it looked at.
    pub fn write(&mut self, name: &str, text: &str) -> Touched {
        let time = self.now.as_nanosecond() as i64;
        let (inode, birth) = match self.files.get(name) {
            Some((stat, _)) => (stat.inode, stat.birth),
            None => {
                self.inodes += 1;
                (self.inodes, Some(time + self.inodes as i64))
            }
        };
        let length = text.len() as u64;
        let stat = Stat { device: 1, inode, birth, length, modified: time, changed: time };
        self.files.insert(name.into(), (stat, text.into()));
        self.look(&[name])
    }

    pub fn rename(&mut self, from: &str, to: &str) -> Touched {
        let file = self.files.remove(from).unwrap();
        self.files.insert(to.into(), file);
        self.look(&[from, to])
    }

    /// Removes a file, and waits until that is believed.
    pub fn remove(&mut self, name: &str) -> Touched {
        self.files.remove(name).unwrap();
        let mut touched = self.look(&[name]);
        touched.documents.extend(self.pass(5).documents);
        touched
    }

    /// A picture appears, or another one in its place.
    pub fn picture(&mut self, name: &str, width: u32) -> Touched {
        let time = self.now.as_nanosecond() as i64;
        self.inodes += 1;
        let stat = Stat {
            device: 1,
            inode: self.inodes,
            birth: Some(time),
            length: u64::from(width),
            modified: time,
            changed: time,
        };
        let (path, media_type) = (path(name), "image/png".into());
        let file = File { path, stat, media_type, size: Some((width, 100)) };
        self.catalog.apply(vec![Sighting::File(file)], self.now).unwrap()
    }

    fn look(&mut self, names: &[&str]) -> Touched {
        let changes: Vec<Change> = names
            .iter()
            .map(|name| match self.files.get(*name) {
                None => Change::Gone(path(name)),
                Some((stat, text)) => Change::Written(Seed {
                    path: path(name),
                    stat: *stat,
                    bytes: text.clone().into_bytes(),
                    surroundings: Surroundings::default(),
                }),
            })
            .collect();
        let options = convert::Options {
            timezone: jiff::tz::TimeZone::UTC,
            max_bytes: 1_000_000,
            published_folders: Vec::new(),
            strip: Vec::new(),
        };
        line::take(&mut self.catalog, &changes, &options, self.now).unwrap()
    }

    pub fn make(&mut self, key: &Key) -> Made {
        line::make(&mut self.reader, &self.look, key).unwrap().0
    }

    /// The text of a document, and the moment that it is known by.
    pub fn document(&mut self, key: &Key) -> Option<(String, i64)> {
        match self.make(key) {
            Made::Rendition(made) => match made.payload {
                Payload::Bytes(bytes) => Some((
                    String::from_utf8(bytes.to_vec()).unwrap(),
                    made.modified.as_microsecond(),
                )),
                other => panic!("{}: {other:?}", key.path()),
            },
            _ => None,
        }
    }
}

fn path(name: &str) -> SeedPath {
    SeedPath::new(name).unwrap()
}

fn look() -> Look {
    let site = Site {
        base_url: "https://example.org".into(),
        key: "key".into(),
        title: "Site".into(),
        description: "About".into(),
        language: Some("en".into()),
        max_body: 1_000_000,
        ..Site::default()
    };
    Look::new(site, Theme::default())
}
