//! Where Sower listens: sockets that it binds, and those that systemd hands it
//! (sd_listen_fds(3)).
//!
//! What systemd hands over takes the place of what is configured for the same use: a
//! socket named `https` that of `tls.listen`, one named `metrics` that of
//! `metrics.listen`, any other that of `serve.listen`. It stays open while Sower is
//! restarted, so that nobody is turned away.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;

use listenfd::ListenFd;
use tracing::{error, info};

use crate::config::Config;
use crate::config::listen::Listen;
use crate::serve::{Doors, Listener, Open, Role, Tls};

/// What answers at a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    role: Role,
    is_tls: bool,
}

const HTTP: Use = Use { role: Role::Site, is_tls: false };
const HTTPS: Use = Use { role: Role::Site, is_tls: true };
const METRICS: Use = Use { role: Role::Watch, is_tls: false };

/// Connections that may wait to be let in.
const BACKLOG: i32 = 4096;

/// Where the configuration wants to be listened, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    listen: Listen,
    usage: Use,
    /// `[::]` takes connections of IPv4, too, unless an address of IPv4 has the same port.
    is_beside_v4: bool,
}

#[derive(Debug)]
enum Socket {
    /// Bound, and not listening yet.
    Bound(socket2::Socket),
    Path(PathBuf),
    Given(std::net::TcpListener),
    GivenUnix(UnixListener),
}

/// A socket that nobody is let in at yet.
#[derive(Debug)]
struct Bound {
    socket: Socket,
    usage: Use,
    /// `None`: systemd's.
    place: Option<Place>,
}

/// Bound, so that a taken address is told at once, but not listening yet.
#[derive(Debug)]
pub(super) struct Sockets(Vec<Bound>);

impl Sockets {
    /// # Errors
    /// A sentence that names the address.
    pub(super) fn bind(config: &Config) -> Result<Sockets, String> {
        let mut all = given()?;
        let uses: Vec<Use> = all.iter().map(|it| it.usage).collect();
        for place in places(config, &uses) {
            all.push(place.bind().map_err(|it| place.not_bound(&it))?);
        }
        if all.iter().any(|it| it.usage.is_tls) && config.tls.files.is_empty() {
            return Err(
                "expected `tls.certificate` and `tls.key` for a socket named `https`, found \
                        none"
                    .into(),
            );
        }
        Ok(Sockets(all))
    }

    /// The address that readers reach the site at without a base URL.
    pub(super) fn base_url(&self) -> Option<String> {
        base_url(self.0.iter().map(|it| (it.usage, it.socket.address())))
    }

    /// The port of HTTPS, as far as that is known.
    pub(super) fn https_port(&self) -> Option<u16> {
        self.0.iter().filter(|it| it.usage.is_tls).find_map(|it| Some(it.socket.address()?.port()))
    }

    /// Lets connections in.
    ///
    /// # Errors
    /// A sentence that names the address.
    pub(super) fn listen(self, doors: Doors, tls: Option<&Arc<Tls>>) -> Result<Listening, String> {
        let mut listening = Listening { doors, open: Vec::new() };
        for bound in self.0 {
            listening.open(bound, tls).map_err(|(name, it)| not_listening(&name, &it))?;
        }
        Ok(listening)
    }
}

fn not_listening(name: &str, error: &io::Error) -> String {
    format!("cannot listen on {name}: {error}")
}

fn base_url(sockets: impl Iterator<Item = (Use, Option<SocketAddr>)> + Clone) -> Option<String> {
    let of = |usage: Use| sockets.clone().filter(|it| it.0 == usage).find_map(|it| it.1);
    let https = of(HTTPS).map(|it| format!("https://{it}"));
    https.or_else(|| of(HTTP).map(|it| format!("http://{it}")))
}

