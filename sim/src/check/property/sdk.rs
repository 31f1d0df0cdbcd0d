//! Each device as its events tell it: process, status, session, calls, connection, disk.
//!
//! Keeps the books and judges nothing.

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::limits::ClientLimits;
use gatecrash::time::Instant;

use crate::check::grown::grown;
use crate::check::reading::kind_of;
use crate::scenario::CallKind;
use crate::trace::{
    Actor, ClientFrame, DeviceIndex, Effect, Event, Request, ServerFrame, Session, UserIndex, What, Write,
};

/// Every device.
#[derive(Clone, Debug, Default)]
pub(super) struct Sdks {
    devices: Vec<Sdk>,
    /// What a device is before anything happened to it.
    fresh: Sdk,
}

/// One device.
#[derive(Clone, Debug)]
pub(super) struct Sdk {
    /// Whose record it has a copy of, if it has: to the server it is that device.
    pub(super) known_as: Option<DeviceIndex>,
    pub(super) is_suspended: bool,
    /// When it was last frozen.
    pub(super) suspended_at: Instant,
    /// When it last went on after being frozen.
    pub(super) woken_at: Instant,
    pub(super) is_initialised: bool,
    /// The last call of `init`.
    initialised_by: u32,
    pub(super) status: Status,
    pub(super) login_user: Option<UserIndex>,
    /// The user of the login under way, or of the session, or of the one before.
    pub(super) account: Option<UserIndex>,
    /// Whom the last login call named.
    asked_account: Option<UserIndex>,
    /// The session while LOGINED.
    pub(super) session: Option<Session>,
    /// The session before, and why the status is LOGOUT.
    pub(super) last_session: Option<Session>,
    pub(super) rest: Rest,
    /// The number of the login call under way.
    pub(super) login_call: u32,
    admitted: u32,
    /// Calls without a result.
    pub(super) calls: Vec<PendingCall>,
    /// What went into the SDK last.
    pub(super) cause: Cause,
    /// The last write to the disk asked for, and the last one done.
    pub(super) asked: u32,
    pub(super) stored: u32,
    /// When a logout last had its result.
    pub(super) logout_told_at: Option<Instant>,
    stored_at: Instant,
    /// Whether its record, as it is to be, says that the server is owed an end.
    pub(super) owes_end: bool,
    /// The connection asked for and not gone.
    pub(super) connection: Option<u32>,
    /// When it was asked for.
    pub(super) connect_asked_at: Instant,
    /// Since when a login or resume is accepted on it.
    pub(super) up_since: Option<Instant>,
    /// The session's link while another connection is made that is to take its place, and since when it was one
    /// (CONN-10).
    pub(super) doubted: Option<(u32, Instant)>,
    /// When it last stayed on a link that it had wanted to replace.
    pub(super) kept_at: Instant,
    /// When a box on the way was seen to have forgotten it.
    pub(super) forgotten_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingCall {
    pub(super) call: u32,
    pub(super) kind: CallKind,
    pub(super) at: Instant,
}

impl PendingCall {
    /// How long it may take for its result; no time for one that is answered at once.
    pub(super) fn time(&self, limits: &ClientLimits) -> Duration {
        match self.kind {
            CallKind::Login => limits.login_timeout,
            CallKind::Logout | CallKind::Send | CallKind::Kick | CallKind::Query => limits.request_timeout,
            CallKind::Init | CallKind::Uninit | CallKind::Conversations => Duration::ZERO,
        }
    }
}

/// Why nobody is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The process is new.
    Fresh,
    /// The application logged out, or uninitialised.
    Asked(CallKind),
    /// A login failed.
    Failed,
    /// The session ended without being asked.
    Ended,
}

/// What went into the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The application's call.
    Call(u32, CallKind),
    /// Anything else.
    Other,
}

impl Default for Sdk {
    fn default() -> Self {
        Sdk {
            known_as: None,
            is_suspended: false,
            suspended_at: Instant::ZERO,
            woken_at: Instant::ZERO,
            is_initialised: false,
            initialised_by: 0,
            status: Status::Logout,
            login_user: None,
            account: None,
            asked_account: None,
            session: None,
            last_session: None,
            rest: Rest::Fresh,
            login_call: 0,
            admitted: 0,
            calls: Vec::new(),
            cause: Cause::Other,
            asked: 0,
            stored: 0,
            logout_told_at: None,
            stored_at: Instant::ZERO,
            owes_end: false,
            connection: None,
            connect_asked_at: Instant::ZERO,
            up_since: None,
            doubted: None,
            kept_at: Instant::ZERO,
            forgotten_at: None,
        }
    }
}

impl Sdk {
    /// Which call of the application, if any, makes the session end just now.
    pub(super) fn asked_to_end(&self) -> Option<CallKind> {
        match self.cause {
            Cause::Call(call, kind @ (CallKind::Logout | CallKind::Uninit | CallKind::Login)) => {
                self.calls.iter().any(|pending| pending.call == call).then_some(kind)
            }
            Cause::Call(..) | Cause::Other => None,
        }
    }

    /// Whether a login call of the user who is logged in came just now (LOGIN-5).
    pub(super) fn renews(&self) -> bool {
        self.asked_to_end() == Some(CallKind::Login) && self.asked_account == self.account
    }

    /// Whether outputs may wait for the device's disk, or have done so just now.
    pub(super) fn is_writing(&self, now: Instant) -> bool {
        self.asked > self.stored || self.stored > 0 && self.stored_at == now
    }

