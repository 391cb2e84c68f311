//! The nouns of the watch stage: what stands in the seeds folder, and what
//! changed there.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a file stands in the seeds folder: bytes between single slashes, never
/// empty, never absolute, no `.` or `..`. It cannot name anything outside the
/// folder.
///
/// Bytes, since file names need not be UTF-8. Ordered by bytes. Displayed with
/// invalid UTF-8 and control characters escaped, for logs and terminals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeedPath(Box<[u8]>);

impl SeedPath {
    /// The path that these bytes name, or `None` where they could leave the
    /// folder or name nothing: absolute, `..`, `.`, empty segments, NUL.
    pub fn new(bytes: impl AsRef<[u8]>) -> Option<SeedPath> {
        let bytes = bytes.as_ref();
        let is_plain = bytes
            .split(|&byte| byte == b'/')
            .all(|segment| !segment.is_empty() && segment != b"." && segment != b"..");
        (is_plain && !bytes.contains(&0)).then(|| SeedPath(bytes.into()))
    }

    /// The place of `path`, relative to the seeds folder.
    pub fn from_relative(path: &Path) -> Option<SeedPath> {
        SeedPath::new(path.as_os_str().as_bytes())
    }

    /// Where `link` (percent-decoded, no query or fragment) leads from here: from
    /// the root of the folder where it begins with `/`, else from this file's
    /// folder. `None` where it leaves the folder or names the root itself.
    pub fn resolve(&self, link: impl AsRef<[u8]>) -> Option<SeedPath> {
        let link = link.as_ref();
        let folder = self.folder();
        let mut segments: Vec<&[u8]> = match (&folder, link.first()) {
            (Some(folder), first) if first != Some(&b'/') => folder.segments().collect(),
            _ => Vec::new(),
        };
        for segment in link.split(|&byte| byte == b'/') {
            match segment {
                b"" | b"." => {}
                b".." => {
                    segments.pop()?;
                }
                name => segments.push(name),
            }
        }
        SeedPath::new(segments.join(&b'/'))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Relative to the seeds folder.
    pub fn to_path_buf(&self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(&self.0))
    }

    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/')
    }

    /// `None` where the file stands in the seeds folder itself.
    pub fn folder(&self) -> Option<SeedPath> {
        let slash = self.0.iter().rposition(|&byte| byte == b'/')?;
        Some(SeedPath(self.0[..slash].into()))
    }

    /// The last segment.
    pub fn file_name(&self) -> &[u8] {
        self.segments().next_back().unwrap_or_default()
    }

    /// The file name without its extension; `kim` of `news/kim.txt`.
    pub fn stem(&self) -> &[u8] {
        let name = self.file_name();
        match name.iter().rposition(|&byte| byte == b'.') {
            Some(dot) if dot > 0 => &name[..dot],
            _ => name,
        }
    }

    /// In ASCII lower case, without its dot; `None` where the name has none.
    pub fn extension(&self) -> Option<String> {
        let name = self.file_name();
        let dot = name.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0)?;
        let extension = std::str::from_utf8(&name[dot + 1..]).ok()?;
        (!extension.is_empty()).then(|| extension.to_ascii_lowercase())
    }

    /// Whether this is `folder` or stands somewhere below it.
    pub fn is_within(&self, folder: &SeedPath) -> bool {
        self.0
            .strip_prefix(&*folder.0)
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    }
}

impl fmt::Display for SeedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character.is_control() {
                    true => write!(f, "{}", character.escape_default())?,
                    false => write!(f, "{character}")?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SeedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

/// What the file system says of a file without reading it. Times are nanoseconds
/// since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    pub device: u64,
    pub inode: u64,
    /// Where the file system keeps it.
    pub birth: Option<i64>,
    pub length: u64,
    pub modified: i64,
    /// The last change of content, name or permissions; no program can set it.
    pub changed: i64,
}

impl Stat {
    /// Of what stands there and could not be looked at: equal to that of no file.
    pub const UNKNOWN: Stat =
        Stat { device: 0, inode: 0, birth: None, length: 0, modified: 0, changed: -1 };
}

/// A file under the seeds folder that an article can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    pub path: SeedPath,
    /// Where the seed has surroundings, `changed` is mixed with theirs: it differs
    /// when any of them does, and is no time.
    pub stat: Stat,
    pub bytes: Vec<u8>,
    pub surroundings: Surroundings,
}

/// What else in the folder decides how a seed reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The bytes of `NAME.toml` beside the seed.
    pub sidecar: Option<Vec<u8>>,
    /// Each `folder.toml` above the seed with its path, the root's first.
    pub folders: Vec<(SeedPath, Vec<u8>)>,
}

/// A file that is no seed: a picture, a PDF. Only its facts are kept, never its
/// bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: SeedPath,
    pub stat: Stat,
    /// By its name and first bytes; `application/octet-stream` where both say
    /// nothing.
    pub media_type: String,
    /// Width and height in pixels, of pictures whose header says so.
    pub size: Option<(u32, u32)>,
}

/// What the folder now holds at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A seed that is new or was written, moved or touched; read whole.
    Written(Seed),
    /// A file that is no seed.
    File(File),
    /// Nothing stands there any more ("not found", never any other error), or
    /// what stands there is no longer a seed or file (ignored, a folder).
    Gone(SeedPath),
    /// Something stands there and cannot be read: permission, I/O error, too
    /// large, a symbolic link that leaves the folder.
    Unreadable { path: SeedPath, reason: String },
}
