//! Logins up to what a user and a server may take, seats, days, and devices that are remembered.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Seats};
use gatecrash::store::EndReason;
use gatecrash::time::{Instant, WallTime};

use super::super::table::{Reached, Situation};
use crate::check::grown::grown;
use crate::scenario::numbers::{DAYS_REMEMBERED, USER_ID_MAX};
use crate::trace::{Cast, DeviceIndex, Fact, UserIndex};

#[derive(Clone, Debug, Default)]
pub(super) struct Logins {
    pub(super) seats: Option<Seats>,
    /// The server's wall clock when it decided last.
    pub(super) wall: u64,
    /// By user: what their logins take yet until they are worked off, and when that was looked at.
    paces: Vec<(Duration, Instant)>,
    /// When tickets were looked at, as long as a server counts that.
    looked_at: Vec<Instant>,
    users: Vec<User>,
    /// Whose device it is, by its id, and whether it holds no session.
    devices: BTreeMap<(DeviceIndex, u16), (UserIndex, bool)>,
}

#[derive(Clone, Debug, Default)]
struct User {
    live: Vec<(DeviceIndex, u32, Platform)>,
    /// The days counted, in their order, and the change that counted the last.
    days: Vec<u32>,
    counted_by: u32,
}

impl User {
    fn seats_taken(&self, platform: Platform) -> usize {
        self.live.iter().filter(|(.., of)| *of == platform).count()
    }
}

impl Logins {
    /// What a server knows only as long as it runs.
    pub(super) fn forget(&mut self) {
        self.paces.clear();
        self.looked_at.clear();
    }

    /// CONN-12: a login or resume was taken, so that its ticket is looked at.
    pub(super) fn looked_at(&mut self, now: Instant, limits: &ServerLimits, reached: &mut Reached) {
        let each = Duration::from_secs(1) / limits.capacity;
        self.looked_at.retain(|&earlier| now < earlier + each);
        self.looked_at.push(now);
        if limits.capacity > 1 && self.looked_at.len() >= limits.capacity as usize {
            reached.add(Situation::CapacityAtMost);
        }
    }

    /// LOGIN-11
    pub(super) fn took(
        &mut self,
        now: Instant,
        fact: &Fact,
        is_login: bool,
        limits: &ServerLimits,
        reached: &mut Reached,
    ) {
        let Fact::SessionAccepted { user, .. } = *fact else { return };
        if !is_login {
            return;
        }
        let (left, at) = grown(&mut self.paces, user.index());
        *left = left.saturating_sub(now - *at) + limits.logins_every;
        *at = now;
        if limits.logins_max > 1 && *left > limits.logins_every * (limits.logins_max - 1) {
            reached.add(Situation::LoginsAtMost);
        }
    }

    fn user(&mut self, user: UserIndex) -> &mut User {
        grown(&mut self.users, user.index())
    }

    /// What is on the server's disk.
    pub(super) fn fact(
        &mut self,
        cast: &Cast,
        (commit, fact): (u32, &Fact),
        is_login: bool,
        limits: &ServerLimits,
        reached: &mut Reached,
    ) {
        match *fact {
            Fact::DayCounted { user, day, .. } => {
                let user = self.user(user);
                user.counted_by = commit;
                if let Err(place) = user.days.binary_search(&day) {
                    user.days.insert(place, day);
                }
            }
            Fact::SessionAccepted { user, device, installation, platform, epoch, .. } => {
                if cast.user_name(user).len() == USER_ID_MAX {
                    reached.add(Situation::NameAtMost);
                }
                let (seats, today) = (self.seats, WallTime::from_micros(self.wall).day());
                let account = self.user(user);
                if is_login && account.counted_by != commit {
                    counted_before(&account.days, today, reached);
                }
                account.live.push((device, epoch, platform));
                let seats = seats.map_or(0, |seats| seats.instances_max(platform));
                if seats > 1 && account.seats_taken(platform) == seats {
                    reached.add(Situation::SeatsFull);
                }
                self.devices.insert((device, installation), (user, false));
            }
            Fact::SessionEnded { user, device, installation, epoch, reason, .. } => {
                let seats = self.seats;
                let account = self.user(user);
                let place = account.live.iter().position(|&(of, is, _)| (of, is) == (device, epoch));
                if let Some(place) = place {
                    let (.., platform) = account.live[place];
                    let (seats, taken) =
                        (seats.map_or(0, |seats| seats.instances_max(platform)), account.seats_taken(platform));
                    if reason == EndReason::SamePlatform && seats > 1 && taken == seats {
                        reached.add(Situation::SeatTaken);
                    }
                    account.live.swap_remove(place);
                }
                if let Some((_, is_away)) = self.devices.get_mut(&(device, installation)) {
                    *is_away = true;
                }
            }
            Fact::DeviceForgotten { device, installation, .. } => {
                self.devices.remove(&(device, installation));
            }
            Fact::AttemptRaised { device, installation, .. } => {
                let Some(&(user, is_away)) = self.devices.get(&(device, installation)) else { return };
                let away = self.devices.values().filter(|&&one| one == (user, true)).count();
                if is_away && away == limits.remembered_max {
                    reached.add(Situation::RememberedAtMost);
                }
            }
            _ => {}
        }
    }
}

/// DAU-1: a login of a user who had been counted on these days counted for nothing on this one.
fn counted_before(days: &[u32], today: u32, reached: &mut Reached) {
    let Some(&oldest) = days.len().checked_sub(DAYS_REMEMBERED).and_then(|first| days.get(first)) else { return };
    if today == oldest {
        reached.add(Situation::DayStillKnown);
    }
    if today < oldest && !days.contains(&today) {
        reached.add(Situation::DayForgotten);
    }
}
