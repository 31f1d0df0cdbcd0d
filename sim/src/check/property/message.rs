//! What an application is told of messages: each once, in order (API-2).
//!
//! Which device a message goes to says the model of the server (`server_model.rs`).

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Event, Told, UserIndex, What};

const ONCE: RuleId = rule("API-2");

#[derive(Default)]
pub(super) struct Messages {
    /// Of each device, the last message told of each conversation.
    told: Vec<Vec<((UserIndex, UserIndex), u32)>>,
}

impl Property for Messages {
    sentence!(Always, "an application is told a message at most once, and in the server's order", "API-2");
    watches!("told");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::Told { event: Told::Message { message, from, to, .. }, .. } = event.what else { return };
        let Some((on, _)) = scene.actor else { return };
        let conversation = (from.min(to), from.max(to));
        let told = grown(&mut self.told, on.index());
        let place = told.iter().position(|(one, _)| *one == conversation).unwrap_or_else(|| {
            told.push((conversation, 0));
            told.len() - 1
        });
        let last = std::mem::replace(&mut told[place].1, message);
        if message <= last {
            let text = format!("{} was told message {message} after message {last}", scene.device(on));
            report.event(ONCE, event, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    /// API-2
    #[test]
    fn a_message_twice_or_out_of_order_is_seen() {
        let told = |numbers: &[u32]| {
            numbers.iter().fold(Story::of(Messages::default()), |story, &message| {
                let event = Told::Message { message, from: ALICE.into(), to: BOB.into(), text: text(0) };
                story.told(PHONE, event, BOB, 1)
            })
        };
        told(&[1, 2, 5]).holds();
        told(&[1, 1]).breaks("API-2");
        told(&[2, 1]).breaks("API-2");
    }
}
