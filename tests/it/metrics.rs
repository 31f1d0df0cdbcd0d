//! What an operator watches: the numbers of a running `gatecrashd`, whether it lives and is ready, and its log as JSON.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::driver::client::Sdk;
use gatecrash::policy::Platform;
use gatecrash::ticket::Ticket;
use serde_json::Value;

use crate::authority::Authority;
use crate::loopback::{APP, Directory, Heard, logged_in, run};
use crate::reload::Log;
use crate::serve::{Process, address_of, configured, gatecrashd, stop};

const CONFIGURATION: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n";

/// A server that is asked.
struct Watched {
    process: Process,
    address: String,
    log: Log,
    asked_at: String,
}

impl Watched {
    fn new(more: &str) -> Self {
        Watched::with(more, |_| {})
    }

    fn with(more: &str, prepare: impl FnOnce(&Directory)) -> Self {
        let directory = configured(&format!("app_id = {APP}\nkey_files = [\"app.key\"]\n{more}{CONFIGURATION}"));
        prepare(&directory);
        let mut process = gatecrashd(&directory, &["--listen", "127.0.0.1:0", "--log-format", "json"]);
        let mut log = Log::of(&mut process);
        let line = said(&log.until("\"metrics\""));
        let asked_at = line["address"].as_str().expect("where metrics are").to_owned();
        let address = address_of(&mut process);
        // The server has read it all.
        drop(directory);
        Watched { process, address, log, asked_at }
    }

