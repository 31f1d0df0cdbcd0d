//! What goes into the server's core and comes out of it, as events.

use gatecrash::id::Change;
use gatecrash::protocol;
use gatecrash::server::{self, Config};
use gatecrash::store;
use gatecrash::time::{Instant, Now};

use super::{Recording, small};
use crate::trace::{Actor, DeviceIndex, Fact, List, Micros, Observer, Seconds, What};

impl<O: Observer> Recording<O> {
    pub(crate) fn server_input(&mut self, now: Now, input: &server::Input) {
        let wall = Micros::from(now.wall);
        let what = match input {
            // What it starts from is what says that it does.
            server::Input::Started => return,
            server::Input::Opened { connection } => {
                let slot = connection.0 as usize;
                if self.peers.len() <= slot {
                    self.peers.resize(slot + 1, None);
                }
                self.peers[slot] = None;
                What::Opened { connection: connection.0 }
            }
            server::Input::Frame { connection, frame } => {
                if let protocol::ClientFrame::Hello { device, .. } = frame {
                    let (device, _) = self.installation(device);
                    if let Some(peer) = self.peers.get_mut(connection.0 as usize) {
                        peer.get_or_insert(device);
                    }
                }
                let frame = self.client_frame(frame, Recording::opened_ticket);
                What::ServerReceived { connection: connection.0, peer: self.peer(*connection), frame }
            }
            server::Input::Malformed { connection, error } => {
                What::Malformed { connection: connection.0, peer: self.peer(*connection), why: *error }
            }
            server::Input::Closed { connection } => {
                What::Gone { connection: connection.0, peer: self.peer(*connection) }
            }
            server::Input::Configured(config) => return self.configured(now.instant, config),
            server::Input::ClockChanged => What::ClockChanged { wall },
            server::Input::StoodStill => What::StoodStill { wall },
            server::Input::Stopping => What::Stopping,
        };
        self.push(now.instant, Actor::Server, what);
    }

    pub(crate) fn server_restored(&mut self, now: Now, change: Change) {
        self.peers.clear();
        let what = What::ServerStarted { commit: small(change.0), wall: Micros::from(now.wall) };
        self.push(now.instant, Actor::Server, what);
    }

    pub(crate) fn store_failed(&mut self, now: Now) {
        self.push(now.instant, Actor::Server, What::StoreFailed);
    }

    pub(crate) fn configured(&mut self, at: Instant, config: &Config) {
        let administrators = config.administrators.iter().map(|user| self.user(user.as_str())).collect();
        let what = What::Configured {
            seats: config.seats,
            reconnect_kicks: config.reconnect_kicks,
            notify_offline_kick: config.notify_offline_kick,
            administrators: self.users(administrators),
        };
        self.push(at, Actor::Server, what);
    }

    pub(crate) fn server_output(&mut self, now: Now, output: &server::Output) {
        let what = match &output.action {
            server::Action::Commit(commit) => return self.commit(now, commit),
            server::Action::Send { connection, frame } => What::ServerSent {
                connection: connection.0,
                peer: self.peer(*connection),
                reveals: small(output.reveals.0),
                frame: self.server_frame(frame),
            },
            server::Action::Close { connection } => {
                What::CloseAsked { connection: connection.0, peer: self.peer(*connection) }
            }
            server::Action::Note(server::Note::TicketJudged { device, user, wall, verdict }) => What::TicketJudged {
                device: self.device(device),
                user: self.user(user.as_str()),
                second: Seconds::new(wall.seconds()),
                refused: verdict.err(),
            },
            server::Action::Note(server::Note::Dormant { user, device, epoch }) => {
                What::Dormant { user: self.user(user.as_str()), device: self.device(device), epoch: small(epoch.0) }
            }
        };
        self.push(now.instant, Actor::Server, what);
    }

    pub(super) fn commit(&mut self, now: Now, commit: &store::Commit) {
        let number = small(commit.number.0);
        self.push(now.instant, Actor::Server, What::Commit { commit: number, wall: Micros::from(now.wall) });
        for fact in &commit.facts {
            let fact = self.fact(fact);
            self.push(now.instant, Actor::Server, What::Fact { commit: number, fact });
        }
    }

