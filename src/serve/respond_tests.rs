use std::fmt::Write;

use bytes::Bytes;
use http::HeaderName;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::catalog::entry::Part;
use crate::catalog::scope::Scope;
use crate::render::rendition::{Format, Made, Payload, Rendition};
use crate::shelf::{Options, Shelf};

fn rendition(payload: Payload) -> Made {
    Made::Rendition(Rendition {
        media_type: "application/atom+xml; charset=utf-8".into(),
        payload,
        language: None,
        modified: Timestamp::from_second(784_111_777).unwrap(),
        links: Vec::new(),
    })
}

fn shelf() -> Shelf {
    let shelf = Shelf::new(Options { memory: 1 << 20 });
    let text = || rendition(Payload::Bytes(Bytes::from("again and ".repeat(100))));
    let feed = Key::Feed { scope: Scope::Site, part: Part::Current, format: Format::Atom };
    let picture = Payload::File { path: SeedPath::new("p.png").unwrap(), length: 1 };
    let all = vec![
        (feed, text()),
        (Key::Index(Scope::Site), text()),
        (Key::Page("/caf%C3%A9".into()), text()),
        (Key::Page("/old".into()), Made::Moved("/new".into())),
        (Key::Page("/gone".into()), Made::Gone),
        (Key::Page("/p.png".into()), rendition(picture)),
    ];
    assert!(shelf.put_all(all, 1).is_empty());
    shelf
}

fn site(base_path: &str) -> Site {
    Site { base_path: base_path.into(), max_target: 100, hosts: Vec::new(), redirect: None }
}

struct Request {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    channel: Channel,
}

/// From a stranger, without TLS.
const PLAIN: Channel =
    Channel { role: Role::Site, is_secure: false, is_proxied: false, may_watch: false };

impl Request {
    /// A request line and header lines, and a `Host` where `lines` have none.
    fn new(text: &str) -> Request {
        let mut lines = text.lines();
        let mut line = lines.next().unwrap().split(' ');
        let method = line.next().unwrap().parse().unwrap();
        let uri = line.next().unwrap().parse().unwrap();
        let version = match line.next() {
            Some("HTTP/1.0") => Version::HTTP_10,
            Some("HTTP/2") => Version::HTTP_2,
            _ => Version::HTTP_11,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        Request { method, uri, version, headers, channel: PLAIN }
    }

    fn with_host(text: &str) -> Request {
        let mut request = Request::new(text);
        if request.version == Version::HTTP_11 {
            request.headers.entry(HOST).or_insert(HeaderValue::from_static("example.org"));
        }
        request
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            method: &self.method,
            uri: &self.uri,
            version: self.version,
            headers: &self.headers,
            fields: Fields::of(&self.headers),
            channel: self.channel,
        }
    }
}

/// A decision in a few words.
fn told(decision: &Decision<'_>) -> String {
    let mut told = String::new();
    match decision {
        Decision::Ready { shelved, choice, .. } => {
            write!(told, "200 {} {:?}", shelved.path, choice.coding).unwrap();
            if let Some(wish) = choice.wish {
                write!(told, ", wishing {wish:?}").unwrap();
            }
        }
        Decision::NotModified { shelved, .. } => write!(told, "304 {}", shelved.path).unwrap(),
        Decision::File { path, .. } => write!(told, "file {path}").unwrap(),
        Decision::Redirect(redirect) => {
            let vary = if redirect.is_chosen { " by Accept" } else { "" };
            write!(told, "{} {}{vary}", redirect.status.as_u16(), redirect.location).unwrap();
        }
        Decision::Delta { shelved, .. } => write!(told, "226 {}", shelved.path).unwrap(),
        Decision::Whole(key) => write!(told, "whole {}", key.path()).unwrap(),
        Decision::Cold(key) => write!(told, "make {}", key.path()).unwrap(),
        Decision::Health => told.push_str("health"),
        Decision::Metrics => told.push_str("metrics"),
        Decision::Readiness => told.push_str("readiness"),
        Decision::Options => told.push_str("options"),
        Decision::Refuse(refusal) => write!(told, "{}", refusal.status().as_u16()).unwrap(),
    }
    told
}

