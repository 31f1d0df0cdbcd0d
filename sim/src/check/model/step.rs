//! One step of the reference server: what came in, and what is demanded because of it.
//!
//! Demands nothing itself: `demand` does.

use std::collections::BTreeMap;

use gatecrash::time::Instant;

use super::compare::Wanted;
use super::records::Id;
use super::tickets::Worth;
use crate::scenario::rules::RuleId;
use crate::trace::{DeviceIndex, Fact, UserIndex};

/// What one input leads to.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) now: Instant,
    /// The server's wall clock, in microseconds since 1970: between these two.
    pub(super) wall: (u64, u64),
    /// Who sent it, and on which connection.
    pub(super) from: Option<Id>,
    pub(super) on: Option<u32>,
    /// By which rule they are turned away, and why.
    pub(super) turned_away: Option<(RuleId, &'static str)>,
    pub(super) wanted: Vec<Wanted>,
    /// Whose sessions it touched, with the devices it kicked.
    pub(super) touched: BTreeMap<UserIndex, Vec<DeviceIndex>>,
    /// The ticket it has judged, and what may be said of it.
    pub(super) judged: Option<(DeviceIndex, UserIndex, Worth)>,
    /// What the server made of it: the numbers it gave, and what it decided where the model cannot.
    pub(super) given: Vec<Fact>,
    /// The change that what is said now reveals.
    pub(super) reveals: u32,
}
