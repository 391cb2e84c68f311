//! The folder as it is listed against the folder as it is known: what to look at,
//! and what may be gone.
//!
//! Pure, and linear but for sorting. Whatever comes out is a hint: whoever takes
//! it looks at the path itself before anything is said of it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::watch::seed::SeedPath;
use crate::watch::seed::Stat;
use crate::watch::surroundings;

/// What a walk through the folder found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Seeds, files and their surroundings, in any order; nothing that is ignored.
    pub files: Vec<(SeedPath, Stat)>,
    /// What stands there and is no plain file: symbolic links, pipes, and folders
    /// that cannot be listed. Of what is below nothing is known.
    pub unknown: BTreeSet<SeedPath>,
    /// How many folders there are, the root included.
    pub folders: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// New, or with another stat than known; by path.
    pub changed: Vec<(SeedPath, Stat)>,
    /// Known and not listed; by path.
    pub missing: Vec<SeedPath>,
}

impl Listing {
    /// Takes the surroundings out of the files, and marks each seed with its own,
    /// as the seed is reported when it is read.
    pub fn take_surroundings(&mut self, is_seed: impl Fn(&SeedPath) -> bool) {
        self.files.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let mut may_surround = BTreeMap::new();
        for (path, stat) in &self.files {
            if path.file_name() == surroundings::DEFAULTS || surroundings::may_be_sidecar(path) {
                may_surround.insert(path.clone(), *stat);
            }
        }
        if may_surround.is_empty() {
            return;
        }
        let mut taken = BTreeSet::new();
        for (path, stat) in &mut self.files {
            if may_surround.contains_key(path) || !is_seed(path) {
                continue;
            }
            let sidecar = surroundings::sidecar(path).filter(|it| may_surround.contains_key(it));
            let around = sidecar
                .iter()
                .chain(&surroundings::defaults(path))
                .filter_map(|it| may_surround.get(it))
                .copied()
                .collect::<Vec<_>>();
            *stat = surroundings::stamped(*stat, around);
            taken.extend(sidecar);
        }
        self.files.retain(|(path, _)| {
            path.file_name() != surroundings::DEFAULTS && !taken.contains(path)
        });
    }

    fn is_unknown(&self, path: &SeedPath) -> bool {
        if self.unknown.is_empty() {
            return false;
        }
        let mut next = Some(path.clone());
        while let Some(it) = next {
            if self.unknown.contains(&it) {
                return true;
            }
            next = it.folder();
        }
        false
    }
}

