//! Which names in the folder are nobody's article and nobody's picture.
//!
//! In: a path and the texts of the `.sowerignore` files. Out: whether it is
//! ignored. Pure: whoever walks the folder reads those files.
//!
//! What programs leave lying about (hidden, temporary, backup and swap files,
//! partial downloads) is always ignored, and no `.sowerignore` brings it back. As
//! in git, nothing below an ignored folder comes back either.
//!
//! A new program's habit is one line in a list.

use std::collections::BTreeMap;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::Gitignore;
use ignore::gitignore::GitignoreBuilder;

use crate::watch::seed::SeedPath;

/// The file that names what to ignore, in the syntax of gitignore(5), in the root
/// or in any folder.
pub const RULES: &[u8] = b".sowerignore";

/// Endings of files that are not finished or not wanted any more, in lower case.
const ENDINGS: &[&[u8]] = &[
    // Editors: Emacs, Vim and many others.
    b"~",
    b".swp",
    b".swo",
    b".swn",
    b".swx",
    b".bak",
    b".orig",
    b".rej",
    // Browsers, download and copying programs.
    b".part",
    b".partial",
    b".crdownload",
    b".opdownload",
    b".download",
    b".filepart",
    b".aria2",
    b".tmp",
    b".temp",
];

/// Beginnings of the same.
const BEGINNINGS: &[&[u8]] = &[
    // Hidden: also `.#lock` of Emacs, `.goutputstream-` of GNOME, `.name.XXXXXX` of
    // rsync, `.syncthing.` and `.nfs`.
    b".",
    // Office programs.
    b"~$",
    b"~wrl",
    b"~syncthing~",
];

/// Whole names, in lower case.
const NAMES: &[&[u8]] = &[
    b"thumbs.db",
    b"ehthumbs.db",
    b"desktop.ini",
    b"icon\r",
    b"__macosx",
    b"@eadir",
    b"lost+found",
    b"$recycle.bin",
    b"system volume information",
];

/// What the folder's own rules ignore.
#[derive(Debug, Default)]
pub struct Ignore {
    /// By the folder that they stand in; `None` is the root.
    rules: BTreeMap<Option<SeedPath>, Gitignore>,
}

