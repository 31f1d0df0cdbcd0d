//! Somebody is let in who should not be, or not let in who should: by which rule.
//!
//! What is missing in the server's decision says only that something is. Why it turned somebody away it says itself
//! in what follows: by the judgement of the ticket, or by the code of its answer. So a difference of this kind waits
//! for that.

use gatecrash::code::Code;
use gatecrash::protocol::Closing;

use super::difference::{Difference, TurnedAway};
use super::server::Server;
use super::tickets::REFUSALS;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, Cast, Effect, Event, Fact, Refusal, ServerFrame, UserIndex, What};

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
                None => Some(found),
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

/// Whom a fact lets in.
fn admitted(fact: &Fact) -> Option<UserIndex> {
    match *fact {
        Fact::SessionAccepted { user, .. } | Fact::SessionResumed { user, .. } | Fact::SessionRenewed { user, .. } => {
            Some(user)
        }
        _ => None,
    }
}

/// By which rule such an answer turns somebody away.
fn refusal(frame: &ServerFrame) -> Option<(RuleId, String)> {
    let refused = match *frame {
        ServerFrame::LoginRefused { refused, .. } | ServerFrame::RenewAnswer { refused: Some(refused), .. } => refused,
        ServerFrame::ResumeRefused { code, .. } | ServerFrame::ResumeUnable { code, .. } => Refusal::Code(code),
        ServerFrame::ResumeStale { .. } => Refusal::Stale,
        ServerFrame::Closing { why: Closing::Busy, .. } => {
            return Some((const { rule("CONN-12") }, "the server is busy".to_owned()));
        }
        _ => return None,
    };
    let code = match refused {
        Refusal::Stale => return Some((const { rule("ATT-1") }, "its attempt is stale".to_owned())),
        Refusal::Code(code) => code,
    };
    let rule = match code {
        Code::TooManyRefusals => const { rule("TICKET-4") },
        Code::TooManyLogins => const { rule("LOGIN-11") },
        Code::KickedWhileAway => const { rule("KICK-7") },
        Code::UserIdRejected => const { rule("LOGIN-2") },
        Code::NotLoggedIn => const { rule("KICK-10") },
        _ if REFUSALS.contains(&code) => const { rule("TICKET-3") },
        _ => return None,
    };
    Some((rule, format!("[{}] {}", code.number(), code.text())))
}
