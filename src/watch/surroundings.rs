//! Which files of the folder decide how a seed reads: its sidecar `NAME.toml` and
//! the `folder.toml` of each folder above it.
//!
//! Pure. They are neither seeds nor files: a change of one is a change of the
//! seeds that it concerns.

use std::collections::BTreeMap;

use crate::watch::seed::SeedPath;
use crate::watch::seed::Stat;

/// The name of a folder's defaults.
pub const DEFAULTS: &[u8] = b"folder.toml";

/// The most bytes that one of them may have.
pub const MAX_BYTES: u64 = 64 * 1024;

/// What stands at `name` in `folder` (the root: `None`). `None` where the name is
/// none.
pub fn child(folder: Option<&SeedPath>, name: &[u8]) -> Option<SeedPath> {
    match folder {
        Some(folder) => SeedPath::new([folder.as_bytes(), b"/", name].concat()),
        None => SeedPath::new(name),
    }
}

/// `news/kim.toml` of `news/kim.txt`.
pub fn sidecar(seed: &SeedPath) -> Option<SeedPath> {
    child(seed.folder().as_ref(), &[seed.stem(), b".toml"].concat())
}

/// Where the folder defaults of a seed stand, the root's first.
pub fn defaults(seed: &SeedPath) -> Vec<SeedPath> {
    let mut found = Vec::new();
    let mut folder = seed.folder();
    loop {
        found.extend(child(folder.as_ref(), DEFAULTS));
        match folder {
            Some(it) => folder = it.folder(),
            None => break,
        }
    }
    found.reverse();
    found
}

/// Whether a file of this name may be a sidecar.
pub fn may_be_sidecar(path: &SeedPath) -> bool {
    path.file_name().ends_with(b".toml") && path.file_name() != DEFAULTS
}

/// The paths among `paths` that stand below `folder`; all where it is the root.
pub fn below<'a, T>(
    paths: &'a BTreeMap<SeedPath, T>,
    folder: Option<&SeedPath>,
) -> impl Iterator<Item = (&'a SeedPath, &'a T)> {
    // No name begins with a lesser byte: NUL is in no path.
    let first = folder.and_then(|it| child(Some(it), b"\x01"));
    let from = match &first {
        Some(first) => paths.range(first..),
        None => paths.range::<SeedPath, _>(..),
    };
    let folder = folder.cloned();
    from.take_while(move |(path, _)| folder.as_ref().is_none_or(|it| path.is_within(it)))
}

/// The paths among `paths` that stand beside the sidecar `path` and that it may
/// belong to.
pub fn beside<'a, T>(
    paths: &'a BTreeMap<SeedPath, T>,
    path: &SeedPath,
) -> impl Iterator<Item = &'a SeedPath> {
    let stem = path.stem().to_vec();
    let folder = path.folder();
    let first = child(folder.as_ref(), &stem);
    let from = match &first {
        Some(first) => paths.range(first..),
        None => paths.range::<SeedPath, _>(..),
    };
    let prefix = first.map(|it| it.as_bytes().to_vec()).unwrap_or_default();
    let path = path.clone();
    from.take_while(move |(it, _)| it.as_bytes().starts_with(&prefix))
        .map(|(it, _)| it)
        .filter(move |it| it.folder() == folder && it.stem() == stem && **it != path)
}

/// The stat of a seed that reads as it does because of these surroundings:
/// `changed` is mixed with theirs, so that a change, an arrival or a departure of
/// one of them shows where stats are compared, also after a restart.
pub fn stamped(seed: Stat, surroundings: impl IntoIterator<Item = Stat>) -> Stat {
    let changed = surroundings
        .into_iter()
        .fold(seed.changed, |sum, it| sum.wrapping_mul(31).wrapping_add(it.changed));
    Stat { changed, ..seed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> SeedPath {
        SeedPath::new(path).unwrap()
    }

    fn stat(changed: i64) -> Stat {
        Stat { device: 1, inode: 1, birth: None, length: 1, modified: 1, changed }
    }

    #[test]
    fn where_they_stand() {
        assert_eq!(sidecar(&at("news/kim.txt")), Some(at("news/kim.toml")));
        assert_eq!(sidecar(&at("kim.tar.md")), Some(at("kim.tar.toml")));
        let all = ["folder.toml", "a/folder.toml", "a/b/folder.toml"].map(at);
        assert_eq!(defaults(&at("a/b/c.md")), all, "the root's first");
        assert!(may_be_sidecar(&at("a/kim.toml")) && !may_be_sidecar(&at("a/folder.toml")));
    }

    #[test]
    fn below_and_beside() {
        let names = ["a", "a!b.md", "a.md", "a/\u{1}", "a/b.md", "a/b/c.md", "a0.md", "b/a/x.md"];
        let paths: BTreeMap<_, _> = names.map(|it| (at(it), ())).into();
        let a = at("a");
        let found = |it| below(&paths, it).map(|(path, _)| path.to_string()).collect::<Vec<_>>();
        assert_eq!(found(Some(&a)), ["a/\\u{1}", "a/b.md", "a/b/c.md"]);
        assert_eq!(found(None).len(), names.len());
        let names =
            ["n/kim", "n/kim.md", "n/kim.toml", "n/kim.txt", "n/kim.x.md", "n/kim/a.md", "kim.md"];
        let paths: BTreeMap<_, _> = names.map(|it| (at(it), ())).into();
        let found: Vec<_> = beside(&paths, &at("n/kim.toml")).map(|it| it.to_string()).collect();
        assert_eq!(found, ["n/kim", "n/kim.md", "n/kim.txt"]);
    }

    #[test]
    fn a_stamp_tells_surroundings_apart() {
        let plain = stamped(stat(5), []);
        assert_eq!(plain, stat(5), "a seed that stands alone keeps its own");
        let stamps = [
            plain,
            stamped(stat(5), [stat(7)]),
            stamped(stat(5), [stat(8)]),
            stamped(stat(5), [stat(7), stat(8)]),
            stamped(stat(5), [stat(8), stat(7)]),
        ];
        for (index, one) in stamps.iter().enumerate() {
            assert!(stamps[index + 1..].iter().all(|it| it != one), "{stamps:?}");
        }
    }
}
