//! A turmoil stream with jitter, and with a reset that a script can ask for.
//!
//! turmoil draws latencies from one stream shared by all links, so here a link's latency is
//! constant and the rest is added by the reader: per connection and direction, order kept.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use gatecrash::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use turmoil::net::TcpStream;

use crate::draw::Draw;
use crate::scenario::Span;

/// The most bytes read ahead in one go: a segment is never larger than a frame and its length.
const READ_BYTES_MAX: usize = 16 * 1024;

/// Cuts one connection from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Cutter(Arc<Mutex<Cut>>);

#[derive(Debug, Default)]
struct Cut {
    is_cut: bool,
    is_over: bool,
    reader: Option<Waker>,
}

impl Cutter {
    /// Resets the connection. Says whether there was one to reset.
    pub(super) fn cut(&self) -> bool {
        let mut cut = self.0.lock().expect("nobody panics with a cutter");
        if cut.is_over || cut.is_cut {
            return false;
        }
        cut.is_cut = true;
        if let Some(reader) = cut.reader.take() {
            reader.wake();
        }
        true
    }

    fn is_cut(&self, context: &Context<'_>) -> bool {
        let mut cut = self.0.lock().expect("nobody panics with a cutter");
        cut.reader = Some(context.waker().clone());
        cut.is_cut
    }
}

/// How much later than the link alone a direction of a connection delivers.
pub(super) trait Jitter: Send + Sync {
    /// The extra latency in force, from zero.
    fn extra(&self) -> Span;
    /// The stream it is drawn from, asked for when the first bytes have arrived.
    fn draw(&self) -> Draw;
    /// Now.
    fn now(&self) -> Instant;
}

/// One end of a connection.
pub(super) struct Stream {
    inner: Option<TcpStream>,
    cutter: Cutter,
    jitter: Arc<dyn Jitter>,
    draw: Option<Draw>,
    /// What has arrived, with when the reader may see it; nothing stands for the end.
    arrived: VecDeque<(Instant, io::Result<Bytes>)>,
    sleep: Option<Pin<Box<Sleep>>>,
    is_at_end: bool,
}

impl Stream {
    pub(super) fn new(inner: TcpStream, cutter: Cutter, jitter: Arc<dyn Jitter>) -> Self {
        let arrived = VecDeque::new();
        Stream { inner: Some(inner), cutter, jitter, draw: None, arrived, sleep: None, is_at_end: false }
    }

    fn reset(&mut self) -> io::Error {
        self.inner = None;
        io::ErrorKind::ConnectionReset.into()
    }

    /// Takes over what has arrived by now, each piece with its own delay behind the one before.
    fn read_ahead(&mut self, context: &mut Context<'_>) {
        while !self.is_at_end {
            let Some(inner) = &mut self.inner else { return };
            let mut bytes = [0; READ_BYTES_MAX];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = match Pin::new(inner).poll_read(context, &mut buffer) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) => Ok(Bytes::copy_from_slice(buffer.filled())),
                Poll::Ready(Err(error)) => Err(error),
            };
            self.is_at_end = read.as_ref().map_or(true, Bytes::is_empty);
            let draw = self.draw.get_or_insert_with(|| self.jitter.draw());
            let due = self.jitter.now() + draw.within(self.jitter.extra());
            let due = self.arrived.back().map_or(due, |&(last, _)| due.max(last));
            self.arrived.push_back((due, read));
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.cutter.is_cut(context) {
            return Poll::Ready(Err(self.reset()));
        }
        self.read_ahead(context);
        let now = self.jitter.now();
        let Some(&(due, _)) = self.arrived.front() else { return Poll::Pending };
        if now < due {
            let wait: Duration = due - now;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            sleep.as_mut().reset(tokio::time::Instant::now() + wait);
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        let (due, front) = self.arrived.pop_front().expect("something has arrived");
        match front {
            Ok(mut bytes) => {
                let count = bytes.len().min(out.remaining());
                out.put_slice(&bytes[..count]);
                bytes.advance(count);
                if !bytes.is_empty() {
                    self.arrived.push_front((due, Ok(bytes)));
                }
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Some(inner) => Pin::new(inner).poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Some(inner) => Pin::new(inner).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Some(inner) => Pin::new(inner).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.cutter.0.lock().expect("nobody panics with a cutter").is_over = true;
    }
}
