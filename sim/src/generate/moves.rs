//! Single steps: one of a family that the seed has, at somebody to whom it means something, mostly.

use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::policy::{Platform, Policy};

use super::author::{Author, fresh_login, login};
use super::belief::Belief;
use super::family::Family;
use super::setup::{draw_latency, user_name};
use super::{DAY, MILLI, SECOND, micros};
use crate::scenario::numbers::{PREVIEW_MAX, QUERY_MAX, TEXT_MAX};
use crate::scenario::{
    Action, AppChange, Call, Clock, CommitPoint, Conduct, Direction, Fault, Forge, ListenerEvent, Offset, Span, Text,
    TicketChoice, Version,
};

/// How often a plain login is drawn beside the families.
const LOGINS: u64 = 14;

/// How often something broken is mended beside the families, for each thing that is broken.
const MENDING: u64 = 3;

/// One in so many steps asks nobody whether it means anything.
const THOUGHTLESS: u64 = 14;

/// One step, now. Now and then none, when nothing fits.
pub(super) fn one(author: &mut Author) {
    if let Some(action) = drawn(author) {
        author.act(action);
    }
}

/// What a single step would be.
pub(super) fn drawn(author: &mut Author) -> Option<Action> {
    let mut weights: Vec<u64> = Family::ALL.iter().map(|family| author.setup.families.rate(*family)).collect();
    weights.push(LOGINS);
    weights.push(broken(&author.belief) * MENDING);
    let drawn = author.draw.weighted(&weights)?;
    match Family::ALL.get(drawn) {
        Some(family) if family.is_fault() => fault(author, *family).map(Action::Fault),
        Some(family) => of_family(author, *family),
        None if drawn == Family::ALL.len() => plain_login(author),
        None => mended(author),
    }
}

/// How much is broken.
fn broken(belief: &Belief) -> u64 {
    let sites = belief.sites.iter().filter(|site| !site.is_open()).count();
    let devices = belief.devices.iter().filter(|hand| !hand.runs || !hand.is_initialised || hand.is_suspended).count();
    let disks = belief.devices.iter().filter(|hand| !hand.is_disk_well).count();
    (sites + disks + devices.div_ceil(2) + 3 * usize::from(belief.mends_server().is_some())) as u64
}

pub(super) fn mended(author: &mut Author) -> Option<Action> {
    if let Some(fault) = author.belief.mends_server()
        && author.draw.chance(2, 3)
    {
        return Some(Action::Fault(fault));
    }
    let shut: Vec<usize> =
        (0..author.belief.sites.len()).filter(|&site| !author.belief.sites[site].is_open()).collect();
    if !shut.is_empty() && author.draw.chance(1, 2) {
        let spot = &author.belief.sites[*author.draw.pick(&shut)];
        let site = spot.name.clone();
        return Some(Action::Fault(if spot.is_held { Fault::Release { site } } else { Fault::Repair { site } }));
    }
    if let Some(device) = author.device_where(|belief, device| !belief.devices[device].is_disk_well)
        && author.draw.chance(1, 2)
    {
        let device = author.hand(device).name.clone();
        return Some(Action::Fault(Fault::DeviceMendDisk { device }));
    }
    let idle = |belief: &Belief, device: usize| {
        let hand = &belief.devices[device];
        !hand.runs || !hand.is_initialised || hand.is_suspended
    };
    let device = author.device_where(idle)?;
    let hand = author.hand(device);
    let name = hand.name.clone();
    Some(match (hand.runs, hand.is_suspended) {
        (false, _) => Action::Fault(Fault::Start { device: name }),
        (true, true) => Action::Fault(Fault::Wake { device: name }),
        (true, false) => Action::Call { device: name, call: Call::Init },
    })
}

/// A device of which this is so; at times any.
fn target(author: &mut Author, is_one: impl Fn(&Belief, usize) -> bool) -> Option<usize> {
    if author.draw.chance(1, THOUGHTLESS) { Some(author.any_device()) } else { author.device_where(is_one) }
}

