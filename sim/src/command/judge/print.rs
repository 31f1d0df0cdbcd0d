//! What `judge` says of a history: to people in words, to programs as JSON.

use std::io;

use gatecrash_sim::history::Unmapped;
use gatecrash_sim::judge::{Answer, Judgement, Verdict};
use gatecrash_sim::search::report::breach::{in_full, title};
use gatecrash_sim::search::report::escaped;
use serde_json::json;

use super::super::{Colour, colours, complain, count, paint, say, thousands};
use super::Arguments;

/// How many breaches are told in full.
const TOLD_MAX: usize = 20;

/// Says what is wrong with a history that cannot be read.
pub fn mistakes(files: &[String], judgement: &Judgement) {
    for mistake in &judgement.mistakes {
        complain(escaped(&mistake.to_string()));
    }
    let more = judgement.more_mistakes;
    if more > 0 {
        complain(format_args!("and {} more", count(more as usize, "mistake")));
    }
    if judgement.mistakes.is_empty() {
        complain(format_args!("{}: there is no line in it", escaped(&files.join(" "))));
    }
}

/// Says it in words.
pub fn in_words(arguments: &Arguments, files: &[String], judgement: &Judgement) {
    if judgement.verdict() == Verdict::Unreadable {
        mistakes(files, judgement);
        return;
    }
    let name = files.join(" ");
    let on = colours(&io::stdout());
    say(format_args!("{} ({})\n", escaped(&judgement.system), escaped(&name)));
    for breach in judgement.breaches.iter().take(TOLD_MAX) {
        let title = paint(&format!("  {}", title(breach)), Colour::Red, on);
        say(format_args!("{title}\n{}", in_full(breach, files, "    ")));
    }
    let more = judgement.breaches.len().saturating_sub(TOLD_MAX) as u64 + judgement.more;
    if more > 0 {
        say(format_args!("  and {} more\n", count(more as usize, "violation")));
    }
    say(table(arguments.all, judgement));
    for why in &judgement.undecided {
        say(format_args!("undecided: {}", escaped(why)));
    }
    for Unmapped { times, file, line, text } in &judgement.unmapped {
        let (times, file, text) = (count(*times as usize, "line"), escaped(file), escaped(text));
        say(format_args!("unmapped: {times} such as {file}:{line}: {text}"));
    }
    say(summary(arguments.map.is_some(), judgement, on));
}

/// The answers: a line for each rule that was judged, and one for the others together, unless all are asked for.
fn table(all: bool, judgement: &Judgement) -> String {
    let mut text = String::new();
    let (mut unseen, mut idle) = (0, Vec::new());
    for (rule, answer) in &judgement.answers {
        let why = why(answer);
        if !all {
            match answer {
                Answer::NotObserved { .. } => {
                    unseen += 1;
                    continue;
                }
                Answer::NothingToJudge => {
                    idle.push(rule.as_str());
                    continue;
                }
                Answer::Holds { .. } | Answer::Violated { .. } => {}
            }
        }
        text.push_str(&format!("  {:<10} {:<17} {why}\n", rule.as_str(), answer.word()));
    }
    if !idle.is_empty() {
        text.push_str(&format!(
            "  {} with nothing to judge, their situation never came: {}\n",
            count(idle.len(), "rule"),
            idle.join(" ")
        ));
    }
    if unseen > 0 {
        text.push_str(&format!("  {} not observed: --all tells what each would take\n", count(unseen, "rule")));
    }
    text
}

/// How often a rule was judged or broken, or why it was not judged.
pub fn why(answer: &Answer) -> String {
    match answer {
        Answer::Holds { judged: 0 } => "judged".to_owned(),
        Answer::Holds { judged } => format!("judged {}", times(*judged)),
        Answer::Violated { times: number } => times(*number),
        Answer::NotObserved { lacks } => format!("it would take {lacks}"),
        Answer::NothingToJudge => "its situation never came".to_owned(),
    }
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{} times", thousands(number)) }
}