    pub(super) fn fact(&mut self, fact: &store::Fact) -> Fact {
        match fact {
            store::Fact::AccountCreated { user } => Fact::AccountCreated { user: self.user(user.as_str()) },
            store::Fact::AttemptRaised { user: _, device, attempt } => {
                let (device, installation) = self.installation(device);
                Fact::AttemptRaised { device, installation, attempt: *attempt }
            }
            store::Fact::SessionAccepted { user, device, platform, epoch, attempt, ticket, keeper_before: _ } => {
                let (device, installation) = self.installation(device);
                Fact::SessionAccepted {
                    user: self.user(user.as_str()),
                    device,
                    installation,
                    platform: *platform,
                    epoch: small(epoch.0),
                    attempt: *attempt,
                    ticket: self.session_ticket(ticket),
                    until: Seconds::new(ticket.last_second),
                }
            }
            store::Fact::SessionResumed { user, device, epoch, ticket } => Fact::SessionResumed {
                user: self.user(user.as_str()),
                device: self.device(device),
                epoch: small(epoch.0),
                ticket: self.session_ticket(ticket),
                until: Seconds::new(ticket.last_second),
            },
            store::Fact::SessionRenewed { user, device, epoch, ticket } => Fact::SessionRenewed {
                user: self.user(user.as_str()),
                device: self.device(device),
                epoch: small(epoch.0),
                ticket: self.session_ticket(ticket),
                until: Seconds::new(ticket.last_second),
            },
            store::Fact::LoginAcknowledged { user, device, epoch } => Fact::LoginAcknowledged {
                user: self.user(user.as_str()),
                device: self.device(device),
                epoch: small(epoch.0),
            },
            store::Fact::LinkLost { user, device, epoch, at } => Fact::LinkLost {
                user: self.user(user.as_str()),
                device: self.device(device),
                epoch: small(epoch.0),
                wall: Micros::from(*at),
            },
            store::Fact::SessionEnded { user, device, epoch, reason, by } => {
                let (device, installation) = self.installation(device);
                Fact::SessionEnded {
                    user: self.user(user.as_str()),
                    device,
                    installation,
                    epoch: small(epoch.0),
                    reason: *reason,
                    by: by.as_ref().map(|by| self.named(by)),
                }
            }
            store::Fact::KickSettled { user, device, epoch } => {
                Fact::KickSettled { user: self.user(user.as_str()), device: self.device(device), epoch: small(epoch.0) }
            }
            store::Fact::EndForgotten { user: _, device } => Fact::EndForgotten { device: self.device(device) },
            store::Fact::DeviceForgotten { user, device } => {
                let (device, installation) = self.installation(device);
                Fact::DeviceForgotten { user: self.user(user.as_str()), device, installation }
            }
            store::Fact::TicketsVoided { user, until } => {
                Fact::TicketsVoided { user: self.user(user.as_str()), until: Seconds::new(*until) }
            }
            store::Fact::TicketVoided { user, signature, last_second } => {
                let ticket = self.signed_ticket(*signature, 0, *last_second);
                Fact::TicketVoided { user: self.user(user.as_str()), ticket }
            }
            store::Fact::DayCounted { user, day, users } => {
                let users = u32::try_from(*users).unwrap_or(u32::MAX);
                Fact::DayCounted { user: self.user(user.as_str()), day: *day, users }
            }
            store::Fact::PresenceChanged { user, number, presence, kicked } => {
                let kicked: Vec<DeviceIndex> = kicked.iter().map(|name| self.named(name)).collect();
                Fact::PresenceChanged {
                    user: self.user(user.as_str()),
                    sequence: small(*number),
                    presence: *presence,
                    kicked: (!kicked.is_empty()).then(|| self.list(List::Devices(kicked))),
                }
            }
            store::Fact::MessageStored { message, id, epoch: _, last_second: _ } => {
                let (message, from, to, text) = self.message(message);
                Fact::MessageStored { message, from, to, text, id: self.send(*id) }
            }
            store::Fact::SentForgotten { user, through } => {
                Fact::SentForgotten { user: self.user(user.as_str()), through: small(through.0) }
            }
            store::Fact::MessageOwed { user, device, epoch, message } => Fact::MessageOwed {
                user: self.user(user.as_str()),
                device: self.device(device),
                epoch: small(epoch.0),
                message: small(message.id.0),
            },
            store::Fact::MessagesReceived { user, device, epoch, through } => Fact::MessagesReceived {
                user: self.user(user.as_str()),
                device: self.device(device),
                epoch: small(epoch.0),
                through: small(*through),
            },
            store::Fact::MessagesDropped { user, device, epoch, through } => Fact::MessagesDropped {
                user: self.user(user.as_str()),
                device: self.device(device),
                epoch: small(epoch.0),
                through: small(*through),
            },
        }
    }
}
