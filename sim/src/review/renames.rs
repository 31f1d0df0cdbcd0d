//! Words that no story has any more, and what each is called now.
//!
//! Learnt before anything is parsed, since the parser knows some words by name, and one of those may be what was renamed.
//! A word is taken for renamed where it is in no story afterwards, its new name was in none before, and lines that are
//! the same but for such words say so. What something ended with is no such word: another outcome is never a name.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::columns::said;

/// Words and labels with another name, by the new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames(BTreeMap<String, String>);

/// A word that was replaced in a text: what it was called, and what it is called.
pub type Renamed = (String, String);

/// What stands in the place of a word that only one side has.
const MASK: &str = "\u{0}";

impl Renames {
    /// Learns them from texts before and after. `is_outcome` knows the words that something may end with.
    pub fn learn<'a>(
        texts: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        is_outcome: impl Fn(&str) -> bool,
    ) -> Renames {
        let vocabulary = |text: &'a str| text.lines().filter_map(said).flat_map(words).map(|(_, word)| word);
        let before: BTreeSet<&str> = texts.clone().flat_map(|(before, _)| vocabulary(before)).collect();
        let after: BTreeSet<&str> = texts.clone().flat_map(|(_, after)| vocabulary(after)).collect();
        let gone: BTreeSet<&str> = before.difference(&after).copied().filter(|word| !is_outcome(word)).collect();
        let new: BTreeSet<&str> = after.difference(&before).copied().filter(|word| !is_outcome(word)).collect();
        if gone.is_empty() || new.is_empty() {
            return Renames::default();
        }
        let mut votes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (old, now) in texts {
            vote(old, now, &gone, &new, &mut votes);
        }
        let mut most: Vec<_> = votes.into_iter().collect();
        most.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        let mut renames = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for ((old, now), _) in most {
            if !renames.contains_key(now) && taken.insert(old) {
                renames.insert(now.to_owned(), old.to_owned());
            }
        }
        Renames(renames)
    }

    /// The text with the names that words had before, and those that it had in it.
    pub fn undo(&self, text: &str) -> (String, Vec<Renamed>) {
        let (mut undone, mut end, mut renamed) = (String::new(), 0, Vec::new());
        if self.0.is_empty() {
            return (text.to_owned(), renamed);
        }
        for (start, word) in words(text) {
            if let Some(old) = self.0.get(word) {
                undone.push_str(&text[end..start]);
                undone.push_str(old);
                end = start + word.len();
                renamed.push((old.clone(), word.to_owned()));
            }
        }
        undone.push_str(&text[end..]);
        (undone, renamed)
    }
}

/// Counts which word stands where another stood, in lines that are the same but for these.
fn vote<'a>(
    old: &'a str,
    now: &'a str,
    gone: &BTreeSet<&'a str>,
    new: &BTreeSet<&'a str>,
    votes: &mut BTreeMap<(&'a str, &'a str), usize>,
) {
    let masked = |text: &'a str, words: &BTreeSet<&'a str>| {
        text.lines().filter_map(said).map(|line| mask(line, words)).collect()
    };
    let (old, now): (Vec<_>, Vec<_>) = (masked(old, gone), masked(now, new));
    let keys = |lines: &[(String, Vec<&'a str>)]| lines.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    for op in capture_diff_slices(Algorithm::Myers, &keys(&old), &keys(&now)) {
        if let DiffOp::Equal { .. } = op {
            let pairs = old[op.old_range()].iter().zip(&now[op.new_range()]);
            for (old, new) in pairs.flat_map(|((_, olds), (_, news))| olds.iter().zip(news)) {
                *votes.entry((*old, *new)).or_default() += 1;
            }
        }
    }
}

/// A line without its numbers and with a mask in the place of these words; and which of them it had.
fn mask<'a>(line: &'a str, masked: &BTreeSet<&'a str>) -> (String, Vec<&'a str>) {
    let (mut key, mut end, mut found) = (String::new(), 0, Vec::new());
    for (start, word) in words(line).into_iter().filter(|(_, word)| masked.contains(word)) {
        key.push_str(&line[end..start]);
        key.push_str(MASK);
        end = start + word.len();
        found.push(word);
    }
    key.push_str(&line[end..]);
    // Columns are as wide as the widest: a longer word moves what stands beside it.
    key.retain(|letter| !letter.is_ascii_digit() && letter != ' ');
    (key, found)
}

/// The words and labels of a line, each with its place: no value of a field, nothing in quotes or brackets.
fn words(line: &str) -> Vec<(usize, &str)> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let mut words = Vec::new();
    let mut end = 0;
    let (mut is_quoted, mut depth) = (false, 0_u32);
    for (start, letter) in line.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if is_quoted || depth > 0 || start < end || !is_part(letter) {
            continue;
        }
        let rest = &line[start..];
        let word = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
        end = start + word.len();
        // `phone-1`, `x=word` and `7d` are names and values.
        let is_bare = !line[..start].ends_with(|letter: char| letter.is_ascii_alphanumeric() || "=-/".contains(letter));
        let is_whole = !line[end..].starts_with(|letter: char| letter.is_ascii_alphanumeric() || "-/".contains(letter));
        if is_bare && is_whole {
            words.push((start, word));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(before: &str, after: &str) -> Vec<Renamed> {
        let told = |text: &str| text.lines().map(|line| format!("    0.091  phone  {line}\n")).collect::<String>();
        let (before, after) = (told(before), told(after));
        let renames =
            Renames::learn([(before.as_str(), after.as_str())].into_iter(), |word| word == "ok" || word == "expired");
        renames.0.into_iter().map(|(new, old)| (old, new)).collect()
    }

    #[test]
    fn a_word_and_a_label_are_renamed() {
        let before = "status LOGINED user=alice\nlogin answered: ok call=2\n";
        let after = "login_status LOGINED user=alice\nlogin returned: ok of=2\n";
        let pair = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        assert_eq!(
            learnt(before, after),
            [pair("status", "login_status"), pair("call", "of"), pair("answered", "returned")]
        );
    }

    #[test]
    fn an_outcome_a_value_and_a_word_that_is_still_there_are_not() {
        for (before, after) in [
            ("login answered: ok call=2", "login answered: expired call=2"),
            ("kick reason=old", "kick reason=new"),
            ("a status\nb status", "a state\nb status"),
            ("send text=\"one two\"", "send text=\"one three\""),
            ("phone starts", "phone-b starts"),
            ("login at once", "the server is gone"),
        ] {
            assert_eq!(learnt(before, after), [], "{before}");
        }
    }

    #[test]
    fn undone_is_the_text_as_it_was_called() {
        let renames =
            Renames::learn([("    0.100  a  status x=status", "    0.100  a  state x=status")].into_iter(), |_| false);
        let (text, renamed) = renames.undo("state 7 x=state [state]");
        assert_eq!(text, "status 7 x=state [state]");
        assert_eq!(renamed, [("status".to_owned(), "state".to_owned())]);
    }
}
