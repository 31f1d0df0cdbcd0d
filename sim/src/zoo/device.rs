//! Wrappers around the SDK's core: what the application is told, what is kept, what goes out.

use std::collections::BTreeMap;

use gatecrash::client::{Action, Call, Event, Input, Output, Status, Write};
use gatecrash::code::{Code, Failure, Reason};
use gatecrash::id::{CallId, Change, ConnectionId, UserId};
use gatecrash::protocol::{ClientFrame, Kick, ResumeOutcome, ServerFrame};
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

use crate::world::event::Interceptor;

/// Calls that the SDK makes by itself are numbered from here: an application never gets so far.
const OWN_CALLS: u64 = 1 << 31;

/// Something kept for each device, as long as its process lives.
#[derive(Default)]
pub(super) struct Each<Kept>(BTreeMap<usize, Kept>);

impl<Kept: Default> Each<Kept> {
    pub(super) fn of(&mut self, device: usize) -> &mut Kept {
        self.0.entry(device).or_default()
    }

    pub(super) fn forget(&mut self, device: usize) {
        self.0.remove(&device);
    }
}

fn output(action: Action) -> Output {
    Output { reveals: Change::NONE, action }
}

/// The login that an input calls for.
fn login(input: &Input) -> Option<(&str, &Ticket)> {
    match input {
        Input::Call { request: Call::Login { user, ticket, .. }, .. } => Some((user, ticket)),
        _ => None,
    }
}

/// A kick comes again, as another way to the device has it: behind the answer of the device's next login.
#[derive(Default)]
pub(super) struct KicksComeAgain {
    kicks: Each<Vec<Kick>>,
}

impl Interceptor for KicksComeAgain {
    fn process_starts(&mut self, device: usize) {
        self.kicks.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        match inputs.first() {
            Some(Input::Frame { frame: ServerFrame::Kick(kick), .. }) => self.kicks.of(device).push(*kick),
            Some(&Input::Frame { connection, frame: ServerFrame::LoginAnswer { outcome: Ok(_), .. } }) => {
                let again = std::mem::take(self.kicks.of(device)).into_iter();
                inputs.extend(again.map(|kick| Input::Frame { connection, frame: ServerFrame::Kick(kick) }));
            }
            _ => {}
        }
    }
}

/// F05: a device that was kicked logs in again by itself.
#[derive(Default)]
pub(super) struct KickedLogsInAgain {
    last: Each<Option<(String, Ticket)>>,
    again: Each<bool>,
    calls: u64,
}

impl Interceptor for KickedLogsInAgain {
    fn process_starts(&mut self, device: usize) {
        self.last.forget(device);
        self.again.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        if let Some((user, ticket)) = inputs.first().and_then(login) {
            *self.last.of(device) = Some((user.to_owned(), ticket.clone()));
        }
        // At the next thing that happens to it.
        if std::mem::take(self.again.of(device))
            && let Some((user, ticket)) = self.last.of(device).clone()
        {
            self.calls += 1;
            let call = CallId(OWN_CALLS + self.calls);
            inputs.push(Input::Call { call, request: Call::Login { user, ticket, lasts: None } });
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        let is_kick = |output: &Output| matches!(output.action, Action::Event(Event::KickedOffline(_)));
        *self.again.of(device) |= outputs.iter().any(is_kick);
        outputs.retain(|output| !matches!(output.action, Action::Result { call, .. } if call.0 > OWN_CALLS));
    }
}

/// F11: in the place of a resume the SDK logs in.
#[derive(Default)]
pub(super) struct LogsInToReconnect {
    resumes: Each<Option<gatecrash::id::Attempt>>,
}

impl Interceptor for LogsInToReconnect {
    fn process_starts(&mut self, device: usize) {
        self.resumes.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        for input in inputs {
            let Input::Frame { connection, frame: ServerFrame::LoginAnswer { call: CallId::NONE, outcome } } = input
            else {
                continue;
            };
            let Some(attempt) = self.resumes.of(device).take() else { continue };
            let outcome = match outcome.clone() {
                Ok(admission) => ResumeOutcome::LoggedIn(admission),
                Err(gatecrash::protocol::Refusal::Code(code)) => ResumeOutcome::Refused(code),
                Err(gatecrash::protocol::Refusal::Stale) => ResumeOutcome::Stale,
            };
            let frame = ServerFrame::ResumeAnswer { attempt, outcome };
            *input = Input::Frame { connection: *connection, frame };
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            let Action::Send { frame, .. } = &mut output.action else { continue };
            if let ClientFrame::Resume { attempt, user, ticket, .. } = frame {
                *self.resumes.of(device) = Some(*attempt);
                let (attempt, user, ticket) = (*attempt, user.to_string(), ticket.clone());
                *frame = ClientFrame::Login { call: CallId::NONE, attempt, user, ticket, known_ended: None };
            }
        }
    }
}

/// F14: whoever connects gets two connections.
#[derive(Default)]
pub(super) struct ConnectsTwice;

impl Interceptor for ConnectsTwice {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        let twice = |one: Output| match one.action {
            Action::Connect { connection } => {
                let second = ConnectionId(connection.0 | 1 << 30);
                vec![one, output(Action::Connect { connection: second })]
            }
            _ => vec![one],
        };
        *outputs = std::mem::take(outputs).into_iter().flat_map(twice).collect();
    }
}

