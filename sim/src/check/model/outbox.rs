//! What the server has to say and whom it has to let go, until the trace shows that it did.
//!
//! An answer may wait for the disk (DUR-1), no longer. What is said first is another property's business.

use std::collections::{BTreeSet, VecDeque};

use gatecrash::code::Code;
use gatecrash::protocol::{DeviceState, Presence};

use super::difference::Difference;
use super::gates;
use super::words::frame_in_words;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Cast, DeviceIndex, List, ListIndex, Refusal, ServerFrame, Terms, TextIndex, UserIndex};

const UNABLE: RuleId = rule("DUR-5");

/// What is to be said.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    This(ServerFrame),
    /// This, or nothing: two things befell the connection at one instant, or the trace does not show which came first.
    Perhaps(ServerFrame),
    /// The trace does not tell which.
    OneOf(Vec<ServerFrame>),
    /// The frame without its list, and the list: with whom, the last message, its text.
    Conversations(ServerFrame, Vec<(UserIndex, u32, TextIndex)>),
    Report(u32, Vec<Status>),
}

impl Answer {
    /// The kind of the frame.
    fn word(&self) -> &'static str {
        match self {
            Answer::This(frame) | Answer::Perhaps(frame) | Answer::Conversations(frame, _) => frame.word(),
            Answer::OneOf(frames) => frames.first().map_or("server_sent", ServerFrame::word),
            Answer::Report(..) => "query_answer",
        }
    }
}

/// What a report says of one user. Where the wall clock is not known well enough, several things may be said.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) user: UserIndex,
    /// None when there is no such account.
    pub(super) presence: Option<Presence>,
    pub(super) devices: Vec<(DeviceIndex, [DeviceState; 2])>,
}

#[derive(Clone, Debug)]
struct Owed {
    rule: RuleId,
    connection: u32,
    /// Once this change is on disk nothing holds it back.
    reveals: u32,
    /// None for the close of the connection.
    answer: Option<Answer>,
}

/// In the order in which it was owed.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    /// Reveals nothing, so does not wait.
    at_once: Vec<Owed>,
    owed: VecDeque<Owed>,
    /// Connections that may be closed, and need not be.
    may_close: BTreeSet<u32>,
}

/// Whether such a frame tells nothing that could be lost, so waits for no disk.
fn is_immediate(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::HeartbeatAnswer | ServerFrame::Error { .. })
}

impl Outbox {
    pub(super) fn clear(&mut self) {
        self.at_once.clear();
        self.owed.clear();
    }

    pub(super) fn say(&mut self, rule: RuleId, connection: u32, reveals: u32, answer: Answer) {
        let is_immediate = matches!(&answer, Answer::This(frame) if is_immediate(frame));
        let owed = Owed { rule, connection, reveals, answer: Some(answer) };
        if is_immediate { self.at_once.push(owed) } else { self.owed.push_back(owed) }
    }

    pub(super) fn close(&mut self, rule: RuleId, connection: u32, reveals: u32) {
        self.owed.push_back(Owed { rule, connection, reveals, answer: None });
    }

    /// The connection may be closed, and need not be: the trace does not tell.
    pub(super) fn may_close(&mut self, connection: u32) {
        self.may_close.insert(connection);
    }

    /// Whether it may be, for no other reason.
    pub(super) fn is_free_to_close(&self, connection: u32) -> bool {
        self.may_close.contains(&connection)
    }

    /// The connection is gone: what waits for it will not be said.
    pub(super) fn gone(&mut self, connection: u32) {
        self.may_close.remove(&connection);
        self.at_once.retain(|owed| owed.connection != connection);
        self.owed.retain(|owed| owed.connection != connection);
    }

    /// A frame left.
    pub(super) fn sent(&mut self, cast: &Cast, connection: u32, frame: &ServerFrame) -> Option<Difference> {
        let is_it = |owed: &Owed| owed.connection == connection && owed.answer.is_some();
        let owed = if is_immediate(frame) {
            self.at_once.iter().position(is_it).map(|place| self.at_once.remove(place))
        } else {
            self.owed.iter().position(is_it).and_then(|place| self.owed.remove(place))
        };
        let said = || frame_in_words(cast, frame);
        let Some(Owed { rule, answer: Some(answer), .. }) = owed else {
            return Difference::of(rule_of(frame), format!("the server said {}, and had nothing to say", said()));
        };
        if answer.is(cast, frame) {
            return None;
        }
        let rule = part_broken(cast, &answer, frame).unwrap_or(rule);
        Difference::of(rule, format!("the server said {}, not {}", said(), answer.in_words(cast)))
    }

