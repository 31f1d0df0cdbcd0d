//! Names as numbers: who a history speaks of.

use std::collections::BTreeMap;

/// Names, each with a number of its own, counted from 0.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: Vec<Box<str>>,
    by_name: BTreeMap<Box<str>, u32>,
    /// Most lines name who the line before named.
    last: u32,
}

impl Names {
    /// The number of a name, which has one from now on.
    pub fn number(&mut self, name: &str) -> u32 {
        if self.names.get(self.last as usize).is_some_and(|last| **last == *name) {
            return self.last;
        }
        self.last = match self.by_name.get(name) {
            Some(&number) => number,
            None => {
                let number = u32::try_from(self.names.len()).expect("a history names fewer than four thousand million");
                self.names.push(name.into());
                self.by_name.insert(name.into(), number);
                number
            }
        };
        self.last
    }

    /// The number of a name that has one.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// The name with this number.
    ///
    /// # Panics
    ///
    /// Where no name has it.
    pub fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}
