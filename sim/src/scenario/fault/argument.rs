//! The kinds of arguments that faults have: how each is written, read, printed and drawn.
//!
//! Knows no fault: the table says which fault has which.

use std::time::Duration;

#[cfg(test)]
use proptest::prelude::*;

#[cfg(test)]
use crate::scenario::arbitrary;
use crate::scenario::diagnose::{Mistake, one_of};
use crate::scenario::duration::{
    DURATION, OFFSET, SPAN, parse_duration, parse_offset, parse_span, print_duration, print_offset, print_span,
};
use crate::scenario::line::{Cursor, Word};
use crate::scenario::names::Names;
use crate::scenario::{Clock, CommitPoint, DeviceName, Direction, Offset, SiteName, Span, Version};

/// What an argument of a kind is.
pub trait Typed {
    /// Its type.
    type Value;
}

/// A kind of argument.
pub(super) trait Argument: Typed {
    /// How the guide writes it: in brackets what may be left out.
    const WRITTEN: &'static str;

    /// How it begins, if it is written as an option.
    const OPTION: Option<&'static str> = None;

    /// Whether this, the next word, looks like it: asked where several faults begin alike.
    fn fits(word: Option<&Word>) -> bool {
        let _ = word;
        true
    }

    /// Reads it. Reports what is no such argument.
    fn read(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<Self::Value>;

    /// The word a script has; none where that is left out.
    fn print(value: &Self::Value) -> Option<String>;

    /// Any that a script can have.
    #[cfg(test)]
    fn any() -> BoxedStrategy<Self::Value>;
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident: $value:ty;)+) => { $(
        $(#[$doc])+
        pub struct $name;

        impl Typed for $name {
            type Value = $value;
        }
    )+ };
}

kinds! {
    /// Which site's link.
    Site: SiteName;
    /// Which site, which nothing else need mention.
    NewSite: SiteName;
    /// Which device.
    Device: DeviceName;
    /// Which device, where with `server` it is another fault.
    DeviceNotServer: DeviceName;
    /// Whose wall clock.
    Whose: Clock;
    /// In which direction; in both when it is left out.
    OneWay: Direction;
    /// How long something takes from now on.
    Range: Span;
    /// How much later; at once when it is left out.
    After: Duration;
    /// How late timers run at most.
    Lateness: Duration;
    /// From which operation of a disk on, counted from 1; from the first when it is left out.
    FromOperation: u32;
    /// At which operation of a disk, counted from 1.
    AtOperation: u32;
    /// At which point of a commit.
    AtPoint: CommitPoint;
    /// How far a clock jumps.
    Signed: Offset;
    /// By how many millionths a clock is fast; negative is slow.
    Millionths: i32;
    /// Which version of the protocol.
    ToVersion: Version;
}

impl Argument for Site {
    const WRITTEN: &'static str = "SITE";

