//! The server's machine: its process, and how long its disk takes.
//!
//! Decides nothing: the core does.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use gatecrash::decide::ServerDecisions;
use gatecrash::driver::server::{REOPEN_PAUSE_MAX, REOPEN_PAUSE_MIN};
use gatecrash::id::{Change, ConnectionId};
use gatecrash::server::{self, Config, Server};
use gatecrash::store::{Commit, Records};
use gatecrash::time::{Instant, Now};

use super::disk::{Disk, Landing};
use super::flight::Body;
use super::handshake::Handshake;
use super::interceptor::ServerStep;
use super::life::Life;
use super::links::ServerEnd;
use super::standstill::Standstill;
use super::{Class, Due, System, World, small};
use crate::generate::draw::Draw;
use crate::scenario::{Action, Fault, Offset, Scenario, Span};
use crate::scenario::{clock::WallClock, config};
use crate::trace::{Effect, Observer};

/// The server's machine: its process, its disk, its clock.
pub(super) struct Machine<S: ServerDecisions> {
    pub(super) core: Option<Server<S>>,
    /// Whether its process runs, with a core or waiting for its disk.
    pub(super) life: Life,
    pub(super) config: Config,
    pub(super) accepts_old_key: bool,
    pub(super) clock: WallClock,
    /// Its disk; none where no step can ever show what is on it.
    pub(super) disk: Option<Box<Disk>>,
    /// Changes decided and not yet on their way to the disk, and the batch that is.
    gathered: Vec<Commit>,
    writing: Vec<Commit>,
    committed: Change,
    /// Outputs that wait for the disk (DUR-1), in the order of what they reveal.
    held: VecDeque<server::Output>,
    /// How long a commit takes, and at which part of that it lands.
    pub(super) pace: Span,
    pace_draw: Draw,
    landing_draw: Draw,
    /// How often a core was begun or given up: what was meant for an earlier one is nobody's.
    lives: u32,
    /// How long to wait before the disk is tried again.
    pause: Duration,
    /// The link behind each of the core's connections.
    slots: Vec<Option<u32>>,
    free: BTreeSet<u32>,
    /// Connections asked for while it was down, and those on which something came meanwhile.
    pub(super) knocking: Vec<usize>,
    pub(super) unanswered: Vec<usize>,
    pub(super) wake_at: Option<Instant>,
    /// What waits for its process, while that is suspended.
    pub(super) standstill: Option<Box<Standstill>>,
}

