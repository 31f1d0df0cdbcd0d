//! From the text of a file to a [`Scenario`], or to everything that is wrong with it (INPUT-4).
//!
//! Reads the header here; `script` and `expect` read the two column texts. After a mistake in the
//! TOML itself the line is left out and the rest still read, so that one report shows all.

mod silence;
mod sites;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use gatecrash::id::UserId;
use gatecrash::policy::{Platform, Seats};
use gatecrash::time::WallTime;
use toml_edit::{Item, TableLike, Value};

use super::diagnose::{Diagnosis, Mistake, Problems, nearest, one_of};
use super::duration::{DURATION, OFFSET, SPAN, parse_duration, parse_offset, parse_span};
use super::expect::read_expectations;
use super::line::{Literal, Vocabulary, member, range_of, with_index, words_of};
use super::names::{Incomplete, Names, USER_ID};
use super::numbers::LIST_MAX;
use super::rules::{RuleId, rule};
use super::script::{ACTORS, WHOLE_SECONDS, check_steps, read_steps, sites_moved_to, users_of, whole_seconds};
use super::section::{Entry, Section, kind_of, lost_keys, read_toml};
use super::{
    App, Device, DeviceName, Expected, Init, LimitKind, LimitOverrides, LimitValue, Scenario, SiteName, Step, TICK_MAX,
    TicketName, TicketPlan, tick_default,
};

/// The keys of a file's root.
pub(super) const ROOT_KEYS: [&str; 12] = [
    "title",
    "rules",
    "seed",
    "tick",
    "verdict_only",
    "converge",
    "app",
    "limits",
    "sites",
    "devices",
    "tickets",
    "script",
];

/// The keys of `[app]`.
pub(super) const APP_KEYS: [&str; 10] = [
    "id",
    "policy",
    "max_instances",
    "administrators",
    "reconnect_kicks",
    "notify_offline_kick",
    "start",
    "ticket_ttl",
    "commit_latency",
    "tls",
];

#[cfg(test)]
pub(super) use self::sites::SITE_KEYS;

/// The keys of a device.
pub(super) const DEVICE_KEYS: [&str; 4] = ["platform", "site", "init", "wall_offset"];

/// The keys of a ticket.
pub(super) const TICKET_KEYS: [&str; 4] = ["user", "issued", "ttl", "forge"];

/// The keys of `[script]`.
pub(super) const SCRIPT_KEYS: [&str; 3] = ["until", "steps", "expect"];

/// What a name looks like, for those who get it wrong.
const NAME: &str = "a letter, then up to 39 of a-z A-Z 0-9 _ -";

/// What a seed looks like.
const SEED: &str = "a number from 0, above 9223372036854775807 in quotes";

impl Scenario {
    /// The scenario a file holds. `file` names it in the report.
    ///
    /// # Errors
    ///
    /// Every mistake in the file at once (INPUT-4).
    pub fn parse(file: &str, text: &str) -> Result<Scenario, Diagnosis> {
        let mut problems = Problems::new(text);
        let scenario = read(text, &mut problems).map(|(scenario, _)| scenario);
        problems.into_result(file, scenario)
    }

    /// The line, from 1, on which each of the scenario's steps stands in the text that it was read from; none when that
    /// text says something else.
    pub fn lines_of_steps(&self, text: &str) -> Option<Vec<usize>> {
        let mut problems = Problems::new(text);
        let (read, steps_at) = read(text, &mut problems)?;
        (read == *self).then(|| steps_at.into_iter().map(|at| problems.place(at).line).collect())
    }
}

/// The scenario, and where each of its steps begins.
fn read(text: &str, problems: &mut Problems<'_>) -> Option<(Scenario, Vec<usize>)> {
    let (readable, document) = read_toml(text, problems);
    let document = document?;
    let recovered = problems.count() > 0;
    let lost = lost_keys(text, &readable);
    let (suggested, steps_at) = (BTreeSet::new(), Vec::new());
    let mut header = Header { text: &readable, recovered, lost, suggested, steps_at, problems };
    let scenario = header.read(document.as_table())?;
    Some((scenario, header.steps_at))
}

