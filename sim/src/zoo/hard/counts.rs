//! What is counted and bounded, decided wrong where several things come together.

use gatecrash::decide::server::Refusals;
use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::{DeviceId, MessageId};
use gatecrash::limits::ServerLimits;
use gatecrash::store::{Owed, Places, SentMessage, Session, UserRecord};
use gatecrash::time::Instant;

use super::super::broken::decisions;

decisions! {
    ServerDecisions;

    /// The first ticket refused behind a lock locks anew.
    LockedByOneMore {
        fn refused(&self, refusals: Refusals, limits: &ServerLimits, now: Instant) -> Refusals {
            let was_locked = refusals.locked_until.is_some_and(|until| until <= now && now < until + limits.refusals_window);
            if was_locked {
                return Refusals { recent: Vec::new(), locked_until: Some(now + limits.refusals_lock) };
            }
            Rules.refused(refusals, limits, now)
        }
    }

    /// The minute of the refused tickets begins with the first of them, and not before each.
    MinuteFromTheFirst {
        fn refused(&self, mut refusals: Refusals, limits: &ServerLimits, now: Instant) -> Refusals {
            if refusals.recent.first().is_some_and(|&first| now >= first + limits.refusals_window) {
                refusals.recent.clear();
            }
            let endless = ServerLimits { refusals_window: std::time::Duration::from_secs(1 << 30), ..limits.clone() };
            Rules.refused(refusals, &endless, now)
        }
    }

    /// What a user called a message is forgotten with the ticket that its session lived by, though the session lives on.
    SentEndsWithItsTicket {
        fn forgets_sent(&self, account: &UserRecord, sent_max: usize, now: u64) -> Option<MessageId> {
            let excess = account.sent.len().saturating_sub(sent_max);
            let goes = |(place, sent): &(usize, &SentMessage)| *place < excess || now > sent.last_second;
            account.sent.iter().enumerate().take_while(goes).last().map(|(_, sent)| sent.number)
        }
    }

    /// A session that got none of its messages is not told how many there was no room for.
    NothingReceivedNothingMissed {
        fn missed(&self, owed: Places, received: u64) -> u64 {
            if received == 0 { 0 } else { Rules.missed(owed, received) }
        }
    }

    /// A message that has no room by itself is dropped with the others.
    LongMessageDrops {
        fn dropped_through(&self, owed: &Owed, limits: &ServerLimits) -> Option<u64> {
            let newest = owed.iter().last().filter(|(_, message)| message.text.len() > limits.owed_bytes_max);
            newest.map(|(place, _)| place).or_else(|| Rules.dropped_through(owed, limits))
        }
    }

    /// A message is owed to a device without a link only if that has acknowledged its login.
    OwedOnceAcknowledged {
        fn is_owed(&self, sender: DeviceId, device: DeviceId, session: &Session) -> bool {
            (session.acknowledged || session.link.lost_at().is_none()) && Rules.is_owed(sender, device, session)
        }
    }

    /// Of the messages for which there is no room one less is dropped, where they are bounded by their length.
    OneMessageTooManyStays {
        fn dropped_through(&self, owed: &Owed, limits: &ServerLimits) -> Option<u64> {
            let through = Rules.dropped_through(owed, limits)?;
            let is_by_length = owed.len() <= limits.owed_max;
            let first = owed.iter().next().map_or(through, |(place, _)| place);
            if is_by_length { (through > first).then(|| through - 1) } else { Some(through) }
        }
    }
}
