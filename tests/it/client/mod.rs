//! The SDK's core, from outside: transcripts of what goes in and what comes out, and random play.
//!
//! No server and no network: what they would say is part of each transcript.

mod account;
mod connection;
mod disk;
mod doubt;
mod ending;
mod ledger;
mod life;
mod order;
mod random;
mod request;
mod rig;
mod stages;
mod storage;
mod ticket;
mod version;

use gatecrash::client::Client;

/// A checker of models needs all of these.
#[test]
fn a_core_can_be_cloned_compared_hashed_and_sent() {
    fn is_a_state<State>(_: &State)
    where
        State: Clone + std::fmt::Debug + PartialEq + Eq + std::hash::Hash + Send + Sync,
    {
    }
    let client: Client = Client::new();
    is_a_state(&client);
    assert_eq!(client, client.clone());
}
