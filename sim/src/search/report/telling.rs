//! How the failure of one run is told: what is broken, each thing once, with the events around the moment.
//!
//! What is the same in kind is told of its first; lines that were shown are not shown again; and what a model says of an
//! event that a property names is left out, since it says less. Whoever wants all of it asks for it.

use std::fmt::Arguments;

use gatecrash::time::Instant;

use super::{Case, actor_name, at, escaped, head, position, push, replay_command};
use crate::check::Violation;
use crate::check::expect::{Miss, Moment};
use crate::check::property::vagueness;
use crate::search::fingerprint::Fingerprint;
use crate::trace::Trace;
use crate::trace::render::{self, Around, Paint, Remark};
use crate::{Run, Verdict};

/// How many events are shown before the one in question.
const EVENTS_BEFORE: usize = 6;

/// How many after it.
const EVENTS_AFTER: usize = 3;

/// How many kinds of violations of one run are told, and how many missed expectations: the first ones explain the others.
const KINDS_TOLD: usize = 5;

/// How much is told, and in which colours.
///
/// ```
/// use gatecrash_sim::search::report::{Case, Telling, told};
/// use gatecrash_sim::{generate, run, world::World};
///
/// let (scenario, world) = (generate::scenario(17), World::Event);
/// let case = Case { path: "--seed 17", scenario: &scenario, world, seed: None };
/// let run = run(&scenario, world).unwrap();
/// let everything = Telling { is_whole: true, has_steps: true, ..Telling::default() };
/// assert_eq!(told(&case, &run, everything).is_some(), run.verdict() != gatecrash_sim::Verdict::Passed);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// Everything that is wrong, each time that it is.
    pub is_whole: bool,
    /// With the steps of the scenario below its title.
    pub has_steps: bool,
    /// In which colours.
    pub paint: Paint,
}

/// What a person needs to know of a run that failed; nothing of one that passed.
pub fn failure(case: &Case<'_>, run: &Run) -> Option<String> {
    told(case, run, Telling::default())
}

/// The same, told in this way.
pub fn told(case: &Case<'_>, run: &Run, telling: Telling) -> Option<String> {
    if run.verdict() == Verdict::Passed {
        return None;
    }
    let mut teller = Teller::new(case, run, telling);
    teller.text = head(case, telling.paint);
    if telling.has_steps {
        let steps = case.scenario.steps.iter();
        steps.for_each(|step| push(&mut teller.text, format_args!("        {}", escaped(&step.to_string()))));
    }
    teller.violations(&run.violations);
    teller.misses(&run.missed, !run.violations.is_empty());
    teller.idle(run);
    if let Some(reason) = &run.not_converged {
        teller.line(format_args!("\n  did not converge: {reason}"));
        teller.line(format_args!("    finding   {}", Fingerprint::not_converged(reason).slug()));
        if let Some(last) = run.trace.events.len().checked_sub(1) {
            teller.events_around(last);
        }
        teller.command(None);
    }
    Some(teller.text.trim_end().to_owned())
}

/// What went wrong first in a run that failed, as a test says it: the sentence that does not hold and what happened in its
/// place, the events around the moment, and the command that shows it.
pub fn in_brief(case: &Case<'_>, run: &Run) -> Option<String> {
    let mut teller = Teller::new(case, run, Telling::default());
    let trace = &run.trace;
    if let Some(violation) = run.violations.first() {
        let Violation { rule, property, actor, at, text, .. } = violation;
        let who = actor_name(&trace.cast, *actor);
        teller.line(format_args!("{property}\n{rule} violated: {who} at {at} s: {text}"));
        position(trace, violation).into_iter().for_each(|position| teller.events_around(position));
        teller.command(Some(*at));
    } else if !run.missed.is_empty() {
        teller.misses(&run.missed[..1], false);
    } else if let Some(reason) = &run.not_converged {
        teller.line(format_args!("did not converge: {reason}"));
        trace.events.len().checked_sub(1).into_iter().for_each(|last| teller.events_around(last));
        teller.command(None);
    } else {
        teller.idle(run);
    }
    let text = teller.text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

struct Teller<'a> {
    case: &'a Case<'a>,
    trace: &'a Trace,
    telling: Telling,
    text: String,
    /// The positions of the events that have been shown.
    shown: Vec<usize>,
    /// The commands that have been.
    commands: Vec<String>,
}

impl<'a> Teller<'a> {
    fn new(case: &'a Case<'a>, run: &'a Run, telling: Telling) -> Self {
        let (text, shown, commands) = (String::new(), Vec::new(), Vec::new());
        Teller { case, trace: &run.trace, telling, text, shown, commands }
    }

    fn line(&mut self, line: Arguments<'_>) {
        push(&mut self.text, line);
    }

