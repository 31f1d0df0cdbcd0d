//! Each situation is reached by one short run, and just missed by another.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::id::Attempt;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::protocol::{Closing, FrameError, KickReason, Presence};
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::Sometimes;
use super::table::Situation;
use crate::scenario::numbers;
use crate::scenario::{CallKind, CommitPoint};
use crate::trace::{
    Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Fact, Fault, Kick, ListIndex, Micros, Observer, Outcome,
    Refusal, Request, Seconds, ServerFrame, SiteIndex, Terms, TextIndex, TicketIndex, Told, UserIndex, What, Write,
};

const PHONE: usize = 0;
const DESK: usize = 1;
const ALICE: usize = 0;
const BOB: usize = 1;
const ATTEMPT: Attempt = Attempt { start: 1, count: 1 };
/// The last second of every ticket.
const UNTIL: u64 = 3600;

/// A run being told: of alice, her phone, her desk, and bob.
#[derive(Default)]
struct Run {
    seen: Sometimes,
    now: u64,
    number: u32,
    commit: u32,
}

fn device(index: usize) -> DeviceIndex {
    DeviceIndex::new(index)
}

fn user(index: usize) -> UserIndex {
    UserIndex::new(index)
}

impl Run {
    fn event(mut self, actor: Actor, what: What) -> Self {
        self.number += 1;
        let event = Event { at: Instant::from_micros(self.now), actor, number: self.number, what };
        self.seen.observe(&Cast::default(), &event);
        self
    }

    fn at(mut self, millis: u64) -> Self {
        self.now = millis * 1000;
        self
    }

    fn effect(self, effect: Effect) -> Self {
        self.event(Actor::World, What::Effect { effect })
    }

    fn fault(self, fault: Fault) -> Self {
        self.event(Actor::World, What::Fault { fault })
    }

    fn server(self, what: What) -> Self {
        self.event(Actor::Server, what)
    }

    fn on(self, index: usize, what: What) -> Self {
        self.event(Actor::Device(device(index)), what)
    }

    fn decide(mut self, facts: &[Fact]) -> Self {
        self.commit += 1;
        let (commit, wall) = (self.commit, Micros::new(self.now));
        let decided = self.server(What::Commit { commit, wall });
        facts.iter().fold(decided, |run, &fact| run.server(What::Fact { commit, fact }))
    }

    fn disk(self, commit: u32) -> Self {
        self.server(What::Committed { commit })
    }

    fn commit(self, facts: &[Fact]) -> Self {
        let run = self.decide(facts);
        let commit = run.commit;
        run.disk(commit)
    }

    fn says(self, to: usize, frame: ServerFrame) -> Self {
        self.server(What::ServerSent { connection: 0, peer: Some(device(to)), reveals: 0, frame })
    }

    fn sends(self, from: usize, frame: ClientFrame) -> Self {
        self.on(from, What::DeviceSent { connection: 0, reveals: 0, frame })
    }

    fn hears(self, on: usize, frame: ServerFrame) -> Self {
        self.on(on, What::DeviceReceived { connection: 0, frame })
    }

    fn loses(self, on: usize) -> Self {
        self.on(on, What::Gone { connection: 0, peer: None })
    }

    fn calls(self, on: usize, request: Request) -> Self {
        self.on(on, What::Called { call: 1, request })
    }

    fn answers(self, on: usize, kind: CallKind, outcome: Outcome) -> Self {
        self.on(on, What::Answered { call: 1, kind: Some(kind), user: Some(user(ALICE)), outcome })
    }

    fn fails(self, on: usize, kind: CallKind, code: Code) -> Self {
        self.answers(on, kind, Outcome::Failed { code, reason: None })
    }

    fn tells(self, on: usize, told: Told, epoch: u32) -> Self {
        self.on(on, What::Told { event: told, user: Some(user(ALICE)), epoch })
    }

    fn status(self, on: usize, status: Status) -> Self {
        let login_user = (status == Status::Logined).then(|| user(ALICE));
        self.on(on, What::Status { status, login_user })
    }

    fn policy(self, policy: Policy) -> Self {
        let seats = Seats::new(policy, &BTreeMap::new()).expect("one each is always allowed");
        self.server(What::Configured {
            seats,
            reconnect_kicks: false,
            notify_offline_kick: false,
            administrators: None,
        })
    }

    fn starts(self) -> Self {
        self.effect(Effect::ServerUp).server(What::ServerStarted { commit: 0, wall: Micros::new(0) })
    }

    #[track_caller]
    fn reaches(self, situation: Situation) {
        assert!(self.seen.hit().any(|name| name == situation.name()), "not reached: {}", situation.name());
        let parts = self.seen.parts.of(situation).iter().zip(situation.parts());
        for (runs, part) in parts {
            assert_eq!(*runs, 1, "reached, and not a part of it: {part}");
        }
    }

