//! Platforms, and which of them may be online together (POLICY-1, POLICY-2).
//!
//! Says what a policy allows. Who is displaced when it is exceeded is decided in `decide`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a device runs on. Mini programs are [`Platform::Web`].
///
/// ```
/// use gatecrash::policy::Platform;
///
/// assert!(Platform::Ipad.is_mobile());
/// assert_eq!("web".parse(), Ok(Platform::Web));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// An Android phone or tablet.
    Android,
    /// An iPhone.
    Ios,
    /// An iPad.
    Ipad,
    /// Windows.
    Windows,
    /// macOS.
    Mac,
    /// Linux.
    Linux,
    /// A browser or a mini program.
    Web,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Platform; 7] = [
        Platform::Android,
        Platform::Ios,
        Platform::Ipad,
        Platform::Windows,
        Platform::Mac,
        Platform::Linux,
        Platform::Web,
    ];

    /// Whether a push message can reach it without a connection (PRES-1).
    pub const fn is_mobile(self) -> bool {
        matches!(self, Platform::Android | Platform::Ios | Platform::Ipad)
    }

    /// The word configuration and traces use.
    pub const fn word(self) -> &'static str {
        match self {
            Platform::Android => "android",
            Platform::Ios => "ios",
            Platform::Ipad => "ipad",
            Platform::Windows => "windows",
            Platform::Mac => "mac",
            Platform::Linux => "linux",
            Platform::Web => "web",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The word names no platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a platform: android, ios, ipad, windows, mac, linux or web")]
pub struct UnknownPlatform;

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(word: &str) -> Result<Self, UnknownPlatform> {
        Platform::ALL.into_iter().find(|platform| platform.word() == word).ok_or(UnknownPlatform)
    }
}

/// Which platforms compete for one place (POLICY-1).
///
/// ```
/// use gatecrash::policy::{Platform, Policy};
///
/// assert!(Policy::Dual.same_group(Platform::Android, Platform::Mac));
/// assert!(!Policy::Triple.same_group(Platform::Android, Platform::Mac));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// One platform at a time.
    Single,
    /// One platform and the web.
    #[default]
    Dual,
    /// One mobile platform, one desktop platform and the web.
    Triple,
    /// Every platform.
    Multi,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Policy; 4] = [Policy::Single, Policy::Dual, Policy::Triple, Policy::Multi];

    /// Whether a login on one of these platforms competes with a session on the other.
    pub const fn same_group(self, one: Platform, other: Platform) -> bool {
        self.group(one) == self.group(other)
    }

    const fn group(self, platform: Platform) -> u8 {
        let web = matches!(platform, Platform::Web);
        match self {
            Policy::Single => 0,
            Policy::Dual => web as u8,
            Policy::Triple if web => 0,
            Policy::Triple => 1 + platform.is_mobile() as u8,
            Policy::Multi => platform as u8,
        }
    }

    /// The word configuration and traces use.
    pub const fn word(self) -> &'static str {
        match self {
            Policy::Single => "single",
            Policy::Dual => "dual",
            Policy::Triple => "triple",
            Policy::Multi => "multi",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A policy with its numbers of devices: only constructed within the ranges of POLICY-2.
///
/// ```
/// use std::collections::BTreeMap;
/// use gatecrash::policy::{Platform, Policy, Seats};
///
/// let seats = Seats::new(Policy::Dual, &BTreeMap::from([(Platform::Web, 3)])).unwrap();
/// assert_eq!(seats.instances_max(Platform::Web), 3);
/// assert_eq!(seats.instances_max(Platform::Ios), 1);
///
/// let error = Seats::new(Policy::Dual, &BTreeMap::from([(Platform::Ios, 2)])).unwrap_err();
/// assert_eq!(error.to_string(), "max_instances.ios is 2, outside 1 to 1 (more than 1 only under the policy multi)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seats {
    policy: Policy,
    instances_max: [u8; Platform::ALL.len()],
}

impl Default for Seats {
    fn default() -> Self {
        Seats { policy: Policy::default(), instances_max: [1; Platform::ALL.len()] }
    }
}

/// A number of devices outside its range (POLICY-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("max_instances.{platform} is {number}, outside 1 to {limit}{}",
    if *.limit == 1 { " (more than 1 only under the policy multi)" } else { "" })]
pub struct OutOfRange {
    /// Of which platform.
    pub platform: Platform,
    /// The number given.
    pub number: u32,
    /// The largest number allowed.
    pub limit: u32,
}

impl Seats {
    /// The seats of `policy` with these numbers; a platform not named has one.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for the first number outside 1 to 10 (web), 1 to 3 (others under `multi`) or
    /// 1 to 1 (others).
    pub fn new(policy: Policy, instances_max: &BTreeMap<Platform, u32>) -> Result<Self, OutOfRange> {
        let mut seats = Seats { policy, ..Seats::default() };
        for (&platform, &number) in instances_max {
            let limit = match (platform, policy) {
                (Platform::Web, _) => 10,
                (_, Policy::Multi) => 3,
                _ => 1,
            };
            if number < 1 || number > limit {
                return Err(OutOfRange { platform, number, limit });
            }
            seats.instances_max[platform as usize] = number as u8;
        }
        Ok(seats)
    }

    /// The policy.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// How many devices of one user may be logged in at once on `platform`.
    pub const fn instances_max(&self, platform: Platform) -> usize {
        self.instances_max[platform as usize] as usize
    }
}
