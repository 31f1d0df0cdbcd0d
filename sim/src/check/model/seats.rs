//! Who has to go when somebody logs in (POLICY-1, POLICY-3).

use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::store::EndReason;

use super::records::Session;
use crate::scenario::numbers;

/// Whether the policy lets only one of these platforms be online: POLICY-1 read word by word.
fn compete(policy: Policy, one: Platform, other: Platform) -> bool {
    let is_web = |platform| platform == Platform::Web;
    match policy {
        Policy::Single => true,
        Policy::Dual => is_web(one) == is_web(other),
        Policy::Triple => is_web(one) == is_web(other) && numbers::is_mobile(one) == numbers::is_mobile(other),
        Policy::Multi => one == other,
    }
}

/// The sessions that a newcomer on this platform displaces, and why. `others` are those of the same
/// user on other devices.
pub(super) fn displaced(
    seats: &Seats,
    others: &[Session],
    platform: Platform,
    is_dormant: impl Fn(&Session) -> bool,
) -> Vec<(Session, EndReason)> {
    let mut gone = Vec::new();
    for session in others {
        if session.platform != platform && compete(seats.policy(), session.platform, platform) {
            gone.push((*session, EndReason::OtherPlatform));
        }
    }
    let mut rivals: Vec<Session> = others.iter().copied().filter(|session| session.platform == platform).collect();
    while rivals.len() + 1 > seats.instances_max(platform) && !rivals.is_empty() {
        let first = (0..rivals.len()).min_by_key(|&place| (!is_dormant(&rivals[place]), rivals[place].epoch));
        gone.push((rivals.remove(first.expect("there is one")), EndReason::SamePlatform));
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    /// POLICY-1
    #[test]
    fn platforms_compete_as_the_policy_says() {
        let compete_with = |policy, one| Platform::ALL.map(|other| compete(policy, one, other));
        // In the order android, ios, ipad, windows, mac, linux, web.
        assert_eq!(compete_with(Policy::Single, Platform::Web), [true; 7]);
        assert_eq!(compete_with(Policy::Dual, Platform::Mac), [true, true, true, true, true, true, false]);
        assert_eq!(compete_with(Policy::Triple, Platform::Ios), [true, true, true, false, false, false, false]);
        assert_eq!(compete_with(Policy::Triple, Platform::Linux), [false, false, false, true, true, true, false]);
        assert_eq!(compete_with(Policy::Multi, Platform::Ipad), [false, false, true, false, false, false, false]);
    }
}
