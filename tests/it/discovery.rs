//! How readers and programs find what there is: lists, pages that list, translations.

use crate::support::{Rig, story};

fn post(head: &str, title: &str) -> String {
    format!("---\n{head}\n---\n# {title}\n\nA text that says something about it.\n")
}

#[test]
fn lists_name_every_scope_and_page() {
    let rig = Rig::serving(&[
        ("one.txt", &story("One")),
        ("news/two.md", &post("tags: [Korea, C++]\ndate: 2024-02-03\nauthor: Ann Lee", "Two")),
        ("news/korea/three.md", &post("tags: [korea]\ndate: 2024-02-09", "Three")),
    ]);
    let opml = rig.get("/opml.xml");
    assert_eq!(opml.status, 200);
    let text = opml.text();
    let tree = roxmltree::Document::parse(&text).unwrap();
    let feeds: Vec<&str> = tree.descendants().filter_map(|it| it.attribute("xmlUrl")).collect();
    for path in [
        "/feed.rss",
        "/news/feed.rss",
        "/news/feed.only.rss",
        "/news/korea/feed.rss",
        "/tags/korea/feed.rss",
        "/tags/c%2B%2B/feed.rss",
        "/authors/ann-lee/feed.rss",
        "/languages/en/feed.rss",
    ] {
        assert!(feeds.contains(&format!("http://sower.test{path}").as_str()), "{path}: {feeds:?}");
    }
    for feed in &feeds {
        let path = feed.strip_prefix("http://sower.test").unwrap();
        assert_eq!(rig.get(path).status, 200, "{path}");
    }
    assert!(
        !feeds.iter().any(|it| it.contains("/korea/feed.only")),
        "the same as with those below"
    );
    let sitemap = rig.get("/sitemap.xml").text();
    for path in ["/", "/one", "/news/two", "/news/korea/three"] {
        assert!(sitemap.contains(&format!("<loc>http://sower.test{path}</loc>")), "{sitemap}");
    }
    assert!(rig.get("/robots.txt").text().contains("Sitemap: http://sower.test/sitemap.xml"));
    assert_eq!(rig.get("/favicon.ico").headers["content-type"], "image/x-icon");
    let table = [
        ("/archives/", "2024"),
        ("/archives/2024/", "/news/two"),
        ("/archives/2024/02/", "/news/korea/three"),
        ("/archives/2024/02/03/", "/news/two"),
        ("/tags/", "/tags/c%2B%2B/"),
        ("/authors/", "/authors/ann-lee/"),
        ("/tags/korea/", "/news/two"),
        ("/authors/ann-lee/", "/news/two"),
        ("/news/", "/news/korea/"),
    ];
    for (path, holds) in table {
        let page = rig.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains(holds), "{path} leads to {holds}:\n{}", page.text());
        let has = page.text().contains("type=\"application/atom+xml\"");
        assert!(has, "{path} has autodiscovery");
    }
    assert_eq!(rig.get("/archives/2023/").status, 404);
    for path in ["/news", "/tags/korea"] {
        let answer = rig.get(path);
        assert_eq!((answer.status, &*answer.headers["location"]), (301, &*format!("{path}/")));
    }
}

#[test]
fn lists_follow_what_happens() {
    let rig = Rig::serving(&[("old/a.md", &post("date: 2024-02-03\ntags: [x]", "A"))]);
    assert!(rig.get("/archives/2024/").text().contains("/old/a"));
    assert!(!rig.get("/opml.xml").text().contains("/tags/new/"));
    rig.write("b.md", &post("date: 2024-03-01\ntags: [new]", "B"));
    rig.until("the year", |it| it.get("/archives/2024/").text().contains("/b\""));
    rig.until("the list of feeds", |it| it.get("/opml.xml").text().contains("/tags/new/"));
    rig.until("the tags", |it| it.get("/tags/").text().contains("/tags/new/"));
    rig.until("the map", |it| it.get("/sitemap.xml").text().contains("/b<"));
    rig.write("b.md", &post("date: 2023-03-01\ntags: [new]", "B"));
    rig.until("the move", |it| !it.get("/archives/2024/").text().contains("/b\""));
    rig.until("the other year", |it| it.get("/archives/2023/").text().contains("/b\""));
}

#[test]
fn translations_link_each_other() {
    let rig = Rig::serving(&[
        ("kim.md", &post("lang: en", "Kim")),
        ("other/lee.md", &post("lang: en\ntranslation_key: lee", "Lee")),
    ]);
    assert!(!rig.get("/kim").text().contains("hreflang"));
    rig.write("kim.ko.md", "---\nlang: ko\n---\n# 킴\n\n이야기가 여기에 있습니다.\n");
    rig.write("lee-de.md", &post("lang: de\ntranslation_key: lee", "Lee auf Deutsch"));
    let link = |language: &str, path: &str| {
        format!("<link rel=\"alternate\" hreflang=\"{language}\" href=\"http://sower.test{path}\">")
    };
    let table = [
        ("/kim", "ko", "/kim.ko"),
        ("/kim.ko", "en", "/kim"),
        ("/other/lee", "de", "/lee-de"),
        ("/lee-de", "en", "/other/lee"),
    ];
    for (page, language, path) in table {
        rig.until(page, |it| it.get(page).text().contains(&link(language, path)));
        // A page that is made on request may be ahead of the feeds by a moment.
        let hreflang = format!("hreflang=\"{language}\"");
        rig.until(&hreflang, |it| it.get("/feed.atom").text().contains(&hreflang));
    }
    std::fs::remove_file(rig.seeds().join("kim.ko.md")).unwrap();
    rig.until("the link to go", |it| !it.get("/kim").text().contains("hreflang"));
}
