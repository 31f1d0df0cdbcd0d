//! Draws any scenario that keeps to what the parser checks, for the proof that printing loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::UserId;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::protocol::{KickReason, Presence};
use gatecrash::time::WallTime;
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::line::Vocabulary;
use super::rules::RuleId;
use super::*;

/// Names of devices, those that mean something elsewhere among them.
const DEVICES: [&str; 5] = ["phone-1", "tab_2", "nobody", "at", "x"];
/// Names of users that no device has.
const USERS: [&str; 6] = ["alice", "bob", "none", "between", "_1-", "0"];
const SITES: [&str; 3] = ["home", "none", "server"];
const TICKETS: [&str; 3] = ["stale", "t-1", "fresh"];

/// Any scenario.
pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    let head = (text(), vec(select(RuleId::all().collect::<Vec<_>>()), 1..4), any::<u64>(), 1..=1_000_000_u64);
    let options = (of(text()), of(time()), app(), limits());
    let places = (
        vec(location(), SITES.len()),
        vec((member::<Platform>(), select(&SITES[..]), member::<Init>(), offset()), DEVICES.len()),
        vec((user(), -1_000_000..1_000_000_i64, seconds(), of(member::<Forge>())), TICKETS.len()),
    );
    let script = (10_000_000..2_000_000_000_u64, vec((0..10_000_000_u64, action()), 0..12), vec(expected(), 0..12));
    (head, options, places, script).prop_map(|(head, options, places, script)| {
        let (title, mut rules, seed, tick) = head;
        rules.sort_unstable();
        rules.dedup();
        let (verdict_only, converge, app, limits) = options;
        let (sites, devices, tickets) = places;
        let (until, steps, mut expectations) = script;
        let mut steps: Vec<Step> =
            steps.into_iter().map(|(at, action)| Step { at: Duration::from_micros(at), action }).collect();
        steps.sort_by_key(|step| step.at);
        keep_possible(&mut steps, app.seats);
        let mut named: Vec<UserId> = steps.iter().flat_map(|step| script::users_of(&step.action)).collect();
        named.extend(app.administrators.iter().cloned());
        named.extend(tickets.iter().map(|(user, ..)| *user));
        expectations.retain(|expected| users_expected(&expected.expectation).all(|user| named.contains(user)));
        Scenario {
            title,
            rules,
            seed,
            tick: Duration::from_micros(tick),
            verdict_only,
            converge,
            app,
            limits,
            sites: SITES.into_iter().map(name).zip(sites).collect(),
            devices: DEVICES
                .into_iter()
                .map(name)
                .zip(devices.into_iter().map(|(platform, site, init, wall_offset)| Device {
                    platform,
                    site: name(site),
                    init,
                    wall_offset,
                }))
                .collect(),
            tickets: TICKETS
                .into_iter()
                .map(name)
                .zip(tickets.into_iter().map(|(user, issued, ttl, forge)| TicketPlan {
                    user,
                    issued: Offset(issued * 1_000_000),
                    ttl,
                    forge,
                }))
                .collect(),
            until: Duration::from_micros(until),
            steps,
            expectations,
        }
    })
}

/// The users that an expectation names: a file says something of each of them elsewhere.
fn users_expected(expectation: &Expectation) -> impl Iterator<Item = &UserId> {
    let (one, many) = match expectation {
        Expectation::LoginUser { user, .. } => (user.as_ref(), None),
        Expectation::Conversations { with, .. } => (None, Some(with)),
        Expectation::Query { user, .. }
        | Expectation::Online { user, .. }
        | Expectation::Sessions { user, .. }
        | Expectation::Presence { user, .. }
        | Expectation::Counted { user, .. }
        | Expectation::Epochs { user, .. } => (Some(user), None),
        Expectation::Event { .. }
        | Expectation::Status { .. }
        | Expectation::Answer { .. }
        | Expectation::Receives { .. } => (None, None),
    };
    one.into_iter().chain(many.into_iter().flatten())
}

/// Drops the changes that the policy of their moment forbids, and one-way partitions of sites that are held.
fn keep_possible(steps: &mut Vec<Step>, mut seats: Seats) {
    let held: Vec<SiteName> = steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Fault(Fault::Hold { site }) => Some(site.clone()),
            _ => None,
        })
        .collect();
    steps.retain(|step| match &step.action {
        Action::App(change) => match change.seats_after(seats) {
            Ok(after) => {
                seats = after;
                true
            }
            Err(_) => false,
        },
        Action::Fault(Fault::Partition { site, direction }) => *direction == Direction::Both || !held.contains(site),
        Action::Call { .. } | Action::On { .. } | Action::Raw { .. } | Action::Fault(_) => true,
    });
}

