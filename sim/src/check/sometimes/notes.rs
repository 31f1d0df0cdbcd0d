//! What is noted of the server, of users and of devices, to know a situation when it comes about.
//!
//! When one does is told by `server` and `device`.

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::policy::Seats;
use gatecrash::protocol::Presence;
use gatecrash::time::Instant;

use super::edges::Edges;
use super::table::{Parts, Reached, Situation};
use crate::check::grown::grown;
use crate::trace::{DeviceIndex, Session, UserIndex};

/// How far apart two things that meet may be: as far as messages that cross on slow links.
const MEETING: Duration = Duration::from_secs(1);

/// The situations reached, in one run or in many.
#[derive(Clone, Debug, Default)]
pub struct Sometimes {
    pub(super) reached: Reached,
    pub(super) parts: Parts,
    pub(super) server: Server,
    pub(super) devices: Vec<Device>,
    /// What is counted in this run, by its limits; nothing in what many runs add up to.
    pub(super) edges: Option<Box<Edges>>,
}

impl Sometimes {
    pub(super) fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

/// What is noted of the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    /// The power loss inside a commit that is due, if one is.
    pub(super) cut: Option<Situation>,
    pub(super) users: Vec<User>,
    /// The last change decided, and the server's clock at it.
    pub(super) decided: u32,
    pub(super) wall: u64,
    /// The last change on disk.
    pub(super) committed: u32,
    /// Started, and nothing decided since.
    pub(super) has_just_started: bool,
    /// The first change of this process, 0 before it.
    pub(super) first: u32,
    /// The last fault took the power.
    pub(super) has_lost_power: bool,
    pub(super) seats: Option<Seats>,
    /// How often the policy changed.
    pub(super) policy: u32,
    /// Whether its process stands still, and when it last found that it had.
    pub(super) is_suspended: bool,
    pub(super) stood_still_at: Option<Instant>,
    /// Who sent a message, and how they call it.
    pub(super) sent: Vec<(UserIndex, u32)>,
}

/// What is noted of a user.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    /// Those not ended; as many as the policy has seats, and those a policy before had.
    pub(super) live: Vec<Live>,
    /// The last login accepted, resume, and displacement, each with the device that came.
    pub(super) accepted: Option<(Instant, DeviceIndex)>,
    pub(super) resumed: Option<(Instant, DeviceIndex)>,
    pub(super) displaced: Option<(Instant, DeviceIndex)>,
    pub(super) presence: Presence,
    /// Push online since they were online.
    pub(super) has_left: bool,
    /// The last change that took a link or a session from them.
    pub(super) touched: u32,
    pub(super) day: Option<u32>,
}

/// A session that is not over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) device: DeviceIndex,
    pub(super) epoch: u32,
    /// The change that made it.
    pub(super) commit: u32,
    /// The last second of its ticket.
    pub(super) until: u64,
    pub(super) is_linked: bool,
    pub(super) is_dormant: bool,
    /// Owed a message that was accepted without a link.
    pub(super) is_owed: bool,
    /// How often the policy had changed by then.
    pub(super) policy: u32,
}

impl Server {
    pub(super) fn user(&mut self, user: UserIndex) -> &mut User {
        grown(&mut self.users, user.index())
    }

    pub(super) fn live(&mut self, user: UserIndex, device: DeviceIndex, epoch: u32) -> Option<&mut Live> {
        self.user(user).live.iter_mut().find(|live| live.device == device && live.epoch == epoch)
    }

    /// The number of the first change after a restart says how much of the last process is left.
    pub(super) fn decides(&mut self, commit: u32, wall: u64) {
        if std::mem::take(&mut self.has_just_started) {
            (self.first, self.committed) = (commit, commit.saturating_sub(1));
            self.users.iter_mut().for_each(|user| user.live.retain(|live| live.commit < commit));
        }
        (self.decided, self.wall) = (commit, wall);
    }
}

/// What is noted of a device, by itself or by the server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Device {
    // ---- of the server ----
    pub(super) displaced_at: Option<Instant>,
    /// A kick not settled, and the change that made it.
    pub(super) owed: Option<(Session, u32)>,
    /// The last kick sent without being asked for, until it arrives.
    pub(super) pushed: Option<Session>,
    /// Expired without a link.
    pub(super) expired_away: Option<Session>,
    /// The call whose login was accepted, until that answer arrives; and whether the server died since.
    pub(super) answer: Option<u32>,
    pub(super) answer_outlives_server: bool,
    pub(super) has_logged_in: bool,
    /// When something of it was last read.
    pub(super) read_at: Option<Instant>,

    // ---- of the world ----
    /// How often its process was started.
    pub(super) life: u32,
    pub(super) is_suspended: bool,
    /// Its timers run late.
    pub(super) is_late: bool,
    /// Its session expired meanwhile.
    pub(super) slept_past: bool,
    pub(super) was_wiped: bool,
    pub(super) was_damaged: bool,
    /// The server has let it go, and it has not logged in since.
    pub(super) was_let_go: bool,
    /// Its caches are damaged, and a process has found that out.
    pub(super) has_damaged_caches: bool,
    pub(super) has_no_caches: bool,
    /// A list was cached on it.
    pub(super) has_cached: bool,
    /// The device whose record it has a copy of.
    pub(super) known_as: Option<DeviceIndex>,
    /// A box on the way forgot its session's connection, and it did not resume since.
    pub(super) is_forgotten: bool,

    // ---- of its SDK ----
    pub(super) status: Option<Status>,
    pub(super) login_user: Option<UserIndex>,
    pub(super) is_linked: bool,
    /// A second connection is being made beside its link.
    pub(super) is_beside: bool,
    /// A request that was made meanwhile.
    pub(super) waits: Option<u32>,
    /// The last login sent: its connection and call, until that ends.
    pub(super) asking: Option<(u32, u32)>,
    /// The last login sent to a server that stood still.
    pub(super) asked_still: Option<u32>,
    /// The same of a resume.
    pub(super) resuming: Option<(u32, Session)>,
    /// The process that first noted the end owed.
    pub(super) owes_since: Option<u32>,
    /// The login that a page of somebody else's left waiting.
    pub(super) paged: Option<u32>,
    /// It went to another network with a session that had a link.
    pub(super) has_moved: bool,
    /// When a frame last came.
    pub(super) heard_at: Option<Instant>,
    /// Its last session ended because a resume was refused for its ticket, and the server is owed that end.
    pub(super) is_refused: bool,
    /// The outcome of its last login is unknown.
    pub(super) is_unsure: bool,
    /// What it asked for when its server sent it away: nothing, or a login.
    pub(super) was_sent_away: bool,
    pub(super) outlives: Option<u32>,
    /// The login that a busy server turned away.
    pub(super) turned_away: Option<u32>,
    /// When its application last asked for another user without a link.
    pub(super) switches_at: Option<Instant>,
    /// Its last login ended because its record could not be written.
    pub(super) is_unwritten: bool,
    /// Since when something is being written, and when a write that had taken time was last done.
    pub(super) writes_since: Option<Instant>,
    pub(super) has_waited_at: Option<Instant>,
    /// The number of the last listener call, and when that was.
    pub(super) told: Option<(u32, Instant)>,
}

/// Whether something so recent meets what happens now.
pub(super) fn meets(earlier: Option<Instant>, now: Instant) -> bool {
    earlier.is_some_and(|earlier| now - earlier <= MEETING)
}
