//! What is judged piece by piece comes to the same as what is judged whole, and never to more.

use std::sync::Arc;

use super::draw::{Dice, Shape, change, right};
use super::saying::{Saying, WHOLE, judge, lines, ours, profiles, tell};
use crate::seats::{Answer, Bounds, ComesBack, Seats, Span, Why};

fn long(dice: &mut Dice) -> Shape {
    Shape {
        logins: 4 + dice.below(10),
        devices: 2 + dice.below(5),
        length: 40 + dice.below(400),
        delay: 2 + dice.below(12),
        others: dice.below(4),
    }
}

/// A history that takes longer to judge is left out.
const PATIENT: Bounds = Bounds { states: 20_000, ..WHOLE };

#[test]
fn a_right_history_is_right_wherever_it_is_cut() {
    let profiles = profiles();
    // The last three were once wrong: somebody who came back, or an administrator, was forgotten at a cut.
    for seed in (0..3_000_u64).chain([3_019_579, 5_111_415, 5_142_404]) {
        let dice = &mut Dice::new(seed);
        let profile = &profiles[dice.below(profiles.len() as u64) as usize];
        let history = right(profile, long(dice), dice);
        let bounds = Bounds {
            states: [40, 500, 100_000][dice.below(3) as usize],
            worlds: 1 + dice.below(8) as usize,
            operations: [3, 6, 12, 200][dice.below(4) as usize],
            residues: 1 + dice.below(20) as usize,
            lag: dice.below(30),
        };
        let outcome = judge(profile, bounds, &history);
        assert_eq!(outcome.violations, [], "seed {seed}: {bounds:?} {profile:?}\n{}", lines(&history));
    }
}

#[test]
fn a_history_that_is_cut_is_judged_as_it_is_whole() {
    let profiles = profiles();
    let (mut same, mut missed, mut wrong) = (0, 0, 0);
    for seed in 0..2_000_u64 {
        let dice = &mut Dice::new(seed);
        let profile = &profiles[dice.below(profiles.len() as u64) as usize];
        let shape = long(dice);
        let mut history = right(profile, shape, dice);
        for _ in 0..dice.below(3) {
            change(&mut history, shape, dice);
        }
        let whole = judge(profile, PATIENT, &history);
        let cut = judge(profile, Bounds { lag: shape.delay * 3 + dice.below(20), ..PATIENT }, &history);
        if !whole.undecided.is_empty() || !cut.undecided.is_empty() {
            continue;
        }
        let text = || format!("seed {seed}: {profile:?}\n{}{:#?}", lines(&history), cut.violations);
        assert!(
            profile.comes_back == ComesBack::Login || whole.violations.is_empty() <= cut.violations.is_empty(),
            "{}",
            text()
        );
        wrong += usize::from(!whole.violations.is_empty());
        if whole.violations.is_empty() == cut.violations.is_empty() { same += 1 } else { missed += 1 }
    }
    // What is said of a session whose device has logged in again since may be forgotten.
    assert!(missed * 500 < same && wrong > 100, "{same} the same, {missed} missed, {wrong} wrong");
}

#[test]
fn what_is_kept_of_a_history_does_not_grow_with_it() {
    let mut seats = Seats::new(Arc::new(ours()), Bounds { lag: 100, ..Bounds::default() });
    for login in 0..20_000_u64 {
        let (device, now) = ((login % 5) as u32, login * 50);
        tell(&mut seats, &Saying::Called { login, device, platform: (login % 2) as u16, at: Span::at(now) });
        tell(&mut seats, &Saying::Answered { login, at: Span::at(now + 10), answer: Answer::Accepted });
        if login % 3 != 0 && login + 1 < 20_000 {
            let by = Some(((login + 1) % 5) as u32);
            tell(&mut seats, &Saying::Alive { login, begun: now + 20, answered: now + 30 });
            tell(&mut seats, &Saying::Kicked { login, at: Span::at(now + 65), by, reason: None });
        }
        assert!(seats.kept() < 100, "{} facts, logins and explanations are kept", seats.kept());
    }
    let outcome = seats.finish();
    assert_eq!((outcome.judged, outcome.violations.len(), outcome.undecided.len()), (20_000, 0, 0));
}

#[test]
fn a_crowd_that_is_too_large_is_forgotten_and_not_blamed() {
    let shape = Shape { logins: 600, devices: 500, length: 50, delay: 40, others: 300 };
    for (seed, profile) in profiles().iter().enumerate() {
        let history = right(profile, shape, &mut Dice::new(seed as u64));
        let bounds = Bounds { lag: 100, states: 2_000, ..Bounds::default() };
        let outcome = judge(profile, bounds, &history);
        assert_eq!(outcome.violations, [], "{profile:?}");
        assert!(outcome.undecided.iter().any(|undecided| undecided.why == Why::Crowd), "{:?}", outcome.undecided);
    }
}
