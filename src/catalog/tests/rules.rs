//! DESIGN's rules one by one, each by a test that bears its name: those that are
//! easily broken by the order in which things happen.

use super::*;

fn dated(date: &str, title: &str) -> String {
    format!("---\ndate: {date}\n---\n# {title}\n\nThe text of {title}.\n")
}

fn text(title: &str) -> String {
    format!("# {title}\n\nThe text of {title}.\n")
}

impl Site {
    /// A site with these many articles, old enough to count.
    fn with(count: usize) -> (Site, Vec<String>) {
        let mut site = Site::new();
        let names: Vec<String> = (10..10 + count).map(|it| format!("{it}.md")).collect();
        for name in &names {
            site.write(name, &text(name));
        }
        site.pass(3600);
        (site, names)
    }

    fn delete(&mut self, names: &[String]) {
        for name in names {
            self.remove(name);
        }
        self.look(&names.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn live(&self) -> u64 {
        self.catalog.health().unwrap().entries
    }
}

// Identity

#[test]
fn identity_a_minted_id_that_a_document_states_is_never_given_twice() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    let id = site.id("/a");
    let mut other = Site::new();
    other.write("b.md", &format!("---\nguid: {id}\n---\n# B\n\nThe text of B.\n"));
    assert_eq!(other.id("/b"), id);
    other.write("a.md", &text("A"));
    assert_ne!(other.id("/a"), id, "`b.md` has it");
}

#[test]
fn identity_two_guids_that_map_to_one_id_are_told_apart() {
    let mut site = Site::new();
    site.write("a.md", "---\nguid: \"1234\"\n---\n# A\n\nThe text of A.\n");
    let id = site.id("/a");
    assert!(id.starts_with("urn:uuid:"));
    site.write("b.md", &format!("---\nguid: {id}\n---\n# B\n\nThe text of B.\n"));
    assert_ne!(site.id("/b"), id);
    assert_eq!(site.live(), 2);
}

#[test]
fn identity_a_rebuilt_catalog_mints_the_same_ids() {
    let mut site = Site::new();
    let names = ["a.md", "n/b.md", "Cafe\u{301}.md", "Caf\u{e9}.md"];
    for name in names {
        site.write(name, &text(name));
        site.pass(5);
    }
    let before: BTreeMap<_, _> =
        site.feed().entries.into_iter().map(|it| (it.path, it.id)).collect();
    let mut again = Site::unimported();
    (again.files, again.texts) = (site.files.clone(), site.texts.clone());
    again.look(&names);
    again.catalog.compared(1, 1, again.now).unwrap();
    let after: BTreeMap<_, _> =
        again.feed().entries.into_iter().map(|it| (it.path, it.id)).collect();
    assert_eq!(before.len(), 4);
    assert_eq!(before, after);
}

#[test]
fn identity_a_move_into_drafts_keeps_the_entry_in_any_order_of_events() {
    for order in [&["a.md", "drafts/a.md"][..], &["drafts/a.md", "a.md"]] {
        let mut site = Site::new();
        site.write("a.md", &text("A"));
        let id = site.id("/a");
        site.pass(60);
        site.rename("a.md", "drafts/a.md");
        for name in order {
            site.look(&[*name]);
        }
        site.pass(60);
        assert_eq!(site.at("/a"), Place::Gone);
        site.edit("drafts/a.md", "# A, again\n\nAnother text.\n");
        site.look(&["drafts/a.md"]);
        site.pass(60);
        site.rename("drafts/a.md", "a.md");
        for name in order.iter().rev() {
            site.look(&[*name]);
        }
        site.pass(60);
        assert_eq!(site.id("/a"), id, "{order:?}");
    }
}

#[test]
fn identity_a_swap_where_the_file_system_keeps_no_birth_times() {
    let mut site = Site::new();
    for (name, title) in [("a.md", "A"), ("b.md", "B")] {
        site.put(name, &text(title));
        site.files.get_mut(name).unwrap().birth = None;
        site.look(&[name]);
    }
    let (a, b) = (site.id("/a"), site.id("/b"));
    site.pass(10);
    site.rename("a.md", "t");
    site.rename("b.md", "a.md");
    site.rename("t", "b.md");
    site.look(&["a.md", "b.md"]);
    assert_eq!((site.id("/b"), site.id("/a")), (a, b));
}

#[test]
fn identity_a_swap_in_two_batches_swaps_paths_alone() {
    for order in [["a.md", "b.md"], ["b.md", "a.md"]] {
        let mut site = Site::new();
        site.write("a.md", &text("A"));
        site.write("b.md", &text("B"));
        let (a, b) = (site.id("/a"), site.id("/b"));
        site.pass(10);
        site.rename("a.md", "t");
        site.rename("b.md", "a.md");
        site.rename("t", "b.md");
        for name in order {
            site.look(&[name]);
        }
        site.pass(10);
        assert_eq!((site.id("/b"), site.id("/a")), (a, b), "{order:?}");
    }
}

#[test]
fn identity_a_waiting_copy_goes_on_waiting_while_the_original_is_saved() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    let id = site.id("/a");
    site.write("b.md", &text("A"));
    site.pass(10);
    site.edit("a.md", "");
    site.look(&["a.md"]);
    assert_eq!(site.live(), 1, "an empty save is not compared");
    site.edit("a.md", &text("A"));
    site.look(&["a.md"]);
    site.pass(10);
    assert_eq!((site.live(), site.id("/a")), (1, id));
}

