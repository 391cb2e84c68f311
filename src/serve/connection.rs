//! One connection, from its first byte to its last.
//!
//! HTTP/2 with prior knowledge is told from HTTP/1 by its first 24 bytes (RFC 9113,
//! section 3.4), which hyper's own way of telling would wait for without end.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::watch;

use crate::serve::Options;
use crate::serve::answer::{Responder, Shared};
use crate::serve::pace::{Paced, Patience};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

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
    /// What is under way is finished, nothing else begun.
    Finishing,
    /// Time is over.
    Now,
}

/// Serves `stream` until it ends or `stop` says so.
pub(super) async fn serve<S>(
    stream: S,
    peer: Arc<str>,
    shared: Arc<Shared>,
    protocols: &Protocols,
    mut stop: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut stream = Paced::new(stream, protocols.patience);
    let phase = stream.phase();
    // A connection that has not even begun has nothing to finish.
    let beginning = tokio::select! {
        biased;
        beginning = beginning(&mut stream) => beginning,
        _ = stop.wait_for(|it| *it > Stop::Running) => return,
    };
    let (bytes, is_http2) = match beginning {
        Ok(beginning) => beginning,
        Err(error) => return tracing::debug!(%peer, "no request came: {error}"),
    };
    stream.unread(bytes);
    let responder = Responder::new(shared, phase.clone(), Arc::clone(&peer));
    let stream = TokioIo::new(stream);
    let served = if is_http2 {
        phase.many();
        let connection = protocols.http2.serve_connection(stream, responder);
        run(pin!(connection), |it| it.graceful_shutdown(), &mut stop).await
    } else {
        let connection = protocols.http1.serve_connection(stream, responder);
        run(pin!(connection), |it| it.graceful_shutdown(), &mut stop).await
    };
    if let Err(error) = served {
        tracing::debug!(%peer, "connection ended: {error}");
    }
}

async fn run<C>(
    mut connection: Pin<&mut C>,
    finish: impl FnOnce(Pin<&mut C>),
    stop: &mut watch::Receiver<Stop>,
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        _ = stop.wait_for(|it| *it > Stop::Running) => {}
    }
    finish(connection.as_mut());
    tokio::select! {
        biased;
        ended = connection => ended,
        _ = stop.wait_for(|it| *it == Stop::Now) => Ok(()),
    }
}

/// The first bytes, and whether they are those of HTTP/2.
async fn beginning<S>(stream: &mut Paced<S>) -> io::Result<(Bytes, bool)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = BytesMut::with_capacity(2048);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let known = bytes.len().min(PREFACE.len());
        if bytes[..known] != PREFACE[..known] {
            return Ok((bytes.freeze(), false));
        }
        if known == PREFACE.len() {
            return Ok((bytes.freeze(), true));
        }
    }
}

/// Tells a client that there is no room, if it listens at once.
pub(super) fn shed(stream: &tokio::net::TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
        Connection: close\r\nContent-Length: 0\r\n\r\n";
    let _ = stream.try_write(FULL);
}
