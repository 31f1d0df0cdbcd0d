//! Runs a server's core: connections in, commits to the store, frames out.
//!
//! One task owns the core; each connection has a task of its own, which reads frames and opens
//! tickets. Commit before you speak (DUR-1): what an output reveals is on disk before it goes out,
//! and what reveals nothing new waits for nothing. Who is logged in is the core's business.

mod addresses;
mod bounds;
mod connection;
mod door;
mod gate;
mod load;
mod log;
mod metered;
mod outage;
mod settings;
mod slots;
mod websocket;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{Instrument, debug, debug_span, info, warn};

pub use self::bounds::Bounds;
use self::connection::{Arrival, Keys, Opening, Outbox};
pub use self::door::Door;
use self::door::Entrance;
use self::gate::Gate;
pub use self::load::{Load, Turned};
use self::log::Log;
use self::metered::Metered;
pub use self::outage::{REOPEN_PAUSE_MAX, REOPEN_PAUSE_MIN};
pub use self::settings::{ServeError, Settings};
use self::slots::Slots;
use crate::code::Code;
use crate::decide::{Rules, ServerDecisions};
use crate::driver::timer::sleep_until;
use crate::driver::wire::WireFrame;
use crate::driver::writer::Writer;
use crate::driver::{Observe, OpenError, ServerSeen, ServerStore, Surroundings, Unobserved};
use crate::id::{Change, ConnectionId};
use crate::protocol::{Refusal, ResumeOutcome, ServerFrame};
use crate::server::{Action, Config, Input, Output, Server};
use crate::store::{Commit, Records};
use crate::ticket::SecretKey;
use crate::time::{Instant, Now};

/// How many arrivals wait for the core. When it is full, connections are read no further.
const INBOX_MAX: usize = 1024;

/// How many arrivals are taken in a row before timers get their turn.
const ARRIVALS_IN_A_ROW_MAX: usize = 256;

/// How often a server looks at its clocks at least: the wall clock may have jumped, or the server not have run.
const PULSE: Duration = Duration::from_secs(1);

/// A server that last ran longer ago than this did not run meanwhile: it was suspended, or starved. Twice [`PULSE`].
pub const STANDSTILL: Duration = Duration::from_secs(2);

/// How long to wait after a connection could not be accepted, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many of those pauses pass before it is said again: one line a second (INPUT-5).
const ACCEPT_PAUSES_PER_LINE: u64 = 10;

/// How long a stop waits for the last frames to go out (STOP-1).
const STOP_MAX: Duration = Duration::from_secs(5);

/// How long a server waits for records that another process has open, such as the one it succeeds (STOP-1).
pub const PREDECESSOR_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long until it looks again.
const PREDECESSOR_PAUSE: Duration = Duration::from_millis(100);

/// How many newcomers at once are told that the server is full; more are closed without a word.
const TOLD_FULL_MAX: usize = 64;

/// Tells a running server what its owner wants. A clone speaks to the same server.
///
/// ```no_run
/// # async fn example(handle: gatecrash::driver::server::ServerHandle) {
/// use gatecrash::{server::Config, ticket::SecretKey};
///
/// let mut config = Config::new(1_400_000_000);
/// config.notify_offline_kick = true;
/// handle.configure(config, vec![SecretKey::from("secret")]);
/// handle.stop();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerHandle {
    commands: mpsc::UnboundedSender<Command>,
    load: Load,
}

impl ServerHandle {
    /// Puts another configuration and other keys in force (POLICY-5).
    pub fn configure(&self, config: Config, keys: Vec<SecretKey>) {
        self.command(Command::Configure(Box::new(config), keys));
    }

    /// From now on it puts up with so much. Nobody who is there is closed for it, and who is there is read as before.
    pub fn limit(&self, bounds: Bounds) {
        self.command(Command::Limit(bounds));
    }

    /// What the server has to carry.
    pub fn load(&self) -> Load {
        self.load.clone()
    }

