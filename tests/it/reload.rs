//! `gatecrashd serve` told by SIGHUP to read its configuration again (CONFIG-2), with devices connected all the while.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::driver::Surroundings;
use gatecrash::driver::client;
use gatecrash::driver::disk::MemoryDisk;
use gatecrash::driver::tokio::Live;
use gatecrash::policy::Platform;
use gatecrash::ticket::{SecretKey, Ticket, TicketSpec, sign};
use gatecrash::time::WallTime;

use crate::authority::{Authority, Signed};
use crate::check_config::{command, said};
use crate::loopback::{APP, Directory, KEY, hears, run};
use crate::serve::{Process, address_of, configured, ended, gatecrashd, stop};

/// How long a server may say nothing that is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server logs, line by line.
pub struct Log(Receiver<String>);

impl Log {
    #[expect(clippy::disallowed_methods, reason = "a pipe has no time-out of its own")]
    pub fn of(process: &mut Process) -> Self {
        let (lines, log) = channel();
        let said = BufReader::new(process.0.stderr.take().unwrap());
        // Whoever waits for a line that never comes does not wait for ever.
        std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        Log(log)
    }

    /// The next line that says this.
    pub fn until(&mut self, what: &str) -> String {
        let mut said = String::new();
        loop {
            let line = self.0.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("{error}: it does not say `{what}`, and said\n{said}"));
            if line.contains(what) {
                return line;
            }
            said += &line;
            said.push('\n');
        }
    }
}

fn write(directory: &Directory, name: &str, text: &str) {
    std::fs::write(directory.0.join(name), text).unwrap();
}

fn signed_with(key: &str) -> Ticket {
    let issued_at = Live::new().now().wall.seconds();
    let user = "alice".parse().unwrap();
    sign(&TicketSpec { app_id: APP, user, issued_at, ttl: 3_600, userbuf: None }, &SecretKey::from(key))
}

fn text(keys: &str, more: &str) -> String {
    format!(
        "app_id = {APP}\nkey_files = [{keys}]\n{more}[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"a.pem\"\nkey = \"a.key\"\n"
    )
}

