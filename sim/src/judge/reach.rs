//! What a server may hold of each user's devices, as far as it follows from what their applications did: which of them may be
//! connected, which may be reached by push messages, and which must be.
//!
//! Keeps the books and judges nothing. Everything is kept with the instant from which on it holds, so that a claim about an
//! instant can be looked at later. What is not certain is taken to be possible.

mod ask;

use std::collections::BTreeMap;
use std::time::Duration;

use super::device::Device;
use super::outside::Scene;
use super::standing::{Account, Life, Purpose};
use crate::history::event::{Actor, Event, Identity, Known, Outcome, Process, Request, Told, User, What};
use crate::history::{Comes, Head};

/// See the module.
pub(super) struct Reach {
    users: BTreeMap<User, Of>,
    /// Of whom each device may hold something.
    holders: Vec<Holder>,
    tickets: BTreeMap<Known, u64>,
    pub(super) limits: Limits,
    /// Whether each device was seen from its start on, so that there are no others.
    is_whole: bool,
    /// Whether the server may take one device for another.
    are_copied: bool,
    /// Since when nobody could reach the server, the last time that this was so, and when it was so last: it may not have
    /// been there.
    away_since: u64,
    away: u64,
    /// When it was last seen to commit something, and when before that, a while earlier.
    worked: u64,
    served: u64,
    /// How many devices can reach it, of those of which that was said.
    linked: usize,
}

/// How long things take at most, in microseconds.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Until a server gives up a link on which it hears nothing.
    silence: Option<u64>,
    /// For how long push messages reach a device without a link.
    push: Option<u64>,
    /// Until a device has found out that its link is lost.
    pub(super) noticed: Option<u64>,
    /// What is under way has come, or nobody waits for it any more.
    pub(super) under_way: u64,
    /// What a wall clock says at instant 0.
    wall: Option<u64>,
    /// Whether only a login takes a seat.
    only_logins: bool,
    /// How far two clocks may be apart.
    pub(super) skew: u64,
}

/// One user.
#[derive(Default)]
struct Of {
    held: BTreeMap<Actor, Held>,
    /// Kicks by an administrator that have no result, and until when one may have taken effect.
    kicks_open: u32,
    kicked_until: u64,
    /// Since when there is certainly such an account.
    known: Option<u64>,
}

/// One device.
#[derive(Clone, Default)]
struct Holder {
    users: Vec<User>,
    /// When last something happened to its process or its link.
    trouble: u64,
    /// When it was last told that it is connected.
    connected: Option<u64>,
    /// When the server last took it, as one that does not speak its version would not.
    taken: u64,
    /// Whether it can reach the server, since that was first said.
    is_linked: bool,
}

/// What a device may hold of a user's.
#[derive(Clone, Default)]
struct Held {
    /// When a login as the user was called there first.
    first: u64,
    /// Whether what came of that is open, and since when it is not.
    is_open: bool,
    resolved: u64,
    /// When the application last had to do with it.
    busy: u64,
    /// Since when it is certain that no session is there.
    ended: Option<u64>,
    /// The application is leaving; or has left, and that is on the device's disk.
    is_leaving: bool,
    has_left: bool,
    /// Since when a session was certainly there, and by which ticket.
    accepted: Option<(u64, Option<Known>)>,
    /// Whether nothing is known that could have ended it.
    is_sure: bool,
    /// The server knows it under an identity that the device has not any more.
    is_lost: bool,
}

/// How many tickets are remembered. Of one that is forgotten nothing is certain, so that it matters little which one goes.
const TICKETS_MAX: usize = 16_384;

/// How many users of one device are.
const USERS_MAX: usize = 1_024;

/// What is claimed of a user at some instant between two.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) user: User,
    pub(super) from: u64,
    pub(super) to: u64,
    /// Whether everything had come to rest by then.
    pub(super) is_settled: bool,
}

/// What a user may be shown as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct May {
    pub(super) be_online: bool,
    pub(super) be_reached: bool,
}

/// Failures that say that nothing came of a login.
const REFUSED: [u32; 25] = [
    6013, 6014, 6015, 6017, 6206, 6208, 7003, 7501, 7502, 7013, 9508, 9510, 9530, 60007, 60010, 70001, 70002, 70003,
    70009, 70013, 70014, 70050, 70052, 70107, 70402,
];

impl Reach {
    pub(super) fn new(head: &Head) -> Reach {
        let limits = &head.promise.limits;
        let most = u64::MAX / 8;
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(most).min(most);
        let (late, connect) = (limits.late.unwrap_or_default(), limits.connect_timeout.unwrap_or_default());
        let under_way = micros(late.saturating_add(connect));
        let skew = head.skew.largest().saturating_mul(2);
        let heartbeat = limits.heartbeat.zip(limits.heartbeat_answer);
        Reach {
            users: BTreeMap::new(),
            holders: Vec::new(),
            tickets: BTreeMap::new(),
            limits: Limits {
                silence: limits
                    .silence
                    .filter(|_| limits.connect_timeout.is_some())
                    .map(|span| micros(span) + under_way),
                push: limits.push.map(micros),
                // Each of the two timers may be late, and a device's clock go wrong by a hundredth.
                noticed: heartbeat.map(|(every, answer)| {
                    let span = micros(every.saturating_add(answer).saturating_add(late));
                    span + span / 100 + under_way
                }),
                under_way,
                wall: head.wall,
                only_logins: !head.promise.reconnect_kicks && head.promise.comes == Comes::Resume,
                skew,
            },
            is_whole: true,
            are_copied: false,
            away_since: 0,
            away: 0,
            worked: 0,
            served: 0,
            linked: 0,
        }
    }

