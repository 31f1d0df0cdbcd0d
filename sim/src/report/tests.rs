//! What a report says of runs, and how: diagrams, traces, annotations, and what adds up.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::judge::{Answer, Judged, Recording, Source, judge_sources};
use crate::page::{self, Head};
use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::search::report::Case;
use crate::world::World;
use crate::{Run, generate, run};

fn identity() -> Identity {
    Identity {
        version: "1.2.3".to_owned(),
        commit: Some("abc".to_owned()),
        has_changes: false,
        lock: "5d0a".to_owned(),
        toolchain: "rustc 1.2.3".to_owned(),
        target: "x86_64".to_owned(),
    }
}

fn finding(fingerprint: &str) -> Finding {
    let (path, world) = ("a,b.toml".to_owned(), Some("event".to_owned()));
    let origin = Origin { path, title: "A".to_owned(), sum: None, world };
    Finding {
        rule: Some("KICK-1".to_owned()),
        instead: Some("100% of them\nwere not".to_owned()),
        place: Some(Place { file: "a,b.toml".to_owned(), line: 7, column: None }),
        ..Finding::new(Kind::Violated, fingerprint.to_owned(), "a kick is told, once: at once".to_owned(), origin)
    }
}

fn runs(asked: &[&str], ran: &[&str]) -> Report {
    let runs = Runs {
        worlds: vec!["event".to_owned()],
        runs_each: 1,
        seeds: None,
        asked: asked
            .iter()
            .map(|path| Asked {
                path: (*path).to_owned(),
                name: (*path).to_owned(),
                title: String::new(),
                sum: String::new(),
            })
            .collect(),
        ran: ran
            .iter()
            .map(|path| Ran {
                path: (*path).to_owned(),
                world: "event".to_owned(),
                seeds: None,
                result: "passed".to_owned(),
                events: 1,
                simulated_us: 1,
                wall_seconds: 0.5,
                digest: None,
            })
            .collect(),
        digest: None,
    };
    Report { ended: Ended::Finished, ..Report::new(identity(), Subject::Run(runs)) }
}

#[test]
fn nothing_that_did_not_run_is_green() {
    assert!(runs(&["a", "b"], &["a", "b"]).is_green());
    assert!(!runs(&[], &[]).is_green(), "nothing was judged");
    let short = runs(&["a", "b"], &["a"]);
    assert!(!short.is_green());
    assert_eq!(short.not_run(), [("b".to_owned(), "b did not run in the event world".to_owned())]);
    // Under many seeds as under one.
    let mut under = runs(&["a", "b"], &["a", "b"]);
    let Subject::Run(of) = &mut under.subject else { panic!("they are runs") };
    of.seeds = Some(Seeds { first: 0, number: 10 });
    (of.ran[0].seeds, of.ran[1].seeds) = (Some(9), Some(10));
    assert_eq!(of.finished(), 1);
    assert_eq!(under.not_run(), [("a".to_owned(), "a ran under 9 of 10 seeds in the event world".to_owned())]);
    for ended in [Ended::NotYet, Ended::Told, Ended::Refused("no".to_owned())] {
        assert!(!Report { ended, ..runs(&["a"], &["a"]) }.is_green());
    }
    let of = |finished, left_out| {
        let sweep = Sweep {
            asked: Seeds { first: 5, number: 10 },
            finished,
            left_out,
            properties: vec!["a sentence".to_owned()],
            ..Sweep::default()
        };
        Report { ended: Ended::Finished, ..Report::new(identity(), Subject::Sweep(sweep)) }.is_green()
    };
    assert_eq!([of(10, 0), of(9, 1), of(9, 0), of(0, 10), of(0, 0)], [true, true, false, false, false]);
}

#[test]
fn what_was_known_comes_last_and_is_red() {
    let before = Report { findings: vec![finding("old")], ..runs(&["a"], &["a"]) };
    let mut report = Report { findings: vec![finding("old"), finding("new")], ..runs(&["a,b.toml"], &["a,b.toml"]) };
    report.compare(&[before]);
    let order: Vec<(&str, bool)> = report.findings.iter().map(|it| (it.fingerprint.as_str(), it.is_known)).collect();
    assert_eq!(order, [("new", false), ("old", true)]);
    assert!(!report.is_green());
    report.compare(&[report.clone()]);
    assert!(report.findings.iter().all(|finding| finding.is_known) && !report.is_green());
}

