//! The application's calls: refused at once, or handed to the exchange that answers them.
//!
//! Why a call is refused is decided in `decide::client`.

use crate::client::Client;
use crate::client::handler::Handler;
use crate::client::interface::{Action, Call, Reply, Start};
use crate::client::state::{Account, LastingTicket, State};
use crate::code::{Code, Failure};
use crate::decide::ClientDecisions;
use crate::decide::client::{CallKind, Standing};
use crate::id::{CallId, Change};
use crate::time::Instant;

impl<D: ClientDecisions> Client<D> {
    pub(super) fn handle_call(&mut self, now: Instant, call: CallId, request: Call) {
        let standing = self.state.as_ref().map_or(Standing::Uninitialised, |state| state.standing());
        let viewer = self.state.as_ref().and_then(|state| state.cache.viewer);
        if let Some(code) = self.decisions.call_refusal(kind(&request), standing, viewer) {
            let failure = self.state.as_ref().map_or(code.into(), |state| state.failure(code));
            self.outbox.push(Change::NONE, Action::Result { call, outcome: Err(failure) });
            return;
        }
        match request {
            Call::Init(start) => self.initialise(now, call, *start),
            Call::Uninit => {
                self.handle(now, |handler| handler.uninitialise(call));
                self.state = None;
            }
            Call::Login { user, ticket, lasts } => {
                self.handle(now, |handler| handler.login(call, &user, LastingTicket { ticket, lasts }));
            }
            Call::Logout => self.handle(now, |handler| handler.logout(call)),
            Call::Conversations => self.handle(now, |handler| handler.conversations(call)),
            request @ (Call::SendMessage { .. } | Call::AdminKick { .. } | Call::QueryStatus { .. }) => {
                self.handle(now, |handler| handler.request(call, request));
            }
        }
    }

    /// INIT-1, INIT-2: `login` may follow at once. Frames wait for the record, the result does not.
    fn initialise(&mut self, now: Instant, call: CallId, start: Start) {
        self.state = Some(Box::new(State::new(now, start)));
        self.handle(now, |handler| {
            handler.write_record();
            handler.result(call, Ok(Reply::Done));
            // LOGOUT-2: an earlier process may have left an end.
            handler.reconnect();
        });
    }
}

impl<D: ClientDecisions> Handler<'_, D> {
    /// INIT-3, INIT-5: nothing is logged out. The record keeps what is owed.
    fn uninitialise(&mut self, call: CallId) {
        let given_up = Failure::from(Code::Uninitialised);
        self.drop_events(given_up);
        let pending = self.state.pending();
        self.set_account(Account::Nobody);
        self.end_these(pending, given_up);
        self.hang_up();
        self.result(call, Ok(Reply::Done));
    }

    /// API-1: from the cache, without the network.
    fn conversations(&mut self, call: CallId) {
        let list = self.state.cache.viewer.map_or(Vec::new(), |viewer| self.state.cache.list(viewer).to_vec());
        self.result(call, Ok(Reply::Conversations(list)));
    }
}

fn kind(call: &Call) -> CallKind {
    match call {
        Call::Init(_) => CallKind::Init,
        Call::Uninit => CallKind::Uninit,
        Call::Login { .. } => CallKind::Login,
        Call::Logout => CallKind::Logout,
        Call::Conversations => CallKind::Conversations,
        Call::SendMessage { .. } | Call::AdminKick { .. } | Call::QueryStatus { .. } => CallKind::Request,
    }
}
