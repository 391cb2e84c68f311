//! Files of the seeds folder: opened beneath its root, streamed piece by piece.
//!
//! In: the root and a path of the catalog. Out: an open regular file with its
//! facts, and its bytes in pieces. No file is ever in memory whole, and nothing
//! outside the root is ever opened: no link is followed, whatever it points to.

use std::collections::VecDeque;
use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;
use rustix::fs::{Mode, OFlags};
use tokio::sync::Semaphore;

use crate::serve::range::Span;
use crate::serve::respond::Facts;
use crate::watch::seed::SeedPath;

/// How much of a file is read at once, in bytes.
const PIECE: u64 = 128 * 1024;

/// A change that is older than this shows in the file's times when another follows:
/// file systems keep times to 2 s at worst (FAT).
const SETTLED: Duration = Duration::from_secs(2);

/// Opens the file at `path` beneath `root`. Blocks.
///
/// # Errors
/// `NotFound` for whatever is no regular file that can be reached without following
/// a link; what the system says otherwise.
pub(super) fn open(root: &Path, path: &SeedPath, now: SystemTime) -> io::Result<(File, Facts)> {
    let file = beneath(root, path).map_err(|error| match error {
        // What links and special files answer, each system in its own words.
        rustix::io::Errno::LOOP
        | rustix::io::Errno::XDEV
        | rustix::io::Errno::NOTDIR
        | rustix::io::Errno::NXIO
        | rustix::io::Errno::NAMETOOLONG
        | rustix::io::Errno::ACCESS => io::ErrorKind::NotFound.into(),
        other => io::Error::from(other),
    })?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok((file, facts(&meta, now)))
}

/// Nothing waits for the other end of a pipe, and nothing is taken as terminal.
const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW);

fn beneath(root: &Path, path: &SeedPath) -> rustix::io::Result<File> {
    let folder = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    // Opened anew each time: the folder may have been replaced, or mounted.
    let root = rustix::fs::open(root, folder, Mode::empty())?;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::ResolveFlags;
        let within =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&root, path.as_bytes(), FLAGS, Mode::empty(), within) {
            Ok(file) => return Ok(File::from(file)),
            // Kernels before 5.6, and filters of system calls that do not know it.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {}
            Err(error) => return Err(error),
        }
    }
    step_by_step(root, path)
}

/// The same for systems without openat2: each folder is opened from the one above
/// it, and none of them may be a link.
fn step_by_step(root: rustix::fd::OwnedFd, path: &SeedPath) -> rustix::io::Result<File> {
    let mut folder = root;
    let mut segments = path.segments().peekable();
    while let Some(segment) = segments.next() {
        let flags = match segments.peek() {
            Some(_) => FLAGS | OFlags::DIRECTORY,
            None => FLAGS,
        };
        folder = rustix::fs::openat(&folder, segment, flags, Mode::empty())?;
    }
    Ok(File::from(folder))
}

/// The tag names the file's length and times, of which no program can set the last;
/// it is weak while a second change might not show in them (RFC 9110, section
/// 8.8.1).
fn facts(meta: &std::fs::Metadata, now: SystemTime) -> Facts {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let settled = SETTLED.as_secs() as i64;
    let is_settled =
        meta.ctime().saturating_add(settled) < now && meta.mtime().saturating_add(settled) < now;
    let tag = format!(
        "{weak}\"{:x}-{:x}.{:x}-{:x}.{:x}\"",
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
        weak = if is_settled { "" } else { "W/" },
    );
    Facts {
        length: meta.len(),
        etag: HeaderValue::try_from(tag).expect("a tag is hexadecimal digits, `.` and `-`"),
        modified: (meta.mtime() >= 0 && meta.mtime() <= now).then(|| meta.mtime()),
        is_settled,
    }
}

/// One piece of a body.
#[derive(Debug)]
pub(super) enum Piece {
    /// Between the parts of a multipart body.
    Text(Bytes),
    /// Of the file.
    Span(Span),
}

type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send + Sync>>;

/// Pieces of an open file as they are asked for.
pub(super) struct Stream {
    file: Arc<File>,
    pieces: VecDeque<Piece>,
    remaining: u64,
    reading: Option<Reading>,
    /// How many files may be read at once, so that a disk that hangs takes no more
    /// threads.
    readers: Arc<Semaphore>,
}

impl Stream {
    pub(super) fn new(file: File, pieces: Vec<Piece>, readers: Arc<Semaphore>) -> Stream {
        let lengths = pieces.iter().map(|it| match it {
            Piece::Text(text) => text.len() as u64,
            Piece::Span(span) => span.length(),
        });
        Stream {
            remaining: lengths.sum(),
            file: Arc::new(file),
            pieces: pieces.into(),
            reading: None,
            readers,
        }
    }

