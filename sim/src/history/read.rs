//! Lines into events: what each kind of line has to say, and an exact word for each that does not.
//!
//! Reads one line after the other and keeps the names; whether the events make sense one after the other, `judge` says.

use gatecrash::client::Status;
use gatecrash::protocol::{KickReason, Presence};
use serde_json::{Map, Value};

use super::event::{
    Actor, Beginning, Event, Identity, Item, Known, NewPolicy, Outcome, Platform, Process, Request, Told, User, What,
};
use super::head::{Head, hint};
use super::mistake::{Mistake, Place, Wrong, said};
use super::names::Names;
use super::raw::{Conversation, FIELDS, Key, Raw, Standing, Text, bits, known_by};
use crate::scenario::{CallKind, nearest};
use crate::trace::What as Inside;

/// More of them than this are counted, and not told.
pub const MISTAKES_MAX: usize = 100;

/// Who a history speaks of.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// Devices.
    pub actors: Names,
    /// Users.
    pub users: Names,
    /// Platforms.
    pub platforms: Names,
    /// Policies that came later than the first line, as its fields.
    pub policies: Names,
}

/// Reads the lines of one file.
#[derive(Debug)]
pub struct Reader {
    file: String,
    line: u64,
    /// Lines of what nobody outside can see, such as frames: they are passed over.
    pub inside: u64,
    /// What is wrong so far, the first hundred.
    pub mistakes: Vec<Mistake>,
    /// How many more there are.
    pub more: u64,
    /// What the line that was read last has brought: it comes ahead of the line's event.
    ahead: Vec<Event>,
    /// For each actor, the last line's instant and number.
    last: Vec<(u64, u64)>,
    newest: (u64, u64),
    slack: u64,
}

const WORDS: &[&str] = &[
    "called",
    "answered",
    "uninit_returned",
    "network_changed",
    "told",
    "status",
    "process",
    "link",
    "effect",
    "new_device",
    "known_as",
    "ticket_made",
    "presence",
    "configured",
    "end",
];

impl Reader {
    /// A reader of a file with such a first line; what is wrong with that line otherwise.
    ///
    /// # Errors
    ///
    /// All that is wrong with the line, each at its place.
    pub fn new(file: &str, first: &str) -> Result<(Reader, Head), Vec<Mistake>> {
        match Head::read(first) {
            Ok(head) => {
                let slack = head.skew.largest().saturating_mul(2);
                Ok((Reader::of(file, 1, slack), head))
            }
            Err(wrong) => Err(wrong.into_iter().map(|wrong| place(file, 1, &wrong, first)).collect()),
        }
    }

    fn of(file: &str, line: u64, slack: u64) -> Reader {
        Reader {
            file: file.to_owned(),
            line,
            inside: 0,
            mistakes: Vec::new(),
            more: 0,
            ahead: Vec::new(),
            last: Vec::new(),
            newest: (0, 0),
            slack,
        }
    }

    /// A reader of what a map makes of a log, with such a head.
    pub(crate) fn of_log(file: &str, head: &Head) -> Reader {
        Reader::of(file, 0, head.skew.largest().saturating_mul(2))
    }

    /// A reader of another part of the same history, without a first line of its own.
    pub fn beside(&self, file: &str) -> Reader {
        Reader::of(file, 0, self.slack)
    }

    /// What the result in the line that was read last has brought, in its order: events that come ahead of the one that
    /// [`Reader::read`] returned.
    pub fn ahead(&self) -> &[Event] {
        &self.ahead
    }

    /// Goes on to the next line, which somebody else reads.
    pub(crate) fn pass(&mut self) {
        self.line += 1;
    }

    /// What is wrong so far, for somebody else to tell.
    pub(crate) fn take_mistakes(&mut self) -> Vec<Mistake> {
        std::mem::take(&mut self.mistakes)
    }

    /// Passes over the next line, which is wrong before anybody can read it.
    pub(crate) fn skip(&mut self, wrong: Wrong) {
        self.line += 1;
        self.refuse(&wrong, "");
    }

