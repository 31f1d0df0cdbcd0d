//! What is wrong with a history, as far as applications can tell: whoever looks here sees no server and no wire.
//!
//! Each sentence is judged by itself, and only where the history leaves no doubt: a login may have been accepted at any
//! instant between its call and its result.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::read::{self, Call, Line, Read};
use crate::judge::{Breach, judge_text};
use crate::scenario::rules::{RuleId, rule};

const A_RESULT: &str = "a call gets a result";
const NO_SECOND: &str = "a call gets no second result";
const QUIET: &str = "a kicked device does nothing before its application logs in again";
const NEWER: &str = "a login is displaced only by a later one";
const SEATS: &str = "no more devices are logged in than have a seat";
const NOT_SILENT: &str = "nobody is logged out without being told";
const TWICE: &str = "a device gets a message once";
const LOST: &str = "a message that was accepted reaches every device that stayed logged in";
const RESTS: &str = "everything comes to rest once the faults have ended";

/// Something that should not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What does not hold, as a sentence.
    pub property: &'static str,
    /// The rule it is from.
    pub rule: RuleId,
    /// What happened instead.
    pub text: String,
    /// To whom.
    pub actors: Vec<String>,
    /// Which lines of the history show it, counted from 1.
    pub lines: Vec<usize>,
}

/// What is wrong with a history: the earliest first.
///
/// ```
/// let history = r#"{"history":1,"policy":"single"}
/// {"at_us":0,"actor":"phone","what":"called","call":1,"request":"login","user":"alice","platform":"ios"}
/// {"at_us":9000000,"what":"end","settled":true}
/// "#;
/// let findings = gatecrash_sim::subject::judge(history).unwrap();
/// assert_eq!(findings[0].property, "a call gets a result");
/// assert_eq!(findings[0].lines, [2]);
/// ```
///
/// # Errors
///
/// The line that is none, counted from 1, and why.
pub fn judge(history: &str) -> Result<Vec<Finding>, String> {
    let values = read::values(history)?;
    let read = Read::of(&values)?;
    let mut findings = results(&read);
    findings.extend(kicks(&read));
    findings.extend(logouts(&read));
    findings.extend(messages(&read));
    if read.is_settled {
        findings.extend(rest(&read));
        findings.extend(seats(&read));
    }
    findings.sort_by_key(|finding| finding.lines.last().copied());
    Ok(findings)
}

/// What breaks the rules of SPEC.md, in the order in which it shows.
///
/// # Errors
///
/// What is wrong with the history as a text.
pub(super) fn by_specification(history: &str) -> Result<Vec<Finding>, String> {
    let judgement = judge_text(history);
    if let Some(mistake) = judgement.mistakes.first() {
        return Err(mistake.to_string());
    }
    let findings = judgement.breaches.into_iter().map(|breach| {
        let Breach { rule, property, text, actor, lines, .. } = breach;
        let lines = lines.into_iter().filter_map(|line| usize::try_from(line.line).ok()).collect();
        Finding { property, rule, text, actors: vec![actor], lines }
    });
    Ok(findings.collect())
}

fn finding(property: &'static str, rule: RuleId, actors: &[&str], lines: Vec<usize>, text: String) -> Finding {
    Finding { property, rule, text, actors: actors.iter().map(|&actor| actor.to_owned()).collect(), lines }
}

fn rule_of(call: &Call<'_>) -> RuleId {
    if call.kind == "login" { rule("LOGIN-3") } else { rule("API-5") }
}

fn results(read: &Read<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &read.calls {
        let Call { actor, number, kind, line, .. } = *call;
        if let [first, second, ..] = call.answers.as_slice() {
            let lines = [line].into_iter().chain(call.answers.iter().map(|answer| answer.line)).collect();
            let (first, second) = (first.said, second.said);
            let text = format!("{actor}'s {kind}, call {number}, has the result {first}, and then the result {second}");
            findings.push(finding(NO_SECOND, rule_of(call), &[actor], lines, text));
        }
        if call.answers.is_empty() && read.is_settled && read.lives_from(actor, line) {
            let text = format!("{actor}'s {kind}, call {number}, never has a result");
            findings.push(finding(A_RESULT, rule_of(call), &[actor], vec![line], text));
        }
    }
    findings
}