fn on(author: &Author, device: usize, call: Call) -> Option<Action> {
    Some(Action::Call { device: author.hand(device).name.clone(), call })
}

fn plain_login(author: &mut Author) -> Option<Action> {
    let device = target(author, |belief, device| belief.works(device) && belief.devices[device].account.is_none())?;
    let user = author.any_user();
    let ticket = ticket(author, device, user);
    on(author, device, login(user, ticket))
}

fn ticket(author: &mut Author, device: usize, user: usize) -> TicketChoice {
    match author.draw.below(12) {
        0 if author.hand(device).last_ticket.is_some_and(|last| last.0 == user) => TicketChoice::Last,
        0..=2 => {
            let most = (author.time_left() / SECOND).max(20);
            TicketChoice::Fresh { ttl: Some(Duration::from_secs(author.draw.log_between(4, most))) }
        }
        _ => TicketChoice::Fresh { ttl: None },
    }
}

fn site(author: &mut Author, is_one: impl Fn(&Belief, usize) -> bool) -> Option<usize> {
    let sites: Vec<usize> = (0..author.belief.sites.len()).filter(|&site| is_one(&author.belief, site)).collect();
    if sites.is_empty() { None } else { Some(*author.draw.pick(&sites)) }
}

fn fault(author: &mut Author, family: Family) -> Option<Fault> {
    let open = |belief: &Belief, site: usize| belief.sites[site].is_open();
    let name_of_site = |author: &Author, site: usize| author.belief.sites[site].name.clone();
    let name_of = |author: &Author, device: usize| author.hand(device).name.clone();
    Some(match family {
        Family::Partition => {
            let site = site(author, open)?;
            Fault::Partition { site: name_of_site(author, site), direction: Direction::Both }
        }
        Family::OneWay => {
            let site = site(author, open)?;
            let direction = *author.draw.pick(&[Direction::Inbound, Direction::Outbound]);
            Fault::Partition { site: name_of_site(author, site), direction }
        }
        Family::Portal => {
            let site = site(author, open)?;
            Fault::Portal { site: name_of_site(author, site) }
        }
        Family::Move => {
            let device = target(author, |belief, device| belief.is_in(device))?;
            let from = author.hand(device).site;
            let site = site(author, |belief, site| site != from && belief.sites[site].is_open())?;
            Fault::Move { device: name_of(author, device), site: name_of_site(author, site) }
        }
        Family::Hold => {
            let site = site(author, open)?;
            Fault::Hold { site: name_of_site(author, site) }
        }
        Family::Latency => {
            let site = site(author, |_, _| true)?;
            Fault::Latency { site: name_of_site(author, site), latency: draw_latency(&mut author.draw) }
        }
        Family::Reset => {
            let device = target(author, |belief, device| belief.is_in(device) && belief.reaches(device))?;
            Fault::Reset { device: name_of(author, device) }
        }
        Family::Crash if author.belief.is_server_up => Fault::CrashServer,
        Family::PowerLoss if author.belief.is_server_up => Fault::PowerLossServer,
        Family::CommitCut if author.belief.is_server_up => commit_cut(author),
        Family::Upgrade if author.belief.speaks_ours => Fault::UpgradeServer { version: Version(2) },
        Family::Upgrade => Fault::UpgradeServer { version: Version(1) },
        Family::Stop if author.belief.is_server_up => Fault::StopServer,
        Family::Standstill if author.belief.is_server_suspended => Fault::WakeServer,
        Family::Standstill if author.belief.is_server_up => Fault::SuspendServer,
        Family::Crash | Family::PowerLoss | Family::CommitCut | Family::Stop | Family::Standstill => Fault::StartServer,
        Family::DiskError if author.belief.is_disk_well => Fault::DiskError { operation: disk_operation(author) },
        Family::DiskFull if author.belief.is_disk_well => Fault::DiskFull { operation: disk_operation(author) },
        Family::DiskError | Family::DiskFull => Fault::MendDisk,
        Family::SlowDisk if author.draw.chance(2, 3) => {
            let longest = author.draw.log_between(5, 2_000);
            let shortest = author.draw.between(1, longest);
            Fault::SlowDisk { latency: Span { min: micros(shortest * MILLI), max: micros(longest * MILLI) } }
        }
        Family::SlowDisk => Fault::MendDisk,
        Family::Bounce => {
            let longest = author.shorter(20_000);
            let after = if author.draw.chance(1, 4) { 0 } else { author.draw.log_between(1, longest) * MILLI };
            Fault::BounceServer { after: micros(after) }
        }
        Family::Kill => {
            let device = target(author, |belief, device| belief.devices[device].runs)?;
            Fault::Kill { device: name_of(author, device) }
        }
        Family::Suspend => {
            let device = target(author, |belief, device| belief.works(device))?;
            Fault::Suspend { device: name_of(author, device) }
        }
        Family::ServerSkew => Fault::Skew { clock: Clock::Server, by: skew(author) },
        Family::ServerDrift => Fault::Drift { clock: Clock::Server, ppm: drift(author) },
        Family::DeviceClock => {
            let device = author.any_device();
            let clock = Clock::Device(name_of(author, device));
            if author.draw.chance(1, 2) {
                Fault::Skew { clock, by: skew(author) }
            } else {
                Fault::Drift { clock, ppm: drift(author) }
            }
        }
        Family::DeviceDisk => {
            let device = target(author, |belief, device| belief.works(device))?;
            if author.hand(device).is_disk_well || author.draw.chance(1, 3) {
                device_disk(author, device)
            } else {
                Fault::DeviceMendDisk { device: name_of(author, device) }
            }
        }
        Family::LateTimers => {
            let device = target(author, |belief, device| belief.works(device))?;
            let longest = author.shorter(90_000);
            let by = if author.draw.chance(1, 4) { 0 } else { author.draw.log_between(100, longest) * MILLI };
            Fault::LateTimers { device: name_of(author, device), by: micros(by) }
        }
        Family::Damage => {
            let device = target(author, |belief, device| !belief.devices[device].runs)?;
            damage(author, device)
        }
        Family::Wipe => {
            // Its SDK finds the disk empty when it starts.
            let device = target(author, |belief, device| !belief.devices[device].runs)?;
            Fault::Wipe { device: name_of(author, device) }
        }
        Family::Clone => {
            let onto = target(author, |belief, device| !belief.devices[device].runs)?;
            let device = author.device_where(|belief, device| device != onto && belief.devices[device].has_record)?;
            Fault::Clone { device: name_of(author, device), onto: name_of(author, onto) }
        }
        _ => return None,
    })
}

