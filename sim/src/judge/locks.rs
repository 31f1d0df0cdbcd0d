//! Locks: so many refused tickets of a user on a device within a span keep the two out for another, and nothing else
//! does.
//!
//! Of a refusal nobody outside knows the instant, and of some not even that there was one. So each login and renewal has
//! two instants between which it was judged, and only what holds for all of them is said to be wrong.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use gatecrash::code::Code;

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene, code};
use super::tickets::Verdict;
use crate::history::event::{Actor, Event, Identity, Outcome, Process, Request, User, What};
use crate::history::{Channel, Channels, Head};

/// See the module.
pub(super) struct Locks {
    terms: Option<Terms>,
    tries: BTreeMap<(Actor, User), VecDeque<Try>>,
    /// Since when all of them are remembered, once there was an event.
    since: Option<u64>,
    /// Two devices may be one to the server.
    are_copied: bool,
}

/// How many refusals within which span lock, and for how long; in microseconds.
#[derive(Clone, Copy)]
struct Terms {
    refusals: usize,
    window: u64,
    lock: u64,
}

/// A login or renewal whose ticket may have been refused.
#[derive(Clone, Copy)]
struct Try {
    call: u64,
    /// The server judged it between these two, if it did.
    from: u64,
    to: u64,
    line: u64,
    /// It was refused for certain, and under the id that the device has.
    is_refused: bool,
}

/// What the result of a login or renewal says of locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// The server has looked at the ticket. Whether it was refused.
    Judged(bool),
    Locked,
    /// The SDK has refused the call by itself.
    Local,
    Unknown,
}

/// Of how many pairs of device and user tries are remembered.
const PAIRS_MAX: usize = 16_384;

/// How many of a pair are remembered beside those that lock.
const TRIES_MAX: usize = 64;

const NAME: &str = "as many refused tickets as the first line says lock a user out on a device, and nothing else does";

const LOCK: Rule = Rule::at("TICKET-4");

impl Terms {
    fn of(head: &Head) -> Option<Terms> {
        let limits = &head.promise.limits;
        let micros = |span: Duration| span.as_micros() as u64;
        let (window, lock) = limits.refusals_window.zip(limits.refusals_lock)?;
        Some(Terms { refusals: limits.refusals_max? as usize, window: micros(window), lock: micros(lock) })
    }

    /// Whether these may have led to a lock that held at some instant from this one on.
    fn may_lock(&self, tries: &VecDeque<Try>, from: u64) -> bool {
        tries.iter().filter(|last| last.to.saturating_add(self.lock) > from).any(|last| {
            let counts = |one: &&Try| one.from <= last.to && one.to.saturating_add(self.window) > last.from;
            tries.iter().filter(counts).count() >= self.refusals
        })
    }

    /// The first and the last of those that locked for certain, as far as they are all there is to know.
    fn locking(&self, tries: &VecDeque<Try>, before: u64) -> Option<(Try, Try)> {
        let refused = tries.iter().rev().filter(|one| one.is_refused && one.to <= before).take(self.refusals);
        let refused: Vec<&Try> = refused.collect();
        let (last, first) = (refused.first()?, refused.last()?);
        let span = last.to - first.from;
        // A lock that is over has made the count begin anew.
        (refused.len() == self.refusals && span < self.window.min(self.lock)).then_some((**first, **last))
    }
}

impl Said {
    fn of(head: &Head, outcome: Outcome) -> Said {
        const LOCAL: [Code; 5] = [
            Code::NotInitialised,
            Code::TicketKnownExpired,
            Code::InvalidUserId,
            Code::LoginPending,
            Code::LogoutPending,
        ];
        let is = |one: &Code| matches!(outcome, Outcome::Failed { code: Some(code) } if code == one.number());
        match Verdict::of(head, outcome) {
            Some(Verdict::Passed) => Said::Judged(false),
            // The SDK may have refused these by itself.
            Some(verdict) if verdict.is(Code::TicketEmpty) || verdict.is(Code::TicketMalformed) => Said::Unknown,
            Some(Verdict::Refused(_)) => Said::Judged(true),
            None if head.codes && is(&Code::TooManyRefusals) => Said::Locked,
            None if head.codes && LOCAL.iter().any(is) => Said::Local,
            None => Said::Unknown,
        }
    }
}

