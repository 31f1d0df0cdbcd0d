//! `gatecrashd serve`: runs the server over TCP until it is told to stop.
//!
//! The library serves, and keeps the records; here are the arguments and the signals.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use gatecrash::driver::Unobserved;
use gatecrash::driver::server::{ServeError, ServerDriver};
use gatecrash::driver::store::{FileStore, Snapshots};
use gatecrash::driver::tokio::Live;
use tokio::net::TcpListener;
use tracing::{error, info, warn};
use tracing_subscriber::filter::LevelFilter;

use crate::config::Configuration;
use crate::{BadInput, End, config};

/// Serve one app
///
/// Prints one line, `listening on ADDRESS`, when devices can connect. Stops gracefully on SIGINT and
/// SIGTERM: nobody is let in any more, what was begun is answered, then connections are closed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrashd serve --config app.toml
  gatecrashd serve --config app.toml --data /var/lib/gatecrash --listen 0.0.0.0:7000 --log debug

docs/app.example.toml explains every line of a configuration. What was answered survives the end of
the process, whatever ended it. One process at a time may use a data directory; another waits up to
10 s for it, so that a successor can be started while its predecessor stops.")]
pub struct Arguments {
    /// The app's configuration
    #[arg(long, value_name = "PATH")]
    config: PathBuf,
    /// The directory of the database, made if need be
    #[arg(long, value_name = "DIR", default_value = "gatecrash-data")]
    data: PathBuf,
    /// Where to listen, in the place of the configuration's `listen`
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// How much to log to standard error: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
}

/// Serves until stopped.
pub fn run(arguments: Arguments) -> Result<End, BadInput> {
    let Arguments { config, data, listen, log } = arguments;
    let Configuration { mut settings, mut listen_at, warnings } = config::read(&config)?;
    if let Some(address) = listen {
        settings.listen = address;
        listen_at = None;
    }
    // A log in a file or a pipe has no colours (a terminal may do without them, too: NO_COLOR).
    let subscriber = tracing_subscriber::fmt().with_max_level(log).with_writer(stderr);
    if stderr().is_terminal() {
        subscriber.init();
    } else {
        subscriber.with_ansi(false).init();
    }
    for warning in warnings {
        warn!("{warning}");
    }
    make_room(settings.connections_max);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| BadInput(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(|error| BadInput(format!("cannot listen to signals: {error}")))?;
        let app_id = settings.config.app_id;
        try_to_listen(&settings.listen, &data).await.map_err(|problem| {
            let at = listen_at.map_or_else(String::new, |at| format!("{at}: "));
            BadInput(format!("{at}cannot listen on {}: {problem}", settings.listen))
        })?;
        let store = FileStore::new(&data);
        let snapshots = store.snapshots();
        let binding = ServerDriver::<Live, FileStore>::bind(Live::new(), store, Unobserved, settings);
        let bound = tokio::select! {
            bound = binding => bound,
            () = signals.stopped() => return Ok(End::Done),
        };
        let (server, handle) = bound.map_err(|error| BadInput(error.to_string()))?;
        let address =
            server.listener().local_addr().map_err(|error| BadInput(format!("cannot tell the address: {error}")))?;
        let control = open_control(&data, snapshots);
        info!(app_id, %address, "serving");
        let stopping = tokio::spawn(async move {
            signals.stopped().await;
            info!("stopping");
            // A successor that gets the records has a control socket of its own.
            drop(control);
            handle.stop();
        });
        // Nobody may be reading: the server serves all the same.
        let _ = writeln!(stdout(), "listening on {address}").and_then(|()| stdout().flush());
        let ended = server.run().await;
        stopping.abort();
        match ended {
            Ok(()) => Ok(End::Done),
            Err(error @ (ServeError::Store(_) | ServeError::Open(_) | ServeError::Listen { .. })) => {
                error!(%error, "stopped");
                Ok(End::Refused)
            }
        }
    })
}

/// What the operator's other commands speak to. A server does without where it cannot be had.
#[cfg(unix)]
fn open_control(data: &Path, snapshots: Snapshots) -> Option<crate::control::Control> {
    crate::control::Control::open(data, snapshots)
        .inspect_err(|error| warn!(%error, "no control socket: no backup can be made while this serves"))
        .ok()
}

#[cfg(not(unix))]
fn open_control(_data: &Path, _snapshots: Snapshots) {}

/// How many files a server has open beside its connections: the database, the listener, what the runtime needs.
const FILES_BESIDE: u64 = 32;

/// Asks the system for as many open files as the connections need, and says so where it does not give them: whoever
/// comes then would be kept waiting, and not told that the server is full (INPUT-5).
fn make_room(connections_max: usize) {
    let wanted = connections_max as u64 + FILES_BESIDE;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(open_files) if open_files < wanted => warn!(
            open_files,
            connections_max,
            "the system allows fewer open files than there may be connections: raise it (ulimit -n), or set connections_max lower"
        ),
        Ok(_) => {}
        Err(error) => warn!(%error, "cannot ask how many files may be open"),
    }
}

/// Whether this can be listened on, asked before anything is made (CONFIG-1). An address that is taken may be a
/// predecessor's who is about to stop, if there are records that it can have at work (STOP-1).
async fn try_to_listen(address: &str, data: &Path) -> Result<(), String> {
    if let Some(problem) = config::address_problem(address) {
        return Err(problem.to_owned());
    }
    match TcpListener::bind(address).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse && data.exists() => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// The signals that end a server, heard from the moment this is made.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn stopped(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signal that ends a server where there is only one.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn stopped(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without the signal only the end of the process stops it.
            std::future::pending::<()>().await;
        }
    }
}
