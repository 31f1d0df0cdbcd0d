//! What a system promises: who wins a seat, what shares one, what coming back is, and what the victim is told.
//!
//! Data only: `rules` plays it, and the promises of gatecrash itself are one profile among others.

/// Who goes when somebody comes and every seat is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wins {
    /// The newcomer is accepted and displaces somebody.
    NewestWins,
    /// The newcomer is refused, and nobody is ever displaced.
    NewcomerRefused,
}

/// What shares a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatPlan {
    /// By platform, which is the index: its group, and how many devices may be on it at once. An accepted login displaces
    /// every session on another platform of its group, and of its own platform what is above the number: dormant ones
    /// first, then the oldest. A platform that is not listed is a group of its own with one seat.
    Groups(Vec<(u16, u16)>),
    /// One session of a user at all.
    OneName,
    /// One session for each name and resource: the platform's number is the resource.
    OneNameAndResource,
}

impl SeatPlan {
    /// The group of a platform. Logins of two groups never concern each other.
    pub(super) fn group(&self, platform: u16) -> u32 {
        match self {
            SeatPlan::Groups(platforms) => platforms
                .get(usize::from(platform))
                .map_or(0x1_0000 + u32::from(platform), |(group, _)| u32::from(*group)),
            SeatPlan::OneName => 0,
            SeatPlan::OneNameAndResource => u32::from(platform),
        }
    }

    /// How many devices may be on a platform at once: at least one.
    pub(super) fn seats(&self, platform: u16) -> usize {
        match self {
            SeatPlan::Groups(platforms) => {
                platforms.get(usize::from(platform)).map_or(1, |(_, seats)| usize::from(*seats).max(1))
            }
            SeatPlan::OneName | SeatPlan::OneNameAndResource => 1,
        }
    }
}

/// What it is when a device comes back after its link was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComesBack {
    /// Its session goes on and keeps its place in the order. If it was displaced meanwhile it stays so.
    Resume,
    /// Its session is accepted anew, as the newest, even if it was displaced meanwhile: so it may displace in its turn.
    Login,
}

/// What a displaced device learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// That it was displaced. A reason that comes with it is not held against the system.
    Told,
    /// That it was displaced, and whether by a device on its own platform or on another, or by an administrator.
    ToldWithReason,
    /// Nothing but that its connection is closed: that it heard nothing means nothing.
    Closed,
    /// Nothing.
    Silent,
}

/// What a system promises about the seats of a user.
///
/// ```
/// use gatecrash_sim::seats::{ComesBack, Profile, SeatPlan, Victim, Wins};
///
/// // Platforms 0 and 1 compete for one place; on platform 2 two devices may be at once.
/// let profile = Profile {
///     wins: Wins::NewestWins,
///     seats: SeatPlan::Groups(vec![(0, 1), (0, 1), (1, 2)]),
///     comes_back: ComesBack::Resume,
///     victim: Victim::ToldWithReason,
/// };
/// assert_eq!(profile, profile.clone());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Who goes when every seat is taken.
    pub wins: Wins,
    /// What shares a seat.
    pub seats: SeatPlan,
    /// What coming back is.
    pub comes_back: ComesBack,
    /// What the victim is told.
    pub victim: Victim,
}

/// How much the checker may look at before it gives up, and how much it keeps.
///
/// ```
/// use gatecrash_sim::seats::Bounds;
///
/// let patient = Bounds { states: 10_000_000, ..Bounds::default() };
/// assert!(patient.states > Bounds::default().states);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// States that one search visits before it is undecided. A state costs about as many microseconds as it takes to look
    /// at each operation once.
    pub states: usize,
    /// Explanations that are carried on past a cut, at most.
    pub worlds: usize,
    /// Operations (logins, own ends, administrators) that are kept before a cut is forced. At most 256 are.
    pub operations: usize,
    /// Displaced devices that were not told yet and are remembered, in each group of platforms.
    pub residues: usize,
    /// In microseconds, how long the checker waits with a cut: as long as a proof of life, or the news of a kick, may be
    /// under way.
    pub lag: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { states: 100_000, worlds: 64, operations: 192, residues: 1_000, lag: 30_000_000 }
    }
}
