//! A connection to the server, with TLS or without.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// A connection.
pub type Line = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// How long a connection may take, its handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(30);

/// Makes connections to one server.
#[derive(Clone)]
pub struct Dialler {
    server: String,
    tls: Option<TlsConnector>,
}

impl Dialler {
    /// To this server, for which this authority vouches.
    pub fn new(server: &str, authority: Option<&Path>) -> Result<Self, String> {
        let tls = authority.map(|path| {
            let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_file(path).map_err(|error| told(&error))?)
                .map_err(|error| told(&error))?;
            let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            // Every handshake is a whole one, with whatever server.
            config.resumption = rustls::client::Resumption::disabled();
            Ok::<_, String>(TlsConnector::from(Arc::new(config)))
        });
        Ok(Dialler { server: server.to_owned(), tls: tls.transpose()? })
    }

    /// A connection, ready to be spoken on.
    pub async fn dial(&self) -> io::Result<Line> {
        let dial = async {
            let stream = self.dial_bare().await?;
            let Some(tls) = &self.tls else { return Ok(Either::Left(stream)) };
            let name = ServerName::try_from("localhost").expect("a name");
            Ok(Either::Right(Box::new(tls.connect(name, stream).await?)))
        };
        tokio::time::timeout(CONNECT_MAX, dial).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// A connection without TLS, to do wrong on.
    pub async fn dial_bare(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.server).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
