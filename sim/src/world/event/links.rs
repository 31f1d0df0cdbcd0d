//! Connections and the network between their ends: what travels, waits, is lost, arrives.
//!
//! Knows frames as values only; the cores at both ends judge them.

use std::time::Duration;

use gatecrash::id::{Attempt, CallId, ConnectionId, DeviceId, Epoch};
use gatecrash::protocol::{ClientFrame, FrameError, ServerFrame};
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;
use gatecrash::{client, server};

use super::super::network::{Memory, Network};
use super::flight::{Body, Message};
use super::handshake::Handshake;
use super::life::Life;
use super::{Class, Due, System, World, mint, small};
use crate::generate::draw::Draw;
use crate::scenario::{self, Conduct, Span, config};
use crate::trace::{DeviceIndex, Effect, Observer};

/// How long an end that closed a connection reads on and throws away: the server's machine and the
/// SDK's driver alike.
const LINGER: Duration = Duration::from_secs(5);

/// A network location.
pub(super) struct Site {
    pub(super) latency: Duration,
    /// What the reader of a connection adds to it.
    pub(super) extra: Span,
    pub(super) is_outbound_cut: bool,
    pub(super) is_inbound_cut: bool,
    pub(super) is_held: bool,
    /// Somebody else answers in the server's place.
    pub(super) has_portal: bool,
    forgets_idle: Option<Duration>,
    /// What a held link keeps, in the order of sending.
    kept: Vec<Message>,
}

impl Site {
    /// In what pieces a stream arrives and how much of it is under way makes no difference here: frames are whole.
    pub(super) fn new(plan: &scenario::Site) -> Self {
        let scenario::Site { latency, forgets_idle, segments: _, window: _ } = *plan;
        let (is_outbound_cut, is_inbound_cut, is_held, has_portal) = (false, false, false, false);
        let (latency, extra) = split(latency);
        let kept = Vec::new();
        Site { latency, extra, is_outbound_cut, is_inbound_cut, is_held, has_portal, forgets_idle, kept }
    }

    pub(super) fn set_latency(&mut self, latency: Span) {
        (self.latency, self.extra) = split(latency);
    }
}

/// The shortest latency, and what may be added to it.
fn split(latency: Span) -> (Duration, Span) {
    (latency.min, Span { min: Duration::ZERO, max: latency.max - latency.min })
}

/// One connection: both its ends, and the way in each direction.
pub(super) struct Link {
    pub(super) device: u32,
    /// Over which of the device's networks it was made.
    network: Network,
    /// What the box on the way knows of it.
    memory: Memory,
    /// The device's number for it.
    pub(super) end: ConnectionId,
    /// Which of the device's connections it is, counted from 1 through all its processes.
    number: u32,
    pub(super) server_end: ServerEnd,
    upward: Way,
    downward: Way,
    pub(super) is_device_end_open: bool,
    /// Until when the device's closed end reads on, instead of saying that it has no such connection.
    reads_on_until: Instant,
    pub(super) is_connected: bool,
    pub(super) handshake: Handshake,
    /// At its other end is the site's portal, and no server.
    pub(super) is_to_portal: bool,
    /// Whose it is when it is not the device's, and what they say once connected.
    pub(super) stranger: Option<Conduct>,
}

/// The server's end of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerEnd {
    /// There is none: not accepted yet, or of a server that is dead.
    None,
    /// The core knows it by this number.
    Open(ConnectionId),
    /// The core has closed it and knows it no more; it keeps its number until the close is carried out.
    Forgotten(ConnectionId),
    /// The close was carried out, and what still comes is thrown away for a while.
    Closed { at: Instant },
}

/// One direction of a connection.
#[derive(Default)]
struct Way {
    /// Something was lost on it: nothing arrives any more.
    is_silent: bool,
    /// When the last message arrives, and when it is read.
    last_arrival: Instant,
    last_read: Instant,
    /// How much has arrived and waits for its reader.
    unread: u32,
    /// When what was read last had been sent: what is sent at one instant is one segment.
    last_sent: Option<Instant>,
    jitter: Option<Box<Draw>>,
}

impl Link {
    /// Whether it goes over the site's line to the server.
    fn is_on_line_of(&self, site: usize) -> bool {
        self.network.site == site && !self.is_to_portal
    }

    fn way(&mut self, is_upward: bool) -> &mut Way {
        if is_upward { &mut self.upward } else { &mut self.downward }
    }
}

