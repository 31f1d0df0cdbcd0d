//! Reports: what people read when a run failed, what programs read, and what a snapshot holds.
//!
//! Judges nothing and prints nowhere: the command and the tests show the same texts. How one failure is told, `telling`
//! knows; how a breach of a history is, `breach`.

pub mod breach;
mod telling;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use gatecrash::time::Instant;
use serde::Serialize;

use crate::check::Violation;
use crate::check::agree::Difference;
use crate::check::expect::{Miss, Moment};
use crate::scenario::rules::RuleId;
use crate::scenario::{Scenario, print_duration};
use crate::search::fingerprint::Fingerprint;
use crate::trace::render::{self, Paint};
use crate::trace::{Actor, Cast, Event, Trace, What};
use crate::world::World;
use crate::{HarnessError, Run};

pub use telling::{Telling, failure, in_brief, told};

/// How many differences of two runs are told: the first ones explain the others.
const DIFFERENCES_TOLD: usize = 5;

/// A replay stops at a multiple of this, so that a little more is seen than what went wrong.
const REPLAY_STEP_MICROS: u64 = 500_000;

/// What was run, and where.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Its file, or `--seed` and the seed it was drawn from: what a command line calls it.
    pub path: &'a str,
    /// What it says.
    pub scenario: &'a Scenario,
    /// The world it ran in.
    pub world: World,
    /// The seed under which it ran, where that is not the file's own.
    pub seed: Option<u64>,
}

/// What a person needs to know of a scenario of which two worlds made something else. The first of
/// what each difference shows is from `first`.
pub fn disagreement(first: &Case<'_>, second: &Case<'_>, differences: &[Difference]) -> Option<String> {
    let mut text = head(first, Paint::Plain);
    let cases = [first, second];
    for Difference { about, shown } in differences.iter().take(DIFFERENCES_TOLD) {
        push(&mut text, format_args!("\n  the worlds disagree: {about}"));
        for (case, shown) in cases.iter().zip(shown) {
            push(&mut text, format_args!("    {:8}  {shown}", case.world.word()));
        }
    }
    if let Some(more) = differences.len().checked_sub(DIFFERENCES_TOLD + 1) {
        push(&mut text, format_args!("\n  and {} more", more + 1));
    }
    let shown = &differences.first()?.shown;
    push(&mut text, format_args!(""));
    for (case, (own, other)) in cases.into_iter().zip([(&shown[0], &shown[1]), (&shown[1], &shown[0])]) {
        // What did not happen here is looked for when it happened there.
        push(&mut text, format_args!("    {}", replay_command(case, own.at.or(other.at))));
    }
    Some(text.trim_end().to_owned())
}

/// What a person needs to know of a scenario that the harness could not judge.
pub fn harness_failure(case: &Case<'_>, error: &HarnessError) -> String {
    let mut text = head(case, Paint::Plain);
    let error = error.to_string();
    push(&mut text, format_args!("\n  the harness itself failed: {}", indented(&error)));
    push(&mut text, format_args!("    finding   {}", Fingerprint::harness(&error).slug()));
    push(&mut text, format_args!("\n  {}", replay_command(case, None)));
    text.trim_end().to_owned()
}

/// Rules as they stand in a sentence.
pub fn listed(rules: &[RuleId]) -> String {
    rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(", ")
}

/// The rules that a run broke, each once, in the order of its violations.
pub fn rules_broken(run: &Run) -> String {
    let mut rules: Vec<RuleId> = Vec::new();
    for violation in &run.violations {
        if !rules.contains(&violation.rule) {
            rules.push(violation.rule);
        }
    }
    listed(&rules)
}

/// What is wrong with a run, for one cell of a table: the rules that are broken, or else what is missed.
pub fn in_short(run: &Run) -> String {
    match (rules_broken(run), run.missed.len()) {
        (rules, 0) if rules.is_empty() => listed(&run.idle),
        (rules, 0) => rules,
        (rules, 1) if rules.is_empty() => format!("`{}`", escaped(&run.missed[0].expected)),
        (rules, many) if rules.is_empty() => format!("{many} expectations"),
        (rules, _) => rules,
    }
}

