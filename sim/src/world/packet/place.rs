//! What the packet world gives the drivers: turmoil's network, clocks that are off, devices' disks, and
//! somebody who watches. The server's disk is in `disk`.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gatecrash::client::Write;
use gatecrash::driver::{ClientSeen, DeviceDisk, Observe, OnDisk, ServerSeen, Surroundings};
use gatecrash::time::{Instant, Now, WallTime};
use tokio::sync::Notify;
use turmoil::net::TcpStream;

use super::super::network::{Memory, Network};
use super::super::outgoing::Outgoing;
use super::super::storage::{Landing, Storage, Timing};
use super::super::timers::Timers;
use super::disk::Disk;
use super::interceptor::Interceptor;
use super::listener::Listener;
use super::office::Office;
use super::standstill::Standstill;
use super::stream::{CrashOrder, Cutter, Jitter, Stream};
use super::time::now;
use super::tls::Tls;
use super::window::{Ways, Window, Windows};
use crate::generate::draw::Draw;
use crate::scenario::clock::WallClock;
use crate::scenario::{Device, DeviceName, Offset, Pieces, Scenario, Site, Span};
use crate::trace::{DeviceIndex, Effect, Recorder};

/// What outlives the processes of the world: disks, clocks, links, the trace.
pub(crate) struct Shared {
    pub(super) scenario: Scenario,
    pub(super) recorder: Recorder,
    server_clock: Mutex<WallClock>,
    pub(super) disk: Arc<Disk>,
    /// How much each site's link adds at most to its shortest latency.
    extras: Vec<Mutex<Span>>,
    sites: Vec<Site>,
    portals: Vec<Mutex<bool>>,
    /// Whether what leaves the site is lost, by site.
    outbound_cuts: Vec<AtomicBool>,
    devices: Vec<Lasting>,
    /// Which connection of which device an address at a site is.
    origins: Mutex<BTreeMap<SocketAddr, Origin>>,
    pub(super) crash_order: Arc<CrashOrder>,
    pub(super) office: Arc<Office>,
    pub(super) standstill: Arc<Standstill>,
    /// Who proves what to whom, where anybody does.
    pub(super) tls: Option<Tls>,
    /// Who stands between the drivers and all this.
    pub(super) interceptor: Arc<dyn Interceptor>,
}

/// What of a device outlives its process.
struct Lasting {
    name: DeviceName,
    index: DeviceIndex,
    network: Mutex<Network>,
    clock: Mutex<WallClock>,
    timers: Mutex<Timers>,
    /// Its timers are paced anew.
    repaced: Notify,
    storage: Mutex<Storage>,
    outgoing: Mutex<Outgoing>,
    starts: AtomicU64,
    connections: AtomicU32,
}

#[derive(Clone)]
struct Origin {
    device: usize,
    connection: u32,
    /// Over which of the device's networks it was made.
    network: Network,
    passage: Arc<Mutex<Passage>>,
    /// What is under way, upward and downward, where only so much may be.
    windows: Option<Windows>,
}

/// What the box on the way makes of a connection.
struct Passage {
    memory: Memory,
    /// Whether the end got through, upward and downward, where it was said.
    ends: [Option<bool>; 2],
}

/// The place of a direction in [`Passage::ends`].
const UPWARD: usize = 0;
const DOWNWARD: usize = 1;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while holding it")
}

impl Shared {
    pub(super) fn new(scenario: &Scenario, recorder: &Recorder, interceptor: Arc<dyn Interceptor>) -> Self {
        let start = scenario.app.start;
        let sites: Vec<_> = scenario.sites.keys().collect();
        let lasting = |(name, device): (&DeviceName, &Device)| Lasting {
            name: name.clone(),
            index: recorder.cast(|cast| cast.find_device(name.as_str())).expect("the cast holds every device"),
            network: Mutex::new(Network {
                site: sites.iter().position(|&site| *site == device.site).expect("every device's site exists"),
                number: 0,
            }),
            clock: Mutex::new(WallClock::new(start, device.wall_offset)),
            timers: Mutex::default(),
            repaced: Notify::new(),
            storage: Mutex::default(),
            outgoing: Mutex::default(),
            starts: AtomicU64::new(0),
            connections: AtomicU32::new(0),
        };
        Shared {
            recorder: recorder.clone(),
            server_clock: Mutex::new(WallClock::new(start, Offset(0))),
            disk: Arc::new(Disk::new(scenario, recorder, Arc::clone(&interceptor))),
            extras: sites.iter().map(|_| Mutex::new(Span::exactly(Duration::ZERO))).collect(),
            sites: scenario.sites.values().cloned().collect(),
            portals: sites.iter().map(|_| Mutex::default()).collect(),
            outbound_cuts: sites.iter().map(|_| AtomicBool::default()).collect(),
            devices: scenario.devices.iter().map(lasting).collect(),
            origins: Mutex::default(),
            crash_order: Arc::default(),
            office: Arc::default(),
            standstill: Arc::default(),
            tls: scenario.app.tls.then(|| Tls::new(start)),
            interceptor,
            scenario: scenario.clone(),
        }
    }