impl<Y: System, O: Observer> World<'_, Y, O> {
    fn site_of(&self, link: usize) -> usize {
        self.links[link].network.site
    }

    /// Whether its device has left the network it was made over: nothing gets through any more, and nobody is
    /// told. A stranger stays where it is.
    fn is_dead(&self, link: usize) -> bool {
        let Link { device, network, ref stranger, .. } = self.links[link];
        stranger.is_none() && self.devices[device as usize].network != network
    }

    /// Whether the box on the way lets through what is sent now. It knows strangers for ever.
    fn passes(&mut self, link: usize) -> bool {
        let (now, forgets_idle) = (self.now, self.sites[self.site_of(link)].forgets_idle);
        let Link { memory, stranger: None, device, .. } = &mut self.links[link] else { return true };
        let Some(forgets_idle) = forgets_idle else { return true };
        let (was_known, device) = (!memory.is_lost(), *device as usize);
        let passes = memory.passes(now, forgets_idle);
        if was_known && !passes {
            self.effect(Effect::LinkForgotten { device: DeviceIndex::new(device) });
        }
        passes
    }

    /// Cuts the site's link in these directions. What is under way is lost too.
    pub(super) fn cut(&mut self, site: usize, out: bool, back: bool) {
        self.sites[site].is_outbound_cut |= out;
        self.sites[site].is_inbound_cut |= back;
        self.lose_under_way(site, out, back);
    }

    pub(super) fn lose_under_way(&mut self, site: usize, out: bool, back: bool) {
        let links = &self.links;
        let is_lost = |message: &Message| {
            let link = &links[message.link as usize];
            link.is_on_line_of(site) && if message.body.is_upward() { out } else { back }
        };
        let mut lost = self.flight.take(is_lost);
        lost.extend(self.sites[site].kept.extract_if(.., |message| is_lost(message)));
        for message in &lost {
            self.links[message.link as usize].way(message.body.is_upward()).is_silent = true;
        }
        lost.retain(|message| matches!(message.body, Body::Open));
        lost.sort_unstable_by_key(|message| message.link);
        for message in lost {
            self.connect_failed(message.link as usize);
        }
    }

    /// The site's link keeps what is under way and what is sent from now on.
    pub(super) fn hold(&mut self, site: usize) {
        self.sites[site].is_held = true;
        let links = &self.links;
        let is_here = |message: &Message| links[message.link as usize].is_on_line_of(site);
        self.sites[site].kept.extend(self.flight.take(is_here));
        self.sites[site].kept.sort_unstable_by_key(|message| message.number);
    }

    /// The site's link lets go of what it kept: all of it arrives at once, in the order of sending.
    pub(super) fn let_go(&mut self, site: usize) {
        self.sites[site].is_held = false;
        for message in std::mem::take(&mut self.sites[site].kept) {
            self.travel(message, self.now);
        }
    }

    /// The request for this connection is lost or refused, which the device learns at once.
    pub(super) fn connect_failed(&mut self, link: usize) {
        let Link { device, end, is_connected, is_device_end_open, .. } = self.links[link];
        if !is_connected && is_device_end_open && !self.is_dead(link) {
            self.close_device_end(link);
            if self.links[link].stranger.is_none() {
                self.device_input(device as usize, client::Input::ConnectFailed { connection: end });
            }
        }
    }

    pub(super) fn send(&mut self, link: usize, body: Body) {
        // A reset is the answer to what came through just now.
        let is_reset = matches!(body, Body::Reset | Body::DeviceReset);
        if self.is_dead(link) || !is_reset && !self.passes(link) {
            return;
        }
        if self.links[link].is_to_portal {
            // It stands where the device is.
            let number = self.flight.next_number();
            let message = Message { link: small(link), sent_at: self.now, number, is_read_late: false, body };
            return self.travel(message, self.now);
        }
        let is_upward = body.is_upward();
        let site = &self.sites[self.site_of(link)];
        let is_cut = if is_upward { site.is_outbound_cut } else { site.is_inbound_cut };
        if is_reset {
            // No part of the stream: a silent one lets it through.
            if is_cut {
                return;
            }
        } else {
            if is_cut && matches!(body, Body::Open) {
                self.queue.push(self.now, Class::Input, Due::Refused(small(link)));
            }
            let way = self.links[link].way(is_upward);
            way.is_silent |= is_cut;
            if way.is_silent {
                return;
            }
        }
        let number = self.flight.next_number();
        let message = Message { link: small(link), sent_at: self.now, number, is_read_late: false, body };
        let site = self.site_of(link);
        if self.sites[site].is_held {
            self.sites[site].kept.push(message);
        } else {
            self.travel(message, self.now + self.sites[site].latency);
        }
    }

    /// Lets the message arrive then, but never before one that was sent earlier.
    fn travel(&mut self, message: Message, at: Instant) {
        let way = self.links[message.link as usize].way(message.body.is_upward());
        way.last_arrival = at.max(way.last_arrival);
        let at = way.last_arrival;
        let place = self.flight.put(message);
        self.queue.push(at, Class::Input, Due::Arrival(place));
    }

    pub(super) fn arrived(&mut self, place: u32) {
        let Some(message) = self.flight.arrive(place) else { return };
        let link = message.link as usize;
        if self.is_dead(link) {
            return;
        }
        if message.is_read_late {
            self.links[link].way(message.body.is_upward()).unread -= 1;
        } else if let Some(at) = self.read_later(link, &message) {
            self.links[link].way(message.body.is_upward()).unread += 1;
            let place = self.flight.put(Message { is_read_late: true, ..message });
            return self.queue.push(at, Class::Input, Due::Arrival(place));
        }
        if self.waits_for_server(link, &message.body) {
            return self.arrives_unread(link, message.body);
        }
        match message.body {
            body if self.links[link].is_to_portal => self.portal_arrived(link, &body),
            Body::Open => self.open_arrived(link),
            Body::ClientHello => self.upward_arrived(link, Upward::ClientHello),
            Body::Frame(frame) => self.upward_arrived(link, Upward::Frame(frame)),
            Body::Malformed(error) => self.upward_arrived(link, Upward::Malformed(error)),
            Body::Close | Body::DeviceReset => self.upward_arrived(link, Upward::Close),
            Body::Proof => self.proved(link),
            Body::Answer(frame) => self.downward_arrived(link, Some(frame), false),
            Body::Closed => self.downward_arrived(link, None, false),
            Body::Reset => self.downward_arrived(link, None, true),
            Body::NoFrame => {}
        }
    }

    /// When the reader gets to see what has just arrived, if that is later (see the packet world's
    /// stream): a drawn delay behind the segment before, for each segment. A connect has none.
    fn read_later(&mut self, link: usize, message: &Message) -> Option<Instant> {
        let extra = self.sites[self.site_of(link)].extra;
        let is_upward = message.body.is_upward();
        let (now, seed) = (self.now, self.scenario.seed);
        let Link { device, number, ref stranger, .. } = self.links[link];
        let is_plain = stranger.is_some() || matches!(message.body, Body::Open);
        let name = self.names[device as usize];
        let way = self.links[link].way(is_upward);
        if is_plain || (extra.max.is_zero() && way.last_read <= now && way.unread == 0) {
            return None;
        }
        if way.last_sent != Some(message.sent_at) {
            way.last_sent = Some(message.sent_at);
            let draw = way.jitter.get_or_insert_with(|| {
                let direction = if is_upward { "upward" } else { "downward" };
                Box::new(Draw::new(seed, name.as_str(), &format!("{direction} {number}")))
            });
            way.last_read = way.last_read.max(now + draw.within(extra));
        }
        // What is due to be read just now goes ahead of what arrives just now.
        (now < way.last_read || way.unread > 0).then_some(way.last_read)
    }

    pub(super) fn open_arrived(&mut self, link: usize) {
        // Whoever gave up meanwhile does not answer, so there is no connection.
        if !self.links[link].is_device_end_open {
            return;
        }
        if self.server.life.refuses() {
            // Its machine is there and says that nobody listens.
            return self.connect_failed(link);
        }
        if !self.server.life.is_up() {
            // Nobody is there: a connect is refused when the server is back.
            return self.server.knocking.push(link);
        }
        if let Some(standstill) = &mut self.server.standstill {
            standstill.knocks(link);
        } else {
            self.accept(link);
        }
        self.links[link].memory = Memory::new(self.now);
        // The answer to a connect is immune: it neither takes time nor gets lost.
        self.connected(link);
        if self.server.core.is_none() && self.server.standstill.is_none() {
            // Without its store the server lets nobody in.
            self.send(link, Body::Closed);
        }
    }

    /// The server's process takes the connection, if it has a core to give it to.
    pub(super) fn accept(&mut self, link: usize) {
        if self.server.core.is_some() {
            let connection = self.server.accept(link);
            self.links[link].server_end = ServerEnd::Open(connection);
            self.server_input(server::Input::Opened { connection });
        }
    }

    /// What is said to the portal and by it: it takes every connection, and answers each word with a page.
    fn portal_arrived(&mut self, link: usize, body: &Body) {
        let Link { device, end: connection, is_device_end_open, .. } = self.links[link];
        match body {
            Body::Open if is_device_end_open => self.connected(link),
            Body::Frame(_) => self.send(link, Body::NoFrame),
            Body::NoFrame if is_device_end_open => {
                self.close_device_end(link);
                self.device_input(device as usize, client::Input::NoFrame { connection });
            }
            Body::Open
            | Body::ClientHello
            | Body::Malformed(_)
            | Body::Close
            | Body::DeviceReset
            | Body::Proof
            | Body::Answer(_)
            | Body::Closed
            | Body::Reset
            | Body::NoFrame => {}
        }
    }

    pub(super) fn upward_arrived(&mut self, link: usize, what: Upward) {
        if self.server.life == Life::Dead {
            // It waits at the dead machine, which answers it when it starts again.
            if !self.server.unanswered.contains(&link) {
                self.server.unanswered.push(link);
            }
            return;
        }
        if matches!(what, Upward::Frame(_) | Upward::Malformed(_)) {
            self.links[link].handshake = Handshake::Done;
        }
        match (what, self.links[link].server_end) {
            (Upward::ClientHello, ServerEnd::Open(_)) => self.send(link, Body::Proof),
            (Upward::Frame(frame), ServerEnd::Open(connection)) => {
                let frame = frame.map_ticket(|ticket| mint::open_made(&ticket, self.server.accepts_old_key));
                self.tally.heartbeats += u64::from(matches!(frame, ClientFrame::Heartbeat));
                self.server_input(server::Input::Frame { connection, frame });
            }
            (Upward::Malformed(error), ServerEnd::Open(connection)) => {
                self.server_input(server::Input::Malformed { connection, error });
            }
            (Upward::Close, ServerEnd::Open(connection)) => {
                // What still waits for it will not be said.
                self.server.forget(connection);
                self.drop_server_end(link);
                self.server_input(server::Input::Closed { connection });
            }
            (_, ServerEnd::Forgotten(_)) => {}
            (_, ServerEnd::Closed { at }) if self.now < at + LINGER => {}
            // The server has no such connection: its machine says so.
            (
                Upward::ClientHello | Upward::Frame(_) | Upward::Malformed(_),
                ServerEnd::None | ServerEnd::Closed { .. },
            ) => self.send(link, Body::Reset),
            (Upward::Close, ServerEnd::None | ServerEnd::Closed { .. }) => {}
        }
    }

    /// A frame, or the end of the connection, which a reset is too.
    fn downward_arrived(&mut self, link: usize, frame: Option<ServerFrame>, is_reset: bool) {
        let Link { device, end: connection, is_device_end_open, reads_on_until, stranger, .. } = self.links[link];
        if !is_device_end_open {
            if reads_on_until <= self.now && stranger.is_none() && !is_reset {
                self.send(link, Body::DeviceReset);
            }
            return;
        }
        if frame.is_none() {
            self.close_device_end(link);
        }
        if stranger.is_none() {
            let input = match frame {
                Some(frame) => client::Input::Frame { connection, frame },
                None => self.ended(link),
            };
            self.device_input(device as usize, input);
        }
    }

    /// The server's number for the connection may be given to another.
    pub(super) fn drop_server_end(&mut self, link: usize) {
        match self.links[link].server_end {
            ServerEnd::Open(connection) | ServerEnd::Forgotten(connection) => {
                self.server.release(connection);
                self.links[link].server_end = ServerEnd::Closed { at: self.now };
            }
            ServerEnd::None | ServerEnd::Closed { .. } => {}
        }
    }

    pub(super) fn open_link(&mut self, device: usize, end: ConnectionId, stranger: Option<Conduct>) {
        let link = self.links.len();
        let is_to_portal = stranger.is_none() && self.sites[self.devices[device].network.site].has_portal;
        let number = if stranger.is_none() { self.devices[device].next_link(link) } else { 0 };
        self.links.push(Link {
            device: small(device),
            network: self.devices[device].network,
            memory: Memory::new(self.now),
            end,
            number,
            server_end: ServerEnd::None,
            upward: Way::default(),
            downward: Way::default(),
            is_device_end_open: true,
            reads_on_until: Instant::ZERO,
            is_connected: false,
            handshake: self.handshake(),
            is_to_portal,
            stranger,
        });
        self.send(link, Body::Open);
    }

    /// The device's end is closed: it hears nothing on it any more.
    pub(super) fn close_device_end(&mut self, link: usize) {
        self.links[link].is_device_end_open = false;
        let device = self.links[link].device as usize;
        self.lose_waiting(device, link);
        self.devices[device].open_links.retain(|&open| open as usize != link);
    }

    /// The device's closed end reads on until then.
    pub(super) fn reads_on(&mut self, link: usize, until: Instant) {
        self.links[link].reads_on_until = until;
    }

    /// The device closes its end, and says so if the connection stands. The SDK's driver reads on for
    /// a while, a dead process does not.
    pub(super) fn hang_up(&mut self, link: usize, reads_on: bool) {
        self.close_device_end(link);
        if self.links[link].is_connected {
            self.links[link].reads_on_until = if reads_on { self.now + LINGER } else { self.now };
            self.send(link, Body::Close);
        }
    }

    /// The device's open link with this number.
    pub(super) fn link_of(&self, device: usize, end: ConnectionId) -> Option<usize> {
        let links = self.devices[device].open_links.iter().rev();
        links.map(|&link| link as usize).find(|&link| self.links[link].end == end)
    }

    pub(super) fn stranger(&mut self, device: usize, conduct: Conduct) {
        if let Some(recording) = &mut self.recording {
            recording.stranger(self.now, DeviceIndex::new(device), conduct);
        }
        self.open_link(device, ConnectionId(u32::MAX), Some(conduct));
    }

    /// The stranger says, for the so-and-so-many-th time, what it says, unless it was hung up on.
    pub(super) fn stranger_goes_on(&mut self, link: usize, times: u32) {
        if let (Some(conduct), true) = (self.links[link].stranger, self.links[link].is_device_end_open) {
            self.stranger_speaks(link, conduct, times);
        }
    }

    pub(super) fn stranger_speaks(&mut self, link: usize, conduct: Conduct, times: u32) {
        if times + 1 < conduct.times() {
            let at = self.now + Conduct::pause(config::server_limits(&self.scenario.limits).admission);
            self.queue.push(at, Class::Device, Due::Stranger(small(link), times + 1));
        }
        let name = self.names[self.links[link].device as usize];
        let platform = self.scenario.devices[name].platform;
        let hello = |version| {
            let bytes = Draw::key(self.scenario.seed, name.as_str(), "stranger");
            let id = DeviceId::from_bytes(bytes[..16].try_into().expect("a key has 32 bytes"));
            Body::Frame(ClientFrame::Hello { version, device: id, platform })
        };
        let attempt = |count| Attempt { start: 1, count };
        let resume = |count| {
            Body::Frame(ClientFrame::Resume {
                attempt: attempt(count),
                user: crate::world::FORGED_USER.parse().expect("a valid user id"),
                epoch: Epoch(1),
                ticket: Ticket::from(""),
                received: 0,
            })
        };
        let version = gatecrash::protocol::VERSION;
        let said = match conduct {
            Conduct::Garbage => vec![Body::Malformed(FrameError::Malformed)],
            Conduct::Oversized => vec![Body::Malformed(FrameError::Oversized)],
            Conduct::NoHello => vec![Body::Frame(ClientFrame::Heartbeat)],
            Conduct::TwoHellos => vec![hello(version), hello(version)],
            Conduct::WrongVersion => vec![hello(version + 1)],
            Conduct::Idle | Conduct::Truncated => vec![],
            Conduct::ResumeForged => vec![hello(version), resume(1)],
            Conduct::LogoutAgain => {
                let logout = ClientFrame::Logout { call: CallId(u64::from(times)), attempt: attempt(2 * times + 2) };
                let ends = [resume(2 * times + 1), Body::Frame(logout)];
                (times == 0).then(|| hello(version)).into_iter().chain(ends).collect()
            }
        };
        for body in said {
            self.send(link, body);
        }
    }
}

/// What reaches the server's end of a connection.
pub(super) enum Upward {
    ClientHello,
    Frame(ClientFrame<Ticket>),
    Malformed(FrameError),
    Close,
}
