//! Who a server proves to be: its certificate with the chain to an authority, and the private key that goes with it.
//!
//! Both are looked at when they are read, so that what nobody could trust is said before anybody connects (TLS-1). A
//! renewed one is shown to whoever connects from then on, and disturbs nobody who is there (TLS-3).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::tls;
use crate::driver::Surroundings;
use crate::time::WallTime;

/// What is wrong with a certificate or its key.
///
/// ```
/// use gatecrash::driver::identity::{Identity, IdentityError};
/// use gatecrash::time::WallTime;
///
/// let error = Identity::from_pem(b"", b"", WallTime::from_micros(0)).unwrap_err();
/// assert!(matches!(error, IdentityError::NoCertificate));
/// assert_eq!(error.to_string(), "there is no certificate in it: `-----BEGIN CERTIFICATE-----` is looked for");
/// ```
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is none in what should hold the chain.
    #[error("there is no certificate in it: `-----BEGIN CERTIFICATE-----` is looked for")]
    NoCertificate,
    /// What should be a certificate is none.
    #[error("certificate {number} of the chain cannot be read: {what}")]
    BadCertificate {
        /// Which of the chain, from 1, the server's own.
        number: usize,
        /// What does not fit.
        what: String,
    },
    /// There is no key in what should hold it.
    #[error("there is no private key in it: `-----BEGIN PRIVATE KEY-----` is looked for")]
    NoKey,
    /// What should be a key is none, or one that nobody can sign with.
    #[error("the private key cannot be used: {0}")]
    BadKey(String),
    /// The two belong to others.
    #[error("the private key is not the one of the certificate")]
    OtherKey,
    /// Nobody would trust it any more.
    #[error("certificate {number} of the chain has expired")]
    Expired {
        /// Which of the chain, from 1, the server's own.
        number: usize,
        /// When.
        at: WallTime,
    },
    /// Nobody trusts it yet.
    #[error("certificate {number} of the chain is not valid yet")]
    NotYetValid {
        /// Which of the chain, from 1, the server's own.
        number: usize,
        /// From when.
        from: WallTime,
    },
}

impl IdentityError {
    /// Whether it is the key that is wrong, or the two together, and not the chain alone.
    pub fn is_of_the_key(&self) -> bool {
        match self {
            IdentityError::NoKey | IdentityError::BadKey(_) | IdentityError::OtherKey => true,
            IdentityError::NoCertificate
            | IdentityError::BadCertificate { .. }
            | IdentityError::Expired { .. }
            | IdentityError::NotYetValid { .. } => false,
        }
    }
}

/// What a server shows and signs with.
#[derive(Clone)]
struct Shown {
    key: Arc<CertifiedKey>,
    valid_until: WallTime,
}

/// A server's certificate and key. A clone is the same one, and is renewed with it.
///
/// ```no_run
/// use gatecrash::driver::identity::Identity;
/// use gatecrash::time::WallTime;
///
/// let now = WallTime::from_micros(1_700_000_000_000_000);
/// let (chain, key) = (std::fs::read("chain.pem").unwrap(), std::fs::read("key.pem").unwrap());
/// let identity = Identity::from_pem(&chain, &key, now).unwrap();
/// assert!(identity.valid_until() > now);
/// ```
#[derive(Clone)]
pub struct Identity(Arc<RwLock<Shown>>);

impl Identity {
    /// Reads a chain of certificates, the server's own first, and its private key, both in PEM; `now` is when they are
    /// to be valid.
    ///
    /// # Errors
    ///
    /// [`IdentityError`], of the first thing that is wrong.
    pub fn from_pem(chain: &[u8], key: &[u8], now: WallTime) -> Result<Self, IdentityError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .enumerate()
            .map(|(index, read)| {
                read.map_err(|error| IdentityError::BadCertificate { number: index + 1, what: error.to_string() })
            })
            .collect::<Result<_, _>>()?;
        let mut valid_until = WallTime::from_micros(u64::MAX);
        for (index, certificate) in chain.iter().enumerate() {
            valid_until = valid_until.min(look_at(index + 1, certificate, now)?);
        }
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => IdentityError::NoKey,
            other => IdentityError::BadKey(other.to_string()),
        })?;
        let key = CertifiedKey::from_der(chain, key, &tls::provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => IdentityError::OtherKey,
            other => IdentityError::BadKey(other.to_string()),
        })?;
        Ok(Identity(Arc::new(RwLock::new(Shown { key: Arc::new(key), valid_until }))))
    }

    /// From now on whoever connects is shown what `new` shows. Who is connected notices nothing.
    pub fn renew(&self, new: &Identity) {
        let new = new.shown();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// When the first of the chain's certificates expires.
    pub fn valid_until(&self) -> WallTime {
        self.shown().valid_until
    }

    fn shown(&self) -> Shown {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What makes a connection of TLS of one that was accepted.
    pub(super) fn acceptor(&self, surroundings: impl Surroundings, alpn: &[u8]) -> TlsAcceptor {
        let builder = ServerConfig::builder_with_details(tls::provider(), tls::clock(surroundings));
        let mut config = tls::only_tls13(builder).with_no_client_auth().with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![alpn.to_vec()];
        // A device that comes back needs no signature of the server's, which costs more than all the rest.
        if let Ok(ticketer) = rustls::crypto::ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        TlsAcceptor::from(Arc::new(config))
    }
}

/// When it expires.
fn look_at(number: usize, certificate: &CertificateDer<'_>, now: WallTime) -> Result<WallTime, IdentityError> {
    let (_, certificate) = X509Certificate::from_der(certificate)
        .map_err(|error| IdentityError::BadCertificate { number, what: error.to_string() })?;
    let wall = |seconds: i64| WallTime::from_seconds(u64::try_from(seconds).unwrap_or(0));
    let validity = certificate.validity();
    let (from, until) = (wall(validity.not_before.timestamp()), wall(validity.not_after.timestamp()));
    if now > until {
        Err(IdentityError::Expired { number, at: until })
    } else if now < from {
        Err(IdentityError::NotYetValid { number, from })
    } else {
        Ok(until)
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown().key)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is nobody's to read in a log.
        f.debug_struct("Identity").field("valid_until", &self.valid_until()).finish_non_exhaustive()
    }
}
