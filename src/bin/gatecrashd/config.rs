//! The configuration file of `gatecrashd serve`: what it may say, and what is wrong with one.
//!
//! Refuses a file with its name, line and column and, where there is one, the nearest valid word, and says
//! all that is wrong with it at once (INPUT-4, POLICY-2, CONFIG-1). What the values mean is the library's business.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatecrash::driver::Surroundings;
use gatecrash::driver::server::{Bounds, Settings};
use gatecrash::driver::tokio::Live;
use gatecrash::id::UserId;
use gatecrash::limits::{ClientLimits, ServerLimits, silence_min};
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::server::Config;
use gatecrash::span;
use gatecrash::time::WallTime;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::BadInput;
use crate::certificate::Certificate;
use crate::doors::{self, Doors, Lines, Tls, WebSocket};
use crate::privacy;
use crate::secret::{BYTES_MIN, Secret};

/// How alike two words must be for one to be taken for the other, misspelt.
const LIKENESS_MIN: f64 = 0.7;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    app_id: Option<u64>,
    #[serde(default)]
    keys: Vec<Spanned<String>>,
    #[serde(default)]
    key_files: Vec<Spanned<PathBuf>>,
    listen: Option<Spanned<String>>,
    tls: Option<Tls>,
    websocket: Option<WebSocket>,
    metrics: Option<Asked>,
    #[serde(default)]
    administrators: Vec<Spanned<String>>,
    #[serde(default)]
    policy: Policy,
    #[serde(default)]
    reconnect_kicks: bool,
    #[serde(default)]
    notify_offline_kick: bool,
    #[serde(default)]
    connections_max: Option<NonZeroU32>,
    #[serde(default)]
    max_instances: BTreeMap<Platform, Spanned<u32>>,
    #[serde(default)]
    limits: Limits,
}

/// Those limits that are not to be the rules' own.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    silence: Option<Spanned<Time>>,
    silence_web: Option<Spanned<Time>>,
    dormant: Option<Time>,
    dormant_web: Option<Time>,
    admission: Option<Time>,
    kick_linger: Option<Time>,
    refusals_max: Option<NonZeroU32>,
    refusals_window: Option<Time>,
    refusals_lock: Option<Time>,
    records_max: Option<NonZeroUsize>,
    sent_max: Option<NonZeroUsize>,
    owed_max: Option<NonZeroUsize>,
    owed_bytes_max: Option<NonZeroUsize>,
    remembered: Option<Time>,
    remembered_max: Option<NonZeroUsize>,
    push_online: Option<Time>,
    capacity: Option<NonZeroU32>,
    logins_max: Option<NonZeroU32>,
    logins_every: Option<Time>,
    return_after: Option<Time>,
    returns_per_second: Option<NonZeroU32>,
    return_spread_min: Option<Time>,
    return_spread_max: Option<Time>,
    heartbeat: Option<Spanned<Time>>,
    handshake: Option<Time>,
    per_address_max: Option<NonZeroU32>,
    address_refusals_max: Option<NonZeroU32>,
    bytes_per_second: Option<NonZeroU32>,
}

/// Where an operator's tools ask.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    listen: Spanned<String>,
}

