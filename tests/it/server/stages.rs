//! Where many conversations begin: stages by name, in the lines a conversation is written in.
//!
//! `given NAME` stands for a stage's lines. They are played and compared each time, as if they were written
//! out. What a test is about is not on a stage: its own lines say it.

/// The stages, shorter ones first.
const STAGES: [(&str, &str); 9] = [
    (
        "alice on phone",
        "
        phone/1 open android
        phone/1 login alice
            phone/1 < login ok 1
        ",
    ),
    (
        "alice on phone for a minute",
        "
        phone/1 open android
        phone/1 login alice ttl=60
            phone/1 < login ok 1
        ",
    ),
    (
        "alice on phone and web",
        "
        phone/1 open android
        web/1 open web
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login alice
            web/1 < login ok 2
        ",
    ),
    (
        "alice on one and two, as many as there may be",
        "
        config policy=multi android=2
        one/1 open android
        two/1 open android
        one/1 login alice
            one/1 < login ok 1
        two/1 login alice
            two/1 < login ok 2
        ",
    ),
    (
        "alice on browsers a and b and on phone",
        "
        a/1 open web
        b/1 open web
        phone/1 open ios
        a/1 login alice
            a/1 < login ok 1
        b/1 login alice
            b/1 < login ok 2
        phone/1 login alice
            phone/1 < login ok 3
        ",
    ),
    (
        "root on desk",
        "
        desk/1 open windows
        desk/1 login root
            desk/1 < login ok 1
        ",
    ),
    (
        "alice displaced",
        "
        given alice on phone
        pad/1 open ipad
        pad/1 login alice
            phone/1 < kick alice 1 other_platform by pad
            pad/1 < login ok 2
        ",
    ),
    (
        "alice displaced while away",
        "
        given alice on phone
        phone/1 close
        pad/1 open ipad
        pad/1 login alice
            pad/1 < login ok 2
        ",
    ),
    (
        "alice displaced while away, her login acknowledged",
        "
        given alice on phone
        phone/1 ack alice 1
        phone/1 close
        pad/1 open ipad
        pad/1 login alice
            pad/1 < login ok 2
        ",
    ),
];

pub fn stage(name: &str) -> &'static str {
    let found = STAGES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no such stage: {name}")).1
}
