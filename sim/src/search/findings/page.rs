//! The page about a finding: what is broken, who saw it, how to see it again and how to keep it.

use std::fmt::Write as _;

use super::Finding;
use crate::generate::Seed;
use crate::search::identity::sum_of;
use crate::search::report::{self, Case};
use crate::search::shrink::{self, End};
use crate::{HarnessError, Run};

/// Of how many seeds the page says so.
const SEEDS_TOLD: usize = 20;

/// The page, as Markdown. `path` is the folder it is in, `smallest` the run of what is left.
pub(super) fn page(finding: &Finding<'_>, path: &str, smallest: &Result<Run, HarnessError>) -> String {
    let Finding { fingerprint, world, plan, shrunk, seen, packet, when, identity, .. } = finding;
    let mut page = format!("# {}\n\n", shrunk.scenario.title);
    let mut row = |name: &str, said: String| writeln!(page, "- **{name}**: {said}").expect("a string takes everything");
    row("fingerprint", format!("`{}`: {fingerprint}", fingerprint.slug()));
    if let Some(rule) = fingerprint.rule() {
        row("rule", format!("{rule}. {}", rule.text()));
    }
    let told: Vec<String> = seen.iter().take(SEEDS_TOLD).map(Seed::to_string).collect();
    let more = if seen.len() > SEEDS_TOLD { ", …" } else { "" };
    row("seeds", format!("{}: {}{more}", seen.len(), told.join(", ")));
    row("found in", format!("the {} world; a fresh process did the same", world.word()));
    if let Some(packet) = packet {
        row("packet world", packet.to_string());
    }
    let runs: u64 = shrunk.tried.iter().map(|tried| tried.runs).sum();
    let end = match shrunk.end {
        End::Smallest => "nothing more can go",
        End::Budget => "time was up before nothing more could go",
    };
    row("steps", format!("{} of {} are left after {runs} runs; {end}", shrunk.scenario.steps.len(), plan.steps.len()));
    if let Some(when) = when {
        row(
            "inevitable",
            format!("{when}. `{}` looks closer", report::command_line(&format!("when {}", report::as_word(path)))),
        );
    }
    row("version", identity.to_string());
    row("built by", format!("{} for {}, lock file `{}`", identity.toolchain, identity.target, identity.lock));
    row("scenarios", format!("shrunk `{}`, plan `{}`", sum_of(&shrunk.scenario), sum_of(plan)));

    let file = format!("{path}/shrunk.toml");
    let origin = match seen.first() {
        Some(seed) => format!("--seed {seed}"),
        None => format!("{path}/plan.toml"),
    };
    let case = Case { path: &file, scenario: &shrunk.scenario, world: *world, seed: None };
    let of_plan = report::replay_command(&Case { path: &origin, scenario: plan, world: *world, seed: None }, None);
    let told = match smallest {
        Ok(run) => report::failure(&case, run).unwrap_or_else(|| "passes when run alone".to_owned()),
        Err(error) => report::harness_failure(&case, error),
    };
    let stem = shrink::stem(&shrunk.scenario);
    let of_shrunk = report::replay_command(&case, None);
    write!(
        page,
        "\n## See it again\n\n[page.html](page.html) shows the smallest as a picture beside its story.\n\n\
         ```sh\n{of_shrunk}\n{of_plan}\n```\n\n```text\n{told}\n```\n\n\
         ## Keep it\n\n\
         ```sh\n{}\n```\n\n\
         This writes `scenarios/regressions/{stem}.toml`, a test that fails until the bug is mended. A name after the\n\
         folder calls it otherwise.\n",
        report::command_line(&format!("keep {}", report::as_word(path)))
    )
    .expect("a string takes everything");
    page
}