    /// The number of the line that was read last, counted from 1.
    pub fn line_number(&self) -> u64 {
        self.line
    }

    /// Its file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Reads the next line. None for an empty one, for one of what nobody outside can see, and for one that is wrong,
    /// which is kept among the mistakes.
    pub fn read(&mut self, cast: &mut Cast, line: &str) -> Option<Event> {
        self.line += 1;
        self.ahead.clear();
        if line.trim_ascii().is_empty() {
            return None;
        }
        let event = match serde_json::from_str::<Raw<'_>>(line) {
            Ok(raw) => self.event(cast, &raw),
            Err(_) if is_inside(line) => {
                self.inside += 1;
                return None;
            }
            Err(error) => Err(of_json(&error)),
        };
        match event.and_then(|event| self.in_time(cast, event)) {
            Ok(event) => Some(event),
            Err(wrong) if matches!(&wrong.place, Place::Line) && wrong.text.is_empty() => {
                self.inside += 1;
                None
            }
            Err(wrong) => {
                // Nothing comes of what a wrong line has brought.
                self.ahead.clear();
                self.refuse(&wrong, line);
                None
            }
        }
    }

    /// Goes on to the next line of a log, of which a map makes lines.
    pub(crate) fn next_of_log(&mut self) -> u64 {
        self.line += 1;
        self.line
    }

    /// Reads a line that a map made of the log's line, as [`Reader::read`] does.
    pub(crate) fn read_made(&mut self, cast: &mut Cast, made: &str) -> Option<Event> {
        let before = self.mistakes.len();
        self.line = self.line.saturating_sub(1);
        let event = self.read(cast, made);
        self.show_made(before, made);
        event
    }

    /// Keeps what is wrong with a line that a map made of the log's line.
    pub(crate) fn refuse_made(&mut self, wrong: &Wrong, made: &str) {
        let before = self.mistakes.len();
        self.refuse(wrong, made);
        self.show_made(before, made);
    }

    /// The log has no such columns as the made line has: that line is shown instead.
    fn show_made(&mut self, before: usize, made: &str) {
        for mistake in &mut self.mistakes[before..] {
            mistake.column = 1;
            mistake.text = format!("{}; the map made {made} of the line", mistake.text);
        }
    }

    /// Keeps what is wrong with the line that was read last.
    pub(crate) fn refuse(&mut self, wrong: &Wrong, line: &str) {
        if self.mistakes.len() < MISTAKES_MAX {
            self.mistakes.push(place(&self.file, self.line, wrong, line));
        } else {
            self.more += 1;
        }
    }

    /// Of one actor, no line is older than the one before; of two, none by more than their clocks can be apart.
    fn in_time(&mut self, cast: &Cast, event: Event) -> Result<Event, Wrong> {
        let at = |micros: u64| format!("{:.6} s", micros as f64 / 1e6);
        let index = event.actor.0 as usize;
        if self.last.len() <= index {
            self.last.resize(index + 1, (0, 0));
        }
        let (last, line) = self.last[index];
        if event.from < last {
            let name = cast.actors.name(event.actor.0);
            let text = format!(
                "time runs backwards: {} comes after {}, in line {line}, also of {name}",
                at(event.from),
                at(last)
            );
            return Err(Wrong::value("at_us", text));
        }
        self.last[index] = (event.from, self.line);
        let (newest, line) = self.newest;
        if event.from + self.slack < newest {
            let text = format!(
                "lines have to stand in the order of time: {} comes after {}, in line {line}; \
                 sort them by at_us, or give a file for each device",
                at(event.from),
                at(newest)
            );
            return Err(Wrong::value("at_us", text));
        }
        if event.from > newest {
            self.newest = (event.from, self.line);
        }
        Ok(event)
    }

    fn event(&mut self, cast: &mut Cast, raw: &Raw<'_>) -> Result<Event, Wrong> {
        let what = raw.what.as_deref().ok_or_else(|| Wrong::line("the line does not say `what` happened"))?;
        let from = raw.at_us.ok_or_else(|| Wrong::line("the line does not say when: `at_us` is missing"))?;
        let to = raw.until_us.unwrap_or(from);
        if to < from {
            return Err(Wrong::value("until_us", "`until_us` is before `at_us`"));
        }
        // Sums with what clocks may be apart have to fit.
        if to >> 62 != 0 {
            return Err(Wrong::value("at_us", "that is later than 4611686018427387903 microseconds"));
        }
        let Some(allowed) = fields_of(what) else {
            if Inside::WORDS.contains(&what) {
                return Err(Wrong::line(""));
            }
            let text = format!("nothing is called `{what}`{}", hint(nearest(what, WORDS.iter().copied())));
            return Err(Wrong::value("what", text));
        };
        let unfit = raw.present() & !(allowed | COMMON);
        if unfit != 0 {
            let field = FIELDS[unfit.trailing_zeros() as usize];
            return Err(Wrong::key(field, format!("a line of what was `{what}` has no field `{field}`")));
        }
        let mut actor = match (raw.actor.as_deref(), what) {
            (Some(actor), _) => Actor(cast.actors.number(actor)),
            (None, "end" | "configured" | "ticket_made" | "presence" | "effect") => Actor(cast.actors.number("world")),
            (None, _) => return Err(Wrong::line("the line does not say to whom: `actor` is missing")),
        };
        let what = match what {
            "called" => called(cast, raw)?,
            "answered" => answered(raw)?,
            "uninit_returned" => What::UninitReturned,
            "network_changed" => What::NetworkChanged,
            "told" => told(cast, raw)?,
            "status" => What::Status {
                status: among(
                    "status",
                    &raw.status,
                    [Status::Logined, Status::Logining, Status::Logout],
                    Status::word,
                )?,
                login_user: raw.login_user.as_ref().and_then(|user| self::user(cast, user.as_ref())),
                is_said: raw.login_user.is_some(),
                sampled: raw.sampled.unwrap_or(false),
            },
            "process" => What::Process(among("process", &raw.process, Process::ALL, Process::word)?),
            "link" => What::Link { up: among("link", &raw.link, [true, false], |up| if up { "up" } else { "down" })? },
            "effect" => {
                let Some(process) = effect(raw.effect.as_deref()) else { return Err(Wrong::line("")) };
                let device = raw.device.as_deref().ok_or_else(|| Wrong::line("the effect names no `device`"))?;
                actor = Actor(cast.actors.number(device));
                process
            }
            "new_device" => What::Identity(Identity::New),
            "known_as" => {
                let device = raw.device.as_deref().ok_or_else(|| Wrong::line("the line names no `device`"))?;
                What::Identity(Identity::CopyOf(Actor(cast.actors.number(device))))
            }
            "ticket_made" => What::Ticket {
                ticket: ticket(raw).ok_or_else(|| Wrong::line("the line names no `ticket`"))?,
                user: user(cast, raw.user.as_ref()),
                issued: raw.issued.ok_or_else(|| Wrong::line("`issued` is missing: a second since 1970"))?,
                ttl: raw.ttl.ok_or_else(|| Wrong::line("`ttl` is missing: a number of seconds"))?,
            },
            "presence" => What::Presence {
                user: user(cast, raw.user.as_ref()).ok_or_else(|| Wrong::line("the line names no `user`"))?,
                sequence: raw.sequence,
                presence: among("presence", &raw.presence, PRESENCES, Presence::word)?,
            },
            "configured" => What::PolicyChanged { to: policy(cast, raw)? },
            _ => What::End { settled: raw.settled.unwrap_or(false) },
        };
        let event = Event { line: self.line, from, to, actor, what };
        if let What::Answered { call, .. } = what {
            for item in brought(cast, raw) {
                self.ahead.push(Event { what: What::Brings { call, item: item? }, ..event });
            }
        }
        Ok(event)
    }
}