fn name<N: FromStr<Err = InvalidName>>(text: &str) -> N {
    text.parse().unwrap()
}

pub(super) fn member<V: Vocabulary + std::fmt::Debug>() -> impl Strategy<Value = V> {
    select(V::MEMBERS)
}

fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("a title says something", |text| !text.trim().is_empty())
}

pub(super) fn time() -> impl Strategy<Value = Duration> {
    (1..1_000_000_000_000_u64).prop_map(Duration::from_micros)
}

fn seconds() -> impl Strategy<Value = Duration> {
    (0..1_000_000_u64).prop_map(Duration::from_secs)
}

/// A time of the script.
fn moment() -> impl Strategy<Value = Duration> {
    (0..10_000_000_u64).prop_map(Duration::from_micros)
}

pub(super) fn offset() -> impl Strategy<Value = Offset> {
    (-10_000_000_000..10_000_000_000_i64).prop_map(Offset)
}

fn location() -> impl Strategy<Value = Site> {
    let pieces = (1..=Pieces::BYTES_MAX, 1..=Pieces::BYTES_MAX);
    let pieces = pieces.prop_map(|(one, other)| Pieces { min: one.min(other), max: one.max(other) });
    (span(), of((1..=u64::from(u32::MAX)).prop_map(Duration::from_micros)), of(pieces), of(1..=WINDOW_MAX))
        .prop_map(|(latency, forgets_idle, segments, window)| Site { latency, forgets_idle, segments, window })
}

pub(super) fn span() -> impl Strategy<Value = Span> {
    (0..5_000_000_u64, 0..5_000_000_u64).prop_map(|(min, more)| Span {
        min: Duration::from_micros(min),
        max: Duration::from_micros(min + if more % 3 == 0 { 0 } else { more }),
    })
}

fn user() -> impl Strategy<Value = UserId> {
    select(&USERS[..]).prop_map(|user| user.parse().unwrap())
}

fn users() -> impl Strategy<Value = BTreeSet<UserId>> {
    btree_set(user(), 0..3)
}

fn called() -> impl Strategy<Value = String> {
    prop_oneof![select(&USERS[..]).prop_map(str::to_owned), any::<String>(), "[{}#\"\\\\ %.1]{0,6}"]
}

pub(super) fn device() -> impl Strategy<Value = DeviceName> {
    select(&DEVICES[..]).prop_map(name)
}

pub(super) fn site() -> impl Strategy<Value = SiteName> {
    select(&SITES[..]).prop_map(name)
}

fn seats() -> impl Strategy<Value = Seats> {
    (member::<Policy>(), 1..=3_u32, 1..=10_u32).prop_map(|(policy, ios, web)| {
        let ios = if policy == Policy::Multi { ios } else { 1 };
        Seats::new(policy, &BTreeMap::from([(Platform::Ios, ios), (Platform::Web, web)])).unwrap()
    })
}

fn app() -> impl Strategy<Value = App> {
    let switches = any::<(bool, bool, bool)>();
    (1..=u64::from(u32::MAX), seats(), users(), switches, 0..4_000_000_000_u64, seconds(), span()).prop_map(
        |(id, seats, administrators, switches, start, ticket_ttl, commit_latency)| {
            let (reconnect_kicks, notify_offline_kick, tls) = switches;
            App {
                id,
                seats,
                administrators,
                reconnect_kicks,
                notify_offline_kick,
                start: WallTime::from_seconds(start),
                ticket_ttl,
                commit_latency,
                tls,
            }
        },
    )
}

fn limits() -> impl Strategy<Value = LimitOverrides> {
    vec((select(LimitOverrides::KEYS), time(), 1..=100_u32), 0..5).prop_map(|values| {
        let mut limits = LimitOverrides::default();
        for ((key, kind, _), time, number) in values {
            let value = match kind {
                LimitKind::Time => LimitValue::Time(time),
                LimitKind::Number => LimitValue::Number(number),
                LimitKind::Percent => LimitValue::Percent(number),
                LimitKind::Lines => LimitValue::Lines(number),
            };
            assert!(limits.set(key, value));
        }
        config::leave_room_for_heartbeats(&mut limits);
        limits
    })
}

