//! What is written is read back, and a trace that went through a history is judged as before.

use proptest::prelude::*;

use super::*;
use crate::generate::{self, Profile, Seed};
use crate::judge::judge_text;
use crate::scenario::fixed_seed;
use crate::world::World;

fn run(number: u64) -> (crate::scenario::Scenario, crate::Run) {
    let scenario = generate::scenario(Seed { profile: Profile::Swarm, number });
    let run = crate::run(&scenario, World::Event).expect("the world runs every seed");
    (scenario, run)
}

proptest! {
    #![proptest_config(fixed_seed::cases(48))]

    #[test]
    fn a_trace_is_read_back_from_its_history(number in 0_u64..100_000) {
        let (scenario, run) = run(number);
        let text = whole::history(&scenario, World::Event, &run.trace);
        let (read_scenario, world, trace) = whole::read(&text).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read_scenario, scenario);
        prop_assert_eq!(world, World::Event);
        prop_assert!(trace == run.trace, "the trace of seed {} changes on the way", number);
    }

    #[test]
    fn an_event_that_was_seen_from_outside_is_read_back_as_it_was_written(number in 0_u64..100_000) {
        let (scenario, run) = run(number);
        let text = keyhole::history(&scenario, Channels::ALL, &run.trace);
        let (mut reader, _) = Reader::new("h", text.lines().next().unwrap()).unwrap();
        let mut cast = Cast::default();
        for line_read in text.lines().skip(1) {
            let event = reader.read(&mut cast, line_read);
            let event = event.ok_or_else(|| TestCaseError::fail(format!("{:?}\n{line_read}", reader.mistakes)))?;
            prop_assert_eq!(&shape(&line(&cast, reader.ahead(), &event)), &shape(line_read));
        }
    }
}

/// A line without what is known by its sum alone: of a sum that is written down the next one is another.
fn shape(line: &str) -> String {
    let mut parts = line.split("\"#");
    let mut shape = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shape.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
    }
    shape
}

#[test]
fn a_broken_run_is_judged_the_same_to_the_sentence_as_a_history() {
    let bug = crate::zoo::Bug::find("F06").expect("it is in the zoo");
    let mut broken = 0;
    for number in 0..40 {
        let scenario = generate::scenario(Seed { profile: Profile::Swarm, number });
        let run = crate::zoo::run(bug, &scenario).expect("a bug is no fault of the harness");
        let judgement = judge_text(&whole::history(&scenario, World::Event, &run.trace));
        let told: Vec<(&str, &str)> =
            judgement.breaches.iter().map(|breach| (breach.rule.as_str(), breach.text.as_str())).collect();
        let before: Vec<(&str, &str)> =
            run.violations.iter().map(|violation| (violation.rule.as_str(), violation.text.as_str())).collect();
        assert_eq!(told, before, "seed {number}");
        broken += usize::from(!before.is_empty());
    }
    assert!(broken > 0, "a seed shows the bug");
}

#[test]
fn every_first_line_is_read_back() {
    let mut head = Head::new("acme-im 3.2", Channels::of(&[Channel::Calls, Channel::Link]));
    assert_eq!(Head::read(&head.line()).unwrap(), head);
    head.promise.wins = Wins::Refused;
    head.promise.plan = Plan::Groups {
        groups: [("harmony".to_owned(), "mobile".to_owned()), ("web".to_owned(), "web".to_owned())].into(),
        max: [("web".to_owned(), 3)].into(),
    };
    head.promise.limits.told = Some(std::time::Duration::from_secs(200));
    head.promise.limits.refusals_max = Some(10);
    head.skew = Skew { all: 5_000, of: [("phone".to_owned(), 7)].into() };
    head.devices.insert("phone".to_owned(), "harmony".to_owned());
    (head.wall, head.codes) = (Some(1_700_000_000_000_000), false);
    assert_eq!(Head::read(&head.line()).unwrap(), head);
}

/// Every mistake of a text, as line, column and words.
fn mistakes(text: &str) -> Vec<String> {
    judge_text(text)
        .mistakes
        .iter()
        .map(|mistake| format!("{}:{} {}", mistake.line, mistake.column, mistake.text))
        .collect()
}

