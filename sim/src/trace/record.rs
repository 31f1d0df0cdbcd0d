//! The recorder: turns what goes into the cores and what comes out of them into events.
//!
//! Whoever owns a core reports every input when the core takes it, and every output when it is
//! carried out: a commit or a write when the disk gets it, a frame when the transport gets it, a
//! result or a listener call when the application gets it. So an event says that something
//! happened, not that somebody meant it to.
//!
//! Judges nothing. It keeps just enough to name things: which device has which ids, whose call a
//! result answers, which account an SDK works for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use gatecrash::client::{self, Call, Reply, Status};
use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, Change, ConnectionId, DeviceId, Epoch, MessageId, PublicName, UserId};
use gatecrash::protocol::{self, Conversation, Message, ResumeOutcome, SessionName, StatusReport};
use gatecrash::server::{self, Config};
use gatecrash::store;
use gatecrash::ticket::{self, Claims, OpenedTicket, Signature, Ticket};
use gatecrash::time::{Instant, Now};

use super::cast::{
    Cast, ConversationLine, DeviceIndex, List, ListIndex, ReportDevice, ReportLine, TextIndex, TicketIndex, UserIndex,
};
use super::digest::{Digest, Encoder};
use super::{
    Actor, ClientFrame, Effect, Event, Fact, Fault, Kick, Micros, Observer, Outcome, Refusal, Request, Seconds,
    ServerFrame, Session, SignedMicros, Told, Trace, What, Write,
};
use crate::scenario::{self, CallKind, Clock, Conduct, DeviceName, SiteName};

/// Records one run. A handle: clones record into the same trace.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Recording>>);

struct Recording {
    cast: Cast,
    encoder: Encoder,
    keeps: bool,
    events: Vec<Event>,
    observers: Vec<Box<dyn Observer>>,
    world_events: u32,
    server_events: u32,
    stranger_events: u32,
    installations: BTreeMap<DeviceId, (DeviceIndex, u16)>,
    public_names: BTreeMap<PublicName, DeviceIndex>,
    ticket_by_text: BTreeMap<Ticket, TicketIndex>,
    ticket_by_signature: BTreeMap<Signature, TicketIndex>,
    peers: BTreeMap<ConnectionId, DeviceIndex>,
    sdks: Vec<Sdk>,
}

/// What is known of one device's SDK, from what it said.
#[derive(Clone, Debug, Default)]
struct Sdk {
    events: u32,
    /// How many ids the device has had.
    installations: u16,
    /// The calls without a result, each with the user whose call it is.
    calls: BTreeMap<CallId, (CallKind, Option<UserIndex>)>,
    /// Of the last login call.
    login_asked: Option<UserIndex>,
    /// The account it works for, or worked for last.
    account: Option<UserIndex>,
    /// The session of that account, 0 before it has one.
    epoch: u32,
    /// The last epoch the server gave it.
    admitted: u32,
}

impl Recorder {
    /// Records all events.
    pub fn new(cast: Cast) -> Self {
        Recorder::with(cast, true)
    }

    /// Keeps no event: observers and the digest see them pass.
    pub fn streaming(cast: Cast) -> Self {
        Recorder::with(cast, false)
    }

    fn with(cast: Cast, keeps: bool) -> Self {
        Recorder(Arc::new(Mutex::new(Recording {
            encoder: Encoder::new(&cast),
            keeps,
            events: Vec::new(),
            observers: Vec::new(),
            world_events: 0,
            server_events: 0,
            stranger_events: 0,
            installations: BTreeMap::new(),
            public_names: BTreeMap::new(),
            ticket_by_text: BTreeMap::new(),
            ticket_by_signature: BTreeMap::new(),
            peers: BTreeMap::new(),
            sdks: vec![Sdk::default(); cast.devices().len()],
            cast,
        })))
    }

    /// Has the observer see every event from now on. To look at it afterwards, add a clone of an
    /// `Arc<Mutex<…>>` around it.
    pub fn add_observer(&self, observer: Box<dyn Observer>) {
        self.lock().observers.push(observer);
    }

    /// The server's core takes an input.
    pub fn server_input(&self, now: Now, input: &server::Input) {
        self.lock().server_input(now, input);
    }

    /// An output of the server's core is carried out.
    pub fn server_output(&self, now: Now, output: &server::Output) {
        self.lock().server_output(now, output);
    }

