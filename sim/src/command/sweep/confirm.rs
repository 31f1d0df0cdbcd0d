//! A failing seed once more, in a process of its own: whatever this one has become must not matter.

use std::path::Path;
use std::process::{Command, Stdio};

use gatecrash_sim::generate::Seed;
use gatecrash_sim::guided::Origin;
use gatecrash_sim::run;
use gatecrash_sim::sweep::Failed;
use gatecrash_sim::trace::{Digest, json};
use gatecrash_sim::world::World;
use serde_json::Value;

/// What a fresh process made of a failing seed.
pub enum Confirmation {
    /// The same.
    Same,
    /// Something else: where it first differs, or that it could not be asked.
    Differs(String),
}

/// Runs what failed in a fresh process, which must come to the same digest and fail as well. A scenario that no seed
/// draws is in the file `plan`.
pub fn confirm(failed: &Failed, plan: &Path, world: World) -> Confirmation {
    let (expected, found) = match failed.origin() {
        Origin::Seed(seed) => (failed.digest.map(|digest| Digest::of([digest])), of_seed(seed, world)),
        Origin::Mutant(_) => (failed.digest, of_file(plan, world)),
    };
    let Found { digest, fails } = match found {
        Ok(found) => found,
        Err(error) => return Confirmation::Differs(error),
    };
    let is_same = expected.is_none_or(|expected| digest == Value::String(expected.to_string()));
    match (is_same, fails) {
        (true, true) => Confirmation::Same,
        (true, false) => Confirmation::Differs("a fresh process does the same and finds nothing wrong".to_owned()),
        (false, _) => Confirmation::Differs(first_difference(failed, plan, world)),
    }
}

/// What a fresh process came to.
struct Found {
    digest: Value,
    fails: bool,
}

fn of_seed(seed: Seed, world: World) -> Result<Found, String> {
    let range = format!("{}..{}", seed.number, seed.number.saturating_add(1));
    let (world, profile) = (world.word(), seed.profile.word());
    let which = ["sweep", "--seeds", &range, "--world", world, "--profile", profile];
    let mut totals = ask(&[&which[..], &["--jobs", "1", "--json", "--unconfirmed"]].concat())?;
    let failing = |kind: &str| totals[kind].as_u64().unwrap_or(0);
    let fails = failing("violations") + failing("not_converged") + failing("harness_failed") > 0;
    Ok(Found { digest: totals["digest"].take(), fails })
}

fn of_file(plan: &Path, world: World) -> Result<Found, String> {
    let mut summary = ask(&["replay", &plan.display().to_string(), "--world", world.word(), "--json"])?;
    Ok(Found { digest: summary["digest"].take(), fails: summary["passed"] == Value::Bool(false) })
}

/// The events of both processes, line by line.
fn first_difference(failed: &Failed, plan: &Path, world: World) -> String {
    let (seed, plan) = (failed.seed.to_string(), plan.display().to_string());
    let which: &[&str] = match failed.origin() {
        Origin::Seed(_) => &["--seed", &seed],
        Origin::Mutant(_) => &[&plan],
    };
    let theirs = match ask(&[&["replay"], which, &["--world", world.word(), "--json"]].concat()) {
        Ok(Value::Object(mut object)) => object.remove("events"),
        Ok(_) => None,
        Err(error) => return error,
    };
    let Some(Value::Array(theirs)) = theirs else { return "a fresh process shows no events".to_owned() };
    let Ok(ours) = run(&failed.scenario(), world) else { return "it does not run again here".to_owned() };
    let ours: Vec<Value> = ours
        .trace
        .events
        .iter()
        .map(|event| serde_json::from_str(&json::line(&ours.trace.cast, event)).expect("a line is JSON"))
        .collect();
    let length = ours.len().max(theirs.len());
    match (0..length).find(|&index| ours.get(index) != theirs.get(index)) {
        None => "a fresh process has another digest, and every event is the same".to_owned(),
        Some(index) => {
            let line = |events: &[Value]| events.get(index).map_or("(the end)".to_owned(), Value::to_string);
            format!(
                "event {} is the first to differ:\n   here   {}\n   fresh  {}",
                index + 1,
                line(&ours),
                line(&theirs)
            )
        }
    }
}

/// What this command prints in a process of its own, when given these arguments.
fn ask(arguments: &[&str]) -> Result<Value, String> {
    let cannot = |error: String| format!("a fresh process could not be asked: {error}");
    let program = std::env::current_exe().map_err(|error| cannot(error.to_string()))?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| cannot(error.to_string()))?;
    serde_json::from_slice(&output.stdout).map_err(|error| cannot(error.to_string()))
}
