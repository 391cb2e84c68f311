//! The theme's folder, looked at while Sower runs.
//!
//! It is listed, not watched: it is small, may lie on any file system, and may be a link
//! that is turned.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::warn;

use crate::render::theme::Theme;

/// A longer file is none of a theme.
const LONGEST: u64 = 1 << 20;
/// Folders in folders, and files, that are looked at.
const DEEPEST: usize = 4;
const MOST: usize = 200;
/// How often it is looked at. A change counts when it rested until the next look.
const EVERY: Duration = Duration::from_millis(500);

/// A file of the theme as it was met: its path in the folder, length, inode, and when it
/// was modified and changed.
type Facts = (String, u64, u64, (i64, i64), (i64, i64));

#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    looked: Instant,
    /// What the last look met, and what was read.
    met: Vec<Facts>,
    read: Vec<Facts>,
}

impl Folder {
    pub fn new(path: PathBuf) -> Folder {
        Folder { path, looked: Instant::now(), met: Vec::new(), read: Vec::new() }
    }

    /// The look that the files make. What cannot be read is said in the log, and the
    /// built-in look stands in for it.
    pub fn read(&mut self) -> Theme {
        self.met = self.list();
        self.read_met()
    }

    /// The look that the files make where they are others than were read, and rest.
    pub fn changed(&mut self) -> Option<Theme> {
        if self.looked.elapsed() < EVERY {
            return None;
        }
        self.looked = Instant::now();
        let now = self.list();
        let is_resting = now == self.met;
        self.met = now;
        (is_resting && self.met != self.read).then(|| self.read_met())
    }

    fn read_met(&mut self) -> Theme {
        self.read.clone_from(&self.met);
        let mut files = Vec::new();
        for (name, ..) in &self.met {
            match std::fs::read_to_string(self.path.join(name)) {
                Ok(text) => files.push((name.clone(), text)),
                Err(error) => warn!(file = name, %error, "cannot read a file of the theme"),
            }
        }
        if files.is_empty() {
            warn!(theme = %self.path.display(), "expected templates or `style.css` in the theme's folder, found none; pages look as they do without");
        }
        Theme::new(files)
    }

    fn list(&self) -> Vec<Facts> {
        let mut files = Vec::new();
        list_into(&mut files, &self.path, "", 0);
        files.sort();
        files
    }
}

/// Says in the log what is newly known to be wrong with the theme.
pub fn tell(theme: &Theme) {
    for problem in theme.news() {
        warn!("{problem}");
    }
}

/// What cannot be listed is not there.
fn list_into(files: &mut Vec<Facts>, folder: &Path, before: &str, depth: usize) {
    let Ok(listing) = std::fs::read_dir(folder) else { return };
    for entry in listing.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Ok(facts) = std::fs::metadata(entry.path()) else { continue };
        let path = format!("{before}{name}");
        if name.starts_with('.') || files.len() >= MOST {
            continue;
        }
        if facts.is_dir() && depth < DEEPEST {
            list_into(files, &entry.path(), &format!("{path}/"), depth + 1);
        } else if facts.is_file()
            && facts.len() <= LONGEST
            && (name.ends_with(".html") || path == "style.css")
        {
            let (modified, changed) =
                ((facts.mtime(), facts.mtime_nsec()), (facts.ctime(), facts.ctime_nsec()));
            files.push((path, facts.len(), facts.ino(), modified, changed));
        }
    }
}
