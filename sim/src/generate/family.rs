//! The families of faults and of actions, and which of them a seed has at all.
//!
//! A swarm of seeds finds more than one that can do everything: what never happens in a seed leaves
//! room for what does. Draws no step: `moves` and the gambits do.

use crate::generate::draw::Draw;

macro_rules! families {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// Something that can break, or that can be done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Family { $($(#[$doc])+ $name,)+ }

        impl Family {
            /// Every one; faults first.
            pub(super) const ALL: &'static [Family] = &[$(Family::$name),+];

            /// The word a title uses.
            pub(super) const fn word(self) -> &'static str {
                match self { $(Family::$name => $word,)+ }
            }
        }
    };
}

families! {
    /// A site's link loses what is sent, both ways.
    Partition = "partition",
    /// The same, one way.
    OneWay = "one-way partition",
    /// A site's link keeps what is sent.
    Hold = "hold",
    /// A site's link gets another latency.
    Latency = "latency",
    /// A connection is reset.
    Reset = "reset",
    /// The server's process dies, and is started again.
    Crash = "crash",
    /// The server's process dies and comes back by itself.
    Bounce = "bounce",
    /// The server's machine goes dark.
    PowerLoss = "power loss",
    /// The same, in the middle of a commit.
    CommitCut = "power loss in a commit",
    /// The server's disk fails for a while.
    DiskError = "disk error",
    /// The server's disk is full for a while.
    DiskFull = "full disk",
    /// The server's disk takes longer.
    SlowDisk = "slow disk",
    /// The server is stopped, and another one started.
    Stop = "stop",
    /// The server is replaced by one of another version.
    Upgrade = "upgrade",
    /// The server's process is suspended for a while.
    Standstill = "standstill",
    /// A device's process dies.
    Kill = "kill",
    /// A device is frozen.
    Suspend = "suspend",
    /// The server's clock jumps.
    ServerSkew = "clock jump",
    /// The server's clock runs fast or slow.
    ServerDrift = "clock drift",
    /// A device's clock jumps, runs fast or slow.
    DeviceClock = "device clock",
    /// A device's disk fails, is full or slow for a while.
    DeviceDisk = "device disk",
    /// A device's timers are gathered, and run late.
    LateTimers = "late timers",
    /// A device's record or caches are damaged.
    Damage = "damage",
    /// A device's disk is emptied.
    Wipe = "wipe",
    /// At a site somebody else answers in the server's place.
    Portal = "captive portal",
    /// A device moves to another site.
    Move = "move",
    /// A device's disk becomes a copy of another's.
    Clone = "clone",
    /// A login as another user.
    Switch = "switch",
    /// A login as the same user.
    Renewal = "renewal",
    /// A logout.
    Logout = "logout",
    /// A message.
    Send = "send",
    /// The conversation list.
    Conversations = "conversations",
    /// The administrative kick.
    AdminKick = "administrator's kick",
    /// The status query.
    Query = "query",
    /// `uninit` and `init`.
    Life = "uninit",
    /// The SDK is told that the network changed.
    NetworkChanged = "network change",
    /// Calls inside a listener.
    Listener = "listener call",
    /// Somebody without an SDK.
    Stranger = "stranger",
    /// The policy and its numbers change.
    PolicyChange = "policy change",
    /// The switches of KICK-6 and KICK-7 change.
    SwitchChange = "switch change",
    /// The administrators change.
    AdministratorChange = "administrator change",
    /// The second key is dropped.
    DropKey = "dropped key",
    /// Tickets that are refused.
    BadTicket = "bad ticket",
    /// User ids that are none.
    BadUser = "bad user id",
}

/// How many of [`Family::ALL`] are faults.
const FAULTS: usize = Family::Clone as usize + 1;

impl Family {
    /// Whether it breaks something.
    pub(super) const fn is_fault(self) -> bool {
        (self as usize) < FAULTS
    }
}

/// Which families exist, and how often each is drawn beside the others.
#[derive(Clone, Debug)]
pub(super) struct Families([u64; Family::ALL.len()]);

impl Families {
    /// Each exists with a chance of the seed's own, and has a rate of its own.
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let (faults, actions) = (*draw.pick(&[20, 40, 60]), *draw.pick(&[35, 55, 75]));
        let mut rates = [0; Family::ALL.len()];
        for family in Family::ALL {
            let (exists, rate) = (draw.below(100), draw.log_between(1, 12));
            if exists < if family.is_fault() { faults } else { actions } {
                rates[*family as usize] = rate;
            }
        }
        Families(rates)
    }

    /// These exist, and are drawn often.
    pub(super) fn insist_on(&mut self, families: &[Family]) {
        for family in families {
            self.0[*family as usize] = self.rate(*family).max(6);
        }
    }

    /// It is drawn so often; not at all when that is zero.
    pub(super) fn set(&mut self, family: Family, rate: u64) {
        self.0[family as usize] = rate;
    }

    /// How often it is drawn; zero when it does not exist.
    pub(super) fn rate(&self, family: Family) -> u64 {
        self.0[family as usize]
    }

    /// Whether it exists.
    pub(super) fn has(&self, family: Family) -> bool {
        self.rate(family) > 0
    }
}
