//! gatecrash's own SDK as a device of `gatecrash drive`: calls from standard input, and to standard output what its
//! application is told, in the order in which it is.
//!
//! What is said comes from whoever observes the SDK's driver, so that a result and an event that are delivered together
//! keep their order. `docs/drive.md` has the protocol.

mod say;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gatecrash::driver::client::{Sdk, SdkDriver, Setup};
use gatecrash::driver::disk::FileDisk;
use gatecrash::driver::tokio::Live;
use gatecrash::driver::trust::Trust;
use gatecrash::limits::ClientLimits;
use gatecrash::policy::Platform;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use say::{Voice, message_id, say};

/// Plays a device for `gatecrash drive` with gatecrash's own SDK
#[derive(Parser)]
struct Arguments {
    /// The authority that the server's certificate is from, in PEM; without it the server is spoken to in the clear
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// The name in the server's certificate
    #[arg(long, default_value = "localhost")]
    name: String,
    /// Timers are so many times as fast as the rules have them, so that a run takes seconds
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    faster: u32,
}

/// A line to this program.
#[derive(Deserialize)]
struct Asked {
    hello: Option<u32>,
    platform: Option<String>,
    server: Option<String>,
    dir: Option<PathBuf>,
    call: Option<u64>,
    r#do: Option<String>,
    user: Option<String>,
    ticket: Option<Ticket>,
    to: Option<String>,
    text: Option<String>,
    id: Option<String>,
    note: Option<String>,
    stop: Option<u32>,
}

#[derive(Deserialize)]
struct Ticket {
    text: String,
}

/// The code of a call that is not understood: a parameter that means nothing.
const NOT_UNDERSTOOD: u32 = 6017;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut device: Option<(Sdk, Voice)> = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let asked: Asked = match serde_json::from_str(&line) {
            Ok(asked) => asked,
            Err(error) => {
                eprintln!("not understood: {error}: {line}");
                continue;
            }
        };
        if asked.hello.is_some() {
            match begin(&arguments, &asked).await {
                Ok(begun) => device = Some(begun),
                Err(why) => {
                    eprintln!("{why}");
                    return ExitCode::FAILURE;
                }
            }
        } else if let Some((sdk, voice)) = &device {
            match (asked.call, asked.note.as_deref(), asked.stop) {
                (Some(call), ..) => make(sdk, voice, call, &asked),
                (_, Some("woken"), _) => sdk.woken(),
                (_, Some("network_changed"), _) => sdk.network_changed(),
                (_, _, Some(_)) => {
                    let _ = tokio::time::timeout(Duration::from_secs(4), sdk.uninit()).await;
                    return ExitCode::SUCCESS;
                }
                _ => eprintln!("not understood: {line}"),
            }
        }
    }
    // The end of input is that of a process that dies. Nobody waits for the thread that reads it.
    std::process::exit(0)
}

/// Makes the SDK of this device, and says that it is ready.
async fn begin(arguments: &Arguments, asked: &Asked) -> Result<(Sdk, Voice), String> {
    let (Some(platform), Some(server), Some(dir)) = (&asked.platform, &asked.server, &asked.dir) else {
        return Err("hello has to say `platform`, `server` and `dir`".to_owned());
    };
    let platform = Platform::ALL.into_iter().find(|known| known.word() == platform);
    let platform = platform.ok_or("hello names a platform that there is not")?;
    let disk = FileDisk::open(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let voice = Voice::default();
    let sdk = match &arguments.authority {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let trust = Trust::authority(&pem).and_then(|trust| trust.named(&arguments.name));
            let guarded =
                trust.and_then(|trust| trust.guards(Live::new(), server)).map_err(|error| error.to_string())?;
            let (sdk, driver) = SdkDriver::<_, FileDisk, _>::new(guarded, disk, voice.clone(), server.as_str());
            tokio::spawn(driver.run());
            sdk
        }
        None => {
            let (sdk, driver) = SdkDriver::<Live, FileDisk, _>::new(Live::new(), disk, voice.clone(), server.as_str());
            tokio::spawn(driver.run());
            sdk
        }
    };
    let setup = Setup { platform, limits: faster(ClientLimits::of(platform), arguments.faster) };
    sdk.init(setup).await.map_err(|failure| format!("init failed: {failure:?}"))?;
    let can = [
        "called",
        "login",
        "logout",
        "send",
        "conversations",
        "renew",
        "switch",
        "network_changed",
        "tickets",
        "files",
    ];
    say(&serde_json::json!({ "ready": 1, "can": can, "version": concat!("gatecrash ", env!("CARGO_PKG_VERSION")) }));
    voice.speaks();
    Ok((sdk, voice))
}

fn make(sdk: &Sdk, voice: &Voice, call: u64, asked: &Asked) {
    let text = |field: &Option<String>| field.clone();
    // The results are said by whoever observes.
    let known = voice.during(call, || {
        match asked.r#do.as_deref() {
            Some("login") => {
                let ticket = asked.ticket.as_ref().map(|ticket| ticket.text.clone()).unwrap_or_default();
                drop(sdk.login(text(&asked.user)?, ticket));
            }
            Some("logout") => drop(sdk.logout()),
            Some("conversations") => drop(sdk.conversations()),
            Some("send") => {
                let (to, words) = (text(&asked.to)?, text(&asked.text)?);
                drop(sdk.send_message_as(message_id(asked.id.as_deref()?), to, words));
            }
            _ => return None,
        }
        Some(())
    });
    if known.is_none() {
        say(&serde_json::json!({ "called": call }));
        say(&serde_json::json!({ "answered": call, "code": NOT_UNDERSTOOD }));
    }
}

/// The rules' limits, so many times as fast. Delays before another attempt stay as they are where they are short.
fn faster(rule: ClientLimits, times: u32) -> ClientLimits {
    let at_least = |span: Duration, least: u64| (span / times).max(Duration::from_millis(least)).min(span);
    ClientLimits {
        login_timeout: at_least(rule.login_timeout, 1_500),
        request_timeout: at_least(rule.request_timeout, 1_000),
        connect_timeout: at_least(rule.connect_timeout, 800),
        heartbeat: at_least(rule.heartbeat, 1_000),
        heartbeat_answer: at_least(rule.heartbeat_answer, 500),
        heartbeat_min: at_least(rule.heartbeat_min, 500),
        backoff_max: at_least(rule.backoff_max, 500),
        probe_answer: at_least(rule.probe_answer, 400),
        ..rule
    }
}