/// Reads the header's tables and values, and reports what does not fit.
struct Header<'p, 't, 'r> {
    /// The text with the lines that are no TOML left out.
    text: &'r str,
    /// Whether lines were left out: then nothing is called missing.
    recovered: bool,
    /// The keys of those lines.
    lost: BTreeSet<String>,
    /// The keys that unknown ones were taken for: they are not called missing as well.
    suggested: BTreeSet<String>,
    /// Where each step begins, in the order of the steps.
    steps_at: Vec<usize>,
    problems: &'p mut Problems<'t>,
}

impl<'r> Header<'_, '_, 'r> {
    fn read(&mut self, table: &dyn TableLike) -> Option<Scenario> {
        let root = Section { key: String::new(), table, at: 0..0 };
        self.check_keys(&root, &ROOT_KEYS);
        let title = self.required(&root, "title", Self::read_title);
        let rules = self.required(&root, "rules", Self::read_rules);
        let seed = self.required(&root, "seed", Self::read_seed);
        let tick = self.optional(&root, "tick", Self::read_tick);
        let verdict_only = self.optional(&root, "verdict_only", Self::read_title);
        let converge = self.optional(&root, "converge", Self::read_time);
        let app = self.section(&root, "app").map_or(Some(App::default()), |section| self.read_app(&section));
        let limits = self.section(&root, "limits").map(|section| self.read_limits(&section)).unwrap_or_default();
        // A key with a pattern stands for names that nobody can tell.
        let incomplete = match self.lost.iter().any(|key| key.contains(['{', '['])) {
            true => Incomplete::ALL,
            // A device brings its site, and users are named in many places.
            false => Incomplete { sites: self.recovered, users: self.recovered, ..Incomplete::default() },
        };
        let mut names = Names { incomplete, lost: self.lost.clone(), ..Names::default() };
        let mut sites = self.read_sites(&root);
        let devices = self.read_devices(&root, &mut names);
        let ttl = app.as_ref().map_or(super::TICKET_TTL_DEFAULT, |app| app.ticket_ttl);
        let tickets = self.read_tickets(&root, ttl, &mut names);
        for device in devices.values() {
            sites.entry(device.site.clone()).or_default();
        }
        names.sites = sites.keys().cloned().collect();
        names.users.extend(tickets.values().map(|ticket| ticket.user));
        names.users.extend(app.iter().flat_map(|app| app.administrators.iter().cloned()));
        // Administrators and tickets that were refused may have been users.
        names.incomplete.users |= app.is_none() || names.incomplete.tickets || tickets.len() < names.tickets.len();
        let seats = app.as_ref().map(|app| app.seats);
        let script = self.read_script(&root, &mut names, seats);
        for site in names.sites {
            sites.entry(site).or_default();
        }
        let (until, steps, expectations) = script?;
        Some(Scenario {
            title: title?,
            rules: rules?,
            seed: seed?,
            tick: tick.unwrap_or_else(|| tick_default(until)),
            verdict_only,
            converge,
            app: app?,
            limits,
            sites,
            devices,
            tickets,
            until,
            steps,
            expectations,
        })
    }

    fn check_keys(&mut self, section: &Section<'_>, keys: &[&str]) {
        for entry in section.entries() {
            let key = entry.name.as_str();
            if !keys.contains(&key) {
                let message = format!("there is no key `{}`", entry.key);
                self.suggested.extend(nearest(key, keys.iter().copied()).map(|near| section.key_of(&near)));
                let expected = one_of(keys.iter().copied());
                self.problems.report(Mistake::new(entry.key_at, message, expected).near(key, keys.iter().copied()));
            }
        }
    }

    fn required<T>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        read: fn(&mut Self, &Entry<'_>) -> Option<T>,
    ) -> Option<T> {
        match section.entry(key) {
            Some(entry) => read(self, &entry),
            None => {
                self.missing(section, key);
                None
            }
        }
    }

