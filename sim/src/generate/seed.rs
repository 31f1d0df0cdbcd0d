//! A seed with its profile, and how people write it: `17`, or `power-loss:17`.

use std::fmt;
use std::str::FromStr;

/// What kind of scenarios is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Of every kind, each seed with other families of faults and actions.
    #[default]
    Swarm,
    /// Short ones whose server loses its power at least once, and mostly in the middle of something.
    PowerLoss,
    /// Short ones in which connections, disks and processes break all the time.
    Dense,
}

impl Profile {
    /// Every one.
    pub const ALL: [Profile; 3] = [Profile::Swarm, Profile::PowerLoss, Profile::Dense];

    /// Its word on a command line.
    pub const fn word(self) -> &'static str {
        match self {
            Profile::Swarm => "swarm",
            Profile::PowerLoss => "power-loss",
            Profile::Dense => "dense",
        }
    }
}

/// What a scenario is drawn from.
///
/// ```
/// use gatecrash_sim::generate::{Profile, Seed};
///
/// let seed: Seed = "power-loss:17".parse().unwrap();
/// assert_eq!(seed, Seed { profile: Profile::PowerLoss, number: 17 });
/// assert_eq!(Seed::from(17).to_string(), "17");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed {
    /// Of which kind.
    pub profile: Profile,
    /// Which one.
    pub number: u64,
}

impl From<u64> for Seed {
    fn from(number: u64) -> Self {
        Seed { profile: Profile::Swarm, number }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.profile {
            Profile::Swarm => write!(f, "{}", self.number),
            profile => write!(f, "{}:{}", profile.word(), self.number),
        }
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (profile, number) = match text.split_once(':') {
            None => (Some(Profile::Swarm), text),
            Some((word, number)) => (Profile::ALL.into_iter().find(|profile| profile.word() == word), number),
        };
        let number = number.parse().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()));
        match (profile, number) {
            (Some(profile), Some(number)) => Ok(Seed { profile, number }),
            _ => Err("a seed is a number, such as 17, or one with its profile, such as power-loss:17".to_owned()),
        }
    }
}
