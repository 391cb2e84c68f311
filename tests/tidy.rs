//! The rules of the code base that the compiler does not know.
//!
//! In: the repository's own text. What never happens here: running Sower. Parts under
//! `#[cfg(test)]`, files of tests and comments are not looked at. Known hole: a path
//! that a macro puts together.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The line: each stage and the modules that hold its nouns. A stage may name
/// the nouns of earlier stages, and nothing else of any other stage.
const LINE: &[(&str, &[&str])] = &[
    ("watch", &["seed"]),
    ("convert", &["article", "body"]),
    ("catalog", &["entry", "scope"]),
    ("feed", &["page"]),
    ("render", &["rendition"]),
    ("shelf", &["snapshot"]),
    ("serve", &["response"]),
];

/// What is no noun and may be named all the same.
const SHARED: &[&str] = &[
    // Ids of feeds and of entries are minted in one name space.
    "catalog::identity::NAMESPACE",
];

/// Those who put stages together; a stage may not name them.
const ABOVE: &[&str] = &["line", "daemon", "cli", "config", "state", "systemd"];

/// Files that compute and do nothing else.
const PURE: &[&str] = &[
    "src/watch/settle.rs",
    "src/watch/compare.rs",
    "src/watch/ignore.rs",
    "src/convert",
    "src/catalog/decide.rs",
    "src/catalog/decide",
    "src/feed",
    "src/render",
    "src/serve/respond.rs",
];

/// What such a file may not name: I/O, clocks, chance, runtimes.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio::",
    "hyper::",
    "hyper_util::",
    "notify::",
    "rusqlite::",
    "rustix::",
    "::now()",
    "rand::",
    "getrandom::",
];

/// Lines of a file, those of its tests not counted.
const LONGEST: usize = 650;

#[test]
fn stages_know_only_the_nouns_before_them() {
    let mut wrong = Vec::new();
    for (position, (stage, _)) in LINE.iter().enumerate() {
        for file in rust_files(&format!("src/{stage}")) {
            for (number, line) in &file.lines {
                for other in names_after("crate::", line) {
                    if !may_know(position, other) {
                        wrong.push(format!("{}:{number}: `{other}` in `{stage}`", file.path));
                    }
                }
            }
        }
    }
    none("names that a stage may not know", &wrong);
}

/// Whether the stage at `position` of the line may name `path`, which follows
/// `crate::`.
fn may_know(position: usize, path: &str) -> bool {
    let mut parts = path.split("::");
    let (first, second) = (parts.next().unwrap(), parts.next());
    if ABOVE.contains(&first) {
        return false;
    }
    // `use crate::{...}` and `crate::*` would hide what they bring.
    if first.is_empty() {
        return false;
    }
    match LINE.iter().position(|(it, _)| *it == first) {
        None => true,
        Some(other) if other == position => true,
        Some(other) => {
            let is_noun = second.is_some_and(|noun| LINE[other].1.contains(&noun));
            other < position && (is_noun || SHARED.contains(&path))
        }
    }
}

#[test]
fn the_direction_of_the_line_is_told() {
    let render = LINE.iter().position(|(it, _)| *it == "render").unwrap();
    let rows = [
        ("feed::page::Feed", true, "the noun of the stage before"),
        ("watch::seed::SeedPath", true, "the noun of an earlier stage"),
        ("render::xml", true, "its own"),
        ("problem::Problem", true, "belongs to no stage"),
        ("feed::build", false, "the verb of another stage"),
        ("feed", false, "a whole stage, its verb with it"),
        ("feed::pages::Feed", false, "a name that only begins like the noun"),
        ("shelf::snapshot::Snapshot", false, "the noun of a later stage"),
        ("line::take", false, "what puts the stages together"),
        ("", false, "a group, which may hold anything"),
    ];
    for (path, allowed, reason) in rows {
        assert_eq!(may_know(render, path), allowed, "`{path}`: {reason}");
    }
}

#[test]
fn pure_files_do_no_io() {
    let mut wrong = Vec::new();
    for file in PURE.iter().flat_map(|it| rust_files(it)) {
        for (number, line) in &file.lines {
            for word in IMPURE {
                if names(line, word) {
                    wrong.push(format!("{}:{number}: `{word}`", file.path));
                }
            }
        }
    }
    none("impure names in pure files", &wrong);
}

#[test]
fn files_are_short_enough_to_read() {
    let mut wrong = Vec::new();
    for file in rust_files("src") {
        if file.length > LONGEST {
            wrong.push(format!("{}: {} lines, at most {LONGEST}", file.path, file.length));
        }
    }
    none("files that are too long without their tests", &wrong);
}

#[test]
fn files_say_what_they_are() {
    let files = rust_files("src").into_iter();
    let wrong = files.filter(|it| !it.first.starts_with("//! ")).map(|it| it.path);
    none("files without a header that begins with `//!`", &wrong.collect::<Vec<_>>());
}

