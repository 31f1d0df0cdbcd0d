//! Conversation lists: whose they are, and that a line of one fits the message that it names.
//!
//! A message is known by its number, from who sent it and was answered or from who was told of it. Of one that is not
//! known, as of one from before the history, nothing is said.

use std::collections::BTreeMap;

use super::answer::Rule;
use super::device::Device;
use super::outside::{Found, Outside, Report, Scene};
use super::standing::{Account, How};
use crate::history::event::{Beginning, Event, Item, Known, Outcome, Request, Told, User, What};
use crate::history::{Channel, Channels, Numbers};

/// See the module.
#[derive(Default)]
pub(super) struct Lists {
    /// What was sent, by its number.
    sent: BTreeMap<u64, Sent>,
    /// Whose list each device may show.
    viewers: Vec<Option<User>>,
}

#[derive(Clone, Copy)]
struct Sent {
    /// Where that is certain.
    from: Option<User>,
    to: User,
    /// What it says, where whoever sent it tells.
    text: Option<Beginning>,
    line: u64,
}

/// How many messages are remembered; those with the lowest numbers are forgotten.
const SENT_MAX: usize = 65_536;

const NAME: &str = "a list of conversations is that of its account, and its lines are the messages that were sent";

const LINES: Rule = Rule::at("API-2");
const WHOSE: Rule = Rule::at("API-3");

impl Lists {
    fn note(&mut self, number: u64, sent: Sent) {
        // The first one counts: whether there may be two is asked elsewhere.
        let first = self.sent.entry(number).or_insert(sent);
        // Who is told of a message does not say how long it is.
        first.text = first.text.or(sent.text);
        if self.sent.len() > SENT_MAX {
            self.sent.pop_first();
        }
    }

    /// Whose list the device may show, as far as is known before what happens now.
    fn viewer(&mut self, index: usize, device: &Device) -> Option<User> {
        if self.viewers.len() <= index {
            self.viewers.resize(index + 1, None);
        }
        let viewer = &mut self.viewers[index];
        *viewer = match device.account {
            Account::In(session) => Some(session.user),
            // Without the status nobody can tell whether the SDK has refused the call, and nothing has changed.
            Account::Pending(pending) => Some(pending.user).filter(|_| device.sees_status()),
            // The list stays after such an end (API-1).
            Account::Nobody(How::Failed | How::Kicked | How::Expired) => *viewer,
            Account::Nobody(How::Unknown | How::Fresh | How::LoggedOut | How::Uninit) | Account::Unsure => None,
        };
        let viewer = (*viewer)?;
        // Of a login that waits it may not have been seen yet that it is under way.
        let is_sure = device.calls.iter().all(|open| match open.request {
            Request::Login { user, .. } => user == viewer,
            _ => true,
        });
        is_sure.then_some(viewer)
    }

    fn judge(&self, scene: &Scene<'_>, event: &Event, viewer: User, line: Line, report: &mut Report) {
        let Line { peer, last: Known(number), preview } = line;
        let Some(&sent) = self.sent.get(&number) else { return };
        let found = |text: String| Found::at(NAME, scene, event, Some(sent.line), text);
        let (own, name) = (scene.user(viewer), |user: User| scene.user(user));
        let is_part = sent.to == viewer || sent.from.is_none_or(|from| from == viewer);
        let other = match sent.from {
            Some(from) if from != viewer => Some(from),
            Some(_) => Some(sent.to),
            None => (sent.to != viewer).then_some(sent.to),
        };
        // Of a message to somebody else a line with oneself is one of theirs.
        let is_own = is_part && (peer != viewer || other.is_none_or(|other| other == viewer));
        report.check(WHOSE, is_own, || {
            let from = sent.from.map_or("somebody", name);
            found(format!("the list of {own} has message {number}, which {from} sent to {}", name(sent.to)))
        });
        if !is_own {
            return;
        }
        report.check(LINES, other.is_none_or(|other| other == peer), || {
            let other = other.map_or("somebody", name);
            found(format!("the list of {own} has message {number}, of {other}, as one of {}", name(peer)))
        });
        if let (Some(preview), Some(text)) = (preview, sent.text) {
            let is_beginning = preview.length < text.length || preview == text;
            report.check(LINES, is_beginning, || {
                found(format!("the list of {own} shows message {number} with a text that does not begin so"))
            });
        }
    }
}

/// A line of a list that names its message.
struct Line {
    peer: User,
    last: Known,
    preview: Option<Beginning>,
}

impl Outside for Lists {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[LINES, WHOSE]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "a line of a list names a message that was sent, or told, before"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let viewer = self.viewer(event.actor.0 as usize, scene.device);
        // A number that others have as well names no message.
        if scene.head.promise.numbers == Numbers::Conversation {
            return;
        }
        match event.what {
            What::Answered { outcome: Outcome::Done { message: Some(Known(number)) }, .. } => {
                let Some(open) = scene.open else { return };
                let Request::Send { to, text, length, .. } = open.request else { return };
                let from = open.session.filter(|_| scene.device.sees_status()).map(|session| session.user);
                let text = text.map(|sum| Beginning { sum, length });
                self.note(number, Sent { from, to, text, line: open.line });
            }
            What::Told { event: Told::Message { message: Some(Known(number)), from, to: Some(to), .. }, .. } => {
                self.note(number, Sent { from, to, text: None, line: event.line });
            }
            What::Brings { item: Item::Conversation { peer, last: Some(last), preview }, .. } => {
                let is_plain = scene.open.is_some_and(|open| open.gate.is_none());
                let Some(viewer) = viewer.filter(|_| is_plain) else { return };
                self.judge(scene, event, viewer, Line { peer, last, preview }, report);
            }
            _ => {}
        }
    }
}