    pub(crate) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    pub(crate) fn index(&self, device: usize) -> DeviceIndex {
        self.devices[device].index
    }

    /// The number of the device with this name.
    pub(super) fn find(&self, name: &DeviceName) -> usize {
        self.devices.iter().position(|device| device.name == *name).expect("a step's device exists")
    }

    pub(crate) fn plan(&self, device: usize) -> (&DeviceName, &Device) {
        let name = &self.devices[device].name;
        (name, &self.scenario.devices[name])
    }

    /// What the device's application was not told had arrived.
    pub(super) fn outgoing(&self, device: usize) -> MutexGuard<'_, Outgoing> {
        lock(&self.devices[device].outgoing)
    }

    /// The device's disk.
    pub(super) fn storage(&self, device: usize) -> MutexGuard<'_, Storage> {
        lock(&self.devices[device].storage)
    }

    /// From now on the device's timers are gathered over so long.
    pub(super) fn gather_timers(&self, device: usize, now: Instant, by: Duration) {
        lock(&self.devices[device].timers).gather(now, by);
        self.devices[device].repaced.notify_waiters();
        self.recorder.effect(now, Effect::TimersPaced { device: self.index(device) });
    }

    pub(super) fn are_timers_late(&self, device: usize) -> bool {
        lock(&self.devices[device].timers).are_late()
    }

    /// The network that the device is on.
    pub(super) fn network(&self, device: usize) -> MutexGuard<'_, Network> {
        lock(&self.devices[device].network)
    }

    /// Whose connection comes from this address of a site.
    pub(super) fn device_at(&self, address: SocketAddr) -> Option<DeviceIndex> {
        lock(&self.origins).get(&address).map(|origin| self.index(origin.device))
    }

    /// Somebody else answers at the site in the server's place, or nobody else any more.
    pub(super) fn set_portal(&self, site: usize, has_portal: bool) {
        *lock(&self.portals[site]) = has_portal;
        if has_portal {
            let here = self.devices.iter().map(|device| lock(&device.network)).filter(|network| network.site == site);
            // It is another network: what was made over the one before is dead.
            here.for_each(|mut network| network.number += 1);
        }
    }

    /// From now on what leaves the site is lost, or no more.
    pub(super) fn set_outbound_cut(&self, site: usize, is_cut: bool) {
        self.outbound_cuts[site].store(is_cut, Ordering::Relaxed);
    }

    fn has_portal(&self, site: usize) -> bool {
        *lock(&self.portals[site])
    }

    /// Whether the device has left the network that the connection was made over.
    fn is_dead(&self, origin: &Origin) -> bool {
        *self.network(origin.device) != origin.network
    }

    /// Whether the box on the way lets through what is sent now.
    fn passes(&self, origin: &Origin) -> bool {
        // Where nothing runs any more nothing is sent.
        let Some(elapsed) = turmoil::sim_elapsed() else { return true };
        let Some(forgets_idle) = self.sites[origin.network.site].forgets_idle else { return true };
        let now = Instant::ZERO + elapsed;
        let (was_known, passes) = {
            let memory = &mut lock(&origin.passage).memory;
            (!memory.is_lost(), memory.passes(now, forgets_idle))
        };
        if was_known && !passes {
            self.recorder.effect(now, Effect::LinkForgotten { device: self.index(origin.device) });
        }
        passes
    }

    /// The end of a direction is said: the first time counts.
    fn ends(&self, origin: &Origin, direction: usize) -> bool {
        let said = lock(&origin.passage).ends[direction];
        let passes = said.unwrap_or_else(|| self.passes(origin));
        lock(&origin.passage).ends[direction] = Some(passes);
        passes
    }

    fn hears_end(&self, origin: &Origin, direction: usize) -> bool {
        lock(&origin.passage).ends[direction] != Some(false)
    }

    /// Into what pieces a direction of the connection is cut, and what they are drawn from.
    fn pieces(&self, origin: &Origin, direction: &str) -> Option<(Pieces, Draw)> {
        let pieces = self.sites[origin.network.site].segments?;
        let name = self.devices[origin.device].name.as_str();
        let purpose = format!("{direction} pieces {}", origin.connection);
        Some((pieces, Draw::new(self.scenario.seed, name, &purpose)))
    }

    fn extra(&self, origin: &Origin) -> Span {
        *lock(&self.extras[origin.network.site])
    }

    pub(super) fn set_latency(&self, site: usize, latency: Span) {
        *lock(&self.extras[site]) = Span { min: Duration::ZERO, max: latency.max - latency.min };
    }

    pub(super) fn change_server_clock(&self, change: impl FnOnce(&mut WallClock)) {
        change(&mut lock(&self.server_clock));
    }

    pub(super) fn change_device_clock(&self, device: usize, change: impl FnOnce(&mut WallClock)) {
        change(&mut lock(&self.devices[device].clock));
    }

    pub(crate) fn server_wall(&self, now: Instant) -> WallTime {
        lock(&self.server_clock).at(now)
    }

    pub(super) fn wipe(&self, device: usize) {
        self.storage(device).wipe();
        *self.outgoing(device) = Outgoing::default();
    }

    /// What is on the one device's disk is on the other's as well.
    pub(super) fn copy_disk(&self, from: usize, onto: usize) {
        let (on_disk, outgoing) = (self.storage(from).on_disk.clone(), self.outgoing(from).clone());
        self.storage(onto).on_disk = on_disk;
        self.outgoing(onto).copy(outgoing);
    }

    /// What time it is on the host that runs.
    pub(crate) fn now(&self) -> Instant {
        now()
    }
}

