//! The connection of a device: opening, open, or closed and saying its last frames.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};

use crate::client::{Action, Output};
use crate::driver::stream::Sending;
use crate::driver::wire::{self, FrameReader, Unreadable};
use crate::id::{Change, ConnectionId};
use crate::protocol::{ClientFrame, ServerFrame};
use crate::ticket::Ticket;
use crate::time::Instant;

/// How much may wait for a server that does not read. More, and the link is lost.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

type Connecting<Stream> = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

/// The connection the core asked for.
pub(super) struct Link<Stream> {
    pub(super) connection: ConnectionId,
    /// Frames that wait for the disk, in order.
    pub(super) waiting: VecDeque<Output>,
    /// Whether a frame came on it.
    pub(super) has_heard: bool,
    sending: Sending,
    stage: Stage<Stream>,
}

enum Stage<Stream> {
    Connecting(Connecting<Stream>),
    Open { reader: ReadHalf<Stream>, writer: WriteHalf<Stream>, frames: FrameReader },
}

/// What happened on a link.
pub(super) enum LinkEvent<Stream> {
    Connected(io::Result<Stream>),
    Read(Result<ServerFrame, Unreadable>),
    Sent(io::Result<()>),
}

impl<Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static> Link<Stream> {
    pub(super) fn new(connection: ConnectionId, connecting: Connecting<Stream>) -> Self {
        let stage = Stage::Connecting(connecting);
        Link { connection, waiting: VecDeque::new(), has_heard: false, sending: Sending::default(), stage }
    }

    pub(super) fn opened(&mut self, stream: Stream) {
        let (reader, writer) = tokio::io::split(stream);
        self.stage = Stage::Open { reader, writer, frames: FrameReader::default() };
    }

    /// What happens next. May be dropped while it waits without losing anything.
    pub(super) async fn next(&mut self) -> LinkEvent<Stream> {
        match &mut self.stage {
            Stage::Connecting(connecting) => LinkEvent::Connected(connecting.await),
            // Reading first: what the server said before it closed is heard before writing fails.
            Stage::Open { reader, writer, frames } => tokio::select! {
                biased;
                read = frames.next(reader) => LinkEvent::Read(read),
                sent = self.sending.progress(writer), if !self.sending.is_done() => LinkEvent::Sent(sent),
            },
        }
    }

    /// The next frame that may go out now that everything up to `stored` is on disk. One that rests on nothing of
    /// what is being written overtakes those that do.
    pub(super) fn next_to_send(&mut self, stored: Change) -> Option<Output> {
        let next = self.waiting.iter().position(|output| output.reveals <= stored)?;
        self.waiting.remove(next)
    }

    /// Whether frames wait for the disk that somebody waits for.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.iter().any(|output| !confirms_kick(output))
    }

    /// The frames that wait for the disk, which are not sent any more. A kick is confirmed later: nobody waits for that,
    /// and it stays owed until then (KICK-3).
    pub(super) fn give_up(&mut self) -> Vec<ClientFrame<Ticket>> {
        let frame = |output: Output| match output.action {
            Action::Send { frame, .. } => frame,
            other => unreachable!("{other:?} is no frame"),
        };
        let (stay, go) = self.waiting.drain(..).partition(confirms_kick);
        self.waiting = stay;
        VecDeque::into_iter(go).map(frame).collect()
    }

    /// Says whether there was room.
    pub(super) fn send(&mut self, frame: &ClientFrame<Ticket>) -> bool {
        wire::write(frame, &mut self.sending.bytes);
        self.sending.bytes.len() <= OUTPUT_BYTES_MAX
    }

    /// Asking to be let in is given up where it waits for the disk: nobody waits for the answer any more.
    pub(super) fn forget_asking(&mut self, stored: Change) {
        self.waiting.retain(|output| output.reveals <= stored || !asks_to_be_let_in(output));
    }

    /// Says what was sent before and ends it, until then at the latest. Opening it is given up.
    pub(super) fn close(self, until: Instant) -> Option<Closing<Stream>> {
        match self.stage {
            Stage::Connecting(_) => None,
            Stage::Open { .. } => Some(Closing { until, last: Last::Waiting(self) }),
        }
    }
}

fn confirms_kick(output: &Output) -> bool {
    matches!(&output.action, Action::Send { frame: ClientFrame::KickConfirmed { .. }, .. })
}

/// Whether it asks the server to let somebody in.
fn asks_to_be_let_in(output: &Output) -> bool {
    let Action::Send { frame, .. } = &output.action else { return false };
    matches!(frame, ClientFrame::Login { .. } | ClientFrame::Resume { .. })
}

/// A connection that the core has closed.
pub(super) struct Closing<Stream> {
    pub(super) until: Instant,
    last: Last<Stream>,
}

enum Last<Stream> {
    /// Some of its frames wait for the disk.
    Waiting(Link<Stream>),
    Finishing(Pin<Box<dyn Future<Output = io::Result<()>> + Send>>),
    /// Only while one of the others is put in its place.
    Taken,
}

impl<Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static> Closing<Stream> {
    /// The link whose frames wait for the disk.
    pub(super) fn waiting(&mut self) -> Option<&mut Link<Stream>> {
        match &mut self.last {
            Last::Waiting(link) => Some(link),
            Last::Finishing(_) | Last::Taken => None,
        }
    }

    /// Begins to end the connection if no frame waits for the disk any more.
    pub(super) fn finish_when_sent(&mut self) {
        self.last = match std::mem::replace(&mut self.last, Last::Taken) {
            Last::Waiting(Link { waiting, sending, stage: Stage::Open { mut reader, mut writer, .. }, .. })
                if waiting.is_empty() =>
            {
                Last::Finishing(Box::pin(async move { sending.finish(&mut reader, &mut writer).await }))
            }
            other @ (Last::Waiting(_) | Last::Finishing(_) | Last::Taken) => other,
        };
    }

    /// Ready when it has ended, or broken.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.last {
            Last::Finishing(finishing) => finishing.as_mut().poll(context).map(|_| ()),
            Last::Waiting(_) | Last::Taken => Poll::Pending,
        }
    }
}
