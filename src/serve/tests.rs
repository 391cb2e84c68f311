//! The server as a client on the wire sees it: a real listener, raw bytes.

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::catalog::entry::Part;
use crate::catalog::scope::Scope;
use crate::render::rendition::{Format, Key, Made, Payload, Rendition};
use crate::shelf::{self, Shelf};
use crate::watch::seed::SeedPath;

/// Long enough never to be over in a test that does not wait for it.
const LONG: Duration = Duration::from_secs(60);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);

fn options(root: PathBuf) -> Options {
    let value = HeaderValue::from_static;
    Options {
        root: root.into(),
        base_path: String::new(),
        hosts: Vec::new(),
        redirect: None,
        hsts: None,
        caching: Caching {
            feed: value("public, max-age=60"),
            archive: value("public, max-age=3600"),
            page: value("public, max-age=61"),
            file: value("public, max-age=3601"),
            redirect: value("public, max-age=3602"),
        },
        trusted: Networks::default(),
        told: Told::XForwardedFor,
        connections: 1000,
        connections_of_client: 1000,
        header_timeout: LONG,
        idle_timeout: LONG,
        write_timeout: LONG,
        max_body: 10_000,
        max_head: 16 * 1024,
        max_target: 1000,
        requests: 1000,
        streams: 100,
        resets: 20,
        polls: Pace { burst: 2, every: LONG },
        makes: 4,
        make_timeout: LONG,
        drain: LONG,
        metrics: Access::Loopback,
        journal: None,
    }
}

fn text() -> String {
    "A line of a feed that is much like the one before it.\n".repeat(200)
}

fn rendition(media_type: &str, payload: Payload) -> Made {
    Made::Rendition(Rendition {
        media_type: media_type.into(),
        payload,
        language: Some("en".into()),
        modified: Timestamp::from_second(784_111_777).unwrap(),
        links: vec!["<http://example.org/feed.atom>; rel=\"self\"".into()],
    })
}

fn html(text: &str) -> Made {
    rendition("text/html; charset=utf-8", Payload::Bytes(Bytes::copy_from_slice(text.as_bytes())))
}

fn feed(format: Format) -> Key {
    Key::Feed { scope: Scope::Site, part: Part::Current, format }
}

fn page(path: &str) -> Key {
    Key::Page(path.into())
}

/// What the tests look at and turn from outside.
struct Daemon {
    shelf: Shelf,
    /// How often each path was made.
    made: std::sync::Mutex<HashMap<String, usize>>,
    /// What is slow waits for this.
    go: Notify,
    can_serve: AtomicBool,
}

impl Daemon {
    async fn make(self: Arc<Self>, key: Key) -> Outcome {
        let path = key.path();
        *self.made.lock().unwrap().entry(path.clone()).or_default() += 1;
        let made = match path.as_str() {
            "/busy" => return Err(Unmade::Busy),
            "/failed" => return Err(Unmade::Failed),
            "/panic" => panic!("as the test wants"),
            slow if slow.starts_with("/slow") => {
                self.go.notified().await;
                html(slow)
            }
            made if made.starts_with("/made") => html(made),
            visit if visit.ends_with("?page") => html("<p>This is a feed</p>"),
            delta if delta.starts_with("/feed.atom?since=") => {
                let changed = Bytes::from_static(b"<feed>what changed</feed>");
                let payload = Payload::Delta { changed, whole: text().into() };
                rendition(Format::Atom.media_type(), payload)
            }
            _ => Made::Missing,
        };
        self.shelf.put(key, made, 1).ok_or(Unmade::Busy)
    }
}

