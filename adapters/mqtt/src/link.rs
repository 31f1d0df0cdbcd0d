//! A session's way to the server: connects, comes back after a loss, pings, and knows of which publication an
//! acknowledgement is. What that means to an application is `device.rs`'s.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use crate::client::{Client, Event, Failure, Options};

/// What a device asks of its link.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    /// To be answered under the number of the call, if it is one.
    Publish {
        call: Option<u64>,
        topic: String,
        payload: Vec<u8>,
        retain: bool,
    },
    Subscribe(String),
    /// Whether the connection still stands.
    Ping,
    /// Publish this, retained, and disconnect.
    Leave {
        topic: String,
        payload: Vec<u8>,
    },
}

/// What a link tells its device.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Connecting,
    Accepted,
    /// If it was the first attempt there is none after it.
    Failed(Failure),
    Published(String, Vec<u8>),
    /// The server has taken charge of what was published, or refuses to.
    Answered(u64, bool),
    /// It comes back by itself.
    Lost,
    /// The end, as all that follow.
    TakenOver,
    Closed,
    /// Whether DISCONNECT went out.
    Left(bool),
}

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(1);
/// From when on a connection counts as one that stands.
const STANDS: Duration = Duration::from_secs(30);
/// The longest delay after one that did not: two that throw each other out shall not do so for ever at full speed.
const LONGEST_DELAY_WHEN_THROWN_OUT: Duration = Duration::from_secs(8);
/// How long a goodbye waits for the server, twice at most.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long a missing answer is waited for when it is late.
const AFTER_SLEEP: Duration = Duration::from_millis(100);

/// Whose the publications are that have no acknowledgement.
#[derive(Default)]
struct Unacknowledged {
    /// Not sent yet, in their order.
    waiting: VecDeque<Option<u64>>,
    sent: BTreeMap<u16, Option<u64>>,
}

struct Link {
    client: Client,
    unacknowledged: Unacknowledged,
    heard: UnboundedSender<Heard>,
}

/// Until the session is over, or the device lets go of it.
pub async fn run(options: Options, mut asks: UnboundedReceiver<Ask>, heard: UnboundedSender<Heard>) {
    let mut link = Link { client: Client::new(&options), unacknowledged: Unacknowledged::default(), heard };
    let (mut delay, mut is_first) = (FIRST_DELAY, true);
    loop {
        link.tell(Heard::Connecting);
        link.client.keep_alive(options.keep_alive);
        if let Err(failure) = link.client.poll().await {
            link.tell(Heard::Failed(failure));
            if is_first {
                return;
            }
            sleep(delay).await;
            delay = (delay * 2).min(LONGEST_DELAY);
            continue;
        }
        is_first = false;
        let accepted = Instant::now();
        link.unacknowledged = Unacknowledged::default();
        link.unacknowledged.waiting.extend(std::iter::repeat_n(None, link.client.to_be_repeated()));
        link.tell(Heard::Accepted);
        let Some(failure) = link.connected(options.keep_alive, &mut asks).await else { return };
        for event in link.client.lose() {
            link.take(event);
        }
        match failure {
            Failure::TakenOver => return link.tell(Heard::TakenOver),
            Failure::Closed if !options.version_5 => return link.tell(Heard::Closed),
            _ => link.tell(Heard::Lost),
        }
        if accepted.elapsed() >= STANDS {
            delay = FIRST_DELAY;
        }
        sleep(delay).await;
        delay = (delay * 2).min(LONGEST_DELAY_WHEN_THROWN_OUT);
    }
}

impl Link {
    /// Nobody may be listening any more.
    fn tell(&self, heard: Heard) {
        _ = self.heard.send(heard);
    }

    /// Until the connection fails, or with nothing when the device has left.
    async fn connected(&mut self, keep_alive: u16, asks: &mut UnboundedReceiver<Ask>) -> Option<Failure> {
        self.client.keep_alive(u16::MAX);
        let period = Duration::from_secs(keep_alive.into());
        // Half a period off rumqttc's own first ping.
        let mut ticks = interval_at(Instant::now() + period / 2, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pinged = Instant::now();
        loop {
            // What has come is read before anything is missed: a process that slept has both.
            tokio::select! { biased;
                event = self.client.poll() => match event {
                    Ok(event) => self.take(event),
                    Err(failure) => return Some(failure),
                },
                ask = asks.recv() => match ask? {
                    Ask::Publish { call, topic, payload, retain } => self.publish(call, &topic, &payload, retain),
                    Ask::Subscribe(topic) => _ = self.client.subscribe(&topic),
                    Ask::Ping if self.client.is_pinging() => {}
                    Ask::Ping => {
                        self.client.ping();
                        pinged = Instant::now();
                    }
                    Ask::Leave { topic, payload } => {
                        self.publish(None, &topic, &payload, true);
                        let said = self.leave().await;
                        self.tell(Heard::Left(said));
                        return None;
                    }
                },
                _ = ticks.tick() => {
                    if !self.client.is_pinging() {
                        self.client.ping();
                        pinged = Instant::now();
                    } else if pinged.elapsed() >= period / 2 {
                        // Whoever slept wakes to what is overdue, and hears a moment later of what has come.
                        match timeout(AFTER_SLEEP, self.client.poll()).await {
                            Ok(Ok(event)) => self.take(event),
                            Ok(Err(failure)) => return Some(failure),
                            Err(_) => return Some(Failure::Lost),
                        }
                    }
                }
            }
        }
    }

    fn publish(&mut self, call: Option<u64>, topic: &str, payload: &[u8], retain: bool) {
        if self.client.publish(topic, payload, retain) {
            self.unacknowledged.waiting.push_back(call);
        } else if let Some(call) = call {
            self.tell(Heard::Answered(call, false));
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Published(topic, payload) => self.tell(Heard::Published(topic, payload)),
            Event::Sent(packet) => {
                if let Some(call) = self.unacknowledged.waiting.pop_front() {
                    self.unacknowledged.sent.insert(packet, call);
                }
            }
            Event::Acknowledged(packet, taken) => {
                if let Some(Some(call)) = self.unacknowledged.sent.remove(&packet) {
                    self.tell(Heard::Answered(call, taken));
                }
            }
            Event::Accepted | Event::SaidGoodbye | Event::Other => {}
        }
    }

    /// Waits for what is not acknowledged, says goodbye, and waits for the server to close, each for a while.
    async fn leave(&mut self) -> bool {
        let acknowledged = timeout(GOODBYE, async {
            while !(self.unacknowledged.waiting.is_empty() && self.unacknowledged.sent.is_empty()) {
                let event = self.client.poll().await.ok()?;
                self.take(event);
            }
            Some(())
        });
        // A connection that is gone takes no goodbye, and to poll it would connect again.
        if acknowledged.await == Ok(None) || !self.client.disconnect() {
            return false;
        }
        let mut said = false;
        _ = timeout(GOODBYE, async {
            while let Ok(event) = self.client.poll().await {
                said |= event == Event::SaidGoodbye;
                self.take(event);
            }
        })
        .await;
        said
    }
}
