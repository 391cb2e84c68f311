//! A connection that does not wait for ever: hyper's own time-outs cover neither
//! slow readers nor the time between requests apart from the time of a head.
//!
//! Costs next to nothing for those who keep up: one timer a connection, which is
//! looked at when it fires and not set again for each request.
//!
//! Here hyper's own answers to what it cannot read are held back, too, for `unread` to
//! say more.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use memchr::{memchr_iter, memmem};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::serve::meter::Meter;
use crate::serve::unread::Fault;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the head of a request, from its first byte.
    pub(super) head: Duration,
    /// Between requests, and while nothing moves.
    pub(super) idle: Duration,
    /// To take some of what we write.
    pub(super) write: Duration,
}

/// What the connection waits for. Shared with whoever answers its requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    phase: AtomicU8,
    /// A file was sent, in which anything may stand.
    has_streamed: AtomicBool,
    /// A line ended without CR.
    is_doubtful: AtomicBool,
    /// A body came that was not read.
    has_rest: AtomicBool,
}

/// Nothing has come yet.
const FIRST: u8 = 0;
const HEAD: u8 = 1;
const BETWEEN: u8 = 2;
/// HTTP/2: many requests at once, told apart by hyper.
const MANY: u8 = 3;
/// The same, and one has come since bytes were counted.
const ONE_OF_MANY: u8 = 4;
/// A request is there, and its answer is still being made or read from a file.
const WORKING: u8 = 5;
/// Between requests, and for long enough that nothing is kept for the next one.
const IDLE: u8 = 6;

/// After that long between requests a connection is [`IDLE`].
const REST: Duration = Duration::from_secs(1);

/// Up to this many bytes are written as one piece: that costs less than having the
/// system gather them.
const PIECE: usize = 8192;

