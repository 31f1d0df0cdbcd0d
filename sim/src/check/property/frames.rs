//! Sets of frames: which of them a property wants to see, of the events that it watches.
//!
//! Every third event is a frame, and most properties that look at frames look at a few.

use crate::scenario::rules::is_same;
use crate::trace::{ClientFrame, ServerFrame, What};

/// A set of frames, those of devices before those of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frames(u64);

impl Frames {
    /// How many frames there are.
    pub(super) const COUNT: usize = ClientFrame::WORDS.len() + ServerFrame::WORDS.len();

    /// Every frame.
    pub const ALL: Frames = Frames((1 << Frames::COUNT) - 1);

    /// Those that say something: all but heartbeats and their answers.
    pub const NEWS: Frames = Frames(Frames::ALL.0 & !Frames::of(&["heartbeat", "heartbeat_answer"]).0);

    /// The frames with these words.
    ///
    /// # Panics
    ///
    /// When compiled with a word that no frame has.
    pub(super) const fn of(words: &[&str]) -> Frames {
        let mut bits = 0;
        let mut index = 0;
        while index < words.len() {
            bits |= 1 << place(words[index]);
            index += 1;
        }
        Frames(bits)
    }

    /// The place of the event's frame; none of an event that is about none.
    pub(super) fn place_of(what: &What) -> Option<usize> {
        match what {
            What::DeviceSent { frame, .. } | What::ServerReceived { frame, .. } => Some(frame.index()),
            What::ServerSent { frame, .. } | What::DeviceReceived { frame, .. } => {
                Some(ClientFrame::WORDS.len() + frame.index())
            }
            _ => None,
        }
    }

    /// The places of the frames.
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        (0..Frames::COUNT).filter(move |&frame| self.0 >> frame & 1 == 1)
    }
}

const fn place(word: &str) -> usize {
    let mut frame = 0;
    while frame < Frames::COUNT {
        let devices = ClientFrame::WORDS.len();
        let one = if frame < devices { ClientFrame::WORDS[frame] } else { ServerFrame::WORDS[frame - devices] };
        if is_same(one, word) {
            return frame;
        }
        frame += 1;
    }
    panic!("no frame has this word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_frames_it_was_made_of() {
        let places: Vec<usize> = Frames::of(&["hello", "kick"]).places().collect();
        assert_eq!(places.len(), 2);
        let hello = ClientFrame::Hello { version: 1, platform: gatecrash::policy::Platform::Web, installation: 1 };
        let sent = What::DeviceSent { connection: 0, reveals: 0, frame: hello };
        assert_eq!(Frames::place_of(&sent), Some(places[0]));
        assert_eq!(Frames::place_of(&What::LinkLost), None);
        assert_eq!(Frames::NEWS.places().count() + 2, Frames::COUNT);
        let words: std::collections::BTreeSet<&&str> = ClientFrame::WORDS.iter().chain(ServerFrame::WORDS).collect();
        assert_eq!(words.len(), Frames::COUNT, "each word is one frame's");
    }
}