fn check(base_path: &str, table: &[(&str, &str, &str)]) {
    let shelf = shelf();
    let snapshot = shelf.snapshot();
    for (text, expected, why) in table {
        let request = Request::with_host(text);
        let decision = respond(&snapshot, &request.asked(), &site(base_path));
        assert_eq!(told(&decision), *expected, "{text}: {why}");
    }
}

#[test]
fn decisions() {
    check(
        "",
        &[
            ("GET /feed.atom", "200 /feed.atom Identity", ""),
            ("HEAD /feed.atom", "200 /feed.atom Identity", "RFC 9110, 9.3.2: as GET"),
            ("GET /feed.atom?utm=1", "200 /feed.atom Identity", "a query changes nothing"),
            ("GET /feed%2Eatom", "200 /feed.atom Identity", "RFC 3986, 6.2.2: the same URL"),
            ("GET /caf%c3%a9", "200 /caf%C3%A9 Identity", "RFC 3986, 6.2.2.1"),
            ("GET /caf%C3%A9", "200 /caf%C3%A9 Identity", ""),
            ("GET /feed.atom\naccept-encoding: gzip", "200 /feed.atom Gzip", "RFC 9110, 12.5.3"),
            (
                "GET /feed.atom\naccept-encoding: gzip, br",
                "200 /feed.atom Gzip, wishing Brotli",
                "gzip until br is made",
            ),
            ("GET /feed.atom\naccept-encoding: identity;q=0", "406", "RFC 9110, 12.5.3"),
            ("GET /feed.atom\nif-none-match: *", "304 /feed.atom", "RFC 9110, 13.1.2"),
            ("HEAD /feed.atom\nif-none-match: *", "304 /feed.atom", "RFC 9110, 13.2.2"),
            (
                "GET /feed.atom\nif-modified-since: Sun, 06 Nov 1994 08:49:37 GMT",
                "304 /feed.atom",
                "RFC 9110, 13.1.3",
            ),
            ("GET /feed.atom\nif-match: \"x\"", "412", "RFC 9110, 13.1.1"),
            (
                "GET /feed.atom\naccept-encoding: *;q=0\nif-none-match: *",
                "406",
                "RFC 9110, 13.2.1: no success without the condition",
            ),
            ("GET /gone\nif-none-match: *", "410", "RFC 9110, 13.2.1"),
            ("GET /feed.rss", "make /feed.rss", "not on the shelf"),
            ("GET /news/kim", "make /news/kim", ""),
            ("GET /news/", "make /news/", ""),
            ("GET /archives/7.atom", "make /archives/7.atom", ""),
            ("GET /archives/07.atom", "404", "nothing can stand there: nobody makes it"),
            ("GET /", "200 / Identity", ""),
            ("GET /old", "301 /new", "an old permalink"),
            ("GET /gone", "410", "withdrawn"),
            ("GET /p.png", "file p.png", ""),
            ("GET /p.png\naccept-encoding: identity;q=0", "406", "files have no coding"),
            ("GET /rss.xml", "301 /feed.rss", ""),
            ("GET /atom.xml", "301 /feed.atom", ""),
            ("GET /feed/", "301 /feed.rss", ""),
            ("GET /feed", "302 /feed.atom by Accept", ""),
            ("GET /feed\naccept: application/rss+xml", "302 /feed.rss by Accept", "12.5.1"),
            ("GET /n/feed\naccept: application/json", "302 /n/feed.json by Accept", "12.5.1"),
            ("GET /healthz", "health", ""),
            ("HEAD /healthz", "health", ""),
            ("GET /readyz", "readiness", ""),
            ("POST /feed.atom", "405", "RFC 9110, 15.5.6"),
            ("DELETE /nothing", "405", "nothing here can be deleted"),
            ("TRACE /", "405", "RFC 9110, 9.3.8: never echoed"),
            ("CONNECT example.org:443", "405", "RFC 9110, 9.3.6: no tunnels"),
            ("BREW /", "501", "RFC 9110, 15.6.2"),
            ("get /feed.atom", "501", "RFC 9110, 9.1: methods are case-sensitive"),
            ("GET feed.atom", "400", "RFC 9112, 3.2.3: only CONNECT names a host alone"),
            ("GET example.org:80", "400", "RFC 9112, 3.2.3"),
            ("GET /feed.atom\nexpect: magic", "417", "RFC 9110, 10.1.1"),
            ("GET /gone\nexpect: 100-Continue", "410", "RFC 9110, 10.1.1"),
            ("GET /gone\ntransfer-encoding: Chunked", "410", "RFC 9112, 7.1"),
            ("GET /gone\ntransfer-encoding: gzip, chunked", "501", "RFC 9112, 6.1"),
            ("GET /gone\ntransfer-encoding: chunked, chunked", "501", "RFC 9112, 6.1"),
            ("OPTIONS *", "options", "RFC 9112, 3.2.4"),
            ("OPTIONS /feed.atom", "options", "RFC 9110, 9.3.7"),
            ("OPTIONS /%00", "400", ""),
            ("GET *", "400", "RFC 9112, 3.2.4: of OPTIONS only"),
            ("GET /../etc/passwd", "400", "RFC 3986, 5.2.4"),
            ("GET /a%2Fb", "400", ""),
            ("GET /a%00b", "400", ""),
            ("GET /a%zz", "400", "RFC 3986, 2.1"),
            ("GET //feed.atom", "404", ""),
        ],
    );
    let long = format!("GET /{}", "a".repeat(99));
    check("", &[(&long, &format!("make /{}", "a".repeat(99)), "just within the limit")]);
    let long = format!("GET /{}", "a".repeat(100));
    check("", &[(&long, "414", "RFC 9110, 15.5.15")]);
    let long = format!("GET /?{}", "a".repeat(99));
    check("", &[(&long, "414", "the query counts")]);
}