#[test]
fn identity_a_checkout_of_another_branch_and_back_ends_where_it_began() {
    let (mut site, names) = Site::with(4);
    let before = site.feed().entries;
    site.remove(&names[0]);
    site.edit(&names[1], "# Other\n\nThe other branch's text.\n");
    site.put("other.md", "# Another\n\nOnly on the other branch.\n");
    site.look(&[&names[0], &names[1], "other.md"]);
    site.pass(60);
    site.put(&names[0], &text(&names[0]));
    site.put(&names[1], &text(&names[1]));
    site.remove("other.md");
    site.look(&[&names[0], &names[1], "other.md"]);
    site.pass(60);
    let ids = |it: &[crate::catalog::entry::Entry]| -> BTreeMap<SeedPath, (String, Timestamp)> {
        it.iter().map(|it| (it.path.clone(), (it.id.clone(), it.published))).collect()
    };
    assert_eq!(ids(&site.feed().entries), ids(&before));
}

// Drops and dates

#[test]
fn dates_a_drop_that_is_over_publishes_its_seeds_once_when_one_is_looked_at_again() {
    let mut site = Site::new();
    site.write("a.md", &dated("2015-01-01", "A"));
    assert_eq!(site.live(), 0, "it waits for the end of its drop");
    site.now += SignedDuration::from_secs(3);
    site.look(&["a.md"]);
    site.pass(10);
    assert_eq!(site.titles(), ["A"]);
}

#[test]
fn dates_ten_old_seeds_sighted_twice_are_ten() {
    let mut site = Site::new();
    let names: Vec<String> = (10..20).map(|it| format!("{it}.md")).collect();
    for _ in 0..3 {
        for name in &names {
            if !site.files.contains_key(name) {
                site.put(name, &dated("2015-01-01", name));
            }
            site.look(&[name.as_str()]);
        }
    }
    site.pass(10);
    assert_eq!(site.feed().entries.len(), 10, "announced now, as ten old ones are");
    assert_eq!(site.live(), 10);
}

#[test]
fn dates_twenty_undated_seeds_take_their_file_times() {
    for (count, by_file) in [(19, false), (20, true)] {
        let mut site = Site::new();
        let old = site.now - SignedDuration::from_hours(72);
        for number in 0..count {
            let name = format!("{}.md", number + 10);
            site.put(&name, &text(&name));
            site.files.get_mut(&name).unwrap().modified = old.as_nanosecond() as i64;
            site.look(&[name.as_str()]);
        }
        let sighted = site.now;
        site.pass(10);
        let expected = if by_file { old } else { sighted };
        assert_eq!(site.dates("/10").0, expected, "{count}");
    }
}

