//! One story for each way to be wrong, with the part that is blamed; and beside it the one that is nearly so.

use super::saying::{Saying, WHOLE, judge, ours, profile};
use crate::seats::{Answer, Breach, Fact, Names, OwnEnd, Profile, Reason, SeatPlan, Span, Victim, Violation, Wins};

const PHONE: u64 = 1;
const PAD: u64 = 2;
const MAC: u64 = 3;

/// A login of the device with the same number, on platform 0, but the mac's on platform 1.
fn login(login: u64, called: u64, answered: u64) -> [Saying; 2] {
    let platform = u16::from(login == MAC);
    [
        Saying::Called { login, device: login as u32, platform, at: Span::at(called) },
        Saying::Answered { login, at: Span::at(answered), answer: Answer::Accepted },
    ]
}

fn kicked(login: u64, at: u64, by: Option<u64>, reason: Option<Reason>) -> Saying {
    Saying::Kicked { login, at: Span::at(at), by: by.map(|by| by as u32), reason }
}

fn alive(login: u64, begun: u64) -> Saying {
    Saying::Alive { login, begun, answered: begun + 1 }
}

fn sentence(violation: &Violation) -> String {
    let device = |device: u32| ["", "phone", "pad", "mac", "tv"][device as usize].to_owned();
    violation.sentence(&Names { device: &device, instant: &|instant| format!("{instant}") })
}

#[track_caller]
fn blames(profile: &Profile, history: &[Saying], breach: Breach, text: &str) -> Vec<Fact> {
    let outcome = judge(profile, WHOLE, history);
    assert_eq!(outcome.undecided, []);
    let told: Vec<String> = outcome.violations.iter().map(sentence).collect();
    assert_eq!(told, [text]);
    assert_eq!(outcome.violations[0].breach, breach);
    outcome.violations[0].facts.clone()
}

#[track_caller]
fn holds(profile: &Profile, history: &[Saying]) {
    let outcome = judge(profile, WHOLE, history);
    assert_eq!((outcome.violations, outcome.undecided), (vec![], vec![]));
}

#[track_caller]
fn told(parts: &[&[Saying]]) -> Vec<Saying> {
    parts.concat()
}

/// POLICY-3, POLICY-4.
#[test]
fn two_in_one_seat_are_found_by_what_proves_that_both_live() {
    let both = told(&[&login(PHONE, 10, 12), &login(PAD, 20, 22)]);
    let facts = blames(
        &ours(),
        &told(&[&both, &[alive(PAD, 30), alive(PHONE, 40)]]),
        Breach::LivedOn,
        "phone's login was called at 10 and accepted by 12, pad's login was called at 20 and accepted by 22, phone's session still lived at 40: no order of acceptance lets that session live so long",
    );
    let windows = [Fact::Accepted { login: PHONE, at: Span::at(12) }, Fact::Accepted { login: PAD, at: Span::at(22) }];
    assert_eq!(facts[..2], windows);
    assert_eq!(facts[2..], [Fact::Alive { login: PHONE, begun: 40, answered: 41 }]);
    holds(&ours(), &told(&[&both, &[alive(PHONE, 21), alive(PAD, 30)]]));
    let seats = profile(Wins::NewestWins, SeatPlan::Groups(vec![(0, 2), (0, 1)]));
    holds(&seats, &told(&[&both, &[alive(PAD, 30), alive(PHONE, 40)]]));
    // A third one on that platform makes the oldest go.
    let third = [
        Saying::Called { login: 4, device: 4, platform: 0, at: Span::at(50) },
        Saying::Answered { login: 4, at: Span::at(52), answer: Answer::Accepted },
    ];
    holds(&seats, &told(&[&both, &third, &[alive(PAD, 60), alive(4, 60)]]));
    blames(
        &seats,
        &told(&[&both, &third, &[alive(PHONE, 60)]]),
        Breach::LivedOn,
        "phone's login was called at 10 and accepted by 12, pad's login was called at 20 and accepted by 22, tv's login was called at 50 and accepted by 52, phone's session still lived at 60: no order of acceptance lets that session live so long",
    );
    // Unless it may have been another that was dormant.
    let dormant = Saying::Dormant { login: PAD, span: Span { from: 40, to: 60 } };
    holds(&seats, &told(&[&both, &[dormant], &third, &[alive(PHONE, 60)]]));
}

