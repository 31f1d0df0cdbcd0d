//! Situations that the server's events show: what it decides, says and loses.

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::policy::Seats;
use gatecrash::protocol::Presence;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::notes::{Live, Server, Sometimes, meets};
use super::table::Situation;
use crate::scenario::CommitPoint;
use crate::scenario::numbers;
use crate::trace::{ClientFrame, DeviceIndex, Event, Fact, Fault, Refusal, ServerFrame, Session, UserIndex, What};

/// How long a link may be silent with the usual limits; on the web it is less.
const SILENCE: Duration = Duration::from_secs(400);

/// The same on the web.
const SILENCE_WEB: Duration = Duration::from_secs(90);

/// Logins this close cross on any network.
const TOGETHER: Duration = Duration::from_millis(100);

impl Server {
    pub(super) fn faulted(&mut self, fault: &Fault) {
        self.has_lost_power = *fault == Fault::PowerLossServer;
        match fault {
            Fault::PowerLossAt { point: CommitPoint::BeforeWrite } => self.cut = Some(Situation::PowerLostBeforeWrite),
            Fault::PowerLossAt { point: CommitPoint::AfterCommit } => self.cut = Some(Situation::PowerLostAfterCommit),
            Fault::PowerLossAt { point: CommitPoint::AfterAnswers } => {
                self.cut = Some(Situation::PowerLostAfterAnswers)
            }
            Fault::PowerLossInDisk { .. } => self.cut = Some(Situation::PowerLostInDisk),
            // It dies of this one.
            Fault::CrashServer | Fault::PowerLossServer | Fault::BounceServer { .. } => self.cut = None,
            _ => {}
        }
    }
}

impl Sometimes {
    pub(super) fn on_server(&mut self, event: &Event) {
        match event.what {
            What::ServerSent { peer, frame, .. } => self.sent(event.at, peer, &frame),
            What::Fact { commit, fact } => self.fact(event.at, commit, &fact),
            What::Commit { commit, wall } => self.server.decides(commit, wall.get()),
            What::Committed { commit } => {
                if commit >= self.server.committed.saturating_add(2) {
                    self.reached.add(Situation::Batch);
                }
                self.server.committed = commit;
            }
            What::StoodStill { .. } => {
                self.server.stood_still_at = Some(event.at);
                self.parts.add_firsts(&[Situation::OverByStandstill, Situation::ReadInTime]);
            }
            What::ServerReceived { peer: Some(peer), frame, .. } if peer != DeviceIndex::STRANGER => {
                self.read(event.at, peer, &frame);
            }
            What::Dormant { user, device, epoch } => {
                if let Some(live) = self.server.live(user, device, epoch) {
                    live.is_dormant = true;
                    self.parts.add(Situation::DormantDisplaced, 0);
                }
            }
            What::ServerStarted { commit, .. } => {
                if self.server.decided > 0 {
                    self.parts.add_firsts(&[Situation::CutChangeSurvived, Situation::RestartFoundConnected]);
                }
                if commit > self.server.committed {
                    self.reached.add(Situation::CutChangeSurvived);
                }
                (self.server.has_just_started, self.server.first) = (true, 0);
            }
            What::StoreFailed => self.reached.add(Situation::CommitFailed),
            What::Configured { seats, .. } => self.configured(seats),
            _ => {}
        }
    }

    fn read(&mut self, at: Instant, peer: DeviceIndex, frame: &ClientFrame) {
        let device = self.device(peer);
        let before = device.read_at.replace(at);
        match *frame {
            ClientFrame::Logout { .. } if meets(device.displaced_at, at) => {
                self.reached.add(Situation::LogoutMeetsDisplacement);
            }
            ClientFrame::Send { id, .. } => {
                let user = device.login_user;
                if user.is_some_and(|user| self.server.sent.contains(&(user, id))) {
                    self.reached.add(Situation::SentAgain);
                }
            }
            _ => {}
        }
        if self.server.stood_still_at == Some(at) && before.is_some_and(|before| at - before >= SILENCE) {
            let mut live = self.server.users.iter().flat_map(|user| &user.live);
            if live.any(|live| live.device == peer && live.is_linked) {
                self.reached.add(Situation::ReadInTime);
            }
        }
    }