#[test]
fn dates_a_file_time_in_the_future_is_now() {
    let mut site = Site::unimported();
    site.put("a.md", &text("A"));
    let later = site.now + SignedDuration::from_hours(72);
    site.files.get_mut("a.md").unwrap().modified = later.as_nanosecond() as i64;
    site.put("b.md", &text("B"));
    site.files.get_mut("b.md").unwrap().modified = -5;
    site.look(&["a.md", "b.md"]);
    site.catalog.compared(1, 1, site.now).unwrap();
    assert_eq!(site.dates("/a"), (site.now, site.now));
    assert_eq!(site.dates("/b"), (site.now, site.now), "never before 1970");
}

#[test]
fn dates_a_statement_is_followed_and_kept_when_it_goes() {
    let mut site = Site::new();
    site.write("a.md", &dated("2026-11-24T10:00:00Z", "A"));
    site.pass(5);
    assert_eq!(site.dates("/a").0, "2026-11-24T10:00:00Z".parse().unwrap());
    let updated = site.dates("/a").1;
    site.edit("a.md", &dated("2026-11-23T10:00:00Z", "A"));
    site.look(&["a.md"]);
    assert_eq!(site.dates("/a"), ("2026-11-23T10:00:00Z".parse().unwrap(), updated));
    site.edit("a.md", &text("A"));
    site.look(&["a.md"]);
    assert_eq!(site.dates("/a"), ("2026-11-23T10:00:00Z".parse().unwrap(), updated));
    site.edit("a.md", &dated("2026-12-24T10:00:00Z", "A"));
    site.look(&["a.md"]);
    assert_eq!(site.at("/a"), Place::Gone, "into the future withdraws");
    site.now = site.catalog.due().unwrap();
    assert_eq!(site.now, "2026-12-24T10:00:00Z".parse().unwrap());
    site.catalog.tick(site.now).unwrap();
    assert_eq!(site.dates("/a"), (site.now, site.now));
}

#[test]
fn dates_updated_stays_where_a_link_follows_its_target() {
    for together in [true, false] {
        let mut site = Site::new();
        site.write("b.md", &text("B"));
        site.write("a.md", "# A\n\nSee [the other](b.md).\n");
        site.pass(60);
        let dates = site.dates("/a");
        site.rename("b.md", "c.md");
        if !together {
            site.look(&["b.md", "c.md"]);
        }
        site.edit("a.md", "# A\n\nSee [the other](c.md).\n");
        site.look(&["a.md", "b.md", "c.md"]);
        assert_eq!(site.dates("/a"), dates, "{together}");
    }
}

#[test]
fn dates_updated_stays_with_another_converter() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    let dates = site.dates("/a");
    site.pass(60);
    let converter = Options { converter: 2, ..options() };
    site.catalog = Catalog::open(site.state.path(), "key".into(), converter, site.now).unwrap();
    let Sighting::Article(origin, mut article) = site.sighting("a.md") else { panic!() };
    article.title = "A, as converted by a later Sower".into();
    site.catalog.apply(vec![Sighting::Article(origin, article)], site.now).unwrap();
    assert_eq!(site.dates("/a"), dates);
    assert_eq!(site.titles(), ["A, as converted by a later Sower"]);
}

#[test]
fn what_was_cut_is_a_problem_of_an_article_that_is_published() {
    let mut site = Site::new();
    let long = "word ".repeat(200);
    site.write("a.md", &format!("# {long}\n\nText."));
    let problems = |site: &Site| -> Vec<String> {
        site.catalog.problems().unwrap().iter().map(|it| it.to_string()).collect()
    };
    let told = "a.md: expected a title of at most 500 characters, found 999; it is cut";
    assert_eq!(problems(&site), [told]);
    assert_eq!(site.titles().len(), 1);
    site.write("a.md", "# Short\n\nText.");
    assert_eq!(problems(&site), [""; 0]);
}

#[test]
fn promise_4_expires_withdraws_at_its_time_while_the_seed_is_broken() {
    for broken in ["---\ntitle: One\nnever closed", ""] {
        let mut site = Site::new();
        site.write("a.md", "---\nexpires: 2026-11-25T13:00:00Z\n---\n# One\n\nA text.");
        site.pass(10);
        site.edit("a.md", broken);
        site.look(&["a.md"]);
        assert_eq!(site.titles(), ["One"], "its last good version");
        site.pass(7200);
        assert_eq!(site.at("/a"), Place::Gone, "{broken:?}");
    }
}

