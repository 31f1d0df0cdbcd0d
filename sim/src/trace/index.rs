//! The numbers by which the events of a trace name who and what.
//!
//! Knows nothing of what stands behind one: `cast` does.

use std::num::NonZeroU32;

macro_rules! indices {
    ($($(#[$doc:meta])+ $name:ident;)+) => { $(
        $(#[$doc])+
        // Counted from one inside: an optional index is no larger than an index.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The one at this place of the cast.
            ///
            /// # Panics
            ///
            /// When a cast would have over four billion of them.
            pub fn new(index: usize) -> Self {
                let one_based = u32::try_from(index).ok().and_then(|index| NonZeroU32::MIN.checked_add(index));
                $name(one_based.expect("a cast has under four billion of each kind"))
            }

            /// Its place in the cast, from 0.
            pub fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )+ };
}

indices! {
    /// A device of the scenario.
    DeviceIndex;
    /// A user, or what an application wrote in the place of one.
    UserIndex;
    /// A site of the scenario.
    SiteIndex;
    /// A ticket.
    TicketIndex;
    /// A text.
    TextIndex;
    /// A list.
    ListIndex;
}

impl DeviceIndex {
    /// Whoever speaks without being a device of the scenario.
    pub const STRANGER: DeviceIndex = DeviceIndex(NonZeroU32::MAX);
}