    /// Says that the wall clock was set.
    pub fn clock_changed(&self) {
        self.command(Command::ClockChanged);
    }

    /// Ends the server: nobody is accepted any more, what was decided is committed and answered, every device is told
    /// when to come back, then connections are closed and [`ServerDriver::run`] returns (STOP-1).
    pub fn stop(&self) {
        self.command(Command::Stop);
    }

    fn command(&self, command: Command) {
        // A server that has ended needs no telling.
        let _ = self.commands.send(command);
    }
}

#[derive(Debug)]
enum Command {
    Configure(Box<Config>, Vec<SecretKey>),
    Limit(Bounds),
    ClockChanged,
    Stop,
}

/// A server: its core, its connections and its store.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use gatecrash::driver::server::{ServerDriver, Settings};
/// use gatecrash::driver::{Unobserved, store::MemoryStore, tokio::Live};
/// use gatecrash::{server::Config, ticket::SecretKey};
///
/// let settings = Settings::new("127.0.0.1:0", Config::new(1_400_000_000), vec![SecretKey::from("secret")]);
/// let store = MemoryStore::default();
/// let (server, handle) = ServerDriver::<Live, MemoryStore>::bind(Live::new(), store, Unobserved, settings).await.unwrap();
/// let running = tokio::spawn(server.run());
/// handle.stop();
/// running.await.unwrap().unwrap();
/// # });
/// ```
pub struct ServerDriver<S: Surroundings, Store: ServerStore, O: Observe = Unobserved, D: ServerDecisions = Rules> {
    surroundings: S,
    observe: O,
    core: Server<D>,
    /// Whether the core goes on from the store; it knows nobody otherwise, and nobody is let in.
    is_open: bool,
    /// A commit ends with the last change in it, and whether it is on disk.
    store: Writer<Store, (Change, io::Result<()>)>,
    /// Changes decided and not yet handed to the store, as the core put them.
    gathered: Vec<Output>,
    gate: Gate,
    slots: Slots,
    keys: Keys,
    /// What was just done makes these happen, before anything else arrives.
    follow_ups: VecDeque<Input>,
    bounds: Bounds,
    load: Load,
    log: Log,
    /// Where it listens, in the order of its doors; nowhere once it stops.
    listeners: Vec<Arc<S::Listener>>,
    entrances: Vec<Entrance>,
    /// The tasks that accept, one for each listener.
    accepting: JoinSet<()>,
    /// Tasks that tell newcomers that the server is full.
    refusing: JoinSet<()>,
    arrivals: mpsc::Receiver<Arrival<S::Stream>>,
    inbox: mpsc::Sender<Arrival<S::Stream>>,
    commands: mpsc::UnboundedReceiver<Command>,
    tasks: JoinSet<()>,
}

/// Why the server's loop ended.
enum End {
    Stopped,
    Failed(io::Error),
}

/// What the server's loop goes on for.
enum Next<Stream> {
    Command(Command),
    Stored(Change, io::Result<()>),
    Arrival(Arrival<Stream>),
    /// Something may be due.
    Timer,
    /// Something counted is to be said in the log.
    Log,
}

