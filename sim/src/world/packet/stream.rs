//! A turmoil stream with jitter, and with a reset that a script can ask for.
//!
//! turmoil draws latencies from one stream shared by all links, so here a link's latency is
//! constant and the rest is added by the reader: per connection and direction, order kept.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use gatecrash::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use turmoil::net::TcpStream;

use super::interceptor::{End, Interceptor, Sent};
use super::standstill::Standstill;
use super::window::{Ways, Window};
use crate::generate::draw::Draw;
use crate::scenario::{Pieces, Span};

/// The most bytes read ahead in one go: a segment is never larger than a frame and its length.
const READ_BYTES_MAX: usize = 16 * 1024;

/// Cuts one connection from outside: it holds the connection, which so ends at once, whether the
/// process that uses it is frozen or not.
#[derive(Clone, Default)]
pub(super) struct Cutter {
    cut: Arc<Mutex<Cut>>,
    /// What is to know of the end; nothing where there never was a connection.
    jitter: Option<Arc<dyn Jitter>>,
}

#[derive(Debug, Default)]
struct Cut {
    inner: Option<TcpStream>,
    is_cut: bool,
    reader: Option<Waker>,
    /// Who waits for room to write.
    writer: Option<Waker>,
}

impl Cutter {
    fn of(inner: TcpStream, jitter: Arc<dyn Jitter>) -> Self {
        let cut = Cut { inner: Some(inner), ..Cut::default() };
        Cutter { cut: Arc::new(Mutex::new(cut)), jitter: Some(jitter) }
    }

    /// Resets the connection. Says whether there was one to reset.
    pub(super) fn cut(&self) -> bool {
        let Some(inner) = self.take() else { return false };
        drop(inner);
        let mut cut = self.lock();
        cut.is_cut = true;
        let waiting = [cut.reader.take(), cut.writer.take()];
        waiting.into_iter().flatten().for_each(Waker::wake);
        true
    }

    fn is_cut(&self, context: &Context<'_>) -> bool {
        let mut cut = self.lock();
        cut.reader = Some(context.waker().clone());
        cut.is_cut
    }

    /// The connection, for whoever is to end it. Not under the lock: that is turmoil's business.
    fn take(&self) -> Option<TcpStream> {
        let inner = self.lock().inner.take()?;
        if let Some(jitter) = &self.jitter {
            jitter.ends();
        }
        Some(inner)
    }

    fn lock(&self) -> MutexGuard<'_, Cut> {
        self.cut.lock().expect("nobody panics with a cutter")
    }
}

/// Sees to it that the server's crash ends its connections in the order they were accepted.
///
/// tokio drops the tasks of a runtime in an order that depends on their ids, which it counts for the
/// whole process: what else runs there would decide whose end leaves first.
#[derive(Debug, Default)]
pub(super) struct CrashOrder(Mutex<Ends>);

#[derive(Debug, Default)]
struct Ends {
    accepted: u64,
    living: usize,
    is_crashing: bool,
    waiting: Vec<(u64, Ended)>,
}

/// What is left of an end of a connection when nobody holds it any more.
#[derive(Debug)]
struct Ended {
    inner: Option<TcpStream>,
    read: Option<Arc<Window>>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.inner.take());
        if let Some(read) = &self.read {
            // Whoever still writes is to learn that nobody reads.
            read.open();
        }
    }
}

impl CrashOrder {
    /// Carries out the crash. Whichever connection is dropped last lets all of them go, still on the
    /// server's host.
    pub(super) fn during(&self, crash: impl FnOnce()) {
        self.lock().is_crashing = true;
        crash();
        let mut ends = self.lock();
        ends.is_crashing = false;
        assert!(ends.living == 0 && ends.waiting.is_empty(), "a crash drops every connection");
    }

    fn accept(&self) -> u64 {
        let mut ends = self.lock();
        ends.accepted += 1;
        ends.living += 1;
        ends.accepted
    }

