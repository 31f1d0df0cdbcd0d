//! Wrappers around the server's core: frames that are changed, delayed or invented, inputs that are
//! swallowed.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, ConnectionId, DeviceId, MessageId, SendId, UserId};
use gatecrash::policy::Seats;
use gatecrash::protocol::{
    Admission, ClientFrame, Conversation, Kick, KickReason, Presence, ResumeOutcome, ServerFrame, Terms,
};
use gatecrash::server::{Action, Config, Input, Output, Timer};
use gatecrash::store::{EndReason, Fact, Owed, Records};
use gatecrash::ticket::{OpenedTicket, Signature};
use gatecrash::time::{Now, WallTime};

use crate::world::event::{Interceptor, ServerStep};

/// Which device speaks on each connection.
#[derive(Default)]
struct Peers(BTreeMap<ConnectionId, DeviceId>);

impl Peers {
    /// The device and the frame, when the steps are one.
    fn frame<'s>(
        &mut self,
        steps: &'s mut [ServerStep],
    ) -> Option<(ConnectionId, DeviceId, &'s mut ClientFrame<OpenedTicket>)> {
        match steps.first_mut()? {
            ServerStep::Input(Input::Frame { connection, frame }) => {
                if let ClientFrame::Hello { device, .. } = frame {
                    self.0.entry(*connection).or_insert(*device);
                }
                let device = *self.0.get(connection)?;
                Some((*connection, device, frame))
            }
            ServerStep::Input(Input::Opened { connection } | Input::Closed { connection }) => {
                self.0.remove(connection);
                None
            }
            ServerStep::Input(Input::Started) => {
                self.0.clear();
                None
            }
            ServerStep::Input(
                Input::Malformed { .. }
                | Input::Configured(_)
                | Input::ClockChanged
                | Input::StoodStill
                | Input::Stopping,
            )
            | ServerStep::Fire(_) => None,
        }
    }
}

/// The frame that an output sends, and on which connection.
fn sent(output: &mut Output) -> Option<(ConnectionId, &mut ServerFrame)> {
    match &mut output.action {
        Action::Send { connection, frame } => Some((*connection, frame)),
        Action::Commit(_) | Action::Close { .. } | Action::Note(_) => None,
    }
}

/// What the outputs commit.
fn facts(outputs: &[Output]) -> impl Iterator<Item = &Fact> {
    outputs.iter().flat_map(|output| match &output.action {
        Action::Commit(commit) => &commit.facts[..],
        Action::Send { .. } | Action::Close { .. } | Action::Note(_) => &[],
    })
}

/// The server goes on as if it had never stood still.
pub(super) struct StandstillUnnoticed;

impl Interceptor for StandstillUnnoticed {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        steps.retain(|step| !matches!(step, ServerStep::Input(Input::StoodStill)));
    }
}

/// F02: a session is cleaned up when the first ticket of its user on its device is over, whatever has
/// replaced it.
#[derive(Default)]
pub(super) struct LateCleanUp {
    due: BTreeMap<(UserId, DeviceId), WallTime>,
}

impl Interceptor for LateCleanUp {
    fn server_steps(&mut self, now: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        self.due.retain(|&(user, device), at| {
            let is_due = *at <= now.wall;
            if is_due {
                steps.push(ServerStep::Fire(Timer::Expiry(user, device)));
            }
            !is_due
        });
    }

    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for fact in facts(outputs) {
            if let Fact::SessionAccepted { user, device, ticket, .. } = fact {
                self.due.entry((*user, *device)).or_insert(ticket.ends_at());
            }
        }
    }
}

/// F04: a displacement voids the ticket of the displaced session.
#[derive(Default)]
pub(super) struct KickVoidsTicket {
    tickets: BTreeMap<DeviceId, Signature>,
    void: BTreeSet<Signature>,
    peers: Peers,
}

