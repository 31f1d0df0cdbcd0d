//! Which system runs in the world: whose decisions its cores ask, and who intercepts what goes in
//! and out of them.
//!
//! The product's own system is the rules' decisions with nobody in between, and costs what it cost without this file.
//! Breaks nothing itself: whoever wants a broken system writes one (see `zoo`).

use gatecrash::client;
use gatecrash::decide::{ClientDecisions, ServerDecisions};
use gatecrash::server::{self, Config};
use gatecrash::store::{Commit, Records};
use gatecrash::time::{Instant, Now};

/// What runs in the world.
pub trait System {
    /// What the server's core asks.
    type Server: ServerDecisions;
    /// What the devices' cores ask.
    type Client: ClientDecisions;

    /// The decisions of the server's next process.
    fn server(&self) -> Self::Server;

    /// The decisions of a device's next process.
    fn client(&self) -> Self::Client;

    /// Who stands between the cores and the world, if anybody does.
    fn interceptor(&mut self) -> Option<&mut dyn Interceptor> {
        None
    }
}

/// Decisions, and nobody in between.
impl<S: ServerDecisions, C: ClientDecisions> System for (S, C) {
    type Server = S;
    type Client = C;

    fn server(&self) -> S {
        self.0.clone()
    }

    fn client(&self) -> C {
        self.1.clone()
    }
}

/// What is done with the server's core.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and only in a broken system")]
pub enum ServerStep {
    /// It takes this input.
    Input(server::Input),
    /// This timer of its own fires, due or not.
    Fire(server::Timer),
}

/// Changes what goes in and out of the cores, as a wrapper around each would. The trace shows what
/// came to a wrapper from outside, and what leaves it.
pub trait Interceptor {
    /// The server's process starts with this configuration, on what its disk holds.
    fn server_starts(&mut self, config: &mut Config, records: &mut Records) {
        let _ = (config, records);
    }

    /// What is to be done with the server's core, which knows this: at first, one input.
    fn server_steps(&mut self, now: Now, records: &Records, steps: &mut Vec<ServerStep>) {
        let _ = (now, records, steps);
    }

    /// What the server's core wants done after an input or its timers.
    fn server_outputs(&mut self, records: &Records, outputs: &mut Vec<server::Output>) {
        let _ = (records, outputs);
    }

    /// What the server's disk keeps of a batch that it reported as written.
    fn stored(&mut self, batch: &mut Vec<Commit>) {
        let _ = batch;
    }

    /// What the server's disk keeps of a batch that a crash overtook: nothing, if it is whole.
    fn torn(&mut self, batch: &[Commit]) -> Vec<Commit> {
        let _ = batch;
        Vec::new()
    }

    /// The device gets a new process.
    fn process_starts(&mut self, device: usize) {
        let _ = device;
    }

    /// What the device's core takes: at first, one input.
    fn device_inputs(&mut self, now: Instant, device: usize, inputs: &mut Vec<client::Input>) {
        let _ = (now, device, inputs);
    }

    /// What the device's core wants done after its inputs or timers.
    fn device_outputs(&mut self, now: Instant, device: usize, outputs: &mut Vec<client::Output>) {
        let _ = (now, device, outputs);
    }
}
