//! Histories that are right, that are wrong, and that say nothing; and what no history may do.

use super::*;
use crate::generate::{self, Profile, Seed};
use crate::world::event;

const HEAD: &str =
    r#"{"history":1,"system":"acme-im","policy":"dual","observes":["calls","events","status","process"],"skew":"5ms"}"#;

/// One line of a history: when, in milliseconds, who, and the rest.
pub(super) fn line(at: u64, who: &str, rest: &str) -> String {
    format!(r#"{{"at_us":{},"actor":"{who}",{rest}}}"#, at * 1_000)
}

/// A device that logs in as alice, from one millisecond to another.
pub(super) fn login(who: &str, platform: &str, from: u64, to: u64) -> Vec<String> {
    let call = format!(r#""what":"called","call":{from},"request":"login","user":"alice","platform":"{platform}""#);
    vec![
        line(from, who, &call),
        line(from, who, r#""what":"status","status":"LOGINING""#),
        line(from, who, r#""what":"told","event":"connecting""#),
        line(to, who, r#""what":"status","status":"LOGINED","login_user":"alice""#),
        line(to, who, r#""what":"told","event":"connect_success""#),
        line(to, who, &format!(r#""what":"answered","call":{from},"outcome":"ok""#)),
    ]
}

fn kicked(who: &str, at: u64, by: &str, reason: &str) -> Vec<String> {
    vec![
        line(at, who, r#""what":"status","status":"LOGOUT""#),
        line(at, who, &format!(r#""what":"told","event":"kicked_offline","by":"{by}","reason":"{reason}""#)),
    ]
}

/// All lines, by their instants.
pub(super) fn in_order(parts: &[Vec<String>]) -> Vec<String> {
    let mut lines: Vec<String> = parts.concat();
    lines.sort_by_key(|line| line[9..].split(',').next().and_then(|at| at.parse::<u64>().ok()));
    lines
}

fn judged(parts: &[Vec<String>]) -> Judgement {
    let lines = in_order(parts);
    judge_text(&format!("{HEAD}\n{}\n{{\"at_us\":900000000,\"what\":\"end\",\"settled\":true}}\n", lines.join("\n")))
}

pub(super) fn told(judgement: &Judgement) -> Vec<(&str, &str)> {
    assert_eq!(judgement.mistakes, []);
    judgement.breaches.iter().map(|breach| (breach.rule.as_str(), breach.text.as_str())).collect()
}

#[test]
fn a_phone_that_takes_the_seat_of_another_is_right() {
    let judgement = judged(&[
        login("phone-1", "android", 1_000, 1_100),
        login("phone-2", "ios", 2_000, 2_100),
        kicked("phone-1", 2_150, "phone-2", "other_platform"),
    ]);
    assert_eq!(told(&judgement), []);
    assert_eq!(judgement.verdict(), Verdict::Holds);
    for rule in ["POLICY-3", "POLICY-4", "KICK-1", "KICK-9", "EVENT-1", "LOGIN-6", "CONN-3"] {
        assert!(matches!(judgement.answer(rule), Some(Answer::Holds { .. })), "{rule}: {:?}", judgement.answer(rule));
    }
    assert_eq!(judgement.answer("SWITCH-2"), Some(&Answer::NothingToJudge));
    let lacks = Channels::of(&[Channel::Frames, Channel::Server]);
    assert_eq!(judgement.answer("ATT-1"), Some(&Answer::NotObserved { lacks }));
    let lacks = Channels::of(&[Channel::Tickets]);
    assert_eq!(judgement.answer("TICKET-2"), Some(&Answer::NotObserved { lacks }));
}

#[test]
fn a_victim_that_is_never_told_is_found() {
    let judgement = judged(&[login("phone-1", "android", 1_000, 1_100), login("phone-2", "ios", 2_000, 2_100)]);
    let rules: Vec<&str> = judgement.breaches.iter().map(|breach| breach.rule.as_str()).collect();
    assert!(rules.contains(&"KICK-1"), "{rules:?}");
    assert_eq!(judgement.verdict(), Verdict::Violated);
}

#[test]
fn a_kick_by_nobody_and_a_kick_told_twice_are_found() {
    let first = login("phone-1", "android", 1_000, 1_100);
    let up = vec![line(500, "phone-2", r#""what":"process","process":"up""#)];
    let judgement = judged(&[up, first.clone(), kicked("phone-1", 2_150, "phone-2", "other_platform")]);
    assert_eq!(judgement.breaches[0].rule.as_str(), "KICK-1");
    // A device of which the history has nothing has its own.
    let judgement = judged(&[first.clone(), kicked("phone-1", 2_150, "phone-2", "other_platform")]);
    assert_eq!(judgement.verdict(), Verdict::Undecided);
    let judgement = judged(&[
        first,
        login("phone-2", "ios", 2_000, 2_100),
        kicked("phone-1", 2_150, "phone-2", "other_platform"),
        kicked("phone-1", 2_900, "phone-2", "other_platform"),
    ]);
    assert_eq!(told(&judgement), [("EVENT-1", "kicked_offline was told, after a kick of the same session")]);
}

#[test]
fn what_a_device_does_by_itself_after_a_kick_is_found() {
    let judgement = judged(&[
        login("phone-1", "android", 1_000, 1_100),
        login("phone-2", "ios", 2_000, 2_100),
        kicked("phone-1", 2_150, "phone-2", "other_platform"),
        vec![line(2_200, "phone-1", r#""what":"told","event":"connecting""#)],
    ]);
    assert_eq!(told(&judgement), [("KICK-4", "connecting was told after its kick")]);
}

#[test]
fn a_session_that_is_gone_and_nobody_says_why_is_found() {
    let judgement = judged(&[
        login("phone-1", "android", 1_000, 1_100),
        vec![line(3_000, "phone-1", r#""what":"status","status":"LOGOUT""#)],
        vec![line(4_000, "phone-1", r#""what":"called","call":9,"request":"conversations""#)],
    ]);
    let text = "the status became LOGOUT, nobody had asked for that, and no event said why";
    assert_eq!(told(&judgement), [("CONN-1", text)]);
}

#[test]
fn calls_out_of_place_are_judged_by_their_codes() {
    let call = |at: u64, call: u64, request: &str, outcome: &str| {
        vec![
            line(at, "phone-1", &format!(r#""what":"called","call":{call},{request}"#)),
            line(at, "phone-1", &format!(r#""what":"answered","call":{call},{outcome}"#)),
        ]
    };
    let up = vec![line(0, "phone-1", r#""what":"process","process":"up""#)];
    let early = call(1, 1, r#""request":"send","to":"bob""#, r#""outcome":"ok","message":3"#);
    let of_another = vec![
        line(0, "phone-2", r#""what":"called","call":1,"request":"init","platform":"ios""#),
        line(0, "phone-2", r#""what":"answered","call":1,"outcome":"ok""#),
    ];
    let judgement = judged(&[of_another, up.clone(), early]);
    let text = "send was answered ok: it has to be refused with [6013] the SDK is not initialised, for the SDK was not initialised";
    assert_eq!(told(&judgement), [("INIT-1", text)]);
    let judgement = judged(&[
        up,
        call(1, 1, r#""request":"init","platform":"android""#, r#""outcome":"ok""#),
        call(2, 2, r#""request":"init","platform":"android""#, r#""outcome":"failed","code":6015"#),
        call(3, 3, r#""request":"logout""#, r#""outcome":"failed","code":6014"#),
    ]);
    assert_eq!(told(&judgement), []);
    assert_eq!(judgement.answer("INIT-4"), Some(&Answer::Holds { judged: 1 }));
    assert_eq!(judgement.answer("LOGOUT-4"), Some(&Answer::Holds { judged: 1 }));
}

#[test]
fn nothing_judged_is_never_green() {
    let verdict = |history: &str| judge_text(history).verdict();
    assert_eq!(verdict(""), Verdict::Unreadable);
    let head = r#"{"history":1,"system":"x","observes":["calls"]}"#;
    assert_eq!(verdict(head), Verdict::NothingJudged);
    let end = r#"{"at_us":5,"what":"end","settled":true}"#;
    assert_eq!(verdict(&format!("{head}\n{end}\n")), Verdict::NothingJudged);
    let mut lines = login("phone-1", "android", 1_000, 1_100);
    lines.insert(0, HEAD.to_owned());
    assert_eq!(verdict(&lines.join("\n")), Verdict::NotSettled);
    lines.push(r#"{"at_us":9000000,"what":"end","settled":false}"#.to_owned());
    assert_eq!(verdict(&lines.join("\n")), Verdict::NotSettled);
}

#[test]
fn seats_of_whom_nobody_says_the_platform_are_undecided() {
    let lines = [
        HEAD,
        r#"{"at_us":1,"actor":"phone","what":"called","call":1,"request":"login","user":"alice"}"#,
        r#"{"at_us":1,"actor":"phone","what":"status","status":"LOGINING"}"#,
        r#"{"at_us":2,"actor":"phone","what":"told","event":"connecting"}"#,
        r#"{"at_us":2,"actor":"phone","what":"status","status":"LOGINED","login_user":"alice"}"#,
        r#"{"at_us":2,"actor":"phone","what":"told","event":"connect_success"}"#,
        r#"{"at_us":2,"actor":"phone","what":"answered","call":1,"outcome":"ok"}"#,
        r#"{"at_us":9,"what":"end","settled":true}"#,
    ];
    let judgement = judge_text(&lines.join("\n"));
    assert_eq!(judgement.verdict(), Verdict::Undecided);
    let why = "the order of seats: a device logged in, and nothing says on which platform it is";
    assert_eq!(judgement.undecided, [why]);
}

#[test]
fn a_login_without_a_result_may_have_been_accepted_or_not() {
    let mut cut = login("phone-2", "ios", 2_000, 2_100);
    cut.truncate(3);
    let judgement = judged(&[login("phone-1", "android", 1_000, 1_100), cut.clone()]);
    assert_eq!(told(&judgement), []);
    let judgement = judged(&[
        login("phone-1", "android", 1_000, 1_100),
        cut,
        kicked("phone-1", 2_150, "phone-2", "other_platform"),
    ]);
    assert_eq!(told(&judgement), []);
}

/// An SDK that refuses to leave while it comes in: the login goes on, and its session is one like any other.
#[test]
fn a_logout_that_is_refused_beside_a_login_ends_nothing() {
    let mut refused = login("phone-1", "android", 1_000, 1_100);
    refused.push(line(1_010, "phone-1", r#""what":"called","call":7,"request":"logout""#));
    refused.push(line(1_020, "phone-1", r#""what":"answered","call":7,"outcome":"failed","code":6014"#));
    let lines =
        |told: Vec<String>| in_order(&[refused.clone(), login("phone-2", "ios", 2_000, 2_100), told]).join("\n");
    let head = HEAD.replace(r#""policy""#, r#""codes":"own","limits":{"told":"2s"},"policy""#);
    let judged = |told| {
        let lines = lines(told);
        judge_text(&format!("{head}\n{lines}\n{{\"at_us\":900000000,\"what\":\"end\",\"settled\":true}}\n"))
    };
    let right = judged(kicked("phone-1", 2_150, "phone-2", "other_platform"));
    assert_eq!((told(&right), right.verdict()), (vec![], Verdict::Holds));
    assert_eq!(right.undecided, [""; 0]);
    // Else it lives on in the seat of another.
    let wrong = judged(vec![]);
    let found = told(&wrong).into_iter().map(|(rule, text)| (rule, text.ends_with("leaves it its seat")));
    assert_eq!(found.collect::<Vec<_>>(), [("POLICY-4", true)]);
}

/// The status that followed says that the device took it for over, so that the next call is a login for sure.
#[test]
fn a_login_without_a_result_that_was_logged_out_since_leaves_no_doubt_about_the_next() {
    let unknown = |is_out: bool| {
        let call = r#""what":"called","call":1000,"request":"login","user":"alice","platform":"android""#;
        let lines = [
            (1_000, call),
            (1_000, r#""what":"status","status":"LOGINING""#),
            (1_500, r#""what":"status","status":"LOGOUT""#),
            (1_600, r#""what":"answered","call":1000,"outcome":"unknown""#),
        ];
        let seen = lines.into_iter().filter(|(at, _)| is_out || *at != 1_500);
        seen.map(|(at, rest)| line(at, "phone-1", rest)).collect::<Vec<_>>()
    };
    let undecided = |is_out| {
        let judgement = judged(&[unknown(is_out), login("phone-1", "android", 2_000, 2_100)]);
        assert_eq!(told(&judgement), []);
        judgement.undecided
    };
    assert_eq!(undecided(false), ["the order of seats: whether a call was a login or a renewal cannot be told"]);
    assert_eq!(undecided(true), [""; 0]);
}

/// What somebody outside sees of seeds of the unbroken system raises no alarm.
#[test]
fn no_seed_raises_an_alarm_through_either_keyhole() {
    let some = Channels::of(&[Channel::Calls, Channel::Events]);
    let more = Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process, Channel::Link]);
    let mut judged = 0;
    for number in 0..200 {
        let scenario = generate::scenario(Seed { profile: Profile::Swarm, number });
        for observes in [some, more] {
            let (_, peephole) = event::watch(&scenario, Peephole::new(&scenario, observes)).expect("every seed runs");
            let judgement = peephole.finish();
            assert_eq!(judgement.breaches, [], "seed {number}, {observes}");
            judged += judgement.answers.iter().filter(|(_, answer)| matches!(answer, Answer::Holds { .. })).count();
        }
    }
    assert!(judged > 2_000, "of each seed several rules are judged: {judged}");
}

/// The table for people is what the code says.
#[test]
fn the_table_in_the_documents_is_what_is_judged() {
    let document = include_str!("../../../docs/properties.md");
    let (_, after) = document.split_once("## From outside").expect("the document has the section");
    let rows: Vec<&str> = after.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows, table());
}

/// A history of what was called and told, and nothing else.
fn of_calls_and_events(lines: &[String]) -> Judgement {
    let head =
        r#"{"history":1,"system":"acme-im","policy":"dual","max_instances":{"web":1},"observes":["calls","events"]}"#;
    judge_text(&format!("{head}\n{}\n{}\n", lines.join("\n"), r#"{"at_us":900000000,"what":"end","settled":false}"#))
}

pub(super) fn calls(who: &str, at: u64, call: u64, request: &str) -> String {
    line(at, who, &format!(r#""what":"called","call":{call},{request}"#))
}

pub(super) fn answers(who: &str, at: u64, call: u64, outcome: &str) -> String {
    line(at, who, &format!(r#""what":"answered","call":{call},{outcome}"#))
}

const OF_ALICE: &str = r#""request":"login","user":"alice","platform":"web""#;
pub(super) const OK: &str = r#""outcome":"ok""#;

/// A ticket that is issued as the history begins, at second 1,000, for so many seconds.
pub(super) fn issued(ticket: &str, user: &str, at: u64, ttl: u64) -> String {
    let issued = 1_000 + at / 1_000;
    let rest = format!(r#""what":"ticket_made","ticket":"{ticket}","user":"{user}","issued":{issued},"ttl":{ttl}"#);
    line(at, "issuer", &rest)
}

/// A login of alice with a ticket on phone-1, and its result after 50 ms. Its instant is its number.
pub(super) fn brings(ticket: &str, at: u64, outcome: &str) -> Vec<String> {
    let request = format!(r#""request":"login","user":"alice","platform":"android","ticket":"{ticket}""#);
    vec![calls("phone-1", at, at, &request), answers("phone-1", at + 50, at, outcome)]
}

/// A result that failed with this code.
pub(super) fn failed(code: u32) -> String {
    format!(r#""outcome":"failed","code":{code}"#)
}

/// SWITCH-2: an attempt that was told of was not refused by the SDK, and so the account before is left.
#[test]
fn a_switch_that_the_server_refused_has_left_the_account_before() {
    let of_bob = r#""request":"login","user":"bob","platform":"web""#;
    let refused = r#""outcome":"failed","code":70003"#;
    let history = |bobs: &[String]| {
        let first = [
            calls("page-1", 0, 0, r#""request":"init","platform":"web""#),
            answers("page-1", 0, 0, OK),
            calls("page-1", 1_000, 1, OF_ALICE),
            answers("page-1", 1_100, 1, OK),
        ];
        let other = [
            calls("page-2", 4_000, 1, OF_ALICE),
            answers("page-2", 4_100, 1, OK),
            calls("page-1", 6_000, 3, OF_ALICE),
            answers("page-1", 6_100, 3, OK),
            line(6_150, "page-2", r#""what":"told","event":"kicked_offline","by":"page-1","reason":"same_platform""#),
        ];
        let switch = [calls("page-1", 2_000, 2, of_bob)];
        let lines = [&first[..], &switch, bobs, &[answers("page-1", 2_200, 2, refused)], &other].concat();
        of_calls_and_events(&lines)
    };
    let tried = line(2_001, "page-1", r#""what":"told","event":"connecting","user":"bob""#);
    assert_eq!(told(&history(&[tried])), []);
    // Refused by the SDK itself it changed nothing: then the call at 6 s is a renewal, and displaces nobody.
    assert!(told(&history(&[])).iter().any(|(rule, _)| rule.starts_with("KICK") || rule.starts_with("POLICY")));
}

/// INIT-1, KICK-1: an `init` that was refused says that the SDK runs, and one that is not refused after it, that another one does.
#[test]
fn an_init_that_is_not_refused_any_more_is_that_of_another_process() {
    let init = r#""request":"init","platform":"web""#;
    let judgement = of_calls_and_events(&[
        calls("page-1", 0, 1, init),
        answers("page-1", 0, 1, OK),
        calls("page-1", 1_000, 2, OF_ALICE),
        answers("page-1", 1_100, 2, OK),
        calls("page-1", 2_000, 3, init),
        answers("page-1", 2_000, 3, r#""outcome":"failed","code":6015"#),
        // It was killed, and nobody says so.
        calls("page-1", 60_000, 4, init),
        answers("page-1", 60_000, 4, OK),
        calls("page-2", 60_001, 1, OF_ALICE),
        calls("page-1", 60_002, 5, OF_ALICE),
        answers("page-2", 60_100, 1, OK),
        answers("page-1", 60_110, 5, OK),
        line(60_120, "page-2", r#""what":"told","event":"kicked_offline","by":"page-1","reason":"same_platform""#),
    ]);
    assert_eq!(told(&judgement), []);
}

/// POLICY-4: a session whose device died before it was told of it may be dormant, and goes before an older one.
#[test]
fn a_session_that_nobody_was_told_of_may_be_dormant() {
    let head = r#"{"history":1,"system":"acme-im","policy":"dual","max_instances":{"web":2},"observes":["calls","events","status","process"]}"#;
    let page_2 = login("page-2", "web", 2_000, 2_100);
    let lines = [
        login("page-0", "web", 500, 600),
        login("page-1", "web", 1_000, 1_100),
        // It is accepted: whoever it displaces is told. Its process does not learn so.
        page_2[..3].to_vec(),
        kicked("page-0", 2_040, "page-2", "same_platform"),
        vec![line(2_050, "page-2", r#""what":"process","process":"dead""#)],
        login("page-3", "web", 200_000, 200_100),
        // Which one has gone shows here.
        vec![
            calls("page-1", 201_000, 201_000, r#""request":"send","to":"bob","text":"hi""#),
            answers("page-1", 201_100, 201_000, OK),
        ],
    ];
    let history =
        format!("{head}\n{}\n{}\n", lines.concat().join("\n"), r#"{"at_us":900000000,"what":"end","settled":false}"#);
    assert_eq!(told(&judge_text(&history)), []);
}

/// KICK-1: who is displaced, can reach the server, and is only sent away, was never told.
#[test]
fn a_victim_that_is_closed_and_let_try_for_ever_is_found_or_open() {
    let history = |more: &str, code: &str| {
        let head = format!(r#"{{"history":1,"system":"acme-im","policy":"dual",{more}}}"#);
        let tries = |at| {
            let failed = format!(r#""what":"told","event":"connect_failed"{code}"#);
            vec![line(at, "phone-1", r#""what":"told","event":"connecting""#), line(at + 100, "phone-1", &failed)]
        };
        let lines = [
            login("phone-1", "android", 1_000, 1_100),
            login("phone-2", "ios", 4_000, 4_100),
            tries(4_200),
            tries(5_200),
            vec![r#"{"at_us":900000000,"what":"end","settled":true}"#.to_owned()],
        ];
        judge_text(&format!("{head}\n{}\n", lines.concat().join("\n")))
    };
    let seen = r#""observes":["calls","events","status","process","link"]"#;
    assert!(told(&history(seen, r#","code":9508"#)).iter().any(|(rule, _)| *rule == "KICK-1"));
    // VERSION-1: an SDK that is too old for the server stays away.
    let old = history(seen, r#","code":7013"#);
    assert_eq!((told(&old), old.verdict()), (vec![], Verdict::Holds));
    // Whether it has a network, or given up, is not said.
    for (more, code) in [
        (r#""observes":["calls","events","status","process"]"#.to_owned(), r#","code":9508"#),
        (format!(r#"{seen},"codes":"own""#), r#","code":4"#),
    ] {
        let open = history(&more, code);
        assert_eq!((told(&open), open.verdict()), (vec![], Verdict::Undecided));
    }
}

/// INIT-1: a system in whose history nobody calls `init` has no such call.
#[test]
fn a_system_without_init_is_not_held_to_it() {
    let up = |who: &str| vec![line(0, who, r#""what":"process","process":"up""#)];
    let judgement = judged(&[
        up("phone-1"),
        up("phone-2"),
        login("phone-1", "android", 1_000, 1_100),
        // A login of the user who is logged in renews the session.
        vec![
            calls("phone-1", 1_500, 7, r#""request":"login","user":"alice","platform":"android""#),
            answers("phone-1", 1_600, 7, OK),
        ],
        login("phone-2", "ios", 2_000, 2_100),
        kicked("phone-1", 2_150, "phone-2", "other_platform"),
    ]);
    assert_eq!((told(&judgement), judgement.verdict()), (vec![], Verdict::Holds));
    assert_eq!(judgement.answer("INIT-1"), Some(&Answer::NothingToJudge));
}

/// A head with these fields, these lines, and an end at 900 s that says that all is at rest.
pub(super) fn ends_settled(fields: &str, lines: &[Vec<String>]) -> Judgement {
    let head = format!(r#"{{"history":1,"system":"acme-im","policy":"dual",{fields}}}"#);
    let end = r#"{"at_us":900000000,"what":"end","settled":true}"#;
    judge_text(&format!("{head}\n{}\n{end}\n", lines.concat().join("\n")))
}

fn tries(who: &str, from: u64, to: u64) -> Vec<String> {
    let failed = r#""what":"told","event":"connect_failed","code":9508"#;
    vec![line(from, who, r#""what":"told","event":"connecting""#), line(to, who, failed)]
}

/// CONN-2: of a session whose link is lost an attempt takes 10 s at most, and 30 s and a fifth more than the back-off pass
/// between two.
#[test]
fn attempts_that_take_too_long_or_never_come_are_found() {
    let history = |parts: &[Vec<String>]| {
        let fields = r#""observes":["calls","events","status","process"],"limits":{"connect_timeout":"10s","back_off_max":"50s"}"#;
        let back = vec![
            line(800_000, "phone-1", r#""what":"told","event":"connecting""#),
            line(800_100, "phone-1", r#""what":"told","event":"connect_success""#),
        ];
        let lines = [&[login("phone-1", "android", 1_000, 1_100)][..], parts, &[back]].concat();
        ends_settled(fields, &lines)
    };
    let far = |from: u64, to: u64, apart: u64| {
        let mut at = from;
        let mut parts = Vec::new();
        while at + to < 800_000 {
            parts.push(tries("phone-1", at, at + to));
            at += apart;
        }
        parts
    };
    assert_eq!(told(&history(&far(700_000, 9_000, 60_000))), []);
    assert_eq!(told(&history(&far(770_000, 10_050, 11_000))), []);
    assert_eq!(told(&history(&far(700_000, 12_000, 99_000)))[0].0, "CONN-2");
    assert_eq!(told(&history(&far(500_000, 100, 120_000)))[0].0, "CONN-2");
}

/// DUR-3, KICK-2: an epoch is higher than those that were known when its login was called, and an end names its session's.
#[test]
fn epochs_that_go_back_and_ends_of_others_are_found() {
    let with = |epoch: u64, lines: Vec<String>| {
        let lines = lines.into_iter();
        let numbered =
            lines.map(|line| line.replace(r#"success""#, &format!(r#"success","user":"alice","epoch":{epoch}"#)));
        numbered.collect::<Vec<String>>()
    };
    let history = |first: u64, second: u64, ended: u64| {
        let kick = kicked("phone-1", 2_150, "phone-2", "other_platform");
        let kick = kick.into_iter().map(|line| line.replace(r#""by""#, &format!(r#""epoch":{ended},"by""#)));
        judged(&[
            with(first, login("phone-1", "android", 1_000, 1_100)),
            with(second, login("phone-2", "ios", 2_000, 2_100)),
            kick.collect(),
        ])
    };
    assert_eq!(told(&history(4, 5, 4)), []);
    assert_eq!(told(&history(4, 4, 4))[0].0, "DUR-3");
    assert_eq!(told(&history(4, 3, 4))[0].0, "DUR-3");
    assert_eq!(told(&history(4, 5, 5))[0].0, "KICK-2");
}

/// ADMIN-1
#[test]
fn a_ticket_that_an_administrator_voided_and_that_lets_somebody_in_is_found() {
    let history = |ticket: &str, reason: &str| {
        let request =
            |ticket: &str| format!(r#""request":"login","user":"alice","platform":"android","ticket":"{ticket}""#);
        of_calls_and_events(&[
            calls("phone-1", 1_000, 1, &request("one")),
            answers("phone-1", 1_100, 1, OK),
            line(2_000, "phone-1", &format!(r#""what":"told","event":"kicked_offline","reason":"{reason}""#)),
            calls("phone-1", 3_000, 2, &request(ticket)),
            answers("phone-1", 3_100, 2, OK),
        ])
    };
    let found = |judgement: Judgement| told(&judgement).iter().any(|(rule, _)| *rule == "ADMIN-1");
    assert!(found(history("one", "administrator")));
    assert!(!found(history("two", "administrator")));
    assert!(!found(history("one", "gone")));
}

/// PRES-1, PRES-2
#[test]
fn a_presence_that_is_not_the_devices_is_found() {
    let fields = r#""observes":["calls","events","status","process","presence"]"#;
    let shown = |at, presence: &str, sequence: u64| {
        let rest = format!(r#""what":"presence","user":"alice","presence":"{presence}","sequence":{sequence}"#);
        vec![line(at, "watcher", &rest)]
    };
    let up = vec![line(0, "phone-1", r#""what":"process","process":"up""#)];
    let inside = || vec![up.clone(), login("phone-1", "android", 1_000, 1_100)];
    let stays = |presence| ends_settled(fields, &[inside(), vec![shown(1_200, presence, 1)]].concat());
    assert_eq!(told(&stays("online")), []);
    assert_eq!(told(&stays("offline"))[0].0, "PRES-1");
    // Whoever is never shown may not be watched.
    assert_eq!(told(&ends_settled(fields, &inside())), []);
    let leaves = |presence| {
        let logout = vec![
            calls("phone-1", 2_000, 9_000, r#""request":"logout""#),
            line(2_100, "phone-1", r#""what":"status","status":"LOGOUT""#),
            answers("phone-1", 2_100, 9_000, OK),
        ];
        ends_settled(fields, &[inside(), vec![shown(1_200, "online", 1), logout, shown(2_200, presence, 2)]].concat())
    };
    assert_eq!(told(&leaves("offline")), []);
    assert_eq!(told(&leaves("online"))[0].0, "PRES-2");
}

/// ATT-6, KICK-9
#[test]
fn a_session_that_is_called_gone_while_its_end_is_remembered_is_found() {
    let history = |at: u64, between: &[String]| {
        let gone = r#""what":"told","event":"kicked_offline","reason":"gone""#;
        let out = line(at, "phone-1", r#""what":"status","status":"LOGOUT""#);
        let told = vec![out, line(at, "phone-1", gone)];
        let fields = r#""observes":["calls","events","status","process"],"limits":{"remembered":"30d"}"#;
        let lines = [login("phone-1", "android", 1_000, 1_100), between.to_vec(), told].concat();
        let end = at * 1_000 + 1;
        judge_text(&format!(
            "{{\"history\":1,{fields}}}\n{}\n{{\"at_us\":{end},\"what\":\"end\",\"settled\":true}}\n",
            lines.join("\n")
        ))
    };
    let found = |judgement: Judgement| told(&judgement).iter().any(|(rule, _)| *rule == "KICK-9");
    let month = 30 * 24 * 60 * 60 * 1_000;
    assert!(found(history(2_000, &[])));
    assert!(found(history(month, &[])));
    assert!(!found(history(month + 3_000, &[])));
    // To the server it is another device now.
    assert!(!found(history(2_000, &[line(1_500, "phone-1", r#""what":"new_device""#)])));
}

/// ADMIN-3
#[test]
fn an_administrative_call_of_nobody_in_particular_that_succeeds_is_found() {
    let history = |administrators: &str, outcome: &str| {
        let fields = format!(r#""observes":["calls","events"],"administrators":[{administrators}]"#);
        let lines = [
            calls("phone-1", 1_000, 1, OF_ALICE),
            answers("phone-1", 1_100, 1, OK),
            calls("phone-1", 2_000, 2, r#""request":"query""#),
            answers("phone-1", 2_100, 2, outcome),
        ];
        let judgement = ends_settled(&fields, &[lines.to_vec()]);
        (told(&judgement).iter().any(|(rule, _)| *rule == "ADMIN-3"), judgement.answer("ADMIN-3").cloned())
    };
    let refused = r#""outcome":"failed","code":60010"#;
    assert!(history("", OK).0);
    assert_eq!(history(r#""alice""#, OK), (false, Some(Answer::Holds { judged: 1 })));
    assert_eq!(history("", refused), (false, Some(Answer::Holds { judged: 1 })));
    // She may have been none when she called.
    assert_eq!(history(r#""alice""#, refused), (false, Some(Answer::NothingToJudge)));
}

/// KICK-7
#[test]
fn a_login_that_is_told_of_a_displacement_that_cannot_have_been_is_found() {
    let history = |flag: &str, had: bool| {
        let fields = format!(r#""observes":["calls","events","status","process"],"notify_offline_kick":{flag}"#);
        let process = |at, word: &str| line(at, "phone-1", &format!(r#""what":"process","process":"{word}""#));
        let told = r#""outcome":"failed","code":6208"#;
        let before = [process(0, "up")].into_iter().chain(login("phone-1", "android", 1_000, 1_100));
        let before: Vec<String> = before.filter(|_| had).collect();
        let again = [
            process(2_000, "dead"),
            process(3_000, "up"),
            calls("phone-1", 4_000, 9, OF_ALICE),
            line(4_000, "phone-1", r#""what":"status","status":"LOGINING""#),
            line(4_000, "phone-1", r#""what":"told","event":"connecting""#),
            line(4_100, "phone-1", r#""what":"status","status":"LOGOUT""#),
            line(4_100, "phone-1", r#""what":"told","event":"connect_failed","code":6208"#),
            answers("phone-1", 4_100, 9, told),
        ];
        let judgement = ends_settled(&fields, &[before, again.to_vec()]);
        self::told(&judgement).iter().any(|(rule, _)| *rule == "KICK-7")
    };
    assert!(!history("true", true));
    assert!(history("false", true));
    assert!(history("true", false));
}

/// CONN-10
#[test]
fn a_device_that_wakes_and_waits_on_is_found() {
    let history = |until: u64, woken: &str| {
        let fields =
            r#""observes":["calls","events","status","process"],"limits":{"back_off_first":"250ms","late":"1s"}"#;
        let tries = [
            line(40_000, "phone-1", r#""what":"told","event":"connecting""#),
            line(41_000, "phone-1", r#""what":"told","event":"connect_failed","code":9508"#),
            line(50_000, "phone-1", woken),
            line(until, "phone-1", r#""what":"told","event":"connecting""#),
            line(until + 100, "phone-1", r#""what":"told","event":"connect_success""#),
        ];
        let up = vec![line(0, "phone-1", r#""what":"process","process":"up""#)];
        let judgement = ends_settled(fields, &[up, login("phone-1", "android", 1_000, 1_100), tries.to_vec()]);
        told(&judgement).iter().any(|(rule, _)| *rule == "CONN-10")
    };
    for woken in [r#""what":"process","process":"woken""#, r#""what":"network_changed""#] {
        assert!(!history(51_000, woken));
        assert!(history(52_000, woken));
    }
    assert!(!history(52_000, r#""what":"link","link":"up""#));
}

/// INIT-6, LOGIN-6: without a word of processes a login that begins while somebody is logged in is another process's.
#[test]
fn a_restart_that_nobody_records_is_no_fault() {
    let twice = [login("phone-1", "android", 1_000, 1_100), login("phone-1", "android", 2_000, 2_100)];
    let found = |channels: &str| {
        let judgement = ends_settled(&format!(r#""observes":[{channels}]"#), &twice);
        told(&judgement).iter().any(|(rule, _)| *rule == "LOGIN-6")
    };
    assert!(!found(r#""calls","events","status""#));
    assert!(found(r#""calls","events","status","process""#));
}

/// INIT-4: of two calls of `init` that wait, the second one may be another process's, and not the first.
#[test]
fn an_init_that_is_refused_beside_one_that_waits_changes_nothing() {
    let init = |call: u64| calls("pad-1", 0, call, r#""request":"init","platform":"ipad""#);
    let status = |at, rest: &str| line(at, "pad-1", &format!(r#""what":"status",{rest}"#));
    let lines = vec![
        init(1),
        calls("pad-1", 0, 2, OF_ALICE),
        status(0, r#""status":"LOGINING""#),
        init(3),
        answers("pad-1", 0, 1, OK),
        answers("pad-1", 0, 3, r#""outcome":"failed","code":6015"#),
        status(20, r#""status":"LOGINED","login_user":"alice""#),
        answers("pad-1", 20, 2, OK),
    ];
    let judgement = ends_settled(r#""observes":["calls","events","status"]"#, &[lines]);
    assert_eq!(told(&judgement), []);
    assert!(matches!(judgement.answer("LOGIN-6"), Some(Answer::Holds { .. })));
}

/// INIT-1: without a word of processes a call that finds no `init` is another process's, and what comes then is its.
#[test]
fn a_call_that_finds_no_init_is_another_process() {
    let head = r#""observes":["calls","events","status"]"#;
    let init = |at, call| calls("pad-1", at, call, r#""request":"init","platform":"ipad""#);
    let lines = |logout: &str| {
        [
            vec![init(0, 1), answers("pad-1", 0, 1, OK)],
            login("pad-1", "ipad", 1_000, 1_100),
            vec![calls("pad-1", 2_000, 2, r#""request":"logout""#), answers("pad-1", 2_000, 2, logout)],
            vec![init(3_000, 3)],
            login("pad-1", "ipad", 3_001, 3_100),
            vec![answers("pad-1", 3_100, 3, OK)],
        ]
        .to_vec()
    };
    let judgement = ends_settled(head, &lines(r#""outcome":"failed","code":6013"#));
    assert_eq!(told(&judgement), []);
    assert!(
        matches!(judgement.answer("LOGIN-10"), Some(Answer::Holds { .. })),
        "the second is a login, and no renewal"
    );
    let judgement = ends_settled(head, &lines(r#""outcome":"failed","code":9508"#));
    assert!(told(&judgement).iter().any(|(rule, _)| *rule == "LOGOUT-2"));
}

/// POLICY-5: a policy that changes counts for logins from then on, and ends no session by itself.
#[test]
fn a_change_of_the_policy_counts_from_the_next_login_on() {
    let history = |configured: &str, kick: bool| {
        let mut parts = vec![
            login("web-1", "web", 1_000, 1_100),
            login("mac-1", "mac", 2_000, 2_100),
            vec![line(3_000, "world", configured)],
            login("phone-1", "android", 4_000, 4_100),
            kicked("mac-1", 4_150, "phone-1", "other_platform"),
        ];
        if kick {
            parts.push(kicked("web-1", 4_150, "phone-1", "other_platform"));
        }
        parts.push(login("web-2", "web", 5_000, 5_100));
        if kick {
            parts.push(kicked("phone-1", 5_150, "web-2", "other_platform"));
        } else {
            parts.push(kicked("web-1", 5_150, "web-2", "same_platform"));
        }
        judged(&parts)
    };
    let (single, unsaid) = (r#""what":"configured","policy":"single""#, r#""what":"configured""#);
    let right = history(single, true);
    assert_eq!((told(&right), right.verdict()), (vec![], Verdict::Holds));
    let wrong = history(single, false);
    assert!(
        told(&wrong).iter().any(|(rule, text)| *rule == "POLICY-3" || *rule == "KICK-1" && text.contains("phone-1"))
    );
    assert_eq!(history(unsaid, true).verdict(), Verdict::Undecided);
    let same = r#""what":"configured","policy":"dual","max_instances":{"web":1}"#;
    assert_eq!(history(same, false).verdict(), Verdict::Holds);
}

/// Every mistake of such a line is told as those of the first line are.
#[test]
fn a_policy_that_there_is_not_is_refused_where_it_stands() {
    let judgement = judged(&[vec![line(1_000, "world", r#""what":"configured","policy":"dul""#)]]);
    let [mistake] = &judgement.mistakes[..] else { panic!("{:?}", judgement.mistakes) };
    assert_eq!((mistake.line, mistake.column), (2, 63));
    assert!(mistake.text.starts_with("there is no policy `dul`; did you mean `dual`?"), "{}", mistake.text);
}

/// Without a word of processes a call of `init` may be another one's, which counts its calls anew.
#[test]
fn a_process_that_counts_its_calls_anew_is_another() {
    let life = |at: u64, init: &str| {
        vec![
            calls("pad-1", at, 1, r#""request":"init","platform":"ipad""#),
            calls("pad-1", at + 1, 2, OF_ALICE),
            answers("pad-1", at + 2, 1, init),
            answers("pad-1", at + 100, 2, OK),
        ]
    };
    let found = |second: &str| ends_settled(r#""observes":["calls","events"]"#, &[life(0, OK), life(9_000, second)]);
    assert_eq!(told(&found(OK)), []);
    // It was the same one after all: both calls have a second result.
    let judgement = found(r#""outcome":"failed","code":6015"#);
    assert_eq!(judgement.mistakes, []);
}
