//! The faults of a script, in one table: what each is called, what it names, what it does, and what does less.
//!
//! Everything that is said of a fault is made from its row: how a script writes it and what is said to a mistake in it,
//! the guide's table, what the traces call it and how the digest sums it up, what is drawn to test all that, and what
//! shrinking tries in its place. What an argument looks like is in `argument`. What a fault does is not here: each
//! world carries it out in the one `match` of its file `script`.

pub(crate) mod argument;

use std::fmt;
use std::time::Duration;

use self::argument::{Argument, Typed};
use super::diagnose::one_of;
use super::line::{Cursor, Word};
use super::names::Names;
use super::{Clock, CommitPoint, DeviceName, Direction, Offset, SiteName, Span, Version};

/// Hands the table to the macro of this name.
///
/// A row: what it does, as the guide says it; its name; what traces call it, where the first word, and `server` if that
/// comes second, is what a script begins it with; its arguments, in the order of the script, each with its kind; and
/// after `or` a fault of another kind that does less. Of several that a script begins with the same word the last that
/// fits is meant. The digest counts rows: a new one comes last.
macro_rules! faults {
    ($table:ident) => {
        $table! {
            /// What is sent over the site's link is lost, both ways; only from the server to the site (`inbound`), only
            /// from the site to the server (`outbound`). Connecting fails at once [9508]; to a dead server it hangs
            /// until it has lasted too long [9510].
            Partition = "partition" { site: Site, direction: OneWay },
            /// Ends the partition, and the portal. Streams that were cut stay silent, as nothing resends what was lost.
            Repair = "repair" { site: Site },
            /// What is sent over the site's link is kept. Not together with a one-way partition of that site.
            Hold = "hold" { site: Site } or Fault::Partition { site: site.clone(), direction: Direction::Both },
            /// Ends the hold: what was kept is delivered.
            Release = "release" { site: Site },
            /// The site's link gets another latency.
            Latency = "latency" { site: Site, latency: Range },
            /// The server's process dies; its connections are closed.
            CrashServer = "crash server",
            /// Crash, then start: at once, or so much later.
            BounceServer = "bounce server" { after: After },
            /// A dead server starts again.
            StartServer = "start server",
            /// The server's machine goes dark: nobody is told, what it sent last is lost, and what was not synced is
            /// gone.
            PowerLossServer = "power-loss server" or Fault::CrashServer,
            /// The same, as soon as a commit of the server gets so far: `before_write`, nothing of it is on disk;
            /// `after_commit`, it is, and nobody was answered; `after_answers`.
            PowerLossAt = "power-loss server at" { point: AtPoint },
            /// The same, at the N-th operation of its disk from now on that a commit asks for.
            PowerLossInDisk = "power-loss server in disk" { operation: AtOperation },
            /// The server's disk refuses everything, from its N-th operation from now on. Who waits for a commit gets
            /// [70500], connections are closed, and the server tries again after 250 ms, 500 ms … 8 s.
            DiskError = "disk-error server" { operation: FromOperation },
            /// The server's disk has no room left: refuses what needs a block that held nothing before, from the N-th
            /// time on. (The event world refuses everything.)
            DiskFull = "disk-full server" { operation: FromOperation } or Fault::DiskError { operation: 1 },
            /// A commit of the server takes so long.
            SlowDisk = "slow-disk server" { latency: Range },
            /// The server's disk works again, at the pace of `commit_latency`.
            MendDisk = "mend-disk server",
            /// The device's connection is reset.
            Reset = "reset" { device: Device },
            /// The device's process dies.
            Kill = "kill" { device: Device },
            /// The device's process starts again.
            Start = "start" { device: DeviceNotServer },
            /// The operating system freezes the device.
            Suspend = "suspend" { device: DeviceNotServer },
            /// The operating system lets the frozen device go on.
            Wake = "wake" { device: DeviceNotServer },
            /// The wall clock jumps: `+1h`, `-5s`.
            Skew = "skew" { clock: Whose, by: Signed },
            /// The wall clock runs fast or slow from now on: `+200ppm`, `-50ppm`.
            Drift = "drift" { clock: Whose, ppm: Millionths },
            /// The device's disk is emptied, as when the application is installed afresh.
            Wipe = "wipe" { device: Device },
            /// The device is on the network of that site from now on. Its connections are dead, and nobody is told:
            /// what is under way on them is lost, and so is whatever either end sends or ends later. New ones go over
            /// the site's link. The SDK learns of it only by `network_changed`. To the site where it is, it does
            /// nothing. A site that nothing else mentions is one more, with the usual latency.
            Move = "move" { device: Device, site: NewSite },
            /// The server is stopped as its operator stops it: nobody is accepted any more and who connects is refused
            /// at once, what was decided is committed and answered, every device is told when to come back, and then
            /// its process ends.
            StopServer = "stop server",
            /// The server is stopped, and one that speaks this version of the protocol is started as soon as it has.
            /// Devices speak version 1.
            UpgradeServer = "upgrade server" { version: ToVersion },
            /// The device's disk refuses whatever is to be written, from its N-th write from now on. The SDK tries
            /// again after 1 s, 2 s … 64 s, and whenever it is asked for something; what needs the device's record
            /// ends at once [6022].
            DeviceDiskError = "disk-error" { device: DeviceNotServer, operation: FromOperation },
            /// The device's disk has no room left. To the SDK that is an error like any other.
            DeviceDiskFull = "disk-full" { device: DeviceNotServer, operation: FromOperation },
            /// A write to the device's disk takes so long. After 5 s the SDK takes it for one that fails, and tells
            /// whoever waits for it [6022]; the write goes on.
            DeviceSlowDisk = "slow-disk" { device: DeviceNotServer, latency: Range },
            /// The device's disk writes everything again, and at once.
            DeviceMendDisk = "mend-disk" { device: DeviceNotServer },
            /// The device's record is damaged, and cannot be read any more. A process that runs goes on and writes it
            /// anew; one that starts is a new device.
            DamageRecord = "damage-record" { device: Device },
            /// The conversation lists cached on the device are damaged, those of all its users. A process that starts
            /// has none, and the server brings them anew.
            DamageCache = "damage-cache" { device: Device },
            /// At the site somebody else answers in the server's place from now on, as the portal of a hotel's network
            /// does, until `repair`: it accepts every connection and answers with what is no frame. Connections that
            /// stand are dead, and nobody is told. Strangers get past it. Under `tls` it makes a handshake instead, and
            /// shows in turn a certificate for the server's name by an authority that nobody trusts, one for another name
            /// by the right authority, and the server's of long ago.
            Portal = "portal" { site: Site } or Fault::Partition { site: site.clone(), direction: Direction::Both },
            /// The second device's disk becomes a copy of the first one's as it is now, as when a tab is duplicated or a
            /// backup restored on another phone: record, caches and device id, and what its application was not told
            /// had arrived. What it held before is gone. A process of the second that runs goes on with what it has in
            /// memory, and what it writes lands on the copy; one that starts, or has called nothing yet, is to the
            /// server the first device.
            Clone = "clone" { device: Device, onto: Device } or Fault::Wipe { device: onto.clone() },
            /// The server's process stands still, as one that is suspended does, or whose machine sleeps. Its
            /// connections stay, the machine accepts further ones, and what arrives waits there. What its operator or
            /// the app wants of it waits, too.
            SuspendServer = "suspend server",
            /// The process goes on where it stood, on clocks that have gone on: it finds that by itself if it stood
            /// for more than 2 s.
            WakeServer = "wake server",
            /// The device's operating system gathers timers, as one does for an application in the background: each
            /// fires at the next whole multiple of this span since now, at most so much late, until the span is `0s`.
            /// Nobody is told. What arrives is read at once.
            LateTimers = "late-timers" { device: Device, by: Lateness },
        }
    };
}