/// Power that goes in the middle of a commit: of the next one, or of one soon after.
pub(super) fn commit_cut(author: &mut Author) -> Fault {
    match author.draw.below(2) {
        0 => Fault::PowerLossAt { point: *author.draw.pick(CommitPoint::ALL) },
        _ => Fault::PowerLossInDisk { operation: disk_operation(author) },
    }
}

/// What is on the device's disk is damaged, one part of it.
pub(super) fn damage(author: &mut Author, device: usize) -> Fault {
    let device = author.hand(device).name.clone();
    if author.draw.chance(1, 2) { Fault::DamageRecord { device } } else { Fault::DamageCache { device } }
}

/// The device's disk refuses what is written, soon or at once, or is slow.
pub(super) fn device_disk(author: &mut Author, device: usize) -> Fault {
    let device = author.hand(device).name.clone();
    let operation = if author.draw.chance(2, 3) { 1 } else { author.draw.between(1, 4) as u32 };
    match author.draw.below(4) {
        0 => Fault::DeviceDiskError { device, operation },
        1 => Fault::DeviceDiskFull { device, operation },
        _ => {
            let longest = author.shorter(12_000);
            let longest = author.draw.log_between(5, longest);
            let shortest = author.draw.between(1, longest);
            let latency = Span { min: micros(shortest * MILLI), max: micros(longest * MILLI) };
            Fault::DeviceSlowDisk { device, latency }
        }
    }
}

