//! The handshake of TLS, where the app has it: a way there and back on each connection before anybody speaks (TLS-2).
//!
//! Nothing is computed: the server proves who it is, and a portal cannot. What is said afterwards is the same as without.

use gatecrash::client;

use super::flight::Body;
use super::{System, World};
use crate::trace::Observer;

/// How far it has come on a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Handshake {
    /// The device does not know yet who answers.
    Begun,
    /// It knows, and the server has not heard of that.
    Proved,
    /// Both may speak. So they may at once without TLS.
    Done,
}

impl<Y: System, O: Observer> World<'_, Y, O> {
    /// What a connection begins with.
    pub(super) fn handshake(&self) -> Handshake {
        if self.scenario.app.tls { Handshake::Begun } else { Handshake::Done }
    }

    /// Both ends have a connection: whoever asked for it may speak, or first wants to know to whom.
    pub(super) fn connected(&mut self, link: usize) {
        self.links[link].is_connected = true;
        match self.links[link].handshake {
            Handshake::Begun if self.links[link].is_to_portal => self.portal_shows_itself(link),
            Handshake::Begun => self.send(link, Body::ClientHello),
            Handshake::Proved | Handshake::Done => self.may_speak(link),
        }
    }

    /// A portal has a certificate of its own. It stands where the device is, so that it takes no time to see that.
    fn portal_shows_itself(&mut self, link: usize) {
        let (device, connection) = (self.links[link].device as usize, self.links[link].end);
        self.close_device_end(link);
        self.device_input(device, client::Input::Untrusted { connection });
    }

    /// The server's proof has arrived.
    pub(super) fn proved(&mut self, link: usize) {
        if self.links[link].is_device_end_open {
            self.links[link].handshake = Handshake::Proved;
            self.may_speak(link);
        }
    }

    fn may_speak(&mut self, link: usize) {
        let (device, connection) = (self.links[link].device as usize, self.links[link].end);
        match self.links[link].stranger {
            None => self.device_input(device, client::Input::Connected { connection }),
            Some(conduct) => self.stranger_speaks(link, conduct, 0),
        }
    }

    /// How a connection that ended looks to its device.
    pub(super) fn ended(&self, link: usize) -> client::Input {
        let connection = self.links[link].end;
        match self.links[link].handshake {
            Handshake::Begun => client::Input::ConnectFailed { connection },
            Handshake::Proved | Handshake::Done => client::Input::Closed { connection },
        }
    }
}
