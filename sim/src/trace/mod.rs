//! A trace: everything that happened in one run, as small typed events that name entities by number.
//!
//! Types only. `record` derives events from what goes into the cores and what comes out of them, so
//! that every world gives the same kind of trace; `render` and `json` show them, `digest` sums them
//! up. Whether what happened is right is judged elsewhere, from the events alone.

mod alias;
mod cast;
mod convergence;
mod difference;
pub mod digest;
mod fault;
mod field;
pub mod flight;
mod index;
pub mod json;
pub mod ledger;
pub mod log;
pub mod parse;
pub mod record;
pub mod render;
pub mod select;
pub mod ties;

use gatecrash::client::Status;
use gatecrash::code::{Code, Reason};
use gatecrash::id::Attempt;
use gatecrash::policy::{Platform, Seats};
use gatecrash::protocol::{self, Closing, FrameError, KickReason, Presence};
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

pub use alias::Aliases;
pub use cast::{Cast, CastDevice, CastTicket, ConversationLine, List, ReportDevice, ReportLine};
pub use difference::difference;
pub use digest::Digest;
pub use fault::{Between, ClockOf, Fault};
pub use field::{Leaf, Micros, Seconds, SignedMicros, Value};
pub use index::{DeviceIndex, ListIndex, SiteIndex, TextIndex, TicketIndex, UserIndex};
pub use ledger::Ledger;
pub use record::{Ending, Recorder, Summary};

use crate::scenario::{CallKind, Conduct};
use field::records;

/// Everything that happened in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Who and what the events name.
    pub cast: Cast,
    /// What happened, in the order in which the world carried it out. Empty when the run was only
    /// watched by observers.
    pub events: Vec<Event>,
    /// The sum of all events, also of those not kept.
    pub digest: Digest,
}

/// Watches a run while it happens, so that nothing need be kept.
pub trait Observer: Send {
    /// One more event. What it names is in `cast` by now.
    fn observe(&mut self, cast: &Cast, event: &Event);
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When: simulated time since the start of the run.
    pub at: Instant,
    /// To whom. Only events of one actor are in an order that no latency can change.
    pub actor: Actor,
    /// Which of this actor's events it is, counted from 1.
    pub number: u32,
    /// What.
    pub what: What,
}

/// To whom something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The world: the script, its faults, the phases of the run.
    World,
    /// The server.
    Server,
    /// A device: its application and its SDK.
    Device(DeviceIndex),
}

/// A session of a device: with the device, (user, epoch) is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    /// Whose.
    pub user: UserIndex,
    /// Its epoch.
    pub epoch: u32,
}

/// The end of a session as its device is told (KICK-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kick {
    /// Whose session.
    pub user: UserIndex,
    /// Its epoch.
    pub epoch: u32,
    /// Why.
    pub reason: KickReason,
    /// The device whose login displaced it, where one did.
    pub by: Option<DeviceIndex>,
}

/// What the server asks of a device for as long as its link lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Over how long those come back whose links the server closes (CONN-2).
    pub return_spread: Micros,
    /// After how many milliseconds of silence it wants a heartbeat, 0 if it leaves that to the device (CONN-11).
    pub heartbeat: u32,
}

impl From<protocol::Terms> for Terms {
    fn from(terms: protocol::Terms) -> Self {
        let heartbeat = terms.heartbeat.map_or(0, |heartbeat| u32::try_from(heartbeat.as_millis()).unwrap_or(u32::MAX));
        Terms { return_spread: terms.return_spread.into(), heartbeat }
    }
}

impl Default for Terms {
    fn default() -> Self {
        protocol::Terms::default().into()
    }
}

/// Why the server did not do what a device asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The caller sees this code.
    Code(Code),
    /// A later attempt came first (ATT-1).
    Stale,
}

