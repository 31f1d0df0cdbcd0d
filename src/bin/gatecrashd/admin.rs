//! `gatecrashd admin`: what an administrator may do, from the command line, over the protocol as any device.
//!
//! Knows no second way into a server: it logs in with an administrator's ticket, asks, and logs out (ADMIN-3). Whether the
//! server grants it is the server's to say, and its code is what is printed.

use std::io::{Read, Write, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use gatecrash::code::{Code, Failure};
use gatecrash::driver::Surroundings;
use gatecrash::driver::client::{self, Sdk, Setup};
use gatecrash::driver::disk::MemoryDisk;
use gatecrash::driver::tokio::Live;
use gatecrash::driver::trust::Trust;
use gatecrash::id::UserId;
use gatecrash::policy::{Platform, UnknownPlatform};
use gatecrash::protocol::{QUERY_USERS_MAX, StatusReport, UserStatus};
use gatecrash::span;
use gatecrash::ticket::{TICKET_BYTES_MAX, Ticket, TicketSpec, sign};
use serde_json::{Value, json};

use crate::attempts::{Attempts, Last};
use crate::secret::Secret;
use crate::ticket::system_seconds;
use crate::{BadInput, End, told};

/// How long the ticket is valid that is made for a call and signed here.
const TICKET_TTL: u64 = 60;

/// Kick a user, or ask who is online, as an administrator
///
/// Logs in over the network as an administrator of the app, asks, and logs out.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gatecrashd admin kick alice --server im.example.org:7443 --tls --user administrator --ticket-file ticket.txt
  gatecrashd admin query alice bob --server 127.0.0.1:7000 --user administrator --app-id 1400000000 --key-file app.key
  gatecrashd admin sessions alice --server 127.0.0.1:7000 --user administrator --ticket-file - < ticket.txt

While it is logged in it takes a place of the administrator's like any device: by default that of a web page, since only of
those more than one may be there under every policy (max_instances.web). Where there is no room it displaces the oldest page
of the same administrator, so an administrator of its own, whom nobody uses by hand, is best. The login counts for the day's
active users and for LOGIN-11's limit; a query may name any number of users.

Exit codes: 0 done, 1 refused or a user is unknown, 3 bad input.";

#[derive(Subcommand)]
enum Command {
    /// End every session of a user, and void the user's tickets up to now (ADMIN-1)
    #[command(after_help = AFTER_HELP)]
    Kick {
        /// Whom
        #[arg(value_name = "USER")]
        whom: UserId,
        #[command(flatten)]
        login: Login,
    },
    /// Who is online, and on which devices (ADMIN-2)
    #[command(after_help = AFTER_HELP)]
    Query {
        /// Whom to ask about
        #[arg(required = true, value_name = "USER")]
        whom: Vec<UserId>,
        #[command(flatten)]
        login: Login,
    },
    /// The sessions of one user: device, platform, and whether it is connected (ADMIN-2)
    #[command(after_help = AFTER_HELP)]
    Sessions {
        /// Whose
        #[arg(value_name = "USER")]
        whom: UserId,
        #[command(flatten)]
        login: Login,
    },
}

/// Where to log in, as whom, by what.
#[derive(Args)]
#[command(group(ArgGroup::new("proof").required(true).args(["ticket", "ticket_file", "key_file"])))]
struct Login {
    /// The server, as HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    server: String,
    /// Connect with TLS to a server that an authority of this system vouches for
    #[arg(long)]
    tls: bool,
    /// Connect with TLS to a server that one of the authorities in this file vouches for, in PEM
    #[arg(long, value_name = "PATH")]
    authority: Option<PathBuf>,
    /// The administrator to log in as
    #[arg(long, value_name = "USER-ID")]
    user: UserId,
    /// The administrator's ticket; in the process list, where others on the machine can read it
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
    /// A file with the administrator's ticket, or `-` for standard input
    #[arg(long, value_name = "PATH")]
    ticket_file: Option<PathBuf>,
    /// A file with the app's secret key, to sign a ticket of a minute with; needs --app-id
    #[arg(long, value_name = "PATH", requires = "app_id")]
    key_file: Option<PathBuf>,
    /// The app (SDKAppID) that the signed ticket is for
    #[arg(long, value_name = "NUMBER", requires = "key_file")]
    app_id: Option<u64>,
    /// Which kind of device to log in as: it displaces what the app's policy says
    #[arg(long, value_name = "PLATFORM", default_value = "web", value_parser = platform_of)]
    platform: Platform,
    /// How long to try to log in
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time_of)]
    timeout: Duration,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What to ask.
