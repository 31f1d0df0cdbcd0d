//! The server's machine: its process and its disk, which takes its time.
//!
//! Decides nothing: the core does.

use std::collections::VecDeque;
use std::mem;

use gatecrash::id::{Change, ConnectionId};
use gatecrash::server;
use gatecrash::server::Server;
use gatecrash::time::Now;

use super::{Class, Downward, What, World};
use crate::trace::Effect;

/// How long the server throws away what comes on a connection it has closed.
const LINGER: std::time::Duration = std::time::Duration::from_secs(5);

impl World<'_> {
    pub(super) fn server_now(&self) -> Now {
        Now { instant: self.now, wall: self.server.clock.at(self.now) }
    }

    pub(super) fn start_server(&mut self) {
        self.effect(Effect::ServerUp);
        self.server.started_at = Some(self.now);
        let records = self.server.records.clone();
        self.server.committed = records.change;
        self.server.core = Some(Server::restore(self.server.config.clone(), records));
        self.server_input(server::Input::Started);
        // Who knocked meanwhile is turned away by the machine.
        for link in std::mem::take(&mut self.server.knocking) {
            self.connect_failed(link);
        }
        for link in std::mem::take(&mut self.server.unanswered) {
            self.refuse(link);
        }
    }

    /// A crash closes connections politely; a power loss takes along what the machine sent last.
    pub(super) fn crash_server(&mut self, is_polite: bool) {
        if self.server.core.take().is_none() {
            return self.effect(Effect::Nothing);
        }
        self.server.writing.clear();
        self.server.gathered.clear();
        self.server.held.clear();
        self.server.wake_at = None;
        self.effect(Effect::ServerDead);
        for link in mem::take(&mut self.server.links).into_iter().flatten() {
            self.links[link].server_end = None;
            self.links[link].is_forgotten = false;
            if is_polite {
                self.send_downward(link, Downward::Close);
            }
        }
        if !is_polite {
            (0..self.sites.len()).for_each(|site| self.lose_under_way(site, false, true));
        }
    }

    pub(super) fn server_input(&mut self, input: server::Input) {
        let now = self.server_now();
        let Some(core) = &mut self.server.core else { return };
        self.recorder.server_input(now, &input);
        core.handle_input(now, input);
        self.server_outputs();
    }

    pub(super) fn server_timer(&mut self) {
        if self.server.wake_at == Some(self.now) {
            self.server.wake_at = None;
        }
        let now = self.server_now();
        let Some(core) = &mut self.server.core else { return };
        if core.poll_timeout().is_some_and(|at| at <= self.now) {
            core.handle_timeout(now);
        }
        self.server_outputs();
    }

    pub(super) fn server_outputs(&mut self) {
        while let Some(output) = self.server.core.as_mut().and_then(Server::poll_output) {
            if let server::Action::Close { connection } = output.action
                && let Some(link) = self.server_link(connection)
            {
                self.links[link].is_forgotten = true;
            }
            if let server::Action::Commit(_) = output.action {
                self.server.gathered.push(output);
            } else if must_wait(&output, self.server.committed, &self.server.held) {
                self.server.held.push_back(output);
            } else {
                self.server_action(output);
            }
        }
        self.hand_to_store();
        let Some(at) = self.server.core.as_ref().and_then(Server::poll_timeout) else { return };
        let at = at.max(self.now);
        if self.server.wake_at.is_none_or(|wake_at| at < wake_at) {
            self.server.wake_at = Some(at);
            self.push(at, Class::Timer, What::ServerTimer);
        }
    }

    /// Hands everything decided so far to the disk, if it is not busy.
    fn hand_to_store(&mut self) {
        if self.server.gathered.is_empty() || !self.server.writing.is_empty() {
            return;
        }
        for output in mem::take(&mut self.server.gathered) {
            self.recorder.server_output(self.server_now(), &output);
            if let server::Action::Commit(commit) = output.action {
                self.server.writing.push(commit);
            }
        }
        let last = self.server.writing.last().expect("a batch is not empty").number;
        let done = self.now + self.server.disk.within(self.scenario.app.commit_latency);
        self.push(done, Class::Input, What::Committed(last));
    }

    pub(super) fn server_action(&mut self, output: server::Output) {
        self.recorder.server_output(self.server_now(), &output);
        match output.action {
            server::Action::Commit(_) => unreachable!("a commit goes to the disk"),
            server::Action::Send { connection, frame } => {
                if let Some(link) = self.server_link(connection) {
                    self.send_downward(link, Downward::Frame(frame));
                }
            }
            server::Action::Close { connection } => {
                if let Some(link) = self.server_link(connection) {
                    self.send_downward(link, Downward::Close);
                    self.links[link].swallows_until = Some(self.now + LINGER);
                    self.drop_server_end(link);
                }
            }
            server::Action::Note(_) => {}
        }
    }

    pub(super) fn server_link(&self, connection: ConnectionId) -> Option<usize> {
        self.server.links.get(connection.0 as usize).copied().flatten()
    }

    pub(super) fn committed(&mut self, change: Change) {
        // Of commits that a crash overtook nothing is left.
        if self.server.writing.last().is_none_or(|commit| commit.number != change) {
            return;
        }
        for commit in mem::take(&mut self.server.writing) {
            self.server.records.apply(&commit);
        }
        self.server.committed = change;
        self.recorder.server_committed(self.server_now(), change);
        let mut free = Vec::new();
        let mut kept = VecDeque::new();
        for output in self.server.held.drain(..) {
            if must_wait(&output, change, &kept) {
                kept.push_back(output);
            } else {
                free.push(output);
            }
        }
        self.server.held = kept;
        for output in free {
            self.server_action(output);
        }
        self.hand_to_store();
    }

    // ---- devices ----
}

/// A close waits for what was sent before on its connection, too.
fn must_wait(output: &server::Output, committed: Change, before: &VecDeque<server::Output>) -> bool {
    match &output.action {
        server::Action::Commit(_) | server::Action::Note(_) => false,
        server::Action::Send { .. } => output.reveals > committed,
        server::Action::Close { connection } => {
            output.reveals > committed || before.iter().any(|earlier| connection_of(earlier) == Some(*connection))
        }
    }
}

/// Which connection an output goes out on.
pub(super) fn connection_of(output: &server::Output) -> Option<ConnectionId> {
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
