//! The server's durable state, and the facts that change it.
//!
//! The core decides facts, applies them here and has them committed; a store writes the same facts
//! down, so what is rebuilt after a crash is what the core had. Decides nothing, and does no I/O.

mod end_reason;
mod owed;
mod sent;
mod session_ticket;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{Attempt, Change, DeviceId, Epoch, MessageId, PublicName, SendId, UserId};
use crate::policy::Platform;
use crate::protocol::{Conversation, Message, Presence};
use crate::ticket::Signature;
use crate::time::WallTime;

pub use end_reason::EndReason;
pub use owed::{Owed, Places};
pub use sent::{Sent, SentMessage};
pub use session_ticket::SessionTicket;
pub use sessions::Sessions;

/// How many days a user's record remembers as counted: a wall clock that jumps back by less than
/// this never counts a day twice (DAU-1).
pub const DAYS_MAX: usize = 8;

/// From one start of the server to the next every user's epochs leap to the next multiple of this, over
/// whatever was given and lost with a crash (DUR-3). They stay numbers that people can read.
pub const EPOCHS_PER_START: u64 = 1_000_000;

/// More logins of one user than can ever be decided and not yet on disk.
const EPOCHS_LOST_MAX: u64 = 100_000;

/// One numbered change: the facts that are true together or not at all (DUR-1).
///
/// ```
/// use gatecrash::{id::Change, store::{Commit, Fact, Records}};
///
/// let user = "alice".parse().unwrap();
/// let mut records = Records::default();
/// records.apply(&Commit { number: Change(1), facts: vec![Fact::AccountCreated { user }] });
/// assert!(records.users.contains_key(&user));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// Its number, one above the last.
    pub number: Change,
    /// What became true, in order.
    pub facts: Vec<Fact>,
}

/// One thing that became true on the server.
///
/// ```
/// use gatecrash::store::Fact;
///
/// let fact = Fact::DayCounted { user: "alice".parse().unwrap(), day: 19_675, users: 1 };
/// assert!(fact.users().eq(["alice".parse().unwrap()]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The first successful login made the account (LOGIN-1).
    AccountCreated {
        /// The new user.
        user: UserId,
    },
    /// The device's highest attempt acted upon (ATT-1).
    AttemptRaised {
        /// Who keeps the device's record.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its attempt.
        attempt: Attempt,
    },
    /// A login was accepted, or a resume as a login (KICK-6). The device's earlier end is forgotten.
    SessionAccepted {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its platform.
        platform: Platform,
        /// The new session's epoch.
        epoch: Epoch,
        /// The attempt that made it (ATT-2).
        attempt: Attempt,
        /// The ticket it lives by.
        ticket: SessionTicket,
        /// Who kept the device's record until now, where that was another user.
        keeper_before: Option<UserId>,
    },
    /// The session has a connection again (CONN-4).
    SessionResumed {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
        /// The ticket it lives by from now on.
        ticket: SessionTicket,
    },
    /// The session lives by another ticket (LOGIN-5).
    SessionRenewed {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
        /// The ticket it lives by from now on.
        ticket: SessionTicket,
    },
    /// The device said that the login's answer arrived (KICK-7).
    LoginAcknowledged {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// The session's epoch.
        epoch: Epoch,
    },
    /// The server noticed that the session's connection is gone.
    LinkLost {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
        /// When, by the server's wall clock (DUR-4).
        at: WallTime,
    },
    /// The session is over.
    SessionEnded {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
        /// Why.
        reason: EndReason,
        /// The device whose login displaced it, where one did.
        by: Option<PublicName>,
    },
    /// The device confirmed the kick, or named the epoch in a login: it is owed no more (KICK-3).
    KickSettled {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// The ended session's epoch.
        epoch: Epoch,
    },
    /// The device logged out: why its last session ended is forgotten (KICK-3).
    EndForgotten {
        /// Who keeps the device's record.
        user: UserId,
        /// The device.
        device: DeviceId,
    },
    /// The device holds no session, and is as one that was never admitted (ATT-6).
    DeviceForgotten {
        /// Who kept the device's record.
        user: UserId,
        /// The device.
        device: DeviceId,
    },
    /// An administrator voided every ticket of the user issued up to this second (ADMIN-1).
    TicketsVoided {
        /// The user.
        user: UserId,
        /// The second, since 1970.
        until: u64,
    },
    /// An administrator ended a session whose ticket names a later issue time (ADMIN-1).
    TicketVoided {
        /// The user.
        user: UserId,
        /// Which ticket.
        signature: Signature,
        /// Until when it would be valid: the record is of no use afterwards.
        last_second: u64,
    },
    /// The user counts for this UTC day (DAU-1).
    DayCounted {
        /// The user.
        user: UserId,
        /// Days since 1970-01-01.
        day: u32,
        /// How many users the day has with this one.
        users: u64,
    },
    /// The user's presence after this change (PRES-1, PRES-3).
    PresenceChanged {
        /// The user.
        user: UserId,
        /// One above the user's last.
        number: u64,
        /// The presence now.
        presence: Presence,
        /// The devices this change kicked.
        kicked: Vec<PublicName>,
    },
    /// A message was accepted (API-2).
    MessageStored {
        /// The message.
        message: Message,
        /// What its sender calls it (API-6).
        id: SendId,
        /// The epoch of the session that sent it.
        epoch: Epoch,
        /// The last second of the ticket that session lived by.
        last_second: u64,
    },
    /// What the user called their messages up to this one is forgotten (API-6).
    SentForgotten {
        /// The user.
        user: UserId,
        /// The last message of those.
        through: MessageId,
    },
    /// A session is owed the message (API-7).
    MessageOwed {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
        /// The message.
        message: Arc<Message>,
    },
    /// The device has every message up to this place, and is owed those no more (API-7).
    MessagesReceived {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
        /// The last place.
        through: u64,
    },
    /// There was no room for the messages up to this place: they are owed no more (API-7).
    MessagesDropped {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
        /// The last place.
        through: u64,
    },
}

