//! Which file imports which, and that the rooms of the harness are the sentence they claim to be.
//!
//! Follows `use` trees, paths written out, and names handed on by `pub use` to the file that defines them. Reads names, not
//! types: a method called on a value is no import, and a glob of a module counts for what it names only.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, cut, lines_before_tests, paths, split, test_files};

/// The folders of `sim/src` in the order of the sentence. The pipeline itself, `lib.rs`, stands where its place is: it puts
/// together what comes before, and what comes after runs it.
pub const ROOMS: [&str; 17] = [
    "scenario", "generate", "trace", "world", "history", "seats", "check", "lib.rs", "judge", "search", "subject",
    "drive", "page", "report", "zoo", "review", "command",
];

/// A package's sources, by module.
struct House<'a> {
    /// By module: `check::model`; the crate's root is the empty name.
    modules: BTreeMap<String, Room<'a>>,
}

struct Room<'a> {
    path: &'a str,
    /// The code that is no test.
    code: String,
    /// What `use` brings into scope: by name, the path as it is written.
    names: BTreeMap<String, String>,
}

/// An import: where it stands, and which file it leads to.
#[derive(Debug)]
pub struct Import<'a> {
    from: &'a str,
    line: usize,
    name: String,
    to: &'a str,
}

impl<'a> House<'a> {
    /// The files below a folder that ends in `/`. `crate_name` is what the package's own program calls its library.
    fn of(sources: &'a [Source], folder: &str, crate_name: &str) -> House<'a> {
        let tests = test_files(sources);
        let mut modules = BTreeMap::new();
        for source in sources.iter().filter(|source| source.is_rust() && !tests.contains(source.path.as_str())) {
            let Some(path) = source.path.strip_prefix(folder) else { continue };
            let path = path.trim_end_matches(".rs");
            let path = path.strip_suffix("/mod").unwrap_or(path);
            let module = if path == "lib" { String::new() } else { path.replace('/', "::") };
            let code = split(&source.text).code;
            let (code, _) = cut(&code, lines_before_tests(&code));
            let code = code.replace(&format!("{crate_name}::"), "crate::");
            let names = names_in_scope(&code);
            modules.insert(module, Room { path: &source.path, code, names });
        }
        House { modules }
    }

    /// The file that defines what this path means in this module; none when it names a module, or nothing of this package.
    fn defines(&self, module: &str, path: &str) -> Option<&'a str> {
        // Names handed on to and fro would lead nowhere.
        self.follow(module, path, 16)
    }

    fn follow(&self, module: &str, path: &str, hops: u32) -> Option<&'a str> {
        let (first, rest) = path.split_once("::").map_or((path, None), |(first, rest)| (first, Some(rest)));
        let join = |module: &str, rest: &str| {
            if module.is_empty() { rest.to_owned() } else { format!("{module}::{rest}") }
        };
        let parent = |module: &str| module.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned();
        let hops = hops.checked_sub(1)?;
        match first {
            "crate" => return self.item("", rest?, hops),
            "self" => return self.item(module, rest?, hops),
            "super" => {
                let (mut module, mut rest) = (parent(module), rest?);
                while let Some(further) = rest.strip_prefix("super::") {
                    (module, rest) = (parent(&module), further);
                }
                return self.item(&module, rest, hops);
            }
            _ => {}
        }
        if self.modules.contains_key(&join(module, first)) {
            return self.item(module, path, hops);
        }
        let meant = self.modules[module].names.get(first)?;
        // Handed on under its own name: it is defined here.
        if meant == first {
            return None;
        }
        let whole = rest.map_or(meant.clone(), |rest| format!("{meant}::{rest}"));
        self.follow(module, &whole, hops)
    }

    /// The file of an item that is looked for from this module on, down and through what is handed on.
    fn item(&self, module: &str, path: &str, hops: u32) -> Option<&'a str> {
        let mut module = module.to_owned();
        let mut parts = path.split("::").peekable();
        while let Some(part) = parts.peek() {
            let inner = if module.is_empty() { (*part).to_owned() } else { format!("{module}::{part}") };
            if !self.modules.contains_key(&inner) {
                break;
            }
            module = inner;
            parts.next();
        }
        let room = self.modules.get(&module)?;
        let name = *parts.peek()?;
        if room.names.get(name).is_some_and(|meant| meant != name) {
            let rest: Vec<&str> = parts.collect();
            return self.follow(&module, &rest.join("::"), hops);
        }
        Some(room.path)
    }

    /// The first import of each file from each other. What a module takes from the files below its own is none: they are
    /// parts of it.
    fn imports(&self) -> Vec<Import<'a>> {
        let mut imports: BTreeMap<(&str, &str), Import<'a>> = BTreeMap::new();
        for (module, room) in &self.modules {
            let parts: BTreeSet<&str> = self.below(module).collect();
            for (line, path) in paths(&room.code) {
                if let Some(to) = self.defines(module, &path).filter(|&to| to != room.path && !parts.contains(to)) {
                    imports.entry((room.path, to)).or_insert(Import { from: room.path, line, name: path, to });
                }
            }
        }
        imports.into_values().collect()
    }

    fn below(&self, module: &str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{module}::");
        self.modules.iter().filter(move |(inner, _)| inner.starts_with(&prefix)).map(|(_, room)| room.path)
    }
}

