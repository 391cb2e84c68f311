//! The configuration as the server understands it, at the start and when it is read
//! again.

use http::HeaderValue;
use tracing::{error, info};

use crate::config::Config;
use crate::config::written::{Access, ClientAddress, Requests};
use crate::daemon::request_log::RequestLog;
use crate::serve::{self, Journal, JournalFormat, Told};

/// Files that are open beside connections: the catalog's, those being read, the
/// watcher's.
const OTHER_FILES: u64 = 512;

/// The configuration as it is now.
pub(super) struct Serving {
    config: Config,
    base_url: String,
    https_port: Option<u16>,
    requests: Option<RequestLog>,
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
            config: config.clone(),
            base_url,
            https_port,
            requests,
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
        let config = &self.config;
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
            connections: self.connections(config),
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
            journal: self.journal(config),
        }
    }

    fn journal(&self, config: &Config) -> Option<Journal> {
        let format = match config.log.requests {
            Requests::Off => return None,
            Requests::Combined => JournalFormat::Combined,
            Requests::Json => JournalFormat::Json,
        };
        self.requests.as_ref().map(|it| Journal { format, sink: it.sink() })
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

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(super) fn set_base_url(&mut self, base_url: String) {
        self.base_url = base_url;
    }

    pub(super) fn set_https_port(&mut self, port: Option<u16>) {
        self.https_port = port;
    }

    /// Puts `fresh` in the place of the configuration, and opens the request log anew.
    pub(super) fn renew(&mut self, fresh: Config) {
        let path = fresh.log.requests_file.clone();
        match (fresh.log.requests, &self.requests) {
            (Requests::Off, _) => self.requests = None,
            (_, Some(log)) => log.reopen(path),
            (_, None) => match RequestLog::start(path.as_deref()) {
                Ok(log) => self.requests = Some(log),
                Err(error) => error!("{error}; requests are not logged"),
            },
        }
        self.config = fresh;
    }
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
