//! The recorder: turns what goes into the cores and what comes out of them into events.
//!
//! Whoever owns a core reports every input when the core takes it, and every output when it is
//! carried out: a change when the server decides it, a write when the disk gets it, a frame when the
//! transport gets it, a result or a listener call when the application gets it. So an event says
//! that something happened, not that somebody meant it to; what is on disk is an event of its own.
//!
//! Judges nothing. It keeps just enough to name things: which device has which ids, whose call a
//! result answers, which account an SDK works for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use gatecrash::client;
use gatecrash::id::{CallId, Change, DeviceId, PublicName, SendId};
use gatecrash::server::{self, Config};
use gatecrash::ticket::{Claims, Signature, Ticket};
use gatecrash::time::{Instant, Now};

use super::cast::Cast;
use super::convergence::Convergence;
use super::digest::{Digest, Encoder};
use super::index::{DeviceIndex, TicketIndex, UserIndex};
use super::{Actor, Effect, Event, Fault, Observer, Seconds, Trace, What};
use crate::scenario::{self, CallKind, Conduct};

mod frames;
mod names;
mod of_device;
mod of_server;
mod tickets;

/// Records one run. A handle: clones record into the same trace.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Recording<Observers>>>);

/// Observers that are added while nothing is recorded yet.
pub(crate) type Observers = Vec<Box<dyn Observer>>;

/// The recording itself, for a world that runs on one thread and needs no handle.
pub(crate) struct Recording<O> {
    cast: Cast,
    encoder: Encoder,
    keeps: bool,
    events: Vec<Event>,
    observer: O,
    convergence: Convergence,
    world_events: u32,
    server_events: u32,
    stranger_events: u32,
    events_seen: u64,
    last_at: Instant,
    end: Option<Ending>,
    installations: BTreeMap<DeviceId, (DeviceIndex, u16)>,
    strangers: u16,
    public_names: BTreeMap<PublicName, DeviceIndex>,
    ticket_by_text: BTreeMap<Ticket, TicketIndex>,
    ticket_by_signature: BTreeMap<Signature, TicketIndex>,
    /// What senders called their messages, in the order first seen.
    sends: BTreeMap<SendId, u32>,
    /// Who said to be at the other end of each of the server's connections.
    peers: Vec<Option<DeviceIndex>>,
    sdks: Vec<Sdk>,
}

/// What is left of a run whose events were not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Who and what the events named.
    pub cast: Cast,
    /// How many events there were.
    pub events: u64,
    /// When the last one was.
    pub ended_at: Instant,
    /// The sum of all events.
    pub digest: Digest,
    /// Whether everything came to rest; none when the world never said.
    pub ending: Option<Ending>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything that should have come to rest has.
    Converged,
    /// It has not, for this reason.
    NotConverged(String),
}

/// What is known of one device's SDK, from what it said.
#[derive(Clone, Debug, Default)]
struct Sdk {
    events: u32,
    /// How many ids the device has had.
    installations: u16,
    /// The calls without a result, each with the user whose call it is.
    calls: BTreeMap<CallId, (CallKind, Option<UserIndex>)>,
    /// Of the last login call.
    login_asked: Option<UserIndex>,
    /// The account it works for, or worked for last.
    account: Option<UserIndex>,
    /// The session of that account, 0 before it has one.
    epoch: u32,
    /// The last epoch the server gave it.
    admitted: u32,
    /// The connections that it has left, of which it is not told yet that they are gone: what comes on them it ignores.
    left: Vec<u32>,
}

impl Recorder {
    /// Records all events.
    pub fn new(cast: Cast) -> Self {
        Recorder::with(cast, true)
    }

    /// Keeps no event: observers and the digest see them pass.
    pub fn streaming(cast: Cast) -> Self {
        Recorder::with(cast, false)
    }

    fn with(cast: Cast, keeps: bool) -> Self {
        Recorder(Arc::new(Mutex::new(Recording::new(cast, keeps, Observers::new()))))
    }

    /// Lets a world that runs on one thread record without a lock for each event.
    pub(crate) fn exclusively<Done>(&self, work: impl FnOnce(&mut Recording<Observers>) -> Done) -> Done {
        work(&mut self.lock())
    }

