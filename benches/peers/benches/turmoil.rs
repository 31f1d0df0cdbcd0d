//! One turmoil host for each of 50 devices, which beat once a second.
//!
//! As turmoil is meant to be used: a host runs its software, time goes on tick by tick, at the
//! default tick of a millisecond; at ten milliseconds too, since a user in a hurry would choose that.
//! Connecting comes before the measured time; what is measured is a span of simulated time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gatecrash_peers::{Beats, FRAME, LATENCY};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};
use turmoil::Sim;
use turmoil::net::{TcpListener, TcpStream};

/// A few seconds of them: each costs the same.
const BEATS: Beats = Beats { devices: 50, heartbeat: Duration::from_secs(1), beats: 4 };

const TICKS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(10)];

/// When the devices, connected by then, start to beat.
const FIRST: Duration = Duration::from_secs(1);

fn simulated_seconds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulated seconds of 50 devices");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(BEATS.span().as_secs()));
    for tick in TICKS {
        group.bench_function(BenchmarkId::new("turmoil, tick in ms", tick.as_millis()), |bencher| {
            bencher.iter_custom(|iterations| (0..iterations).map(|_| run(tick)).sum());
        });
    }
    group.finish();
}

/// How long the heartbeats of one simulation took.
fn run(tick: Duration) -> Duration {
    let mut sim = turmoil::Builder::new()
        .tick_duration(tick)
        .simulation_duration(FIRST * 2 + BEATS.span())
        .min_message_latency(LATENCY)
        .max_message_latency(LATENCY)
        .rng_seed(1)
        .build();
    sim.host("server", serve);
    let answers = Rc::new(Cell::new(0));
    for device in 0..BEATS.devices {
        let answers = Rc::clone(&answers);
        sim.host(format!("d-{device}"), move || beat(device, Rc::clone(&answers)));
    }
    step_until(&mut sim, FIRST);

    let start = WallTime.start();
    step_until(&mut sim, FIRST + BEATS.span());
    let took = WallTime.end(start);

    assert_eq!(answers.get(), BEATS.round_trips());
    took
}

fn step_until(sim: &mut Sim<'_>, until: Duration) {
    while sim.elapsed() < until {
        sim.step().expect("no host fails");
    }
}

async fn serve() -> turmoil::Result {
    let listener = TcpListener::bind("0.0.0.0:7000").await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut frame = [0; FRAME];
            loop {
                stream.read_exact(&mut frame).await?;
                stream.write_all(&frame).await?;
            }
            #[expect(unreachable_code, reason = "it gives the task its type")]
            std::io::Result::Ok(())
        });
    }
}

async fn beat(device: u32, answers: Rc<Cell<u64>>) -> turmoil::Result {
    let mut at = Instant::now() + FIRST + BEATS.phase(device);
    let mut stream = TcpStream::connect("server:7000").await?;
    loop {
        sleep_until(at).await;
        stream.write_all(&[0; FRAME]).await?;
        stream.read_exact(&mut [0; FRAME]).await?;
        answers.set(answers.get() + 1);
        at += BEATS.heartbeat;
    }
}

/// Arguments of the command line go before these.
fn settings() -> Criterion {
    Criterion::default().sample_size(10).measurement_time(Duration::from_secs(10)).warm_up_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = settings();
    targets = simulated_seconds
}
criterion_main!(benches);
