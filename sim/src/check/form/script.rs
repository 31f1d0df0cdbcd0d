//! What the file has happen happens when it says, and nothing else does: faults, strangers, calls, tickets, the server's
//! configuration.
//!
//! What a device that is frozen is to call waits until it wakes, and what is to be called in a listener until that is.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use gatecrash::id::UserId;
use gatecrash::policy::Seats;
use gatecrash::time::Instant;

use super::{Misfit, unfit};
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{self, Action, AppChange, Call, Conduct, Forge, Scenario, Text, TicketChoice, TicketPlan};
use crate::trace::{
    Actor, Cast, ClockOf, DeviceIndex, Effect, Event, Fault, List, ListIndex, Request, TextIndex, TicketIndex,
    UserIndex, What,
};

const SCRIPT: RuleId = rule("CONN-10");
const TICKET: RuleId = rule("TICKET-2");

const SECOND: Duration = Duration::from_secs(1);

/// What is still to happen.
pub(super) struct Script {
    tick: Duration,
    until: Instant,
    /// As the file names them, until the cast is known.
    steps: Vec<scenario::Step>,
    is_begun: bool,
    faults: VecDeque<(Instant, Fault)>,
    strangers: VecDeque<(Instant, DeviceIndex, Conduct)>,
    calls: Vec<VecDeque<Planned>>,
    changes: VecDeque<(Instant, AppChange)>,
    /// The tickets that the file names, as it describes them.
    named: BTreeMap<String, TicketPlan>,
    config: Config,
    /// What it was before.
    heard_late: Vec<Config>,
    /// The tickets made, by their place.
    tickets: Vec<Option<TicketMade>>,
    devices: Vec<Device>,
    /// When it ended, and all that was broken was mended.
    ended_at: Option<Instant>,
    /// What the messages sent are called, in the order in which they were: what it is about.
    sent: Vec<(UserIndex, TextIndex)>,
    /// Which of them the file calls how.
    sent_named: BTreeMap<u32, u32>,
    /// What each device's process logged in with last.
    last_tickets: Vec<Option<TicketIndex>>,
    ticket_ttl: u64,
    /// Whether the server's clock was meddled with: a second may come twice.
    clock_is_off: bool,
    /// Whether a device's disk was emptied.
    is_wiped: bool,
}

/// A ticket that was made.
#[derive(Clone, Copy, Debug)]
struct TicketMade {
    user: Option<UserIndex>,
    at: Instant,
    /// Whether a login has brought it.
    is_brought: bool,
}

/// What happens to a device by itself.
#[derive(Clone, Debug, Default)]
struct Device {
    up_at: Option<Instant>,
    /// When its process died, until the next is up.
    died_at: Option<Instant>,
    woken_at: Option<Instant>,
    /// Whether anything is to be called in its listener, and what that was told last, at that instant.
    listens: bool,
    told: (Instant, Vec<&'static str>),
    /// A call of that instant that was taken for one that the file has it make then, and may have been a listener's: that
    /// one is still to come if so.
    either: Option<(Planned, Planned)>,
}

/// What a login's ticket may be.
struct Made<'a> {
    at: Instant,
    named: &'a BTreeMap<String, TicketPlan>,
    tickets: &'a [Option<TicketMade>],
    clock_is_off: bool,
    /// How long one lasts of which the file says nothing.
    ttl: u64,
    last: Option<TicketIndex>,
}

/// A call that the file has an application make.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Planned {
    at: Instant,
    call: Call,
    /// What the listener is told when it is made, of one that waits for that.
    when: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Config {
    seats: Seats,
    reconnect_kicks: bool,
    notify_offline_kick: bool,
    administrators: Vec<String>,
}

impl Script {
    pub(super) fn new(scenario: &Scenario, tick: Duration) -> Self {
        let app = &scenario.app;
        let administrators = app.administrators.iter().map(|user| user.as_str().to_owned()).collect();
        Script {
            tick,
            until: Instant::ZERO + scenario.until,
            steps: scenario.steps.clone(),
            is_begun: false,
            faults: VecDeque::new(),
            strangers: VecDeque::new(),
            calls: Vec::new(),
            changes: VecDeque::new(),
            named: scenario.tickets.iter().map(|(name, plan)| (name.as_str().to_owned(), plan.clone())).collect(),
            config: Config {
                seats: app.seats,
                reconnect_kicks: app.reconnect_kicks,
                notify_offline_kick: app.notify_offline_kick,
                administrators,
            },
            heard_late: Vec::new(),
            tickets: Vec::new(),
            devices: Vec::new(),
            ended_at: None,
            sent: Vec::new(),
            sent_named: BTreeMap::new(),
            last_tickets: Vec::new(),
            ticket_ttl: app.ticket_ttl.as_secs(),
            clock_is_off: false,
            is_wiped: false,
        }
    }

