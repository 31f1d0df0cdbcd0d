//! Strangers who do wrong, again and again: at each stage of a connection, slowly, at once, or without end.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use gatecrash::driver::wire;
use gatecrash::id::DeviceId;
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, VERSION};
use gatecrash::ticket::Ticket;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::figures::Figures;
use crate::line::{Dialler, Line};

/// How long a stranger waits before they do wrong again.
const PAUSE: Duration = Duration::from_secs(2);

/// How long they hold a connection, if it is not closed before.
const HOLD: Duration = Duration::from_secs(20);

/// What one does.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Silent,
    TrickledHandshake,
    GarbledHandshake,
    GarbledFrames,
    ForgedTicket,
    TrickledFrame,
    DeafToAnswers,
    GoneAtOnce,
}

const ALL: [Wrong; 8] = [
    Wrong::Silent,
    Wrong::TrickledHandshake,
    Wrong::GarbledHandshake,
    Wrong::GarbledFrames,
    Wrong::ForgedTicket,
    Wrong::TrickledFrame,
    Wrong::DeafToAnswers,
    Wrong::GoneAtOnce,
];

/// A stranger, who ends with the run.
pub async fn stranger(number: u32, dialler: Dialler, figures: &Figures) {
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(number));
    let mut turn = number as usize;
    loop {
        let wrong = ALL[turn % ALL.len()];
        turn += 1;
        let done = tokio::time::timeout(HOLD, does(wrong, &dialler, &mut random)).await;
        let became = match done {
            Ok(Ok(())) => "closed",
            Ok(Err(_)) => "cut off",
            Err(_) => "still there",
        };
        figures.counted(format!("strangers, {wrong:?}, {became}"));
        tokio::time::sleep(PAUSE).await;
    }
}

async fn does(wrong: Wrong, dialler: &Dialler, random: &mut ChaCha8Rng) -> io::Result<()> {
    let mut noise = [0; 300];
    random.fill_bytes(&mut noise);
    match wrong {
        Wrong::Silent => until_closed(dialler.dial_bare().await?).await,
        Wrong::TrickledHandshake => {
            trickled(dialler.dial_bare().await?, &[&[22, 3, 1, 1, 0][..], &noise].concat()).await
        }
        Wrong::GarbledHandshake => {
            let mut stream = dialler.dial_bare().await?;
            stream.write_all(&noise).await?;
            until_closed(stream).await
        }
        Wrong::GarbledFrames => {
            let mut line = dialler.dial().await?;
            line.write_all(&noise).await?;
            line.flush().await?;
            until_closed(line).await
        }
        Wrong::ForgedTicket => {
            let mut line = greeted(dialler, random).await?;
            let login = ClientFrame::Login {
                call: gatecrash::id::CallId(1),
                attempt: gatecrash::id::Attempt { start: 1, count: 1 },
                user: format!("user{}", random.next_u32() % 1_000),
                ticket: Ticket::from("forged"),
                known_ended: None,
            };
            say(&mut line, &login).await?;
            line.read_u8().await.map(drop)
        }
        Wrong::TrickledFrame => {
            trickled(greeted(dialler, random).await?, &[&[0, 0, 0x20, 0][..], &noise].concat()).await
        }
        Wrong::DeafToAnswers => {
            let mut line = greeted(dialler, random).await?;
            let mut beats = BytesMut::new();
            for _ in 0..2_000 {
                wire::write(&ClientFrame::<Ticket>::Heartbeat, &mut beats);
            }
            loop {
                line.write_all(&beats).await?;
                line.flush().await?;
            }
        }
        Wrong::GoneAtOnce => greeted(dialler, random).await.map(drop),
    }
}

/// Somebody who has said who they are.
async fn greeted(dialler: &Dialler, random: &mut ChaCha8Rng) -> io::Result<Line> {
    let mut line = dialler.dial().await?;
    let mut device = [0; 16];
    random.fill_bytes(&mut device);
    let device = DeviceId::from_bytes(device);
    say(&mut line, &ClientFrame::Hello { version: VERSION, device, platform: Platform::Web }).await?;
    Ok(line)
}

async fn say(line: &mut Line, frame: &ClientFrame<Ticket>) -> io::Result<()> {
    let mut bytes = BytesMut::new();
    wire::write(frame, &mut bytes);
    line.write_all(&bytes).await?;
    line.flush().await
}

async fn trickled(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    bytes: &[u8],
) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    until_closed(stream).await
}

async fn until_closed(mut stream: impl tokio::io::AsyncRead + Unpin) -> io::Result<()> {
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}
