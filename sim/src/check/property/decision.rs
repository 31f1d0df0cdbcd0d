//! One change that the server decided, whole.

use gatecrash::time::Instant;

use crate::trace::Fact;

/// A change that the server decided, with all its facts.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Its number.
    pub commit: u32,
    /// The server's wall clock when it went to the disk, in microseconds since 1970.
    pub wall: u64,
    /// When that was.
    pub at: Instant,
    /// Which of the server's events it is.
    pub number: u32,
    /// What became true.
    pub facts: Vec<Fact>,
    /// Whether each of its facts says of itself that it is one, and the next one.
    pub is_whole: bool,
}
