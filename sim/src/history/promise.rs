//! What a system promises of its seats: data, so that ours is one of many.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::policy::{Platform, Policy};
use serde_json::{Map, Value};

use crate::scenario::print_duration;

/// What a system promises.
///
/// ```
/// use gatecrash_sim::history::{Promise, Wins};
///
/// // What SPEC.md does.
/// assert_eq!(Promise::default().wins, Wins::Newest);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What shares a seat.
    pub plan: Plan,
    /// Who goes when a seat is taken.
    pub wins: Wins,
    /// What it is to come back after a loss of the link.
    pub comes: Comes,
    /// What whoever had to go is told.
    pub victim: Victim,
    /// Among which messages a number is one's own.
    pub numbers: Numbers,
    /// KICK-6.
    pub reconnect_kicks: bool,
    /// KICK-7.
    pub notify_offline_kick: bool,
    /// Who may make administrative calls at any time, where the history says so (ADMIN-3).
    pub administrators: Option<BTreeSet<String>>,
    /// How long things take at most, where the history says so.
    pub limits: Limits,
}

impl Default for Promise {
    fn default() -> Self {
        Promise {
            plan: Plan::of(Policy::default(), BTreeMap::new()),
            wins: Wins::Newest,
            comes: Comes::Resume,
            victim: Victim::Reason,
            numbers: Numbers::System,
            reconnect_kicks: false,
            notify_offline_kick: false,
            administrators: None,
            limits: Limits::default(),
        }
    }
}

/// What shares a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// One of ours, with its numbers of devices.
    Policy {
        /// Which.
        policy: Policy,
        /// How many devices at once, by platform; 1 where none is named.
        max: BTreeMap<String, u32>,
    },
    /// Of each group one platform.
    Groups {
        /// The group of each platform.
        groups: BTreeMap<String, String>,
        /// How many devices at once, by platform; 1 where none is named.
        max: BTreeMap<String, u32>,
    },
    /// One session a name.
    OneName,
    /// One session for a name and a resource, which stands in the place of the platform.
    OneNameAndResource,
}

impl Plan {
    pub(super) fn of(policy: Policy, max: BTreeMap<String, u32>) -> Plan {
        Plan::Policy { policy, max }
    }

    /// The group of a platform; none for one that the policy does not know.
    pub fn group<'a>(&'a self, platform: &'a str) -> Option<&'a str> {
        match self {
            Plan::OneName => Some("all"),
            Plan::OneNameAndResource => Some(platform),
            Plan::Groups { groups, .. } => groups.get(platform).map(String::as_str),
            Plan::Policy { policy, .. } => {
                let ours = Platform::ALL.into_iter().find(|ours| ours.word() == platform)?;
                let mobile = matches!(ours, Platform::Android | Platform::Ios | Platform::Ipad);
                Some(match policy {
                    Policy::Single => "all",
                    Policy::Multi => platform,
                    Policy::Dual | Policy::Triple if ours == Platform::Web => "web",
                    Policy::Triple if mobile => "mobile",
                    Policy::Triple => "desktop",
                    Policy::Dual => "native",
                })
            }
        }
    }

    /// How many devices of a platform may be online at once.
    pub fn max(&self, platform: &str) -> u32 {
        match self {
            Plan::OneName | Plan::OneNameAndResource => 1,
            Plan::Policy { max, .. } | Plan::Groups { max, .. } => max.get(platform).copied().unwrap_or(1),
        }
    }
}

/// Something that a profile chooses.
pub(super) trait Choice: Copy + 'static {
    /// The words for it.
    const CHOICES: &'static [&'static str];
}

macro_rules! choices {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$one_doc:meta])+ $one:ident = $word:literal,)+ })+) => { $(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$one_doc])+ $one,)+ }

        impl $name {
            pub(crate) const WORDS: [(&'static str, $name); [$($word),+].len()] = [$(($word, $name::$one)),+];

            /// The word that a history's first line uses.
            pub const fn word(self) -> &'static str {
                match self { $($name::$one => $word,)+ }
            }
        }

        impl Choice for $name {
            const CHOICES: &'static [&'static str] = &[$($word),+];
        }
    )+ };
}

