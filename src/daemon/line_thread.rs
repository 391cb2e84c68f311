//! The line's thread: owns the catalog's writer, takes news of the folder in, and
//! shows what became stale when it is idle, or every 100 ms when it is not.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{error, info, warn};

use crate::catalog::store::{Error, Result};
use crate::catalog::{Catalog, Health, Own, Reader, Sighting, Touched};
use crate::config::Config;
use crate::convert;
use crate::daemon::control::Command;
use crate::daemon::maker::Maker;
use crate::daemon::{NEWS, priority, salvage, settings, theme};
use crate::line::{self, Look};
use crate::render::rendition::Key;
use crate::shelf::Shelf;
use crate::shelf::snapshot::pinned;
use crate::watch::{self, News};

/// Readers see what changed no later than this, however much else changes.
const SHOW_EVERY: Duration = Duration::from_millis(100);
/// The thread says that it lives at least so often.
const BEAT: Duration = Duration::from_millis(500);
/// How long a failed write waits for its next try.
const RETRY: Duration = Duration::from_secs(1);
/// A catalog that is damaged again within this time is not salvaged again: the disk or
/// the memory fails, and each time leaves a file behind.
const SALVAGE_EVERY: Duration = Duration::from_secs(3600);
/// A salvage that failed, as on a full disk, is tried again.
const SALVAGE_RETRY: Duration = Duration::from_secs(30);

/// What others may know of the line without waiting for it.
#[derive(Debug)]
pub struct Pulse {
    health: Mutex<Health>,
    /// Why the catalog cannot be written, while it cannot.
    failing: Mutex<Option<String>>,
    /// Milliseconds since 1970.
    beat: AtomicI64,
    /// The last time that what is published changed, likewise; 0: not since the start.
    changed: AtomicI64,
}

impl Pulse {
    pub fn new(health: Health) -> Pulse {
        let beat = AtomicI64::new(Timestamp::now().as_millisecond());
        let (health, failing) = (Mutex::new(health), Mutex::new(None));
        Pulse { health, failing, beat, changed: AtomicI64::new(0) }
    }

    pub fn health(&self) -> Health {
        let mut health = lock(&self.health).clone();
        health.reasons.extend(lock(&self.failing).clone());
        health
    }

    /// Since the thread last said that it lives.
    pub fn age(&self) -> Duration {
        let now = Timestamp::now().as_millisecond();
        let age = now - self.beat.load(Ordering::Relaxed);
        Duration::from_millis(u64::try_from(age).unwrap_or(0))
    }

    /// Since what is published last changed; `None` where it did not since the start.
    pub fn since_change(&self) -> Option<Duration> {
        let changed = Some(self.changed.load(Ordering::Relaxed)).filter(|it| *it > 0)?;
        let since = Timestamp::now().as_millisecond() - changed;
        Some(Duration::from_millis(u64::try_from(since).unwrap_or(0)))
    }

    fn note_change(&self) {
        self.changed.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }

