//! What is still missing, after faults are off, for everything to have come to rest.
//!
//! Watches the trace: a call without its result, a login under way, a logged-in device that has not
//! heard from the server since. A dead process has nothing to come to rest.

use gatecrash::client::Status;

use crate::trace::{Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Observer, ServerFrame, What};

/// Follows a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Convergence {
    devices: Vec<Device>,
}

#[derive(Clone, Debug, Default)]
struct Device {
    pending: Vec<u32>,
    status: Status,
    has_heard: bool,
}

impl Convergence {
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
                Status::Logined if !device.has_heard => {
                    say("is logged in and has not heard from the server since the faults ended".into());
                }
                Status::Logined | Status::Logout => {}
            }
        }
        missing
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        if self.devices.len() <= device.index() {
            self.devices.resize(device.index() + 1, Device::default());
        }
        &mut self.devices[device.index()]
    }
}

impl Observer for Convergence {
    fn observe(&mut self, _: &Cast, event: &Event) {
        match event.what {
            What::ScriptEnded => self.devices.iter_mut().for_each(|device| device.has_heard = false),
            What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } => {
                *self.device(device) = Device::default();
            }
            _ => {}
        }
        let Actor::Device(device) = event.actor else { return };
        let device = self.device(device);
        match event.what {
            What::Called { call, .. } => device.pending.push(call),
            What::Answered { call, .. } => device.pending.retain(|&pending| pending != call),
            What::Status { status, .. } => device.status = status,
            What::DeviceReceived {
                frame:
                    ServerFrame::HeartbeatAnswer
                    | ServerFrame::Resumed { .. }
                    | ServerFrame::ResumedAsLogin { .. }
                    | ServerFrame::LoginAccepted { .. },
                ..
            } => device.has_heard = true,
            // What it heard before says nothing of the link it asks about now, or makes.
            What::DeviceSent { frame: ClientFrame::Heartbeat, .. } | What::LinkLost | What::ConnectAsked { .. } => {
                device.has_heard = false;
            }
            _ => {}
        }
    }
}
