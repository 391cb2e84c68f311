//! The shelf behind hyper.
//!
//! In: bound listeners, a view of the shelf, and a way to make what is not on it.
//! Out: responses. [`respond`] says what is to be done about a request, and is
//! pure; `response` makes a response of that; the rest is time-outs, limits and
//! drain.
//!
//! What never happens here: rules about articles, rendering, compression. A request
//! for what is on the shelf touches no file, lock or store and waits for nobody.
//!
//! | file | in | out | pure |
//! |---|---|---|---|
//! | `connection` | a stream | hyper's HTTP/1 or HTTP/2 on it | |
//! | `pace` | a stream | the same with time-outs | |
//! | `answer` | requests of a connection | responses | |
//! | `respond` | a request, the shelf | a [`Decision`](respond::Decision) | all |
//! | `address`, `accept`, `condition`, `range`, `navigation`, `delta` | path, fields of a request | what they mean | all |
//! | `response`, `refusal`, `body` | a decision | a response | but files |
//! | `flight` | keys | one making for all who ask | |
//! | `file` | a path of the folder | bytes, opened beneath its root | |

mod accept;
mod address;
mod answer;
mod body;
mod condition;
mod connection;
mod delta;
mod file;
mod flight;
mod navigation;
mod pace;
mod range;
mod refusal;
pub mod respond;
mod response;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::serve::answer::Shared;
use crate::serve::connection::{Protocols, Stop};
use crate::serve::flight::Flights;
pub use crate::serve::flight::{Make, Outcome, Unmade};
use crate::serve::respond::Site;
pub use crate::serve::response::Caching;
use crate::shelf::snapshot::View;

#[derive(Debug, Clone)]
pub struct Options {
    /// The seeds folder, that files are opened beneath.
    pub root: Arc<Path>,
    /// The path of the base URL: empty, or with a slash before and none behind it.
    pub base_path: String,
    pub caching: Caching,
    /// Connections at once; more are turned away.
    pub connections: usize,
    /// For the head of a request from its first byte, and for a body.
    pub header_timeout: Duration,
    /// Between requests, and while nothing moves. Longer than `make_timeout`.
    pub idle_timeout: Duration,
    /// For a client to take some of what is written.
    pub write_timeout: Duration,
    /// Of a request's body, which is read and forgotten, in bytes.
    pub max_body: usize,
    /// Of a request's head, in bytes.
    pub max_head: usize,
    /// Of a request's path and query, in bytes.
    pub max_target: usize,
    /// Requests on one connection of HTTP/1, after which it is closed.
    pub requests: u32,
    /// Requests at once on one connection of HTTP/2.
    pub streams: u32,
    /// Makings at once of what is not on the shelf.
    pub makes: usize,
    pub make_timeout: Duration,
    /// Files read at once.
    pub file_reads: usize,
    /// How long requests in flight may take when the server is asked to stop.
    pub drain: Duration,
    /// Whether each request is logged.
    pub log_requests: bool,
}

/// How the daemon is, as it says when it is asked.
pub type Health = Arc<dyn Fn() -> Report + Send + Sync>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Published entries.
    pub entries: u64,
    /// Seeds with problems.
    pub problems: u64,
    /// Why it is degraded, for people; empty where it is well.
    pub reasons: Vec<String>,
    /// Whether `/healthz` is 200.
    pub can_serve: bool,
}

/// Serves `view` on all of `listeners` until `shutdown` is ready and what is in
/// flight is done, or the time for that is over.
///
/// Nothing here ends the server before that: whatever a client does harms its own
/// connection, and a listener that fails is asked again.
pub async fn serve(
    listeners: Vec<TcpListener>,
    view: View,
    make: Make,
    health: Health,
    options: Options,
    shutdown: impl Future<Output = ()>,
) {
    let protocols = Arc::new(Protocols::new(&options));
    let room = Arc::new(Semaphore::new(options.connections));
    let drain = options.drain;
    let shared = Arc::new(Shared {
        view,
        flights: Arc::new(Flights::new(make, options.makes, options.make_timeout)),
        health,
        site: Site { base_path: options.base_path.clone(), max_target: options.max_target },
        readers: Arc::new(Semaphore::new(options.file_reads)),
        options,
    });
    let (stop, stopped) = watch::channel(Stop::Running);
    let mut doors = JoinSet::new();
    for listener in listeners {
        let door = Door {
            room: Arc::clone(&room),
            shared: Arc::clone(&shared),
            protocols: Arc::clone(&protocols),
            stop: stopped.clone(),
        };
        doors.spawn(door.keep(listener));
    }
    drop(stopped);
    shutdown.await;
    stop.send_replace(Stop::Finishing);
    // Closes the listeners, so that nobody waits in their queues.
    doors.join_all().await;
    if tokio::time::timeout(drain, stop.closed()).await.is_err() {
        let late = stop.receiver_count();
        tracing::warn!("{late} connections were not done after {drain:?}; they are cut");
        stop.send_replace(Stop::Now);
        stop.closed().await;
    }
}

/// Where connections come in.
struct Door {
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
    protocols: Arc<Protocols>,
    stop: watch::Receiver<Stop>,
}

/// How long a listener rests after an error that is not the client's, such as too
/// few descriptors.
const REST: Duration = Duration::from_millis(100);

impl Door {
    async fn keep(mut self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.stop.wait_for(|it| *it > Stop::Running) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.let_in(stream, &peer.ip().to_string()),
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    tracing::warn!("no connection can be accepted: {error}; trying on");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    fn let_in(&self, stream: TcpStream, peer: &str) {
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
            tracing::debug!(peer, "turned away: as many connections as are allowed");
            return connection::shed(&stream);
        };
        // Answers are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let (shared, protocols) = (Arc::clone(&self.shared), Arc::clone(&self.protocols));
        let (peer, stop) = (Arc::from(peer), self.stop.clone());
        tokio::spawn(async move {
            connection::serve(stream, peer, shared, &protocols, stop).await;
            drop(place);
        });
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
