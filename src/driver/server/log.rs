//! What an operator reads of the server at work: a line for each login, kick, lock and refusal, with user, device,
//! peer and code.
//!
//! Reads what goes into the core and what comes out of it, and tells nothing that is not on disk. Decides nothing, and
//! tells no secret: a device is told by its public name, a ticket not at all. What repeats is counted (INPUT-5).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use tracing::field::display;
use tracing::{Level, debug, enabled, info, warn};

use super::load::Turned;
use crate::code::Code;
use crate::id::{Change, ConnectionId, DeviceId, Epoch, PublicName, UserId};
use crate::protocol::{ClientFrame, FrameError, Refusal, ResumeOutcome, ServerFrame};
use crate::server::{Action, Input, Output};
use crate::store::{EndReason, Fact};
use crate::time::Instant;

/// Lines of one kind are this far apart; what comes in between is counted.
const APART: Duration = Duration::from_secs(1);

/// How many kinds are told apart at once. Of further ones only the codes are: a flood of names is no flood of lines.
const KINDS_MAX: usize = 256;

/// How much of what should have been a user id is shown.
const NO_USER_CHARS_MAX: usize = 32;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
struct Peer {
    number: u64,
    address: Option<SocketAddr>,
    device: Option<DeviceId>,
}

/// What will be told, once what it reveals is on disk.
#[derive(Clone, Debug)]
enum Line {
    Admitted {
        word: &'static str,
        user: String,
        epoch: Option<Epoch>,
        peer: Peer,
    },
    Refused {
        word: &'static str,
        user: String,
        why: &'static str,
        code: Option<Code>,
        peer: Peer,
    },
    BadFrame {
        error: FrameError,
        peer: Peer,
    },
    Ended {
        user: UserId,
        device: PublicName,
        epoch: Epoch,
        reason: EndReason,
        by: Option<PublicName>,
        peer: Option<Peer>,
    },
    Full {
        connections: usize,
        address: Option<SocketAddr>,
    },
    MadeRoom {
        connections: usize,
        address: Option<SocketAddr>,
    },
    KeptOut {
        why: Turned,
        address: SocketAddr,
    },
}

/// What lines are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Refused {
        word: &'static str,
        code: Option<Code>,
        user: String,
        device: Option<DeviceId>,
    },
    /// Those of a code beyond [`KINDS_MAX`].
    Crowd(Option<Code>),
    BadFrame(FrameError),
    Full,
    MadeRoom,
    KeptOut(&'static str),
}

/// A kind that was told, what came of it since then, and the last of that.
struct Repeated {
    told: Instant,
    times: u64,
    last: Line,
}

/// The log, between the core and whoever reads it.
#[derive(Default)]
pub(super) struct Log {
    peers: BTreeMap<ConnectionId, Peer>,
    /// The connection on which a device said last who it is.
    newest: BTreeMap<DeviceId, ConnectionId>,
    /// What the frame that the core takes right now asks for, on which connection and for whom.
    asking: Option<(ConnectionId, String)>,
    committed: Change,
    waiting: VecDeque<(Change, Line)>,
    repeated: BTreeMap<Kind, Repeated>,
}

/// Whether anybody wants to read any of it.
fn is_read() -> bool {
    enabled!(Level::INFO)
}

impl Log {
    /// Everything up to `committed` is on disk, and nobody is connected.
    pub(super) fn restored(&mut self, committed: Change) {
        self.peers.clear();
        self.newest.clear();
        self.waiting.clear();
        self.committed = committed;
    }

    /// A connection was accepted.
    pub(super) fn opened(&mut self, connection: ConnectionId, number: u64, address: Option<SocketAddr>) {
        if is_read() {
            self.peers.insert(connection, Peer { number, address, device: None });
        }
    }

