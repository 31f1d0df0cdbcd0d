//! Each side of each bound is reached by one short run, and just missed by another.

use std::collections::BTreeMap;

use gatecrash::code::Code;
use gatecrash::id::Attempt;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::super::Sometimes;
use super::super::table::Situation;
use super::Edges;
use crate::scenario::numbers::{DAYS_REMEMBERED, PREVIEW_MAX, QUERY_MAX, TEXT_MAX, UNDER_WAY_MAX, USER_ID_MAX};
use crate::scenario::{CallKind, LimitOverrides};
use crate::trace::{
    Actor, Cast, ClientFrame, ConversationLine, DeviceIndex, Effect, Event, Fact, List, ListIndex, Micros, Observer,
    Outcome, Refusal, Request, Seconds, ServerFrame, Terms, TextIndex, TicketIndex, UserIndex, What,
};
use Situation::*;

const PHONE: usize = 0;
const OTHER: usize = 1;
const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
/// The last second of alice's ticket.
const LAST: u64 = 3600;
const DAY: u64 = 86_400_000_000;

fn device(index: usize) -> DeviceIndex {
    DeviceIndex::new(index)
}

fn user(index: usize) -> UserIndex {
    UserIndex::new(index)
}

fn attempt(count: u32) -> Attempt {
    Attempt { start: 1, count }
}

/// A run being told, of three users on two phones; each device speaks on the connection of its number.
struct Run {
    seen: Sometimes,
    cast: Cast,
    now: Instant,
    number: u32,
    commit: u32,
    wall: u64,
    attempts: u32,
}

fn run(limits: LimitOverrides) -> Run {
    let mut cast = Cast::default();
    let home = cast.add_site("home");
    cast.add_device("phone", Platform::Android, home);
    cast.add_device("other", Platform::Android, home);
    for name in ["alice", "bob", "carol"] {
        cast.user(name);
    }
    cast.add_ticket(None, 0, LAST);
    let seen = Sometimes { edges: Some(Box::new(Edges::new(&limits))), ..Sometimes::default() };
    Run { seen, cast, now: Instant::ZERO, number: 0, commit: 0, wall: 0, attempts: 0 }
}

fn usual() -> Run {
    run(LimitOverrides::default())
}

fn limits(set: impl FnOnce(&mut LimitOverrides)) -> LimitOverrides {
    let mut limits = LimitOverrides::default();
    set(&mut limits);
    limits
}

impl Run {
    fn event(mut self, actor: Actor, what: What) -> Self {
        self.number += 1;
        let event = Event { at: self.now, actor, number: self.number, what };
        self.seen.observe(&self.cast, &event);
        self
    }

    fn at(mut self, millis: u64) -> Self {
        self.now = Instant::from_micros(millis * 1000);
        self
    }

    fn on_day(mut self, day: u64) -> Self {
        self.wall = day * DAY;
        self
    }

    fn server(self, what: What) -> Self {
        self.event(Actor::Server, what)
    }

    fn on(self, index: usize, what: What) -> Self {
        self.event(Actor::Device(device(index)), what)
    }

    fn dies(self) -> Self {
        self.event(Actor::World, What::Effect { effect: Effect::ServerDead })
    }

    fn hears(self, from: usize, frame: ClientFrame) -> Self {
        self.server(What::ServerReceived { connection: from as u32, peer: Some(device(from)), frame })
    }

    fn says(self, to: usize, frame: ServerFrame) -> Self {
        let reveals = self.commit;
        self.server(What::ServerSent { connection: to as u32, peer: Some(device(to)), reveals, frame })
    }

    fn commit(mut self, facts: &[Fact]) -> Self {
        self.commit += 1;
        let (commit, wall) = (self.commit, Micros::new(self.wall));
        let decided = self.server(What::Commit { commit, wall });
        facts.iter().fold(decided, |run, &fact| run.server(What::Fact { commit, fact }))
    }

    fn asks(mut self, from: usize, of: usize) -> Self {
        self.attempts += 1;
        let attempt = attempt(self.attempts);
        let ticket = Some(TicketIndex::new(0));
        self.hears(from, ClientFrame::Login { call: 1, attempt, user: user(of), ticket, known_ended: None })
    }

    fn judged(self, on: usize, of: usize, second: u64, refused: Option<Code>) -> Self {
        let second = Seconds::new(second);
        self.asks(on, of).server(What::TicketJudged { device: device(on), user: user(of), second, refused })
    }

