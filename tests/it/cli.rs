//! The command line: what it prints, and how it ends.

use crate::support::{Rig, program, story};

fn fails(arguments: &[&str], rig: &Rig) -> (Option<i32>, String) {
    let output = rig.command().args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_stops_when_told_and_says_how_it_is() {
    let mut rig = Rig::serving(&[("one.txt", &story("One")), ("bad.md", "---\ntitle: x\n")]);
    let health = rig.get("/healthz");
    assert_eq!(health.status, 200);
    let health: serde_json::Value = serde_json::from_slice(&health.body).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["entries"], 1);
    assert_eq!(health["problems"], 1);
    assert_eq!(health["reasons"], serde_json::json!([]));
    assert_eq!(rig.stop().code(), Some(0), "{}", rig.log());
    assert!(rig.log().contains("bad.md"), "{}", rig.log());
}

#[test]
fn all_addresses_need_a_base_url() {
    let rig = Rig::with(&[]);
    let output = program()
        .args(["serve", "--listen", "0.0.0.0:0", "--state"])
        .arg(rig.state())
        .arg("--seeds")
        .arg(rig.seeds())
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("site.base_url"), "{message}");
}

#[test]
fn wrong_usage_and_configuration_end_with_2() {
    let rig = Rig::with(&[]);
    let (code, message) = fails(&["--no-such-flag"], &rig);
    assert_eq!(code, Some(2), "{message}");
    let file = rig.folder.path().join("wrong.toml");
    std::fs::write(&file, "[feed]\nlimt = 20\n").unwrap();
    let (code, message) = fails(&["--config", file.to_str().unwrap()], &rig);
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("wrong.toml:2:1") && message.contains("`limit`"), "{message}");
}

#[test]
fn a_second_daemon_on_one_state_folder_ends_with_a_message() {
    let rig = Rig::serving(&[("one.txt", &story("One"))]);
    let (code, message) = fails(&[], &rig);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("found process"), "{message}");
}

#[test]
fn status_and_confirm_talk_to_the_daemon() {
    let rig = Rig::serving(&[
        ("one.txt", &story("One")),
        ("two.txt", &story("Two")),
        ("three.txt", &story("Three")),
        ("bad.md", "---\ntitle: x\n"),
        ("draft.md", "---\ndraft: true\n---\nA text.\n"),
    ]);
    let ask = |question: &str| {
        let mut command = program();
        command.arg(question).arg("--seeds").arg(rig.seeds()).arg("--state").arg(rig.state());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let status = ask("status");
    assert!(status.starts_with("status: ok\nentries: 3\nproblems: 1\n  bad.md:1: "), "{status}");
    assert!(status.contains("\n  draft.md: a draft\n"), "{status}");
    for name in ["one.txt", "two.txt", "three.txt"] {
        std::fs::remove_file(rig.seeds().join(name)).unwrap();
    }
    rig.until("degraded", |it| it.get("/healthz").text().contains("\"degraded\""));
    assert_eq!(rig.titles("atom").len(), 3, "nothing is withdrawn");
    assert!(ask("status").starts_with("status: degraded\n  3 published articles are missing"));
    assert_eq!(ask("confirm"), "withdrew 3 articles\n");
    rig.until("ok", |it| it.get("/healthz").text().contains("\"ok\""));
    rig.until_titles(&[]);
}

#[test]
fn status_without_a_daemon_says_so() {
    let rig = Rig::with(&[]);
    let output = program().arg("status").arg("--state").arg(rig.folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("expected a running daemon"), "{message}");
}