/// The rules that a scenario cites and of which no situation came.
pub fn idle(run: &Run) -> Vec<&'static str> {
    run.idle.iter().map(|rule| rule.as_str()).collect()
}

/// A violation as programs read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule that was broken.
    pub rule: &'static str,
    /// What the rule demands.
    pub rule_text: &'static str,
    /// The property that does not hold, as a sentence.
    pub property: String,
    /// What it has in common with others of its kind.
    pub fingerprint: String,
    /// What happened instead.
    pub text: String,
    /// When, in microseconds of simulated time.
    pub at_us: u64,
    /// To whom.
    pub actor: String,
    /// Which event of the actor, counted from 1; 0 when no single event is to blame.
    pub number: u32,
    /// The command that shows it.
    pub replay: String,
}

/// The violations of a run.
pub fn findings(case: &Case<'_>, run: &Run) -> Vec<Finding> {
    let finding = |violation: &Violation| Finding {
        rule: violation.rule.as_str(),
        rule_text: violation.rule.text(),
        property: violation.property.to_owned(),
        fingerprint: Fingerprint::of(violation).slug(),
        text: violation.text.clone(),
        at_us: violation.at.as_micros(),
        actor: actor_name(&run.trace.cast, violation.actor).to_owned(),
        number: violation.number,
        replay: replay_command(case, Some(violation.at)),
    };
    run.violations.iter().map(finding).collect()
}

/// An expectation of the file that is missed, as programs read it. No rule is broken by it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missed {
    /// What was expected, as the file says it.
    pub expected: String,
    /// The file.
    pub file: String,
    /// The line of the expectation, from 1; none when no file was read.
    pub line: Option<usize>,
    /// Its column, in characters, from 1.
    pub column: Option<usize>,
    /// What it has in common with others of its kind.
    pub fingerprint: String,
    /// What happened instead.
    pub text: String,
    /// The moment that shows it, in microseconds of simulated time.
    pub at_us: u64,
    /// Of whom it was expected.
    pub actor: String,
    /// The command that shows it.
    pub replay: String,
}

/// The expectations that a run misses.
pub fn missed(case: &Case<'_>, run: &Run) -> Vec<Missed> {
    let missed = |miss: &Miss| Missed {
        expected: miss.expected.clone(),
        file: case.path.to_owned(),
        line: miss.place.map(|place| place.line),
        column: miss.place.map(|place| place.column),
        fingerprint: Fingerprint::of_miss(miss).slug(),
        text: miss.seen.clone(),
        at_us: at(&run.trace, miss).as_micros(),
        actor: actor_name(&run.trace.cast, miss.actor).to_owned(),
        replay: replay_command(case, Some(miss.until)),
    };
    run.missed.iter().map(missed).collect()
}

/// The moment that shows a miss.
fn at(trace: &Trace, miss: &Miss) -> Instant {
    match miss.moment {
        Moment::Event(position) => trace.events[position].at,
        Moment::Instant(at) => at,
    }
}

fn head(case: &Case<'_>, paint: Paint) -> String {
    let alarm = paint.alarm();
    let seed = case.seed.map(|seed| format!(" under seed {seed}")).unwrap_or_default();
    format!("{alarm}FAILED{alarm:#}  {}{seed}\n        {}\n", escaped(case.path), escaped(&case.scenario.title))
}

/// The event that a violation is about: the one it names, or by then the last one its application
/// saw, or the last one of its actor, or of anybody.
pub fn position(trace: &Trace, violation: &Violation) -> Option<usize> {
    let is_its = |event: &Event| event.actor == violation.actor;
    let is_seen = |event: &Event| matches!(event.what, What::Told { .. } | What::Answered { .. });
    let before = &trace.events[..trace.events.partition_point(|event| event.at <= violation.at)];
    let named = trace.events.iter().position(|event| is_its(event) && event.number == violation.number);
    named
        .or_else(|| before.iter().rposition(|event| is_its(event) && is_seen(event)))
        .or_else(|| before.iter().rposition(is_its))
        .or_else(|| before.len().checked_sub(1))
}

