//! A run of one of our worlds as somebody outside sees it: the events of a history, made of those of a trace.
//!
//! Looks through the keyhole only: what a server decided, what is on the wire and on disks is left out, but for the two
//! channels that say when a device could reach the server and what a presence watcher was told.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::policy::{Platform as Ours, Seats};
use gatecrash::protocol::Presence;

use super::channel::{Channel, Channels};
use super::event::{
    Actor, Beginning, Event, Identity, Item, Known, NewPolicy, Outcome, Platform, Process, Request, Told, User, What,
};
use super::head::Head;
use super::print::line;
use super::promise::{Limits, Plan, Promise};
use super::raw::known_by;
use super::read::Cast;
use crate::scenario::{Action, AppChange, Clock, Fault, Forge, Scenario, Step, numbers};
use crate::trace;

/// Turns a trace into the history that somebody outside would have recorded.
#[derive(Debug)]
pub struct Keyhole {
    observes: Channels,
    /// The tickets of the scenario with which something is wrong, by name.
    forged: BTreeMap<String, Forge>,
    /// Whom the events name.
    pub cast: Cast,
    devices: Vec<Device>,
    sites: Vec<Site>,
    /// Whether the server has started, and its store has not failed since.
    is_started: bool,
    is_frozen: bool,
    written: u64,
    first_call: u64,
    configured: Option<(Seats, bool, bool)>,
    /// Presence that the server has decided, by its change: nobody is told before that is on disk.
    decided: Vec<(u32, Published)>,
}

/// One presence event.
#[derive(Clone, Copy, Debug)]
struct Published {
    user: trace::UserIndex,
    sequence: u32,
    presence: Presence,
}

#[derive(Clone, Copy, Debug)]
struct Device {
    actor: Actor,
    site: usize,
    is_up: bool,
    is_dead: bool,
    /// Whether the status that it showed last is LOGINED.
    is_logined: bool,
    /// How often its process has started: the numbers of its calls start over with it.
    starts: u64,
}

#[derive(Clone, Copy, Debug)]
struct Site {
    is_open: bool,
    is_held: bool,
}

/// The history of a run, as somebody outside would have recorded it: its first line and all others, each with its end.
pub fn history(scenario: &Scenario, observes: Channels, trace: &trace::Trace) -> String {
    let mut keyhole = Keyhole::new(scenario, observes);
    let mut text = Keyhole::head(scenario, observes).line();
    text.push('\n');
    let mut ahead = Vec::new();
    for event in &trace.events {
        keyhole.see(&trace.cast, event, |cast, event| {
            if let What::Brings { .. } = event.what {
                ahead.push(*event);
                return;
            }
            text.push_str(&line(cast, &ahead, event));
            text.push('\n');
            ahead.clear();
        });
    }
    text
}

fn promise_of(seats: Seats) -> Promise {
    let max = Ours::ALL
        .into_iter()
        .map(|platform| (platform.word().to_owned(), seats.instances_max(platform) as u32))
        .filter(|&(_, max)| max != 1);
    Promise { plan: Plan::Policy { policy: seats.policy(), max: max.collect() }, ..Promise::default() }
}

impl Keyhole {
    /// A keyhole through which these channels of a run of this scenario are seen.
    pub fn new(scenario: &Scenario, observes: Channels) -> Keyhole {
        let forged = scenario.tickets.iter();
        let forged = forged.filter_map(|(name, plan)| Some((name.as_str().to_owned(), plan.forge?)));
        Keyhole {
            observes,
            forged: forged.collect(),
            cast: Cast::default(),
            devices: Vec::new(),
            sites: Vec::new(),
            is_started: true,
            is_frozen: false,
            written: 0,
            first_call: 0,
            configured: None,
            decided: Vec::new(),
        }
    }

