//! The report of a sweep: its findings, each shown by the smallest scenario that fails so.

use std::time::Duration;

use gatecrash_sim::check::property;
use gatecrash_sim::generate;
use gatecrash_sim::page::Head;
use gatecrash_sim::report::{
    Canary, Count, Finding, Kind, Origin, Part, Seeds, Share, Shown, Situation, Subject, Sweep,
};
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::fingerprint::Fingerprint;
use gatecrash_sim::search::identity::sum_of;
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::search::sweep::{self, Failed, Manner, Total};
use gatecrash_sim::world::World;
use gatecrash_sim::{Run, run};

use super::super::End;
use super::super::files::BadInput;
use super::super::report::{Folder, Made, Wanted, place_of_step};
use super::super::version::version;
use super::{Found, SEEDS_TOLD};

/// Of how many findings more is told than that they are there: each is run once more.
const SHOWN_MAX: usize = 20;

/// What is reported, where a report is wanted.
pub struct Book {
    folder: Option<Folder>,
    blank: Sweep,
}

/// A sweep that begins.
pub struct Begun {
    /// How its seeds are run.
    pub manner: Manner,
    /// Which; no number of them where it goes on for a time.
    pub asked: Seeds,
    /// For how long it goes on.
    pub time: Option<Duration>,
    /// Which part of more seeds it is.
    pub share: Option<Share>,
}

/// The smallest scenario of a finding, and its run.
pub struct Smallest {
    /// What is left of the scenario.
    pub scenario: Scenario,
    /// What is said above its picture.
    pub head: Head,
    /// What came of it.
    pub run: Run,
}

/// A sweep that has ended.
pub struct Swept<'a> {
    /// What it came to.
    pub total: &'a Total,
    /// Its findings, in the order in which they are told.
    pub found: &'a [Found],
    /// Which seeds were to run.
    pub asked: Seeds,
    /// What became of the canary beside it.
    pub canary: Option<&'a Canary>,
    /// How long it took.
    pub wall: Duration,
    /// How it ends.
    pub end: End,
}

impl Book {
    /// A book of seeds of which none has run.
    pub fn begin(wanted: &Wanted, begun: &Begun, json: bool) -> Result<Self, BadInput> {
        let blank = Sweep {
            world: begun.manner.world.word().to_owned(),
            profile: begun.manner.profile.word().to_owned(),
            asked: begun.asked,
            time_seconds: begun.time.map(|time| time.as_secs_f64()),
            share: begun.share,
            ..Sweep::default()
        };
        let folder = Folder::begin(wanted, Subject::Sweep(blank.clone()), json)?;
        Ok(Book { folder, blank })
    }

    /// One of a sweep that was refused.
    pub fn refuse(wanted: &Wanted, bad_input: &BadInput, json: bool) -> End {
        Folder::refuse(wanted, Subject::Sweep(Sweep::default()), bad_input, json)
    }

    /// The end of it, and how that is told.
    pub fn end(self, manner: Manner, swept: &Swept<'_>) -> End {
        let Some(mut folder) = self.folder else { return swept.end };
        for (number, found) in swept.found.iter().enumerate() {
            let its = swept.total.findings.iter().find(|(print, _)| print.slug() == found.fingerprint);
            let (print, seen) = its.expect("what was found is among the findings");
            let finding = finding(print, seen, found, manner.world);
            let finding = match number < SHOWN_MAX {
                true => show(&mut folder, finding, &seen[0], found, manner.world),
                false => finding,
            };
            folder.found(finding);
        }
        for canary in swept.canary.into_iter().filter(|canary| canary.caught_after.is_none()) {
            folder.found(blind(canary, manner.world));
        }
        let canaries = swept.canary.into_iter().cloned().collect();
        let sweep = Sweep { asked: swept.asked, canaries, ..sums(self.blank, swept.total) };
        folder.end(Made { subject: Subject::Sweep(sweep), wall: swept.wall, end: swept.end })
    }
}

/// Everything that adds up.
fn sums(blank: Sweep, total: &Total) -> Sweep {
    let never = total.sometimes.progress().map(|progress| Situation {
        situation: progress.situation.to_owned(),
        seeds: 0,
        parts: progress
            .parts
            .iter()
            .map(|&(part, seeds)| Part { part: part.to_owned(), seeds: seeds.into() })
            .collect(),
    });
    let reached = total.reached.iter().map(|(&situation, &seeds)| Situation {
        situation: situation.to_owned(),
        seeds,
        parts: Vec::new(),
    });
    let judged = property::all(&generate::scenario(blank.asked.first), Duration::ZERO);
    let mut sweep = Sweep {
        finished: total.finished,
        left_out: total.left_out,
        failing: total.failing() as u64,
        soaks: total.soaks,
        repeated: total.repeated,
        events: total.ledger.events,
        simulated_us: total.simulated().as_micros() as u64,
        digest: Some(total.digest().to_string()),
        sum: Some(total.sum),
        properties: judged.iter().map(|property| property.name().to_owned()).collect(),
        situations: reached.chain(never).collect(),
        counts: total
            .ledger
            .counts()
            .map(|(section, what, number)| Count { section: section.word().to_owned(), what, number })
            .collect(),
        ..blank
    };
    sweep.sort();
    sweep
}

