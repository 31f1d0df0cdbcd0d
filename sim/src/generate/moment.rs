//! The instants that matter: when a ticket expires, a day ends, a session goes dormant, push ends.

use gatecrash::limits::ServerLimits;

use super::author::Author;
use super::{DAY, SECOND, whole_micros};
use crate::scenario::numbers;

/// Those ahead that the script still reaches, at least so far from now.
pub(super) fn ahead(author: &Author, distance: u64) -> Vec<u64> {
    let (belief, now) = (&author.belief, author.now);
    let limits: ServerLimits = numbers::server_limits(&author.setup.limits);
    let wall = belief.wall(now);
    let mut moments = vec![belief.when(now, (wall / DAY + 1) * DAY)];
    for hand in &belief.devices {
        let Some(session) = hand.session else { continue };
        moments.push(belief.expiry(now, session));
        if let Some(lost) = hand.lost_at {
            moments.push(lost + whole_micros(numbers::dormant_of(&limits, hand.platform)));
            if numbers::is_mobile(hand.platform) {
                moments.push(lost + whole_micros(limits.push_online));
            }
        }
    }
    moments.retain(|&moment| moment >= now + distance && moment + SECOND < author.setup.span);
    moments
}

/// A time close to this one: the instant itself, a step or a latency beside it, or somewhere near.
pub(super) fn around(author: &mut Author, moment: u64, latency: u64) -> u64 {
    let (step, near) = (super::MILLI, 2 * latency + 5 * super::MILLI);
    match author.draw.below(10) {
        0 => moment,
        1 => moment + step,
        2 => moment.saturating_sub(step),
        3 => moment.saturating_sub(latency),
        4 => moment.saturating_sub(latency + step),
        5 => moment.saturating_sub(latency) + step,
        6 => moment + latency,
        // Who has no connection yet needs one way for it.
        7 => moment.saturating_sub(2 * latency),
        _ => (moment + author.draw.below(2 * near)).saturating_sub(near),
    }
}
