//! A story as a Mermaid sequence diagram, which pull requests and chats draw by themselves.
//!
//! The lines around what went wrong, as many as a person takes in at a glance. The page has all of them.

use std::ops::Range;

use gatecrash::time::Instant;

use crate::history::event::{self as history, Told, What};
use crate::judge::Recording;
use crate::trace::render::{self, Row, View};
use crate::trace::{self, Actor, DeviceIndex, Trace};

/// The most lines of a diagram.
pub(super) const LINES_MAX: usize = 40;

/// How many of them are for what happens: the others frame what is wrong and say what is left out.
const ROOM: usize = LINES_MAX - 8;

/// The most letters of what one line says.
const LETTERS_MAX: usize = 100;

/// Of the lines that are shown so many parts in four stand before what went wrong: they lead to it.
const PARTS_BEFORE: usize = 3;

/// Whoever takes part, in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    World,
    Server,
    Device(usize),
    Stranger,
}

impl Part {
    fn of(actor: Actor) -> Part {
        match actor {
            Actor::World => Part::World,
            Actor::Server => Part::Server,
            Actor::Device(device) => Part::of_device(device),
        }
    }

    fn of_device(device: DeviceIndex) -> Part {
        if device == DeviceIndex::STRANGER { Part::Stranger } else { Part::Device(device.index()) }
    }

    /// What lines call it: names of devices could be words of the language.
    fn id(self) -> String {
        match self {
            Part::World => "w".to_owned(),
            Part::Server => "s".to_owned(),
            Part::Device(device) => format!("d{device}"),
            Part::Stranger => "x".to_owned(),
        }
    }
}

/// One line of a diagram.
struct Step {
    from: Part,
    /// To whom something goes, where it does.
    to: Option<Part>,
    is_lost: bool,
    said: String,
}

impl Step {
    fn left_out(from: Part, number: usize) -> Step {
        Step { from, to: None, is_lost: false, said: format!("{number} lines are left out") }
    }
}

/// The diagram of a trace; what is wrong is an event, and what is said of that.
pub(super) fn diagram(trace: &Trace, wrong: Option<(usize, String)>) -> String {
    let rows = render::rows(trace, View::Story);
    let marked =
        wrong.as_ref().map(|(position, _)| rows.partition_point(|row| row.position <= *position).saturating_sub(1));
    let step = |row: &Row| {
        let event = &trace.events[row.position];
        let (at, to) = (event.at, receiver(&event.what));
        let (is_lost, what) = match row.what.strip_suffix("  LOST").filter(|_| to.is_some()) {
            Some(what) => (true, format!("{what} LOST")),
            None => (false, row.what.clone()),
        };
        Step { from: Part::of(event.actor), to, is_lost, said: format!("{at} {}{what}", toward(&event.what)) }
    };
    let steps: Vec<Step> = rows.iter().map(step).collect();
    let name = |part: Part| match part {
        Part::World => "world".to_owned(),
        Part::Server => "server".to_owned(),
        Part::Stranger => trace.cast.device_name(DeviceIndex::STRANGER).to_owned(),
        Part::Device(device) => trace.cast.device_name(DeviceIndex::new(device)).to_owned(),
    };
    drawn(&steps, marked, wrong.as_ref().map(|(_, why)| why.as_str()), &name)
}

/// The diagram of these moments of a history, some of which are to blame; what is wrong is one of them, and what is said of
/// that. Where not all have room, those around each that is to blame are shown.
pub(super) fn of_history(
    recording: &Recording,
    moments: &[usize],
    blamed: &[usize],
    wrong: usize,
    why: &str,
) -> String {
    let step = |position: usize| {
        let moment = &recording.moments[position];
        let at = Instant::from_micros(moment.event.from);
        // Whoever displaced a device has no line of its own for it.
        let (from, to) = match moment.event.what {
            What::Told { event: Told::KickedOffline { by: Some(by), .. }, .. } => (by, Some(moment.event.actor)),
            _ => (moment.event.actor, None),
        };
        let toward = match moment.event.what {
            What::Called { .. } => "app calls ",
            What::Told { .. } => "app hears ",
            _ => "",
        };
        let part =
            |actor: history::Actor| if moment.is_nobodys() { Part::World } else { Part::Device(actor.0 as usize) };
        Step { from: part(from), to: to.map(part), is_lost: false, said: format!("{at} {toward}{}", moment.what) }
    };
    let places: Vec<usize> = blamed.iter().filter_map(|position| moments.binary_search(position).ok()).collect();
    let is_shown =
        |index: usize| moments.len() <= ROOM || places.iter().any(|place| place.abs_diff(index) <= reach(places.len()));
    let (mut steps, mut marked, mut left_out): (Vec<Step>, _, usize) = (Vec::new(), None, 0);
    for (index, &position) in moments.iter().enumerate() {
        if !is_shown(index) {
            left_out += 1;
            continue;
        }
        let next = step(position);
        if left_out > 0 {
            steps.push(Step::left_out(next.from, left_out));
            left_out = 0;
        }
        marked = marked.or((position == wrong).then_some(steps.len()));
        steps.push(next);
    }
    if let Some(last) = steps.last().filter(|_| left_out > 0) {
        steps.push(Step::left_out(last.from, left_out));
    }
    let name = |part: Part| match part {
        Part::Device(actor) => recording.cast.actors.name(actor as u32).to_owned(),
        Part::World | Part::Server | Part::Stranger => "history".to_owned(),
    };
    drawn(&steps, marked, Some(why), &name)
}