/// The keys of everything of one device.
fn of_device(actor: Actor) -> std::ops::RangeInclusive<(Actor, User)> {
    (actor, User(0))..=(actor, User(u32::MAX))
}

impl Locks {
    pub(super) fn new(head: &Head) -> Locks {
        Locks { terms: Terms::of(head), tries: BTreeMap::new(), since: None, are_copied: false }
    }

    fn called(&mut self, terms: Terms, event: &Event, call: u64, user: User) {
        let (pair, now) = ((event.actor, user), event.from);
        let span = terms.window.saturating_add(terms.lock);
        let may_count = |one: &Try| one.to.saturating_add(span) > now;
        if self.tries.len() >= PAIRS_MAX && !self.tries.contains_key(&pair) {
            self.tries.retain(|_, tries| tries.iter().any(may_count));
            // So many at a time are too many to look through at every other call.
            if self.tries.len() > PAIRS_MAX / 2 {
                self.tries.clear();
                self.since = Some(now);
            }
        }
        let tries = self.tries.entry(pair).or_default();
        tries.retain(may_count);
        if tries.len() >= TRIES_MAX + terms.refusals {
            tries.pop_front();
            self.since = Some(now);
        }
        tries.push_back(Try { call, from: now, to: u64::MAX, line: event.line, is_refused: false });
    }

    fn answered(&mut self, terms: Terms, scene: &Scene<'_>, event: &Event, outcome: Outcome, report: &mut Report) {
        let Some(open) = scene.open else { return };
        let Request::Login { user, .. } = open.request else { return };
        let said = Said::of(scene.head, outcome);
        let Some(tries) = self.tries.get_mut(&(event.actor, user)) else { return };
        let Some(own) = tries.iter().position(|one| one.call == open.call).and_then(|place| tries.remove(place)) else {
            return;
        };
        if !self.are_copied {
            let found = |lines: Option<u64>, text: String| Found::at(NAME, scene, event, lines, text);
            let span = terms.window.saturating_add(terms.lock);
            match said {
                Said::Locked if self.since.is_some_and(|since| own.from > since.saturating_add(span)) => {
                    report.check(LOCK, terms.may_lock(tries, own.from), || {
                        let (name, count) = (scene.user(user), terms.refusals);
                        let locked = code(Code::TooManyRefusals.number());
                        let why = format!("no {count} tickets can have been refused in time for that");
                        found(Some(own.line), format!("{name} was refused with {locked}, and {why}"))
                    });
                }
                Said::Judged(_) => {
                    let locking = terms.locking(tries, own.from).filter(|(first, last)| {
                        // A server that starts anew has forgotten them.
                        let is_there = scene.device.reaches.is_some_and(|since| since <= first.from);
                        is_there && event.to < last.from.saturating_add(terms.lock)
                    });
                    if let Some((first, _)) = locking {
                        report.check(LOCK, false, || {
                            let (name, count) = (scene.user(user), terms.refusals);
                            found(
                                Some(first.line),
                                format!("a ticket of {name} was looked at, and {count} had just been refused"),
                            )
                        });
                    }
                }
                Said::Locked | Said::Local | Said::Unknown => {}
            }
        }
        match said {
            Said::Judged(true) => tries.push_back(Try { to: event.to, is_refused: true, ..own }),
            Said::Unknown => tries.push_back(own),
            Said::Judged(false) | Said::Locked | Said::Local => {}
        }
        if matches!(said, Said::Judged(_) | Said::Locked) {
            // Whatever was called before and comes later changes nothing (ATT-1).
            for (_, tries) in self.tries.range_mut(of_device(event.actor)) {
                for one in tries.iter_mut().filter(|one| one.from < own.from) {
                    one.to = one.to.min(event.to);
                }
            }
        }
    }
}

