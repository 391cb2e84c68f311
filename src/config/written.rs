//! What was written: in the file, in the environment, on the command line. Every key
//! may be missing; what is there has the right type.

use std::path::PathBuf;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::config::listen::Listens;
use crate::config::units::{Size, Span};

/// A table of the configuration: each key optional, and nothing else allowed.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(pub $key: Option<$kind>,)*
        }

        impl $name {
            /// The names of its keys.
            pub const KEYS: &[&str] = &[$(stringify!($key)),*];

            /// What is written here, else what is written there.
            pub fn over(self, under: $name) -> $name {
                $name { $($key: self.$key.or(under.$key),)* }
            }
        }
    };
}

table! { Site {
    base_url: String,
    title: String,
    description: String,
    language: String,
    timezone: String,
    author: Author,
    copyright: String,
    icon: String,
    logo: String,
    image: String,
    key: String,
} }

table! { Watch {
    mode: Mode,
    settle: Span,
    poll_interval: Span,
    compare_every: Span,
    follow_links: bool,
} }

table! { Convert {
    max_bytes: Size,
    published_folders: Vec<String>,
    strip: Vec<String>,
} }

table! { Catalog {
    copy_wait: Span,
    tombstones: Span,
    vanished_share: f64,
} }

table! { Feed {
    limit: u32,
    max: u32,
    backdate: Span,
    max_body: Size,
    ttl: Span,
} }

table! { Shelf {
    memory: Size,
} }

table! { Serve {
    listen: Listens,
    hosts: Vec<String>,
    trusted_proxies: Vec<String>,
    client_address: ClientAddress,
    header_timeout: Span,
    idle_timeout: Span,
    write_timeout: Span,
    make_timeout: Span,
    stop_timeout: Span,
    max_connections: u32,
    max_connections_per_address: u32,
    max_requests_per_connection: u32,
    max_streams: u32,
    max_resets: u32,
    max_makes: u32,
    max_header_bytes: Size,
    max_uri_bytes: Size,
    max_body_bytes: Size,
    poll_burst: u32,
    poll_every: Span,
} }

table! { Tls {
    listen: Listens,
    certificate: OneOrMore,
    key: OneOrMore,
    redirect: bool,
    hsts: Span,
} }

table! { Cache {
    feed: String,
    archive: String,
    page: String,
    file: String,
    redirect: String,
} }

table! { Metrics {
    listen: Listens,
    access: Access,
} }

table! { Log {
    level: Level,
    format: Format,
    requests: Requests,
    requests_file: PathBuf,
} }

/// Everything that may be written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    pub seeds: Option<PathBuf>,
    pub state: Option<PathBuf>,
    pub theme: Option<PathBuf>,
    pub site: Site,
    pub watch: Watch,
    pub convert: Convert,
    pub catalog: Catalog,
    pub feed: Feeds,
    /// The same as `[[feed]]`, which cannot stand beside `[feed]` in TOML.
    pub feeds: Vec<OwnFeed>,
    pub shelf: Shelf,
    pub serve: Serve,
    pub tls: Tls,
    pub cache: Cache,
    pub metrics: Metrics,
    pub log: Log,
}

impl Written {
    /// Each table with its keys; the top level under an empty name.
    pub const TABLES: &[(&str, &[&str])] = &[
        ("", &["seeds", "state", "theme"]),
        ("site", Site::KEYS),
        ("watch", Watch::KEYS),
        ("convert", Convert::KEYS),
        ("catalog", Catalog::KEYS),
        ("feed", Feed::KEYS),
        ("shelf", Shelf::KEYS),
        ("serve", Serve::KEYS),
        ("tls", Tls::KEYS),
        ("cache", Cache::KEYS),
        ("metrics", Metrics::KEYS),
        ("log", Log::KEYS),
    ];

    pub fn over(self, under: Written) -> Written {
        Written {
            seeds: self.seeds.or(under.seeds),
            state: self.state.or(under.state),
            theme: self.theme.or(under.theme),
            site: self.site.over(under.site),
            watch: self.watch.over(under.watch),
            convert: self.convert.over(under.convert),
            catalog: self.catalog.over(under.catalog),
            feed: Feeds {
                table: self.feed.table.over(under.feed.table),
                own: [self.feed.own, under.feed.own].concat(),
            },
            feeds: [self.feeds, under.feeds].concat(),
            shelf: self.shelf.over(under.shelf),
            serve: self.serve.over(under.serve),
            tls: self.tls.over(under.tls),
            cache: self.cache.over(under.cache),
            metrics: self.metrics.over(under.metrics),
            log: self.log.over(under.log),
        }
    }
}

/// `[feed]`, what holds for all feeds; or `[[feed]]`, feeds of one's own.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    pub table: Feed,
    pub own: Vec<OwnFeed>,
}

impl<'de> Deserialize<'de> for Feeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Feeds, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Feeds;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table `[feed]` or feeds of your own, each under `[[feed]]`")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Feeds, A::Error> {
                let table = Feed::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Feeds { table, own: Vec::new() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Feeds, A::Error> {
                let own = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Feeds { table: Feed::default(), own })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A feed of one's own: where it stands, and what it takes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnFeed {
    pub name: String,
    pub path: String,
    pub title: Option<String>,
    pub limit: Option<u32>,
    pub content: Option<Content>,
    #[serde(default)]
    pub folder: OneOrMore,
    #[serde(default)]
    pub tag: OneOrMore,
    #[serde(default)]
    pub author: OneOrMore,
    #[serde(default)]
    pub language: OneOrMore,
    #[serde(default)]
    pub kind: OneOrMore,
    #[serde(default)]
    pub text: OneOrMore,
}

/// `"a"` or `["a", "b"]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> OneOrMore {
        OneOrMore::More(Vec::new())
    }
}

impl From<OneOrMore> for Vec<String> {
    fn from(written: OneOrMore) -> Vec<String> {
        match written {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        }
    }
}

/// What the articles of a feed say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    Full,
    Summary,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    pub name: String,
    pub email: Option<String>,
    pub uri: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Auto,
    Events,
    Poll,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAddress {
    XForwardedFor,
    Forwarded,
    Proxy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    Nobody,
    Loopback,
    Everybody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requests {
    Off,
    Combined,
    Json,
}
