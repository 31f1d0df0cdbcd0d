//! Changes are counted, on the server's disk and on each device's, and none is on a disk before it was written.

use gatecrash::code::Code;

use super::Misfit;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, Refusal, ServerFrame, What};

const SERVER: RuleId = rule("DUR-1");
const DEVICE: RuleId = rule("ATT-4");

/// Every disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disks {
    server: Disk,
    devices: Vec<Disk>,
}

/// The last change written, the last one that is there, and the last one that a frame revealed.
#[derive(Clone, Copy, Debug, Default)]
struct Disk {
    written: u32,
    kept: u32,
    revealed: u32,
}

impl Disks {
    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        match (event.actor, event.what) {
            (Actor::World, What::Effect { effect: Effect::ProcessDead { device } }) => {
                *self.device(device) = Disk::default();
                None
            }
            (Actor::Server, What::Commit { commit, .. }) => self.server.write(SERVER, commit),
            (Actor::Server, What::Committed { commit }) => self.server.keep(SERVER, commit),
            (Actor::Server, What::ServerSent { reveals, frame, .. }) => {
                self.server.reveal(SERVER, reveals, of_server(&frame))
            }
            (Actor::Server, What::ServerStarted { commit, .. }) => {
                let begun = Disk { written: commit, kept: commit, revealed: 0 };
                let Disk { written, kept, .. } = std::mem::replace(&mut self.server, begun);
                let is_one = (kept..=written).contains(&commit);
                (!is_one).then(|| (SERVER, format!("the server goes on from change {commit}, which was not decided")))
            }
            (Actor::Device(device), What::StoreAsked { change, .. }) => self.device(device).write(DEVICE, change),
            (Actor::Device(device), What::Stored { change }) => self.device(device).keep(DEVICE, change),
            (Actor::Device(device), What::DeviceSent { reveals, frame, .. }) => {
                self.device(device).reveal(DEVICE, reveals, of_device(&frame))
            }
            _ => None,
        }
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Disk {
        grown(&mut self.devices, device.index())
    }
}

impl Disk {
    fn write(&mut self, rule: RuleId, change: u32) -> Option<Misfit> {
        let last = std::mem::replace(&mut self.written, change);
        (change != last + 1).then(|| (rule, format!("change {change} was written after change {last}")))
    }

    fn keep(&mut self, rule: RuleId, change: u32) -> Option<Misfit> {
        let Disk { written, kept, .. } = *self;
        self.kept = change;
        let is_one = change > kept && change <= written;
        (!is_one).then(|| (rule, format!("change {change} is on the disk, after {kept} and with {written} written")))
    }

    /// Frames leave in the order in which they were made: what reveals anything reveals no less than the one before.
    fn reveal(&mut self, rule: RuleId, change: u32, reveals: Reveals) -> Option<Misfit> {
        let Disk { written, revealed, .. } = *self;
        let is_one = match reveals {
            Reveals::Nothing => change == 0,
            Reveals::Perhaps if change == 0 => true,
            Reveals::Perhaps | Reveals::All => (revealed..=written).contains(&change),
        };
        self.revealed = revealed.max(change);
        (!is_one).then(|| (rule, format!("a frame reveals change {change}, of {written} and after {revealed}")))
    }
}

/// What a frame tells of what was decided or written.
enum Reveals {
    Nothing,
    /// Nothing, where the change that it would have told of failed.
    Perhaps,
    All,
}

fn of_device(frame: &ClientFrame) -> Reveals {
    match frame {
        ClientFrame::Hello { .. }
        | ClientFrame::Login { .. }
        | ClientFrame::Resume { .. }
        | ClientFrame::Logout { .. }
        | ClientFrame::KickConfirmed { .. } => Reveals::All,
        ClientFrame::LoginAcknowledged { .. }
        | ClientFrame::Renew { .. }
        | ClientFrame::Heartbeat
        | ClientFrame::Send { .. }
        | ClientFrame::AdminKick { .. }
        | ClientFrame::Query { .. }
        | ClientFrame::MessagesReceived { .. } => Reveals::Nothing,
    }
}

fn of_server(frame: &ServerFrame) -> Reveals {
    const UNABLE: Option<Code> = Some(Code::ServerUnable);
    match *frame {
        ServerFrame::HeartbeatAnswer | ServerFrame::Error { .. } => Reveals::Nothing,
        ServerFrame::LoginRefused { refused: Refusal::Code(Code::ServerUnable), .. }
        | ServerFrame::ResumeUnable { .. }
        | ServerFrame::Closing { .. }
        | ServerFrame::RenewAnswer { refused: Some(Refusal::Code(Code::ServerUnable)), .. }
        | ServerFrame::LogoutAnswer { refused: Some(Refusal::Code(Code::ServerUnable)), .. } => Reveals::Perhaps,
        ServerFrame::SendAnswer { refused, .. }
        | ServerFrame::AdminKickAnswer { refused, .. }
        | ServerFrame::QueryAnswer { refused, .. }
            if refused == UNABLE =>
        {
            Reveals::Perhaps
        }
        _ => Reveals::All,
    }
}