    /// The connection is closed. False when nobody meant to.
    pub(super) fn closed(&mut self, cast: &Cast, connection: u32) -> Result<bool, Difference> {
        let is_left_out =
            |owed: &Owed| owed.connection == connection && matches!(owed.answer, Some(Answer::Perhaps(_)));
        self.owed.retain(|owed| !is_left_out(owed));
        let Some(place) = self.owed.iter().position(|owed| owed.connection == connection) else { return Ok(false) };
        let Some(Owed { rule, answer, .. }) = self.owed.remove(place) else { return Ok(false) };
        answer.map_or(Ok(true), |answer| {
            let text = format!("a connection was closed before {} was said on it", answer.in_words(cast));
            Err(Difference { rule, text, missing: Some(answer.word()) })
        })
    }

    /// What should be out by now, and is not.
    pub(super) fn overdue(&self, cast: &Cast, committed: u32) -> Option<Difference> {
        let is_wanted = |owed: &&Owed| !matches!(owed.answer, Some(Answer::Perhaps(_)));
        let due = self.owed.iter().find(is_wanted).filter(|owed| owed.reveals <= committed);
        let Owed { rule, connection, answer, .. } = self.at_once.first().or(due)?;
        match answer {
            Some(answer) => {
                Difference::lacks(*rule, answer.word(), format!("the server did not say {}", answer.in_words(cast)))
            }
            None => {
                Difference::lacks(*rule, "close_asked", format!("the server did not close connection {connection}"))
            }
        }
    }

    /// DUR-5: whoever waits for the disk is told that the server was unable.
    pub(super) fn store_failed(&mut self) {
        self.owed.retain_mut(|owed| {
            let unable = owed.answer.as_ref().and_then(Answer::unable);
            owed.answer = unable.map(Answer::This);
            (owed.rule, owed.reveals) = (UNABLE, 0);
            owed.answer.is_some()
        });
    }
}

/// What the server asks of a device in such an answer.
fn terms(frame: &ServerFrame) -> Option<Terms> {
    match *frame {
        ServerFrame::LoginAccepted { terms, .. }
        | ServerFrame::Resumed { terms, .. }
        | ServerFrame::ResumedAsLogin { terms, .. } => Some(terms),
        _ => None,
    }
}

/// The rule of the part of an answer that is not what it should be, where the others are.
fn part_broken(cast: &Cast, wanted: &Answer, said: &ServerFrame) -> Option<RuleId> {
    if let Some(rule) = gate_broken(wanted, said) {
        return Some(rule);
    }
    let is_back = matches!(said, ServerFrame::Resumed { .. } | ServerFrame::ResumedAsLogin { .. });
    match wanted {
        Answer::This(ServerFrame::ResumeKicked { .. } | ServerFrame::ResumeExpired { .. }) if is_back => {
            Some(const { rule("CONN-4") })
        }
        Answer::Conversations(frame, _) if *frame == without_list(said).0 => Some(const { rule("API-2") }),
        Answer::Report(_, statuses) if is_other_sleep(cast, statuses, said) => Some(const { rule("CONN-6") }),
        _ if is_other_count(&wanted.frame(), said) => Some(const { rule("API-7") }),
        _ => terms_broken(&wanted.frame(), said),
    }
}

/// Whether a device is said to be dormant that is not, or the other way round.
fn is_other_sleep(cast: &Cast, wanted: &[Status], said: &ServerFrame) -> bool {
    let &ServerFrame::QueryAnswer { report: Some(list), .. } = said else { return false };
    let List::Report(said) = cast.list(list) else { return false };
    let users = wanted.iter().zip(said).filter(|(wanted, said)| wanted.user == said.user);
    let mut devices = users.flat_map(|(wanted, said)| wanted.devices.iter().zip(&said.devices));
    devices.any(|((device, may), said)| {
        let is_asleep = |state: &DeviceState| *state == DeviceState::Dormant;
        *device == said.device && !may.contains(&said.state) && (is_asleep(&said.state) || may.iter().all(is_asleep))
    })
}

