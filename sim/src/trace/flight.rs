//! Frames from where they leave to where they arrive: found by pairing what left with what came.

use std::collections::BTreeMap;
use std::time::Duration;

use super::alias::Aliases;
use super::{Actor, ClientFrame, DeviceIndex, Event, ServerFrame, Trace, What};

/// A frame that has not arrived this long before the end of the trace was lost, not on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// A frame between a device and the server, in one direction, to find it again where it arrives.
#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Up(ClientFrame),
    Down(ServerFrame),
}

/// One frame's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Where in [`Trace::events`] it leaves.
    pub left: usize,
    /// What became of it.
    pub end: FlightEnd,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlightEnd {
    /// It arrived: here in [`Trace::events`].
    Arrived(usize),
    /// It never arrived.
    Lost,
    /// The trace ended before one could know.
    UnderWay,
    /// It went to a stranger, and nobody records what reaches one.
    Unseen,
}

/// Every frame that left, in the order in which they did.
///
/// A frame that arrives is taken for the last equal one that left before and did not arrive yet:
/// when a first copy went down with its connection, the second one is the one that came.
pub fn flights(trace: &Trace) -> Vec<Flight> {
    let mut flying: BTreeMap<DeviceIndex, Vec<(usize, Frame)>> = BTreeMap::new();
    let mut aliases = Aliases::default();
    let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
    let mut flights = Vec::new();
    for (position, event) in trace.events.iter().enumerate() {
        aliases.observe(event);
        if matches!(event.what, What::DeviceSent { .. } | What::ServerSent { .. }) {
            flights.push(Flight { left: position, end: FlightEnd::Unseen });
        }
        let Some((device, frame, leaves)) = frame_of(event) else { continue };
        let device = match event.actor {
            Actor::Device(device) => aliases.known_to_server(device),
            Actor::Server | Actor::World => device,
        };
        let frames = flying.entry(device).or_default();
        if leaves {
            frames.push((position, frame));
        } else if let Some(index) = frames.iter().rposition(|(_, left)| *left == frame) {
            arrived.insert(frames.remove(index).0, position);
        }
    }
    let end = trace.ended_at();
    let mut unarrived: Vec<usize> = flying.into_values().flatten().map(|(position, _)| position).collect();
    unarrived.sort_unstable();
    for flight in &mut flights {
        if let Some(&position) = arrived.get(&flight.left) {
            flight.end = FlightEnd::Arrived(position);
        } else if unarrived.binary_search(&flight.left).is_ok() {
            let is_lost = trace.events[flight.left].at + ON_ITS_WAY <= end;
            flight.end = if is_lost { FlightEnd::Lost } else { FlightEnd::UnderWay };
        }
    }
    flights
}

/// The device, the frame, and whether it leaves (or arrives).
fn frame_of(event: &Event) -> Option<(DeviceIndex, Frame, bool)> {
    if let Actor::Device(device) = event.actor {
        if let What::DeviceSent { frame, .. } = event.what {
            return Some((device, Frame::Up(untied(frame)), true));
        }
        if let What::DeviceReceived { frame, .. } = event.what {
            return Some((device, Frame::Down(frame), false));
        }
    }
    if let What::ServerSent { peer: Some(device), frame, .. } = event.what {
        return (device != DeviceIndex::STRANGER).then_some((device, Frame::Down(frame), true));
    }
    if let What::ServerReceived { peer: Some(device), frame, .. } = event.what {
        return Some((device, Frame::Up(untied(frame)), false));
    }
    None
}

/// The frame without its ticket: the two ends know a ticket in different ways.
fn untied(frame: ClientFrame) -> ClientFrame {
    match frame {
        ClientFrame::Login { call, attempt, user, ticket: _, known_ended } => {
            ClientFrame::Login { call, attempt, user, ticket: None, known_ended }
        }
        ClientFrame::Resume { attempt, user, epoch, ticket: _, received } => {
            ClientFrame::Resume { attempt, user, epoch, ticket: None, received }
        }
        ClientFrame::Renew { call, attempt, user, epoch, ticket: _ } => {
            ClientFrame::Renew { call, attempt, user, epoch, ticket: None }
        }
        ClientFrame::Hello { .. }
        | ClientFrame::LoginAcknowledged { .. }
        | ClientFrame::Logout { .. }
        | ClientFrame::Heartbeat
        | ClientFrame::KickConfirmed { .. }
        | ClientFrame::Send { .. }
        | ClientFrame::AdminKick { .. }
        | ClientFrame::Query { .. }
        | ClientFrame::MessagesReceived { .. } => frame,
    }
}
