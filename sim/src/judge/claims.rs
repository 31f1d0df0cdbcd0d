//! What is claimed of users' presence, until it can be told whether it may be so.
//!
//! Whether a device was connected that took itself to be shows only when it goes on to be heard: so a claim that a user is
//! not online waits for that long.

use std::collections::VecDeque;

use gatecrash::protocol::Presence;

use super::device::Device;
use super::outside::{Found, Scene};
use super::reach::{At, Reach};
use crate::history::event::{Actor, Event, User};
use crate::history::{Cast, Head};

/// See the module.
pub(super) struct Claims {
    pub(super) reach: Reach,
    /// Claims that wait for what clocks may be apart, and those that wait for devices to find out.
    soon: VecDeque<Claim>,
    later: VecDeque<Claim>,
}

/// One claim.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) at: At,
    pub(super) shown: Presence,
    /// By whom, and in which line.
    pub(super) actor: Actor,
    pub(super) line: u64,
}

/// More claims than this do not wait.
const WAITING_MAX: usize = 4_096;

impl Claims {
    pub(super) fn new(head: &Head) -> Claims {
        Claims { reach: Reach::new(head), soon: VecDeque::new(), later: VecDeque::new() }
    }

    /// Keeps a claim until it can be judged.
    pub(super) fn claim(&mut self, event: &Event, user: User, shown: Presence, from: u64, to: u64) {
        let at = At { user, from, to, is_settled: false };
        let claim = Claim { at, shown, actor: event.actor, line: event.line };
        let waits_on = shown != Presence::Online && self.reach.limits.noticed.is_some();
        for queue in [Some(&mut self.soon), Some(&mut self.later).filter(|_| waits_on)].into_iter().flatten() {
            // Of too many the oldest are not judged.
            if queue.len() >= WAITING_MAX {
                queue.pop_front();
            }
            queue.push_back(claim);
        }
    }

    /// Judges what can be, and then takes in what happens.
    pub(super) fn see(&mut self, scene: &Scene<'_>, event: &Event, tell: impl FnMut(&Claim, Option<String>)) {
        self.judge(scene.devices, scene.cast, event.from, false, tell);
        self.reach.take(scene, event);
    }

    /// The history is over, at an instant if that is known.
    pub(super) fn finish(
        &mut self,
        devices: &[Device],
        cast: &Cast,
        end: Option<u64>,
        tell: impl FnMut(&Claim, Option<String>),
    ) {
        self.judge(devices, cast, end.unwrap_or_default(), true, tell);
    }

    fn judge(
        &mut self,
        devices: &[Device],
        cast: &Cast,
        now: u64,
        is_over: bool,
        mut tell: impl FnMut(&Claim, Option<String>),
    ) {
        let skew = self.reach.limits.skew;
        let has_come = |claim: &Claim, span: u64| claim.at.to.saturating_add(span).saturating_add(skew) < now;
        while let Some(claim) = self.soon.pop_front_if(|claim| is_over || has_come(claim, 0)) {
            tell(&claim, self.why_not(devices, cast, &claim));
        }
        let noticed = self.reach.limits.noticed.unwrap_or_default();
        while let Some(claim) = self.later.pop_front_if(|claim| has_come(claim, noticed)) {
            if let Some(actor) = self.reach.connected(devices, claim.at) {
                let name = cast.actors.name(actor.0);
                tell(&claim, Some(format!("{name} was logged in as them and connected, before and after")));
            }
        }
    }

    /// Why a user cannot be what is claimed.
    pub(super) fn why_not(&self, devices: &[Device], cast: &Cast, claim: &Claim) -> Option<String> {
        let may = self.reach.may(devices, cast, claim.at);
        match claim.shown {
            Presence::Online if !may.be_online => {
                Some("no device can have been connected as them for as long as a silent link may last".to_owned())
            }
            Presence::PushOnline if !may.be_reached => {
                Some("no mobile device can have had a session of theirs that push messages reach".to_owned())
            }
            Presence::Offline => {
                let actor = self.reach.reached(devices, cast, claim.at)?;
                let name = cast.actors.name(actor.0);
                Some(format!("{name}, a mobile device, has a session of theirs that nothing has ended"))
            }
            Presence::Online | Presence::PushOnline => None,
        }
    }
}

impl Claim {
    /// What was found of it.
    pub(super) fn found(&self, property: &'static str, cast: &Cast, why: &str) -> Found {
        let text = format!("{} is shown {}, and {why}", cast.users.name(self.at.user.0), self.shown.word());
        let actor = cast.actors.name(self.actor.0).to_owned();
        Found { property, text, at: self.at.to, actor, place: Some(self.line), lines: vec![self.line] }
    }
}