impl Interceptor for KickVoidsTicket {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        let Some((_, _, frame)) = self.peers.frame(steps) else { return };
        if let ClientFrame::Login { ticket, .. }
        | ClientFrame::Resume { ticket, .. }
        | ClientFrame::Renew { ticket, .. } = frame
            && ticket.as_ref().is_ok_and(|opened| self.void.contains(&opened.claims.signature))
        {
            *ticket = Err(Code::TicketVoided);
        }
    }

    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for fact in facts(outputs) {
            match fact {
                Fact::SessionEnded { device, reason, .. } if reason.is_displacement() => {
                    self.void.extend(self.tickets.get(device));
                }
                Fact::SessionAccepted { device, ticket, .. } => {
                    self.tickets.insert(*device, ticket.signature);
                }
                _ => {}
            }
        }
    }
}

/// F07: when somebody is displaced, the newcomer is told that they were kicked, too.
pub(super) struct NewcomerIsKickedToo;

impl Interceptor for NewcomerIsKickedToo {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let reason = facts(outputs).find_map(|fact| match fact {
            Fact::SessionEnded { reason, .. } if reason.is_displacement() => reason.kick(),
            _ => None,
        });
        let accepted = facts(outputs).find_map(|fact| match fact {
            Fact::SessionAccepted { user, epoch, .. } => Some((*user, *epoch)),
            _ => None,
        });
        let (Some(reason), Some((user, epoch))) = (reason, accepted) else { return };
        let answer = outputs.iter_mut().find_map(|output| {
            let reveals = output.reveals;
            match sent(output) {
                Some((connection, ServerFrame::LoginAnswer { outcome: Ok(_), .. })) => Some((connection, reveals)),
                _ => None,
            }
        });
        let Some((connection, reveals)) = answer else { return };
        let frame = ServerFrame::Kick(Kick { user, epoch, reason, by: None });
        outputs.push(Output { reveals, action: Action::Send { connection, frame } });
    }
}

/// F13: a change of the policy has no effect.
#[derive(Default)]
pub(super) struct PolicyStays {
    seats: Seats,
}

impl Interceptor for PolicyStays {
    fn server_starts(&mut self, config: &mut Config, _: &mut Records) {
        self.seats = config.seats;
    }

    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        for step in steps {
            if let ServerStep::Input(Input::Configured(config)) = step {
                config.seats = self.seats;
            }
        }
    }
}

/// A server that stops closes without a word.
pub(super) struct StopsWithoutAWord;

impl Interceptor for StopsWithoutAWord {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        outputs.retain(|output| !matches!(output.action, Action::Send { frame: ServerFrame::Closing { .. }, .. }));
    }
}

/// F25: whoever was kicked while the link was down is told on resuming that all is well.
pub(super) struct LostKickStaysLost;

impl Interceptor for LostKickStaysLost {
    fn server_outputs(&mut self, records: &Records, outputs: &mut Vec<Output>) {
        for (_, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::ResumeAnswer { outcome, .. } = frame
                && let ResumeOutcome::Kicked(kick) = outcome
            {
                let account = records.users.get(&kick.user);
                let mut conversations: Vec<Conversation> =
                    account.into_iter().flat_map(|account| account.conversations.values().cloned()).collect();
                conversations.sort_by_key(|conversation| std::cmp::Reverse(conversation.last));
                *outcome = ResumeOutcome::Resumed { conversations, terms: Terms::default(), dropped: 0 };
            }
        }
    }
}

/// F33: attempts are numbered as they arrive, so that one held by the network is the newest.
#[derive(Default)]
pub(super) struct NumberedOnArrival {
    peers: Peers,
    highest: BTreeMap<DeviceId, Attempt>,
    /// What a device called the attempt that is now called otherwise.
    names: BTreeMap<(ConnectionId, Attempt), Attempt>,
}

