//! `gatecrash-adapter-xmpp [--password P] [--resource R] [--no-sm] [--refused logout] [--heartbeat MS]`
//!
//! One device of `gatecrash drive`, as a client of an XMPP server. docs/drive.md has the lines; here is what they are in XMPP.
//!
//! - A user is the account of that name at localhost, a seat a full address: with `--resource` there is one for each user,
//!   else one for each platform.
//! - The session is managed (XEP-0198) where the server offers it and `--no-sm` does not forbid it. A lost link is made up
//!   for by resuming. A server that does not know the session any more (`<failed/>`) gets a new one bound, as every client
//!   library does: so coming back is a login, and may displace. With `--refused logout` the session is over then, and the
//!   device hears `kicked_offline` with the reason `gone`.
//! - Without management a session is as long as its link.
//! - The stream error `conflict` is `kicked_offline`. A stream that ends with `</stream:stream>` and without an error is
//!   over for good (XEP-0198, 5). What ends with another error, or without a word, was a lost link.

mod link;
mod managed;
mod session;

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_xmpp::minidom::Element;

use crate::session::Device;

/// What a device is told, by the conductor, by a link or by a timer.
pub enum Input {
    Line(String),
    /// The conductor is gone.
    End,
    /// An attempt to come in is over.
    Came(u64, Result<(link::Stream, link::Came), link::Failure>),
    Element(u64, Element),
    /// Nothing came for so long that the server is to be asked whether it is there.
    Silence(u64),
    /// The server has ended the stream.
    Closed(u64),
    Lost(u64),
    /// Time to try again.
    Retry(u64),
    /// Time by which a call has its answer.
    Late(u64),
    /// Time by which the server has said who is there.
    Listed(u64),
}

/// What was asked for when the program was started.
pub struct Options {
    pub password: String,
    pub resource: Option<String>,
    pub managed: bool,
    pub rebind: bool,
    pub heartbeat: Duration,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        password: "secret".into(),
        resource: None,
        managed: true,
        rebind: true,
        heartbeat: Duration::from_secs(1),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--password" => options.password = value()?,
            "--resource" => options.resource = Some(value()?),
            "--no-sm" => options.managed = false,
            "--refused" => {
                options.rebind = match value()?.as_str() {
                    "bind" => true,
                    "logout" => false,
                    other => return Err(format!("--refused is bind or logout, not {other}")),
                }
            }
            "--heartbeat" => {
                let ms = value()?.parse().map_err(|_| "--heartbeat is a number of milliseconds".to_owned())?;
                options.heartbeat = Duration::from_millis(ms);
            }
            other => return Err(format!("there is no option {other}")),
        }
    }
    Ok(options)
}

async fn listen(into: UnboundedSender<Input>) {
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let _ = into.send(Input::Line(line));
    }
    let _ = into.send(Input::End);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = options().unwrap_or_else(|wrong| {
        eprintln!("gatecrash-adapter-xmpp: {wrong}");
        std::process::exit(2);
    });
    let (into, mut inputs) = unbounded_channel();
    tokio::spawn(listen(into.clone()));
    let mut device = Device::new(options, into);
    while let Some(input) = inputs.recv().await {
        if !device.take(input) {
            // Not by returning: whoever reads standard input would be waited for.
            std::process::exit(0);
        }
    }
}
