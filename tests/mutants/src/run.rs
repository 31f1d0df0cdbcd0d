//! Each mutant through the stages, until one fails.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::build::Tree;
use crate::list::Mutant;
use crate::outcome::{Outcome, Outcomes};

pub const STAGES: [&str; 6] = ["unit", "cores", "random", "drivers", "scenarios", "seeds"];

pub fn needs_harness(wanted: &BTreeSet<String>) -> bool {
    ["scenarios", "seeds"].iter().any(|&stage| wanted.contains(stage))
}

/// A program, what it is asked, and how many seconds of processor time it may take.
struct Run {
    program: PathBuf,
    arguments: &'static str,
    seconds: u64,
}

fn runs(tree: &Tree, stage: &str) -> Result<Vec<Run>, Box<dyn Error>> {
    let run = |kind, name, arguments, seconds| -> Result<Run, Box<dyn Error>> {
        Ok(Run { program: tree.build(kind, name)?, arguments, seconds })
    };
    let cores = "client:: server:: ticket:: vocabulary:: --skip random";
    let drivers = "wire:: store:: loopback:: killed:: serve:: gatecrashd_ticket::";
    Ok(match stage {
        "unit" => vec![run("lib", "gatecrash", "--skip driver::", 20)?],
        "cores" => vec![run("test", "it", cores, 20)?],
        "random" => vec![run("test", "it", "client::random server::random", 120)?],
        "drivers" => vec![run("lib", "gatecrash", "driver::", 30)?, run("test", "it", drivers, 60)?],
        "scenarios" => vec![run("bin", "gatecrash", "run --world event", 60)?],
        "seeds" => vec![run("bin", "gatecrash", "sweep --seeds 0..1000 --unconfirmed --jobs 1", 300)?],
        stage => unreachable!("{stage} is none of the stages"),
    })
}

/// Runs the stages wanted for every mutant that is not yet known to be caught.
pub fn all(
    tree: &Tree,
    folder: &Path,
    wanted: &BTreeSet<String>,
    mutants: &[Mutant],
    outcomes: &mut Outcomes,
) -> Result<(), Box<dyn Error>> {
    for stage in STAGES.into_iter().filter(|&stage| wanted.contains(stage)) {
        let runs = runs(tree, stage)?;
        let begun = Instant::now();
        if !pass(tree, folder, &runs, None)? {
            return Err(format!("{stage} fails without a mutant: {}", folder.join("log").display()).into());
        }
        println!("== {stage}: {:.1} s without a mutant", begun.elapsed().as_secs_f64());
        // The cores' tests and the event world run no driver.
        for mutant in mutants.iter().filter(|mutant| mutant.file.starts_with("src/driver/") == (stage == "drivers")) {
            match outcomes.known.get(&mutant.name) {
                None | Some(Outcome::Survived) => {}
                Some(Outcome::Unviable | Outcome::Apart | Outcome::Caught(_)) => continue,
            }
            let outcome = if pass(tree, folder, &runs, Some(mutant.number))? {
                println!("{stage} passes: {}", mutant.name);
                Outcome::Survived
            } else {
                Outcome::Caught(stage.to_owned())
            };
            outcomes.set(mutant, outcome);
            outcomes.save()?;
        }
    }
    Ok(())
}

/// Whether everything ends well with the mutant acting. Limits end what never would.
fn pass(tree: &Tree, folder: &Path, runs: &[Run], mutant: Option<usize>) -> Result<bool, Box<dyn Error>> {
    for run in runs {
        let log = fs::File::create(folder.join("log"))?;
        let limits = format!("ulimit -v 6000000; ulimit -t {}; exec timeout 600 \"$@\"", run.seconds);
        let mut command = Command::new("sh");
        command.args(["-c", &limits, "sh"]).arg(&run.program).args(run.arguments.split(' ')).current_dir(&tree.path);
        // What a mutant fails on is nobody's regression.
        command.env("PROPTEST_MAX_SHRINK_ITERS", "0").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
        if let Some(number) = mutant {
            command.env("MUTANT", number.to_string());
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if !command.status()?.success() {
            return Ok(false);
        }
    }
    Ok(true)
}