    fn beat(&self) {
        self.beat.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub struct LineThread {
    pub catalog: Catalog,
    pub reader: Reader,
    pub look: Arc<Look>,
    pub theme_folder: Option<theme::Folder>,
    pub maker: Arc<Maker>,
    pub shelf: Arc<Shelf>,
    pub convert: convert::Options,
    pub config: Config,
    pub watcher: watch::Watcher,
    pub news: Receiver<News>,
    pub pulse: Arc<Pulse>,
    pub stop: Arc<AtomicBool>,
    pub commands: Receiver<Command>,
    /// Where the watcher says that the catalog is damaged.
    pub damage: Sender<Command>,
    /// Told once, when the site's feeds are on the shelf.
    pub ready: Option<tokio::sync::oneshot::Sender<()>>,
    pub stale: BTreeSet<Key>,
    /// Not before this may the catalog be salvaged.
    pub salvage_from: Option<Instant>,
}

impl LineThread {
    /// Until told to stop, or the watcher ends.
    pub fn run(mut self) {
        let mut progress = Progress::new(self.catalog.is_importing().unwrap_or(false));
        self.stale.extend(pinned());
        let mut shown = Instant::now();
        let mut next: Option<(News, Option<Vec<Sighting>>)> = None;
        while !self.stop.load(Ordering::Relaxed) {
            self.pulse.beat();
            let arrived = match next.take() {
                Some(arrived) => Some(arrived),
                None => match self.news.recv_timeout(self.wait()) {
                    Ok(arrived) => Some((arrived, None)),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            };
            if let Some((arrived, seen)) = arrived {
                progress.note(&arrived);
                let following = self.news.try_recv().ok();
                let ahead = self.hear_and_look_ahead(arrived, seen, following.as_ref());
                next = following.map(|it| (it, ahead));
            }
            if self.catalog.due().is_some_and(|it| it <= Timestamp::now()) {
                self.write(|catalog, now, _| catalog.tick(now));
            }
            while let Ok(command) = self.commands.try_recv() {
                if self.obey(command) {
                    // The watcher that said it is gone, or it was converted otherwise; the
                    // comparison finds it again.
                    next = None;
                }
            }
            self.look_at_theme();
            next = next.or_else(|| Some((self.news.try_recv().ok()?, None)));
            if next.is_none() || shown.elapsed() >= SHOW_EVERY {
                self.show();
                shown = Instant::now();
            }
        }
        // So that the database is one file while nobody runs. Left undone, SQLite does it
        // at the next start.
        if let Err(error) = self.catalog.rest() {
            warn!(%error, "cannot bring the catalog's log into its database");
        }
    }

    fn wait(&self) -> Duration {
        // Made again soon where the shelf refused it or the catalog failed.
        let longest = if self.stale.is_empty() { BEAT } else { SHOW_EVERY };
        let due = self.catalog.due().map(|it| {
            Duration::try_from(it.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO)
        });
        // A little longer, since waking just before the time would only wait again.
        due.map_or(longest, |it| (it + Duration::from_millis(1)).min(longest))
    }

    /// Takes news in; meanwhile the batch that follows is converted, where there is one.
    fn hear_and_look_ahead(
        &mut self,
        news: News,
        seen: Option<Vec<Sighting>>,
        following: Option<&News>,
    ) -> Option<Vec<Sighting>> {
        let Some(News::Changes(changes)) = following else {
            self.hear(news, seen);
            return None;
        };
        let options = self.convert.clone();
        std::thread::scope(|scope| {
            let ahead = scope.spawn(|| line::sight(changes, &options));
            self.hear(news, seen);
            Some(ahead.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// `seen`: what the changes among the news were converted to, if they were.
    fn hear(&mut self, news: News, mut seen: Option<Vec<Sighting>>) {
        match news {
            News::Changes(changes) => {
                // A write that is tried again converts again.
                self.write(|catalog, now, convert| match seen.take() {
                    Some(seen) => catalog.apply(seen, now),
                    None => line::take(catalog, &changes, convert, now),
                });
            }
            News::Compared { device, inode } => {
                let was_importing = self.catalog.is_importing().unwrap_or(false);
                self.write(|catalog, now, _| catalog.compared(device, inode, now));
                if was_importing {
                    self.stale.extend(pinned());
                    info!(entries = self.pulse.health().entries, "took the folder in");
                }
            }
            News::Lost { reason, .. } => {
                // What health says of it is logged below, once.
                self.write(|catalog, _, _| catalog.lost(&reason).map(|()| Touched::default()));
            }
            News::Notice(notice) => warn!("{notice}"),
        }
    }

    /// Where the theme's folder holds another look than the site has, the site gets it,
    /// and every page is made again.
    fn look_at_theme(&mut self) {
        let Some(theme) = self.theme_folder.as_mut().and_then(theme::Folder::changed) else {
            return;
        };
        let old = self.look.theme.load();
        if theme.digest() == old.digest() {
            return;
        }
        // Clocks may be set back.
        let now = Timestamp::now().max(old.since());
        let digest = theme.digest().to_owned();
        let theme = theme.worn_since(now);
        line::try_on(&self.look.site, &theme);
        self.look.theme.store(Arc::new(theme));
        info!("the site has the look that its theme's folder holds now");
        // What is being made meanwhile may have the old look, and is of an older revision.
        let mut revision = 0;
        self.write(|catalog, _, _| {
            revision = catalog.since(Own::Look, &digest, now)?.1;
            Ok(Touched::default())
        });
        self.stale.extend(self.shelf.touch_all(line::has_look, revision));
    }

    /// `true` where news of before must be heard again.
    fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Confirm(answer) => {
                let count = std::cell::Cell::new(0);
                self.write(|catalog, now, _| {
                    let (withdrawn, touched) = catalog.confirm(now)?;
                    count.set(withdrawn);
                    Ok(touched)
                });
                info!(entries = count.get(), "a person confirmed that what is missing is gone");
                // Whoever asked may have left.
                let _ = answer.send(count.get());
                false
            }
            Command::Renew(meant, answer) => {
                let (config, base_url) = *meant;
                let renewed = self.renew(config, base_url);
                if let Err(error) = &renewed {
                    error!("{error}; articles are published as before");
                }
                let _ = answer.send(renewed.is_ok());
                true
            }
            Command::Compare => {
                self.watcher.compare_now();
                false
            }
            Command::Salvage(damage) => {
                self.salvage(&damage);
                false
            }
        }
    }

    /// Goes on as if it had been started with another configuration, but that everything
    /// that is published is served meanwhile.
    fn renew(&mut self, config: Config, base_url: String) -> std::result::Result<(), String> {
        let convert = settings::convert_options(&config);
        let options = settings::catalog_options(&config, &convert);
        let now = Timestamp::now();
        let told = |it: Error| format!("the catalog cannot take the configuration over: {it}");
        self.catalog.renew(options, now).map_err(told)?;
        let key = self.look.site.key.clone();
        let site = settings::site(&config, base_url, key, &mut self.catalog, now)?;
        let (folder, theme) = settings::theme(&config, &site, &mut self.catalog, now)?;
        let watching = settings::watch_options(&config);
        if format!("{watching:?}") != format!("{:?}", settings::watch_options(&self.config)) {
            let known = self.catalog.reader().map_err(told)?;
            let (sink, news) = std::sync::mpsc::sync_channel(NEWS);
            let known = salvage::known(known, self.damage.clone());
            self.watcher = watch::start(watching, known, sink).map_err(|it| it.to_string())?;
            self.news = news;
        } else {
            self.watcher.compare_now();
        }
        self.reader = self.catalog.reader().map_err(told)?;
        (self.look, self.theme_folder) = (Arc::new(Look::new(site, theme)), folder);
        (self.convert, self.config) = (convert, config);
        self.shelf.limit(self.config.shelf.memory);
        self.maker.renew(self.catalog.readers(), Arc::clone(&self.look));
        // What was read before this moment is refused from here on.
        let revision = std::cell::Cell::new(0);
        self.write(|catalog, now, _| {
            let touched = catalog.tick(now)?;
            revision.set(touched.revision);
            Ok(touched)
        });
        self.stale.extend(self.shelf.touch_all(|_| true, revision.get()));
        self.stale.extend(pinned());
        self.pulse.note_change();
        Ok(())
    }

    /// Writes to the catalog, again and again where that fails: no change is lost to
    /// a full disk. What was published is served meanwhile.
    fn write(
        &mut self,
        mut work: impl FnMut(&mut Catalog, Timestamp, &convert::Options) -> Result<Touched>,
    ) {
        let touched = loop {
            match work(&mut self.catalog, Timestamp::now(), &self.convert) {
                Ok(touched) => break touched,
                Err(error) if error.is_corrupt() && self.salvage(&error.to_string()) => {}
                Err(error) => self.wait_for_the_store(&error),
            }
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
        };
        if lock(&self.pulse.failing).take().is_some() {
            info!("the catalog can be written again");
        }
        self.note(&touched);
        match self.catalog.health() {
            Ok(health) => {
                let before = std::mem::replace(&mut *lock(&self.pulse.health), health.clone());
                for reason in health.reasons.iter().filter(|it| !before.reasons.contains(it)) {
                    error!("degraded: {reason}; what was published is served");
                }
                if health.reasons.is_empty() && !before.reasons.is_empty() {
                    info!("no longer degraded");
                }
            }
            Err(error) => error!(%error, "cannot read how the catalog stands"),
        }
    }

    /// Keeps what a batch made stale, and logs what a person should know of it.
    fn note(&mut self, touched: &Touched) {
        for note in &touched.notes {
            warn!("{note}");
        }
        let stale = line::stale(touched);
        if !stale.is_empty() {
            self.pulse.note_change();
            let keys: Vec<Key> = stale.iter().cloned().collect();
            self.shelf.touch(&keys, touched.revision);
            self.stale.extend(stale);
        }
    }

    /// Goes on with what can be read of a damaged catalog, and compares the whole folder
    /// with it; what was published is served meanwhile. Whether it could.
    fn salvage(&mut self, damage: &str) -> bool {
        if self.salvage_from.is_some_and(|it| Instant::now() < it) {
            return false;
        }
        match self.catalog.salvage_now(Timestamp::now()) {
            Ok((salvaged, touched)) => {
                salvage::tell(damage, &salvaged);
                self.salvage_from = Some(Instant::now() + SALVAGE_EVERY);
                self.note(&touched);
                self.stale.extend(pinned());
                self.watcher.compare_now();
                true
            }
            Err(error) => {
                error!(%damage, %error, "cannot salvage the damaged catalog");
                self.salvage_from = Some(Instant::now() + SALVAGE_RETRY);
                false
            }
        }
    }

    fn wait_for_the_store(&self, error: &Error) {
        let reason = format!("the catalog cannot be written: {error}");
        let is_news = lock(&self.pulse.failing).replace(reason).is_none();
        if is_news {
            error!(
                "{error}; what was published is served, changes wait and are tried again every second"
            );
        }
        self.pulse.beat();
        std::thread::sleep(RETRY);
    }

    /// Shows what is stale; what could not be made is tried again.
    fn show(&mut self) {
        match self.catalog.is_importing() {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => error!(%error, "cannot read how the catalog stands"),
        }
        if !self.stale.is_empty()
            && let Err(error) =
                line::show(&mut self.reader, &self.look, &self.shelf, &mut self.stale)
        {
            error!(%error, "cannot show what changed; trying again");
            if error.is_corrupt() {
                self.salvage(&error.to_string());
            }
            return;
        }
        theme::tell(&self.look.theme.load());
        if let Some(ready) = self.ready.take() {
            // Until now there was nobody to answer.
            priority::leave_a_core();
            // Nobody waits for it where the daemon is being stopped.
            let _ = ready.send(());
        }
    }
}

/// A line for the person who watches a long first import.
struct Progress {
    bar: Option<indicatif::ProgressBar>,
    started: Instant,
    seeds: u64,
    is_importing: bool,
}

impl Progress {
    fn new(is_importing: bool) -> Progress {
        let is_importing = is_importing && std::io::stderr().is_terminal();
        Progress { bar: None, started: Instant::now(), seeds: 0, is_importing }
    }

    fn note(&mut self, news: &News) {
        match news {
            News::Changes(changes) if self.is_importing => {
                self.seeds += changes.len() as u64;
                if self.started.elapsed() >= Duration::from_secs(1) {
                    let bar = self.bar.get_or_insert_with(indicatif::ProgressBar::new_spinner);
                    bar.set_message(format!("taking the folder in: {} files", self.seeds));
                    bar.tick();
                }
            }
            News::Compared { .. } => {
                self.is_importing = false;
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}
