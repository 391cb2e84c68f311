//! Lets connections in, as many as there is room for.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use http::{HeaderMap, Method};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::serve::answer::Shared;
use crate::serve::connection::{self, Arrival, Stop};
use crate::serve::listener::{Listener, Socket};
use crate::serve::meter::Shed;
use crate::serve::refusal::Refusal;
use crate::serve::respond::Role;
use crate::serve::tls::Tls;
use crate::serve::{response, unread};

/// Where connections come in.
pub(super) struct Door {
    server: Arc<ArcSwap<Shared>>,
    tls: Option<Arc<Tls>>,
    stop: watch::Receiver<Stop>,
    closing: oneshot::Receiver<()>,
}

/// A door that is open until this is dropped.
#[derive(Debug)]
pub struct Open {
    closing: oneshot::Sender<()>,
    keeping: JoinHandle<()>,
}

impl Open {
    /// Lets nobody in any more. Who waits already is let in first, and who is in goes on.
    pub async fn close(self) {
        drop(self.closing);
        // It cannot fail but by a panic, which is in the log.
        let _ = self.keeping.await;
    }
}

/// How long a listener rests after an error that is not the client's, such as too
/// few descriptors.
const REST: Duration = Duration::from_millis(100);

impl Door {
    /// Lets in who comes to `listener`.
    pub(super) fn open(
        server: Arc<ArcSwap<Shared>>,
        stop: watch::Receiver<Stop>,
        listener: Listener,
    ) -> Open {
        let Listener { socket, role, tls, is_kept } = listener;
        let (closing, closed) = oneshot::channel();
        let mut door = Door { server, tls, stop, closing: closed };
        let keeping = tokio::spawn(async move {
            match &socket {
                Socket::Tcp(it) => door.keep_socket(it, role, is_kept).await,
                Socket::Unix(it, _) => door.keep_socket(it, role, is_kept).await,
            }
        });
        Open { closing, keeping }
    }

    /// Until the door is closed or the server stops.
    async fn keep_socket<A: Accept>(&mut self, socket: &A, role: Role, is_kept: bool) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.stop.wait_for(|it| *it > Stop::Running) => break,
                _ = &mut self.closing => break,
                accepted = socket.accept_one() => accepted,
            };
            match accepted {
                Ok((stream, address)) => self.let_in(stream, address, role),
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    tracing::warn!("no connection can be accepted: {error}; trying on");
                    tokio::time::sleep(REST).await;
                }
            }
        }
        if is_kept {
            return;
        }
        // Who waits already would be cut when the socket closes.
        loop {
            let waiting = tokio::time::timeout(Duration::ZERO, socket.accept_one());
            let Ok(Ok((stream, address))) = waiting.await else { return };
            self.let_in(stream, address, role);
        }
    }

    fn let_in<S: Stream>(&self, stream: S, address: Option<IpAddr>, role: Role) {
        let shared = self.server.load_full();
        let (options, lasting) = (&shared.options, &shared.lasting);
        let Some(mut place) = lasting.crowd.enter(options.connections) else {
            lasting.meter.shed(Shed::Full);
            return self.shed(&stream);
        };
        let counted = address
            .filter(|it| !it.to_canonical().is_loopback() && !options.trusted.hold(Some(*it)));
        if let Some(address) = counted
            && !place.count(address, options.connections_of_client)
        {
            lasting.meter.shed(Shed::Client);
            return self.shed(&stream);
        }
        lasting.meter.connected();
        stream.prepare();
        let arrival = Arrival { address, role, tls: self.tls.clone(), place };
        tokio::spawn(connection::serve(stream, arrival, shared, self.stop.clone()));
    }

    /// Tells a client that there is no room, if it listens at once.
    fn shed<S: Stream>(&self, stream: &S) {
        if self.tls.is_none() {
            let full = response::refuse(Refusal::Busy, &HeaderMap::new(), &Method::GET);
            let _ = stream.send_now(&unread::written(full, SystemTime::now()).0);
        }
    }
}

/// A socket that connections come in at.
trait Accept {
    type Stream: Stream;

    async fn accept_one(&self) -> io::Result<(Self::Stream, Option<IpAddr>)>;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept_one(&self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        let (stream, peer) = self.accept().await?;
        Ok((stream, Some(peer.ip().to_canonical())))
    }
}

impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn accept_one(&self) -> io::Result<(UnixStream, Option<IpAddr>)> {
        Ok((self.accept().await?.0, None))
    }
}

/// A connection that came in.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    fn prepare(&self);
    fn send_now(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Stream for TcpStream {
    fn prepare(&self) {
        // Answers are written whole; waiting for more would only delay them.
        let _ = self.set_nodelay(true);
    }

    fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}

impl Stream for UnixStream {
    fn prepare(&self) {}

    fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}

/// Errors of one connection that was gone before it was accepted.
fn is_of_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