impl<S: Surroundings, Store: ServerStore, O: Observe, D: ServerDecisions> ServerDriver<S, Store, O, D> {
    /// Opens the store, waiting a while if another process has it, and begins to listen. Connections are accepted by
    /// [`ServerDriver::run`], which also tries again if the disk has failed.
    ///
    /// # Errors
    ///
    /// [`ServeError`] when the store will not open however often it is tried, or the address cannot be
    /// listened on.
    pub async fn bind(
        surroundings: S,
        mut store: Store,
        observe: O,
        settings: Settings,
    ) -> Result<(Self, ServerHandle), ServeError> {
        let records = match open(&surroundings, &mut store).await {
            Ok(records) => Some(records),
            Err(error) if error.may_pass() => {
                warn!(%error, "the store cannot be opened yet");
                None
            }
            Err(error) => return Err(error.into()),
        };
        let mut listeners = Vec::new();
        for door in &settings.doors {
            let listening = surroundings.listen(&door.listen).await;
            let failed = |error| ServeError::Listen { address: door.listen.clone(), error };
            listeners.push(Arc::new(listening.map_err(failed)?));
        }
        let entrances = settings.doors.iter().map(|door| door.entrance(surroundings.clone())).collect();
        let (inbox, arrivals) = mpsc::channel(INBOX_MAX);
        let (sender, commands) = mpsc::unbounded_channel();
        let is_open = records.is_some();
        let load = Load::default();
        let records = records.unwrap_or_default();
        let mut log = Log::default();
        log.restored(records.change);
        let driver = ServerDriver {
            surroundings,
            observe,
            gate: Gate::new(records.change),
            core: Server::restore(settings.config, records),
            is_open,
            store: Writer::Idle(store),
            gathered: Vec::new(),
            slots: Slots::default(),
            keys: Keys::new(settings.keys),
            follow_ups: VecDeque::new(),
            bounds: settings.bounds,
            load: load.clone(),
            log,
            listeners,
            entrances,
            accepting: JoinSet::new(),
            refusing: JoinSet::new(),
            arrivals,
            inbox,
            commands,
            tasks: JoinSet::new(),
        };
        Ok((driver, ServerHandle { commands: sender, load }))
    }

    /// What connections arrive at, in the order of the doors, to ask them for their addresses.
    pub fn listeners(&self) -> impl Iterator<Item = &S::Listener> {
        self.listeners.iter().map(|listener| &**listener)
    }

    /// Serves until told to stop. When a commit fails, nothing that depends on it is told to anybody: who
    /// waits for it gets [70500], every connection is closed, and the server goes on from what is on
    /// disk once the store can be opened again (DUR-5).
    ///
    /// # Errors
    ///
    /// [`ServeError::Store`] when the last commit before a stop failed, [`ServeError::Open`] when the
    /// store will not open again.
    pub async fn run(mut self) -> Result<(), ServeError> {
        for (door, listener) in self.listeners.iter().enumerate() {
            self.accepting.spawn(accept(self.surroundings.clone(), Arc::clone(listener), door, self.inbox.clone()));
        }
        let ended = loop {
            if !self.is_open && !self.reopen().await? {
                self.stop_accepting().await;
                break Ok(());
            }
            self.observe.server(self.surroundings.now(), ServerSeen::Restored(self.core.records()));
            self.load.set_ready(true);
            self.input(Input::Started);
            match self.serve().await {
                End::Stopped => {
                    self.load.set_ready(false);
                    self.stop_accepting().await;
                    self.input(Input::Stopping);
                    break self.finish_commits().await;
                }
                End::Failed(error) => {
                    self.load.set_ready(false);
                    self.fail(&error);
                }
            }
        };
        if let Err(error) = &ended {
            self.fail(error);
        }
        self.observe.server(self.surroundings.now(), ServerSeen::Stopped);
        self.close_all().await;
        info!("stopped");
        ended.map_err(ServeError::Store)
    }

