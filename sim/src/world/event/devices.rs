//! The devices: their processes, what the application calls and hears, their disks.
//!
//! Decides nothing: the core does.

use std::collections::VecDeque;
use std::mem;

use gatecrash::client::{self, Client, Start};
use gatecrash::code::{Code, Failure};
use gatecrash::decide::ClientDecisions;
use gatecrash::driver::OnDisk;
use gatecrash::id::{CallId, Change, ConnectionId, SendId};
use gatecrash::policy::Platform;
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

use super::super::network::Network;
use super::super::outgoing::{self, Outgoing};
use super::super::storage::Storage;
use super::super::tickets;
use super::super::timers::Timers;
use super::flight::Body;
use super::writer::Writer;
use super::{Class, Due, System, World, mint, small};
use crate::generate::draw::Draw;
use crate::scenario::{self, Call, Init, ListenerEvent, Scenario, TicketChoice, TicketName};
use crate::scenario::{clock::WallClock, config};
use crate::trace::{DeviceIndex, Effect, Observer};

/// A device: what outlives its process, and the process.
pub(super) struct Device<'a, C: ClientDecisions> {
    pub(super) plan: &'a scenario::Device,
    pub(super) network: Network,
    pub(super) timers: Timers,
    pub(super) clock: WallClock,
    pub(super) storage: Storage,
    /// What its application was not told had arrived.
    pub(super) outgoing: Outgoing,
    /// How often its process was started.
    starts: u64,
    /// How many connections it has asked for, and those that are open at its end.
    connections: u32,
    pub(super) open_links: Vec<u32>,
    pub(super) process: Option<Box<Process<C>>>,
    pub(super) suspended: bool,
}

/// A process, from its start to its death.
pub(super) struct Process<C: ClientDecisions> {
    core: Client<C>,
    /// How often its application has called `init`.
    inits: u64,
    /// What the SDK believes to be on the disk: read at the start, then written by itself alone.
    disk: OnDisk,
    pub(super) writer: Writer,
    calls: u64,
    last_ticket: Option<Ticket>,
    armed: Vec<(ListenerEvent, Call)>,
    /// Connections, frames and writes, for the driver.
    orders: VecDeque<client::Output>,
    /// What the application is to be told, in order.
    pub(super) deliveries: VecDeque<client::Output>,
    is_to_carry_out: bool,
    /// Calls without a result whose success would tell something of an account.
    of_account: Vec<CallId>,
    /// Logouts without a result, whose success promises what the record holds (LOGOUT-2), and until when each is to
    /// be told (LOGOUT-1).
    logouts: Vec<(CallId, Instant)>,
    /// Calls of `uninit` without a result, each of which nothing may be told behind (INIT-3).
    uninits: Vec<CallId>,
    /// Messages whose call has no result.
    sending: Vec<(CallId, SendId)>,
    /// What waits while the device is frozen: calls first, then inputs.
    frozen_calls: VecDeque<Call>,
    frozen_inputs: VecDeque<client::Input>,
    wake_at: Option<Instant>,
}

impl<'a, C: ClientDecisions> Device<'a, C> {
    pub(super) fn new(scenario: &Scenario, plan: &'a scenario::Device, site: usize) -> Self {
        Device {
            plan,
            network: Network { site, number: 0 },
            timers: Timers::default(),
            clock: WallClock::new(scenario.app.start, plan.wall_offset),
            storage: Storage::default(),
            outgoing: Outgoing::default(),
            starts: 0,
            connections: 0,
            open_links: Vec::new(),
            process: None,
            suspended: false,
        }
    }

    /// The number of one more connection, which is open at its end.
    pub(super) fn next_link(&mut self, link: usize) -> u32 {
        self.open_links.push(small(link));
        self.connections += 1;
        self.connections
    }

    /// A process that has called nothing yet has read nothing either.
    pub(super) fn read_again(&mut self) {
        if let Some(process) = self.process.as_mut().filter(|process| process.calls == 0) {
            process.disk = self.storage.on_disk.clone();
        }
    }

