//! What Sower is told: flags win over `SOWER_*` variables, these over the file, this
//! over the defaults.
//!
//! Two steps: what was [`written`], where every key may be missing, and what is
//! meant, a [`Config`] in which everything is checked and filled in. A new key is a
//! line in each of them and one in `config/sower.toml`; tests hold the three
//! together.

pub mod listen;
mod serving;
pub mod units;
pub mod written;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::catalog::chosen::{Chosen, Filter};
use crate::catalog::permalink;
use crate::config::listen::Listen;
pub use crate::config::serving::{Metrics, Serve, Tls};
use crate::config::units::{Size, Span};
use crate::config::written::{Format, Level, Requests, Written};
use crate::convert::article::Person;
use crate::serve::Caching;
use crate::watch::Mode;

/// What is meant.
#[derive(Debug, Clone)]
pub struct Config {
    pub seeds: PathBuf,
    /// `None`: the one that belongs to the seeds folder.
    pub state: Option<PathBuf>,
    /// A folder of templates and a stylesheet.
    pub theme: Option<PathBuf>,
    pub site: Site,
    pub watch: Watch,
    pub convert: Convert,
    pub catalog: Catalog,
    pub feed: Feed,
    pub shelf: Shelf,
    pub serve: Serve,
    pub tls: Tls,
    pub cache: Caching,
    pub metrics: Metrics,
    pub log: Log,
    /// Variables that look like ours and are set by others.
    pub foreign: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Site {
    /// Without a slash at its end. `None`: from the listening address.
    pub base_url: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub language: Option<String>,
    pub timezone: TimeZone,
    pub author: Option<Person>,
    pub copyright: Option<String>,
    /// URLs, or paths in the seeds folder.
    pub icon: Option<String>,
    pub logo: Option<String>,
    pub image: Option<String>,
    pub key: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Watch {
    pub mode: Mode,
    pub settle: Duration,
    pub compare_every: Duration,
    pub follow_links: bool,
}

#[derive(Debug, Clone)]
pub struct Convert {
    pub max_bytes: u64,
    pub published_folders: Vec<String>,
    pub strip: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Catalog {
    pub copy_wait: Duration,
    pub tombstones: Duration,
    pub vanished_share: f64,
}

#[derive(Debug, Clone)]
pub struct Feed {
    pub limit: u32,
    pub max: u32,
    pub backdate: Duration,
    pub max_body: usize,
    /// In minutes.
    pub ttl: Option<u32>,
    pub own: Vec<OwnFeed>,
}

/// A feed that chooses its articles.
#[derive(Debug, Clone)]
pub struct OwnFeed {
    pub chosen: Chosen,
    pub title: Option<String>,
    pub has_full_text: bool,
}

#[derive(Debug, Clone)]
pub struct Shelf {
    pub memory: usize,
}

#[derive(Debug, Clone)]
pub struct Log {
    pub level: Level,
    pub format: Format,
    pub requests: Requests,
    /// `None`: standard output.
    pub requests_file: Option<PathBuf>,
}

/// What is wrong with what was written, in one line: where, what was expected, what
/// was found, and the nearest right name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// Everything together: `flags` over the variables of `environment` over the text of
/// a file, each with its name, over the defaults.
pub fn load(
    flags: Written,
    environment: impl IntoIterator<Item = (String, String)>,
    file: Option<(&Path, &str)>,
) -> Result<Config, Error> {
    let from_file = match file {
        Some((path, text)) => {
            parse(text).map_err(|it| Error(format!("{}:{it}", path.display())))?
        }
        None => Written::default(),
    };
    let (mut from_environment, mut foreign) = (Written::default(), Vec::new());
    for (name, value) in environment {
        let Some(key) = name.strip_prefix("SOWER_").filter(|it| *it != "CONFIG") else { continue };
        if is_of_a_service(key, &value) {
            foreign.push(name);
            continue;
        }
        from_environment = variable(&name, key, &value)?.over(from_environment);
    }
    let config = checked(flags.over(from_environment).over(from_file))?;
    Ok(Config { foreign, ..config })
}

/// Whether a variable, without `SOWER_`, tells of a service named `sower`: containers get
/// such from Kubernetes and from links of Docker.
fn is_of_a_service(key: &str, value: &str) -> bool {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let is_url =
        |it: &str| ["tcp://", "udp://", "sctp://"].iter().any(|scheme| it.starts_with(scheme));
    if key == "SERVICE_HOST" {
        return true;
    }
    if key == "SERVICE_PORT" || key.starts_with("SERVICE_PORT_") {
        return is_number(value);
    }
    let Some(rest) = key.strip_prefix("PORT") else { return false };
    let mut words = rest.split('_').skip(1);
    match (words.next(), words.next(), words.next(), words.next()) {
        (None, ..) => rest.is_empty() && is_url(value),
        (Some(port), Some("TCP" | "UDP" | "SCTP"), None, _) => is_number(port) && is_url(value),
        (Some(port), Some("TCP" | "UDP" | "SCTP"), Some("PROTO" | "PORT" | "ADDR"), None) => {
            is_number(port)
        }
        _ => false,
    }
}

/// The text of a file; an error begins with its line and column.
fn parse(text: &str) -> Result<Written, String> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |it| it.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{line}:{column}: {}", explained(error.message()))
    })
}

