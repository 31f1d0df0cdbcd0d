//! What a campaign came to: to people in a table, to programs as JSON.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use gatecrash_sim::drive::{Campaign, Finding, Table};
use gatecrash_sim::judge::Verdict;
use gatecrash_sim::search::report::escaped;
use serde_json::{Value, json};

use super::super::{Colour, count, paint, thousands};

/// How many names of scenarios are told of a finding.
const NAMES_TOLD: usize = 6;

/// All there is to tell.
pub struct Told<'c> {
    pub campaign: &'c Campaign,
    pub table: &'c Table,
    pub findings: &'c [Finding],
    /// Where each finding is kept.
    pub kept: &'c [PathBuf],
    pub wall: Duration,
}

impl Told<'_> {
    /// To people.
    pub fn text(&self, on: bool) -> String {
        let Told { campaign, table, findings, .. } = self;
        let mut text = String::new();
        let by = if campaign.version.is_empty() { String::new() } else { format!(", by {}", campaign.version) };
        let _ = writeln!(text, "{}{}\n", escaped(&campaign.subject().system), escaped(&by));
        for (number, finding) in findings.iter().enumerate() {
            self.finding(&mut text, number, finding, on);
        }
        let head = format!("  {:<11} {:>11} {:>11} {:>8} {:>9}", "rule", "runs judged", "times", "held", "violated");
        let _ = writeln!(text, "{}", paint(&head, Colour::Bold, on));
        let nothing = table.rows.iter().filter(|(_, row)| row.judged == 0).map(|(rule, _)| rule.as_str());
        let nothing: Vec<&str> = nothing.collect();
        for (rule, row) in table.rows.iter().filter(|(_, row)| row.judged > 0) {
            let line = format!(
                "  {:<11} {:>11} {:>11} {:>8} {:>9}",
                rule.as_str(),
                thousands(row.judged),
                thousands(row.times),
                thousands(row.held),
                thousands(row.violated)
            );
            let _ = match row.violated {
                0 => writeln!(text, "{line}"),
                _ => writeln!(text, "{}", paint(&line, Colour::Red, on)),
            };
        }
        if !nothing.is_empty() {
            let rules = count(nothing.len(), "rule");
            let _ = writeln!(text, "  {rules} with nothing to judge in any run: {}", nothing.join(" "));
        }
        for (title, counts) in [("steps left out", &table.left_out), ("scenarios left out", &table.passed_over)] {
            if !counts.is_empty() {
                let _ = writeln!(text, "\n{title}");
                for (why, times) in counts {
                    let _ = writeln!(text, "  {:>7}  {why}", thousands(*times));
                }
            }
        }
        let (same, others) = (table.agrees.len() as u64, table.differs.len() as u64);
        if same + others > 0 {
            let _ = writeln!(
                text,
                "\n{} of {} come to what the packet world makes",
                thousands(same),
                thousands(same + others)
            );
            for (name, differs) in &table.differs {
                let _ = writeln!(text, "  {}\n    {}", escaped(name), escaped(&differs.join("; ")));
            }
        }
        if !table.failed.is_empty() {
            let _ = writeln!(text, "\ncame to nothing");
            for (times, first) in table.failed.values() {
                let _ = writeln!(text, "  {:>7}  {}", thousands(*times), escaped(first).replace('\n', "\n           "));
            }
        }
        if table.busy > 0 {
            let runs = count(table.busy as usize, "run");
            let _ = writeln!(text, "\n{runs} not judged: the machine was too busy; fewer --jobs would leave it time");
        }
        let undecided = table.verdicts.get(&Verdict::Undecided).copied().unwrap_or(0);
        if undecided > 0 {
            let _ = writeln!(text, "\n{} undecided", count(undecided as usize, "run"));
        }
        let _ = write!(text, "\n{}", self.summary(on));
        text
    }

    fn finding(&self, text: &mut String, number: usize, finding: &Finding, on: bool) {
        let rule = finding.fingerprint.rule().map(|rule| format!("{rule} ")).unwrap_or_default();
        let title = format!("{}. {rule}{}", number + 1, finding.fingerprint.said());
        let _ = writeln!(text, "{}", paint(&title, Colour::Red, on));
        if let Some(rule) = finding.fingerprint.rule() {
            let _ = writeln!(text, "   rule     {}", rule.text());
        }
        let _ = writeln!(text, "   instead  {}", escaped(&finding.text).replace('\n', "\n            "));
        let names = finding.names.iter().take(NAMES_TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if finding.seen as usize > NAMES_TOLD { ", …" } else { "" };
        let _ = writeln!(text, "   seen     in {}: {}{more}", count(finding.seen as usize, "run"), escaped(&names));
        let ((fails, runs), (less, of)) = (finding.again, finding.again_smaller);
        let _ = write!(text, "   again    {fails} of {runs} times");
        let (before, after) = (finding.steps_before, finding.scenario.steps.len());
        let _ = match before == after {
            true => writeln!(text),
            false => writeln!(text, "; shrunk from {before} steps to {after}, {less} of {of} times"),
        };
        if let Some(folder) = self.kept.get(number) {
            let _ = writeln!(text, "   kept     {}", escaped(&folder.display().to_string()));
        }
        text.push('\n');
    }

    /// It in a sentence.
    pub fn summary(&self, on: bool) -> String {
        let Told { table, findings, wall, .. } = self;
        let runs = table.runs();
        let failed: u64 = table.failed.values().map(|(times, _)| times).sum();
        let verdict = table.verdict();
        let (word, colour) = match verdict {
            Verdict::Holds if failed == 0 => ("holds", Colour::Green),
            Verdict::Holds => ("holds, as far as it ran", Colour::Red),
            Verdict::Violated => ("violated", Colour::Red),
            Verdict::NothingJudged => ("nothing judged", Colour::Red),
            _ => ("undecided", Colour::Red),
        };
        let nothing = if failed > 0 { format!(", {} came to nothing", thousands(failed)) } else { String::new() };
        let found = if findings.is_empty() { String::new() } else { format!(", {}", count(findings.len(), "finding")) };
        let minute = runs as f64 / wall.as_secs_f64().max(0.001) * 60.0;
        format!(
            "{}: {} played{nothing}{found}; {} of history in {:.1} s, {minute:.0} runs a minute",
            paint(word, colour, on),
            count(runs as usize, "scenario"),
            count(table.events as usize, "line"),
            wall.as_secs_f64()
        )
    }

    /// To programs.
    pub fn json(&self) -> Value {
        let Told { campaign, table, findings, kept, wall } = self;
        let rows = table.rows.iter().map(|(rule, row)| {
            json!({
                "rule": rule.as_str(), "judged": row.judged, "times": row.times, "held": row.held,
                "violated": row.violated,
            })
        });
        let found = findings.iter().enumerate().map(|(number, finding)| {
            json!({
                "rule": finding.fingerprint.rule().map(|rule| rule.as_str()),
                "sentence": finding.fingerprint.said(),
                "instead": finding.text,
                "seen": finding.seen,
                "in": finding.names,
                "again": [finding.again.0, finding.again.1],
                "steps": [finding.steps_before, finding.scenario.steps.len()],
                "shrunk_again": [finding.again_smaller.0, finding.again_smaller.1],
                "scenario": finding.scenario.to_string(),
                "kept": kept.get(number).map(|folder| folder.display().to_string()),
            })
        });
        let counts = |counts: &std::collections::BTreeMap<&str, u64>| json!(counts);
        let failed = table.failed.values().map(|(times, first)| json!({ "times": times, "first": first }));
        let verdicts = table.verdicts.iter().map(|(verdict, runs)| (verdict.word().to_owned(), Value::from(*runs)));
        json!({
            "system": campaign.subject().system,
            "adapter": campaign.version,
            "verdict": table.verdict().word(),
            "runs": table.runs(),
            "verdicts": Value::Object(verdicts.collect()),
            "rules": rows.collect::<Vec<_>>(),
            "findings": found.collect::<Vec<_>>(),
            "steps_left_out": counts(&table.left_out),
            "scenarios_left_out": counts(&table.passed_over),
            "came_to_nothing": failed.collect::<Vec<_>>(),
            "agrees": table.agrees,
            "differs": table.differs,
            "too_busy": table.busy,
            "lines": table.events,
            "wall_ms": u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
        })
    }
}
