//! The findings of a sweep as folders: each shrunk, run in the packet world too, and written down.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gatecrash_sim::generate::{self, Seed};
use gatecrash_sim::run;
use gatecrash_sim::search::findings::{Elsewhere, Finding, elsewhere};
use gatecrash_sim::search::fingerprint::{self, Fingerprint};
use gatecrash_sim::search::sweep::Failed;
use gatecrash_sim::world::World;

use super::super::shrink;

/// How long a finding may be shrunk.
const SHRINK_FOR: Duration = Duration::from_secs(10);

/// The same where a run takes a thousand times as long.
const SHRINK_IN_PACKETS_FOR: Duration = Duration::from_secs(120);

/// A finding that was written down.
pub struct Kept {
    /// Where.
    pub folder: String,
    /// How many steps the smallest scenario has.
    pub steps: usize,
    /// What the packet world shows of it, if it was found in another.
    pub packet: Option<Elsewhere>,
}

/// Shrinks the first of these and writes its folder below `parent`.
///
/// # Errors
///
/// Why there is no folder, in words.
pub fn keep(fingerprint: &Fingerprint, seen: &[Failed], world: World, parent: &Path) -> Result<Kept, String> {
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
    let finding = Finding {
        fingerprint,
        world,
        plan: &plan,
        shrunk: &shrunk,
        seen: &seeds,
        packet: packet.as_ref(),
        version: &version(),
        parent: &parent.display().to_string(),
    };
    let folder = finding.folder(run);
    write(&folder.path, &folder.files).map_err(|error| format!("cannot write {}: {error}", folder.path))?;
    Ok(Kept { folder: folder.path, steps: shrunk.scenario.steps.len(), packet })
}

fn write(folder: &str, files: &[(&'static str, String)]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, text)| fs::write(Path::new(folder).join(name), text))
}

/// The version, and where git tells the commit that the sources are at.
fn version() -> String {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        let output = git.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let version = env!("CARGO_PKG_VERSION");
    match git(&["rev-parse", "--short=12", "HEAD"]) {
        None => version.to_owned(),
        Some(commit) => {
            let is_clean = git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
            format!("{version}, commit {commit}{}", if is_clean { "" } else { " with changes" })
        }
    }
}
