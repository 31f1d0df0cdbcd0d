//! Situations that a device's events show: what its application does, and what reaches it.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::protocol::Closing;

use super::notes::Sometimes;
use super::table::Situation;
use crate::scenario::CallKind;
use crate::trace::{
    ClientFrame, DeviceIndex, Event, Outcome, Refusal, Request, ServerFrame, Session, Told, UserIndex, What, Write,
};

/// The attempt whose delay is the longest with the usual limits: 0.25 s doubled eight times is 64 s.
const BACK_OFF_LAST: u32 = 10;

/// Half of the way there.
const BACK_OFF_HALF: u32 = 5;

/// The longest first delay that any limits allow a device that comes back for itself alone, in microseconds.
const FIRST_DELAY_MAX: u64 = 2_000_000;

impl Sometimes {
    pub(super) fn on_device(&mut self, on: DeviceIndex, event: &Event) {
        match event.what {
            What::DeviceSent { connection, frame, .. } => {
                let has_waited = self.device(on).has_waited_at == Some(event.at);
                if has_waited && matches!(frame, ClientFrame::Login { .. }) {
                    self.reached.add(Situation::RecordAwaited);
                }
                self.device_sent(on, connection, &frame);
            }
            What::StoreAsked { write: Write::Conversations { conversations: Some(_), .. }, .. } => {
                let device = self.device(on);
                let was_damaged = device.has_no_caches;
                (device.has_cached, device.has_damaged_caches, device.has_no_caches) = (true, false, false);
                if was_damaged {
                    self.reached.add(Situation::CacheBroughtAnew);
                }
            }
            What::Stored { .. } => {
                let device = self.device(on);
                let has_waited = device.writes_since.take().is_some_and(|since| since < event.at);
                device.has_waited_at = has_waited.then_some(event.at);
                if has_waited {
                    self.parts.add(Situation::RecordAwaited, 0);
                }
            }
            What::DeviceReceived { frame, .. } => {
                self.device(on).heard_at = Some(event.at);
                self.received(on, &frame);
            }
            What::Called { call, request } => self.called(on, event, call, &request),
            What::Answered { call, kind, outcome, .. } => self.answered(on, call, kind, &outcome),
            What::Told { event: told, user, epoch } => {
                self.device(on).told = Some((event.number, event.at));
                self.told(on, &told, user, epoch);
            }
            What::Status { status, login_user } => {
                let device = self.device(on);
                device.is_linked &= status == Status::Logined;
                (device.status, device.login_user) = (Some(status), login_user);
                device.is_refused &= status == Status::Logout;
                if status == Status::Logining && device.switches_at == Some(event.at) {
                    self.reached.add(Situation::SwitchedWithoutLink);
                }
            }
            What::KnownAs { device, .. } => {
                self.device(on).known_as = Some(device);
                self.parts.add(Situation::CopyTookOver, 0);
            }
            What::NewDevice { .. } => self.device(on).known_as = None,
            What::NoFrame { connection } => {
                let device = self.device(on);
                let asked = device.asking.take_if(|(asking, _)| *asking == connection);
                device.paged = asked.map_or(device.paged, |(_, call)| Some(call));
                if asked.is_some() {
                    self.parts.add(Situation::PortalOutlived, 0);
                }
            }
            What::LinkLost => {
                let device = self.device(on);
                (device.is_linked, device.is_beside) = (false, false);
            }
            What::LinkKept => {
                self.device(on).is_beside = false;
                self.reached.add(Situation::LinkKept);
            }
            What::ConnectAsked { .. } => {
                let device = self.device(on);
                device.is_beside = device.is_linked;
                if device.is_beside {
                    self.parts.add_firsts(&[Situation::Beside, Situation::LinkKept]);
                }
            }
            What::CloseAsked { connection, .. } | What::Gone { connection, .. } => {
                self.connection_ended(on, connection)
            }
            What::StoreAsked { write: Write::Installation { owed_end, .. }, .. } => {
                let device = self.device(on);
                // Nothing that came at this instant settled it.
                let is_given_up = device.owes_since.is_some() && !owed_end && device.heard_at != Some(event.at);
                if is_given_up {
                    self.reached.add(Situation::EndGivenUp);
                }
                let device = self.device(on);
                device.writes_since = device.writes_since.or(Some(event.at));
                device.owes_since = owed_end.then_some(device.owes_since.unwrap_or(device.life));
                if owed_end {
                    let owed = [Situation::OwedEndLater, Situation::OwedEndAlone, Situation::EndGivenUp];
                    self.parts.add_firsts(&owed);
                }
            }
            What::BackOff { attempt, .. } if attempt >= BACK_OFF_HALF => {
                self.parts.add(Situation::BackOffAtMost, 0);
                if attempt >= BACK_OFF_LAST {
                    self.reached.add(Situation::BackOffAtMost);
                }
            }
            // With the usual limits: whoever comes back for itself alone is quicker.
            What::BackOff { attempt: 1, delay } if delay.get() > FIRST_DELAY_MAX && !self.device(on).was_sent_away => {
                self.reached.add(Situation::SpreadReturn);
            }
            _ => {}
        }
    }