    /// A ticket that is refused.
    fn refused(self, on: usize) -> Self {
        self.judged(on, ALICE, 0, Some(Code::TicketSignature))
    }

    fn taken(self, on: usize) -> Self {
        self.judged(on, ALICE, 0, None)
    }

    /// A login that is taken, with what else is decided before.
    fn logs_in(self, on: usize, of: usize, facts: &[Fact]) -> Self {
        let asked = self.asks(on, of);
        let accepted = Fact::SessionAccepted {
            user: user(of),
            device: device(on),
            installation: 1,
            platform: Platform::Android,
            epoch: asked.attempts,
            attempt: attempt(asked.attempts),
            ticket: TicketIndex::new(0),
            until: Seconds::new(LAST),
        };
        asked.commit(&[facts, &[accepted]].concat())
    }

    fn text(&mut self, length: usize) -> TextIndex {
        self.cast.intern_text(&"x".repeat(length)).0
    }

    /// Alice sends somebody a message of that length, which she calls `id`, and which her other sessions are owed.
    fn sends(mut self, to: usize, id: u32, length: usize, others: &[Fact]) -> Self {
        let (message, text) = (self.commit + 1, self.text(length));
        let stored = Fact::MessageStored { message, from: user(ALICE), to: user(to), text, id };
        self.commit(&[&[stored], others].concat())
    }

    /// Bob, who logged in first, is owed that message.
    fn owes(self, length: usize, others: &[Fact]) -> Self {
        let message = self.commit + 1;
        let owed = Fact::MessageOwed { user: user(BOB), device: device(PHONE), epoch: 1, message };
        self.sends(BOB, message, length, &[&[owed], others].concat())
    }

    /// The answer to a login brings this list, a preview's length to each message.
    fn brings(mut self, lines: &[(usize, u32, usize)]) -> Self {
        let lines = lines.iter().map(|&(peer, last, length)| {
            let preview = self.cast.intern_text(&"x".repeat(length)).0;
            ConversationLine { peer: user(peer), last, preview }
        });
        let list = List::Conversations(lines.collect());
        let conversations = Some(self.cast.intern_list(list).0);
        self.says(PHONE, ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations, terms: Terms::default() })
    }

    fn calls(self, request: Request, outcome: Outcome) -> Self {
        let called = self.on(PHONE, What::Called { call: 1, request });
        called.on(PHONE, What::Answered { call: 1, kind: None, user: Some(user(ALICE)), outcome })
    }

    #[track_caller]
    fn reaches(self, situation: Situation) {
        assert!(self.seen.hit().any(|name| name == situation.name()), "not reached: {}", situation.name());
    }

    #[track_caller]
    fn misses(self, situation: Situation) {
        assert!(self.seen.missed().any(|name| name == situation.name()), "reached: {}", situation.name());
    }
}

fn failed(code: Code) -> Outcome {
    Outcome::Failed { code, reason: None }
}

fn ended(on: usize, epoch: u32, reason: EndReason) -> Fact {
    Fact::SessionEnded { user: user(ALICE), device: device(on), installation: 1, epoch, reason, by: None }
}

/// TICKET-2
#[test]
fn a_ticket_in_its_last_second_and_the_next() {
    let expired = Some(Code::TicketExpired);
    usual().judged(PHONE, ALICE, LAST, None).reaches(LastSecondTaken);
    usual().judged(PHONE, ALICE, LAST - 1, None).misses(LastSecondTaken);
    usual().judged(PHONE, ALICE, LAST + 1, expired).reaches(NextSecondRefused);
    usual().judged(PHONE, ALICE, LAST + 2, expired).misses(NextSecondRefused);
    usual().judged(PHONE, ALICE, LAST + 1, Some(Code::TicketSignature)).misses(NextSecondRefused);
}

/// TICKET-4
#[test]
fn refused_tickets_up_to_the_lock() {
    let three = || run(limits(|limits| limits.refusals_max = Some(3)));
    three().refused(PHONE).refused(PHONE).taken(PHONE).reaches(RefusedAndTaken);
    three().refused(PHONE).taken(PHONE).misses(RefusedAndTaken);
    three().refused(PHONE).refused(PHONE).at(60_000).taken(PHONE).misses(RefusedAndTaken);
    three().refused(PHONE).refused(OTHER).taken(PHONE).misses(RefusedAndTaken);
}

