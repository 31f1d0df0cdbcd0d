//! Messages up to what is remembered of a user and owed to a session (API-6, API-7), and the longest text (API-4).

use gatecrash::limits::ServerLimits;

use super::super::table::{Reached, Situation};
use crate::check::grown::grown;
use crate::scenario::numbers::TEXT_MAX;
use crate::trace::{Cast, ClientFrame, DeviceIndex, Fact, ServerFrame, UserIndex};

#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    /// By user, the oldest first: how they call a message, and its number.
    sent: Vec<Vec<(u32, u32)>>,
    /// The oldest of as many as are remembered, sent again on this connection with this call.
    again: Option<(u32, u32, u32)>,
    queues: Vec<Queue>,
    /// The last message, and how long its text is.
    last: (u32, usize),
}

/// What a session is owed.
#[derive(Clone, Debug)]
struct Queue {
    session: (UserIndex, DeviceIndex, u32),
    /// The last place given.
    last: u32,
    /// Places, and how long the text at each is.
    owed: Vec<(u32, usize)>,
}

impl Queue {
    fn bytes(&self) -> usize {
        self.owed.iter().map(|(_, length)| length).sum()
    }
}

impl Messages {
    fn queue(&mut self, session: (UserIndex, DeviceIndex, u32)) -> &mut Queue {
        let place = self.queues.iter().position(|queue| queue.session == session).unwrap_or_else(|| {
            self.queues.push(Queue { session, last: 0, owed: Vec::new() });
            self.queues.len() - 1
        });
        &mut self.queues[place]
    }

    /// The last place given to a message of the session.
    pub(super) fn last_place(&self, session: (UserIndex, DeviceIndex, u32)) -> u32 {
        self.queues.iter().find(|queue| queue.session == session).map_or(0, |queue| queue.last)
    }

    pub(super) fn received(
        &mut self,
        connection: u32,
        user: Option<UserIndex>,
        frame: &ClientFrame,
        limits: &ServerLimits,
    ) {
        let (ClientFrame::Send { call, id, .. }, Some(user)) = (*frame, user) else { return };
        let sent = grown(&mut self.sent, user.index());
        if let Some(&(first, message)) = sent.first()
            && first == id
            && sent.len() == limits.sent_max
        {
            self.again = Some((connection, call, message));
        }
    }

    pub(super) fn answered(&mut self, connection: u32, frame: &ServerFrame, reached: &mut Reached) {
        if let ServerFrame::SendAnswer { call, message, refused: None } = *frame
            && self
                .again
                .take_if(|again| (again.0, again.1) == (connection, call))
                .is_some_and(|again| again.2 == message)
        {
            reached.add(Situation::OldestFound);
        }
    }

    pub(super) fn fact(&mut self, cast: &Cast, fact: &Fact, limits: &ServerLimits, reached: &mut Reached) {
        match *fact {
            Fact::MessageStored { message, from, text, id, .. } => {
                self.last = (message, cast.text(text).len());
                if self.last.1 == TEXT_MAX {
                    reached.add(Situation::TextAtMost);
                }
                grown(&mut self.sent, from.index()).push((id, message));
            }
            Fact::SentForgotten { user, through } => {
                let sent = grown(&mut self.sent, user.index());
                if sent.len() > limits.sent_max {
                    reached.add(Situation::OldestForgotten);
                }
                sent.retain(|(_, message)| *message > through);
            }
            Fact::MessageOwed { user, device, epoch, message } => {
                let length = if self.last.0 == message { self.last.1 } else { 0 };
                let queue = self.queue((user, device, epoch));
                queue.last += 1;
                queue.owed.push((queue.last, length));
                let (number, bytes) = (queue.owed.len(), queue.bytes());
                let fits = number <= limits.owed_max && bytes <= limits.owed_bytes_max;
                if fits && number > 1 && number == limits.owed_max {
                    reached.add(Situation::OwedAtMost);
                }
                if fits && number > 1 && bytes == limits.owed_bytes_max {
                    reached.add(Situation::OwedBytesAtMost);
                }
            }
            Fact::MessagesDropped { user, device, epoch, through } => {
                let queue = self.queue((user, device, epoch));
                if queue.owed.len() > limits.owed_max {
                    reached.add(Situation::OwedTooMany);
                } else if queue.bytes() > limits.owed_bytes_max {
                    reached.add(Situation::OwedBytesTooMany);
                }
                queue.owed.retain(|(place, _)| *place > through);
            }
            Fact::MessagesReceived { user, device, epoch, through } => {
                self.queue((user, device, epoch)).owed.retain(|(place, _)| *place > through);
            }
            Fact::SessionEnded { user, device, epoch, .. } => {
                self.queues.retain(|queue| queue.session != (user, device, epoch));
            }
            _ => {}
        }
    }
}
