//! Whether two runs of one scenario, each in a world of its own, came to the same.
//!
//! Looks at what applications saw and users were left with, in order, not at when: worlds keep time
//! differently. Does not say which of two worlds is right.

use std::collections::BTreeMap;
use std::fmt;

use gatecrash::code::Failure;
use gatecrash::protocol::Presence;
use gatecrash::time::Instant;
use serde::{Serialize, Serializer};

use super::Run;
use crate::check::expect::book::{Account, Book, Made};
use crate::scenario::Scenario;
use crate::trace::{Cast, DeviceIndex, List, Outcome, ReportLine, Told};

/// How much of a long text is shown.
const SHOWN_MAX: usize = 100;

/// One thing of which two runs show something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is, as the beginning of a sentence: `phone-1, call 3`.
    pub about: String,
    /// What each run shows, in the order of the runs.
    pub shown: [Shown; 2],
}

/// What one run shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// In words.
    pub text: String,
    /// When; nothing for what did not happen, and for what was so at the end.
    #[serde(rename = "at_us", serialize_with = "micros")]
    pub at: Option<Instant>,
}

fn micros<S: Serializer>(at: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(Instant::as_micros).serialize(serializer)
}

/// What is compared, each in an order of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// What the checks say of the run.
    Verdict,
    /// The calls of a device, with their results.
    Calls(String),
    /// What its listener was told.
    Events(String),
    /// Its login status and user at the end.
    Device(String),
    /// What the server knows of a user at the end.
    User(String),
}

/// Everything that two worlds must agree on.
type Story = BTreeMap<About, Vec<Shown>>;

/// Of everything that two runs of a scenario must agree on the first differences; none when they
/// agree. Of a scenario whose details depend on latency only the verdict counts.
pub fn differences(scenario: &Scenario, first: &Run, second: &Run) -> Vec<Difference> {
    let stories = [first, second].map(|run| story(scenario, run));
    let abouts = stories[0].keys().chain(stories[1].keys().filter(|about| !stories[0].contains_key(about)));
    let mut differences: Vec<(&About, Difference)> =
        abouts.filter_map(|about| Some((about, difference(about, &stories)?))).collect();
    // The earliest explains the others, and what was so at the end explains nothing.
    let earliest = |difference: &Difference| difference.shown.iter().filter_map(|shown| shown.at).min();
    differences.sort_by_key(|(about, difference)| {
        let at = earliest(difference);
        (**about != About::Verdict, at.is_none(), at, (*about).clone())
    });
    differences.into_iter().map(|(_, difference)| difference).collect()
}

/// The first thing of this kind that differs.
fn difference(about: &About, stories: &[Story; 2]) -> Option<Difference> {
    let lines = |story: usize| stories[story].get(about).map_or(&[][..], Vec::as_slice);
    let longest = lines(0).len().max(lines(1).len());
    let text = |story: usize, index: usize| lines(story).get(index).map(|shown| &shown.text);
    let index = (0..longest).find(|&index| text(0, index) != text(1, index))?;
    let nothing = || Shown { text: "nothing".into(), at: None };
    let shown = [0, 1].map(|story| lines(story).get(index).cloned().unwrap_or_else(nothing));
    let number = index + 1;
    let about = match about {
        About::Verdict => "the verdict".to_owned(),
        About::Calls(device) => format!("{device}, call {number}"),
        About::Events(device) => format!("{device}, event {number}"),
        About::Device(device) => format!("{device} at the end"),
        About::User(user) => format!("user {user} at the end"),
    };
    Some(Difference { about, shown })
}

