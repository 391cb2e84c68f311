//! SIGHUP: the configuration and the certificates are read again, and what can change
//! without losing a request does.
//!
//! | what | how |
//! |---|---|
//! | `[serve]`, `[cache]`, `[metrics]`, `[tls]` | connections that come in from now on |
//! | where to listen | new sockets are opened, then those that are not wanted closed |
//! | `[log]` | at once |
//! | `[site]`, `[feed]`, `[convert]`, `[watch]`, `[catalog]`, `[shelf]`, `theme` | the line's thread takes them over; what was published is served meanwhile |
//!
//! The rest is named in the log, and waits for a restart.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::oneshot;
use tokio::task::block_in_place;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::daemon::Reread;
use crate::daemon::control::Command;
use crate::daemon::serving::Serving;
use crate::daemon::sockets::Listening;
use crate::serve::{Server, Tls};
use crate::systemd;

/// How often certificate files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long systemd is kept waiting for the line, which may have a long batch to finish.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a reload reaches.
pub(super) struct Reloading {
    pub(super) reread: Reread,
    pub(super) serving: Serving,
    pub(super) server: Arc<Server>,
    pub(super) listening: Listening,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) commands: mpsc::Sender<Command>,
}

impl Reloading {
    /// Waits for signals, and looks at the certificates meanwhile.
    pub(super) async fn on(&mut self, mut hangups: Signal) -> Infallible {
        loop {
            tokio::select! {
                Some(()) = hangups.recv() => {
                    systemd::reloading();
                    info!("told to reload");
                    match block_in_place(|| (self.reread.config)()) {
                        Ok(fresh) => self.follow(fresh).await,
                        Err(error) => {
                            error!("{error}; the configuration stays as it was");
                            self.tell_line(Command::Compare);
                        }
                    }
                    systemd::ready();
                }
                () = tokio::time::sleep(LOOK_EVERY) => self.refresh(),
            }
        }
    }

    async fn follow(&mut self, fresh: Config) {
        let old = self.serving.config().clone();
        let fresh = settled(&old, fresh);
        let base_before = self.serving.base_url().to_owned();
        (self.reread.log_from)(fresh.log.level);
        block_in_place(|| self.serving.renew(fresh.clone()));
        self.refresh();
        self.listening.follow(&fresh, self.tls.as_ref()).await;
        let base_url = fresh.site.base_url.clone().or_else(|| self.listening.base_url());
        let base_url = base_url.unwrap_or_else(|| base_before.clone());
        self.serving.set_https_port(self.listening.https_port());
        self.server.reload(self.serving.options());
        let is_stale = base_url != base_before
            || fresh.theme.is_some()
            || of_line(&old).iter().zip(of_line(&fresh)).any(|(it, other)| it.1 != other.1);
        if !is_stale {
            self.tell_line(Command::Compare);
        } else if self.renew_line(fresh, base_url.clone()).await {
            self.serving.set_base_url(base_url);
            self.server.reload(self.serving.options());
        }
    }

    /// Whether the line goes on with this configuration, as far as that is known in time.
    async fn renew_line(&self, fresh: Config, base_url: String) -> bool {
        let (sender, answer) = oneshot::channel();
        self.tell_line(Command::Renew(Box::new((fresh, base_url)), sender));
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(renewed) => renewed.unwrap_or(false),
            Err(_) => {
                warn!("the line has much to do; it takes the configuration over when that is done");
                true
            }
        }
    }

    fn tell_line(&self, command: Command) {
        // Only a line that has ended does not hear it, and the log says why it has.
        let _ = self.commands.send(command);
    }

    /// Looks whether there are new certificates.
    fn refresh(&mut self) {
        let files = &self.serving.config().tls.files;
        let Some(tls) = &self.tls else {
            match block_in_place(|| Tls::open(files)) {
                _ if files.is_empty() => {}
                Ok(tls) => self.tls = Some(Arc::new(tls)),
                Err(error) => error!("{error}; there is no TLS without it"),
            }
            return;
        };
        let refreshed = block_in_place(|| tls.refresh(files));
        for error in refreshed.wrong {
            error!("{error}; the certificate of before is used on");
        }
        if refreshed.fresh > 0 {
            info!(certificates = refreshed.fresh, "read certificates again");
        }
    }
}

