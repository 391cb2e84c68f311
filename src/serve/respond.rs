//! Request to what is to be done about it.
//!
//! Pure. In: the shelf as it is now and the head of a request. Out: a [`Decision`],
//! which borrows from the shelf, since this is the path of nearly every request and
//! is to cost nothing. Nothing is looked up anywhere else; what is not on the shelf
//! is [`Decision::Cold`], and comes back to [`answer`] once it is made.
//!
//! A new kind of answer is a case of [`Decision`]; the compiler shows where it has
//! to be thought about.

use std::sync::Arc;

use http::header::{EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};

use crate::catalog::entry::Part;
use crate::render::rendition::Key;
use crate::serve::accept::{self, Choice, Codes};
use crate::serve::address::{Address, address};
use crate::serve::condition::{self, Outcome, Validators};
use crate::serve::delta;
use crate::serve::fields::Fields;
use crate::serve::navigation;
use crate::serve::range::{self, Ranges};
use crate::serve::refusal::Refusal;
use crate::shelf::snapshot::{Body, Document, Item, Kind, Shelved, Snapshot, Variant};
use crate::watch::seed::SeedPath;

/// What respond has to know of the site.
#[derive(Debug, Clone)]
pub struct Site {
    /// The path of the base URL: empty, or with a slash before and none behind it.
    pub base_path: String,
    /// Of path and query, in bytes.
    pub max_target: usize,
    /// Names that are answered to, in lower case; empty: all.
    pub hosts: Vec<String>,
    /// Where plain HTTP leads: the port of HTTPS.
    pub redirect: Option<u16>,
}

/// What is answered where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The site.
    Site,
    /// `/metrics`, `/healthz` and `/readyz`, for whoever gets here.
    Watch,
}

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    pub role: Role,
    /// Over TLS that ends here.
    pub is_secure: bool,
    /// From a proxy, which may have had TLS of its own.
    pub is_proxied: bool,
    /// Whether it may see `/metrics`.
    pub may_watch: bool,
}

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    pub method: &'r Method,
    pub uri: &'r Uri,
    pub version: Version,
    pub headers: &'r HeaderMap,
    /// Which there are.
    pub fields: Fields,
    pub channel: Channel,
}

/// What is to be done about a request.
#[derive(Debug)]
pub enum Decision<'s> {
    /// 200 from the shelf.
    Ready {
        shelved: &'s Arc<Shelved>,
        document: &'s Document,
        choice: Choice<'s>,
    },
    /// 226 (RFC 3229): what changed since the version that the client has.
    Delta {
        shelved: &'s Arc<Shelved>,
        document: &'s Document,
        variant: &'s Variant,
        /// Of the whole, without a coding.
        etag: &'s HeaderValue,
        is_gzip: bool,
        /// The client's tag of its version.
        base: Option<HeaderValue>,
    },
    /// What changed cannot be told: the document itself, with 200.
    Whole(Key),
    /// 304 with this tag.
    NotModified {
        shelved: &'s Arc<Shelved>,
        document: &'s Document,
        choice: Choice<'s>,
        etag: HeaderValue,
    },
    /// A file: open it, then ask [`file`].
    File {
        shelved: &'s Arc<Shelved>,
        document: &'s Document,
        path: &'s SeedPath,
    },
    Redirect(Redirect),
    /// Make it, then ask [`answer`].
    Cold(Key),
    Health,
    Readiness,
    Metrics,
    /// 204 with what is allowed (RFC 9110, section 9.3.7).
    Options,
    Refuse(Refusal),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    pub status: StatusCode,
    /// A path from the root of the host, or a whole URL.
    pub location: String,
    /// Where it leads depends on `Accept`.
    pub is_chosen: bool,
}

