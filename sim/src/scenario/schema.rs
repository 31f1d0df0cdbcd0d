//! The JSON Schema of a scenario file's header, by which editors complete and check it.
//!
//! Knows nothing of the lines of `steps` and `expect`, nor of what only several values together can
//! get wrong: the parser does.

use gatecrash::policy::Policy;
use serde_json::{Map, Value, json};

use super::line::{Vocabulary, words_of};
use super::numbers::LIST_MAX;
use super::rules::RuleId;
use super::{Forge, Init, LimitKind, LimitOverrides, Platform, WINDOW_MAX};

const NAME_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_-]*(\\{[0-9]+\\.\\.[0-9]+\\}[A-Za-z0-9_-]*)?$";
const TIME: &str = "^([0-9]+(\\.[0-9]+)?(us|ms|s|m|h|d))+$";
const OFFSET: &str = "^[+-]?([0-9]+(\\.[0-9]+)?(us|ms|s|m|h|d))+$";
const SPAN: &str = "^([0-9]+(\\.[0-9]+)?(us|ms|s|m|h|d))+(\\.\\.([0-9]+(\\.[0-9]+)?(us|ms|s|m|h|d))+)?$";
const PIECES: &str = "^[0-9]{1,5}(\\.\\.[0-9]{1,5})?$";
const USER: &str = "^[A-Za-z0-9_-]{1,32}$";

/// The JSON Schema of the header, as `docs/scenario.schema.json` holds it.
pub fn schema() -> Value {
    let rules: Vec<&str> = RuleId::all().map(RuleId::as_str).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A gatecrash scenario",
        "type": "object",
        "additionalProperties": false,
        "required": ["title", "rules", "seed", "script"],
        "properties": {
            "title": text("What happens, in one sentence."),
            "rules": {
                "description": "The rules the scenario shows at work.",
                "type": "array", "minItems": 1, "uniqueItems": true, "items": { "enum": rules },
            },
            "seed": {
                "description": "The seed of everything drawn while running; above 9223372036854775807 in quotes.",
                "oneOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9]{1,20}$" }],
            },
            "tick": pattern(TIME, "How far a world that steps through time goes in one step: 1ms, up to 1s. Required over 10m."),
            "verdict_only": text("Why the outcome may depend on latency: another world then need only agree on the verdict."),
            "converge": pattern(TIME, "How long convergence may take after the script."),
            "app": app(),
            "limits": limits(),
            "sites": {
                "description": "Network locations. A site only devices name has the default latency.",
                "type": "object", "propertyNames": { "pattern": NAME_PATTERN },
                "additionalProperties": {
                    "type": "object", "additionalProperties": false,
                    "properties": {
                        "latency": pattern(SPAN, "One way: 30ms, or a range such as 20ms..60ms."),
                        "forgets_idle": pattern(TIME, "How long a connection may be idle until a box on the way forgets it, and tells neither end."),
                        "segments": pattern(PIECES, "Of how many bytes the pieces are in which a stream arrives: 1, or a range such as 1..3."),
                        "window": {
                            "description": "How many bytes may be under way in each direction of a connection.",
                            "type": "integer", "minimum": 1, "maximum": WINDOW_MAX,
                        },
                    },
                },
            },
            "devices": devices(),
            "tickets": tickets(),
            "script": {
                "description": "What happens, and what must come of it.",
                "type": "object", "additionalProperties": false, "required": ["until"],
                "properties": {
                    "until": pattern(TIME, "When the script ends and convergence begins."),
                    "steps": text("One step a line: time, actor, action. See docs/scenarios.md."),
                    "expect": text("One expectation a line. See docs/scenarios.md."),
                },
            },
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

fn pattern(pattern: &str, description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": pattern })
}

fn words<V: Vocabulary>(description: &str) -> Value {
    let words: Vec<&str> = words_of::<V>().collect();
    json!({ "description": description, "enum": words })
}

fn switch(description: &str) -> Value {
    json!({ "description": description, "type": "boolean" })
}

/// A value, or a list of which the devices of a pattern take one in turn.
fn one_or_several(one: Value) -> Value {
    json!({ "oneOf": [one, { "type": "array", "minItems": 1, "items": one }] })
}

fn app() -> Value {
    let numbers: Map<String, Value> = words_of::<Platform>()
        .map(|platform| {
            let limit = if platform == Platform::Web.word() { 10 } else { 3 };
            (platform.to_owned(), json!({ "type": "integer", "minimum": 1, "maximum": limit }))
        })
        .collect();
    json!({
        "description": "The app and its server as the run begins.",
        "type": "object", "additionalProperties": false,
        "properties": {
            "id": { "description": "The SDKAppID: 1400000000.", "type": "integer", "minimum": 1, "maximum": u32::MAX },
            "policy": words::<Policy>("Which platforms compete for one place: dual."),
            "max_instances": {
                "description": "Devices logged in at once per platform: 1. Above 1 only web, or any under multi.",
                "type": "object", "additionalProperties": false, "properties": numbers,
            },
            "administrators": {
                "description": "Who may make administrative calls: nobody.",
                "type": "array", "items": { "type": "string", "pattern": USER },
            },
            "reconnect_kicks": switch("Whether the resume of a displaced session counts as a login: false."),
            "notify_offline_kick": switch("Whether a login after a displacement of the dead process is told so once: false."),
            "start": {
                "description": "The server's wall clock at 0s, in seconds since 1970: 1700000000.",
                "type": "integer", "minimum": 0,
            },
            "ticket_ttl": pattern(TIME, "How long the tickets of logins are valid: 7d."),
            "commit_latency": pattern(SPAN, "How long the server's disk takes to commit: 1ms."),
            "tls": switch("Whether the server and whoever connects to it speak TLS: false."),
        },
    })
}

