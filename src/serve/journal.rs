//! A line for each request, as analysers of web servers' logs read it.
//!
//! Pure, but for handing the line on.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderName, REFERER, USER_AGENT};
use http::{HeaderMap, Method, StatusCode, Uri, Version};
use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The combined format of Apache and nginx.
    Combined,
    /// One object a line.
    Json,
}

/// Takes lines, with their line ends, and never waits.
pub type Sink = Arc<dyn Fn(String) + Send + Sync>;

/// Where lines go, and how they look.
#[derive(Clone)]
pub struct Journal {
    pub format: Format,
    pub sink: Sink,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("format", &self.format).finish_non_exhaustive()
    }
}

/// One request and its answer.
#[derive(Debug)]
pub(super) struct Line<'r> {
    pub(super) client: Option<IpAddr>,
    pub(super) now: Timestamp,
    pub(super) method: &'r Method,
    pub(super) uri: &'r Uri,
    pub(super) version: Version,
    pub(super) headers: &'r HeaderMap,
    pub(super) status: StatusCode,
    /// Of the body.
    pub(super) bytes: u64,
    pub(super) microseconds: u64,
}

#[derive(Debug, Serialize)]
struct Object<'l> {
    time: String,
    client: Option<IpAddr>,
    method: &'l str,
    target: String,
    protocol: String,
    status: u16,
    bytes: u64,
    microseconds: u64,
    referer: Option<String>,
    agent: Option<String>,
}

impl Line<'_> {
    pub(super) fn written(&self, format: Format) -> String {
        match format {
            Format::Combined => self.combined(),
            Format::Json => self.json(),
        }
    }

    fn target(&self) -> &str {
        self.uri.path_and_query().map_or("*", |it| it.as_str())
    }

    fn combined(&self) -> String {
        let mut line = String::with_capacity(256);
        let time = self.now.strftime("%d/%b/%Y:%H:%M:%S +0000");
        let status = self.status.as_u16();
        // Writing to a string does not fail.
        let _ = match self.client {
            Some(client) => write!(line, "{client} - - [{time}] \"{} ", self.method),
            None => write!(line, "- - - [{time}] \"{} ", self.method),
        };
        escape(&mut line, self.target().as_bytes());
        let _ = write!(line, " {:?}\" {status} {} \"", self.version, self.bytes);
        for (name, end) in [(REFERER, "\" \""), (USER_AGENT, "\"\n")] {
            match self.headers.get(name) {
                Some(value) => escape(&mut line, value.as_bytes()),
                None => line.push('-'),
            }
            line.push_str(end);
        }
        line
    }

    fn json(&self) -> String {
        let text = |name: HeaderName| {
            self.headers.get(name).map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned())
        };
        let object = Object {
            time: self.now.to_string(),
            client: self.client,
            method: self.method.as_str(),
            target: self.target().to_owned(),
            protocol: format!("{:?}", self.version),
            status: self.status.as_u16(),
            bytes: self.bytes,
            microseconds: self.microseconds,
            referer: text(REFERER),
            agent: text(USER_AGENT),
        };
        let mut line = serde_json::to_string(&object).expect("texts and numbers are JSON");
        line.push('\n');
        line
    }
}

/// As nginx does: what would end the field, the line or a terminal's patience.
fn escape(line: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | 0..=31 | 127.. => {
                let _ = write!(line, "\\x{byte:02X}");
            }
            _ => line.push(char::from(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn lines() {
        let uri = "/feed.atom?x=%22'".parse().unwrap();
        let agent = HeaderValue::from_bytes(b"Reader \"1\" \\ \xe9").unwrap();
        let headers = [(USER_AGENT, agent)].into_iter().collect();
        let line = Line {
            client: "192.0.2.1".parse().ok(),
            now: Timestamp::from_second(784_111_777).unwrap(),
            method: &Method::GET,
            uri: &uri,
            version: Version::HTTP_11,
            headers: &headers,
            status: StatusCode::OK,
            bytes: 10,
            microseconds: 25,
        };
        assert_eq!(
            line.written(Format::Combined),
            "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /feed.atom?x=%22' HTTP/1.1\" \
             200 10 \"-\" \"Reader \\x221\\x22 \\x5C \\xE9\"\n"
        );
        let json: serde_json::Value = serde_json::from_str(&line.written(Format::Json)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "time": "1994-11-06T08:49:37Z", "client": "192.0.2.1", "method": "GET",
                "target": "/feed.atom?x=%22'", "protocol": "HTTP/1.1", "status": 200,
                "bytes": 10, "microseconds": 25, "referer": null,
                "agent": "Reader \"1\" \\ \u{fffd}",
            })
        );
    }
}
