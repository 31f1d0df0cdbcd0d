//! `gatecrash judge`: what somebody else recorded, rule by rule.

mod book;
pub mod picture;
mod print;
pub mod read;

use std::path::{Path, PathBuf};

use clap::Args;
use gatecrash_sim::judge::{Judged, Judgement, Recording, Verdict, judge_log, judge_sources};
use gatecrash_sim::scenario::rules::RuleId;
use gatecrash_sim::scenario::rules_meant;
use gatecrash_sim::search::report::{as_word, command_line};

use self::book::Book;
use super::files::BadInput;
use super::report::Wanted;
use super::{End, complain, now, say};

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
  gatecrash judge --report DIR h.jsonl     for CI: JUnit with a test for each rule, SARIF, a summary, a page
  gatecrash judge --page h.html h.jsonl    a picture of it beside its story

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
    /// Write a page of the history to this file
    #[arg(long, value_name = "HTML")]
    page: Option<PathBuf>,
    #[command(flatten)]
    report: Wanted,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    let refuse = |bad_input: &BadInput| Book::refuse(&arguments.report, bad_input, arguments.json);
    let (rules, histories) = match asked(arguments) {
        Ok(asked) => asked,
        Err(bad_input) => return refuse(&bad_input),
    };
    let mut book = match Book::begin(&arguments.report, &histories, arguments.json) {
        Ok(book) => book,
        Err(bad_input) => return bad_input.report(arguments.json),
    };
    let start = now();
    let mut end = End::Passed;
    for files in &histories {
        let is_kept = book.is_wanted() || arguments.page.is_some();
        let judge = |recording: Option<&mut Recording>| judged(arguments, files, &rules, recording);
        let judged = if is_kept { picture::kept(files, judge) } else { judge(None).map(|judgement| (judgement, None)) };
        let (judgement, recording) = match judged {
            Ok(judged) => judged,
            Err(bad_input) => return book.refused(&bad_input, arguments.json),
        };
        let names = names(files);
        match arguments.json {
            true => say(print::in_json(&names[0], &names, &judgement)),
            false => print::in_words(arguments, &names, &judgement),
        }
        end = worse(end, end_of(judgement.verdict()));
        if let Some(recording) = recording {
            let replay = command(arguments, &names);
            let said = print::verdict(arguments.map.is_some(), &judgement);
            let judged = Judged { files: &names, judgement: &judgement, said: &said, recording: &recording };
            if let Some(path) = &arguments.page
                && judgement.verdict() != Verdict::Unreadable
                && let Err(failed) = picture::write(path, &judged, &replay, arguments.json)
            {
                complain(failed);
                end = End::HarnessFailed;
            }
            book.add(&judged, &replay);
        }
    }
    book.end(now() - start, end)
}

/// The rules that are meant, and the files of each history.
fn asked(arguments: &Arguments) -> Result<(Vec<RuleId>, Vec<Vec<&Path>>), BadInput> {
    let rules = rules(&arguments.rules)?;
    let histories = match arguments.map {
        Some(_) => vec![arguments.files.iter().map(PathBuf::as_path).collect()],
        None => read::histories(&arguments.files)?,
    };
    let problem = match &arguments.page {
        Some(page) if page.as_os_str() == "-" => {
            "--page writes a file: `gatecrash page HISTORY -o -` writes to standard output"
        }
        Some(_) if histories.len() > 1 => "--page shows one history, and these files are several",
        Some(_) | None => return Ok((rules, histories)),
    };
    Err(BadInput::Refused(problem.to_owned()))
}

fn names(files: &[&Path]) -> Vec<String> {
    files.iter().map(|file| file.display().to_string()).collect()
}

/// The command that judges these files again.
fn command(arguments: &Arguments, files: &[String]) -> String {
    let map = arguments.map.as_ref().map(|map| format!(" --map {}", as_word(&map.display().to_string())));
    let settled = if arguments.settled { " --settled" } else { "" };
    let files: Vec<String> = files.iter().map(|file| as_word(file)).collect();
    command_line(&format!("judge{}{settled} {}", map.unwrap_or_default(), files.join(" ")))
}

/// Judges the history that is in these files, and keeps what is to be shown of it.
fn judged(
    arguments: &Arguments,
    files: &[&Path],
    rules: &[RuleId],
    recording: Option<&mut Recording>,
) -> Result<Judgement, BadInput> {
    let sources = files.iter().map(|file| read::source(file)).collect::<Result<Vec<_>, _>>()?;
    let judgement = match &arguments.map {
        Some(map) => match read::map(map)? {
            Ok(mut map) => {
                if arguments.settled {
                    map.settle();
                }
                judge_log(sources, &mut map, rules, recording)
            }
            Err(mistakes) => Ok(Judgement::unreadable(mistakes)),
        },
        None => judge_sources(sources, rules, recording),
    };
    judgement.map_err(|error| BadInput::Refused(format!("{}: {error}", files[0].display())))
}

/// The rules that are meant; none for all of them.
pub fn rules(wanted: &[String]) -> Result<Vec<RuleId>, BadInput> {
    let mut rules = Vec::new();
    for word in wanted {
        rules.extend(rules_meant(word).map_err(|why| BadInput::Refused(format!("--rules {word}: {why}")))?);
    }
    Ok(rules)
}

/// How a judgement ends.
pub fn end_of(verdict: Verdict) -> End {
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
