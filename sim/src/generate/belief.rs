//! What the generator believes of the run it is writing: which processes run, who is logged in
//! where, what is cut, what the server's clock shows.
//!
//! A belief, not a model: latencies, back-offs and races are not worked out, so that it is wrong at
//! times. It need only be right often enough for most steps to mean something. What the steps cost
//! is `cost`'s part.

use gatecrash::policy::{Platform, Seats};
use gatecrash::time::Instant;

use super::setup::Setup;
use super::{SECOND, whole_micros};
use crate::scenario::clock::WallClock;
use crate::scenario::numbers;
use crate::scenario::{
    Action, AppChange, Call, Clock, DeviceName, Direction, Fault, Init, Offset, SiteName, TicketChoice, Version,
};

/// How long an end takes to get through at most, slow disks and those that fail for a while included.
const END_TAKES_MAX: u64 = 10 * SECOND;

/// A device.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    pub(super) name: DeviceName,
    pub(super) platform: Platform,
    pub(super) site: usize,
    pub(super) init: Init,
    /// Its heartbeat and its longest back-off, in microseconds.
    pub(super) heartbeat: u64,
    pub(super) backoff_max: u64,
    pub(super) runs: bool,
    pub(super) is_initialised: bool,
    pub(super) is_suspended: bool,
    /// Whether its disk writes everything, and at once. One that does not keeps it from little: its record is mostly
    /// written before.
    pub(super) is_disk_well: bool,
    /// Whether its SDK was initialised at some time, and so wrote its record.
    pub(super) has_record: bool,
    /// As whom its SDK is logged in, or logging in.
    pub(super) account: Option<usize>,
    /// Until when its login waits for a link, if it does.
    pub(super) pending: Option<u64>,
    login_timeout: u64,
    /// What the server has of it.
    pub(super) session: Option<Session>,
    /// Whether it may be logged in, or come to be so by itself: more than is believed.
    pub(super) may_be_active: bool,
    /// Whether it owes the server an end, for which it connects by itself; killed and started again it does so still.
    pub(super) owes: bool,
    /// Whether it may owe one for all that is known: it has called for a login, and has had no time in peace since in
    /// which to bring an end home.
    may_owe: bool,
    /// When it logged out last: what cuts its link a moment later may have cut that off.
    left_at: Option<u64>,
    /// When the server noticed, or will notice, that its link is gone.
    pub(super) lost_at: Option<u64>,
    /// Since when it knows, or will know, that its link is gone, and tries again.
    pub(super) tries_from: Option<u64>,
    /// Whose ticket it used last, and that ticket's last second.
    pub(super) last_ticket: Option<(usize, u64)>,
    /// Logins that a listener will make.
    pub(super) armed: u32,
}

/// What the server has of a device that is logged in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) user: usize,
    /// The last second of its ticket.
    pub(super) until: u64,
    /// Its place among all logins.
    pub(super) order: u64,
}

/// A site.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) name: SiteName,
    /// One way, in microseconds.
    pub(super) latency: u64,
    pub(super) is_outbound_cut: bool,
    pub(super) is_inbound_cut: bool,
    pub(super) is_held: bool,
    pub(super) has_portal: bool,
}

impl Spot {
    pub(super) const fn is_open(&self) -> bool {
        !self.is_outbound_cut && !self.is_inbound_cut && !self.is_held
    }
}

/// Everything.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    pub(super) devices: Vec<Hand>,
    pub(super) sites: Vec<Spot>,
    pub(super) is_server_up: bool,
    /// Whether its process, if there is one, stands still.
    pub(super) is_server_suspended: bool,
    /// Whether the server's disk lets it work.
    pub(super) is_disk_well: bool,
    /// Whether its machine may yet lose its power: a loss that is due waits for a commit, through other losses and starts.
    pub(super) may_lose_power: bool,
    /// Whether somebody has given it that commit.
    has_committed: bool,
    /// Whether the server speaks the version that devices speak.
    pub(super) speaks_ours: bool,
    pub(super) clock: WallClock,
    ppm: i32,
    pub(super) seats: Seats,
    pub(super) reconnect_kicks: bool,
    pub(super) notify_offline_kick: bool,
    pub(super) accepts_old_key: bool,
    pub(super) silence: u64,
    pub(super) ttl: u64,
    logins: u64,
}

