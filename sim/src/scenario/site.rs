//! A network location, and what the network there does to connections.
//!
//! Does nothing itself: the worlds do.

use std::fmt;
use std::time::Duration;

use super::{LATENCY_DEFAULT, Span};

/// A network location. Its devices share a link to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// One way.
    pub latency: Span,
    /// After how long without a byte either way a box on the way forgets a connection: what comes on it later
    /// is thrown away, and neither end is told.
    pub forgets_idle: Option<Duration>,
    /// Into pieces of how many bytes a stream is cut on its way.
    pub segments: Option<Pieces>,
    /// How many bytes may be under way in each direction of a connection: written, and not yet read. Whoever writes more
    /// waits until there is room.
    pub window: Option<u32>,
}

/// The widest window a file may give: no frame is much longer.
pub const WINDOW_MAX: u32 = 1 << 20;

impl Default for Site {
    fn default() -> Self {
        Site { latency: LATENCY_DEFAULT, forgets_idle: None, segments: None, window: None }
    }
}

/// How many bytes a piece of a stream has, drawn evenly between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// The fewest, from 1.
    pub min: u32,
    /// The most; equal to `min` when nothing is drawn.
    pub max: u32,
}

/// What pieces look like, for those who get them wrong.
pub(super) const PIECES: &str = "a number of bytes such as 1, or a range such as 1..3, up to 65536";

impl Pieces {
    /// The most that is worth cutting into.
    pub(super) const BYTES_MAX: u32 = 65_536;

    /// The bounds written so, if they are in order: `1..3`, or one for both.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let pieces = Pieces { min: number(min)?, max: number(max)? };
        (1 <= pieces.min && pieces.min <= pieces.max && pieces.max <= Pieces::BYTES_MAX).then_some(pieces)
    }
}

impl fmt::Display for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pieces { min, max } if min == max => write!(f, "{min}"),
            Pieces { min, max } => write!(f, "{min}..{max}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_a_number_or_a_range_of_some() {
        assert_eq!(Pieces::parse("1..3"), Some(Pieces { min: 1, max: 3 }));
        assert_eq!(Pieces::parse("7"), Some(Pieces { min: 7, max: 7 }));
        for text in ["1..3", "7", "1..65536"] {
            assert_eq!(Pieces::parse(text).expect("well written").to_string(), text);
        }
        for bad in ["", "0", "0..3", "3..1", "1..", "+1", "1..65537", "1...3", "1..2..3", "a"] {
            assert_eq!(Pieces::parse(bad), None, "{bad}");
        }
    }
}