struct Server {
    address: SocketAddr,
    daemon: Arc<Daemon>,
    server: Arc<super::Server>,
    root: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Server {
    async fn start() -> Server {
        Server::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Server {
        let root = tempfile::tempdir().unwrap();
        let mut options = options(root.path().to_owned());
        change(&mut options);
        let shelf = Shelf::new(shelf::Options { memory: 8 << 20 });
        let bytes = || Payload::Bytes(text().into());
        shelf.put_all(
            vec![
                (feed(Format::Atom), rendition(Format::Atom.media_type(), bytes())),
                (feed(Format::Rss), rendition(Format::Rss.media_type(), bytes())),
                (feed(Format::Json), rendition(Format::Json.media_type(), bytes())),
                (Key::Index(Scope::Site), html("<p>Hello</p>")),
                (page("/old"), Made::Moved("/new".into())),
                (page("/gone"), Made::Gone),
            ],
            1,
        );
        let daemon = Arc::new(Daemon {
            shelf,
            made: Default::default(),
            go: Notify::new(),
            can_serve: AtomicBool::new(true),
        });
        let maker = Arc::clone(&daemon);
        let make: Make = Arc::new(move |key| Box::pin(Arc::clone(&maker).make(key)));
        let asked = Arc::clone(&daemon);
        let health: Health = Arc::new(move || Report {
            entries: 3,
            problems: 1,
            reasons: Vec::new(),
            can_serve: asked.can_serve.load(Ordering::Relaxed),
            shelf_bytes: 7,
            since_change: None,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let view = daemon.shelf.view();
        let server = Arc::new(super::Server::new(view, make, health, options));
        let serving = Arc::clone(&server);
        let served = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(vec![Listener::tcp(listener)], &serving, stopped).await;
        });
        Server { address, daemon, server, root, stop: Some(stop), served }
    }

    fn file(&self, name: &str, media_type: &str, content: &[u8]) {
        std::fs::write(self.root.path().join(name), content).unwrap();
        self.shelve(name, media_type);
        // As if it had been written long ago: until then its tag is weak.
        let file = std::fs::File::options().write(true).open(self.root.path().join(name)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(784_111_777)).unwrap();
    }

    fn shelve(&self, name: &str, media_type: &str) {
        let payload = Payload::File { path: SeedPath::new(name).unwrap(), length: 0 };
        self.daemon.shelf.put(page(&format!("/{name}")), rendition(media_type, payload), 1);
    }

    fn made(&self, path: &str) -> usize {
        self.daemon.made.lock().unwrap().get(path).copied().unwrap_or_default()
    }

    async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), read: Vec::new() }
    }

    /// One request on a connection of its own; `\n` stands for a line end, the `Host`
    /// is added.
    async fn ask(&self, request: &str) -> Reply {
        self.connect().await.ask(request).await
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Client {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn ask(&mut self, request: &str) -> Reply {
        let (line, fields) = request.split_once('\n').unwrap_or((request, ""));
        let fields = fields.replace('\n', "\r\n");
        let end = if fields.is_empty() { "\r\n" } else { "\r\n\r\n" };
        self.send(format!("{line} HTTP/1.1\r\nHost: example.org\r\n{fields}{end}")).await;
        self.reply(request.starts_with("HEAD")).await
    }

    /// The next response, by its length.
    async fn reply(&mut self, is_head: bool) -> Reply {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|it| it == b"\r\n\r\n") {
                break at;
            }
            assert!(self.more().await, "closed within {:?}", String::from_utf8_lossy(&self.read));
        };
        let head = String::from_utf8(self.read[..end].to_vec()).unwrap();
        self.read.drain(..end + 4);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { status, head, body: Vec::new() };
        let length: usize = reply.field("content-length").map_or(0, |it| it.parse().unwrap());
        if !is_head && status != 304 {
            while self.read.len() < length {
                assert!(self.more().await, "closed within the body of {}", reply.head);
            }
            reply.body = self.read.drain(..length).collect();
        }
        reply
    }

    /// Whether more came before the end.
    async fn more(&mut self) -> bool {
        self.stream.read_buf(&mut self.read).await.unwrap_or(0) > 0
    }

    /// Everything until the server closes.
    async fn rest(&mut self) -> String {
        while self.more().await {}
        String::from_utf8_lossy(&self.read).into_owned()
    }
}

fn gunzipped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// Requests and responses byte for byte, from `tests/cases/serve`. `Date` is left
/// out. With `BLESS` set in the environment the responses are written anew; review
/// them.
#[tokio::test]
async fn cases() {
    let server = Server::start().await;
    server.file("picture.png", "image/png", b"0123456789");
    server.file("drawing.svg", "image/svg+xml", b"<svg/>");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/serve");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "request"))
        .collect();
    names.sort();
    assert!(names.len() > 20, "the cases are gone");
    for name in names {
        let request = std::fs::read_to_string(&name).unwrap();
        let request: String = request
            .lines()
            .filter(|it| !it.starts_with("# "))
            .map(|it| format!("{it}\r\n"))
            .collect();
        let mut client = server.connect().await;
        client.send(unescaped(&request)).await;
        client.stream.shutdown().await.unwrap();
        let response = client.rest().await.replace("\r\n", "\n");
        assert!(!response.is_empty(), "{}: no response", name.display());
        let response: String = response
            .split_inclusive('\n')
            .filter(|it| !it.starts_with("date: "))
            .map(|it| if is_of_file(it) { "etag: <of the file>\n" } else { it })
            .collect();
        // So does what parts ranges.
        let boundary = response.split("boundary=").nth(1).and_then(|it| it.lines().next());
        let response = match boundary {
            Some(boundary) => response.replace(boundary, "<boundary>"),
            None => response,
        };
        let expected = name.with_extension("response");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, &response).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(response, expected, "{}", name.display());
    }
}

/// `\xHH` is a byte that a line of text cannot hold.
fn unescaped(request: &str) -> Vec<u8> {
    let mut parts = request.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    bytes
}

/// Tags of files name their times.
fn is_of_file(line: &str) -> bool {
    let tag = line.strip_prefix("etag: ").unwrap_or_default();
    tag.trim_start_matches("W/").contains('-')
}

#[tokio::test]
async fn every_coding_is_the_same_text() {
    let server = Server::start().await;
    let plain = server.ask("GET /feed.atom").await;
    assert_eq!(plain.body, text().as_bytes());
    let gzip = server.ask("GET /feed.atom\nAccept-Encoding: gzip").await;
    assert_eq!(gzip.field("content-encoding"), Some("gzip"));
    assert_eq!(gzip.field("vary"), Some("accept-encoding"));
    assert_eq!(gunzipped(&gzip.body), text().as_bytes());
    assert_ne!(plain.field("etag"), gzip.field("etag"));

    // Asked for once, br is made; until then gzip or identity is the answer.
    let mut tags = vec![gzip.field("etag").unwrap().to_owned()];
    for (accept, coding) in [("br, gzip", "br"), ("zstd, gzip", "zstd")] {
        let reply = loop {
            let request = format!("GET /feed.atom\nAccept-Encoding: {accept}");
            let reply = server.ask(&request).await;
            if reply.field("content-encoding") == Some(coding) {
                break reply;
            }
            assert_eq!(reply, Reply { head: reply.head.clone(), ..gzip.clone() });
        };
        let mut plain = Vec::new();
        match coding {
            "br" => brotli::BrotliDecompress(&mut &reply.body[..], &mut plain).unwrap(),
            _ => plain = zstd::stream::decode_all(&reply.body[..]).unwrap(),
        }
        assert_eq!(plain, text().as_bytes());
        let tag = reply.field("etag").unwrap().to_owned();
        assert!(!tags.contains(&tag));
        tags.push(tag);
    }
    tags.push(plain.field("etag").unwrap().to_owned());
    for tag in tags {
        let request = format!("GET /feed.atom\nAccept-Encoding: gzip\nIf-None-Match: {tag}");
        let reply = server.ask(&request).await;
        assert_eq!((reply.status, reply.field("etag")), (304, Some(tag.as_str())));
    }
}