// Withdrawal and the vanished folder

#[test]
fn withdrawal_waits_two_seconds_and_longer_while_more_goes() {
    let (mut site, names) = Site::with(9);
    site.delete(&names[..1]);
    site.pass(1);
    site.delete(&names[1..2]);
    site.pass(1);
    assert_eq!(site.live(), 9, "renewed");
    site.pass(1);
    assert_eq!(site.live(), 7, "judged together");
}

#[test]
fn withdrawal_waits_a_minute_at_most() {
    let mut site = Site::new();
    for number in 0..100 {
        site.write(&format!("{number}.md"), &text(&number.to_string()));
    }
    site.pass(3600);
    for number in 0..45 {
        site.remove(&format!("{number}.md"));
        site.look(&[&format!("{number}.md")]);
        site.now += SignedDuration::from_millis(1500);
        if site.catalog.due().is_some_and(|it| it <= site.now) {
            site.catalog.tick(site.now).unwrap();
        }
    }
    assert!(site.live() < 61, "{}", site.live());
}

#[test]
fn vanished_all_of_three_or_more_are_held_and_two_are_not() {
    for (count, left) in [(2, 0), (3, 3)] {
        let (mut site, names) = Site::with(count);
        site.delete(&names);
        site.pass(60);
        assert_eq!(site.live(), left, "{count}");
    }
}

#[test]
fn vanished_half_of_ten_or_more_is_held() {
    for (count, gone, left) in [(9, 8, 1), (10, 4, 6), (10, 5, 10), (11, 5, 6), (11, 6, 11)] {
        let (mut site, names) = Site::with(count);
        site.delete(&names[..gone]);
        site.pass(60);
        assert_eq!(site.live(), left, "{gone} of {count}");
    }
}

#[test]
fn vanished_counts_the_entries_of_ten_minutes_ago_alone() {
    let (mut site, names) = Site::with(10);
    // Another folder is mounted in its place: what it holds is new.
    site.delete(&names);
    for number in 50..80 {
        site.put(&format!("{number}.md"), &text(&number.to_string()));
        site.look(&[&format!("{number}.md")]);
    }
    site.pass(60);
    assert_eq!(site.live(), 40);
    assert_eq!(site.catalog.health().unwrap().reasons.len(), 1);
}

#[test]
fn vanished_what_a_person_confirmed_is_not_counted_again() {
    let (mut site, names) = Site::with(12);
    site.delete(&names[..8]);
    site.pass(60);
    assert_eq!(site.live(), 12);
    site.catalog.confirm(site.now).unwrap();
    assert_eq!(site.live(), 4);
    site.pass(60);
    site.delete(&names[8..9]);
    site.pass(60);
    assert_eq!(site.live(), 3, "nothing of what was confirmed returns");
}

#[test]
fn vanished_a_draft_that_was_removed_does_not_return() {
    let (mut site, names) = Site::with(12);
    site.edit(&names[0], &format!("---\ndraft: true\n---\n{}", text("10.md")));
    site.look(&[&names[0]]);
    site.pass(60);
    site.delete(&names[..1]);
    site.pass(60);
    site.delete(&names[1..]);
    site.pass(60);
    assert_eq!(site.live(), 11);
    assert_eq!(site.at("/10"), Place::Gone);
}

#[test]
fn vanished_what_went_within_ten_minutes_returns() {
    let (mut site, names) = Site::with(12);
    for name in &names[..8] {
        site.delete(std::slice::from_ref(name));
        site.pass(60);
    }
    assert_eq!(site.live(), 12);
    assert!(site.feed().tombstones.is_empty());
}

