//! What a page holds, against the trace that it is of.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use serde_json::Value as Json;

use super::lanes::Lanes;
use super::sheet::Told;
use super::*;
use crate::generate::{self, Profile, Seed};
use crate::scenario::Scenario;
use crate::search::report::Case;
use crate::trace::render::{self, Show, View};
use crate::trace::{Actor, Effect, Event, Fact, What};
use crate::world::World;
use crate::{Run, run};

/// A run in the event world, and what is said of it.
fn ran(scenario: &Scenario) -> (Head, Run) {
    let run = run(scenario, World::Event).unwrap_or_else(|error| panic!("{}: {error}", scenario.title));
    let case = Case { path: "some.toml", scenario, world: World::Event, seed: None };
    (Head::of(&case, &run, "1.2.3"), run)
}

fn sheet_of(head: &Head, run: &Run, events_max: usize) -> Sheet {
    Sheet::of(&Shown { head, trace: &run.trace, log: &[] }, None, events_max)
}

fn file(name: &str) -> Scenario {
    let path = format!("{}/../scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    Scenario::parse(&path, &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"))
}

/// Runs of every kind: with faults of all families, power losses, copies, strangers.
fn seeds() -> impl Iterator<Item = Scenario> {
    let of = |profile, numbers: std::ops::Range<u64>| numbers.map(move |number| Seed { profile, number });
    let all = of(Profile::Swarm, 0..30).chain(of(Profile::PowerLoss, 0..20)).chain(of(Profile::Dense, 0..20));
    all.map(generate::scenario)
}

fn count(run: &Run, is_it: impl Fn(&Event) -> bool) -> usize {
    run.trace.events.iter().filter(|event| is_it(event)).count()
}

#[test]
fn everything_that_happened_is_drawn_once() {
    for scenario in seeds() {
        let (head, run) = ran(&scenario);
        let sheet = sheet_of(&head, &run, usize::MAX);
        let told = render::lines(&run.trace, &Show::all(View::Everything));
        assert_eq!(sheet.lanes.len(), scenario.devices.len() + 2);
        assert_eq!(sheet.rows.len(), run.trace.events.len());
        let is_sent = |event: &Event| matches!(event.what, What::DeviceSent { .. } | What::ServerSent { .. });
        assert_eq!(sheet.arrows.len(), count(&run, is_sent));
        let lost = sheet.arrows.iter().filter(|arrow| arrow.end == "lost").count();
        assert_eq!(lost, told.lines().filter(|line| line.ends_with("  LOST")).count());
        assert_eq!(sheet.commits.len(), count(&run, |event| matches!(event.what, What::Commit { .. })));
        let is_call = |event: &Event| matches!(event.what, What::Called { .. });
        assert_eq!(sheet.calls.len(), count(&run, is_call));
        let is_accepted = |event: &Event| matches!(event.what, What::Fact { fact: Fact::SessionAccepted { .. }, .. });
        assert_eq!(sheet.sessions.len(), count(&run, is_accepted));
        let is_asked = |event: &Event| matches!(event.what, What::ConnectAsked { .. });
        assert_eq!(sheet.links.len(), count(&run, is_asked));
        let told = sheet.marks.iter().filter(|mark| mark.look == "told").count();
        assert_eq!(told, count(&run, |event| matches!(event.what, What::Told { .. })));
    }
}

#[test]
fn an_arrow_ends_where_its_frame_arrived() {
    for scenario in seeds() {
        let (head, run) = ran(&scenario);
        let sheet = sheet_of(&head, &run, usize::MAX);
        let mut ends = BTreeSet::new();
        for arrow in &sheet.arrows {
            let Some(to) = arrow.to else { continue };
            let (left, arrived) = (&run.trace.events[arrow.from], &run.trace.events[to]);
            assert!(ends.insert(to) && arrow.from < to && left.at <= arrived.at, "{arrow:?}");
            let words = match (left.what, arrived.what) {
                (What::DeviceSent { frame, .. }, What::ServerReceived { frame: came, .. }) => {
                    [frame.word(), came.word()]
                }
                (What::ServerSent { frame, .. }, What::DeviceReceived { frame: came, .. }) => {
                    [frame.word(), came.word()]
                }
                _ => panic!("{arrow:?}"),
            };
            assert_eq!(words, [arrow.word; 2]);
            let lane = |event: &Event| Lanes::of(&run.trace.cast).actor(event.actor);
            assert_eq!((Some(arrow.from_lane), arrow.to_lane), (Some(lane(left)), Some(lane(arrived))));
        }
    }
}

#[test]
fn a_story_on_the_page_is_the_story() {
    let (head, run) = ran(&file("kick_reaches_a_device_that_was_offline"));
    let sheet = sheet_of(&head, &run, usize::MAX);
    let said = |row: &sheet::Row| match &row.5 {
        Told::Not(()) => None,
        Told::Same(_) => Some(row.4.clone()),
        Told::Otherwise(said) => Some(said.clone()),
    };
    let page: Vec<String> = sheet.rows.iter().filter_map(|row| Some(format!("{}  {}", row.3, said(row)?))).collect();
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let story = render::lines(&run.trace, &Show::all(View::Story));
    // A line's first word is its time.
    let lines: Vec<String> = story.lines().map(|line| squeezed(line.trim_start().split_once(' ').unwrap().1)).collect();
    assert_eq!(page.iter().map(|line| squeezed(line)).collect::<Vec<_>>(), lines);
}

