//! A review as text for a terminal, and as Markdown for a comment on a pull request. Decides nothing.

use std::fmt::Write;

use super::group::{Example, Group, Review};

/// The longest comment that GitHub takes, in bytes; its limit is so many characters.
pub const MARKDOWN_MAX: usize = 65_536;

/// How many stories a text names of a group.
const STEMS_MAX: usize = 3;

/// How many consequences of a group a text tells.
const LED_TO_MAX: usize = 6;

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

/// For a terminal, without the last line's end.
pub fn text(review: &Review, style: Style) -> String {
    let mut text = format!("{}\n", style.paint(&head(review), BOLD));
    for (index, group) in review.groups.iter().enumerate() {
        let kind = if group.kind == "outcome" { style.paint(group.kind, RED) } else { style.paint(group.kind, BOLD) };
        put(&mut text, format_args!("\n{}. {kind}: {}\n", index + 1, what(group)));
        put(&mut text, format_args!("   {}\n", counts(group)));
        example(&mut text, group.example.as_ref(), "     ", style);
        for led in group.led_to.iter().take(LED_TO_MAX) {
            let kind = if led.kind == "outcome" { style.paint(led.kind, RED) } else { led.kind.to_owned() };
            put(&mut text, format_args!("   led to {kind}: {}; {}\n", what(led), counts(led)));
            if led.kind == "outcome" {
                example(&mut text, led.example.as_ref(), "       ", style);
            }
        }
        if let Some(more) = group.led_to.len().checked_sub(LED_TO_MAX + 1) {
            put(&mut text, format_args!("   and to {} more, lighter ones (--json has them)\n", more + 1));
        }
        put(&mut text, format_args!("   in {}\n", stems(group)));
    }
    text.trim_end().to_owned()
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
            "\n{} more groups are left out here, the lightest: `gatecrash review` has them.\n",
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
    let several = group.details.len() > 1;
    let details = group.details.iter().map(|(detail, count)| match several {
        true => format!("{} ({count})", cut(detail)),
        false => cut(detail),
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

fn stems(group: &Group) -> String {
    let named = group.stories.iter().take(STEMS_MAX).cloned().collect::<Vec<_>>().join(", ");
    match group.stories.len().saturating_sub(STEMS_MAX) {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

fn example(text: &mut String, example: Option<&Example>, indent: &str, style: Style) {
    let Some(Example { story, before, after }) = example else { return };
    for (mark, side, colour) in [('-', before, RED), ('+', after, GREEN)] {
        if let Some((line, said)) = side {
            let said = style.paint(&format!("{mark} {}", cut(said.trim())), colour);
            put(text, format_args!("{indent}{story}:{line}\n{indent}{said}\n"));
        }
    }
}

fn diff(text: &mut String, example: Option<&Example>) {
    let Some(Example { story, before, after }) = example else { return };
    let line = before.as_ref().or(after.as_ref()).map_or(0, |(line, _)| *line);
    put(text, format_args!("\n   ```diff\n   @@ {story}:{line} @@\n"));
    for (mark, side) in [('-', before), ('+', after)] {
        if let Some((_, said)) = side {
            // A fence in a text would end this one.
            put(text, format_args!("   {mark} {}\n", cut(said.trim()).replace("```", "` ` `")));
        }
    }
    text.push_str("   ```\n\n");
}

/// The beginning of a line.
fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARS_MAX) {
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
