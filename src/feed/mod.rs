//! Entries to a feed: references filled, URLs absolute.
//!
//! In: what the catalog has for one document of a scope, and what the
//! configuration says of the site. Out: a [`Feed`] that says everything a format
//! can say, in no format.
//!
//! Pure: no clock, no file, no socket. The same selection and site give the same
//! feed, on every machine.
//!
//! Invariants
//! - Every URL in a [`Feed`] is absolute; [`fill`] alone knows where the site is.
//! - No two items of a feed have one id (RFC 4287, section 4.1.1).
//! - Mail addresses, URLs, media types and language tags that are none are left
//!   out here, so that all formats agree on what is there.
//!
//! A fact that formats need is a field of [`Item`], filled in [`item`].

pub mod fill;
mod item;
mod media;
pub mod page;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::catalog::entry::{Entry, Leads, Part, Selection};
use crate::catalog::identity::NAMESPACE;
use crate::catalog::scope::Scope;
use crate::convert::article::Person;
use crate::feed::fill::Places;
use crate::feed::page::{Feed, Item, Site};

/// The feed that shows `selection`.
pub fn build(site: &Site, selection: Selection) -> Feed {
    let Selection { scope, label, part, entries, tombstones, leads, older, newer, changed } =
        selection;
    let items = items(site, entries, &leads);
    let mut feed = channel(site, scope, &label, &items, changed);
    feed.part = part;
    feed.items = items;
    feed.tombstones = tombstones;
    feed.older = older;
    feed.newer = newer;
    feed
}

/// The site's channel with this one entry, for the entry's page.
pub fn single(site: &Site, entry: Entry, leads: &Leads) -> Feed {
    let changed = entry.updated;
    let items = items(site, vec![entry], leads);
    let mut feed = channel(site, Scope::Site, "", &items, changed);
    feed.items = items;
    feed
}

/// The id of a scope's feed: `urn:uuid:` of the version 5 UUID (RFC 9562, section
/// 5.5) of the site's key, a NUL and the scope's name. Paths hold no NUL, so no
/// seed's id is minted from the same name.
pub fn feed_id(key: &str, scope: &Scope) -> String {
    let name = format!("{key}\0{}", scope.name());
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).urn().to_string()
}

fn items(site: &Site, entries: Vec<Entry>, leads: &Leads) -> Vec<Item> {
    let places = Places { base_url: &site.base_url, leads };
    let mut seen = HashSet::new();
    let fresh = entries.into_iter().filter(|entry| seen.insert(entry.id.clone()));
    fresh.map(|entry| item::item(&places, entry, site.max_body)).collect()
}

/// A feed of `scope` without items.
fn channel(site: &Site, scope: Scope, label: &str, items: &[Item], changed: Timestamp) -> Feed {
    let site_title = match is_blank(&site.title) {
        true => host(&site.base_url),
        false => &site.title,
    };
    let title = match is_blank(label) {
        true => site_title.to_owned(),
        false => format!("{label} \u{2013} {site_title}"),
    };
    let description = match is_blank(&site.description) {
        true => title.clone(),
        false => site.description.clone(),
    };
    let language = match &scope {
        Scope::Language(_) => language(label),
        _ => None,
    };
    let author = site.author.clone().and_then(person);
    let places = Places { base_url: &site.base_url, leads: &Leads::default() };
    let folder = places.scope(&scope);
    Feed {
        part: Part::Current,
        id: feed_id(&site.key, &scope),
        description,
        language: language
            .or_else(|| site.language.as_deref().and_then(self::language))
            .or_else(|| most_common_language(items)),
        author: author.unwrap_or_else(|| Person {
            name: site_title.to_owned(),
            uri: None,
            email: None,
        }),
        copyright: site.copyright.clone().filter(|it| !is_blank(it)),
        home: folder.clone(),
        folder,
        updated: changed,
        modified: changed.max(site.since),
        items: Vec::new(),
        tombstones: Vec::new(),
        older: None,
        newer: None,
        title,
        scope,
    }
}

/// Of equals the one that is met first, hence the newest entry's.
fn most_common_language(items: &[Item]) -> Option<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for language in items.iter().filter_map(|it| it.language.as_deref()) {
        *counts.entry(language).or_default() += 1;
    }
    let most = *counts.values().max()?;
    let mut languages = items.iter().filter_map(|it| it.language.as_deref());
    languages.find(|it| counts[it] == most).map(str::to_owned)
}

/// `tag` where it has the shape of a language tag (RFC 5646, section 2.1).
fn language(tag: &str) -> Option<String> {
    let mut subtags = tag.split('-');
    let primary = subtags.next()?;
    let is_primary =
        (2..=8).contains(&primary.len()) && primary.bytes().all(|it| it.is_ascii_alphabetic());
    let is_rest = subtags.all(|subtag| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|it| it.is_ascii_alphanumeric())
    });
    (is_primary && is_rest).then(|| tag.to_owned())
}

/// `None` for a person without a name; without what is no mail address or URL.
fn person(person: Person) -> Option<Person> {
    let Person { name, uri, email } = person;
    (!is_blank(&name)).then(|| Person {
        name,
        uri: uri.and_then(|it| fill::web_url(&it)),
        email: email.filter(|it| is_mail_address(it)),
    })
}

/// Whether this is an address as everybody writes them: a dot-atom of RFC 5322,
/// section 3.2.3, at a host name with a dot. Quoted local parts and address
/// literals are none.
fn is_mail_address(text: &str) -> bool {
    let is_atom = |atom: &str, others: &str| {
        !atom.is_empty() && atom.chars().all(|it| it.is_ascii_alphanumeric() || others.contains(it))
    };
    let Some((local, host)) = text.split_once('@') else { return false };
    local.split('.').all(|it| is_atom(it, "!#$%&'*+-/=?^_`{|}~"))
        && host.contains('.')
        && host.split('.').all(|it| is_atom(it, "-"))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|it| it.is_whitespace() || it.is_control())
}

fn host(base_url: &str) -> &str {
    base_url.split_once("://").map_or(base_url, |(_, rest)| rest)
}
