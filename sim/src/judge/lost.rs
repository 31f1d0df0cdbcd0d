//! Messages that never come: whoever is there all the time is told each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use gatecrash::client::Status;

use super::answer::Rule;
use super::messages::{Among, among};
use super::outside::{End, Found, Outside, Report, Scene};
use super::standing::{Account, Purpose};
use crate::history::event::{Event, Known, Outcome, Request, Told, User, What};
use crate::history::{Channel, Channels};

/// See the module.
#[derive(Default)]
pub(super) struct Lost {
    devices: Vec<Device>,
    /// Who is logged in and connected.
    there: BTreeMap<User, BTreeSet<usize>>,
    /// The line of the first call with an id of a user's: what is sent again is owed to whoever it was owed to then.
    first: BTreeMap<(User, Known), u64>,
    /// Whether some message was told by the id with which it was sent: else ids and numbers are two things.
    tells_ids: bool,
}

/// What a device that is there was told, and what it has yet to be told.
#[derive(Default)]
struct Device {
    there: Option<There>,
    told: VecDeque<Message>,
    owed: BTreeMap<Message, Owed>,
}

#[derive(Clone, Copy)]
struct There {
    user: User,
    login: u64,
    /// From when on all is known that it was told.
    since: u64,
}

/// A message by its number, and among which it has that.
type Message = (Among, u64);

/// The line of a message's acceptance, and when that was.
#[derive(Clone, Copy)]
struct Owed {
    line: u64,
    at: u64,
    by_id: bool,
}

/// How many messages are remembered of those that a device was told.
const TOLD_MAX: usize = 256;

/// How many are of those that it was not.
const OWED_MAX: usize = 4_096;

/// How many ids are remembered.
const IDS_MAX: usize = 65_536;

const NAME: &str = "a message that was accepted reaches whoever is logged in and connected all the time";

const OWED: Rule = Rule::at("API-7");

impl Lost {
    fn device(&mut self, index: usize) -> &mut Device {
        if self.devices.len() <= index {
            self.devices.resize_with(index + 1, Device::default);
        }
        &mut self.devices[index]
    }

    fn comes(&mut self, index: usize, there: There) {
        self.leaves(index);
        self.there.entry(there.user).or_default().insert(index);
        self.device(index).there = Some(there);
    }

    /// What it was not told by now is no fault any more: it may come with the resume, or not at all.
    fn leaves(&mut self, index: usize) {
        let Some(There { user, .. }) = std::mem::take(self.device(index)).there else { return };
        if let Some(those) = self.there.get_mut(&user) {
            those.remove(&index);
            if those.is_empty() {
                self.there.remove(&user);
            }
        }
    }

    fn accepted(&mut self, scene: &Scene<'_>, event: &Event, number: Option<Known>, report: &mut Report) {
        let Some(open) = scene.open else { return };
        let (Request::Send { to, id, .. }, Some(session)) = (open.request, open.session) else { return };
        if id.is_some_and(|id| self.first.get(&(session.user, id)) != Some(&open.line)) {
            return;
        }
        let (Some(Known(number)), by_id) = (number.or(id), number.is_none()) else { return };
        let message = (among(scene.head, session.user, to), number);
        for &index in self.there.get(&to).into_iter().flatten() {
            let Device { there: Some(there), told, owed } = &mut self.devices[index] else { continue };
            if index == event.actor.0 as usize || there.since >= open.from || owed.len() >= OWED_MAX {
                continue;
            }
            if told.contains(&message) {
                self.tells_ids |= by_id;
                report.asked(OWED);
            } else {
                owed.entry(message).or_insert(Owed { line: event.line, at: event.from, by_id });
            }
        }
    }

    fn told(&mut self, event: &Event, message: Message, report: &mut Report) {
        let device = self.device(event.actor.0 as usize);
        let Some(there) = &mut device.there else { return };
        if let Some(owed) = device.owed.remove(&message) {
            self.tells_ids |= owed.by_id;
            return report.asked(OWED);
        }
        // Whoever sent it may not have heard yet that it was accepted.
        device.told.push_back(message);
        if device.told.len() > TOLD_MAX {
            device.told.pop_front();
            there.since = event.to;
        }
    }
}

