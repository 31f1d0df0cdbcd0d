//! A report as GitHub Actions' annotations: lines that a step prints, and that a pull request shows at their place.

use super::Report;
use super::finding::Finding;

/// The most annotations: GitHub shows ten of a step.
pub const ANNOTATIONS_MAX: usize = 10;

/// The lines, what is new first, then what did not run, then what was known. Of more than fit the last line tells how
/// many there are.
pub fn lines(report: &Report) -> Vec<String> {
    let (known, new): (Vec<&Finding>, Vec<&Finding>) = report.findings.iter().partition(|finding| finding.is_known);
    let new = new.into_iter().map(|finding| of_finding("error", finding));
    let not_run = report
        .not_run()
        .into_iter()
        .map(|(name, why)| format!("::error title={}::{}", property(&format!("not run: {name}")), message(&why)));
    let known = known.into_iter().map(|finding| of_finding("warning", finding));
    let mut lines: Vec<String> = new.chain(not_run).chain(known).collect();
    if lines.len() > ANNOTATIONS_MAX {
        let more = lines.len() - (ANNOTATIONS_MAX - 1);
        lines.truncate(ANNOTATIONS_MAX - 1);
        lines.push(format!("::error title=gatecrash::and {more} more, which the summary has"));
    }
    lines
}

fn of_finding(level: &str, finding: &Finding) -> String {
    let place = match &finding.place {
        Some(place) => {
            let column = place.column.map_or(String::new(), |column| format!(",col={column}"));
            format!("file={},line={}{column},", property(&place.file), place.line)
        }
        None => String::new(),
    };
    let known = if finding.is_known { "known: " } else { "" };
    let title = property(&format!("{known}{} in {}", finding.rule_id(), finding.origin.path));
    let said = [Some(&finding.sentence), finding.instead.as_ref(), finding.replay.as_ref()];
    let said: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
    format!("::{level} {place}title={title}::{}", message(&said.join("\n")))
}

/// A message as the runner reads it: it ends with the line.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same of what stands before the message: it ends with a comma or a colon, too.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
