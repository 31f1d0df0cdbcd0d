//! The devices' processes: each an SDK whose driver is polled on the host of its device's site, and an application.
//!
//! What the script has for them comes through `site`.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use gatecrash::code::Code;
use gatecrash::decide::ClientDecisions;
use gatecrash::driver::client::{Listener, Pending, Sdk, SdkDriver, Setup};
use gatecrash::id::{MessageId, SendId};
use gatecrash::protocol::{Kick, Message};
use gatecrash::ticket::Ticket;

use super::super::network::Network;
use super::super::outgoing;
use super::place::{DevicePlace, DeviceStore, Observer, Shared};
use super::{PORT, SERVER};
use crate::scenario::config;
use crate::scenario::{Call, ListenerEvent, TicketChoice};
use crate::trace::log;
use crate::world::{text, tickets};

/// The processes of all devices, wherever they are. Each is polled on the host of its device's site.
pub(super) type Processes<C> = BTreeMap<usize, Process<C>>;

/// A device's process: its SDK, and the task that polls it.
pub(super) struct Process<C: ClientDecisions> {
    sdk: Sdk,
    pub(super) place: DevicePlace,
    slot: Rc<RefCell<Slot>>,
    application: Arc<Application>,
    /// Calls that wait until the device is woken.
    frozen: VecDeque<Call>,
    decisions: std::marker::PhantomData<C>,
}

/// What an SDK's driver does.
type Driver = Pin<Box<dyn Future<Output = ()>>>;

/// Where the SDK's driver lives: taken out when the process dies, not polled while it is frozen.
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

/// The application on a device: it makes the script's calls, and those it was told to make inside a
/// listener.
struct Application {
    shared: Arc<Shared>,
    device: usize,
    has_called: AtomicBool,
    armed: Mutex<VecDeque<(ListenerEvent, Call)>>,
    last_ticket: Mutex<Option<Ticket>>,
    /// Messages whose call had no result when it was last looked.
    sending: Mutex<Vec<(Pending<MessageId>, SendId)>>,
    sdk: Mutex<Option<Sdk>>,
}

impl Application {
    /// Makes the call. Its result is in the trace, so nobody waits for it here.
    fn make(&self, call: &Call) {
        self.has_called.store(true, Ordering::Relaxed);
        let Some(sdk) = self.sdk.lock().expect("nobody panics with it").clone() else { return };
        let (_, plan) = self.shared.plan(self.device);
        match call {
            Call::Init => {
                let limits = config::client_limits(&self.shared.scenario.limits, plan.platform);
                drop(sdk.init(Setup { platform: plan.platform, limits }));
            }
            Call::Uninit => drop(sdk.uninit()),
            Call::Login { user, ticket } => {
                let ticket = self.ticket(user, ticket);
                *self.last_ticket.lock().expect("nobody panics with it") = Some(ticket.clone());
                drop(sdk.login(user.clone(), ticket));
            }
            Call::Logout => drop(sdk.logout()),
            Call::Send { to, text: plan, id } => {
                self.settle();
                let own = |_: &Self| self.shared.outgoing(self.device).send(self.device, sdk.login_user(), to, plan);
                let id = id.map_or_else(|| own(self), outgoing::named);
                let pending = sdk.send_message_as(id, to.clone(), text(plan));
                self.sending.lock().expect("nobody panics with it").push((pending, id));
            }
            Call::Conversations => drop(sdk.conversations()),
            Call::Kick { user } => drop(sdk.admin_kick(user.clone())),
            Call::Query { users } => drop(sdk.query_online_status(users.clone())),
            Call::NetworkChanged => sdk.network_changed(),
        }
    }

    /// Notes which messages are known to have arrived by now.
    fn settle(&self) {
        let context = &mut Context::from_waker(Waker::noop());
        let mut outgoing = self.shared.outgoing(self.device);
        self.sending.lock().expect("nobody panics with it").retain_mut(|(pending, id)| {
            let result = Pin::new(pending).poll(context);
            if let Poll::Ready(result) = &result {
                outgoing.answered(*id, result.is_ok());
            }
            result.is_pending()
        });
    }

    fn ticket(&self, user: &str, choice: &TicketChoice) -> Ticket {
        let now = self.shared.now();
        let second = self.shared.server_wall(now).seconds();
        let last = self.last_ticket.lock().expect("nobody panics with it").clone();
        tickets::for_login(&self.shared.scenario, &self.shared.recorder, now, second, user, choice, last)
    }