#[test]
fn hosts() {
    let shelf = shelf();
    let snapshot = shelf.snapshot();
    let table = [
        ("GET /feed.atom", "400", "RFC 9112, 3.2: none"),
        ("GET /feed.atom\nhost: a\nhost: a", "400", "RFC 9112, 3.2: two"),
        ("GET /feed.atom\nhost: a, b", "400", "RFC 9112, 3.2: no valid value"),
        ("GET /feed.atom\nhost: a/b", "400", "RFC 9112, 3.2"),
        ("GET /feed.atom\nhost: me@a", "400", "RFC 9110, 4.2.4"),
        ("GET /feed.atom\nhost: h\u{e9}", "400", "not ASCII"),
        ("GET /feed.atom\nhost: [::1]:8080", "200 /feed.atom Identity", ""),
        ("GET /feed.atom\nhost: ", "400", "RFC 9110, 4.2.1: no URL is without a host"),
        ("OPTIONS *\nhost: ", "options", "RFC 9110, 7.2: the server as a whole needs none"),
        ("GET http://a/feed.atom\nhost: b", "200 /feed.atom Identity", "RFC 9112, 3.2.2"),
        ("GET http://a/feed.atom", "400", "RFC 9112, 3.2.2: `Host` all the same"),
        ("GET http://me:pw@a/feed.atom\nhost: a", "400", "RFC 9110, 4.2.4"),
        ("GET ftp://a/feed.atom\nhost: a", "400", "no other scheme"),
        ("GET http://a\nhost: a", "200 / Identity", "RFC 9112, 3.2.2: an empty path is `/`"),
        ("GET /feed.atom HTTP/1.0", "200 /feed.atom Identity", "HTTP/1.0 has none"),
        ("GET /feed.atom HTTP/1.0\nhost: a\nhost: b", "400", "two are two"),
        ("GET http://a/feed.atom HTTP/2", "200 /feed.atom Identity", "RFC 9113, 8.3.1"),
        ("GET http://a/feed.atom HTTP/2\nhost: A", "200 /feed.atom Identity", "the same"),
        ("GET http://a/feed.atom HTTP/2\nhost: b", "400", "RFC 9113, 8.3.1: a contradiction"),
        ("POST /feed.atom", "400", "before the method is looked at"),
    ];
    for (text, expected, why) in table {
        let request = Request::new(text);
        let decision = respond(&snapshot, &request.asked(), &site(""));
        assert_eq!(told(&decision), expected, "{text}: {why}");
    }
}

