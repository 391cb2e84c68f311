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

#[test]
fn a_restart_on_a_socket_that_is_kept_loses_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut rig = Rig::with(&[("kim.txt", &story("Kim"))]);
    rig.start_as(on(&rig, &listener));
    assert_eq!(rig.address, address);
    let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (is_over, answered) = (Arc::clone(&is_over), Arc::clone(&answered));
            let address = address.clone();
            std::thread::spawn(move || ask_until(&address, &is_over, &answered))
        })
        .collect();
    for _ in 0..3 {
        let before = answered.load(Ordering::Relaxed);
        rig.until("some answers", |_| answered.load(Ordering::Relaxed) > before + 100);
        assert!(rig.stop().success());
        rig.start_as(on(&rig, &listener));
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
        "[site]\ntitle = \"Another\"\n[cache]\nfeed = \"no-cache\"\n[log]\nrequests = \
         \"combined\"\nrequests_file = \"{}\"\n",
        requests.display()
    );
    fs::write(&file, text).unwrap();
    rig.hang_up();
    rig.until("the new value", |rig| caching(rig) == "no-cache");
    let restart = "changed, but only read at the start: [site]; restart Sower";
    rig.until("what has to wait", |rig| rig.log().contains(restart));
    rig.until("a line for a request", |_| {
        fs::read_to_string(&requests)
            .unwrap_or_default()
            .contains("\"GET /feed.atom HTTP/1.1\" 200 ")
    });

    fs::write(&file, "[cache]\nfed = \"x\"\n").unwrap();
    rig.hang_up();
    rig.until("what is wrong", |rig| rig.log().contains("did you mean `feed`?"));
    assert_eq!(caching(&rig), "no-cache", "as it was");
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
