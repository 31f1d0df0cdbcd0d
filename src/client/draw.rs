//! What the SDK draws: numbers and device ids, each a pure function of its seed and of what for.
//!
//! Holds no stream: the same question gets the same answer, so a state can be cloned and compared.

use sha2::{Digest, Sha256};

use crate::id::{CallId, DeviceId, SendId};

/// What a draw is for. No two purposes share draws.
#[derive(Clone, Copy)]
enum Purpose {
    Device,
    BackOff,
    Send,
}

fn digest(seed: &[u8; 32], purpose: Purpose, what: &[u8]) -> [u8; 32] {
    let label: &[u8] = match purpose {
        Purpose::Device => b"gatecrash device id",
        Purpose::BackOff => b"gatecrash back-off",
        Purpose::Send => b"gatecrash message id",
    };
    Sha256::new().chain_update(seed).chain_update(label).chain_update(what).finalize().into()
}

/// The device id in the place of the one before, if there was one: under one seed no id comes up twice.
pub(super) fn device(seed: &[u8; 32], before: Option<&DeviceId>) -> DeviceId {
    let digest = digest(seed, Purpose::Device, before.map_or(&[], |before| before.as_bytes()));
    DeviceId::from_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))
}

/// The id of the message that this call sends. Calls never repeat under one seed.
pub(super) fn send(seed: &[u8; 32], CallId(call): CallId) -> SendId {
    let digest = digest(seed, Purpose::Send, &call.to_be_bytes());
    SendId::from_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))
}

/// An evenly distributed number for the `number`th back-off after so many attempts, where the back-off has started over
/// so often without an attempt in between.
pub(super) fn backoff(seed: &[u8; 32], attempts: u32, number: u32, again: u32) -> u64 {
    let mut what = [attempts.to_be_bytes(), number.to_be_bytes()].concat();
    if again > 0 {
        what.extend(again.to_be_bytes());
    }
    let digest = digest(seed, Purpose::BackOff, &what);
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ATT-1, ATT-3: device ids of one seed differ; CONN-2: so do the delays.
    #[test]
    fn draws_depend_on_everything_they_are_asked_for() {
        let seeds = [[1; 32], [2; 32]];
        let mut devices: Vec<DeviceId> = Vec::new();
        let mut numbers = Vec::new();
        for seed in &seeds {
            let mut before = None;
            for _ in 0..3 {
                before = Some(device(seed, before.as_ref()));
                devices.extend(before);
            }
            for (first, second, again) in [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 0, 2), (1, 1, 1)] {
                numbers.push(backoff(seed, first, second, again));
            }
        }
        devices.sort_unstable();
        devices.dedup();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!((devices.len(), numbers.len()), (6, 12));
    }
}
