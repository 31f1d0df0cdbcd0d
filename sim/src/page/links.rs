//! Links as thin bars: from a device's request for a connection until that is gone.

use serde::Serialize;

use super::lanes::Lanes;
use crate::trace::{Actor, Effect, Trace, What};

/// A device's connection, as the device knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Whose lane.
    pub lane: usize,
    /// Where it was asked for.
    pub from: usize,
    /// Where it was there, if it ever was.
    pub up: Option<usize>,
    /// Where it ended, if it did.
    pub to: Option<usize>,
    #[serde(skip)]
    connection: u32,
}

/// Every connection that a device asked for.
pub fn links(trace: &Trace, lanes: &Lanes) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for (position, event) in trace.events.iter().enumerate() {
        let lane = lanes.actor(event.actor);
        match (event.actor, event.what) {
            (Actor::Device(_), What::ConnectAsked { connection }) => {
                links.push(Link { lane, from: position, up: None, to: None, connection });
            }
            (Actor::Device(_), What::Connected { connection }) => {
                if let Some(link) = open(&mut links, lane, Some(connection)).next() {
                    link.up = Some(position);
                }
            }
            (
                Actor::Device(_),
                What::ConnectFailed { connection }
                | What::Untrusted { connection }
                | What::CloseAsked { connection, .. }
                | What::Gone { connection, .. }
                | What::NoFrame { connection },
            ) => {
                open(&mut links, lane, Some(connection)).take(1).for_each(|link| link.to = Some(position));
            }
            (_, What::Effect { effect: Effect::ProcessDead { device } }) => {
                let Some(lane) = lanes.device(device) else { continue };
                open(&mut links, lane, None).for_each(|link| link.to = Some(position));
            }
            _ => {}
        }
    }
    links
}

/// The links of a lane that have not ended, the last first.
fn open(links: &mut [Link], lane: usize, connection: Option<u32>) -> impl Iterator<Item = &mut Link> {
    links.iter_mut().rev().filter(move |link| {
        link.lane == lane && link.to.is_none() && connection.is_none_or(|connection| link.connection == connection)
    })
}