impl Outside for Lost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[OWED]
    }

    fn needs(&self) -> Channels {
        // A process that dies and is not seen to hears nothing, and is not wronged.
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Process])
    }

    fn asked_when(&self) -> &'static str {
        "a message is accepted while a device of its receiver is connected, and stays so until it is told or all is at rest"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let index = event.actor.0 as usize;
        match event.what {
            What::Answered { outcome: Outcome::Done { message }, .. } => self.accepted(scene, event, message, report),
            What::Told { event: Told::Message { message: Some(Known(number)), from: Some(from), to, .. }, .. } => {
                let Some(session) = scene.device.session() else { return };
                let message = (among(scene.head, from, to.unwrap_or(session.user)), number);
                self.told(event, message, report);
            }
            What::Told { event: Told::Message { .. }, .. } => {}
            What::Told { event: Told::ConnectSuccess, .. } => match scene.device.account {
                Account::In(session) => {
                    self.comes(index, There { user: session.user, login: session.login, since: event.to });
                }
                Account::Pending(pending) => {
                    self.comes(index, There { user: pending.user, login: pending.login, since: event.to });
                }
                Account::Nobody(_) | Account::Unsure => self.leaves(index),
            },
            What::Called { request: Request::Send { id: Some(id), .. }, .. } => {
                let Some(session) = scene.device.session() else { return };
                self.first.entry((session.user, id)).or_insert(event.line);
                if self.first.len() > IDS_MAX {
                    self.first.pop_first();
                }
            }
            What::Called { request, .. } => {
                let is_kept = match request {
                    Request::Login { .. } => scene.device.purpose(&request, event.from, scene.next) == Purpose::Renewal,
                    Request::Init { .. } | Request::Uninit | Request::Logout => false,
                    _ => true,
                };
                if !is_kept {
                    self.leaves(index);
                }
            }
            What::Status { status: Status::Logined, .. } => {}
            What::Told { .. } | What::Status { .. } | What::Process(_) | What::Link { .. } | What::Identity(_) => {
                self.leaves(index);
            }
            _ => {}
        }
    }

    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        if !matches!(end.end, Some((_, true))) {
            return;
        }
        for (index, device) in self.devices.iter().enumerate() {
            let (Some(there), Some(now)) = (device.there, end.devices.get(index)) else { continue };
            if now.is_suspended || now.session().is_none_or(|session| session.login != there.login) {
                continue;
            }
            for owed in device.owed.values().filter(|owed| self.tells_ids || !owed.by_id) {
                let actor = end.cast.actors.name(index as u32);
                report.check(OWED, false, || Found {
                    property: NAME,
                    text: format!("a message was accepted, and {actor}, connected all the time, never got it"),
                    at: owed.at,
                    actor: actor.to_owned(),
                    place: Some(owed.line),
                    lines: vec![owed.line],
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::judge_text;

    fn login(who: &str, user: &str, at: u64) -> [String; 5] {
        [
            r#""what":"process","process":"up""#.to_owned(),
            format!(r#""what":"called","call":1,"request":"login","user":"{user}","platform":"ios""#),
            r#""what":"told","event":"connecting""#.to_owned(),
            r#""what":"told","event":"connect_success""#.to_owned(),
            r#""what":"answered","call":1,"outcome":"ok""#.to_owned(),
        ]
        .map(|rest| format!(r#"{{"at_us":{at},"actor":"{who}",{rest}}}"#))
    }

    /// What is said of such a history, and the answer for API-7.
    fn found(lines: &[String]) -> (Vec<String>, &'static str) {
        let judgement = judge_text(&lines.join("\n"));
        assert_eq!(judgement.mistakes, []);
        let told = judgement.breaches.iter().map(|breach| breach.text.clone()).collect();
        let (_, answer) = judgement.answers.iter().find(|(rule, _)| rule.as_str() == "API-7").expect("it is judged");
        (told, answer.word())
    }

    /// Alice sends one message; what bob's phone tells from there on.
    fn judged(bob: &[&str], is_settled: bool) -> (Vec<String>, &'static str) {
        let mut lines = vec![r#"{"history":1,"policy":"dual","observes":["calls","events","process"]}"#.to_owned()];
        lines.extend(login("phone", "bob", 10));
        lines.extend(login("desk", "alice", 20));
        let (called, answered) = (
            r#""called","call":2,"request":"send","to":"bob","text":"hi""#,
            r#""answered","call":2,"outcome":"ok","message":7"#,
        );
        lines.push(format!(r#"{{"at_us":30,"actor":"desk","what":{called}}}"#));
        lines.push(format!(r#"{{"at_us":40,"actor":"desk","what":{answered}}}"#));
        lines.extend(bob.iter().map(|rest| format!(r#"{{"at_us":50,"actor":"phone",{rest}}}"#)));
        lines.push(format!(r#"{{"at_us":900000000,"what":"end","settled":{is_settled}}}"#));
        found(&lines)
    }

    #[test]
    fn a_message_that_never_comes_to_whoever_is_there_is_found() {
        let comes = r#""what":"told","event":"message","message":7,"from":"alice","text":"hi""#;
        assert_eq!(judged(&[comes], true), (vec![], "holds"));
        let text = "a message was accepted, and phone, connected all the time, never got it";
        assert_eq!(judged(&[], true), (vec![text.to_owned()], "violated"));
    }

    /// Where no number is said, the id with which a message was sent may be that with which it is told: if one ever is.
    #[test]
    fn a_message_without_a_number_is_known_by_its_id() {
        let send = |at: u64, call: u64, id: &str| {
            [
                format!(
                    r#"{{"at_us":{at},"actor":"desk","what":"called","call":{call},"request":"send","to":"bob","text":"hi","id":"{id}"}}"#
                ),
                format!(r#"{{"at_us":{at},"actor":"desk","what":"answered","call":{call},"outcome":"ok"}}"#),
            ]
        };
        let judged = |told: Option<&str>| {
            let mut lines = vec![r#"{"history":1,"policy":"dual","observes":["calls","events","process"]}"#.to_owned()];
            lines.extend(login("phone", "bob", 10));
            lines.extend(login("desk", "alice", 20));
            lines.extend(send(30, 2, "a"));
            lines.extend(send(40, 3, "b"));
            lines.extend(told.map(|told| {
                format!(
                    r#"{{"at_us":50,"actor":"phone","what":"told","event":"message","message":{told},"from":"alice","text":"hi"}}"#
                )
            }));
            lines.push(r#"{"at_us":900000000,"what":"end","settled":true}"#.to_owned());
            found(&lines)
        };
        assert_eq!(judged(Some(r#""a""#)).1, "violated");
        assert_eq!(judged(Some("17")).1, "nothing to judge");
        assert_eq!(judged(None).1, "nothing to judge");
    }

    /// Whoever has had it, and came back since, does not get it again.
    #[test]
    fn a_message_that_is_sent_again_is_owed_to_nobody_anew() {
        let mut lines = vec![r#"{"history":1,"policy":"dual","observes":["calls","events","process"]}"#.to_owned()];
        lines.extend(login("phone", "bob", 10));
        lines.extend(login("desk", "alice", 20));
        let send = |at: u64, call: u64, outcome: &str| {
            [
                format!(r#""what":"called","call":{call},"request":"send","to":"bob","text":"hi","id":"a""#),
                format!(r#""what":"answered","call":{call},{outcome}"#),
            ]
            .map(|rest| format!(r#"{{"at_us":{at},"actor":"desk",{rest}}}"#))
        };
        lines.extend(send(30, 2, r#""outcome":"unknown""#));
        for rest in [
            r#""event":"message","message":7,"from":"alice","text":"hi""#,
            r#""event":"connecting""#,
            r#""event":"connect_success""#,
        ] {
            lines.push(format!(r#"{{"at_us":40,"actor":"phone","what":"told",{rest}}}"#));
        }
        lines.extend(send(50, 3, r#""outcome":"ok","message":7"#));
        lines.push(r#"{"at_us":900000000,"what":"end","settled":true}"#.to_owned());
        assert_eq!(found(&lines), (vec![], "nothing to judge"));
    }

    /// It may come with the resume, with the next start, or never to a session that is over.
    #[test]
    fn what_does_not_come_to_whoever_was_away_or_is_not_at_rest_is_no_fault() {
        let (away, back) = (r#""what":"told","event":"connecting""#, r#""what":"told","event":"connect_success""#);
        let kicked = r#""what":"told","event":"kicked_offline","by":"pad","reason":"same_platform""#;
        for bob in [&[away, back][..], &[r#""what":"process","process":"dead""#], &[kicked]] {
            assert_eq!(judged(bob, true).1, "nothing to judge", "{bob:?}");
        }
        assert_eq!(judged(&[], false), (vec![], "nothing to judge"));
    }
}
