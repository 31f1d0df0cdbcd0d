//! A trace read back from its JSON Lines: what `json` writes of an event, and an exact word for what it does not write.
//!
//! Names are looked up in a cast, which knows everybody from the start.

use std::fmt;

use gatecrash::code::Code;
use gatecrash::id::Attempt;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::protocol::{DeviceState, Presence};
use gatecrash::time::Instant;
use serde_json::{Map, Value};

use super::cast::{Cast, ConversationLine, List, ReportDevice, ReportLine};
use super::index::{DeviceIndex, ListIndex, SiteIndex, TextIndex, TicketIndex, UserIndex};
use super::{Actor, Event, What};
use crate::scenario::nearest;

/// What is wrong with an event as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Of which field, if it is about one.
    pub field: Option<&'static str>,
    /// What.
    pub text: String,
}

impl Unread {
    fn of(field: &'static str, text: impl Into<String>) -> Unread {
        Unread { field: Some(field), text: text.into() }
    }

    pub(super) fn word(word: &str, words: &[&'static str]) -> Unread {
        let hint = nearest(word, words.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
        Unread { field: None, text: format!("nothing is called `{word}` here{}", hint.unwrap_or_default()) }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The event on a line.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn event(cast: &mut Cast, line: &Map<String, Value>) -> Result<Event, Unread> {
    let mut source = Source { map: line, cast };
    let at = Instant::from_micros(source.number("at_us")?);
    let actor = match source.text_of("actor")? {
        "world" => Actor::World,
        "server" => Actor::Server,
        _ => Actor::Device(source.device("actor")?),
    };
    let number = source.number("number")?;
    let what = What::read_as(source.text_of("what")?, &mut source)?;
    Ok(Event { at, actor, number, what })
}

/// The fields of a line, and whom they name.
pub(crate) struct Source<'a> {
    map: &'a Map<String, Value>,
    cast: &'a mut Cast,
}

impl<'a> Source<'a> {
    pub(super) fn is_nothing(&self, name: &'static str) -> bool {
        self.map.get(name).is_none_or(Value::is_null)
    }

    fn get(&self, name: &'static str) -> Result<&'a Value, Unread> {
        let value = self.map.get(name).filter(|value| !value.is_null());
        value.ok_or_else(|| Unread { field: None, text: format!("`{name}` is missing") })
    }

    fn text_of(&self, name: &'static str) -> Result<&'a str, Unread> {
        self.get(name)?.as_str().ok_or_else(|| Unread::of(name, format!("`{name}` has to be a text")))
    }

    pub(super) fn is_word(&self, name: &'static str, word: &str) -> bool {
        self.map.get(name).and_then(Value::as_str) == Some(word)
    }

    /// The word of a closed set.
    pub(super) fn word(&self, name: &'static str, words: &[&'static str]) -> Result<&'static str, Unread> {
        let word = self.text_of(name)?;
        let known = words.iter().find(|known| **known == word).copied();
        known.ok_or_else(|| Unread { field: Some(name), ..Unread::word(word, words) })
    }

    pub(super) fn number<N: TryFrom<i128>>(&self, name: &'static str) -> Result<N, Unread> {
        let value = self.get(name)?;
        let number = value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from));
        let number = number.and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| Unread::of(name, format!("`{name}` has to be a whole number of its size")))
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Unread> {
        self.get(name)?.as_bool().ok_or_else(|| Unread::of(name, format!("`{name}` has to be true or false")))
    }

    pub(super) fn code(&self, name: &'static str) -> Result<Code, Unread> {
        let number = self.number(name)?;
        Code::from_number(number).ok_or_else(|| Unread::of(name, format!("there is no code {number}")))
    }

    pub(super) fn attempt(&self, name: &'static str) -> Result<Attempt, Unread> {
        let text = self.text_of(name)?;
        let parts = text
            .split_once('.')
            .and_then(|(start, count)| Some(Attempt { start: start.parse().ok()?, count: count.parse().ok()? }));
        parts.ok_or_else(|| Unread::of(name, format!("`{name}` has to be an attempt such as \"1.2\"")))
    }

    pub(super) fn seats(&self, name: &'static str) -> Result<Seats, Unread> {
        let wrong = || Unread::of(name, format!("`{name}` has to be a policy and its numbers of devices"));
        let map = self.get(name)?.as_object().ok_or_else(wrong)?;
        let word = map.get("policy").and_then(Value::as_str);
        let policy = Policy::ALL.into_iter().find(|policy| Some(policy.word()) == word).ok_or_else(wrong)?;
        let max = Platform::ALL.into_iter().map(|platform| {
            let max = map.get(platform.word()).and_then(Value::as_u64).and_then(|max| u32::try_from(max).ok());
            Some((platform, max?))
        });
        let max = max.collect::<Option<_>>().ok_or_else(wrong)?;
        Seats::new(policy, &max).map_err(|_| wrong())
    }

    pub(super) fn device(&self, name: &'static str) -> Result<DeviceIndex, Unread> {
        device(self.cast, name, self.text_of(name)?)
    }

    pub(super) fn user(&mut self, name: &'static str) -> Result<UserIndex, Unread> {
        let user = self.text_of(name)?;
        Ok(self.cast.user(user).0)
    }

    pub(super) fn site(&self, name: &'static str) -> Result<SiteIndex, Unread> {
        let site = self.text_of(name)?;
        self.cast.find_site(site).ok_or_else(|| Unread::of(name, format!("there is no site {site}")))
    }

    pub(super) fn ticket(&self, name: &'static str) -> Result<TicketIndex, Unread> {
        let ticket = self.text_of(name)?;
        self.cast.find_ticket(ticket).ok_or_else(|| Unread::of(name, format!("there is no ticket {ticket}")))
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<TextIndex, Unread> {
        let text = self.text_of(name)?;
        Ok(self.cast.intern_text(text).0)
    }

    pub(super) fn list(&mut self, name: &'static str) -> Result<ListIndex, Unread> {
        let wrong = || Unread::of(name, format!("`{name}` has to be a list as traces have it"));
        let lines = self.get(name)?.as_array().ok_or_else(wrong)?;
        let cast = &mut *self.cast;
        let text = |value: &'a Value| value.as_str().ok_or_else(wrong);
        let member = |line: &'a Value, member: &str| line.get(member).and_then(Value::as_str).ok_or_else(wrong);
        let list = match name {
            "kicked" => {
                let devices = lines.iter().map(|line| device(cast, name, text(line)?));
                List::Devices(devices.collect::<Result<_, _>>()?)
            }
            "conversations" => {
                let mut conversations = Vec::new();
                for line in lines {
                    let last = line.get("last").and_then(Value::as_u64).and_then(|last| u32::try_from(last).ok());
                    let peer = cast.user(member(line, "peer")?).0;
                    let preview = cast.intern_text(member(line, "preview")?).0;
                    conversations.push(ConversationLine { peer, last: last.ok_or_else(wrong)?, preview });
                }
                List::Conversations(conversations)
            }
            "report" => {
                let mut report = Vec::new();
                for line in lines {
                    let presence = line.get("presence").and_then(Value::as_str);
                    let all = [Presence::Online, Presence::PushOnline, Presence::Offline];
                    let presence = presence
                        .map(|word| all.into_iter().find(|one| one.word() == word).ok_or_else(wrong))
                        .transpose()?;
                    let mut devices = Vec::new();
                    for one in line.get("devices").and_then(Value::as_array).ok_or_else(wrong)? {
                        let (platform, state) = (member(one, "platform")?, member(one, "state")?);
                        let platform = Platform::ALL.into_iter().find(|known| known.word() == platform);
                        let all = [DeviceState::Connected, DeviceState::LinkLost, DeviceState::Dormant];
                        let state = all.into_iter().find(|known| known.word() == state);
                        devices.push(ReportDevice {
                            device: device(cast, name, member(one, "device")?)?,
                            platform: platform.ok_or_else(wrong)?,
                            state: state.ok_or_else(wrong)?,
                        });
                    }
                    report.push(ReportLine { user: cast.user(member(line, "user")?).0, presence, devices });
                }
                List::Report(report)
            }
            _ => {
                let users = lines.iter().map(|line| Ok(cast.user(text(line)?).0));
                List::Users(users.collect::<Result<_, Unread>>()?)
            }
        };
        Ok(cast.intern_list(list).0)
    }
}

fn device(cast: &Cast, field: &'static str, name: &str) -> Result<DeviceIndex, Unread> {
    let stranger = (name == "stranger").then_some(DeviceIndex::STRANGER);
    cast.find_device(name).or(stranger).ok_or_else(|| Unread::of(field, format!("there is no device {name}")))
}
