//! One connection's task: reads frames and opens their tickets, writes what the core sends.
//!
//! Holds no session: it does not know who is on it. When it ends, the core is told.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc};
use tracing::debug;

use super::door::Entrance;
use crate::driver::stream::Sending;
use crate::driver::wire::{self, FrameReader, Unreadable, WireFrame};
use crate::protocol::{ClientFrame, Closing, FRAME_BYTES_MAX, FrameError, Return, ServerFrame};
use crate::ticket::{self, OpenedTicket, SecretKey, Ticket};

/// How much may wait for a peer that does not read: four frames of the largest size. More closes
/// the connection.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;

/// How much may wait for a peer that is read: a frame of the largest size. Whoever asks and does not read the answers is
/// asked to wait by the network, and costs nothing meanwhile.
const OUTPUT_BYTES_WHILE_READ: usize = FRAME_BYTES_MAX;

/// How many frames that are here already are handed over before what was answered meanwhile is written, so that answers go
/// out together and not each by a write of its own.
const FRAMES_IN_A_ROW_MAX: usize = 64;

/// How long a closed connection may take to say its last frames and hear the peer's end.
const LINGER: Duration = Duration::from_secs(5);

/// How long one that found no place may take to hear so, its handshake included.
const REFUSAL_LINGER: Duration = Duration::from_secs(1);

/// Which connection, for ever: its slot, and a number that no other connection gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Serial {
    pub(super) slot: u32,
    pub(super) number: u64,
}

/// What comes from the connections to the core.
pub(super) enum Arrival<Stream> {
    /// Somebody came by this door.
    Stream(Stream, usize),
    Frame(Serial, Box<ClientFrame<OpenedTicket>>),
    Malformed(Serial, FrameError),
    /// The handshake failed.
    NotOpened(Serial, io::Error),
    Closed(Serial),
}

/// The app's current keys, shared by all connections.
#[derive(Clone)]
pub(super) struct Keys(Arc<Mutex<Arc<[SecretKey]>>>);

impl Keys {
    pub(super) fn new(keys: Vec<SecretKey>) -> Self {
        Keys(Arc::new(Mutex::new(keys.into())))
    }

    pub(super) fn replace(&self, keys: Vec<SecretKey>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }

    fn open(&self, ticket: &Ticket) -> OpenedTicket {
        let keys = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        ticket::open(ticket.as_str(), &keys)
    }
}

/// What is to go out on a connection: filled by the core's task, emptied by the connection's.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<Outgoing>,
    changed: Notify,
}

#[derive(Default)]
struct Outgoing {
    bytes: BytesMut,
    end: Option<Ending>,
}

/// How a connection is to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Once everything is out.
    Close,
    /// At once.
    Abort,
}

impl Outbox {
    /// Takes a frame to send. False when too much waits already.
    pub(super) fn push(&self, frame: &ServerFrame) -> bool {
        let mut state = self.lock();
        if state.bytes.len() > OUTPUT_BYTES_MAX {
            return false;
        }
        wire::write(frame, &mut state.bytes);
        self.changed.notify_one();
        true
    }

    pub(super) fn close(&self) {
        self.lock().end.get_or_insert(Ending::Close);
        self.changed.notify_one();
    }