    pub(super) fn process(&mut self) -> &mut Process<C> {
        self.process.as_mut().expect("a living process calls")
    }
}

/// Room for what a process is to do: one is enough for a million idle devices.
#[derive(Default)]
pub(super) struct Spare {
    orders: VecDeque<client::Output>,
    deliveries: VecDeque<client::Output>,
}

impl<C: ClientDecisions> Process<C> {
    fn borrow(&mut self, spare: &mut Spare) {
        if self.orders.capacity() == 0 {
            mem::swap(&mut self.orders, &mut spare.orders);
        }
        if self.deliveries.capacity() == 0 {
            mem::swap(&mut self.deliveries, &mut spare.deliveries);
        }
    }

    fn give_back(&mut self, spare: &mut Spare) {
        if spare.orders.capacity() == 0 {
            mem::swap(&mut self.orders, &mut spare.orders);
        }
        // A result may wait for the disk.
        if spare.deliveries.capacity() == 0 && self.deliveries.is_empty() {
            mem::swap(&mut self.deliveries, &mut spare.deliveries);
        }
    }

    /// When the driver has to look at the time.
    fn due(&self) -> Option<Instant> {
        self.core.poll_timeout().into_iter().chain(self.writer.due()).chain(self.told_by()).min()
    }

    /// What the application is told next: the first of which everything it reveals is on disk.
    fn next_delivery(&mut self) -> Option<client::Output> {
        let next = self.deliveries.iter().position(|output| output.reveals <= self.writer.stored)?;
        let is_last = match &self.deliveries[next].action {
            client::Action::Result { call, .. } => self.uninits.contains(call),
            _ => false,
        };
        if next > 0 && is_last { None } else { self.deliveries.remove(next) }
    }

    /// When the application is told what waits for the disk, there or not.
    fn told_by(&self) -> Option<Instant> {
        let waiting = self.deliveries.iter().filter(|output| output.reveals > self.writer.stored);
        let until = waiting.filter_map(|output| match &output.action {
            client::Action::Result { call, .. } => self.logouts.iter().find(|(one, _)| one == call),
            _ => None,
        });
        until.map(|(_, until)| *until).min()
    }

    /// LOGOUT-1: a result comes in time, whatever the disk does.
    fn tell_in_time(&mut self, now: Instant) {
        if self.told_by().is_some_and(|at| at <= now) {
            self.tell_without_the_disk();
        }
    }

    /// A logout whose end could not be kept says so; whatever else waited may as well be told (ATT-5).
    pub(super) fn tell_without_the_disk(&mut self) {
        for output in self.deliveries.iter_mut().filter(|output| output.reveals > self.writer.stored) {
            output.reveals = Change::NONE;
            if let client::Action::Result { call, outcome: outcome @ Ok(_) } = &mut output.action
                && self.logouts.iter().any(|(one, _)| one == call)
            {
                *outcome = Err(Code::StorageFailed.into());
            }
        }
    }

    /// Nothing of the account that was given up reaches the application: no event, and no success of
    /// a call, which a listener may have come before (SWITCH-2, LOGOUT-1, INIT-3).
    fn forget_account(&mut self, given_up: Failure) {
        self.deliveries.retain(|output| !matches!(output.action, client::Action::Event(_)));
        for output in &mut self.deliveries {
            if let client::Action::Result { call, outcome } = &mut output.action
                && outcome.is_ok()
                && self.of_account.contains(call)
            {
                *outcome = Err(given_up);
            }
        }
    }
}

