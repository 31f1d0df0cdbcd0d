//! The vocabulary both cores speak: times, names, limits and words, and what the records say of themselves.

use std::time::Duration;

use gatecrash::client::{Call, Event, Status};
use gatecrash::code::Code;
use gatecrash::id::{Attempt, Change, DeviceId, Epoch, MessageId, UserId};
use gatecrash::limits::{ClientLimits, ServerLimits};
use gatecrash::policy::Platform;
use gatecrash::protocol::{
    CONVERSATIONS_MAX, Closing, DeviceState, FRAME_BYTES_MAX, FrameError, Kick, KickReason, Message, PREVIEW_BYTES_MAX,
    Presence, QUERY_USERS_MAX, SessionName, TEXT_BYTES_MAX,
};
use gatecrash::store::{Commit, EPOCHS_PER_START, EndReason, Fact, Records, UserRecord};
use gatecrash::ticket::{INFLATED_BYTES_MAX, TICKET_BYTES_MAX, Ticket};
use gatecrash::time::{Instant, Now, WallTime};

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

/// CONN-2, CONN-5, LOGIN-3, API-5: the numbers the rules name, for each platform.
#[test]
fn a_devices_limits_are_the_rules_numbers() {
    for platform in Platform::ALL {
        let limits = ClientLimits::of(platform);
        let seconds = [limits.login_timeout, limits.request_timeout, limits.connect_timeout, limits.heartbeat_answer];
        assert_eq!(seconds.map(|span| span.as_secs_f64()), [30.0, 15.0, 10.0, 15.0], "{platform}");
        let web = platform == Platform::Web;
        assert_eq!(limits.heartbeat.as_secs_f64(), if web { 60.0 } else { 120.0 }, "{platform}");
        assert_eq!(limits.backoff_max.as_secs_f64(), if web { 16.0 } else { 64.0 }, "{platform}");
        assert_eq!(limits.backoff_first.as_millis(), 250);
        assert_eq!(limits.backoff_min.as_millis(), 250);
        assert_eq!(limits.backoff_reset.as_secs_f64(), 30.0);
        assert_eq!(limits.backoff_spread_percent, 20);
    }
}

/// CONN-5, CONN-6, INPUT-2, KICK-10, TICKET-4, PRES-1: the numbers the rules name.
#[test]
fn the_servers_limits_are_the_rules_numbers() {
    let limits = ServerLimits::default();
    for platform in Platform::ALL {
        let seconds = if platform == Platform::Web { 90 } else { 400 };
        assert_eq!(limits.silence_of(platform), Duration::from_secs(seconds), "{platform}");
        assert_eq!(limits.dormant_of(platform), Duration::from_secs(seconds), "{platform}");
    }
    assert_eq!([limits.admission, limits.kick_linger].map(|span| span.as_secs()), [45, 15]);
    assert_eq!([limits.refusals_window, limits.refusals_lock].map(|span| span.as_secs()), [60, 60]);
    assert_eq!((limits.refusals_max, limits.records_max), (10, 65_536));
    assert_eq!(limits.push_online, Duration::from_secs(604_800));
}

/// INPUT-1, API-2, API-4, ADMIN-2, TICKET-3: sizes in bytes and numbers of entries.
#[test]
fn sizes_are_the_rules_numbers() {
    assert_eq!([FRAME_BYTES_MAX, TEXT_BYTES_MAX, PREVIEW_BYTES_MAX], [65_536, 12_288, 64]);
    assert_eq!([QUERY_USERS_MAX, CONVERSATIONS_MAX], [100, 200]);
    assert_eq!([TICKET_BYTES_MAX, INFLATED_BYTES_MAX], [8_192, 65_536]);
}

/// TICKET-3, DAU-1: the fraction of a second is cut off, and a UTC day has 86,400 of them.
#[test]
fn seconds_and_days_are_cut_and_never_rounded() {
    assert_eq!(WallTime::from_micros(1_999_999).seconds(), 1);
    assert_eq!(WallTime::from_micros(2_000_000), WallTime::from_seconds(2));
    assert_eq!(WallTime::from_seconds(2).as_micros(), 2_000_000);
    let days = [0, 86_399, 86_400, 172_799, 172_800].map(|second| WallTime::from_seconds(second).day());
    assert_eq!(days, [0, 0, 1, 1, 2]);
}