pub(crate) use faults;

/// What traces call the faults that no seed draws: seeds go on to mean what they meant before there were these.
#[cfg(test)]
pub(crate) const NOT_DRAWN: [&str; 0] = [];

macro_rules! define {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $word:literal $({ $($field:ident: $kind:ident),+ })? $(or $milder:expr)?,
    )+) => {
        /// Something that breaks, or heals.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Fault {
            $($(#[doc = $doc])+ $name $({ $($field: <argument::$kind as Typed>::Value),+ })?,)+
        }

        /// Every kind of fault, in the order of the table.
        const KINDS: &[Kind] = &[$(
            Kind {
                word: $word,
                does: concat!($($doc),+),
                written: &[$($(<argument::$kind as Argument>::WRITTEN),+)?],
                option: Kind::option(&[$($(<argument::$kind as Argument>::OPTION),+)?]),
                fits: |_words: &[Word]| {
                    let _place = 0;
                    $($(
                        let (is_it, _place) = (<argument::$kind as Argument>::fits(_words.get(_place)), _place + 1);
                        if !is_it {
                            return false;
                        }
                    )+)?
                    true
                },
                read: |_cursor, _names| {
                    Some(Fault::$name $({ $($field: <argument::$kind as Argument>::read(_cursor, _names)?),+ })?)
                },
                #[cfg(test)]
                any: || {
                    use proptest::strategy::Strategy as _;
                    let parts = (proptest::strategy::Just(()), $($(<argument::$kind as Argument>::any(),)+)?);
                    parts.prop_map(|((), $($($field,)+)?)| Fault::$name $({ $($field),+ })?).boxed()
                },
            },
        )+];

        impl Fault {
            fn place(&self) -> usize {
                enum Place { $($name),+ }
                match self { $(Fault::$name { .. } => Place::$name as usize,)+ }
            }

            /// What it names, in the order of the script.
            pub(crate) fn parts(&self) -> Vec<Part<'_>> {
                match self {
                    $(Fault::$name $({ $($field),+ })? => {
                        vec![$($(Piece::part($field)),+)?]
                    })+
                }
            }

            /// It with another part in the place of its `nth`, counted from 0.
            ///
            /// # Panics
            ///
            /// If the part is of another kind than the one it replaces.
            pub(crate) fn with(&self, nth: usize, part: Part<'_>) -> Fault {
                let mut places = 0..;
                let mut _is_it = || places.next() == Some(nth);
                match self {
                    $(Fault::$name $({ $($field),+ })? => Fault::$name $({
                        $($field: if _is_it() {
                            Piece::of(part).expect("a part of the same kind")
                        } else {
                            Clone::clone($field)
                        }),+
                    })?,)+
                }
            }

            /// The words of its arguments, without those that are left out.
            fn arguments(&self) -> Vec<String> {
                match self {
                    $(Fault::$name $({ $($field),+ })? => {
                        let words: Vec<Option<String>> =
                            vec![$($(<argument::$kind as Argument>::print($field)),+)?];
                        words.into_iter().flatten().collect()
                    })+
                }
            }

            /// A fault of another kind that does less.
            pub(crate) fn milder(&self) -> Option<Fault> {
                match self {
                    $(Fault::$name $({ $($field),+ })? => {
                        $($(let _ = $field;)+)?
                        None $(.or(Some($milder)))?
                    })+
                }
            }
        }
    };
}

