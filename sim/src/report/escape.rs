//! Texts as other languages take them: XML, Markdown, addresses, names of files.
//!
//! What terminals are not sent is left out before: `search::report` writes it as an escape.

use std::fmt::Write as _;

/// The text with what no XML may hold as a replacement character. Signs that mean something there the writer escapes.
pub(super) fn xml(text: &str) -> String {
    let is_fit = |letter: char| matches!(letter, '\t' | '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    text.chars().map(|letter| if is_fit(letter) { letter } else { '\u{fffd}' }).collect()
}

/// The text as words of a line of Markdown, whatever it says.
pub(super) fn markdown(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#' | '~' | '@' | '$' | '&' | '!' => {
                told.extend(['\\', letter])
            }
            letter if letter.is_control() => told.push(' '),
            letter => told.push(letter),
        }
    }
    told
}

/// The text as code within a line of Markdown, a cell of a table too.
pub(super) fn code(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let ticks = "`".repeat(longest_run(&text) + 1);
    // What stands at an end of code is taken for its fence.
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{}{space}{ticks}", text.replace('|', "\\|"))
}

/// The text as a block of Markdown of its own.
pub(super) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// How many backticks stand in a row at most.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// A path as an address relative to a root.
pub(super) fn uri(path: &str) -> String {
    let mut told = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => told.push(char::from(byte)),
            byte => write!(told, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    told
}

/// A name for a file that is to hold what is called so.
pub fn stem(text: &str) -> String {
    const LETTERS_MAX: usize = 100;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let plain: String =
        text.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).take(LETTERS_MAX).collect();
    let plain = plain.trim_matches(['.', '-']);
    if plain.is_empty() { "unnamed".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_taken_for_markup() {
        assert_eq!(xml("a\u{0}b\u{1b}[31m\u{ffff}\n"), "a\u{fffd}b\u{fffd}[31m\u{fffd}\n");
        assert_eq!(markdown("a|b <i> `c` [d](e)\n@all"), r"a\|b \<i\> \`c\` \[d\](e) \@all");
        assert_eq!(code("a|b"), r"`a\|b`");
        assert_eq!(code("a``b`"), "``` a``b` ```");
        assert_eq!(block("text", "```\nx"), "````text\n```\nx\n````\n");
        assert_eq!(uri("a b/ü%.toml"), "a%20b/%C3%BC%25.toml");
        assert_eq!(stem("scale/a b.packet"), "scale-a-b.packet");
        assert_eq!(stem("../.."), "unnamed");
    }
}
