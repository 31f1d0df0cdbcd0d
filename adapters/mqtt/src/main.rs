//! An adapter for `gatecrash drive`: one device that speaks MQTT, by way of rumqttc. Reads what it is to do from
//! standard input and writes what an application would learn to standard output, a JSON object a line.

mod client;
mod device;
mod link;

use std::io::{self, Write};

use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use client::Options;
use device::{Device, Do};
use link::{Ask, Heard};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Version {
    #[value(name = "5")]
    Five,
    #[value(name = "311")]
    Three,
}

/// Plays a device for `gatecrash drive` on an MQTT broker. A user is a client identifier, and so a seat
#[derive(Parser)]
struct Arguments {
    /// The version of MQTT
    #[arg(long, default_value = "5")]
    version: Version,
    /// Each login begins anew (clean start, clean session) and takes nothing over
    #[arg(long)]
    clean: bool,
    /// Seconds between pings; MQTT 5 tells the server no less than 5
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=3600))]
    keep_alive: u16,
    /// Seconds until a lost connection is told to others as offline; MQTT 5 only
    #[arg(long, default_value_t = 0)]
    will_delay: u32,
    /// The password, where the server wants one; the user's name goes with it
    #[arg(long)]
    password: Option<String>,
}

struct Open {
    asks: UnboundedSender<Ask>,
    heard: UnboundedReceiver<Heard>,
    task: AbortHandle,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (mut device, mut server, mut open) = (Device::default(), None, None::<Open>);
    loop {
        let to_do = tokio::select! {
            line = lines.next_line() => {
                // The end of input: without a goodbye. The process may not wait for a thread that reads.
                let Some(line) = line? else { std::process::exit(0) };
                let line: Value = serde_json::from_str(&line).unwrap_or_default();
                if line["hello"].is_null() {
                    device.line(&line)
                } else {
                    server = line["server"].as_str().and_then(address);
                    vec![Do::Say(ready(&arguments))]
                }
            }
            Some(heard) = async { open.as_mut()?.heard.recv().await }, if open.is_some() => device.heard(heard),
        };
        for it in to_do {
            match it {
                Do::Say(line) => say(&line)?,
                Do::Ask(ask) => _ = open.as_ref().map(|open| open.asks.send(ask)),
                Do::LetGo => _ = open.take().map(|open| open.task.abort()),
                Do::Exit => std::process::exit(0),
                Do::Connect(user) => {
                    let Some((host, port)) = server.clone() else {
                        return Err(io::Error::other("hello names no server of the form host:port"));
                    };
                    let ((asks, asked), (tell, heard)) = (unbounded_channel(), unbounded_channel());
                    let options = Options {
                        host,
                        port,
                        user,
                        version_5: arguments.version == Version::Five,
                        clean: arguments.clean,
                        keep_alive: arguments.keep_alive,
                        will_delay: arguments.will_delay,
                        password: arguments.password.clone(),
                    };
                    let task = tokio::spawn(link::run(options, asked, tell)).abort_handle();
                    open = Some(Open { asks, heard, task });
                }
            }
        }
    }
}

fn address(server: &str) -> Option<(String, u16)> {
    let (host, port) = server.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

fn ready(arguments: &Arguments) -> Value {
    let version = if arguments.version == Version::Five { "5" } else { "3.1.1" };
    let clean = if arguments.clean { ", clean" } else { "" };
    let can = ["called", "login", "logout", "network_changed", "send", "switch", "watch"];
    json!({"ready": 1, "can": can, "version": format!("rumqttc 0.25 (MQTT {version}{clean})")})
}

fn say(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
