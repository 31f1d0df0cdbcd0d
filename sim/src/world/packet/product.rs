//! The product as what runs in this world: its server's driver, its SDKs, its operator.
//!
//! What runs on a device is in `devices`.

use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};

use gatecrash::decide::{ClientDecisions, ServerDecisions};
use gatecrash::driver::server::{Door, ServeError, ServerDriver, ServerHandle, Settings};
use gatecrash::server::Config;
use gatecrash::time::Instant;

use super::super::phases::Phases;
use super::super::tickets;
use super::PORT;
use super::devices::Device;
use super::disk::Store;
use super::place::{DevicePlace, Observer, ServerPlace, Shared};
use super::software::{Driver, Ended, Software};
use crate::scenario::config;
use crate::scenario::{AppChange, Scenario};
use crate::trace::Recorder;

/// The drivers that ship, with whose decisions they are asked.
pub(super) struct Product<S, C> {
    handle: Arc<Mutex<Option<ServerHandle>>>,
    /// The configuration and whether the second key is good, for the server's next start too.
    owner: Arc<Mutex<Owner>>,
    decisions: PhantomData<(S, C)>,
}

#[derive(Clone)]
struct Owner {
    config: Config,
    accepts_old_key: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics with it")
}

impl<S, C> Product<S, C> {
    pub(super) fn new(scenario: &Scenario, recorder: &Recorder) -> Self {
        let owner = Owner { config: config::server(scenario), accepts_old_key: true };
        recorder.configured(Instant::ZERO, &owner.config);
        Product { handle: Arc::default(), owner: Arc::new(Mutex::new(owner)), decisions: PhantomData }
    }
}

impl<S: ServerDecisions, C: ClientDecisions> Software for Product<S, C> {
    type Program = Device<C>;

    fn serve(&self, shared: Arc<Shared>) -> Pin<Box<dyn Future<Output = Ended>>> {
        Box::pin(process::<S>(shared, Arc::clone(&self.handle), Arc::clone(&self.owner)))
    }

    fn start(self: &Rc<Self>, shared: &Arc<Shared>, device: usize, place: &DevicePlace) -> (Device<C>, Driver) {
        Device::start(shared, device, place)
    }

    fn phases(&self, scenario: &Scenario) -> Phases {
        Phases::new(scenario)
    }

    fn stop(&self) -> bool {
        let handle = lock(&self.handle).take();
        handle.inspect(ServerHandle::stop).is_some()
    }

    fn died(&self) {
        lock(&self.handle).take();
    }

    fn configure(&self, at: Instant, recorder: &Recorder, change: &AppChange) {
        let owner = {
            let mut owner = lock(&self.owner);
            let config = &mut owner.config;
            match change {
                AppChange::Policy(_) | AppChange::MaxInstances { .. } => {
                    config.seats = change.seats_after(config.seats).expect("the parser refuses seats out of range");
                }
                AppChange::ReconnectKicks(on) => config.reconnect_kicks = *on,
                AppChange::NotifyOfflineKick(on) => config.notify_offline_kick = *on,
                AppChange::Administrators(users) => config.administrators = users.clone(),
                AppChange::DropOldKey => {
                    owner.accepts_old_key = false;
                    recorder.old_key_dropped(at);
                }
            }
            owner.clone()
        };
        if !matches!(change, AppChange::DropOldKey) {
            recorder.configured(at, &owner.config);
        }
        if let Some(handle) = &*lock(&self.handle) {
            handle.configure(owner.config, tickets::keys(owner.accepts_old_key));
        }
    }

    fn upgrade(&self, version: u32) {
        lock(&self.owner).config.version = version;
    }

    fn clock_changed(&self) {
        if let Some(handle) = &*lock(&self.handle) {
            handle.clock_changed();
        }
    }
}

/// The server's process.
async fn process<S: ServerDecisions>(
    shared: Arc<Shared>,
    handle: Arc<Mutex<Option<ServerHandle>>>,
    owner: Arc<Mutex<Owner>>,
) -> Ended {
    let Owner { config, accepts_old_key } = lock(&owner).clone();
    let listen = format!("0.0.0.0:{PORT}");
    let mut settings = Settings::new(listen.as_str(), config, tickets::keys(accepts_old_key));
    if let Some(tls) = &shared.tls {
        settings.doors = vec![Door::tls(listen, tls.identity.clone())];
    }
    let place = ServerPlace::new(Arc::clone(&shared));
    let store = Store::new(Arc::clone(&shared.disk));
    let observe = Observer::server(&shared);
    let (driver, control) = ServerDriver::<_, _, _, S>::bind(place, store, observe, settings).await?;
    *lock(&handle) = Some(control);
    match driver.run().await {
        // It was stopped while its disk failed, and says so to its operator: a process that ends like any other.
        Ok(()) | Err(ServeError::Store(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