/// DUR-4: what runs on the wall clock is due when that clock will show it, and never before now.
#[test]
fn spans_are_added_and_told_on_both_clocks() {
    let (second, half) = (Duration::from_secs(1), Duration::from_micros(500_000));
    assert_eq!(Instant::from_micros(3) + second, Instant::from_micros(1_000_003));
    assert_eq!((Instant::from_micros(1_500_000) - Instant::from_micros(500_000)), second);
    assert_eq!((Instant::ZERO - Instant::from_micros(1)), Duration::ZERO);
    assert_eq!(WallTime::from_seconds(1) + half, WallTime::from_micros(1_500_000));
    assert_eq!(WallTime::from_seconds(3) - WallTime::from_seconds(2), second);
    assert_eq!(WallTime::from_seconds(2) - WallTime::from_seconds(3), Duration::ZERO);
    let now = Now { instant: Instant::from_micros(7), wall: WallTime::from_seconds(10) };
    assert_eq!(now.instant_of(WallTime::from_seconds(11)), Instant::from_micros(1_000_007));
    assert_eq!(now.instant_of(WallTime::from_seconds(9)), now.instant);
}

/// LOGIN-2: 1 to 32 bytes of `a-z A-Z 0-9 _ -`.
#[test]
fn a_user_id_has_1_to_32_allowed_bytes() {
    let longest = "x".repeat(32);
    for allowed in ["a", "Z", "0", "_", "-", "aZ09_-", &longest] {
        assert_eq!(user(allowed).as_str(), allowed);
        assert_eq!(format!("{:>34}", user(allowed)), format!("{allowed:>34}"));
    }
    let too_long = "x".repeat(33);
    for refused in ["", " ", "a b", "b/b", "ä", "a.b", "@", "`", "\u{7f}", &too_long] {
        assert!(refused.parse::<UserId>().is_err(), "{refused:?}");
    }
}

/// ATT-3: what stands for a device in print is its public name, never the bits that end its sessions.
#[test]
fn names_are_printed_as_people_know_them() {
    let device = DeviceId::from_bytes([7; 16]);
    let name = device.public_name();
    assert_eq!(device.as_bytes(), &[7; 16]);
    let digits: String = name.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(name.to_string(), digits);
    assert_eq!(format!("{device:?} {name:?}"), format!("DeviceId({digits}) PublicName({digits})"));
    assert!(!format!("{device:?}").contains("0707"));
    assert_ne!(DeviceId::from_bytes([8; 16]).public_name(), name);
    assert_eq!(format!("{:?}", user("alice")), "UserId(alice)");
    assert_eq!(format!("{:>4} {}", Epoch(12), Attempt { start: 1, count: 9 }), "  12 1.9");
    assert_eq!(Instant::from_micros(61_002_999).to_string(), "61.002");
    assert_eq!(Code::NoLink.to_string(), "[9508] no link to the server");
    assert_eq!(format!("{:?}", Ticket::from("secret")), "Ticket(6 bytes)");
}

/// LOGIN-6, EVENT-1, KICK-1, PRES-1, ADMIN-2, INPUT-1: the words of traces and scenario files.
#[test]
fn words_are_those_of_traces_and_scenarios() {
    let (alice, text) = (user("alice"), String::new());
    let ticket = Ticket::from("t");
    let calls = [
        Call::Uninit,
        Call::Login { user: text.clone(), ticket, lasts: None },
        Call::Logout,
        Call::Conversations,
        Call::SendMessage { id: None, to: text.clone(), text: text.clone() },
        Call::AdminKick { user: text.clone() },
        Call::QueryStatus { users: Vec::new() },
    ];
    assert_eq!(calls.map(|call| call.word()), ["uninit", "login", "logout", "conversations", "send", "kick", "query"]);
    let kick = Kick { user: alice, epoch: Epoch(1), reason: KickReason::Gone, by: None };
    let events = [
        Event::Connecting,
        Event::ConnectSuccess,
        Event::ConnectFailed(Code::NoLink),
        Event::KickedOffline(kick),
        Event::UserSigExpired(SessionName { user: alice, epoch: Epoch(1) }),
        Event::Message(Message { id: MessageId(1), from: alice, to: alice, text }),
        Event::MessagesDropped(1),
    ];
    assert_eq!(
        events.map(|event| event.word()),
        [
            "connecting",
            "connect_success",
            "connect_failed",
            "kicked_offline",
            "user_sig_expired",
            "message",
            "messages_dropped"
        ]
    );
    assert_eq!(
        [Status::Logined, Status::Logining, Status::Logout].map(Status::word),
        ["LOGINED", "LOGINING", "LOGOUT"]
    );
    use KickReason::{Administrator, Gone, OtherPlatform, SamePlatform};
    assert_eq!(
        [SamePlatform, OtherPlatform, Administrator, Gone].map(KickReason::word),
        ["same_platform", "other_platform", "administrator", "gone"]
    );
    let presences = [Presence::Online, Presence::PushOnline, Presence::Offline];
    assert_eq!(presences.map(Presence::word), ["online", "push_online", "offline"]);
    let states = [DeviceState::Connected, DeviceState::LinkLost, DeviceState::Dormant];
    assert_eq!(states.map(DeviceState::word), ["connected", "link_lost", "dormant"]);
    let errors = [FrameError::Malformed, FrameError::Oversized, FrameError::OutOfPlace, FrameError::Version];
    assert_eq!(errors.map(FrameError::word), ["malformed", "oversized", "out_of_place", "version"]);
    assert_eq!([Closing::Stopping, Closing::Full].map(Closing::word), ["stopping", "full"]);
}