/// F18: after an expiry the user counts as logged in: their login is not carried out.
#[derive(Default)]
pub(super) struct LoginAfterExpiryIsSwallowed {
    expired: Each<Option<UserId>>,
}

impl Interceptor for LoginAfterExpiryIsSwallowed {
    fn process_starts(&mut self, device: usize) {
        self.expired.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        let Some(expired) = *self.expired.of(device) else { return };
        inputs.retain(|input| login(input).is_none_or(|(user, _)| user != expired.as_str()));
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Event(Event::UserSigExpired(name)) = output.action {
                *self.expired.of(device) = Some(name.user);
            }
        }
    }
}

/// F19: the expiry is never told.
pub(super) struct ExpiryIsNotTold;

impl Interceptor for ExpiryIsNotTold {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        outputs.retain(|output| !matches!(output.action, Action::Event(Event::UserSigExpired(_))));
    }
}

/// F20: the late half of a logout, done when its answer comes, tears down whoever is logged in by then.
#[derive(Default)]
pub(super) struct LateHalfOfALogout {
    calls: u64,
}

impl Interceptor for LateHalfOfALogout {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        if let Some(Input::Frame { frame: ServerFrame::LogoutAnswer { outcome: Ok(()), .. }, .. }) = inputs.first() {
            self.calls += 1;
            inputs.push(Input::Call { call: CallId(OWN_CALLS + self.calls), request: Call::Logout });
        }
    }

    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        outputs.retain(|output| !matches!(output.action, Action::Result { call, .. } if call.0 > OWN_CALLS));
    }
}

/// F21: a login that failed counts as pending for ever.
#[derive(Default)]
pub(super) struct StaysLoggingIn {
    logins: Each<Vec<CallId>>,
    stuck: Each<bool>,
    refused: Each<Vec<CallId>>,
}

impl Interceptor for StaysLoggingIn {
    fn process_starts(&mut self, device: usize) {
        self.logins.forget(device);
        self.stuck.forget(device);
        self.refused.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        let Some(&Input::Call { call, request: Call::Login { .. } }) = inputs.first() else { return };
        if *self.stuck.of(device) {
            self.refused.of(device).push(call);
            inputs.clear();
        } else {
            self.logins.of(device).push(call);
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs.iter() {
            if let Action::Result { call, outcome: Err(failure) } = &output.action
                && matches!(failure.code, Code::NoLink | Code::ConnectTimeout | Code::NoAnswer)
                && self.logins.of(device).contains(call)
            {
                *self.stuck.of(device) = true;
            }
        }
        for call in std::mem::take(self.refused.of(device)) {
            outputs.push(output(Action::Result { call, outcome: Err(Code::LoginPending.into()) }));
        }
    }
}

/// F23: a login that fails has no result.
pub(super) struct FailedLoginIsNotAnswered;

impl Interceptor for FailedLoginIsNotAnswered {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        let is_failure = |output: &Output| {
            matches!(&output.action, Action::Result { outcome: Err(failure), .. }
                if matches!(failure.code, Code::NoAnswer | Code::ConnectTimeout))
        };
        outputs.retain(|output| !is_failure(output));
    }
}

