//! A judge that is obviously right: every order of every subset of what may have happened, with no memory and no cleverness.

use crate::seats::{Answer, ComesBack, Profile, Reason, SeatPlan, Span, Victim, Wins};

use super::saying::Saying;

#[derive(Clone, Copy, PartialEq)]
enum How {
    Displaced(bool),
    Administrator,
    Replaced,
    Own,
}

#[derive(Clone, Default)]
struct Login {
    id: u64,
    device: u32,
    platform: u16,
    called: u64,
    accepted: Option<u64>,
    refused: bool,
    alive: Vec<(u64, u64)>,
    told: Option<(u64, Option<u32>, Option<Reason>)>,
    heard: Option<u64>,
    ended: Option<(u64, Option<u64>)>,
    at_end: Option<bool>,
    dormant: Vec<Span>,
}

#[derive(Clone, Copy)]
enum Event {
    Accept(usize),
    End(usize),
    Administrator(Span, bool),
    Back(usize, Span),
}

#[derive(Clone, Default)]
struct Server {
    /// Of each event that happened, in order: the bounds of its instant.
    bounds: Vec<Span>,
    live: Vec<usize>,
    accepted: Vec<Option<usize>>,
    ends: Vec<Option<(usize, How, u32)>>,
    happened: Vec<bool>,
}

struct Judge<'a> {
    profile: &'a Profile,
    logins: Vec<Login>,
    events: Vec<Event>,
}

/// Whether some order explains the history.
pub(super) fn explains(profile: &Profile, history: &[Saying]) -> bool {
    let groups: std::collections::BTreeSet<u16> = history
        .iter()
        .filter_map(|saying| match saying {
            Saying::Called { platform, .. } => Some(group(profile, *platform)),
            _ => None,
        })
        .collect();
    groups.into_iter().all(|of| {
        let judge = Judge::new(profile, history, of);
        let number = judge.logins.len();
        let server = Server {
            accepted: vec![None; number],
            ends: vec![None; number],
            happened: vec![false; judge.events.len()],
            ..Server::default()
        };
        judge.some_order_from(&server)
    })
}

fn group(profile: &Profile, platform: u16) -> u16 {
    match &profile.seats {
        SeatPlan::Groups(groups) => groups[usize::from(platform)].0,
        SeatPlan::OneName => 0,
        SeatPlan::OneNameAndResource => platform,
    }
}

impl<'a> Judge<'a> {
    fn new(profile: &'a Profile, history: &[Saying], of: u16) -> Self {
        let mut logins: Vec<Login> = Vec::new();
        let mut events = Vec::new();
        for saying in history {
            match saying {
                Saying::Called { login, device, platform, at } if group(profile, *platform) == of => {
                    events.push(Event::Accept(logins.len()));
                    let (id, device, platform, called) = (*login, *device, *platform, at.from);
                    logins.push(Login { id, device, platform, called, ..Login::default() });
                }
                Saying::Administrator { at, sure } => {
                    events.push(Event::Administrator(*at, *sure));
                }
                Saying::Settled { alive, unseen, .. } => {
                    for login in &mut logins {
                        if alive.contains(&login.id) {
                            login.at_end = Some(true);
                        } else if login.accepted.is_some() && !unseen.contains(&login.id) {
                            login.at_end = Some(false);
                        }
                    }
                }
                _ => {}
            }
            let Some(id) = about(saying) else { continue };
            let Some(at) = logins.iter().position(|login| login.id == id) else { continue };
            let login = &mut logins[at];
            match saying {
                Saying::Answered { at, answer, .. } => match answer {
                    Answer::Accepted => login.accepted = Some(at.to),
                    Answer::Refused => login.refused = true,
                    Answer::Unknown => {}
                },
                Saying::Alive { begun, answered, .. } => login.alive.push((*begun, *answered)),
                Saying::Kicked { at, by, reason, .. } => login.told = Some((at.to, *by, *reason)),
                Saying::Ended { from, to, .. } => {
                    login.ended = Some((*from, *to));
                    events.push(Event::End(at));
                }
                Saying::Heard { by, .. } if login.told.is_none() => {
                    login.heard = Some(login.heard.unwrap_or(0).max(*by));
                }
                Saying::Back { at: span, .. } if profile.comes_back == ComesBack::Login => {
                    events.push(Event::Back(at, *span));
                }
                Saying::Dormant { span, .. } => login.dormant.push(*span),
                _ => {}
            }
        }
        if matches!(profile.victim, Victim::Closed | Victim::Silent) {
            logins.iter_mut().for_each(|login| login.heard = None);
        }
        if profile.victim != Victim::ToldWithReason {
            for login in &mut logins {
                if let Some((_, _, reason)) = &mut login.told {
                    *reason = reason.filter(|reason| *reason == Reason::Gone);
                }
            }
        }
        Judge { profile, logins, events }
    }

