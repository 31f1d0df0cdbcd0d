//! What a server has to carry, counted while it serves: bytes, queues, and whom it turned away.
//!
//! For whoever watches over it. Nothing is decided by these numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why somebody's connection was closed by a limit, or never came to be one.
///
/// ```
/// use gatecrash::driver::server::Turned;
///
/// assert_eq!(Turned::ALL.len(), 6);
/// assert_eq!(Turned::Full.word(), "full");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// There was no place (INPUT-5).
    Full,
    /// A newcomer took the place of somebody who had said nothing (INPUT-5).
    MadeRoom,
    /// The handshake failed, or was not done in time (INPUT-7).
    Handshake,
    /// There were too many from the same address (INPUT-8).
    TooManyFromAddress,
    /// Too many from the same address had been refused (INPUT-8).
    AddressRefused,
    /// More waited for them than is kept for a peer that does not read.
    NotReading,
}

impl Turned {
    /// All of them.
    pub const ALL: [Turned; 6] = [
        Turned::Full,
        Turned::MadeRoom,
        Turned::Handshake,
        Turned::TooManyFromAddress,
        Turned::AddressRefused,
        Turned::NotReading,
    ];

    /// It in a word, as metrics show it.
    pub const fn word(self) -> &'static str {
        match self {
            Turned::Full => "full",
            Turned::MadeRoom => "made_room",
            Turned::Handshake => "handshake",
            Turned::TooManyFromAddress => "too_many_from_address",
            Turned::AddressRefused => "address_refused",
            Turned::NotReading => "not_reading",
        }
    }
}

/// What a server has to carry; a clone shows the same server.
///
/// ```
/// use gatecrash::driver::server::{Load, Turned};
///
/// let load = Load::default();
/// assert_eq!((load.bytes_in(), load.turned(Turned::Full)), (0, 0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Load(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    held_back: AtomicU64,
    arrivals: AtomicU64,
    changes: AtomicU64,
    outputs: AtomicU64,
    pulse: AtomicU64,
    ready: AtomicU64,
    turned: [AtomicU64; Turned::ALL.len()],
}

/// A number that grows.
fn add(counter: &AtomicU64, number: usize) {
    counter.fetch_add(number as u64, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Load {
    /// Bytes that came from peers so far, as the network carries them.
    pub fn bytes_in(&self) -> u64 {
        get(&self.0.bytes_in)
    }

    /// Bytes that went to peers so far, as the network carries them.
    pub fn bytes_out(&self) -> u64 {
        get(&self.0.bytes_out)
    }

    /// How often a connection was read no further for a while, since it had said too much (INPUT-8).
    pub fn held_back(&self) -> u64 {
        get(&self.0.held_back)
    }

    /// How many arrivals waited for the core when it last looked: new connections, frames, ends.
    pub fn arrivals_waiting(&self) -> u64 {
        get(&self.0.arrivals)
    }

    /// How many changes were decided then and not yet handed to the store.
    pub fn changes_waiting(&self) -> u64 {
        get(&self.0.changes)
    }

    /// How many outputs waited for the disk then.
    pub fn outputs_waiting(&self) -> u64 {
        get(&self.0.outputs)
    }

    /// How often the core has looked so far, once a second at least: a number that stands still is a server that does.
    pub fn pulse(&self) -> u64 {
        get(&self.0.pulse)
    }

    /// Whether logins are decided: the store is open, and it is not stopping.
    pub fn is_ready(&self) -> bool {
        get(&self.0.ready) != 0
    }

    /// How many were turned away so far.
    pub fn turned(&self, why: Turned) -> u64 {
        get(&self.0.turned[why as usize])
    }

    pub(super) fn read(&self, bytes: usize) {
        add(&self.0.bytes_in, bytes);
    }

    pub(super) fn written(&self, bytes: usize) {
        add(&self.0.bytes_out, bytes);
    }

    pub(super) fn holds_back(&self) {
        add(&self.0.held_back, 1);
    }

    pub(super) fn turns_away(&self, why: Turned) {
        add(&self.0.turned[why as usize], 1);
    }

    pub(super) fn set_ready(&self, is_ready: bool) {
        self.0.ready.store(is_ready.into(), Ordering::Relaxed);
    }

    pub(super) fn looked(&self, arrivals: usize, changes: usize, outputs: usize) {
        let counters = &self.0;
        for (counter, number) in
            [(&counters.arrivals, arrivals), (&counters.changes, changes), (&counters.outputs, outputs)]
        {
            counter.store(number as u64, Ordering::Relaxed);
        }
        add(&counters.pulse, 1);
    }
}
