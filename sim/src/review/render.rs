//! A review as text for a terminal, and as Markdown for a comment on a pull request. Decides nothing.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::group::{Example, Group, Review, shifts};

/// The longest comment that GitHub takes, in bytes; its limit is so many characters.
pub const MARKDOWN_MAX: usize = 65_536;

/// How many stories a text names of a group.
const STEMS_MAX: usize = 3;

/// How many outcomes that a group led to a text tells, and how many of each other kind.
const LED_TO_MAX: usize = 6;

/// How many letters of a value a text shows.
const DETAIL_CHARS_MAX: usize = 48;

/// How many letters of a line an example shows.
const LINE_CHARS_MAX: usize = 140;

/// What a terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether there are colours.
    pub colours: bool,
}

impl Style {
    fn paint(self, text: &str, code: u8) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

const BOLD: u8 = 1;
const RED: u8 = 31;
const GREEN: u8 = 32;

/// How many lines a text has at most, of [`Length::Screen`].
pub const SCREEN_LINES_MAX: usize = 40;

/// How much of a review a text tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// [`SCREEN_LINES_MAX`] lines at most: the heaviest with an example, and of the others that they are there.
    #[default]
    Screen,
    /// Every group with its example and all that it led to.
    All,
}

/// For a terminal, without the last line's end.
pub fn text(review: &Review, length: Length, style: Style) -> String {
    let head = style.paint(&head(review), BOLD);
    let groups = review.groups.iter().enumerate();
    if length == Length::All {
        let told = groups.flat_map(|(index, group)| full(index, group, length, style));
        return [head].into_iter().chain(told).collect::<Vec<_>>().join("\n");
    }
    // A line of each, as many as there is room for, and then more of one after the other.
    let room = SCREEN_LINES_MAX - 1;
    let shown = if review.groups.len() > room { room - 1 } else { review.groups.len() };
    let mut left = room - shown - usize::from(shown < review.groups.len());
    let mut lines = vec![head];
    for (index, group) in groups.take(shown) {
        let told = full(index, group, length, style);
        match left.checked_sub(told.len() - 1) {
            Some(rest) => {
                left = rest;
                lines.extend(told);
            }
            None => lines.push(brief(index, group, style)),
        }
    }
    match review.groups.len() - shown {
        0 => {}
        more => lines.push(format!("and {more} more causes, lighter ones: --all tells them")),
    }
    lines.join("\n")
}

/// A group in a line.
fn brief(index: usize, group: &Group, style: Style) -> String {
    format!("{}. {}: {}; {}", index + 1, kind(group, style), what(group), counts(group))
}

/// A group with its example and what it led to.
fn full(index: usize, group: &Group, length: Length, style: Style) -> Vec<String> {
    let mut lines =
        vec![format!("{}. {}: {}", index + 1, kind(group, style), what(group)), format!("   {}", counts(group))];
    example(&mut lines, group.example.as_ref(), style);
    let (led_to_max, stems_max) = match length {
        Length::Screen => (LED_TO_MAX, STEMS_MAX),
        Length::All => (usize::MAX, usize::MAX),
    };
    let (outcomes, others): (Vec<&Group>, Vec<&Group>) = group.led_to.iter().partition(|led| led.kind == "outcome");
    for led in outcomes.iter().take(led_to_max) {
        lines.push(format!("   led to {}: {}; {} ({})", kind(led, style), what(led), counts(led), stems(led, 1)));
    }
    if let Some(more) = outcomes.len().checked_sub(led_to_max).filter(|more| *more > 0) {
        lines.push(format!("   and to {more} more outcomes: --all tells them"));
    }
    for of_kind in others.chunk_by(|one, two| one.kind == two.kind) {
        lines.push(led_to(of_kind, led_to_max, style));
    }
    // The example names one.
    let named = usize::from(group.example.is_some());
    if (named + 1..=stems_max).contains(&group.stories.len()) {
        lines.push(format!("   in {}", stems(group, stems_max)));
    }
    lines
}

/// What a group led to of one kind, in a line.
fn led_to(of_kind: &[&Group], max: usize, style: Style) -> String {
    let told: Vec<String> = of_kind.iter().take(max).map(|led| format!("{} ({})", led.what, led.lines)).collect();
    let stories: BTreeSet<&String> = of_kind.iter().flat_map(|led| &led.stories).collect();
    let more = match of_kind.len().saturating_sub(max) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let kind = of_kind.first().map(|led| kind(led, style)).unwrap_or_default();
    format!("   led to {kind}: {}{more}; {}", told.join(", "), count(stories.len(), "story", "stories"))
}

fn kind(group: &Group, style: Style) -> String {
    style.paint(group.kind, if group.kind == "outcome" { RED } else { BOLD })
}