    fn device_sent(&mut self, on: DeviceIndex, connection: u32, frame: &ClientFrame) {
        match *frame {
            ClientFrame::Login { call, .. } => {
                let asked_still = self.server.is_suspended.then_some(call);
                let device = self.device(on);
                (device.asking, device.asked_still) = (Some((connection, call)), asked_still);
                if asked_still.is_some() {
                    self.parts.add(Situation::WaitedForServer, 0);
                }
            }
            ClientFrame::Resume { user, epoch, .. } => {
                self.device(on).resuming = Some((connection, Session { user, epoch }));
                self.parts.add(Situation::EndedWhileResuming, 0);
            }
            ClientFrame::Logout { call: 0, .. } => {
                let device = self.device(on);
                if device.owes_since.is_some_and(|life| life < device.life) {
                    self.reached.add(Situation::OwedEndLater);
                }
            }
            _ => {}
        }
    }

    fn received(&mut self, on: DeviceIndex, frame: &ServerFrame) {
        match *frame {
            ServerFrame::LoginAccepted { call, .. } => {
                let first = self.device(on).known_as;
                if first.is_some_and(|first| self.device(first).status == Some(Status::Logined)) {
                    self.reached.add(Situation::CopyTookOver);
                }
                let device = self.device(on);
                device.answer = device.answer.filter(|sent| *sent != call);
                (device.is_linked, device.asking) = (true, None);
                device.was_sent_away = false;
                let is_it = |asked: Option<u32>| asked == Some(call);
                let (outlived, waited) = (is_it(device.outlives.take()), is_it(device.turned_away.take()));
                if outlived {
                    self.reached.add(Situation::LoginOutlivedStop);
                }
                if self.device(on).asked_still.take() == Some(call) {
                    self.reached.add(Situation::WaitedForServer);
                }
                if self.device(on).paged.take() == Some(call) {
                    self.reached.add(Situation::PortalOutlived);
                }
                if waited {
                    self.reached.add(Situation::Busy);
                }
            }
            ServerFrame::LoginRefused { refused, .. } => {
                self.device(on).asking = None;
                if refused == Refusal::Stale {
                    self.reached.add(Situation::StaleLogin);
                }
            }
            ServerFrame::Resumed { .. } | ServerFrame::ResumedAsLogin { .. } => {
                let device = self.device(on);
                (device.is_linked, device.resuming) = (true, None);
                let was_beside = std::mem::take(&mut device.is_beside);
                let has_moved = std::mem::take(&mut device.has_moved);
                let was_forgotten = std::mem::take(&mut device.is_forgotten);
                if std::mem::take(&mut device.was_sent_away) {
                    self.reached.add(Situation::StopTold);
                }
                if has_moved {
                    self.reached.add(Situation::Moved);
                }
                if was_forgotten {
                    self.reached.add(Situation::ForgottenAndBack);
                }
                if was_beside {
                    self.reached.add(Situation::Beside);
                }
            }
            ServerFrame::ResumeKicked { kick, .. } => {
                let device = self.device(on);
                device.resuming = None;
                if device.pushed.take() == Some(Session { user: kick.user, epoch: kick.epoch }) {
                    self.reached.add(Situation::PushedKickLost);
                }
            }
            ServerFrame::ResumeRefused { .. } => {
                let device = self.device(on);
                (device.resuming, device.is_refused) = (None, true);
                self.parts.add(Situation::RefusedEnd, 0);
            }
            ServerFrame::LogoutAnswer { call: 0, refused: None } => {
                let device = self.device(on);
                let (is_alone, is_refused) = (device.status != Some(Status::Logining), device.is_refused);
                device.is_refused = false;
                if is_alone {
                    self.reached.add(Situation::OwedEndAlone);
                }
                if is_alone && is_refused {
                    self.reached.add(Situation::RefusedEnd);
                }
            }
            ServerFrame::ResumeStale { .. } => {
                self.device(on).resuming = None;
                self.reached.add(Situation::StaleResume);
            }
            ServerFrame::ResumeExpired { .. } | ServerFrame::ResumeUnable { .. } => self.device(on).resuming = None,
            ServerFrame::Kick { .. } => self.device(on).pushed = None,
            ServerFrame::Closing { why: Closing::Busy, .. } => {
                let device = self.device(on);
                device.turned_away = device.asking.map(|(_, call)| call);
                device.asking = None;
                if device.turned_away.is_some() {
                    self.parts.add(Situation::Busy, 0);
                }
            }
            ServerFrame::Closing { why: Closing::Stopping, .. } => {
                let device = self.device(on);
                device.was_sent_away = true;
                device.outlives = device.asking.map(|(_, call)| call);
                device.asking = None;
                if device.outlives.is_some() {
                    self.parts.add(Situation::LoginOutlivedStop, 0);
                }
                self.parts.add(Situation::StopTold, 0);
            }
            _ => {}
        }
    }

