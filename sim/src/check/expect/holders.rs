//! Whose each session is where devices have copies of one record: to the server they are one device.
//!
//! Where nothing was copied it has nothing to say.

use std::collections::BTreeMap;

use gatecrash::id::Attempt;

use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, Fact, ServerFrame, UserIndex, What};

/// A device id: whose it was first, and which of that device's it is.
type Id = (DeviceIndex, u16);

/// Which device made each session, from the first start on a copy on.
#[derive(Default)]
pub(super) struct Holders {
    has_copies: bool,
    known_as: BTreeMap<DeviceIndex, DeviceIndex>,
    /// By which id each device speaks, and for whom it last asked.
    speaks_as: BTreeMap<DeviceIndex, Id>,
    asked_for: BTreeMap<DeviceIndex, UserIndex>,
    /// Who came first with each attempt.
    attempts: BTreeMap<(Id, Attempt), DeviceIndex>,
    sessions: BTreeMap<(UserIndex, u32), DeviceIndex>,
}

impl Holders {
    pub(super) fn read(&mut self, event: &Event) {
        match (event.actor, event.what) {
            (Actor::Device(copy), What::KnownAs { device, .. }) => {
                self.has_copies = true;
                self.known_as.insert(copy, device);
            }
            (Actor::Device(device), What::NewDevice { .. })
            | (_, What::Effect { effect: Effect::ProcessDead { device } }) => {
                self.known_as.remove(&device);
            }
            (Actor::Device(device), What::DeviceSent { frame, .. }) if self.has_copies => self.sent(device, &frame),
            (Actor::Device(device), What::DeviceReceived { frame: ServerFrame::LoginAccepted { epoch, .. }, .. })
                if self.has_copies =>
            {
                if let Some(&user) = self.asked_for.get(&device) {
                    self.sessions.insert((user, epoch), device);
                }
            }
            (_, What::Fact { fact: Fact::SessionAccepted { user, device, installation, epoch, attempt, .. }, .. }) => {
                // Two copies may come with the same number, and one is let in: the answer tells which.
                if let Some(&holder) = self.attempts.get(&((device, installation), attempt)) {
                    self.sessions.insert((user, epoch), holder);
                }
            }
            _ => {}
        }
    }

    fn sent(&mut self, device: DeviceIndex, frame: &ClientFrame) {
        match *frame {
            ClientFrame::Hello { installation, .. } => {
                let name = self.known_as.get(&device).copied().unwrap_or(device);
                self.speaks_as.insert(device, (name, installation));
            }
            ClientFrame::Login { attempt, user, .. } | ClientFrame::Resume { attempt, user, .. } => {
                self.asked_for.insert(device, user);
                if let Some(&id) = self.speaks_as.get(&device) {
                    self.attempts.entry((id, attempt)).or_insert(device);
                }
            }
            _ => {}
        }
    }

    /// The fact with the device that made the session in the place of the one that the server takes it for.
    pub(super) fn names(&self, mut fact: Fact) -> Fact {
        if let Fact::SessionAccepted { user, device, epoch, .. }
        | Fact::SessionResumed { user, device, epoch, .. }
        | Fact::LinkLost { user, device, epoch, .. }
        | Fact::SessionEnded { user, device, epoch, .. } = &mut fact
            && let Some(holder) = self.sessions.get(&(*user, *epoch))
        {
            *device = *holder;
        }
        fact
    }
}