/// What the policy is from here on, where the line says which.
fn policy(cast: &mut Cast, raw: &Raw<'_>) -> Result<Option<NewPolicy>, Wrong> {
    let Some(policy) = &raw.policy else { return Ok(None) };
    let fields = [
        ("policy", Some(policy.clone())),
        ("max_instances", raw.max_instances.clone()),
        ("reconnect_kicks", raw.reconnect_kicks.map(Value::from)),
        ("notify_offline_kick", raw.notify_offline_kick.map(Value::from)),
    ];
    let fields: Map<String, Value> =
        fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect();
    Head::read_policy(&fields)?;
    Ok(Some(NewPolicy(cast.policies.number(&Value::Object(fields).to_string()))))
}

/// The fields that a line of this may have, beside those that every line may have.
fn fields_of(what: &str) -> Option<u64> {
    Some(match what {
        "called" => CALLED,
        "answered" => ANSWERED,
        "uninit_returned" => RETURNED,
        "network_changed" => 0,
        "told" => TOLD,
        "status" => STATUS,
        "process" => PROCESS,
        "link" => LINK,
        "effect" => EFFECT,
        "new_device" => NEW_DEVICE,
        "known_as" => KNOWN_AS,
        "ticket_made" => TICKET,
        "presence" => PRESENCE,
        "configured" => CONFIGURED,
        "end" => END,
        _ => return None,
    })
}