/// CONFIG-2, TLS-3: key and certificate are replaced while a device is logged in, and what is wrong changes nothing.
#[test]
fn keys_and_certificates_are_replaced_while_a_device_stays_logged_in() {
    let (old, new) = (Authority::new(), Authority::new());
    let directory = configured(&text("\"app.key\"", ""));
    let certify = |authority: &Authority| {
        let signed = authority.signs("localhost");
        write(&directory, "a.pem", &signed.chain);
        write(&directory, "a.key", &signed.key);
    };
    certify(&old);
    write(&directory, "next.key", "the key that is to come");
    let mut process = gatecrashd(&directory, &[]);
    let said = address_of(&mut process);
    let port = said.strip_suffix(" (TLS)").expect("how it listens").rsplit_once(':').unwrap().1.to_owned();
    let address = format!("localhost:{port}");
    let mut log = Log::of(&mut process);
    run(async {
        let device = async |authority: &Authority| {
            let guarded = authority.trusted().guards(Live::new(), &address).unwrap();
            let (sdk, driver) = client::sdk(guarded, MemoryDisk::default(), address.as_str());
            tokio::spawn(driver.run());
            sdk.init(Platform::Ios).await.unwrap();
            sdk
        };
        let phone = device(&old).await;
        let mut heard = hears(&phone);
        phone.login("alice", signed_with(KEY)).await.unwrap();
        heard.until("connect_success").await;

        // All that is wrong is told, and none of what is right is put in force.
        write(&directory, "app.toml", &text("\"next.key\"", "policy = \"duel\"\nreconnect_kicks = 1\n"));
        stop(&process, "-HUP");
        assert!(log.until("nothing is changed").contains("app.toml:3:10: unknown word `duel`"));
        assert!(log.until("nothing is changed").contains("app.toml:4:19: invalid type"));
        write(&directory, "app.toml", &text("\"next.key\"", "").replace("127.0.0.1:0", "127.0.0.1:1"));
        stop(&process, "-HUP");
        assert!(log.until("nothing is changed").contains("where to listen cannot change"));
        let second = device(&old).await;
        assert_eq!(
            second.login("alice", signed_with("the key that is to come")).await,
            Err(Code::TicketSignature.into())
        );

        write(&directory, "app.toml", &text("\"next.key\"", ""));
        certify(&new);
        stop(&process, "-HUP");
        log.until("reloaded");
        assert_eq!(phone.login_status(), Status::Logined);
        let third = device(&new).await;
        assert_eq!(third.login("alice", signed_with(KEY)).await, Err(Code::TicketSignature.into()));
        third.login("alice", signed_with("the key that is to come")).await.unwrap();
        assert_eq!(heard.next().await, "kicked_offline 1 same_platform", "on the link it had from the beginning");
    });
    stop(&process, "-TERM");
    log.until("stopped");
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

/// CONFIG-2: where metrics are asked for cannot change while it runs, not to another place, nor from or to nowhere: it is
/// told so, and nothing else of that configuration is in force.
#[test]
fn where_metrics_are_asked_for_cannot_change_while_it_runs() {
    let text = |keys: &str, metrics: &str| {
        let metrics = if metrics.is_empty() { String::new() } else { format!("[metrics]\nlisten = \"{metrics}\"\n") };
        format!("app_id = {APP}\nkey_files = [{keys}]\nlisten = \"127.0.0.1:0\"\n{metrics}")
    };
    for (before, changed) in [("127.0.0.1:0", "127.0.0.1:1"), ("127.0.0.1:0", ""), ("", "127.0.0.1:0")] {
        let directory = configured(&text("\"app.key\"", before));
        let mut process = gatecrashd(&directory, &[]);
        address_of(&mut process);
        let mut log = Log::of(&mut process);
        write(&directory, "app.toml", &text("\"app.key\", \"app.key\"", changed));
        stop(&process, "-HUP");
        let said = log.until("reloaded");
        assert!(
            said.contains("not reloaded, nothing is changed: where metrics are asked for cannot change"),
            "{before} {changed}: {said}"
        );
        write(&directory, "app.toml", &text("\"app.key\", \"app.key\"", before));
        stop(&process, "-HUP");
        assert!(log.until("reloaded").contains("keys=2"));
        stop(&process, "-TERM");
        log.until("stopped");
        assert_eq!(process.0.wait().unwrap().code(), Some(0));
    }
}

/// CONFIG-2, TLS-1: a certificate that has run out stays in force, and holds up nothing else that is reloaded; another that
/// has run out does not come into force.
#[test]
fn a_certificate_that_runs_out_holds_up_no_reload() {
    let authority = Authority::new();
    let live = Live::new();
    let last = WallTime::from_seconds(live.now().wall.seconds() + 5);
    let directory = configured(&text("\"app.key\"", ""));
    let certify = |signed: &Signed| {
        write(&directory, "a.pem", &signed.chain);
        write(&directory, "a.key", &signed.key);
    };
    certify(&authority.signs_until("localhost", last));
    let mut process = gatecrashd(&directory, &["--log-format", "json"]);
    address_of(&mut process);
    let mut log = Log::of(&mut process);
    log.until("expires soon");
    run(async {
        while live.now().wall.seconds() <= last.seconds() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    write(&directory, "app.toml", &text("\"app.key\", \"app.key\"", ""));
    stop(&process, "-HUP");
    let warned = log.until("has expired");
    assert!(warned.contains("WARN") && warned.contains("'a.pem'"), "{warned}");
    assert!(log.until("reloaded").contains("\"keys\":2"));

    certify(&authority.signs_from("localhost", 2020, 2021));
    stop(&process, "-HUP");
    assert!(log.until("has expired").contains("not reloaded, nothing is changed"));
    certify(&authority.signs("localhost"));
    stop(&process, "-HUP");
    assert!(log.until("reloaded").contains("\"keys\":2"));
    stop(&process, "-TERM");
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
    let checked = command(&directory, &["check-config", "--config", "app.toml"]);
    assert_eq!(said(&checked).0, Some(0));
    certify(&authority.signs_from("localhost", 2020, 2021));
    assert!(ended(gatecrashd(&directory, &[])).1.contains("has expired"), "nobody starts with it");
}
