//! The story as `snapshots/` keeps it: in which order, what came of it, and why. Not when: that moves with every latency,
//! and is [`lines`](super::lines)' business.
//!
//! ```text
//!     3.000  world               fault repair home
//!     +15 s  server -- phone-1   closes the connection
//!    +120 s  phone-1 -> server   heartbeat  LOST
//!            phone-1             link lost
//! ```
//!
//! Only a step of the script has its time, since a person wrote it. Of other lines the first column says for how long
//! nothing had befallen their actor (the server: with that device), where it was a second or longer: that is what the
//! rules make somebody wait for, and no latency of the network is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::time::Instant;

use super::rows::{Row, rows};
use super::{STORY_DEVICES_MAX, View, who};
use crate::trace::{Actor, DeviceIndex, Event, Ledger, Trace, What};

/// What is shorter goes without saying.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// Within this a disk writes, and a slow one does not.
const WRITE_MAX: Duration = Duration::from_millis(10);

/// What a snapshot holds of a trace: its story, or for a large cast the ledger. `steps` is when the script has one.
pub fn kept(trace: &Trace, steps: &BTreeSet<Instant>) -> String {
    if trace.cast.devices().len() > STORY_DEVICES_MAX {
        return Ledger::of(trace).kept();
    }
    let is_step = |position: usize| match trace.events[position].what {
        What::ScriptEnded => true,
        What::Called { .. }
        | What::NetworkChanged
        | What::Configured { .. }
        | What::OldKeyDropped
        | What::Fault { .. }
        | What::Stranger { .. } => steps.contains(&trace.events[position].at),
        _ => false,
    };
    let (waits, width) = (waits(trace), who::who_width(&trace.cast));
    let mut text = String::new();
    for Row { position, who, what } in with_answers_behind_their_commits(trace, &is_step) {
        let when = match waits[position] {
            _ if is_step(position) => trace.events[position].at.to_string(),
            wait if wait >= WAIT_MIN => format!("+{} s", (wait.as_millis() + 500) / 1_000),
            _ => String::new(),
        };
        text.push_str(&format!("{when:>9}  {who:<width$}  {what}\n"));
    }
    text
}

/// Of each event, for how long its actor had been left alone: since the last event of a device, or of the server with the
/// device that it is about. A frame that reveals a commit has waited since that was decided at most.
fn waits(trace: &Trace) -> Vec<Duration> {
    let mut last: BTreeMap<(Actor, Option<DeviceIndex>), Instant> = BTreeMap::new();
    let mut decided: BTreeMap<u32, Instant> = BTreeMap::new();
    let mut wait = |event: &Event| {
        let mut revealed = None;
        let peer = match event.what {
            // The world waits until all is at rest, which no rule demands of it.
            _ if event.actor == Actor::World => return Duration::ZERO,
            What::Commit { commit, .. } => {
                decided.insert(commit, event.at);
                None
            }
            What::ServerSent { peer, reveals, .. } => {
                revealed = decided.get(&reveals);
                peer
            }
            What::ServerReceived { peer, .. }
            | What::Malformed { peer, .. }
            | What::CloseAsked { peer, .. }
            | What::Gone { peer, .. } => peer,
            _ => None,
        };
        let before = last.insert((event.actor, peer), event.at).unwrap_or(event.at);
        last.insert((event.actor, None), event.at);
        event.at - revealed.copied().unwrap_or(before).max(before)
    };
    trace.events.iter().map(&mut wait).collect()
}

/// The rows of the story, and what the server tells right behind the commit that it reveals: what else happens while the
/// disk writes that one is the latencies' doing. Nothing passes a step, or a frame to the same device.
fn with_answers_behind_their_commits(trace: &Trace, is_step: &impl Fn(usize) -> bool) -> Vec<Row> {
    let mut placed: Vec<Row> = Vec::new();
    for row in rows(trace, View::Story) {
        let place = place(trace, &placed, is_step, &trace.events[row.position]);
        placed.insert(place.unwrap_or(placed.len()), row);
    }
    placed
}

/// Where behind these rows an event goes that reveals a commit; none to leave it where it is.
fn place(trace: &Trace, rows: &[Row], is_step: &impl Fn(usize) -> bool, sent: &Event) -> Option<usize> {
    let What::ServerSent { peer: to, reveals, .. } = sent.what else { return None };
    for (index, row) in rows.iter().enumerate().rev() {
        let event = &trace.events[row.position];
        if is_step(row.position) || sent.at - event.at > WRITE_MAX {
            return None;
        }
        match event.what {
            What::Commit { commit, .. } if commit == reveals => return Some(index + 1),
            What::ServerSent { reveals: other, .. } if other == reveals => return Some(index + 1),
            What::ServerSent { peer, .. } | What::CloseAsked { peer, .. } if peer == to => return None,
            What::ServerStarted { .. } | What::StoreFailed => return None,
            _ => {}
        }
    }
    None
}
