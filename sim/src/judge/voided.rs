//! What an administrator has kicked somebody with is void: the ticket of a session that ended so lets nobody in again.

use std::collections::{BTreeMap, VecDeque};

use gatecrash::protocol::KickReason;

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use crate::history::event::{Event, Known, Outcome, Request, Told, What};
use crate::history::{Channel, Channels};

/// See the module.
#[derive(Default)]
pub(super) struct Voided {
    /// Since when, and by which line.
    tickets: BTreeMap<Known, (u64, u64)>,
    oldest: VecDeque<Known>,
}

/// How many tickets are remembered.
const REMEMBERED: usize = 16_384;

const NAME: &str = "the ticket of a session that an administrator has ended lets nobody in again";

const VOID: Rule = Rule::at("ADMIN-1");

impl Outside for Voided {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[VOID]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "a login is answered whose ticket was that of a session that an administrator has ended"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Told { event: Told::KickedOffline { reason: Some(KickReason::Administrator), .. }, .. } => {
                let Some(ticket) = scene.device.session().and_then(|session| session.ticket) else { return };
                if self.tickets.insert(ticket, (event.to.saturating_add(scene.skew), event.line)).is_none() {
                    self.oldest.push_back(ticket);
                }
                if self.oldest.len() > REMEMBERED
                    && let Some(oldest) = self.oldest.pop_front()
                {
                    self.tickets.remove(&oldest);
                }
            }
            What::Answered { outcome, .. } => {
                let Some(open) = scene.open else { return };
                let Request::Login { user, ticket: Some(ticket), .. } = open.request else { return };
                let Some(&(since, line)) = self.tickets.get(&ticket) else { return };
                if open.from.saturating_sub(scene.skew) > since {
                    report.check(VOID, !matches!(outcome, Outcome::Done { .. }), || {
                        let text = format!(
                            "{} logged in with the ticket of a session that an administrator had ended",
                            scene.user(user)
                        );
                        Found::at(NAME, scene, event, Some(line), text)
                    });
                }
            }
            _ => {}
        }
    }
}
