//! Every time and number the rules fix, as configuration with the rules' values as defaults.
//!
//! Holds values only. When a limit is reached is decided in `decide`.

use std::time::Duration;

use crate::policy::Platform;
use crate::protocol::CONVERSATIONS_MAX;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The server's limits.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{limits::ServerLimits, policy::Platform};
///
/// assert_eq!(ServerLimits::default().silence_of(Platform::Web), Duration::from_secs(90));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerLimits {
    /// After how long without a byte a connection is closed (CONN-5).
    pub silence: Duration,
    /// The same for the web.
    pub silence_web: Duration,
    /// After how long without a connection a session is dormant.
    pub dormant: Duration,
    /// The same for the web.
    pub dormant_web: Duration,
    /// How long a connection may stay without a login or resume (INPUT-2).
    pub admission: Duration,
    /// How long a connection whose session ended is kept for the confirmation (KICK-10).
    pub kick_linger: Duration,
    /// How many refused tickets lock a device and user (TICKET-4).
    pub refusals_max: u32,
    /// Within which time they count (TICKET-4).
    pub refusals_window: Duration,
    /// How long the lock lasts (TICKET-4).
    pub refusals_lock: Duration,
    /// How many such records are kept, and how many devices never admitted (TICKET-4, ATT-1).
    pub records_max: usize,
    /// How many lines of a user's conversation list a login or resume carries, and no more than a frame may
    /// ([`crate::protocol::CONVERSATIONS_MAX`], API-2).
    pub conversations_max: usize,
    /// How long after its link loss a mobile device can still be reached by push (PRES-1).
    pub push_online: Duration,
    /// How many logins and resumes a second the server takes (CONN-12).
    pub capacity: u32,
    /// How many logins of one user, and how many from one device, are taken at once; after those one more in each
    /// [`ServerLimits::logins_every`] (LOGIN-11). As many resumes of one device are (CONN-12).
    pub logins_max: u32,
    /// In which time one more is taken (LOGIN-11).
    pub logins_every: Duration,
    /// After how long those come back whom the server sends away because it stops or is full (CONN-2).
    pub return_after: Duration,
    /// How many devices a second are to come back when their connections were closed (CONN-2).
    pub returns_per_second: u32,
    /// Over how long they come back at least (CONN-2).
    pub return_spread_min: Duration,
    /// Over how long they come back at most (CONN-2).
    pub return_spread_max: Duration,
    /// After how long a silence devices are asked to send a heartbeat, where that is sooner than they would by themselves
    /// (CONN-11). At least a second.
    pub heartbeat: Option<Duration>,
    /// How many messages of a user are remembered by what the user called them (API-6).
    pub sent_max: usize,
    /// How many messages a session is owed at most (API-7).
    pub owed_max: usize,
    /// And how many bytes of text.
    pub owed_bytes_max: usize,
    /// How long a device without a session is remembered after the ticket of its last one ran out (ATT-6).
    pub remembered: Duration,
    /// How many devices without a session are remembered of one user (ATT-6).
    pub remembered_max: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        ServerLimits {
            silence: seconds(400),
            silence_web: seconds(90),
            dormant: seconds(400),
            dormant_web: seconds(90),
            admission: seconds(45),
            kick_linger: seconds(15),
            refusals_max: 10,
            refusals_window: seconds(60),
            refusals_lock: seconds(60),
            records_max: 65_536,
            conversations_max: CONVERSATIONS_MAX,
            push_online: seconds(7 * 24 * 60 * 60),
            capacity: 100_000,
            logins_max: 60,
            logins_every: seconds(1),
            return_after: seconds(1),
            returns_per_second: 500,
            return_spread_min: Duration::from_millis(250),
            return_spread_max: seconds(30),
            heartbeat: None,
            sent_max: 10_000,
            owed_max: 1_000,
            owed_bytes_max: 1024 * 1024,
            remembered: seconds(30 * 24 * 60 * 60),
            remembered_max: 1_000,
        }
    }
}