/// F23: a result comes twice.
pub(super) struct ResultsTwice;

impl Interceptor for ResultsTwice {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        let is_it = |one: &Output| {
            matches!(&one.action, Action::Result { outcome: Err(failure), .. }
                if matches!(failure.code, Code::LoginCancelled | Code::NotLoggedIn))
        };
        let twice = |one: Output| if is_it(&one) { vec![one.clone(), one] } else { vec![one] };
        *outputs = std::mem::take(outputs).into_iter().flat_map(twice).collect();
    }
}

/// F24: after a kick the login user is still set.
#[derive(Default)]
pub(super) struct UserStaysSet {
    user: Each<Option<UserId>>,
}

impl Interceptor for UserStaysSet {
    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Status { status, login_user } = &mut output.action {
                match status {
                    Status::Logined => *self.user.of(device) = *login_user,
                    Status::Logining => *self.user.of(device) = None,
                    Status::Logout => *login_user = *self.user.of(device),
                }
            }
        }
    }
}

/// F31: a kick is told for the push, and once more for the answer.
pub(super) struct KickIsToldTwice;

impl Interceptor for KickIsToldTwice {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        let twice = |one: Output| match one.action {
            Action::Event(Event::KickedOffline(_)) => vec![one.clone(), one],
            _ => vec![one],
        };
        *outputs = std::mem::take(outputs).into_iter().flat_map(twice).collect();
    }
}

/// F32: what the listener is still to be told comes after `uninit` has returned.
#[derive(Default)]
pub(super) struct EventsAfterUninit {
    uninit: Each<Option<CallId>>,
    is_in: Each<bool>,
}

impl Interceptor for EventsAfterUninit {
    fn process_starts(&mut self, device: usize) {
        self.uninit.forget(device);
        self.is_in.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        if let Some(&Input::Call { call, request: Call::Uninit }) = inputs.first() {
            *self.uninit.of(device) = Some(call);
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        let is_last = |uninit: CallId| move |output: &Output| matches!(output.action, Action::Result { call, .. } if call == uninit);
        let was_in = *self.is_in.of(device);
        for output in outputs.iter() {
            if let Action::Status { status, .. } = output.action {
                *self.is_in.of(device) = status != Status::Logout;
            }
        }
        if let Some(uninit) = self.uninit.of(device).take()
            && was_in
            && outputs.iter().any(is_last(uninit))
        {
            outputs.push(output(Action::Event(Event::ConnectFailed(Code::NoLink))));
        }
    }
}

/// Nothing is taken back when an account is given up: what waits is told.
pub(super) struct NothingIsTakenBack;

impl Interceptor for NothingIsTakenBack {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        outputs.retain(|output| !matches!(output.action, Action::DropEvents { .. }));
    }
}

/// Frames leave ahead of the record they rest on.
pub(super) struct SendsBeforeItStores;

impl Interceptor for SendsBeforeItStores {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        for output in outputs.iter_mut().filter(|output| matches!(output.action, Action::Send { .. })) {
            output.reveals = Change::NONE;
        }
    }
}

/// What the record says is changed on its way to the disk.
pub(super) struct Forgets(fn(&mut gatecrash::client::Installation));

impl Forgets {
    /// That an end is owed is kept in memory only.
    pub(super) const OWED_END: Forgets = Forgets(|record| record.owed_end = false);
    /// How often the SDK was started is not counted.
    pub(super) const STARTS: Forgets = Forgets(|record| record.starts = 0);
    /// That a session has ended is not noted.
    pub(super) const KNOWN_ENDED: Forgets = Forgets(|record| record.known_ended = None);
}

impl Interceptor for Forgets {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Store { write: Write::Installation(installation), .. } = &mut output.action {
                (self.0)(installation);
            }
        }
    }
}

/// The end that an earlier process left is forgotten at the next start.
pub(super) struct StartForgetsOwedEnd;

