//! What is stated of an article, by whom and under which name: each name that a
//! generator uses is a row, and so is each place that may state it.

use jiff::tz::TimeZone;

use super::*;
use crate::convert::article::{Media, Source as Place};
use crate::convert::body::Target;
use crate::watch::seed::{Stat, Surroundings};

fn options() -> Options {
    Options {
        timezone: TimeZone::UTC,
        max_bytes: 1 << 20,
        published_folders: vec!["_posts".into()],
        strip: Vec::new(),
    }
}

fn seed(path: &str, text: &str) -> Seed {
    let stat = Stat { device: 0, inode: 0, birth: None, length: 0, modified: 0, changed: 0 };
    Seed {
        path: SeedPath::new(path).unwrap(),
        stat,
        bytes: text.into(),
        surroundings: Surroundings::default(),
    }
}

fn media(it: &Media) -> String {
    let place = match &it.source {
        Place::Elsewhere(url) => url.clone(),
        Place::Folder(reference) => match &reference.target {
            Target::Path(path) => path.to_string(),
            other => format!("{other:?}"),
        },
    };
    let title = it.title.iter().map(|it| format!(" ({it})"));
    let rest = [
        it.media_type.clone(),
        it.length.map(|it| it.to_string()),
        it.duration.map(|it| format!("{it} s")),
    ];
    let rest = rest.into_iter().flatten().map(|it| format!(" {it}"));
    place + &title.chain(rest).collect::<String>()
}

/// What an article says of itself under one of our own names.
fn says(article: &Article, what: &str) -> String {
    let date = |it: Option<jiff::Timestamp>| it.map(|it| it.to_string()).unwrap_or_default();
    let stated = &article.stated;
    match what {
        "title" => article.title.clone(),
        "subtitle" => article.subtitle.clone().unwrap_or_default(),
        "summary" => article.summary.clone(),
        "published" => date(stated.published),
        "updated" => date(stated.updated),
        "expires" => date(stated.expires),
        "tags" => article.tags.join("|"),
        "authors" => {
            let people = article.authors.iter().map(|it| {
                let rest = [&it.email, &it.uri].into_iter().flatten();
                it.name.clone() + &rest.map(|it| format!(" <{it}>")).collect::<String>()
            });
            people.collect::<Vec<_>>().join("|")
        }
        "language" => article.language.clone().unwrap_or_default(),
        "image" => article.image.as_ref().map(media).unwrap_or_default(),
        "enclosures" => article.enclosures.iter().map(media).collect::<Vec<_>>().join("|"),
        "link" => article.link.clone().unwrap_or_default(),
        "id" => stated.id.clone().unwrap_or_default(),
        "permalink" => stated.permalink.clone().unwrap_or_default(),
        "slug" => stated.slug.clone().unwrap_or_default(),
        "aliases" => stated.aliases.join("|"),
        "draft" => stated.draft.to_string(),
        "minor" => stated.minor.to_string(),
        key => article.extra.get(key).cloned().unwrap_or_default(),
    }
}

