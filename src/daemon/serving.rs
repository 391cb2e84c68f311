//! The configuration as the server understands it, at the start and when it is read
//! again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::config::written::{Access, ClientAddress, Requests};
use crate::daemon::request_log::RequestLog;
use crate::serve::{self, Journal, JournalFormat, Server, Tls, Told};

/// How often certificate files are looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Files that are open beside connections: the catalog's, those being read, the
/// watcher's.
const OTHER_FILES: u64 = 512;

/// What can be read again while Sower runs.
pub(super) struct Serving {
    config: Mutex<Config>,
    base_url: String,
    https_port: Option<u16>,
    requests: Mutex<Option<RequestLog>>,
    most_files: u64,
}

impl Serving {
    /// # Errors
    /// A sentence for the person who started it.
    pub(super) fn new(
        config: &Config,
        base_url: String,
        https_port: Option<u16>,
    ) -> Result<Serving, String> {
        let requests = match config.log.requests {
            Requests::Off => None,
            _ => Some(RequestLog::start(config.log.requests_file.as_deref())?),
        };
        let serving = Serving {
            config: Mutex::new(config.clone()),
            base_url,
            https_port,
            requests: Mutex::new(requests),
            most_files: raise_open_files(),
        };
        let (wanted, most) = (config.serve.max_connections, serving.connections(config));
        if most < wanted {
            info!(
                "at most {most} connections are let in, not `serve.max_connections` = {wanted}: \
                 the system allows {} open files (LimitNOFILE)",
                serving.most_files
            );
        }
        Ok(serving)
    }

    pub(super) fn options(&self) -> serve::Options {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = &config.serve;
        let after_scheme = self.base_url.split_once("://").map_or("", |(_, rest)| rest);
        let base_path = after_scheme.find('/').map_or("", |slash| &after_scheme[slash..]);
        serve::Options {
            root: config.seeds.as_path().into(),
            base_path: base_path.to_owned(),
            hosts: limits.hosts.clone(),
            redirect: config.tls.redirect.then(|| self.redirect_port()),
            hsts: hsts(config.tls.hsts),
            caching: config.cache.clone(),
            trusted: limits.trusted_proxies.clone(),
            told: match limits.client_address {
                ClientAddress::XForwardedFor => Told::XForwardedFor,
                ClientAddress::Forwarded => Told::Forwarded,
                ClientAddress::Proxy => Told::Proxy,
            },
            connections: self.connections(&config),
            connections_of_client: limits.max_connections_per_address,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            write_timeout: limits.write_timeout,
            max_body: limits.max_body_bytes,
            max_head: limits.max_header_bytes,
            max_target: limits.max_uri_bytes,
            requests: limits.max_requests_per_connection,
            streams: limits.max_streams,
            resets: limits.max_resets,
            polls: serve::Pace { burst: limits.poll_burst, every: limits.poll_every },
            makes: limits.max_makes,
            make_timeout: limits.make_timeout,
            drain: limits.stop_timeout,
            metrics: match config.metrics.access {
                Access::Nobody => serve::Access::Nobody,
                Access::Loopback => serve::Access::Loopback,
                Access::Everybody => serve::Access::Everybody,
            },
            journal: self.journal(&config),
        }
    }

    fn journal(&self, config: &Config) -> Option<Journal> {
        let format = match config.log.requests {
            Requests::Off => return None,
            Requests::Combined => JournalFormat::Combined,
            Requests::Json => JournalFormat::Json,
        };
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.as_ref().map(|it| Journal { format, sink: it.sink() })
    }

    fn connections(&self, config: &Config) -> usize {
        let room = usize::try_from(self.most_files.saturating_sub(OTHER_FILES).max(64));
        config.serve.max_connections.min(room.unwrap_or(usize::MAX))
    }

    fn redirect_port(&self) -> u16 {
        let url = url::Url::parse(&self.base_url).ok().filter(|it| it.scheme() == "https");
        let of_url = url.and_then(|it| it.port_or_known_default());
        of_url.or(self.https_port).unwrap_or(443)
    }