/// The server's surroundings.
#[derive(Clone)]
pub(crate) struct ServerPlace(Arc<Shared>);

impl ServerPlace {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        ServerPlace(shared)
    }
}

impl Surroundings for ServerPlace {
    type Listener = Listener;
    type Stream = Stream;

    async fn listen(&self, address: &str) -> io::Result<Listener> {
        Listener::bind(address).await
    }

    async fn accept(&self, listener: &Listener) -> io::Result<Stream> {
        let accepted = |inner, origin| {
            // Whose the address was before is of no interest any more.
            lock(&self.0.origins).remove(&origin);
            let upward = Upward { shared: Arc::clone(&self.0), origin };
            let (order, standstill) = (Arc::clone(&self.0.crash_order), Arc::clone(&self.0.standstill));
            Stream::accepted(inner, Arc::new(upward), order, standstill)
        };
        listener.accept(&self.0.standstill, accepted).await
    }

    fn connect(&self, _: &str) -> impl Future<Output = io::Result<Stream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn now(&self) -> Now {
        let instant = now();
        Now { instant, wall: self.0.server_wall(instant) }
    }

    fn seed(&self) -> [u8; 32] {
        Draw::key(self.0.scenario.seed, "server", "seed")
    }
}

/// The direction from a device to the server, as the server reads it.
struct Upward {
    shared: Arc<Shared>,
    origin: SocketAddr,
}

impl Upward {
    fn origin(&self) -> Option<Origin> {
        lock(&self.shared.origins).get(&self.origin).cloned()
    }
}

impl Jitter for Upward {
    fn interceptor(&self) -> &dyn Interceptor {
        &*self.shared.interceptor
    }

    fn extra(&self) -> Span {
        match self.origin() {
            Some(origin) => self.shared.extra(&origin),
            None => Span::exactly(Duration::ZERO),
        }
    }

    fn is_dead(&self) -> bool {
        self.origin().is_some_and(|origin| self.shared.is_dead(&origin))
    }

    fn passes(&self) -> bool {
        self.origin().is_none_or(|origin| self.shared.passes(&origin))
    }

    fn ends(&self) -> bool {
        self.origin().is_none_or(|origin| self.shared.ends(&origin, DOWNWARD))
    }

    fn hears_end(&self) -> bool {
        self.origin().is_none_or(|origin| self.shared.hears_end(&origin, UPWARD))
    }

