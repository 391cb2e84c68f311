//! Seed to article, through the one public verb: each `NAME.md` and `NAME.html` under
//! `tests/cases` beside `NAME.expected`, and what must hold for any bytes.
//!
//! After a change that is meant, `BLESS=1 cargo test --test convert` writes the
//! expected files anew; read the difference before committing it.

#![allow(clippy::unwrap_used)]

#[path = "../fuzz/entries.rs"]
mod entries;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use entries::{any_article, check_article, options, seed};
use proptest::prelude::*;
use sower::convert::article::{Article, Media, Source};
use sower::convert::body::{Filled, Reference, Target};
use sower::convert::{Error, Options, convert, is_seed};
use sower::watch::seed::SeedPath;

fn article(path: &str, text: impl Into<Vec<u8>>) -> Article {
    convert(&seed(path, text), &options()).unwrap()
}

fn shown(reference: &Reference) -> Filled {
    Filled::Url { url: format!("{{{:?}{}}}", reference.target, reference.suffix), size: None }
}

fn html(article: &Article) -> String {
    article.body.fill("x-", shown).replace("\u{3}", "x-")
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it != "expected"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{}: no cases", folder.display());
    cases
}

fn check(folder: &str) {
    let mut failures = String::new();
    for case in cases(folder) {
        let name = case.file_name().unwrap().to_str().unwrap();
        let seed = seed(&format!("blog/{name}"), fs::read(&case).unwrap());
        let found = match convert(&seed, &options()) {
            Ok(article) => written(&article),
            Err(error) => format!("{}\n", error.at(&seed)),
        };
        let expected = case.with_extension("expected");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        if found != fs::read_to_string(&expected).unwrap_or_default() {
            write!(failures, "{folder}/{name}:\n{found}\n").unwrap();
        }
    }
    assert!(failures.is_empty(), "converted otherwise than expected:\n{failures}");
}

fn written(article: &Article) -> String {
    let mut out = format!("title: {}\n", article.title);
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            writeln!(out, "{name}: {value}").unwrap();
        }
    };
    let media = |it: &Media| {
        let place = match &it.source {
            Source::Folder(reference) => format!("{:?}{}", reference.target, reference.suffix),
            Source::Elsewhere(url) => url.clone(),
        };
        format!("{place} {:?} {:?} {:?} {:?}", it.title, it.media_type, it.length, it.duration)
    };
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(" | "));
    let stated = &article.stated;
    line("subtitle", article.subtitle.clone());
    line("summary", Some(article.summary.clone()).filter(|it| !it.is_empty()));
    for person in &article.authors {
        line("author", Some(format!("{} {:?} {:?}", person.name, person.uri, person.email)));
    }
    line("tags", list(&article.tags));
    line("language", article.language.clone());
    line("image", article.image.as_ref().map(media));
    for enclosure in &article.enclosures {
        line("enclosure", Some(media(enclosure)));
    }
    line("link", article.link.clone());
    line("words", Some(article.words.to_string()));
    line("id", stated.id.clone());
    line("permalink", stated.permalink.clone());
    line("slug", stated.slug.clone());
    line("aliases", list(&stated.aliases));
    line("published", stated.published.map(|it| it.to_string()));
    line("updated", stated.updated.map(|it| it.to_string()));
    line("expires", stated.expires.map(|it| it.to_string()));
    line("draft", stated.draft.then(|| "yes".into()));
    line("minor", stated.minor.then(|| "yes".into()));
    for (key, value) in &article.extra {
        line("extra", Some(format!("{key} = {value}")));
    }
    format!("{out}\n{}\n", html(article).trim_end())
}

#[test]
fn markdown() {
    check("markdown");
}

#[test]
fn html_pages() {
    check("html");
}

#[test]
fn front_matter() {
    check("front_matter");
}

