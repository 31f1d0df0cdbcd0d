//! What the SDK's driver does for its device's disk: one write at a time, and whatever waits for it.
//!
//! The driver's own, in the packet world, is `gatecrash::driver::client`. What is on the disk outlives the process and
//! is in `storage`.

use std::collections::VecDeque;

use gatecrash::client;
use gatecrash::driver::OnDisk;
use gatecrash::driver::client::{CLOSING_TIME, WRITE_AGAIN_MAX, WRITE_AGAIN_MIN};
use gatecrash::id::{Change, ConnectionId};
use gatecrash::protocol::ClientFrame;
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

use super::super::storage::{Landing, Timing};
use super::flight::Body;
use super::{Class, Due, System, World, small};
use crate::scenario::config;
use crate::trace::{DeviceIndex, Effect, Observer};

/// What one process has to do with its disk.
#[derive(Default)]
pub(super) struct Writer {
    /// Every change up to this one is on the disk, and the core was told so.
    pub(super) stored: Change,
    /// The last change that was on the disk at once.
    landed: Change,
    /// Where not everything is written at once.
    busy: Option<Box<Busy>>,
}

#[derive(Default)]
struct Busy {
    unwritten: OnDisk,
    last_unwritten: Change,
    running: Option<Running>,
    again_at: Option<Instant>,
    /// How often in a row a write has failed.
    failures: u32,
    /// Whether something was asked for that needs the disk: then what it is like is found out at once.
    is_asked: bool,
    /// Frames that wait for the disk, in order.
    waiting: VecDeque<Frame>,
    /// Connections the core has closed that still have something to say, and until when they may.
    closing: Vec<(usize, Instant)>,
}

/// A write that has begun.
struct Running {
    batch: OnDisk,
    last: Change,
    timing: Timing,
    has_landed: bool,
    late_at: Instant,
    is_late: bool,
}

/// A frame on its way out.
struct Frame {
    /// None once the connection is gone, until the SDK is told so: what leaves then is lost.
    link: Option<usize>,
    reveals: Change,
    connection: ConnectionId,
    frame: ClientFrame<Ticket>,
}

impl Frame {
    /// Whether it asks the server to let somebody in.
    fn asks_to_be_let_in(&self) -> bool {
        matches!(self.frame, ClientFrame::Login { .. } | ClientFrame::Resume { .. })
    }

    /// Whether nobody waits for it: then it is sent later, and no sooner asked for.
    fn confirms_kick(&self) -> bool {
        matches!(self.frame, ClientFrame::KickConfirmed { .. })
    }

    fn into_output(self) -> client::Output {
        let Frame { reveals, connection, frame, .. } = self;
        client::Output { reveals, action: client::Action::Send { connection, frame } }
    }
}

impl Busy {
    fn is_writing(&self) -> bool {
        self.running.is_some() || self.unwritten != OnDisk::default()
    }

    fn is_at_rest(&self) -> bool {
        !self.is_writing() && self.waiting.is_empty() && self.closing.is_empty()
    }

    /// Whether the record waits for a write that takes too long.
    fn is_late_with_record(&self) -> bool {
        let is_late = |running: &Running| {
            running.is_late && (running.batch.installation.is_some() || self.unwritten.installation.is_some())
        };
        self.running.as_ref().is_some_and(is_late)
    }
}

impl Writer {
    /// When its driver has to look at the time.
    pub(super) fn due(&self) -> Option<Instant> {
        let busy = self.busy.as_ref()?;
        let late = busy.running.as_ref().filter(|running| !running.is_late).map(|running| running.late_at);
        busy.again_at.into_iter().chain(late).chain(busy.closing.iter().map(|(_, until)| *until)).min()
    }

    /// The connections that are closed to the core and not to the server.
    pub(super) fn closing(&self) -> Vec<usize> {
        self.busy.iter().flat_map(|busy| busy.closing.iter().map(|(link, _)| *link)).collect()
    }
}

