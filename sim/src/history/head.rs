//! The first line of a history: what it holds, and what the system that it is of promises.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::policy::{Platform as Ours, Policy};
use serde_json::{Map, Value};

use super::channel::{Channel, Channels};
use super::mistake::Wrong;
use super::promise::{Comes, Limits, Numbers, Plan, Promise, REFUSALS_MAX, Victim, Wins};
use crate::scenario::{nearest, parse_duration, print_duration};

/// The version of the format that is read and written.
pub const VERSION: u64 = 1;

const FIELDS: &[&str] = &[
    "history",
    "system",
    "observes",
    "policy",
    "max_instances",
    "reconnect_kicks",
    "notify_offline_kick",
    "administrators",
    "profile",
    "limits",
    "skew",
    "devices",
    "wall_us",
    "codes",
    "trace",
];

/// What a history says of itself before anything happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Whose history it is, for people.
    pub system: String,
    /// What it holds in full.
    pub observes: Channels,
    /// What the system promises.
    pub promise: Promise,
    /// How far two clocks may be apart.
    pub skew: Skew,
    /// The platforms of devices, where lines do not say so.
    pub devices: BTreeMap<String, String>,
    /// What a wall clock says at instant 0 of the history, in microseconds since 1970, where that is known.
    pub wall: Option<u64>,
    /// Whether codes are those of docs/errors.md.
    pub codes: bool,
    /// The run of one of our worlds that this history is all of.
    pub trace: Option<Value>,
}

/// How far the clock by which something was recorded may be from the truth, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    /// Of whoever is not named.
    pub all: u64,
    /// Of some.
    pub of: BTreeMap<String, u64>,
}

impl Skew {
    /// That of an actor's clock.
    pub fn of(&self, actor: &str) -> u64 {
        self.of.get(actor).copied().unwrap_or(self.all)
    }

    /// The largest.
    pub fn largest(&self) -> u64 {
        self.of.values().copied().max().unwrap_or(0).max(self.all)
    }
}

impl Head {
    /// A history of a system that promises what SPEC.md does.
    pub fn new(system: impl Into<String>, observes: Channels) -> Head {
        Head {
            system: system.into(),
            observes,
            promise: Promise::default(),
            skew: Skew::default(),
            devices: BTreeMap::new(),
            wall: None,
            codes: true,
            trace: None,
        }
    }

    /// It as a line, without the line's end.
    pub fn line(&self) -> String {
        let mut map = Map::new();
        map.insert("system".to_owned(), self.system.as_str().into());
        map.insert("observes".to_owned(), self.observes.iter().map(|channel| Value::from(channel.word())).collect());
        self.promise.print(&mut map);
        if !self.skew.of.is_empty() {
            let clocks = self.skew.of.iter().map(|(name, &skew)| (name.clone(), written(skew)));
            let all = (self.skew.all > 0).then(|| ("*".to_owned(), written(self.skew.all)));
            map.insert("skew".to_owned(), Value::Object(clocks.chain(all).collect()));
        } else if self.skew.all > 0 {
            map.insert("skew".to_owned(), written(self.skew.all));
        }
        if !self.devices.is_empty() {
            let devices = self.devices.iter().map(|(name, platform)| (name.clone(), platform.as_str().into()));
            map.insert("devices".to_owned(), Value::Object(devices.collect()));
        }
        if let Some(wall) = self.wall {
            map.insert("wall_us".to_owned(), wall.into());
        }
        if !self.codes {
            map.insert("codes".to_owned(), "own".into());
        }
        if let Some(trace) = &self.trace {
            map.insert("trace".to_owned(), trace.clone());
        }
        // The version first, whatever a reader makes of the rest.
        format!("{{\"history\":{VERSION},{}", &Value::Object(map).to_string()[1..])
    }

    /// What a policy promises, by the fields of a first line that say it.
    pub(crate) fn read_policy(fields: &Map<String, Value>) -> Result<Promise, Wrong> {
        let mut reader = Reader { map: fields, wrong: Vec::new() };
        let promise = reader.promise();
        reader.wrong.into_iter().next().map_or(Ok(promise), Err)
    }