/// Whether all that is wrong is how many messages it says are lost.
fn is_other_count(wanted: &ServerFrame, said: &ServerFrame) -> bool {
    let counted = |frame: &ServerFrame| match without_list(frame).0 {
        ServerFrame::Resumed { attempt, conversations, terms, dropped } => {
            Some((ServerFrame::Resumed { attempt, conversations, terms, dropped: 0 }, dropped))
        }
        _ => None,
    };
    counted(wanted).zip(counted(said)).is_some_and(|((wanted, lost), (said, told))| wanted == said && lost != told)
}

/// Of two refusals the rule of the one that comes first on the way in: that gate was passed and should not have been,
/// or the other way round. What a ticket is worth was told before, where it was judged.
fn gate_broken(wanted: &Answer, said: &ServerFrame) -> Option<RuleId> {
    let ((wanted, _), (said, _)) = (gates::refusal(&wanted.frame())?, gates::refusal(said)?);
    if said == const { rule("TICKET-3") } {
        return Some(wanted);
    }
    [wanted, said].into_iter().min_by_key(|&rule| gates::place(rule))
}

/// The rule of what it asks for, where that is not what it should be.
fn terms_broken(wanted: &ServerFrame, said: &ServerFrame) -> Option<RuleId> {
    let (wanted, said) = (terms(wanted)?, terms(said)?);
    match (wanted.return_spread == said.return_spread, wanted.heartbeat == said.heartbeat) {
        (true, true) => None,
        (true, false) => Some(const { rule("CONN-11") }),
        (false, _) => Some(const { rule("CONN-2") }),
    }
}

/// What a frame that nobody expected breaks.
fn rule_of(frame: &ServerFrame) -> RuleId {
    match frame {
        ServerFrame::LoginAccepted { .. } | ServerFrame::LoginRefused { .. } => const { rule("LOGIN-3") },
        ServerFrame::Resumed { .. }
        | ServerFrame::ResumedAsLogin { .. }
        | ServerFrame::ResumeKicked { .. }
        | ServerFrame::ResumeExpired { .. }
        | ServerFrame::ResumeRefused { .. }
        | ServerFrame::ResumeUnable { .. }
        | ServerFrame::ResumeStale { .. } => const { rule("CONN-4") },
        ServerFrame::RenewAnswer { .. } => const { rule("LOGIN-5") },
        ServerFrame::LogoutAnswer { .. } => const { rule("LOGOUT-1") },
        ServerFrame::HeartbeatAnswer => const { rule("CONN-5") },
        ServerFrame::Kick { .. } => const { rule("KICK-2") },
        ServerFrame::Expired { .. } => const { rule("TICKET-5") },
        ServerFrame::SendAnswer { .. } | ServerFrame::Message { .. } => const { rule("API-2") },
        ServerFrame::AdminKickAnswer { .. } => const { rule("ADMIN-1") },
        ServerFrame::QueryAnswer { .. } => const { rule("ADMIN-2") },
        ServerFrame::Error { .. } => const { rule("INPUT-1") },
        ServerFrame::Closing { .. } => const { rule("CONN-2") },
    }
}

impl Answer {
    /// The frame that carries this answer's list, without that.
    fn is(&self, cast: &Cast, frame: &ServerFrame) -> bool {
        match self {
            Answer::This(wanted) | Answer::Perhaps(wanted) => wanted == frame,
            Answer::OneOf(wanted) => wanted.contains(frame),
            Answer::Conversations(wanted, lines) => {
                let (frame, list) = without_list(frame);
                let said = match list.map(|list| cast.list(list)) {
                    Some(List::Conversations(said)) => said.as_slice(),
                    Some(List::Devices(_) | List::Users(_) | List::Report(_)) => return false,
                    None => &[],
                };
                *wanted == frame
                    && said.len() == lines.len()
                    && said.iter().zip(lines).all(|(said, &(peer, last, text))| {
                        (said.peer, said.last) == (peer, last)
                            && cast.text(said.preview) == numbers::preview(cast.text(text))
                    })
            }
            Answer::Report(call, statuses) => {
                let &ServerFrame::QueryAnswer { call: answered, report, refused: None } = frame else { return false };
                let said = match report.map(|list| cast.list(list)) {
                    Some(List::Report(said)) => said.as_slice(),
                    Some(List::Devices(_) | List::Users(_) | List::Conversations(_)) => return false,
                    None => &[],
                };
                *call == answered
                    && said.len() == statuses.len()
                    && statuses.iter().zip(said).all(|(status, said)| {
                        let devices = status.devices.iter().zip(&said.devices);
                        status.presence == said.presence
                            && status.user == said.user
                            && status.devices.len() == said.devices.len()
                            && devices
                                .into_iter()
                                .all(|((device, may), said)| *device == said.device && may.contains(&said.state))
                    })
            }
        }
    }

