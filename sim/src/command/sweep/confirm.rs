//! A failing seed once more, in a process of its own: whatever this one has become must not matter.

use std::process::{Command, Stdio};

use gatecrash_sim::generate;
use gatecrash_sim::run;
use gatecrash_sim::search::sweep::Failed;
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

/// Runs the seed in a fresh process, which must come to the same digest and fail as well.
pub fn confirm(failed: &Failed, world: World) -> Confirmation {
    let seed = failed.seed;
    let range = format!("{}..{}", seed.number, seed.number.saturating_add(1));
    let (word, profile) = (world.word(), seed.profile.word());
    let which = ["sweep", "--seeds", &range, "--world", word, "--profile", profile];
    let totals = match ask(&[&which[..], &["--jobs", "1", "--json", "--unconfirmed"]].concat()) {
        Ok(totals) => totals,
        Err(error) => return Confirmation::Differs(error),
    };
    let failing = |kind: &str| totals[kind].as_u64().unwrap_or(0);
    let fails = failing("violations") + failing("not_converged") + failing("harness_failed") > 0;
    let expected = failed.digest.map(|digest| Digest::of([digest]));
    let is_same = expected.is_none_or(|expected| totals["digest"] == Value::String(expected.to_string()));
    match (is_same, fails) {
        (true, true) => Confirmation::Same,
        (true, false) => Confirmation::Differs("a fresh process does the same and finds nothing wrong".to_owned()),
        (false, _) => Confirmation::Differs(first_difference(failed, world)),
    }
}

/// The events of both processes, line by line.
fn first_difference(failed: &Failed, world: World) -> String {
    let seed = failed.seed.to_string();
    let theirs = match ask(&["replay", "--seed", &seed, "--world", world.word(), "--json"]) {
        Ok(Value::Object(mut object)) => object.remove("events"),
        Ok(_) => None,
        Err(error) => return error,
    };
    let Some(Value::Array(theirs)) = theirs else { return "a fresh process shows no events".to_owned() };
    let Ok(ours) = run(&generate::scenario(failed.seed), world) else { return "it does not run again here".to_owned() };
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
