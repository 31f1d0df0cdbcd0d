//! `gatecrash judge`: what somebody else recorded, rule by rule.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use gatecrash_sim::history::{Map, Mistake, Unmapped};
use gatecrash_sim::judge::{Answer, Breach, Judgement, Source, Verdict, judge_log, judge_sources};
use gatecrash_sim::scenario::nearest;
use gatecrash_sim::scenario::rules::{RULES, RuleId};
use gatecrash_sim::search::report::escaped;
use serde_json::json;

use super::files::BadInput;
use super::{Colour, End, colours, complain, count, paint, say, thousands};

/// Judge what somebody else recorded
///
/// Reads histories: JSON Lines that say what applications called and were told, the first line saying of which system and
/// what the history holds (docs/histories.md). Of each rule it gives one of four answers: it holds, it is violated, it is not
/// observed, or there was nothing to judge. A file whose first line does not say what it holds goes on with the history of the
/// file before, so that each device may have a file of its own. `-` is standard input.
///
/// Nothing judged is never green: it exits with 2 when nothing could be judged, when the history does not say that everything
/// had come to rest, and when something could not be decided.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash judge history.jsonl            what does it say of the rules?
  gatecrash judge phone.jsonl pad.jsonl    a file for each device
  my-logs | gatecrash judge -              from a pipe
  gatecrash judge --rules KICK,POLICY h.jsonl
                                           of these rules, or of those that begin so
  gatecrash judge --all history.jsonl      also the rules that no history can show
  gatecrash judge --json history.jsonl     for programs
  gatecrash judge --map map.toml im.log    a log as it is, and what its lines mean

Exit codes: 0 holds, 1 violated, 2 nothing judged, not settled or undecided, 3 bad input.")]
pub struct Arguments {
    /// Histories; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Only these rules, or those whose ids begin so
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    rules: Vec<String>,
    /// The files are logs as they are, all of one history; this file says what their lines mean
    #[arg(long, value_name = "MAP")]
    map: Option<PathBuf>,
    /// Everything had come to rest when the logs ended
    #[arg(long, requires = "map")]
    settled: bool,
    /// Also tell what of each rule that was not judged is missing
    #[arg(long)]
    all: bool,
    /// Print one JSON object for each history instead of text
    #[arg(long)]
    json: bool,
}

/// How many breaches are told in full.
const TOLD_MAX: usize = 20;

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    match judged(arguments) {
        Ok(end) => end,
        Err(bad_input) => bad_input.report(arguments.json),
    }
}

fn judged(arguments: &Arguments) -> Result<End, BadInput> {
    let rules = rules(&arguments.rules)?;
    let histories = match arguments.map {
        Some(_) => vec![arguments.files.iter().map(PathBuf::as_path).collect()],
        None => histories(&arguments.files)?,
    };
    let mut end = End::Passed;
    for files in histories {
        let sources = files.iter().map(|file| source(file)).collect::<Result<Vec<_>, _>>()?;
        let name = files[0].display().to_string();
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let judgement = match &arguments.map {
            Some(map) => match read_map(map)? {
                Ok(mut map) => {
                    if arguments.settled {
                        map.settle();
                    }
                    judge_log(sources, &mut map, &rules)
                }
                Err(mistakes) => Ok(Judgement::unreadable(mistakes)),
            },
            None => judge_sources(sources, &rules),
        };
        let judgement = judgement.map_err(|error| BadInput::Refused(format!("{name}: {error}")))?;
        match arguments.json {
            true => say(in_json(&name, &names, &judgement)),
            false => in_words(arguments, &names, &judgement),
        }
        end = worse(end, end_of(judgement.verdict()));
    }
    Ok(end)
}

fn read_map(file: &Path) -> Result<Result<Map, Vec<Mistake>>, BadInput> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    Ok(Map::read(&text, &file.display().to_string()))
}

/// The rules that are meant; none for all of them.
fn rules(wanted: &[String]) -> Result<Vec<RuleId>, BadInput> {
    let mut rules = Vec::new();
    for word in wanted {
        let upper = word.to_uppercase();
        let family = format!("{}-", upper.trim_end_matches('-'));
        let before = rules.len();
        rules.extend(RuleId::all().filter(|rule| rule.as_str() == upper || rule.as_str().starts_with(&family)));
        if rules.len() == before {
            let meant = nearest(&upper, RULES.iter().map(|(id, _)| *id));
            let hint = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            return Err(BadInput::Refused(format!("--rules {word}: there is no such rule{hint}")));
        }
    }
    Ok(rules)
}

/// The files of each history: one without a first line of its own goes on with that of the file before.
fn histories(files: &[PathBuf]) -> Result<Vec<Vec<&Path>>, BadInput> {
    let mut histories: Vec<Vec<&Path>> = Vec::new();
    for file in files {
        let goes_on = !histories.is_empty() && !is_stdin(file) && !has_head(file)?;
        match histories.last_mut() {
            Some(last) if goes_on => last.push(file),
            _ => histories.push(vec![file]),
        }
    }
    Ok(histories)
}

