//! The third column of a line: what happened.

use gatecrash::code::Failure;

use super::value::{seconds, span};
use super::{FIELDS_LEFT_OUT, View, Writer, ZERO_IS_NONE};
use crate::trace::{Effect, Event, Fault, Outcome, Request, Told, Value, What};

impl Writer<'_> {
    pub(super) fn what(&mut self, event: &Event) {
        match &event.what {
            What::Called { call, request } => {
                self.word(request.word());
                request.fields(&mut |name, value| self.put_field(name, value));
                if let Request::Login { ticket, .. } = request {
                    let ticket = self.cast.ticket(*ticket);
                    if ticket.ttl > 0 {
                        self.put(format_args!(" ttl={}", span(ticket.ttl)));
                    }
                }
                self.put_field("call", Value::Number((*call).into()));
            }
            What::Answered { call, kind, user, outcome } => {
                self.put(format_args!("{} answered: ", kind.map_or("unasked", |kind| kind.word())));
                match outcome {
                    Outcome::Failed { code, reason } => {
                        let failure = Failure { code: *code, reason: *reason };
                        self.put(format_args!("{failure}"));
                    }
                    Outcome::Done
                    | Outcome::Message { .. }
                    | Outcome::Conversations { .. }
                    | Outcome::Report { .. } => {
                        self.word("ok");
                        outcome.fields(&mut |name, value| self.put_field(name, value));
                    }
                }
                if let Some(user) = user {
                    self.put_field("user", Value::User(*user));
                }
                self.put_field("call", Value::Number((*call).into()));
            }
            What::Told { event, user, epoch } => {
                self.word(event.word());
                match event {
                    Told::ConnectFailed { code } => self.put(format_args!(" {code}")),
                    Told::Connecting
                    | Told::ConnectSuccess
                    | Told::KickedOffline { .. }
                    | Told::UserSigExpired
                    | Told::Message { .. }
                    | Told::MessagesDropped { .. } => {
                        event.fields(&mut |name, value| self.put_field(name, value));
                    }
                }
                if let Some(user) = user {
                    self.put_field("user", Value::User(*user));
                }
                self.put_field("epoch", Value::Number((*epoch).into()));
            }
            What::Status { status, login_user } => {
                self.put(format_args!("status {}", status.word()));
                if let Some(user) = login_user {
                    self.put_field("login_user", Value::User(*user));
                }
            }
            What::DeviceSent { connection, reveals, frame } => {
                self.frame(frame.word(), |visit| frame.fields(visit));
                // What a device waits for is its own disk: no part of the story.
                if self.view == View::Everything && *reveals > 0 {
                    self.put(format_args!(" write={reveals}"));
                }
                self.connection(*connection);
            }
            What::ServerReceived { connection, frame, .. } => {
                self.frame(frame.word(), |visit| frame.fields(visit));
                self.connection(*connection);
            }
            What::ServerSent { connection, reveals, frame, .. } => {
                self.frame(frame.word(), |visit| frame.fields(visit));
                if *reveals > 0 {
                    self.put(format_args!(" commit={reveals}"));
                }
                self.connection(*connection);
            }
            What::DeviceReceived { connection, frame } => {
                self.frame(frame.word(), |visit| frame.fields(visit));
                self.connection(*connection);
            }
            What::Fact { fact, .. } => {
                self.put(format_args!("  {}", fact.word().replace('_', " ")));
                fact.fields(&mut |name, value| self.put_field(name, value));
            }
            What::Commit { commit, wall } => {
                self.put(format_args!("commit {commit}"));
                self.put_field("wall", Value::Micros(wall.get()));
            }
            What::Committed { commit } => self.put(format_args!("on disk up to commit {commit}")),
            What::Stored { change } => self.put(format_args!("on disk up to write {change}")),
            What::StoreAsked { change, write } => {
                self.put(format_args!("write {change} {}", write.word()));
                write.fields(&mut |name, value| self.put_field(name, value));
            }
            What::BackOff { attempt, delay } => {
                self.put(format_args!("tries again in {} (attempt {attempt})", seconds(delay.get())));
            }
            What::Dormant { user, device, epoch } => {
                let (user, device) = (self.user(*user), self.cast.device_name(*device));
                self.put(format_args!("session dormant {user}/{device} epoch {epoch}"));
            }
            What::KnownAs { device, .. } => self.put(format_args!("known as {}", self.cast.device_name(*device))),
            What::Fault { fault } => self.fault(fault),
            What::Effect { effect: Effect::Skipped { device } } => {
                self.put(format_args!("skipped: {} is dead", self.cast.device_name(*device)));
            }
            What::Effect { effect } => {
                self.put(format_args!("effect {}", effect.word().replace('_', " ")));
                effect.fields(&mut |name, value| self.put_field(name, value));
            }
            What::Stranger { device, conduct } => {
                self.put(format_args!("stranger beside {}: {conduct}", self.cast.device_name(*device)));
            }
            What::TicketMade { ticket, user, issued, ttl } => {
                self.put(format_args!("ticket {}", self.cast.ticket(*ticket).name));
                if let Some(user) = user {
                    self.put_field("user", Value::User(*user));
                }
                self.put(format_args!(" issued={} ttl={}", issued.get(), span(ttl.get())));
            }
            What::Malformed { connection, why, .. } => {
                self.put(format_args!("no acceptable frame: {}", why.word()));
                self.connection(*connection);
            }
            What::CloseAsked { connection, .. } => {
                self.word("closes the connection");
                self.connection(*connection);
            }
            What::Gone { connection, .. } => {
                self.word("the connection is gone");
                self.connection(*connection);
            }
            What::Untrusted { connection } => {
                self.word("who answers cannot prove to be the server");
                self.connection(*connection);
            }
            What::NoFrame { connection } => {
                self.word("what came is no frame");
                self.connection(*connection);
            }
            What::NotConverged { reason } => {
                self.put(format_args!("not converged: {}", self.cast.text(*reason)));
            }
            What::Opened { .. }
            | What::ConnectAsked { .. }
            | What::Connected { .. }
            | What::ConnectFailed { .. }
            | What::UninitReturned { .. }
            | What::EventsDropped
            | What::TicketJudged { .. }
            | What::ServerStarted { .. }
            | What::StoreFailed
            | What::Configured { .. }
            | What::ClockChanged { .. }
            | What::StoodStill { .. }
            | What::LinkLost
            | What::LinkKept
            | What::RecordFailed
            | What::NewDevice { .. }
            | What::SdkWoken
            | What::NetworkChanged
            | What::OldKeyDropped
            | What::ScriptEnded
            | What::Converged
            | What::Stopping => {
                self.word(&event.what.word().replace('_', " "));
                event.what.fields(&mut |name, value| self.put_story_field(name, value));
            }
        }
    }

    pub(super) fn frame(&mut self, word: &str, fields: impl FnOnce(&mut dyn FnMut(&'static str, Value))) {
        self.word(word);
        fields(&mut |name, value| self.put_story_field(name, value));
    }

    pub(super) fn fault(&mut self, fault: &Fault) {
        self.put(format_args!("fault {}", fault.word()));
        // As in a scenario file: whom it hits needs no label.
        fault.fields(&mut |name, value| match value {
            Value::Nothing => self.word(" server"),
            Value::Device(_) | Value::Site(_) | Value::Word(_) => {
                let shown = self.value(name, value);
                self.put(format_args!(" {shown}"));
            }
            _ => self.put_field(name, value),
        });
    }

    pub(super) fn connection(&mut self, connection: u32) {
        self.put_story_field("connection", Value::Number(connection.into()));
    }

    /// Leaves out of the story what only ties events together.
    pub(super) fn put_story_field(&mut self, name: &'static str, value: Value) {
        if self.view == View::Everything || !FIELDS_LEFT_OUT.contains(&name) {
            self.put_field(name, value);
        }
    }

    pub(super) fn put_field(&mut self, name: &'static str, value: Value) {
        let absent = value == Value::Nothing || (value == Value::Number(0) && ZERO_IS_NONE.contains(&name));
        if !absent {
            let shown = self.value(name, value);
            self.put(format_args!(" {name}={shown}"));
        }
    }
}