fn kicks(read: &Read<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for told in read.lines.iter().filter(|line| line.is("told") && line.text("event") == "kicked_offline") {
        let (actor, at) = (told.actor, told.number);
        let logins = || read.calls.iter().filter(|call| call.actor == actor && call.kind == "login" && call.line < at);
        // A login that is under way when the kick comes may be accepted after it.
        let is_under_way = logins().any(|call| call.answers.first().is_none_or(|answer| answer.line > at));
        for line in read.of_actor(actor).filter(|line| line.number > at && !is_under_way) {
            let is_login = line.is("called") && line.text("request") == "login";
            if is_login || line.is("process") && line.text("process") == "dead" {
                break;
            }
            let does = line.is("told") && ["connecting", "connect_success"].contains(&line.text("event"))
                || line.is("status") && line.text("status") != "LOGOUT";
            if does {
                let text = format!("{actor} was told that it is kicked, and goes on by itself: {}", line.said());
                findings.push(finding(QUIET, rule("KICK-4"), &[actor], vec![at, line.number], text));
                break;
            }
        }
        let is_displaced = ["same_platform", "other_platform"].contains(&told.text("reason"));
        let is_accepted =
            |call: &&Call<'_>| call.answers.first().is_some_and(|answer| answer.is_ok && answer.line < at);
        let Some(own) = logins().rfind(is_accepted) else { continue };
        let is_later = |call: &&Call<'_>| {
            let is_rival = call.actor != actor && call.kind == "login" && call.user == own.user;
            let was_before = call.answers.first().is_some_and(|answer| answer.is_ok && answer.at_us < own.at_us);
            is_rival && call.line < at && !was_before && read.are_rivals(call, own)
        };
        if is_displaced && !read.calls.iter().any(|call| is_later(&call)) {
            let by = told.value("by").and_then(Value::as_str);
            let rival = by.map_or_else(String::new, |by| format!(" by {by}"));
            let user = own.user.unwrap_or("anybody");
            let text =
                format!("{actor} is displaced{rival}, and no rival has called login as {user} since {actor} did");
            let actors: Vec<&str> = [actor].into_iter().chain(by).collect();
            findings.push(finding(NEWER, rule("KICK-6"), &actors, vec![own.line, at], text));
        }
    }
    findings
}

/// Whether the line gives an application a reason for being logged out.
fn is_reason(line: &Line<'_>) -> bool {
    let is_own = |field: &str| ["login", "logout"].contains(&line.text(field));
    match line.what {
        "called" => is_own("request"),
        "answered" => is_own("kind"),
        "told" => ["kicked_offline", "user_sig_expired"].contains(&line.text("event")),
        _ => false,
    }
}

fn logouts(read: &Read<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &actor in read.actors.keys() {
        let (mut logged_in, mut has_reason) = (None, false);
        for line in read.of_actor(actor) {
            match (line.what, line.text("status")) {
                ("process", _) => {
                    if ["dead", "up"].contains(&line.text("process")) {
                        (logged_in, has_reason) = (None, false);
                    }
                }
                ("status", "LOGINED") => (logged_in, has_reason) = (Some(line.number), false),
                ("status", "LOGOUT") => {
                    // At the same instant it may be told just before or after.
                    let is_told = || read.of_actor(actor).any(|it| it.at_us == line.at_us && is_reason(it));
                    if let Some(since) = logged_in.take().filter(|_| !has_reason && !is_told()) {
                        let text = format!("{actor} is logged out, and its application is not told why");
                        let lines = vec![since, line.number];
                        findings.push(finding(NOT_SILENT, rule("KICK-3"), &[actor], lines, text));
                    }
                }
                _ => has_reason |= is_reason(line),
            }
        }
    }
    findings
}

fn messages(read: &Read<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut got: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in read.lines.iter().filter(|line| line.is("told") && line.text("event") == "message") {
        let (actor, id) = (line.actor, line.text("message"));
        if let Some(before) = got.insert((actor, id), line.number) {
            let text = format!("{actor} gets message {id} a second time");
            findings.push(finding(TWICE, rule("API-2"), &[actor], vec![before, line.number], text));
        }
    }
    let sends = read.calls.iter().filter(|call| call.kind == "send" && call.answers.iter().any(|answer| answer.is_ok));
    for send in sends.filter(|_| read.is_settled) {
        for &actor in read.actors.keys().filter(|&&actor| actor != send.actor) {
            if read.stayed(actor, send.to, send.line) && !got.contains_key(&(actor, send.id)) {
                let text = format!("{actor} stayed logged in as {}, and never gets message {}", send.to, send.id);
                let lines = vec![send.line, send.answers[0].line];
                findings.push(finding(LOST, rule("API-7"), &[send.actor, actor], lines, text));
            }
        }
    }
    findings
}

