//! Nobody is shown online for longer than a silent link may last, and only who has a mobile device is reached by push.
//!
//! What is shown of whoever is connected at rest, `shown` looks at.

use std::collections::BTreeMap;

use gatecrash::protocol::Presence;

use super::answer::Rule;
use super::claims::{Claim, Claims};
use super::outside::{End, Outside, Report, Scene};
use super::reach::At;
use super::shown::hears;
use crate::history::event::{Actor, Event, Told, User, What};
use crate::history::{Cast, Channel, Channels, Comes, Head};

/// See the module.
pub(super) struct Ghosts {
    claims: Claims,
    /// What each watcher was told of each user last, in which line.
    told: BTreeMap<(User, Actor), (Presence, u64)>,
    /// Where coming back is a login, who comes back knows nothing until it is told again.
    forgets: bool,
}

const NAME: &str = "a user is shown what their devices let them be, with a link and without";

const SHOWN: Rule = Rule::at("PRES-1");
const GHOST: Rule = Rule::at("PRES-2");

impl Ghosts {
    pub(super) fn new(head: &Head) -> Ghosts {
        Ghosts { claims: Claims::new(head), told: BTreeMap::new(), forgets: head.promise.comes == Comes::Login }
    }
}

impl Outside for Ghosts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[SHOWN, GHOST]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[
            Channel::Calls,
            Channel::Events,
            Channel::Status,
            Channel::Process,
            Channel::Link,
            Channel::Presence,
        ])
    }

    fn asked_when(&self) -> &'static str {
        "a user is shown something new; a settled history ends in which one was shown, and its first line has `silence`"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        self.claims.see(scene, event, |claim, why| check(report, scene.cast, claim, why));
        if self.forgets && matches!(event.what, What::Told { event: Told::ConnectSuccess, .. }) {
            self.told.retain(|(_, watcher), _| *watcher != event.actor);
        }
        let What::Presence { user, presence, .. } = event.what else { return };
        self.told.insert((user, event.actor), (presence, event.line));
        // What is told now was decided a while ago.
        let from = self.claims.reach.told_since(event.from).saturating_sub(scene.skew);
        self.claims.claim(event, user, presence, from, event.to.saturating_add(scene.skew));
    }

    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        self.claims.finish(end.devices, end.cast, end.end.map(|(at, _)| at), |claim, why| {
            check(report, end.cast, claim, why);
        });
        // Else the server may not have been there to find out.
        let Some((to, true)) = end.end else { return };
        for (&(user, actor), &(shown, line)) in &self.told {
            if !hears(end, actor) {
                continue;
            }
            let claim = Claim { at: At { user, from: to, to, is_settled: true }, shown, actor, line };
            let why = self.claims.why_not(end.devices, end.cast, &claim);
            check(report, end.cast, &claim, why);
        }
    }
}

fn check(report: &mut Report, cast: &Cast, claim: &Claim, why: Option<String>) {
    let rule = if claim.shown == Presence::Online { GHOST } else { SHOWN };
    report.check(rule, why.is_none(), || claim.found(NAME, cast, &why.unwrap_or_default()));
}
