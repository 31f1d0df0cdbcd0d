//! The application's calls: refused at once, or handed to the exchange that answers them.
//!
//! Why a call is refused is decided in `decide::client`.

use crate::client::Client;
use crate::client::interface::{Action, Call, Reply, Start};
use crate::client::life::{Account, Life};
use crate::client::turn::Turn;
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::decide::client::{CallKind, Standing};
use crate::id::{CallId, Change};
use crate::time::Instant;

impl<D: ClientDecisions> Client<D> {
    pub(super) fn handle_call(&mut self, now: Instant, call: CallId, request: Call) {
        let standing = self.life.as_ref().map_or(Standing::Uninitialised, |life| life.standing());
        let viewer = self.life.as_ref().and_then(|life| life.cache.viewer);
        if let Some(code) = self.decisions.call_refusal(kind(&request), standing, viewer) {
            self.outbox.push(Change::NONE, Action::Result { call, outcome: Err(code) });
            return;
        }
        match request {
            Call::Init(start) => self.initialise(now, call, *start),
            Call::Uninit => {
                self.turn(now, |turn| turn.uninitialise(call));
                self.life = None;
            }
            Call::Login { user, ticket } => self.turn(now, |turn| turn.login(call, &user, ticket)),
            Call::Logout => self.turn(now, |turn| turn.logout(call)),
            Call::Conversations => self.turn(now, |turn| turn.conversations(call)),
            request @ (Call::SendMessage { .. } | Call::AdminKick { .. } | Call::QueryStatus { .. }) => {
                self.turn(now, |turn| turn.request(call, request));
            }
        }
    }

    /// INIT-1, INIT-2: `login` may follow at once. Frames wait for the record, the result does not.
    fn initialise(&mut self, now: Instant, call: CallId, start: Start) {
        self.life = Some(Box::new(Life::new(start)));
        self.turn(now, |turn| {
            turn.write_record();
            turn.result(call, Ok(Reply::Done));
        });
    }
}

impl<D: ClientDecisions> Turn<'_, D> {
    /// INIT-3, INIT-5: nothing is logged out. The record keeps what is owed.
    fn uninitialise(&mut self, call: CallId) {
        self.drop_events();
        let pending = self.life.pending();
        self.set_account(Account::Nobody);
        self.end_these(pending, Code::Uninitialised);
        self.hang_up();
        // The last result of this life must not overtake one that waits for the disk.
        let reveals = self.life.record.written;
        self.outbox.push(reveals, Action::Result { call, outcome: Ok(Reply::Done) });
    }

    /// API-1: from the cache, without the network.
    fn conversations(&mut self, call: CallId) {
        let list = self.life.cache.viewer.map_or(Vec::new(), |viewer| self.life.cache.list(viewer).to_vec());
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