    async fn serve(&mut self) -> End {
        let mut in_a_row = 0;
        let mut ran_at = self.surroundings.now().instant;
        loop {
            self.hand_to_store();
            self.load.looked(self.arrivals.len(), self.gathered.len(), self.gate.len());
            while self.tasks.try_join_next().is_some() {}
            self.notice_standstill(&mut ran_at);
            let due = self.core.poll_timeout().map_or(ran_at + PULSE, |due| due.min(ran_at + PULSE));
            // A flood of arrivals must not keep timers waiting.
            let is_flooded = in_a_row >= ARRIVALS_IN_A_ROW_MAX && due <= ran_at;
            let next = if is_flooded {
                Next::Timer
            } else {
                // At one instant: what the owner wants, what is on disk, what arrived, and then timers.
                tokio::select! {
                    biased;
                    Some(command) = self.commands.recv() => Next::Command(command),
                    (change, result) = self.store.done() => Next::Stored(change, result),
                    Some(arrival) = self.arrivals.recv() => Next::Arrival(arrival),
                    () = sleep_until(&self.surroundings, Some(due)) => Next::Timer,
                    () = sleep_until(&self.surroundings, self.log.due()) => Next::Log,
                }
            };
            self.notice_standstill(&mut ran_at);
            if matches!(next, Next::Timer) && due < ran_at && !is_flooded {
                // Who comes late lets those read for whom something has arrived meanwhile.
                tokio::task::yield_now().await;
                if !self.arrivals.is_empty() {
                    continue;
                }
            }
            in_a_row = if let Next::Arrival(_) = next { in_a_row + 1 } else { 0 };
            match next {
                Next::Command(Command::Configure(config, keys)) => {
                    self.keys.replace(keys);
                    self.input(Input::Configured(*config));
                }
                Next::Command(Command::Limit(bounds)) => self.bounds = bounds,
                Next::Command(Command::ClockChanged) => self.input(Input::ClockChanged),
                Next::Command(Command::Stop) => return End::Stopped,
                Next::Stored(change, Ok(())) => self.committed(change),
                Next::Stored(_, Err(error)) => return End::Failed(error),
                Next::Arrival(arrival) => self.arrived(arrival),
                Next::Timer => self.timeout(),
                Next::Log => self.log.tell_counted(self.surroundings.now().instant),
            }
        }
    }

    /// Tells the core, before it is told anything else, if the server has not run for a while.
    fn notice_standstill(&mut self, ran_at: &mut Instant) {
        let now = self.surroundings.now().instant;
        if now > *ran_at + STANDSTILL {
            warn!("the server did not run for a while: what has arrived is read before anybody is taken for silent");
            self.input(Input::StoodStill);
        }
        *ran_at = now;
    }

    fn arrived(&mut self, arrival: Arrival<S::Stream>) {
        match arrival {
            Arrival::Stream(stream, door) => self.opened(stream, door),
            Arrival::Frame(serial, frame) => {
                if let Some(connection) = self.slots.open(serial) {
                    self.slots.heard(serial);
                    self.input(Input::Frame { connection, frame: *frame });
                }
            }
            Arrival::Malformed(serial, error) => {
                if let Some(connection) = self.slots.open(serial) {
                    self.input(Input::Malformed { connection, error });
                }
            }
            Arrival::NotOpened(serial, error) => {
                debug!(%error, connection = serial.number, "the handshake failed");
                self.load.turns_away(Turned::Handshake);
                if let Some(connection) = self.slots.open(serial) {
                    if is_wrong(&error) {
                        self.slots.refused(connection, self.surroundings.now().instant);
                    }
                    self.lost(connection);
                }
            }
            Arrival::Closed(serial) => {
                if let Some(connection) = self.slots.open(serial) {
                    self.lost(connection);
                }
            }
        }
    }

    fn opened(&mut self, stream: S::Stream, door: usize) {
        let address = self.surroundings.peer(&stream);
        let now = self.surroundings.now().instant;
        if let Some(from) = address
            && let Some(why) = self.slots.keeps_out(from, &self.bounds, now)
        {
            self.load.turns_away(why);
            self.log.kept_out(now, why, from);
            return;
        }
        let entrance = self.entrances[door].clone();
        let stream = Metered::new(stream, self.load.clone(), self.bounds.bytes_per_second);
        if self.slots.len() >= self.bounds.connections_max && !self.makes_room(address) {
            self.load.turns_away(Turned::Full);
            while self.refusing.try_join_next().is_some() {}
            if self.refusing.len() < TOLD_FULL_MAX {
                self.refusing.spawn(connection::refuse(entrance, stream, self.core.come_back()));
            }
            return;
        }
        let outbox = Arc::new(Outbox::default());
        let serial = self.slots.insert(Arc::clone(&outbox), address);
        self.log.opened(ConnectionId(serial.slot), serial.number, address);
        let opening = Opening { entrance, stream, within: self.bounds.handshake_max };
        let task = connection::run(serial, opening, outbox, self.keys.clone(), self.inbox.clone());
        self.tasks.spawn(task.instrument(debug_span!("connection", number = serial.number)));
        self.input(Input::Opened { connection: ConnectionId(serial.slot) });
    }

