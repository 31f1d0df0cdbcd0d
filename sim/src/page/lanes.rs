//! The lanes of a picture: the script, the server, and the devices by site.

use serde::Serialize;

use crate::trace::{Actor, Cast, DeviceIndex};

/// One lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// Who it is.
    pub name: String,
    /// What it is: `world`, `server` or `device`.
    pub kind: &'static str,
    /// Of a device where it is as the run begins, and its platform.
    pub what: String,
}

/// The lanes, and which of them is whose.
#[derive(Clone, Debug)]
pub struct Lanes {
    /// From left to right.
    pub lanes: Vec<Lane>,
    places: Vec<usize>,
}

/// The lane of the script and its faults.
pub const WORLD: usize = 0;
/// The lane of the server.
pub const SERVER: usize = 1;

impl Lanes {
    /// Those of everybody in a cast.
    pub fn of(cast: &Cast) -> Self {
        let plain = |name: &str, kind| Lane { name: name.to_owned(), kind, what: String::new() };
        let mut lanes = vec![plain("script", "world"), plain("server", "server")];
        let mut order: Vec<usize> = (0..cast.devices().len()).collect();
        order.sort_by_key(|&device| (cast.devices()[device].site, device));
        let mut places = vec![0; order.len()];
        for device in order {
            let known = &cast.devices()[device];
            places[device] = lanes.len();
            lanes.push(Lane {
                name: known.name.clone(),
                kind: "device",
                what: format!("@{} {}", cast.site_name(known.site), known.platform.word()),
            });
        }
        Lanes { lanes, places }
    }

    /// The lane of a device; none of a stranger.
    pub fn device(&self, device: DeviceIndex) -> Option<usize> {
        if device == DeviceIndex::STRANGER { None } else { self.places.get(device.index()).copied() }
    }

    /// The lane of whoever acts.
    pub fn actor(&self, actor: Actor) -> usize {
        match actor {
            Actor::World => WORLD,
            Actor::Server => SERVER,
            Actor::Device(device) => self.device(device).unwrap_or(WORLD),
        }
    }
}