#[tokio::test]
async fn head_has_the_fields_of_get() {
    let server = Server::start().await;
    server.file("picture.png", "image/png", b"0123456789");
    let targets =
        ["/feed.atom", "/", "/picture.png", "/gone", "/old", "/nothing", "/healthz", "/%"];
    for target in targets {
        for accept in ["", "\nAccept-Encoding: gzip"] {
            let get = server.ask(&format!("GET {target}{accept}")).await;
            let head = server.ask(&format!("HEAD {target}{accept}")).await;
            let fields = |reply: &Reply| {
                let mut lines: Vec<String> = reply.head.lines().map(str::to_owned).collect();
                lines.retain(|it| !it.starts_with("date: "));
                lines.sort();
                lines
            };
            assert_eq!(fields(&get), fields(&head), "{target}");
            assert!(get.field("content-length").is_some(), "{target}: {}", get.head);
        }
    }
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_order() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let all = ["/feed.atom", "/made/1", "/gone", "/", "/made/2"].map(request).concat();
    client.send(all).await;
    let mut bodies = Vec::new();
    for _ in 0..5 {
        let reply = client.reply(false).await;
        bodies.push((reply.status, String::from_utf8(reply.body).unwrap()));
    }
    assert_eq!(bodies[0], (200, text()));
    assert_eq!(bodies[1], (200, "/made/1".into()));
    assert_eq!(bodies[2].0, 410);
    assert_eq!(bodies[3], (200, "<p>Hello</p>".into()));
    assert_eq!(bodies[4], (200, "/made/2".into()));
}

#[tokio::test]
async fn what_is_asked_for_by_many_is_made_once() {
    let server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = server.connect().await;
        client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        clients.push(client);
    }
    while server.made("/slow") == 0 {
        tokio::task::yield_now().await;
    }
    // What is on the shelf does not wait for it.
    assert_eq!(server.ask("GET /feed.atom").await.status, 200);
    server.daemon.go.notify_one();
    for client in &mut clients {
        assert_eq!(client.reply(false).await.body, b"/slow");
    }
    assert_eq!(server.ask("GET /slow").await.status, 200);
    assert_eq!(server.made("/slow"), 1);
}

#[tokio::test]
async fn a_making_goes_on_when_its_client_leaves() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while server.made("/slow") == 0 {
        tokio::task::yield_now().await;
    }
    drop(client);
    server.daemon.go.notify_one();
    while server.daemon.shelf.snapshot().get("/slow").is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_cannot_be_made_is_refused() {
    let server = Server::with(|it| it.makes = 1).await;
    let busy = server.ask("GET /busy").await;
    assert_eq!((busy.status, busy.field("retry-after")), (503, Some("5")));
    assert_eq!(server.ask("GET /failed").await.status, 500);
    assert_eq!(server.ask("GET /panic").await.status, 500, "and the server lives");
    assert_eq!(server.ask("GET /nothing").await.status, 404);
    assert_eq!(server.ask("GET /made").await.status, 200);

    let mut client = server.connect().await;
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while server.made("/slow") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.ask("GET /made/2").await.status, 503, "as many makings as are allowed");
    assert_eq!(server.ask("GET /made").await.status, 200, "on the shelf");
}

#[tokio::test]
async fn a_making_that_takes_too_long_is_given_up() {
    let server = Server::with(|it| it.make_timeout = SHORT).await;
    assert_eq!(server.ask("GET /slow").await.status, 503);
}

#[tokio::test]
async fn files_and_their_ranges() {
    let server = Server::start().await;
    let content: Vec<u8> = (0..1_000_000u32).map(|it| (it % 251) as u8).collect();
    server.file("film.mp4", "video/mp4", &content);
    let whole = server.ask("GET /film.mp4").await;
    assert_eq!((whole.status, whole.field("accept-ranges")), (200, Some("bytes")));
    assert!(whole.body == content);

    let part = server.ask("GET /film.mp4\nRange: bytes=250000-749999").await;
    assert_eq!(part.status, 206);
    assert_eq!(part.field("content-range"), Some("bytes 250000-749999/1000000"));
    assert!(part.body == content[250_000..750_000]);

    let none = server.ask("GET /film.mp4\nRange: bytes=1000000-").await;
    assert_eq!((none.status, none.field("content-range")), (416, Some("bytes */1000000")));

    let parts = server.ask("GET /film.mp4\nRange: bytes=10-11,999990-").await;
    assert_eq!(parts.status, 206);
    let media_type = parts.field("content-type").unwrap();
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let expected = [
        format!("--{boundary}\r\nContent-Type: video/mp4\r\n").as_bytes(),
        b"Content-Range: bytes 10-11/1000000\r\n\r\n",
        &content[10..12],
        format!("\r\n--{boundary}\r\nContent-Type: video/mp4\r\n").as_bytes(),
        b"Content-Range: bytes 999990-999999/1000000\r\n\r\n",
        &content[999_990..],
        format!("\r\n--{boundary}--\r\n").as_bytes(),
    ]
    .concat();
    assert_eq!(parts.body, expected, "RFC 9110, 14.6");

    let tag = whole.field("etag").unwrap();
    let same = server.ask(&format!("GET /film.mp4\nIf-None-Match: {tag}")).await;
    assert_eq!((same.status, same.field("etag")), (304, Some(tag)));
}

