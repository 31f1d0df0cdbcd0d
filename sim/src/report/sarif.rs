//! A report as SARIF 2.1.0, which code scanning services show at the lines that it names.
//!
//! Built as JSON and not with the types of `serde-sarif`: its last version does not compile unless somebody else asks
//! `serde` for `derive`, and it takes three versions of `syn` to build. The schema in the tests holds what is built here.

use serde_json::{Value, json};

use super::escape::uri;
use super::finding::{Finding, Kind, Place};
use super::{Ended, Report, Subject};
use crate::scenario::rules::RuleId;

/// Where the schema is known to be.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The file.
pub(super) fn log(report: &Report) -> String {
    let rules: Vec<Value> = RuleId::all()
        .map(|rule| json!({ "id": rule.as_str(), "shortDescription": { "text": rule.text() } }))
        .chain(Kind::ALL.map(|kind| json!({ "id": kind.id(), "shortDescription": { "text": kind.demand() } })))
        .collect();
    let index = |id: &str| rules.iter().position(|rule| rule["id"] == id);
    let results: Vec<Value> =
        report.findings.iter().map(|finding| result(finding, report, index(finding.rule_id()))).collect();
    let identity = &report.identity;
    let driver = json!({
        "name": "gatecrash",
        "version": identity.to_string(),
        "semanticVersion": identity.version,
        "rules": rules,
        "properties": { "lock": identity.lock, "toolchain": identity.toolchain, "target": identity.target },
    });
    let run = json!({
        "tool": { "driver": driver },
        "automationDetails": { "id": format!("gatecrash/{}/", report.subject.word()) },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { "SRCROOT": { "description": { "text": "the root of the repository" } } },
        "invocations": [invocation(report)],
        "results": results,
    });
    let mut text = serde_json::to_string_pretty(&json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }))
        .expect("numbers and texts");
    text.push('\n');
    text
}

/// That it ran, or what of it did not.
fn invocation(report: &Report) -> Value {
    let not_run = report.not_run();
    let notifications: Vec<Value> = not_run
        .iter()
        .map(|(name, why)| json!({ "level": "error", "message": { "text": format!("{name}: {why}") } }))
        .collect();
    // What cannot be read was not judged.
    let is_read = report.findings.iter().all(|finding| finding.kind != Kind::BadInput);
    json!({
        "executionSuccessful": report.ended == Ended::Finished && not_run.is_empty() && is_read,
        "toolExecutionNotifications": notifications,
    })
}

fn result(finding: &Finding, report: &Report, rule: Option<usize>) -> Value {
    let mut lines = vec![finding.in_a_line()];
    lines.extend(finding.instead.iter().map(|instead| format!("Instead: {instead}")));
    lines.extend(finding.replay.iter().map(|replay| format!("See it again: {replay}")));
    let mut result = json!({
        "ruleId": finding.rule_id(),
        "level": "error",
        "message": { "text": lines.join("\n") },
        "locations": [location(finding, report)],
        "partialFingerprints": { "gatecrash/v1": finding.fingerprint },
        "occurrenceCount": finding.seen.max(1),
        "properties": {
            "kind": finding.kind.id(),
            "world": finding.origin.world,
            "scenario": finding.origin.path,
            "sum": finding.origin.sum,
            "at_us": finding.at_us,
        },
    });
    if !finding.lines.is_empty() {
        let blamed = finding.lines.iter().map(|place| json!({ "physicalLocation": physical(place) }));
        result["relatedLocations"] = blamed.collect();
    }
    // Without a baseline nothing is new.
    if report.is_compared {
        result["baselineState"] = json!(if finding.is_known { "unchanged" } else { "new" });
    }
    if let Some(rule) = rule {
        result["ruleIndex"] = json!(rule);
    }
    if let Some(exhibit) = finding.exhibit.as_deref().and_then(|name| report.exhibit(name)) {
        result["properties"]["told"] = json!(exhibit.told);
    }
    result
}

fn location(finding: &Finding, report: &Report) -> Value {
    let kind = if let Subject::Judge(_) = report.subject { "history" } else { "scenario" };
    let logical = json!([{ "name": finding.origin.path, "kind": kind }]);
    match &finding.place {
        Some(place) => json!({ "physicalLocation": physical(place), "logicalLocations": logical }),
        None => json!({ "logicalLocations": logical }),
    }
}

fn physical(Place { file, line, column }: &Place) -> Value {
    let mut region = json!({ "startLine": line });
    if let Some(column) = column {
        region["startColumn"] = json!(column);
    }
    let mut artifact = json!({ "uri": uri(file) });
    let is_below = !file.starts_with('/');
    if is_below {
        artifact["uriBaseId"] = json!("SRCROOT");
    }
    json!({ "artifactLocation": artifact, "region": region })
}
