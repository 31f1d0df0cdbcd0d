//! What arrives was sent: on each connection the frames of one end reach the other as they were, in their order.
//!
//! A device numbers its connections by itself, and so does the server: which belongs to which shows in what goes over them.
//! What is lost is lost with all that follows it. Signs of life say nothing, and are not shown to this.
//!
//! What was sent arrives, too, where nothing has meddled with the connection: who learns that the server has closed it has
//! heard all that the server said before.

use std::time::Duration;

use gatecrash::time::Instant;

use super::{Misfit, unfit};
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Fault, ServerFrame, What};

const RULE: RuleId = rule("INPUT-1");

/// A peer that reads slowly is not waited for without end. Until here nobody may have given it up.
const WAITED_FOR: Duration = Duration::from_secs(4);

/// All connections, and what goes over them.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    devices: Vec<Device>,
    /// By its number, which of the halves the server has there now.
    slots: Vec<Option<usize>>,
    halves: Vec<Half>,
    /// Those on which nobody has said who they are.
    nameless: Vec<usize>,
    /// When anything happened last that may lose what is under way.
    meddled_at: Option<Instant>,
    /// Whether the server was told to stop: it dies when all is said.
    stops: bool,
}

#[derive(Clone, Debug, Default)]
struct Device {
    /// Whose copy it has been: what it sent as that may arrive later.
    known_as: Vec<DeviceIndex>,
    lines: Vec<Line>,
    /// The server's halves that may be those of its lines.
    halves: Vec<usize>,
}

/// A connection, as its device sees it.
#[derive(Clone, Debug, Default)]
struct Line {
    connection: u32,
    asked_at: Instant,
    /// Whether the device has closed it.
    is_closed: bool,
    sent: Vec<ClientFrame>,
    received: usize,
    /// Which of the server's halves it may be; none before anything came.
    halves: Option<Vec<usize>>,
    /// Whether it is known to be one.
    is_taken: bool,
}

/// A connection, as the server sees it.
#[derive(Clone, Debug, Default)]
struct Half {
    sent: Vec<ServerFrame>,
    received: usize,
    /// When the server closed it.
    closed_at: Option<Instant>,
    /// Which of whose lines it may be; none before anybody said who they are.
    lines: Option<Vec<(usize, usize)>>,
}