    fn missing(&mut self, section: &Section<'_>, key: &str) {
        if !self.recovered && !self.suggested.contains(&section.key_of(key)) {
            let owner = if section.key.is_empty() { "the file".to_owned() } else { format!("`{}`", section.key) };
            let message = format!("{owner} has no `{key}`");
            self.problems.report(Mistake::new(section.at.clone(), message, format!("a key `{key}`")));
        }
    }

    fn optional<T>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        read: fn(&mut Self, &Entry<'_>) -> Option<T>,
    ) -> Option<T> {
        section.entry(key).and_then(|entry| read(self, &entry))
    }

    fn section<'d>(&mut self, parent: &Section<'d>, key: &str) -> Option<Section<'d>> {
        let entry = parent.entry(key)?;
        self.as_section(&entry)
    }

    fn as_section<'d>(&mut self, entry: &Entry<'d>) -> Option<Section<'d>> {
        let table = match &entry.item {
            Cow::Borrowed(item) => item.as_table_like(),
            // An element of a list: no list holds tables.
            Cow::Owned(_) => None,
        };
        match table {
            // Its key is the place of what it lacks.
            Some(table) => Some(Section { key: entry.key.clone(), table, at: entry.key_at.clone() }),
            None => {
                self.refuse_type(entry, "a table of keys");
                None
            }
        }
    }

    fn refuse_type(&mut self, entry: &Entry<'_>, expected: &str) {
        let message = format!("`{}` is {}", entry.key, kind_of(&entry.item));
        self.problems.report(Mistake::new(entry.at.clone(), message, expected));
    }

    fn refuse_value(&mut self, entry: &Entry<'_>, expected: &str) {
        let written = self.text.get(entry.at.clone()).unwrap_or_default();
        let message = format!("`{}` cannot be {written}", entry.key);
        self.problems.report(Mistake::new(entry.at.clone(), message, expected));
    }

    fn text(&mut self, entry: &Entry<'_>, expected: &str) -> Option<String> {
        let text = entry.item.as_str().map(str::to_owned);
        if text.is_none() {
            self.refuse_type(entry, &format!("{expected}, in quotes"));
        }
        text
    }

    /// What `read` makes of a text.
    fn value<T>(&mut self, entry: &Entry<'_>, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = read(&self.text(entry, expected)?);
        if value.is_none() {
            self.refuse_value(entry, expected);
        }
        value
    }

    fn word<V: Vocabulary>(&mut self, entry: &Entry<'_>) -> Option<V> {
        let expected = one_of(words_of::<V>());
        let word = self.text(entry, &expected)?;
        let found = member::<V>(&word);
        if found.is_none() {
            let message = format!("`{}` cannot be `{word}`", entry.key);
            self.problems.report(Mistake::new(entry.at.clone(), message, expected).near(&word, words_of::<V>()));
        }
        found
    }

    fn switch(&mut self, entry: &Entry<'_>) -> Option<bool> {
        let switch = entry.item.as_bool();
        if switch.is_none() {
            self.refuse_type(entry, "true or false");
        }
        switch
    }

    fn number(&mut self, entry: &Entry<'_>, allowed: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let expected = match *allowed.end() {
            end if end >= i64::MAX as u64 => format!("a number from {}", allowed.start()),
            end => format!("a number from {} to {end}", allowed.start()),
        };
        let Some(number) = entry.item.as_integer() else {
            self.refuse_type(entry, &expected);
            return None;
        };
        let number = u64::try_from(number).ok().filter(|number| allowed.contains(number));
        if number.is_none() {
            self.refuse_value(entry, &expected);
        }
        number
    }

    /// A span of time over zero.
    fn read_time(&mut self, entry: &Entry<'_>) -> Option<Duration> {
        let expected = format!("{DURATION}, over zero");
        self.value(entry, &expected, |text| parse_duration(text).filter(|span| !span.is_zero()))
    }

    fn read_title(&mut self, entry: &Entry<'_>) -> Option<String> {
        let expected = "a sentence";
        self.value(entry, expected, |text| Some(text.to_owned()).filter(|text| !text.trim().is_empty()))
    }

    fn read_seed(&mut self, entry: &Entry<'_>) -> Option<u64> {
        let seed = match (entry.item.as_integer(), entry.item.as_str()) {
            (Some(number), _) => u64::try_from(number).ok(),
            (None, Some(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            (None, Some(_)) => None,
            (None, None) => {
                self.refuse_type(entry, SEED);
                return None;
            }
        };
        if seed.is_none() {
            self.refuse_value(entry, SEED);
        }
        seed
    }

    fn read_tick(&mut self, entry: &Entry<'_>) -> Option<Duration> {
        let expected = "a span of time over zero, up to 1s";
        self.value(entry, expected, |text| parse_duration(text).filter(|tick| !tick.is_zero() && *tick <= TICK_MAX))
    }

    fn read_rules(&mut self, entry: &Entry<'_>) -> Option<Vec<RuleId>> {
        let expected = "ids of rules, such as \"KICK-3\"";
        let mut rules = Vec::new();
        for entry in self.elements(entry, expected)? {
            let id = self.text(&entry, "the id of a rule")?;
            let known = || RuleId::all().map(RuleId::as_str);
            match RuleId::find(&id) {
                Some(rule) if rules.contains(&rule) => {
                    let message = format!("{id} stands here twice");
                    self.problems.report(Mistake::new(entry.at, message, "each rule once"));
                }
                Some(rule) => rules.push(rule),
                None => {
                    let message = format!("there is no rule `{id}`");
                    self.problems.report(Mistake::new(entry.at, message, "the id of a rule").near(&id, known()));
                }
            }
        }
        if rules.is_empty() && entry.item.as_array().is_some_and(toml_edit::Array::is_empty) {
            self.refuse_value(entry, expected);
        }
        Some(rules)
    }

    /// The elements of an array, each as an entry of its own.
    fn elements(&mut self, entry: &Entry<'_>, expected: &str) -> Option<Vec<Entry<'static>>> {
        let Some(array) = entry.item.as_array() else {
            self.refuse_type(entry, &format!("a list of {expected}"));
            return None;
        };
        let element = |value: &Value| Entry {
            key: entry.key.clone(),
            name: entry.name.clone(),
            at: value.span().unwrap_or_else(|| entry.at.clone()),
            key_at: entry.key_at.clone(),
            item: Cow::Owned(Item::Value(value.clone())),
        };
        Some(array.iter().map(element).collect())
    }

    fn read_app(&mut self, section: &Section<'_>) -> Option<App> {
        let before = self.problems.count();
        self.check_keys(section, &APP_KEYS);
        let default = App::default();
        let id = self.optional(section, "id", |header, entry| header.number(entry, 1..=u64::from(u32::MAX)));
        let administrators = self.optional(section, "administrators", Self::read_users);
        let switches = ["reconnect_kicks", "notify_offline_kick", "tls"];
        let [reconnect_kicks, notify_offline_kick, tls] = switches.map(|key| self.optional(section, key, Self::switch));
        let start = self.optional(section, "start", |header, entry| header.number(entry, 0..=START_MAX));
        let ticket_ttl = self.optional(section, "ticket_ttl", Self::read_ttl);
        let commit_latency =
            self.optional(section, "commit_latency", |header, entry| header.value(entry, SPAN, parse_span));
        let seats = self.read_seats(section);
        (self.problems.count() == before).then(|| App {
            id: id.unwrap_or(default.id),
            seats: seats.unwrap_or(default.seats),
            administrators: administrators.unwrap_or_default(),
            reconnect_kicks: reconnect_kicks.unwrap_or(default.reconnect_kicks),
            notify_offline_kick: notify_offline_kick.unwrap_or(default.notify_offline_kick),
            start: start.map_or(default.start, WallTime::from_seconds),
            ticket_ttl: ticket_ttl.unwrap_or(default.ticket_ttl),
            commit_latency: commit_latency.unwrap_or(default.commit_latency),
            tls: tls.unwrap_or(default.tls),
        })
    }

    /// The policy with its numbers of devices, each judged by itself so that every one out of range is named.
    fn read_seats(&mut self, app: &Section<'_>) -> Option<Seats> {
        let policy = match app.entry("policy") {
            Some(entry) => self.word(&entry)?,
            None => Seats::default().policy(),
        };
        let mut numbers = BTreeMap::new();
        if let Some(section) = self.section(app, "max_instances") {
            let platforms: Vec<&str> = words_of::<Platform>().collect();
            self.check_keys(&section, &platforms);
            for platform in Platform::ALL {
                let Some(entry) = section.entry(platform.word()) else { continue };
                let Some(number) = entry.item.as_integer() else {
                    self.refuse_type(&entry, "a number of devices");
                    continue;
                };
                // What is no such number at all is far outside, too.
                let number = u32::try_from(number).unwrap_or(if number < 0 { 0 } else { u32::MAX });
                match Seats::new(policy, &BTreeMap::from([(platform, number)])) {
                    Ok(_) => {
                        numbers.insert(platform, number);
                    }
                    Err(refused) => {
                        let expected = format!("1 to {}", refused.limit);
                        let mistake = Mistake::new(entry.at, refused.to_string(), expected);
                        self.problems.report(mistake.breaking(rule("POLICY-2")));
                    }
                }
            }
        }
        Some(Seats::new(policy, &numbers).expect("each number fits the policy"))
    }

    fn read_users(&mut self, entry: &Entry<'_>) -> Option<BTreeSet<UserId>> {
        let mut users = BTreeSet::new();
        for element in self.elements(entry, "user ids")? {
            users.insert(self.value(&element, USER_ID, |text| text.parse().ok())?);
        }
        Some(users)
    }

    fn read_ttl(&mut self, entry: &Entry<'_>) -> Option<Duration> {
        self.value(entry, WHOLE_SECONDS, |text| parse_duration(text).and_then(whole_seconds))
    }

    fn read_limits(&mut self, section: &Section<'_>) -> LimitOverrides {
        let keys: Vec<&str> = LimitOverrides::KEYS.iter().map(|(key, _, _)| *key).collect();
        self.check_keys(section, &keys);
        let mut limits = LimitOverrides::default();
        for (key, kind, _) in LimitOverrides::KEYS {
            let Some(entry) = section.entry(key) else { continue };
            let value = match kind {
                LimitKind::Time => self.read_time(&entry).map(LimitValue::Time),
                LimitKind::Number => self.number(&entry, 1..=u64::from(NUMBER_MAX)).map(narrow).map(LimitValue::Number),
                LimitKind::Percent => self.number(&entry, 0..=100).map(narrow).map(LimitValue::Percent),
                LimitKind::Lines => self.number(&entry, 1..=LIST_MAX as u64).map(narrow).map(LimitValue::Lines),
            };
            if let Some(value) = value {
                assert!(limits.set(key, value), "{key} is in the table with this kind");
            }
        }
        self.check_silence(section, &limits);
        limits
    }

    /// The names an entry's key stands for: one, or one for each index of its pattern.
    fn names<N: FromStr>(&mut self, entry: &Entry<'_>, what: &str) -> Vec<(N, Option<u32>)> {
        let key = entry.name.as_str();
        let range = match range_of(key) {
            Ok(range) => range,
            Err(message) => {
                let expected = "{A..B} for the numbers A to B";
                self.problems.report(Mistake::new(entry.key_at.clone(), message, expected));
                return Vec::new();
            }
        };
        let texts: Vec<(String, Option<u32>)> = match range {
            None => vec![(key.to_owned(), None)],
            Some((from, to)) => (from..=to)
                .map(|index| (with_index(key, index).expect("its range was just read"), Some(index)))
                .collect(),
        };
        let mut names = Vec::new();
        for (text, index) in texts {
            match text.parse() {
                Ok(name) => names.push((name, index)),
                Err(_) => {
                    let message = format!("`{text}` cannot name a {what}");
                    self.problems.report(Mistake::new(entry.key_at.clone(), message, NAME));
                    break;
                }
            }
        }
        names
    }

    fn report_double(&mut self, entry: &Entry<'_>, what: &str, name: &str) {
        let message = format!("there are two {what}s `{name}`");
        self.problems.report(Mistake::new(entry.key_at.clone(), message, "each name once"));
    }

    fn read_devices(&mut self, root: &Section<'_>, names: &mut Names) -> BTreeMap<DeviceName, Device> {
        let mut devices = BTreeMap::new();
        let Some(section) = self.section(root, "devices") else {
            names.incomplete.devices |= root.table.contains_key("devices");
            return devices;
        };
        for entry in section.entries() {
            let before = self.problems.count();
            let expanded = self.names::<DeviceName>(&entry, "device");
            names.incomplete.devices |= self.problems.count() > before;
            for (name, _) in &expanded {
                if ACTORS.contains(&name.as_str()) || name.as_str() == "server" {
                    let message = format!("`{name}` cannot name a device");
                    let expected = "a name other than fault, app and server";
                    self.problems.report(Mistake::new(entry.key_at.clone(), message, expected));
                }
                if !names.devices.insert(name.clone()) {
                    self.report_double(&entry, "device", name.as_str());
                }
            }
            let Some(table) = self.as_section(&entry) else { continue };
            self.check_keys(&table, &DEVICE_KEYS);
            let platforms = self.required(&table, "platform", |header, entry| {
                header.one_or_several(entry, |header, entry| header.word::<Platform>(entry))
            });
            let init = self.optional(&table, "init", |header, entry| header.word::<Init>(entry));
            let wall_offset =
                self.optional(&table, "wall_offset", |header, entry| header.value(entry, OFFSET, parse_offset));
            let site_texts = self.required(&table, "site", |header, entry| {
                header.one_or_several(entry, |header, entry| {
                    Some((header.text(entry, "the name of a site")?, entry.at.clone()))
                })
            });
            let sites = site_texts.and_then(|texts| self.sites_of(&expanded, &texts));
            // The sites of these devices would be known had they been read.
            names.incomplete.sites |= sites.is_none();
            let (Some(platforms), Some(sites)) = (platforms, sites) else { continue };
            for (nth, ((name, _), site)) in expanded.into_iter().zip(sites).enumerate() {
                let device = Device {
                    platform: platforms[nth % platforms.len()],
                    site,
                    init: init.unwrap_or(Init::Auto),
                    wall_offset: wall_offset.unwrap_or_default(),
                };
                devices.insert(name, device);
            }
        }
        devices
    }

    /// The site of each device of an entry: the texts in turn, with the device's index for braces.
    fn sites_of(
        &mut self,
        devices: &[(DeviceName, Option<u32>)],
        texts: &[(String, Range<usize>)],
    ) -> Option<Vec<SiteName>> {
        let mut sites = Vec::new();
        for (nth, (_, index)) in devices.iter().enumerate() {
            let (text, at) = &texts[nth % texts.len()];
            let name = match index {
                Some(index) => with_index(text, *index),
                None => Ok(text.clone()),
            };
            match name.map(|name| name.parse()) {
                Ok(Ok(site)) => sites.push(site),
                Ok(Err(_)) | Err(_) => {
                    let message = format!("`{text}` cannot name a site");
                    self.problems.report(Mistake::new(at.clone(), message, NAME));
                    return None;
                }
            }
        }
        Some(sites)
    }

    /// One value, or a list of values that the devices of a pattern take in turn. Never empty.
    fn one_or_several<T>(
        &mut self,
        entry: &Entry<'_>,
        read: impl Fn(&mut Self, &Entry<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(array) = entry.item.as_array() else { return Some(vec![read(self, entry)?]) };
        if array.is_empty() {
            self.refuse_value(entry, "at least one");
            return None;
        }
        let elements = self.elements(entry, "names")?;
        elements.into_iter().map(|element| read(self, &element)).collect()
    }

    fn read_tickets(
        &mut self,
        root: &Section<'_>,
        ttl_default: Duration,
        names: &mut Names,
    ) -> BTreeMap<TicketName, TicketPlan> {
        let mut tickets = BTreeMap::new();
        let Some(section) = self.section(root, "tickets") else {
            names.incomplete.tickets |= root.table.contains_key("tickets");
            return tickets;
        };
        for entry in section.entries() {
            let before = self.problems.count();
            let expanded = self.names::<TicketName>(&entry, "ticket");
            names.incomplete.tickets |= self.problems.count() > before;
            for (name, _) in &expanded {
                if name.as_str() == "last" {
                    let expected = "a name other than `last`, which is the ticket of the device's previous login";
                    let message = "`last` cannot name a ticket";
                    self.problems.report(Mistake::new(entry.key_at.clone(), message, expected));
                }
                if !names.tickets.insert(name.clone()) {
                    self.report_double(&entry, "ticket", name.as_str());
                }
            }
            let Some(table) = self.as_section(&entry) else { continue };
            self.check_keys(&table, &TICKET_KEYS);
            let issued = self.optional(&table, "issued", |header, entry| {
                header.value(entry, "a signed span of whole seconds, such as -1h", |text| {
                    parse_offset(text).filter(|offset| offset.0 % 1_000_000 == 0)
                })
            });
            let ttl = self.optional(&table, "ttl", Self::read_ttl);
            let forge = self.optional(&table, "forge", |header, entry| header.word(entry));
            let Some(user_entry) = table.entry("user") else {
                self.missing(&table, "user");
                continue;
            };
            for (name, index) in expanded {
                let user = self.value(&user_entry, USER_ID, |text| match index {
                    Some(index) => with_index(text, index).ok()?.parse().ok(),
                    None => text.parse().ok(),
                });
                let Some(user) = user else { break };
                let plan =
                    TicketPlan { user, issued: issued.unwrap_or_default(), ttl: ttl.unwrap_or(ttl_default), forge };
                tickets.insert(name, plan);
            }
        }
        tickets
    }

    fn read_script(
        &mut self,
        root: &Section<'_>,
        names: &mut Names,
        seats: Option<Seats>,
    ) -> Option<(Duration, Vec<Step>, Vec<Expected>)> {
        let Some(entry) = root.entry("script") else {
            self.missing(root, "script");
            return None;
        };
        let section = self.as_section(&entry)?;
        self.check_keys(&section, &SCRIPT_KEYS);
        let until = self.required(&section, "until", Self::read_time);
        let mut placed = Vec::new();
        let before = self.problems.count();
        if let Some(literal) = self.column_text(&section, "steps") {
            names.sites.extend(sites_moved_to(literal.clone(), names, self.text));
            placed = read_steps(literal, names, self.problems);
            names.incomplete.users |= self.problems.count() > before;
            names.users.extend(placed.iter().flat_map(|placed| users_of(&placed.step.action)));
            check_steps(&placed, until, seats, self.problems);
        }
        let mut expectations = Vec::new();
        if let Some(literal) = self.column_text(&section, "expect") {
            expectations = read_expectations(literal, names, until, self.problems);
        }
        self.steps_at = placed.iter().map(|placed| placed.line.start).collect();
        Some((until?, placed.into_iter().map(|placed| placed.step).collect(), expectations))
    }

    /// The column text under this key.
    fn column_text(&mut self, section: &Section<'_>, key: &str) -> Option<Literal<'r>> {
        let entry = section.entry(key)?;
        self.text(&entry, "lines between \"\"\" and \"\"\"")?;
        Some(Literal { file: self.text, at: entry.at })
    }
}

/// The latest start: the year 9999.
const START_MAX: u64 = 253_402_300_799;

/// The largest number a limit takes.
const NUMBER_MAX: u32 = 1_000_000;

fn narrow(number: u64) -> u32 {
    u32::try_from(number).expect("checked against its range")
}
