//! Texts with fields of a log in braces: cut into parts, and matched against a text.
//!
//! Filling them is `template`'s.

/// A piece of a pattern or of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These letters.
    Letters(String),
    /// A field; `{name?}` is one that a line may lack.
    Field { name: String, may_lack: bool },
}

/// Cuts a text into parts. Otherwise, what is wrong with it.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (letters, after) = rest.split_once('{').unwrap_or((rest, ""));
        if letters.contains('}') {
            return Err("a `}` without a `{` before it".to_owned());
        }
        if !letters.is_empty() {
            parts.push(Part::Letters(letters.to_owned()));
        }
        if letters.len() == rest.len() {
            break;
        }
        let Some((name, after)) = after.split_once('}') else {
            return Err("a `{` without a `}` after it".to_owned());
        };
        let (name, may_lack) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        if name.is_empty() || name.contains('{') || name.contains(char::is_whitespace) {
            return Err(format!("`{{{name}}}` names no field of the log"));
        }
        parts.push(Part::Field { name: name.to_owned(), may_lack });
        rest = after;
    }
    Ok(parts)
}

/// A text with fields in it, as a line of the log may have it.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Part>);

/// A part of a text that fits: the field's name, at which byte it begins, and its value.
pub(super) type Captured<'p, 't> = (&'p str, usize, &'t str);

impl Pattern {
    /// Reads one. Otherwise, what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Pattern, String> {
        let parts = parts(text)?;
        let side_by_side = parts.windows(2).find_map(|pair| match pair {
            [Part::Field { name, .. }, Part::Field { name: next, .. }] => Some((name, next)),
            _ => None,
        });
        if let Some((name, next)) = side_by_side {
            return Err(format!(
                "nothing says where `{{{name}}}` ends and `{{{next}}}` begins: letters have to stand between"
            ));
        }
        if parts.iter().any(|part| matches!(part, Part::Field { may_lack: true, .. })) {
            return Err("a pattern has no fields with `?`".to_owned());
        }
        Ok(Pattern(parts))
    }

    /// The fields of a text that fits: each goes up to where the letters after it first stand, the last to the end.
    pub(super) fn fit<'p, 't>(&'p self, text: &'t str) -> Option<Vec<Captured<'p, 't>>> {
        let mut captured = Vec::new();
        let (mut at, mut open) = (0, None);
        for (index, part) in self.0.iter().enumerate() {
            let rest = &text[at..];
            match (part, open.take()) {
                (Part::Field { name, .. }, _) => open = Some(name.as_str()),
                (Part::Letters(letters), None) => at += rest.strip_prefix(letters.as_str()).map(|_| letters.len())?,
                (Part::Letters(letters), Some(name)) => {
                    let is_last = index + 1 == self.0.len();
                    let length = match is_last {
                        true => rest.strip_suffix(letters.as_str())?.len(),
                        false => rest.find(letters.as_str())?,
                    };
                    captured.push((name, at, &rest[..length]));
                    at += length + letters.len();
                }
            }
        }
        match open {
            Some(name) => captured.push((name, at, &text[at..])),
            None if at < text.len() => return None,
            None => {}
        }
        Some(captured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, text: &str) -> Option<Vec<String>> {
        let pattern = Pattern::read(pattern).unwrap();
        pattern.fit(text).map(|fields| fields.iter().map(|(name, at, value)| format!("{name}@{at}={value}")).collect())
    }

    #[test]
    fn a_field_goes_up_to_the_letters_after_it_and_the_last_one_to_the_end() {
        let fields = fit("{ts} [{level}] {rest}", "12.5 [INFO] login of a b");
        assert_eq!(fields.unwrap(), ["ts@0=12.5", "level@6=INFO", "rest@12=login of a b"]);
        assert_eq!(fit("done ({code})", "done (a) (7)").unwrap(), ["code@6=a) (7"]);
        assert_eq!(fit("login", "login").unwrap(), [""; 0]);
    }

    #[test]
    fn a_text_that_lacks_letters_or_has_more_of_them_does_not_fit() {
        for (pattern, text) in [("{a}: {b}", "a b"), ("login", "login!"), ("x{a}", "a"), ("{a}]", "a] ")] {
            assert_eq!(fit(pattern, text), None, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_says_why() {
        for (pattern, why) in [
            ("{a", "a `{` without a `}` after it"),
            ("a}", "a `}` without a `{` before it"),
            ("{}", "`{}` names no field of the log"),
            ("{a}{b}", "nothing says where `{a}` ends and `{b}` begins: letters have to stand between"),
            ("{a?} b", "a pattern has no fields with `?`"),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap_err(), why);
        }
    }
}