    #[track_caller]
    fn misses(self, situation: Situation) {
        assert!(self.seen.missed().any(|name| name == situation.name()), "reached: {}", situation.name());
    }
}

fn run() -> Run {
    Run::default()
}

fn accepted(on: usize, epoch: u32) -> Fact {
    Fact::SessionAccepted {
        user: user(ALICE),
        device: device(on),
        installation: 1,
        platform: Platform::Android,
        epoch,
        attempt: ATTEMPT,
        ticket: TicketIndex::new(0),
        until: Seconds::new(UNTIL),
    }
}

fn resumed(on: usize, epoch: u32) -> Fact {
    let (ticket, until) = (TicketIndex::new(0), Seconds::new(UNTIL));
    Fact::SessionResumed { user: user(ALICE), device: device(on), epoch, ticket, until }
}

fn renewed(on: usize, epoch: u32) -> Fact {
    let (ticket, until) = (TicketIndex::new(1), Seconds::new(2 * UNTIL));
    Fact::SessionRenewed { user: user(ALICE), device: device(on), epoch, ticket, until }
}

fn lost(on: usize, epoch: u32) -> Fact {
    Fact::LinkLost { user: user(ALICE), device: device(on), epoch, wall: Micros::new(0) }
}

fn ended(on: usize, epoch: u32, reason: EndReason) -> Fact {
    let by = numbers::is_displacement(reason).then(|| device(DESK));
    Fact::SessionEnded { user: user(ALICE), device: device(on), installation: 1, epoch, reason, by }
}

fn displaced(on: usize, epoch: u32) -> Fact {
    ended(on, epoch, EndReason::OtherPlatform)
}

fn settled(on: usize, epoch: u32) -> Fact {
    Fact::KickSettled { user: user(ALICE), device: device(on), epoch }
}

fn presence(presence: Presence) -> Fact {
    Fact::PresenceChanged { user: user(ALICE), sequence: 1, presence, kicked: None }
}

fn day(day: u32) -> Fact {
    Fact::DayCounted { user: user(ALICE), day, users: 1 }
}

fn dormant(epoch: u32) -> What {
    What::Dormant { user: user(ALICE), device: device(PHONE), epoch }
}

fn kick(epoch: u32) -> Kick {
    Kick { user: user(ALICE), epoch, reason: KickReason::OtherPlatform, by: Some(device(DESK)) }
}

fn login(of: usize) -> Request {
    Request::Login { user: user(of), ticket: TicketIndex::new(0) }
}

fn asks() -> ClientFrame {
    ClientFrame::Login { call: 1, attempt: ATTEMPT, user: user(ALICE), ticket: None, known_ended: None }
}

fn resumes(epoch: u32) -> ClientFrame {
    ClientFrame::Resume { attempt: ATTEMPT, user: user(ALICE), epoch, ticket: None, received: 0 }
}

fn logs_out(call: u32) -> ClientFrame {
    ClientFrame::Logout { call, attempt: ATTEMPT }
}

fn admits(epoch: u32) -> ServerFrame {
    ServerFrame::LoginAccepted { call: 1, epoch, conversations: None, terms: Terms::default() }
}

fn refuses(code: Code) -> ServerFrame {
    ServerFrame::LoginRefused { call: 1, refused: Refusal::Code(code) }
}

fn owes(owed_end: bool) -> What {
    let write = Write::Installation { installation: 1, starts: 1, owed_end, known_ended: None };
    What::StoreAsked { change: 1, write }
}

/// LOGOUT-2, CONN-4
#[test]
fn ends_that_come_home() {
    use Situation::*;
    let settled = || ServerFrame::LogoutAnswer { call: 0, refused: None };
    run().on(PHONE, owes(true)).hears(PHONE, settled()).reaches(OwedEndAlone);
    run().on(PHONE, owes(true)).on(PHONE, owes(false)).reaches(EndGivenUp);
    run().on(PHONE, owes(true)).hears(PHONE, settled()).on(PHONE, owes(false)).misses(EndGivenUp);
    run().hears(PHONE, settled()).misses(RefusedEnd);
    run().status(PHONE, Status::Logining).hears(PHONE, settled()).misses(OwedEndAlone);
    let refused = || ServerFrame::ResumeRefused { attempt: ATTEMPT, code: Code::TicketSignature };
    run().hears(PHONE, refused()).hears(PHONE, settled()).reaches(RefusedEnd);
    run().hears(PHONE, refused()).status(PHONE, Status::Logined).hears(PHONE, settled()).misses(RefusedEnd);
}

