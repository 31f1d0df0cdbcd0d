//! The fields of events as named values: one description that the digest, the lines and the JSON share, and by which
//! a field can be given another value.
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
use super::parse::{Source, Unread};
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

            fn of(value: Value) -> Option<Self> {
                if let Value::$value(number) = value { Some($name(number)) } else { None }
            }

            fn read(name: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
                source.number(name).map($name)
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

/// A field that may be given another value.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// Where the value is one of a closed set: all of them.
    pub words: &'static [&'static str],
}

/// Says for a field which value it has from now on; none where it stays as it is.
pub type Change<'a> = dyn FnMut(Leaf) -> Option<Value> + 'a;

/// Something that an event can carry.
pub(super) trait Field: Sized {
    /// The words of a closed set.
    const CHOICES: &'static [&'static str] = &[];

    /// Shows itself as one or more named values.
    fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value));

    /// Writes itself for the digest.
    fn encode(&self, out: &mut Vec<u8>);

    /// The one with this value; none where it has more than one, or no such value.
    fn of(value: Value) -> Option<Self> {
        let _ = value;
        None
    }

    /// Reads itself from where it was written under this name.
    fn read(name: &'static str, source: &mut Source<'_>) -> Result<Self, Unread>;

    /// Offers each of its values for a change.
    fn change(&mut self, name: &'static str, change: &mut Change<'_>) {
        let mut value = Value::Nothing;
        self.visit(name, &mut |_, shown| value = shown);
        let changed = change(Leaf { name, value, words: Self::CHOICES });
        if let Some(other) = changed.and_then(Self::of) {
            *self = other;
        }
    }
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

    fn read(name: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
        if source.is_nothing(name) { Ok(None) } else { F::read(name, source).map(Some) }
    }

    fn change(&mut self, name: &'static str, change: &mut Change<'_>) {
        let Some(field) = self else {
            *self = change(Leaf { name, value: Value::Nothing, words: F::CHOICES }).and_then(F::of);
            return;
        };
        let mut is_taken = false;
        field.change(name, &mut |leaf| {
            let other = change(leaf)?;
            is_taken |= other == Value::Nothing;
            Some(other)
        });
        if is_taken {
            *self = None;
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

    fn read(name: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
        Ok(Session { user: Field::read(name, source)?, epoch: Field::read("epoch", source)? })
    }

    fn change(&mut self, name: &'static str, change: &mut Change<'_>) {
        self.user.change(name, change);
        self.epoch.change("epoch", change);
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

    fn read(_: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
        Ok(Kick {
            user: Field::read("user", source)?,
            epoch: Field::read("epoch", source)?,
            by: Field::read("by", source)?,
            reason: Field::read("reason", source)?,
        })
    }

    fn change(&mut self, _: &'static str, change: &mut Change<'_>) {
        self.user.change("user", change);
        self.epoch.change("epoch", change);
        self.by.change("by", change);
        self.reason.change("reason", change);
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

    fn read(_: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
        let heartbeat: Option<Micros> = Field::read("heartbeat", source)?;
        let heartbeat = heartbeat.map_or(0, |heartbeat| u32::try_from(heartbeat.get() / 1_000).unwrap_or(u32::MAX));
        Ok(Terms { return_spread: Field::read("return_spread", source)?, heartbeat })
    }

    fn change(&mut self, _: &'static str, change: &mut Change<'_>) {
        self.return_spread.change("return_spread", change);
        self.heartbeat.change("heartbeat", change);
    }
}

macro_rules! fields {
    ($($kind:ty: |$field:ident| $value:expr, $of:pat => $other:expr, $read:ident;)+) => { $(
        impl Field for $kind {
            fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
                let $field = *self;
                visit(name, $value);
            }

            fn encode(&self, out: &mut Vec<u8>) {
                let $field = *self;
                $value.encode(out);
            }

            fn of(value: Value) -> Option<Self> {
                if let $of = value { $other } else { None }
            }

            fn read(name: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
                source.$read(name)
            }
        }
    )+ };
}

fields! {
    u16: |number| Value::Number(number.into()), Value::Number(number) => number.try_into().ok(), number;
    u32: |number| Value::Number(number.into()), Value::Number(number) => number.try_into().ok(), number;
    i32: |number| Value::Signed(number.into()), Value::Signed(number) => number.try_into().ok(), number;
    bool: |flag| Value::Flag(flag), Value::Flag(flag) => Some(flag), flag;
    Code: |code| Value::Code(code), Value::Code(code) => Some(code), code;
    Attempt: |attempt| Value::Attempt(attempt), Value::Attempt(attempt) => Some(attempt), attempt;
    Seats: |seats| Value::Seats(seats), Value::Seats(seats) => Some(seats), seats;
    DeviceIndex: |index| Value::Device(index), Value::Device(index) => Some(index), device;
    UserIndex: |index| Value::User(index), Value::User(index) => Some(index), user;
    SiteIndex: |index| Value::Site(index), Value::Site(index) => Some(index), site;
    TicketIndex: |index| Value::Ticket(index), Value::Ticket(index) => Some(index), ticket;
    TextIndex: |index| Value::Text(index), Value::Text(index) => Some(index), text;
    ListIndex: |index| Value::List(index), Value::List(index) => Some(index), list;
}

impl Field for Refusal {
    const CHOICES: &'static [&'static str] = &["stale"];

    fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
        visit(name, self.value());
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.value().encode(out);
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Code(code) => Some(Refusal::Code(code)),
            Value::Word("stale") => Some(Refusal::Stale),
            _ => None,
        }
    }

    fn read(name: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
        if source.is_word(name, "stale") { Ok(Refusal::Stale) } else { source.code(name).map(Refusal::Code) }
    }
}

