//! The server as those who run it know it: reload, restart, sockets of systemd.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::support::{Rig, story};

/// Serves on a listener that somebody else holds, as systemd hands it over
/// (sd_listen_fds(3)), but that it is standard input.
fn on(rig: &Rig, listener: &TcpListener) -> Command {
    let mut command = rig.command();
    command.env("LISTEN_FDS", "1").env("LISTEN_FDS_FIRST_FD", "0");
    command.stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())));
    command
}

/// Asks again and again on connections that are kept, as wrk does; ends where an answer
/// is missing or cut, with what was there of it.
fn ask_until(address: &str, is_over: &AtomicBool, answered: &AtomicU32) -> Result<(), String> {
    let told = |it: std::io::Error| it.to_string();
    while !is_over.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(address).map_err(told)?;
        loop {
            stream.write_all(b"HEAD /feed.atom HTTP/1.1\r\nHost: a\r\n\r\n").map_err(told)?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).map_err(told)? == 0 {
                    return Err(format!("closed after {:?}", String::from_utf8_lossy(&head)));
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            if !head.starts_with("HTTP/1.1 200 ") {
                return Err(head);
            }
            answered.fetch_add(1, Ordering::Relaxed);
            if head.contains("connection: close") || is_over.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    Ok(())
}

/// Streams that one connection of HTTP/2 asks on at once.
const STREAMS: u32 = 10;

/// The same over HTTP/2 with prior knowledge (RFC 9113), many streams at once. What the
/// server says that it did not look at (section 6.8) is asked again elsewhere.
fn ask_many_until(address: &str, is_over: &AtomicBool, answered: &AtomicU32) -> Result<(), String> {
    let told = |it: std::io::Error| it.to_string();
    while !is_over.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(address).map_err(told)?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").map_err(told)?;
        stream.write_all(&frame(4, 0, 0, b"")).map_err(told)?;
        let (mut next, mut is_leaving) = (1, false);
        while !is_leaving && !is_over.load(Ordering::Relaxed) {
            let mut open: Vec<u32> = (0..STREAMS).map(|it| next + 2 * it).collect();
            next += 2 * STREAMS;
            // HEAD, http, a path and an authority (RFC 7541, section 6 and appendix A).
            let fields = b"\x02\x04HEAD\x86\x04\x0a/feed.atom\x01\x01a";
            let all: Vec<u8> = open.iter().flat_map(|id| frame(1, 5, *id, fields)).collect();
            if let Err(error) = stream.write_all(&all) {
                // Told to leave, but that was not read yet.
                if leave(&mut stream).is_none() {
                    return Err(told(error));
                }
                break;
            }
            while !open.is_empty() {
                let mut head = [0; 9];
                stream.read_exact(&mut head).map_err(|it| format!("{open:?}: {it}"))?;
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
                let mut payload = vec![0; length as usize];
                stream.read_exact(&mut payload).map_err(told)?;
                match head[3] {
                    // 200 stands in the static table.
                    1 if payload.first() != Some(&0x88) => {
                        return Err(format!("not 200: {payload:02x?}"));
                    }
                    1 => {
                        open.retain(|it| *it != id);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    3 if payload != [0, 0, 0, 7] => return Err(format!("reset: {payload:?}")),
                    // REFUSED_STREAM: not looked at (section 8.7).
                    3 => open.retain(|it| *it != id),
                    7 => {
                        let last = u32::from_be_bytes(payload[..4].try_into().unwrap());
                        if payload[4..8] != [0; 4] {
                            return Err(format!("sent away: {payload:?}"));
                        }
                        open.retain(|it| *it <= last);
                        is_leaving = true;
                    }
                    4 if head[4] & 1 == 0 => {
                        stream.write_all(&frame(4, 1, 0, b"")).map_err(told)?;
                    }
                    6 if head[4] & 1 == 0 => {
                        stream.write_all(&frame(6, 1, 0, &payload)).map_err(told)?;
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Whether the server said that it leaves.
fn leave(stream: &mut TcpStream) -> Option<()> {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let mut at = 0;
    while let Some(head) = rest.get(at..at + 9) {
        if head[3] == 7 {
            return Some(());
        }
        at += 9 + u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    }
    None
}

/// RFC 9113, section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}

/// Reloads and restarts while readers of both versions ask on kept connections.
#[test]
fn reloads_and_restarts_on_a_socket_that_is_kept_lose_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut rig = Rig::with(&[("kim.txt", &story("Kim"))]);
    let file = rig.folder.path().join("sower.toml");
    rig.start_as(on(&rig, &listener));
    assert_eq!(rig.address, address);
    type Ask = fn(&str, &AtomicBool, &AtomicU32) -> Result<(), String>;
    let kinds: [Ask; 2] = [ask_until, ask_many_until];
    let is_over = Arc::new(AtomicBool::new(false));
    let counts = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|it| {
            let (is_over, answered) = (Arc::clone(&is_over), Arc::clone(&counts[it % 2]));
            let (address, ask) = (address.clone(), kinds[it % 2]);
            std::thread::spawn(move || ask(&address, &is_over, &answered))
        })
        .collect();
    for round in 0..3 {
        for is_restart in [false, true] {
            for count in &counts {
                let before = count.load(Ordering::Relaxed);
                let is_asked = |_: &Rig| count.load(Ordering::Relaxed) > before + 100;
                rig.until("some answers", |rig| {
                    is_asked(rig) || readers.iter().any(|it| it.is_finished())
                });
            }
            if is_restart {
                assert!(rig.stop().success());
                rig.start_as(on(&rig, &listener));
            } else {
                let text =
                    format!("[site]\ntitle = \"Title {round}\"\n[serve]\nmax_makes = 2{round}\n");
                fs::write(&file, text).unwrap();
                rig.hang_up();
                let title = format!("<title>Title {round}</title>");
                rig.until("the new title", |rig| rig.get("/feed.rss").text().contains(&title));
            }
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for reader in readers {
        assert_eq!(reader.join().unwrap(), Ok(()));
    }
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let mut rig = Rig::with(&[("kim.txt", &story("Kim"))]);
    let file = rig.folder.path().join("sower.toml");
    let requests = rig.folder.path().join("requests");
    fs::write(&file, "").unwrap();
    rig.start();
    let caching = |rig: &Rig| rig.get("/feed.atom").headers["cache-control"].clone();
    assert!(caching(&rig).starts_with("public"));
    let text = format!(
        "[cache]\nfeed = \"no-cache\"\n[log]\nlevel = \"debug\"\nformat = \"json\"\nrequests = \
         \"combined\"\nrequests_file = \"{}\"\n",
        requests.display()
    );
    fs::write(&file, text).unwrap();
    rig.hang_up();
    rig.until("the new value", |rig| caching(rig) == "no-cache");
    let restart = "changed, but only read at the start: log.format; restart Sower";
    rig.until("what has to wait", |rig| rig.log().contains(restart));
    rig.until("what has not", |rig| rig.log().contains("taken over: [cache], log.level"));
    rig.until("a line for a request", |_| {
        fs::read_to_string(&requests)
            .unwrap_or_default()
            .contains("\"GET /feed.atom HTTP/1.1\" 200 ")
    });
    TcpStream::connect(&rig.address).unwrap().write_all(b"X\r\n\r\n").unwrap();
    rig.until("a line of the new level", |rig| rig.log().contains("DEBUG"));

    fs::write(&file, "[cache]\nfed = \"x\"\n").unwrap();
    rig.hang_up();
    rig.until("what is wrong", |rig| rig.log().contains("did you mean `feed`?"));
    assert_eq!(caching(&rig), "no-cache", "as it was");
}

#[test]
fn a_hangup_takes_over_what_the_site_says_of_itself() {
    let mut rig = Rig::with(&[("kim.txt", &story("Kim")), ("news/lee.md", "# Lee\n\nA text.\n")]);
    let file = rig.folder.path().join("sower.toml");
    fs::write(&file, "[site]\ntitle = \"One\"\nbase_url = \"http://one.test\"\n").unwrap();
    let mut command = crate::support::program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--seeds"]).arg(rig.seeds());
    command.arg("--state").arg(rig.state()).current_dir(rig.folder.path());
    rig.start_as(command);
    rig.until("both articles", |rig| rig.feed("atom").len() == 2);
    let ids = |rig: &Rig| rig.feed("atom").into_keys().collect::<Vec<_>>();
    let (before, page) = (ids(&rig), rig.get("/kim"));
    let tag = rig.get("/feed.rss").headers["etag"].clone();
    assert!(page.text().contains("http://one.test/"), "{}", page.text());

    let text = "[site]\ntitle = \"Two\"\nbase_url = \"http://two.test/blog\"\n[feed]\nlimit = 1\n\
                [[feeds]]\nname = \"Lee\"\npath = \"lees\"\ntext = \"Lee\"\n[convert]\n\
                strip = [\"The second*\"]\n";
    fs::write(&file, text).unwrap();
    rig.hang_up();
    rig.until("the new title", |rig| {
        let answer = rig.get("/blog/feed.rss");
        answer.status == 200 && answer.text().contains("<title>Two</title>")
    });
    let feed = rig.get("/blog/feed.rss");
    assert!(feed.text().contains("<link>http://two.test/blog/kim</link>"), "{}", feed.text());
    assert!(!feed.text().contains("one.test"), "{}", feed.text());
    assert_ne!(feed.headers["etag"], tag);
    let page = rig.get("/blog/kim").text();
    assert!(page.contains("http://two.test/blog/") && !page.contains("one.test"), "{page}");
    let entries = crate::support::entries(&rig.get("/blog/feed.atom").body);
    assert_eq!(entries.into_keys().collect::<Vec<_>>(), before, "ids never change");
    rig.until("what is converted otherwise", |rig| {
        !rig.get("/blog/feed.json").text().contains("The second one says why")
    });
    let own = rig.get("/blog/lees/feed.json");
    assert_eq!((own.status, own.text().contains("\"Lee\"")), (200, true), "{}", own.text());
    let log = rig.log();
    assert!(log.contains("taken over: [site], [convert], [feed]"), "{log}");

    // Nothing is new: nothing is made anew.
    let tag = rig.get("/blog/feed.rss").headers["etag"].clone();
    rig.hang_up();
    rig.until("the end of it", |rig| rig.log().contains("no key has changed"));
    assert_eq!(rig.get("/blog/feed.rss").headers["etag"], tag);
    rig.write("new.txt", &story("New"));
    rig.until("news, as before", |rig| rig.get("/blog/new").status == 200);
}

#[test]
fn a_hangup_takes_over_how_the_folder_is_watched() {
    let mut rig = Rig::with(&[("kim.txt", &story("Kim"))]);
    let file = rig.folder.path().join("sower.toml");
    fs::write(&file, "").unwrap();
    rig.start();
    fs::write(&file, "[watch]\nmode = \"poll\"\npoll_interval = \"50ms\"\nsettle = \"1ms\"\n")
        .unwrap();
    rig.hang_up();
    rig.until("the new way", |rig| rig.log().contains("taken over: [watch]"));
    rig.write("lee.txt", &story("Lee"));
    rig.until_titles(&["Kim", "Lee"]);
    fs::remove_file(rig.seeds().join("kim.txt")).unwrap();
    rig.until_titles(&["Lee"]);
}

#[test]
fn a_hangup_opens_and_closes_listeners() {
    let mut rig = Rig::with(&[("kim.txt", &story("Kim"))]);
    let file = rig.folder.path().join("sower.toml");
    let at = |name: &str| rig.folder.path().join(name).display().to_string();
    let (socket, metrics, other) = (at("http"), at("metrics"), at("other"));
    let listen = |text: &str| fs::write(&file, text).unwrap();
    let base = "[site]\nbase_url = \"https://sower.test\"\n";
    listen(&format!("{base}[serve]\nlisten = [\"127.0.0.1:0\", \"unix:{socket}\"]\n"));
    let mut command = crate::support::program();
    command.args(["serve", "--seeds"]).arg(rig.seeds());
    command.arg("--state").arg(rig.state()).current_dir(rig.folder.path());
    rig.start_as(command);
    let ask = |path: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(path).ok()?;
        stream.write_all(b"HEAD /feed.json HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    rig.until("the second listener", |_| ask(&socket).is_some());
    // Who is in stays in, also where nobody is let in any more.
    let mut kept = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    let mut answer = [0; 12];
    kept.write_all(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    kept.read_exact(&mut answer).unwrap();

    let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/serve/tls/one");
    listen(&format!(
        "{base}[serve]\nlisten = [\"127.0.0.1:0\", \"unix:{other}\"]\n[metrics]\nlisten = \
         \"unix:{metrics}\"\n[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"{tls}.pem\"\nkey = \
         \"{tls}.key\"\n"
    ));
    rig.hang_up();
    rig.until("the third", |_| ask(&other).is_some());
    rig.until("the end of the second", |_| !std::path::Path::new(&socket).exists());
    rig.until("the one for metrics", |_| ask(&metrics).is_some_and(|it| it.contains(" 404 ")));
    assert!(rig.log().contains("listening on https://127.0.0.1:"), "{}", rig.log());
    assert_eq!(rig.get("/readyz").status, 200, "the first was open all the time");
    kept.write_all(b"HEAD /healthz HTTP/1.0\r\n\r\n").unwrap();
    let mut rest = String::new();
    kept.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\r\nHTTP/1.0 200 OK"), "{rest}");

    // A place that somebody else has: said, and all else goes on.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    listen(&format!("{base}[serve]\nlisten = [\"127.0.0.1:0\", \"{address}\"]\n"));
    rig.hang_up();
    rig.until("what is wrong", |rig| {
        rig.log().contains(&format!("cannot listen on {address}: Address already in use"))
    });
    rig.until("the end of the third", |_| ask(&other).is_none());
    assert_eq!(rig.get("/readyz").status, 200);
    // It is free now.
    drop(taken);
    rig.hang_up();
    rig.until("the fourth", |_| TcpStream::connect(address).is_ok());
    assert!(rig.stop().success());
}

#[test]
fn several_listeners_and_one_for_metrics() {
    let mut rig = Rig::with(&[("kim.txt", &story("Kim"))]);
    let socket = rig.folder.path().join("http");
    let private = rig.folder.path().join("metrics");
    let text = format!("[metrics]\nlisten = \"unix:{}\"\n", private.display());
    fs::write(rig.folder.path().join("sower.toml"), text).unwrap();
    let mut command = rig.command();
    command.args(["--listen", &format!("unix:{}", socket.display()), "--listen", "[::1]:0"]);
    rig.start_as(command);
    let ask = |path: &std::path::Path, target: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
        stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    rig.until("the last of its listeners", |_| private.exists());
    assert!(ask(&socket, "/feed.json").starts_with("HTTP/1.0 200 "));
    assert!(ask(&socket, "/metrics").starts_with("HTTP/1.0 404 "), "who asks is not known");
    let metrics = ask(&private, "/metrics");
    assert!(metrics.contains("\nsower_entries 1\n"), "{metrics}");
    assert!(ask(&private, "/feed.json").starts_with("HTTP/1.0 404 "));
    assert_eq!(rig.get("/readyz").status, 200);
    assert!(rig.stop().success());
    assert!(!socket.exists() && !private.exists());
}