impl Belief {
    pub(super) fn new(setup: &Setup) -> Self {
        let told = numbers::server_limits(&setup.limits).heartbeat;
        let devices = setup.devices.iter().map(|(name, device)| {
            let limits = numbers::client_limits(&setup.limits, device.platform);
            Hand {
                name: name.clone(),
                platform: device.platform,
                site: setup.sites.iter().position(|(site, _)| *site == device.site).expect("its site exists"),
                init: device.init,
                heartbeat: whole_micros(told.map_or(limits.heartbeat, |told| told.min(limits.heartbeat))),
                backoff_max: whole_micros(limits.backoff_max),
                runs: true,
                is_initialised: device.init == Init::Auto,
                is_suspended: false,
                is_disk_well: true,
                has_record: device.init == Init::Auto,
                account: None,
                pending: None,
                login_timeout: whole_micros(limits.login_timeout),
                session: None,
                may_be_active: false,
                owes: false,
                may_owe: false,
                left_at: None,
                lost_at: None,
                tries_from: None,
                last_ticket: None,
                armed: 0,
            }
        });
        let sites = setup.sites.iter().map(|(name, site)| Spot {
            name: name.clone(),
            latency: whole_micros(site.latency.min),
            is_outbound_cut: false,
            is_inbound_cut: false,
            is_held: false,
            has_portal: false,
        });
        Belief {
            devices: devices.collect(),
            sites: sites.collect(),
            is_server_up: true,
            is_server_suspended: false,
            is_disk_well: true,
            may_lose_power: false,
            has_committed: false,
            speaks_ours: true,
            clock: WallClock::new(setup.app.start, Offset(0)),
            ppm: 0,
            seats: setup.app.seats,
            reconnect_kicks: setup.app.reconnect_kicks,
            notify_offline_kick: setup.app.notify_offline_kick,
            accepts_old_key: true,
            silence: whole_micros(numbers::server_limits(&setup.limits).silence),
            ttl: setup.app.ticket_ttl.as_secs(),
            logins: 0,
        }
    }

    /// The server's wall clock, in microseconds since 1970.
    pub(super) fn wall(&self, now: u64) -> u64 {
        self.clock.at(Instant::from_micros(now)).as_micros()
    }

    /// When the server's wall clock will show this, if it is left alone.
    pub(super) fn when(&self, now: u64, wall: u64) -> u64 {
        let ahead = i128::from(wall) - i128::from(self.wall(now));
        let ahead = ahead * 1_000_000 / (1_000_000 + i128::from(self.ppm)).max(1);
        u64::try_from((i128::from(now) + ahead).max(0)).unwrap_or(u64::MAX)
    }

    /// When a session ends with its ticket.
    pub(super) fn expiry(&self, now: u64, session: Session) -> u64 {
        self.when(now, (session.until + 1) * SECOND)
    }

    pub(super) fn device(&self, name: &DeviceName) -> usize {
        self.devices.iter().position(|device| device.name == *name).expect("a step's device exists")
    }

    fn site(&self, name: &SiteName) -> usize {
        self.sites.iter().position(|site| site.name == *name).expect("a step's site exists")
    }

    /// Whether the device's SDK works.
    pub(super) fn works(&self, device: usize) -> bool {
        let hand = &self.devices[device];
        hand.runs && hand.is_initialised && !hand.is_suspended
    }

