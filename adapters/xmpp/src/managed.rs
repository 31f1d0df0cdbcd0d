//! Stream management (XEP-0198), the device's side: what was handled, and what is not acknowledged.

use std::collections::VecDeque;

use tokio_xmpp::minidom::Element;

/// A managed session.
pub struct Managed {
    /// Under which it is resumed.
    pub id: String,
    /// Stanzas of the server's that were handled here, modulo 2³².
    pub handled: u32,
    acknowledged: u32,
    sent: VecDeque<(Element, Option<u64>)>,
}

impl Managed {
    pub fn new(id: String) -> Managed {
        Managed { id, handled: 0, acknowledged: 0, sent: VecDeque::new() }
    }

    /// A stanza goes out, for a call perhaps.
    pub fn sends(&mut self, stanza: &Element, call: Option<u64>) {
        self.sent.push_back((stanza.clone(), call));
    }

    /// The server has handled so many. The calls that are done with that.
    pub fn acknowledge(&mut self, h: u32) -> Vec<u64> {
        let more = (h.wrapping_sub(self.acknowledged) as usize).min(self.sent.len());
        self.acknowledged = self.acknowledged.wrapping_add(more as u32);
        self.sent.drain(..more).filter_map(|(_, call)| call).collect()
    }

    /// What goes out again after the session was resumed.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &Element> {
        self.sent.iter().map(|(stanza, _)| stanza)
    }
}
