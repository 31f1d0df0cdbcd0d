//! Requests over the session's link, messages that come on it, and the cached lists they change.
//!
//! Without a link a request fails at once (API-5). While it is not known whether there is one it waits (CONN-10).

use crate::client::draw;
use crate::client::handler::Handler;
use crate::client::interface::{Call, Event, Reply, Timer, Write};
use crate::client::state::{Asked, Request};
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::decide::client::Arguments;
use crate::id::{CallId, MessageId, UserId};
use crate::protocol::{ClientFrame, Conversation, MESSAGES_UNTIL_ACKNOWLEDGED, Message, SessionName, StatusReport};
use crate::ticket::Ticket;

impl<D: ClientDecisions> Handler<'_, D> {
    pub(super) fn request(&mut self, call: CallId, request: Call) {
        if let Some(code) = arguments(&request).and_then(|arguments| self.decisions.argument_refusal(arguments)) {
            return self.result(call, Err(code));
        }
        let Some((what, frame)) = prepared(&self.state.seed, call, request) else {
            return self.result(call, Err(Code::InvalidArgument));
        };
        let is_usable = self.is_usable();
        if !is_usable && !self.may_wait() {
            return self.result(call, Err(Code::NoLink));
        }
        self.state.requests.insert(call, Request { what, unsent: Some(frame) });
        self.state.timers.set(Timer::Request(call), self.now + self.state.limits.request_timeout);
        if is_usable {
            self.send_requests();
        }
    }

    /// Sends the requests that were not sent yet.
    pub(super) fn send_requests(&mut self) {
        let frames: Vec<_> = self.state.requests.values_mut().filter_map(|request| request.unsent.take()).collect();
        for frame in frames {
            self.send(frame);
        }
    }

    /// Unanswered, so the link is suspect (API-5, CONN-5, CONN-10); or never sent.
    pub(super) fn request_took_too_long(&mut self, call: CallId) {
        let Some(request) = self.state.requests.remove(&call) else { return };
        if request.unsent.is_some() {
            return self.result(call, Err(Code::NoLink));
        }
        self.result(call, Err(Code::NoAnswer));
        self.doubt();
    }

    /// CONN-8: the link is gone, and with it whatever was sent on it and not answered.
    pub(super) fn end_sent_calls(&mut self) {
        let sent = self.state.requests.extract_if(.., |_, request| request.unsent.is_none());
        for call in sent.map(|(call, _)| call).collect::<Vec<_>>() {
            self.state.timers.cancel(Timer::Request(call));
            self.result(call, Err(Code::NoAnswer));
        }
        self.renewal_unanswered();
    }

    pub(super) fn message_sent(&mut self, call: CallId, outcome: Result<MessageId, Code>) {
        let Some(Asked::Message { to, text }) = self.take_request(call, |what| matches!(what, Asked::Message { .. }))
        else {
            return;
        };
        if let (Ok(id), Some(from)) = (outcome, self.state.login_user()) {
            // API-6: with a number that is no new one the server answers for the message that was sent first, which may
            // have been another one, to somebody else.
            if self.state.cache.list(from).iter().all(|line| line.last < id) {
                self.enter_message(from, &Message { id, from, to, text });
            }
        }
        self.result(call, outcome.map(Reply::Message));
    }

    pub(super) fn admin_kick_answered(&mut self, call: CallId, outcome: Result<(), Code>) {
        if self.take_request(call, |what| matches!(what, Asked::AdminKick)).is_some() {
            self.result(call, outcome.map(|()| Reply::Done));
        }
    }

    pub(super) fn query_answered(&mut self, call: CallId, outcome: Result<StatusReport, Code>) {
        if self.take_request(call, |what| matches!(what, Asked::Query)).is_some() {
            self.result(call, outcome.map(Reply::Report));
        }
    }

    /// API-2, SWITCH-2: only what is the logged-in user's own is shown; API-7: and only once.
    pub(super) fn message_came(&mut self, place: u64, message: Message) {
        if !self.decisions.shows_message(&message, self.state.standing()) {
            return;
        }
        let Some(session) = self.state.session_mut() else { return };
        let (user, last) = (session.name.user, session.received);
        if !self.decisions.is_new_message(last, place) {
            return;
        }
        session.received = last.max(place);
        if place > last + 1 {
            self.event(Event::MessagesDropped(place - last - 1));
        }
        self.enter_message(user, &message);
        self.event(Event::Message(message));
        let waiting =
            self.state.session_mut().map_or(0, |session| session.received.saturating_sub(session.acknowledged));
        if waiting >= MESSAGES_UNTIL_ACKNOWLEDGED {
            self.acknowledge_messages();
        }
    }

    /// API-7: the server had no room for so many of the messages after the last one it was told of.
    pub(super) fn missed(&mut self, dropped: u64) {
        let Some(session) = self.state.session_mut() else { return };
        let through = session.acknowledged.saturating_add(dropped);
        let missed = through.saturating_sub(session.received);
        session.received = session.received.max(through);
        session.acknowledged = session.acknowledged.max(through);
        if missed > 0 {
            self.event(Event::MessagesDropped(missed));
        }
    }

    /// API-7: says which messages came, unless that was said.
    pub(super) fn acknowledge_messages(&mut self) {
        if !self.state.is_up() {
            return;
        }
        let Some(session) = self.state.session_mut() else { return };
        if session.received > session.acknowledged {
            session.acknowledged = session.received;
            let (SessionName { user, epoch }, through) = (session.name, session.received);
            self.send(ClientFrame::MessagesReceived { user, epoch, through });
        }
    }

    /// Puts the list that came with a login or resume into the cache (API-2, API-3).
    pub(super) fn store_conversations(&mut self, user: UserId, conversations: Vec<Conversation>) {
        if self.state.cache.replace(user, conversations) {
            self.write_conversations(user);
        }
    }

    fn enter_message(&mut self, user: UserId, message: &Message) {
        if self.state.cache.enter(user, message) {
            self.write_conversations(user);
        }
    }

    fn write_conversations(&mut self, user: UserId) {
        let conversations = self.state.cache.list(user).to_vec();
        self.outbox.store(Write::Conversations { user, conversations });
    }

    /// A late answer, or one of another kind, finds nothing to answer.
    fn take_request(&mut self, call: CallId, is_kind: impl FnOnce(&Asked) -> bool) -> Option<Asked> {
        self.state.requests.get(&call).filter(|request| request.unsent.is_none() && is_kind(&request.what))?;
        self.state.timers.cancel(Timer::Request(call));
        self.state.requests.remove(&call).map(|request| request.what)
    }
}

