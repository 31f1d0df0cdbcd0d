//! The findings of a sweep as folders: each shrunk, run in the packet world too, and written down.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use gatecrash_sim::generate::{self, Seed};
use gatecrash_sim::page::{Head, Likely, Shown, page};
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::findings::{Elsewhere, Finding, elsewhere};
use gatecrash_sim::search::fingerprint::{self, Fingerprint};
use gatecrash_sim::search::report::Case;
use gatecrash_sim::search::sweep::Failed;
use gatecrash_sim::search::when;
use gatecrash_sim::search::workers::Workers;
use gatecrash_sim::world::World;
use gatecrash_sim::{HarnessError, Run, run};

use super::super::shrink;
use super::super::version::identity;

/// How long a finding may be shrunk.
const SHRINK_FOR: Duration = Duration::from_secs(10);

/// The same where a run takes a thousand times as long.
const SHRINK_IN_PACKETS_FOR: Duration = Duration::from_secs(120);

/// What the picture of the smallest scenario is called in its folder.
pub const PAGE: &str = "page.html";

/// A finding that was written down.
pub struct Kept {
    /// Where.
    pub folder: String,
    /// The smallest scenario.
    pub shrunk: Scenario,
    /// What came of it.
    pub smallest: Result<Run, HarnessError>,
    /// What the packet world shows of it, if it was found in another.
    pub packet: Option<Elsewhere>,
    /// What is said above its picture, where it has one.
    pub head: Option<Head>,
}

/// Shrinks the first of these and writes its folder below `parent`.
///
/// # Errors
///
/// Why there is no folder, in words.
pub fn keep(
    fingerprint: &Fingerprint,
    seen: &[Failed],
    world: World,
    parent: &Path,
    jobs: NonZeroUsize,
) -> Result<Kept, String> {
    let plan = generate::scenario(seen[0].seed);
    let seeds: Vec<Seed> = seen.iter().map(|failed| failed.seed).collect();
    let time = match world {
        World::Event => SHRINK_FOR,
        World::Packet => SHRINK_IN_PACKETS_FOR,
    };
    let bar = shrink::bar();
    let shrunk = shrink::within(time, &plan, fingerprint, world, &bar);
    bar.finish_and_clear();
    let shrunk = shrunk.map_err(|error| format!("{} run alone: {error}", plan.title))?;
    let packet = (world != World::Packet).then(|| {
        elsewhere(fingerprint, &shrunk.scenario, &plan, |scenario| {
            fingerprint::seen(scenario, World::Packet.tick(scenario), |scenario, recorder| {
                World::Packet.run(scenario, recorder)
            })
        })
    });
    let smallest = run(&shrunk.scenario, world);
    let curve = smallest
        .as_ref()
        .ok()
        .and_then(|smallest| when::ask_of_finding(&shrunk.scenario, fingerprint, world, smallest, &Workers::new(jobs)));
    let when = curve.as_ref().and_then(|curve| curve.sentence(&shrunk.scenario));
    let identity = identity();
    let finding = Finding {
        fingerprint,
        world,
        plan: &plan,
        shrunk: &shrunk,
        seen: &seeds,
        packet: packet.as_ref(),
        when: when.as_deref(),
        identity: &identity,
        parent: &parent.display().to_string(),
    };
    let mut folder = finding.folder(run);
    let head = smallest.as_ref().ok().map(|smallest| {
        let path = format!("{}/shrunk.toml", folder.path);
        let case = Case { path: &path, scenario: &shrunk.scenario, world, seed: None };
        let mut head = Head::of(&case, smallest, &identity.to_string());
        head.likely = curve.map(|curve| Likely::of(&curve, &shrunk.scenario));
        head
    });
    if let (Ok(smallest), Some(head)) = (&smallest, &head) {
        folder.files.push((PAGE, page(&[Shown { head, trace: &smallest.trace, log: &[] }])));
    }
    write(&folder.path, &folder.files).map_err(|error| format!("cannot write {}: {error}", folder.path))?;
    Ok(Kept { folder: folder.path, shrunk: shrunk.scenario, smallest, head, packet })
}

fn write(folder: &str, files: &[(&'static str, String)]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, text)| fs::write(Path::new(folder).join(name), text))
}
