//! The report of a hunt: each bug that was not caught as it ought to be, and each false alarm.

use std::time::Duration;

use gatecrash_sim::generate;
use gatecrash_sim::report::{self, Finding, Kind, Origin, Subject};
use gatecrash_sim::search::identity::sum_of;
use gatecrash_sim::search::report as failures;
use gatecrash_sim::search::sweep::{self, Failed};
use gatecrash_sim::world::World;
use gatecrash_sim::zoo::{self, Bug};

use super::super::End;
use super::super::files::BadInput;
use super::super::report::{Folder, Made, Wanted};
use super::{Hunted, MEDIAN_MAX, Zoo};

/// What is reported, where a report is wanted.
pub struct Book {
    folder: Option<Folder>,
    blank: report::Zoo,
}

/// Hunts that have ended.
pub struct Over<'a> {
    /// What came of them.
    pub zoo: &'a Zoo,
    /// The false alarms: the world and the seed of each.
    pub alarms: &'a [(World, u64)],
    /// How long they took.
    pub wall: Duration,
    /// How it ends.
    pub end: End,
}

impl Book {
    /// A book of bugs of which none was hunted.
    pub fn begin(wanted: &Wanted, bugs: &[&Bug], blank: report::Zoo, json: bool) -> Result<Self, BadInput> {
        let bugs = bugs.iter().map(|bug| report::Bug {
            id: bug.id.to_owned(),
            what: bug.what.to_owned(),
            is_hunted: false,
            seeds: Vec::new(),
            property: None,
            steps: None,
        });
        let blank = report::Zoo { bugs: bugs.collect(), ..blank };
        let folder = Folder::begin(wanted, Subject::Zoo(blank.clone()), json)?;
        Ok(Book { folder, blank })
    }

    /// One of hunts that were refused.
    pub fn refuse(wanted: &Wanted, bad_input: &BadInput, json: bool) -> End {
        Folder::refuse(wanted, Subject::Zoo(report::Zoo::default()), bad_input, json)
    }

    /// The end of it, and how that is told.
    pub fn end(self, over: &Over<'_>) -> End {
        let Some(mut folder) = self.folder else { return over.end };
        let zoo = over.zoo;
        let mut made = self.blank;
        for bug in &mut made.bugs {
            let Some(hunted) = zoo.bugs.iter().find(|hunted| hunted.id == bug.id) else { continue };
            bug.is_hunted = hunted.seeds.len() as u64 == made.blocks;
            bug.seeds.clone_from(&hunted.seeds);
            bug.property.clone_from(&hunted.property);
            bug.steps = hunted.steps_after_shrinking.map(|steps| steps as u64);
        }
        made.median_of_medians = zoo.median_of_medians;
        made.seeds_unbroken = zoo.seeds_unbroken;
        zoo.bugs.iter().filter(|bug| !bug.right).for_each(|bug| folder.found(missed(bug)));
        if let Some(median) = zoo.median_of_medians.filter(|&median| median > MEDIAN_MAX) {
            let sentence = format!("the median of the medians is at most {MEDIAN_MAX} seeds");
            let instead = Some(format!("it is {median}"));
            let (path, title) = (report::Zoo::ALL.to_owned(), "a system that is broken on purpose".to_owned());
            let origin = Origin { path, title, sum: None, world: None };
            let finding = Finding::new(Kind::NotCaught, "zoo-median".to_owned(), sentence, origin);
            folder.found(Finding { instead, ..finding });
        }
        for (number, &(world, seed)) in over.alarms.iter().enumerate() {
            let alarm = alarm(world, seed);
            let exhibit = (number < report::EXHIBITS_MAX).then(|| {
                let failed = Failed { seed: zoo::hunted_in(world, seed), digest: None, hangs: None };
                folder.tell(&alarm.fingerprint, &sweep::report(&failed, world))
            });
            folder.found(Finding { exhibit, ..alarm });
        }
        folder.end(Made { subject: Subject::Zoo(made), wall: over.wall, end: over.end })
    }
}

/// That a bug was not caught, or by what ought not to name it.
fn missed(bug: &Hunted) -> Finding {
    let caught = bug.seeds.iter().flatten().count();
    let (word, sentence, instead) = match bug.caught {
        false => {
            let instead =
                format!("nothing named it in {} of {} blocks of seeds", bug.seeds.len() - caught, bug.seeds.len());
            ("missed", format!("{} is caught: {}", bug.id, bug.what), instead)
        }
        true => {
            let named: Vec<&str> = bug.property.iter().chain(&bug.also).map(String::as_str).collect();
            let sentence = format!("{} is named first by a property that ought to name it: {}", bug.id, bug.what);
            ("misnamed", sentence, format!("it was named by: {}", named.join("; ")))
        }
    };
    let origin = Origin { path: bug.id.to_owned(), title: bug.what.to_owned(), sum: None, world: None };
    Finding {
        instead: Some(instead),
        replay: Some(failures::command_line(&format!("zoo --only {} --show", bug.id))),
        ..Finding::new(Kind::NotCaught, format!("zoo-{word}-{}", bug.id.to_lowercase()), sentence, origin)
    }
}

/// That something was found where nothing is broken.
fn alarm(world: World, number: u64) -> Finding {
    let seed = zoo::hunted_in(world, number);
    let path = format!("--seed {seed}");
    let named = zoo::false_alarm(world, number);
    let fingerprint = format!("false-alarm-{}", named.as_ref().map_or_else(String::new, |named| named.slug()));
    let replay = failures::command_line(&format!("replay {path} --world {}", world.word()));
    let origin = Origin {
        path,
        title: "a system in which nothing is broken".to_owned(),
        sum: Some(sum_of(&generate::scenario(seed))),
        world: Some(world.word().to_owned()),
    };
    Finding {
        instead: named.as_ref().map(ToString::to_string),
        replay: Some(replay),
        ..Finding::new(Kind::FalseAlarm, fingerprint, Kind::FalseAlarm.demand().to_owned(), origin)
    }
}