#[test]
fn below_a_base_path() {
    check(
        "/blog",
        &[
            ("GET /blog/feed.atom", "200 /feed.atom Identity", ""),
            ("GET /blog/", "200 / Identity", ""),
            ("GET /blog", "308 /blog/", "the slash is missing"),
            ("GET /blog/old", "301 /blog/new", "with the base path before it"),
            ("GET /blog/rss.xml", "301 /blog/feed.rss", ""),
            ("GET /blog/feed", "302 /blog/feed.atom by Accept", ""),
            ("GET /feed.atom", "404", "above it stands nothing of ours"),
            ("GET /", "404", ""),
            ("GET /blogs/feed.atom", "404", "another name"),
            ("GET /healthz", "health", "asked at the root"),
            ("GET /readyz", "readiness", ""),
            ("GET /blog/healthz", "health", "or through a proxy"),
            ("GET /%00", "400", ""),
            ("OPTIONS *", "options", ""),
        ],
    );
}

#[test]
fn other_servers_names_and_schemes() {
    let shelf = shelf();
    let snapshot = shelf.snapshot();
    let all = site("");
    let one = Site { hosts: vec!["example.org".into(), "[::1]".into()], ..site("") };
    let secure = Channel { is_secure: true, ..PLAIN };
    let proxied = Channel { is_proxied: true, ..PLAIN };
    let ok = "200 /feed.atom Identity";
    let table = [
        (&all, PLAIN, "GET /feed.atom\nhost: anything", ok, "by default all names are ours"),
        (&all, PLAIN, "GET https://a/feed.atom\nhost: a", "421", "RFC 9110, 7.4: no TLS here"),
        (&all, proxied, "GET https://a/feed.atom\nhost: a", ok, "the proxy had TLS"),
        (&all, secure, "GET https://a/feed.atom\nhost: a", ok, ""),
        (&all, secure, "GET http://a/feed.atom\nhost: a", "421", "RFC 9110, 7.4"),
        (&one, PLAIN, "GET /feed.atom\nhost: Example.ORG", ok, "names ignore case"),
        (&one, PLAIN, "GET /feed.atom\nhost: example.org.:8080", ok, "a port, and the root's dot"),
        (&one, PLAIN, "GET /feed.atom\nhost: [::1]:80", ok, ""),
        (&one, PLAIN, "GET /feed.atom\nhost: [::1]", ok, ""),
        (&one, PLAIN, "GET /feed.atom\nhost: example.com", "421", "RFC 9110, 15.5.20"),
        (&one, PLAIN, "OPTIONS *\nhost: ", "421", "no name at all"),
        (&one, PLAIN, "GET http://example.org/feed.atom\nhost: b", ok, "RFC 9112, 3.2.2"),
        (&one, PLAIN, "GET http://b/feed.atom\nhost: example.org", "421", "RFC 9112, 3.2.2"),
        (&one, PLAIN, "GET http://b/feed.atom HTTP/2", "421", ""),
        (&one, PLAIN, "GET /feed.atom HTTP/1.0", ok, "names none"),
        (&one, PLAIN, "GET /healthz\nhost: 10.0.0.1", "health", "whoever watches it"),
    ];
    for (site, channel, text, expected, why) in table {
        let request = Request { channel, ..Request::new(text) };
        let decision = respond(&snapshot, &request.asked(), site);
        assert_eq!(told(&decision), expected, "{text}: {why}");
    }
}

