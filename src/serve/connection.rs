//! One connection, from its first byte to its last.
//!
//! HTTP/2 with prior knowledge is told from HTTP/1 by its first 24 bytes (RFC 9113,
//! section 3.4), which hyper's own way of telling would wait for without end.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, sink};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::serve::Options;
use crate::serve::answer::{Responder, Shared, Visitor};
use crate::serve::crowd::Place;
use crate::serve::meter::Shed;
use crate::serve::pace::{Paced, Patience, Phase};
use crate::serve::peer::{Peer, Told};
use crate::serve::proxied;
use crate::serve::refusal::Refusal;
use crate::serve::respond::Role;
use crate::serve::tls::{H2, Tls};
use crate::serve::unread::{self, Verdict};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// So long, and so much, is listened to after a last answer that came before the end of
/// what it answers.
const LINGERING: Duration = Duration::from_secs(1);
const LINGERING_BYTES: u64 = 256 * 1024;

/// How hyper reads and writes, for all connections.
#[derive(Debug, Clone)]
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    patience: Patience,
}

impl Protocols {
    pub(super) fn new(options: &Options) -> Protocols {
        let mut http1 = http1::Builder::new();
        // Time is kept by `Paced`; without a timer hyper keeps none.
        http1
            .header_read_timeout(None)
            // A client that has said all it wants to say may still listen.
            .half_close(true)
            .max_header_size(options.max_head)
            // hyper looks at the size of a head when it is whole; until then this counts.
            .max_buf_size(options.max_head.max(8192));
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(options.streams)
            .max_header_list_size(u32::try_from(options.max_head).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(options.resets)
            .max_local_error_reset_streams(options.resets * 4)
            // What one client may have us keep for it.
            .max_send_buf_size(128 * 1024);
        let patience = Patience {
            head: options.header_timeout,
            idle: options.idle_timeout,
            write: options.write_timeout,
        };
        Protocols { http1, http2, patience }
    }
}

/// How far the server is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    Running,
    /// No new connections; each answer is its connection's last.
    Finishing,
    /// What is under way is finished, nothing else begun.
    Closing,
    /// Time is over.
    Now,
}

/// What is known of a connection that has come in.
pub(super) struct Arrival {
    /// The other end; `None`: a Unix socket.
    pub(super) address: Option<IpAddr>,
    pub(super) role: Role,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) place: Place,
}

/// Serves `stream` until it ends or `stop` says so.
pub(super) async fn serve<S>(
    mut stream: S,
    arrival: Arrival,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Arrival { mut address, role, tls, mut place } = arrival;
    let options = &shared.options;
    let mut is_trusted = options.trusted.hold(address);
    let patience = options.header_timeout;
    if is_trusted && options.told == Told::Proxy {
        match timeout(patience, proxied::read(&mut stream)).await {
            // Whoever the proxy names speaks for itself.
            Ok(Ok(Some(client))) => (address, is_trusted) = (Some(client), false),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                return tracing::debug!(peer = ?address, "no header of the PROXY protocol: {error}");
            }
            Err(_) => return,
        }
        if let Some(client) = address.filter(|it| !is_trusted && !it.is_loopback())
            && !place.count(client, options.connections_of_client)
        {
            return shared.lasting.meter.shed(Shed::Client);
        }
    }
    let visitor = Visitor { peer: Peer { address, is_trusted }, role, is_secure: tls.is_some() };
    match tls {
        // Boxed, so that connections without TLS need no room for it.
        Some(tls) => Box::pin(secure(stream, &tls, visitor, shared, &mut stop)).await,
        None => speak(stream, visitor, shared, None, &mut stop).await,
    }
    drop(place);
}

/// TLS on `stream`, and HTTP on that.
async fn secure<S>(
    stream: S,
    tls: &Tls,
    visitor: Visitor,
    shared: Arc<Shared>,
    stop: &mut watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let peer = visitor.peer.address;
    let shaken = tokio::select! {
        biased;
        shaken = timeout(shared.options.header_timeout, tls.accept(stream)) => shaken,
        _ = stop.wait_for(|it| *it == Stop::Now) => return,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(H2);
            speak(stream, visitor, shared, Some(is_http2), stop).await;
        }
        Ok(Err(error)) => tracing::debug!(?peer, "no handshake of TLS: {error}"),
        Err(_) => tracing::debug!(?peer, "no handshake of TLS in time"),
    }
}

