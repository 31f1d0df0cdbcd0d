//! What holds of every run of the SDK's core, whatever goes in: checked output by output.
//!
//! Knows no transcript. The rig and the random tests both keep one.

use std::collections::BTreeSet;

use gatecrash::client::{Action, Call, Client, Event, Input, Note, Output, Status, Write};
use gatecrash::code::Code;
use gatecrash::decide::ClientDecisions;
use gatecrash::id::{Attempt, CallId, Change, ConnectionId, DeviceId, UserId};
use gatecrash::protocol::ClientFrame;
use gatecrash::ticket::Ticket;

/// What the application, the disk and the network know.
#[derive(Debug, Default)]
pub struct Ledger {
    pending: BTreeSet<CallId>,
    pending_logouts: BTreeSet<CallId>,
    uninit: Option<CallId>,
    status: Status,
    user: Option<UserId>,
    /// The connection asked for and not ended, and whether it is open.
    line: Option<(ConnectionId, bool)>,
    /// The one before, which is to stay until the other has the session (CONN-10).
    doubted: Option<ConnectionId>,
    last_change: Change,
    record: Change,
    device: Option<DeviceId>,
    last_attempt: Attempt,
    connecting: bool,
    /// The server does not speak the SDK's version: nothing is tried any more (VERSION-1).
    given_up: bool,
    /// Whether the status fell from LOGINED in this turn.
    fell: bool,
    /// Whether the record says that the server is owed an end.
    owes_end: bool,
}

/// ATT-4, KICK-7: what is sent on a session's link rests on nothing that is written then.
fn rests_on_record(frame: &ClientFrame<Ticket>) -> bool {
    use ClientFrame as F;
    match frame {
        F::Hello { .. } | F::Login { .. } | F::Resume { .. } | F::Logout { .. } | F::KickConfirmed { .. } => true,
        F::LoginAcknowledged { .. } | F::MessagesReceived { .. } | F::Heartbeat | F::Renew { .. } => false,
        F::SendMessage { .. } | F::AdminKick { .. } | F::QueryStatus { .. } => false,
    }
}

impl Ledger {
    pub fn connection(&self) -> Option<ConnectionId> {
        self.line.map(|(connection, _)| connection)
    }

