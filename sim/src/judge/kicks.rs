//! When an administrator has kicked whom, and when one may have.
//!
//! Keeps the books, and judges nothing.

use std::collections::{BTreeMap, VecDeque};

use gatecrash::code::Code;
use gatecrash::protocol::KickReason;

use super::outside::Scene;
use crate::history::event::{Event, Outcome, Request, Told, User, What};

/// See the module.
#[derive(Default)]
pub(super) struct Kicks {
    of: BTreeMap<User, Kicked>,
}

/// The kicks of one user.
#[derive(Default)]
struct Kicked {
    /// Calls of which nobody can say when they are carried out, if ever: they have no result, or none that tells.
    open: usize,
    /// The last instant at which one of the others may have been carried out.
    latest: Option<u64>,
    /// Those that were carried out, each between two instants.
    done: VecDeque<Done>,
}

/// A kick that was carried out.
#[derive(Clone, Copy)]
pub(super) struct Done {
    pub(super) from: u64,
    pub(super) to: u64,
    /// The line of its result.
    pub(super) line: u64,
}

/// Of how many kicks of a user it is remembered when they were carried out.
const DONE_MAX: usize = 16;

impl Kicks {
    /// Takes in an event.
    pub(super) fn see(&mut self, scene: &Scene<'_>, event: &Event) {
        // The server's clock is another one.
        let wide = scene.skew.saturating_add(scene.head.skew.largest());
        let to = event.to.saturating_add(wide);
        match event.what {
            What::Called { request: Request::Kick { user }, .. } => self.of.entry(user).or_default().open += 1,
            What::Answered { outcome, .. } => {
                let Some(open) = scene.open else { return };
                let Request::Kick { user } = open.request else { return };
                let kicked = self.of.entry(user).or_default();
                match outcome {
                    Outcome::Done { .. } => {
                        kicked.open = kicked.open.saturating_sub(1);
                        kicked.may_be(to);
                        let from = open.from.saturating_sub(wide);
                        kicked.done.push_back(Done { from, to, line: event.line });
                        if kicked.done.len() > DONE_MAX {
                            kicked.done.pop_front();
                        }
                    }
                    Outcome::Failed { code: Some(code) } if scene.head.codes && never_sent(code) => {
                        kicked.open = kicked.open.saturating_sub(1);
                    }
                    Outcome::Failed { .. } | Outcome::Unknown => {}
                }
            }
            // Administrators may have ways that no device records.
            What::Told { event: Told::KickedOffline { reason: Some(KickReason::Administrator), .. }, user, .. } => {
                let Some(user) = user.or(scene.device.session().map(|session| session.user)) else { return };
                self.of.entry(user).or_default().may_be(to);
            }
            _ => {}
        }
    }

    /// The last instant at which an administrator may have kicked this user, in microseconds.
    pub(super) fn latest(&self, user: User) -> Option<u64> {
        let kicked = self.of.get(&user)?;
        if kicked.open > 0 { Some(u64::MAX) } else { kicked.latest }
    }

    /// The last kick of this user that had been carried out before an instant, for certain.
    pub(super) fn last_before(&self, user: User, at: u64) -> Option<Done> {
        self.of.get(&user)?.done.iter().rev().find(|done| done.to < at).copied()
    }
}

impl Kicked {
    fn may_be(&mut self, at: u64) {
        self.latest = self.latest.max(Some(at));
    }
}

/// Whether a kick with this result has not been carried out, and never will be.
fn never_sent(code: u32) -> bool {
    const CODES: [Code; 5] =
        [Code::NotInitialised, Code::InvalidArgument, Code::NoLink, Code::NotAdministrator, Code::UnknownUser];
    CODES.iter().any(|one| one.number() == code)
}