impl Limits {
    fn over(&self, rules: ServerLimits) -> ServerLimits {
        let time = |time: Option<Time>, rule| time.map_or(rule, |Time(time)| time);
        ServerLimits {
            silence: time(self.silence.as_ref().map(|time| *time.get_ref()), rules.silence),
            silence_web: time(self.silence_web.as_ref().map(|time| *time.get_ref()), rules.silence_web),
            dormant: time(self.dormant, rules.dormant),
            dormant_web: time(self.dormant_web, rules.dormant_web),
            admission: time(self.admission, rules.admission),
            kick_linger: time(self.kick_linger, rules.kick_linger),
            refusals_max: self.refusals_max.map_or(rules.refusals_max, NonZeroU32::get),
            refusals_window: time(self.refusals_window, rules.refusals_window),
            refusals_lock: time(self.refusals_lock, rules.refusals_lock),
            records_max: self.records_max.map_or(rules.records_max, NonZeroUsize::get),
            conversations_max: rules.conversations_max,
            owed_max: self.owed_max.map_or(rules.owed_max, NonZeroUsize::get),
            owed_bytes_max: self.owed_bytes_max.map_or(rules.owed_bytes_max, NonZeroUsize::get),
            remembered: time(self.remembered, rules.remembered),
            remembered_max: self.remembered_max.map_or(rules.remembered_max, NonZeroUsize::get),
            sent_max: self.sent_max.map_or(rules.sent_max, NonZeroUsize::get),
            push_online: time(self.push_online, rules.push_online),
            capacity: self.capacity.map_or(rules.capacity, NonZeroU32::get),
            logins_max: self.logins_max.map_or(rules.logins_max, NonZeroU32::get),
            logins_every: time(self.logins_every, rules.logins_every),
            return_after: time(self.return_after, rules.return_after),
            returns_per_second: self.returns_per_second.map_or(rules.returns_per_second, NonZeroU32::get),
            return_spread_min: time(self.return_spread_min, rules.return_spread_min),
            return_spread_max: time(self.return_spread_max, rules.return_spread_max),
            heartbeat: self.heartbeat.as_ref().map(|time| time.get_ref().0),
        }
    }

    /// How much the server puts up with before it knows who somebody is.
    fn bounds(&self, rules: Bounds) -> Bounds {
        Bounds {
            handshake_max: self.handshake.map_or(rules.handshake_max, |Time(time)| time),
            per_address_max: self.per_address_max.map_or(rules.per_address_max, |number| number.get() as usize),
            address_refusals_max: self.address_refusals_max.map_or(rules.address_refusals_max, NonZeroU32::get),
            bytes_per_second: self.bytes_per_second.map_or(rules.bytes_per_second, NonZeroU32::get),
            ..rules
        }
    }

    /// Where a silence stands that leaves no room for two heartbeats and an answer, and what is wrong with it (CONN-11).
    fn tight_silences(&self) -> impl Iterator<Item = (usize, String)> {
        let written = [(Platform::Android, &self.silence), (Platform::Web, &self.silence_web)];
        written.into_iter().filter_map(|(platform, silence)| {
            let (silence, least) = (silence.as_ref()?, silence_min(platform, &ClientLimits::of(platform)));
            let is_tight = silence.get_ref().0 < least;
            let what = format!("no room for two heartbeats and an answer: at least {} s (CONN-11)", least.as_secs());
            is_tight.then(|| (silence.span().start, what))
        })
    }
}

/// The longest time that a configuration may say.
const TIME_MAX: Duration = Duration::from_secs(365 * 86_400);

/// A time such as `400s`, above zero and at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time(Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        time_of(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is no time: write one such as 500ms, 1.5s, 1m30s or 7d, up to 365d"))
        })
    }
}

fn time_of(text: &str) -> Option<Time> {
    let time = span::parse(text)?;
    (!time.is_zero() && time <= TIME_MAX).then_some(Time(time))
}

/// A configuration that can be used.
pub struct Configuration {
    /// What a server is started with.
    pub settings: Settings,
    /// For each door, where the file says so, if it does: `file:line:column`.
    pub listen_at: Vec<Option<String>>,
    /// Where metrics are asked for, and where the file says so; nowhere without it.
    pub metrics: Option<(String, String)>,
    /// The server's certificate, if it has one.
    pub certificate: Option<Certificate>,
    /// What can be used and should not be.
    pub warnings: Vec<String>,
}

