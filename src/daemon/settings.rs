//! What the configuration says to each stage.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::chosen::Feeds;
use crate::catalog::order::Limits;
use crate::catalog::permalink;
use crate::catalog::rows::Micros;
use crate::catalog::{self, Catalog, Own};
use crate::config::Config;
use crate::convert;
use crate::daemon::theme;
use crate::feed::page::{OwnFeed, Site};
use crate::line;
use crate::render::theme::Theme;
use crate::watch;
use crate::watch::seed::SeedPath;

fn micros(duration: Duration) -> Micros {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn catalog_options(config: &Config, convert: &convert::Options) -> catalog::Options {
    catalog::Options {
        feeds: Feeds {
            limits: Limits { limit: config.feed.limit, max: config.feed.max },
            chosen: config.feed.own.iter().map(|it| it.chosen.clone()).collect(),
        },
        copy_wait: micros(config.catalog.copy_wait),
        tombstones: micros(config.catalog.tombstones),
        backdate: micros(config.feed.backdate),
        vanished_share: config.catalog.vanished_share,
        converter: convert::VERSION,
        convert_options: line::options_digest(convert),
    }
}

pub(super) fn convert_options(config: &Config) -> convert::Options {
    convert::Options {
        timezone: config.site.timezone.clone(),
        max_bytes: config.convert.max_bytes,
        published_folders: config.convert.published_folders.clone(),
        strip: config.convert.strip.clone(),
    }
}

pub(super) fn watch_options(config: &Config) -> watch::Options {
    watch::Options {
        root: config.seeds.clone(),
        settle: config.watch.settle,
        mode: config.watch.mode,
        compare_every: config.watch.compare_every,
        max_bytes: config.convert.max_bytes,
        follow_links: config.watch.follow_links,
        is_seed: convert::is_seed,
    }
}

/// The site's own words, defaults filled in.
pub(super) fn site(
    config: &Config,
    base_url: String,
    key: String,
    catalog: &mut Catalog,
    now: Timestamp,
) -> Result<Site, String> {
    let words = &config.site;
    let title = words.title.clone().unwrap_or_else(|| folder_name(&config.seeds));
    let picture = |it: &str| picture(&base_url, it);
    let (icon, logo, image) = (
        words.icon.as_deref().map(picture),
        words.logo.as_deref().map(picture),
        words.image.as_deref().map(picture),
    );
    let mut site = Site {
        base_url,
        key,
        description: words.description.clone().unwrap_or_else(|| format!("Articles from {title}")),
        title,
        language: words.language.clone(),
        author: words.author.clone(),
        copyright: words.copyright.clone(),
        icon,
        logo,
        image,
        ttl: config.feed.ttl,
        hubs: Vec::new(),
        max_body: config.feed.max_body,
        feeds: config
            .feed
            .own
            .iter()
            .map(|it| OwnFeed {
                folder: it.chosen.folder.clone(),
                title: it.title.clone(),
                has_full_text: it.has_full_text,
            })
            .collect(),
        since: Timestamp::UNIX_EPOCH,
    };
    // Other limits and another Sower make other documents of the same entries, too.
    let all = format!("{} {:?} {site:?}", env!("CARGO_PKG_VERSION"), config.feed);
    let digest = blake3::hash(all.as_bytes()).to_string();
    site.since = catalog.since(Own::Words, &digest, now).map_err(|it| it.to_string())?.0;
    Ok(site)
}

/// The look of the theme's folder, tried on, and the folder, if the configuration names
/// one; else the built-in look.
pub(super) fn theme(
    config: &Config,
    site: &Site,
    catalog: &mut Catalog,
    now: Timestamp,
) -> Result<(Option<theme::Folder>, Theme), String> {
    let mut folder = config.theme.clone().map(theme::Folder::new);
    let theme = folder.as_mut().map_or_else(Theme::default, theme::Folder::read);
    let since = catalog.since(Own::Look, theme.digest(), now).map_err(|it| it.to_string())?.0;
    let theme = theme.worn_since(since);
    if folder.is_some() {
        line::try_on(site, &theme);
        theme::tell(&theme);
    }
    Ok((folder, theme))
}

/// The absolute URL of a picture: one already, or a path in the seeds folder.
fn picture(base_url: &str, text: &str) -> String {
    if text.starts_with("https://") || text.starts_with("http://") {
        return text.to_owned();
    }
    match SeedPath::new(text.trim_start_matches('/')) {
        Some(path) => format!("{base_url}{}", permalink::of_file(&path)),
        None => format!("{base_url}/{}", text.trim_start_matches('/')),
    }
}

/// A title for a site that has none: the name of its folder.
fn folder_name(seeds: &Path) -> String {
    let whole = std::fs::canonicalize(seeds).unwrap_or_else(|_| seeds.to_owned());
    let name = whole.file_name().map(|it| it.to_string_lossy().trim().to_owned());
    name.filter(|it| !it.is_empty()).unwrap_or_else(|| "Seeds".into())
}
