//! Holds the event world's model of the disk to the database on the simulated one: the same changes, commits,
//! failures, crashes and power losses end in the same records.
//!
//! Where a commit was cut in the middle, the database may have it or not; whichever it is, it is all of it,
//! and the model goes on from there. Everywhere else there is one answer.
//!
//! `SEQUENCES=10000 cargo test --release -p gatecrash-sim --lib agrees` for the full size.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gatecrash::driver::ServerStore;
use gatecrash::id::{Attempt, Change, DeviceId, Epoch, MessageId, SendId, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{Message, Presence};
use gatecrash::store::{Commit, EndReason, Fact, Link, Records, SessionTicket};
use gatecrash::ticket::Signature;
use gatecrash::time::WallTime;
use turmoil::Sim;

use super::disk::{Disk, SECTOR, Store};
use super::interceptor::Nobody;
use crate::generate::draw::Draw;
use crate::scenario::{CommitPoint, Fault, Scenario, Span};
use crate::trace::{Cast, Effect, Recorder, What};
use crate::world::event::disk::{Disk as Model, Landing};

/// How many sequences `cargo test` runs, and how many steps each has.
const SEQUENCES: u64 = 500;
const STEPS: u64 = 24;

const HOST: &str = "server";

/// What the test and the server's process tell each other.
#[derive(Default)]
struct Exchange {
    asked: VecDeque<Vec<Commit>>,
    answered: Option<io::Result<()>>,
    /// What the store held when it was last opened.
    opened: Option<Records>,
}

type Shared = Arc<Mutex<Exchange>>;

fn lock(exchange: &Shared) -> MutexGuard<'_, Exchange> {
    exchange.lock().expect("nobody panics while holding it")
}

/// The server's process: opens its store as often as it takes, then commits what it is asked to.
async fn process(disk: Arc<Disk>, exchange: Shared) -> turmoil::Result {
    let mut store = Store::new(Arc::clone(&disk));
    'open: loop {
        let records = loop {
            match store.open().await {
                Ok(records) => break records,
                Err(error) if error.may_pass() => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => return Err(error.into()),
            }
        };
        lock(&exchange).opened = Some(records);
        loop {
            let next = lock(&exchange).asked.pop_front();
            let Some(batch) = next else {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            };
            let result = store.commit(batch).await;
            let has_failed = result.is_err();
            if !has_failed {
                disk.answered();
            }
            lock(&exchange).answered = Some(result);
            if has_failed {
                continue 'open;
            }
        }
    }
}

/// The database on its disk, from outside.
struct Machine<'a> {
    sim: Sim<'a>,
    disk: Arc<Disk>,
    exchange: Shared,
    usual: Span,
}

impl Machine<'_> {
    fn new(scenario: &Scenario, recorder: &Recorder) -> Self {
        let mut builder = turmoil::Builder::new();
        builder.fs().block_size(SECTOR);
        let mut sim = builder
            .simulation_duration(Duration::MAX)
            .tick_duration(Duration::from_millis(1))
            .rng_seed(scenario.seed)
            .build();
        let disk = Arc::new(Disk::new(scenario, recorder, Arc::new(Nobody)));
        let exchange = Shared::default();
        sim.host(HOST, {
            let (disk, exchange) = (Arc::clone(&disk), Arc::clone(&exchange));
            move || process(Arc::clone(&disk), Arc::clone(&exchange))
        });
        Machine { sim, disk, exchange, usual: scenario.app.commit_latency }
    }

    fn fault(&self, fault: &Fault) {
        self.disk.fault(fault, self.usual);
    }

    /// Goes on until the store is open. What it holds.
    fn opened(&mut self) -> Records {
        for _ in 0..10_000 {
            if let Some(records) = lock(&self.exchange).opened.take() {
                return records;
            }
            self.sim.step().expect("the store opens");
        }
        panic!("the store never opens");
    }

    /// Commits. None when the power was lost meanwhile.
    fn commit(&mut self, batch: Vec<Commit>) -> Option<io::Result<()>> {
        lock(&self.exchange).asked.push_back(batch);
        for _ in 0..10_000 {
            self.sim.step().expect("a commit ends");
            if self.disk.has_lost_power() {
                return None;
            }
            if let Some(result) = lock(&self.exchange).answered.take() {
                return Some(result);
            }
        }
        panic!("a commit never ends");
    }

    fn crash(&mut self, loses_power: bool) {
        self.disk.cut(loses_power);
        self.sim.crash(HOST);
        *lock(&self.exchange) = Exchange::default();
        self.sim.bounce(HOST);
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        // The database must not look for its file when the simulation is gone.
        self.disk.cut(true);
    }
}