impl Fact {
    /// The users whose records it changes.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        let (one, other) = match self {
            Fact::SessionAccepted { user, keeper_before, .. } => (*user, *keeper_before),
            Fact::MessageStored { message, .. } => (message.from, Some(message.to)),
            Fact::AccountCreated { user }
            | Fact::AttemptRaised { user, .. }
            | Fact::EndForgotten { user, .. }
            | Fact::DeviceForgotten { user, .. }
            | Fact::SessionResumed { user, .. }
            | Fact::SessionRenewed { user, .. }
            | Fact::LoginAcknowledged { user, .. }
            | Fact::LinkLost { user, .. }
            | Fact::SessionEnded { user, .. }
            | Fact::KickSettled { user, .. }
            | Fact::TicketsVoided { user, .. }
            | Fact::TicketVoided { user, .. }
            | Fact::DayCounted { user, .. }
            | Fact::PresenceChanged { user, .. }
            | Fact::SentForgotten { user, .. }
            | Fact::MessageOwed { user, .. }
            | Fact::MessagesReceived { user, .. }
            | Fact::MessagesDropped { user, .. } => (*user, None),
        };
        std::iter::once(one).chain(other)
    }

    /// The device whose record it changes, or whose session.
    pub fn device(&self) -> Option<DeviceId> {
        match self {
            Fact::AttemptRaised { device, .. }
            | Fact::SessionAccepted { device, .. }
            | Fact::SessionResumed { device, .. }
            | Fact::SessionRenewed { device, .. }
            | Fact::LoginAcknowledged { device, .. }
            | Fact::LinkLost { device, .. }
            | Fact::SessionEnded { device, .. }
            | Fact::KickSettled { device, .. }
            | Fact::EndForgotten { device, .. }
            | Fact::DeviceForgotten { device, .. }
            | Fact::MessageOwed { device, .. }
            | Fact::MessagesReceived { device, .. }
            | Fact::MessagesDropped { device, .. } => Some(*device),
            Fact::AccountCreated { .. }
            | Fact::TicketsVoided { .. }
            | Fact::TicketVoided { .. }
            | Fact::DayCounted { .. }
            | Fact::PresenceChanged { .. }
            | Fact::MessageStored { .. }
            | Fact::SentForgotten { .. } => None,
        }
    }
}

/// A session's link, as the server last knew it.
///
/// ```
/// use gatecrash::{store::Link, time::WallTime};
///
/// assert_eq!(Link::Lost { at: WallTime::from_seconds(5) }.lost_at(), Some(WallTime::from_seconds(5)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Link {
    /// It has a connection.
    Connected,
    /// It has none since the server noticed the loss.
    Lost {
        /// When that was.
        at: WallTime,
    },
}

