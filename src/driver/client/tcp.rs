//! An SDK in the real world: over TCP, its record and caches in files.
//!
//! Only puts the parts together that [`driver::tokio`](crate::driver::tokio) and [`driver::disk`](crate::driver::disk) have.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;

use super::{Sdk, SdkDriver};
use crate::driver::Unobserved;
use crate::driver::disk::{FileDisk, MemoryDisk};
use crate::driver::tokio::Live;

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
/// let (sdk, driver) = gatecrash::driver::client::over_tcp("im.example.org:7000", None).unwrap();
/// tokio::spawn(driver);
/// sdk.init(Platform::Linux).await.unwrap();
/// assert_eq!(sdk.login_status(), Status::Logout);
/// # });
/// ```
pub fn over_tcp(server: impl Into<String>, data: Option<&Path>) -> io::Result<(Sdk, Driving)> {
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
/// use gatecrash::driver::client::Driving;
///
/// let nothing: Driving = Box::pin(async {});
/// drop(nothing);
/// ```
pub type Driving = Pin<Box<dyn Future<Output = ()> + Send>>;
