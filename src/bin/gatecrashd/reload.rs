//! The configuration, read when a server starts and again when it is told to (CONFIG-2).
//!
//! All of what is new is put in force, or nothing. Reading is `config`'s business, and what it means the library's.

use std::path::PathBuf;

use gatecrash::driver::identity::Identity;
use gatecrash::driver::server::{Door, ServerHandle, Settings};
use tracing::{error, info, warn};

use crate::BadInput;
use crate::certificate::Certificate;
use crate::config::{self, Configuration};
use crate::doors;
use crate::open_files::make_room;

/// Where the configuration comes from.
pub struct Source {
    /// The file.
    pub config: PathBuf,
    /// Where to listen without TLS, from the command line.
    pub listen: Option<String>,
}

impl Source {
    /// Reads it, for a server that shows this certificate already, if one runs.
    pub fn read(&self, in_force: Option<&Certificate>) -> Result<Configuration, BadInput> {
        let mut read = config::read(&self.config, in_force)?;
        if let Some(address) = &self.listen {
            // In the place of the door without TLS, or beside those with it.
            let others = read.settings.doors.iter().filter(|door| !is_plain(door));
            let metrics = read.metrics.as_ref().map(|(address, _)| address.as_str());
            if let Some(problem) = doors::taken_by_others(address, others, metrics) {
                return Err(BadInput(format!("cannot listen on {address}: {problem}")));
            }
            match read.settings.doors.iter().position(is_plain) {
                Some(index) => {
                    read.settings.doors[index].listen.clone_from(address);
                    read.listen_at[index] = None;
                }
                None => {
                    read.settings.doors.insert(0, Door::tcp(address));
                    read.listen_at.insert(0, None);
                }
            }
        }
        Ok(read)
    }
}

/// Whether frames come by this door as they are.
fn is_plain(door: &Door) -> bool {
    door.tls.is_none() && !door.websocket
}

/// What a running server goes by that it cannot change, and what it can.
pub struct Reloading {
    source: Source,
    app_id: u64,
    doors: Vec<(String, &'static str)>,
    metrics: Option<String>,
    identity: Option<Identity>,
    /// What it shows by now.
    certificate: Option<Certificate>,
}

impl Reloading {
    /// Of a server that is started with these settings, and is asked for metrics there.
    pub fn new(source: Source, settings: &Settings, metrics: Option<&str>, certificate: Option<Certificate>) -> Self {
        let identity = identity(settings);
        let metrics = metrics.map(str::to_owned);
        Reloading { source, app_id: settings.config.app_id, doors: listens(settings), metrics, identity, certificate }
    }

    /// Puts in force what the files say now, or says in the log what is wrong.
    pub fn reload(&mut self, server: &ServerHandle) {
        let read = self.source.read(self.certificate.as_ref());
        let Configuration { settings, metrics, certificate, warnings, .. } = match read {
            Ok(read) => read,
            Err(problems) => {
                // A line of the log for each, as each is a line for whoever starts a server.
                for problem in problems.lines() {
                    error!("not reloaded, nothing is changed: {problem}");
                }
                return;
            }
        };
        let metrics = metrics.map(|(address, _)| address);
        let fixed = [
            ("app_id", settings.config.app_id == self.app_id),
            ("where to listen", listens(&settings) == self.doors),
            ("where metrics are asked for", metrics == self.metrics),
        ];
        let mut is_fit = true;
        for (what, _) in fixed.into_iter().filter(|(_, is_same)| !is_same) {
            error!("not reloaded, nothing is changed: {what} cannot change while the server runs: restart it");
            is_fit = false;
        }
        if !is_fit {
            return;
        }
        for warning in warnings {
            warn!("{warning}");
        }
        if let (Some(shown), Some(new)) = (&self.identity, settings.doors.iter().find_map(|door| door.tls.as_ref())) {
            shown.renew(new);
        }
        self.certificate = certificate;
        make_room(settings.bounds.connections_max);
        let keys = settings.keys.len();
        server.limit(settings.bounds);
        server.configure(settings.config, settings.keys);
        info!(keys, "reloaded");
    }
}

/// Who the server proves to be, at whichever of its doors.
pub fn identity(settings: &Settings) -> Option<Identity> {
    settings.doors.iter().find_map(|door| door.tls.clone())
}

fn listens(settings: &Settings) -> Vec<(String, &'static str)> {
    settings.doors.iter().map(|door| (door.listen.clone(), door.word())).collect()
}
