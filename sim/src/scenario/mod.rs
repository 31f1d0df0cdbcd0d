//! A scenario: everything decided about one run, as the file says it and as every world reads it.
//!
//! Holds concrete devices, steps and expectations only: `parse` expands the patterns of a file,
//! `print` writes the expanded form. Runs nothing and judges nothing: a world does the first,
//! the checks over a trace the second.

#[cfg(test)]
mod arbitrary;
pub mod clock;
pub mod config;
mod diagnose;
mod duration;
mod expect;
mod expectation;
pub(crate) mod fault;
#[cfg(test)]
#[path = "../../../tests/it/fixed_seed.rs"]
pub(crate) mod fixed_seed;
mod limit;
mod line;
mod meant;
mod names;
pub(crate) mod numbers;
mod parse;
mod print;
#[cfg(test)]
mod refusals;
pub mod rules;
#[cfg(test)]
mod samples;
mod schema;
mod script;
mod section;
mod site;
mod vocabulary;
mod words;

pub use diagnose::{Diagnosis, Problem, nearest};
pub use duration::{parse_duration, print_duration};
pub use expectation::{Answer, Expectation, Expected, Place, Window};
pub use fault::Fault;
pub use limit::{LimitKind, LimitOverrides, LimitValue};
pub use meant::rules_meant;
pub use schema::schema;
pub use site::{Pieces, Site, WINDOW_MAX};
pub use vocabulary::Vocabulary;
pub use words::{CallKind, CommitPoint, Conduct, Direction, Forge, Init, ListenerEvent, LoginStatus, Shown};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gatecrash::id::UserId;
use gatecrash::policy::{OutOfRange, Platform, Policy, Seats};
use gatecrash::time::WallTime;

use rules::RuleId;

/// The tick of a short scenario that names none.
pub const TICK_DEFAULT: Duration = Duration::from_millis(1);

/// The tick of a scenario that names none and runs so long: ten times as coarse each time ten times as many would be
/// stepped through.
pub fn tick_default(until: Duration) -> Duration {
    let (mut tick, mut enough) = (TICK_DEFAULT, TICKS_FINE_FOR);
    while until > enough && tick < TICK_MAX {
        (tick, enough) = (tick * 10, enough * 10);
    }
    tick
}

/// The user of whom a stranger makes up a session (`raw resume_forged`, `raw logout_again`).
pub const FORGED_USER: &str = "forged";

/// The coarsest tick.
pub const TICK_MAX: Duration = Duration::from_secs(1);

/// A script that runs longer than this has a coarser tick when it names none: ten minutes are 600,000 ticks of 1 ms.
pub const TICKS_FINE_FOR: Duration = Duration::from_secs(600);

/// The latency of a site that names none, one way.
pub const LATENCY_DEFAULT: Span = Span::exactly(Duration::from_millis(30));

/// How long a commit takes when the file does not say.
pub const COMMIT_LATENCY_DEFAULT: Span = Span::exactly(Duration::from_millis(1));

/// The app's number when the file names none.
pub const APP_ID_DEFAULT: u64 = 1_400_000_000;

/// The server's wall clock at 0 s when the file does not say, in seconds since 1970.
pub const START_DEFAULT: u64 = 1_700_000_000;

/// How long the tickets of logins are valid when the file does not say.
pub const TICKET_TTL_DEFAULT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Everything decided about one run. It prints as a file that parses to the same value.
///
/// Whoever builds one in code keeps to what `parse` checks: every name a step or an expectation
/// uses exists, steps are in the order of time and none is after `until`, no user of an expectation
/// is called like a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What happens, in one sentence.
    pub title: String,
    /// The rules it shows at work, in the file's order. Never empty.
    pub rules: Vec<RuleId>,
    /// The seed of everything drawn while running.
    pub seed: u64,
    /// How far a world that steps through time goes in one step.
    pub tick: Duration,
    /// Why the outcome may depend on latency, so that another world need only agree on the verdict.
    pub verdict_only: Option<String>,
    /// How long convergence may take, in the place of the bound a world works out.
    pub converge: Option<Duration>,
    /// The app and its server.
    pub app: App,
    /// Timers and limits that differ from the rules' values.
    pub limits: LimitOverrides,
    /// Every site a device is on, and those that only the file names.
    pub sites: BTreeMap<SiteName, Site>,
    /// Every device.
    pub devices: BTreeMap<DeviceName, Device>,
    /// The tickets that steps refer to by name.
    pub tickets: BTreeMap<TicketName, TicketPlan>,
    /// When the script ends and convergence begins.
    pub until: Duration,
    /// What happens, in the order of time; at one instant, in the order of the file.
    pub steps: Vec<Step>,
    /// What the trace must show, in the order of the file.
    pub expectations: Vec<Expected>,
}

