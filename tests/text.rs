//! Plain text as an editor would set it: each `NAME.txt` under `tests/cases/text`
//! beside `NAME.expected`, which holds `title:` and `subtitle:` lines, a blank line,
//! and the HTML. Expected files are written and reviewed by hand.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use sower::convert::text;

#[test]
fn cases_are_set_as_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/text");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "txt"))
        .collect();
    names.sort();
    assert!(names.len() >= 20, "{} cases: the folder is not what it was", names.len());
    let mut failures = Vec::new();
    for name in names {
        let input = fs::read_to_string(&name).unwrap();
        let expected = fs::read_to_string(name.with_extension("expected")).unwrap_or_default();
        let found = written(&text::set(&input));
        if found.trim_end() != expected.trim_end() {
            failures.push(format!("{}:\n{found}", name.display()));
        }
    }
    assert!(failures.is_empty(), "set otherwise than expected:\n{}", failures.join("\n\n"));
}

fn written(set: &text::Set) -> String {
    let line = |name: &str, it: &Option<String>| {
        it.as_ref().map_or(String::new(), |it| format!("{name}: {it}\n"))
    };
    format!("{}{}\n{}\n", line("title", &set.title), line("subtitle", &set.subtitle), set.html)
}