#[tokio::test]
async fn files_beyond_the_root_are_not_there() {
    let server = Server::start().await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), server.root.path().join("door")).unwrap();
    server.shelve("door/secret", "text/plain");
    server.shelve("nothing.png", "image/png");
    assert_eq!(server.ask("GET /door/secret").await.status, 404);
    assert_eq!(server.ask("GET /nothing.png").await.status, 404);
}

#[tokio::test]
async fn a_file_that_shrinks_under_way_ends_the_connection() {
    let server = Server::start().await;
    // More than the sockets between us hold.
    let length = 64 << 20;
    let file = std::fs::File::create(server.root.path().join("large.bin")).unwrap();
    file.set_len(length).unwrap();
    server.shelve("large.bin", "application/octet-stream");
    let mut client = server.connect().await;
    client.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while client.read.len() < 1000 {
        assert!(client.more().await);
    }
    file.set_len(0).unwrap();
    let got = client.rest().await.len() as u64;
    assert!(got < length, "{got} bytes of a file that is gone");
}

#[tokio::test]
async fn bodies_nobody_wants() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let small = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    client.send(small).await;
    assert_eq!(client.reply(false).await.status, 200, "RFC 9110, 9.3.1: means nothing");
    client.send("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send("5\r\nhello\r\n0\r\n\r\n").await;
    let reply = client.reply(false).await;
    assert_eq!((reply.status, reply.field("connection")), (200, Some("close")));
    assert_eq!(client.rest().await, "", "another might have read these chunks differently");

    let mut client = server.connect().await;
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let reply = client.reply(false).await;
    assert_eq!((reply.status, reply.field("connection")), (405, Some("close")), "and no 100");
    assert_eq!(client.rest().await, "");

    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10001\r\n\r\n").await;
    let reply = client.reply(false).await;
    assert_eq!((reply.status, reply.field("connection")), (413, Some("close")));
    assert_eq!(client.rest().await, "");

    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send(format!("4000\r\n{}\r\n", "x".repeat(0x4000))).await;
    assert_eq!(client.reply(false).await.status, 413);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let server = Server::with(|it| it.header_timeout = SHORT).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe").await;
    let rest = client.rest().await;
    assert!(rest.starts_with("HTTP/1.1 408 ") || rest.is_empty(), "{rest}");
}