impl Interceptor for StartForgetsOwedEnd {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        for input in inputs {
            if let Input::Call { request: Call::Init(start), .. } = input
                && let Some(installation) = &mut start.installation
            {
                installation.owed_end = false;
            }
        }
    }
}

/// The connection that was made for an owed end is kept when the end has its answer.
#[derive(Default)]
pub(super) struct OwedEndKeepsItsLink {
    is_said: Each<bool>,
}

impl Interceptor for OwedEndKeepsItsLink {
    fn process_starts(&mut self, device: usize) {
        self.is_said.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        let is_answer = |input: &Input| {
            matches!(input, Input::Frame { frame: ServerFrame::LogoutAnswer { call: CallId::NONE, .. }, .. })
        };
        *self.is_said.of(device) = inputs.iter().any(is_answer);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        if std::mem::take(self.is_said.of(device)) {
            outputs.retain(|output| !matches!(output.action, Action::Close { .. }));
        }
    }
}

/// A device that is told of another network looks at its link as one that has woken does.
pub(super) struct NetworkChangeIsAWaking;

impl Interceptor for NetworkChangeIsAWaking {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        for input in inputs.iter_mut().filter(|input| **input == Input::NetworkChanged) {
            *input = Input::Woken;
        }
    }
}

/// The connection there is is closed before another one is opened.
#[derive(Default)]
pub(super) struct BreaksBeforeItMakes {
    last: Each<Option<ConnectionId>>,
}

impl Interceptor for BreaksBeforeItMakes {
    fn process_starts(&mut self, device: usize) {
        self.last.forget(device);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        let last = self.last.of(device);
        let mut index = 0;
        while let Some(output) = outputs.get(index) {
            if let Action::Connect { connection } = output.action
                && let Some(connection) = last.replace(connection)
            {
                outputs.insert(index, Output { reveals: Change::NONE, action: Action::Close { connection } });
                index += 1;
            }
            index += 1;
        }
    }
}

/// Frames of one kind are never sent.
pub(super) struct NeverSends(fn(&ClientFrame<Ticket>) -> bool);

impl NeverSends {
    /// The end that is owed does not go ahead of a login.
    pub(super) const OWED_LOGOUT: NeverSends =
        NeverSends(|frame| matches!(frame, ClientFrame::Logout { call: CallId::NONE, .. }));
    /// Heartbeats.
    pub(super) const HEARTBEAT: NeverSends = NeverSends(|frame| matches!(frame, ClientFrame::Heartbeat));
    /// The confirmation of a kick.
    pub(super) const CONFIRMATION: NeverSends = NeverSends(|frame| matches!(frame, ClientFrame::KickConfirmed { .. }));
    /// That a login's answer has arrived.
    pub(super) const ACKNOWLEDGEMENT: NeverSends =
        NeverSends(|frame| matches!(frame, ClientFrame::LoginAcknowledged { .. }));
}

impl Interceptor for NeverSends {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        outputs.retain(|output| !matches!(&output.action, Action::Send { frame, .. } if (self.0)(frame)));
    }
}

/// A message without an answer is sent again once the link is back.
#[derive(Default)]
pub(super) struct SendsAgain {
    sent: Each<BTreeMap<CallId, ClientFrame<Ticket>>>,
    again: Each<Vec<ClientFrame<Ticket>>>,
    line: Each<Option<ConnectionId>>,
}

impl Interceptor for SendsAgain {
    fn process_starts(&mut self, device: usize) {
        self.sent.forget(device);
        self.again.forget(device);
        self.line.forget(device);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        let mut is_back = false;
        for output in outputs.iter() {
            match &output.action {
                Action::Connect { connection } => *self.line.of(device) = Some(*connection),
                Action::Send { frame: frame @ ClientFrame::SendMessage { call, .. }, .. } => {
                    self.sent.of(device).insert(*call, frame.clone());
                }
                Action::Result { call, outcome } => {
                    let frame = self.sent.of(device).remove(call);
                    if *outcome == Err(Code::NoAnswer.into()) {
                        self.again.of(device).extend(frame);
                    }
                }
                Action::Event(Event::ConnectSuccess) => is_back = true,
                Action::Event(Event::KickedOffline(_) | Event::UserSigExpired(_)) | Action::DropEvents { .. } => {
                    self.again.forget(device);
                }
                _ => {}
            }
        }
        if let Some(connection) = self.line.of(device).filter(|_| is_back) {
            for frame in std::mem::take(self.again.of(device)) {
                outputs.push(output(Action::Send { connection, frame }));
            }
        }
    }
}

