//! Whether a bound was reached from either side: what a run counts, held to the limits of that run.
//!
//! `bounds` is the table. Counts by what a trace says became so; a restart that lost changes leaves counts that nobody
//! knows, and nothing more is said of them.

mod calls;
mod lists;
mod logins;
mod messages;
#[cfg(test)]
mod tests;
mod tickets;
mod under_way;
mod who;

use gatecrash::limits::ServerLimits;

use super::table::Reached;
use crate::scenario::LimitOverrides;
use crate::scenario::numbers;
use crate::trace::{Actor, Cast, DeviceIndex, Effect, Event, What};
use calls::Calls;
use lists::Lists;
use logins::Logins;
use messages::Messages;
use tickets::Tickets;
use under_way::UnderWay;
use who::Who;

/// What is counted in one run.
#[derive(Clone, Debug)]
pub(super) struct Edges {
    limits: ServerLimits,
    who: Who,
    tickets: Tickets,
    logins: Logins,
    messages: Messages,
    lists: Lists,
    under_way: UnderWay,
    calls: Calls,
    /// The last change decided.
    decided: u32,
    /// Changes were lost: what is on the server's disk is not what was counted.
    is_unsure: bool,
}

impl Edges {
    pub(super) fn new(set: &LimitOverrides) -> Self {
        Edges {
            limits: numbers::server_limits(set),
            who: Who::default(),
            tickets: Tickets::default(),
            logins: Logins::default(),
            messages: Messages::default(),
            lists: Lists::default(),
            under_way: UnderWay::default(),
            calls: Calls::new(set),
            decided: 0,
            is_unsure: false,
        }
    }

    pub(super) fn observe(&mut self, cast: &Cast, event: &Event, reached: &mut Reached) {
        match (event.actor, event.what) {
            (Actor::Server, what) => self.on_server(cast, event, &what, reached),
            (Actor::Device(on), what) if on != DeviceIndex::STRANGER => self.calls.observe(cast, on, &what, reached),
            (_, What::Effect { effect: Effect::ServerDead }) => self.forget(),
            (Actor::World | Actor::Device(_), _) => {}
        }
    }

    /// What a server knows only as long as it runs.
    fn forget(&mut self) {
        self.who = Who::default();
        self.tickets = Tickets::default();
        self.logins.forget();
        self.under_way = UnderWay::default();
    }

    fn on_server(&mut self, cast: &Cast, event: &Event, what: &What, reached: &mut Reached) {
        let limits = &self.limits;
        match *what {
            What::ServerReceived { connection, peer, ref frame } => {
                self.who.asks(connection, peer, frame);
                self.under_way.received(connection, peer, frame, &self.messages);
                if !self.is_unsure {
                    self.messages.received(connection, self.who.user(connection), frame, limits);
                }
            }
            What::TicketJudged { user, second, refused, .. } => {
                let Some(asker) = self.who.asker(user) else { return };
                self.logins.looked_at(event.at, limits, reached);
                self.tickets.judged(cast, asker, (event.at, second.get(), refused), limits, reached);
            }
            What::ServerSent { connection, reveals, ref frame, .. } => {
                if let Some(asker) = self.who.on(connection) {
                    self.tickets.answered(&asker, frame, limits, reached);
                }
                self.under_way.sent(connection, frame, reached);
                if !self.is_unsure {
                    self.messages.answered(connection, frame, reached);
                    self.lists.sent(cast, self.who.user(connection), (reveals, frame), limits, reached);
                }
            }
            What::CloseAsked { connection, .. } | What::Gone { connection, .. } => self.under_way.ended(connection),
            What::Configured { seats, .. } => self.logins.seats = Some(seats),
            What::Commit { commit, wall } => {
                self.decided = commit;
                self.logins.wall = wall.get();
            }
            What::Fact { commit, fact } => {
                let is_login = self.who.is_login(&fact);
                self.logins.took(event.at, &fact, is_login, limits, reached);
                if !self.is_unsure {
                    self.logins.fact(cast, (commit, &fact), is_login, limits, reached);
                    self.messages.fact(cast, &fact, limits, reached);
                    self.lists.fact(cast, commit, &fact);
                }
            }
            What::ServerStarted { commit, .. } => {
                self.is_unsure |= commit < self.decided;
                self.forget();
            }
            _ => {}
        }
    }
}