    fn called(&mut self, on: DeviceIndex, event: &Event, call: u32, request: &Request) {
        let device = self.device(on);
        if let Request::Send { .. } | Request::Kick { .. } | Request::Query { .. } = *request
            && device.is_beside
        {
            device.waits = Some(call);
            self.parts.add(Situation::CallWaited, 0);
        }
        let device = self.device(on);
        if let Request::Login { user, .. } = *request
            && device.status == Some(Status::Logined)
            && device.login_user != Some(user)
            && !device.is_linked
        {
            device.switches_at = Some(event.at);
            self.parts.add(Situation::SwitchedWithoutLink, 0);
        }
        // The listener had not returned: nothing of the device came between.
        if self.device(on).told.is_some_and(|(number, at)| number + 1 == event.number && at == event.at) {
            self.reached.add(Situation::CalledInListener);
        }
    }

    fn answered(&mut self, on: DeviceIndex, call: u32, kind: Option<CallKind>, outcome: &Outcome) {
        let is_login = kind == Some(CallKind::Login);
        let has_waited = self.device(on).waits.take_if(|waits| *waits == call).is_some();
        if has_waited && !matches!(outcome, Outcome::Failed { .. }) {
            self.reached.add(Situation::CallWaited);
        }
        let device = self.device(on);
        match *outcome {
            Outcome::Failed { code: Code::NoAnswer, .. } if is_login => {
                // The status moved before: one that stays logged in had asked for a renewal.
                device.is_unsure |= device.status == Some(Status::Logout);
                if device.is_unsure {
                    self.parts.add(Situation::LoginAfterUnknown, 0);
                }
            }
            Outcome::Failed { code: Code::StorageFailed, .. } if is_login => {
                device.is_unwritten = true;
                self.parts.add(Situation::WrittenAgain, 0);
                self.reached.add(Situation::RecordUnwritten);
            }
            Outcome::Failed { code: Code::StorageFailed, .. } => self.reached.add(Situation::EndNotKept),
            Outcome::Failed { code: Code::NoAnswer, .. } => self.reached.add(Situation::RequestUnanswered),
            Outcome::Failed { code: Code::NoLink, .. } if !is_login => self.reached.add(Situation::RequestWithoutLink),
            Outcome::Failed { code: Code::KickedWhileAway, .. } => self.reached.add(Situation::DisplacedWhileAway),
            Outcome::Failed { code: Code::TooManyLogins, .. } => self.reached.add(Situation::TooFast),
            Outcome::Failed { code: Code::LoginCancelled, .. } => self.reached.add(Situation::LoginCutOff),
            Outcome::Done if is_login => {
                let was_unsure = std::mem::take(&mut device.is_unsure);
                if std::mem::take(&mut device.is_unwritten) {
                    self.reached.add(Situation::WrittenAgain);
                }
                if was_unsure {
                    self.reached.add(Situation::LoginAfterUnknown);
                }
            }
            Outcome::Done
            | Outcome::Message { .. }
            | Outcome::Conversations { .. }
            | Outcome::Report { .. }
            | Outcome::Failed { .. } => {}
        }
    }

