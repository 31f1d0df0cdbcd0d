//! The documents for whoever comes next name files and names in code: both exist, and a name that is said to be in a file is
//! defined in that very file.
//!
//! How such a document is written is the convention that [`check_names`] reads:
//!
//! - A word in backticks with a `/` in it, or with the ending of a text file, is a path from the root. `*` stands for any
//!   part of a name, and so does a word in CAPITALS, as in `snapshots/NAME.snap`. What is in `target/` is made, not kept.
//! - One word in backticks is a name: `function()`, `Type::member`, `macro!`, `TypeOrVariant`, `snake_case`, `CONSTANT`. It is
//!   defined somewhere in the sources. A word in lower case may also be one of traces, scripts or commands, which the
//!   sources have in quotes, or the stem of a scenario.
//! - "`a()` and `B::c()` in `src/d.rs`", or "`src/d.rs`: `a()`, `B::c()`": these names are defined in this file.
//! - Several words in backticks are a command or a line of a trace. Of these only paths are looked at.
//!
//! Reads no types: a name that two things have is there as long as one of them is. Whether what is said is true, a reader finds
//! out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{Source, split};
use super::{assert_none, is_rule_id, repository};

/// The documents that follow the convention.
const DOCUMENTS: [&str; 2] = ["docs/tour.md", "CONTRIBUTING.md"];

/// Names that nothing here defines, and what they are.
const KNOWN: [(&str, &str); 0] = [];

/// What the ends of text files are.
const ENDINGS: [&str; 6] = [".rs", ".md", ".toml", ".snap", ".proto", ".json"];

// What a file of Rust defines.

/// The names that one file defines, and the types it says something of.
#[derive(Debug, Default)]
struct Defined {
    names: BTreeSet<String>,
    /// Those that may be called.
    functions: BTreeSet<String>,
    macros: BTreeSet<String>,
    /// What it defines with members, or has an `impl` of.
    types: BTreeSet<String>,
}

/// Where a name stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Between an enum's braces: variants.
    Enum,
    /// Between those of a struct or a variant: fields.
    Fields,
    /// Between those of a macro's invocation: a table whose rows begin with what they define.
    Table,
    Other,
}

/// Names and single signs of code without comments and strings.
fn tokens(code: &str) -> Vec<&str> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let end =
            if is_word(first) { rest.find(|char| !is_word(char)).unwrap_or(rest.len()) } else { first.len_utf8() };
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|char: char| char.is_alphabetic() || char == '_')
}

/// What a file defines: items, fields, variants, and the rows of tables that macros make these from.
fn defined(text: &str) -> Defined {
    let code = split(text).code;
    let tokens = tokens(&code);
    let at = |index: usize| tokens.get(index).copied().unwrap_or_default();
    let mut found = Defined::default();
    let mut around = vec![Inside::Other];
    // What the next brace opens.
    let mut next = Inside::Other;
    for (index, &token) in tokens.iter().enumerate() {
        let before = if index == 0 { "" } else { at(index - 1) };
        let inside = *around.last().expect("the file is around everything");
        let begins = matches!(before, "{" | "}" | "," | ";" | "]" | ")" | "pub");
        match token {
            "{" => {
                let fields = next == Inside::Other && inside == Inside::Enum;
                around.push(if fields { Inside::Fields } else { next });
                next = Inside::Other;
            }
            "(" | "[" => around.push(Inside::Other),
            "}" | ")" | "]" => {
                around.pop();
                if around.is_empty() {
                    around.push(Inside::Other);
                }
            }
            ";" => next = Inside::Other,
            "!" if is_name(before) => {
                let of_table = if is_name(at(index + 1)) { index + 2 } else { index + 1 };
                if at(of_table) == "{" {
                    next = Inside::Table;
                }
            }
            "impl" | "trait" => {
                let head = tokens[index + 1..].iter().take_while(|&&token| token != "{" && token != ";");
                found.types.extend(head.filter(|token| is_name(token)).map(|&token| token.to_owned()));
            }
            _ => {}
        }
        if !is_name(token) {
            continue;
        }
        let is_defined = match before {
            "fn" => {
                found.functions.insert(token.to_owned());
                true
            }
            "struct" | "enum" | "trait" | "type" | "const" | "static" | "mod" | "union" => {
                found.types.insert(token.to_owned());
                next = match before {
                    "enum" => Inside::Enum,
                    "struct" => Inside::Fields,
                    _ => next,
                };
                true
            }
            "!" if index >= 2 && at(index - 2) == "macro_rules" => {
                found.macros.insert(token.to_owned());
                true
            }
            _ => match inside {
                Inside::Enum => begins,
                Inside::Fields => begins && at(index + 1) == ":" && at(index + 2) != ":",
                Inside::Table => begins && matches!(at(index + 1), "=" | "{" | ":") && at(index + 2) != ":",
                Inside::Other => false,
            },
        };
        if is_defined {
            found.names.insert(token.to_owned());
        }
    }
    found
}

