//! A user's sessions, by device, in one list.
//!
//! A map in the standard library makes room for eleven entries at once, over a kilobyte; most users
//! have one session and the policy allows but a few. Checks nothing: what may be in it is the
//! business of whoever decides facts.

use std::ops::Index;

use serde::{Deserialize, Serialize};

use super::Session;
use crate::id::DeviceId;

/// The sessions of one user: at most one for each device, in the order of the devices' ids.
///
/// ```
/// use gatecrash::store::Sessions;
///
/// assert_eq!(Sessions::default().iter().count(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sessions {
    by_device: Vec<(DeviceId, Session)>,
}

impl Sessions {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_device.is_empty()
    }

    /// The device's session.
    pub fn get(&self, device: &DeviceId) -> Option<&Session> {
        self.place(device).ok().map(|place| &self.by_device[place].1)
    }

    /// The device's session, to change it.
    pub fn get_mut(&mut self, device: &DeviceId) -> Option<&mut Session> {
        self.place(device).ok().map(|place| &mut self.by_device[place].1)
    }

    /// Puts in the device's session. Returns the one it had.
    pub fn insert(&mut self, device: DeviceId, session: Session) -> Option<Session> {
        match self.place(&device) {
            Ok(place) => Some(std::mem::replace(&mut self.by_device[place].1, session)),
            Err(place) => {
                // No room in advance: there are as many lists as users.
                self.by_device.reserve_exact(1);
                self.by_device.insert(place, (device, session));
                None
            }
        }
    }

    /// Takes out the device's session.
    pub fn remove(&mut self, device: &DeviceId) -> Option<Session> {
        self.place(device).ok().map(|place| self.by_device.remove(place).1)
    }

    /// Devices and their sessions.
    pub fn iter(&self) -> impl Iterator<Item = (&DeviceId, &Session)> {
        self.by_device.iter().map(|(device, session)| (device, session))
    }

    /// Devices and their sessions, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&DeviceId, &mut Session)> {
        self.by_device.iter_mut().map(|(device, session)| (&*device, session))
    }

    /// The devices.
    pub fn keys(&self) -> impl Iterator<Item = &DeviceId> {
        self.iter().map(|(device, _)| device)
    }

    /// The sessions.
    pub fn values(&self) -> impl Iterator<Item = &Session> {
        self.iter().map(|(_, session)| session)
    }

    /// Where the device's session is, or would be.
    fn place(&self, device: &DeviceId) -> Result<usize, usize> {
        self.by_device.binary_search_by(|(one, _)| one.cmp(device))
    }
}

impl Index<&DeviceId> for Sessions {
    type Output = Session;

    fn index(&self, device: &DeviceId) -> &Session {
        self.get(device).expect("the device has a session")
    }
}

impl FromIterator<(DeviceId, Session)> for Sessions {
    fn from_iter<Pairs: IntoIterator<Item = (DeviceId, Session)>>(pairs: Pairs) -> Self {
        let mut sessions = Sessions::default();
        for (device, session) in pairs {
            sessions.insert(device, session);
        }
        sessions
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::id::{Attempt, Epoch};
    use crate::policy::Platform;
    use crate::store::{Link, Owed, SessionTicket};
    use crate::ticket::Signature;

    fn session(epoch: u64) -> Session {
        let ticket = SessionTicket { issued_at: 0, last_second: 60, signature: Signature([0; 32]) };
        let (attempt, platform) = (Attempt::default(), Platform::Ios);
        let (link, owed) = (Link::Connected, Owed::default());
        Session { epoch: Epoch(epoch), platform, attempt, ticket, acknowledged: false, link, owed }
    }

    /// It does what a map does with whatever is asked of it.
    #[test]
    fn sessions_are_a_map() {
        let (mut map, mut sessions) = (BTreeMap::new(), Sessions::default());
        let mut random = 7_u64;
        for epoch in 0..5_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let device = DeviceId::from_bytes([(random >> 33) as u8 % 9; 16]);
            match (random >> 60) % 4 {
                0 | 1 => {
                    assert_eq!(map.insert(device, session(epoch)), sessions.insert(device, session(epoch)));
                }
                2 => assert_eq!(map.remove(&device), sessions.remove(&device)),
                _ => {
                    let (one, other) = (map.get_mut(&device), sessions.get_mut(&device));
                    assert_eq!(one, other);
                    one.into_iter().chain(other).for_each(|session| session.acknowledged = true);
                }
            }
            assert_eq!((map.get(&device), map.is_empty()), (sessions.get(&device), sessions.is_empty()));
            assert!(map.iter().eq(sessions.iter()));
            assert!(map.keys().eq(sessions.keys()) && map.values().eq(sessions.values()));
            assert_eq!(map.clone().into_iter().collect::<Sessions>(), sessions);
        }
    }
}