/// TICKET-4
#[test]
fn records_of_refused_tickets() {
    let few = |most| run(limits(|limits| (limits.records_max, limits.refusals_max) = (Some(most), Some(1))));
    let locked = ServerFrame::LoginRefused { call: 1, refused: Refusal::Code(Code::TooManyRefusals) };
    few(2).refused(PHONE).refused(OTHER).asks(PHONE, ALICE).says(PHONE, locked).reaches(RecordsAtMost);
    few(2).refused(OTHER).refused(PHONE).asks(PHONE, ALICE).says(PHONE, locked).misses(RecordsAtMost);
    few(1).refused(PHONE).refused(OTHER).taken(PHONE).reaches(RecordMadeRoom);
    few(2).refused(PHONE).refused(OTHER).taken(PHONE).misses(RecordMadeRoom);
    few(1).refused(PHONE).refused(OTHER).at(60_000).taken(PHONE).misses(RecordMadeRoom);
    few(1).refused(PHONE).refused(OTHER).dies().taken(PHONE).misses(RecordMadeRoom);
}

/// LOGIN-11, CONN-12
#[test]
fn logins_at_once() {
    let two = || run(limits(|limits| (limits.logins_max, limits.capacity) = (Some(2), Some(2))));
    two().logs_in(PHONE, ALICE, &[]).logs_in(PHONE, ALICE, &[]).reaches(LoginsAtMost);
    two().logs_in(PHONE, ALICE, &[]).at(1_000).logs_in(PHONE, ALICE, &[]).misses(LoginsAtMost);
    two().logs_in(PHONE, ALICE, &[]).logs_in(PHONE, BOB, &[]).misses(LoginsAtMost);
    two().taken(PHONE).at(499).refused(OTHER).reaches(CapacityAtMost);
    two().taken(PHONE).at(500).taken(OTHER).misses(CapacityAtMost);
}

/// POLICY-2
#[test]
fn seats_of_a_platform() {
    let seats = |number| {
        let instances = BTreeMap::from([(Platform::Android, number)]);
        let seats = Seats::new(Policy::Multi, &instances).expect("within the range");
        let (reconnect_kicks, notify_offline_kick, administrators) = (false, false, None);
        usual().server(What::Configured { seats, reconnect_kicks, notify_offline_kick, administrators })
    };
    let both = |number| seats(number).logs_in(PHONE, ALICE, &[]).logs_in(OTHER, ALICE, &[]);
    both(2).reaches(SeatsFull);
    both(3).misses(SeatsFull);
    seats(1).logs_in(PHONE, ALICE, &[]).misses(SeatsFull);
    both(2).commit(&[ended(PHONE, 1, EndReason::SamePlatform)]).reaches(SeatTaken);
    both(3).commit(&[ended(PHONE, 1, EndReason::SamePlatform)]).misses(SeatTaken);
    both(2).commit(&[ended(PHONE, 1, EndReason::Logout)]).misses(SeatTaken);
}

/// DAU-1
#[test]
fn days_that_are_remembered() {
    let count = |run: Run, day: u64| {
        let counted = Fact::DayCounted { user: user(ALICE), day: day as u32, users: 1 };
        run.on_day(day).logs_in(PHONE, ALICE, &[counted])
    };
    let days = |number: usize| (10..10 + number as u64).fold(usual(), count);
    let again = |run: Run, day| run.on_day(day).logs_in(PHONE, ALICE, &[]);
    again(days(DAYS_REMEMBERED), 10).reaches(DayStillKnown);
    again(days(DAYS_REMEMBERED), 11).misses(DayStillKnown);
    again(days(DAYS_REMEMBERED - 1), 10).misses(DayStillKnown);
    again(days(DAYS_REMEMBERED), 9).reaches(DayForgotten);
    count(days(DAYS_REMEMBERED), 9).misses(DayForgotten);
    // It was counted.
    again(days(DAYS_REMEMBERED + 1), 10).misses(DayForgotten);
    // Nobody knows any more what was.
    let started = What::ServerStarted { commit: 0, wall: Micros::new(0) };
    again(days(DAYS_REMEMBERED).server(started), 10).misses(DayStillKnown);
}

