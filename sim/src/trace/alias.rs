//! Which device the server takes for which: a copy of a disk brings the id of the device that it was copied from.

use std::collections::BTreeMap;

use super::{Actor, DeviceIndex, Effect, Event, What};

/// The devices that are another one to the server, so far in a trace.
#[derive(Debug, Default)]
pub struct Aliases(BTreeMap<DeviceIndex, DeviceIndex>);

impl Aliases {
    /// One more event of the trace.
    pub fn observe(&mut self, event: &Event) {
        match (event.actor, event.what) {
            (Actor::Device(copy), What::KnownAs { device, .. }) => drop(self.0.insert(copy, device)),
            (Actor::Device(device), What::NewDevice { .. })
            | (_, What::Effect { effect: Effect::ProcessDead { device } }) => drop(self.0.remove(&device)),
            _ => {}
        }
    }

    /// The device that the server takes this one for.
    pub fn known_to_server(&self, device: DeviceIndex) -> DeviceIndex {
        self.0.get(&device).copied().unwrap_or(device)
    }
}
