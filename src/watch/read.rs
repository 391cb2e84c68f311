//! The seeds folder as it stands: what is at a path, what a folder lists, the bytes
//! of a file.
//!
//! The only file of this stage that opens anything. Every open stays beneath the
//! root (openat2(2), or component by component where the kernel does not know it).
//! Only plain files are opened: never a pipe, a socket or a device; a symbolic
//! link only where links are followed, and never one that leaves the folder.
//!
//! A file that changes while it is read is not given out: [`Refused::Busy`].

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::AtFlags;
use rustix::fs::Dir;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use rustix::fs::StatxFlags;
use rustix::io::Errno;

use crate::watch::seed::SeedPath;
use crate::watch::seed::Stat;

/// The seeds folder, open. Held for a batch and no longer, so that it can be
/// unmounted.
pub struct Root {
    fd: OwnedFd,
    /// Device and inode.
    pub identity: (u64, u64),
    follow_links: bool,
    faults: Faults,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    /// Anything else, as it stands after "expected a file, found": `a named pipe`.
    Other(&'static str),
}

/// One name in a folder.
#[derive(Debug)]
pub struct Listed {
    pub name: Vec<u8>,
    pub found: Result<(Kind, Stat), Errno>,
}

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nothing stands there.
    NotFound,
    /// It changed meanwhile.
    Busy,
    /// "expected X, found Y".
    Unreadable(String),
}

/// The error, if any, to answer with in place of what the folder says of a path.
pub type Fault = dyn Fn(&SeedPath) -> Option<Errno> + Send + Sync;

/// What goes wrong by design, in tests.
#[derive(Clone, Default)]
pub struct Faults {
    pub at: Option<Arc<Fault>>,
    /// Does without openat2(2).
    pub old_kernel: bool,
}

