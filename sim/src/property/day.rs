//! Daily active users: once a day, for an accepted login (DAU-1, DAU-2).

use gatecrash::id::Attempt;
use gatecrash::store::DAYS_MAX;
use gatecrash::time::WallTime;

use super::{Decision, Property, Report, Scene};
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Event, Fact, What};

const COUNT: RuleId = rule("DAU-1");

#[derive(Default)]
pub(super) struct Days {
    /// The last resume of each device that the server got, and under which of its ids.
    resumes: Vec<Option<(u16, Attempt)>>,
}

impl Days {
    /// A session that a resume made is no login (KICK-6).
    fn is_login(&self, device: DeviceIndex, installation: u16, attempt: Attempt) -> bool {
        self.resumes.get(device.index()).copied().flatten() != Some((installation, attempt))
    }
}

impl Property for Days {
    sentence!(
        "a user counts once for a day on which a login was accepted, and for nothing else",
        "DAU-1",
        "DAU-2",
        "KICK-6"
    );
    watches!("server_received");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, _: &mut Report) {
        if let What::ServerReceived { connection, peer: Some(peer), frame: ClientFrame::Resume { attempt, .. } } =
            event.what
        {
            if peer == DeviceIndex::STRANGER {
                return;
            }
            if self.resumes.len() <= peer.index() {
                self.resumes.resize(peer.index() + 1, None);
            }
            self.resumes[peer.index()] = Some((scene.server.installation(connection), attempt));
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let lag = scene.allowance.lag.as_micros() as u64;
        let today = WallTime::from_micros(decision.wall).day();
        let just_before = WallTime::from_micros(decision.wall.saturating_sub(lag)).day();
        for fact in &decision.facts {
            match *fact {
                Fact::DayCounted { user, day } => {
                    let name = scene.user(user);
                    let days = scene.server.now.user(user).map_or(&[][..], |user| &user.days);
                    let logged_in = decision.facts.iter().any(|fact| match *fact {
                        Fact::SessionAccepted { user: of, device, installation, attempt, .. } => {
                            of == user && self.is_login(device, installation, attempt)
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
                    if self.is_login(device, installation, attempt) =>
                {
                    let days = scene.server.now.user(user).map_or(&[][..], |user| &user.days);
                    let is_known = |day: u32| {
                        // The server remembers the last days only: one before them counts as counted.
                        let forgotten = days.len() >= DAYS_MAX && day < days[days.len() - DAYS_MAX];
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

    fn today() -> u32 {
        WallTime::from_seconds(START).day()
    }

    #[test]
    fn a_count_too_many_or_too_few_is_seen() {
        let story = || Story::of(Days::default());
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
        let frame = ClientFrame::Resume { attempt: attempt(1), user: ALICE.into(), epoch: 9, ticket: None };
        let story = || Story::of(Days::default()).hears(PHONE, 0, frame);
        story().commit(&[accepted(ALICE, PHONE, 1)]).holds();
        story().commit(&[accepted(ALICE, PHONE, 1), day(ALICE, today())]).breaks("DAU-1");
    }
}