/// The sessions that there are at the end, told in another way: the records as they were after each change are kept, and a
/// start goes on from those of its own.
fn sessions_at_the_end(run: &Run) -> BTreeSet<(String, String, u32)> {
    let cast = &run.trace.cast;
    let mut now = BTreeSet::new();
    let mut after: BTreeMap<u32, BTreeSet<(String, String, u32)>> = BTreeMap::from([(0, now.clone())]);
    for event in &run.trace.events {
        match event.what {
            What::Fact { commit, fact } => {
                match fact {
                    Fact::SessionAccepted { user, device, epoch, .. } => {
                        now.insert((cast.device_name(device).to_owned(), cast.user_name(user).to_owned(), epoch));
                    }
                    Fact::SessionEnded { user, device, epoch, .. } => {
                        now.remove(&(cast.device_name(device).to_owned(), cast.user_name(user).to_owned(), epoch));
                    }
                    _ => {}
                }
                after.insert(commit, now.clone());
            }
            What::Commit { commit, .. } => drop(after.insert(commit, now.clone())),
            What::ServerStarted { commit, .. } => {
                after.split_off(&(commit + 1));
                now = after.last_key_value().expect("there is the beginning").1.clone();
            }
            _ => {}
        }
    }
    now
}

#[test]
fn the_bars_that_are_open_at_the_end_are_the_sessions_that_there_are() {
    let mut undone = 0;
    for scenario in seeds() {
        let (head, run) = ran(&scenario);
        let sheet = sheet_of(&head, &run, usize::MAX);
        let open = sheet.sessions.iter().filter(|bar| bar.to.is_none());
        let open: BTreeSet<_> =
            open.map(|bar| (sheet.lanes[bar.lane].name.clone(), bar.user.clone(), bar.epoch)).collect();
        assert_eq!(sessions_at_the_end(&run), open, "{}", scenario.title);
        for commit in &sheet.commits {
            assert!(commit.disk.is_none() || commit.undone.is_none());
            assert!(commit.disk.or(commit.undone).is_none_or(|end| end > commit.decided), "{commit:?}");
        }
        undone += sheet.commits.iter().filter(|commit| commit.undone.is_some()).count();
    }
    assert!(undone > 0, "a seed loses a commit");
}

#[test]
fn a_band_is_as_long_as_its_fault_has_effect() {
    let (head, run) = ran(&file("kick_reaches_a_device_that_was_offline"));
    let sheet = sheet_of(&head, &run, usize::MAX);
    let [band] = &sheet.bands[..] else { panic!("{:?}", sheet.bands) };
    assert_eq!((sheet.lanes[band.lane].name.as_str(), band.word), ("phone-1", "cut"));
    let at = |position: usize| run.trace.events[position].at.as_micros();
    assert_eq!((at(band.from), band.to.map(at)), (1_000_000, Some(3_000_000)));

    for scenario in seeds() {
        let (head, run) = ran(&scenario);
        let dead = sheet_of(&head, &run, usize::MAX).bands.iter().filter(|band| band.word == "dead").count();
        let dies = |event: &Event| {
            matches!(event.what, What::Effect { effect: Effect::ServerDead | Effect::ProcessDead { .. } })
        };
        assert_eq!(dead, count(&run, dies), "{}", scenario.title);
    }
}

#[test]
fn what_belongs_to_a_kick_is_its_session_and_its_commit() {
    let (head, run) = ran(&file("kick_reaches_a_device_that_was_offline"));
    let sheet = sheet_of(&head, &run, usize::MAX);
    let position = |who: &str, what: &str| {
        let is_it = |row: &sheet::Row| row.3 == who && row.4.starts_with(what);
        sheet.rows.iter().position(is_it).unwrap_or_else(|| panic!("{who} {what}"))
    };
    let belongs = |one: usize, other: usize| sheet.rows[one].6.iter().any(|tie| sheet.rows[other].6.contains(tie));
    let kick = position("server -> phone-1", "kick ");
    for (who, what) in [
        ("server", "  session ended"),
        ("server", "commit 3"),
        ("phone-1 => app", "kicked_offline"),
        ("phone-1 -> server", "kick_confirmed"),
        ("server", "  session accepted"),
    ] {
        assert!(belongs(kick, position(who, what)), "{who} {what}");
    }
    let call = position("phone-2 <= app", "login");
    assert!(belongs(call, position("phone-2 -> server", "login")));
    assert!(belongs(call, position("phone-2 => app", "login answered")));
    assert!(!belongs(call, position("phone-1 => app", "login answered")));
}

