//! Draws histories: right ones by playing a server and forgetting what nobody outside sees, wrong ones by changing a word.

use crate::seats::{Answer, ComesBack, OwnEnd, Profile, Reason, SeatPlan, Span, Victim, Wins};

use super::saying::Saying;

/// Numbers that look random and are the same always.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1))
    }

    /// Below `number`.
    pub(super) fn below(&mut self, number: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % number
    }

    pub(super) fn once_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }
}

/// What a history is to look like.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) logins: u64,
    pub(super) devices: u64,
    /// Calls come within so long.
    pub(super) length: u64,
    /// What is under way takes no longer.
    pub(super) delay: u64,
    /// Ends, administrators and returns, at most.
    pub(super) others: u64,
}

#[derive(Clone, Copy)]
enum Event {
    Accept(usize),
    End(usize),
    Administrator,
    Back(usize),
}

struct Login {
    device: u32,
    platform: u16,
    accepted: Option<u64>,
    end: Option<u64>,
    displacer: Option<(u32, bool)>,
    by_administrator: bool,
    told: Option<u64>,
    /// From when to when it lived: more than once if it came back.
    lives: Vec<(u64, Option<u64>)>,
    dormant: Option<Span>,
    is_void: bool,
}

impl Login {
    fn ends(&mut self, now: u64) {
        self.end = Some(now);
        if let Some(life) = self.lives.last_mut() {
            life.1 = Some(now);
        }
    }
}

fn group(profile: &Profile, platform: u16) -> u16 {
    match &profile.seats {
        SeatPlan::Groups(groups) => groups[usize::from(platform)].0,
        SeatPlan::OneName => 0,
        SeatPlan::OneNameAndResource => platform,
    }
}

