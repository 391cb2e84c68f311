//! Decision to response: status and header fields.
//!
//! What comes from the shelf costs no formatting here: its bytes and header values
//! are shared, ours are static. hyper adds `Date` and, from the body, the length.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
    CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LAST_MODIFIED, LINK, LOCATION, REFERRER_POLICY,
    RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use tokio::sync::Semaphore;

use crate::serve::accept::Choice;
use crate::serve::body::Body;
use crate::serve::delta;
use crate::serve::file::{Piece, Stream};
use crate::serve::range::{Ranges, Span};
use crate::serve::refusal::Refusal;
use crate::serve::respond::{Facts, Redirect};
use crate::shelf::snapshot::{Coding, Document, Kind, Variant};

/// `Cache-Control` of each kind of answer (RFC 9111, section 5.2, RFC 5861).
#[derive(Debug, Clone)]
pub struct Caching {
    pub feed: HeaderValue,
    /// Archive pages of feeds.
    pub archive: HeaderValue,
    pub page: HeaderValue,
    pub file: HeaderValue,
    /// 301 and 308.
    pub redirect: HeaderValue,
}

const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
static NO_STORE_VALUE: HeaderValue = NO_STORE;
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// Our own pages: pictures, sound and film from anywhere, the style that stands in
/// them, nothing that runs.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src 'self' http: https: data:; media-src 'self' http: https:; \
     style-src 'self' 'unsafe-inline'; font-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'self'",
);

const ERROR_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
);

/// Files that might run: they are shown as in a glass case.
const ACTIVE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'self'; sandbox",
);

/// 200 from the shelf.
///
/// Its head is made once for each version and coding and stays there; what can be
/// configured is put in afterwards.
pub(super) fn ready(
    document: &Document,
    choice: &Choice<'_>,
    method: &Method,
    caching: &Caching,
) -> Response<Body> {
    let mut headers = choice.variant.head.get_or_init(|| head(document, choice)).clone();
    headers.insert(CACHE_CONTROL, cache_control(document.kind, caching).clone());
    let body = match *method {
        Method::HEAD => {
            headers.insert(CONTENT_LENGTH, choice.variant.length.clone());
            Body::Empty
        }
        _ => Body::Bytes(choice.variant.bytes.clone()),
    };
    response(StatusCode::OK, headers, body)
}

fn head(document: &Document, choice: &Choice<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(CONTENT_TYPE, document.media_type.clone());
    if let Some(coding) = content_encoding(choice.coding) {
        headers.insert(CONTENT_ENCODING, coding);
    }
    if let Some(language) = &document.language {
        headers.insert(CONTENT_LANGUAGE, language.clone());
    }
    validate(&mut headers, document, choice.variant.etag.clone(), NO_STORE);
    if document.kind != Kind::Visit {
        headers.insert(LAST_MODIFIED, document.last_modified.clone());
    }
    secure(&mut headers, document.kind);
    for link in &document.links {
        headers.append(LINK, link.clone());
    }
    headers
}

/// 304 of what is on the shelf, with the tag of what the client has.
pub(super) fn unchanged(
    document: &Document,
    variant: &Variant,
    etag: HeaderValue,
    caching: &Caching,
) -> Response<Body> {
    let head = || {
        let mut headers = HeaderMap::with_capacity(8);
        validate(&mut headers, document, variant.etag.clone(), NO_STORE);
        headers.insert(LAST_MODIFIED, document.last_modified.clone());
        secure(&mut headers, document.kind);
        headers
    };
    let mut headers = variant.unchanged.get_or_init(head).clone();
    headers.insert(CACHE_CONTROL, cache_control(document.kind, caching).clone());
    if etag != variant.etag {
        headers.insert(ETAG, etag);
    }
    response(StatusCode::NOT_MODIFIED, headers, Body::Empty)
}

/// What changed since the client's version.
pub(super) struct Changed<'s> {
    pub(super) document: &'s Document,
    pub(super) variant: &'s Variant,
    /// Of the whole.
    pub(super) etag: &'s HeaderValue,
    pub(super) is_gzip: bool,
    pub(super) base: Option<HeaderValue>,
}

/// 226: what changed since the client's version. Its tag is that of the whole, so
/// that the next request can name it (RFC 3229, section 10.4.1).
pub(super) fn delta(changed: Changed<'_>, method: &Method) -> Response<Body> {
    let Changed { document, variant, etag, is_gzip, base } = changed;
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(CONTENT_TYPE, document.media_type.clone());
    if let Some(language) = &document.language {
        headers.insert(CONTENT_LANGUAGE, language.clone());
    }
    headers.insert("im", delta::manipulations(is_gzip));
    if let Some(base) = base {
        headers.insert("delta-base", base);
    }
    headers.insert(ETAG, etag.clone());
    headers.insert(LAST_MODIFIED, document.last_modified.clone());
    // Only a cache that knows `im` may keep it, as what it is (section 10.8.3).
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, im"));
    headers.insert(VARY, HeaderValue::from_static("a-im, if-none-match, accept-encoding"));
    secure(&mut headers, document.kind);
    for link in &document.links {
        headers.append(LINK, link.clone());
    }
    let body = match *method {
        Method::HEAD => {
            headers.insert(CONTENT_LENGTH, variant.length.clone());
            Body::Empty
        }
        _ => Body::Bytes(variant.bytes.clone()),
    };
    response(StatusCode::IM_USED, headers, body)
}