/// Reads a configuration file, and the key files it names, for a server that shows this certificate already, if one runs.
pub fn read(path: &Path, in_force: Option<&Certificate>) -> Result<Configuration, BadInput> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| BadInput(format!("{shown}: {error}")))?;
    let beside = path.parent().unwrap_or(Path::new(""));
    let told = |problems: Vec<Problem>| problems.iter().map(|problem| format!("{shown}:{problem}")).collect::<Vec<_>>();
    let Fit { settings, listen_at, metrics, certificate, warnings } =
        configuration(&text, beside, Live::new().now().wall, in_force)
            .map_err(|problems| BadInput::all(&told(problems)))?;
    Ok(Configuration {
        settings,
        listen_at: listen_at
            .into_iter()
            .map(|offset| {
                let (line, column) = place(&text, offset?);
                Some(format!("{shown}:{line}:{column}"))
            })
            .collect(),
        metrics: metrics.map(|(address, offset)| {
            let (line, column) = place(&text, offset);
            (address, format!("{shown}:{line}:{column}"))
        }),
        certificate,
        warnings: told(warnings),
    })
}

/// Why this cannot be where to listen, as far as can be told without the network.
pub fn address_problem(address: &str) -> Option<&'static str> {
    if address.parse::<SocketAddr>().is_ok() {
        return None;
    }
    let Some((host, port)) = address.rsplit_once(':') else {
        return Some("it has no port: write HOST:PORT, such as 0.0.0.0:7000");
    };
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if port.parse::<u16>().is_err() {
        Some("the port is a number from 0 to 65535")
    } else if host.is_empty() {
        Some("it has no host: write HOST:PORT, such as 0.0.0.0:7000")
    } else if inside.is_some_and(|inside| inside.parse::<Ipv6Addr>().is_err()) {
        Some("what is in brackets is no IPv6 address")
    } else if host.parse::<Ipv6Addr>().is_ok() {
        Some("an IPv6 address stands in brackets, as in [::1]:7000")
    } else if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && host.parse::<IpAddr>().is_err() {
        Some("the host is no IP address")
    } else if inside.is_none()
        && !host.chars().all(|character| character.is_alphanumeric() || ".-_".contains(character))
    {
        Some("the host is neither a name nor an IP address")
    } else {
        None
    }
}

/// What is wrong, and where: `line:column: what`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
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
        let (line, column) = place(text, offset);
        Problem { line, column, what: what.into() }
    }
}

/// The line and the column of this byte, both from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// How alike two words are, from 0 to 1.
fn is_like(given: &str, word: &str) -> bool {
    strsim::jaro_winkler(given, word) >= LIKENESS_MIN
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
                Some((_, word)) if is_like(given, word) => {
                    format!("unknown {kind} `{given}`; did you mean `{word}`?")
                }
                Some(_) | None => format!("unknown {kind} `{given}`; valid are {}", valid.join(", ")),
            }
        }
        (Some(_), None) | (None, _) => message.lines().collect::<Vec<_>>().join("; "),
    }
}

/// The file as far as it can be read, and what is not like that.
struct Reading {
    file: Option<File>,
    problems: Vec<Problem>,
    /// Lines that are no TOML: what was made of one is wrong again, and no mistake of its own.
    broken: BTreeSet<usize>,
    /// The keys at the top of the file of which something had to be taken out.
    taken: BTreeSet<String>,
}

impl Reading {
    /// Whether nothing is known of this key, since what may have been meant for it was taken out.
    fn is_in_doubt(&self, key: &str) -> bool {
        self.taken.iter().any(|taken| is_like(taken, key))
    }
}

/// Reads what can be read: what is wrong is noted and taken out, and the rest is looked at again.
fn reading(text: &str) -> Reading {
    let offset_of = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    let problem_of = |error: &toml::de::Error| Problem::at(text, offset_of(error), explain(error.message()));
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems = Vec::new();
    let mut broken = BTreeSet::new();
    for problem in errors.iter().map(problem_of) {
        if broken.insert(problem.line) {
            problems.push(problem);
        }
    }
    let span = document.span();
    let mut table = document.into_inner();
    let mut taken = BTreeSet::new();
    let file = loop {
        let deserializer = toml::de::Deserializer::from(Spanned::new(span.clone(), table.clone()));
        match File::deserialize(deserializer) {
            Ok(file) => break Some(file),
            Err(error) => {
                let problem = problem_of(&error);
                if !broken.contains(&problem.line) {
                    problems.push(problem);
                }
                match take_out(&mut table, offset_of(&error)) {
                    Some(key) => taken.insert(key),
                    None => break None,
                };
            }
        }
    };
    Reading { file, problems, broken, taken }
}

