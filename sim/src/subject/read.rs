//! A history read back: its lines, the calls with their results, who is what, and who lived how long.
//!
//! Judges nothing.

use std::collections::BTreeMap;

use gatecrash::policy::{Platform, Policy};
use serde_json::Value;

use crate::scenario::numbers;

/// One line.
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) at_us: u64,
    pub(super) actor: &'a str,
    pub(super) what: &'a str,
    value: &'a Value,
}

impl<'a> Line<'a> {
    pub(super) fn is(&self, what: &str) -> bool {
        self.what == what
    }

    pub(super) fn value(&self, field: &str) -> Option<&'a Value> {
        self.value.get(field)
    }

    /// The field's text; empty when there is none.
    pub(super) fn text(&self, field: &str) -> &'a str {
        self.value(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// What of it matters, in two words.
    pub(super) fn said(&self) -> String {
        let mut fields = ["event", "status", "process", "request"].into_iter().map(|field| self.text(field));
        format!("{} {}", self.what, fields.find(|text| !text.is_empty()).unwrap_or_default())
    }
}

/// The result of a call.
pub(super) struct Answer<'a> {
    pub(super) line: usize,
    pub(super) at_us: u64,
    pub(super) is_ok: bool,
    pub(super) said: &'a str,
}

/// A call, and its results.
pub(super) struct Call<'a> {
    pub(super) actor: &'a str,
    pub(super) number: u64,
    pub(super) kind: &'a str,
    pub(super) line: usize,
    pub(super) at_us: u64,
    pub(super) user: Option<&'a str>,
    pub(super) to: &'a str,
    pub(super) id: &'a str,
    pub(super) answers: Vec<Answer<'a>>,
}

/// A whole history.
pub(super) struct Read<'a> {
    pub(super) lines: Vec<Line<'a>>,
    pub(super) calls: Vec<Call<'a>>,
    /// Every device, and what it is, as far as its logins say.
    pub(super) actors: BTreeMap<&'a str, Option<Platform>>,
    pub(super) is_settled: bool,
    policy: Policy,
    max_instances: BTreeMap<&'a str, u64>,
}

/// The history's lines as JSON.
///
/// # Errors
///
/// The number of the first line that is none, and why.
pub(super) fn values(history: &str) -> Result<Vec<Value>, String> {
    let lines = history.lines().enumerate();
    lines
        .map(|(index, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1)))
        .collect()
}

impl<'a> Read<'a> {
    pub(super) fn of(values: &'a [Value]) -> Result<Self, String> {
        let head = values.first().filter(|head| head["history"] == 1);
        let head = head.ok_or("line 1: a history begins with `{\"history\":1,…}`")?;
        let policy = head["policy"].as_str().unwrap_or_default();
        let policy = Policy::ALL.into_iter().find(|known| known.word() == policy);
        let policy = policy.ok_or("line 1: `policy` is single, dual, triple or multi")?;
        let instances = head["max_instances"].as_object().into_iter().flatten();
        let max_instances = instances.filter_map(|(word, number)| Some((word.as_str(), number.as_u64()?))).collect();
        let (lines, actors, is_settled) = (Vec::new(), BTreeMap::new(), false);
        let mut read = Read { lines, calls: Vec::new(), actors, is_settled, policy, max_instances };
        for (index, value) in values.iter().enumerate().skip(1) {
            read.line(index + 1, value)?;
        }
        Ok(read)
    }

    fn line(&mut self, number: usize, value: &'a Value) -> Result<(), String> {
        let text = |field: &str| value[field].as_str().unwrap_or_default();
        let at_us = value["at_us"].as_u64().ok_or_else(|| format!("line {number}: it has no `at_us`"))?;
        let (actor, what) = (text("actor"), text("what"));
        if !actor.is_empty() {
            self.actors.entry(actor).or_default();
        }
        match what {
            "called" => {
                let (kind, user) = (text("request"), value["user"].as_str());
                if let Some(platform) = value["platform"].as_str() {
                    self.actors.insert(actor, platform.parse().ok());
                }
                let (call, answers) = (value["call"].as_u64().unwrap_or_default(), Vec::new());
                let (to, id) = (text("to"), text("id"));
                self.calls.push(Call { actor, number: call, kind, line: number, at_us, user, to, id, answers });
            }
            "answered" => {
                let call = value["call"].as_u64();
                let call = self.calls.iter_mut().rfind(|it| it.actor == actor && Some(it.number) == call);
                let call = call.ok_or_else(|| format!("line {number}: a result of a call that nobody made"))?;
                let said = text("outcome");
                call.answers.push(Answer { line: number, at_us, is_ok: said == "ok", said });
            }
            "end" => self.is_settled = value["settled"] == true,
            _ => {}
        }
        self.lines.push(Line { number, at_us, actor, what, value });
        Ok(())
    }

    /// The lines of one device, in their order.
    pub(super) fn of_actor<'r>(&'r self, actor: &'r str) -> impl Iterator<Item = &'r Line<'a>> {
        self.lines.iter().filter(move |line| line.actor == actor)
    }

    /// Whether the process that wrote this line lived to the end.
    pub(super) fn lives_from(&self, actor: &str, line: usize) -> bool {
        !self.of_actor(actor).any(|it| it.number > line && it.is("process") && it.text("process") == "dead")
    }

    /// Whether the device was logged in as the user at this line, and from then on to the end, as far as it knew itself.
    pub(super) fn stayed(&self, actor: &str, user: &str, line: usize) -> bool {
        let before = self.of_actor(actor).filter(|it| it.is("status") && it.number < line).last();
        let is_in = before.is_some_and(|it| it.text("status") == "LOGINED" && it.text("login_user") == user);
        let calls = |it: &&Line<'_>| it.is("called") && ["login", "logout"].contains(&it.text("request"));
        // Who comes back to the same session has not left.
        let is_other = |it: &&Line<'_>| it.text("status") != "LOGINING" && it.text("login_user") != user;
        let leaves = |it: &&Line<'_>| it.is("status") && is_other(it) || calls(it);
        is_in
            && self.lives_from(actor, line)
            && !self.of_actor(actor).filter(|it| it.number > line).any(|it| leaves(&it))
    }

    /// Whether one of these calls took the place of the other, if both were logins that were accepted.
    pub(super) fn are_rivals(&self, one: &Call<'_>, other: &Call<'_>) -> bool {
        self.is_one_group(one.actor, other.actor)
    }

    /// Whether the devices are of one group of platforms.
    pub(super) fn is_one_group(&self, one: &str, other: &str) -> bool {
        let platform = |actor: &str| self.actors.get(actor).copied().flatten();
        match (platform(one), platform(other)) {
            (Some(one), Some(other)) => numbers::is_one_group(self.policy, one, other),
            _ => false,
        }
    }

    /// How many devices of this one's platform may be logged in together.
    pub(super) fn instances_max(&self, actor: &str) -> usize {
        let platform = self.actors.get(actor).copied().flatten();
        let number = platform.and_then(|platform| self.max_instances.get(platform.word()).copied());
        usize::try_from(number.unwrap_or(1)).unwrap_or(usize::MAX)
    }
}
