//! One story, and what may and may not be said of it.

use crate::scenario::Scenario;
use crate::trace::{Cast, Recorder};
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
    let text = format!("{STORY}\"\"\"\nexpect = \"\"\"\n{expectations}\"\"\"\n");
    let scenario = Scenario::parse("story", &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    let recorder = Recorder::new(Cast::of(&scenario));
    event::run(&scenario, &recorder).expect("the world runs");
    super::misses(&scenario, &recorder.finish()).into_iter().map(|miss| miss.text).collect()
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
    let seen: Vec<&str> = misses.iter().map(|miss| miss.split("`, but ").nth(1).expect("a miss says so")).collect();
    assert_eq!(
        seen,
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
            "it was push_online",
            "1 were counted",
            "2 were accepted",
        ]
    );
}