/// Whether a line of this may have such a field.
pub(super) fn has_field(what: &str, field: &str) -> bool {
    fields_of(what).is_some_and(|fields| (fields | COMMON) & bits(&[field]) != 0)
}

/// What is wrong with a line for itself, whatever came before it.
pub(super) fn check(line: &str) -> Result<(), Wrong> {
    let raw = serde_json::from_str::<Raw<'_>>(line).map_err(|error| of_json(&error))?;
    Reader::of("", 0, 0).event(&mut Cast::default(), &raw).map(drop)
}

const COMMON: u64 = bits(&["at_us", "until_us", "actor", "number", "what"]);
const CALLED: u64 = bits(&["call", "request", "user", "platform", "ticket", "to", "text", "id", "users"]);
const ANSWERED: u64 =
    bits(&["call", "kind", "user", "outcome", "code", "reason", "message", "conversations", "report"]);
const RETURNED: u64 = bits(&["call"]);
const TOLD: u64 = bits(&["event", "user", "epoch", "by", "reason", "code", "message", "from", "to", "text", "count"]);
const STATUS: u64 = bits(&["status", "login_user", "sampled"]);
const PROCESS: u64 = bits(&["process"]);
const LINK: u64 = bits(&["link"]);
const EFFECT: u64 = u64::MAX;
const NEW_DEVICE: u64 = bits(&["installation"]);
const KNOWN_AS: u64 = bits(&["device", "installation"]);
const TICKET: u64 = bits(&["ticket", "user", "issued", "ttl"]);
const PRESENCE: u64 = bits(&["user", "sequence", "presence", "kicked"]);
const CONFIGURED: u64 = bits(&["policy", "max_instances", "reconnect_kicks", "notify_offline_kick"]);
const END: u64 = bits(&["settled", "why"]);