    /// Closes whoever has been here longest without having said anything valid, if there is one (INPUT-5).
    fn makes_room(&mut self, newcomer: Option<SocketAddr>) -> bool {
        let (now, connections) = (self.surroundings.now().instant, self.slots.len());
        let Some(connection) = self.slots.longest_silent() else {
            self.log.full(now, connections, newcomer);
            return false;
        };
        self.log.made_room(now, connections, newcomer);
        self.load.turns_away(Turned::MadeRoom);
        if let Some(outbox) = self.slots.outbox(connection) {
            outbox.abort();
        }
        self.lost(connection);
        true
    }

    /// The connection is gone: what still waits for it will not be said.
    fn lost(&mut self, connection: ConnectionId) {
        self.gate.forget(connection);
        self.slots.remove(connection);
        self.input(Input::Closed { connection });
    }

    fn input(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next {
            let now = self.surroundings.now();
            self.observe.server(now, ServerSeen::Input(&input));
            self.log.input(&input);
            self.core.handle_input(now, input);
            self.drain(now);
            next = self.follow_ups.pop_front();
        }
    }

    fn timeout(&mut self) {
        let now = self.surroundings.now();
        self.core.handle_timeout(now);
        self.drain(now);
        if let Some(input) = self.follow_ups.pop_front() {
            self.input(input);
        }
    }

    fn drain(&mut self, now: Now) {
        while let Some(output) = self.core.poll_output() {
            self.log.decided(now.instant, &output);
            match &output.action {
                Action::Commit(_) => {
                    self.observe.server(now, ServerSeen::Output(&output));
                    self.gathered.push(output);
                }
                Action::Note(note) => {
                    debug!(?note);
                    self.observe.server(now, ServerSeen::Output(&output));
                }
                Action::Send { .. } | Action::Close { .. } => {
                    if let Action::Close { connection } = &output.action {
                        self.slots.end(*connection);
                    }
                    if let Some(output) = self.gate.pass(output) {
                        self.carry_out(now, &output);
                    }
                }
            }
        }
    }

    /// Sends or closes. A connection the core does not know any more keeps its number until then.
    fn carry_out(&mut self, now: Now, output: &Output) {
        match &output.action {
            Action::Send { connection, frame } => {
                let Some(outbox) = self.slots.outbox(*connection) else { return };
                if is_refusal(frame) {
                    self.slots.refused(*connection, now.instant);
                }
                if outbox.push(frame) {
                    debug!(connection = self.slots.number(*connection), frame = frame.word(), "send");
                    self.observe.server(now, ServerSeen::Output(output));
                } else {
                    debug!(
                        connection = self.slots.number(*connection),
                        "the peer does not read: its connection is closed"
                    );
                    self.load.turns_away(Turned::NotReading);
                    outbox.abort();
                    if self.slots.is_open(*connection) {
                        self.gate.forget(*connection);
                        self.slots.remove(*connection);
                        self.follow_ups.push_back(Input::Closed { connection: *connection });
                    }
                }
            }
            Action::Close { connection } => {
                self.observe.server(now, ServerSeen::Output(output));
                if let Some(outbox) = self.slots.remove(*connection) {
                    outbox.close();
                }
            }
            Action::Commit(_) | Action::Note(_) => unreachable!("these do not wait at the gate"),
        }
    }

    /// Hands everything decided so far to the store, if it is not busy: one batch, one transaction.
    fn hand_to_store(&mut self) {
        if self.gathered.is_empty() || self.store.idle().is_none() {
            return;
        }
        let batch: Vec<Commit> = self
            .gathered
            .drain(..)
            .filter_map(|output| match output.action {
                Action::Commit(commit) => Some(commit),
                Action::Send { .. } | Action::Close { .. } | Action::Note(_) => None,
            })
            .collect();
        let last = batch.last().expect("a batch is not empty").number;
        debug!(changes = batch.len(), last = last.0, "commit");
        self.store.begin(|mut store| async move {
            let result = store.commit(batch).await;
            (store, (last, result))
        });
    }

