//! The theme's folder, read at the start.

use std::path::Path;

use tracing::warn;

use crate::render::theme::Theme;

/// A longer file is none of a theme.
const LONGEST: u64 = 1 << 20;
/// Folders in folders, and files, that are looked at.
const DEEPEST: usize = 4;
const MOST: usize = 200;

/// The look that the files of `folder` make. What cannot be read is said in the log, and
/// the built-in look stands in for it.
pub fn read(folder: &Path) -> Theme {
    let mut files = Vec::new();
    read_into(&mut files, folder, "", 0);
    files.sort();
    let theme = Theme::new(files);
    if theme.digest() == Theme::new(Vec::new()).digest() {
        warn!(theme = %folder.display(), "expected templates or `style.css` in the theme's folder, found none; pages look as they do without");
    }
    theme
}

/// Says in the log what is newly known to be wrong with the theme.
pub fn tell(theme: &Theme) {
    for problem in theme.news() {
        warn!("{problem}");
    }
}

fn read_into(files: &mut Vec<(String, String)>, folder: &Path, before: &str, depth: usize) {
    let unreadable = |it: std::io::Error| {
        warn!(theme = %folder.display(), error = %it, "cannot read the theme's folder");
    };
    let Ok(listing) = std::fs::read_dir(folder).map_err(unreadable) else { return };
    for entry in listing.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Ok(facts) = std::fs::metadata(entry.path()) else { continue };
        let path = format!("{before}{name}");
        if name.starts_with('.') || files.len() >= MOST {
            continue;
        }
        if facts.is_dir() && depth < DEEPEST {
            read_into(files, &entry.path(), &format!("{path}/"), depth + 1);
        } else if facts.is_file()
            && facts.len() <= LONGEST
            && (name.ends_with(".html") || path == "style.css")
        {
            match std::fs::read_to_string(entry.path()) {
                Ok(text) => files.push((path, text)),
                Err(error) => warn!(file = path, %error, "cannot read a file of the theme"),
            }
        }
    }
}
