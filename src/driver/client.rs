//! Runs an SDK's core: the handle an application holds, and one future that does the rest.
//!
//! A call takes effect on the core at once, on the caller's thread. Everything slow is the driver's:
//! one future without tasks of its own, so that not polling it suspends the device and dropping it
//! kills the process. What a call means is the core's business.
//!
//! ```text
//! application ──call──▶ Sdk ──▶ core ──▶ orders ─────▶ SdkDriver ──▶ connection, disk
//!      ▲                                └▶ deliveries ─▶    │
//!      └───────────── results, listener calls ─────────────┘
//! ```

mod link;
mod sdk;
mod shared;

use std::collections::VecDeque;
use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tracing::{debug, info, warn};

use self::link::{Closing, Link, LinkEvent};
use self::shared::Shared;
use crate::client::{Action, Input};
use crate::decide::{ClientDecisions, Rules};
use crate::driver::timer::sleep_until;
use crate::driver::wire::{Unreadable, WireFrame};
use crate::driver::writer::Writer;
use crate::driver::{ClientSeen, DeviceDisk, Observe, OnDisk, Surroundings, Unobserved, Untrusted};
use crate::id::{Change, ConnectionId};
use crate::limits::ClientLimits;
use crate::time::Instant;

pub use sdk::{Listener, Pending, Sdk, Setup};

/// How many closed connections may still be saying their last frames.
const CLOSING_MAX: usize = 4;

/// How long a closed connection may take to say them.
pub const CLOSING_TIME: Duration = Duration::from_secs(5);

/// How long to wait before a write that failed is tried again, where nobody asks for it: at first, then twice as long
/// each time, and at most. A phone whose storage is full for a week is not kept awake by that.
pub const WRITE_AGAIN_MIN: Duration = Duration::from_secs(1);
/// See [`WRITE_AGAIN_MIN`].
pub const WRITE_AGAIN_MAX: Duration = Duration::from_secs(64);

/// How long a write of the record may take until whoever waits for it is told that it cannot be written (ATT-5). An
/// attempt to connect may have to wait for two, and has its end in time (CONN-2).
fn write_time(limits: &ClientLimits) -> Duration {
    limits.connect_timeout / 2
}

/// How many inputs are taken in a row before timers get their turn.
const INPUTS_IN_A_ROW_MAX: usize = 256;

/// Makes an SDK: the handle for the application, and the driver to run.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use gatecrash::{client::Status, code::Code, policy::Platform};
/// use gatecrash::driver::{client, disk::MemoryDisk, tokio::Live};
///
/// let (sdk, driver) = client::sdk(Live::new(), MemoryDisk::default(), "im.example.org:7000");
/// tokio::spawn(driver.run());
///
/// assert_eq!(sdk.logout().await, Err(Code::NotInitialised.into()));
/// sdk.init(Platform::Ios).await.unwrap();
/// assert_eq!(sdk.login("no user id", "ticket").await, Err(Code::InvalidUserId.into()));
/// assert_eq!(sdk.login_status(), Status::Logout);
/// sdk.uninit().await.unwrap();
/// # });
/// ```
pub fn sdk<S: Surroundings, Disk: DeviceDisk>(
    surroundings: S,
    disk: Disk,
    server: impl Into<String>,
) -> (Sdk, SdkDriver<S, Disk>) {
    SdkDriver::new(surroundings, disk, Unobserved, server)
}

