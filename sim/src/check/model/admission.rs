//! Somebody is let in who should not be, or not let in who should: by which rule.
//!
//! What is missing in the server's decision says only that something is. Why it turned somebody away it says itself
//! in what follows: by the judgement of the ticket, or by the code of its answer. So a difference of this kind waits
//! for that.

use super::difference::{Difference, TurnedAway};
use super::gates::refusal;
use super::server::Server;
use crate::trace::{Actor, Cast, Effect, Event, Fact, ServerFrame, UserIndex, What};

impl Server {
    /// The same difference, or the one behind it. None if the server has still to say why it let somebody not in.
    pub(super) fn by_admission(
        &mut self,
        cast: &Cast,
        facts: &[Fact],
        found: Option<Difference>,
    ) -> Option<Difference> {
        let found = found?;
        let wanted = self.step.wanted.iter().find_map(|wanted| admitted(&wanted.fact));
        let given = facts.iter().find_map(admitted);
        let (Some(user), Some(from)) = (wanted.or(given), self.step.from) else { return Some(found) };
        let who = format!("{} on {}", cast.user_name(user), cast.device_name(from.0));
        match (wanted, given, self.step.turned_away, self.step.on) {
            (None, Some(_), Some((rule, why)), _) => Difference::of(rule, format!("{who} was let in, though {why}")),
            (Some(_), None, _, Some(connection)) => {
                self.turned_away = Some(TurnedAway { connection, who, found });
                None
            }
            _ => Some(found),
        }
    }

    /// Whoever was turned away is told why, unless something else comes first that ends the wait.
    pub(super) fn why_turned_away(&mut self, cast: &Cast, event: &Event) -> Option<Difference> {
        let TurnedAway { connection, who, found } = self.turned_away.take()?;
        let is_it = |on: u32| event.actor == Actor::Server && on == connection;
        match event.what {
            What::TicketJudged { device, user, refused, .. } => {
                self.judged(cast, device, user, refused).or_else(|| {
                    // Judged rightly, so it is not the ticket.
                    self.turned_away = Some(TurnedAway { connection, who, found });
                    None
                })
            }
            What::ServerSent { connection: on, frame, .. } if is_it(on) => match refusal(&frame) {
                Some((rule, why)) => {
                    Difference::of(rule, format!("{who} was turned away: {why}, which nothing led to"))
                }
                None if answers(&frame) => Some(found),
                // What else is owed to the device, an end ahead of its login for one.
                None => {
                    self.turned_away = Some(TurnedAway { connection, who, found });
                    None
                }
            },
            What::CloseAsked { connection: on, .. } | What::Gone { connection: on, .. } if is_it(on) => Some(found),
            What::StoreFailed | What::Stopping | What::Effect { effect: Effect::ServerDead } => Some(found),
            _ => {
                self.turned_away = Some(TurnedAway { connection, who, found });
                None
            }
        }
    }

    /// The run is over, or the server goes on to decide something else.
    pub(super) fn never_told_why(&mut self) -> Option<Difference> {
        self.turned_away.take().map(|turned| turned.found)
    }
}

/// Whether a frame says what became of who asked to be let in.
fn answers(frame: &ServerFrame) -> bool {
    matches!(
        frame,
        ServerFrame::LoginAccepted { .. }
            | ServerFrame::LoginRefused { .. }
            | ServerFrame::Resumed { .. }
            | ServerFrame::ResumedAsLogin { .. }
            | ServerFrame::ResumeKicked { .. }
            | ServerFrame::ResumeExpired { .. }
            | ServerFrame::ResumeRefused { .. }
            | ServerFrame::ResumeUnable { .. }
            | ServerFrame::ResumeStale { .. }
            | ServerFrame::RenewAnswer { .. }
    )
}

/// Whom a fact lets in.
fn admitted(fact: &Fact) -> Option<UserIndex> {
    match *fact {
        Fact::SessionAccepted { user, .. } | Fact::SessionResumed { user, .. } | Fact::SessionRenewed { user, .. } => {
            Some(user)
        }
        _ => None,
    }
}
