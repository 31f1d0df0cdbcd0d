//! What became of each mutant, kept in a file so that a run that was cut off goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::list::Mutant;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The compiler refuses it.
    Unviable,
    /// It cannot be a branch: `cargo mutants` itself has to try it.
    Apart,
    /// The stage that failed with it.
    Caught(String),
    Survived,
}

pub struct Outcomes {
    path: PathBuf,
    /// By the mutant's name.
    pub known: BTreeMap<String, Outcome>,
}

impl Outcomes {
    /// Those of an earlier run, if there was one.
    pub fn new(path: PathBuf) -> Self {
        let known = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok());
        Outcomes { path, known: known.unwrap_or_default() }
    }

    /// What an earlier run found that cannot be woven in.
    pub fn left_out(&self, mutants: &[Mutant]) -> BTreeSet<usize> {
        let left_out =
            |mutant: &&Mutant| matches!(self.known.get(&mutant.name), Some(Outcome::Unviable | Outcome::Apart));
        mutants.iter().filter(left_out).map(|mutant| mutant.number).collect()
    }

    pub fn set(&mut self, mutant: &Mutant, outcome: Outcome) {
        self.known.insert(mutant.name.clone(), outcome);
    }

    pub fn save(&self) -> io::Result<()> {
        fs::write(&self.path, serde_json::to_string_pretty(&self.known)?)
    }

    /// One row for each file, then the survivors.
    pub fn table(&self, mutants: &[Mutant]) -> String {
        #[derive(Default)]
        struct Row {
            all: usize,
            unviable: usize,
            apart: usize,
            tests: usize,
            harness: usize,
            survived: usize,
        }
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        let mut survivors = String::new();
        for mutant in mutants {
            for file in [mutant.file.as_str(), "total"] {
                let row = rows.entry(file).or_default();
                row.all += 1;
                *match self.known.get(&mutant.name) {
                    Some(Outcome::Unviable) => &mut row.unviable,
                    Some(Outcome::Caught(stage)) if ["scenarios", "seeds"].contains(&stage.as_str()) => {
                        &mut row.harness
                    }
                    Some(Outcome::Caught(_)) => &mut row.tests,
                    Some(Outcome::Survived) => &mut row.survived,
                    Some(Outcome::Apart) | None => &mut row.apart,
                } += 1;
            }
            match self.known.get(&mutant.name) {
                Some(Outcome::Survived) => writeln!(survivors, "{}", mutant.name),
                Some(Outcome::Apart) | None => writeln!(survivors, "not tried: {}", mutant.name),
                _ => Ok(()),
            }
            .expect("a text takes any line");
        }
        let mut text = String::from(
            "| file | mutants | unviable | caught by tests | by the harness alone | survive | not tried | caught |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for (file, row) in rows {
            let tried = row.tests + row.harness + row.survived;
            let part = if tried == 0 { 100.0 } else { (row.tests + row.harness) as f64 * 100.0 / tried as f64 };
            writeln!(
                text,
                "| {file} | {} | {} | {} | {} | {} | {} | {part:.1} % |",
                row.all, row.unviable, row.tests, row.harness, row.survived, row.apart
            )
            .expect("a text takes any line");
        }
        text + "\n" + &survivors
    }
}
