//! What is still missing, after faults are off, for everything to have come to rest.
//!
//! A call without its result, a login under way, a logged-in device that has not heard from the
//! server since, an end that the server is owed. A dead process has nothing to come to rest. When to ask is the world's business.

use gatecrash::client::Status;
use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::{Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Request, ServerFrame, What, Write};

/// Follows a run.
#[derive(Clone, Debug)]
pub(super) struct Convergence {
    devices: Vec<Device>,
    /// Some of them share a record, and so one name with the server.
    share_names: bool,
}

#[derive(Clone, Debug, Default)]
struct Device {
    pending: Vec<u32>,
    status: Status,
    has_heard: bool,
    /// The server has answered it since the faults are off: what it answered before may have overtaken what is lost.
    is_answered: bool,
    /// The connection asked for last: what comes on an earlier one says nothing of it (CONN-10).
    connection: Option<u32>,
    /// Its application called `init` last, and not `uninit`.
    begins_anew: bool,
    /// Its record says that the server is owed an end.
    owes_end: bool,
    /// The server does not support its version: it waits for the application (VERSION-1).
    has_given_up: bool,
    /// When it last went on after being frozen: what it hears then may have waited for long.
    woken_at: Option<Instant>,
}

impl Device {
    fn is_at_rest(&self) -> bool {
        let is_settled = match self.status {
            Status::Logining => false,
            Status::Logined => self.has_heard || self.has_given_up,
            Status::Logout => true,
        };
        is_settled && self.pending.is_empty() && !self.delivers_end()
    }

    fn delivers_end(&self) -> bool {
        self.status == Status::Logout && self.owes_end && !self.has_given_up
    }
}

impl Convergence {
    pub(super) fn new(cast: &Cast) -> Self {
        Convergence { devices: vec![Device::default(); cast.devices().len()], share_names: false }
    }

    /// Whether everything has come to rest.
    pub(super) fn is_reached(&self) -> bool {
        self.devices.iter().all(Device::is_at_rest)
    }

    /// What has not come to rest, by device; empty once everything has.
    pub(super) fn missing(&self, cast: &Cast) -> Vec<String> {
        let mut missing = Vec::new();
        for (index, device) in self.devices.iter().enumerate() {
            let mut say = |what: String| {
                missing.push(format!("{} {what}", cast.device_name(DeviceIndex::new(index))));
            };
            if let Some(call) = device.pending.first() {
                say(format!("waits for the result of call {call}"));
            }
            match device.status {
                Status::Logining => say("is still logging in".into()),
                Status::Logined if !device.has_heard && !device.has_given_up => {
                    say("is logged in and has not heard from the server since the faults ended".into());
                }
                Status::Logout if device.delivers_end() => say("owes the server an end".into()),
                Status::Logined | Status::Logout => {}
            }
        }
        missing
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match event.what {
            What::ScriptEnded => {
                for device in &mut self.devices {
                    (device.has_heard, device.is_answered) = (false, false);
                }
            }
            What::ServerSent { peer: Some(device), frame, .. } if says_it_is_there(&frame) => {
                let share_names = self.share_names;
                let is_it = |(index, _): &(usize, &mut Device)| share_names || *index == device.index();
                self.devices.iter_mut().enumerate().filter(is_it).for_each(|(_, device)| device.is_answered = true);
            }
            What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } => {
                self.devices[device.index()] = Device::default();
            }
            What::Effect { effect: Effect::DiskCopied { .. } } => self.share_names = true,
            What::Effect { effect: Effect::Woken { device } } => {
                self.devices[device.index()].woken_at = Some(event.at);
            }
            _ => {}
        }
        let Actor::Device(device) = event.actor else { return };
        let Some(device) = self.devices.get_mut(device.index()) else { return };
        match event.what {
            What::Called { call, request } => {
                device.pending.push(call);
                match request {
                    Request::Init { .. } => device.begins_anew = true,
                    Request::Uninit => device.begins_anew = false,
                    Request::Login { .. }
                    | Request::Logout
                    | Request::Conversations
                    | Request::Send { .. }
                    | Request::Kick { .. }
                    | Request::Query { .. } => {}
                }
            }
            What::Answered { call, .. } => device.pending.retain(|&pending| pending != call),
            What::Status { status, .. } => device.status = status,
            What::StoreAsked { write: Write::Installation { owed_end, .. }, .. } => device.owes_end = owed_end,
            // Nothing is left that could deliver it, unless the application began anew meanwhile.
            What::UninitReturned { .. } => device.owes_end &= device.begins_anew,
            What::DeviceReceived { frame: ServerFrame::Error { why: FrameError::Version }, .. } => {
                device.has_given_up = true;
            }
            What::DeviceReceived { connection, frame }
                if says_it_is_there(&frame) && device.connection.is_none_or(|last| last == connection) =>
            {
                device.has_heard = device.is_answered && device.woken_at != Some(event.at);
            }
            What::LinkKept => device.connection = None,
            // What it heard before says nothing of the link it asks about now, or makes.
            What::DeviceSent { frame: ClientFrame::Heartbeat, .. } | What::LinkLost => device.has_heard = false,
            // It does not wait for the application any more, which has begun anew.
            What::BackOff { .. } => device.has_given_up = false,
            What::ConnectAsked { connection } => {
                (device.has_heard, device.has_given_up, device.connection) = (false, false, Some(connection));
            }
            _ => {}
        }
    }
}

/// Whether a device that gets this has a session, as far as the server knows.
fn says_it_is_there(frame: &ServerFrame) -> bool {
    matches!(
        frame,
        ServerFrame::HeartbeatAnswer
            | ServerFrame::Resumed { .. }
            | ServerFrame::ResumedAsLogin { .. }
            | ServerFrame::LoginAccepted { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::trace::Terms;

    const TEXT: &str = r#"
title = "Two phones"
rules = ["KICK-3"]
seed = 1
devices.pad = { platform = "ipad", site = "home" }
devices.phone = { platform = "android", site = "home" }
script.until = "10s"
script.steps = ""
"#;

    /// The phone is logged in, and what came of that at rest is asked.
    fn is_reached(events: &[(Actor, What)]) -> bool {
        let cast = Cast::of(&Scenario::parse("phones.toml", TEXT).expect("a scenario"));
        let mut convergence = Convergence::new(&cast);
        for (number, &(actor, what)) in (1..).zip(events) {
            convergence.observe(&Event { at: Instant::from_micros(number.into()), actor, number, what });
        }
        convergence.is_reached()
    }

    /// KICK-3: an acceptance that was sent before the faults ended may come though the kick behind it is lost.
    #[test]
    fn an_answer_of_before_says_nothing_of_what_is_lost() {
        let (pad, phone) = (DeviceIndex::new(0), DeviceIndex::new(1));
        let frame = ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms: Terms::default() };
        let sent = |peer| (Actor::Server, What::ServerSent { connection: 0, peer: Some(peer), reveals: 0, frame });
        let over = (Actor::World, What::ScriptEnded);
        let received = (Actor::Device(phone), What::DeviceReceived { connection: 0, frame });
        let logined = (Actor::Device(phone), What::Status { status: Status::Logined, login_user: None });
        assert!(is_reached(&[over, sent(phone), received, logined]));
        assert!(!is_reached(&[sent(phone), over, received, logined]));
        assert!(!is_reached(&[over, sent(pad), received, logined]));
        // Of two with one record the server does not say which one it answers.
        let copied = (Actor::World, What::Effect { effect: Effect::DiskCopied { device: phone, onto: pad } });
        assert!(is_reached(&[copied, over, sent(pad), received, logined]));
    }
}