    /// The first line of the history of a run of this scenario.
    pub fn head(scenario: &Scenario, observes: Channels) -> Head {
        let app = &scenario.app;
        // An operating system may gather timers.
        let gathered = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Fault(Fault::LateTimers { by, .. }) => Some(*by),
            _ => None,
        });
        let late = gathered.max().unwrap_or_default();
        let limits = numbers::client_limits(&scenario.limits, Ours::Android);
        let of_web = numbers::client_limits(&scenario.limits, Ours::Web);
        let of_server = numbers::server_limits(&scenario.limits);
        // Of a server whose clock goes wrong nobody knows what it shows.
        let goes_wrong = |step: &Step| {
            matches!(
                step.action,
                Action::Fault(Fault::Skew { clock: Clock::Server, .. } | Fault::Drift { clock: Clock::Server, .. })
            )
        };
        let is_clock_right = !scenario.steps.iter().any(goes_wrong);
        let later = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::App(AppChange::Administrators(users)) => Some(users),
            _ => None,
        });
        let administrators = later.flatten().chain(&app.administrators).map(|user| user.as_str().to_owned());
        let promise = Promise {
            administrators: Some(administrators.collect()),
            reconnect_kicks: app.reconnect_kicks,
            notify_offline_kick: app.notify_offline_kick,
            limits: Limits {
                login_timeout: Some(limits.login_timeout),
                request_timeout: Some(limits.request_timeout),
                heartbeat: Some(limits.heartbeat.max(of_web.heartbeat)),
                heartbeat_answer: Some(limits.heartbeat_answer.max(of_web.heartbeat_answer)),
                back_off_max: Some(
                    limits.backoff_max.max(of_web.backoff_max) * (100 + limits.backoff_spread_percent) / 100,
                ),
                connect_timeout: Some(limits.connect_timeout.max(of_web.connect_timeout)),
                late: Some(late + Duration::from_secs(1)),
                back_off_first: Some(limits.backoff_first.max(of_web.backoff_first)),
                // Of the devices of a user that are remembered there may be too many.
                remembered: Some(of_server.remembered)
                    .filter(|_| is_clock_right && scenario.limits.remembered_max.is_none()),
                refusals_window: Some(of_server.refusals_window),
                refusals_lock: Some(of_server.refusals_lock),
                // Where few records are kept, others' refusals may push a device's out.
                refusals_max: Some(of_server.refusals_max).filter(|_| scenario.limits.records_max.is_none()),
                silence: Some(of_server.silence.max(of_server.silence_web)),
                push: Some(of_server.push_online),
                ..Limits::default()
            },
            ..promise_of(app.seats)
        };
        let devices = scenario.devices.iter();
        let devices = devices.map(|(name, device)| (name.as_str().to_owned(), device.platform.word().to_owned()));
        let wall = Some(app.start.as_micros()).filter(|_| is_clock_right);
        Head { promise, wall, devices: devices.collect(), ..Head::new("gatecrash", observes) }
    }

    /// What somebody outside sees of one event.
    pub fn see(&mut self, cast: &trace::Cast, event: &trace::Event, mut show: impl FnMut(&Cast, &Event)) {
        self.meet(cast);
        let at = event.at.as_micros();
        match (event.what, event.actor) {
            (trace::What::Effect { effect: trace::Effect::ProcessUp { device } }, _) => {
                let device = &mut self.devices[device.index()];
                (device.is_dead, device.starts) = (false, device.starts + 1);
            }
            (trace::What::Effect { effect: trace::Effect::ProcessDead { device } }, _) => {
                self.devices[device.index()].is_dead = true;
            }
            (trace::What::Status { status, .. }, trace::Actor::Device(device)) => {
                self.devices[device.index()].is_logined = status == Status::Logined;
            }
            _ => self.links(event.what),
        }
        let starts = match event.actor {
            trace::Actor::Device(device) if device != trace::DeviceIndex::STRANGER => {
                self.devices[device.index()].starts
            }
            _ => 0,
        };
        self.first_call = starts.saturating_sub(1) << 32;
        let actor = match event.actor {
            trace::Actor::Device(trace::DeviceIndex::STRANGER) => return,
            trace::Actor::Device(device) => self.devices[device.index()].actor,
            trace::Actor::World | trace::Actor::Server => Actor(self.cast.actors.number("world")),
        };
        if let trace::What::Answered { call, outcome, .. } = event.what
            && self.observes.has(Channel::Calls)
        {
            let call = self.first_call + u64::from(call);
            for item in self.brought(cast, outcome) {
                // A part of the line that comes next.
                let line = self.written + 2;
                show(&self.cast, &Event { line, from: at, to: at, actor, what: What::Brings { call, item } });
            }
        }
        let mut seen = |keyhole: &mut Keyhole, actor: Actor, what: What| {
            keyhole.written += 1;
            let event = Event { line: keyhole.written + 1, from: at, to: at, actor, what };
            show(&keyhole.cast, &event);
        };
        if let trace::What::Committed { commit } | trace::What::ServerStarted { commit, .. } = event.what
            && self.observes.has(Channel::Presence)
        {
            // What a start does not find on the disk was never decided.
            let is_lost = matches!(event.what, trace::What::ServerStarted { .. });
            let (now, later): (Vec<_>, Vec<_>) = self.decided.drain(..).partition(|(of, _)| *of <= commit);
            self.decided = if is_lost { Vec::new() } else { later };
            for (_, published) in now {
                let what = self.presence(cast, published);
                seen(self, actor, what);
            }
        }
        if let Some((channel, actor, what)) = self.plain(cast, event, actor) {
            if self.observes.has(channel) {
                seen(self, actor, what);
            }
            return;
        }
        match event.what {
            // The server says it each time it starts.
            trace::What::Configured { seats, reconnect_kicks, notify_offline_kick, .. } => {
                let now = (seats, reconnect_kicks, notify_offline_kick);
                if self.configured.replace(now).is_some_and(|before| before != now) {
                    let promise = Promise { reconnect_kicks, notify_offline_kick, ..promise_of(seats) };
                    let to = NewPolicy(self.cast.policies.number(&promise.policy_line()));
                    seen(self, actor, What::PolicyChanged { to: Some(to) });
                }
            }
            // Of what has not converged, as long as the rules give to everything has been waited.
            trace::What::Converged | trace::What::NotConverged { .. } => {
                let settled = !self.is_ghost() && self.is_served();
                seen(self, actor, What::End { settled });
            }
            trace::What::Effect { .. } | trace::What::StoreFailed | trace::What::ServerStarted { .. }
                if self.observes.has(Channel::Link) =>
            {
                for index in 0..self.devices.len() {
                    let Device { actor, site, is_up, .. } = self.devices[index];
                    let Site { is_open, is_held } = self.sites[site];
                    let up = is_open && !is_held && self.is_served();
                    if up != is_up {
                        self.devices[index].is_up = up;
                        seen(self, actor, What::Link { up });
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a device shows LOGINED of which nobody is told that its process is dead.
    fn is_ghost(&self) -> bool {
        !self.observes.has(Channel::Process)
            && self.observes.has(Channel::Status)
            && self.devices.iter().any(|device| device.is_dead && device.is_logined)
    }

    /// Devices and sites are all in a trace's cast from its start.
    fn meet(&mut self, cast: &trace::Cast) {
        while let Some(device) = cast.devices().get(self.devices.len()) {
            let actor = Actor(self.cast.actors.number(&device.name));
            self.devices.push(Device {
                actor,
                site: device.site.index(),
                is_up: true,
                is_dead: false,
                is_logined: false,
                starts: 0,
            });
        }
        self.sites.resize(cast.sites().len(), Site { is_open: true, is_held: false });
    }

    /// Whether a server runs whose store is open: else it lets nobody in (DUR-5).
    fn is_served(&self) -> bool {
        self.is_started && !self.is_frozen
    }

    fn links(&mut self, what: trace::What) {
        let effect = match what {
            trace::What::Effect { effect } => effect,
            trace::What::ServerStarted { .. } => return self.is_started = true,
            trace::What::StoreFailed => return self.is_started = false,
            _ => return,
        };
        match effect {
            trace::Effect::Link { site, outbound, inbound } => {
                self.sites[site.index()] = Site { is_open: outbound && inbound, is_held: false };
            }
            trace::Effect::LinkHeld { site } => self.sites[site.index()].is_held = true,
            trace::Effect::Moved { device, site } => self.devices[device.index()].site = site.index(),
            trace::Effect::ServerUp | trace::Effect::ServerWoken => self.is_frozen = false,
            trace::Effect::ServerDead => self.is_started = false,
            trace::Effect::ServerSuspended => self.is_frozen = true,
            _ => {}
        }
    }

    fn plain(&mut self, cast: &trace::Cast, event: &trace::Event, actor: Actor) -> Option<(Channel, Actor, What)> {
        Some(match event.what {
            trace::What::Called { call, request } => {
                let request = self.request(cast, request);
                (Channel::Calls, actor, What::Called { call: self.first_call + u64::from(call), request })
            }
            trace::What::Answered { call, kind, outcome, .. } => {
                let outcome = match outcome {
                    trace::Outcome::Message { message } => Outcome::Done { message: Some(Known(message.into())) },
                    trace::Outcome::Failed { code, .. } => Outcome::Failed { code: Some(code.number()) },
                    trace::Outcome::Done | trace::Outcome::Conversations { .. } | trace::Outcome::Report { .. } => {
                        Outcome::Done { message: None }
                    }
                };
                (Channel::Calls, actor, What::Answered { call: self.first_call + u64::from(call), kind, outcome })
            }
            trace::What::UninitReturned { .. } => (Channel::Calls, actor, What::UninitReturned),
            trace::What::NetworkChanged => (Channel::Calls, actor, What::NetworkChanged),
            trace::What::Told { event, user, epoch } => {
                let told = What::Told {
                    event: self.told(cast, event),
                    user: user.map(|user| self.user(cast, user)),
                    epoch: (epoch > 0).then_some(epoch.into()),
                };
                (Channel::Events, actor, told)
            }
            trace::What::Status { status, login_user } => {
                let login_user = login_user.map(|user| self.user(cast, user));
                (Channel::Status, actor, What::Status { status, login_user, is_said: true, sampled: false })
            }
            trace::What::KnownAs { device, .. } => {
                let copied = self.devices[device.index()].actor;
                (Channel::Calls, actor, What::Identity(Identity::CopyOf(copied)))
            }
            trace::What::NewDevice { .. } => (Channel::Calls, actor, What::Identity(Identity::New)),
            trace::What::TicketMade { ticket, user, issued, ttl } => {
                let name = &cast.ticket(ticket).name;
                let user = match self.forged.get(name) {
                    None => user.map(|user| self.user(cast, user)),
                    // It is withdrawn with its key, at an instant that is the server's.
                    Some(Forge::OldKey) => None,
                    // Whoever issues tickets has not issued this one.
                    Some(_) => return None,
                };
                let what = What::Ticket { ticket: Known(known_by(name)), user, issued: issued.get(), ttl: ttl.get() };
                (Channel::Tickets, actor, what)
            }
            trace::What::Fact { commit, fact: trace::Fact::PresenceChanged { user, sequence, presence, .. } } => {
                if self.observes.has(Channel::Presence) {
                    self.decided.push((commit, Published { user, sequence, presence }));
                }
                return None;
            }
            trace::What::Effect { effect } => {
                // Whoever lays a disk waste knows that they did.
                if let trace::Effect::DiskEmpty { device } | trace::Effect::RecordDamaged { device } = effect {
                    let actor = self.devices[device.index()].actor;
                    return Some((Channel::Calls, actor, What::Identity(Identity::New)));
                }
                let (device, what) = match effect {
                    trace::Effect::ProcessDead { device } => (device, What::Process(Process::Dead)),
                    trace::Effect::ProcessUp { device } => (device, What::Process(Process::Up)),
                    trace::Effect::Suspended { device } => (device, What::Process(Process::Suspended)),
                    trace::Effect::Woken { device } => (device, What::Process(Process::Woken)),
                    _ => return None,
                };
                (Channel::Process, self.devices[device.index()].actor, what)
            }
            _ => return None,
        })
    }

    /// What a result says beside that it is one.
    fn brought(&mut self, cast: &trace::Cast, outcome: trace::Outcome) -> Vec<Item> {
        let (trace::Outcome::Conversations { conversations: Some(list) }
        | trace::Outcome::Report { report: Some(list) }) = outcome
        else {
            return Vec::new();
        };
        match cast.list(list) {
            trace::List::Conversations(lines) => {
                let line = |line: &trace::ConversationLine| {
                    let preview = cast.text(line.preview);
                    let length = u32::try_from(preview.len()).unwrap_or(u32::MAX);
                    Item::Conversation {
                        peer: self.user(cast, line.peer),
                        last: Some(Known(line.last.into())),
                        preview: Some(Beginning { sum: Known(known_by(preview)), length }),
                    }
                };
                lines.iter().map(line).collect()
            }
            trace::List::Report(lines) => {
                let line = |line: &trace::ReportLine| Item::Standing {
                    user: self.user(cast, line.user),
                    presence: line.presence,
                };
                lines.iter().map(line).collect()
            }
            trace::List::Devices(_) | trace::List::Users(_) => Vec::new(),
        }
    }

    fn user(&mut self, cast: &trace::Cast, user: trace::UserIndex) -> User {
        User(self.cast.users.number(cast.user_name(user)))
    }

    fn presence(&mut self, cast: &trace::Cast, of: Published) -> What {
        What::Presence { user: self.user(cast, of.user), sequence: Some(of.sequence.into()), presence: of.presence }
    }

    fn request(&mut self, cast: &trace::Cast, request: trace::Request) -> Request {
        match request {
            trace::Request::Init { platform } => {
                Request::Init { platform: Some(Platform(self.cast.platforms.number(platform.word()))) }
            }
            trace::Request::Uninit => Request::Uninit,
            trace::Request::Login { user, ticket } => Request::Login {
                user: self.user(cast, user),
                platform: None,
                ticket: Some(Known(known_by(&cast.ticket(ticket).name))),
            },
            trace::Request::Logout => Request::Logout,
            trace::Request::Conversations => Request::Conversations,
            trace::Request::Send { to, text, id } => {
                let text = cast.text(text);
                Request::Send {
                    to: self.user(cast, to),
                    text: Some(Known(known_by(text))),
                    length: u32::try_from(text.len()).unwrap_or(u32::MAX),
                    id: id.map(|id| Known(id.into())),
                }
            }
            trace::Request::Kick { user } => Request::Kick { user: self.user(cast, user) },
            trace::Request::Query { .. } => Request::Query,
        }
    }

    fn told(&mut self, cast: &trace::Cast, event: trace::Told) -> Told {
        match event {
            trace::Told::Connecting => Told::Connecting,
            trace::Told::ConnectSuccess => Told::ConnectSuccess,
            trace::Told::ConnectFailed { code } => Told::ConnectFailed { code: Some(code.number()) },
            trace::Told::KickedOffline { by, reason } => Told::KickedOffline {
                by: by.map(|by| Actor(self.cast.actors.number(cast.device_name(by)))),
                reason: Some(reason),
            },
            trace::Told::UserSigExpired => Told::UserSigExpired,
            trace::Told::Message { message, from, to, text } => Told::Message {
                message: Some(Known(message.into())),
                from: Some(self.user(cast, from)),
                to: Some(self.user(cast, to)),
                text: Some(Known(known_by(cast.text(text)))),
            },
            trace::Told::MessagesDropped { .. } => Told::MessagesDropped,
        }
    }
}
