//! What became of each event, as edits whose shape is the same wherever the same was done: the word and the field, and not
//! the names and numbers of the story.

use std::collections::{BTreeMap, BTreeSet};

use super::align::Pair;
use super::columns::When;
use super::parse::{Event, OUTCOME, is_number, millis};

/// What kind of an edit it is; the first weighs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// How something ended: an answer, a session's end, whether the run came to rest.
    Outcome,
    /// Which of two lines of one actor comes first.
    Order,
    /// A line that was not there, or is there no more.
    Event,
    /// A word that no story has any more, where each now has one that none had.
    Word,
    /// A field that a line did not have, or has no more.
    Field,
    /// A name or a text.
    Value,
    /// A number.
    Number,
    /// When it is, or for how long.
    Time,
}

impl Kind {
    /// What people call it.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Outcome => "outcome",
            Kind::Order => "order",
            Kind::Event => "event",
            Kind::Word => "word",
            Kind::Field => "field",
            Kind::Value => "value",
            Kind::Number => "number",
            Kind::Time => "time",
        }
    }

    /// Whether it changes what happens, or what it is called: more than numbers.
    pub fn weighs(self) -> bool {
        self < Kind::Number
    }
}

/// Something that was done to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What kind.
    pub kind: Kind,
    /// What was done, without what differs from story to story.
    pub shape: String,
    /// What of it differs: the values, the amount, the word of the line.
    pub detail: String,
    /// The line as it was: its number and its text.
    pub before: Option<(usize, String)>,
    /// As it is.
    pub after: Option<(usize, String)>,
    /// Where in the story, for comparison with other edits of the same.
    pub place: usize,
    /// By how many milliseconds, where it is a time.
    pub shift: Option<i64>,
    /// The words of the lines of which the first now comes before the second, where it is an order.
    pub order: Option<(String, String)>,
}

impl Edit {
    fn of(kind: Kind, shape: String, detail: String) -> Edit {
        Edit { kind, shape, detail, before: None, after: None, place: 0, shift: None, order: None }
    }

    /// A time that is another; the detail is whose.
    fn time(detail: String, was: u64, is: u64) -> Edit {
        let shift = is.cast_signed().saturating_sub(was.cast_signed());
        Edit { shift: Some(shift), ..Edit::of(Kind::Time, TIMES.to_owned(), detail) }
    }
}

/// The words that occur in any story, and the fields of each.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// In those before.
    pub before: Words,
    /// In those after.
    pub after: Words,
}

/// By word, the names of its fields.
pub type Words = BTreeMap<String, BTreeSet<String>>;

impl Vocabulary {
    /// The words of these events.
    pub fn words<'a>(events: impl Iterator<Item = &'a Event>) -> Words {
        let mut words = Words::new();
        for event in events {
            let fields = words.entry(event.word.clone()).or_default();
            fields.extend(event.fields.iter().map(|field| field.name.clone()));
        }
        words
    }

    /// Whether no line with this word had the field before.
    fn is_new(&self, word: &str, name: &str) -> bool {
        self.before.get(word).is_none_or(|fields| !fields.contains(name))
    }

    /// Whether no line with this word has the field now.
    fn is_gone(&self, word: &str, name: &str) -> bool {
        self.after.get(word).is_none_or(|fields| !fields.contains(name))
    }
}

/// What all times have in common: that they are others.
pub const TIMES: &str = "times";

/// Words of lines that are an outcome by being there.
const ENDS: [&str; 9] = [
    "kicked_offline",
    "user_sig_expired",
    "session ended",
    "login_refused",
    "resume_refused",
    "messages_dropped",
    "not converged",
    "converged",
    "record failed",
];

/// The keys of a ledger whose count is an outcome.
const COUNTED_ENDS: [&str; 5] =
    ["result ", "fact session_ended", "event kicked_offline", "event user_sig_expired", "phase not_converged"];

fn is_end(event: &Event) -> bool {
    ENDS.contains(&event.word.as_str()) || event.word.ends_with(" answered") || is_counted_end(event)
}

fn is_counted_end(event: &Event) -> bool {
    COUNTED_ENDS.iter().any(|end| event.word.starts_with(end))
}

