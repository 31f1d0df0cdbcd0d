//! Who and what the cores name, as indices into the cast.

use gatecrash::id::{ConnectionId, DeviceId, Epoch, PublicName, SendId, UserId};
use gatecrash::protocol::{self, Conversation, Message, SessionName, StatusReport};

use super::{Recording, Sdk, small};
use crate::trace::{
    ConversationLine, DeviceIndex, Kick, List, ListIndex, Observer, ReportDevice, ReportLine, Session, TextIndex,
    UserIndex,
};

impl<O: Observer> Recording<O> {
    pub(super) fn sdk(&mut self, device: DeviceIndex) -> &mut Sdk {
        &mut self.sdks[device.index()]
    }

    /// The id belongs to this device from now on, unless it has a copy of it: to the server an id is one device, that of
    /// whoever had it first. Says which of the ids of that one it is, counted from 1.
    pub(super) fn register(&mut self, device: DeviceIndex, id: &DeviceId) -> u16 {
        if let Some(&(_, number)) = self.installations.get(id) {
            return number;
        }
        let sdk = &mut self.sdks[device.index()];
        sdk.installations = sdk.installations.saturating_add(1);
        let number = sdk.installations;
        self.installations.insert(*id, (device, number));
        self.public_names.insert(id.public_name(), device);
        number
    }

    pub(super) fn installation(&self, id: &DeviceId) -> (DeviceIndex, u16) {
        self.installations.get(id).copied().unwrap_or((DeviceIndex::STRANGER, 0))
    }

    /// Whoever says hello: who is nobody's device is one of the strangers, who are counted from 1 like a device's ids.
    pub(super) fn greeted(&mut self, id: &DeviceId) -> u16 {
        let strangers = &mut self.strangers;
        let (_, number) = *self.installations.entry(*id).or_insert_with(|| {
            *strangers = strangers.saturating_add(1);
            (DeviceIndex::STRANGER, *strangers)
        });
        number
    }

    pub(super) fn device(&self, id: &DeviceId) -> DeviceIndex {
        self.installation(id).0
    }

    pub(super) fn named(&self, name: &PublicName) -> DeviceIndex {
        self.public_names.get(name).copied().unwrap_or(DeviceIndex::STRANGER)
    }

    pub(super) fn peer(&self, connection: ConnectionId) -> Option<DeviceIndex> {
        self.peers.get(connection.0 as usize).copied().flatten()
    }

    pub(super) fn user(&mut self, name: &str) -> UserIndex {
        let (index, is_new) = self.cast.user(name);
        if is_new {
            self.encoder.user(name);
        }
        index
    }

    pub(super) fn text(&mut self, text: &str) -> TextIndex {
        let (index, is_new) = self.cast.intern_text(text);
        if is_new {
            self.encoder.text(text);
        }
        index
    }

    /// What a sender calls a message, by the order in which such ids come up.
    pub(super) fn send(&mut self, id: SendId) -> u32 {
        let next = self.sends.len() as u32 + 1;
        *self.sends.entry(id).or_insert(next)
    }

    pub(super) fn list(&mut self, list: List) -> ListIndex {
        let (index, is_new) = self.cast.intern_list(list);
        if is_new {
            self.encoder.list(self.cast.list(index));
        }
        index
    }

    pub(super) fn users(&mut self, users: Vec<UserIndex>) -> Option<ListIndex> {
        (!users.is_empty()).then(|| self.list(List::Users(users)))
    }

    pub(super) fn conversations(&mut self, conversations: &[Conversation]) -> Option<ListIndex> {
        let lines: Vec<ConversationLine> = conversations
            .iter()
            .map(|line| ConversationLine {
                peer: self.user(line.peer.as_str()),
                last: small(line.last.0),
                preview: self.text(&line.preview),
            })
            .collect();
        (!lines.is_empty()).then(|| self.list(List::Conversations(lines)))
    }

    pub(super) fn report(&mut self, report: &StatusReport) -> Option<ListIndex> {
        let mut lines = Vec::new();
        for status in &report.users {
            let devices = status.devices.iter().map(|device| ReportDevice {
                device: self.named(&device.device),
                platform: device.platform,
                state: device.state,
            });
            let devices = devices.collect();
            let user = self.user(status.user.as_str());
            lines.push(ReportLine { user, presence: Some(status.presence), devices });
        }
        for user in &report.unknown {
            lines.push(ReportLine { user: self.user(user.as_str()), presence: None, devices: Vec::new() });
        }
        (!lines.is_empty()).then(|| self.list(List::Report(lines)))
    }

    pub(super) fn session(&mut self, name: &SessionName) -> Session {
        Session { user: self.user(name.user.as_str()), epoch: small(name.epoch.0) }
    }

    pub(super) fn kick(&mut self, kick: &protocol::Kick) -> Kick {
        let protocol::Kick { user, epoch: Epoch(epoch), reason, by } = kick;
        Kick {
            user: self.user(user.as_str()),
            epoch: small(*epoch),
            reason: *reason,
            by: by.as_ref().map(|by| self.named(by)),
        }
    }

    pub(super) fn message(&mut self, message: &Message) -> (u32, UserIndex, UserIndex, TextIndex) {
        let from: UserId = message.from;
        (small(message.id.0), self.user(from.as_str()), self.user(message.to.as_str()), self.text(&message.text))
    }
}
