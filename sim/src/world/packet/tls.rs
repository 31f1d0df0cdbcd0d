//! What proves who somebody is, where the app has TLS: an authority, the certificate it signed for the server, and those
//! that a portal shows in its place.
//!
//! All keys are Ed25519 keys made of fixed numbers, so that what is signed with them is as long each time: nothing of a run
//! depends on the randomness of a handshake. The product's own side of it, whom an SDK trusts, is `gatecrash::driver::trust`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gatecrash::driver::identity::Identity;
use gatecrash::driver::trust::Trust;
use gatecrash::time::WallTime;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ED25519, date_time_ymd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::SERVER;

/// What an Ed25519 key in PKCS #8 begins with: then come its 32 bytes.
const KEY_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// From the first day of one year to that of another. No clock of a run is off by as much as the longest.
const ALWAYS: (i32, i32) = (1970, 4096);
const LONG_AGO: (i32, i32) = (1970, 1971);

/// Who signs, and for whom.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
struct Signed {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

fn key(number: u8) -> KeyPair {
    let mut der = KEY_PREFIX.to_vec();
    der.extend([number; 32]);
    let der = PrivatePkcs8KeyDer::from(der);
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).expect("any 32 bytes are a key")
}

impl Authority {
    fn new(number: u8) -> Self {
        let mut params = params([].as_slice(), ALWAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, key(number)).expect("an authority may sign for itself"))
    }

    /// A certificate for this name, valid from the first of January of one year to that of another.
    fn signs(&self, name: &str, valid: (i32, i32), number: u8) -> Signed {
        let key = key(number);
        let certificate = params(&[name.to_owned()], valid).signed_by(&key, &self.0).expect("an authority may sign");
        Signed { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }
}

fn params(names: &[String], (from, to): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(names).expect("the names are host names");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

/// Who vouches for the server.
fn authority() -> Authority {
    Authority::new(1)
}

/// Who the server proves to be, and whom devices trust.
pub(super) struct Tls {
    pub(super) identity: Identity,
    pub(super) trust: Trust,
    strangers: TlsConnector,
    start: Start,
}

impl Tls {
    /// As it is when the wall clock says so.
    pub(super) fn new(start: WallTime) -> Self {
        let authority = authority();
        let Signed { pem, key, .. } = authority.signs(SERVER, ALWAYS, 2);
        let identity = Identity::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes(), start);
        let trust = Trust::authority(authority.0.pem().as_bytes());
        let start = Start(start);
        let mut roots = RootCertStore::empty();
        roots.add(authority.0.der().clone()).expect("it is an authority's");
        let strangers = ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(start))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the cryptography has what TLS 1.3 needs")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Tls {
            identity: identity.expect("it has just been made for its key"),
            trust: trust.expect("it is an authority's"),
            strangers: TlsConnector::from(Arc::new(strangers)),
            start,
        }
    }

    /// A stranger's side of a handshake: their manners end after it. None if the server does not make it.
    pub(super) async fn opened_by_stranger<Stream>(&self, stream: Stream) -> Option<impl AsyncRead + AsyncWrite + Unpin>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(SERVER).expect("it is a host name");
        self.strangers.connect(name, stream).await.ok()
    }

    /// What a portal shows, who knows how it is done: a certificate for the right name, by an authority of its own; one
    /// by the right authority, for a name of its own; and the server's from long ago, which was lost then.
    pub(super) fn of_portals(&self) -> [TlsAcceptor; 3] {
        let (right, wrong) = (authority(), Authority::new(3));
        let shown =
            [wrong.signs(SERVER, ALWAYS, 4), right.signs("portal", ALWAYS, 5), right.signs(SERVER, LONG_AGO, 6)];
        shown.map(|Signed { certificate, key, .. }| {
            let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
            let config = ServerConfig::builder_with_details(Arc::new(default_provider()), Arc::new(self.start))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .expect("the cryptography has what TLS 1.3 needs")
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .expect("the key is the certificate's");
            TlsAcceptor::from(Arc::new(config))
        })
    }
}

/// The time at which whoever is not under test takes it to be: that of the start.
#[derive(Clone, Copy)]
struct Start(WallTime);

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start")
    }
}

impl TimeProvider for Start {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_micros(self.0.as_micros())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_the_same_each_time() {
        let made = || authority().signs(SERVER, ALWAYS, 2).pem;
        assert_eq!(made(), made());
    }
}
