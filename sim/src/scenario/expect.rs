//! The `expect` of a file: each line, its pattern expanded, becomes expectations.
//!
//! Judges no run: the checks over a trace do. What the words mean is in `docs/scenarios.md`.

use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::UserId;
use gatecrash::protocol::KickReason;

use super::diagnose::{Mistake, Problems, one_of};
use super::duration::{DURATION, parse_duration, print_duration};
use super::line::{Cursor, Literal, Word, expand, member, read_lines, words_of};
use super::names::Names;
use super::script::quoted_text;
use super::{Answer, CallKind, DeviceName, Expectation, Expected, ListenerEvent, Window};

/// What can be said of a device beside its events and calls.
pub(super) const DEVICE_WORDS: [&str; 3] = ["status", "login_user", "receives"];

/// What can be said of a user.
pub(super) const USER_WORDS: [&str; 5] = ["online", "sessions", "presence", "counted", "epochs"];

/// How often something happens.
const TIMES: &str = "once, never, twice or N times";

/// Every word that can follow a device.
pub(super) fn device_words() -> impl Iterator<Item = &'static str> {
    words_of::<ListenerEvent>().chain(DEVICE_WORDS).chain(words_of::<CallKind>())
}

/// Reads the expectations of the text, in the order of the file. None may name a time
/// after `until`.
pub(super) fn read_expectations(
    literal: Literal<'_>,
    names: &Names,
    until: Option<Duration>,
    problems: &mut Problems<'_>,
) -> Vec<Expected> {
    let mut expectations = Vec::new();
    for words in read_lines(literal, true, problems) {
        // On a failure the line has reported why; the others are still read.
        let _read = read_line(words, names, until, problems, &mut expectations);
    }
    expectations
}

fn read_line(
    words: Vec<Word>,
    names: &Names,
    until: Option<Duration>,
    problems: &mut Problems<'_>,
    expectations: &mut Vec<Expected>,
) -> Option<()> {
    let place = Some(problems.place(words[0].at.start));
    let expansion = expand(words, 0..1, problems)?;
    for nth in 0..expansion.count() {
        let words = expansion.words(nth, problems)?;
        let cursor = Cursor::new(&words, problems);
        let expectation = Reader { cursor, names, until }.read()?;
        expectations.push(Expected { expectation, place });
    }
    Some(())
}

/// Reads one line.
struct Reader<'l, 'p, 't> {
    cursor: Cursor<'l, 'p, 't>,
    names: &'l Names,
    until: Option<Duration>,
}

