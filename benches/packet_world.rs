//! What the packet world costs: beside bare turmoil moving the same frames, and at a thousand devices.
//!
//! The ratio of the medians is the figure that counts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::trace::{Cast, Recorder};
use gatecrash_sim::world::packet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::{TcpListener, TcpStream};

const DEVICES: usize = 80;
const SITES: usize = 4;
const HEARTBEAT: Duration = Duration::from_secs(5);
const SPAN: Duration = Duration::from_secs(300);
const TICK: Duration = Duration::from_millis(10);
const LATENCY: Duration = Duration::from_millis(30);

/// Bytes on the wire of a hello with a login, of its answer, of a heartbeat and of its answer.
const LOGIN: usize = 260;
const LOGIN_ANSWER: usize = 16;
const HEARTBEAT_FRAME: usize = 6;

/// Devices that log in once and then beat.
fn scenario() -> Scenario {
    let sites: Vec<String> = (1..=SITES).map(|site| format!("\"s{site}\"")).collect();
    let mut text = String::new();
    write!(
        text,
        r#"
title = "beats"
rules = ["CONN-5"]
seed = 1
tick = "{}ms"
[app]
policy = "multi"
[limits]
heartbeat = "{}s"
[sites]
"s{{1..{SITES}}}" = {{ latency = "{}ms" }}
[devices]
"d{{1..{DEVICES}}}" = {{ platform = "android", site = [{}] }}
[script]
until = "{}s"
steps = """
0s  d{{1..{DEVICES}}}  login user-{{}}
"""
expect = """
d{{1..{DEVICES}}}  status LOGINED
"""
"#,
        TICK.as_millis(),
        HEARTBEAT.as_secs(),
        LATENCY.as_millis(),
        sites.join(", "),
        SPAN.as_secs(),
    )
    .expect("a string takes what it is given");
    Scenario::parse("bench", &text).expect("the benchmark's own scenario is good")
}

fn packet_world(scenario: &Scenario) -> u64 {
    let recorder = Recorder::streaming(Cast::of(scenario));
    packet::run(scenario, &recorder).expect("the world runs");
    black_box(recorder.digest());
    1
}

/// The same hosts, connections and frames with nothing of ours.
fn bare_turmoil() -> u64 {
    let mut sim = turmoil::Builder::new()
        .tick_duration(TICK)
        .simulation_duration(SPAN * 2)
        .min_message_latency(LATENCY)
        .max_message_latency(LATENCY)
        .tcp_capacity(4096)
        .build();
    sim.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7000").await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut buffer = [0; LOGIN];
                stream.read_exact(&mut buffer).await?;
                stream.write_all(&[0; LOGIN_ANSWER]).await?;
                loop {
                    stream.read_exact(&mut buffer[..HEARTBEAT_FRAME]).await?;
                    stream.write_all(&[0; HEARTBEAT_FRAME]).await?;
                }
                #[expect(unreachable_code, reason = "it gives the task its type")]
                std::io::Result::Ok(())
            });
        }
    });
    for site in 0..SITES {
        sim.host(format!("s{site}"), || async {
            for _ in 0..DEVICES / SITES {
                tokio::spawn(async {
                    let mut stream = TcpStream::connect("server:7000").await?;
                    stream.write_all(&[0; LOGIN]).await?;
                    stream.read_exact(&mut [0; LOGIN_ANSWER]).await?;
                    loop {
                        tokio::time::sleep(HEARTBEAT).await;
                        stream.write_all(&[0; HEARTBEAT_FRAME]).await?;
                        stream.read_exact(&mut [0; HEARTBEAT_FRAME]).await?;
                    }
                    #[expect(unreachable_code, reason = "it gives the task its type")]
                    std::io::Result::Ok(())
                });
            }
            std::future::pending().await
        });
    }
    while sim.elapsed() < SPAN {
        sim.step().expect("bare turmoil runs");
    }
    1
}

fn beside_bare_turmoil(criterion: &mut Criterion) {
    let scenario = scenario();
    let mut group = criterion.benchmark_group("80 devices on 4 sites beat for 300 s");
    group.bench_function("packet world", |bencher| bencher.iter(|| packet_world(&scenario)));
    group.bench_function("bare turmoil", |bencher| bencher.iter(bare_turmoil));
    group.finish();
}

fn a_thousand_devices(criterion: &mut Criterion) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/scale/a_thousand_devices_on_eight_sites.toml");
    let text = std::fs::read_to_string(path).expect("the scenario is in the repository");
    let scenario = Scenario::parse(path, &text).expect("the repository's scenarios are good");
    let mut group = criterion.benchmark_group("1,000 devices on 8 sites for 600 s");
    group.bench_function("packet world", |bencher| bencher.iter(|| packet_world(&scenario)));
    group.finish();
}

/// Arguments of the command line go before these.
fn settings() -> Criterion {
    Criterion::default().sample_size(10).measurement_time(Duration::from_secs(20)).warm_up_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = settings();
    targets = beside_bare_turmoil, a_thousand_devices
}
criterion_main!(benches);
