//! What cannot be explained, and its sentence; what could not be judged, and why.
//!
//! Does not judge. Names are the caller's: what renders a sentence is given what to call devices and instants.

use super::fact::{Fact, OwnEnd, Reason, Span};

/// A login of a violation, with what is known of its acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Involved {
    /// The caller's number.
    pub login: u64,
    /// Its device.
    pub device: u32,
    /// Its platform.
    pub platform: u16,
    /// When it was called.
    pub called: Option<Span>,
    /// When it was accepted, at the latest.
    pub accepted: Option<Span>,
}

/// What is wrong about the smallest part that cannot be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// More sessions at once than seats, or somebody accepted where no seat was free.
    SeatsWrong,
    /// A session lived on after its displacement, or after its device was told.
    LivedOn,
    /// A device was told of a displacement, and nothing can have displaced it then.
    ToldOfNothing,
    /// More devices were told than were displaced.
    ToldTooMany,
    /// A device was told that another one displaced it than can have.
    NamedAnother,
    /// A device was told another reason than there can have been.
    WrongReason,
    /// A device was displaced, could hear of it for long enough, and was not told.
    NeverTold,
    /// A device was told twice.
    ToldTwice,
    /// A session is alive at the end that cannot be.
    AliveAtEnd,
    /// A session is gone at the end, and nothing can have ended it.
    GoneAtEnd,
}

impl Breach {
    /// The rules of ours that it breaks: the first one above all.
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Breach::SeatsWrong | Breach::AliveAtEnd | Breach::GoneAtEnd => &["POLICY-4", "POLICY-3"],
            Breach::LivedOn => &["POLICY-4", "KICK-4"],
            Breach::ToldOfNothing => &["KICK-1", "KICK-2"],
            Breach::ToldTooMany => &["KICK-4", "KICK-1"],
            Breach::NamedAnother => &["POLICY-3", "KICK-2"],
            Breach::WrongReason => &["KICK-9", "POLICY-3"],
            Breach::NeverTold => &["KICK-1", "KICK-5"],
            Breach::ToldTwice => &["EVENT-1", "KICK-4"],
        }
    }

    /// What it is, as the end of a sentence.
    const fn words(self) -> &'static str {
        match self {
            Breach::SeatsWrong => "no order of acceptance leaves them no more seats than there are",
            Breach::LivedOn => "no order of acceptance lets that session live so long",
            Breach::ToldOfNothing => "nothing can have displaced it by then",
            Breach::ToldTooMany => "more devices were told than can have been displaced",
            Breach::NamedAnother => "that device cannot have displaced it",
            Breach::WrongReason => "that cannot have been the reason",
            Breach::NeverTold => "it was displaced and never told",
            Breach::ToldTwice => "a displacement is told once",
            Breach::AliveAtEnd => "no order of acceptance leaves it its seat",
            Breach::GoneAtEnd => "nothing can have ended it",
        }
    }

    /// The breach that this part shows, by what it cannot do without.
    pub(super) fn of(facts: &[Fact]) -> Self {
        let has = |wanted: fn(&Fact) -> bool| facts.iter().any(wanted);
        let told = || facts.iter().filter(|fact| matches!(fact, Fact::Told { .. }));
        let named: Vec<u32> = facts
            .iter()
            .filter_map(|fact| match *fact {
                Fact::ToldBy { device, .. } => Some(device),
                _ => None,
            })
            .collect();
        let is_told = |login: u64| told().any(|fact| fact.login() == Some(login));
        if facts.iter().any(|fact| matches!(*fact, Fact::Alive { login, .. } if is_told(login))) {
            Breach::LivedOn
        } else if facts.iter().any(|fact| matches!(*fact, Fact::AliveAtEnd { login, .. } if is_told(login))) {
            Breach::AliveAtEnd
        } else if named.len() > 1 && named.iter().all(|device| *device == named[0]) {
            Breach::ToldTooMany
        } else if has(|fact| matches!(fact, Fact::ToldFor { .. })) {
            Breach::WrongReason
        } else if has(|fact| matches!(fact, Fact::ToldBy { .. })) {
            Breach::NamedAnother
        } else if told().count() > 1 {
            Breach::ToldTooMany
        } else if told().count() == 1 {
            Breach::ToldOfNothing
        } else if has(|fact| matches!(fact, Fact::Unheard { .. })) {
            Breach::NeverTold
        } else if has(|fact| matches!(fact, Fact::Alive { .. })) {
            Breach::LivedOn
        } else if has(|fact| matches!(fact, Fact::AliveAtEnd { .. })) {
            Breach::AliveAtEnd
        } else if has(|fact| matches!(fact, Fact::GoneAtEnd { .. })) {
            Breach::GoneAtEnd
        } else {
            Breach::SeatsWrong
        }
    }
}

/// Of more logins than these a sentence does not tell how each came, nor of more facts what each says.
const TOLD_MAX: usize = 6;

/// What the caller calls things in sentences.
#[derive(Clone, Copy)]
pub struct Names<'n> {
    /// A device: `phone-1`.
    pub device: &'n dyn Fn(u32) -> String,
    /// An instant, in microseconds: `9.310 s`.
    pub instant: &'n dyn Fn(u64) -> String,
}