/// KICK-1, KICK-2.
#[test]
fn who_was_told_was_displaced_by_somebody() {
    let history = told(&[&login(PHONE, 10, 12), &[kicked(PHONE, 15, None, None)], &login(PAD, 20, 22)]);
    blames(
        &ours(),
        &history,
        Breach::ToldOfNothing,
        "phone's login was called at 10 and accepted by 12, phone was told at 15 that it was kicked: nothing can have displaced it by then",
    );
    holds(&ours(), &told(&[&login(PHONE, 10, 12), &login(PAD, 20, 22), &[kicked(PHONE, 20, None, None)]]));
    // A login of which nobody knows what came of it may have done it.
    let unknown = [Saying::Called { login: PAD, device: 2, platform: 0, at: Span::at(14) }];
    holds(&ours(), &told(&[&login(PHONE, 10, 12), &unknown, &[kicked(PHONE, 15, None, None)]]));
}

/// KICK-4: as many as were accepted are too many, since the last one stays.
#[test]
fn no_more_are_told_than_were_displaced() {
    let both = told(&[&login(PHONE, 10, 14), &login(PAD, 11, 15)]);
    let all = [kicked(PHONE, 20, None, None), kicked(PAD, 21, None, None)];
    let facts = blames(
        &ours(),
        &told(&[&both, &all]),
        Breach::ToldTooMany,
        "phone's login was called at 10 and accepted by 14, pad's login was called at 11 and accepted by 15, phone was told at 20 that it was kicked, pad was told at 21 that it was kicked: more devices were told than can have been displaced",
    );
    assert_eq!(facts.len(), 2);
    holds(&ours(), &told(&[&both, &all, &login(MAC, 17, 18)]));
}

/// POLICY-3.
#[test]
fn the_one_that_is_named_can_have_done_it() {
    let three = told(&[&login(PHONE, 10, 12), &login(PAD, 20, 22), &login(MAC, 30, 32)]);
    blames(
        &ours(),
        &told(&[&three, &[kicked(PHONE, 40, Some(MAC), None)]]),
        Breach::NamedAnother,
        "phone's login was called at 10 and accepted by 12, pad's login was called at 20 and accepted by 22, mac's login was called at 30 and accepted by 32, phone was told at 40 that it was kicked by mac: that device cannot have displaced it",
    );
    holds(&ours(), &told(&[&three, &[kicked(PHONE, 40, Some(PAD), None)]]));
    // At one instant each order is possible.
    let three = told(&[&login(PHONE, 10, 32), &login(PAD, 10, 32), &login(MAC, 10, 32)]);
    holds(&ours(), &told(&[&three, &[kicked(PHONE, 40, Some(MAC), None), kicked(PAD, 40, Some(PHONE), None)]]));
    blames(
        &ours(),
        &told(&[&three, &[kicked(PHONE, 40, Some(MAC), None), kicked(PAD, 40, Some(MAC), None)]]),
        Breach::ToldTooMany,
        "phone's login was called at 10 and accepted by 32, pad's login was called at 10 and accepted by 32, mac's login was called at 10 and accepted by 32, phone was told at 40 that it was kicked by mac, pad was told at 40 that it was kicked by mac: more devices were told than can have been displaced",
    );
}

/// KICK-9, POLICY-3.
#[test]
fn the_reason_that_is_given_can_have_been_it() {
    let both = told(&[&login(PHONE, 10, 12), &login(MAC, 20, 22)]);
    let wrong = told(&[&both, &[kicked(PHONE, 30, None, Some(Reason::SamePlatform))]]);
    blames(
        &ours(),
        &wrong,
        Breach::WrongReason,
        "phone's login was called at 10 and accepted by 12, phone was told at 30 that it was kicked (same platform): that cannot have been the reason",
    );
    holds(&Profile { victim: Victim::Told, ..ours() }, &wrong);
    holds(&ours(), &told(&[&both, &[kicked(PHONE, 30, None, Some(Reason::OtherPlatform))]]));
    let administrator = told(&[&both, &[kicked(MAC, 30, None, Some(Reason::Administrator))]]);
    blames(
        &ours(),
        &administrator,
        Breach::WrongReason,
        "mac's login was called at 20 and accepted by 22, mac was told at 30 that it was kicked (administrator): that cannot have been the reason",
    );
    let span = Span { from: 25, to: 29 };
    holds(&ours(), &told(&[&[Saying::Administrator { at: span, sure: false }], &administrator]));
}