fn message(from: usize, to: usize) -> Told {
    Told::Message { message: 1, from: user(from), to: user(to), text: TextIndex::new(0) }
}

#[test]
fn every_name_is_its_own_and_every_situation_is_hit_or_missed() {
    let names: BTreeSet<&str> = Situation::ALL.iter().map(|situation| situation.name()).collect();
    assert_eq!(names.len(), Situation::ALL.len());
    let seen = run().commit(&[day(1), day(2)]).seen;
    assert_eq!(seen.hit().collect::<Vec<_>>(), [Situation::TwoDays.name()]);
    assert_eq!(seen.missed().count(), names.len() - 1);
}

#[test]
fn merging_keeps_what_either_reached() {
    let mut total = run().commit(&[day(1), day(2)]).seen;
    total.merge(&run().fails(PHONE, CallKind::Login, Code::LoginCancelled).seen);
    assert_eq!(total.hit().collect::<Vec<_>>(), [Situation::LoginCutOff.name(), Situation::TwoDays.name()]);
}

#[test]
fn races_between_devices() {
    use Situation::*;
    let phone = || run().commit(&[accepted(PHONE, 1)]);
    phone().at(100).commit(&[accepted(DESK, 2)]).reaches(LoginsTogether);
    phone().at(101).commit(&[accepted(DESK, 2)]).misses(LoginsTogether);
    phone().commit(&[accepted(PHONE, 2)]).misses(LoginsTogether);

    let resumed_once = || phone().at(5000).commit(&[resumed(PHONE, 1)]);
    resumed_once().at(6000).commit(&[displaced(PHONE, 1)]).reaches(ResumeMeetsLogin);
    resumed_once().at(6001).commit(&[displaced(PHONE, 1)]).misses(ResumeMeetsLogin);
    let out = || phone().commit(&[displaced(PHONE, 1), accepted(DESK, 2)]);
    let answer = || ServerFrame::ResumeKicked { attempt: ATTEMPT, kick: kick(1) };
    out().at(1000).says(PHONE, answer()).reaches(ResumeMeetsLogin);
    out().at(1001).says(PHONE, answer()).misses(ResumeMeetsLogin);

    phone().sends(PHONE, resumes(1)).commit(&[displaced(PHONE, 1)]).reaches(EndedWhileResuming);
    phone().sends(PHONE, resumes(1)).loses(PHONE).commit(&[displaced(PHONE, 1)]).misses(EndedWhileResuming);

    let logout = || What::ServerReceived { connection: 0, peer: Some(device(PHONE)), frame: logs_out(1) };
    out().at(1000).server(logout()).reaches(LogoutMeetsDisplacement);
    out().at(1001).server(logout()).misses(LogoutMeetsDisplacement);

    phone().server(dormant(1)).commit(&[displaced(PHONE, 1)]).reaches(DormantDisplaced);
    phone().server(dormant(1)).commit(&[resumed(PHONE, 1), displaced(PHONE, 1)]).misses(DormantDisplaced);

    let as_login =
        ServerFrame::ResumedAsLogin { attempt: ATTEMPT, epoch: 3, conversations: None, terms: Terms::default() };
    run().says(PHONE, as_login).reaches(ResumedAsLogin);
    run()
        .says(
            PHONE,
            ServerFrame::Resumed { attempt: ATTEMPT, conversations: None, terms: Terms::default(), dropped: 0 },
        )
        .misses(ResumedAsLogin);
    run().fails(PHONE, CallKind::Login, Code::KickedWhileAway).reaches(DisplacedWhileAway);
    run().fails(PHONE, CallKind::Login, Code::NotLoggedIn).misses(DisplacedWhileAway);

    let pushed = || run().says(PHONE, ServerFrame::Kick { kick: kick(1) });
    pushed().hears(PHONE, answer()).reaches(PushedKickLost);
    pushed().hears(PHONE, ServerFrame::Kick { kick: kick(1) }).hears(PHONE, answer()).misses(PushedKickLost);
}

