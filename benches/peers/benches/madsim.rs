//! Heartbeat round trips over madsim's TCP: a node for each device, one for the server.
//!
//! As madsim is meant to be used: a `Runtime` with a seed and a configuration, nodes with addresses,
//! a task for each connection, both ends writing and flushing. Nodes are made and connected
//! outside the measured time; what is measured is running until every device has its answers.

#[cfg(not(madsim))]
compile_error!("madsim simulates only under `--cfg madsim`: run this from benches/peers, with RUSTFLAGS unset");

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gatecrash_peers::{Beats, FRAME, LATENCY};
use madsim::Config;
use madsim::net::{TcpListener, TcpStream};
use madsim::runtime::Runtime;
use madsim::task::JoinHandle;
use madsim::time::{Instant, TimeHandle, sleep, sleep_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HEARTBEAT: Duration = Duration::from_secs(120);

/// Devices, and heartbeats of each. The same are measured in the event world.
const SIZES: [(u32, u32); 3] = [(5, 8_000), (100, 400), (1_000, 40)];

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 7000);

fn heartbeats(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("heartbeat round trips");
    group.sampling_mode(SamplingMode::Flat);
    for (devices, beats) in SIZES {
        let beats = Beats { devices, heartbeat: HEARTBEAT, beats };
        group.throughput(Throughput::Elements(beats.round_trips()));
        group.bench_function(BenchmarkId::new("madsim", devices), |bencher| {
            bencher.iter_custom(|iterations| (0..iterations).map(|seed| run(seed, beats)).sum());
        });
    }
    group.finish();
}

/// How long the round trips of one simulation took.
fn run(seed: u64, beats: Beats) -> Duration {
    let mut config = Config::default();
    // The range must hold something: it is 30 ms to the nanosecond.
    config.net.send_latency = LATENCY..LATENCY + Duration::from_nanos(1);
    let runtime = Runtime::with_seed_and_config(seed, config);
    let answers = Arc::new(AtomicU64::new(0));
    let devices = runtime.block_on(connected(&runtime, beats, &answers));

    let start = WallTime.start();
    runtime.block_on(async {
        for device in devices {
            device.await.expect("a device's task ends").expect("a device's connection lasts");
        }
    });
    let took = WallTime.end(start);

    assert_eq!(answers.load(Ordering::Relaxed), beats.round_trips());
    took
}

/// Every device connected, and waiting for the time of its first heartbeat.
async fn connected(runtime: &Runtime, beats: Beats, answers: &Arc<AtomicU64>) -> Vec<JoinHandle<std::io::Result<()>>> {
    let server = runtime.create_node().name("server").ip(SERVER.ip()).build();
    server.spawn(serve());
    // The server listens by then, and all are connected by the time of the first heartbeat.
    sleep(HEARTBEAT).await;
    let first = TimeHandle::current().now_instant() + HEARTBEAT;
    let mut devices = Vec::new();
    for device in 0..beats.devices {
        let [.., high, low] = device.to_be_bytes();
        let node = runtime.create_node().name(format!("d-{device}")).ip([10, 1, high, low].into()).build();
        devices.push(node.spawn(beat(first + beats.phase(device), beats, Arc::clone(answers))));
    }
    sleep_until(first - Duration::from_secs(1)).await;
    devices
}

async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind(SERVER).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        madsim::task::spawn(async move {
            let mut frame = [0; FRAME];
            // The error is the device's end of the connection going away.
            while stream.read_exact(&mut frame).await.is_ok() {
                stream.write_all(&frame).await?;
                stream.flush().await?;
            }
            std::io::Result::Ok(())
        });
    }
}

async fn beat(first: Instant, beats: Beats, answers: Arc<AtomicU64>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(SERVER).await?;
    let mut at = first;
    for _ in 0..beats.beats {
        sleep_until(at).await;
        stream.write_all(&[0; FRAME]).await?;
        stream.flush().await?;
        stream.read_exact(&mut [0; FRAME]).await?;
        answers.fetch_add(1, Ordering::Relaxed);
        at += beats.heartbeat;
    }
    Ok(())
}

/// Arguments of the command line go before these.
fn settings() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(10)).warm_up_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = settings();
    targets = heartbeats
}
criterion_main!(benches);
