//! What is served of a folder that holds one article and the files beside it.

use super::*;
use crate::watch::seed::File;

fn text(title: &str) -> String {
    format!("# {title}\n\nSome text of it.\n")
}

impl Site {
    fn file(&mut self, name: &str) -> Touched {
        self.inodes += 1;
        let stat = Stat {
            device: 1,
            inode: self.inodes,
            birth: None,
            length: 3,
            modified: 0,
            changed: self.inodes as i64,
        };
        let file = File { path: path(name), stat, media_type: "image/png".into(), size: None };
        self.catalog.apply(vec![Sighting::File(file)], self.now).unwrap()
    }

    fn serves(&self, name: &str) -> bool {
        matches!(self.at(&format!("/{name}")), Place::File { .. })
    }
}

#[test]
fn files_of_a_bundle_are_served_with_its_article() {
    let mut site = Site::new();
    site.file("trip/map.png");
    site.file("trip/more/day.png");
    site.file("other/map.png");
    assert!(!site.serves("trip/map.png"), "nothing is published there");
    site.put("trip/index.md", &text("A trip"));
    let touched = site.look(&["trip/index.md"]);
    for name in ["trip/map.png", "trip/more/day.png"] {
        assert!(site.serves(name), "{name}");
        assert!(touched.pages.contains(&format!("/{name}")), "{name} was asked for before");
    }
    assert!(!site.serves("other/map.png"));
    site.pass(60);
    let touched = site.file("trip/late.png");
    assert!(site.serves("trip/late.png") && touched.pages.contains("/trip/late.png"));
    site.write("trip/note.md", &text("A note"));
    site.pass(60);
    assert!(site.serves("trip/map.png"), "what it is stays");
    site.edit("trip/index.md", "---\ndraft: true\n---\nNot yet.\n");
    let touched = site.look(&["trip/index.md"]);
    assert!(!site.serves("trip/map.png"), "it is withdrawn");
    assert!(touched.pages.contains("/trip/map.png"));
}

#[test]
fn files_beside_an_index_with_other_seeds_are_not_served() {
    let mut site = Site::new();
    site.file("news/a.png");
    // In one batch, and one after the other.
    site.put("news/index.md", &text("News"));
    site.put("news/a.md", &text("A"));
    site.look(&["news/index.md", "news/a.md"]);
    assert!(!site.serves("news/a.png"));
    site.file("more/a.png");
    site.write("more/index.md", &text("More"));
    site.pass(1);
    site.put("more/a.md", &text("Another"));
    let touched = site.look(&["more/a.md"]);
    assert!(!site.serves("more/a.png"), "the folder was not quiet");
    assert!(touched.pages.contains("/more/a.png"));
    // The root is no bundle, and a folder below that has seeds is another's.
    site.file("root.png");
    site.write("index.md", &text("Root"));
    site.pass(60);
    assert!(!site.serves("root.png"));
    site.write("deep/index.md", &text("Deep"));
    site.pass(60);
    site.write("deep/down/a.md", &text("Down"));
    site.file("deep/down/a.png");
    assert!(!site.serves("deep/down/a.png"));
    for name in ["deep/.hidden.png", "deep/_draft.png"] {
        site.file(name);
        assert!(!site.serves(name), "{name}");
    }
}

#[test]
fn files_of_a_bundle_move_with_it() {
    let mut site = Site::new();
    site.file("trip/map.png");
    site.write("trip/index.md", &text("A trip"));
    site.pass(60);
    let id = site.id("/trip");
    site.rename("trip/index.md", "journey/index.md");
    site.look(&["trip/index.md", "journey/index.md"]);
    site.catalog.apply(vec![Sighting::Nothing(path("trip/map.png"))], site.now).unwrap();
    site.file("journey/map.png");
    site.pass(60);
    assert_eq!(site.id("/journey"), id);
    assert!(site.serves("journey/map.png"));
    assert!(!site.serves("trip/map.png"));
}
