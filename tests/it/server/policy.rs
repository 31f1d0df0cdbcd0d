//! Who is displaced by whom, told as conversations, and every case against a model that reads the table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::{Attempt, DeviceId, Epoch};
use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::store::{EndReason, Link, Owed, Session, SessionTicket, Sessions};
use gatecrash::ticket::Signature;
use gatecrash::time::WallTime;
use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::select;

use super::script::check;
use super::world::{START, groups, is_dormant, naive_victims};
use crate::fixed_seed;

/// Under a configuration devices of alice log in, one line each: its name and platform, and after a colon whom it
/// displaces and why. Whoever is left at the end still hears the server.
fn check_logins(config: &str, logins: &str) {
    let logins: Vec<(&str, &str)> = logins.trim().lines().map(|line| line.trim().split_once(": ").unwrap()).collect();
    let mut online: BTreeMap<&str, usize> = BTreeMap::new();
    let mut opened: BTreeSet<&str> = BTreeSet::new();
    let (mut openings, mut conversation) = (format!("config {config}\n"), String::new());
    for (epoch, (newcomer, displaced)) in (1..).zip(logins) {
        let device = newcomer.split_once(' ').unwrap().0;
        if opened.insert(device) {
            openings += &format!("{device}/1 open {}\n", newcomer.split_once(' ').unwrap().1);
        }
        conversation += &format!("{device}/1 login alice\n");
        for (victim, reason) in displaced.split(", ").filter_map(|victim| victim.split_once(' ')) {
            let ended = online.remove(victim).unwrap();
            conversation += &format!("    {victim}/1 < kick alice {ended} {reason} by {device}\n");
        }
        conversation += &format!("    {device}/1 < login ok {epoch}\n");
        online.insert(device, epoch);
    }
    for device in online.keys() {
        conversation += &format!("{device}/1 heartbeat\n    {device}/1 < heartbeat\n");
    }
    check(&(openings + &conversation));
}

#[test]
fn a_policy_leaves_whom_its_table_says() {
    // POLICY-1, KICK-9
    check_logins(
        "policy=single",
        "
        phone android: nobody
        web web: phone other_platform
        desk mac: web other_platform
        ",
    );
    // One device, and the web.
    check_logins(
        "policy=dual",
        "
        phone android: nobody
        web web: nobody
        desk mac: phone other_platform
        ",
    );
    // A mobile, a desktop, and the web.
    check_logins(
        "policy=triple",
        "
        phone android: nobody
        web web: nobody
        desk mac: nobody
        pad ipad: phone other_platform
        tower linux: desk other_platform
        ",
    );
    // POLICY-2: every platform, as many as it says, and of those too many the oldest goes, nobody else.
    check_logins(
        "policy=multi android=2",
        "
        one android: nobody
        pad ipad: nobody
        two android: nobody
        desk mac: nobody
        three android: one same_platform
        ",
    );
    // POLICY-2, POLICY-3: under single a browser displaces other platforms and, of its own, those above.
    check_logins(
        "policy=single web=2",
        "
        phone ios: nobody
        a web: phone other_platform
        b web: nobody
        c web: a same_platform
        phone ios: b other_platform, c other_platform
        ",
    );
}

#[test]
fn an_accepted_login_always_wins_in_the_servers_order() {
    // POLICY-3, POLICY-4: of three at one instant the last one stays, in one change each.
    check(
        "
        a/1 open android
        b/1 open android
        c/1 open android
        show commits
        a/1 login alice
            commit 1 account alice
            commit 1 counted alice 19675 of 1
            commit 1 accepted alice a 1
            commit 1 presence alice #1 online
            a/1 < login ok 1
        b/1 login alice
            commit 2 ended alice a 1 same_platform
            commit 2 accepted alice b 2
            commit 2 presence alice #2 online kicked a
            a/1 < kick alice 1 same_platform by b
            b/1 < login ok 2
        c/1 login alice
            commit 3 ended alice b 2 same_platform
            commit 3 accepted alice c 3
            commit 3 presence alice #3 online kicked b
            b/1 < kick alice 2 same_platform by c
            c/1 < login ok 3
        ",
    );
}

#[test]
fn a_change_of_policy_applies_at_the_next_login_of_each_user() {
    // POLICY-5: it ends nothing by itself, and a resume is no login.
    check(
        "
        config policy=multi web=3
        given alice on browsers a and b and on phone
        config policy=single
        a/1 close
        a/2 open web
        a/2 resume alice 1
            a/2 < resume ok
        c/1 open web
        c/1 login bob
            c/1 < login ok 1
        b/1 heartbeat
            b/1 < heartbeat
        c/1 login alice
            phone/1 < kick alice 3 other_platform by c
            a/2 < kick alice 1 same_platform by c
            b/1 < kick alice 2 same_platform by c
            c/1 < login ok 4
        ",
    );
}

