//! Which names in the folder are nobody's article and nobody's picture.
//!
//! In: a path and the texts of the `.sowerignore` files. Out: whether it is
//! ignored. Pure: whoever walks the folder reads those files.
//!
//! What programs leave lying about (hidden, temporary, backup and swap files,
//! partial downloads) is always ignored, and no `.sowerignore` brings it back. As
//! in git, nothing below an ignored folder comes back either. Folders of a site
//! generator that hold no seeds are ignored unless a `.sowerignore` brings them back.
//!
//! A new program's habit is one line in a list.

use std::collections::BTreeMap;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::Gitignore;
use ignore::gitignore::GitignoreBuilder;

use crate::watch::generators;
use crate::watch::generators::Site;
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
    /// Folders that are a site generator's; `None` is the root.
    sites: BTreeMap<Option<SeedPath>, Site>,
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

    /// Takes what the names in `folder` (the root: `None`) tell of a site generator in
    /// place of what they told before.
    pub fn set_site<'n>(
        &mut self,
        folder: Option<&SeedPath>,
        names: impl Iterator<Item = &'n [u8]> + Clone,
    ) {
        match Site::of(names) {
            Some(site) => self.sites.insert(folder.cloned(), site),
            None => self.sites.remove(&folder.cloned()),
        };
    }

    /// Whether the coming or going of `path` may change what is ignored.
    pub fn is_news(&self, path: &SeedPath, is_there: bool) -> bool {
        let name = path.file_name();
        let is_known = self.sites.get(&path.folder()).is_some_and(|it| it.is_told_by(name));
        generators::may_tell(name) && is_known != is_there
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
            return is_folder && self.is_of_site(path);
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
                None => return is_folder && self.is_of_site(path),
            }
        }
    }

    /// Whether the folder `path` belongs to a site generator and holds no seeds.
    fn is_of_site(&self, path: &SeedPath) -> bool {
        if self.sites.is_empty() {
            return false;
        }
        let mut folder = path.folder();
        let mut is_beside = true;
        loop {
            let site = self.sites.get(&folder);
            if site.is_some_and(|it| it.takes_out(path.file_name(), is_beside)) {
                return true;
            }
            match folder {
                Some(it) => folder = it.folder(),
                None => return false,
            }
            is_beside = false;
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
    fn folders_of_a_site_generator() {
        let mut ignore = Ignore::default();
        let names: [&[u8]; 3] = [b"_config.yml", b"_posts", b"_layouts"];
        ignore.set_site(Some(&at("blog")), names.into_iter());
        let table = [
            ("blog/_layouts", true, true, "beside the configuration"),
            ("blog/_layouts/a/b.html", false, true, "below"),
            ("blog/src/_layouts", true, true, "at any depth"),
            ("blog/_layouts", false, false, "a file of that name"),
            ("_layouts", true, false, "above the configuration"),
            ("blog/_posts/kim.md", false, false, "the seeds"),
        ];
        for (path, is_folder, expected, why) in table {
            assert_eq!(ignore.is_ignored(&at(path), is_folder), expected, "{path}: {why}");
        }
        assert!(ignore.is_news(&at("blog/_config.yml"), false), "it goes");
        assert!(!ignore.is_news(&at("blog/_config.yml"), true), "it is written to");
        assert!(ignore.is_news(&at("notes/_config.yml"), true), "it comes");
        assert!(!ignore.is_news(&at("blog/kim.md"), true), "any other file");
        ignore.set(Some(&at("blog")), b"!_layouts/\n");
        assert!(!ignore.is_ignored(&at("blog/_layouts/a.html"), false), "brought back");
        ignore.remove(Some(&at("blog")));
        ignore.set_site(Some(&at("blog")), names[1..].iter().copied());
        assert!(!ignore.is_ignored(&at("blog/_layouts"), true), "no configuration any more");
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