/// What is to be done about `asked`.
pub fn respond<'s>(snapshot: &'s Snapshot, asked: &Asked<'_>, site: &Site) -> Decision<'s> {
    if asked.uri.path_and_query().is_some_and(|it| it.as_str().len() > site.max_target) {
        return Decision::Refuse(Refusal::UriTooLong);
    }
    if let Err(problem) = authority(asked) {
        return Decision::Refuse(Refusal::BadRequest(problem));
    }
    if is_misdirected(asked, site) {
        return Decision::Refuse(Refusal::Misdirected);
    }
    if asked.fields.has(Fields::DEMANDS)
        && let Some(refusal) = unmet(asked.headers)
    {
        return Decision::Refuse(refusal);
    }
    match *asked.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return options(asked),
        // Known, and nothing here allows them (RFC 9110, section 15.5.6).
        Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::PATCH
        | Method::TRACE
        | Method::CONNECT => return Decision::Refuse(Refusal::NotAllowed),
        // RFC 9110, section 15.6.2.
        _ => return Decision::Refuse(Refusal::NotImplemented),
    }
    let whole = asked.uri.path();
    if let Some(redirect) = to_https(asked, site) {
        return Decision::Redirect(redirect);
    }
    let path = below(whole, &site.base_path).filter(|_| asked.channel.role == Role::Site);
    let Some(path) = path else {
        // Whoever watches this process asks at the root, whatever proxies do.
        return match address(whole) {
            Address::Health => Decision::Health,
            Address::Readiness => Decision::Readiness,
            Address::Metrics => metrics(asked),
            Address::Bad(problem) => Decision::Refuse(Refusal::BadRequest(problem)),
            _ => Decision::Refuse(Refusal::NotFound),
        };
    };
    if let Some(shelved) = snapshot.get(path) {
        return standing(snapshot, shelved, asked, site);
    }
    let redirect = |status, path: String, is_chosen| {
        let location = format!("{}{path}", site.base_path);
        Decision::Redirect(Redirect { status, location, is_chosen })
    };
    if path.is_empty() {
        return redirect(StatusCode::PERMANENT_REDIRECT, "/".into(), false);
    }
    match address(path) {
        Address::Key(key) => {
            // The same path in another spelling may be on the shelf.
            match snapshot.get(&key.path()) {
                Some(shelved) => standing(snapshot, shelved, asked, site),
                None => Decision::Cold(visited(&key, asked).unwrap_or(key)),
            }
        }
        Address::Alias(to) => redirect(StatusCode::MOVED_PERMANENTLY, to, false),
        Address::Choice(folder) => {
            let extension = accept::format(asked.headers).extension();
            redirect(StatusCode::FOUND, format!("{folder}feed.{extension}"), true)
        }
        Address::Health => Decision::Health,
        Address::Readiness => Decision::Readiness,
        Address::Metrics => metrics(asked),
        Address::Nothing => Decision::Refuse(Refusal::NotFound),
        Address::Bad(problem) => Decision::Refuse(Refusal::BadRequest(problem)),
    }
}

/// Counts say nothing of what is published, but much of who reads.
fn metrics<'s>(asked: &Asked<'_>) -> Decision<'s> {
    match asked.channel.may_watch || asked.channel.role == Role::Watch {
        true => Decision::Metrics,
        false => Decision::Refuse(Refusal::NotFound),
    }
}

/// What is to be done where `shelved` stands at the path that was asked for: a person
/// who opens a feed gets a page, and a reader who has an earlier version of it what
/// changed since.
pub fn standing<'s>(
    snapshot: &'s Snapshot,
    shelved: &'s Arc<Shelved>,
    asked: &Asked<'_>,
    site: &Site,
) -> Decision<'s> {
    if !matches!(shelved.key, Key::Feed { .. }) {
        return answer(shelved, asked, site);
    }
    if let Some(visit) = visited(&shelved.key, asked) {
        return match snapshot.get(&visit.path()) {
            Some(page) => answer(page, asked, site),
            None => Decision::Cold(visit),
        };
    }
    let wanted = match asked.fields.has(Fields::DELTA) {
        true => delta::wanted(asked.headers, shelved),
        false => None,
    };
    match (answer(shelved, asked, site), wanted) {
        (Decision::Ready { .. }, Some(wanted)) => match snapshot.get(&wanted.path()) {
            Some(made) if delta::is_of(made, shelved) => answer(made, asked, site),
            _ => Decision::Cold(wanted),
        },
        (decision, _) => decision,
    }
}

/// The page that a person gets who opens the feed of this key; `?raw` is the feed
/// itself.
fn visited(key: &Key, asked: &Asked<'_>) -> Option<Key> {
    if !asked.fields.has(Fields::NAVIGATION) {
        return None;
    }
    let Key::Feed { scope, part, format } = key else { return None };
    let is_visit = asked.uri.query() != Some("raw") && navigation::is_navigation(asked.headers);
    is_visit.then(|| Key::Visit { scope: scope.clone(), part: *part, format: *format })
}