/// What runs an SDK: poll it as long as the application lives.
///
/// ```no_run
/// # async fn example() {
/// use gatecrash::driver::{Unobserved, client::SdkDriver, disk::MemoryDisk, tokio::Live};
///
/// let disk = MemoryDisk::default();
/// let (sdk, driver) = SdkDriver::<Live, MemoryDisk>::new(Live::new(), disk, Unobserved, "im.example.org:7000");
/// driver.run().await;
/// # }
/// ```
pub struct SdkDriver<S: Surroundings, Disk: DeviceDisk, O: Observe = Unobserved, D: ClientDecisions = Rules> {
    shared: Arc<Shared<S, O, D>>,
    server: String,
    /// A write ends with what was in it, and whether it is on the disk.
    disk: Writer<Disk, (OnDisk, io::Result<()>)>,
    /// What is to be written, and the number of the last change in it and in the running write.
    unwritten: OnDisk,
    last_unwritten: Change,
    last_writing: Change,
    write_again_at: Option<Instant>,
    write_again_after: Duration,
    /// When the running write takes too long, and whether it does.
    late_at: Option<Instant>,
    is_late: bool,
    /// Whether the running write is of the record.
    writes_record: bool,
    /// Whether the last write failed, or the running one takes too long.
    disk_fails: bool,
    /// Every change up to this one is on disk.
    stored: Change,
    /// The connections that the core has not closed: one, or for a while two (CONN-10).
    links: Vec<Link<S::Stream>>,
    closing: VecDeque<Closing<S::Stream>>,
}

/// What woke the driver.
enum Woken {
    Called,
    Written(OnDisk, io::Result<()>),
    Closed,
    Timer,
}

impl<S: Surroundings, Disk: DeviceDisk, O: Observe, D: ClientDecisions> SdkDriver<S, Disk, O, D> {
    /// Makes an SDK that talks to `server`, a host name with a port. The disk is read now.
    pub fn new(surroundings: S, mut disk: Disk, observe: O, server: impl Into<String>) -> (Sdk, Self) {
        let shared = Arc::new(Shared::new(surroundings, observe, disk.load()));
        let driver = SdkDriver {
            shared: Arc::clone(&shared),
            server: server.into(),
            disk: Writer::Idle(disk),
            unwritten: OnDisk::default(),
            last_unwritten: Change::NONE,
            last_writing: Change::NONE,
            write_again_at: None,
            write_again_after: WRITE_AGAIN_MIN,
            late_at: None,
            is_late: false,
            writes_record: false,
            disk_fails: false,
            stored: Change::NONE,
            links: Vec::new(),
            closing: VecDeque::new(),
        };
        (Sdk::new(shared), driver)
    }

    /// Runs the SDK. Never returns; dropping it ends the SDK as a killed process would: pending calls
    /// end with [`Code::Uninitialised`](crate::code::Code::Uninitialised), and so do later ones.
    pub async fn run(mut self) {
        let mut in_a_row = 0;
        loop {
            self.carry_out();
            if self.deliver() {
                continue;
            }
            let now = self.shared.now();
            let due = self.due();
            // A flood of frames must not keep timers waiting.
            if in_a_row >= INPUTS_IN_A_ROW_MAX && due.is_some_and(|due| due <= now) {
                in_a_row = 0;
                self.timeout();
                continue;
            }
            in_a_row = if self.wait(due).await { in_a_row + 1 } else { 0 };
        }
    }

    /// Waits for something to happen and deals with it. Says whether it was an input.
    async fn wait(&mut self, due: Option<Instant>) -> bool {
        // At one instant: the application's calls, what the disk did, what arrived, and then timers.
        let woken = tokio::select! {
            biased;
            () = self.shared.changed.notified() => Woken::Called,
            (batch, result) = self.disk.done() => Woken::Written(batch, result),
            (index, event) = happened(&mut self.links) => {
                self.link_event(index, event);
                return true;
            }
            () = finished(&mut self.closing) => Woken::Closed,
            () = sleep_until(&self.shared.surroundings, due) => Woken::Timer,
        };
        match woken {
            Woken::Called | Woken::Closed => {}
            Woken::Written(batch, result) => self.written(batch, result),
            Woken::Timer => self.timeout(),
        }
        false
    }

    fn due(&self) -> Option<Instant> {
        let closing = self.closing.iter().map(|closing| closing.until);
        let disk = self.write_again_at.into_iter().chain(self.late_at).chain(self.shared.tells_by(self.stored));
        self.shared.poll_timeout().into_iter().chain(disk).chain(closing).min()
    }

    fn timeout(&mut self) {
        let now = self.shared.now();
        self.closing.retain(|closing| closing.until > now);
        if self.write_again_at.is_some_and(|at| at <= now) {
            self.write_again_at = None;
        }
        if self.late_at.take_if(|at| *at <= now).is_some() {
            self.is_late = true;
            self.disk_failed(&"it takes too long");
            self.record_failed_if_late();
        }
        self.shared.tell_in_time(now, self.stored);
        self.shared.timeout();
    }

