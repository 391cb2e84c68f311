//! The running Sower: threads, channels, signals, and who is told what.
//!
//! | thread | does |
//! |---|---|
//! | watch | sends news of the folder |
//! | line | owns the catalog's writer: takes news in, shows what became stale |
//! | tokio's | serve; share nothing with the line but the shelf |
//! | tokio's blocking | make what is not on the shelf, each with a reader of its own |
//!
//! What never happens here: a rule about articles.

pub mod control;
mod line_thread;
mod maker;
mod priority;
mod request_log;
mod salvage;
mod serving;
mod sockets;
mod state_lock;
mod theme;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use crate::catalog::chosen::Feeds;
use crate::catalog::order::Limits;
use crate::catalog::permalink;
use crate::catalog::rows::Micros;
use crate::catalog::{self, Catalog, Own, site_key};
use crate::config::Config;
use crate::convert;
use crate::daemon::line_thread::{LineThread, Pulse};
use crate::daemon::maker::Maker;
use crate::daemon::serving::Serving;
use crate::daemon::sockets::Sockets;
use crate::daemon::state_lock::StateLock;
use crate::feed::page::{OwnFeed, Site};
use crate::line::{self, Look};
use crate::render::theme::Theme;
use crate::serve;
use crate::shelf::{self, Shelf};
use crate::systemd;
use crate::watch;
use crate::watch::seed::SeedPath;

/// News of the folder that may wait for the line; the watcher waits when they do.
const NEWS: usize = 4;

/// Reads the configuration again as it was read at the start, or says what is wrong
/// with it.
pub type Reread = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// Runs until it is told to stop. `state` is the state folder, made where it is not
/// there yet.
///
/// # Errors
/// A sentence for the person who started it, where it cannot go on.
pub fn serve(config: Config, state: PathBuf, reread: Reread) -> Result<(), String> {
    // Before anything else has a descriptor.
    let sockets = Sockets::bind(&config)?;
    std::fs::create_dir_all(&state)
        .map_err(|it| format!("cannot make the state folder `{}`: {it}", state.display()))?;
    let _lock = StateLock::take(&state)?;
    let now = Timestamp::now();
    let base_url = config.site.base_url.clone().or_else(|| sockets.base_url());
    let base_url = base_url.ok_or("expected `site.base_url`, found no address that is one")?;
    let tls = match &config.tls.files {
        Some((certificate, key)) => Some(Arc::new(serve::Tls::open(certificate, key)?)),
        None => None,
    };
    let serving = Serving::new(&config, base_url.clone(), sockets.https_port())?;
    let serving = Arc::new(serving);
    let (key, ignored) =
        site_key::open(&state, config.site.key.as_deref(), config.site.base_url.as_deref())
            .map_err(|it| format!("cannot keep the site key in `{}`: {it}", state.display()))?;
    if let Some(ignored) = ignored {
        warn!(
            "expected the site key `{key}` of the first start, found `{ignored}` in site.key; ids are minted from the first one still"
        );
    }
    info!(seeds = %config.seeds.display(), state = %state.display(), "starting");

    let convert_options = convert_options(&config);
    let mut catalog = salvage::open(&state, &key, catalog_options(&config, &convert_options), now)?;
    let site = site(&config, base_url, key, &mut catalog, now)?;
    let mut theme_folder = config.theme.clone().map(theme::Folder::new);
    let theme = theme_folder.as_mut().map_or_else(Theme::default, theme::Folder::read);
    let since = catalog.since(Own::Look, theme.digest(), now).map_err(|it| it.to_string())?.0;
    let theme = theme.worn_since(since);
    if theme_folder.is_some() {
        line::try_on(&site, &theme);
        theme::tell(&theme);
    }
    let look = Arc::new(Look::new(site, theme));
    let shelf = Arc::new(Shelf::new(shelf::Options { memory: config.shelf.memory }));
    let reader = || catalog.reader().map_err(|it| it.to_string());
    let mut known = reader()?;
    let health = Arc::new(Pulse::new(catalog.health().unwrap_or_default()));
    let (sink, news) = mpsc::sync_channel(NEWS);
    let known = Box::new(move || known.known().map_err(|it| it.to_string()));
    let watcher = priority::giving_way(|| watch::start(watch_options(&config), known, sink))
        .map_err(|_| "the watcher failed; the log says why")?
        .map_err(|it| it.to_string())?;
    let watcher = Arc::new(watcher);

    let stop = Arc::new(AtomicBool::new(false));
    let (commands, commanded) = mpsc::channel();
    let maker = Arc::new(Maker::new(
        catalog.readers(),
        Arc::clone(&look),
        Arc::clone(&shelf),
        commands.clone(),
    ));
    let report = report(Arc::clone(&health), Arc::clone(&shelf), Arc::clone(&look));
    let server = serve::Server::new(shelf.view(), maker.make(), report, serving.options());
    let server = Arc::new(server);
    let readers = Arc::clone(&server);
    let answering = control::Answering {
        reader: reader()?,
        look: Arc::clone(&look),
        pulse: Arc::clone(&health),
        subscribers: Box::new(move || readers.subscribers()),
        commands,
    };
    control::start(&state, answering)
        .map_err(|it| format!("cannot listen in the state folder `{}`: {it}", state.display()))?;
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let line = LineThread {
        reader: reader()?,
        catalog,
        look: Arc::clone(&look),
        theme_folder,
        shelf: Arc::clone(&shelf),
        convert: convert_options,
        pulse: Arc::clone(&health),
        stop: Arc::clone(&stop),
        commands: commanded,
        ready: Some(ready),
        stale: Default::default(),
        watcher: Arc::clone(&watcher),
        salvage_from: None,
    };
    let line = std::thread::Builder::new()
        .name("line".into())
        .spawn(move || {
            priority::give_way();
            line.run(&news);
        })
        .map_err(|it| format!("cannot start the line's thread: {it}"))?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(16)
        .thread_name("serve")
        .build()
        .map_err(|it| format!("cannot start the server's threads: {it}"))?;
    let outcome = runtime.block_on(async {
        // From here on no signal ends the process.
        let mut stops = Stops::new()?;
        let hangups = signal(SignalKind::hangup())
            .map_err(|it| format!("cannot listen for signals: {it}"))?;
        // A first import is on the shelf before anybody is answered.
        tokio::select! {
            _ = is_ready => {}
            () = stops.wait() => return Ok(()),
        }
        let (listeners, told) = sockets.listen()?;
        announce(&told);
        tokio::spawn(keep_alive(Arc::clone(&health), Arc::clone(&server)));
        if let Some(tls) = &tls {
            tokio::spawn(look_at_certificates(Arc::clone(&serving), Arc::clone(tls)));
        }
        let reloading =
            Reloading { reread, watcher, serving, server: Arc::clone(&server), tls: tls.clone() };
        tokio::spawn(reload(hangups, reloading));
        let stopping = async {
            stops.wait().await;
            info!("told to stop");
            systemd::stopping();
        };
        serve::serve(listeners, tls, &server, stopping).await;
        Ok(())
    });
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    runtime.shutdown_timeout(Duration::from_millis(200));
    if line.join().is_err() {
        return Err("the line's thread failed; the log says why".into());
    }
    info!("stopped");
    outcome
}

