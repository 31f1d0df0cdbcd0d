//! The file that says all there is to say of a system: how its server starts, what speaks to it, what it promises.
//!
//! Reads a file and finds every mistake in it. Starts nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gatecrash::policy::{Platform, Policy, Seats};
use serde_json::{Map, Value};
use toml_edit::Document;

use crate::history::map::tree::{Entry, Tree};
use crate::history::{Comes, Head, Mistake, Numbers, Place, Plan, VERSION, Victim, Wins};
use crate::scenario::rules::RuleId;
use crate::scenario::{parse_duration, rules_meant};

/// A system, and how it is driven.
///
/// ```
/// use gatecrash_sim::drive::Subject;
///
/// let text = r#"
/// system = "acme-im 3.2"
/// [server]
/// start = "acme-server --port {port}"
/// [adapter]
/// command = "python3 {here}/adapter.py"
/// [claims]
/// policy = "single"
/// rules = ["POLICY-4", "LOGIN-3"]
/// [limits]
/// settle = "2s"
/// "#;
/// let subject = Subject::read(text, "subject.toml".as_ref()).unwrap();
/// assert_eq!(subject.claims.rules.len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name and version.
    pub system: String,
    /// The command that starts the server, in words, with `{port}` and the like in them.
    pub start: Vec<String>,
    /// When the server serves.
    pub ready: Ready,
    /// How long it may take until it does.
    pub ready_within: Duration,
    /// Files beside `subject.toml` that are written to the server's directory; none where nobody says: those that `start`
    /// speaks of.
    pub templates: Option<Vec<String>>,
    /// A command that is run when a run is over, before what is left of the server is killed.
    pub stop: Vec<String>,
    /// The command that starts an adapter, in words.
    pub adapter: Vec<String>,
    /// What is claimed.
    pub claims: Claims,
    /// How long after the last fault everything has come to rest at the latest.
    pub settle: Duration,
    /// The directory of the file.
    pub here: PathBuf,
    /// The file as it is.
    pub text: String,
}

/// How one knows that a server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It accepts connections.
    Tcp,
    /// This text stands in its output.
    Line(String),
    /// This command ends well.
    Command(Vec<String>),
}

/// What a system promises, and by which rules it is judged.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The first line of its histories, but for what they hold.
    pub head: Head,
    /// The rules; what is not among them is not claimed.
    pub rules: Vec<RuleId>,
}

impl Claims {
    /// The policy of ours under which the same devices are rivals, by which scenarios are chosen and drawn.
    pub fn seats(&self) -> Seats {
        let plan = &self.head.promise.plan;
        let policy = match plan {
            Plan::Policy { policy, .. } => *policy,
            Plan::OneName => Policy::Single,
            Plan::OneNameAndResource | Plan::Groups { .. } => Policy::Multi,
        };
        let several = Platform::ALL.into_iter().map(|platform| (platform, plan.max(platform.word())));
        let several = several.filter(|(_, number)| *number > 1).collect();
        Seats::new(policy, &several).or_else(|_| Seats::new(policy, &Default::default())).expect("a policy by itself")
    }
}

/// How long a server may take to serve when nobody says so.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// How long everything takes to come to rest beside the heartbeat that finds out, when nobody says so.
const SETTLE: Duration = Duration::from_secs(5);

/// How far the instants of a history may be from the truth: what is said waits in pipes until it is read.
const SKEW: &str = "25ms";

impl Subject {
    /// Reads the text of a file of this name.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, in the order of the text.
    pub fn read(text: &str, file: &Path) -> Result<Subject, Vec<Mistake>> {
        let mut reader = Reader { file: file.display().to_string(), text, mistakes: Vec::new() };
        let subject = reader.subject(file);
        reader.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        match subject {
            Some(subject) if reader.mistakes.is_empty() => Ok(subject),
            _ => Err(reader.mistakes),
        }
    }
}

