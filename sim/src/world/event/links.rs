//! Connections and the network between their ends: what travels, waits, is lost, arrives.
//!
//! Knows frames as values only; the cores at both ends judge them.

use std::collections::VecDeque;

use gatecrash::id::{ConnectionId, DeviceId};
use gatecrash::protocol::{ClientFrame, FrameError};
use gatecrash::ticket::{OpenedTicket, Ticket, open};
use gatecrash::{client, server};

use super::machine::connection_of;
use super::{Class, Downward, Link, Upward, What, World};
use crate::draw::Draw;
use crate::scenario::Conduct;

impl World<'_> {
    /// A partition loses what is under way too.
    pub(super) fn lose_under_way(&mut self, site: usize, out: bool, back: bool) {
        for link in 0..self.links.len() {
            if self.devices[self.links[link].device].site != site {
                continue;
            }
            let state = &mut self.links[link];
            if back && !state.downward.is_empty() {
                state.downward.clear();
                state.is_downward_silent = true;
            }
            if out && !state.upward.is_empty() {
                state.upward.clear();
                state.is_upward_silent = true;
                self.connect_failed(link);
            }
        }
    }

    /// The request for this connection is lost, which the device learns at once.
    pub(super) fn connect_failed(&mut self, link: usize) {
        let Link { device, end, is_connected, is_device_end_open, is_stranger, .. } = self.links[link];
        if !is_connected && is_device_end_open {
            self.links[link].is_device_end_open = false;
            self.links[link].upward.clear();
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
            state.upward.push_back(message);
            self.travel_or_keep(link, true, is_held);
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
            state.downward.push_back(message);
            self.travel_or_keep(link, false, is_held);
        }
    }

    /// The answer to what comes on a connection the server does not have. It is no part of the
    /// stream, so a silenced one lets it through.
    pub(super) fn refuse(&mut self, link: usize) {
        if !self.sites[self.devices[self.links[link].device].site].is_inbound_cut {
            let is_held = self.sites[self.devices[self.links[link].device].site].is_held;
            self.links[link].downward.push_back(Downward::Close);
            self.travel_or_keep(link, false, is_held);
        }
    }

    pub(super) fn travel_or_keep(&mut self, link: usize, is_upward: bool, is_held: bool) {
        if is_held {
            let site = self.devices[self.links[link].device].site;
            self.sites[site].kept.push((link, is_upward));
        } else {
            self.travel(link, is_upward);
        }
    }

    /// Puts the next message of this direction on its way; never past the one before it.
    pub(super) fn travel(&mut self, link: usize, is_upward: bool) {
        let at = self.now + self.sites[self.devices[self.links[link].device].site].latency;
        let state = &mut self.links[link];
        let last = if is_upward { &mut state.last_upward } else { &mut state.last_downward };
        *last = at.max(*last);
        let at = *last;
        self.push(at, Class::Input, if is_upward { What::Upward(link) } else { What::Downward(link) });
    }

    pub(super) fn arrive_upward(&mut self, link: usize) {
        let Some(message) = self.links[link].upward.pop_front() else { return };
        if self.server.core.is_none() {
            // Nobody is there: a connect is refused when the server is back, the rest is lost.
            if matches!(message, Upward::Open) {
                self.server.knocking.push(link);
            }
            return;
        }
        if self.links[link].is_forgotten {
            return;
        }
        match (message, self.links[link].server_end) {
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
            }
            (Upward::Frame(frame), Some(connection)) => {
                let frame = frame.map_ticket(|ticket| self.open_ticket(&ticket));
                self.server_input(server::Input::Frame { connection, frame });
            }
            (Upward::Malformed(error), Some(connection)) => {
                self.server_input(server::Input::Malformed { connection, error });
            }
            (Upward::Close, Some(connection)) => {
                // What still waits for it will not be said.
                self.server.held.retain(|output| connection_of(output) != Some(connection));
                self.drop_server_end(link);
                self.server_input(server::Input::Closed { connection });
            }
            // The server has forgotten the connection: it says so.
            (Upward::Frame(_) | Upward::Malformed(_), None) => self.refuse(link),
            (Upward::Close, None) => {}
        }
    }

    pub(super) fn open_ticket(&mut self, ticket: &Ticket) -> OpenedTicket {
        let keys = &self.server.keys;
        self.tickets.entry(ticket.clone()).or_insert_with(|| open(ticket.as_str(), keys)).to_owned()
    }

    pub(super) fn arrive_downward(&mut self, link: usize) {
        let Some(message) = self.links[link].downward.pop_front() else { return };
        let Link { device, end: connection, is_device_end_open, is_stranger, .. } = self.links[link];
        if !is_device_end_open {
            return;
        }
        if let Downward::Close = message {
            self.links[link].is_device_end_open = false;
        }
        if is_stranger {
            return;
        }
        match message {
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
        self.links.push(Link {
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
        for message in messages {
            self.send_upward(link, message);
        }
    }

    // ---- the server ----
}