    pub fn pending(&self) -> impl Iterator<Item = CallId> + '_ {
        self.pending.iter().copied()
    }

    pub fn input(&mut self, input: &Input) {
        self.fell = false;
        match input {
            Input::Call { call, request } => {
                assert!(self.pending.insert(*call), "calls are numbered");
                match request {
                    Call::Logout => {
                        self.pending_logouts.insert(*call);
                    }
                    Call::Uninit => self.uninit = Some(*call),
                    Call::Init(_)
                    | Call::Login { .. }
                    | Call::Conversations
                    | Call::SendMessage { .. }
                    | Call::AdminKick { .. }
                    | Call::QueryStatus { .. } => {}
                }
            }
            Input::Connected { connection } => {
                if let Some((open, is_open)) = &mut self.line
                    && open == connection
                {
                    *is_open = true;
                }
            }
            Input::ConnectFailed { connection }
            | Input::Untrusted { connection }
            | Input::Closed { connection }
            | Input::NoFrame { connection } => {
                self.line.take_if(|(open, _)| open == connection);
                self.doubted.take_if(|open| open == connection);
            }
            Input::Frame { .. }
            | Input::Stored { .. }
            | Input::StorageFailed { .. }
            | Input::Woken
            | Input::NetworkChanged => {}
        }
    }

    pub fn output(&mut self, output: &Output) {
        let Output { reveals, action } = output;
        assert!(*reveals <= self.last_change, "an output waits for what was written before it");
        match action {
            Action::Store { change, write } => {
                assert_eq!(*change, Change(self.last_change.0 + 1), "changes are numbered without gaps");
                self.last_change = *change;
                if let Write::Installation(installation) = write {
                    self.record = *change;
                    self.owes_end = installation.owed_end;
                    if self.device != Some(installation.device) {
                        self.device = Some(installation.device);
                        self.last_attempt = Attempt::default();
                    }
                }
            }
            Action::Connect { connection } => {
                assert_eq!(self.doubted, None, "CONN-7: one connection at a time, CONN-10: or two");
                if let Some((before, is_open)) = self.line {
                    assert!(is_open && self.status == Status::Logined, "CONN-10: another one beside a session's link");
                    self.doubted = Some(before);
                }
                let has_reason = self.status != Status::Logout || self.owes_end;
                assert!(has_reason, "CONN-9, LOGOUT-2: nobody connects for nothing");
                self.line = Some((*connection, false));
            }
            Action::Send { connection, frame } => {
                assert_eq!(self.line, Some((*connection, true)), "frames go out on the open connection");
                let waits_for = if rests_on_record(frame) { self.record } else { Change::NONE };
                assert_eq!(*reveals, waits_for, "ATT-4: a frame waits for the record, if it rests on it");
                if let ClientFrame::Login { attempt, .. }
                | ClientFrame::Resume { attempt, .. }
                | ClientFrame::Renew { attempt, .. }
                | ClientFrame::Logout { attempt, .. } = frame
                {
                    assert!(*attempt > self.last_attempt, "ATT-1: attempts grow");
                    self.last_attempt = *attempt;
                }
            }
            Action::Close { connection } => {
                assert_eq!(*reveals, self.record, "a close does not overtake a frame");
                if self.doubted.take_if(|open| open == connection).is_none() {
                    assert_eq!(self.connection(), Some(*connection), "only what is open is closed");
                    self.line = self.doubted.take().map(|before| (before, true));
                }
            }
            Action::Result { call, .. } => {
                assert!(self.pending.remove(call), "LOGIN-3, API-5: one result for each call");
                self.pending_logouts.remove(call);
            }
            Action::Event(event) => self.event(event),
            Action::DropEvents { .. } => self.connecting = false,
            Action::Status { status, login_user } => {
                let allowed = match self.status {
                    Status::Logout => [Status::Logining].as_slice(),
                    Status::Logining => &[Status::Logined, Status::Logout],
                    Status::Logined => &[Status::Logout],
                };
                assert!(allowed.contains(status), "LOGIN-6: from {:?} to {status:?}", self.status);
                assert_eq!(login_user.is_some(), *status == Status::Logined, "LOGIN-7");
                self.fell |= self.status == Status::Logined;
                (self.status, self.user) = (*status, *login_user);
            }
            Action::Note(Note::LinkKept) => {
                self.line = self.line.or(self.doubted.take().map(|before| (before, true)));
                assert!(self.line.is_some(), "CONN-10: what is kept is there");
            }
            Action::Note(Note::BackOff { .. } | Note::LinkLost | Note::NewDevice { .. }) => {}
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Connecting => {
                assert!(!self.connecting, "CONN-3: an attempt ends before the next begins");
                assert_ne!(self.status, Status::Logout, "CONN-9, KICK-4, TICKET-8: nobody connects for nobody");
                assert!(
                    !self.given_up || self.pending().next().is_some(),
                    "VERSION-1: nobody connects to be refused again"
                );
                self.connecting = true;
                self.given_up = false;
            }
            Event::ConnectSuccess | Event::ConnectFailed(_) => {
                assert!(self.connecting, "CONN-3: what ends has begun");
                self.connecting = false;
                self.given_up = *event == Event::ConnectFailed(Code::VersionNotSupported);
            }
            Event::KickedOffline(_) | Event::UserSigExpired(_) => {
                assert!(self.fell && self.status == Status::Logout, "EVENT-1: the status changes first");
                self.fell = false;
                self.connecting = false;
            }
            Event::MessagesDropped(count) => {
                assert!(*count > 0 && self.user.is_some(), "API-7: something is lost to who is logged in");
            }
            Event::Message(message) => {
                let user = self.user.expect("SWITCH-2, LOGOUT-1: messages are for who is logged in");
                assert!([message.from, message.to].contains(&user), "SWITCH-2: nobody else's message");
            }
        }
    }

    /// After every turn, all outputs polled.
    pub fn settled<D: ClientDecisions>(&mut self, client: &Client<D>) {
        assert_eq!((self.status, self.user), (client.login_status(), client.login_user()), "the status is told");
        if self.uninit.take().is_some() {
            assert!(self.pending.is_empty(), "INIT-3: nothing is pending after uninit");
            assert!(!client.is_initialised() && client.poll_timeout().is_none(), "INIT-3: nothing will come");
        }
        if self.status == Status::Logout && self.pending_logouts.is_empty() {
            assert!(self.line.is_none() || self.owes_end, "CONN-9: no connection for nobody");
        }
        let is_to_reconnect = self.status != Status::Logout && !self.given_up;
        let must_go_on = is_to_reconnect || self.pending().next().is_some();
        assert!(!must_go_on || client.poll_timeout().is_some(), "what is pending has a timer");
    }
}
