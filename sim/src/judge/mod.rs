//! Judging a history that somebody else recorded: of each rule one of four answers.
//!
//! ```text
//! Head, lines ──history──▶ Event ──device──▶ what an application knows ──outside──▶ Breach, Answer ──▶ Judgement
//!                                └─order───▶ per user, the seats: is there an order that explains it? (`seats`)
//! ```
//!
//! Looks at what applications called and were told, and at nothing that only a server knows. Takes line after line, and
//! keeps what is open: its memory does not grow with the length of a history. A trace of our own worlds that is whole is
//! judged by `check` beside that.

mod account;
mod answer;
mod claims;
mod connecting;
#[cfg(test)]
mod contents;
mod device;
mod epochs;
mod feed;
mod gate;
mod gates;
mod ghosts;
mod gone;
#[cfg(test)]
mod hostile;
mod issued;
mod judged;
mod kicks;
mod lifetime;
mod lists;
mod locks;
mod lost;
mod messages;
mod notified;
mod order;
mod outside;
mod pace;
mod peephole;
mod presence;
mod promised;
mod properties;
mod query;
mod reach;
pub mod recording;
mod results;
mod rights;
mod shown;
mod standing;
mod status;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod tickets;
mod voided;
mod whole;

pub use answer::{Answer, Breach, Judgement, Line, Verdict};
pub use judged::Judged;
pub use peephole::Peephole;
pub use recording::{Moment, Recording, Standing, Whole};
pub use text::{Source, judge_log, judge_sources, judge_text};

use std::borrow::Cow;

use crate::history::event::{Event, Platform, Request, What};
use crate::history::{Cast, Channel, Channels, Head, Wrong};
use crate::scenario::rules::{RULES, RuleId};
use device::Device;
use outside::{End, Outside, Report, Scene};
use standing::{Account, Purpose};

/// Judges the events of one history.
pub struct Judge {
    head: Head,
    properties: Vec<Box<dyn Outside>>,
    devices: Vec<Device>,
    skews: Vec<u64>,
    report: Report,
    next_login: u64,
    /// Whether anybody has called `init`.
    knows_init: bool,
    events: u64,
    end: Option<(u64, bool)>,
}

impl Judge {
    /// A judge of a history with such a first line. Platforms of its policy get their numbers in `cast`.
    pub fn new(head: Head, cast: &mut Cast) -> Judge {
        promised::number_platforms(&head, cast);
        let properties = properties::all(&head)
            .into_iter()
            .filter(|property| head.observes.lacks(property.needs()).is_empty())
            .collect();
        let mut judge = Judge {
            properties,
            devices: Vec::new(),
            skews: Vec::new(),
            report: Report::new(),
            next_login: 1,
            knows_init: false,
            events: 0,
            end: None,
            head,
        };
        // What the first line says of devices holds from the start.
        for (name, platform) in judge.head.devices.clone() {
            let actor = cast.actors.number(&name);
            judge.meet(actor, cast);
            judge.devices[actor as usize].platform = Some(Platform(cast.platforms.number(&platform)));
        }
        judge
    }

    fn meet(&mut self, actor: u32, cast: &Cast) {
        while self.devices.len() <= actor as usize {
            let next = self.devices.len() as u32;
            self.devices.push(Device::new(&self.head));
            self.skews.push(self.head.skew.of(cast.actors.name(next)));
        }
    }

    /// Takes in one event.
    ///
    /// # Errors
    ///
    /// What about it cannot be: a call with the number of one that there was, a result of a call that there was not, an
    /// event after the end. Nothing has come of it then.
    pub(crate) fn take(&mut self, cast: &Cast, event: &Event) -> Result<(), Wrong> {
        if self.end.is_some() {
            return Err(Wrong::line("the history had ended before"));
        }
        let index = event.actor.0 as usize;
        self.meet(event.actor.0, cast);
        let device = &self.devices[index];
        let event = &device.named(event);
        let mut open = None;
        match event.what {
            What::Called { call, request } if device.has_called(call) && !device.may_be_new(&request) => {
                return Err(Wrong::value("call", format!("there was a call with the number {}", results::shown(call))));
            }
            What::Answered { call, kind, .. } => {
                open = device.open(call).copied();
                match (open, kind) {
                    (None, _) if !device.is_done(call) => {
                        let text = format!("there was no call with the number {}", results::shown(call));
                        return Err(Wrong::value("call", text));
                    }
                    (Some(open), Some(kind)) if open.request.kind() != kind => {
                        let text = format!("call {} was {}", results::shown(call), open.request.kind().word());
                        return Err(Wrong::value("kind", text));
                    }
                    _ => {}
                }
            }
            What::Brings { call, .. } => open = device.open(call).copied(),
            What::End { settled } => self.end = Some((event.to, settled)),
            _ => {}
        }
        // What a result brings is a part of it.
        self.events += u64::from(!matches!(event.what, What::Brings { .. }));
        let next = self.next_login;
        let devices = self.devices.as_slice();
        let skew = self.skews[index];
        let scene = Scene { head: &self.head, cast, device, devices, open: open.as_ref(), next, skew };
        for property in &mut self.properties {
            property.see(&scene, event, &mut self.report);
        }
        if let What::Called { request, .. } = event.what
            && matches!(device.purpose(&request, event.from, next), Purpose::Login(_) | Purpose::Unsure(_))
        {
            self.next_login += 1;
        }
        self.knows_init |= matches!(event.what, What::Called { request: Request::Init { .. }, .. });
        self.devices[index].knows_init = self.knows_init;
        self.devices[index].take(event, next);
        Ok(())
    }

