//! A folder and all that is below it, listed. Each folder is watched before it is
//! listed, so that nothing that comes meanwhile is missed.
//!
//! In: the open root, where to begin, the rules of what is ignored. Out: a
//! [`Listing`], the rules as they stand now, and what cannot be looked into.

use std::collections::BTreeMap;

use crate::watch::compare::Listing;
use crate::watch::ignore;
use crate::watch::ignore::Ignore;
use crate::watch::read::Kind;
use crate::watch::read::Refused;
use crate::watch::read::Root;
use crate::watch::seed::SeedPath;
use crate::watch::surroundings;

/// The most bytes of rules in one folder.
const MAX_RULES: u64 = 1024 * 1024;

#[derive(Debug, Default)]
pub struct Walked {
    pub listing: Listing,
    /// By path: why it cannot be read, or why nothing below it can be listed.
    pub problems: BTreeMap<SeedPath, String>,
    /// What is wrong with lines of rules.
    pub notices: Vec<String>,
}

/// Walks through `start` (the root: `None`). `watch` is called with each folder
/// before it is listed, and ends the walk where it answers `false`; `is_open` says
/// whether somebody is writing to a file, whose rules then stay as they were.
///
/// Fails where `start` itself cannot be listed.
pub fn walk(
    root: &Root,
    start: Option<&SeedPath>,
    ignore: &mut Ignore,
    is_open: impl Fn(&SeedPath) -> bool,
    mut watch: impl FnMut(Option<&SeedPath>) -> bool,
) -> Result<Walked, Refused> {
    let mut walked = Walked::default();
    let mut open: Vec<Option<SeedPath>> = vec![start.cloned()];
    while let Some(folder) = open.pop() {
        let folder = folder.as_ref();
        if !watch(folder) {
            break;
        }
        let listed = match root.list(folder) {
            Ok(listed) => listed,
            Err(error) => {
                walked.refuse_folder(folder, start, Refused::of("folder", error))?;
                continue;
            }
        };
        walked.listing.folders += 1;
        ignore.set_site(folder, listed.iter().map(|it| it.name.as_slice()));
        if !listed.iter().any(|it| it.name == ignore::RULES) {
            ignore.remove(folder);
        } else if let Some(path) = surroundings::child(folder, ignore::RULES)
            && !is_open(&path)
        {
            match root.read(&path, MAX_RULES) {
                Ok((text, _)) => {
                    let wrong = ignore.set(folder, &text);
                    walked.notices.extend(wrong.into_iter().map(|it| format!("{path}: {it}")));
                }
                Err(Refused::NotFound) => ignore.remove(folder),
                // It is about to be closed, or to be looked at again.
                Err(Refused::Busy) => {}
                // What the rules hide must not be published because they cannot be
                // read.
                Err(Refused::Unreadable(reason)) => {
                    let refused = Refused::Unreadable(format!("{reason} at `{path}`"));
                    walked.refuse_folder(folder, start, refused)?;
                    continue;
                }
            }
        }
        for entry in listed {
            let Some(path) = surroundings::child(folder, &entry.name) else { continue };
            let is_link = matches!(entry.found, Ok((Kind::Other(_), _)));
            // A link is looked at again: it may be one that is followed.
            let found = if is_link { root.glance(&path) } else { entry.found };
            let is_folder = matches!(found, Ok((Kind::Folder, _)));
            if ignore.is_named(&path, is_folder) {
                continue;
            }
            match found {
                Ok((Kind::File, stat)) => walked.listing.files.push((path, stat)),
                Ok((Kind::Folder, _)) => open.push(Some(path)),
                Ok((Kind::Other(found), _)) => {
                    let reason = format!("expected a file or folder, found {found}");
                    walked.refuse(&path, Refused::Unreadable(reason));
                }
                Err(error) => walked.refuse(&path, Refused::of("file", error)),
            }
        }
    }
    Ok(walked)
}

impl Walked {
    fn refuse(&mut self, path: &SeedPath, refused: Refused) {
        if let Refused::Unreadable(reason) = refused {
            self.listing.unknown.insert(path.clone());
            self.problems.insert(path.clone(), reason);
        }
    }

    /// Ends the walk where it is `start` that cannot be looked into.
    fn refuse_folder(
        &mut self,
        folder: Option<&SeedPath>,
        start: Option<&SeedPath>,
        refused: Refused,
    ) -> Result<(), Refused> {
        match folder {
            Some(it) if folder != start => {
                self.refuse(it, refused);
                Ok(())
            }
            _ => Err(refused),
        }
    }
}