    /// Every change up to this one is on the server's disk.
    pub fn server_committed(&self, now: Now, change: Change) {
        self.lock().push(now.instant, Actor::Server, What::Committed { commit: small(change.0) });
    }

    /// The server begins with this configuration. (A change of it is an input of the core.)
    pub fn configured(&self, at: Instant, config: &Config) {
        self.lock().configured(at, config);
    }

    /// A device's core takes an input.
    pub fn device_input(&self, at: Instant, device: DeviceIndex, input: &client::Input) {
        self.lock().device_input(at, device, input);
    }

    /// An output of a device's core is carried out.
    pub fn device_output(&self, at: Instant, device: DeviceIndex, output: &client::Output) {
        self.lock().device_output(at, device, output);
    }

    /// Every write up to this one is on the device's disk.
    pub fn device_stored(&self, at: Instant, device: DeviceIndex, change: Change) {
        self.lock().push(at, Actor::Device(device), What::Stored { change: small(change.0) });
    }

    /// A step of the script breaks or heals something. What came of it is an [`Effect`] of its own.
    pub fn fault(&self, at: Instant, fault: &scenario::Fault) {
        let mut recording = self.lock();
        let fault = recording.fault(fault);
        recording.push(at, Actor::World, What::Fault { fault });
    }

    /// Something became of the world.
    pub fn effect(&self, at: Instant, effect: Effect) {
        let mut recording = self.lock();
        if let Effect::ProcessDead { device } = effect {
            let sdk = &mut recording.sdks[device.index()];
            *sdk = Sdk { events: sdk.events, installations: sdk.installations, ..Sdk::default() };
        }
        recording.push(at, Actor::World, What::Effect { effect });
    }

    /// A stranger opens a connection from the device's site.
    pub fn stranger(&self, at: Instant, device: DeviceIndex, conduct: Conduct) {
        self.lock().push(at, Actor::World, What::Stranger { device, conduct });
    }

    /// A ticket was signed, or forged: `claims` are what can be read of it. A text made before is
    /// the same ticket, and no event.
    pub fn ticket_made(
        &self,
        at: Instant,
        name: Option<&str>,
        user: Option<&str>,
        ticket: &Ticket,
        claims: Option<&Claims>,
    ) -> TicketIndex {
        let mut recording = self.lock();
        if let Some(&index) = recording.ticket_by_text.get(ticket) {
            return index;
        }
        let user = user.map(|user| recording.user(user));
        let index = recording.add_ticket(name, claims);
        recording.ticket_by_text.insert(ticket.clone(), index);
        let (issued, ttl) = claims.map_or((0, 0), |claims| (claims.issued_at, claims.ttl));
        recording.push(
            at,
            Actor::World,
            What::TicketMade { ticket: index, user, issued: Seconds::new(issued), ttl: Seconds::new(ttl) },
        );
        index
    }

    /// The server accepts the old key no more.
    pub fn old_key_dropped(&self, at: Instant) {
        self.lock().push(at, Actor::World, What::OldKeyDropped);
    }

    /// The script is over.
    pub fn script_ended(&self, at: Instant) {
        self.lock().push(at, Actor::World, What::ScriptEnded);
    }

    /// Everything has come to rest.
    pub fn converged(&self, at: Instant) {
        self.lock().push(at, Actor::World, What::Converged);
    }

    /// Not everything came to rest within the bound; `reason` says what did not, and why.
    pub fn not_converged(&self, at: Instant, reason: &str) {
        let mut recording = self.lock();
        let reason = recording.text(reason);
        recording.push(at, Actor::World, What::NotConverged { reason });
    }

    /// Looks at the cast as it is now.
    pub fn cast<Answer>(&self, look: impl FnOnce(&Cast) -> Answer) -> Answer {
        look(&self.lock().cast)
    }

    /// The sum of all events so far.
    pub fn digest(&self) -> Digest {
        self.lock().encoder.digest()
    }

    /// Takes the trace out and lets the observers go. What is recorded afterwards starts from
    /// nothing and is of no use.
    pub fn finish(&self) -> Trace {
        let mut recording = self.lock();
        recording.observers.clear();
        Trace {
            digest: recording.encoder.digest(),
            events: std::mem::take(&mut recording.events),
            cast: recording.cast.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().expect("recording does not panic")
    }
}

impl Recording {
    fn push(&mut self, at: Instant, actor: Actor, what: What) {
        let number = match actor {
            Actor::World => &mut self.world_events,
            Actor::Server => &mut self.server_events,
            Actor::Device(DeviceIndex::STRANGER) => &mut self.stranger_events,
            Actor::Device(device) => &mut self.sdks[device.index()].events,
        };
        *number += 1;
        let event = Event { at, actor, number: *number, what };
        self.encoder.event(&event);
        if self.keeps {
            self.events.push(event);
        }
        for observer in &mut self.observers {
            observer.observe(&self.cast, &event);
        }
    }