/// The edits of a story, in its order.
pub fn edits(before: &[Event], after: &[Event], pairs: &[Pair], words: &Vocabulary) -> Vec<Edit> {
    let (pairs, moved) = with_moved(before, after, pairs);
    let pairs = with_other_ends(before, after, &pairs);
    let mut edits = Vec::new();
    let (mut actor, mut last) = ("", 0);
    for (old, new) in &pairs {
        let event = old.map_or_else(|| &after[new.expect("a pair has one side")], |old| &before[old]);
        if event.actor() != actor {
            (actor, last) = (event.actor(), 0);
        }
        let place = match old {
            Some(old) => 2 * old,
            None => last + 1,
        };
        last = place;
        let mut push = |edit: Edit| {
            let line = |event: &Event| (event.line, event.text.clone());
            let (before, after) = (old.map(|old| line(&before[old])), new.map(|new| line(&after[new])));
            edits.push(Edit { before, after, place, ..edit });
        };
        match (old.map(|old| &before[old]), new.map(|new| &after[new])) {
            (Some(old), Some(new)) => compare(old, new, words, &mut push),
            (only, _) => {
                let kind = if is_end(event) { Kind::Outcome } else { Kind::Event };
                let said = if only.is_some() { "is no more" } else { "is new" };
                push(Edit::of(
                    kind,
                    format!("`{}` {said}", event.word),
                    event.field(OUTCOME).unwrap_or_default().to_owned(),
                ));
            }
        }
    }
    for (old, new) in moved {
        edits.extend(order(before, after, &pairs, old, new));
    }
    edits.sort_by_key(|edit| (edit.place, edit.kind));
    edits
}

/// The pairs with those of lines that are in both texts, at another place; and which these are.
fn with_moved(before: &[Event], after: &[Event], pairs: &[Pair]) -> (Vec<Pair>, Vec<(usize, usize)>) {
    let key = |event: &Event| {
        let values = event.fields.iter().filter(|field| !is_number(&field.value)).map(|field| field.value.as_str());
        (event.who.clone(), event.word.clone(), values.collect::<Vec<_>>().join(" "))
    };
    let mut gone: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for old in pairs.iter().filter(|(_, new)| new.is_none()).filter_map(|(old, _)| *old).rev() {
        gone.entry(key(&before[old])).or_default().push(old);
    }
    let mut moved = BTreeMap::new();
    for new in pairs.iter().filter(|(old, _)| old.is_none()).filter_map(|(_, new)| *new) {
        if let Some(old) = gone.get_mut(&key(&after[new])).and_then(Vec::pop) {
            moved.insert(old, new);
        }
    }
    (joined(pairs, &moved), moved.into_iter().collect())
}

/// The pairs with those of ends of the same, at another place: a call that was answered later has another answer, and not
/// one that is missing and one too many.
fn with_other_ends(before: &[Event], after: &[Event], pairs: &[Pair]) -> Vec<Pair> {
    let key = |event: &Event| {
        let of = ["call", "of", "epoch"].iter().filter_map(|name| event.field(name)).collect::<Vec<_>>();
        (event.field(OUTCOME).is_some() && !of.is_empty())
            .then(|| (event.who.clone(), event.word.clone(), of.join(" ")))
    };
    let mut came = BTreeMap::new();
    for new in pairs.iter().filter(|(old, _)| old.is_none()).filter_map(|(_, new)| *new) {
        if let Some(key) = key(&after[new]) {
            came.entry(key).or_insert(new);
        }
    }
    let mut ends = BTreeMap::new();
    for old in pairs.iter().filter(|(_, new)| new.is_none()).filter_map(|(old, _)| *old) {
        if let Some(new) = key(&before[old]).and_then(|key| came.remove(&key)) {
            ends.insert(old, new);
        }
    }
    joined(pairs, &ends)
}

/// The pairs with some of those that have one side put together: by the position before, the one after.
fn joined(pairs: &[Pair], with: &BTreeMap<usize, usize>) -> Vec<Pair> {
    let came: BTreeSet<usize> = with.values().copied().collect();
    let kept = pairs.iter().filter(|(old, new)| old.is_some() || new.is_none_or(|new| !came.contains(&new)));
    kept.map(|(old, new)| (*old, new.or_else(|| old.and_then(|old| with.get(&old).copied())))).collect()
}