/// KICK-1, KICK-5.
#[test]
fn who_was_displaced_and_could_hear_of_it_was_told() {
    let both = told(&[&login(PHONE, 10, 12), &login(PAD, 20, 22)]);
    blames(
        &ours(),
        &told(&[&both, &[Saying::Heard { login: PHONE, by: 22 }]]),
        Breach::NeverTold,
        "phone's login was called at 10 and accepted by 12, pad's login was called at 20 and accepted by 22, phone would have heard of a kick at or before 22: it was displaced and never told",
    );
    holds(&ours(), &told(&[&both, &[Saying::Heard { login: PHONE, by: 21 }]]));
    holds(&Profile { victim: Victim::Silent, ..ours() }, &told(&[&both, &[Saying::Heard { login: PHONE, by: 22 }]]));
    let logout = Saying::Ended { login: PHONE, why: OwnEnd::Logout, from: 14, to: Some(19) };
    holds(&ours(), &told(&[&both, &[logout, Saying::Heard { login: PHONE, by: 22 }]]));
}

/// EVENT-1.
#[test]
fn nobody_is_told_twice() {
    let once = told(&[&login(PHONE, 10, 12), &login(PAD, 20, 22), &[kicked(PHONE, 30, None, None)]]);
    holds(&ours(), &once);
    let twice = told(&[&once, &[kicked(PHONE, 50, None, None)]]);
    blames(
        &ours(),
        &twice,
        Breach::ToldTwice,
        "phone's login was called at 10 and accepted by 12, phone was told at 30 that it was kicked, phone was told at 50 that it was kicked: a displacement is told once",
    );
}

/// LOGIN-10.
#[test]
fn a_device_replaces_its_own_session_without_a_kick() {
    let again = |login: u64, called: u64| {
        [
            Saying::Called { login, device: 1, platform: 0, at: Span::at(called) },
            Saying::Answered { login, at: Span::at(called + 2), answer: Answer::Accepted },
        ]
    };
    holds(&ours(), &told(&[&again(1, 10), &again(2, 20), &[Saying::Heard { login: 1, by: 90 }, alive(2, 95)]]));
    let history = told(&[&again(1, 10), &again(2, 20), &[kicked(1, 30, None, None)]]);
    blames(
        &ours(),
        &history,
        Breach::ToldOfNothing,
        "phone's login was called at 10 and accepted by 12, phone was told at 30 that it was kicked: nothing can have displaced it by then",
    );
    blames(
        &ours(),
        &told(&[&again(1, 10), &again(2, 20), &[alive(1, 30)]]),
        Breach::LivedOn,
        "phone's login was called at 10 and accepted by 12, phone's login was called at 20 and accepted by 22, phone's session still lived at 30: no order of acceptance lets that session live so long",
    );
}

#[test]
fn at_a_settled_end_those_hold_seats_who_say_so() {
    let both = told(&[&login(PHONE, 10, 12), &login(PAD, 20, 22)]);
    let settled = |alive: Vec<u64>, unseen: Vec<u64>| [Saying::Settled { at: 90, alive, unseen }];
    holds(&ours(), &told(&[&both, &settled(vec![PAD], vec![])]));
    holds(&ours(), &told(&[&both, &settled(vec![], vec![PAD])]));
    blames(
        &ours(),
        &told(&[&both, &settled(vec![PHONE], vec![PAD])]),
        Breach::AliveAtEnd,
        "phone's login was called at 10 and accepted by 12, pad's login was called at 20 and accepted by 22, phone is logged in at the end: no order of acceptance leaves it its seat",
    );
    blames(
        &ours(),
        &told(&[&both, &settled(vec![], vec![])]),
        Breach::GoneAtEnd,
        "phone's login was called at 10 and accepted by 12, pad's login was called at 20 and accepted by 22, pad is not logged in at the end: nothing can have ended it",
    );
}

#[test]
fn a_newcomer_is_accepted_only_where_a_seat_is_free() {
    let refused = profile(Wins::NewcomerRefused, SeatPlan::OneName);
    let both = told(&[&login(PHONE, 10, 12), &login(PAD, 20, 22)]);
    blames(
        &refused,
        &both,
        Breach::SeatsWrong,
        "phone's login was called at 10 and accepted by 12, pad's login was called at 20 and accepted by 22: no order of acceptance leaves them no more seats than there are",
    );
    let logout = Saying::Ended { login: PHONE, why: OwnEnd::Logout, from: 14, to: None };
    holds(&refused, &told(&[&both, &[logout]]));
}

#[test]
fn several_violations_of_one_user_are_told_one_by_one() {
    let history = told(&[
        &login(PHONE, 10, 12),
        &[kicked(PHONE, 15, None, None)],
        &login(PAD, 20, 22),
        &login(MAC, 30, 32),
        &[alive(PAD, 40)],
    ]);
    let outcome = judge(&ours(), WHOLE, &history);
    let breaches: Vec<Breach> = outcome.violations.iter().map(|violation| violation.breach).collect();
    assert_eq!(breaches, [Breach::ToldOfNothing, Breach::LivedOn]);
}