fn story(scenario: &Scenario, run: &Run) -> Story {
    let at_end = |text: String| vec![Shown { text, at: None }];
    let mut story = Story::from([(About::Verdict, at_end(run.verdict().word().to_owned()))]);
    if scenario.verdict_only.is_some() {
        return story;
    }
    let (book, cast) = (Book::read(&run.trace), &run.trace.cast);
    let forever = Instant::from_micros(u64::MAX);
    for (index, device) in cast.devices().iter().enumerate() {
        let (name, page) = (&device.name, book.device(DeviceIndex::new(index)));
        story.insert(About::Calls(name.clone()), page.calls.iter().map(|made| call(cast, made)).collect());
        let told = page.told.iter().map(|heard| Shown { text: event(cast, &heard.told), at: Some(heard.at) });
        story.insert(About::Events(name.clone()), told.collect());
        let stood = page.status_at(forever);
        let user = stood.user.map_or("nobody", |user| cast.user_name(user));
        story.insert(About::Device(name.clone()), at_end(format!("{} {user}", stood.status.word())));
    }
    for user in book.users() {
        let account = book.account_at(user, forever);
        story.insert(About::User(cast.user_name(user).to_owned()), at_end(left_with(cast, &account)));
    }
    story
}

fn call(cast: &Cast, made: &Made) -> Shown {
    let (result, at) = match made.answered {
        None => ("nothing".to_owned(), None),
        Some((at, outcome)) => (result(cast, outcome), Some(at)),
    };
    Shown { text: format!("{} answers {result}", made.kind.word()), at }
}

fn result(cast: &Cast, outcome: Outcome) -> String {
    match outcome {
        // The server numbers messages as it goes; who sent which is told by their texts.
        Outcome::Done | Outcome::Message { .. } => "ok".to_owned(),
        Outcome::Failed { code, reason } => Failure { code, reason }.to_string(),
        Outcome::Conversations { conversations } => match conversations.map(|list| cast.list(list)) {
            Some(List::Conversations(lines)) => {
                format!("ok, with {}", joined(lines.iter().map(|line| cast.user_name(line.peer).to_owned())))
            }
            Some(List::Devices(_) | List::Users(_) | List::Report(_)) | None => "ok, with nobody".to_owned(),
        },
        Outcome::Report { report } => match report.map(|list| cast.list(list)) {
            Some(List::Report(lines)) => format!("ok, {}", joined(lines.iter().map(|line| reported(cast, line)))),
            Some(List::Devices(_) | List::Users(_) | List::Conversations(_)) | None => "ok, of nobody".to_owned(),
        },
    }
}

fn reported(cast: &Cast, line: &ReportLine) -> String {
    let presence = line.presence.map_or("unknown", Presence::word);
    let devices = line.devices.iter().map(|device| {
        let (name, platform) = (cast.device_name(device.device), device.platform.word());
        format!("{name} {platform} {}", device.state.word())
    });
    format!("{} {presence} [{}]", cast.user_name(line.user), joined(devices))
}

fn event(cast: &Cast, told: &Told) -> String {
    let word = told.word();
    match told {
        Told::Connecting | Told::ConnectSuccess | Told::UserSigExpired => word.to_owned(),
        Told::ConnectFailed { code } => format!("{word} {code}"),
        Told::KickedOffline { by, reason } => {
            let by = by.map_or_else(String::new, |by| format!(" by {}", cast.device_name(by)));
            format!("{word} {}{by}", reason.word())
        }
        Told::Message { from, to, text, .. } => {
            let (from, to) = (cast.user_name(*from), cast.user_name(*to));
            format!("{word} from {from} to {to}: {}", cast.text(*text))
        }
        Told::MessagesDropped { count } => format!("{word} {count}"),
    }
}

fn left_with(cast: &Cast, account: &Account) -> String {
    let names = |devices: Vec<DeviceIndex>| match &devices[..] {
        [] => "no device".to_owned(),
        _ => joined(devices.iter().map(|&device| cast.device_name(device).to_owned())),
    };
    let (online, all) = (names(account.online()), names(account.with_session()));
    format!("{}, connected: {online}; sessions: {all}", account.presence.word())
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.char_indices().nth(SHOWN_MAX) {
            None => f.write_str(&self.text)?,
            Some((end, _)) => write!(f, "{}…", &self.text[..end])?,
        }
        match self.at {
            Some(at) => write!(f, ", at {at} s"),
            None => Ok(()),
        }
    }
}
