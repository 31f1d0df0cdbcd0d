//! Broken decisions of the server.
//!
//! What a decision cannot express (what is stored, what is sent when) is in `wire` and `disk`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::decide::server::{Load, Pace, Refusals, ResumeCase, ResumeVerdict, Victim};
use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::{Attempt, ConnectionId, DeviceId, Epoch, MessageId, SendId, UserId};
use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::protocol::{KickReason, Presence};
use gatecrash::store::{EndReason, Ended, Owed, Places, Sent, Session, Sessions, UserRecord};
use gatecrash::ticket::{Claims, Opened, OpenedTicket, Signature};
use gatecrash::time::{Instant, WallTime};

use super::broken::broken;
use super::hard::clocks::*;
use super::hard::counts::*;
use super::hard::ends::*;
use super::hard::seats::*;

/// The sessions on this platform, the oldest first.
fn on_platform(sessions: &Sessions, platform: Platform) -> Vec<(Epoch, DeviceId)> {
    let here = sessions.iter().filter(|(_, session)| session.platform == platform);
    let mut rivals: Vec<_> = here.map(|(&device, session)| (session.epoch, device)).collect();
    rivals.sort_unstable();
    rivals
}

fn same_platform(device: DeviceId) -> Victim {
    Victim { device, reason: EndReason::SamePlatform }
}

thread_local! {
    /// The ticket that was judged last: nobody asks about victims before judging the newcomer's.
    static JUDGED_LAST: Cell<Option<Signature>> = const { Cell::new(None) };
}

