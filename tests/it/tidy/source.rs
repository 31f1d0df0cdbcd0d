//! The repository's files as texts, and Rust taken apart as far as the checks need it.
//!
//! No parser: it tells code from comments and strings, and paths from other words. What may stand
//! where is for the checks to say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One file: where it is from the root, with `/`, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The name without folders and the last extension.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// Every text file of the repository that a check looks at, by path. Build products and hidden
/// folders are left out.
pub fn load(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    walk(root, "", &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the repository can be read") {
        let entry = entry.expect("the repository can be read");
        let name = entry.file_name().into_string().expect("names are Unicode");
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("the repository can be read").is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                walk(&entry.path(), &format!("{path}/"), found);
            }
        } else if [".rs", ".md", ".toml", ".snap", ".proto"].iter().any(|extension| name.ends_with(extension)) {
            let text = fs::read_to_string(entry.path()).expect("texts are UTF-8");
            found.push(Source { path, text });
        }
    }
}

/// A Rust file split in two texts with the same lines: what the other has is blank.
pub struct Split {
    /// Without comments and without what stands in strings.
    pub code: String,
    /// Nothing but comments.
    pub comments: String,
}

/// Tells code from comments and strings.
pub fn split(text: &str) -> Split {
    let chars: Vec<char> = text.chars().collect();
    let mut split = Split { code: String::new(), comments: String::new() };
    let mut at = 0;
    while at < chars.len() {
        let end = if chars[at..].starts_with(&['/', '/']) {
            let end = find(&chars, at, '\n');
            split.push(&chars[at..end], Kind::Comment);
            end
        } else if chars[at..].starts_with(&['/', '*']) {
            let end = block_comment_end(&chars, at);
            split.push(&chars[at..end], Kind::Comment);
            end
        } else if let Some(end) = literal_end(&chars, at) {
            split.push(&chars[at..end], Kind::Literal);
            end
        } else {
            split.push(&chars[at..at + 1], Kind::Code);
            at + 1
        };
        at = end;
    }
    split
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Split {
    fn push(&mut self, chars: &[char], kind: Kind) {
        let blank = |&char: &char| if char == '\n' { '\n' } else { ' ' };
        let text = chars.iter().copied();
        match kind {
            Kind::Code => {
                self.code.extend(text);
                self.comments.extend(chars.iter().map(blank));
            }
            Kind::Comment => {
                self.code.extend(chars.iter().map(blank));
                self.comments.extend(text);
            }
            Kind::Literal => {
                self.code.extend(chars.iter().map(blank));
                self.comments.extend(chars.iter().map(blank));
            }
        }
    }
}

fn find(chars: &[char], from: usize, wanted: char) -> usize {
    chars[from..].iter().position(|&char| char == wanted).map_or(chars.len(), |distance| from + distance)
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at < chars.len() {
        if chars[at..].starts_with(&['/', '*']) {
            (depth, at) = (depth + 1, at + 2);
        } else if chars[at..].starts_with(&['*', '/']) {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Where the string or character that starts here ends, if one does.
fn literal_end(chars: &[char], start: usize) -> Option<usize> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let in_word = |at: usize| at > 0 && is_word(chars[at - 1]);
    match chars[start] {
        '"' => Some(quoted_end(chars, start, '"')),
        '\'' => match (chars.get(start + 1)?, chars.get(start + 2)?) {
            ('\\', _) | (_, '\'') => Some(quoted_end(chars, start, '\'')),
            // A lifetime or a label.
            (_, _) => None,
        },
        'r' if !in_word(start) || (matches!(chars[start - 1], 'b' | 'c') && !in_word(start - 1)) => {
            let hashes = chars[start + 1..].iter().take_while(|&&char| char == '#').count();
            let open = start + 1 + hashes;
            (chars.get(open) == Some(&'"')).then(|| {
                let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                (open + 1..chars.len())
                    .find(|&at| chars[at..].starts_with(&close))
                    .map_or(chars.len(), |at| at + close.len())
            })
        }
        _ => None,
    }
}

fn quoted_end(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// Every path in a piece of code with its line, from 1: `std::fs`, `Vec`, `async`. The branches of
/// a `use` tree are written out.
pub fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut line = 1;
    let mut chars = code.chars().peekable();
    while let Some(char) = chars.next() {
        let continues = path.ends_with("::");
        if char.is_alphanumeric() || char == '_' {
            if path.is_empty() {
                path = prefixes.iter().map(String::as_str).collect();
            }
            path.push(char);
            while let Some(&next) = chars.peek().filter(|&&next| next.is_alphanumeric() || next == '_') {
                path.push(next);
                chars.next();
            }
            if chars.peek() != Some(&':') {
                found.push((line, std::mem::take(&mut path)));
            }
        } else if char == ':' && chars.peek() == Some(&':') {
            chars.next();
            if !path.is_empty() {
                path.push_str("::");
            }
        } else if char == '{' && continues {
            // The prefixes before this one are part of the path already.
            let whole: String = prefixes.iter().map(String::as_str).collect();
            prefixes.push(path[whole.len()..].to_owned());
            path.clear();
        } else {
            if !path.is_empty() {
                found.push((line, path.trim_end_matches(':').to_owned()));
                path.clear();
            }
            match char {
                '\n' => line += 1,
                '{' => prefixes.push(String::new()),
                '}' => {
                    prefixes.pop();
                }
                _ => {}
            }
        }
    }
    found
}

/// The files that are compiled for tests only: those in `tests` folders, and modules declared
/// under `#[cfg(test)]`.
pub fn test_files(sources: &[Source]) -> BTreeSet<&str> {
    let mut prefixes = vec!["tests/".to_owned(), "sim/tests/".to_owned()];
    for source in sources.iter().filter(|source| source.is_rust()) {
        let code = split(&source.text).code;
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        for pair in lines.windows(2) {
            let module = pair[1].strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
            if let (true, Some(module)) = (pair[0] == "#[cfg(test)]", module) {
                let folder = module_folder(&source.path);
                prefixes.push(format!("{folder}{module}.rs"));
                prefixes.push(format!("{folder}{module}/"));
            }
        }
    }
    let is_test = |path: &str| prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()));
    sources.iter().map(|source| source.path.as_str()).filter(|path| path.ends_with(".rs") && is_test(path)).collect()
}

/// Where the modules that a file declares are, with a `/` at the end.
fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "mod.rs" | "lib.rs" | "main.rs" => format!("{folder}/"),
        _ => format!("{folder}/{}/", name.trim_end_matches(".rs")),
    }
}

