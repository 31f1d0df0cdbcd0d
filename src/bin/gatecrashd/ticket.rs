//! `gatecrashd ticket`: makes tickets, judges them as a server would, and shows what they say.
//!
//! Knows of no administrative kicks: those are the server's, so a ticket found valid here may
//! still be refused there as voided (ADMIN-1).

use std::io::Read;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{ArgGroup, Args, Subcommand};
use gatecrash::code::Code;
use gatecrash::id::UserId;
use gatecrash::span;
use gatecrash::ticket::{self, Contents, SecretKey, TICKET_BYTES_MAX, TicketSpec, Unreadable};
use serde_json::json;

use crate::date::Seconds;
use crate::secret::Secret;
use crate::{BadInput, End};

/// For how long a ticket is valid when nothing is said.
const TTL: &str = "7d";

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Sign(Sign),
    Verify(Verify),
    Show(Show),
}

/// Sign a ticket and print it
#[derive(Args)]
#[command(group(ArgGroup::new("signer").required(true).args(["key", "key_file"])))]
#[command(after_help = "\
Examples:
  gatecrashd ticket sign --app-id 1400000000 --key-file secret.key --user alice
  gatecrashd ticket sign --app-id 7 --key-file secret.key --user bob --ttl 1m --issued-at 1700000000

A key given with --key stands in the process list, where others on the machine can read it.")]
struct Sign {
    /// The app the ticket is for (SDKAppID)
    #[arg(long, value_name = "NUMBER")]
    app_id: u64,
    /// The app's secret key
    #[arg(long, value_name = "SECRET", value_parser = key_of_text)]
    key: Option<SecretKey>,
    /// A file with the app's secret key on its only line
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
    /// The user the ticket is for: 1 to 32 of a-z A-Z 0-9 _ -
    #[arg(long, value_name = "USER-ID")]
    user: UserId,
    /// How long the ticket is valid: a span such as 7d or 1h30m, or a number of seconds, as it stands in the ticket
    #[arg(long, value_name = "TIME", default_value = TTL, value_parser = ttl_of)]
    ttl: u64,
    /// When the ticket is issued, in seconds since 1970 [default: now, by the system clock]
    #[arg(long, value_name = "UNIX_SECONDS")]
    issued_at: Option<u64>,
    /// A user buffer to sign along
    #[arg(long, value_name = "TEXT")]
    userbuf: Option<String>,
}

/// Judge a ticket as the server would
///
/// Exits 0 and says until when the ticket is valid, or exits 1 with the code and the reason of the
/// refusal. Tickets that an administrator voided are known to the server only.
#[derive(Args)]
#[command(group(ArgGroup::new("signers").required(true).multiple(true).args(["key", "key_file"])))]
#[command(after_help = "\
Examples:
  gatecrashd ticket verify --app-id 7 --key-file secret.key --user alice eJyrVgrxCdYrSy1S…
  gatecrashd ticket verify --app-id 7 --key-file old --key-file new --user alice - < ticket.txt

A refusal names the first of these that holds:
  70002 empty
  70003 malformed
  70014 another app's
  70013 another user's
  70009 signed with none of the keys
  70001 expired")]
struct Verify {
    /// The app the ticket must be for (SDKAppID)
    #[arg(long, value_name = "NUMBER")]
    app_id: u64,
    /// A secret key that may have signed; may be given several times
    #[arg(long, value_name = "SECRET", value_parser = key_of_text)]
    key: Vec<SecretKey>,
    /// A file with a secret key on its only line; may be given several times
    #[arg(long, value_name = "PATH")]
    key_file: Vec<PathBuf>,
    /// The user the ticket must be for
    #[arg(long, value_name = "USER-ID")]
    user: UserId,
    /// The time to judge at, in seconds since 1970 [default: now, by the system clock]
    #[arg(long, value_name = "UNIX_SECONDS")]
    now: Option<u64>,
    /// The ticket, or `-` to read it from standard input
    ticket: String,
}

/// Show what a ticket says, true or not
///
/// Judges nothing: neither who signed the ticket nor whether it is still valid.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrashd ticket show eJyrVgrxCdYrSy1S…
  gatecrashd ticket show --json - < ticket.txt")]
struct Show {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The ticket, or `-` to read it from standard input
    ticket: String,
}

/// Runs a subcommand: how it ended, and what to print.
pub fn run(arguments: Arguments) -> Result<(End, String), BadInput> {
    match arguments.command {
        Command::Sign(arguments) => sign(arguments),
        Command::Verify(arguments) => verify(arguments),
        Command::Show(arguments) => show(arguments),
    }
}

/// Whole seconds: a ticket knows no others.
fn ttl_of(text: &str) -> Result<u64, String> {
    let expected = || "expected a span of whole seconds such as 7d or 1h30m, or a number of seconds".to_owned();
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let span = span::parse(text).filter(|span| span.subsec_nanos() == 0);
    span.map(|span| span.as_secs()).ok_or_else(expected)
}

fn sign(arguments: Sign) -> Result<(End, String), BadInput> {
    let Sign { app_id, key, key_file, user, ttl, issued_at, userbuf } = arguments;
    let key = match (key, key_file) {
        (Some(key), _) => key,
        (None, Some(path)) => Secret::of_file(&path)?.key(),
        (None, None) => return Err(BadInput("give --key or --key-file".into())),
    };
    let issued_at = issued_at.map_or_else(system_seconds, Ok)?;
    let ticket =
        ticket::sign(&TicketSpec { app_id, user, issued_at, ttl, userbuf: userbuf.map(String::into_bytes) }, &key);
    match ticket.check() {
        Ok(()) => Ok((End::Done, ticket.as_str().to_owned())),
        Err(_) => Err(BadInput(format!(
            "the user buffer is too long: it makes a ticket of {} bytes, and none over {TICKET_BYTES_MAX} is accepted",
            ticket.as_str().len()
        ))),
    }
}

