//! A scenario: everything decided about one run, as the file says it and as every world reads it.
//!
//! Holds concrete devices, steps and expectations only: `parse` expands the patterns of a file,
//! `print` writes the expanded form. Runs nothing and judges nothing: a world does the first,
//! the checks over a trace the second.

#[cfg(test)]
mod arbitrary;
mod diagnose;
mod duration;
mod expect;
mod line;
mod parse;
mod print;
#[cfg(test)]
mod refusals;
pub mod rules;
#[cfg(test)]
mod samples;
mod schema;
mod script;

pub use diagnose::{Diagnosis, Problem};
pub use schema::schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::UserId;
use gatecrash::policy::{OutOfRange, Platform, Policy, Seats};
use gatecrash::protocol::{KickReason, Presence};
use gatecrash::time::WallTime;

use rules::RuleId;

/// The tick of a scenario that names none.
pub const TICK_DEFAULT: Duration = Duration::from_millis(1);

/// The coarsest tick.
pub const TICK_MAX: Duration = Duration::from_secs(1);

/// A script that runs longer than this must name its tick: ten minutes are 600,000 ticks of 1 ms.
pub const UNTIL_MAX_WITHOUT_TICK: Duration = Duration::from_secs(600);

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
    pub expectations: Vec<Expectation>,
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
        }
    }
}

macro_rules! limits {
    ($(#[doc = $text:literal] $name:ident: $kind:ident;)+) => {
        /// The timers and limits a scenario sets; those it does not keep the rules' values.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct LimitOverrides { $(#[doc = $text] pub $name: Option<limits!(@type $kind)>,)+ }

        impl LimitOverrides {
            /// Every limit's key, with what kind of value it takes and what it limits.
            pub const KEYS: &'static [(&'static str, LimitKind, &'static str)] =
                &[$((stringify!($name), LimitKind::$kind, $text)),+];

            /// The limits that are set, in the order of [`LimitOverrides::KEYS`].
            pub fn set_values(&self) -> Vec<(&'static str, LimitValue)> {
                let mut values = Vec::new();
                $(if let Some(value) = self.$name { values.push((stringify!($name), LimitValue::$kind(value))); })+
                values
            }

            /// Sets the limit with this key; false if there is none of that key and kind.
            pub fn set(&mut self, key: &str, value: LimitValue) -> bool {
                match (key, value) {
                    $((stringify!($name), LimitValue::$kind(value)) => { self.$name = Some(value); true })+
                    _ => false,
                }
            }
        }
    };
    (@type Time) => { Duration };
    (@type Number) => { u32 };
    (@type Percent) => { u32 };
}

limits! {
    /// How long a login may take (LOGIN-3; 30 s).
    login_timeout: Time;
    /// How long any other request may take (API-5, LOGOUT-1; 15 s).
    request_timeout: Time;
    /// How long one attempt to connect may take (LOGIN-8, CONN-2; 10 s).
    connect_timeout: Time;
    /// How long after its last frame a device sends a heartbeat (CONN-5; 120 s).
    heartbeat: Time;
    /// The same on the web (CONN-5; 60 s).
    heartbeat_web: Time;
    /// How long a device waits for a heartbeat's answer (CONN-5; 15 s).
    heartbeat_answer: Time;
    /// The longest first pause before reconnecting (CONN-2; 250 ms).
    backoff_first: Time;
    /// The second pause, doubled from then on (CONN-2; 250 ms).
    backoff_min: Time;
    /// The longest pause (CONN-2; 64 s).
    backoff_max: Time;
    /// The same on the web (CONN-2; 16 s).
    backoff_max_web: Time;
    /// How far a pause is spread to either side, in percent (CONN-2; 20).
    backoff_spread_percent: Percent;
    /// How long a link must have stayed up for the back-off to start over (CONN-2; 30 s).
    backoff_reset: Time;
    /// How long the server bears a silent connection (CONN-5; 400 s).
    silence: Time;
    /// The same on the web (CONN-5; 90 s).
    silence_web: Time;
    /// How long a session lives without a connection until it is dormant (CONN-6; 400 s).
    dormant: Time;
    /// The same on the web (CONN-6; 90 s).
    dormant_web: Time;
    /// How long a connection may stay without a login or resume (INPUT-2; 45 s).
    admission: Time;
    /// How long the server waits for a kick's confirmation before it closes (KICK-10; 15 s).
    kick_linger: Time;
    /// How many refused tickets lock a device (TICKET-4; 10).
    refusals_max: Number;
    /// Within which span they are counted (TICKET-4; 60 s).
    refusals_window: Time;
    /// How long the lock lasts (TICKET-4; 60 s).
    refusals_lock: Time;
    /// How long after its link loss a mobile session is PushOnline (PRES-1; 7 d).
    push_online: Time;
}

/// What kind of value a limit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// A span of time over zero.
    Time,
    /// A number from 1.
    Number,
    /// A number from 0 to 100.
    Percent,
}

