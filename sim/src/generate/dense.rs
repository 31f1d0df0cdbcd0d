//! The dense profile: short scenarios in which connections, disks and processes break all the time.
//!
//! It is for the drivers, so for the packet world, which pays for every tick whether anything happens in it or not:
//! a seed lasts seconds, and its timers are shortened so that it comes to rest in seconds, too. What a seed has beside
//! that it draws as any other does.

use std::time::Duration;

use super::family::{Families, Family};
use super::{MILLI, SECOND, micros};
use crate::generate::draw::Draw;
use crate::scenario::{LimitOverrides, LimitValue, Pieces, Scenario, Site, Span};

/// The fewest and the most events a seed has to spend.
pub(super) const BUDGET: (u64, u64) = (150, 900);

/// The shortest and the longest time a seed lasts.
pub(super) const SPAN: (u64, u64) = (4 * SECOND, 40 * SECOND);

/// The most devices, sites and users: few, so that they meet, and each site is one more host to step.
pub(super) const DEVICES_MAX: u64 = 6;
pub(super) const SITES_MAX: usize = 2;
pub(super) const USERS_MAX: usize = 3;

/// The longest that nothing is meant to happen, in microseconds.
pub(super) const PAUSE_MAX: u64 = 3 * SECOND;

/// How many seconds a ticket lasts at most that is to run out soon.
pub(super) const LIFETIME_MAX: u64 = 8;

/// So many times faster than others its gambits are over, about, since their pauses are cut.
pub(super) const FASTER: u64 = 5;

/// What befalls drivers: what they read and write in, and themselves.
const OF_DRIVERS: [Family; 22] = [
    Family::Partition,
    Family::OneWay,
    Family::Hold,
    Family::Reset,
    Family::Crash,
    Family::Bounce,
    Family::PowerLoss,
    Family::CommitCut,
    Family::DiskError,
    Family::DiskFull,
    Family::SlowDisk,
    Family::Stop,
    Family::Standstill,
    Family::Kill,
    Family::Suspend,
    Family::DeviceDisk,
    Family::LateTimers,
    Family::Portal,
    Family::Move,
    Family::Clone,
    Family::Stranger,
    Family::NetworkChanged,
];

/// Disks, what dies while something waits for one, and what keeps it from being told: more than half of the seeds
/// have each.
const OF_DISKS: [Family; 6] =
    [Family::PowerLoss, Family::DiskError, Family::SlowDisk, Family::Kill, Family::DeviceDisk, Family::Partition];

/// What is asked of a driver while its disk is in trouble: two thirds of the seeds have each.
const ASKED: [Family; 2] = [Family::Send, Family::PolicyChange];

/// The gambits that are about drivers alone: half of the seeds begin with one. So much more often they are played later.
const GAMBITS: [&str; 5] = [
    "a record that cannot be written",
    "two troubles of one record",
    "a configuration while the disk is in trouble",
    "a death with messages owed to a new session",
    "a last word behind long texts",
];
const MORE_OFTEN: u64 = 4;

/// Whether the gambit is about drivers alone.
pub(super) fn is_of_drivers(gambit: &str) -> bool {
    GAMBITS.contains(&gambit)
}

/// How often a gambit is drawn beside the others, which are drawn at this rate.
pub(super) fn rate(gambit: &str, rate: u64) -> u64 {
    if is_of_drivers(gambit) { rate * MORE_OFTEN } else { rate }
}

/// What befalls clocks, which no driver minds.
const OF_CLOCKS: [Family; 3] = [Family::ServerSkew, Family::ServerDrift, Family::DeviceClock];

/// The families of a seed: some ten of those that befall drivers, often, and of the others what there is.
pub(super) fn families(draw: &mut Draw, families: &mut Families) {
    for family in OF_DRIVERS {
        let share = if OF_DISKS.contains(&family) { 60 } else { 40 };
        let (exists, rate) = (draw.chance(share, 100), draw.log_between(2, 12));
        families.set(family, if exists { rate } else { 0 });
    }
    for family in ASKED {
        let (exists, rate) = (draw.chance(2, 3), draw.log_between(1, 12));
        families.set(family, if exists { rate } else { 0 });
    }
    OF_CLOCKS.into_iter().for_each(|family| families.set(family, 0));
}