fn rest(read: &Read<'_>) -> Vec<Finding> {
    let waiting = read.actors.keys().filter_map(|&actor| {
        let line = read.of_actor(actor).filter(|line| line.is("status")).last()?;
        let is_waiting = line.text("status") == "LOGINING" && read.lives_from(actor, line.number);
        is_waiting.then(|| {
            let text = format!("{actor} is logging in since {} s, and the run is over", seconds(line.at_us));
            finding(RESTS, rule("CONN-1"), &[actor], vec![line.number], text)
        })
    });
    waiting.collect()
}

fn seats(read: &Read<'_>) -> Vec<Finding> {
    let seated: Vec<(&str, &str, usize)> = read
        .actors
        .keys()
        .filter_map(|&actor| {
            let line = read.of_actor(actor).filter(|line| line.is("status")).last()?;
            let is_in = line.text("status") == "LOGINED" && read.lives_from(actor, line.number);
            is_in.then(|| (actor, line.text("login_user"), line.number))
        })
        .collect();
    let users: BTreeSet<&str> = seated.iter().map(|(_, user, _)| *user).collect();
    let mut findings = Vec::new();
    for user in users {
        let theirs: Vec<_> = seated.iter().filter(|(_, theirs, _)| *theirs == user).collect();
        let too_many = theirs.iter().find_map(|(actor, ..)| {
            let rivals: Vec<_> = theirs.iter().filter(|(other, ..)| read.is_one_group(actor, other)).collect();
            let is_mixed = rivals.iter().any(|(other, ..)| read.actors[other] != read.actors[actor]);
            (is_mixed || rivals.len() > read.instances_max(actor)).then_some(rivals)
        });
        if let Some(rivals) = too_many {
            let actors: Vec<&str> = rivals.iter().map(|(actor, ..)| *actor).collect();
            let lines = rivals.iter().map(|(_, _, line)| *line).collect();
            let text = format!("{} are logged in as {user}, and share a seat", actors.join(" and "));
            findings.push(finding(SEATS, rule("POLICY-4"), &actors, lines, text));
        }
    }
    findings
}

