//! A million devices log in and beat for an hour; one in a hundred reconnects, one in a thousand is kicked.
//!
//! One run, timed by the clock on the wall, in a process of its own, whose peak of memory is that of
//! the run. Not for criterion, which would do it ten times. Prints one object of JSON.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use clap::Parser;
use gatecrash::store::EndReason;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::trace::{Cast, Event, Fact, Observer, Recorder, What};
use gatecrash_sim::world::event;

/// Runs a crowd of devices in the event world, once, and prints what it took.
#[derive(Parser)]
struct Arguments {
    /// How many devices there are.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    devices: u32,
    /// Runs with a recorder, and makes sure that as many reconnect and are kicked as should.
    #[arg(long)]
    recorded: bool,
}

fn main() -> ExitCode {
    let Arguments { devices, recorded } = Arguments::parse();
    let crowd = Crowd { devices };
    let start = now();
    let scenario = crowd.scenario();
    let read = now();
    let done = if recorded { run_recorded(crowd, &scenario) } else { run_unrecorded(&scenario) };
    let end = now();
    let Some(peak) = peak_of_memory() else {
        eprintln!("this system does not tell the peak of memory: /proc/self/status has no VmHWM");
        return ExitCode::FAILURE;
    };
    let printed = serde_json::json!({
        "devices": devices,
        "recorded": recorded,
        "heartbeats": done,
        "read_seconds": (read - start).as_secs_f64(),
        "run_seconds": (end - read).as_secs_f64(),
        "peak_bytes": peak,
    });
    println!("{printed}");
    ExitCode::SUCCESS
}

/// So many devices log in, beat for an hour, lose their connections and come back, and lose their
/// places to others.
#[derive(Clone, Copy)]
struct Crowd {
    /// How many devices. A thousandth of them takes the place of another thousandth.
    devices: u32,
}

impl Crowd {
    /// How many connections are reset: one in a hundred devices reconnects.
    fn reconnecting(self) -> u32 {
        self.devices / 100
    }

    /// How many devices are kicked: one in a thousand.
    fn kicked(self) -> u32 {
        self.devices / 1_000
    }

    /// Five minutes of logins, then an hour. The event world commits one change at a time, and a disk
    /// that takes a millisecond for each would let nearly all of them time out: it is a fast one.
    fn scenario(self) -> Scenario {
        let kicked = self.kicked();
        // Whoever takes a place comes late, and makes up the number.
        let early = self.devices - kicked;
        let reset_from = kicked + 1;
        let reset_to = kicked + self.reconnecting();
        let text = format!(
            r#"
title = "A crowd logs in and beats; some reconnect, some are kicked"
rules = ["CONN-1", "CONN-5", "POLICY-3", "KICK-1"]
seed = 1
tick = "1s"
[app]
policy = "multi"
commit_latency = "1us"
[sites]
"s-{{1..8}}" = {{ latency = "30ms" }}
[devices]
"d-{{1..{early}}}" = {{ platform = "android", site = ["s-1", "s-2", "s-3", "s-4", "s-5", "s-6", "s-7", "s-8"] }}
"late-{{1..{kicked}}}" = {{ platform = "android", site = ["s-1", "s-2", "s-3", "s-4", "s-5", "s-6", "s-7", "s-8"] }}
[script]
until = "3900s"
steps = """
0s..300s      d-{{1..{early}}}  login user-{{}}
600s..3300s   late-{{1..{kicked}}}  login user-{{}}
600s..3300s   fault  reset d-{{{reset_from}..{reset_to}}}
"""
expect = """
d-{{1..{kicked}}}  kicked_offline once
late-{{1..{kicked}}}  status LOGINED
"""
"#
        );
        Scenario::parse("crowd", &text).unwrap_or_else(|diagnosis| panic!("the benchmark's own scenario: {diagnosis}"))
    }
}

/// Returns the heartbeats.
fn run_unrecorded(scenario: &Scenario) -> u64 {
    event::run_unrecorded(scenario).expect("the world runs").heartbeats
}

/// Returns the heartbeats.
fn run_recorded(crowd: Crowd, scenario: &Scenario) -> u64 {
    let recorder = Recorder::streaming(Cast::of(scenario));
    let seen = Arc::new(Mutex::new(Seen::default()));
    recorder.add_observer(Box::new(Arc::clone(&seen)));
    event::run(scenario, &recorder).expect("the world runs");
    let seen = seen.lock().expect("observers do not panic");
    let Seen { accepted, resumed, kicked, converged, heartbeats } = *seen;
    assert_eq!(accepted, crowd.devices, "every device logs in");
    assert_eq!(resumed, crowd.reconnecting(), "every reset connection is resumed");
    assert_eq!(kicked, crowd.kicked(), "every place taken is somebody's");
    assert!(converged, "everything comes to rest");
    heartbeats
}

/// What happened, counted.
#[derive(Default)]
struct Seen {
    accepted: u32,
    resumed: u32,
    kicked: u32,
    converged: bool,
    heartbeats: u64,
}

impl Observer for Seen {
    fn observe(&mut self, _: &Cast, event: &Event) {
        match event.what {
            What::DeviceSent { frame: gatecrash_sim::trace::ClientFrame::Heartbeat, .. } => self.heartbeats += 1,
            What::Fact { fact: Fact::SessionAccepted { .. }, .. } => self.accepted += 1,
            What::Fact { fact: Fact::SessionResumed { .. }, .. } => self.resumed += 1,
            What::Fact { fact: Fact::SessionEnded { reason: EndReason::SamePlatform, .. }, .. } => self.kicked += 1,
            What::Converged => self.converged = true,
            _ => {}
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> Instant {
    Instant::now()
}

/// The most memory that this process has held, in bytes.
fn peak_of_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
