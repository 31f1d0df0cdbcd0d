//! `gatecrash-adapter-xmpp [--password P] [--resource R] [--no-sm] [--refused logout] [--heartbeat MS]`
//!
//! One device of `gatecrash drive`, as a client of an XMPP server. docs/drive.md has the lines; in XMPP they are this:
//!
//! - A user is the account of that name at localhost, a seat a full address: with `--resource` there is one for each
//!   user, else one for each platform.
//! - The session is managed (XEP-0198) where the server offers it and `--no-sm` does not forbid it. A lost link is made
//!   up for by resuming. From a server that does not know the session any more (`<failed/>`) a new one is asked for, as
//!   client libraries do: so coming back is a login, and may displace. With `--refused logout` the session is over;
//!   that it was displaced is not said, for a server says the same of one that was away for too long.
//! - Without management a session is as long as its link.
//! - The stream error `conflict` is `kicked_offline`. A stream that ends with `</stream:stream>`, without an error, is
//!   over for good. What ends with another error, or without a word, was a lost link.

mod link;
mod session;

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::session::Device;

/// What a device is told by its conductor, its link and its timers. Of links and attempts only the current one counts.
pub enum Input {
    Line(String),
    Link(u64, link::Said),
    /// The time for an attempt.
    Retry(u64),
    /// The time by which the server has said of everybody who is there.
    Listed(u64),
    /// The time by which a call has its answer.
    Late(u64),
}

#[derive(Clone)]
pub struct Options {
    pub password: String,
    pub resource: Option<String>,
    pub managed: bool,
    pub rebind: bool,
    /// After so much silence the server is asked, and after as much again the link is taken for lost.
    pub heartbeat: Duration,
}

fn options() -> Option<Options> {
    let (mut options, mut words) = (Options::default(), std::env::args().skip(1));
    while let Some(word) = words.next() {
        match word.as_str() {
            "--password" => options.password = words.next()?,
            "--resource" => options.resource = Some(words.next()?),
            "--no-sm" => options.managed = false,
            "--refused" => options.rebind = words.next().filter(|how| how == "bind" || how == "logout")? == "bind",
            "--heartbeat" => options.heartbeat = Duration::from_millis(words.next()?.parse().ok()?),
            _ => return None,
        }
    }
    Some(options)
}

impl Default for Options {
    fn default() -> Options {
        let (password, heartbeat) = ("secret".into(), Duration::from_secs(1));
        Options { password, resource: None, managed: true, rebind: true, heartbeat }
    }
}

async fn listen(into: UnboundedSender<Input>) {
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let _ = into.send(Input::Line(line));
    }
    // At once, and without a goodbye to the server.
    std::process::exit(0);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Some(options) = options() else {
        eprintln!(
            "gatecrash-adapter-xmpp [--password P] [--resource R] [--no-sm] [--refused bind|logout] [--heartbeat MS]"
        );
        std::process::exit(2);
    };
    let (into, mut inputs) = unbounded_channel();
    tokio::spawn(listen(into.clone()));
    let mut device = Device::new(options, into);
    while !device.is_done() {
        device.take(inputs.recv().await.expect("the device holds a sender"));
    }
    // Not by returning: whoever reads standard input would be waited for.
    std::process::exit(0);
}
