//! Presence events are numbered without gaps.

use std::collections::BTreeMap;

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use crate::history::event::{Event, User, What};
use crate::history::{Channel, Channels};

/// See the module.
#[derive(Default)]
pub(super) struct Numbered {
    last: BTreeMap<User, (u64, u64)>,
}

const NAME: &str = "presence events of a user are numbered without gaps";

const PRESENCE: Rule = Rule::at("PRES-3");

impl Outside for Numbered {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[PRESENCE]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Presence])
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::Presence { user, sequence: Some(sequence), .. } = event.what else { return };
        if let Some((last, line)) = self.last.insert(user, (sequence, event.line)) {
            report.check(PRESENCE, sequence == last.saturating_add(1), || {
                let text = format!("presence event {sequence} of {} came after {last}", scene.user(user));
                Found::at(NAME, scene, event, Some(line), text)
            });
        }
    }
}