fn has_head(file: &Path) -> Result<bool, BadInput> {
    let mut text = open(file)?;
    let mut first = Vec::new();
    let read = io::BufRead::read_until(&mut io::Read::take(&mut text, 1024 * 1024), b'\n', &mut first);
    read.map_err(|error| unreadable(file, &error))?;
    let first: Option<serde_json::Value> = serde_json::from_slice(&first).ok();
    Ok(first.is_some_and(|first| first.get("history").is_some()))
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn open(file: &Path) -> Result<BufReader<File>, BadInput> {
    let opened = File::open(file).and_then(|opened| match opened.metadata()?.is_dir() {
        true => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        false => Ok(opened),
    });
    opened.map(|file| BufReader::with_capacity(256 * 1024, file)).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &io::Error) -> BadInput {
    BadInput::Refused(format!("cannot read {}: {error}", file.display()))
}

fn source(file: &Path) -> Result<Source<'static>, BadInput> {
    let name = file.display().to_string();
    let text: Box<dyn io::BufRead> = match is_stdin(file) {
        true => Box::new(BufReader::with_capacity(256 * 1024, io::stdin())),
        false => Box::new(open(file)?),
    };
    Ok(Source { name, text })
}

fn end_of(verdict: Verdict) -> End {
    match verdict {
        Verdict::Holds => End::Passed,
        Verdict::Violated => End::Violated,
        Verdict::NothingJudged | Verdict::NotSettled | Verdict::Undecided => End::NotConverged,
        Verdict::Unreadable => End::BadInput,
    }
}

/// The end that weighs more: bad input, violated, not decided, passed.
fn worse(one: End, other: End) -> End {
    let weight = |end: End| match end {
        End::Passed => 0,
        End::NotConverged => 1,
        End::Violated => 2,
        _ => 3,
    };
    if weight(other) > weight(one) { other } else { one }
}

fn in_words(arguments: &Arguments, files: &[String], judgement: &Judgement) {
    let name = files.join(" ");
    if judgement.verdict() == Verdict::Unreadable {
        for mistake in &judgement.mistakes {
            complain(escaped(&mistake.to_string()));
        }
        let more = judgement.more_mistakes;
        if more > 0 {
            complain(format_args!("and {} more", count(more as usize, "mistake")));
        }
        if judgement.mistakes.is_empty() {
            complain(format_args!("{name}: there is no line in it"));
        }
        return;
    }
    let on = colours(&io::stdout());
    say(format_args!("{} ({})\n", escaped(&judgement.system), escaped(&name)));
    for breach in judgement.breaches.iter().take(TOLD_MAX) {
        say(told(files, breach, on));
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

/// A breach: the rule, what it demands, what happened instead, and which lines say so.
fn told(files: &[String], breach: &Breach, on: bool) -> String {
    let Breach { rule, property, text, at, actor, lines } = breach;
    let at = format!("{}.{:03} s", at / 1_000_000, at / 1_000 % 1_000);
    let whom = if actor.is_empty() { String::new() } else { format!("{} at ", escaped(actor)) };
    let lines: Vec<String> = lines
        .iter()
        .map(|line| match files.get(line.file as usize) {
            Some(file) => format!("{}:{}", escaped(file), line.line),
            None => line.line.to_string(),
        })
        .collect();
    format!(
        "{}\n    rule      {}\n    property  {property}\n    instead   {}\n    lines     {}\n",
        paint(&format!("  {rule} violated: {whom}{at}"), Colour::Red, on),
        rule.text(),
        escaped(text),
        lines.join(", ")
    )
}

/// The answers: a line for each rule that was judged, and one for the others together, unless all are asked for.
fn table(all: bool, judgement: &Judgement) -> String {
    let mut text = String::new();
    let (mut unseen, mut idle) = (0, Vec::new());
    for (rule, answer) in &judgement.answers {
        let why = match answer {
            Answer::Holds { judged: 0 } => "judged".to_owned(),
            Answer::Holds { judged } => format!("judged {}", times(*judged)),
            Answer::Violated { times: number } => times(*number),
            Answer::NotObserved { lacks } => format!("it would take {lacks}"),
            Answer::NothingToJudge => "its situation never came".to_owned(),
        };
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

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{} times", thousands(number)) }
}

fn summary(is_log: bool, judgement: &Judgement, on: bool) -> String {
    let holds = judgement.answers.iter().filter(|(_, answer)| matches!(answer, Answer::Holds { .. })).count();
    let events = count(judgement.events as usize, "event");
    let (word, colour) = match judgement.verdict() {
        Verdict::Holds => (format!("holds: {} judged", count(holds, "rule")), Colour::Green),
        Verdict::Violated => {
            let times = judgement.breaches.len() as u64 + judgement.more;
            (format!("violated: {}", count(times as usize, "violation")), Colour::Red)
        }
        Verdict::NothingJudged => {
            ("nothing judged: of no rule that was asked for did the situation come".to_owned(), Colour::Red)
        }
        Verdict::Undecided => {
            (format!("undecided: {} judged, and not everything could be", count(holds, "rule")), Colour::Red)
        }
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
            (format!("not settled: {why}"), Colour::Red)
        }
    };
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

fn in_json(name: &str, files: &[String], judgement: &Judgement) -> String {
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
