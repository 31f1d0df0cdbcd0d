//! The author of a scenario: writes steps in the order of time, keeps the beliefs and the accounts,
//! brings devices where a plot needs them.
//!
//! Has no plot: `plan` and the gambits do.

use std::collections::BTreeMap;
use std::time::Duration;

use super::belief::{Belief, Hand};
use super::family::Family;
use super::setup::{Setup, user_name};
use super::{MILLI, MINUTE, Profile, SECOND, cost, dense};
use crate::generate::draw::Draw;
use crate::scenario::{
    Action, Call, Direction, Fault, Forge, Init, Offset, SiteName, Step, TicketChoice, TicketName, TicketPlan,
};

/// How long a disk refuses at most before it is seen to.
const UNMENDED_MAX: u64 = 10 * MINUTE;

/// What is long enough for attempts to connect to cost more than anything else.
const LONG: u64 = 10 * MINUTE;

/// Writes one scenario.
#[derive(Clone)]
pub(super) struct Author {
    pub(super) draw: Draw,
    pub(super) setup: Setup,
    pub(super) belief: Belief,
    /// When the next step is, in microseconds since the start.
    pub(super) now: u64,
    /// How much time there is for each episode that is left to play, about.
    pub(super) pace: u64,
    /// What was spent, in thousandths of an event.
    spent: u64,
    pub(super) steps: Vec<Step>,
    pub(super) tickets: BTreeMap<TicketName, TicketPlan>,
    /// The gambits played.
    pub(super) played: Vec<&'static str>,
}

impl Author {
    pub(super) fn new(seed: u64, setup: Setup) -> Self {
        let belief = Belief::new(&setup);
        let inits = belief.devices.iter().filter(|hand| hand.init == Init::Auto).count() as u64;
        Author {
            draw: Draw::new(seed, "generate", "script"),
            belief,
            now: 0,
            pace: 0,
            spent: (setup.devices.len() as u64 + inits * cost::INIT) * 1_000,
            steps: Vec::new(),
            tickets: BTreeMap::new(),
            played: Vec::new(),
            setup,
        }
    }

    // ---- the accounts ----

    /// Events spent so far.
    pub(super) fn spent(&self) -> u64 {
        self.spent / 1_000
    }

    /// Events that are left to spend, beside what coming to rest will cost.
    pub(super) fn left(&self) -> u64 {
        let devices = 0..self.belief.devices.len();
        let rest: u64 = devices
            .map(|device| match (self.belief.devices[device].account, self.belief.reaches(device)) {
                (None, _) => 1,
                (Some(_), true) => cost::HEARTBEAT + 1,
                (Some(_), false) => cost::RESUME + 1,
            })
            .sum();
        self.setup.budget.saturating_sub(self.spent() + rest)
    }

    /// How long is left, in microseconds.
    pub(super) fn time_left(&self) -> u64 {
        self.setup.span.saturating_sub(self.now)
    }

    pub(super) fn has(&self, family: Family) -> bool {
        self.setup.families.has(family)
    }

    /// From now on it may spend so much more, whatever was spent.
    pub(super) fn allow(&mut self, events: u64) {
        self.setup.budget = u64::MAX / 2;
        self.setup.budget = self.setup.budget - self.left() + events;
    }

    // ---- steps ----

    /// What somebody else wrote, each at its time: it is believed and paid for as if it had been written here.
    pub(super) fn recall(&mut self, steps: impl Iterator<Item = (u64, Action)>) {
        for (at, action) in steps {
            self.recall_until(at);
            self.spent += cost::of_step(&self.belief, self.now, &action) * 1_000;
            self.belief.believe(self.now, &action);
            self.steps.push(Step { at: Duration::from_micros(self.now), action });
        }
    }

    /// Time passes as somebody else wrote it: nobody sees to anything.
    pub(super) fn recall_until(&mut self, at: u64) {
        self.spend_time(at.saturating_sub(self.now));
    }

    /// Something happens now, if the script is not over and a file may say so.
    pub(super) fn act(&mut self, action: Action) {
        if self.now > self.setup.span || !self.is_allowed(&action) {
            return;
        }
        self.spent += cost::of_step(&self.belief, self.now, &action) * 1_000;
        self.belief.believe(self.now, &action);
        self.steps.push(Step { at: Duration::from_micros(self.now), action });
    }

