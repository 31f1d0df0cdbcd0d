//! The order of seats: what a history says of each user's sessions, as facts for the checker of `seats`.
//!
//! Decides nothing about orders. Says which call of `login` asked for a session, in which span it was accepted if it
//! was, by what a session showed that it lived, and what its device was told of its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::protocol::KickReason;

use super::answer::Rule;
use super::device::Device;
use super::outside::{End, Found, Outside, Report, Scene};
use super::promised::profile;
use super::standing::{Account, Purpose, Session};
use crate::history::event::{Actor, Event, Identity, NewPolicy, Outcome, Process, Request, Told, User, What};
use crate::history::{Cast, Channel, Channels, Comes, Head, Plan, Promise};
use crate::scenario::rules::RuleId;
use crate::seats::{self, Answer, Bounds, Names, OwnEnd, Reason, Seats, Span, Why};

/// See the module.
pub(super) struct Order {
    profile: Arc<seats::Profile>,
    users: BTreeMap<User, Seats>,
    logins: BTreeMap<u64, Login>,
    /// Users of whom something is not known that it would take, and what.
    given_up: BTreeMap<User, &'static str>,
    /// The same of everybody; and under policies that were before.
    all_given_up: Option<&'static str>,
    before: BTreeSet<&'static str>,
    /// Of each device, the logins that it may still be told of, with the last instant since when it heard of everything.
    heard: BTreeMap<u64, u64>,
    /// Accepted logins of whose session no end is known.
    live: BTreeMap<u64, User>,
    sees_process: bool,
    sees_link: bool,
    /// Whether anybody has made an administrative kick, and whether two devices may be one to the server.
    sees_kicks: bool,
    are_copied: bool,
    /// Who has a line in the history, and whose was the last.
    present: BTreeSet<Actor>,
    latest: Option<Actor>,
    /// Whether codes say why a device does not reach the server.
    codes: bool,
    asked: Asked,
    /// Of each user, the devices on which a login was called, and those on which one was accepted.
    called: BTreeMap<User, BTreeSet<u32>>,
    devices: BTreeMap<User, BTreeSet<u32>>,
    /// From the end of a session to when its device has been told, for one that can be reached.
    told_within: Option<u64>,
    /// Logins without a result.
    open: BTreeMap<u64, User>,
    /// How it was with platforms before the policy changed, and the first login that was called since.
    plan: Plan,
    since: Option<u64>,
}

/// How often there was something to judge.
#[derive(Default)]
struct Asked {
    /// Accepted logins of users who had logged in before.
    displaced: u64,
    /// Kicks that were told.
    kicks: u64,
    /// Those of them with a reason.
    reasons: u64,
    /// Accepted logins of a device that had a session of the user.
    own: u64,
    /// Kicks that were told to a device as it came back.
    offline: u64,
}

/// Who called.
#[derive(Clone, Copy)]
struct Login {
    user: User,
    actor: Actor,
    device: u32,
    platform: u16,
    line: u64,
    at: u64,
}

const RECONNECT_KICKS: &str =
    "with reconnect_kicks a device that comes back may displace others, and no application sees when";

/// How many logins are remembered for what a breach says of them.
const LOGINS_MAX: usize = 100_000;

/// The highest number of identities that one device may have had.
const IDENTITIES: u32 = 64;

const NAME: &str = "some order in which logins were accepted explains who had which seat, and who was told";

const LEFT: Rule = Rule::at("POLICY-3");
const ORDER: Rule = Rule::at("POLICY-4");
const OWN: Rule = Rule::at("LOGIN-10");
const KICK: Rule = Rule::at("KICK-1");
const NAMED: Rule = Rule::at("KICK-2");
const ONCE: Rule = Rule::at("EVENT-1");
const TWICE: Rule = Rule::at("KICK-4");
const OFFLINE: Rule = Rule::at("KICK-5");
const REASON: Rule = Rule::at("KICK-9");