    fn status(&mut self, status: Status, login_user: Option<UserIndex>) {
        match status {
            Status::Logining => {
                self.account = self.asked_account;
                if let Cause::Call(call, CallKind::Login) = self.cause {
                    self.login_call = call;
                }
            }
            Status::Logined => self.session = login_user.map(|user| Session { user, epoch: self.admitted }),
            Status::Logout => {
                self.rest = match (self.asked_to_end(), self.status) {
                    (Some(kind), _) => Rest::Asked(kind),
                    (None, Status::Logined) => Rest::Ended,
                    (None, Status::Logining | Status::Logout) => Rest::Failed,
                };
                self.last_session = self.session.take().or(self.last_session);
            }
        }
        (self.status, self.login_user) = (status, login_user);
    }

    fn gone(&mut self, connection: u32) {
        if self.connection == Some(connection) {
            (self.connection, self.up_since) = (None, None);
        }
        self.doubted = self.doubted.filter(|(doubted, _)| *doubted != connection);
    }

    fn observe(&mut self, event: &Event) {
        match event.what {
            What::Called { call, request } => {
                let kind = kind_of(&request);
                self.calls.push(PendingCall { call, kind, at: event.at });
                self.cause = Cause::Call(call, kind);
                match request {
                    Request::Init { .. } => (self.is_initialised, self.initialised_by) = (true, call),
                    Request::Login { user, .. } => self.asked_account = Some(user),
                    _ => {}
                }
            }
            What::Answered { call, kind, .. } => {
                if kind == Some(CallKind::Logout) {
                    self.logout_told_at = Some(event.at);
                }
                self.calls.retain(|pending| pending.call != call);
            }
            What::KnownAs { device, .. } => self.known_as = Some(device),
            What::NewDevice { .. } => self.known_as = None,
            What::UninitReturned { call } => self.is_initialised = self.initialised_by > call,
            What::Status { status, login_user } => self.status(status, login_user),
            What::DeviceReceived { connection, frame } => {
                self.cause = Cause::Other;
                match frame {
                    ServerFrame::LoginAccepted { call, epoch, .. }
                        if call == self.login_call && self.status == Status::Logining =>
                    {
                        self.admitted = epoch;
                        self.up(connection, event.at);
                    }
                    // What comes on one that the device has closed is not heard any more.
                    ServerFrame::ResumedAsLogin { epoch, .. } if self.connection == Some(connection) => {
                        if let Some(session) = &mut self.session {
                            session.epoch = epoch;
                        }
                        self.up(connection, event.at);
                    }
                    ServerFrame::Resumed { .. } => self.up(connection, event.at),
                    _ => {}
                }
            }
            What::DeviceSent { frame: ClientFrame::Login { .. }, .. } => self.up_since = None,
            What::ConnectAsked { connection } => {
                self.doubted = self.connection.zip(self.up_since);
                (self.connection, self.up_since, self.connect_asked_at) = (Some(connection), None, event.at);
                self.forgotten_at = None;
            }
            What::Connected { .. } | What::SdkWoken | What::NetworkChanged => self.cause = Cause::Other,
            What::ConnectFailed { connection } | What::Untrusted { connection } | What::Gone { connection, .. } => {
                self.cause = Cause::Other;
                self.gone(connection);
            }
            What::CloseAsked { connection, .. } => self.gone(connection),
            What::LinkKept => {
                if let Some((link, since)) = self.doubted.take() {
                    (self.connection, self.up_since, self.kept_at) = (Some(link), Some(since), event.at);
                }
            }
            What::StoreAsked { change, write } => {
                self.asked = change;
                if let Write::Installation { owed_end, .. } = write {
                    self.owes_end = owed_end;
                }
            }
            What::Stored { change } => (self.stored, self.stored_at) = (change, event.at),
            _ => {}
        }
    }

    fn up(&mut self, connection: u32, at: Instant) {
        if self.connection == Some(connection) && self.up_since.is_none() {
            self.up_since = Some(at);
        }
    }
}

impl Sdks {
    /// The device, if anything happened to it.
    pub(super) fn find(&self, device: DeviceIndex) -> Option<&Sdk> {
        self.devices.get(device.index())
    }

    /// The device an event happens to.
    pub(super) fn actor(&self, event: &Event) -> Option<(DeviceIndex, &Sdk)> {
        match event.actor {
            Actor::Device(DeviceIndex::STRANGER) => None,
            Actor::Device(device) => Some((device, self.find(device).unwrap_or(&self.fresh))),
            Actor::World | Actor::Server => None,
        }
    }

    /// Every device.
    pub(super) fn iter(&self) -> impl Iterator<Item = (DeviceIndex, &Sdk)> {
        self.devices.iter().enumerate().map(|(index, sdk)| (DeviceIndex::new(index), sdk))
    }

    fn entry(&mut self, device: DeviceIndex) -> &mut Sdk {
        grown(&mut self.devices, device.index())
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match (event.actor, event.what) {
            (Actor::World, What::Effect { effect }) => match effect {
                Effect::ProcessDead { device } | Effect::ProcessUp { device } => *self.entry(device) = Sdk::default(),
                Effect::Suspended { device } => {
                    let sdk = self.entry(device);
                    // Frozen again at the instant it woke, it has done nothing in between.
                    let since = if sdk.woken_at == event.at { sdk.suspended_at } else { event.at };
                    (sdk.is_suspended, sdk.suspended_at) = (true, since);
                }
                Effect::LinkForgotten { device } => self.entry(device).forgotten_at = Some(event.at),
                Effect::Woken { device } => {
                    let sdk = self.entry(device);
                    (sdk.is_suspended, sdk.woken_at) = (false, event.at);
                }
                _ => {}
            },
            (Actor::Device(device), _) if device != DeviceIndex::STRANGER => self.entry(device).observe(event),
            _ => {}
        }
    }
}