/// The message of an unknown key with the nearest right one; others as they are.
fn explained(message: &str) -> String {
    let message = message.replace('\n', "; ");
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match (message.strip_prefix("unknown field "), names.split_first()) {
        (Some(_), Some((found, known))) => {
            let mut text = format!("expected a known key, found `{found}`");
            if let Some(nearest) = nearest(found, known.iter().copied()) {
                text.push_str(&format!("; did you mean `{nearest}`?"));
            }
            text
        }
        _ => message,
    }
}

fn nearest<'k>(found: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|it| (strsim::damerau_levenshtein(found, it), it))
        .filter(|(distance, it)| *distance <= it.len().max(4) / 2)
        .min()
        .map(|it| it.1)
}

/// One variable: `SOWER_FEED_LIMIT` is `limit` of `[feed]`.
fn variable(name: &str, key: &str, value: &str) -> Result<Written, Error> {
    let short = [("LISTEN", ("serve", "listen")), ("BASE_URL", ("site", "base_url"))];
    let mut all = short.map(|(short, place)| (short.to_owned(), place)).to_vec();
    for &(table, keys) in Written::TABLES {
        for key in keys {
            let long = if table.is_empty() { (*key).to_owned() } else { format!("{table}_{key}") };
            all.push((long.to_ascii_uppercase(), (table, key)));
        }
    }
    let Some((_, (table, key))) = all.iter().find(|it| it.0 == key) else {
        let mut text = format!("expected a known variable, found `{name}`");
        if let Some(nearest) = nearest(key, all.iter().map(|it| it.0.as_str())) {
            text.push_str(&format!("; did you mean `SOWER_{nearest}`?"));
        }
        return Err(Error(text));
    };
    let head = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
    let as_text = format!("{head}{key} = {}", toml::Value::String(value.to_owned()));
    let as_typed = format!("{head}{key} = {value}");
    toml::from_str(&as_text)
        .or_else(|error: toml::de::Error| toml::from_str(&as_typed).map_err(|_| error))
        .map_err(|error| Error(format!("{name}: {}", explained(error.message()))))
}