/// The value of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitValue {
    /// A span of time.
    Time(Duration),
    /// A number.
    Number(u32),
    /// A percentage.
    Percent(u32),
}

/// A network location. Its devices share a link to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// One way.
    pub latency: Span,
}

impl Default for Site {
    fn default() -> Self {
        Site { latency: LATENCY_DEFAULT }
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

/// Something that breaks, or heals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The site's link loses what is sent.
    Partition {
        /// Which site's.
        site: SiteName,
        /// In which direction.
        direction: Direction,
    },
    /// Undoes a partition, for what is sent from now on.
    Repair {
        /// Which site's.
        site: SiteName,
    },
    /// The site's link keeps what is sent.
    Hold {
        /// Which site's.
        site: SiteName,
    },
    /// Undoes a hold: what was kept is delivered.
    Release {
        /// Which site's.
        site: SiteName,
    },
    /// The site's link gets another latency.
    Latency {
        /// Which site's.
        site: SiteName,
        /// One way.
        latency: Span,
    },
    /// The server's process dies; its connections are closed.
    CrashServer,
    /// The server's process dies and is started again.
    BounceServer {
        /// How long after.
        after: Duration,
    },
    /// A dead server is started again.
    StartServer,
    /// The server's machine loses its power: nobody is told.
    PowerLossServer,
    /// The device's connection is reset.
    Reset {
        /// Whose.
        device: DeviceName,
    },
    /// The device's process dies.
    Kill {
        /// Whose.
        device: DeviceName,
    },
    /// The device's process is started again.
    Start {
        /// Whose.
        device: DeviceName,
    },
    /// The device is frozen by its operating system.
    Suspend {
        /// Which.
        device: DeviceName,
    },
    /// The frozen device goes on.
    Wake {
        /// Which.
        device: DeviceName,
    },
    /// A wall clock jumps.
    Skew {
        /// Whose.
        clock: Clock,
        /// How far, from where it is.
        by: Offset,
    },
    /// A wall clock runs fast or slow from now on.
    Drift {
        /// Whose.
        clock: Clock,
        /// By how many millionths; negative is slow.
        ppm: i32,
    },
    /// The device's disk is emptied, as when the application is installed afresh.
    Wipe {
        /// Whose.
        device: DeviceName,
    },
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

/// Something the trace of the run must show. One that names no instant speaks of the end of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// A listener event fires so many times.
    Event {
        /// On which device.
        device: DeviceName,
        /// Which.
        event: ListenerEvent,
        /// How many times, exactly.
        times: u32,
        /// Counts only kicks with this reason.
        reason: Option<KickReason>,
        /// Counts only `connect_failed` with this code.
        code: Option<Code>,
        /// Counts only what happens in here.
        between: Option<Window>,
    },
    /// What `login_status` says.
    Status {
        /// Which device's.
        device: DeviceName,
        /// What.
        status: LoginStatus,
        /// When.
        at: Option<Duration>,
    },
    /// What `login_user` says.
    LoginUser {
        /// Which device's.
        device: DeviceName,
        /// Who; none when it is empty.
        user: Option<UserId>,
        /// When.
        at: Option<Duration>,
    },
    /// How a call is answered.
    Answer {
        /// Whose call.
        device: DeviceName,
        /// Which call.
        call: CallKind,
        /// The how manieth of its kind on this device, from 1, those made inside listeners included.
        number: u32,
        /// With what.
        answer: Answer,
        /// When.
        between: Option<Window>,
    },
    /// What a call of `conversations` answers.
    Conversations {
        /// Whose call.
        device: DeviceName,
        /// The how manieth `conversations` of this device, from 1.
        number: u32,
        /// Exactly these peers, in any order.
        with: BTreeSet<UserId>,
    },
    /// What a status query answers about one user.
    Query {
        /// Whose call.
        device: DeviceName,
        /// The how manieth `query` of this device, from 1.
        number: u32,
        /// About whom.
        user: UserId,
        /// What it shows.
        shown: Shown,
    },
    /// A message with exactly this text is delivered so many times.
    Receives {
        /// To which device.
        device: DeviceName,
        /// The text.
        text: String,
        /// How many times, exactly.
        times: u32,
    },
    /// Which devices' sessions of the user have a connection on the server.
    Online {
        /// The user.
        user: UserId,
        /// Exactly these.
        devices: BTreeSet<DeviceName>,
        /// When.
        at: Option<Duration>,
    },
    /// Which devices have a session of the user on the server.
    Sessions {
        /// The user.
        user: UserId,
        /// Exactly these.
        devices: BTreeSet<DeviceName>,
        /// When.
        at: Option<Duration>,
    },
    /// The user's presence on the server.
    Presence {
        /// The user.
        user: UserId,
        /// What it is.
        presence: Presence,
        /// When.
        at: Option<Duration>,
    },
    /// On how many days the user was counted in the whole run (DAU-1).
    Counted {
        /// The user.
        user: UserId,
        /// How many days.
        days: u32,
    },
    /// How many logins of the user were accepted in the whole run.
    Epochs {
        /// The user.
        user: UserId,
        /// How many.
        logins: u32,
    },
}

/// A span of the script, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Its first instant.
    pub from: Duration,
    /// Its last instant.
    pub to: Duration,
}

