//! A stranger's connection: bytes that no SDK would send (INPUT-1 to INPUT-3).

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use gatecrash::driver::wire;
use gatecrash::id::{Attempt, CallId, DeviceId, Epoch};
use gatecrash::protocol::{ClientFrame, FRAME_BYTES_MAX, VERSION};
use gatecrash::ticket::Ticket;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use turmoil::net::TcpStream;

use super::place::Shared;
use super::{PORT, SERVER};
use crate::generate::draw::Draw;
use crate::scenario::{Conduct, config};
use crate::world::FORGED_USER;

/// Opens a connection from the device's site, misbehaves, and holds it until the server closes.
pub(super) async fn visit(shared: Arc<Shared>, device: usize, conduct: Conduct) {
    shared.recorder.stranger(shared.now(), shared.index(device), conduct);
    let Ok(stream) = TcpStream::connect((SERVER, PORT)).await else { return };
    let Some(tls) = &shared.tls else { return misbehave(&shared, device, conduct, stream).await };
    if let Some(stream) = tls.opened_by_stranger(stream).await {
        misbehave(&shared, device, conduct, stream).await;
    }
}

async fn misbehave(shared: &Shared, device: usize, conduct: Conduct, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let pause = Conduct::pause(config::server_limits(&shared.scenario.limits).admission);
    for times in 0..conduct.times() {
        let bytes = sent(shared, device, conduct, times);
        if !bytes.is_empty() && (stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err()) {
            return;
        }
        let is_last = times + 1 == conduct.times();
        if timeout(if is_last { Duration::MAX } else { pause }, hung_up(&mut stream)).await.is_ok() {
            return;
        }
    }
}

/// Reads on until the server has closed the connection.
async fn hung_up(stream: &mut (impl AsyncRead + Unpin)) {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
}

/// What it says for the so-and-so-many-th time.
fn sent(shared: &Shared, device: usize, conduct: Conduct, times: u32) -> BytesMut {
    let (name, plan) = shared.plan(device);
    let seed = shared.scenario.seed;
    let mut out = BytesMut::new();
    let key = Draw::key(seed, name.as_str(), "stranger");
    let id = DeviceId::from_bytes(key[..16].try_into().expect("a key has 32 bytes"));
    let hello = |version| ClientFrame::<Ticket>::Hello { version, device: id, platform: plan.platform };
    let attempt = |count| Attempt { start: 1, count };
    let resume = |count| ClientFrame::Resume {
        attempt: attempt(count),
        user: FORGED_USER.parse().expect("a valid user id"),
        epoch: Epoch(1),
        ticket: Ticket::from(""),
        received: 0,
    };
    match conduct {
        Conduct::Garbage => {
            // A length that fits, then noise: a field number of zero is no protobuf.
            out.put_u32(32);
            out.put_u8(0);
            out.put_slice(&Draw::new(seed, name.as_str(), "garbage").bytes(31));
        }
        Conduct::Oversized => out.put_u32(FRAME_BYTES_MAX as u32 + 1),
        Conduct::NoHello => wire::write(&ClientFrame::<Ticket>::Heartbeat, &mut out),
        Conduct::TwoHellos => {
            wire::write(&hello(VERSION), &mut out);
            wire::write(&hello(VERSION), &mut out);
        }
        Conduct::WrongVersion => wire::write(&hello(VERSION + 1), &mut out),
        Conduct::Idle => {}
        Conduct::ResumeForged => {
            wire::write(&hello(VERSION), &mut out);
            wire::write(&resume(1), &mut out);
        }
        Conduct::LogoutAgain => {
            if times == 0 {
                wire::write(&hello(VERSION), &mut out);
            }
            wire::write(&resume(2 * times + 1), &mut out);
            let logout =
                ClientFrame::<Ticket>::Logout { call: CallId(u64::from(times)), attempt: attempt(2 * times + 2) };
            wire::write(&logout, &mut out);
        }
        Conduct::Truncated => {
            wire::write(&hello(VERSION), &mut out);
            out.truncate(out.len() / 2);
        }
    }
    out
}
