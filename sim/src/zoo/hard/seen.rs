//! What has happened so far in a run, for decisions that go wrong only behind something else.
//!
//! A decision is a value and remembers nothing; a run is one thread's. Whoever plants such a bug puts a [`Watcher`] before
//! the cores, which begins anew with each run.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::{self, Call};
use gatecrash::code::Code;
use gatecrash::id::UserId;
use gatecrash::protocol::{Refusal, ServerFrame};
use gatecrash::server::{Config, Input};
use gatecrash::store::Records;
use gatecrash::ticket::Ticket;
use gatecrash::time::{Instant, Now, WallTime};

use crate::world::event::{Interceptor, ServerStep};

/// What a run has come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// How often the server was started, and when it was last.
    pub(super) starts: u32,
    pub(super) started_at: WallTime,
    /// Who has been an administrator, in the configuration before the last change.
    pub(super) administrators: BTreeSet<UserId>,
    /// The device that takes an input just now, if one does.
    device: Option<usize>,
    /// Devices that woke, or changed their network, since they were last sent away.
    roused: BTreeMap<usize, u32>,
    /// How often in a row a server has sent each device away.
    sent_away: BTreeMap<usize, u32>,
    /// Tickets that came with a login that was refused because an administrator had voided them.
    voided: Vec<Ticket>,
    shown: Option<Ticket>,
}

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

/// Looks.
pub(super) fn seen<Answer>(look: impl FnOnce(&Seen) -> Answer) -> Answer {
    SEEN.with_borrow(look)
}

impl Seen {
    /// Whether the server is not the first.
    pub(super) fn is_restarted(&self) -> bool {
        self.starts > 1
    }

    /// Whether the device that takes an input was roused.
    pub(super) fn is_roused(&self) -> bool {
        self.times_roused() > 0
    }

    /// How often it was.
    pub(super) fn times_roused(&self) -> u32 {
        self.device.and_then(|device| self.roused.get(&device).copied()).unwrap_or(0)
    }

    /// How often in a row the device that takes an input was sent away.
    pub(super) fn times_sent_away(&self) -> u32 {
        self.device.and_then(|device| self.sent_away.get(&device).copied()).unwrap_or(0)
    }

    /// Whether the ticket was refused as void.
    pub(super) fn was_voided(&self, ticket: &Ticket) -> bool {
        self.voided.contains(ticket)
    }
}

/// Keeps it.
pub(super) struct Watcher;

impl Watcher {
    /// Of a run that begins.
    pub(super) fn new() -> Watcher {
        SEEN.set(Seen::default());
        Watcher
    }
}

impl Interceptor for Watcher {
    fn server_starts(&mut self, config: &mut Config, _: &mut Records) {
        SEEN.with_borrow_mut(|seen| {
            seen.starts += 1;
            seen.administrators.clone_from(&config.administrators);
        });
    }

    fn server_steps(&mut self, now: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        SEEN.with_borrow_mut(|seen| {
            if steps.contains(&ServerStep::Input(Input::Started)) {
                seen.started_at = now.wall;
            }
        });
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<client::Input>) {
        SEEN.with_borrow_mut(|seen| {
            seen.device = Some(device);
            for input in inputs {
                match input {
                    client::Input::Woken | client::Input::NetworkChanged => {
                        *seen.roused.entry(device).or_default() += 1
                    }
                    client::Input::Call { request: Call::Login { ticket, .. }, .. } => {
                        seen.shown = Some(ticket.clone());
                    }
                    client::Input::Frame { frame: ServerFrame::Closing { .. }, .. } => {
                        seen.roused.remove(&device);
                        *seen.sent_away.entry(device).or_default() += 1;
                    }
                    client::Input::Frame { frame: ServerFrame::LoginAnswer { outcome, .. }, .. } => {
                        seen.sent_away.remove(&device);
                        if *outcome == Err(Refusal::Code(Code::TicketVoided)) {
                            seen.voided.extend(seen.shown.take());
                        }
                    }
                    _ => {}
                }
            }
        });
    }

    fn device_outputs(&mut self, _: Instant, _: usize, _: &mut Vec<client::Output>) {
        SEEN.with_borrow_mut(|seen| seen.device = None);
    }
}
