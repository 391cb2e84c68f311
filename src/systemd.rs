//! What systemd is told of a Type=notify service (sd_notify(3)). Without systemd
//! nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot tell systemd how Sower is");
    }
}

pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// With the monotonic time that Type=notify-reload asks for.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot tell systemd the time of a reload"),
    }
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The line that `systemctl status` shows.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// How often the watchdog wants a sign of life: half of what it allows. `None`
/// without a watchdog.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|it| it / 2)
}

/// The sign of life.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}