#[test]
fn names_that_generators_use() {
    const DAY: &str = "2024-01-02T00:00:00Z";
    const NEXT: &str = "2024-01-03T00:00:00Z";
    let table = [
        ("title: A", "title", "A", "everybody"),
        ("Title: A", "title", "A", "in any case"),
        ("headline: A", "title", "A", "news programs"),
        ("subtitle: A", "subtitle", "A", "Pelican, Jekyll themes"),
        ("tagline: A", "subtitle", "A", "Jekyll themes"),
        ("description: A", "summary", "A", "Jekyll, Hugo, Zola"),
        ("summary: A", "summary", "A", "Hugo, Pelican"),
        ("excerpt: A", "summary", "A", "Jekyll"),
        ("excerpt: A\nsummary: B", "summary", "B", "the summary proper is the stronger"),
        ("abstract: A", "summary", "A", "papers"),
        ("date: 2024-01-02", "published", DAY, "everybody"),
        ("pubDate: 2024-01-02", "published", DAY, "Astro"),
        ("published: 2024-01-02", "published", DAY, "Eleventy's themes"),
        ("publishDate: 2024-01-02", "published", DAY, "Hugo"),
        ("published_at: 2024-01-02", "published", DAY, "Ghost"),
        ("created: 2024-01-02", "published", DAY, "Obsidian"),
        ("date created: 2024-01-02", "published", DAY, "Obsidian, with a blank"),
        ("date: 2024-01-02\ncreated: 2023-01-01", "published", DAY, "the date proper"),
        ("updated: 2024-01-03", "updated", NEXT, "Zola"),
        ("lastmod: 2024-01-03", "updated", NEXT, "Hugo"),
        ("last_modified_at: 2024-01-03", "updated", NEXT, "Jekyll"),
        ("modified: 2024-01-03", "updated", NEXT, "Pelican"),
        ("date modified: 2024-01-03", "updated", NEXT, "Obsidian"),
        ("last-updated: 2024-01-03", "updated", NEXT, "with hyphens"),
        ("expiryDate: 2024-01-03", "expires", NEXT, "Hugo"),
        ("expires: 2024-01-03", "expires", NEXT, "our own"),
        ("tags: [a, b]", "tags", "a|b", "everybody"),
        ("tag: a", "tags", "a", "Jekyll"),
        ("categories: [a, b]", "tags", "a|b", "Jekyll, Hugo"),
        ("category: a b", "tags", "a b", "Pelican"),
        ("keywords: a, b", "tags", "a|b", "Hugo"),
        ("taxonomies: {tags: [a], categories: [b]}", "tags", "a|b", "Zola"),
        ("taxonomies.tags: [a]", "tags", "a", "Zola, as a dotted key"),
        ("author: Ann", "authors", "Ann", "a name"),
        ("authors: [Ann, Bob]", "authors", "Ann|Bob", "a list"),
        (
            "author: {name: Ann, email: a@e.org, url: \"https://e.org/a\"}",
            "authors",
            "Ann <a@e.org> <https://e.org/a>",
            "a table",
        ),
        ("author: Ann <a@e.org>", "authors", "Ann <a@e.org>", "as mail has it"),
        ("extra: {author: Ann}", "authors", "Ann", "Zola's themes"),
        ("lang: de", "language", "de", "Jekyll, Pelican"),
        ("language: pt_br", "language", "pt-BR", "themes"),
        ("locale: de", "language", "de", "WordPress's exports"),
        ("image: a.png", "image", "blog/a.png", "Jekyll"),
        ("cover: a.png", "image", "blog/a.png", "Hugo's themes"),
        ("cover: {image: a.png, alt: x}", "image", "blog/a.png (x)", "Hugo's themes, as a table"),
        ("banner: /a.png", "image", "a.png", "Obsidian; `/` is the seeds folder"),
        ("cover: \"[[a.png]]\"", "image", "blog/a.png", "Obsidian, as a wikilink"),
        ("images: [a.png, b.png]", "image", "blog/a.png", "Hugo: the first"),
        ("image: \"https://e.org/a.png\"", "image", "https://e.org/a.png", "elsewhere"),
        ("image: false\ncover: a.png", "image", "blog/a.png", "a switch of a theme's"),
        ("link: \"https://e.org/\"", "link", "https://e.org/", "Jekyll's link blogs"),
        ("external_url: \"https://e.org/\"", "link", "https://e.org/", "JSON Feed"),
        ("extra: {link_to: \"https://e.org/\"}", "link", "https://e.org/", "Zola's themes"),
        ("url: \"https://e.org/\"", "link", "https://e.org/", "an address elsewhere"),
        ("guid: a", "id", "a", "as it is"),
        ("id: \"tag:e.org,2024:a\"", "id", "tag:e.org,2024:a", "an absolute IRI"),
        ("id: 20240102", "id", "", "a note's number is none"),
        ("slug: a", "slug", "a", "Hugo, Zola, Pelican"),
        ("permalink: /a/b/", "permalink", "/a/b/", "Jekyll, Eleventy"),
        ("url: /a/b/", "permalink", "/a/b/", "Hugo"),
        ("path: a/b", "permalink", "/a/b", "Zola"),
        ("permalink: false", "permalink", "", "Eleventy: no page"),
        ("permalink: {build: /a/}", "permalink", "", "Eleventy's tables"),
        ("aliases: [/a, b/c]", "aliases", "/a|/b/c", "Hugo, Zola: paths"),
        ("redirect_from: /a", "aliases", "/a", "Jekyll"),
        ("aliases: [A Name]", "aliases", "", "Obsidian: other names of a note"),
        ("aliases: [\"https://e.org/a\", ../a/b]", "aliases", "", "nothing beyond the site"),
        ("draft: true", "draft", "true", "Hugo, Zola"),
        ("published: false", "draft", "true", "Jekyll"),
        ("status: draft", "draft", "true", "Pelican"),
        ("publish: no", "draft", "true", "Obsidian"),
        ("minor: true", "minor", "true", "our own"),
        (
            "enclosure: {url: a.mp3, length: 12, type: audio/mpeg, duration: \"1:02\"}",
            "enclosures",
            "blog/a.mp3 audio/mpeg 12 62 s",
            "podcasts",
        ),
        ("attachments: [a.pdf, b.pdf]", "enclosures", "blog/a.pdf|blog/b.pdf", "a list of files"),
        ("audio: a.mp3", "enclosures", "blog/a.mp3", "podcasts"),
        (
            "audio: a.mp3\nattachments: [a.pdf, a.mp3]",
            "enclosures",
            "blog/a.pdf|blog/a.mp3",
            "all that are named, each once",
        ),
        ("weight: 10", "weight", "10", "what we do not know is kept"),
        ("params: {a: [1, b]}", "params", "{\"a\":[1,\"b\"]}", "with all that is in it"),
    ];
    for (yaml, what, expected, why) in table {
        let seed = seed("blog/kim.md", &format!("---\n{yaml}\n---\nText.\n"));
        let article = convert(&seed, &options()).unwrap_or_else(|it| panic!("{yaml}: {it}"));
        assert_eq!(says(&article, what), expected, "`{yaml}`: {why}");
    }
}

