//! What tickets are worth, and that a session lives exactly as long as its own (TICKET).

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::store::EndReason;
use gatecrash::time::{Instant, WallTime};

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{Forge, Scenario};
use crate::trace::{Cast, ClientFrame, DeviceIndex, Event, Fact, ServerFrame, TicketIndex, Told, UserIndex, What};

const VALID: RuleId = rule("TICKET-2");
const ORDER: RuleId = rule("TICKET-3");
const ENDS: RuleId = rule("TICKET-5");
const VOIDED: RuleId = rule("ADMIN-1");
const ADMITTED: RuleId = rule("INPUT-3");

/// How much longer than its ticket a session may last on a running server.
const OVERTIME_MAX: Duration = Duration::from_secs(2);

pub(super) struct Tickets {
    plans: Vec<(String, Option<Forge>)>,
    /// What is known of each ticket.
    made: Vec<Option<Made>>,
    /// The ticket that the server is looking at.
    brought: Option<TicketIndex>,
    old_key_dropped: Option<Instant>,
    /// Refused as voided while the void was not yet to be seen.
    doubts: Vec<Doubt>,
    /// The last verdicts for a ticket: of whom, and when.
    passed: Vec<(DeviceIndex, UserIndex, Instant)>,
    /// Admitted, and the verdict is not to be seen yet.
    admitted: Vec<Admitted>,
    /// Devices whose last resume was refused for its ticket.
    refused: Vec<DeviceIndex>,
}

#[derive(Clone, Copy)]
struct Made {
    owner: Option<UserIndex>,
    forge: Option<Forge>,
}

struct Doubt {
    ticket: TicketIndex,
    user: UserIndex,
    event: Event,
}

#[derive(Clone, Copy)]
struct Admitted {
    device: DeviceIndex,
    user: UserIndex,
    at: Instant,
    number: u32,
}

/// What a ticket should be answered, as far as the trace tells.
enum Verdict {
    Is(Option<Code>),
    /// One of these: the trace does not tell which.
    Either(Option<Code>, Option<Code>),
}

impl Verdict {
    fn allows(&self, said: Option<Code>) -> bool {
        match *self {
            Verdict::Is(code) => code == said,
            Verdict::Either(one, other) => one == said || other == said,
        }
    }
}

impl Tickets {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Tickets {
            plans: scenario.tickets.iter().map(|(name, plan)| (name.to_string(), plan.forge)).collect(),
            made: Vec::new(),
            brought: None,
            old_key_dropped: None,
            doubts: Vec::new(),
            passed: Vec::new(),
            admitted: Vec::new(),
            refused: Vec::new(),
        }
    }

    fn made(&self, ticket: TicketIndex) -> Option<Made> {
        self.made.get(ticket.index()).copied().flatten()
    }

    fn ticket_made(&mut self, cast: &Cast, ticket: TicketIndex, owner: Option<UserIndex>) {
        let name = &cast.ticket(ticket).name;
        let forge = self.plans.iter().find(|(plan, _)| plan == name).and_then(|(_, forge)| *forge);
        *grown(&mut self.made, ticket.index()) = Some(Made { owner, forge });
    }

    /// TICKET-3's order, from what the trace knows of the ticket.
    fn verdict(&self, scene: &Scene<'_>, at: Instant, ticket: TicketIndex, user: UserIndex, second: u64) -> Verdict {
        let cast = scene.cast.ticket(ticket);
        let Some(Made { owner, forge }) = self.made(ticket) else { return Verdict::Either(None, None) };
        let ends = if is_void(scene, ticket, user) {
            Some(Code::TicketVoided)
        } else {
            (second > cast.issued.saturating_add(cast.ttl)).then_some(Code::TicketExpired)
        };
        match forge {
            Some(Forge::OtherApp) => Verdict::Is(Some(Code::TicketOtherApp)),
            Some(Forge::Empty) => Verdict::Is(Some(Code::TicketEmpty)),
            Some(Forge::Garbage | Forge::Oversized | Forge::Bomb | Forge::Truncated) => {
                Verdict::Is(Some(Code::TicketMalformed))
            }
            _ if owner.is_some_and(|owner| owner != user) => Verdict::Is(Some(Code::TicketOtherUser)),
            Some(Forge::WrongKey) => Verdict::Is(Some(Code::TicketSignature)),
            Some(Forge::OldKey) => match self.old_key_dropped {
                // A frame that was being read when the key went is judged by either.
                Some(dropped) if at - dropped <= scene.allowance.lag => {
                    Verdict::Either(Some(Code::TicketSignature), ends)
                }
                Some(_) => Verdict::Is(Some(Code::TicketSignature)),
                None => Verdict::Is(ends),
            },
            None => Verdict::Is(ends),
        }
    }

    fn judged(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::TicketJudged { device, user, second, refused } = event.what else { return };
        if refused.is_none() {
            self.passed.retain(|&(one, ..)| one != device);
            self.passed.push((device, user, event.at));
            self.admitted.retain(|admitted| (admitted.device, admitted.user) != (device, user));
        }
        let said = refused.map_or("accepted".to_owned(), |code| format!("refused with {}", code.number()));
        let Some(ticket) = self.brought else {
            if !matches!(refused, Some(Code::TicketEmpty | Code::TicketMalformed)) {
                report.event(ORDER, event, format!("a ticket that cannot be read was {said}"));
            }
            return;
        };
        let verdict = self.verdict(scene, event.at, ticket, user, second.get());
        if verdict.allows(refused) || self.made(ticket).is_none() {
            return;
        }
        if refused == Some(Code::TicketVoided) {
            // The change that voided it may be on its way to the disk.
            return self.doubts.push(Doubt { ticket, user, event: *event });
        }
        let name = &scene.cast.ticket(ticket).name;
        let (Verdict::Is(wanted) | Verdict::Either(wanted, _)) = verdict;
        let wanted_word = wanted.map_or("accepted".to_owned(), |code| format!("refused with {}", code.number()));
        let rule = match (wanted, refused) {
            (Some(Code::TicketVoided), None) => VOIDED,
            (Some(Code::TicketExpired) | None, Some(Code::TicketExpired) | None) => VALID,
            _ => ORDER,
        };
        let of = scene.user(user);
        let text = format!("{of}'s ticket {name} was {said} at second {}, not {wanted_word}", second.get());
        report.event(rule, event, text);
    }

    /// Looks again at what was seen too early to be judged.
    fn settle(&mut self, scene: &Scene<'_>, now: Instant, report: &mut Report) {
        let is_due = |at: Instant| at + scene.allowance.lag < now;
        while self.doubts.first().is_some_and(|doubt| is_due(doubt.event.at)) {
            let Doubt { ticket, user, event } = self.doubts.remove(0);
            if !is_void(scene, ticket, user) {
                let text = format!("a ticket of {} was refused as voided, and nobody voided it", scene.user(user));
                report.event(VOIDED, &event, text);
            }
        }
        while self.admitted.first().is_some_and(|admitted| is_due(admitted.at)) {
            let Admitted { device, user, at, number } = self.admitted.remove(0);
            let (user, device) = (scene.user(user), scene.device(device));
            let text = format!("{device} was admitted as {user} without a ticket that passed");
            report.missing_after(ADMITTED, at, (crate::trace::Actor::Server, number), "ticket_judged", text);
        }
    }
}

