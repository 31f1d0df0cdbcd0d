//! Connections and the network between their ends: what travels, waits, is lost, arrives.
//!
//! Knows frames as values only; the cores at both ends judge them.

use std::collections::VecDeque;
use std::time::Duration;

use gatecrash::id::{ConnectionId, DeviceId};
use gatecrash::protocol::{ClientFrame, FrameError};
use gatecrash::ticket::{OpenedTicket, Ticket, open};
use gatecrash::time::Instant;
use gatecrash::{client, server};

use super::machine::connection_of;
use super::{Class, Downward, Jitter, Kept, Link, Upward, What, World};
use crate::draw::Draw;
use crate::scenario::{Conduct, Span};

impl World<'_> {
    /// A partition loses what is under way too.
    pub(super) fn lose_under_way(&mut self, site: usize, out: bool, back: bool) {
        for link in 0..self.links.len() {
            if self.devices[self.links[link].device].site != site {
                continue;
            }
            let state = &mut self.links[link];
            let is_gone = |message: &(u64, Instant, Downward)| matches!(message.2, Downward::Gone);
            if back && !state.downward.iter().all(is_gone) {
                state.downward.iter_mut().for_each(|message| message.2 = Downward::Gone);
                state.is_downward_silent = true;
            }
            let is_gone = |message: &(u64, Instant, Upward)| matches!(message.2, Upward::Gone);
            if out && !state.upward.iter().all(is_gone) {
                state.upward.iter_mut().for_each(|message| message.2 = Upward::Gone);
                state.is_upward_silent = true;
                self.connect_failed(link);
            }
        }
        for (number, link, kept) in std::mem::take(&mut self.sites[site].kept) {
            match kept {
                Kept::Up(_) if out => {
                    self.links[link].is_upward_silent = true;
                    self.connect_failed(link);
                }
                Kept::Down(_) if back => self.links[link].is_downward_silent = true,
                kept => self.sites[site].kept.push((number, link, kept)),
            }
        }
    }

    /// A hold keeps what is under way too.
    pub(super) fn keep_under_way(&mut self, site: usize) {
        let mut kept = Vec::new();
        for (index, link) in self.links.iter_mut().enumerate() {
            if self.devices[link.device].site != site {
                continue;
            }
            for (number, _, message) in &mut link.upward {
                match std::mem::replace(message, Upward::Gone) {
                    Upward::Gone => {}
                    message => kept.push((*number, index, Kept::Up(message))),
                }
            }
            for (number, _, message) in &mut link.downward {
                match std::mem::replace(message, Downward::Gone) {
                    Downward::Gone => {}
                    message => kept.push((*number, index, Kept::Down(message))),
                }
            }
        }
        kept.sort_by_key(|&(number, ..)| number);
        self.sites[site].kept.splice(0..0, kept);
    }

    /// The request for this connection is lost, which the device learns at once.
    pub(super) fn connect_failed(&mut self, link: usize) {
        let Link { device, end, is_connected, is_device_end_open, is_stranger, .. } = self.links[link];
        if !is_connected && is_device_end_open {
            self.links[link].is_device_end_open = false;
            self.links[link].upward.iter_mut().for_each(|message| message.2 = Upward::Gone);
            if !is_stranger {
                self.device_input(device, client::Input::ConnectFailed { connection: end });
            }
        }
    }

    pub(super) fn send_upward(&mut self, link: usize, message: Upward) {
        let site = &self.sites[self.devices[self.links[link].device].site];
        let (is_cut, is_held) = (site.is_outbound_cut, site.is_held);
        if is_cut && matches!(message, Upward::Open) {
            self.push(self.now, Class::Input, What::Refused(link));
        }
        let state = &mut self.links[link];
        if is_cut {
            state.is_upward_silent = true;
        }
        if !state.is_upward_silent {
            self.travel_or_keep(link, Kept::Up(message), is_held);
        }
    }

    pub(super) fn send_downward(&mut self, link: usize, message: Downward) {
        let site = &self.sites[self.devices[self.links[link].device].site];
        let (is_cut, is_held) = (site.is_inbound_cut, site.is_held);
        let state = &mut self.links[link];
        if is_cut {
            state.is_downward_silent = true;
        }
        if !state.is_downward_silent {
            self.travel_or_keep(link, Kept::Down(message), is_held);
        }
    }

    /// The answer to what comes on a connection the server does not have. It is no part of the
    /// stream, so a silenced one lets it through.
    pub(super) fn refuse(&mut self, link: usize) {
        if !self.sites[self.devices[self.links[link].device].site].is_inbound_cut {
            let is_held = self.sites[self.devices[self.links[link].device].site].is_held;
            self.travel_or_keep(link, Kept::Down(Downward::Close), is_held);
        }
    }

    /// The same from a device that does not have the connection any more.
    fn refuse_upward(&mut self, link: usize) {
        let site = &self.sites[self.devices[self.links[link].device].site];
        if !site.is_outbound_cut {
            let is_held = site.is_held;
            self.travel_or_keep(link, Kept::Up(Upward::Reset), is_held);
        }
    }

    fn travel_or_keep(&mut self, link: usize, message: Kept, is_held: bool) {
        let site = self.devices[self.links[link].device].site;
        self.sequence += 1;
        let (now, number) = (self.now, self.sequence);
        if is_held {
            self.sites[site].kept.push((number, link, message));
            return;
        }
        // Never past the one before it.
        let at = now + self.sites[site].latency.min;
        let state = &mut self.links[link];
        match message {
            Kept::Up(message) => {
                state.last_upward = at.max(state.last_upward);
                state.upward.push_back((number, now, message));
                let at = state.last_upward;
                self.push(at, Class::Input, What::Upward(link));
            }
            Kept::Down(message) => {
                state.last_downward = at.max(state.last_downward);
                state.downward.push_back((number, now, message));
                let at = state.last_downward;
                self.push(at, Class::Input, What::Downward(link));
            }
        }
    }

    /// When what arrives now and was sent then is read.
    fn read_at(&mut self, link: usize, is_upward: bool, sent: Option<Instant>) -> Instant {
        let Span { min, max } = self.sites[self.devices[self.links[link].device].site].latency;
        let extra = if self.links[link].is_stranger { Duration::ZERO } else { max - min };
        let now = self.now;
        let state = &mut self.links[link];
        let jitter = if is_upward { &mut state.upward_jitter } else { &mut state.downward_jitter };
        // Frames sent at one instant are one segment.
        if sent.is_none() || jitter.last_sent != sent {
            let due = now + jitter.draw.within(Span { min: Duration::ZERO, max: extra });
            jitter.last = due.max(jitter.last);
        }
        jitter.last_sent = sent;
        jitter.last
    }

    pub(super) fn arrive_upward(&mut self, link: usize) {
        let Some((_, sent, message)) = self.links[link].upward.pop_front() else { return };
        if matches!(message, Upward::Gone) {
            return;
        }
        if self.server.core.is_none() || matches!(message, Upward::Open) {
            return self.take_upward(link, message);
        }
        let sent = if matches!(message, Upward::Close | Upward::Reset) { None } else { Some(sent) };
        let at = self.read_at(link, true, sent);
        if at == self.now {
            return self.take_upward(link, message);
        }
        self.links[link].read_upward.push_back(message);
        self.push(at, Class::Input, What::ReadUpward(link));
    }

    pub(super) fn read_upward(&mut self, link: usize) {
        let Some(message) = self.links[link].read_upward.pop_front() else { return };
        self.take_upward(link, message);
    }

    fn take_upward(&mut self, link: usize, message: Upward) {
        if self.server.core.is_some() && self.server.started_at == Some(self.now) {
            // At the very instant of its start the server does not listen yet.
            return match message {
                Upward::Open => self.connect_failed(link),
                Upward::Reset => {}
                _ => self.refuse(link),
            };
        }
        if self.server.core.is_none() {
            // Nobody is there: whoever is at it is turned away when the server is back.
            match message {
                Upward::Open => self.server.knocking.push(link),
                Upward::Reset => {}
                _ => self.server.unanswered.push(link),
            }
            return;
        }
        if self.links[link].is_forgotten {
            return;
        }
        match (message, self.links[link].server_end) {
            (Upward::Gone, _) => {}
            // Nobody waits for the answer any more.
            (Upward::Open, _) if !self.links[link].is_device_end_open => {}
            (Upward::Open, _) => {
                let end = self.server.links.iter().position(Option::is_none).unwrap_or(self.server.links.len());
                if end == self.server.links.len() {
                    self.server.links.push(None);
                }
                self.server.links[end] = Some(link);
                let connection = ConnectionId(end as u32);
                self.links[link].server_end = Some(connection);
                self.links[link].is_connected = true;
                self.server_input(server::Input::Opened { connection });
                // The answer to a connect is immune: it neither takes time nor gets lost.
                let Link { device, end, is_device_end_open, is_stranger, .. } = self.links[link];
                if is_device_end_open && !is_stranger {
                    self.device_input(device, client::Input::Connected { connection: end });
                }
                for message in std::mem::take(&mut self.links[link].says) {
                    self.send_upward(link, message);
                }
            }
            (Upward::Frame(frame), Some(connection)) => {
                let frame = frame.map_ticket(|ticket| self.open_ticket(&ticket));
                self.server_input(server::Input::Frame { connection, frame });
            }
            (Upward::Malformed(error), Some(connection)) => {
                self.server_input(server::Input::Malformed { connection, error });
            }
            (Upward::Close | Upward::Reset, Some(connection)) => {
                // What still waits for it will not be said.
                self.server.held.retain(|output| connection_of(output) != Some(connection));
                self.drop_server_end(link);
                self.server_input(server::Input::Closed { connection });
            }
            // The server has forgotten the connection: it says so, after a while.
            (Upward::Frame(_) | Upward::Malformed(_), None) => {
                if self.links[link].swallows_until.is_none_or(|until| until <= self.now) {
                    self.refuse(link);
                }
            }
            (Upward::Close | Upward::Reset, None) => {}
        }
    }

    pub(super) fn open_ticket(&mut self, ticket: &Ticket) -> OpenedTicket {
        let keys = &self.server.keys;
        self.tickets.entry(ticket.clone()).or_insert_with(|| open(ticket.as_str(), keys)).to_owned()
    }

    pub(super) fn arrive_downward(&mut self, link: usize) {
        let Some((_, sent, message)) = self.links[link].downward.pop_front() else { return };
        if matches!(message, Downward::Gone) {
            return;
        }
        let sent = if matches!(message, Downward::Close) { None } else { Some(sent) };
        let at = self.read_at(link, false, sent);
        if at == self.now {
            return self.take_downward(link, message);
        }
        self.links[link].read_downward.push_back(message);
        self.push(at, Class::Input, What::ReadDownward(link));
    }

    pub(super) fn read_downward(&mut self, link: usize) {
        let Some(message) = self.links[link].read_downward.pop_front() else { return };
        self.take_downward(link, message);
    }

    fn take_downward(&mut self, link: usize, message: Downward) {
        let Link { device, end: connection, is_device_end_open, is_stranger, .. } = self.links[link];
        if !is_device_end_open {
            if !is_stranger && self.links[link].device_swallows_until.is_none_or(|until| until <= self.now) {
                self.refuse_upward(link);
            }
            return;
        }
        if let Downward::Close = message {
            self.links[link].is_device_end_open = false;
        }
        if is_stranger {
            return;
        }
        match message {
            Downward::Gone => {}
            Downward::Frame(frame) => self.device_input(device, client::Input::Frame { connection, frame }),
            Downward::Close => self.device_input(device, client::Input::Closed { connection }),
        }
    }

    pub(super) fn drop_server_end(&mut self, link: usize) {
        if let Some(connection) = self.links[link].server_end.take() {
            self.server.links[connection.0 as usize] = None;
            self.links[link].is_forgotten = false;
        }
    }

    pub(super) fn open_link(&mut self, device: usize, end: ConnectionId, is_stranger: bool) -> usize {
        let state = &mut self.devices[device];
        state.connections += u32::from(!is_stranger);
        let (seed, name, number) = (self.scenario.seed, state.name.as_str(), state.connections);
        let jitter = |direction: &str| Jitter {
            draw: Draw::new(seed, name, &format!("{direction} {number}")),
            last: Instant::ZERO,
            last_sent: None,
        };
        self.links.push(Link {
            read_upward: VecDeque::new(),
            read_downward: VecDeque::new(),
            upward_jitter: jitter("upward"),
            downward_jitter: jitter("downward"),
            swallows_until: None,
            device_swallows_until: None,
            says: Vec::new(),
            device,
            end,
            server_end: None,
            is_forgotten: false,
            upward: VecDeque::new(),
            downward: VecDeque::new(),
            is_upward_silent: false,
            is_downward_silent: false,
            last_upward: self.now,
            last_downward: self.now,
            is_device_end_open: true,
            is_connected: false,
            is_stranger,
        });
        let link = self.links.len() - 1;
        self.send_upward(link, Upward::Open);
        link
    }

    /// The device's open link with this number; the newest, since numbers start over with a process.
    pub(super) fn link_of(&self, device: usize, end: ConnectionId) -> Option<usize> {
        let is_it = |link: &Link| link.device == device && link.end == end && !link.is_stranger;
        self.links.iter().rposition(is_it).filter(|&link| self.links[link].is_device_end_open)
    }

    pub(super) fn stranger(&mut self, device: usize, conduct: Conduct) {
        self.recorder.stranger(self.now, self.devices[device].index, conduct);
        let platform = self.scenario.devices[&self.devices[device].name].platform;
        let hello = |version| {
            let bytes = Draw::key(self.scenario.seed, self.devices[device].name.as_str(), "stranger");
            let id = DeviceId::from_bytes(bytes[..16].try_into().expect("a key has 32 bytes"));
            Upward::Frame(ClientFrame::Hello { version, device: id, platform })
        };
        let version = gatecrash::protocol::VERSION;
        let messages = match conduct {
            Conduct::Garbage => vec![Upward::Malformed(FrameError::Malformed)],
            Conduct::Oversized => vec![Upward::Malformed(FrameError::Oversized)],
            Conduct::NoHello => vec![Upward::Frame(ClientFrame::Heartbeat)],
            Conduct::TwoHellos => vec![hello(version), hello(version)],
            Conduct::WrongVersion => vec![hello(version + 1)],
            Conduct::Idle | Conduct::Truncated => vec![],
            Conduct::ResumeForged => vec![
                hello(version),
                Upward::Frame(ClientFrame::Resume {
                    attempt: gatecrash::id::Attempt { start: 1, count: 1 },
                    user: crate::world::FORGED_USER.parse().expect("a valid user id"),
                    epoch: gatecrash::id::Epoch(1),
                    ticket: Ticket::from(""),
                }),
            ],
        };
        let link = self.open_link(device, ConnectionId(u32::MAX), true);
        self.links[link].says = messages;
    }

    // ---- the server ----
}