/// Where the event is that shows best what went wrong first: a violation, a missed expectation, what did not come to rest.
pub fn wrong(run: &Run) -> Option<usize> {
    let trace = &run.trace;
    let of_miss = |miss: &Miss| match miss.moment {
        Moment::Event(position) => Some(position),
        Moment::Instant(at) => trace.events.partition_point(|event| event.at <= at).checked_sub(1),
    };
    let rest = run.not_converged.as_ref().and_then(|_| trace.events.len().checked_sub(1));
    let violated = run.violations.first().and_then(|violation| position(trace, violation));
    violated.or_else(|| run.missed.first().and_then(of_miss)).or(rest)
}

/// Who this is, as lines call them.
pub fn actor_name(cast: &Cast, actor: Actor) -> &str {
    match actor {
        Actor::World => "world",
        Actor::Server => "server",
        Actor::Device(device) => cast.device_name(device),
    }
}

/// A path as one word of a command line. What no terminal should be sent is written as the shell's `printf` reads it.
pub fn as_word(path: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if path.chars().all(is_plain) && !path.is_empty() {
        return path.to_owned();
    }
    if !path.chars().any(is_unfit) {
        return format!("'{}'", path.replace('\'', r"'\''"));
    }
    let mut word = String::new();
    for letter in path.chars() {
        let mut bytes = [0; 4];
        match letter {
            '%' => word.push_str("%%"),
            '\'' | '\\' => write!(word, "\\{:03o}", u32::from(letter)).expect("a string takes everything"),
            letter if is_unfit(letter) => {
                for byte in letter.encode_utf8(&mut bytes).bytes() {
                    write!(word, "\\{byte:03o}").expect("a string takes everything");
                }
            }
            letter => word.push(letter),
        }
    }
    format!("\"$(printf '{word}')\"")
}

/// The text with what would move the cursor, colour the screen or turn the line around written as an escape.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unfit) {
        return Cow::Borrowed(text);
    }
    let one = |letter: char| match letter {
        '\n' | '\r' | '\t' => letter.escape_default().to_string(),
        letter if is_unfit(letter) => letter.escape_unicode().to_string(),
        letter => letter.to_string(),
    };
    Cow::Owned(text.chars().map(one).collect())
}

