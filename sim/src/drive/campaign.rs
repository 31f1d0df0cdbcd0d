//! Many scenarios on one system: several at a time, what they come to, and what of it comes again.
//!
//! A run is mostly waiting, so that many are under way together on one thread. What is found is run again, since real time
//! repeats nothing by itself, and made smaller only where it shows in at least two of three runs.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep};

use super::adapter::Can;
use super::device::Device;
use super::plan::refuses_scenario;
use super::play::{Place, PlayError, Played, play};
use super::proxy::{Proxy, Way};
use super::same::differences;
use super::server::{Fill, Server, StartError};
use super::subject::Subject;
use super::table::Table;
use crate::check::Evidence;
use crate::generate::draw::Draw;
use crate::judge::Verdict;
use crate::scenario::{Scenario, Span};
use crate::search::fingerprint::Fingerprint;
use crate::search::shrink;

/// How often a finding is run again, and how often a smaller one.
const AGAIN: usize = 5;
const AGAIN_SMALLER: usize = 3;

/// How many of those have to fail so for the smaller one to be taken.
const FAILS_MIN: usize = 2;

/// How often it is looked whether to go on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What wants to know how a campaign gets on.
pub trait Progress {
    /// One more scenario, by its name, was played, or came to nothing.
    fn played(&mut self, name: &str, played: &Result<Played, PlayError>);

    /// Something that is said while it goes on.
    fn says(&mut self, what: &str);

    /// Called several times a second. Says whether to go on.
    fn goes_on(&mut self) -> bool;
}

/// A system, ready to be driven.
pub struct Campaign {
    subject: Rc<Subject>,
    /// What its adapter understands.
    pub can: Can,
    /// What its adapter calls itself.
    pub version: String,
    place: Place,
    /// How many runs are under way together.
    jobs: usize,
    runtime: Runtime,
    local: LocalSet,
    runs: std::cell::Cell<u64>,
    /// Whether each run is held against the packet world's.
    compares: bool,
}

/// Something that should not have happened, and how surely it comes again.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What runs that show it share.
    pub fingerprint: Fingerprint,
    /// What happened instead of what should have.
    pub text: String,
    /// The scenarios that showed it: their names, the first ones.
    pub names: Vec<String>,
    /// How many did.
    pub seen: u64,
    /// In how many of how many further runs of the first one it came again.
    pub again: (usize, usize),
    /// The same of the smaller one.
    pub again_smaller: (usize, usize),
    /// How many steps the first one had.
    pub steps_before: usize,
    /// The smallest scenario that shows it.
    pub scenario: Scenario,
    /// A run of that which does.
    pub played: Played,
}