    /// Has the observer see every event from now on. To look at it afterwards, add a clone of an
    /// `Arc<Mutex<…>>` around it.
    pub fn add_observer(&self, observer: Box<dyn Observer>) {
        self.lock().observer.push(observer);
    }

    /// The server's core takes an input.
    pub fn server_input(&self, now: Now, input: &server::Input) {
        self.lock().server_input(now, input);
    }

    /// An output of the server's core is carried out.
    pub fn server_output(&self, now: Now, output: &server::Output) {
        self.lock().server_output(now, output);
    }

    /// The server's core goes on from records that hold every change up to this one.
    pub fn server_restored(&self, now: Now, change: Change) {
        self.lock().server_restored(now, change);
    }

    /// A commit of the server failed.
    pub fn store_failed(&self, now: Now) {
        self.lock().store_failed(now);
    }

    /// Every change up to this one is on the server's disk.
    pub fn server_committed(&self, now: Now, change: Change) {
        self.lock().server_committed(now, change);
    }

    /// The server begins with this configuration. (A change of it is an input of the core.)
    pub fn configured(&self, at: Instant, config: &Config) {
        self.lock().configured(at, config);
    }

    /// A device's core takes an input.
    pub fn device_input(&self, at: Instant, device: DeviceIndex, input: &client::Input) {
        self.lock().device_input(at, device, input);
    }

    /// An output of a device's core is carried out.
    pub fn device_output(&self, at: Instant, device: DeviceIndex, output: &client::Output) {
        self.lock().device_output(at, device, output);
    }

    /// A step of the script breaks or heals something. What came of it is an [`Effect`] of its own.
    pub fn fault(&self, at: Instant, fault: &scenario::Fault) {
        self.lock().script_fault(at, fault);
    }

    /// Something became of the world.
    pub fn effect(&self, at: Instant, effect: Effect) {
        self.lock().effect(at, effect);
    }

    /// A stranger opens a connection from the device's site.
    pub fn stranger(&self, at: Instant, device: DeviceIndex, conduct: Conduct) {
        self.lock().stranger(at, device, conduct);
    }

    /// A ticket was signed, or forged: `claims` are what can be read of it. A text made before is
    /// the same ticket, and no event.
    pub fn ticket_made(
        &self,
        at: Instant,
        name: Option<&str>,
        user: Option<&str>,
        ticket: &Ticket,
        claims: Option<&Claims>,
    ) -> TicketIndex {
        self.lock().ticket_made(at, name, user, ticket, claims)
    }

    /// The server accepts the old key no more.
    pub fn old_key_dropped(&self, at: Instant) {
        self.lock().old_key_dropped(at);
    }

    /// The script is over.
    pub fn script_ended(&self, at: Instant) {
        self.lock().script_ended(at);
    }

    /// Everything has come to rest.
    pub fn converged(&self, at: Instant) {
        self.lock().converged(at);
    }

    /// Not everything came to rest within the bound; `reason` says what did not, and why.
    pub fn not_converged(&self, at: Instant, reason: &str) {
        self.lock().not_converged(at, reason);
    }

    /// Looks at the cast as it is now.
    pub fn cast<Answer>(&self, look: impl FnOnce(&Cast) -> Answer) -> Answer {
        look(&self.lock().cast)
    }

    /// The sum of all events so far.
    pub fn digest(&self) -> Digest {
        self.lock().encoder.digest()
    }

    /// What is left of the run when its events are not.
    pub fn summary(&self) -> Summary {
        self.lock().summary()
    }