    // ---- the server ----

    fn server_input(&mut self, now: Now, input: &server::Input) {
        let wall = Micros::from(now.wall);
        let what = match input {
            server::Input::Started => {
                self.peers.clear();
                What::ServerStarted { wall }
            }
            server::Input::Opened { connection } => {
                self.peers.remove(connection);
                What::Opened { connection: connection.0 }
            }
            server::Input::Frame { connection, frame } => {
                if let protocol::ClientFrame::Hello { device, .. } = frame {
                    let (device, _) = self.installation(device);
                    self.peers.entry(*connection).or_insert(device);
                }
                let frame = self.client_frame(frame, Recording::opened_ticket);
                What::ServerReceived { connection: connection.0, peer: self.peer(*connection), frame }
            }
            server::Input::Malformed { connection, error } => {
                What::Malformed { connection: connection.0, peer: self.peer(*connection), error: *error }
            }
            server::Input::Closed { connection } => {
                What::Gone { connection: connection.0, peer: self.peer(*connection) }
            }
            server::Input::Configured(config) => return self.configured(now.instant, config),
            server::Input::ClockChanged => What::ClockChanged { wall },
        };
        self.push(now.instant, Actor::Server, what);
    }

    fn configured(&mut self, at: Instant, config: &Config) {
        let administrators = config.administrators.iter().map(|user| self.user(user.as_str())).collect();
        let what = What::Configured {
            seats: config.seats,
            reconnect_kicks: config.reconnect_kicks,
            notify_offline_kick: config.notify_offline_kick,
            administrators: self.users(administrators),
        };
        self.push(at, Actor::Server, what);
    }

