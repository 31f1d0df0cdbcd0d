//! Histories of what results bring and of who is shown how, right and wrong.

use super::*;

/// A history with these channels beside calls and events, of these lines, with an end at an hour.
fn judged(channels: &str, lines: &[String]) -> Judgement {
    let limits = r#"{"connect_timeout":"10s","heartbeat":"120s","heartbeat_answer":"15s","late":"1s","silence":"400s","push":"7d"}"#;
    let head = format!(
        r#"{{"history":1,"system":"acme-im","policy":"multi","wall_us":1000000000,"observes":["calls","events",{channels}],"limits":{limits}}}"#
    );
    let end = r#"{"at_us":3600000000,"what":"end","settled":true}"#;
    judge_text(&format!("{head}\n{}\n{end}\n", lines.join("\n")))
}

fn told(judgement: &Judgement) -> Vec<(&str, &str)> {
    assert_eq!(judgement.mistakes, []);
    judgement.breaches.iter().map(|breach| (breach.rule.as_str(), breach.text.as_str())).collect()
}

/// A line at a second.
fn line(at: u64, who: &str, rest: &str) -> String {
    format!(r#"{{"at_us":{},"actor":"{who}",{rest}}}"#, at * 1_000_000)
}

fn process(at: u64, who: &str, word: &str) -> String {
    line(at, who, &format!(r#""what":"process","process":"{word}""#))
}

/// A call and its result, a second later.
fn call(at: u64, who: &str, request: &str, result: &str) -> Vec<String> {
    vec![
        line(at, who, &format!(r#""what":"called","call":{at},{request}"#)),
        line(at + 1, who, &format!(r#""what":"answered","call":{at},"outcome":"ok"{result}"#)),
    ]
}

/// A process that starts and logs in, with a ticket of its own for a thousand days.
fn login(at: u64, who: &str, platform: &str, user: &str) -> Vec<String> {
    let request = format!(r#""request":"login","user":"{user}","platform":"{platform}","ticket":"of {who}""#);
    let ticket = format!(r#""what":"ticket_made","ticket":"of {who}","user":"{user}","issued":1000,"ttl":86400000"#);
    let mut lines = vec![
        line(at, "server", &ticket),
        process(at, who, "up"),
        line(at, who, &format!(r#""what":"called","call":{at},{request}"#)),
        line(at, who, r#""what":"status","status":"LOGINING""#),
        line(at, who, r#""what":"told","event":"connecting""#),
    ];
    lines.push(line(at + 1, who, &format!(r#""what":"status","status":"LOGINED","login_user":"{user}""#)));
    lines.push(line(at + 1, who, r#""what":"told","event":"connect_success""#));
    lines.push(line(at + 1, who, &format!(r#""what":"answered","call":{at},"outcome":"ok""#)));
    lines
}

fn in_order(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_by_key(|line| line[9..].split(',').next().and_then(|at| at.parse::<u64>().ok()));
    lines
}

/// What a list of the phone's, who is alice, may say of what was sent: message 7 from alice to bob, 8 from bob to carol.
fn list(said: &str) -> Judgement {
    let send = |at, who, to, number| {
        call(
            at,
            who,
            &format!(r#""request":"send","to":"{to}","text":"Hello {to}""#),
            &format!(r#","message":{number}"#),
        )
    };
    let lines = [
        login(1, "phone", "android", "alice"),
        login(3, "pad", "ipad", "bob"),
        send(5, "phone", "bob", 7),
        vec![line(6, "pad", r#""what":"told","event":"message","message":7,"from":"alice","text":"Hello bob""#)],
        send(7, "pad", "carol", 8),
        call(9, "phone", r#""request":"conversations""#, &format!(r#","conversations":[{said}]"#)),
    ];
    judged(r#""status","process","tickets""#, &lines.concat())
}

/// API-2, API-3
#[test]
fn a_line_of_a_list_that_is_another_accounts_or_another_message_is_found() {
    assert_eq!(told(&list(r#"{"peer":"bob","last":7,"preview":"Hello bob"}"#)), []);
    assert_eq!(told(&list(r#"{"peer":"bob","last":7,"preview":"Hello"}"#)), []);
    // A message of before the history is nobody's.
    assert_eq!(told(&list(r#"{"peer":"dave","last":3,"preview":"Hi"}"#)), []);
    assert_eq!(told(&list(r#"{"peer":"dave"}"#)), []);
    let found = told(&list(r#"{"peer":"carol","last":8,"preview":"Hello carol"}"#)).concat_rules();
    assert_eq!(found, "API-3 the list of alice has message 8, which bob sent to carol");
    // The list of whoever she writes to has a line with her.
    assert_eq!(told(&list(r#"{"peer":"alice","last":7}"#)).concat_rules()[..5], *"API-3");
    let found = told(&list(r#"{"peer":"dave","last":7}"#)).concat_rules();
    assert_eq!(found, "API-2 the list of alice has message 7, of bob, as one of dave");
    let found = told(&list(r#"{"peer":"bob","last":7,"preview":"Hullo bob"}"#)).concat_rules();
    assert_eq!(found, "API-2 the list of alice shows message 7 with a text that does not begin so");
}

trait Concat {
    fn concat_rules(&self) -> String;
}

impl Concat for Vec<(&str, &str)> {
    fn concat_rules(&self) -> String {
        self.iter().map(|(rule, text)| format!("{rule} {text}")).collect::<Vec<String>>().join("; ")
    }
}

/// What alice is told of bob when she asks, at 2,000 s.
fn query(of_bob: &[String], report: &str) -> Judgement {
    let lines = [
        login(1, "desk", "windows", "alice"),
        login(3, "phone", "android", "bob"),
        of_bob.to_vec(),
        call(2_000, "desk", r#""request":"query""#, &format!(r#","report":[{report}]"#)),
    ]
    .concat();
    let lines = in_order(lines);
    judged(r#""status","process","link","tickets""#, &lines)
}

/// ADMIN-2
#[test]
fn a_query_that_shows_what_nobody_can_be_is_found() {
    let dies = [process(100, "phone", "dead")];
    let of = |presence: &str| format!(r#"{{"user":"bob","presence":{presence}}}"#);
    let found = |of_bob: &[String], report: &str| told(&query(of_bob, report)).concat_rules();
    assert_eq!(found(&[], &of(r#""online""#)), "");
    assert_eq!(
        found(&[], &of(r#""offline""#)),
        "ADMIN-2 bob is shown offline, and phone, a mobile device, has a session of theirs that nothing has ended; \
         ADMIN-2 bob is shown offline, and phone was logged in as them and connected, before and after"
    );
    assert_eq!(found(&dies, &of(r#""push_online""#)), "");
    assert_eq!(
        found(&dies, &of(r#""online""#)),
        "ADMIN-2 bob is shown online, and no device can have been connected as them for as long as a silent link may last"
    );
    // It died a moment ago: its link may not be given up.
    assert_eq!(found(&[process(1_900, "phone", "dead")], &of(r#""online""#)), "");
    assert_eq!(found(&[], &of("null")), "ADMIN-2 bob is said to be unknown, who had logged in before");
    assert_eq!(
        found(&[], r#"{"user":"alice","presence":"push_online"}"#).split(';').next(),
        Some("ADMIN-2 alice is shown push_online, and it is they who asked")
    );
    assert_eq!(found(&[], r#"{"user":"alice","presence":"online"},{"user":"nobody"}"#), "");
    // Somebody whom the history has from the middle on may have been there before.
    let stranger = line(50, "tab", r#""what":"status","status":"LOGINED","login_user":"bob""#);
    assert!(!found(&[process(100, "phone", "dead"), stranger], &of(r#""online""#)).contains("ADMIN-2"));
}

/// What is shown of bob at last, who logs in on such a device at 1 s.
fn shown(platform: &str, then: &[String], presence: &str) -> String {
    let is =
        |at, presence: &str| line(at, "server", &format!(r#""what":"presence","user":"bob","presence":"{presence}""#));
    // Somebody who stays knows that the server is there.
    let lines = [
        login(1, "it", platform, "bob"),
        login(1, "desk", "windows", "alice"),
        vec![is(2, "online")],
        then.to_vec(),
        vec![is(3_000, presence)],
    ];
    let lines = in_order(lines.concat());
    told(&judged(r#""status","process","link","tickets","presence""#, &lines)).concat_rules()
}

/// PRES-1, PRES-2
#[test]
fn a_ghost_a_desktop_that_push_reaches_and_a_phone_that_it_does_not_are_found() {
    let dies = [process(100, "it", "dead")];
    let leaves = call(100, "it", r#""request":"uninit""#, "");
    assert_eq!(shown("android", &dies, "push_online"), "");
    assert_eq!(shown("windows", &dies, "offline"), "");
    for then in [&dies[..], &leaves] {
        assert!(shown("android", then, "online").starts_with("PRES-2 bob is shown online"));
        assert!(shown("windows", then, "push_online").starts_with("PRES-1 bob is shown push_online"));
        assert!(shown("android", then, "offline").starts_with("PRES-1 bob is shown offline, and it, a mobile device"));
    }
    // An administrator, or somebody else who logs in as bob, may have ended it.
    let kick = [dies.to_vec(), call(200, "desk", r#""request":"kick","user":"bob""#, "")].concat();
    assert!(!shown("android", &kick, "offline").contains("PRES-1 bob is shown offline, and it"));
    let other = [dies.to_vec(), login(200, "pad", "ipad", "bob"), vec![process(300, "pad", "dead")]].concat();
    assert!(!shown("android", &other, "offline").contains("and it, a mobile"));
}

/// Each watcher is a claim of its own: that another was told better later helps nobody. Who is not connected hears nothing, and
/// may show what it likes.
#[test]
fn what_each_watcher_was_told_last_counts() {
    let is = |at, who: &str, presence: &str| {
        line(at, who, &format!(r#""what":"presence","user":"bob","presence":"{presence}""#))
    };
    let judged = |early: &str, then: &[String]| {
        let lines = [
            login(1, "it", "windows", "bob"),
            login(1, "desk", "windows", "alice"),
            login(1, "late", "windows", "carol"),
            vec![is(2, "desk", "online"), is(10, "desk", early), is(20, "late", "online")],
            then.to_vec(),
        ];
        told(&judged(r#""status","process","link","tickets","presence""#, &in_order(lines.concat()))).concat_rules()
    };
    assert_eq!(judged("online", &[]), "");
    assert!(judged("offline", &[]).contains("bob is shown offline to desk, and one of their devices"));
    let gone = [line(30, "desk", r#""what":"process","process":"dead""#)];
    assert_eq!(judged("offline", &gone), "");
}
