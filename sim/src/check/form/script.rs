//! What the file has happen happens when it says, and nothing else does: faults, strangers, calls, tickets, the server's
//! configuration.
//!
//! What a device that is frozen is to call waits until it wakes, and what is to be called in a listener until it is called.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::policy::Seats;
use gatecrash::time::Instant;

use super::Misfit;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{self, Action, AppChange, Call, Conduct, Scenario, Text, TicketChoice};
use crate::trace::{
    Actor, Cast, DeviceIndex, Effect, Event, Fault, List, ListIndex, Request, TicketIndex, UserIndex, What,
};

const SCRIPT: RuleId = rule("CONN-10");
const TICKET: RuleId = rule("TICKET-2");

/// What is still to happen.
pub(super) struct Script {
    tick: Duration,
    until: Instant,
    /// As the file names them, until the cast is known.
    steps: Vec<scenario::Step>,
    is_begun: bool,
    faults: Vec<(Instant, Fault)>,
    strangers: Vec<(Instant, DeviceIndex, Conduct)>,
    calls: Vec<Vec<Planned>>,
    changes: Vec<(Instant, AppChange)>,
    named: BTreeMap<String, String>,
    config: Config,
    /// What it was before.
    heard_late: Vec<Config>,
    /// The tickets made, and for whom.
    tickets: Vec<(TicketIndex, Option<UserIndex>)>,
    woken: Vec<Option<Instant>>,
    /// What each device's process logged in with last.
    last_tickets: Vec<Option<TicketIndex>>,
    ticket_ttl: u64,
}

/// What a login's ticket may be.
struct Made<'a> {
    named: &'a BTreeMap<String, String>,
    /// How long one lasts of which the file says nothing.
    ttl: u64,
    last: Option<TicketIndex>,
}