broken! {
    ($)
    /// What is broken in the server's decisions.
    enum ServerBug implements ServerDecisions asked by ask
    beside [
        LongestAwayGoes, OwedIsAwake, FirstAndLastGo, LinklessOthersStay, OwnPlatformIsEnough,
        DormancyStartsAnew, ExpiryCoversAdministrator, NoticeOfAdministrator, AdministratorsStay, LastDayOnly,
        DaysOnlyGrow, LockedByOneMore, MinuteFromTheFirst, SentEndsWithItsTicket, NothingReceivedNothingMissed,
        LongMessageDrops, OwedOnceAcknowledged, OneMessageTooManyStays
    ];

    /// F12: the newcomer is registered, and nobody has to go.
    NobodyGoes {
        fn victims(
            &self, _: &Seats, _: &Sessions, _: Platform, _: &ServerLimits, _: WallTime,
        ) -> Vec<Victim> {
            Vec::new()
        }
    }

    /// F13: the whole platform goes in the place of one instance.
    WholePlatformGoes {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits,
            now: WallTime,
        ) -> Vec<Victim> {
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            victims.retain(|victim| victim.reason == EndReason::OtherPlatform);
            victims.extend(on_platform(sessions, platform).into_iter().map(|(_, device)| same_platform(device)));
            victims
        }
    }

    /// F28: the victims are those that come first in a map, not the oldest.
    FirstInTheMapGoes {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits,
            now: WallTime,
        ) -> Vec<Victim> {
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            let number = victims.iter().filter(|victim| victim.reason == EndReason::SamePlatform).count();
            victims.retain(|victim| victim.reason == EndReason::OtherPlatform);
            let here = sessions.iter().filter(|(_, session)| session.platform == platform);
            victims.extend(here.take(number).map(|(&device, _)| same_platform(device)));
            victims
        }
    }

    /// F29: an old session that lives by the newcomer's ticket stays.
    SameTicketStays {
        fn judge_ticket(
            &self, opened: &OpenedTicket, app_id: u64, user: UserId, account: Option<&UserRecord>, now: u64,
        ) -> Result<(), Code> {
            JUDGED_LAST.set(opened.ok().map(|opened| opened.claims.signature));
            Rules.judge_ticket(opened, app_id, user, account, now)
        }

        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits,
            now: WallTime,
        ) -> Vec<Victim> {
            let brought = JUDGED_LAST.get();
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            victims.retain(|victim| Some(sessions[&victim.device].ticket.signature) != brought);
            victims
        }
    }

    /// The group of the newcomer's platform is looked up under the wrong policy: a Mac counts as a phone.
    WrongGroup {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits,
            now: WallTime,
        ) -> Vec<Victim> {
            let policy = if seats.policy() == Policy::Triple { Policy::Dual } else { seats.policy() };
            let number = |platform| (platform, seats.instances_max(platform) as u32);
            let numbers = Platform::ALL.into_iter().map(number).collect();
            let seats = Seats::new(policy, &numbers).expect("the numbers of one policy below multi fit another");
            Rules.victims(&seats, sessions, platform, limits, now)
        }
    }

    /// One more device than the limit may stay.
    OneTooManyStays {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits,
            now: WallTime,
        ) -> Vec<Victim> {
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            if seats.instances_max(platform) > 1 {
                let spared = victims.iter().position(|victim| victim.reason == EndReason::SamePlatform);
                spared.map(|place| victims.remove(place));
            }
            victims
        }
    }

    /// Of several devices the oldest goes, though another has been away for long.
    DormantStay {
        fn is_dormant(&self, _: WallTime, _: Duration, _: WallTime) -> bool {
            false
        }
    }

    /// A session is dormant only after the span that makes it so, not at its end.
    DormantAMomentLate {
        fn is_dormant(&self, lost_at: WallTime, dormant: Duration, now: WallTime) -> bool {
            now > lost_at + dormant
        }
    }

    /// Nobody has to be read before they count as silent.
    JudgesUnread {
        fn catch_up(&self) -> Duration {
            Duration::ZERO
        }
    }

    /// F30: a ticket is refused at its last second.
    TicketDiesEarly {
        fn judge_ticket(
            &self, opened: &OpenedTicket, app_id: u64, user: UserId, account: Option<&UserRecord>, now: u64,
        ) -> Result<(), Code> {
            Rules.judge_ticket(opened, app_id, user, account, now + 1)
        }
    }

    /// A ticket is good for one second after its last.
    TicketDiesLate {
        fn judge_ticket(
            &self, opened: &OpenedTicket, app_id: u64, user: UserId, account: Option<&UserRecord>, now: u64,
        ) -> Result<(), Code> {
            Rules.judge_ticket(opened, app_id, user, account, now.saturating_sub(1))
        }
    }

    /// The signature is not looked at.
    AnySignature {
        fn judge_ticket(
            &self, opened: &OpenedTicket, app_id: u64, user: UserId, account: Option<&UserRecord>, now: u64,
        ) -> Result<(), Code> {
            let opened = opened.map(|opened| Opened { signature_fits: true, ..opened });
            Rules.judge_ticket(&opened, app_id, user, account, now)
        }
    }

    /// Whose ticket it is is not looked at.
    AnybodysTicket {
        fn judge_ticket(
            &self, opened: &OpenedTicket, app_id: u64, user: UserId, account: Option<&UserRecord>, now: u64,
        ) -> Result<(), Code> {
            let own = |opened: Opened| Opened { claims: Claims { user: Some(user), ..opened.claims }, ..opened };
            Rules.judge_ticket(&opened.map(own), app_id, user, account, now)
        }
    }

    /// What is expired is called so, whatever else is wrong with it.
    ExpiredComesFirst {
        fn judge_ticket(
            &self, opened: &OpenedTicket, app_id: u64, user: UserId, account: Option<&UserRecord>, now: u64,
        ) -> Result<(), Code> {
            match opened {
                Ok(opened) if !opened.claims.valid_at(now) => Err(Code::TicketExpired),
                Ok(_) | Err(_) => Rules.judge_ticket(opened, app_id, user, account, now),
            }
        }
    }

    /// F16: once an administrator has kicked a user, no ticket works for them any more.
    LaterTicketsAreVoid {
        fn is_voided(&self, account: &UserRecord, _: &Claims) -> bool {
            account.voided_until.is_some()
        }
    }

    /// F17: an administrator's kick leaves the tickets valid.
    OldTicketsLive {
        fn is_voided(&self, _: &UserRecord, _: &Claims) -> bool {
            false
        }
    }

    /// A ticket issued in the very second of an administrator's kick still works.
    TicketOfTheSecondLives {
        fn is_voided(&self, account: &UserRecord, claims: &Claims) -> bool {
            account.voided_until.is_some_and(|until| claims.issued_at < until)
                || account.voided.contains_key(&claims.signature)
        }
    }

    /// A ticket from the future survives the administrator's kick that ended its session.
    FutureTicketLives {
        fn is_voided(&self, account: &UserRecord, claims: &Claims) -> bool {
            account.voided_until.is_some_and(|until| claims.issued_at <= until)
        }
    }

    /// F06: a displaced session comes back as a login by itself, and displaces in turn.
    ResumeTakesTheSeat {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            Rules.resume(&ResumeCase { reconnect_kicks: true, ..*case })
        }
    }

    /// Where displaced sessions may come back, those with a ticket that is over are let in, too; the core
    /// then refuses the ticket, and nobody speaks of the kick.
    ComesBackWithoutTicket {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            match Rules.resume(&ResumeCase { ticket: Ok(()), ..*case }) {
                ResumeVerdict::Login => ResumeVerdict::Login,
                ResumeVerdict::Resume
                | ResumeVerdict::LoginAgain
                | ResumeVerdict::Expired
                | ResumeVerdict::Kicked(..)
                | ResumeVerdict::Refused(_) => Rules.resume(case),
            }
        }
    }

    /// A session that ended with its ticket is told that it is gone.
    ExpiredIsGone {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            match Rules.resume(case) {
                ResumeVerdict::Expired => ResumeVerdict::Kicked(KickReason::Gone, None),
                verdict @ (ResumeVerdict::Resume
                | ResumeVerdict::Login
                | ResumeVerdict::LoginAgain
                | ResumeVerdict::Kicked(..)
                | ResumeVerdict::Refused(_)) => verdict,
            }
        }
    }

    /// A session whose link is lost is not there for a resume.
    LostIsGone {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            let session = case.session.filter(|session| session.link.lost_at().is_none());
            Rules.resume(&ResumeCase { session, ..*case })
        }
    }

    /// A displaced session that came back and has not heard of it is not known when it comes again.
    ComesBackOnce {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            match Rules.resume(case) {
                ResumeVerdict::LoginAgain => ResumeVerdict::Kicked(KickReason::Gone, None),
                verdict @ (ResumeVerdict::Resume
                | ResumeVerdict::Login
                | ResumeVerdict::Kicked(..)
                | ResumeVerdict::Expired
                | ResumeVerdict::Refused(_)) => verdict,
            }
        }
    }

    /// F26: one device leaves, and the user is shown offline.
    OneLeavesAllLeave {
        fn presence(&self, sessions: &Sessions, push: Duration, now: WallTime) -> Presence {
            match sessions.values().any(|session| session.link.lost_at().is_some()) {
                true => Presence::Offline,
                false => Rules.presence(sessions, push, now),
            }
        }
    }

    /// A device without a link is pushable for ever.
    PushForEver {
        fn presence(&self, sessions: &Sessions, _: Duration, now: WallTime) -> Presence {
            Rules.presence(sessions, Duration::from_secs(100 * 365 * 24 * 60 * 60), now)
        }
    }

    /// A desktop without a link counts as one that push messages reach.
    DesktopIsPushable {
        fn presence(&self, sessions: &Sessions, push: Duration, now: WallTime) -> Presence {
            let mobile = |session: &Session| Session { platform: Platform::Ios, ..session.clone() };
            let sessions = sessions.iter().map(|(&device, session)| (device, mobile(session))).collect();
            Rules.presence(&sessions, push, now)
        }
    }

    /// F27: every login counts.
    EveryLoginCounts {
        fn counts_day(&self, _: &BTreeSet<u32>, _: usize, _: u32) -> bool {
            true
        }
    }

    /// A user counts once, whatever the day.
    CountsOnce {
        fn counts_day(&self, days: &BTreeSet<u32>, _: usize, _: u32) -> bool {
            days.is_empty()
        }
    }

    /// F03: the end of an old connection is taken for the link loss of the session that has a new one.
    StaleDisconnect {
        fn is_link_loss(&self, current: Option<ConnectionId>, _: ConnectionId) -> bool {
            current.is_some()
        }
    }

    /// F15: a connection goes, and the session that was on it never loses its link.
    GhostStays {
        fn is_link_loss(&self, _: Option<ConnectionId>, _: ConnectionId) -> bool {
            false
        }
    }

    /// An attempt with the number of the newest is as good as a newer one.
    EqualAttemptIsNew {
        fn is_new_attempt(&self, highest: Option<Attempt>, attempt: Attempt) -> bool {
            highest.is_none_or(|highest| attempt >= highest)
        }
    }

    /// A logout ends only what the same process of its device began.
    LogoutSparesEarlierProcesses {
        fn logout_ends(&self, session: Attempt, logout: Attempt) -> bool {
            session.start == logout.start && session <= logout
        }
    }

    /// Everybody may make administrative calls.
    EverybodyAdministers {
        fn may_administer(&self, _: &BTreeSet<UserId>, _: UserId) -> bool {
            true
        }
    }

    /// The tenth refusal does not lock, the eleventh does.
    LocksAtTheEleventh {
        fn refused(&self, refusals: Refusals, limits: &ServerLimits, now: Instant) -> Refusals {
            let limits = ServerLimits { refusals_max: limits.refusals_max + 1, ..limits.clone() };
            Rules.refused(refusals, &limits, now)
        }
    }

    /// A lock is never taken away.
    LockedForEver {
        fn is_locked(&self, refusals: &Refusals, _: Instant) -> bool {
            refusals.locked_until.is_some()
        }
    }

    /// Whatever there is to do, one more is taken on.
    NeverBusy {
        fn take_on(&self, load: Load, _: &ServerLimits, _: Instant) -> Result<Load, (Load, Duration)> {
            Ok(load)
        }
    }

    /// Whoever is turned away is to come back at once.
    BusyForNoTime {
        fn take_on(&self, load: Load, limits: &ServerLimits, now: Instant) -> Result<Load, (Load, Duration)> {
            Rules.take_on(load, limits, now).map_err(|(load, _)| (load, Duration::ZERO))
        }
    }

    /// A user may log in as often as they like.
    LoginsWithoutEnd {
        fn login_pace(&self, pace: Pace, _: &ServerLimits, _: Instant) -> Option<Pace> {
            Some(pace)
        }

    }

    /// One device may come back as often as it likes.
    ResumesAreFree {
        fn resume_pace(&self, pace: Pace, _: &ServerLimits, _: Instant) -> Result<Pace, Duration> {
            Ok(pace)
        }
    }

    /// However many devices there are, all of them are to be back at once.
    SpreadsNobody {
        fn return_spread(&self, _: usize, limits: &ServerLimits) -> Duration {
            limits.return_spread_min
        }
    }

    /// A login is told of a displacement whose session its device never knew it had.
    NoticeOfTheUnknown {
        fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
            let ended = ended.map(|ended| Ended { acknowledged: true, ..ended.clone() });
            Rules.owes_notice(enabled, ended.as_ref(), user)
        }
    }

    /// Devices that nobody uses are remembered for ever, but for those that are too many.
    NothingIsLetGo {
        fn lets_go(
            &self, away: &BTreeSet<(WallTime, DeviceId)>, limits: &ServerLimits, _: WallTime,
        ) -> Option<DeviceId> {
            Rules.lets_go(away, limits, WallTime::default())
        }
    }

    /// However many devices a user has had, each is remembered.
    NoneIsTooMany {
        fn lets_go(
            &self, away: &BTreeSet<(WallTime, DeviceId)>, limits: &ServerLimits, now: WallTime,
        ) -> Option<DeviceId> {
            let limits = ServerLimits { remembered_max: usize::MAX, ..limits.clone() };
            Rules.lets_go(away, &limits, now)
        }
    }

    /// Of too many devices the one goes whose ticket lasts longest.
    NewestIsLetGo {
        fn lets_go(
            &self, away: &BTreeSet<(WallTime, DeviceId)>, limits: &ServerLimits, now: WallTime,
        ) -> Option<DeviceId> {
            let first = Rules.lets_go(away, limits, now)?;
            let is_crowded = away.len() > limits.remembered_max;
            if is_crowded { away.last().map(|(_, device)| *device) } else { Some(first) }
        }
    }

    /// A message that is sent again is another one.
    EveryMessageIsNew {
        fn sent_before(&self, _: &Sent, _: SendId) -> Option<MessageId> {
            None
        }
    }

    /// A message is owed to who is connected, and to nobody else.
    OnlyTheConnectedAreOwed {
        fn is_owed(&self, sender: DeviceId, device: DeviceId, session: &Session) -> bool {
            session.link.lost_at().is_none() && Rules.is_owed(sender, device, session)
        }
    }

    /// The device that sends a message is sent it, too.
    SenderIsOwed {
        fn is_owed(&self, _: DeviceId, _: DeviceId, _: &Session) -> bool {
            true
        }
    }

    /// A displacement while away is never told at the next login, though that is switched on.
    NoNotice {
        fn owes_notice(&self, _: bool, _: Option<&Ended>, _: UserId) -> bool {
            false
        }
    }
}

