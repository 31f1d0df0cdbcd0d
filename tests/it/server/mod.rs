//! The server's core, driven from outside: inputs in, outputs out, time by hand.
//!
//! Tickets are made-up claims: nothing is signed or opened here, that is `ticket`'s and `wire`'s.
//! `world` feeds the core and checks after every input what must hold always; `script` puts a
//! column text on it, so that a test reads like a conversation, and `stages` has what many begin with.

mod away;
mod calls;
mod durable;
mod kicks;
mod links;
mod login;
mod order;
mod policy;
mod random;
mod script;
mod stages;
mod world;
