//! A theme's folder is looked at while Sower runs.

use std::fs;

use crate::support::{Answer, Rig, program, story};

/// Like an editor: the folder is made where it is not there.
fn put(rig: &Rig, name: &str, text: &str) {
    let folder = rig.folder.path().join("theme");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

fn problems(rig: &Rig) -> u64 {
    let health: serde_json::Value = serde_json::from_slice(&rig.get("/healthz").body).unwrap();
    health["problems"].as_u64().unwrap()
}

fn status(rig: &Rig) -> String {
    let mut command = program();
    command.arg("status").arg("--seeds").arg(rig.seeds()).arg("--state").arg(rig.state());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

fn again(rig: &Rig, path: &str, before: &Answer) -> u16 {
    let tag = &before.headers["etag"];
    rig.ask(&format!(
        "GET {path} HTTP/1.1\r\nHost: sower.test\r\nIf-None-Match: {tag}\r\n\
         Connection: close\r\n\r\n"
    ))
    .status
}

#[test]
fn a_theme_that_changes_changes_pages_and_no_feed() {
    let mut rig = Rig::with(&[("one.txt", &story("One"))]);
    put(&rig, "page.html", "<!DOCTYPE html><p>first look</p>{{ body }}");
    let mut command = rig.command();
    command.env("SOWER_THEME", "theme");
    rig.start_as(command);
    let shows = |path: &str, text: &str| rig.get(path).text().contains(text);
    let (front, page, feed) = (rig.get("/"), rig.get("/one"), rig.get("/feed.atom"));
    for it in [&front, &page] {
        assert!(it.text().contains("first look"), "{}", it.text());
    }

    put(&rig, "page.html", "<!DOCTYPE html><p>second look</p>{{ body }}");
    for (path, before) in [("/", &front), ("/one", &page)] {
        rig.until("the second look", |_| shows(path, "second look"));
        assert_eq!(again(&rig, path, before), 200, "{path}: its bytes are others");
        let date = |it: &Answer| httpdate::parse_http_date(&it.headers["last-modified"]).unwrap();
        assert!(date(&rig.get(path)) >= date(before), "{path}: it never goes back");
    }
    assert_eq!(again(&rig, "/feed.atom", &feed), 304, "feeds have no look");

    put(&rig, "article.html", "<!DOCTYPE html>\n<p>\n{% if %}\n");
    rig.until("the problem", |it| problems(it) == 1);
    let told = status(&rig);
    assert!(told.contains("theme/article.html:3: "), "{told}");
    assert!(told.contains("the built-in page stands in"), "{told}");
    assert!(shows("/one", "second look"), "what has no template of its own is a page");

    put(&rig, "article.html", "<!DOCTYPE html>\n<p>third look</p>\n{{ item.titel.first }}\n");
    rig.until("the fault in use", |it| status(it).contains("theme/article.html:3: undefined"));
    rig.until("the built-in page", |_| shows("/one", "class=\"h-entry\""));
    assert!(!shows("/one", "third look"), "nothing of a template that failed");

    put(&rig, "article.html", "<!DOCTYPE html>\n<p>third look</p>\n{{ item.title }}\n");
    rig.until("the third look", |_| shows("/one", "third look"));
    assert_eq!(problems(&rig), 0);
    let last = rig.get("/one");

    rig.kill();
    let mut command = rig.command();
    command.env("SOWER_THEME", "theme");
    rig.start_as(command);
    assert_eq!(again(&rig, "/one", &last), 304);
    assert_eq!(rig.get("/one").headers["last-modified"], last.headers["last-modified"]);

    fs::remove_dir_all(rig.folder.path().join("theme")).unwrap();
    rig.until("the built-in look", |it| it.get("/").text().contains("class=\"h-feed\""));
    rig.until("the built-in look", |it| !it.get("/one").text().contains("third look"));
}