impl Interceptor for NumberedOnArrival {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        let Some((connection, device, frame)) = self.peers.frame(steps) else { return };
        let (ClientFrame::Login { attempt, .. }
        | ClientFrame::Resume { attempt, .. }
        | ClientFrame::Renew { attempt, .. }
        | ClientFrame::Logout { attempt, .. }) = frame
        else {
            return;
        };
        let named = *attempt;
        if let Some(highest) = self.highest.get(&device).filter(|&&highest| named <= highest) {
            *attempt = Attempt { start: highest.start, count: highest.count + 1 };
            self.names.insert((connection, *attempt), named);
        }
        self.highest.insert(device, *attempt);
    }

    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for (connection, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::ResumeAnswer { attempt, .. } = frame
                && let Some(named) = self.names.remove(&(connection, *attempt))
            {
                *attempt = named;
            }
        }
    }
}

/// F34: the answer to a login takes a slower way than a kick, and a kick that overtakes it counts for nothing.
#[derive(Default)]
pub(super) struct KickOvertakesAnswer {
    slow: Vec<Output>,
}

impl Interceptor for KickOvertakesAnswer {
    fn server_starts(&mut self, _: &mut Config, _: &mut Records) {
        self.slow.clear();
    }

    fn server_outputs(&mut self, records: &Records, outputs: &mut Vec<Output>) {
        let mut late = std::mem::take(&mut self.slow);
        let is_answer =
            |output: &mut Output| matches!(sent(output), Some((_, ServerFrame::LoginAnswer { outcome: Ok(_), .. })));
        self.slow.extend(outputs.extract_if(.., is_answer));
        for output in &mut late {
            output.reveals = records.change;
        }
        outputs.extend(late);
    }
}

/// A server that starts does not look at the sessions it knows: no link is lost, no timer runs.
pub(super) struct NothingRunsAfterARestart;

impl Interceptor for NothingRunsAfterARestart {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        steps.retain(|step| !matches!(step, ServerStep::Input(Input::Started)));
    }
}

/// What is no frame is ignored.
pub(super) struct GarbageIsIgnored;

impl Interceptor for GarbageIsIgnored {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        steps.retain(|step| !matches!(step, ServerStep::Input(Input::Malformed { .. })));
    }
}

/// A kick names the other of two reasons.
pub(super) struct WrongReason;

impl Interceptor for WrongReason {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for (_, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::Kick(kick) | ServerFrame::ResumeAnswer { outcome: ResumeOutcome::Kicked(kick), .. } =
                frame
            {
                kick.reason = match kick.reason {
                    KickReason::SamePlatform => KickReason::OtherPlatform,
                    KickReason::OtherPlatform => KickReason::SamePlatform,
                    KickReason::Administrator => KickReason::Gone,
                    KickReason::Gone => KickReason::Gone,
                };
            }
        }
    }
}

/// A kick names the epoch before the one it ends.
pub(super) struct KickNamesTheEpochBefore;

impl Interceptor for KickNamesTheEpochBefore {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for (_, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::Kick(kick) = frame {
                kick.epoch.0 = kick.epoch.0.saturating_sub(1);
            }
        }
    }
}

/// Each message is delivered twice.
pub(super) struct MessagesTwice;

impl Interceptor for MessagesTwice {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let twice = |mut output: Output| match sent(&mut output) {
            Some((_, ServerFrame::Message { .. })) => vec![output.clone(), output],
            _ => vec![output],
        };
        *outputs = std::mem::take(outputs).into_iter().flat_map(twice).collect();
    }
}

/// What one user calls a message is taken for what another calls theirs: the answer tells of that one.
#[derive(Default)]
pub(super) struct IdsOfAllUsers {
    first: BTreeMap<SendId, MessageId>,
    asked: BTreeMap<(ConnectionId, CallId), SendId>,
}

impl Interceptor for IdsOfAllUsers {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        for step in steps {
            if let ServerStep::Input(Input::Frame { connection, frame: ClientFrame::SendMessage { call, id, .. } }) =
                step
            {
                self.asked.insert((*connection, *call), *id);
            }
        }
    }

    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for (connection, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::SendAnswer { call, outcome: Ok(number) } = frame
                && let Some(id) = self.asked.remove(&(connection, *call))
            {
                *number = *self.first.entry(id).or_insert(*number);
            }
        }
    }
}