#[test]
fn numbers_outside_their_range_are_refused_naming_key_and_range() {
    // POLICY-2
    let refused = |policy, platform, number| {
        Seats::new(policy, &BTreeMap::from([(platform, number)])).map(drop).map_err(|error| error.to_string())
    };
    for policy in Policy::ALL {
        for platform in Platform::ALL {
            let limit = match platform {
                Platform::Web => 10,
                _ if policy == Policy::Multi => 3,
                _ => 1,
            };
            for number in 1..=limit {
                assert_eq!(refused(policy, platform, number), Ok(()), "{policy} {platform} {number}");
            }
            for number in [0, limit + 1, u32::MAX] {
                let text = refused(policy, platform, number).unwrap_err();
                assert!(
                    text.starts_with(&format!("max_instances.{platform} is {number}, outside 1 to {limit}")),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn the_groups_are_those_of_the_table() {
    // POLICY-1
    for policy in Policy::ALL {
        for one in Platform::ALL {
            for other in Platform::ALL {
                let together = groups(policy).iter().any(|group| group.contains(&one) && group.contains(&other));
                assert_eq!(policy.same_group(one, other), together, "{policy}: {one} and {other}");
            }
        }
    }
}

fn seats() -> impl Strategy<Value = Seats> {
    (select(Policy::ALL.as_slice()), prop::array::uniform7(1u32..=10)).prop_map(|(policy, numbers)| {
        let allowed = |(platform, number): (Platform, u32)| match (platform, policy) {
            (Platform::Web, _) => Some((platform, number)),
            (_, Policy::Multi) => Some((platform, 1 + number % 3)),
            _ => None,
        };
        Seats::new(policy, &Platform::ALL.into_iter().zip(numbers).filter_map(allowed).collect()).unwrap()
    })
}

fn sessions() -> impl Strategy<Value = Sessions> {
    let session = (select(Platform::ALL.as_slice()), prop::option::of(0u64..500));
    btree_map(any::<u8>(), session, 0..14).prop_map(|sessions| {
        let ticket = SessionTicket { issued_at: 0, last_second: u64::MAX, signature: Signature([0; 32]) };
        // Epochs run against the order of the device ids, so that neither order stands in for the other.
        let numbered = sessions.into_iter().rev().zip(1..);
        let one = |((device, (platform, lost)), epoch): ((u8, (Platform, Option<u64>)), u64)| {
            let link = lost.map_or(Link::Connected, |ago| Link::Lost { at: WallTime::from_seconds(START - ago) });
            let (epoch, attempt) = (Epoch(epoch), Attempt::default());
            (
                DeviceId::from_bytes([device; 16]),
                Session { epoch, platform, attempt, ticket, acknowledged: true, link, owed: Owed::default() },
            )
        };
        numbered.map(one).collect()
    })
}

proptest! {
    #![proptest_config(fixed_seed::cases(256))]

    /// POLICY-3, POLICY-4: the core's victims are those of a model that reads the table and takes
    /// one victim at a time, and what they leave fits the policy.
    #[test]
    fn victims_are_those_of_a_naive_model(seats in seats(), sessions in sessions(), platform in select(Platform::ALL.as_slice())) {
        let newcomer = DeviceId::from_bytes([0xff; 16]);
        let mut sessions = sessions;
        sessions.remove(&newcomer);
        let now = WallTime::from_seconds(START);
        let naive = naive_victims(seats.policy(), seats.instances_max(platform), &sessions, newcomer, platform, now);
        let victims = Rules.victims(&seats, &sessions, platform, &ServerLimits::default(), now);
        let listed: BTreeMap<DeviceId, EndReason> = victims.iter().map(|victim| (victim.device, victim.reason)).collect();
        prop_assert_eq!(listed.len(), victims.len(), "nobody is displaced twice");
        prop_assert_eq!(&listed, &naive);
        let order = |device: &DeviceId| {
            let (session, is_rival) = (&sessions[device], naive[device] == EndReason::SamePlatform);
            (is_rival, is_rival && !is_dormant(session, now), session.epoch)
        };
        prop_assert!(victims.is_sorted_by_key(|victim| order(&victim.device)), "named in the order of the rule");

        let group = groups(seats.policy()).into_iter().find(|group| group.contains(&platform)).unwrap();
        let left: Vec<&Session> = sessions.iter().filter(|(device, _)| !naive.contains_key(device)).map(|(_, left)| left).collect();
        let rivals = left.iter().filter(|session| group.contains(&session.platform)).collect::<Vec<_>>();
        prop_assert!(rivals.iter().all(|session| session.platform == platform));
        prop_assert!(rivals.len() < seats.instances_max(platform), "there is room for the newcomer");
        let touched = naive.keys().filter(|device| !group.contains(&sessions[device].platform)).count();
        prop_assert_eq!(touched, 0, "nobody outside the group is touched");
        let same = sessions.values().filter(|session| session.platform == platform).count();
        let gone = naive.values().filter(|reason| **reason == EndReason::SamePlatform).count();
        prop_assert_eq!(gone, (same + 1).saturating_sub(seats.instances_max(platform)), "not one too many");
    }
}

#[test]
fn dormancy_begins_at_its_exact_time() {
    // CONN-6: 400 s, on the web 90 s.
    let limits = ServerLimits::default();
    for (platform, seconds) in [(Platform::Web, 90), (Platform::Ios, 400), (Platform::Linux, 400)] {
        let (lost_at, dormant) = (WallTime::from_seconds(START), limits.dormant_of(platform));
        let end = lost_at + Duration::from_secs(seconds);
        assert!(Rules.is_dormant(lost_at, dormant, end), "{platform}");
        assert!(!Rules.is_dormant(lost_at, dormant, WallTime::from_micros(end.as_micros() - 1)), "{platform}");
    }
}
