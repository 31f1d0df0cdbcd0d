//! What a ticket is worth: whoever it was issued for is let in with it while it holds, and nobody else is.
//!
//! Ends of sessions are `lifetime`'s, and what an administrator's kick makes of a ticket is `voided`'s.

use std::collections::VecDeque;

use gatecrash::code::Code;

use super::answer::Rule;
use super::issued::{Issued, Ticket, WasIssued};
use super::outside::{End, Found, Outside, Report, Scene, code};
use crate::history::event::{Event, Known, Outcome, Request, User, What};
use crate::history::{Channel, Channels, Head};
use crate::scenario::numbers::TICKET_REFUSALS;

/// See the module.
pub(super) struct Tickets {
    issued: Issued,
    /// Answers that were wrong, unless their tickets turn up among those issued.
    doubts: VecDeque<Doubt>,
}

struct Doubt {
    ticket: Known,
    /// Whatever happened before the answer stands before the first line that is later than this.
    until: u64,
    rule: Rule,
    found: Found,
}

const NAME: &str = "a ticket that was issued is good for its user and its time, and no other is";

const VALID: Rule = Rule::at("TICKET-2");
const WHOSE: Rule = Rule::at("TICKET-3");

/// What the server makes of the ticket of a login or renewal, as its result tells.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    /// It is good.
    Passed,
    /// It is not, with the code that says why.
    Refused(u32),
}

impl Verdict {
    /// None where the result does not tell.
    pub(super) fn of(head: &Head, outcome: Outcome) -> Option<Verdict> {
        // What comes after the ticket in the order of a login's checks (KICK-7).
        const LATER: [Code; 2] = [Code::TooManyLogins, Code::KickedWhileAway];
        let is_among = |codes: &[Code], code: u32| head.codes && codes.iter().any(|one| one.number() == code);
        match outcome {
            Outcome::Done { .. } => Some(Verdict::Passed),
            Outcome::Failed { code: Some(code) } if is_among(&LATER, code) => Some(Verdict::Passed),
            Outcome::Failed { code: Some(code) } if is_among(&TICKET_REFUSALS, code) => Some(Verdict::Refused(code)),
            Outcome::Failed { .. } | Outcome::Unknown => None,
        }
    }

    /// Whether it is a refusal with this code.
    pub(super) fn is(self, code: Code) -> bool {
        matches!(self, Verdict::Refused(number) if number == code.number())
    }
}

impl Tickets {
    pub(super) fn new(head: &Head) -> Tickets {
        Tickets { issued: Issued::new(head), doubts: VecDeque::new() }
    }

    /// The ticket is not among those issued, so far.
    fn of_nobody(&mut self, scene: &Scene<'_>, event: &Event, ticket: Known, user: User, verdict: Verdict) {
        let text = match verdict {
            Verdict::Passed => format!("{} logged in with a ticket that nobody issued", scene.user(user)),
            // The signature comes first, and nobody signed it.
            Verdict::Refused(number) if verdict.is(Code::TicketExpired) || verdict.is(Code::TicketVoided) => {
                format!("a ticket of {} that nobody issued was refused with {}", scene.user(user), code(number))
            }
            Verdict::Refused(_) => return,
        };
        let until = event.to.saturating_add(scene.head.skew.largest().saturating_mul(2));
        let found = Found::at(NAME, scene, event, scene.open.map(|open| open.line), text);
        self.doubts.push_back(Doubt { ticket, until, rule: WHOSE, found });
    }

    fn passed(&self, scene: &Scene<'_>, event: &Event, ticket: Ticket, user: User, report: &mut Report) {
        let found = |text: String| Found::at(NAME, scene, event, Some(ticket.line), text);
        if let Some(whose) = ticket.user {
            report.check(WHOSE, whose == user, || {
                found(format!("{} logged in with a ticket of {}", scene.user(user), scene.user(whose)))
            });
        }
        let Some(called) = scene.open.and_then(|open| self.issued.second(open.from.saturating_sub(scene.skew))) else {
            return;
        };
        report.check(VALID, called <= ticket.until, || {
            let late = called - ticket.until;
            found(format!("{} logged in with a ticket that had run out {late} s before the call", scene.user(user)))
        });
    }

    fn refused(&self, scene: &Scene<'_>, event: &Event, ticket: Ticket, user: User, number: u32, report: &mut Report) {
        // Whether it was withdrawn nobody outside knows.
        let Some(whose) = ticket.user else { return };
        let verdict = Verdict::Refused(number);
        let found = |text: String| Found::at(NAME, scene, event, Some(ticket.line), text);
        let (name, of) = (scene.user(user), scene.user(whose));
        if whose != user {
            report.check(WHOSE, verdict.is(Code::TicketOtherUser), || {
                let wanted = code(Code::TicketOtherUser.number());
                found(format!("{name}'s login with a ticket of {of} was refused with {}, not {wanted}", code(number)))
            });
        } else if verdict.is(Code::TicketExpired) {
            let latest = event.to.saturating_add(scene.skew).saturating_add(scene.head.skew.largest());
            let Some(second) = self.issued.second(latest) else { return };
            report.check(VALID, second > ticket.until, || {
                let early = ticket.until + 1 - second;
                found(format!("a ticket of {of} was called expired {early} s before it runs out"))
            });
        } else if !verdict.is(Code::TicketVoided) {
            report.check(WHOSE, false, || found(format!("a ticket issued for {of} was refused with {}", code(number))));
        }
    }