    /// Takes in what happens.
    pub(super) fn take(&mut self, scene: &Scene<'_>, event: &Event) {
        let at = event.from.saturating_sub(scene.skew);
        if at > self.worked.saturating_add(self.limits.under_way) && is_work(scene, event) {
            (self.served, self.worked) = (self.worked, at);
        }
        match event.what {
            // By a new one coming back may be a login (KICK-6).
            What::PolicyChanged { .. } => self.limits.only_logins = false,
            What::Ticket { ticket, issued, ttl, .. } => {
                self.tickets.insert(ticket, issued.saturating_add(ttl));
                if self.tickets.len() > TICKETS_MAX {
                    self.tickets.pop_first();
                }
            }
            What::Told { event: Told::Message { .. } | Told::MessagesDropped, .. }
            | What::Brings { .. }
            | What::Presence { .. }
            | What::End { .. } => {}
            What::Called { request, .. } if !matters(&request) => {}
            What::Answered { .. } if scene.open.is_none_or(|open| !matters(&open.request)) => {}
            _ => self.of_device(scene, event),
        }
    }

    fn of_device(&mut self, scene: &Scene<'_>, event: &Event) {
        let (at, now) = (event.from.saturating_sub(scene.skew), event.to.saturating_add(scene.skew));
        let device = scene.device;
        let index = event.actor.0 as usize;
        if self.holders.len() <= index {
            self.holders.resize(index + 1, Holder::default());
        }
        let is_start = matches!(event.what, What::Process(_) | What::Link { .. } | What::Identity(_));
        self.is_whole &= is_start || device.process != Life::Unknown;
        self.each(event.actor, |user, held| {
            if is_busy(device, user) {
                held.busy = now;
            }
        });
        match event.what {
            What::Called { request: request @ Request::Login { user, ticket, .. }, .. } => {
                let is_renewal = match device.purpose(&request, event.from, scene.next) {
                    Purpose::Other => return,
                    Purpose::Renewal => true,
                    Purpose::Login(_) | Purpose::Unsure(_) => false,
                };
                self.login(event.actor, user, ticket, now, is_renewal);
            }
            What::Called { request: Request::Logout, .. } => {
                self.each(event.actor, |user, held| {
                    if is_busy(device, user) {
                        (held.is_leaving, held.is_sure) = (true, false);
                    }
                });
            }
            What::Called { request: Request::Kick { user }, .. } => {
                let of = self.users.entry(user).or_default();
                of.kicks_open = of.kicks_open.saturating_add(1);
                of.held.values_mut().for_each(|held| held.is_sure = false);
            }
            What::Answered { outcome, .. } => self.answered(scene, event, outcome, now),
            What::Told { event: Told::ConnectSuccess, .. } => {
                let holder = &mut self.holders[index];
                (holder.connected, holder.taken) = (Some(now), at);
            }
            What::Told { event: Told::Connecting, .. } => self.holders[index].connected = None,
            What::Told { event: Told::KickedOffline { .. } | Told::UserSigExpired, .. } => {
                self.holders[index].connected = None;
                let is_last = self.limits.only_logins;
                let Some(session) = device.session() else { return };
                if let Some(held) = self.held(session.user, event.actor) {
                    (held.is_sure, held.is_open, held.resolved) = (false, false, now);
                    // Where who was displaced may come back, an end that is told may not be the last (KICK-6).
                    held.ended = Some(now).filter(|_| !held.is_lost && is_last);
                }
            }
            What::Link { up } => {
                let (holder, before) = (&mut self.holders[index], self.linked);
                holder.trouble = now;
                self.linked -= usize::from(std::mem::replace(&mut holder.is_linked, up));
                self.linked += usize::from(up);
                if before > 0 && self.linked == 0 {
                    self.away_since = event.from.saturating_sub(scene.skew);
                }
                if before == 0 || self.linked == 0 {
                    self.away = now;
                }
            }
            What::Process(process) => {
                let holder = &mut self.holders[index];
                holder.trouble = now;
                if matches!(process, Process::Up | Process::Dead) {
                    holder.connected = None;
                }
            }
            What::Identity(Identity::CopyOf(_)) => self.are_copied = true,
            What::Identity(Identity::New) => {
                self.each(event.actor, |_, held| {
                    if held.ended.is_none() {
                        (held.is_lost, held.is_sure, held.has_left, held.is_leaving) = (true, false, false, false);
                    }
                });
            }
            _ => {}
        }
    }

