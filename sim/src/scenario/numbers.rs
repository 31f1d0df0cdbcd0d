//! The numbers and tables of the rules, written down a second time from SPEC.md.
//!
//! Checks, expectations and generated scenarios go by these, and never by what the product was built with: whoever
//! judges by the product's own tables finds every mistake in them right. A tidy test sees to that. The worlds run the
//! product as it is, with what a scenario sets laid over its own numbers.

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::limits::{ClientLimits, ServerLimits};
use gatecrash::policy::{Platform, Policy};
use gatecrash::protocol::KickReason;
use gatecrash::store::EndReason;

use super::LimitOverrides;
use super::config::{client_limits_over, server_limits_over};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;

/// For how long a server that stood still reads before it takes anybody for silent (CONN-5).
pub(crate) const CATCH_UP: Duration = Duration::from_millis(500);
/// By what a ticket may be refused (TICKET-3).
pub(crate) const TICKET_REFUSALS: [Code; 7] = [
    Code::TicketEmpty,
    Code::TicketMalformed,
    Code::TicketOtherApp,
    Code::TicketOtherUser,
    Code::TicketSignature,
    Code::TicketVoided,
    Code::TicketExpired,
];

/// For how many days it is remembered that a user was counted (DAU-1).
pub(crate) const DAYS_REMEMBERED: usize = 8;
/// The longest that a server may send somebody away for (CONN-2).
pub(crate) const AWAY_MAX: Duration = Duration::from_secs(60 * 60);
/// The longest name of a user, in bytes (LOGIN-2).
pub(crate) const USER_ID_MAX: usize = 32;
/// The longest text of a message, in bytes (API-4).
pub(crate) const TEXT_MAX: usize = 12 * 1024;
/// Of how many users one query may ask (API-4).
pub(crate) const QUERY_MAX: usize = 100;
/// How long the list is that comes with a login (API-2).
pub(crate) const LIST_MAX: usize = 200;
/// How long the preview of a message in such a list is, in bytes (API-2).
pub(crate) const PREVIEW_MAX: usize = 64;
/// How many messages may be under way to a device that has not acknowledged one of them (API-7).
pub(crate) const UNDER_WAY_MAX: usize = 16;
/// The version of the protocol (VERSION-1).
pub(crate) const PROTOCOL: u32 = 1;

/// What the list shows of a message: its beginning, as much of it as there is room for, cut between characters (API-2).
pub(crate) fn preview(text: &str) -> &str {
    let end = (0..=text.len().min(PREVIEW_MAX)).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or_default()]
}

/// The server's limits by the rules, and what a scenario sets of them.
pub(crate) fn server_limits(set: &LimitOverrides) -> ServerLimits {
    let rules = ServerLimits {
        silence: 400 * SECOND,
        silence_web: 90 * SECOND,
        dormant: 400 * SECOND,
        dormant_web: 90 * SECOND,
        admission: 45 * SECOND,
        kick_linger: 15 * SECOND,
        refusals_max: 10,
        refusals_window: 60 * SECOND,
        refusals_lock: 60 * SECOND,
        records_max: 65_536,
        conversations_max: LIST_MAX,
        push_online: 7 * DAY * SECOND,
        capacity: 100_000,
        logins_max: 60,
        logins_every: SECOND,
        return_after: SECOND,
        returns_per_second: 500,
        return_spread_min: SECOND / 4,
        return_spread_max: 30 * SECOND,
        heartbeat: None,
        sent_max: 10_000,
        owed_max: 1_000,
        owed_bytes_max: 1 << 20,
        remembered: 30 * DAY * SECOND,
        remembered_max: 1_000,
    };
    server_limits_over(rules, set)
}

/// The limits of a device's SDK by the rules, and what a scenario sets of them.
pub(crate) fn client_limits(set: &LimitOverrides, platform: Platform) -> ClientLimits {
    let is_web = platform == Platform::Web;
    let rules = ClientLimits {
        login_timeout: 30 * SECOND,
        request_timeout: 15 * SECOND,
        connect_timeout: 10 * SECOND,
        heartbeat: if is_web { 60 * SECOND } else { 120 * SECOND },
        heartbeat_answer: 15 * SECOND,
        heartbeat_min: 30 * SECOND,
        heartbeat_recovery: HOUR * SECOND,
        probe_answer: SECOND,
        backoff_first: SECOND / 4,
        backoff_min: SECOND / 4,
        backoff_max: if is_web { 16 * SECOND } else { 64 * SECOND },
        backoff_spread_percent: 20,
        backoff_reset: 30 * SECOND,
    };
    client_limits_over(rules, set, platform)
}