impl Link {
    /// When the server noticed the loss; none while connected.
    pub const fn lost_at(self) -> Option<WallTime> {
        match self {
            Link::Connected => None,
            Link::Lost { at } => Some(at),
        }
    }
}

/// The server's record that a device is logged in.
///
/// ```
/// use gatecrash::{id::{Attempt, Epoch}, policy::Platform, store::{Link, Owed, Session, SessionTicket}};
/// use gatecrash::ticket::Signature;
///
/// let session = Session {
///     epoch: Epoch(1),
///     platform: Platform::Ios,
///     attempt: Attempt::default(),
///     ticket: SessionTicket { issued_at: 0, last_second: 60, signature: Signature([0; 32]) },
///     acknowledged: false,
///     link: Link::Connected,
///     owed: Owed::default(),
/// };
/// assert_eq!(session.link.lost_at(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Session {
    /// Its epoch: its place in the user's login order.
    pub epoch: Epoch,
    /// The device's platform.
    pub platform: Platform,
    /// The attempt that made it (ATT-2).
    pub attempt: Attempt,
    /// The ticket it lives by.
    pub ticket: SessionTicket,
    /// Whether the device said that the login's answer arrived (KICK-7).
    pub acknowledged: bool,
    /// Its link.
    pub link: Link,
    /// The messages it is owed (API-7). A store keeps each by itself.
    #[serde(skip)]
    pub owed: Owed,
}

/// What the server keeps of an account.
///
/// ```
/// assert!(gatecrash::store::UserRecord::default().sessions.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserRecord {
    /// The last epoch given.
    pub last_epoch: Epoch,
    /// The sessions, by device: a device has at most one.
    pub sessions: Sessions,
    /// Tickets issued up to this second are void (ADMIN-1).
    pub voided_until: Option<u64>,
    /// Single void tickets, with the last second of each (ADMIN-1).
    pub voided: BTreeMap<Signature, u64>,
    /// The last days counted, at most [`DAYS_MAX`] (DAU-1).
    pub days: BTreeSet<u32>,
    /// The number of the last presence event (PRES-3).
    pub presence_number: u64,
    /// The presence that event carried.
    pub presence: Presence,
    /// The conversation list, by peer (API-2). A store keeps each by itself.
    #[serde(skip)]
    pub conversations: BTreeMap<UserId, Conversation>,
    /// What the user called the messages they sent (API-6). A store keeps each by itself.
    #[serde(skip)]
    pub sent: Sent,
}

/// What the server keeps of a device it has admitted once (ATT-1, KICK-3).
///
/// ```
/// use gatecrash::store::DeviceRecord;
///
/// let record = DeviceRecord::new("alice".parse().unwrap());
/// assert_eq!((record.user, record.ended), (None, None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// Whose login on it was accepted last: a store keeps this beside that user's record.
    pub keeper: UserId,
    /// The highest attempt acted upon.
    pub attempt: Attempt,
    /// Whose session it holds.
    pub user: Option<UserId>,
    /// Why its last session ended, until its next accepted login or its logout.
    pub ended: Option<Ended>,
    /// The last second of the ticket that its last session lived by; none while it holds one, and where an earlier
    /// version did not write it down (ATT-6). A store keeps it where it keeps devices without a session.
    #[serde(skip)]
    pub last_second: Option<u64>,
}

impl DeviceRecord {
    /// A device that `keeper` is about to log in on.
    pub fn new(keeper: UserId) -> Self {
        DeviceRecord { keeper, attempt: Attempt::default(), user: None, ended: None, last_second: None }
    }
}

/// How a device's last session ended (KICK-3).
///
/// ```
/// use gatecrash::{id::Epoch, store::{EndReason, Ended}};
///
/// let ended = Ended {
///     user: "alice".parse().unwrap(),
///     epoch: Epoch(1),
///     reason: EndReason::SamePlatform,
///     by: None,
///     owed: true,
///     acknowledged: true,
/// };
/// assert!(ended.names("alice".parse().unwrap(), Epoch(1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ended {
    /// The user.
    pub user: UserId,
    /// The session's epoch.
    pub epoch: Epoch,
    /// Why.
    pub reason: EndReason,
    /// The device whose login displaced it.
    pub by: Option<PublicName>,
    /// Whether the device has not yet confirmed the kick.
    pub owed: bool,
    /// Whether the device had acknowledged the session's login (KICK-7).
    pub acknowledged: bool,
}

