//! What a device writes of itself: each write changes the one thing that just happened, and a start goes on from what was
//! on the disk.
//!
//! Whether an end has to be owed, and for how long, is the affair of properties.

use gatecrash::time::Instant;

use super::{Misfit, remember, unfit};
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{
    Actor, Cast, ConversationLine, DeviceIndex, Effect, Event, List, ListIndex, Request, ServerFrame, Session,
    UserIndex, What, Write,
};

const RECORD: RuleId = rule("ATT-4");
const LISTS: RuleId = rule("API-1");

/// How many ends of sessions, and how many connections that it left, of a device are remembered.
const REMEMBERED: usize = 16;

/// Every device's.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded(Vec<Device>);

/// What a device's record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    installation: u16,
    starts: u32,
    owed_end: bool,
    known_ended: Option<Session>,
}

#[derive(Clone, Debug)]
struct Device {
    /// On the disk; none when nobody can tell, or nothing is.
    kept: Option<Record>,
    /// Whether nothing is.
    is_empty: bool,
    /// Written, and not on the disk yet; none where nobody can tell whether that will be on it.
    pending: Vec<(u32, Option<Record>)>,
    /// What the SDK goes on from; none when nobody can tell.
    current: Option<Record>,
    /// How often the SDK has started that it has not written yet.
    unwritten_starts: u32,
    is_fresh: bool,
    /// The id that it was told to take, and has not written yet.
    new_id: Option<u16>,
    is_initialised: bool,
    /// The process has made a call: it goes on from what it has read, whatever becomes of the disk.
    has_called: bool,
    /// The connections that it left last.
    left: Vec<u32>,
    /// The frames that came at the last instant at which any did.
    heard: (Instant, Vec<ServerFrame>),
    /// The ends of sessions that it heard of last.
    ended: Vec<Session>,
    /// Whose lists were written last, and which.
    lists: Vec<(UserIndex, Option<ListIndex>)>,
}

impl Default for Device {
    fn default() -> Self {
        Device {
            kept: None,
            is_empty: true,
            pending: Vec::new(),
            current: None,
            unwritten_starts: 0,
            is_fresh: false,
            new_id: None,
            is_initialised: false,
            has_called: false,
            left: Vec::new(),
            heard: (Instant::ZERO, Vec::new()),
            ended: Vec::new(),
            lists: Vec::new(),
        }
    }
}

impl Recorded {
    pub(super) fn observe(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        match (event.actor, event.what) {
            (Actor::Device(device), what) => self.device(device).event(cast, event.at, &what),
            (Actor::World, What::Effect { effect }) => {
                self.befalls(&effect);
                None
            }
            _ => None,
        }
    }

    fn befalls(&mut self, effect: &Effect) {
        match *effect {
            Effect::ProcessDead { device } => {
                let device = self.device(device);
                device.current = None;
                (device.is_initialised, device.new_id) = (false, None);
                (device.has_called, device.unwritten_starts) = (false, 0);
                device.ended.clear();
                device.lists.clear();
                device.left.clear();
                // What was on its way to the disk may be there.
                if !std::mem::take(&mut device.pending).is_empty() {
                    (device.kept, device.is_empty) = (None, false);
                }
            }
            // It reads its disk once.
            Effect::ProcessUp { device } => {
                let device = self.device(device);
                (device.current, device.is_fresh) = (device.kept, device.is_empty);
            }
            Effect::DiskEmpty { device } => {
                let device = self.device(device);
                (device.kept, device.is_empty) = (None, true);
                // What is under way may have got there before, and may yet.
                device.pending.iter_mut().for_each(|(_, record)| *record = None);
            }
            Effect::RecordDamaged { device } => {
                let device = self.device(device);
                (device.kept, device.is_empty) = (None, false);
                device.pending.clear();
            }
            // A process that has called nothing yet reads that.
            Effect::DiskCopied { onto: device, .. } => {
                let device = self.device(device);
                (device.kept, device.is_empty) = (None, false);
                device.pending.clear();
                if !device.has_called {
                    (device.current, device.is_fresh) = (None, false);
                }
            }
            _ => {}
        }
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.0, device.index())
    }
}