    fn read(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<SiteName> {
        names.site(cursor)
    }

    fn print(site: &SiteName) -> Option<String> {
        Some(site.to_string())
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<SiteName> {
        arbitrary::site().boxed()
    }
}

impl Argument for NewSite {
    const WRITTEN: &'static str = Site::WRITTEN;

    fn read(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<SiteName> {
        names.new_site(cursor)
    }

    fn print(site: &SiteName) -> Option<String> {
        Site::print(site)
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<SiteName> {
        Site::any()
    }
}

impl Argument for Device {
    const WRITTEN: &'static str = "DEVICE";

    fn read(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<DeviceName> {
        names.device(cursor)
    }

    fn print(device: &DeviceName) -> Option<String> {
        Some(device.to_string())
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<DeviceName> {
        arbitrary::device().boxed()
    }
}

impl Argument for DeviceNotServer {
    const WRITTEN: &'static str = Device::WRITTEN;

    fn fits(word: Option<&Word>) -> bool {
        !word.is_some_and(|word| word.is("server"))
    }

    fn read(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<DeviceName> {
        let word = cursor.word("a device, or server")?;
        let found = names.devices.get(word.text.as_str()).cloned();
        if found.is_none() && !names.incomplete.devices && !names.lost.contains(&word.text) {
            let valid = || names.devices.iter().map(DeviceName::as_str).chain(["server"]);
            let message = format!("there is no device `{}`", word.text);
            let mistake = Mistake::new(word.at.clone(), message, one_of(valid()));
            cursor.problems.report(mistake.near(&word.text, valid()));
        }
        found
    }

    fn print(device: &DeviceName) -> Option<String> {
        Device::print(device)
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<DeviceName> {
        Device::any()
    }
}

impl Argument for Whose {
    const WRITTEN: &'static str = "DEVICE|server";

    fn read(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<Clock> {
        match cursor.keyword("server") {
            Some(_) => Some(Clock::Server),
            None => DeviceNotServer::read(cursor, names).map(Clock::Device),
        }
    }

    fn print(clock: &Clock) -> Option<String> {
        match clock {
            Clock::Server => Some("server".to_owned()),
            Clock::Device(device) => Device::print(device),
        }
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<Clock> {
        prop_oneof![Just(Clock::Server), arbitrary::device().prop_map(Clock::Device)].boxed()
    }
}

impl Argument for OneWay {
    const WRITTEN: &'static str = "[inbound|outbound]";

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<Direction> {
        if cursor.peek().is_none() {
            return Some(Direction::Both);
        }
        let one_way = [Direction::Inbound, Direction::Outbound];
        let word = cursor.word("inbound or outbound")?;
        let found = one_way.into_iter().find(|direction| word.is(direction.word()));
        if found.is_none() {
            let valid = one_way.into_iter().map(Direction::word);
            cursor.refuse(word, "direction", "inbound, outbound, or nothing for both", valid);
        }
        found
    }

    fn print(direction: &Direction) -> Option<String> {
        (*direction != Direction::Both).then(|| direction.to_string())
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<Direction> {
        arbitrary::member().boxed()
    }
}

impl Argument for Range {
    const WRITTEN: &'static str = "RANGE";

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<Span> {
        Some(cursor.value("latency", SPAN, parse_span)?.0)
    }

    fn print(span: &Span) -> Option<String> {
        Some(print_span(*span))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<Span> {
        arbitrary::span().boxed()
    }
}

impl Argument for After {
    const WRITTEN: &'static str = "[after=DURATION]";
    const OPTION: Option<&'static str> = Some("after=");

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<Duration> {
        let Some(value) = cursor.option("after") else {
            cursor.finish(&["after="])?;
            return Some(Duration::ZERO);
        };
        let after = parse_duration(&value.text);
        if after.is_none() {
            cursor.refuse(&value, "span of time", DURATION, []);
        }
        after
    }

    fn print(after: &Duration) -> Option<String> {
        (!after.is_zero()).then(|| format!("after={}", print_duration(*after)))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<Duration> {
        prop_oneof![Just(Duration::ZERO), arbitrary::time()].boxed()
    }
}

impl Argument for Lateness {
    const WRITTEN: &'static str = "DURATION";

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<Duration> {
        Some(cursor.value("span of time", DURATION, parse_duration)?.0)
    }

    fn print(lateness: &Duration) -> Option<String> {
        Some(print_duration(*lateness))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<Duration> {
        prop_oneof![Just(Duration::ZERO), arbitrary::time()].boxed()
    }
}

/// The most operations of a disk that a fault waits for.
const OPERATION_MAX: u32 = 1_000_000;

fn parse_operation(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|operation| is_number && (1..=OPERATION_MAX).contains(operation))
}

fn read_operation(cursor: &mut Cursor<'_, '_, '_>, value: &Word) -> Option<u32> {
    let operation = parse_operation(&value.text);
    if operation.is_none() {
        cursor.refuse(value, "operation of a disk", "a number from 1 to 1000000", []);
    }
    operation
}

impl Argument for FromOperation {
    const WRITTEN: &'static str = "[at=N]";
    const OPTION: Option<&'static str> = Some("at=");

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<u32> {
        let Some(value) = cursor.option("at") else {
            cursor.finish(&["at="])?;
            return Some(1);
        };
        read_operation(cursor, &value)
    }

    fn print(operation: &u32) -> Option<String> {
        (*operation != 1).then(|| format!("at={operation}"))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<u32> {
        prop_oneof![Just(1), 1..=OPERATION_MAX].boxed()
    }
}

impl Argument for AtOperation {
    const WRITTEN: &'static str = "at=N";
    const OPTION: Option<&'static str> = Some("at=");

    fn fits(word: Option<&Word>) -> bool {
        value_at(word).is_some_and(|value| parse_operation(value).is_some())
    }

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<u32> {
        let value = cursor.option("at")?;
        read_operation(cursor, &value)
    }

    fn print(operation: &u32) -> Option<String> {
        Some(format!("at={operation}"))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<u32> {
        (1..=OPERATION_MAX).boxed()
    }
}

impl Argument for AtPoint {
    const WRITTEN: &'static str = "at=POINT";
    const OPTION: Option<&'static str> = Some("at=");

    fn fits(word: Option<&Word>) -> bool {
        value_at(word).is_some()
    }

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<CommitPoint> {
        let value = cursor.option("at")?;
        let point = CommitPoint::from_word(&value.text);
        if point.is_none() {
            let words = || CommitPoint::ALL.iter().map(|point| point.word());
            let expected = format!("an operation of the disk from 1 to {OPERATION_MAX}, or {}", one_of(words()));
            cursor.refuse(&value, "point of a commit", &expected, words());
        }
        point
    }

    fn print(point: &CommitPoint) -> Option<String> {
        Some(format!("at={point}"))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<CommitPoint> {
        arbitrary::member().boxed()
    }
}

/// What the word says after `at=`.
fn value_at(word: Option<&Word>) -> Option<&str> {
    word.filter(|word| !word.quoted)?.text.strip_prefix("at=")
}

impl Argument for Signed {
    const WRITTEN: &'static str = "SIGNED";

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<Offset> {
        Some(cursor.value("signed span of time", OFFSET, parse_offset)?.0)
    }

    fn print(by: &Offset) -> Option<String> {
        Some(print_offset(*by))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<Offset> {
        arbitrary::offset().boxed()
    }
}

/// What a drift looks like: a clock that stands still or runs at double speed is the end of it.
const DRIFT: &str = "a drift such as +200ppm or -50ppm, at most 1000000ppm";

/// The last version of the protocol that a scenario speaks of.
const VERSION_MAX: u32 = 9;

impl Argument for ToVersion {
    const WRITTEN: &'static str = "VERSION";

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<Version> {
        const EXPECTED: &str = "a version of the protocol from 1 to 9";
        let parse = |text: &str| text.parse().ok().filter(|version| (1..=VERSION_MAX).contains(version)).map(Version);
        Some(cursor.value("version", EXPECTED, parse)?.0)
    }

    fn print(version: &Version) -> Option<String> {
        Some(version.0.to_string())
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<Version> {
        (1..=VERSION_MAX).prop_map(Version).boxed()
    }
}

/// Millionths in a whole.
const PPM_MAX: u32 = 1_000_000;

fn parse_drift(text: &str) -> Option<i32> {
    let ppm: i32 = text.strip_suffix("ppm")?.parse().ok()?;
    (ppm.unsigned_abs() <= PPM_MAX).then_some(ppm)
}

impl Argument for Millionths {
    const WRITTEN: &'static str = "PPM";

    fn read(cursor: &mut Cursor<'_, '_, '_>, _: &Names) -> Option<i32> {
        Some(cursor.value("drift", DRIFT, parse_drift)?.0)
    }

    fn print(ppm: &i32) -> Option<String> {
        Some(format!("{ppm:+}ppm"))
    }

    #[cfg(test)]
    fn any() -> BoxedStrategy<i32> {
        (-1_000_000..=1_000_000_i32).boxed()
    }
}

/// Reads `server`, where nothing else can stand.
pub(super) fn read_server(cursor: &mut Cursor<'_, '_, '_>) -> Option<()> {
    let word = cursor.word("server")?;
    if !word.is("server") {
        cursor.refuse(word, "server", "server; a device is stopped with `kill` and started with `start`", ["server"]);
        return None;
    }
    Some(())
}