    /// A one-way partition and a hold of one site exclude each other, and numbers of devices must
    /// fit their policy (POLICY-2).
    fn is_allowed(&self, action: &Action) -> bool {
        if self.setup.vocabulary.is_some_and(|knows| knows.refuses(action).is_some()) {
            return false;
        }
        let site = |name: &SiteName| self.belief.sites.iter().find(|site| site.name == *name).expect("a known site");
        match action {
            Action::Fault(Fault::Hold { site: name }) => site(name).is_outbound_cut == site(name).is_inbound_cut,
            Action::Fault(Fault::Partition { site: name, direction }) => {
                // Two one-way partitions would be one way for the file and both ways for the world.
                *direction == Direction::Both || site(name).is_open()
            }
            Action::App(change) => change.seats_after(self.belief.seats).is_ok(),
            Action::Fault(_) | Action::Call { .. } | Action::On { .. } | Action::Raw { .. } => true,
        }
    }

    pub(super) fn call(&mut self, device: usize, call: Call) {
        let device = self.belief.devices[device].name.clone();
        self.act(Action::Call { device, call });
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.act(Action::Fault(fault));
    }

    /// Several things, each at its time; those that are past happen now.
    pub(super) fn race(&mut self, mut moves: Vec<(u64, Action)>) {
        moves.sort_by_key(|(at, _)| *at);
        for (at, action) in moves {
            self.pass(at.saturating_sub(self.now));
            self.act(action);
        }
    }

    // ---- time ----

    /// So much time passes with everything as it is. Over a longer one somebody sees to a server that stands still,
    /// and to a disk that refuses, which a server tries every few seconds.
    pub(super) fn pass(&mut self, span: u64) {
        if span > UNMENDED_MAX && self.belief.is_server_suspended {
            self.fault(Fault::WakeServer);
        }
        if span > UNMENDED_MAX && !self.belief.is_disk_well {
            self.fault(Fault::MendDisk);
        }
        if span > UNMENDED_MAX {
            (0..self.belief.devices.len()).for_each(|device| self.mend_disk(device));
        }
        self.spend_time(span);
    }

    fn spend_time(&mut self, span: u64) {
        if !self.setup.is_soak {
            let spent: u64 =
                (0..self.belief.devices.len()).map(|device| cost::of_time(&self.belief, device, self.now, span)).sum();
            self.spent = self.spent.saturating_add(spent);
        }
        self.now += span;
        self.belief.passed(self.now);
        self.belief.rested(span);
    }

    /// Long enough for what was asked of the server to be answered.
    pub(super) fn settle(&mut self) {
        let latency = self.belief.sites.iter().map(|site| site.latency).max().unwrap_or_default();
        let commit = super::whole_micros(self.setup.app.commit_latency.max);
        self.pass((latency * 3 + commit * 4 + 20 * MILLI) / MILLI * MILLI);
    }

    /// How long something lasts at most, in milliseconds: less where everything is short.
    pub(super) fn shorter(&self, most: u64) -> u64 {
        match self.setup.profile {
            Profile::Swarm | Profile::PowerLoss => most,
            Profile::Dense => most.min(dense::PAUSE_MAX / MILLI),
        }
    }

    // ---- who and where ----

    pub(super) fn hand(&self, device: usize) -> &Hand {
        &self.belief.devices[device]
    }

    /// One way from the device to the server, in microseconds.
    pub(super) fn latency(&self, device: usize) -> u64 {
        self.belief.sites[self.hand(device).site].latency
    }

    pub(super) fn any_device(&mut self) -> usize {
        self.draw.below(self.belief.devices.len() as u64) as usize
    }

    pub(super) fn any_user(&mut self) -> usize {
        self.draw.below(self.setup.users.len() as u64) as usize
    }

    /// Some device of which this is so.
    pub(super) fn device_where(&mut self, is_one: impl Fn(&Belief, usize) -> bool) -> Option<usize> {
        let devices: Vec<usize> =
            (0..self.belief.devices.len()).filter(|&device| is_one(&self.belief, device)).collect();
        if devices.is_empty() { None } else { Some(*self.draw.pick(&devices)) }
    }