/// Asks an adapter what it understands, with its server beside it.
///
/// # Errors
///
/// Why it cannot be asked.
pub fn ask(subject: &Subject, place: &Place) -> Result<(Can, String), PlayError> {
    let machine = |error: io::Error| PlayError::Machine(error.to_string());
    let (runtime, local) = (runtime().map_err(machine)?, LocalSet::new());
    local.block_on(&runtime, async {
        let root = place.root.join("asked");
        let dir = root.join("server");
        std::fs::create_dir_all(&dir).map_err(machine)?;
        let dir = std::fs::canonicalize(&dir).map_err(machine)?;
        let fill = Fill::new(&dir, &subject.here, &place.bin).map_err(machine)?;
        // What an adapter needs may be what the server makes.
        let server = |error: StartError| PlayError::Server(error.to_string());
        let mut started = Server::new(subject, fill.clone(), place.warden.clone()).map_err(server)?;
        started.start().await.map_err(server)?;
        let way = Way::new(Span::exactly(Duration::ZERO), None);
        let proxy = Proxy::start(fill.port(), way, Draw::new(0, "asked", "drive")).await.map_err(machine)?;
        let (sender, _inputs) = tokio::sync::mpsc::unbounded_channel();
        let adapter = fill.words(&subject.adapter);
        let warden = place.warden.clone();
        let made = Device::new(0, "device", "android", None, root.join("device"), proxy, adapter, warden, sender);
        let mut device = made.map_err(machine)?;
        let asked = device.start().await;
        let words = device.last_words();
        device.stop().await;
        started.stop().await;
        asked.map_err(|what| PlayError::Adapter { device: "device".to_owned(), what: format!("{what}{words}") })
    })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

impl Campaign {
    /// Makes ready to drive a system, so many runs at a time, and asks its adapter what it understands.
    ///
    /// # Errors
    ///
    /// Why it cannot be.
    pub fn new(subject: Subject, place: Place, jobs: usize) -> Result<Campaign, PlayError> {
        let (can, version) = ask(&subject, &place)?;
        let runtime = runtime().map_err(|error| PlayError::Machine(error.to_string()))?;
        let local = LocalSet::new();
        let runs = std::cell::Cell::new(0);
        let compares = false;
        Ok(Campaign {
            subject: Rc::new(subject),
            can,
            version,
            place,
            jobs: jobs.max(1),
            runtime,
            local,
            runs,
            compares,
        })
    }

    /// Holds each run against what the packet world makes of its scenario: the system has to be gatecrash.
    #[must_use]
    pub fn beside_the_packet_world(self) -> Campaign {
        Campaign { compares: true, ..self }
    }

    /// Whose.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Plays these scenarios, each under its name, and adds up what comes of them.
    pub fn play(
        &self,
        scenarios: impl Iterator<Item = (String, Scenario)>,
        longest: Duration,
        progress: &mut impl Progress,
    ) -> (Table, Vec<Finding>) {
        let mut table = Table::of(&self.subject.claims.rules);
        let mut findings: Vec<Finding> = Vec::new();
        let (mut passed_over, mut comparable) = (Vec::new(), Vec::new());
        let mut scenarios = scenarios.filter(|(_, scenario)| {
            let why = refuses_scenario(scenario, &self.subject.claims, longest);
            passed_over.extend(why);
            why.is_none()
        });
        self.each(&mut scenarios, progress, |name, scenario, played| match played {
            Err(PlayError::Busy(_)) => table.busy += 1,
            Err(error) => {
                let kind = Fingerprint::harness(&error.to_string()).to_string();
                let said = || (0, format!("{name}: {error}"));
                table.failed.entry(kind).or_insert_with(said).0 += 1;
            }
            Ok(played) => {
                table.add(&played);
                if self.compares && played.left_out.is_empty() {
                    let lines = usize::try_from(played.rested).unwrap_or(usize::MAX).saturating_add(1);
                    let until_rest: Vec<&str> = played.history.lines().take(lines).collect();
                    comparable.push((name.to_owned(), scenario.clone(), until_rest.join("\n")));
                }
                for (fingerprint, text) in failures(&played) {
                    match findings.iter_mut().find(|finding| finding.fingerprint == fingerprint) {
                        Some(finding) => {
                            finding.seen += 1;
                            if finding.names.len() < 20 {
                                finding.names.push(name.to_owned());
                            }
                        }
                        None => findings.push(Finding {
                            fingerprint,
                            text,
                            names: vec![name.to_owned()],
                            seen: 1,
                            again: (0, 0),
                            again_smaller: (0, 0),
                            steps_before: scenario.steps.len(),
                            scenario: scenario.clone(),
                            played: played.clone(),
                        }),
                    }
                }
            }
        });
        // Not while runs are under way: the packet world has a runtime of its own.
        for (name, scenario, history) in comparable {
            progress.says(&format!("the packet world plays {name}"));
            let differs = differences(&scenario, &self.subject.claims, &history);
            let differs = differs.unwrap_or_else(|why| vec![format!("the packet world did not run it: {why}")]);
            table.compare(name, differs);
        }
        for why in passed_over {
            *table.passed_over.entry(why).or_default() += 1;
        }
        (table, findings)
    }

    /// Plays scenarios, several at a time, and hands over what comes of each as it comes.
    fn each(
        &self,
        scenarios: &mut impl Iterator<Item = (String, Scenario)>,
        progress: &mut impl Progress,
        mut done: impl FnMut(&str, &Scenario, Result<Played, PlayError>),
    ) {
        self.local.block_on(&self.runtime, async {
            let mut tasks = JoinSet::new();
            let mut is_over = false;
            loop {
                while !is_over && tasks.len() < self.jobs {
                    match scenarios.next() {
                        Some((name, scenario)) => {
                            let task = self.run(scenario);
                            tasks.spawn_local(async move {
                                let (scenario, played) = task.await;
                                (name, scenario, played)
                            });
                        }
                        None => is_over = true,
                    }
                }
                tokio::select! {
                    joined = tasks.join_next() => match joined {
                        None => return,
                        Some(Ok((name, scenario, played))) => {
                            progress.played(&name, &played);
                            done(&name, &scenario, played);
                        }
                        Some(Err(error)) => match error.try_into_panic() {
                            Ok(panic) => std::panic::resume_unwind(panic),
                            Err(_) => return,
                        },
                    },
                    () = sleep(LOOK_EVERY) => {
                        if !progress.goes_on() {
                            tasks.shutdown().await;
                            return;
                        }
                    }
                }
            }
        });
    }

    fn run(&self, scenario: Scenario) -> impl Future<Output = (Scenario, Result<Played, PlayError>)> + 'static {
        let (subject, can, place) = (Rc::clone(&self.subject), self.can.clone(), self.place.clone());
        let number = self.runs.get();
        self.runs.set(number + 1);
        async move {
            let dir = place.root.join(format!("run-{number}"));
            let played = play(&subject, &can, &scenario, &place, &dir).await;
            if played.is_ok() {
                // What is worth keeping is in the history.
                let _ = std::fs::remove_dir_all(&dir);
            }
            (scenario, played)
        }
    }

    /// Runs a scenario so often, and says what each run shows.
    fn again(&self, scenario: &Scenario, times: usize, progress: &mut impl Progress) -> Vec<Played> {
        let mut all = Vec::new();
        let mut scenarios: VecDeque<_> = (0..times).map(|_| (String::new(), scenario.clone())).collect();
        let mut next = std::iter::from_fn(|| scenarios.pop_front());
        let mut quiet = Quiet(progress);
        self.each(&mut next, &mut quiet, |_, _, played| all.extend(played));
        all
    }

    /// How often a finding comes again, and the smallest scenario that shows it and is found in this time.
    pub fn examine(&self, finding: &mut Finding, within: Duration, progress: &mut impl Progress) {
        let wanted = finding.fingerprint.clone();
        let shows = |played: &Played| failures(played).iter().any(|(found, _)| *found == wanted);
        let runs = self.again(&finding.scenario, AGAIN, progress);
        finding.again = (runs.iter().filter(|played| shows(played)).count(), runs.len());
        finding.again_smaller = finding.again;
        if finding.again.0 * 2 < finding.again.1 || within.is_zero() {
            return;
        }
        let (end, mut candidates) = (Instant::now() + within, 0);
        let look = |candidate: &Scenario| {
            candidates += 1;
            progress.says(&format!("shrinking: candidate {candidates}, {} steps", candidate.steps.len()));
            if !progress.goes_on() || Instant::now() > end {
                return None;
            }
            let runs = self.again(candidate, AGAIN_SMALLER, progress);
            let fails = runs.iter().filter(|played| shows(played)).count();
            Some(if fails >= FAILS_MIN { vec![wanted.clone()] } else { Vec::new() })
        };
        let Ok(shrunk) = shrink::shrink(&finding.scenario, &wanted, look, shrink::RUNS_MAX) else { return };
        let runs = self.again(&shrunk.scenario, AGAIN, progress);
        finding.again_smaller = (runs.iter().filter(|played| shows(played)).count(), runs.len());
        if let Some(played) = runs.into_iter().find(shows) {
            let text = failures(&played).into_iter().find(|(found, _)| *found == wanted).map(|(_, text)| text);
            finding.text = text.unwrap_or_default();
            (finding.scenario, finding.played) = (shrunk.scenario, played);
        }
    }
}

/// Says nothing of single runs.
struct Quiet<'p, P>(&'p mut P);

impl<P: Progress> Progress for Quiet<'_, P> {
    fn played(&mut self, _: &str, _: &Result<Played, PlayError>) {}

    fn says(&mut self, what: &str) {
        self.0.says(what);
    }

    fn goes_on(&mut self) -> bool {
        self.0.goes_on()
    }
}

/// What a run shows, each kind once.
fn failures(played: &Played) -> Vec<(Fingerprint, String)> {
    let mut found: Vec<(Fingerprint, String)> = Vec::new();
    if let Some(how) = &played.died {
        let first = how.lines().next().unwrap_or_default();
        found.push((Fingerprint::harness(first.split(';').next().unwrap_or_default()), how.clone()));
    }
    if played.judgement.verdict() == Verdict::Violated {
        for breach in &played.judgement.breaches {
            let evidence = Evidence::Event("history");
            let fingerprint = Fingerprint::Property { property: breach.property, rule: breach.rule, evidence };
            if !found.iter().any(|(known, _)| *known == fingerprint) {
                found.push((fingerprint, breach.text.clone()));
            }
        }
    }
    found
}
