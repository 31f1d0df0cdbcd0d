//! What `cargo mutants --list --json` says.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Mutant {
    /// Its place in the list.
    #[serde(skip)]
    pub number: usize,
    pub name: String,
    pub file: String,
    pub genre: Genre,
    pub span: Span,
    pub replacement: String,
}

/// The text replaced.
#[derive(Clone, Debug, Deserialize)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

/// Line and column, both from 1.
#[derive(Clone, Debug, Deserialize)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

pub fn parse(json: &str) -> Result<Vec<Mutant>, serde_json::Error> {
    let mut mutants: Vec<Mutant> = serde_json::from_str(json)?;
    for (number, mutant) in mutants.iter_mut().enumerate() {
        mutant.number = number;
    }
    Ok(mutants)
}