/// Where to listen beside sockets of systemd for `given`.
fn places(config: &Config, given: &[Use]) -> Vec<Place> {
    let configured = [
        (&config.serve.listen, HTTP),
        (&config.tls.listen, HTTPS),
        (&config.metrics.listen, METRICS),
    ];
    let mut places = Vec::new();
    for (listens, usage) in configured.into_iter().filter(|it| !given.contains(&it.1)) {
        for listen in listens {
            let is_beside_v4 = listens.iter().any(|it| match (it, listen) {
                (Listen::Tcp(v4), Listen::Tcp(address)) => {
                    v4.is_ipv4() && v4.port() == address.port()
                }
                _ => false,
            });
            places.push(Place { listen: listen.clone(), usage, is_beside_v4 });
        }
    }
    places
}

/// Sockets where connections are let in.
#[derive(Debug)]
pub(super) struct Listening {
    doors: Doors,
    open: Vec<Door>,
}

#[derive(Debug)]
struct Door {
    place: Option<Place>,
    usage: Use,
    address: Option<SocketAddr>,
    name: String,
    open: Open,
}

impl Listening {
    fn open(&mut self, bound: Bound, tls: Option<&Arc<Tls>>) -> Result<(), (String, io::Error)> {
        let Bound { socket, usage, place } = bound;
        let (name, address) = (socket.name(usage), socket.address());
        let listener = match socket.listen() {
            Ok(listener) => listener.with_role(usage.role),
            Err(error) => return Err((name, error)),
        };
        let listener = match (usage.is_tls, tls) {
            (false, _) => listener,
            (true, Some(tls)) => listener.with_tls(Arc::clone(tls)),
            (true, None) => {
                let missing = "expected `tls.certificate` and `tls.key`, found none";
                return Err((name, io::Error::other(missing)));
            }
        };
        let open = self.doors.open(listener);
        self.open.push(Door { place, usage, address, name, open });
        Ok(())
    }

    /// What a person is told of each.
    pub(super) fn told(&self) -> Vec<String> {
        let end = |it: &Door| if it.usage.role == Role::Watch { " for metrics" } else { "" };
        self.open.iter().map(|it| format!("listening on {}{}", it.name, end(it))).collect()
    }

    /// Opens and closes what the configuration wants to be otherwise. Who is in stays in;
    /// what cannot be opened is said in the log.
    pub(super) async fn follow(&mut self, config: &Config, tls: Option<&Arc<Tls>>) {
        let is_given = |it: &&Door| it.place.is_none();
        let given: Vec<Use> = self.open.iter().filter(is_given).map(|it| it.usage).collect();
        let wanted = places(config, &given);
        let is_wanted = |it: &Door| it.place.as_ref().is_none_or(|it| wanted.contains(it));
        let (stay, leave): (Vec<_>, Vec<_>) = self.open.drain(..).partition(is_wanted);
        self.open = stay;
        let is_open = |place: &&Place| self.open.iter().any(|it| it.place.as_ref() == Some(place));
        let fresh: Vec<&Place> = wanted.iter().filter(|it| !is_open(it)).collect();
        // New ones first, so that somebody listens all the time; those whose place an old
        // one takes, after it.
        let mut taken = Vec::new();
        for place in fresh {
            match place.bind() {
                Ok(bound) => self.open_or_say(bound, tls),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken.push(place),
                Err(error) => error!("{}", place.not_bound(&error)),
            }
        }
        for door in leave {
            door.open.close().await;
            info!("no longer listening on {}", door.name);
        }
        for place in taken {
            match place.bind() {
                Ok(bound) => self.open_or_say(bound, tls),
                Err(error) => error!("{}", place.not_bound(&error)),
            }
        }
    }

    fn open_or_say(&mut self, bound: Bound, tls: Option<&Arc<Tls>>) {
        match self.open(bound, tls) {
            Ok(()) => info!("listening on {}", self.open.last().map_or("", |it| &it.name)),
            Err((name, error)) => error!("{}", not_listening(&name, &error)),
        }
    }

