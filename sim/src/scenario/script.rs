//! The `steps` of a file: each line, its pattern expanded, becomes steps; then what only several
//! steps together can get wrong is looked for.
//!
//! Executes nothing: a world does. What the words of a step mean to a person is in `docs/scenarios.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use gatecrash::id::UserId;
use gatecrash::policy::{Policy, Seats};

use super::diagnose::{Mistake, Problems, one_of};
use super::duration::{DURATION, OFFSET, SPAN, parse_duration, parse_offset, parse_span};
use super::line::{Cursor, Literal, Word, expand, read_lines};
use super::rules::rule;
use super::{
    Action, AppChange, Call, Clock, CommitPoint, DeviceName, Direction, Fault, ListenerEvent, SiteName, Step, Text,
    TicketChoice, TicketName,
};

/// What a user id looks like.
pub(super) const USER_ID: &str = "a user id: 1 to 32 of a-z A-Z 0-9 _ -";

/// What the user of a call looks like: the application may get it wrong.
const CALLED_USER: &str = "a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes";

/// The calls an application makes.
pub(super) const CALLS: [&str; 9] =
    ["init", "uninit", "login", "logout", "send", "conversations", "kick", "query", "network_changed"];

/// What a device does beside calls.
pub(super) const DEVICE_ACTIONS: [&str; 2] = ["on", "raw"];

/// What breaks and heals.
pub(super) const FAULTS: [&str; 20] = [
    "partition",
    "repair",
    "hold",
    "release",
    "latency",
    "crash",
    "bounce",
    "start",
    "power-loss",
    "disk-error",
    "disk-full",
    "slow-disk",
    "mend-disk",
    "reset",
    "kill",
    "suspend",
    "wake",
    "skew",
    "drift",
    "wipe",
];

/// What the app's business side changes.
pub(super) const APP_CHANGES: [&str; 6] =
    ["policy", "max_instances", "reconnect_kicks", "notify_offline_kick", "administrators", "drop_key"];

/// The actors that are no devices.
pub(super) const ACTORS: [&str; 2] = ["fault", "app"];

/// The longest text of `bytes=N`: well over what the SDK accepts.
const BYTES_MAX: u32 = 1_000_000;

/// The names that steps and expectations may use.
#[derive(Default)]
pub(super) struct Names {
    pub(super) devices: BTreeSet<DeviceName>,
    pub(super) sites: BTreeSet<SiteName>,
    pub(super) tickets: BTreeSet<TicketName>,
    /// Whether a mistake elsewhere may have kept a name out; then none is called unknown.
    pub(super) incomplete: bool,
}

impl Names {
    fn find<N: Clone + Ord + std::borrow::Borrow<str> + 'static>(
        &self,
        known: &BTreeSet<N>,
        what: &str,
        word: &Word,
        problems: &mut Problems<'_>,
    ) -> Option<N> {
        let found = known.get(word.text.as_str()).cloned();
        if found.is_none() && !self.incomplete {
            let valid = || known.iter().map(|name| name.borrow());
            let message = format!("there is no {what} `{}`", word.text);
            problems.report(Mistake::new(word.at.clone(), message, one_of(valid())).near(&word.text, valid()));
        }
        found
    }

    /// The device that the next word names.
    pub(super) fn device(&self, cursor: &mut Cursor<'_, '_, '_>) -> Option<DeviceName> {
        let word = cursor.word("a device")?;
        self.device_named(word, cursor.problems)
    }

    /// The device of this name.
    pub(super) fn device_named(&self, word: &Word, problems: &mut Problems<'_>) -> Option<DeviceName> {
        self.find(&self.devices, "device", word, problems)
    }

    fn site(&self, cursor: &mut Cursor<'_, '_, '_>) -> Option<SiteName> {
        let word = cursor.word("a site")?;
        self.find(&self.sites, "site", word, cursor.problems)
    }
}

/// A step, and where the file has its time and the whole of it.
pub(super) struct Placed {
    pub(super) step: Step,
    time: Range<usize>,
    line: Range<usize>,
}