    /// Two devices of which a login on one displaces the other, the victim first.
    pub(super) fn rivals(&mut self) -> Option<(usize, usize)> {
        let victim = self.any_device();
        let rival = self.device_where(|belief, other| other != victim && belief.are_rivals(other, victim))?;
        Some((victim, rival))
    }

    /// The same, at sites of their own: a fault of one link leaves the other whole.
    pub(super) fn distant_rivals(&mut self) -> Option<(usize, usize)> {
        let victim = self.any_device();
        let site = self.hand(victim).site;
        let rival = self.device_where(|belief, other| {
            other != victim && belief.devices[other].site != site && belief.are_rivals(other, victim)
        })?;
        Some((victim, rival))
    }

    // ---- what can be done about it ----

    /// Mends whatever keeps the device from the server. It may then still be busy coming back.
    pub(super) fn bring(&mut self, device: usize) {
        self.mend_server();
        let site = self.hand(device).site;
        self.open(site);
        self.mend_disk(device);
        let name = self.hand(device).name.clone();
        if !self.hand(device).runs {
            self.fault(Fault::Start { device: name.clone() });
        }
        if self.hand(device).is_suspended {
            self.fault(Fault::Wake { device: name });
            self.settle();
        }
        if !self.hand(device).is_initialised {
            self.call(device, Call::Init);
        }
    }

    /// Mends the device's disk.
    pub(super) fn mend_disk(&mut self, device: usize) {
        if !self.hand(device).is_disk_well {
            let device = self.hand(device).name.clone();
            self.fault(Fault::DeviceMendDisk { device });
        }
    }

    /// Mends the site's link.
    pub(super) fn open(&mut self, site: usize) {
        let spot = &self.belief.sites[site];
        let (is_cut, is_held, name) = (spot.is_outbound_cut || spot.is_inbound_cut, spot.is_held, spot.name.clone());
        if is_cut {
            self.fault(Fault::Repair { site: name.clone() });
        }
        if is_held {
            self.fault(Fault::Release { site: name });
        }
    }

    /// Has the device logged in as the user, with its link up and everything said.
    pub(super) fn log_in(&mut self, device: usize, user: usize) {
        self.bring(device);
        if self.hand(device).account != Some(user) || !self.belief.is_in(device) {
            self.call(device, login(user, TicketChoice::Fresh { ttl: None }));
            self.settle();
        }
    }

    /// The same, with a ticket that lasts so many seconds. Says when the session ends with it.
    pub(super) fn log_in_for(&mut self, device: usize, user: usize, seconds: u64) -> Option<u64> {
        self.bring(device);
        let ttl = Some(Duration::from_secs(seconds));
        self.call(device, login(user, TicketChoice::Fresh { ttl }));
        let session = self.hand(device).session?;
        let expiry = self.belief.expiry(self.now, session);
        self.settle();
        Some(expiry)
    }

    /// A ticket of the user with a fault, ready to be used: without one, it expired before the start.
    pub(super) fn bad_ticket(&mut self, user: usize, forge: Option<Forge>) -> TicketName {
        let fault = forge.map_or("expired", Forge::word);
        let name: TicketName = format!("{fault}-{}", short_name(user)).parse().expect("the name of a ticket");
        self.tickets.entry(name.clone()).or_insert_with(|| TicketPlan {
            user: user_name(user).parse().expect("a user id"),
            issued: Offset(if forge.is_none() { -3_600 * SECOND as i64 } else { 0 }),
            ttl: if forge.is_none() { Duration::from_secs(60) } else { self.setup.app.ticket_ttl },
            forge,
        });
        name
    }

    /// A ticket of the user that is issued later than now, as by an application whose clock runs ahead.
    pub(super) fn future_ticket(&mut self, user: usize) -> TicketName {
        let name: TicketName =
            format!("future-{}-{}", short_name(user), self.tickets.len()).parse().expect("the name of a ticket");
        // In whole seconds, as tickets are issued.
        let ahead = (self.now / SECOND + self.draw.log_between(60, 3_600)) * SECOND;
        let ticket = TicketPlan {
            user: user_name(user).parse().expect("a user id"),
            issued: Offset(ahead as i64),
            ttl: self.setup.app.ticket_ttl,
            forge: None,
        };
        self.tickets.insert(name.clone(), ticket);
        name
    }