fn checked(written: Written) -> Result<Config, Error> {
    let Written { seeds, state, theme, site, watch, convert, catalog, feed, feeds, shelf, .. } =
        written;
    let Written { serve, tls, cache, metrics, log, .. } = written;
    let written::Feeds { table: feed, own } = feed;
    let own = own_feeds([own, feeds].concat())?;
    let serve = serving::serve(serve)?;
    let tls = serving::tls(tls)?;
    let base_url = site.base_url.as_deref().map(base_url).transpose()?;
    if base_url.is_none() {
        has_real_addresses(serve.listen.iter().chain(&tls.listen))?;
    }
    let zone = site.timezone.as_deref().unwrap_or("UTC");
    let timezone = TimeZone::get(zone).map_err(|_| {
        Error(format!(
            "expected a time zone such as \"Europe/Berlin\" in `site.timezone`, found \"{zone}\""
        ))
    })?;
    let vanished_share = catalog.vanished_share.unwrap_or(0.5);
    if !(vanished_share > 0.0 && vanished_share <= 1.0) {
        return Err(Error(format!(
            "expected a share above 0 and at most 1 in `catalog.vanished_share`, found {vanished_share}"
        )));
    }
    let limit = feed.limit.unwrap_or(50);
    let max = feed.max.unwrap_or(200);
    if limit == 0 || max < limit {
        return Err(Error(format!(
            "expected `feed.limit` of at least 1 and `feed.max` of at least that, found {limit} and {max}"
        )));
    }
    let poll = span(watch.poll_interval, Duration::from_secs(2));
    Ok(Config {
        seeds: seeds.unwrap_or_else(|| "seeds".into()),
        state,
        theme,
        site: Site {
            base_url,
            title: site.title,
            description: site.description,
            language: site.language,
            timezone,
            author: site.author.map(|it| Person { name: it.name, uri: it.uri, email: it.email }),
            copyright: site.copyright,
            icon: site.icon,
            logo: site.logo,
            image: site.image,
            key: site.key,
        },
        watch: Watch {
            mode: match watch.mode.unwrap_or(written::Mode::Auto) {
                written::Mode::Auto => Mode::Auto,
                written::Mode::Events => Mode::Events,
                written::Mode::Poll => Mode::Poll(poll),
            },
            settle: span(watch.settle, Duration::from_millis(300)),
            compare_every: span(watch.compare_every, Duration::from_secs(600)),
            follow_links: watch.follow_links.unwrap_or(false),
        },
        convert: Convert {
            max_bytes: size(convert.max_bytes, 8_000_000),
            published_folders: convert.published_folders.unwrap_or_else(|| vec!["_posts".into()]),
            strip: convert.strip.unwrap_or_default(),
        },
        catalog: Catalog {
            copy_wait: span(catalog.copy_wait, Duration::from_secs(3600)),
            tombstones: span(catalog.tombstones, Duration::from_secs(90 * 86_400)),
            vanished_share,
        },
        feed: Feed {
            limit,
            max,
            backdate: span(feed.backdate, Duration::from_secs(30 * 86_400)),
            max_body: bytes(feed.max_body, 1_000_000),
            ttl: feed.ttl.map(|it| u32::try_from(it.0.as_secs().div_ceil(60)).unwrap_or(u32::MAX)),
            own,
        },
        shelf: Shelf { memory: bytes(shelf.memory, 64_000_000) },
        serve,
        tls,
        cache: serving::cache(cache)?,
        metrics: serving::metrics(metrics),
        log: Log {
            level: log.level.unwrap_or(Level::Info),
            format: log.format.unwrap_or(Format::Text),
            requests: log.requests.unwrap_or(Requests::Off),
            requests_file: log.requests_file,
        },
        foreign: Vec::new(),
    })
}

/// Feeds name the address of their site: without a base URL that is the one it
/// listens on.
fn has_real_addresses<'l>(all: impl Iterator<Item = &'l Listen>) -> Result<(), Error> {
    let mut has_address = false;
    for listen in all {
        let Listen::Tcp(address) = listen else { continue };
        has_address = true;
        if address.ip().is_unspecified() {
            return Err(Error(format!(
                "expected `site.base_url` beside the listening address {address}, found none; feeds \
                 need real addresses: set it to what readers type, such as \"https://example.org\""
            )));
        }
    }
    if !has_address {
        return Err(Error(
            "expected `site.base_url` or an address in `serve.listen`, found neither; feeds need \
             real addresses: set it to what readers type, such as \"https://example.org\""
                .into(),
        ));
    }
    Ok(())
}

fn span(written: Option<Span>, default: Duration) -> Duration {
    written.map_or(default, |it| it.0)
}

fn size(written: Option<Size>, default: u64) -> u64 {
    written.map_or(default, |it| it.0)
}

fn bytes(written: Option<Size>, default: u64) -> usize {
    usize::try_from(size(written, default)).unwrap_or(usize::MAX)
}

