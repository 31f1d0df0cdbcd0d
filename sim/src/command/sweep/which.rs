//! Which seeds a sweep is of: an interval, those of a night, what a time allows; and which part of these, where it is a shard.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use gatecrash_sim::generate::Profile;
use gatecrash_sim::report::{Canary, Seeds, Share};
use gatecrash_sim::search::night::{Night, SEEDS_MAX};
use gatecrash_sim::search::shard::Shard;
use gatecrash_sim::world::World;
use gatecrash_sim::zoo::{Bug, canary};

use super::super::{count, thousands};

/// What is swept when nothing is said.
const SEEDS_DEFAULT: Range<u64> = 0..100_000;

/// Where findings get their folders when nothing is said.
pub const FINDINGS: &str = "target/gatecrash";

/// Which seeds, as arguments.
#[derive(Args)]
pub struct Which {
    /// The seeds: the first, and the one after the last [default: 0..100000]
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Option<Range<u64>>,
    /// The seeds of this night, written as 2026-11-29: every night has others, which no other ever has
    #[arg(long, value_name = "DATE", conflicts_with_all = ["seeds", "time"])]
    nightly: Option<Night>,
    /// How many of them
    #[arg(long, value_name = "N", requires = "nightly", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(1..=SEEDS_MAX))]
    night_seeds: u64,
    /// Only this part of the seeds, counted from 1, with a canary beside it: `gatecrash merge` adds the reports of all parts up
    #[arg(long, value_name = "I/N", requires = "folder", conflicts_with = "time")]
    shard: Option<Shard>,
    /// The bug of the zoo that is the shard's canary [default: F12, and in the packet world V01]
    #[arg(long, value_name = "ID", requires = "shard")]
    canary: Option<String>,
}

/// Seeds to be swept.
pub struct Meant {
    /// From the first to the one after the last.
    pub seeds: Range<u64>,
    /// Which part they are, and the canary that is swept beside it, where they are a shard's.
    pub share: Option<(Share, &'static Bug)>,
    /// Where findings get their folders.
    pub findings: PathBuf,
}

/// Two numbers, the second excluded.
pub fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.replace('_', "").parse::<u64>().ok();
    let range = text.split_once("..").and_then(|(from, to)| Some(number(from)?..number(to)?));
    match range {
        Some(range) => Ok(range),
        None => Err("expected two numbers such as 0..1000".to_owned()),
    }
}

/// That there is no seed among these.
pub fn without_seeds(seeds: &Range<u64>) -> String {
    let (first, last) = (seeds.start, seeds.end);
    format!("--seeds {first}..{last}: there is no seed in it: the second number is the one after the last")
}

impl Which {
    /// What these arguments mean, in this world, where there is so much time.
    ///
    /// # Errors
    ///
    /// Why they mean nothing, in a sentence.
    pub fn meant(&self, time: Option<Duration>, world: World, folders: Folders<'_>) -> Result<Meant, String> {
        let whole = self.whole(time)?;
        let share = self.shard.map(|shard| self.share(shard, &whole, world)).transpose()?;
        let findings = match (folders.findings, folders.report) {
            (Some(findings), _) => findings.to_owned(),
            // Shards beside each other find the same, and a folder has one writer.
            (None, Some(report)) if share.is_some() => report.join("findings"),
            (None, _) => FINDINGS.into(),
        };
        let seeds = share.map_or(whole, |(share, _)| share.shard.seeds(&share.whole.range()));
        Ok(Meant { seeds, share, findings })
    }

    fn whole(&self, time: Option<Duration>) -> Result<Range<u64>, String> {
        match (&self.seeds, time) {
            (Some(seeds), Some(_)) if seeds.start + 1 < seeds.end => {
                Err("--time goes on from one seed: give --seeds A..B or --time, or --seeds A..A+1 with it".to_owned())
            }
            (Some(seeds), _) if seeds.is_empty() => Err(without_seeds(seeds)),
            (Some(seeds), Some(_)) => Ok(seeds.start..u64::MAX),
            (None, Some(_)) => Ok(0..u64::MAX),
            (Some(seeds), None) => Ok(seeds.clone()),
            (None, None) => Ok(self.nightly.map_or(SEEDS_DEFAULT, |night| night.seeds(self.night_seeds))),
        }
    }

    fn share(&self, shard: Shard, whole: &Range<u64>, world: World) -> Result<(Share, &'static Bug), String> {
        let number = whole.end - whole.start;
        if shard.of() > number {
            let (seeds, shards) = (count(number as usize, "seed"), thousands(shard.of()));
            return Err(format!("--shard {shard}: there are {seeds}, too few for {shards} shards"));
        }
        let bug = match &self.canary {
            None => canary::of(world),
            Some(id) => Bug::find(id)
                .ok_or_else(|| format!("there is no bug {id}: `gatecrash zoo --list` says which there are"))?,
        };
        if bug.world() != world {
            let (its, id) = (bug.world().word(), bug.id);
            return Err(format!(
                "--canary {id}: it lives in the {its} world, and the sweep is of the {} world",
                world.word()
            ));
        }
        Ok((Share { shard, whole: Seeds::from(whole.clone()) }, bug))
    }

    /// Of which shard and which night they are, where they are of any.
    pub fn in_words(&self, meant: &Meant) -> String {
        let shard = meant.share.map_or(String::new(), |(share, _)| {
            let Range { start, end } = share.whole.range();
            format!(", shard {} of the seeds {start}..{end}", share.shard)
        });
        let night = self.nightly.map_or(String::new(), |night| format!(", night {night}"));
        format!("{shard}{night}")
    }
}

/// Folders that are named.
#[derive(Clone, Copy)]
pub struct Folders<'a> {
    /// The report's.
    pub report: Option<&'a Path>,
    /// That of all findings.
    pub findings: Option<&'a Path>,
}

/// Sweeps the canary beside the seeds that begin here, and says what became of it.
pub fn fly(bug: &Bug, profile: Profile, first: u64) -> Canary {
    let catch = canary::fly(bug, profile, first);
    Canary {
        bug: bug.id.to_owned(),
        first,
        limit: canary::SEEDS_MAX,
        caught_after: catch.as_ref().map(|catch| catch.seeds),
        by: catch.map(|catch| catch.by().said().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_is_two_numbers_the_second_excluded() {
        assert_eq!(seeds("0..1000"), Ok(0..1000));
        assert_eq!(seeds("1_000..2_000"), Ok(1_000..2_000));
        assert!(seeds("5").unwrap_err().contains("0..1000"));
    }

    #[test]
    fn shards_beside_each_other_do_not_write_into_one_folder() {
        let shard = "2/3".parse().ok();
        let which = Which { seeds: Some(0..10), nightly: None, night_seeds: 1, shard, canary: None };
        let findings = |which: &Which, findings: Option<&'static str>| {
            let folders = Folders { report: Some(Path::new("out")), findings: findings.map(Path::new) };
            let meant = which.meant(None, World::Event, folders).unwrap_or_else(|problem| panic!("{problem}"));
            (meant.seeds, meant.findings)
        };
        assert_eq!(findings(&which, None), (3..6, "out/findings".into()));
        assert_eq!(findings(&which, Some("mine")), (3..6, "mine".into()));
        let whole = Which { shard: None, ..which };
        assert_eq!(findings(&whole, None), (0..10, FINDINGS.into()));
    }
}
