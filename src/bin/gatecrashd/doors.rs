//! Where a configuration says to listen: `listen`, `[tls]` and `[websocket]`.
//!
//! Looks at addresses and files, and opens nothing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gatecrash::driver::server::Door;
use gatecrash::time::WallTime;
use serde::Deserialize;
use toml::Spanned;

use crate::certificate::{self, Certificate, Problem};
use crate::config::address_problem;
use crate::privacy;

/// Where a server listens of which nothing else is said.
const LISTEN: &str = "127.0.0.1:7000";

/// How those who say where to listen are called.
const LISTEN_KEY: &str = "`listen`";
const TLS_KEY: &str = "`listen` of [tls]";
const WEBSOCKET_KEY: &str = "`listen` of [websocket]";
const METRICS_KEY: &str = "`listen` of [metrics]";

/// Who the server proves to be, and where.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Where SDKs connect with TLS; without it only the WebSocket has it.
    listen: Option<Spanned<String>>,
    certificate: Spanned<PathBuf>,
    key: Spanned<PathBuf>,
}

/// Where browsers connect.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSocket {
    listen: Spanned<String>,
    /// With TLS if there is any, unless said otherwise, as behind a proxy that has the certificate.
    tls: Option<Spanned<bool>>,
}

/// The lines of a configuration that say where to listen.
pub struct Lines<'a> {
    pub listen: Option<&'a Spanned<String>>,
    pub tls: Option<&'a Tls>,
    pub websocket: Option<&'a WebSocket>,
    /// Where metrics are asked for: no door, and nowhere that a door is.
    pub metrics: Option<&'a Spanned<String>>,
    /// Whether something of `[tls]` could not be read, so that nothing is said of what is missing for want of it.
    pub tls_in_doubt: bool,
    /// The certificate that a running server shows.
    pub in_force: Option<&'a Certificate>,
}

/// What can be used, and what has to be said of it; each with its place in the text.
#[derive(Debug, Default)]
pub struct Doors {
    /// A door, and where the text says so, if it does.
    pub doors: Vec<(Door, Option<usize>)>,
    pub certificate: Option<Certificate>,
    pub complaints: Vec<(usize, String)>,
    pub warnings: Vec<(usize, String)>,
}

/// The doors of these lines; files are looked for `beside` the configuration.
pub fn read(lines: &Lines<'_>, beside: &Path, now: WallTime) -> Doors {
    let mut read = Doors::default();
    let identity = lines.tls.and_then(|Tls { certificate, key, .. }| {
        let (chain_at, key_at) = (beside.join(certificate.get_ref()), beside.join(key.get_ref()));
        match certificate::of_files(&chain_at, &key_at, now, lines.in_force) {
            Ok((read_now, warning)) => {
                read.warnings.extend(warning.map(|warning| (certificate.span().start, warning)));
                let others = privacy::warning("private key", &key_at);
                read.warnings.extend(others.map(|warning| (key.span().start, warning)));
                Some(read.certificate.insert(read_now).identity.clone())
            }
            Err(Problem::Chain(what)) => {
                read.complaints.push((certificate.span().start, what));
                None
            }
            Err(Problem::Key(what)) => {
                read.complaints.push((key.span().start, what));
                None
            }
        }
    });
    let mut taken = Taken::default();
    let mut listens = |key: &'static str, listen: &Spanned<String>, door: Door| {
        read.complaints.extend(taken.complaint(key, listen));
        read.doors.push((door, Some(listen.span().start)));
    };
    if let Some(listen) = lines.listen {
        listens(LISTEN_KEY, listen, Door::tcp(listen.get_ref()));
    }
    if let Some(listen) = lines.tls.and_then(|tls| tls.listen.as_ref()) {
        listens(TLS_KEY, listen, Door { tls: identity.clone(), ..Door::tcp(listen.get_ref()) });
    }
    if let Some(WebSocket { listen, tls }) = lines.websocket {
        let wants_tls = tls.as_ref().map_or(lines.tls.is_some(), |tls| *tls.get_ref());
        let door = Door { tls: identity.filter(|_| wants_tls), websocket: true, ..Door::tcp(listen.get_ref()) };
        listens(WEBSOCKET_KEY, listen, door);
        if let Some(tls) = tls.as_ref().filter(|_| wants_tls && lines.tls.is_none() && !lines.tls_in_doubt) {
            let what = "there is no certificate for it: write `certificate` and `key` below [tls]";
            read.complaints.push((tls.span().start, what.to_owned()));
        }
    }
    if read.doors.is_empty() {
        read.doors.push((Door::tcp(LISTEN), None));
        taken.by("`listen`, of which nothing is said,", LISTEN);
    }
    read.complaints.extend(lines.metrics.and_then(|listen| taken.complaint(METRICS_KEY, listen)));
    read
}

/// Addresses that are taken, and what says so.
#[derive(Default)]
struct Taken(Vec<(&'static str, String)>);

impl Taken {
    /// Why this address of a configuration, which `key` names, cannot be listened on, at its place in the text.
    fn complaint(&mut self, key: &'static str, listen: &Spanned<String>) -> Option<(usize, String)> {
        let address = listen.get_ref();
        let problem = address_problem(address).map(str::to_owned).or_else(|| self.by(key, address))?;
        Some((listen.span().start, format!("cannot listen on {address}: {problem}")))
    }

    /// What takes this address already, if something does; otherwise `key` does from now on.
    fn by(&mut self, key: &'static str, address: &str) -> Option<String> {
        let before = self.0.iter().find(|(_, taken)| is_same(taken, address));
        let problem = before.map(|(key, taken)| format!("{key} is {taken} already"));
        self.0.push((key, address.to_owned()));
        problem
    }
}

/// Why the command line's door cannot be at this address, if one of the others or metrics are.
pub fn taken_by_others<'a>(
    address: &str,
    others: impl Iterator<Item = &'a Door>,
    metrics: Option<&str>,
) -> Option<String> {
    let mut taken = Taken::default();
    for door in others {
        taken.by(if door.websocket { WEBSOCKET_KEY } else { TLS_KEY }, &door.listen);
    }
    if let Some(metrics) = metrics {
        taken.by(METRICS_KEY, metrics);
    }
    taken.by(LISTEN_KEY, address)
}

/// Whether two cannot listen there, as far as can be told without the network. Port 0 is another each time; a host that has
/// no address of its own has those of all its family.
fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<SocketAddr>(), other.parse::<SocketAddr>()) {
        (Ok(one), Ok(other)) => {
            let is_either = one.ip().is_unspecified() || other.ip().is_unspecified();
            let is_met = one.ip() == other.ip() || is_either && one.is_ipv4() == other.is_ipv4();
            one.port() == other.port() && one.port() != 0 && is_met
        }
        _ => one.eq_ignore_ascii_case(other) && !one.ends_with(":0"),
    }
}
