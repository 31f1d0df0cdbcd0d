//! The devices' processes: each a program whose driver is polled on the host of its device's site.
//!
//! Frozen is not polled, dead is dropped. What the script has for them comes through `site`; what a program is, `software`
//! says.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::super::network::Network;
use super::place::{DevicePlace, Shared};
use super::software::{Driver, Program, Software};
use crate::scenario::{Call, ListenerEvent};
use crate::trace::log;

/// The processes of all devices, wherever they are. Each is polled on the host of its device's site.
pub(super) type Processes<S> = BTreeMap<usize, Process<<S as Software>::Program>>;

/// A device's process: its program, and the task that polls it.
pub(super) struct Process<P> {
    program: P,
    pub(super) place: DevicePlace,
    shared: Arc<Shared>,
    device: usize,
    slot: Rc<RefCell<Slot>>,
    /// Calls that wait until the device is woken.
    frozen: VecDeque<Call>,
}

/// Where the driver lives: taken out when the process dies, not polled while it is frozen.
#[derive(Default)]
struct Slot {
    driver: Option<Driver>,
    is_frozen: bool,
    waker: Option<Waker>,
}

/// Polls the driver in a slot until it is taken out, or the device is on another network: a driver is polled
/// where its connections are. What it logs meanwhile is the device's.
struct Run {
    shared: Arc<Shared>,
    device: usize,
    network: Network,
    slot: Rc<RefCell<Slot>>,
    name: Arc<str>,
}

impl Future for Run {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let _entered = log::enter(&self.name);
        if *self.shared.network(self.device) != self.network {
            return Poll::Ready(());
        }
        let slot = &mut *self.slot.borrow_mut();
        slot.waker = Some(context.waker().clone());
        match &mut slot.driver {
            None => Poll::Ready(()),
            Some(_) if slot.is_frozen => Poll::Pending,
            Some(driver) => driver.as_mut().poll(context),
        }
    }
}

impl Slot {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<P: Program> Process<P> {
    pub(super) fn start<S: Software<Program = P>>(software: &Rc<S>, shared: &Arc<Shared>, device: usize) -> Self {
        let place = DevicePlace::new(Arc::clone(shared), device);
        let (program, driver) = software.start(shared, device, &place);
        let slot = Rc::new(RefCell::new(Slot { driver: Some(driver), ..Slot::default() }));
        let process = Process { program, place, shared: Arc::clone(shared), device, slot, frozen: VecDeque::new() };
        process.run_here();
        process
    }

    /// A process that has called nothing yet has read nothing either: it goes on from what is on the disk now.
    pub(super) fn read_again(&mut self) {
        if let Some(driver) = self.program.read_again() {
            self.slot.borrow_mut().driver = Some(driver);
            self.slot.borrow_mut().wake();
        }
    }

    /// From now on its driver is polled on the host that runs, which is that of its device's site.
    pub(super) fn run_here(&self) {
        let Process { shared, device, .. } = self;
        let (network, name) = (*shared.network(*device), Arc::from(shared.plan(*device).0.as_str()));
        let (shared, slot) = (Arc::clone(shared), Rc::clone(&self.slot));
        self.slot.borrow_mut().wake();
        tokio::task::spawn_local(Run { shared, device: *device, network, slot, name });
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.slot.borrow().is_frozen
    }

    /// Its driver is not polled any more.
    pub(super) fn freeze(&mut self) {
        self.slot.borrow_mut().is_frozen = true;
    }

    pub(super) fn call(&mut self, call: &Call) {
        if self.is_frozen() {
            self.frozen.push_back(call.clone());
        } else {
            self.program.call(call);
        }
    }

    /// The application makes the call when it is next told this event.
    pub(super) fn arm(&self, event: ListenerEvent, call: Call) {
        self.program.arm(event, call);
    }

    /// What the application says when it has reason to think that the network is well again.
    pub(super) fn look_at_the_link(&self) {
        self.program.woken();
    }

    /// The device goes on: its SDK is told, then come the calls that waited, then what arrived.
    pub(super) fn wake(&mut self) {
        self.slot.borrow_mut().is_frozen = false;
        self.program.woken();
        for call in std::mem::take(&mut self.frozen) {
            self.program.call(&call);
        }
        self.slot.borrow_mut().wake();
    }

    /// Says how many calls waited for it to wake.
    pub(super) fn kill(self) -> usize {
        self.program.dies();
        // Dropped here, on its own host: what it held open is closed as an operating system would.
        let driver = self.slot.borrow_mut().driver.take();
        drop(driver);
        self.slot.borrow_mut().wake();
        self.frozen.len()
    }
}