/// What came of it, in a sentence.
pub fn verdict(is_log: bool, judgement: &Judgement) -> String {
    let holds = judgement.answers.iter().filter(|(_, answer)| matches!(answer, Answer::Holds { .. })).count();
    match judgement.verdict() {
        Verdict::Holds => format!("holds: {} judged", count(holds, "rule")),
        Verdict::Violated => {
            let times = judgement.breaches.len() as u64 + judgement.more;
            format!("violated: {}", count(times as usize, "violation"))
        }
        Verdict::NothingJudged => "nothing judged: of no rule that was asked for did the situation come".to_owned(),
        Verdict::Undecided => format!("undecided: {} judged, and not everything could be", count(holds, "rule")),
        Verdict::NotSettled | Verdict::Unreadable => {
            let why = match judgement.settled {
                None if is_log => {
                    "nothing says that all had come to rest when the log ended: --settled does, or `settled = true` in the map's [head]"
                }
                None => {
                    "the history has no end: a last line {\"at_us\":…,\"what\":\"end\",\"settled\":true} says that all had come to rest"
                }
                Some(_) => "the history says that not everything had come to rest",
            };
            format!("not settled: {why}")
        }
    }
}

fn summary(is_log: bool, judgement: &Judgement, on: bool) -> String {
    let colour = if judgement.verdict() == Verdict::Holds { Colour::Green } else { Colour::Red };
    let (word, events) = (verdict(is_log, judgement), count(judgement.events as usize, "event"));
    let inside = match judgement.inside {
        0 => String::new(),
        lines => format!(", {} passed over that nobody outside sees", count(lines as usize, "line")),
    };
    let dropped = match judgement.dropped {
        0 => String::new(),
        lines => format!(", {} dropped by the map", count(lines as usize, "line")),
    };
    paint(&format!("{word}; {events}{inside}{dropped}"), colour, on)
}

/// It as JSON.
pub fn in_json(name: &str, files: &[String], judgement: &Judgement) -> String {
    let answers: Vec<serde_json::Value> = judgement
        .answers
        .iter()
        .map(|(rule, answer)| {
            let mut object = json!({ "rule": rule.as_str(), "answer": answer.word() });
            match answer {
                Answer::Holds { judged } => object["judged"] = json!(judged),
                Answer::Violated { times } => object["times"] = json!(times),
                Answer::NotObserved { lacks } => {
                    object["lacks"] = lacks.iter().map(|channel| json!(channel.word())).collect();
                }
                Answer::NothingToJudge => {}
            }
            object
        })
        .collect();
    let violations: Vec<serde_json::Value> = judgement
        .breaches
        .iter()
        .map(|breach| {
            let lines: Vec<serde_json::Value> = breach
                .lines
                .iter()
                .map(|line| json!({ "file": files.get(line.file as usize), "line": line.line }))
                .collect();
            json!({
                "rule": breach.rule.as_str(),
                "property": breach.property,
                "instead": breach.text,
                "at_us": breach.at,
                "actor": breach.actor,
                "lines": lines,
            })
        })
        .collect();
    let mistakes: Vec<serde_json::Value> = judgement
        .mistakes
        .iter()
        .map(|mistake| {
            json!({ "file": mistake.file, "line": mistake.line, "column": mistake.column, "text": mistake.text })
        })
        .collect();
    let unmapped: Vec<serde_json::Value> = judgement
        .unmapped
        .iter()
        .map(|Unmapped { times, file, line, text }| json!({ "times": times, "file": file, "line": line, "text": text }))
        .collect();
    json!({
        "path": name,
        "system": judgement.system,
        "verdict": judgement.verdict().word(),
        "settled": judgement.settled,
        "events": judgement.events,
        "inside": judgement.inside,
        "dropped": judgement.dropped,
        "unmapped": unmapped,
        "rules": answers,
        "violations": violations,
        "more_violations": judgement.more,
        "undecided": judgement.undecided,
        "mistakes": mistakes,
        "more_mistakes": judgement.more_mistakes,
    })
    .to_string()
}