    /// Tells of the answers that were wrong, now that all before this instant is read.
    fn settle(&mut self, now: u64, report: &mut Report) {
        while let Some(doubt) = self.doubts.pop_front_if(|doubt| doubt.until < now) {
            if self.issued.was_issued(doubt.ticket) == WasIssued::No {
                report.asked(doubt.rule);
                report.broken(doubt.rule, doubt.found);
            }
        }
    }
}

impl Outside for Tickets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[VALID, WHOSE]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Tickets])
    }

    fn asked_when(&self) -> &'static str {
        "a login or renewal with a ticket is accepted, or refused for it"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        self.settle(event.from, report);
        self.issued.see(event, scene.skew);
        let What::Answered { outcome, .. } = event.what else { return };
        let Some(open) = scene.open else { return };
        let Request::Login { user, ticket: Some(known), .. } = open.request else { return };
        let Some(verdict) = Verdict::of(scene.head, outcome) else { return };
        match (self.issued.get(known), verdict) {
            (None, _) => self.of_nobody(scene, event, known, user, verdict),
            (Some(ticket), Verdict::Passed) => self.passed(scene, event, ticket, user, report),
            (Some(ticket), Verdict::Refused(code)) => self.refused(scene, event, ticket, user, code, report),
        }
    }

    fn finish(&mut self, _: &End<'_>, report: &mut Report) {
        self.settle(u64::MAX, report);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{OK, brings, ends_settled, failed, issued, told};

    /// What is found in a history in which `one` is issued for alice at second 1,000, for a minute, and `two` for bob.
    fn found(lines: &[Vec<String>]) -> Vec<(String, String)> {
        let fields = r#""observes":["calls","tickets"],"wall_us":1000000000"#;
        let made = vec![issued("one", "alice", 0, 60), issued("two", "bob", 0, 60)];
        let judgement = ends_settled(fields, &[&[made], lines].concat());
        told(&judgement).into_iter().map(|(rule, text)| (rule.to_owned(), text.to_owned())).collect()
    }

    fn first(lines: Vec<String>) -> Option<(String, String)> {
        found(&[lines]).first().cloned()
    }

    fn is(rule: &str, text: &str) -> Option<(String, String)> {
        Some((rule.to_owned(), text.to_owned()))
    }

    /// TICKET-3
    #[test]
    fn a_ticket_that_nobody_issued_is_refused_for_what_is_wrong_with_it_and_not_for_its_age() {
        assert_eq!(first(brings("three", 1_000, &failed(70009))), None);
        assert_eq!(first(brings("three", 1_000, &failed(70003))), None);
        assert_eq!(
            first(brings("three", 1_000, OK)),
            is("TICKET-3", "alice logged in with a ticket that nobody issued")
        );
        // LOGIN-11 comes after the ticket.
        assert!(first(brings("three", 1_000, &failed(60007))).is_some());
        let text = "a ticket of alice that nobody issued was refused with [70001] the ticket has expired";
        assert_eq!(first(brings("three", 1_000, &failed(70001))), is("TICKET-3", text));
        assert_eq!(first(brings("three", 1_000, r#""outcome":"unknown""#)), None);
    }

    /// Clocks that are apart tell the issuing after the login.
    #[test]
    fn a_ticket_that_was_issued_within_the_skew_was_issued() {
        let history = |skew: &str, at: u64| {
            let fields = format!(r#""observes":["calls","tickets"],"wall_us":1000000000,"skew":"{skew}""#);
            let lines = [brings("one", 1_000, OK), vec![issued("one", "alice", at, 60)]];
            told(&ends_settled(&fields, &lines)).len()
        };
        assert_eq!(history("50ms", 1_060), 0);
        assert_eq!(history("1ms", 1_060), 1);
    }

    /// TICKET-2: it holds to the end of its last second, which is 1,060.
    #[test]
    fn a_ticket_is_good_to_the_end_of_its_last_second() {
        assert_eq!(first(brings("one", 60_940, OK)), None);
        assert_eq!(first(brings("one", 60_970, &failed(70001))), None);
        let text = "a ticket of alice was called expired 1 s before it runs out";
        assert_eq!(first(brings("one", 60_940, &failed(70001))), is("TICKET-2", text));
        let text = "alice logged in with a ticket that had run out 1 s before the call";
        assert_eq!(first(brings("one", 61_000, OK)), is("TICKET-2", text));
    }

    /// TICKET-3
    #[test]
    fn a_good_ticket_that_is_refused_and_anothers_that_is_not_are_found() {
        let text = "a ticket issued for alice was refused with [70009] the ticket's signature is wrong";
        assert_eq!(first(brings("one", 1_000, &failed(70009))), is("TICKET-3", text));
        // What is no matter of the ticket is no matter here.
        assert_eq!(first(brings("one", 1_000, &failed(70050))), None);
        assert_eq!(first(brings("two", 1_000, &failed(70013))), None);
        assert_eq!(first(brings("two", 1_000, OK)), is("TICKET-3", "alice logged in with a ticket of bob"));
        let text = "alice's login with a ticket of bob was refused with [70001] the ticket has expired, \
                    not [70013] the ticket is another user's";
        assert_eq!(first(brings("two", 99_000, &failed(70001))), is("TICKET-3", text));
    }

    /// Of a ticket without a user nobody knows whether it was withdrawn.
    #[test]
    fn a_ticket_that_may_be_withdrawn_may_be_refused() {
        let made = issued("old", "alice", 500, 60).replace(r#""user":"alice","#, "");
        assert_eq!(found(&[vec![made.clone()], brings("old", 1_000, &failed(70009))]), []);
        assert_eq!(found(&[vec![made.clone()], brings("old", 1_000, OK)]), []);
        assert_eq!(found(&[vec![made], brings("old", 62_000, OK)])[0].0, "TICKET-2");
    }
}
