//! Properties that draw other cases in every run, found in a file's text.
//!
//! Which seed they draw from instead, and how to ask for another, is `fixed_seed`'s.

use super::source::{Source, split};

/// The one configuration a property may have.
const FIXED: &str = "fixed_seed::cases(";

/// Runners of properties whose seed is a new one each time.
const UNSEEDED: [&str; 2] = ["TestRunner::new(", "TestRunner::default("];

/// Every `proptest!` says that its seed is fixed, and nobody makes a runner that draws its own.
pub fn check_seeds_are_fixed(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let code = split(&source.text).code;
        let place = |at: usize| format!("{}:{}", source.path, code[..at].matches('\n').count() + 1);
        for (at, called) in code.match_indices("proptest!") {
            let inside = code[at + called.len()..].trim_start().get(1..).unwrap_or_default().trim_start();
            let config = inside.strip_prefix("#![proptest_config(").and_then(|rest| rest.lines().next());
            if !config.is_some_and(|config| config.contains(FIXED)) {
                complaints.push(format!(
                    "{}: a property draws other cases in every run: begin its block with #![proptest_config({FIXED}256))]",
                    place(at)
                ));
            }
        }
        for (at, called) in UNSEEDED.iter().flat_map(|runner| code.match_indices(runner)) {
            complaints.push(format!("{}: `{called}…)` draws a seed: use `TestRunner::deterministic()`", place(at)));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        check_seeds_are_fixed(&[Source::new("src/a.rs", text)])
    }

    #[test]
    fn seeds_that_are_not_fixed_are_found() {
        let good =
            "proptest! {\n    #![proptest_config(crate::fixed_seed::cases(9))]\n\n    #[test]\n    fn a() {}\n}\n";
        assert_eq!(complaints(good), [""; 0]);
        assert_eq!(complaints("// proptest! {}\nlet text = \"proptest! { TestRunner::new( }\";"), [""; 0]);
        assert_eq!(complaints("let mut runner = TestRunner::deterministic();"), [""; 0]);
        for bad in [
            "proptest! {\n    #[test]\n    fn a() {}\n}\n",
            "proptest! {\n    #![proptest_config(ProptestConfig::with_cases(9))]\n    fn a() {}\n}\n",
            "proptest! {\n    #![proptest_config(ProptestConfig::with_cases(9))]\n    /// As fixed_seed::cases(9) does.\n    fn a() {}\n}\n",
            "fn a() { proptest!(|(number: u8)| {}) }",
            "proptest::proptest! {}",
            "let mut runner = TestRunner::default();",
            "let mut runner = proptest::test_runner::TestRunner::new(config);",
        ] {
            let found = complaints(&format!("\n{good}{bad}"));
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
            assert!(found[0].starts_with("src/a.rs:8: "), "{found:?}");
        }
    }
}
