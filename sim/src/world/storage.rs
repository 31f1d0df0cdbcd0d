//! A device's disk: what is on it, what it refuses, and how long it takes.
//!
//! Outlives the process. The same in every world: which writes are made, and what a failure means, the SDK's driver
//! decides, and in the event world whoever acts for it.

use std::time::Duration;

use gatecrash::client::Write;
use gatecrash::driver::OnDisk;
use gatecrash::time::Instant;

use crate::generate::draw::Draw;
use crate::scenario::Span;

/// What there is at the usual pace, which is none: most disks are never in trouble.
const AT_ONCE: Span = Span { min: Duration::ZERO, max: Duration::ZERO };

/// A device's disk.
#[derive(Debug, Default)]
pub(super) struct Storage {
    pub(super) on_disk: OnDisk,
    trouble: Option<Box<Trouble>>,
}

/// What is wrong with a disk, or was.
#[derive(Debug)]
struct Trouble {
    /// Refuses whatever is to be written once so many writes have been made.
    refuses_after: Option<u32>,
    has_refused: bool,
    pace: Span,
    pace_draw: Draw,
    landing_draw: Draw,
}

/// When a write gets to the disk, and when whoever asked for it is told so. A death before the first loses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) lands_at: Instant,
    pub(super) done_at: Instant,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    Done,
    /// Nothing of it is on the disk. `first`: since it was told to refuse, this is the first time it does.
    Refused {
        first: bool,
    },
}

impl Storage {
    /// Whether it writes everything, and at once.
    pub(super) fn is_well(&self) -> bool {
        self.trouble.as_ref().is_none_or(|trouble| trouble.refuses_after.is_none() && trouble.pace == AT_ONCE)
    }

    /// It refuses from its nth write on, counted from 1.
    pub(super) fn refuse(&mut self, seed: u64, device: &str, operation: u32) {
        let trouble = self.trouble(seed, device);
        (trouble.refuses_after, trouble.has_refused) = (Some(operation - 1), false);
    }

    /// A write takes so long.
    pub(super) fn slow_down(&mut self, seed: u64, device: &str, pace: Span) {
        self.trouble(seed, device).pace = pace;
    }

    /// It writes everything again, and at once.
    pub(super) fn mend(&mut self) {
        if let Some(trouble) = &mut self.trouble {
            (trouble.refuses_after, trouble.pace) = (None, AT_ONCE);
        }
    }

    /// Nothing is on it any more.
    pub(super) fn wipe(&mut self) {
        self.on_disk = OnDisk::default();
    }

    /// What cannot be read any more is as good as gone, until it is written anew: the record.
    pub(super) fn damage_record(&mut self) {
        self.on_disk.installation = None;
    }

    /// The same of every user's cache.
    pub(super) fn damage_caches(&mut self) {
        self.on_disk.conversations.clear();
    }

    /// A write begins.
    pub(super) fn begin(&mut self, now: Instant) -> Timing {
        let Some(trouble) = self.trouble.as_mut().filter(|trouble| trouble.pace != AT_ONCE) else {
            return Timing { lands_at: now, done_at: now };
        };
        let whole = trouble.pace_draw.within(trouble.pace);
        let part = u32::try_from(trouble.landing_draw.between(0, 1_000)).expect("a thousand at most");
        Timing { lands_at: now + whole * part / 1_000, done_at: now + whole }
    }

    /// A write gets to it.
    pub(super) fn land(&mut self, writes: impl IntoIterator<Item = Write>) -> Landing {
        if let Some(Trouble { refuses_after: Some(left), has_refused, .. }) = self.trouble.as_deref_mut() {
            if *left == 0 {
                return Landing::Refused { first: !std::mem::replace(has_refused, true) };
            }
            *left -= 1;
        }
        writes.into_iter().for_each(|write| self.on_disk.apply(write));
        Landing::Done
    }

    fn trouble(&mut self, seed: u64, device: &str) -> &mut Trouble {
        self.trouble.get_or_insert_with(|| {
            Box::new(Trouble {
                refuses_after: None,
                has_refused: false,
                pace: AT_ONCE,
                pace_draw: Draw::new(seed, device, "disk"),
                landing_draw: Draw::new(seed, device, "landing"),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::client::Installation;
    use gatecrash::id::DeviceId;

    use super::*;

    fn record(starts: u32) -> [Write; 1] {
        [Write::Installation(Installation { starts, ..Installation::new(DeviceId::from_bytes([7; 16])) })]
    }

    fn starts(storage: &Storage) -> Option<u32> {
        storage.on_disk.installation.as_ref().map(|installation| installation.starts)
    }

    #[test]
    fn it_refuses_from_a_write_on_until_it_is_mended() {
        let mut storage = Storage::default();
        storage.refuse(1, "phone", 2);
        assert_eq!(storage.land(record(1)), Landing::Done);
        assert_eq!(storage.land(record(2)), Landing::Refused { first: true });
        assert_eq!(storage.land(record(2)), Landing::Refused { first: false });
        assert_eq!(starts(&storage), Some(1));
        storage.mend();
        assert!(storage.is_well());
        assert_eq!(storage.land(record(2)), Landing::Done);
        assert_eq!(starts(&storage), Some(2));
    }

    #[test]
    fn a_slow_write_lands_before_it_is_done() {
        let mut storage = Storage::default();
        let (now, second) = (Instant::from_micros(5), Duration::from_secs(1));
        assert_eq!(storage.begin(now), Timing { lands_at: now, done_at: now });
        storage.slow_down(1, "phone", Span { min: second, max: second * 2 });
        for _ in 0..100 {
            let Timing { lands_at, done_at } = storage.begin(now);
            assert!(now <= lands_at && lands_at <= done_at);
            assert!(now + second <= done_at && done_at <= now + second * 2);
        }
    }
}