#[test]
fn the_same_in_all_formats() {
    let texts = [
        "---\ntitle: A\ndate: 2024-01-02\ntags: [a, b]\nauthor: {name: Ann}\n---\nText.\n",
        "+++\ntitle = \"A\"\ndate = 2024-01-02\ntags = [\"a\", \"b\"]\n[author]\nname = \"Ann\"\n+++\nText.\n",
        "{\n\"title\": \"A\", \"date\": \"2024-01-02\", \"tags\": [\"a\", \"b\"],\n\"author\": {\"name\": \"Ann\"}\n}\nText.\n",
        "Title: A\nDate: 2024-01-02\nTags: a, b\nAuthor: Ann\n\nText.\n",
        "title: A\ndate: 2024-01-02\ntags:\n- a\n- b\nauthor: Ann\n---\nText.\n",
    ];
    for text in texts {
        for path in ["blog/kim.md", "blog/kim.txt"] {
            let article = convert(&seed(path, text), &options()).unwrap();
            let all = ["title", "published", "tags", "authors", "summary"];
            let found = all.map(|it| says(&article, it));
            assert_eq!(found, ["A", "2024-01-02T00:00:00Z", "a|b", "Ann", "Text."], "{text}");
        }
    }
}

/// Front matter, sidecar, the document's own properties, `folder.toml`, headers, the
/// file's name: the first that states it wins.
#[test]
fn who_states_it_first_wins() {
    let page = "<!DOCTYPE html><title>Page</title><meta name=author content=Page>\
        <meta name=date content=2024-01-03><p>Text enough to be an article.";
    let with_front = format!("---\nauthor: Front\n---\n{page}");
    let folder = Some("author = \"Folder\"\ntitle = \"Not each article's\"");
    let beside = Some("author = \"Beside\"\ntitle = \"Beside\"\ndate = 2024-01-02");
    let headers = "Title: Headers\nAuthor: Headers\nDate: 2024-01-04\n\nText.";
    type Row<'r> = (&'r str, &'r str, Option<&'r str>, Option<&'r str>, [&'r str; 3], &'r str);
    let table: [Row<'_>; 8] = [
        ("kim.html", &with_front, beside, folder, ["Beside", "Front", "2"], "front matter"),
        ("kim.html", page, beside, folder, ["Beside", "Beside", "2"], "then the sidecar"),
        ("kim.html", page, None, folder, ["Page", "Page", "3"], "then the page itself"),
        ("kim.txt", headers, beside, folder, ["Beside", "Beside", "2"], "sidecar, not headers"),
        ("kim.txt", headers, None, folder, ["Headers", "Folder", "4"], "the folder, not headers"),
        ("kim.txt", headers, None, None, ["Headers", "Headers", "4"], "headers"),
        ("2024-01-05 Kim.txt", headers, None, None, ["Headers", "Headers", "4"], "not the name"),
        ("2024-01-05-kim.md", "![](a.png)", None, None, ["Kim", "", "5"], "then the name"),
    ];
    for (path, text, sidecar, folder, [title, author, day], why) in table {
        let mut seed = seed(&format!("news/{path}"), text);
        seed.surroundings.sidecar = sidecar.map(Into::into);
        let defaults = folder.map(|it| (SeedPath::new("news/folder.toml").unwrap(), it.into()));
        seed.surroundings.folders = defaults.into_iter().collect();
        let article = convert(&seed, &options()).unwrap();
        let found = ["title", "authors", "published"].map(|it| says(&article, it));
        let date = format!("2024-01-0{day}T00:00:00Z");
        assert_eq!(found, [title, author, &date], "{path}: {why}");
    }
}

