//! Page bundles: a folder whose only seed is its `index.*`. Files beside it are served
//! with the article, whether it names them or not.
//!
//! Rows in, an answer out. Which folders are bundles is decided when their article is
//! first published, and stays; the root is never one.

use crate::catalog::rows::EntryRow;
use crate::catalog::store::{Result, Rows};
use crate::watch::seed::SeedPath;

/// How the names of all that is a folder's index begin, in any language.
const INDEX: &[u8] = b"index.";

/// The folder that a seed is the index of.
pub fn folder_of(index: &SeedPath) -> Option<SeedPath> {
    index.folder().filter(|_| index.stem() == b"index")
}

impl Rows<'_> {
    /// Whether a seed is the index of a folder that holds no other one.
    pub fn is_alone_in_folder(&self, seed: &SeedPath) -> Result<bool> {
        let Some(folder) = folder_of(seed) else { return Ok(false) };
        let seeds = self.seeds_below(&folder)?;
        Ok(seeds
            .iter()
            .all(|it| it.folder().as_ref() != Some(&folder) || it.file_name().starts_with(INDEX)))
    }

    /// The published article whose bundle a folder is.
    pub fn bundle_at(&self, folder: &SeedPath) -> Result<Option<EntryRow>> {
        let from = [folder.as_bytes(), b"/", INDEX].concat();
        let to = [folder.as_bytes(), b"/index/"].concat();
        let found = self.entries_between(&from, &to)?.into_iter();
        let is_it = |it: &EntryRow| it.is_bundle && it.is_live();
        Ok(found.filter(is_it).find(|it| folder_of(&it.path).as_ref() == Some(folder)))
    }

    /// Whether a file lies in a published bundle, or in a folder of it that holds no
    /// seeds.
    pub fn is_in_bundle(&self, file: &SeedPath) -> Result<bool> {
        let mut folder = file.folder();
        while let Some(here) = folder {
            if self.bundle_at(&here)?.is_some() {
                return Ok(true);
            }
            if self.has_seeds_below(&here)? {
                return Ok(false);
            }
            folder = here.folder();
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_folder_a_seed_is_the_index_of() {
        let table = [
            ("trip/index.md", Some("trip"), "a folder's"),
            ("a/b/index.html", Some("a/b"), "a folder's in a folder"),
            ("index.md", None, "the root is no bundle"),
            ("trip/index.ko.md", None, "its translation"),
            ("trip/indexes.md", None, "another word"),
        ];
        for (path, folder, why) in table {
            let folder = folder.and_then(SeedPath::new);
            assert_eq!(folder_of(&SeedPath::new(path).unwrap()), folder, "{why}");
        }
    }
}