    /// The core is about to take this.
    pub(super) fn input(&mut self, input: &Input) {
        self.asking = None;
        match input {
            Input::Frame { connection, frame } if is_read() => match frame {
                ClientFrame::Hello { device, .. } => {
                    if let Some(peer) = self.peers.get_mut(connection) {
                        peer.device = Some(*device);
                        self.newest.insert(*device, *connection);
                    }
                }
                ClientFrame::Login { user, .. } => self.asking = Some((*connection, shown(user))),
                ClientFrame::Resume { user, .. } | ClientFrame::Renew { user, .. } => {
                    self.asking = Some((*connection, user.to_string()));
                }
                ClientFrame::LoginAcknowledged { .. }
                | ClientFrame::Logout { .. }
                | ClientFrame::Heartbeat
                | ClientFrame::KickConfirmed { .. }
                | ClientFrame::SendMessage { .. }
                | ClientFrame::AdminKick { .. }
                | ClientFrame::QueryStatus { .. }
                | ClientFrame::MessagesReceived { .. } => {}
            },
            Input::Closed { connection } => self.gone(*connection),
            Input::Started
            | Input::Opened { .. }
            | Input::Frame { .. }
            | Input::Malformed { .. }
            | Input::Configured(_)
            | Input::ClockChanged
            | Input::StoodStill
            | Input::Stopping => {}
        }
    }

    /// The core decided this.
    pub(super) fn decided(&mut self, now: Instant, output: &Output) {
        if !is_read() {
            return;
        }
        match &output.action {
            Action::Commit(commit) => {
                for fact in &commit.facts {
                    if let Some(line) = self.of_fact(fact) {
                        self.waiting.push_back((commit.number, line));
                    }
                }
            }
            Action::Send { connection, frame } => {
                if let Some(line) = self.of_frame(*connection, frame) {
                    if output.reveals > self.committed {
                        self.waiting.push_back((output.reveals, line));
                    } else {
                        self.tell(now, line);
                    }
                }
            }
            Action::Close { connection } => self.gone(*connection),
            Action::Note(_) => {}
        }
    }

    /// Every change up to this one is on disk.
    pub(super) fn committed(&mut self, now: Instant, change: Change) {
        self.committed = change;
        while let Some((_, line)) = self.waiting.pop_front_if(|(reveals, _)| *reveals <= change) {
            self.tell(now, line);
        }
    }

    /// A newcomer found no place, and nobody who would have made room.
    pub(super) fn full(&mut self, now: Instant, connections: usize, address: Option<SocketAddr>) {
        if enabled!(Level::WARN) {
            self.tell(now, Line::Full { connections, address });
        }
    }

    /// A newcomer took the place of somebody who had said nothing.
    pub(super) fn made_room(&mut self, now: Instant, connections: usize, address: Option<SocketAddr>) {
        if enabled!(Level::WARN) {
            self.tell(now, Line::MadeRoom { connections, address });
        }
    }

    /// Nobody else gets in from that address.
    pub(super) fn kept_out(&mut self, now: Instant, why: Turned, address: SocketAddr) {
        if enabled!(Level::WARN) {
            self.tell(now, Line::KeptOut { why, address });
        }
    }

    /// When something that was counted is to be told.
    pub(super) fn due(&self) -> Option<Instant> {
        self.repeated.values().map(|repeated| repeated.told + APART).min()
    }

    /// Tells what was counted for long enough.
    pub(super) fn tell_counted(&mut self, now: Instant) {
        self.repeated.retain(|_, repeated| {
            if repeated.told + APART > now {
                return true;
            }
            if repeated.times == 0 {
                return false;
            }
            write(&repeated.last, repeated.times);
            (repeated.told, repeated.times) = (now, 0);
            true
        });
    }

    fn gone(&mut self, connection: ConnectionId) {
        let device = self.peers.remove(&connection).and_then(|peer| peer.device);
        if let Some(device) = device.filter(|device| self.newest.get(device) == Some(&connection)) {
            self.newest.remove(&device);
        }
    }

    fn of_fact(&self, fact: &Fact) -> Option<Line> {
        let Fact::SessionEnded { user, device, epoch, reason, by } = fact else { return None };
        let peer = self.newest.get(device).and_then(|connection| self.peers.get(connection)).copied();
        Some(Line::Ended { user: *user, device: device.public_name(), epoch: *epoch, reason: *reason, by: *by, peer })
    }