/// KICK-1, POLICY-3: whoever ended it themselves is told nothing; a displacement is a kick, an expiry is not.
#[test]
fn reasons_say_who_is_told_what() {
    use EndReason::{Administrator, Expired, Logout, OtherPlatform, OtherUser, Replaced, SamePlatform};
    let rows = [
        (SamePlatform, Some(KickReason::SamePlatform), true, false, "same_platform"),
        (OtherPlatform, Some(KickReason::OtherPlatform), true, false, "other_platform"),
        (Administrator, Some(KickReason::Administrator), false, false, "administrator"),
        (Expired, None, false, false, "expired"),
        (Logout, None, false, true, "logout"),
        (Replaced, None, false, true, "replaced"),
        (OtherUser, None, false, true, "other_user"),
    ];
    for (reason, kick, displaced, own, word) in rows {
        assert_eq!((reason.kick(), reason.is_displacement(), reason.is_own()), (kick, displaced, own), "{reason:?}");
        assert_eq!(reason.word(), word);
    }
}

/// DUR-3: with each start the epochs leap over any that the server before gave and lost.
#[test]
fn each_start_lifts_the_epochs_over_what_may_be_lost() {
    let mut records = Records::default();
    assert_eq!(records.epoch_floor(), Epoch(0));
    let floors = [(); 3].map(|()| {
        records.count_start();
        records.epoch_floor().0
    });
    assert_eq!(floors, [0, EPOCHS_PER_START, 2 * EPOCHS_PER_START]);

    // Somebody whose epochs ran ahead of the starts, on either side of a multiple that lost ones may have passed.
    for (last, floor) in [(5_899_999, 6), (5_900_000, 7), (5_999_999, 7), (6_000_000, 7), (6_900_000, 8)] {
        let account = UserRecord { last_epoch: Epoch(last), ..UserRecord::default() };
        let mut records = Records { users: [(user("alice"), account)].into(), starts: 3, ..Records::default() };
        records.count_start();
        assert_eq!(records.epoch_floor(), Epoch(floor * EPOCHS_PER_START), "after {last}");
    }
}

/// DAU-1, DAU-2: a day's number is how many users it counted; a day nobody logged in on counts none.
#[test]
fn days_count_their_users() {
    let (alice, bob) = (user("alice"), user("bob"));
    let facts = vec![
        Fact::AccountCreated { user: alice },
        Fact::AccountCreated { user: bob },
        Fact::DayCounted { user: alice, day: 7, users: 1 },
        Fact::DayCounted { user: bob, day: 7, users: 2 },
        Fact::DayCounted { user: bob, day: 8, users: 1 },
    ];
    let mut records = Records::default();
    records.apply(&Commit { number: Change(1), facts });
    assert_eq!([6, 7, 8, 9].map(|day| records.daily_active_users(day)), [0, 2, 1, 0]);
}

/// DAU-1: a day counts once, and one older than all that are remembered counts as counted.
#[test]
fn a_day_before_all_that_are_remembered_was_counted() {
    use gatecrash::decide::{Rules, ServerDecisions};
    let days = |days: &[u32]| days.iter().copied().collect();
    assert!(Rules.counts_day(&days(&[]), 3, 4));
    assert!(Rules.counts_day(&days(&[5, 6]), 3, 4), "there is room for it");
    assert!(!Rules.counts_day(&days(&[5, 6, 7]), 3, 4), "it may have been forgotten");
    assert!(Rules.counts_day(&days(&[5, 6, 8]), 3, 7), "it would be remembered");
    assert!(!Rules.counts_day(&days(&[5, 6, 8]), 3, 6), "it was counted");
}

/// ATT-2: a logout ends what came before it, and itself.
#[test]
fn a_logout_spares_what_came_after_it() {
    use gatecrash::decide::{Rules, ServerDecisions};
    use gatecrash::id::Attempt;
    let attempt = |start, count| Attempt { start, count };
    assert!(Rules.logout_ends(attempt(1, 4), attempt(1, 5)));
    assert!(!Rules.logout_ends(attempt(1, 6), attempt(1, 5)));
    assert!(!Rules.logout_ends(attempt(2, 1), attempt(1, 5)));
}

/// POLICY-1: policies are named as a configuration names them.
#[test]
fn policies_print_as_they_are_configured() {
    use gatecrash::policy::Policy;
    assert_eq!(Policy::ALL.map(|policy| policy.to_string()), ["single", "dual", "triple", "multi"]);
}
