//! `gatecrashd serve`, started as a process: devices log in over TCP, signals stop it, a successor takes over, and a
//! configuration that cannot be used is refused.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::driver::Surroundings;
use gatecrash::driver::tokio::Live;
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, ServerFrame};
use gatecrash::time::Instant;

use crate::loopback::{APP, Directory, KEY, Raw, logged_in, run, ticket};

/// A configuration in a directory of its own.
pub fn configured(text: &str) -> Directory {
    let directory = Directory::new();
    std::fs::create_dir_all(&directory.0).unwrap();
    std::fs::write(directory.0.join("app.toml"), text).unwrap();
    write_private(&directory.0.join("app.key"), &format!("{KEY}\n"));
    directory
}

/// A file of a secret, for its owner's eyes only.
pub fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A running `gatecrashd`, which does not outlive its test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

pub fn gatecrashd(directory: &Directory, arguments: &[&str]) -> Process {
    let child = Command::new(env!("CARGO_BIN_EXE_gatecrashd"))
        .args(["serve", "--config", "app.toml"])
        .args(arguments)
        .current_dir(&directory.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Process(child.unwrap())
}

/// How the process ended, and what it said on standard error.
pub fn ended(mut process: Process) -> (Option<i32>, String) {
    let mut log = String::new();
    process.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    (process.0.wait().unwrap().code(), log)
}

/// The address it listens on: its first line.
pub fn address_of(process: &mut Process) -> String {
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.strip_prefix("listening on ").expect("the line that says so").trim_end().to_owned()
}

pub fn stop(process: &Process, signal: &str) {
    assert!(Command::new("kill").args([signal, &process.0.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn two_devices_log_in_one_is_kicked_and_sigterm_ends_it_well() {
    let directory = configured(&format!("app_id = {APP}\nkey_files = [\"app.key\"]\nlisten = \"127.0.0.1:0\"\n"));
    let mut process = gatecrashd(&directory, &["--log", "debug"]);
    let address = address_of(&mut process);
    run(async {
        let (first, mut heard) = logged_in(&address, Platform::Ios, "alice").await;
        let (second, mut second_heard) = logged_in(&address, Platform::Android, "alice").await;
        assert_eq!(heard.next().await, "kicked_offline 1 other_platform");
        assert_eq!(first.login_status(), Status::Logout);
        stop(&process, "-TERM");
        second_heard.until("connect_failed 9508").await;
        assert_eq!(second.login_status(), Status::Logined, "a link loss ends no session (CONN-1)");
        assert_eq!(second.send_message("alice", "?").await, Err(Code::NoLink.into()));
    });
    let (code, log) = ended(process);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("serving") && log.contains("login_answer"), "{log}");
    assert!(!log.contains(KEY), "a log tells no secret");
}

#[cfg(unix)]
#[test]
fn sigint_ends_it_too_and_the_command_line_goes_before_the_file() {
    let directory = configured(&format!("app_id = {APP}\nkeys = [\"k\"]\nlisten = \"203.0.113.1:1\"\n"));
    let mut process = gatecrashd(&directory, &["--listen", "127.0.0.1:0", "--log", "error"]);
    assert!(address_of(&mut process).starts_with("127.0.0.1:"));
    stop(&process, "-INT");
    assert_eq!(ended(process), (Some(0), String::new()));

    // CONFIG-1: a short key is served with, and warned of; the warning does not show it.
    let mut process = gatecrashd(&directory, &["--listen", "127.0.0.1:0", "--log", "warn"]);
    address_of(&mut process);
    stop(&process, "-INT");
    let (_, log) = ended(process);
    assert!(log.contains("app.toml:2:9: a key of less than 32 bytes"), "{log}");
}

/// A server of the app, its key in a file, with these lines above and below the usual ones.
#[cfg(unix)]
fn serving(lines: &str, tables: &str) -> (Directory, Process, String) {
    let text = format!("{lines}\napp_id = {APP}\nkey_files = [\"app.key\"]\nlisten = \"127.0.0.1:0\"\n{tables}\n");
    let directory = configured(&text);
    let mut process = gatecrashd(&directory, &[]);
    let address = address_of(&mut process);
    (directory, process, address)
}

/// STOP-1: from the signal on whoever comes is refused at once, though somebody who neither reads nor closes is still
/// there; and a successor on the same records waits for them, and for the address of the metrics.
#[cfg(unix)]
#[test]
fn a_stop_refuses_newcomers_at_once_and_a_successor_takes_over() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (directory, process, address) = serving("", &format!("[metrics]\nlisten = \"{free}\""));
    let dead = std::net::TcpStream::connect(&address).unwrap();
    run(async {
        let mut raw = Raw::logging_in(&address, 1, "alice").await;
        assert!(matches!(raw.next().await, Ok(ServerFrame::LoginAnswer { outcome: Ok(_), .. })));
        let early = gatecrashd(&directory, &["--listen", "127.0.0.1:0", "--log", "warn"]);
        // It has found the records in use when it has had the time to look.
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop(&process, "-TERM");
        while raw.next().await.is_ok() {}
        let clock = Live::new();
        let refused = tokio::net::TcpStream::connect(&address).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        let mut early = early;
        let mut again = Raw::connect(&address_of(&mut early)).await;
        // It has all that its predecessor had.
        tokio::net::TcpStream::connect(free).await.unwrap();
        let waited = clock.now().instant - Instant::ZERO;
        assert!(waited < Duration::from_secs(4), "{waited:?}: nobody slow is waited for");
        again.hello(1).await;
        again.send(ClientFrame::Heartbeat).await;
        assert!(matches!(again.next().await, Ok(ServerFrame::HeartbeatAnswer)));
        drop(again);
        stop(&early, "-TERM");
        let (code, log) = ended(early);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("waiting for the records"), "{log}");
    });
    drop(dead);
    assert_eq!(ended(process).0, Some(0));
}

/// What happens to sessions is a line each, with user, device, peer and code; a connection has one number; no colours
/// where nobody can see them.
#[cfg(unix)]
#[test]
fn the_log_tells_who_came_who_was_kicked_and_who_was_refused() {
    let (_directory, process, address) = serving("", "[limits]\nrefusals_max = 2");
    run(async {
        let (_first, mut heard) = logged_in(&address, Platform::Ios, "alice").await;
        let (_second, _) = logged_in(&address, Platform::Android, "alice").await;
        assert_eq!(heard.next().await, "kicked_offline 1 other_platform");
        // Attempts grow: a stale one would end its connection as long as the server has not noticed the end of the last.
        for first in (1..=80).step_by(4) {
            let mut stranger = Raw::connect(&address).await;
            stranger.hello(9).await;
            for count in first..first + 4 {
                stranger.login_again(count, "bob", ticket("alice")).await;
                stranger.next().await.unwrap();
            }
        }
    });
    stop(&process, "-TERM");
    let (code, log) = ended(process);
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
    let lines = |word: &str| log.lines().filter(|line| line.contains(word)).collect::<Vec<_>>();
    let logins = lines(": login user=alice");
    assert_eq!(logins.len(), 2, "{log}");
    let field = |line: &str, name: &str| {
        let value = line.split_once(&format!(" {name}=")).map(|(_, rest)| rest.split(' ').next().unwrap().to_owned());
        value.unwrap_or_else(|| panic!("no {name} in {line}"))
    };
    for line in &logins {
        assert_eq!(field(line, "device").len(), 16, "{line}");
        assert!(field(line, "peer").starts_with("127.0.0.1:"), "{line}");
    }
    let kicks = lines(": kicked user=alice");
    assert_eq!(kicks.len(), 1, "{log}");
    for name in ["device", "connection", "peer"] {
        assert_eq!(field(kicks[0], name), field(logins[0], name), "{kicks:?} {logins:?}");
    }
    assert_eq!(field(kicks[0], "by"), field(logins[1], "device"));
    assert_eq!(field(kicks[0], "reason"), "\"other_platform\"");
    let refusals = lines(": login refused user=bob");
    assert_eq!(field(refusals[0], "code"), Code::TicketOtherUser.number().to_string());
    let locks = lines(": login locked user=bob");
    assert_eq!(field(locks[0], "code"), Code::TooManyRefusals.number().to_string());
    assert!(lines("bob").len() < 12, "{log}");
}

/// INPUT-5: a resume of a live session gets in where strangers who say nothing hold the places.
#[cfg(unix)]
#[test]
fn strangers_who_say_nothing_keep_nobody_out() {
    let (_directory, process, address) = serving("connections_max = 4", "");
    run(async {
        let (alice, mut heard) = logged_in(&address, Platform::Ios, "alice").await;
        let mut strangers = Vec::new();
        for _ in 0..200 {
            strangers.push(Raw::connect(&address).await);
        }
        let (_bob, _) = logged_in(&address, Platform::Ios, "bob").await;
        assert_eq!(alice.send_message("bob", "still here").await.map(|_| ()), Ok(()));
        assert!(heard.is_quiet(), "alice kept her connection");
        assert!(strangers[0].next().await.is_err(), "the first stranger made room");
    });
    stop(&process, "-TERM");
    let (_, log) = ended(process);
    let told = log.lines().filter(|line| line.contains("full")).count();
    assert!((1..10).contains(&told), "{told} lines\n{log}");
}

/// The records say who talks to whom: they are their owner's alone, also where an earlier version was less careful.
#[cfg(unix)]
#[test]
fn nobody_else_reads_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, process, _) = serving("", "");
    let data = directory.0.join("gatecrash-data");
    let mode = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    let modes = || ["", "gatecrash.redb", "lock"].map(|name| format!("{:o}", mode(name)));
    assert_eq!(modes(), ["700", "600", "600"]);
    stop(&process, "-TERM");
    assert_eq!(ended(process).0, Some(0));
    for name in ["gatecrash.redb", "lock"] {
        std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let mut process = gatecrashd(&directory, &[]);
    address_of(&mut process);
    assert_eq!(modes(), ["700", "600", "600"]);
}

/// INPUT-4, POLICY-2, CONFIG-1: exit 3, with file, line and column; nothing runs.
#[test]
fn a_configuration_that_cannot_be_used_is_refused() {
    let refused = |text: &str, arguments: &[&str]| {
        let directory = configured(text);
        let mut process = gatecrashd(&directory, arguments);
        let mut out = String::new();
        process.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(out, "", "nothing runs");
        let (code, text) = ended(process);
        assert_eq!(code, Some(3), "{text}");
        assert!(!directory.0.join("gatecrash-data").exists(), "a program that refuses makes nothing");
        text
    };
    assert_eq!(
        refused("app_id = 7\nkey_files = [\"app.key\"]\nadministrator = [\"root\"]\n", &[]),
        "error: app.toml:3:1: unknown key `administrator`; did you mean `administrators`?\n"
    );
    assert_eq!(
        refused("app_id = 7\nkey_files = [\"app.key\"]\n[max_instances]\nweb = 0\n", &[]),
        "error: app.toml:4:7: max_instances.web is 0, outside 1 to 10 (POLICY-2)\n"
    );
    assert!(refused("app_id = 7\nkey_files = [\"none.key\"]\n", &[]).contains("none.key"));
    assert_eq!(
        refused("app_id = 7\nkeys = [\"k\"]\nlisten = \"127.0.0.1:99999\"\npolicy = \"duel\"\n", &[]),
        "error: app.toml:3:10: cannot listen on 127.0.0.1:99999: the port is a number from 0 to 65535\n\
         error: app.toml:4:10: unknown word `duel`; did you mean `dual`?\n"
    );
    // An address of nobody here: the system says so, before anything is made.
    let elsewhere = refused("app_id = 7\nkeys = [\"k\"]\nlisten = \"203.0.113.1:7000\"\n", &[]);
    assert!(elsewhere.contains("error: app.toml:3:10: cannot listen on 203.0.113.1:7000: "), "{elsewhere}");
    // Two that are one.
    let metrics = "app_id = 7\nkeys = [\"k\"]\n[metrics]\nlisten = \"127.0.0.1:17003\"\n";
    assert_eq!(
        refused(metrics, &["--listen", "127.0.0.1:17003"]),
        "error: cannot listen on 127.0.0.1:17003: `listen` of [metrics] is 127.0.0.1:17003 already\n"
    );
    let example = include_str!("../../docs/app.example.toml");
    assert!(refused(example, &[]).contains("the key of the example"));
    assert!(refused(example, &[]).starts_with("error: app.toml:"));
    let good = "app_id = 7\nkey_files = [\"app.key\"]\n";
    assert!(refused(good, &["--listen", "nowhere"]).contains("cannot listen on nowhere: "));
    assert!(refused(good, &["--log", "loud"]).contains("--log"));
    assert!(refused(good, &["--config", "b.toml"]).contains("--config"));
}
