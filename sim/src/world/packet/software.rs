//! What runs at the places of this world: the product's drivers, or somebody else's SDK and server.
//!
//! The world steps time, keeps the network and does what the script has for links, clocks, machines and processes. Of what
//! runs there it knows what is here. Who it is, is said where the run begins.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use gatecrash::time::Instant;

use super::super::phases::Phases;
use super::place::{DevicePlace, Shared};
use crate::scenario::{AppChange, Call, ListenerEvent, Scenario};
use crate::trace::Recorder;

/// What is polled for a device.
pub(crate) type Driver = Pin<Box<dyn Future<Output = ()>>>;

/// How a server's process ended.
pub(crate) type Ended = Result<(), Box<dyn Error>>;

/// An SDK, its application and its server.
pub(crate) trait Software: 'static {
    /// What runs on a device.
    type Program: Program;

    /// The server's process, from a start to its end: a crash drops it.
    fn serve(&self, shared: Arc<Shared>) -> Pin<Box<dyn Future<Output = Ended>>>;

    /// What runs on the device from now to its death, and what is to be polled for it.
    fn start(self: &Rc<Self>, shared: &Arc<Shared>, device: usize, place: &DevicePlace) -> (Self::Program, Driver);

    /// What has to come to rest once the script is over.
    fn phases(&self, scenario: &Scenario) -> Phases;

    /// The server's process is told to stop, if it is still there to be told.
    fn stop(&self) -> bool;

    /// The server's process is dead: nobody is left to tell anything.
    fn died(&self);

    /// The server is to be configured otherwise from now on.
    fn configure(&self, at: Instant, recorder: &Recorder, change: &AppChange);

    /// The next server that is started speaks this version of the protocol.
    fn upgrade(&self, version: u32);

    /// The server's wall clock jumped.
    fn clock_changed(&self);

    /// The device's disk is empty.
    fn wiped(&self, device: usize) {
        let _ = device;
    }

    /// The first device's disk is on the second as well.
    fn copied(&self, from: usize, onto: usize) {
        let _ = (from, onto);
    }
}

/// An SDK and the application that calls it, in one process of a device.
pub(crate) trait Program {
    /// The application makes the call.
    fn call(&self, call: &Call);

    /// The application makes the call when it is next told this event.
    fn arm(&self, event: ListenerEvent, call: Call);

    /// The device was frozen and goes on, or its application has reason to look at the link.
    fn woken(&self);

    /// If it has called nothing yet, it goes on from what is on the disk now: what is to be polled for it from here.
    fn read_again(&mut self) -> Option<Driver>;

    /// Its process is about to die.
    fn dies(&self);
}
