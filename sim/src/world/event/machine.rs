//! The server's machine: its process and its disk, which takes its time.
//!
//! Decides nothing: the core does.

use std::collections::{BTreeSet, VecDeque};

use gatecrash::decide::ServerDecisions;
use gatecrash::id::{Change, ConnectionId};
use gatecrash::server::{self, Config, Server};
use gatecrash::store::{Commit, Records};
use gatecrash::time::{Instant, Now};

use super::super::{clock::WallClock, limits};
use super::flight::Body;
use super::links::ServerEnd;
use super::meddler::ServerStep;
use super::{Class, Due, System, World, small};
use crate::draw::Draw;
use crate::scenario::{Action, Fault, Offset, Scenario};
use crate::trace::{Effect, Observer};

/// The server's machine: its process, its disk, its clock.
pub(super) struct Machine<S: ServerDecisions> {
    pub(super) core: Option<Server<S>>,
    pub(super) config: Config,
    pub(super) accepts_old_key: bool,
    pub(super) clock: WallClock,
    /// What is on disk; not kept where no step can ever ask for it.
    records: Option<Records>,
    /// Changes decided and not yet on their way to the disk, and the batch that is.
    gathered: Vec<server::Output>,
    writing: Vec<Commit>,
    committed: Change,
    /// Outputs that wait for the disk (DUR-1), in the order of what they reveal.
    held: VecDeque<server::Output>,
    disk: Draw,
    /// How often it was started: a batch that a crash overtook is nobody's.
    starts: u32,
    /// The link behind each of the core's connections.
    slots: Vec<Option<u32>>,
    free: BTreeSet<u32>,
    /// Connections asked for while it was down, and those on which something came meanwhile.
    pub(super) knocking: Vec<usize>,
    pub(super) unanswered: Vec<usize>,
    wake_at: Option<Instant>,
}

impl<S: ServerDecisions> Machine<S> {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Machine {
            core: None,
            config: limits::config(scenario),
            accepts_old_key: true,
            clock: WallClock::new(scenario.app.start, Offset(0)),
            records: scenario.steps.iter().any(|step| ends_the_server(&step.action)).then(Records::default),
            gathered: Vec::new(),
            writing: Vec::new(),
            committed: Change::NONE,
            held: VecDeque::new(),
            disk: Draw::new(scenario.seed, "server", "disk"),
            starts: 0,
            slots: Vec::new(),
            free: BTreeSet::new(),
            knocking: Vec::new(),
            unanswered: Vec::new(),
            wake_at: None,
        }
    }

    /// Gives the connection the lowest free number.
    pub(super) fn accept(&mut self, link: usize) -> ConnectionId {
        let slot = self.free.pop_first().unwrap_or_else(|| {
            self.slots.push(None);
            small(self.slots.len() - 1)
        });
        self.slots[slot as usize] = Some(small(link));
        ConnectionId(slot)
    }

    /// The number is free again.
    pub(super) fn release(&mut self, connection: ConnectionId) {
        self.slots[connection.0 as usize] = None;
        self.free.insert(connection.0);
    }

    /// What waits for the connection will not be said.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.held.retain(|output| connection_of(output) != Some(connection));
    }

    fn link(&self, connection: ConnectionId) -> Option<usize> {
        self.slots.get(connection.0 as usize).copied().flatten().map(|link| link as usize)
    }
}

