//! `gatecrashd serve`: runs the server over TCP until it is told to stop.
//!
//! The library serves, and keeps the records; here are the arguments and the signals.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use gatecrash::driver::server::{Door, ServeError, ServerDriver};
use gatecrash::driver::store::{FileStore, Snapshots};
use gatecrash::driver::tokio::Live;
use tokio::net::TcpListener;
use tracing::{error, info, warn};
use tracing_subscriber::filter::LevelFilter;

use crate::certificate;
use crate::config::{Configuration, address_problem};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::open_files::make_room;
use crate::reload::{Reloading, Source, identity};
use crate::{BadInput, End};

/// Serve one app
///
/// Prints a line, `listening on ADDRESS`, for each place to listen when devices can connect. Stops gracefully on
/// SIGINT and SIGTERM: nobody is let in any more, what was begun is answered, then connections are closed. Reads the
/// configuration, keys and certificates again on SIGHUP, or says what is wrong with them and changes nothing.
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
    /// How a line of the log looks: as text, or as one JSON object
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// How often is looked whether a predecessor has left a place, and at what distance: for a second in all.
const LEAVING_TRIES: u32 = 50;
const LEAVING_PAUSE: Duration = Duration::from_millis(20);

/// Serves until stopped.
pub fn run(arguments: Arguments) -> Result<End, BadInput> {
    let Arguments { config, data, listen, log, log_format } = arguments;
    let source = Source { config, listen };
    let Configuration { settings, listen_at, metrics: metrics_at, certificate, warnings } = source.read(None)?;
    let subscriber = tracing_subscriber::fmt().with_max_level(log).with_writer(stderr);
    match log_format {
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
        LogFormat::Text if stderr().is_terminal() => subscriber.init(),
        // A log in a file or a pipe has no colours (a terminal may do without them, too: NO_COLOR).
        LogFormat::Text => subscriber.with_ansi(false).init(),
    }
    for warning in warnings {
        warn!("{warning}");
    }
    make_room(settings.bounds.connections_max);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| BadInput(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(|error| BadInput(format!("cannot listen to signals: {error}")))?;
        let app_id = settings.config.app_id;
        let mut problems = Vec::new();
        // Held until all were tried: two that are one place by different names are told by the line of the second.
        let mut tried = Vec::new();
        for (door, at) in settings.doors.iter().zip(listen_at) {
            match try_to_listen(&door.listen, &data).await {
                Ok(listener) => tried.push(listener),
                Err(problem) => {
                    let at = at.map_or_else(String::new, |at| format!("{at}: "));
                    problems.push(format!("{at}cannot listen on {}: {problem}", door.listen));
                }
            }
        }
        let mut asked = None;
        if let Some((address, at)) = &metrics_at {
            match try_to_listen(address, &data).await {
                Ok(listener) => asked = listener,
                Err(problem) => problems.push(format!("{at}: cannot listen on {address}: {problem}")),
            }
        }
        drop(tried);
        if !problems.is_empty() {
            return Err(BadInput::all(&problems));
        }
        let metrics = Metrics::new();
        let identity = identity(&settings);
        let metrics_address = metrics_at.as_ref().map(|(address, _)| address.as_str());
        let mut reloading = Reloading::new(source, &settings, metrics_address, certificate);
        let words: Vec<&str> = settings.doors.iter().map(Door::word).collect();
        let store = FileStore::new(&data);
        let snapshots = store.snapshots();
        let binding = ServerDriver::<Live, FileStore, Metrics>::bind(Live::new(), store, metrics.clone(), settings);
        let bound = tokio::select! {
            bound = binding => bound,
            () = signals.stop() => return Ok(End::Done),
        };
        let (server, handle) = bound.map_err(|error| BadInput(error.to_string()))?;
        if let (None, Some((address, at))) = (&asked, &metrics_at) {
            // The predecessor's records are ours, and this is the next that it lets go.
            let listener = listen_soon(address).await;
            asked = Some(listener.map_err(|error| BadInput(format!("{at}: cannot listen on {address}: {error}")))?);
        }
        let mut lines = Vec::new();
        for (listener, way) in server.listeners().zip(words) {
            let address =
                listener.local_addr().map_err(|error| BadInput(format!("cannot tell the address: {error}")))?;
            info!(app_id, %address, way, "serving");
            lines.push(match way {
                "TCP" => format!("listening on {address}"),
                _ => format!("listening on {address} ({way})"),
            });
        }
        let watching = identity
            .clone()
            .map(|identity| tokio::spawn(certificate::watch(Live::new(), identity, |warning| warn!("{warning}"))));
        let asking = asked.map(|listener| {
            match listener.local_addr() {
                Ok(address) => info!(%address, "metrics"),
                Err(error) => warn!(%error, "the address for metrics cannot be told"),
            }
            tokio::spawn(Health::new(metrics, handle.load(), identity).serve(listener))
        });
        let asked = asking.as_ref().map(tokio::task::JoinHandle::abort_handle);
        let control = open_control(&data, snapshots);
        let owner = tokio::spawn(async move {
            while let Signal::Reload = signals.next().await {
                reloading.reload(&handle);
            }
            info!("stopping");
            // A successor that gets the records has a control socket of its own, and metrics at the same address.
            drop(control);
            asked.inspect(tokio::task::AbortHandle::abort);
            handle.stop();
        });
        // Nobody may be reading: the server serves all the same.
        let _ = writeln!(stdout(), "{}", lines.join("\n")).and_then(|()| stdout().flush());
        let ended = server.run().await;
        owner.abort();
        for beside in asking.into_iter().chain(watching) {
            beside.abort();
        }
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

/// Whether this can be listened on, asked before anything is made (CONFIG-1). An address that is taken may be a
/// predecessor's who is about to stop, if there are records that it can have at work (STOP-1).
async fn try_to_listen(address: &str, data: &Path) -> Result<Option<TcpListener>, String> {
    if let Some(problem) = address_problem(address) {
        return Err(problem.to_owned());
    }
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == ErrorKind::AddrInUse && data.exists() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Listens where somebody still does who is about to leave.
async fn listen_soon(address: &str) -> std::io::Result<TcpListener> {
    for _ in 0..LEAVING_TRIES {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => tokio::time::sleep(LEAVING_PAUSE).await,
            listened => return listened,
        }
    }
    TcpListener::bind(address).await
}

/// What a signal asks for.
enum Signal {
    Stop,
    Reload,
}

/// The signals that a server obeys, heard from the moment this is made.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
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

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without the signal only the end of the process stops it.
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }
}

impl Signals {
    /// Returns when it is to stop. Before it serves there is nothing to reload: what is read then is new.
    async fn stop(&mut self) {
        while let Signal::Reload = self.next().await {}
    }
}
