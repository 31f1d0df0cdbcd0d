//! The devices: their processes, what the application calls and hears, their disks.
//!
//! Decides nothing: the core does.

use std::collections::VecDeque;
use std::mem;

use gatecrash::client;
use gatecrash::client::{Client, Start, Write};
use gatecrash::code::Code;
use gatecrash::id::CallId;
use gatecrash::ticket::Ticket;

use super::super::{limits, tickets};
use super::{Class, Link, Process, Upward, What, World};
use crate::draw::Draw;
use crate::scenario::{Call, Init, TicketChoice};
use crate::trace::Effect;

/// How long a device throws away what comes on a connection it has closed.
const CLOSING_TIME: std::time::Duration = std::time::Duration::from_secs(5);

impl World<'_> {
    pub(super) fn start_process(&mut self, device: usize) {
        let state = &mut self.devices[device];
        state.suspended = false;
        state.starts += 1;
        state.process = Some(Process {
            core: Client::new(),
            installation: state.installation.clone(),
            caches: state.caches.clone(),
            of_account: Default::default(),
            given_up: Code::NotLoggedIn,
            calls: 0,
            last_ticket: None,
            armed: Vec::new(),
            orders: VecDeque::new(),
            deliveries: VecDeque::new(),
            frozen_calls: VecDeque::new(),
            frozen_inputs: VecDeque::new(),
            wake_at: None,
        });
        let index = state.index;
        self.effect(Effect::ProcessUp { device: index });
        if self.scenario.devices[&self.devices[device].name].init == Init::Auto {
            self.call(device, Call::Init);
        }
    }

    pub(super) fn kill(&mut self, device: usize) {
        for link in self.links.iter_mut().filter(|link| link.device == device) {
            link.device_swallows_until = None;
        }
        if self.devices[device].process.take().is_none() {
            return self.effect(Effect::Nothing);
        }
        self.devices[device].suspended = false;
        self.effect(Effect::ProcessDead { device: self.devices[device].index });
        self.close_links(device);
    }

    pub(super) fn close_links(&mut self, device: usize) {
        for link in 0..self.links.len() {
            let state = &mut self.links[link];
            if state.device == device && state.is_device_end_open && !state.is_stranger {
                self.close_link(link);
            }
        }
    }

    /// An attempt that is given up leaves no trace at the server.
    fn close_link(&mut self, link: usize) {
        self.links[link].is_device_end_open = false;
        self.links[link].device_swallows_until = None;
        if self.links[link].is_connected {
            self.send_upward(link, Upward::Close);
        }
    }

    pub(super) fn reset(&mut self, device: usize) {
        let is_live =
            |link: &Link| link.device == device && link.is_device_end_open && link.is_connected && !link.is_stranger;
        let Some(link) = self.links.iter().rposition(is_live) else { return self.effect(Effect::Nothing) };
        self.effect(Effect::ConnectionReset { device: self.devices[device].index });
        self.links[link].is_device_end_open = false;
        self.send_upward(link, Upward::Close);
        let connection = self.links[link].end;
        let process = self.process(device);
        // What had arrived and was not read yet is gone.
        process
            .frozen_inputs
            .retain(|input| !matches!(input, client::Input::Frame { connection: of, .. } if *of == connection));
        process.frozen_inputs.push_back(client::Input::Closed { connection });
        self.push(self.now, Class::CarryOn, What::CarryOn(device));
    }

    pub(super) fn wake(&mut self, device: usize) {
        self.devices[device].suspended = false;
        self.effect(Effect::Woken { device: self.devices[device].index });
        self.take_input(device, client::Input::Woken);
        let Some(process) = &mut self.devices[device].process else { return };
        mem::take(&mut process.frozen_calls).into_iter().for_each(|call| self.call(device, call));
    }

    /// The driver's turn: what the calls of this instant came to, then what arrived meanwhile.
    pub(super) fn carry_on_after_calls(&mut self, device: usize) {
        if self.devices[device].suspended {
            return;
        }
        self.carry_on(device);
        while let Some(input) =
            self.devices[device].process.as_mut().and_then(|process| process.frozen_inputs.pop_front())
        {
            self.device_input(device, input);
        }
        self.push(self.now, Class::Timer, What::DeviceTimer(device));
    }

    /// The application calls. What the SDK does with it is in the trace, its result too.
    pub(super) fn call(&mut self, device: usize, call: Call) {
        let is_frozen = self.devices[device].suspended;
        let Some(process) = &mut self.devices[device].process else { return };
        if is_frozen {
            process.frozen_calls.push_back(call);
            return;
        }
        let request = match call {
            Call::Init => self.init(device),
            Call::Uninit => client::Call::Uninit,
            Call::Login { user, ticket } => {
                let ticket = self.ticket(device, &user, &ticket);
                self.process(device).last_ticket = Some(ticket.clone());
                client::Call::Login { user, ticket }
            }
            Call::Logout => client::Call::Logout,
            Call::Send { to, text } => client::Call::SendMessage { to, text: crate::world::text(&text) },
            Call::Conversations => client::Call::Conversations,
            Call::Kick { user } => client::Call::AdminKick { user },
            Call::Query { users } => client::Call::QueryStatus { users },
            Call::NetworkChanged => return self.take_input(device, client::Input::NetworkChanged),
        };
        let (of_account, given_up) = match &request {
            client::Call::Uninit => (false, Code::Uninitialised),
            client::Call::Init(_) | client::Call::Logout => (false, Code::NotLoggedIn),
            _ => (true, Code::NotLoggedIn),
        };
        let process = self.process(device);
        process.calls += 1;
        let call = CallId(process.calls);
        if of_account {
            process.of_account.insert(call);
        }
        process.given_up = given_up;
        self.take_input(device, client::Input::Call { call, request });
    }

    pub(super) fn process(&mut self, device: usize) -> &mut Process {
        self.devices[device].process.as_mut().expect("a living process calls")
    }

    pub(super) fn init(&mut self, device: usize) -> client::Call {
        let state = &self.devices[device];
        let process = state.process.as_ref().expect("a living process calls");
        let platform = self.scenario.devices[&state.name].platform;
        client::Call::Init(Box::new(Start {
            platform,
            seed: Draw::key(self.scenario.seed, state.name.as_str(), &format!("start {}", state.starts)),
            limits: limits::client(&self.scenario.limits, platform),
            installation: process.installation.clone(),
            conversations: process.caches.clone(),
        }))
    }

    fn ticket(&mut self, device: usize, user: &str, choice: &TicketChoice) -> Ticket {
        let second = self.server_now().wall.seconds();
        let last = self.process(device).last_ticket.clone();
        tickets::for_login(self.scenario, self.recorder, self.now, second, user, choice, last)
    }

    pub(super) fn device_input(&mut self, device: usize, input: client::Input) {
        if self.devices[device].suspended {
            if let Some(process) = &mut self.devices[device].process {
                process.frozen_inputs.push_back(input);
            }
            return;
        }
        self.take_input(device, input);
        self.carry_on(device);
    }

    /// The core takes the input; what it wants done waits for the driver.
    pub(super) fn take_input(&mut self, device: usize, input: client::Input) {
        let index = self.devices[device].index;
        let Some(process) = &mut self.devices[device].process else { return };
        self.recorder.device_input(self.now, index, &input);
        if !matches!(input, client::Input::Call { .. }) {
            process.given_up = Code::NotLoggedIn;
        }
        process.core.handle_input(self.now, input);
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
        if process.core.poll_timeout().is_some_and(|at| at <= now) {
            process.given_up = Code::NotLoggedIn;
            process.core.handle_timeout(now);
        }
        self.drain(device);
        self.carry_on(device);
    }

    fn drain(&mut self, device: usize) {
        let index = self.devices[device].index;
        while let Some(output) = self.devices[device].process.as_mut().and_then(|process| process.core.poll_output()) {
            let process = self.process(device);
            match &output.action {
                client::Action::Result { .. } | client::Action::Event(_) => process.deliveries.push_back(output),
                client::Action::DropEvents => {
                    process.deliveries.retain(|output| !matches!(output.action, client::Action::Event(_)));
                    for output in &mut process.deliveries {
                        if let client::Action::Result { call, outcome } = &mut output.action
                            && outcome.is_ok()
                            && process.of_account.contains(call)
                        {
                            *outcome = Err(process.given_up);
                        }
                    }
                    self.recorder.device_output(self.now, index, &output);
                }
                client::Action::Status { .. } | client::Action::Note(_) => {
                    self.recorder.device_output(self.now, index, &output);
                }
                client::Action::Store { .. }
                | client::Action::Connect { .. }
                | client::Action::Send { .. }
                | client::Action::Close { .. } => process.orders.push_back(output),
            }
        }
    }

    /// Orders first; then the application is told one thing, and may call from inside.
    fn carry_on(&mut self, device: usize) {
        loop {
            let Some(process) = &mut self.devices[device].process else { return };
            if let Some(output) = process.orders.pop_front() {
                self.device_action(device, output);
                continue;
            }
            let Some(output) = process.deliveries.pop_front() else { break };
            self.recorder.device_output(self.now, self.devices[device].index, &output);
            if let client::Action::Event(event) = &output.action {
                self.react(device, event);
            }
        }
        let Some(process) = &mut self.devices[device].process else { return };
        let Some(at) = process.core.poll_timeout() else { return };
        let at = at.max(self.now);
        if process.wake_at.is_none_or(|wake_at| at < wake_at) {
            process.wake_at = Some(at);
            self.push(at, Class::Timer, What::DeviceTimer(device));
        }
    }

    /// EVENT-2: a call made inside a listener.
    pub(super) fn react(&mut self, device: usize, event: &client::Event) {
        let process = self.process(device);
        let armed = process.armed.iter().position(|(armed, _)| armed.word() == event.word());
        if let Some(armed) = armed {
            let (_, call) = process.armed.remove(armed);
            self.call(device, call);
        }
    }

    pub(super) fn device_action(&mut self, device: usize, output: client::Output) {
        let index = self.devices[device].index;
        self.recorder.device_output(self.now, index, &output);
        match output.action {
            client::Action::Store { change, write } => {
                let state = &mut self.devices[device];
                let process = state.process.as_mut().expect("a living process writes");
                match write {
                    Write::Installation(installation) => {
                        process.installation = Some(installation.clone());
                        state.installation = Some(installation);
                    }
                    Write::Conversations { user, conversations } => {
                        process.caches.insert(user, conversations.clone());
                        state.caches.insert(user, conversations);
                    }
                }
                self.recorder.device_stored(self.now, index, change);
            }
            client::Action::Connect { connection } => {
                self.open_link(device, connection, false);
            }
            client::Action::Send { connection, frame } => {
                if let Some(link) = self.link_of(device, connection) {
                    self.send_upward(link, Upward::Frame(frame));
                }
            }
            client::Action::Close { connection } => {
                if let Some(link) = self.link_of(device, connection) {
                    self.close_link(link);
                    self.links[link].device_swallows_until = Some(self.now + CLOSING_TIME);
                }
            }
            client::Action::Result { .. }
            | client::Action::Event(_)
            | client::Action::DropEvents
            | client::Action::Status { .. }
            | client::Action::Note(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge;
    use crate::scenario::Scenario;
    use crate::trace::{Cast, Recorder};

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
        let run = judge(&scenario, recorder.finish()).expect("judged");
        assert_eq!((run.violations, run.not_converged), (Vec::new(), None));
    }
}
