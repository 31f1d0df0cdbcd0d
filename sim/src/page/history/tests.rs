//! What the page of a history holds, against the run that the history is of.

use std::collections::BTreeMap;

use super::*;
use crate::generate::{self, Profile, Seed};
use crate::history::keyhole;
use crate::judge::{Judgement, Recording, Source, judge_sources};
use crate::page::Sheet;
use crate::page::tests::data_of;
use crate::trace::{Actor, Effect, Trace, What};
use crate::world::World;

/// A history as it was judged and kept.
struct Known {
    judgement: Judgement,
    recording: Recording,
}

impl Known {
    fn of(history: &str) -> Known {
        let mut recording = Recording::default();
        let source = Source { name: "h.jsonl".to_owned(), text: Box::new(history.as_bytes()) };
        let judgement = judge_sources(vec![source], &[], Some(&mut recording)).unwrap();
        assert_eq!(judgement.mistakes, []);
        Known { judgement, recording }
    }

    fn with<T>(&self, look: impl FnOnce(&Judged<'_>) -> T) -> T {
        let files = ["h.jsonl".to_owned()];
        let Known { judgement, recording } = self;
        look(&Judged { files: &files, judgement, said: "some sentence", recording })
    }

    fn sheet(&self, events_max: usize) -> Sheet {
        self.with(|judged| sheet::of(judged, events_max))
    }
}

fn seen(observes: &str, trace: impl Fn(&Trace, &Known)) {
    for number in 0..25 {
        let scenario = generate::scenario(Seed { profile: Profile::Swarm, number });
        let run = crate::run(&scenario, World::Event).expect("every seed runs");
        trace(&run.trace, &Known::of(&keyhole::history(&scenario, observes.parse().unwrap(), &run.trace)));
    }
}

fn count(trace: &Trace, is_it: impl Fn(&What) -> bool) -> usize {
    trace.events.iter().filter(|event| matches!(event.actor, Actor::Device(_)) && is_it(&event.what)).count()
}

#[test]
fn everything_that_a_history_tells_is_drawn_once() {
    seen("calls,events,status,process,link", |trace, known| {
        let sheet = known.sheet(usize::MAX);
        assert_eq!((sheet.rows.len(), sheet.events_all), (known.judgement.events as usize, sheet.rows.len()));
        assert_eq!(sheet.calls.len(), count(trace, |what| matches!(what, What::Called { .. })));
        let marks = |look: &str| sheet.marks.iter().filter(|mark| mark.look == look).count();
        assert_eq!(marks("told"), count(trace, |what| matches!(what, What::Told { .. })));
        assert_eq!(marks("status"), count(trace, |what| matches!(what, What::Status { .. })));
        let dead = |what: &What| matches!(what, What::Effect { effect: Effect::ProcessDead { .. } });
        let dies = trace.events.iter().filter(|event| dead(&event.what)).count();
        assert_eq!(sheet.bands.iter().filter(|band| band.word == "dead").count(), dies);
        assert!(
            sheet.arrows.is_empty() && sheet.commits.is_empty() && sheet.links.is_empty() && sheet.ledger.is_none()
        );
        let ends = |from: usize, to: Option<usize>| to.is_none_or(|to| from <= to && to < sheet.rows.len());
        assert!(sheet.calls.iter().all(|call| ends(call.from, call.to) && call.to.is_some() == call.outcome.is_some()));
        assert!(sheet.sessions.iter().all(|bar| ends(bar.from, bar.to) && bar.to.is_some() == bar.reason.is_some()));
    });
}

#[test]
fn a_bar_is_open_at_the_end_where_the_status_says_that_somebody_is_logged_in() {
    let mut open = 0;
    for number in 0..25 {
        let scenario = generate::scenario(Seed { profile: Profile::Swarm, number });
        let run = crate::run(&scenario, World::Event).expect("every seed runs");
        let history = keyhole::history(&scenario, "calls,events,status,process,link".parse().unwrap(), &run.trace);
        let sheet = Known::of(&history).sheet(usize::MAX);
        let mut status: BTreeMap<usize, String> = BTreeMap::new();
        for row in &sheet.rows {
            if row.4.starts_with("status ") || ["process up", "process dead"].contains(&row.4.as_str()) {
                status.insert(row.1, row.4.clone());
            }
        }
        let bars = sheet.sessions.iter().filter(|bar| bar.to.is_none());
        let bars: BTreeMap<usize, &str> = bars.map(|bar| (bar.lane, bar.user.as_str())).collect();
        let wanted = |said: &String| said.strip_prefix("status LOGINED login_user=").map(str::to_owned);
        let wanted = status.iter().filter_map(|(&lane, said)| Some((lane, wanted(said)?)));
        let wanted: BTreeMap<usize, String> = wanted.collect();
        let bars: BTreeMap<usize, String> = bars.into_iter().map(|(lane, user)| (lane, user.to_owned())).collect();
        assert_eq!(bars, wanted, "seed {number}");
        open += bars.len();
    }
    assert!(open > 5, "{open}");
}

const NEVER_TOLD: &str = include_str!("../../../../examples/histories/never-told.jsonl");

#[test]
fn the_lines_to_blame_belong_together_and_a_long_history_is_shown_around_them() {
    let known = Known::of(NEVER_TOLD);
    let head = known.with(|judged| head(judged, "1.2.3", "gatecrash judge h.jsonl"));
    assert_eq!((head.wrong[0].event, &head.wrong[0].also[..]), (Some(0), &[6][..]));
    assert!(head.wrong[0].instead.ends_with("(h.jsonl:2, h.jsonl:8)"), "{}", head.wrong[0].instead);
    let whole = known.sheet(usize::MAX);
    assert!(whole.rows[0].6.iter().any(|tie| whole.rows[6].6.contains(tie)));
    assert_eq!(whole.lanes.iter().map(|lane| lane.what.as_str()).collect::<Vec<_>>(), ["", "android", "ios"]);
    let part = known.sheet(6);
    assert_eq!((part.first, part.rows.len(), part.events_all), (0, 6, 13));
    assert_eq!(part.lanes.len(), 2, "nothing of the other phone is in the window");
    assert!(part.ledger.is_some_and(|ledger| ledger.contains("told             4")));
}

#[test]
fn the_four_answers_stand_above_and_what_was_not_judged_is_called_so() {
    let answers = answers(&Known::of(NEVER_TOLD).judgement);
    let names: Vec<&str> = answers.iter().map(|[name, _]| name.as_str()).collect();
    assert_eq!(names[0], "1 rule: violated");
    assert!(names[2].ends_with("rules: not judged, their situation never came"), "{names:?}");
    assert!(names[3].ends_with("rules: not judged, the history does not hold what it takes"), "{names:?}");
    assert!(answers[3][1].contains("INIT-2     takes frames, server  "), "{}", answers[3][1]);
    let unsettled = Known::of(&NEVER_TOLD.lines().take(7).collect::<Vec<_>>().join("\n"));
    let head = unsettled.with(|judged| head(judged, "1.2.3", ""));
    assert_eq!((head.verdict.as_str(), head.wrong[0].instead.as_str()), ("not_settled", "some sentence"));
}

/// Whatever somebody calls a system, a device or a user, it is text on the page.
#[test]
fn nothing_in_a_history_ends_its_page() {
    let hostile = "</script><b>&\"'`{{data}}\u{202e}\n";
    let text = serde_json::to_string(hostile).unwrap();
    let history =
        NEVER_TOLD.replace("\"acme-im 3.2\"", &text).replace("\"phone-1\"", &text).replace("\"alice\"", &text);
    let page = Known::of(&history).with(|judged| of_history(judged, "1.2.3", "gatecrash judge h.jsonl"));
    assert!(page.contains("<title>&lt;/script&gt;&lt;b&gt;&amp;&quot;"));
    assert!(!page.contains("<b>") && page.matches("</script>").count() == 3);
    let held = data_of(&page);
    let sheet = &held["sides"][0]["sheet"];
    assert_eq!((&sheet["lanes"][1]["name"], &sheet["sessions"][0]["user"]), (&hostile.into(), &hostile.into()));
}
