//! The load that peers carry: what gatecrash's heartbeats are to a network, and nothing else.
//!
//! Knows no peer. Neither logins nor sessions exist here, no timeout waits for an answer, and no
//! server watches for silence: all that is extra work of ours.

use std::time::Duration;

/// Bytes of a heartbeat on the wire, and of its answer.
pub const FRAME: usize = 6;

/// One way between a device and the server.
pub const LATENCY: Duration = Duration::from_millis(30);

/// Devices that have one connection each and do nothing but send heartbeats.
#[derive(Clone, Copy, Debug)]
pub struct Beats {
    /// How many devices.
    pub devices: u32,
    /// How long after its last heartbeat a device sends the next.
    pub heartbeat: Duration,
    /// How many heartbeats each device sends.
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

    /// How long after the first device's this device's heartbeats are: they are spread over the
    /// same part of a heartbeat as ours.
    pub fn phase(self, device: u32) -> Duration {
        self.heartbeat * 9 / 10 * device / self.devices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_are_spread_and_counted() {
        let beats = Beats { devices: 100, heartbeat: Duration::from_secs(120), beats: 400 };
        assert_eq!(beats.round_trips(), 40_000);
        assert_eq!(beats.span(), Duration::from_secs(48_000));
        assert_eq!(beats.phase(0), Duration::ZERO);
        assert_eq!(beats.phase(50), Duration::from_secs(54));
        assert!(beats.phase(99) < beats.heartbeat);
    }
}
