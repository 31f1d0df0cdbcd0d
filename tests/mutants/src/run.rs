//! Each mutant through the stages.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::build::Tree;
use crate::outcome::{Outcome, Outcomes};
use crate::weave::Mutant;

/// The stages that ask the harness, and those that ask the tests.
pub const HARNESS: [&str; 5] = ["seeds", "more-seeds", "dense", "scenarios", "packet"];
pub const TESTS: [&str; 4] = ["unit", "cores", "random", "drivers"];

/// How a stage is run.
pub struct Manner {
    pub stages: Vec<String>,
    /// At most so many mutants, spread over all files.
    pub sample: usize,
    /// Also those that an earlier stage has caught.
    pub every: bool,
    /// Also those that this stage was tried on.
    pub again: bool,
    pub jobs: usize,
    /// Only those whose name has one of these in it.
    pub only: Vec<String>,
}

/// A program, what it is asked, and how many seconds of processor time it may take.
struct Run {
    program: PathBuf,
    arguments: String,
    seconds: u64,
}

fn runs(tree: &Tree, stage: &str) -> Result<Vec<Run>, Box<dyn Error>> {
    let run = |kind, name, arguments: &str, seconds| -> Result<Run, Box<dyn Error>> {
        let program = tree.build(kind, name)?;
        Ok(Run { program, arguments: arguments.to_owned(), seconds })
    };
    let sweep = |arguments: &str, seconds| {
        let always = "sweep --unconfirmed --json --jobs 1 --hang-after 10s";
        run("bin", "gatecrash", &format!("{always} {arguments}"), seconds)
    };
    let cores = "client:: server:: ticket:: vocabulary:: --skip random";
    let drivers = "wire:: store:: loopback:: killed:: serve:: gatecrashd_ticket::";
    Ok(match stage {
        // Most are caught at once, and need not wait for the rest.
        "seeds" => vec![sweep("--seeds 0..10", 20)?, sweep("--seeds 10..100", 30)?],
        // Whichever of these reach it.
        "more-seeds" => vec![sweep("--seeds", 60)?],
        "dense" => {
            let dense = "--world packet --profile dense --seeds";
            vec![sweep(&format!("{dense} 0..10"), 60)?, sweep(&format!("{dense} 10..300"), 240)?]
        }
        "scenarios" => vec![run("bin", "gatecrash", "run --world event --once --jobs 1 --json", 60)?],
        "packet" => vec![run("bin", "gatecrash", "run --world both --once --jobs 1 --json", 300)?],
        "unit" => vec![run("lib", "gatecrash", "--skip driver::", 20)?],
        "cores" => vec![run("test", "it", cores, 20)?],
        "random" => vec![run("test", "it", "client::random server::random", 120)?],
        "drivers" => vec![run("lib", "gatecrash", "driver::", 30)?, run("test", "it", drivers, 120)?],
        stage => return Err(format!("{stage} is no stage").into()),
    })
}

/// Mutants in an order of which every beginning is spread over all of them.
fn spread<'a>(mutants: &[&'a Mutant]) -> Vec<&'a Mutant> {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let mut order: Vec<(f64, &Mutant)> =
        mutants.iter().enumerate().map(|(index, &mutant)| ((index as f64 * GOLDEN).fract(), mutant)).collect();
    order.sort_by(|one, other| one.0.total_cmp(&other.0));
    order.into_iter().map(|(_, mutant)| mutant).collect()
}