impl Scenario {
    /// Whether it is one that a file can hold: it prints, and what is printed parses to it.
    pub fn reads_back(&self) -> bool {
        Scenario::parse("printed.toml", &self.to_string()).as_ref() == Ok(self)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])+ $name:ident;)+) => { $(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if is_name(text) { Ok($name(text.to_owned())) } else { Err(InvalidName) }
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )+ };
}

names! {
    /// What a scenario calls a device.
    DeviceName;
    /// What a scenario calls a site: a network location whose devices share a link to the server.
    SiteName;
    /// What a scenario calls a ticket.
    TicketName;
}

/// The text names nothing in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name is a letter, then up to 39 of a-z A-Z 0-9 _ -")]
pub struct InvalidName;

/// Longest name of a device, site or ticket, in bytes.
const NAME_BYTES_MAX: usize = 40;

fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// A span of time drawn evenly between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The shortest.
    pub min: Duration,
    /// The longest; equal to `min` when nothing is drawn.
    pub max: Duration,
}

impl Span {
    /// The span that is always this long.
    pub const fn exactly(span: Duration) -> Self {
        Span { min: span, max: span }
    }
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

/// A signed span of time, in microseconds: how far a clock is off, when a ticket was issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The time so far from `time`; 1970 if that is before it.
    pub const fn from(self, time: WallTime) -> WallTime {
        WallTime::from_micros(time.as_micros().saturating_add_signed(self.0))
    }
}

/// The app and its server, as they are when the run begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The SDKAppID.
    pub id: u64,
    /// The policy and its numbers of devices.
    pub seats: Seats,
    /// Who may make administrative calls.
    pub administrators: BTreeSet<UserId>,
    /// Whether the resume of a displaced session counts as a login (KICK-6).
    pub reconnect_kicks: bool,
    /// Whether a login after a displacement of the dead process is told so once (KICK-7).
    pub notify_offline_kick: bool,
    /// The server's wall clock at 0 s, a whole second.
    pub start: WallTime,
    /// How long the tickets made for logins are valid.
    pub ticket_ttl: Duration,
    /// How long the server's disk takes to commit.
    pub commit_latency: Span,
    /// Whether the server and whoever connects to it speak TLS (TLS-2).
    pub tls: bool,
}

impl Default for App {
    fn default() -> Self {
        App {
            id: APP_ID_DEFAULT,
            seats: Seats::default(),
            administrators: BTreeSet::new(),
            reconnect_kicks: false,
            notify_offline_kick: false,
            start: WallTime::from_seconds(START_DEFAULT),
            ticket_ttl: TICKET_TTL_DEFAULT,
            commit_latency: COMMIT_LATENCY_DEFAULT,
            tls: false,
        }
    }
}

/// One installation of the SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it runs on.
    pub platform: Platform,
    /// Where it is.
    pub site: SiteName,
    /// Who starts its SDK.
    pub init: Init,
    /// How far its wall clock is from the server's at 0 s.
    pub wall_offset: Offset,
}

/// A named ticket, signed before the run begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketPlan {
    /// Issued to whom.
    pub user: UserId,
    /// When, from the server's wall clock at 0 s: whole seconds.
    pub issued: Offset,
    /// How long it is valid: whole seconds.
    pub ttl: Duration,
    /// What is wrong with it.
    pub forge: Option<Forge>,
}

/// Something that happens at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, from the start.
    pub at: Duration,
    /// What.
    pub action: Action,
}

/// What happens in a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The application on a device calls its SDK.
    Call {
        /// On which device.
        device: DeviceName,
        /// What it calls.
        call: Call,
    },
    /// From now on, once: when the event fires next, the call is made inside the listener (EVENT-2).
    On {
        /// On which device.
        device: DeviceName,
        /// Inside which listener.
        event: ListenerEvent,
        /// What is called.
        call: Call,
    },
    /// A stranger opens a connection from the device's site, outside its SDK (INPUT-1 to INPUT-3).
    Raw {
        /// From whose site.
        device: DeviceName,
        /// What the stranger sends.
        conduct: Conduct,
    },
    /// Something breaks or heals.
    Fault(Fault),
    /// The app's business side changes the server's configuration.
    App(AppChange),
}

/// A call an application makes on its SDK. Users are texts: the application may get them wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `init`.
    Init,
    /// `uninit`.
    Uninit,
    /// `login`.
    Login {
        /// As whom.
        user: String,
        /// With which ticket.
        ticket: TicketChoice,
    },
    /// `logout`.
    Logout,
    /// `send_message`.
    Send {
        /// To whom.
        to: String,
        /// What.
        text: Text,
        /// What the application calls it: none leaves that to the application's own way (API-6).
        id: Option<u32>,
    },
    /// `conversations`.
    Conversations,
    /// The administrative kick (ADMIN-1).
    Kick {
        /// Whom.
        user: String,
    },
    /// The administrative status query (ADMIN-2).
    Query {
        /// About whom. Never empty.
        users: Vec<String>,
    },
    /// Tells the SDK that the network changed (CONN-10).
    NetworkChanged,
}