    // ---- long waits ----

    /// A long time passes. Who costs more than `share` hundredths of what is left is retired first.
    pub(super) fn rest_until(&mut self, at: u64, share: u64) {
        // Mostly what was begun is brought to its end before.
        if self.draw.chance(4, 5) {
            self.settle();
        }
        let span = at.saturating_sub(self.now);
        if !self.setup.is_soak {
            self.retire(span, share);
        }
        self.pass(at.saturating_sub(self.now));
    }

    fn retire(&mut self, span: u64, share: u64) {
        // What it commits next may be the last thing it does, and who starts it again is far away.
        let is_doomed = span > LONG && self.belief.may_lose_power;
        self.belief.is_server_up &= !is_doomed;
        let mut allowed = self.left() * 10 * share;
        let restless = |author: &Author| {
            let devices = 0..author.belief.devices.len();
            let mut costly: Vec<usize> = devices.filter(|&device| author.belief.is_restless(device)).collect();
            costly.retain(|&device| cost::of_activity(&author.belief, device, author.now, span) > 0);
            costly
        };
        let mut devices = restless(self);
        let is_cut = devices.iter().any(|&device| !self.belief.reaches(device));
        if is_cut && !is_doomed && self.draw.chance(2, 3) {
            self.mend();
            devices = restless(self);
        }
        while !devices.is_empty() {
            let device = devices.swap_remove(self.draw.below(devices.len() as u64) as usize);
            let cost = cost::of_activity(&self.belief, device, self.now, span);
            if cost <= allowed {
                allowed -= cost;
                continue;
            }
            self.put_away(device, span);
            let pause = self.draw.below(4) * 50 * MILLI;
            self.pass(pause);
        }
    }

    /// Has the device spend nothing from now on, for so long.
    fn put_away(&mut self, device: usize, span: u64) {
        let rate = |family| self.setup.families.rate(family);
        // Without a network a logout leaves an end that goes on costing.
        let (life, logout) = (rate(Family::Life), rate(Family::Logout));
        let (life, logout) = if self.belief.reaches(device) { (life, 1 + logout) } else { (1 + life, 0) };
        let weights = [rate(Family::Kill) * 2, rate(Family::Suspend) * 2, life, logout];
        let name = self.hand(device).name.clone();
        let is_armed = self.hand(device).armed > 0;
        match self.draw.weighted(&weights) {
            Some(0) => self.fault(Fault::Kill { device: name }),
            Some(1) => self.fault(Fault::Suspend { device: name }),
            Some(2) => self.call(device, Call::Uninit),
            // A listener may log in again.
            _ if is_armed => self.fault(Fault::Kill { device: name }),
            _ => {
                self.call(device, Call::Logout);
                if span > LONG {
                    // Whether there is a server to take it is but believed, and an end that is owed goes on costing.
                    let pause = self.draw.between(1, 20) * 100 * MILLI;
                    self.pass(pause);
                    self.call(device, Call::Uninit);
                }
            }
        }
    }

    /// That it goes on, its disk, then its process: nothing of it when the script is over.
    fn mend_server(&mut self) {
        for _ in 0..3 {
            if let Some(fault) = self.belief.mends_server() {
                self.fault(fault);
            }
        }
    }

    /// Mends everything that keeps devices from the server.
    pub(super) fn mend(&mut self) {
        self.mend_server();
        (0..self.belief.sites.len()).for_each(|site| self.open(site));
    }
}

/// What tickets call a user.
fn short_name(user: usize) -> &'static str {
    let name = user_name(user);
    name.split_once('-').map_or(name, |(first, _)| first)
}

/// A login of this user.
pub(super) fn login(user: usize, ticket: TicketChoice) -> Call {
    Call::Login { user: user_name(user).to_owned(), ticket }
}

/// A login of this user with a ticket made for it.
pub(super) fn fresh_login(user: usize) -> Call {
    login(user, TicketChoice::Fresh { ttl: None })
}