/// A call that the file has an application make.
#[derive(Clone, Debug)]
struct Planned {
    at: Instant,
    call: Call,
    /// Whether it is made in a listener, whenever that is called.
    waits: bool,
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
            faults: Vec::new(),
            strangers: Vec::new(),
            calls: Vec::new(),
            changes: Vec::new(),
            named: scenario
                .tickets
                .iter()
                .map(|(name, plan)| (name.as_str().to_owned(), plan.user.as_str().to_owned()))
                .collect(),
            config: Config {
                seats: app.seats,
                reconnect_kicks: app.reconnect_kicks,
                notify_offline_kick: app.notify_offline_kick,
                administrators,
            },
            heard_late: Vec::new(),
            tickets: Vec::new(),
            woken: Vec::new(),
            last_tickets: Vec::new(),
            ticket_ttl: app.ticket_ttl.as_secs(),
        }
    }

    /// Names who the file names.
    fn begin(&mut self, cast: &Cast) {
        self.is_begun = true;
        self.calls.resize(cast.devices().len(), Vec::new());
        self.woken.resize(cast.devices().len(), None);
        self.last_tickets.resize(cast.devices().len(), None);
        for step in std::mem::take(&mut self.steps) {
            let at = Instant::ZERO + step.at;
            let find = |name: &scenario::DeviceName| cast.find_device(name.as_str()).expect("a step names a device");
            match step.action {
                Action::Fault(fault) => self.faults.push((at, Fault::of(&fault, cast))),
                Action::Raw { device, conduct } => self.strangers.push((at, find(&device), conduct)),
                Action::Call { device, call } => {
                    self.calls[find(&device).index()].push(Planned { at, call, waits: false });
                }
                Action::On { device, call, .. } => {
                    self.calls[find(&device).index()].push(Planned { at, call, waits: true });
                }
                Action::App(change) => self.changes.push((at, change)),
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
                let is_due = is_due(self.until, at, self.tick);
                let is_late = |due: &Instant| *due + self.tick * 2 < at;
                let mut left = self.faults.iter().map(|(due, _)| due).chain(self.strangers.iter().map(|(due, ..)| due));
                (!is_due || left.any(is_late)).then(|| (SCRIPT, "the script ended, and has not happened".to_owned()))
            }
            What::OldKeyDropped => {
                let due = |one: &(Instant, AppChange)| is_due(one.0, at, self.tick) && one.1 == AppChange::DropOldKey;
                (!takes(&mut self.changes, due)).then(|| unasked("the loss of a key"))
            }
            What::Configured { seats, reconnect_kicks, notify_offline_kick, administrators } => {
                let said = (seats, reconnect_kicks, notify_offline_kick);
                self.configured(cast, at, said, administrators)
            }
            What::Effect { effect: Effect::ProcessUp { device } } => {
                self.last_tickets[device.index()] = None;
                None
            }
            What::Effect { effect: Effect::Woken { device } } => {
                self.woken[device.index()] = Some(at);
                None
            }
            What::TicketMade { ticket, user, issued, ttl } => {
                let made = cast.ticket(ticket);
                let is_named = self.named.get(&made.name);
                let is_its = (made.issued, made.ttl) == (issued.get(), ttl.get())
                    && self.tickets.iter().all(|(other, _)| *other != ticket)
                    && is_named.is_none_or(|name| user.is_some_and(|user| cast.user_name(user) == name));
                self.tickets.push((ticket, user));
                (!is_its).then(|| (TICKET, "the ticket is another one".to_owned()))
            }
            What::Called { request, .. } => {
                let Actor::Device(device) = event.actor else { return None };
                self.called(cast, at, device, request)
            }
            What::NetworkChanged => {
                let Actor::Device(device) = event.actor else { return None };
                let due = |planned: &Planned| planned.call == Call::NetworkChanged;
                let calls = &mut self.calls[device.index()];
                let is_due = Self::take_of(calls, at, self.woken[device.index()], self.tick, due);
                (!is_due).then(|| unasked("another network"))
            }
            _ => None,
        }
    }

    /// Takes the first such call that the device is to make by now. Says whether there is one.
    fn take_of(
        calls: &mut Vec<Planned>,
        at: Instant,
        woken: Option<Instant>,
        tick: Duration,
        is_it: impl Fn(&Planned) -> bool,
    ) -> bool {
        let has_woken = woken == Some(at);
        let due = |one: &Planned| one.at <= at && (one.waits || has_woken || is_due(one.at, at, tick)) && is_it(one);
        // What is to be called at an instant before what waits for a listener.
        let at_once = calls.iter().position(|one| !one.waits && due(one));
        let place = at_once.or_else(|| calls.iter().position(due));
        place.map(|place| calls.remove(place)).is_some()
    }

    fn called(&mut self, cast: &Cast, at: Instant, device: DeviceIndex, request: Request) -> Option<Misfit> {
        let last = match request {
            Request::Login { ticket, .. } => self.last_tickets[device.index()].replace(ticket),
            _ => None,
        };
        let made = Made { named: &self.named, ttl: self.ticket_ttl, last };
        let is_it = |planned: &Planned| is_call(cast, &planned.call, request, &made);
        // A process that starts initialises its SDK by itself.
        if matches!(request, Request::Init { .. }) {
            Self::take_of(&mut self.calls[device.index()], at, self.woken[device.index()], self.tick, is_it);
            return None;
        }
        let calls = &mut self.calls[device.index()];
        let is_due = Self::take_of(calls, at, self.woken[device.index()], self.tick, is_it);
        (!is_due).then(|| unasked(request.word()))
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
            let (_, change) = self.changes.remove(place);
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

/// Takes the first such thing out. Says whether there is one.
fn takes<T>(all: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) -> bool {
    let place = all.iter().position(is_it);
    place.map(|place| all.remove(place)).is_some()
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
                        ticket_made.name == name.as_str() || made.named.contains_key(name.as_str())
                    }
                    TicketChoice::Fresh { ttl } => ticket_made.ttl == ttl.map_or(made.ttl, |ttl| ttl.as_secs()),
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
    (SCRIPT, format!("{what} that the script does not have now"))
}