/// At once, or somewhere in the next few commits.
pub(super) fn disk_operation(author: &mut Author) -> u32 {
    if author.draw.chance(1, 3) { 1 } else { u32::try_from(author.draw.log_between(1, 60)).expect("60 at most") }
}

/// Mostly seconds, now and then up to a day.
fn skew(author: &mut Author) -> Offset {
    let most = if author.draw.chance(1, 6) { DAY } else { 30 * SECOND };
    let by = author.draw.log_between(1, most / MILLI) * MILLI;
    Offset(if author.draw.chance(1, 2) { by as i64 } else { -(by as i64) })
}

fn drift(author: &mut Author) -> i32 {
    let ppm = author.draw.log_between(1, 20_000) as i32;
    if author.draw.chance(1, 2) { ppm } else { -ppm }
}

fn of_family(author: &mut Author, family: Family) -> Option<Action> {
    let is_in = |belief: &Belief, device: usize| belief.is_in(device) && belief.works(device);
    let works = |belief: &Belief, device: usize| belief.works(device);
    match family {
        Family::Switch => {
            let device = target(author, is_in)?;
            let account = author.hand(device).account;
            let others: Vec<usize> = (0..author.setup.users.len()).filter(|&user| Some(user) != account).collect();
            if others.is_empty() {
                return None;
            }
            let user = *author.draw.pick(&others);
            on(author, device, fresh_login(user))
        }
        Family::Renewal => {
            let device = target(author, is_in)?;
            let user = author.hand(device).account.unwrap_or_default();
            let ticket = ticket(author, device, user);
            on(author, device, login(user, ticket))
        }
        Family::Logout => {
            let device = target(author, |belief, device| belief.devices[device].account.is_some())?;
            on(author, device, Call::Logout)
        }
        Family::Send => {
            let device = target(author, is_in)?;
            let call = send(author);
            on(author, device, call)
        }
        Family::Conversations => {
            let device = target(author, works)?;
            on(author, device, Call::Conversations)
        }
        Family::AdminKick => {
            let device = administrator(author)?;
            let user = if author.draw.chance(1, 12) { "nemo" } else { user_name(author.any_user()) };
            on(author, device, Call::Kick { user: user.to_owned() })
        }
        Family::Query => {
            let device = administrator(author)?;
            let users = author.setup.users.iter().map(|user| user.as_str().to_owned());
            let unknown = if author.draw.chance(1, 4) { vec!["nemo".to_owned()] } else { vec![] };
            let mut users: Vec<String> = users.chain(unknown).collect();
            if author.draw.chance(1, 10) {
                // As many as a query may ask of, or one too many.
                let number = QUERY_MAX + usize::from(author.draw.chance(1, 2));
                users.extend((users.len()..number).map(|number| format!("nobody-{number}")));
            }
            on(author, device, Call::Query { users })
        }
        Family::Life => {
            let device = target(author, works)?;
            let call = if author.draw.chance(1, 5) { Call::Init } else { Call::Uninit };
            on(author, device, call)
        }
        Family::NetworkChanged => {
            let device = target(author, works)?;
            on(author, device, Call::NetworkChanged)
        }
        Family::Listener => listener(author),
        Family::Stranger => {
            let device = author.any_device();
            let conduct = *author.draw.pick(Conduct::ALL);
            Some(Action::Raw { device: author.hand(device).name.clone(), conduct })
        }
        Family::PolicyChange | Family::SwitchChange | Family::AdministratorChange => {
            Some(Action::App(change(author, family)))
        }
        Family::DropKey if author.belief.accepts_old_key && author.draw.chance(1, 3) => {
            Some(Action::App(AppChange::DropOldKey))
        }
        Family::DropKey => bad_login(author, Some(Forge::OldKey)),
        Family::BadTicket => {
            let forge = match author.draw.below(4) {
                0 => None,
                _ => Some(*author.draw.pick(Forge::ALL)),
            };
            bad_login(author, forge)
        }
        Family::BadUser => {
            let device = target(author, works)?;
            let user = *author.draw.pick(&["", "no spaces", "x23456789012345678901234567890123", "ü", "a.b"]);
            on(author, device, Call::Login { user: user.to_owned(), ticket: TicketChoice::Fresh { ttl: None } })
        }
        _ => None,
    }
}