/// `fresh` with what only a restart changes as it was, which the log names; so it does
/// what was taken over.
fn settled(old: &Config, fresh: Config) -> Config {
    let told = |it: &dyn std::fmt::Debug| format!("{it:?}");
    let fixed = [
        ("seeds", told(&old.seeds), told(&fresh.seeds)),
        ("state", told(&old.state), told(&fresh.state)),
        ("log.format", told(&old.log.format), told(&fresh.log.format)),
    ];
    let fixed = differing(&fixed);
    if !fixed.is_empty() {
        warn!("changed, but only read at the start: {}; restart Sower", fixed.join(", "));
    }
    if old.site.key != fresh.site.key {
        warn!("changed, but fixed at the first start: site.key; ids are minted as before");
    }
    let others = [
        ("[serve]", told(&old.serve), told(&fresh.serve)),
        ("[tls]", told(&old.tls), told(&fresh.tls)),
        ("[cache]", told(&old.cache), told(&fresh.cache)),
        ("[metrics]", told(&old.metrics), told(&fresh.metrics)),
        ("log.level", told(&old.log.level), told(&fresh.log.level)),
        ("log.requests", told(&old.log.requests), told(&fresh.log.requests)),
    ];
    let mut fresh = fresh;
    (fresh.seeds, fresh.state) = (old.seeds.clone(), old.state.clone());
    (fresh.log.format, fresh.site.key) = (old.log.format, old.site.key.clone());
    let of_line = of_line(old).into_iter().zip(of_line(&fresh));
    let of_line: Vec<_> = of_line.map(|((name, old), (_, fresh))| (name, old, fresh)).collect();
    let changed = [differing(&of_line), differing(&others)].concat();
    if changed.is_empty() {
        info!("no key has changed");
    } else {
        info!("taken over: {}", changed.join(", "));
    }
    fresh
}

fn differing(pairs: &[(&'static str, String, String)]) -> Vec<&'static str> {
    pairs.iter().filter(|it| it.1 != it.2).map(|it| it.0).collect()
}

/// What the line's thread has to take over.
fn of_line(config: &Config) -> [(&'static str, String); 7] {
    let told = |it: &dyn std::fmt::Debug| format!("{it:?}");
    [
        ("[site]", told(&config.site)),
        ("theme", told(&config.theme)),
        ("[watch]", told(&config.watch)),
        ("[convert]", told(&config.convert)),
        ("[catalog]", told(&config.catalog)),
        ("[feed]", told(&config.feed)),
        ("[shelf]", told(&config.shelf)),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load;
    use crate::config::written::Written;

    fn config(text: &str) -> Config {
        load(Written::default(), [], Some((Path::new("s.toml"), text))).unwrap()
    }

    #[test]
    fn what_only_a_restart_changes_stays() {
        let old = config("[site]\nkey = \"a\"");
        let text = "seeds = \"x\"\nstate = \"y\"\n[site]\nkey = \"b\"\ntitle = \"x\"\n[serve]\n\
                    listen = \"[::1]:1\"\n[log]\nformat = \"json\"\nlevel = \"debug\"";
        let fresh = settled(&old, config(text));
        assert_eq!((&fresh.seeds, &fresh.state), (&old.seeds, &old.state));
        assert_eq!((fresh.log.format, &fresh.site.key), (old.log.format, &old.site.key));
        assert_eq!(fresh.site.title.as_deref(), Some("x"));
        assert_eq!(fresh.serve.listen, config(text).serve.listen);
        assert_ne!(fresh.log.level, old.log.level);
    }
}
