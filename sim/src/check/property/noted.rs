//! What a device's record says of a session that has ended, from one write to the next and from one process to the next.
//!
//! Judges what the record says and what a login names of it (KICK-3, KICK-7); whether a kick is confirmed is
//! `confirm`'s.

use gatecrash::time::Instant;

use crate::check::grown::grown;
use crate::trace::{DeviceIndex, Effect, Session, Write};

/// The records of all devices.
#[derive(Default)]
pub(super) struct Notes {
    devices: Vec<Device>,
}

/// Which session is known to have ended, if one is; none where nobody can tell.
type Known = Option<Option<Session>>;

#[derive(Clone)]
struct Device {
    /// What the record says since this process wrote it last.
    written: Known,
    /// Under which of its ids.
    installation: Option<u16>,
    /// What was on the disk when the application first called.
    read: Option<Known>,
    /// What is on the disk.
    disk: Known,
    /// What is on its way there.
    writing: Vec<(u32, Option<Session>)>,
    /// When something on its way got there last.
    stored_at: Option<Instant>,
    /// A login was accepted, or a logout done: the server has forgotten whatever ended before.
    is_settled: bool,
}

impl Default for Device {
    fn default() -> Self {
        Device {
            written: None,
            read: None,
            installation: None,
            disk: Some(None),
            writing: Vec::new(),
            stored_at: None,
            is_settled: false,
        }
    }
}

impl Device {
    /// What is on its way may be on the disk or not.
    fn cut_off(&mut self) {
        if !self.writing.is_empty() {
            (self.disk, self.writing) = (None, Vec::new());
        }
    }
}

impl Notes {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    /// What befell a process or a disk.
    pub(super) fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::ProcessDead { device } | Effect::ProcessUp { device } => {
                let device = self.device(device);
                device.cut_off();
                (device.written, device.read, device.is_settled) = (None, None, false);
            }
            Effect::DiskEmpty { device } | Effect::RecordDamaged { device } => {
                let device = self.device(device);
                let is_quiet = device.writing.is_empty();
                device.cut_off();
                if is_quiet {
                    (device.disk, device.installation) = (Some(None), None);
                }
            }
            Effect::DiskCopied { device, onto } => {
                let first = self.device(device);
                let disk = first.disk.filter(|_| first.writing.is_empty());
                // A process that has begun goes on with what it has read.
                let onto = self.device(onto);
                (onto.disk, onto.writing) = (disk.filter(|_| onto.writing.is_empty()), Vec::new());
                if onto.read.is_none() {
                    onto.installation = None;
                }
            }
            _ => {}
        }
    }

    /// The application calls: from here on a process goes by what it has read.
    pub(super) fn called(&mut self, device: DeviceIndex) {
        let device = self.device(device);
        device.read.get_or_insert(device.disk);
    }

    /// The record is written. Which session's end it says no more of, though nothing has settled that.
    pub(super) fn asked(&mut self, device: DeviceIndex, change: u32, write: &Write) -> Option<Session> {
        let &Write::Installation { installation, known_ended, .. } = write else { return None };
        let device = self.device(device);
        let read = device.read.unwrap_or(device.disk);
        let before = device.written.or(read).flatten();
        let is_same_id = device.installation.is_none_or(|known| known == installation);
        let is_lost = known_ended.is_none() && is_same_id && !device.is_settled;
        device.is_settled &= known_ended.is_none();
        (device.written, device.installation) = (Some(known_ended), Some(installation));
        device.writing.push((change, known_ended));
        before.filter(|_| is_lost)
    }

    /// Every write up to this one is done.
    pub(super) fn stored(&mut self, device: DeviceIndex, change: u32, at: Instant) {
        let device = self.device(device);
        if let Some(&(_, known)) = device.writing.iter().rfind(|(number, _)| *number <= change) {
            (device.disk, device.stored_at) = (Some(known), Some(at));
            device.writing.retain(|(number, _)| *number > change);
        }
    }

    /// A login of the device, or a resume as one, was accepted, or a logout answered.
    pub(super) fn settled(&mut self, device: DeviceIndex) {
        self.device(device).is_settled = true;
    }

    /// The device has another id, and no past.
    pub(super) fn is_another(&mut self, device: DeviceIndex) {
        self.device(device).installation = None;
        self.device(device).is_settled = true;
    }

    /// Whose end a login of the device has to name. None where it may have been made before that was written, and waited.
    pub(super) fn named_next(&mut self, device: DeviceIndex, at: Instant) -> Known {
        let device = self.device(device);
        device.written.filter(|_| device.writing.is_empty() && device.stored_at != Some(at))
    }
}