impl Ignore {
    /// Takes the rules of `folder` (the root: `None`) in place of those it had.
    /// Gives what is wrong with them, "line N: reason"; the other lines hold.
    pub fn set(&mut self, folder: Option<&SeedPath>, text: &[u8]) -> Vec<String> {
        let mut builder = GitignoreBuilder::new("");
        let mut wrong = Vec::new();
        let text = String::from_utf8_lossy(text);
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if let Err(error) = builder.add_line(None, line) {
                wrong.push(format!("line {}: {error}", index + 1));
            }
        }
        match builder.build() {
            Ok(rules) if rules.is_empty() => self.remove(folder),
            Ok(rules) => {
                self.rules.insert(folder.cloned(), rules);
            }
            Err(error) => wrong.push(format!("line 1: {error}")),
        }
        wrong
    }

    /// Forgets the rules of `folder`.
    pub fn remove(&mut self, folder: Option<&SeedPath>) {
        self.rules.remove(&folder.cloned());
    }

    /// Whether `path`, or a folder above it, is ignored.
    pub fn is_ignored(&self, path: &SeedPath, is_folder: bool) -> bool {
        let bytes = path.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let folders = ends.filter_map(|(end, _)| SeedPath::new(&bytes[..end]));
        folders.into_iter().any(|it| self.is_named(&it, true)) || self.is_named(path, is_folder)
    }

    /// Whether `path` is ignored, where no folder above it is.
    pub fn is_named(&self, path: &SeedPath, is_folder: bool) -> bool {
        if is_left_over(path.file_name(), is_folder) {
            return true;
        }
        if self.rules.is_empty() {
            return false;
        }
        let mut folder = path.folder();
        loop {
            if let Some(rules) = self.rules.get(&folder) {
                let relative = path.to_path_buf();
                let relative = match &folder {
                    Some(folder) => relative.strip_prefix(folder.to_path_buf()).ok(),
                    None => Some(relative.as_path()),
                };
                match relative.map_or(Match::None, |it: &Path| rules.matched(it, is_folder)) {
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
            match folder {
                Some(it) => folder = it.folder(),
                None => return false,
            }
        }
    }
}

/// Whether a name is one that programs give to what is not meant for readers.
fn is_left_over(name: &[u8], is_folder: bool) -> bool {
    let name = name.to_ascii_lowercase();
    let is_autosave = name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#");
    // Vim makes and removes this file to learn whether it may write to a folder.
    let is_probe = name == b"4913" && !is_folder;
    is_autosave
        || is_probe
        || NAMES.contains(&&*name)
        || BEGINNINGS.iter().any(|it| name.starts_with(it))
        || ENDINGS.iter().any(|it| name.ends_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> SeedPath {
        SeedPath::new(path).unwrap()
    }

    #[test]
    fn names() {
        let table = [
            ("kim.txt", false, "an article"),
            ("_draft.md", false, "a draft is a seed; convert says that it is a draft"),
            ("drafts/kim.md", false, "so is what stands in a drafts folder"),
            ("news/2024/kim.md", false, "in folders"),
            ("photo.jpg", false, "a picture"),
            ("C#.md", false, "only both ends make an autosave file"),
            ("#", false, "one sign is no pair"),
            ("tmp/kim.md", false, "a folder may be called so"),
            ("part.md", false, "a beginning is no ending"),
            ("4913.md", false, "only the bare number is Vim's"),
            ("bak", false, "an extension alone is a name"),
            (".hidden.md", true, "hidden"),
            (".git/config", true, "below a hidden folder"),
            ("news/.x/y/z.md", true, "at any depth"),
            ("kim.txt~", true, "Emacs, Vim: backup"),
            ("#kim.txt#", true, "Emacs: autosave"),
            (".#kim.txt", true, "Emacs: lock"),
            ("kim.txt.swp", true, "Vim: swap"),
            ("4913", true, "Vim: probe"),
            ("kim.md.bak", true, "backup"),
            ("kim.md.orig", true, "merge tools"),
            (".goutputstream-ABC123", true, "GNOME: atomic save"),
            ("~$report.docx", true, "Office: lock"),
            ("~WRL0001.tmp", true, "Office: temporary"),
            (".~lock.report.odt#", true, "LibreOffice: lock"),
            ("film.mp4.part", true, "Firefox, yt-dlp"),
            ("film.mp4.partial", true, "Edge"),
            ("film.mp4.crdownload", true, "Chrome"),
            ("film.download/film.mp4", true, "Safari: a folder"),
            ("kim.md.filepart", true, "WinSCP"),
            ("kim.TMP", true, "any case"),
            ("~syncthing~kim.md.tmp", true, "Syncthing"),
            (".syncthing.kim.md.tmp", true, "Syncthing"),
            (".kim.md.Xa12bc", true, "rsync"),
            ("Thumbs.db", true, "Windows"),
            ("desktop.ini", true, "Windows"),
            ("@eaDir/kim.md", true, "Synology"),
            ("lost+found/x", true, "ext4"),
        ];
        for (path, expected, why) in table {
            assert_eq!(Ignore::default().is_ignored(&at(path), false), expected, "{path}: {why}");
        }
    }

    #[test]
    fn rules() {
        let mut ignore = Ignore::default();
        let root =
            b"\xef\xbb\xbf# notes\nprivate/\n*.log\n!keep.log\n/only-here.md\ndocs/**/x.md\n";
        assert_eq!(ignore.set(None, root), Vec::<String>::new());
        assert_eq!(
            ignore.set(Some(&at("news")), b"old-*\n!special.log\r\n!.hidden\n"),
            Vec::<String>::new()
        );
        let table = [
            ("a.md", false, false, "nothing names it"),
            ("private/a.md", false, true, "below an ignored folder"),
            ("news/private/a.md", false, true, "a name without a slash holds at any depth"),
            ("private", false, false, "a trailing slash means folders only"),
            ("private", true, true, "the folder itself"),
            ("x.log", false, true, "a pattern"),
            ("a/b/x.log", false, true, "below"),
            ("keep.log", false, false, "taken back by a later line"),
            ("only-here.md", false, true, "anchored"),
            ("news/only-here.md", false, false, "anchored in the root, not here"),
            ("docs/a/b/x.md", false, true, "two stars"),
            ("news/old-a.md", false, true, "the folder's own rules"),
            ("old-a.md", false, false, "hold in that folder only"),
            ("news/deep/old-a.md", false, true, "and below"),
            ("news/special.log", false, false, "the nearer rules win; the line ends with CR LF"),
            ("private/keep.log", false, true, "nothing comes back below an ignored folder"),
            ("news/.hidden", false, true, "nothing hidden comes back"),
            (".sowerignore", false, true, "the rules are hidden, too"),
        ];
        for (path, is_folder, expected, why) in table {
            assert_eq!(ignore.is_ignored(&at(path), is_folder), expected, "{path}: {why}");
        }
        ignore.remove(None);
        assert!(!ignore.is_ignored(&at("x.log"), false), "removed rules hold no more");
        assert!(ignore.is_ignored(&at("news/old-a.md"), false), "the others do");
    }

    #[test]
    fn a_broken_line_spares_the_others() {
        let mut ignore = Ignore::default();
        let wrong = ignore.set(None, b"*.log\na{b\n*.png\n");
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].starts_with("line 2: "), "{wrong:?}");
        assert!(ignore.is_ignored(&at("x.log"), false) && ignore.is_ignored(&at("x.png"), false));
    }

    #[test]
    fn any_bytes_are_rules() {
        let mut ignore = Ignore::default();
        ignore.set(None, b"\xff\xfe*\n\0\n[z-a]\n***\n\\\n!\n/\n");
        ignore.is_ignored(&SeedPath::new(b"a\xff/b").unwrap(), false);
    }
}
