//! What the event world costs: heartbeat round trips of the real cores, and half a year of six devices.
//!
//! A round trip is a device's timer, its heartbeat's way to the server, and the answer's way back,
//! with both cores at work. Logins do not count: each iteration runs the scenario with its heartbeats and once
//! more cut off before them, and takes the difference. The peers in `peers/` do as many round trips
//! over the same span of simulated time; the bare heap is here, since it takes as many queue
//! events as the event world was counted to take.

mod load;

use std::cell::LazyCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gatecrash_sim::check::property::Checks;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::trace::{Cast, Ending, Recorder};
use gatecrash_sim::world::event;

use load::{Beats, six_devices_for_180_days};

/// The heartbeat of the rules (CONN-5), for devices that are no browsers.
const HEARTBEAT: Duration = Duration::from_secs(120);

/// Devices, and heartbeats of each: enough to be measured, and as many together for all sizes that
/// the peers do too.
const SIZES: [(u32, u32); 4] = [(5, 8_000), (100, 400), (1_000, 40), (100_000, 20)];

/// The size at which a bare heap is measured beside it.
const HEAP_DEVICES: u32 = 100;

/// The devices of the comparison with one host per device, which beat once a second.
const HOSTS: Beats = Beats { devices: 50, heartbeat: Duration::from_secs(1), beats: 1_000 };

fn heartbeats(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("heartbeat round trips");
    group.sampling_mode(SamplingMode::Flat);
    for (devices, beats) in SIZES {
        let runs = Runs::of(Beats { devices, heartbeat: HEARTBEAT, beats });
        group.throughput(Throughput::Elements(runs.beats.round_trips()));
        if devices >= 100_000 {
            // Its runs are long, and its logins, which do not count, are most of them.
            group.sample_size(10);
        }
        group.bench_function(BenchmarkId::new("event world", devices), |bencher| {
            bencher.iter_custom(|iterations| runs.unrecorded(iterations));
        });
        group.bench_function(BenchmarkId::new("event world, recorded", devices), |bencher| {
            bencher.iter_custom(|iterations| runs.recorded(iterations));
        });
        if devices == HEAP_DEVICES {
            let queue_events = LazyCell::new(|| runs.queue_events());
            group.bench_function(BenchmarkId::new("bare heap", devices), |bencher| {
                let queue_events = *queue_events;
                bencher.iter(|| bare_heap(devices, queue_events));
            });
        }
    }
    group.finish();
}

fn a_host_per_device(criterion: &mut Criterion) {
    let runs = Runs::of(HOSTS);
    let mut group = criterion.benchmark_group("simulated seconds of 50 devices");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(HOSTS.span().as_secs()));
    group.bench_function("event world", |bencher| bencher.iter_custom(|iterations| runs.unrecorded(iterations)));
    group.finish();
}

fn half_a_year(criterion: &mut Criterion) {
    let scenario = six_devices_for_180_days();
    let mut group = criterion.benchmark_group("six devices for 180 days");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.bench_function("event world, checked", |bencher| bencher.iter(|| checked(&scenario)));
    group.finish();
}

/// A run with heartbeats, and the same run cut off before them; parsed when they are first needed.
struct Runs {
    beats: Beats,
    long: LazyCell<Scenario, Box<dyn FnOnce() -> Scenario>>,
    short: LazyCell<Scenario, Box<dyn FnOnce() -> Scenario>>,
}

impl Runs {
    fn of(beats: Beats) -> Runs {
        Runs {
            beats,
            long: LazyCell::new(Box::new(move || beats.with_beats())),
            short: LazyCell::new(Box::new(move || beats.without_beats())),
        }
    }

    /// How long the heartbeats take without a recorder.
    fn unrecorded(&self, iterations: u64) -> Duration {
        let run = |scenario: &Scenario| event::run_unrecorded(scenario).expect("the world runs");
        self.difference(iterations, run, |long, short| {
            assert_eq!(long.heartbeats - short.heartbeats, self.beats.round_trips(), "all beat as often as asked");
        })
    }

    /// How long they take with a recorder that names everything, sums it up, and keeps nothing.
    fn recorded(&self, iterations: u64) -> Duration {
        let run = |scenario: &Scenario| {
            let recorder = Recorder::streaming(Cast::of(scenario));
            event::run(scenario, &recorder).expect("the world runs");
            recorder.digest()
        };
        self.difference(iterations, run, |long, short| assert_ne!(long, short, "heartbeats are recorded"))
    }

    /// The time of the runs with heartbeats, without that of the runs cut off before them.
    fn difference<Answer>(
        &self,
        iterations: u64,
        run: impl Fn(&Scenario) -> Answer,
        check: impl Fn(Answer, Answer),
    ) -> Duration {
        let timed = |scenario: &Scenario| {
            let start = WallTime.start();
            let answer = run(scenario);
            (WallTime.end(start), answer)
        };
        let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..iterations {
            let ((long_took, long), (short_took, short)) = (timed(&self.long), timed(&self.short));
            with += long_took;
            without += short_took;
            check(long, short);
        }
        assert!(with > without, "{with:?} with heartbeats and {without:?} without: measure more of them");
        with - without
    }

    /// How many events the queue has for the heartbeats.
    fn queue_events(&self) -> u64 {
        let run = |scenario: &Scenario| event::run_unrecorded(scenario).expect("the world runs").queue_events;
        let queue_events = run(&self.long) - run(&self.short);
        let each = queue_events as f64 / self.beats.round_trips() as f64;
        println!("a round trip takes {each:.3} queue events");
        queue_events
    }
}

/// Runs as a sweep does: named, summed up, under the eyes of every property, and nothing kept.
fn checked(scenario: &Scenario) {
    let (summary, mut checks) = event::watch(scenario, Checks::new(scenario, Duration::ZERO)).expect("the world runs");
    assert_eq!((checks.finish(&summary.cast), summary.ending), (Vec::new(), Some(Ending::Converged)));
}

/// What a round trip is to a queue: a timer, and two arrivals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Timer(u32),
    Upward(u32),
    Downward(u32),
}

/// Takes so many events from a heap of the standard library, in the order of time and then of
/// sequence, and puts in the one that follows each. Nothing else happens.
fn bare_heap(devices: u32, events: u64) -> u64 {
    const LATENCY: u64 = 30_000;
    let heartbeat = HEARTBEAT.as_micros() as u64;
    let mut heap = BinaryHeap::new();
    let mut sequence = 0;
    for device in 0..devices {
        sequence += 1;
        heap.push(Reverse((heartbeat * u64::from(device) / u64::from(devices), sequence, Due::Timer(device))));
    }
    for _ in 0..events {
        let Some(Reverse((at, _, due))) = heap.pop() else { break };
        sequence += 1;
        let (after, next) = match due {
            Due::Timer(device) => (LATENCY, Due::Upward(device)),
            Due::Upward(device) => (LATENCY, Due::Downward(device)),
            Due::Downward(device) => (heartbeat - 2 * LATENCY, Due::Timer(device)),
        };
        heap.push(Reverse((at + after, sequence, next)));
    }
    assert_eq!(heap.len(), devices as usize);
    sequence
}

/// Arguments of the command line go before these.
fn settings() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(10)).warm_up_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = settings();
    targets = heartbeats, a_host_per_device, half_a_year
}
criterion_main!(benches);
