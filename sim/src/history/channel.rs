//! What somebody who records a history can observe, and sets of it.

use std::fmt;
use std::str::FromStr;

use crate::scenario::nearest;

macro_rules! channels {
    ($($(#[$doc:meta])+ $name:ident = $word:literal;)+) => {
        /// Something that a history holds in full, or not at all.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Channel { $($(#[$doc])+ $name,)+ }

        impl Channel {
            /// Every channel, in the order of the documents.
            pub const ALL: [Channel; [$($word),+].len()] = [$(Channel::$name),+];

            /// The word that a history's first line uses.
            pub const fn word(self) -> &'static str {
                match self { $(Channel::$name => $word,)+ }
            }

            /// The channel of this word.
            pub fn from_word(word: &str) -> Option<Channel> {
                match word { $($word => Some(Channel::$name),)+ _ => None }
            }
        }
    };
}

channels! {
    /// Every call of an application, and its result.
    Calls = "calls";
    /// Everything that a listener was told.
    Events = "events";
    /// The login status and the login user.
    Status = "status";
    /// Processes: up, dead, suspended, woken.
    Process = "process";
    /// From when to when a device could reach the server.
    Link = "link";
    /// When each ticket was issued, and how long it holds.
    Tickets = "tickets";
    /// What was sent and delivered, with an id.
    Messages = "messages";
    /// Presence events, numbered where they are.
    Presence = "presence";
    /// Everything on the wire.
    Frames = "frames";
    /// The server's decisions and commits.
    Server = "server";
}

/// A set of channels.
///
/// ```
/// use gatecrash_sim::history::{Channel, Channels};
///
/// let seen = Channels::of(&[Channel::Calls, Channel::Events]);
/// assert!(seen.has(Channel::Calls));
/// assert_eq!(seen.lacks(Channels::of(&[Channel::Calls, Channel::Link])).to_string(), "link");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels(u16);

impl Channels {
    /// None of them.
    pub const NONE: Channels = Channels(0);
    /// All of them: what a trace of our own worlds holds.
    pub const ALL: Channels = Channels((1 << Channel::ALL.len()) - 1);

    /// These.
    pub const fn of(channels: &[Channel]) -> Channels {
        let (mut bits, mut index) = (0, 0);
        while index < channels.len() {
            bits |= 1 << channels[index] as u16;
            index += 1;
        }
        Channels(bits)
    }

    /// Whether this one is among them.
    pub const fn has(self, channel: Channel) -> bool {
        self.0 & (1 << channel as u16) != 0
    }

    /// Those of `needed` that are not here.
    pub const fn lacks(self, needed: Channels) -> Channels {
        Channels(needed.0 & !self.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Those in both.
    pub const fn and(self, other: Channels) -> Channels {
        Channels(self.0 & other.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |&channel| self.has(channel))
    }
}

impl FromStr for Channels {
    type Err = String;

    /// Words with commas between them, or `all`.
    fn from_str(text: &str) -> Result<Channels, String> {
        if text == "all" {
            return Ok(Channels::ALL);
        }
        let mut channels = Vec::new();
        for word in text.split(',').map(str::trim) {
            let Some(channel) = Channel::from_word(word) else {
                let meant = nearest(word, Channel::ALL.map(Channel::word));
                let hint = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                return Err(format!("there is no channel `{word}`{hint}; there are {}", Channels::ALL));
            };
            channels.push(channel);
        }
        Ok(Channels::of(&channels))
    }
}

impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Channel::word).collect();
        f.write_str(&words.join(", "))
    }
}