/// How many moments before and after each that is to blame have room, where so many are.
fn reach(blamed: usize) -> usize {
    // Each stands in the middle of its own, and what is left out before it takes a line.
    (ROOM / blamed.max(1)).saturating_sub(2) / 2
}

/// As many lines as there is room for.
fn drawn(steps: &[Step], marked: Option<usize>, why: Option<&str>, name: &dyn Fn(Part) -> String) -> String {
    // The frame around what is wrong takes three lines, what is left out before and after one each.
    let mut number = steps.len().min(LINES_MAX);
    loop {
        let last = steps.len().saturating_sub(number);
        let first = marked.map_or(0, |marked| (marked + 1).saturating_sub(number * PARTS_BEFORE / 4).min(last));
        let lines = lines(steps, first..first + number, marked.zip(why), name);
        if lines.len() <= LINES_MAX || number == 0 {
            return lines.join("\n");
        }
        number -= 1;
    }
}

fn lines(
    steps: &[Step],
    shown: Range<usize>,
    wrong: Option<(usize, &str)>,
    name: &dyn Fn(Part) -> String,
) -> Vec<String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut told = Vec::new();
    // What is left out stands beside whoever is there in any case.
    let beside =
        steps.iter().map(|step| step.from).find(|part| *part == Part::Server).or(steps.first().map(|step| step.from));
    let left_out = |number: usize, side: &str| {
        let beside = beside.filter(|_| number > 0)?;
        Some((beside, format!("Note over {}: {number} lines {side} are left out", beside.id())))
    };
    if let Some((part, line)) = left_out(shown.start, "before") {
        told.push(line);
        parts.push(part);
    }
    for index in shown.clone() {
        let Step { from, to, is_lost, said: what } = &steps[index];
        parts.extend([Some(*from), *to].into_iter().flatten());
        let line = match to {
            Some(to) if *is_lost => format!("{}-x{}: {}", from.id(), to.id(), said(what)),
            Some(to) => format!("{}->>{}: {}", from.id(), to.id(), said(what)),
            None => format!("Note over {}: {}", from.id(), said(what)),
        };
        match wrong.filter(|(marked, _)| *marked == index) {
            Some((_, why)) => told.extend([
                "rect rgba(220, 60, 60, 0.25)".to_owned(),
                line,
                format!("Note over {}: {}", from.id(), said(why)),
                "end".to_owned(),
            ]),
            None => told.push(line),
        }
    }
    if let Some((part, line)) = left_out(steps.len() - shown.end, "after") {
        told.push(line);
        parts.push(part);
    }
    parts.sort_unstable();
    parts.dedup();
    let heads = parts.iter().map(|part| format!("participant {} as {}", part.id(), said(&name(*part))));
    std::iter::once("sequenceDiagram".to_owned()).chain(heads.chain(told).map(|line| format!("    {line}"))).collect()
}

/// To whom a frame goes, of an event that is one.
fn receiver(what: &trace::What) -> Option<Part> {
    if let trace::What::DeviceSent { .. } = what {
        return Some(Part::Server);
    }
    if let trace::What::ServerSent { peer, .. } = what {
        return peer.map(Part::of_device);
    }
    None
}

/// What stands before what is said between an application and its SDK.
fn toward(what: &trace::What) -> &'static str {
    if let trace::What::Called { .. } = what {
        return "app calls ";
    }
    if let trace::What::Told { .. } = what {
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