impl Reader<'_, '_, '_> {
    fn read(mut self) -> Option<Expectation> {
        let subject = self.cursor.word("a device or a user")?;
        let device = self.names.devices.get(subject.text.as_str()).cloned();
        let Some(verb) = self.cursor.peek().filter(|word| !word.quoted) else {
            let expected = match device {
                Some(_) => one_of(device_words()),
                None => one_of(USER_WORDS),
            };
            self.cursor.missing(&expected);
            return None;
        };
        match device {
            Some(device) => self.read_device(device),
            None if USER_WORDS.contains(&verb.text.as_str()) => {
                let user = self.names.user_named(subject, self.cursor.problems)?;
                self.read_user(user)
            }
            None if device_words().any(|word| word == verb.text) => {
                self.names.device_named(subject, self.cursor.problems);
                None
            }
            None => {
                if !self.names.incomplete.devices && !self.names.lost.contains(&subject.text) {
                    let valid = || USER_WORDS.into_iter().chain(device_words());
                    let expected = format!("{} of a user; `{}` is no device", one_of(USER_WORDS), subject.text);
                    self.cursor.refuse(verb, "expectation", &expected, valid());
                }
                None
            }
        }
    }

    fn read_device(mut self, device: DeviceName) -> Option<Expectation> {
        let expected = one_of(device_words());
        let verb = self.cursor.word(&expected)?;
        let expectation = if let Some(event) = member::<ListenerEvent>(&verb.text) {
            self.read_event(device, event)?
        } else if let Some(call) = member::<CallKind>(&verb.text) {
            self.read_answer(device, call)?
        } else {
            match verb.text.as_str() {
                "status" => {
                    let status = self.cursor.member("status")?;
                    Expectation::Status { device, status, at: self.read_at()? }
                }
                "login_user" => {
                    let user = match self.cursor.keyword("none") {
                        Some(_) => None,
                        None => {
                            let word = self.cursor.word("a user, or none")?;
                            Some(self.names.user_named(word, self.cursor.problems)?)
                        }
                    };
                    Expectation::LoginUser { device, user, at: self.read_at()? }
                }
                "receives" => {
                    let text = quoted_text(&mut self.cursor, "a text in quotes")?;
                    Expectation::Receives { device, text, times: self.read_times()? }
                }
                word if USER_WORDS.contains(&word) => {
                    let message = format!("`{word}` is asked of a user, and {device} is a device");
                    self.cursor.problems.report(Mistake::new(verb.at.clone(), message, expected));
                    return None;
                }
                _ => {
                    self.cursor.refuse(verb, "expectation of a device", &expected, device_words());
                    return None;
                }
            }
        };
        self.cursor.finish(&[])?;
        Some(expectation)
    }

    fn read_user(mut self, user: UserId) -> Option<Expectation> {
        let verb = self.cursor.word("an expectation of a user")?;
        let expectation = match verb.text.as_str() {
            "online" => {
                let devices = self.read_devices("nobody")?;
                Expectation::Online { user, devices, at: self.read_at()? }
            }
            "sessions" => {
                let devices = self.read_devices("none")?;
                Expectation::Sessions { user, devices, at: self.read_at()? }
            }
            "presence" => {
                let presence = self.cursor.member("presence")?;
                Expectation::Presence { user, presence, at: self.read_at()? }
            }
            "counted" => Expectation::Counted { user, days: self.read_number("a number of days")? },
            "epochs" => Expectation::Epochs { user, logins: self.read_number("a number of logins")? },
            _ => unreachable!("only called for the words of a user"),
        };
        self.cursor.finish(&[])?;
        Some(expectation)
    }

    fn read_event(&mut self, device: DeviceName, event: ListenerEvent) -> Option<Expectation> {
        let times = self.read_times()?;
        let (mut reason, mut code, mut between) = (None, None, None);
        loop {
            if let Some(value) = self.cursor.option("reason") {
                if event != ListenerEvent::KickedOffline {
                    self.not_of(&value, "reason", event, "kicked_offline");
                    return None;
                }
                let valid = || words_of::<KickReason>();
                reason = member::<KickReason>(&value.text);
                if reason.is_none() {
                    self.cursor.refuse(&value, "reason", &one_of(valid()), valid());
                    return None;
                }
            } else if let Some(value) = self.cursor.option("code") {
                if event != ListenerEvent::ConnectFailed {
                    self.not_of(&value, "code", event, "connect_failed");
                    return None;
                }
                code = Some(self.read_code(&value)?);
            } else if self.cursor.peek().is_some_and(|word| word.is("between")) && between.is_none() {
                between = self.read_between()?;
            } else {
                break;
            }
        }
        let options = match event {
            ListenerEvent::KickedOffline => ["reason=", "between"].as_slice(),
            ListenerEvent::ConnectFailed => ["code=", "between"].as_slice(),
            ListenerEvent::Connecting
            | ListenerEvent::ConnectSuccess
            | ListenerEvent::UserSigExpired
            | ListenerEvent::Message
            | ListenerEvent::MessagesDropped => ["between"].as_slice(),
        };
        self.cursor.finish(options)?;
        Some(Expectation::Event { device, event, times, reason, code, between })
    }

    fn not_of(&mut self, value: &Word, option: &str, event: ListenerEvent, owner: &str) {
        let message = format!("{event} has no {option}");
        let expected = format!("`{option}=` with {owner} only");
        self.cursor.problems.report(Mistake::new(value.at.clone(), message, expected));
    }

    fn read_answer(&mut self, device: DeviceName, call: CallKind) -> Option<Expectation> {
        let expected = "the call's number among its kind on this device: #1, #2 …";
        let read = |text: &str| text.strip_prefix('#')?.parse::<u32>().ok().filter(|number| *number > 0);
        let (number, _) = self.cursor.value("number of a call", expected, read)?;
        let verbs = match call {
            CallKind::Conversations => ["answers", "lists"].as_slice(),
            CallKind::Query => ["answers", "shows"].as_slice(),
            CallKind::Login
            | CallKind::Logout
            | CallKind::Send
            | CallKind::Kick
            | CallKind::Init
            | CallKind::Uninit => ["answers"].as_slice(),
        };
        let expected = one_of(verbs.iter().copied());
        let verb = self.cursor.word(&expected)?;
        match verb.text.as_str() {
            "answers" => {
                let answer = self.read_answered()?;
                let between = self.read_between()?;
                if let (Answer::Nothing, Some(_)) = (answer, between) {
                    let expected = "`nothing` alone: what never comes has no time";
                    self.cursor.problems.report(Mistake::new(verb.at.clone(), "no answer at some time", expected));
                    return None;
                }
                Some(Expectation::Answer { device, call, number, answer, between })
            }
            "lists" if call == CallKind::Conversations => {
                let with = self.read_users_named("none")?;
                Some(Expectation::Conversations { device, number, with })
            }
            "shows" if call == CallKind::Query => {
                let word = self.cursor.word("a user")?;
                let user = self.names.user_named(word, self.cursor.problems)?;
                let shown = self.cursor.member("status of a user")?;
                Some(Expectation::Query { device, number, user, shown })
            }
            _ => {
                self.cursor.refuse(verb, "word here", &expected, verbs.iter().copied());
                None
            }
        }
    }

    fn read_answered(&mut self) -> Option<Answer> {
        let expected = "ok, nothing, or a code such as 6014";
        let word = self.cursor.word(expected)?;
        match word.text.as_str() {
            "ok" => Some(Answer::Ok),
            "nothing" => Some(Answer::Nothing),
            text if text.bytes().all(|byte| byte.is_ascii_digit()) => self.read_code(word).map(Answer::Fails),
            _ => {
                self.cursor.refuse(word, "answer", expected, ["ok", "nothing"]);
                None
            }
        }
    }

    fn read_code(&mut self, word: &Word) -> Option<Code> {
        let code = word.text.parse().ok().and_then(Code::from_number);
        if code.is_none() {
            let codes: Vec<String> = Code::ALL.iter().map(|code| code.number().to_string()).collect();
            let valid = || codes.iter().map(String::as_str);
            self.cursor.refuse(word, "code", &codes.join(", "), valid());
        }
        code
    }

    fn read_times(&mut self) -> Option<u32> {
        let word = self.cursor.word(TIMES)?;
        match word.text.as_str() {
            _ if word.quoted => {}
            "once" => return Some(1),
            "never" => return Some(0),
            "twice" => return Some(2),
            text => {
                if let Ok(number) = text.parse::<u32>() {
                    let times = self.cursor.word("times")?;
                    if !times.is("times") {
                        self.cursor.refuse(times, "`times`", "times, after the number", ["times"]);
                        return None;
                    }
                    return Some(number);
                }
            }
        }
        self.cursor.refuse(word, "number of times", TIMES, ["once", "never", "twice"]);
        None
    }

    fn read_number(&mut self, expected: &str) -> Option<u32> {
        Some(self.cursor.value("number", expected, |text| text.parse().ok())?.0)
    }

    fn read_users_named(&mut self, nobody: &str) -> Option<BTreeSet<UserId>> {
        if self.cursor.keyword(nobody).is_some() {
            return Some(BTreeSet::new());
        }
        let words = self.cursor.list(&format!("users, or {nobody}"))?;
        words.iter().map(|word| self.names.user_named(word, self.cursor.problems)).collect()
    }

    fn read_devices(&mut self, nobody: &str) -> Option<BTreeSet<DeviceName>> {
        if self.cursor.keyword(nobody).is_some() {
            return Some(BTreeSet::new());
        }
        let words = self.cursor.list(&format!("devices, or {nobody}"))?;
        words.iter().map(|word| self.names.device_named(word, self.cursor.problems)).collect()
    }

    /// `at T`, if it is there; the outer none is a mistake.
    fn read_at(&mut self) -> Option<Option<Duration>> {
        if self.cursor.keyword("at").is_none() {
            self.cursor.finish(&["at"])?;
            return Some(None);
        }
        Some(Some(self.read_time()?))
    }

    /// `between T T`, if it is there; the outer none is a mistake.
    fn read_between(&mut self) -> Option<Option<Window>> {
        if self.cursor.keyword("between").is_none() {
            return Some(None);
        }
        let from = self.read_time()?;
        let second = self.cursor.peek();
        let to = self.read_time()?;
        if let Some(word) = second.filter(|_| to < from) {
            let expected = "the earlier time first";
            let message = format!("nothing is between {} and {}", print_duration(from), print_duration(to));
            self.cursor.problems.report(Mistake::new(word.at.clone(), message, expected));
            return None;
        }
        Some(Some(Window { from, to }))
    }

    fn read_time(&mut self) -> Option<Duration> {
        let (time, word) = self.cursor.value("time", DURATION, parse_duration)?;
        if let Some(until) = self.until.filter(|until| time > *until) {
            let until = print_duration(until);
            let expected = format!("a time up to {until}, or a later `until`");
            let message = format!("a time after the script's end at {until}");
            self.cursor.problems.report(Mistake::new(word.at.clone(), message, expected));
            return None;
        }
        Some(time)
    }
}