/// Reads the steps of the text, in the order of time; at one instant, in the file's.
pub(super) fn read_steps(literal: Literal<'_>, names: &Names, problems: &mut Problems<'_>) -> Vec<Placed> {
    let mut steps = Vec::new();
    for words in read_lines(literal, false, problems) {
        // On a failure the line has reported why; the others are still read.
        let _read = read_line(words, names, problems, &mut steps);
    }
    steps.sort_by_key(|placed| placed.step.at);
    steps
}

fn read_line(words: Vec<Word>, names: &Names, problems: &mut Problems<'_>, steps: &mut Vec<Placed>) -> Option<()> {
    let (line, time) = (words[0].at.start..words[words.len() - 1].at.end, words[0].clone());
    let (first, last) = read_times(&time, problems)?;
    let subjects = match words.get(1) {
        Some(actor) if actor.is("fault") => 2..words.len(),
        Some(actor) if actor.is("app") => 1..1,
        Some(_) | None => 1..2,
    };
    let expansion = expand(words, subjects, problems)?;
    if first != last && !expansion.has_pattern() {
        let expected = "one time; a range spreads the devices of a pattern";
        problems.report(Mistake::new(time.at, "a range of times in a line without a pattern", expected));
        return None;
    }
    let count = expansion.count();
    for nth in 0..count {
        let words = expansion.words(nth, problems)?;
        let mut cursor = Cursor::new(&words[1..], problems);
        let action = read_action(&mut cursor, names, &time)?;
        let step = Step { at: spread(first, last, nth, count), action };
        steps.push(Placed { step, time: time.at.clone(), line: line.clone() });
    }
    Some(())
}

/// The instant of the `nth` of `count` steps spread evenly from `first` to `last`.
fn spread(first: Duration, last: Duration, nth: u32, count: u32) -> Duration {
    if count < 2 {
        return first;
    }
    let micros = (last - first).as_micros() * u128::from(nth) / u128::from(count - 1);
    first + Duration::from_micros(u64::try_from(micros).expect("at most the span itself"))
}

fn read_times(word: &Word, problems: &mut Problems<'_>) -> Option<(Duration, Duration)> {
    let (first, last) = word.text.split_once("..").unwrap_or((&word.text, &word.text));
    match (parse_duration(first), parse_duration(last)) {
        (Some(first), Some(last)) if !word.quoted && first <= last => Some((first, last)),
        (Some(_), Some(_)) | (None, _) | (_, None) => {
            let message = format!("`{}` is no time", word.text);
            let expected = "the time of the step: 0s, 1.5s, 1m30s, or a range such as 0s..10s";
            problems.report(Mistake::new(word.at.clone(), message, expected));
            None
        }
    }
}

fn read_action(cursor: &mut Cursor<'_, '_, '_>, names: &Names, time: &Word) -> Option<Action> {
    if cursor.peek().is_none() {
        let message = format!("nothing happens at {}", time.text);
        let expected = "a device, `fault` or `app`, then what it does";
        cursor.problems.report(Mistake::new(time.at.end..time.at.end, message, expected));
        return None;
    }
    let actor = cursor.word("a device, `fault` or `app`")?;
    if actor.is("fault") {
        return read_fault(cursor, names).map(Action::Fault);
    }
    if actor.is("app") {
        return read_change(cursor).map(Action::App);
    }
    if !names.devices.contains(actor.text.as_str()) {
        if !names.incomplete {
            let valid = || names.devices.iter().map(DeviceName::as_str).chain(ACTORS);
            let message = format!("there is no device `{}`", actor.text);
            let mistake = Mistake::new(actor.at.clone(), message, one_of(valid()));
            cursor.problems.report(mistake.near(&actor.text, valid()));
        }
        return None;
    }
    let device: DeviceName = actor.text.parse().expect("it is in the table of devices");
    let valid = || CALLS.into_iter().chain(DEVICE_ACTIONS);
    let expected = one_of(valid());
    let verb = cursor.word(&expected)?;
    let action = match verb.text.as_str() {
        "on" => {
            let event: ListenerEvent = cursor.member("listener event")?;
            let expected = one_of(CALLS);
            let verb = cursor.word(&expected)?;
            let call = match read_call(verb, cursor, names) {
                Read::Call(call) => call?,
                Read::NoCall => {
                    cursor.refuse(verb, "call", &expected, CALLS);
                    return None;
                }
            };
            Action::On { device, event, call }
        }
        "raw" => Action::Raw { device, conduct: cursor.member("conduct of a stranger")? },
        _ => match read_call(verb, cursor, names) {
            Read::Call(call) => Action::Call { device, call: call? },
            Read::NoCall => {
                cursor.refuse(verb, "action of a device", &expected, valid());
                return None;
            }
        },
    };
    cursor.finish(&[])?;
    Some(action)
}

