//! Findings: everything a person needs of a failure, as the files of one folder.
//!
//! ```text
//! target/gatecrash/kick-1-told-5d0a11c2/
//!     finding.md         what is broken, who saw it, how to see it again and how to keep it
//!     plan.toml          the scenario that failed first
//!     shrunk.toml        the smallest that fails in the same way
//!     plan.trace.txt     what happened in it, for people; .jsonl for programs
//!     shrunk.trace.txt   the same of the smallest; .jsonl for programs
//!     shrunk.packet.txt  what the packet world makes of it, when another world found it; .jsonl for programs
//!     page.html          the smallest as a picture beside its story: the command adds it, pages come after this room
//! ```
//!
//! One folder for each fingerprint, however many seeds have it. Runs through whoever asks, and writes no file: commands
//! do.

mod elsewhere;
mod page;

use crate::generate::Seed;
use crate::scenario::Scenario;
use crate::search::fingerprint::Fingerprint;
use crate::search::identity::Identity;
use crate::search::shrink::{self, Shrunk};
use crate::trace::render::{self, Show, View};
use crate::trace::{Trace, json};
use crate::world::World;
use crate::{HarnessError, Run};

pub use elsewhere::{Elsewhere, elsewhere};

/// Traces with more events than this are not written down: a replay shows them.
pub const EVENTS_MAX: usize = 300_000;

/// A failure, and what is known about it.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// What is broken.
    pub fingerprint: &'a Fingerprint,
    /// Where it was found.
    pub world: World,
    /// The scenario that showed it first, and the smallest that still does.
    pub plan: &'a Scenario,
    /// The same, shrunk.
    pub shrunk: &'a Shrunk,
    /// The seeds that show it, the plan's first.
    pub seen: &'a [Seed],
    /// What the packet world shows of it, if it was found in another.
    pub packet: Option<&'a Elsewhere>,
    /// At which step of the smallest it became inevitable, as a sentence, where that was asked.
    pub when: Option<&'a str>,
    /// Of what.
    pub identity: &'a Identity,
    /// Below which folder its own is going to be.
    pub parent: &'a str,
}

/// The files of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is to be: the parent and the fingerprint.
    pub path: String,
    /// Each file's name, and what is in it.
    pub files: Vec<(&'static str, String)>,
}

impl Finding<'_> {
    /// Its files. `run` runs scenarios as the failure was found.
    pub fn folder(&self, run: impl Fn(&Scenario, World) -> Result<Run, HarnessError>) -> Folder {
        let path = format!("{}/{}", self.parent.trim_end_matches('/'), self.fingerprint.slug());
        let smallest = run(&self.shrunk.scenario, self.world);
        let mut files = vec![
            ("finding.md", page::page(self, &path, &smallest)),
            ("plan.toml", self.plan.to_string()),
            ("shrunk.toml", self.shrunk_with_origin()),
        ];
        add_traces(&mut files, ["shrunk.trace.txt", "shrunk.trace.jsonl"], &smallest);
        add_traces(&mut files, ["plan.trace.txt", "plan.trace.jsonl"], &run(self.plan, self.world));
        if self.packet.is_some() {
            let packet = run(&self.shrunk.scenario, World::Packet);
            add_traces(&mut files, ["shrunk.packet.txt", "shrunk.packet.jsonl"], &packet);
        }
        Folder { path, files }
    }

    /// The smallest scenario as it is kept, below a comment that says where it is from.
    fn shrunk_with_origin(&self) -> String {
        let text = shrink::as_regression(&self.shrunk.scenario);
        let (schema, body) = text.split_once('\n').expect("a printed file opens with its schema");
        let (slug, world, version) = (self.fingerprint.slug(), self.world.word(), self.identity);
        let seed = self.seen.first().map(|seed| format!(" at seed {seed}")).unwrap_or_default();
        format!("{schema}\n# Found as {slug}{seed} in the {world} world, by version {version}.\n{body}")
    }
}

fn add_traces(files: &mut Vec<(&'static str, String)>, names: [&'static str; 2], run: &Result<Run, HarnessError>) {
    let is_written = |trace: &&Trace| trace.events.len() <= EVENTS_MAX;
    if let Some(trace) = run.as_ref().ok().map(|run| &run.trace).filter(is_written) {
        files.push((names[0], render::lines(trace, &Show::all(View::Everything))));
        files.push((names[1], json::lines(trace)));
    }
}
