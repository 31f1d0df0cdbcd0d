//! A sweep: many seeds, each drawn, run and judged, and what they add up to.
//!
//! ```text
//! seed ──generate──▶ Scenario ──world──▶ events ──▶ checks, ledger, sometimes, digest ──▶ Total
//! ```
//!
//! No trace is kept: whoever wants to see a seed runs it again. Which seeds, on how many threads, and
//! what is said of them is the command's business.

mod pulse;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatecrash::time::Instant;

use crate::check::Violation;
use crate::check::property::Checks;
use crate::check::sometimes::Sometimes;
use crate::generate::{self, Profile, Seed};
use crate::history::Channels;
use crate::judge::Peephole;
use crate::scenario::Scenario;
use crate::search::fingerprint::Fingerprint;
use crate::search::report;
use crate::trace::digest::{Digests, Sum};
use crate::trace::{Cast, Digest, Ending, Event, Ledger, Observer, Recorder, Summary};
use crate::world::caught::caught;
use crate::world::{World, WorldError, event, packet};

pub use pulse::{Pulse, Sighting};

/// Of so many seeds one runs twice, and must do the same.
const REPEATED_ONE_IN: u64 = 100;

/// A seed whose script takes more ticks than this is left out in a world that steps through time: some ten seconds of
/// nothing happening. A season in one-second ticks would take minutes, and look like a run that hangs.
pub const TICKS_MAX: u128 = 1_000_000;

/// How the seeds of a sweep are run.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Where.
    pub world: World,
    /// What kind of scenarios is drawn.
    pub profile: Profile,
    /// Whether the properties watch. Without them a sweep finds nothing: for measuring what they cost.
    pub checks: bool,
    /// What of a run is judged, as somebody outside would have recorded it, in the place of all that the properties see.
    pub observe: Option<Channels>,
}

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct SeedRun {
    /// Which.
    pub seed: Seed,
    /// Whether it was drawn without a budget.
    pub is_soak: bool,
    /// Whether it ran twice.
    pub was_repeated: bool,
    /// How much happened, by kind.
    pub ledger: Ledger,
    /// What it reached.
    pub sometimes: Sometimes,
    /// The sum of its events; none when the run never came to its end.
    pub digest: Option<Digest>,
    /// What is wrong with it.
    pub failure: Option<Failure>,
    /// Whether it is longer than this world can run: nothing of it was, and nothing is known of it.
    pub is_left_out: bool,
}

/// What is wrong with a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Properties that do not hold.
    Violated(Vec<Violation>),
    /// What did not come to rest.
    NotConverged(String),
    /// The harness itself: a world that failed, a panic, two runs that differ.
    Harness(String),
    /// A run in which nothing happens any more, and that does not end: where it stands.
    Hangs(String),
}

impl Failure {
    /// What it has in common with other failures of its kind.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Failure::Violated(violations) => {
                Fingerprint::of(violations.first().expect("a violated run has a violation"))
            }
            Failure::NotConverged(reason) => Fingerprint::not_converged(reason),
            Failure::Harness(said) => Fingerprint::harness(said),
            Failure::Hangs(_) => Fingerprint::Harness("a run hangs".to_owned()),
        }
    }
}

/// Draws the seed's scenario, runs and judges it; if something is wrong, or by lot, a second time.
pub fn seed(number: u64, manner: Manner, pulse: &Arc<Pulse>) -> SeedRun {
    let seed = Seed { profile: manner.profile, number };
    pulse.begin(seed.number);
    if manner.world == World::Packet && caught(|| is_too_long(&generate::scenario(seed))) == Ok(true) {
        return SeedRun::left_out(seed);
    }
    let first = once(seed, manner, pulse);
    let was_repeated = first.failure.is_some() || seed.number.is_multiple_of(REPEATED_ONE_IN);
    if !was_repeated {
        return first;
    }
    let second = once(seed, manner, pulse);
    let failure = if first.digest == second.digest && first.failure == second.failure {
        first.failure
    } else {
        Some(Failure::Harness(difference(&generate::scenario(seed), manner.world)))
    };
    SeedRun { was_repeated, failure, ..first }
}

/// Whether the script takes more ticks than a world that steps through time is given.
pub fn is_too_long(scenario: &Scenario) -> bool {
    scenario.until.as_micros() / scenario.tick.as_micros() > TICKS_MAX
}

/// Where two runs differ that should not.
fn difference(scenario: &Scenario, world: World) -> String {
    match crate::run_twice(scenario, world) {
        Err(error) => error.to_string(),
        Ok(_) => "two runs of the seed differ, but two more do not".to_owned(),
    }
}