enum Call {
    Kick(UserId),
    Query(Vec<UserId>),
    Sessions(UserId),
}

/// Carries one call out, and prints what came of it.
pub fn run(arguments: Arguments) -> Result<End, BadInput> {
    let (call, login) = match arguments.command {
        Command::Kick { whom, login } => (Call::Kick(whom), login),
        Command::Query { whom, login } => (Call::Query(whom), login),
        Command::Sessions { whom, login } => (Call::Sessions(whom), login),
    };
    let ticket = ticket_of(&login)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| BadInput(format!("cannot start: {error}")))?;
    let Login { server, tls, authority, user, platform, timeout, json, .. } = login;
    let mut setup = Setup::from(platform);
    setup.limits.login_timeout = timeout;
    let trust = match authority {
        Some(path) => Some(trust_in(&path)?),
        None => tls.then(Trust::platform),
    };
    let (answered, last) = runtime.block_on(async {
        let (live, disk) = (Live::new(), MemoryDisk::default());
        let (sdk, last) = match trust {
            Some(trust) => {
                let guarded = trust.guards(live, &server).map_err(|error| BadInput(error.to_string()))?;
                connects(Attempts::new(guarded), disk, &server)
            }
            None => connects(Attempts::new(live), disk, &server),
        };
        Ok((ask(&sdk, setup, user, ticket, &call).await, last))
    })?;
    match answered {
        Ok(report) => Ok(told(shown(&call, &report, json))),
        Err(failure) => {
            let why = last.why(failure.code, &server);
            if json {
                return Ok(told((End::Refused, format!("{:#}", refusal(failure.code, why)))));
            }
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            let _ = writeln!(stderr(), "error: {failure}{why}");
            Ok(End::Refused)
        }
    }
}

/// An SDK in these surroundings, which runs, and what becomes of its attempts to connect.
fn connects(attempts: Attempts<impl Surroundings>, disk: MemoryDisk, server: &str) -> (Sdk, Last) {
    let last = attempts.last();
    let (sdk, driver) = client::sdk(attempts, disk, server);
    tokio::spawn(driver.run());
    (sdk, last)
}

/// Logs in, asks and logs out. A kick is answered with an empty report.
async fn ask(sdk: &Sdk, setup: Setup, user: UserId, ticket: Ticket, call: &Call) -> Result<StatusReport, Failure> {
    sdk.init(setup).await?;
    sdk.login(user.to_string(), ticket).await?;
    let answer = asked(sdk, call).await;
    // One who kicked herself is logged out by now; in any case it is the answer that counts.
    let _ = sdk.logout().await;
    answer
}

async fn asked(sdk: &Sdk, call: &Call) -> Result<StatusReport, Failure> {
    let mut report = StatusReport::default();
    match call {
        Call::Kick(user) => sdk.admin_kick(user.to_string()).await?,
        Call::Query(users) => {
            for some in users.chunks(QUERY_USERS_MAX) {
                let part = sdk.query_online_status(some.iter().map(UserId::to_string)).await?;
                report.users.extend(part.users);
                report.unknown.extend(part.unknown);
            }
        }
        Call::Sessions(user) => report = sdk.query_online_status([user.to_string()]).await?,
    }
    Ok(report)
}

