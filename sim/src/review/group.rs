//! Edits of many stories as groups, each with what it led to.
//!
//! The first edit of a story is its cause: times and numbers that change after it follow from it, and are only counted.
//! What weighs more is never hidden: it is a group of its own where it is the first of its story oftener than not, or where
//! it can follow from nothing, as a renamed word or a new field; and else it is told below the cause, as what that led to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::edits::{Edit, Kind, TIMES};

/// The most details that a group tells.
const DETAILS_MAX: usize = 4;

/// The kind of a group of stories that are gone.
pub const REMOVED: &str = "story removed";

/// The kind of a group of stories that are new.
pub const ADDED: &str = "story added";

/// A story that changed.
#[derive(Debug)]
pub struct Changed<'a> {
    /// What it is called.
    pub stem: &'a str,
    /// What was done to it, in its order.
    pub edits: Vec<Edit>,
}

/// All that changed, what weighs most first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// How many stories there are, or were.
    pub stories: usize,
    /// How many of them changed, are new or are gone.
    pub changed: usize,
    /// How many of those have another outcome.
    pub outcomes: usize,
    /// How many of their lines differ, each counted once.
    pub lines: usize,
    /// What changed.
    pub groups: Vec<Group>,
}

/// The same edit in so many stories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What kind of an edit it is.
    pub kind: &'static str,
    /// What was done.
    pub what: String,
    /// What of it is not the same everywhere, each with how often: the most frequent.
    pub details: Vec<(String, usize)>,
    /// How many more such there are.
    pub more_details: usize,
    /// By how many milliseconds times shift, from the least to the most.
    pub shifts: Option<(i64, i64)>,
    /// On how many lines.
    pub lines: usize,
    /// On how many more lines of these stories only times and numbers changed after it.
    pub lines_after: usize,
    /// One of them.
    pub example: Option<Example>,
    /// In which stories.
    pub stories: Vec<String>,
    /// What else came of it, of what weighs more than a number.
    pub led_to: Vec<Group>,
    /// Its weight, with that of what it led to; the least is the heaviest.
    #[serde(skip)]
    weight: Weight,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Weight(u32);

impl Weight {
    const REMOVED: Weight = Weight(0);
    const ADDED: Weight = Weight(14);

    fn of(kind: Kind) -> Weight {
        // Between these there is room for stories.
        Weight(1 + 2 * kind as u32)
    }

    fn weighs(self) -> bool {
        self < Weight::of(Kind::Number)
    }
}

/// A line before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// In which story.
    pub story: String,
    /// The number of the line before, and its text.
    pub before: Option<(usize, String)>,
    /// After.
    pub after: Option<(usize, String)>,
}

impl Review {
    /// Whether more changed than times and numbers: an outcome, an order, an event, a word, a field, a value, or a story that
    /// is gone.
    pub fn weighs(&self) -> bool {
        self.groups.iter().any(|group| group.weight.weighs())
    }
}

/// What makes edits the same.
type Shape<'a> = (Kind, &'a str);

fn shape(edit: &Edit) -> Shape<'_> {
    (edit.kind, edit.shape.as_str())
}

