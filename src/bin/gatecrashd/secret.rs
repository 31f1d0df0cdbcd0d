//! The app's secret keys as people hand them over: in a file, on the command line, in a configuration.
//!
//! Says what is wrong with one, and trims what editors and shells leave around it (CONFIG-1). What a key signs is
//! the library's business.

use std::path::Path;

use gatecrash::ticket::SecretKey;

use crate::BadInput;

/// The key that `docs/app.example.toml` has in the place of a secret. Everybody knows it, so no server serves with it.
pub const PLACEHOLDER: &str = "replace-this-by-the-secret-of-your-app";

/// As many bytes as the hash has that signs with it: a shorter key makes signatures easier to guess.
pub const BYTES_MIN: usize = 32;

/// A key that can be used. Its text never shows.
pub struct Secret(String);

impl Secret {
    /// The key in a text, without the white space around it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be put behind what it was found in.
    pub fn of_text(text: &str) -> Result<Self, &'static str> {
        let key = text.trim();
        if key.starts_with('\u{feff}') {
            Err("begins with a byte order mark: save it without one")
        } else if key.contains('\0') {
            Err("has a NUL in it: it is text in UTF-16, or no text; save it as UTF-8")
        } else if key.is_empty() {
            Err("is empty")
        } else if key.contains(['\n', '\r']) {
            Err("has more than one line")
        } else if key.contains(is_unseen) {
            Err("has a character in it that does not show")
        } else {
            Ok(Secret(key.to_owned()))
        }
    }

    /// The key in a file, on its only line.
    ///
    /// # Errors
    ///
    /// What is wrong, with the file's name.
    pub fn of_file(path: &Path) -> Result<Self, BadInput> {
        let shown = path.display();
        let bytes =
            std::fs::read(path).map_err(|error| BadInput(format!("cannot read the key file '{shown}': {error}")))?;
        let text = match bytes.as_slice() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err("begins with a byte order mark: save it as UTF-8, without one"),
            bytes => str::from_utf8(bytes).map_err(|_| "is not UTF-8"),
        };
        let secret = text.and_then(Secret::of_text);
        secret.map_err(|problem| BadInput(format!("the key file '{shown}' {problem}")))
    }

    /// Whether it is the one that everybody can read in the example.
    pub fn is_placeholder(&self) -> bool {
        self.0 == PLACEHOLDER
    }

    /// Whether it is shorter than a key should be.
    pub fn is_short(&self) -> bool {
        self.0.len() < BYTES_MIN
    }

    /// What signs and verifies.
    pub fn key(&self) -> SecretKey {
        SecretKey::from(self.0.as_str())
    }
}

/// What no editor shows, and nobody means to be part of a key.
fn is_unseen(character: char) -> bool {
    character.is_control() || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> &'static str {
        Secret::of_text(text).err().expect("this is no key")
    }

    /// CONFIG-1: what is around a key is not part of it, whatever left it there.
    #[test]
    fn white_space_around_a_key_is_trimmed() {
        for text in
            ["key", "key\n", "key\r\n", " key", "\tkey \n", "\n\nkey\n\n", "\u{a0}key\u{a0}", "key\u{3000}\u{85}"]
        {
            assert_eq!(Secret::of_text(text).ok().unwrap().0, "key", "{text:?}");
        }
        assert_eq!(Secret::of_text(" two words ").ok().unwrap().0, "two words", "what is inside is the key's own");
    }

    /// CONFIG-1.
    #[test]
    fn what_nobody_means_by_a_key_is_refused() {
        for text in ["", "\n", " \t\r\n", "\u{a0}"] {
            assert_eq!(problem(text), "is empty", "{text:?}");
        }
        for text in ["\u{feff}key", " \u{feff}key\n", "\u{feff}"] {
            assert!(problem(text).contains("byte order mark"), "{text:?}");
        }
        for text in ["k\0e\0y\0", "\0", "key\0"] {
            assert!(problem(text).contains("NUL"), "{text:?}");
        }
        for text in ["one\ntwo", "one\r\ntwo", "one\rtwo"] {
            assert_eq!(problem(text), "has more than one line", "{text:?}");
        }
        for text in ["k\u{1b}[0mey", "key\u{200b}", "ke\ty"] {
            assert!(problem(text).contains("does not show"), "{text:?}");
        }
    }

    #[test]
    fn short_is_shorter_than_the_hash() {
        let is_short = |bytes: usize| Secret::of_text(&"k".repeat(bytes)).ok().unwrap().is_short();
        assert!(is_short(31));
        assert!(!is_short(32));
    }
}