/// HTTP on `stream`; which version, TLS may have settled.
async fn speak<S>(
    stream: S,
    visitor: Visitor,
    shared: Arc<Shared>,
    settled: Option<bool>,
    stop: &mut watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let kept = Arc::clone(&shared);
    let (protocols, is_stopping) = (&kept.protocols, &kept.lasting.is_stopping);
    let meter = Arc::clone(&shared.lasting.meter);
    let mut stream = Paced::new(stream, protocols.patience, meter);
    let phase = stream.phase();
    let responder = Responder::new(shared, phase.clone(), visitor);
    let mut bytes = Bytes::new();
    // A connection that has not even begun has nothing to finish.
    let beginning = tokio::select! {
        biased;
        beginning = beginning(&mut stream, &mut bytes) => beginning,
        _ = stop.wait_for(|it| *it > Stop::Finishing) => return,
    };
    let peer = visitor.peer.address;
    let is_http2 = match beginning {
        Ok(is_preface) => settled.unwrap_or(is_preface),
        Err(error) => {
            tracing::debug!(?peer, "no request came: {error}");
            if stream.fault(false).is_some() {
                let answer = responder.refuse_unread(Refusal::HeadTimeout, &bytes);
                Box::pin(say(stream, answer, stop)).await;
            }
            return;
        }
    };
    // What hyper needs is boxed, so that it takes no room where it is not needed.
    if is_http2 {
        phase.many();
        stream.unread(bytes);
        let connection = protocols.http2.serve_connection(TokioIo::new(stream), responder);
        let mut watched = Watched { connection: Box::new(connection), phase, is_stopping };
        let served = watched.run(|it| it.graceful_shutdown(), Stop::Finishing, stop).await;
        return log_end(served.unwrap_or(Ok(())), peer);
    }
    loop {
        stream.unread(bytes);
        let io = TokioIo::new(stream);
        let connection = Box::new(protocols.http1.serve_connection(io, responder.clone()));
        let mut watched = Watched { connection, phase: phase.clone(), is_stopping };
        let served = watched.run(|it| it.graceful_shutdown(), Stop::Closing, stop).await;
        let parts = watched.connection.into_parts();
        (stream, bytes) = (parts.io.into_inner(), parts.read_buf);
        let Some(served) = served else {
            if bytes.is_empty() {
                // Even empty it holds the whole buffer.
                drop(bytes);
                match next_request(&mut stream, stop).await {
                    Ok(next) => bytes = next,
                    Err(error) => return tracing::debug!(?peer, "connection ended: {error}"),
                }
            }
            continue;
        };
        let is_too_large = served.as_ref().is_err_and(hyper::Error::is_parse_too_large);
        log_end(served, peer);
        if let Some(fault) = stream.fault(is_too_large) {
            match unread::judge(fault, &bytes) {
                Verdict::Read(known) => bytes = known,
                Verdict::Refuse(refusal) => {
                    let answer = responder.refuse_unread(refusal, &bytes);
                    return Box::pin(say(stream, answer, stop)).await;
                }
            }
        } else {
            if stream.has_rest() {
                Box::pin(linger(stream, stop)).await;
            }
            return;
        }
    }
}

/// Waits on an idle connection of HTTP/1, which is nothing but its stream: hyper's
/// buffers are many times as large as all else that a connection needs. Empty where
/// nothing more comes; hyper closes it as it should be.
async fn next_request<S>(
    stream: &mut Paced<S>,
    stop: &mut watch::Receiver<Stop>,
) -> io::Result<Bytes>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    tokio::select! {
        biased;
        bytes = stream.next_bytes() => bytes,
        _ = stop.wait_for(|it| *it >= Stop::Closing) => Ok(Bytes::new()),
    }
}

/// The last words on a connection that hyper has left.
async fn say<S>(mut stream: Paced<S>, answer: Vec<u8>, stop: &mut watch::Receiver<Stop>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let said = tokio::select! {
        biased;
        said = async {
            stream.write_all(&answer).await?;
            stream.shutdown().await
        } => said,
        _ = stop.wait_for(|it| *it == Stop::Now) => return,
    };
    if said.is_ok() {
        linger(stream, stop).await;
    }
}

