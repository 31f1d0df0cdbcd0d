//! A chat over TCP whose devices write down what they did and were told, so that `gatecrash judge` can say what of it is right.
//!
//! ```text
//! evening ──▶ device ──▶ sdk ══wire══ cable ══wire══ server      a script, devices, the chat, links that can be cut
//!                └─────▶ history ──▶ JSON Lines                  what there is to judge
//! ```
//!
//! [`sdk`], [`server`] and [`wire`] are the chat, and know nothing of a judge: sessions that outlive their connections, kicks
//! and messages that stay owed to whoever is out of reach. They keep everything in memory and take everybody for who they say
//! they are. [`history`] and [`device`] are what a team adds to be judged. Nothing here runs in a simulated world.

pub mod cable;
pub mod device;
pub mod evening;
pub mod history;
pub mod sdk;
pub mod server;
pub mod wire;

use std::time::Duration;

/// A device says something at least so often.
pub const PING: Duration = Duration::from_millis(100);
/// Who says nothing for so long, which is three pings, is out of reach.
pub const SILENCE: Duration = Duration::from_millis(300);
