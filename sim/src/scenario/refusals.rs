//! What the parser says to every mistake it knows: each row puts one into a good file and lists the
//! whole report (INPUT-4, POLICY-2). Good files are tested beside the printer.

use std::time::Duration;

use super::*;

/// A file without a mistake. Each row below breaks one thing in it.
const GOOD: &str = r#"title = "t"
rules = ["KICK-1"]
seed = 1
tick = "1ms"

[app]
policy = "dual"
max_instances = { web = 2 }

[limits]
silence = "400s"

[sites]
home = { latency = "30ms" }

[devices]
phone-1 = { platform = "android", site = "home" }
page = { platform = "web", site = "office" }

[tickets]
stale = { user = "alice" }

[script]
until = "60s"
steps = """
1s  phone-1  login alice
"""
expect = """
phone-1  status LOGINED
"""
"#;

/// A piece of the good file, what takes its place, and the report.
const HEADER: &[(&str, &str, &[&str])] = &[
    (r#"title = "t""#, "", &["1:1: the file has no `title`; expected a key `title` (INPUT-4)"]),
    (r#"title = "t""#, "title = 3", &["1:9: `title` is a whole number; expected a sentence, in quotes (INPUT-4)"]),
    (r#"title = "t""#, r#"title = " ""#, &[r#"1:9: `title` cannot be " "; expected a sentence (INPUT-4)"#]),
    (
        r#"title = "t""#,
        r#"titel = "t""#,
        &[
            "1:1: there is no key `titel`; expected title, rules, seed, tick, verdict_only, converge, app, limits, sites, devices, tickets or script; did you mean `title`? (INPUT-4)",
        ],
    ),
    (r#"["KICK-1"]"#, "[]", &[r#"2:9: `rules` cannot be []; expected ids of rules, such as "KICK-3" (INPUT-4)"#]),
    (
        r#"["KICK-1"]"#,
        r#""KICK-1""#,
        &[r#"2:9: `rules` is a text; expected a list of ids of rules, such as "KICK-3" (INPUT-4)"#],
    ),
    (
        r#"["KICK-1"]"#,
        r#"["KICK-1", "KIK-2", "KICK-1"]"#,
        &[
            "2:20: there is no rule `KIK-2`; expected the id of a rule; did you mean `KICK-2`? (INPUT-4)",
            "2:29: KICK-1 stands here twice; expected each rule once (INPUT-4)",
        ],
    ),
    (r#"["KICK-1"]"#, "[1]", &["2:10: `rules` is a whole number; expected the id of a rule, in quotes (INPUT-4)"]),
    (
        "seed = 1",
        "seed = -1",
        &["3:8: `seed` cannot be -1; expected a number from 0, above 9223372036854775807 in quotes (INPUT-4)"],
    ),
    (
        "seed = 1",
        "seed = true",
        &["3:8: `seed` is true or false; expected a number from 0, above 9223372036854775807 in quotes (INPUT-4)"],
    ),
    (
        "seed = 1",
        r#"seed = "x""#,
        &[r#"3:8: `seed` cannot be "x"; expected a number from 0, above 9223372036854775807 in quotes (INPUT-4)"#],
    ),
    (
        r#"tick = "1ms""#,
        r#"tick = "2s""#,
        &[r#"4:8: `tick` cannot be "2s"; expected a span of time over zero, up to 1s (INPUT-4)"#],
    ),
    (
        r#"tick = "1ms""#,
        "tick = 1",
        &["4:8: `tick` is a whole number; expected a span of time over zero, up to 1s, in quotes (INPUT-4)"],
    ),
    (
        r#"tick = "1ms""#,
        r#"verdict_only = """#,
        &[r#"4:16: `verdict_only` cannot be ""; expected a sentence (INPUT-4)"#],
    ),
    (
        r#"tick = "1ms""#,
        r#"converge = "0s""#,
        &[
            r#"4:12: `converge` cannot be "0s"; expected a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d, over zero (INPUT-4)"#,
        ],
    ),
    (r#"tick = "1ms""#, "app = 3", &["6:2: a key that was there before; expected each key once (INPUT-4)"]),
    (
        r#"policy = "dual""#,
        r#"policy = "duel""#,
        &[
            "7:10: `app.policy` cannot be `duel`; expected single, dual, triple or multi; did you mean `dual`? (INPUT-4)",
        ],
    ),
    (
        r#"policy = "dual""#,
        r#"polcy = "dual""#,
        &[
            "7:1: there is no key `app.polcy`; expected id, policy, max_instances, administrators, reconnect_kicks, notify_offline_kick, start, ticket_ttl, commit_latency or tls; did you mean `policy`? (INPUT-4)",
        ],
    ),
    (r#"policy = "dual""#, "id = 0", &["7:6: `app.id` cannot be 0; expected a number from 1 to 4294967295 (INPUT-4)"]),
    (
        r#"policy = "dual""#,
        r#"administrators = ["root", "no spaces"]"#,
        &[
            r#"7:27: `app.administrators` cannot be "no spaces"; expected a user id: 1 to 32 of a-z A-Z 0-9 _ - (INPUT-4)"#,
        ],
    ),
    (
        r#"policy = "dual""#,
        r#"reconnect_kicks = "yes""#,
        &["7:19: `app.reconnect_kicks` is a text; expected true or false (INPUT-4)"],
    ),
    (
        r#"policy = "dual""#,
        "start = 1.5",
        &["7:9: `app.start` is a number with a fraction; expected a number from 0 to 253402300799 (INPUT-4)"],
    ),
    (
        r#"policy = "dual""#,
        r#"ticket_ttl = "1.5s""#,
        &[
            r#"7:14: `app.ticket_ttl` cannot be "1.5s"; expected a span of time in whole seconds, such as 10s or 7d (INPUT-4)"#,
        ],
    ),
    (
        r#"policy = "dual""#,
        r#"commit_latency = "2ms..1ms""#,
        &[
            r#"7:18: `app.commit_latency` cannot be "2ms..1ms"; expected a span of time such as 30ms, or a range such as 20ms..60ms (INPUT-4)"#,
        ],
    ),
    (
        "{ web = 2 }",
        r#"{ web = 11, ios = 2, tv = 1, mac = "1" }"#,
        &[
            "8:25: max_instances.web is 11, outside 1 to 10; expected 1 to 10 (POLICY-2)",
            "8:35: max_instances.ios is 2, outside 1 to 1 (more than 1 only under the policy multi); expected 1 to 1 (POLICY-2)",
            "8:38: there is no key `app.max_instances.tv`; expected android, ios, ipad, windows, mac, linux or web (INPUT-4)",
            "8:52: `app.max_instances.mac` is a text; expected a number of devices (INPUT-4)",
        ],
    ),
    (
        r#"silence = "400s""#,
        r#"silense = "400s""#,
        &[
            "11:1: there is no key `limits.silense`; expected login_timeout, request_timeout, connect_timeout, heartbeat, heartbeat_web, heartbeat_answer, heartbeat_min, heartbeat_recovery, probe_answer, backoff_first, backoff_min, backoff_max, backoff_max_web, backoff_spread_percent, backoff_reset, silence, silence_web, dormant, dormant_web, admission, kick_linger, refusals_max, refusals_window, refusals_lock or 16 more; did you mean `silence`? (INPUT-4)",
        ],
    ),
    (
        r#"silence = "400s""#,
        r#"silence = "0s"
refusals_max = 0
backoff_spread_percent = 101
conversations_max = 201"#,
        &[
            r#"11:11: `limits.silence` cannot be "0s"; expected a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d, over zero (INPUT-4)"#,
            "12:16: `limits.refusals_max` cannot be 0; expected a number from 1 to 1000000 (INPUT-4)",
            "13:26: `limits.backoff_spread_percent` cannot be 101; expected a number from 0 to 100 (INPUT-4)",
            "14:21: `limits.conversations_max` cannot be 201; expected a number from 1 to 200 (INPUT-4)",
        ],
    ),
    (
        r#"home = { latency = "30ms" }"#,
        "home = 3",
        &["14:8: `sites.home` is a whole number; expected a table of keys (INPUT-4)"],
    ),
    (
        r#"home = { latency = "30ms" }"#,
        r#"home = { latncy = "30ms" }"#,
        &[
            "14:10: there is no key `sites.home.latncy`; expected latency, forgets_idle, segments or window; did you mean `latency`? (INPUT-4)",
        ],
    ),
    (
        r#"home = { latency = "30ms" }"#,
        r#"home = { latency = "30" }"#,
        &[
            r#"14:20: `sites.home.latency` cannot be "30"; expected a span of time such as 30ms, or a range such as 20ms..60ms (INPUT-4)"#,
        ],
    ),
    (
        r#"home = { latency = "30ms" }"#,
        r#"home = { forgets_idle = "0s", segments = "3..1", window = 0 }"#,
        &[
            r#"14:25: `sites.home.forgets_idle` cannot be "0s"; expected a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d, over zero (INPUT-4)"#,
            r#"14:42: `sites.home.segments` cannot be "3..1"; expected a number of bytes such as 1, or a range such as 1..3, up to 65536 (INPUT-4)"#,
            r#"14:59: `sites.home.window` cannot be 0; expected a number from 1 to 1048576 (INPUT-4)"#,
        ],
    ),
    (
        r#"home = { latency = "30ms" }"#,
        r#""a b" = {}"#,
        &["14:1: `a b` cannot name a site; expected a letter, then up to 39 of a-z A-Z 0-9 _ - (INPUT-4)"],
    ),
    (
        r#"home = { latency = "30ms" }"#,
        r#""s-{1..2}" = {}
s-2 = {}"#,
        &["15:1: there are two sites `s-2`; expected each name once (INPUT-4)"],
    ),
    (
        r#"phone-1 = { platform = "android", site = "home" }"#,
        r#"phone-1 = { platform = "androd" }"#,
        &[
            "17:1: `devices.phone-1` has no `site`; expected a key `site` (INPUT-4)",
            "17:24: `devices.phone-1.platform` cannot be `androd`; expected android, ios, ipad, windows, mac, linux or web; did you mean `android`? (INPUT-4)",
        ],
    ),
    (
        r#"phone-1 = { platform = "android", site = "home" }"#,
        r#"phone-1 = { platform = "android", site = "a b" }"#,
        &["17:42: `a b` cannot name a site; expected a letter, then up to 39 of a-z A-Z 0-9 _ - (INPUT-4)"],
    ),
    (
        r#"phone-1 = { platform = "android", site = "home" }"#,
        "phone-1 = { platform = [], site = [] }",
        &[
            "17:24: `devices.phone-1.platform` cannot be []; expected at least one (INPUT-4)",
            "17:35: `devices.phone-1.site` cannot be []; expected at least one (INPUT-4)",
        ],
    ),
    (
        r#"phone-1 = { platform = "android", site = "home" }"#,
        r#""phone-{1..2" = { platform = "android", site = "home" }"#,
        &["17:1: a brace that is never closed; expected {A..B} for the numbers A to B (INPUT-4)"],
    ),
    (
        r#"page = { platform = "web""#,
        r#"fault = { platform = "web", init = "manul", wall_offset = "3""#,
        &[
            "18:1: `fault` cannot name a device; expected a name other than fault, app and server (INPUT-4)",
            "18:36: `devices.fault.init` cannot be `manul`; expected auto or manual; did you mean `manual`? (INPUT-4)",
            r#"18:59: `devices.fault.wall_offset` cannot be "3"; expected a signed span of time such as -1h, 0s or +2.5s (INPUT-4)"#,
        ],
    ),
    (
        "page = { platform",
        r#""phone-{1..2}" = { platform"#,
        &["18:1: there are two devices `phone-1`; expected each name once (INPUT-4)"],
    ),
    (
        r#"stale = { user = "alice" }"#,
        r#"stale = { issued = "1ms", ttl = "1ms", forge = "forged" }"#,
        &[
            "21:1: `tickets.stale` has no `user`; expected a key `user` (INPUT-4)",
            r#"21:20: `tickets.stale.issued` cannot be "1ms"; expected a signed span of whole seconds, such as -1h (INPUT-4)"#,
            r#"21:33: `tickets.stale.ttl` cannot be "1ms"; expected a span of time in whole seconds, such as 10s or 7d (INPUT-4)"#,
            "21:48: `tickets.stale.forge` cannot be `forged`; expected wrong_key, old_key, other_app, garbage, empty, oversized, bomb or truncated (INPUT-4)",
        ],
    ),
    (
        r#"stale = { user = "alice" }"#,
        r#"last = { user = "a b" }"#,
        &[
            "21:1: `last` cannot name a ticket; expected a name other than `last`, which is the ticket of the device's previous login (INPUT-4)",
            r#"21:17: `tickets.last.user` cannot be "a b"; expected a user id: 1 to 32 of a-z A-Z 0-9 _ - (INPUT-4)"#,
        ],
    ),
    (
        "[script]",
        "[skript]",
        &[
            "23:2: there is no key `skript`; expected title, rules, seed, tick, verdict_only, converge, app, limits, sites, devices, tickets or script; did you mean `script`? (INPUT-4)",
        ],
    ),
    (r#"until = "60s""#, "", &["23:2: `script` has no `until`; expected a key `until` (INPUT-4)"]),
    (
        r#"until = "60s""#,
        r#"until = "60 s""#,
        &[
            r#"24:9: `script.until` cannot be "60 s"; expected a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d, over zero (INPUT-4)"#,
        ],
    ),
    (
        r#"steps = """"#,
        r#"stepps = """"#,
        &["25:1: there is no key `script.stepps`; expected until, steps or expect; did you mean `steps`? (INPUT-4)"],
    ),
    (r#"title = "t""#, r#"title = "t"#, &[r#"1:11: invalid basic string; expected `"` (INPUT-4)"#]),
    (
        r#"title = "t""#,
        "title = t
seed = 1",
        &[
            "1:9: invalid boolean; expected `true` (INPUT-4)",
            "4:1: a key that was there before; expected each key once (INPUT-4)",
        ],
    ),
    (
        r#"title = "t""#,
        "title = t
nonsense here
x = 1",
        &[
            "1:9: invalid boolean; expected `true` (INPUT-4)",
            "2:10: key with no value; expected `=` (INPUT-4)",
            "3:1: there is no key `x`; expected title, rules, seed, tick, verdict_only, converge, app, limits, sites, devices, tickets or script (INPUT-4)",
        ],
    ),
    (
        r#""""
expect"#,
        "expect",
        &["28:10: key with no value; expected `=` (INPUT-4)", "30:1: key with no value; expected `=` (INPUT-4)"],
    ),
    (
        "1s  phone-1",
        r#"1\q"#,
        &[r#"26:3: missing escaped value; expected `b`, `e`, `f`, `n`, `r`, `\`, `"`, `x`, `u`, `U` (INPUT-4)"#],
    ),
    ("[limits]", "[limits", &["10:8: unclosed table; expected `]` (INPUT-4)"]),
    ("[limits]", "[app]", &["10:2: a key that was there before; expected each key once (INPUT-4)"]),
    (
        r#"phone-1 = { platform = "android", site = "home" }"#,
        r#"phone-1 = { platform = "android", site = }"#,
        &["17:42: invalid literal string; expected `'` (INPUT-4)"],
    ),
];

/// What takes the place of the one step, and the report.
const STEPS: &[(&str, &[&str])] = &[
    (
        "phone-1 login alice",
        &[
            "26:1: `phone-1` is no time; expected the time of the step: 0s, 1.5s, 1m30s, or a range such as 0s..10s (INPUT-4)",
        ],
    ),
    ("1s", &["26:3: nothing happens at 1s; expected a device, `fault` or `app`, then what it does (INPUT-4)"]),
    (
        "1s phone-1",
        &[
            "26:11: the line ends too early; expected init, uninit, login, logout, send, conversations, kick, query, network_changed, on or raw (INPUT-4)",
        ],
    ),
    (
        "1s phoen-1 login alice",
        &[
            "26:4: there is no device `phoen-1`; expected page, phone-1, fault or app; did you mean `phone-1`? (INPUT-4)",
        ],
    ),
    (
        "1s falut partition home",
        &["26:4: there is no device `falut`; expected page, phone-1, fault or app; did you mean `fault`? (INPUT-4)"],
    ),
    (
        "1s phone-1 lgoin alice",
        &[
            "26:12: `lgoin` is no action of a device; expected init, uninit, login, logout, send, conversations, kick, query, network_changed, on or raw; did you mean `login`? (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 login",
        &[
            "26:17: the line ends too early; expected a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 login no/body",
        &[
            "26:18: `no/body` is no user id; expected a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 login alice ticket=stael",
        &["26:31: there is no ticket `stael`; expected stale or last; did you mean `stale`? (INPUT-4)"],
    ),
    (
        "1s phone-1 login alice ttl=1.5s",
        &["26:28: `1.5s` is no ttl; expected a span of time in whole seconds, such as 10s or 7d (INPUT-4)"],
    ),
    (
        "1s phone-1 login alice ticket=stale ttl=1s",
        &[
            "26:41: a ttl for a ticket that is there already; expected either `ticket=` or `ttl=`: a named ticket brings its own (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 login alice tiket=stale",
        &[
            "26:24: `tiket=stale` is too much here; expected ticket= or ttl=, or the end of the line; did you mean `ticket`? (INPUT-4)",
        ],
    ),
    ("1s phone-1 login alice ttl=1s bob", &["26:31: `bob` is too much here; expected the end of the line (INPUT-4)"]),
    ("1s phone-1 logout now", &["26:19: `now` is too much here; expected the end of the line (INPUT-4)"]),
    (
        "1s phone-1 send bob hello",
        &["26:21: `hello` is no text in quotes; expected a text in quotes, or bytes=N (INPUT-4)"],
    ),
    (
        "1s phone-1 send bob bytes=many",
        &["26:27: `many` is no number of bytes; expected a number up to 1000000 (INPUT-4)"],
    ),
    ("1s phone-1 send bob", &["26:20: the line ends too early; expected a text in quotes, or bytes=N (INPUT-4)"]),
    (
        "1s phone-1 query",
        &[
            "26:17: the line ends too early; expected a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 query a/b",
        &[
            "26:18: `a/b` is no user id; expected a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 on kicked login alice",
        &[
            "26:15: `kicked` is no listener event; expected connecting, connect_success, connect_failed, kicked_offline, user_sig_expired, message or messages_dropped; did you mean `kicked_offline`? (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 on message on message logout",
        &[
            "26:23: `on` is no call; expected init, uninit, login, logout, send, conversations, kick, query or network_changed (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 on message",
        &[
            "26:22: the line ends too early; expected init, uninit, login, logout, send, conversations, kick, query or network_changed (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 raw garbge",
        &[
            "26:16: `garbge` is no conduct of a stranger; expected garbage, oversized, no_hello, two_hellos, wrong_version, idle, resume_forged, truncated or logout_again; did you mean `garbage`? (INPUT-4)",
        ],
    ),
    ("1s fault", &["26:9: the line ends too early; expected {faults} (INPUT-4)"]),
    (
        "1s fault partitoin home",
        &["26:10: `partitoin` is no fault; expected {faults}; did you mean `partition`? (INPUT-4)"],
    ),
    (
        "1s fault partition hom",
        &["26:20: there is no site `hom`; expected home or office; did you mean `home`? (INPUT-4)"],
    ),
    (
        "1s fault move phone-1 hom",
        &["26:23: there is no site `hom`; expected home or office; did you mean `home`? (INPUT-4)"],
    ),
    ("1s fault partition", &["26:19: the line ends too early; expected a site (INPUT-4)"]),
    (
        "1s fault partition home both",
        &["26:25: `both` is no direction; expected inbound, outbound, or nothing for both (INPUT-4)"],
    ),
    (
        "1s fault partition home inbund",
        &[
            "26:25: `inbund` is no direction; expected inbound, outbound, or nothing for both; did you mean `inbound`? (INPUT-4)",
        ],
    ),
    (
        "1s fault latency home fast",
        &["26:23: `fast` is no latency; expected a span of time such as 30ms, or a range such as 20ms..60ms (INPUT-4)"],
    ),
    (
        "1s fault crash phone-1",
        &[
            "26:16: `phone-1` is no server; expected server; a device is stopped with `kill` and started with `start` (INPUT-4)",
        ],
    ),
    (
        "1s fault bounce server after=x",
        &["26:30: `x` is no span of time; expected a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d (INPUT-4)"],
    ),
    ("1s fault bounce server 3s", &["26:24: `3s` is too much here; expected after=, or the end of the line (INPUT-4)"]),
    (
        "1s fault start sever",
        &["26:16: there is no device `sever`; expected page, phone-1 or server; did you mean `server`? (INPUT-4)"],
    ),
    (
        "1s fault skew phone-1 1",
        &["26:23: `1` is no signed span of time; expected a signed span of time such as -1h, 0s or +2.5s (INPUT-4)"],
    ),
    (
        "1s fault drift server 200",
        &["26:23: `200` is no drift; expected a drift such as +200ppm or -50ppm, at most 1000000ppm (INPUT-4)"],
    ),
    ("1s fault reset", &["26:15: the line ends too early; expected a device (INPUT-4)"]),
    (
        "1s app polciy dual",
        &[
            "26:8: `polciy` is no change of the app; expected policy, max_instances, reconnect_kicks, notify_offline_kick, administrators or drop_key; did you mean `policy`? (INPUT-4)",
        ],
    ),
    (
        "1s app policy duel",
        &["26:15: `duel` is no policy; expected single, dual, triple or multi; did you mean `dual`? (INPUT-4)"],
    ),
    ("1s app max_instances web many", &["26:26: `many` is no number; expected a number of devices (INPUT-4)"]),
    (
        "1s app max_instances web 11",
        &["26:1: max_instances.web is 11, outside 1 to 10; expected 1 to 10 at this point (POLICY-2)"],
    ),
    ("1s app reconnect_kicks yes", &["26:24: `yes` is no switch; expected true or false (INPUT-4)"]),
    ("1s app administrators", &["26:22: the line ends too early; expected users, or none (INPUT-4)"]),
    (
        "1s app administrators a/b",
        &["26:23: `a/b` is no user id; expected a user id: 1 to 32 of a-z A-Z 0-9 _ - (INPUT-4)"],
    ),
    ("1s app drop_key new", &["26:17: `new` is no key; expected old (INPUT-4)"]),
    (
        "61s phone-1 logout",
        &["26:1: a step after the script's end at 60s; expected a time up to 60s, or a later `until` (INPUT-4)"],
    ),
    (
        "1s..2s phone-1 logout",
        &[
            "26:1: a range of times in a line without a pattern; expected one time; a range spreads the devices of a pattern (INPUT-4)",
        ],
    ),
    (
        "2s..1s phone-{1..1} logout",
        &[
            "26:1: `2s..1s` is no time; expected the time of the step: 0s, 1.5s, 1m30s, or a range such as 0s..10s (INPUT-4)",
        ],
    ),
    (
        "1s phone-{1..3} logout",
        &[
            "26:4: there is no device `phone-2`; expected page, phone-1, fault or app; did you mean `phone-1`? (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 login user-{}",
        &[
            "26:18: an index without a pattern in this line; expected a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes (INPUT-4)",
        ],
    ),
    (
        "1s phone-1 login user-{1..2}",
        &[
            "26:18: a range cannot stand here; expected a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes (INPUT-4)",
        ],
    ),
    (
        "1s phone-{1..} login alice",
        &[
            "26:4: `{1..}` is no pattern; expected {A..B} for the numbers A to B, {} for the index, or {%N} for the index wrapped at N (INPUT-4)",
        ],
    ),
    (
        "1s phone-{1..1} login user-{x}",
        &[
            "26:23: `{x}` is no pattern; expected {A..B} for the numbers A to B, {} for the index, or {%N} for the index wrapped at N (INPUT-4)",
        ],
    ),
    (
        "1s fault partition {1..2}{1..2}",
        &[
            "26:20: two ranges in one word; expected {A..B} for the numbers A to B, {} for the index, or {%N} for the index wrapped at N (INPUT-4)",
        ],
    ),
    (
        "1s fault latency home-{1..2} {1..2}ms",
        &["26:30: a second range; expected one range in a line; {} stands for its index elsewhere (INPUT-4)"],
    ),
    (
        r#"1s phone-1 login "alice"#,
        &["26:18: a quote that is never closed; expected a closing quote on the same line (INPUT-4)"],
    ),
    (
        "2s fault hold home
1s fault partition home inbound",
        &[
            "26:1: site home would be held and cut one way at once; expected `repair` before `hold`: a one-way partition and a hold of one link exclude each other (INPUT-4)",
        ],
    ),
    (
        "1s fault hold home
2s fault partition home outbound",
        &[
            "27:1: site home would be held and cut one way at once; expected `release` before `partition`: a one-way partition and a hold of one link exclude each other (INPUT-4)",
        ],
    ),
    (
        "1s app policy multi
2s app max_instances ios 3
3s app policy triple
4s app max_instances ios 0",
        &[
            "28:1: max_instances.ios is 3, outside 1 to 1 (more than 1 only under the policy multi); expected 1 to 1 at this point (POLICY-2)",
            "29:1: max_instances.ios is 0, outside 1 to 3; expected 1 to 3 at this point (POLICY-2)",
        ],
    ),
];

/// What takes the place of the one expectation, and the report.
const EXPECTATIONS: &[(&str, &[&str])] = &[
    (
        "phone-1",
        &[
            "29:8: the line ends too early; expected connecting, connect_success, connect_failed, kicked_offline, user_sig_expired, message, messages_dropped, status, login_user, receives, login, logout, send, conversations, kick, query, init or uninit (INPUT-4)",
        ],
    ),
    ("alice", &["29:6: the line ends too early; expected online, sessions, presence, counted or epochs (INPUT-4)"]),
    (
        "phoen-1 status LOGINED",
        &["29:1: there is no device `phoen-1`; expected page or phone-1; did you mean `phone-1`? (INPUT-4)"],
    ),
    (
        "phone-1 stauts LOGINED",
        &[
            "29:9: `stauts` is no expectation of a device; expected connecting, connect_success, connect_failed, kicked_offline, user_sig_expired, message, messages_dropped, status, login_user, receives, login, logout, send, conversations, kick, query, init or uninit; did you mean `status`? (INPUT-4)",
        ],
    ),
    (
        "alice onlin phone-1",
        &[
            "29:7: `onlin` is no expectation; expected online, sessions, presence, counted or epochs of a user; `alice` is no device; did you mean `online`? (INPUT-4)",
        ],
    ),
    (
        "phone-1 online page",
        &[
            "29:9: `online` is asked of a user, and phone-1 is a device; expected connecting, connect_success, connect_failed, kicked_offline, user_sig_expired, message, messages_dropped, status, login_user, receives, login, logout, send, conversations, kick, query, init or uninit (INPUT-4)",
        ],
    ),
    (
        "phone-1 status LOGGED",
        &["29:16: `LOGGED` is no status; expected LOGOUT, LOGINING or LOGINED; did you mean `LOGINED`? (INPUT-4)"],
    ),
    (
        "phone-1 status LOGINED at",
        &["29:26: the line ends too early; expected a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d (INPUT-4)"],
    ),
    (
        "phone-1 status LOGINED at 61s",
        &["29:27: a time after the script's end at 60s; expected a time up to 60s, or a later `until` (INPUT-4)"],
    ),
    ("phone-1 status LOGINED 3s", &["29:24: `3s` is too much here; expected at, or the end of the line (INPUT-4)"]),
    (
        "phone-1 login_user a/b",
        &["29:20: `a/b` is no user id; expected a user id: 1 to 32 of a-z A-Z 0-9 _ - (INPUT-4)"],
    ),
    ("phone-1 kicked_offline", &["29:23: the line ends too early; expected once, never, twice or N times (INPUT-4)"]),
    (
        "phone-1 kicked_offline often",
        &["29:24: `often` is no number of times; expected once, never, twice or N times (INPUT-4)"],
    ),
    ("phone-1 kicked_offline 3", &["29:25: the line ends too early; expected times (INPUT-4)"]),
    (
        "phone-1 kicked_offline 3 tims",
        &["29:26: `tims` is no `times`; expected times, after the number; did you mean `times`? (INPUT-4)"],
    ),
    (
        "phone-1 kicked_offline once reason=other",
        &[
            "29:36: `other` is no reason; expected same_platform, other_platform, administrator or gone; did you mean `other_platform`? (INPUT-4)",
        ],
    ),
    (
        "phone-1 kicked_offline once code=6014",
        &["29:34: kicked_offline has no code; expected `code=` with connect_failed only (INPUT-4)"],
    ),
    (
        "phone-1 connect_failed once code=9509",
        &[
            "29:34: `9509` is no code; expected 6013, 6014, 6015, 6017, 6022, 6023, 6206, 6208, 7003, 7009, 7013, 7501, 7502, 9508, 9510, 9520, 9530, 60007, 60010, 70001, 70002, 70003, 70009, 70013, 70014, 70050, 70052, 70107, 70169, 70402, 70500; did you mean `9508`? (INPUT-4)",
        ],
    ),
    (
        "phone-1 connect_failed once reason=gone",
        &["29:36: connect_failed has no reason; expected `reason=` with kicked_offline only (INPUT-4)"],
    ),
    (
        "phone-1 message once between 3s",
        &["29:32: the line ends too early; expected a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d (INPUT-4)"],
    ),
    (
        "phone-1 message once between 3s 2s",
        &["29:33: nothing is between 3s and 2s; expected the earlier time first (INPUT-4)"],
    ),
    (
        "phone-1 message once betwen 2s 3s",
        &[
            "29:22: `betwen` is too much here; expected between, or the end of the line; did you mean `between`? (INPUT-4)",
        ],
    ),
    (
        "phone-1 login answers ok",
        &[
            "29:15: `answers` is no number of a call; expected the call's number among its kind on this device: #1, #2 … (INPUT-4)",
        ],
    ),
    (
        "phone-1 login #0 answers ok",
        &[
            "29:15: `#0` is no number of a call; expected the call's number among its kind on this device: #1, #2 … (INPUT-4)",
        ],
    ),
    ("phone-1 login #1 lists alice", &["29:18: `lists` is no word here; expected answers (INPUT-4)"]),
    (
        "phone-1 login #1 answers okay",
        &["29:26: `okay` is no answer; expected ok, nothing, or a code such as 6014; did you mean `ok`? (INPUT-4)"],
    ),
    (
        "phone-1 login #1 answers 6015x",
        &["29:26: `6015x` is no answer; expected ok, nothing, or a code such as 6014 (INPUT-4)"],
    ),
    (
        "phone-1 login #1 answers 6012",
        &[
            "29:26: `6012` is no code; expected 6013, 6014, 6015, 6017, 6022, 6023, 6206, 6208, 7003, 7009, 7013, 7501, 7502, 9508, 9510, 9520, 9530, 60007, 60010, 70001, 70002, 70003, 70009, 70013, 70014, 70050, 70052, 70107, 70169, 70402, 70500; did you mean `6013`? (INPUT-4)",
        ],
    ),
    (
        "phone-1 login #1 answers nothing between 1s 2s",
        &["29:18: no answer at some time; expected `nothing` alone: what never comes has no time (INPUT-4)"],
    ),
    ("phone-1 conversations #1 lists", &["29:31: the line ends too early; expected users, or none (INPUT-4)"]),
    (
        "phone-1 query #1 shows alice away",
        &[
            "29:30: `away` is no status of a user; expected online, push_online, offline or unknown; did you mean `push_online`? (INPUT-4)",
        ],
    ),
    ("phone-1 receives hello once", &["29:18: `hello` is no text in quotes; expected a text in quotes (INPUT-4)"]),
    ("alice online", &["29:13: the line ends too early; expected devices, or nobody (INPUT-4)"]),
    (
        "alice online phone-3",
        &["29:14: there is no device `phone-3`; expected page or phone-1; did you mean `phone-1`? (INPUT-4)"],
    ),
    ("alice sessions at 3s", &["29:16: `at` comes too early; expected devices, or none (INPUT-4)"]),
    (
        "alice presence away",
        &[
            "29:16: `away` is no presence; expected online, push_online or offline; did you mean `push_online`? (INPUT-4)",
        ],
    ),
    ("alice counted often", &["29:15: `often` is no number; expected a number of days (INPUT-4)"]),
    ("a/b counted 1", &["29:1: `a/b` is no user id; expected a user id: 1 to 32 of a-z A-Z 0-9 _ - (INPUT-4)"]),
    (
        "alice online phone-{}",
        &["29:14: an index without a pattern in this line; expected devices, or nobody (INPUT-4)"],
    ),
];

fn check(text: &str, expected: &[&str]) {
    let diagnosis = Scenario::parse("a.toml", text).expect_err(text);
    let report: Vec<String> =
        diagnosis.to_string().lines().map(|line| line.strip_prefix("a.toml:").unwrap().to_owned()).collect();
    assert_eq!(report, expected, "{text}");
}

/// The good file with `replacement` for the first `piece`.
fn broken(piece: &str, replacement: &str) -> String {
    assert!(GOOD.contains(piece), "{piece}");
    GOOD.replacen(piece, replacement, 1)
}

#[test]
fn every_mistake_in_a_header_is_named_where_it_is() {
    assert!(Scenario::parse("a.toml", GOOD).is_ok());
    for (piece, replacement, expected) in HEADER {
        check(&broken(piece, replacement), expected);
    }
}

#[test]
fn every_mistake_in_a_step_is_named_where_it_is() {
    let faults = diagnose::one_of(fault::verbs());
    for (replacement, expected) in STEPS {
        let expected: Vec<String> = expected.iter().map(|line| line.replace("{faults}", &faults)).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(&broken("1s  phone-1  login alice", replacement), &expected);
    }
}

#[test]
fn every_mistake_in_an_expectation_is_named_where_it_is() {
    for (replacement, expected) in EXPECTATIONS {
        check(&broken("phone-1  status LOGINED", replacement), expected);
    }
}

#[test]
fn a_long_script_has_a_coarser_tick_unless_it_names_one() {
    for (until, millis) in [("60s", 1), ("10m", 1), ("11m", 10), ("100m", 10), ("101m", 100), ("7d", 1_000)] {
        let long = broken("until = \"60s\"", &format!("until = \"{until}\""));
        let tick = |text: &str| Scenario::parse("a.toml", text).unwrap().tick;
        assert_eq!(tick(&long), Duration::from_millis(1), "{until}: it is named");
        assert_eq!(tick(&long.replacen("tick = \"1ms\"\n", "", 1)), Duration::from_millis(millis), "{until}");
    }
}

/// A mistake of one stage keeps no other from being told: a platform that is none, a site that is missing, a line that
/// is no TOML, and a step and an expectation about somebody whom the file does not have.
#[test]
fn names_that_do_not_exist_are_told_beside_mistakes_in_the_tables() {
    let text = GOOD
        .replacen("phone-1 = { platform = \"android\", site = \"home\" }", "phone-1 = { platform = \"iphone\" }", 1)
        .replacen("seed = 1", "seed = ", 1)
        .replacen("1s  phone-1  login alice", "1s  phone-1  login alice\n2s  phnoe-1  logout", 1)
        .replacen(
            "phone-1  status LOGINED",
            "phone-1  status logged_in\nphone-2  status LOGOUT\nalcie online nobody",
            1,
        );
    let told = Scenario::parse("a.toml", &text).unwrap_err().to_string();
    for expected in [
        "cannot be `iphone`",
        "did you mean `ios`?",
        "no device `phnoe-1`",
        "did you mean `phone-1`?",
        "no device `phone-2`",
        "did you mean `LOGINED`?",
    ] {
        assert!(told.contains(expected), "{expected} in\n{told}");
    }
}

#[test]
fn an_expectation_about_a_user_whom_the_file_does_not_have_is_refused_with_the_nearest() {
    for (line, column) in [
        ("alcie  sessions none", 1),
        ("alcie  online nobody", 1),
        ("alcie  counted 0", 1),
        ("phone-1  login_user alcie", 21),
        ("phone-1  query #1 shows alcie online", 25),
        ("phone-1  conversations #1 lists alcie", 33),
    ] {
        let refused = Scenario::parse("a.toml", &broken("phone-1  status LOGINED", line)).unwrap_err();
        let [problem] = &refused.errors[..] else { panic!("{refused}") };
        assert_eq!((problem.column, problem.nearest.as_deref()), (column, Some("alice")), "{refused}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_also_beside_broken_toml() {
    let text = GOOD
        .replacen("[\"KICK-1\"]", "[\"KIK-1\"]", 1)
        .replacen("seed = 1", "seed = ", 1)
        .replacen("policy = \"dual\"", "policy = \"duel\"", 1)
        .replacen("1s  phone-1  login alice", "1s phone-1 lgoin alice\n2s phone-9 logout # \\q\n70s phone-1 logout", 1)
        .replacen("status LOGINED", "status LOGIN", 1);
    insta::assert_snapshot!(Scenario::parse("a.toml", &text).unwrap_err(), @r##"
    a.toml:2:10: there is no rule `KIK-1`; expected the id of a rule; did you mean `KICK-1`? (INPUT-4)
    a.toml:3:8: string values must be quoted; expected literal string (INPUT-4)
    a.toml:7:10: `app.policy` cannot be `duel`; expected single, dual, triple or multi; did you mean `dual`? (INPUT-4)
    a.toml:26:12: `lgoin` is no action of a device; expected init, uninit, login, logout, send, conversations, kick, query, network_changed, on or raw; did you mean `login`? (INPUT-4)
    a.toml:27:22: missing escaped value; expected `b`, `e`, `f`, `n`, `r`, `\`, `"`, `x`, `u`, `U` (INPUT-4)
    a.toml:28:1: a step after the script's end at 60s; expected a time up to 60s, or a later `until` (INPUT-4)
    a.toml:31:17: `LOGIN` is no status; expected LOGOUT, LOGINING or LOGINED; did you mean `LOGINED`? (INPUT-4)
    "##);
}

#[test]
fn the_graphical_form_shows_the_lines() {
    let text = broken("1s  phone-1  login alice", "1s  phoen-1  login alice\n2s  phone-1  login alice tll=3s");
    insta::assert_snapshot!(Scenario::parse("a.toml", &text).unwrap_err().graphical(false), @r##"
      × a.toml is refused: 2 mistakes

    Error: INPUT-4

      × there is no device `phoen-1`
        ╭─[a.toml:26:5]
     25 │ steps = """
     26 │ 1s  phoen-1  login alice
        ·     ───────
     27 │ 2s  phone-1  login alice tll=3s
        ╰────
      help: expected page, phone-1, fault or app; did you mean `phone-1`?

    Error: INPUT-4

      × `tll=3s` is too much here
        ╭─[a.toml:27:26]
     26 │ 1s  phoen-1  login alice
     27 │ 2s  phone-1  login alice tll=3s
        ·                          ──────
     28 │ """
        ╰────
      help: expected ticket= or ttl=, or the end of the line; did you mean `ttl`?
    "##);
}

#[test]
fn an_empty_file_lacks_what_every_file_has() {
    check(
        "",
        &[
            "1:1: the file has no `title`; expected a key `title` (INPUT-4)",
            "1:1: the file has no `rules`; expected a key `rules` (INPUT-4)",
            "1:1: the file has no `seed`; expected a key `seed` (INPUT-4)",
            "1:1: the file has no `script`; expected a key `script` (INPUT-4)",
        ],
    );
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::scenario::fixed_seed::cases(256))]

        /// Whatever the file, the parser answers, and every place it names is in the file.
        #[test]
        fn is_parsed_or_refused(cut in 0..GOOD.len(), length in 0..8_usize, noise in "[ -~\\näß]{0,6}") {
            let end = (cut + length).min(GOOD.len());
            let text = format!("{}{noise}{}", &GOOD[..cut], &GOOD[end..]);
            if let Err(diagnosis) = Scenario::parse("a.toml", &text) {
                prop_assert!(!diagnosis.errors.is_empty());
                prop_assert!(diagnosis.errors.iter().all(|problem| problem.offset + problem.length <= text.len()));
                prop_assert!(!diagnosis.graphical(true).is_empty());
            }
        }
    }
}
