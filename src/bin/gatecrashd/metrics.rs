//! What an operator watches: numbers in Prometheus' text format, counted from what goes into the core and comes out of
//! it, beside what the driver has to carry.
//!
//! Tells of what was decided, not of what is on disk; a number that a crash takes back was too high for a moment.
//! Decides nothing. How it is fetched is `health`'s business.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatecrash::driver::identity::Identity;
use gatecrash::driver::server::{Load, Turned};
use gatecrash::driver::{Observe, ServerSeen};
use gatecrash::id::{Change, ConnectionId};
use gatecrash::protocol::{ClientFrame, Refusal, ResumeOutcome, ServerFrame};
use gatecrash::server::{Action, Input};
use gatecrash::store::{Fact, Records};
use gatecrash::time::{Instant, Now};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// One label and its value.
type Label = [(&'static str, String); 1];

/// In seconds: a disk that answers at once, and one that is about to be given up.
const COMMIT_SECONDS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// A day, in seconds.
const DAY: u64 = 86_400;

/// The numbers of one server. A clone shows the same ones.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    connections: Family<Label, Gauge>,
    closes: Family<Label, Counter>,
    sessions: Gauge,
    logins: Family<Label, Counter>,
    renewals: Family<Label, Counter>,
    resumes: Family<Label, Counter>,
    kicks: Family<Label, Counter>,
    ends: Family<Label, Counter>,
    bad_frames: Family<Label, Counter>,
    messages: Counter,
    changes: Counter,
    commit_seconds: Histogram,
    day_users: Gauge,
    seen: Mutex<Seen>,
}

/// What has to be remembered to count it.
#[derive(Default)]
struct Seen {
    /// The platform of each connection that said one.
    connections: BTreeMap<ConnectionId, &'static str>,
    /// Changes that are not on disk yet, and when they were decided.
    undecided: VecDeque<(Change, Instant)>,
    /// Who was counted, by day.
    days: BTreeMap<u32, u64>,
}

/// What a connection is called that has not said its platform.
const UNKNOWN: &str = "unknown";

impl Metrics {
    /// Of a server that has not begun yet.
    pub fn new() -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            connections: Family::default(),
            closes: Family::default(),
            sessions: Gauge::default(),
            logins: Family::default(),
            renewals: Family::default(),
            resumes: Family::default(),
            kicks: Family::default(),
            ends: Family::default(),
            bad_frames: Family::default(),
            messages: Counter::default(),
            changes: Counter::default(),
            commit_seconds: Histogram::new(COMMIT_SECONDS),
            day_users: Gauge::default(),
            seen: Mutex::default(),
        };
        let mut registry = Registry::with_prefix("gatecrash");
        registry.register("connections", "Open connections, by the platform they said", inner.connections.clone());
        registry.register(
            "closes",
            "Connections that the server closed, by the platform they had said",
            inner.closes.clone(),
        );
        registry.register(
            "sessions",
            "Sessions that have not ended, with a connection or without",
            inner.sessions.clone(),
        );
        registry.register("logins", "Answered logins, by code; 0 is success", inner.logins.clone());
        registry.register("renewals", "Answered renewals of a ticket, by code; 0 is success", inner.renewals.clone());
        registry.register("resumes", "Answered resumes, by what came of them", inner.resumes.clone());
        registry.register("kicks", "Kicks sent, by reason", inner.kicks.clone());
        registry.register("session_ends", "Ended sessions, by reason", inner.ends.clone());
        registry.register(
            "bad_frames",
            "What came and is no frame, by what is wrong with it",
            inner.bad_frames.clone(),
        );
        registry.register("messages", "Messages accepted", inner.messages.clone());
        registry.register("changes", "Changes that are on disk", inner.changes.clone());
        registry.register_with_unit(
            "commit_wait",
            "From a decision until it is on disk",
            Unit::Seconds,
            inner.commit_seconds.clone(),
        );
        registry.register("day_users", "Users who logged in on this day of UTC", inner.day_users.clone());
        inner.registry = registry;
        Metrics(Arc::new(inner))
    }

    /// All of it as text, and what the server has to carry.
    pub fn text(&self, load: &Load, identity: Option<&Identity>, now: Now) -> String {
        let day = u32::try_from(now.wall.seconds() / DAY).unwrap_or(u32::MAX);
        let users = self.seen().days.get(&day).copied().unwrap_or(0);
        self.0.day_users.set(i64::try_from(users).unwrap_or(i64::MAX));
        let mut carried = Registry::with_prefix("gatecrash");
        carried.register_collector(Box::new(Carried(load.clone())));
        if let Some(identity) = identity {
            let until = Gauge::<i64>::default();
            until.set(i64::try_from(identity.valid_until().seconds()).unwrap_or(i64::MAX));
            let told = "When the certificate that is shown runs out, in seconds since 1970";
            carried.register_with_unit("certificate_valid_until", told, Unit::Seconds, until);
        }
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("a text takes everything");
        // One end of the text, and not one of each part.
        text.truncate(text.trim_end().strip_suffix("# EOF").map_or(text.len(), str::len));
        encode(&mut text, &carried).expect("a text takes everything");
        text
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is connected, and this is what the server goes on from.
    fn restored(&self, records: &Records) {
        let sessions: usize = records.users.values().map(|user| user.sessions.keys().count()).sum();
        self.0.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        self.0.connections.clear();
        *self.seen() = Seen { days: records.days.clone(), ..Seen::default() };
    }

    fn input(&self, input: &Input) {
        match input {
            Input::Opened { connection } => {
                self.is_now(*connection, Some(UNKNOWN));
            }
            Input::Closed { connection } => {
                self.is_now(*connection, None);
            }
            Input::Frame { connection, frame: ClientFrame::Hello { platform, .. } } => {
                self.is_now(*connection, Some(platform.word()));
            }
            Input::Malformed { error, .. } => {
                self.0.bad_frames.get_or_create(&label("why", error.word())).inc();
            }
            Input::Started
            | Input::Frame { .. }
            | Input::Configured(_)
            | Input::ClockChanged
            | Input::StoodStill
            | Input::Stopping => {}
        }
    }

    /// What this connection is from now on, none where it is gone; and what it was.
    fn is_now(&self, connection: ConnectionId, platform: Option<&'static str>) -> Option<&'static str> {
        let before = match platform {
            Some(platform) => self.seen().connections.insert(connection, platform),
            None => self.seen().connections.remove(&connection),
        };
        if let Some(before) = before {
            self.0.connections.get_or_create(&label("platform", before)).dec();
        }
        if let Some(platform) = platform {
            self.0.connections.get_or_create(&label("platform", platform)).inc();
        }
        before
    }

    fn fact(&self, fact: &Fact) {
        match fact {
            Fact::SessionAccepted { .. } => {
                self.0.sessions.inc();
            }
            Fact::SessionEnded { reason, .. } => {
                self.0.sessions.dec();
                self.0.ends.get_or_create(&label("reason", reason.word())).inc();
            }
            Fact::DayCounted { day, users, .. } => {
                self.seen().days.insert(*day, *users);
            }
            Fact::MessageStored { .. } => {
                self.0.messages.inc();
            }
            _ => {}
        }
    }

    fn sent(&self, frame: &ServerFrame) {
        let code = |outcome: Result<(), &Refusal>| match outcome {
            Ok(()) => "0".to_owned(),
            Err(Refusal::Code(code)) => code.number().to_string(),
            Err(Refusal::Stale) => "stale".to_owned(),
        };
        match frame {
            ServerFrame::LoginAnswer { outcome, .. } => {
                let code = code(outcome.as_ref().map(|_| ()));
                self.0.logins.get_or_create(&label("code", code)).inc();
            }
            ServerFrame::RenewAnswer { outcome, .. } => {
                self.0.renewals.get_or_create(&label("code", code(outcome.as_ref().copied()))).inc();
            }
            ServerFrame::ResumeAnswer { outcome, .. } => {
                self.0.resumes.get_or_create(&label("result", resume_word(outcome))).inc();
            }
            ServerFrame::Kick(kick) => {
                self.0.kicks.get_or_create(&label("reason", kick.reason.word())).inc();
            }
            _ => {}
        }
    }

    fn decided(&self, now: Now, action: &Action) {
        match action {
            Action::Commit(commit) => {
                commit.facts.iter().for_each(|fact| self.fact(fact));
                self.seen().undecided.push_back((commit.number, now.instant));
            }
            Action::Send { frame, .. } => self.sent(frame),
            Action::Close { connection } => {
                if let Some(platform) = self.is_now(*connection, None) {
                    self.0.closes.get_or_create(&label("platform", platform)).inc();
                }
            }
            Action::Note(_) => {}
        }
    }

    fn committed(&self, now: Now, change: Change) {
        let mut seen = self.seen();
        while let Some((_, since)) = seen.undecided.pop_front_if(|(number, _)| *number <= change) {
            self.0.changes.inc();
            self.0.commit_seconds.observe((now.instant - since).as_secs_f64());
        }
    }
}

impl Observe for Metrics {
    fn server(&self, now: Now, seen: ServerSeen<'_>) {
        match seen {
            ServerSeen::Input(input) => self.input(input),
            ServerSeen::Output(output) => self.decided(now, &output.action),
            ServerSeen::Restored(records) => self.restored(records),
            ServerSeen::Committed(change) => self.committed(now, change),
            ServerSeen::StoreFailed | ServerSeen::Stopped => {}
        }
    }
}

fn label(name: &'static str, value: impl Into<String>) -> Label {
    [(name, value.into())]
}

fn resume_word(outcome: &ResumeOutcome) -> String {
    match outcome {
        ResumeOutcome::Resumed { .. } => "resumed".to_owned(),
        ResumeOutcome::LoggedIn(_) => "logged_in".to_owned(),
        ResumeOutcome::Kicked(_) => "kicked".to_owned(),
        ResumeOutcome::Expired => "expired".to_owned(),
        ResumeOutcome::Stale => "stale".to_owned(),
        ResumeOutcome::Refused(code) | ResumeOutcome::Unable(code) => code.number().to_string(),
    }
}

/// What the driver counts.
#[derive(Debug)]
struct Carried(Load);

impl Collector for Carried {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let load = &self.0;
        let counter = ConstCounter::<u64>::new(0);
        let mut bytes = encoder.encode_descriptor(
            "bytes",
            "Bytes as the network carries them, by direction",
            None,
            counter.metric_type(),
        )?;
        for (direction, number) in [("in", load.bytes_in()), ("out", load.bytes_out())] {
            ConstCounter::new(number).encode(bytes.encode_family(&[("direction", direction)])?)?;
        }
        let mut turned = encoder.encode_descriptor(
            "turned_away",
            "Connections that a limit closed, or that never were, by the reason",
            None,
            counter.metric_type(),
        )?;
        for why in Turned::ALL {
            ConstCounter::new(load.turned(why)).encode(turned.encode_family(&[("why", why.word())])?)?;
        }
        encoder
            .encode_descriptor(
                "held_back",
                "How often a connection that had said too much was read no further for a while",
                None,
                counter.metric_type(),
            )
            .and_then(|encoder| ConstCounter::new(load.held_back()).encode(encoder))?;
        let mut waiting = encoder.encode_descriptor(
            "waiting",
            "How many wait: arrivals for the core, changes for the store, outputs for the disk",
            None,
            ConstGauge::<u64>::new(0).metric_type(),
        )?;
        for (what, number) in [
            ("arrivals", load.arrivals_waiting()),
            ("changes", load.changes_waiting()),
            ("outputs", load.outputs_waiting()),
        ] {
            ConstGauge::new(number).encode(waiting.encode_family(&[("what", what)])?)?;
        }
        Ok(())
    }
}
