//! The subcommands that run nothing.

use crate::{Folder, KICKED, kick};

#[test]
fn check_parses_and_counts() {
    let folder = Folder::new("check").write("a.toml", &kick(KICKED)).write("b/c.toml", &kick(KICKED));
    let ran = folder.run("check a.toml b");
    assert_eq!((ran.exit, ran.stdout.as_str(), ran.stderr.as_str()), (0, "2 scenarios, no mistakes\n", ""));
    let folder = folder.write("b/d.toml", "");
    let ran = folder.run("check a.toml b");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("b/d.toml:1:1: "), "{}", ran.stderr);
}

#[test]
fn what_print_prints_prints_the_same_again() {
    let folder = Folder::new("print").write("a.toml", &kick(KICKED));
    let once = folder.run("print a.toml");
    assert_eq!((once.exit, once.stderr.as_str()), (0, ""));
    let folder = folder.write("b.toml", &once.stdout);
    assert_eq!(folder.run("print b.toml").stdout, once.stdout);
    let digest = |path: &str| folder.run(&format!("run --json {path}")).json()["digest"].clone();
    assert_eq!(digest("a.toml"), digest("b.toml"));
}

#[test]
fn the_schema_is_json_and_admits_a_scenario() {
    let folder = Folder::new("schema");
    let ran = folder.run("schema");
    assert_eq!(ran.exit, 0);
    let schema = ran.json();
    assert!(schema["properties"]["title"].is_object(), "{schema}");
}

#[test]
fn rules_are_printed_by_id_and_by_family() {
    let folder = Folder::new("rules");
    let (all, family, one) = (folder.run("rules"), folder.run("rules KICK"), folder.run("rules kick-3"));
    assert_eq!(all.stdout.lines().count(), 105);
    assert_eq!(family.stdout.lines().count(), 10);
    assert!(one.stdout.starts_with("KICK-3    A kick is owed"), "{}", one.stdout);
    let ran = folder.run("rules KICK-33");
    assert_eq!((ran.exit, ran.stderr.as_str()), (3, "error: there is no rule KICK-33; did you mean KICK-3?\n"));
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let folder = Folder::new("help");
    for command in ["run", "replay", "check", "print", "schema", "rules"] {
        let ran = folder.run(&format!("{command} --help"));
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.contains(&format!("Examples:\n  gatecrash {command}")), "{}", ran.stdout);
    }
    assert!(folder.run("--help").stdout.contains("4 the harness"));
}
