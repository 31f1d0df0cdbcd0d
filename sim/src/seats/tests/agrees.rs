//! A hundred thousand small histories, judged by the checker and by the naive judge; and what is blamed, judged by the naive
//! judge again.

use super::draw::{Dice, Shape, change, right};
use super::naive::explains;
use super::saying::{Saying, WHOLE, judge, lines, profiles};
use crate::seats::{Answer, Fact, Reason, Span};

fn small(dice: &mut Dice) -> Shape {
    Shape {
        logins: 2 + dice.below(4),
        devices: 2 + dice.below(5),
        length: 4 + dice.below(30),
        delay: 2 + dice.below(8),
        others: dice.below(3),
    }
}

fn is_explained(profile: &crate::seats::Profile, history: &[Saying]) -> bool {
    let outcome = judge(profile, WHOLE, history);
    assert_eq!(outcome.undecided, [], "small histories are decided");
    outcome.violations.is_empty()
}

#[test]
fn small_histories_are_judged_as_by_trying_every_order() {
    let profiles = profiles();
    let (mut right_ones, mut wrong_ones) = (0, 0);
    for seed in 0..50_000_u64 {
        let dice = &mut Dice::new(seed);
        let profile = &profiles[dice.below(profiles.len() as u64) as usize];
        let shape = small(dice);
        let mut history = right(profile, shape, dice);
        assert!(explains(profile, &history), "seed {seed}: a server did it: {profile:?}\n{}", lines(&history));
        assert!(is_explained(profile, &history), "seed {seed}: {profile:?}\n{}", lines(&history));
        for _ in 0..=dice.below(2) {
            change(&mut history, shape, dice);
        }
        let expected = explains(profile, &history);
        assert_eq!(is_explained(profile, &history), expected, "seed {seed}: {profile:?}\n{}", lines(&history));
        if expected { right_ones += 1 } else { wrong_ones += 1 }
    }
    assert!(right_ones > 10_000 && wrong_ones > 10_000, "both kinds are drawn: {right_ones} and {wrong_ones}");
}

/// What is left of a history if only these facts count.
fn part(history: &[Saying], facts: &[Fact]) -> Vec<Saying> {
    let has = |wanted: &dyn Fn(&Fact) -> bool| facts.iter().any(wanted);
    let is_told = |login: u64| has(&|fact| matches!(fact, Fact::Told { login: of, .. } if *of == login));
    let named = |login: u64| {
        facts.iter().find_map(|fact| match *fact {
            Fact::ToldBy { login: of, device } if of == login => Some(device),
            _ => None,
        })
    };
    let left = |saying: &Saying| match saying {
        Saying::Called { .. } | Saying::Back { .. } | Saying::Dormant { .. } => Some(saying.clone()),
        Saying::Answered { login, at, .. } => {
            let accepted = Fact::Accepted { login: *login, at: *at };
            let refused = Fact::Refused { login: *login, at: *at };
            let counts = facts.contains(&accepted) || facts.contains(&refused);
            counts.then(|| saying.clone())
        }
        Saying::Alive { login, begun, answered } => {
            facts.contains(&Fact::Alive { login: *login, begun: *begun, answered: *answered }).then(|| saying.clone())
        }
        Saying::Kicked { login, at, reason, .. } if is_told(*login) => {
            let given = |reason: &Reason| {
                *reason == Reason::Gone || facts.contains(&Fact::ToldFor { login: *login, reason: *reason })
            };
            Some(Saying::Kicked { login: *login, at: *at, by: named(*login), reason: reason.filter(given) })
        }
        Saying::Kicked { .. } => None,
        Saying::Ended { login, why, from, to } => {
            let (login, why) = (*login, *why);
            let counts = facts.contains(&Fact::Ended { login, why, from: *from, to: *to });
            Some(if counts { saying.clone() } else { Saying::Ended { login, why, from: 0, to: None } })
        }
        Saying::Administrator { at, sure } => {
            let counts = facts.contains(&Fact::Administrator { at: *at, sure: *sure });
            let always = Span { from: 0, to: u64::MAX };
            Some(if counts { saying.clone() } else { Saying::Administrator { at: always, sure: false } })
        }
        Saying::Heard { login, by } => {
            facts.contains(&Fact::Unheard { login: *login, by: *by }).then(|| saying.clone())
        }
        Saying::Settled { at, alive, .. } => {
            let alive: Vec<u64> = alive
                .iter()
                .copied()
                .filter(|login| facts.contains(&Fact::AliveAtEnd { login: *login, at: *at }))
                .collect();
            let is_gone = |login: &u64| facts.contains(&Fact::GoneAtEnd { login: *login, at: *at });
            let unseen = (0..20).filter(|login| !is_gone(login)).collect();
            Some(Saying::Settled { at: *at, alive, unseen })
        }
    };
    history.iter().filter_map(left).collect()
}

/// The naive judge knows that a session is gone at the end only of one that was accepted.
fn is_for_the_naive(facts: &[Fact]) -> bool {
    facts.iter().all(|fact| match fact {
        Fact::GoneAtEnd { login, .. } => {
            facts.iter().any(|other| matches!(other, Fact::Accepted { login: of, .. } if of == login))
        }
        _ => true,
    })
}

#[test]
fn what_is_blamed_cannot_be_explained_and_is_explained_without_any_one_of_its_facts() {
    let profiles = profiles();
    let mut blamed = 0;
    for seed in 0..20_000_u64 {
        let dice = &mut Dice::new(seed);
        let profile = &profiles[dice.below(profiles.len() as u64) as usize];
        let shape = small(dice);
        let mut history = right(profile, shape, dice);
        change(&mut history, shape, dice);
        let outcome = judge(profile, WHOLE, &history);
        let Some(violation) = outcome.violations.first() else { continue };
        let is_refused =
            history.iter().any(|saying| matches!(saying, Saying::Answered { answer: Answer::Refused, .. }));
        if is_refused || !is_for_the_naive(&violation.facts) {
            continue;
        }
        blamed += 1;
        let text = || format!("seed {seed}: {profile:?}\n{}{:#?}", lines(&history), violation.facts);
        assert!(!explains(profile, &part(&history, &violation.facts)), "{}", text());
        for left_out in 0..violation.facts.len() {
            let mut fewer = violation.facts.clone();
            let fact = fewer.remove(left_out);
            if is_for_the_naive(&fewer) {
                assert!(explains(profile, &part(&history, &fewer)), "without {fact:?}: {}", text());
            }
        }
    }
    assert!(blamed > 2_000, "{blamed} are blamed");
}