#[test]
fn which_files_are_seeds() {
    for name in ["a.txt", "a.md", "a.MARKDOWN", "b/c.html", "d.htm", "e.xhtml"] {
        assert!(is_seed(&SeedPath::new(name).unwrap()), "{name}");
    }
    for name in
        ["robots.txt", "a/Robots.TXT", "a.png", "a.toml", "md", ".md", "a.md.bak", "a", "a.docx"]
    {
        assert!(!is_seed(&SeedPath::new(name).unwrap()), "{name}");
    }
}

/// The first that states it wins: front matter, sidecar, folders from the nearest.
#[test]
fn surroundings_state_what_the_document_does_not() {
    let mut seed = seed("news/kim.md", "---\ntitle: Own\n---\nThe text.\n");
    seed.surroundings.sidecar = Some(b"title = \"Beside\"\ntags = [\"beside\"]\n".to_vec());
    let folder = |path: &str, text: &str| (SeedPath::new(path).unwrap(), text.as_bytes().to_vec());
    seed.surroundings.folders = vec![
        folder("folder.toml", "author = \"Root\"\nlang = \"de\"\ntitle = \"Not each article's\""),
        folder("news/folder.toml", "author = \"News\"\ntags = [\"folder\"]\nimage = \"logo.png\""),
    ];
    let article = convert(&seed, &options()).unwrap();
    assert_eq!(article.title, "Own");
    assert_eq!(article.tags, ["beside"]);
    assert_eq!(article.authors[0].name, "News");
    assert_eq!(article.language.as_deref(), Some("de"));
    let logo = Source::Folder(Reference {
        target: Target::Path(SeedPath::new("news/logo.png").unwrap()),
        suffix: String::new(),
    });
    assert_eq!(article.image.unwrap().source, logo, "from the folder that states it");
}

#[test]
fn a_draft_is_one_whoever_says_so() {
    let says = |path: &str, text: &str| article(path, text).stated.draft;
    let table = [
        ("kim.md", "Text.", false, "nobody"),
        ("kim.md", "---\ndraft: true\n---\nText.", true, "front matter"),
        ("kim.md", "---\npublished: false\n---\nText.", true, "as Jekyll says it"),
        ("kim.md", "---\nstatus: draft\n---\nText.", true, "as Pelican says it"),
        ("kim.md", "---\npublish: no\n---\nText.", true, "as Obsidian says it"),
        ("kim.md", "---\npublished: true\n---\nText.", false, "not a date either"),
        ("kim.md", "---\ndraft: true\ndraft: false\n---\nText.", true, "twice: the safe one"),
        ("_kim.md", "---\ndraft: false\n---\nText.", true, "the file's name"),
        ("drafts/kim.md", "Text.", true, "a folder of drafts"),
        ("_posts/kim.md", "Text.", false, "a published folder"),
        ("_old/kim.txt", "Text.", true, "a folder with a leading `_`"),
    ];
    for (path, text, is_draft, why) in table {
        assert_eq!(says(path, text), is_draft, "{path}: {why}");
    }
    let mut beside = seed("kim.md", "---\ndraft: false\n---\nText.");
    beside.surroundings.sidecar = Some(b"draft = true".to_vec());
    assert!(convert(&beside, &options()).unwrap().stated.draft, "the sidecar");
    beside.surroundings.sidecar = None;
    beside.surroundings.folders =
        vec![(SeedPath::new("folder.toml").unwrap(), b"draft = true".to_vec())];
    assert!(convert(&beside, &options()).unwrap().stated.draft, "the folder");
}