/// After how long without a byte a connection of this platform is closed (CONN-5).
pub(crate) fn silence_of(limits: &ServerLimits, platform: Platform) -> Duration {
    if platform == Platform::Web { limits.silence_web } else { limits.silence }
}

/// After how long without a connection a session of this platform is dormant (CONN-6).
pub(crate) fn dormant_of(limits: &ServerLimits, platform: Platform) -> Duration {
    if platform == Platform::Web { limits.dormant_web } else { limits.dormant }
}

/// Whether a push reaches it (PRES-1).
pub(crate) fn is_mobile(platform: Platform) -> bool {
    match platform {
        Platform::Android | Platform::Ios | Platform::Ipad => true,
        Platform::Windows | Platform::Mac | Platform::Linux | Platform::Web => false,
    }
}

/// Whether two platforms are of one group, of which one may be logged in (POLICY-1).
pub(crate) fn is_one_group(policy: Policy, one: Platform, other: Platform) -> bool {
    let group = |platform| match (policy, platform) {
        (Policy::Single, _) => 0,
        (Policy::Dual | Policy::Triple, Platform::Web) => 1,
        (Policy::Dual, _) => 2,
        (Policy::Triple, Platform::Android | Platform::Ios | Platform::Ipad) => 3,
        (Policy::Triple, _) => 4,
        (Policy::Multi, platform) => 5 + platform as u32,
    };
    group(one) == group(other)
}

/// What a device is told of an end that it did not bring about itself and that is a kick (KICK-9).
pub(crate) fn kick_for(reason: EndReason) -> Option<KickReason> {
    match reason {
        EndReason::SamePlatform => Some(KickReason::SamePlatform),
        EndReason::OtherPlatform => Some(KickReason::OtherPlatform),
        EndReason::Administrator => Some(KickReason::Administrator),
        EndReason::Expired | EndReason::Logout | EndReason::Replaced | EndReason::OtherUser => None,
    }
}

/// Whether another login took the session's place (KICK-1).
pub(crate) fn is_displacement(reason: EndReason) -> bool {
    matches!(reason, EndReason::SamePlatform | EndReason::OtherPlatform)
}

/// Whether the device did it itself (KICK-3).
pub(crate) fn is_own(reason: EndReason) -> bool {
    matches!(reason, EndReason::Logout | EndReason::Replaced | EndReason::OtherUser)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// API-2: at the edge, and where a character would be cut.
    #[test]
    fn a_preview_is_the_beginning_as_far_as_there_is_room() {
        let text = "x".repeat(PREVIEW_MAX);
        assert_eq!(preview(""), "");
        assert_eq!(preview(&text), text);
        assert_eq!(preview(&format!("{text}y")), text);
        assert_eq!(preview(&format!("{}\u{e9}", &text[1..])), &text[1..]);
    }

    /// The product as shipped keeps the rules. Where they part, one of the two is wrong, and SPEC.md says which.
    #[test]
    fn the_product_has_the_same_numbers() {
        let unset = LimitOverrides::default();
        assert_eq!(ServerLimits::default(), server_limits(&unset));
        for platform in Platform::ALL {
            assert_eq!(ClientLimits::of(platform), client_limits(&unset, platform), "{platform:?}");
        }
        for policy in [Policy::Single, Policy::Dual, Policy::Triple, Policy::Multi] {
            for (one, other) in Platform::ALL.into_iter().flat_map(|one| Platform::ALL.map(|other| (one, other))) {
                assert_eq!(
                    policy.same_group(one, other),
                    is_one_group(policy, one, other),
                    "{policy:?} {one:?} {other:?}"
                );
            }
        }
        assert_eq!(gatecrash::decide::server::CATCH_UP, CATCH_UP);
        assert_eq!(gatecrash::store::DAYS_MAX, DAYS_REMEMBERED);
        assert_eq!(gatecrash::protocol::RETURN_MAX, AWAY_MAX);
        assert_eq!(gatecrash::id::USER_ID_BYTES_MAX, USER_ID_MAX);
        assert_eq!(gatecrash::protocol::TEXT_BYTES_MAX, TEXT_MAX);
        assert_eq!(gatecrash::protocol::QUERY_USERS_MAX, QUERY_MAX);
        assert_eq!(gatecrash::protocol::CONVERSATIONS_MAX, LIST_MAX);
        assert_eq!(gatecrash::protocol::PREVIEW_BYTES_MAX, PREVIEW_MAX);
        assert_eq!(gatecrash::protocol::MESSAGES_UNACKNOWLEDGED_MAX, UNDER_WAY_MAX);
        assert_eq!(gatecrash::protocol::VERSION, PROTOCOL);
    }
}