impl Refusal {
    fn value(self) -> Value {
        match self {
            Refusal::Code(code) => Value::Code(code),
            Refusal::Stale => Value::Word("stale"),
        }
    }
}

/// Closed sets, each with all that is in it: one that is left out does not compile.
macro_rules! sets {
    ($($kind:ident: $($one:ident)+;)+) => { $(
        impl Field for $kind {
            const CHOICES: &'static [&'static str] = &[$($kind::$one.word()),+];

            fn visit(&self, name: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
                visit(name, Value::Word(self.word()));
            }

            fn encode(&self, out: &mut Vec<u8>) {
                Value::Word(self.word()).encode(out);
            }

            fn of(value: Value) -> Option<Self> {
                let Value::Word(word) = value else { return None };
                [$($kind::$one),+].into_iter().find(|one| match one { $($kind::$one => one.word() == word,)+ })
            }

            fn read(name: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
                let word = source.word(name, Self::CHOICES)?;
                Ok(Self::of(Value::Word(word)).expect("it is one of them"))
            }
        }
    )+ };
}

sets! {
    Status: Logined Logining Logout;
    Platform: Android Ios Ipad Windows Mac Linux Web;
    Closing: Stopping Full Busy;
    FrameError: Malformed Oversized OutOfPlace Version;
    KickReason: SamePlatform OtherPlatform Administrator Gone;
    EndReason: SamePlatform OtherPlatform Administrator Expired Logout Replaced OtherUser;
    Presence: Online PushOnline Offline;
    Reason: NeverLoggedIn LoggingIn LoginFailed Kicked Expired LoggedOut Switched;
    CallKind: Init Uninit Login Logout Conversations Send Kick Query;
    Conduct: Garbage Oversized NoHello TwoHellos WrongVersion Idle ResumeForged Truncated LogoutAgain;
    CommitPoint: BeforeWrite AfterCommit AfterAnswers;
    Direction: Both Inbound Outbound;
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

            /// Reads the one that was written under this word.
            pub(crate) fn read_as(
                word: &str,
                source: &mut $crate::trace::parse::Source<'_>,
            ) -> Result<Self, $crate::trace::parse::Unread> {
                $(
                    if word == $word {
                        return Ok($name::$variant $({
                            $($field: $crate::trace::field::Field::read(stringify!($field), source)?),+
                        })?);
                    }
                )+
                let _ = source;
                Err($crate::trace::parse::Unread::word(word, Self::WORDS))
            }

            /// Offers every field in order for a change. Which variant it is stays.
            pub fn change(&mut self, change: &mut $crate::trace::field::Change<'_>) {
                match self {
                    $($name::$variant $({ $($field),+ })? => {
                        $($($crate::trace::field::Field::change($field, stringify!($field), change);)+)?
                    })+
                }
                let _ = change;
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

            fn read(
                name: &'static str,
                source: &mut $crate::trace::parse::Source<'_>,
            ) -> Result<Self, $crate::trace::parse::Unread> {
                let word = source.word(name, Self::WORDS)?;
                $name::read_as(word, source)
            }

            fn change(&mut self, _: &'static str, change: &mut $crate::trace::field::Change<'_>) {
                $name::change(self, change);
            }
        }
    )+ };
}

pub(super) use records;
