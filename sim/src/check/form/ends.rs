//! Which connections there are: nothing happens on one that was not opened, and who is at its other end stays the same.

use super::{Misfit, unfit};
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, What};

const RULE: RuleId = rule("CONN-7");

/// Both ends of every connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// The server's, by number: none where there is no connection.
    server: Vec<Option<End>>,
    devices: Vec<Device>,
}

#[derive(Clone, Copy, Debug, Default)]
struct End {
    peer: Option<DeviceIndex>,
    /// Whether the server has closed it: all that comes of it is that it is gone.
    is_closed: bool,
}

#[derive(Clone, Debug, Default)]
struct Device {
    /// The number of the next one that is asked for: an SDK counts them from 0.
    next: u32,
    /// Of each that was asked for, whether the device has had it.
    is_there: Vec<bool>,
}

impl Ends {
    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        match event.actor {
            Actor::World => {
                match event.what {
                    What::Effect { effect: Effect::ServerDead } => self.server.clear(),
                    What::Effect { effect: Effect::ProcessDead { device } } => *self.device(device) = Device::default(),
                    _ => {}
                }
                None
            }
            Actor::Server => self.of_server(event),
            Actor::Device(device) => self.of_device(device, event),
        }
    }

    fn of_server(&mut self, event: &Event) -> Option<Misfit> {
        let (connection, peer, is_over) = match event.what {
            What::Opened { connection } => {
                let place = connection as usize;
                return match grown(&mut self.server, place).replace(End::default()) {
                    Some(End { is_closed: false, .. }) => misfit(event, connection, "is there already"),
                    Some(_) | None => None,
                };
            }
            What::ServerReceived { connection, peer, frame: ClientFrame::Hello { .. } } => {
                // Who says it first is who is there.
                if let Some(Some(end)) = self.server.get_mut(connection as usize) {
                    end.peer = end.peer.or(peer);
                }
                (connection, peer, false)
            }
            What::ServerReceived { connection, peer, .. }
            | What::ServerSent { connection, peer, .. }
            | What::Malformed { connection, peer, .. } => (connection, peer, false),
            What::CloseAsked { connection, peer } | What::Gone { connection, peer } => (connection, peer, true),
            What::ServerStarted { .. } => {
                self.server.clear();
                return None;
            }
            _ => return None,
        };
        let Some(end) = self.server.get_mut(connection as usize) else {
            return misfit(event, connection, "is not there");
        };
        match *end {
            None => misfit(event, connection, "is not there"),
            Some(End { peer: other, .. }) if other != peer => {
                misfit(event, connection, "has another device at its other end")
            }
            Some(End { is_closed: true, .. }) if !matches!(event.what, What::Gone { .. }) => {
                misfit(event, connection, "the server has closed")
            }
            Some(End { peer, .. }) => {
                if is_over {
                    let is_closed = matches!(event.what, What::CloseAsked { .. });
                    *end = is_closed.then_some(End { peer, is_closed });
                }
                None
            }
        }
    }

    fn of_device(&mut self, device: DeviceIndex, event: &Event) -> Option<Misfit> {
        let Device { next, is_there } = self.device(device);
        let there = |is_there: &[bool], number: u32| is_there.get(number as usize).copied();
        match event.what {
            What::ConnectAsked { connection } => {
                let is_next = connection == *next;
                *next += 1;
                is_there.push(false);
                if is_next { None } else { misfit(event, connection, "is not the next one") }
            }
            What::Connected { connection } | What::ConnectFailed { connection } | What::Untrusted { connection } => {
                if there(is_there, connection) != Some(false) {
                    return misfit(event, connection, "was not asked for");
                }
                is_there[connection as usize] = matches!(event.what, What::Connected { .. });
                None
            }
            What::DeviceSent { connection, .. }
            | What::DeviceReceived { connection, .. }
            | What::NoFrame { connection } => {
                if there(is_there, connection) == Some(true) {
                    None
                } else {
                    misfit(event, connection, "is not there")
                }
            }
            What::CloseAsked { connection, peer } | What::Gone { connection, peer } => {
                match there(is_there, connection) {
                    Some(_) if peer.is_some() => misfit(event, connection, "is named as by the server"),
                    Some(_) => None,
                    None => misfit(event, connection, "is not there"),
                }
            }
            _ => None,
        }
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

fn misfit(event: &Event, connection: u32, what: &str) -> Option<Misfit> {
    Some(unfit(RULE, format!("{} on connection {connection}, which {what}", event.what.word())))
}
