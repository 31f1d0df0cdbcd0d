//! A report as Markdown: what a person reads first, in a pull request or as the summary of a step.

use std::fmt::Write as _;

use super::escape::{block, code, markdown};
use super::finding::Finding;
use super::suite::{Case, Outcome};
use super::{Canary, Ended, Given, Report, Share, Subject};

/// How many findings are told in full, and how many in a line.
const FULL_MAX: usize = 10;
const LINES_MAX: usize = 50;

/// How much of what is told of a finding, in letters.
const TOLD_MAX: usize = 6_000;

/// The file.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let verdict = match (report.is_green(), &report.ended) {
        (true, _) => "passed",
        (false, Ended::Refused(_)) => "refused",
        (false, _) if report.findings.is_empty() => "not all of it ran",
        (false, _) => "failed",
    };
    push(&mut text, format_args!("# gatecrash {}: {verdict}\n", report.subject.word()));
    numbers(&mut text, report);
    let (known, new): (Vec<&Finding>, Vec<&Finding>) = report.findings.iter().partition(|finding| finding.is_known);
    findings(&mut text, report, if report.is_compared { "New" } else { "Found" }, &new);
    not_run(&mut text, report);
    findings(&mut text, report, "Known before", &known);
    situations(&mut text, report);
    answers(&mut text, report);
    identity(&mut text, report);
    text
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes everything");
}

