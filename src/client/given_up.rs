//! How long an owed end is worth a connection: until the last ticket has run out by which there may be something
//! to end (LOGOUT-2).
//!
//! Counted from when a ticket is shown, and not from its issue: that was told on another clock.

use std::time::Duration;

use crate::client::handler::Handler;
use crate::client::interface::Timer;
use crate::client::state::Account;
use crate::decide::ClientDecisions;

impl<D: ClientDecisions> Handler<'_, D> {
    /// A ticket leaves the device that lasts so long, if that could be read: there may be a session until it runs out.
    pub(super) fn ticket_is_shown(&mut self, lasts: Option<Duration>) {
        let until = self.now + self.decisions.session_lasts(lasts);
        let begins_anew = matches!(self.state.account, Account::LoggingIn(_));
        let record = &mut self.state.record;
        let is_all = begins_anew && !record.installation.owed_end;
        record.tickets_until = if is_all { until } else { until.max(record.tickets_until) };
        if record.installation.owed_end {
            // ATT-4: what this process has shown, the next one must know of: an end is not given up for its death.
            self.owe_end();
        }
    }

    /// Whether the end that is owed is given up. Then nothing is owed any more.
    pub(super) fn gives_up_end(&mut self) -> bool {
        let is_over = self.decisions.end_is_given_up(self.now, self.state.owed_until());
        if is_over {
            self.state.timers.cancel(Timer::BackOff);
            let installation = &mut self.state.record.installation;
            (installation.owed_end, installation.owed_until) = (false, None);
            self.write_record();
        }
        is_over
    }
}
