//! A stream whose bytes are counted, and read no faster than a bound (INPUT-8).
//!
//! Stands below TLS, so that a peer cannot spend more of the server by what it encrypts. What waits stays with the peer:
//! nothing is kept for it here.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::load::Load;

/// So many seconds' worth may come at once: a phone that was away says all it has.
const SECONDS_AT_ONCE: i64 = 16;

/// About what the network brings at once.
const PACKET_BYTES: i64 = 1_460;

/// How many bytes may be read by now. A read takes what there is, and what it takes too much is owed.
#[derive(Debug)]
struct Allowance {
    per_second: i64,
    left: i64,
    at: Instant,
}

impl Allowance {
    fn new(per_second: u32, now: Instant) -> Self {
        let per_second = i64::from(per_second.max(1));
        Allowance { per_second, left: per_second * SECONDS_AT_ONCE, at: now }
    }

    /// When something may be read: now, or once what is owed has come due.
    fn opens(&mut self, now: Instant) -> Option<Instant> {
        let micros = i64::try_from(now.duration_since(self.at).as_micros()).unwrap_or(i64::MAX);
        let due = micros.saturating_mul(self.per_second) / 1_000_000;
        if due > 0 {
            self.left = self.left.saturating_add(due).min(self.per_second * SECONDS_AT_ONCE);
            self.at = now;
        }
        // A packet's worth later, and not a byte's.
        let owed = (PACKET_BYTES - self.left).unsigned_abs();
        (self.left <= 0)
            .then(|| now + Duration::from_micros(owed.saturating_mul(1_000_000) / self.per_second.unsigned_abs()))
    }

    fn took(&mut self, bytes: usize) {
        self.left -= i64::try_from(bytes).unwrap_or(i64::MAX);
    }
}

/// A stream of the surroundings.
pub(super) struct Metered<Stream> {
    stream: Stream,
    load: Load,
    allowance: Allowance,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<Stream> Metered<Stream> {
    pub(super) fn new(stream: Stream, load: Load, bytes_per_second: u32) -> Self {
        Metered { stream, load, allowance: Allowance::new(bytes_per_second, Instant::now()), waiting: None }
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Metered<Stream> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while let Some(until) = this.allowance.opens(Instant::now()) {
            let waiting = this.waiting.get_or_insert_with(|| {
                this.load.holds_back();
                Box::pin(sleep_until(until))
            });
            match waiting.as_mut().poll(context) {
                Poll::Ready(()) => this.waiting = None,
                Poll::Pending => return Poll::Pending,
            }
        }
        this.waiting = None;
        let before = into.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, into);
        let number = into.filled().len() - before;
        if number > 0 {
            this.allowance.took(number);
            this.load.read(number);
        }
        polled
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for Metered<Stream> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(number)) = polled {
            self.load.written(number);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        if let Poll::Ready(Ok(number)) = polled {
            self.load.written(number);
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, duplex};

    /// INPUT-8: a burst passes at once, and what comes on top at its pace; nothing is lost.
    #[test]
    fn a_flood_is_read_at_its_pace() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(flood());
    }

    async fn flood() {
        let (mut peer, end) = duplex(1 << 20);
        let (began, load) = (Instant::now(), Load::default());
        let mut metered = Metered::new(end, load.clone(), 1_000);
        tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut peer, &vec![7; 46_000]).await.expect("it is read");
        });
        let mut read = vec![0; 1_000];
        for _ in 0..16 {
            metered.read_exact(&mut read).await.expect("it comes");
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "as much as is allowed at once");
        let mut rest = Vec::new();
        metered.read_to_end(&mut rest).await.expect("it comes");
        assert_eq!((rest.len(), load.bytes_in()), (30_000, 46_000));
        assert!(load.held_back() > 0);
        let took = began.elapsed().as_secs();
        assert!((28..=34).contains(&took), "{took} s for 30,000 bytes at 1,000 a second");
    }
}
