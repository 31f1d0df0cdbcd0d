//! The test that a finding's folder brings along, as it was pasted here. The product passes it.

/// The second phone takes the seat of the first. Found as policy-3-commit-01234567.
#[test]
fn policy_3_login_send_login() {
    let text = r###"#:schema ../docs/scenario.schema.json
title = "The second phone takes the seat of the first"
rules = ["POLICY-3"]
seed = 1

[sites]
home = { latency = "30ms" }

[devices]
phone-1 = { platform = "android", site = "home" }
phone-2 = { platform = "android", site = "home" }

[script]
until = "2s"
steps = """
0s  phone-1  login alice
1s  phone-1  send bob "a # and another ##"
1s  phone-2  login alice
"""
"###;
    let path = "policy_3_login_send_login.toml";
    let scenario = gatecrash_sim::scenario::Scenario::parse(path, text).unwrap_or_else(|error| panic!("{error}"));
    for world in [gatecrash_sim::world::World::Event, gatecrash_sim::world::World::Packet] {
        let case = gatecrash_sim::search::report::Case { path, scenario: &scenario, world };
        let failure = match gatecrash_sim::run_twice(&scenario, world) {
            Ok(run) => gatecrash_sim::search::report::failure(&case, &run),
            Err(error) => Some(gatecrash_sim::search::report::harness_failure(&case, &error)),
        };
        assert!(failure.is_none(), "\n{}", failure.unwrap_or_default());
    }
}
