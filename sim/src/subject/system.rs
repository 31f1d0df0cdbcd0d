//! A system under test: an SDK and a server that somebody else wrote, as the world runs them.
//!
//! What they are given to stand on is in `place`, what they say goes through `answer`.

use std::future::Future;
use std::io;
use std::time::Duration;

use gatecrash::policy::Seats;

use super::answer::{Events, Reply};
use super::place::{DevicePlace, ServerPlace};
use super::said::{JudgedBy, Status};
use crate::scenario::Vocabulary;

/// An SDK and its server. A value of it is what a run is made with; each run, and each start of a process, asks it anew.
///
/// The smallest there is: nobody is ever logged in.
///
/// ```
/// use std::time::Duration;
/// use gatecrash_sim::subject::{Device, DevicePlace, Events, Outcome, Reply, ServerPlace, Status, System, Ticket};
///
/// #[derive(Clone)]
/// struct Nothing;
///
/// struct Phone;
///
/// impl System for Nothing {
///     type Device = Phone;
///
///     fn name(&self) -> &str {
///         "nothing 0.1"
///     }
///
///     fn settles_within(&self) -> Duration {
///         Duration::from_secs(5)
///     }
///
///     async fn serve(self, place: ServerPlace) -> std::io::Result<()> {
///         let listener = place.listen().await?;
///         loop {
///             drop(place.accept(&listener).await?);
///         }
///     }
///
///     fn start(&self, _: DevicePlace, _: Events) -> Phone {
///         Phone
///     }
/// }
///
/// impl Device for Phone {
///     fn login(&self, _: &str, _: &Ticket, reply: Reply) {
///         reply.answer(Outcome::Failed(1));
///     }
///
///     fn logout(&self, reply: Reply) {
///         reply.answer(Outcome::Ok);
///     }
///
///     fn send(&self, _: &str, _: &str, _: &str, reply: Reply) {
///         reply.answer(Outcome::Failed(1));
///     }
///
///     fn status(&self) -> Status {
///         Status::Logout
///     }
/// }
/// ```
pub trait System: Clone + 'static {
    /// The SDK in a device's process.
    type Device: Device;

    /// Its name and version, as histories have it.
    fn name(&self) -> &str;

    /// How long after the last fault everything has come to rest at the latest: its heartbeat, time-outs and back-off
    /// together. Whoever still waits for a result then, or is still logging in, waits for ever.
    fn settles_within(&self) -> Duration;

    /// Who may be logged in together: by the policy of the rules that it keeps, and its numbers of devices.
    fn seats(&self) -> Seats {
        Seats::default()
    }

    /// What of a scenario it knows beside what every system does.
    fn knows(&self) -> Vocabulary {
        Vocabulary::default()
    }

    /// What is taken for right.
    fn judged_by(&self) -> JudgedBy {
        JudgedBy::Applications
    }

    /// The server, from a start of its process to its death: a crash drops it, and the next start calls this again. It
    /// may spawn tasks, which die with it. It never ends by itself: if it does, the run fails.
    fn serve(self, place: ServerPlace) -> impl Future<Output = io::Result<()>> + 'static;

    /// The SDK, from a start of the device's process to its death. It may spawn tasks with [`tokio::task::spawn_local`],
    /// here and in every method of the device: they are suspended with the device, and die with it.
    fn start(&self, place: DevicePlace, events: Events) -> Self::Device;
}

/// An SDK, as its application calls it. No call waits: each is answered through its [`Reply`], now or later.
pub trait Device: 'static {
    /// Logs in, whoever is logged in already.
    fn login(&self, user: &str, ticket: &Ticket, reply: Reply);

    /// Logs out.
    fn logout(&self, reply: Reply);

    /// Sends a message to a user. An application that sends it again does so with the same id.
    fn send(&self, to: &str, text: &str, id: &str, reply: Reply);

    /// Asks for the list of conversations. Only called where [`System::knows`] says so.
    fn conversations(&self, reply: Reply) {
        let _ = reply;
    }

    /// The device was frozen and goes on; or its application has reason to think that the network is well again.
    fn woken(&self) {}

    /// The device's operating system says that the network is another one.
    fn network_changed(&self) {}

    /// Who is logged in. Asked for after everything that the device does.
    fn status(&self) -> Status;
}

/// What the business server gave the application to log in with.
///
/// ```
/// use gatecrash_sim::subject::Ticket;
///
/// let ticket = Ticket { text: "…".to_owned(), user: "alice".to_owned(), issued: 1_700_000_000, expires: 1_700_000_060 };
/// assert_eq!(ticket.expires - ticket.issued, 60);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The UserSig. A system with tickets of another kind makes its own from what else is here.
    pub text: String,
    /// Whose it is.
    pub user: String,
    /// When it was issued, in seconds since 1970 by the server's wall clock.
    pub issued: u64,
    /// From when on it holds no more, in the same seconds.
    pub expires: u64,
}