    /// Names who the file names.
    fn begin(&mut self, cast: &Cast) {
        self.is_begun = true;
        self.calls.resize(cast.devices().len(), VecDeque::new());
        self.devices.resize(cast.devices().len(), Device::default());
        self.last_tickets.resize(cast.devices().len(), None);
        for step in std::mem::take(&mut self.steps) {
            let at = Instant::ZERO + step.at;
            let find = |name: &scenario::DeviceName| cast.find_device(name.as_str()).expect("a step names a device");
            match step.action {
                Action::Fault(fault) => self.faults.push_back((at, Fault::of(&fault, cast))),
                Action::Raw { device, conduct } => self.strangers.push_back((at, find(&device), conduct)),
                Action::Call { device, call } => {
                    self.calls[find(&device).index()].push_back(Planned { at, call, when: None });
                }
                Action::On { device, event, call } => {
                    let (when, device) = (Some(event.word()), find(&device).index());
                    self.devices[device].listens = true;
                    self.calls[device].push_back(Planned { at, call, when });
                }
                Action::App(change) => self.changes.push_back((at, change)),
            }
        }
    }

    pub(super) fn observe(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        if !self.is_begun {
            self.begin(cast);
        }
        let at = event.at;
        match event.what {
            What::Fault { fault } => {
                self.clock_is_off |= matches!(
                    fault,
                    Fault::Skew { clock: ClockOf(None), .. } | Fault::Drift { clock: ClockOf(None), .. }
                );
                let due = |one: &(Instant, Fault)| is_due(one.0, at, self.tick) && one.1 == fault;
                (!takes(&mut self.faults, due)).then(|| unasked("a fault"))
            }
            What::Stranger { device, conduct } => {
                let due = |one: &(Instant, DeviceIndex, Conduct)| {
                    is_due(one.0, at, self.tick) && (one.1, one.2) == (device, conduct)
                };
                (!takes(&mut self.strangers, due)).then(|| unasked("a stranger"))
            }
            What::ScriptEnded => {
                self.ended_at = Some(at);
                let is_due = is_due(self.until, at, self.tick);
                let is_late = |due: &Instant| *due + self.tick * 2 < at;
                let mut left = self.faults.iter().map(|(due, _)| due).chain(self.strangers.iter().map(|(due, ..)| due));
                (!is_due || left.any(is_late))
                    .then(|| unfit(SCRIPT, "the script ended, and has not happened".to_owned()))
            }
            What::OldKeyDropped => {
                let due = |one: &(Instant, AppChange)| is_due(one.0, at, self.tick) && one.1 == AppChange::DropOldKey;
                (!takes(&mut self.changes, due)).then(|| unasked("the loss of a key"))
            }
            What::Configured { seats, reconnect_kicks, notify_offline_kick, administrators } => {
                let said = (seats, reconnect_kicks, notify_offline_kick);
                self.configured(cast, at, said, administrators)
            }
            What::Converged => {
                let is_due = |planned: &Planned| planned.when.is_none();
                let is_left = self.calls.iter().flatten().any(is_due);
                is_left.then(|| unfit(SCRIPT, "what the script has somebody call was never called".to_owned()))
            }
            What::Effect { effect: Effect::ProcessUp { device } } => {
                self.last_tickets[device.index()] = None;
                let device = &mut self.devices[device.index()];
                (device.up_at, device.died_at) = (Some(at), None);
                None
            }
            What::Effect { effect: Effect::ProcessDead { device } } => {
                self.devices[device.index()].died_at = Some(at);
                None
            }
            What::Effect { effect: Effect::DiskEmpty { .. } } => {
                self.is_wiped = true;
                None
            }
            What::Effect { effect: Effect::Woken { device } } => {
                self.devices[device.index()].woken_at = Some(at);
                None
            }
            What::Effect { effect: Effect::Skipped { device } } => {
                let died_at = self.devices[device.index()].died_at;
                let calls = &mut self.calls[device.index()];
                // One of now, or that waited until the device wakes; and of a dead one what it was to call in a listener.
                let is_to_be_made = |planned: &Planned| match planned.when {
                    None => planned.at <= at,
                    Some(_) => planned.at <= at && died_at.is_some_and(|died| died < planned.at),
                };
                let is_now = || calls.iter().position(|planned| is_due(planned.at, at, self.tick));
                let place = calls.iter().position(is_to_be_made).or_else(is_now);
                place.and_then(|place| calls.remove(place)).is_none().then(|| unasked("a call that nobody makes"))
            }
            What::SdkWoken => {
                let Actor::Device(device) = event.actor else { return None };
                let has_woken = self.devices[device.index()].woken_at == Some(at);
                let is_healed = self.ended_at.is_some_and(|ended| is_due(ended, at, self.tick));
                (!has_woken && !is_healed).then(|| unasked("a wake"))
            }
            What::Told { event: told, .. } => {
                let Actor::Device(device) = event.actor else { return None };
                let Device { told: (last, words), listens, .. } = &mut self.devices[device.index()];
                if !*listens {
                    return None;
                }
                if std::mem::replace(last, at) != at {
                    words.clear();
                }
                words.push(told.word());
                None
            }
            What::TicketMade { ticket, user, issued, ttl } => {
                let made = cast.ticket(ticket);
                let is_named = self.named.get(&made.name);
                let place = grown(&mut self.tickets, ticket.index());
                let before = place.replace(TicketMade { user, at, is_brought: false });
                let is_its = (made.issued, made.ttl) == (issued.get(), ttl.get())
                    && before.is_none()
                    && is_named.is_none_or(|plan| user.is_some_and(|user| cast.user_name(user) == plan.user.as_str()));
                (!is_its).then(|| unfit(TICKET, "the ticket is another one".to_owned()))
            }
            What::Called { request, .. } => {
                let Actor::Device(device) = event.actor else { return None };
                self.called(cast, at, device, request)
            }
            What::NetworkChanged => {
                let Actor::Device(device) = event.actor else { return None };
                let due = |planned: &Planned| planned.call == Call::NetworkChanged;
                let taken = self.take_of(at, device, due);
                taken.is_none().then(|| unasked("another network"))
            }
            _ => None,
        }
    }