thread_local! {
    static PIECES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that a connection of HTTP/2 may send between two requests, in settings, pings
/// and the like; for a long answer it may send more, a share of what it takes.
const FRAMES: u64 = 128 * 1024;
const SHARE: u64 = 16;

/// hyper's answers to what it cannot read are not longer, in bytes.
const AUTOMATIC: usize = 160;

impl Phase {
    /// A request is there whole, or its body may take its own time.
    pub(super) fn answering(&self) {
        match self.now() {
            HEAD | WORKING => self.set(BETWEEN),
            MANY => self.set(ONE_OF_MANY),
            _ => {}
        }
    }

    /// The answer to the request takes longer.
    pub(super) fn working(&self) {
        if self.now() == BETWEEN {
            self.set(WORKING);
        }
    }

    /// The answer is there whole.
    pub(super) fn answered(&self) {
        if self.now() == WORKING {
            self.set(BETWEEN);
        }
    }

    /// Whether the client has been silent for a while, and nothing is on its way to it.
    pub(super) fn is_idle(&self) -> bool {
        self.now() == IDLE
    }

    /// From now on a piece of a file may look like an answer of hyper.
    pub(super) fn streaming(&self) {
        self.0.has_streamed.store(true, Ordering::Relaxed);
    }

    /// What the client still sends is not going to be read.
    pub(super) fn leave_rest(&self) {
        self.0.has_rest.store(true, Ordering::Relaxed);
    }

    /// Whether a proxy may see another request than we do: RFC 9112, section 2.2, lets
    /// us take LF for a line's end, and others for a part of the line.
    pub(super) fn is_doubtful(&self) -> bool {
        self.0.is_doubtful.load(Ordering::Relaxed)
    }

    /// The connection speaks HTTP/2.
    pub(super) fn many(&self) {
        self.set(MANY);
    }

    fn now(&self) -> u8 {
        self.0.phase.load(Ordering::Relaxed)
    }

    fn set(&self, phase: u8) {
        self.0.phase.store(phase, Ordering::Relaxed);
    }
}

/// A stream with deadlines. Reading begins with bytes that were read from it before.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    before: Bytes,
    patience: Patience,
    meter: Arc<Meter>,
    phase: Phase,
    /// When the present wait for reading began.
    waiting: Instant,
    /// Something moved since; the clock is read when the next wait begins, since nearly
    /// every request is whole before that.
    has_moved: bool,
    /// Bytes that HTTP/2 may still send before its next request.
    frames: u64,
    /// Since when a write gets nowhere.
    stuck: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whom the timer wakes.
    waker: Option<Waker>,
    /// The last byte of the read before.
    last: u8,
    /// hyper answered what it cannot read.
    is_held: bool,
    /// The head of a request did not come in time.
    is_late: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Paced<S> {
    pub(super) fn new(stream: S, patience: Patience, meter: Arc<Meter>) -> Paced<S> {
        Paced {
            stream,
            before: Bytes::new(),
            patience,
            meter,
            phase: Phase::default(),
            waiting: Instant::now(),
            has_moved: false,
            frames: FRAMES,
            stuck: None,
            timer: None,
            waker: None,
            last: 0,
            is_held: false,
            is_late: false,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.clone()
    }

    /// Waits for bytes without keeping room for them; empty where there will be none.
    pub(super) async fn next_bytes(&mut self) -> io::Result<Bytes> {
        std::future::poll_fn(|context| {
            let mut room = [const { MaybeUninit::uninit() }; 2048];
            let mut buffer = ReadBuf::uninit(&mut room);
            let read = Pin::new(&mut *self).poll_read(context, &mut buffer);
            read.map_ok(|()| Bytes::copy_from_slice(buffer.filled()))
        })
        .await
    }

    /// Gives `bytes` to whoever reads next, before anything else.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        if self.phase.is_idle() {
            self.phase.set(if bytes.is_empty() { BETWEEN } else { HEAD });
            self.has_moved = true;
        }
        self.before = bytes;
    }

    /// Why the connection ended with a request that was not read, if it did. From now on
    /// nothing is held back.
    pub(super) fn fault(&mut self, is_too_large: bool) -> Option<Fault> {
        match (std::mem::take(&mut self.is_late), std::mem::take(&mut self.is_held)) {
            (true, _) => Some(Fault::TooLate),
            (false, true) if is_too_large => Some(Fault::TooLarge),
            (false, true) => Some(Fault::Malformed),
            (false, false) => None,
        }
    }

    /// Whether the client may not have sent all yet.
    pub(super) fn has_rest(&self) -> bool {
        self.phase.0.has_rest.load(Ordering::Relaxed)
    }

    /// Whether `bytes` are hyper's answer to what it cannot read. Ours say more.
    fn is_automatic(&self, bytes: &[u8]) -> bool {
        bytes.len() <= AUTOMATIC
            && bytes.starts_with(b"HTTP/1.")
            && bytes.get(8..10) == Some(b" 4")
            && memmem::find(bytes, b"\r\ncontent-length: 0\r\ndate: ").is_some()
            && !self.phase.0.has_streamed.load(Ordering::Relaxed)
    }

    /// Ready when `deadline` is over. Otherwise whoever waits is woken when it is.
    ///
    /// Reading and writing share the timer: the earlier deadline wins, and when it
    /// fires both come here again.
    fn poll_until(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // A timer that is set too early is put off when it fires, not before.
        let is_too_late = timer.deadline() > deadline;
        if is_too_late {
            timer.as_mut().reset(deadline);
        }
        // To ask the timer takes a lock, and this comes with every request.
        let is_known = self.waker.as_ref().is_some_and(|it| it.will_wake(context.waker()));
        if is_known && !is_too_late && !timer.is_elapsed() {
            return Poll::Pending;
        }
        while timer.as_mut().poll(context).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        if !is_known {
            self.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// A read that got nowhere.
    fn wait_to_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.has_moved) {
            self.waiting = Instant::now();
        }
        let is_between = self.phase.now() == BETWEEN && self.stuck.is_none();
        if is_between && self.patience.idle > REST {
            std::task::ready!(self.poll_until(context, self.waiting + REST));
            self.phase.set(IDLE);
        }
        let patience = match self.phase.now() {
            FIRST | HEAD => self.patience.head,
            _ => self.patience.idle,
        };
        std::task::ready!(self.poll_until(context, self.waiting + patience));
        self.is_late = self.phase.now() == HEAD && self.stuck.is_none();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Bytes of `count` came in; an error where a connection of HTTP/2 talks much and
    /// asks for nothing.
    fn note_read(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (count, Some(&last)) = (bytes.len(), bytes.last()) else { return Ok(()) };
        match self.phase.now() {
            // The time of the first head runs from the beginning.
            FIRST => self.phase.set(HEAD),
            BETWEEN | WORKING | IDLE => {
                self.phase.set(HEAD);
                self.has_moved = true;
            }
            ONE_OF_MANY => {
                self.phase.many();
                self.has_moved = true;
                self.frames = FRAMES;
            }
            MANY => {
                self.has_moved = true;
                self.frames = self.frames.saturating_sub(count as u64);
                if self.frames == 0 {
                    return Err(io::Error::other("many frames, and no request among them"));
                }
            }
            _ => {}
        }
        if self.phase.now() < MANY {
            let before = |at: usize| if at == 0 { self.last } else { bytes[at - 1] };
            if memchr_iter(b'\n', bytes).any(|at| before(at) != b'\r') {
                self.phase.0.is_doubtful.store(true, Ordering::Relaxed);
            }
            self.last = last;
        }
        Ok(())
    }

    /// What a write of bytes came to.
    fn note_sent(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = &written {
            self.meter.sent(*count as u64);
            self.frames = self.frames.saturating_add(*count as u64 / SHARE);
        }
        self.note_write(context, written)
    }

    /// What a write or flush came to.
    fn note_write<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            // Who takes answers has not fallen silent.
            self.has_moved = true;
            return written;
        }
        let since = *self.stuck.get_or_insert_with(Instant::now);
        std::task::ready!(self.poll_until(context, since + self.patience.write));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.before.is_empty() {
            let count = this.before.len().min(buffer.remaining());
            buffer.put_slice(&this.before[..count]);
            this.before.advance(count);
            if this.before.is_empty() {
                this.before = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        let filled = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                let read = this.note_read(&buffer.filled()[filled..]);
                Poll::Ready(result.and(read))
            }
            Poll::Pending => this.wait_to_read(context),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_automatic(bytes) {
            this.is_held = true;
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.note_sent(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = slices {
            return self.poll_write(context, only);
        }
        let this = self.get_mut();
        let stream = Pin::new(&mut this.stream);
        let written = if slices.iter().map(|it| it.len()).sum::<usize>() > PIECE {
            stream.poll_write_vectored(context, slices)
        } else {
            PIECES.with_borrow_mut(|piece| {
                piece.clear();
                slices.iter().for_each(|it| piece.extend_from_slice(it));
                stream.poll_write(context, piece)
            })
        };
        this.note_sent(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        match flushed {
            Poll::Ready(_) if this.stuck.is_none() => flushed,
            _ => this.note_write(context, flushed),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_held {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}