/// Whether a terminal takes this for something other than a letter.
fn is_unfit(letter: char) -> bool {
    let turns_around = matches!(
        letter,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    letter.is_control() || turns_around
}

/// How this program is called from where it runs: by Cargo where Cargo runs it, or else by its own path.
#[expect(clippy::disallowed_methods, reason = "Cargo says so by a variable, and no run depends on it")]
fn program() -> String {
    const BY_CARGO: &str = "cargo run --release --";
    // Cargo finds the workspace only from below it.
    let below = std::env::var_os("CARGO_MANIFEST_DIR").is_none_or(|package| {
        let workspace = Path::new(&package).parent().map(Path::to_owned);
        workspace.is_some_and(|workspace| std::env::current_dir().is_ok_and(|here| here.starts_with(workspace)))
    });
    let by_cargo = std::env::var_os("CARGO").is_some() && below;
    // A test is not the command, wherever it runs.
    let own = std::env::current_exe().ok().filter(|path| path.file_stem().is_some_and(|stem| stem == "gatecrash"));
    match own {
        Some(own) if !by_cargo => as_word(&own.display().to_string()),
        Some(_) | None => BY_CARGO.to_owned(),
    }
}

/// The command line that calls this program with these arguments.
pub fn command_line(arguments: &str) -> String {
    format!("{} {arguments}", program())
}

/// The command that replays a case, up to the first half of a second after this instant.
pub fn replay_command(case: &Case<'_>, until: Option<Instant>) -> String {
    // A seed runs where it is drawn for, and this may be elsewhere.
    let world = match case.world {
        World::Packet if !case.path.starts_with("--seed ") => String::new(),
        world => format!(" --world {}", world.word()),
    };
    let until = until.map(|at| {
        let micros = (at.as_micros() / REPLAY_STEP_MICROS + 1) * REPLAY_STEP_MICROS;
        format!(" --until {}", print_duration(Duration::from_micros(micros)))
    });
    let seed = case.seed.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
    let options = format!("{seed}{world}{}", until.unwrap_or_default());
    command_line(&match case.path {
        seed if seed.starts_with("--seed ") => format!("replay {seed}{options}"),
        path if path.starts_with('-') => format!("replay{options} -- {}", as_word(path)),
        path => format!("replay {}{options}", as_word(path)),
    })
}

/// The text that the snapshot of a scenario holds.
pub fn snapshot(scenario: &Scenario, run: &Run) -> String {
    let steps = scenario.steps.iter().map(|step| Instant::ZERO + step.at).collect();
    let kept = render::kept(&run.trace, &steps);
    format!("{}\nrules {}\n\n{kept}", escaped(&scenario.title), listed(&scenario.rules))
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::check::Evidence;
    use crate::check::property::MODELS;
    use crate::judge;
    use crate::scenario::rules::rule;
    use crate::scenario::{Direction, Fault};
    use crate::trace::Recorder;

    const TEXT: &str = r#"
title = "A link breaks and heals"
rules = ["CONN-1"]
seed = 1
devices.phone = { platform = "android", site = "home" }

[script]
until = "10s"
steps = """
0s  phone  login alice
"""
expect = """
phone  status LOGINED
"""
"#;

    fn scenario() -> Scenario {
        Scenario::parse("link.toml", TEXT).unwrap()
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn case<'a>(path: &'a str, scenario: &'a Scenario) -> Case<'a> {
        Case { path, scenario, world: World::Packet, seed: None }
    }

    /// A trace in which a link breaks at each of these seconds, and everything comes to rest at 20 s.
    fn trace(breaks: &[u64]) -> Trace {
        let recorder = Recorder::new(Cast::of(&scenario()));
        for &second in breaks {
            let fault = Fault::Partition { site: "home".parse().unwrap(), direction: Direction::Both };
            recorder.fault(at(second), &fault);
        }
        recorder.converged(at(20));
        recorder.finish()
    }

    fn run(violations: usize) -> Run {
        let violation = |index: usize| Violation {
            property: "a link never breaks",
            rule: if index.is_multiple_of(2) { rule("CONN-1") } else { rule("CONN-6") },
            text: format!("it broke at {}", index + 1),
            at: at(index as u64 + 1),
            actor: Actor::World,
            number: index as u32 + 1,
            evidence: Evidence::Event("fault"),
        };
        Run {
            trace: trace(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
            violations: (0..violations).map(violation).collect(),
            missed: Vec::new(),
            idle: Vec::new(),
            not_converged: None,
            simulated: Duration::from_secs(20),
        }
    }

    #[test]
    fn a_run_that_passed_needs_no_report() {
        assert_eq!(failure(&case("link.toml", &scenario()), &run(0)), None);
        assert_eq!((run(0).verdict(), rules_broken(&run(0))), (Verdict::Passed, String::new()));
    }

    #[test]
    fn a_violation_is_told_with_its_rule_its_property_and_the_events_around_it() {
        let mut run = run(8);
        run.violations.drain(..7);
        insta::assert_snapshot!(failure(&case("scenarios/link.toml", &scenario()), &run).unwrap(), @r#"
        FAILED  scenarios/link.toml
                A link breaks and heals

          CONN-6 violated: world at 8.000 s
            rule      A dormant session keeps its place and can be resumed, but is the first to be displaced.
            property  a link never breaks
            instead   it broke at 8
            finding   conn-6-fault-909a5faa

                2.000  world               fault partition home both
                3.000  world               fault partition home both
                4.000  world               fault partition home both
                5.000  world               fault partition home both
                6.000  world               fault partition home both
                7.000  world               fault partition home both
          >     8.000  world               fault partition home both
                9.000  world               fault partition home both
               10.000  world               fault partition home both
               20.000  world               converged

            cargo run --release -- replay scenarios/link.toml --until 8.5s
        "#);
    }

    #[test]
    fn of_violations_of_one_kind_the_first_is_told_and_the_others_counted() {
        let run = run(9);
        let (scenario, told_in) = (scenario(), |is_whole| Telling { is_whole, ..Telling::default() });
        let text = failure(&case("link.toml", &scenario), &run).unwrap();
        assert_eq!(text.matches("    property  ").count(), 2, "each kind once: {text}");
        assert!(text.contains("finding   conn-1-fault-909a5faa, 5 times in this run"), "{text}");
        assert!(text.contains("finding   conn-6-fault-909a5faa, 4 times in this run"), "{text}");
        let all = told(&case("link.toml", &scenario), &run, told_in(true)).unwrap();
        assert_eq!(all.matches("    property  ").count(), 9, "{all}");
        assert_eq!((run.verdict(), rules_broken(&run)), (Verdict::Violated, "CONN-1, CONN-6".to_owned()));
        assert_eq!(findings(&case("link.toml", &scenario), &run).len(), 9);
    }

    /// A line that was shown is not shown again, and what a model says of an event that a property names is left out.
    #[test]
    fn one_event_is_shown_once() {
        let mut run = run(2);
        (run.violations[1].at, run.violations[1].number) = (at(1), 1);
        let text = failure(&case("link.toml", &scenario()), &run).unwrap();
        assert_eq!(text.matches("  >     1.000  world               fault partition home both").count(), 2, "{text}");
        assert_eq!(text.matches("        2.000  world").count(), 1, "{text}");
        assert_eq!(text.matches("replay link.toml").count(), 1, "{text}");

        run.violations[1].property = MODELS[0];
        let text = failure(&case("link.toml", &scenario()), &run).unwrap();
        assert!(
            !text.contains("CONN-6") && text.contains("a model, too, has it otherwise at these events, once"),
            "{text}"
        );
        let telling = Telling { is_whole: true, ..Telling::default() };
        assert!(told(&case("link.toml", &scenario()), &run, telling).unwrap().contains("CONN-6 violated"));
    }

    /// What a test prints: the sentence, the story around the moment, the command.
    #[test]
    fn in_brief_it_is_the_first_thing_that_went_wrong() {
        insta::assert_snapshot!(in_brief(&case("link.toml", &scenario()), &run(3)).unwrap(), @r#"
        a link never breaks
        CONN-1 violated: world at 1.000 s: it broke at 1

          >     1.000  world               fault partition home both
                2.000  world               fault partition home both
                3.000  world               fault partition home both
                4.000  world               fault partition home both

            cargo run --release -- replay link.toml --until 1.5s
        "#);
    }

    #[test]
    fn a_violation_outweighs_a_run_that_did_not_come_to_rest() {
        let mut run = run(1);
        run.not_converged = Some("phone is still logging in".to_owned());
        assert_eq!(run.verdict(), Verdict::Violated);
        let text = failure(&case("link.toml", &scenario()), &run).unwrap();
        assert!(text.contains("did not converge: phone is still logging in"), "{text}");
        run.violations.clear();
        assert_eq!(run.verdict(), Verdict::NotConverged);
    }

    #[test]
    fn a_trace_without_an_end_is_the_harness_s_fault() {
        let recorder = Recorder::new(Cast::of(&scenario()));
        recorder.script_ended(at(10));
        let error = judge(&scenario(), Duration::ZERO, recorder.finish()).unwrap_err();
        assert!(matches!(error, HarnessError::Unfinished(_)), "{error}");
        let text = harness_failure(&case("scenarios/link.toml", &scenario()), &error);
        insta::assert_snapshot!(text, @r#"
        FAILED  scenarios/link.toml
                A link breaks and heals

          the harness itself failed: the world stopped at 10s and never said whether it had converged
            finding   harness-6c42cb93

          cargo run --release -- replay scenarios/link.toml
        "#);
    }

    #[test]
    fn a_path_that_a_shell_would_split_is_quoted() {
        let scenario = scenario();
        let command = |path, until| replay_command(&case(path, &scenario), until);
        assert_eq!(command("a/b-1.toml", None), "cargo run --release -- replay a/b-1.toml");
        let until = Some(Instant::from_micros(12_061_000));
        assert_eq!(command("it's.toml", until), r"cargo run --release -- replay 'it'\''s.toml' --until 12.5s");
    }
}
