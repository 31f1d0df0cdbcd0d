//! How long a session lives: as long as its ticket, and behind a renewal without an answer as long as the newer one may
//! be its.
//!
//! ```text
//! login ok ──▶ first ──renewal ok──▶ first: the newer one
//!                │  renewal [9520]
//!                ▼
//!        first and second ──connect_success──▶ second: it was tried ahead of the first (LOGIN-5)
//! ```
//!
//! Whether a session outlives its ticket it does not say: that is the server's to end.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::code::Code;

use super::answer::Rule;
use super::issued::{Issued, Ticket};
use super::kicks::Kicks;
use super::outside::{Found, Outside, Report, Scene};
use super::standing::Purpose;
use super::tickets::Verdict;
use super::voided::may_be_void;
use crate::history::event::{Actor, Event, Identity, Known, Outcome, Process, Request, Told, User, What};
use crate::history::{Channel, Channels, Head};

/// See the module.
pub(super) struct Lifetime {
    issued: Issued,
    kicks: Kicks,
    sessions: BTreeMap<Actor, Lives>,
    /// Devices whose tickets were refused: a lock may have kept a renewal of theirs out, and nobody was told (TICKET-4).
    refused: BTreeSet<Actor>,
    /// Two devices may be one to the server.
    are_copied: bool,
}

/// By which tickets a session may live.
#[derive(Clone, Copy)]
struct Lives {
    login: u64,
    first: Option<Known>,
    /// That of a renewal without an answer.
    second: Option<Known>,
    /// The session has come back since: with the second, unless that is no good.
    has_come_back: bool,
    /// Something came of a renewal that says less.
    is_unsure: bool,
}

const NAME: &str = "a session is told to have expired when its ticket has, and of two the one that is good counts";

const END: Rule = Rule::at("TICKET-5");
const RENEWAL: Rule = Rule::at("LOGIN-5");

impl Lifetime {
    pub(super) fn new(head: &Head) -> Lifetime {
        Lifetime {
            issued: Issued::new(head),
            kicks: Kicks::default(),
            sessions: BTreeMap::new(),
            refused: BTreeSet::new(),
            are_copied: false,
        }
    }

    fn answered(&mut self, scene: &Scene<'_>, event: &Event, outcome: Outcome) {
        let Some(open) = scene.open else { return };
        let Request::Login { ticket, .. } = open.request else { return };
        let is_refused = matches!(Verdict::of(scene.head, outcome), Some(Verdict::Refused(_)));
        if is_refused || is_failed(scene.head, outcome, &[Code::TooManyRefusals]) {
            self.refused.insert(event.actor);
        }
        let (Purpose::Renewal, Some(session)) = (open.purpose, self.sessions.get_mut(&event.actor)) else { return };
        match outcome {
            Outcome::Done { .. } => {
                (session.first, session.second, session.has_come_back) = (ticket, None, false);
                session.is_unsure = ticket.is_none();
            }
            _ if is_failed(scene.head, outcome, &[Code::NoAnswer]) => {
                session.is_unsure |= session.second.is_some() || ticket.is_none();
                (session.second, session.has_come_back) = (ticket, false);
            }
            _ if is_refused || is_failed(scene.head, outcome, &UNTOUCHED) => {}
            Outcome::Failed { .. } | Outcome::Unknown => session.is_unsure = true,
        }
    }

    /// Until when a session of this user lives by this ticket, if nothing can be wrong with it.
    fn is_good(&self, ticket: Option<Known>, user: User) -> Option<Ticket> {
        let ticket = self.issued.get(ticket?)?;
        let is_good = ticket.user == Some(user) && !may_be_void(&self.issued, &self.kicks, ticket, user);
        is_good.then_some(ticket)
    }

    fn expired(&self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let Some(of) = scene.device.session() else { return };
        let Some(lives) = self.sessions.get(&event.actor).filter(|lives| lives.login == of.login) else { return };
        let latest = event.to.saturating_add(scene.skew).saturating_add(scene.head.skew.largest());
        let Some(told) = self.issued.second(latest) else { return };
        if lives.is_unsure || self.are_copied {
            return;
        }
        let early = |ticket: Ticket| (ticket.until + 1).saturating_sub(told);
        let found = |ticket: Ticket, text: String| Found::at(NAME, scene, event, Some(ticket.line), text);
        let Some(second) = lives.second else {
            // Whoever comes back with a ticket that was withdrawn is told the same (CONN-4).
            let ticket = match scene.device.is_offline {
                true => self.is_good(lives.first, of.user),
                false => lives.first.and_then(|first| self.issued.get(first)),
            };
            let Some(ticket) = ticket else { return };
            report.check(END, told > ticket.until, || {
                found(ticket, format!("user_sig_expired was told {} s before the ticket runs out", early(ticket)))
            });
            return;
        };
        let Some(second) = self.is_good(Some(second), of.user).filter(|_| !self.refused.contains(&event.actor)) else {
            return;
        };
        // Else the server may never have heard of the second.
        let first = lives.first.and_then(|first| self.issued.get(first));
        if lives.has_come_back || first.is_some_and(|first| told <= first.until) {
            report.check(RENEWAL, told > second.until, || {
                let of = "the ticket of a renewal without an answer";
                found(second, format!("user_sig_expired was told {} s before {of} runs out", early(second)))
            });
        }
    }
}

