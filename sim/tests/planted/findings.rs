//! What a person gets to see of a failure, made of a planted bug: a folder that says it all.

use std::num::NonZeroUsize;

use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::findings::{Elsewhere, Finding, elsewhere};
use gatecrash_sim::search::fingerprint::{Fingerprint, seen};
use gatecrash_sim::search::identity::{Identity, sum_of};
use gatecrash_sim::search::shrink;
use gatecrash_sim::search::when::{Question, ask};
use gatecrash_sim::search::workers::Workers;
use gatecrash_sim::trace::Recorder;
use gatecrash_sim::world::{World, WorldError, event, packet};
use gatecrash_sim::{generate, run_by};

use super::{NobodyGoes, Rules};

fn run(scenario: &Scenario, recorder: &Recorder, world: World) -> Result<(), WorldError> {
    match world {
        World::Event => event::run_with(scenario, recorder, (NobodyGoes, Rules)),
        World::Packet => packet::run_with::<NobodyGoes, Rules>(scenario, recorder),
    }
}

fn found(scenario: &Scenario, world: World) -> Vec<Fingerprint> {
    seen(scenario, world.tick(scenario), |scenario, recorder| run(scenario, recorder, world))
}

#[test]
fn a_finding_is_a_folder_that_says_it_all() {
    let mut plans = (0..100).map(generate::scenario);
    let found_in = |plan: Scenario| Some((found(&plan, World::Event).into_iter().next()?, plan));
    let (fingerprint, plan) = plans.find_map(found_in).expect("a seed meets the bug");
    let look = |scenario: &Scenario| Some(found(scenario, World::Event));
    let shrunk = shrink::shrink(&plan, &fingerprint, look, shrink::RUNS_MAX).unwrap();
    let packet = elsewhere(&fingerprint, &shrunk.scenario, &plan, |scenario| found(scenario, World::Packet));
    assert_eq!(packet, Elsewhere::Same, "a broken core is broken under its driver too");
    let question = Question { scenario: &shrunk.scenario, wanted: &fingerprint, draws: 20, at_all: false };
    let curve = ask(&question, &Workers::new(NonZeroUsize::MIN), |scenario| found(scenario, World::Event), |_, _| true);
    let when = curve.sentence(&shrunk.scenario).expect("one of two steps decides it, or none does");
    let identity = Identity {
        version: "1.2.3".to_owned(),
        commit: Some("abc".to_owned()),
        has_changes: false,
        lock: "5d0a11c2".to_owned(),
        toolchain: "rustc 1.2.3".to_owned(),
        target: "x86_64-unknown-linux-gnu".to_owned(),
    };
    let finding = Finding {
        fingerprint: &fingerprint,
        world: World::Event,
        plan: &plan,
        shrunk: &shrunk,
        seen: &[plan.seed.into(), 77_777.into()],
        packet: Some(&packet),
        when: Some(&when),
        identity: &identity,
        parent: "found",
    };
    let run_in = |scenario: &Scenario, world: World| {
        run_by(scenario, world.tick(scenario), |scenario, recorder| run(scenario, recorder, world))
    };
    let folder = finding.folder(run_in);
    assert_eq!(folder.path, format!("found/{}", fingerprint.slug()));
    let names: Vec<&str> = folder.files.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "finding.md",
            "plan.toml",
            "shrunk.toml",
            "shrunk.trace.txt",
            "shrunk.trace.jsonl",
            "plan.trace.txt",
            "plan.trace.jsonl",
            "shrunk.packet.txt",
            "shrunk.packet.jsonl",
        ]
    );
    let file = |name: &str| &folder.files.iter().find(|(found, _)| *found == name).expect("it is listed").1;

    for said in [
        "# After every login exactly the set of sessions is left that the policy allows: login\n",
        &format!("- **fingerprint**: `{}`: POLICY-3 at an event `commit`", fingerprint.slug()),
        "- **rule**: POLICY-3. An accepted login wins",
        &format!("- **seeds**: 2: {}, 77777\n", plan.seed),
        "- **packet world**: fails in the same way\n",
        &format!("- **steps**: 2 of {} are left after ", plan.steps.len()),
        &format!("- **inevitable**: {when}. `cargo run --release -- when found/{}` looks closer\n", fingerprint.slug()),
        "- **version**: 1.2.3, commit abc\n",
        "- **built by**: rustc 1.2.3 for x86_64-unknown-linux-gnu, lock file `5d0a11c2`\n",
        &format!("- **scenarios**: shrunk `{}`, plan `{}`\n", sum_of(&shrunk.scenario), sum_of(&plan)),
        &format!("\ncargo run --release -- replay found/{}/shrunk.toml --world event\n", fingerprint.slug()),
        &format!("\ncargo run --release -- replay --seed {} --world event\n", plan.seed),
        "POLICY-3 violated: server at ",
        &format!("\ncargo run --release -- keep found/{}\n", fingerprint.slug()),
        "scenarios/regressions/policy_3_login.toml",
    ] {
        assert!(file("finding.md").contains(said), "{said:?} is missing in\n{}", file("finding.md"));
    }
    let parsed = |name: &str| Scenario::parse(name, file(name)).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    assert_eq!((parsed("plan.toml"), parsed("shrunk.toml")), (plan.clone(), shrunk.scenario.clone()));
    let (slug, seed) = (fingerprint.slug(), plan.seed);
    let head = format!(
        "#:schema ../../docs/scenario.schema.json\n\
         # Found as {slug} at seed {seed} in the event world, by version 1.2.3, commit abc.\n\
         title = "
    );
    assert!(file("shrunk.toml").starts_with(&head), "{}", file("shrunk.toml"));
    for (text, lines) in [
        ("plan.trace.txt", "plan.trace.jsonl"),
        ("shrunk.trace.txt", "shrunk.trace.jsonl"),
        ("shrunk.packet.txt", "shrunk.packet.jsonl"),
    ] {
        assert!(file(text).contains("session accepted ") && file(text).contains("converged"), "{text}");
        let told = file(lines).lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        assert!(told.filter(|event| event["what"] == "fact").count() > 3, "{lines}");
    }
}