faults!(define);

/// Something that a fault names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'f> {
    /// The device it befalls.
    Device(&'f DeviceName),
    /// A site.
    Site(&'f SiteName),
    /// Whose wall clock.
    Clock(&'f Clock),
    /// In which direction.
    Direction(Direction),
    /// How long something takes from now on.
    Span(Span),
    /// How much later something follows.
    After(Duration),
    /// How far a clock jumps.
    Offset(Offset),
    /// By how many millionths a clock is fast.
    Millionths(i32),
    /// Which operation of a disk, counted from 1.
    Operation(u32),
    /// How far a commit gets.
    Point(CommitPoint),
    /// Which version of the protocol.
    Version(Version),
}

/// A value that is a part of faults.
trait Piece: Sized {
    fn part(&self) -> Part<'_>;

    /// What the part is, if it is of this kind.
    fn of(part: Part<'_>) -> Option<Self>;
}

macro_rules! pieces {
    ($($value:ty: $name:ident, |$held:ident| $part:expr, $own:expr;)+) => { $(
        impl Piece for $value {
            fn part(&self) -> Part<'_> {
                let $held = self;
                Part::$name($part)
            }

            fn of(part: Part<'_>) -> Option<Self> {
                if let Part::$name($held) = part { Some($own) } else { None }
            }
        }
    )+ };
}

pieces! {
    DeviceName: Device, |device| device, device.clone();
    SiteName: Site, |site| site, site.clone();
    Clock: Clock, |clock| clock, clock.clone();
    Direction: Direction, |direction| *direction, direction;
    Span: Span, |span| *span, span;
    Duration: After, |after| *after, after;
    Offset: Offset, |by| *by, by;
    i32: Millionths, |ppm| *ppm, ppm;
    u32: Operation, |operation| *operation, operation;
    CommitPoint: Point, |point| *point, point;
    Version: Version, |version| *version, version;
}

/// A row of the table.
struct Kind {
    word: &'static str,
    /// The sentence of the guide.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares the guide"))]
    does: &'static str,
    /// How the guide writes its arguments.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares the guide"))]
    written: &'static [&'static str],
    /// The option among its arguments, such as `at=`.
    option: Option<&'static str>,
    /// Whether these words, behind those it begins with, look like its arguments.
    fits: fn(&[Word]) -> bool,
    read: fn(&mut Cursor<'_, '_, '_>, &Names) -> Option<Fault>,
    #[cfg(test)]
    any: fn() -> proptest::strategy::BoxedStrategy<Fault>,
}

impl Kind {
    const fn option(options: &[Option<&'static str>]) -> Option<&'static str> {
        // Options stand at the end.
        match options {
            [.., last] => *last,
            [] => None,
        }
    }

    /// The word a script begins it with.
    fn verb(&self) -> &'static str {
        self.word.split(' ').next().expect("a split has a first piece")
    }

    /// Whether `server` comes next.
    fn is_of_server(&self) -> bool {
        self.word.split(' ').nth(1) == Some("server")
    }

    /// The words it begins with: all of what traces call it, but for what tells apart those that begin alike.
    fn beginning(&self) -> String {
        if self.is_of_server() { format!("{} server", self.verb()) } else { self.verb().to_owned() }
    }

    fn fits(&self, words: &[Word]) -> bool {
        let rest = match words {
            [first, rest @ ..] if self.is_of_server() && first.is("server") => rest,
            _ if self.is_of_server() => return false,
            _ => words,
        };
        (self.fits)(rest)
    }
}

/// The words that faults begin with.
pub(super) fn verbs() -> Vec<&'static str> {
    let mut verbs: Vec<&str> = Vec::new();
    for kind in KINDS {
        if !verbs.contains(&kind.verb()) {
            verbs.push(kind.verb());
        }
    }
    verbs
}

/// Reads what follows `fault` in a step.
pub(super) fn read(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<Fault> {
    let expected = one_of(verbs());
    let verb = cursor.word(&expected)?;
    let begin_so: Vec<&Kind> = KINDS.iter().filter(|kind| verb.text == kind.verb()).collect();
    let fitting = begin_so.iter().rfind(|kind| kind.fits(cursor.rest()));
    let Some(kind) = fitting.or(begin_so.first()) else {
        cursor.refuse(verb, "fault", &expected, verbs());
        return None;
    };
    if kind.is_of_server() {
        argument::read_server(cursor)?;
    }
    let fault = (kind.read)(cursor, names)?;
    let options: Vec<&str> = match kind.option {
        Some(_) => Vec::new(),
        None => begin_so.iter().filter_map(|kind| kind.option).take(1).collect(),
    };
    cursor.finish(&options)?;
    Some(fault)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&KINDS[self.place()].beginning())?;
        self.arguments().iter().try_for_each(|word| write!(f, " {word}"))
    }
}

impl Fault {
    /// The device that it is about, be it by its clock.
    pub(crate) fn device(&self) -> Option<&DeviceName> {
        self.parts().into_iter().find_map(|part| match part {
            Part::Device(device) | Part::Clock(Clock::Device(device)) => Some(device),
            _ => None,
        })
    }

    /// The site that it is about.
    pub(crate) fn site(&self) -> Option<&SiteName> {
        self.parts().into_iter().find_map(|part| match part {
            Part::Site(site) => Some(site),
            _ => None,
        })
    }

    /// Whether it befalls a device, as what its application does: not a link, nor the server, nor a clock.
    pub(crate) fn befalls_device(&self) -> bool {
        self.parts().iter().any(|part| matches!(part, Part::Device(_)))
    }

    /// Puts other parts in the place of those for which there are some.
    pub(crate) fn replace<'p>(&mut self, other: impl Fn(Part<'_>) -> Option<Part<'p>>) {
        for nth in 0..self.parts().len() {
            if let Some(part) = other(self.parts()[nth]) {
                *self = self.with(nth, part);
            }
        }
    }
}

