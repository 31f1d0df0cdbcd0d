//! What an administrator's kick makes void: the tickets of the sessions that it ends, those issued by then, and no other.

use std::collections::{BTreeMap, VecDeque};

use gatecrash::code::Code;
use gatecrash::protocol::KickReason;

use super::answer::Rule;
use super::issued::{Issued, Ticket};
use super::kicks::Kicks;
use super::outside::{End, Found, Outside, Report, Scene, code};
use super::tickets::Verdict;
use crate::history::event::{Event, Known, Outcome, Request, Told, User, What};
use crate::history::{Channel, Channels, Head};

/// Of a session that an administrator has ended.
#[derive(Default)]
pub(super) struct Voided {
    /// Since when, and by which line.
    tickets: BTreeMap<Known, (u64, u64)>,
    oldest: VecDeque<Known>,
}

/// How many tickets are remembered.
const REMEMBERED: usize = 16_384;

const NAME: &str = "the ticket of a session that an administrator has ended lets nobody in again";

const VOID: Rule = Rule::at("ADMIN-1");

impl Outside for Voided {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[VOID]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "a login is answered whose ticket was that of a session that an administrator has ended"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Told { event: Told::KickedOffline { reason: Some(KickReason::Administrator), .. }, .. } => {
                let Some(ticket) = scene.device.session().and_then(|session| session.ticket) else { return };
                if self.tickets.insert(ticket, (event.to.saturating_add(scene.skew), event.line)).is_none() {
                    self.oldest.push_back(ticket);
                }
                if self.oldest.len() > REMEMBERED
                    && let Some(oldest) = self.oldest.pop_front()
                {
                    self.tickets.remove(&oldest);
                }
            }
            What::Answered { outcome, .. } => {
                let Some(open) = scene.open else { return };
                let Request::Login { user, ticket: Some(ticket), .. } = open.request else { return };
                let Some(&(since, line)) = self.tickets.get(&ticket) else { return };
                if open.from.saturating_sub(scene.skew) > since {
                    report.check(VOID, !matches!(outcome, Outcome::Done { .. }), || {
                        let text = format!(
                            "{} logged in with the ticket of a session that an administrator had ended",
                            scene.user(user)
                        );
                        Found::at(NAME, scene, event, Some(line), text)
                    });
                }
            }
            _ => {}
        }
    }
}

/// Of any user, by when it was issued.
pub(super) struct ByKick {
    issued: Issued,
    kicks: Kicks,
    /// Refusals of tickets as void, until it is certain which kicks there were before.
    doubts: VecDeque<Doubt>,
}

struct Doubt {
    ticket: Ticket,
    user: User,
    /// Whatever happened before the refusal stands before the first line that is later than this.
    until: u64,
    found: Found,
}

const BY_KICK: &str = "an administrator's kick voids what was issued by its second, and nothing else voids a ticket";

impl ByKick {
    pub(super) fn new(head: &Head) -> ByKick {
        ByKick { issued: Issued::new(head), kicks: Kicks::default(), doubts: VecDeque::new() }
    }

    fn settle(&mut self, now: u64, report: &mut Report) {
        while let Some(doubt) = self.doubts.pop_front_if(|doubt| doubt.until < now) {
            let may_be = may_be_void(&self.issued, &self.kicks, doubt.ticket, doubt.user);
            report.check(VOID, may_be, || doubt.found);
        }
    }
}

/// Whether an administrator's kick may have voided a ticket with which this user logs in.
pub(super) fn may_be_void(issued: &Issued, kicks: &Kicks, ticket: Ticket, user: User) -> bool {
    let Some(latest) = kicks.latest(user) else { return false };
    // That of a session which it ended is void, whenever it was issued.
    issued.second(latest).is_none_or(|second| ticket.issued <= second)
        || ticket.shown.is_some_and(|shown| shown <= latest)
}