fn administrator(author: &mut Author) -> Option<usize> {
    let users: Vec<bool> =
        author.setup.users.iter().map(|user| author.setup.app.administrators.contains(user)).collect();
    target(author, move |belief, device| {
        belief.reaches(device) && belief.is_in(device) && belief.devices[device].account.is_some_and(|user| users[user])
    })
}

fn send(author: &mut Author) -> Call {
    const WORDS: [&str; 4] = ["hello", "are you there?", "in a minute", "bye"];
    let to = match author.draw.below(16) {
        0 => "nemo".to_owned(),
        1 => String::new(),
        _ => user_name(author.any_user()).to_owned(),
    };
    let text = match author.draw.below(16) {
        0 => long_text(author),
        _ => Text::Written((*author.draw.pick(&WORDS)).to_owned()),
    };
    // Now and then the application says which message it is, and mostly it is one of few.
    let id = author.draw.chance(1, 8).then(|| author.draw.log_between(1, 20) as u32);
    Call::Send { to, text, id }
}

/// A text of any length, every other time as long as a preview or a message may be, or one byte longer.
pub(super) fn long_text(author: &mut Author) -> Text {
    if author.draw.chance(1, 2) {
        let bound = *author.draw.pick(&[PREVIEW_MAX, TEXT_MAX]);
        return Text::Bytes((bound + usize::from(author.draw.chance(1, 2))) as u32);
    }
    Text::Bytes(author.draw.log_between(1, TEXT_MAX as u64) as u32)
}

fn bad_login(author: &mut Author, forge: Option<Forge>) -> Option<Action> {
    let device = target(author, |belief, device| belief.works(device))?;
    let user = author.hand(device).account.unwrap_or(0);
    let user = if author.draw.chance(1, 2) { user } else { author.any_user() };
    let ticket = author.bad_ticket(user, forge);
    // Now and then it is another user's.
    let user = if author.draw.chance(1, 6) { author.any_user() } else { user };
    on(author, device, login(user, TicketChoice::Named(ticket)))
}

fn listener(author: &mut Author) -> Option<Action> {
    let device = target(author, |belief, device| belief.works(device))?;
    let event = *author.draw.pick(ListenerEvent::ALL);
    let call = match author.draw.below(8) {
        0..=2 => fresh_login(author.any_user()),
        3..=4 => Call::Logout,
        5 => send(author),
        6 => Call::Conversations,
        _ if author.has(Family::Life) => Call::Uninit,
        _ => Call::NetworkChanged,
    };
    Some(Action::On { device: author.hand(device).name.clone(), event, call })
}

/// Another configuration: what a family changes of it.
pub(super) fn change(author: &mut Author, family: Family) -> AppChange {
    match family {
        Family::SwitchChange => {
            let on = author.draw.chance(1, 2);
            let is_reconnect = author.draw.chance(1, 2);
            if is_reconnect { AppChange::ReconnectKicks(on) } else { AppChange::NotifyOfflineKick(on) }
        }
        Family::AdministratorChange => {
            let users: BTreeSet<_> =
                author.setup.users.clone().into_iter().filter(|_| author.draw.chance(1, 2)).collect();
            AppChange::Administrators(users)
        }
        _ => policy_change(author),
    }
}

/// Another policy, or another number.
fn policy_change(author: &mut Author) -> AppChange {
    if author.draw.chance(1, 2) {
        return AppChange::Policy(*author.draw.pick(&Policy::ALL));
    }
    let device = author.any_device();
    let platform = author.hand(device).platform;
    let most = if platform == Platform::Web { 4 } else { 3 };
    AppChange::MaxInstances { platform, number: author.draw.between(1, most) as u32 }
}
