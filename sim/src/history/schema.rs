//! The format for machines: a JSON schema of one line of a history.

use gatecrash::policy::Policy;
use serde_json::{Map, Value, json};

use super::channel::Channel;
use super::event::Process;
use super::head::VERSION;
use super::promise::{Comes, Limits, Numbers, REFUSALS_MAX, Victim, Wins};
use super::read::{EVENTS, KINDS, REASONS};

/// A JSON schema that every line of a history fits, the first one too.
pub fn schema() -> Value {
    let (number, text) = (json!({ "type": "integer", "minimum": 0 }), json!({ "type": ["string", "null"] }));
    let key = json!({ "type": ["integer", "string"] });
    let number_or_none = json!({ "type": ["integer", "null"], "minimum": 0 });
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.word()).collect();
    let reasons: Vec<Value> = REASONS.iter().map(|reason| json!(reason.word())).chain([Value::Null]).collect();
    let processes: Vec<&str> = Process::ALL.iter().map(|process| process.word()).collect();
    let line = |what: &str, required: &[&str], fields: Value| {
        let Value::Object(fields) = fields else { unreachable!("fields are an object") };
        let mut properties = Map::from_iter([
            ("at_us".to_owned(), number.clone()),
            ("until_us".to_owned(), number.clone()),
            ("until".to_owned(), number.clone()),
            ("actor".to_owned(), json!({ "type": "string" })),
            ("number".to_owned(), number.clone()),
            ("what".to_owned(), json!({ "const": what })),
        ]);
        properties.extend(fields);
        let required: Vec<&str> = ["at_us", "what"].iter().chain(required).copied().collect();
        json!({ "properties": properties, "required": required, "additionalProperties": false })
    };
    let lines = vec![
        head(),
        line(
            "called",
            &["actor", "call", "request"],
            json!({
                "call": key, "request": { "enum": kinds }, "user": text, "platform": text, "ticket": text, "to": text,
                "text": text, "id": { "type": ["integer", "string", "null"] }, "users": {},
            }),
        ),
        line(
            "answered",
            &["actor", "call", "outcome"],
            json!({
                "call": key, "kind": { "enum": kinds.iter().map(|kind| json!(kind)).chain([Value::Null]).collect::<Vec<_>>() },
                "user": text,
                "outcome": { "enum": ["ok", "ok_message", "ok_conversations", "ok_report", "failed", "unknown"] },
                "code": number_or_none, "reason": text, "message": { "type": ["integer", "string", "null"] },
                "conversations": {
                    "type": ["array", "null"],
                    "items": {
                        "type": "object", "required": ["peer"], "additionalProperties": false,
                        "properties": {
                            "peer": { "type": "string" }, "last": { "type": ["integer", "string", "null"] },
                            "preview": text,
                        },
                    },
                },
                "report": {
                    "type": ["array", "null"],
                    "items": {
                        "type": "object", "required": ["user"], "additionalProperties": false,
                        "properties": {
                            "user": { "type": "string" },
                            "presence": { "enum": ["online", "push_online", "offline", null] },
                            "devices": {},
                        },
                    },
                },
            }),
        ),
        line("uninit_returned", &["actor"], json!({ "call": key })),
        line("network_changed", &["actor"], json!({})),
        line(
            "told",
            &["actor", "event"],
            json!({
                "event": { "enum": EVENTS }, "user": text, "epoch": number_or_none, "by": text,
                "reason": { "enum": reasons }, "code": number_or_none,
                "message": { "type": ["integer", "string", "null"] }, "from": text, "to": text, "text": text,
                "count": number_or_none,
            }),
        ),
        line(
            "status",
            &["actor", "status"],
            json!({ "status": { "enum": ["LOGINED", "LOGINING", "LOGOUT"] }, "login_user": text, "sampled": { "type": "boolean" } }),
        ),
        line("process", &["actor", "process"], json!({ "process": { "enum": processes } })),
        line("link", &["actor", "link"], json!({ "link": { "enum": ["up", "down"] } })),
        line("new_device", &["actor"], json!({ "installation": {} })),
        line("known_as", &["actor", "device"], json!({ "device": { "type": "string" }, "installation": {} })),
        line(
            "ticket_made",
            &["ticket", "issued", "ttl"],
            json!({ "ticket": { "type": "string" }, "user": text, "issued": number, "ttl": number }),
        ),
        line(
            "presence",
            &["user", "presence"],
            json!({
                "user": { "type": "string" }, "sequence": number_or_none,
                "presence": { "enum": ["online", "push_online", "offline"] }, "kicked": {},
            }),
        ),
        line(
            "configured",
            &[],
            json!({
                "policy": policy(), "max_instances": max_instances(), "reconnect_kicks": { "type": "boolean" },
                "notify_offline_kick": { "type": "boolean" },
            }),
        ),
        line("end", &[], json!({ "settled": { "type": "boolean" }, "why": text })),
    ];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a history that gatecrash judges",
        "type": "object",
        "oneOf": lines,
    })
}

/// Of which platforms how many may be online.
fn policy() -> Value {
    let policies: Vec<&str> =
        Policy::ALL.iter().map(|policy| policy.word()).chain(["one_name", "one_name_and_resource"]).collect();
    json!({
        "oneOf": [
            { "enum": policies },
            { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } },
        ],
    })
}

fn max_instances() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 1 } })
}

/// The first line.
fn head() -> Value {
    let span = json!({ "type": "string", "pattern": "^[0-9]" });
    let mut limits: Map<String, Value> = Limits::WORDS.iter().map(|word| ((*word).to_owned(), span.clone())).collect();
    limits.insert(REFUSALS_MAX.to_owned(), json!({ "type": "integer", "minimum": 1 }));
    let words = |words: &[&str]| json!({ "enum": words });
    json!({
        "properties": {
            "history": { "const": VERSION },
            "system": { "type": "string" },
            "observes": { "type": "array", "items": { "enum": Channel::ALL.map(Channel::word) } },
            "policy": policy(),
            "max_instances": max_instances(),
            "reconnect_kicks": { "type": "boolean" },
            "notify_offline_kick": { "type": "boolean" },
            "administrators": { "type": "array", "items": { "type": "string" } },
            "profile": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "wins": words(&Wins::WORDS.map(|(word, _)| word)),
                    "comes_back": words(&Comes::WORDS.map(|(word, _)| word)),
                    "victim": words(&Victim::WORDS.map(|(word, _)| word)),
                    "numbers": words(&Numbers::WORDS.map(|(word, _)| word)),
                },
            },
            "limits": { "type": "object", "additionalProperties": false, "properties": limits },
            "skew": { "oneOf": [span, { "type": "object", "additionalProperties": span }] },
            "devices": { "type": "object", "additionalProperties": { "type": "string" } },
            "wall_us": { "type": "integer", "minimum": 0 },
            "codes": { "enum": ["gatecrash", "own"] },
            "trace": { "type": ["object", "null"] },
        },
        "required": ["history", "observes"],
        "additionalProperties": false,
    })
}