    fn let_go(&self, number: u64, ended: Ended) {
        let mut ends = self.lock();
        ends.living -= 1;
        if !ends.is_crashing {
            // Not under the lock: the end of a connection is turmoil's business.
            drop(ends);
            return drop(ended);
        }
        ends.waiting.push((number, ended));
        if ends.living == 0 {
            let mut waiting = std::mem::take(&mut ends.waiting);
            drop(ends);
            waiting.sort_unstable_by_key(|&(number, _)| number);
            waiting.into_iter().for_each(drop);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().expect("nobody panics with it")
    }
}

/// How much later than the link alone a direction of a connection delivers, and whether it does at all.
pub(super) trait Jitter: Send + Sync {
    /// Who stands between this end's driver and the connection.
    fn interceptor(&self) -> &dyn Interceptor;
    /// The extra latency in force, from zero.
    fn extra(&self) -> Span;
    /// Whether the device has left the network of the connection: nothing gets through, and nobody is told.
    fn is_dead(&self) -> bool;
    /// Whether what this end sends now gets through.
    fn passes(&self) -> bool;
    /// This end says that it ends, once. Says whether that gets through.
    fn ends(&self) -> bool;
    /// Whether the other end's end got through.
    fn hears_end(&self) -> bool;
    /// Into what pieces the direction is cut, and the stream they are drawn from.
    fn pieces(&self) -> Option<(Pieces, Draw)>;
    /// How much may be under way either way, where that is bounded.
    fn windows(&self) -> Option<Ways>;
    /// The stream it is drawn from, asked for when the first bytes have arrived.
    fn draw(&self) -> Draw;
    /// Now.
    fn now(&self) -> Instant;
}

/// One end of a connection.
pub struct Stream {
    cutter: Cutter,
    jitter: Arc<dyn Jitter>,
    draw: Option<Draw>,
    /// What has arrived, with when the reader may see it; nothing stands for the end.
    arrived: VecDeque<(Instant, io::Result<Bytes>)>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Into what pieces it is cut for the reader, once something is read.
    pieces: Option<Option<(Pieces, Draw)>>,
    /// How much of it may be under way, once something is read or written.
    windows: Option<Option<Ways>>,
    is_at_end: bool,
    /// At the server: who orders the ends of its connections, and this one's number there.
    order: Option<(Arc<CrashOrder>, u64)>,
    /// At the server: whether its process reads at all.
    standstill: Option<Arc<Standstill>>,
}

impl Stream {
    pub(super) fn new(inner: TcpStream, jitter: Arc<dyn Jitter>) -> Self {
        let (cutter, arrived) = (Cutter::of(inner, Arc::clone(&jitter)), VecDeque::new());
        let (draw, sleep, pieces, windows, is_at_end, order, standstill) = (None, None, None, None, false, None, None);
        Stream { cutter, jitter, draw, arrived, sleep, pieces, windows, is_at_end, order, standstill }
    }

    /// What cuts it from outside.
    pub(super) fn cutter(&self) -> Cutter {
        self.cutter.clone()
    }

    /// The server's end.
    pub(super) fn accepted(
        inner: TcpStream,
        jitter: Arc<dyn Jitter>,
        order: Arc<CrashOrder>,
        standstill: Arc<Standstill>,
    ) -> Self {
        let number = order.accept();
        let mut stream = Stream::new(inner, jitter);
        (stream.order, stream.standstill) = (Some((order, number)), Some(standstill));
        stream
    }

