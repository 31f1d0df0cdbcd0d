//! The subcommands that run nothing: `check`, `print`, `schema` and `rules`.

use std::path::PathBuf;

use clap::Args;
use gatecrash_sim::generate::Seed;
use gatecrash_sim::scenario::rules::RuleId;
use gatecrash_sim::scenario::schema as scenario_schema;

use super::files::{BadInput, load, one};
use super::{End, count, say};

/// Say whether scenario files are well written, without running them
///
/// Every mistake of every file is told at once: where it is, what was expected there, and the
/// nearest word that would be valid.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash check scenarios/my_first.toml
  gatecrash check scenarios")]
pub struct CheckArguments {
    /// Files, or folders with files (*.toml) at any depth
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

/// Does it.
pub fn check(arguments: &CheckArguments) -> End {
    match load(&arguments.paths) {
        Ok(files) => {
            say(format_args!("{}, no mistakes", count(files.len(), "scenario")));
            End::Passed
        }
        Err(bad_input) => bad_input.report(false),
    }
}

/// Print a scenario in its canonical form
///
/// With every pattern expanded and every default left out; it parses to the same scenario.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash print scenarios/my_first.toml
  gatecrash print scenarios/my_first.toml > tidy.toml
  gatecrash print --seed 17 > seed_17.toml          what a sweep draws from a seed")]
pub struct PrintArguments {
    /// The file
    #[arg(required_unless_present = "seed")]
    path: Option<PathBuf>,
    /// The scenario that a sweep draws from this seed, in the place of a file
    #[arg(long, value_name = "N", conflicts_with = "path")]
    seed: Option<Seed>,
}

/// Does it.
pub fn print(arguments: &PrintArguments) -> End {
    match one(arguments.path.as_deref(), arguments.seed) {
        Ok(file) => {
            say(file.scenario.to_string().trim_end());
            End::Passed
        }
        Err(bad_input) => bad_input.report(false),
    }
}

/// Print the JSON Schema of a scenario's header, for editors that complete it
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash schema > docs/scenario.schema.json
  gatecrash schema --history > docs/history.schema.json
  gatecrash schema --adapter > docs/adapter.schema.json")]
pub struct SchemaArguments {
    /// That of a line of a history instead, for whoever writes one
    #[arg(long)]
    history: bool,
    /// That of a line between `gatecrash drive` and an adapter instead
    #[arg(long, conflicts_with = "history")]
    adapter: bool,
}

/// Does it.
pub fn schema(arguments: &SchemaArguments) -> End {
    let schema = match (arguments.history, arguments.adapter) {
        (true, _) => gatecrash_sim::history::schema(),
        (_, true) => gatecrash_sim::drive::schema(),
        _ => scenario_schema(),
    };
    say(serde_json::to_string_pretty(&schema).expect("a schema is JSON"));
    End::Passed
}

/// Print rules of the session system: what each demands, in a sentence
///
/// SPEC.md states them in full.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash rules            all of them
  gatecrash rules KICK-3     one
  gatecrash rules KICK       a family")]
pub struct RulesArguments {
    /// A rule's id, or the family it belongs to
    #[arg(value_name = "ID")]
    id: Option<String>,
}

/// Does it.
pub fn rules(arguments: &RulesArguments) -> End {
    let wanted = arguments.id.as_deref().unwrap_or_default().to_uppercase();
    let is_wanted = |rule: &RuleId| {
        let (family, _) = rule.as_str().rsplit_once('-').expect("an id is a family and a number");
        wanted.is_empty() || rule.as_str() == wanted || family == wanted
    };
    let found: Vec<RuleId> = RuleId::all().filter(is_wanted).collect();
    if found.is_empty() {
        let nearest = RuleId::all().min_by_key(|rule| strsim::damerau_levenshtein(&wanted, rule.as_str()));
        let nearest = nearest.expect("there are rules");
        return BadInput::Refused(format!("there is no rule {wanted}; did you mean {nearest}?")).report(false);
    }
    for rule in found {
        say(format_args!("{rule:9} {}", rule.text()));
    }
    End::Passed
}