/// What a line that moved has passed: the nearest line of the same actor.
fn order(before: &[Event], after: &[Event], pairs: &[Pair], old: usize, new: usize) -> Option<Edit> {
    let actor = before[old].actor();
    let passed = pairs
        .iter()
        .filter_map(|(other_old, other_new)| Some(((*other_old)?, (*other_new)?)))
        .filter(|(other_old, _)| before[*other_old].actor() == actor && before[*other_old].line != before[old].line)
        .filter(|(other_old, other_new)| (*other_old < old) != (*other_new < new))
        .min_by_key(|(other_old, _)| other_old.abs_diff(old))?;
    // Now `first` is before `second`.
    let ((first_old, first), (second_old, second)) =
        if new < passed.1 { ((old, new), passed) } else { (passed, (old, new)) };
    let (one, two) = (&after[first], &after[second]);
    // Whom the server speaks to first of two devices is the network's doing; whom it decides on first is not.
    let is_of_two = one.who != two.who && one.actor() == "server" && one.who.contains(' ') && two.who.contains(' ');
    let edit = match is_of_two {
        true => Edit::of(Kind::Time, TIMES.to_owned(), "the server's lines to and from two devices".to_owned()),
        false => {
            let shape = format!("`{}` now comes before `{}`", one.word, two.word);
            Edit { order: Some((one.word.clone(), two.word.clone())), ..Edit::of(Kind::Order, shape, String::new()) }
        }
    };
    let line = |event: &Event| Some((event.line, event.text.clone()));
    // The example is of the line that comes first: where it was, and where it is.
    let place = 2 * first_old.min(second_old);
    Some(Edit { before: line(&before[first_old]), after: line(one), place, ..edit })
}

/// What differs between a line and what it became.
fn compare(old: &Event, new: &Event, words: &Vocabulary, push: &mut impl FnMut(Edit)) {
    let word = &new.word;
    for (was, is) in &new.renamed {
        push(Edit::of(Kind::Word, format!("`{was}` is called `{is}`"), String::new()));
    }
    if old.word != *word {
        let is_renamed = !words.after.contains_key(&old.word) && !words.before.contains_key(word);
        let kind = match () {
            () if is_renamed => Kind::Word,
            () if is_end(old) || is_end(new) => Kind::Outcome,
            () => Kind::Event,
        };
        let said = if is_renamed { "is called" } else { "gives way to" };
        push(Edit::of(kind, format!("`{}` {said} `{word}`", old.word), String::new()));
    }
    let names: BTreeSet<&str> = old.fields.iter().chain(&new.fields).map(|field| field.name.as_str()).collect();
    for name in names {
        let values = |event: &Event| {
            let of_name = event.fields.iter().filter(|field| field.name == name);
            of_name.map(|field| field.value.clone()).collect::<Vec<_>>()
        };
        let (was, is) = (values(old), values(new));
        if was != is {
            push(field(old, new, name, &was.join(" "), &is.join(" "), words));
        }
    }
    match (old.when, new.when) {
        (When::At(was), When::At(is)) if was != is => push(Edit::time(format!("`{word}`"), was, is)),
        // Snapshots of old had its time on every line: it is kept no more, and has not changed.
        (When::At(_), _) | (_, When::At(_)) => {}
        (was, is) if was != is => push(Edit::time(format!("the wait for `{word}`"), wait(was), wait(is))),
        _ => {}
    }
}

/// The milliseconds that an actor was left alone.
fn wait(when: When) -> u64 {
    match when {
        When::After(seconds) => seconds.saturating_mul(1_000),
        When::Unsaid | When::At(_) => 0,
    }
}

fn field(old: &Event, new: &Event, name: &str, was: &str, is: &str, words: &Vocabulary) -> Edit {
    let word = &new.word;
    let from_to = format!("{} -> {}", or_nothing(was), or_nothing(is));
    let shape = if name == "text" { format!("`{word}`") } else { format!("`{word}`: {name}") };
    match (was, is) {
        _ if name == OUTCOME => Edit::of(Kind::Outcome, format!("`{word}`: {from_to}"), String::new()),
        _ if is_counted_end(new) => Edit::of(Kind::Outcome, shape, from_to),
        _ if name == "arrives" && is.is_empty() => {
            Edit::of(Kind::Value, format!("`{word}` is lost no more"), String::new())
        }
        _ if name == "arrives" => Edit::of(Kind::Value, format!("`{word}` is lost"), String::new()),
        // A field that such lines have where there is something to say is no new field.
        ("", _) if words.is_new(&old.word, name) => {
            Edit::of(Kind::Field, format!("field `{name}` is new"), format!("`{word}`"))
        }
        (_, "") if words.is_gone(word, name) => {
            Edit::of(Kind::Field, format!("field `{name}` is no more"), format!("`{word}`"))
        }
        _ => match (millis(was), millis(is)) {
            (Some(was), Some(is)) => Edit::time(format!("`{word}` {name}"), was, is),
            _ if is_number(was) && is_number(is) => Edit::of(Kind::Number, shape, from_to),
            _ => Edit::of(Kind::Value, shape, from_to),
        },
    }
}

fn or_nothing(value: &str) -> &str {
    if value.is_empty() { "nothing" } else { value }
}