/// Whatever a device has of its messages, a resume sends them from the first that is kept.
pub(super) struct ResumesFromTheStart;

impl Interceptor for ResumesFromTheStart {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        for step in steps {
            if let ServerStep::Input(Input::Frame { frame: ClientFrame::Resume { received, .. }, .. }) = step {
                *received = 0;
            }
        }
    }
}

/// Owed messages are kept in memory only.
pub(super) struct OwedInMemory;

impl Interceptor for OwedInMemory {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        for account in records.users.values_mut() {
            for (_, session) in account.sessions.iter_mut() {
                session.owed = Owed::at(session.owed.places());
            }
        }
    }
}

/// A message for a device whose session has ended goes out behind the end.
#[derive(Default)]
pub(super) struct MessageAfterTheEnd {
    late: Vec<Output>,
}

impl Interceptor for MessageAfterTheEnd {
    fn server_starts(&mut self, _: &mut Config, _: &mut Records) {
        self.late.clear();
    }

    fn server_outputs(&mut self, records: &Records, outputs: &mut Vec<Output>) {
        let mut late = std::mem::take(&mut self.late);
        let is_message = |output: &mut Output| matches!(sent(output), Some((_, ServerFrame::Message { .. })));
        self.late.extend(outputs.extract_if(.., is_message));
        for output in &mut late {
            output.reveals = records.change;
        }
        outputs.extend(late);
    }
}

/// Logging out one device ends the sessions of all others of the user, as if their tickets were over.
#[derive(Default)]
pub(super) struct LogoutEndsAll {
    peers: Peers,
}

impl Interceptor for LogoutEndsAll {
    fn server_steps(&mut self, _: Now, records: &Records, steps: &mut Vec<ServerStep>) {
        let Some((_, device, ClientFrame::Logout { .. })) = self.peers.frame(steps) else { return };
        let user = records.devices.get(&device).and_then(|record| record.user);
        let Some((user, account)) = user.and_then(|user| Some((user, records.users.get(&user)?))) else { return };
        for &other in account.sessions.keys().filter(|&&other| other != device) {
            steps.push(ServerStep::Fire(Timer::Expiry(user, other)));
        }
    }
}

/// A login is answered with the conversations of whoever logged in last.
#[derive(Default)]
pub(super) struct AnothersConversations {
    last: Vec<Conversation>,
}

impl Interceptor for AnothersConversations {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for (_, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::LoginAnswer { outcome: Ok(Admission { conversations, .. }), .. } = frame {
                std::mem::swap(conversations, &mut self.last);
            }
        }
    }
}

/// A query shows everybody online.
pub(super) struct EverybodyIsOnline;

impl Interceptor for EverybodyIsOnline {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for (_, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::StatusAnswer { outcome: Ok(report), .. } = frame {
                report.users.iter_mut().for_each(|user| user.presence = Presence::Online);
            }
        }
    }
}

/// A session ended by its ticket is told so as a kick by an administrator.
pub(super) struct ExpiryIsAKick;

impl Interceptor for ExpiryIsAKick {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for (_, frame) in outputs.iter_mut().filter_map(sent) {
            if let ServerFrame::Expired(name) = *frame {
                let reason = EndReason::Administrator.kick().expect("an administrator's end is a kick");
                *frame = ServerFrame::Kick(Kick { user: name.user, epoch: name.epoch, reason, by: None });
            }
        }
    }
}

/// The devices are not told of their ends on the link they have: only a resume learns of one.
pub(super) struct NoPush;

impl Interceptor for NoPush {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let is_push =
            |output: &mut Output| matches!(sent(output), Some((_, ServerFrame::Kick(_) | ServerFrame::Expired(_))));
        outputs.extract_if(.., is_push).for_each(drop);
    }
}
