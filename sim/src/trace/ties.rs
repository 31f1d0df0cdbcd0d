//! What belongs together: events of the same call, attempt, session, commit, write, fault or frame.
//!
//! Each such thing has a number, and each event the numbers of those it is part of. One step only: what belongs to what
//! belongs to an event is not part of it.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::id::Attempt;

use super::alias::Aliases;
use super::cast::List;
use super::flight::{Flight, FlightEnd, flights};
use super::index::{DeviceIndex, UserIndex};
use super::{Actor, Effect, Event, Fact, Trace, Value, What};

/// Something that events are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// A call of a device's process; processes are counted.
    Call(DeviceIndex, u32, u32),
    /// An attempt of a device.
    Attempt(DeviceIndex, Attempt),
    /// A session.
    Session(DeviceIndex, UserIndex, u32),
    /// A change of the server's records.
    Commit(u32),
    /// A write to a device's disk.
    Write(DeviceIndex, u32, u32),
    /// A connection of a device, as the device knows it.
    Link(DeviceIndex, u32, u32),
    /// A fault and its effects: the fault's position.
    Fault(usize),
    /// A frame, where it leaves and where it arrives.
    Frame(usize),
}

/// Reads a trace from its beginning.
#[derive(Default)]
struct Reader {
    aliases: Aliases,
    /// How often each device's process has died.
    deaths: BTreeMap<DeviceIndex, u32>,
    /// Whose session of this epoch a device had last: answers do not name the user.
    users: BTreeMap<(DeviceIndex, u32), UserIndex>,
    /// Changes decided and not known to be on disk.
    pending: Vec<u32>,
    /// Writes asked of each device's disk and not done.
    writes: BTreeMap<DeviceIndex, Vec<u32>>,
    fault: Option<usize>,
}

/// Of each event, the numbers of what it is part of. What no other event is part of has no number.
pub fn ties(trace: &Trace, flights: &[Flight]) -> Vec<Vec<usize>> {
    numbered(of_events(trace, flights))
}

/// The positions of the events that are part of what these are part of, and theirs.
pub fn linked(trace: &Trace, positions: &[usize]) -> BTreeSet<usize> {
    let ties = of_events(trace, &flights(trace));
    let wanted: BTreeSet<Tie> = positions.iter().flat_map(|&position| ties[position].iter().copied()).collect();
    let is_linked =
        |(position, ties): (usize, &Vec<Tie>)| ties.iter().any(|tie| wanted.contains(tie)).then_some(position);
    ties.iter().enumerate().filter_map(is_linked).chain(positions.iter().copied()).collect()
}

/// The positions of the events that name one of these users, or are part of a call or a session that is one of theirs.
pub fn of_users(trace: &Trace, users: &[UserIndex]) -> BTreeSet<usize> {
    let ties = of_events(trace, &flights(trace));
    let named: BTreeSet<usize> = trace
        .events
        .iter()
        .enumerate()
        .filter(|(_, event)| users.iter().any(|user| names_user(trace, event, *user)))
        .map(|(position, _)| position)
        .collect();
    let is_call = |tie: &&Tie| matches!(tie, Tie::Call(..));
    let calls: BTreeSet<Tie> =
        named.iter().flat_map(|&position| ties[position].iter().filter(is_call)).copied().collect();
    let is_theirs = |tie: &Tie| match tie {
        Tie::Session(_, user, _) => users.contains(user),
        Tie::Call(..) => calls.contains(tie),
        Tie::Attempt(..) | Tie::Commit(_) | Tie::Write(..) | Tie::Link(..) | Tie::Fault(_) | Tie::Frame(_) => false,
    };
    let of_theirs = (0..ties.len()).filter(|&position| ties[position].iter().any(is_theirs));
    of_theirs.chain(named.iter().copied()).collect()
}

fn names_user(trace: &Trace, event: &Event, user: UserIndex) -> bool {
    let mut is_named = false;
    event.what.fields(&mut |_, value| {
        is_named |= match value {
            Value::User(named) => named == user,
            Value::List(list) => match trace.cast.list(list) {
                List::Users(users) => users.contains(&user),
                List::Conversations(lines) => lines.iter().any(|line| line.peer == user),
                List::Report(lines) => lines.iter().any(|line| line.user == user),
                List::Devices(_) => false,
            },
            _ => false,
        };
    });
    is_named
}

fn of_events(trace: &Trace, flights: &[Flight]) -> Vec<Vec<Tie>> {
    let mut reader = Reader::default();
    let mut ties: Vec<Vec<Tie>> =
        trace.events.iter().enumerate().map(|(position, event)| reader.ties(position, event)).collect();
    for flight in flights {
        if let FlightEnd::Arrived(arrived) = flight.end {
            ties[flight.left].push(Tie::Frame(flight.left));
            ties[arrived].push(Tie::Frame(flight.left));
        }
    }
    ties
}

