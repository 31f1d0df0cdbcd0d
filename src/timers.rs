//! A core's timers: names with the times they are due at, the earliest first.
//!
//! Reads no clock and wakes nobody: a core asks for the next due time and says it onwards.

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