impl ServerLimits {
    /// After how long without a byte a connection of this platform is closed (CONN-5).
    pub const fn silence_of(&self, platform: Platform) -> Duration {
        match platform {
            Platform::Web => self.silence_web,
            Platform::Android
            | Platform::Ios
            | Platform::Ipad
            | Platform::Windows
            | Platform::Mac
            | Platform::Linux => self.silence,
        }
    }

    /// After how long without a connection a session of this platform is dormant.
    pub const fn dormant_of(&self, platform: Platform) -> Duration {
        match platform {
            Platform::Web => self.dormant_web,
            Platform::Android
            | Platform::Ios
            | Platform::Ipad
            | Platform::Windows
            | Platform::Mac
            | Platform::Linux => self.dormant,
        }
    }
}

/// The shortest silence of a server that leaves room for two heartbeats of a device and an answer (CONN-11). Those of
/// CONN-5 have it, though on the web they are tighter: 60 s, 15 s and 90 s.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{limits::{ClientLimits, silence_min}, policy::Platform};
///
/// let mut limits = ClientLimits::of(Platform::Web);
/// assert_eq!(silence_min(Platform::Web, &limits), Duration::from_secs(90));
/// limits.heartbeat = Duration::from_secs(20);
/// assert_eq!(silence_min(Platform::Web, &limits), Duration::from_secs(2 * 20 + 15));
/// ```
pub fn silence_min(platform: Platform, limits: &ClientLimits) -> Duration {
    let room = limits.heartbeat * 2 + limits.heartbeat_answer;
    let rule = ClientLimits::of(platform);
    if limits.heartbeat <= rule.heartbeat && limits.heartbeat_answer <= rule.heartbeat_answer {
        room.min(ServerLimits::default().silence_of(platform))
    } else {
        room
    }
}

/// The SDK's limits, of one platform.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{limits::ClientLimits, policy::Platform};
///
/// assert_eq!(ClientLimits::of(Platform::Ios).heartbeat, Duration::from_secs(120));
/// assert_eq!(ClientLimits::of(Platform::Web).heartbeat, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientLimits {
    /// By when a `login` call has its result (LOGIN-3).
    pub login_timeout: Duration,
    /// By when every other request has its result (API-5, LOGOUT-1).
    pub request_timeout: Duration,
    /// How long one attempt to connect lasts, the answer to its resume included (CONN-2).
    pub connect_timeout: Duration,
    /// How long after it last sent anything the device sends a heartbeat (CONN-5).
    pub heartbeat: Duration,
    /// How long it waits for the heartbeat's answer (CONN-5).
    pub heartbeat_answer: Duration,
    /// The shortest time between heartbeats to which losses shorten it (CONN-11).
    pub heartbeat_min: Duration,
    /// After how long without such a loss it is doubled again (CONN-11).
    pub heartbeat_recovery: Duration,
    /// How long a device that asks its link for a sign of life waits before it makes another connection beside it
    /// (CONN-10).
    pub probe_answer: Duration,
    /// The first delay after the device's own link failed is drawn between zero and this (CONN-2).
    pub backoff_first: Duration,
    /// The second delay, before its spread; each further one is twice the one before (CONN-2).
    pub backoff_min: Duration,
    /// The longest delay, before its spread (CONN-2).
    pub backoff_max: Duration,
    /// How far a delay is spread either way, in percent (CONN-2).
    pub backoff_spread_percent: u32,
    /// After how long a link's life the back-off starts over (CONN-2).
    pub backoff_reset: Duration,
}

impl ClientLimits {
    /// The rules' values for `platform`.
    pub const fn of(platform: Platform) -> Self {
        let web = matches!(platform, Platform::Web);
        ClientLimits {
            login_timeout: seconds(30),
            request_timeout: seconds(15),
            connect_timeout: seconds(10),
            heartbeat: if web { seconds(60) } else { seconds(120) },
            heartbeat_answer: seconds(15),
            heartbeat_min: seconds(30),
            heartbeat_recovery: seconds(60 * 60),
            probe_answer: seconds(1),
            backoff_first: Duration::from_millis(250),
            backoff_min: Duration::from_millis(250),
            backoff_max: if web { seconds(16) } else { seconds(64) },
            backoff_spread_percent: 20,
            backoff_reset: seconds(30),
        }
    }
}