impl Ended {
    /// Whether it is about this session of the device.
    pub fn names(&self, user: UserId, epoch: Epoch) -> bool {
        self.user == user && self.epoch == epoch
    }
}

/// Everything the server must not forget.
///
/// ```
/// assert_eq!(gatecrash::store::Records::default().daily_active_users(19_675), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Records {
    /// The number of the last change applied.
    pub change: Change,
    /// The accounts.
    pub users: BTreeMap<UserId, UserRecord>,
    /// The devices admitted at least once.
    pub devices: BTreeMap<DeviceId, DeviceRecord>,
    /// Users counted, by day: among the records, so that a restart loses none (DAU-1, DAU-2).
    pub days: BTreeMap<u32, u64>,
    /// The number of the last message.
    pub last_message: MessageId,
    /// How often a server was started on these records.
    pub starts: u64,
}

impl Records {
    /// How many users logged in on this UTC day, counted from 1970-01-01 (DAU-1).
    pub fn daily_active_users(&self, day: u32) -> u64 {
        self.days.get(&day).copied().unwrap_or(0)
    }

    /// One more server starts on these records. Must be on disk before that server decides anything
    /// (DUR-3).
    pub fn count_start(&mut self) {
        // A user who logged in more often than that between two starts is in a later block already.
        let leap = |account: &UserRecord| (account.last_epoch.0 + EPOCHS_LOST_MAX) / EPOCHS_PER_START + 2;
        let reached = self.users.values().map(leap).max().unwrap_or(0);
        self.starts = reached.max(self.starts + 1);
    }

    /// What every epoch from now on is above: none of those lost with the crash of an earlier server
    /// is given again (DUR-3).
    pub fn epoch_floor(&self) -> Epoch {
        Epoch(self.starts.saturating_sub(1) * EPOCHS_PER_START)
    }

    /// Makes a commit's facts true.
    ///
    /// # Panics
    ///
    /// When a fact contradicts the records: the core decided on another state than this one.
    pub fn apply(&mut self, commit: &Commit) {
        assert_eq!(commit.number, Change(self.change.0 + 1), "changes are applied in order, none left out");
        self.change = commit.number;
        for fact in &commit.facts {
            self.apply_fact(fact);
        }
    }