impl Order {
    pub(super) fn new(head: &Head) -> Order {
        let limits = &head.promise.limits;
        let by_parts = || {
            let (heartbeat, answer) = (limits.heartbeat?, limits.heartbeat_answer?);
            let (delay, connect) = (limits.back_off_max?, limits.connect_timeout?);
            // The longest delay is spread by a fifth, and each of the four timers may be late.
            let late = limits.late.unwrap_or_default().saturating_mul(4);
            Some(heartbeat + answer + delay + delay / 5 + connect + late)
        };
        // Who is not seen to run and to have a network may be told when it is back.
        let is_seen = head.observes.lacks(Channels::of(&[Channel::Process, Channel::Link])).is_empty();
        let told_within =
            limits.told.or_else(by_parts).filter(|_| is_seen).map(|span: Duration| span.as_micros() as u64);
        let all_given_up = head.promise.reconnect_kicks.then_some(RECONNECT_KICKS);
        Order {
            profile: Arc::new(profile(&head.promise)),
            users: BTreeMap::new(),
            logins: BTreeMap::new(),
            given_up: BTreeMap::new(),
            all_given_up,
            before: BTreeSet::new(),
            heard: BTreeMap::new(),
            live: BTreeMap::new(),
            sees_process: head.observes.has(Channel::Process),
            sees_link: head.observes.has(Channel::Link),
            sees_kicks: false,
            present: BTreeSet::new(),
            latest: None,
            are_copied: false,
            codes: head.codes,
            asked: Asked::default(),
            called: BTreeMap::new(),
            devices: BTreeMap::new(),
            told_within,
            open: BTreeMap::new(),
            plan: head.promise.plan.clone(),
            since: None,
        }
    }

    fn of(&mut self, user: User) -> Option<&mut Seats> {
        if self.all_given_up.is_some() || self.given_up.contains_key(&user) {
            return None;
        }
        let profile = &self.profile;
        let new = if self.since.is_some() { Seats::of_unknown_past } else { Seats::new };
        Some(self.users.entry(user).or_insert_with(|| new(profile.clone(), Bounds::default())))
    }

    fn give_up(&mut self, user: User, why: &'static str) {
        self.users.remove(&user);
        self.given_up.entry(user).or_insert(why);
    }

    fn called(&mut self, scene: &Scene<'_>, event: &Event, span: Span, request: Request) {
        let device = scene.device;
        match request {
            Request::Login { user, platform, .. } => {
                let purpose = device.purpose(&request, event.from, scene.next);
                let login = match purpose {
                    Purpose::Login(login) => login,
                    Purpose::Unsure(_) => {
                        return self.give_up(user, "whether a call was a login or a renewal cannot be told");
                    }
                    Purpose::Renewal | Purpose::Other => return,
                };
                // A switch ends the session of the account before.
                if let Account::In(session) = device.account
                    && session.user != user
                {
                    self.stops(session, span.from, None);
                }
                let Some(identity) = identity(event.actor, device) else {
                    return self.give_up(user, "a device logged in whose disk is a copy of another's");
                };
                let platform = platform.or(device.platform);
                let place = match (platform, &self.plan) {
                    (_, Plan::OneName) => 0,
                    (Some(platform), Plan::OneNameAndResource) => platform.0 as u16,
                    (Some(platform), plan) if plan.group(scene.cast.platforms.name(platform.0)).is_some() => {
                        platform.0 as u16
                    }
                    (Some(_), _) => {
                        return self.give_up(user, "a device logged in on a platform that the policy does not know");
                    }
                    (None, _) => {
                        return self.give_up(user, "a device logged in, and nothing says on which platform it is");
                    }
                };
                self.logins.insert(
                    login,
                    Login {
                        user,
                        actor: event.actor,
                        device: identity,
                        platform: place,
                        line: event.line,
                        at: event.from,
                    },
                );
                if self.logins.len() > LOGINS_MAX {
                    self.logins.pop_first();
                }
                self.called.entry(user).or_default().insert(identity);
                self.open.insert(login, user);
                if self.open.len() > LOGINS_MAX {
                    self.open.pop_first();
                }
                if let Some(seats) = self.of(user) {
                    seats.login_called(login, identity, place, span);
                }
            }
            Request::Logout if device.gate(&request, event.from).is_none() => match device.account {
                Account::In(session) => self.stops(session, span.from, None),
                Account::Pending(pending) => {
                    if let Some(seats) = self.of(pending.user) {
                        seats.ended(pending.login, OwnEnd::Logout, span.from, None);
                    }
                }
                Account::Nobody(_) | Account::Unsure => {}
            },
            // It may be carried out whether or not it ever has a result.
            Request::Kick { user } => {
                self.sees_kicks = true;
                self.administrator(user, Span { from: span.from, to: u64::MAX >> 2 }, false);
            }
            Request::Uninit => {
                if let Account::In(session) = device.account {
                    self.unheard(session);
                }
            }
            _ => {}
        }
    }