/// 304 (RFC 9110, section 15.4.5).
pub(super) fn not_modified(
    document: &Document,
    etag: HeaderValue,
    last_modified: Option<HeaderValue>,
    caching: &Caching,
) -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(8);
    validate(&mut headers, document, etag, cache_control(document.kind, caching).clone());
    if let Some(date) = last_modified {
        headers.insert(LAST_MODIFIED, date);
    }
    secure(&mut headers, document.kind);
    response(StatusCode::NOT_MODIFIED, headers, Body::Empty)
}

/// Tag, `Cache-Control` and `Vary`.
fn validate(headers: &mut HeaderMap, document: &Document, etag: HeaderValue, cache: HeaderValue) {
    headers.insert(ETAG, etag);
    headers.insert(CACHE_CONTROL, cache);
    let vary = match document.kind {
        Kind::Media | Kind::Active => return,
        Kind::Visit => "accept, accept-encoding, sec-fetch-dest, upgrade-insecure-requests",
        _ => "accept-encoding",
    };
    headers.insert(VARY, HeaderValue::from_static(vary));
}

fn cache_control(kind: Kind, caching: &Caching) -> &HeaderValue {
    match kind {
        Kind::Feed | Kind::List => &caching.feed,
        Kind::Archive => &caching.archive,
        Kind::Page => &caching.page,
        Kind::Visit | Kind::Delta => &NO_STORE_VALUE,
        Kind::Media | Kind::Active => &caching.file,
    }
}

fn secure(headers: &mut HeaderMap, kind: Kind) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    match kind {
        Kind::Feed | Kind::Archive | Kind::Delta | Kind::List => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANY);
        }
        Kind::Page | Kind::Visit => {
            headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
            let policy = HeaderValue::from_static("strict-origin-when-cross-origin");
            headers.insert(REFERRER_POLICY, policy);
        }
        Kind::Active => {
            headers.insert(CONTENT_SECURITY_POLICY, ACTIVE_POLICY);
        }
        Kind::Media => {}
    }
}

fn content_encoding(coding: Coding) -> Option<HeaderValue> {
    coding.token().map(HeaderValue::from_static)
}

/// A file or parts of it: 200 or 206.
pub(super) fn file(
    document: &Document,
    open: (File, Facts),
    ranges: Ranges,
    method: &Method,
    caching: &Caching,
    readers: &Arc<Semaphore>,
) -> Response<Body> {
    let (file, facts) = open;
    let length = facts.length;
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(CONTENT_TYPE, document.media_type.clone());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(date) = facts.modified.map(http_date) {
        headers.insert(LAST_MODIFIED, date);
    }
    secure(&mut headers, document.kind);
    let (status, pieces) = match ranges {
        Ranges::All | Ranges::Unsatisfiable if length == 0 => (StatusCode::OK, Vec::new()),
        Ranges::All | Ranges::Unsatisfiable => {
            (StatusCode::OK, vec![Piece::Span(Span { first: 0, last: length - 1 })])
        }
        Ranges::One(span) => {
            headers.insert(CONTENT_RANGE, content_range(span, length));
            (StatusCode::PARTIAL_CONTENT, vec![Piece::Span(span)])
        }
        Ranges::Many(spans) => {
            let boundary = boundary(&facts.etag, &spans);
            headers.insert(CONTENT_TYPE, multipart(&boundary));
            (StatusCode::PARTIAL_CONTENT, parts(&document.media_type, &boundary, &spans, length))
        }
    };
    let cache = cache_control(document.kind, caching).clone();
    validate(&mut headers, document, facts.etag, cache);
    let stream = Stream::new(file, pieces, Arc::clone(readers));
    let body = match *method {
        Method::HEAD => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(stream.remaining()));
            Body::Empty
        }
        _ => Body::File(Box::new(stream)),
    };
    response(status, headers, body)
}

/// RFC 9110, section 14.4.
fn content_range(span: Span, length: u64) -> HeaderValue {
    HeaderValue::try_from(format!("bytes {}-{}/{length}", span.first, span.last))
        .expect("numbers are ASCII")
}

