//! The server in a few bits: of each user how many sessions there are and what became of them, of each
//! device what the server has of it, of each connection how far it has come, and of the server itself
//! whether it works and what it has not written yet.
//!
//! Facts are taken when they are decided. A crash may take some of them back; the bits may then be
//! wrong, which makes a feature less useful and nothing else.

use gatecrash::store::EndReason;

use crate::trace::{ClientFrame, DeviceIndex, Effect, Fact, UserIndex, What};

use super::grown;

/// What the server has of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hold {
    #[default]
    Nothing,
    Linked,
    Linkless,
    /// Its session is over, and it has to be told.
    KickOwed,
    /// Its session is over.
    Ended,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seat {
    hold: Hold,
    user: Option<UserIndex>,
    is_acknowledged: bool,
    is_dormant: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct User {
    sessions: u8,
    linked: u8,
    owed: u8,
    has_dormant: bool,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    Greeted,
    Asked,
    Admitted,
    Closing,
}

#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    stage: Stage,
    user: Option<UserIndex>,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    is_up: bool,
    is_disk_ill: bool,
    decided: u32,
    committed: u32,
    /// Started, and no change decided since.
    is_fresh: bool,
    seats: Vec<Seat>,
    users: Vec<User>,
    connections: Vec<Connection>,
}

impl Server {
    /// The server itself, as a number.
    pub(super) fn bits(&self) -> u64 {
        let pending = match self.decided.saturating_sub(self.committed) {
            0 => 0,
            1 => 1,
            _ => 2,
        };
        let flags = [self.is_up, self.is_disk_ill, self.is_fresh];
        flags.iter().fold(pending, |bits, flag| bits << 1 | u64::from(*flag))
    }

    /// Whether it works at all.
    pub(super) fn is_well(&self) -> bool {
        self.is_up && !self.is_disk_ill
    }

    /// What it has of a device whose application means this account.
    pub(super) fn seat_bits(&self, device: DeviceIndex, account: Option<UserIndex>) -> u64 {
        let seat = self.seats.get(device.index()).copied().unwrap_or_default();
        (seat.hold as u64) << 1 | u64::from(seat.user == account)
    }

    /// What it has of a user.
    fn user_bits(&self, user: Option<UserIndex>) -> u64 {
        let Some(user) = user.and_then(|user| self.users.get(user.index())) else { return 0 };
        let numbers = [user.sessions.min(2), user.linked.min(2), user.owed.min(1), u8::from(user.has_dormant)];
        numbers.iter().fold(1, |bits, number| bits << 2 | u64::from(*number))
    }

    /// Whom an event of the server is about, as a number; which device and connection, as another.
    pub(super) fn about(&self, what: &What) -> (u64, u64) {
        let (user, device, connection) = match *what {
            What::ServerReceived { connection, peer, frame } => {
                (user_of(&frame).or(self.user_at(connection)), peer, Some(connection))
            }
            What::ServerSent { connection, peer, .. }
            | What::Malformed { connection, peer, .. }
            | What::CloseAsked { connection, peer }
            | What::Gone { connection, peer } => (self.user_at(connection), peer, Some(connection)),
            What::Fact { fact, .. } => {
                let (user, device) = named(&fact);
                (user, device, None)
            }
            What::TicketJudged { device, user, .. } | What::Dormant { user, device, .. } => {
                (Some(user), Some(device), None)
            }
            _ => (None, None, None),
        };
        let stage = connection
            .and_then(|connection| self.connections.get(connection as usize))
            .map_or(0, |connection| 1 + connection.stage as u64);
        let device = device.filter(|device| *device != DeviceIndex::STRANGER);
        let seat = device.map_or(0, |device| {
            let seat = self.seats.get(device.index()).copied().unwrap_or_default();
            let flags = [true, seat.is_acknowledged, seat.is_dormant];
            flags.iter().fold(self.seat_bits(device, user), |bits, flag| bits << 1 | u64::from(*flag))
        });
        (self.user_bits(user), seat << 3 | stage)
    }

    fn user_at(&self, connection: u32) -> Option<UserIndex> {
        self.connections.get(connection as usize)?.user
    }

