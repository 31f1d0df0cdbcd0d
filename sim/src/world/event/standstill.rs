//! A server's process that is suspended: what waits for it, and in what order it takes that when it goes on.
//!
//! Its machine runs: it accepts connections, and keeps what arrives on those the process has. What the process does
//! about having stood still is the core's.

use gatecrash::driver::server::STANDSTILL;
use gatecrash::server::Input;
use gatecrash::time::Instant;

use super::flight::Body;
use super::life::Life;
use super::links::{ServerEnd, Upward};
use super::{Due, System, World};
use crate::trace::{Effect, Observer};

/// What waits.
pub(super) struct Standstill {
    since: Instant,
    /// What its owner tells it.
    told: Vec<Input>,
    /// Whether its operator stops it, and if so whether another one is to be started then.
    stop: Option<bool>,
    /// What has become of its disk.
    of_disk: Vec<Due>,
    /// Connections that its machine has accepted, in that order.
    knocked: Vec<usize>,
    /// What has arrived on each connection; the connections in the order in which the first thing did.
    unread: Vec<(usize, Vec<Upward>)>,
}

impl Standstill {
    fn new(since: Instant) -> Self {
        Standstill { since, told: vec![], stop: None, of_disk: vec![], knocked: vec![], unread: vec![] }
    }

    pub(super) fn is_told(&mut self, input: Input) {
        self.told.push(input);
    }

    pub(super) fn is_to_stop(&mut self, starts_again: bool) {
        self.stop = Some(starts_again || self.stop == Some(true));
    }

    pub(super) fn knocks(&mut self, link: usize) {
        self.knocked.push(link);
    }

    /// Connections of which the process knows nothing yet.
    pub(super) fn knocked(self) -> impl Iterator<Item = u32> {
        self.knocked.into_iter().map(super::small)
    }
}

impl<Y: System, O: Observer> World<'_, Y, O> {
    pub(super) fn suspend_server(&mut self) {
        if !self.server.life.is_up() || self.server.standstill.is_some() {
            return self.effect(Effect::Nothing);
        }
        self.server.standstill = Some(Box::new(Standstill::new(self.now)));
        self.effect(Effect::ServerSuspended);
    }

    /// The process goes on: it finds that it stood still, then come what its owner wants, what is on disk, what has
    /// arrived, and what is due.
    pub(super) fn wake_server(&mut self) {
        let Some(standstill) = self.server.standstill.take() else { return self.effect(Effect::Nothing) };
        self.effect(Effect::ServerWoken);
        let Standstill { since, told, stop, of_disk, knocked, unread } = *standstill;
        if self.now > since + STANDSTILL {
            self.server_input(Input::StoodStill);
        }
        told.into_iter().for_each(|input| self.server_input(input));
        if let Some(starts_again) = stop {
            self.stop_server(starts_again);
        }
        of_disk.into_iter().for_each(|due| self.of_disk(due));
        for link in knocked {
            if self.server.life == Life::Running {
                self.accept(link);
            }
            if self.links[link].server_end == ServerEnd::None && self.server.life != Life::Dead {
                self.send(link, Body::Closed);
            }
        }
        for (link, what) in unread {
            what.into_iter().for_each(|what| self.upward_arrived(link, what));
        }
        // What was due meanwhile was let pass.
        self.server_timer();
    }

    /// Whether its operator has told the server that stands still to stop.
    pub(super) fn stops_on_waking(&self) -> bool {
        self.server.standstill.as_ref().is_some_and(|standstill| standstill.stop.is_some())
    }

    /// Whether this has to wait for the server's process. Its timers are seen to when it goes on.
    pub(super) fn waits(&mut self, due: Due) -> bool {
        let Some(standstill) = &mut self.server.standstill else { return false };
        match due {
            Due::Landing(_) | Due::Committed(_) | Due::Reopen(_) => standstill.of_disk.push(due),
            Due::ServerTimer => self.server.wake_at = None,
            Due::Step(_)
            | Due::StartServer
            | Due::CarryOut(_)
            | Due::Arrival(_)
            | Due::Refused(_)
            | Due::Stranger(..)
            | Due::DeviceTimer(_)
            | Due::DeviceDisk(_)
            | Due::Look => return false,
        }
        true
    }

    fn of_disk(&mut self, due: Due) {
        match due {
            Due::Landing(life) => self.landing(life),
            Due::Committed(life) => self.committed(life),
            Due::Reopen(life) => self.reopen(life),
            _ => unreachable!("nothing else waits for the process"),
        }
    }

    /// Whether this is for the server's process to read, and that stands still.
    pub(super) fn waits_for_server(&self, link: usize, body: &Body) -> bool {
        let Some(standstill) = &self.server.standstill else { return false };
        let is_its = match self.links[link].server_end {
            ServerEnd::Open(_) | ServerEnd::Forgotten(_) => true,
            ServerEnd::None => standstill.knocked.contains(&link),
            ServerEnd::Closed { .. } => false,
        };
        is_its && body.is_upward()
    }

    pub(super) fn arrives_unread(&mut self, link: usize, body: Body) {
        let what = match body {
            Body::ClientHello => Upward::ClientHello,
            Body::Frame(frame) => Upward::Frame(frame),
            Body::Malformed(error) => Upward::Malformed(error),
            Body::Close | Body::DeviceReset => Upward::Close,
            Body::Open | Body::Proof | Body::Answer(_) | Body::Closed | Body::Reset | Body::NoFrame => return,
        };
        let Some(Standstill { unread, .. }) = self.server.standstill.as_deref_mut() else { return };
        match unread.iter_mut().find(|(one, _)| *one == link) {
            Some((_, waiting)) => waiting.push(what),
            None => unread.push((link, vec![what])),
        }
    }
}