    pub(super) fn abort(&self) {
        self.lock().end = Some(Ending::Abort);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the connection is to end.
    async fn ended(&self) {
        while self.lock().end.is_none() {
            self.changed.notified().await;
        }
    }

    /// How much waits, with what was taken before and is not out yet.
    fn waiting(&self, sending: &Sending) -> usize {
        sending.bytes.len() + self.lock().bytes.len()
    }

    /// Takes what is to be sent, unless some of what was taken before is not out yet.
    fn take(&self, sending: &mut Sending) -> Option<Ending> {
        let mut state = self.lock();
        if sending.bytes.is_empty() {
            std::mem::swap(&mut sending.bytes, &mut state.bytes);
        }
        state.end
    }
}

/// Tells a newcomer that there is no place, and when there may be one, and closes (INPUT-5, CONN-2).
pub(super) async fn refuse<Stream>(entrance: Entrance, stream: Stream, come_back: Return)
where
    Stream: AsyncRead + AsyncWrite + Unpin,
{
    let tell = async {
        let (mut reader, mut writer) = tokio::io::split(entrance.open(stream).await?);
        let mut sending = Sending::default();
        wire::write(&ServerFrame::Closing { why: Closing::Full, come_back }, &mut sending.bytes);
        sending.finish(&mut reader, &mut writer).await
    };
    // Whoever does not listen is closed all the same.
    let _ = tokio::time::timeout(REFUSAL_LINGER, tell).await;
}

/// Somebody at a door, and how long a handshake may take.
pub(super) struct Opening<Stream> {
    pub(super) entrance: Entrance,
    pub(super) stream: Stream,
    pub(super) within: Duration,
}

/// Carries one connection from its handshake to its end.
pub(super) async fn run<Stream, Accepted>(
    serial: Serial,
    Opening { entrance, stream, within }: Opening<Stream>,
    outbox: Arc<Outbox>,
    keys: Keys,
    inbox: mpsc::Sender<Arrival<Accepted>>,
) where
    Stream: AsyncRead + AsyncWrite + Unpin,
{
    let opened = tokio::select! {
        biased;
        // First, since without a handshake it is open at once, and what was sent meanwhile goes out.
        opened = tokio::time::timeout(within, entrance.open(stream)) => opened,
        () = outbox.ended() => return,
    };
    let stream = match opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(stream) => stream,
        Err(error) => {
            let _ = inbox.send(Arrival::NotOpened(serial, error)).await;
            return;
        }
    };
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut frames = FrameReader::default();
    let mut sending = Sending::default();
    let mut reading = true;
    loop {
        match outbox.take(&mut sending) {
            None => {}
            Some(Ending::Abort) => return,
            Some(Ending::Close) => {
                // What was left in the outbox behind a slow write goes out too.
                sending.bytes.unsplit(outbox.lock().bytes.split());
                break;
            }
        }
        let has_room = outbox.waiting(&sending) <= OUTPUT_BYTES_WHILE_READ;
        // Answers first: a peer that sends without end must not keep its own answers waiting.
        tokio::select! {
            biased;
            () = outbox.changed.notified() => {}
            result = sending.progress(&mut writer), if !sending.is_done() => if let Err(error) = result {
                debug!(%error, "the connection broke");
                let _ = inbox.send(Arrival::Closed(serial)).await;
                return;
            },
            read = frames.next::<ClientFrame<Ticket>>(&mut reader), if reading && has_room => {
                let mut read = read;
                for handed_over in 1.. {
                    let arrival = match read {
                        Ok(frame) => {
                            debug!(frame = frame.word(), "received");
                            Arrival::Frame(serial, Box::new(frame.map_ticket(|ticket| keys.open(&ticket))))
                        }
                        Err(Unreadable::Frame(error)) => {
                            debug!(error = error.word(), "received no frame");
                            reading = false;
                            Arrival::Malformed(serial, error)
                        }
                        Err(why @ (Unreadable::Ended | Unreadable::Broken(_))) => {
                            debug!("{why}");
                            let _ = inbox.send(Arrival::Closed(serial)).await;
                            return;
                        }
                    };
                    // A server that is stopping takes no more; what it still says goes out.
                    reading &= inbox.send(arrival).await.is_ok();
                    if !reading || handed_over == FRAMES_IN_A_ROW_MAX {
                        break;
                    }
                    let Some(next) = frames.next(&mut reader).now_or_never() else { break };
                    read = next;
                }
            }
        }
    }
    match tokio::time::timeout(LINGER, sending.finish(&mut reader, &mut writer)).await {
        Ok(Ok(())) => debug!("closed"),
        Ok(Err(error)) => debug!(%error, "closed, and the connection broke"),
        Err(_) => debug!("closed, and the peer did not answer that"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waits for a peer that does not read is bounded, whoever it is from.
    #[test]
    fn no_more_waits_for_a_peer_than_the_bound() {
        let outbox = Outbox::default();
        let mut sending = Sending::default();
        let frames = (0..OUTPUT_BYTES_MAX).take_while(|_| outbox.push(&ServerFrame::HeartbeatAnswer)).count();
        let waits = outbox.waiting(&sending);
        assert!((OUTPUT_BYTES_MAX..OUTPUT_BYTES_MAX + 64).contains(&waits), "{frames} frames of {waits} bytes");
        outbox.take(&mut sending);
        assert_eq!(outbox.waiting(&sending), waits, "what is being written waits too");
        assert!(outbox.push(&ServerFrame::HeartbeatAnswer), "there is room again");
    }
}
