//! Where a scenario's lines are, as whoever shows a repository wants it: from its root.

use std::path::Path;

use gatecrash::time::Instant;
use gatecrash_sim::report::Place;
use gatecrash_sim::scenario::Scenario;

/// The path from the root of the repository that it is in; as it is where it is in none.
pub fn from_root(path: &str) -> String {
    let whole = Path::new(path).canonicalize().ok();
    let below = whole.as_deref().and_then(|whole| {
        let root = whole.ancestors().find(|folder| folder.join(".git").exists())?;
        whole.strip_prefix(root).ok()
    });
    below.map_or_else(|| path.trim_start_matches("./").to_owned(), |below| below.display().to_string())
}

/// The line of the step that was carried out last by then, in the file that the scenario was read from. The first line of
/// the file where there is none, or where it says something else by now.
pub fn place_of_step(path: &str, scenario: &Scenario, at: Option<Instant>) -> Place {
    let text = std::fs::read_to_string(path).ok();
    let lines = text.and_then(|text| scenario.lines_of_steps(&text)).unwrap_or_default();
    let micros = at.map_or(0, Instant::as_micros);
    let before = scenario.steps.partition_point(|step| step.at.as_micros() <= u128::from(micros));
    let line = lines.get(before.saturating_sub(1)).copied().unwrap_or(1);
    Place { file: from_root(path), line, column: None }
}
