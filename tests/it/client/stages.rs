//! Where many transcripts begin or go on: stages by name, in the lines a transcript is written in.
//!
//! `> given NAME` stands for a stage's lines. They are played and compared each time, as if they were
//! written out. What a test is about is not on a stage: its own lines say it.

/// The stages, each after those it builds on.
const STAGES: [(&str, &str); 14] = [
    (
        "alice connecting",
        "
        > init
        disk device 1 starts 1
        result 1 ok
        > login alice t1
        status LOGINING
        event connecting
        connect 0
        ",
    ),
    (
        "alice logging in",
        "
        > given alice connecting
        > connected
        send 0 hello device 1
        send 0 login 2 1.1 alice t1
        ",
    ),
    (
        "alice",
        "
        > given alice logging in
        > answer login 2 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 1
        ",
    ),
    // The link of whoever is logged in, the first time and at once.
    (
        "the link lost and another tried",
        "
        > closed
        note link lost
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        ",
    ),
    (
        "the link lost and another made",
        "
        > given the link lost and another tried
        > connected
        send 1 hello device 1
        ",
    ),
    (
        "alice without a link",
        "
        > given alice
        > closed
        note link lost
        note back-off 1 0.000
        ",
    ),
    (
        "alice refused a second link",
        "
        > given alice
        > given the link lost and another tried
        > refused
        event connect_failed [9508]
        note back-off 2 0.250
        ",
    ),
    (
        "alice resuming",
        "
        > given alice
        > given the link lost and another made
        send 1 resume 1.2 alice 1 t1
        ",
    ),
    (
        "alice renewing",
        "
        > given alice
        > login alice t2
        send 0 renew 3 1.2 alice 1 t2
        ",
    ),
    (
        "alice sending and renewing",
        "
        > given alice
        > send bob hello
        send 0 message 3 to bob hello
        > login alice t2
        send 0 renew 4 1.2 alice 1 t2
        ",
    ),
    (
        "the switch to bob",
        "
        > login bob t1
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        status LOGINING
        event connecting
        send 0 logout 0 1.2
        send 0 login 3 1.3 bob t1
        ",
    ),
    (
        "the kick told",
        "
        > kick alice 1
        disk device 1 starts 1 ended alice 1
        status LOGOUT
        event kicked_offline alice 1
        send 0 confirmed alice 1
        close 0
        ",
    ),
    // Once nobody is logged in, after one connection.
    (
        "alice connecting once more",
        "
        > login alice t1
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        ",
    ),
    (
        "alice logging out",
        "
        > given alice
        > logout
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        send 0 logout 3 1.2
        ",
    ),
];

pub fn stage(name: &str) -> &'static str {
    let found = STAGES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no such stage: {name}")).1
}