/// A headline that the sidecar overrules is text, not lost.
#[test]
fn what_a_sidecar_calls_otherwise_stays_in_the_text() {
    let mut seed = seed("kim.txt", "Kim goes\n\nKim went away in the morning, and nobody saw.\n");
    seed.surroundings.sidecar = Some(b"title = \"Beside\"".to_vec());
    let article = convert(&seed, &options()).unwrap();
    assert_eq!(article.title, "Beside");
    assert!(article.body.open_html().contains("Kim goes"), "{}", article.body.open_html());
}

#[test]
fn wrong_kinds_are_told_with_line_and_what_was_expected() {
    let table = [
        ("title: [a, b]", "expected text in `title`, found a list"),
        ("title: {a: b}", "expected text in `title`, found a table"),
        ("summary: [a, b]", "expected text in `summary`, found a list"),
        (
            "date: soon",
            "expected a date such as `2026-11-24` or `2026-11-24T09:00:00Z` in `date`, found `soon`",
        ),
        ("lastmod: {a: b}", "expected a date in `lastmod`, found a table"),
        (
            "expires: 3/4/2024",
            "expected a date such as `2026-11-24` or `2026-11-24T09:00:00Z` in `expires`, found `3/4/2024`",
        ),
        ("tags: [[a], {b: c}]", "expected a list of texts in `tags`, found a table"),
        ("author: 5", "expected a name, or a list of names in `author`, found a number"),
        ("draft: perhaps", "expected `true` or `false` in `draft`, found text"),
        ("draft: [true]", "expected `true` or `false` in `draft`, found a list"),
        ("minor: 7", "expected `true` or `false` in `minor`, found a number"),
        ("image: 5", "expected a path or URL in `image`, found a number"),
        ("cover: [[a.png]]", "expected a path or URL in `cover`, found a list"),
        (
            "enclosure: 5",
            "expected a path, a URL, or a table with one in `enclosure`, found a number",
        ),
        ("permalink: [/a]", "expected a path in `permalink`, found a list"),
        ("slug: {a: b}", "expected text in `slug`, found a table"),
        ("aliases: [{a: b}]", "expected a list of texts in `aliases`, found a table"),
        ("guid: [a, b]", "expected text in `guid`, found a list"),
        ("lang: [de, en]", "expected text in `lang`, found a list"),
    ];
    for (yaml, message) in table {
        let seed = seed("kim.md", &format!("---\nlayout: post\n{yaml}\n---\nText.\n"));
        let problem = convert(&seed, &options()).unwrap_err().at(&seed).to_string();
        assert_eq!(problem, format!("kim.md:3: {message}; this version is not published"));
    }
}

#[test]
fn front_matter_that_cannot_be_read_holds_the_article_back() {
    let table = [
        ("---\ntitle: a\ndraft: tr", 1, "never closed"),
        ("+++\ntitle = \"a\"\n", 1, "TOML, never closed"),
        ("{\n\"title\": \"a\",\n", 1, "JSON, never closed"),
        ("---\ntitle: \"a\ndraft: true\n---\nText.", 2, "YAML, a quote that never ends"),
        ("---\ntitle: a\n  draft: true\n---\nText.", 3, "YAML, indented by chance"),
        ("+++\ntitle = \"a\"\ndraft = yes\n+++\nText.", 3, "TOML"),
        ("{\n\"title\": \"a\"\n\"draft\": true\n}\nText.", 3, "JSON, a comma missing"),
        ("---js\nlet draft = true\n---\nText.", 1, "a language that nobody runs here"),
    ];
    for (text, line, why) in table {
        for path in ["kim.md", "kim.txt", "kim.html"] {
            let seed = seed(path, text);
            let problem = convert(&seed, &options()).expect_err(why).at(&seed);
            assert_eq!(problem.line, Some(line), "{path}: {why}: {problem}");
        }
    }
}