    fn held(&mut self, user: User, actor: Actor) -> Option<&mut Held> {
        self.users.get_mut(&user)?.held.get_mut(&actor)
    }

    /// Of each user what the device may hold.
    fn each(&mut self, actor: Actor, mut visit: impl FnMut(User, &mut Held)) {
        let users = &mut self.users;
        for &user in &self.holders[actor.0 as usize].users {
            if let Some(held) = users.get_mut(&user).and_then(|of| of.held.get_mut(&actor)) {
                visit(user, held);
            }
        }
    }

    fn login(&mut self, actor: Actor, user: User, ticket: Option<Known>, now: u64, is_renewal: bool) {
        let holder = &mut self.holders[actor.0 as usize];
        if !holder.users.contains(&user) {
            if holder.users.len() >= USERS_MAX {
                // Of one that serves so many nothing is certain.
                self.is_whole = false;
                return;
            }
            holder.users.push(user);
        }
        let of = self.users.entry(user).or_default();
        let held = of.held.entry(actor).or_insert_with(|| Held { first: now, ..Held::default() });
        (held.busy, held.is_open) = (now, true);
        if is_renewal {
            // Which of two tickets it lives by is open until the result.
            held.accepted = held.accepted.map(|(at, before)| (at, before.filter(|&before| Some(before) == ticket)));
            return;
        }
        (held.ended, held.accepted) = (None, None);
        (held.is_leaving, held.has_left, held.is_sure) = (false, false, false);
        of.held.values_mut().for_each(|held| held.is_sure = false);
        self.each(actor, |_, held| held.is_sure = false);
    }

    fn answered(&mut self, scene: &Scene<'_>, event: &Event, outcome: Outcome, now: u64) {
        let Some(open) = scene.open else { return };
        match (open.request, outcome) {
            (Request::Login { user, ticket, .. }, Outcome::Done { .. }) => {
                let is_renewal = open.purpose == Purpose::Renewal;
                let Some(of) = self.users.get_mut(&user) else { return };
                // Whose login was under way at the same time may have come later.
                let is_alone = of.kicks_open == 0
                    && of.kicked_until < open.from
                    && of.held.iter().all(|(&actor, held)| {
                        actor == event.actor || !held.is_open && held.resolved.saturating_add(scene.skew) < open.from
                    });
                of.known = of.known.or(Some(now));
                let Some(held) = of.held.get_mut(&event.actor) else { return };
                (held.is_open, held.resolved) = (false, now);
                if is_renewal {
                    held.accepted = held.accepted.map(|(at, _)| (at, ticket));
                    return;
                }
                let is_left = held.is_leaving || held.ended.is_some();
                (held.accepted, held.is_sure) = (Some((now, ticket)), is_alone && !is_left);
                for (&actor, held) in &mut of.held {
                    held.is_sure &= actor == event.actor;
                }
                // SWITCH-5
                self.each(event.actor, |other, held| {
                    if other != user && !held.is_lost {
                        held.ended = held.ended.or(Some(now));
                    }
                });
            }
            (Request::Login { user, .. }, Outcome::Failed { code: Some(code) })
                if scene.head.codes && REFUSED.contains(&code) =>
            {
                if let Some(held) = self.held(user, event.actor) {
                    (held.is_open, held.resolved) = (false, now);
                }
            }
            (Request::Logout, Outcome::Done { .. }) => {
                self.each(event.actor, |_, held| held.has_left |= held.is_leaving);
            }
            (Request::Kick { user }, outcome) => {
                let of = self.users.entry(user).or_default();
                // One that may be carried out yet stays open.
                let is_known = match outcome {
                    Outcome::Done { .. } => true,
                    Outcome::Failed { code } => scene.head.codes && code.is_some_and(|code| REFUSED.contains(&code)),
                    Outcome::Unknown => false,
                };
                if is_known {
                    of.kicks_open = of.kicks_open.saturating_sub(1);
                    of.kicked_until = of.kicked_until.max(now);
                }
            }
            _ => {}
        }
    }
}

/// Whether the server has committed something before this.
fn is_work(scene: &Scene<'_>, event: &Event) -> bool {
    match event.what {
        What::Presence { .. } | What::Told { event: Told::ConnectSuccess, .. } => true,
        What::Answered { outcome: Outcome::Done { .. }, .. } => {
            scene.open.is_some_and(|open| matches!(open.request, Request::Login { .. } | Request::Send { .. }))
        }
        _ => false,
    }
}

/// Whether a session may begin or end by the call.
fn matters(request: &Request) -> bool {
    !matches!(request, Request::Send { .. } | Request::Conversations | Request::Query)
}

/// Whether the application may have to do with the user's account.
fn is_busy(device: &Device, user: User) -> bool {
    let is_open = |request: Request| matches!(request, Request::Login { user: of, .. } if of == user);
    match device.account {
        Account::In(session) if session.user == user => true,
        Account::Pending(pending) if pending.user == user => true,
        Account::Unsure => true,
        Account::In(_) | Account::Pending(_) | Account::Nobody(_) => {
            device.calls.iter().any(|open| is_open(open.request))
        }
    }
}