/// That nothing saw the canary.
fn blind(canary: &Canary, world: World) -> Finding {
    let bug = &canary.bug;
    let origin = Origin {
        path: bug.clone(),
        title: "the canary, a bug of the zoo".to_owned(),
        sum: None,
        world: Some(world.word().to_owned()),
    };
    Finding {
        instead: Some(format!("nothing named it in {} seeds from {}", canary.limit, canary.first)),
        ..Finding::new(Kind::NotCaught, format!("bug-not-caught-{bug}"), format!("the canary {bug} is caught"), origin)
    }
}

/// A finding as far as its seeds tell it.
fn finding(print: &Fingerprint, seen: &[Failed], found: &Found, world: World) -> Finding {
    let kind = match print {
        Fingerprint::Property { .. } => Kind::Violated,
        Fingerprint::Missed { .. } => Kind::Missed,
        Fingerprint::NotConverged(_) => Kind::NotConverged,
        Fingerprint::Harness(_) => Kind::HarnessFailed,
    };
    let first = &seen[0];
    let sentence = match print {
        Fingerprint::Property { .. } => print.said().to_owned(),
        Fingerprint::Missed { .. } | Fingerprint::NotConverged(_) | Fingerprint::Harness(_) => print.to_string(),
    };
    let origin = Origin {
        path: format!("--seed {}", first.seed),
        title: format!("what is drawn from seed {}", first.seed),
        sum: None,
        world: Some(world.word().to_owned()),
    };
    Finding {
        rule: print.rule().map(|rule| rule.as_str().to_owned()),
        rule_text: print.rule().map(|rule| rule.text().to_owned()),
        instead: first.hangs.clone(),
        seen: seen.len() as u64,
        first: seen.iter().take(SEEDS_TOLD).map(|failed| failed.seed.to_string()).collect(),
        steps: found.steps,
        disagreement: found.disagreement.clone(),
        replay: Some(found.replay.clone()),
        ..Finding::new(kind, print.slug(), sentence, origin)
    }
}

/// Shows a finding by the smallest scenario that fails so, or else by the seed that failed first.
fn show(folder: &mut Folder, finding: Finding, first: &Failed, found: &Found, world: World) -> Finding {
    let name = finding.fingerprint.clone();
    if let (Some(smallest), Some(its)) = (&found.smallest, &found.folder) {
        let path = format!("{its}/shrunk.toml");
        let case = Case { path: &path, scenario: &smallest.scenario, world, seed: None };
        let finding = show_run(folder, finding, &case, &smallest.run, &smallest.head);
        folder.has_folder(&name, its);
        return finding;
    }
    if first.hangs.is_some() {
        let exhibit = folder.tell(&name, &sweep::report(first, world));
        return Finding { exhibit: Some(exhibit), ..finding };
    }
    let (path, scenario) = (format!("--seed {}", first.seed), generate::scenario(first.seed));
    let case = Case { path: &path, scenario: &scenario, world, seed: None };
    match run(&scenario, world) {
        Ok(run) => show_run(folder, finding, &case, &run, &Head::of(&case, &run, &version())),
        Err(error) => {
            let exhibit = folder.tell(&name, &report::harness_failure(&case, &error));
            Finding { instead: Some(error.to_string()), exhibit: Some(exhibit), ..finding }
        }
    }
}

