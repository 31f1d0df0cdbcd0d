//! What a failed scenario leaves below `target/gatecrash/`: its page, and if it can be shrunk all that a sweep leaves of a
//! finding.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatecrash_sim::Run;
use gatecrash_sim::page::{Head, Shown, page};
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::findings::Finding;
use gatecrash_sim::search::fingerprint::{self, Fingerprint};
use gatecrash_sim::search::identity::{Identity, sum};
use gatecrash_sim::search::report::Case;
use gatecrash_sim::search::shrink::{self, Shrunk};
use gatecrash_sim::world::World;

/// How long a test may shrink: somebody waits for it.
const SHRINK_FOR: Duration = Duration::from_secs(5);

/// What the picture is called.
const PAGE: &str = "page.html";

/// Of what it was found.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The same, with the lock file. No test asks git, nor which compiler built it.
fn identity() -> Identity {
    Identity {
        version: VERSION.to_owned(),
        commit: None,
        has_changes: false,
        lock: sum(include_bytes!("../../Cargo.lock")),
        toolchain: "the compiler of the tests".to_owned(),
        target: "where the tests ran".to_owned(),
    }
}

/// Leaves what there is of a run that failed; says where.
pub fn left(name: &str, case: &Case<'_>, run: &Run) -> String {
    let Some((wanted, world, shrunk)) = shrunk(case, run) else { return left_of_both(name, &[(case, run)]) };
    let finding = Finding {
        fingerprint: &wanted,
        world,
        plan: case.scenario,
        shrunk: &shrunk,
        seen: &[],
        packet: None,
        when: None,
        identity: &identity(),
        parent: &shown(&folder(name)),
    };
    let mut folder = finding.folder(gatecrash_sim::run);
    let path = format!("{}/shrunk.toml", folder.path);
    if let Ok(smallest) = gatecrash_sim::run(&shrunk.scenario, world) {
        let case = Case { path: &path, scenario: &shrunk.scenario, world, seed: None };
        let head = Head::of(&case, &smallest, VERSION);
        folder.files.push((PAGE, page(&[Shown { head: &head, trace: &smallest.trace, log: &[] }])));
    }
    match write(Path::new(&folder.path), &folder.files) {
        Ok(()) => format!("    shrunk  {path}\n    page    {}/{PAGE}", folder.path),
        Err(error) => format!("    cannot write {}: {error}", folder.path),
    }
}

/// Leaves a page of these runs beside each other; says where.
pub fn left_of_both(name: &str, runs: &[(&Case<'_>, &Run)]) -> String {
    let heads: Vec<Head> = runs.iter().map(|(case, run)| Head::of(case, run, VERSION)).collect();
    let runs = heads.iter().zip(runs).map(|(head, (_, run))| Shown { head, trace: &run.trace, log: &[] });
    let folder = folder(name);
    match write(&folder, &[(PAGE, page(&runs.collect::<Vec<_>>()))]) {
        Ok(()) => format!("    page    {}/{PAGE}", shown(&folder)),
        Err(error) => format!("    cannot write {}: {error}", shown(&folder)),
    }
}

/// The smallest scenario that fails in the same way, and in which world: in the one that is a thousand times as fast if it
/// fails so there, too. What a file itself expects speaks of the whole of it, and is not shrunk.
fn shrunk(case: &Case<'_>, run: &Run) -> Option<(Fingerprint, World, Shrunk)> {
    let wanted = match (run.violations.first(), &run.not_converged) {
        (Some(violation), _) => Fingerprint::of(violation),
        (None, Some(reason)) if run.missed.is_empty() => Fingerprint::not_converged(reason),
        (None, _) => return None,
    };
    let seen = |scenario: &Scenario, world: World| {
        fingerprint::seen(scenario, world.tick(scenario), |scenario, recorder| world.run(scenario, recorder))
    };
    let world = if seen(case.scenario, World::Event).contains(&wanted) { World::Event } else { case.world };
    let start = now();
    let look = |candidate: &Scenario| (now() - start < SHRINK_FOR).then(|| seen(candidate, world));
    let shrunk = shrink::shrink(case.scenario, &wanted, look, shrink::RUNS_MAX).ok()?;
    Some((wanted, world, shrunk))
}

#[expect(clippy::disallowed_methods, reason = "how long somebody waits decides no run")]
fn now() -> Instant {
    Instant::now()
}

/// Where it is left: each test has a folder of its own.
fn folder(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is a folder below another");
    target.join("gatecrash").join(name)
}

/// As it is named from the root of the repository.
fn shown(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display().to_string()
}

fn write(folder: &Path, files: &[(&'static str, String)]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}
