//! A device in a few bits: its process, its SDK's status, its connection, what it waits for, what its
//! disk holds.
//!
//! Bookkeeping of what its own events show, and no more than tells one situation from another. What the
//! server has of it is `server`'s part.

use gatecrash::client::Status;

use crate::scenario::CallKind;
use crate::trace::{ClientFrame, Request, ServerFrame, UserIndex, What, Write};

/// What its connection has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Link {
    #[default]
    None,
    Asked,
    Connected,
    /// A login or resume is accepted on it.
    Up,
}

/// What it has sent and not heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asking {
    #[default]
    Nothing,
    Login,
    Resume,
    Renewal,
    Logout,
}

/// What is known of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    runs: bool,
    is_suspended: bool,
    is_initialised: bool,
    status: Status,
    /// Whom its last login named.
    pub(super) account: Option<UserIndex>,
    link: Link,
    connection: u32,
    asking: Asking,
    /// Calls without a result: login, logout, and others.
    logins: u8,
    logouts: u8,
    requests: u8,
    /// An attempt to connect has failed since the last that worked.
    tries_again: bool,
    asked: u32,
    stored: u32,
    // What outlives its process.
    owes_end: bool,
}

impl Device {
    /// It, as a number.
    pub(super) fn bits(&self) -> u64 {
        let flags = [
            self.runs,
            self.is_suspended,
            self.is_initialised,
            self.asked > self.stored,
            self.owes_end,
            self.tries_again,
            self.logins > 0,
            self.logouts > 0,
            self.requests > 0,
        ];
        let flags = flags.iter().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        ((flags << 2 | self.status_bits()) << 2 | self.link as u64) << 3 | self.asking as u64
    }

    /// Its status alone.
    pub(super) fn status_bits(&self) -> u64 {
        match self.status {
            Status::Logout => 0,
            Status::Logining => 1,
            Status::Logined => 2,
        }
    }

    pub(super) fn process_up(&mut self) {
        *self = Device { runs: true, owes_end: self.owes_end, ..Device::default() };
    }

    pub(super) fn process_dead(&mut self) {
        *self = Device { owes_end: self.owes_end, ..Device::default() };
    }

    pub(super) fn suspended(&mut self, is_suspended: bool) {
        self.is_suspended = is_suspended;
    }

    pub(super) fn wiped(&mut self) {
        self.owes_end = false;
    }

    pub(super) fn observe(&mut self, what: &What) {
        match *what {
            What::Called { request, .. } => match request {
                Request::Init { .. } => {
                    self.is_initialised = true;
                    self.requests = self.requests.saturating_add(1);
                }
                Request::Login { user, .. } => {
                    self.account = Some(user);
                    self.logins = self.logins.saturating_add(1);
                }
                Request::Logout => self.logouts = self.logouts.saturating_add(1),
                _ => self.requests = self.requests.saturating_add(1),
            },
            What::Answered { kind, .. } => {
                let calls = match kind {
                    Some(CallKind::Login) => &mut self.logins,
                    Some(CallKind::Logout) => &mut self.logouts,
                    _ => &mut self.requests,
                };
                *calls = calls.saturating_sub(1);
            }
            What::UninitReturned { .. } => self.is_initialised = false,
            What::Status { status, .. } => self.status = status,
            What::DeviceSent { frame, .. } => {
                self.asking = match frame {
                    ClientFrame::Login { .. } => Asking::Login,
                    ClientFrame::Resume { .. } => Asking::Resume,
                    ClientFrame::Renew { .. } => Asking::Renewal,
                    ClientFrame::Logout { .. } => Asking::Logout,
                    _ => self.asking,
                };
            }
            What::DeviceReceived { frame, .. } => self.received(&frame),
            What::ConnectAsked { connection } => {
                (self.link, self.connection, self.asking) = (Link::Asked, connection, Asking::Nothing);
            }
            What::Connected { .. } => self.link = Link::Connected,
            What::ConnectFailed { connection }
            | What::Gone { connection, .. }
            | What::CloseAsked { connection, .. }
                if connection == self.connection =>
            {
                (self.link, self.asking) = (Link::None, Asking::Nothing);
            }
            What::BackOff { .. } => self.tries_again = true,
            What::StoreAsked { change, write } => {
                self.asked = change;
                if let Write::Installation { owed_end, .. } = write {
                    self.owes_end = owed_end;
                }
            }
            What::Stored { change } => self.stored = change,
            _ => {}
        }
    }

    fn received(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::LoginAccepted { .. } | ServerFrame::Resumed { .. } | ServerFrame::ResumedAsLogin { .. } => {
                (self.link, self.asking, self.tries_again) = (Link::Up, Asking::Nothing, false);
            }
            ServerFrame::LoginRefused { .. }
            | ServerFrame::ResumeKicked { .. }
            | ServerFrame::ResumeExpired { .. }
            | ServerFrame::ResumeRefused { .. }
            | ServerFrame::ResumeUnable { .. }
            | ServerFrame::ResumeStale { .. }
            | ServerFrame::RenewAnswer { .. }
            | ServerFrame::LogoutAnswer { .. } => self.asking = Asking::Nothing,
            _ => {}
        }
    }
}