    pub(super) fn observe(&mut self, what: &What) {
        match *what {
            What::ServerReceived { connection, frame, .. } => {
                let connection = grown(&mut self.connections, connection as usize);
                connection.user = user_of(&frame).or(connection.user);
                connection.stage = match frame {
                    ClientFrame::Hello { .. } => Stage::Greeted,
                    ClientFrame::Login { .. } | ClientFrame::Resume { .. } => Stage::Asked,
                    _ => connection.stage,
                };
            }
            What::ServerSent { connection, frame, .. } => {
                use crate::trace::ServerFrame::{LoginAccepted, Resumed, ResumedAsLogin};
                if let LoginAccepted { .. } | Resumed { .. } | ResumedAsLogin { .. } = frame {
                    grown(&mut self.connections, connection as usize).stage = Stage::Admitted;
                }
            }
            What::CloseAsked { connection, .. } => {
                grown(&mut self.connections, connection as usize).stage = Stage::Closing;
            }
            What::Commit { commit, .. } => (self.decided, self.is_fresh) = (commit, false),
            What::Committed { commit } => self.committed = commit,
            What::ServerStarted { commit, .. } => {
                (self.is_up, self.is_fresh, self.decided, self.committed) = (true, true, commit, commit);
            }
            What::StoreFailed => self.is_up = false,
            What::Fact { fact, .. } => self.fact(&fact),
            What::Dormant { user, device, .. } if device != DeviceIndex::STRANGER => {
                grown(&mut self.seats, device.index()).is_dormant = true;
                self.count(user);
            }
            _ => {}
        }
    }

    pub(super) fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::ServerDead => self.is_up = false,
            Effect::DiskRefused => self.is_disk_ill = true,
            Effect::DiskMended => self.is_disk_ill = false,
            _ => {}
        }
    }

    fn fact(&mut self, fact: &Fact) {
        let (user, device) = named(fact);
        if let Some(device) = device.filter(|device| *device != DeviceIndex::STRANGER) {
            let seat = grown(&mut self.seats, device.index());
            match fact {
                Fact::SessionAccepted { .. } => {
                    *seat = Seat { hold: Hold::Linked, user, is_acknowledged: false, is_dormant: false };
                }
                Fact::SessionResumed { .. } => (seat.hold, seat.is_dormant) = (Hold::Linked, false),
                Fact::LoginAcknowledged { .. } => seat.is_acknowledged = true,
                Fact::LinkLost { .. } if seat.user == user => seat.hold = Hold::Linkless,
                Fact::SessionEnded { reason, .. } if seat.user == user => {
                    seat.hold = if is_told(*reason) { Hold::KickOwed } else { Hold::Ended };
                }
                Fact::KickSettled { .. } if seat.hold == Hold::KickOwed => seat.hold = Hold::Ended,
                Fact::EndForgotten { .. } => *seat = Seat::default(),
                _ => {}
            }
        }
        if let Some(user) = user {
            self.count(user);
        }
    }

    /// Counts the user's sessions anew: there are a dozen devices at most.
    fn count(&mut self, user: UserIndex) {
        let (mut sessions, mut linked, mut owed, mut has_dormant) = (0_u8, 0_u8, 0_u8, false);
        for seat in self.seats.iter().filter(|seat| seat.user == Some(user)) {
            match seat.hold {
                Hold::Linked => (sessions, linked) = (sessions.saturating_add(1), linked.saturating_add(1)),
                Hold::Linkless => sessions = sessions.saturating_add(1),
                Hold::KickOwed => owed = owed.saturating_add(1),
                Hold::Nothing | Hold::Ended => {}
            }
            has_dormant |= seat.is_dormant && seat.hold == Hold::Linkless;
        }
        let user = grown(&mut self.users, user.index());
        (user.sessions, user.linked, user.owed, user.has_dormant) = (sessions, linked, owed, has_dormant);
    }
}

/// Whether a session's device has to hear of this end.
fn is_told(reason: EndReason) -> bool {
    reason.kick().is_some()
}

/// The user a frame names.
fn user_of(frame: &ClientFrame) -> Option<UserIndex> {
    match frame {
        ClientFrame::Login { user, .. } | ClientFrame::Resume { user, .. } => Some(*user),
        _ => None,
    }
}

/// The user and the device that a fact is about.
fn named(fact: &Fact) -> (Option<UserIndex>, Option<DeviceIndex>) {
    match *fact {
        Fact::SessionAccepted { user, device, .. }
        | Fact::SessionResumed { user, device, .. }
        | Fact::SessionRenewed { user, device, .. }
        | Fact::LoginAcknowledged { user, device, .. }
        | Fact::LinkLost { user, device, .. }
        | Fact::SessionEnded { user, device, .. }
        | Fact::KickSettled { user, device, .. } => (Some(user), Some(device)),
        Fact::AttemptRaised { device, .. } | Fact::EndForgotten { device } => (None, Some(device)),
        Fact::AccountCreated { user }
        | Fact::TicketsVoided { user, .. }
        | Fact::TicketVoided { user, .. }
        | Fact::DayCounted { user, .. }
        | Fact::PresenceChanged { user, .. } => (Some(user), None),
        Fact::MessageStored { to, .. } => (Some(to), None),
    }
}