/// What each `use` of the code brings into scope.
fn names_in_scope(code: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for statement in code.split(';') {
        // Before it stands what ended the statement before: an attribute, a block, `pub(super)`.
        let Some(start) = statement.rfind("use ").filter(|&start| {
            !statement[..start].ends_with(|char: char| char.is_alphanumeric() || char == '_')
                && !statement[start..].contains(['(', '=', '\''])
        }) else {
            continue;
        };
        let mut found = paths(&statement[start + "use ".len()..]).into_iter().map(|(_, path)| path).peekable();
        while let Some(path) = found.next() {
            let path = path.strip_suffix("::self").map_or(path.clone(), str::to_owned);
            let name = if found.next_if(|next| next == "as").is_some() {
                found.next().unwrap_or_default()
            } else {
                path.rsplit("::").next().unwrap_or_default().to_owned()
            };
            names.insert(name, path);
        }
    }
    names
}

/// No two files import each other, directly or through others.
pub fn check_circles(sources: &[Source], folder: &str, crate_name: &str) -> Vec<String> {
    let imports = House::of(sources, folder, crate_name).imports();
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in &imports {
        next.entry(import.from).or_default().insert(import.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|&from| (from, reached_from(from, &next))).collect();
    let is_tied = |import: &&Import<'_>| reached.get(import.to).is_some_and(|files| files.contains(import.from));
    imports
        .iter()
        .filter(is_tied)
        .map(|Import { from, line, name, to }| {
            format!("{from}:{line}: `{name}` is in {to}, which leads back here: move what both need below both")
        })
        .collect()
}

fn reached_from<'a>(from: &'a str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![from];
    while let Some(file) = ahead.pop() {
        ahead.extend(next.get(file).into_iter().flatten().copied().filter(|&file| reached.insert(file)));
    }
    reached
}