/// Everything that a document may name.
struct Index<'a> {
    files: BTreeMap<&'a str, Defined>,
    sources: &'a [Source],
}

impl<'a> Index<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let rust = sources.iter().filter(|source| source.is_rust());
        Index { files: rust.map(|source| (source.path.as_str(), defined(&source.text))).collect(), sources }
    }

    /// Whether one of these files defines the name.
    fn defines(&self, name: &Name<'_>, file: Option<&str>) -> bool {
        let mut files = self.files.iter().filter(|(path, _)| file.is_none_or(|file| **path == file));
        files.any(|(path, defined)| {
            let has = match name.kind {
                Kind::Function => &defined.functions,
                Kind::Macro => &defined.macros,
                Kind::Any => &defined.names,
            };
            let is_of = name.of.is_none_or(|of| {
                let in_module = path.trim_end_matches(".rs").split('/').any(|part| part == of);
                defined.types.contains(of) || in_module
            });
            has.contains(name.last) && is_of
        })
    }

    /// Whether it is a word of traces, scripts or commands, or the stem of a scenario.
    fn has_word(&self, word: &str) -> bool {
        let quoted = format!("\"{word}\"");
        let names = |source: &Source| {
            if source.is_rust() {
                source.text.contains(&quoted)
            } else {
                source.path.ends_with(".toml") && source.stem() == word
            }
        };
        word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && self.sources.iter().filter(|source| !source.path.starts_with("tests/it/tidy")).any(names)
    }
}

// What a document names.

/// What stands between backticks, where, and what stands before it since the last.
#[derive(Debug, PartialEq, Eq)]
struct Span<'a> {
    line: usize,
    text: &'a str,
    before: String,
}

/// A document's code spans; blocks of code do not count.
fn spans(text: &str) -> Vec<Span<'_>> {
    let mut found = Vec::new();
    let (mut in_block, mut before) = (false, String::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            before.push_str("\n\n");
        } else if !in_block {
            for (place, part) in line.split('`').enumerate() {
                if place % 2 == 0 {
                    before.push_str(part);
                } else {
                    found.push(Span { line: number + 1, text: part, before: std::mem::take(&mut before) });
                }
            }
            before.push('\n');
        }
    }
    found
}

fn is_path(word: &str) -> bool {
    let of_path = |char: char| char.is_ascii_alphanumeric() || "/._-*".contains(char);
    word.chars().all(of_path)
        && word.contains(|char: char| char.is_ascii_alphanumeric())
        && (word.contains('/') || ENDINGS.iter().any(|ending| word.len() > ending.len() && word.ends_with(ending)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Function,
    Macro,
    Any,
}

/// A name as a document has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name<'a> {
    /// The type or module it is said to be of.
    of: Option<&'a str>,
    last: &'a str,
    kind: Kind,
}

/// The name that this span is, if it is one.
fn name(span: &str) -> Option<Name<'_>> {
    let (path, kind) = match span.strip_suffix("()") {
        Some(path) => (path, Kind::Function),
        None => span.strip_suffix('!').map_or((span, Kind::Any), |path| (path, Kind::Macro)),
    };
    let is_word = |part: &str| is_name(part) && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !path.split("::").all(is_word) || is_rule_id(path) {
        return None;
    }
    let (before, last) = path.rsplit_once("::").map_or((None, path), |(before, last)| (Some(before), last));
    Some(Name { of: before.map(|before| before.rsplit("::").next().unwrap_or(before)), last, kind })
}

/// Whether a path with parts that stand for others fits this one.
fn fits(pattern: &str, path: &str) -> bool {
    let mut rest = path;
    for (place, piece) in pattern.split('*').enumerate() {
        let found = if place == 0 { rest.starts_with(piece).then_some(0) } else { rest.find(piece) };
        let Some(start) = found.filter(|&start| !rest[..start].contains('/')) else { return false };
        rest = &rest[start + piece.len()..];
    }
    rest.is_empty() || pattern.ends_with('*') && !rest.contains('/')
}

