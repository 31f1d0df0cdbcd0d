//! What a seed draws before anything happens: how much there is to spend, the app, places, devices.
//!
//! Each part has a stream of its own, so that a change in one leaves the others as they were. Draws
//! no step: `plan` does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::id::UserId;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::time::WallTime;

use super::dense;
use super::family::{Families, Family};
use super::{DAY, MILLI, MINUTE, Profile, SECOND, Seed, micros};
use crate::generate::draw::Draw;
use crate::scenario::config;
use crate::scenario::{
    App, Device, DeviceName, Init, LimitOverrides, LimitValue, Offset, Pieces, Site, SiteName, Span,
    TICKET_TTL_DEFAULT, Vocabulary,
};

/// The fewest and the most events a seed has to spend.
const BUDGET: (u64, u64) = (100, 10_000);

/// The shortest and the longest time a seed lasts.
const SPAN: (u64, u64) = (MINUTE, 200 * DAY);

/// The same where power is lost: the packet world pays for every millisecond.
const BUDGET_POWER_LOSS: (u64, u64) = (100, 1_500);
const SPAN_POWER_LOSS: (u64, u64) = (MINUTE, 9 * MINUTE);

/// Events that each further device needs of the budget before it is worth having.
const BUDGET_PER_DEVICE: u64 = 110;

/// The users, in the order in which seeds have them. The name of the last is as long as one may be (LOGIN-2).
pub(super) const USERS: [&str; 4] = ["alice", "bob", "carol", "dave-who-comes-late-to-every-one"];

/// The sites, in the order in which seeds have them.
const SITES: [&str; 4] = ["home", "office", "cafe", "train"];

/// A day that begins at midnight, in seconds since 1970: seeds start around it.
const MIDNIGHT: u64 = 19_700 * 86_400;

/// All that is decided before the first step.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) is_soak: bool,
    pub(super) profile: Profile,
    /// How many events the seed may spend.
    pub(super) budget: u64,
    /// How long it lasts, in microseconds.
    pub(super) span: u64,
    pub(super) families: Families,
    pub(super) app: App,
    pub(super) limits: LimitOverrides,
    pub(super) users: Vec<UserId>,
    pub(super) sites: Vec<(SiteName, Site)>,
    pub(super) devices: Vec<(DeviceName, Device)>,
    /// The words that may be used, where not all may.
    pub(super) vocabulary: Option<Vocabulary>,
}

impl Setup {
    pub(super) fn draw(seed: Seed, is_soak: bool) -> Self {
        let stream = |purpose| Draw::new(seed.number, "generate", purpose);
        let mut size = stream("size");
        let (budgets, spans) = match seed.profile {
            Profile::Swarm => (BUDGET, SPAN),
            Profile::PowerLoss => (BUDGET_POWER_LOSS, SPAN_POWER_LOSS),
            Profile::Dense => (dense::BUDGET, dense::SPAN),
        };
        let budget = size.log_between(budgets.0, budgets.1);
        let span = size.log_between(spans.0 / SECOND, spans.1 / SECOND) * SECOND;
        let mut families = Families::draw(&mut stream("families"));
        match seed.profile {
            Profile::Swarm => {}
            Profile::PowerLoss => families.insist_on(&[Family::PowerLoss, Family::CommitCut, Family::DiskError]),
            Profile::Dense => dense::families(&mut stream("dense families"), &mut families),
        }
        let is_dense = seed.profile == Profile::Dense;
        let users: Vec<UserId> = {
            let count = stream("users").between(1, USERS.len() as u64) as usize;
            let count = if is_dense { count.min(dense::USERS_MAX) } else { count };
            USERS[..count].iter().map(|name| name.parse().expect("a user id")).collect()
        };
        let app = draw_app(&mut stream("app"), &users, span, &families);
        let sites = match seed.profile {
            Profile::Swarm | Profile::PowerLoss => draw_sites(&mut stream("sites"), &mut stream("ways")),
            Profile::Dense => draw_dense_sites(&mut stream("sites")),
        };
        let devices_max = (2 + budget / BUDGET_PER_DEVICE).min(if is_dense { dense::DEVICES_MAX } else { 12 });
        let devices = draw_devices(&mut stream("devices"), devices_max, &sites, &families);
        let mut limits = draw_limits(&mut stream("limits"));
        draw_bounds(&mut limits, &mut stream("bounds"));
        if is_dense {
            dense::limits(&mut stream("dense limits"), &mut limits);
        }
        config::leave_room_for_heartbeats(&mut limits);
        let vocabulary = None;
        Setup { is_soak, profile: seed.profile, budget, span, families, app, limits, users, sites, devices, vocabulary }
    }
}