/// What was asked for, and what ran of it.
fn numbers(text: &mut String, report: &Report) {
    let cases: Vec<Case> = report.suites().into_iter().flat_map(|suite| suite.cases).collect();
    let number = |is_it: fn(&Outcome) -> bool| cases.iter().filter(|case| is_it(&case.outcome)).count();
    let rows: Vec<(&str, String)> = match &report.subject {
        Subject::Run(runs) => vec![
            ("scenarios asked for", runs.asked.len().to_string()),
            (
                "each under",
                runs.seeds.map_or("its own seed".to_owned(), |it| format!("{} seeds from {}", it.number, it.first)),
            ),
            ("of these ran", format!("{}, in the world: {}", runs.finished(), runs.worlds.join(" and "))),
            ("events", runs.ran.iter().map(|ran| ran.events).sum::<u64>().to_string()),
            ("digest", code(runs.digest.as_deref().unwrap_or("-"))),
        ],
        Subject::Sweep(sweep) => vec![
            ("seeds asked for", format!("{} from {}", sweep.asked.number, sweep.asked.first)),
            ("of these finished", sweep.finished.to_string()),
            ("left out as too long", sweep.left_out.to_string()),
            ("failing", sweep.failing.to_string()),
            ("world, profile", format!("{}, {}", sweep.world, sweep.profile)),
            ("events", sweep.events.to_string()),
            ("situations reached", {
                let reached = sweep.situations.iter().filter(|situation| situation.seeds > 0).count();
                format!("{reached} of {}", sweep.situations.len())
            }),
            ("digest", code(sweep.digest.as_deref().unwrap_or("-"))),
            ("sum, which adds up", code(&sweep.sum.map_or("-".to_owned(), |sum| sum.to_string()))),
            (
                "shard",
                match sweep.share {
                    Some(Share { shard, whole }) => format!("{shard} of {} seeds from {}", whole.number, whole.first),
                    None => "-".to_owned(),
                },
            ),
            ("canary", canary(&sweep.canaries)),
        ],
        Subject::Zoo(zoo) => vec![
            ("bugs", zoo.bugs.len().to_string()),
            ("hunted in every block", zoo.bugs.iter().filter(|bug| bug.is_hunted).count().to_string()),
            ("median of the medians", zoo.median_of_medians.map_or("-".to_owned(), |median| format!("{median} seeds"))),
            ("seeds of the unbroken system", zoo.seeds_unbroken.to_string()),
        ],
        Subject::Judge(histories) => vec![
            ("histories asked for", histories.asked.len().to_string()),
            ("of these judged", histories.asked.iter().filter(|history| history.is_judged()).count().to_string()),
            ("events", histories.asked.iter().map(|history| history.events).sum::<u64>().to_string()),
            ("violations", histories.asked.iter().map(|history| history.violations).sum::<u64>().to_string()),
        ],
    };
    push(text, format_args!("| | |\n|---|---|"));
    for (name, said) in rows {
        push(text, format_args!("| {name} | {said} |"));
    }
    let judged = number(|outcome| matches!(outcome, Outcome::Passed));
    let failed = number(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let not_run = number(|outcome| matches!(outcome, Outcome::NotRun(_)));
    push(text, format_args!("| passed, failed, not run | {judged}, {failed}, {not_run} |"));
    push(text, format_args!("| took | {:.1} s |\n", report.wall_seconds));
}

/// Which bug was swept beside the system, and in how many of its flights it was caught.
fn canary(canaries: &[Canary]) -> String {
    let caught = canaries.iter().filter(|canary| canary.caught_after.is_some()).count();
    let told =
        canaries.first().map(|canary| format!("{}, caught in {caught} of {}", code(&canary.bug), canaries.len()));
    told.unwrap_or("-".to_owned())
}

fn findings(text: &mut String, report: &Report, heading: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    push(text, format_args!("## {heading}: {}\n", findings.len()));
    let mut shown: Vec<&str> = Vec::new();
    for finding in findings.iter().take(FULL_MAX) {
        let world = finding.origin.world.as_deref().map_or(String::new(), |world| format!(", {world} world"));
        push(text, format_args!("### {}\n", markdown(&finding.in_a_line())));
        push(text, format_args!("- **in** {}{world}: {}", code(&finding.origin.path), markdown(&finding.origin.title)));
        if let Some(place) = &finding.place {
            push(text, format_args!("- **at** {}", code(&place.to_string())));
        }
        if let Some(lines) = finding.lines_to_blame() {
            push(text, format_args!("- **lines** {}", code(&lines)));
        }
        if let Some(rule) = &finding.rule_text {
            push(text, format_args!("- **rule** {}", markdown(rule)));
        }
        if let Some(instead) = &finding.instead {
            push(text, format_args!("- **instead** {}", markdown(instead)));
        }
        if finding.seen > 1 {
            push(text, format_args!("- **seen** {} times, first in {}", finding.seen, code(&finding.first.join(", "))));
        }
        if let Some(how) = &finding.disagreement {
            push(text, format_args!("- **not confirmed** in a fresh process: {}", markdown(how)));
        }
        push(text, format_args!("- **finding** {}", code(&finding.fingerprint)));
        let exhibit = finding.exhibit.as_deref().and_then(|name| report.exhibit(name));
        for (what, path) in exhibit.into_iter().flat_map(|exhibit| exhibit.files()) {
            push(text, format_args!("- **{what}** {}", code(path)));
        }
        if let Some(replay) = &finding.replay {
            push(text, format_args!("\n{}", block("sh", replay)));
        }
        match exhibit {
            Some(exhibit) if shown.contains(&exhibit.name.as_str()) => {}
            Some(exhibit) => {
                shown.push(&exhibit.name);
                if let Some(diagram) = &exhibit.diagram {
                    push(text, format_args!("{}", block("mermaid", diagram)));
                }
                push(text, format_args!("{}", block("text", first_letters(&exhibit.told))));
            }
            None => push(text, format_args!("")),
        }
    }
    for finding in findings.iter().skip(FULL_MAX).take(LINES_MAX) {
        push(text, format_args!("- {} in {}", markdown(&finding.in_a_line()), code(&finding.origin.path)));
    }
    let more = findings.len().saturating_sub(FULL_MAX + LINES_MAX);
    if more > 0 {
        push(text, format_args!("- and {more} more"));
    }
    if findings.len() > FULL_MAX {
        push(text, format_args!(""));
    }
}

fn first_letters(text: &str) -> &str {
    text.char_indices().nth(TOLD_MAX).map_or(text, |(end, _)| &text[..end])
}

fn not_run(text: &mut String, report: &Report) {
    let not_run = report.not_run();
    if not_run.is_empty() {
        return;
    }
    push(text, format_args!("## Not run: {}\n", not_run.len()));
    for (name, why) in not_run.iter().take(LINES_MAX) {
        push(text, format_args!("- {}: {}", markdown(name), markdown(why)));
    }
    if not_run.len() > LINES_MAX {
        push(text, format_args!("- and {} more", not_run.len() - LINES_MAX));
    }
    push(text, format_args!(""));
}

/// What a sweep never reached: what it did not find there, nobody looked for.
fn situations(text: &mut String, report: &Report) {
    let Subject::Sweep(sweep) = &report.subject else { return };
    let never: Vec<_> = sweep.situations.iter().filter(|situation| situation.seeds == 0).collect();
    if never.is_empty() || sweep.finished == 0 {
        return;
    }
    push(text, format_args!("## Situations that no seed reached: {}\n", never.len()));
    for situation in never {
        push(text, format_args!("- {}", markdown(&situation.situation)));
    }
    push(text, format_args!(""));
}

/// What each history says of the rules.
fn answers(text: &mut String, report: &Report) {
    let Subject::Judge(histories) = &report.subject else { return };
    for history in histories.asked.iter().filter(|history| history.is_judged()) {
        let verdict = history.verdict.as_deref().unwrap_or_default().replace('_', " ");
        push(text, format_args!("## {}: {}\n", markdown(&history.name()), markdown(&verdict)));
        push(text, format_args!("{}\n\n| rule | | |\n|---|---|---|", markdown(&history.system)));
        let of = |given: Given| history.answers.iter().filter(move |answer| answer.answer == given);
        for answer in of(Given::Violated).chain(of(Given::Holds)) {
            let (rule, said) = (markdown(&answer.rule), markdown(&answer.why));
            push(text, format_args!("| {rule} | {} | {said} |", answer.answer.said()));
        }
        push(text, format_args!(""));
        for (given, why) in [
            (Given::NothingToJudge, "their situation never came"),
            (Given::NotObserved, "the history does not hold what it takes"),
        ] {
            let rules: Vec<&str> = of(given).map(|answer| answer.rule.as_str()).collect();
            if !rules.is_empty() {
                push(text, format_args!("{} not judged, {why}: {}\n", rules.len(), rules.join(" ")));
            }
        }
    }
}

fn identity(text: &mut String, report: &Report) {
    let identity = &report.identity;
    push(text, format_args!("## What ran\n"));
    push(text, format_args!("- **version** {}", markdown(&identity.to_string())));
    push(text, format_args!("- **toolchain** {}, for {}", markdown(&identity.toolchain), code(&identity.target)));
    push(text, format_args!("- **lock file** {}", code(&identity.lock)));
}