fn call() -> impl Strategy<Value = Call> {
    let ticket = prop_oneof![
        of(seconds()).prop_map(|ttl| TicketChoice::Fresh { ttl }),
        select(&TICKETS[..]).prop_map(|ticket| TicketChoice::Named(name(ticket))),
        Just(TicketChoice::Last),
    ];
    let message = prop_oneof![any::<String>().prop_map(Text::Written), (0..=1_000_000_u32).prop_map(Text::Bytes)];
    prop_oneof![
        Just(Call::Init),
        Just(Call::Uninit),
        (called(), ticket).prop_map(|(user, ticket)| Call::Login { user, ticket }),
        Just(Call::Logout),
        (called(), message, of(any::<u32>())).prop_map(|(to, text, id)| Call::Send { to, text, id }),
        Just(Call::Conversations),
        called().prop_map(|user| Call::Kick { user }),
        vec(called(), 1..4).prop_map(|users| Call::Query { users }),
        Just(Call::NetworkChanged),
    ]
}

fn change() -> impl Strategy<Value = AppChange> {
    prop_oneof![
        member().prop_map(AppChange::Policy),
        (member(), 1..=10_u32).prop_map(|(platform, number)| AppChange::MaxInstances { platform, number }),
        any::<bool>().prop_map(AppChange::ReconnectKicks),
        any::<bool>().prop_map(AppChange::NotifyOfflineKick),
        users().prop_map(AppChange::Administrators),
        Just(AppChange::DropOldKey),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (device(), call()).prop_map(|(device, call)| Action::Call { device, call }),
        (device(), member(), call()).prop_map(|(device, event, call)| Action::On { device, event, call }),
        (device(), member()).prop_map(|(device, conduct)| Action::Raw { device, conduct }),
        fault::any().prop_map(Action::Fault),
        change().prop_map(Action::App),
    ]
}

fn expected() -> impl Strategy<Value = Expected> {
    expectation().prop_map(|expectation| Expected { expectation, place: None })
}

fn expectation() -> impl Strategy<Value = Expectation> {
    let at = || of(moment());
    let window =
        || of((moment(), moment()).prop_map(|(one, other)| Window { from: one.min(other), to: one.max(other) }));
    let devices = || btree_set(device(), 0..3);
    let event = (device(), member(), 0..5_u32, of(member::<KickReason>()), of(select(Code::ALL)), window());
    let said_of_devices = prop_oneof![
        event.prop_map(|(device, event, times, reason, code, between)| {
            let reason = reason.filter(|_| event == ListenerEvent::KickedOffline);
            let code = code.filter(|_| event == ListenerEvent::ConnectFailed);
            Expectation::Event { device, event, times, reason, code, between }
        }),
        (device(), member(), at()).prop_map(|(device, status, at)| Expectation::Status { device, status, at }),
        (device(), of(user()), at()).prop_map(|(device, user, at)| Expectation::LoginUser { device, user, at }),
        (device(), any::<String>(), 0..5_u32).prop_map(|(device, text, times)| Expectation::Receives {
            device,
            text,
            times
        }),
    ];
    let answer = prop_oneof![
        window().prop_map(|between| (Answer::Ok, between)),
        (select(Code::ALL), window()).prop_map(|(code, between)| (Answer::Fails(code), between)),
        Just((Answer::Nothing, None)),
    ];
    let said_of_calls = prop_oneof![
        (device(), member(), 1..9_u32, answer).prop_map(|(device, call, number, (answer, between))| {
            Expectation::Answer { device, call, number, answer, between }
        }),
        (device(), 1..9_u32, users()).prop_map(|(device, number, with)| Expectation::Conversations {
            device,
            number,
            with
        }),
        (device(), 1..9_u32, user(), member()).prop_map(|(device, number, user, shown)| Expectation::Query {
            device,
            number,
            user,
            shown
        }),
    ];
    let said_of_users = prop_oneof![
        (user(), devices(), at()).prop_map(|(user, devices, at)| Expectation::Online { user, devices, at }),
        (user(), devices(), at()).prop_map(|(user, devices, at)| Expectation::Sessions { user, devices, at }),
        (user(), member::<Presence>(), at()).prop_map(|(user, presence, at)| Expectation::Presence {
            user,
            presence,
            at
        }),
        (user(), any::<u32>()).prop_map(|(user, days)| Expectation::Counted { user, days }),
        (user(), any::<u32>()).prop_map(|(user, logins)| Expectation::Epochs { user, logins }),
    ];
    prop_oneof![said_of_devices, said_of_calls, said_of_users]
}