fn called(cast: &mut Cast, raw: &Raw<'_>) -> Result<What, Wrong> {
    let platform = raw.platform.as_deref().map(|platform| Platform(cast.platforms.number(platform)));
    let named = |cast: &mut Cast, field: &'static str, name: Option<&Text<'_>>| {
        user(cast, name).ok_or_else(|| Wrong::line(format!("the call names no `{field}`")))
    };
    let request = match among("request", &raw.request, KINDS, CallKind::word)? {
        CallKind::Init => Request::Init { platform },
        CallKind::Uninit => Request::Uninit,
        CallKind::Login => {
            Request::Login { user: named(cast, "user", raw.user.as_ref())?, platform, ticket: ticket(raw) }
        }
        CallKind::Logout => Request::Logout,
        CallKind::Conversations => Request::Conversations,
        CallKind::Send => Request::Send {
            to: named(cast, "to", raw.to.as_ref())?,
            text: raw.text.as_deref().map(|text| Known(known_by(text))),
            length: raw.text.as_deref().map_or(0, |text| u32::try_from(text.len()).unwrap_or(u32::MAX)),
            id: raw.id.map(|Key(id)| Known(id)),
        },
        CallKind::Kick => Request::Kick { user: named(cast, "user", raw.user.as_ref())? },
        CallKind::Query => Request::Query,
    };
    let Some(Key(call)) = raw.call else { return Err(Wrong::line("the call has no number: `call` is missing")) };
    Ok(What::Called { call, request })
}

fn answered(raw: &Raw<'_>) -> Result<What, Wrong> {
    let Some(Key(call)) = raw.call else {
        return Err(Wrong::line("the result does not say of which call: `call` is missing"));
    };
    let kind = raw.kind.is_some().then(|| among("kind", &raw.kind, KINDS, CallKind::word)).transpose()?;
    let outcome = match raw.outcome.as_deref() {
        Some("ok" | "ok_message" | "ok_conversations" | "ok_report") => {
            Outcome::Done { message: raw.message.map(|Key(message)| Known(message)) }
        }
        Some("failed") => Outcome::Failed { code: raw.code },
        Some("unknown") => Outcome::Unknown,
        Some(word) => {
            let meant = nearest(word, ["ok", "failed", "unknown"]);
            let text = format!("an outcome is ok, failed or unknown, and not `{word}`{}", hint(meant));
            return Err(Wrong::value("outcome", text));
        }
        None => return Err(Wrong::line("the result does not say which: `outcome` is missing")),
    };
    if raw.code.is_some() && !matches!(outcome, Outcome::Failed { .. }) {
        return Err(Wrong::value("code", "only a result that `failed` has a code"));
    }
    Ok(What::Answered { call, kind, outcome })
}

/// What a result says beside that it is one.
fn brought<'a>(cast: &'a mut Cast, raw: &'a Raw<'_>) -> impl Iterator<Item = Result<Item, Wrong>> + 'a {
    let lines = raw.conversations.iter().flatten().map(Part::Line);
    let users = raw.report.iter().flatten().map(Part::User);
    lines.chain(users).map(|part| match part {
        Part::Line(line) => Ok(Item::Conversation {
            peer: User(cast.users.number(&line.peer)),
            last: line.last.map(|Key(last)| Known(last)),
            preview: line.preview.as_deref().map(|text| Beginning {
                sum: Known(known_by(text)),
                length: u32::try_from(text.len()).unwrap_or(u32::MAX),
            }),
        }),
        Part::User(of) => Ok(Item::Standing {
            user: User(cast.users.number(&of.user)),
            presence: of
                .presence
                .is_some()
                .then(|| among("presence", &of.presence, PRESENCES, Presence::word))
                .transpose()?,
        }),
    })
}

/// A part of what a result says, as its line has it.
enum Part<'a> {
    Line(&'a Conversation<'a>),
    User(&'a Standing<'a>),
}

fn told(cast: &mut Cast, raw: &Raw<'_>) -> Result<What, Wrong> {
    let event = match raw.event.as_deref() {
        Some("connecting") => Told::Connecting,
        Some("connect_success") => Told::ConnectSuccess,
        Some("connect_failed") => Told::ConnectFailed { code: raw.code },
        Some("kicked_offline") => Told::KickedOffline {
            by: raw.by.as_deref().map(|by| Actor(cast.actors.number(by))),
            reason: raw
                .reason
                .is_some()
                .then(|| among("reason", &raw.reason, REASONS, KickReason::word))
                .transpose()?,
        },
        Some("user_sig_expired") => Told::UserSigExpired,
        Some("message") => Told::Message {
            message: raw.message.map(|Key(message)| Known(message)),
            from: user(cast, raw.from.as_ref()),
            to: user(cast, raw.to.as_ref()),
            text: raw.text.as_deref().map(|text| Known(known_by(text))),
        },
        Some("messages_dropped") => Told::MessagesDropped,
        Some(word) => {
            let meant = nearest(word, EVENTS.iter().copied());
            return Err(Wrong::value("event", format!("no event is called `{word}`{}", hint(meant))));
        }
        None => return Err(Wrong::line("the line does not say what was told: `event` is missing")),
    };
    Ok(What::Told { event, user: user(cast, raw.user.as_ref()), epoch: raw.epoch.filter(|&epoch| epoch > 0) })
}

