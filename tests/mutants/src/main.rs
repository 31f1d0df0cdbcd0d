//! Weaves every mutant of gatecrash into one program, runs it once for each, and counts those caught.
//!
//! `cargo mutants` builds the tests anew for each mutant. Here they are built once, and a number in
//! the environment says which mutant acts. The mutants are its own: what it lists is woven in.
//! `docs/mutants.md` has the figures and what they mean; `.ci/mutants` runs this.

mod build;
mod list;
mod outcome;
mod run;
mod weave;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use list::Mutant;
use outcome::{Outcome, Outcomes};
use weave::Woven;

const USAGE: &str = "\
Usage: mutants [--target DIR] [STAGE]...

Runs these stages, or all of them. Goes on where an earlier run was cut off: what was caught stays caught
until target/mutants/outcomes.json is deleted.

  unit       the unit tests of src/
  cores      tests/it on the cores, tickets and frames, without what is drawn
  random     tests/it on drawn sequences
  drivers    tests/it over real sockets and files, the drivers' unit tests
  scenarios  the harness: every scenario in the event world
  seeds      the harness: a thousand generated seeds

      --target DIR  a target folder whose dependencies were built before
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
    let (mut target, mut wanted) = (folder.join("target"), BTreeSet::new());
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--target" => target = PathBuf::from(arguments.next().ok_or(USAGE)?),
            stage if run::STAGES.contains(&stage) => drop(wanted.insert(argument)),
            _ => return Err(USAGE.into()),
        }
    }
    if wanted.is_empty() {
        wanted = run::STAGES.iter().map(|&stage| stage.to_owned()).collect();
    }

    let mutants = listed(&root)?;
    let mut outcomes = Outcomes::new(folder.join("outcomes.json"));
    println!("{} mutants", mutants.len());
    let tree = build::Tree { root, path: folder.join("tree"), target, with_harness: run::needs_harness(&wanted) };
    let files: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
    tree.copy(&files)?;
    let mut left_out = outcomes.left_out(&mutants);
    let mut constant = BTreeSet::new();
    loop {
        let woven = weave_all(&tree, &mutants, &left_out, &constant)?;
        for mutant in &mutants {
            if woven.broken.contains(&mutant.number) {
                outcomes.set(mutant, Outcome::Unviable);
            } else if !woven.numbers.contains(&mutant.number) && !left_out.contains(&mutant.number) {
                outcomes.set(mutant, Outcome::Apart);
            }
        }
        outcomes.save()?;
        let refused = tree.check()?;
        if refused.numbers.is_empty() && refused.constant.is_empty() {
            break;
        }
        for &number in &refused.numbers {
            println!("unviable: {}", mutants[number].name);
            outcomes.set(&mutants[number], Outcome::Unviable);
        }
        constant.extend(refused.constant);
        left_out.extend(refused.numbers);
    }
    run::all(&tree, &folder, &wanted, &mutants, &mut outcomes)?;
    print!("{}", outcomes.table(&mutants));
    Ok(())
}

fn listed(root: &Path) -> Result<Vec<Mutant>, Box<dyn Error>> {
    let output = Command::new("cargo").args(["mutants", "--list", "--json"]).current_dir(root).output()?;
    if !output.status.success() {
        return Err(format!("cargo mutants: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(list::parse(&String::from_utf8(output.stdout)?)?)
}

/// All files woven anew: which mutants are in them, and which are no Rust.
fn weave_all(
    tree: &build::Tree,
    mutants: &[Mutant],
    left_out: &BTreeSet<usize>,
    constant: &BTreeSet<String>,
) -> Result<Woven, Box<dyn Error>> {
    let mut files: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants {
        let of_file = files.entry(&mutant.file).or_default();
        if !left_out.contains(&mutant.number) {
            of_file.push(mutant);
        }
    }
    let mut all = Woven { text: String::new(), numbers: BTreeSet::new(), broken: BTreeSet::new() };
    for (file, mutants) in files {
        let text = fs::read_to_string(tree.root.join(file))?;
        let woven = weave::weave(&text, &mutants, constant);
        tree.put(file, woven.text.as_bytes())?;
        all.numbers.extend(woven.numbers);
        all.broken.extend(woven.broken);
    }
    Ok(all)
}
