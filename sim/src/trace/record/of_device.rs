//! What goes into a device's core and comes out of it, as events.

use gatecrash::client::{self, Call, Reply, Status};
use gatecrash::code::Failure;
use gatecrash::id::{CallId, MessageId};
use gatecrash::protocol;
use gatecrash::time::Instant;

use super::{Recording, Sdk, small};
use crate::scenario::CallKind;
use crate::trace::{
    Actor, DeviceIndex, Kick, Micros, Observer, Outcome, Request, ServerFrame, Session, Told, What, Write,
};

impl<O: Observer> Recording<O> {
    pub(crate) fn device_input(&mut self, at: Instant, device: DeviceIndex, input: &client::Input) {
        let what = match input {
            client::Input::Call { call, request } => {
                let called = What::Called { call: small(call.0), request: self.request(device, *call, request) };
                if let Call::Init(start) = request
                    && let Some(installation) = &start.installation
                    && let (owner, installation) = self.installation(&installation.device)
                    && owner != device
                {
                    self.push(at, Actor::Device(device), called);
                    What::KnownAs { device: owner, installation }
                } else {
                    called
                }
            }
            client::Input::Connected { connection } => What::Connected { connection: connection.0 },
            client::Input::ConnectFailed { connection } => What::ConnectFailed { connection: connection.0 },
            client::Input::Frame { connection, frame } => {
                let frame = self.server_frame(frame);
                let sdk = self.sdk(device);
                match frame {
                    _ if sdk.left.contains(&connection.0) => {}
                    ServerFrame::LoginAccepted { epoch, .. } => sdk.admitted = epoch,
                    ServerFrame::ResumedAsLogin { epoch, .. } => (sdk.admitted, sdk.epoch) = (epoch, epoch),
                    ServerFrame::LoginRefused { .. }
                    | ServerFrame::Resumed { .. }
                    | ServerFrame::ResumeKicked { .. }
                    | ServerFrame::ResumeExpired { .. }
                    | ServerFrame::ResumeRefused { .. }
                    | ServerFrame::ResumeUnable { .. }
                    | ServerFrame::ResumeStale { .. }
                    | ServerFrame::RenewAnswer { .. }
                    | ServerFrame::LogoutAnswer { .. }
                    | ServerFrame::HeartbeatAnswer
                    | ServerFrame::Kick { .. }
                    | ServerFrame::Expired { .. }
                    | ServerFrame::SendAnswer { .. }
                    | ServerFrame::Message { .. }
                    | ServerFrame::AdminKickAnswer { .. }
                    | ServerFrame::QueryAnswer { .. }
                    | ServerFrame::Error { .. }
                    | ServerFrame::Closing { .. } => {}
                }
                What::DeviceReceived { connection: connection.0, frame }
            }
            client::Input::Untrusted { connection } => What::Untrusted { connection: connection.0 },
            client::Input::NoFrame { connection } => {
                self.push(at, Actor::Device(device), What::NoFrame { connection: connection.0 });
                self.sdk(device).left.retain(|left| *left != connection.0);
                What::Gone { connection: connection.0, peer: None }
            }
            client::Input::Closed { connection } => {
                self.sdk(device).left.retain(|left| *left != connection.0);
                What::Gone { connection: connection.0, peer: None }
            }
            client::Input::Stored { change } => What::Stored { change: small(change.0) },
            // The driver tries again each second, and mostly nobody waits.
            client::Input::StorageFailed { unsent } if unsent.is_empty() && self.sdk(device).calls.is_empty() => return,
            client::Input::StorageFailed { .. } => What::RecordFailed,
            client::Input::Woken => What::SdkWoken,
            client::Input::NetworkChanged => What::NetworkChanged,
        };
        self.push(at, Actor::Device(device), what);
    }

    pub(super) fn request(&mut self, device: DeviceIndex, call: CallId, request: &Call) -> Request {
        let mut user = self.sdk(device).account;
        let (kind, request) = match request {
            Call::Init(start) => {
                if let Some(installation) = &start.installation {
                    self.register(device, &installation.device);
                }
                (CallKind::Init, Request::Init { platform: start.platform })
            }
            Call::Uninit => (CallKind::Uninit, Request::Uninit),
            Call::Login { user: name, ticket, lasts: _ } => {
                let named = self.user(name);
                user = Some(named);
                self.sdk(device).login_asked = user;
                (CallKind::Login, Request::Login { user: named, ticket: self.ticket(ticket) })
            }
            Call::Logout => (CallKind::Logout, Request::Logout),
            Call::Conversations => (CallKind::Conversations, Request::Conversations),
            Call::SendMessage { id, to, text } => {
                let (to, text, id) = (self.user(to), self.text(text), id.map(|id| self.send(id)));
                (CallKind::Send, Request::Send { to, text, id })
            }
            Call::AdminKick { user } => (CallKind::Kick, Request::Kick { user: self.user(user) }),
            Call::QueryStatus { users } => {
                let users = users.iter().map(|user| self.user(user)).collect();
                (CallKind::Query, Request::Query { users: self.users(users) })
            }
        };
        self.sdk(device).calls.insert(call, (kind, user));
        request
    }