impl ServerDecisions for ServerBug {
    fn judge_ticket(
        &self,
        opened: &OpenedTicket,
        app_id: u64,
        user: UserId,
        account: Option<&UserRecord>,
        now: u64,
    ) -> Result<(), Code> {
        ask!(self.judge_ticket(opened, app_id, user, account, now))
    }

    fn is_voided(&self, account: &UserRecord, claims: &Claims) -> bool {
        ask!(self.is_voided(account, claims))
    }

    fn is_new_attempt(&self, highest: Option<Attempt>, attempt: Attempt) -> bool {
        ask!(self.is_new_attempt(highest, attempt))
    }

    fn logout_ends(&self, session: Attempt, logout: Attempt) -> bool {
        ask!(self.logout_ends(session, logout))
    }

    fn next_epoch(&self, last: Epoch, floor: Epoch) -> Epoch {
        ask!(self.next_epoch(last, floor))
    }

    fn victims(
        &self,
        seats: &Seats,
        sessions: &Sessions,
        platform: Platform,
        limits: &ServerLimits,
        now: WallTime,
    ) -> Vec<Victim> {
        ask!(self.victims(seats, sessions, platform, limits, now))
    }

    fn is_dormant(&self, lost_at: WallTime, dormant: Duration, now: WallTime) -> bool {
        ask!(self.is_dormant(lost_at, dormant, now))
    }

    fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
        ask!(self.resume(case))
    }

    fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
        ask!(self.owes_notice(enabled, ended, user))
    }

    fn settles(&self, ended: Option<&Ended>, user: UserId, epoch: Epoch) -> bool {
        ask!(self.settles(ended, user, epoch))
    }

    fn is_link_loss(&self, current: Option<ConnectionId>, gone: ConnectionId) -> bool {
        ask!(self.is_link_loss(current, gone))
    }

    fn presence(&self, sessions: &Sessions, push_online: Duration, now: WallTime) -> Presence {
        ask!(self.presence(sessions, push_online, now))
    }

    fn counts_day(&self, days: &BTreeSet<u32>, days_max: usize, day: u32) -> bool {
        ask!(self.counts_day(days, days_max, day))
    }

    fn is_locked(&self, refusals: &Refusals, now: Instant) -> bool {
        ask!(self.is_locked(refusals, now))
    }

    fn refused(&self, refusals: Refusals, limits: &ServerLimits, now: Instant) -> Refusals {
        ask!(self.refused(refusals, limits, now))
    }

    fn is_silent(&self, last_heard: Instant, silence: Duration, now: Instant) -> bool {
        ask!(self.is_silent(last_heard, silence, now))
    }

    fn take_on(&self, load: Load, limits: &ServerLimits, now: Instant) -> Result<Load, (Load, Duration)> {
        ask!(self.take_on(load, limits, now))
    }

    fn login_pace(&self, pace: Pace, limits: &ServerLimits, now: Instant) -> Option<Pace> {
        ask!(self.login_pace(pace, limits, now))
    }

    fn resume_pace(&self, pace: Pace, limits: &ServerLimits, now: Instant) -> Result<Pace, Duration> {
        ask!(self.resume_pace(pace, limits, now))
    }

    fn catch_up(&self) -> Duration {
        ask!(self.catch_up())
    }

    fn lets_go(&self, away: &BTreeSet<(WallTime, DeviceId)>, limits: &ServerLimits, now: WallTime) -> Option<DeviceId> {
        ask!(self.lets_go(away, limits, now))
    }

    fn return_spread(&self, devices: usize, limits: &ServerLimits) -> Duration {
        ask!(self.return_spread(devices, limits))
    }

    fn sent_before(&self, sent: &Sent, id: SendId) -> Option<MessageId> {
        ask!(self.sent_before(sent, id))
    }

    fn forgets_sent(&self, account: &UserRecord, sent_max: usize, now: u64) -> Option<MessageId> {
        ask!(self.forgets_sent(account, sent_max, now))
    }

    fn is_owed(&self, sender: DeviceId, device: DeviceId, session: &Session) -> bool {
        ask!(self.is_owed(sender, device, session))
    }

    fn dropped_through(&self, owed: &Owed, limits: &ServerLimits) -> Option<u64> {
        ask!(self.dropped_through(owed, limits))
    }

    fn received_through(&self, owed: Places, received: u64) -> Option<u64> {
        ask!(self.received_through(owed, received))
    }

    fn missed(&self, owed: Places, received: u64) -> u64 {
        ask!(self.missed(owed, received))
    }

    fn may_administer(&self, administrators: &BTreeSet<UserId>, user: UserId) -> bool {
        ask!(self.may_administer(administrators, user))
    }
}