    /// The status and the text of an answer.
    fn asked(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.asked_at).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").expect("a head and a text");
        (head[9..12].parse().expect("a status"), text.to_owned())
    }

    /// Asks until the answer is as it should be.
    fn until(&self, path: &str, is_so: impl Fn(&(u16, String)) -> bool) {
        for _ in 0..500 {
            if is_so(&self.asked(path)) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("{path} stays {:?}", self.asked(path));
    }

    /// The number of this name and labels.
    fn number(&self, name: &str) -> f64 {
        let (_, text) = self.asked("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |number| number.parse().expect("a number"))
    }
}

/// One line of a log in JSON.
fn said(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

async fn phone(address: &str, user: &str) -> (Sdk, Heard) {
    logged_in(address, Platform::Ios, user).await
}

/// What happened is what the numbers tell, and `/metrics` is a text that ends as its format wants it.
#[test]
fn the_numbers_tell_what_happened() {
    run(async {
        let watched = Watched::new("");
        let (first, mut heard) = phone(&watched.address, "alice").await;
        let (_second, _) = phone(&watched.address, "alice").await;
        heard.until("kicked_offline 1 same_platform").await;
        let (bob, _) = phone(&watched.address, "bob").await;
        bob.send_message("alice", "hello").await.unwrap();
        let refused = first.login("carol", Ticket::from("forged")).await.unwrap_err().code;
        for (name, number) in [
            ("gatecrash_logins_total{code=\"0\"}", 3.0),
            (&format!("gatecrash_logins_total{{code=\"{}\"}}", refused.number()), 1.0),
            ("gatecrash_kicks_total{reason=\"same_platform\"}", 1.0),
            ("gatecrash_session_ends_total{reason=\"same_platform\"}", 1.0),
            ("gatecrash_sessions", 2.0),
            ("gatecrash_messages_total", 1.0),
            ("gatecrash_day_users", 2.0),
            ("gatecrash_turned_away_total{why=\"full\"}", 0.0),
            ("gatecrash_waiting{what=\"outputs\"}", 0.0),
        ] {
            // What was heard may be counted a moment later.
            watched.until("/metrics", |_| watched.number(name) == number);
        }
        assert_ne!(refused, Code::ServerBusy);
        // Who was refused may have gone, and who was kicked.
        assert!((2.0..=3.0).contains(&watched.number("gatecrash_connections{platform=\"ios\"}")));
        for name in ["gatecrash_changes_total", "gatecrash_commit_wait_seconds_count"] {
            assert!(watched.number(name) >= 4.0, "{name}: {}", watched.number(name));
        }
        let (bytes_in, bytes_out) =
            ("gatecrash_bytes_total{direction=\"in\"}", "gatecrash_bytes_total{direction=\"out\"}");
        assert!(watched.number(bytes_in) > 300.0 && watched.number(bytes_out) > 100.0);
        let (status, text) = watched.asked("/metrics");
        assert_eq!(status, 200);
        assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
        let undescribed = text.lines().filter(|line| !line.starts_with('#')).find(|line| {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let family = ["_total", "_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
            !text.contains(&format!("# HELP {} ", family.unwrap_or(name)))
        });
        assert_eq!(undescribed, None);
        let told = include_str!("../../docs/operate.md");
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').expect("a name and a kind");
            let shown = if kind == "counter" { format!("`{name}_total`") } else { format!("`{name}`") };
            assert!(told.contains(&shown), "docs/operate.md does not tell of {shown}");
        }
    });
}

/// A closed connection is counted as one no more, and as one that the server closed if it did.
#[test]
fn who_is_closed_for_saying_nothing_is_counted() {
    run(async {
        let watched = Watched::new("[limits]\nadmission = \"200ms\"\n");
        let mut stranger = TcpStream::connect(&watched.address).unwrap();
        stranger.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stranger.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(watched.number("gatecrash_closes_total{platform=\"unknown\"}"), 1.0);
        assert_eq!(watched.number("gatecrash_connections{platform=\"unknown\"}"), 0.0);
    });
}

/// TLS-1: a certificate runs out some day, and nobody has to wait for that to see it.
#[test]
fn it_says_when_its_certificate_runs_out() {
    let tls = "[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"a.pem\"\nkey = \"a.key\"\n";
    let signed = Authority::new().signs_from("localhost", 2020, 2100);
    let watched = Watched::with(tls, |directory| {
        std::fs::write(directory.0.join("a.pem"), &signed.chain).unwrap();
        std::fs::write(directory.0.join("a.key"), &signed.key).unwrap();
    });
    assert_eq!(
        watched.number("gatecrash_certificate_valid_until_seconds"),
        4_102_444_800.0,
        "the first of January of 2100"
    );
}

/// Whoever watches is told yes and no, and nobody is told of another path.
#[test]
fn it_says_whether_it_lives_and_is_ready() {
    let mut watched = Watched::new("");
    assert_eq!(watched.asked("/live"), (200, "live\n".into()));
    // It listens a moment before its core begins.
    watched.until("/ready", |answer| *answer == (200, "ready\n".into()));
    assert_eq!(watched.asked("/elsewhere").0, 404);
    let slow = TcpStream::connect(&watched.asked_at).unwrap();
    assert_eq!(watched.asked("/ready").0, 200, "nobody waits for who asks slowly");
    drop(slow);
    stop(&watched.process, "-TERM");
    watched.log.until("\"stopped\"");
    assert_eq!(watched.process.0.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(&watched.asked_at).is_err());
}

/// A line for each login, kick and refusal: one JSON object, with the peer and one number for a connection.
#[test]
fn its_log_is_read_by_machines() {
    run(async {
        let mut watched = Watched::new("");
        let (first, mut heard) = phone(&watched.address, "alice").await;
        let (_second, _) = phone(&watched.address, "alice").await;
        heard.until("kicked_offline 1 same_platform").await;
        let refused = first.login("carol", Ticket::from("forged")).await.unwrap_err().code;
        let login = said(&watched.log.until("\"login\""));
        let kick = said(&watched.log.until("\"kicked\""));
        let refusal = said(&watched.log.until("\"login refused\""));
        assert_eq!([&login["user"], &kick["user"], &refusal["user"]], ["alice", "alice", "carol"]);
        assert_eq!(
            (&kick["reason"], refusal["code"].as_i64()),
            (&"same_platform".into(), Some(refused.number().into()))
        );
        for line in [&login, &kick, &refusal] {
            assert!(line["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:")), "{line}");
            assert!(line["timestamp"].is_string() && line["level"] == "INFO" && line["device"].is_string(), "{line}");
            assert_eq!(line["connection"].as_u64().map(|number| number > 0), Some(true), "{line}");
        }
        assert_eq!(
            (&login["connection"], &login["device"]),
            (&kick["connection"], &kick["device"]),
            "it was the first"
        );
        assert!(!refusal.to_string().contains("forged"), "a log tells no ticket");
    });
}