#[test]
fn a_mistake_is_told_where_it_is_and_all_of_them_at_once() {
    let head = r#"{"history":1,"system":"x","observes":["calls","events"]}"#;
    assert_eq!(mistakes(""), ["1:1 the first line is no JSON object: EOF while parsing a value"]);
    assert_eq!(
        mistakes(r#"{"history":2,"obseves":[],"policy":"dul","limits":{"hartbeat":"1s"}}"#),
        [
            "1:14 the first line has no field `obseves`; did you mean `observes`?",
            "1:12 only version 1 of the format is known",
            "1:1 the first line has to say what the history holds in full: `observes` is a list of calls, events, status, process, link, tickets, messages, presence, frames, server",
            "1:36 there is no policy `dul`; did you mean `dual`?; there are single, dual, triple, multi, one_name, one_name_and_resource, or groups of platforms",
            "1:51 there is no limit `hartbeat`; did you mean `heartbeat`?; there are login_timeout, request_timeout, heartbeat, heartbeat_answer, back_off_max, connect_timeout, told, late, remembered, back_off_first, refusals_window, refusals_lock, silence, push, refusals_max",
        ]
    );
    assert_eq!(
        mistakes(r#"{"history":1,"observes":["calls"],"limits":{"refusals_max":"10"}}"#),
        ["1:44 the limit `refusals_max` has to be a number from 1"]
    );
    let lines = [
        r#"{"at_us":9,"actor":"a","what":"called","call":1,"request":"logni","user":"u"}"#,
        r#"{"at_us":9,"actor":"a","what":"called","call":1,"request":"logout","colour":"red"}"#,
        r#"{"at_us":9,"actor":"a","what":"called","call":1,"request":"logout","epoch":4}"#,
        r#"{"at_us":9,"actor":"a","what":"called","call":1,"request":"logout"}"#,
        r#"{"at_us":9,"actor":"a","what":"called","call":1,"request":"logout"}"#,
        r#"{"at_us":9,"actor":"a","what":"answered","call":2,"outcome":"ok"}"#,
        r#"{"at_us":9,"actor":"a","what":"answered","call":1,"kind":"login","outcome":"ok"}"#,
        r#"{"at_us":8,"actor":"a","what":"answered","call":1,"outcome":"ok"}"#,
        r#"{"at_us":8,"actor":"b","what":"answered","call":1,"outcome":"ok"}"#,
        r#"{"at_us":9,"what":"called","call":3,"request":"logout"}"#,
        r#"{"at_us":9,"actor":"a","what":"#,
        r#"{"at_us":9,"what":"end","settled":true}"#,
        r#"{"at_us":9,"actor":"a","what":"called","call":7,"request":"logout"}"#,
    ];
    assert_eq!(
        mistakes(&format!("{head}\n{}\n", lines.join("\n"))),
        [
            "2:59 `request` is one of init, uninit, login, logout, conversations, send, kick, query, and not `logni`; did you mean `login`?",
            "3:68 no line has a field `colour`",
            "4:68 a line of what was `called` has no field `epoch`",
            "6:47 there was a call with the number 1",
            "7:49 there was no call with the number 2",
            "8:58 call 1 was logout",
            "9:10 time runs backwards: 0.000008 s comes after 0.000009 s, in line 8, also of a",
            "10:10 lines have to stand in the order of time: 0.000008 s comes after 0.000009 s, in line 5; sort them by at_us, or give a file for each device",
            "11:1 the line does not say to whom: `actor` is missing",
            "12:30 the line is no JSON object: EOF while parsing a value",
            "14:1 the history had ended before",
        ]
    );
}

/// The schema for machines is the one in the documents, and every line that is written fits it.
#[test]
fn the_schema_is_published_and_what_is_written_fits_it() {
    let schema = schema();
    let published = include_str!("../../../docs/history.schema.json");
    assert_eq!(published, format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for number in 0..6 {
        let (scenario, run) = run(number);
        for line in keyhole::history(&scenario, Channels::ALL, &run.trace).lines() {
            let value = serde_json::from_str(line).unwrap();
            assert!(validator.is_valid(&value), "{line}");
        }
    }
    let wrong = serde_json::json!({ "at_us": 1, "actor": "a", "what": "told", "event": "kicked" });
    assert!(!validator.is_valid(&wrong));
}

/// The instant up to which something happened has two names.
#[test]
fn a_line_says_until_when() {
    let line = |until: &str| format!(r#"{{"at_us":5,{until}"actor":"phone","what":"status","status":"LOGOUT"}}"#);
    for until in [r#""until":9,"#, r#""until_us":9,"#, ""] {
        assert!(super::read::check(&line(until)).is_ok(), "{until}");
    }
    assert!(super::read::check(&line(r#""until":9,"until_us":9,"#)).is_err());
    assert!(super::read::check(&line(r#""until":4,"#)).is_err());
}