#[test]
fn tickets() {
    use Situation::*;
    let phone = || run().commit(&[accepted(PHONE, 1)]);
    let expired = || ended(PHONE, 1, EndReason::Expired);
    let told = |run: Run| run.tells(PHONE, Told::UserSigExpired, 1);
    told(phone().commit(&[lost(PHONE, 1)]).commit(&[expired()])).reaches(ExpiredWhileAway);
    told(phone().commit(&[expired()])).misses(ExpiredWhileAway);

    let asleep = || phone().effect(Effect::Suspended { device: device(PHONE) });
    let woken = || Effect::Woken { device: device(PHONE) };
    asleep().commit(&[expired()]).effect(woken()).reaches(SleptPastTicket);
    asleep().effect(woken()).commit(&[expired()]).misses(SleptPastTicket);

    phone().at(UNTIL * 1000).commit(&[renewed(PHONE, 1)]).reaches(RenewedInLastSecond);
    phone().at(UNTIL * 1000 - 1).commit(&[renewed(PHONE, 1)]).misses(RenewedInLastSecond);

    let answer = |refused| ServerFrame::RenewAnswer { call: 1, refused };
    run().says(PHONE, answer(Some(Refusal::Code(Code::TicketExpired)))).reaches(RenewalRefused);
    run().says(PHONE, answer(Some(Refusal::Stale))).misses(RenewalRefused);
    run().says(PHONE, refuses(Code::TooManyRefusals)).reaches(LockedOut);
    run().says(PHONE, refuses(Code::TicketExpired)).misses(LockedOut);
}

#[test]
fn a_return_of_many() {
    use Situation::*;
    let stops = || ServerFrame::Closing { why: Closing::Stopping, after: Micros::new(0), spread: Micros::new(0) };
    let resumed =
        || ServerFrame::Resumed { attempt: ATTEMPT, conversations: None, terms: Terms::default(), dropped: 0 };
    run().hears(PHONE, stops()).hears(PHONE, resumed()).reaches(StopTold);
    run().hears(PHONE, resumed()).misses(StopTold);
    run().hears(PHONE, stops()).hears(DESK, resumed()).misses(StopTold);

    run().sends(PHONE, asks()).hears(PHONE, stops()).hears(PHONE, admits(1)).reaches(LoginOutlivedStop);
    run().hears(PHONE, stops()).sends(PHONE, asks()).hears(PHONE, admits(1)).misses(LoginOutlivedStop);

    let busy = || ServerFrame::Closing { why: Closing::Busy, after: Micros::new(0), spread: Micros::new(0) };
    run().sends(PHONE, asks()).hears(PHONE, busy()).hears(PHONE, admits(1)).reaches(Busy);
    run().sends(PHONE, asks()).hears(PHONE, admits(1)).misses(Busy);
    run().fails(PHONE, CallKind::Login, Code::TooManyLogins).reaches(TooFast);
    run().fails(PHONE, CallKind::Login, Code::TooManyRefusals).misses(TooFast);

    let told = |code| run().tells(PHONE, Told::ConnectFailed { code }, 1);
    told(Code::VersionNotSupported).reaches(TooOld);
    told(Code::NoLink).misses(TooOld);

    let waits = |attempt, millis: u64| What::BackOff { attempt, delay: Micros::new(millis * 1000) };
    run().on(PHONE, waits(1, 2_001)).reaches(SpreadReturn);
    run().on(PHONE, waits(1, 2_000)).misses(SpreadReturn);
    run().on(PHONE, waits(2, 2_001)).misses(SpreadReturn);
    run().hears(PHONE, stops()).on(PHONE, waits(1, 2_001)).misses(SpreadReturn);
}

#[test]
fn the_death_of_the_server() {
    use Situation::*;
    let dead = Effect::ServerDead;
    run().decide(&[accepted(PHONE, 1)]).effect(dead).reaches(DiedBeforeDisk);
    run().commit(&[accepted(PHONE, 1)]).effect(dead).misses(DiedBeforeDisk);

    let answered = || run().sends(PHONE, asks()).commit(&[accepted(PHONE, 1)]).says(PHONE, admits(1));
    answered().effect(dead).loses(PHONE).reaches(DiedBeforeArrival);
    answered().effect(dead).hears(PHONE, admits(1)).loses(PHONE).misses(DiedBeforeArrival);
    answered().loses(PHONE).effect(dead).misses(DiedBeforeArrival);

    let owed = || run().commit(&[accepted(PHONE, 1)]).commit(&[displaced(PHONE, 1)]);
    owed().fault(Fault::PowerLossServer).effect(dead).reaches(PowerLostKickOwed);
    owed().fault(Fault::CrashServer).effect(dead).misses(PowerLostKickOwed);
    owed().commit(&[settled(PHONE, 1)]).fault(Fault::PowerLossServer).effect(dead).misses(PowerLostKickOwed);
    let undecided = run().decide(&[displaced(PHONE, 1)]);
    undecided.fault(Fault::PowerLossServer).effect(dead).misses(PowerLostKickOwed);

    let cut = |point| run().fault(Fault::PowerLossAt { point }).commit(&[accepted(PHONE, 1)]).effect(dead);
    cut(CommitPoint::BeforeWrite).reaches(PowerLostBeforeWrite);
    cut(CommitPoint::BeforeWrite).misses(PowerLostAfterCommit);
    cut(CommitPoint::AfterCommit).reaches(PowerLostAfterCommit);
    cut(CommitPoint::AfterAnswers).reaches(PowerLostAfterAnswers);
    let in_disk = || run().fault(Fault::PowerLossInDisk { operation: 3 });
    in_disk().effect(dead).reaches(PowerLostInDisk);
    in_disk().misses(PowerLostInDisk);
    in_disk().fault(Fault::CrashServer).effect(dead).misses(PowerLostInDisk);
    let owed_and_cut = owed().fault(Fault::PowerLossInDisk { operation: 3 });
    owed_and_cut.effect(dead).reaches(PowerLostKickOwed);

    run().server(What::StoreFailed).reaches(CommitFailed);
    run().commit(&[accepted(PHONE, 1)]).effect(dead).misses(CommitFailed);
    let restarts_from = |commit| {
        let undecided = run().starts().commit(&[accepted(PHONE, 1)]).decide(&[lost(PHONE, 1)]).effect(dead);
        undecided.server(What::ServerStarted { commit, wall: Micros::new(0) })
    };
    restarts_from(2).reaches(CutChangeSurvived);
    restarts_from(1).misses(CutChangeSurvived);

    let restarted = || run().starts().commit(&[accepted(PHONE, 1)]).effect(dead).starts();
    restarted().commit(&[lost(PHONE, 1)]).reaches(RestartFoundConnected);
    restarted().commit(&[resumed(PHONE, 1)]).commit(&[lost(PHONE, 1)]).misses(RestartFoundConnected);

    run().decide(&[day(1)]).decide(&[day(1)]).disk(2).reaches(Batch);
    run().decide(&[day(1)]).decide(&[day(1)]).disk(1).disk(2).misses(Batch);
}

