//! The values of fields as words.

use std::fmt::Write;

use gatecrash::id::UserId;
use gatecrash::policy::Platform;

use super::{View, Writer};
use crate::trace::{List, TextIndex, UserIndex, Value};

/// Longest piece of a text that a line shows, in characters.
const TEXT_CHARS_MAX: usize = 40;

/// How many entries of a list a story shows.
const LIST_ENTRIES_MAX: usize = 6;

impl Writer<'_> {
    pub(super) fn value(&self, name: &str, value: Value) -> String {
        match value {
            Value::Nothing => "-".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Signed(number) => format!("{number:+}"),
            Value::Seconds(number) if name == "ttl" => span(number),
            Value::Seconds(number) => number.to_string(),
            Value::Micros(micros) => seconds(micros),
            Value::SignedMicros(micros) => {
                format!("{}{}", if micros < 0 { '-' } else { '+' }, seconds(micros.unsigned_abs()))
            }
            Value::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
            Value::Word(word) => word.to_owned(),
            Value::Code(code) => format!("[{}]", code.number()),
            Value::Attempt(attempt) => attempt.to_string(),
            Value::Seats(seats) => {
                let mut text = seats.policy().word().to_owned();
                for platform in Platform::ALL {
                    let number = seats.instances_max(platform);
                    if number > 1 {
                        write!(text, ",{platform}:{number}").expect("a string takes everything");
                    }
                }
                text
            }
            Value::Device(device) => self.cast.device_name(device).to_owned(),
            Value::User(user) => self.user(user),
            Value::Site(site) => self.cast.site_name(site).to_owned(),
            Value::Ticket(ticket) => self.cast.ticket(ticket).name.clone(),
            Value::Text(text) => self.quoted(text),
            Value::List(list) => self.list(self.cast.list(list)),
        }
    }

    pub(super) fn user(&self, user: UserIndex) -> String {
        let name = self.cast.user_name(user);
        if name.parse::<UserId>().is_ok() { name.to_owned() } else { quote(name) }
    }

    pub(super) fn quoted(&self, text: TextIndex) -> String {
        quote(self.cast.text(text))
    }

    pub(super) fn list(&self, list: &List) -> String {
        let entries: Vec<String> = match list {
            List::Devices(devices) => devices.iter().map(|device| self.cast.device_name(*device).to_owned()).collect(),
            List::Users(users) => users.iter().map(|user| self.user(*user)).collect(),
            List::Conversations(lines) => lines
                .iter()
                .map(|line| format!("{}#{} {}", self.user(line.peer), line.last, self.quoted(line.preview)))
                .collect(),
            List::Report(lines) => lines
                .iter()
                .map(|line| {
                    let mut text = self.user(line.user);
                    text.push(' ');
                    text.push_str(line.presence.map_or("unknown", |presence| presence.word()));
                    for device in &line.devices {
                        let (name, state) = (self.cast.device_name(device.device), device.state.word());
                        write!(text, " {name}/{}/{state}", device.platform).expect("a string takes everything");
                    }
                    text
                })
                .collect(),
        };
        let more = entries.len().saturating_sub(LIST_ENTRIES_MAX);
        if self.view == View::Story && more > 0 {
            return format!("[{}, … {more} more]", entries[..LIST_ENTRIES_MAX].join(", "));
        }
        format!("[{}]", entries.join(", "))
    }
}

fn quote(text: &str) -> String {
    let shown: String = text.chars().take(TEXT_CHARS_MAX).collect();
    if shown.len() == text.len() { format!("{text:?}") } else { format!("{shown:?}… ({} bytes)", text.len()) }
}

pub(super) fn seconds(micros: u64) -> String {
    format!("{}.{:03}s", micros / 1_000_000, micros % 1_000_000 / 1_000)
}

/// Whole seconds as a scenario file writes them.
pub(super) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(24 * 60 * 60, "d"), (60 * 60, "h"), (1, "s")];
    let (unit, name) =
        UNITS.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit)).unwrap_or((1, "s"));
    format!("{}{name}", seconds / unit)
}
