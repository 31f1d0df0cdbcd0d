//! The configuration file of `gatecrashd serve`: what it may say, and what is wrong with one.
//!
//! Refuses a file with its name, line and column and, where there is one, the nearest valid word
//! (INPUT-4, POLICY-2). What the values mean is the library's business.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatecrash::driver::server::Settings;
use gatecrash::id::UserId;
use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::server::Config;
use gatecrash::ticket::SecretKey;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::BadInput;
use crate::ticket::key_of_file;

/// How alike two words must be for one to be taken for the other, misspelt.
const LIKENESS_MIN: f64 = 0.7;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    app_id: u64,
    #[serde(default)]
    keys: Vec<Spanned<String>>,
    #[serde(default)]
    key_files: Vec<PathBuf>,
    #[serde(default = "default_listen")]
    listen: String,
    #[serde(default)]
    administrators: Vec<Spanned<String>>,
    #[serde(default)]
    policy: Policy,
    #[serde(default)]
    reconnect_kicks: bool,
    #[serde(default)]
    notify_offline_kick: bool,
    #[serde(default)]
    connections_max: Option<NonZeroUsize>,
    #[serde(default)]
    max_instances: BTreeMap<Platform, Spanned<u32>>,
    #[serde(default)]
    limits: Limits,
}

fn default_listen() -> String {
    "127.0.0.1:7000".to_owned()
}

/// Those limits that are not to be the rules' own.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    silence: Option<Time>,
    silence_web: Option<Time>,
    dormant: Option<Time>,
    dormant_web: Option<Time>,
    admission: Option<Time>,
    kick_linger: Option<Time>,
    refusals_max: Option<NonZeroU32>,
    refusals_window: Option<Time>,
    refusals_lock: Option<Time>,
    records_max: Option<NonZeroUsize>,
    push_online: Option<Time>,
}

impl Limits {
    fn over(self, rules: ServerLimits) -> ServerLimits {
        let time = |time: Option<Time>, rule| time.map_or(rule, |Time(time)| time);
        ServerLimits {
            silence: time(self.silence, rules.silence),
            silence_web: time(self.silence_web, rules.silence_web),
            dormant: time(self.dormant, rules.dormant),
            dormant_web: time(self.dormant_web, rules.dormant_web),
            admission: time(self.admission, rules.admission),
            kick_linger: time(self.kick_linger, rules.kick_linger),
            refusals_max: self.refusals_max.map_or(rules.refusals_max, NonZeroU32::get),
            refusals_window: time(self.refusals_window, rules.refusals_window),
            refusals_lock: time(self.refusals_lock, rules.refusals_lock),
            records_max: self.records_max.map_or(rules.records_max, NonZeroUsize::get),
            push_online: time(self.push_online, rules.push_online),
        }
    }
}

/// A time such as `400s`, above zero and at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time(Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        time_of(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is no time: write a number with ms, s, m, h or d, up to 365d"))
        })
    }
}

fn time_of(text: &str) -> Option<Time> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let unit_millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(unit_millis)?;
    (1..=365 * 86_400_000).contains(&millis).then_some(Time(Duration::from_millis(millis)))
}

/// Reads a configuration file, and the key files it names.
pub fn read(path: &Path) -> Result<Settings, BadInput> {
    let text = std::fs::read_to_string(path).map_err(|error| BadInput(format!("{}: {error}", path.display())))?;
    let file = parse(&text).map_err(|problem| BadInput(format!("{}:{problem}", path.display())))?;
    let beside = path.parent().unwrap_or(Path::new(""));
    settings(file, &text, beside).map_err(|problem| match problem {
        Unfit::Here(problem) => BadInput(format!("{}:{problem}", path.display())),
        Unfit::Elsewhere(bad_input) => bad_input,
    })
}

/// What is wrong, and where: `line:column: what`.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    line: usize,
    column: usize,
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

