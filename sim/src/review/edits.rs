//! What became of each event, as edits whose shape is the same wherever the same was done: the word and the field, and not
//! the names and numbers of the story.

use std::collections::{BTreeMap, BTreeSet};

use super::align::Pair;
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
}

/// The words that occur in any story.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// In those before.
    pub before: BTreeSet<String>,
    /// In those after.
    pub after: BTreeSet<String>,
}

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
        let mut push = |kind, shape, detail| {
            let line = |event: &Event| (event.line, event.text.clone());
            let (before, after) = (old.map(|old| line(&before[old])), new.map(|new| line(&after[new])));
            edits.push(Edit { kind, shape, detail, before, after, place });
        };
        match (old.map(|old| &before[old]), new.map(|new| &after[new])) {
            (Some(old), Some(new)) => compare(old, new, words, &mut push),
            (only, _) => {
                let kind = if is_end(event) { Kind::Outcome } else { Kind::Event };
                let said = if only.is_some() { "is no more" } else { "is new" };
                push(kind, format!("`{}` {said}", event.word), event.field(OUTCOME).unwrap_or_default().to_owned());
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
    let came: BTreeSet<usize> = moved.values().copied().collect();
    let kept = pairs.iter().filter(|(old, new)| old.is_some() || new.is_none_or(|new| !came.contains(&new)));
    let with = kept.map(|(old, new)| (*old, new.or_else(|| old.and_then(|old| moved.get(&old).copied()))));
    (with.collect(), moved.into_iter().collect())
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
    let kind = if is_of_two { Kind::Time } else { Kind::Order };
    let shape = match is_of_two {
        true => "the server's lines to and from different devices come in another order".to_owned(),
        false => format!("`{}` now comes before `{}`", one.word, two.word),
    };
    let line = |event: &Event| Some((event.line, event.text.clone()));
    // The example is of the line that comes first: where it was, and where it is.
    let place = 2 * first_old.min(second_old);
    Some(Edit { kind, shape, detail: String::new(), before: line(&before[first_old]), after: line(one), place })
}

/// What differs between a line and what it became.
fn compare(old: &Event, new: &Event, words: &Vocabulary, push: &mut impl FnMut(Kind, String, String)) {
    let word = &new.word;
    if old.word != *word {
        let is_renamed = !words.after.contains(&old.word) && !words.before.contains(word);
        let kind = match () {
            () if is_renamed => Kind::Word,
            () if is_end(old) || is_end(new) => Kind::Outcome,
            () => Kind::Event,
        };
        let said = if is_renamed { "is called" } else { "gives way to" };
        push(kind, format!("`{}` {said} `{word}`", old.word), String::new());
    }
    let names: BTreeSet<&str> = old.fields.iter().chain(&new.fields).map(|field| field.name.as_str()).collect();
    for name in names {
        let values = |event: &Event| {
            let of_name = event.fields.iter().filter(|field| field.name == name);
            of_name.map(|field| field.value.clone()).collect::<Vec<_>>()
        };
        let (was, is) = (values(old), values(new));
        if was != is {
            field(word, name, &was.join(" "), &is.join(" "), is_counted_end(new), push);
        }
    }
    if let (Some(was), Some(is)) = (old.at, new.at)
        && was != is
    {
        push(Kind::Time, format!("`{word}` comes at another time"), shift(was, is));
    }
}

fn field(word: &str, name: &str, was: &str, is: &str, is_end: bool, push: &mut impl FnMut(Kind, String, String)) {
    let from_to = format!("{} -> {}", or_nothing(was), or_nothing(is));
    let shape = if name == "text" { format!("`{word}`") } else { format!("`{word}`: {name}") };
    match (was, is) {
        _ if name == OUTCOME => push(Kind::Outcome, format!("`{word}`: {from_to}"), String::new()),
        _ if is_end => push(Kind::Outcome, shape, from_to),
        _ if name == "arrives" && is.is_empty() => {
            push(Kind::Value, format!("`{word}` is lost no more"), String::new())
        }
        _ if name == "arrives" => push(Kind::Value, format!("`{word}` is lost"), String::new()),
        ("", _) => push(Kind::Field, format!("field `{name}` is new"), format!("`{word}`")),
        (_, "") => push(Kind::Field, format!("field `{name}` is no more"), format!("`{word}`")),
        _ => match (millis(was), millis(is)) {
            (Some(was), Some(is)) => push(Kind::Time, shape, shift(was, is)),
            // A digest says that something changed, and not what.
            _ if word == "digest" => push(Kind::Number, "`digest`".to_owned(), String::new()),
            _ if is_number(was) && is_number(is) => push(Kind::Number, shape, from_to),
            _ => push(Kind::Value, shape, from_to),
        },
    }
}

fn or_nothing(value: &str) -> &str {
    if value.is_empty() { "nothing" } else { value }
}

/// The difference of two times in milliseconds.
fn shift(was: u64, is: u64) -> String {
    let by = was.abs_diff(is);
    format!("{}{}.{:03}s", if is > was { '+' } else { '-' }, by / 1_000, by % 1_000)
}