    fn some_order_from(&self, server: &Server) -> bool {
        if self.is_explained(server) {
            return true;
        }
        (0..self.events.len()).filter(|&at| !server.happened[at]).any(|at| {
            let mut next = server.clone();
            next.happened[at] = true;
            match self.events[at] {
                Event::Accept(login) => {
                    let is_later =
                        |other: usize| other > login && self.logins[other].device == self.logins[login].device;
                    if self.logins[login].refused
                        || (0..self.logins.len()).any(|other| is_later(other) && server.accepted[other].is_some())
                    {
                        return false;
                    }
                    next.accepted[login] = Some(server.bounds.len());
                    self.accept(&next, login, Span { from: self.logins[login].called, to: u64::MAX })
                }
                Event::Back(login, span) => {
                    let is_later =
                        |other: usize| other > login && self.logins[other].device == self.logins[login].device;
                    let is_displaced = matches!(server.ends[login], Some((_, How::Displaced(_), _)));
                    if (0..self.logins.len()).any(|other| is_later(other) && server.accepted[other].is_some())
                        || !(server.live.contains(&login) || is_displaced)
                    {
                        return false;
                    }
                    next.ends[login] = None;
                    next.live.retain(|live| *live != login);
                    self.accept(&next, login, span)
                }
                Event::End(login) => {
                    if !server.live.contains(&login) {
                        return false;
                    }
                    next.end(login, How::Own, 0);
                    let (from, to) = self.logins[login].ended.unwrap();
                    next.bounds.push(Span { from, to: to.unwrap_or(u64::MAX) });
                    self.goes_on(&next)
                }
                Event::Administrator(at, _) => {
                    for login in server.live.clone() {
                        next.end(login, How::Administrator, 0);
                    }
                    next.bounds.push(at);
                    self.goes_on(&next)
                }
            }
        })
    }

    fn accept(&self, server: &Server, newcomer: usize, span: Span) -> bool {
        let new = &self.logins[newcomer];
        let mut next = server.clone();
        for login in server.live.clone() {
            if self.logins[login].device == new.device {
                next.end(login, How::Replaced, new.device);
            }
        }
        let others: Vec<usize> =
            next.live.iter().copied().filter(|login| self.logins[*login].platform != new.platform).collect();
        let rivals: Vec<usize> =
            next.live.iter().copied().filter(|login| self.logins[*login].platform == new.platform).collect();
        let seats = match &self.profile.seats {
            SeatPlan::Groups(groups) => usize::from(groups[usize::from(new.platform)].1),
            SeatPlan::OneName | SeatPlan::OneNameAndResource => 1,
        };
        let is_full = rivals.len() >= seats;
        if self.profile.wins == Wins::NewcomerRefused && (is_full || !others.is_empty()) {
            return false;
        }
        for login in others {
            next.end(login, How::Displaced(false), new.device);
        }
        if !is_full {
            next.live.push(newcomer);
            next.bounds.push(span);
            return self.goes_on(&next);
        }
        rivals.iter().enumerate().any(|(age, rival)| {
            let mut next = next.clone();
            next.end(*rival, How::Displaced(true), new.device);
            next.live.push(newcomer);
            let with = |span: Span| {
                let mut next = next.clone();
                next.bounds.push(span);
                self.goes_on(&next)
            };
            let within = |one: &Span| Span { from: one.from.max(span.from), to: one.to.min(span.to) };
            (age == 0 && with(span)) || self.logins[*rival].dormant.iter().any(|dormant| with(within(dormant)))
        })
    }