impl Wire {
    pub(super) fn observe(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        match (event.actor, event.what) {
            (Actor::Device(device), What::KnownAs { device: other, .. }) => {
                self.device(device).known_as.push(other);
                None
            }
            (Actor::Device(device), What::ConnectAsked { connection }) => {
                self.device(device).lines.push(Line { connection, asked_at: event.at, ..Line::default() });
                None
            }
            (Actor::Device(device), What::DeviceSent { connection, frame, .. }) => {
                let lines = &mut self.device(device).lines;
                if let Some(line) = lines.iter_mut().rev().find(|line| line.connection == connection) {
                    line.sent.push(frame);
                }
                None
            }
            (Actor::Device(device), What::ConnectFailed { connection } | What::Untrusted { connection }) => {
                // Nothing has gone over it, and nothing will.
                self.device(device).lines.pop_if(|line| line.connection == connection);
                None
            }
            (Actor::Device(device), What::DeviceReceived { connection, frame }) => {
                let is_known = self.came(device, connection, &frame);
                (!is_known)
                    .then(|| unfit(RULE, format!("a frame reached {} that was not sent so", cast.device_name(device))))
            }
            (Actor::Device(device), What::CloseAsked { connection, .. }) => {
                let lines = &mut self.device(device).lines;
                // The newest of that number, and no further: a device may have asked for connections for years.
                if let Some(line) = lines.iter_mut().rev().find(|line| line.connection == connection) {
                    line.is_closed = true;
                }
                None
            }
            (Actor::Device(device), What::Gone { connection, .. }) => {
                let (rule, word) = self.unheard(event.at, device, connection)?;
                let text = format!(
                    "{word} was said to {} on a connection that went, and never came",
                    cast.device_name(device)
                );
                Some(unfit(rule, text))
            }
            (Actor::Server, What::CloseAsked { connection, .. }) => {
                if let Some(Some(half)) = self.slots.get(connection as usize) {
                    self.halves[*half].closed_at = Some(event.at);
                }
                None
            }
            (Actor::World, What::Fault { fault }) => {
                self.stops |= matches!(fault, Fault::StopServer | Fault::UpgradeServer { .. });
                if may_lose(&fault) {
                    self.meddled_at = Some(event.at);
                }
                None
            }
            (Actor::World, What::Effect { effect }) => {
                let is_loss = match effect {
                    Effect::ServerDead => !self.stops,
                    Effect::LinkForgotten { .. } => true,
                    _ => false,
                };
                if is_loss {
                    self.meddled_at = Some(event.at);
                }
                // The next process counts its connections from the start.
                if let Effect::ProcessUp { device } = effect {
                    self.device(device).lines.iter_mut().for_each(|line| line.is_closed = true);
                }
                None
            }
            (Actor::World, What::ScriptEnded) => {
                self.meddled_at = Some(event.at);
                None
            }
            (Actor::Server, What::ServerStarted { .. }) => {
                self.slots.clear();
                self.stops = false;
                None
            }
            (Actor::Server, What::Opened { connection }) => {
                let place = connection as usize;
                *grown(&mut self.slots, place) = Some(self.halves.len());
                self.nameless.push(self.halves.len());
                self.halves.push(Half::default());
                None
            }
            (Actor::Server, What::ServerSent { connection, frame, .. }) => {
                if let Some(Some(half)) = self.slots.get(connection as usize) {
                    self.halves[*half].sent.push(frame);
                }
                None
            }
            (Actor::Server, What::ServerReceived { connection, peer: Some(peer), frame })
                if peer != DeviceIndex::STRANGER =>
            {
                let is_known = self.arrived(cast, connection, peer, &frame);
                (!is_known).then(|| unfit(RULE, "a frame reached the server that was not sent so".to_owned()))
            }
            _ => None,
        }
    }

    /// A frame reached the server. Says whether it was sent.
    fn arrived(&mut self, cast: &Cast, connection: u32, peer: DeviceIndex, frame: &ClientFrame) -> bool {
        let Some(&Some(place)) = self.slots.get(connection as usize) else { return true };
        let devices = &self.devices;
        let half = &mut self.halves[place];
        let nth = half.received;
        half.received += 1;
        let is_sent = |&(device, line): &(usize, usize)| {
            let sent: &[ClientFrame] = &devices[device].lines[line].sent;
            sent.get(nth).is_some_and(|sent| is_same(cast, sent, frame))
        };
        match &mut half.lines {
            Some(lines) => lines.retain(is_sent),
            None => {
                let speaks_as =
                    |index: usize, device: &Device| device.known_as.contains(&peer) || index == peer.index();
                let speakers = devices.iter().enumerate().filter(|(index, device)| speaks_as(*index, device));
                let lines = speakers.flat_map(|(index, device)| {
                    let free = device.lines.iter().enumerate().filter(|(_, line)| !line.is_taken);
                    free.map(move |(line, _)| (index, line))
                });
                let lines: Vec<(usize, usize)> = lines.filter(is_sent).collect();
                self.nameless.retain(|nameless| *nameless != place);
                let mut of: Vec<usize> = lines.iter().map(|(device, _)| *device).collect();
                of.dedup();
                half.lines = Some(lines);
                of.into_iter().for_each(|device| self.devices[device].halves.push(place));
            }
        }
        let lines = self.halves[place].lines.as_deref().unwrap_or_default();
        if let &[(device, line)] = lines {
            let Device { lines, halves, .. } = &mut self.devices[device];
            let Line { is_taken, halves: its, .. } = &mut lines[line];
            if !std::mem::replace(is_taken, true) {
                match its {
                    Some(its) => its.retain(|half| *half == place),
                    None => *its = Some(vec![place]),
                }
                halves.retain(|half| *half != place);
            }
        }
        !lines.is_empty()
    }