    /// Does what the core asked for, as far as the disk allows.
    fn carry_out(&mut self) {
        let mut needs_disk = false;
        for output in self.shared.take_orders() {
            match &output.action {
                Action::Store { change, write } => {
                    needs_disk = true;
                    self.shared.observe(ClientSeen::Output(&output));
                    self.unwritten.apply(write.clone());
                    self.last_unwritten = *change;
                }
                Action::Connect { connection } => {
                    // Nothing goes out on it before the record is on disk.
                    needs_disk = true;
                    self.shared.observe(ClientSeen::Output(&output));
                    debug!(connection = connection.0, server = self.server, "connect");
                    let connecting = self.shared.surroundings.connect(&self.server);
                    self.links.push(Link::new(*connection, Box::pin(connecting)));
                }
                Action::Send { connection, .. } => {
                    if let Some(link) = self.links.iter_mut().find(|link| link.connection == *connection) {
                        link.waiting.push_back(output);
                    }
                }
                Action::Close { connection } => {
                    self.shared.observe(ClientSeen::Output(&output));
                    self.close(*connection);
                }
                Action::Result { .. }
                | Action::Event(_)
                | Action::DropEvents { .. }
                | Action::Status { .. }
                | Action::Note(_) => unreachable!("these are no orders to the driver"),
            }
        }
        self.send_what_may_go();
        needs_disk |= self.links.iter().any(Link::is_waiting) || self.shared.delivery_waits(self.stored);
        if needs_disk {
            // ATT-5: who calls is told how the disk is now, and not how it was.
            self.write_again_at = None;
        }
        self.begin_write();
        if needs_disk {
            self.record_failed_if_late();
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(mut link) = self.take_link(connection) else { return };
        link.forget_asking(self.stored);
        debug!(connection = connection.0, "close");
        if self.closing.len() == CLOSING_MAX {
            self.closing.pop_front();
        }
        self.closing.extend(link.close(self.shared.now() + CLOSING_TIME));
    }

    fn take_link(&mut self, connection: ConnectionId) -> Option<Link<S::Stream>> {
        let index = self.links.iter().position(|link| link.connection == connection)?;
        Some(self.links.remove(index))
    }

    /// Sends frames whose record is on disk, in order (ATT-4).
    fn send_what_may_go(&mut self) {
        let links = self.closing.iter_mut().filter_map(Closing::waiting).chain(&mut self.links);
        let mut overflowed = Vec::new();
        for link in links {
            while let Some(output) = link.next_to_send(self.stored) {
                self.shared.observe(ClientSeen::Output(&output));
                if let Action::Send { connection, frame } = &output.action {
                    debug!(connection = connection.0, frame = frame.word(), "send");
                    if !link.send(frame) {
                        overflowed.push(*connection);
                    }
                }
            }
        }
        self.closing.iter_mut().for_each(Closing::finish_when_sent);
        for connection in overflowed {
            if self.take_link(connection).is_some() {
                debug!(connection = connection.0, "the server does not read: the link is lost");
                self.shared.input(Input::Closed { connection });
            }
        }
    }

    fn link_event(&mut self, index: usize, event: LinkEvent<S::Stream>) {
        let link = &mut self.links[index];
        let connection = link.connection;
        match event {
            LinkEvent::Connected(Ok(stream)) => {
                debug!(connection = connection.0, "connected");
                link.opened(stream);
                self.shared.input(Input::Connected { connection });
            }
            LinkEvent::Connected(Err(error)) => {
                debug!(connection = connection.0, %error, "could not connect");
                self.links.remove(index);
                self.shared.input(match error.get_ref().is_some_and(|inner| inner.is::<Untrusted>()) {
                    true => Input::Untrusted { connection },
                    false => Input::ConnectFailed { connection },
                });
            }
            LinkEvent::Read(Ok(frame)) => {
                debug!(connection = connection.0, frame = frame.word(), "received");
                link.has_heard = true;
                self.shared.input(Input::Frame { connection, frame });
            }
            LinkEvent::Read(Err(why)) => {
                debug!(connection = connection.0, "{why}");
                // INPUT-6: what never was a frame came from somebody else.
                let is_no_server = !link.has_heard && matches!(why, Unreadable::Frame(_));
                self.links.remove(index);
                self.shared.input(match is_no_server {
                    true => Input::NoFrame { connection },
                    false => Input::Closed { connection },
                });
            }
            LinkEvent::Sent(Ok(())) => {}
            LinkEvent::Sent(Err(error)) => {
                debug!(connection = connection.0, %error, "the connection broke");
                self.links.remove(index);
                self.shared.input(Input::Closed { connection });
            }
        }
    }

    fn begin_write(&mut self) {
        if self.unwritten == OnDisk::default() || self.write_again_at.is_some() || self.disk.idle().is_none() {
            return;
        }
        let batch = std::mem::take(&mut self.unwritten);
        self.last_writing = self.last_unwritten;
        self.writes_record = batch.installation.is_some();
        self.late_at = self.shared.limits().map(|limits| self.shared.now() + write_time(&limits));
        self.disk.begin(|mut disk| async move {
            let result = disk.write(batch.clone().into_writes()).await;
            (disk, (batch, result))
        });
    }

    fn written(&mut self, mut batch: OnDisk, result: io::Result<()>) {
        (self.late_at, self.is_late) = (None, false);
        match result {
            Ok(()) => {
                if std::mem::take(&mut self.disk_fails) {
                    info!("the device's disk can be written again");
                }
                self.write_again_after = WRITE_AGAIN_MIN;
                let stored = self.last_writing;
                while !self.shared.stored(stored) {
                    self.carry_out();
                }
                self.stored = stored;
            }
            Err(error) => {
                self.disk_failed(&error);
                batch.overlay(std::mem::take(&mut self.unwritten));
                self.unwritten = batch;
                self.write_again_at = Some(self.shared.now() + self.write_again_after);
                self.write_again_after = WRITE_AGAIN_MAX.min(self.write_again_after * 2);
                if self.writes_record {
                    self.record_failed();
                }
            }
        }
    }

    fn disk_failed(&mut self, error: &dyn Display) {
        if !std::mem::replace(&mut self.disk_fails, true) {
            warn!(%error, "the device's disk cannot be written; trying again");
        }
    }

    /// ATT-5: what waits for the record on the link is given up.
    fn record_failed(&mut self) {
        let unsent = self.links.iter_mut().flat_map(Link::give_up).collect();
        self.shared.storage_failed(self.stored, unsent);
    }

    /// ATT-5: a write that takes too long is to whoever waits for the record one that fails. It goes on.
    fn record_failed_if_late(&mut self) {
        if self.is_late && (self.writes_record || self.unwritten.installation.is_some()) {
            self.record_failed();
        }
    }

    /// Makes the next listener call or ends the next call. Says whether there was one.
    fn deliver(&mut self) -> bool {
        let Some(delivery) = self.shared.next_delivery(self.stored) else { return false };
        self.shared.observe(ClientSeen::Output(&delivery.output));
        delivery.make();
        true
    }
}

impl<S: Surroundings, Disk: DeviceDisk, O: Observe, D: ClientDecisions> Drop for SdkDriver<S, Disk, O, D> {
    fn drop(&mut self) {
        self.shared.end();
    }
}

/// The next thing that happens on a link, and on which one; never if there is none.
async fn happened<Stream>(links: &mut [Link<Stream>]) -> (usize, LinkEvent<Stream>)
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    poll_fn(|context| {
        for (index, link) in links.iter_mut().enumerate() {
            if let Poll::Ready(event) = pin!(link.next()).poll(context) {
                return Poll::Ready((index, event));
            }
        }
        Poll::Pending
    })
    .await
}

/// Returns when a closed connection has said its last frames, which is then forgotten.
async fn finished<Stream>(closing: &mut VecDeque<Closing<Stream>>)
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    poll_fn(|context| {
        let before = closing.len();
        closing.retain_mut(|closing| closing.poll(context).is_pending());
        if closing.len() < before { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
