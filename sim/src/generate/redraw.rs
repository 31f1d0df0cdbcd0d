//! The first steps of a scenario, and what follows drawn anew: what might have come of what there was by then.
//!
//! What follows begins when the step after those would have been, ends when the script ends, and spends as many events as
//! the rest of the script did, by the same accounts. Who is there, where and under which configuration is the scenario's;
//! which families of faults and actions there are is drawn anew each time, as for a seed. Everything that a world draws
//! while it runs is keyed by the scenario's seed, which stays: up to where what follows begins, the run is the same.

use std::collections::BTreeSet;

use super::author::Author;
use super::family::Families;
use super::setup::{Setup, USERS};
use super::{Profile, dense, plan, whole_micros};
use crate::generate::draw::Draw;
use crate::scenario::{Action, AppChange, Call, Scenario, TicketPlan};

/// The least that what follows may spend, in events: one episode.
const LEAST: u64 = 90;

/// Somebody of whom the generator knows nothing.
const NOBODY: &str = "nemo";

/// The scenario with its first `kept` steps, and what follows drawn anew for the `draw`th time. It expects nothing. Kept
/// whole it is what it was: nothing follows its last step.
///
/// ```
/// use gatecrash_sim::generate::{redrawn, scenario};
///
/// let seed = scenario(17);
/// let other = redrawn(&seed, 5, 0);
/// assert_eq!(other.steps[..5], seed.steps[..5]);
/// assert_eq!(other, redrawn(&seed, 5, 0));
/// assert_ne!(other.steps, redrawn(&seed, 5, 1).steps);
/// ```
///
/// # Panics
///
/// If the scenario has fewer steps.
pub fn redrawn(scenario: &Scenario, kept: usize, draw: u64) -> Scenario {
    let (first, rest) = scenario.steps.split_at(kept);
    let title = format!("{}: {kept} of {} steps, then draw {draw}", scenario.title, scenario.steps.len());
    let mut redrawn = Scenario { title, expectations: Vec::new(), ..scenario.clone() };
    let Some(next) = rest.first() else { return redrawn };

    let names = Names::of(scenario);
    let stream = |purpose: &str| Draw::new(scenario.seed, &format!("redraw {kept} {draw}"), purpose);
    let mut author = author(scenario, &names, whole_micros(scenario.until - next.at), &mut stream("families"));
    author.recall(first.iter().map(|step| (whole_micros(step.at), names.ours(&step.action))));
    author.recall_until(whole_micros(next.at));
    let spent = author.spent();
    let whole = {
        let mut author = author.clone();
        author.recall(rest.iter().map(|step| (whole_micros(step.at), names.ours(&step.action))));
        author.recall_until(whole_micros(scenario.until));
        author.spent()
    };
    author.allow((whole - spent).max(LEAST));
    author.draw = stream("script");
    plan::go_on(&mut author);

    let Author { tickets, steps, .. } = author;
    redrawn.steps.truncate(kept);
    redrawn.steps.extend(steps.into_iter().skip(kept).map(|mut step| {
        step.action = names.theirs(&step.action);
        step
    }));
    for (name, ticket) in tickets {
        let user = names.of_user(ticket.user.as_str());
        redrawn.tickets.entry(name).or_insert_with(|| TicketPlan { user: user.parse().expect("a user id"), ..ticket });
    }
    redrawn
}

/// Whoever writes on: in the scenario's places, with so much time left.
fn author(scenario: &Scenario, names: &Names, left: u64, draw: &mut Draw) -> Author {
    let mut families = Families::draw(draw);
    // What has to happen within seconds is drawn as where everything does.
    let profile = if left <= dense::SPAN.1 { Profile::Dense } else { Profile::Swarm };
    if profile == Profile::Dense && draw.chance(1, 2) {
        dense::families(draw, &mut families);
    }
    let mut app = scenario.app.clone();
    app.administrators = names.known(&app.administrators);
    let setup = Setup {
        is_soak: false,
        profile,
        budget: u64::MAX / 2,
        span: whole_micros(scenario.until),
        families,
        app,
        limits: scenario.limits.clone(),
        users: USERS[..names.0.len()].iter().map(|name| name.parse().expect("a user id")).collect(),
        sites: scenario.sites.iter().map(|(name, site)| (name.clone(), site.clone())).collect(),
        devices: scenario.devices.iter().map(|(name, device)| (name.clone(), device.clone())).collect(),
        vocabulary: None,
    };
    let mut author = Author::new(scenario.seed, setup);
    author.tickets = scenario.tickets.clone();
    author
}

/// The scenario's users. The generator has names of its own for them; it knows no more than it has names.
struct Names(Vec<String>);

