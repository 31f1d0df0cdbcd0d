//! The report of a run: what is wrong with each scenario, and what is shown of it.

use std::time::Duration;

use gatecrash_sim::check::agree::Difference;
use gatecrash_sim::page::Head;
use gatecrash_sim::report::{Asked, Finding, Kind, Origin, Place, Ran, Runs, Seeds, Shown, Subject};
use gatecrash_sim::search::fingerprint::Fingerprint;
use gatecrash_sim::search::identity::sum_of;
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::world::World;
use gatecrash_sim::{HarnessError, Run, Verdict};

use super::super::End;
use super::super::files::{BadInput, File};
use super::super::report::{Folder, Made, Wanted, from_root, place_of_step};
use super::super::version::version;

/// What is reported so far, where a report is wanted.
pub struct Book {
    folder: Option<Folder>,
    runs: Runs,
    version: String,
}

/// A scenario that ran in a world.
pub struct Entry<'a> {
    /// What ran.
    pub case: Case<'a>,
    /// How long it took.
    pub wall: Duration,
    /// What came of it.
    pub verdict: Verdict,
    /// Its run, or why there is none.
    pub result: &'a Result<Run, HarnessError>,
    /// The other world, and where it came to something else.
    pub other: Option<(World, &'a [Difference])>,
}

impl Book {
    /// A book of scenarios of which none has run.
    pub fn begin(
        wanted: &Wanted,
        files: &[File],
        worlds: &[World],
        runs_each: u32,
        seeds: Option<Seeds>,
        json: bool,
    ) -> Result<Self, BadInput> {
        let asked = |file: &File| Asked {
            path: file.path.clone(),
            name: file.name.clone(),
            title: file.scenario.title.clone(),
            sum: sum_of(&file.scenario),
        };
        let runs = Runs {
            worlds: worlds.iter().map(|world| world.word().to_owned()).collect(),
            runs_each,
            seeds,
            asked: if wanted.folder.is_some() { files.iter().map(asked).collect() } else { Vec::new() },
            ran: Vec::new(),
            digest: None,
        };
        let folder = Folder::begin(wanted, Subject::Run(runs.clone()), json)?;
        Ok(Book { folder, runs, version: version() })
    }

    /// One that was refused.
    pub fn refuse(wanted: &Wanted, bad_input: &BadInput, json: bool) -> End {
        Folder::refuse(wanted, Subject::Run(Runs::default()), bad_input, json)
    }

    /// What came of a scenario in a world: of one run of it, or under one seed more.
    pub fn add(&mut self, entry: &Entry<'_>) {
        let Some(folder) = &mut self.folder else { return };
        let Entry { case, verdict, result, other, .. } = entry;
        let run = result.as_ref().ok();
        note(&mut self.runs, entry);
        if *verdict == Verdict::Passed {
            return;
        }
        let differences = other.map_or(&[][..], |(_, differences)| differences);
        let told = [
            run.and_then(|run| report::failure(case, run)),
            result.as_ref().err().map(|error| report::harness_failure(case, error)),
            other.and_then(|(world, differences)| report::disagreement(&Case { world, ..*case }, case, differences)),
        ];
        let told: Vec<String> = told.into_iter().flatten().collect();
        let stem = case.path.trim_end_matches(".toml").rsplit('/').next().unwrap_or(case.path);
        let mut findings = findings(case, result, differences, stem);
        if let Some(seed) = case.seed {
            // What fails under many seeds in one way is told once, of the first.
            findings.retain(|finding| !folder.has_seen(finding, seed));
            if findings.is_empty() {
                return;
            }
        }
        let seed = case.seed.map_or(String::new(), |seed| format!(".seed-{seed}"));
        let name = format!("{stem}.{}{seed}", case.world.word());
        let exhibit = match run {
            Some(run) => {
                let head = Head::of(case, run, &self.version);
                folder.show(&Shown { name: &name, case: *case, run, head: &head, told: &told.join("\n\n") })
            }
            None => folder.tell(&name, &told.join("\n\n")),
        };
        for finding in findings {
            let first = case.seed.iter().map(ToString::to_string).collect();
            folder.found(Finding { exhibit: Some(exhibit.clone()), first, ..finding });
        }
    }

    /// The end of it, and how that is told.
    pub fn end(mut self, digest: &str, wall: Duration, end: End) -> End {
        let Some(folder) = self.folder else { return end };
        self.runs.digest = Some(digest.to_owned());
        folder.end(Made { subject: Subject::Run(self.runs), wall, end })
    }
}