fn own_feeds(written: Vec<written::OwnFeed>) -> Result<Vec<OwnFeed>, Error> {
    let mut own: Vec<OwnFeed> = Vec::with_capacity(written.len());
    for it in written {
        let name = it.name.trim().to_owned();
        let Some(folder) = permalink::of_folder(&it.path).filter(|_| !name.is_empty()) else {
            return Err(Error(format!(
                "expected a name and a path such as \"best/korea\" of a feed, found \"{}\" and \
                 \"{}\"; `feed` and `archives` are taken everywhere, `tags`, `authors`, \
                 `languages` and the like at the beginning",
                it.name, it.path
            )));
        };
        if own.iter().any(|other| other.chosen.folder == folder) {
            return Err(Error(format!(
                "expected feeds at different paths, found two at \"{}\"",
                it.path
            )));
        }
        if it.limit == Some(0) {
            return Err(Error(format!("expected a `limit` of at least 1 of \"{name}\", found 0")));
        }
        own.push(OwnFeed {
            chosen: Chosen {
                folder,
                label: name,
                limit: it.limit,
                filter: Filter {
                    folders: it.folder.into(),
                    tags: it.tag.into(),
                    authors: it.author.into(),
                    languages: it.language.into(),
                    kinds: it.kind.into(),
                    texts: it.text.into(),
                },
            },
            title: it.title,
            has_full_text: it.content != Some(written::Content::Summary),
        });
    }
    Ok(own)
}

