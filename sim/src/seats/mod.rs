//! Who holds which seat, when only the application's side was seen.
//!
//! A server accepts logins in one order, and each acceptance decides who stays (POLICY-3, POLICY-4). Whoever sees its logs
//! knows that order. A history of applications does not: a login was accepted at some instant between its call and its
//! result, one without a known result at some instant or never, and a device that was displaced hears of it later or not at
//! all. So this room asks whether *some* order explains what was seen, as Porcupine and Knossos ask of a register: for each
//! user a small search with a memory.
//!
//! ```text
//! Seats ──by group of platforms──▶ Group ──a cut, or the end──▶ Problem ──▶ search ──▶ explained, and how it goes on
//!                                    ▲                             ▲          └──────▶ not: the smallest part that is not
//!                                    └── Book: what is open        └── each fact a bound of an instant
//! ```
//!
//! # What is searched
//!
//! Operations are acceptances, ends by themselves, administrators, and returns where coming back is a login. An explanation
//! is an order of those that happened, each at an instant within its bounds, so that
//!
//! - after each acceptance exactly the seats of the [`Profile`] are left (POLICY-3), and a device's own next login replaces
//!   its session (LOGIN-10);
//! - whoever was told had been displaced by then, by the device named and for the reason given, or ended by an
//!   administrator; nobody else was;
//! - a session ended no earlier than the last proof that it lived, and by others no earlier than its device would have heard;
//! - a login without a result was accepted once or never, and not after a later login of its device;
//! - at a settled end those hold seats who are said to.
//!
//! The search places one operation after another, each at the least instant that it can have, and remembers what it saw. Each
//! file says why what it leaves out cannot matter: `search` why the least instant is enough and which logins may be
//! exchanged, `judging` why what is behind a cut may be forgotten, `minimal` why a part of the facts is a history of its own.
//!
//! # What it is sure of
//!
//! A violation is one: whatever is weakened (an end before a cut, a session of before a forced cut, an administrator in two
//! groups of platforms at two instants) makes more explainable, never less. Where a search would look at more than
//! [`Bounds`] allow it is [`Undecided`], which says what made it hard. Refusals have many reasons and prove nothing about
//! seats.
//!
//! Nothing here knows traces, scenarios or worlds: logins, devices, platforms and instants are numbers.

mod book;
mod claim;
mod fact;
mod group;
mod judging;
mod marks;
mod minimal;
mod problem;
mod profile;
mod search;
mod step;
#[cfg(test)]
mod tests;
mod user;
mod violation;
mod world;

pub use fact::{Answer, Fact, OwnEnd, Reason, Span};
pub use profile::{Bounds, ComesBack, Profile, SeatPlan, Victim, Wins};
pub use user::Seats;
pub use violation::{Breach, Involved, Names, Outcome, Undecided, Violation, Why};