enum Read {
    /// A call; none if something about it was reported.
    Call(Option<Call>),
    /// The word is no call.
    NoCall,
}

fn read_call(verb: &Word, cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Read {
    let call = match verb.text.as_str() {
        "init" => Some(Call::Init),
        "uninit" => Some(Call::Uninit),
        "login" => read_login(cursor, names),
        "logout" => Some(Call::Logout),
        "send" => read_send(cursor),
        "conversations" => Some(Call::Conversations),
        "kick" => called_user(cursor).map(|user| Call::Kick { user }),
        "query" => read_query(cursor),
        "network_changed" => Some(Call::NetworkChanged),
        _ => return Read::NoCall,
    };
    Read::Call(call)
}

/// The user of a call: in quotes anything, otherwise a user id.
fn called_user(cursor: &mut Cursor<'_, '_, '_>) -> Option<String> {
    let word = cursor.word(CALLED_USER)?;
    check_called_user(word, cursor.problems)
}

fn check_called_user(word: &Word, problems: &mut Problems<'_>) -> Option<String> {
    if word.quoted || word.text.parse::<UserId>().is_ok() {
        return Some(word.text.clone());
    }
    problems.report(Mistake::new(word.at.clone(), format!("`{}` is no user id", word.text), CALLED_USER));
    None
}

/// A user id, in quotes or not.
pub(super) fn user(word: &Word, problems: &mut Problems<'_>) -> Option<UserId> {
    let user = word.text.parse().ok();
    if user.is_none() {
        problems.report(Mistake::new(word.at.clone(), format!("`{}` is no user id", word.text), USER_ID));
    }
    user
}

/// The value of the next word if it is `key=value`, as a word of its own.
pub(super) fn option(cursor: &mut Cursor<'_, '_, '_>, key: &str) -> Option<Word> {
    let word = cursor.peek().filter(|word| !word.quoted)?;
    let value = word.text.strip_prefix(key)?.strip_prefix('=')?;
    let text = value.to_owned();
    // A word with a pattern is reported here; then there is no value either.
    let word = cursor.word(key)?;
    Some(Word { text, quoted: false, at: word.at.start + key.len() + 1..word.at.end })
}

/// A span of whole seconds, as tickets have.
pub(super) fn whole_seconds(span: Duration) -> Option<Duration> {
    (span.subsec_nanos() == 0).then_some(span)
}

/// What a ticket's time looks like.
pub(super) const WHOLE_SECONDS: &str = "a span of time in whole seconds, such as 10s or 7d";

fn read_login(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<Call> {
    let user = called_user(cursor)?;
    if let Some(value) = option(cursor, "ticket") {
        let ticket = match value.text.as_str() {
            "last" => TicketChoice::Last,
            _ => {
                let valid = || names.tickets.iter().map(TicketName::as_str).chain(["last"]);
                match names.tickets.get(value.text.as_str()) {
                    Some(ticket) => TicketChoice::Named(ticket.clone()),
                    None if names.incomplete => return None,
                    None => {
                        let message = format!("there is no ticket `{}`", value.text);
                        let mistake = Mistake::new(value.at.clone(), message, one_of(valid()));
                        cursor.problems.report(mistake.near(&value.text, valid()));
                        return None;
                    }
                }
            }
        };
        if let Some(ttl) = option(cursor, "ttl") {
            let expected = "either `ticket=` or `ttl=`: a named ticket brings its own";
            cursor.problems.report(Mistake::new(ttl.at, "a ttl for a ticket that is there already", expected));
            return None;
        }
        cursor.finish(&[])?;
        return Some(Call::Login { user, ticket });
    }
    let ttl = match option(cursor, "ttl") {
        Some(value) => match parse_duration(&value.text).and_then(whole_seconds) {
            Some(ttl) => Some(ttl),
            None => {
                cursor.refuse(&value, "ttl", WHOLE_SECONDS, []);
                return None;
            }
        },
        None => None,
    };
    cursor.finish(if ttl.is_some() { &[] } else { &["ticket=", "ttl="] })?;
    Some(Call::Login { user, ticket: TicketChoice::Fresh { ttl } })
}

fn read_send(cursor: &mut Cursor<'_, '_, '_>) -> Option<Call> {
    let to = called_user(cursor)?;
    if let Some(value) = option(cursor, "bytes") {
        let bytes = value.text.parse::<u32>().ok().filter(|bytes| *bytes <= BYTES_MAX);
        let Some(bytes) = bytes else {
            cursor.refuse(&value, "number of bytes", &format!("a number up to {BYTES_MAX}"), []);
            return None;
        };
        return Some(Call::Send { to, text: Text::Bytes(bytes) });
    }
    let text = quoted_text(cursor, "a text in quotes, or bytes=N")?;
    Some(Call::Send { to, text: Text::Written(text) })
}

/// The text of the next word, which must be in quotes.
pub(super) fn quoted_text(cursor: &mut Cursor<'_, '_, '_>, expected: &str) -> Option<String> {
    let word = cursor.word(expected)?;
    if !word.quoted {
        cursor.refuse(word, "text in quotes", expected, []);
        return None;
    }
    Some(word.text.clone())
}

fn read_query(cursor: &mut Cursor<'_, '_, '_>) -> Option<Call> {
    let words = cursor.list(CALLED_USER)?;
    let users: Option<Vec<String>> = words.iter().map(|word| check_called_user(word, cursor.problems)).collect();
    Some(Call::Query { users: users? })
}

fn read_fault(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<Fault> {
    let expected = one_of(FAULTS);
    let verb = cursor.word(&expected)?;
    let fault = match verb.text.as_str() {
        "partition" => {
            let site = names.site(cursor)?;
            let direction = match cursor.peek() {
                None => Direction::Both,
                Some(_) => {
                    let one_way = [Direction::Inbound, Direction::Outbound];
                    let valid = || one_way.into_iter().map(Direction::word);
                    let word = cursor.word("inbound or outbound")?;
                    match one_way.into_iter().find(|direction| word.is(direction.word())) {
                        Some(direction) => direction,
                        None => {
                            cursor.refuse(word, "direction", "inbound, outbound, or nothing for both", valid());
                            return None;
                        }
                    }
                }
            };
            Fault::Partition { site, direction }
        }
        "repair" => Fault::Repair { site: names.site(cursor)? },
        "hold" => Fault::Hold { site: names.site(cursor)? },
        "release" => Fault::Release { site: names.site(cursor)? },
        "latency" => {
            let site = names.site(cursor)?;
            Fault::Latency { site, latency: cursor.value("latency", SPAN, parse_span)?.0 }
        }
        "crash" => server(cursor).map(|()| Fault::CrashServer)?,
        "bounce" => {
            server(cursor)?;
            let after = match option(cursor, "after") {
                Some(value) => match parse_duration(&value.text) {
                    Some(after) => after,
                    None => {
                        cursor.refuse(&value, "span of time", DURATION, []);
                        return None;
                    }
                },
                None => {
                    cursor.finish(&["after="])?;
                    Duration::ZERO
                }
            };
            Fault::BounceServer { after }
        }
        "start" => match cursor.keyword("server") {
            Some(_) => Fault::StartServer,
            None => Fault::Start { device: device_or_server(cursor, names)? },
        },
        "power-loss" => {
            server(cursor)?;
            match option(cursor, "at") {
                Some(value) => read_power_loss(&value, cursor)?,
                None => {
                    cursor.finish(&["at="])?;
                    Fault::PowerLossServer
                }
            }
        }
        "disk-error" => Fault::DiskError { operation: read_operation(cursor)? },
        "disk-full" => Fault::DiskFull { operation: read_operation(cursor)? },
        "slow-disk" => {
            server(cursor)?;
            Fault::SlowDisk { latency: cursor.value("latency", SPAN, parse_span)?.0 }
        }
        "mend-disk" => server(cursor).map(|()| Fault::MendDisk)?,
        "reset" => Fault::Reset { device: names.device(cursor)? },
        "kill" => Fault::Kill { device: names.device(cursor)? },
        "suspend" => Fault::Suspend { device: names.device(cursor)? },
        "wake" => Fault::Wake { device: names.device(cursor)? },
        "skew" => {
            let clock = read_clock(cursor, names)?;
            Fault::Skew { clock, by: cursor.value("signed span of time", OFFSET, parse_offset)?.0 }
        }
        "drift" => {
            let clock = read_clock(cursor, names)?;
            Fault::Drift { clock, ppm: cursor.value("drift", DRIFT, parse_drift)?.0 }
        }
        "wipe" => Fault::Wipe { device: names.device(cursor)? },
        _ => {
            cursor.refuse(verb, "fault", &expected, FAULTS);
            return None;
        }
    };
    cursor.finish(&[])?;
    Some(fault)
}

/// The most operations of a disk that a fault waits for.
const OPERATION_MAX: u32 = 1_000_000;

fn operation_of(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|operation| is_number && (1..=OPERATION_MAX).contains(operation))
}

/// `server`, then perhaps `at=N`.
fn read_operation(cursor: &mut Cursor<'_, '_, '_>) -> Option<u32> {
    server(cursor)?;
    let Some(value) = option(cursor, "at") else {
        cursor.finish(&["at="])?;
        return Some(1);
    };
    let operation = operation_of(&value.text);
    if operation.is_none() {
        cursor.refuse(&value, "operation of a disk", "a number from 1 to 1000000", []);
    }
    operation
}

fn read_power_loss(at: &Word, cursor: &mut Cursor<'_, '_, '_>) -> Option<Fault> {
    if let Some(operation) = operation_of(&at.text) {
        return Some(Fault::PowerLossInDisk { operation });
    }
    let point = CommitPoint::from_word(&at.text);
    if point.is_none() {
        let words = || CommitPoint::ALL.iter().map(|point| point.word());
        let expected = format!("an operation of the disk from 1 to 1000000, or {}", one_of(words()));
        cursor.refuse(at, "point of a commit", &expected, words());
    }
    point.map(|point| Fault::PowerLossAt { point })
}

fn server(cursor: &mut Cursor<'_, '_, '_>) -> Option<()> {
    let word = cursor.word("server")?;
    if !word.is("server") {
        cursor.refuse(word, "server", "server; a device is stopped with `kill` and started with `start`", ["server"]);
        return None;
    }
    Some(())
}

fn device_or_server(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<DeviceName> {
    let word = cursor.word("a device, or server")?;
    let found = names.devices.get(word.text.as_str()).cloned();
    if found.is_none() && !names.incomplete {
        let valid = || names.devices.iter().map(DeviceName::as_str).chain(["server"]);
        let message = format!("there is no device `{}`", word.text);
        let mistake = Mistake::new(word.at.clone(), message, one_of(valid()));
        cursor.problems.report(mistake.near(&word.text, valid()));
    }
    found
}

fn read_clock(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<Clock> {
    match cursor.keyword("server") {
        Some(_) => Some(Clock::Server),
        None => device_or_server(cursor, names).map(Clock::Device),
    }
}

/// What a drift looks like: a clock that stands still or runs at double speed is the end of it.
const DRIFT: &str = "a drift such as +200ppm or -50ppm, at most 1000000ppm";

fn parse_drift(text: &str) -> Option<i32> {
    /// Millionths in a whole.
    const PPM_MAX: u32 = 1_000_000;
    let ppm: i32 = text.strip_suffix("ppm")?.parse().ok()?;
    (ppm.unsigned_abs() <= PPM_MAX).then_some(ppm)
}

fn read_change(cursor: &mut Cursor<'_, '_, '_>) -> Option<AppChange> {
    let expected = one_of(APP_CHANGES);
    let verb = cursor.word(&expected)?;
    let change = match verb.text.as_str() {
        "policy" => AppChange::Policy(cursor.member::<Policy>("policy")?),
        "max_instances" => {
            let platform = cursor.member("platform")?;
            let number = cursor.value("number", "a number of devices", |text| text.parse().ok())?.0;
            AppChange::MaxInstances { platform, number }
        }
        "reconnect_kicks" => AppChange::ReconnectKicks(read_switch(cursor)?),
        "notify_offline_kick" => AppChange::NotifyOfflineKick(read_switch(cursor)?),
        "administrators" => AppChange::Administrators(read_users(cursor, "none")?),
        "drop_key" => {
            let word = cursor.word("old")?;
            if !word.is("old") {
                cursor.refuse(word, "key", "old", ["old"]);
                return None;
            }
            AppChange::DropOldKey
        }
        _ => {
            cursor.refuse(verb, "change of the app", &expected, APP_CHANGES);
            return None;
        }
    };
    cursor.finish(&[])?;
    Some(change)
}

fn read_switch(cursor: &mut Cursor<'_, '_, '_>) -> Option<bool> {
    let (value, _) = cursor.value("switch", "true or false", |text| match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    })?;
    Some(value)
}

/// A list of users, or the keyword for no user.
pub(super) fn read_users(cursor: &mut Cursor<'_, '_, '_>, nobody: &str) -> Option<BTreeSet<UserId>> {
    if cursor.keyword(nobody).is_some() {
        return Some(BTreeSet::new());
    }
    let words = cursor.list(&format!("users, or {nobody}"))?;
    words.iter().map(|word| user(word, cursor.problems)).collect()
}

/// Looks for what single steps cannot show: steps after the end, numbers of devices that do not fit
/// the policy of that moment (POLICY-2), one-way partitions and holds of one site at a time.
pub(super) fn check_steps(
    steps: &[Placed],
    until: Option<Duration>,
    seats: Option<Seats>,
    problems: &mut Problems<'_>,
) {
    let mut seats = seats;
    let mut links: BTreeMap<&SiteName, Link> = BTreeMap::new();
    for Placed { step, time, line } in steps {
        if let Some(until) = until.filter(|until| step.at > *until) {
            let until = super::duration::print_duration(until);
            let message = format!("a step after the script's end at {until}");
            problems.report(Mistake::new(time.clone(), message, format!("a time up to {until}, or a later `until`")));
        }
        match &step.action {
            Action::App(change) => match seats.map(|seats| change.seats_after(seats)) {
                Some(Ok(after)) => seats = Some(after),
                Some(Err(refused)) => {
                    let expected = format!("1 to {} at this point", refused.limit);
                    let mistake = Mistake::new(line.clone(), refused.to_string(), expected);
                    problems.report(mistake.breaking(rule("POLICY-2")));
                }
                None => {}
            },
            Action::Fault(fault) => check_links(fault, line, &mut links, problems),
            Action::Call { .. } | Action::On { .. } | Action::Raw { .. } => {}
        }
    }
}

/// What a site's link suffers.
#[derive(Default)]
struct Link {
    held: bool,
    one_way: bool,
}

fn check_links<'s>(
    fault: &'s Fault,
    line: &Range<usize>,
    links: &mut BTreeMap<&'s SiteName, Link>,
    problems: &mut Problems<'_>,
) {
    let mut both = |site: &SiteName, expected: &str| {
        let message = format!("site {site} would be held and cut one way at once");
        problems.report(Mistake::new(line.clone(), message, expected));
    };
    match fault {
        Fault::Hold { site } => {
            let link = links.entry(site).or_default();
            if link.one_way {
                both(site, "`repair` before `hold`: a one-way partition and a hold of one link exclude each other");
            }
            link.held = true;
        }
        Fault::Partition { site, direction } => {
            let link = links.entry(site).or_default();
            link.one_way = *direction != Direction::Both;
            if link.held && link.one_way {
                both(
                    site,
                    "`release` before `partition`: a one-way partition and a hold of one link exclude each other",
                );
            }
        }
        Fault::Repair { site } => links.entry(site).or_default().one_way = false,
        Fault::Release { site } => links.entry(site).or_default().held = false,
        Fault::Latency { .. }
        | Fault::CrashServer
        | Fault::BounceServer { .. }
        | Fault::StartServer
        | Fault::PowerLossServer
        | Fault::PowerLossAt { .. }
        | Fault::PowerLossInDisk { .. }
        | Fault::DiskError { .. }
        | Fault::DiskFull { .. }
        | Fault::SlowDisk { .. }
        | Fault::MendDisk
        | Fault::Reset { .. }
        | Fault::Kill { .. }
        | Fault::Start { .. }
        | Fault::Suspend { .. }
        | Fault::Wake { .. }
        | Fault::Skew { .. }
        | Fault::Drift { .. }
        | Fault::Wipe { .. } => {}
    }
}