#[test]
fn a_long_run_is_shown_around_what_matters() {
    let (mut head, run) = ran(&file("kick_reaches_a_device_that_was_offline"));
    let event = run.trace.events.len() / 2;
    let whole = sheet_of(&head, &run, usize::MAX);
    assert_eq!((whole.first, whole.ledger), (0, None));
    head.wrong.push(Wrong {
        what: "KICK-1 violated".to_owned(),
        rule: Some("KICK-1"),
        rule_text: None,
        property: None,
        instead: "nothing".to_owned(),
        fingerprint: None,
        at_us: 0,
        event: Some(event),
        also: Vec::new(),
    });
    let part = sheet_of(&head, &run, 20);
    assert_eq!((part.rows.len(), part.events_all), (20, run.trace.events.len()));
    assert!((part.first..part.first + 20).contains(&event));
    assert!(part.ledger.is_some_and(|ledger| ledger.contains("session_accepted")));
    let end = part.first + 20;
    assert!(part.arrows.iter().all(|arrow| arrow.from < end && arrow.to.unwrap_or(arrow.from) >= part.first));
    assert!(part.marks.iter().all(|mark| (part.first..end).contains(&mark.event)));
    assert!(part.sessions.len() <= whole.sessions.len() && part.arrows.len() < whole.arrows.len());
}

#[test]
fn two_runs_part_where_a_story_says_something_else() {
    let scenario = file("kick_reaches_a_device_that_was_offline");
    let (head, first) = ran(&scenario);
    let part = |second: &Run| beside::first_difference(&first.trace, &second.trace);
    assert_eq!(part(&first), None);
    let mut later = scenario.clone();
    for step in later.steps.iter_mut().skip(2) {
        step.at += std::time::Duration::from_millis(300);
    }
    let (_, later) = ran(&later);
    assert_eq!(part(&later), None, "times alone are no difference");
    let mut other = scenario.clone();
    other.steps.remove(1);
    let (_, other) = ran(&other);
    let [ours, theirs] = part(&other).expect("nothing breaks there");
    assert_eq!(first.trace.events[ours.unwrap()].actor, Actor::World);
    assert!(theirs.is_none_or(|theirs| other.trace.events[theirs].at >= first.trace.events[ours.unwrap()].at));
    let shown = |run| Shown { head: &head, trace: run, log: &[] };
    let data = data(&[shown(&first.trace), shown(&other.trace)], EVENTS_MAX);
    assert_eq!((data.sides.len(), data.differs), (2, Some([ours, theirs])));
}

/// What stands between two texts of a page.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = &page[page.find(from).unwrap_or_else(|| panic!("{from}")) + from.len()..];
    &rest[..rest.find(to).unwrap_or_else(|| panic!("{to}"))]
}

/// What a page shows, inflated.
pub(super) fn data_of(page: &str) -> Json {
    let data = STANDARD.decode(between(page, "id=\"data\">", "</script>")).unwrap();
    let mut json = String::new();
    ZlibDecoder::new(&data[..]).read_to_string(&mut json).unwrap();
    serde_json::from_str(&json).unwrap()
}

#[test]
fn a_page_is_one_file_that_reaches_nothing_else() {
    let mut scenario = file("kick_reaches_a_device_that_was_offline");
    scenario.title = "A <b>bold</b> {{data}} & \"quoted\" title".to_owned();
    let (head, run) = ran(&scenario);
    let shown = Shown { head: &head, trace: &run.trace, log: &[] };
    let page = page(&[shown]);
    assert_eq!(
        between(&page, "<title>", "</title>"),
        "A &lt;b&gt;bold&lt;/b&gt; {{data}} &amp; &quot;quoted&quot; title"
    );
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"), "{policy}");
    for reaches in ["<link", " src=", "url(", "@import", "fetch(", "XMLHttpRequest", "<img", "<iframe"] {
        assert!(!page.contains(reaches), "{reaches}");
    }
    let held = data_of(&page);
    assert_eq!(held["sides"][0]["sheet"]["rows"].as_array().unwrap().len(), run.trace.events.len());
    assert_eq!(held["sides"][0]["head"]["digest"], run.trace.digest.to_string());
    assert_eq!(held["sides"][0]["head"]["steps"].as_array().unwrap().len(), scenario.steps.len());
}

#[test]
fn the_scripts_are_those_that_are_kept_and_small() {
    let size = html::own_script().len();
    assert!(size <= 40_000, "{size} bytes: the page's own scripts are 40 kB at most");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
    let locked = std::fs::read_to_string(format!("{folder}/vendor/locked")).unwrap();
    let source = include_str!("html.rs");
    let mut rest = source;
    for package in locked.lines().map(|line| line.split(' ').next().unwrap()) {
        let name = format!("\"vendor/{package}.min.js\"");
        let found =
            rest.find(&name).unwrap_or_else(|| panic!("{name} is not among the libraries, or in another order"));
        rest = &rest[found + name.len()..];
        let licence = std::fs::read_to_string(format!("{folder}/vendor/{package}.LICENSE")).unwrap();
        assert!(licence.starts_with("Copyright"), "{package}");
    }
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.ends_with(".js") || source.contains(&format!("\"{name}\"")), "{name} is in no page");
    }
}