    fn pieces(&self) -> Option<(Pieces, Draw)> {
        self.shared.pieces(&self.origin()?, "upward")
    }

    fn windows(&self) -> Option<Ways> {
        let [upward, downward] = self.origin()?.windows?;
        Some(Ways { read: upward, written: downward })
    }

    fn draw(&self) -> Draw {
        match self.origin() {
            Some(Origin { device, connection, .. }) => {
                let name = self.shared.devices[device].name.as_str();
                Draw::new(self.shared.scenario.seed, name, &format!("upward {connection}"))
            }
            None => Draw::new(self.shared.scenario.seed, "stranger", "upward"),
        }
    }

    fn now(&self) -> Instant {
        now()
    }
}

/// A device's surroundings, from one start of its process to its death.
#[derive(Clone)]
pub(crate) struct DevicePlace {
    shared: Arc<Shared>,
    device: usize,
    start: u64,
    /// How often its application has called `init`.
    inits: Arc<AtomicU64>,
    /// Cuts the newest connection.
    cutter: Arc<Mutex<Cutter>>,
}

impl DevicePlace {
    pub(super) fn new(shared: Arc<Shared>, device: usize) -> Self {
        let start = shared.devices[device].starts.fetch_add(1, Ordering::Relaxed) + 1;
        DevicePlace { shared, device, start, inits: Arc::default(), cutter: Arc::default() }
    }

    /// Resets the device's connection. Says whether there was one.
    pub(super) fn reset(&self) -> bool {
        lock(&self.cutter).cut()
    }
}

impl Surroundings for DevicePlace {
    type Listener = std::convert::Infallible;
    type Stream = Stream;

    async fn listen(&self, _: &str) -> io::Result<Self::Listener> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn accept(&self, listener: &Self::Listener) -> io::Result<Stream> {
        match *listener {}
    }

    fn connect(&self, server: &str) -> impl Future<Output = io::Result<Stream>> + Send + 'static {
        let (place, server) = (self.clone(), server.to_owned());
        let lasting = &self.shared.devices[self.device];
        let connection = lasting.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let (device, network) = (self.device, *self.shared.network(self.device));
        let is_to_portal = self.shared.has_portal(network.site);
        let is_cut = self.shared.outbound_cuts[network.site].load(Ordering::Relaxed);
        async move {
            let connected = if is_to_portal {
                TcpStream::connect((super::PORTAL, super::PORT)).await
            } else if is_cut {
                // turmoil says the same, but never gives the port back, of which a site has but so many.
                Err(io::ErrorKind::ConnectionRefused.into())
            } else {
                TcpStream::connect(server).await
            };
            let passage = Passage { memory: Memory::new(now()), ends: [None; 2] };
            let windows = place.shared.sites[network.site].window.map(Window::both);
            let origin = Origin { device, connection, network, passage: Arc::new(Mutex::new(passage)), windows };
            if let Ok(inner) = &connected {
                lock(&place.shared.origins).insert(inner.local_addr()?, origin.clone());
            }
            if place.shared.is_dead(&origin) {
                // Whoever asked over a network that it has left gets no answer.
                std::future::pending::<()>().await;
            }
            let inner = connected?;
            let downward = Downward { shared: Arc::clone(&place.shared), origin };
            let stream = Stream::new(inner, Arc::new(downward));
            *lock(&place.cutter) = stream.cutter();
            Ok(stream)
        }
    }

    fn now(&self) -> Now {
        let instant = now();
        Now { instant, wall: lock(&self.shared.devices[self.device].clock).at(instant) }
    }

    /// When its operating system lets it.
    async fn sleep_until(&self, at: Instant) {
        let Lasting { timers, repaced, .. } = &self.shared.devices[self.device];
        loop {
            let repaced = repaced.notified();
            let now = now();
            let fires_at = lock(timers).fires_at(at.max(now));
            tokio::select! {
                () = tokio::time::sleep(fires_at - now) => return,
                () = repaced => {}
            }
        }
    }

    fn seed(&self) -> [u8; 32] {
        let name = self.shared.devices[self.device].name.as_str();
        let init = self.inits.fetch_add(1, Ordering::Relaxed) + 1;
        Draw::key_of_init(self.shared.scenario.seed, name, self.start, init)
    }
}

/// The direction from the server to a device, as the device reads it.
struct Downward {
    shared: Arc<Shared>,
    origin: Origin,
}