/// Whether this spans that byte. What the parser supplied for what was missing spans none, and is where it begins.
fn is_at(span: Range<usize>, offset: usize) -> bool {
    (span.start..span.end.max(span.start + 1)).contains(&offset)
}

/// Takes out the smallest entry at this place, and says which key of this table it was or belonged to.
fn take_out(table: &mut DeTable<'_>, offset: usize) -> Option<String> {
    let entries = table.iter_mut();
    let below =
        entries.filter_map(|(key, value)| take_out_of(value.get_mut(), offset).then(|| key.get_ref().to_string()));
    if let Some(key) = below.take(1).next() {
        return Some(key);
    }
    let (key, _) = table.iter().find(|(key, value)| is_at(key.span(), offset) || is_at(value.span(), offset))?;
    let key = key.clone();
    table.remove(&key);
    Some(key.into_inner().into_owned())
}

fn take_out_of(value: &mut DeValue<'_>, offset: usize) -> bool {
    match value {
        DeValue::Table(table) => take_out(table, offset).is_some(),
        DeValue::Array(array) => {
            let before = array.len();
            *array = array.iter().filter(|element| !is_at(element.span(), offset)).cloned().collect();
            array.len() < before
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            false
        }
    }
}

/// What a text says that can be used.
#[derive(Debug)]
struct Fit {
    settings: Settings,
    /// Where in the text, for each door.
    listen_at: Vec<Option<usize>>,
    metrics: Option<(String, usize)>,
    certificate: Option<Certificate>,
    warnings: Vec<Problem>,
}