impl Names {
    /// Those who log in first, then those of tickets and configuration.
    fn of(scenario: &Scenario) -> Self {
        let called = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Call { call: Call::Login { user, .. }, .. } | Action::On { call: Call::Login { user, .. }, .. } => {
                Some(user.as_str())
            }
            _ => None,
        });
        let called = called.filter(|user| user.parse::<gatecrash::id::UserId>().is_ok());
        let others = scenario.tickets.values().map(|ticket| ticket.user.as_str());
        let others = others.chain(scenario.app.administrators.iter().map(|user| user.as_str()));
        let mut users: Vec<String> = Vec::new();
        for user in called.chain(others).chain([USERS[0]]) {
            if users.len() < USERS.len() && !users.iter().any(|known| known == user) {
                users.push(user.to_owned());
            }
        }
        Names(users)
    }

    /// What the generator calls somebody.
    fn our_name(&self, theirs: &str) -> String {
        match self.0.iter().position(|user| user == theirs) {
            Some(place) => USERS[place].to_owned(),
            None if USERS.contains(&theirs) => NOBODY.to_owned(),
            None => theirs.to_owned(),
        }
    }

    /// Whom it means by that.
    fn of_user(&self, ours: &str) -> String {
        let place = USERS.iter().position(|user| *user == ours);
        place.and_then(|place| self.0.get(place)).map_or_else(|| ours.to_owned(), Clone::clone)
    }

    fn known(&self, users: &BTreeSet<gatecrash::id::UserId>) -> BTreeSet<gatecrash::id::UserId> {
        users.iter().map(|user| self.our_name(user.as_str()).parse().expect("a user id")).collect()
    }

    fn ours(&self, action: &Action) -> Action {
        renamed(action, |user| self.our_name(user))
    }

    fn theirs(&self, action: &Action) -> Action {
        renamed(action, |user| self.of_user(user))
    }
}

fn renamed(action: &Action, name: impl Fn(&str) -> String) -> Action {
    let mut action = action.clone();
    match &mut action {
        Action::Call { call, .. } | Action::On { call, .. } => match call {
            Call::Login { user, .. } | Call::Kick { user } => *user = name(user),
            Call::Send { to, .. } => *to = name(to),
            Call::Query { users } => users.iter_mut().for_each(|user| *user = name(user)),
            Call::Init | Call::Uninit | Call::Logout | Call::Conversations | Call::NetworkChanged => {}
        },
        Action::App(AppChange::Administrators(users)) => {
            *users = users.iter().map(|user| name(user.as_str()).parse().expect("a user id")).collect();
        }
        Action::App(_) | Action::Raw { .. } | Action::Fault(_) => {}
    }
    action
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{self, Seed};
    use crate::trace::render::{self, View};
    use crate::world::World;

    fn file(name: &str) -> Scenario {
        let path = format!("{}/../scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Scenario::parse(&path, &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"))
    }

    /// Seeds of each profile, and files, one with other users than seeds have.
    fn some() -> Vec<Scenario> {
        let seeds = [0_u64, 12, 17, 40].map(generate::scenario).into_iter();
        let others = Profile::ALL.map(|profile| generate::scenario(Seed { profile, number: 3 })).into_iter();
        let files = ["kick_reaches_a_device_that_was_offline", "scale/a_thousand_devices_on_eight_sites"].map(file);
        seeds.chain(others).chain(files).collect()
    }

    #[test]
    fn what_is_drawn_is_a_scenario_that_a_file_can_hold() {
        for scenario in some() {
            let steps = scenario.steps.len();
            for kept in [0, 1, steps / 2, steps - 1] {
                for draw in 0..3 {
                    let redrawn = redrawn(&scenario, kept, draw);
                    assert_eq!(redrawn.steps[..kept], scenario.steps[..kept]);
                    let begins = scenario.steps[kept].at;
                    assert!(redrawn.steps[kept..].iter().all(|step| step.at >= begins), "{}", redrawn.title);
                    if let Err(diagnosis) = Scenario::parse("redrawn.toml", &redrawn.to_string()) {
                        panic!("{}\n{diagnosis}", redrawn.title);
                    }
                    assert!(redrawn.reads_back(), "{}", redrawn.title);
                }
            }
            let whole = redrawn(&scenario, steps, 7);
            assert_eq!(whole.steps, scenario.steps, "nothing follows the last step");
        }
    }

    /// What is drawn decides nothing that was before it: a run is the same until then.
    #[test]
    fn a_run_is_the_same_until_what_follows_begins() {
        let story = |scenario: &Scenario, until: gatecrash::time::Instant| {
            let run = crate::run(scenario, World::Event).unwrap_or_else(|error| panic!("{}: {error}", scenario.title));
            let rows = render::rows(&run.trace, View::Story).into_iter();
            let rows = rows.filter(|row| run.trace.events[row.position].at < until);
            // A sign of life is told where it is lost, which shows later.
            let rows = rows.filter(|row| !row.what.contains("heartbeat"));
            rows.map(|row| format!("{} {} {}", run.trace.events[row.position].at, row.who, row.what))
                .collect::<Vec<_>>()
        };
        for scenario in [0_u64, 12, 17].map(generate::scenario) {
            let kept = scenario.steps.len() / 2;
            let until = gatecrash::time::Instant::from_micros(whole_micros(scenario.steps[kept].at));
            let before = story(&scenario, until);
            assert!(!before.is_empty());
            for draw in 0..3 {
                assert_eq!(before, story(&redrawn(&scenario, kept, draw), until), "{}", scenario.title);
            }
        }
    }

    #[test]
    fn users_have_their_own_names_again() {
        let mut scenario = file("kick_reaches_a_device_that_was_offline");
        for step in &mut scenario.steps {
            step.action =
                renamed(&step.action, |user| if user == "alice" { "zoe".to_owned() } else { user.to_owned() });
        }
        scenario.expectations.clear();
        let mut logins = 0;
        for draw in 0..20 {
            for step in &redrawn(&scenario, 1, draw).steps {
                if let Action::Call { call: Call::Login { user, .. }, .. } = &step.action {
                    logins += 1;
                    let is_known =
                        ["zoe", "alice"].contains(&user.as_str()) || user.parse::<gatecrash::id::UserId>().is_err();
                    assert!(is_known, "{user}");
                }
            }
        }
        assert!(logins > 20, "{logins}");
    }
}
