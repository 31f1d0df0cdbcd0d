//! Tickets in their last second, and refused ones up to the lock and the bound of its records.

use gatecrash::code::Code;
use gatecrash::limits::ServerLimits;
use gatecrash::time::Instant;

use super::super::table::{Reached, Situation};
use super::who::{Asker, Place};
use crate::trace::{Cast, Refusal, ServerFrame};

/// What was refused, as if there were room for any number of records.
#[derive(Clone, Debug, Default)]
pub(super) struct Tickets {
    /// The oldest first.
    records: Vec<Record>,
}

#[derive(Clone, Debug)]
struct Record {
    place: Place,
    recent: Vec<Instant>,
    locked_until: Option<Instant>,
}

impl Tickets {
    /// A ticket was judged, at this second.
    pub(super) fn judged(
        &mut self,
        cast: &Cast,
        asker: Asker,
        (now, second, refused): (Instant, u64, Option<Code>),
        limits: &ServerLimits,
        reached: &mut Reached,
    ) {
        let made = asker.ticket.map(|ticket| cast.ticket(ticket)).filter(|ticket| ticket.ttl > 0);
        let last = made.map(|ticket| ticket.issued.saturating_add(ticket.ttl));
        if refused.is_none() && last == Some(second) {
            reached.add(Situation::LastSecondTaken);
        }
        if refused == Some(Code::TicketExpired) && last.is_some_and(|last| last + 1 == second) {
            reached.add(Situation::NextSecondRefused);
        }
        if !asker.counts {
            return;
        }
        let place = self.records.iter().position(|record| record.place == asker.place);
        let newer = place.map_or(0, |place| self.records.len() - 1 - place);
        let mut record = match place {
            Some(place) => self.records[place].clone(),
            None => Record { place: asker.place, recent: Vec::new(), locked_until: None },
        };
        if newer >= limits.records_max && record.locked_until.is_some_and(|until| now < until) {
            reached.add(Situation::RecordMadeRoom);
        }
        record.recent.retain(|&earlier| now < earlier + limits.refusals_window);
        if refused.is_none() {
            // One less than lock, and at least one: whose record made room for others does not count them.
            let is_kept = newer < limits.records_max;
            if is_kept && !record.recent.is_empty() && record.recent.len() + 1 == limits.refusals_max as usize {
                reached.add(Situation::RefusedAndTaken);
            }
            return;
        }
        if let Some(place) = place {
            self.records.remove(place);
        }
        record.recent.push(now);
        if record.recent.len() >= limits.refusals_max as usize {
            (record.recent, record.locked_until) = (Vec::new(), Some(now + limits.refusals_lock));
        }
        self.records.push(record);
    }

    pub(super) fn answered(&self, asker: &Asker, frame: &ServerFrame, limits: &ServerLimits, reached: &mut Reached) {
        let refused = match *frame {
            ServerFrame::LoginRefused { refused, .. } => Some(refused),
            ServerFrame::RenewAnswer { refused, .. } => refused,
            _ => None,
        };
        if refused == Some(Refusal::Code(Code::TooManyRefusals)) {
            let place = self.records.iter().position(|record| record.place == asker.place);
            if place.is_some_and(|place| self.records.len() - place == limits.records_max) {
                reached.add(Situation::RecordsAtMost);
            }
        }
    }
}