/// Some facts that may be true after `records`.
fn drawn(draw: &mut Draw, records: &Records) -> Vec<Fact> {
    let user: UserId = ["alice", "bob", "carol"][draw.below(3) as usize].parse().expect("a user id");
    let device = DeviceId::from_bytes([1 + draw.below(4) as u8; 16]);
    let mut facts = Vec::new();
    let Some(account) = records.users.get(&user) else {
        return vec![Fact::AccountCreated { user }];
    };
    let kept = records.devices.get(&device);
    let session = account.sessions.get(&device);
    let ticket =
        SessionTicket { issued_at: draw.below(90), last_second: 90 + draw.below(9), signature: Signature([7; 32]) };
    match (draw.below(10), session) {
        (0, _) => {
            let day = 19_000 + draw.below(3) as u32;
            if !account.days.contains(&day) {
                facts.push(Fact::DayCounted { user, day, users: records.daily_active_users(day) + 1 });
            }
        }
        (1, _) => {
            let text = "x".repeat(draw.log_between(1, 6_000) as usize);
            let id = MessageId(records.last_message.0 + 1 + draw.below(2));
            let message = Message { id, from: user, to: user, text };
            let epoch = session.map_or(Epoch(1), |session| session.epoch);
            let name = SendId::from_bytes(u128::from(id.0).to_be_bytes());
            facts.push(Fact::MessageStored { message, id: name, epoch, last_second: 60 });
        }
        (2, _) => facts.push(Fact::TicketsVoided { user, until: draw.below(100) }),
        (3, _) => facts.push(Fact::TicketVoided { user, signature: Signature([9; 32]), last_second: 200 }),
        (4, Some(session)) => {
            let by = Some(device.public_name());
            facts.push(Fact::SessionEnded { user, device, epoch: session.epoch, reason: EndReason::SamePlatform, by });
        }
        (5, Some(session)) => {
            facts.push(Fact::SessionEnded { user, device, epoch: session.epoch, reason: EndReason::Logout, by: None });
        }
        (6, Some(session)) => facts.push(Fact::SessionRenewed { user, device, epoch: session.epoch, ticket }),
        (7, Some(session)) => facts.push(match session.link {
            Link::Connected => {
                Fact::LinkLost { user, device, epoch: session.epoch, at: WallTime::from_seconds(draw.below(100)) }
            }
            Link::Lost { .. } => Fact::SessionResumed { user, device, epoch: session.epoch, ticket },
        }),
        (_, Some(session)) if !session.acknowledged => {
            facts.push(Fact::LoginAcknowledged { user, device, epoch: session.epoch });
        }
        _ => {
            if let Some(ended) = kept.and_then(|record| record.ended.as_ref()).filter(|ended| ended.owed) {
                facts.push(Fact::KickSettled { user: ended.user, device, epoch: ended.epoch });
            } else if let Some(record) = kept.filter(|record| record.user.is_none() && draw.chance(1, 4)) {
                facts.push(Fact::DeviceForgotten { user: record.keeper, device });
            } else if let Some(record) = kept.filter(|_| draw.chance(1, 3)) {
                let attempt = Attempt { start: record.attempt.start, count: record.attempt.count + 1 };
                facts.push(Fact::AttemptRaised { user: record.keeper, device, attempt });
            } else {
                if let Some(holder) = kept.and_then(|record| record.user) {
                    let epoch = records.users[&holder].sessions[&device].epoch;
                    let reason = EndReason::OtherUser;
                    facts.push(Fact::SessionEnded { user: holder, device, epoch, reason, by: None });
                }
                let attempt = Attempt { start: 1 + records.change.0 as u32, count: 1 };
                facts.push(Fact::SessionAccepted {
                    user,
                    device,
                    platform: Platform::Android,
                    epoch: Epoch(account.last_epoch.max(records.epoch_floor()).0 + 1),
                    attempt,
                    ticket,
                    keeper_before: kept.map(|record| record.keeper).filter(|&keeper| keeper != user),
                });
            }
        }
    }
    if !facts.is_empty() {
        let number = account.presence_number + 1;
        facts.push(Fact::PresenceChanged { user, number, presence: Presence::Online, kicked: Vec::new() });
    }
    facts
}

/// A few commits on top of `records`, and what they make of them.
fn batch(draw: &mut Draw, records: &Records) -> (Vec<Commit>, Records) {
    let (mut batch, mut after) = (Vec::new(), records.clone());
    for _ in 0..draw.between(1, 4) {
        let facts = drawn(draw, &after);
        if !facts.is_empty() {
            let commit = Commit { number: Change(after.change.0 + 1), facts };
            after.apply(&commit);
            batch.push(commit);
        }
    }
    (batch, after)
}

/// What the sequences reached.
#[derive(Debug, Default)]
struct Reached {
    commits: u64,
    power_losses: u64,
    cut_and_lost: u64,
    cut_and_there: u64,
    failed: u64,
    failed_and_there: u64,
    repaired: u64,
    torn: u64,
}