#[test]
fn vanished_another_file_system_holds_what_is_missing() {
    for slow in [false, true] {
        let (mut site, names) = Site::with(12);
        site.catalog.compared(1, 1, site.now).unwrap();
        site.pass(60);
        site.delete(&names[..1]);
        if slow {
            site.pass(10);
        }
        site.catalog.compared(2, 7, site.now).unwrap();
        site.pass(60);
        assert_eq!(site.live(), 12, "one of twelve, but another folder; slow: {slow}");
        assert_eq!(site.catalog.health().unwrap().reasons.len(), 1);
        site.put(&names[0], &text(&names[0]));
        site.look(&[&names[0]]);
        site.catalog.compared(2, 7, site.now).unwrap();
        site.pass(700);
        assert!(site.catalog.health().unwrap().reasons.is_empty());
        site.delete(&names[..1]);
        site.pass(60);
        assert_eq!(site.live(), 11, "it is this folder's state now");
    }
}

#[test]
fn vanished_a_lost_root_withdraws_nothing_until_a_person_confirms() {
    let (mut site, _) = Site::with(4);
    site.catalog.lost("not found").unwrap();
    site.pass(3600);
    assert_eq!(site.live(), 4);
    assert_eq!(site.catalog.health().unwrap().reasons.len(), 1);
    let (count, _) = site.catalog.confirm(site.now).unwrap();
    assert_eq!((count, site.live()), (4, 0));
}

#[test]
fn withdrawal_when_a_tombstone_says_so_it_stays_so() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    site.write("b.md", &text("B"));
    site.pass(60);
    site.edit("a.md", &format!("---\ndraft: true\n---\n{}", text("A")));
    site.look(&["a.md"]);
    let before = site.feed().tombstones;
    site.pass(60);
    site.edit("a.md", &dated("2027-01-01", "A"));
    site.look(&["a.md"]);
    assert_eq!(site.feed().tombstones, before, "withdrawn for another reason, but not again");
}

#[test]
fn withdrawal_tombstones_last_ninety_days() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    site.write("b.md", &text("B"));
    site.delete(&["a.md".into()]);
    site.pass(60);
    site.pass(89 * 24 * 3600);
    site.write("c.md", &text("C"));
    assert_eq!(site.feed().tombstones.len(), 1);
    site.pass(2 * 24 * 3600);
    site.write("d.md", &text("D"));
    assert_eq!(site.feed().tombstones.len(), 0);
    assert_eq!(site.at("/a"), Place::Gone, "for ever");
}

#[test]
fn withdrawal_no_more_tombstones_than_entries() {
    let (mut site, names) = Site::with(9);
    site.delete(&names[..7]);
    site.pass(60);
    assert_eq!(site.feed().entries.len(), 2);
    assert_eq!(site.feed().tombstones.len(), 2);
}

// URLs

#[test]
fn urls_a_newcomer_at_the_path_of_a_pending_withdrawal_waits_for_it() {
    let mut site = Site::new();
    site.write("a.txt", "A\nA text that says something.");
    site.write("z.md", &text("Z"));
    site.pass(60);
    site.remove("a.txt");
    site.look(&["a.txt"]);
    site.write("a.md", &text("B"));
    assert_eq!(site.live(), 2);
    site.pass(10);
    assert_eq!(site.live(), 2);
    assert!(matches!(site.at("/a"), Place::Entry(it, _) if it.article.title == "B"));
}

#[test]
fn urls_a_newcomer_that_waited_is_published_when_the_other_returns() {
    for moves in [false, true] {
        let mut site = Site::new();
        site.write("a.txt", "A\nA text that says something.");
        site.pass(60);
        let old = site.texts["a.txt"].clone();
        site.remove("a.txt");
        site.look(&["a.txt"]);
        site.write("a.md", &text("B"));
        assert_eq!(site.live(), 1);
        let back = if moves { "c.txt" } else { "a.txt" };
        site.write(back, &old);
        site.pass(3600);
        assert_eq!(site.live(), 2, "moves: {moves}");
        let at_a = if moves { "B" } else { "A" };
        assert!(matches!(site.at("/a"), Place::Entry(it, _) if it.article.title == at_a));
    }
}