#[test]
fn answers_that_do_not_come() {
    use Situation::*;
    let answered = || run().sends(PHONE, asks()).says(PHONE, admits(1));
    answered().loses(PHONE).reaches(AnswerLost);
    answered().effect(Effect::ProcessDead { device: device(PHONE) }).reaches(AnswerLost);
    answered().hears(PHONE, admits(1)).loses(PHONE).misses(AnswerLost);
    run().sends(PHONE, asks()).loses(PHONE).says(PHONE, admits(1)).misses(AnswerLost);

    let unsure = |status| run().status(PHONE, status).fails(PHONE, CallKind::Login, Code::NoAnswer);
    unsure(Status::Logout).answers(PHONE, CallKind::Login, Outcome::Done).reaches(LoginAfterUnknown);
    unsure(Status::Logined).answers(PHONE, CallKind::Login, Outcome::Done).misses(LoginAfterUnknown);
    unsure(Status::Logout).misses(LoginAfterUnknown);

    run().fails(PHONE, CallKind::Send, Code::NoAnswer).reaches(RequestUnanswered);
    run().fails(PHONE, CallKind::Login, Code::NoAnswer).misses(RequestUnanswered);
    run().fails(PHONE, CallKind::Send, Code::NoLink).reaches(RequestWithoutLink);
    run().fails(PHONE, CallKind::Login, Code::NoLink).misses(RequestWithoutLink);

    run().says(PHONE, ServerFrame::ResumeStale { attempt: ATTEMPT }).reaches(StaleAnswered);
    run().says(PHONE, refuses(Code::TicketExpired)).misses(StaleAnswered);

    let waits = |attempt| What::BackOff { attempt, delay: Micros::new(64_000_000) };
    run().on(PHONE, waits(10)).reaches(BackOffAtMost);
    run().on(PHONE, waits(9)).misses(BackOffAtMost);
}

