//! `gatecrashd admin`: an administrator's calls from the command line, against a server that runs as a process.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::policy::Platform;
use serde_json::{Value, json};

use crate::authority::{Authority, Signed};
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
fn admin(directory: &Directory, address: &str, call: &[&str], options: &[&str]) -> (Option<i32>, String, String) {
    let output = command(directory, &[&["admin"], call, &["--server", address], options].concat());
    let (code, out, problems) = said(&output);
    (code, out.to_owned(), problems.to_owned())
}

const ROOT: [&str; 4] = ["--user", "root", "--ticket-file", "root.ticket"];

fn as_root(directory: &Directory, address: &str, call: &[&str]) -> (Option<i32>, String, String) {
    admin(directory, address, call, &ROOT)
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

        let (code, out, _) = as_root(&directory, &address, &["query", "--json", "bob", "nobody"]);
        let expected = json!({
            "users": [{ "user": "bob", "presence": "offline", "devices": [] }],
            "unknown": ["nobody"],
        });
        assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (Some(1), expected));

        let (code, out, _) = as_root(&directory, &address, &["sessions", "alice"]);
        assert_eq!((code, out.lines().next()), (Some(0), Some("alice has 2 sessions")));
        let with_key = ["--user", "root", "--app-id", &APP.to_string(), "--key-file", "app.key"];
        let kicked = admin(&directory, &address, &["kick", "alice"], &with_key);
        let text = "kicked alice: its sessions are over, and its tickets void\n";
        assert_eq!(kicked, (Some(0), text.to_owned(), String::new()));
        assert_eq!(heard.next().await, "kicked_offline 1 administrator");
        assert_eq!(phone.login_status(), Status::Logout);
        let (code, out, _) = as_root(&directory, &address, &["sessions", "alice"]);
        assert_eq!((code, out.as_str()), (Some(0), "alice has 0 sessions\n"));
        let (code, out, _) = as_root(&directory, &address, &["kick", "--json", "alice"]);
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
        let (code, out, _) = as_root(&directory, &address, &["sessions", "root", "--platform", "linux"]);
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
    let refused = |call: &[&str], options: &[&str], code: Code| {
        let expected = (Some(1), String::new(), format!("error: {code}\n"));
        assert_eq!(admin(&directory, &address, call, options), expected, "{options:?}");
    };
    let eve = ["--user", "eve", "--ticket-file", "eve.ticket"];
    refused(&["kick", "eve"], &eve, Code::NotAdministrator);
    refused(&["kick", "eve"], &["--user", "root", "--ticket-file", "eve.ticket"], Code::TicketOtherUser);
    refused(&["kick", "eve"], &["--user", "root", "--ticket", "nonsense"], Code::TicketMalformed);
    refused(&["kick", "nobody"], &ROOT, Code::UnknownUser);
    let (code, out, problems) = admin(&directory, &address, &["kick", "--json", "eve"], &eve);
    let expected = json!({ "code": 60010, "reason": Code::NotAdministrator.text() });
    assert_eq!((code, serde_json::from_str(&out).ok(), problems.as_str()), (Some(1), Some(expected), ""));

    stop(&process, "-TERM");
    assert_eq!(ended(process), (Some(0), String::new()));
    let (code, out, problems) = admin(&directory, &address, &["kick", "eve", "--timeout", "300ms"], &ROOT);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let why = format!("error: {}: {address}: nothing listens there: Connection refused", Code::NoLink);
    assert!(problems.starts_with(&why), "{problems}");
    let (code, out, problems) = admin(&directory, &address, &["kick", "eve", "--timeout", "300ms", "--json"], &ROOT);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, answer["code"].as_i64(), problems.as_str()), (Some(1), Some(9508), ""));
    assert!(answer["why"].as_str().is_some_and(|why| why.contains("nothing listens there")), "{answer}");
}

