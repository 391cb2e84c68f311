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
//! | `listener` | addresses, sockets | streams | |
//! | `connection` | a stream | hyper's HTTP/1 or HTTP/2 on it | |
//! | `tls`, `proxied` | the first bytes of a stream | who speaks, and how | |
//! | `pace` | a stream | the same with time-outs | |
//! | `answer` | requests of a connection | responses | |
//! | `respond` | a request, the shelf | a [`Decision`](respond::Decision) | all |
//! | `address`, `accept`, `condition`, `range`, `navigation`, `delta`, `fields` | path, fields of a request | what they mean | all |
//! | `response`, `refusal`, `body` | a decision | a response | but files |
//! | `unread` | what hyper cannot read | what is answered | all |
//! | `flight` | keys | one making for all who ask | |
//! | `crowd`, `polls` | who is here, who asks | who has to wait | |
//! | `peer`, `networks` | addresses, what proxies say | who asks | all |
//! | `meter`, `journal`, `subscribers` | answers | counts and lines | |
//! | `file` | a path of the folder | bytes, opened beneath its root | |

mod accept;
mod address;
mod answer;
mod body;
mod condition;
mod connection;
mod crowd;
mod delta;
mod door;
mod fields;
mod file;
mod flight;
mod journal;
mod listener;
mod meter;
mod navigation;
mod networks;
mod pace;
mod peer;
mod polls;
mod proxied;
mod range;
mod refusal;
pub mod respond;
mod response;
mod subscribers;
#[cfg(test)]
mod tests;
mod tls;
mod unread;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, watch};

use crate::serve::answer::{Lasting, Shared};
use crate::serve::connection::{Arrival, Protocols, Stop};
use crate::serve::crowd::Crowd;
use crate::serve::door::Door;
pub use crate::serve::door::Open;
use crate::serve::flight::Flights;
pub use crate::serve::flight::{Make, Outcome, Unmade};
pub use crate::serve::journal::{Format as JournalFormat, Journal, Sink};
pub use crate::serve::listener::Listener;
use crate::serve::meter::Meter;
pub use crate::serve::networks::Networks;
pub use crate::serve::peer::Told;
pub use crate::serve::polls::Pace;
use crate::serve::polls::Polls;
pub use crate::serve::respond::Role;
use crate::serve::respond::Site;
pub use crate::serve::response::Caching;
use crate::serve::subscribers::Readership;
pub use crate::serve::subscribers::Subscribers;
pub use crate::serve::tls::{Refreshed, Tls};
use crate::shelf::snapshot::View;

#[derive(Debug, Clone)]
pub struct Options {
    /// The seeds folder, that files are opened beneath.
    pub root: Arc<Path>,
    /// The path of the base URL: empty, or with a slash before and none behind it.
    pub base_path: String,
    /// Names that are answered to, in lower case; empty: all.
    pub hosts: Vec<String>,
    /// Where plain HTTP leads: the port of HTTPS.
    pub redirect: Option<u16>,
    /// `Strict-Transport-Security` of answers over TLS.
    pub hsts: Option<HeaderValue>,
    pub caching: Caching,
    /// Who is believed when it names another as its client, and how it does.
    pub trusted: Networks,
    pub told: Told,
    /// Connections at once; more are turned away.
    pub connections: usize,
    /// Of one client.
    pub connections_of_client: u32,
    /// For the head of a request from its first byte, for a body, and for a handshake.
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
    /// Requests of HTTP/2 that are taken back before they are answered.
    pub resets: usize,
    /// How often a client may ask without saying what it has already.
    pub polls: Pace,
    /// Makings at once of what is not on the shelf.
    pub makes: usize,
    pub make_timeout: Duration,
    /// How long requests in flight may take when the server is asked to stop.
    pub drain: Duration,
    /// Who may see `/metrics` where the site is.
    pub metrics: Access,
    /// Where each request is logged.
    pub journal: Option<Journal>,
}

/// Who may see what only those who run Sower need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Nobody,
    /// Who asks from this machine, and not for another.
    Loopback,
    Everybody,
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
    /// What finished pages take of memory.
    pub shelf_bytes: u64,
    /// Since what is published last changed; `None` where it did not since the start.
    pub since_change: Option<Duration>,
}

/// Files that may be read at once.
const FILE_READS: usize = 8;

/// How long a connection that is kept open may go on when the server stops: a request
/// that is on its way already gets its answer.
const MOMENT: Duration = Duration::from_secs(1);

