//! A sweep in parts: which seeds each of them takes.
//!
//! A shard takes seeds in a row, as many as any other or one more. So it is a sweep like every other, `--seeds A..B` shows the
//! same without a shard, and the one seed in a hundred that runs twice is spread over all of them: in strides of a hundred
//! one shard would have them all.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of so many parts, counted from 1.
///
/// ```
/// use gatecrash_sim::search::shard::Shard;
///
/// let shard: Shard = "2/3".parse().unwrap();
/// assert_eq!(shard.seeds(&(0..10)), 3..6);
/// assert_eq!("4/3".parse::<Shard>().unwrap_err().to_string(), "of 3 shards the last one is 3/3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    of: u64,
    number: u64,
}

/// Why a text names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShard {
    /// It is no two numbers.
    #[error("expected which shard of how many, such as 3/16")]
    Form,
    /// There are no parts.
    #[error("there are no shards of 0: the least is 1/1, everything")]
    None,
    /// Before the first.
    #[error("of {0} shards the first one is 1/{0}")]
    BeforeFirst(u64),
    /// Behind the last.
    #[error("of {0} shards the last one is {0}/{0}")]
    BehindLast(u64),
}

impl Shard {
    /// Which it is, from 1.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Of how many.
    pub const fn of(self) -> u64 {
        self.of
    }

    /// Another of as many, where there is one of this number.
    pub fn sibling(self, number: u64) -> Option<Shard> {
        (1..=self.of).contains(&number).then_some(Shard { number, ..self })
    }

    /// Its seeds among these; none where there are more shards than seeds, and it is one of those that go without.
    pub fn seeds(self, whole: &Range<u64>) -> Range<u64> {
        let number = u128::from(whole.end.saturating_sub(whole.start));
        let before = |shards: u64| whole.start + (number * u128::from(shards) / u128::from(self.of)) as u64;
        before(self.number - 1)..before(self.number)
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Shard, NoShard> {
        let (number, of) = text.split_once('/').ok_or(NoShard::Form)?;
        let digits = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<u64>().map_err(|_| NoShard::Form),
            false => Err(NoShard::Form),
        };
        match (digits(number)?, digits(of)?) {
            (_, 0) => Err(NoShard::None),
            (0, of) => Err(NoShard::BeforeFirst(of)),
            (number, of) if number > of => Err(NoShard::BehindLast(of)),
            (number, of) => Ok(Shard { of, number }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl TryFrom<String> for Shard {
    type Error = NoShard;

    fn try_from(text: String) -> Result<Shard, NoShard> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::scenario::fixed_seed::cases(256))]

        /// Every seed is in exactly one shard, in the order of the shards, and no shard has two more than another.
        #[test]
        fn every_seed_is_in_exactly_one_shard(first in any::<u64>(), number in 1_u64..5_000, of in 1_u64..300) {
            let whole = first.saturating_sub(number)..first.saturating_sub(number) + number;
            let shards = (1..=of).map(|number| Shard { of, number }.seeds(&whole));
            let taken: Vec<u64> = shards.clone().flatten().collect();
            prop_assert!(taken.into_iter().eq(whole.clone()));
            let sizes: Vec<u64> = shards.map(|seeds| seeds.end - seeds.start).collect();
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{sizes:?}");
        }

        #[test]
        fn a_shard_reads_as_it_prints(of in 1_u64.., number in any::<u64>()) {
            let shard = Shard { of, number: number % of + 1 };
            prop_assert_eq!(shard.to_string().parse(), Ok(shard));
        }
    }

    #[test]
    fn the_largest_interval_has_its_parts() {
        let last: Shard = "7/7".parse().unwrap();
        assert_eq!(last.seeds(&(0..u64::MAX)).end, u64::MAX);
        assert_eq!(last.sibling(0), None);
        assert_eq!(last.sibling(1).map(|shard| shard.to_string()), Some("1/7".to_owned()));
    }

    #[test]
    fn what_is_no_shard_is_told_why() {
        for (text, said) in [
            ("3", "expected which shard of how many, such as 3/16"),
            ("+3/16", "expected which shard of how many, such as 3/16"),
            ("3/", "expected which shard of how many, such as 3/16"),
            ("1/18446744073709551616", "expected which shard of how many, such as 3/16"),
            ("0/0", "there are no shards of 0: the least is 1/1, everything"),
            ("0/16", "of 16 shards the first one is 1/16"),
            ("17/16", "of 16 shards the last one is 16/16"),
        ] {
            assert_eq!(text.parse::<Shard>().unwrap_err().to_string(), said, "{text}");
        }
        assert!(serde_json::from_str::<Shard>("\"0/0\"").is_err());
    }
}