/// Any fault.
#[cfg(test)]
pub(super) fn any() -> impl proptest::strategy::Strategy<Value = Fault> {
    proptest::strategy::Union::new(KINDS.iter().map(|kind| (kind.any)()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    const GUIDE: &str = include_str!("../../../docs/scenarios.md");

    /// The guide's table of faults.
    fn table() -> String {
        let mut table = "| action | effect |\n|---|---|\n".to_owned();
        for kind in KINDS {
            let words: Vec<String> =
                [kind.beginning()].into_iter().chain(kind.written.iter().map(|&word| word.to_owned())).collect();
            table += &format!(
                "| `{}` | {} |\n",
                words.join(" ").replace('|', "\\|"),
                kind.does.trim().trim_end_matches('.')
            );
        }
        table
    }

    #[test]
    fn the_guide_has_the_table() {
        let section = GUIDE.split("### `fault`").nth(1).expect("the guide has a section on faults");
        let start = section.find("| action").expect("it has a table");
        let written: String =
            section[start..].lines().take_while(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
        assert!(
            written == table(),
            "the table of faults in docs/scenarios.md is out of date. The current one:\n{}",
            table()
        );
    }

    #[test]
    fn only_the_last_argument_is_left_out() {
        for kind in KINDS {
            let count = kind.written.len().saturating_sub(1);
            assert!(kind.written[..count].iter().all(|word| !word.starts_with('[')), "{}", kind.word);
        }
    }

    /// To whoever writes a script a phone goes off Wi-Fi, and nobody else is where it goes.
    #[test]
    fn a_site_to_which_a_device_moves_needs_no_other_mention() {
        const TEXT: &str = r#"
title = "A phone goes from Wi-Fi to a network that is cut at once"
rules = ["CONN-5"]
seed = 1
devices.phone = { platform = "android", site = "wifi" }

[script]
until = "20s"
steps = """
2s  fault  partition cell
1s  fault  move phone cell
"""
"#;
        let read = |text: &str| Scenario::parse("move.toml", text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        let scenario = read(TEXT);
        let sites: Vec<&str> = scenario.sites.keys().map(SiteName::as_str).collect();
        assert_eq!(sites, ["cell", "wifi"]);
        assert_eq!(read(&scenario.to_string()), scenario);
        let unknown = TEXT.replace("move phone cell", "move phone wifi");
        assert!(Scenario::parse("move.toml", &unknown).is_err(), "nobody is at the site that is cut");
    }
}