impl<Y: System, O: Observer> World<'_, Y, O> {
    fn busy(&mut self, device: usize) -> &mut Busy {
        self.devices[device].process().writer.busy.get_or_insert_default()
    }

    /// The core wants something written.
    pub(super) fn store(&mut self, device: usize, change: Change, write: client::Write) {
        let state = &mut self.devices[device];
        if state.storage.is_well() && state.process().writer.busy.as_ref().is_none_or(|busy| !busy.is_writing()) {
            state.storage.land([write]);
            state.process().writer.landed = change;
            return;
        }
        let busy = self.busy(device);
        busy.unwritten.apply(write);
        (busy.last_unwritten, busy.is_asked) = (change, true);
    }

    /// The core wants a frame sent: that leaves once the record it rests on is on the disk (ATT-4).
    pub(super) fn send_when_stored(&mut self, device: usize, output: client::Output) {
        if output.reveals <= self.devices[device].process().writer.stored {
            self.observe_device(device, &output);
        }
        let client::Output { reveals, action: client::Action::Send { connection, frame } } = output else {
            unreachable!("frames are sent")
        };
        let link = self.connected_link(device, connection);
        if reveals <= self.devices[device].process().writer.stored {
            if let Some(link) = link {
                self.send(link, Body::Frame(frame));
            }
        } else {
            self.busy(device).waiting.push_back(Frame { link, reveals, connection, frame });
        }
    }

    /// The core closes a connection. What was sent on it before goes out first.
    pub(super) fn close_when_sent(&mut self, device: usize, connection: ConnectionId) {
        let Some(link) = self.link_of(device, connection) else { return self.forget_waiting(device, connection) };
        let until = self.now + CLOSING_TIME;
        let is_waited_for = self.devices[device].process().writer.busy.as_deref_mut().is_some_and(|busy| {
            busy.waiting.retain(|frame| frame.link != Some(link) || !frame.asks_to_be_let_in());
            busy.waiting.iter().any(|frame| frame.link == Some(link))
        });
        if is_waited_for {
            self.busy(device).closing.push((link, until));
            self.close_device_end(link);
            self.reads_on(link, until + CLOSING_TIME);
        } else {
            self.hang_up(link, true);
        }
    }

    /// The device asks for a connection, on which nothing goes out before the record is on the disk.
    pub(super) fn asks_for_disk(&mut self, device: usize) {
        if let Some(busy) = &mut self.devices[device].process().writer.busy {
            busy.is_asked = true;
        }
    }

    /// The connection is gone. What waits to be sent on it is sent in vain, as long as the SDK does not know.
    pub(super) fn lose_waiting(&mut self, device: usize, link: usize) {
        if let Some(process) = &mut self.devices[device].process
            && let Some(busy) = &mut process.writer.busy
            && busy.closing.iter().all(|(closing, _)| *closing != link)
        {
            busy.waiting.iter_mut().filter(|frame| frame.link == Some(link)).for_each(|frame| frame.link = None);
        }
    }

    /// The SDK knows that the connection is gone, and with it what waits to be sent on it.
    pub(super) fn forget_waiting(&mut self, device: usize, connection: ConnectionId) {
        if let Some(busy) = &mut self.devices[device].process().writer.busy {
            busy.waiting.retain(|frame| frame.connection != connection);
        }
    }

    /// All that was asked for is under way: finds out what the disk makes of it, if somebody waits.
    pub(super) fn begin_write(&mut self, device: usize) {
        let Writer { stored, landed, .. } = self.devices[device].process().writer;
        if landed > stored {
            self.stored(device, landed);
        }
        let now = self.now;
        let state = &mut self.devices[device];
        let process = state.process.as_mut().expect("a living process");
        let is_told_later = process.deliveries.iter().any(|output| output.reveals > process.writer.stored);
        let Some(busy) = &mut process.writer.busy else { return };
        let closing = &busy.closing;
        let is_waiting = busy
            .waiting
            .iter()
            .any(|frame| !frame.confirms_kick() && closing.iter().all(|(link, _)| Some(*link) != frame.link));
        let is_asked = std::mem::take(&mut busy.is_asked) || is_waiting || is_told_later;
        if is_asked {
            busy.again_at = None;
        }
        if busy.unwritten != OnDisk::default() && busy.again_at.is_none() && busy.running.is_none() {
            let timing = state.storage.begin(now);
            // Half of what an attempt to connect may take, by the rule and not by the driver (ATT-5).
            let patience = config::client_limits(&self.scenario.limits, state.plan.platform).connect_timeout / 2;
            busy.running = Some(Running {
                batch: std::mem::take(&mut busy.unwritten),
                last: busy.last_unwritten,
                timing,
                has_landed: false,
                late_at: now + patience,
                is_late: false,
            });
            for at in [timing.lands_at, timing.done_at] {
                if at > now {
                    self.queue.push(at, Class::Input, Due::DeviceDisk(small(device)));
                }
            }
        }
        if is_asked && self.busy(device).is_late_with_record() {
            self.record_failed(device);
        }
    }

    /// Something may have come of the running write. Says whether it has.
    pub(super) fn write_goes_on(&mut self, device: usize) -> bool {
        let now = self.now;
        let state = &mut self.devices[device];
        let process = state.process.as_mut().expect("a living process");
        let Some(busy) = &mut process.writer.busy else { return false };
        let Some(running) = &mut busy.running else { return false };
        if !running.has_landed && running.timing.lands_at <= now {
            running.has_landed = true;
            if let Landing::Refused { first } = state.storage.land(running.batch.clone().into_writes()) {
                let Running { mut batch, .. } = busy.running.take().expect("just looked at");
                let is_of_record = batch.installation.is_some();
                batch.overlay(std::mem::take(&mut busy.unwritten));
                let pause = WRITE_AGAIN_MAX.min(WRITE_AGAIN_MIN * (1 << busy.failures.min(6)));
                (busy.unwritten, busy.again_at) = (batch, Some(now + pause));
                busy.failures += 1;
                if first {
                    self.effect(Effect::DeviceDiskRefused { device: DeviceIndex::new(device) });
                }
                if is_of_record {
                    self.record_failed(device);
                }
                return true;
            }
        }
        if running.has_landed && running.timing.done_at <= now {
            let last = running.last;
            (busy.running, busy.failures) = (None, 0);
            self.stored(device, last);
            return true;
        }
        false
    }

    /// What the driver's own timers are for.
    pub(super) fn look_at_the_disk(&mut self, device: usize) {
        let now = self.now;
        let Some(busy) = &mut self.devices[device].process().writer.busy else { return };
        busy.again_at = busy.again_at.filter(|at| *at > now);
        let mut over = Vec::new();
        busy.closing.retain(|&(link, until)| {
            let goes_on = until > now;
            if !goes_on {
                over.push(link);
            }
            goes_on
        });
        busy.waiting.retain(|frame| frame.link.is_none_or(|link| !over.contains(&link)));
        let is_late = busy.running.as_mut().is_some_and(|running| {
            let is_late = running.late_at <= now;
            is_late && !std::mem::replace(&mut running.is_late, true)
        });
        let fails = is_late && busy.is_late_with_record();
        over.into_iter().for_each(|link| self.send(link, Body::Close));
        if fails {
            self.record_failed(device);
        }
    }

    /// Every change up to this one is on the disk: what waited for it goes out.
    fn stored(&mut self, device: usize, change: Change) {
        self.devices[device].process().writer.stored = change;
        self.take(device, client::Input::Stored { change });
        while let Some(busy) = &mut self.devices[device].process().writer.busy
            && let Some(frame) = busy.waiting.pop_front_if(|frame| frame.reveals <= change)
        {
            let link = frame.link;
            let output = frame.into_output();
            self.observe_device(device, &output);
            let client::Action::Send { frame, .. } = output.action else { unreachable!("frames wait") };
            if let Some(link) = link {
                self.send(link, Body::Frame(frame));
            }
        }
        let Some(busy) = &mut self.devices[device].process().writer.busy else { return };
        let waiting = &busy.waiting;
        let is_done = |&mut (link, _): &mut (usize, Instant)| waiting.iter().all(|frame| frame.link != Some(link));
        let done: Vec<_> = busy.closing.extract_if(.., is_done).collect();
        done.into_iter().for_each(|(link, _)| self.send(link, Body::Close));
        // Most devices have a disk that writes at once, and nothing to keep of it.
        self.devices[device].process().writer.busy.take_if(|busy| busy.is_at_rest());
    }

    /// ATT-5: the record cannot be written. What waited for it is given up, and results that did are told now.
    fn record_failed(&mut self, device: usize) {
        let process = self.devices[device].process();
        process.tell_without_the_disk();
        let Some(Busy { waiting, closing, .. }) = process.writer.busy.as_deref_mut() else { return };
        let stays = |frame: &Frame| frame.confirms_kick() || closing.iter().any(|(link, _)| Some(*link) == frame.link);
        let (stay, go) = waiting.drain(..).partition(stays);
        *waiting = stay;
        let unsent = VecDeque::into_iter(go).map(|frame| frame.frame).collect();
        self.take(device, client::Input::StorageFailed { unsent });
    }
}