    fn server_output(&mut self, now: Now, output: &server::Output) {
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

    fn commit(&mut self, now: Now, commit: &store::Commit) {
        let number = small(commit.number.0);
        self.push(now.instant, Actor::Server, What::Commit { commit: number, wall: Micros::from(now.wall) });
        for fact in &commit.facts {
            let fact = self.fact(fact);
            self.push(now.instant, Actor::Server, What::Fact { commit: number, fact });
        }
    }

    fn fact(&mut self, fact: &store::Fact) -> Fact {
        match fact {
            store::Fact::AccountCreated { user } => Fact::AccountCreated { user: self.user(user.as_str()) },
            store::Fact::AttemptRaised { device, attempt } => {
                let (device, installation) = self.installation(device);
                Fact::AttemptRaised { device, installation, attempt: *attempt }
            }
            store::Fact::SessionAccepted { user, device, platform, epoch, attempt, ticket } => {
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
            store::Fact::EndForgotten { device } => Fact::EndForgotten { device: self.device(device) },
            store::Fact::TicketsVoided { user, until } => {
                Fact::TicketsVoided { user: self.user(user.as_str()), until: Seconds::new(*until) }
            }
            store::Fact::TicketVoided { user, signature, last_second } => {
                let ticket = self.signed_ticket(*signature, 0, *last_second);
                Fact::TicketVoided { user: self.user(user.as_str()), ticket }
            }
            store::Fact::DayCounted { user, day } => Fact::DayCounted { user: self.user(user.as_str()), day: *day },
            store::Fact::PresenceChanged { user, number, presence, kicked } => {
                let kicked: Vec<DeviceIndex> = kicked.iter().map(|name| self.named(name)).collect();
                Fact::PresenceChanged {
                    user: self.user(user.as_str()),
                    number: small(*number),
                    presence: *presence,
                    kicked: (!kicked.is_empty()).then(|| self.list(List::Devices(kicked))),
                }
            }
            store::Fact::MessageStored { message } => {
                let (message, from, to, text) = self.message(message);
                Fact::MessageStored { message, from, to, text }
            }
        }
    }

    // ---- devices ----

    fn device_input(&mut self, at: Instant, device: DeviceIndex, input: &client::Input) {
        let what = match input {
            client::Input::Call { call, request } => {
                let request = self.request(device, *call, request);
                What::Called { call: small(call.0), request }
            }
            client::Input::Connected { connection } => What::Connected { connection: connection.0 },
            client::Input::ConnectFailed { connection } => What::ConnectFailed { connection: connection.0 },
            client::Input::Frame { connection, frame } => {
                let frame = self.server_frame(frame);
                let sdk = self.sdk(device);
                match frame {
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
                    | ServerFrame::Error { .. } => {}
                }
                What::DeviceReceived { connection: connection.0, frame }
            }
            client::Input::Closed { connection } => What::Gone { connection: connection.0, peer: None },
            client::Input::Woken => What::SdkWoken,
            client::Input::NetworkChanged => What::NetworkChanged,
        };
        self.push(at, Actor::Device(device), what);
    }

    fn request(&mut self, device: DeviceIndex, call: CallId, request: &Call) -> Request {
        let mut user = self.sdk(device).account;
        let (kind, request) = match request {
            Call::Init(start) => {
                if let Some(installation) = &start.installation {
                    self.register(device, &installation.device);
                }
                (CallKind::Init, Request::Init { platform: start.platform })
            }
            Call::Uninit => (CallKind::Uninit, Request::Uninit),
            Call::Login { user: name, ticket } => {
                let named = self.user(name);
                user = Some(named);
                self.sdk(device).login_asked = user;
                (CallKind::Login, Request::Login { user: named, ticket: self.ticket(ticket) })
            }
            Call::Logout => (CallKind::Logout, Request::Logout),
            Call::Conversations => (CallKind::Conversations, Request::Conversations),
            Call::SendMessage { to, text } => {
                (CallKind::Send, Request::Send { to: self.user(to), text: self.text(text) })
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

    fn device_output(&mut self, at: Instant, device: DeviceIndex, output: &client::Output) {
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
            client::Action::Close { connection } => What::CloseAsked { connection: connection.0, peer: None },
            client::Action::Result { call, outcome } => return self.result(at, device, *call, outcome),
            client::Action::Event(event) => self.told(device, event),
            client::Action::DropEvents => What::EventsDropped,
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
            client::Action::Note(client::Note::NewDevice { device: id }) => {
                What::NewDevice { installation: self.register(device, id) }
            }
        };
        self.push(at, actor, what);
    }

    fn result(&mut self, at: Instant, device: DeviceIndex, call: CallId, outcome: &Result<Reply, Code>) {
        // A result of a call that was never made, or has one already, is shown too: a property objects.
        let (kind, user) = self.sdk(device).calls.remove(&call).map_or((None, None), |(kind, user)| (Some(kind), user));
        let outcome = match outcome {
            Ok(Reply::Done) => Outcome::Done,
            Ok(Reply::Message(MessageId(message))) => Outcome::Message { message: small(*message) },
            Ok(Reply::Conversations(list)) => Outcome::Conversations { conversations: self.conversations(list) },
            Ok(Reply::Report(report)) => Outcome::Report { report: self.report(report) },
            Err(code) => Outcome::Failed { code: *code },
        };
        let actor = Actor::Device(device);
        let call = small(call.0);
        self.push(at, actor, What::Answered { call, kind, user, outcome });
        if kind == Some(CallKind::Uninit) && outcome == Outcome::Done {
            self.push(at, actor, What::UninitReturned { call });
        }
    }

    fn told(&mut self, device: DeviceIndex, event: &client::Event) -> What {
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
        };
        What::Told { event, user, epoch }
    }

    fn write(&mut self, device: DeviceIndex, write: &client::Write) -> Write {
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

    // ---- frames ----

    fn client_frame<T>(
        &mut self,
        frame: &protocol::ClientFrame<T>,
        ticket_of: impl Fn(&mut Self, &T) -> Option<TicketIndex>,
    ) -> ClientFrame {
        match frame {
            protocol::ClientFrame::Hello { version, device, platform } => {
                let (_, installation) = self.installation(device);
                ClientFrame::Hello { version: *version, platform: *platform, installation }
            }
            protocol::ClientFrame::Login { call, attempt, user, ticket, known_ended } => ClientFrame::Login {
                call: small(call.0),
                attempt: *attempt,
                user: self.user(user),
                ticket: ticket_of(self, ticket),
                known_ended: known_ended.as_ref().map(|name| self.session(name)),
            },
            protocol::ClientFrame::LoginAcknowledged { user, epoch } => {
                ClientFrame::LoginAcknowledged { user: self.user(user.as_str()), epoch: small(epoch.0) }
            }
            protocol::ClientFrame::Resume { attempt, user, epoch, ticket } => ClientFrame::Resume {
                attempt: *attempt,
                user: self.user(user.as_str()),
                epoch: small(epoch.0),
                ticket: ticket_of(self, ticket),
            },
            protocol::ClientFrame::Renew { call, attempt, user, epoch, ticket } => ClientFrame::Renew {
                call: small(call.0),
                attempt: *attempt,
                user: self.user(user.as_str()),
                epoch: small(epoch.0),
                ticket: ticket_of(self, ticket),
            },
            protocol::ClientFrame::Logout { call, attempt } => {
                ClientFrame::Logout { call: small(call.0), attempt: *attempt }
            }
            protocol::ClientFrame::Heartbeat => ClientFrame::Heartbeat,
            protocol::ClientFrame::KickConfirmed { user, epoch } => {
                ClientFrame::KickConfirmed { user: self.user(user.as_str()), epoch: small(epoch.0) }
            }
            protocol::ClientFrame::SendMessage { call, to, text } => {
                ClientFrame::Send { call: small(call.0), to: self.user(to.as_str()), text: self.text(text) }
            }
            protocol::ClientFrame::AdminKick { call, user } => {
                ClientFrame::AdminKick { call: small(call.0), user: self.user(user.as_str()) }
            }
            protocol::ClientFrame::QueryStatus { call, users } => {
                let users = users.iter().map(|user| self.user(user.as_str())).collect();
                ClientFrame::Query { call: small(call.0), users: self.users(users) }
            }
        }
    }

    fn server_frame(&mut self, frame: &protocol::ServerFrame) -> ServerFrame {
        match frame {
            protocol::ServerFrame::LoginAnswer { call, outcome: Ok(admission) } => ServerFrame::LoginAccepted {
                call: small(call.0),
                epoch: small(admission.epoch.0),
                conversations: self.conversations(&admission.conversations),
            },
            protocol::ServerFrame::LoginAnswer { call, outcome: Err(refusal) } => {
                ServerFrame::LoginRefused { call: small(call.0), why: why(*refusal) }
            }
            protocol::ServerFrame::ResumeAnswer { attempt, outcome } => self.resume_answer(*attempt, outcome),
            protocol::ServerFrame::RenewAnswer { call, outcome } => {
                ServerFrame::RenewAnswer { call: small(call.0), refused: outcome.err().map(why) }
            }
            protocol::ServerFrame::LogoutAnswer { call, outcome } => {
                ServerFrame::LogoutAnswer { call: small(call.0), refused: outcome.err().map(why) }
            }
            protocol::ServerFrame::HeartbeatAnswer => ServerFrame::HeartbeatAnswer,
            protocol::ServerFrame::Kick(kick) => ServerFrame::Kick { kick: self.kick(kick) },
            protocol::ServerFrame::Expired(name) => {
                let Session { user, epoch } = self.session(name);
                ServerFrame::Expired { user, epoch }
            }
            protocol::ServerFrame::SendAnswer { call, outcome } => ServerFrame::SendAnswer {
                call: small(call.0),
                message: outcome.map_or(0, |message| small(message.0)),
                refused: outcome.err(),
            },
            protocol::ServerFrame::Message(message) => {
                let (message, from, to, text) = self.message(message);
                ServerFrame::Message { message, from, to, text }
            }
            protocol::ServerFrame::AdminKickAnswer { call, outcome } => {
                ServerFrame::AdminKickAnswer { call: small(call.0), refused: outcome.err() }
            }
            protocol::ServerFrame::StatusAnswer { call, outcome } => ServerFrame::QueryAnswer {
                call: small(call.0),
                report: outcome.as_ref().ok().and_then(|report| self.report(report)),
                refused: outcome.as_ref().err().copied(),
            },
            protocol::ServerFrame::Error(error) => ServerFrame::Error { error: *error },
        }
    }

    fn resume_answer(&mut self, attempt: Attempt, outcome: &ResumeOutcome) -> ServerFrame {
        match outcome {
            ResumeOutcome::Resumed { conversations } => {
                ServerFrame::Resumed { attempt, conversations: self.conversations(conversations) }
            }
            ResumeOutcome::LoggedIn(admission) => ServerFrame::ResumedAsLogin {
                attempt,
                epoch: small(admission.epoch.0),
                conversations: self.conversations(&admission.conversations),
            },
            ResumeOutcome::Kicked(kick) => ServerFrame::ResumeKicked { attempt, kick: self.kick(kick) },
            ResumeOutcome::Expired => ServerFrame::ResumeExpired { attempt },
            ResumeOutcome::Refused(code) => ServerFrame::ResumeRefused { attempt, code: *code },
            ResumeOutcome::Unable(code) => ServerFrame::ResumeUnable { attempt, code: *code },
            ResumeOutcome::Stale => ServerFrame::ResumeStale { attempt },
        }
    }

    // ---- faults ----

    fn fault(&mut self, fault: &scenario::Fault) -> Fault {
        match fault {
            scenario::Fault::Partition { site, direction } => {
                Fault::Partition { site: self.site(site), direction: *direction }
            }
            scenario::Fault::Repair { site } => Fault::Repair { site: self.site(site) },
            scenario::Fault::Hold { site } => Fault::Hold { site: self.site(site) },
            scenario::Fault::Release { site } => Fault::Release { site: self.site(site) },
            scenario::Fault::Latency { site, latency } => {
                Fault::Latency { site: self.site(site), min: Micros::from(latency.min), max: Micros::from(latency.max) }
            }
            scenario::Fault::CrashServer => Fault::CrashServer,
            scenario::Fault::BounceServer { after } => Fault::BounceServer { after: Micros::from(*after) },
            scenario::Fault::StartServer => Fault::StartServer,
            scenario::Fault::PowerLossServer => Fault::PowerLossServer,
            scenario::Fault::Reset { device } => Fault::Reset { device: self.called(device) },
            scenario::Fault::Kill { device } => Fault::Kill { device: self.called(device) },
            scenario::Fault::Start { device } => Fault::Start { device: self.called(device) },
            scenario::Fault::Suspend { device } => Fault::Suspend { device: self.called(device) },
            scenario::Fault::Wake { device } => Fault::Wake { device: self.called(device) },
            scenario::Fault::Skew { clock, by } => {
                Fault::Skew { device: self.clock(clock), by: SignedMicros::new(by.0) }
            }
            scenario::Fault::Drift { clock, ppm } => Fault::Drift { device: self.clock(clock), ppm: *ppm },
            scenario::Fault::Wipe { device } => Fault::Wipe { device: self.called(device) },
        }
    }

    fn clock(&self, clock: &Clock) -> Option<DeviceIndex> {
        match clock {
            Clock::Server => None,
            Clock::Device(device) => Some(self.called(device)),
        }
    }

    fn called(&self, device: &DeviceName) -> DeviceIndex {
        self.cast.find_device(device.as_str()).expect("a fault names a device of the scenario")
    }

    fn site(&self, site: &SiteName) -> super::SiteIndex {
        self.cast.find_site(site.as_str()).expect("a fault names a site of the scenario")
    }

    // ---- names ----

    fn sdk(&mut self, device: DeviceIndex) -> &mut Sdk {
        &mut self.sdks[device.index()]
    }

    /// The id belongs to this device from now on. Says the how manieth of its ids it is.
    fn register(&mut self, device: DeviceIndex, id: &DeviceId) -> u16 {
        if let Some(&(_, number)) = self.installations.get(id) {
            return number;
        }
        let sdk = &mut self.sdks[device.index()];
        sdk.installations = sdk.installations.saturating_add(1);
        let number = sdk.installations;
        self.installations.insert(*id, (device, number));
        self.public_names.insert(id.public_name(), device);
        number
    }

    fn installation(&self, id: &DeviceId) -> (DeviceIndex, u16) {
        self.installations.get(id).copied().unwrap_or((DeviceIndex::STRANGER, 0))
    }

    fn device(&self, id: &DeviceId) -> DeviceIndex {
        self.installation(id).0
    }

    fn named(&self, name: &PublicName) -> DeviceIndex {
        self.public_names.get(name).copied().unwrap_or(DeviceIndex::STRANGER)
    }

    fn peer(&self, connection: ConnectionId) -> Option<DeviceIndex> {
        self.peers.get(&connection).copied()
    }

    fn user(&mut self, name: &str) -> UserIndex {
        self.cast.user(name, &mut self.encoder)
    }

    fn text(&mut self, text: &str) -> TextIndex {
        self.cast.intern_text(text, &mut self.encoder)
    }

    fn list(&mut self, list: List) -> ListIndex {
        self.cast.intern_list(list, &mut self.encoder)
    }

    fn users(&mut self, users: Vec<UserIndex>) -> Option<ListIndex> {
        (!users.is_empty()).then(|| self.list(List::Users(users)))
    }

    fn conversations(&mut self, conversations: &[Conversation]) -> Option<ListIndex> {
        let lines: Vec<ConversationLine> = conversations
            .iter()
            .map(|line| ConversationLine {
                peer: self.user(line.peer.as_str()),
                last: small(line.last.0),
                preview: self.text(&line.preview),
            })
            .collect();
        (!lines.is_empty()).then(|| self.list(List::Conversations(lines)))
    }

    fn report(&mut self, report: &StatusReport) -> Option<ListIndex> {
        let mut lines = Vec::new();
        for status in &report.users {
            let devices = status.devices.iter().map(|device| ReportDevice {
                device: self.named(&device.device),
                platform: device.platform,
                state: device.state,
            });
            let devices = devices.collect();
            let user = self.user(status.user.as_str());
            lines.push(ReportLine { user, presence: Some(status.presence), devices });
        }
        for user in &report.unknown {
            lines.push(ReportLine { user: self.user(user.as_str()), presence: None, devices: Vec::new() });
        }
        (!lines.is_empty()).then(|| self.list(List::Report(lines)))
    }

    fn session(&mut self, name: &SessionName) -> Session {
        Session { user: self.user(name.user.as_str()), epoch: small(name.epoch.0) }
    }

    fn kick(&mut self, kick: &protocol::Kick) -> Kick {
        let protocol::Kick { user, epoch: Epoch(epoch), reason, by } = kick;
        Kick {
            user: self.user(user.as_str()),
            epoch: small(*epoch),
            reason: *reason,
            by: by.as_ref().map(|by| self.named(by)),
        }
    }

    fn message(&mut self, message: &Message) -> (u32, UserIndex, UserIndex, TextIndex) {
        let from: UserId = message.from;
        (small(message.id.0), self.user(from.as_str()), self.user(message.to.as_str()), self.text(&message.text))
    }

    // ---- tickets ----

    fn add_ticket(&mut self, name: Option<&str>, claims: Option<&Claims>) -> TicketIndex {
        let (issued, ttl) = claims.map_or((0, 0), |claims| (claims.issued_at, claims.ttl));
        let index = self.cast.add_ticket(name, issued, ttl, &mut self.encoder);
        if let Some(claims) = claims {
            self.ticket_by_signature.entry(claims.signature).or_insert(index);
        }
        index
    }

    fn ticket(&mut self, text: &Ticket) -> TicketIndex {
        if let Some(&index) = self.ticket_by_text.get(text) {
            return index;
        }
        let claims = ticket::read(text.as_str()).ok().map(|contents| contents.claims);
        let known = claims.as_ref().and_then(|claims| self.ticket_by_signature.get(&claims.signature).copied());
        let index = known.unwrap_or_else(|| self.add_ticket(None, claims.as_ref()));
        self.ticket_by_text.insert(text.clone(), index);
        index
    }

    fn opened_ticket(&mut self, opened: &OpenedTicket) -> Option<TicketIndex> {
        let claims = opened.as_ref().ok()?.claims;
        Some(match self.ticket_by_signature.get(&claims.signature) {
            Some(&index) => index,
            None => self.add_ticket(None, Some(&claims)),
        })
    }

    fn session_ticket(&mut self, ticket: &store::SessionTicket) -> TicketIndex {
        self.signed_ticket(ticket.signature, ticket.issued_at, ticket.last_second)
    }

    fn signed_ticket(&mut self, signature: Signature, issued_at: u64, last_second: u64) -> TicketIndex {
        if let Some(&index) = self.ticket_by_signature.get(&signature) {
            return index;
        }
        let index = self.cast.add_ticket(None, issued_at, last_second.saturating_sub(issued_at), &mut self.encoder);
        self.ticket_by_signature.insert(signature, index);
        index
    }
}

fn why(refusal: protocol::Refusal) -> Refusal {
    match refusal {
        protocol::Refusal::Code(code) => Refusal::Refused { code },
        protocol::Refusal::Stale => Refusal::Stale,
    }
}

/// Events keep 32 bits of a count.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
