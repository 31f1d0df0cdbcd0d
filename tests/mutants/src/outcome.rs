//! What became of each mutant, kept in a file so that a run that was cut off goes on.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::run;
use crate::weave::Mutant;

/// What a stage made of a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It failed, and said so.
    Caught(String),
    /// It passed, and something was different.
    Passed,
    /// It passed, and nothing was different: the traces are the same to the last bit.
    Same,
}

impl Outcome {
    pub fn is_caught(&self) -> bool {
        matches!(self, Outcome::Caught(_))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// The compiler refuses it.
    pub is_unviable: bool,
    /// It cannot be a branch.
    pub is_apart: bool,
    pub stages: BTreeMap<String, Outcome>,
}

impl Fate {
    pub fn is_caught(&self) -> bool {
        self.stages.values().any(Outcome::is_caught)
    }

    fn is_caught_by(&self, stages: &[&str]) -> bool {
        self.stages.iter().any(|(stage, outcome)| stages.contains(&stage.as_str()) && outcome.is_caught())
    }

    pub fn is_viable(&self) -> bool {
        !self.is_unviable && !self.is_apart
    }
}

pub struct Outcomes {
    path: PathBuf,
    /// By the mutant's name.
    pub known: BTreeMap<String, Fate>,
}

impl Outcomes {
    /// Those of an earlier run, if there was one.
    pub fn new(path: PathBuf) -> Self {
        let known = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok());
        Outcomes { path, known: known.unwrap_or_default() }
    }

    pub fn fate(&mut self, mutant: &Mutant) -> &mut Fate {
        self.known.entry(mutant.name()).or_default()
    }

    pub fn of(&self, mutant: &Mutant) -> Fate {
        self.known.get(&mutant.name()).cloned().unwrap_or_default()
    }

    pub fn save(&self) -> io::Result<()> {
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_string_pretty(&self.known)?)?;
        fs::rename(new, &self.path)
    }

    /// One row for each file, then the survivors with what each stage made of them.
    pub fn table(&self, mutants: &[Mutant]) -> String {
        #[derive(Default)]
        struct Row {
            all: usize,
            unviable: usize,
            apart: usize,
            tried: usize,
            harness: usize,
            tests: usize,
            harness_alone: usize,
            survived: usize,
        }
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        let mut survivors = String::new();
        for mutant in mutants {
            let fate = self.of(mutant);
            let (harness, tests) = (fate.is_caught_by(&run::HARNESS), fate.is_caught_by(&run::TESTS));
            let is_tried = fate.is_viable() && !fate.stages.is_empty();
            for file in [mutant.file.as_str(), "total"] {
                let row = rows.entry(file).or_default();
                row.all += 1;
                row.unviable += usize::from(fate.is_unviable);
                row.apart += usize::from(fate.is_apart);
                row.tried += usize::from(is_tried);
                row.harness += usize::from(harness);
                row.tests += usize::from(tests);
                row.harness_alone += usize::from(harness && !tests);
                row.survived += usize::from(is_tried && !harness && !tests);
            }
            if is_tried && !harness && !tests {
                let stages: Vec<String> =
                    fate.stages.iter().map(|(stage, outcome)| format!("{stage} {outcome:?}")).collect();
                writeln!(survivors, "{} {}  ({})", mutant.number, mutant.name(), stages.join(", "))
                    .expect("a text takes any line");
            }
        }
        let mut text = String::from(
            "| file | mutants | unviable | not tried | tried | caught by the harness | by tests | by the harness and no test | survive | caught |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for (file, row) in rows {
            let part = (row.tried - row.survived) as f64 * 100.0 / row.tried.max(1) as f64;
            writeln!(
                text,
                "| {file} | {} | {} | {} | {} | {} | {} | {} | {} | {part:.1} % |",
                row.all, row.unviable, row.apart, row.tried, row.harness, row.tests, row.harness_alone, row.survived
            )
            .expect("a text takes any line");
        }
        text + "\n" + &survivors
    }
}