    /// Takes the first such call that the device is to make now, if there is one.
    fn take_of(&mut self, at: Instant, device: DeviceIndex, is_it: impl Fn(&Planned) -> bool) -> Option<Planned> {
        let index = device.index();
        let device = &mut self.devices[device.index()];
        let calls = &mut self.calls[index];
        let (told_at, words) = &device.told;
        let has_woken = device.woken_at == Some(at);
        let is_told = |word: &str| *told_at == at && words.contains(&word);
        let due = |one: &Planned| match one.when {
            None => one.at <= at && (has_woken || is_due(one.at, at, self.tick)) && is_it(one),
            Some(word) => one.at <= at && is_told(word) && is_it(one),
        };
        // What is to be called at an instant before what waits for a listener.
        let at_once = calls.iter().position(|one| one.when.is_none() && due(one));
        // A listener calls when it is told, and of what it was told at that instant the last is the likeliest.
        let of_last = |one: &Planned| one.when.is_some() && one.when == words.last().copied() && due(one);
        let listening = |one: &Planned| one.when.is_some() && due(one);
        let in_listener = calls.iter().position(of_last).or_else(|| calls.iter().position(listening));
        if let Some(place) = at_once.or(in_listener) {
            let of_listener = at_once.and(in_listener).and_then(|place| calls.get(place).cloned());
            let taken = calls.remove(place);
            device.either = taken.clone().zip(of_listener);
            return taken;
        }
        // It is the one that was taken before, and that one was the listener's.
        let (at_once, of_listener) = device.either.take_if(|(at_once, _)| due(at_once))?;
        let place = calls.iter().position(|one| *one == of_listener)?;
        calls.remove(place);
        Some(at_once)
    }

