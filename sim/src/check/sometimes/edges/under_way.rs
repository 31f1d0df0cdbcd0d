//! Messages under way to a device, up to as many as may be (API-7).

use super::super::table::{Reached, Situation};
use super::messages::Messages;
use crate::scenario::numbers::UNDER_WAY_MAX;
use crate::trace::{ClientFrame, DeviceIndex, ServerFrame};

#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay {
    links: Vec<Link>,
}

#[derive(Clone, Debug)]
struct Link {
    connection: u32,
    /// Sent on it and not acknowledged.
    places: Vec<u32>,
    /// The place of the next one, which was owed when there were as many under way as may be.
    waits: Option<u32>,
}

impl UnderWay {
    pub(super) fn sent(&mut self, connection: u32, frame: &ServerFrame, reached: &mut Reached) {
        let ServerFrame::Message { place, .. } = *frame else { return };
        let at = self.links.iter().position(|link| link.connection == connection).unwrap_or_else(|| {
            self.links.push(Link { connection, places: Vec::new(), waits: None });
            self.links.len() - 1
        });
        let link = &mut self.links[at];
        link.places.push(place);
        if link.places.len() == UNDER_WAY_MAX {
            reached.add(Situation::UnderWayAtMost);
        }
        if link.waits == Some(place) {
            reached.add(Situation::UnderWayWaited);
        }
    }

    /// What the device has is under way no more.
    pub(super) fn received(
        &mut self,
        connection: u32,
        peer: Option<DeviceIndex>,
        frame: &ClientFrame,
        messages: &Messages,
    ) {
        let (ClientFrame::MessagesReceived { user, epoch, through }, Some(peer)) = (*frame, peer) else { return };
        let Some(link) = self.links.iter_mut().find(|link| link.connection == connection) else { return };
        if link.places.len() == UNDER_WAY_MAX {
            let next = link.places.iter().max().map(|last| last + 1);
            link.waits = next.filter(|next| messages.last_place((user, peer, epoch)) >= *next);
        }
        link.places.retain(|place| *place > through);
    }

    pub(super) fn ended(&mut self, connection: u32) {
        self.links.retain(|link| link.connection != connection);
    }
}
