//! Somebody else answers in the server's place, such as the portal of a hotel's network: what comes is no frame
//! (INPUT-6), or somebody who cannot prove to be the server (TLS-2).
//!
//! Only for a connection on which no frame came before: after one, the server was there, and its link is lost.

use crate::client::handler::Handler;
use crate::client::state::{Account, Connection, Stage};
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::decide::client::Loss;
use crate::id::ConnectionId;

impl<D: ClientDecisions> Handler<'_, D> {
    /// Nothing was sent, and the attempt has failed as without a link: a portal has a certificate too, and goes away.
    pub(super) fn nobody_to_trust(&mut self, connection: ConnectionId) {
        let is_ours = |it: &mut Connection| it.id == connection && it.stage == Stage::Opening;
        if self.state.connection.take_if(is_ours).is_some() {
            self.cancel_connection_timers();
            self.attempt_failed(Code::ServerUntrusted);
        }
    }

    /// What was sent on the connection has not been sent: a login goes on waiting (LOGIN-8).
    pub(super) fn no_frame_came(&mut self, connection: ConnectionId) {
        let is_ours = |it: &mut Connection| it.id == connection && it.stage != Stage::Opening;
        let Some(ended) = self.state.connection.take_if(is_ours) else { return };
        self.cancel_connection_timers();
        match (&self.state.account, ended.stage) {
            (Account::LoggingIn(_), Stage::LoginSent) if self.decisions.login_outlives_no_frame() => {
                self.attempt_failed(Code::NoLink);
            }
            (Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_) | Account::LoggingOut(_), stage) => {
                self.connection_ended(stage, Loss::Own);
            }
        }
    }
}