    fn configured(&mut self, seats: Seats) {
        if self.server.seats.replace(seats).is_some_and(|before| before != seats) {
            self.server.policy += 1;
            self.parts.add(Situation::PolicyWhileLive, 0);
            if self.server.users.iter().any(|user| !user.live.is_empty()) {
                self.reached.add(Situation::PolicyWhileLive);
                self.parts.add(Situation::PolicyThenDisplaced, 0);
            }
        }
    }

    pub(super) fn server_died(&mut self) {
        self.parts.add(Situation::DiedBeforeDisk, 0);
        if self.server.decided > self.server.committed {
            self.reached.add(Situation::DiedBeforeDisk);
        }
        let cut = self.server.cut.take();
        if let Some(situation) = cut {
            self.reached.add(situation);
        }
        let (committed, has_lost_power) = (self.server.committed, self.server.has_lost_power || cut.is_some());
        for device in &mut self.devices {
            device.answer_outlives_server = device.answer.is_some();
            if device.answer_outlives_server {
                self.parts.add(Situation::DiedBeforeArrival, 0);
            }
            if has_lost_power {
                self.parts.add(Situation::PowerLostKickOwed, 1);
            }
            if has_lost_power && device.owed.is_some_and(|(_, commit)| commit <= committed) {
                self.reached.add(Situation::PowerLostKickOwed);
            }
        }
    }

    fn sent(&mut self, at: Instant, peer: Option<DeviceIndex>, frame: &ServerFrame) {
        let Some(peer) = peer.filter(|&peer| peer != DeviceIndex::STRANGER) else {
            if matches!(frame, ServerFrame::Error { .. }) {
                self.reached.add(Situation::StrangerTurnedAway);
            }
            return;
        };
        match *frame {
            ServerFrame::LoginAccepted { call, .. } => {
                let device = self.device(peer);
                (device.answer, device.answer_outlives_server) = (Some(call), false);
            }
            ServerFrame::Kick { kick } => {
                self.device(peer).pushed = Some(Session { user: kick.user, epoch: kick.epoch });
                self.parts.add(Situation::PushedKickLost, 0);
            }
            ServerFrame::Message { .. } => {
                let mut live = self.server.users.iter_mut().flat_map(|user| &mut user.live);
                if live.any(|live| live.device == peer && std::mem::take(&mut live.is_owed)) {
                    self.reached.add(Situation::OwedMessageCame);
                }
            }
            ServerFrame::ResumedAsLogin { .. } => self.reached.add(Situation::ResumedAsLogin),
            ServerFrame::ResumeKicked { kick, .. } => {
                let displaced = self.server.user(kick.user).displaced;
                if displaced.is_some_and(|(when, by)| by != peer && meets(Some(when), at)) {
                    self.reached.add(Situation::ResumeMeetsLogin);
                }
            }
            ServerFrame::LoginRefused { refused: Refusal::Code(Code::TooManyRefusals), .. } => {
                self.reached.add(Situation::LockedOut);
            }
            ServerFrame::RenewAnswer { refused: Some(Refusal::Code(_)), .. } => {
                self.reached.add(Situation::RenewalRefused);
            }
            ServerFrame::ResumeStale { .. }
            | ServerFrame::LoginRefused { refused: Refusal::Stale, .. }
            | ServerFrame::RenewAnswer { refused: Some(Refusal::Stale), .. }
            | ServerFrame::LogoutAnswer { refused: Some(Refusal::Stale), .. } => {
                self.reached.add(Situation::StaleAnswered);
            }
            _ => {}
        }
    }