/// The network of a site: near; every other cuts what is sent into pieces, and every other takes but so much at once.
pub(super) fn site(draw: &mut Draw) -> Site {
    let min = draw.log_between(1, 40);
    let max = if draw.chance(1, 2) { min } else { draw.between(min, min * 3) };
    let latency = Span { min: micros(min * MILLI), max: micros(max * MILLI) };
    let (forgets, seconds) = (draw.chance(1, 8), draw.log_between(4, 40));
    let (cuts, fewest) = (draw.chance(1, 2), draw.log_between(1, 100) as u32);
    let most = draw.between(u64::from(fewest), u64::from(fewest) * 4) as u32;
    let segments = cuts.then_some(Pieces { min: fewest, max: most });
    let (is_narrow, bytes) = (draw.chance(1, 2), draw.log_between(16, 4_096) as u32);
    let window = is_narrow.then_some(bytes);
    Site { latency, forgets_idle: forgets.then(|| Duration::from_secs(seconds)), segments, window }
}

/// What decides how long somebody waits before they try, ask or give up, each with its shortest and longest value in
/// milliseconds. A way there and back takes 240 ms at most, unless a fault makes it longer. What a connection
/// waits for goes in a few bytes at a time where the site is narrow. What an end may take is more than a disk may, in
/// some seeds, and less in others.
const SHORTENED: [(&str, u64, u64); 17] = [
    ("login_timeout", 3_000, 10_000),
    ("request_timeout", 1_000, 6_000),
    ("connect_timeout", 2_000, 8_000),
    ("heartbeat", 2_000, 6_000),
    ("heartbeat_web", 2_000, 6_000),
    ("heartbeat_answer", 1_000, 3_000),
    ("backoff_first", 1, 250),
    ("backoff_min", 20, 250),
    ("backoff_max", 500, 2_000),
    ("backoff_max_web", 500, 2_000),
    ("backoff_reset", 500, 10_000),
    ("admission", 3_000, 10_000),
    ("kick_linger", 500, 3_000),
    ("return_after", 1, 1_000),
    ("return_spread_min", 1, 250),
    ("return_spread_max", 250, 1_000),
    ("heartbeat_min", 1_000, 2_000),
];

/// How soon a session without a link goes dormant, in milliseconds, in every other seed.
const DORMANT: (u64, u64) = (500, 10_000);

/// After how long one login more is accepted, at most.
const LOGINS_EVERY_MAX: Duration = Duration::from_secs(1);

/// Shortens what coming to rest waits for.
pub(super) fn limits(draw: &mut Draw, limits: &mut LimitOverrides) {
    for (key, low, high) in SHORTENED {
        let value = draw.log_between(low, high);
        assert!(limits.set(key, LimitValue::Time(micros(value * MILLI))), "{key} is a time");
    }
    // They keep to their own heartbeats, which are short enough.
    limits.told_heartbeat = None;
    // Who has to wait for a place among a user's logins waits for seconds.
    limits.logins_every = limits.logins_every.map(|every| every.min(LOGINS_EVERY_MAX));
    if draw.chance(1, 2) {
        let dormant = Some(micros(draw.log_between(DORMANT.0, DORMANT.1) * MILLI));
        (limits.dormant, limits.dormant_web) = (dormant, dormant);
    }
}

/// One seed in so many speaks TLS.
const SECURED_EVERY: u64 = 4;

/// The least that may be under way there: a handshake is some 2,000 bytes, and has its time.
const SECURED_WINDOW_MIN: u32 = 512;

/// Drawn last and by itself: what else a seed means does not depend on it.
pub(super) fn secure(scenario: &mut Scenario) {
    if !Draw::new(scenario.seed, "generate", "tls").chance(1, SECURED_EVERY) {
        return;
    }
    scenario.app.tls = true;
    for window in scenario.sites.values_mut().filter_map(|site| site.window.as_mut()) {
        *window = SECURED_WINDOW_MIN.max(*window);
    }
}

/// How far the packet world goes in one step: some 2,000 to 4,000 of them for the script.
pub(super) fn tick(span: u64) -> Duration {
    Duration::from_millis(match span / SECOND {
        0..=8 => 2,
        9..=20 => 5,
        _ => 10,
    })
}
