//! The fields of events as named values: one description that the digest, the lines and the JSON share.
//!
//! Writes nothing itself: whoever shows or sums up an event visits its fields.

use gatecrash::client::Status;
use gatecrash::code::{Code, Reason};
use gatecrash::id::Attempt;
use gatecrash::policy::{Platform, Seats};
use gatecrash::protocol::{Closing, FrameError, KickReason, Presence};
use gatecrash::store::EndReason;
use gatecrash::time::WallTime;

use super::index::{DeviceIndex, ListIndex, SiteIndex, TextIndex, TicketIndex, UserIndex};
use super::{Kick, Refusal, Session, Terms};
use crate::scenario::{CallKind, CommitPoint, Conduct, Direction};

macro_rules! wide {
    ($($(#[$doc:meta])+ $name:ident: $number:ident => $value:ident;)+) => { $(
        $(#[$doc])+
        // Aligned like the other fields: it makes the difference between 64 and 72 bytes an event.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(C, packed(4))]
        pub struct $name($number);

        impl $name {
            /// So many.
            pub const fn new(number: $number) -> Self {
                $name(number)
            }

            /// How many.
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl Field for $name {
            fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
                visit(name, Value::$value(self.0));
            }

            fn encode(&self, out: &mut Vec<u8>) {
                Value::$value(self.0).encode(out);
            }
        }
    )+ };
}

wide! {
    /// Whole seconds: a span, or the server's wall clock since 1970.
    Seconds: u64 => Seconds;
    /// Microseconds: a span, or a wall clock since 1970.
    Micros: u64 => Micros;
    /// Microseconds forward or back.
    SignedMicros: i64 => SignedMicros;
}

impl From<std::time::Duration> for Micros {
    fn from(span: std::time::Duration) -> Self {
        Micros::new(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<WallTime> for Micros {
    fn from(wall: WallTime) -> Self {
        Micros::new(wall.as_micros())
    }
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    Nothing,
    /// A number.
    Number(u64),
    /// A number that may be negative.
    Signed(i64),
    /// Whole seconds.
    Seconds(u64),
    /// Microseconds.
    Micros(u64),
    /// Microseconds forward or back.
    SignedMicros(i64),
    /// Yes or no.
    Flag(bool),
    /// One of a closed set.
    Word(&'static str),
    /// An error code.
    Code(Code),
    /// An attempt number.
    Attempt(Attempt),
    /// A policy and its numbers of devices.
    Seats(Seats),
    /// A device.
    Device(DeviceIndex),
    /// A user.
    User(UserIndex),
    /// A site.
    Site(SiteIndex),
    /// A ticket.
    Ticket(TicketIndex),
    /// A text.
    Text(TextIndex),
    /// A list.
    List(ListIndex),
}

/// Something that an event can carry.
pub(super) trait Field {
    /// Shows itself as one or more named values.
    fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value));

    /// Writes itself for the digest.
    fn encode(&self, out: &mut Vec<u8>);
}

impl<F: Field> Field for Option<F> {
    fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
        match self {
            Some(field) => field.visit(name, visit),
            None => visit(name, Value::Nothing),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.is_some().into());
        if let Some(field) = self {
            field.encode(out);
        }
    }
}

impl Field for Session {
    fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
        visit(name, Value::User(self.user));
        self.epoch.visit("epoch", visit);
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.user.encode(out);
        self.epoch.encode(out);
    }
}

impl Field for Kick {
    fn visit(&self, _: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
        self.user.visit("user", visit);
        self.epoch.visit("epoch", visit);
        self.by.visit("by", visit);
        self.reason.visit("reason", visit);
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.user.encode(out);
        self.epoch.encode(out);
        self.by.encode(out);
        self.reason.encode(out);
    }
}

impl Field for Terms {
    fn visit(&self, _: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
        self.return_spread.visit("return_spread", visit);
        if self.heartbeat > 0 {
            Micros::new(u64::from(self.heartbeat) * 1_000).visit("heartbeat", visit);
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.return_spread.encode(out);
        self.heartbeat.encode(out);
    }
}

macro_rules! fields {
    ($($kind:ty: |$field:ident| $value:expr;)+) => { $(
        impl Field for $kind {
            fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
                let $field = *self;
                visit(name, $value);
            }

            fn encode(&self, out: &mut Vec<u8>) {
                let $field = *self;
                $value.encode(out);
            }
        }
    )+ };
}

fields! {
    u16: |number| Value::Number(number.into());
    u32: |number| Value::Number(number.into());
    i32: |number| Value::Signed(number.into());
    bool: |flag| Value::Flag(flag);
    Status: |one| Value::Word(one.word());
    Platform: |one| Value::Word(one.word());
    Closing: |one| Value::Word(one.word());
    FrameError: |one| Value::Word(one.word());
    KickReason: |one| Value::Word(one.word());
    EndReason: |one| Value::Word(one.word());
    Presence: |one| Value::Word(one.word());
    CallKind: |one| Value::Word(one.word());
    Conduct: |one| Value::Word(one.word());
    CommitPoint: |one| Value::Word(one.word());
    Direction: |one| Value::Word(one.word());
    Reason: |one| Value::Word(one.word());
    Code: |code| Value::Code(code);
    Refusal: |refusal| match refusal {
        Refusal::Code(code) => Value::Code(code),
        Refusal::Stale => Value::Word("stale"),
    };
    Attempt: |attempt| Value::Attempt(attempt);
    Seats: |seats| Value::Seats(seats);
    DeviceIndex: |index| Value::Device(index);
    UserIndex: |index| Value::User(index);
    SiteIndex: |index| Value::Site(index);
    TicketIndex: |index| Value::Ticket(index);
    TextIndex: |index| Value::Text(index);
    ListIndex: |index| Value::List(index);
}

/// Defines enums whose variants have a word and whose fields can be visited in order.
macro_rules! records {
    ($(
        $(#[$doc:meta])+
        pub enum $name:ident {
            $(
                $(#[$variant_doc:meta])+
                $variant:ident = $word:literal $({ $($(#[$field_doc:meta])* $field:ident: $kind:ty),+ $(,)? })?,
            )+
        }
    )+) => { $(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $name {
            $($(#[$variant_doc])+ $variant $({ $($(#[$field_doc])* $field: $kind),+ })?,)+
        }

        impl $name {
            /// Every word.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word that lines, JSON and the digest use.
            pub const fn word(&self) -> &'static str {
                match self { $($name::$variant { .. } => $word,)+ }
            }

            /// Its place among [`Self::WORDS`].
            pub const fn index(&self) -> usize {
                enum Place { $($variant),+ }
                match self { $($name::$variant { .. } => Place::$variant as usize,)+ }
            }

            /// Shows every field in order: its name and its value.
            pub fn fields(&self, visit: &mut dyn FnMut(&'static str, $crate::trace::field::Value)) {
                match self {
                    $($name::$variant $({ $($field),+ })? => {
                        $($($crate::trace::field::Field::visit($field, stringify!($field), visit);)+)?
                    })+
                }
                // Enums without fields do not use it.
                let _ = visit;
            }
        }

        impl $crate::trace::field::Field for $name {
            fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, $crate::trace::field::Value)) {
                visit(name, $crate::trace::field::Value::Word(self.word()));
                self.fields(visit);
            }

            fn encode(&self, out: &mut Vec<u8>) {
                out.push(self.index() as u8);
                match self {
                    $($name::$variant $({ $($field),+ })? => {
                        $($($crate::trace::field::Field::encode($field, out);)+)?
                    })+
                }
            }
        }
    )+ };
}

pub(super) use records;