/// What is to be done where `shelved` is what stands there.
pub fn answer<'s>(shelved: &'s Arc<Shelved>, asked: &Asked<'_>, site: &Site) -> Decision<'s> {
    let document = match &shelved.item {
        Item::Document(document) => document,
        Item::Moved(to) => {
            return Decision::Redirect(Redirect {
                status: StatusCode::MOVED_PERMANENTLY,
                location: format!("{}{to}", site.base_path),
                is_chosen: false,
            });
        }
        Item::Gone => return Decision::Refuse(Refusal::Gone),
        Item::Missing => match &shelved.key {
            Key::Delta { scope, format, .. } => {
                let (scope, format) = (scope.clone(), *format);
                return Decision::Whole(Key::Feed { scope, part: Part::Current, format });
            }
            _ => return Decision::Refuse(Refusal::NotFound),
        },
    };
    let codes = Codes::of(asked.headers);
    let codings = match &document.body {
        Body::Bytes(codings) => codings,
        Body::File(_) if !codes.allow_identity() => {
            return Decision::Refuse(Refusal::NotAcceptable);
        }
        Body::File(path) => return Decision::File { shelved, document, path },
    };
    if document.kind == Kind::Delta {
        let gzip = codings.gzip.as_ref().filter(|_| delta::accepts(asked.headers, "gzip"));
        let variant = gzip.unwrap_or(&codings.identity);
        let (is_gzip, etag) = (gzip.is_some(), &codings.identity.etag);
        let path = shelved.path.split('?').next().unwrap_or_default();
        let base =
            delta::base(asked.headers, path).and_then(|it| HeaderValue::from_bytes(it.0).ok());
        return Decision::Delta { shelved, document, variant, etag, is_gzip, base };
    }
    // RFC 9110, section 13.2.1: preconditions come after everything that would not
    // be a success without them.
    let Some(choice) = codes.choose(codings) else {
        return Decision::Refuse(Refusal::NotAcceptable);
    };
    // A page at the address of a feed must not pass for the feed's last version.
    let modified = (document.kind != Kind::Visit).then_some(document.modified);
    let now = Validators { etag: &choice.variant.etag, modified };
    if !asked.fields.has(Fields::VALIDATORS) && !asked.fields.has(Fields::CONDITIONS) {
        return Decision::Ready { shelved, document, choice };
    }
    match condition::evaluate(asked.headers, now) {
        Outcome::Proceed => Decision::Ready { shelved, document, choice },
        Outcome::NotModified(etag) => Decision::NotModified { shelved, document, choice, etag },
        Outcome::Failed => Decision::Refuse(Refusal::PreconditionFailed),
    }
}

/// What an open file says of itself.
#[derive(Debug, Clone)]
pub struct Facts {
    pub length: u64,
    pub etag: HeaderValue,
    /// Seconds since 1970; `None` where the file claims to be from the future, since
    /// `Last-Modified` must not be (RFC 9110, section 8.8.2.1).
    pub modified: Option<i64>,
    /// Whether it was last changed long enough ago that a second change would show.
    pub is_settled: bool,
}

/// What is to be sent of an open file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilePart {
    NotModified(HeaderValue),
    Send(Ranges),
    Refuse(Refusal),
}

/// What is to be sent of a file with these facts.
pub fn file(asked: &Asked<'_>, facts: &Facts) -> FilePart {
    let now = Validators { etag: &facts.etag, modified: facts.modified };
    match condition::evaluate(asked.headers, now) {
        Outcome::NotModified(etag) => return FilePart::NotModified(etag),
        Outcome::Failed => return FilePart::Refuse(Refusal::PreconditionFailed),
        Outcome::Proceed => {}
    }
    // RFC 9110, section 14.2: ranges are of GET only.
    if asked.method != Method::GET || !condition::may_resume(asked.headers, now, facts.is_settled) {
        return FilePart::Send(Ranges::All);
    }
    match range::ranges(asked.headers, facts.length) {
        Ranges::Unsatisfiable => FilePart::Refuse(Refusal::RangeNotSatisfiable(facts.length)),
        ranges => FilePart::Send(ranges),
    }
}

/// `path` without the base path before it; empty where it is the base path itself.
fn below<'p>(path: &'p str, base_path: &str) -> Option<&'p str> {
    path.strip_prefix(base_path).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `*` is the server as a whole (RFC 9112, section 3.2.4).
fn options<'s>(asked: &Asked<'_>) -> Decision<'s> {
    match asked.uri.path() {
        "*" => Decision::Options,
        path => match address(path) {
            Address::Bad(problem) => Decision::Refuse(Refusal::BadRequest(problem)),
            _ => Decision::Options,
        },
    }
}

