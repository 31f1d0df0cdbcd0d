//! The server's certificate and its key as an operator hands them over: two files in PEM.
//!
//! Says which of the two is wrong, and how, before anybody connects (TLS-1). What they prove is the library's business.

use std::path::Path;
use std::time::Duration;

use gatecrash::driver::identity::{Identity, IdentityError};
use gatecrash::time::WallTime;

use crate::date::Seconds;

/// A certificate that expires sooner than this is warned of: whatever renews it should have done so.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 86_400);

/// What is wrong with the two files.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// With the chain of certificates.
    Chain(String),
    /// With the key, or with both together.
    Key(String),
}

/// Who the server is by these files, and what an operator should know of it.
///
/// # Errors
///
/// What is wrong, with the file's name.
pub fn of_files(chain: &Path, key: &Path, now: WallTime) -> Result<(Identity, Option<String>), Problem> {
    let read = |path: &Path, what: &str| {
        std::fs::read(path).map_err(|error| format!("cannot read the {what} '{}': {error}", path.display()))
    };
    let chain_bytes = read(chain, "certificate").map_err(Problem::Chain)?;
    let key_bytes = read(key, "key").map_err(Problem::Key)?;
    let identity = Identity::from_pem(&chain_bytes, &key_bytes, now).map_err(|error| {
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
            false => Problem::Chain(format!("the certificate '{}': {said}", chain.display())),
        }
    })?;
    let left = identity.valid_until() - now;
    let warning = (left < EXPIRES_SOON)
        .then(|| format!("the certificate '{}' expires soon: at {}", chain.display(), seconds(identity.valid_until())));
    Ok((identity, warning))
}

fn seconds(at: WallTime) -> Seconds {
    Seconds(at.seconds())
}