impl<Y: System, O: Observer> World<'_, Y, O> {
    pub(super) fn server_now(&self) -> Now {
        Now { instant: self.now, wall: self.server.clock.at(self.now) }
    }

    pub(super) fn start_server(&mut self) {
        self.effect(Effect::ServerUp);
        let (mut config, mut records) = (self.server.config.clone(), self.server.records.clone().unwrap_or_default());
        if let Some(meddler) = self.system.meddler() {
            meddler.server_starts(&mut config, &mut records);
        }
        self.server.committed = records.change;
        self.server.starts += 1;
        self.server.core = Some(Server::with(self.system.server(), config, records));
        self.server_input(server::Input::Started);
        // Who knocked or spoke meanwhile is turned away by the machine.
        for link in std::mem::take(&mut self.server.knocking) {
            self.connect_failed(link);
        }
        for link in std::mem::take(&mut self.server.unanswered) {
            self.send(link, Body::Reset);
        }
    }

    /// A crash closes connections politely; a power loss takes along what the machine sent last.
    pub(super) fn crash_server(&mut self, is_polite: bool) {
        if self.server.core.take().is_none() {
            return self.effect(Effect::Nothing);
        }
        if let Some(meddler) = self.system.meddler()
            && let Some(records) = &mut self.server.records
        {
            meddler.torn(&self.server.writing).iter().for_each(|commit| records.apply(commit));
        }
        self.server.gathered.clear();
        self.server.writing.clear();
        self.server.held.clear();
        self.server.wake_at = None;
        self.server.free.clear();
        self.effect(Effect::ServerDead);
        for link in std::mem::take(&mut self.server.slots).into_iter().flatten() {
            self.links[link as usize].server_end = ServerEnd::None;
            if is_polite {
                self.send(link as usize, Body::Closed);
            }
        }
        if !is_polite {
            (0..self.sites.len()).for_each(|site| self.lose_under_way(site, false, true));
        }
    }

    pub(super) fn server_input(&mut self, input: server::Input) {
        let now = self.server_now();
        let Some(core) = &mut self.server.core else { return };
        if let Some(recording) = &mut self.recording {
            recording.server_input(now, &input);
        }
        match self.system.meddler() {
            None => core.handle_input(now, input),
            Some(meddler) => {
                let mut steps = vec![ServerStep::Input(input)];
                meddler.server_steps(now, core.records(), &mut steps);
                for step in steps {
                    match step {
                        ServerStep::Input(input) => core.handle_input(now, input),
                        ServerStep::Fire(timer) => drop(core.fire(now, timer)),
                    }
                }
            }
        }
        self.server_outputs();
    }

    pub(super) fn server_timer(&mut self) {
        if self.server.wake_at == Some(self.now) {
            self.server.wake_at = None;
        }
        let now = self.server_now();
        let Some(core) = &mut self.server.core else { return };
        // Also when nothing was due yet by its own reckoning, which a drifting clock outruns.
        core.handle_timeout(now);
        self.server_outputs();
    }

    fn server_outputs(&mut self) {
        match self.system.meddler() {
            None => {
                while let Some(output) = self.server.core.as_mut().and_then(Server::poll_output) {
                    self.server_output(output);
                }
            }
            Some(meddler) => {
                let Some(core) = &mut self.server.core else { return };
                let mut outputs: Vec<_> = std::iter::from_fn(|| core.poll_output()).collect();
                meddler.server_outputs(core.records(), &mut outputs);
                outputs.into_iter().for_each(|output| self.server_output(output));
            }
        }
        self.begin_batch();
        let Some(at) = self.server.core.as_ref().and_then(Server::poll_timeout) else { return };
        let at = self.server.clock.soonest(self.now, at.max(self.now));
        if self.server.wake_at.is_none_or(|wake_at| at < wake_at) {
            self.server.wake_at = Some(at);
            self.queue.push(at, Class::Timer, Due::ServerTimer);
        }
    }

    fn server_output(&mut self, output: server::Output) {
        match &output.action {
            server::Action::Commit(_) => {
                self.observe_server(&output);
                self.server.gathered.push(output);
            }
            server::Action::Note(_) => self.observe_server(&output),
            server::Action::Send { .. } | server::Action::Close { .. } => {
                if let server::Action::Close { connection } = output.action
                    && let Some(link) = self.server.link(connection)
                {
                    self.links[link].server_end = ServerEnd::Forgotten(connection);
                }
                if output.reveals > self.server.committed {
                    let last = self.server.held.back();
                    assert!(last.is_none_or(|last| last.reveals <= output.reveals), "what waits is in order");
                    self.server.held.push_back(output);
                } else {
                    self.let_out(output);
                }
            }
        }
    }

    fn observe_server(&mut self, output: &server::Output) {
        let now = self.server_now();
        if let Some(recording) = &mut self.recording {
            recording.server_output(now, output);
        }
    }

    /// Sends or closes.
    fn let_out(&mut self, output: server::Output) {
        self.observe_server(&output);
        match output.action {
            server::Action::Send { connection, frame } => {
                if let Some(link) = self.server.link(connection) {
                    self.send(link, Body::Answer(frame));
                }
            }
            server::Action::Close { connection } => {
                if let Some(link) = self.server.link(connection) {
                    self.send(link, Body::Closed);
                    self.drop_server_end(link);
                }
            }
            server::Action::Commit(_) | server::Action::Note(_) => unreachable!("these wait for nothing"),
        }
    }

    /// Puts everything decided so far on its way to the disk, if that is at rest: one batch.
    fn begin_batch(&mut self) {
        if !self.server.writing.is_empty() || self.server.gathered.is_empty() {
            return;
        }
        for output in std::mem::take(&mut self.server.gathered) {
            if let server::Action::Commit(commit) = output.action {
                self.server.writing.push(commit);
            }
        }
        let latency = self.server.disk.within(self.scenario.app.commit_latency);
        self.queue.push(self.now + latency, Class::Input, Due::Committed(self.server.starts));
    }

    pub(super) fn committed(&mut self, start: u32) {
        // Of a batch that a crash overtook nothing is left.
        if self.server.core.is_none() || self.server.starts != start {
            return;
        }
        let batch = std::mem::take(&mut self.server.writing);
        let change = batch.last().expect("a batch is not empty").number;
        if let Some(records) = &mut self.server.records {
            let mut stored = batch;
            if let Some(meddler) = self.system.meddler() {
                meddler.stored(&mut stored);
            }
            stored.iter().for_each(|commit| records.apply(commit));
        }
        self.server.committed = change;
        let now = self.server_now();
        if let Some(recording) = &mut self.recording {
            recording.server_committed(now, change);
        }
        while let Some(output) = self.server.held.pop_front_if(|output| output.reveals <= change) {
            self.let_out(output);
        }
        self.begin_batch();
    }
}