/// Adds up.
pub fn group(
    stories: usize,
    changed: &[Changed<'_>],
    added: Vec<(String, usize)>,
    removed: Vec<(String, usize)>,
) -> Review {
    let causes = causes(changed);
    let mut gathered: BTreeMap<Shape<'_>, Gathered<'_>> = BTreeMap::new();
    let mut lines = 0;
    for story in changed {
        let own = |edit: &Edit| causes.contains(&shape(edit));
        let first = story.edits.iter().find(|edit| !is_structural(edit.kind));
        let mut told = BTreeSet::new();
        for edit in &story.edits {
            if is_structural(edit.kind)
                || edit.kind.weighs() && own(edit)
                || first.is_some_and(|first| shape(first) == shape(edit))
            {
                gathered.entry(shape(edit)).or_default().own.add(story.stem, edit);
            } else if let Some(first) = first {
                let cause = gathered.entry(shape(first)).or_default();
                if edit.kind.weighs() {
                    cause.led_to.entry(shape(edit)).or_default().add(story.stem, edit);
                } else {
                    continue;
                }
            }
            told.insert(place(edit));
        }
        let all: BTreeSet<_> = story.edits.iter().map(place).collect();
        lines += all.len();
        if let Some(first) = first {
            gathered.entry(shape(first)).or_default().after += all.difference(&told).count();
        }
    }
    let mut groups: Vec<Group> = gathered.into_iter().map(|(shape, gathered)| gathered.group(shape)).collect();
    for (kind, stories, weight) in [(REMOVED, removed, Weight::REMOVED), (ADDED, added, Weight::ADDED)] {
        if !stories.is_empty() {
            let of_stories = stories.iter().map(|(_, lines)| lines).sum();
            lines += of_stories;
            let what = if kind == REMOVED { "told no more" } else { "told for the first time" }.to_owned();
            let stories = stories.into_iter().map(|(stem, _)| stem).collect();
            groups.push(Group { kind, what, lines: of_stories, stories, weight, ..Group::default() });
        }
    }
    groups.sort_by(|one, two| {
        let key = |group: &Group| (group.weight, usize::MAX - group.stories.len());
        key(one).cmp(&key(two)).then_with(|| one.what.cmp(&two.what))
    });
    let whole: BTreeSet<&String> = groups.iter().flat_map(|group| &group.stories).collect();
    let outcomes = changed.iter().filter(|story| story.edits.iter().any(|edit| edit.kind == Kind::Outcome)).count();
    Review { stories, changed: whole.len().max(changed.len()), outcomes, lines, groups }
}

/// The line of an edit.
fn place(edit: &Edit) -> (usize, usize) {
    let line = |side: &Option<(usize, String)>| side.as_ref().map_or(0, |(line, _)| *line);
    (line(&edit.before), line(&edit.after))
}

/// Whether it can follow from nothing that happened.
fn is_structural(kind: Kind) -> bool {
    matches!(kind, Kind::Word | Kind::Field)
}

/// The shapes that are the first of their story oftener than not.
fn causes<'a>(changed: &'a [Changed<'_>]) -> BTreeSet<Shape<'a>> {
    let mut stories: BTreeMap<Shape<'_>, (usize, usize)> = BTreeMap::new();
    for story in changed {
        let first = story.edits.iter().find(|edit| !is_structural(edit.kind)).map(shape);
        for shape in story.edits.iter().map(shape).collect::<BTreeSet<_>>() {
            let (firsts, all) = stories.entry(shape).or_default();
            *firsts += usize::from(first == Some(shape));
            *all += 1;
        }
    }
    stories.into_iter().filter(|(_, (firsts, all))| 2 * firsts >= *all).map(|(shape, _)| shape).collect()
}

/// The least and the most of shifts.
type Shifts = Option<(i64, i64)>;

fn widened(shifts: Shifts, by: Option<i64>) -> Shifts {
    let Some(by) = by else { return shifts };
    Some(shifts.map_or((by, by), |(least, most)| (least.min(by), most.max(by))))
}

/// Shifts as people read them.
pub fn shifts((least, most): (i64, i64)) -> String {
    let one = |shift: i64| {
        let by = shift.unsigned_abs();
        format!("{}{}.{:03}s", if shift < 0 { '-' } else { '+' }, by / 1_000, by % 1_000)
    };
    if least == most { one(least) } else { format!("{} to {}", one(least), one(most)) }
}

/// The edits of one shape.
#[derive(Default)]
struct Edits<'a> {
    stories: BTreeSet<&'a str>,
    lines: BTreeSet<(&'a str, (usize, usize))>,
    details: BTreeMap<&'a str, (usize, Shifts)>,
    shifts: Shifts,
    example: Option<(&'a str, &'a Edit)>,
}

impl<'a> Edits<'a> {
    fn add(&mut self, stem: &'a str, edit: &'a Edit) {
        let is_first = self.stories.insert(stem);
        self.lines.insert((stem, place(edit)));
        self.shifts = widened(self.shifts, edit.shift);
        // Of times that shift, the first says where it began; the others follow.
        if !edit.detail.is_empty() && (edit.shape != TIMES || is_first) {
            let (count, shifts) = self.details.entry(&edit.detail).or_default();
            *count += 1;
            *shifts = widened(*shifts, edit.shift);
        }
        self.example.get_or_insert((stem, edit));
    }

    fn group(self, (kind, what): Shape<'_>) -> Group {
        let mut details: Vec<(String, usize)> =
            self.details.into_iter().map(|(detail, (count, by))| (with_shifts(detail, by), count)).collect();
        details.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        let more_details = details.len().saturating_sub(DETAILS_MAX);
        details.truncate(DETAILS_MAX);
        Group {
            kind: kind.word(),
            what: what.to_owned(),
            details,
            more_details,
            shifts: self.shifts,
            lines: self.lines.len(),
            example: self.example.map(|(story, edit)| Example {
                story: story.to_owned(),
                before: edit.before.clone(),
                after: edit.after.clone(),
            }),
            stories: self.stories.into_iter().map(str::to_owned).collect(),
            weight: Weight::of(kind),
            ..Group::default()
        }
    }
}

fn with_shifts(detail: &str, by: Shifts) -> String {
    by.map_or_else(|| detail.to_owned(), |by| format!("{detail} {}", shifts(by)))
}

/// The edits of one shape, and what followed where they were the first.
#[derive(Default)]
struct Gathered<'a> {
    own: Edits<'a>,
    after: usize,
    led_to: BTreeMap<Shape<'a>, Edits<'a>>,
}

impl Gathered<'_> {
    fn group(self, shape: Shape<'_>) -> Group {
        let mut group = self.own.group(shape);
        group.lines_after = self.after;
        group.led_to = self.led_to.into_iter().map(|(shape, edits)| edits.group(shape)).collect();
        group.led_to.sort_by_key(|led| (led.weight, usize::MAX - led.stories.len()));
        group.weight = group.led_to.iter().map(|led| led.weight).fold(group.weight, Ord::min);
        group
    }
}
