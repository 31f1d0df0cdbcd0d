//! Files that the tests of this module share, covering every key, action and expectation; and the
//! proof that the guide in `docs/` covers them as well.

/// Files without a mistake.
pub(super) const GOOD: [&str; 3] = [KICK, EVERYTHING, PATTERNS];

/// The example of the guide.
pub(super) const KICK: &str = r#"title = "A phone that lost its network learns late that its seat is taken"
rules = ["POLICY-3", "KICK-3", "KICK-5", "CONN-5"]
seed  = 1

[app]
policy = "dual"

[devices]
phone-1 = { platform = "android", site = "home" }
phone-2 = { platform = "android", site = "office" }

[script]
until = "140s"
steps = """
0s     phone-1  login alice
1s     fault    partition home
2s     phone-2  login alice
3s     fault    repair home
"""
expect = """
phone-1  kicked_offline once  between 120s 137s
phone-2  status LOGINED
alice    online phone-2
"""
"#;

/// Every key, every action, every expectation.
pub(super) const EVERYTHING: &str = r#"#:schema ../docs/scenario.schema.json
title = "Every word at once"
rules = ["INPUT-4"]
seed = "18446744073709551615"
tick = "10ms"
verdict_only = "many logins at the same instant"
converge = "5m"

[app]
id = 20000
policy = "multi"
max_instances = { android = 2, web = 10 }
administrators = ["root"]
reconnect_kicks = true
notify_offline_kick = true
start = 1600000000
ticket_ttl = "1h"
commit_latency = "0ms..2ms"
tls = true

[limits]
login_timeout = "20s"
backoff_spread_percent = 0
refusals_max = 3

[sites]
home = { latency = "20ms..60ms" }
moon = { latency = "1.3s", forgets_idle = "30s", segments = "1..3", window = 64 }

[devices]
phone-1 = { platform = "android", site = "home", init = "manual", wall_offset = "-3h" }
page = { platform = "web", site = "office" }

[tickets]
stale = { user = "alice", issued = "-1h", ttl = "10s" }
forged = { user = "alice", forge = "wrong_key" }

[script]
until = "1h"
steps = """
0s     phone-1  init
1s     phone-1  login alice
2s     phone-1  login alice ticket=stale
3s     phone-1  login alice ticket=last
4s     phone-1  login alice ttl=10s
5s     phone-1  login "no spaces"
6s     page     login ""
7s     phone-1  send bob "hello, \\"bob\\" # no comment"   # a comment
8s     phone-1  send "" bytes=12289
9s     phone-1  conversations
10s    phone-1  kick alice
11s    phone-1  query alice bob
12s    phone-1  network_changed
13s    phone-1  on kicked_offline login alice ticket=last
14s    phone-1  raw garbage
15s    phone-1  raw resume_forged
16s    phone-1  logout
17s    phone-1  uninit
20s    fault    partition home
21s    fault    partition home inbound
22s    fault    partition home outbound
23s    fault    repair home
24s    fault    hold home
25s    fault    release home
26s    fault    latency moon 1s..2s
27s    fault    crash server
28s    fault    start server
29s    fault    bounce server
30s    fault    bounce server after=2.5s
31s    fault    power-loss server
32s    fault    start server
33s    fault    reset page
34s    fault    kill page
35s    fault    start page
36s    fault    suspend page
37s    fault    wake page
38s    fault    skew page -1h
39s    fault    skew server +5s
40s    fault    drift server +200ppm
41s    fault    drift page -50ppm
42s    fault    wipe page
50s    app      max_instances android 1
51s    app      policy single
52s    app      reconnect_kicks false
53s    app      notify_offline_kick false
54s    app      administrators root alice
55s    app      administrators none
56s    app      drop_key old
"""
expect = """
phone-1  connecting 5 times
phone-1  connect_success twice between 0s 10s
phone-1  connect_failed once code=9508
phone-1  kicked_offline once reason=administrator between 10s 11s
phone-1  user_sig_expired never
phone-1  message once
phone-1  status LOGOUT
phone-1  status LOGINED at 1.5s
phone-1  login_user none
phone-1  login_user alice at 1.5s
phone-1  login #1 answers ok
phone-1  login #2 answers 70001 between 2s 3s
phone-1  init #1 answers nothing
phone-1  conversations #1 lists bob root
phone-1  conversations #1 answers ok
phone-1  query #1 shows alice online
phone-1  query #1 shows bob unknown
page     receives "hello, \\"bob\\"" once
alice    online phone-1 page at 2s
alice    online nobody
alice    sessions none
alice    presence push_online
alice    counted 1
alice    epochs 3
"""
"#;

