//! Lists of scopes and entries, with absolute URLs.

use jiff::Timestamp;

use crate::catalog::entry::{self, Listed, Period};
use crate::catalog::scope::Scope;
use crate::feed::fill::Places;
use crate::feed::page::{Calendar, Directory, Feed, Headline, Section, Site, Times};
use crate::feed::{channel, is_blank};

/// All scopes, each with the address of its page; `changed` is when the site was.
pub fn directory(site: &Site, scopes: Vec<Listed>, changed: Timestamp) -> Directory {
    let sections = sections(site, &scopes);
    Directory { channel: channel(site, Scope::Site, "", &[], changed), sections }
}

/// Scopes with the addresses of their pages.
pub fn sections(site: &Site, scopes: &[Listed]) -> Vec<Section> {
    let url = |it: &Scope| format!("{}{}", site.base_url, it.folder());
    scopes
        .iter()
        .map(|Listed { scope, label, live }| Section {
            scope: scope.clone(),
            label: if is_blank(label) { site.title.clone() } else { label.clone() },
            url: url(scope),
            entries: *live,
            is_own: site.own_feed(scope).is_some(),
        })
        .collect()
}

/// The entries of a time.
pub fn calendar(site: &Site, calendar: entry::Calendar, changed: Timestamp) -> Calendar {
    let entry::Calendar { period, headlines: listed, parts } = calendar;
    let times =
        |period: Period| Times { period, url: format!("{}{}", site.base_url, period.path()) };
    Calendar {
        channel: channel(site, Scope::Site, "", &[], changed),
        around: period.around().map(times),
        own: times(period),
        headlines: headlines(site, listed),
        parts: parts.into_iter().map(times).collect(),
    }
}

/// Entries with the addresses of their pages.
pub fn headlines(site: &Site, headlines: Vec<entry::Headline>) -> Vec<Headline> {
    let places = Places { base_url: &site.base_url, leads: &Default::default() };
    headlines
        .into_iter()
        .map(|it| Headline {
            title: it.title,
            url: places.page(&it.permalink),
            published: it.published,
            updated: it.updated,
        })
        .collect()
}

/// The site's channel without entries.
pub fn site(site: &Site, changed: Timestamp) -> Feed {
    channel(site, Scope::Site, "", &[], changed)
}
