//! `gatecrash merge`: the reports of shards as one report, or why they are no whole.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use gatecrash_sim::report::merge::{Merged, Part, merge};
use gatecrash_sim::report::{Canary, Finding, Kind, Report, Subject, Sweep};
use gatecrash_sim::scenario::print_duration;
use serde_json::json;

use super::files::BadInput;
use super::report::{Folder, Made, Wanted, earlier};
use super::sweep::{FINDINGS_TOLD, ran, span};
use super::{Colour, End, colours, count, paint, say, thousands};

/// Add the reports of shards up
///
/// Takes the folders that `gatecrash sweep --shard I/N --report DIR` has written, in any order, and tells what they are together:
/// numbers are added up, and what several shards found is told once, the shortest first. It adds nothing up, and exits with 3,
/// when a shard is missing or there twice, when one has not come to its end, or not all of its seeds have run and it found
/// nothing that says why, when one is made of another version, commit, lock file, toolchain, world, profile or canary than the
/// others, and when a canary was not caught. It tells all of that at once.
///
/// Otherwise it exits as the sweep of all seeds would have.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash merge shards/*                        say whether all is well
  gatecrash merge shards/* --report target/report for CI: JUnit, SARIF, a summary, pages
  gatecrash merge shards/* --json | jq .findings  for programs
  gatecrash merge shards/* --report new --known old
                                                  what is in the report old already is told apart")]
pub struct Arguments {
    /// The reports' folders, one of each shard
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    report: Wanted,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    let is_shard = |report: &Path| arguments.folders.iter().any(|folder| is_same(report, folder));
    if let Some(report) = arguments.report.folder.as_deref().filter(|report| is_shard(report)) {
        // No red report there: it would be in the place of the shard's.
        let problem = format!("--report {}: it is one of the shards", report.display());
        return BadInput::Refused(problem).report(arguments.json);
    }
    match read(arguments).and_then(|parts| merge(&parts).map(|merged| (parts, merged))) {
        Ok((_, merged)) => tell(arguments, merged),
        Err(problems) => {
            let bad_input = BadInput::Shards { problems, found: arguments.folders.len() };
            Folder::refuse(&arguments.report, Subject::Sweep(Sweep::default()), &bad_input, arguments.json)
        }
    }
}

/// The reports, or whatever is wrong with those that are none and with the others.
fn read(arguments: &Arguments) -> Result<Vec<Part>, Vec<String>> {
    let (mut parts, mut problems) = (Vec::new(), Vec::new());
    for folder in &arguments.folders {
        match earlier(folder) {
            Ok(report) => parts.push(Part { name: folder.display().to_string(), report }),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(parts),
        false => {
            // What is wrong with the others is told, too; that a shard is missing then follows from what cannot be read.
            problems.extend(merge(&parts).err().filter(|_| !parts.is_empty()).into_iter().flatten());
            Err(problems)
        }
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok().is_some_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn tell(arguments: &Arguments, merged: Merged) -> End {
    let Subject::Sweep(sweep) = &merged.report.subject else { unreachable!("shards are of sweeps") };
    let folder = match Folder::begin(&arguments.report, merged.report.subject.clone(), arguments.json) {
        Ok(folder) => folder,
        Err(bad_input) => return bad_input.report(arguments.json),
    };
    let end = end(&merged.report);
    if arguments.json {
        say(serde_json::to_string_pretty(&in_json(&merged.report, sweep)).expect("numbers and texts"));
    } else {
        in_words(&merged, sweep, end);
    }
    let Some(mut folder) = folder else { return end };
    let Merged { report, shown } = merged;
    folder.is_of(report.identity.clone());
    for (finding, shown) in report.findings.into_iter().zip(shown) {
        let exhibit = shown.map(|(part, exhibit)| folder.adopt(exhibit, &arguments.folders[part]));
        folder.found(Finding { exhibit, ..finding });
    }
    folder.end(Made { subject: report.subject, wall: Duration::from_secs_f64(report.wall_seconds), end })
}

/// As the sweep of all seeds would have ended.
fn end(report: &Report) -> End {
    let has = |kind: Kind| report.findings.iter().any(|finding| finding.kind == kind);
    let disagrees = report.findings.iter().any(|finding| finding.disagreement.is_some());
    match () {
        () if disagrees || has(Kind::HarnessFailed) => End::HarnessFailed,
        () if has(Kind::Violated) => End::Violated,
        () if has(Kind::NotConverged) => End::NotConverged,
        () if report.is_green() => End::Passed,
        () => End::HarnessFailed,
    }
}

fn in_json(report: &Report, sweep: &Sweep) -> serde_json::Value {
    let reached = sweep.situations.iter().filter(|situation| situation.seeds > 0).count();
    let findings = report.findings.iter().map(|finding| {
        json!({
            "fingerprint": finding.fingerprint,
            "property": finding.sentence,
            "rule": finding.rule,
            "seeds": finding.seen,
            "first_seeds": finding.first,
            "steps": finding.steps,
            "disagreement": finding.disagreement,
            "replay": finding.replay,
        })
    });
    json!({
        "shards": sweep.canaries.len(),
        "world": sweep.world,
        "profile": sweep.profile,
        "first_seed": sweep.asked.first,
        "seeds_asked": sweep.asked.number,
        "seeds_finished": sweep.finished,
        "seeds_left_out": sweep.left_out,
        "soaks": sweep.soaks,
        "seeds_run_twice": sweep.repeated,
        "failing": sweep.failing,
        "events": sweep.events,
        "simulated_seconds": Duration::from_micros(sweep.simulated_us).as_secs_f64(),
        "wall_seconds": report.wall_seconds,
        "sum": sweep.sum,
        "properties": sweep.properties.len(),
        "situations": sweep.situations.len(),
        "situations_reached": reached,
        "identity": report.identity,
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn in_words(merged: &Merged, sweep: &Sweep, end: End) {
    let Merged { report, shown } = merged;
    let colours = colours(&std::io::stdout());
    let shards = count(sweep.canaries.len(), "shard");
    let seeds = sweep.asked.range();
    say(format_args!(
        "{} world, profile {}, {shards} of the seeds {}..{}",
        sweep.world, sweep.profile, seeds.start, seeds.end
    ));
    let (reached, never): (Vec<_>, Vec<_>) = sweep.situations.iter().partition(|situation| situation.seeds > 0);
    say(format_args!("sometimes: {} of {} situations reached", reached.len(), sweep.situations.len()));
    never.iter().for_each(|situation| say(format_args!("  never: {}", situation.situation)));
    for (finding, shown) in report.findings.iter().zip(shown).take(FINDINGS_TOLD) {
        let told = shown.as_ref().map_or_else(|| finding.in_full(), |(_, exhibit)| exhibit.told.clone());
        say(format_args!("\n{told}\n"));
        say(format_args!("  {}, first {}", count(finding.seen as usize, "seed"), finding.first.join(", ")));
        if let Some(how) = &finding.disagreement {
            say(format_args!("  NOT confirmed in a fresh process: {how}"));
        }
        if let Some(folder) = shown.as_ref().and_then(|(_, exhibit)| exhibit.folder.as_ref()) {
            say(format_args!("  its folder: {folder}/"));
        }
    }
    if report.findings.len() > FINDINGS_TOLD {
        say(format_args!("\nand {} of failure", count(report.findings.len() - FINDINGS_TOLD, "more kind")));
    }
    let verdict = match end {
        End::Passed => paint("no violation", Colour::Green, colours),
        _ => paint(&count(sweep.failing as usize, "failing seed"), Colour::Red, colours),
    };
    let ran = ran(sweep.asked, sweep.finished, sweep.soaks, sweep.left_out);
    say(format_args!("\n{ran}: {verdict}"));
    say(format_args!(
        "{} events, {} simulated in {} of all shards together",
        thousands(sweep.events),
        span(Duration::from_micros(sweep.simulated_us)),
        print_duration(Duration::from_millis((report.wall_seconds * 1000.0) as u64)),
    ));
    say(format_args!(
        "{} properties; {} ran twice and did the same; sum {}",
        sweep.properties.len(),
        count(sweep.repeated as usize, "seed"),
        sweep.sum.map_or("-".to_owned(), |sum| sum.to_string()),
    ));
    say(canaries(&sweep.canaries));
}

/// What became of all of them, all being the same bug and caught.
fn canaries(canaries: &[Canary]) -> String {
    let after = canaries.iter().filter_map(|canary| canary.caught_after);
    let (least, most) = (after.clone().min().unwrap_or(0), after.max().unwrap_or(0));
    let bug = canaries.first().map_or("-", |canary| &canary.bug);
    match least == most {
        true => format!("canary {bug}: caught in every shard, after {}", count(most as usize, "seed")),
        false => format!("canary {bug}: caught in every shard, after {least} to {most} seeds"),
    }
}