#[test]
fn configuration_keys_are_explained() {
    let text = fs::read_to_string(root().join("config/sower.toml")).unwrap();
    let mut above = "";
    let mut keys = 0;
    for (number, line) in text.lines().enumerate() {
        if is_key(line) {
            keys += 1;
            assert!(
                above.starts_with("# ") && !is_key(above),
                "config/sower.toml:{}: expected a line of comment above `{line}`",
                number + 1
            );
        }
        above = line;
    }
    assert!(keys > 0, "config/sower.toml: a rule that looks at no key is no rule");
}

/// Whether a line of TOML sets a key, or would without the `#` before it.
fn is_key(line: &str) -> bool {
    let line = line.strip_prefix("# ").unwrap_or(line);
    line.split_once(" = ").is_some_and(|(key, _)| {
        !key.is_empty() && key.chars().all(|it| it.is_ascii_lowercase() || it == '_')
    })
}

#[test]
fn flags_stand_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let cli = fs::read_to_string(root().join("src/cli.rs")).unwrap();
    let mut lines = cli.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if !line.starts_with("#[arg(long") {
            continue;
        }
        let field = lines.find(|it| it.contains(": ")).unwrap();
        let name = field.trim_start_matches("pub ").split(':').next().unwrap();
        let flag = format!("--{}", name.replace('_', "-"));
        assert!(readme.contains(&flag), "README.md: expected a word about `{flag}`");
    }
}

#[test]
fn parts_for_tests_are_left_out() {
    let rows = [
        ("fn a() {}\n#[cfg(test)]\nmod tests {\n    use x;\n}\n", "1", "a module at the end"),
        ("#[cfg(test)]\nmod tests;\nfn b() {}\n", "3", "a module in a file of its own"),
        (
            "#[cfg(test)]\nfn t() {\n    if x {\n    }\n}\nfn b() {}\n",
            "6",
            "a function amid others",
        ),
        ("#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\nfn b() {}\n", "4", "more attributes"),
        ("// crate::serve\nfn b() {}\n", "2", "a comment"),
    ];
    for (text, expected, reason) in rows {
        let kept: Vec<String> =
            code(text).into_iter().map(|(number, _)| number.to_string()).collect();
        assert_eq!(kept.join(" "), expected, "{reason}");
    }
}

/// Fails with all of `wrong` where there are any.
fn none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "expected no {what}, found\n{}", wrong.join("\n"));
}

/// A file of the repository.
struct File {
    /// From the root of the repository, with `/`.
    path: String,
    first: String,
    /// Without those of tests.
    length: usize,
    /// With their numbers, without those of tests and comments.
    lines: Vec<(usize, String)>,
}

/// The files at `path`, which names one or a folder; those of tests are not among
/// them.
fn rust_files(path: &str) -> Vec<File> {
    let mut found = Vec::new();
    let mut open = vec![root().join(path)];
    while let Some(next) = open.pop() {
        if next.is_dir() {
            open.extend(fs::read_dir(&next).unwrap().map(|it| it.unwrap().path()));
        } else if next.extension().is_some_and(|it| it == "rs") && !is_for_tests(&next) {
            let text = fs::read_to_string(&next).unwrap();
            found.push(File {
                path: relative(&next),
                first: text.lines().next().unwrap_or_default().to_owned(),
                length: without_tests(&text).len(),
                lines: code(&text),
            });
        }
    }
    assert!(!found.is_empty(), "{path}: a rule that looks at no file is no rule");
    found
}

fn is_for_tests(path: &Path) -> bool {
    let path = relative(path);
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

/// The lines of `text`, with their numbers from 1, that are neither under
/// `#[cfg(test)]` nor comments.
fn code(text: &str) -> Vec<(usize, String)> {
    let lines = without_tests(text).into_iter();
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

/// As rustfmt lays code out, an item ends with the first line that is indented as its
/// attribute is and closes it.
fn without_tests(text: &str) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let start = line.trim_start();
        if !start.starts_with("#[cfg(test)]") {
            kept.push((index + 1, line.to_owned()));
            continue;
        }
        let indent = line.len() - start.len();
        let ends = |line: &str| {
            let start = line.trim_start();
            let closes = start.ends_with(';') || start.ends_with("{}") || start.starts_with('}');
            !start.is_empty() && line.len() - start.len() == indent && closes
        };
        if !ends(line) {
            lines.find(|(_, line)| ends(line));
        }
    }
    kept
}

/// Whether `line` names `word`, and not only a longer one that ends with it.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        word.starts_with(':') || !before.is_some_and(|it| it.is_alphanumeric() || it == '_')
    })
}

/// The paths in `line` that follow `prefix`.
fn names_after<'l>(prefix: &str, line: &'l str) -> Vec<&'l str> {
    let starts = line.match_indices(prefix).map(|(at, _)| &line[at + prefix.len()..]);
    let is_path = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    starts.map(|it| &it[..it.find(|it| !is_path(it)).unwrap_or(it.len())]).collect()
}
