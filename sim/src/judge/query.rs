//! What a query says of users is what they may be.

use gatecrash::protocol::Presence;

use super::answer::Rule;
use super::claims::Claims;
use super::outside::{End, Found, Outside, Report, Scene};
use crate::history::event::{Event, Item, What};
use crate::history::{Channel, Channels, Head};
use crate::scenario::CallKind;

/// See the module.
pub(super) struct Query {
    claims: Claims,
}

const NAME: &str = "a query shows of each user what their devices let them be, and of who asks that they are online";

const RULE: Rule = Rule::at("ADMIN-2");

impl Query {
    pub(super) fn new(head: &Head) -> Query {
        Query { claims: Claims::new(head) }
    }
}

impl Outside for Query {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[RULE]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process, Channel::Link])
    }

    fn asked_when(&self) -> &'static str {
        "a query says what a user is"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        self.claims.see(scene, event, |claim, why| {
            report.check(RULE, why.is_none(), || claim.found(NAME, scene.cast, &why.unwrap_or_default()));
        });
        let What::Brings { item: Item::Standing { user, presence }, .. } = event.what else { return };
        let Some(open) = scene.open.filter(|open| open.request.kind() == CallKind::Query && open.gate.is_none()) else {
            return;
        };
        let found = |text: String| Found::at(NAME, scene, event, Some(open.line), text);
        let (from, to) = (open.from.saturating_sub(scene.skew), event.to.saturating_add(scene.skew));
        let Some(presence) = presence else {
            report.check(RULE, !self.claims.reach.is_account(user, from), || {
                found(format!("{} is said to be unknown, who had logged in before", scene.user(user)))
            });
            return;
        };
        let asker = open.session.filter(|session| scene.device.session() == Some(*session) && session.user == user);
        if asker.is_some() {
            report.check(RULE, presence == Presence::Online, || {
                found(format!("{} is shown {}, and it is they who asked", scene.user(user), presence.word()))
            });
        }
        self.claims.claim(event, user, presence, from, to);
    }

    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        self.claims.finish(end.devices, end.cast, end.end.map(|(at, _)| at), |claim, why| {
            report.check(RULE, why.is_none(), || claim.found(NAME, end.cast, &why.unwrap_or_default()));
        });
    }
}