/// What the server tells those who ask how the daemon is.
fn report(pulse: Arc<Pulse>, shelf: Arc<Shelf>, look: Arc<Look>) -> serve::Health {
    Arc::new(move || {
        let catalog::Health { entries, problems, reasons } = pulse.health();
        serve::Report {
            entries,
            problems: problems + look.theme.load().problems().len() as u64,
            reasons,
            can_serve: true,
            shelf_bytes: shelf.cost() as u64,
            since_change: pulse.since_change(),
        }
    })
}

/// The one line on standard output for each listener; whoever starts Sower from a
/// program waits for it.
fn announce(told: &[String]) {
    use std::io::Write;
    let mut output = std::io::stdout();
    for line in told {
        // A closed standard output is no reason to stop.
        let _ = writeln!(output, "{line}");
    }
    let _ = output.flush();
    systemd::ready();
    systemd::status(&told.join(", "));
}

/// The signals that ask Sower to stop.
struct Stops {
    term: Signal,
    int: Signal,
}

impl Stops {
    fn new() -> Result<Stops, String> {
        let listen = |kind| signal(kind).map_err(|it| format!("cannot listen for signals: {it}"));
        Ok(Stops { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

struct Reloading {
    reread: Reread,
    watcher: Arc<watch::Watcher>,
    serving: Arc<Serving>,
    server: Arc<serve::Server>,
    tls: Option<Arc<serve::Tls>>,
}

/// On SIGHUP the configuration and the certificate are read again, and the whole folder
/// is compared with the catalog.
async fn reload(mut hangups: Signal, reloading: Reloading) {
    while hangups.recv().await.is_some() {
        systemd::reloading();
        info!("told to reload: reading the configuration, comparing the folder with the catalog");
        let Reloading { reread, watcher, serving, server, tls } = &reloading;
        match tokio::task::block_in_place(reread) {
            Ok(config) => {
                tokio::task::block_in_place(|| serving.reload(config, server, tls.as_deref()));
            }
            Err(error) => error!("{error}; the configuration stays as it was"),
        }
        watcher.compare_now();
        systemd::ready();
    }
}

async fn look_at_certificates(serving: Arc<Serving>, tls: Arc<serve::Tls>) {
    loop {
        tokio::time::sleep(serving::LOOK_EVERY).await;
        tokio::task::block_in_place(|| serving.refresh(&tls));
    }
}

/// Tells systemd's watchdog that Sower lives, for as long as the line's thread does and
/// the server answers.
async fn keep_alive(pulse: Arc<Pulse>, server: Arc<serve::Server>) {
    let Some(every) = systemd::watchdog() else { return };
    loop {
        let is_answering = tokio::time::timeout(every, server.is_answering()).await;
        if pulse.age() < every * 2 && is_answering.unwrap_or(false) {
            systemd::alive();
        }
        tokio::time::sleep(every).await;
    }
}

fn micros(duration: Duration) -> Micros {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn catalog_options(config: &Config, convert: &convert::Options) -> catalog::Options {
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

fn convert_options(config: &Config) -> convert::Options {
    convert::Options {
        timezone: config.site.timezone.clone(),
        max_bytes: config.convert.max_bytes,
        published_folders: config.convert.published_folders.clone(),
        strip: config.convert.strip.clone(),
    }
}

fn watch_options(config: &Config) -> watch::Options {
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
fn site(
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
