//! What is decided and may not be on disk: a crash takes it back, and the next start says how much of it.

use std::collections::VecDeque;

use super::difference::Difference;
use super::records::{Id, Records};
use crate::scenario::rules::rule;
use crate::trace::Fact;

/// Changes decided, and the records without those that are not known to be on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    on_disk: Records,
    /// Each with its number, and who caused it.
    undecided: VecDeque<(u32, Option<Id>, Vec<Fact>)>,
    /// The last change decided.
    pub(super) decided: u32,
    /// The last change known to be on disk.
    pub(super) committed: u32,
}

impl Journal {
    pub(super) fn decided(&mut self, commit: u32, from: Option<Id>, facts: Vec<Fact>) {
        self.decided = commit;
        self.undecided.push_back((commit, from, facts));
    }

    /// Everything up to this change is on disk.
    pub(super) fn committed(&mut self, commit: u32) {
        while let Some((_, from, facts)) = self.undecided.pop_front_if(|(number, ..)| *number <= commit) {
            facts.iter().for_each(|fact| self.on_disk.apply(fact, from));
        }
        self.committed = commit;
    }

    /// STOP-1: a server that was told to stop leaves nothing decided that is not on disk.
    pub(super) fn unwritten(&self) -> Option<Difference> {
        let (number, ..) = self.undecided.front()?;
        Difference::of(const { rule("STOP-1") }, format!("the server stopped, and change {number} is not on disk"))
    }

    /// The server goes on from this change: what was decided after it never was.
    pub(super) fn started(&mut self, commit: u32) -> Records {
        self.committed(commit);
        self.undecided.clear();
        self.decided = commit;
        self.on_disk.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// STOP-1
    #[test]
    fn what_is_decided_and_not_on_disk_is_named() {
        let mut journal = Journal::default();
        assert_eq!(journal.unwritten(), None);
        journal.decided(1, None, Vec::new());
        journal.decided(2, None, Vec::new());
        journal.committed(1);
        let found = journal.unwritten().expect("one is left");
        assert_eq!(
            (found.rule.as_str(), found.text.as_str()),
            ("STOP-1", "the server stopped, and change 2 is not on disk")
        );
        journal.committed(2);
        assert_eq!(journal.unwritten(), None);
    }
}
