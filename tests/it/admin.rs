//! `gatecrashd admin`: an administrator's calls from the command line, against a server that runs as a process.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::policy::Platform;
use serde_json::{Value, json};

use crate::check_config::{command, said};
use crate::loopback::{APP, Directory, logged_in, run, ticket};
use crate::serve::{Process, address_of, configured, ended, gatecrashd, stop};

fn serving() -> (Directory, Process, String) {
    let directory = configured(&format!(
        "app_id = {APP}\nkey_files = [\"app.key\"]\nlisten = \"127.0.0.1:0\"\nadministrators = [\"root\"]\n"
    ));
    let mut process = gatecrashd(&directory, &["--log", "error"]);
    let address = address_of(&mut process);
    std::fs::write(directory.0.join("root.ticket"), format!("{}\n", ticket("root").as_str())).unwrap();
    std::fs::write(directory.0.join("eve.ticket"), ticket("eve").as_str()).unwrap();
    (directory, process, address)
}

/// How it ended, what it printed, and what it complained of.
fn admin(directory: &Directory, address: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let before = ["admin", "--server", address];
    let output = command(directory, &[&before, arguments].concat());
    let (code, out, problems) = said(&output);
    (code, out.to_owned(), problems.to_owned())
}

const ROOT: [&str; 4] = ["--user", "root", "--ticket-file", "root.ticket"];

fn as_root(directory: &Directory, address: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    admin(directory, address, &[&ROOT, arguments].concat())
}

/// ADMIN-1, ADMIN-2.
#[test]
fn an_administrator_asks_who_is_online_and_ends_sessions() {
    let (directory, process, address) = serving();
    run(async {
        let (phone, mut heard) = logged_in(&address, Platform::Ios, "alice").await;
        let (_page, _) = logged_in(&address, Platform::Web, "alice").await;
        let (bob, _) = logged_in(&address, Platform::Mac, "bob").await;
        bob.logout().await.unwrap();

        let (code, out, problems) = as_root(&directory, &address, &["query", "alice", "bob", "nobody"]);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((code, problems.as_str(), lines.len()), (Some(1), "", 5), "somebody is unknown: {out}");
        assert_eq!((lines[0], lines[3], lines[4]), ("alice  online", "bob  offline", "nobody  [70107] no such user"));
        assert!(lines[1].ends_with("  ios      connected") && lines[2].ends_with("  web      connected"), "{out}");

        let (code, out, _) = as_root(&directory, &address, &["--json", "query", "bob", "nobody"]);
        let expected = json!({
            "users": [{ "user": "bob", "presence": "offline", "devices": [] }],
            "unknown": ["nobody"],
        });
        assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (Some(1), expected));

        let (code, out, _) = as_root(&directory, &address, &["sessions", "alice"]);
        assert_eq!((code, out.lines().next()), (Some(0), Some("alice has 2 sessions")));
        let with_key = ["--user", "root", "--app-id", &APP.to_string(), "--key-file", "app.key"];
        let kicked = admin(&directory, &address, &[&with_key[..], &["kick", "alice"]].concat());
        let text = "kicked alice: its sessions are over, and its tickets void\n";
        assert_eq!(kicked, (Some(0), text.to_owned(), String::new()));
        assert_eq!(heard.next().await, "kicked_offline 1 administrator");
        assert_eq!(phone.login_status(), Status::Logout);
        let (code, out, _) = as_root(&directory, &address, &["sessions", "alice"]);
        assert_eq!((code, out.as_str()), (Some(0), "alice has 0 sessions\n"));
        let (code, out, _) = as_root(&directory, &address, &["--json", "kick", "alice"]);
        assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (Some(0), json!({ "kicked": "alice" })));
    });
    stop(&process, "-TERM");
    assert_eq!(ended(process), (Some(0), String::new()));
}

