//! Which frames never arrived: found by pairing what left with what came.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, ServerFrame, Trace, What};

/// A frame that has not arrived this long before the end of the trace was lost, not on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// A frame between a device and the server, in one direction, to find it again where it arrives.
#[derive(Clone, Copy, PartialEq)]
enum Flight {
    Up(ClientFrame),
    Down(ServerFrame),
}

/// Where the frames are that left and never arrived.
///
/// A frame that arrives is taken for the last equal one that left before and did not arrive yet:
/// when a first copy went down with its connection, the second one is the one that came.
pub(super) fn lost_frames(trace: &Trace) -> BTreeSet<usize> {
    let mut flying: BTreeMap<DeviceIndex, Vec<(usize, Flight)>> = BTreeMap::new();
    // To the server a copy is the device that it is a copy of.
    let mut known_as: BTreeMap<DeviceIndex, DeviceIndex> = BTreeMap::new();
    for (position, event) in trace.events.iter().enumerate() {
        match (event.actor, event.what) {
            (Actor::Device(copy), What::KnownAs { device, .. }) => drop(known_as.insert(copy, device)),
            (Actor::Device(device), What::NewDevice { .. })
            | (_, What::Effect { effect: Effect::ProcessDead { device } }) => drop(known_as.remove(&device)),
            _ => {}
        }
        let Some((device, flight, leaves)) = flight(event) else { continue };
        let device = match event.actor {
            Actor::Device(device) => known_as.get(&device).copied().unwrap_or(device),
            Actor::Server | Actor::World => device,
        };
        let flights = flying.entry(device).or_default();
        if leaves {
            flights.push((position, flight));
        } else if let Some(index) = flights.iter().rposition(|(_, left)| *left == flight) {
            flights.remove(index);
        }
    }
    let end = trace.ended_at();
    let lost = |position: &usize| trace.events[*position].at + ON_ITS_WAY <= end;
    flying.into_values().flatten().map(|(position, _)| position).filter(lost).collect()
}

/// The device, the frame, and whether it leaves (or arrives).
fn flight(event: &Event) -> Option<(DeviceIndex, Flight, bool)> {
    if let Actor::Device(device) = event.actor {
        if let What::DeviceSent { frame, .. } = event.what {
            return Some((device, Flight::Up(untied(frame)), true));
        }
        if let What::DeviceReceived { frame, .. } = event.what {
            return Some((device, Flight::Down(frame), false));
        }
    }
    if let What::ServerSent { peer: Some(device), frame, .. } = event.what {
        // Nobody records what reaches a stranger.
        return (device != DeviceIndex::STRANGER).then_some((device, Flight::Down(frame), true));
    }
    if let What::ServerReceived { peer: Some(device), frame, .. } = event.what {
        return Some((device, Flight::Up(untied(frame)), false));
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
