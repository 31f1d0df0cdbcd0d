//! A system under test as what runs in the packet world: its processes, and the application that calls its SDK.
//!
//! A device's tasks are in a set of their own: to freeze the device is not to poll the set, to kill it is to drop it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use gatecrash::policy::Seats;
use gatecrash::time::Instant;
use tokio::task::LocalSet;

use super::answer::{Events, Life, Reply};
use super::place::{DevicePlace, Disk, ServerPlace};
use super::record::{Record, Request, What};
use super::said::Outcome;
use super::system::{Device, System, Ticket};
use crate::scenario::{AppChange, Call, ListenerEvent, Scenario};
use crate::trace::Recorder;
use crate::world::packet::{self, Driver, Ended, Program, Shared, Software};
use crate::world::{Phases, text, tickets};

/// A system, and what of it outlives its processes.
pub(super) struct Foreign<M> {
    system: M,
    record: Record,
    seats: Seats,
    settles_within: Duration,
    server_disk: Disk,
    disks: RefCell<BTreeMap<usize, Disk>>,
    /// How many messages each device has sent.
    sent: RefCell<BTreeMap<usize, u32>>,
}

impl<M: System> Foreign<M> {
    pub(super) fn new(system: &M, record: Record) -> Self {
        Foreign {
            system: system.clone(),
            record,
            seats: system.seats(),
            settles_within: system.settles_within(),
            server_disk: Disk::default(),
            disks: RefCell::default(),
            sent: RefCell::default(),
        }
    }

    fn disk(&self, device: usize) -> Disk {
        self.disks.borrow_mut().entry(device).or_default().clone()
    }
}

impl<M: System> Software for Foreign<M> {
    type Program = Application<M>;

    fn serve(&self, shared: Arc<Shared>) -> Pin<Box<dyn Future<Output = Ended>>> {
        let (disk, seats) = (self.server_disk.clone(), self.seats);
        let place = ServerPlace { inner: packet::ServerPlace::new(shared), disk, seats };
        let tasks = LocalSet::new();
        let served = self.system.clone().serve(place);
        Box::pin(async move {
            tasks.run_until(served).await?;
            Err("the server's future ended by itself: it has to serve until it is dropped".into())
        })
    }

    fn start(
        self: &Rc<Self>,
        shared: &Arc<Shared>,
        device: usize,
        place: &packet::DevicePlace,
    ) -> (Application<M>, Driver) {
        let (name, plan) = shared.plan(device);
        let actor: Arc<str> = Arc::from(name.as_str());
        let (record, life) = (self.record.clone(), Arc::<Life>::default());
        let events = Events { record: record.clone(), actor: Arc::clone(&actor), life: Arc::clone(&life) };
        let (inner, platform, disk) = (place.clone(), plan.platform, self.disk(device));
        let place = DevicePlace { inner, name: Arc::clone(&actor), platform, disk };
        let tasks = Rc::new(LocalSet::new());
        // A process begins by making its SDK. Its number is no other call's.
        let (init, kind) = (Request::Init { platform: platform.word() }, "init");
        record.push(Some(&actor), What::Called { call: 0, request: init });
        let outcome = Outcome::Ok.into();
        record.push(Some(&actor), What::Answered { call: 0, kind, user: None, outcome });
        let sdk = {
            let _entered = tasks.enter();
            Rc::new(self.system.start(place, events))
        };
        let last_ticket = RefCell::default();
        let (foreign, shared) = (Rc::clone(self), Arc::clone(shared));
        let inner = Inner { foreign, shared, device, actor, sdk, tasks, life, last_ticket };
        let inner = Rc::new(inner);
        inner.look();
        (Application(Rc::clone(&inner)), Box::pin(Drive::of(inner)))
    }

    fn phases(&self, _: &Scenario) -> Phases {
        Phases::that_wait(self.settles_within)
    }

    fn stop(&self) -> bool {
        false
    }

    fn died(&self) {}

    fn configure(&self, _: Instant, _: &Recorder, _: &AppChange) {
        unreachable!("a vocabulary refuses changes of the app");
    }

    fn upgrade(&self, _: u32) {
        unreachable!("a vocabulary refuses upgrades");
    }

    fn clock_changed(&self) {}

    fn wiped(&self, device: usize) {
        self.disk(device).copy(&Disk::default());
    }

    fn copied(&self, from: usize, onto: usize) {
        self.disk(onto).copy(&self.disk(from));
    }
}

/// The application in a device's process, and its SDK.
pub(super) struct Application<M: System>(Rc<Inner<M>>);

struct Inner<M: System> {
    foreign: Rc<Foreign<M>>,
    shared: Arc<Shared>,
    device: usize,
    actor: Arc<str>,
    sdk: Rc<M::Device>,
    tasks: Rc<LocalSet>,
    life: Arc<Life>,
    last_ticket: RefCell<Option<Ticket>>,
}

