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

fn digest(seed: &[u8; 32], purpose: Purpose, first: u32, second: u32) -> [u8; 32] {
    let label: &[u8] = match purpose {
        Purpose::Device => b"gatecrash device id",
        Purpose::BackOff => b"gatecrash back-off",
        Purpose::Send => b"gatecrash message id",
    };
    Sha256::new()
        .chain_update(seed)
        .chain_update(label)
        .chain_update(first.to_be_bytes())
        .chain_update(second.to_be_bytes())
        .finalize()
        .into()
}

/// The `number`th device id of the start with this count.
pub(super) fn device(seed: &[u8; 32], starts: u32, number: u32) -> DeviceId {
    let digest = digest(seed, Purpose::Device, starts, number);
    DeviceId::from_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))
}

/// The id of the message that this call sends. Calls never repeat under one seed.
pub(super) fn send(seed: &[u8; 32], CallId(call): CallId) -> SendId {
    let digest = digest(seed, Purpose::Send, (call >> 32) as u32, call as u32);
    SendId::from_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))
}

/// An evenly distributed number for the `number`th back-off after so many attempts.
pub(super) fn backoff(seed: &[u8; 32], attempts: u32, number: u32) -> u64 {
    let digest = digest(seed, Purpose::BackOff, attempts, number);
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ATT-3: device ids of one seed differ; CONN-2: so do the delays.
    #[test]
    fn draws_depend_on_everything_they_are_asked_for() {
        let seeds = [[1; 32], [2; 32]];
        let mut devices: Vec<DeviceId> = Vec::new();
        let mut numbers = Vec::new();
        for seed in &seeds {
            for (first, second) in [(0, 0), (0, 1), (1, 0)] {
                devices.push(device(seed, first, second));
                numbers.push(backoff(seed, first, second));
            }
        }
        devices.sort_unstable();
        devices.dedup();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!((devices.len(), numbers.len()), (6, 6));
    }
}