    fn called(&mut self, cast: &Cast, at: Instant, device: DeviceIndex, request: Request) -> Option<Misfit> {
        let last = match request {
            Request::Login { ticket, .. } => self.last_tickets[device.index()].replace(ticket),
            _ => None,
        };
        let tickets = std::mem::take(&mut self.tickets);
        let (named, clock_is_off) = (std::mem::take(&mut self.named), self.clock_is_off);
        let made = Made { at, named: &named, tickets: &tickets, clock_is_off, ttl: self.ticket_ttl, last };
        let taken = self.take_of(at, device, |planned| is_call(cast, &planned.call, request, &made));
        (self.tickets, self.named) = (tickets, named);
        match (request, taken) {
            (Request::Login { ticket, .. }, Some(_)) => {
                let made = self.tickets.get_mut(ticket.index()).and_then(Option::as_mut)?;
                let is_late = !std::mem::replace(&mut made.is_brought, true) && made.at != at;
                let is_named = self.named.contains_key(&cast.ticket(ticket).name);
                (is_late && !is_named)
                    .then(|| unfit(TICKET, "a ticket was made when nobody logged in with it".to_owned()))
            }
            (Request::Send { to, text, id: Some(id) }, Some(Planned { call: Call::Send { id: named, .. }, .. })) => {
                (!self.is_called_so(to, text, id, named)).then(|| unasked("a message under another name"))
            }
            // A process that starts initialises its SDK by itself.
            (Request::Init { .. }, None) if self.devices[device.index()].up_at == Some(at) => None,
            (_, Some(_)) => None,
            (_, None) => Some(unasked(request.word())),
        }
    }

    /// Whether a message may be called so: as the file says, or by the next number, or as the one that is sent again. An
    /// application whose disk was emptied may call another one as it did before.
    fn is_called_so(&mut self, to: UserIndex, text: TextIndex, id: u32, named: Option<u32>) -> bool {
        let is_new = id as usize == self.sent.len() + 1;
        if is_new {
            self.sent.push((to, text));
        }
        match named {
            Some(name) => *self.sent_named.entry(name).or_insert(id) == id,
            None => {
                is_new
                    || self.is_wiped
                    || (id as usize).checked_sub(1).and_then(|place| self.sent.get(place)) == Some(&(to, text))
            }
        }
    }

    fn configured(
        &mut self,
        cast: &Cast,
        at: Instant,
        said: (Seats, bool, bool),
        administrators: Option<ListIndex>,
    ) -> Option<Misfit> {
        let users: Vec<&str> = match administrators.map(|list| cast.list(list)) {
            Some(List::Users(users)) => users.iter().map(|&user| cast.user_name(user)).collect(),
            Some(List::Devices(_) | List::Conversations(_) | List::Report(_)) | None => Vec::new(),
        };
        let is_it = |config: &Config| {
            (config.seats, config.reconnect_kicks, config.notify_offline_kick) == said && config.administrators == users
        };
        // Told by the world and heard by the server, it is there twice; a server that stands still hears it late.
        if self.heard_late.iter().chain([&self.config]).any(is_it) {
            return None;
        }
        while let Some(place) =
            self.changes.iter().position(|(due, change)| *due <= at && *change != AppChange::DropOldKey)
        {
            let Some((_, change)) = self.changes.remove(place) else { break };
            self.heard_late.push(self.config.clone());
            self.config.change(&change);
            if is_it(&self.config) {
                return None;
            }
        }
        Some(unasked("another configuration"))
    }
}

impl Config {
    fn change(&mut self, change: &AppChange) {
        self.seats = change.seats_after(self.seats).unwrap_or(self.seats);
        match change {
            AppChange::ReconnectKicks(on) => self.reconnect_kicks = *on,
            AppChange::NotifyOfflineKick(on) => self.notify_offline_kick = *on,
            AppChange::Administrators(users) => {
                self.administrators = users.iter().map(|user| user.as_str().to_owned()).collect();
            }
            AppChange::Policy(_) | AppChange::MaxInstances { .. } | AppChange::DropOldKey => {}
        }
    }
}

impl Made<'_> {
    /// Whether the ticket is made for this login, or was for one of the same second, or is one that the file makes and has
    /// happen to be the same. Nobody is a user who cannot be.
    fn is_fresh(&self, cast: &Cast, ticket: TicketIndex, user: UserIndex) -> bool {
        let made = self.tickets.get(ticket.index()).copied().flatten();
        let is_for = |of: UserIndex| of == user || cast.user_name(user).parse::<UserId>().is_err();
        made.is_some_and(|made| {
            let is_now = self.clock_is_off || self.at - made.at <= SECOND;
            made.user.is_some_and(is_for) && (is_now || self.named.contains_key(&cast.ticket(ticket).name))
        })
    }

    /// Whether the ticket is the same text as the one that the file calls so: for whom it was meant does not show in one
    /// that cannot be read.
    fn is_like(&self, cast: &Cast, ticket: TicketIndex, name: &str) -> bool {
        let made = cast.ticket(ticket);
        let Some(plan) = self.named.get(name) else { return false };
        match self.named.get(&made.name) {
            Some(other) => other.forge == plan.forge && (other.user == plan.user || made.ttl == 0),
            // The empty one that an application brings which has none.
            None if plan.forge == Some(Forge::Empty) => made.ttl == 0,
            // One that was made for a login, and of the second, for the user and for as long as the file says.
            None => {
                let is_its = |user: UserIndex| cast.user_name(user) == plan.user.as_str();
                let user = self.tickets.get(ticket.index()).copied().flatten().and_then(|made| made.user);
                plan.forge.is_none() && made.ttl == plan.ttl.as_secs() && user.is_some_and(is_its)
            }
        }
    }
}