    fn goes_on(&self, server: &Server) -> bool {
        are_instants(&server.bounds) && self.some_order_from(server)
    }

    fn is_explained(&self, server: &Server) -> bool {
        let is_missed =
            |(at, event): (usize, &Event)| matches!(event, Event::Administrator(_, true)) && !server.happened[at];
        if self.events.iter().enumerate().any(is_missed) {
            return false;
        }
        let mut bounds = server.bounds.clone();
        for (at, login) in self.logins.iter().enumerate() {
            let Some(accepted) = server.accepted[at] else {
                let is_certain = login.accepted.is_some()
                    || !login.alive.is_empty()
                    || login.told.is_some()
                    || login.at_end == Some(true);
                if is_certain {
                    return false;
                }
                continue;
            };
            let mut by = vec![login.accepted, login.told.map(|told| told.0), login.ended.and_then(|ended| ended.1)];
            by.extend(login.alive.iter().map(|alive| Some(alive.1)));
            for by in by.into_iter().flatten() {
                bounds[accepted].to = bounds[accepted].to.min(by);
            }
            let Some((end, how, device)) = server.ends[at] else {
                let has_ended = login.told.is_some()
                    || login.ended.is_some_and(|ended| ended.1.is_some())
                    || login.at_end == Some(false);
                if has_ended {
                    return false;
                }
                continue;
            };
            if login.at_end == Some(true) {
                return false;
            }
            for alive in &login.alive {
                bounds[end].from = bounds[end].from.max(alive.0);
            }
            if let (Some(heard), How::Displaced(_) | How::Administrator) = (login.heard, how) {
                bounds[end].from = bounds[end].from.max(heard + 1);
            }
            if let Some(by) = login.ended.and_then(|ended| ended.1) {
                bounds[end].to = bounds[end].to.min(by);
            }
            if let Some((until, by, reason)) = login.told {
                let fits = matches!(
                    (reason, how),
                    (Some(Reason::Gone), _)
                        | (None, How::Displaced(_) | How::Administrator)
                        | (Some(Reason::SamePlatform), How::Displaced(true))
                        | (Some(Reason::OtherPlatform), How::Displaced(false))
                        | (Some(Reason::Administrator), How::Administrator)
                );
                let is_named = by.is_none_or(|by| matches!(how, How::Displaced(_)) && by == device);
                if !fits || !is_named {
                    return false;
                }
                bounds[end].to = bounds[end].to.min(until);
            }
        }
        are_instants(&bounds)
    }
}

impl Server {
    /// The end comes at the event that is about to be noted.
    fn end(&mut self, login: usize, how: How, by: u32) {
        self.live.retain(|live| *live != login);
        self.ends[login] = Some((self.bounds.len(), how, by));
    }
}

/// Whether there are instants within these bounds that do not fall.
fn are_instants(bounds: &[Span]) -> bool {
    let mut now = 0;
    bounds.iter().all(|span| {
        now = span.from.max(now);
        now <= span.to
    })
}

fn about(saying: &Saying) -> Option<u64> {
    match saying {
        Saying::Called { login, .. }
        | Saying::Answered { login, .. }
        | Saying::Alive { login, .. }
        | Saying::Kicked { login, .. }
        | Saying::Ended { login, .. }
        | Saying::Heard { login, .. }
        | Saying::Back { login, .. }
        | Saying::Dormant { login, .. } => Some(*login),
        Saying::Administrator { .. } | Saying::Settled { .. } => None,
    }
}