/// What is to be judged of a call before it becomes a request. None if it never becomes one.
fn arguments(call: &Call) -> Option<Arguments<'_>> {
    match call {
        Call::SendMessage { to, text, .. } => Some(Arguments::SendMessage { to, text }),
        Call::AdminKick { user } => Some(Arguments::AdminKick { user }),
        Call::QueryStatus { users } => Some(Arguments::QueryStatus { users }),
        Call::Init(_) | Call::Uninit | Call::Login { .. } | Call::Logout | Call::Conversations => None,
    }
}

/// What is kept of a request, and the frame that carries it. None if an argument names no user.
fn prepared(seed: &[u8; 32], call: CallId, request: Call) -> Option<(Asked, ClientFrame<Ticket>)> {
    match request {
        Call::SendMessage { id, to, text } => {
            let to = to.parse().ok()?;
            // API-6
            let id = id.unwrap_or_else(|| draw::send(seed, call));
            Some((Asked::Message { to, text: text.clone() }, ClientFrame::SendMessage { call, id, to, text }))
        }
        Call::AdminKick { user } => Some((Asked::AdminKick, ClientFrame::AdminKick { call, user: user.parse().ok()? })),
        Call::QueryStatus { users } => {
            let users = users.iter().map(|user| user.parse()).collect::<Result<_, _>>().ok()?;
            Some((Asked::Query, ClientFrame::QueryStatus { call, users }))
        }
        Call::Init(_) | Call::Uninit | Call::Login { .. } | Call::Logout | Call::Conversations => None,
    }
}