#[test]
fn plain_http_leads_to_https() {
    let shelf = shelf();
    let snapshot = shelf.snapshot();
    let to = |port| Site { redirect: Some(port), ..site("") };
    let (usual, other) = (to(443), to(8443));
    let secure = Channel { is_secure: true, ..PLAIN };
    let proxied = Channel { is_proxied: true, ..PLAIN };
    let table = [
        (&usual, PLAIN, "GET /a?b=c\nhost: example.org:80", "308 https://example.org/a?b=c", ""),
        (&other, PLAIN, "GET /a\nhost: example.org", "308 https://example.org:8443/a", ""),
        (&other, PLAIN, "GET http://b/\nhost: a", "308 https://b:8443/", "RFC 9112, 3.2.2"),
        (&usual, PLAIN, "GET /\nhost: [::1]:80", "308 https://[::1]/", ""),
        (&usual, PLAIN, "GET /feed.atom HTTP/1.0", "200 /feed.atom Identity", "leads nowhere"),
        (&usual, PLAIN, "GET /healthz\nhost: a", "health", "whoever watches it"),
        (&usual, PLAIN, "POST /\nhost: a", "405", "nothing is to be sent there either"),
        (&usual, secure, "GET /feed.atom\nhost: a", "200 /feed.atom Identity", "is there"),
        (&usual, proxied, "GET /feed.atom\nhost: a", "200 /feed.atom Identity", "has had TLS"),
    ];
    for (site, channel, text, expected, why) in table {
        let request = Request { channel, ..Request::new(text) };
        let decision = respond(&snapshot, &request.asked(), site);
        assert_eq!(told(&decision), expected, "{text}: {why}");
    }
}

#[test]
fn metrics_are_for_those_who_watch() {
    let shelf = shelf();
    let snapshot = shelf.snapshot();
    let watcher = Channel { may_watch: true, ..PLAIN };
    let private = Channel { role: Role::Watch, ..PLAIN };
    let table = [
        (PLAIN, "GET /metrics", "404", "not for strangers"),
        (watcher, "GET /metrics", "metrics", ""),
        (private, "GET /metrics", "metrics", "whoever gets there may"),
        (private, "GET /healthz", "health", ""),
        (private, "GET /readyz", "readiness", ""),
        (private, "GET /feed.atom", "404", "the site is elsewhere"),
        (private, "GET /a%00", "400", ""),
        (private, "POST /metrics", "405", ""),
    ];
    for (channel, text, expected, why) in table {
        let request = Request { channel, ..Request::with_host(text) };
        let decision = respond(&snapshot, &request.asked(), &site(""));
        assert_eq!(told(&decision), expected, "{text}: {why}");
    }
}