/// The place it takes is a web page's, by default: the administrator's own phone stays where it is, and when the command has
/// ended nothing is left of it. Under `dual` a desktop would have displaced the phone.
#[test]
fn it_takes_a_web_pages_place_and_gives_it_back() {
    let (directory, process, address) = serving();
    run(async {
        let (root, mut heard) = logged_in(&address, Platform::Ios, "root").await;
        let (code, out, _) = as_root(&directory, &address, &["sessions", "root"]);
        assert_eq!((code, out.lines().next()), (Some(0), Some("root has 2 sessions")), "the phone, and the command");
        assert!(out.lines().nth(2).is_some_and(|line| line.ends_with("  web      connected")), "{out}");
        let report = root.query_online_status(["root"]).await.unwrap();
        assert_eq!(report.users[0].devices.len(), 1, "it has logged out");
        assert!(heard.is_quiet());
        let (code, out, _) = as_root(&directory, &address, &["--platform", "linux", "sessions", "root"]);
        assert_eq!((code, out.lines().next()), (Some(0), Some("root has 1 session")));
        assert_eq!(heard.next().await, "kicked_offline 1 other_platform");
    });
    stop(&process, "-TERM");
    assert_eq!(ended(process), (Some(0), String::new()));
}

/// ADMIN-3, TICKET-3: what the server refuses is its code, and exit 1.
#[test]
fn a_refusal_is_the_servers_code() {
    let (directory, process, address) = serving();
    let refused = |arguments: &[&str], code: Code| {
        assert_eq!(
            admin(&directory, &address, arguments),
            (Some(1), String::new(), format!("error: {code}\n")),
            "{arguments:?}"
        );
    };
    let eve = ["--user", "eve", "--ticket-file", "eve.ticket"];
    refused(&[&eve[..], &["kick", "eve"]].concat(), Code::NotAdministrator);
    refused(&["--user", "root", "--ticket-file", "eve.ticket", "kick", "eve"], Code::TicketOtherUser);
    refused(&["--user", "root", "--ticket", "nonsense", "kick", "eve"], Code::TicketMalformed);
    refused(&[&ROOT[..], &["kick", "nobody"]].concat(), Code::UnknownUser);
    let (code, out, problems) = admin(&directory, &address, &[&eve[..], &["--json", "kick", "eve"]].concat());
    let expected = json!({ "code": 60010, "reason": Code::NotAdministrator.text() });
    assert_eq!((code, serde_json::from_str(&out).ok(), problems.as_str()), (Some(1), Some(expected), ""));

    stop(&process, "-TERM");
    assert_eq!(ended(process), (Some(0), String::new()));
    refused(&[&ROOT[..], &["--timeout", "300ms", "kick", "eve"]].concat(), Code::NoLink);
}

#[test]
fn bad_input_is_told_before_the_network_is_asked() {
    let directory = configured("");
    std::fs::write(directory.0.join("empty"), "\n").unwrap();
    let bad = |arguments: &[&str], part: &str| {
        let (code, out, problems) = admin(&directory, "127.0.0.1:1", arguments);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{problems}");
        assert!(problems.contains(part), "{problems}");
    };
    bad(&["--user", "root", "kick", "eve"], "--ticket");
    bad(&["--user", "a b", "--ticket", "t", "kick", "eve"], "a user id is 1 to 32 bytes");
    bad(&["--user", "root", "--ticket", "t", "kick", "a b"], "a user id is 1 to 32 bytes");
    bad(&["--user", "root", "--ticket", "t", "--ticket-file", "f", "kick", "eve"], "cannot be used with");
    bad(&["--user", "root", "--key-file", "app.key", "kick", "eve"], "--app-id");
    bad(&["--user", "root", "--ticket-file", "none", "kick", "eve"], "cannot read the ticket from 'none'");
    bad(&["--user", "root", "--ticket-file", "empty", "kick", "eve"], "the ticket is empty");
    bad(&["--user", "root", "--app-id", "7", "--key-file", "empty", "kick", "eve"], "the key file 'empty' is empty");
    bad(&["--user", "root", "--ticket", "t", "--platform", "iphone", "kick", "eve"], "valid are android, ios");
    bad(&["--user", "root", "--ticket", "t", "--timeout", "soon", "kick", "eve"], "expected a time");
    bad(&["--user", "root", "--ticket", "t", "query"], "USER");
}