/// Which ticket a login uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketChoice {
    /// One signed at that moment, by the server's wall clock.
    Fresh {
        /// Valid for how long; the app's `ticket_ttl` when none. Whole seconds.
        ttl: Option<Duration>,
    },
    /// One of the scenario's named tickets.
    Named(TicketName),
    /// The very text of this device's previous `login`.
    Last,
}

/// A message's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// This text.
    Written(String),
    /// Any text of so many bytes.
    Bytes(u32),
}

/// Whose wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The server's.
    Server,
    /// A device's.
    Device(DeviceName),
}

/// A change of the server's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppChange {
    /// Another policy, the numbers of devices as they are (POLICY-5).
    Policy(Policy),
    /// Another number of devices on a platform (POLICY-2).
    MaxInstances {
        /// Which platform.
        platform: Platform,
        /// The number.
        number: u32,
    },
    /// KICK-6.
    ReconnectKicks(bool),
    /// KICK-7.
    NotifyOfflineKick(bool),
    /// Who may make administrative calls from now on.
    Administrators(BTreeSet<UserId>),
    /// The app's second key is no longer accepted.
    DropOldKey,
}

impl AppChange {
    /// The seats after this change.
    ///
    /// # Errors
    ///
    /// The number that is outside the range of POLICY-2.
    pub fn seats_after(&self, seats: Seats) -> Result<Seats, OutOfRange> {
        let mut instances: BTreeMap<Platform, u32> = Platform::ALL
            .into_iter()
            .map(|platform| (platform, u32::try_from(seats.instances_max(platform)).expect("at most ten")))
            .collect();
        match self {
            AppChange::Policy(policy) => Seats::new(*policy, &instances),
            AppChange::MaxInstances { platform, number } => {
                instances.insert(*platform, *number);
                Seats::new(seats.policy(), &instances)
            }
            AppChange::ReconnectKicks(_)
            | AppChange::NotifyOfflineKick(_)
            | AppChange::Administrators(_)
            | AppChange::DropOldKey => Ok(seats),
        }
    }
}

impl Call {
    /// Which call it is; none for the one that has no answer.
    pub fn kind(&self) -> Option<CallKind> {
        match self {
            Call::Init => Some(CallKind::Init),
            Call::Uninit => Some(CallKind::Uninit),
            Call::Login { .. } => Some(CallKind::Login),
            Call::Logout => Some(CallKind::Logout),
            Call::Send { .. } => Some(CallKind::Send),
            Call::Conversations => Some(CallKind::Conversations),
            Call::Kick { .. } => Some(CallKind::Kick),
            Call::Query { .. } => Some(CallKind::Query),
            Call::NetworkChanged => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_letter_then_letters_digits_and_dashes() {
        for good in ["a", "phone-1", "Site_2"] {
            assert_eq!(good.parse::<DeviceName>().unwrap().as_str(), good);
        }
        for bad in ["", "1phone", "-a", "a b", "ä", "a.b", &"a".repeat(41)] {
            assert_eq!(bad.parse::<SiteName>(), Err(InvalidName), "{bad:?}");
        }
    }

    #[test]
    fn limits_are_set_by_their_key_and_kind_only() {
        let mut limits = LimitOverrides::default();
        assert!(limits.set("silence", LimitValue::Time(Duration::from_secs(4))));
        assert!(limits.set("refusals_max", LimitValue::Number(3)));
        assert!(!limits.set("silence", LimitValue::Number(3)));
        assert!(!limits.set("silences", LimitValue::Number(3)));
        assert_eq!(
            limits.set_values(),
            [("silence", LimitValue::Time(Duration::from_secs(4))), ("refusals_max", LimitValue::Number(3))]
        );
    }

    #[test]
    fn a_policy_must_fit_the_numbers_set_before_it() {
        let seats = Seats::new(Policy::Multi, &BTreeMap::from([(Platform::Ios, 2)])).unwrap();
        let refused = AppChange::Policy(Policy::Dual).seats_after(seats).unwrap_err();
        assert_eq!((refused.platform, refused.number, refused.limit), (Platform::Ios, 2, 1));
        let one = AppChange::MaxInstances { platform: Platform::Ios, number: 1 }.seats_after(seats).unwrap();
        assert_eq!(AppChange::Policy(Policy::Dual).seats_after(one).unwrap(), Seats::default());
    }

    #[test]
    fn an_offset_moves_a_time_either_way_but_not_before_1970() {
        let start = WallTime::from_seconds(10);
        assert_eq!(Offset(2_000_000).from(start).seconds(), 12);
        assert_eq!(Offset(-11_000_000).from(start), WallTime::from_micros(0));
    }
}