/// The ticket to log in with.
fn ticket_of(login: &Login) -> Result<Ticket, BadInput> {
    let Login { user, ticket, ticket_file, key_file, app_id, .. } = login;
    let text = match (ticket, ticket_file, key_file) {
        (Some(ticket), _, _) => ticket.clone(),
        (None, Some(path), _) => ticket_in(path)?,
        (None, None, Some(path)) => {
            let (app_id, issued_at) = (app_id.unwrap_or_default(), system_seconds()?);
            let spec = TicketSpec { app_id, user: *user, issued_at, ttl: TICKET_TTL, userbuf: None };
            return Ok(sign(&spec, &Secret::of_file(path)?.key()));
        }
        (None, None, None) => return Err(BadInput("give --ticket, --ticket-file or --key-file".into())),
    };
    match text.trim() {
        "" => Err(BadInput("the ticket is empty".into())),
        text if text.len() > TICKET_BYTES_MAX => {
            Err(BadInput(format!("the ticket has {} bytes, and none over {TICKET_BYTES_MAX} is accepted", text.len())))
        }
        text => Ok(Ticket::from(text)),
    }
}

fn trust_in(path: &Path) -> Result<Trust, BadInput> {
    let shown = path.display();
    let pem =
        std::fs::read(path).map_err(|error| BadInput(format!("cannot read the authorities in '{shown}': {error}")))?;
    Trust::authority(&pem).map_err(|error| BadInput(format!("'{shown}': {error}")))
}

fn ticket_in(path: &Path) -> Result<String, BadInput> {
    // Twice the longest ticket: more is too long, whatever follows.
    let limit = 2 * TICKET_BYTES_MAX as u64;
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| BadInput(format!("cannot read the ticket from '{}': {error}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn platform_of(text: &str) -> Result<Platform, String> {
    text.parse().map_err(|UnknownPlatform| {
        let words: Vec<&str> = Platform::ALL.iter().map(|platform| platform.word()).collect();
        format!("valid are {}", words.join(", "))
    })
}

fn time_of(text: &str) -> Result<Duration, String> {
    span::parse(text)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "expected a time such as 500ms, 10s or 1m".to_owned())
}

/// An answer for people or for programs, and whether all who were asked about are known.
fn shown(call: &Call, report: &StatusReport, json: bool) -> (End, String) {
    let end = if report.unknown.is_empty() { End::Done } else { End::Refused };
    let text = match call {
        Call::Kick(user) if json => format!("{:#}", json!({ "kicked": user.as_str() })),
        Call::Kick(user) => format!("kicked {user}: its sessions are over, and its tickets void"),
        Call::Query(_) | Call::Sessions(_) if json => format!("{:#}", as_json(report)),
        Call::Query(_) => lines(report, |status| format!("{}  {}", status.user, status.presence.word())),
        Call::Sessions(_) => lines(report, |status| match status.devices.len() {
            1 => format!("{} has 1 session", status.user),
            number => format!("{} has {number} sessions", status.user),
        }),
    };
    (end, text)
}

/// A line for each user, and below it one for each of the user's devices.
fn lines(report: &StatusReport, head: impl Fn(&UserStatus) -> String) -> String {
    let known = report.users.iter().flat_map(|status| {
        let devices = status.devices.iter();
        let devices = devices.map(|of| format!("  {}  {:<7}  {}", of.device, of.platform.word(), of.state.word()));
        std::iter::once(head(status)).chain(devices)
    });
    let unknown = report.unknown.iter().map(|user| format!("{user}  {}", Code::UnknownUser));
    known.chain(unknown).collect::<Vec<_>>().join("\n")
}

fn as_json(report: &StatusReport) -> Value {
    let users = report.users.iter().map(|status| {
        let devices = status.devices.iter().map(|device| {
            json!({
                "device": device.device.to_string(),
                "platform": device.platform.word(),
                "state": device.state.word(),
            })
        });
        json!({
            "user": status.user.as_str(),
            "presence": status.presence.word(),
            "devices": devices.collect::<Vec<_>>(),
        })
    });
    let unknown = report.unknown.iter().map(UserId::as_str);
    json!({ "users": users.collect::<Vec<_>>(), "unknown": unknown.collect::<Vec<_>>() })
}

fn refusal(code: Code, why: Option<String>) -> Value {
    match why {
        Some(why) => json!({ "code": code.number(), "reason": code.text(), "why": why }),
        None => json!({ "code": code.number(), "reason": code.text() }),
    }
}