    fn told(&mut self, on: DeviceIndex, told: &Told, user: Option<UserIndex>, epoch: u32) {
        match *told {
            Told::UserSigExpired => {
                let session = user.map(|user| Session { user, epoch });
                let away = self.device(on).expired_away.take();
                if away.is_some() && away == session {
                    self.reached.add(Situation::ExpiredWhileAway);
                }
            }
            Told::Message { from, to, .. } if user == Some(from) && from != to => {
                self.reached.add(Situation::SenderElsewhere);
            }
            Told::ConnectFailed { code: Code::VersionNotSupported } => self.reached.add(Situation::TooOld),
            Told::Connecting
            | Told::ConnectSuccess
            | Told::ConnectFailed { .. }
            | Told::KickedOffline { .. }
            | Told::Message { .. } => {}
            Told::MessagesDropped { .. } => self.reached.add(Situation::MessagesDropped),
        }
    }

    fn connection_ended(&mut self, on: DeviceIndex, connection: u32) {
        let device = self.device(on);
        device.resuming = device.resuming.filter(|(resuming, _)| *resuming != connection);
        let Some((_, call)) = device.asking.take_if(|(asking, _)| *asking == connection) else { return };
        self.parts.add(Situation::AnswerLost, 0);
        let device = self.device(on);
        if device.answer.take_if(|sent| *sent == call).is_some() {
            let has_died = device.answer_outlives_server;
            self.reached.add(Situation::AnswerLost);
            if has_died {
                self.reached.add(Situation::DiedBeforeArrival);
            }
        }
    }

    /// Its connections end with it, and what it knew.
    pub(super) fn process_died(&mut self, on: DeviceIndex) {
        if let Some((connection, _)) = self.device(on).asking {
            self.connection_ended(on, connection);
        }
        let device = self.device(on);
        (device.asking, device.resuming, device.answer) = (None, None, None);
        (device.status, device.login_user, device.is_linked) = (None, None, false);
        (device.was_sent_away, device.outlives, device.turned_away) = (false, None, None);
        (device.is_beside, device.waits) = (false, None);
        (device.is_suspended, device.slept_past, device.is_forgotten) = (false, false, false);
        device.known_as = None;
    }

    pub(super) fn woke(&mut self, on: DeviceIndex) {
        let device = self.device(on);
        device.is_suspended = false;
        if std::mem::take(&mut device.slept_past) {
            self.reached.add(Situation::SleptPastTicket);
        }
    }

    pub(super) fn forgotten(&mut self, on: DeviceIndex) {
        if self.device(on).is_linked {
            self.device(on).is_forgotten = true;
            self.parts.add(Situation::ForgottenAndBack, 0);
            self.reached.add(Situation::LinkForgotten);
        }
    }

    /// Its process, if it had one, is gone already.
    pub(super) fn wiped(&mut self, on: DeviceIndex) {
        let device = self.device(on);
        device.was_wiped |= device.has_logged_in;
        device.owes_since = None;
        if device.was_wiped {
            self.parts.add(Situation::WipedAndBack, 0);
        }
    }
}
