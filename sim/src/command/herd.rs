//! How a herd of devices comes back after a start of the server: how long after it each resumed.
//!
//! Reads a trace. Judges nothing: whether all are back in time is for a scenario to expect.

use std::collections::BTreeMap;
use std::fmt;

use gatecrash::time::Instant;
use gatecrash_sim::trace::{Actor, DeviceIndex, Event, ServerFrame, What};
use serde::Serialize;

use super::{count, thousands};

/// Fewer than so many are no herd, and not worth telling.
const DEVICES_MIN: usize = 50;

/// How many lines the distribution has.
const BARS: u64 = 10;

/// How many characters the longest of them has.
const BAR_WIDTH: u64 = 40;

/// The devices that resumed after one start of the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Herd {
    /// When the server started, in microseconds of simulated time.
    started_us: u64,
    devices: usize,
    min_us: u64,
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    max_us: u64,
    /// How many resumed in each tenth of the time up to the last.
    tenths: Vec<usize>,
}

impl Herd {
    /// That of each start of the server but the first, where it is large enough. A device counts once for a
    /// start, when it hears that its session goes on.
    pub fn all(events: &[Event]) -> Vec<Herd> {
        let mut starts: Vec<(Instant, BTreeMap<DeviceIndex, u64>)> = Vec::new();
        for event in events {
            match (event.actor, event.what) {
                (Actor::Server, What::ServerStarted { .. }) => starts.push((event.at, BTreeMap::new())),
                (
                    Actor::Device(device),
                    What::DeviceReceived {
                        frame: ServerFrame::Resumed { .. } | ServerFrame::ResumedAsLogin { .. },
                        ..
                    },
                ) => {
                    if let Some((started, resumed)) = starts.last_mut() {
                        resumed.entry(device).or_insert(event.at.as_micros() - started.as_micros());
                    }
                }
                _ => {}
            }
        }
        let again = starts.into_iter().skip(1);
        again.filter_map(|(started, resumed)| Herd::of(started, resumed.into_values().collect())).collect()
    }

    fn of(started: Instant, mut after: Vec<u64>) -> Option<Herd> {
        after.sort_unstable();
        let devices = after.len();
        if devices < DEVICES_MIN {
            return None;
        }
        // The first that so many of a hundred are not above.
        let part = |percent: usize| after[(devices * percent).div_ceil(100) - 1];
        let max = after[devices - 1];
        let mut tenths = vec![0; BARS as usize];
        for &one in &after {
            tenths[(one * BARS / (max + 1)) as usize] += 1;
        }
        Some(Herd {
            started_us: started.as_micros(),
            devices,
            min_us: after[0],
            p50_us: part(50),
            p90_us: part(90),
            p99_us: part(99),
            max_us: max,
            tenths,
        })
    }
}

impl fmt::Display for Herd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Herd { started_us, devices, min_us, p50_us, p90_us, p99_us, max_us, tenths } = self;
        let (who, start) = (count(*devices, "device"), seconds(*started_us));
        writeln!(f, "{who} resumed after the server's start at {start}:")?;
        for (name, micros) in [("min", min_us), ("p50", p50_us), ("p90", p90_us), ("p99", p99_us), ("max", max_us)] {
            write!(f, "  {name} {}", seconds(*micros))?;
        }
        let most = tenths.iter().copied().max().unwrap_or_default().max(1) as u64;
        for (index, &number) in (1..).zip(tenths) {
            let width = (number as u64 * BAR_WIDTH).div_ceil(most) as usize;
            let (until, number) = (seconds(max_us * index / BARS), thousands(number as u64));
            write!(f, "\n  {}", format!("up to {until:>9}  {number:>6}  {}", "#".repeat(width)).trim_end())?;
        }
        Ok(())
    }
}

fn seconds(micros: u64) -> String {
    format!("{:.3} s", micros as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use gatecrash_sim::trace::{Micros, Terms};

    use super::*;

    #[test]
    fn a_herd_is_told_by_its_parts() {
        let after = (1..=100).rev().map(|number| number * 10_000).collect();
        let herd = Herd::of(Instant::from_micros(5_000_000), after).unwrap();
        assert_eq!((herd.min_us, herd.p50_us, herd.p90_us), (10_000, 500_000, 900_000));
        assert_eq!((herd.p99_us, herd.max_us), (990_000, 1_000_000));
        assert_eq!(herd.tenths, [10; 10]);
        let text = herd.to_string();
        assert!(
            text.starts_with("100 devices resumed after the server's start at 5.000 s:\n  min 0.010 s  p50 0.500 s")
        );
        assert_eq!(text.lines().count(), 12);
        assert!(text.ends_with(&format!("up to   1.000 s      10  {}", "#".repeat(40))), "{text}");
    }

    #[test]
    fn a_few_devices_are_no_herd() {
        assert_eq!(Herd::of(Instant::ZERO, vec![1; DEVICES_MIN - 1]), None);
        let at_once = Herd::of(Instant::ZERO, vec![0; DEVICES_MIN]).unwrap();
        assert_eq!((at_once.max_us, at_once.tenths[0]), (0, DEVICES_MIN));
    }

    #[test]
    fn each_start_but_the_first_has_its_own_herd_and_a_device_counts_once() {
        let mut events = Vec::new();
        let mut push = |at, actor, what| events.push(Event { at: Instant::from_micros(at), actor, number: 1, what });
        let attempt = gatecrash::id::Attempt::default();
        for start in [0, 1_000, 2_000] {
            push(start, Actor::Server, What::ServerStarted { commit: 0, wall: Micros::new(0) });
            for device in (0..60).chain(0..10) {
                let resumed =
                    ServerFrame::Resumed { attempt, conversations: None, terms: Terms::default(), dropped: 0 };
                let what = What::DeviceReceived { connection: 0, frame: resumed };
                push(start + 7 + start / 100, Actor::Device(DeviceIndex::new(device)), what);
            }
        }
        let herds = Herd::all(&events).into_iter().map(|herd| (herd.started_us, herd.devices, herd.max_us));
        assert_eq!(herds.collect::<Vec<_>>(), [(1_000, 60, 17), (2_000, 60, 27)]);
    }
}
