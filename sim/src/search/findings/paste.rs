//! A scenario as a Rust test that can be pasted anywhere the harness is a dependency.

use crate::scenario::Scenario;
use crate::search::shrink;

/// The test: it runs the scenario in both worlds, and reports as the command does.
pub fn test_to_paste(scenario: &Scenario, slug: &str) -> String {
    let (stem, title) = (shrink::stem(scenario), &scenario.title);
    let text = scenario.to_string();
    // A text of the scenario may hold the end of a raw string: this one has more marks than that.
    let longest = text.split(|letter| letter != '#').map(str::len).max().unwrap_or_default();
    let marks = "#".repeat(longest + 1);
    format!(
        r#"/// {title}. Found as {slug}.
#[test]
fn {stem}() {{
    let text = r{marks}"{text}"{marks};
    let path = "{stem}.toml";
    let scenario = gatecrash_sim::scenario::Scenario::parse(path, text).unwrap_or_else(|error| panic!("{{error}}"));
    for world in [gatecrash_sim::world::World::Event, gatecrash_sim::world::World::Packet] {{
        let case = gatecrash_sim::search::report::Case {{ path, scenario: &scenario, world }};
        let failure = match gatecrash_sim::run_twice(&scenario, world) {{
            Ok(run) => gatecrash_sim::search::report::failure(&case, &run),
            Err(error) => Some(gatecrash_sim::search::report::harness_failure(&case, &error)),
        }};
        assert!(failure.is_none(), "\n{{}}", failure.unwrap_or_default());
    }}
}}
"#
    )
}