impl<M: System> Inner<M> {
    /// Writes down who is logged in, if that is another than before.
    fn look(&self) {
        let status = self.sdk.status();
        if self.life.is_new(&status) {
            self.foreign.record.push(Some(&self.actor), status.into());
        }
    }

    fn make(&self, call: &Call) {
        let _entered = self.tasks.enter();
        match call {
            Call::NetworkChanged => self.sdk.network_changed(),
            Call::Login { user, ticket } => {
                let ticket = self.ticket(user, ticket);
                let platform = self.shared.plan(self.device).1.platform.word();
                let reply = self.called(Request::Login { user: user.clone(), platform }, Some(user.clone()));
                self.sdk.login(user, &ticket, reply);
            }
            Call::Logout => self.sdk.logout(self.called(Request::Logout, self.life.user())),
            Call::Send { to, text: plan, id } => {
                let id = id.map_or_else(|| self.next_id(), |id| format!("again-{id}"));
                let request = Request::Send { to: to.clone(), text: text(plan), id: id.clone() };
                let reply = self.called(request, self.life.user());
                self.sdk.send(to, &text(plan), &id, reply);
            }
            Call::Conversations => self.sdk.conversations(self.called(Request::Conversations, self.life.user())),
            // The world has an SDK initialised when its process starts. It is there already.
            Call::Init => {}
            Call::Uninit | Call::Kick { .. } | Call::Query { .. } => {
                unreachable!("a vocabulary refuses `{call}`")
            }
        }
        self.look();
    }

    /// The call is made, and is to have a result.
    fn called(&self, request: Request, user: Option<String>) -> Reply {
        let (record, actor, life) = (self.foreign.record.clone(), Arc::clone(&self.actor), Arc::clone(&self.life));
        let (call, kind) = (record.next_call(), request.kind());
        record.push(Some(&actor), What::Called { call, request });
        Reply { record, actor, call, kind, user, life }
    }

    /// What is spawned outside the device's set of tasks is neither suspended nor killed with it.
    fn look_for_strays(&self) {
        if tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
            let (system, device) = (self.foreign.system.name(), &self.actor);
            self.foreign.record.misused(format!(
                "{system} has called tokio::spawn on {device}, and such a task would outlive the device's process: \
                 call tokio::task::spawn_local"
            ));
        }
    }

    fn next_id(&self) -> String {
        let mut sent = self.foreign.sent.borrow_mut();
        let number = sent.entry(self.device).or_default();
        *number += 1;
        format!("{}-{number}", self.actor)
    }

    fn ticket(&self, user: &str, choice: &crate::scenario::TicketChoice) -> Ticket {
        let second = self.shared.server_wall(self.shared.now()).seconds();
        let scenario = self.shared.scenario();
        let last = self.last_ticket.borrow().clone();
        let ticket = tickets::plan(scenario, second, user, choice).map(|(_, plan)| {
            let issued = tickets::issued_at(&scenario.app, &plan);
            let text = tickets::planned(&scenario.app, &plan).as_str().to_owned();
            Ticket { text, user: plan.user.to_string(), issued, expires: issued + plan.ttl.as_secs() }
        });
        let nothing = || Ticket { text: String::new(), user: user.to_owned(), issued: second, expires: second };
        let ticket = ticket.or(last).unwrap_or_else(nothing);
        *self.last_ticket.borrow_mut() = Some(ticket.clone());
        ticket
    }
}

impl<M: System> Program for Application<M> {
    fn call(&self, call: &Call) {
        self.0.make(call);
    }

    fn arm(&self, event: ListenerEvent, call: Call) {
        self.0.life.arm(event, call);
    }

    fn woken(&self) {
        let _entered = self.0.tasks.enter();
        self.0.sdk.woken();
    }

    fn read_again(&mut self) -> Option<Driver> {
        None
    }

    fn dies(&self) {
        self.0.look_for_strays();
        self.0.life.end();
    }
}

/// Polls a device's tasks, makes the calls that are due inside its listener, and looks who is logged in.
struct Drive<M: System> {
    inner: Rc<Inner<M>>,
    tasks: Pin<Box<dyn Future<Output = ()>>>,
}

impl<M: System> Drive<M> {
    fn of(inner: Rc<Inner<M>>) -> Self {
        let tasks = Rc::clone(&inner.tasks);
        let tasks = Box::pin(async move { tasks.run_until(std::future::pending()).await });
        Drive { inner, tasks }
    }
}

impl<M: System> Future for Drive<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let polled = self.tasks.as_mut().poll(context);
        while let Some(call) = self.inner.life.due() {
            self.inner.make(&call);
            context.waker().wake_by_ref();
        }
        self.inner.look();
        self.inner.look_for_strays();
        polled
    }
}