    /// Takes in one event, and keeps it in a recording by the line that tells it, where that is wanted.
    fn take_kept(
        &mut self,
        cast: &Cast,
        event: &Event,
        kept: Option<(&mut Recording, Cow<'_, str>)>,
    ) -> Result<(), Wrong> {
        self.take(cast, event)?;
        if let Some((recording, line)) = kept {
            let standing = match self.devices[event.actor.0 as usize].account {
                Account::In(session) => Standing::In { user: session.user, login: session.login },
                Account::Pending(_) => Standing::Out("login"),
                Account::Nobody(how) => Standing::Out(how.word()),
                Account::Unsure => Standing::Out("unsure"),
            };
            recording.keep(cast, event, &line, standing, !self.report.breaches.is_empty());
        }
        Ok(())
    }

    /// The history is over. Of the rules only these are answered, where some are named.
    pub fn finish(mut self, cast: &Cast, rules: &[RuleId]) -> Judgement {
        let end = End { cast, devices: &self.devices, end: self.end };
        for property in &mut self.properties {
            property.finish(&end, &mut self.report);
        }
        let judgeable = properties::judgeable(&properties::all(&self.head));
        let mut answers = Vec::new();
        for (index, rule) in RuleId::all().enumerate() {
            if !rules.is_empty() && !rules.contains(&rule) {
                continue;
            }
            let answer = match (self.report.violated[index], self.report.judged[index], &judgeable[index]) {
                (times @ 1.., _, _) => Answer::Violated { times },
                (0, judged @ 1.., _) => Answer::Holds { judged },
                (0, 0, None) => Answer::NotObserved { lacks: self.head.observes.lacks(INSIDE) },
                (0, 0, Some(needs)) => {
                    let lacks =
                        needs.iter().map(|&needs| self.head.observes.lacks(needs)).min_by_key(|lacks| lacks.len());
                    match lacks.filter(|lacks| !lacks.is_empty()) {
                        Some(lacks) => Answer::NotObserved { lacks },
                        None => Answer::NothingToJudge,
                    }
                }
            };
            answers.push((rule, answer));
        }
        self.report.breaches.retain(|breach| answers.iter().any(|(rule, _)| *rule == breach.rule));
        Judgement {
            system: self.head.system,
            answers,
            breaches: self.report.breaches,
            more: self.report.more,
            undecided: self.report.undecided,
            settled: self.end.map(|(_, settled)| settled),
            events: self.events,
            inside: 0,
            dropped: 0,
            unmapped: Vec::new(),
            mistakes: Vec::new(),
            more_mistakes: 0,
        }
    }
}

/// What it takes to judge a rule that no application sees.
const INSIDE: Channels = Channels::of(&[Channel::Frames, Channel::Server]);

/// What is judged from outside, a row of a table in Markdown each: what holds, what a history has to hold in full for that,
/// the rules, and when there is something to judge.
pub fn table() -> Vec<String> {
    let row = |property: &dyn Outside| {
        let rules: Vec<&str> = property.rules().iter().map(|rule| rule.id().as_str()).collect();
        let (name, needs, when) = (property.name(), property.needs(), property.asked_when());
        format!("| {name} | {needs} | {} | {when} |", rules.join(", "))
    };
    properties::all(&Head::new("", Channels::ALL)).iter().map(|property| row(property.as_ref())).collect()
}

const _: () = assert!(RULES.len() < 256, "a rule is a byte");
