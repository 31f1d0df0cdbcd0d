//! Runs a server's core: connections in, commits to the store, frames out.
//!
//! One task owns the core; each connection has a task of its own, which reads frames and opens
//! tickets. Commit before you speak (DUR-1): what an output reveals is on disk before it goes out,
//! and what reveals nothing new waits for nothing. Who is logged in is the core's business.

mod connection;
mod gate;
mod outage;
mod slots;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{Instrument, debug, debug_span, info, warn};

use self::connection::{Arrival, Keys, Outbox};
use self::gate::Gate;
pub use self::outage::{REOPEN_PAUSE_MAX, REOPEN_PAUSE_MIN};
use self::slots::Slots;
use crate::decide::{Rules, ServerDecisions};
use crate::driver::timer::sleep_until;
use crate::driver::wire::WireFrame;
use crate::driver::writer::Writer;
use crate::driver::{Observe, OpenError, ServerSeen, ServerStore, Surroundings, Unobserved};
use crate::id::{Change, ConnectionId};
use crate::server::{Action, Config, Input, Output, Server};
use crate::store::Commit;
use crate::ticket::SecretKey;
use crate::time::Now;

/// How many arrivals wait for the core. When it is full, connections are read no further.
const INBOX_MAX: usize = 1024;

/// How many arrivals are taken in a row before timers get their turn.
const ARRIVALS_IN_A_ROW_MAX: usize = 256;

/// How often a server looks at a wall clock that may jump.
const WALL_CHECK: Duration = Duration::from_secs(1);

/// How long to wait after a connection could not be accepted, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a stop waits for the last frames to go out.
const STOP_MAX: Duration = Duration::from_secs(5);

/// What a server is started with.
///
/// ```
/// use gatecrash::{driver::server::Settings, server::Config, ticket::SecretKey};
///
/// let settings = Settings::new("127.0.0.1:0", Config::new(1_400_000_000), vec![SecretKey::from("secret")]);
/// assert_eq!(settings.connections_max, 65_536);
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen, such as `0.0.0.0:7000`.
    pub listen: String,
    /// The app's configuration.
    pub config: Config,
    /// The app's current keys: a ticket signed with any of them fits (TICKET-3).
    pub keys: Vec<SecretKey>,
    /// The most connections at once; further ones are closed at once.
    pub connections_max: usize,
}

impl Settings {
    /// A server of this app, with 65,536 connections at most.
    pub fn new(listen: impl Into<String>, config: Config, keys: Vec<SecretKey>) -> Self {
        Settings { listen: listen.into(), config, keys, connections_max: 65_536 }
    }
}

/// Why a server could not start, or stopped without being told to.
///
/// ```
/// use gatecrash::driver::server::ServeError;
///
/// let error = ServeError::Store(std::io::Error::other("disk full"));
/// assert_eq!(error.to_string(), "the last changes may not be on disk: disk full");
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen where it was told to.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        error: io::Error,
    },
    /// Its records cannot be read, and will not be by trying again.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// It was told to stop, and its last commit failed: whoever waited for it was told so (DUR-5).
    #[error("the last changes may not be on disk: {0}")]
    Store(io::Error),
}

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
}

impl ServerHandle {
    /// Puts another configuration and other keys in force (POLICY-5).
    pub fn configure(&self, config: Config, keys: Vec<SecretKey>) {
        self.command(Command::Configure(Box::new(config), keys));
    }

    /// Says that the wall clock was set.
    pub fn clock_changed(&self) {
        self.command(Command::ClockChanged);
    }