#[test]
fn titles_come_from_the_first_that_has_one() {
    let table = [
        ("a.md", "---\ntitle: Stated\n---\n# Heading\n\nText.", "Stated", "stated"),
        ("a.md", "# Heading *one*\n\nText.", "Heading one", "the heading at the start"),
        ("a.md", "Text before.\n\n## Heading\n", "Heading", "the first heading"),
        (
            "a.md",
            "---\ntitle: \"\"\n---\nA sentence. More.",
            "A sentence.",
            "empty: the first sentence",
        ),
        ("on-cats.md", "![](cat.png)", "On cats", "the file's name"),
        ("2024-01-02-on-cats.md", "![](cat.png)", "On cats", "without its date"),
        (
            "a.txt",
            "News of the day\n\nThis happened, and it took long to tell.\nIt did.",
            "News of the day",
            "a headline",
        ),
        ("a.html", "<h1>Head</h1><p>Text.</p>", "Head", "HTML's heading"),
        ("a.md", "## ![](cat.png)\n\nA cat.", "A cat.", "a heading without text is passed over"),
        ("a.md", "# <div><h1>x</h1>\n\ny", "x", "a heading within a heading"),
        ("a.md", "---\ntitle: 2024\n---\nText.", "2024", "a number is a title"),
        ("a.md", "---\ntitle: A &amp; <em>B</em> <C>\n---\nText.", "A & B", "markup in titles"),
    ];
    for (path, text, title, why) in table {
        assert_eq!(article(path, text).title, title, "{why}");
    }
    assert!(!html(&article("a.md", "---\ntitle: Same\n---\n# Same\n\nText.")).contains("Same"));
    assert!(
        html(&article("a.md", "---\ntitle: One\n---\n# Other\n\nText."))
            .contains("<h2 id=\"x-other\">Other</h2>")
    );
}

#[test]
fn messages() {
    let at = |path: &str, text: &[u8]| {
        let seed = seed(path, text);
        convert(&seed, &Options { max_bytes: 40, ..options() }).unwrap_err().at(&seed).to_string()
    };
    let table: [(&str, &[u8], &str); 4] = [
        (
            "a.png",
            b"x",
            "a.png: expected a text, Markdown or HTML file, found `.png`; this version is not published",
        ),
        (
            "a.md",
            &[b'x'; 41],
            "a.md: expected at most 40 bytes, found 41; this version is not published",
        ),
        (
            "a.md",
            b" \n\n ",
            "a.md: expected an article, found no text, picture, enclosure or link; this version is not published",
        ),
        (
            "a.md",
            b"---\ntitle: a\ntags: [[b: c]]\ntop: x",
            "a.md:1: front matter opens with `---` and is never closed; this version is not published",
        ),
    ];
    for (path, text, message) in table {
        assert_eq!(at(path, text), message);
    }
    let mut beside = seed("news/kim.md", "Text.");
    beside.surroundings.sidecar = Some(b"title = \"a\"\ndate = \"soon\"\n".to_vec());
    let problem = convert(&beside, &options()).unwrap_err().at(&beside);
    assert_eq!(
        problem.to_string(),
        "news/kim.md: expected a date such as `2026-11-24` or `2026-11-24T09:00:00Z` in `date`, \
         found `soon` (in `news/kim.toml`, line 2); this version is not published"
    );
}

#[test]
fn empty_seeds_are_no_articles() {
    for (path, text) in [
        ("a.md", ""),
        ("a.txt", "\n \n"),
        ("a.html", "<p> </p><!-- x -->"),
        ("a.md", "---\ntitle: a\n---\n"),
        ("a.md", "<!-- later -->"),
        ("a.html", "<html><head><title>a</title></head><body></body></html>"),
        ("a.txt", "\u{FEFF}"),
        ("a.txt", "\u{7F}"),
        ("a.md", "&#1;"),
        ("a.html", "<p>&#127;</p>"),
    ] {
        assert_eq!(convert(&seed(path, text), &options()), Err(Error::Empty), "{text:?}");
    }
    for (path, text) in [
        ("a.md", "![](a.png)"),
        ("a.md", "---\ntitle: a\nlink: https://example.org\n---\n"),
        ("a.md", "---\nenclosure: a.mp3\n---\n"),
        ("a.txt", "x"),
    ] {
        assert!(convert(&seed(path, text), &options()).is_ok(), "{text:?}");
    }
}