/// Lets the client finish what it is saying: closing before would be a reset, which may
/// take the answer from it (RFC 9112, section 9.6).
async fn linger<S>(stream: Paced<S>, stop: &mut watch::Receiver<Stop>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut rest, mut nowhere) = (stream.take(LINGERING_BYTES), sink());
    tokio::select! {
        biased;
        _ = timeout(LINGERING, tokio::io::copy(&mut rest, &mut nowhere)) => {}
        _ = stop.wait_for(|it| *it == Stop::Now) => {}
    }
}

fn log_end(served: hyper::Result<()>, peer: Option<IpAddr>) {
    if let Err(error) = served {
        tracing::debug!(?peer, "connection ended: {error}");
    }
}

/// A connection of hyper's, and what may end the wait for it.
struct Watched<'s, C> {
    connection: Box<C>,
    phase: Phase,
    is_stopping: &'s AtomicBool,
}

impl<C: Future<Output = hyper::Result<()>> + Unpin> Watched<'_, C> {
    /// Until it ends; `None`: it is idle, and holds nothing that the client waits for.
    /// When the server has come to `finish_at`, it is told to `finish`.
    async fn run(
        &mut self,
        finish: impl FnOnce(Pin<&mut C>),
        finish_at: Stop,
        stop: &mut watch::Receiver<Stop>,
    ) -> Option<hyper::Result<()>> {
        let first = {
            let mut told = pin!(stop.wait_for(|it| *it >= finish_at));
            let mut waker: Option<Waker> = None;
            poll_fn(|context| {
                if let Poll::Ready(ended) = Pin::new(&mut *self.connection).poll(context) {
                    return Poll::Ready(Some(Some(ended)));
                }
                if self.phase.is_idle() {
                    return Poll::Ready(Some(None));
                }
                // Whoever stops wakes this task; to ask takes a lock that all share, and
                // this comes with every request.
                let is_known = waker.as_ref().is_some_and(|it| it.will_wake(context.waker()));
                if is_known && !self.is_stopping.load(Ordering::Relaxed) {
                    return Poll::Pending;
                }
                waker = Some(context.waker().clone());
                told.as_mut().poll(context).map(|_| None)
            })
            .await
        };
        if let Some(first) = first {
            return first;
        }
        finish(Pin::new(&mut *self.connection));
        tokio::select! {
            biased;
            ended = &mut *self.connection => Some(ended),
            _ = stop.wait_for(|it| *it == Stop::Now) => Some(Ok(())),
        }
    }
}

/// Reads the first bytes; whether they are those of HTTP/2.
async fn beginning<S>(stream: &mut Paced<S>, bytes: &mut Bytes) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let next = stream.next_bytes().await?;
        if next.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *bytes = if bytes.is_empty() { next } else { [&bytes[..], &next].concat().into() };
        let known = bytes.len().min(PREFACE.len());
        if bytes[..known] != PREFACE[..known] {
            if is_foreign(bytes) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not HTTP"));
            }
            return Ok(false);
        }
        if known == PREFACE.len() {
            return Ok(true);
        }
    }
}

/// Whether a connection begins with a line that is none of HTTP/1: neither its version
/// nor its target can be. An answer would be read as frames of HTTP/2 by a client that
/// made a mistake in the preface, or as who knows what.
fn is_foreign(bytes: &[u8]) -> bool {
    let Some(end) = bytes.iter().position(|&it| it == b'\n') else { return false };
    let words: Vec<_> = bytes[..end].trim_ascii().split(|&it| it == b' ').collect();
    let [_, target, version] = words[..] else { return false };
    !target.is_empty()
        && !version.starts_with(b"HTTP/")
        && !target.iter().any(|it| b"/*:".contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_http_at_all() {
        let table = [
            ("INVALID CONNECTION PREFACE\r\n\r\n", true, "RFC 9113, 3.4: it is closed"),
            ("GET / HTTP/1.1\r\n", false, ""),
            ("GET / HTTP/9\r\n", false, "gets 400"),
            ("GET /\r\n", false, "gets 400"),
            ("GET / FOO\r\n", false, "gets 400"),
            ("GET  x HTTP/1.1\r\n", false, "gets 400"),
            ("GET x HTTP/1.1\r\n", false, "gets 400"),
            ("\r\nGET / HTTP/1.1\r\n", false, "RFC 9112, 2.2: an empty line before it"),
            ("INVALID CONNECTION PREF", false, "the line is not whole yet"),
        ];
        for (text, expected, why) in table {
            assert_eq!(is_foreign(text.as_bytes()), expected, "{text:?}: {why}");
        }
    }
}
