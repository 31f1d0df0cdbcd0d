//! The woven tree: copied, checked until everything left in it compiles, built.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::weave::{self, Mutant, Without};

/// The product but for its program, what is generated, and what the log says.
fn is_woven(name: &str) -> bool {
    let apart = ["src/bin/", "src/driver/wire/session.rs", "src/driver/server/log.rs", "src/ticket/tests.rs"];
    name.starts_with("src/") && name.ends_with(".rs") && !apart.iter().any(|start| name.starts_with(start))
}

/// The tree that is built: the repository's, with mutants.
pub struct Tree {
    pub root: PathBuf,
    pub path: PathBuf,
    pub target: PathBuf,
    /// Whether everything was built before, and nothing has changed since that matters.
    pub is_built: bool,
}

/// First line and column, last line and column, from 1 and 0, as the parser has them.
type Place = (usize, usize, usize, usize);

/// Where the branches of each file are.
type Places = BTreeMap<String, Vec<(usize, Place)>>;

impl Tree {
    /// What the repository tracks and what is new in it.
    fn listed(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()?;
        let text = String::from_utf8(listed.stdout)?;
        Ok(text.split_terminator('\0').filter(|name| self.root.join(name).is_file()).map(str::to_owned).collect())
    }

    /// Copies all but the files to be woven.
    pub fn copy(&self) -> Result<(), Box<dyn Error>> {
        for name in self.listed()?.iter().filter(|name| !is_woven(name)) {
            let mut bytes = fs::read(self.root.join(name))?;
            if name == "tests/it/main.rs" {
                // The zoo is the harness's, and the repository's rules are not for this tree.
                let mut text = String::from_utf8(bytes)?;
                for module in ["tidy", "zoo"] {
                    text = text.replace(&format!("mod {module};\n"), "");
                }
                bytes = text.into_bytes();
            }
            if name == "Cargo.toml" {
                // In a folder of builds that is shared, a package of the same name and version would be the same.
                let text = String::from_utf8(bytes)?;
                bytes = text.replacen("version = \"0.1.0\"", "version = \"0.1.0-mutants\"", 1).into_bytes();
            }
            self.put(name, &bytes)?;
        }
        Ok(())
    }