    fn frame(&self) -> ServerFrame {
        match self {
            Answer::This(frame) | Answer::Perhaps(frame) | Answer::Conversations(frame, _) => *frame,
            Answer::OneOf(frames) => frames[0],
            Answer::Report(call, _) => ServerFrame::QueryAnswer { call: *call, report: None, refused: None },
        }
    }

    fn in_words(&self, cast: &Cast) -> String {
        let mut text = frame_in_words(cast, &self.frame());
        match self {
            Answer::This(_) | Answer::Perhaps(_) => {}
            Answer::OneOf(frames) => {
                frames[1..].iter().for_each(|frame| text += &format!(" or {}", frame_in_words(cast, frame)))
            }
            Answer::Conversations(_, lines) => text += &format!(" with {} conversations", lines.len()),
            Answer::Report(_, statuses) => {
                for Status { user, presence, devices } in statuses {
                    let presence = presence.map_or("unknown", Presence::word);
                    text += &format!("; {} {presence}", cast.user_name(*user));
                    for (device, [state, _]) in devices {
                        text += &format!(" {} {}", cast.device_name(*device), state.word());
                    }
                }
            }
        }
        text
    }

    /// What is said instead when the store failed under it; nothing where nobody asked.
    fn unable(&self) -> Option<ServerFrame> {
        let refused = Refusal::Code(Code::ServerUnable);
        let (code, message, report) = (Code::ServerUnable, 0, None);
        match self.frame() {
            ServerFrame::LoginAccepted { call, .. } | ServerFrame::LoginRefused { call, .. } => {
                Some(ServerFrame::LoginRefused { call, refused })
            }
            ServerFrame::Resumed { attempt, .. }
            | ServerFrame::ResumedAsLogin { attempt, .. }
            | ServerFrame::ResumeKicked { attempt, .. }
            | ServerFrame::ResumeExpired { attempt }
            | ServerFrame::ResumeRefused { attempt, .. }
            | ServerFrame::ResumeUnable { attempt, .. }
            | ServerFrame::ResumeStale { attempt } => Some(ServerFrame::ResumeUnable { attempt, code }),
            ServerFrame::RenewAnswer { call, .. } => Some(ServerFrame::RenewAnswer { call, refused: Some(refused) }),
            ServerFrame::LogoutAnswer { call, .. } => Some(ServerFrame::LogoutAnswer { call, refused: Some(refused) }),
            ServerFrame::SendAnswer { call, .. } => {
                Some(ServerFrame::SendAnswer { call, message, refused: Some(code) })
            }
            ServerFrame::AdminKickAnswer { call, .. } => {
                Some(ServerFrame::AdminKickAnswer { call, refused: Some(code) })
            }
            ServerFrame::QueryAnswer { call, .. } => {
                Some(ServerFrame::QueryAnswer { call, report, refused: Some(code) })
            }
            closing @ ServerFrame::Closing { .. } => Some(closing),
            ServerFrame::HeartbeatAnswer
            | ServerFrame::Kick { .. }
            | ServerFrame::Expired { .. }
            | ServerFrame::Message { .. }
            | ServerFrame::Error { .. } => None,
        }
    }
}

/// The frame with an empty list, and the list it had.
fn without_list(frame: &ServerFrame) -> (ServerFrame, Option<ListIndex>) {
    let mut frame = *frame;
    let list = match &mut frame {
        ServerFrame::LoginAccepted { conversations, .. }
        | ServerFrame::Resumed { conversations, .. }
        | ServerFrame::ResumedAsLogin { conversations, .. } => conversations.take(),
        _ => None,
    };
    (frame, list)
}
