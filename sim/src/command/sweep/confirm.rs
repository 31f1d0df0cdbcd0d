//! A failing seed once more, in a process of its own: whatever this one has become must not matter.

use std::process::{Command, Stdio};

use gatecrash_sim::generate::{self, Seed};
use gatecrash_sim::run;
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

/// Runs the seed in a fresh process, which must come to this digest and fail as well.
pub fn confirm(seed: Seed, world: World, digest: Option<Digest>) -> Confirmation {
    let range = format!("{}..{}", seed.number, seed.number.saturating_add(1));
    let (world_word, profile) = (world.word(), seed.profile.word());
    let which = ["sweep", "--seeds", &range, "--world", world_word, "--profile", profile];
    let arguments = [&which[..], &["--jobs", "1", "--json", "--unconfirmed"]].concat();
    let found = match ask(&arguments) {
        Ok(found) => found,
        Err(error) => return Confirmation::Differs(error),
    };
    let expected = digest.map(|digest| Digest::of([digest]).to_string());
    let is_same = expected.is_none_or(|expected| found["digest"] == Value::String(expected));
    let failing = |kind: &str| found[kind].as_u64().unwrap_or(0);
    let fails = failing("violations") + failing("not_converged") + failing("harness_failed") > 0;
    match (is_same, fails) {
        (true, true) => Confirmation::Same,
        (true, false) => Confirmation::Differs("a fresh process does the same and finds nothing wrong".to_owned()),
        (false, _) => Confirmation::Differs(first_difference(seed, world)),
    }
}

/// The events of both processes, line by line.
fn first_difference(seed: Seed, world: World) -> String {
    let theirs = match ask(&["replay", "--seed", &seed.to_string(), "--world", world.word(), "--json"]) {
        Ok(Value::Object(mut object)) => object.remove("events"),
        Ok(_) => None,
        Err(error) => return error,
    };
    let Some(Value::Array(theirs)) = theirs else { return "a fresh process shows no events".to_owned() };
    let Ok(ours) = run(&generate::scenario(seed), world) else { return "it does not run again here".to_owned() };
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