fn is_void(scene: &Scene<'_>, ticket: TicketIndex, user: UserIndex) -> bool {
    let issued = scene.cast.ticket(ticket).issued;
    scene.server.now.user(user).is_some_and(|account| {
        account.voided_until.is_some_and(|until| issued <= until) || account.voided.contains(&ticket)
    })
}

impl Property for Tickets {
    sentence!(
        Eventually,
        "a ticket is worth what its signature and its seconds say, and a session lives as long as its ticket",
        "TICKET-2",
        "TICKET-3",
        "TICKET-5",
        "TICKET-6",
        "ADMIN-1",
        "INPUT-3"
    );
    // Beside what it looks at, whatever moves the views: what is due is settled before.
    watches!(
        "decision",
        "commit",
        "committed",
        "server_started",
        "ticket_made",
        "old_key_dropped",
        "server_received",
        "ticket_judged",
        "device_received",
        "told"
    );
    frames!("login", "resume", "renew", "resume_refused", "resumed", "login_accepted");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        self.settle(scene, event.at, report);
        match event.what {
            What::TicketMade { ticket, user, .. } => self.ticket_made(scene.cast, ticket, user),
            What::OldKeyDropped => self.old_key_dropped = Some(event.at),
            What::ServerReceived {
                frame:
                    ClientFrame::Login { ticket, .. }
                    | ClientFrame::Resume { ticket, .. }
                    | ClientFrame::Renew { ticket, .. },
                ..
            } => self.brought = ticket,
            What::TicketJudged { .. } => self.judged(scene, event, report),
            What::DeviceReceived { frame, .. } => {
                let Some((on, _)) = scene.actor else { return };
                match frame {
                    ServerFrame::ResumeRefused { .. } => self.refused.push(on),
                    ServerFrame::Resumed { .. } | ServerFrame::LoginAccepted { .. } => {
                        self.refused.retain(|&one| one != on)
                    }
                    _ => {}
                }
            }
            What::Told { event: Told::UserSigExpired, user: Some(user), epoch } => {
                let Some((on, _)) = scene.actor else { return };
                let ended = scene.server.end_of(scene.known_as(on), user, epoch, u32::MAX);
                // It may have heard of the one before it came back as another.
                let named = scene.server.now.ended(scene.known_as(on), user, epoch);
                let is_expired = ended.into_iter().chain(named).any(|ended| ended.reason == EndReason::Expired);
                if !is_expired && !self.refused.contains(&on) {
                    let what = scene.session(on, user, epoch);
                    report.event(
                        ENDS,
                        event,
                        format!("{what} was told expired, and its ticket is neither over nor refused"),
                    );
                }
            }
            _ => {}
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let lag = scene.allowance.lag.as_micros() as u64;
        for fact in &decision.facts {
            match *fact {
                Fact::SessionEnded { user, device, epoch, reason, .. } => {
                    let Some(session) = scene.server.now.session(user, device, epoch) else { continue };
                    let ends_at = WallTime::from_seconds(session.until.saturating_add(1)).as_micros();
                    let what = || scene.session(device, user, epoch);
                    if reason == EndReason::Expired && decision.wall < ends_at {
                        let text = format!("{} ended as expired before second {} was over", what(), session.until);
                        report.decision(ENDS, decision, text);
                    }
                    let overtime = Duration::from_micros(decision.wall.saturating_sub(ends_at + lag));
                    // Unless the clock has just jumped there, or the server was down meanwhile.
                    if overtime > OVERTIME_MAX && decision.at - scene.allowance.wall_set_at > OVERTIME_MAX {
                        let (until, late) = (session.until, overtime.as_secs_f64());
                        let text =
                            format!("{} outlived its ticket: due after second {until}, {late:.3} s late", what());
                        report.decision(ENDS, decision, text);
                    }
                }
                Fact::SessionAccepted { user, device, .. }
                | Fact::SessionResumed { user, device, .. }
                | Fact::SessionRenewed { user, device, .. } => {
                    let has_passed = self
                        .passed
                        .iter()
                        .any(|&(one, of, at)| (one, of) == (device, user) && decision.at - at <= scene.allowance.lag);
                    if !has_passed {
                        let (at, number) = (decision.at, decision.number);
                        self.admitted.push(Admitted { device, user, at, number });
                    }
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        self.settle(scene, Instant::from_micros(u64::MAX), report);
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::Seconds;

    fn story() -> Story {
        Story::from(Tickets::new).tickets_made()
    }

    fn judged(story: Story, number: usize, second: u64, refused: Option<Code>) -> Story {
        let login = login_frame(1, 1, number);
        let (device, user) = (PHONE.into(), ALICE.into());
        let judged = What::TicketJudged { device, user, second: Seconds::new(START + second), refused };
        story.hears(PHONE, 0, login).server(judged)
    }

    /// TICKET-2: the last second counts.
    #[test]
    fn the_edge_of_validity_is_exact() {
        judged(story(), TICKET, 3600, None).holds();
        judged(story(), TICKET, 3601, Some(Code::TicketExpired)).holds();
        judged(story(), TICKET, 3601, None).breaks("TICKET-2");
        judged(story(), TICKET, 3600, Some(Code::TicketExpired)).breaks("TICKET-2");
    }

    /// TICKET-3, ADMIN-1
    #[test]
    fn a_wrong_refusal_is_seen() {
        judged(story(), FORGED, 5, Some(Code::TicketSignature)).holds();
        judged(story(), FORGED, 5, None).breaks("TICKET-3");
        let voided = |second| Fact::TicketsVoided { user: ALICE.into(), until: Seconds::new(START + second) };
        let refused = Some(Code::TicketVoided);
        judged(story().commit(&[voided(0)]), TICKET, 5, refused).holds();
        judged(story().commit(&[voided(0)]), TICKET, 5, None).breaks("ADMIN-1");
        judged(story(), TICKET, 5, refused).breaks("ADMIN-1");
        // The void is decided and seen a moment later.
        judged(story(), TICKET, 5, refused).commit(&[voided(0)]).at(9).world(What::ScriptEnded).holds();
    }

    /// TICKET-5
    #[test]
    fn a_session_that_ends_early_or_late_is_seen() {
        let start = || judged(story(), TICKET, 0, None).commit(&[accepted(ALICE, PHONE, 1)]);
        let over = |second| start().at(second).commit(&[ended(ALICE, PHONE, 1, EndReason::Expired, PHONE)]);
        over(3601).holds();
        over(3600).breaks("TICKET-5");
        over(3604).breaks("TICKET-5");
        over(3601).told(PHONE, Told::UserSigExpired, ALICE, 1).holds();
        start().told(PHONE, Told::UserSigExpired, ALICE, 1).breaks("TICKET-5");
    }

    /// INPUT-3
    #[test]
    fn an_admission_without_a_ticket_is_seen() {
        let admit = |story: Story| story.commit(&[accepted(ALICE, PHONE, 1)]);
        judged(admit(story()), TICKET, 0, None).holds();
        admit(judged(story(), TICKET, 0, Some(Code::TicketExpired))).breaks("TICKET-2");
        admit(story()).breaks("INPUT-3");
    }
}