/// Takes the first such thing out. Says whether there is one.
fn takes<T>(all: &mut VecDeque<T>, is_it: impl FnMut(&T) -> bool) -> bool {
    let place = all.iter().position(is_it);
    place.and_then(|place| all.remove(place)).is_some()
}

/// Whether what is due then may happen now: a world may go from tick to tick.
fn is_due(due: Instant, now: Instant, tick: Duration) -> bool {
    due <= now && now <= due + tick * 2
}

/// Whether the request is this call of the file.
fn is_call(cast: &Cast, call: &Call, request: Request, made: &Made<'_>) -> bool {
    match (call, request) {
        (Call::Init, Request::Init { .. })
        | (Call::Uninit, Request::Uninit)
        | (Call::Logout, Request::Logout)
        | (Call::Conversations, Request::Conversations) => true,
        (Call::Login { user, ticket }, Request::Login { user: of, ticket: brought }) => {
            let ticket_made = cast.ticket(brought);
            cast.user_name(of) == user
                && match ticket {
                    TicketChoice::Named(name) => {
                        ticket_made.name == name.as_str() || made.is_like(cast, brought, name.as_str())
                    }
                    TicketChoice::Fresh { ttl } => {
                        ticket_made.ttl == ttl.map_or(made.ttl, |ttl| ttl.as_secs()) && made.is_fresh(cast, brought, of)
                    }
                    // A process that has logged in with none brings an empty one.
                    TicketChoice::Last => made.last.map_or(ticket_made.ttl == 0, |last| last == brought),
                }
        }
        (Call::Send { to, text, .. }, Request::Send { to: whom, text: what, .. }) => {
            let is_text = match text {
                Text::Written(text) => cast.text(what) == text,
                Text::Bytes(count) => cast.text(what).len() == *count as usize,
            };
            cast.user_name(whom) == to && is_text
        }
        (Call::Kick { user }, Request::Kick { user: of }) => cast.user_name(of) == user,
        (Call::Query { users }, Request::Query { users: of }) => match of.map(|list| cast.list(list)) {
            Some(List::Users(of)) => of.iter().map(|&user| cast.user_name(user)).eq(users.iter().map(String::as_str)),
            Some(List::Devices(_) | List::Conversations(_) | List::Report(_)) => false,
            None => users.is_empty(),
        },
        _ => false,
    }
}

fn unasked(what: &str) -> Misfit {
    unfit(SCRIPT, format!("{what} that the script does not have now"))
}

#[cfg(test)]
mod tests {
    use gatecrash::protocol::KickReason;

    use super::*;
    use crate::trace::Told;

    const TEXT: &str = r#"
title = "A kick, and two logouts"
rules = ["KICK-9"]
seed = 1
tick = "10ms"

[sites]
home = { latency = "1ms" }

[devices]
phone = { platform = "android", site = "home" }

[script]
until = "1s"
steps = """
100ms  phone  on kicked_offline logout
363ms  phone  logout
"""
"#;

    /// What a listener calls may come before what the script has the application call at that moment.
    #[test]
    fn a_call_of_a_listener_and_one_of_the_same_moment_are_told_apart() {
        let scenario = Scenario::parse("two.toml", TEXT).expect("well written");
        let cast = Cast::of(&scenario);
        let mut script = Script::new(&scenario, scenario.tick);
        let mut fits = |millis: u64, what| {
            let at = Instant::from_micros(millis * 1_000);
            script.observe(&cast, &Event { at, actor: Actor::Device(DeviceIndex::new(0)), number: 0, what }).is_none()
        };
        let reason = KickReason::SamePlatform;
        let told = What::Told { event: Told::KickedOffline { by: None, reason }, user: None, epoch: 0 };
        let logs_out = |call| What::Called { call, request: Request::Logout };
        assert!(fits(363, told));
        assert!(fits(363, logs_out(1)), "the listener's, or the other one");
        assert!(fits(370, logs_out(2)), "the other one, then");
        assert!(!fits(370, logs_out(3)), "there is no third");
    }
}
