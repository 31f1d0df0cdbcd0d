//! The run that a command line means: a file, a seed or a finding, and where it runs when nothing is said.
//!
//! Runs nothing: `replay`, `page` and `when` do.

use std::path::{Path, PathBuf};

use gatecrash_sim::generate::{Profile, Seed};
use gatecrash_sim::world::World;
use gatecrash_sim::zoo::Bug;

use super::files::{BadInput, File, one};
use super::keep::{SHRUNK, scenario_of};
use super::sweep::FINDINGS;

/// A file in a finding's folder that is there when another world than the packet world found it.
const FOUND_ELSEWHERE: &str = "shrunk.packet.jsonl";

/// A scenario to be run.
pub struct Meant {
    /// What it says, and what it is called.
    pub file: File,
    /// Where it runs.
    pub world: World,
    /// What is broken on purpose.
    pub bug: Option<&'static Bug>,
}

impl Meant {
    /// What these arguments mean: of a file that is no finding's, in the world of `files`.
    pub fn of(path: Option<&Path>, seed: Option<Seed>, files: World) -> Result<Meant, BadInput> {
        if let Some(seed) = seed {
            let world = match seed.profile {
                Profile::Swarm => World::Event,
                Profile::PowerLoss | Profile::Dense => World::Packet,
            };
            return Ok(Meant { file: one(None, Some(seed))?, world, bug: None });
        }
        let Some(path) = path else { return one(None, None).map(|file| Meant { file, world: files, bug: None }) };
        let scenario = if path.exists() && !path.is_dir() { path.to_owned() } else { scenario_of(path)? };
        let world = match scenario == path {
            true => files,
            false if scenario.with_file_name(FOUND_ELSEWHERE).exists() => World::Event,
            false => World::Packet,
        };
        Ok(Meant { file: one(Some(&scenario), None)?, world, bug: None })
    }

    /// A file that may be the folder of a finding, or its name; what is neither is told as a file is.
    pub fn of_file(path: &Path, files: World) -> Result<Meant, BadInput> {
        let is_finding = |path: &Path| path.join(SHRUNK).is_file();
        match is_finding(path) || (!path.exists() && is_finding(&Path::new(FINDINGS).join(path))) {
            true => Meant::of(Some(path), None, files),
            false => Ok(Meant { file: one(Some(path), None)?, world: files, bug: None }),
        }
    }

    /// The same of a word that may be either: what is no path may be a seed.
    pub fn of_word(text: &str, files: World) -> Result<Meant, BadInput> {
        match text.parse::<Seed>() {
            Ok(seed) if !Path::new(text).exists() => Meant::of(None, Some(seed), files),
            Ok(_) | Err(_) => Meant::of(Some(Path::new(text)), None, files),
        }
    }

    /// With this of the zoo's bugs, in its world.
    pub fn broken(self, id: &str) -> Result<Meant, BadInput> {
        let Some(bug) = Bug::find(id) else {
            let problem = format!("there is no bug {id}: `gatecrash zoo --list` says which there are");
            return Err(BadInput::Refused(problem));
        };
        Ok(Meant { world: bug.world(), bug: Some(bug), ..self })
    }

    /// What it is called when nobody says: as the scenario, a finding's by its folder.
    pub fn stem(&self) -> String {
        let path = PathBuf::from(&self.file.path);
        match path.file_stem().map(|stem| stem.to_string_lossy().into_owned()) {
            Some(stem) if stem == "shrunk" => {
                let folder = path.parent().and_then(Path::file_name);
                folder.map_or(stem, |folder| folder.to_string_lossy().into_owned())
            }
            Some(stem) if !self.file.path.starts_with("--seed ") => stem,
            Some(_) | None => self.file.name.replace([' ', ':', '/'], "-"),
        }
    }
}