impl<S: ServerDecisions> Machine<S> {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Machine {
            core: None,
            life: Life::Dead,
            config: config::server(scenario),
            accepts_old_key: true,
            clock: WallClock::new(scenario.app.start, Offset(0)),
            disk: scenario
                .steps
                .iter()
                .any(|step| shows_the_disk(&step.action))
                .then(|| Box::new(Disk::new(scenario.seed))),
            gathered: Vec::new(),
            writing: Vec::new(),
            committed: Change::NONE,
            held: VecDeque::new(),
            pace: scenario.app.commit_latency,
            pace_draw: Draw::new(scenario.seed, "server", "disk"),
            landing_draw: Draw::new(scenario.seed, "server", "landing"),
            lives: 0,
            pause: REOPEN_PAUSE_MIN,
            slots: Vec::new(),
            free: BTreeSet::new(),
            knocking: Vec::new(),
            unanswered: Vec::new(),
            wake_at: None,
            standstill: None,
        }
    }

    /// Its disk, where a step shows what is on it: every fault of a disk does.
    pub(super) fn disk(&mut self) -> &mut Disk {
        self.disk.as_mut().expect("a scenario with a fault of the disk has one")
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
        self.held.retain(|output| output.connection() != Some(connection));
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
        self.server.life = Life::Running;
        self.server.pause = REOPEN_PAUSE_MIN;
        self.open_store();
        // Who knocked or spoke meanwhile is turned away by the machine.
        for link in std::mem::take(&mut self.server.knocking) {
            self.connect_failed(link);
        }
        for link in std::mem::take(&mut self.server.unanswered) {
            self.send(link, Body::Reset);
        }
    }

    /// Begins a core on what is on the disk, or waits for the disk.
    fn open_store(&mut self) {
        let records = match &mut self.server.disk {
            Some(disk) => disk.open(),
            None => Some(Records { starts: 1, ..Records::default() }),
        };
        self.server.lives += 1;
        let Some(mut records) = records else {
            self.disk_refused();
            return self.reopen_later();
        };
        let mut config = self.server.config.clone();
        if let Some(interceptor) = self.system.interceptor() {
            interceptor.server_starts(&mut config, &mut records);
        }
        self.server.committed = records.change;
        self.server.core = Some(Server::with(self.system.server(), config, records));
        let now = self.server_now();
        if let Some(recording) = &mut self.recording {
            recording.server_restored(now, self.server.committed);
        }
        self.server_input(server::Input::Started);
    }

    /// The pause is over.
    pub(super) fn reopen(&mut self, life: u32) {
        if self.server.life.is_up() && self.server.lives == life {
            self.open_store();
        }
    }

    /// DUR-5: whoever waits for the disk is told that the server was unable, and everybody is let go.
    fn store_failed(&mut self) {
        self.disk_refused();
        let now = self.server_now();
        if let Some(recording) = &mut self.recording {
            recording.store_failed(now);
        }
        for output in std::mem::take(&mut self.server.held).iter().filter_map(server::Output::unable) {
            self.let_out(output);
        }
        for link in self.end_core().into_iter().map(|link| link as usize) {
            self.send(link, Body::Closed);
            self.links[link].server_end = ServerEnd::Closed { at: self.now };
        }
        if let Life::Stopping { starts_again } = self.server.life {
            return self.stopped(starts_again);
        }
        self.server.pause = REOPEN_PAUSE_MIN;
        self.reopen_later();
    }

    /// DUR-5: each pause is twice the one before.
    fn reopen_later(&mut self) {
        self.queue.push(self.now + self.server.pause, Class::Timer, Due::Reopen(self.server.lives));
        self.server.pause = REOPEN_PAUSE_MAX.min(self.server.pause * 2);
    }

    /// STOP-1: nobody is accepted any more, and what was decided is still committed and said.
    pub(super) fn stop_server(&mut self, starts_again: bool) {
        if self.server.life != Life::Running || self.stops_on_waking() {
            return self.effect(Effect::Nothing);
        }
        if let Some(standstill) = &mut self.server.standstill {
            return standstill.is_to_stop(starts_again);
        }
        self.server.life = Life::Stopping { starts_again };
        self.server_input(server::Input::Stopping);
        self.stop_when_all_is_said();
    }

    /// One is stopped, and another started as soon as it has.
    pub(super) fn replace_server(&mut self) {
        match &mut self.server.life {
            Life::Running => match &mut self.server.standstill {
                Some(standstill) => standstill.is_to_stop(true),
                None => self.stop_server(true),
            },
            Life::Stopping { starts_again } => *starts_again = true,
            Life::Dead | Life::Stopped => self.start_server(),
        }
    }

    fn stop_when_all_is_said(&mut self) {
        if let Life::Stopping { starts_again } = self.server.life
            && self.server.writing.is_empty()
            && self.server.gathered.is_empty()
        {
            self.end_core();
            self.stopped(starts_again);
        }
    }

    fn stopped(&mut self, starts_again: bool) {
        self.server.lives += 1;
        self.server.life = Life::Stopped;
        self.effect(Effect::ServerDead);
        if starts_again {
            self.start_server();
        }
    }

    fn disk_refused(&mut self) {
        if self.server.disk.as_mut().is_some_and(|disk| disk.refuses_for_the_first_time()) {
            self.effect(Effect::DiskRefused);
        }
    }

    /// Nobody decides any more, and nothing that was decided is carried on. Gives the links that were open.
    fn end_core(&mut self) -> Vec<u32> {
        if let Some(interceptor) = self.system.interceptor()
            && let Some(disk) = &mut self.server.disk
        {
            disk.tear(&self.server.writing, |batch| interceptor.torn(batch));
        }
        self.server.core = None;
        self.server.lives += 1;
        self.server.gathered.clear();
        self.server.writing.clear();
        self.server.held.clear();
        self.server.wake_at = None;
        self.server.free.clear();
        std::mem::take(&mut self.server.slots).into_iter().flatten().collect()
    }

    /// A crash closes connections politely; a power loss takes along what the machine sent last.
    pub(super) fn crash_server(&mut self, is_polite: bool) {
        if !self.server.life.is_up() {
            return self.effect(Effect::Nothing);
        }
        self.server.life = Life::Dead;
        let mut links = self.end_core();
        links.extend(self.server.standstill.take().into_iter().flat_map(|standstill| standstill.knocked()));
        self.effect(Effect::ServerDead);
        for link in links {
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
        if let Some(standstill) = &mut self.server.standstill {
            return standstill.is_told(input);
        }
        let now = self.server_now();
        let Some(core) = &mut self.server.core else { return };
        if let Some(recording) = &mut self.recording {
            recording.server_input(now, &input);
        }
        match self.system.interceptor() {
            None => core.handle_input(now, input),
            Some(interceptor) => {
                let mut steps = vec![ServerStep::Input(input)];
                interceptor.server_steps(now, core.records(), &mut steps);
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

    pub(super) fn server_outputs(&mut self) {
        match self.system.interceptor() {
            None => {
                while let Some(output) = self.server.core.as_mut().and_then(Server::poll_output) {
                    self.server_output(output);
                }
            }
            Some(interceptor) => {
                let Some(core) = &mut self.server.core else { return };
                let mut outputs: Vec<_> = std::iter::from_fn(|| core.poll_output()).collect();
                interceptor.server_outputs(core.records(), &mut outputs);
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
        match output.action {
            server::Action::Commit(_) | server::Action::Note(_) => {
                self.observe_server(&output);
                if let server::Action::Commit(commit) = output.action {
                    self.server.gathered.push(commit);
                }
            }
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
                // In the middle of a handshake there is no saying anything.
                if let Some(link) = self.server.link(connection)
                    && self.links[link].handshake == Handshake::Done
                {
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
        std::mem::swap(&mut self.server.gathered, &mut self.server.writing);
        let latency = self.server.pace_draw.within(self.server.pace);
        if self.server.disk.is_none() {
            return self.queue.push(self.now + latency, Class::Input, Due::Committed(self.server.lives));
        }
        let landing = landing(latency, &mut self.server.landing_draw);
        self.queue.push(self.now + landing, Class::Input, Due::Landing(self.server.lives));
        self.queue.push(self.now + latency, Class::Input, Due::Committed(self.server.lives));
    }

    /// The batch gets to the disk.
    pub(super) fn landing(&mut self, life: u32) {
        if self.server.core.is_none() || self.server.lives != life {
            return;
        }
        let disk = self.server.disk.as_mut().expect("a batch lands on a disk");
        let landing = match self.system.interceptor() {
            None => disk.land(&self.server.writing),
            Some(interceptor) => {
                let mut stored = self.server.writing.clone();
                interceptor.stored(&mut stored);
                disk.land(&stored)
            }
        };
        match landing {
            Landing::Done => {}
            Landing::Refused => self.store_failed(),
            Landing::PowerLost => self.power_fails(),
        }
    }

    fn power_fails(&mut self) {
        if let Some(disk) = &mut self.server.disk {
            disk.power_failed();
        }
        self.crash_server(false);
    }

    pub(super) fn committed(&mut self, life: u32) {
        // Of a batch that a crash overtook nobody is told.
        if self.server.core.is_none() || self.server.lives != life {
            return;
        }
        let change = self.server.writing.last().expect("a batch is not empty").number;
        self.server.writing.clear();
        self.server.committed = change;
        let now = self.server_now();
        if let Some(recording) = &mut self.recording {
            recording.server_committed(now, change);
        }
        while let Some(output) = self.server.held.pop_front_if(|output| output.reveals <= change) {
            self.let_out(output);
        }
        if self.server.disk.as_ref().is_some_and(|disk| disk.fails_after_answers()) {
            return self.power_fails();
        }
        self.begin_batch();
        self.stop_when_all_is_said();
    }
}

/// When a commit that takes so long lands on the disk: a crash before that finds nothing of it, a crash
/// after it all of it.
pub(crate) fn landing(latency: Duration, draw: &mut Draw) -> Duration {
    let part = draw.between(0, 1_000);
    Duration::from_micros(u64::try_from(latency.as_micros()).expect("a latency is short") * part / 1_000)
}

/// Whether the step may show what is on the server's disk.
fn shows_the_disk(action: &Action) -> bool {
    let Action::Fault(fault) = action else { return false };
    matches!(
        fault,
        Fault::CrashServer
            | Fault::PowerLossServer
            | Fault::PowerLossAt { .. }
            | Fault::PowerLossInDisk { .. }
            | Fault::BounceServer { .. }
            | Fault::StopServer
            | Fault::UpgradeServer { .. }
            | Fault::DiskError { .. }
            | Fault::DiskFull { .. }
            | Fault::SlowDisk { .. }
            | Fault::MendDisk
    )
}

#[cfg(test)]
mod tests {
    use crate::judge;
    use crate::scenario::Scenario;
    use crate::trace::{Cast, Recorder};
    use crate::world::World;

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
        let run = judge(&scenario, World::Event.tick(&scenario), recorder.finish()).expect("judged");
        assert_eq!((run.violations, run.not_converged), (Vec::new(), None));
    }
}