/// The path with `*` for each word in capitals.
fn pattern_of(path: &str) -> String {
    let is_placeholder = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let words = path.split_inclusive(|char: char| !char.is_ascii_alphanumeric()).map(|word| {
        let bare = word.trim_end_matches(|char: char| !char.is_ascii_alphanumeric());
        if is_placeholder(bare) { word.replacen(bare, "*", 1) } else { word.to_owned() }
    });
    words.collect()
}

/// Complaints about every path that leads nowhere and every name that is not, or is not where it is said to be.
fn check_names(document: &Source, sources: &[Source], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let index = Index::of(sources);
    let mut complaints = Vec::new();
    let spans = spans(&document.text);
    let leads_somewhere = |path: &str| {
        let pattern = pattern_of(path);
        path.starts_with("target/")
            || exists(path)
            || pattern.contains('*') && sources.iter().any(|source| fits(&pattern, &source.path))
    };
    for Span { line, text, .. } in &spans {
        let at = format!("{}:{line}", document.path);
        for word in text.split_whitespace().filter(|word| is_path(word)) {
            if !leads_somewhere(word) {
                complaints.push(format!("{at}: there is no `{word}`: name what took its place"));
            }
        }
        let is_known = KNOWN.iter().any(|(known, _)| known == text);
        let is_there = |name: &Name<'_>| index.defines(name, None) || name.of.is_none() && index.has_word(text);
        if !is_path(text) && !is_known && name(text).is_some_and(|name| !is_there(&name)) {
            complaints.push(format!("{at}: nothing is called `{text}`: name what took its place"));
        }
    }
    for (span, file) in said_to_be_in(&spans) {
        let Some(name) = name(span.text) else { continue };
        if index.files.contains_key(file) && !index.defines(&name, Some(file)) {
            let (document, line, text) = (&document.path, span.line, span.text);
            complaints.push(format!("{document}:{line}: `{text}` is not defined in {file}: say where it is"));
        }
    }
    complaints
}

/// The names that are said to be in a file, with that file.
fn said_to_be_in<'s, 'd>(spans: &'s [Span<'d>]) -> Vec<(&'s Span<'d>, &'d str)> {
    let between = |span: &Span<'_>| span.before.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_file = |span: &Span<'_>| is_path(span.text) && span.text.ends_with(".rs");
    let is_list = |between: &str| [",", "and", ", and"].contains(&between);
    let mut found = Vec::new();
    for (place, file) in spans.iter().enumerate().filter(|(_, span)| is_file(span)) {
        // Backwards from it: "`a()`, `b()` and `c()` in `file`".
        let mut expected = between(file) == "in";
        for span in spans[..place].iter().rev() {
            if !expected || is_path(span.text) {
                break;
            }
            found.push((span, file.text));
            expected = is_list(&between(span));
        }
        // Forwards: "`file`: `a()`, `b()` and `c()`".
        for (distance, span) in spans[place + 1..].iter().enumerate() {
            let said = between(span);
            if is_path(span.text) || !(if distance == 0 { said == ":" } else { is_list(&said) }) {
                break;
            }
            found.push((span, file.text));
        }
    }
    found
}