/// RFC 9112, section 2.2: LF alone may be taken for a line's end. A proxy that takes it for
/// a part of the line sees one request where we see two, so no second one is answered.
#[tokio::test]
async fn after_a_line_without_cr_nothing_more_is_answered() {
    let server = Server::start().await;
    let second = "GET /gone HTTP/1.1\r\nHost: a\r\n\r\n";
    let table = [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", "in the request line"),
        ("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "in a field"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\n\n", "at the end of the head"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\n", "the last line alone"),
    ];
    for (first, why) in table {
        let mut client = server.connect().await;
        client.send(format!("{first}{second}")).await;
        let reply = client.reply(false).await;
        assert_eq!((reply.status, reply.field("connection")), (200, Some("close")), "{why}");
        assert_eq!(client.rest().await, "", "{why}");
    }
    // Of two reads the second begins with LF.
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r").await;
    client.stream.set_nodelay(true).unwrap();
    tokio::task::yield_now().await;
    client.send(format!("\n{second}")).await;
    assert_eq!(client.reply(false).await.field("connection"), None, "a whole line end");
    assert_eq!(client.reply(false).await.status, 410);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_as_all_else_is() {
    let lines = Arc::<std::sync::Mutex<String>>::default();
    let written = Arc::clone(&lines);
    let sink: Sink = Arc::new(move |line| written.lock().unwrap().push_str(&line));
    let server = Server::with(|it| {
        it.header_timeout = SHORT;
        it.journal = Some(Journal { format: JournalFormat::Combined, sink });
    })
    .await;
    let mut slow = server.connect().await;
    slow.send("GET /slowly HTTP/1.1\r\nAccept: application/json\r\nX: ").await;
    let reply = slow.reply(false).await;
    assert_eq!((reply.status, reply.field("connection")), (408, Some("close")));
    assert_eq!(reply.field("content-type"), Some("application/problem+json"));
    assert_eq!(slow.rest().await, "");

    // Larger than what the system keeps for us: closing at once would be a reset.
    let mut large = server.connect().await;
    let head = format!(
        "GET /large HTTP/1.1\r\nHost: a\r\nUser-Agent: reader\r\nX: {}",
        "x".repeat(100_000)
    );
    large.send(head).await;
    let reply = large.reply(false).await;
    assert_eq!((reply.status, reply.field("connection")), (431, Some("close")));
    assert!(String::from_utf8(reply.body).unwrap().contains("<h1>Request Header Fields Too Large"));

    // What a file says is no answer of ours.
    let looks = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";
    server.file("answer.bin", "application/octet-stream", looks);
    let mut client = server.connect().await;
    assert_eq!(client.ask("GET /answer.bin").await.body, looks);
    assert_eq!(client.ask("GET /answer.bin").await.body, looks);

    let lines = lines.lock().unwrap().clone();
    assert!(lines.contains("\"GET /slowly HTTP/1.1\" 408 "), "{lines}");
    assert!(lines.contains("\"GET /large HTTP/1.1\" 431 "), "{lines}");
    assert!(lines.contains(" \"-\" \"reader\"\n"), "{lines}");
}

#[tokio::test]
async fn whoever_is_slow_is_cut() {
    let server = Server::with(|it| {
        it.header_timeout = SHORT;
        it.idle_timeout = SHORT;
        it.write_timeout = SHORT;
    })
    .await;
    let mut silent = server.connect().await;
    assert_eq!(silent.rest().await, "", "says nothing, hears nothing");

    for start in ["P", "PRI * HT", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut slow = server.connect().await;
        slow.send(start).await;
        let rest = slow.rest().await;
        assert!(rest.starts_with("HTTP/1.1 408 "), "{start:?}: {rest}");
    }

    let mut trickling = server.connect().await;
    let (mut reading, mut writing) = trickling.stream.split();
    let trickle = async {
        let line = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(10_000));
        for byte in line.bytes() {
            if writing.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("a head of {} bytes came through, byte by byte", line.len());
    };
    let listen = async {
        let mut all = Vec::new();
        let _ = reading.read_to_end(&mut all).await;
        String::from_utf8(all).unwrap()
    };
    tokio::select! {
        () = trickle => {}
        all = listen => assert!(all.starts_with("HTTP/1.1 408 "), "{all}"),
    }

    let mut idle = server.connect().await;
    assert_eq!(idle.ask("GET /").await.status, 200);
    assert_eq!(idle.rest().await, "", "nothing more is asked");
}

#[tokio::test]
async fn whoever_takes_nothing_is_cut() {
    let server = Server::with(|it| {
        it.write_timeout = SHORT;
        it.connections = 1;
    })
    .await;
    let length = 64 << 20;
    let file = std::fs::File::create(server.root.path().join("large.bin")).unwrap();
    file.set_len(length).unwrap();
    server.shelve("large.bin", "application/octet-stream");
    let mut greedy = server.connect().await;
    greedy.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while greedy.read.len() < 1000 {
        assert!(greedy.more().await);
    }
    // Others are let in when its place is free.
    loop {
        let mut other = server.connect().await;
        let _ = other.stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        other.more().await;
        if other.read.starts_with(b"HTTP/1.1 200") {
            break;
        }
    }
    assert!((greedy.rest().await.len() as u64) < length, "all of it came");
}

#[tokio::test]
async fn a_slow_making_is_no_slow_client() {
    let server = Server::with(|it| {
        it.header_timeout = SHORT;
        it.idle_timeout = LONG;
    })
    .await;
    let mut client = server.connect().await;
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut patient = server.connect().await;
    patient.send("GET / HTTP/1.1\r\n").await;
    assert!(patient.rest().await.starts_with("HTTP/1.1 408"), "so the time is over");
    server.daemon.go.notify_one();
    assert_eq!(client.reply(false).await.status, 200);
}

#[tokio::test]
async fn more_connections_than_allowed_are_turned_away() {
    let server = Server::with(|it| it.connections = 2).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    assert_eq!(first.ask("GET /").await.status, 200);
    assert_eq!(second.ask("GET /").await.status, 200);
    let mut third = server.connect().await;
    assert!(third.rest().await.starts_with("HTTP/1.1 503 "));
    assert_eq!(first.ask("GET /").await.status, 200, "those who are in stay");
    drop(second);
    loop {
        let mut client = server.connect().await;
        let _ = client.stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.more().await;
        if client.read.starts_with(b"HTTP/1.1 200") {
            break;
        }
    }
}

#[tokio::test]
async fn a_connection_ends_after_many_requests() {
    let server = Server::with(|it| it.requests = 3).await;
    let mut client = server.connect().await;
    assert_eq!(client.ask("GET /").await.field("connection"), None);
    assert_eq!(client.ask("GET /").await.field("connection"), None);
    assert_eq!(client.ask("GET /").await.field("connection"), Some("close"));
    assert_eq!(client.rest().await, "");
}

/// A header of the PROXY protocol for a client at this address.
fn proxy_header(address: [u8; 4]) -> Vec<u8> {
    let head = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    [&head[..], &address, &[127, 0, 0, 1, 1, 2, 3, 4]].concat()
}

#[tokio::test]
async fn who_asks_too_often_without_a_tag_waits() {
    let server = Server::with(|it| {
        it.trusted = Networks::parse(&["127.0.0.1".into()]).unwrap();
        it.polls = Pace { burst: 2, every: Duration::from_secs(90) };
    })
    .await;
    let ask = async |client: &str, fields: &str| {
        server.ask(&format!("GET /feed.atom\nX-Forwarded-For: {client}{fields}")).await
    };
    assert_eq!(ask("192.0.2.1", "").await.status, 200);
    let tag = ask("192.0.2.1", "").await.field("etag").unwrap().to_owned();
    let late = ask("192.0.2.1", "").await;
    assert_eq!((late.status, late.field("retry-after")), (429, Some("90")), "RFC 6585, 4");
    assert_eq!(ask("192.0.2.2", "").await.status, 200, "another client");
    let same = ask("192.0.2.1", &format!("\nIf-None-Match: {tag}")).await;
    assert_eq!(same.status, 304, "who says what it has may ask as often as it likes");
    let other = ask("192.0.2.1", "\nIf-None-Match: \"x\"").await;
    assert_eq!(other.status, 200, "also where that is old");
    for _ in 0..5 {
        assert_eq!(server.ask("GET /feed.atom").await.status, 200, "this machine itself");
        assert_eq!(server.ask("GET /\nX-Forwarded-For: 192.0.2.1").await.status, 200, "a page");
    }
}

#[tokio::test]
async fn clients_of_a_proxy_are_told_apart_before_they_ask() {
    let server = Server::with(|it| {
        it.trusted = Networks::parse(&["127.0.0.1".into()]).unwrap();
        it.told = Told::Proxy;
        it.connections_of_client = 1;
    })
    .await;
    let mut first = server.connect().await;
    first.send(proxy_header([192, 0, 2, 1])).await;
    assert_eq!(first.ask("GET /").await.status, 200);
    let mut second = server.connect().await;
    second.send(proxy_header([192, 0, 2, 1])).await;
    assert_eq!(second.rest().await, "", "as many connections as one client may have");
    let mut other = server.connect().await;
    other.send(proxy_header([192, 0, 2, 2])).await;
    assert_eq!(other.ask("GET /").await.status, 200);
    let metrics = other.ask("GET /metrics").await;
    assert_eq!(metrics.status, 404, "it is not from this machine");
    let mut plain = server.connect().await;
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(plain.rest().await, "", "the proxy says for whom it asks, or nothing");
}

#[tokio::test]
async fn what_was_answered_is_counted_and_logged() {
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let written = Arc::clone(&lines);
    let server = Server::with(|it| {
        let sink: Sink = Arc::new(move |line| written.lock().unwrap().push(line));
        it.journal = Some(Journal { format: JournalFormat::Combined, sink });
    })
    .await;
    let agent = "User-Agent: Service/1 (7 subscribers)";
    assert_eq!(server.ask(&format!("GET /feed.atom\n{agent}")).await.status, 200);
    assert_eq!(server.ask("GET /nothing").await.status, 404);
    let forwarded = server.ask("GET /metrics\nX-Forwarded-For: 192.0.2.1").await;
    assert_eq!(forwarded.status, 404, "a proxy on this machine asks for somebody else");
    let reply = server.ask("GET /metrics").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let counts = String::from_utf8(reply.body).unwrap();
    for line in [
        "sower_requests_total{kind=\"feed\",code=\"200\"} 1",
        "sower_requests_total{kind=\"other\",code=\"404\"} 2",
        "sower_connections_total 4",
        "sower_entries 3",
        "sower_subscribers{feed=\"/feed.atom\",agent=\"Service\"} 7",
    ] {
        assert!(counts.lines().any(|it| it == line), "{line} in\n{counts}");
    }
    assert_eq!(server.server.subscribers()[0].count, 7);
    let lines = lines.lock().unwrap();
    let (start, end) = lines[0].split_once("] ").unwrap();
    assert!(start.starts_with("127.0.0.1 - - ["), "{start}");
    let (length, agent) = (text().len(), &agent["User-Agent: ".len()..]);
    let expected = format!("\"GET /feed.atom HTTP/1.1\" 200 {length} \"-\" \"{agent}\"\n");
    assert_eq!(end, expected);
}

#[tokio::test]
async fn the_server_asks_itself() {
    let mut server = Server::start().await;
    assert!(server.server.is_answering().await);
    server.daemon.can_serve.store(false, Ordering::Relaxed);
    assert!(server.server.is_answering().await, "to say that it cannot serve is an answer");
    server.stop();
}

#[tokio::test]
async fn new_options_count_for_new_connections() {
    let server = Server::start().await;
    let mut before = server.connect().await;
    assert_eq!(
        before.ask("GET /feed.atom").await.field("cache-control"),
        Some("public, max-age=60")
    );
    let mut fresh = options(server.root.path().to_owned());
    fresh.caching.feed = HeaderValue::from_static("no-cache");
    server.server.reload(fresh);
    assert_eq!(
        before.ask("GET /feed.atom").await.field("cache-control"),
        Some("public, max-age=60")
    );
    assert_eq!(server.ask("GET /feed.atom").await.field("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn unix_sockets() {
    let server = Server::start().await;
    let path = server.root.path().join("http");
    // As a server that was killed leaves it.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::at_path(&path).unwrap();
    assert_eq!(Listener::at_path(&path).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = Arc::clone(&server.server);
    let served = tokio::spawn(async move {
        serve(vec![listener], &serving, async { drop(stopped.await) }).await;
    });
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /feed.atom HTTP/1.0\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.0 200 OK\r\n"), "{reply}");
    stop.send(()).unwrap();
    served.await.unwrap();
    assert!(!path.exists(), "whoever connects is told at once that nobody is there");
}

/// The certificate of a folder of cases, by the name of its files.
fn certificate(name: &str) -> (PathBuf, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/serve/tls");
    (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")))
}

#[tokio::test]
async fn tls_and_its_certificate_that_changes() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let put = |name: &str| {
        let (certificate, key) = certificate(name);
        std::fs::copy(certificate, at("pem")).unwrap();
        std::fs::copy(key, at("key")).unwrap();
    };
    put("one");
    let files = [(at("pem"), at("key"))];
    let tls = Arc::new(Tls::open(&files).unwrap());
    let server = Server::with(|it| {
        it.redirect = Some(443);
        it.hsts = Some(HeaderValue::from_static("max-age=60"));
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (serving, secured) = (Arc::clone(&server.server), Arc::clone(&tls));
    tokio::spawn(async move {
        let listeners = vec![Listener::tcp(listener).with_tls(secured)];
        serve(listeners, &serving, std::future::pending()).await;
    });
    // Which of both certificates is shown, what was agreed on, and the answer.
    let ask_for = async |name: &'static str, trusted: &str, alpn: &[u8], request: &str| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate(trusted).0).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let mut stream = connector.connect(name, stream).await.ok()?;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn));
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = vec![0; 1000];
        let count = stream.read(&mut reply).await.unwrap();
        Some(String::from_utf8_lossy(&reply[..count]).into_owned())
    };
    let ask = async |trusted: &str, alpn: &[u8], request: &str| {
        ask_for("example.org", trusted, alpn, request).await
    };
    let request = "HEAD / HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let reply = ask("one", b"http/1.1", request).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert!(reply.contains("\r\nstrict-transport-security: max-age=60\r\n"), "{reply}");
    let other = "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let reply = ask("one", b"http/1.1", other).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 421 "), "RFC 9110, 7.4: {reply}");
    let settings = ask("one", b"h2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert_eq!(settings.unwrap().as_bytes()[3], 4, "RFC 9113, 3.4: settings first");
    assert!(server.ask("GET /").await.field("strict-transport-security").is_none());

    // Half renewed: the old one stays. Then the new one is shown.
    std::fs::copy(certificate("two").0, at("pem")).unwrap();
    let half = tls.refresh(&files);
    assert!(half.wrong[0].starts_with("expected the key of "), "{half:?}");
    assert_eq!(tls.refresh(&files), Refreshed::default(), "said once");
    assert!(ask("one", b"http/1.1", request).await.is_some());
    put("two");
    assert_eq!(tls.refresh(&files), Refreshed { fresh: 1, wrong: Vec::new() });
    assert_eq!(tls.refresh(&files), Refreshed::default(), "once");
    assert!(ask("two", b"http/1.1", request).await.is_some());
    assert!(ask("one", b"http/1.1", request).await.is_none());

    // Several, by the name that is asked for (RFC 6066, section 3).
    let [first] = files;
    let several = [first.clone(), certificate("other")];
    assert_eq!(tls.refresh(&several).fresh, 1);
    let other = "HEAD / HTTP/1.1\r\nHost: a.other.example\r\n\r\n";
    assert!(ask_for("a.other.example", "other", b"http/1.1", other).await.is_some());
    assert!(ask("two", b"http/1.1", request).await.is_some());
    let wrong = ask_for("other.example", "other", b"http/1.1", other).await;
    assert!(wrong.is_none(), "the first, where the name is nobody's");
    assert!(ask_for("127.0.0.1", "two", b"http/1.1", request).await.is_none(), "no name");
    // One that is renewed by halves takes no other with it.
    std::fs::copy(certificate("one").0, at("pem")).unwrap();
    assert_eq!(tls.refresh(&several).wrong.len(), 1);
    assert!(ask("two", b"http/1.1", request).await.is_some(), "as before");
    assert!(ask_for("a.other.example", "other", b"http/1.1", other).await.is_some());
    assert_eq!(tls.refresh(&[]), Refreshed::default());
    assert!(ask("two", b"http/1.1", request).await.is_some(), "none at all would help nobody");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_given_up() {
    let tls = Arc::new(Tls::open(&[certificate("one")]).unwrap());
    let server = Server::with(|it| it.header_timeout = SHORT).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = Arc::clone(&server.server);
    tokio::spawn(async move {
        let listeners = vec![Listener::tcp(listener).with_tls(tls)];
        serve(listeners, &serving, std::future::pending()).await;
    });
    for start in ["", "\x16", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut client = Client { stream, read: Vec::new() };
        client.send(start).await;
        let rest = client.rest().await;
        assert!(!rest.contains("HTTP"), "{start:?}: {rest}");
    }
}

#[tokio::test]
async fn health_and_readiness() {
    let server = Server::start().await;
    let well = server.ask("GET /healthz").await;
    assert_eq!((well.status, well.field("cache-control")), (200, Some("no-store")));
    let json: serde_json::Value = serde_json::from_slice(&well.body).unwrap();
    let expected = serde_json::json!({"status": "ok", "entries": 3, "problems": 1, "reasons": []});
    assert_eq!(json, expected);
    assert_eq!(server.ask("GET /readyz").await.status, 200);
    server.daemon.can_serve.store(false, Ordering::Relaxed);
    let ill = server.ask("GET /healthz").await;
    assert_eq!(ill.status, 503);
    let json: serde_json::Value = serde_json::from_slice(&ill.body).unwrap();
    assert_eq!(json["status"], "degraded");
    assert_eq!(server.ask("GET /readyz").await.status, 503);
}

#[tokio::test]
async fn stopping_finishes_what_is_in_flight() {
    let mut server = Server::start().await;
    let mut busy = server.connect().await;
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while server.made("/slow") == 0 {
        tokio::task::yield_now().await;
    }
    let mut idle = server.connect().await;
    assert_eq!(idle.ask("GET /").await.status, 200);
    let mut silent = server.connect().await;
    server.stop();
    assert_eq!(idle.rest().await, "", "closed at once");
    assert_eq!(silent.rest().await, "", "closed at once");
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.served.is_finished());
    server.daemon.go.notify_one();
    assert_eq!(busy.reply(false).await.body, b"/slow");
    assert_eq!(busy.rest().await, "", "and then closed");
    server.served.await.unwrap();
}

#[tokio::test]
async fn stopping_has_a_deadline() {
    let mut server = Server::with(|it| it.drain = SHORT).await;
    let mut busy = server.connect().await;
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while server.made("/slow") == 0 {
        tokio::task::yield_now().await;
    }
    server.stop();
    server.served.await.unwrap();
    assert_eq!(busy.rest().await, "");
}

#[tokio::test]
async fn below_a_base_path() {
    let server = Server::with(|it| it.base_path = "/blog".into()).await;
    assert_eq!(server.ask("GET /blog/feed.atom").await.status, 200);
    assert_eq!(server.ask("GET /feed.atom").await.status, 404);
    let moved = server.ask("GET /blog/old").await;
    assert_eq!((moved.status, moved.field("location")), (301, Some("/blog/new")));
    let slash = server.ask("GET /blog").await;
    assert_eq!((slash.status, slash.field("location")), (308, Some("/blog/")));
}

#[tokio::test]
async fn http2_with_prior_knowledge() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = payload.len() as u8;
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    client.send("PRI * HTTP/2.0\r\n\r\n").await;
    client.send("SM\r\n\r\n").await;
    client.send(frame(4, 0, 0, &[])).await;
    // RFC 7541: GET, http, literal path and authority without indexing.
    let path = b"/feed.atom";
    let head = [&[0x82, 0x86, 0x04, path.len() as u8], &path[..], &[0x01, 1, b'a']].concat();
    client.send(frame(1, 0x5, 1, &head)).await;
    let mut status = None;
    let mut body = Vec::new();
    loop {
        while client.read.len() < 9 {
            assert!(client.more().await, "closed before the response was there");
        }
        let head: Vec<u8> = client.read.drain(..9).collect();
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        while client.read.len() < length {
            assert!(client.more().await, "closed within a frame");
        }
        let payload: Vec<u8> = client.read.drain(..length).collect();
        match head[3] {
            0 => body.extend(payload),
            1 => status = Some(payload[0]),
            _ => continue,
        }
        if head[4] & 1 == 1 {
            break;
        }
    }
    assert_eq!(status, Some(0x88), "RFC 7541, appendix A: `:status: 200`");
    assert_eq!(body, text().as_bytes());
}

#[tokio::test]
async fn http2_that_asks_for_nothing_is_cut() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.send([0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
    let pings = b"\0\0\x08\x06\0\0\0\0\x0012345678".repeat(100);
    let (mut reading, mut writing) = client.stream.split();
    let flood = async { while writing.write_all(&pings).await.is_ok() {} };
    let listen = async {
        let mut bytes = Vec::new();
        // Cut, perhaps with a reset.
        let _ = reading.read_to_end(&mut bytes).await;
        bytes.len()
    };
    let ((), got) = tokio::join!(flood, listen);
    assert!(got < 1 << 20, "{got} bytes of answers");
}

#[tokio::test]
async fn a_flood_of_unknown_paths_leaves_the_shelf_alone() {
    let server = Server::start().await;
    let before = server.daemon.shelf.cost();
    let answered = Arc::new(AtomicUsize::new(0));
    let mut floods = tokio::task::JoinSet::new();
    for part in 0..8 {
        let mut client = server.connect().await;
        let answered = Arc::clone(&answered);
        floods.spawn(async move {
            for number in 0..200 {
                let reply = client.ask(&format!("GET /unknown/{part}/{number}")).await;
                assert!(matches!(reply.status, 404 | 503), "{}", reply.status);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut client = server.connect().await;
    while answered.load(Ordering::Relaxed) < 1600 {
        assert_eq!(client.ask("GET /feed.atom").await.status, 200);
    }
    floods.join_all().await;
    assert_eq!(server.daemon.shelf.cost(), before);
}

/// On a paused clock, on which a connection is idle at once.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_as_it_was() {
    let server = Server::with(|it| it.requests = 4).await;
    let connect = |server: &Server| {
        let shared = server.server.now.load_full();
        let place = shared.lasting.crowd.enter(usize::MAX).unwrap();
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (stop, stopped) = watch::channel(Stop::Running);
        let arrival = Arrival { address: None, role: Role::Site, tls: None, place };
        (ours, stop, tokio::spawn(connection::serve(theirs, arrival, shared, stopped)))
    };
    async fn head(stream: &mut tokio::io::DuplexStream) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(bytes).unwrap()
    }
    const REQUEST: &[u8] = b"HEAD /feed.atom HTTP/1.1\r\nHost: a\r\n\r\n";
    let pause = || tokio::time::sleep(Duration::from_secs(5));

    let (mut stream, _stop, _served) = connect(&server);
    for wanted in ["whole", "in pieces", "two at once"] {
        let request = match wanted {
            "in pieces" => {
                stream.write_all(&REQUEST[..9]).await.unwrap();
                pause().await;
                &REQUEST[9..]
            }
            "two at once" => &[REQUEST, REQUEST].concat(),
            _ => REQUEST,
        };
        stream.write_all(request).await.unwrap();
        let answer = head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{wanted}: {answer}");
        assert!(!answer.contains("connection: close"), "{wanted}: {answer}");
        if wanted != "two at once" {
            pause().await;
        }
    }
    let answer = head(&mut stream).await;
    assert!(answer.contains("connection: close"), "its requests are counted on: {answer}");
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);

    let (mut stream, _stop, _served) = connect(&server);
    stream.write_all(REQUEST).await.unwrap();
    head(&mut stream).await;
    let since = tokio::time::Instant::now();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    assert!(since.elapsed() >= LONG, "as long as the time between requests is");
    assert!(since.elapsed() < LONG + Duration::from_secs(1), "and not longer");

    let (mut stream, stop, served) = connect(&server);
    stream.write_all(REQUEST).await.unwrap();
    head(&mut stream).await;
    pause().await;
    // What follows the whole request belongs to the next one.
    stream.write_all(&[REQUEST, &REQUEST[..9]].concat()).await.unwrap();
    head(&mut stream).await;
    pause().await;
    stream.write_all(&REQUEST[9..]).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200"));
    pause().await;
    stop.send_replace(Stop::Closing);
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    served.await.unwrap();

    let (mut stream, _stop, _served) = connect(&server);
    let slow = b"GET /slow-idle HTTP/1.1\r\nHost: a\r\n\r\n";
    let later = Arc::clone(&server.daemon);
    stream.write_all(slow).await.unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        later.go.notify_one();
    });
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "an answer in the making is waited for: {answer}");
}
