//! One evening of alice and bob, over real sockets and in real time.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::device::Device;
use crate::history::History;
use crate::sdk::Event;
use crate::server::{LateResume, serve};

/// Whoever is at rest for so long stays so: longer than it takes to notice silence and to connect anew.
const REST: Duration = Duration::from_millis(600);
/// Whoever is not at rest by then never is.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lets it happen, and gives back its history.
///
/// # Errors
///
/// When loopback has no port left.
pub fn evening(late_resume: LateResume) -> io::Result<String> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, happen(late_resume))
}

async fn happen(late_resume: LateResume) -> io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let server = listener.local_addr()?;
    spawn_local(serve(listener, late_resume));
    let history = Rc::new(History::new());
    let mut bob = Device::new("bob-phone", "android", server, &history).await?;
    let mut desk = Device::new("alice-desk", "mac", server, &history).await?;
    let mut old = Device::new("alice-old", "android", server, &history).await?;
    let mut new = Device::new("alice-new", "ios", server, &history).await?;
    let lent = Device::new("alice-lent", "android", server, &history).await?;

    // A phone and a desk are two places: alice has both.
    bob.login("bob").await;
    desk.login("alice").await;
    old.login("alice").await;
    bob.send("alice", "dinner at eight?").await;
    old.hears(|event| matches!(event, Event::Message(_))).await;
    old.send("bob", "yes").await;
    bob.hears(|event| matches!(event, Event::Message(_))).await;

    // Her new phone takes the place of the old one, which is told.
    new.login("alice").await;
    old.hears(|event| matches!(event, Event::Kicked(_))).await;

    // Her desk is cut off, notices, tries again in vain, and gets the message when it is back.
    desk.cut();
    desk.hears(|event| *event == Event::Connecting).await;
    bob.send("alice", "bring wine").await;
    desk.mend();
    desk.hears(|event| *event == Event::Connected).await;

    // Her new phone is out of reach while another takes its place. It is told when it is back.
    new.cut();
    lent.login("alice").await;
    new.mend();
    new.hears(|event| matches!(event, Event::Kicked(_))).await;
    bob.send("alice", "where are you?").await;
    lent.logout().await;

    let devices = [bob, desk, old, new, lent];
    let at_rest = async {
        while !devices.iter().all(|device| device.sdk.is_at_rest()) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let _in_time = timeout(PATIENCE, at_rest).await;
    sleep(REST).await;
    Ok(history.end())
}