#[test]
fn files() {
    let facts = |is_settled| Facts {
        length: 1000,
        etag: HeaderValue::from_static("\"abc\""),
        modified: Some(784_111_777),
        is_settled,
    };
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let one = |first, last| FilePart::Send(Ranges::One(range::Span { first, last }));
    let all = FilePart::Send(Ranges::All);
    let same = FilePart::NotModified(HeaderValue::from_static("\"abc\""));
    let table = [
        ("GET /p.png", all.clone(), ""),
        ("GET /p.png\nrange: bytes=0-9", one(0, 9), "14.2"),
        ("HEAD /p.png\nrange: bytes=0-9", all.clone(), "14.2: of GET only"),
        ("GET /p.png\nrange: bytes=0-9\nif-range: \"abc\"", one(0, 9), "13.1.5"),
        ("GET /p.png\nrange: bytes=0-9\nif-range: \"x\"", all.clone(), "13.1.5"),
        (&format!("GET /p.png\nrange: bytes=0-9\nif-range: {date}"), one(0, 9), "13.1.5"),
        (
            "GET /p.png\nrange: bytes=1000-",
            FilePart::Refuse(Refusal::RangeNotSatisfiable(1000)),
            "15.5.17",
        ),
        ("GET /p.png\nrange: bytes=1000-\nif-range: \"x\"", all.clone(), "13.1.5: no range"),
        ("GET /p.png\nrange: bytes=0-9\nif-none-match: \"abc\"", same.clone(), "13.2.2: first"),
        (&format!("GET /p.png\nif-modified-since: {date}"), same, "13.1.3"),
        ("GET /p.png\nif-match: \"x\"", FilePart::Refuse(Refusal::PreconditionFailed), "13.1.1"),
    ];
    for (text, expected, why) in table {
        let request = Request::with_host(text);
        assert_eq!(file(&request.asked(), &facts(true)), expected, "{text}: {why}");
    }
    let request = Request::with_host(&format!("GET /p.png\nrange: bytes=0-9\nif-range: {date}"));
    assert_eq!(file(&request.asked(), &facts(false)), all, "RFC 9110, 8.8.2.2: a weak date");
}

proptest! {
    /// Whatever arrives, something is decided, and nothing but known paths is found.
    #[test]
    fn any_request_is_decided(
        method in "GET|HEAD|OPTIONS|[A-Z]{1,8}",
        path in prop::collection::vec(any::<u8>(), 0..40),
        names in prop::collection::vec(
            "host|accept|accept-encoding|if-none-match|if-match|if-modified-since|range|if-range",
            0..6,
        ),
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 6),
    ) {
        let Ok(uri) = Uri::try_from([b"/".as_slice(), &path].concat()) else { return Ok(()) };
        let mut request = Request::with_host("GET /");
        request.method = method.parse().unwrap();
        request.uri = uri;
        for (name, value) in names.iter().zip(&values) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request.headers.append(name.parse::<HeaderName>().unwrap(), value);
            }
        }
        let shelf = shelf();
        let snapshot = shelf.snapshot();
        let asked = request.asked();
        for base_path in ["", "/blog"] {
            if let Decision::Cold(key) = respond(&snapshot, &asked, &site(base_path)) {
                prop_assert!(snapshot.get(&key.path()).is_none());
            }
        }
        let etag = HeaderValue::from_static("\"abc\"");
        file(&asked, &Facts { length: 10, etag, modified: Some(0), is_settled: true });
    }
}

#[test]
fn people_who_open_a_feed_get_a_page() {
    let accept = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let person = format!("{accept}\nSec-Fetch-Dest: document");
    let table = [
        ("GET /feed.atom", &*person, "make /feed.atom?page", "a page of its own"),
        ("HEAD /feed.atom", &*person, "make /feed.atom?page", "as GET"),
        ("GET /feed.atom?raw", &*person, "200 /feed.atom Identity", "who asks for the feed itself"),
        ("GET /feed.atom?x=1", &*person, "make /feed.atom?page", "any other query"),
        ("GET /feed.atom", accept, "200 /feed.atom Identity", "`Accept` alone decides nothing"),
        ("GET /", &*person, "200 / Identity", "pages are pages"),
        ("GET /news/feed.rss", &*person, "make /news/feed.rss?page", "not on the shelf"),
        ("GET /archives/3.rss", &*person, "make /archives/3.rss?page", "archive pages, too"),
        ("GET /feed", &*person, "302 /feed.atom by Accept", "leads to one first"),
    ];
    let rows = table.map(|(line, fields, told, why)| (format!("{line}\n{fields}"), told, why));
    let rows: Vec<_> = rows.iter().map(|(text, told, why)| (text.as_str(), *told, *why)).collect();
    check("", &rows);
}

