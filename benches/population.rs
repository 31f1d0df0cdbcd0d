//! The accounts that the benchmarks of the store have on disk before anything is measured.
//!
//! Decides nothing and measures nothing: it writes down what a server would have decided.

use gatecrash::id::{Attempt, Change, DeviceId, Epoch, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol::Presence;
use gatecrash::store::{Commit, EndReason, Fact, SessionTicket};
use gatecrash::ticket::Signature;
use gatecrash::time::WallTime;

/// The app.
pub const APP: u64 = 1_400_000_000;

/// When everything measured happens: a second since 1970.
pub const TODAY: u64 = 1_700_000_000;

/// How long a ticket is valid, in seconds: a hundred days.
pub const TICKET_TTL: u64 = 8_640_000;

/// How many accounts are made in one transaction.
const AT_A_TIME: u32 = 20_000;

const DAY: u64 = 86_400;

/// The account of this number.
pub fn user(number: u32) -> UserId {
    format!("user-{number}").parse().expect("it is a user's id")
}

/// The device of the account of this number. Devices' ids are random bits: neighbours are strangers.
pub fn device(number: u32) -> DeviceId {
    DeviceId::from_bytes(bits(u64::from(number)))
}

/// These accounts as batches to be committed one after the other, the first change being number 1. Each logged in
/// yesterday on a device that is connected since, or lost its connection at once, or logged out: as its
/// presence has it.
pub fn batches(accounts: u32, presence: impl Fn(u32) -> Presence) -> impl Iterator<Item = Vec<Commit>> {
    (0..accounts).step_by(AT_A_TIME as usize).map(move |first| {
        let numbers = first..accounts.min(first + AT_A_TIME);
        numbers.map(|number| account(number, presence(number))).collect()
    })
}

fn account(number: u32, presence: Presence) -> Commit {
    let (user, device, epoch) = (user(number), device(number), Epoch(1));
    let yesterday = WallTime::from_seconds(TODAY - DAY);
    let ticket = SessionTicket {
        issued_at: yesterday.seconds(),
        last_second: yesterday.seconds() + TICKET_TTL,
        signature: Signature(
            [bits(u64::from(number)), bits(!u64::from(number))].concat().try_into().expect("32 bytes"),
        ),
    };
    let mut facts = vec![
        Fact::AccountCreated { user },
        Fact::SessionAccepted {
            user,
            device,
            platform: Platform::Android,
            epoch,
            attempt: Attempt { start: 1, count: 1 },
            ticket,
            keeper_before: None,
        },
        Fact::DayCounted { user, day: yesterday.day(), users: u64::from(number) + 1 },
        Fact::LoginAcknowledged { user, device, epoch },
    ];
    match presence {
        Presence::Online => {}
        Presence::PushOnline => facts.push(Fact::LinkLost { user, device, epoch, at: yesterday }),
        Presence::Offline => {
            facts.push(Fact::SessionEnded { user, device, epoch, reason: EndReason::Logout, by: None });
        }
    }
    facts.push(Fact::PresenceChanged { user, number: 1, presence, kicked: Vec::new() });
    Commit { number: Change(u64::from(number) + 1), facts }
}

/// Bits that look random and are the same each time (splitmix64).
fn bits(seed: u64) -> [u8; 16] {
    let mix = |seed: u64| {
        let mut bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)).to_le_bytes()
    };
    [mix(seed.wrapping_mul(2)), mix(seed.wrapping_mul(2).wrapping_add(1))].concat().try_into().expect("16 bytes")
}