    pub(crate) fn device_output(&mut self, at: Instant, device: DeviceIndex, output: &client::Output) {
        let actor = Actor::Device(device);
        let what = match &output.action {
            client::Action::Store { change, write } => {
                What::StoreAsked { change: small(change.0), write: self.write(device, write) }
            }
            client::Action::Connect { connection } => What::ConnectAsked { connection: connection.0 },
            client::Action::Send { connection, frame } => {
                if let protocol::ClientFrame::Hello { device: id, .. } = frame {
                    self.register(device, id);
                }
                What::DeviceSent {
                    connection: connection.0,
                    reveals: small(output.reveals.0),
                    frame: self.client_frame(frame, |recording, ticket| Some(recording.ticket(ticket))),
                }
            }
            client::Action::Close { connection } => {
                self.sdk(device).left.push(connection.0);
                What::CloseAsked { connection: connection.0, peer: None }
            }
            client::Action::Result { call, outcome } => return self.result(at, device, *call, outcome),
            client::Action::Event(event) => self.told(device, event),
            client::Action::DropEvents { .. } => What::EventsDropped,
            client::Action::Status { status, login_user } => {
                let login_user = login_user.map(|user| self.user(user.as_str()));
                let sdk = self.sdk(device);
                match status {
                    Status::Logining => (sdk.account, sdk.epoch) = (sdk.login_asked, 0),
                    Status::Logined => (sdk.account, sdk.epoch) = (login_user, sdk.admitted),
                    Status::Logout => {}
                }
                What::Status { status: *status, login_user }
            }
            client::Action::Note(client::Note::BackOff { attempt, delay }) => {
                What::BackOff { attempt: *attempt, delay: Micros::from(*delay) }
            }
            client::Action::Note(client::Note::LinkLost) => What::LinkLost,
            client::Action::Note(client::Note::LinkKept) => What::LinkKept,
            client::Action::Note(client::Note::NewDevice { device: id }) => {
                What::NewDevice { installation: self.register(device, id) }
            }
        };
        self.push(at, actor, what);
    }

    pub(super) fn result(&mut self, at: Instant, device: DeviceIndex, call: CallId, outcome: &Result<Reply, Failure>) {
        // A result of a call that was never made, or has one already, is shown too: a property objects.
        let (kind, user) = self.sdk(device).calls.remove(&call).map_or((None, None), |(kind, user)| (Some(kind), user));
        let outcome = match outcome {
            Ok(Reply::Done) => Outcome::Done,
            Ok(Reply::Message(MessageId(message))) => Outcome::Message { message: small(*message) },
            Ok(Reply::Conversations(list)) => Outcome::Conversations { conversations: self.conversations(list) },
            Ok(Reply::Report(report)) => Outcome::Report { report: self.report(report) },
            &Err(Failure { code, reason }) => Outcome::Failed { code, reason },
        };
        let actor = Actor::Device(device);
        let call = small(call.0);
        self.push(at, actor, What::Answered { call, kind, user, outcome });
        if kind == Some(CallKind::Uninit) && outcome == Outcome::Done {
            self.push(at, actor, What::UninitReturned { call });
        }
    }

    pub(super) fn told(&mut self, device: DeviceIndex, event: &client::Event) -> What {
        let Sdk { account, epoch, .. } = *self.sdk(device);
        let (event, user, epoch) = match event {
            client::Event::Connecting => (Told::Connecting, account, epoch),
            client::Event::ConnectSuccess => (Told::ConnectSuccess, account, epoch),
            client::Event::ConnectFailed(code) => (Told::ConnectFailed { code: *code }, account, epoch),
            client::Event::KickedOffline(kick) => {
                let Kick { user, epoch, reason, by } = self.kick(kick);
                (Told::KickedOffline { reason, by }, Some(user), epoch)
            }
            client::Event::UserSigExpired(name) => {
                let Session { user, epoch } = self.session(name);
                (Told::UserSigExpired, Some(user), epoch)
            }
            client::Event::Message(message) => {
                let (message, from, to, text) = self.message(message);
                (Told::Message { message, from, to, text }, account, epoch)
            }
            client::Event::MessagesDropped(count) => (Told::MessagesDropped { count: small(*count) }, account, epoch),
        };
        What::Told { event, user, epoch }
    }

    pub(super) fn write(&mut self, device: DeviceIndex, write: &client::Write) -> Write {
        match write {
            client::Write::Installation(installation) => Write::Installation {
                installation: self.register(device, &installation.device),
                starts: installation.starts,
                owed_end: installation.owed_end,
                known_ended: installation.known_ended.as_ref().map(|name| self.session(name)),
            },
            client::Write::Conversations { user, conversations } => Write::Conversations {
                user: self.user(user.as_str()),
                conversations: self.conversations(conversations),
            },
        }
    }
}