/// Notes that a scenario ran in a world, or once more under another seed.
fn note(runs: &mut Runs, Entry { case, wall, verdict, result, .. }: &Entry<'_>) {
    let run = result.as_ref().ok();
    let (events, simulated) = run.map_or((0, Duration::ZERO), |run| (run.trace.events.len() as u64, run.simulated));
    let (simulated_us, wall_seconds) = (simulated.as_micros() as u64, wall.as_secs_f64());
    let is_its = |ran: &&mut Ran| ran.path == case.path && ran.world == case.world.word();
    let known = runs.seeds.and_then(|_| runs.ran.iter_mut().find(is_its));
    match known {
        Some(ran) => {
            ran.seeds = ran.seeds.map(|seeds| seeds + 1);
            // Under many seeds it fails as it did first.
            if ran.result == Verdict::Passed.word() {
                ran.result = verdict.word().to_owned();
            }
            ran.events += events;
            ran.simulated_us += simulated_us;
            ran.wall_seconds += wall_seconds;
        }
        None => runs.ran.push(Ran {
            path: case.path.to_owned(),
            world: case.world.word().to_owned(),
            seeds: runs.seeds.map(|_| 1),
            result: verdict.word().to_owned(),
            events,
            simulated_us,
            wall_seconds,
            digest: run.filter(|_| runs.seeds.is_none()).map(|run| run.trace.digest.to_string()),
        }),
    }
}

/// Everything that is wrong with a run, each kind once; every expectation that it misses.
fn findings(
    case: &Case<'_>,
    result: &Result<Run, HarnessError>,
    differences: &[Difference],
    stem: &str,
) -> Vec<Finding> {
    let blank = |kind: Kind, fingerprint: String, sentence: String| {
        let origin = Origin {
            path: case.path.to_owned(),
            title: case.scenario.title.clone(),
            sum: Some(sum_of(case.scenario)),
            world: Some(case.world.word().to_owned()),
        };
        Finding {
            place: Some(place_of_step(case.path, case.scenario, None)),
            replay: Some(report::replay_command(case, None)),
            ..Finding::new(kind, fingerprint, sentence, origin)
        }
    };
    let mut findings: Vec<Finding> = Vec::new();
    match result {
        Ok(run) => {
            for (violation, told) in run.violations.iter().zip(report::findings(case, run)) {
                if findings.iter().any(|finding| finding.fingerprint == told.fingerprint) {
                    continue;
                }
                findings.push(Finding {
                    rule: Some(told.rule.to_owned()),
                    rule_text: Some(told.rule_text.to_owned()),
                    instead: Some(told.text),
                    place: Some(place_of_step(case.path, case.scenario, Some(violation.at))),
                    at_us: Some(told.at_us),
                    actor: Some(told.actor),
                    replay: Some(told.replay),
                    ..blank(Kind::Violated, told.fingerprint, told.property)
                });
            }
            findings.extend(report::missed(case, run).into_iter().map(|missed| Finding {
                place: missed.line.map(|line| Place { file: from_root(&missed.file), line, column: missed.column }),
                instead: Some(missed.text),
                at_us: Some(missed.at_us),
                actor: Some(missed.actor),
                replay: Some(missed.replay),
                ..blank(Kind::Missed, missed.fingerprint, format!("the scenario expects `{}`", missed.expected))
            }));
            findings.extend(run.not_converged.iter().map(|reason| {
                let end = Some(run.trace.ended_at());
                Finding {
                    instead: Some(reason.clone()),
                    place: Some(place_of_step(case.path, case.scenario, end)),
                    at_us: end.map(|end| end.as_micros()),
                    ..blank(
                        Kind::NotConverged,
                        Fingerprint::not_converged(reason).slug(),
                        Kind::NotConverged.demand().to_owned(),
                    )
                }
            }));
            findings.extend(run.idle.iter().map(|rule| {
                let fingerprint = format!("nothing-to-judge-{}-{stem}", rule.as_str().to_lowercase());
                Finding {
                    rule_text: Some(rule.text().to_owned()),
                    instead: Some("nothing happened by which it could have been broken".to_owned()),
                    ..blank(
                        Kind::NothingToJudge,
                        fingerprint,
                        format!("the scenario cites {rule}, and its run has nothing to judge it by"),
                    )
                }
            }));
        }
        Err(error) => {
            let said = error.to_string();
            findings.push(Finding {
                instead: Some(said.clone()),
                ..blank(
                    Kind::HarnessFailed,
                    Fingerprint::harness(&said).slug(),
                    Kind::HarnessFailed.demand().to_owned(),
                )
            });
        }
    }
    findings.extend(differences.first().map(|difference| Finding {
        instead: Some(difference.about.clone()),
        ..blank(Kind::Disagrees, format!("worlds-disagree-{stem}"), Kind::Disagrees.demand().to_owned())
    }));
    findings
}