    /// Writes a file unless that is what it says: what did not change is not built again.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let path = self.path.join(name);
        if fs::read(&path).is_ok_and(|before| before == bytes) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
        Ok(fs::write(path, bytes)?)
    }

    /// All mutants there are.
    pub fn mutants(&self) -> Result<Vec<Mutant>, Box<dyn Error>> {
        let mut all = Vec::new();
        for name in self.listed()?.into_iter().filter(|name| is_woven(name)) {
            let text = fs::read_to_string(self.root.join(&name))?;
            all.extend(weave::weave(&name, &text, all.len(), &Without::default()).1);
        }
        Ok(all)
    }

    /// All mutants, put into the tree.
    pub fn weave(&self, without: &Without) -> Result<(Vec<Mutant>, Places), Box<dyn Error>> {
        let (mut all, mut places) = (Vec::new(), Places::new());
        for name in self.listed()?.into_iter().filter(|name| is_woven(name)) {
            let text = fs::read_to_string(self.root.join(&name))?;
            let (mut woven, mutants) = weave::weave(&name, &text, all.len(), without);
            all.extend(mutants);
            places.insert(name.clone(), weave::places(&woven));
            if name == "src/lib.rs" {
                woven = format!("#![allow(warnings)]\n{woven}\n{}", weave::switch());
            }
            self.put(&name, woven.as_bytes())?;
        }
        Ok((all, places))
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Vec<Value>, Box<dyn Error>> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--profile", "quick", "--message-format", "json"])
            .current_dir(&self.path)
            .env("CARGO_TARGET_DIR", &self.target)
            .stderr(Stdio::inherit())
            .output()?;
        let messages = String::from_utf8(output.stdout)?;
        let messages: Vec<Value> = messages.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        if !output.status.success() && errors(&messages).next().is_none() {
            return Err(format!("cargo {} failed", arguments.join(" ")).into());
        }
        Ok(messages)
    }

    /// What the compiler refuses; nothing when everything compiles.
    pub fn refused(&self, places: &Places) -> Result<Without, Box<dyn Error>> {
        let messages = self.cargo(&["build", "--lib"])?;
        let mut refused = Without::default();
        let mut unplaced = Vec::new();
        for error in errors(&messages) {
            let spans = error["spans"].as_array().cloned().unwrap_or_default();
            if error["code"]["code"] == "E0015" {
                let path = error["message"].as_str().and_then(|text| text.split('`').nth(1)).unwrap_or_default();
                refused.functions.insert(path.to_owned());
            } else if let numbers = blamed(places, &spans)
                && !numbers.is_empty()
            {
                refused.numbers.extend(numbers);
            } else if !spans.is_empty() {
                unplaced.push(error["rendered"].as_str().unwrap_or_default().to_owned());
            }
        }
        if refused.numbers.is_empty() && refused.functions.is_empty() && !unplaced.is_empty() {
            return Err(format!("errors in no mutant:\n{}", unplaced.join("\n")).into());
        }
        Ok(refused)
    }

    /// Builds a program and says where it is: the tests called `name`, or, with `kind` "bin", a command. Kept beside
    /// the tree, since a folder of the repository's own builds may be shared.
    pub fn build(&self, kind: &str, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let kept = self.path.with_file_name(format!("{kind}-{name}"));
        if self.is_built && kept.is_file() {
            return Ok(kept);
        }
        let messages = match kind {
            "bin" => self.cargo(&["build", "--bin", name])?,
            _ => self.cargo(&["test", "--no-run", "--lib", "--test", "it"])?,
        };
        let found = messages.iter().find_map(|message| {
            let is_it = message["target"]["name"] == name && message["target"]["kind"][0] == kind;
            message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
        });
        let found = found.ok_or_else(|| {
            let errors = errors(&messages).map(|error| error["rendered"].as_str().unwrap_or_default());
            format!("{name} was not built\n{}", errors.collect::<Vec<_>>().join("\n"))
        })?;
        if fs::read(&kept).ok() != Some(fs::read(&found)?) {
            fs::copy(found, &kept)?;
        }
        Ok(kept)
    }
}

fn errors(messages: &[Value]) -> impl Iterator<Item = &Value> {
    let compiler = messages.iter().filter(|message| message["reason"] == "compiler-message");
    compiler.map(|message| &message["message"]).filter(|message| message["level"] == "error")
}

/// The branches that an error is about: the innermost around what it points at, else around what it mentions, else all
/// within what it points at.
fn blamed(places: &Places, spans: &[Value]) -> BTreeSet<usize> {
    let number = |span: &Value, key: &str| span[key].as_u64().unwrap_or_default() as usize;
    let of = |span: &Value| {
        let from = (number(span, "line_start"), number(span, "column_start").saturating_sub(1));
        (from, (number(span, "line_end"), number(span, "column_end").saturating_sub(1)))
    };
    let within = |span: &Value| span["file_name"].as_str().and_then(|file| places.get(file));
    let (primary, other): (Vec<&Value>, Vec<&Value>) = spans.iter().partition(|span| span["is_primary"] == true);
    for span in primary.iter().chain(&other) {
        let (from, to) = of(span);
        let around = within(span).into_iter().flatten();
        let around = around.filter(|(_, place)| (place.0, place.1) <= from && to <= (place.2, place.3));
        // The innermost begins last and, of those, ends first.
        let innermost = around
            .clone()
            .map(|(_, place)| *place)
            .max_by_key(|place| (place.0, place.1, std::cmp::Reverse((place.2, place.3))));
        if let Some(innermost) = innermost {
            return around.filter(|(_, place)| *place == innermost).map(|(number, _)| *number).collect();
        }
    }
    let inside = primary.iter().flat_map(|span| {
        let (from, to) = of(span);
        let all = within(span).into_iter().flatten();
        all.filter(move |(_, place)| from <= (place.0, place.1) && (place.2, place.3) <= to)
    });
    inside.map(|(number, _)| *number).collect()
}