#[test]
fn readers_who_have_a_version_get_what_changed() {
    let shelf = shelf();
    let feed = |text: &str, second| {
        Made::Rendition(Rendition {
            media_type: "application/atom+xml; charset=utf-8".into(),
            payload: Payload::Bytes(Bytes::from(text.to_owned())),
            language: None,
            modified: Timestamp::from_second(second).unwrap(),
            links: Vec::new(),
        })
    };
    let key = |format| Key::Feed { scope: Scope::Site, part: Part::Current, format };
    let tag = |path: &str| {
        let snapshot = shelf.snapshot();
        match &snapshot.get(path).unwrap().item {
            Item::Document(Document { body: Body::Bytes(codings), .. }) => {
                codings.identity.etag.to_str().unwrap().to_owned()
            }
            other => panic!("{other:?}"),
        }
    };
    shelf.put(key(Format::Atom), feed("one", 100), 1);
    shelf.put(key(Format::Rss), feed("one", 100), 1);
    let (old, rss) = (tag("/feed.atom"), tag("/feed.rss"));
    shelf.put(key(Format::Atom), feed("two", 200), 2);
    let new = tag("/feed.atom");
    let gzip = old.replace("\"", "") + "-gzip";
    let since = format!("/feed.atom?since={:x}", 100_000_000);
    let make = format!("make {since}");
    let ask = |fields: &str| {
        let request = Request::with_host(&format!("GET /feed.atom\n{fields}"));
        told(&respond(&shelf.snapshot(), &request.asked(), &site("")))
    };
    let table = [
        (format!("A-IM: feed\nIf-None-Match: {old}"), make.as_str(), "an older version"),
        (format!("A-IM: feed\nIf-None-Match: \"{gzip}\""), &make, "in another coding"),
        (format!("A-IM: feed\nIf-None-Match: W/{old}"), &make, "made weak by a proxy"),
        (format!("A-IM: vcdiff, feed\nIf-None-Match: \"x\", {old}"), &make, "one of several"),
        (format!("A-IM: feed\nIf-None-Match: {new}"), "304 /feed.atom", "nothing changed"),
        (format!("If-None-Match: {old}"), "200 /feed.atom Identity", "no delta is asked for"),
        ("A-IM: feed".into(), "200 /feed.atom Identity", "no version"),
        (
            format!("A-IM: feed\nIf-None-Match: {rss}"),
            "200 /feed.atom Identity",
            "a version of another feed",
        ),
        (
            "A-IM: feed\nIf-None-Match: \"0123.5f5e100.abcdef\"".into(),
            "200 /feed.atom Identity",
            "a tag that is none of ours",
        ),
    ];
    for (fields, expected, why) in &table {
        assert_eq!(ask(fields), *expected, "{fields}: {why}");
    }
    let delta = |whole: &str| {
        Made::Rendition(Rendition {
            media_type: "application/atom+xml; charset=utf-8".into(),
            payload: Payload::Delta {
                changed: Bytes::from("changed"),
                whole: Bytes::from(whole.to_owned()),
            },
            language: None,
            modified: Timestamp::from_second(200).unwrap(),
            links: Vec::new(),
        })
    };
    let of = Key::Delta { scope: Scope::Site, format: Format::Atom, since: 100_000_000 };
    let fields = &table[0].0;
    shelf.put(of.clone(), delta("two"), 2);
    assert_eq!(ask(fields), format!("226 {since}"), "it is on the shelf");
    shelf.put(of.clone(), delta("older two"), 2);
    assert_eq!(ask(fields), make, "it led to another version than the present one");
    let none = shelf.put(of, Made::Missing, 2).unwrap();
    let request = Request::with_host(&format!("GET /feed.atom\n{fields}"));
    let decision = answer(&none, &request.asked(), &site(""));
    assert_eq!(told(&decision), "whole /feed.atom", "what changed cannot be told");
}