    /// Reads a first line; all that is wrong with it.
    pub(crate) fn read(line: &str) -> Result<Head, Vec<Wrong>> {
        let map: Map<String, Value> = serde_json::from_str(line).map_err(|error| {
            let place = super::mistake::Place::Column(error.column());
            vec![Wrong { place, text: format!("the first line is no JSON object: {}", super::mistake::said(&error)) }]
        })?;
        if !map.contains_key("history") {
            return Err(vec![Wrong::line(
                "the first line has to say what the history holds, such as \
                 {\"history\":1,\"system\":\"acme-im 3.2\",\"observes\":[\"calls\",\"events\"]}; \
                 for a log as it is, give a --map",
            )]);
        }
        let mut reader = Reader { map: &map, wrong: Vec::new() };
        for field in map.keys().filter(|field| !FIELDS.contains(&field.as_str())) {
            let meant = nearest(field, FIELDS.iter().copied());
            reader.wrong.push(Wrong::key(field, format!("the first line has no field `{field}`{}", hint(meant))));
        }
        if map["history"].as_u64() != Some(VERSION) {
            reader.wrong.push(Wrong::value("history", format!("only version {VERSION} of the format is known")));
        }
        let system = reader.text("system").unwrap_or("a system without a name").to_owned();
        let observes = reader.observes();
        let promise = reader.promise();
        let skew = reader.skew();
        let devices = reader.devices();
        let wall = reader.number("wall_us");
        let codes = match reader.text("codes") {
            None | Some("gatecrash") => true,
            Some("own") => false,
            Some(_) => {
                reader.wrong.push(Wrong::value("codes", "`codes` is \"gatecrash\" or \"own\""));
                true
            }
        };
        let trace = map.get("trace").filter(|trace| !trace.is_null()).cloned();
        let Reader { wrong, .. } = reader;
        if wrong.is_empty() {
            Ok(Head { system, observes, promise, skew, devices, wall, codes, trace })
        } else {
            Err(wrong)
        }
    }
}

fn written(micros: u64) -> Value {
    print_duration(Duration::from_micros(micros)).into()
}

/// "; did you mean `x`?", where somebody may have.
pub(crate) fn hint(meant: Option<String>) -> String {
    meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default()
}

struct Reader<'a> {
    map: &'a Map<String, Value>,
    wrong: Vec<Wrong>,
}

impl<'a> Reader<'a> {
    fn get(&self, field: &'static str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    fn expected<T>(&mut self, field: &'static str, what: &str, read: Option<T>) -> Option<T> {
        if read.is_none() && self.get(field).is_some() {
            self.wrong.push(Wrong::value(field, format!("`{field}` has to be {what}")));
        }
        read
    }