    /// Ends the server: what was decided is committed and answered, then connections are closed and
    /// [`ServerDriver::run`] returns.
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
    connections_max: usize,
    listener: Arc<S::Listener>,
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

impl<S: Surroundings, Store: ServerStore, O: Observe, D: ServerDecisions> ServerDriver<S, Store, O, D> {
    /// Opens the store and begins to listen. Connections are accepted by [`ServerDriver::run`], which also
    /// tries again if the disk has failed.
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
        let records = match store.open().await {
            Ok(records) => Some(records),
            Err(error) if error.may_pass() => {
                warn!(%error, "the store cannot be opened yet");
                None
            }
            Err(error) => return Err(error.into()),
        };
        let listener = surroundings
            .listen(&settings.listen)
            .await
            .map_err(|error| ServeError::Listen { address: settings.listen.clone(), error })?;
        let (inbox, arrivals) = mpsc::channel(INBOX_MAX);
        let (sender, commands) = mpsc::unbounded_channel();
        let is_open = records.is_some();
        let records = records.unwrap_or_default();
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
            connections_max: settings.connections_max,
            listener: Arc::new(listener),
            arrivals,
            inbox,
            commands,
            tasks: JoinSet::new(),
        };
        Ok((driver, ServerHandle { commands: sender }))
    }

    /// What connections arrive at, to ask it for its address.
    pub fn listener(&self) -> &S::Listener {
        &self.listener
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
        self.tasks.spawn(accept(self.surroundings.clone(), Arc::clone(&self.listener), self.inbox.clone()));
        let ended = loop {
            if !self.is_open && !self.reopen().await? {
                break Ok(());
            }
            let change = self.core.records().change;
            self.observe.server(self.surroundings.now(), ServerSeen::Restored(change));
            self.input(Input::Started);
            match self.serve().await {
                End::Stopped => break self.finish_commits().await,
                End::Failed(error) => self.fail(&error),
            }
        };
        if let Err(error) = &ended {
            self.fail(error);
        }
        self.close_all().await;
        info!("stopped");
        ended.map_err(ServeError::Store)
    }

    async fn serve(&mut self) -> End {
        let mut in_a_row = 0;
        loop {
            self.hand_to_store();
            while self.tasks.try_join_next().is_some() {}
            let now = self.surroundings.now().instant;
            let mut due = self.core.poll_timeout();
            if self.surroundings.wall_may_jump() {
                due = Some(due.map_or(now + WALL_CHECK, |due| due.min(now + WALL_CHECK)));
            }
            // A flood of arrivals must not keep timers waiting.
            if in_a_row >= ARRIVALS_IN_A_ROW_MAX && due.is_some_and(|due| due <= now) {
                in_a_row = 0;
                self.timeout();
                continue;
            }
            // At one instant: what the owner wants, what is on disk, what arrived, and then timers.
            tokio::select! {
                biased;
                Some(command) = self.commands.recv() => match command {
                    Command::Configure(config, keys) => {
                        self.keys.replace(keys);
                        self.input(Input::Configured(*config));
                    }
                    Command::ClockChanged => self.input(Input::ClockChanged),
                    Command::Stop => return End::Stopped,
                },
                (change, result) = self.store.done() => match result {
                    Ok(()) => self.committed(change),
                    Err(error) => return End::Failed(error),
                },
                Some(arrival) = self.arrivals.recv() => {
                    in_a_row += 1;
                    self.arrived(arrival);
                    continue;
                }
                () = sleep_until(&self.surroundings, due) => self.timeout(),
            }
            in_a_row = 0;
        }
    }

    fn arrived(&mut self, arrival: Arrival<S::Stream>) {
        match arrival {
            Arrival::Stream(stream) => self.opened(stream),
            Arrival::Frame(serial, frame) => {
                if let Some(connection) = self.slots.open(serial) {
                    self.input(Input::Frame { connection, frame: *frame });
                }
            }
            Arrival::Malformed(serial, error) => {
                if let Some(connection) = self.slots.open(serial) {
                    self.input(Input::Malformed { connection, error });
                }
            }
            Arrival::Closed(serial) => {
                if let Some(connection) = self.slots.open(serial) {
                    self.lost(connection);
                }
            }
        }
    }

    fn opened(&mut self, stream: S::Stream) {
        if self.slots.len() >= self.connections_max {
            warn!(connections = self.slots.len(), "too many connections: one was closed at once");
            return;
        }
        let outbox = Arc::new(Outbox::default());
        let serial = self.slots.insert(Arc::clone(&outbox));
        let task = connection::run(serial, stream, outbox, self.keys.clone(), self.inbox.clone());
        self.tasks.spawn(task.instrument(debug_span!("connection", number = serial.number)));
        self.input(Input::Opened { connection: ConnectionId(serial.slot) });
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
                if outbox.push(frame) {
                    debug!(connection = connection.0, frame = frame.word(), "send");
                    self.observe.server(now, ServerSeen::Output(output));
                } else {
                    debug!(connection = connection.0, "the peer does not read: its connection is closed");
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

    /// Lets every connection say its last frames.
    async fn close_all(mut self) {
        self.arrivals.close();
        self.slots.close_all();
        // The task that accepts ends with the listener of its inbox; the others when they are done.
        let tasks = &mut self.tasks;
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_MAX, all_ended).await.is_err() {
            debug!("some peers did not read to the end");
        }
    }
}

/// Accepts connections until the server has ended.
async fn accept<S: Surroundings>(surroundings: S, listener: Arc<S::Listener>, inbox: mpsc::Sender<Arrival<S::Stream>>) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = inbox.closed() => return,
            accepted = surroundings.accept(&listener) => accepted,
        };
        match accepted {
            Ok(stream) => {
                if inbox.send(Arrival::Stream(stream)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
