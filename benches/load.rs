//! The scenarios that the benchmarks of the event world run. (`million.rs` has one of its own.)
//!
//! Measures nothing. Every figure that a reader needs to tell what was run is a parameter or a
//! constant here.

use std::time::Duration;

use gatecrash_sim::scenario::Scenario;

/// Devices that log in once and then do nothing but send heartbeats.
#[derive(Clone, Copy)]
pub struct Beats {
    /// How many devices, each of a user of its own.
    pub devices: u32,
    /// How long after it last sent anything a device sends a heartbeat.
    pub heartbeat: Duration,
    /// How many heartbeats each device sends once all are logged in.
    pub beats: u32,
}

impl Beats {
    /// How many heartbeats there are to answer.
    pub fn round_trips(self) -> u64 {
        u64::from(self.devices) * u64::from(self.beats)
    }

    /// How much simulated time they take.
    pub fn span(self) -> Duration {
        self.heartbeat * self.beats
    }

    /// The whole run: the logins, and after them [`Beats::span`].
    pub fn with_beats(self) -> Scenario {
        self.scenario(self.heartbeat * 2 + self.span())
    }

    /// The same run cut off before that span. What the whole run costs more is what the heartbeats
    /// cost.
    pub fn without_beats(self) -> Scenario {
        self.scenario(self.heartbeat * 2)
    }

    /// The event world commits one change at a time, and a disk that takes a millisecond for each
    /// would let many logins time out: it is a fast one.
    ///
    /// Logins are spread over most of one heartbeat, so that afterwards heartbeats are as well: at
    /// any time few are under way, and most of the queue is timers.
    fn scenario(self, until: Duration) -> Scenario {
        let Beats { devices, heartbeat, .. } = self;
        let text = format!(
            r#"
title = "devices beat"
rules = ["CONN-5"]
seed = 1
tick = "1s"
[app]
policy = "multi"
ticket_ttl = "3650d"
commit_latency = "1us"
[limits]
heartbeat = "{heartbeat}ms"
[sites]
"s-{{1..4}}" = {{ latency = "30ms" }}
[devices]
"d-{{1..{devices}}}" = {{ platform = "android", site = ["s-1", "s-2", "s-3", "s-4"] }}
[script]
until = "{until}ms"
steps = """
0s..{spread}ms  d-{{1..{devices}}}  login user-{{}}
"""
expect = """
d-{{1..{devices}}}  status LOGINED
"""
"#,
            heartbeat = heartbeat.as_millis(),
            spread = heartbeat.as_millis() * 9 / 10,
            until = until.as_millis(),
        );
        parsed(&text)
    }
}

/// Six devices of three users stay online for half a year; one ticket expires on its last day.
pub fn six_devices_for_180_days() -> Scenario {
    parsed(
        r#"
title = "Six devices stay online for 180 days, and a ticket expires on the last one"
rules = ["CONN-5", "TICKET-5"]
seed = 1
tick = "1s"
[app]
policy = "multi"
ticket_ttl = "365d"
[sites]
home = { latency = "20ms..60ms" }
office = { latency = "5ms..20ms" }
[devices]
phone-1 = { platform = "android", site = "home" }
phone-2 = { platform = "ios", site = "home" }
tablet-1 = { platform = "ipad", site = "home" }
desk-1 = { platform = "windows", site = "office" }
desk-2 = { platform = "mac", site = "office" }
desk-3 = { platform = "linux", site = "office" }
[script]
until = "180d"
steps = """
0s  phone-1   login alice
1s  desk-1    login alice
2s  phone-2   login bob
3s  desk-2    login bob
4s  tablet-1  login carol
5s  desk-3    login carol ttl=179d12h
"""
expect = """
phone-{1..2}  status LOGINED
desk-{1..2}   status LOGINED
tablet-1      status LOGINED
desk-3        user_sig_expired once between 179d 180d
desk-3        status LOGOUT
alice         online phone-1 desk-1
bob           online phone-2 desk-2
carol         online tablet-1
"""
"#,
    )
}

fn parsed(text: &str) -> Scenario {
    Scenario::parse("benchmark", text).unwrap_or_else(|diagnosis| panic!("the benchmark's own scenario: {diagnosis}"))
}