/// A history that is right, in the order in which it would be said.
pub(super) fn right(profile: &Profile, shape: Shape, dice: &mut Dice) -> Vec<Saying> {
    let mut said: Vec<(u64, Saying)> = Vec::new();
    let mut logins: Vec<Login> = Vec::new();
    let mut events: Vec<(u64, u64, Event)> = Vec::new();
    let mut windows = Vec::new();
    let mut free = vec![0; shape.devices as usize];
    let mut calls: Vec<u64> = (0..shape.logins).map(|_| dice.below(shape.length)).collect();
    calls.sort_unstable();
    for call in calls {
        let device = dice.below(shape.devices);
        let call = call.max(free[device as usize]);
        let arrival = call + dice.below(shape.delay);
        let login = logins.len();
        let platform = (device % 2) as u16;
        free[device as usize] = call + shape.delay * 2 + 1;
        windows.push((call, arrival));
        let at = around(call, dice);
        said.push((call, Saying::Called { login: login as u64, device: device as u32, platform, at }));
        logins.push(Login {
            device: device as u32,
            platform,
            accepted: None,
            end: None,
            displacer: None,
            by_administrator: false,
            told: None,
            lives: Vec::new(),
            dormant: dice.once_in(3).then(|| Span { from: call, to: call + dice.below(shape.length) }),
            is_void: false,
        });
        if !dice.once_in(12) {
            events.push((arrival, dice.below(1 << 20), Event::Accept(login)));
        }
    }
    let mut administrators = Vec::new();
    let mut backs = Vec::new();
    let mut ends: Vec<(usize, u64, Option<u64>)> = Vec::new();
    for _ in 0..shape.others {
        let login = dice.below(shape.logins) as usize;
        let at = windows[login].1 + shape.delay + dice.below(shape.length);
        match dice.below(4) {
            0 => {
                administrators.push(at);
                events.push((at, dice.below(1 << 20), Event::Administrator));
            }
            1 if !ends.iter().any(|(of, ..)| *of == login) => {
                let heard = (!dice.once_in(4)).then(|| at + dice.below(shape.delay));
                ends.push((login, at, heard));
                if let Some(heard) = heard {
                    events.push((heard, dice.below(1 << 20), Event::End(login)));
                }
            }
            2 if profile.comes_back == ComesBack::Login => {
                backs.push((login, at));
                events.push((at, dice.below(1 << 20), Event::Back(login)));
            }
            _ => {}
        }
    }
    events.sort_by_key(|(at, tie, _)| (*at, *tie));
    play(profile, shape, &mut logins, &events, dice);
    let is_accepted = |login: usize| logins[login].accepted.is_some();
    let rest = shape.length * 4 + shape.delay * 8;
    for (at, window) in administrators.iter().zip(0_u64..) {
        let sure = window % 2 == 0;
        let span = around(*at, dice);
        said.push((span.from, Saying::Administrator { at: span, sure }));
    }
    for (login, at) in backs {
        let (device, platform) = (logins[login].device, logins[login].platform);
        said.push((at, Saying::Back { login: login as u64, device, platform, at: around(at, dice) }));
    }
    for (login, from, to) in ends {
        // A server that hears of it only after its session ended otherwise has nothing to end.
        let to = to
            .filter(|to| logins[login].accepted.is_none_or(|accepted| accepted <= *to))
            .filter(|to| logins[login].accepted.is_none() || logins[login].end.is_some_and(|end| end <= *to));
        let why = if dice.once_in(2) { OwnEnd::Logout } else { OwnEnd::Expired };
        said.push((from, Saying::Ended { login: login as u64, why, from, to }));
    }
    for (number, login) in logins.iter().enumerate() {
        let id = number as u64;
        let (call, arrival) = windows[number];
        let refused = login.accepted.is_none() && !dice.once_in(3);
        let answer = arrival + dice.below(shape.delay);
        match login.accepted {
            Some(accepted) if !dice.once_in(6) => {
                let at = Span { from: accepted, to: answer.max(accepted) };
                said.push((at.to, Saying::Answered { login: id, at, answer: Answer::Accepted }));
            }
            None if refused => {
                said.push((answer, Saying::Answered { login: id, at: Span::at(answer), answer: Answer::Refused }));
            }
            _ if dice.once_in(2) => {
                said.push((
                    call + shape.delay * 2,
                    Saying::Answered { login: id, at: Span::at(call + shape.delay * 2), answer: Answer::Unknown },
                ));
            }
            _ => {}
        }
        if login.accepted.is_some() {
            for _ in 0..dice.below(3) {
                let (from, to) = login.lives[dice.below(login.lives.len() as u64) as usize];
                let lived = from + dice.below(to.unwrap_or(from + shape.length) - from + 1);
                let begun = lived.saturating_sub(dice.below(shape.delay)).max(call);
                let answered = lived + dice.below(shape.delay);
                said.push((answered, Saying::Alive { login: id, begun, answered }));
            }
            if let Some(dormant) = login.dormant {
                said.push((dormant.from, Saying::Dormant { login: id, span: dormant }));
            }
        }
        if let Some(told) = login.told {
            let by = login.displacer.map(|(device, _)| device).filter(|_| !login.by_administrator && dice.once_in(2));
            let reason = match login.displacer {
                _ if login.by_administrator => Reason::Administrator,
                Some((_, true)) => Reason::SamePlatform,
                _ => Reason::OtherPlatform,
            };
            let reason = if dice.once_in(8) { Reason::Gone } else { reason };
            let reason = Some(reason).filter(|_| dice.once_in(2));
            let at = around(told, dice);
            said.push((at.to, Saying::Kicked { login: id, at, by, reason }));
        }
        let is_kicked = login.displacer.is_some() || login.by_administrator || login.lives.len() > 1;
        let unheard = login.lives.first().and_then(|life| life.1).filter(|_| is_kicked).unwrap_or(rest);
        if login.accepted.is_some() && dice.once_in(2) && unheard > 0 {
            let by = dice.below(unheard);
            if login.told.is_none_or(|told| by < told) {
                said.push((by, Saying::Heard { login: id, by }));
            }
        }
    }
    said.sort_by_key(|(at, saying)| (*at, !matches!(saying, Saying::Called { .. })));
    let mut history: Vec<Saying> = said.into_iter().map(|(_, saying)| saying).collect();
    if dice.once_in(2) {
        let live: Vec<u64> = (0..logins.len())
            .filter(|&login| is_accepted(login) && logins[login].end.is_none())
            .map(|login| login as u64)
            .collect();
        let (unseen, alive): (Vec<u64>, Vec<u64>) = live.into_iter().partition(|_| dice.once_in(4));
        history.push(Saying::Settled { at: rest * 2, alive, unseen });
    }
    history
}

fn around(at: u64, dice: &mut Dice) -> Span {
    Span { from: at - dice.below(3).min(at), to: at + dice.below(3) }
}

