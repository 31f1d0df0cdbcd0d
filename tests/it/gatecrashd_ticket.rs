//! The command `gatecrashd ticket`, started as a process: what it prints and how it exits.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::ticket::vectors;

/// What a process left behind.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn says(exit: i32, line: &str) -> Ran {
        Ran { exit, stdout: format!("{line}\n"), stderr: String::new() }
    }

    fn fails(line: &str) -> Ran {
        Ran { exit: 3, stdout: String::new(), stderr: format!("error: {line}\n") }
    }
}

/// Runs `gatecrashd ticket` with these words, separated by spaces.
fn run(words: &str) -> Ran {
    run_with(&words.split(' ').collect::<Vec<_>>(), b"")
}

fn run_with(arguments: &[&str], stdin: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatecrashd"))
        .arg("ticket")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A process that reads nothing may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        exit: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file for one test alone.
fn file(name: &str, bytes: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("gatecrashd_ticket.{name}"));
    std::fs::write(&path, bytes).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// A ticket of alice for app 7, signed with `k`, valid for the minute from 1700000000 on.
fn ticket_of_alice() -> String {
    let ran = run("sign --app-id 7 --key k --user alice --ttl 60 --issued-at 1700000000");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    ran.stdout.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn reference_tickets_verify_to_their_last_second() {
    for vector in vectors() {
        let (app, key, user) = (vector.sdk_app_id, &vector.secret_key, vector.user_id);
        let last = vector.issued_at + vector.ttl_seconds;
        let at =
            |now: u64| run(&format!("verify --app-id {app} --key {key} --user {user} --now {now} {}", vector.user_sig));
        for now in [vector.issued_at, last] {
            let ran = at(now);
            assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{} {ran:?}", vector.name);
            assert!(ran.stdout.starts_with(&format!("valid until {last} (")), "{} {ran:?}", vector.name);
        }
        let ran = at(last + 1);
        assert_eq!(ran.exit, 1);
        let expired = format!("[70001] the ticket has expired: valid until {last} (");
        assert!(ran.stdout.starts_with(&expired), "{} {ran:?}", vector.name);
    }
}

#[test]
fn every_refusal_has_its_code_and_reason() {
    // TICKET-3, from the last refusal to the first: what comes later in the order is wrong as well.
    let ticket = ticket_of_alice();
    let verify = |words: &str| run(&format!("verify {words} {ticket}"));
    assert_eq!(
        verify("--app-id 7 --key k --user alice --now 1700000060"),
        Ran::says(0, "valid until 1700000060 (2023-11-14T22:14:20Z), now 1700000060 (2023-11-14T22:14:20Z)")
    );
    assert_eq!(
        verify("--app-id 7 --key k --user alice --now 1700000061"),
        Ran::says(
            1,
            "[70001] the ticket has expired: valid until 1700000060 (2023-11-14T22:14:20Z), now 1700000061 (2023-11-14T22:14:21Z)"
        )
    );
    assert_eq!(
        verify("--app-id 7 --key l --user alice --now 1700000061"),
        Ran::says(1, "[70009] the ticket's signature is wrong: the key does not fit")
    );
    assert_eq!(
        verify("--app-id 7 --key l --key m --user alice --now 1700000061"),
        Ran::says(1, "[70009] the ticket's signature is wrong: none of the 2 keys fits")
    );
    assert_eq!(
        verify("--app-id 7 --key l --user bob --now 1700000061"),
        Ran::says(1, "[70013] the ticket is another user's: it is for \"alice\", not for \"bob\"")
    );
    assert_eq!(
        verify("--app-id 8 --key l --user bob --now 1700000061"),
        Ran::says(1, "[70014] the ticket is another app's: it is for 7, not for 8")
    );
    assert_eq!(
        run(&format!("verify --app-id 8 --key l --user bob --now 1700000061 {}", &ticket[..40])),
        Ran::says(1, "[70003] the ticket is malformed: what the base64 stands for is not one whole zlib stream")
    );
    assert_eq!(
        run(&format!("verify --app-id 8 --key l --user bob {}", "A".repeat(8193))),
        Ran::says(1, "[70003] the ticket is malformed: it is over 8192 bytes long")
    );
    assert_eq!(run("verify --app-id 8 --key l --user bob "), Ran::says(1, "[70002] the ticket is empty"));
}

#[test]
fn one_fitting_key_among_several_is_enough() {
    let ticket = ticket_of_alice();
    let key_file = file("one_of_several", b"k\n");
    for keys in ["--key k --key l", "--key l --key k", &format!("--key l --key-file {key_file}")] {
        assert_eq!(run(&format!("verify --app-id 7 {keys} --user alice --now 0 {ticket}")).exit, 0, "{keys}");
    }
}

#[test]
fn a_ticket_is_read_from_standard_input() {
    let ticket = ticket_of_alice();
    let words = ["verify", "--app-id", "7", "--key", "k", "--user", "alice", "--now", "0", "-"];
    for stdin in [ticket.clone(), format!("{ticket}\n"), format!("  {ticket}\r\n")] {
        assert_eq!(run_with(&words, stdin.as_bytes()).exit, 0, "{stdin:?}");
    }
    assert_eq!(run_with(&words, b"\n"), Ran::says(1, "[70002] the ticket is empty"));
    let refused = |stdin: &[u8]| run_with(&words, stdin).stdout;
    assert!(refused(b"\xff\xfe").starts_with("[70003]"));
    assert!(refused(&vec![b'A'; 1_000_000]).ends_with("it is over 8192 bytes long\n"));
}

#[test]
fn a_key_file_holds_the_key_on_its_only_line() {
    let expected = ticket_of_alice();
    let sign =
        |path: &str| run(&format!("sign --app-id 7 --key-file {path} --user alice --ttl 60 --issued-at 1700000000"));
    // CONFIG-1: what editors, shells and secret stores leave around a key is no part of it.
    for (name, bytes) in [
        ("plain", &b"k"[..]),
        ("newline", b"k\n"),
        ("carriage_return", b"k\r\n"),
        ("space", b"k \n"),
        ("tab", b"\tk\n\n"),
        ("no_break_space", b"\xc2\xa0k\xc2\xa0\n"),
    ] {
        assert_eq!(sign(&file(name, bytes)), Ran::says(0, &expected), "{name}");
    }
    for (name, bytes) in [("empty", &b""[..]), ("only_newline", b"\n"), ("blank", b"  \t\r\n\xc2\xa0")] {
        let path = file(name, bytes);
        assert_eq!(sign(&path), Ran::fails(&format!("the key file '{path}' is empty")));
    }
    let path = file("two_lines", b"k\nl\n");
    assert_eq!(sign(&path), Ran::fails(&format!("the key file '{path}' has more than one line")));
    for (name, bytes, problem) in [
        ("marked", &b"\xef\xbb\xbfk\n"[..], "begins with a byte order mark"),
        ("utf_16", b"\xff\xfek\0\n\0", "begins with a byte order mark"),
        ("utf_16_big", b"\xfe\xff\0k\0\n", "begins with a byte order mark"),
        ("utf_16_unmarked", b"k\0\n\0", "has a NUL in it"),
        ("latin", b"k\xe9y\n", "is not UTF-8"),
        ("coloured", b"\x1b[1mk\n", "has a character in it that does not show"),
    ] {
        let path = file(name, bytes);
        for ran in [sign(&path), run(&format!("verify --app-id 7 --key-file {path} --user alice {expected}"))] {
            assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{name}");
            assert!(ran.stderr.starts_with(&format!("error: the key file '{path}' {problem}")), "{}", ran.stderr);
        }
    }
    let missing = format!("{path}.missing");
    let reason = "No such file or directory (os error 2)";
    let cannot_read = Ran::fails(&format!("cannot read the key file '{missing}': {reason}"));
    if cfg!(unix) {
        assert_eq!(sign(&missing), cannot_read);
        assert_eq!(
            run(&format!("verify --app-id 7 --key k --key-file {missing} --user alice {expected}")),
            cannot_read
        );
    }
}

#[test]
fn a_ticket_signed_now_is_valid_now_for_a_week() {
    let ran = run("sign --app-id 7 --key k --user alice");
    let shown = run(&format!("show --json {}", ran.stdout.trim()));
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["ttl"], json!(604_800));
    assert!(shown["issued_at"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(run(&format!("verify --app-id 7 --key k --user alice {}", ran.stdout.trim())).exit, 0);
}

#[test]
fn show_prints_what_a_ticket_says_without_judging() {
    let ran = run("sign --app-id 7 --key k --user alice --ttl 60 --issued-at 1700000000 --userbuf abc");
    let ticket = ran.stdout.trim();
    let signature = "6AHapAp8VtZLIRew8Xccl3wefDpIzQnJMHOXp68oB4E=";
    assert_eq!(
        run(&format!("show {ticket}")),
        Ran::says(
            0,
            &[
                "app id       7",
                "user         alice",
                "issued at    1700000000 (2023-11-14T22:13:20Z)",
                "ttl          60 seconds",
                "valid until  1700000060 (2023-11-14T22:14:20Z)",
                "user buffer  3 bytes, in base64 YWJj",
                &format!("HMAC-SHA256  {signature} (not checked)"),
            ]
            .join("\n")
        )
    );
    let shown = run(&format!("show {ticket} --json"));
    assert_eq!(shown.exit, 0);
    assert_eq!(
        serde_json::from_str::<Value>(&shown.stdout).unwrap(),
        json!({
            "app_id": 7,
            "user": "alice",
            "user_is_valid": true,
            "issued_at": 1_700_000_000,
            "ttl": 60,
            "valid_until": 1_700_000_060,
            "userbuf_base64": "YWJj",
            "hmac_sha256_base64": signature,
        })
    );
}

#[test]
fn show_refuses_what_cannot_be_read() {
    assert_eq!(run("show ?"), Ran::says(1, "[70003] the ticket is malformed: it is not base64 with * - _ for + / ="));
    let shown = run("show --json ?");
    assert_eq!(shown.exit, 1);
    assert_eq!(
        serde_json::from_str::<Value>(&shown.stdout).unwrap(),
        json!({ "code": 70003, "reason": "it is not base64 with * - _ for + / =" })
    );
}

#[test]
fn a_ticket_may_not_write_to_the_terminal() {
    // Signed elsewhere for a name with an escape sequence in it.
    let ticket = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwjGlBgaGSdFGXrmJOTn5RZVQNcUp2YkFBZkpSlbmEIGSzNxUJStDcwMogIimVhRkFgHFzaD84sx0oJnFblVpppnhrgY*yaZ5*k5*2R6R5e4e6ZmWpSURvilhpoV5YSUZ6d4VBv6Otkq1APbfMi4_";
    let shown = run(&format!("show {ticket}")).stdout;
    assert!(shown.contains(r#""\u{1b}[2Jmallory" (not a valid user id)"#), "{shown:?}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn a_user_buffer_too_long_for_a_ticket_is_bad_input() {
    // Text that no compressor shortens much: the top bits of a congruential generator (Knuth's).
    let mut state = 0_u64;
    let symbol = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + (state >> 33) as u8 % 89)
    };
    let text: String = std::iter::repeat_with(symbol).take(8000).collect();
    let ran = run_with(&["sign", "--app-id", "7", "--key", "k", "--user", "alice", "--userbuf", &text], b"");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("error: the user buffer is too long: it makes a ticket of "), "{}", ran.stderr);
}

#[test]
fn bad_usage_exits_3_and_says_what_was_expected() {
    for (words, expected) in [
        ("sign --app-id 7 --user alice", "<--key <SECRET>|--key-file <PATH>>"),
        ("sign --app-id 7 --key k --key-file f --user alice", "cannot be used with"),
        ("sign --app-id 7 --key k", "--user <USER-ID>"),
        ("sign --app-id seven --key k --user alice", "invalid value 'seven' for '--app-id <NUMBER>'"),
        ("sign --app-id 7 --key k --user a.b", "a user id is 1 to 32 bytes of a-z A-Z 0-9 _ -"),
        ("sign --app-id 7 --key= --user alice", "the key is empty"),
        ("verify --app-id 7 --key \t --user alice eJyr", "the key is empty"),
        ("sign --app-id 7 --key k --user alice --ttl -1", "unexpected argument '-1'"),
        ("verify --app-id 7 --user alice eJyr", "<--key <SECRET>|--key-file <PATH>>"),
        ("verify --app-id 7 --key k --user alice", "<TICKET>"),
        ("show", "<TICKET>"),
        ("sing", "'sign'"),
    ] {
        let ran = run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(expected), "{words}: {}", ran.stderr);
    }
}

#[test]
fn help_shows_examples() {
    for words in ["sign --help", "verify --help", "show --help"] {
        let ran = run(words);
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.contains("Examples:\n  gatecrashd ticket "), "{}", ran.stdout);
    }
}