#[test]
fn annotations_are_ten_at_most_and_nothing_in_them_ends_them() {
    let mut report = runs(&["a,b.toml", "c"], &["a,b.toml"]);
    report.findings = vec![finding("x")];
    assert_eq!(
        annotations::lines(&report),
        [
            "::error file=a%2Cb.toml,line=7,title=KICK-1 in a%2Cb.toml::a kick is told, once: at once%0A100%25 of them%0Awere not",
            "::error title=not run%3A c::c did not run in the event world",
        ]
    );
    report.findings = (0..30).map(|number| finding(&number.to_string())).collect();
    let lines = annotations::lines(&report);
    assert_eq!((lines.len(), lines[9].as_str()), (10, "::error title=gatecrash::and 22 more, which the summary has"));
}

#[test]
fn a_report_reads_back_and_one_of_another_form_does_not() {
    let report =
        Report { findings: vec![finding("x")], exhibits: vec![Exhibit::told("x", "told")], ..runs(&["a"], &["a"]) };
    let (_, text) = &report.files()[0];
    assert_eq!(Report::parse(text).unwrap(), report);
    let other = text.replacen("\"format\": 1", "\"format\": 2", 1);
    assert!(matches!(Report::parse(&other), Err(NoReport::Format(2))));
    assert!(matches!(Report::parse("{}"), Err(NoReport::Json(_))));
    assert!(matches!(Report::parse("<xml/>"), Err(NoReport::Json(_))));
}

/// A text with everything in it that means something to XML, Markdown and Mermaid.
const HOSTILE: &str = "<b>&\"'`;#%{}[]|end\\n]]>--\u{1b}[0m\u{0}";

#[test]
fn no_text_breaks_a_file() {
    let mut report = runs(&[HOSTILE], &[HOSTILE]);
    let origin =
        Origin { path: HOSTILE.to_owned(), title: HOSTILE.to_owned(), sum: None, world: Some("event".to_owned()) };
    report.findings =
        vec![Finding { origin, sentence: HOSTILE.to_owned(), exhibit: Some("x".to_owned()), ..finding("x") }];
    report.exhibits = vec![Exhibit::told("x", HOSTILE)];
    let files: BTreeMap<String, String> = report.files().into_iter().collect();
    let junit = &files["junit.xml"];
    assert!(
        junit.contains("&lt;b&gt;&amp;") && !junit.contains("<b>") && !junit.contains(['\u{0}', '\u{1b}']),
        "{junit}"
    );
    let sarif: Value = serde_json::from_str(&files["results.sarif"]).unwrap();
    assert!(sarif["runs"][0]["results"][0]["message"]["text"].as_str().unwrap().contains(HOSTILE));
    let summary = &files["summary.md"];
    assert!(summary.contains("### KICK-1: \\<b\\>\\&"), "{summary}");
}

/// Whatever a history calls a system, a device or a user, it is text in every file of its report.
#[test]
fn nothing_in_a_history_breaks_a_file() {
    let never_told = include_str!("../../../examples/histories/never-told.jsonl");
    let text = serde_json::to_string(HOSTILE).unwrap();
    let history =
        never_told.replace("\"acme-im 3.2\"", &text).replace("\"phone-1\"", &text).replace("\"alice\"", &text);
    let (files, mut recording) = ([HOSTILE.to_owned()], Recording::default());
    let source = Source { name: HOSTILE.to_owned(), text: Box::new(history.as_bytes()) };
    let judgement = judge_sources(vec![source], &[], Some(&mut recording)).unwrap();
    let judged = Judged { files: &files, judgement: &judgement, said: "", recording: &recording };
    let breach = &judgement.breaches[0];
    let Blame { told, diagram } = blame(&judged, breach.rule);
    let answered = |(rule, answer): &(RuleId, Answer)| Answered {
        rule: rule.as_str().to_owned(),
        answer: Given::from(answer),
        why: HOSTILE.to_owned(),
    };
    let asked = vec![History {
        files: files.to_vec(),
        system: judgement.system.clone(),
        verdict: Some(judgement.verdict().word().to_owned()),
        open: Some(HOSTILE.to_owned()),
        answers: judgement.answers.iter().map(answered).collect(),
        ..History::default()
    }];
    let mut report = Report { ended: Ended::Finished, ..Report::new(identity(), Subject::Judge(Histories { asked })) };
    report.findings = vec![Finding {
        instead: Some(breach.text.clone()),
        exhibit: Some("x".to_owned()),
        origin: Origin { path: HOSTILE.to_owned(), title: HOSTILE.to_owned(), sum: None, world: None },
        ..finding("x")
    }];
    report.findings[0].rule = Some(breach.rule.as_str().to_owned());
    report.exhibits = vec![Exhibit { diagram, ..Exhibit::told("x", &told) }];
    let files: BTreeMap<String, String> = report.files().into_iter().collect();
    let junit = &files["junit.xml"];
    assert!(!junit.contains("<b>") && !junit.contains(['\u{0}', '\u{1b}']), "{junit}");
    let sarif: Value = serde_json::from_str(&files["results.sarif"]).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["logicalLocations"][0]["name"], HOSTILE);
    let summary = &files["summary.md"];
    for said in [
        "\n## \\<b\\>\\&",
        "\n\\<b\\>\\&",
        "\n- the history can be read and says enough: \\<b\\>",
        "| violated | \\<b\\>\\&",
    ] {
        assert!(summary.contains(said), "{said:?} is missing in {summary}");
    }
    let diagram = summary.split("```mermaid\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    assert!(diagram.lines().all(|line| !line.contains(['`', '{', '}', '<', '\u{1b}', '\u{0}'])), "{diagram}");
    assert_eq!(diagram.lines().filter(|line| line.trim() == "end").count(), 1, "{diagram}");
    assert!(diagram.contains("participant d0 as #lt;b#gt;"), "{diagram}");
}