fn base_url(text: &str) -> Result<String, Error> {
    let wrong = || {
        Error(format!(
            "expected an absolute address such as \"https://example.org/blog\" in `site.base_url`, \
             found \"{text}\""
        ))
    };
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if is_plain { Ok(url.as_str().trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../config/sower.toml");

    fn from_file(text: &str) -> Result<Config, Error> {
        load(Written::default(), [], Some((Path::new("s.toml"), text)))
    }

    #[test]
    fn the_file_names_every_key_with_its_default() {
        let told = from_file(FILE).unwrap();
        let untold = load(Written::default(), [], None).unwrap();
        assert_eq!(format!("{told:?}"), format!("{untold:?}"));
        for (table, keys) in Written::TABLES {
            let body = match *table {
                "" => FILE.split("\n[").next().unwrap(),
                table => {
                    let head = format!("\n[{table}]\n");
                    let (_, body) = FILE.split_once(&head).expect(table);
                    body.split("\n[").next().unwrap()
                }
            };
            for key in *keys {
                let is_there = body.lines().any(|it| {
                    it.trim_start_matches("# ")
                        .strip_prefix(key)
                        .is_some_and(|it| it.starts_with(" ="))
                });
                assert!(is_there, "`{key}` of [{table}] is not in config/sower.toml");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let table = [
            (
                "[feed]\nlimt = 5",
                "s.toml:2:1: expected a known key, found `limt`; did you mean `limit`?",
            ),
            (
                "sedes = \"x\"",
                "s.toml:1:1: expected a known key, found `sedes`; did you mean `seeds`?",
            ),
            (
                "[watch]\nsettle = \"soon\"",
                "s.toml:2:10: invalid value: string \"soon\", expected a duration such as \"300ms\", \
                 \"10m\" or \"90d\"",
            ),
            ("[feed]\nlimit = \"x\"", "s.toml:2:9: invalid type: string \"x\", expected u32"),
            (
                "[site]\nbase_url = \"example.org\"",
                "expected an absolute address such as \"https://example.org/blog\" in \
                 `site.base_url`, found \"example.org\"",
            ),
            (
                "[serve]\nlisten = \"0.0.0.0:80\"",
                "expected `site.base_url` beside the listening address 0.0.0.0:80, found none; feeds \
                 need real addresses: set it to what readers type, such as \"https://example.org\"",
            ),
        ];
        for (text, message) in table {
            assert_eq!(from_file(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn feeds_of_ones_own() {
        let text = "[feed]\nlimit = 7\n[[feeds]]\nname = \"Korea\"\npath = \"/best/of korea/\"\n\
                    tag = \"korea\"\nlanguage = [\"en\", \"ko\"]\ncontent = \"summary\"";
        let config = from_file(text).unwrap();
        assert_eq!((config.feed.limit, config.feed.own.len()), (7, 1));
        let own = &config.feed.own[0];
        assert_eq!((own.chosen.folder.as_str(), own.has_full_text), ("best/of-korea", false));
        assert_eq!(own.chosen.filter.tags, ["korea"]);
        assert_eq!(own.chosen.filter.languages, ["en", "ko"]);
        let config = from_file("[[feed]]\nname = \"A\"\npath = \"a\"").unwrap();
        assert_eq!(config.feed.own[0].chosen.label, "A");
        let wrong = [
            ("name = \"A\"\npath = \"tags/a\"", "expected a name and a path"),
            ("name = \"A\"\npath = \"a/feed\"", "expected a name and a path"),
            ("name = \"A\"\npath = \"/\"", "expected a name and a path"),
            ("name = \" \"\npath = \"a\"", "expected a name and a path"),
            ("name = \"A\"\npath = \"a\"\nlimit = 0", "expected a `limit` of at least 1"),
            ("name = \"A\"\npath = \"a\"\ntgas = \"x\"", "s.toml:4:1: expected a known key"),
            ("name = \"A\"", "s.toml:1:1: missing field `path`"),
            (
                "name = \"A\"\npath = \"a\"\n[[feeds]]\nname = \"B\"\npath = \"a/\"",
                "expected feeds at different paths",
            ),
        ];
        for (text, message) in wrong {
            let told = from_file(&format!("[[feeds]]\n{text}")).unwrap_err().to_string();
            assert!(told.starts_with(message), "{told}");
        }
    }

    #[test]
    fn flags_win_over_the_environment_over_the_file() {
        let file = Some((Path::new("s.toml"), "seeds = \"file\"\n[feed]\nlimit = 7\nmax = 70"));
        let environment = [("SOWER_SEEDS", "variable"), ("SOWER_FEED_LIMIT", "9"), ("PATH", "x")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let flags = Written { seeds: Some("flag".into()), ..Written::default() };
        let config = load(flags, environment.clone(), file).unwrap();
        assert_eq!(config.seeds, Path::new("flag"));
        assert_eq!((config.feed.limit, config.feed.max), (9, 70));
        let config = load(Written::default(), environment, file).unwrap();
        assert_eq!(config.seeds, Path::new("variable"));
    }

    #[test]
    fn variables_that_tell_of_services_are_not_ours() {
        let table = [
            ("SERVICE_HOST", "10.0.0.7", true, ""),
            ("SERVICE_PORT", "80", true, ""),
            ("SERVICE_PORT_HTTP", "80", true, "a port with a name"),
            ("PORT", "tcp://10.0.0.7:80", true, ""),
            ("PORT_80_TCP", "tcp://10.0.0.7:80", true, ""),
            ("PORT_80_TCP_PROTO", "tcp", true, ""),
            ("PORT_80_TCP_PORT", "80", true, ""),
            ("PORT_53_UDP_ADDR", "10.0.0.7", true, ""),
            ("PORT", "8080", false, "a person who means `SOWER_LISTEN`"),
            ("PORT_80", "tcp://10.0.0.7:80", false, "no protocol"),
            ("PORTS", "tcp://10.0.0.7:80", false, "another name"),
            ("SERVICE_PORT", "http", false, "no number"),
            ("PORT_80_TCP_NAME", "x", false, "nobody sets it"),
            ("SERVE_LISTEN", "127.0.0.1:80", false, "ours"),
        ];
        for (key, value, expected, why) in table {
            assert_eq!(is_of_a_service(key, value), expected, "{key}={value}: {why}");
        }
        let environment = [("SOWER_PORT", "tcp://10.0.0.7:80"), ("SOWER_FEED_LIMIT", "9")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = load(Written::default(), environment, None).unwrap();
        assert_eq!((config.feed.limit, config.foreign), (9, vec!["SOWER_PORT".to_owned()]));
    }

    #[test]
    fn wrong_variables_are_named() {
        let told = |name: &str, value: &str| {
            load(Written::default(), [(name.to_owned(), value.to_owned())], None)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            told("SOWER_FEED_LIMITS", "1"),
            "expected a known variable, found `SOWER_FEED_LIMITS`; did you mean `SOWER_FEED_LIMIT`?"
        );
        assert!(
            told("SOWER_WATCH_SETTLE", "soon").starts_with("SOWER_WATCH_SETTLE: invalid value")
        );
    }
}