fn limits() -> Value {
    let properties: Map<String, Value> = LimitOverrides::KEYS
        .iter()
        .map(|(key, kind, description)| {
            let description = description.trim();
            let value = match kind {
                LimitKind::Time => pattern(TIME, description),
                LimitKind::Number => json!({ "description": description, "type": "integer", "minimum": 1 }),
                LimitKind::Lines => {
                    json!({ "description": description, "type": "integer", "minimum": 1, "maximum": LIST_MAX })
                }
                LimitKind::Percent => {
                    json!({ "description": description, "type": "integer", "minimum": 0, "maximum": 100 })
                }
            };
            ((*key).to_owned(), value)
        })
        .collect();
    json!({
        "description": "Timers and limits that differ from the rules' values.",
        "type": "object", "additionalProperties": false, "properties": properties,
    })
}

fn devices() -> Value {
    json!({
        "description": "Installations of the SDK. \"phone-{1..9}\" stands for nine.",
        "type": "object", "propertyNames": { "pattern": NAME_PATTERN },
        "additionalProperties": {
            "type": "object", "additionalProperties": false, "required": ["platform", "site"],
            "properties": {
                "platform": one_or_several(words::<Platform>("What it runs on.")),
                "site": one_or_several(text("Where it is.")),
                "init": words::<Init>("Who starts its SDK: auto is the world at 0s."),
                "wall_offset": pattern(OFFSET, "How far its wall clock is from the server's: 0s."),
            },
        },
    })
}

fn tickets() -> Value {
    json!({
        "description": "Tickets signed before the run, for `login USER ticket=NAME`.",
        "type": "object", "propertyNames": { "pattern": NAME_PATTERN, "not": { "const": "last" } },
        "additionalProperties": {
            "type": "object", "additionalProperties": false, "required": ["user"],
            "properties": {
                "user": text("Issued to whom."),
                "issued": pattern(OFFSET, "When, from the server's wall clock at 0s, in whole seconds: 0s."),
                "ttl": pattern(TIME, "How long it is valid, in whole seconds: the app's ticket_ttl."),
                "forge": words::<Forge>("What is wrong with it."),
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse::{APP_KEYS, DEVICE_KEYS, ROOT_KEYS, SCRIPT_KEYS, SITE_KEYS, TICKET_KEYS};

    /// Where the committed schema is, from this package.
    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenario.schema.json");

    fn as_json(text: &str) -> Value {
        let document: toml_edit::DocumentMut = text.parse().unwrap();
        toml_edit::de::from_document(document).unwrap()
    }

    #[test]
    fn the_committed_schema_is_current() {
        let committed: Value = serde_json::from_str(&std::fs::read_to_string(COMMITTED).unwrap()).unwrap_or_default();
        let current = serde_json::to_string_pretty(&schema()).unwrap();
        assert!(committed == schema(), "docs/scenario.schema.json is out of date. The current one:\n{current}");
    }

    #[test]
    fn it_has_the_keys_the_parser_knows_and_no_others() {
        let schema = schema();
        let limits: Vec<&str> = LimitOverrides::KEYS.iter().map(|(key, _, _)| *key).collect();
        for (pointer, keys) in [
            ("/properties", ROOT_KEYS.as_slice()),
            ("/properties/app/properties", APP_KEYS.as_slice()),
            ("/properties/limits/properties", &limits),
            ("/properties/sites/additionalProperties/properties", SITE_KEYS.as_slice()),
            ("/properties/devices/additionalProperties/properties", DEVICE_KEYS.as_slice()),
            ("/properties/tickets/additionalProperties/properties", TICKET_KEYS.as_slice()),
            ("/properties/script/properties", SCRIPT_KEYS.as_slice()),
        ] {
            let mut found: Vec<&str> =
                schema.pointer(pointer).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
            let mut expected = keys.to_vec();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{pointer}");
        }
    }

    #[test]
    fn it_accepts_good_headers_and_refuses_bad_ones() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for sample in crate::scenario::samples::GOOD {
            let errors: Vec<String> = validator.iter_errors(&as_json(sample)).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}\n{sample}");
        }
        let minimal = "title = \"a\"\nrules = [\"KICK-1\"]\nseed = 1\n[script]\nuntil = \"1s\"\n";
        assert!(validator.is_valid(&as_json(minimal)));
        for (good, bad) in [
            ("KICK-1", "KICK-11"),
            ("seed = 1", "seed = -1"),
            ("seed = 1", "sed = 1"),
            ("\"1s\"", "\"1 s\""),
            ("[script]", "[app]\npolicy = \"duel\"\n[script]"),
            ("[script]", "[devices]\nphone = { platform = \"android\" }\n[script]"),
            ("[script]", "[limits]\nsilence = 4\n[script]"),
        ] {
            assert!(!validator.is_valid(&as_json(&minimal.replace(good, bad))), "{bad}");
        }
    }
}
