//! Weaves every mutant of gatecrash into one program, runs it once for each, and counts those caught.
//!
//! A tool that builds the tests anew for each mutant takes days. Here they are built once, and a number in the
//! environment says which mutant acts. `docs/mutants.md` has the figures and what they mean; `.ci/mutants` runs this.

#![expect(clippy::disallowed_methods, reason = "it runs programs beside each other, and says how long they took")]

mod build;
mod outcome;
mod run;
mod weave;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use outcome::Outcomes;
use run::Manner;
use weave::{Mutant, Without};

const USAGE: &str = "\
Usage: mutants list | table | run [OPTION]... STAGE...

list prints every mutant: its number, where it is, what it does. table prints what is known of all of them.
run puts them into a copy of the sources below target/mutants, builds it, and goes through the stages. Goes on
where an earlier run was cut off, until target/mutants/outcomes.json is deleted.

  seeds      the harness: the first 100 generated scenarios, in the event world
  more-seeds the harness: of those up to 2,000 the ones that come by the mutant, 300 at most
  dense      the harness: 300 dense ones in the packet world, drivers included
  scenarios  the harness: every scenario in the event world
  packet     the harness: every scenario in both worlds, which must agree
  unit       the unit tests of src/
  cores      tests/it on the cores, tickets and frames, without what is drawn
  random     tests/it on drawn sequences
  drivers    tests/it over real sockets and files, the drivers' unit tests

      --sample N    so many mutants, spread over all files
      --only TEXT   those with TEXT in their name; may be given again
      --every       also those that an earlier stage has caught
      --again       also those that this stage was tried on
      --built       with the programs that were built before
      --jobs N      so many at a time [default: 1]
      --target DIR  a target folder whose dependencies were built before [default: target]

To see what one does: MUTANT=17 target/mutants/bin-gatecrash sweep --seeds 0..2000
";

fn main() -> ExitCode {
    match mutants() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::from(4)
        }
    }
}

fn mutants() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let folder = root.join("target/mutants");
    fs::create_dir_all(&folder)?;
    let (mut target, mut is_built) = (root.join("target"), false);
    let mut manner =
        Manner { stages: Vec::new(), sample: usize::MAX, every: false, again: false, jobs: 1, only: Vec::new() };
    let mut arguments = env::args().skip(1);
    let command = arguments.next().ok_or(USAGE)?;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--target" => target = PathBuf::from(value()?),
            "--sample" => manner.sample = value()?.parse()?,
            "--only" => manner.only.push(value()?),
            "--jobs" => manner.jobs = value()?.parse()?,
            "--built" => is_built = true,
            "--every" => manner.every = true,
            "--again" => manner.again = true,
            stage if run::HARNESS.contains(&stage) || run::TESTS.contains(&stage) => manner.stages.push(argument),
            _ => return Err(USAGE.into()),
        }
    }
    let mut outcomes = Outcomes::new(folder.join("outcomes.json"));
    let tree = build::Tree { root, path: folder.join("tree"), target, is_built };
    match command.as_str() {
        "--help" | "-h" => print!("{USAGE}"),
        "list" => {
            for mutant in tree.mutants()? {
                println!("{} {}", mutant.number, mutant.name());
            }
        }
        "table" => print!("{}", outcomes.table(&tree.mutants()?)),
        "run" => {
            let mutants = if is_built { tree.mutants()? } else { compiled(&tree, &mut outcomes)? };
            run::all(&tree, &folder, &manner, &mutants, &mut outcomes)?;
            print!("{}", outcomes.table(&mutants));
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// Puts the mutants into the tree until the compiler takes all that are left.
fn compiled(tree: &build::Tree, outcomes: &mut Outcomes) -> Result<Vec<Mutant>, Box<dyn Error>> {
    tree.copy()?;
    let mut without = Without::default();
    let mutants = tree.mutants()?;
    println!("{} mutants", mutants.len());
    let known = mutants.iter().filter(|mutant| !outcomes.of(mutant).is_viable());
    without.numbers.extend(known.map(|mutant| mutant.number));
    loop {
        let (mutants, places) = tree.weave(&without)?;
        let refused = tree.refused(&places)?;
        for mutant in &mutants {
            if mutant.is_constant {
                outcomes.fate(mutant).is_apart = true;
            }
            if refused.numbers.contains(&mutant.number) {
                outcomes.fate(mutant).is_unviable = true;
            }
        }
        outcomes.save()?;
        if refused.numbers.is_empty() && refused.functions.is_empty() {
            return Ok(mutants);
        }
        println!("refused: {} mutants, {:?}", refused.numbers.len(), refused.functions);
        without.numbers.extend(refused.numbers);
        without.functions.extend(refused.functions);
    }
}