#[test]
fn moves_of_the_application() {
    use Situation::*;
    run().fails(PHONE, CallKind::Login, Code::LoginCancelled).reaches(LoginCutOff);
    run().fails(PHONE, CallKind::Login, Code::Uninitialised).misses(LoginCutOff);

    let online = || run().hears(PHONE, admits(1)).status(PHONE, Status::Logined);
    let offline = || online().on(PHONE, What::LinkLost);
    offline().calls(PHONE, login(BOB)).status(PHONE, Status::Logining).reaches(SwitchedWithoutLink);
    online().calls(PHONE, login(BOB)).status(PHONE, Status::Logining).misses(SwitchedWithoutLink);
    offline().calls(PHONE, login(ALICE)).misses(SwitchedWithoutLink);
    // Refused by the SDK itself.
    offline().calls(PHONE, login(BOB)).misses(SwitchedWithoutLink);

    let owing = || run().on(PHONE, owes(true));
    let reborn = Effect::ProcessUp { device: device(PHONE) };
    owing().effect(reborn).on(PHONE, owes(true)).sends(PHONE, logs_out(0)).reaches(OwedEndLater);
    owing().sends(PHONE, logs_out(0)).effect(reborn).misses(OwedEndLater);
    owing().on(PHONE, owes(false)).effect(reborn).sends(PHONE, logs_out(0)).misses(OwedEndLater);

    let wiped = Effect::DiskEmpty { device: device(PHONE) };
    run().commit(&[accepted(PHONE, 1)]).effect(wiped).commit(&[accepted(PHONE, 2)]).reaches(WipedAndBack);
    run().effect(wiped).commit(&[accepted(PHONE, 1)]).misses(WipedAndBack);

    let kicked = || run().tells(PHONE, Told::KickedOffline { by: None, reason: KickReason::Gone }, 1);
    kicked().calls(PHONE, login(ALICE)).reaches(CalledInListener);
    kicked().at(1).calls(PHONE, login(ALICE)).misses(CalledInListener);
    kicked().loses(PHONE).calls(PHONE, login(ALICE)).misses(CalledInListener);

    run().tells(DESK, message(ALICE, BOB), 1).reaches(SenderElsewhere);
    run().tells(DESK, message(BOB, ALICE), 1).misses(SenderElsewhere);

    let owed = Fact::MessageOwed { user: user(ALICE), device: device(PHONE), epoch: 1, message: 1 };
    let comes = |run: Run| {
        let (from, to, text) = (user(BOB), user(ALICE), TextIndex::new(0));
        run.says(PHONE, ServerFrame::Message { message: 1, from, to, text, place: 1 })
    };
    let here = || run().commit(&[accepted(PHONE, 1)]);
    comes(here().commit(&[lost(PHONE, 1), owed]).commit(&[resumed(PHONE, 1)])).reaches(OwedMessageCame);
    comes(here().commit(&[owed])).misses(OwedMessageCame);
    run().tells(PHONE, Told::MessagesDropped { count: 2 }, 1).reaches(MessagesDropped);
    comes(here()).misses(MessagesDropped);

    let sent = |id| Fact::MessageStored { message: 1, from: user(ALICE), to: user(BOB), text: TextIndex::new(0), id };
    let sends = |run: Run| {
        let frame = ClientFrame::Send { call: 2, to: user(BOB), text: TextIndex::new(0), id: 1 };
        run.server(What::ServerReceived { connection: 0, peer: Some(device(PHONE)), frame })
    };
    sends(online().commit(&[sent(1)])).reaches(SentAgain);
    sends(online().commit(&[sent(2)])).misses(SentAgain);
    sends(run().commit(&[sent(1)])).misses(SentAgain);
}

#[test]
fn administrators_and_strangers() {
    use Situation::*;
    let phone = || run().commit(&[accepted(PHONE, 1)]);
    let kicked = || ended(PHONE, 1, EndReason::Administrator);
    phone().commit(&[kicked()]).reaches(AdministratorLinked);
    phone().commit(&[lost(PHONE, 1), kicked()]).misses(AdministratorLinked);
    phone().commit(&[lost(PHONE, 1), kicked()]).reaches(AdministratorLinkless);
    phone().commit(&[lost(PHONE, 1), resumed(PHONE, 1), kicked()]).misses(AdministratorLinkless);

    let live = || run().policy(Policy::Multi).commit(&[accepted(PHONE, 1)]);
    live().policy(Policy::Single).reaches(PolicyWhileLive);
    live().policy(Policy::Multi).misses(PolicyWhileLive);
    live().commit(&[kicked()]).policy(Policy::Single).misses(PolicyWhileLive);
    live().policy(Policy::Single).commit(&[displaced(PHONE, 1)]).reaches(PolicyThenDisplaced);
    live().commit(&[displaced(PHONE, 1)]).policy(Policy::Single).misses(PolicyThenDisplaced);

    let error = |peer| {
        let frame = ServerFrame::Error { why: FrameError::Malformed };
        What::ServerSent { connection: 0, peer, reveals: 0, frame }
    };
    run().server(error(Some(DeviceIndex::STRANGER))).reaches(StrangerTurnedAway);
    run().server(error(None)).reaches(StrangerTurnedAway);
    run().server(error(Some(device(PHONE)))).misses(StrangerTurnedAway);
}