/// Runs the stages.
pub fn all(
    tree: &Tree,
    folder: &Path,
    manner: &Manner,
    mutants: &[Mutant],
    outcomes: &mut Outcomes,
) -> Result<(), Box<dyn Error>> {
    let viable: Vec<&Mutant> = mutants.iter().filter(|mutant| outcomes.of(mutant).is_viable()).collect();
    let named =
        |mutant: &&Mutant| manner.only.is_empty() || manner.only.iter().any(|text| mutant.name().contains(text));
    let viable: Vec<&Mutant> = viable.into_iter().filter(named).collect();
    let sample: Vec<&Mutant> = spread(&viable).into_iter().take(manner.sample).collect();
    for stage in &manner.stages {
        let runs = runs(tree, stage)?;
        let begun = Instant::now();
        let reach = if stage == "more-seeds" { Some(Reach::of(tree, folder, &runs[0])?) } else { None };
        let unchanged = if reach.is_some() { Vec::new() } else { unchanged(tree, folder, stage, &runs)? };
        println!("== {stage}: {:.1} s without a mutant", begun.elapsed().as_secs_f64());
        let of_drivers = |mutant: &Mutant| mutant.file.starts_with("src/driver/");
        let queue: Vec<&Mutant> = sample
            .iter()
            .copied()
            // The event world runs no driver, and neither do the tests of the cores.
            .filter(|mutant| match stage.as_str() {
                "seeds" | "more-seeds" | "scenarios" | "unit" | "cores" | "random" => !of_drivers(mutant),
                "drivers" => of_drivers(mutant) || mutant.file.starts_with("src/store"),
                _ => true,
            })
            .filter(|mutant| {
                let fate = outcomes.of(mutant);
                (manner.every || !fate.is_caught()) && (manner.again || !fate.stages.contains_key(stage))
            })
            .collect();
        println!("== {stage}: {} mutants", queue.len());
        let queue = Mutex::new(queue.into_iter());
        let results = Mutex::new((&mut *outcomes, 0_usize));
        std::thread::scope(|scope| {
            for job in 0..manner.jobs {
                let (queue, results, runs, unchanged, reach) = (&queue, &results, &runs, &unchanged, &reach);
                scope.spawn(move || {
                    let log = folder.join(format!("log-{job}"));
                    loop {
                        let next = queue.lock().expect("nobody panics").next();
                        let Some(mutant) = next else { return };
                        let outcome = match reach {
                            Some(reach) => reach.pass(tree, &log, &runs[0], mutant.number),
                            None => pass(tree, &log, runs, Some(mutant.number), unchanged).map(|(outcome, _)| outcome),
                        };
                        let outcome = outcome.expect("programs run");
                        println!("{stage} {outcome:?}: {} {}", mutant.number, mutant.name());
                        std::io::stdout().flush().expect("somebody reads");
                        let mut results = results.lock().expect("nobody panics");
                        results.0.fate(mutant).stages.insert(stage.clone(), outcome);
                        results.1 += 1;
                        if results.1.is_multiple_of(10) {
                            results.0.save().expect("the outcomes can be kept");
                        }
                    }
                });
            }
        });
        outcomes.save()?;
    }
    Ok(())
}

/// The digests without a mutant. Kept for as long as the programs stay the same.
fn unchanged(tree: &Tree, folder: &Path, stage: &str, runs: &[Run]) -> Result<Vec<String>, Box<dyn Error>> {
    let path = folder.join(format!("digests-{stage}"));
    if let (Ok(text), Ok(kept)) = (fs::read_to_string(&path), fs::metadata(&path))
        && runs.iter().all(|run| fs::metadata(&run.program).is_ok_and(|program| is_older(&program, &kept)))
    {
        return Ok(text.lines().map(str::to_owned).collect());
    }
    let (outcome, digests) = pass(tree, &folder.join("log-0"), runs, None, &[])?;
    if outcome.is_caught() {
        return Err(format!("{stage} fails without a mutant: {outcome:?}").into());
    }
    fs::write(path, digests.join("\n"))?;
    Ok(digests)
}

fn is_older(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.modified().ok().zip(other.modified().ok()).is_some_and(|(one, other)| one < other)
}