/// What differs between `listing`, whose files are sorted, and `known`, which is
/// in any order and may name a path twice: it is the same only where all of them
/// say so.
pub fn compare(listing: &Listing, mut known: Vec<(SeedPath, Stat)>) -> Difference {
    known.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let mut difference = Difference::default();
    let mut known = known.into_iter().peekable();
    let missing = |path: SeedPath, difference: &mut Difference| {
        if difference.missing.last() != Some(&path) && !listing.is_unknown(&path) {
            difference.missing.push(path);
        }
    };
    for (path, stat) in &listing.files {
        let mut is_known = false;
        let mut is_same = true;
        while let Some((next, known_stat)) = known.next_if(|(next, _)| next <= path) {
            if next == *path {
                is_known = true;
                is_same &= known_stat == *stat;
            } else {
                missing(next, &mut difference);
            }
        }
        if !(is_known && is_same) {
            difference.changed.push((path.clone(), *stat));
        }
    }
    for (path, _) in known {
        missing(path, &mut difference);
    }
    difference
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(path: &str) -> SeedPath {
        SeedPath::new(path).unwrap()
    }

    fn stat(number: i64) -> Stat {
        Stat { device: 1, inode: 2, birth: Some(3), length: 4, modified: 5, changed: number }
    }

    fn listing(files: &[(&str, i64)], unknown: &[&str]) -> Listing {
        Listing {
            files: files.iter().map(|(path, number)| (at(path), stat(*number))).collect(),
            unknown: unknown.iter().map(|it| at(it)).collect(),
            folders: 1,
        }
    }

    /// Listed, unlistable, known, to look at, missing, why.
    type Row = (
        &'static [(&'static str, i64)],
        &'static [&'static str],
        &'static [(&'static str, i64)],
        &'static [&'static str],
        &'static [&'static str],
        &'static str,
    );

    #[test]
    fn differences() {
        let table: &[Row] = &[
            (&[], &[], &[], &[], &[], "nothing"),
            (&[("a", 1)], &[], &[], &["a"], &[], "new"),
            (&[("a", 1)], &[], &[("a", 1)], &[], &[], "the same is not read again"),
            (&[("a", 1)], &[], &[("a", 2)], &["a"], &[], "changed"),
            (&[], &[], &[("a", 1)], &[], &["a"], "missing"),
            (&[("b", 1)], &[], &[("a", 1), ("c", 1)], &["b"], &["a", "c"], "before and after"),
            (&[("a", 1), ("c", 1)], &[], &[("c", 1), ("b", 1), ("a", 1)], &[], &["b"], "any order"),
            (&[("a", 1)], &[], &[("a", 1), ("a", 2)], &["a"], &[], "two opinions: look"),
            (&[], &[], &[("a", 1), ("a", 2)], &[], &["a"], "two opinions: missing once"),
            (&[], &["d"], &[("d/x", 1), ("d/e/y", 1), ("da", 1)], &[], &["da"], "unlistable"),
            (&[], &["d/e"], &[("d/x", 1), ("d/e/y", 1)], &[], &["d/x"], "deep"),
            (&[], &["l"], &[("l", 1)], &[], &[], "a link took its place: not gone"),
        ];
        for (files, unknown, known, changed, missing, why) in table {
            let known = known.iter().map(|(path, number)| (at(path), stat(*number))).collect();
            let found = compare(&listing(files, unknown), known);
            let looked: Vec<_> = found.changed.iter().map(|(path, _)| path.to_string()).collect();
            assert_eq!(looked, *changed, "{why}");
            let gone: Vec<_> = found.missing.iter().map(|it| it.to_string()).collect();
            assert_eq!(gone, *missing, "{why}");
        }
    }

    #[test]
    fn any_part_of_a_stat_tells() {
        let same = stat(6);
        let others = [
            Stat { device: 9, ..same },
            Stat { inode: 9, ..same },
            Stat { birth: None, ..same },
            Stat { length: 9, ..same },
            Stat { modified: 9, ..same },
            Stat { changed: 9, ..same },
        ];
        for other in others {
            let found = compare(&listing(&[("a", 6)], &[]), vec![(at("a"), other)]);
            assert_eq!(found.changed, [(at("a"), same)], "{other:?}");
        }
    }

    #[test]
    fn surroundings_are_no_files_and_mark_their_seeds() {
        let files = [
            ("folder.toml", 1),
            ("x.md", 2),
            ("n/kim.md", 3),
            ("n/kim.toml", 4),
            ("n/data.toml", 5),
            ("n/photo.jpg", 6),
            ("n/folder.toml", 7),
        ];
        let mut listing = listing(&files, &[]);
        listing.take_surroundings(|it| it.extension().as_deref() == Some("md"));
        let [root, side, folder] = [1, 4, 7].map(stat);
        let expected = [
            (at("n/data.toml"), stat(5)),
            (at("n/kim.md"), surroundings::stamped(stat(3), [side, root, folder])),
            (at("n/photo.jpg"), stat(6)),
            (at("x.md"), surroundings::stamped(stat(2), [root])),
        ];
        assert_eq!(listing.files, expected);
    }

    proptest! {
        /// Against maps, which need no order.
        #[test]
        fn the_same_as_by_maps(
            listed in prop::collection::btree_map("[ab](/[ab]){0,2}", 0i64..3, 0..8),
            known in prop::collection::vec(("[ab](/[ab]){0,2}", 0i64..3), 0..12),
            unknown in prop::collection::btree_set("[ab](/[ab]){0,1}", 0..2),
        ) {
            let listing = Listing {
                files: listed.iter().map(|(path, number)| (at(path), stat(*number))).collect(),
                unknown: unknown.iter().map(|it| at(it)).collect(),
                folders: 1,
            };
            let found = compare(&listing, known.iter().map(|(path, it)| (at(path), stat(*it))).collect());
            let is_same = |path: &String, number: &i64| {
                let mut all = known.iter().filter(|(it, _)| it == path).peekable();
                all.peek().is_some() && all.all(|(_, it)| it == number)
            };
            let changed: Vec<_> = listed
                .iter()
                .filter(|(path, number)| !is_same(path, number))
                .map(|(path, number)| (at(path), stat(*number)))
                .collect();
            prop_assert_eq!(found.changed, changed);
            let missing: BTreeSet<_> = known
                .iter()
                .filter(|(path, _)| !listed.contains_key(path))
                .map(|(path, _)| at(path))
                .filter(|path| !listing.unknown.iter().any(|it| path.is_within(it)))
                .collect();
            prop_assert_eq!(found.missing, missing.into_iter().collect::<Vec<_>>());
        }
    }
}
