//! An SDK in the real world: over TCP, its record and caches in files.
//!
//! Only puts together what the SDK's driver, the real surroundings and the disk of files are.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;

use super::Live;
use crate::driver::Unobserved;
use crate::driver::client::{Sdk, SdkDriver};
use crate::driver::disk::{FileDisk, MemoryDisk};

/// Makes an SDK that talks to `server` over TCP and keeps its record and caches in `data`, or in
/// memory without it. Spawn the driver that comes with the handle.
///
/// # Errors
///
/// As [`FileDisk::open`].
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use gatecrash::{client::Status, policy::Platform};
///
/// let (sdk, driver) = gatecrash::driver::tokio::sdk("im.example.org:7000", None).unwrap();
/// tokio::spawn(driver);
/// sdk.init(Platform::Linux).await.unwrap();
/// assert_eq!(sdk.login_status(), Status::Logout);
/// # });
/// ```
pub fn sdk(server: impl Into<String>, data: Option<&Path>) -> io::Result<(Sdk, Driving)> {
    Ok(match data {
        Some(data) => {
            let (sdk, driver) = SdkDriver::<_, _>::new(Live::new(), FileDisk::open(data)?, Unobserved, server);
            (sdk, Box::pin(driver.run()))
        }
        None => {
            let (sdk, driver) = SdkDriver::<_, _>::new(Live::new(), MemoryDisk::default(), Unobserved, server);
            (sdk, Box::pin(driver.run()))
        }
    })
}

/// A running [`SdkDriver`].
///
/// ```
/// use gatecrash::driver::tokio::Driving;
///
/// let nothing: Driving = Box::pin(async {});
/// drop(nothing);
/// ```
pub type Driving = Pin<Box<dyn Future<Output = ()> + Send>>;