/// A part of the history that no order of acceptances explains, and that would be explained if any one of its facts were
/// left out; unless the search for a smaller one was given up.
///
/// ```
/// use std::sync::Arc;
///
/// use gatecrash_sim::seats::{Answer, Bounds, ComesBack, Names, Profile, SeatPlan, Seats, Span, Victim, Wins};
///
/// let profile = Profile {
///     wins: Wins::NewestWins,
///     seats: SeatPlan::OneName,
///     comes_back: ComesBack::Resume,
///     victim: Victim::Told,
/// };
/// let mut seats = Seats::new(Arc::new(profile), Bounds::default());
/// seats.login_called(1, 10, 0, Span::at(1));
/// seats.login_answered(1, Span::at(2), Answer::Accepted);
/// seats.login_called(2, 20, 0, Span::at(5));
/// seats.login_answered(2, Span::at(6), Answer::Accepted);
/// seats.alive(1, 8, 9);
/// let violations = seats.finish().violations;
/// let names = Names { device: &|device| format!("device {device}"), instant: &|instant| format!("{instant} µs") };
/// assert_eq!(
///     violations[0].sentence(&names),
///     "device 10's login was called at 1 µs and accepted by 2 µs, device 20's login was called at 5 µs and accepted by 6 µs, \
///      device 10's session still lived at 8 µs: no order of acceptance lets that session live so long"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub breach: Breach,
    /// The facts that do not fit together.
    pub facts: Vec<Fact>,
    /// The logins that these are about.
    pub logins: Vec<Involved>,
}

impl Violation {
    /// It as a sentence, without its full stop.
    pub fn sentence(&self, names: &Names<'_>) -> String {
        let mut clauses: Vec<String> = self.facts.iter().filter_map(|fact| self.clause(fact, names)).collect();
        if self.logins.len() <= TOLD_MAX {
            clauses.splice(..0, self.logins.iter().map(|login| accepted(login, names)));
        } else if clauses.len() > TOLD_MAX {
            let more = clauses.len() - TOLD_MAX;
            clauses.truncate(TOLD_MAX);
            clauses.push(format!("and {more} more like these"));
        }
        format!("{}: {}", clauses.join(", "), self.breach.words())
    }

    fn clause(&self, fact: &Fact, names: &Names<'_>) -> Option<String> {
        let instant = names.instant;
        let who = |login: u64| {
            let known = self.logins.iter().find(|known| known.login == login);
            known.map_or_else(|| "somebody".to_owned(), |known| (names.device)(known.device))
        };
        let clause = match *fact {
            Fact::Called { .. } | Fact::Accepted { .. } | Fact::ToldBy { .. } | Fact::ToldFor { .. } => return None,
            Fact::Refused { login, at } => format!("{}'s login was refused at {}", who(login), instant(at.from)),
            Fact::Alive { login, begun, .. } => format!("{}'s session still lived at {}", who(login), instant(begun)),
            Fact::Told { login, at } => {
                let by = self.facts.iter().find_map(|fact| match *fact {
                    Fact::ToldBy { login: of, device } if of == login => {
                        Some(format!(" by {}", (names.device)(device)))
                    }
                    _ => None,
                });
                let reason = self.facts.iter().find_map(|fact| match *fact {
                    Fact::ToldFor { login: of, reason } if of == login => Some(format!(" ({})", word(reason))),
                    _ => None,
                });
                let (by, reason) = (by.unwrap_or_default(), reason.unwrap_or_default());
                format!("{} was told at {} that it was kicked{by}{reason}", who(login), instant(at.to))
            }
            Fact::Unheard { login, by } => {
                format!("{} would have heard of a kick at or before {}", who(login), instant(by))
            }
            Fact::Ended { login, why, from, to } => {
                let to = to.map(|to| format!(" and ended by {}", instant(to))).unwrap_or_default();
                match why {
                    OwnEnd::Logout => format!("{} logged out at {}{to}", who(login), instant(from)),
                    OwnEnd::Expired => format!("{}'s ticket ran out at {}{to}", who(login), instant(from)),
                }
            }
            Fact::Administrator { at, .. } => {
                format!("an administrator ended all sessions between {} and {}", instant(at.from), instant(at.to))
            }
            Fact::AliveAtEnd { login, .. } => format!("{} is logged in at the end", who(login)),
            Fact::GoneAtEnd { login, .. } => format!("{} is not logged in at the end", who(login)),
        };
        Some(clause)
    }
}

fn accepted(login: &Involved, names: &Names<'_>) -> String {
    let device = (names.device)(login.device);
    let called = login.called.map(|at| format!("called at {}", (names.instant)(at.from)));
    let by = login.accepted.map(|at| format!("accepted by {}", (names.instant)(at.to)));
    match (called, by) {
        (Some(called), Some(by)) => format!("{device}'s login was {called} and {by}"),
        (Some(one), None) | (None, Some(one)) => format!("{device}'s login was {one}"),
        (None, None) => format!("{device} had logged in"),
    }
}

const fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::SamePlatform => "same platform",
        Reason::OtherPlatform => "other platform",
        Reason::Administrator => "administrator",
        Reason::Gone => "gone",
    }
}

/// Why a part could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The search visited as many states as it may, and found neither an explanation nor a part that has none.
    States,
    /// So much was open at once that what was before had to be forgotten.
    Crowd,
    /// So many devices had not been told yet that the oldest were forgotten.
    Residues,
}

/// A part that could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// Why.
    pub why: Why,
    /// When the first login of the part was called, in microseconds.
    pub from: u64,
    /// Up to when it lasts.
    pub to: u64,
    /// The logins in it.
    pub logins: usize,
    /// Those of them of which nobody knows whether they were accepted.
    pub unknown: usize,
    /// Those whose device was told of no one in particular.
    pub unnamed: usize,
}

/// What came of judging one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Accepted logins that an explanation had to place.
    pub judged: u64,
    /// What cannot be explained.
    pub violations: Vec<Violation>,
    /// What could not be judged.
    pub undecided: Vec<Undecided>,
    /// States that the searches visited, all together.
    pub states: usize,
}