/// ATT-6
#[test]
fn devices_that_are_remembered() {
    let away = || {
        let one = run(limits(|limits| limits.remembered_max = Some(1)));
        one.logs_in(PHONE, ALICE, &[]).commit(&[ended(PHONE, 1, EndReason::Logout)])
    };
    let raised = |on| Fact::AttemptRaised { device: device(on), installation: 1, attempt: attempt(9) };
    away().commit(&[raised(PHONE)]).reaches(RememberedAtMost);
    away().logs_in(PHONE, ALICE, &[]).commit(&[raised(PHONE)]).misses(RememberedAtMost);
    let forgotten = Fact::DeviceForgotten { user: user(ALICE), device: device(PHONE), installation: 1 };
    away().commit(&[forgotten]).commit(&[raised(PHONE)]).misses(RememberedAtMost);
}

/// LOGIN-2
#[test]
fn the_longest_name() {
    let named = |length: usize| {
        let mut run = usual();
        let (named, _) = run.cast.user(&"n".repeat(length));
        (run, named)
    };
    let (run, long) = named(USER_ID_MAX);
    run.logs_in(PHONE, long.index(), &[]).reaches(NameAtMost);
    let (run, long) = named(USER_ID_MAX - 1);
    run.logs_in(PHONE, long.index(), &[]).misses(NameAtMost);
    let fails = |(run, long): (Run, UserIndex), kind| {
        let outcome = failed(Code::InvalidArgument);
        run.on(PHONE, What::Answered { call: 1, kind: Some(kind), user: Some(long), outcome })
    };
    fails(named(USER_ID_MAX + 1), CallKind::Login).reaches(NameTooLong);
    fails(named(USER_ID_MAX), CallKind::Login).misses(NameTooLong);
    fails(named(USER_ID_MAX + 1), CallKind::Logout).misses(NameTooLong);
}

/// API-4
#[test]
fn the_longest_text() {
    usual().sends(BOB, 1, TEXT_MAX, &[]).reaches(TextAtMost);
    usual().sends(BOB, 1, TEXT_MAX - 1, &[]).misses(TextAtMost);
    let sends = |length, code| {
        let mut run = usual();
        let text = run.text(length);
        run.calls(Request::Send { to: user(BOB), text, id: None }, failed(code))
    };
    sends(TEXT_MAX + 1, Code::InvalidArgument).reaches(TextTooLong);
    sends(TEXT_MAX + 1, Code::NotLoggedIn).misses(TextTooLong);
    sends(TEXT_MAX, Code::InvalidArgument).misses(TextTooLong);
}

/// API-4
#[test]
fn the_longest_query() {
    let asks = |number: usize, outcome| {
        let mut run = usual();
        let users = (0..number).map(|one| run.cast.user(&format!("user-{one}")).0).collect();
        let users: ListIndex = run.cast.intern_list(List::Users(users)).0;
        run.calls(Request::Query { users: Some(users) }, outcome)
    };
    asks(QUERY_MAX, Outcome::Report { report: None }).reaches(QueryAtMost);
    asks(QUERY_MAX, failed(Code::NoLink)).misses(QueryAtMost);
    asks(QUERY_MAX - 1, Outcome::Report { report: None }).misses(QueryAtMost);
    asks(QUERY_MAX + 1, failed(Code::InvalidArgument)).reaches(QueryTooLong);
    asks(QUERY_MAX, failed(Code::InvalidArgument)).misses(QueryTooLong);
}

/// API-2
#[test]
fn the_longest_list() {
    let two = || run(limits(|limits| limits.conversations_max = Some(2))).asks(PHONE, ALICE);
    let lines = [(CAROL, 2, 1), (BOB, 1, 1)];
    let talks = |run: Run, peers: &[usize]| peers.iter().fold(run, |run, &peer| run.sends(peer, 1, 1, &[]));
    talks(two(), &[BOB, CAROL]).brings(&lines).reaches(ListAtMost);
    talks(two(), &[BOB]).brings(&lines[1..]).misses(ListAtMost);
    talks(two(), &[ALICE, BOB, CAROL]).brings(&lines).misses(ListAtMost);
    talks(two(), &[ALICE, BOB, CAROL]).brings(&lines).reaches(ListCut);
    talks(two(), &[BOB, CAROL]).brings(&lines).misses(ListCut);
}