#[test]
fn urls_live_beats_301_beats_410() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    site.write("z.md", &text("Z"));
    site.pass(60);
    site.rename("a.md", "b.md");
    site.look(&["a.md", "b.md"]);
    assert_eq!(site.at("/a"), Place::Moved("/b".into()));
    site.write("a.md", &text("Another"));
    let second = site.id("/a");
    site.pass(60);
    site.delete(&["a.md".into()]);
    site.pass(60);
    assert_eq!(site.at("/a"), Place::Moved("/b".into()), "a redirect beats a 410");
    site.delete(&["b.md".into()]);
    site.pass(60);
    assert_eq!(site.at("/a"), Place::Gone);
    site.write("a.md", &text("A third"));
    assert_ne!(site.id("/a"), second);
}

#[test]
fn urls_a_slug_that_changes_redirects() {
    let mut site = Site::new();
    site.write("n/a.md", "---\nslug: one\n---\n# A\n\nThe text.\n");
    let id = site.id("/n/one");
    site.edit("n/a.md", "---\nslug: two\n---\n# A\n\nThe text.\n");
    site.look(&["n/a.md"]);
    assert_eq!(site.id("/n/two"), id);
    assert_eq!(site.at("/n/one"), Place::Moved("/n/two".into()));
    site.edit("n/a.md", "---\nslug: one\n---\n# A\n\nThe text.\n");
    site.look(&["n/a.md"]);
    assert_eq!(site.id("/n/one"), id);
    assert_eq!(site.at("/n/two"), Place::Moved("/n/one".into()));
}

#[test]
fn urls_names_that_differ_in_case_or_normalisation_have_pages_of_their_own() {
    let mut site = Site::new();
    site.write("a.md", &text("small"));
    site.write("A.md", &text("large"));
    assert_ne!(site.id("/a"), site.id("/A"));
    site.write("Caf\u{e9}.md", &text("composed"));
    site.write("Cafe\u{301}.md", &text("decomposed"));
    assert_ne!(site.id("/Caf%C3%A9"), site.id("/Caf%C3%A9-2"));
    site.write("caf%E9.md", &text("looks encoded"));
    assert!(matches!(site.at("/caf%25E9"), Place::Entry(..)));
}

#[test]
fn urls_aliases_lead_and_never_hide_a_page() {
    let mut site = Site::new();
    site.write("a.md", "---\naliases: [/b, /old/a]\n---\n# A\n\nThe text.\n");
    assert_eq!(site.at("/b"), Place::Moved("/a".into()));
    site.write("b.md", &text("B"));
    assert!(matches!(site.at("/b"), Place::Entry(it, _) if it.article.title == "B"));
    site.write("c.md", "---\naliases: [/b, /old/a, /a]\n---\n# C\n\nThe text of C.\n");
    assert!(matches!(site.at("/a"), Place::Entry(it, _) if it.article.title == "A"));
    assert!(matches!(site.at("/b"), Place::Entry(it, _) if it.article.title == "B"));
    assert!(matches!(site.at("/old/a"), Place::Moved(_)));
}

#[test]
fn urls_a_path_below_a_withdrawn_one_has_its_page() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    site.write("z.md", &text("Z"));
    site.pass(60);
    site.delete(&["a.md".into()]);
    site.pass(60);
    site.write("a/b.md", &text("B"));
    assert_eq!(site.at("/a"), Place::Gone);
    assert!(matches!(site.at("/a/b"), Place::Entry(..)));
}

#[test]
fn vanished_the_folder_that_returns_is_judged_by_itself() {
    let (mut site, names) = Site::with(12);
    site.catalog.compared(1, 1, site.now).unwrap();
    site.delete(&names);
    site.catalog.compared(2, 7, site.now).unwrap();
    site.pass(3600);
    assert_eq!(site.live(), 12, "the disk is not mounted");
    for name in &names[1..] {
        site.put(name, &text(name));
    }
    site.look(&names.iter().map(String::as_str).collect::<Vec<_>>());
    site.catalog.compared(1, 1, site.now).unwrap();
    site.pass(60);
    assert_eq!(site.live(), 11, "it is mounted again, one article was removed");
    assert!(site.catalog.health().unwrap().reasons.is_empty());
}