    /// Up to when the session's device would have heard of its end, and had not.
    fn heard_until(&mut self, session: Session) -> Option<u64> {
        let by = self.heard.remove(&session.login)?;
        if let Some(seats) = self.of(session.user) {
            seats.would_have_heard(session.login, by);
        }
        Some(by)
    }

    /// Why the end of a session cannot be judged: it was told by somebody whose log is not in this history.
    fn is_elsewhere(
        &self,
        scene: &Scene<'_>,
        session: Session,
        by: Option<Actor>,
        reason: Option<KickReason>,
    ) -> Option<&'static str> {
        let is_alone = self.called.get(&session.user).is_none_or(|devices| devices.len() < 2);
        let is_known =
            |by: Actor| scene.head.devices.contains_key(scene.cast.actors.name(by.0)) || self.present.contains(&by);
        match (reason, by) {
            (Some(KickReason::Gone), _) => None,
            (Some(KickReason::Administrator), _) => {
                let may_be_seen = scene.head.promise.administrators.is_some() || self.sees_kicks;
                (!may_be_seen).then_some("an administrator ended a session, and no call of theirs is in the history")
            }
            (_, Some(by)) => {
                (!is_known(by)).then_some("a session was displaced by a device of which the history has nothing")
            }
            (_, None) if is_alone && scene.head.devices.is_empty() => {
                Some("a session was displaced, and the history has nothing of any other device of its user")
            }
            _ => None,
        }
    }

    /// The session ends by its own device, some time after an instant.
    fn stops(&mut self, session: Session, from: u64, to: Option<u64>) {
        self.heard_until(session);
        self.live.remove(&session.login);
        if let Some(seats) = self.of(session.user) {
            seats.ended(session.login, OwnEnd::Logout, from, to);
        }
    }

    /// Nobody hears any more how the session goes on: its ticket may run out.
    fn unheard(&mut self, session: Session) {
        let heard = self.heard_until(session);
        self.may_be_dormant(session.user, session.login, session.since);
        if let Some(seats) = self.of(session.user) {
            seats.ended(session.login, OwnEnd::Expired, heard.unwrap_or(session.since), None);
        }
    }

    /// From an instant on the session's device may be without a link for so long that the session is dormant.
    fn may_be_dormant(&mut self, user: User, login: u64, from: u64) {
        if let Some(seats) = self.of(user) {
            seats.dormant(login, Span { from, to: u64::MAX >> 2 });
        }
    }

    /// The same of logins that may be accepted, and nobody is there to be told so.
    fn unanswered(&mut self, device: &Device, from: u64) {
        for open in &device.calls {
            if let (Request::Login { user, .. }, Purpose::Login(login)) = (open.request, open.purpose) {
                self.may_be_dormant(user, login, from);
            }
        }
    }

    /// Says what no order explains, and what could not be judged.
    fn tell(&self, cast: &Cast, user: User, outcome: seats::Outcome, report: &mut Report) {
        let device = |device: u32| cast.actors.name(device / IDENTITIES).to_owned();
        let instant = |at: u64| format!("{:.3} s", at as f64 / 1e6);
        let names = Names { device: &device, instant: &instant };
        let name = cast.users.name(user.0);
        for violation in &outcome.violations {
            let known: Vec<&Login> =
                violation.logins.iter().filter_map(|involved| self.logins.get(&involved.login)).collect();
            let last = violation.facts.iter().map(|fact| fact.login()).next_back().flatten();
            let blamed = last.and_then(|login| self.logins.get(&login)).or(known.last().copied());
            let text = format!("of {name}, {}", violation.sentence(&names));
            for rule in violation.breach.rules().iter().take(1) {
                report.broken(
                    Rule::of(RuleId::find(rule).expect("the checker knows the rules")),
                    Found {
                        property: NAME,
                        text: text.clone(),
                        at: blamed.map_or(0, |login| login.at),
                        actor: blamed.map_or_else(String::new, |login| cast.actors.name(login.actor.0).to_owned()),
                        place: blamed.map(|login| login.line),
                        lines: known.iter().map(|login| login.line).collect(),
                    },
                );
            }
        }
        for part in &outcome.undecided {
            let why = match part.why {
                Why::States => "more orders had to be looked at than there is room for",
                Why::Crowd => "so much was open at once that what was before had to be forgotten",
                Why::Residues => "so many devices had not been told yet that the oldest were forgotten",
            };
            report.undecided.push(format!(
                "the order of seats of {name} from {} to {}: {why} ({} logins, of {} of them nobody knows whether they were \
                 accepted, {} were told of nobody in particular)",
                instant(part.from),
                instant(part.to),
                part.logins,
                part.unknown,
                part.unnamed
            ));
        }
    }

    fn answered(&mut self, scene: &Scene<'_>, span: Span, outcome: Outcome) {
        let Some(open) = scene.open else { return };
        let began = open.from.saturating_sub(scene.skew);
        match (open.request, open.purpose) {
            (Request::Login { user, .. }, Purpose::Login(login)) => {
                self.open.remove(&login);
                let answer = answer_of(outcome, scene.head.codes);
                let device = self.logins.get(&login).map(|who| who.device);
                if answer == Answer::Accepted {
                    self.live.insert(login, user);
                    if self.live.len() > LOGINS_MAX {
                        self.live.pop_first();
                    }
                }
                let Some(seats) = self.of(user) else { return };
                seats.login_answered(login, span, answer);
                if answer == Answer::Accepted {
                    let needs = Channels::of(&[Channel::Link, Channel::Process]);
                    if !scene.head.observes.lacks(needs).is_empty()
                        || scene.device.reaches.is_none_or(|since| since > open.from)
                    {
                        self.may_be_dormant(user, login, began);
                    }
                    let devices = self.devices.entry(user).or_default();
                    self.asked.displaced += u64::from(!devices.is_empty());
                    if let Some(device) = device {
                        self.asked.own += u64::from(!devices.insert(device));
                    }
                    return;
                }
                if answer == Answer::Unknown {
                    seats.dormant(login, Span { from: began, to: u64::MAX >> 2 });
                    // What the server may have made of it is ended like a session that is logged out of.
                    seats.ended(login, OwnEnd::Logout, began, None);
                }
            }
            (request, _) => {
                let lives = match request {
                    Request::Send { .. } | Request::Login { .. } => matches!(outcome, Outcome::Done { .. }),
                    _ => false,
                };
                if let Some(session) = open.session.filter(|_| lives)
                    && let Some(seats) = self.of(session.user)
                {
                    seats.alive(session.login, began, span.to);
                }
                if let (Request::Kick { user }, Outcome::Done { .. }) = (request, outcome) {
                    self.administrator(user, Span { from: began, to: span.to }, true);
                }
            }
        }
    }

    fn administrator(&mut self, user: User, at: Span, sure: bool) {
        if let Some(seats) = self.of(user) {
            seats.administrator(at, sure);
        }
    }

    fn told(&mut self, scene: &Scene<'_>, event: &Event, span: Span, told: Told) {
        let Account::In(session) = scene.device.account else { return };
        match told {
            Told::KickedOffline { by, reason } => {
                self.heard_until(session);
                self.live.remove(&session.login);
                // Only two devices can displace each other, and a device is two where its disk was laid waste or copied.
                let may_be_two = scene.device.identity > 0 || scene.device.copy_of.is_some() || self.are_copied;
                let is_itself = by == Some(event.actor) && may_be_two;
                if let Some(why) = self.is_elsewhere(scene, session, by, reason) {
                    return self.give_up(session.user, why);
                }
                // Who displaced it is known by a name, which an installation keeps; its identity may have changed.
                let by = by.and_then(|by| {
                    // A device that nobody saw log in has but one.
                    let devices = self.called.get(&session.user)?;
                    let mut named = devices.iter().copied().filter(|device| device / IDENTITIES == by.0);
                    let first = named.next();
                    if named.next().is_some() { None } else { first.or(by.0.checked_mul(IDENTITIES)) }
                });
                if reason == Some(KickReason::Gone) || is_itself {
                    // Whichever end it had is forgotten; or it is another device to the server than it was.
                    if let Some(seats) = self.of(session.user) {
                        seats.ended(session.login, OwnEnd::Expired, session.since, Some(span.to));
                    }
                    return;
                }
                let reason = reason.map(|reason| match reason {
                    KickReason::SamePlatform => Reason::SamePlatform,
                    KickReason::OtherPlatform => Reason::OtherPlatform,
                    KickReason::Administrator => Reason::Administrator,
                    KickReason::Gone => Reason::Gone,
                });
                if let Some(seats) = self.of(session.user) {
                    seats.told_kicked(session.login, span, by, reason);
                    self.asked.kicks += 1;
                    self.asked.offline += u64::from(scene.device.is_offline);
                    self.asked.reasons += u64::from(reason.is_some());
                }
            }
            Told::UserSigExpired => {
                self.heard_until(session);
                self.live.remove(&session.login);
                if let Some(seats) = self.of(session.user) {
                    seats.ended(session.login, OwnEnd::Expired, session.since, Some(span.to));
                }
            }
            Told::ConnectSuccess => {
                let Some(began) = scene.device.connecting else { return };
                let began = began.saturating_sub(scene.skew);
                let is_login = scene.head.promise.comes == Comes::Login;
                let who = self.logins.get(&session.login).copied().filter(|_| is_login);
                if let Some(seats) = self.of(session.user) {
                    if let Some(who) = who {
                        seats.came_back(session.login, who.device, who.platform, Span { from: began, to: span.to });
                    }
                    seats.alive(session.login, began, span.to);
                }
            }
            _ => {}
        }
    }

    /// From here on logins count by another policy (POLICY-5): what came before is judged, and is known no more.
    fn changed(&mut self, scene: &Scene<'_>, to: Option<NewPolicy>, report: &mut Report) {
        for (user, seats) in std::mem::take(&mut self.users) {
            self.tell(scene.cast, user, seats.finish(), report);
        }
        let fields = to.map(|to| serde_json::from_str(scene.cast.policies.name(to.0)).expect("it was read before"));
        let promise = fields.map(|fields| Head::read_policy(&fields).expect("it was read before"));
        let Some(promise) = promise else {
            self.all_given_up = Some("the policy changed, and what it was before and after is not told");
            return;
        };
        self.before.extend(self.all_given_up);
        self.all_given_up = promise.reconnect_kicks.then_some(RECONNECT_KICKS);
        let promise = Promise { plan: promise.plan, ..scene.head.promise.clone() };
        self.profile = Arc::new(profile(&promise));
        (self.plan, self.since) = (promise.plan, Some(scene.next));
        // By which policy those were accepted that wait nobody knows.
        for user in std::mem::take(&mut self.open).into_values() {
            self.give_up(user, "a login was under way as the policy changed");
        }
        self.heard.clear();
        self.live.clear();
    }

    /// Whoever could be reached for as long as it takes has heard of what was over by then.
    fn hears(&mut self, device: &Device, at: u64) {
        let (Some(within), Some(since), Account::In(session)) = (self.told_within, device.reaches, device.account)
        else {
            return;
        };
        // An SDK that is too old for its server does not come back. Without the channel of processes this one may be gone,
        // but it is there now.
        if at.saturating_sub(since) > within && !device.is_offline {
            self.heard.insert(session.login, at - within);
        }
    }

    fn kill(&mut self, device: &Device) {
        if let Account::In(session) = device.account {
            self.unheard(session);
        }
    }
}

