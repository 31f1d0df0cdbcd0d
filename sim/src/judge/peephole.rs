//! A run of one of our worlds, judged by what somebody outside sees of it: nothing else is looked at.

use super::{Judge, Judgement};
use crate::check::{Evidence, Violation};
use crate::history::keyhole::Keyhole;
use crate::history::{Channels, Wrong};
use crate::scenario::Scenario;
use crate::trace::{self, Observer};
use gatecrash::time::Instant;

/// Watches a run through a keyhole, and judges what it sees.
pub struct Peephole {
    keyhole: Keyhole,
    judge: Judge,
    refused: Option<Wrong>,
}

impl Peephole {
    /// For a run of this scenario, of which these channels are seen.
    pub fn new(scenario: &Scenario, observes: Channels) -> Peephole {
        let mut keyhole = Keyhole::new(scenario, observes);
        let judge = Judge::new(Keyhole::head(scenario, observes), &mut keyhole.cast);
        Peephole { keyhole, judge, refused: None }
    }

    /// The run is over.
    ///
    /// # Panics
    ///
    /// When the run is no history: a call with a number of before, a result of no call. A broken recorder does that.
    pub fn finish(self) -> Judgement {
        assert!(self.refused.is_none(), "a run is a history: {:?}", self.refused);
        self.judge.finish(&self.keyhole.cast, &[])
    }

    /// What is wrong with the run, in the words of those who see all of it.
    pub fn violations(self, cast: &trace::Cast) -> Vec<Violation> {
        let breaches = self.finish().breaches;
        let actor = |name: &str| cast.find_device(name).map_or(trace::Actor::World, trace::Actor::Device);
        breaches
            .into_iter()
            .map(|breach| Violation {
                property: breach.property,
                rule: breach.rule,
                text: breach.text,
                at: Instant::from_micros(breach.at),
                actor: actor(&breach.actor),
                number: 0,
                evidence: Evidence::Event("history"),
            })
            .collect()
    }
}

impl Observer for Peephole {
    fn observe(&mut self, cast: &trace::Cast, event: &trace::Event) {
        let Peephole { keyhole, judge, refused } = self;
        keyhole.see(cast, event, |cast, event| {
            if let Err(wrong) = judge.take(cast, event) {
                refused.get_or_insert(wrong);
            }
        });
    }
}
