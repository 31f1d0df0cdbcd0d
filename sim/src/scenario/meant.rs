//! Which rules a person means by a word.

use super::nearest;
use super::rules::{RULES, RuleId};

/// The rules that are meant: one by its id, or a whole family, `KICK`.
///
/// ```
/// use gatecrash_sim::scenario::rules_meant;
///
/// assert_eq!(rules_meant("kick-3").unwrap().len(), 1);
/// assert!(rules_meant("KICK").unwrap().len() > 5);
/// assert_eq!(rules_meant("KIKC-3").unwrap_err(), "there is no such rule; did you mean KICK-3?");
/// ```
///
/// # Errors
///
/// That there is none, and which may have been meant.
pub fn rules_meant(word: &str) -> Result<Vec<RuleId>, String> {
    let upper = word.to_uppercase();
    let family = format!("{}-", upper.trim_end_matches('-'));
    let is_meant = |rule: &RuleId| rule.as_str() == upper || rule.as_str().starts_with(&family);
    let rules: Vec<RuleId> = RuleId::all().filter(is_meant).collect();
    if rules.is_empty() {
        let near = nearest(&upper, RULES.iter().map(|(id, _)| *id));
        let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Err(format!("there is no such rule{hint}"));
    }
    Ok(rules)
}