impl Outside for ByKick {
    fn name(&self) -> &'static str {
        BY_KICK
    }

    fn rules(&self) -> &'static [Rule] {
        &[VOID]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Tickets])
    }

    fn asked_when(&self) -> &'static str {
        "a ticket is refused as void; a login or renewal is answered whose ticket was issued before a kick of its user"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        self.settle(event.from, report);
        self.issued.see(event, scene.skew);
        self.kicks.see(scene, event);
        let What::Answered { outcome, .. } = event.what else { return };
        let Some(open) = scene.open else { return };
        let Request::Login { user, ticket: Some(known), .. } = open.request else { return };
        let Some(ticket) = self.issued.get(known) else { return };
        let Some(verdict) = Verdict::of(scene.head, outcome) else { return };
        if verdict.is(Code::TicketVoided) {
            let wide = scene.head.skew.largest().saturating_mul(2);
            let text = format!(
                "a ticket of {} was refused with {}, and no administrator had kicked them since it was issued",
                scene.user(user),
                code(Code::TicketVoided.number())
            );
            let found = Found::at(BY_KICK, scene, event, Some(ticket.line), text);
            self.doubts.push_back(Doubt { ticket, user, until: event.to.saturating_add(wide), found });
            return;
        }
        let Some(kick) = self.kicks.last_before(user, open.from.saturating_sub(scene.skew)) else { return };
        let is_void = self.issued.second(kick.from).is_some_and(|second| ticket.issued <= second);
        if is_void && ticket.user == Some(user) {
            report.check(VOID, false, || {
                let text = match verdict {
                    Verdict::Passed => {
                        format!("{} logged in with a ticket that an administrator's kick had voided", scene.user(user))
                    }
                    Verdict::Refused(number) => {
                        let of = scene.user(user);
                        format!("a ticket of {of} that a kick had voided was refused with {}", code(number))
                    }
                };
                Found::at(BY_KICK, scene, event, Some(kick.line), text)
            });
        }
    }

    fn finish(&mut self, _: &End<'_>, report: &mut Report) {
        self.settle(u64::MAX, report);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{OK, answers, brings, calls, ends_settled, failed, in_order, issued, told};

    /// How often ADMIN-1 is broken in a history in which `one` is issued for alice at 5 s, for an hour.
    fn broken(lines: &[Vec<String>]) -> usize {
        let fields = r#""observes":["calls","tickets"],"wall_us":1000000000"#;
        let made = vec![issued("one", "alice", 5_000, 3_600)];
        let judgement = ends_settled(fields, &[in_order(&[&[made], lines].concat())]);
        told(&judgement).iter().filter(|(rule, _)| *rule == "ADMIN-1").count()
    }

    /// A kick of alice, and its result after 50 ms.
    fn kick(at: u64, outcome: &str) -> Vec<String> {
        vec![calls("desk", at, 1, r#""request":"kick","user":"alice""#), answers("desk", at + 50, 1, outcome)]
    }

    /// ADMIN-1
    #[test]
    fn a_ticket_that_is_called_void_though_nobody_voided_it_is_found() {
        let refused = || brings("one", 9_000, &failed(70052));
        assert_eq!(broken(&[refused()]), 1);
        assert_eq!(broken(&[kick(6_000, OK), refused()]), 0);
        // A kick that nobody answered may be carried out at any time.
        assert_eq!(broken(&[kick(6_000, &failed(9520)), refused()]), 0);
        assert_eq!(broken(&[kick(6_000, &failed(60010)), refused()]), 1);
        assert_eq!(broken(&[refused(), kick(9_100, OK)]), 1);
    }

    /// ADMIN-1: a ticket of a later second works, unless its session was there already.
    #[test]
    fn a_kick_voids_the_tickets_of_its_second_and_no_later_ones() {
        let kicked_before = |at: u64| {
            let lines = [kick(at, OK), vec![issued("two", "alice", 6_000, 60)], brings("two", 7_000, &failed(70052))];
            broken(&lines)
        };
        assert_eq!((kicked_before(5_900), kicked_before(5_990)), (1, 0));
        let in_first = [brings("one", 6_000, OK), kick(6_100, OK), brings("one", 7_000, &failed(70052))];
        assert_eq!(broken(&in_first), 0);
    }

    /// ADMIN-1, TICKET-3: void comes before expired.
    #[test]
    fn a_ticket_that_a_kick_has_voided_and_that_is_taken_is_found() {
        assert_eq!(broken(&[kick(5_900, OK), brings("one", 7_000, OK)]), 1);
        assert_eq!(broken(&[kick(5_900, OK), brings("one", 7_000, &failed(70001))]), 1);
        assert_eq!(broken(&[kick(4_900, OK), brings("one", 7_000, OK)]), 0);
        assert_eq!(broken(&[kick(5_900, &failed(9520)), brings("one", 7_000, OK)]), 0);
        // It was called while the kick was under way.
        assert_eq!(
            broken(&[vec![kick(6_000, OK)[0].clone()], brings("one", 6_000, OK), vec![kick(6_000, OK)[1].clone()]]),
            0
        );
    }
}
