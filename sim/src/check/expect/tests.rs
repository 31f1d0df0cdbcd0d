//! One story, and what may and may not be said of it.

use crate::check::expect::{Miss, Moment};
use crate::scenario::Scenario;
use crate::trace::{Cast, Recorder, Trace};
use crate::world::event;

/// A phone loses its seat to a second one; a console asks and writes.
const STORY: &str = r#"
title = "a story to check"
rules = ["KICK-1"]
seed = 1
[app]
administrators = ["root"]
[devices]
phone-1 = { platform = "android", site = "home" }
phone-2 = { platform = "android", site = "office" }
console = { platform = "linux", site = "office" }
[script]
until = "20s"
steps = """
1s   phone-1  login alice
2s   console  login root
3s   phone-2  login alice
4s   phone-1  send root "too late"
5s   phone-2  send root "hello"
6s   console  query alice nobody
7s   console  conversations
8s   phone-1  login "no user"
9s   fault    kill phone-2
"#;

/// What the run shows instead, for each expectation; nothing where it is met.
fn check(expectations: &str) -> Vec<String> {
    misses(expectations).1.into_iter().map(|miss| miss.seen).collect()
}

fn misses(expectations: &str) -> (Trace, Vec<Miss>) {
    let text = format!("{STORY}\"\"\"\nexpect = \"\"\"\n{expectations}\"\"\"\n");
    let scenario = Scenario::parse("story", &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    let recorder = Recorder::new(Cast::of(&scenario));
    event::run(&scenario, &recorder).expect("the world runs");
    let trace = recorder.finish();
    let misses = super::misses(&scenario, &trace);
    (trace, misses)
}

/// For each expectation the line of the file that it stands in, counted from the first of them, the instant to look at,
/// the kind of event there, and up to when one has to read.
fn moments(expectations: &str) -> Vec<(usize, String, &'static str, String)> {
    let (trace, misses) = misses(expectations);
    let first = STORY.lines().count() + 3;
    let told = misses.iter().map(|miss| {
        let (at, word) = match miss.moment {
            Moment::Event(position) => (trace.events[position].at, trace.events[position].what.word()),
            Moment::Instant(at) => (at, ""),
        };
        let place = miss.place.expect("it was read");
        assert_eq!(place.column, 1);
        (place.line + 1 - first, at.to_string(), word, miss.until.to_string())
    });
    told.collect()
}

#[test]
fn what_happened_is_found() {
    let misses = check(
        r#"phone-1  kicked_offline once reason=same_platform between 3s 4s
phone-1  user_sig_expired never
phone-1  status LOGINED at 2s
phone-1  status LOGOUT
phone-1  login_user alice at 2s
phone-1  login_user none
phone-1  login #1 answers ok between 1s 2s
phone-1  send #1 answers 6014
phone-1  login #2 answers 7003
console  receives "hello" once
console  receives "too late" never
console  query #1 shows alice online
console  query #1 shows nobody unknown
console  conversations #1 lists alice
alice    sessions phone-1 at 2s
alice    online phone-2 at 8s
alice    sessions phone-2
alice    online nobody
alice    presence online at 8s
alice    presence push_online
alice    counted 1
alice    epochs 2
root     online console
"#,
    );
    assert_eq!(misses, Vec::<String>::new());
}

#[test]
fn what_did_not_happen_is_told_with_what_did() {
    let misses = check(
        r#"phone-1  kicked_offline never
phone-1  kicked_offline once reason=administrator
phone-1  kicked_offline once between 10s 20s
phone-1  status LOGINED
phone-1  status LOGOUT at 2s
phone-1  login_user alice
phone-1  login #1 answers 70001
phone-1  login #1 answers ok between 10s 20s
phone-1  login #7 answers ok
phone-1  send #1 answers nothing
console  receives "hello" never
console  query #1 shows alice offline
console  conversations #1 lists none
alice    online phone-1 phone-2 at 8s
alice    sessions none
alice    presence offline
alice    counted 2
alice    epochs 1
"#,
    );
    assert_eq!(
        misses,
        [
            "it fired once, at 3.091 s",
            "it fired never",
            "it fired once, at 3.091 s",
            "it was LOGOUT since 3.091 s",
            "it was LOGINED since 1.091 s",
            "it was none since 3.091 s",
            "it was answered ok at 1.091 s",
            "it was answered ok at 1.091 s",
            "there was no such call",
            "it was answered [6014] nobody is logged in at 4.000 s",
            "it was received once, at 5.061 s",
            "it showed online",
            "it listed alice",
            "online were phone-2",
            "sessions had phone-2",
            "it was push_online since 9.030 s",
            "1 were counted",
            "2 were accepted",
        ]
    );
}

/// The second event where one was expected, the instant that was named, the end of a window, what ended the session of
/// one that is missing, and the last of its family where something never came.
#[test]
fn a_miss_points_at_the_moment_that_shows_it() {
    let moments = moments(
        r#"phone-1  connect_success never
phone-1  connecting 3 times
phone-1  user_sig_expired once
phone-1  kicked_offline once between 10s 12s
phone-1  status LOGOUT at 2s
phone-1  status LOGINED
console  receives "too late" once
phone-1  logout #1 answers ok
alice    online phone-1 at 8s
alice    online phone-2
alice    presence offline at 7500ms
alice    epochs 1
alice    epochs 3
alice    counted 0
"#,
    );
    let moments: Vec<(usize, &str, &str, &str)> =
        moments.iter().map(|(line, at, word, until)| (*line, at.as_str(), *word, until.as_str())).collect();
    assert_eq!(
        moments,
        [
            (1, "1.091", "told", "1.091"),
            (2, "8.000", "answered", "8.000"),
            (3, "8.000", "answered", "8.000"),
            (4, "12.000", "", "12.000"),
            (5, "2.000", "", "2.000"),
            (6, "3.091", "status", "3.091"),
            (7, "4.000", "called", "4.000"),
            (8, "8.000", "answered", "8.000"),
            (9, "3.060", "commit", "8.000"),
            (10, "9.030", "commit", "9.030"),
            (11, "7.500", "", "7.500"),
            (12, "3.060", "commit", "3.060"),
            (13, "3.060", "commit", "3.060"),
            (14, "1.060", "commit", "1.060"),
        ]
    );
}
