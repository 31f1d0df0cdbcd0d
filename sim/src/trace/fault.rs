//! Faults of a script as events name them: the same table, with entities by number.
//!
//! Says nothing of a fault by itself: `scenario::fault` does.

use std::time::Duration;

use super::cast::Cast;
use super::field::{Change, Field, Micros, SignedMicros, Value, records};
use super::index::{DeviceIndex, SiteIndex};
use super::parse::{Source, Unread};
use crate::scenario::fault::argument::{self, Typed};
use crate::scenario::fault::faults;
use crate::scenario::{self, Clock, CommitPoint, DeviceName, Direction, Offset, SiteName, Span, Version};

/// An argument of a fault, as a script has it.
pub trait Recorded {
    /// What of it an event keeps.
    type Kept;

    /// It, for events of this cast.
    fn kept(&self, cast: &Cast) -> Self::Kept;
}

macro_rules! define {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $word:literal $({ $($field:ident: $kind:ident),+ })? $(or $milder:expr)?,
    )+) => {
        records! {
            /// What a step of the script breaks or heals.
            pub enum Fault {
                $(
                    $(#[doc = $doc])+
                    $name = $word $({ $($field: <<argument::$kind as Typed>::Value as Recorded>::Kept),+ })?,
                )+
            }
        }

        impl Fault {
            /// The fault of the script, as events of this cast name it.
            pub(crate) fn of(fault: &scenario::Fault, cast: &Cast) -> Self {
                match fault {
                    $(scenario::Fault::$name $({ $($field),+ })? => {
                        Fault::$name $({ $($field: Recorded::kept($field, cast)),+ })?
                    })+
                }
            }
        }
    };
}

faults!(define);

/// Whose wall clock: the server's when no device is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOf(pub Option<DeviceIndex>);

impl Field for ClockOf {
    fn visit(&self, _: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
        self.0.visit("device", visit);
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn read(_: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
        Field::read("device", source).map(ClockOf)
    }

    fn change(&mut self, _: &'static str, change: &mut Change<'_>) {
        self.0.change("device", change);
    }
}

/// A span between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// The shortest.
    pub min: Micros,
    /// The longest.
    pub max: Micros,
}

impl Field for Between {
    fn visit(&self, _: &'static str, visit: &mut dyn FnMut(&'static str, Value)) {
        self.min.visit("min", visit);
        self.max.visit("max", visit);
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.min.encode(out);
        self.max.encode(out);
    }

    fn read(_: &'static str, source: &mut Source<'_>) -> Result<Self, Unread> {
        Ok(Between { min: Field::read("min", source)?, max: Field::read("max", source)? })
    }

    fn change(&mut self, _: &'static str, change: &mut Change<'_>) {
        self.min.change("min", change);
        self.max.change("max", change);
    }
}

macro_rules! kept {
    ($($value:ty => $kept:ty: |$one:ident, $cast:ident| $make:expr;)+) => { $(
        impl Recorded for $value {
            type Kept = $kept;

            fn kept(&self, $cast: &Cast) -> $kept {
                let $one = self;
                $make
            }
        }
    )+ };
}

kept! {
    SiteName => SiteIndex: |site, cast| cast.find_site(site.as_str()).expect("a fault names a site of the scenario");
    DeviceName => DeviceIndex: |device, cast| {
        cast.find_device(device.as_str()).expect("a fault names a device of the scenario")
    };
    Clock => ClockOf: |clock, cast| match clock {
        Clock::Server => ClockOf(None),
        Clock::Device(device) => ClockOf(Some(device.kept(cast))),
    };
    Span => Between: |span, _cast| Between { min: span.min.into(), max: span.max.into() };
    Duration => Micros: |span, _cast| Micros::from(*span);
    Offset => SignedMicros: |by, _cast| SignedMicros::new(by.0);
    Direction => Direction: |direction, _cast| *direction;
    CommitPoint => CommitPoint: |point, _cast| *point;
    Version => u32: |version, _cast| version.0;
    u32 => u32: |number, _cast| *number;
    i32 => i32: |number, _cast| *number;
}