/// A line that no file has in it, unless it was made for that by somebody who knows
/// its own tag, which names the time of the last change.
fn boundary(etag: &HeaderValue, spans: &[Span]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(etag.as_bytes());
    for span in spans {
        hasher.update(&span.first.to_le_bytes());
        hasher.update(&span.last.to_le_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn multipart(boundary: &str) -> HeaderValue {
    HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"))
        .expect("a boundary is hexadecimal digits")
}

/// RFC 9110, section 14.6.
fn parts(media_type: &HeaderValue, boundary: &str, spans: &[Span], length: u64) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(spans.len() * 2 + 1);
    for (at, span) in spans.iter().enumerate() {
        let line_end = if at == 0 { "" } else { "\r\n" };
        let mut head = format!("{line_end}--{boundary}\r\nContent-Type: ").into_bytes();
        head.extend_from_slice(media_type.as_bytes());
        head.extend_from_slice(b"\r\nContent-Range: ");
        head.extend_from_slice(content_range(*span, length).as_bytes());
        head.extend_from_slice(b"\r\n\r\n");
        pieces.push(Piece::Text(head.into()));
        pieces.push(Piece::Span(*span));
    }
    pieces.push(Piece::Text(format!("\r\n--{boundary}--\r\n").into()));
    pieces
}

/// RFC 9110, section 5.6.7.
pub(super) fn http_date(second: i64) -> HeaderValue {
    let since = Duration::from_secs(u64::try_from(second).unwrap_or(0));
    // The last second of the year 9999: HTTP dates have four digits for a year.
    let since = since.min(Duration::from_secs(253_402_300_799));
    HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since))
        .expect("an HTTP date is ASCII")
}

pub(super) fn redirect(redirect: &Redirect, method: &Method, caching: &Caching) -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(8);
    let Ok(location) = HeaderValue::try_from(redirect.location.as_str()) else {
        return refuse(Refusal::Internal, &headers, method);
    };
    headers.insert(LOCATION, location);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    if redirect.is_chosen {
        // Widespread caches ignore `Vary`.
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(VARY, HeaderValue::from_static("accept"));
    } else {
        headers.insert(CACHE_CONTROL, caching.redirect.clone());
    }
    with_text(redirect.status, headers, Bytes::new(), method)
}

/// 204: what can be done here, and that feeds may be read from pages elsewhere (the
/// Fetch standard's CORS preflight).
pub(super) fn options() -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(ALLOW, ALLOWED);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, ALLOWED);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ANY);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    response(StatusCode::NO_CONTENT, headers, Body::Empty)
}

/// JSON that is made for each request and kept by nobody.
pub(super) fn json(status: StatusCode, text: Vec<u8>, method: &Method) -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    with_text(status, headers, text.into(), method)
}

/// The text format of Prometheus.
pub(super) fn metrics(text: String, method: &Method) -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(8);
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    with_text(StatusCode::OK, headers, text.into(), method)
}

/// An error, as a page or problem JSON by what `asked` says.
pub(super) fn refuse(refusal: Refusal, asked: &HeaderMap, method: &Method) -> Response<Body> {
    let (media_type, text) = refusal.body(asked);
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(CONTENT_SECURITY_POLICY, ERROR_POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    // A page elsewhere that reads feeds may know why there is none.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    // It depends on `Accept`, and widespread caches ignore `Vary`; nor should what is
    // published in a moment be missing for longer.
    headers.insert(CACHE_CONTROL, NO_STORE);
    match refusal {
        Refusal::NotAllowed => {
            headers.insert(ALLOW, ALLOWED);
        }
        Refusal::RangeNotSatisfiable(length) => {
            // RFC 9110, section 15.5.17.
            let value = HeaderValue::try_from(format!("bytes */{length}"));
            headers.insert(CONTENT_RANGE, value.expect("a number is ASCII"));
        }
        Refusal::Busy => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        Refusal::TooOften(seconds) => {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        // What is left of the body would be taken for the next request.
        Refusal::BodyTooLarge | Refusal::BodyTimeout | Refusal::UnknownCoding => {
            close(&mut headers);
        }
        // Nobody knows where the next request would begin.
        Refusal::HeadTooLarge | Refusal::HeadTimeout | Refusal::UnknownVersion => {
            close(&mut headers);
        }
        Refusal::BadRequest(_)
        | Refusal::NotFound
        | Refusal::Gone
        | Refusal::NotAcceptable
        | Refusal::PreconditionFailed
        | Refusal::UriTooLong
        | Refusal::ExpectationFailed
        | Refusal::Misdirected
        | Refusal::Internal
        | Refusal::NotImplemented => {}
    }
    with_text(refusal.status(), headers, text, method)
}

/// Says that this is the connection's last response; HTTP/1 only.
pub(super) fn close(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}

fn with_text(
    status: StatusCode,
    mut headers: HeaderMap,
    text: Bytes,
    method: &Method,
) -> Response<Body> {
    if method == Method::HEAD {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
        return response(status, headers, Body::Empty);
    }
    response(status, headers, Body::Bytes(text))
}

fn response(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