/// Every kind of pattern.
pub(super) const PATTERNS: &str = r#"title = "Many at once"
rules = ["POLICY-3"]
seed = 2

[sites]
"site-{1..2}" = { latency = "5ms" }

[devices]
"phone-{1..3}" = { platform = ["android", "ios"], site = ["a", "b"] }
"pad-{5..6}" = { platform = "ipad", site = "site-{%2}" }

[tickets]
"ticket-{1..3}" = { user = "user-{}" }

[script]
until = "60s"
steps = """
0s..10s  phone-{1..3}  login user-{} ticket=ticket-{}
5s       pad-{5..6}    send user-{%2} "from {} to {%2}, {braces}"
6s..7s   fault         partition site-{1..2}
8s       phone-1       query user-{1..3} root
"""
expect = """
phone-{1..3}  login #1 answers ok
phone-{1..3}  login_user user-{}
user-{1..3}   online phone-{}
user-1        sessions phone-{1..2} pad-5
"""
"#;

mod guide {
    use crate::scenario::line::{Vocabulary, words_of};
    use crate::scenario::parse::{APP_KEYS, DEVICE_KEYS, ROOT_KEYS, SCRIPT_KEYS, SITE_KEYS, TICKET_KEYS};
    use crate::scenario::script::{APP_CHANGES, CALLS, DEVICE_ACTIONS};
    use crate::scenario::{
        CallKind, Conduct, Forge, Init, LimitOverrides, ListenerEvent, LoginStatus, Scenario, Shown, expect, fault,
    };
    use gatecrash::policy::{Platform, Policy};
    use gatecrash::protocol::{KickReason, Presence};

    const GUIDE: &str = include_str!("../../../docs/scenarios.md");

    /// Whether the guide has the word in a code span, at its start or after a space.
    fn names(word: &str) -> bool {
        GUIDE.split('`').skip(1).step_by(2).any(|span| {
            let mut words = span.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_-".contains(letter)));
            words.any(|written| written == word)
        })
    }

    fn words<V: Vocabulary>() -> Vec<&'static str> {
        words_of::<V>().collect()
    }

    #[test]
    fn it_names_every_word_of_the_language() {
        let limits: Vec<&str> = LimitOverrides::KEYS.iter().map(|(key, _, _)| *key).collect();
        let closed = [
            words::<CallKind>(),
            words::<Conduct>(),
            words::<Forge>(),
            words::<Init>(),
            words::<KickReason>(),
            words::<ListenerEvent>(),
            words::<LoginStatus>(),
            words::<Platform>(),
            words::<Policy>(),
            words::<Presence>(),
            words::<Shown>(),
        ];
        let faults = fault::verbs();
        let tables: [&[&str]; 13] = [
            &ROOT_KEYS,
            &APP_KEYS,
            &SITE_KEYS,
            &DEVICE_KEYS,
            &TICKET_KEYS,
            &SCRIPT_KEYS,
            &limits,
            &CALLS,
            &DEVICE_ACTIONS,
            &faults,
            &APP_CHANGES,
            &expect::DEVICE_WORDS,
            &expect::USER_WORDS,
        ];
        let every = tables.into_iter().flatten().copied().chain(closed.into_iter().flatten());
        let missing: Vec<&str> = every.filter(|word| !names(word)).collect();
        assert!(missing.is_empty(), "docs/scenarios.md does not mention {missing:?}");
    }

    #[test]
    fn its_examples_are_good_files() {
        let examples: Vec<&str> =
            GUIDE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert_eq!(examples.len(), 2);
        for example in examples {
            Scenario::parse("docs/scenarios.md", example).unwrap();
        }
    }
}