/// The two logins to blame are far apart, and both are drawn with what happened around them.
#[test]
fn a_diagram_of_a_long_history_shows_what_lies_around_each_line_to_blame() {
    let never_told = include_str!("../../../examples/histories/never-told.jsonl");
    let between: Vec<String> = (0..400)
        .map(|number| {
            let at = 2_000_000 + number * 1_000;
            format!(r#"{{"at_us":{at},"actor":"phone-1","what":"status","status":"LOGINED","login_user":"alice"}}"#)
        })
        .collect();
    let lines: Vec<&str> = never_told.lines().collect();
    let history =
        [&lines[..7], &between.iter().map(String::as_str).collect::<Vec<_>>(), &lines[7..]].concat().join("\n");
    let mut recording = Recording::default();
    let source = Source { name: "h.jsonl".to_owned(), text: Box::new(history.as_bytes()) };
    let judgement = judge_sources(vec![source], &[], Some(&mut recording)).unwrap();
    let files = ["h.jsonl".to_owned()];
    let judged = Judged { files: &files, judgement: &judgement, said: "", recording: &recording };
    let breach = judgement.breaches.iter().find(|breach| breach.rule.as_str() == "KICK-1").unwrap();
    let diagram = blame(&judged, breach.rule).diagram.unwrap();
    assert!(diagram.lines().count() <= mermaid::LINES_MAX, "{diagram}");
    for said in ["1.000 app calls login", "9.310 app calls login", "lines are left out", "rect rgba"] {
        assert!(diagram.contains(said), "{said:?} is missing in {diagram}");
    }
}

/// A scenario with much to tell, and its run in the event world.
fn told(expect: &str) -> (Scenario, Run) {
    let text = format!(
        r#"title = "Two phones"
rules = ["KICK-1"]
seed = 1
[devices]
phone-1 = {{ platform = "android", site = "home" }}
end = {{ platform = "android", site = "office" }}
[script]
until = "60s"
steps = """
0s   phone-1  login alice
1s   fault    partition home
2s   end      login alice
3s   fault    repair home
8s   end      send bob "a;b #1 <c> {{d}}"
9s   phone-1  login alice
20s  end      logout
30s  end      login alice
"""
expect = """
{expect}
"""
"#
    );
    let scenario = Scenario::parse("told.toml", &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    let run = run(&scenario, World::Event).unwrap();
    (scenario, run)
}

#[test]
fn a_diagram_shows_what_went_wrong_in_forty_lines_at_most() {
    let (scenario, run) = told("end  status LOGOUT at 4s");
    let case = Case { path: "told.toml", scenario: &scenario, world: World::Event, seed: None };
    let head = Head::of(&case, &run, "1.2.3");
    let (exhibit, files) = exhibit(&Shown { name: "told/of it", case, run: &run, head: &head, told: "told" });
    let diagram = exhibit.diagram.unwrap();
    let lines: Vec<&str> = diagram.lines().collect();
    assert!((30..=mermaid::LINES_MAX).contains(&lines.len()), "{diagram}");
    assert_eq!(lines[0], "sequenceDiagram");
    assert!(
        diagram.contains("\n    participant d0 as end\n") || diagram.contains("\n    participant d1 as end\n"),
        "{diagram}"
    );
    assert!(diagram.contains("-xd") && diagram.contains("LOST"), "the kick is lost: {diagram}");
    let rect = lines.iter().position(|line| line.trim().starts_with("rect ")).expect("what is wrong has a frame");
    assert_eq!(lines[rect + 3].trim(), "end");
    assert!(lines[rect + 2].contains("expected #96;end  status LOGOUT at 4s#96;"), "{diagram}");
    assert!(lines.iter().all(|line| line.chars().count() < 200 && !line.contains(['`', '{', '}'])), "{diagram}");
    assert_eq!(
        files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["pages/told-of-it.html", "traces/told-of-it.json"]
    );
}

/// Seeds of all sizes: no diagram is too long, and each has its head and as many frames as it opens.
#[test]
fn no_diagram_is_too_long() {
    for seed in 0..20_u64 {
        let scenario = generate::scenario(seed);
        let run = run(&scenario, World::Event).unwrap();
        for position in [0, run.trace.events.len() / 2, run.trace.events.len() - 1] {
            let diagram = mermaid::diagram(&run.trace, Some((position, "wrong".to_owned())));
            assert!(diagram.lines().count() <= mermaid::LINES_MAX, "seed {seed}: {diagram}");
            assert_eq!(diagram.matches("rect rgba").count(), 1, "seed {seed} at {position}: {diagram}");
            assert_eq!(diagram.lines().filter(|line| line.trim() == "end").count(), 1, "seed {seed}");
        }
    }
}

/// What the format asks for: phases that it has, whole numbers of microseconds, both ends of each arrow bound to a slice,
/// and on one track no slices that overlap without one being inside the other.
fn check_trace(text: &str) -> BTreeMap<String, usize> {
    let trace: Value = serde_json::from_str(text).unwrap();
    let mut phases: BTreeMap<String, usize> = BTreeMap::new();
    let mut slices: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    let (mut flows, mut named) = (BTreeMap::<u64, Vec<&str>>::new(), Vec::new());
    let number = |event: &Value, name: &str| event[name].as_u64().unwrap_or_else(|| panic!("{name} of {event}"));
    for event in trace["traceEvents"].as_array().unwrap() {
        let phase = event["ph"].as_str().unwrap();
        *phases.entry(phase.to_owned()).or_default() += 1;
        let track = (number(event, "pid"), number(event, "tid"));
        match phase {
            "M" if event["name"] == "thread_name" => named.push(track),
            "M" => {}
            "X" => {
                let at = number(event, "ts");
                slices.entry(track).or_default().push((at, at + number(event, "dur")));
            }
            "s" => flows.entry(number(event, "id")).or_default().push("s"),
            "f" => {
                assert_eq!(event["bp"], "e");
                flows.entry(number(event, "id")).or_default().push("f");
            }
            "i" => assert!(number(event, "ts") > 0 || event["ts"] == 0),
            other => panic!("no phase {other} is written"),
        }
    }
    assert!(flows.values().all(|ends| ends == &["s", "f"]), "{flows:?}");
    for (track, of) in &mut slices {
        assert!(named.contains(track), "{track:?} has no name");
        of.sort_by_key(|&(from, to)| (from, u64::MAX - to));
        for pair in of.windows(2) {
            let ((_, end), (from, to)) = (pair[0], pair[1]);
            assert!(from >= end || to <= end, "{pair:?} overlap on {track:?}");
        }
    }
    phases
}

#[test]
fn a_trace_has_the_form_that_perfetto_reads() {
    let (scenario, run) = told("end  status LOGOUT at 4s");
    let case = Case { path: "told.toml", scenario: &scenario, world: World::Event, seed: None };
    let head = Head::of(&case, &run, "1.2.3");
    let phases = check_trace(&perfetto::trace(&page::Shown { head: &head, trace: &run.trace, log: &[] }));
    let arrived = phases["s"];
    assert!(arrived > 10 && phases["f"] == arrived && phases["X"] > 2 * arrived && phases["i"] > 20, "{phases:?}");
    for seed in 0..10_u64 {
        let scenario = generate::scenario(seed);
        let run = crate::run(&scenario, World::Event).unwrap();
        let case = Case { path: "--seed 0", scenario: &scenario, world: World::Event, seed: None };
        let head = Head::of(&case, &run, "1.2.3");
        check_trace(&perfetto::trace(&page::Shown { head: &head, trace: &run.trace, log: &[] }));
    }
}
