//! What is meant by the tables that say how Sower serves: `serve`, `tls`, `cache` and
//! `metrics`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;

use crate::config::listen::Listen;
use crate::config::written::{self, Access, ClientAddress, OneOrMore};
use crate::config::{Error, bytes, span};
use crate::serve::{Caching, Networks};

#[derive(Debug, Clone)]
pub struct Serve {
    pub listen: Vec<Listen>,
    /// In lower case, without ports; empty: all.
    pub hosts: Vec<String>,
    pub trusted_proxies: Networks,
    pub client_address: ClientAddress,
    pub header_timeout: Duration,
    pub idle_timeout: Duration,
    pub write_timeout: Duration,
    pub make_timeout: Duration,
    pub stop_timeout: Duration,
    pub max_connections: usize,
    pub max_connections_per_address: u32,
    pub max_requests_per_connection: u32,
    pub max_streams: u32,
    pub max_resets: usize,
    pub max_makes: usize,
    pub max_header_bytes: usize,
    pub max_uri_bytes: usize,
    pub max_body_bytes: usize,
    /// 0: as often as they like.
    pub poll_burst: u32,
    pub poll_every: Duration,
}

#[derive(Debug, Clone)]
pub struct Tls {
    pub listen: Vec<Listen>,
    /// Certificate chains and their private keys; some where `listen` is not empty.
    pub files: Vec<(PathBuf, PathBuf)>,
    pub redirect: bool,
    /// In seconds; 0: not said.
    pub hsts: u64,
}

#[derive(Debug, Clone)]
pub struct Metrics {
    pub listen: Vec<Listen>,
    pub access: Access,
}

pub(super) fn serve(written: written::Serve) -> Result<Serve, Error> {
    let here = || vec![Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 8080)))];
    let seconds = Duration::from_secs;
    let trusted = written.trusted_proxies.unwrap_or_default();
    let trusted_proxies = Networks::parse(&trusted).map_err(|found| {
        Error(format!(
            "expected addresses or networks such as \"10.0.0.0/8\", or \"unix\", in \
             `serve.trusted_proxies`, found \"{found}\""
        ))
    })?;
    let hosts = written.hosts.unwrap_or_default();
    Ok(Serve {
        listen: written.listen.map_or_else(here, |it| it.0),
        hosts: hosts.iter().map(|it| it.trim_end_matches('.').to_ascii_lowercase()).collect(),
        trusted_proxies,
        client_address: written.client_address.unwrap_or(ClientAddress::XForwardedFor),
        header_timeout: span(written.header_timeout, seconds(10)),
        idle_timeout: span(written.idle_timeout, seconds(60)),
        write_timeout: span(written.write_timeout, seconds(30)),
        make_timeout: span(written.make_timeout, seconds(10)),
        stop_timeout: span(written.stop_timeout, seconds(4)),
        max_connections: written.max_connections.unwrap_or(25_000) as usize,
        max_connections_per_address: written.max_connections_per_address.unwrap_or(256),
        max_requests_per_connection: written.max_requests_per_connection.unwrap_or(10_000),
        max_streams: written.max_streams.unwrap_or(100),
        max_resets: written.max_resets.unwrap_or(20) as usize,
        max_makes: written.max_makes.unwrap_or(64) as usize,
        max_header_bytes: bytes(written.max_header_bytes, 16_000),
        max_uri_bytes: bytes(written.max_uri_bytes, 8_000),
        max_body_bytes: bytes(written.max_body_bytes, 64_000),
        poll_burst: written.poll_burst.unwrap_or(30),
        poll_every: span(written.poll_every, seconds(20)),
    })
}

pub(super) fn tls(written: written::Tls) -> Result<Tls, Error> {
    let listen = written.listen.map_or_else(Vec::new, |it| it.0);
    let paths = |it: Option<OneOrMore>| Vec::from(it.unwrap_or_default());
    let (certificates, keys) = (paths(written.certificate), paths(written.key));
    let is_wanted = !(listen.is_empty() && certificates.is_empty() && keys.is_empty());
    for (paths, key) in [(&certificates, "certificate"), (&keys, "key")] {
        if is_wanted && paths.is_empty() {
            return Err(Error(format!(
                "expected the path of a PEM file in `tls.{key}`, found none"
            )));
        }
    }
    if certificates.len() != keys.len() {
        return Err(Error(format!(
            "expected a file in `tls.key` for each in `tls.certificate`, found {} and {}",
            keys.len(),
            certificates.len()
        )));
    }
    let files = certificates.into_iter().zip(keys).map(|(it, key)| (it.into(), key.into()));
    Ok(Tls {
        listen,
        files: files.collect(),
        redirect: written.redirect.unwrap_or(false),
        hsts: span(written.hsts, Duration::ZERO).as_secs(),
    })
}

/// Readers ask every few minutes at most: a minute spares a server behind a cache and
/// delays nobody by much.
pub(super) fn cache(written: written::Cache) -> Result<Caching, Error> {
    let value = |key: &str, written: Option<String>, default: &'static str| {
        let Some(text) = written else { return Ok(HeaderValue::from_static(default)) };
        HeaderValue::try_from(text.as_str()).map_err(|_| {
            Error(format!(
                "expected a value of Cache-Control such as \"{default}\" in `cache.{key}`, found \
                 \"{}\"",
                text.escape_debug()
            ))
        })
    };
    Ok(Caching {
        feed: value("feed", written.feed, "public, max-age=60, stale-while-revalidate=300")?,
        archive: value(
            "archive",
            written.archive,
            "public, max-age=600, stale-while-revalidate=3600",
        )?,
        page: value("page", written.page, "public, max-age=60, stale-while-revalidate=300")?,
        file: value("file", written.file, "public, max-age=3600")?,
        redirect: value("redirect", written.redirect, "public, max-age=3600")?,
    })
}

pub(super) fn metrics(written: written::Metrics) -> Metrics {
    Metrics {
        listen: written.listen.map_or_else(Vec::new, |it| it.0),
        access: written.access.unwrap_or(Access::Loopback),
    }
}
