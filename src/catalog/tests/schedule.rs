//! Dates, the schedule, withdrawal and the vanished folder, where clocks, file times and
//! people do what they do.

use super::*;

fn text(title: &str) -> String {
    format!("# {title}\n\nThe text of {title}.\n")
}

fn stating(keys: &str, title: &str) -> String {
    format!("---\n{keys}\n---\n{}", text(title))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Site {
    /// Looks at a seed with another time zone of the site's.
    fn look_in(&mut self, zone: &str, name: &str) {
        let timezone = jiff::tz::TimeZone::get(zone).unwrap();
        let options = convert::Options { timezone, ..convert_options() };
        let Sighting::Article(origin, _) = self.sighting(name) else { panic!("{name}") };
        let bytes = self.texts[name].clone().into_bytes();
        let surroundings = Surroundings::default();
        let seed = Seed { path: path(name), stat: self.files[name], bytes, surroundings };
        let article = convert::convert(&seed, &options).unwrap();
        self.catalog.apply(vec![Sighting::Article(origin, Box::new(article))], self.now).unwrap();
    }

    /// The clock stands elsewhere, and nothing happened in between.
    fn jump(&mut self, to: &str) {
        self.now = time(to);
        self.catalog.tick(self.now).unwrap();
    }

    fn file_time(&mut self, name: &str, nanoseconds: i64) {
        self.files.get_mut(name).unwrap().modified = nanoseconds;
    }

    fn newcomers(&mut self, count: usize, text_of: impl Fn(&str) -> String) -> Vec<String> {
        let names: Vec<String> = (100..100 + count).map(|it| format!("{it}.md")).collect();
        for name in &names {
            self.write(name, &text_of(name));
        }
        names
    }

    fn delete_all(&mut self, names: &[String]) {
        for name in names {
            self.remove(name);
        }
        self.look(&names.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn count(&self) -> u64 {
        self.catalog.health().unwrap().entries
    }
}

// Dates

#[test]
fn dates_in_every_form_that_people_write_with_and_without_zone() {
    let yaml = |it: &str| ("a.md", stating(&format!("date: {it}"), "A"));
    let toml = |it: &str| ("a.md", format!("+++\ndate = {it}\n+++\n{}", text("A")));
    let header = |it: &str| ("a.txt", format!("Title: A\nDate: {it}\n\nThe text of it.\n"));
    let named = |it: &'static str| (it, text("A"));
    let meta = |it: &str| {
        let head = format!("<!DOCTYPE html><title>A</title><meta name=date content=\"{it}\">");
        ("a.html", format!("{head}<p>The text of it.</p>"))
    };
    // Each in a zone that is ahead, one that is behind, and one whose offset changes.
    let table = [
        (yaml("2024-01-02T03:04:05Z"), "03:04:05Z", ["03:04:05Z"; 3], "RFC 3339"),
        (yaml("2024-01-02T03:04:05+02:00"), "01:04:05Z", ["01:04:05Z"; 3], "RFC 3339, an offset"),
        (toml("2024-01-02T03:04:05Z"), "03:04:05Z", ["03:04:05Z"; 3], "TOML's own"),
        (header("Tue, 2 Jan 2024 03:04:05 +0100"), "02:04:05Z", ["02:04:05Z"; 3], "RFC 822"),
        (header("2 Jan 2024 03:04:05 GMT"), "03:04:05Z", ["03:04:05Z"; 3], "RFC 822, a name"),
        (header("2 Jan 2024 03:04:05 EST"), "08:04:05Z", ["08:04:05Z"; 3], "RFC 822, another"),
        (meta("2024-01-02T03:04:05.5Z"), "03:04:05.5Z", ["03:04:05.5Z"; 3], "a page says it"),
        (yaml("2024-01-02"), "", ["-9", "+5", "-1"], "a date alone"),
        (toml("2024-01-02"), "", ["-9", "+5", "-1"], "TOML's date"),
        (yaml("2024-01-02 00:00"), "", ["-9", "+5", "-1"], "no zone"),
        (toml("2024-01-02T00:00:00"), "", ["-9", "+5", "-1"], "TOML's local time"),
        (header("Tue, 2 Jan 2024 00:00:00"), "", ["-9", "+5", "-1"], "RFC 822 without zone"),
        (header("January 2, 2024"), "", ["-9", "+5", "-1"], "as people write it"),
        (named("2024-01-02-a.md"), "", ["-9", "+5", "-1"], "Jekyll's file name"),
        (named("2024-01-02 a.txt"), "", ["-9", "+5", "-1"], "Obsidian's file name"),
        (meta("2024-01-02"), "", ["-9", "+5", "-1"], "a page without a zone"),
    ];
    for ((name, text), _, expected, why) in table {
        for (zone, expected) in
            ["Asia/Seoul", "America/New_York", "Europe/Berlin"].iter().zip(expected)
        {
            let mut site = Site::new();
            site.put(name, &text);
            site.look_in(zone, name);
            site.pass(60);
            let midnight = time("2024-01-02T00:00:00Z");
            let expected = match expected.parse::<i64>() {
                Ok(hours) => midnight + SignedDuration::from_hours(hours),
                Err(_) => time(&format!("2024-01-02T{expected}")),
            };
            let published = site.feed().entries[0].published;
            assert_eq!(published, expected, "{name} {text:?} in {zone}: {why}");
        }
    }
}

#[test]
fn dates_without_zone_follow_the_zone_through_the_year_and_its_gaps() {
    let table = [
        ("2024-07-02", "2024-07-01T22:00:00Z", "summer time"),
        ("2024-03-31 02:30", "2024-03-31T01:30:00Z", "a time that no clock showed"),
        ("2024-10-27 02:30", "2024-10-27T00:30:00Z", "one that it showed twice: the first"),
    ];
    for (written, expected, why) in table {
        let mut site = Site::new();
        site.put("a.md", &stating(&format!("date: {written}"), "A"));
        site.look_in("Europe/Berlin", "a.md");
        site.pass(60);
        assert_eq!(site.dates("/a").0, time(expected), "{written}: {why}");
    }
}

#[test]
fn dates_before_1970_come_from_the_document_alone() {
    let file_times = [0, -1, i64::MIN, -86_400_000_000_000];
    // In a first import, by itself, and in a drop of so many that file times count.
    for (count, imports) in [(4, true), (4, false), (24, false)] {
        let mut site = if imports { Site::unimported() } else { Site::new() };
        let names: Vec<String> = (0..count).map(|it| format!("{it}.md")).collect();
        for (number, name) in names.iter().enumerate() {
            site.put(name, &text(name));
            site.file_time(name, file_times[number % file_times.len()]);
            site.look(&[name.as_str()]);
        }
        site.put("moon.md", &stating("date: 1969-07-20T20:17:40Z", "The Moon"));
        site.look(&["moon.md"]);
        let sighted = site.now;
        site.catalog.compared(1, 1, site.now).unwrap();
        site.pass(100);
        for name in &names {
            let page = format!("/{}", name.trim_end_matches(".md"));
            assert_eq!(site.dates(&page), (sighted, sighted), "{count}, import: {imports}");
        }
        assert_eq!(site.dates("/moon").0, time("1969-07-20T20:17:40Z"));
    }
}

#[test]
fn dates_stay_through_touch_save_restore_and_restart() {
    type Act = fn(&mut Site);
    let acts: [(&str, Act); 6] = [
        ("a touch", |site| site.file_time("a.md", site.now.as_nanosecond() as i64)),
        ("the same bytes, saved in place", |site| {
            let text = site.texts["a.md"].clone();
            site.edit("a.md", &text);
        }),
        ("the same bytes in a new file, as editors save", |site| {
            let text = site.texts["a.md"].clone();
            site.put("a.md", &text);
        }),
        ("a backup of years ago, as tar unpacks it", |site| {
            let text = site.texts["a.md"].clone();
            site.put("a.md", &text);
            site.file_time("a.md", 1_000_000_000_000_000_000);
        }),
        ("a backup on another disk, whose times are zero", |site| {
            let text = site.texts["a.md"].clone();
            site.put("a.md", &text);
            let stat = site.files.get_mut("a.md").unwrap();
            (stat.device, stat.birth, stat.modified, stat.changed) = (9, None, 0, 0);
        }),
        ("file times of next year", |site| {
            site.file_time("a.md", site.now.as_nanosecond() as i64 + 31_536_000_000_000_000);
        }),
    ];
    for keys in ["tags: [x]", "date: 2026-11-20", "date: 2026-11-20\nupdated: 2026-11-21"] {
        for (what, act) in acts {
            let mut site = Site::new();
            site.write("a.md", &stating(keys, "A"));
            site.pass(7200);
            let before = (site.id("/a"), site.dates("/a"));
            act(&mut site);
            let touched = site.look(&["a.md"]);
            assert!(touched.is_empty(), "{what}, {keys}: {touched:?}");
            site.restart();
            site.look(&["a.md"]);
            site.pass(7200);
            assert_eq!((site.id("/a"), site.dates("/a")), before, "{what}, {keys}");
        }
        // All of it, after it was deleted.
        let mut site = Site::new();
        site.write("a.md", &stating(keys, "A"));
        site.pass(7200);
        let before = (site.id("/a"), site.dates("/a"));
        let text = site.texts["a.md"].clone();
        site.remove("a.md");
        site.look(&["a.md"]);
        site.pass(1);
        site.put("a.md", &text);
        site.file_time("a.md", 1_000_000_000_000_000_000);
        site.look(&["a.md"]);
        site.pass(60);
        assert_eq!((site.id("/a"), site.dates("/a")), before, "deleted and restored, {keys}");
    }
}

#[test]
fn dates_without_a_statement_are_that_of_the_first_sighting_and_stay() {
    let mut site = Site::new();
    site.put("a.md", &text("A"));
    site.file_time("a.md", site.now.as_nanosecond() as i64 - 7_200_000_000_000);
    let sighted = site.now;
    site.look(&["a.md"]);
    assert_eq!(site.dates("/a").0, sighted, "not its file time of two hours ago");
    site.pass(86_400);
    site.edit("a.md", "# A\n\nAnother text.\n");
    site.look(&["a.md"]);
    assert_eq!(site.dates("/a"), (sighted, site.now));
    // A draft is sighted before it is published.
    site.write("b.md", &stating("draft: true", "B"));
    let sighted = site.now;
    site.pass(7200);
    site.edit("b.md", &text("B"));
    site.look(&["b.md"]);
    assert_eq!(site.dates("/b").0, sighted);
}

#[test]
fn dates_that_are_edited_move_published_and_nothing_else() {
    let mut site = Site::new();
    site.write("a.md", &stating("date: 2026-11-20", "A"));
    site.write("b.md", &stating("date: 2026-11-21", "B"));
    site.pass(60);
    let (id, mut updated) = (site.id("/a"), site.dates("/a").1);
    for (date, order) in [("2026-11-22", ["A", "B"]), ("1999-01-01", ["B", "A"])] {
        site.edit("a.md", &stating(&format!("date: {date}"), "A"));
        site.look(&["a.md"]);
        let published = time(&format!("{date}T00:00:00Z"));
        updated = updated.max(published);
        assert_eq!(site.dates("/a"), (published, updated), "{date}: never before it");
        assert_eq!(site.titles(), order, "{date}");
        assert_eq!(site.id("/a"), id);
    }
    // Into the future: withdrawn until then, under its id.
    site.edit("a.md", &stating("date: 2026-11-26T09:00:00Z", "A"));
    site.look(&["a.md"]);
    assert_eq!((site.at("/a"), site.titles()), (Place::Gone, vec!["B".into()]));
    assert_eq!(site.feed().tombstones[0].id, id);
    site.jump("2026-11-26T08:59:59.999999Z");
    assert_eq!(site.at("/a"), Place::Gone);
    site.jump("2026-11-26T09:00:00Z");
    assert_eq!((site.id("/a"), site.dates("/a").0), (id, site.now));
    assert!(site.feed().tombstones.is_empty());
}

// The schedule

#[test]
fn schedule_a_future_date_is_due_at_its_very_moment_with_no_event() {
    for date in ["2026-11-25T13:00:00Z", "2026-11-25T12:30:00.25Z", "2027-02-28 23:59:59"] {
        let mut site = Site::new();
        site.write("a.md", &stating(&format!("date: {date}"), "A"));
        site.pass(60);
        let due = site.catalog.due().unwrap();
        site.restart();
        assert_eq!(site.catalog.due(), Some(due), "{date}: a restart forgets none");
        site.jump(&(due - SignedDuration::from_micros(1)).to_string());
        assert!(site.titles().is_empty(), "{date}: before its time");
        site.jump(&due.to_string());
        assert_eq!(site.dates("/a"), (due, due), "{date}");
        assert_eq!(site.feed().entries[0].article.stated.published, Some(due), "{date}");
    }
}

#[test]
fn schedule_a_machine_that_slept_publishes_what_came_meanwhile() {
    let mut site = Site::new();
    for (name, keys) in [
        ("one.md", "date: 2026-11-25T13:00:00Z"),
        ("two.md", "date: 2026-11-25T14:00:00Z"),
        ("over.md", "date: 2026-11-25T13:30:00Z\nexpires: 2026-11-25T15:00:00Z"),
        ("later.md", "date: 2026-12-01"),
        ("ends.md", "expires: 2026-11-25T15:00:00Z"),
    ] {
        site.write(name, &stating(keys, name));
    }
    assert_eq!(site.titles(), ["ends.md"]);
    site.jump("2026-11-25T18:00:00Z");
    assert_eq!(site.titles(), ["two.md", "one.md"]);
    assert_eq!(site.dates("/one").0, time("2026-11-25T13:00:00Z"));
    assert_eq!(site.at("/over"), Place::Nothing, "nobody ever saw it");
    assert_eq!(site.at("/ends"), Place::Gone);
    site.pass(60);
    assert_eq!(site.catalog.due(), Some(time("2026-12-01T00:00:00Z")));
}

#[test]
fn schedule_a_clock_that_is_set_back_withdraws_nothing() {
    let mut site = Site::new();
    site.write("a.md", &stating("date: 2026-11-25T13:00:00Z", "A"));
    site.write("b.md", &stating("date: 2026-11-25T13:10:00Z\nexpires: 2026-12-01", "B"));
    site.jump("2026-11-25T14:00:00Z");
    let before: Vec<_> =
        site.feed().entries.into_iter().map(|it| (it.id, it.published, it.updated)).collect();
    assert_eq!(before.len(), 2);
    // Two hours back; the seeds are looked at, saved again, and read by a new start.
    site.jump("2026-11-25T12:00:00Z");
    for name in ["a.md", "b.md"] {
        let text = site.texts[name].clone();
        site.put(name, &text);
    }
    site.look(&["a.md", "b.md"]);
    site.restart();
    site.look(&["a.md", "b.md"]);
    site.pass(60);
    let after: Vec<_> =
        site.feed().entries.into_iter().map(|it| (it.id, it.published, it.updated)).collect();
    assert_eq!(after, before);
    assert!(site.feed().tombstones.is_empty());
    // What comes later by that clock is published by it.
    site.write("c.md", &stating("date: 2026-11-25T12:30:00Z", "C"));
    site.jump("2026-11-25T12:30:00Z");
    assert_eq!(site.dates("/c").0, site.now);
    // A statement that is edited counts by the clock as it is.
    site.edit("a.md", &stating("date: 2026-11-25T13:30:00Z", "A"));
    site.look(&["a.md"]);
    assert_eq!(site.at("/a"), Place::Gone);
    site.jump("2026-12-01T00:00:00Z");
    assert_eq!(site.at("/b"), Place::Gone, "it expires all the same");
}

#[test]
fn schedule_expires_by_every_name_that_generators_give_it() {
    let names = ["expires", "Expires", "expiryDate", "expirydate", "unpublishDate"];
    let others = ["expiry_date", "expiration_date", "expire-date", "expires_at", "expires on"];
    for name in names.into_iter().chain(others) {
        let mut site = Site::new();
        site.write("a.md", &stating(&format!("{name}: 2026-11-25T13:00:00Z"), "A"));
        site.pass(60);
        let id = site.id("/a");
        assert_eq!(site.catalog.due(), Some(time("2026-11-25T13:00:00Z")), "{name}");
        site.jump("2026-11-25T13:00:00Z");
        assert_eq!((site.at("/a"), &site.feed().tombstones[0].id), (Place::Gone, &id), "{name}");
        site.edit("a.md", &stating(&format!("{name}: 2026-11-25T18:00:00Z"), "A"));
        site.look(&["a.md"]);
        assert_eq!(site.id("/a"), id, "{name}: a new term");
    }
}

#[test]
fn schedule_a_draft_that_is_due_stays_a_draft() {
    let mut site = Site::new();
    let keys = "draft: true\ndate: 2026-11-25T13:00:00Z\nexpires: 2026-11-26";
    site.write("a.md", &stating(keys, "A"));
    site.write("drafts/b.md", &stating("date: 2026-11-25T13:00:00Z", "B"));
    site.write("_c.md", &stating("date: 2026-11-25T13:00:00Z", "C"));
    site.write("_d/e.md", &stating("date: 2026-11-25T13:00:00Z", "D"));
    site.write("_posts/f.md", &stating("date: 2026-11-25T13:00:00Z", "F"));
    site.jump("2026-11-25T14:00:00Z");
    site.look(&["a.md", "drafts/b.md", "_c.md", "_d/e.md", "_posts/f.md"]);
    site.pass(60);
    assert_eq!(site.titles(), ["F"]);
}

// Withdrawal

#[test]
fn withdrawal_what_comes_back_is_updated_later_than_its_tombstone_says() {
    type Act = fn(&mut Site);
    let ways: [(&str, Act, Act); 3] = [
        (
            "a draft for a while",
            |site| site.edit("a.md", &stating("draft: true", "A")),
            |site| site.edit("a.md", &text("A")),
        ),
        (
            "put off for a while",
            |site| site.edit("a.md", &stating("date: 2027-01-01", "A")),
            |site| site.edit("a.md", &text("A")),
        ),
        ("deleted for a while", |site| site.remove("a.md"), |site| site.put("a.md", &text("A"))),
    ];
    for (what, go, back) in ways {
        // At once, later, and after the clock was set back.
        for seconds in [0, 3600, -7200] {
            let mut site = Site::new();
            site.write("b.md", &text("B"));
            site.write("a.md", &text("A"));
            let (id, dates) = (site.id("/a"), site.dates("/a"));
            site.pass(60);
            go(&mut site);
            site.look(&["a.md"]);
            site.pass(3);
            let when = site.feed().tombstones[0].when;
            site.now += SignedDuration::from_secs(seconds);
            back(&mut site);
            site.look(&["a.md"]);
            assert_eq!((site.id("/a"), site.dates("/a").0), (id, dates.0), "{what}");
            let updated = site.dates("/a").1;
            assert!(updated > when, "{what}, {seconds} s: {updated} after {when}");
            assert!(site.feed().tombstones.is_empty(), "{what}");
        }
    }
}

#[test]
fn withdrawal_of_more_than_are_left_the_newest_tombstones_are_kept() {
    let mut site = Site::new();
    let names = site.newcomers(9, text);
    site.pass(3600);
    let ids: Vec<String> = (100..109).map(|it| site.id(&format!("/{it}"))).collect();
    for name in &names[..6] {
        site.delete_all(std::slice::from_ref(name));
        site.pass(1000);
    }
    let told: Vec<String> = site.feed().tombstones.into_iter().map(|it| it.id).collect();
    let newest: Vec<&String> = [5, 4, 3].map(|it| &ids[it]).into();
    assert_eq!(told.iter().collect::<Vec<_>>(), newest, "as many as entries");
    for gone in 100..106 {
        assert_eq!(site.at(&format!("/{gone}")), Place::Gone);
    }
}

#[test]
fn withdrawal_tombstones_last_as_long_as_is_configured() {
    let mut site = Site::new();
    let short = Options { tombstones: 3600 * SECOND, ..options() };
    site.catalog = Catalog::open(site.state.path(), "key".into(), short, site.now).unwrap();
    let names = site.newcomers(4, text);
    site.pass(3600);
    site.delete_all(&names[..1]);
    site.pass(60);
    assert_eq!(site.feed().tombstones.len(), 1);
    site.pass(3000);
    site.write("b.md", &text("B"));
    assert_eq!(site.feed().tombstones.len(), 1);
    site.pass(700);
    site.write("c.md", &text("C"));
    assert_eq!(site.feed().tombstones.len(), 0);
    assert_eq!(site.at("/100"), Place::Gone);
}

// The vanished folder

#[test]
fn vanished_the_share_is_as_configured() {
    for (share, gone, left) in [(0.2, 1, 9), (0.2, 2, 10), (0.95, 9, 1), (1.0, 9, 1), (1.0, 10, 10)]
    {
        let mut site = Site::new();
        let chosen = Options { vanished_share: share, ..options() };
        site.catalog = Catalog::open(site.state.path(), "key".into(), chosen, site.now).unwrap();
        let names = site.newcomers(10, text);
        site.pass(3600);
        site.delete_all(&names[..gone]);
        site.pass(60);
        assert_eq!(site.count(), left, "{gone} of 10 at {share}");
    }
}

#[test]
fn vanished_a_slow_removal_in_many_small_batches_is_judged_as_one() {
    let mut site = Site::new();
    let names = site.newcomers(30, text);
    site.pass(3600);
    for name in &names {
        site.delete_all(std::slice::from_ref(name));
        // The timer has its turns.
        for _ in 0..3 {
            site.now += SignedDuration::from_millis(500);
            site.catalog.tick(site.now).unwrap();
        }
        assert_eq!(site.count(), 30, "{name}: no reader ever misses one");
    }
    site.pass(3600);
    assert_eq!(site.count(), 30);
    assert!(site.feed().tombstones.is_empty());
    assert_eq!(site.catalog.health().unwrap().reasons.len(), 1);
}

#[test]
fn vanished_what_answers_with_errors_is_no_removal() {
    let refuse = |site: &mut Site, names: &[String]| {
        let refused = |it: &String| {
            let reason = "permission denied".into();
            Sighting::Unreadable { path: path(it), reason }
        };
        site.catalog.apply(names.iter().map(refused).collect(), site.now).unwrap();
    };
    let mut site = Site::new();
    let names = site.newcomers(12, text);
    site.pass(3600);
    let before = site.feed().entries;
    // One, which alone would be withdrawn, then all.
    refuse(&mut site, &names[..1]);
    site.pass(7200);
    assert_eq!(site.feed().entries, before);
    refuse(&mut site, &names);
    site.catalog.compared(1, 1, site.now).unwrap();
    site.pass(7200);
    site.restart();
    site.pass(7200);
    assert_eq!(site.feed().entries, before);
    assert_eq!(site.catalog.health().unwrap().problems, 12);
    // The root, too, whatever it answers; then all is well again.
    site.catalog.lost("expected a readable folder, found stale file handle").unwrap();
    site.pass(7200);
    assert_eq!(site.feed().entries, before);
    assert!(site.catalog.health().unwrap().reasons[0].contains("stale file handle"));
    site.look(&names.iter().map(String::as_str).collect::<Vec<_>>());
    site.catalog.compared(1, 1, site.now).unwrap();
    site.pass(60);
    assert_eq!(site.feed().entries, before);
    let health = site.catalog.health().unwrap();
    assert_eq!((health.problems, health.reasons.len()), (0, 0));
}
