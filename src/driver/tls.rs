//! What both ends of a connection of TLS share: version, cryptography, and the surroundings' wall clock, since a
//! certificate expires by the time of the world it is shown in.
//!
//! Whose certificate is trusted is `trust`'s business, and which one is shown `identity`'s.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::{ConfigBuilder, ConfigSide, WantsVerifier, WantsVersions};

use crate::driver::Surroundings;

/// What both ends say that they speak, so that no other protocol's words are taken for it.
pub(super) const ALPN: &[u8] = b"gatecrash/1";

struct Clock<S>(S);

impl<S> fmt::Debug for Clock<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl<S: Surroundings> TimeProvider for Clock<S> {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_micros(self.0.now().wall.as_micros())))
    }
}

/// The cryptography, the same for both ends.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The clock of these surroundings.
pub(super) fn clock(surroundings: impl Surroundings) -> Arc<dyn TimeProvider> {
    Arc::new(Clock(surroundings))
}

/// TLS 1.3 and nothing older.
pub(super) fn only_tls13<Side: ConfigSide>(
    builder: ConfigBuilder<Side, WantsVersions>,
) -> ConfigBuilder<Side, WantsVerifier> {
    builder.with_protocol_versions(&[&rustls::version::TLS13]).expect("the cryptography has what TLS 1.3 needs")
}
