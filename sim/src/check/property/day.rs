//! Daily active users: once a day, for an accepted login (DAU-1, DAU-2).

use gatecrash::time::WallTime;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::numbers::DAYS_REMEMBERED;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::Fact;

const COUNT: RuleId = rule("DAU-1");

#[derive(Default)]
pub(super) struct Days;

impl Property for Days {
    sentence!(
        Always,
        "a user counts once for a day on which a login was accepted, and for nothing else",
        "DAU-1",
        "DAU-2",
        "KICK-6"
    );
    watches!("decision");

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let lag = scene.allowance.lag.as_micros() as u64;
        let today = WallTime::from_micros(decision.wall).day();
        let just_before = WallTime::from_micros(decision.wall.saturating_sub(lag)).day();
        for fact in &decision.facts {
            match *fact {
                Fact::DayCounted { user, day, .. } => {
                    let name = scene.user(user);
                    let days = scene.server.now.user(user).map_or(&[][..], |user| &user.days);
                    let logged_in = decision.facts.iter().any(|fact| match *fact {
                        Fact::SessionAccepted { user: of, device, installation, attempt, .. } => {
                            of == user && !scene.server.is_resume(device, installation, attempt)
                        }
                        _ => false,
                    });
                    if !logged_in {
                        report.decision(COUNT, decision, format!("{name} was counted for day {day} without a login"));
                    } else if days.binary_search(&day).is_ok() {
                        report.decision(COUNT, decision, format!("{name} was counted twice for day {day}"));
                    } else if day != today && day != just_before {
                        report.decision(COUNT, decision, format!("{name} was counted for day {day} on day {today}"));
                    }
                }
                Fact::SessionAccepted { user, device, installation, attempt, .. }
                    if !scene.server.is_resume(device, installation, attempt) =>
                {
                    let days = scene.server.now.user(user).map_or(&[][..], |user| &user.days);
                    let is_known = |day: u32| {
                        // The server remembers the last days only: one before them counts as counted.
                        let forgotten = days.len() >= DAYS_REMEMBERED && day < days[days.len() - DAYS_REMEMBERED];
                        forgotten || days.binary_search(&day).is_ok()
                    };
                    let counts = |fact: &Fact| matches!(*fact, Fact::DayCounted { user: of, .. } if of == user);
                    let is_counted = decision.facts.iter().any(counts);
                    if !is_counted && !is_known(today) && !is_known(just_before) {
                        let text = format!("{} logged in on day {today} and was not counted", scene.user(user));
                        report.decision(COUNT, decision, text);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::ClientFrame;

    fn today() -> u32 {
        WallTime::from_seconds(START).day()
    }

    #[test]
    fn a_count_too_many_or_too_few_is_seen() {
        let story = || Story::of(Days);
        let first = || story().commit(&[accepted(ALICE, PHONE, 1), day(ALICE, today())]);
        first().commit(&[accepted(ALICE, PHONE2, 2)]).holds();
        story().commit(&[accepted(ALICE, PHONE, 1)]).breaks("DAU-1");
        first().commit(&[accepted(ALICE, PHONE2, 2), day(ALICE, today())]).breaks("DAU-1");
        first().commit(&[resumed(ALICE, PHONE, 1), day(ALICE, today() + 1)]).breaks("DAU-1");
        story().commit(&[accepted(ALICE, PHONE, 1), day(ALICE, today() - 1)]).breaks("DAU-1");
    }

    /// KICK-6: a resume that is accepted as a login is not counted.
    #[test]
    fn a_counted_resume_is_seen() {
        let frame =
            ClientFrame::Resume { attempt: attempt(1), user: ALICE.into(), epoch: 9, ticket: None, received: 0 };
        let story = || Story::of(Days).hears(PHONE, 0, hello()).hears(PHONE, 0, frame);
        story().commit(&[accepted(ALICE, PHONE, 1)]).holds();
        story().commit(&[accepted(ALICE, PHONE, 1), day(ALICE, today())]).breaks("DAU-1");
    }
}
