//! Changes are counted, on the server's disk and on each device's, and none is on a disk before it was written.

use gatecrash::code::Code;
use gatecrash::time::Instant;

use super::{Misfit, unfit};
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, Refusal, ServerFrame, What, Write};

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
    /// The last one on which frames rest: on a device, that of its record.
    tellable: u32,
    kept: u32,
    /// Since when, and the last one that was there before.
    kept_at: Instant,
    kept_before: u32,
    revealed: u32,
}

impl Disks {
    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        match (event.actor, event.what) {
            (Actor::World, What::Effect { effect: Effect::ProcessDead { device } }) => {
                *self.device(device) = Disk::default();
                None
            }
            (Actor::Server, What::Commit { commit, .. }) => self.server.write(SERVER, commit, true),
            (Actor::Server, What::Committed { commit }) => self.server.keep(SERVER, commit, event.at),
            (Actor::Server, What::ServerSent { reveals, frame, .. }) => {
                self.server.reveal(SERVER, reveals, of_server(&frame))
            }
            (Actor::Server, What::ServerStarted { commit, .. }) => {
                let begun = Disk {
                    written: commit,
                    tellable: commit,
                    kept: commit,
                    kept_at: event.at,
                    kept_before: commit,
                    revealed: 0,
                };
                let Disk { written, kept, .. } = std::mem::replace(&mut self.server, begun);
                let is_one = (kept..=written).contains(&commit);
                (!is_one)
                    .then(|| unfit(SERVER, format!("the server goes on from change {commit}, which was not decided")))
            }
            (Actor::Device(device), What::StoreAsked { change, write }) => {
                self.device(device).write(DEVICE, change, matches!(write, Write::Installation { .. }))
            }
            (Actor::Device(device), What::Stored { change }) => self.device(device).keep(DEVICE, change, event.at),
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
    fn write(&mut self, rule: RuleId, change: u32, is_tellable: bool) -> Option<Misfit> {
        let last = std::mem::replace(&mut self.written, change);
        if is_tellable {
            self.tellable = change;
        }
        (change != last + 1).then(|| unfit(rule, format!("change {change} was written after change {last}")))
    }

    fn keep(&mut self, rule: RuleId, change: u32, at: Instant) -> Option<Misfit> {
        let Disk { written, kept, .. } = *self;
        self.kept = change;
        if std::mem::replace(&mut self.kept_at, at) != at {
            self.kept_before = kept;
        }
        let is_one = change > kept && change <= written;
        (!is_one)
            .then(|| unfit(rule, format!("change {change} is on the disk, after {kept} and with {written} written")))
    }

    /// What a frame reveals is the last change there was when it was made. It leaves at once where that is on the disk, and
    /// else as soon as it is: behind those made before, which reveal no more.
    fn reveal(&mut self, rule: RuleId, change: u32, reveals: Reveals) -> Option<Misfit> {
        let Disk { tellable, kept, kept_before, revealed, .. } = *self;
        let leaves_now = change <= kept && (change == tellable || change > kept_before);
        let is_one = match reveals {
            Reveals::Nothing => change == 0,
            Reveals::Perhaps if change == 0 => true,
            Reveals::Perhaps | Reveals::All => change >= revealed && leaves_now,
        };
        self.revealed = revealed.max(change);
        (!is_one).then(|| {
            unfit(rule, format!("a frame reveals change {change}, of {kept} on the disk and after {revealed}"))
        })
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