/// Promise 1: what XML 1.0 forbids is in no text of an article, however it came in.
#[test]
fn promise_1_no_forbidden_characters() {
    let texts = [
        "a\u{1}b\u{2}c\u{3}d\u{4}e\u{0}f\u{FFFE}g",
        "a&#1;b&#x2;c&#3;d&#x4;e&#0;f&#xFFFE;g&#xFFFF;",
        "# &#1;head\n\n[li&#2;nk](&#1;a&#3;.md \"ti&#3;tle\") ![al&#1;t](b&#2;.png) <b title=\"&#1;\">x</b>",
        "---\ntitle: \"a\\x01b\"\ntags: [\"\\x02\"]\nsummary: \"&#1;\"\nother: \"\\x03\"\n---\nx `&#1;` <i>&#1;</i>",
        "[[a&#1;]] {{< figure src=\"a&#1;.png\" caption=\"&#2;\" >}}",
    ];
    for path in ["a.md", "a.html", "a.txt"] {
        for text in texts {
            if let Ok(article) = convert(&seed(path, text), &options()) {
                check_article(&article);
            }
        }
    }
}

/// Pieces that meet each other badly.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "---\n",
        "+++\n",
        "{",
        "}",
        "title: x\n",
        "draft: true\n",
        "# ",
        "> ",
        "- ",
        "1. ",
        "    ",
        "\n",
        "\n\n",
        "```",
        "`",
        "*",
        "**",
        "_",
        "~~",
        "[",
        "](",
        ")",
        "![",
        "[^1]",
        "[^1]: n\n",
        "|",
        "|-|-|\n",
        "<div>",
        "</div>",
        "<p>",
        "<a href=\"x.md\">",
        "</a>",
        "<b",
        "<!--",
        "-->",
        "<!--more-->",
        "<table><tr><td>",
        "<script>",
        "</script>",
        "<svg>",
        "<iframe src=\"https://x.y/\">",
        "{{",
        "}}",
        "{%",
        "%}",
        "{% if a %}",
        "{% endif %}",
        "{% for x in y %}",
        "{% endfor %}",
        "{{< figure src=\"a.png\" >}}",
        "{{% x %}}",
        "{{% /x %}}",
        "{% raw %}",
        "{% highlight a %}",
        "{% endhighlight %}",
        "[[",
        "]]",
        "[[a|b]]",
        "$",
        "$$",
        "%%",
        "==",
        ":::",
        "&#1;",
        "&#xFFFE;",
        "&amp;",
        "&",
        "<",
        ">",
        "\"",
        "'",
        "\\",
        "\u{1}",
        "\u{2}",
        "\u{3}",
        "\u{4}",
        "é",
        "한",
        "🎉",
        "https://e.org/a",
        "<img src=a data-src=b>",
        "<h1>x</h1>",
        "<title>",
        "<body>",
        "<html>",
        "<article>",
        "{: .a}",
        "{::comment}",
        "<details>",
        "<select>",
        "<template>",
        "<math><mi>",
        "<style>",
        "<textarea>",
        "<noscript>",
        "<frameset>",
        "<plaintext>",
        "<li>",
        "<a name=x>",
        "<input type=checkbox>",
    ];
    prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
        1 => "[a-z ]{1,12}",
    ]
}

proptest! {
    // The pieces are printed; no file of them beside the tests.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_1_any_bytes_give_an_article_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        extension in prop::sample::select(vec!["md", "txt", "html"]),
    ) {
        any_article(&format!("a/b.{extension}"), &bytes);
    }

    #[test]
    fn promise_1_any_markup_gives_an_article_or_an_error(
        pieces in prop::collection::vec(piece(), 0..60),
        extension in prop::sample::select(vec!["md", "txt", "html"]),
    ) {
        any_article(&format!("a/b.{extension}"), pieces.concat().as_bytes());
    }
}