impl Device {
    fn event(&mut self, cast: &Cast, at: Instant, what: &What) -> Option<Misfit> {
        self.has_called |= matches!(what, What::Called { .. });
        match *what {
            What::Called { request: Request::Uninit, .. } => {
                self.is_initialised = false;
                None
            }
            // Called while it runs, it starts nothing.
            What::Called { request: Request::Init { .. }, .. } if !self.is_initialised => {
                self.is_initialised = true;
                self.unwritten_starts += 1;
                self.lists.clear();
                None
            }
            What::CloseAsked { connection, .. } => {
                remember(&mut self.left, REMEMBERED, connection);
                None
            }
            // What comes on a connection that it has left it ignores.
            What::DeviceReceived { connection, .. } if self.left.contains(&connection) => None,
            What::DeviceReceived { frame, .. } => {
                if std::mem::replace(&mut self.heard.0, at) != at {
                    self.heard.1.clear();
                }
                self.heard.1.push(frame);
                if let ServerFrame::Kick { kick } | ServerFrame::ResumeKicked { kick, .. } = frame {
                    remember(&mut self.ended, REMEMBERED, Session { user: kick.user, epoch: kick.epoch });
                }
                None
            }
            What::NewDevice { installation } => {
                self.new_id = Some(installation);
                None
            }
            What::StoreAsked { change, write: Write::Installation { installation, starts, owed_end, known_ended } } => {
                let record = Record { installation, starts, owed_end, known_ended };
                let is_right = self.may_become(at, &record);
                // Of calls in a row all are made before anything is written: what goes ahead of the start is of before.
                if self.current.is_none_or(|before| before.starts != starts) {
                    self.unwritten_starts = self.unwritten_starts.saturating_sub(1);
                }
                self.pending.push((change, Some(record)));
                self.current = Some(record);
                (self.is_fresh, self.new_id) = (false, None);
                (!is_right)
                    .then(|| unfit(RECORD, "the device's record is written otherwise than what happened".to_owned()))
            }
            What::StoreAsked { write: Write::Conversations { user, conversations }, .. } => {
                let is_right = self.may_list(cast, at, user, conversations);
                self.lists.retain(|(of, _)| *of != user);
                self.lists.push((user, conversations));
                (!is_right).then(|| unfit(LISTS, "a list is kept that is not what came".to_owned()))
            }
            What::Stored { change } => {
                while let Some((_, record)) = self.pending.first().copied().filter(|(number, _)| *number <= change) {
                    self.pending.remove(0);
                    (self.kept, self.is_empty) = (record, false);
                }
                None
            }
            _ => None,
        }
    }

    /// Whether what happened at this instant makes the record this one.
    fn may_become(&self, at: Instant, record: &Record) -> bool {
        if let Some(installation) = self.new_id {
            return *record == Record { installation, starts: 1, owed_end: false, known_ended: None };
        }
        if self.is_fresh {
            return (record.starts, record.owed_end, record.known_ended) == (1, false, None);
        }
        // Of one that nobody can tell anything may come.
        self.current.is_none_or(|before| self.may_follow(at, &before, record))
    }

    fn may_follow(&self, at: Instant, before: &Record, record: &Record) -> bool {
        let settles = |frame: &ServerFrame| {
            matches!(frame, ServerFrame::LoginAccepted { .. } | ServerFrame::LogoutAnswer { refused: None, .. })
        };
        let is_settled = self.heard_at(at).iter().any(settles);
        if record.installation != before.installation {
            return false;
        }
        let is_same = (record.owed_end, record.known_ended) == (before.owed_end, before.known_ended);
        if record.starts != before.starts {
            return self.unwritten_starts > 0 && record.starts == before.starts + 1 && is_same;
        }
        if record.known_ended != before.known_ended {
            return match record.known_ended {
                Some(ended) => self.ended.contains(&ended) && record.owed_end == before.owed_end,
                None => is_settled && !record.owed_end,
            };
        }
        match (before.owed_end, record.owed_end) {
            (false, false) => false,
            // For how long it is owed is part of the record, and not of the trace.
            (true, true) => !is_settled,
            // A call; or an answer, or none since no ticket is worth anything any more.
            (false, true) | (true, false) => true,
        }
    }

    /// Whether what came at this instant makes the user's list this one.
    fn may_list(&self, cast: &Cast, at: Instant, user: UserIndex, written: Option<ListIndex>) -> bool {
        self.heard_at(at).iter().any(|frame| match *frame {
            ServerFrame::LoginAccepted { conversations, .. }
            | ServerFrame::Resumed { conversations, .. }
            | ServerFrame::ResumedAsLogin { conversations, .. } => written == conversations,
            ServerFrame::Message { message, .. } | ServerFrame::SendAnswer { message, .. } => {
                self.enters(cast, user, written, message)
            }
            _ => false,
        })
    }

    /// Whether the list has the message, and is the one before in all else.
    fn enters(&self, cast: &Cast, user: UserIndex, written: Option<ListIndex>, message: u32) -> bool {
        let lines = |list: Option<ListIndex>| -> &[ConversationLine] {
            match list.map(|list| cast.list(list)) {
                Some(List::Conversations(lines)) => lines,
                Some(List::Users(_) | List::Devices(_) | List::Report(_)) | None => &[],
            }
        };
        let now = lines(written);
        let Some(line) = now.iter().find(|line| line.last == message) else { return false };
        let Some((_, before)) = self.lists.iter().find(|(of, _)| *of == user) else { return true };
        let others = now.iter().filter(|other| other.peer != line.peer);
        others.zip(lines(*before).iter().filter(|other| other.peer != line.peer)).all(|(now, before)| now == before)
    }

    fn heard_at(&self, at: Instant) -> &[ServerFrame] {
        if self.heard.0 == at { &self.heard.1 } else { &[] }
    }
}