    fn of_frame(&self, connection: ConnectionId, frame: &ServerFrame) -> Option<Line> {
        let peer = *self.peers.get(&connection)?;
        if let ServerFrame::Error(error) = frame {
            return Some(Line::BadFrame { error: *error, peer });
        }
        let (_, user) = self.asking.as_ref().filter(|(asking, _)| *asking == connection)?;
        let user = user.clone();
        let admitted = |word, epoch| Line::Admitted { word, user: user.clone(), epoch, peer };
        let refused = |word, why, code| Line::Refused { word, user: user.clone(), why, code, peer };
        let refusal = |word, refusal: &Refusal| match refusal {
            Refusal::Code(code) => refused(word, code.text(), Some(*code)),
            Refusal::Stale => refused(word, "the attempt is stale", None),
        };
        Some(match frame {
            ServerFrame::LoginAnswer { outcome: Ok(admission), .. } => admitted("login", Some(admission.epoch)),
            ServerFrame::LoginAnswer { outcome: Err(why), .. } => refusal("login", why),
            ServerFrame::RenewAnswer { outcome: Ok(()), .. } => admitted("renewal", None),
            ServerFrame::RenewAnswer { outcome: Err(why), .. } => refusal("renewal", why),
            ServerFrame::ResumeAnswer { outcome, .. } => match outcome {
                ResumeOutcome::Resumed { .. } => admitted("resume", None),
                ResumeOutcome::LoggedIn(admission) => admitted("resume", Some(admission.epoch)),
                ResumeOutcome::Kicked(kick) => refused("resume", kick.reason.word(), None),
                ResumeOutcome::Expired => refused("resume", "expired", None),
                ResumeOutcome::Refused(code) | ResumeOutcome::Unable(code) => {
                    refused("resume", code.text(), Some(*code))
                }
                ResumeOutcome::Stale => refused("resume", "the attempt is stale", None),
            },
            ServerFrame::LogoutAnswer { .. }
            | ServerFrame::HeartbeatAnswer
            | ServerFrame::Kick(_)
            | ServerFrame::Expired(_)
            | ServerFrame::SendAnswer { .. }
            | ServerFrame::Message { .. }
            | ServerFrame::AdminKickAnswer { .. }
            | ServerFrame::StatusAnswer { .. }
            | ServerFrame::Error(_)
            | ServerFrame::Closing { .. } => return None,
        })
    }

    /// Writes the line, or counts it where one of its kind was written a moment ago.
    fn tell(&mut self, now: Instant, line: Line) {
        self.tell_counted(now);
        let Some(kind) = kind_of(&line) else { return write(&line, 1) };
        let is_known = self.repeated.contains_key(&kind);
        let kind = match (kind, is_known || self.repeated.len() < KINDS_MAX) {
            (Kind::Refused { code, .. }, false) => Kind::Crowd(code),
            (kind, _) => kind,
        };
        if let Some(repeated) = self.repeated.get_mut(&kind) {
            repeated.times += 1;
            repeated.last = line;
        } else {
            write(&line, 1);
            self.repeated.insert(kind, Repeated { told: now, times: 0, last: line });
        }
    }
}

/// A user id as it is; anything else quoted, escaped and cut, since whoever sent it may not write in the log.
fn shown(user: &str) -> String {
    match user.parse::<UserId>() {
        Ok(user) => user.to_string(),
        Err(_) => format!("{:?}", user.chars().take(NO_USER_CHARS_MAX).collect::<String>()),
    }
}

/// What is bounded by nothing but the patience of whoever does it.
fn kind_of(line: &Line) -> Option<Kind> {
    match line {
        Line::Refused { word, user, code, peer, .. } => {
            Some(Kind::Refused { word, code: *code, user: user.clone(), device: peer.device })
        }
        Line::BadFrame { error, .. } => Some(Kind::BadFrame(*error)),
        Line::Full { .. } => Some(Kind::Full),
        Line::MadeRoom { .. } => Some(Kind::MadeRoom),
        Line::KeptOut { why, .. } => Some(Kind::KeptOut(why.word())),
        Line::Admitted { .. } | Line::Ended { .. } => None,
    }
}