impl Jitter for Downward {
    fn interceptor(&self) -> &dyn Interceptor {
        &*self.shared.interceptor
    }

    fn extra(&self) -> Span {
        self.shared.extra(&self.origin)
    }

    fn is_dead(&self) -> bool {
        self.shared.is_dead(&self.origin)
    }

    fn passes(&self) -> bool {
        self.shared.passes(&self.origin)
    }

    fn ends(&self) -> bool {
        self.shared.ends(&self.origin, UPWARD)
    }

    fn hears_end(&self) -> bool {
        self.shared.hears_end(&self.origin, DOWNWARD)
    }

    fn pieces(&self) -> Option<(Pieces, Draw)> {
        self.shared.pieces(&self.origin, "downward")
    }

    fn windows(&self) -> Option<Ways> {
        let [upward, downward] = self.origin.windows.clone()?;
        Some(Ways { read: downward, written: upward })
    }

    fn draw(&self) -> Draw {
        let Origin { device, connection, .. } = self.origin;
        let name = self.shared.devices[device].name.as_str();
        Draw::new(self.shared.scenario.seed, name, &format!("downward {connection}"))
    }

    fn now(&self) -> Instant {
        now()
    }
}

/// What a device's process has of its disk.
pub(super) struct DeviceStore {
    shared: Arc<Shared>,
    device: usize,
}

impl DeviceStore {
    pub(super) fn new(shared: Arc<Shared>, device: usize) -> Self {
        DeviceStore { shared, device }
    }
}

impl DeviceDisk for DeviceStore {
    fn load(&mut self) -> OnDisk {
        self.shared.interceptor.starts(self.device);
        self.shared.storage(self.device).on_disk.clone()
    }

    async fn write(&mut self, writes: Vec<Write>) -> io::Result<()> {
        let Timing { lands_at, done_at } = self.shared.storage(self.device).begin(now());
        until(lands_at).await;
        let writes = self.shared.interceptor.writes(self.device, writes);
        let landing = self.shared.storage(self.device).land(writes);
        if let Landing::Refused { first } = landing {
            if first {
                let device = self.shared.index(self.device);
                self.shared.recorder.effect(now(), Effect::DeviceDiskRefused { device });
            }
            return self.shared.interceptor.written(self.device, Err(io::ErrorKind::StorageFull.into()));
        }
        until(done_at).await;
        self.shared.interceptor.written(self.device, Ok(()))
    }
}

/// Waits until then.
async fn until(at: Instant) {
    if at > now() {
        tokio::time::sleep(at - now()).await;
    }
}

/// Hands what the drivers report to the recorder.
pub(super) struct Observer {
    recorder: Recorder,
    /// Whose driver it watches; none for the server's, whose disk wants to know of answers.
    device: Option<DeviceIndex>,
    disk: Arc<Disk>,
    office: Arc<Office>,
}

impl Observer {
    pub(super) fn server(shared: &Shared) -> Self {
        let (disk, office) = (Arc::clone(&shared.disk), Arc::clone(&shared.office));
        Observer { recorder: shared.recorder.clone(), device: None, disk, office }
    }

    pub(super) fn device(shared: &Shared, device: usize) -> Self {
        let device = Some(shared.index(device));
        let (disk, office) = (Arc::clone(&shared.disk), Arc::clone(&shared.office));
        Observer { recorder: shared.recorder.clone(), device, disk, office }
    }
}

impl Observe for Observer {
    fn server(&self, now: Now, seen: ServerSeen<'_>) {
        match seen {
            ServerSeen::Input(input) => self.recorder.server_input(now, input),
            ServerSeen::Output(output) => self.recorder.server_output(now, output),
            ServerSeen::Restored(records) => self.recorder.server_restored(now, records.change),
            ServerSeen::Committed(change) => {
                self.recorder.server_committed(now, change);
                self.disk.answered();
            }
            ServerSeen::StoreFailed => self.recorder.store_failed(now),
            ServerSeen::Stopped => {
                self.office.stopped();
                self.recorder.effect(now.instant, Effect::ServerDead);
            }
        }
    }

    fn client(&self, now: Instant, seen: ClientSeen<'_>) {
        let device = self.device.expect("a device's driver is watched by the device's observer");
        match seen {
            ClientSeen::Input(input) => self.recorder.device_input(now, device, input),
            ClientSeen::Output(output) => self.recorder.device_output(now, device, output),
        }
    }
}