/// A device acknowledges one message more than came.
pub(super) struct AcknowledgesAhead;

impl Interceptor for AcknowledgesAhead {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Send {
                frame:
                    ClientFrame::MessagesReceived { through: place, .. } | ClientFrame::Resume { received: place, .. },
                ..
            } = &mut output.action
            {
                *place += 1;
            }
        }
    }
}

/// `uninit` logs out.
#[derive(Default)]
pub(super) struct UninitLogsOut {
    calls: u64,
}

impl Interceptor for UninitLogsOut {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        if let Some(Input::Call { request: Call::Uninit, .. }) = inputs.first() {
            self.calls += 1;
            inputs.insert(0, Input::Call { call: CallId(OWN_CALLS + self.calls), request: Call::Logout });
        }
    }

    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        outputs.retain(|output| !matches!(output.action, Action::Result { call, .. } if call.0 > OWN_CALLS));
    }
}

/// `connecting` is not told.
pub(super) struct ConnectingIsNotTold;

impl Interceptor for ConnectingIsNotTold {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        outputs.retain(|output| output.action != Action::Event(Event::Connecting));
    }
}

/// The end of a session is told ahead of the results of the calls it ends.
pub(super) struct EndIsToldFirst;

impl Interceptor for EndIsToldFirst {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        let is_end = |output: &Output| {
            matches!(output.action, Action::Event(Event::KickedOffline(_) | Event::UserSigExpired(_)))
        };
        if let Some(place) = outputs.iter().position(is_end) {
            let end = outputs.remove(place);
            let status = outputs.iter().position(|output| matches!(output.action, Action::Status { .. }));
            outputs.insert(status.map_or(0, |place| place + 1), end);
        }
    }
}

/// Nobody tells the SDK that its device woke, or that the network changed.
pub(super) struct SleepsOn;

impl Interceptor for SleepsOn {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        inputs.retain(|input| !matches!(input, Input::Woken | Input::NetworkChanged));
    }
}

/// The login user is set while the login is pending.
#[derive(Default)]
pub(super) struct UserIsSetEarly {
    asked: Each<Option<UserId>>,
}

impl Interceptor for UserIsSetEarly {
    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        if let Some((user, _)) = inputs.first().and_then(login) {
            *self.asked.of(device) = user.parse().ok();
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Status { status: Status::Logining, login_user } = &mut output.action {
                *login_user = *self.asked.of(device);
            }
        }
    }
}

/// A session that came back as a login keeps the epoch it had.
#[derive(Default)]
pub(super) struct EpochIsNotCarried {
    epochs: Each<BTreeMap<UserId, gatecrash::id::Epoch>>,
    users: Each<Option<UserId>>,
}

impl Interceptor for EpochIsNotCarried {
    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        for input in inputs {
            if let Some((user, _)) = login(input) {
                *self.users.of(device) = user.parse().ok();
            }
            let Input::Frame { frame: ServerFrame::LoginAnswer { outcome: Ok(admission), .. }, .. } = input else {
                continue;
            };
            let Some(user) = *self.users.of(device) else { continue };
            // The first epoch a device had as this user is the one it goes on with.
            admission.epoch = *self.epochs.of(device).entry(user).or_insert(admission.epoch);
        }
    }
}

/// Why nobody is logged in is told in one way, whatever it was.
pub(super) struct ReasonIsLost;

impl Interceptor for ReasonIsLost {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Result { outcome: Err(Failure { reason: Some(reason), .. }), .. } = &mut output.action
                && matches!(reason, Reason::Kicked | Reason::Expired)
            {
                *reason = Reason::LoggedOut;
            }
        }
    }
}