/// The device by what a server takes it for; none where that may be two.
fn identity(actor: Actor, device: &Device) -> Option<u32> {
    if device.copy_of.is_some() || device.identity >= IDENTITIES {
        return None;
    }
    actor.0.checked_mul(IDENTITIES)?.checked_add(device.identity)
}

/// What the result of a login says of whether it was accepted.
fn answer_of(outcome: Outcome, codes: bool) -> Answer {
    match outcome {
        Outcome::Done { .. } => Answer::Accepted,
        Outcome::Unknown | Outcome::Failed { code: None } => Answer::Unknown,
        Outcome::Failed { code: Some(_) } if !codes => Answer::Unknown,
        Outcome::Failed { code: Some(code) } => match code {
            // Never sent, or refused by the SDK or by the server, which says so.
            6013 | 6017 | 6206 | 6208 | 7003 | 7501 | 7502 | 9508 | 9510 | 9530 | 60007 | 70169 => Answer::Refused,
            70000..=70099 | 70402 => Answer::Refused,
            _ => Answer::Unknown,
        },
    }
}

impl Outside for Order {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[LEFT, ORDER, OWN, KICK, NAMED, TWICE, OFFLINE, REASON, ONCE]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "a user logs in a second time; a kick is told"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let span = Span { from: event.from.saturating_sub(scene.skew), to: event.to.saturating_add(scene.skew) };
        self.hears(scene.device, span.from);
        if self.latest != Some(event.actor) {
            self.present.insert(event.actor);
            self.latest = Some(event.actor);
        }
        match event.what {
            What::Called { call: _, request } => self.called(scene, event, span, request),
            What::Answered { outcome, .. } => self.answered(scene, span, outcome),
            What::Told { event: told, .. } => self.told(scene, event, span, told),
            What::Process(Process::Up | Process::Dead) => {
                self.kill(scene.device);
                self.unanswered(scene.device, span.from);
            }
            // What cannot reach the server for long is dormant, and it may take the server long to see it again.
            What::Link { up: false } | What::Process(Process::Suspended) => {
                if let Account::In(session) = scene.device.account {
                    self.may_be_dormant(session.user, session.login, span.from);
                }
                self.unanswered(scene.device, span.from);
            }
            What::PolicyChanged { to } => self.changed(scene, to, report),
            What::Identity(Identity::CopyOf(other)) => {
                // From here on the server cannot tell the two apart.
                self.are_copied = true;
                let users: BTreeSet<User> =
                    self.logins.values().filter(|login| login.actor == other).map(|login| login.user).collect();
                for user in users {
                    self.give_up(user, "a device has a copy of another's disk, and a server takes the two for one");
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        let settled = end.end.filter(|&(_, settled)| settled).map(|(at, _)| at);
        let mut left: BTreeMap<User, (Vec<u64>, Vec<u64>)> = BTreeMap::new();
        let mut unreached: BTreeMap<User, u32> = BTreeMap::new();
        for device in end.devices {
            let Account::In(session) = device.account else { continue };
            // Whoever is only closed shows that they are out, or not even that.
            let shows_out = matches!(device.status, Some((Status::Logout, _)));
            if self.profile.victim == seats::Victim::Silent || self.profile.victim == seats::Victim::Closed && shows_out
            {
                self.live.insert(session.login, session.user);
                continue;
            }
            let (alive, _) = left.entry(session.user).or_default();
            match settled {
                // Whether a process runs that says nothing, its own channel tells, or its status: at rest it is as it was seen last.
                Some(at)
                    if self.since.is_none_or(|since| session.login >= since)
                        && (self.sees_process || device.sees_status())
                        && device.reaches.is_some()
                        && (!device.is_offline || (self.sees_link && self.codes && !device.has_given_up)) =>
                {
                    self.heard.insert(session.login, at);
                    self.live.remove(&session.login);
                    alive.push(session.login);
                }
                // It has a session to come back to, and does not: it may have been displaced, and never told.
                Some(_) if device.is_offline && device.reaches.is_some() && !(self.codes && device.has_given_up) => {
                    *unreached.entry(session.user).or_default() += 1;
                }
                Some(_) => {}
                None => self.unheard(session),
            }
        }
        // Any other session whose end nobody heard of may be there still.
        for (login, user) in std::mem::take(&mut self.live) {
            left.entry(user).or_default().1.push(login);
        }
        let heard = std::mem::take(&mut self.heard);
        for (login, by) in heard {
            if let Some(user) = self.logins.get(&login).map(|login| login.user)
                && let Some(seats) = self.of(user)
            {
                seats.would_have_heard(login, by);
            }
        }
        for (user, mut seats) in std::mem::take(&mut self.users) {
            if let Some(at) = settled {
                let (alive, unseen) = left.remove(&user).unwrap_or_default();
                seats.settled(at, &alive, &unseen);
            }
            self.tell(end.cast, user, seats.finish(), report);
        }
        for (user, devices) in unreached {
            report.undecided.push(format!(
                "the order of seats of {}: of the devices that were logged in at the end {devices} did not reach the server, \
                 and nobody knows what that had to tell them",
                end.cast.users.name(user.0)
            ));
        }
        for (rule, times) in [
            (OFFLINE, self.asked.offline),
            (LEFT, self.asked.displaced),
            (ORDER, self.asked.displaced),
            (KICK, self.asked.kicks),
            (TWICE, self.asked.kicks),
            (REASON, self.asked.reasons),
            (OWN, self.asked.own),
        ] {
            report.judged[rule.index()] += times;
        }
        let reasons: BTreeSet<&str> =
            self.given_up.values().chain(&self.before).copied().chain(self.all_given_up).collect();
        if !self.logins.is_empty() || !self.given_up.is_empty() {
            report.undecided.extend(reasons.into_iter().map(|why| format!("the order of seats: {why}")));
        }
    }
}