fn show_run(folder: &mut Folder, finding: Finding, case: &Case<'_>, run: &Run, head: &Head) -> Finding {
    let told = report::failure(case, run).unwrap_or_else(|| format!("{} passes when run alone", case.path));
    let exhibit = folder.show(&Shown { name: &finding.fingerprint, case: *case, run, head, told: &told });
    let its = run
        .violations
        .iter()
        .zip(report::findings(case, run))
        .find(|(_, told)| told.fingerprint == finding.fingerprint);
    let at = its.as_ref().map(|(violation, _)| violation.at);
    let last = Some(at.unwrap_or(run.trace.ended_at()));
    let place = (!case.path.starts_with("--seed ")).then(|| place_of_step(case.path, case.scenario, last));
    let told = its.map(|(_, told)| told);
    Finding {
        instead: told.as_ref().map(|told| told.text.clone()).or_else(|| run.not_converged.clone()).or(finding.instead),
        at_us: told.as_ref().map(|told| told.at_us),
        actor: told.map(|told| told.actor),
        place,
        origin: Origin { title: case.scenario.title.clone(), sum: Some(sum_of(case.scenario)), ..finding.origin },
        replay: Some(report::replay_command(case, at)),
        exhibit: Some(exhibit),
        ..finding
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use gatecrash_sim::generate::{Profile, Seed};
    use gatecrash_sim::report::Report;
    use gatecrash_sim::search::shrink;
    use gatecrash_sim::zoo::{self, Bug};

    use super::*;

    /// A finding of a system that is broken, as if a sweep had found it in the one that ships.
    fn found(folder: &str) -> (Total, Vec<Found>) {
        let bug = Bug::find("F06").expect("it is in the zoo");
        let catch = zoo::hunt(bug, 0..100).expect("a seed shows it");
        let scenario = zoo::shrunk(bug, &catch).scenario;
        let run = zoo::run(bug, &scenario).expect("it runs");
        let path = format!("{folder}/shrunk.toml");
        fs::create_dir_all(folder).unwrap();
        fs::write(&path, shrink::as_regression(&scenario)).unwrap();
        let head = Head::of(&Case { path: &path, scenario: &scenario, world: World::Event, seed: None }, &run, "1.2.3");
        let seed = Seed { profile: Profile::Swarm, number: catch.seed };
        let failed = Failed { seed, digest: None, hangs: None };
        let hangs = Failed { hangs: Some("nothing has happened since 3 s".to_owned()), ..failed.clone() };
        let mut total = Total::default();
        total.finished = 99;
        total.findings.insert(Fingerprint::of(&run.violations[0]), vec![failed.clone(), failed]);
        total.findings.insert(Fingerprint::harness("a run hangs"), vec![hangs]);
        let found = total.findings.iter().map(|(print, seen)| Found {
            replay: "gatecrash replay".to_owned(),
            folder: print.rule().map(|_| folder.to_owned()),
            ..Found::new(print, seen, World::Event)
        });
        let mut found: Vec<Found> = found.collect();
        let broken = found.iter_mut().find(|found| found.rule.is_some()).expect("a rule is broken");
        broken.smallest = Some(Smallest { scenario, head, run });
        (total, found)
    }

    #[test]
    fn a_finding_is_told_of_its_property_and_shown_by_the_smallest_scenario() {
        let place = std::env::temp_dir().join(format!("gatecrash-book-{}", std::process::id()));
        let (total, found) = found(&place.join("finding").display().to_string());
        let wanted = Wanted { folder: Some(place.join("report")), known: Vec::new() };
        let manner = Manner { world: World::Event, profile: Profile::Swarm, checks: true, observe: None };
        let asked = Seeds { first: 0, number: 100 };
        let begun = Begun { manner, asked, time: None, share: None };
        let Ok(book) = Book::begin(&wanted, &begun, true) else { panic!("it can be written") };
        let wall = Duration::from_secs(1);
        let swept = Swept { total: &total, found: &found, asked, canary: None, wall, end: End::Violated };
        assert_eq!(book.end(manner, &swept), End::Violated);
        let read = |path: &str| fs::read_to_string(place.join("report").join(path)).unwrap();
        let report = Report::parse(&read("report.json")).unwrap();
        let broken = report.findings.iter().find(|finding| finding.kind == Kind::Violated).expect("one is broken");
        let its = place.join("finding/shrunk.toml").display().to_string();
        let scenario = fs::read_to_string(&its).unwrap();
        let place_of = broken.place.as_ref().expect("its file is there");
        assert!(place_of.file.ends_with("finding/shrunk.toml"), "{place_of:?}");
        let line = scenario.lines().nth(place_of.line - 1).expect("the file has the line");
        assert!(line.starts_with(|letter: char| letter.is_ascii_digit()), "a step begins with its time: {line}");
        assert_eq!((broken.seen, broken.rule.as_deref()), (2, Some("KICK-6")));
        assert!(broken.replay.as_ref().is_some_and(|replay| replay.contains("finding/shrunk.toml")), "{broken:?}");
        let exhibit = report.exhibit(&broken.fingerprint).expect("it is shown");
        assert!(exhibit.told.contains("KICK-6 violated") && exhibit.diagram.is_some() && exhibit.folder.is_some());
        assert!(read(exhibit.page.as_ref().unwrap()).starts_with("<!doctype html>"));
        let junit = read("junit.xml");
        for said in [
            "<testsuites name=\"gatecrash\" tests=\"41\" failures=\"1\" errors=\"2\"",
            "hangs: nothing has happened since 3 s",
            "1 of 100 seeds from 0 did not run to their end",
            "seen 2 times, first: ",
        ] {
            assert!(junit.contains(said), "{said:?} is missing in\n{junit}");
        }
        fs::remove_dir_all(&place).unwrap();
    }
}
