//! Where a configuration says to listen: `listen`, `[tls]` and `[websocket]`.
//!
//! Looks at addresses and files, and opens nothing.

use std::path::{Path, PathBuf};

use gatecrash::driver::server::Door;
use gatecrash::time::WallTime;
use serde::Deserialize;
use toml::Spanned;

use crate::certificate::{self, Problem};
use crate::config::address_problem;
use crate::privacy;

/// Where a server listens of which nothing else is said.
const LISTEN: &str = "127.0.0.1:7000";

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
    /// Whether something of `[tls]` could not be read, so that nothing is said of what is missing for want of it.
    pub tls_in_doubt: bool,
}

/// What can be used, and what has to be said of it; each with its place in the text.
#[derive(Debug, Default)]
pub struct Doors {
    /// A door, and where the text says so, if it does.
    pub doors: Vec<(Door, Option<usize>)>,
    pub complaints: Vec<(usize, String)>,
    pub warnings: Vec<(usize, String)>,
}

/// The doors of these lines; files are looked for `beside` the configuration.
pub fn read(lines: &Lines<'_>, beside: &Path, now: WallTime) -> Doors {
    let mut read = Doors::default();
    let identity = lines.tls.and_then(|Tls { certificate, key, .. }| {
        match certificate::of_files(&beside.join(certificate.get_ref()), &beside.join(key.get_ref()), now) {
            Ok((identity, warning)) => {
                read.warnings.extend(warning.map(|warning| (certificate.span().start, warning)));
                let others = privacy::warning("private key", &beside.join(key.get_ref()));
                read.warnings.extend(others.map(|warning| (key.span().start, warning)));
                Some(identity)
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
    let mut listens = |listen: &Spanned<String>, door: Door| {
        if let Some(problem) = address_problem(listen.get_ref()) {
            read.complaints.push((listen.span().start, format!("cannot listen on {}: {problem}", listen.get_ref())));
        }
        read.doors.push((door, Some(listen.span().start)));
    };
    if let Some(listen) = lines.listen {
        listens(listen, Door::tcp(listen.get_ref()));
    }
    if let Some(listen) = lines.tls.and_then(|tls| tls.listen.as_ref()) {
        listens(listen, Door { tls: identity.clone(), ..Door::tcp(listen.get_ref()) });
    }
    if let Some(WebSocket { listen, tls }) = lines.websocket {
        let wants_tls = tls.as_ref().map_or(lines.tls.is_some(), |tls| *tls.get_ref());
        listens(listen, Door { tls: identity.filter(|_| wants_tls), websocket: true, ..Door::tcp(listen.get_ref()) });
        if let Some(tls) = tls.as_ref().filter(|_| wants_tls && lines.tls.is_none() && !lines.tls_in_doubt) {
            let what = "there is no certificate for it: write `certificate` and `key` below [tls]";
            read.complaints.push((tls.span().start, what.to_owned()));
        }
    }
    if read.doors.is_empty() {
        read.doors.push((Door::tcp(LISTEN), None));
    }
    read
}