/// RFC 9112, section 3.2 and 3.2.2, RFC 9113, section 8.3.1: one host, well spelled,
/// and only one opinion about it.
fn authority(asked: &Asked<'_>) -> Result<(), &'static str> {
    let mut hosts = asked.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err("a request has one `Host`");
    }
    if asked.version == Version::HTTP_11 && host.is_none() {
        return Err("a request of HTTP/1.1 has a `Host`");
    }
    if host.is_some_and(|it| !it.as_bytes().iter().all(|&it| is_of_host(it))) {
        return Err("`Host` is a name or an address, and perhaps a port");
    }
    // RFC 9110, section 4.2.1: no URL of ours is without a host.
    let has_authority = asked.uri.authority().is_some();
    if host.is_some_and(|it| it.is_empty()) && !has_authority && asked.uri.path() != "*" {
        return Err("`Host` names one");
    }
    if let Some(scheme) = asked.uri.scheme_str()
        && !matches!(scheme, "http" | "https")
    {
        return Err("a URL begins with `http:` or `https:` here");
    }
    if let Some(authority) = asked.uri.authority() {
        if asked.uri.scheme().is_none() && asked.method != Method::CONNECT {
            return Err("a path begins with `/`");
        }
        if !authority.as_str().bytes().all(is_of_host) {
            return Err("the host of a URL is a name or an address, and perhaps a port");
        }
        let is_contradicted = host
            .is_some_and(|it| !it.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()));
        if asked.version == Version::HTTP_2 && is_contradicted {
            return Err("`Host` and `:authority` are the same");
        }
    }
    Ok(())
}

/// Whether it was meant for another server (RFC 9110, sections 7.4 and 15.5.20): another
/// name, or a scheme that does not fit how it came.
fn is_misdirected(asked: &Asked<'_>, site: &Site) -> bool {
    let is_wrong_scheme = match asked.uri.scheme_str() {
        Some("https") => !asked.channel.is_secure && !asked.channel.is_proxied,
        Some(_) => asked.channel.is_secure,
        None => false,
    };
    if is_wrong_scheme || site.hosts.is_empty() || asked.channel.role == Role::Watch {
        return is_wrong_scheme;
    }
    // Whoever watches this process knows its address rather than its name.
    let is_watched = matches!(asked.uri.path(), "/healthz" | "/readyz" | "/metrics");
    match host(asked) {
        // HTTP/1.0 need not name one.
        None => false,
        Some(host) => !is_watched && !site.hosts.iter().any(|it| host.eq_ignore_ascii_case(it)),
    }
}

/// The name that was asked for, without its port; that of the target wins over `Host`
/// (RFC 9112, section 3.2.2).
fn host<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    let authority = match asked.uri.authority() {
        Some(authority) => authority.as_str(),
        None => asked.headers.get(HOST)?.to_str().ok()?,
    };
    let end = match authority.rfind(':') {
        // A colon in brackets is of the address.
        Some(at) if !authority[at..].contains(']') => at,
        _ => authority.len(),
    };
    Some(authority[..end].trim_end_matches('.'))
}

/// 308 from plain HTTP to HTTPS, where that is wanted; not for those who watch this
/// process, and not for a proxy, which has spoken TLS itself.
///
/// A challenge of ACME by HTTP (RFC 8555, section 8.3) would be answered before this.
fn to_https(asked: &Asked<'_>, site: &Site) -> Option<Redirect> {
    let port = site.redirect?;
    let channel = asked.channel;
    let is_watched = matches!(asked.uri.path(), "/healthz" | "/readyz" | "/metrics");
    if channel.is_secure || channel.is_proxied || channel.role == Role::Watch || is_watched {
        return None;
    }
    let host = host(asked).filter(|it| !it.is_empty())?;
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let target = asked.uri.path_and_query().map_or("/", |it| it.as_str());
    let location = format!("https://{host}{port}{target}");
    Some(Redirect { status: StatusCode::PERMANENT_REDIRECT, location, is_chosen: false })
}

/// What the client demands of us and does not get; asked before a body is read.
pub(super) fn unmet(headers: &HeaderMap) -> Option<Refusal> {
    // RFC 9112, section 6.1. Where the last coding is chunked, hyper takes off that
    // one and leaves what is beneath, or a second layer of the same, to us.
    if let Some(coding) = headers.get(TRANSFER_ENCODING)
        && !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked")
    {
        return Some(Refusal::UnknownCoding);
    }
    // RFC 9110, section 10.1.1.
    let expected = headers.get(EXPECT)?.as_bytes().trim_ascii();
    (!expected.eq_ignore_ascii_case(b"100-continue")).then_some(Refusal::ExpectationFailed)
}

/// What may stand in a host and port (RFC 3986, section 3.2.2); `@` may not, since
/// user names have no place here (RFC 9110, section 4.2.4).
fn is_of_host(byte: u8) -> bool {
    const OTHERS: &[u8] = b"-._~:[]%!$&'()*+,;=";
    const ALL: [bool; 256] = {
        let mut all = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            all[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < OTHERS.len() {
            all[OTHERS[at] as usize] = true;
            at += 1;
        }
        all
    };
    ALL[usize::from(byte)]
}

#[cfg(test)]
#[path = "respond_tests.rs"]
mod tests;