    fn fact(&mut self, at: Instant, commit: u32, fact: &Fact) {
        match *fact {
            Fact::SessionAccepted { user, device, epoch, until, .. } if device != DeviceIndex::STRANGER => {
                let policy = self.server.policy;
                let account = self.server.user(user);
                let before = account.accepted.replace((at, device));
                if let Some((when, _)) = before.filter(|(_, other)| *other != device) {
                    self.parts.add(Situation::LoginsTogether, 0);
                    if at - when <= TOGETHER {
                        self.reached.add(Situation::LoginsTogether);
                    }
                }
                let (is_linked, is_dormant, is_owed, until) = (true, false, false, until.get());
                account.live.push(Live { device, epoch, commit, until, is_linked, is_dormant, is_owed, policy });
                let of = device;
                let device = self.device(of);
                device.has_logged_in = true;
                if std::mem::take(&mut device.was_wiped) {
                    self.reached.add(Situation::WipedAndBack);
                }
                if std::mem::take(&mut self.device(of).was_damaged) {
                    self.reached.add(Situation::DamagedAndBack);
                }
                if std::mem::take(&mut self.device(of).was_let_go) {
                    self.reached.add(Situation::LetGoAndBack);
                }
            }
            Fact::SessionResumed { user, device, epoch, until, .. } => {
                if let Some(live) = self.server.live(user, device, epoch) {
                    (live.is_linked, live.is_dormant, live.until) = (true, false, until.get());
                }
                let account = self.server.user(user);
                account.resumed = Some((at, device));
                if account.displaced.is_some_and(|(when, by)| by != device && meets(Some(when), at)) {
                    self.reached.add(Situation::ResumeMeetsLogin);
                }
            }
            Fact::SessionRenewed { user, device, epoch, until, .. } => {
                let wall = self.server.wall;
                let Some(live) = self.server.live(user, device, epoch) else { return };
                let before = std::mem::replace(&mut live.until, until.get());
                self.parts.add(Situation::RenewedInLastSecond, 0);
                if wall / 1_000_000 == before {
                    self.reached.add(Situation::RenewedInLastSecond);
                }
            }
            Fact::LinkLost { user, device, epoch, .. } => {
                if let Some(live) = self.server.live(user, device, epoch) {
                    live.is_linked = false;
                }
                self.server.user(user).touched = commit;
                if commit == self.server.first {
                    self.reached.add(Situation::RestartFoundConnected);
                }
                let Some(device) = self.devices.get(device.index()) else { return };
                let is_silent = device.read_at.is_some_and(|read_at| at - read_at >= SILENCE_WEB);
                if is_silent && device.is_late && !device.is_suspended && device.is_linked {
                    self.reached.add(Situation::LateAndClosed);
                }
            }
            Fact::SessionEnded { user, device, epoch, reason, by, .. } if device != DeviceIndex::STRANGER => {
                let account = self.server.user(user);
                account.touched = commit;
                let place = account.live.iter().position(|live| live.device == device && live.epoch == epoch);
                let live = place.map(|place| account.live.swap_remove(place));
                self.ended(at, commit, device, Session { user, epoch }, reason, live);
                if let Some(by) = by {
                    self.displaced(at, user, by, live);
                }
            }
            Fact::KickSettled { user, device, epoch } if device != DeviceIndex::STRANGER => {
                let device = self.device(device);
                device.owed = device.owed.filter(|(owed, _)| *owed != Session { user, epoch });
            }
            Fact::EndForgotten { device } if device != DeviceIndex::STRANGER => self.device(device).owed = None,
            Fact::DeviceForgotten { user, device, .. } if device != DeviceIndex::STRANGER => {
                let is_crowded = self.server.user(user).touched == commit;
                self.reached.add(if is_crowded { Situation::CrowdedOut } else { Situation::LetGo });
                let device = self.device(device);
                (device.owed, device.was_let_go) = (None, true);
                self.parts.add(Situation::LetGoAndBack, 0);
            }
            Fact::DayCounted { user, day, .. } => {
                let before = self.server.user(user).day.replace(day);
                if before.is_some_and(|before| before != day) {
                    self.reached.add(Situation::TwoDays);
                }
            }
            Fact::PresenceChanged { user, presence, .. } => self.presence(commit, user, presence),
            Fact::MessageStored { from, id, .. } => self.server.sent.push((from, id)),
            Fact::MessageOwed { user, device, epoch, .. } => {
                if let Some(live) = self.server.live(user, device, epoch) {
                    live.is_owed |= !live.is_linked;
                    if live.is_owed {
                        self.parts.add(Situation::OwedMessageCame, 0);
                    }
                }
            }
            _ => {}
        }
    }