/// Whether the server will ever have to go on from its disk.
fn ends_the_server(action: &Action) -> bool {
    matches!(action, Action::Fault(Fault::CrashServer | Fault::PowerLossServer | Fault::BounceServer { .. }))
}

/// Which connection an output goes out on.
fn connection_of(output: &server::Output) -> Option<ConnectionId> {
    match &output.action {
        server::Action::Send { connection, .. } | server::Action::Close { connection } => Some(*connection),
        server::Action::Commit(_) | server::Action::Note(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::judge;
    use crate::scenario::Scenario;
    use crate::trace::{Cast, Recorder};

    /// KICK-10, CONN-7: the connection of a kicked session is closed once its confirmation is on
    /// disk. Until then its number is nobody else's, though both of its ends have let it go.
    #[test]
    fn a_number_is_given_away_only_when_the_close_on_it_was_carried_out() {
        let text = r#"
title = "Two phones take the seat from each other while the disk is slow"
rules = ["KICK-10"]
seed = 1
[app]
commit_latency = "50ms"
[devices]
phone-1 = { platform = "android", site = "home" }
phone-2 = { platform = "android", site = "office" }
desk = { platform = "mac", site = "office" }
[script]
until = "10s"
steps = """
0s    phone-1  on kicked_offline login alice
1s    phone-1  login alice
2s    phone-2  login alice
4s    desk     login bob
"""
expect = """
phone-1  kicked_offline once
phone-2  kicked_offline once
alice    online phone-1
bob      online desk
"""
"#;
        let scenario = Scenario::parse("slow_disk.toml", text).expect("well written");
        let recorder = Recorder::new(Cast::of(&scenario));
        super::super::run(&scenario, &recorder).expect("the world runs");
        let run = judge(&scenario, recorder.finish()).expect("judged");
        assert_eq!((run.violations, run.not_converged), (Vec::new(), None));
    }
}
