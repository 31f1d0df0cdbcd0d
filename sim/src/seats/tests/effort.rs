//! What a search costs, in states: thirty logins of one user at one instant, and one that is too hard.

use super::draw::Dice;
use super::saying::{Saying, judge, ours};
use crate::seats::{Answer, Bounds, Outcome, Reason, Span, Undecided, Why};

/// What is known of thirty logins, each from another device, that come within 100 ms and are answered within 200.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    /// Of how many of ten displaced devices the displacer is named.
    named: u64,
    /// Reasons are given.
    reasons: bool,
    /// How many calls have no known result.
    unknown: usize,
    /// Each session is known to have lived a moment after it was accepted.
    proofs: bool,
    seed: u64,
    number: usize,
}

fn crowd(shape: Crowd) -> Vec<Saying> {
    let number = shape.number;
    let dice = &mut Dice::new(shape.seed);
    let mut accepted: Vec<(u64, usize)> = Vec::new();
    let mut said: Vec<(u64, Saying)> = Vec::new();
    let mut windows = Vec::new();
    for login in 0..number {
        let call = 1_000 + dice.below(100_000);
        let at = call + 1_000 + dice.below(60_000);
        let answer = at + 1_000 + dice.below(60_000);
        accepted.push((at, login));
        windows.push((call, answer));
    }
    accepted.sort_unstable();
    let platform = |login: usize| (login % 2) as u16;
    for (place, &(at, login)) in accepted.iter().enumerate() {
        let (call, answer) = windows[login];
        let id = login as u64;
        let at_call = Span { from: call - 500, to: call + 500 };
        said.push((call, Saying::Called { login: id, device: login as u32, platform: platform(login), at: at_call }));
        let is_unknown = login < shape.unknown;
        let at_answer = Span { from: answer - 500, to: answer + 500 };
        let known = if is_unknown { Answer::Unknown } else { Answer::Accepted };
        said.push((answer, Saying::Answered { login: id, at: at_answer, answer: known }));
        let next = accepted.get(place + 1);
        if shape.proofs {
            let until = next.map_or(at + 10_000, |next| next.0);
            let lived = at + dice.below(until - at + 1);
            said.push((lived + 700, Saying::Alive { login: id, begun: lived - 700, answered: lived + 700 }));
        }
        if let Some(&(end, displacer)) = next.filter(|_| !is_unknown) {
            let told = end + 1_000 + dice.below(80_000);
            let by = Some(displacer as u32).filter(|_| dice.below(10) < shape.named);
            let same = platform(displacer) == platform(login);
            let reason = if same { Reason::SamePlatform } else { Reason::OtherPlatform };
            let reason = Some(reason).filter(|_| shape.reasons);
            let at = Span { from: told - 500, to: told + 500 };
            said.push((told, Saying::Kicked { login: id, at, by, reason }));
        }
    }
    said.sort_by_key(|(at, _)| *at);
    let mut history: Vec<Saying> = said.into_iter().map(|(_, saying)| saying).collect();
    let last = accepted[number - 1].1 as u64;
    history.push(Saying::Settled { at: 10_000_000, alive: vec![last], unseen: vec![] });
    history
}

fn shapes() -> Vec<Crowd> {
    let mut shapes = Vec::new();
    for named in [0, 5, 10] {
        for reasons in [false, true] {
            for unknown in [0, 6] {
                for proofs in [false, true] {
                    for seed in 0..4 {
                        shapes.push(Crowd { named, reasons, unknown, proofs, seed, number: 30 });
                    }
                }
            }
        }
    }
    shapes
}

fn outcome(history: &[Saying]) -> Outcome {
    judge(&ours(), Bounds { lag: u64::MAX, ..Bounds::default() }, history)
}

#[test]
fn thirty_right_logins_at_one_instant_are_explained_at_once() {
    for shape in shapes() {
        let outcome = outcome(&crowd(shape));
        assert_eq!((outcome.violations.len(), outcome.undecided.len()), (0, 0), "{shape:?}");
        assert!(outcome.states < 10_000, "{} states: {shape:?}", outcome.states);
    }
}

/// A right history with one thing changed, each so that it must be found.
fn wrong_ones(shape: Crowd) -> Vec<Vec<Saying>> {
    let right = crowd(shape);
    let kicked: Vec<usize> = (0..right.len()).filter(|at| matches!(right[*at], Saying::Kicked { .. })).collect();
    let Saying::Kicked { login, at, .. } = right[kicked[3]] else { unreachable!("it is one of those") };
    let mut lives_on = right.clone();
    lives_on.push(Saying::Alive { login, begun: at.to + 1, answered: at.to + 2 });

    let mut never_displaced = right.clone();
    never_displaced.remove(kicked[3]);
    let Some(Saying::Settled { alive, .. }) = never_displaced.last_mut() else { unreachable!("it is the last") };
    alive.push(login);

    let mut all_told = right.clone();
    let Some(Saying::Settled { alive, .. }) = all_told.last_mut() else { unreachable!("it is the last") };
    let login = alive.remove(0);
    let at = Span::at(9_000_000);
    all_told.insert(right.len() - 1, Saying::Kicked { login, at, by: None, reason: None });

    let mut one_for_two = right;
    for at in [kicked[1], kicked[2]] {
        if let Saying::Kicked { by, .. } = &mut one_for_two[at] {
            *by = Some(20);
        }
    }
    let mut histories = vec![lives_on, never_displaced, one_for_two];
    // Where nobody knows of a login whether it was accepted, it may have been the last.
    if shape.unknown == 0 {
        histories.push(all_told);
    }
    histories
}

#[test]
fn thirty_logins_at_one_instant_with_one_thing_wrong_are_found_out() {
    for shape in shapes().into_iter().filter(|shape| shape.seed == 0) {
        for (number, history) in wrong_ones(shape).into_iter().enumerate() {
            let outcome = outcome(&history);
            assert!(!outcome.violations.is_empty() && outcome.undecided.is_empty(), "{number} of {shape:?}");
            assert!(outcome.states < 250_000, "{} states: {number} of {shape:?}", outcome.states);
        }
    }
}

/// Everybody was told of another platform, so the platforms have to take turns, and there are more of the one than of the
/// other. No two logins and no counting show that; and since each may have been dormant at a moment of its own, none can
/// stand for another.
#[test]
fn what_is_too_hard_is_undecided_and_says_what_made_it_so() {
    let mut history = Vec::new();
    for login in 0..24 {
        let platform = u16::from(login < 10);
        history.push(Saying::Called { login, device: login as u32, platform, at: Span::at(10) });
        history.push(Saying::Answered { login, at: Span::at(100), answer: Answer::Accepted });
        history.push(Saying::Dormant { login, span: Span::at(20 + login) });
        if login > 0 {
            history.push(Saying::Kicked { login, at: Span::at(200), by: None, reason: Some(Reason::OtherPlatform) });
        }
    }
    let outcome = outcome(&history);
    assert_eq!(outcome.violations, []);
    let hard = Undecided { why: Why::States, from: 10, to: 200, logins: 24, unknown: 0, unnamed: 23 };
    assert_eq!(outcome.undecided, [hard]);
    assert!(outcome.states < 2 * Bounds::default().states, "{} states", outcome.states);
}
