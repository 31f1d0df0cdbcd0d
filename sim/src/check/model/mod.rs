//! A model of the truth: a small server and a small SDK, written from the rules and from nothing else.
//!
//! They share no decision with the product: whole lists, whole scans, no timers, no cleverness. The
//! server's half takes what came in to the server in a trace and says what it has to decide, answer
//! and close; the device's half takes what an application called and its SDK received, and says which
//! results are possible. The trace is compared with what they say, event by event.
//!
//! **Time** moves nothing in the model. What only time leads to (an expiry, a link loss by silence, the
//! end of the seven days) is taken from the trace when it comes, and must be neither early nor late.
//!
//! **Unknown outcomes stay unknown.** What the server decided is in a journal until the trace says that
//! it is on disk; after a crash the next start says up to which change it was. A login whose answer a
//! device never saw may have made a session or not.
//!
//! **Choices** of the rules follow the configuration in force: `reconnect_kicks`,
//! `notify_offline_kick`, the policy and its numbers, the administrators.
//!
//! **What it does not know** it takes as it comes. Which number above all earlier ones an epoch or a
//! message gets. What is wrong with a ticket that cannot be opened, and what a ticket is worth whose
//! making nobody saw, or whose key goes at that moment. What strangers are told: a trace does not tell
//! them apart. When a connection that carries no session is closed, if not too early. What leaves
//! before its change is on disk. After the first difference it knows nothing any more: whatever
//! follows may follow from that.

mod admission;
mod arguments;
mod attempts;
mod clock;
mod compare;
mod delivery;
mod demand;
mod difference;
mod follow;
mod gates;
mod journal;
mod links;
mod memory;
mod newest;
mod outbox;
mod records;
mod requests;
mod sdk;
mod seats;
mod server;
mod start;
mod step;
mod tickets;
mod time;
mod words;

pub(crate) use clock::Tolerance;
pub(crate) use difference::Difference;
pub(crate) use sdk::Sdks;
pub(crate) use server::Server;

/// What holds of the server where it agrees.
pub(crate) const SERVER: &str = "the server decides, answers and closes what a naive reading of the rules does";

/// What holds of an SDK where it agrees.
pub(crate) const SDK: &str = "a call's result is one that what was called and what came in can lead to";