#[test]
fn documents_for_the_next_engineer_name_what_is_there() {
    let sources = repository();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in DOCUMENTS {
        let document = sources.iter().find(|source| source.path == path);
        let document = document.unwrap_or_else(|| panic!("{path} is missing"));
        assert_none(check_names(document, &sources, |path| root.join(path).exists()));
    }
    let of_known = KNOWN.iter().filter(|(name, _)| !sources.iter().any(|it| it.text.contains(&format!("`{name}`"))));
    assert_none(of_known.map(|(name, what)| format!("no document names {name} ({what}): strike it off")).collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = r#"
        //! Logins.
        pub struct Server<D> { decide: D, links: Vec<u8> }
        pub(super) enum Verdict {
            /// Yes.
            Resume,
            #[allow(x)]
            Kicked(Reason, u8),
            Refused { code: Code },
        }
        impl<D: Decisions> Server<D> {
            fn accept(&mut self, newcomer: Newcomer) -> Verdict {
                let local = Local { inner: 1 };
                match x { Other::Thing => Verdict::Resume, Some(y) => emit("session_accepted") }
            }
        }
        const LONGEST: u8 = 1;
        macro_rules! records { ($($x:tt)*) => {} }
        records! {
            pub enum What { Called = "called" { call: u32 }, Told = "told", }
        }
        codes! { NotReady = 6013, "not ready"; NoLink = 9508, "no link"; }
        broken! { ($) enum Bug implements Decisions asked by ask; NobodyGoes { fn victims() {} } EverybodyGoes { fn all() {} } }
    "#;

    fn names_of(text: &str) -> Vec<String> {
        defined(text).names.into_iter().collect()
    }

    #[test]
    fn what_a_file_defines_is_found() {
        let names = names_of(LOGIN);
        for name in [
            "Server",
            "decide",
            "links",
            "Verdict",
            "Resume",
            "Kicked",
            "Refused",
            "code",
            "accept",
            "LONGEST",
            "records",
            "What",
            "Called",
            "call",
            "Told",
            "NotReady",
            "NoLink",
            "Bug",
            "NobodyGoes",
            "victims",
            "EverybodyGoes",
            "all",
        ] {
            assert!(names.iter().any(|it| it == name), "{name} is not among {names:?}");
        }
        for name in
            ["local", "Local", "inner", "Other", "Thing", "Some", "newcomer", "Newcomer", "Reason", "Code", "Vec"]
        {
            assert!(!names.iter().any(|it| it == name), "{name} is among {names:?}");
        }
    }

    fn complaints(text: &str) -> Vec<String> {
        let sources = [
            Source::new("src/login.rs", LOGIN),
            Source::new("src/kick.rs", "impl Kicks { fn settle() {} }"),
            Source::new("scenarios/regressions/late_kick.toml", ""),
            Source::new("docs/tour.md", text),
        ];
        let exists =
            |path: &str| sources.iter().any(|source| source.path == path) || ["src/", ".ci/run"].contains(&path);
        check_names(&sources[3], &sources, exists)
    }

    #[track_caller]
    fn assert_complaint(text: &str, part: &str) {
        let complaints = complaints(text);
        assert!(complaints.len() == 1 && complaints[0].contains(part), "{text}: {complaints:?}");
    }

    #[test]
    fn what_is_there_is_no_complaint() {
        for text in [
            "`accept()` and `Server::accept()`, `Verdict`, `Verdict::Resume`, `login::accept()`, `records!`, `LONGEST`, `call`",
            "`session_accepted` and `told` are words, `late_kick` is a scenario, `KICK-1` a rule, `phone-1` nothing",
            "`src/login.rs`, `src/*.rs`, `src/NAME.rs`, `scenarios/regressions/NAME.toml`, `.ci/run`, `src/`, `target/x/y.md`",
            "`cargo run -- replay scenarios/regressions/late_kick.toml --only F12` and `2.061 server -> phone-1`",
            "`accept()` in `src/login.rs`; `src/kick.rs`: `settle()`; `settle()` of `src/login.rs`",
            "```\n`gone()` in `src/gone.rs`\n```",
        ] {
            assert_eq!(complaints(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_stale_path_is_found() {
        assert_complaint("see `src/gone.rs`", "docs/tour.md:1: there is no `src/gone.rs`");
        assert_complaint("a\n\nsee `GONE.md`", "docs/tour.md:3: there is no `GONE.md`");
        assert_complaint("`gone/*.rs`", "there is no `gone/*.rs`");
        assert_complaint("`src/*/NAME.rs`", "there is no");
        assert_complaint("`cargo run -- replay scenarios/late_kick.toml`", "there is no `scenarios/late_kick.toml`");
    }

    #[test]
    fn a_stale_name_is_found() {
        for gone in
            ["accepted()", "Verdicts", "Verdict::Accept", "Server::settle()", "kick::accept()", "accept!", "LATEST"]
        {
            assert_complaint(&format!("it is `{gone}`"), &format!("nothing is called `{gone}`"));
        }
        assert_complaint("the fact `session_gone`", "nothing is called `session_gone`");
        assert_complaint("`local` is a variable", "nothing is called `local`");
    }

    #[test]
    fn a_name_in_another_file_is_found() {
        for text in [
            "`settle()` in `src/login.rs`",
            "`accept()` and `settle()`\nin `src/login.rs`",
            "`settle()`, and `accept()` in `src/login.rs`",
            "`src/login.rs`: `settle()`",
            "`src/login.rs`: `accept()`, `Verdict` and\n`settle()`",
        ] {
            assert_complaint(text, "`settle()` is not defined in src/login.rs");
        }
        assert_complaint("| `src/kick.rs` | `accept()` in `src/kick.rs` |", "`accept()` is not defined in src/kick.rs");
    }
}
