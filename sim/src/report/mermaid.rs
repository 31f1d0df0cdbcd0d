//! A story as a Mermaid sequence diagram, which pull requests and chats draw by themselves.
//!
//! The lines around what went wrong, as many as a person takes in at a glance. The page has all of them.

use crate::trace::render::{self, Row, View};
use crate::trace::{Actor, DeviceIndex, Trace, What};

/// The most lines of a diagram.
pub(super) const LINES_MAX: usize = 40;

/// The most letters of what one line says.
const LETTERS_MAX: usize = 100;

/// Of the lines that are shown so many parts in four stand before what went wrong: they lead to it.
const PARTS_BEFORE: usize = 3;

/// Whoever takes part, in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    World,
    Server,
    Device(DeviceIndex),
}

impl Part {
    fn of(actor: Actor) -> Part {
        match actor {
            Actor::World => Part::World,
            Actor::Server => Part::Server,
            Actor::Device(device) => Part::Device(device),
        }
    }

    /// What lines call it: names of devices could be words of the language.
    fn id(self) -> String {
        match self {
            Part::World => "w".to_owned(),
            Part::Server => "s".to_owned(),
            Part::Device(DeviceIndex::STRANGER) => "x".to_owned(),
            Part::Device(device) => format!("d{}", device.index()),
        }
    }
}

/// The diagram of a trace; what is wrong is an event, and what is said of that.
pub(super) fn diagram(trace: &Trace, wrong: Option<(usize, String)>) -> String {
    let rows = render::rows(trace, View::Story);
    let marked =
        wrong.as_ref().map(|(position, _)| rows.partition_point(|row| row.position <= *position).saturating_sub(1));
    // The frame around what is wrong takes three lines, what is left out before and after one each.
    let mut number = rows.len().min(LINES_MAX);
    loop {
        let last = rows.len().saturating_sub(number);
        let first = marked.map_or(0, |marked| (marked + 1).saturating_sub(number * PARTS_BEFORE / 4).min(last));
        let lines = lines(trace, &rows, first..first + number, marked, wrong.as_ref());
        if lines.len() <= LINES_MAX || number == 0 {
            return lines.join("\n");
        }
        number -= 1;
    }
}

fn lines(
    trace: &Trace,
    rows: &[Row],
    shown: std::ops::Range<usize>,
    marked: Option<usize>,
    wrong: Option<&(usize, String)>,
) -> Vec<String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut told = Vec::new();
    if shown.start > 0 {
        told.push(format!("Note over {}: {} lines before are left out", Part::Server.id(), shown.start));
        parts.push(Part::Server);
    }
    for index in shown.clone() {
        let row = &rows[index];
        let event = &trace.events[row.position];
        let (from, to) = (Part::of(event.actor), receiver(&event.what));
        parts.extend([Some(from), to].into_iter().flatten());
        let at = event.at;
        let line = match (to, row.what.strip_suffix("  LOST")) {
            (Some(to), None) => format!("{}->>{}: {}", from.id(), to.id(), said(&format!("{at} {}", row.what))),
            (Some(to), Some(what)) => format!("{}-x{}: {}", from.id(), to.id(), said(&format!("{at} {what} LOST"))),
            (None, _) => {
                format!("Note over {}: {}", from.id(), said(&format!("{at} {}{}", toward(&event.what), row.what)))
            }
        };
        match wrong.filter(|_| marked == Some(index)) {
            Some((_, why)) => told.extend([
                "rect rgba(220, 60, 60, 0.25)".to_owned(),
                line,
                format!("Note over {}: {}", from.id(), said(why)),
                "end".to_owned(),
            ]),
            None => told.push(line),
        }
    }
    let after = rows.len() - shown.end;
    if after > 0 {
        told.push(format!("Note over {}: {after} lines after are left out", Part::Server.id()));
        parts.push(Part::Server);
    }
    parts.sort_unstable();
    parts.dedup();
    let name = |part: &Part| match part {
        Part::World => "world",
        Part::Server => "server",
        Part::Device(device) => trace.cast.device_name(*device),
    };
    let heads = parts.iter().map(|part| format!("participant {} as {}", part.id(), said(name(part))));
    std::iter::once("sequenceDiagram".to_owned()).chain(heads.chain(told).map(|line| format!("    {line}"))).collect()
}

/// To whom a frame goes, of an event that is one.
fn receiver(what: &What) -> Option<Part> {
    if let What::DeviceSent { .. } = what {
        return Some(Part::Server);
    }
    if let What::ServerSent { peer, .. } = what {
        return peer.map(Part::Device);
    }
    None
}

/// What stands before what is said between an application and its SDK.
fn toward(what: &What) -> &'static str {
    if let What::Called { .. } = what {
        return "app calls ";
    }
    if let What::Told { .. } = what {
        return "app hears ";
    }
    ""
}

/// The text with what means something to Mermaid, or to the Markdown around it, written as it wants it.
fn said(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for (number, letter) in text.chars().enumerate() {
        if number == LETTERS_MAX {
            told.push('…');
            break;
        }
        match letter {
            '#' => told.push_str("#35;"),
            ';' => told.push_str("#59;"),
            '<' => told.push_str("#lt;"),
            '>' => told.push_str("#gt;"),
            '%' => told.push_str("#37;"),
            '`' => told.push_str("#96;"),
            '{' => told.push_str("#123;"),
            '}' => told.push_str("#125;"),
            letter if letter.is_control() => told.push(' '),
            letter => told.push(letter),
        }
    }
    told
}