#[test]
fn identity_a_move_onto_another_in_two_batches_is_a_move() {
    for order in [["a.md", "b.md"], ["b.md", "a.md"]] {
        let mut site = Site::new();
        for name in ["a.md", "b.md", "c.md"] {
            site.write(name, &text(name));
        }
        let b = site.id("/b");
        site.pass(10);
        site.remove("a.md");
        site.rename("b.md", "a.md");
        for name in order {
            site.look(&[name]);
        }
        site.pass(10);
        assert_eq!(site.id("/a"), b, "{order:?}");
        assert_eq!(site.at("/b"), Place::Moved("/a".into()));
        assert_eq!(site.live(), 2);
    }
}

#[test]
fn identity_a_draft_that_is_moved_onto_another_in_two_batches_is_a_move() {
    for order in [["a.md", "b.md"], ["b.md", "a.md"]] {
        let mut site = Site::new();
        for name in ["a.md", "b.md", "c.md"] {
            site.write(name, &text(name));
        }
        let b = site.id("/b");
        site.pass(10);
        site.edit("b.md", &format!("---\ndraft: true\n---\n{}", text("b.md")));
        site.look(&["b.md"]);
        site.pass(10);
        site.remove("a.md");
        site.rename("b.md", "a.md");
        site.edit("a.md", "# B, another way\n\nIt is ready.\n");
        // What looks at b.md first finds nothing there.
        for name in order.iter().rev() {
            site.look(&[name]);
        }
        site.pass(10);
        assert_eq!(site.id("/a"), b, "{order:?}");
        assert_eq!(site.live(), 2);
    }
}

#[test]
fn identity_a_file_that_was_moved_out_and_comes_back_under_another_name_is_itself() {
    let mut site = Site::new();
    for name in ["a.md", "b.md", "c.md", "d.md"] {
        site.write(name, &text(name));
    }
    let id = site.id("/a");
    let (stat, _) = (site.files["a.md"], site.remove("a.md"));
    site.look(&["a.md"]);
    site.pass(3600);
    assert_eq!(site.at("/a"), Place::Gone);
    site.files.insert("e.md".into(), stat);
    site.texts.insert("e.md".into(), text("edited meanwhile"));
    site.look(&["e.md"]);
    site.pass(10);
    assert_eq!(site.id("/e"), id);
    assert_eq!(site.at("/a"), Place::Moved("/e".into()));
}

#[test]
fn identity_what_cannot_be_read_proves_nothing() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    let id = site.id("/a");
    site.pass(10);
    site.write("drafts/a.md", &text("A"));
    // They are swapped, and the one that moved away cannot be read there.
    let (one, two) = (site.files["a.md"], site.files["drafts/a.md"]);
    site.files.insert("a.md".into(), two);
    site.files.insert("drafts/a.md".into(), one);
    let refused = Sighting::Unreadable { path: path("drafts/a.md"), reason: "EACCES".into() };
    let seen = vec![refused, site.sighting("a.md")];
    site.catalog.apply(seen, site.now).unwrap();
    site.pass(10);
    // An editor saves by a new file.
    site.put("a.md", &text("A, edited"));
    site.look(&["a.md"]);
    site.pass(10);
    assert_eq!(site.id("/a"), id);
    assert_eq!(site.titles(), ["A, edited"]);
}

#[test]
fn identity_a_hard_link_over_a_seed_is_its_revision_after_the_wait() {
    let mut site = Site::new();
    site.write("a.md", &text("A"));
    site.write("b.md", &text("B"));
    let (a, b) = (site.id("/a"), site.id("/b"));
    site.files.insert("a.md".into(), site.files["b.md"]);
    site.texts.insert("a.md".into(), text("B"));
    site.look(&["a.md"]);
    site.pass(3601);
    assert_eq!((site.id("/a"), site.id("/b")), (a, b));
    assert_eq!(site.titles(), ["B", "B"]);
}

#[test]
fn urls_a_format_that_is_changed_in_one_batch_keeps_the_path() {
    let mut site = Site::new();
    site.write("a.txt", "A\nA text that says something.");
    site.write("z.md", &text("Z"));
    site.pass(60);
    site.remove("a.txt");
    site.put("a.md", "# A\n\nA text that says something else.\n");
    site.look(&["a.md", "a.txt"]);
    site.pass(10);
    assert_eq!(site.live(), 2);
    assert!(matches!(site.at("/a"), Place::Entry(it, _) if it.path == path("a.md")));
}
