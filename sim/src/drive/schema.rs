//! The adapter's protocol for machines: a JSON schema of a line in either direction.

use serde_json::{Value, json};

use super::adapter::{Capability, PRESENCES, REASONS, STATUSES, TOLD, VERSION};

/// A JSON schema with two definitions: `ask`, a line to an adapter, and `said`, a line of one. Every line fits one of them.
///
/// ```
/// let schema = gatecrash_sim::drive::schema();
/// assert!(schema["$defs"]["said"].is_object());
/// ```
pub fn schema() -> Value {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer", "minimum": 0 });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false });
    let call = |word: &str, fields: &[(&str, Value)]| {
        let mut properties = json!({ "call": number, "do": { "const": word } });
        let mut required = vec!["call", "do"];
        for (name, value) in fields {
            properties[*name] = value.clone();
            required.push(name);
        }
        object(&required, properties)
    };
    let key = json!({ "type": ["integer", "string"], "minimum": 0 });
    let told: Vec<Value> = TOLD
        .iter()
        .map(|word| {
            let mut properties = json!({ "told": { "const": word } });
            let required: &[&str] = match *word {
                "connect_failed" => {
                    properties["code"] = number.clone();
                    &["told", "code"]
                }
                "kicked_offline" => {
                    let reasons: Vec<Value> = REASONS.iter().map(|word| json!(word)).chain([Value::Null]).collect();
                    properties["reason"] = json!({ "enum": reasons });
                    properties["by"] = json!({ "type": ["string", "null"] });
                    &["told"]
                }
                "message" => {
                    for name in ["from", "to", "text"] {
                        properties[name] = text.clone();
                    }
                    properties["id"] = key.clone();
                    &["told", "id", "from"]
                }
                _ => &["told"],
            };
            object(required, properties)
        })
        .collect();
    let ticket = object(&["text", "issued", "ttl"], json!({ "text": text, "issued": number, "ttl": number }));
    let texts = json!({ "type": "array", "items": text });
    let can: Vec<&str> = Capability::ALL.iter().map(|capability| capability.word()).collect();
    let conversation = object(
        &["peer"],
        json!({ "peer": text, "last": { "type": ["integer", "string", "null"] }, "preview": { "type": ["string", "null"] } }),
    );
    let conversations = json!({ "type": "array", "items": conversation });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line between gatecrash drive and an adapter",
        "anyOf": [{ "$ref": "#/$defs/ask" }, { "$ref": "#/$defs/said" }],
        "$defs": {
            "ask": { "title": "A line to the adapter", "oneOf": [
                object(
                    &["hello", "device", "platform", "server", "dir"],
                    json!({ "hello": { "const": VERSION }, "device": text, "platform": text, "server": text, "dir": text }),
                ),
                call("login", &[("user", text.clone()), ("ticket", ticket)]),
                call("logout", &[]),
                call("send", &[("to", text.clone()), ("text", text.clone()), ("id", text.clone())]),
                call("conversations", &[]),
                call("watch", &[("users", texts)]),
                object(&["note"], json!({ "note": { "enum": ["woken", "network_changed"] } })),
                object(&["stop"], json!({ "stop": { "const": 1 } })),
            ] },
            "said": { "title": "A line of the adapter", "anyOf": [
                object(
                    &["ready", "can"],
                    json!({
                        "ready": { "const": VERSION },
                        "can": { "type": "array", "items": { "enum": can } },
                        "version": text,
                    }),
                ),
                object(&["called"], json!({ "called": number })),
                object(
                    &["answered", "outcome"],
                    json!({
                        "answered": number, "outcome": { "enum": ["ok", "unknown"] }, "message": key, "conversations": conversations,
                    }),
                ),
                object(
                    &["answered", "code"],
                    json!({
                        "answered": number, "outcome": { "const": "failed" }, "code": number,
                        "definite": { "type": "boolean" },
                    }),
                ),
                object(
                    &["status"],
                    json!({ "status": { "enum": STATUSES }, "login_user": { "type": ["string", "null"] } }),
                ),
                object(&["presence", "user"], json!({ "presence": { "enum": PRESENCES }, "user": text })),
                { "oneOf": told },
            ] },
        },
    })
}