    fn text(&mut self, field: &'static str) -> Option<&'a str> {
        let read = self.get(field).and_then(Value::as_str);
        self.expected(field, "a text", read)
    }

    fn number(&mut self, field: &'static str) -> Option<u64> {
        let read = self.get(field).and_then(Value::as_u64);
        self.expected(field, "a whole number that is not negative", read)
    }

    fn flag(&mut self, field: &'static str) -> bool {
        let read = self.get(field).and_then(Value::as_bool);
        self.expected(field, "true or false", read).unwrap_or(false)
    }

    fn object(&mut self, field: &'static str) -> Option<&'a Map<String, Value>> {
        let read = self.get(field).and_then(Value::as_object);
        self.expected(field, "an object", read)
    }

    fn observes(&mut self) -> Channels {
        let Some(list) = self.get("observes") else {
            self.wrong.push(Wrong::line(format!(
                "the first line has to say what the history holds in full: `observes` is a list of {}",
                Channels::ALL
            )));
            return Channels::NONE;
        };
        let mut observed = Vec::new();
        for value in list.as_array().map(Vec::as_slice).unwrap_or_default() {
            let word = value.as_str().unwrap_or_default();
            match Channel::from_word(word) {
                Some(channel) => observed.push(channel),
                None => {
                    let meant = nearest(word, Channel::ALL.map(Channel::word));
                    let text = format!("there is no channel {value}{}; there are {}", hint(meant), Channels::ALL);
                    self.wrong.push(Wrong::value("observes", text));
                }
            }
        }
        if !list.is_array() {
            self.wrong.push(Wrong::value("observes", format!("`observes` has to be a list of {}", Channels::ALL)));
        }
        Channels::of(&observed)
    }

    fn skew(&mut self) -> Skew {
        let Some(value) = self.get("skew") else { return Skew::default() };
        let micros = |value: &Value| value.as_str().and_then(parse_duration).map(|span| span.as_micros() as u64);
        if let Some(all) = micros(value) {
            return Skew { all, of: BTreeMap::new() };
        }
        let mut skew = Skew::default();
        let Some(clocks) = value.as_object() else {
            self.wrong
                .push(Wrong::value("skew", "`skew` is a span of time such as \"5ms\", or one for each clock by name"));
            return skew;
        };
        for (name, value) in clocks {
            match micros(value) {
                Some(micros) if name == "*" => skew.all = micros,
                Some(micros) => drop(skew.of.insert(name.clone(), micros)),
                None => self
                    .wrong
                    .push(Wrong::value("skew", format!("the skew of {name} is no span of time such as \"5ms\""))),
            }
        }
        skew
    }

    fn devices(&mut self) -> BTreeMap<String, String> {
        let mut devices = BTreeMap::new();
        for (name, platform) in self.object("devices").into_iter().flatten() {
            match platform.as_str() {
                Some(platform) => drop(devices.insert(name.clone(), platform.to_owned())),
                None => self.wrong.push(Wrong::value("devices", format!("the platform of {name} has to be a text"))),
            }
        }
        devices
    }

    fn promise(&mut self) -> Promise {
        let own = Promise::default();
        let max = self.max_instances();
        let plan = self.plan(max);
        let (mut wins, mut comes, mut victim, mut numbers) = (own.wins, own.comes, own.victim, own.numbers);
        for (field, value) in self.object("profile").into_iter().flatten() {
            let word = value.as_str().unwrap_or_default();
            let valid: &[&str] = match field.as_str() {
                "wins" => take(word, &Wins::WORDS, &mut wins),
                "comes_back" => take(word, &Comes::WORDS, &mut comes),
                "victim" => take(word, &Victim::WORDS, &mut victim),
                "numbers" => take(word, &Numbers::WORDS, &mut numbers),
                _ => {
                    let meant = nearest(field, ["wins", "comes_back", "victim", "numbers"]);
                    let text = format!("a profile has no `{field}`{}", hint(meant));
                    self.wrong.push(Wrong::value("profile", text));
                    continue;
                }
            };
            if !valid.is_empty() {
                let text = format!("`{field}` of the profile is one of {}, and not {value}", valid.join(", "));
                self.wrong.push(Wrong::value("profile", text));
            }
        }
        let (reconnect_kicks, notify_offline_kick) = (self.flag("reconnect_kicks"), self.flag("notify_offline_kick"));
        let administrators = self.administrators();
        let limits = self.limits();
        Promise { plan, wins, comes, victim, numbers, reconnect_kicks, notify_offline_kick, administrators, limits }
    }

    fn administrators(&mut self) -> Option<BTreeSet<String>> {
        let names = self.get("administrators")?.as_array();
        let names = names.and_then(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
        self.expected("administrators", "a list of users", names)
    }

    fn max_instances(&mut self) -> BTreeMap<String, u32> {
        let mut max = BTreeMap::new();
        for (platform, number) in self.object("max_instances").into_iter().flatten() {
            match number.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|&number| number > 0) {
                Some(number) => drop(max.insert(platform.clone(), number)),
                None => {
                    let text = format!("`max_instances` of {platform} has to be a number from 1");
                    self.wrong.push(Wrong::value("max_instances", text));
                }
            }
        }
        max
    }

    fn plan(&mut self, max: BTreeMap<String, u32>) -> Plan {
        let words = Policy::ALL.map(Policy::word);
        let others = ["one_name", "one_name_and_resource"];
        let wrong = |text: String| Wrong::value("policy", text);
        match self.get("policy") {
            None => Plan::of(Policy::default(), max),
            Some(Value::String(word)) if word == others[0] => Plan::OneName,
            Some(Value::String(word)) if word == others[1] => Plan::OneNameAndResource,
            Some(Value::String(word)) => {
                if let Some(policy) = Policy::ALL.into_iter().find(|policy| policy.word() == word) {
                    for platform in max.keys().filter(|name| !Ours::ALL.iter().any(|ours| ours.word() == *name)) {
                        let text = format!(
                            "the policy {word} knows no platform {platform}; a policy of your own names its groups"
                        );
                        self.wrong.push(Wrong::value("max_instances", text));
                    }
                    return Plan::of(policy, max);
                }
                let meant = nearest(word, words.into_iter().chain(others));
                let text = format!(
                    "there is no policy `{word}`{}; there are {}, {}, or groups of platforms",
                    hint(meant),
                    words.join(", "),
                    others.join(", ")
                );
                self.wrong.push(wrong(text));
                Plan::OneName
            }
            Some(Value::Object(map)) => {
                let mut groups = BTreeMap::new();
                for (group, platforms) in map {
                    for platform in platforms.as_array().map(Vec::as_slice).unwrap_or_default() {
                        match platform.as_str() {
                            Some(platform) if groups.contains_key(platform) => {
                                self.wrong.push(wrong(format!("{platform} is in two groups")));
                            }
                            Some(platform) => drop(groups.insert(platform.to_owned(), group.clone())),
                            None => self.wrong.push(wrong(format!("a platform of the group {group} has to be a text"))),
                        }
                    }
                    if !platforms.is_array() {
                        self.wrong.push(wrong(format!("the group {group} has to be a list of platforms")));
                    }
                }
                for platform in max.keys().filter(|platform| !groups.contains_key(*platform)) {
                    self.wrong.push(Wrong::value("max_instances", format!("{platform} is in no group of the policy")));
                }
                Plan::Groups { groups, max }
            }
            Some(_) => {
                self.wrong
                    .push(wrong("`policy` is a word, or an object of groups, each a list of platforms".to_owned()));
                Plan::OneName
            }
        }
    }

    fn limits(&mut self) -> Limits {
        let mut limits = Limits::default();
        for (field, value) in self.object("limits").into_iter().flatten() {
            if field == REFUSALS_MAX {
                limits.refusals_max = value.as_u64().and_then(|number| u32::try_from(number).ok());
                if limits.refusals_max.is_none_or(|number| number == 0) {
                    let text = format!("the limit `{field}` has to be a number from 1");
                    self.wrong.push(Wrong::value("limits", text));
                }
                continue;
            }
            let Some(limit) = limits.of_mut(field) else {
                let words: Vec<&str> = Limits::WORDS.iter().copied().chain([REFUSALS_MAX]).collect();
                let meant = nearest(field, words.iter().copied());
                let text = format!("there is no limit `{field}`{}; there are {}", hint(meant), words.join(", "));
                self.wrong.push(Wrong::value("limits", text));
                continue;
            };
            match value.as_str().and_then(parse_duration) {
                Some(span) => *limit = Some(span),
                None => self.wrong.push(Wrong::value(
                    "limits",
                    format!("the limit `{field}` has to be a span of time such as \"120s\""),
                )),
            }
        }
        limits
    }
}

/// Takes the value of this word; the words there are, if it is none of them.
fn take<T>(word: &str, words: &'static [(&'static str, T)], into: &mut T) -> &'static [&'static str]
where
    T: super::promise::Choice,
{
    match words.iter().find(|(known, _)| *known == word) {
        Some((_, value)) => {
            *into = *value;
            &[]
        }
        None => T::CHOICES,
    }
}
