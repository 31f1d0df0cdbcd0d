//! The command `gatecrash`, started as people and programs start it: exit codes, what it prints where,
//! and what it prints.
//!
//! What runs do is tested with the worlds and the checks; here they are small and only end
//! differently.

#[cfg(unix)]
mod drive;
mod fields;
mod files;
mod fleet;
mod inspect;
#[cfg(target_os = "linux")]
mod interrupt;
mod judge;
mod judge_map;
mod judge_report;
mod keep;
mod page;
mod replay;
mod report;
mod review;
mod run;
mod shrink;
mod sweep;
mod tls;
mod violation;
mod when;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What came of one start of the command.
struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

/// A folder of one test's own, empty at first.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
        match std::fs::remove_dir_all(&path) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
        }
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Writes a file, and the folders it is in.
    fn write(self, path: &str, text: &str) -> Self {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Runs the command here; `words` are separated by spaces.
    fn run(&self, words: &str) -> Ran {
        self.run_below(".", words)
    }

    /// Runs the command in a folder below.
    fn run_below(&self, folder: &str, words: &str) -> Ran {
        Folder::ran(self.command(words).current_dir(self.0.join(folder)))
    }

    /// Runs the command here, where the system has no other programs than those of this folder.
    fn run_beside(&self, programs: &str, words: &str) -> Ran {
        Folder::ran(self.command(words).env("PATH", self.0.join(programs)))
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatecrash"));
        // Cargo runs the test, and not the command.
        command.args(words.split_whitespace()).env_remove("CARGO").env_remove("GITHUB_ACTIONS").current_dir(&self.0);
        command
    }

    fn ran(command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        Ran {
            exit: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap().replace(env!("CARGO_BIN_EXE_gatecrash"), "gatecrash"),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Standard output as JSON, of a run that said nothing else.
    fn json(&self) -> serde_json::Value {
        assert_eq!(self.stderr, "");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Standard output with `~` for how long things took, and for digests and numbers of events,
    /// which change with the product.
    fn timeless(&self) -> String {
        let mut lines: Vec<String> = self.stdout.lines().map(str::to_owned).collect();
        if let Some(wall_end) = lines[0].find("wall  result").map(|start| start + "wall".len()) {
            let events_end = lines[0].find("events").unwrap() + "events".len();
            let is_row = |line: &&mut String| line.len() > wall_end && line[..wall_end].ends_with(" s");
            for row in lines.iter_mut().filter(is_row) {
                blank(row, wall_end);
                blank(row, events_end);
            }
        }
        for line in &mut lines {
            if let Some((events, _)) = line.split_once(" simulated in ") {
                let simulated = events.split_once(", ").map_or(events, |(_, simulated)| simulated);
                *line = format!("~ events, {simulated} simulated in ~");
            } else if let Some((start, _)) = line.split_once("digest ") {
                *line = format!("{}digest ~", if start.starts_with("passed: ") { "passed: ~ events, " } else { start });
            }
        }
        lines.join("\n")
    }
}

/// Writes `~` for the number in the column that ends here.
fn blank(row: &mut String, end: usize) {
    let is_number = |letter: char| letter.is_ascii_digit() || letter == '.' || letter == ',';
    let start = row[..end].trim_end_matches(" s").trim_end_matches(is_number).len();
    row.replace_range(start..end, &format!("{:>width$}", "~", width = end - start));
}

/// Two phones in a row on one seat: the second login kicks the first. `expect` is what it expects.
fn kick(expect: &str) -> String {
    format!(
        r#"title = "The second phone takes the seat of the first"
rules = ["POLICY-3", "KICK-1"]
seed = 1

[devices]
phone-1 = {{ platform = "android", site = "home" }}
phone-2 = {{ platform = "android", site = "office" }}

[script]
until = "3s"
steps = """
0s  phone-1  login alice
1s  phone-2  login alice
"""
expect = """
{expect}
"""
"#
    )
}

/// What [`kick`] rightly expects.
const KICKED: &str = "phone-1  kicked_offline once";

/// What it wrongly expects.
const NOT_KICKED: &str = "phone-1  kicked_offline never";

/// A scenario that has no time to come to rest.
fn restless() -> String {
    kick(KICKED).replace("seed = 1", "seed = 1\nconverge = \"1ms\"\nsites.office.latency = \"500ms\"")
}