fn numbered(mut ties: Vec<Vec<Tie>>) -> Vec<Vec<usize>> {
    let mut counts: BTreeMap<Tie, usize> = BTreeMap::new();
    for of_event in &mut ties {
        of_event.sort_unstable();
        of_event.dedup();
        of_event.iter().for_each(|&tie| *counts.entry(tie).or_default() += 1);
    }
    let mut numbers: BTreeMap<Tie, usize> = BTreeMap::new();
    let mut number = |tie: Tie| {
        let next = numbers.len();
        (counts[&tie] > 1).then(|| *numbers.entry(tie).or_insert(next))
    };
    ties.into_iter().map(|of_event| of_event.into_iter().filter_map(&mut number).collect()).collect()
}

impl Reader {
    fn ties(&mut self, position: usize, event: &Event) -> Vec<Tie> {
        self.aliases.observe(event);
        let mut ties = Vec::new();
        match event.what {
            What::Fact { fact: Fact::SessionAccepted { user, device, epoch, .. }, .. } => {
                self.users.insert((device, epoch), user);
            }
            What::Commit { commit, .. } => self.pending.push(commit),
            What::Committed { commit: last } => {
                let settled = self.pending.iter().filter(|&&commit| commit <= last);
                ties.extend(settled.map(|&commit| Tie::Commit(commit)));
                self.pending.retain(|&commit| commit > last);
            }
            What::ServerStarted { .. } => self.pending.clear(),
            What::Fault { .. } | What::Stranger { .. } => {
                self.fault = Some(position);
                ties.push(Tie::Fault(position));
            }
            What::Effect { effect } => {
                ties.extend(self.fault.map(Tie::Fault));
                if let Effect::ProcessDead { device } = effect {
                    *self.deaths.entry(device).or_default() += 1;
                    self.writes.remove(&device);
                }
            }
            _ => {}
        }
        if let Actor::Device(device) = event.actor {
            self.of_device(device, event, &mut ties);
        }
        self.of_fields(event, &mut ties);
        ties
    }

    /// What a device waits for is its own disk.
    fn of_device(&mut self, device: DeviceIndex, event: &Event, ties: &mut Vec<Tie>) {
        let life = self.life(device);
        match event.what {
            What::StoreAsked { change, .. } => {
                self.writes.entry(device).or_default().push(change);
                ties.push(Tie::Write(device, life, change));
            }
            What::Stored { change: last } => {
                let asked = self.writes.entry(device).or_default();
                let done = asked.iter().filter(|&&change| change <= last);
                ties.extend(done.map(|&change| Tie::Write(device, life, change)));
                asked.retain(|&change| change > last);
            }
            What::DeviceSent { reveals, .. } if reveals > 0 => ties.push(Tie::Write(device, life, reveals)),
            What::ConnectAsked { connection }
            | What::Connected { connection }
            | What::ConnectFailed { connection }
            | What::Untrusted { connection }
            | What::CloseAsked { connection, .. }
            | What::Gone { connection, .. }
            | What::NoFrame { connection } => ties.push(Tie::Link(device, life, connection)),
            _ => {}
        }
    }

    fn life(&self, device: DeviceIndex) -> u32 {
        self.deaths.get(&device).copied().unwrap_or(0)
    }

    /// Calls, attempts, sessions and commits are named by fields.
    fn of_fields(&self, event: &Event, ties: &mut Vec<Tie>) {
        let mut device = match event.actor {
            Actor::Device(device) => Some(self.aliases.known_to_server(device)),
            Actor::Server | Actor::World => None,
        };
        let is_server = event.actor == Actor::Server;
        let mut user = None;
        event.what.fields(&mut |name, value| match (name, value) {
            ("peer" | "device", Value::Device(named)) if is_server => device = Some(named),
            (_, Value::User(named)) => user = Some(named),
            ("call", Value::Number(call)) if call > 0 => {
                let call = u32::try_from(call).unwrap_or(u32::MAX);
                ties.extend(device.map(|device| Tie::Call(device, self.life(device), call)));
            }
            ("epoch", Value::Number(epoch)) if epoch > 0 => {
                let epoch = u32::try_from(epoch).unwrap_or(u32::MAX);
                let session = device.and_then(|device| {
                    let user = user.or_else(|| self.users.get(&(device, epoch)).copied())?;
                    Some(Tie::Session(device, user, epoch))
                });
                ties.extend(session);
            }
            ("commit", Value::Number(commit)) if commit > 0 && !matches!(event.what, What::Committed { .. }) => {
                ties.push(Tie::Commit(u32::try_from(commit).unwrap_or(u32::MAX)));
            }
            ("reveals", Value::Number(commit)) if commit > 0 && is_server => {
                ties.push(Tie::Commit(u32::try_from(commit).unwrap_or(u32::MAX)));
            }
            (_, Value::Attempt(attempt)) => ties.extend(device.map(|device| Tie::Attempt(device, attempt))),
            _ => {}
        });
    }
}