    fn committed(&mut self, change: Change) {
        let now = self.surroundings.now();
        self.observe.server(now, ServerSeen::Committed(change));
        self.log.committed(now.instant, change);
        for output in self.gate.open_up_to(change) {
            self.carry_out(now, &output);
        }
        if let Some(input) = self.follow_ups.pop_front() {
            self.input(input);
        }
    }

    /// Commits everything decided, so that everything answered can be said.
    async fn finish_commits(&mut self) -> io::Result<()> {
        self.hand_to_store();
        while self.store.idle().is_none() {
            let (change, result) = self.store.done().await;
            result?;
            self.committed(change);
            self.hand_to_store();
        }
        Ok(())
    }

    /// From now on whoever connects is refused by the system, and needs not wait to know (STOP-1).
    async fn stop_accepting(&mut self) {
        self.accepting.shutdown().await;
        self.listeners.clear();
    }

    /// Lets every connection say its last frames.
    async fn close_all(mut self) {
        // Whoever was accepted and not yet looked at goes with what is in the queue.
        self.arrivals.close();
        while self.arrivals.try_recv().is_ok() {}
        self.slots.close_all();
        // Nothing is written any more: a successor need not wait for the slow.
        drop(self.store);
        let tasks = &mut self.tasks;
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_MAX, all_ended).await.is_err() {
            debug!("some peers did not read to the end");
        }
    }
}

/// Whether whoever is answered so showed no good ticket, or sent what is no frame.
fn is_refusal(frame: &ServerFrame) -> bool {
    let is_of_ticket = |refusal: &Refusal| match refusal {
        Refusal::Code(code) => *code != Code::ServerBusy && *code != Code::ServerUnable,
        Refusal::Stale => false,
    };
    match frame {
        ServerFrame::LoginAnswer { outcome: Err(why), .. } | ServerFrame::RenewAnswer { outcome: Err(why), .. } => {
            is_of_ticket(why)
        }
        ServerFrame::ResumeAnswer { outcome: ResumeOutcome::Refused(_), .. } | ServerFrame::Error(_) => true,
        _ => false,
    }
}

/// Whether whoever made no handshake did it wrong, or took too long. Who goes away, or asks by HTTP what there is, as those do
/// that look whether a server answers, did nothing wrong.
fn is_wrong(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, Unsupported};
    !matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof | Unsupported
    )
}

/// Opens the store. One that another process has open may be let go of soon.
async fn open<Store: ServerStore>(surroundings: &impl Surroundings, store: &mut Store) -> Result<Records, OpenError> {
    let until = surroundings.now().instant + PREDECESSOR_WAIT_MAX;
    let mut is_told = false;
    loop {
        match store.open().await {
            Err(error @ OpenError::InUse { .. }) if surroundings.now().instant < until => {
                if !is_told {
                    warn!(%error, wait_max = ?PREDECESSOR_WAIT_MAX, "waiting for the records");
                    is_told = true;
                }
                sleep_until(surroundings, Some(surroundings.now().instant + PREDECESSOR_PAUSE)).await;
            }
            opened => return opened,
        }
    }
}

/// Accepts connections until the server stops.
async fn accept<S: Surroundings>(
    surroundings: S,
    listener: Arc<S::Listener>,
    door: usize,
    inbox: mpsc::Sender<Arrival<S::Stream>>,
) {
    let mut failures: u64 = 0;
    loop {
        match surroundings.accept(&listener).await {
            Ok(stream) => {
                failures = 0;
                if inbox.send(Arrival::Stream(stream, door)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                if failures.is_multiple_of(ACCEPT_PAUSES_PER_LINE) {
                    warn!(%error, failures, "a connection could not be accepted");
                }
                failures += 1;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