    pub(crate) fn apply_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::AccountCreated { user } => {
                let before = self.users.insert(*user, UserRecord::default());
                assert!(before.is_none(), "account {user} created twice");
            }
            Fact::AttemptRaised { user: _, device, attempt } => {
                let record = self.devices.get_mut(device).expect("an attempt is kept for admitted devices");
                assert!(record.attempt < *attempt, "attempts only grow");
                record.attempt = *attempt;
            }
            Fact::SessionAccepted { user, device, platform, epoch, attempt, ticket, keeper_before } => {
                let record = self.devices.entry(*device).or_insert_with(|| DeviceRecord::new(*user));
                assert!(record.user.is_none(), "a device has at most one session");
                assert_eq!(record.keeper, keeper_before.unwrap_or(*user), "a device's record is in one place");
                record.keeper = *user;
                record.attempt = record.attempt.max(*attempt);
                record.user = Some(*user);
                record.ended = None;
                record.last_second = None;
                let account = self.user_mut(*user);
                assert!(account.last_epoch < *epoch, "epochs only grow");
                account.last_epoch = *epoch;
                account.sessions.insert(
                    *device,
                    Session {
                        epoch: *epoch,
                        platform: *platform,
                        attempt: *attempt,
                        ticket: *ticket,
                        acknowledged: false,
                        link: Link::Connected,
                        owed: Owed::default(),
                    },
                );
            }
            Fact::SessionResumed { user, device, epoch, ticket } => {
                let session = self.session_mut(*user, *device, *epoch);
                session.link = Link::Connected;
                session.ticket = *ticket;
            }
            Fact::SessionRenewed { user, device, epoch, ticket } => {
                self.session_mut(*user, *device, *epoch).ticket = *ticket;
            }
            Fact::LoginAcknowledged { user, device, epoch } => {
                let ended = self.devices.get_mut(device).and_then(|record| record.ended.as_mut());
                match ended.filter(|ended| ended.names(*user, *epoch)) {
                    Some(ended) => ended.acknowledged = true,
                    None => self.session_mut(*user, *device, *epoch).acknowledged = true,
                }
            }
            Fact::LinkLost { user, device, epoch, at } => {
                self.session_mut(*user, *device, *epoch).link = Link::Lost { at: *at };
            }
            Fact::SessionEnded { user, device, epoch, reason, by } => {
                let account = self.user_mut(*user);
                let session = account.sessions.remove(device).expect("a session ends once");
                assert_eq!(session.epoch, *epoch, "an end names the session it ends");
                account.sent.ended(*epoch, session.ticket.last_second);
                let record = self.devices.get_mut(device).expect("a session has a device");
                record.user = None;
                record.last_second = Some(session.ticket.last_second);
                record.ended = (!reason.is_own()).then_some(Ended {
                    user: *user,
                    epoch: *epoch,
                    reason: *reason,
                    by: *by,
                    owed: reason.kick().is_some(),
                    acknowledged: session.acknowledged,
                });
            }
            Fact::KickSettled { user, device, epoch } => {
                let record = self.devices.get_mut(device).expect("a kick has a device");
                let ended = record.ended.as_mut().expect("a kick is owed for an ended session");
                assert!(ended.names(*user, *epoch) && ended.owed, "a kick is settled once");
                ended.owed = false;
            }
            Fact::EndForgotten { user: _, device } => {
                self.devices.get_mut(device).expect("an end has a device").ended = None;
            }
            Fact::DeviceForgotten { user, device } => {
                let record = self.devices.remove(device).expect("a device is forgotten once");
                assert!(record.user.is_none() && record.keeper == *user, "whoever is logged in is remembered");
            }
            Fact::TicketsVoided { user, until } => {
                let account = self.user_mut(*user);
                account.voided_until = account.voided_until.max(Some(*until));
                account.voided.retain(|_, last_second| *last_second >= *until);
            }
            Fact::TicketVoided { user, signature, last_second } => {
                self.user_mut(*user).voided.insert(*signature, *last_second);
            }
            Fact::DayCounted { user, day, users } => {
                let days = &mut self.user_mut(*user).days;
                days.insert(*day);
                if days.len() > DAYS_MAX {
                    days.pop_first();
                }
                self.days.insert(*day, *users);
            }
            Fact::PresenceChanged { user, number, presence, kicked: _ } => {
                let account = self.user_mut(*user);
                assert_eq!(*number, account.presence_number + 1, "presence is numbered without gaps");
                account.presence_number = *number;
                account.presence = *presence;
            }
            Fact::MessageStored { message, id, epoch, last_second } => {
                assert!(self.last_message < message.id, "message numbers only grow");
                self.last_message = message.id;
                let (number, id, epoch, last_second) = (message.id, *id, *epoch, *last_second);
                self.user_mut(message.from).sent.push(SentMessage { number, id, epoch, last_second });
                for user in [message.from, message.to] {
                    let conversation = message.conversation_of(user);
                    self.user_mut(user).conversations.insert(conversation.peer, conversation);
                }
            }
            Fact::SentForgotten { user, through } => self.user_mut(*user).sent.forget(*through),
            Fact::MessageOwed { user, device, epoch, message } => {
                self.session_mut(*user, *device, *epoch).owed.push(Arc::clone(message));
            }
            Fact::MessagesReceived { user, device, epoch, through }
            | Fact::MessagesDropped { user, device, epoch, through } => {
                self.session_mut(*user, *device, *epoch).owed.forget(*through);
            }
        }
    }

    fn user_mut(&mut self, user: UserId) -> &mut UserRecord {
        self.users.get_mut(&user).expect("facts are about accounts that exist")
    }

    fn session_mut(&mut self, user: UserId, device: DeviceId, epoch: Epoch) -> &mut Session {
        let session = self.user_mut(user).sessions.get_mut(&device).expect("a fact is about a live session");
        assert_eq!(session.epoch, epoch, "a fact names the session it is about");
        session
    }
}