    /// Puts `fresh` in the place of the configuration, and says what of it has to wait
    /// for a restart. What is open goes on as it was.
    pub(super) fn reload(&self, fresh: Config, server: &Server, tls: Option<&Tls>) {
        {
            let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
            let fixed = fixed(&config, &fresh);
            if !fixed.is_empty() {
                warn!("changed, but only read at the start: {}; restart Sower", fixed.join(", "));
            }
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            let path = fresh.log.requests_file.clone();
            match (fresh.log.requests, &*requests) {
                (Requests::Off, _) => *requests = None,
                (_, Some(log)) => log.reopen(path),
                (_, None) => match RequestLog::start(path.as_deref()) {
                    Ok(log) => *requests = Some(log),
                    Err(error) => error!("{error}; requests are not logged"),
                },
            }
            // The rest keeps what it was started with.
            config.serve = fresh.serve;
            config.tls.redirect = fresh.tls.redirect;
            config.tls.hsts = fresh.tls.hsts;
            config.tls.files = fresh.tls.files.or(config.tls.files.take());
            config.cache = fresh.cache;
            config.metrics.access = fresh.metrics.access;
            config.log.requests = fresh.log.requests;
            config.log.requests_file = fresh.log.requests_file;
        }
        server.reload(self.options());
        if let Some(tls) = tls {
            self.refresh(tls);
        }
    }

    /// Looks whether there is a new certificate.
    pub(super) fn refresh(&self, tls: &Tls) {
        let files = {
            let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
            config.tls.files.clone()
        };
        match tls.refresh(files.as_ref().map(|(one, other)| (one.as_path(), other.as_path()))) {
            Ok(true) => info!("read the certificate again"),
            Ok(false) => {}
            Err(error) => error!("{error}; the old certificate is used on"),
        }
    }
}

/// Keys whose change only a restart brings about.
fn fixed(old: &Config, fresh: &Config) -> Vec<&'static str> {
    let told = |it: &dyn std::fmt::Debug| format!("{it:?}");
    let pairs = [
        ("seeds", told(&old.seeds), told(&fresh.seeds)),
        ("state", told(&old.state), told(&fresh.state)),
        ("theme", told(&old.theme), told(&fresh.theme)),
        ("[site]", told(&old.site), told(&fresh.site)),
        ("[watch]", told(&old.watch), told(&fresh.watch)),
        ("[convert]", told(&old.convert), told(&fresh.convert)),
        ("[catalog]", told(&old.catalog), told(&fresh.catalog)),
        ("[feed]", told(&old.feed), told(&fresh.feed)),
        ("[shelf]", told(&old.shelf), told(&fresh.shelf)),
        ("serve.listen", told(&old.serve.listen), told(&fresh.serve.listen)),
        ("tls.listen", told(&old.tls.listen), told(&fresh.tls.listen)),
        ("metrics.listen", told(&old.metrics.listen), told(&fresh.metrics.listen)),
        ("log.level", told(&old.log.level), told(&fresh.log.level)),
        ("log.format", told(&old.log.format), told(&fresh.log.format)),
    ];
    pairs.into_iter().filter(|it| it.1 != it.2).map(|it| it.0).collect()
}

fn hsts(seconds: u64) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(format!("max-age={seconds}"));
    (seconds > 0).then(|| value.expect("a number is ASCII"))
}

/// Allows as many open files as the system lets us, and says how many those are.
fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: now.maximum, maximum: now.maximum };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => now.maximum.unwrap_or(u64::MAX),
        Err(_) => now.current.unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load;
    use crate::config::written::Written;

    fn config(text: &str) -> Config {
        load(Written::default(), [], Some((Path::new("s.toml"), text))).unwrap()
    }

    #[test]
    fn what_only_a_restart_changes_is_named() {
        let old = config("");
        let fresh = config("[site]\ntitle = \"x\"\n[serve]\nlisten = \"[::1]:1\"\nmax_makes = 2");
        assert_eq!(fixed(&old, &fresh), ["[site]", "serve.listen"]);
        assert_eq!(fixed(&old, &config("[cache]\nfeed = \"no-cache\"")), [""; 0]);
    }

    #[test]
    fn options_follow_the_configuration() {
        let text = "[tls]\nredirect = true\nhsts = \"90d\"\n[serve]\nhosts = [\"Example.org.\"]";
        let serving = |base: &str, port| Serving::new(&config(text), base.into(), port).unwrap();
        let options = serving("https://example.org:8443/blog", Some(9443)).options();
        assert_eq!(options.redirect, Some(8443), "the port that readers type");
        assert_eq!(options.base_path, "/blog");
        assert_eq!(options.hsts, Some(HeaderValue::from_static("max-age=7776000")));
        assert_eq!(options.hosts, ["example.org"]);
        let options = serving("http://127.0.0.1:8080", Some(9443)).options();
        assert_eq!(options.redirect, Some(9443));
        assert_eq!(options.base_path, "");
    }
}