struct Reader<'t> {
    file: String,
    text: &'t str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: usize, text: impl Into<String>) {
        self.mistakes.push(Mistake::at(&self.file, self.text, at, text));
    }

    fn subject(&mut self, file: &Path) -> Option<Subject> {
        let document = match Document::parse(self.text) {
            Ok(document) => document,
            Err(error) => {
                self.wrong(error.span().map_or(0, |span| span.start), error.message().trim());
                return None;
            }
        };
        let tree = Tree::of_table(document.as_table(), 0);
        self.known(&tree, "a subject", &["system", "server", "adapter", "claims", "limits"]);
        let system = self.needed(&tree, 0, "system", "its name and version, such as \"acme-im 3.2\"");
        let system = system.and_then(|entry| self.word(entry));
        let server = self.section(&tree, "server", &["start", "ready", "ready_within", "templates", "stop"]);
        let (start, ready, ready_within, templates, stop) = match server {
            Some(server) => (
                self.needed(server, server.at, "start", "the command that starts the server")
                    .and_then(|e| self.command(e)),
                server.get("ready").map_or(Some(Ready::Tcp), |entry| self.ready(entry)),
                server.get("ready_within").map_or(Some(READY_WITHIN), |entry| self.span(entry)),
                server.get("templates").map_or(Some(None), |entry| self.words(entry).map(Some)),
                server.get("stop").map_or(Some(Vec::new()), |entry| self.command(entry)),
            ),
            None => (None, None, None, None, None),
        };
        let adapter = self.section(&tree, "adapter", &["command"]);
        let adapter = adapter.and_then(|adapter| {
            let what = "the command that starts an adapter";
            self.needed(adapter, adapter.at, "command", what).and_then(|entry| self.command(entry))
        });
        let settle = self.settle(&tree);
        let claims = self.claims(&tree, system.as_deref().unwrap_or_default());
        Some(Subject {
            system: system?,
            start: start?,
            ready: ready?,
            ready_within: ready_within?,
            templates: templates?,
            stop: stop?,
            adapter: adapter?,
            claims: claims?,
            settle: settle?,
            here: file.parent().map(Path::to_path_buf).unwrap_or_default(),
            text: self.text.to_owned(),
        })
    }

    /// Tells keys that a table does not have.
    fn known(&mut self, tree: &Tree, name: &str, keys: &[&str]) {
        tree.unknown(name, keys).for_each(|(at, what)| self.wrong(at, what));
    }

    fn needed<'t>(&mut self, tree: &'t Tree, at: usize, key: &str, what: &str) -> Option<&'t Entry> {
        let entry = tree.get(key);
        if entry.is_none() {
            self.wrong(at, format!("`{key}` is missing: {what}"));
        }
        entry
    }

    fn section<'t>(&mut self, tree: &'t Tree, key: &str, keys: &[&str]) -> Option<&'t Tree> {
        let entry = self.needed(tree, 0, key, &format!("a table with {}", keys.join(", ")))?;
        if entry.value.entries().is_none() {
            self.wrong(entry.value.at, format!("`{key}` has to be a table"));
            return None;
        }
        self.known(&entry.value, &format!("`[{key}]`"), keys);
        Some(&entry.value)
    }

    fn word(&mut self, entry: &Entry) -> Option<String> {
        let text = entry.value.text().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.wrong(entry.value.at, format!("`{}` has to be a text with something in it", entry.key));
        }
        text.map(str::to_owned)
    }

    fn words(&mut self, entry: &Entry) -> Option<Vec<String>> {
        let list = entry.value.list();
        let words = list.and_then(|list| list.iter().map(|word| word.text().map(str::to_owned)).collect());
        if words.is_none() {
            self.wrong(entry.value.at, format!("`{}` has to be a list of texts", entry.key));
        }
        words
    }

    /// A command: a text, whose words are parted by spaces, or a list of words.
    fn command(&mut self, entry: &Entry) -> Option<Vec<String>> {
        let words = match entry.value.list() {
            Some(_) => self.words(entry)?,
            None => self.word(entry)?.split_whitespace().map(str::to_owned).collect(),
        };
        if words.is_empty() {
            self.wrong(entry.value.at, format!("`{}` has no command in it", entry.key));
            return None;
        }
        Some(words)
    }

    fn span(&mut self, entry: &Entry) -> Option<Duration> {
        let span = entry.value.text().and_then(parse_duration).filter(|span| !span.is_zero());
        if span.is_none() {
            self.wrong(entry.value.at, format!("`{}` has to be a span of time such as \"2s\"", entry.key));
        }
        span
    }

    fn ready(&mut self, entry: &Entry) -> Option<Ready> {
        const ANY: &str = "\"tcp\", { line = \"…\" } or { command = \"…\" }";
        let (line, command) = (entry.value.get("line"), entry.value.get("command"));
        match (entry.value.text(), line, command) {
            (Some("tcp"), ..) => Some(Ready::Tcp),
            (None, Some(line), None) => self.word(line).map(Ready::Line),
            (None, None, Some(command)) => self.command(command).map(Ready::Command),
            _ => {
                self.wrong(entry.value.at, format!("`ready` is {ANY}"));
                None
            }
        }
    }

    /// How long it takes until everything has come to rest: what the file says, or else three heartbeats and a while.
    fn settle(&mut self, tree: &Tree) -> Option<Duration> {
        let Some(limits) = tree.get("limits") else { return Some(SETTLE) };
        if limits.value.entries().is_none() {
            self.wrong(limits.value.at, "`limits` has to be a table");
            return None;
        }
        match (limits.value.get("settle"), limits.value.get("heartbeat")) {
            (Some(entry), _) => self.span(entry),
            // Whether it is a span of time is looked at with the other limits.
            (None, heartbeat) => {
                let heartbeat = heartbeat.and_then(|entry| parse_duration(entry.value.text()?));
                Some(heartbeat.map_or(SETTLE, |heartbeat| heartbeat * 3 + SETTLE))
            }
        }
    }

    fn claims(&mut self, tree: &Tree, system: &str) -> Option<Claims> {
        const KEYS: [&str; 11] = [
            "policy",
            "max_instances",
            "displaced_by",
            "resume",
            "told",
            "rules",
            "numbers",
            "codes",
            "administrators",
            "reconnect_kicks",
            "notify_offline_kick",
        ];
        let claims = self.section(tree, "claims", &KEYS)?;
        let entry = self.needed(claims, claims.at, "rules", "a list of the rules that it promises");
        let rules = entry.and_then(|entry| self.rules(entry));
        let mut fields = Map::from_iter([
            ("history".to_owned(), Value::from(VERSION)),
            ("system".to_owned(), system.into()),
            ("observes".to_owned(), Value::Array(Vec::new())),
            ("skew".to_owned(), SKEW.into()),
            ("codes".to_owned(), "own".into()),
        ]);
        for key in ["policy", "max_instances", "codes", "administrators", "reconnect_kicks", "notify_offline_kick"] {
            if let Some(entry) = claims.get(key) {
                fields.insert(key.to_owned(), entry.value.json());
            }
        }
        let mut profile = Map::new();
        for (key, field, words) in [
            ("displaced_by", "wins", Wins::WORDS.map(|(word, _)| word).to_vec()),
            ("resume", "comes_back", Comes::WORDS.map(|(word, _)| word).to_vec()),
            ("told", "victim", Victim::WORDS.map(|(word, _)| word).to_vec()),
            ("numbers", "numbers", Numbers::WORDS.map(|(word, _)| word).to_vec()),
        ] {
            let Some(entry) = claims.get(key) else { continue };
            match entry.value.text().filter(|word| words.contains(word)) {
                Some(word) => drop(profile.insert(field.to_owned(), word.into())),
                None => self.wrong(entry.value.at, format!("`{key}` is one of {}", words.join(", "))),
            }
        }
        if !profile.is_empty() {
            fields.insert("profile".to_owned(), Value::Object(profile));
        }
        if let Some(entry) = tree.get("limits")
            && let Value::Object(mut limits) = entry.value.json()
        {
            limits.remove("settle");
            fields.insert("limits".to_owned(), Value::Object(limits));
        }
        match Head::read(&Value::Object(fields).to_string()) {
            Ok(head) => Some(Claims { head, rules: rules? }),
            Err(wrong) => {
                for wrong in wrong {
                    let place = Reader::place_of(tree, &wrong.place);
                    self.wrong(place, wrong.text.replace("the first line", "`[claims]`"));
                }
                None
            }
        }
    }

    /// Where the entry stands that a mistake in the first line of a history is about.
    fn place_of(tree: &Tree, place: &Place) -> usize {
        let claims = tree.get("claims").map(|entry| &entry.value);
        let key = match place {
            Place::Value(key) => key,
            Place::Key(key) => key.as_str(),
            Place::Line | Place::Column(_) => "claims",
        };
        let entry = claims.and_then(|claims| claims.get(key)).or_else(|| tree.get(key));
        entry.map(|entry| entry.value.at).or(claims.map(|claims| claims.at)).unwrap_or(0)
    }

    fn rules(&mut self, entry: &Entry) -> Option<Vec<RuleId>> {
        let Some(list) = entry.value.list().filter(|list| !list.is_empty()) else {
            self.wrong(entry.value.at, "`rules` is a list of rules, such as [\"POLICY-4\", \"KICK-1\"]");
            return None;
        };
        let mut rules = Vec::new();
        for word in list {
            let named = word.text().unwrap_or_default();
            match rules_meant(named) {
                Ok(meant) => rules.extend(meant.into_iter().filter(|rule| !rules.contains(rule)).collect::<Vec<_>>()),
                Err(why) => self.wrong(word.at, format!("`{named}`: {why}")),
            }
        }
        Some(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
system = "acme-im 3.2"
[server]
start = "acme --port {port}"
ready = { line = "listening" }
[adapter]
command = ["python3", "{here}/an adapter.py"]
[claims]
policy = "one_name"
told = "closed"
resume = "login"
rules = ["KICK", "POLICY-4"]
[limits]
settle = "2s"
told = "1s"
"#;

    fn mistakes(text: &str) -> Vec<String> {
        let mistakes = Subject::read(text, Path::new("s.toml")).expect_err("something is wrong with it");
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_subject_is_read_with_its_claims_as_the_first_line_of_a_history() {
        let subject = Subject::read(GOOD, Path::new("a/s.toml")).unwrap();
        assert_eq!(subject.adapter, ["python3", "{here}/an adapter.py"]);
        assert_eq!((subject.ready, subject.settle), (Ready::Line("listening".to_owned()), Duration::from_secs(2)));
        assert_eq!(subject.here, Path::new("a"));
        let head = &subject.claims.head;
        assert_eq!((head.promise.victim, head.promise.comes), (Victim::Closed, Comes::Login));
        assert_eq!(head.promise.limits.told, Some(Duration::from_secs(1)));
        assert!(subject.claims.rules.len() > 5 && !head.codes);
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let text = GOOD
            .replace("policy = \"one_name\"", "policy = \"one_nmae\"")
            .replace("told = \"closed\"", "told = \"loudly\"")
            .replace("\"POLICY-4\"", "\"POLICY-44\"")
            .replace("start =", "strat =")
            .replace("settle = \"2s\"", "settle = 2");
        let told = mistakes(&text);
        let lines = told.iter().filter_map(|text| text.split(':').nth(1));
        assert_eq!(lines.collect::<Vec<_>>(), ["3", "4", "9", "10", "12", "14"], "{told:#?}");
        assert!(told[1].contains("did you mean `start`?") && told[4].contains("did you mean POLICY-4?"), "{told:#?}");
    }

    #[test]
    fn a_file_may_leave_to_us_when_everything_is_at_rest() {
        let settle = |text: &str| Subject::read(text, Path::new("s.toml")).unwrap().settle;
        let without = GOOD.replace("settle = \"2s\"\n", "");
        assert_eq!(settle(&without), SETTLE);
        assert_eq!(settle(&format!("{without}heartbeat = \"2s\"\n")), Duration::from_secs(11));
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = mistakes("system = \"x\"\n");
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(told.iter().any(|text| text.contains("`claims` is missing")), "{told:#?}");
    }
}