fn write(line: &Line, times: u64) {
    match line {
        Line::Admitted { word, user, epoch, peer: Peer { number, address, device } } => {
            let device = device.map(|device| display(device.public_name()));
            let (epoch, peer) = (epoch.map(display), address.map(display));
            match *word {
                "login" => info!(%user, device, epoch, connection = number, peer, "login"),
                word => debug!(%user, device, epoch, connection = number, peer, "{word}"),
            }
        }
        Line::Refused { word, user, why, code, peer: Peer { number, address, device } } => {
            let device = device.map(|device| display(device.public_name()));
            let (peer, is_locked) = (address.map(display), *code == Some(Code::TooManyRefusals));
            let code = code.map(Code::number);
            match is_locked {
                true => info!(%user, device, code, connection = number, peer, times, "{word} locked"),
                false => info!(%user, device, code, why, connection = number, peer, times, "{word} refused"),
            }
        }
        Line::BadFrame { error, peer: Peer { number, address, device } } => {
            let device = device.map(|device| display(device.public_name()));
            info!(device, why = error.word(), connection = number, peer = address.map(display), times, "frame refused");
        }
        Line::Ended { user, device, epoch, reason, by, peer } => {
            let connection = peer.map(|peer| peer.number);
            let (by, peer) = (by.map(display), peer.and_then(|peer| peer.address).map(display));
            match reason {
                EndReason::SamePlatform | EndReason::OtherPlatform | EndReason::Administrator => {
                    let reason = reason.kick().map(|reason| reason.word());
                    info!(%user, %device, %epoch, reason, by, connection, peer, "kicked");
                }
                EndReason::Expired => info!(%user, %device, %epoch, connection, peer, "expired"),
                EndReason::Logout => info!(%user, %device, %epoch, connection, peer, "logout"),
                EndReason::Replaced | EndReason::OtherUser => {
                    debug!(%user, %device, %epoch, connection, peer, "left for another login of the device");
                }
            }
        }
        Line::Full { connections, address } => {
            warn!(connections, peer = address.map(display), times, "full: nobody else gets in");
        }
        Line::MadeRoom { connections, address } => {
            warn!(connections, peer = address.map(display), times, "full: whoever says nothing makes room");
        }
        Line::KeptOut { why, address } => {
            warn!(why = why.word(), peer = %address, times, "an address has had its share: nobody else gets in from there");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer { number: number.into(), address: None, device: Some(DeviceId::from_bytes([number; 16])) }
    }

    fn refused(user: &str, number: u8) -> Line {
        let (why, code) = (Code::TicketExpired.text(), Some(Code::TicketExpired));
        Line::Refused { word: "login", user: user.into(), why, code, peer: peer(number) }
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    /// How often each kind was counted and not told yet.
    fn counted(log: &Log) -> Vec<u64> {
        log.repeated.values().map(|repeated| repeated.times).collect()
    }

    /// INPUT-5: one line a second, and the count is not lost when nothing more comes.
    #[test]
    fn what_repeats_is_counted_for_a_second() {
        let mut log = Log::default();
        assert_eq!(log.due(), None);
        for millis in 0..200 {
            log.tell(at(millis), Line::Full { connections: 4, address: None });
        }
        assert_eq!((counted(&log), log.due()), (vec![199], Some(at(1_000))), "the first was told");
        log.tell_counted(at(999));
        assert_eq!(counted(&log), [199]);
        log.tell_counted(at(1_000));
        assert_eq!((counted(&log), log.due()), (vec![0], Some(at(2_000))), "the others were told as one");
        log.tell(at(1_500), Line::Full { connections: 4, address: None });
        assert_eq!(counted(&log), [1]);
        log.tell_counted(at(2_000));
        log.tell_counted(at(3_000));
        assert_eq!((counted(&log), log.due()), (vec![], None), "who is quiet is forgotten");
    }

    /// Each user on each device is told apart, up to a bound.
    #[test]
    fn a_flood_of_names_is_no_flood_of_lines() {
        let mut log = Log::default();
        log.tell(at(0), refused("alice", 1));
        log.tell(at(0), refused("alice", 2));
        log.tell(at(0), refused("bob", 1));
        log.tell(at(0), refused("bob", 1));
        assert_eq!(counted(&log), [0, 0, 1]);
        for number in 0..10_000 {
            log.tell(at(1), refused(&format!("user-{number}"), 1));
        }
        assert_eq!(log.repeated.len(), KINDS_MAX + 1);
        assert!(log.repeated[&Kind::Crowd(Some(Code::TicketExpired))].times > 9_000);
    }

    #[test]
    fn nobody_writes_in_the_log_by_their_name() {
        assert_eq!(shown("alice"), "alice");
        assert_eq!(shown("a\nlogin user=root \u{1b}[31m"), r#""a\nlogin user=root \u{1b}[31m""#);
        assert_eq!(shown(&"é".repeat(1_000)).chars().count(), NO_USER_CHARS_MAX + 2);
    }
}