fn once(seed: Seed, manner: Manner, pulse: &Arc<Pulse>) -> SeedRun {
    let is_soak = generate::is_soak(seed);
    let run = caught(|| {
        let scenario = generate::scenario(seed);
        let watch = Watch {
            outside: manner.observe.map(|channels| Peephole::new(&scenario, channels)),
            checks: (manner.checks && manner.observe.is_none())
                .then(|| Checks::new(&scenario, manner.world.tick(&scenario))),
            ledger: Ledger::default(),
            sometimes: Sometimes::new(&scenario),
            pulse: Arc::clone(pulse),
        };
        run_in(manner.world, &scenario, watch)
    });
    let (summary, mut watch) = match run {
        Ok(Ok(run)) => run,
        Ok(Err(error)) => return SeedRun::failed(seed, is_soak, Failure::Harness(error.to_string())),
        Err(said) => return SeedRun::failed(seed, is_soak, Failure::Harness(format!("the run {said}"))),
    };
    let found = caught(|| match watch.outside.take() {
        Some(outside) => Some(outside.violations(&summary.cast)),
        None => watch.checks.as_mut().map(|checks| checks.finish(&summary.cast)),
    });
    let violations = match found {
        Ok(violations) => violations.unwrap_or_default(),
        Err(said) => return SeedRun::failed(seed, is_soak, Failure::Harness(format!("a check {said}"))),
    };
    let failure = match (&violations[..], &summary.ending) {
        ([_, ..], _) => Some(Failure::Violated(violations)),
        ([], Some(Ending::Converged)) => None,
        ([], Some(Ending::NotConverged(reason))) => Some(Failure::NotConverged(reason.clone())),
        ([], None) => Some(Failure::Harness("the world never said whether it had converged".to_owned())),
    };
    let Watch { ledger, sometimes, .. } = watch;
    let digest = Some(summary.digest);
    SeedRun { seed, is_soak, was_repeated: false, ledger, sometimes, digest, failure, is_left_out: false }
}

fn run_in(world: World, scenario: &Scenario, watch: Watch) -> Result<(Summary, Watch), WorldError> {
    match world {
        World::Event => event::watch(scenario, watch),
        World::Packet => {
            let watch = Arc::new(Mutex::new(watch));
            let recorder = Recorder::streaming(Cast::of(scenario));
            recorder.add_observer(Box::new(Arc::clone(&watch)));
            packet::run(scenario, &recorder)?;
            let summary = recorder.summary();
            recorder.finish();
            let watch = Arc::try_unwrap(watch).ok().expect("the recorder has let its observers go");
            Ok((summary, watch.into_inner().expect("an observer does not panic")))
        }
    }
}

impl SeedRun {
    /// Of a seed that was given up there.
    pub fn hung(sighting: Sighting, manner: Manner) -> SeedRun {
        let seed = Seed { profile: manner.profile, number: sighting.seed };
        // Drawing may be what hangs: whether it is one without a budget is not asked.
        SeedRun::failed(seed, false, Failure::Hangs(sighting.to_string()))
    }

    /// Of a seed that is too long for its world.
    fn left_out(seed: Seed) -> SeedRun {
        SeedRun { failure: None, is_left_out: true, ..SeedRun::unfinished(seed) }
    }

    fn failed(seed: Seed, is_soak: bool, failure: Failure) -> SeedRun {
        SeedRun { is_soak, failure: Some(failure), ..SeedRun::unfinished(seed) }
    }

    fn unfinished(seed: Seed) -> SeedRun {
        let (ledger, sometimes) = (Ledger::default(), Sometimes::default());
        let (is_soak, was_repeated, digest, failure, is_left_out) = (false, false, None, None, false);
        SeedRun { seed, is_soak, was_repeated, ledger, sometimes, digest, failure, is_left_out }
    }
}

/// Everything that looks on while a seed runs.
struct Watch {
    checks: Option<Checks>,
    outside: Option<Peephole>,
    ledger: Ledger,
    sometimes: Sometimes,
    pulse: Arc<Pulse>,
}

impl Observer for Watch {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        self.pulse.beat(event);
        self.ledger.count(event);
        if let Some(checks) = &mut self.checks {
            checks.observe(cast, event);
        }
        if let Some(outside) = &mut self.outside {
            outside.observe(cast, event);
        }
        self.sometimes.observe(cast, event);
    }
}

/// What many seeds add up to. Add them in their order.
#[derive(Clone, Debug, Default)]
pub struct Total {
    /// Seeds that came to their end, soaks included.
    pub finished: u64,
    /// Those among them drawn without a budget.
    pub soaks: u64,
    /// Seeds that ran twice.
    pub repeated: u64,
    /// Seeds that are longer than the world can run: neither finished nor failed.
    pub left_out: u64,
    /// How much happened, by kind.
    pub ledger: Ledger,
    /// What was reached.
    pub sometimes: Sometimes,
    /// In how many seeds each situation came that any of them reached.
    pub reached: BTreeMap<&'static str, u64>,
    /// The seeds with something wrong, by what that is.
    pub findings: BTreeMap<Fingerprint, Vec<Failed>>,
    /// The sum of all runs, in whichever order.
    pub sum: Sum,
    digests: Digests,
}

