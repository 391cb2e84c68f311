//! Feeds of the configuration on a real catalog.

use super::{Site, options};
use crate::catalog::Catalog;
use crate::catalog::chosen::{Chosen, Filter};
use crate::catalog::entry::Part;
use crate::catalog::scope::Scope;

fn chosen(tag: &str) -> Vec<Chosen> {
    let filter = Filter { tags: vec![tag.into()], ..Filter::default() };
    vec![Chosen { folder: "best".into(), label: "Best".into(), limit: Some(2), filter }]
}

impl Site {
    fn configure(&mut self, chosen: Vec<Chosen>) {
        let mut options = options();
        options.feeds.chosen = chosen;
        let (state, key) = (self.state.path(), "key".into());
        self.catalog = Catalog::open(state, key, options, self.now).unwrap();
    }

    fn tagged(&mut self, name: &str, tag: &str) {
        let text = format!("---\ntags: [{tag}]\n---\n# {name}\n\nA text of {name}.\n");
        match self.files.contains_key(name) {
            true => self.edit(name, &text),
            false => self.put(name, &text),
        }
        self.look(&[name]);
        // Two days, so that no document holds it for being new.
        self.pass(172_800);
    }

    /// Titles of the documents of the chosen feed, the last page first.
    fn best(&self) -> Vec<Vec<String>> {
        let mut reader = self.catalog.reader().unwrap();
        let mut pages = Vec::new();
        let mut part = Some(Part::Current);
        while let Some(now) = part {
            let Some(document) = reader.select(&best(), now).unwrap().0 else { break };
            pages.push(document.entries.into_iter().map(|it| it.article.title).collect());
            part = document.older.map(Part::Archive);
        }
        pages
    }
}

fn best() -> Scope {
    Scope::Folder("best".into())
}

#[test]
fn a_feed_begins_with_what_was_published_before() {
    let mut site = Site::new();
    for (name, tag) in [("a.md", "x"), ("b.md", "z"), ("c.md", "x"), ("d.md", "x")] {
        site.tagged(name, tag);
    }
    assert!(site.best().is_empty(), "no such feed");
    site.configure(chosen("x"));
    assert_eq!(site.best(), [vec!["d.md", "c.md"], vec!["d.md"], vec!["c.md", "a.md"]]);
    let label = site.document(&best(), Part::Current).label;
    assert_eq!(label, "Best");
    site.tagged("b.md", "x");
    assert_eq!(site.best()[0], ["d.md", "b.md"], "it joins now, and stands at its date");
    site.tagged("d.md", "z");
    assert_eq!(site.best()[0], ["c.md", "b.md"], "it leaves");
    let before = site.best();
    site.configure(chosen("x"));
    assert_eq!(site.best(), before, "nothing changes where the configuration does not");
}

#[test]
fn a_feed_that_chooses_otherwise_has_other_members() {
    let mut site = Site::new();
    site.configure(chosen("x"));
    assert_eq!(site.best(), [Vec::<String>::new()], "there from the first moment");
    site.tagged("a.md", "x");
    site.tagged("best/b.md", "z");
    assert_eq!(site.best(), [["a.md"]], "it takes the place of the folder");
    site.configure(chosen("z"));
    assert_eq!(site.best()[0], ["best/b.md"]);
    site.configure(Vec::new());
    assert_eq!(site.best()[0], ["best/b.md"], "the folder's own again");
}
