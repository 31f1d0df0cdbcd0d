//! What a run comes to: times, counts, and the server's needs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::process::Needs;

/// Times are kept to a microsecond below this, and are counted as this above: a minute.
const TIME_MAX: Duration = Duration::from_secs(60);

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timed {
    /// From opening a connection until the login is answered.
    Entry,
    /// From sending a login until it is answered.
    Login,
    /// From sending a login until the device that had the place hears of it.
    Takeover,
    /// The same with nothing else to do, as fast as it goes.
    FlatOut,
    /// From opening a connection until the session is there again.
    Return,
    /// From an administrator's call until the user's device hears of it.
    Kick,
    /// From a heartbeat to its answer.
    Beat,
}

/// All that was timed and counted so far.
#[derive(Default)]
pub struct Figures(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    times: BTreeMap<Timed, Histogram<u64>>,
    counts: BTreeMap<String, u64>,
}

impl Figures {
    /// It took so long.
    pub fn took(&self, what: Timed, time: Duration) {
        let micros = u64::try_from(time.min(TIME_MAX).as_micros()).unwrap_or(u64::MAX);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = kept
            .times
            .entry(what)
            .or_insert_with(|| Histogram::new_with_bounds(1, TIME_MAX.as_micros() as u64, 3).expect("bounds in order"));
        histogram.saturating_record(micros.max(1));
    }

    /// It happened.
    pub fn counted(&self, what: impl Into<String>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept.counts.entry(what.into()).or_default() += 1;
    }

    /// How often it was timed.
    pub fn times(&self, what: Timed) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.times.get(&what).map_or(0, Histogram::len)
    }

    /// All of it.
    pub fn report(&self, crowd: Crowd, server: Option<Server>) -> Report {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |micros: u64| micros as f64 / 1_000.0;
        let spread = |histogram: &Histogram<u64>| Spread {
            number: histogram.len(),
            p50_ms: millis(histogram.value_at_quantile(0.5)),
            p99_ms: millis(histogram.value_at_quantile(0.99)),
            p999_ms: millis(histogram.value_at_quantile(0.999)),
            max_ms: millis(histogram.max()),
        };
        let times = kept.times.iter().map(|(&what, histogram)| (what, spread(histogram))).collect();
        Report { crowd, times, counts: kept.counts.clone(), server }
    }
}

/// What the crowd was, and how fast it came.
#[derive(Clone, Debug, Serialize)]
pub struct Crowd {
    pub speaks: String,
    pub tls: bool,
    pub connections: u32,
    pub entered_in_s: f64,
    pub entries_per_second: f64,
    pub stayed_s: f64,
    pub flat_out_per_second: Option<f64>,
}

/// How long something took.
#[derive(Clone, Debug, Serialize)]
pub struct Spread {
    pub number: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// What the server needed.
#[derive(Clone, Debug, Serialize)]
pub struct Server {
    /// Before anybody was there, in bytes.
    pub memory_empty: u64,
    /// When everybody was.
    pub memory_full: u64,
    /// At the end of the stay.
    pub memory_end: u64,
    pub memory_per_connection: u64,
    /// Of the processor, for everybody to come.
    pub time_to_enter_s: f64,
    pub time_per_entry_ms: f64,
    /// Of one core, while the crowd stayed.
    pub cores_during_stay: f64,
    pub time_per_connection_and_hour_ms: f64,
}

impl Server {
    /// Before, when everybody was there, and at the end.
    pub fn of([empty, full, end]: [Needs; 3], connections: u32, stayed: Duration) -> Self {
        let connections = f64::from(connections.max(1));
        let (enter, stay) = (full.time - empty.time, end.time - full.time);
        Server {
            memory_empty: empty.memory,
            memory_full: full.memory,
            memory_end: end.memory,
            memory_per_connection: (full.memory.saturating_sub(empty.memory) as f64 / connections) as u64,
            time_to_enter_s: enter.as_secs_f64(),
            time_per_entry_ms: enter.as_secs_f64() * 1_000.0 / connections,
            cores_during_stay: stay.as_secs_f64() / stayed.as_secs_f64().max(0.001),
            time_per_connection_and_hour_ms: stay.as_secs_f64() * 1_000.0 / connections * 3_600.0
                / stayed.as_secs_f64().max(0.001),
        }
    }
}

/// All there is to say.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub crowd: Crowd,
    pub times: BTreeMap<Timed, Spread>,
    pub counts: BTreeMap<String, u64>,
    pub server: Option<Server>,
}

impl Report {
    /// Whether everybody was served.
    pub fn is_good(&self) -> bool {
        !self.counts.keys().any(|what| what.starts_with("failed"))
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let Crowd { speaks, tls, connections, entered_in_s, entries_per_second, stayed_s, flat_out_per_second } =
            &self.crowd;
        let over = if *tls { "TLS" } else { "TCP" };
        let mut line = |said: String| writeln!(text, "{said}").expect("a text takes everything");
        line(format!(
            "{connections} devices that speak {speaks} over {over} came in {entered_in_s:.1} s, {entries_per_second:.0} a second, and stayed {stayed_s:.0} s"
        ));
        line(format!("{:<12} {:>9} {:>10} {:>10} {:>10} {:>10}", "ms", "number", "p50", "p99", "p99.9", "max"));
        for (what, Spread { number, p50_ms, p99_ms, p999_ms, max_ms }) in &self.times {
            let what = format!("{what:?}").to_lowercase();
            line(format!("{what:<12} {number:>9} {p50_ms:>10.2} {p99_ms:>10.2} {p999_ms:>10.2} {max_ms:>10.2}"));
        }
        if let Some(rate) = flat_out_per_second {
            line(format!("takeovers flat out: {rate:.0} a second"));
        }
        if let Some(server) = &self.server {
            line(format!(
                "server: {:.1} MB empty, {:.1} MB with everybody ({:.1} KB each), {:.1} MB at the end",
                server.memory_empty as f64 / 1e6,
                server.memory_full as f64 / 1e6,
                server.memory_per_connection as f64 / 1e3,
                server.memory_end as f64 / 1e6,
            ));
            line(format!(
                "server: {:.2} ms of a core for each to come, {:.2} cores while they stayed ({:.0} ms for each and hour)",
                server.time_per_entry_ms, server.cores_during_stay, server.time_per_connection_and_hour_ms,
            ));
        }
        for (what, number) in &self.counts {
            line(format!("{what}: {number}"));
        }
        text
    }
}