// The product counts calls, epochs, changes and messages in 64 bits. Events keep 32 of them, which
// no run uses up; a forged number above that is shown as the largest one.
//
// `call` 0 is no call, `reveals` and `commit` 0 wait for nothing, `epoch` 0 is no session.
records! {
    /// What happened.
    pub enum What {
        // ---- between an application and its SDK ----
        /// The application calls. Numbers of calls may start over with each process.
        Called = "called" { call: u32, request: Request },
        /// The call has its result.
        Answered = "answered" {
            call: u32,
            /// Which call it was; none when no call of this number waits for a result.
            kind: Option<CallKind>,
            /// The user whose call it was: of a login the one named, of others the account the SDK worked for.
            user: Option<UserIndex>,
            outcome: Outcome,
        },
        /// The result of `uninit` is out: nothing may be called back any more (INIT-3).
        UninitReturned = "uninit_returned" { call: u32 },
        /// The listener is called.
        Told = "told" {
            event: Told,
            /// The account it is about: the one the SDK worked for, or the one the event names.
            user: Option<UserIndex>,
            /// The session it is about, 0 before there was one.
            epoch: u32,
        },
        /// Listener calls that were asked for and not made are not made any more (SWITCH-2).
        EventsDropped = "events_dropped",
        /// The login status and user changed (LOGIN-6, LOGIN-7).
        Status = "status" { status: Status, login_user: Option<UserIndex> },

        // ---- on the wire ----
        /// A device's frame left.
        DeviceSent = "device_sent" { connection: u32, reveals: u32, frame: ClientFrame },
        /// A device's frame reached the server.
        ServerReceived = "server_received" { connection: u32, peer: Option<DeviceIndex>, frame: ClientFrame },
        /// The server's frame left.
        ServerSent = "server_sent" { connection: u32, peer: Option<DeviceIndex>, reveals: u32, frame: ServerFrame },
        /// The server's frame reached a device.
        DeviceReceived = "device_received" { connection: u32, frame: ServerFrame },
        /// Something that is no frame reached the server (INPUT-1).
        Malformed = "malformed" { connection: u32, peer: Option<DeviceIndex>, why: FrameError },
        /// A device asks for a connection.
        ConnectAsked = "connect_asked" { connection: u32 },
        /// A device has its connection.
        Connected = "connected" { connection: u32 },
        /// A device does not get its connection.
        ConnectFailed = "connect_failed" { connection: u32 },
        /// The server accepted a connection.
        Opened = "opened" { connection: u32 },
        /// A core closes its end of a connection.
        CloseAsked = "close_asked" { connection: u32, peer: Option<DeviceIndex> },
        /// A core is told that its connection is gone.
        Gone = "gone" { connection: u32, peer: Option<DeviceIndex> },

        // ---- on the server ----
        /// The server decided a change; its facts follow at once. `wall` is its clock.
        Commit = "commit" { commit: u32, wall: Micros },
        /// One fact of that change.
        Fact = "fact" { commit: u32, fact: Fact },
        /// Every change up to this one is on disk.
        Committed = "committed" { commit: u32 },
        /// A ticket was judged at this second of the server's clock (TICKET-3).
        TicketJudged = "ticket_judged" {
            device: DeviceIndex,
            user: UserIndex,
            second: Seconds,
            refused: Option<Code>,
        },
        /// A session is displaced first from now on (CONN-6).
        Dormant = "dormant" { user: UserIndex, device: DeviceIndex, epoch: u32 },
        /// The server's core began to run on its records, which hold every change up to this one.
        ServerStarted = "server_started" { commit: u32, wall: Micros },
        /// A commit failed: which changes are on disk is unknown until the server starts again (DUR-5).
        StoreFailed = "store_failed",
        /// The server's configuration, at the start and at each change (POLICY-5).
        Configured = "configured" {
            seats: Seats,
            reconnect_kicks: bool,
            notify_offline_kick: bool,
            administrators: Option<ListIndex>,
        },
        /// The server was told that its wall clock jumped.
        ClockChanged = "clock_changed" { wall: Micros },

        // ---- on a device ----
        /// The SDK writes to the device's disk.
        StoreAsked = "store_asked" { change: u32, write: Write },
        /// Every write up to this one is on the device's disk (ATT-4).
        Stored = "stored" { change: u32 },
        /// The delay drawn before the next attempt to connect; `attempt` counts those in a row, from 1 (CONN-2).
        BackOff = "back_off" { attempt: u32, delay: Micros },
        /// The SDK takes its link for lost.
        LinkLost = "link_lost",
        /// The SDK goes on under a new device id; `installation` counts the device's ids, from 1 (ATT-1).
        NewDevice = "new_device" { installation: u16 },
        /// The SDK is told that the device runs again (CONN-10).
        SdkWoken = "sdk_woken",
        /// The SDK is told that the network changed (CONN-10).
        NetworkChanged = "network_changed",

        // ---- in the world ----
        /// A step of the script breaks or heals something.
        Fault = "fault" { fault: Fault },
        /// What became of the world, by a fault or by itself.
        Effect = "effect" { effect: Effect },
        /// A stranger opens a connection from a device's site, outside its SDK (INPUT-1).
        Stranger = "stranger" { device: DeviceIndex, conduct: Conduct },
        /// The business server signed a ticket, or somebody forged one.
        TicketMade = "ticket_made" { ticket: TicketIndex, user: Option<UserIndex>, issued: Seconds, ttl: Seconds },
        /// The server accepts the old key no more.
        OldKeyDropped = "old_key_dropped",
        /// The script is over: faults are off, what should converge must.
        ScriptEnded = "script_ended",
        /// Everything that should have come to rest has.
        Converged = "converged",
        /// It has not, within its bound.
        NotConverged = "not_converged" { reason: TextIndex },

        // ---- later additions, in the order they came ----
        /// The server begins to stop (STOP-1).
        Stopping = "stopping",
        /// The SDK stays on the link that it wanted to replace, which has answered (CONN-10).
        LinkKept = "link_kept",
        /// The SDK is told that the device's record cannot be written: what waits for it has not left, and will not
        /// (ATT-5).
        RecordFailed = "record_failed",
        /// The first that came on a device's connection is no frame: it is no server that answers there (INPUT-6).
        NoFrame = "no_frame" { connection: u32 },
        /// The record that the SDK starts from is a copy of this device's, and so is its id: to the
        /// server it is that one (ATT-3).
        KnownAs = "known_as" { device: DeviceIndex, installation: u16 },
        /// The server finds that it has not run for a while (CONN-5).
        StoodStill = "stood_still" { wall: Micros },
        /// Whoever answered where a connection was to go could not prove to be the server (TLS-2).
        Untrusted = "untrusted" { connection: u32 },
    }

    /// What an application calls. Users are as the application wrote them.
    pub enum Request {
        /// `init`.
        Init = "init" { platform: Platform },
        /// `uninit`.
        Uninit = "uninit",
        /// `login`: login, renewal or switch.
        Login = "login" { user: UserIndex, ticket: TicketIndex },
        /// `logout`.
        Logout = "logout",
        /// The conversation list.
        Conversations = "conversations",
        /// `send_message`.
        Send = "send" {
            to: UserIndex,
            text: TextIndex,
            /// What the application calls it, by the order in which such ids were first seen, from 1 (API-6).
            id: Option<u32>,
        },
        /// The administrative kick.
        Kick = "kick" { user: UserIndex },
        /// The administrative status query; no list when nobody is named.
        Query = "query" { users: Option<ListIndex> },
    }

    /// The result of a call.
    pub enum Outcome {
        /// It succeeded.
        Done = "ok",
        /// It succeeded, with a message's number.
        Message = "ok_message" { message: u32 },
        /// It succeeded, with a conversation list; none when that is empty.
        Conversations = "ok_conversations" { conversations: Option<ListIndex> },
        /// It succeeded, with a status report; none when that is empty.
        Report = "ok_report" { report: Option<ListIndex> },
        /// It failed.
        Failed = "failed" { code: Code, reason: Option<Reason> },
    }

    /// What a listener is told.
    pub enum Told {
        /// An attempt to connect begins.
        Connecting = "connecting",
        /// A login or resume was accepted.
        ConnectSuccess = "connect_success",
        /// The attempt failed.
        ConnectFailed = "connect_failed" { code: Code },
        /// The session was ended by the server.
        KickedOffline = "kicked_offline" { by: Option<DeviceIndex>, reason: KickReason },
        /// The session ended with its ticket.
        UserSigExpired = "user_sig_expired",
        /// A message arrived.
        Message = "message" { message: u32, from: UserIndex, to: UserIndex, text: TextIndex },
        /// So many messages are lost to the device (API-7).
        MessagesDropped = "messages_dropped" { count: u32 },
    }

    /// What a device sends.
    pub enum ClientFrame {
        /// Who speaks. `installation` counts the device's ids, from 1.
        Hello = "hello" { version: u32, platform: Platform, installation: u16 },
        /// Asks for a new session.
        Login = "login" {
            call: u32,
            attempt: Attempt,
            user: UserIndex,
            ticket: Option<TicketIndex>,
            known_ended: Option<Session>,
        },
        /// The login's answer arrived.
        LoginAcknowledged = "login_acknowledged" { user: UserIndex, epoch: u32 },
        /// Asks for the session back.
        Resume = "resume" {
            attempt: Attempt,
            user: UserIndex,
            epoch: u32,
            ticket: Option<TicketIndex>,
            /// The place of the last message it has, 0 before the first (API-7).
            received: u32,
        },
        /// Brings a fresh ticket.
        Renew = "renew" { call: u32, attempt: Attempt, user: UserIndex, epoch: u32, ticket: Option<TicketIndex> },
        /// Ends the device's sessions up to this attempt; `call` 0 is an owed end.
        Logout = "logout" { call: u32, attempt: Attempt },
        /// Asks for a sign of life.
        Heartbeat = "heartbeat",
        /// The device has noted the end of this session.
        KickConfirmed = "kick_confirmed" { user: UserIndex, epoch: u32 },
        /// A message.
        Send = "send" { call: u32, to: UserIndex, text: TextIndex, id: u32 },
        /// The administrative kick.
        AdminKick = "admin_kick" { call: u32, user: UserIndex },
        /// The administrative status query.
        Query = "query" { call: u32, users: Option<ListIndex> },
        /// The device has every message of the session up to this place.
        MessagesReceived = "messages_received" { user: UserIndex, epoch: u32, through: u32 },
    }

    /// What the server sends.
    pub enum ServerFrame {
        /// Answers a login: accepted.
        LoginAccepted = "login_accepted" { call: u32, epoch: u32, conversations: Option<ListIndex>, terms: Terms },
        /// Answers a login: refused.
        LoginRefused = "login_refused" { call: u32, refused: Refusal },
        /// Answers a resume: the session goes on.
        Resumed = "resumed" { attempt: Attempt, conversations: Option<ListIndex>, terms: Terms, dropped: u32 },
        /// Answers a resume: accepted as a new login (KICK-6).
        ResumedAsLogin = "resumed_as_login" {
            attempt: Attempt,
            epoch: u32,
            conversations: Option<ListIndex>,
            terms: Terms,
        },
        /// Answers a resume: the session was ended.
        ResumeKicked = "resume_kicked" { attempt: Attempt, kick: Kick },
        /// Answers a resume: the session ended with its ticket.
        ResumeExpired = "resume_expired" { attempt: Attempt },
        /// Answers a resume: its ticket is refused.
        ResumeRefused = "resume_refused" { attempt: Attempt, code: Code },
        /// Answers a resume: the server could not carry it out.
        ResumeUnable = "resume_unable" { attempt: Attempt, code: Code },
        /// Answers a resume: a later attempt came first.
        ResumeStale = "resume_stale" { attempt: Attempt },
        /// Answers a renewal.
        RenewAnswer = "renew_answer" { call: u32, refused: Option<Refusal> },
        /// Answers a logout.
        LogoutAnswer = "logout_answer" { call: u32, refused: Option<Refusal> },
        /// Answers a heartbeat.
        HeartbeatAnswer = "heartbeat_answer",
        /// A session was ended for its device.
        Kick = "kick" { kick: Kick },
        /// A session ended with its ticket.
        Expired = "expired" { user: UserIndex, epoch: u32 },
        /// Answers a message.
        SendAnswer = "send_answer" { call: u32, message: u32, refused: Option<Code> },
        /// A message, at its place among those of the session.
        Message = "message" { message: u32, from: UserIndex, to: UserIndex, text: TextIndex, place: u32 },
        /// Answers the administrative kick.
        AdminKickAnswer = "admin_kick_answer" { call: u32, refused: Option<Code> },
        /// Answers the status query.
        QueryAnswer = "query_answer" { call: u32, report: Option<ListIndex>, refused: Option<Code> },
        /// The frame was not acceptable.
        Error = "error" { why: FrameError },
        /// The server closes the connection on purpose, and wants the device back so much later, spread over so much
        /// time (CONN-2).
        Closing = "closing" { why: Closing, after: Micros, spread: Micros },
    }

    /// What became true on the server. `installation` tells apart the ids one device has had.
    pub enum Fact {
        /// A new account.
        AccountCreated = "account_created" { user: UserIndex },
        /// The device's highest attempt acted upon.
        AttemptRaised = "attempt_raised" { device: DeviceIndex, installation: u16, attempt: Attempt },
        /// A login was accepted.
        SessionAccepted = "session_accepted" {
            user: UserIndex,
            device: DeviceIndex,
            installation: u16,
            platform: Platform,
            epoch: u32,
            attempt: Attempt,
            ticket: TicketIndex,
            /// The last second at which its ticket is valid.
            until: Seconds,
        },
        /// The session has a connection again.
        SessionResumed = "session_resumed" {
            user: UserIndex,
            device: DeviceIndex,
            epoch: u32,
            ticket: TicketIndex,
            until: Seconds,
        },
        /// The session lives by another ticket.
        SessionRenewed = "session_renewed" {
            user: UserIndex,
            device: DeviceIndex,
            epoch: u32,
            ticket: TicketIndex,
            until: Seconds,
        },
        /// The device has the login's answer.
        LoginAcknowledged = "login_acknowledged" { user: UserIndex, device: DeviceIndex, epoch: u32 },
        /// The server noticed that the session's connection is gone, at this time of its clock.
        LinkLost = "link_lost" { user: UserIndex, device: DeviceIndex, epoch: u32, wall: Micros },
        /// The session is over. Where the reason is a kick, that is owed from now on.
        SessionEnded = "session_ended" {
            user: UserIndex,
            device: DeviceIndex,
            installation: u16,
            epoch: u32,
            reason: EndReason,
            by: Option<DeviceIndex>,
        },
        /// The kick is owed no more.
        KickSettled = "kick_settled" { user: UserIndex, device: DeviceIndex, epoch: u32 },
        /// Why the device's last session ended is forgotten.
        EndForgotten = "end_forgotten" { device: DeviceIndex },
        /// ATT-6: the device is as one that was never admitted.
        DeviceForgotten = "device_forgotten" { user: UserIndex, device: DeviceIndex, installation: u16 },
        /// Tickets issued up to this second are void.
        TicketsVoided = "tickets_voided" { user: UserIndex, until: Seconds },
        /// One ticket is void.
        TicketVoided = "ticket_voided" { user: UserIndex, ticket: TicketIndex },
        /// The user counts for this day since 1970.
        DayCounted = "day_counted" { user: UserIndex, day: u32, users: u32 },
        /// The user's presence from now on; no list when nobody was kicked.
        PresenceChanged = "presence" { user: UserIndex, sequence: u32, presence: Presence, kicked: Option<ListIndex> },
        /// A message was accepted.
        MessageStored = "message_stored" { message: u32, from: UserIndex, to: UserIndex, text: TextIndex, id: u32 },
        /// What the user called their messages up to this one is forgotten (API-6).
        SentForgotten = "sent_forgotten" { user: UserIndex, through: u32 },
        /// A session is owed the message.
        MessageOwed = "message_owed" { user: UserIndex, device: DeviceIndex, epoch: u32, message: u32 },
        /// The device has every message of the session up to this place.
        MessagesReceived = "messages_received" { user: UserIndex, device: DeviceIndex, epoch: u32, through: u32 },
        /// There was no room for the session's messages up to this place.
        MessagesDropped = "messages_dropped" { user: UserIndex, device: DeviceIndex, epoch: u32, through: u32 },
    }

    /// What the SDK writes to the device's disk.
    pub enum Write {
        /// The device's record.
        Installation = "installation" {
            installation: u16,
            starts: u32,
            owed_end: bool,
            known_ended: Option<Session>,
        },
        /// A user's cached conversation list; none when it is empty.
        Conversations = "conversations" { user: UserIndex, conversations: Option<ListIndex> },
    }

    /// What became of the world. A fault counts when its effect is seen.
    pub enum Effect {
        /// The last fault found nothing to break or heal.
        Nothing = "nothing",
        /// The server's process is dead.
        ServerDead = "server_dead",
        /// The server's process runs.
        ServerUp = "server_up",
        /// The device's process is dead: its calls get no result any more.
        ProcessDead = "process_dead" { device: DeviceIndex },
        /// The device's process runs, its SDK not yet initialised.
        ProcessUp = "process_up" { device: DeviceIndex },
        /// The device is frozen.
        Suspended = "suspended" { device: DeviceIndex },
        /// The device goes on.
        Woken = "woken" { device: DeviceIndex },
        /// From the site to the server (outbound) and back (inbound): does a new connection get through?
        Link = "link" { site: SiteIndex, outbound: bool, inbound: bool },
        /// The site's link keeps what is sent.
        LinkHeld = "link_held" { site: SiteIndex },
        /// The site's link has another latency.
        LatencyChanged = "latency_changed" { site: SiteIndex },
        /// The device's connection was reset.
        ConnectionReset = "connection_reset" { device: DeviceIndex },
        /// A wall clock jumped or drifts; the server's when no device is named.
        ClockMoved = "clock_moved" { device: Option<DeviceIndex> },
        /// The device's disk is empty.
        DiskEmpty = "disk_empty" { device: DeviceIndex },
        /// The server's disk refused an operation.
        DiskRefused = "disk_refused",
        /// The server's disk takes another time from now on.
        DiskPaced = "disk_paced",
        /// The server's disk refuses nothing any more.
        DiskMended = "disk_mended",
        /// Part of a write to the server's disk is there, and the rest is not.
        WriteTorn = "write_torn",
        /// The server's database was not closed well, and repaired itself.
        DatabaseRepaired = "database_repaired",
        /// The device is on the network of this site from now on, whether it had a connection to lose or not: what befalls
        /// that site befalls it.
        Moved = "moved" { device: DeviceIndex, site: SiteIndex },
        /// The script had a call for the device, or one waited until it wakes, and its process is dead: nobody makes it.
        Skipped = "skipped" { device: DeviceIndex },
        /// A box on the way had forgotten a connection of the device: what was sent on it just now is the first that
        /// does not get through.
        LinkForgotten = "link_forgotten" { device: DeviceIndex },
        /// The device's disk refused a write, for the first time since it was told to.
        DeviceDiskRefused = "device_disk_refused" { device: DeviceIndex },
        /// The device's disk takes another time from now on.
        DeviceDiskPaced = "device_disk_paced" { device: DeviceIndex },
        /// The device's disk writes everything again, and at once.
        DeviceDiskMended = "device_disk_mended" { device: DeviceIndex },
        /// The device's record cannot be read any more.
        RecordDamaged = "record_damaged" { device: DeviceIndex },
        /// The conversation lists cached on the device cannot be read any more.
        CachesDamaged = "caches_damaged" { device: DeviceIndex },
        /// At the site somebody else answers in the server's place.
        Portal = "portal" { site: SiteIndex },
        /// What is on the first device's disk is on the other's as well.
        DiskCopied = "disk_copied" { device: DeviceIndex, onto: DeviceIndex },
        /// The server's process stands still.
        ServerSuspended = "server_suspended",
        /// The server's process goes on.
        ServerWoken = "server_woken",
        /// The device's timers run late from now on, or on time again.
        TimersPaced = "timers_paced" { device: DeviceIndex },
        /// Where the app has TLS, somebody who is not the server could read what the device said.
        Overheard = "overheard" { device: DeviceIndex },
    }
}