/// TLS-2: the server proves who it is before an administrator's ticket is shown to it.
#[test]
fn over_tls_it_speaks_to_nobody_that_its_authority_does_not_vouch_for() {
    let authority = Authority::new();
    let Signed { chain, key } = authority.signs("localhost");
    let directory = configured(&format!(
        "app_id = {APP}\nkey_files = [\"app.key\"]\nadministrators = [\"root\"]\n\
         [tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n"
    ));
    let (other, own) = (Authority::new().pem(), authority.pem());
    let files = [("chain.pem", chain), ("key.pem", key), ("own.pem", own), ("other.pem", other)];
    for (name, pem) in files {
        std::fs::write(directory.0.join(name), pem).unwrap();
    }
    std::fs::write(directory.0.join("root.ticket"), ticket("root").as_str()).unwrap();
    let mut process = gatecrashd(&directory, &["--log", "error"]);
    let line = address_of(&mut process);
    let port = line.strip_suffix(" (TLS)").and_then(|address| address.rsplit_once(':')).expect("a port with TLS").1;
    let address = format!("localhost:{port}");
    let asked_at = |address: &str, options: &[&str]| {
        admin(&directory, address, &["query", "root", "--timeout", "1s"], &[&ROOT[..], options].concat())
    };
    let asked = |authority: &str| asked_at(&address, &["--authority", authority]);
    let (code, out, problems) = asked("own.pem");
    assert_eq!((code, out.lines().next()), (Some(0), Some("root  online")), "{problems}");
    assert_eq!(asked("app.key").0, Some(3));
    // Who runs the server is told what to mend.
    let told = |(code, out, problems): (Option<i32>, String, String), begins: &str, part: &str| {
        assert_eq!((code, out.as_str()), (Some(1), ""), "{problems}");
        assert!(problems.starts_with(&format!("error: {begins}")) && problems.contains(part), "{problems}");
        assert_eq!(problems.lines().count(), 1, "{problems}");
    };
    let untrusted = format!("{}: localhost:{port}: ", Code::ServerUntrusted);
    told(asked("other.pem"), &untrusted, "no authority that is trusted here has signed its certificate");
    told(asked_at(&address, &["--tls"]), &untrusted, "no authority that is trusted here");
    let by_number = format!("127.0.0.1:{port}");
    let other_name = format!("{}: {by_number}: ", Code::ServerUntrusted);
    told(asked_at(&by_number, &["--authority", "own.pem"]), &other_name, "not valid for name");
    told(asked_at(&address, &[]), "[95", "is TLS on one side only?");
    stop(&process, "-TERM");
    assert_eq!(ended(process), (Some(0), String::new()));
}

#[test]
fn bad_input_is_told_before_the_network_is_asked() {
    let directory = configured("");
    std::fs::write(directory.0.join("empty"), "\n").unwrap();
    let bad = |call: &[&str], options: &[&str], part: &str| {
        let (code, out, problems) = admin(&directory, "127.0.0.1:1", call, options);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{problems}");
        assert!(problems.contains(part), "{problems}");
    };
    bad(&["kick", "eve"], &["--user", "root"], "--ticket");
    bad(&["kick", "eve"], &["--user", "a b", "--ticket", "t"], "a user id is 1 to 32 bytes");
    bad(&["kick", "a b"], &["--user", "root", "--ticket", "t"], "a user id is 1 to 32 bytes");
    bad(&["kick", "eve"], &["--user", "root", "--ticket", "t", "--ticket-file", "f"], "cannot be used with");
    bad(&["kick", "eve"], &["--user", "root", "--key-file", "app.key"], "--app-id");
    bad(&["kick", "eve"], &["--user", "root", "--ticket-file", "none"], "cannot read the ticket from 'none'");
    bad(&["kick", "eve"], &["--user", "root", "--ticket-file", "empty"], "the ticket is empty");
    bad(&["kick", "eve"], &["--user", "root", "--app-id", "7", "--key-file", "empty"], "the key file 'empty' is empty");
    bad(&["kick", "eve"], &["--user", "root", "--ticket", "t", "--platform", "iphone"], "valid are android, ios");
    bad(&["kick", "eve"], &["--user", "root", "--ticket", "t", "--timeout", "soon"], "expected a time");
    bad(&["query"], &["--user", "root", "--ticket", "t"], "USER");
}
