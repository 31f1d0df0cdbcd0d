//! What happens in one place at one instant, as marks: everything that is no frame, call, commit or connection.

use serde::Serialize;

use super::lanes::Lanes;
use crate::trace::{Trace, What};

/// A mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// In which lane.
    pub lane: usize,
    /// Which event.
    pub event: usize,
    /// What it looks like: `told` on the application's rail, `status`, `fault`, `phase`, `note`.
    pub look: &'static str,
}

/// Every mark.
pub fn marks(trace: &Trace, lanes: &Lanes) -> Vec<Mark> {
    let mark = |(event, it): (usize, &crate::trace::Event)| {
        Some(Mark { lane: lanes.actor(it.actor), event, look: look(&it.what)? })
    };
    trace.events.iter().enumerate().filter_map(mark).collect()
}

fn look(what: &What) -> Option<&'static str> {
    match what {
        What::Told { .. } => Some("told"),
        What::Status { .. } => Some("status"),
        What::Fault { .. } | What::Stranger { .. } | What::OldKeyDropped => Some("fault"),
        What::ServerStarted { .. }
        | What::Configured { .. }
        | What::Stopping
        | What::ScriptEnded
        | What::Converged
        | What::NotConverged { .. } => Some("phase"),
        What::Malformed { .. }
        | What::CloseAsked { .. }
        | What::Gone { .. }
        | What::Dormant { .. }
        | What::StoreFailed
        | What::ClockChanged { .. }
        | What::StoodStill { .. }
        | What::BackOff { .. }
        | What::LinkLost
        | What::LinkKept
        | What::RecordFailed
        | What::NewDevice { .. }
        | What::SdkWoken
        | What::NetworkChanged
        | What::NoFrame { .. }
        | What::KnownAs { .. }
        | What::EventsDropped
        | What::TicketJudged { .. }
        | What::StoreAsked { .. }
        | What::Stored { .. }
        | What::Effect { .. }
        | What::TicketMade { .. } => Some("note"),
        // Drawn as arrows, brackets, joined marks and bars.
        What::DeviceSent { .. }
        | What::DeviceReceived { .. }
        | What::ServerSent { .. }
        | What::ServerReceived { .. }
        | What::Called { .. }
        | What::Answered { .. }
        | What::UninitReturned { .. }
        | What::Commit { .. }
        | What::Fact { .. }
        | What::Committed { .. }
        | What::ConnectAsked { .. }
        | What::Connected { .. }
        | What::ConnectFailed { .. }
        | What::Untrusted { .. }
        | What::Opened { .. } => None,
    }
}