impl Event {
    /// Whether it only shows that a link lives: such events are left out of stories.
    pub fn is_routine(&self) -> bool {
        matches!(
            self.what,
            What::DeviceSent { frame: ClientFrame::Heartbeat, .. }
                | What::ServerReceived { frame: ClientFrame::Heartbeat, .. }
                | What::ServerSent { frame: ServerFrame::HeartbeatAnswer, .. }
                | What::DeviceReceived { frame: ServerFrame::HeartbeatAnswer, .. }
        )
    }
}

impl Trace {
    /// Where in [`Trace::events`] this event of an actor is.
    pub fn position(&self, actor: Actor, number: u32) -> Option<usize> {
        self.events.iter().position(|event| event.actor == actor && event.number == number)
    }

    /// When the last event was.
    pub fn ended_at(&self) -> Instant {
        self.events.last().map_or(Instant::ZERO, |event| event.at)
    }
}

impl Observer for () {
    fn observe(&mut self, _: &Cast, _: &Event) {}
}

impl<One: Observer, Other: Observer> Observer for (One, Other) {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        self.0.observe(cast, event);
        self.1.observe(cast, event);
    }
}

impl Observer for Vec<Box<dyn Observer>> {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        for observer in self {
            observer.observe(cast, event);
        }
    }
}

impl<O: Observer> Observer for &mut O {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        O::observe(self, cast, event);
    }
}

impl<O: Observer> Observer for std::sync::Arc<std::sync::Mutex<O>> {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        self.lock().expect("an observer does not panic").observe(cast, event);
    }
}

impl ClientFrame {
    /// The call that it is sent for.
    pub(crate) fn call(&self) -> Option<u32> {
        match *self {
            ClientFrame::Login { call, .. }
            | ClientFrame::Renew { call, .. }
            | ClientFrame::Logout { call, .. }
            | ClientFrame::Send { call, .. }
            | ClientFrame::AdminKick { call, .. }
            | ClientFrame::Query { call, .. } => (call != 0).then_some(call),
            ClientFrame::Hello { .. }
            | ClientFrame::LoginAcknowledged { .. }
            | ClientFrame::Resume { .. }
            | ClientFrame::Heartbeat
            | ClientFrame::KickConfirmed { .. }
            | ClientFrame::MessagesReceived { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
