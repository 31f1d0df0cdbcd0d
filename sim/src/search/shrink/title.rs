//! What a shrunk scenario calls itself: the property it breaks, and what happens in it.

use crate::scenario::Scenario;
use crate::search::fingerprint::Fingerprint;

/// The most steps whose verbs a title names.
const VERBS_MAX: usize = 6;

/// The scenario with a title and rules that say what it breaks. Its title is the property, as a regression's
/// should be: what holds once the bug is mended.
pub(super) fn entitled(mut scenario: Scenario, fingerprint: &Fingerprint) -> Scenario {
    let sentence = match fingerprint {
        Fingerprint::Property { property, .. } => capitalised(property),
        Fingerprint::Missed { .. } => "The run shows what its file expects".to_owned(),
        Fingerprint::NotConverged(_) => "Everything comes to rest once the faults have ended".to_owned(),
        Fingerprint::Harness(_) => "Nothing panics, and every run has an end".to_owned(),
    };
    let verbs = verbs(&scenario);
    let told: Vec<&str> = verbs.iter().take(VERBS_MAX).map(String::as_str).collect();
    let more = if verbs.len() > VERBS_MAX { ", …" } else { "" };
    scenario.title = if told.is_empty() { sentence } else { format!("{sentence}: {}{more}", told.join(", ")) };
    match fingerprint.rule() {
        Some(rule) => scenario.rules = vec![rule],
        None => scenario.rules.truncate(1),
    }
    scenario
}

/// Its file, as it stands in `scenarios/regressions/`: one folder further from the schema than others.
pub fn as_regression(shrunk: &Scenario) -> String {
    shrunk.to_string().replacen("#:schema ../", "#:schema ../../", 1)
}

/// A name for its file, until somebody finds a better one: `kick_1_login_partition_login`.
pub fn stem(shrunk: &Scenario) -> String {
    let rule = shrunk.rules.first().map(|rule| rule.as_str().to_lowercase()).unwrap_or_default();
    let mut verbs = verbs(shrunk);
    verbs.truncate(VERBS_MAX);
    let words = std::iter::once(rule).chain(verbs).collect::<Vec<_>>().join("_");
    words.replace('-', "_")
}

/// What is done, in the order of the steps; once what is done several times in a row.
fn verbs(scenario: &Scenario) -> Vec<String> {
    let mut verbs: Vec<String> = scenario
        .steps
        .iter()
        .filter_map(|step| {
            // A step prints as its time, its actor and what is done, two spaces apart.
            let text = step.to_string();
            let done = text.splitn(3, "  ").nth(2)?;
            Some(done.split(' ').next().unwrap_or(done).to_owned())
        })
        .collect();
    verbs.dedup();
    verbs
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
