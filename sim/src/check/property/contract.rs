//! What a property is: a sentence with its rules, and code that takes a run event by event.
//!
//! Which properties there are says the module above, and who asks them `checks`.

use super::decision::Decision;
use super::frames::Frames;
use super::kinds::Kinds;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::rules::RuleId;
use crate::trace::Event;

/// What every property has to say of itself: its kind, its sentence, its rules.
macro_rules! sentence {
    ($kind:ident, $name:expr, $($rule:literal),+) => {
        fn kind(&self) -> $crate::check::property::contract::Kind {
            $crate::check::property::contract::Kind::$kind
        }

        fn name(&self) -> &'static str {
            $name
        }

        fn rules(&self) -> &'static [$crate::scenario::rules::RuleId] {
            const { &[$($crate::scenario::rules::rule($rule)),+] }
        }
    };
}

/// The kinds of events that a property is shown, where these are not all: words, and `decision` for the changes that the
/// server decides.
macro_rules! watches {
    ($($word:literal),*) => {
        fn watches(&self) -> $crate::check::property::kinds::Kinds {
            const { $crate::check::property::kinds::Kinds::of(&[$($word),*]) }
        }
    };
}

/// The frames that a property is shown, of the events it watches, where these are not all that say something: words, or
/// `all` for heartbeats and their answers, too.
macro_rules! frames {
    (all) => {
        fn frames(&self) -> $crate::check::property::frames::Frames {
            $crate::check::property::frames::Frames::ALL
        }
    };
    ($($word:literal),*) => {
        fn frames(&self) -> $crate::check::property::frames::Frames {
            const { $crate::check::property::frames::Frames::of(&[$($word),*]) }
        }
    };
}

/// Something that holds in every run.
pub trait Property: Send {
    /// How it can be broken.
    fn kind(&self) -> Kind;

    /// What holds, as a sentence.
    fn name(&self) -> &'static str;

    /// The rules it guards.
    fn rules(&self) -> &'static [RuleId];

    /// The kinds of events it wants to observe, and whether it wants to be shown decisions.
    fn watches(&self) -> Kinds {
        Kinds::ALL
    }

    /// The frames it wants to observe, of the events that are about one.
    fn frames(&self) -> Frames {
        Frames::NEWS
    }

    /// One more event, of a kind it watches. The views show what was before it.
    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let _ = (scene, event, report);
    }

    /// The server decided a change, if it watches decisions. The views show what was before it.
    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let _ = (scene, decision, report);
    }

    /// The same, when the views show what is after it.
    fn decided(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let _ = (scene, decision, report);
    }

    /// The run is over.
    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        let _ = (scene, report);
    }
}

/// How a property can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By something that happens.
    Always,
    /// Also by something that does not happen, when its time is up. The time is computed: from the limits
    /// of the rule, and from the tick and the disk of the run.
    Eventually,
}

impl Kind {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Always => "always",
            Kind::Eventually => "eventually",
        }
    }
}