/// What answers, whoever listens. Its options can be others from one connection to the
/// next.
pub struct Server {
    now: Arc<ArcSwap<Shared>>,
}

impl Server {
    pub fn new(view: View, make: Make, health: Health, options: Options) -> Server {
        let lasting = Arc::new(Lasting {
            view,
            flights: Arc::new(Flights::new(make)),
            health,
            readers: Arc::new(Semaphore::new(FILE_READS)),
            meter: Arc::new(Meter::new()),
            polls: Polls::new(),
            crowd: Arc::new(Crowd::default()),
            readership: Readership::default(),
            is_stopping: AtomicBool::new(false),
        });
        Server { now: Arc::new(ArcSwap::from_pointee(shared(lasting, options))) }
    }

    /// Connections that come in from now on are served by these options; those that are
    /// here keep theirs.
    pub fn reload(&self, options: Options) {
        let lasting = Arc::clone(&self.now.load().lasting);
        self.now.store(Arc::new(shared(lasting, options)));
    }

    /// Asks itself whether it is ready, as a client would; `true` where an answer came,
    /// whatever it was.
    pub async fn is_answering(&self) -> bool {
        let shared = self.now.load_full();
        let Some(place) = shared.lasting.crowd.enter(usize::MAX) else { return false };
        let (mut ours, theirs) = tokio::io::duplex(4096);
        let (_stop, stopped) = watch::channel(Stop::Running);
        let arrival = Arrival { address: None, role: Role::Watch, tls: None, place };
        let answering = connection::serve(theirs, arrival, shared, stopped);
        let asking = async {
            ours.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await.ok()?;
            let mut status = [0; 9];
            ours.read_exact(&mut status).await.ok()?;
            Some(status.starts_with(b"HTTP/1."))
        };
        let (answer, ()) = tokio::join!(asking, answering);
        answer.unwrap_or(false)
    }

    /// What reading services say of their subscribers, by feed and service.
    pub fn subscribers(&self) -> Vec<Subscribers> {
        self.now.load().lasting.readership.list(Instant::now())
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("options", &self.now.load().options).finish()
    }
}

fn shared(lasting: Arc<Lasting>, options: Options) -> Shared {
    Shared {
        lasting,
        protocols: Protocols::new(&options),
        site: Site {
            base_path: options.base_path.clone(),
            max_target: options.max_target,
            hosts: options.hosts.clone(),
            redirect: options.redirect,
        },
        options,
    }
}

/// Where connections come in. More doors can be opened, and some closed, while the server
/// runs.
///
/// Nothing here ends the server before it is told to stop: whatever a client does harms
/// its own connection, and a listener that fails is asked again.
pub struct Doors {
    server: Arc<ArcSwap<Shared>>,
    stop: watch::Sender<Stop>,
}

impl Doors {
    pub fn new(server: &Server) -> Doors {
        Doors { server: Arc::clone(&server.now), stop: watch::Sender::new(Stop::Running) }
    }

    /// Lets in who comes to `listener`, until what this gives back is closed or dropped.
    pub fn open(&self, listener: Listener) -> Open {
        Door::open(Arc::clone(&self.server), self.stop.subscribe(), listener)
    }

    /// Closes all doors, and waits until what is in flight is done or the time for that is
    /// over.
    pub async fn stop(&self) {
        let shared = self.server.load_full();
        let drain = shared.options.drain;
        // From now on each answer is its connection's last.
        shared.lasting.is_stopping.store(true, Ordering::Relaxed);
        // Closes the listeners, too, so that nobody waits in their queues.
        self.stop.send_replace(Stop::Finishing);
        // Those who keep a connection may ask once more and are told that it was the last
        // time; who says nothing is left after a moment.
        let moment = MOMENT.min(drain / 4);
        if tokio::time::timeout(moment, self.stop.closed()).await.is_ok() {
            return;
        }
        self.stop.send_replace(Stop::Closing);
        if tokio::time::timeout(drain - moment, self.stop.closed()).await.is_err() {
            let late = self.stop.receiver_count();
            tracing::warn!("{late} connections were not done after {drain:?}; they are cut");
            self.stop.send_replace(Stop::Now);
            self.stop.closed().await;
        }
    }
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// Serves on all of `listeners` until `shutdown` is ready and what is in flight is done,
/// or the time for that is over.
pub async fn serve(listeners: Vec<Listener>, server: &Server, shutdown: impl Future<Output = ()>) {
    let doors = Doors::new(server);
    let _open: Vec<Open> = listeners.into_iter().map(|it| doors.open(it)).collect();
    shutdown.await;
    doors.stop().await;
}
