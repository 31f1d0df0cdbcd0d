//! The second column of a line: who acts, towards whom.

use crate::trace::{Actor, Cast, DeviceIndex, Event, What};

/// Wide enough for the longest pair: `server -> ` and a device, at least a `stranger`.
pub(super) fn who_width(cast: &Cast) -> usize {
    let longest = cast.devices().iter().map(|device| device.name.len()).fold("stranger".len(), usize::max);
    "server -> ".len() + longest
}

pub(super) fn who(cast: &Cast, event: &Event) -> String {
    let name = match event.actor {
        Actor::World => "world",
        Actor::Server => "server",
        Actor::Device(device) => cast.device_name(device),
    };
    let peer = |peer: Option<DeviceIndex>| peer.map_or("?", |peer| cast.device_name(peer));
    match event.what {
        What::Called { .. } => format!("{name} <= app"),
        What::Answered { .. } | What::UninitReturned { .. } | What::Told { .. } => format!("{name} => app"),
        What::DeviceSent { .. } => format!("{name} -> server"),
        What::DeviceReceived { .. } => format!("{name} <- server"),
        What::ServerSent { peer: to, .. } => format!("{name} -> {}", peer(to)),
        What::ServerReceived { peer: from, .. } | What::Malformed { peer: from, .. } => {
            format!("{name} <- {}", peer(from))
        }
        What::CloseAsked { peer: with, .. } | What::Gone { peer: with, .. } => match event.actor {
            Actor::Server => format!("{name} -- {}", peer(with)),
            Actor::Device(_) | Actor::World => format!("{name} -- server"),
        },
        What::EventsDropped
        | What::Status { .. }
        | What::ConnectAsked { .. }
        | What::Connected { .. }
        | What::ConnectFailed { .. }
        | What::Untrusted { .. }
        | What::Opened { .. }
        | What::Commit { .. }
        | What::Fact { .. }
        | What::Committed { .. }
        | What::TicketJudged { .. }
        | What::Dormant { .. }
        | What::ServerStarted { .. }
        | What::StoreFailed
        | What::Stopping
        | What::Configured { .. }
        | What::ClockChanged { .. }
        | What::StoodStill { .. }
        | What::StoreAsked { .. }
        | What::Stored { .. }
        | What::BackOff { .. }
        | What::LinkLost
        | What::LinkKept
        | What::RecordFailed
        | What::NewDevice { .. }
        | What::SdkWoken
        | What::NetworkChanged
        | What::NoFrame { .. }
        | What::KnownAs { .. }
        | What::Fault { .. }
        | What::Effect { .. }
        | What::Stranger { .. }
        | What::TicketMade { .. }
        | What::OldKeyDropped
        | What::ScriptEnded
        | What::Converged
        | What::NotConverged { .. } => name.to_owned(),
    }
}
