//! Where to look when an expectation is missed and no single event is what is wrong: the last thing that has to do with it.
//!
//! Finds no miss: the reader of expectations does. Positions are those of the trace.

use gatecrash::time::Instant;

use super::Reader;
use crate::check::reading::kind_of;
use crate::scenario::{CallKind, DeviceName, ListenerEvent};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, Fact, Request, ServerFrame, TextIndex, Told, What};

/// For an event that did not fire: the last of its family on the device, up to an instant.
pub(super) fn last_of_family(
    reader: &Reader<'_>,
    device: &DeviceName,
    event: ListenerEvent,
    until: Instant,
) -> Option<usize> {
    let device = reader.index(device)?;
    let is_message = event == ListenerEvent::Message;
    reader.last(until, |one| {
        let is_its = one.actor == Actor::Device(device);
        match one.what {
            What::Told { event: Told::Message { .. }, .. } => is_its && is_message,
            What::ServerSent { peer, frame: ServerFrame::Message { .. }, .. } => is_message && peer == Some(device),
            What::Told { .. } | What::Status { .. } => is_its && !is_message,
            What::Answered { kind, .. } => is_its && !is_message && kind.is_some_and(changes_who_is_there),
            What::Effect { effect: Effect::ProcessDead { device: dead } } => dead == device && !is_message,
            _ => false,
        }
    })
}

/// For a message that did not arrive: where it was last seen.
pub(super) fn last_of_text(
    reader: &Reader<'_>,
    device: &DeviceName,
    wanted: Option<TextIndex>,
    until: Instant,
) -> Option<usize> {
    let seen = wanted.and_then(|wanted| {
        reader.last(until, |one| match one.what {
            What::Called { request: Request::Send { text, .. }, .. }
            | What::DeviceSent { frame: ClientFrame::Send { text, .. }, .. }
            | What::Fact { fact: Fact::MessageStored { text, .. }, .. }
            | What::ServerSent { frame: ServerFrame::Message { text, .. }, .. } => text == wanted,
            _ => false,
        })
    });
    seen.or_else(|| last_of_family(reader, device, ListenerEvent::Message, until))
}

/// The last that an application on the device saw or did.
pub(super) fn last_of(reader: &Reader<'_>, device: &DeviceName) -> Option<usize> {
    last_before(reader, reader.index(device)?, super::FOREVER)
}

/// The same up to an instant.
pub(super) fn last_before(reader: &Reader<'_>, device: DeviceIndex, until: Instant) -> Option<usize> {
    reader.last(until, |one| {
        let is_seen = match one.what {
            What::Called { request, .. } => changes_who_is_there(kind_of(&request)),
            What::Told { .. } | What::Answered { .. } | What::Status { .. } => true,
            _ => false,
        };
        is_seen && one.actor == Actor::Device(device)
    })
}

fn changes_who_is_there(call: CallKind) -> bool {
    match call {
        CallKind::Login | CallKind::Logout | CallKind::Init | CallKind::Uninit => true,
        CallKind::Send | CallKind::Conversations | CallKind::Kick | CallKind::Query => false,
    }
}

impl Reader<'_> {
    /// The last event up to an instant that is one of these.
    fn last(&self, until: Instant, is_it: impl Fn(&Event) -> bool) -> Option<usize> {
        self.trace.events.iter().rposition(|event| event.at <= until && is_it(event))
    }
}