    fn violations(&mut self, violations: &[Violation]) {
        let is_whole = self.telling.is_whole;
        let is_left_out = |one: &&Violation| {
            let names_it = |other: &Violation| {
                vagueness(other.property) < vagueness(one.property) && (other.at, other.actor) == (one.at, one.actor)
            };
            !is_whole && violations.iter().any(names_it)
        };
        let (left_out, all): (Vec<&Violation>, Vec<&Violation>) = violations.iter().partition(is_left_out);
        let mut kinds: Vec<Fingerprint> = Vec::new();
        let is_told = |one: &&&Violation| {
            let kind = Fingerprint::of(one);
            let is_first = !kinds.contains(&kind);
            kinds.extend(is_first.then_some(kind));
            is_first || is_whole
        };
        let told: Vec<&Violation> = all.iter().filter(is_told).copied().collect();
        let most = if is_whole { told.len() } else { KINDS_TOLD.min(told.len()) };
        for one in &told[..most] {
            let kind = Fingerprint::of(one);
            let times = if is_whole { 1 } else { all.iter().filter(|other| Fingerprint::of(other) == kind).count() };
            self.violation(one, &kind, times);
        }
        let mut more = Vec::new();
        if told.len() > most {
            let rules: Vec<&str> = told[most..].iter().map(|one| one.rule.as_str()).collect();
            let ways = if rules.len() == 1 { "way" } else { "ways" };
            more.push(format!("violated in {} more {ways}: {}", rules.len(), rules.join(", ")));
        }
        if !left_out.is_empty() {
            let times = if left_out.len() == 1 { "once".to_owned() } else { format!("{} times", left_out.len()) };
            more.push(format!("a model, too, has it otherwise at these events, {times}"));
        }
        if !more.is_empty() {
            self.line(format_args!("\n  {}", more.join("; ")));
        }
    }

    fn violation(&mut self, violation: &Violation, kind: &Fingerprint, times: usize) {
        let Violation { rule, property, actor, at, text, .. } = violation;
        let (who, alarm) = (actor_name(&self.trace.cast, *actor), self.telling.paint.alarm());
        let times = if times > 1 { format!(", {times} times in this run") } else { String::new() };
        push(&mut self.text, format_args!("\n  {alarm}{rule} violated{alarm:#}: {who} at {at} s"));
        self.line(format_args!("    rule      {}", rule.text()));
        self.line(format_args!("    property  {property}"));
        self.line(format_args!("    instead   {text}"));
        self.line(format_args!("    finding   {}{times}", kind.slug()));
        if let Some(position) = position(self.trace, violation) {
            self.events_around(position);
        }
        self.command(Some(*at));
    }

    /// What the file expects and is missed. Beside a violation it is told in short: that explains it.
    fn misses(&mut self, missed: &[Miss], is_beside: bool) {
        let is_short = is_beside && !self.telling.is_whole;
        let most = if self.telling.is_whole { missed.len() } else { KINDS_TOLD };
        for miss in missed.iter().take(most) {
            let place = miss.place.map_or_else(String::new, |place| format!(":{}:{}", place.line, place.column));
            self.line(format_args!("\n  the scenario expected `{}`", escaped(&miss.expected)));
            self.line(format_args!("    where     {}{place}", escaped(self.case.path)));
            self.line(format_args!("    instead   {}", miss.seen));
            if is_short {
                continue;
            }
            let trace = self.trace;
            let (who, when) = (actor_name(&trace.cast, miss.actor), at(trace, miss));
            self.line(format_args!("    look at   {who} at {when} s"));
            self.line(format_args!("    finding   {}", Fingerprint::of_miss(miss).slug()));
            match miss.moment {
                Moment::Event(position) => self.events_around(position),
                Moment::Instant(at) => {
                    let said = format!("(here: {})", miss.seen);
                    let (remark, paint) = (Remark { at, who, said: &said }, self.telling.paint);
                    self.lines(render::around_instant(trace, remark, EVENTS_BEFORE, EVENTS_AFTER, paint), None);
                }
            }
            self.command(Some(miss.until));
        }
        if let Some(more) = missed.len().checked_sub(most + 1) {
            self.line(format_args!("\n  and {} more of what the scenario expected", more + 1));
        }
    }

    fn idle(&mut self, run: &Run) {
        for rule in &run.idle {
            self.line(format_args!("\n  cites {rule}: nothing to judge"));
            self.line(format_args!("    rule      {}", rule.text()));
            self.line(format_args!("    instead   nothing happened by which it could have been broken"));
        }
        if !run.idle.is_empty() {
            self.command(None);
        }
    }

    fn events_around(&mut self, position: usize) {
        let around = render::around(self.trace, position, EVENTS_BEFORE, EVENTS_AFTER, self.telling.paint);
        self.lines(around, Some(position));
    }

    /// The lines, or of those that were shown the marked one alone.
    fn lines(&mut self, around: Around, marked: Option<usize>) {
        let was_shown = marked.is_some_and(|position| self.shown.contains(&position));
        self.text.push('\n');
        for line in (if was_shown { &around.marked } else { &around.text }).lines() {
            self.line(format_args!("  {line}"));
        }
        self.shown.extend(around.positions);
    }

    /// The command that shows it, once.
    fn command(&mut self, until: Option<Instant>) {
        let command = replay_command(self.case, until);
        if !self.commands.contains(&command) {
            self.line(format_args!("\n    {command}"));
            self.commands.push(command);
        }
    }
}