fn verify(arguments: Verify) -> Result<(End, String), BadInput> {
    let Verify { app_id, key: mut keys, key_file, user, now, ticket } = arguments;
    for path in key_file {
        keys.push(Secret::of_file(&path)?.key());
    }
    let now = now.map_or_else(system_seconds, Ok)?;
    let ticket = text_of(ticket)?;
    let contents = match ticket::read(&ticket) {
        Ok(contents) => contents,
        Err(unreadable) => return Ok((End::Refused, refusal(unreadable))),
    };
    let verdict = ticket::open(&ticket, &keys).and_then(|opened| ticket::judge(&opened, app_id, &user, now, |_| false));
    let Contents { claims, identifier, userbuf: _ } = contents;
    let last = Seconds(claims.last_second());
    let reason = match verdict {
        Ok(()) => return Ok((End::Done, format!("valid until {last}, now {}", Seconds(now)))),
        Err(code @ Code::TicketOtherApp) => format!("{code}: it is for {}, not for {app_id}", claims.app_id),
        Err(code @ Code::TicketOtherUser) => format!("{code}: it is for {identifier:?}, not for {:?}", user.as_str()),
        Err(code @ Code::TicketSignature) if keys.len() == 1 => format!("{code}: the key does not fit"),
        Err(code @ Code::TicketSignature) => format!("{code}: none of the {} keys fits", keys.len()),
        Err(code @ Code::TicketExpired) => format!("{code}: valid until {last}, now {}", Seconds(now)),
        Err(code) => code.to_string(),
    };
    Ok((End::Refused, reason))
}

fn show(arguments: Show) -> Result<(End, String), BadInput> {
    let Show { json, ticket } = arguments;
    let contents = match ticket::read(&text_of(ticket)?) {
        Ok(contents) => contents,
        Err(unreadable) if json => {
            let refused = json!({ "code": unreadable.code().number(), "reason": unreadable.to_string() });
            return Ok((End::Refused, format!("{refused:#}")));
        }
        Err(unreadable) => return Ok((End::Refused, refusal(unreadable))),
    };
    let text = if json { contents_as_json(&contents) } else { contents_as_text(&contents) };
    Ok((End::Done, text))
}

fn contents_as_json(contents: &Contents) -> String {
    let Contents { claims, identifier, userbuf } = contents;
    let object = json!({
        "app_id": claims.app_id,
        "user": identifier,
        "user_is_valid": claims.user.is_some(),
        "issued_at": claims.issued_at,
        "ttl": claims.ttl,
        "valid_until": claims.last_second(),
        "userbuf_base64": userbuf.as_ref().map(|bytes| STANDARD.encode(bytes)),
        "hmac_sha256_base64": STANDARD.encode(claims.signature.0),
    });
    format!("{object:#}")
}

fn contents_as_text(contents: &Contents) -> String {
    let Contents { claims, identifier, userbuf } = contents;
    let user = match claims.user {
        Some(user) => user.to_string(),
        // Quoted and escaped: whoever made the ticket may not write to this terminal.
        None => format!("{identifier:?} (not a valid user id)"),
    };
    let mut lines = vec![
        format!("app id       {}", claims.app_id),
        format!("user         {user}"),
        format!("issued at    {}", Seconds(claims.issued_at)),
        format!("ttl          {} seconds", claims.ttl),
        format!("valid until  {}", Seconds(claims.last_second())),
    ];
    if let Some(bytes) = userbuf {
        lines.push(format!("user buffer  {} bytes, in base64 {}", bytes.len(), STANDARD.encode(bytes)));
    }
    lines.push(format!("HMAC-SHA256  {} (not checked)", STANDARD.encode(claims.signature.0)));
    lines.join("\n")
}

fn refusal(unreadable: Unreadable) -> String {
    match unreadable {
        Unreadable::Empty => unreadable.code().to_string(),
        Unreadable::TooLong
        | Unreadable::NotBase64
        | Unreadable::NotZlib
        | Unreadable::Bomb
        | Unreadable::NotDocument => format!("{}: {unreadable}", unreadable.code()),
    }
}

/// The ticket of the command line, or of standard input, there without the white space around it.
fn text_of(argument: String) -> Result<String, BadInput> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut bytes = Vec::new();
    // Twice the longest ticket: more is too long, whatever follows.
    let limit = 2 * TICKET_BYTES_MAX as u64;
    let read = std::io::stdin().take(limit).read_to_end(&mut bytes);
    read.map_err(|error| BadInput(format!("cannot read the ticket from standard input: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn key_of_text(text: &str) -> Result<SecretKey, String> {
    Secret::of_text(text).map(|secret| secret.key()).map_err(|problem| format!("the key {problem}"))
}

#[expect(clippy::disallowed_methods, reason = "a command at its edge: --now stands in for the clock where it matters")]
pub fn system_seconds() -> Result<u64, BadInput> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|span| span.as_secs()).map_err(|_| BadInput("the system clock shows a time before 1970".into()))
}