/// What became of a process or a disk, in the words of the trace.
fn effect(word: Option<&str>) -> Option<What> {
    Some(match word? {
        "process_up" => What::Process(Process::Up),
        "process_dead" => What::Process(Process::Dead),
        "suspended" => What::Process(Process::Suspended),
        "woken" => What::Process(Process::Woken),
        "disk_empty" | "record_damaged" => What::Identity(Identity::New),
        _ => return None,
    })
}

pub(super) const EVENTS: &[&str] = &[
    "connecting",
    "connect_success",
    "connect_failed",
    "kicked_offline",
    "user_sig_expired",
    "message",
    "messages_dropped",
];

pub(super) const KINDS: [CallKind; 8] = [
    CallKind::Init,
    CallKind::Uninit,
    CallKind::Login,
    CallKind::Logout,
    CallKind::Conversations,
    CallKind::Send,
    CallKind::Kick,
    CallKind::Query,
];

pub(super) const REASONS: [KickReason; 4] =
    [KickReason::SamePlatform, KickReason::OtherPlatform, KickReason::Administrator, KickReason::Gone];

const PRESENCES: [Presence; 3] = [Presence::Online, Presence::PushOnline, Presence::Offline];

fn user(cast: &mut Cast, name: Option<&Text<'_>>) -> Option<User> {
    name.map(|name| User(cast.users.number(name)))
}

fn ticket(raw: &Raw<'_>) -> Option<Known> {
    raw.ticket.as_deref().map(|ticket| Known(known_by(ticket)))
}

/// The one of a closed set that a field names.
fn among<T: Copy, const N: usize>(
    field: &'static str,
    value: &Option<Text<'_>>,
    set: [T; N],
    word_of: impl Fn(T) -> &'static str,
) -> Result<T, Wrong> {
    let Some(word) = value.as_deref() else { return Err(Wrong::line(format!("`{field}` is missing"))) };
    set.into_iter().find(|&one| word_of(one) == word).ok_or_else(|| {
        let words = set.map(&word_of);
        let meant = hint(nearest(word, words));
        Wrong::value(field, format!("`{field}` is one of {}, and not `{word}`{meant}", words.join(", ")))
    })
}

fn place(file: &str, line: u64, wrong: &Wrong, text: &str) -> Mistake {
    Mistake { file: file.to_owned(), line, column: wrong.column(text), text: wrong.text.clone() }
}

/// Whether a line is of something that only our own traces have, with fields that no other line has.
fn is_inside(line: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Only<'a> {
        #[serde(borrow)]
        what: Text<'a>,
    }
    let what = serde_json::from_str::<Only<'_>>(line).map(|only| only.what);
    what.is_ok_and(|what| {
        !what.is_empty() && Inside::WORDS.contains(&&*what) && (*what == *"effect" || !WORDS.contains(&&*what))
    })
}

fn of_json(error: &serde_json::Error) -> Wrong {
    let text = said(error);
    if let Some(field) = text.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
        let meant = nearest(field, FIELDS.iter().copied());
        return Wrong::key(field, format!("no line has a field `{field}`{}", hint(meant)));
    }
    let place = Place::Column(error.column());
    if error.is_data() {
        return Wrong { place, text };
    }
    Wrong { place, text: format!("the line is no JSON object: {text}") }
}
