//! What readers make of a feed over time, on a real catalog whose folder changes at
//! random: those who ask for what changed since their version (RFC 3229), and those
//! who follow the archive (RFC 5005, section 4).

#![allow(clippy::unwrap_used)]

mod archive;
mod delta;
mod folder;

use proptest::prelude::*;

use crate::folder::Folder;

/// What happens in the folder.
#[derive(Debug, Clone)]
pub enum Step {
    /// An article, whose text and tag go by the number.
    Write(usize, u32),
    /// An article with a date of its own, so many days ago.
    Dated(usize, u32),
    /// An article that links to another one and shows a picture.
    Linked(usize, usize),
    Draft(usize),
    Remove(usize),
    Rename(usize, usize),
    Picture(u32),
    Pass(i64),
}

/// So many names an article may have.
const NAMES: usize = 30;

fn name(number: usize) -> String {
    let folder = ["", "news/", "news/korea/"][number % 3];
    format!("{folder}a{}.md", number % NAMES)
}

pub fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES;
    prop_oneof![
        6 => (name(), 0..1000u32).prop_map(|(name, number)| Step::Write(name, number)),
        1 => (name(), 0..60u32).prop_map(|(name, days)| Step::Dated(name, days)),
        1 => (name(), name()).prop_map(|(name, to)| Step::Linked(name, to)),
        1 => name().prop_map(Step::Draft),
        2 => name().prop_map(Step::Remove),
        1 => (name(), name()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => (1..4u32).prop_map(Step::Picture),
        2 => prop_oneof![Just(0), Just(1), Just(60), Just(4000), Just(90_000)].prop_map(Step::Pass),
    ]
}

pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..most)
}

/// Does it; what cannot be done in this folder is left.
pub fn act(folder: &mut Folder, step: &Step) {
    match *step {
        Step::Write(at, number) => {
            let tag = ["bridges", "rivers"][number as usize % 2];
            let text =
                format!("---\ntags: [{tag}]\n---\n# Title {}\n\nText {number}.\n", number % 7);
            folder.write(&name(at), &text);
        }
        Step::Dated(at, days) => {
            let date = folder.now - jiff::SignedDuration::from_hours(24 * i64::from(days));
            let text = format!("---\ndate: {date}\n---\n# Dated\n\nText of {at}, {days}.\n");
            folder.write(&name(at), &text);
        }
        Step::Linked(at, to) => {
            let text = format!("# Linked\n\nFrom {at} to [it](/{}). ![p](/p.png)\n", name(to));
            folder.write(&name(at), &text);
        }
        Step::Draft(at) => {
            folder.write(&name(at), "---\ndraft: true\n---\n# Draft\n\nNot yet.\n");
        }
        Step::Remove(at) => {
            if folder.text(&name(at)).is_some() {
                folder.remove(&name(at));
            }
        }
        Step::Rename(from, to) => {
            if folder.text(&name(from)).is_some() && folder.text(&name(to)).is_none() {
                folder.rename(&name(from), &name(to));
            }
        }
        Step::Picture(width) => {
            folder.picture("p.png", width);
        }
        Step::Pass(seconds) => {
            folder.pass(seconds);
        }
    }
}