/// A seed with something wrong.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Which.
    pub seed: Seed,
    /// The sum of its events; none when the run never came to its end.
    pub digest: Option<Digest>,
    /// Where it stands if it hangs: it must not be run again.
    pub hangs: Option<String>,
}

impl Total {
    /// One more seed.
    pub fn add(&mut self, run: SeedRun) {
        if let Some(failure) = &run.failure {
            let hangs = match failure {
                Failure::Hangs(said) => Some(said.clone()),
                Failure::Violated(_) | Failure::NotConverged(_) | Failure::Harness(_) => None,
            };
            let failed = Failed { seed: run.seed, digest: run.digest, hangs };
            self.findings.entry(failure.fingerprint()).or_default().push(failed);
        }
        self.left_out += u64::from(run.is_left_out);
        let Some(digest) = run.digest else { return };
        self.digests.push(digest);
        self.sum = self.sum.plus(digest.into());
        self.finished += 1;
        self.soaks += u64::from(run.is_soak);
        self.repeated += u64::from(run.was_repeated);
        self.ledger.add(&run.ledger);
        self.sometimes.merge(&run.sometimes);
        for situation in run.sometimes.hit() {
            *self.reached.entry(situation).or_default() += 1;
        }
    }

    /// How many seeds have something wrong.
    pub fn failing(&self) -> usize {
        self.findings.values().map(Vec::len).sum()
    }

    /// How much time passed in all the worlds together.
    pub fn simulated(&self) -> Duration {
        self.ledger.ended_at - Instant::ZERO
    }

    /// The sum of all runs in the order of their seeds.
    pub fn digest(&self) -> Digest {
        self.digests.digest()
    }
}

/// Runs what failed again, keeps the trace, and says what is wrong as a person needs it.
pub fn report(failed: &Failed, world: World) -> String {
    let path = format!("--seed {}", failed.seed);
    if let Some(said) = &failed.hangs {
        return format!("{path} hangs: {said}");
    }
    let scenario = generate::scenario(failed.seed);
    let case = report::Case { path: &path, scenario: &scenario, world, seed: None };
    match crate::run(&scenario, world) {
        Ok(run) => report::failure(&case, &run).unwrap_or_else(|| format!("{path} passes when run alone")),
        Err(error) => report::harness_failure(&case, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: Manner = Manner { world: World::Event, profile: Profile::Swarm, checks: true, observe: None };

    fn total(seeds: impl Iterator<Item = u64>) -> Total {
        let pulse = Arc::new(Pulse::default());
        seeds.fold(Total::default(), |mut total, number| {
            total.add(seed(number, EVENT, &pulse));
            total
        })
    }

    #[test]
    fn a_sweep_is_the_same_whenever_it_is_made() {
        let (first, second) = (total(0..40), total(0..40));
        assert_eq!((first.finished, first.failing()), (40, 0), "{:?}", first.findings);
        assert_eq!((first.digest(), &first.ledger), (second.digest(), &second.ledger));
        assert_ne!(first.digest(), total(1..41).digest());
        assert_eq!(first.repeated, 1, "seed 0 runs twice");
    }

    /// Whatever is said to come about before a situation did, in each run that reached it.
    #[test]
    fn no_seed_reaches_a_situation_past_its_parts() {
        let pulse = Arc::new(Pulse::default());
        for number in 0..150 {
            let run = seed(number, EVENT, &pulse);
            assert_eq!(run.sometimes.skipped().collect::<Vec<_>>(), [], "seed {number}");
        }
    }

    /// One that is longer than a world which steps through time can run is not taken for one that hangs, nor for one
    /// that passed; the event world runs it.
    #[test]
    fn a_seed_that_is_too_long_is_left_out_and_counted() {
        const LONG: u64 = 28;
        assert!(is_too_long(&generate::scenario(LONG)));
        let pulse = Arc::new(Pulse::default());
        let mut total = Total::default();
        total.add(seed(LONG, Manner { world: World::Packet, ..EVENT }, &pulse));
        assert_eq!((total.left_out, total.finished, total.failing()), (1, 0, 0));
        total.add(seed(LONG, EVENT, &pulse));
        assert_eq!((total.left_out, total.finished, total.failing()), (1, 1, 0));
    }

    /// The packet world runs the same seeds, under the same checks.
    #[test]
    fn a_seed_runs_in_either_world() {
        let pulse = Arc::new(Pulse::default());
        let run =
            seed(0, Manner { world: World::Packet, profile: Profile::PowerLoss, checks: true, observe: None }, &pulse);
        assert!(run.ledger.events > 0 && run.digest.is_some());
        assert_eq!(run.failure, None);
    }
}
