//! The server's machine: its process and its disk, which takes its time.
//!
//! Decides nothing: the core does.

use std::mem;

use gatecrash::id::{Change, ConnectionId};
use gatecrash::server;
use gatecrash::server::Server;
use gatecrash::time::Now;

use super::{Class, Downward, What, World};
use crate::trace::Effect;

impl World<'_> {
    pub(super) fn server_now(&self) -> Now {
        Now { instant: self.now, wall: self.server.clock.at(self.now) }
    }

    pub(super) fn start_server(&mut self) {
        self.effect(Effect::ServerUp);
        let records = self.server.records.clone();
        self.server.committed = records.change;
        self.server.core = Some(Server::restore(self.server.config.clone(), records));
        self.server_input(server::Input::Started);
        // Who knocked meanwhile is turned away by the machine.
        for link in std::mem::take(&mut self.server.knocking) {
            self.connect_failed(link);
        }
    }

    pub(super) fn crash_server(&mut self, is_polite: bool) {
        if self.server.core.take().is_none() {
            return self.effect(Effect::Nothing);
        }
        self.server.writing.clear();
        self.server.held.clear();
        self.server.wake_at = None;
        self.effect(Effect::ServerDead);
        for link in mem::take(&mut self.server.links).into_iter().flatten() {
            self.links[link].server_end = None;
            if is_polite {
                self.send_downward(link, Downward::Close);
            }
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
            if output.reveals > self.server.committed {
                self.server.held.push_back(output);
            } else {
                self.server_action(output);
            }
        }
        let Some(at) = self.server.core.as_ref().and_then(Server::poll_timeout) else { return };
        let at = at.max(self.now);
        if self.server.wake_at.is_none_or(|wake_at| at < wake_at) {
            self.server.wake_at = Some(at);
            self.push(at, Class::Timer, What::ServerTimer);
        }
    }

    pub(super) fn server_action(&mut self, output: server::Output) {
        self.recorder.server_output(self.server_now(), &output);
        match output.action {
            server::Action::Commit(commit) => {
                // A commit begins when the one before is on disk.
                let latency = self.server.disk.within(self.scenario.app.commit_latency);
                let done = self.server.last_commit_done.max(self.now) + latency;
                self.server.last_commit_done = done;
                let number = commit.number;
                self.server.writing.push_back(commit);
                self.push(done, Class::Input, What::Committed(number));
            }
            server::Action::Send { connection, frame } => {
                if let Some(link) = self.server_link(connection) {
                    self.send_downward(link, Downward::Frame(frame));
                }
            }
            server::Action::Close { connection } => {
                if let Some(link) = self.server_link(connection) {
                    self.send_downward(link, Downward::Close);
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
        // Of a commit that a crash overtook nothing is left.
        if self.server.writing.front().is_none_or(|commit| commit.number != change) {
            return;
        }
        let commit = self.server.writing.pop_front().expect("just looked at");
        self.server.records.apply(&commit);
        self.server.committed = change;
        self.recorder.server_committed(self.server_now(), change);
        while self.server.held.front().is_some_and(|output| output.reveals <= change) {
            let output = self.server.held.pop_front().expect("just looked at");
            self.server_action(output);
        }
    }

    // ---- devices ----
}
