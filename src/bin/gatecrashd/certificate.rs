//! The server's certificate and its key as an operator hands them over: two files in PEM.
//!
//! Says which of the two is wrong, and how, before anybody connects (TLS-1). What they prove is the library's business.

use std::path::Path;
use std::time::Duration;

use gatecrash::driver::Surroundings;
use gatecrash::driver::identity::{Identity, IdentityError};
use gatecrash::time::WallTime;
use sha2::{Digest, Sha256};

use crate::date::Seconds;

/// A certificate that expires sooner than this is warned of: whatever renews it should have done so.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 86_400);

/// How often a running server looks when its certificate expires.
const DAY: Duration = Duration::from_secs(86_400);

/// Who the server is by two files, and which they were.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Who that is.
    pub identity: Identity,
    /// A hash of what was in both.
    files: [u8; 32],
}

/// What is wrong with the two files.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// With the chain of certificates.
    Chain(String),
    /// With the key, or with both together.
    Key(String),
}

/// Who the server is by these files, and what an operator should know of it. What is `in_force` already stays so when it is
/// found again and has expired meanwhile: to refuse it would change nothing for it, and hold up all else that is reloaded.
///
/// # Errors
///
/// What is wrong, with the file's name.
pub fn of_files(
    chain: &Path,
    key: &Path,
    now: WallTime,
    in_force: Option<&Certificate>,
) -> Result<(Certificate, Option<String>), Problem> {
    let read = |path: &Path, what: &str| {
        std::fs::read(path).map_err(|error| format!("cannot read the {what} '{}': {error}", path.display()))
    };
    let chain_bytes = read(chain, "certificate").map_err(Problem::Chain)?;
    let key_bytes = read(key, "key").map_err(Problem::Key)?;
    let shown = format!("the certificate '{}'", chain.display());
    let files = hash(&chain_bytes, &key_bytes);
    let read = Identity::from_pem(&chain_bytes, &key_bytes, now);
    if let (Err(IdentityError::Expired { .. }), Some(same)) = (&read, in_force.filter(|before| before.files == files)) {
        return Ok((same.clone(), warning(&shown, same.identity.valid_until(), now)));
    }
    let identity = read.map_err(|error| {
        let said = match &error {
            IdentityError::Expired { at, .. } => format!("{error}: at {}", seconds(*at)),
            IdentityError::NotYetValid { from, .. } => format!("{error}: from {}", seconds(*from)),
            IdentityError::NoCertificate
            | IdentityError::BadCertificate { .. }
            | IdentityError::NoKey
            | IdentityError::BadKey(_)
            | IdentityError::OtherKey => error.to_string(),
        };
        match error.is_of_the_key() {
            true => Problem::Key(format!("the key '{}': {said}", key.display())),
            false => Problem::Chain(format!("{shown}: {said}")),
        }
    })?;
    let warning = warning(&shown, identity.valid_until(), now);
    Ok((Certificate { identity, files }, warning))
}

/// Says every day what an operator should know of the certificate that is shown. Ends when it is dropped.
pub async fn watch(surroundings: impl Surroundings, identity: Identity, say: impl Fn(&str)) {
    loop {
        surroundings.sleep_until(surroundings.now().instant + DAY).await;
        let warning = warning("the certificate that is shown", identity.valid_until(), surroundings.now().wall);
        if let Some(warning) = warning {
            say(&warning);
        }
    }
}

fn warning(shown: &str, valid_until: WallTime, now: WallTime) -> Option<String> {
    let at = seconds(valid_until);
    if now > valid_until {
        Some(format!("{shown} has expired: at {at}; nobody new comes in by TLS until it is renewed"))
    } else {
        (valid_until - now < EXPIRES_SOON).then(|| format!("{shown} expires soon: at {at}"))
    }
}

fn hash(chain: &[u8], key: &[u8]) -> [u8; 32] {
    // Hashed each for itself, so that nothing can pass from one to the other.
    Sha256::new().chain_update(Sha256::digest(chain)).chain_update(Sha256::digest(key)).finalize().into()
}