    /// In bytes.
    pub(super) fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The next bytes. An error where the file has become shorter meanwhile: what was
    /// promised cannot be kept, and the connection has to show it.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        if self.reading.is_none() {
            match self.pieces.pop_front() {
                None => return Poll::Ready(None),
                Some(Piece::Text(text)) => {
                    self.remaining -= text.len() as u64;
                    return Poll::Ready(Some(Ok(text)));
                }
                Some(Piece::Span(span)) => {
                    let length = span.length().min(PIECE);
                    if length < span.length() {
                        let rest = Span { first: span.first + length, last: span.last };
                        self.pieces.push_front(Piece::Span(rest));
                    }
                    let (file, readers) = (Arc::clone(&self.file), Arc::clone(&self.readers));
                    self.reading = Some(Box::pin(read(file, span.first, length, readers)));
                }
            }
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = std::task::ready!(reading.as_mut().poll(context));
        self.reading = None;
        match &read {
            Ok(bytes) => self.remaining -= bytes.len() as u64,
            Err(_) => self.pieces.clear(),
        }
        Poll::Ready(Some(read))
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

async fn read(
    file: Arc<File>,
    first: u64,
    length: u64,
    readers: Arc<Semaphore>,
) -> io::Result<Bytes> {
    let _reader = readers.acquire_owned().await.map_err(io::Error::other)?;
    let work = move || {
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, first)?;
        Ok(Bytes::from(bytes))
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::UNIX_EPOCH;

    use super::*;

    fn path(text: &str) -> SeedPath {
        SeedPath::new(text).unwrap()
    }

    #[test]
    fn only_regular_files_beneath_the_root_are_opened() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        fs::write(at("folder/a.png"), "a").unwrap();
        symlink(outside.path().join("secret"), at("link")).unwrap();
        symlink(outside.path(), at("door")).unwrap();
        symlink("folder", at("inside")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::from(0o644),
            0,
        )
        .unwrap();
        let table = [
            ("folder/a.png", true, ""),
            ("folder", false, "a folder"),
            ("folder/b.png", false, "nothing"),
            ("folder/a.png/x", false, "below a file"),
            ("link", false, "a link out of the folder"),
            ("door/secret", false, "through a link out of the folder"),
            ("inside/a.png", false, "links are not followed, wherever they lead"),
            ("pipe", false, "a pipe would wait for its other end"),
        ];
        for (name, is_opened, why) in table {
            let path = path(name);
            let opened = open(root.path(), &path, SystemTime::now());
            assert_eq!(opened.is_ok(), is_opened, "{name}: {why}");
            if let Err(error) = opened {
                assert_eq!(error.kind(), io::ErrorKind::NotFound, "{name}: {why}");
            }
            let folder = File::open(root.path()).unwrap().into();
            let opened = step_by_step(folder, &path).map(|it| it.metadata().unwrap().is_file());
            assert_eq!(opened.unwrap_or(false), is_opened, "step by step: {name}: {why}");
        }
    }

    #[test]
    fn tags_follow_the_file() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a");
        let facts = |later: u64| {
            let now = SystemTime::now() + Duration::from_secs(later);
            open(root.path(), &path("a"), now).unwrap().1
        };
        fs::write(&file, "one").unwrap();
        let fresh = facts(0);
        assert!(fresh.etag.as_bytes().starts_with(b"W/"), "it might change within the tick");
        assert!(!fresh.is_settled);
        let settled = facts(10);
        assert!(settled.etag.as_bytes().starts_with(b"\""), "strong");
        assert_eq!(settled.length, 3);
        fs::write(&file, "longer").unwrap();
        assert_ne!(facts(10).etag, settled.etag);

        let future = SystemTime::now() + Duration::from_secs(3600);
        File::options().write(true).open(&file).unwrap().set_modified(future).unwrap();
        assert_eq!(facts(0).modified, None, "RFC 9110, 8.8.2.1");
        let early = UNIX_EPOCH - Duration::from_secs(10);
        File::options().write(true).open(&file).unwrap().set_modified(early).unwrap();
        assert_eq!(facts(0).modified, None, "no HTTP date is before 1970 here");
    }

    #[tokio::test]
    async fn pieces_come_in_order_and_a_shorter_file_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..300_000u32).map(|it| it as u8).collect();
        fs::write(root.path().join("a"), &content).unwrap();
        let pieces = || {
            vec![
                Piece::Text(Bytes::from("before")),
                Piece::Span(Span { first: 10, last: 299_999 }),
                Piece::Text(Bytes::from("after")),
            ]
        };
        let stream = || {
            let (file, _) = open(root.path(), &path("a"), SystemTime::now()).unwrap();
            Stream::new(file, pieces(), Arc::new(Semaphore::new(1)))
        };
        let all = |mut stream: Stream| async move {
            let mut all = Vec::new();
            while let Some(next) = std::future::poll_fn(|it| stream.poll_next(it)).await {
                all.extend_from_slice(&next?);
            }
            assert_eq!(stream.remaining(), 0);
            io::Result::Ok(all)
        };
        let expected = [b"before", &content[10..], b"after"].concat();
        assert_eq!(stream().remaining(), expected.len() as u64);
        assert!(all(stream()).await.unwrap() == expected);

        let cut = stream();
        File::options().write(true).open(root.path().join("a")).unwrap().set_len(1000).unwrap();
        assert_eq!(all(cut).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