#[test]
fn links_as_they_are() {
    use Situation::*;
    let resumed = ServerFrame::Resumed { attempt: ATTEMPT, conversations: None, terms: Terms::default(), dropped: 0 };
    let linked = || run().hears(PHONE, resumed);
    let page = || What::NoFrame { connection: 0 };
    let login = || ClientFrame::Login { call: 1, attempt: ATTEMPT, user: user(ALICE), ticket: None, known_ended: None };
    run().sends(PHONE, login()).on(PHONE, page()).hears(PHONE, admits(1)).reaches(PortalOutlived);
    run().on(PHONE, page()).sends(PHONE, login()).hears(PHONE, admits(1)).misses(PortalOutlived);
    let forgotten = || Effect::LinkForgotten { device: device(PHONE) };
    linked().effect(forgotten()).reaches(LinkForgotten);
    run().effect(forgotten()).misses(LinkForgotten);
    linked().effect(forgotten()).hears(PHONE, resumed).reaches(ForgottenAndBack);
    linked().hears(PHONE, resumed).effect(forgotten()).misses(ForgottenAndBack);
    let moved = || Effect::Moved { device: device(PHONE), site: SiteIndex::new(1) };
    linked().effect(moved()).hears(PHONE, resumed).reaches(Moved);
    run().effect(moved()).hears(PHONE, resumed).misses(Moved);
    linked().effect(moved()).hears(DESK, resumed).misses(Moved);
}

/// ATT-5
#[test]
fn faults_that_are_the_devices_own() {
    use Situation::*;
    let unwritten = || run().fails(PHONE, CallKind::Login, Code::StorageFailed);
    unwritten().reaches(RecordUnwritten);
    unwritten().misses(EndNotKept);
    unwritten().answers(PHONE, CallKind::Login, Outcome::Done).reaches(WrittenAgain);
    unwritten().answers(DESK, CallKind::Login, Outcome::Done).misses(WrittenAgain);
    run().fails(PHONE, CallKind::Logout, Code::StorageFailed).reaches(EndNotKept);
    run().fails(PHONE, CallKind::Logout, Code::StorageFailed).misses(RecordUnwritten);
    let damaged = Effect::RecordDamaged { device: device(PHONE) };
    let back = |run: Run| run.commit(&[accepted(PHONE, 2)]);
    back(run().commit(&[accepted(PHONE, 1)]).effect(damaged)).reaches(DamagedAndBack);
    back(run().effect(damaged)).misses(DamagedAndBack);
    let caches = |run: Run| {
        let write = Write::Conversations { user: user(ALICE), conversations: Some(ListIndex::new(0)) };
        run.on(PHONE, What::StoreAsked { change: 1, write })
    };
    let starts = |run: Run| {
        let device = device(PHONE);
        run.effect(Effect::CachesDamaged { device }).effect(Effect::ProcessUp { device })
    };
    caches(starts(caches(run()))).reaches(CacheBroughtAnew);
    caches(starts(run())).misses(CacheBroughtAnew);
    caches(caches(run()).effect(Effect::ProcessUp { device: device(PHONE) })).misses(CacheBroughtAnew);
    let login = |run: Run| {
        let frame = ClientFrame::Login {
            call: 1,
            attempt: ATTEMPT,
            user: user(ALICE),
            ticket: Some(TicketIndex::new(0)),
            known_ended: None,
        };
        run.on(PHONE, What::Stored { change: 1 }).sends(PHONE, frame)
    };
    login(run().on(PHONE, owes(false)).at(1)).reaches(RecordAwaited);
    login(run().on(PHONE, owes(false))).misses(RecordAwaited);
}

/// ATT-1
#[test]
fn copies_of_one_record() {
    use Situation::*;
    let logined = || run().on(PHONE, What::Status { status: Status::Logined, login_user: Some(user(ALICE)) });
    let known_as = |first| What::KnownAs { device: device(first), installation: 1 };
    logined().on(DESK, known_as(PHONE)).hears(DESK, admits(1)).reaches(CopyTookOver);
    run().on(DESK, known_as(PHONE)).hears(DESK, admits(1)).misses(CopyTookOver);
    logined().hears(DESK, admits(1)).misses(CopyTookOver);
    let new = What::NewDevice { installation: 1 };
    logined().on(DESK, known_as(PHONE)).on(DESK, new).hears(DESK, admits(1)).misses(CopyTookOver);
    run().hears(PHONE, ServerFrame::ResumeStale { attempt: ATTEMPT }).reaches(StaleResume);
    let refused = |refused| ServerFrame::LoginRefused { call: 1, refused };
    run().hears(PHONE, refused(Refusal::Stale)).reaches(StaleLogin);
    run().hears(PHONE, refused(Refusal::Code(Code::TicketExpired))).misses(StaleLogin);
}

#[test]
fn days_and_presence() {
    use Situation::*;
    run().commit(&[day(1)]).commit(&[day(2)]).reaches(TwoDays);
    run().commit(&[day(1)]).commit(&[day(1)]).misses(TwoDays);

    let went = |run: Run, to| run.commit(&[presence(to)]);
    let left = || went(went(run(), Presence::Online), Presence::PushOnline);
    went(left(), Presence::Online).reaches(CameBack);
    went(went(left(), Presence::Offline), Presence::Online).misses(CameBack);

    went(left(), Presence::Offline).reaches(SevenDaysPassed);
    left().commit(&[ended(PHONE, 1, EndReason::Expired), presence(Presence::Offline)]).misses(SevenDaysPassed);
}