fn seconds(at_us: u64) -> String {
    format!("{}.{:03}", at_us / 1_000_000, at_us / 1_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a history of the policy `single` whose lines are these: seconds, a device, and the rest as JSON.
    fn found(lines: &[(u64, &str, &str)]) -> Vec<&'static str> {
        let mut history = r#"{"history":1,"system":"told","policy":"single","max_instances":{}}"#.to_owned();
        for (second, actor, rest) in lines {
            let at_us = second * 1_000_000;
            history.push_str(&format!("\n{{\"at_us\":{at_us},\"actor\":\"{actor}\",{rest}}}"));
        }
        history.push_str("\n{\"at_us\":99000000,\"what\":\"end\",\"settled\":true}\n");
        judge(&history).unwrap_or_else(|error| panic!("{error}")).into_iter().map(|finding| finding.property).collect()
    }

    const LOGIN: &str = r#""what":"called","call":1,"request":"login","user":"alice","platform":"ios""#;
    const AGAIN: &str = r#""what":"called","call":2,"request":"login","user":"alice","platform":"ios""#;
    const OK: &str = r#""what":"answered","call":1,"kind":"login","user":"alice","outcome":"ok""#;
    const FAILED: &str = r#""what":"answered","call":1,"kind":"login","user":"alice","outcome":"failed","code":1"#;
    const LOGINED: &str = r#""what":"status","status":"LOGINED","login_user":"alice""#;
    const LOGINING: &str = r#""what":"status","status":"LOGINING","login_user":null"#;
    const LOGOUT: &str = r#""what":"status","status":"LOGOUT","login_user":null"#;
    const KICKED: &str = r#""what":"told","event":"kicked_offline","reason":"same_platform","by":"b""#;
    const DEAD: &str = r#""what":"process","process":"dead""#;
    const SEND: &str = r#""what":"called","call":7,"request":"send","to":"alice","text":"hi","id":"m""#;
    const SENT: &str = r#""what":"answered","call":7,"kind":"send","user":"bob","outcome":"ok""#;
    const GOT: &str = r#""what":"told","event":"message","message":"m","from":"bob","to":"alice","text":"hi""#;

    const NOTHING: [&str; 0] = [];

    #[test]
    fn one_login_with_its_result_is_right() {
        assert_eq!(found(&[(1, "a", LOGIN), (2, "a", OK), (2, "a", LOGINED)]), NOTHING);
    }

    #[test]
    fn a_call_has_one_result_unless_its_process_dies() {
        assert_eq!(found(&[(1, "a", LOGIN)]), [A_RESULT]);
        assert_eq!(found(&[(1, "a", LOGIN), (2, "a", DEAD)]), NOTHING);
        assert_eq!(found(&[(1, "a", LOGIN), (2, "a", FAILED), (3, "a", OK)]), [NO_SECOND]);
    }

    #[test]
    fn a_kick_needs_a_rival_whose_login_may_have_been_accepted_later() {
        let first = [(1, "a", LOGIN), (2, "a", OK), (2, "a", LOGINED)];
        let kicked = [(8, "a", KICKED), (8, "a", LOGOUT)];
        let told = |between: &[(u64, &'static str, &'static str)]| found(&[&first[..], between, &kicked[..]].concat());
        assert_eq!(told(&[]), [NEWER]);
        assert_eq!(told(&[(3, "b", LOGIN), (4, "b", OK), (4, "b", LOGINED)]), NOTHING);
        assert_eq!(told(&[(3, "b", LOGIN), (4, "b", FAILED)]), NOTHING, "whether it was accepted nobody knows");
        let older = [(0, "b", LOGIN), (0, "b", OK), (0, "b", LOGINED), (5, "b", LOGINING), (7, "b", LOGINED)];
        assert_eq!(found(&[&older[..3], &first[..], &older[3..], &kicked[..]].concat()), [NEWER], "it only came back");
    }

    #[test]
    fn a_kicked_device_waits_for_its_application() {
        let kicked = [
            (1, "a", LOGIN),
            (2, "a", OK),
            (2, "a", LOGINED),
            (3, "b", LOGIN),
            (4, "b", OK),
            (4, "b", LOGINED),
            (5, "a", KICKED),
            (5, "a", LOGOUT),
        ];
        assert_eq!(found(&kicked), NOTHING);
        let goes_on = [(6, "a", LOGINING), (7, "a", DEAD)];
        assert_eq!(found(&[&kicked[..], &goes_on[..]].concat()), [QUIET]);
        let logs_in = [(6, "a", AGAIN), (6, "a", LOGINING), (7, "a", DEAD)];
        assert_eq!(found(&[&kicked[..], &logs_in[..]].concat()), NOTHING);
    }

    #[test]
    fn nobody_is_logged_out_without_a_reason_and_two_do_not_share_a_seat() {
        let first = [(1, "a", LOGIN), (2, "a", OK), (2, "a", LOGINED)];
        assert_eq!(found(&[&first[..], &[(5, "a", LOGOUT)]].concat()), [NOT_SILENT]);
        let second = [(3, "b", LOGIN), (4, "b", OK), (4, "b", LOGINED)];
        assert_eq!(found(&[&first[..], &second[..]].concat()), [SEATS]);
        assert_eq!(found(&[&first[..], &second[..], &[(5, "a", DEAD)]].concat()), NOTHING);
    }

    #[test]
    fn an_accepted_message_comes_once_to_who_stayed() {
        let first = [(1, "a", LOGIN), (2, "a", OK), (2, "a", LOGINED), (3, "b", SEND)];
        let told = |then: &[(u64, &'static str, &'static str)]| found(&[&first[..], then].concat());
        assert_eq!(told(&[(4, "b", SENT)]), [LOST]);
        assert_eq!(told(&[(4, "b", SENT), (5, "a", GOT)]), NOTHING);
        assert_eq!(told(&[(4, "b", SENT), (5, "a", DEAD)]), NOTHING);
        assert_eq!(told(&[(4, "b", SENT), (5, "a", GOT), (6, "a", GOT)]), [TWICE]);
    }

    #[test]
    fn who_is_logging_in_for_ever_does_not_rest() {
        assert_eq!(found(&[(1, "a", LOGIN), (1, "a", LOGINING), (2, "a", FAILED)]), [RESTS]);
    }

    #[test]
    fn what_is_no_history_is_said_with_its_line() {
        assert_eq!(judge("{}"), Err("line 1: a history begins with `{\"history\":1,…}`".to_owned()));
        let head = r#"{"history":1,"policy":"single"}"#;
        let error = judge(&format!("{head}\n{{\"what\":\"end\"}}")).unwrap_err();
        assert_eq!(error, "line 2: it has no `at_us`");
        assert!(judge(&format!("{head}\nend")).unwrap_err().starts_with("line 2: expected"));
    }
}
