//! What runs on the devices: the SDK that ships, and an application.
//!
//! What the script has for them comes through `process`.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use gatecrash::code::Code;
use gatecrash::decide::ClientDecisions;
use gatecrash::driver::client::{Listener, Pending, Sdk, SdkDriver, Setup};
use gatecrash::id::{MessageId, SendId};
use gatecrash::protocol::{Kick, Message};
use gatecrash::ticket::Ticket;

use super::super::outgoing;
use super::place::{DevicePlace, DeviceStore, Observer, Shared};
use super::software::{Driver, Program};
use super::{PORT, SERVER};
use crate::scenario::config;
use crate::scenario::{Call, ListenerEvent, TicketChoice};
use crate::world::{text, tickets};

/// An SDK and its application.
pub(super) struct Device<C> {
    sdk: Sdk,
    place: DevicePlace,
    application: Arc<Application>,
    decisions: std::marker::PhantomData<C>,
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
    let (place, server) = (place.clone(), format!("{SERVER}:{PORT}"));
    match &shared.tls {
        None => {
            let (sdk, driver) = SdkDriver::<_, _, _, C>::new(place, disk, observer, server);
            (sdk, Box::pin(driver.run()))
        }
        Some(tls) => {
            let guarded = tls.trust.guards(place, &server).expect("the server's host has a name");
            let (sdk, driver) = SdkDriver::<_, _, _, C>::new(guarded, disk, observer, server);
            (sdk, Box::pin(driver.run()))
        }
    }
}

impl<C: ClientDecisions> Device<C> {
    /// It, and what is to be polled for it.
    pub(super) fn start(shared: &Arc<Shared>, device: usize, place: &DevicePlace) -> (Self, Driver) {
        let (sdk, driver) = make_sdk::<C>(shared, device, place);
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
        (Device { sdk, place: place.clone(), application, decisions: std::marker::PhantomData }, driver)
    }
}

impl<C: ClientDecisions> Program for Device<C> {
    fn call(&self, call: &Call) {
        self.application.make(call);
    }

    fn arm(&self, event: ListenerEvent, call: Call) {
        self.application.armed.lock().expect("nobody panics with it").push_back((event, call));
    }

    fn woken(&self) {
        self.sdk.woken();
    }

    fn read_again(&mut self) -> Option<Driver> {
        let application = &self.application;
        if application.has_called.load(Ordering::Relaxed) {
            return None;
        }
        let (sdk, driver) = make_sdk::<C>(&application.shared, application.device, &self.place);
        sdk.set_listener(Arc::new(Ears(Arc::downgrade(application))));
        *application.sdk.lock().expect("nobody panics with it") = Some(sdk.clone());
        self.sdk = sdk;
        Some(driver)
    }

    fn dies(&self) {
        self.application.settle();
        self.application.shared.outgoing(self.application.device).process_died();
    }
}
