//! What is counted, and `/metrics` that tells it (the text format of Prometheus).
//!
//! Counting is one or two additions for a request, without a lock.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::serve::Report;
use crate::serve::subscribers::Subscribers;

/// What kind of thing an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Feed,
    Archive,
    Page,
    File,
    /// Health and metrics.
    Watch,
    /// Redirects, errors, and what has no body.
    Other,
}

const KINDS: [(Kind, &str); 6] = [
    (Kind::Feed, "feed"),
    (Kind::Archive, "archive"),
    (Kind::Page, "page"),
    (Kind::File, "file"),
    (Kind::Watch, "watch"),
    (Kind::Other, "other"),
];

/// Why a connection was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shed {
    /// Too many in all.
    Full,
    /// Too many of one client.
    Client,
}

/// Status codes from 100 to 599.
const CODES: usize = 500;

/// Upper bounds of the histogram, in microseconds, and as they are written.
const BOUNDS: [(u64, &str); 15] = [
    (50, "0.00005"),
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

#[derive(Debug)]
pub(super) struct Meter {
    requests: Box<[AtomicU64]>,
    /// One more than bounds: slower than all of them.
    took: [AtomicU64; BOUNDS.len() + 1],
    took_microseconds: AtomicU64,
    sent: AtomicU64,
    connections: AtomicU64,
    full: AtomicU64,
    full_of_client: AtomicU64,
}

impl Meter {
    pub(super) fn new() -> Meter {
        Meter {
            requests: (0..KINDS.len() * CODES).map(|_| AtomicU64::new(0)).collect(),
            took: Default::default(),
            took_microseconds: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            full: AtomicU64::new(0),
            full_of_client: AtomicU64::new(0),
        }
    }

    /// An answer, and how long it took until its head was there.
    pub(super) fn answered(&self, kind: Kind, status: StatusCode, took: Duration) {
        let code = usize::from(status.as_u16()).clamp(100, 599) - 100;
        add(&self.requests[kind as usize * CODES + code], 1);
        let took = took.as_micros() as u64;
        let place = BOUNDS.iter().position(|it| took <= it.0).unwrap_or(BOUNDS.len());
        add(&self.took[place], 1);
        add(&self.took_microseconds, took);
    }

    /// Bytes that were given to the system, heads included.
    pub(super) fn sent(&self, bytes: u64) {
        add(&self.sent, bytes);
    }

    pub(super) fn connected(&self) {
        add(&self.connections, 1);
    }

    pub(super) fn shed(&self, shed: Shed) {
        match shed {
            Shed::Full => add(&self.full, 1),
            Shed::Client => add(&self.full_of_client, 1),
        }
    }

    /// Everything, with what others know.
    pub(super) fn text(
        &self,
        open: usize,
        report: &Report,
        is_well: bool,
        subscribers: &[Subscribers],
    ) -> String {
        let mut text = Text(String::with_capacity(4096));
        self.requests_text(&mut text);
        text.counter("sower_sent_bytes_total", "Bytes sent, heads included.");
        text.value("sower_sent_bytes_total", get(&self.sent));
        text.counter("sower_connections_total", "Connections let in.");
        text.value("sower_connections_total", get(&self.connections));
        text.counter("sower_connections_shed_total", "Connections turned away.");
        text.value("sower_connections_shed_total{reason=\"full\"}", get(&self.full));
        text.value("sower_connections_shed_total{reason=\"client\"}", get(&self.full_of_client));
        text.gauge("sower_connections", "Connections open.");
        text.value("sower_connections", open as u64);
        text.gauge("sower_up", "1 where nothing is degraded, else 0.");
        text.value("sower_up", u64::from(is_well));
        text.gauge("sower_entries", "Published articles.");
        text.value("sower_entries", report.entries);
        text.gauge("sower_problems", "Seeds with problems.");
        text.value("sower_problems", report.problems);
        text.gauge("sower_shelf_bytes", "Memory that finished pages take.");
        text.value("sower_shelf_bytes", report.shelf_bytes);
        if let Some(since) = report.since_change {
            let name = "sower_last_change_seconds";
            text.gauge(name, "Seconds since what is published last changed.");
            text.value(name, since.as_secs());
        }
        if !subscribers.is_empty() {
            let name = "sower_subscribers";
            text.gauge(name, "Subscribers that a reading service says to fetch for.");
        }
        for it in subscribers {
            let (feed, agent) = (escaped(&it.feed), escaped(&it.agent));
            let name = format!("sower_subscribers{{feed=\"{feed}\",agent=\"{agent}\"}}");
            text.value(&name, it.count);
        }
        text.0
    }

    fn requests_text(&self, text: &mut Text) {
        text.counter("sower_requests_total", "Requests answered.");
        for (kind, name) in KINDS {
            for code in 0..CODES {
                let count = get(&self.requests[kind as usize * CODES + code]);
                if count > 0 {
                    let code = code + 100;
                    let name = format!("sower_requests_total{{kind=\"{name}\",code=\"{code}\"}}");
                    text.value(&name, count);
                }
            }
        }
        let name = "sower_request_seconds";
        text.head(name, "Time until the head of an answer was there.", "histogram");
        let mut total = 0;
        for (place, count) in self.took.iter().enumerate() {
            total += get(count);
            let bound = BOUNDS.get(place).map_or("+Inf", |it| it.1);
            text.value(&format!("{name}_bucket{{le=\"{bound}\"}}"), total);
        }
        let sum = Duration::from_micros(get(&self.took_microseconds)).as_secs_f64();
        text.line(&format!("{name}_sum {sum}"));
        text.value(&format!("{name}_count"), total);
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(&format!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn counter(&mut self, name: &str, help: &str) {
        self.head(name, help, "counter");
    }

    fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, help, "gauge");
    }

    fn value(&mut self, name: &str, value: u64) {
        self.line(&format!("{name} {value}"));
    }

    fn line(&mut self, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_told() {
        let meter = Meter::new();
        meter.answered(Kind::Feed, StatusCode::OK, Duration::from_micros(40));
        meter.answered(Kind::Feed, StatusCode::NOT_MODIFIED, Duration::from_micros(60));
        meter.answered(Kind::Other, StatusCode::NOT_FOUND, Duration::from_secs(11));
        meter.sent(1000);
        meter.connected();
        meter.shed(Shed::Client);
        let report = Report {
            entries: 7,
            problems: 1,
            reasons: Vec::new(),
            can_serve: true,
            shelf_bytes: 9,
            since_change: Some(Duration::from_secs(5)),
        };
        let subscribers =
            [Subscribers { feed: "/feed.atom".into(), agent: "A\"b".into(), count: 12 }];
        let text = meter.text(1, &report, true, &subscribers);
        for line in [
            "sower_requests_total{kind=\"feed\",code=\"200\"} 1",
            "sower_requests_total{kind=\"feed\",code=\"304\"} 1",
            "sower_requests_total{kind=\"other\",code=\"404\"} 1",
            "# TYPE sower_request_seconds histogram",
            "sower_request_seconds_bucket{le=\"0.00005\"} 1",
            "sower_request_seconds_bucket{le=\"0.0001\"} 2",
            "sower_request_seconds_bucket{le=\"10\"} 2",
            "sower_request_seconds_bucket{le=\"+Inf\"} 3",
            "sower_request_seconds_count 3",
            "sower_sent_bytes_total 1000",
            "sower_connections_total 1",
            "sower_connections_shed_total{reason=\"client\"} 1",
            "sower_connections 1",
            "sower_up 1",
            "sower_entries 7",
            "sower_problems 1",
            "sower_last_change_seconds 5",
            "sower_subscribers{feed=\"/feed.atom\",agent=\"A\\\"b\"} 12",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        }
    }
}