impl Root {
    /// Opens the seeds folder, which may itself be a symbolic link.
    pub fn open(path: &Path, follow_links: bool, faults: &Faults) -> Result<Root, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        let (_, stat) = facts(&fd, "", AtFlags::EMPTY_PATH)?;
        let identity = (stat.device, stat.inode);
        Ok(Root { fd, identity, follow_links, faults: faults.clone() })
    }

    /// Whether the folder lies on a file system that tells of no changes that other
    /// machines make, or may not: NFS, SMB, AFS, Ceph, 9P, FUSE, VirtualBox.
    pub fn is_remote(&self) -> bool {
        const REMOTE: &[u32] = &[
            0x6969,
            0x517B,
            0xFE53_4D42,
            0xFF53_4D42,
            0x5346_414F,
            0x6B41_4653,
            0x00C3_6400,
            0x0102_1997,
            0x6573_5546,
            0x786F_4256,
            0x7375_7245,
        ];
        let magic = rustix::fs::fstatfs(&self.fd).map(|it| it.f_type as u32);
        magic.is_ok_and(|magic| REMOTE.contains(&magic))
    }

    /// Opens the folder itself as one that lists it does, and closes it again.
    pub fn open_for_reading(&self) -> Result<(), Errno> {
        self.open_at(None, OFlags::RDONLY | OFlags::DIRECTORY).map(drop)
    }

    /// What stands at `path`, without opening it.
    pub fn glance(&self, path: &SeedPath) -> Result<(Kind, Stat), Errno> {
        let fd = self.open_at(Some(path), OFlags::PATH | OFlags::NOFOLLOW)?;
        let (kind, stat) = facts(&fd, "", AtFlags::EMPTY_PATH)?;
        if kind != Kind::Other(LINK) || !self.follow_links {
            return Ok((kind, stat));
        }
        let target = self.open_at(Some(path), OFlags::PATH);
        match target.and_then(|it| facts(&it, "", AtFlags::EMPTY_PATH)) {
            Ok((Kind::File, stat)) => Ok((Kind::File, stat)),
            // What it leads to stands in the folder under its own name; a second
            // one would publish everything in it twice.
            Ok((Kind::Folder, _)) => Ok((Kind::Other("a symbolic link to a folder"), stat)),
            Ok((other, _)) => Ok((other, stat)),
            Err(Errno::XDEV) => Ok((Kind::Other("a symbolic link that leaves the folder"), stat)),
            Err(Errno::NOENT | Errno::NOTDIR) => {
                Ok((Kind::Other("a symbolic link to nothing"), stat))
            }
            Err(Errno::LOOP) => Ok((Kind::Other("a symbolic link that leads to itself"), stat)),
            Err(error) => Err(error),
        }
    }

    /// The names in `folder` (the root: `None`), in any order.
    pub fn list(&self, folder: Option<&SeedPath>) -> Result<Vec<Listed>, Errno> {
        let fd = self.open_at(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
        let mut listed = Vec::new();
        for entry in Dir::read_from(&fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            match facts(&fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => {}
                found => listed.push(Listed { name: name.to_vec(), found }),
            }
        }
        Ok(listed)
    }

    /// The whole file at `path`, at most `max` bytes, and its stat, which was the
    /// same before and after.
    pub fn read(&self, path: &SeedPath, max: u64) -> Result<(Vec<u8>, Stat), Refused> {
        match self.glance(path).map_err(|error| Refused::of("file", error))? {
            (Kind::File, seen) => self.read_as_seen(path, seen, max),
            (Kind::Folder, _) => Err(Refused::NotFound),
            (Kind::Other(found), _) => {
                Err(Refused::Unreadable(format!("expected a file, found {found}")))
            }
        }
    }

    /// As [`Root::read`], of a file that a glance found to be one and to stand
    /// `seen`.
    pub fn read_as_seen(
        &self,
        path: &SeedPath,
        seen: Stat,
        max: u64,
    ) -> Result<(Vec<u8>, Stat), Refused> {
        if seen.length > max {
            let found = seen.length;
            return Err(Refused::Unreadable(format!(
                "expected at most {max} bytes, found {found}"
            )));
        }
        self.read_part(path, seen, seen.length)
    }

    /// The first `length` bytes of a file that a glance found to stand `seen`, or
    /// all where it has fewer.
    pub fn head_as_seen(
        &self,
        path: &SeedPath,
        seen: Stat,
        length: usize,
    ) -> Result<(Vec<u8>, Stat), Refused> {
        self.read_part(path, seen, seen.length.min(length as u64))
    }

    fn read_part(
        &self,
        path: &SeedPath,
        seen: Stat,
        wanted: u64,
    ) -> Result<(Vec<u8>, Stat), Refused> {
        let refuse = |error| Refused::of("file", error);
        let no_follow = if self.follow_links { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | no_follow;
        let mut file = File::from(self.open_at(Some(path), flags).map_err(refuse)?);
        let (kind, before) = facts(&file, "", AtFlags::EMPTY_PATH).map_err(refuse)?;
        if kind != Kind::File || before != seen {
            return Err(Refused::Busy);
        }
        // One byte of room more, so that the end is found without growing.
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default() + 1);
        file.by_ref().take(wanted).read_to_end(&mut bytes).map_err(|error| {
            Refused::of("file", Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        let (_, after) = facts(&file, "", AtFlags::EMPTY_PATH).map_err(refuse)?;
        if before != after || bytes.len() as u64 != wanted {
            return Err(Refused::Busy);
        }
        Ok((bytes, after))
    }

    fn open_at(&self, path: Option<&SeedPath>, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        let Some(path) = path else {
            return rustix::fs::openat(&self.fd, ".", flags, Mode::empty());
        };
        if let Some(error) = self.faults.at.as_ref().and_then(|it| it(path)) {
            return Err(error);
        }
        let is_following = self.follow_links && !flags.contains(OFlags::NOFOLLOW);
        let links = match is_following {
            true => ResolveFlags::NO_MAGICLINKS,
            false => ResolveFlags::NO_SYMLINKS,
        };
        let resolve = ResolveFlags::BENEATH | links;
        // The kernel asks to try again where something was renamed on the way.
        for _ in 0..8 {
            if self.faults.old_kernel {
                break;
            }
            match rustix::fs::openat2(&self.fd, path.as_bytes(), flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN) => {}
                // Some sandboxes forbid what they do not know.
                Err(Errno::NOSYS | Errno::PERM) => break,
                opened => return opened,
            }
        }
        self.open_by_component(path, flags)
    }

    /// As openat2(2) with RESOLVE_NO_SYMLINKS: links are not followed here.
    fn open_by_component(&self, path: &SeedPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        let folder_flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder = rustix::fs::openat(&self.fd, ".", folder_flags, Mode::empty())?;
        let mut segments = path.segments().peekable();
        while let Some(segment) = segments.next() {
            if segments.peek().is_none() {
                return rustix::fs::openat(
                    &folder,
                    segment,
                    flags | OFlags::NOFOLLOW,
                    Mode::empty(),
                );
            }
            folder = match rustix::fs::openat(&folder, segment, folder_flags, Mode::empty()) {
                // A link is "not a directory" here, which would read as gone.
                Err(Errno::NOTDIR) => match facts(&folder, segment, AtFlags::SYMLINK_NOFOLLOW)? {
                    (Kind::Other(LINK), _) => return Err(Errno::LOOP),
                    _ => return Err(Errno::NOTDIR),
                },
                opened => opened?,
            };
        }
        Err(Errno::NOENT)
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("old_kernel", &self.old_kernel).finish_non_exhaustive()
    }
}

impl Refused {
    /// What an error says of a `thing` (`file`, `folder`). Only these two errors
    /// mean that nothing is there.
    pub fn of(thing: &str, error: Errno) -> Refused {
        match error {
            Errno::NOENT | Errno::NOTDIR => Refused::NotFound,
            Errno::LOOP => Refused::Unreadable(format!("expected a {thing}, found {LINK}")),
            Errno::XDEV => Refused::Unreadable(format!(
                "expected a {thing}, found a symbolic link that leaves the folder"
            )),
            _ => Refused::Unreadable(format!(
                "expected a readable {thing}, found {}",
                spelled(error)
            )),
        }
    }
}

/// The operating system's text for an error, as it stands within a sentence.
pub fn spelled(error: Errno) -> String {
    let text = std::io::Error::from(error).to_string();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => text,
    }
}

const LINK: &str = "a symbolic link";

fn facts<P: rustix::path::Arg>(
    fd: impl AsFd,
    name: P,
    flags: AtFlags,
) -> Result<(Kind, Stat), Errno> {
    let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let found = rustix::fs::statx(fd, name, flags, mask)?;
    let kind = match FileType::from_raw_mode(found.stx_mode.into()) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Other(LINK),
        FileType::Fifo => Kind::Other("a named pipe"),
        FileType::Socket => Kind::Other("a socket"),
        FileType::BlockDevice | FileType::CharacterDevice => Kind::Other("a device"),
        _ => Kind::Other("something that is no file"),
    };
    let nanoseconds = |time: rustix::fs::StatxTimestamp| {
        time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec.into())
    };
    let has_birth = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
    let stat = Stat {
        device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
        inode: found.stx_ino,
        birth: has_birth.then(|| nanoseconds(found.stx_btime)),
        length: found.stx_size,
        modified: nanoseconds(found.stx_mtime),
        changed: nanoseconds(found.stx_ctime),
    };
    Ok((kind, stat))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn at(path: &str) -> SeedPath {
        SeedPath::new(path).unwrap()
    }

    #[test]
    fn a_file_that_changed_since_it_was_seen_is_not_given_out() {
        let home = tempfile::tempdir().unwrap();
        let root = Root::open(home.path(), false, &Faults::default()).unwrap();
        fs::write(home.path().join("a.md"), "one").unwrap();
        let (_, seen) = root.glance(&at("a.md")).unwrap();
        assert_eq!(root.read_as_seen(&at("a.md"), seen, 10).unwrap(), (b"one".into(), seen));
        assert_eq!(root.head_as_seen(&at("a.md"), seen, 2).unwrap(), (b"on".into(), seen));
        fs::write(home.path().join("a.md"), "longer").unwrap();
        assert_eq!(root.read_as_seen(&at("a.md"), seen, 10), Err(Refused::Busy));
        let (_, seen) = root.glance(&at("a.md")).unwrap();
        fs::write(home.path().join("b.md"), "longer").unwrap();
        fs::rename(home.path().join("b.md"), home.path().join("a.md")).unwrap();
        assert_eq!(root.read_as_seen(&at("a.md"), seen, 10), Err(Refused::Busy), "another inode");
        fs::remove_file(home.path().join("a.md")).unwrap();
        assert_eq!(root.read_as_seen(&at("a.md"), seen, 10), Err(Refused::NotFound));
    }

    #[test]
    fn old_and_new_kernels_see_the_same() {
        let home = tempfile::tempdir().unwrap();
        let path = |it: &str| home.path().join(it);
        fs::create_dir_all(path("a/b")).unwrap();
        fs::write(path("a/b/c.md"), "text").unwrap();
        std::os::unix::fs::symlink("a", path("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", path("a/broken")).unwrap();
        let old = Faults { at: None, old_kernel: true };
        let [old, new] =
            [old, Faults::default()].map(|it| Root::open(home.path(), false, &it).unwrap());
        let names = [
            "a",
            "a/b",
            "a/b/c.md",
            "a/b/c.md/d",
            "a/x/y",
            "x",
            "link",
            "link/b",
            "link/b/c.md",
            "a/broken",
            "a/broken/x",
        ];
        for name in names {
            assert_eq!(old.glance(&at(name)), new.glance(&at(name)), "{name}");
            assert_eq!(old.read(&at(name), 10), new.read(&at(name), 10), "{name}");
            let listed = |root: &Root| root.list(Some(&at(name))).map(|it| it.len());
            assert_eq!(listed(&old), listed(&new), "{name}");
        }
        assert_eq!(old.glance(&at("link/b/c.md")), Err(Errno::LOOP), "no link on the way");
        assert_eq!(old.glance(&at("a/b/c.md/d")), Err(Errno::NOTDIR));
    }

    #[test]
    fn only_two_errors_mean_that_nothing_is_there() {
        let table = [
            (Errno::NOENT, None),
            (Errno::NOTDIR, None),
            (
                Errno::ACCESS,
                Some("expected a readable file, found permission denied (os error 13)"),
            ),
            (Errno::IO, Some("expected a readable file, found input/output error (os error 5)")),
            (Errno::LOOP, Some("expected a file, found a symbolic link")),
            (Errno::XDEV, Some("expected a file, found a symbolic link that leaves the folder")),
        ];
        for (error, reason) in table {
            let expected = reason.map_or(Refused::NotFound, |it| Refused::Unreadable(it.into()));
            assert_eq!(Refused::of("file", error), expected, "{error}");
        }
    }
}
