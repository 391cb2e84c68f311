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
mod reload;
mod request_log;
mod salvage;
mod serving;
mod settings;
mod sockets;
mod state_lock;
mod theme;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::catalog::{self, site_key};
use crate::config::Config;
use crate::config::written::Level;
use crate::daemon::line_thread::{LineThread, Pulse};
use crate::daemon::maker::Maker;
use crate::daemon::reload::Reloading;
use crate::daemon::serving::Serving;
use crate::daemon::sockets::Sockets;
use crate::daemon::state_lock::StateLock;
use crate::line::Look;
use crate::serve;
use crate::shelf::{self, Shelf};
use crate::systemd;
use crate::watch;

/// News of the folder that may wait for the line; the watcher waits when they do.
const NEWS: usize = 4;

/// What a reload needs of whoever started Sower.
pub struct Reread {
    /// Reads the configuration again as it was read at the start, or says what is wrong
    /// with it.
    pub config: Box<dyn Fn() -> Result<Config, String> + Send + Sync>,
    /// Logs from this level on.
    pub log_from: Box<dyn Fn(Level) + Send + Sync>,
}

impl std::fmt::Debug for Reread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reread").finish_non_exhaustive()
    }
}

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
    let tls = match &config.tls.files[..] {
        [] => None,
        files => Some(Arc::new(serve::Tls::open(files)?)),
    };
    let serving = Serving::new(&config, base_url.clone(), sockets.https_port())?;
    let (key, ignored) =
        site_key::open(&state, config.site.key.as_deref(), config.site.base_url.as_deref())
            .map_err(|it| format!("cannot keep the site key in `{}`: {it}", state.display()))?;
    if let Some(ignored) = ignored {
        warn!(
            "expected the site key `{key}` of the first start, found `{ignored}` in site.key; ids are minted from the first one still"
        );
    }
    info!(seeds = %config.seeds.display(), state = %state.display(), "starting");

    let convert = settings::convert_options(&config);
    let mut catalog =
        salvage::open(&state, &key, settings::catalog_options(&config, &convert), now)?;
    let site = settings::site(&config, base_url, key, &mut catalog, now)?;
    let (theme_folder, theme) = settings::theme(&config, &site, &mut catalog, now)?;
    let look = Arc::new(Look::new(site, theme));
    let shelf = Arc::new(Shelf::new(shelf::Options { memory: config.shelf.memory }));
    let reader = || catalog.reader().map_err(|it| it.to_string());
    let health = Arc::new(Pulse::new(catalog.health().unwrap_or_default()));
    let (sink, news) = mpsc::sync_channel(NEWS);
    let (commands, commanded) = mpsc::channel();
    let known = salvage::known(reader()?, commands.clone());
    let watching = settings::watch_options(&config);
    let watcher = priority::giving_way(|| watch::start(watching, known, sink))
        .map_err(|_| "the watcher failed; the log says why")?
        .map_err(|it| it.to_string())?;

    let stop = Arc::new(AtomicBool::new(false));
    let maker = Arc::new(Maker::new(
        catalog.readers(),
        Arc::clone(&look),
        Arc::clone(&shelf),
        commands.clone(),
    ));
    let report = report(Arc::clone(&health), Arc::clone(&shelf), Arc::clone(&maker));
    let server = serve::Server::new(shelf.view(), maker.make(), report, serving.options());
    let server = Arc::new(server);
    let readers = Arc::clone(&server);
    let answering = control::Answering {
        reader: reader()?,
        maker: Arc::clone(&maker),
        pulse: Arc::clone(&health),
        subscribers: Box::new(move || readers.subscribers()),
        commands: commands.clone(),
    };
    control::start(&state, answering)
        .map_err(|it| format!("cannot listen in the state folder `{}`: {it}", state.display()))?;
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let line = LineThread {
        reader: reader()?,
        catalog,
        look,
        theme_folder,
        maker,
        shelf: Arc::clone(&shelf),
        convert,
        config: config.clone(),
        watcher,
        news,
        pulse: Arc::clone(&health),
        stop: Arc::clone(&stop),
        commands: commanded,
        damage: commands.clone(),
        ready: Some(ready),
        stale: Default::default(),
        salvage_from: None,
    };
    let line = std::thread::Builder::new()
        .name("line".into())
        .spawn(move || {
            priority::give_way();
            line.run();
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
        let listening = sockets.listen(serve::Doors::new(&server), tls.as_ref())?;
        announce(&listening.told());
        tokio::spawn(keep_alive(Arc::clone(&health), Arc::clone(&server)));
        let mut reloading = Reloading { reread, serving, server, listening, tls, commands };
        tokio::select! {
            () = stops.wait() => {}
            never = reloading.on(hangups) => match never {},
        }
        info!("told to stop");
        systemd::stopping();
        reloading.listening.stop().await;
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
fn report(pulse: Arc<Pulse>, shelf: Arc<Shelf>, maker: Arc<Maker>) -> serve::Health {
    Arc::new(move || {
        let catalog::Health { entries, problems, reasons } = pulse.health();
        serve::Report {
            entries,
            problems: problems + maker.look().theme.load().problems().len() as u64,
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