fn seconds(at: WallTime) -> Seconds {
    Seconds(at.seconds())
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::io;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use gatecrash::time::{Instant, Now};
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tokio::io::DuplexStream;

    use super::*;

    /// The first of January of 2025.
    const EXPIRES: u64 = 1_735_689_600;

    fn at(seconds: u64) -> WallTime {
        WallTime::from_seconds(seconds)
    }

    /// A certificate of its own that expires then, and its key, in PEM.
    fn signed() -> (String, String) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2025, 1, 1));
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    struct Files(PathBuf);

    impl Files {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("gatecrashd-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Files(folder)
        }

        fn write(&self, (chain, key): &(String, String)) {
            std::fs::write(self.0.join("a.pem"), chain).unwrap();
            std::fs::write(self.0.join("a.key"), key).unwrap();
        }

        fn read(&self, now: u64, in_force: Option<&Certificate>) -> Result<(Certificate, Option<String>), Problem> {
            of_files(&self.0.join("a.pem"), &self.0.join("a.key"), at(now), in_force)
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// TLS-1, CONFIG-2: what has expired is refused, unless it is what is in force already.
    #[test]
    fn an_expired_certificate_stays_in_force_and_comes_into_none() {
        let (files, first) = (Files::new("expired"), signed());
        files.write(&first);
        let (in_force, warning) = files.read(EXPIRES - 86_400 * 15, None).unwrap();
        assert_eq!(warning, None);
        let (_, warning) = files.read(EXPIRES - 86_400, Some(&in_force)).unwrap();
        assert!(warning.is_some_and(|warning| warning.contains("a.pem' expires soon: at 1735689600 (2025-01-01T")));

        assert!(matches!(files.read(EXPIRES + 1, None), Err(Problem::Chain(what)) if what.contains("has expired")));
        let (_, warning) = files.read(EXPIRES + 1, Some(&in_force)).unwrap();
        assert!(warning.is_some_and(|warning| warning.contains("a.pem' has expired: at 1735689600 (2025-01-01T")));
        // Another that has expired is not taken for it, nor is it with another key.
        files.write(&signed());
        assert!(matches!(files.read(EXPIRES + 1, Some(&in_force)), Err(Problem::Chain(_))));
        files.write(&(first.0, signed().1));
        assert!(files.read(EXPIRES + 1, Some(&in_force)).is_err());
    }

    /// A world whose clocks are those of the test.
    #[derive(Clone)]
    struct Clocks(tokio::time::Instant);

    impl Surroundings for Clocks {
        type Listener = ();
        type Stream = DuplexStream;

        async fn listen(&self, _address: &str) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        async fn accept(&self, _listener: &()) -> io::Result<DuplexStream> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn connect(&self, _server: &str) -> impl Future<Output = io::Result<DuplexStream>> + Send + 'static {
            std::future::ready(Err(io::ErrorKind::Unsupported.into()))
        }

        fn now(&self) -> Now {
            let micros = u64::try_from(self.0.elapsed().as_micros()).unwrap();
            let began = at(EXPIRES - 16 * 86_400 - 43_200).as_micros();
            Now { instant: Instant::from_micros(micros), wall: WallTime::from_micros(began + micros) }
        }

        fn seed(&self) -> [u8; 32] {
            [0; 32]
        }
    }

    /// TLS-1: from two weeks before on, and also afterwards.
    #[test]
    fn it_is_said_every_day_that_a_certificate_expires() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (chain, key) = signed();
        let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes(), at(EXPIRES - 1)).unwrap();
        let said = Mutex::new(Vec::new());
        let watching = async {
            let watching = watch(Clocks(tokio::time::Instant::now()), identity, |line| {
                said.lock().unwrap().push(line.to_owned());
            });
            let _ = tokio::time::timeout(18 * DAY + DAY / 2, watching).await;
        };
        runtime.block_on(watching);
        let said = said.into_inner().unwrap();
        let is_soon = |line: &&String| line.starts_with("the certificate that is shown expires soon: at ");
        assert_eq!(said.iter().take_while(is_soon).count(), 14, "{said:#?}");
        let rest = &said[14..];
        assert_eq!(rest.len(), 2, "{said:#?}");
        assert!(
            rest.iter().all(|line| line.starts_with("the certificate that is shown has expired: at ")),
            "{rest:#?}"
        );
    }
}
