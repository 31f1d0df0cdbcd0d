//! The woven tree: copied, checked until everything left in it compiles, built.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::weave;

/// The tree that is built: the repository's, with mutants.
pub struct Tree {
    pub root: PathBuf,
    pub path: PathBuf,
    pub target: PathBuf,
    /// The tests of the cores do not need the harness, and building it takes the longest.
    pub with_harness: bool,
}

impl Tree {
    /// Copies what the repository tracks and what is new in it, but for the files to be woven.
    pub fn copy(&self, woven: &BTreeSet<&str>) -> Result<(), Box<dyn Error>> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()?;
        for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let from = self.root.join(name);
            if woven.contains(name) || !from.is_file() {
                continue;
            }
            let mut bytes = fs::read(from)?;
            match name {
                "src/lib.rs" => bytes.extend(weave::switch().into_bytes()),
                // The zoo is the harness's, and the repository's rules are not for this tree.
                "tests/it/main.rs" => {
                    let mut text = String::from_utf8(bytes)?;
                    for module in ["tidy", "zoo"] {
                        text = text.replace(&format!("mod {module};\n"), "");
                    }
                    bytes = text.into_bytes();
                }
                "sim/src/lib.rs" if !self.with_harness => bytes = b"//! Not built.\n".to_vec(),
                _ => {}
            }
            self.put(name, &bytes)?;
        }
        Ok(())
    }

    /// Writes a file unless that is what it says: what did not change is not built again.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let path = self.path.join(name);
        if fs::read(&path).is_ok_and(|before| before == bytes) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
        Ok(fs::write(path, bytes)?)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Vec<Value>, Box<dyn Error>> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--message-format", "json"])
            .current_dir(&self.path)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .stderr(Stdio::inherit())
            .output()?;
        let messages = String::from_utf8(output.stdout)?;
        let messages: Vec<Value> = messages.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        if !output.status.success() && errors(&messages).next().is_none() {
            return Err(format!("cargo {} failed", arguments.join(" ")).into());
        }
        Ok(messages)
    }

    /// The mutants that the compiler refuses; none when everything compiles.
    pub fn check(&self) -> Result<Refused, Box<dyn Error>> {
        let messages = self.cargo(&["build", "--lib"])?;
        let mut refused = Refused { numbers: BTreeSet::new(), constant: BTreeSet::new() };
        let mut unplaced = Vec::new();
        for error in errors(&messages) {
            let spans = error["spans"].as_array().cloned().unwrap_or_default();
            if error["code"]["code"] == "E0015" {
                let path = error["message"].as_str().and_then(|text| text.split('`').nth(1)).unwrap_or_default();
                refused.constant.insert(path.to_owned());
                continue;
            }
            // An error about a mutant may point at the rest first, so any span inside of one will do.
            let places = [true, false].map(|primary| spans.iter().filter(move |span| span["is_primary"] == primary));
            let found = places.into_iter().flatten().find_map(|span| mutant_at(&self.path, span));
            match found {
                Some(number) => {
                    refused.numbers.insert(number);
                }
                None if spans.is_empty() => {}
                None => unplaced.push(error["rendered"].as_str().unwrap_or_default().to_owned()),
            }
        }
        if refused.numbers.is_empty() && refused.constant.is_empty() && !unplaced.is_empty() {
            return Err(format!("errors in no mutant:\n{}", unplaced.join("\n")).into());
        }
        Ok(refused)
    }

    /// Builds a program and says where it is: the tests called `name`, or, with `kind` "bin", a command.
    pub fn build(&self, kind: &str, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let messages = match kind {
            "bin" => self.cargo(&["build"])?,
            _ => self.cargo(&["test", "--no-run", "--lib", "--test", "it"])?,
        };
        let found = messages.iter().find_map(|message| {
            let is_it = message["target"]["name"] == name && message["target"]["kind"][0] == kind;
            message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
        });
        found.ok_or_else(|| {
            let errors = errors(&messages).map(|error| error["rendered"].as_str().unwrap_or_default());
            format!("{name} was not built\n{}", errors.collect::<Vec<_>>().join("\n")).into()
        })
    }
}

/// What the compiler refuses.
pub struct Refused {
    pub numbers: BTreeSet<usize>,
    /// Functions that constants need, as the compiler names them: `seconds`, `Platform::is_mobile`.
    pub constant: BTreeSet<String>,
}

fn errors(messages: &[Value]) -> impl Iterator<Item = &Value> {
    let compiler = messages.iter().filter(|message| message["reason"] == "compiler-message");
    compiler.map(|message| &message["message"]).filter(|message| message["level"] == "error")
}

/// The mutant whose branch a place is in: branches begin on a line of their own and end where the
/// indentation is back.
fn mutant_at(tree: &Path, span: &Value) -> Option<usize> {
    let text = fs::read_to_string(tree.join(span["file_name"].as_str()?)).ok()?;
    let lines: Vec<&str> = text.lines().collect();
    let place = usize::try_from(span["line_start"].as_u64()?).ok()? - 1;
    let indent = |line: &str| line.len() - line.trim_start().len();
    (0..=place).rev().find_map(|begin| {
        let (_, rest) = lines[begin].rsplit_once("crate::mutant::on(")?;
        let number = rest.split(')').next()?.parse().ok()?;
        let length = lines[begin + 1..].iter().take_while(|line| indent(line) > indent(lines[begin])).count();
        (place <= begin + length).then_some(number)
    })
}
