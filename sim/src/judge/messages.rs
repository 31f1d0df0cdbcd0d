//! Messages: what arrives is what was sent, once, and in order.

use std::collections::BTreeMap;

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use crate::history::event::{Event, Known, Outcome, Request, Told, User, What};
use crate::history::{Channel, Channels, Head, Numbers};

/// See the module.
#[derive(Default)]
pub(super) struct Messages {
    /// What was sent, by the number that its sender was answered.
    sent: BTreeMap<(Among, u64), Sent>,
    /// Of each device, for the session and the conversation, the last number that was told.
    told: Vec<BTreeMap<(u64, User), (u64, u64)>>,
}

/// Among which messages a number is one's own: those of these two, or all.
pub(super) type Among = Option<(User, User)>;

#[derive(Clone, Copy)]
struct Sent {
    /// Where the status says whose session it was.
    from: Option<User>,
    to: User,
    text: Option<Known>,
    id: Option<Known>,
    line: u64,
}

/// How many sent messages are remembered.
const SENT_MAX: usize = 65_536;

/// How many conversations of a device are.
const CONVERSATIONS_MAX: usize = 1_024;

const NAME: &str = "a message arrives as it was sent, once, and in the order of its conversation";

const ARRIVE: Rule = Rule::at("API-2");
const AGAIN: Rule = Rule::at("API-6");

/// Among which messages a number of one between these two is its own.
pub(super) fn among(head: &Head, from: User, to: User) -> Among {
    (head.promise.numbers == Numbers::Conversation).then(|| (from.min(to), from.max(to)))
}

impl Outside for Messages {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[ARRIVE, AGAIN]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "a message with a number is told"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let found = |line: Option<u64>, text: String| Found::at(NAME, scene, event, line, text);
        match event.what {
            What::Answered { outcome: Outcome::Done { message: Some(Known(number)) }, .. } => {
                let Some(open) = scene.open else { return };
                let (Request::Send { to, text, id, .. }, Some(session)) = (open.request, open.session) else { return };
                let from = scene.device.sees_status().then_some(session.user);
                let sent = Sent { from, to, text, id, line: open.line };
                let place = (among(scene.head, session.user, to), number);
                if let Some(first) = self.sent.get(&place) {
                    // Under the id of the first it is the first, whatever it says.
                    let is_again = first.from == sent.from && id.is_some() && first.id == id;
                    report.check(AGAIN, is_again, || {
                        found(Some(first.line), format!("two messages have the number {number}"))
                    });
                    return;
                }
                self.sent.insert(place, sent);
                if self.sent.len() > SENT_MAX {
                    self.sent.pop_first();
                }
            }
            What::Told { event: Told::Message { message: Some(Known(number)), from, to, text }, .. } => {
                let (Some(session), Some(from)) = (scene.device.session(), from) else { return };
                let place = (among(scene.head, from, to.unwrap_or(session.user)), number);
                if let Some(sent) = self.sent.get(&place) {
                    let is_same = sent.from.is_none_or(|sender| sender == from)
                        && to.is_none_or(|to| to == sent.to)
                        && text.is_none_or(|text| sent.text.is_none_or(|sent| sent == text));
                    report.check(ARRIVE, is_same, || {
                        found(Some(sent.line), format!("message {number} is not what was sent"))
                    });
                }
                if number >> 63 != 0 {
                    return;
                }
                let index = event.actor.0 as usize;
                if self.told.len() <= index {
                    self.told.resize_with(index + 1, BTreeMap::new);
                }
                let peer = if from == session.user { to.unwrap_or(from) } else { from };
                let told = &mut self.told[index];
                if told.first_key_value().is_some_and(|(&(login, _), _)| login != session.login)
                    || told.len() > CONVERSATIONS_MAX
                {
                    told.clear();
                }
                if let Some((last, line)) = told.insert((session.login, peer), (number, event.line)) {
                    report.check(ARRIVE, last < number, || {
                        let text = if last == number {
                            format!("message {number} was told twice")
                        } else {
                            format!("message {number} was told after message {last} of the same conversation")
                        };
                        found(Some(line), text)
                    });
                }
            }
            _ => {}
        }
    }
}