impl Problem {
    fn at(text: &str, offset: usize, what: impl Into<String>) -> Self {
        let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem { line, column, what: what.into() }
    }
}

/// A file that reads well and cannot be used.
enum Unfit {
    Here(Problem),
    Elsewhere(BadInput),
}

fn parse(text: &str) -> Result<File, Problem> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let Range { start, .. } = error.span().unwrap_or_default();
        Problem::at(text, start, explain(error.message()))
    })
}

/// The parser's words in ours, with the nearest valid one where a word is unknown.
fn explain(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = message.strip_prefix("unknown ").and_then(|rest| rest.split(' ').next());
    match (unknown, words.next()) {
        (Some(kind), Some(given)) => {
            let kind = if kind == "field" { "key" } else { "word" };
            let valid: Vec<&str> = words.collect();
            let nearest = valid
                .iter()
                .map(|word| (strsim::jaro_winkler(given, word), word))
                .max_by(|(one, _), (other, _)| one.total_cmp(other));
            match nearest {
                Some((likeness, word)) if likeness >= LIKENESS_MIN => {
                    format!("unknown {kind} `{given}`; did you mean `{word}`?")
                }
                Some(_) | None => format!("unknown {kind} `{given}`; valid are {}", valid.join(", ")),
            }
        }
        (Some(_), None) | (None, _) => message.lines().collect::<Vec<_>>().join("; "),
    }
}