    /// Takes over what has arrived by now, each piece with its own delay behind the one before.
    fn read_ahead(&mut self, context: &mut Context<'_>) {
        while !self.is_at_end {
            let mut bytes = [0; READ_BYTES_MAX];
            let mut buffer = ReadBuf::new(&mut bytes);
            let polled = match &mut self.cutter.lock().inner {
                Some(inner) => Pin::new(inner).poll_read(context, &mut buffer),
                None => return,
            };
            let read = match polled {
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

impl Stream {
    /// How many bytes the reader gets at most.
    fn piece(&mut self) -> usize {
        match self.pieces.get_or_insert_with(|| self.jitter.pieces()) {
            Some((Pieces { min, max }, draw)) => draw.between(u64::from(*min), u64::from(*max)) as usize,
            None => usize::MAX,
        }
    }

    fn end(&self) -> End {
        self.order.as_ref().map_or(End::Device, |&(_, number)| End::Server(number))
    }

    /// How much may be under way. Asked for at the first byte: only then it is known whose connection it is.
    fn windows(&mut self) -> Option<Ways> {
        self.windows.get_or_insert_with(|| self.jitter.windows()).clone()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.cutter.is_cut(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.jitter.is_dead() {
            return Poll::Pending;
        }
        self.read_ahead(context);
        let now = self.jitter.now();
        let Some((due, front)) = self.arrived.front() else { return Poll::Pending };
        let (due, is_end) = (*due, front.as_ref().map_or(true, Bytes::is_empty));
        if is_end && !(self.jitter.hears_end() && self.jitter.interceptor().notices_end(self.end())) {
            return Poll::Pending;
        }
        if now < due {
            let wait: Duration = due - now;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            sleep.as_mut().reset(tokio::time::Instant::now() + wait);
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        if self.standstill.as_ref().is_some_and(|standstill| standstill.poll_read(context).is_pending()) {
            return Poll::Pending;
        }
        let (due, front) = self.arrived.pop_front().expect("something has arrived");
        match front {
            Ok(mut bytes) => {
                let count = bytes.len().min(out.remaining()).min(self.piece());
                out.put_slice(&bytes[..count]);
                let behind = self.jitter.interceptor().reads(self.end(), &bytes[..count]);
                bytes.advance(count);
                let is_forgotten = self.jitter.interceptor().forgets_rest(self.end());
                if let Some(windows) = self.windows() {
                    windows.read.was_read(if is_forgotten { count + bytes.len() } else { count });
                }
                if !bytes.is_empty() && !is_forgotten {
                    self.arrived.push_front((due, Ok(bytes)));
                }
                if !behind.is_empty() {
                    self.arrived.push_front((due, Ok(behind.into())));
                }
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (windows, sent) = (self.windows(), self.jitter.interceptor().sends(self.end(), bytes));
        let Cut { inner, writer, .. } = &mut *self.cutter.lock();
        match inner {
            Some(_) if self.jitter.is_dead() || !self.jitter.passes() => Poll::Ready(Ok(bytes.len())),
            Some(inner) => {
                if let Sent::Instead(instead) = sent {
                    ready!(Pin::new(inner).poll_write(context, &instead))?;
                    return Poll::Ready(Ok(bytes.len()));
                }
                let Some(Ways { written, .. }) = windows else { return Pin::new(inner).poll_write(context, bytes) };
                let Poll::Ready(room) = written.poll_room(context, bytes.len()) else {
                    *writer = Some(context.waker().clone());
                    return Poll::Pending;
                };
                let count = ready!(Pin::new(inner).poll_write(context, &bytes[..room]))?;
                written.wrote(count);
                match sent {
                    Sent::Repeated if count < bytes.len() => {
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Sent::RestLost => Poll::Ready(Ok(bytes.len())),
                    Sent::Repeated | Sent::AsItIs | Sent::Instead(_) => Poll::Ready(Ok(count)),
                }
            }
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.cutter.lock().inner {
            Some(inner) => Pin::new(inner).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.cutter.lock().inner {
            Some(_) if self.jitter.is_dead() || !self.jitter.ends() => Poll::Ready(Ok(())),
            Some(inner) => Pin::new(inner).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let ended = Ended { inner: self.cutter.take(), read: self.windows().map(|windows| windows.read) };
        match self.order.take() {
            Some((order, number)) => order.let_go(number, ended),
            None => drop(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;
    use crate::trace::{Cast, Recorder};

    /// A run depends on its scenario alone, not on how many tasks the process ran before it.
    #[test]
    fn a_crash_ends_connections_in_the_same_order_in_every_run() {
        let text = r#"
title = "Nine devices lose the server at once"
rules = ["DUR-2"]
seed = 1
[devices]
"page-{1..9}" = { platform = "web", site = "home" }
[script]
until = "4s"
steps = """
0s  page-{1..9}  login user-{}
2s  fault        bounce server
"""
"#;
        let scenario = Scenario::parse("crash.toml", text).expect("well written");
        let digest = || {
            let recorder = Recorder::new(Cast::of(&scenario));
            super::super::run(&scenario, &recorder).expect("the world runs");
            recorder.finish().digest
        };
        let first = digest();
        for _ in 0..4 {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async { tokio::spawn(async {}).await }).expect("nothing fails");
            assert_eq!(digest(), first);
        }
    }
}