impl Outside for Locks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[LOCK]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Process, Channel::Link])
    }

    fn asked_when(&self) -> &'static str {
        "a login or renewal is refused for a lock, or is not when there certainly was one, and the first line says what locks"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let Some(terms) = self.terms else { return };
        self.since.get_or_insert(event.from);
        match event.what {
            What::Called { call, request: Request::Login { user, .. } } => self.called(terms, event, call, user),
            What::Answered { outcome, .. } => self.answered(terms, scene, event, outcome, report),
            // The server may take it for another device now.
            What::Identity(Identity::New) | What::Process(Process::Up | Process::Dead) => {
                for (_, tries) in self.tries.range_mut(of_device(event.actor)) {
                    tries.iter_mut().for_each(|one| one.is_refused = false);
                }
            }
            What::Identity(Identity::CopyOf(_)) => self.are_copied = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{OK, brings, ends_settled, failed, line, told};

    /// How often TICKET-4 is broken, where 3 refusals within 10 s lock for 20 s.
    fn broken(lines: &[Vec<String>]) -> usize {
        let limits = r#""limits":{"refusals_max":3,"refusals_window":"10s","refusals_lock":"20s"}"#;
        let fields = format!(r#""observes":["calls","process","link"],{limits}"#);
        let up = vec![line(0, "phone-1", r#""what":"process","process":"up""#)];
        told(&ends_settled(&fields, &[&[up], lines].concat())).iter().filter(|(rule, _)| *rule == "TICKET-4").count()
    }

    /// Refusals at these milliseconds, and then a login with this result.
    fn after(refusals: &[u64], at: u64, outcome: &str) -> usize {
        let refused = refusals.iter().map(|&at| brings("bad", at, &failed(70009)));
        broken(&refused.chain([brings("good", at, outcome)]).collect::<Vec<_>>())
    }

    /// TICKET-4
    #[test]
    fn a_ticket_that_is_looked_at_during_a_lock_is_found() {
        assert_eq!(after(&[100_000, 104_000, 109_000], 110_000, &failed(70050)), 0);
        assert_eq!(after(&[100_000, 104_000, 109_000], 110_000, OK), 1);
        assert_eq!(after(&[100_000, 104_000, 109_000], 110_000, &failed(70001)), 1);
        // The first does not count any more, one was not refused, the lock is over, nobody knows.
        assert_eq!(after(&[100_000, 104_000, 110_000], 111_000, OK), 0);
        assert_eq!(after(&[104_000, 109_000], 110_000, OK), 0);
        assert_eq!(after(&[100_000, 104_000, 109_000], 129_000, OK), 0);
        assert_eq!(after(&[100_000, 104_000, 109_000], 110_000, &failed(9520)), 0);
    }

    /// TICKET-4
    #[test]
    fn a_lock_without_the_refusals_for_it_is_found() {
        let locked = failed(70050);
        assert_eq!(after(&[100_000, 109_000], 110_000, &locked), 1);
        assert_eq!(after(&[100_000, 104_000, 115_000], 116_000, &locked), 1);
        assert_eq!(after(&[100_000, 104_000, 109_000], 128_900, &locked), 0);
        assert_eq!(after(&[100_000, 104_000, 109_000], 129_100, &locked), 1);
        // One without an answer may have been refused.
        let unanswered = [brings("bad", 100_000, &failed(9520)), brings("bad", 104_000, &failed(70001))];
        let lines =
            [&unanswered[..], &[brings("bad", 109_000, &failed(70013)), brings("good", 110_000, &locked)]].concat();
        assert_eq!(broken(&lines), 0);
        // What was before the history began nobody knows.
        assert_eq!(after(&[1_000, 9_000], 10_000, &locked), 0);
    }

    /// TICKET-4: records of refusals need not be durable, and a device may come with another id.
    #[test]
    fn a_server_that_may_have_started_anew_has_forgotten_the_refusals() {
        let refused = || [100_000, 104_000, 109_000].map(|at| brings("bad", at, &failed(70009))).concat();
        let between = |what: &str| vec![line(109_500, "phone-1", what)];
        let up = || between(r#""what":"link","link":"up""#);
        let good = || brings("good", 110_000, OK);
        assert_eq!(broken(&[refused(), between(r#""what":"link","link":"down""#), up(), good()]), 0);
        assert_eq!(broken(&[refused(), between(r#""what":"new_device""#), good()]), 0);
        assert_eq!(broken(&[refused(), good()]), 1);
    }
}