/// The corpora of the fuzz targets, through the same functions.
#[test]
fn corpora_of_the_fuzz_targets() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, entry) in entries::ENTRIES {
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name}: no target");
        let mut files = 0;
        for file in fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
            let path = file.unwrap().path();
            // Shown where a panic follows.
            eprintln!("{}", path.display());
            entry(&fs::read(&path).unwrap());
            files += 1;
        }
        assert!(files >= 5, "{name}: {files} files");
    }
}

/// Each ends, as a problem with path, line and reason, or as an article.
#[test]
fn hostile_seeds_end() {
    let deep_list: String = (0..2_000).map(|it| format!("{}- x\n", "  ".repeat(it))).collect();
    let aliases: String = (1..=12)
        .map(|it| format!("a{it}: &a{it} [{}]\n", vec![format!("*a{}", it - 1); 9].join(", ")))
        .collect();
    let tags = (0..10_000).map(|it| format!("t{it}")).collect::<Vec<_>>().join(", ");
    let deep =
        "a.md:1: expected at most 100 quotations, lists and marks in one another, found more";
    let marks = |what: &str, limit: u32, found: u32| {
        format!("expected a text with at most {limit} {what}, found {found}")
    };
    let fields = |format: &str, found: usize| {
        format!("a.{format}:1: expected at most 65536 bytes in `front matter`, found {found}")
    };
    let table: Vec<(&str, String, Option<String>, &str)> = vec![
        ("a.md", ">".repeat(200_000), Some(deep.into()), "quotations on one line"),
        ("a.md", format!("{}x", "- ".repeat(200_000)), Some(deep.into()), "lists on one line"),
        ("a.md", deep_list, Some(deep.replace(":1:", ":49:")), "lists below one another"),
        ("a.md", "[".repeat(600_000), None, "brackets that never close"),
        ("a.md", "![[".repeat(200_000), None, "wikilinks that never close"),
        ("a.md", "*a _b ".repeat(100_000), None, "emphasis that never closes"),
        ("a.md", "`a ``b ".repeat(90_000), None, "code that never closes"),
        ("a.md", "$a $$b ".repeat(90_000), None, "mathematics that never closes"),
        ("a.md", "](a b ".repeat(200_000), None, "addresses that never close"),
        (
            "a.md",
            "[^a]".repeat(400_000),
            Some(format!("a.md: {}", marks("marks", 700_000, 800_000))),
            "more marks than anybody types",
        ),
        (
            "a.md",
            format!("{}\n\n[^a]: b\n", "[^a] ".repeat(30_000)),
            Some("a.md: expected a text that grows to at most 3000180 bytes of HTML".into()),
            "a note that is named often",
        ),
        ("a.md", "{% if a %}".repeat(200_000), None, "blocks of templates in one another"),
        ("a.md", "{% highlight a %}".repeat(100_000), None, "code of templates"),
        ("a.md", "{{< a >}}{{% b %}}".repeat(50_000), None, "shortcodes that never close"),
        ("a.md", "{{ a".repeat(300_000), None, "outputs that never close"),
        ("a.md", "{# a".repeat(300_000), None, "comments that never close"),
        ("a.md", "<!-- a".repeat(300_000), None, "comments of HTML that never close"),
        ("a.md", "<a ".repeat(300_000), None, "tags that never close"),
        ("a.md", "|".repeat(600_000), None, "a table of one row"),
        ("a.md", format!("|{}\n|{}\n", "a|".repeat(9_000), "-|".repeat(9_000)), None, "wide"),
        (
            "a.md",
            format!("---\na0: &a0 [x, x]\n{aliases}title: *a12\n---\nText.\n"),
            Some("a.md:".into()),
            "aliases of aliases",
        ),
        (
            "a.md",
            format!("---\ntitle: a\nx: {}\n---\nText.\n", "[".repeat(10_000)),
            Some("a.md:".into()),
            "lists in lists",
        ),
        (
            "a.md",
            format!("---\ntitle: a\ntags: [{tags}]\n---\nText.\n"),
            Some(fields("md", 68_906)),
            "ten thousand tags",
        ),
        (
            "a.md",
            format!("---\ntitle: a\ntags: [{}]\n---\nText.\n", "a, ".repeat(10_000)),
            Some("a.md:3: expected at most 500 values in `tags`, found 10000".into()),
            "ten thousand short ones",
        ),
        (
            "a.md",
            format!("---\ntitle: {}\n---\nText.\n", "a".repeat(1_000_000)),
            Some(fields("md", 1_000_008)),
            "a title of a megabyte",
        ),
        (
            "a.html",
            format!("+++\ntitle = \"{}\"\n+++\nText.\n", "a".repeat(1_000_000)),
            Some(fields("html", 1_000_011)),
            "the same in TOML",
        ),
        (
            "a.md",
            format!("---\ntitle: {}\n---\nText.\n", "a".repeat(3_000)),
            Some("a.md:2: expected at most 2000 characters in `title`, found 3000".into()),
            "a title of a page",
        ),
        ("a.html", "<div>".repeat(500_000), Some("a.html: expected an article".into()), "boxes"),
        ("a.html", format!("{}x", "<b><p>".repeat(250_000)), None, "marks that never close"),
        ("a.html", format!("x{}", "<table><tr><td>".repeat(30_000)), None, "tables in tables"),
        ("a.html", "<a href=x>y".repeat(100_000), None, "links that never close"),
        ("a.html", format!("x{}", "</p>".repeat(500_000)), None, "ends without a start"),
        (
            "a.html",
            "<p>".repeat(700_000),
            Some(format!("a.html: {}", marks("tags", 600_000, 700_000))),
            "more tags than memory is meant for",
        ),
        ("a.html", format!("<p {}>x", "a=1 ".repeat(500_000)), None, "attributes"),
        ("a.html", "&amp;".repeat(1_000_000), None, "references"),
        ("a.html", format!("<!DOCTYPE html>{}x", "<!--".repeat(500_000)), None, "comments"),
        ("a.txt", "a".repeat(8_000_000), None, "a line of eight megabytes"),
        ("a.md", "a".repeat(8_000_000), None, "the same in Markdown"),
        ("a.html", "a".repeat(8_000_000), None, "the same in HTML"),
        (
            "a.txt",
            "a".repeat(100_000_000),
            Some("a.txt: expected at most 8388608 bytes, found 100000000".into()),
            "a line of a hundred megabytes",
        ),
    ];
    for (path, text, problem, why) in table {
        let seed = seed(path, text);
        let found = convert(&seed, &options()).err().map(|it| it.at(&seed).to_string());
        let begins = |(found, expected): (&String, &String)| found.starts_with(expected.as_str());
        let is_meant = match (&found, &problem) {
            (None, None) => true,
            // Nothing to read is an end as good as any.
            (Some(found), None) => found.contains("expected an article"),
            both => both.0.as_ref().zip(both.1.as_ref()).is_some_and(begins),
        };
        assert!(is_meant, "{why}: {found:?}");
    }
}

#[test]
fn what_is_cut_is_told() {
    let long = "word ".repeat(200_000);
    let keywords = (0..10_000).map(|it| format!("k{it}")).collect::<Vec<_>>().join(",");
    let page = format!("<title>A</title><meta name=keywords content=\"{keywords}\"><p>Text.");
    let table = [
        (
            "a.md",
            format!("# {long}\n\nText."),
            "expected a title of at most 500 characters, found 999999",
        ),
        (
            "a.html",
            format!("<title>{long}</title><p>Text."),
            "expected a title of at most 500 characters, found 999999",
        ),
        ("a.html", page, "expected at most 100 keywords in the page's head, found 10000"),
    ];
    for (path, text, reason) in table {
        let article = article(path, text);
        let reasons: Vec<&str> = article.cuts.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, [reason], "{path}");
        assert!(article.title.chars().count() <= 500 && article.tags.len() <= 100);
    }
}
