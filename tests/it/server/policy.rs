//! Who is displaced by whom, told as conversations, and every case against a model that reads the table.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::{Attempt, DeviceId, Epoch};
use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::store::{EndReason, Link, Session, SessionTicket, Sessions};
use gatecrash::ticket::Signature;
use gatecrash::time::WallTime;
use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::select;

use super::script::check;
use super::world::{START, groups, is_dormant, naive_victims};
use crate::fixed_seed;

#[test]
fn a_single_policy_leaves_one_platform() {
    // POLICY-1, KICK-9
    check(
        "
        config policy=single
        phone/1 open android
        web/1 open web
        desk/1 open mac
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login alice
            phone/1 < kick alice 1 other_platform by web
            web/1 < login ok 2
        desk/1 login alice
            web/1 < kick alice 2 other_platform by desk
            desk/1 < login ok 3
        ",
    );
}

#[test]
fn a_dual_policy_leaves_one_device_and_the_web() {
    // POLICY-1
    check(
        "
        config policy=dual
        phone/1 open android
        web/1 open web
        desk/1 open mac
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login alice
            web/1 < login ok 2
        desk/1 login alice
            phone/1 < kick alice 1 other_platform by desk
            desk/1 < login ok 3
        ",
    );
}

#[test]
fn a_triple_policy_leaves_a_mobile_a_desktop_and_the_web() {
    // POLICY-1
    check(
        "
        config policy=triple
        phone/1 open android
        web/1 open web
        desk/1 open mac
        pad/1 open ipad
        tower/1 open linux
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login alice
            web/1 < login ok 2
        desk/1 login alice
            desk/1 < login ok 3
        pad/1 login alice
            phone/1 < kick alice 1 other_platform by pad
            pad/1 < login ok 4
        tower/1 login alice
            desk/1 < kick alice 3 other_platform by tower
            tower/1 < login ok 5
        web/1 heartbeat
            web/1 < heartbeat
        ",
    );
}

#[test]
fn a_multi_policy_leaves_every_platform_and_as_many_as_it_says() {
    // POLICY-1, POLICY-2: the oldest of the platform goes, nobody else.
    check(
        "
        config policy=multi android=2
        one/1 open android
        pad/1 open ipad
        two/1 open android
        three/1 open android
        desk/1 open mac
        one/1 login alice
            one/1 < login ok 1
        pad/1 login alice
            pad/1 < login ok 2
        two/1 login alice
            two/1 < login ok 3
        desk/1 login alice
            desk/1 < login ok 4
        three/1 login alice
            one/1 < kick alice 1 same_platform by three
            three/1 < login ok 5
        ",
    );
}

#[test]
fn several_browsers_may_be_logged_in_under_every_policy() {
    // POLICY-2, POLICY-3: under single a browser displaces other platforms and, of its own, those above.
    check(
        "
        config policy=single web=2
        a/1 open web
        b/1 open web
        c/1 open web
        phone/1 open ios
        phone/1 login alice
            phone/1 < login ok 1
        a/1 login alice
            phone/1 < kick alice 1 other_platform by a
            a/1 < login ok 2
        b/1 login alice
            b/1 < login ok 3
        c/1 login alice
            a/1 < kick alice 2 same_platform by c
            c/1 < login ok 4
        phone/1 login alice
            b/1 < kick alice 3 other_platform by phone
            c/1 < kick alice 4 other_platform by phone
            phone/1 < login ok 5
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
            commit 1 counted alice 19675
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
        a/1 open web
        b/1 open web
        phone/1 open ios
        a/1 login alice
            a/1 < login ok 1
        b/1 login alice
            b/1 < login ok 2
        phone/1 login alice
            phone/1 < login ok 3
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
            (DeviceId::from_bytes([device; 16]), Session { epoch, platform, attempt, ticket, acknowledged: true, link })
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