/// The server, as it really was.
fn play(profile: &Profile, shape: Shape, logins: &mut [Login], events: &[(u64, u64, Event)], dice: &mut Dice) {
    let mut live: Vec<usize> = Vec::new();
    for &(now, _, event) in events {
        let newcomer = match event {
            Event::Administrator => {
                for login in std::mem::take(&mut live) {
                    logins[login].ends(now);
                    logins[login].by_administrator = true;
                    logins[login].told = hears(profile, shape, now, dice);
                }
                continue;
            }
            Event::End(login) => {
                if live.contains(&login) {
                    live.retain(|one| *one != login);
                    logins[login].ends(now);
                }
                // A login that comes after its own logout is none.
                logins[login].is_void = true;
                continue;
            }
            Event::Accept(login) if !logins[login].is_void => login,
            Event::Back(login) => {
                let is_displaced = logins[login].displacer.is_some()
                    && !logins[login].by_administrator
                    && logins[login].told.is_none_or(|told| told > now);
                if logins[login].is_void || !(live.contains(&login) || is_displaced) {
                    continue;
                }
                login
            }
            Event::Accept(_) => continue,
        };
        let (device, platform) = (logins[newcomer].device, logins[newcomer].platform);
        let is_rival = |one: &usize| *one != newcomer && logins[*one].device != device;
        let others: Vec<usize> = live
            .iter()
            .copied()
            .filter(|one| {
                is_rival(one)
                    && logins[*one].platform != platform
                    && group(profile, logins[*one].platform) == group(profile, platform)
            })
            .collect();
        let mut rivals: Vec<usize> =
            live.iter().copied().filter(|one| is_rival(one) && logins[*one].platform == platform).collect();
        let seats = match &profile.seats {
            SeatPlan::Groups(groups) => usize::from(groups[usize::from(platform)].1),
            SeatPlan::OneName | SeatPlan::OneNameAndResource => 1,
        };
        let is_full = rivals.len() >= seats;
        if profile.wins == Wins::NewcomerRefused && (is_full || !others.is_empty()) {
            continue;
        }
        let is_dormant = |one: &usize| logins[*one].dormant.is_some_and(|span| span.from <= now && now <= span.to);
        rivals.sort_by_key(|one| !is_dormant(one));
        let gone: Vec<usize> = others.iter().copied().chain(rivals.first().copied().filter(|_| is_full)).collect();
        for other in gone {
            live.retain(|one| *one != other);
            let same = logins[other].platform == platform;
            logins[other].ends(now);
            logins[other].displacer = Some((device, same));
            logins[other].told = hears(profile, shape, now, dice);
        }
        for other in live.clone() {
            if other != newcomer && logins[other].device == device {
                live.retain(|one| *one != other);
                logins[other].ends(now);
            }
        }
        for (number, earlier) in logins.iter_mut().enumerate() {
            if number < newcomer && earlier.device == device {
                earlier.is_void = true;
            }
        }
        live.retain(|one| *one != newcomer);
        live.push(newcomer);
        let login = &mut logins[newcomer];
        if login.end.is_some() || login.accepted.is_none() {
            login.lives.push((now, None));
        }
        login.accepted = login.accepted.or(Some(now));
        (login.end, login.displacer, login.told) = (None, None, None);
    }
}

fn hears(profile: &Profile, shape: Shape, now: u64, dice: &mut Dice) -> Option<u64> {
    let is_told = matches!(profile.victim, Victim::Told | Victim::ToldWithReason);
    (is_told && !dice.once_in(4)).then(|| now + dice.below(shape.delay))
}

/// Changes one word of a history.
pub(super) fn change(history: &mut [Saying], shape: Shape, dice: &mut Dice) {
    let at = dice.below(history.len() as u64) as usize;
    let amount = 1 + dice.below(shape.delay * 2);
    let other = dice.below(shape.devices) as u32;
    let earlier = dice.once_in(2);
    let moved = |instant: u64| if earlier { instant.saturating_sub(amount) } else { instant + amount };
    let is_gone = dice.once_in(3);
    match &mut history[at] {
        Saying::Called { at, .. } => *at = Span { from: moved(at.from), to: moved(at.to) },
        Saying::Answered { answer: Answer::Accepted, at, .. } => {
            *at = Span { from: at.from.saturating_sub(amount), to: at.to.saturating_sub(amount) };
        }
        Saying::Answered { answer, .. } => *answer = Answer::Accepted,
        Saying::Alive { begun, answered, .. } => {
            let later = amount * 3;
            (*begun, *answered) = (*begun + later, *answered + later);
        }
        Saying::Kicked { login, .. } if is_gone => {
            let login = *login;
            history[at] = Saying::Heard { login, by: shape.length * 10 };
        }
        Saying::Kicked { at, by, .. } => {
            if earlier {
                *at = Span { from: at.from.saturating_sub(amount), to: at.to.saturating_sub(amount) };
            } else {
                *by = Some(other);
            }
        }
        Saying::Ended { from, to, .. } => (*from, *to) = (moved(*from), to.map(moved)),
        Saying::Administrator { at, sure } => {
            *at = Span { from: moved(at.from), to: moved(at.to) };
            *sure = !*sure;
        }
        Saying::Heard { by, .. } => *by += amount * 2,
        Saying::Back { at, .. } => *at = Span { from: moved(at.from), to: moved(at.to) },
        Saying::Dormant { span, .. } => *span = Span { from: moved(span.from), to: moved(span.to) },
        Saying::Settled { alive, unseen, .. } => {
            if earlier {
                std::mem::swap(alive, unseen);
            } else {
                alive.pop();
            }
        }
    }
}
