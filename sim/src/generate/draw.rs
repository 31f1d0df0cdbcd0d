//! Random numbers while a world runs: one ChaCha stream per entity and purpose, keyed by the
//! scenario's seed.
//!
//! Whoever draws from one stream shifts nobody else's draws, so that taking a step away changes
//! little. The arithmetic is our own: a dependency's update does not change what a seed means.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::scenario::Span;

/// One stream of random numbers.
///
/// ```
/// use gatecrash_sim::generate::draw::Draw;
///
/// let mut one = Draw::new(7, "phone-1", "latency");
/// let mut same = Draw::new(7, "phone-1", "latency");
/// assert_eq!(one.below(1_000), same.below(1_000));
/// ```
#[derive(Clone, Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of this entity for this purpose.
    pub fn new(seed: u64, entity: &str, purpose: &str) -> Self {
        Draw(ChaCha8Rng::from_seed(Draw::key(seed, entity, purpose)))
    }

    /// 32 bytes that only this seed, entity and purpose give.
    pub fn key(seed: u64, entity: &str, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(seed.to_le_bytes())
            .chain_update((entity.len() as u64).to_le_bytes())
            .chain_update(entity)
            .chain_update(purpose)
            .finalize()
            .into()
    }

    /// What the SDK of one `init` draws from: the `init`th of the `start`th process of `device`, both
    /// from 1. What ships draws a new seed for each `init`, and so do the worlds.
    pub(crate) fn key_of_init(seed: u64, device: &str, start: u64, init: u64) -> [u8; 32] {
        match init {
            1 => Draw::key(seed, device, &format!("start {start}")),
            again => Draw::key(seed, device, &format!("start {start}, init {again}")),
        }
    }

    /// A number below `limit`, evenly: the high half of a 64 by 64 bit product, whose bias is below
    /// limit / 2⁶⁴.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        assert!(limit > 0, "there is no number below zero");
        ((u128::from(self.0.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A number between both, themselves included.
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "nothing is between {low} and {high}");
        low + self.below(high - low + 1)
    }

    /// A number from `low` up to `high`, each size as likely as any other: as many from 1 to 9 as from
    /// 10 to 99. An octave is drawn evenly, a number in it evenly, and the number is kept with a chance
    /// of octave / number, which leaves each number the chance 1 / number.
    ///
    /// # Panics
    ///
    /// If `low` is zero or above `high`, or `high` above 2⁶².
    pub fn log_between(&mut self, low: u64, high: u64) -> u64 {
        assert!(0 < low && low <= high && high <= 1 << 62, "no size is between {low} and {high}");
        let octaves = u64::from((high / low).ilog2()) + 1;
        loop {
            let octave = low << self.below(octaves);
            // Where there is but one it may be cut short, and drawing beyond its end would go on for ever.
            let width = if octaves == 1 { high - low + 1 } else { octave };
            let number = octave + self.below(width);
            if number <= high && self.below(number) < octave {
                return number;
            }
        }
    }

    /// Whether something happens that happens `part` times in `whole`.
    pub fn chance(&mut self, part: u64, whole: u64) -> bool {
        self.below(whole) < part
    }

    /// One of these, evenly.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// The place of one of these weights, each as likely as it is heavy; none when all are zero.
    pub fn weighted(&mut self, weights: &[u64]) -> Option<usize> {
        let whole: u64 = weights.iter().sum();
        let mut left = if whole == 0 { return None } else { self.below(whole) };
        weights.iter().position(|&weight| match left.checked_sub(weight) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        })
    }

    /// A span between both ends, in whole microseconds. Draws nothing where there is no choice.
    pub fn within(&mut self, span: Span) -> Duration {
        let width = (span.max - span.min).as_micros() as u64;
        if width == 0 { span.min } else { span.min + Duration::from_micros(self.below(width + 1)) }
    }

    /// So many random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a seed means is fixed: these numbers never change.
    #[test]
    fn a_stream_is_the_same_for_ever() {
        let mut draw = Draw::new(1, "phone-1", "latency");
        let drawn: Vec<u64> = (0..4).map(|_| draw.below(1_000)).collect();
        assert_eq!(drawn, [482, 816, 191, 394]);
    }

    #[test]
    fn streams_of_other_entities_and_purposes_differ() {
        let keys = [Draw::key(1, "a", "bc"), Draw::key(1, "ab", "c"), Draw::key(2, "a", "bc"), Draw::key(1, "a", "b")];
        for (index, key) in keys.iter().enumerate() {
            assert!(keys[..index].iter().all(|other| other != key));
        }
    }

    #[test]
    fn sizes_are_as_likely_as_one_another() {
        let mut draw = Draw::new(1, "x", "sizes");
        let mut decades = [0; 3];
        for _ in 0..30_000 {
            let number = draw.log_between(10, 9_999);
            decades[number.ilog10() as usize - 1] += 1;
        }
        assert!(decades.iter().all(|&count| (9_700..10_300).contains(&count)), "{decades:?}");
        let mut seen = [false; 3];
        (0..200).for_each(|_| seen[draw.log_between(5, 7) as usize - 5] = true);
        assert_eq!(seen, [true; 3]);
        assert_eq!(draw.log_between(1, 1), 1);
        assert_eq!(draw.log_between(1 << 50, 1 << 50), 1 << 50);
    }

    #[test]
    fn weights_are_chances() {
        let mut draw = Draw::new(1, "x", "weights");
        let mut drawn = [0; 4];
        for _ in 0..4_000 {
            drawn[draw.weighted(&[1, 0, 2, 1]).unwrap()] += 1;
        }
        assert_eq!(drawn[1], 0);
        assert!((1_850..2_150).contains(&drawn[2]), "{drawn:?}");
        assert_eq!(draw.weighted(&[0, 0]), None);
        assert_eq!((0..4_000).filter(|_| draw.chance(1, 4)).count() / 100, 10);
        let picked: Vec<u64> = (0..50).map(|_| *draw.pick(&[3, 4])).collect();
        assert!(picked.contains(&3) && picked.contains(&4));
        assert!((0..50).all(|_| (2..=4).contains(&draw.between(2, 4))));
    }

    #[test]
    fn spans_include_both_ends() {
        let span = Span { min: Duration::from_micros(3), max: Duration::from_micros(5) };
        let mut draw = Draw::new(1, "x", "y");
        let mut seen = [false; 3];
        for _ in 0..200 {
            seen[draw.within(span).as_micros() as usize - 3] = true;
        }
        assert_eq!(seen, [true; 3]);
    }
}