fn draw_app(draw: &mut Draw, users: &[UserId], span: u64, families: &Families) -> App {
    let policy = *draw.pick(&Policy::ALL);
    let mut numbers = BTreeMap::new();
    for platform in Platform::ALL {
        let (several, most) = (draw.chance(1, 2), if platform == Platform::Web { 10 } else { 3 });
        let number = draw.log_between(1, most);
        if several && (platform == Platform::Web || policy == Policy::Multi) {
            numbers.insert(platform, number as u32);
        }
    }
    let mut administrators: BTreeSet<UserId> = users.iter().filter(|_| draw.chance(1, 3)).copied().collect();
    if families.has(Family::AdminKick) && administrators.is_empty() {
        administrators.insert(*draw.pick(users));
    }
    App {
        seats: Seats::new(policy, &numbers).expect("within the ranges"),
        administrators,
        reconnect_kicks: draw.chance(1, 4),
        notify_offline_kick: draw.chance(1, 3),
        start: draw_start(draw),
        ticket_ttl: draw_ttl(draw, span),
        commit_latency: draw_commit_latency(draw),
        ..App::default()
    }
}

/// Half of all seeds start shortly before a midnight.
fn draw_start(draw: &mut Draw) -> WallTime {
    let before = if draw.chance(1, 2) { draw.log_between(1, 86_400) } else { draw.below(86_400) };
    WallTime::from_seconds(MIDNIGHT - before)
}

fn draw_ttl(draw: &mut Draw, span: u64) -> Duration {
    let span = span / SECOND;
    let seconds = match draw.below(4) {
        0 => TICKET_TTL_DEFAULT.as_secs(),
        1 => draw.log_between(10, 180 * DAY / SECOND),
        2 => draw.log_between((span / 16).max(5), span * 2),
        _ => draw.log_between(span, span * 8),
    };
    Duration::from_secs(seconds)
}

fn draw_commit_latency(draw: &mut Draw) -> Span {
    let at_least = |draw: &mut Draw, low, high| {
        let min = draw.log_between(low, high);
        let max = if draw.chance(1, 2) { min } else { draw.log_between(min, high * 2) };
        Span { min: micros(min * MILLI), max: micros(max * MILLI) }
    };
    match draw.below(8) {
        0..=2 => Span::exactly(micros(MILLI)),
        3 => Span::exactly(Duration::ZERO),
        4 => Span { min: Duration::ZERO, max: micros(draw.log_between(1, 20) * MILLI) },
        5..=6 => at_least(draw, 2, 40),
        _ => at_least(draw, 40, 150),
    }
}

fn draw_sites(draw: &mut Draw, ways: &mut Draw) -> Vec<(SiteName, Site)> {
    let count = draw.between(1, SITES.len() as u64) as usize;
    let sites = SITES[..count].iter().map(|name| {
        let latency = draw_latency(draw);
        let (forgets_idle, segments) = draw_way(ways);
        (name.parse().expect("the name of a site"), Site { latency, forgets_idle, segments, window: None })
    });
    sites.collect()
}

fn draw_dense_sites(draw: &mut Draw) -> Vec<(SiteName, Site)> {
    let count = draw.between(1, dense::SITES_MAX as u64) as usize;
    SITES[..count].iter().map(|name| (name.parse().expect("the name of a site"), dense::site(draw))).collect()
}

/// What the network of a site does to connections: mostly nothing.
fn draw_way(draw: &mut Draw) -> (Option<Duration>, Option<Pieces>) {
    let (forgets, seconds) = (draw.chance(1, 8), draw.log_between(10, 400));
    let (cuts, min) = (draw.chance(1, 8), draw.log_between(1, 100) as u32);
    let max = draw.between(u64::from(min), u64::from(min) * 4) as u32;
    (forgets.then(|| Duration::from_secs(seconds)), cuts.then_some(Pieces { min, max }))
}

/// One way.
pub(super) fn draw_latency(draw: &mut Draw) -> Span {
    let min = draw.log_between(1, 200);
    let max = if draw.chance(1, 2) { min } else { draw.between(min, min * 3) };
    Span { min: micros(min * MILLI), max: micros(max * MILLI) }
}

pub(super) fn draw_devices(
    draw: &mut Draw,
    devices_max: u64,
    sites: &[(SiteName, Site)],
    families: &Families,
) -> Vec<(DeviceName, Device)> {
    let count = draw.between(2, devices_max);
    // Few platforms make rivals: a seed has a handful of them.
    let platforms: Vec<Platform> = (0..draw.between(1, 4)).map(|_| *draw.pick(&Platform::ALL)).collect();
    let mut numbers = BTreeMap::new();
    let devices = (0..count).map(|_| {
        let platform = *draw.pick(&platforms);
        let word = match platform {
            Platform::Android | Platform::Ios => "phone",
            Platform::Ipad => "pad",
            Platform::Windows | Platform::Mac | Platform::Linux => "desk",
            Platform::Web => "page",
        };
        let number: &mut u32 = numbers.entry(word).or_default();
        *number += 1;
        let is_manual = draw.chance(1, 8) && families.has(Family::Life);
        let is_off = draw.chance(1, 4) && families.has(Family::DeviceClock);
        let offset = draw.log_between(1, DAY / SECOND) as i64 * SECOND as i64;
        let wall_offset = match (is_off, draw.chance(1, 2)) {
            (false, _) => Offset::default(),
            (true, true) => Offset(offset),
            (true, false) => Offset(-offset),
        };
        let device = Device {
            platform,
            site: draw.pick(sites).0.clone(),
            init: if is_manual { Init::Manual } else { Init::Auto },
            wall_offset,
        };
        (format!("{word}-{number}").parse().expect("the name of a device"), device)
    });
    devices.collect()
}

