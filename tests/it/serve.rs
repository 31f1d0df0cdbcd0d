//! `gatecrashd serve`, started as a process: devices log in over TCP, signals stop it, and a
//! configuration that cannot be used is refused.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::policy::Platform;

use crate::loopback::{APP, Directory, KEY, logged_in, run};

/// A configuration in a directory of its own.
pub fn configured(text: &str) -> Directory {
    let directory = Directory::new();
    std::fs::create_dir_all(&directory.0).unwrap();
    std::fs::write(directory.0.join("app.toml"), text).unwrap();
    std::fs::write(directory.0.join("app.key"), format!("{KEY}\n")).unwrap();
    directory
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
}

/// INPUT-4, POLICY-2: exit 3, with file, line and column; nothing runs.
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
    let good = "app_id = 7\nkey_files = [\"app.key\"]\n";
    assert!(refused(good, &["--listen", "nowhere"]).contains("cannot listen on nowhere: "));
    assert!(refused(good, &["--log", "loud"]).contains("--log"));
    assert!(refused(good, &["--config", "b.toml"]).contains("--config"));
}
