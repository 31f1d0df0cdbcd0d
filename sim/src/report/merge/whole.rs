//! Whether reports are all the shards of one sweep, each once, to its end, and made of the same.

use super::Part;
use crate::report::suite::Outcome;
use crate::report::{Canary, Ended, Report, Seeds, Share, Subject, Sweep};
use crate::search::identity::Identity;
use crate::search::shard::Shard;

/// The report of a shard, with what it is.
struct One<'a> {
    name: &'a str,
    share: Share,
    sweep: &'a Sweep,
    report: &'a Report,
}

/// Everything that keeps them from being a whole.
pub fn problems(parts: &[Part]) -> Vec<String> {
    if parts.is_empty() {
        return vec!["there is no report of any shard".to_owned()];
    }
    let mut problems = Vec::new();
    let mut ones: Vec<One<'_>> = Vec::new();
    for part in parts {
        match shard(part) {
            Ok(one) => ones.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    ones.sort_by_key(|one| one.share.shard);
    problems.extend(ones.iter().filter_map(incomplete));
    problems.extend(ones.iter().filter_map(blind));
    let Some((first, others)) = ones.split_first() else { return problems };
    problems.extend(others.iter().filter_map(|one| differs(first, one)));
    // Which are missing is asked of those that are parts of one sweep.
    let same: Vec<&One<'_>> = ones.iter().filter(|one| is_of(one.share, first.share)).collect();
    problems.extend(twice(&same));
    problems.extend(missing(first.share, &same));
    problems
}

fn shard(part: &Part) -> Result<One<'_>, String> {
    let (name, report) = (part.name.as_str(), &part.report);
    if let Ended::Refused(why) = &report.ended {
        return Err(format!("{name}: it was refused: {why}"));
    }
    let sweep = match &report.subject {
        Subject::Sweep(sweep) => sweep,
        Subject::Run(_) | Subject::Zoo(_) | Subject::Judge(_) => {
            return Err(format!("{name}: it is the report of `{}`, and of no shard of a sweep", report.subject.word()));
        }
    };
    let share = sweep.share.ok_or_else(|| match &sweep.canaries[..] {
        [] => format!("{name}: it is of a sweep without --shard: the whole as one shard is 1/1"),
        [..] => format!("{name}: it is of shards that were merged before"),
    })?;
    Ok(One { name, share, sweep, report })
}

/// That it did not do what it was to, where it does not say itself what was in the way.
fn incomplete(one: &One<'_>) -> Option<String> {
    let Share { shard, whole } = one.share;
    let wanted = Seeds::from(shard.seeds(&whole.range()));
    let why = match &one.report.ended {
        _ if one.sweep.asked != wanted => {
            let (asked, wanted) = (interval(one.sweep.asked), interval(wanted));
            format!("its seeds are {asked}, and those of the shard {wanted}")
        }
        Ended::NotYet => "it has not come to its end".to_owned(),
        Ended::Told => "it was told to end before it had finished".to_owned(),
        Ended::Refused(why) => why.clone(),
        Ended::Finished => match one.sweep.all_ran() {
            // A seed that hangs is a finding, and so are many that fail: these are added up, and red.
            Outcome::NotRun(why) if one.report.findings.is_empty() || one.sweep.finished == 0 => why,
            Outcome::NotRun(_) | Outcome::Passed | Outcome::LeftOut(_) | Outcome::Failed { .. } => return None,
        },
    };
    Some(format!("{}: shard {shard}: {why}", one.name))
}

/// That its checks saw nothing where there was something to see.
fn blind(one: &One<'_>) -> Option<String> {
    let shard = one.share.shard;
    // What did not come to its end is told of anyway.
    if one.report.ended != Ended::Finished {
        return None;
    }
    match &one.sweep.canaries[..] {
        [Canary { caught_after: Some(_), .. }] => None,
        [Canary { bug, first, limit, .. }] => Some(format!(
            "{}: shard {shard}: its canary {bug} was not caught in {limit} seeds from {first}: its checks see nothing",
            one.name
        )),
        _ => Some(format!("{}: shard {shard}: no canary was swept beside it", one.name)),
    }
}

/// What it was made of that the first was not.
fn differs(first: &One<'_>, one: &One<'_>) -> Option<String> {
    let bug = |sweep: &Sweep| sweep.canaries.first().map_or("none".to_owned(), |canary| canary.bug.clone());
    let facts = |one: &One<'_>| {
        let Identity { version, commit, has_changes, lock, toolchain, target } = &one.report.identity;
        let changes = if *has_changes { " with changes" } else { "" };
        let commit = commit.as_ref().map_or("none".to_owned(), |commit| format!("{commit}{changes}"));
        let mut facts = vec![
            ("version", version.clone()),
            ("commit", commit),
            ("lock file", lock.clone()),
            ("toolchain", toolchain.clone()),
            ("target", target.clone()),
            ("world", one.sweep.world.clone()),
            ("profile", one.sweep.profile.clone()),
            ("shards", one.share.shard.of().to_string()),
            ("seeds", interval(one.share.whole)),
        ];
        // Until it has come to its end it knows neither.
        if one.report.ended == Ended::Finished {
            facts.push(("canary", bug(one.sweep)));
            facts.push(("number of properties", one.sweep.properties.len().to_string()));
        }
        facts
    };
    let differs: Vec<String> = facts(one)
        .into_iter()
        .zip(facts(first))
        .filter(|((_, its), (_, firsts))| its != firsts)
        .map(|((what, its), (_, firsts))| format!("{what} {its}, and not {firsts}"))
        .collect();
    let (name, shard) = (one.name, one.share.shard);
    (!differs.is_empty())
        .then(|| format!("{name}: shard {shard} is made of something else than {}: {}", first.name, differs.join("; ")))
}

/// Whether both are parts of the same seeds, cut in the same way.
fn is_of(one: Share, other: Share) -> bool {
    one.shard.of() == other.shard.of() && one.whole == other.whole
}

fn twice(sorted: &[&One<'_>]) -> Vec<String> {
    let again = sorted.chunk_by(|one, next| one.share.shard == next.share.shard).filter(|same| same.len() > 1);
    let told = again.map(|same| {
        let names: Vec<&str> = same.iter().map(|one| one.name).collect();
        format!("shard {} is there {} times: {}", same[0].share.shard, same.len(), names.join(", "))
    });
    told.collect()
}

fn missing(of: Share, sorted: &[&One<'_>]) -> Vec<String> {
    let last = of.shard.of();
    let mut next = 1;
    let mut problems = Vec::new();
    let there = sorted.iter().map(|one| one.share.shard.number()).chain([last.saturating_add(1)]);
    for number in there {
        let gap = of.shard.sibling(next).zip(of.shard.sibling(number.saturating_sub(1))).filter(|_| next < number);
        problems.extend(gap.map(|(from, to)| absent(of.whole, from, to)));
        next = number.saturating_add(1);
    }
    problems
}

fn absent(whole: Seeds, from: Shard, to: Shard) -> String {
    let seeds = from.seeds(&whole.range()).start..to.seeds(&whole.range()).end;
    let seeds = interval(Seeds::from(seeds));
    match from == to {
        true => format!("shard {from} is missing, seeds {seeds}"),
        false => format!("shards {from} to {to} are missing, seeds {seeds}"),
    }
}

fn interval(seeds: Seeds) -> String {
    let range = seeds.range();
    format!("{}..{}", range.start, range.end)
}