    /// Takes the trace out and lets the observers go. What is recorded afterwards starts from
    /// nothing and is of no use.
    pub fn finish(&self) -> Trace {
        let mut recording = self.lock();
        recording.observer.clear();
        Trace {
            digest: recording.encoder.digest(),
            events: std::mem::take(&mut recording.events),
            cast: recording.cast.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recording<Observers>> {
        self.0.lock().expect("recording does not panic")
    }
}

impl<O: Observer> Recording<O> {
    pub(crate) fn new(cast: Cast, keeps: bool, observer: O) -> Self {
        Recording {
            encoder: Encoder::new(&cast),
            keeps,
            events: Vec::new(),
            observer,
            convergence: Convergence::new(&cast),
            world_events: 0,
            server_events: 0,
            stranger_events: 0,
            events_seen: 0,
            last_at: Instant::ZERO,
            end: None,
            installations: BTreeMap::new(),
            strangers: 0,
            public_names: BTreeMap::new(),
            ticket_by_text: BTreeMap::new(),
            ticket_by_signature: BTreeMap::new(),
            sends: BTreeMap::new(),
            peers: Vec::new(),
            sdks: vec![Sdk::default(); cast.devices().len()],
            cast,
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            cast: self.cast.clone(),
            events: self.events_seen,
            ended_at: self.last_at,
            digest: self.encoder.digest(),
            ending: self.end.clone(),
        }
    }

    /// What is left of the run, and the observer that saw it.
    pub(crate) fn into_summary(self) -> (Summary, O) {
        let Recording { cast, events_seen: events, last_at: ended_at, encoder, end: ending, observer, .. } = self;
        (Summary { cast, events, ended_at, digest: encoder.digest(), ending }, observer)
    }

    /// Whether everything has come to rest.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.convergence.is_reached()
    }

    /// What has not come to rest, by device.
    pub(crate) fn missing(&self) -> Vec<String> {
        self.convergence.missing(&self.cast)
    }

    pub(crate) fn server_committed(&mut self, now: Now, change: Change) {
        self.push(now.instant, Actor::Server, What::Committed { commit: small(change.0) });
    }

    pub(crate) fn script_fault(&mut self, at: Instant, fault: &scenario::Fault) {
        let fault = Fault::of(fault, &self.cast);
        self.push(at, Actor::World, What::Fault { fault });
    }

    pub(crate) fn effect(&mut self, at: Instant, effect: Effect) {
        if let Effect::ProcessDead { device } = effect {
            let sdk = &mut self.sdks[device.index()];
            *sdk = Sdk { events: sdk.events, installations: sdk.installations, ..Sdk::default() };
        }
        self.push(at, Actor::World, What::Effect { effect });
    }

    pub(crate) fn stranger(&mut self, at: Instant, device: DeviceIndex, conduct: Conduct) {
        self.push(at, Actor::World, What::Stranger { device, conduct });
    }

    pub(crate) fn ticket_made(
        &mut self,
        at: Instant,
        name: Option<&str>,
        user: Option<&str>,
        ticket: &Ticket,
        claims: Option<&Claims>,
    ) -> TicketIndex {
        if let Some(&index) = self.ticket_by_text.get(ticket) {
            return index;
        }
        let user = user.map(|user| self.user(user));
        let index = self.add_ticket(name, claims);
        self.ticket_by_text.insert(ticket.clone(), index);
        let (issued, ttl) = claims.map_or((0, 0), |claims| (claims.issued_at, claims.ttl));
        self.push(
            at,
            Actor::World,
            What::TicketMade { ticket: index, user, issued: Seconds::new(issued), ttl: Seconds::new(ttl) },
        );
        index
    }

    pub(crate) fn old_key_dropped(&mut self, at: Instant) {
        self.push(at, Actor::World, What::OldKeyDropped);
    }

    pub(crate) fn script_ended(&mut self, at: Instant) {
        self.push(at, Actor::World, What::ScriptEnded);
    }

    pub(crate) fn converged(&mut self, at: Instant) {
        self.end = Some(Ending::Converged);
        self.push(at, Actor::World, What::Converged);
    }

    pub(crate) fn not_converged(&mut self, at: Instant, reason: &str) {
        self.end = Some(Ending::NotConverged(reason.to_owned()));
        let reason = self.text(reason);
        self.push(at, Actor::World, What::NotConverged { reason });
    }

    fn push(&mut self, at: Instant, actor: Actor, what: What) {
        let number = match actor {
            Actor::World => &mut self.world_events,
            Actor::Server => &mut self.server_events,
            Actor::Device(DeviceIndex::STRANGER) => &mut self.stranger_events,
            Actor::Device(device) => &mut self.sdks[device.index()].events,
        };
        *number += 1;
        let event = Event { at, actor, number: *number, what };
        self.events_seen += 1;
        self.last_at = at;
        self.encoder.event(&event);
        if self.keeps {
            self.events.push(event);
        }
        self.convergence.observe(&event);
        self.observer.observe(&self.cast, &event);
    }
}

/// Events keep 32 bits of a count.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
