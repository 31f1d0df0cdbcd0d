//! Who asks for what on which connection.

use gatecrash::id::Attempt;

use crate::check::grown::grown;
use crate::trace::{ClientFrame, DeviceIndex, Fact, TicketIndex, UserIndex};

/// A user on a device, by one of its ids. Of strangers each connection is one.
pub(super) type Place = (UserIndex, DeviceIndex, u32);

/// A login, resume or renewal that came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) place: Place,
    pub(super) ticket: Option<TicketIndex>,
    /// No resume: those are exempt from the lock (TICKET-4).
    pub(super) counts: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Who {
    /// By connection: the device's id, and who asked on it last.
    connections: Vec<Connection>,
    /// The connection on which a ticket was shown just now.
    asking: Option<u32>,
    /// By device, the last attempt that came in as a login.
    logins: Vec<Option<Attempt>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    id: u32,
    asker: Option<Asker>,
}

impl Who {
    pub(super) fn asks(&mut self, connection: u32, peer: Option<DeviceIndex>, frame: &ClientFrame) {
        self.asking = None;
        let peer = peer.unwrap_or(DeviceIndex::STRANGER);
        let is_stranger = peer == DeviceIndex::STRANGER;
        let noted = grown(&mut self.connections, connection as usize);
        let (user, ticket, counts) = match *frame {
            ClientFrame::Hello { installation, .. } => {
                let id = if is_stranger { connection } else { u32::from(installation) };
                *noted = Connection { id, asker: None };
                return;
            }
            ClientFrame::Login { user, ticket, .. } => (user, ticket, true),
            ClientFrame::Renew { user, ticket, .. } => (user, ticket, true),
            ClientFrame::Resume { user, ticket, .. } => (user, ticket, false),
            _ => return,
        };
        noted.asker = Some(Asker { place: (user, peer, noted.id), ticket, counts });
        self.asking = Some(connection);
        if let ClientFrame::Login { attempt, .. } = *frame
            && !is_stranger
        {
            *grown(&mut self.logins, peer.index()) = Some(attempt);
        }
    }

    /// Whose ticket is judged now, if it is this user's.
    pub(super) fn asker(&self, user: UserIndex) -> Option<Asker> {
        self.asking.and_then(|connection| self.on(connection)).filter(|asker| asker.place.0 == user)
    }

    /// Who asked last on the connection.
    pub(super) fn on(&self, connection: u32) -> Option<Asker> {
        self.connections.get(connection as usize).and_then(|noted| noted.asker)
    }

    /// For whom.
    pub(super) fn user(&self, connection: u32) -> Option<UserIndex> {
        self.on(connection).map(|asker| asker.place.0)
    }

    /// Whether a login led to it, and no resume.
    pub(super) fn is_login(&self, fact: &Fact) -> bool {
        let Fact::SessionAccepted { device, attempt, .. } = *fact else { return false };
        device != DeviceIndex::STRANGER && self.logins.get(device.index()).is_some_and(|last| *last == Some(attempt))
    }
}