    pub(super) fn base_url(&self) -> Option<String> {
        base_url(self.open.iter().map(|it| (it.usage, it.address)))
    }

    pub(super) fn https_port(&self) -> Option<u16> {
        self.open.iter().filter(|it| it.usage.is_tls).find_map(|it| Some(it.address?.port()))
    }

    /// Until all that was begun is done, or the time for that is over.
    pub(super) async fn stop(&self) {
        self.doors.stop().await;
    }
}

impl Place {
    fn bind(&self) -> io::Result<Bound> {
        let socket = match &self.listen {
            Listen::Unix(path) => Socket::Path(path.clone()),
            Listen::Tcp(address) => Socket::Bound(bind(*address, self.is_beside_v4)?),
        };
        Ok(Bound { socket, usage: self.usage, place: Some(self.clone()) })
    }

    fn not_bound(&self, error: &io::Error) -> String {
        let (flag, key) = match self.usage {
            HTTPS => ("", "tls.listen"),
            METRICS => ("", "metrics.listen"),
            _ => ("`--listen` or ", "serve.listen"),
        };
        format!(
            "cannot listen on {}: {error}; choose another address with {flag}the key `{key}`",
            self.listen
        )
    }
}

impl Socket {
    fn address(&self) -> Option<SocketAddr> {
        match self {
            Socket::Bound(socket) => socket.local_addr().ok()?.as_socket(),
            Socket::Given(listener) => listener.local_addr().ok(),
            Socket::Path(_) | Socket::GivenUnix(_) => None,
        }
    }

    fn name(&self, usage: Use) -> String {
        let scheme = if usage.is_tls { "https" } else { "http" };
        match (self, self.address()) {
            (_, Some(address)) => format!("{scheme}://{address}"),
            (Socket::Path(path), None) => format!("unix:{}", path.display()),
            (Socket::GivenUnix(listener), None) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|it| it.as_pathname());
                path.map_or("a Unix socket".into(), |it| format!("unix:{}", it.display()))
            }
            (_, None) => "an unknown address".into(),
        }
    }

    fn listen(self) -> io::Result<Listener> {
        Ok(match self {
            Socket::Bound(socket) => {
                socket.listen(BACKLOG)?;
                socket.set_nonblocking(true)?;
                Listener::tcp(tokio::net::TcpListener::from_std(socket.into())?)
            }
            Socket::Path(path) => Listener::at_path(&path)?,
            Socket::Given(listener) => {
                listener.set_nonblocking(true)?;
                Listener::tcp(tokio::net::TcpListener::from_std(listener)?).kept()
            }
            Socket::GivenUnix(listener) => {
                listener.set_nonblocking(true)?;
                Listener::unix(tokio::net::UnixListener::from_std(listener)?).kept()
            }
        })
    }
}

fn bind(address: SocketAddr, is_beside_v4: bool) -> io::Result<socket2::Socket> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(is_beside_v4)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What systemd handed over.
fn given() -> Result<Vec<Bound>, String> {
    let mut given = ListenFd::from_env();
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut all = Vec::new();
    for at in 0..given.len() {
        let usage = usage(names.next().unwrap_or_default());
        let socket = match given.take_tcp_listener(at) {
            Ok(Some(listener)) => Socket::Given(listener),
            Ok(None) => continue,
            Err(_) => match given.take_unix_listener(at) {
                Ok(Some(listener)) => Socket::GivenUnix(listener),
                Ok(None) => continue,
                Err(error) => {
                    return Err(format!(
                        "expected sockets of TCP or Unix streams from systemd, found another: {error}"
                    ));
                }
            },
        };
        all.push(Bound { socket, usage, place: None });
    }
    Ok(all)
}

fn usage(name: &str) -> Use {
    match name {
        "https" => HTTPS,
        "metrics" => METRICS,
        _ => HTTP,
    }
}
