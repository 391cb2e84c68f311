//! Requests that hyper cannot read: answered as all others are, or read after all.
//!
//! hyper answers them by itself with a status and nothing else. That answer is held back
//! (`pace`), the connection is taken from hyper, and what is here goes in its place. No
//! other request pays for it.
//!
//! Pure: the bytes of a head, as far as they came, to a [`Verdict`].

use std::ops::Range;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_LENGTH, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Response, Uri};
use hyper::body::Body as _;

use crate::serve::body::Body;
use crate::serve::refusal::Refusal;
use crate::serve::response;

/// Why there is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed,
    TooLarge,
    TooLate,
}

/// What becomes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// These bytes can be read in the place of those that could not.
    Read(Bytes),
    Refuse(Refusal),
}

/// What to do about a request that begins with `head`.
pub(super) fn judge(fault: Fault, head: &Bytes) -> Verdict {
    match fault {
        Fault::TooLarge => return Verdict::Refuse(Refusal::HeadTooLarge),
        Fault::TooLate => return Verdict::Refuse(Refusal::HeadTimeout),
        Fault::Malformed => {}
    }
    let malformed = Verdict::Refuse(Refusal::BadRequest("it cannot be read as HTTP"));
    let Some(digits) = version(head) else { return malformed };
    match (head[digits.start], head[digits.end - 1]) {
        // RFC 9110, section 2.5: a later minor version is read as the last one that is
        // known.
        (b'1', b'2'..=b'9') => {
            let mut known = BytesMut::from(&head[..]);
            known[digits.end - 1] = b'1';
            Verdict::Read(known.freeze())
        }
        (b'1', _) => malformed,
        _ => Verdict::Refuse(Refusal::UnknownVersion),
    }
}

/// Where `1.1` stands in the request line (RFC 9112, sections 2.3 and 3), if it has the
/// shape of one.
fn version(head: &[u8]) -> Option<Range<usize>> {
    // Section 2.2: an empty line before it is nothing.
    let start = head.iter().position(|it| !b"\r\n".contains(it))?;
    let end = start + head[start..].iter().position(|&it| it == b'\n')?;
    let line = head[start..end].strip_suffix(b"\r").unwrap_or(&head[start..end]);
    let words: Vec<_> = line.split(|&it| it == b' ').collect();
    let [_, _, last] = words[..] else { return None };
    let is_version = matches!(last.strip_prefix(b"HTTP/")?,
        [major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit());
    let end = start + line.len();
    is_version.then_some(end - 3..end)
}

/// A request that was not read, as far as it can be told.
#[derive(Debug)]
pub(super) struct Guessed {
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// Those that answers and the log look at.
    pub(super) headers: HeaderMap,
}

pub(super) fn guess(head: &[u8]) -> Guessed {
    let text = head.trim_ascii_start();
    let mut lines = text.split(|&it| it == b'\n');
    let mut words = lines.next().unwrap_or_default().split(|&it| it == b' ');
    let mut word = || words.next().unwrap_or_default().trim_ascii();
    let unknown = || Method::from_bytes(b"-").expect("a hyphen is a token");
    let method = Method::from_bytes(word()).unwrap_or_else(|_| unknown());
    let uri = Uri::try_from(word()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|&it| it == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let known = [ACCEPT, USER_AGENT, REFERER];
        let name = known.into_iter().find(|it| it.as_str().as_bytes().eq_ignore_ascii_case(name));
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    Guessed { method, uri, headers }
}

/// The answer as it goes over the wire: with `Connection: close`, since nobody knows
/// where the next request would begin.
pub(super) fn written(response: Response<Body>, now: SystemTime) -> (Vec<u8>, Response<Body>) {
    let (mut head, mut body) = response.into_parts();
    response::close(&mut head.headers);
    let length = body.size_hint().exact().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    let mut field = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    };
    for (name, value) in &head.headers {
        field(name.as_str(), value.as_bytes());
    }
    if !head.headers.contains_key(CONTENT_LENGTH) {
        field(CONTENT_LENGTH.as_str(), length.to_string().as_bytes());
    }
    field("date", httpdate::fmt_http_date(now).as_bytes());
    bytes.extend_from_slice(b"\r\n");
    if let Body::Bytes(text) = &mut body {
        bytes.extend_from_slice(text);
    }
    (bytes, Response::from_parts(head, body))
}
