//! Certificates for tests, by an authority that the test makes.

use std::time::Duration;

use gatecrash::driver::Surroundings;
use gatecrash::driver::identity::{Identity, IdentityError};
use gatecrash::driver::tokio::Live;
use gatecrash::driver::trust::Trust;
use gatecrash::time::WallTime;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

/// Somebody who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a server has, in PEM.
pub struct Signed {
    pub chain: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name, valid from the first of January of one year to that of another.
    pub fn signs_from(&self, name: &str, from: i32, to: i32) -> Signed {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        self.signs_for(params)
    }

    /// A certificate for this name that is valid up to this second.
    pub fn signs_until(&self, name: &str, last: WallTime) -> Signed {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(last.seconds());
        self.signs_for(params)
    }

    fn signs_for(&self, params: CertificateParams) -> Signed {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Signed { chain: certificate.pem(), key: key.serialize_pem() }
    }

    /// A certificate for this name that is valid.
    pub fn signs(&self, name: &str) -> Signed {
        self.signs_from(name, 2020, 2120)
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn trusted(&self) -> Trust {
        Trust::authority(self.pem().as_bytes()).unwrap()
    }
}

impl Signed {
    pub fn identity(&self) -> Identity {
        self.read().unwrap()
    }

    pub fn read(&self) -> Result<Identity, IdentityError> {
        Identity::from_pem(self.chain.as_bytes(), self.key.as_bytes(), Live::new().now().wall)
    }
}