    /// A frame reached a device. Says whether it was sent.
    fn came(&mut self, device: DeviceIndex, connection: u32, frame: &ServerFrame) -> bool {
        let Wire { devices, halves, nameless, .. } = self;
        let Some(Device { lines, halves: its, .. }) = devices.get_mut(device.index()) else { return false };
        let Some(number) = lines.iter().rposition(|line| line.connection == connection) else { return false };
        let line = &mut lines[number];
        let nth = line.received;
        line.received += 1;
        let is_sent = |place: &usize| halves[*place].sent.get(nth) == Some(frame);
        let may_be = |place: &usize| match &halves[*place].lines {
            None => true,
            Some(lines) => lines.contains(&(device.index(), number)),
        };
        let left = match line.halves.take() {
            Some(mut left) => {
                left.retain(|place| may_be(place) && is_sent(place));
                left
            }
            None => {
                its.iter().chain(nameless.iter()).copied().filter(|place| may_be(place) && is_sent(place)).collect()
            }
        };
        let is_known = !left.is_empty();
        line.halves = Some(left);
        is_known
    }

    /// What the server said before it closed the connection, which has gone to the device now, and the device never heard.
    fn unheard(&self, now: Instant, device: DeviceIndex, connection: u32) -> Option<(RuleId, &'static str)> {
        let lines = &self.devices.get(device.index())?.lines;
        let number = lines.iter().rposition(|line| line.connection == connection)?;
        let line = &lines[number];
        let &[place] = line.halves.as_deref()? else { return None };
        let half = &self.halves[place];
        let is_its = half.lines.as_deref() == Some(&[(device.index(), number)]);
        let is_clean = self.meddled_at.is_none_or(|at| at < line.asked_at) && !line.is_closed;
        let is_in_time = half.closed_at.is_some_and(|at| now < at + WAITED_FOR);
        let unheard = half.sent.get(line.received).filter(|_| is_its && is_clean && is_in_time)?;
        Some(match unheard {
            ServerFrame::Closing { .. } => (const { rule("CONN-2") }, unheard.word()),
            ServerFrame::Kick { .. } => (const { rule("KICK-1") }, unheard.word()),
            _ => (RULE, unheard.word()),
        })
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

/// Whether what is under way may be lost by it, at once or later.
fn may_lose(fault: &Fault) -> bool {
    !matches!(
        fault,
        Fault::StopServer
            | Fault::UpgradeServer { .. }
            | Fault::SlowDisk { .. }
            | Fault::MendDisk
            | Fault::Skew { .. }
            | Fault::Drift { .. }
            | Fault::DeviceSlowDisk { .. }
            | Fault::DeviceMendDisk { .. }
            | Fault::LateTimers { .. }
    )
}

/// Whether the server got what the device sent. It knows a ticket by what it can read of it.
fn is_same(cast: &Cast, sent: &ClientFrame, came: &ClientFrame) -> bool {
    let (mut sent, mut came) = (*sent, *came);
    let ticket_of = |frame: &mut ClientFrame| match frame {
        ClientFrame::Login { ticket, .. } | ClientFrame::Resume { ticket, .. } | ClientFrame::Renew { ticket, .. } => {
            Some(ticket.take())
        }
        _ => None,
    };
    let tickets = ticket_of(&mut sent).zip(ticket_of(&mut came));
    let is_same_ticket = tickets.is_none_or(|(sent, came)| {
        let Some(sent) = sent else { return false };
        let made = cast.ticket(sent);
        match came {
            Some(came) => {
                let seen = cast.ticket(came);
                came == sent || (seen.issued, seen.ttl) == (made.issued, made.ttl)
            }
            None => (made.issued, made.ttl) == (0, 0),
        }
    });
    is_same_ticket && sent == came
}