fn settings(file: File, text: &str, beside: &Path) -> Result<Settings, Unfit> {
    let here = |offset, what: String| Unfit::Here(Problem::at(text, offset, what));
    let numbers = file.max_instances.iter().map(|(platform, number)| (*platform, *number.get_ref())).collect();
    let seats = Seats::new(file.policy, &numbers)
        .map_err(|error| here(file.max_instances[&error.platform].span().start, format!("{error} (POLICY-2)")))?;
    let mut keys = Vec::new();
    for key in &file.keys {
        if key.get_ref().is_empty() {
            return Err(here(key.span().start, "a key is empty".to_owned()));
        }
        keys.push(SecretKey::from(key.get_ref().as_str()));
    }
    for path in &file.key_files {
        keys.push(key_of_file(beside.join(path)).map_err(Unfit::Elsewhere)?);
    }
    if keys.is_empty() {
        return Err(here(0, "give at least one key in `keys` or `key_files`: without one no ticket fits".to_owned()));
    }
    let mut administrators = BTreeSet::new();
    for name in &file.administrators {
        let user = name.get_ref().parse::<UserId>();
        administrators.insert(user.map_err(|error| here(name.span().start, format!("`{}`: {error}", name.get_ref())))?);
    }
    let config = Config {
        seats,
        administrators,
        reconnect_kicks: file.reconnect_kicks,
        notify_offline_kick: file.notify_offline_kick,
        limits: file.limits.over(ServerLimits::default()),
        ..Config::new(file.app_id)
    };
    let mut settings = Settings::new(file.listen, config, keys);
    if let Some(number) = file.connections_max {
        settings.connections_max = number.get();
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let problem = match parse(text) {
            Err(problem) => problem,
            Ok(file) => match settings(file, text, Path::new("")) {
                Err(Unfit::Here(problem)) => problem,
                Err(Unfit::Elsewhere(bad_input)) => panic!("{bad_input}"),
                Ok(_) => panic!("accepted: {text}"),
            },
        };
        problem.to_string()
    }

    /// The example says what holds without it, and cannot say anything that is not so.
    #[test]
    fn the_example_is_the_defaults() {
        let text = include_str!("../../../docs/app.example.toml");
        let example = settings(parse(text).unwrap(), text, Path::new("")).ok().unwrap();
        let bare = "app_id = 1400000000\nkeys = [\"k\"]\nadministrators = [\"administrator\"]\n";
        let bare = settings(parse(bare).unwrap(), bare, Path::new("")).ok().unwrap();
        assert_eq!(example.config, bare.config);
        assert_eq!(example.listen, bare.listen);
        assert_eq!(example.connections_max, bare.connections_max);
        for key in ["silence", "push_online", "records_max", "connections_max", "key_files", "reconnect_kicks"] {
            assert!(text.contains(&format!("\n{key} = ")), "the example tells of {key}");
        }
    }

    #[test]
    fn values_arrive() {
        let text = "app_id = 7\nkeys = [\"one\", \"two\"]\npolicy = \"multi\"\nreconnect_kicks = true\n\
                    [max_instances]\nios = 3\nweb = 10\n[limits]\nsilence = \"1500ms\"\nrefusals_max = 3\n";
        let Settings { config, keys, .. } = settings(parse(text).unwrap(), text, Path::new("")).ok().unwrap();
        assert_eq!(config.app_id, 7);
        assert_eq!(keys.len(), 2);
        assert_eq!(config.seats.policy(), Policy::Multi);
        assert_eq!(config.seats.instances_max(Platform::Ios), 3);
        assert!(config.reconnect_kicks);
        assert_eq!(config.limits.silence, Duration::from_millis(1_500));
        assert_eq!(config.limits.refusals_max, 3);
        assert_eq!(config.limits.dormant, ServerLimits::default().dormant);
    }

    /// INPUT-4, POLICY-2.
    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let good = "app_id = 7\nkeys = [\"k\"]\n";
        let cases = [
            ("polcy = \"dual\"", "3:1: unknown key `polcy`; did you mean `policy`?"),
            ("policy = \"duel\"", "3:10: unknown word `duel`; did you mean `dual`?"),
            ("policy = \"nine\"", "3:10: unknown word `nine`; valid are single, dual, triple, multi"),
            ("[limits]\nsilense = \"1s\"", "4:1: unknown key `silense`; did you mean `silence`?"),
            (
                "[limits]\nsilence = \"4 minutes\"",
                "4:11: `4 minutes` is no time: write a number with ms, s, m, h or d, up to 365d",
            ),
            (
                "[max_instances]\nios = 2",
                "4:7: max_instances.ios is 2, outside 1 to 1 (more than 1 only under the policy multi) (POLICY-2)",
            ),
            ("[max_instances]\nweb = 11", "4:7: max_instances.web is 11, outside 1 to 10 (POLICY-2)"),
            (
                "[max_instances]\niphone = 1",
                "4:1: unknown word `iphone`; valid are android, ios, ipad, windows, mac, linux, web",
            ),
            ("administrators = [\"root\", \"a b\"]", "3:27: `a b`: a user id is 1 to 32 bytes of a-z A-Z 0-9 _ -"),
            ("reconnect_kicks = 1", "3:19: invalid type: integer `1`, expected a boolean"),
            ("listen = ", "3:10: string values must be quoted, expected literal string"),
            ("connections_max = 0", "3:19: invalid value: integer `0`, expected a nonzero usize"),
        ];
        for (line, expected) in cases {
            assert_eq!(problem(&format!("{good}{line}\n")), expected, "{line}");
        }
        assert_eq!(problem("keys = [\"k\"]\n"), "1:1: missing field `app_id`");
        assert_eq!(problem("app_id = 7\nkeys = [\"k\", \"\"]\n"), "2:14: a key is empty");
        assert_eq!(
            problem("app_id = 7\n"),
            "1:1: give at least one key in `keys` or `key_files`: without one no ticket fits"
        );
    }

    #[test]
    fn times_have_a_unit_and_bounds() {
        assert_eq!(time_of("7d"), Some(Time(Duration::from_secs(7 * 86_400))));
        assert_eq!(time_of("365d"), Some(Time(Duration::from_secs(365 * 86_400))));
        for text in ["", "5", "s", "0s", "366d", "1.5s", "-1s", "99999999999999999999s", "5 s", "5S"] {
            assert_eq!(time_of(text), None, "{text}");
        }
    }
}