impl<Y: System, O: Observer> World<'_, Y, O> {
    pub(super) fn start_process(&mut self, device: usize) {
        if let Some(interceptor) = self.system.interceptor() {
            interceptor.process_starts(device);
        }
        let decisions = self.system.client();
        let state = &mut self.devices[device];
        state.suspended = false;
        state.starts += 1;
        state.process = Some(Box::new(Process {
            core: Client::with(decisions),
            inits: 0,
            disk: state.storage.on_disk.clone(),
            writer: Writer::default(),
            calls: 0,
            last_ticket: None,
            armed: Vec::new(),
            orders: VecDeque::new(),
            deliveries: VecDeque::new(),
            is_to_carry_out: false,
            of_account: Vec::new(),
            logouts: Vec::new(),
            uninits: Vec::new(),
            sending: Vec::new(),
            frozen_calls: VecDeque::new(),
            frozen_inputs: VecDeque::new(),
            wake_at: None,
        }));
        let init = state.plan.init;
        self.effect(Effect::ProcessUp { device: DeviceIndex::new(device) });
        if init == Init::Auto {
            self.call(device, Call::Init);
        }
    }

    pub(super) fn kill(&mut self, device: usize) {
        let Some(process) = self.devices[device].process.take() else { return self.effect(Effect::Nothing) };
        self.devices[device].suspended = false;
        self.devices[device].outgoing.process_died();
        self.effect(Effect::ProcessDead { device: DeviceIndex::new(device) });
        process.frozen_calls.iter().for_each(|_| self.skip(device));
        for link in process.writer.closing() {
            self.reads_on(link, self.now);
            self.send(link, Body::Close);
        }
        for link in self.devices[device].open_links.clone() {
            self.hang_up(link as usize, false);
        }
    }

    pub(super) fn reset(&mut self, device: usize) {
        let newest = self.devices[device].open_links.last().map(|&link| link as usize);
        let Some(link) = newest.filter(|&link| self.links[link].is_connected) else {
            return self.effect(Effect::Nothing);
        };
        self.effect(Effect::ConnectionReset { device: DeviceIndex::new(device) });
        self.hang_up(link, false);
        let (connection, ended) = (self.links[link].end, self.ended(link));
        // What a process that runs has not read of it is gone with it.
        let state = &mut self.devices[device];
        if let Some(process) = state.process.as_mut().filter(|_| !state.suspended) {
            process
                .frozen_inputs
                .retain(|input| !matches!(input, client::Input::Frame { connection: of, .. } if *of == connection));
        }
        self.device_input(device, ended);
    }

    /// The device goes on: its SDK is told, then come the calls that waited, then what arrived.
    pub(super) fn wake(&mut self, device: usize) {
        self.devices[device].suspended = false;
        self.effect(Effect::Woken { device: DeviceIndex::new(device) });
        self.happened(device, client::Input::Woken);
        let Some(process) = &mut self.devices[device].process else { return };
        let calls = mem::take(&mut process.frozen_calls);
        calls.into_iter().for_each(|call| self.call(device, call));
        self.carry_out_soon(device);
    }

    /// The application calls. What the SDK does with it is in the trace, its result too.
    pub(super) fn call(&mut self, device: usize, call: Call) {
        let is_frozen = self.devices[device].suspended;
        let Some(process) = &mut self.devices[device].process else { return self.skip(device) };
        if is_frozen {
            process.frozen_calls.push_back(call);
            return;
        }
        let request = match call {
            Call::Init => self.init(device),
            Call::Uninit => client::Call::Uninit,
            Call::Login { user, ticket } => {
                let ticket = self.ticket(device, &user, &ticket);
                self.devices[device].process().last_ticket = Some(ticket.clone());
                let lasts = mint::lasts(&ticket);
                client::Call::Login { user, ticket, lasts }
            }
            Call::Logout => client::Call::Logout,
            Call::Send { to, text, id } => {
                let state = &mut self.devices[device];
                let from = state.process().core.login_user();
                let id = id.map_or_else(|| state.outgoing.send(device, from, &to, &text), outgoing::named);
                let call = CallId(state.process().calls + 1);
                state.process().sending.push((call, id));
                client::Call::SendMessage { id: Some(id), to, text: crate::world::text(&text) }
            }
            Call::Conversations => client::Call::Conversations,
            Call::Kick { user } => client::Call::AdminKick { user },
            Call::Query { users } => client::Call::QueryStatus { users },
            Call::NetworkChanged => return self.happened(device, client::Input::NetworkChanged),
        };
        let process = self.devices[device].process();
        process.calls += 1;
        let call = CallId(process.calls);
        if request.is_of_account() {
            process.of_account.push(call);
        }
        if matches!(request, client::Call::Uninit) {
            process.uninits.push(call);
        }
        if matches!(request, client::Call::Logout) {
            let limits = config::client_limits(&self.scenario.limits, self.devices[device].plan.platform);
            let until = self.now + limits.request_timeout;
            self.devices[device].process().logouts.push((call, until));
        }
        self.happened(device, client::Input::Call { call, request });
    }

    fn init(&mut self, device: usize) -> client::Call {
        let platform: Platform = self.devices[device].plan.platform;
        let limits = config::client_limits(&self.scenario.limits, platform);
        let starts = self.devices[device].starts;
        let process = self.devices[device].process();
        process.inits += 1;
        let name = self.names[device].as_str();
        let seed = Draw::key_of_init(self.scenario.seed, name, starts, process.inits);
        let OnDisk { installation, conversations } = process.disk.clone();
        let wall = self.devices[device].clock.at(self.now);
        client::Call::Init(Box::new(Start { platform, seed, limits, wall, installation, conversations }))
    }

    fn ticket(&mut self, device: usize, user: &str, choice: &TicketChoice) -> Ticket {
        let second = self.server_now().wall.seconds();
        let Some((name, plan)) = tickets::plan(self.scenario, second, user, choice) else {
            return self.devices[device].process().last_ticket.clone().unwrap_or_else(|| Ticket::from(""));
        };
        let (ticket, claims) = mint::make(&self.scenario.app, &plan);
        if let Some(recording) = &mut self.recording {
            let name = name.map(TicketName::as_str);
            recording.ticket_made(self.now, name, Some(plan.user.as_str()), &ticket, claims.as_ref());
        }
        ticket
    }

    /// Something arrives from outside: the driver deals with it at once, unless it sleeps or has what came then before it.
    pub(super) fn device_input(&mut self, device: usize, input: client::Input) {
        let state = &mut self.devices[device];
        let Some(process) = &mut state.process else { return };
        if state.suspended || !process.frozen_inputs.is_empty() {
            process.frozen_inputs.push_back(input);
            return;
        }
        if let client::Input::Closed { connection } | client::Input::NoFrame { connection } = input {
            self.forget_waiting(device, connection);
        }
        self.take(device, input);
        self.carry_out_now(device);
    }

    /// The application calls, or tells the SDK something: that takes effect on the core at once, and
    /// the driver does the rest when everybody has called.
    pub(super) fn happened(&mut self, device: usize, input: client::Input) {
        if self.devices[device].process.is_some() {
            self.take(device, input);
            self.carry_out_soon(device);
        }
    }

    pub(super) fn take(&mut self, device: usize, input: client::Input) {
        if let Some(recording) = &mut self.recording {
            recording.device_input(self.now, DeviceIndex::new(device), &input);
        }
        let now = self.now;
        let core = &mut self.devices[device].process().core;
        match self.system.interceptor() {
            None => core.handle_input(now, input),
            Some(interceptor) => {
                let mut inputs = vec![input];
                interceptor.device_inputs(now, device, &mut inputs);
                inputs.into_iter().for_each(|input| core.handle_input(now, input));
            }
        }
        self.drain(device);
    }

    pub(super) fn device_timer(&mut self, device: usize) {
        let (now, is_frozen) = (self.now, self.devices[device].suspended);
        let Some(process) = &mut self.devices[device].process else { return };
        if process.wake_at == Some(now) {
            process.wake_at = None;
        }
        if is_frozen {
            return;
        }
        if self.devices[device].timers.fires_at(now) > now {
            return self.wake_in_time(device);
        }
        let process = self.devices[device].process();
        process.tell_in_time(now);
        self.look_at_the_disk(device);
        let process = self.devices[device].process();
        if process.core.poll_timeout().is_some_and(|at| at <= now) {
            process.core.handle_timeout(now);
            self.drain(device);
        }
        self.carry_out_now(device);
    }

    /// Something may have come of a write. A frozen process is told when it wakes.
    pub(super) fn device_disk(&mut self, device: usize) {
        let state = &self.devices[device];
        if state.process.is_some() && !state.suspended {
            self.carry_out_now(device);
        }
    }

    /// Sorts what the core wants done.
    fn drain(&mut self, device: usize) {
        self.devices[device].process.as_mut().expect("a living process").borrow(&mut self.spare);
        match self.system.interceptor() {
            None => {
                while let Some(output) = self.devices[device].process().core.poll_output() {
                    self.sort(device, output);
                }
            }
            Some(interceptor) => {
                let core = &mut self.devices[device].process().core;
                let mut outputs: Vec<_> = std::iter::from_fn(|| core.poll_output()).collect();
                interceptor.device_outputs(self.now, device, &mut outputs);
                outputs.into_iter().for_each(|output| self.sort(device, output));
            }
        }
    }

    fn sort(&mut self, device: usize, output: client::Output) {
        let process = self.devices[device].process();
        match output.action {
            client::Action::Result { .. } | client::Action::Event(_) => process.deliveries.push_back(output),
            client::Action::Store { ref write, .. } => {
                // A next life of the SDK begins with it, on the disk or not.
                process.disk.apply(write.clone());
                process.orders.push_back(output);
            }
            client::Action::Connect { .. } | client::Action::Send { .. } | client::Action::Close { .. } => {
                process.orders.push_back(output);
            }
            client::Action::DropEvents { given_up } => {
                process.forget_account(given_up);
                self.observe_device(device, &output);
            }
            client::Action::Status { .. } | client::Action::Note(_) => self.observe_device(device, &output),
        }
    }

    fn carry_out_soon(&mut self, device: usize) {
        let process = self.devices[device].process();
        if !mem::replace(&mut process.is_to_carry_out, true) {
            self.queue.push(self.now, Class::CarryOut, Due::CarryOut(small(device)));
        }
    }

    /// Everybody has called: the driver does what is to be done, then takes what waited for a wake.
    pub(super) fn carry_out(&mut self, device: usize) {
        let is_frozen = self.devices[device].suspended;
        let Some(process) = &mut self.devices[device].process else { return };
        process.is_to_carry_out = false;
        if is_frozen {
            return;
        }
        let inputs = mem::take(&mut process.frozen_inputs);
        self.carry_out_now(device);
        inputs.into_iter().for_each(|input| self.device_input(device, input));
    }

    /// Does what the core wants done, and tells the application one thing at a time: it may call from
    /// inside, and that is carried out before the next.
    fn carry_out_now(&mut self, device: usize) {
        loop {
            while let Some(output) = self.devices[device].process().orders.pop_front() {
                self.order(device, output);
            }
            self.begin_write(device);
            let Some(output) = self.devices[device].process().next_delivery() else {
                if self.write_goes_on(device) || !self.devices[device].process().orders.is_empty() {
                    continue;
                }
                break;
            };
            self.observe_device(device, &output);
            match &output.action {
                client::Action::Event(event) => self.react(device, event),
                client::Action::Result { call, outcome } => {
                    let state = &mut self.devices[device];
                    state.process().of_account.retain(|one| one != call);
                    state.process().logouts.retain(|(one, _)| one != call);
                    state.process().uninits.retain(|one| one != call);
                    let sent = state.process().sending.extract_if(.., |(one, _)| one == call).next();
                    if let Some((_, id)) = sent {
                        state.outgoing.answered(id, outcome.is_ok());
                    }
                }
                _ => unreachable!("the application is told results and events"),
            }
        }
        let process = self.devices[device].process.as_mut().expect("a living process");
        process.give_back(&mut self.spare);
        self.wake_in_time(device);
    }

    /// The driver looks at the time again when its operating system lets it.
    pub(super) fn wake_in_time(&mut self, device: usize) {
        let (now, timers) = (self.now, self.devices[device].timers);
        let Some(process) = &mut self.devices[device].process else { return };
        let Some(at) = process.due() else { return };
        let at = timers.fires_at(at.max(now));
        if process.wake_at.is_none_or(|wake_at| at < wake_at) {
            process.wake_at = Some(at);
            self.queue.push(at, Class::Timer, Due::DeviceTimer(small(device)));
        }
    }

    /// EVENT-2: a call made inside a listener.
    fn react(&mut self, device: usize, event: &client::Event) {
        let process = self.devices[device].process();
        let armed = process.armed.iter().position(|(armed, _)| armed.word() == event.word());
        if let Some(armed) = armed {
            let (_, call) = process.armed.remove(armed);
            self.call(device, call);
        }
    }

    /// A call is not made, since nobody is there to make it.
    fn skip(&mut self, device: usize) {
        self.effect(Effect::Skipped { device: DeviceIndex::new(device) });
    }

    /// From now on the call is made inside the listener, once.
    pub(super) fn arm(&mut self, device: usize, event: ListenerEvent, call: &Call) {
        match &mut self.devices[device].process {
            Some(process) => process.armed.push((event, call.clone())),
            None => self.skip(device),
        }
    }

    pub(super) fn observe_device(&mut self, device: usize, output: &client::Output) {
        if let Some(recording) = &mut self.recording {
            recording.device_output(self.now, DeviceIndex::new(device), output);
        }
    }

    fn order(&mut self, device: usize, output: client::Output) {
        if let client::Action::Send { .. } = output.action {
            return self.send_when_stored(device, output);
        }
        self.observe_device(device, &output);
        match output.action {
            client::Action::Store { change, write } => self.store(device, change, write),
            client::Action::Connect { connection } => {
                self.asks_for_disk(device);
                self.open_link(device, connection, None);
            }
            client::Action::Close { connection } => self.close_when_sent(device, connection),
            client::Action::Send { .. }
            | client::Action::Result { .. }
            | client::Action::Event(_)
            | client::Action::DropEvents { .. }
            | client::Action::Status { .. }
            | client::Action::Note(_) => unreachable!("these are no orders to the driver"),
        }
    }

    pub(super) fn connected_link(&self, device: usize, connection: ConnectionId) -> Option<usize> {
        self.link_of(device, connection).filter(|&link| self.links[link].is_connected)
    }
}

#[cfg(test)]
mod tests {
    use crate::judge;
    use crate::scenario::Scenario;
    use crate::trace::{Cast, Recorder};
    use crate::world::World;

    /// CONN-10: a timer that was due while the device slept is no reason to miss those after it.
    #[test]
    fn timers_run_on_after_a_sleep() {
        let text = r#"
title = "A phone sleeps past a timer, and its probe on waking goes unanswered"
rules = ["CONN-10", "CONN-5"]
seed = 1
[devices]
phone = { platform = "android", site = "home" }
[script]
until = "40s"
steps = """
0s   phone  login alice
2s   fault  suspend phone
3s   fault  partition home outbound
20s  fault  wake phone
25s  fault  repair home
"""
expect = """
phone  connecting once between 35s 35.3s
phone  connect_success once between 35s 36s
alice  online phone
"""
"#;
        let scenario = Scenario::parse("sleep.toml", text).expect("well written");
        let recorder = Recorder::new(Cast::of(&scenario));
        super::super::run(&scenario, &recorder).expect("the world runs");
        let run = judge(&scenario, World::Event.tick(&scenario), recorder.finish()).expect("judged");
        assert_eq!((run.violations, run.not_converged), (Vec::new(), None));
    }
}