/// Whether everything ends well with the mutant acting, and the digests. Limits end what never would.
fn pass(
    tree: &Tree,
    log: &Path,
    runs: &[Run],
    mutant: Option<usize>,
    unchanged: &[String],
) -> Result<(Outcome, Vec<String>), Box<dyn Error>> {
    let mut digests = Vec::new();
    for run in runs {
        let file = fs::File::create(log)?;
        let limits = format!("ulimit -v 8000000; ulimit -t {}; exec timeout -k 5 900 nice -n 5 \"$@\"", run.seconds);
        let mut command = Command::new("sh");
        command.args(["-c", &limits, "sh"]).arg(&run.program).args(run.arguments.split(' ')).current_dir(&tree.path);
        // What a mutant fails on is nobody's regression.
        command.env("PROPTEST_MAX_SHRINK_ITERS", "0").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
        if let Some(number) = mutant {
            command.env("MUTANT", number.to_string());
        }
        let output = command.stdin(Stdio::null()).stderr(file).stdout(Stdio::piped()).output()?;
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if !output.status.success() {
            let finding = &said["findings"][0];
            let code = output.status.code().map_or_else(
                || format!("signal {}", output.status.signal().unwrap_or_default()),
                |code| format!("exit {code}"),
            );
            let failed = said["scenarios"].as_array().and_then(|all| all.iter().find(|one| one["passed"] == false));
            let how = match (finding["property"].as_str(), failed) {
                (Some(property), _) => {
                    format!("seed {} {} {property}", finding["first_seed"], finding["rule"].as_str().unwrap_or("-"))
                }
                (None, Some(scenario)) => format!("{} in {}", scenario["path"], scenario["world"]),
                (None, None) => code,
            };
            return Ok((Outcome::Caught(how), digests));
        }
        digests.push(said["digest"].as_str().unwrap_or_default().to_owned());
    }
    let is_same = digests == unchanged && digests.iter().all(|digest| !digest.is_empty());
    Ok((if is_same { Outcome::Same } else { Outcome::Passed }, digests))
}

/// Which seeds come by which mutant, in blocks.
#[derive(Serialize, Deserialize)]
struct Reach {
    blocks: Vec<Block>,
}

#[derive(Serialize, Deserialize)]
struct Block {
    first: u64,
    digest: String,
    /// The mutants that it comes by.
    reached: BTreeSet<usize>,
}

impl Reach {
    const SEEDS: std::ops::Range<u64> = 100..2_000;
    const OF_A_BLOCK: u64 = 5;
    /// How many blocks each mutant is tried on.
    const BLOCKS_MAX: usize = 60;

    fn of(tree: &Tree, folder: &Path, run: &Run) -> Result<Self, Box<dyn Error>> {
        let path = folder.join("reach.json");
        if let (Ok(text), Ok(kept), Ok(program)) =
            (fs::read_to_string(&path), fs::metadata(&path), fs::metadata(&run.program))
            && is_older(&program, &kept)
        {
            return Ok(serde_json::from_str(&text)?);
        }
        let mut blocks = Vec::new();
        for first in Reach::SEEDS.step_by(Reach::OF_A_BLOCK as usize) {
            let mut command = Command::new(&run.program);
            command.args(run.arguments.split(' ')).arg(seeds(first)).current_dir(&tree.path).env("MUTANT", "reached");
            let output = command.output()?;
            let said: Value = serde_json::from_slice(&output.stdout)?;
            let digest = said["digest"].as_str().unwrap_or_default().to_owned();
            let told = String::from_utf8_lossy(&output.stderr);
            let numbers = told.lines().filter_map(|line| line.strip_prefix("reached ")?.parse().ok());
            blocks.push(Block { first, digest, reached: numbers.collect() });
        }
        let reach = Reach { blocks };
        fs::write(path, serde_json::to_string(&reach)?)?;
        Ok(reach)
    }

    fn pass(&self, tree: &Tree, log: &Path, run: &Run, mutant: usize) -> Result<Outcome, Box<dyn Error>> {
        let all: Vec<&Block> = self.blocks.iter().filter(|block| block.reached.contains(&mutant)).collect();
        let step = all.len().div_ceil(Reach::BLOCKS_MAX).max(1);
        let mut is_same = true;
        for block in all.into_iter().step_by(step) {
            let arguments = format!("{} {}", run.arguments, seeds(block.first));
            let one = Run { program: run.program.clone(), arguments, seconds: run.seconds };
            let (outcome, _) = pass(tree, log, &[one], Some(mutant), std::slice::from_ref(&block.digest))?;
            match outcome {
                Outcome::Caught(_) => return Ok(outcome),
                Outcome::Passed => is_same = false,
                Outcome::Same => {}
            }
        }
        Ok(if is_same { Outcome::Same } else { Outcome::Passed })
    }
}

fn seeds(first: u64) -> String {
    format!("{first}..{}", first + Reach::OF_A_BLOCK)
}