    /// EVENT-2: the call that was armed for this event is made inside the listener.
    fn heard(&self, event: ListenerEvent) {
        let armed = {
            let mut armed = self.armed.lock().expect("nobody panics with it");
            let position = armed.iter().position(|(armed, _)| *armed == event);
            position.and_then(|position| armed.remove(position))
        };
        if let Some((_, call)) = armed {
            self.make(&call);
        }
    }
}

/// The listener an application sets: it holds the application only as long as that lives.
struct Ears(Weak<Application>);

impl Ears {
    fn heard(&self, event: ListenerEvent) {
        if let Some(application) = self.0.upgrade() {
            application.heard(event);
        }
    }
}

impl Listener for Ears {
    fn connecting(&self) {
        self.heard(ListenerEvent::Connecting);
    }

    fn connect_success(&self) {
        self.heard(ListenerEvent::ConnectSuccess);
    }

    fn connect_failed(&self, _: Code) {
        self.heard(ListenerEvent::ConnectFailed);
    }

    fn kicked_offline(&self, _: &Kick) {
        self.heard(ListenerEvent::KickedOffline);
    }

    fn user_sig_expired(&self) {
        self.heard(ListenerEvent::UserSigExpired);
    }

    fn message(&self, _: &Message) {
        self.heard(ListenerEvent::Message);
    }

    fn messages_dropped(&self, _: u64) {
        self.heard(ListenerEvent::MessagesDropped);
    }
}

/// An SDK that has read its device's disk, and what is to be polled for it.
fn make_sdk<C: ClientDecisions>(shared: &Arc<Shared>, device: usize, place: &DevicePlace) -> (Sdk, Driver) {
    let (disk, observer) = (DeviceStore::new(Arc::clone(shared), device), Observer::device(shared, device));
    let (sdk, driver) = SdkDriver::<_, _, _, C>::new(place.clone(), disk, observer, format!("{SERVER}:{PORT}"));
    (sdk, Box::pin(driver.run()))
}

impl<C: ClientDecisions> Process<C> {
    pub(super) fn start(shared: &Arc<Shared>, device: usize) -> Self {
        let place = DevicePlace::new(Arc::clone(shared), device);
        let (sdk, driver) = make_sdk::<C>(shared, device, &place);
        let slot = Rc::new(RefCell::new(Slot { driver: Some(driver), ..Slot::default() }));
        let application = Arc::new(Application {
            shared: Arc::clone(shared),
            device,
            has_called: AtomicBool::new(false),
            armed: Mutex::default(),
            last_ticket: Mutex::default(),
            sending: Mutex::default(),
            sdk: Mutex::new(Some(sdk.clone())),
        });
        sdk.set_listener(Arc::new(Ears(Arc::downgrade(&application))));
        let process =
            Process { sdk, place, slot, application, frozen: VecDeque::new(), decisions: std::marker::PhantomData };
        process.run_here();
        process
    }

    /// A process that has called nothing yet has read nothing either: it goes on from what is on the disk now.
    pub(super) fn read_again(&mut self) {
        let application = &self.application;
        if application.has_called.load(Ordering::Relaxed) {
            return;
        }
        let (sdk, driver) = make_sdk::<C>(&application.shared, application.device, &self.place);
        sdk.set_listener(Arc::new(Ears(Arc::downgrade(application))));
        *application.sdk.lock().expect("nobody panics with it") = Some(sdk.clone());
        self.sdk = sdk;
        self.slot.borrow_mut().driver = Some(driver);
        self.slot.borrow_mut().wake();
    }

    /// From now on its driver is polled on the host that runs, which is that of its device's site.
    pub(super) fn run_here(&self) {
        let Application { shared, device, .. } = &*self.application;
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
            self.application.make(call);
        }
    }

    /// The application makes the call when it is next told this event.
    pub(super) fn arm(&self, event: ListenerEvent, call: Call) {
        self.application.armed.lock().expect("nobody panics with it").push_back((event, call));
    }

    /// What the application says when it has reason to think that the network is well again.
    pub(super) fn look_at_the_link(&self) {
        self.sdk.woken();
    }

    /// The device goes on: its SDK is told, then come the calls that waited, then what arrived.
    pub(super) fn wake(&mut self) {
        self.slot.borrow_mut().is_frozen = false;
        self.sdk.woken();
        for call in std::mem::take(&mut self.frozen) {
            self.application.make(&call);
        }
        self.slot.borrow_mut().wake();
    }

    /// Says how many calls waited for it to wake.
    pub(super) fn kill(self) -> usize {
        self.application.settle();
        self.application.shared.outgoing(self.application.device).process_died();
        // Dropped here, on its own host: what it held open is closed as an operating system would.
        let driver = self.slot.borrow_mut().driver.take();
        drop(driver);
        self.slot.borrow_mut().wake();
        self.frozen.len()
    }
}