fn sequence(seed: u64, reached: &mut Reached) {
    let text = format!(
        "title = \"A disk\"\nrules = [\"DUR-1\"]\nseed = {seed}\n[app]\ncommit_latency = \"1ms..4ms\"\n\
         [devices]\nphone = {{ platform = \"ios\", site = \"home\" }}\n[script]\nuntil = \"1s\"\n"
    );
    let scenario = Scenario::parse("disk.toml", &text).expect("well written");
    let recorder = Recorder::new(Cast::of(&scenario));
    let mut machine = Machine::new(&scenario, &recorder);
    let mut model = Model::new(seed);
    let mut draw = Draw::new(seed, "test", "sequence");
    let mut records = model.open().expect("it refuses nothing");
    assert_eq!(machine.opened(), records);
    for _ in 0..STEPS {
        let fault = match draw.below(12) {
            0 => Some(Fault::PowerLossAt { point: *draw.pick(CommitPoint::ALL) }),
            1 | 2 => Some(Fault::PowerLossInDisk { operation: draw.between(1, 24) as u32 }),
            3 => Some(Fault::DiskError { operation: draw.between(1, 24) as u32 }),
            4 => Some(Fault::DiskFull { operation: draw.between(1, 4) as u32 }),
            5 => {
                let loses_power = draw.chance(1, 2);
                machine.crash(loses_power);
                reached.power_losses += u64::from(loses_power);
                records = model.open().expect("it refuses nothing");
                assert_eq!(machine.opened(), records, "seed {seed}: a crash at rest loses nothing");
                continue;
            }
            _ => None,
        };
        let (batch, after) = batch(&mut draw, &records);
        if batch.is_empty() {
            continue;
        }
        if let Some(fault) = &fault {
            machine.fault(fault);
        }
        // The model says what is sure; where it is not, it is told.
        if let Some(Fault::PowerLossAt { point }) = fault {
            model.fail_power_at(point);
        }
        let answered = machine.commit(batch.clone());
        let is_sure =
            !matches!(fault, Some(Fault::PowerLossInDisk { .. } | Fault::DiskError { .. } | Fault::DiskFull { .. }));
        if is_sure {
            let landing = model.land(&batch);
            let fails_after = model.fails_after_answers();
            assert_eq!(answered.is_none(), landing == Landing::PowerLost || fails_after, "seed {seed}: {fault:?}");
            assert!(!matches!(answered, Some(Err(_))), "seed {seed}: nothing refuses");
            model.power_failed();
        }
        reached.commits += 1;
        let found = match &answered {
            None => {
                machine.crash(true);
                reached.power_losses += 1;
                Some(machine.opened())
            }
            Some(Err(_)) => {
                machine.fault(&Fault::MendDisk);
                reached.failed += 1;
                Some(machine.opened())
            }
            Some(Ok(())) => None,
        };
        machine.disk.keep_power();
        machine.fault(&Fault::MendDisk);
        if !is_sure {
            // Half of it is never there.
            let is_there = match &found {
                Some(found) => found.change == after.change,
                None => true,
            };
            if is_there {
                assert_eq!(model.land(&batch), Landing::Done);
            }
            match (&answered, is_there) {
                (None, true) => reached.cut_and_there += 1,
                (None, false) => reached.cut_and_lost += 1,
                (Some(Err(_)), true) => reached.failed_and_there += 1,
                (Some(_), _) => {}
            }
        }
        match found {
            Some(found) => {
                records = model.open().expect("it refuses nothing");
                // A start whose counting failed may have been counted all the same.
                records.starts = found.starts.max(records.starts);
                model.set_starts(records.starts);
                assert_eq!(found, records, "seed {seed}: {fault:?}");
            }
            None => records = after,
        }
    }
    let trace = recorder.finish();
    let seen = |effect| trace.events.iter().filter(|event| event.what == What::Effect { effect }).count() as u64;
    reached.repaired += seen(Effect::DatabaseRepaired);
    reached.torn += seen(Effect::WriteTorn);
}

/// DUR-1, DUR-2, DUR-3, DUR-5.
#[test]
fn the_model_of_the_disk_agrees_with_the_database() {
    #[expect(clippy::disallowed_methods, reason = "how long to look is up to whoever runs it")]
    let sequences = std::env::var("SEQUENCES").map_or(SEQUENCES, |number| number.parse().expect("a number"));
    let mut reached = Reached::default();
    for seed in 0..sequences {
        sequence(seed, &mut reached);
    }
    let Reached { commits, power_losses, cut_and_lost, cut_and_there, failed, failed_and_there, repaired, torn } =
        reached;
    println!("{reached:?}");
    let all = [commits, power_losses, cut_and_lost, cut_and_there, failed, failed_and_there, repaired, torn];
    assert!(all.iter().all(|&times| times > 0), "each was reached: {reached:?}");
}
