//! A core's timers: names with the times they are due at, the earliest first.
//!
//! For the many of a server, and for the few of a device, which every heartbeat sets and cancels.
//! Reads no clock and wakes nobody: a core asks for the next due time and says it onwards.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Timers of one kind on one clock. Setting one again moves it.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{time::Instant, timers::Timers};
///
/// let mut timers = Timers::default();
/// timers.set("tea", Instant::ZERO + Duration::from_secs(180));
/// timers.set("egg", Instant::ZERO + Duration::from_secs(60));
/// assert_eq!(timers.next(), Some((Instant::from_micros(60_000_000), "egg")));
/// timers.set_first("egg", Instant::ZERO + Duration::from_secs(90));
/// assert_eq!(timers.next(), Some((Instant::from_micros(60_000_000), "egg")));
/// timers.cancel("egg");
/// assert_eq!(timers.next().unwrap().1, "tea");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timers<At, Name> {
    due: BTreeMap<Name, At>,
    order: BTreeSet<(At, Name)>,
}

impl<At, Name> Default for Timers<At, Name> {
    fn default() -> Self {
        Timers { due: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<At, Name> Timers<At, Name>
where
    At: Copy + Ord + std::ops::Add<Duration, Output = At>,
    Name: Copy + Ord,
{
    /// Sets the timer, moving it if it was set.
    pub fn set(&mut self, name: Name, at: At) {
        if let Some(before) = self.due.insert(name, at) {
            self.order.remove(&(before, name));
        }
        self.order.insert((at, name));
    }

    /// Sets the timer unless it is set already.
    pub fn set_first(&mut self, name: Name, at: At) {
        if !self.due.contains_key(&name) {
            self.set(name, at);
        }
    }

    /// Takes the timer away. Says whether it was set.
    pub fn cancel(&mut self, name: Name) -> bool {
        let before = self.due.remove(&name);
        before.is_some_and(|at| self.order.remove(&(at, name)))
    }

    /// When the timer is due, if it is set.
    pub fn due(&self, name: Name) -> Option<At> {
        self.due.get(&name).copied()
    }

    /// The earliest timer; of several due at once the first by name.
    pub fn next(&self) -> Option<(At, Name)> {
        self.order.first().copied()
    }

    /// Takes the earliest timer away if it is due at `now`.
    pub fn pop_due(&mut self, now: At) -> Option<Name> {
        let (at, name) = self.next()?;
        (at <= now).then(|| {
            self.cancel(name);
            name
        })
    }

    /// Moves every timer this much later.
    pub fn shift(&mut self, by: Duration) {
        self.due.values_mut().for_each(|at| *at = *at + by);
        self.order = self.due.iter().map(|(&name, &at)| (at, name)).collect();
    }

    /// The timers that are set, by name.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.due.keys().copied()
    }
}

/// A handful of timers in one list. Does what [`Timers`] does, for whoever has but a few.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{time::Instant, timers::FewTimers};
///
/// let mut timers = FewTimers::default();
/// timers.set("tea", Instant::ZERO + Duration::from_secs(180));
/// timers.set("egg", Instant::ZERO + Duration::from_secs(60));
/// assert_eq!(timers.pop_due(Instant::ZERO + Duration::from_secs(60)), Some("egg"));
/// assert_eq!(timers.next().unwrap().1, "tea");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FewTimers<At, Name> {
    /// The earliest last; of several due at once the first by name last.
    latest_first: Vec<(At, Name)>,
}

impl<At, Name> Default for FewTimers<At, Name> {
    fn default() -> Self {
        FewTimers { latest_first: Vec::new() }
    }
}

impl<At, Name> FewTimers<At, Name>
where
    At: Copy + Ord + std::ops::Add<Duration, Output = At>,
    Name: Copy + Ord,
{
    /// Sets the timer, moving it if it was set.
    pub fn set(&mut self, name: Name, at: At) {
        self.cancel(name);
        let place = self.latest_first.partition_point(|&timer| timer > (at, name));
        self.latest_first.insert(place, (at, name));
    }

    /// Takes the timer away. Says whether it was set.
    pub fn cancel(&mut self, name: Name) -> bool {
        let place = self.latest_first.iter().position(|&(_, one)| one == name);
        place.map(|place| self.latest_first.remove(place)).is_some()
    }

    /// When the timer is due, if it is set.
    pub fn due(&self, name: Name) -> Option<At> {
        self.latest_first.iter().find(|&&(_, one)| one == name).map(|&(at, _)| at)
    }

    /// The earliest timer; of several due at once the first by name.
    pub fn next(&self) -> Option<(At, Name)> {
        self.latest_first.last().copied()
    }

    /// Takes away one that is due at `now`: whatever was due when, the first by name.
    pub fn pop_first_due(&mut self, now: At) -> Option<Name> {
        let due = self.latest_first.iter().filter(|&&(at, _)| at <= now);
        let name = due.map(|&(_, name)| name).min()?;
        self.cancel(name);
        Some(name)
    }

    /// Takes the earliest timer away if it is due at `now`.
    pub fn pop_due(&mut self, now: At) -> Option<Name> {
        self.latest_first.pop_if(|&mut (at, _)| at <= now).map(|(_, name)| name)
    }

    /// Moves every timer this much later.
    pub fn shift(&mut self, by: Duration) {
        self.latest_first.iter_mut().for_each(|(at, _)| *at = *at + by);
        self.latest_first.sort_unstable_by_key(|&timer| Reverse(timer));
    }

    /// The timers that are set, the latest first.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.latest_first.iter().map(|&(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    /// Both kinds do the same with whatever is asked of them.
    #[test]
    fn few_timers_are_timers() {
        let (mut many, mut few) = (Timers::default(), FewTimers::default());
        let mut random = 7_u64;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (name, at) = ((random >> 33) % 7, Instant::from_micros((random >> 40) % 50));
            match (random >> 60) % 5 {
                0 | 1 => {
                    many.set(name, at);
                    few.set(name, at);
                }
                2 => assert_eq!(many.cancel(name), few.cancel(name)),
                3 => assert_eq!(many.pop_due(at), few.pop_due(at)),
                _ => {
                    many.shift(Duration::from_micros(name));
                    few.shift(Duration::from_micros(name));
                }
            }
            assert_eq!((many.next(), many.due(name)), (few.next(), few.due(name)));
            let first = few.clone().pop_first_due(at);
            assert_eq!(first, many.names().find(|&name| many.due(name).is_some_and(|due| due <= at)));
            let mut names: Vec<u64> = few.names().collect();
            names.sort_unstable();
            assert_eq!(names, many.names().collect::<Vec<_>>());
        }
    }
}
