//! A history as a list of what is said, so that it can be drawn, changed, told to the checker and read by the naive judge.

use std::sync::Arc;

use crate::seats::{Answer, Bounds, ComesBack, Outcome, OwnEnd, Profile, Reason, SeatPlan, Seats, Span, Victim, Wins};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    Called { login: u64, device: u32, platform: u16, at: Span },
    Answered { login: u64, at: Span, answer: Answer },
    Alive { login: u64, begun: u64, answered: u64 },
    Kicked { login: u64, at: Span, by: Option<u32>, reason: Option<Reason> },
    Ended { login: u64, why: OwnEnd, from: u64, to: Option<u64> },
    Administrator { at: Span, sure: bool },
    Heard { login: u64, by: u64 },
    Back { login: u64, device: u32, platform: u16, at: Span },
    Dormant { login: u64, span: Span },
    Settled { at: u64, alive: Vec<u64>, unseen: Vec<u64> },
}

pub(super) fn tell(seats: &mut Seats, saying: &Saying) {
    match saying {
        Saying::Called { login, device, platform, at } => seats.login_called(*login, *device, *platform, *at),
        Saying::Answered { login, at, answer } => seats.login_answered(*login, *at, *answer),
        Saying::Alive { login, begun, answered } => seats.alive(*login, *begun, *answered),
        Saying::Kicked { login, at, by, reason } => seats.told_kicked(*login, *at, *by, *reason),
        Saying::Ended { login, why, from, to } => seats.ended(*login, *why, *from, *to),
        Saying::Administrator { at, sure } => seats.administrator(*at, *sure),
        Saying::Heard { login, by } => seats.would_have_heard(*login, *by),
        Saying::Back { login, device, platform, at } => seats.came_back(*login, *device, *platform, *at),
        Saying::Dormant { login, span } => seats.dormant(*login, *span),
        Saying::Settled { at, alive, unseen } => seats.settled(*at, alive, unseen),
    }
}

pub(super) fn judge(profile: &Profile, bounds: Bounds, history: &[Saying]) -> Outcome {
    let mut seats = Seats::new(Arc::new(profile.clone()), bounds);
    for saying in history {
        tell(&mut seats, saying);
    }
    seats.finish()
}

/// Judges the whole at the end: nothing is cut.
pub(super) const WHOLE: Bounds =
    Bounds { states: 1_000_000, worlds: 64, operations: 255, residues: 1_000, lag: u64::MAX };

pub(super) fn profile(wins: Wins, seats: SeatPlan) -> Profile {
    Profile { wins, seats, comes_back: ComesBack::Resume, victim: Victim::ToldWithReason }
}

/// Two platforms that compete, each with one seat.
pub(super) fn ours() -> Profile {
    profile(Wins::NewestWins, SeatPlan::Groups(vec![(0, 1), (0, 1)]))
}

/// Every kind of promise.
pub(super) fn profiles() -> Vec<Profile> {
    let plans = [
        SeatPlan::Groups(vec![(0, 1), (0, 1)]),
        SeatPlan::Groups(vec![(0, 2), (0, 2)]),
        SeatPlan::Groups(vec![(0, 1), (1, 3)]),
        SeatPlan::OneName,
        SeatPlan::OneNameAndResource,
    ];
    let mut profiles = Vec::new();
    for seats in plans {
        for wins in [Wins::NewestWins, Wins::NewcomerRefused] {
            for comes_back in [ComesBack::Resume, ComesBack::Login] {
                for victim in [Victim::Told, Victim::ToldWithReason, Victim::Closed, Victim::Silent] {
                    // Where nobody is displaced there is no difference.
                    if wins == Wins::NewestWins || (comes_back, victim) == (ComesBack::Resume, Victim::Told) {
                        profiles.push(Profile { wins, seats: seats.clone(), comes_back, victim });
                    }
                }
            }
        }
    }
    profiles
}

/// A history, a line for each thing said.
pub(super) fn lines(history: &[Saying]) -> String {
    history.iter().map(|saying| format!("{saying:?}\n")).collect()
}