/// For a comment: no longer than [`MARKDOWN_MAX`], and it says what was left out.
pub fn markdown(review: &Review) -> String {
    let mut text = format!("### {}\n", head(review));
    for (index, group) in review.groups.iter().enumerate() {
        let mut block = format!("\n{}. **{}**: {}  \n   {}\n", index + 1, group.kind, what(group), counts(group));
        diff(&mut block, group.example.as_ref());
        for led in &group.led_to {
            put(&mut block, format_args!("   - led to **{}**: {}; {}\n", led.kind, what(led), counts(led)));
            if led.kind == "outcome" {
                diff(&mut block, led.example.as_ref());
            }
        }
        let list = group.stories.iter().map(|stem| format!("`{stem}`")).collect::<Vec<_>>().join(", ");
        put(&mut block, format_args!("   <details><summary>the stories</summary>\n\n   {list}\n\n   </details>\n"));
        let rest = format!(
            "\n{} more groups are left out here, the lightest: `gatecrash review --all` has them.\n",
            review.groups.len() - index
        );
        if text.len() + block.len() + rest.len() > MARKDOWN_MAX {
            // One list may be all that is too long.
            let short = block.split("   <details>").next().unwrap_or_default();
            if text.len() + short.len() + rest.len() > MARKDOWN_MAX {
                text.push_str(&rest);
                break;
            }
            text.push_str(short);
        } else {
            text.push_str(&block);
        }
    }
    text.trim_end().to_owned()
}

fn head(review: &Review) -> String {
    if review.changed == 0 {
        return format!("none of {} changed", count(review.stories, "story", "stories"));
    }
    format!(
        "{} of {} changed, on {}: {}; {}",
        review.changed,
        count(review.stories, "story", "stories"),
        count(review.lines, "line", "lines"),
        count(review.groups.len(), "cause", "causes"),
        match review.outcomes {
            0 => "no outcome".to_owned(),
            some => format!("another outcome in {}", count(some, "story", "stories")),
        }
    )
}

fn what(group: &Group) -> String {
    let mut text = group.what.clone();
    if let Some(by) = group.shifts {
        put(&mut text, format_args!(" shift by {}, first of each story", shifts(by)));
    }
    let several = group.details.len() > 1;
    let details = group.details.iter().map(|(detail, count)| match several {
        true => format!("{} ({count})", cut(detail, DETAIL_CHARS_MAX)),
        false => cut(detail, DETAIL_CHARS_MAX),
    });
    let details = details.collect::<Vec<_>>().join(", ");
    if !details.is_empty() {
        put(&mut text, format_args!(": {details}"));
    }
    if group.more_details > 0 {
        put(&mut text, format_args!(" and {} more", group.more_details));
    }
    text
}

fn counts(group: &Group) -> String {
    let mut text =
        format!("{}, {}", count(group.stories.len(), "story", "stories"), count(group.lines, "line", "lines"));
    if group.lines_after > 0 {
        put(&mut text, format_args!("; times and numbers on {} after it", count(group.lines_after, "line", "lines")));
    }
    text
}

fn stems(group: &Group, max: usize) -> String {
    let named = group.stories.iter().take(max).cloned().collect::<Vec<_>>().join(", ");
    match group.stories.len().saturating_sub(max) {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

fn example(lines: &mut Vec<String>, example: Option<&Example>, style: Style) {
    let Some(example) = example else { return };
    lines.push(format!("     {}", place(example)));
    for (mark, side, colour) in [('-', &example.before, RED), ('+', &example.after, GREEN)] {
        if let Some((_, said)) = side {
            lines
                .push(format!("     {}", style.paint(&format!("{mark} {}", cut(said.trim(), LINE_CHARS_MAX)), colour)));
        }
    }
}

/// Where an example is: the line, and where it was if that was another.
fn place(Example { story, before, after }: &Example) -> String {
    match (before, after) {
        (Some((before, _)), Some((after, _))) if before != after => format!("{story}:{after}, which was line {before}"),
        (_, Some((line, _))) => format!("{story}:{line}"),
        (Some((line, _)), None) => format!("{story}, which was line {line}"),
        (None, None) => story.clone(),
    }
}

fn diff(text: &mut String, example: Option<&Example>) {
    let Some(example @ Example { before, after, .. }) = example else { return };
    put(text, format_args!("\n   ```diff\n   @@ {} @@\n", place(example)));
    for (mark, side) in [('-', before), ('+', after)] {
        if let Some((_, said)) = side {
            // A fence in a text would end this one.
            put(text, format_args!("   {mark} {}\n", cut(said.trim(), LINE_CHARS_MAX).replace("```", "` ` `")));
        }
    }
    text.push_str("   ```\n\n");
}

/// The beginning of a line.
fn cut(line: &str, chars_max: usize) -> String {
    match line.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes everything");
}
