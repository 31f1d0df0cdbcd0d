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
use super::duration::parse_duration;
use super::line::{Cursor, Literal, Word, expand, read_lines};
use super::names::{Names, user};
use super::rules::rule;
use super::{
    Action, AppChange, Call, Conduct, DeviceName, Direction, FORGED_USER, Fault, ListenerEvent, SiteName, Step, Text,
    TicketChoice, fault,
};

/// What the user of a call looks like: the application may get it wrong.
const CALLED_USER: &str = "a user id (1 to 32 of a-z A-Z 0-9 _ -), or any text in quotes";

/// The calls an application makes.
pub(super) const CALLS: [&str; 9] =
    ["init", "uninit", "login", "logout", "send", "conversations", "kick", "query", "network_changed"];

/// What a device does beside calls.
pub(super) const DEVICE_ACTIONS: [&str; 2] = ["on", "raw"];

/// What the app's business side changes.
pub(super) const APP_CHANGES: [&str; 6] =
    ["policy", "max_instances", "reconnect_kicks", "notify_offline_kick", "administrators", "drop_key"];

/// The actors that are no devices.
pub(super) const ACTORS: [&str; 2] = ["fault", "app"];

/// The longest text of `bytes=N`: well over what the SDK accepts.
const BYTES_MAX: u32 = 1_000_000;

/// A step, and where the file has its time and the whole of it.
pub(super) struct Placed {
    pub(super) step: Step,
    time: Range<usize>,
    pub(super) line: Range<usize>,
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

/// The sites to which devices move. What is wrong with the steps is not told: whoever reads them does.
pub(super) fn sites_moved_to(literal: Literal<'_>, names: &Names, text: &str) -> Vec<SiteName> {
    let placed = read_steps(literal, names, &mut Problems::new(text));
    let moved_to = placed.into_iter().filter_map(|placed| match placed.step.action {
        Action::Fault(Fault::Move { site, .. }) => Some(site),
        _ => None,
    });
    moved_to.collect()
}

/// The users of whom a step says something, as far as they can be users at all.
pub(super) fn users_of(action: &Action) -> Vec<UserId> {
    let of_call = |call: &Call| match call {
        Call::Login { user, .. } | Call::Kick { user } => vec![user.clone()],
        Call::Send { to, .. } => vec![to.clone()],
        Call::Query { users } => users.clone(),
        Call::Init | Call::Uninit | Call::Logout | Call::Conversations | Call::NetworkChanged => Vec::new(),
    };
    let users = match action {
        Action::Call { call, .. } | Action::On { call, .. } => of_call(call),
        Action::Raw { conduct: Conduct::ResumeForged | Conduct::LogoutAgain, .. } => vec![FORGED_USER.to_owned()],
        Action::App(AppChange::Administrators(users)) => return users.iter().cloned().collect(),
        Action::Raw { .. } | Action::Fault(_) | Action::App(_) => Vec::new(),
    };
    users.iter().filter_map(|user| user.parse().ok()).collect()
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
        return fault::read(cursor, names).map(Action::Fault);
    }
    if actor.is("app") {
        return read_change(cursor).map(Action::App);
    }
    if !names.devices.contains(actor.text.as_str()) {
        if !names.incomplete.devices && !names.lost.contains(&actor.text) {
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

/// A span of whole seconds, as tickets have.
pub(super) fn whole_seconds(span: Duration) -> Option<Duration> {
    (span.subsec_nanos() == 0).then_some(span)
}

/// What a ticket's time looks like.
pub(super) const WHOLE_SECONDS: &str = "a span of time in whole seconds, such as 10s or 7d";

fn read_login(cursor: &mut Cursor<'_, '_, '_>, names: &Names) -> Option<Call> {
    let user = called_user(cursor)?;
    if let Some(value) = cursor.option("ticket") {
        let ticket = match value.text.as_str() {
            "last" => TicketChoice::Last,
            _ => TicketChoice::Named(names.ticket_named(&value, cursor.problems)?),
        };
        if let Some(ttl) = cursor.option("ttl") {
            let expected = "either `ticket=` or `ttl=`: a named ticket brings its own";
            cursor.problems.report(Mistake::new(ttl.at, "a ttl for a ticket that is there already", expected));
            return None;
        }
        cursor.finish(&[])?;
        return Some(Call::Login { user, ticket });
    }
    let ttl = match cursor.option("ttl") {
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
    if let Some(value) = cursor.option("bytes") {
        let bytes = value.text.parse::<u32>().ok().filter(|bytes| *bytes <= BYTES_MAX);
        let Some(bytes) = bytes else {
            cursor.refuse(&value, "number of bytes", &format!("a number up to {BYTES_MAX}"), []);
            return None;
        };
        return read_send_id(cursor, to, Text::Bytes(bytes));
    }
    let text = quoted_text(cursor, "a text in quotes, or bytes=N")?;
    read_send_id(cursor, to, Text::Written(text))
}

/// What the application calls the message, where the step says it.
fn read_send_id(cursor: &mut Cursor<'_, '_, '_>, to: String, text: Text) -> Option<Call> {
    let Some(value) = cursor.option("id") else {
        cursor.finish(&["id="])?;
        return Some(Call::Send { to, text, id: None });
    };
    let Ok(id) = value.text.parse::<u32>() else {
        cursor.refuse(&value, "id of a message", "a number, the same for the same message", []);
        return None;
    };
    Some(Call::Send { to, text, id: Some(id) })
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
        // Nothing else holds a link or cuts it.
        _ => {}
    }
}
