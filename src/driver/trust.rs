//! Whom an SDK takes for its server: the one that the platform's authorities vouch for, or one of the application's own,
//! under the name that the application calls it by.
//!
//! Nothing is sent before that is settled (TLS-2). There is no way to do without.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::tls;
use crate::driver::{Surroundings, Untrusted};
use crate::time::{Instant, Now};

/// What is wrong with what an application wants to trust.
///
/// ```
/// use gatecrash::driver::trust::Trust;
///
/// let error = Trust::authority(b"no certificate").unwrap_err();
/// assert_eq!(error.to_string(), "there is no certificate of an authority in it");
/// ```
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no certificate in what should hold it.
    #[error("there is no certificate of an authority in it")]
    NoCertificate,
    /// What should be a certificate is none that can be an authority's.
    #[error("certificate {number} cannot be an authority's: {what}")]
    BadCertificate {
        /// Which, from 1.
        number: usize,
        /// What does not fit.
        what: String,
    },
    /// The platform's authorities cannot be read.
    #[error("the platform's authorities cannot be read: {0}")]
    Platform(String),
    /// Nothing can be called so.
    #[error("`{0}` is no name of a server")]
    BadName(String),
}

/// Whom to trust, and under which name.
///
/// ```
/// use gatecrash::driver::trust::Trust;
///
/// let trust = Trust::platform().named("im.example.org").unwrap();
/// assert!(Trust::platform().named("two words").is_err());
/// # drop(trust);
/// ```
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Roots,
    name: Option<ServerName<'static>>,
}

#[derive(Clone)]
enum Roots {
    Platform,
    Given(Arc<RootCertStore>),
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Roots::Platform => f.write_str("Platform"),
            Roots::Given(roots) => write!(f, "Given({})", roots.len()),
        }
    }
}

impl Trust {
    /// The authorities that the operating system trusts.
    pub fn platform() -> Self {
        Trust { roots: Roots::Platform, name: None }
    }

    /// Only these authorities, in PEM.
    ///
    /// # Errors
    ///
    /// [`TrustError`] when there is none, or one that is no authority's.
    pub fn authority(pem: &[u8]) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for (index, read) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let bad = |what: String| TrustError::BadCertificate { number: index + 1, what };
            let certificate = read.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(TrustError::NoCertificate);
        }
        Ok(Trust { roots: Roots::Given(Arc::new(roots)), name: None })
    }

    /// The server has to have a certificate for this name, in the place of the host that is connected to.
    ///
    /// # Errors
    ///
    /// [`TrustError::BadName`] when it is neither a host name nor an IP address.
    pub fn named(mut self, name: &str) -> Result<Self, TrustError> {
        self.name = Some(server_name(name)?);
        Ok(self)
    }

    /// What secures connections to `server`, a host name with a port, in these surroundings.
    ///
    /// # Errors
    ///
    /// [`TrustError`] when the host is no name that a certificate could have, or the platform's authorities cannot be
    /// read.
    pub fn guards<S: Surroundings>(&self, surroundings: S, server: &str) -> Result<Guarded<S>, TrustError> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => server_name(host(server))?,
        };
        let builder = ClientConfig::builder_with_details(tls::provider(), tls::clock(surroundings.clone()));
        let builder = tls::only_tls13(builder);
        let mut config = match &self.roots {
            Roots::Given(roots) => builder.with_root_certificates(Arc::clone(roots)),
            Roots::Platform => {
                builder.with_platform_verifier().map_err(|error| TrustError::Platform(error.to_string()))?
            }
        }
        .with_no_client_auth();
        config.alpn_protocols = vec![tls::ALPN.to_vec()];
        Ok(Guarded { surroundings, connector: TlsConnector::from(Arc::new(config)), name })
    }
}

/// The host of a host name with a port.
fn host(server: &str) -> &str {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn server_name(name: &str) -> Result<ServerName<'static>, TrustError> {
    ServerName::try_from(name.to_owned()).map_err(|InvalidDnsNameError { .. }| TrustError::BadName(name.to_owned()))
}

/// Surroundings in which an SDK connects to its server with TLS, and to nobody else (TLS-2).
///
/// ```no_run
/// # async fn example() {
/// use gatecrash::driver::{client, disk::MemoryDisk, tokio::Live, trust::Trust};
///
/// let server = "im.example.org:7443";
/// let guarded = Trust::platform().guards(Live::new(), server).unwrap();
/// let (sdk, driver) = client::sdk(guarded, MemoryDisk::default(), server);
/// driver.run().await;
/// # }
/// ```
#[derive(Clone)]
pub struct Guarded<S> {
    surroundings: S,
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl<S: Surroundings> Surroundings for Guarded<S> {
    type Listener = S::Listener;
    /// What is connected to has TLS, and what is accepted has not.
    type Stream = Either<S::Stream, Box<TlsStream<S::Stream>>>;

    async fn listen(&self, address: &str) -> io::Result<S::Listener> {
        self.surroundings.listen(address).await
    }

    async fn accept(&self, listener: &S::Listener) -> io::Result<Self::Stream> {
        Ok(Either::Left(self.surroundings.accept(listener).await?))
    }

    fn peer(&self, stream: &Self::Stream) -> Option<SocketAddr> {
        match stream {
            Either::Left(stream) => self.surroundings.peer(stream),
            Either::Right(stream) => self.surroundings.peer(stream.get_ref().0),
        }
    }

    fn connect(&self, server: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send + 'static {
        let connecting = self.surroundings.connect(server);
        let (connector, name) = (self.connector.clone(), self.name.clone());
        async move {
            let stream = connector.connect(name, connecting.await?).await.map_err(without_proof)?;
            Ok(Either::Right(Box::new(stream)))
        }
    }

    fn now(&self) -> Now {
        self.surroundings.now()
    }

    fn sleep_until(&self, at: Instant) -> impl Future<Output = ()> + Send {
        self.surroundings.sleep_until(at)
    }

    fn woken(&self) {
        self.surroundings.woken();
    }

    fn seed(&self) -> [u8; 32] {
        self.surroundings.seed()
    }
}

/// The error, and that it is for want of a good certificate if it is.
fn without_proof(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(why @ (rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)) => {
            io::Error::other(Untrusted { why: why.to_string() })
        }
        Some(_) | None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_host_is_what_stands_before_the_port() {
        assert_eq!(host("im.example.org:7000"), "im.example.org");
        assert_eq!(host("127.0.0.1:7000"), "127.0.0.1");
        assert_eq!(host("[::1]:7000"), "::1");
        assert_eq!(host("im.example.org"), "im.example.org");
    }
}