/// How many lines stand before the test module at a file's end; all where there is none.
pub fn lines_before_tests(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().collect();
    let starts =
        |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(starts).unwrap_or(lines.len())
}

/// The text cut after so many lines, and the rest.
pub fn cut(text: &str, lines: usize) -> (String, String) {
    let all: Vec<&str> = text.lines().collect();
    let (head, tail) = all.split_at(lines.min(all.len()));
    (head.join("\n"), tail.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths_of(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|(_, path)| path).collect()
    }

    #[test]
    fn code_comments_and_strings_are_told_apart() {
        let Split { code, comments } = split(
            r##"let a = "tokio // no"; // KICK-3
let b = r#"std::fs "quoted""#; /* outer /* inner */ LOGIN-1 */ let c = '"'; let d: &'static str = b"x";"##,
        );
        assert!(!code.contains("tokio") && !code.contains("std::fs") && !code.contains("KICK"), "{code}");
        assert!(code.contains("let c") && code.contains("'static str"), "{code}");
        assert_eq!(
            comments.split_whitespace().collect::<Vec<_>>().join(" "),
            "// KICK-3 /* outer /* inner */ LOGIN-1 */"
        );
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn paths_are_written_out() {
        assert_eq!(
            paths_of("use std::{fs, time::{Duration, Instant}};"),
            ["use", "std::fs", "std::time::Duration", "std::time::Instant"]
        );
        assert_eq!(
            paths_of("fn f() { async { tokio::spawn(x) } }\nuse a::b;"),
            ["fn", "f", "async", "tokio::spawn", "x", "use", "a::b"]
        );
        assert_eq!(paths_of("struct S { at: Instant }"), ["struct", "S", "at", "Instant"]);
        assert_eq!(paths("a\n\nb::c"), [(1, "a".to_owned()), (3, "b::c".to_owned())]);
    }

    #[test]
    fn test_code_is_known_by_folder_and_by_declaration() {
        let sources = [
            Source::new("src/ticket.rs", "#[cfg(test)]\nmod proofs;\nmod format;"),
            Source::new("src/ticket/proofs.rs", ""),
            Source::new("src/ticket/format.rs", ""),
            Source::new("tests/it/main.rs", ""),
        ];
        assert_eq!(test_files(&sources), BTreeSet::from(["src/ticket/proofs.rs", "tests/it/main.rs"]));
        assert_eq!(lines_before_tests("fn a() {}\n#[cfg(test)]\nmod tests {\n}"), 1);
        assert_eq!(lines_before_tests("#[cfg(test)]\nmod tests;\nfn a() {}"), 3);
    }
}