impl Window {
    /// Whether `at` is in it.
    pub fn contains(&self, at: Duration) -> bool {
        self.from <= at && at <= self.to
    }
}

/// How a call is expected to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It succeeds.
    Ok,
    /// It fails with this code.
    Fails(Code),
    /// Never: its process dies first.
    Nothing,
}

macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident = $word:literal,)+ })+) => { $(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])+ $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word scenario files and traces use.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    )+ };
}

words! {
    /// Who starts a device's SDK.
    Init {
        /// The world: process and SDK are up at 0 s.
        Auto = "auto",
        /// A step: the process is up at 0 s, the SDK waits for `init`.
        Manual = "manual",
    }
    /// What is wrong with a ticket.
    Forge {
        /// Signed with a key that never was the app's.
        WrongKey = "wrong_key",
        /// Signed with the app's second key, good until that is dropped.
        OldKey = "old_key",
        /// Issued for another app.
        OtherApp = "other_app",
        /// Not a ticket at all.
        Garbage = "garbage",
        /// The empty text.
        Empty = "empty",
        /// Over 8 KiB.
        Oversized = "oversized",
        /// Inflates over 64 KiB.
        Bomb = "bomb",
        /// Cut in the middle.
        Truncated = "truncated",
    }
    /// What a listener hears.
    ListenerEvent {
        /// An attempt to connect begins.
        Connecting = "connecting",
        /// It succeeded.
        ConnectSuccess = "connect_success",
        /// It failed.
        ConnectFailed = "connect_failed",
        /// The session was ended by the server.
        KickedOffline = "kicked_offline",
        /// The session ended with its ticket.
        UserSigExpired = "user_sig_expired",
        /// A message arrived.
        Message = "message",
    }
    /// What a stranger does on a connection of its own.
    Conduct {
        /// Sends random bytes.
        Garbage = "garbage",
        /// Announces a frame over 64 KiB.
        Oversized = "oversized",
        /// Sends a request first.
        NoHello = "no_hello",
        /// Says hello twice.
        TwoHellos = "two_hellos",
        /// Says hello in an unknown version.
        WrongVersion = "wrong_version",
        /// Opens the connection and stays silent.
        Idle = "idle",
        /// Says hello, then resumes a made-up session with an empty ticket.
        ResumeForged = "resume_forged",
        /// Sends half a frame, then nothing.
        Truncated = "truncated",
    }
    /// In which direction a partition loses what is sent.
    Direction {
        /// In both.
        Both = "both",
        /// From the server to the site.
        Inbound = "inbound",
        /// From the site to the server.
        Outbound = "outbound",
    }
    /// What `login_status` says (LOGIN-6).
    LoginStatus {
        /// Nobody is logged in.
        Logout = "LOGOUT",
        /// A login is under way.
        Logining = "LOGINING",
        /// Logged in.
        Logined = "LOGINED",
    }
    /// The calls whose answers can be expected.
    CallKind {
        /// `login`.
        Login = "login",
        /// `logout`.
        Logout = "logout",
        /// `send_message`.
        Send = "send",
        /// `conversations`.
        Conversations = "conversations",
        /// The administrative kick.
        Kick = "kick",
        /// The administrative status query.
        Query = "query",
        /// `init`.
        Init = "init",
        /// `uninit`.
        Uninit = "uninit",
    }
    /// What a status query shows of a user.
    Shown {
        /// Online.
        Online = "online",
        /// PushOnline.
        PushOnline = "push_online",
        /// Offline.
        Offline = "offline",
        /// Listed apart: no such account.
        Unknown = "unknown",
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