/// Limits that seeds shorten, each with its shortest and longest value in milliseconds. A way there
/// and back takes up to 2 s, slow disks and changed latencies included: what waits for an answer
/// waits for longer.
const SHORTENED: [(&str, u64, u64); 25] = [
    ("login_timeout", 4_000, 60_000),
    ("request_timeout", 3_000, 30_000),
    ("connect_timeout", 4_000, 20_000),
    ("heartbeat", 5_000, 200_000),
    ("heartbeat_web", 4_000, 80_000),
    ("heartbeat_answer", 3_000, 20_000),
    ("backoff_first", 1, 2_000),
    ("backoff_min", 20, 2_000),
    ("backoff_max", 2_000, 90_000),
    ("backoff_max_web", 1_000, 30_000),
    ("backoff_reset", 500, 60_000),
    ("silence", 5_000, 500_000),
    ("silence_web", 5_000, 120_000),
    ("dormant", 1_000, 500_000),
    ("dormant_web", 1_000, 120_000),
    ("admission", 5_000, 60_000),
    ("kick_linger", 500, 20_000),
    ("refusals_window", 2_000, 90_000),
    ("refusals_lock", 1_000, 90_000),
    ("return_after", 1, 20_000),
    ("return_spread_min", 1, 2_000),
    ("return_spread_max", 100, 30_000),
    ("heartbeat_min", 3_000, 60_000),
    ("heartbeat_recovery", 20_000, 7_200_000),
    ("told_heartbeat", 3_000, 200_000),
];

/// Mostly the rules' own values.
fn draw_limits(draw: &mut Draw) -> LimitOverrides {
    let mut limits = LimitOverrides::default();
    let share = *draw.pick(&[0, 0, 0, 15, 40]);
    for (key, low, high) in SHORTENED {
        let (is_set, value) = (draw.chance(share, 100), draw.log_between(low, high));
        if is_set {
            assert!(limits.set(key, LimitValue::Time(micros(value * MILLI))), "{key} is a time");
        }
    }
    if draw.chance(share, 100) {
        limits.push_online = Some(micros(draw.log_between(2 * SECOND, 7 * DAY) / MILLI * MILLI));
    }
    if draw.chance(share, 100) {
        limits.refusals_max = Some(draw.between(1, 12) as u32);
    }
    if draw.chance(share, 100) {
        limits.sent_max = Some(draw.between(1, 6) as u32);
    }
    if draw.chance(share, 100) {
        limits.owed_max = Some(draw.log_between(1, 20) as u32);
    }
    if draw.chance(share, 100) {
        limits.owed_bytes_max = Some(draw.log_between(10, 20_000) as u32);
    }
    if draw.chance(share, 100) {
        limits.backoff_spread_percent = Some(draw.below(101) as u32);
    }
    if draw.chance(1, 4) {
        limits.capacity = Some(draw.log_between(1, 30) as u32);
    }
    if draw.chance(1, 6) {
        limits.logins_max = Some(draw.log_between(1, 20) as u32);
        limits.logins_every = Some(micros(draw.log_between(10, 60_000) * MILLI));
    }
    if draw.chance(1, 2) {
        limits.returns_per_second = Some(draw.log_between(1, 20) as u32);
    }
    if draw.chance(share, 100) {
        limits.remembered = Some(micros(draw.log_between(SECOND, 30 * DAY)));
    }
    if draw.chance(share, 100) {
        limits.remembered_max = Some(draw.between(1, 3) as u32);
    }
    limits
}

/// Bounds that no seed reaches as they are, made so small that a few devices do.
fn draw_bounds(limits: &mut LimitOverrides, draw: &mut Draw) {
    if draw.chance(1, 8) {
        limits.records_max = Some(draw.between(1, 4) as u32);
        // A record of refused tickets shows by its lock.
        limits.refusals_max = Some(draw.between(1, 3) as u32);
        // And one of logins by the next being too many.
        if draw.chance(1, 2) {
            limits.logins_max = Some(draw.between(1, 3) as u32);
            limits.logins_every = Some(micros(draw.log_between(1_000, 60_000) * MILLI));
        }
    }
    if draw.chance(1, 8) {
        limits.conversations_max = Some(draw.between(1, 3) as u32);
    }
    if draw.chance(1, 6) {
        limits.owed_max = Some(draw.log_between(1, 8) as u32);
    }
    if draw.chance(1, 6) {
        limits.owed_bytes_max = Some(draw.log_between(10, 2_000) as u32);
    }
    if draw.chance(1, 8) {
        limits.sent_max = Some(draw.between(1, 4) as u32);
    }
}

/// The name of a user.
pub(super) fn user_name(user: usize) -> &'static str {
    USERS[user]
}

/// Which user a call names, if it is one.
pub(super) fn user_index(name: &str) -> Option<usize> {
    USERS.iter().position(|user| *user == name)
}