/// With these a renewal has left all as it was.
const UNTOUCHED: [Code; 10] = [
    Code::TooManyRefusals,
    Code::TooManyLogins,
    Code::UserIdRejected,
    Code::InvalidUserId,
    Code::LoginPending,
    Code::LogoutPending,
    Code::TicketKnownExpired,
    Code::NoLink,
    Code::ConnectTimeout,
    Code::ServerUntrusted,
];

fn is_failed(head: &Head, outcome: Outcome, codes: &[Code]) -> bool {
    let Outcome::Failed { code: Some(number) } = outcome else { return false };
    head.codes && codes.iter().any(|code| code.number() == number)
}

impl Outside for Lifetime {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[END, RENEWAL]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process, Channel::Tickets])
    }

    fn asked_when(&self) -> &'static str {
        "an expiry is told"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        self.issued.see(event, scene.skew);
        self.kicks.see(scene, event);
        if let Some(of) = scene.device.session()
            && self.sessions.get(&event.actor).is_none_or(|lives| lives.login != of.login)
        {
            let (login, first) = (of.login, of.ticket);
            let lives = Lives { login, first, second: None, has_come_back: false, is_unsure: first.is_none() };
            self.sessions.insert(event.actor, lives);
        }
        match event.what {
            What::Answered { outcome, .. } => self.answered(scene, event, outcome),
            What::Told { event: Told::ConnectSuccess, .. } => {
                if let Some(lives) = self.sessions.get_mut(&event.actor) {
                    lives.has_come_back |= lives.second.is_some();
                }
            }
            What::Told { event: Told::UserSigExpired, .. } => self.expired(scene, event, report),
            What::Process(Process::Up | Process::Dead) => drop(self.sessions.remove(&event.actor)),
            What::Identity(Identity::CopyOf(_)) => self.are_copied = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{OK, answers, calls, ends_settled, failed, issued, line, login, told};

    /// Alice logs in with `one`, which lasts 60 s from second 1,000 on, and her SDK does these things.
    fn found(lines: &[Vec<String>]) -> Vec<(String, String)> {
        let seen = r#""observes":["calls","events","status","process","tickets"],"wall_us":1000000000"#;
        let first = login("phone-1", "android", 1_000, 1_100);
        let first = first.into_iter().map(|line| line.replace(r#""platform""#, r#""ticket":"one","platform""#));
        let begin = vec![issued("one", "alice", 0, 60), issued("two", "alice", 500, 3_600)];
        let judgement = ends_settled(seen, &[&[begin, first.collect()], lines].concat());
        told(&judgement).into_iter().map(|(rule, text)| (rule.to_owned(), text.to_owned())).collect()
    }

    fn renewal(at: u64, outcome: &str) -> Vec<String> {
        let request = r#""request":"login","user":"alice","ticket":"two""#;
        vec![calls("phone-1", at, at, request), answers("phone-1", at + 50, at, outcome)]
    }

    fn comes_back(at: u64) -> Vec<String> {
        let of = |event: &str| line(at, "phone-1", &format!(r#""what":"told","event":"{event}""#));
        vec![of("connecting"), of("connect_success")]
    }

    fn expires(at: u64) -> Vec<String> {
        vec![
            line(at, "phone-1", r#""what":"status","status":"LOGOUT""#),
            line(at, "phone-1", r#""what":"told","event":"user_sig_expired""#),
        ]
    }

    /// TICKET-5
    #[test]
    fn an_expiry_before_the_ticket_runs_out_is_found() {
        assert_eq!(found(&[expires(61_100)]), []);
        let text = "user_sig_expired was told 1 s before the ticket runs out";
        assert_eq!(found(&[expires(60_900)]), [("TICKET-5".to_owned(), text.to_owned())]);
        // Renewed, it lives by the newer one.
        assert_eq!(found(&[renewal(2_000, OK), expires(61_100)])[0].0, "TICKET-5");
        assert_eq!(
            found(&[renewal(2_000, &failed(70009)), expires(61_100)]).last().map(|(rule, _)| rule.as_str()),
            Some("TICKET-3")
        );
    }

    /// LOGIN-5: behind a renewal without an answer the newer ticket is tried first.
    #[test]
    fn an_expiry_though_the_ticket_of_an_unanswered_renewal_holds_is_found() {
        let unanswered = || renewal(2_000, &failed(9520));
        let text = "user_sig_expired was told 3540 s before the ticket of a renewal without an answer runs out";
        let broken = vec![("LOGIN-5".to_owned(), text.to_owned())];
        assert_eq!(found(&[unanswered(), comes_back(3_000), expires(61_100)]), broken);
        // Without a resume, the server may never have heard of it.
        assert_eq!(found(&[unanswered(), expires(61_100)]), []);
        assert_eq!(found(&[unanswered(), expires(50_000)])[0].0, "LOGIN-5");
        // Where nobody knows whether the call left, nothing is certain.
        assert_eq!(found(&[renewal(2_000, r#""outcome":"unknown""#), comes_back(3_000), expires(61_100)]), []);
    }

    /// TICKET-4: a lock may have refused the renewal that nobody answered.
    #[test]
    fn behind_a_refusal_an_unanswered_renewal_says_nothing() {
        let refused = [calls("phone-1", 1_500, 8, r#""request":"login","user":"alice","ticket":"none""#)];
        let refused = [&refused[..], &[answers("phone-1", 1_550, 8, &failed(70009))]].concat();
        assert_eq!(found(&[refused, renewal(2_000, &failed(9520)), comes_back(3_000), expires(61_100)]), []);
    }
}
