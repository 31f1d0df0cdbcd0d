//! The timers and limits a scenario may set: one table of keys, kinds and meanings.
//!
//! The rules' own values are the product's, in `gatecrash::limits`; nothing is applied here.

use std::time::Duration;

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
    (@type Lines) => { u32 };
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
    /// The shortest time between heartbeats to which losses of an idle link shorten it (CONN-11; 30 s).
    heartbeat_min: Time;
    /// After how long without such a loss it is doubled again (CONN-11; 1 h).
    heartbeat_recovery: Time;
    /// How long a device that doubts its link waits for a sign of life before it makes another connection (CONN-10; 1 s).
    probe_answer: Time;
    /// The longest first pause before reconnecting, where the device's own link failed (CONN-2; 250 ms).
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
    /// How many records of each kind are kept of refused tickets, of logins, and of devices never admitted (TICKET-4; 65,536).
    records_max: Number;
    /// How many lines of the conversation list a login or resume carries, at most 200 (API-2; 200).
    conversations_max: Lines;
    /// How many logins and resumes a second the server takes (CONN-12; 100,000).
    capacity: Number;
    /// How many logins of a user, or from a device, it takes at once (LOGIN-11; 60).
    logins_max: Number;
    /// After how long it takes one more (LOGIN-11; 1 s).
    logins_every: Time;
    /// After how long those come back whom a server sends away that stops or is full (CONN-2; 1 s).
    return_after: Time;
    /// How many devices a second come back whose connections were closed (CONN-2; 500).
    returns_per_second: Number;
    /// Over how long they come back at least (CONN-2; 250 ms).
    return_spread_min: Time;
    /// Over how long they come back at most (CONN-2; 30 s).
    return_spread_max: Time;
    /// After how long a silence the server asks for a heartbeat, if that is sooner than by itself (CONN-11; none).
    told_heartbeat: Time;
    /// How many of a user's messages are remembered by their ids (API-6; 10,000).
    sent_max: Number;
    /// How many messages a session is owed at most (API-7; 1,000).
    owed_max: Number;
    /// And how many bytes of text (API-7; 1 MiB).
    owed_bytes_max: Number;
    /// How long a device without a session is remembered after its last ticket ran out (ATT-6; 30 d).
    remembered: Time;
    /// How many devices without a session are remembered of a user (ATT-6; 1,000).
    remembered_max: Number;
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
    /// A number of lines of a list, from 1 to the most that a frame has room for (API-2).
    Lines,
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
    /// A number of lines.
    Lines(u32),
}