    /// What has to be done before the server can let anybody in.
    pub(super) fn mends_server(&self) -> Option<Fault> {
        if self.is_server_suspended {
            Some(Fault::WakeServer)
        } else if !self.is_disk_well {
            Some(Fault::MendDisk)
        } else if !self.is_server_up {
            Some(Fault::StartServer)
        } else if !self.speaks_ours {
            Some(Fault::UpgradeServer { version: Version(1) })
        } else {
            None
        }
    }

    /// Whether what the device sends is answered.
    pub(super) fn reaches(&self, device: usize) -> bool {
        self.works(device) && self.mends_server().is_none() && self.sites[self.devices[device].site].is_open()
    }

    /// Whether the device is logged in, as far as it and the server know.
    pub(super) fn is_in(&self, device: usize) -> bool {
        self.devices[device].account.is_some() && self.devices[device].session.is_some()
    }

    /// Whether the device spends events while nothing happens.
    pub(super) fn is_restless(&self, device: usize) -> bool {
        let hand = &self.devices[device];
        self.works(device) && (hand.may_be_active || hand.owes || hand.may_owe && !self.reaches(device))
    }

    /// Whether a login on one displaces the other's session, numbers above one left aside.
    pub(super) fn are_rivals(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.devices[one].platform, self.devices[other].platform);
        numbers::is_one_group(self.seats.policy(), one, other) && (one != other || self.seats.instances_max(one) == 1)
    }

    /// Time has come this far: tickets expire.
    pub(super) fn passed(&mut self, now: u64) {
        let second = self.wall(now) / SECOND;
        for device in 0..self.devices.len() {
            let hand = &mut self.devices[device];
            if hand.pending.is_some_and(|until| now >= until) && !hand.is_suspended {
                (hand.account, hand.pending) = (None, None);
                // What went out without an answer is to be ended.
                hand.owes |= !self.sites[hand.site].is_outbound_cut;
            }
            if hand.session.is_some_and(|session| second > session.until) {
                self.end(device);
            }
        }
    }

    /// So much time has passed with everything as it was: what was owed has come home where there was a way.
    pub(super) fn rested(&mut self, span: u64) {
        for device in 0..self.devices.len() {
            let reaches = self.reaches(device);
            let hand = &mut self.devices[device];
            let is_out = hand.account.is_none() && hand.pending.is_none();
            if reaches && is_out && !hand.may_be_active && span > 2 * hand.backoff_max + END_TAKES_MAX {
                (hand.owes, hand.may_owe) = (false, false);
            }
        }
    }

    /// The session is over; its device is told if it can be.
    fn end(&mut self, device: usize) {
        self.devices[device].session = None;
        if self.reaches(device) {
            self.devices[device].account = None;
        }
    }

    pub(super) fn believe(&mut self, now: u64, action: &Action) {
        match action {
            Action::Call { device, call } => self.call(now, self.device(device), call),
            Action::On { device, call, .. } => {
                let device = self.device(device);
                if matches!(call, Call::Login { .. }) && self.devices[device].runs {
                    self.devices[device].armed += 1;
                    (self.devices[device].may_be_active, self.devices[device].may_owe) = (true, true);
                }
            }
            Action::Raw { .. } => {}
            Action::Fault(fault) => self.fault(now, fault),
            Action::App(change) => self.change(change),
        }
    }

    fn call(&mut self, now: u64, device: usize, call: &Call) {
        let reaches = self.reaches(device);
        let hand = &mut self.devices[device];
        if !hand.runs {
            return;
        }
        match call {
            Call::Init => (hand.is_initialised, hand.has_record) = (true, true),
            Call::Uninit => {
                (hand.is_initialised, hand.account, hand.pending) = (false, None, None);
                hand.may_be_active = false;
                hand.lost_at = Some(now);
            }
            Call::Login { user, ticket } => self.login(now, device, user, ticket),
            Call::Logout => {
                hand.owes |= hand.account.is_some() && !(reaches && hand.is_disk_well);
                hand.left_at = hand.account.is_some().then_some(now);
                hand.tries_from = hand.tries_from.or(Some(now)).filter(|_| hand.owes);
                (hand.account, hand.session, hand.lost_at) = (None, None, None);
                hand.pending = None;
                hand.may_be_active = hand.is_suspended || hand.armed > 0 && hand.may_be_active;
            }
            Call::Kick { user } => {
                if reaches {
                    self.kick(user);
                }
            }
            Call::Send { .. } | Call::Conversations | Call::Query { .. } | Call::NetworkChanged => {}
        }
    }

    fn kick(&mut self, user: &str) {
        for device in 0..self.devices.len() {
            let is_theirs = |session: Session| super::setup::user_name(session.user) == user;
            if self.devices[device].session.is_some_and(is_theirs) {
                self.end(device);
            }
        }
    }

    fn login(&mut self, now: u64, device: usize, user: &str, ticket: &TicketChoice) {
        let second = self.wall(now) / SECOND;
        let reaches = self.reaches(device);
        let hand = &mut self.devices[device];
        if !hand.is_initialised || hand.pending.is_some() {
            return;
        }
        (hand.may_be_active, hand.may_owe) = (true, true);
        self.has_committed |= self.sites[hand.site].is_open();
        let Some(user) = super::setup::user_index(user) else { return };
        let until = match ticket {
            TicketChoice::Fresh { ttl } => {
                let until = second + ttl.map_or(self.ttl, |ttl| ttl.as_secs());
                hand.last_ticket = Some((user, until));
                Some(until)
            }
            // Tables hold what is refused, mostly.
            TicketChoice::Named(_) => {
                hand.last_ticket = None;
                None
            }
            TicketChoice::Last => hand.last_ticket.filter(|last| last.0 == user).map(|last| last.1),
        };
        let until = until.filter(|&until| second <= until);
        if hand.account == Some(user) {
            // A renewal.
            if let (Some(session), Some(until), true) = (&mut hand.session, until, reaches) {
                session.until = until;
            }
            return;
        }
        hand.owes |= hand.account.is_some() && !reaches;
        (hand.account, hand.session) = (None, None);
        let Some(until) = until else { return };
        hand.account = Some(user);
        if reaches {
            self.accept(device, user, until);
        } else {
            hand.pending = Some(now + hand.login_timeout);
            hand.tries_from = hand.tries_from.or(Some(now));
        }
    }

    fn accept(&mut self, device: usize, user: usize, until: u64) {
        self.logins += 1;
        let order = self.logins;
        self.devices[device].session = Some(Session { user, until, order });
        self.devices[device].lost_at = None;
        let platform = self.devices[device].platform;
        let mut same: Vec<(u64, usize)> = Vec::new();
        for other in 0..self.devices.len() {
            let Some(session) = self.devices[other].session.filter(|session| session.user == user) else { continue };
            if self.devices[other].platform == platform {
                same.push((session.order, other));
            } else if numbers::is_one_group(self.seats.policy(), self.devices[other].platform, platform) {
                self.end(other);
            }
        }
        same.sort_unstable();
        let excess = same.len().saturating_sub(self.seats.instances_max(platform));
        same[..excess].iter().for_each(|&(_, other)| self.end(other));
    }

    fn fault(&mut self, now: u64, fault: &Fault) {
        match fault {
            Fault::Partition { site, direction } => {
                let site = self.site(site);
                self.sites[site].is_outbound_cut |= *direction != Direction::Inbound;
                self.sites[site].is_inbound_cut |= *direction != Direction::Outbound;
                self.lose(site, now, false);
            }
            Fault::Portal { site } => {
                let site = self.site(site);
                (self.sites[site].is_outbound_cut, self.sites[site].is_inbound_cut) = (true, true);
                self.sites[site].has_portal = true;
                self.lose(site, now, false);
            }
            Fault::Move { device, site } => {
                let (device, site) = (self.device(device), self.site(site));
                let notice = self.devices[device].heartbeat / 2;
                let hand = &mut self.devices[device];
                hand.site = site;
                if hand.session.is_some() {
                    hand.tries_from = hand.tries_from.or(Some(now + notice));
                }
            }
            Fault::Repair { site } => {
                let site = self.site(site);
                (self.sites[site].is_outbound_cut, self.sites[site].is_inbound_cut) = (false, false);
                self.sites[site].has_portal = false;
                self.come_back(now, |belief, device| belief.devices[device].site == site);
            }
            Fault::Hold { site } => {
                let site = self.site(site);
                self.sites[site].is_held = true;
                self.lose(site, now, false);
            }
            Fault::Release { site } => {
                let site = self.site(site);
                self.sites[site].is_held = false;
                self.come_back(now, |belief, device| belief.devices[device].site == site);
            }
            Fault::Latency { site, latency } => {
                let site = self.site(site);
                self.sites[site].latency = whole_micros(latency.min);
            }
            Fault::SuspendServer => {
                self.is_server_suspended = self.is_server_up;
                (0..self.sites.len()).for_each(|site| self.lose(site, now, false));
            }
            Fault::WakeServer => {
                self.is_server_suspended = false;
                self.come_back(now, |_, _| true);
            }
            // Power that is to go is gone before long.
            Fault::CrashServer
            | Fault::StopServer
            | Fault::PowerLossServer
            | Fault::PowerLossAt { .. }
            | Fault::PowerLossInDisk { .. } => {
                self.is_server_up = false;
                if matches!(fault, Fault::PowerLossAt { .. } | Fault::PowerLossInDisk { .. }) {
                    (self.may_lose_power, self.has_committed) = (true, false);
                }
                // Whatever else is to end one that stands still does when it goes on.
                self.is_server_suspended &= !matches!(fault, Fault::CrashServer | Fault::PowerLossServer);
                (0..self.sites.len()).for_each(|site| self.lose(site, now, true));
            }
            Fault::DiskError { .. } | Fault::DiskFull { .. } => {
                self.is_disk_well = false;
                (0..self.sites.len()).for_each(|site| self.lose(site, now, true));
            }
            // It is back before long.
            Fault::BounceServer { .. } | Fault::StartServer => {
                self.is_server_up = true;
                self.may_lose_power &= !self.has_committed;
                self.is_server_suspended &= matches!(fault, Fault::StartServer);
                self.come_back(now, |_, _| true);
            }
            Fault::UpgradeServer { version } => {
                (self.is_server_up, self.speaks_ours) = (true, *version == Version(1));
                self.come_back(now, |_, _| true);
            }
            Fault::MendDisk => {
                self.is_disk_well = true;
                self.come_back(now, |_, _| true);
            }
            Fault::Reset { device } => {
                let device = self.device(device);
                if !self.reaches(device) {
                    self.devices[device].tries_from = Some(now);
                }
            }
            Fault::Kill { device } => {
                let device = self.device(device);
                let hand = &mut self.devices[device];
                (hand.runs, hand.is_initialised, hand.is_suspended) = (false, false, false);
                (hand.account, hand.pending, hand.may_be_active, hand.armed) = (None, None, false, 0);
                hand.lost_at = hand.lost_at.or(Some(now));
            }
            Fault::Start { device } => {
                let device = self.device(device);
                let hand = &mut self.devices[device];
                if !hand.runs {
                    (hand.runs, hand.is_initialised) = (true, hand.init == Init::Auto);
                }
            }
            Fault::Suspend { device } => {
                let (device, noticed) = (self.device(device), now + self.silence);
                let hand = &mut self.devices[device];
                if hand.runs {
                    hand.is_suspended = true;
                    hand.lost_at = hand.lost_at.or(Some(noticed));
                }
            }
            Fault::Wake { device } => {
                let device = self.device(device);
                self.devices[device].is_suspended = false;
                self.come_back(now, |_, other| other == device);
            }
            Fault::Skew { clock: Clock::Server, by } => self.clock.skew(Instant::from_micros(now), *by),
            Fault::Drift { clock: Clock::Server, ppm } => {
                self.clock.drift(Instant::from_micros(now), *ppm);
                self.ppm = *ppm;
            }
            // Its caches keep nobody from anything.
            Fault::Wipe { device } | Fault::DamageRecord { device } => {
                let device = self.device(device);
                let hand = &mut self.devices[device];
                (hand.session, hand.owes, hand.may_owe) = (None, false, false);
            }
            // Who logs in there first takes the session over: the other learns of it.
            Fault::Clone { device, onto } => {
                let (device, onto) = (self.device(device), self.device(onto));
                let (owes, has_record) = (self.devices[device].owes, self.devices[device].has_record);
                let hand = &mut self.devices[onto];
                (hand.session, hand.owes, hand.has_record) = (None, owes, has_record);
            }
            Fault::DeviceDiskError { device, .. }
            | Fault::DeviceDiskFull { device, .. }
            | Fault::DeviceSlowDisk { device, .. } => {
                let device = self.device(device);
                self.devices[device].is_disk_well = false;
            }
            Fault::DeviceMendDisk { device } => {
                let device = self.device(device);
                self.devices[device].is_disk_well = true;
                self.come_back(now, |_, other| other == device);
            }
            // Devices' clocks and a slow disk keep nobody from anything. Of what no seed draws nothing is believed.
            _ => {}
        }
        self.passed(now);
    }

    /// What is cut is noticed late at both ends, what dies at once.
    fn lose(&mut self, site: usize, now: u64, is_dead: bool) {
        let silence = if is_dead { 0 } else { self.silence };
        for hand in &mut self.devices {
            if hand.site == site && hand.left_at.is_some_and(|at| now <= at + END_TAKES_MAX) {
                (hand.owes, hand.tries_from) = (true, hand.tries_from.or(Some(now)));
            }
            if hand.site == site && hand.session.is_some() {
                hand.lost_at = hand.lost_at.or(Some(now + silence));
                let notice = if is_dead { 0 } else { hand.heartbeat / 2 };
                hand.tries_from = hand.tries_from.or(Some(now + notice));
            }
        }
    }

    /// These devices hear what became of their sessions, and make the logins that waited.
    fn come_back(&mut self, now: u64, is_one: impl Fn(&Belief, usize) -> bool) {
        let second = self.wall(now) / SECOND;
        for device in 0..self.devices.len() {
            if !is_one(self, device) || !self.reaches(device) {
                continue;
            }
            let hand = &mut self.devices[device];
            (hand.tries_from, hand.owes) = (None, false);
            let waited = hand.pending.take();
            match (hand.account, hand.session) {
                (Some(user), None) if waited.is_some() => {
                    let until = hand.last_ticket.map_or(second, |last| last.1);
                    self.accept(device, user, until);
                }
                (Some(_), Some(_)) => hand.lost_at = None,
                (Some(user), None) => match hand.last_ticket {
                    Some((owner, until)) if owner == user && second <= until && self.reconnect_kicks => {
                        self.accept(device, user, until);
                    }
                    _ => hand.account = None,
                },
                (None, _) => {}
            }
        }
    }

    fn change(&mut self, change: &AppChange) {
        if let Ok(seats) = change.seats_after(self.seats) {
            self.seats = seats;
        }
        match change {
            AppChange::ReconnectKicks(on) => self.reconnect_kicks = *on,
            AppChange::NotifyOfflineKick(on) => self.notify_offline_kick = *on,
            AppChange::DropOldKey => self.accepts_old_key = false,
            AppChange::Policy(_) | AppChange::MaxInstances { .. } | AppChange::Administrators(_) => {}
        }
    }
}