/// A room imports only rooms before it in the sentence, and there is no other.
pub fn check_order(sources: &[Source]) -> Vec<String> {
    const FOLDER: &str = "sim/src/";
    let place = |path: &str| {
        let path = path.strip_prefix(FOLDER).unwrap_or(path);
        // The program is nothing but its commands.
        let room = if path == "main.rs" { "command" } else { path.split('/').next().unwrap_or(path) };
        ROOMS.iter().position(|known| room.trim_end_matches(".rs") == known.trim_end_matches(".rs"))
    };
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust() && source.path.starts_with(FOLDER)) {
        if place(&source.path).is_none() {
            let rooms = ROOMS.join(", ");
            complaints.push(format!("{} is in no room: put it into one of {rooms}", source.path));
        }
    }
    for Import { from, line, name, to } in House::of(sources, FOLDER, "gatecrash_sim").imports() {
        if let (Some(own), Some(other)) = (place(from), place(to))
            && own < other
        {
            let (own, other) = (ROOMS[own], ROOMS[other]);
            complaints.push(format!("{from}:{line}: `{name}` is in {other}, which comes after {own} in the sentence"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(path, text)| Source::new(&format!("sim/src/{path}"), text)).collect()
    }

    fn ties(files: &[(&str, &str)]) -> usize {
        check_circles(&house(files), "sim/src/", "gatecrash_sim").len()
    }

    #[test]
    fn a_later_room_is_found_however_it_is_named() {
        let trace = ("trace/mod.rs", "pub mod cast;\npub use cast::Cast;");
        let cast = ("trace/cast.rs", "pub struct Cast;");
        let later =
            |text| check_order(&house(&[("scenario/mod.rs", "mod parse;"), ("scenario/parse.rs", text), trace, cast]));
        for text in [
            "use crate::trace::Cast;",
            "use crate::{trace::{cast::Cast as Who}};\nfn f(_: Who) {}",
            "fn f() { crate::trace::cast::Cast }",
            "fn f() -> super::super::trace::Cast {}",
        ] {
            let complaints = later(text);
            assert!(
                !complaints.is_empty() && complaints[0].contains("which comes after scenario"),
                "{text}: {complaints:?}"
            );
        }
        assert_eq!(later("#[cfg(test)]\nmod tests {\n    use crate::trace::Cast;\n}"), Vec::<String>::new());
        assert_eq!(later("use std::trace::Cast; // crate::trace::Cast"), Vec::<String>::new());
        let earlier = house(&[("scenario/mod.rs", "pub struct Step;"), ("trace/mod.rs", "use crate::scenario::Step;")]);
        assert_eq!(check_order(&earlier), Vec::<String>::new());
    }

    #[test]
    fn the_pipeline_is_for_those_that_come_after_it() {
        let lib = ("lib.rs", "pub mod world;\npub mod search;\npub fn run() {}");
        let search = house(&[lib, ("search/mod.rs", "fn f() { crate::run() }")]);
        assert_eq!(check_order(&search), Vec::<String>::new());
        let world = house(&[lib, ("world/mod.rs", "use crate::run;")]);
        assert_eq!(check_order(&world).len(), 1);
        let command = house(&[lib, ("main.rs", "mod command;"), ("command/mod.rs", "use gatecrash_sim::run;")]);
        assert_eq!(check_order(&command), Vec::<String>::new());
    }

    #[test]
    fn a_file_in_no_room_is_found() {
        assert!(check_order(&house(&[("draw.rs", "")]))[0].contains("is in no room"));
    }

    #[test]
    fn circles_are_found_through_names_handed_on() {
        let both = [("a.rs", "use crate::b::B;\npub struct A;"), ("b.rs", "use crate::a::A;\npub struct B;")];
        assert_eq!(ties(&both), 2);
        let face = ("mod_c/mod.rs", "mod inner;\npub use inner::C;");
        let inner = ("mod_c/inner.rs", "use crate::a::A;\npub struct C;");
        assert_eq!(ties(&[("a.rs", "use crate::mod_c::C;\npub struct A;"), face, inner]), 2);
        let child = ("d/child.rs", "use super::D;\nuse crate::a::A;\npub fn help() {}");
        let face = ("d/mod.rs", "mod child;\npub struct D;\nfn f() { child::help() }");
        assert_eq!(ties(&[face, child, ("a.rs", "pub struct A;")]), 0, "a module and its parts are one");
        assert_eq!(ties(&[face, child, ("a.rs", "use crate::d::D;\npub struct A;")]), 0, "a part may take from both");
        let face = ("d/mod.rs", "mod child;\nuse crate::a::A;\npub struct D;");
        assert_eq!(ties(&[face, child, ("a.rs", "use crate::d::child::help;\npub struct A;")]), 4);
        let three = [
            ("a.rs", "use crate::b::B;\npub struct A;"),
            ("b.rs", "use crate::c::C;\npub struct B;"),
            ("c.rs", "use crate::a::A;\npub struct C;"),
        ];
        assert_eq!(ties(&three), 3);
    }
}