#[test]
fn a_server_that_stands_still() {
    use Situation::*;
    let stands = || run().effect(Effect::ServerSuspended);
    let goes_on = |run: Run| run.effect(Effect::ServerWoken).server(What::StoodStill { wall: Micros::new(0) });
    goes_on(stands().sends(PHONE, asks())).hears(PHONE, admits(1)).reaches(WaitedForServer);
    goes_on(stands()).sends(PHONE, asks()).hears(PHONE, admits(1)).misses(WaitedForServer);

    let over = |run: Run| run.decide(&[ended(PHONE, 1, EndReason::Expired)]);
    over(goes_on(stands().at(5))).reaches(OverByStandstill);
    over(goes_on(stands().at(5)).at(6)).misses(OverByStandstill);

    let reads = |run: Run| {
        let (connection, peer, frame) = (0, Some(device(PHONE)), ClientFrame::Heartbeat);
        run.server(What::ServerReceived { connection, peer, frame })
    };
    let read = || reads(run().commit(&[accepted(PHONE, 1)]));
    reads(goes_on(read().at(400_000))).reaches(ReadInTime);
    reads(goes_on(read().at(399_999))).misses(ReadInTime);
    reads(goes_on(read().at(400_000)).commit(&[lost(PHONE, 1)])).misses(ReadInTime);

    let late = |by| run().fault(Fault::LateTimers { device: device(PHONE), by: Micros::new(by) });
    let silent = |run: Run, until| {
        reads(run.commit(&[accepted(PHONE, 1)])).hears(PHONE, admits(1)).at(until).commit(&[lost(PHONE, 1)])
    };
    silent(late(1), 90_000).reaches(LateAndClosed);
    silent(late(1), 89_999).misses(LateAndClosed);
    silent(late(0), 90_000).misses(LateAndClosed);
}

#[test]
fn a_device_is_let_go() {
    use Situation::*;
    let goes = || Fact::DeviceForgotten { user: user(ALICE), device: device(PHONE), installation: 1 };
    let over = || run().commit(&[accepted(PHONE, 1)]).commit(&[ended(PHONE, 1, EndReason::Expired)]);
    over().commit(&[goes()]).reaches(LetGo);
    over().commit(&[goes()]).misses(CrowdedOut);
    over().commit(&[accepted(DESK, 2)]).commit(&[ended(DESK, 2, EndReason::Expired), goes()]).reaches(CrowdedOut);
    over().commit(&[goes()]).commit(&[accepted(PHONE, 2)]).reaches(LetGoAndBack);
    over().commit(&[accepted(PHONE, 2)]).misses(LetGoAndBack);
}

#[test]
fn of_a_crash_nothing_is_made_up() {
    // The login that was lost with the crash leaves no session to change the policy under.
    let crashed = || run().policy(Policy::Multi).decide(&[accepted(PHONE, 1)]).effect(Effect::ServerDead);
    let mut restarted = crashed();
    restarted.commit = 0;
    let again = restarted.starts().policy(Policy::Multi).commit(&[day(1)]);
    again.policy(Policy::Single).misses(Situation::PolicyWhileLive);
}

#[test]
fn what_is_not_reached_says_how_far_runs_got() {
    use Situation::*;
    let progress = |seen: &Sometimes, situation: Situation| {
        seen.progress().find(|progress| progress.situation == situation.name()).expect("it is not reached")
    };
    let wiped = || run().commit(&[accepted(PHONE, 1)]).effect(Effect::DiskEmpty { device: device(PHONE) }).seen;
    let mut seen = run().seen;
    assert_eq!(progress(&seen, WipedAndBack).reached(), (0, 2));
    seen.merge(&wiped());
    seen.merge(&wiped());
    assert_eq!(progress(&seen, WipedAndBack).parts, [("a device that had logged in was wiped", 2)]);
    assert_eq!(progress(&seen, WipedAndBack).reached(), (1, 2));
    assert_eq!(progress(&seen, StrangerTurnedAway).reached(), (0, 1), "it comes about by itself");
    let power = || run().commit(&[accepted(PHONE, 1)]).fault(Fault::PowerLossServer).effect(Effect::ServerDead);
    assert_eq!(progress(&power().seen, PowerLostKickOwed).reached(), (1, 3));
    let missed = power().seen.progress().count();
    assert_eq!(missed, power().seen.missed().count());
}