/// API-2
#[test]
fn the_longest_preview() {
    let shows = |length| usual().asks(PHONE, ALICE).sends(BOB, 1, length, &[]).brings(&[(BOB, 1, PREVIEW_MAX)]);
    shows(PREVIEW_MAX).reaches(PreviewWhole);
    shows(PREVIEW_MAX + 1).misses(PreviewWhole);
    shows(PREVIEW_MAX + 1).reaches(PreviewCut);
    shows(PREVIEW_MAX).misses(PreviewCut);
    shows(PREVIEW_MAX + 2).misses(PreviewCut);
}

/// API-6
#[test]
fn messages_remembered_of_a_user() {
    let two = || run(limits(|limits| limits.sent_max = Some(2))).asks(PHONE, ALICE);
    let again = |run: Run, id, message| {
        let (to, text) = (user(BOB), TextIndex::new(0));
        run.hears(PHONE, ClientFrame::Send { call: 5, to, text, id })
            .says(PHONE, ServerFrame::SendAnswer { call: 5, message, refused: None })
    };
    let full = || two().sends(BOB, 1, 1, &[]).sends(BOB, 2, 1, &[]);
    again(full(), 1, 1).reaches(OldestFound);
    again(full(), 2, 2).misses(OldestFound);
    again(full(), 1, 3).misses(OldestFound);
    again(two().sends(BOB, 1, 1, &[]), 1, 1).misses(OldestFound);
    let forgotten = Fact::SentForgotten { user: user(ALICE), through: 1 };
    full().sends(BOB, 3, 1, &[forgotten]).reaches(OldestForgotten);
    // Its session is over, and its ticket is.
    full().commit(&[forgotten]).misses(OldestForgotten);
}

/// API-7
#[test]
fn messages_owed_to_a_session() {
    let few = || run(limits(|limits| (limits.owed_max, limits.owed_bytes_max) = (Some(2), Some(10))));
    let dropped = Fact::MessagesDropped { user: user(BOB), device: device(PHONE), epoch: 1, through: 1 };
    let received = Fact::MessagesReceived { user: user(BOB), device: device(PHONE), epoch: 1, through: 1 };
    few().owes(1, &[]).owes(1, &[]).reaches(OwedAtMost);
    few().owes(1, &[]).commit(&[received]).owes(1, &[]).misses(OwedAtMost);
    few().owes(1, &[]).owes(10, &[dropped]).misses(OwedAtMost);
    few().owes(1, &[]).owes(1, &[]).owes(1, &[dropped]).reaches(OwedTooMany);
    few().owes(1, &[]).owes(10, &[dropped]).misses(OwedTooMany);
    few().owes(4, &[]).owes(6, &[]).reaches(OwedBytesAtMost);
    few().owes(4, &[]).owes(5, &[]).misses(OwedBytesAtMost);
    // The newest stays, however long it is.
    few().owes(10, &[]).misses(OwedBytesAtMost);
    few().owes(4, &[]).owes(7, &[dropped]).reaches(OwedBytesTooMany);
    few().owes(1, &[]).owes(1, &[]).owes(1, &[dropped]).misses(OwedBytesTooMany);
}

/// API-7
#[test]
fn messages_under_way_to_a_device() {
    let place = |place| ServerFrame::Message {
        message: place,
        from: user(ALICE),
        to: user(BOB),
        text: TextIndex::new(0),
        place,
    };
    let sent =
        |run: Run, places: std::ops::RangeInclusive<u32>| places.fold(run, |run, one| run.says(PHONE, place(one)));
    let most = UNDER_WAY_MAX as u32;
    let has =
        |run: Run, through| run.hears(PHONE, ClientFrame::MessagesReceived { user: user(BOB), epoch: 1, through });
    let owed = |number: u32| (0..number).fold(usual(), |run, _| run.owes(1, &[]));
    sent(usual(), 1..=most).reaches(UnderWayAtMost);
    sent(usual(), 1..=most - 1).misses(UnderWayAtMost);
    sent(has(sent(usual(), 1..=most - 1), 1), most..=most).misses(UnderWayAtMost);
    let waited = |number| sent(has(sent(owed(number), 1..=most), 8), most + 1..=most + 1);
    waited(most + 1).reaches(UnderWayWaited);
    // It was not there yet.
    waited(most).misses(UnderWayWaited);
}

/// CONN-2
#[test]
fn the_longest_delay() {
    let draws = |attempt| usual().on(PHONE, What::BackOff { attempt, delay: Micros::new(64_000_000) });
    draws(11).reaches(BackOffNoLonger);
    draws(10).misses(BackOffNoLonger);
    draws(1).misses(BackOffNoLonger);
}