    fn ended(
        &mut self,
        at: Instant,
        commit: u32,
        device: DeviceIndex,
        session: Session,
        reason: EndReason,
        live: Option<Live>,
    ) {
        let is_linked = live.map(|live| live.is_linked);
        let on = self.device(device);
        if numbers::kick_for(reason).is_some() {
            on.owed = Some((session, commit));
            let resuming = on.resuming;
            self.parts.add(Situation::PowerLostKickOwed, 0);
            if resuming.is_some_and(|(_, resuming)| resuming == session) {
                self.reached.add(Situation::EndedWhileResuming);
            }
        }
        match (reason, is_linked) {
            (EndReason::Expired, _) => {
                if self.server.stood_still_at == Some(at) {
                    self.reached.add(Situation::OverByStandstill);
                }
                let on = self.device(device);
                on.slept_past = on.is_suspended;
                on.expired_away = (is_linked == Some(false)).then_some(session);
                let (slept_past, is_away) = (on.slept_past, on.expired_away.is_some());
                if slept_past {
                    self.parts.add(Situation::SleptPastTicket, 0);
                }
                if is_away {
                    self.parts.add(Situation::ExpiredWhileAway, 0);
                }
            }
            (EndReason::Administrator, Some(true)) => self.reached.add(Situation::AdministratorLinked),
            (EndReason::Administrator, Some(false)) => self.reached.add(Situation::AdministratorLinkless),
            (EndReason::SamePlatform | EndReason::OtherPlatform, _) => {
                self.device(device).displaced_at = Some(at);
                self.parts.add(Situation::LogoutMeetsDisplacement, 0);
            }
            (EndReason::Administrator, None) | (EndReason::Logout | EndReason::Replaced | EndReason::OtherUser, _) => {}
        }
    }

    fn displaced(&mut self, at: Instant, user: UserIndex, by: DeviceIndex, live: Option<Live>) {
        let policy = self.server.policy;
        self.parts.add(Situation::ResumeMeetsLogin, 0);
        if live.is_some_and(|live| live.is_dormant) {
            self.reached.add(Situation::DormantDisplaced);
        }
        if live.is_some_and(|live| live.policy < policy) {
            self.reached.add(Situation::PolicyThenDisplaced);
        }
        let account = self.server.user(user);
        account.displaced = Some((at, by));
        // The victim's own resume, or that of a device which stays.
        if account.resumed.is_some_and(|(when, device)| device != by && meets(Some(when), at)) {
            self.reached.add(Situation::ResumeMeetsLogin);
        }
    }

    fn presence(&mut self, commit: u32, user: UserIndex, presence: Presence) {
        let account = self.server.user(user);
        let before = std::mem::replace(&mut account.presence, presence);
        let had_left = account.has_left;
        account.has_left = presence == Presence::PushOnline && (had_left || before == Presence::Online);
        if account.has_left {
            self.parts.add(Situation::CameBack, 0);
        }
        if presence == Presence::PushOnline {
            self.parts.add(Situation::SevenDaysPassed, 0);
        }
        let account = self.server.user(user);
        match (before, presence) {
            (Presence::PushOnline, Presence::Online) if had_left => self.reached.add(Situation::CameBack),
            (Presence::PushOnline, Presence::Offline) if account.touched != commit => {
                self.reached.add(Situation::SevenDaysPassed);
            }
            _ => {}
        }
    }
}