choices! {
    /// Who goes when a seat is taken.
    Wins {
        /// Whoever had it.
        Newest = "newest",
        /// Whoever comes.
        Refused = "newcomer_refused",
    }
    /// What it is to come back after a loss of the link.
    Comes {
        /// The session goes on, at its place.
        Resume = "resume",
        /// A login like any other.
        Login = "login",
    }
    /// Among which messages a number is one's own.
    Numbers {
        /// All that there are.
        System = "system",
        /// Those of its conversation.
        Conversation = "conversation",
    }
    /// What whoever had to go is told.
    Victim {
        /// That, and why.
        Reason = "reason",
        /// That.
        Told = "told",
        /// Nothing: the connection is closed.
        Closed = "closed",
        /// Nothing.
        Silent = "silent",
    }
}

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident)+) => {
        /// How long things take at most, and how many refusals lock, each where the history says so.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])+ pub $name: Option<Duration>,)+
            /// How many refused tickets of a user on a device within `refusals_window` lock the two out.
            pub refusals_max: Option<u32>,
        }

        impl Limits {
            /// The names of those that are spans of time.
            pub const WORDS: &'static [&'static str] = &[$(stringify!($name)),+];

            pub(super) fn of_mut(&mut self, word: &str) -> Option<&mut Option<Duration>> {
                match word { $(stringify!($name) => Some(&mut self.$name),)+ _ => None }
            }

            fn each(&self) -> impl Iterator<Item = (&'static str, Duration)> {
                [$((stringify!($name), self.$name)),+].into_iter().filter_map(|(name, limit)| Some((name, limit?)))
            }
        }
    };
}

/// The limit that is a number.
pub(super) const REFUSALS_MAX: &str = "refusals_max";

limits! {
    /// From a call of `login` to its result.
    login_timeout
    /// From any other call to its result.
    request_timeout
    /// How often an idle device sends a sign of life.
    heartbeat
    /// How long a device waits for an answer to it.
    heartbeat_answer
    /// The longest delay between two attempts to connect.
    back_off_max
    /// How long an attempt to connect takes.
    connect_timeout
    /// From the end of a session to when its device has been told, for one that could reach the server all the time.
    told
    /// By how much a device's timers may be late.
    late
    /// For how long after a session's ticket runs out the server knows why the session ended (ATT-6).
    remembered
    /// The longest delay before the first attempt of a series (CONN-10).
    back_off_first
    /// Within which span refused tickets are counted.
    refusals_window
    /// For how long they lock.
    refusals_lock
    /// How long a server keeps a connection on which it hears nothing.
    silence
    /// For how long after its link was lost a mobile device counts as one that push messages reach.
    push
}

impl Promise {
    /// The fields of a first line that say it, as an object in JSON.
    pub(super) fn policy_line(&self) -> String {
        let mut map = Map::new();
        self.print(&mut map);
        Value::Object(map).to_string()
    }

    pub(super) fn print(&self, map: &mut Map<String, Value>) {
        let (policy, max): (Value, Option<&BTreeMap<String, u32>>) = match &self.plan {
            Plan::Policy { policy, max } => (policy.word().into(), Some(max)),
            Plan::OneName => ("one_name".into(), None),
            Plan::OneNameAndResource => ("one_name_and_resource".into(), None),
            Plan::Groups { groups, max } => {
                let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
                for (platform, group) in groups {
                    lists.entry(group).or_default().push(platform);
                }
                (serde_json::to_value(lists).expect("texts"), Some(max))
            }
        };
        map.insert("policy".to_owned(), policy);
        if let Some(max) = max.filter(|max| !max.is_empty()) {
            map.insert("max_instances".to_owned(), serde_json::to_value(max).expect("numbers"));
        }
        for (field, flag) in
            [("reconnect_kicks", self.reconnect_kicks), ("notify_offline_kick", self.notify_offline_kick)]
        {
            if flag {
                map.insert(field.to_owned(), true.into());
            }
        }
        if let Some(administrators) = &self.administrators {
            map.insert("administrators".to_owned(), administrators.iter().map(String::as_str).collect());
        }
        let own = Promise::default();
        let profile = Map::from_iter(
            [
                (self.wins != own.wins).then(|| ("wins".to_owned(), self.wins.word().into())),
                (self.comes != own.comes).then(|| ("comes_back".to_owned(), self.comes.word().into())),
                (self.victim != own.victim).then(|| ("victim".to_owned(), self.victim.word().into())),
                (self.numbers != own.numbers).then(|| ("numbers".to_owned(), self.numbers.word().into())),
            ]
            .into_iter()
            .flatten(),
        );
        if !profile.is_empty() {
            map.insert("profile".to_owned(), Value::Object(profile));
        }
        let mut limits: Map<String, Value> =
            self.limits.each().map(|(name, limit)| (name.to_owned(), print_duration(limit).into())).collect();
        if let Some(number) = self.limits.refusals_max {
            limits.insert(REFUSALS_MAX.to_owned(), number.into());
        }
        if !limits.is_empty() {
            map.insert("limits".to_owned(), Value::Object(limits));
        }
    }
}