/// The configuration of a text, or all that is wrong with it, in its order. Key files and certificates are looked for
/// `beside` it; `now` is when the certificates are to be valid, unless they are `in_force`.
fn configuration(
    text: &str,
    beside: &Path,
    now: WallTime,
    in_force: Option<&Certificate>,
) -> Result<Fit, Vec<Problem>> {
    let reading = reading(text);
    let mut problems = Vec::new();
    let mut missing = Vec::new();
    let mut warnings = Vec::new();
    let fit = reading.file.as_ref().and_then(|file| {
        let mut complaint = |offset: usize, what: String| problems.push(Problem::at(text, offset, what));
        if file.app_id.is_none() && !reading.is_in_doubt("app_id") {
            missing.push(Problem::at(text, 0, "missing field `app_id`"));
        }
        // Where the policy is in doubt, a number is wrong that is wrong under each.
        let policy = if reading.is_in_doubt("policy") { Policy::Multi } else { file.policy };
        for (platform, number) in &file.max_instances {
            let alone = BTreeMap::from([(*platform, *number.get_ref())]);
            if let Err(error) = Seats::new(policy, &alone) {
                complaint(number.span().start, format!("{error} (POLICY-2)"));
            }
        }
        let written = file.keys.iter().map(|key| {
            let secret = Secret::of_text(key.get_ref()).map_err(|problem| format!("a key {problem}"));
            (key.span().start, secret)
        });
        let files = file.key_files.iter().map(|path| {
            let secret = Secret::of_file(&beside.join(path.get_ref())).map_err(|problem| problem.to_string());
            (path.span().start, secret)
        });
        let others = file.key_files.iter().filter_map(|path| {
            Some(Problem::at(text, path.span().start, privacy::warning("key file", &beside.join(path.get_ref()))?))
        });
        warnings.extend(others);
        let mut keys = Vec::new();
        for (offset, secret) in written.chain(files) {
            match secret {
                Ok(secret) if secret.is_placeholder() => {
                    complaint(
                        offset,
                        "this is the key of the example, which everybody knows: put your app's own in its place"
                            .to_owned(),
                    );
                }
                Ok(secret) => {
                    if secret.is_short() {
                        let what =
                            format!("a key of less than {BYTES_MIN} bytes is easier to guess than its signatures");
                        warnings.push(Problem::at(text, offset, what));
                    }
                    keys.push(secret.key());
                }
                Err(problem) => complaint(offset, problem),
            }
        }
        let in_doubt = reading.is_in_doubt("keys") || reading.is_in_doubt("key_files");
        if file.keys.is_empty() && file.key_files.is_empty() && !in_doubt {
            let what = "give at least one key in `keys` or `key_files`: without one no ticket fits";
            missing.push(Problem::at(text, 0, what));
        }
        let mut administrators = BTreeSet::new();
        for name in &file.administrators {
            match name.get_ref().parse::<UserId>() {
                Ok(user) => drop(administrators.insert(user)),
                Err(error) => complaint(name.span().start, format!("`{}`: {error}", name.get_ref())),
            }
        }
        file.limits.tight_silences().for_each(|(offset, what)| complaint(offset, what));
        let lines = Lines {
            listen: file.listen.as_ref(),
            tls: file.tls.as_ref(),
            websocket: file.websocket.as_ref(),
            metrics: file.metrics.as_ref().map(|Asked { listen }| listen),
            tls_in_doubt: reading.is_in_doubt("tls"),
            in_force,
        };
        let Doors { doors, certificate, complaints, warnings: said } = doors::read(&lines, beside, now);
        complaints.into_iter().for_each(|(offset, what)| complaint(offset, what));
        warnings.extend(said.into_iter().map(|(offset, what)| Problem::at(text, offset, what)));
        let metrics = file.metrics.as_ref().map(|Asked { listen }| (listen.get_ref().clone(), listen.span().start));
        let numbers = file.max_instances.iter().map(|(platform, number)| (*platform, *number.get_ref())).collect();
        let config = Config {
            seats: Seats::new(file.policy, &numbers).ok()?,
            administrators,
            reconnect_kicks: file.reconnect_kicks,
            notify_offline_kick: file.notify_offline_kick,
            limits: file.limits.over(ServerLimits::default()),
            ..Config::new(file.app_id?)
        };
        let (doors, listen_at) = doors.into_iter().unzip();
        let mut settings = Settings { doors, ..Settings::new("", config, keys) };
        settings.bounds = file.limits.bounds(Bounds::default());
        if let Some(number) = file.connections_max {
            settings.bounds.connections_max = number.get() as usize;
        }
        Some((settings, listen_at, metrics, certificate))
    });
    problems.retain(|problem: &Problem| !reading.broken.contains(&problem.line));
    problems.extend(missing.into_iter().chain(reading.problems));
    problems.sort();
    match fit {
        Some((settings, listen_at, metrics, certificate)) if problems.is_empty() => {
            Ok(Fit { settings, listen_at, metrics, certificate, warnings })
        }
        Some(_) | None => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::PLACEHOLDER;

    const NOW: WallTime = WallTime::from_micros(1_700_000_000_000_000);

    fn problems(text: &str) -> Vec<String> {
        match configuration(text, Path::new(""), NOW, None) {
            Err(problems) => problems.iter().map(Problem::to_string).collect(),
            Ok(_) => panic!("accepted: {text}"),
        }
    }

    fn problem(text: &str) -> String {
        let mut problems = problems(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.remove(0)
    }

    fn settings(text: &str) -> Settings {
        configuration(text, Path::new(""), NOW, None).unwrap().settings
    }

    /// The example says what holds without it, and cannot say anything that is not so. It has no secret, and nobody
    /// can serve with what stands in its place (CONFIG-1).
    #[test]
    fn the_example_is_the_defaults() {
        let text = include_str!("../../../docs/app.example.toml");
        assert!(problem(text).contains("the key of the example"), "{}", problem(text));
        let example = settings(&text.replace(PLACEHOLDER, "a secret"));
        let bare = settings("app_id = 1400000000\nkeys = [\"k\"]\nadministrators = [\"administrator\"]\n");
        assert_eq!(example.config, bare.config);
        let listens = |settings: &Settings| settings.doors.iter().map(|door| door.listen.clone()).collect::<Vec<_>>();
        assert_eq!(listens(&example), listens(&bare));
        assert_eq!(example.bounds, bare.bounds);
        for key in ["silence", "push_online", "records_max", "connections_max", "key_files", "reconnect_kicks"] {
            assert!(text.contains(&format!("\n{key} = ")), "the example tells of {key}");
        }
    }

    #[test]
    fn values_arrive() {
        let text = "app_id = 7\nkeys = [\"one\", \"two\"]\npolicy = \"multi\"\nreconnect_kicks = true\n\
                    [max_instances]\nios = 3\nweb = 10\n[limits]\nsilence = \"256500ms\"\nrefusals_max = 3\n";
        let Settings { config, keys, .. } = settings(text);
        assert_eq!(config.app_id, 7);
        assert_eq!(keys.len(), 2);
        assert_eq!(config.seats.policy(), Policy::Multi);
        assert_eq!(config.seats.instances_max(Platform::Ios), 3);
        assert!(config.reconnect_kicks);
        assert_eq!(config.limits.silence, Duration::from_millis(256_500));
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
                "4:11: `4 minutes` is no time: write one such as 500ms, 1.5s, 1m30s or 7d, up to 365d",
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
            ("connections_max = 0", "3:19: invalid value: integer `0`, expected a nonzero u32"),
        ];
        for (line, expected) in cases {
            assert_eq!(problem(&format!("{good}{line}\n")), expected, "{line}");
        }
        assert_eq!(problem("keys = [\"k\"]\n"), "1:1: missing field `app_id`");
        assert_eq!(problem("app_id = 7\nkeys = [\"k\", \"\"]\n"), "2:14: a key is empty");
        assert_eq!(
            problem("app_id = 7\nkeys = [\"k\"]\nlisten = \"127.0.0.1:99999\"\n"),
            "3:10: cannot listen on 127.0.0.1:99999: the port is a number from 0 to 65535"
        );
        assert_eq!(
            problem("app_id = 7\nkeys = [\"k\"]\n[limits]\nsilence = \"254s\"\nsilence_web = \"90s\"\n"),
            "4:11: no room for two heartbeats and an answer: at least 255 s (CONN-11)"
        );
        assert_eq!(
            problem("app_id = 7\n"),
            "1:1: give at least one key in `keys` or `key_files`: without one no ticket fits"
        );
    }

    /// CONFIG-1: one address takes one listener, whoever it is of; port 0 is another each time.
    #[test]
    fn two_cannot_listen_at_one_address() {
        let good = "app_id = 7\nkeys = [\"k\"]\n";
        let metrics = |listen: &str, metrics: &str| format!("{good}{listen}\n[metrics]\nlisten = \"{metrics}\"\n");
        for (text, expected) in [
            (
                metrics("listen = \"127.0.0.1:7000\"", "127.0.0.1:7000"),
                "5:10: cannot listen on 127.0.0.1:7000: `listen` is 127.0.0.1:7000 already",
            ),
            (
                metrics("listen = \"0.0.0.0:7000\"", "127.0.0.1:7000"),
                "5:10: cannot listen on 127.0.0.1:7000: `listen` is 0.0.0.0:7000 already",
            ),
            (
                metrics("listen = \"im.example.org:7000\"", "IM.example.org:7000"),
                "5:10: cannot listen on IM.example.org:7000: `listen` is im.example.org:7000 already",
            ),
            (
                metrics("", "127.0.0.1:7000"),
                "5:10: cannot listen on 127.0.0.1:7000: `listen`, of which nothing is said, is 127.0.0.1:7000 already",
            ),
            (
                metrics("websocket = { listen = \"[::1]:7000\" }", "[::]:7000"),
                "5:10: cannot listen on [::]:7000: `listen` of [websocket] is [::1]:7000 already",
            ),
            (
                format!("{good}listen = \"[::1]:7000\"\nwebsocket = {{ listen = \"[::1]:7000\" }}\n"),
                "4:24: cannot listen on [::1]:7000: `listen` is [::1]:7000 already",
            ),
        ] {
            assert_eq!(problem(&text), expected, "{text}");
        }
        for (listen, other) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0:0", "127.0.0.1:0"),
            ("127.0.0.1:7000", "127.0.0.2:7000"),
            ("127.0.0.1:7000", "127.0.0.1:7001"),
            ("0.0.0.0:7000", "[::1]:7000"),
            ("localhost:0", "localhost:0"),
        ] {
            settings(&metrics(&format!("listen = \"{listen}\""), other));
        }
    }

    /// CONFIG-1: nobody mends a file one mistake at a time.
    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let text = "polcy = \"dual\"\napp_id = \"seven\"\nlisten = \"here\"\nkeys = [\" \", 7, \"\\u0000\"]\n\
                    key_files = [\"none.key\"]\nadministrators = [\"a b\", \"root\", 3, \"c d\"]\n\
                    [max_instances]\nweb = 11\nios = 2\niphone = 1\n[limits]\nsilence = \"4\"\nsilense = \"4s\"\n";
        let all = problems(text);
        let places: Vec<String> =
            all.iter().map(|line| line.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")).collect();
        let expected = [
            "1:1", "2:10", "3:10", "4:9", "4:14", "4:17", "5:14", "6:19", "6:34", "6:37", "8:7", "10:1", "12:11",
            "13:1",
        ];
        assert_eq!(places, expected, "{all:#?}");
        assert!(all[6].contains("none.key"), "{}", all[6]);

        assert_eq!(problems("polisy = 1\n").len(), 3, "no app, no key, and an unknown word");
        let broken = problems("app_id = \nkeys = [\"k\"]\npolicy = dual\nlisten = \"nowhere\"\n");
        let places: Vec<&str> = broken.iter().map(|line| &line[..2]).collect();
        assert_eq!(places, ["1:", "3:", "4:"], "{broken:#?}");
    }

    /// CONFIG-1.
    #[test]
    fn a_short_key_is_warned_of() {
        let warnings = |text: &str| -> Vec<String> {
            configuration(text, Path::new(""), NOW, None).unwrap().warnings.iter().map(Problem::to_string).collect()
        };
        let long = "k".repeat(BYTES_MIN);
        let said = warnings(&format!("app_id = 7\nkeys = [\"{long}\", \" short \"]\n"));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(&format!("2:{}: a key of less than 32 bytes", 13 + BYTES_MIN)), "{said:?}");
        assert!(!said[0].contains("short"), "a log tells no secret");
    }

    #[test]
    fn an_address_is_looked_at_before_the_network_is_asked() {
        for good in ["127.0.0.1:0", "0.0.0.0:7000", "[::]:7000", "[::1]:65535", "localhost:7000", "im.example.org:7000"]
        {
            assert_eq!(address_problem(good), None, "{good}");
        }
        for (bad, part) in [
            ("nowhere", "no port"),
            ("", "no port"),
            (":7000", "no host"),
            ("127.0.0.1:99999", "from 0 to 65535"),
            ("127.0.0.1:", "from 0 to 65535"),
            ("127.0.0.1:http", "from 0 to 65535"),
            ("127.0.0.1:-1", "from 0 to 65535"),
            ("::1:7000", "in brackets"),
            ("[::g]:7000", "no IPv6 address"),
            ("256.0.0.1:7000", "no IP address"),
            ("tcp://host:7000", "neither a name nor an IP address"),
            ("a b:7000", "neither a name nor an IP address"),
        ] {
            assert!(
                address_problem(bad).is_some_and(|problem| problem.contains(part)),
                "{bad}: {:?}",
                address_problem(bad)
            );
        }
    }

    #[test]
    fn times_have_a_unit_and_bounds() {
        assert_eq!(time_of("7d"), Some(Time(Duration::from_secs(7 * 86_400))));
        assert_eq!(time_of("365d"), Some(Time(Duration::from_secs(365 * 86_400))));
        assert_eq!(time_of("1m30.5s"), Some(Time(Duration::from_millis(90_500))));
        for text in ["", "5", "s", "0s", "366d", "-1s", "99999999999999999999s", "5 s", "5S"] {
            assert_eq!(time_of(text), None, "{text}");
        }
    }
}
