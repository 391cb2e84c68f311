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

use listenfd::ListenFd;

use crate::config::Config;
use crate::config::listen::Listen;
use crate::serve::{Listener, Role};

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

#[derive(Debug)]
enum Socket {
    /// Bound, and not listening yet.
    Bound(socket2::Socket),
    Path(PathBuf),
    Given(std::net::TcpListener),
    GivenUnix(UnixListener),
}

/// Bound, so that a taken address is told at once, but not listening yet.
#[derive(Debug)]
pub(super) struct Sockets(Vec<(Socket, Use)>);

impl Sockets {
    /// # Errors
    /// A sentence that names the address.
    pub(super) fn bind(config: &Config) -> Result<Sockets, String> {
        let mut all = given()?;
        let configured = [
            (&config.serve.listen, HTTP, "serve.listen"),
            (&config.tls.listen, HTTPS, "tls.listen"),
            (&config.metrics.listen, METRICS, "metrics.listen"),
        ];
        for (listens, usage, key) in configured {
            if all.iter().any(|it| it.1 == usage && it.0.is_given()) {
                continue;
            }
            for listen in listens {
                let socket = match listen {
                    Listen::Unix(path) => Socket::Path(path.clone()),
                    Listen::Tcp(address) => {
                        let is_beside_v4 = listens.iter().any(|it| {
                            matches!(it, Listen::Tcp(v4) if v4.is_ipv4() && v4.port() == address.port())
                        });
                        Socket::Bound(bind(*address, is_beside_v4).map_err(|it| {
                            format!(
                                "cannot listen on {address}: {it}; choose another address with {} \
                                 the key `{key}`",
                                if usage == HTTP { "`--listen` or" } else { "" }
                            )
                            .replace("  ", " ")
                        })?)
                    }
                };
                all.push((socket, usage));
            }
        }
        if all.iter().any(|it| it.1.is_tls) && config.tls.files.is_none() {
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
        let site = || self.0.iter().filter(|it| it.1.role == Role::Site);
        let of = |usage: Use| site().filter(move |it| it.1 == usage).find_map(|it| it.0.address());
        let https = of(HTTPS).map(|it| format!("https://{it}"));
        https.or_else(|| of(HTTP).map(|it| format!("http://{it}")))
    }

    /// The port of HTTPS, as far as that is known.
    pub(super) fn https_port(&self) -> Option<u16> {
        self.0.iter().filter(|it| it.1.is_tls).find_map(|it| Some(it.0.address()?.port()))
    }

    /// Lets connections in. Gives back the listeners, and for each what a person is told.
    ///
    /// # Errors
    /// A sentence that names the address.
    pub(super) fn listen(self) -> Result<(Vec<Listener>, Vec<String>), String> {
        let (mut listeners, mut told) = (Vec::new(), Vec::new());
        for (socket, usage) in self.0 {
            let name = socket.name(usage);
            let listener =
                socket.listen().map_err(|it| format!("cannot listen on {name}: {it}"))?;
            let listener = listener.with_role(usage.role);
            listeners.push(if usage.is_tls { listener.with_tls() } else { listener });
            let end = if usage.role == Role::Watch { " for metrics" } else { "" };
            told.push(format!("listening on {name}{end}"));
        }
        Ok((listeners, told))
    }
}

impl Socket {
    fn is_given(&self) -> bool {
        matches!(self, Socket::Given(_) | Socket::GivenUnix(_))
    }

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

/// `[::]` takes connections of IPv4, too, unless an address of IPv4 has the same port.
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
fn given() -> Result<Vec<(Socket, Use)>, String> {
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
        all.push((socket, usage));
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
